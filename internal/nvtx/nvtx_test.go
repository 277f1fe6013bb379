//go:build !tandem_nodl

package nvtx_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/dl"
	"github.com/tandem-go/tandem/internal/nvtx"
)

// TestCalls: what the library gets is what was asked for.
func TestCalls(t *testing.T) {
	var got []any
	functions := map[string]any{
		"nvtxRangeStartA": func(name uintptr) uintptr { got = append(got, "start", dl.GoString(name)); return 1<<40 + 7 },
		"nvtxRangeEnd":    func(id uintptr) uintptr { got = append(got, "end", uint64(id)); return 0 },
		"nvtxMarkA":       func(name uintptr) uintptr { got = append(got, "mark", dl.GoString(name)); return 0 },
	}
	addresses := map[string]dl.Func{}
	for name, f := range functions {
		a, err := dl.NewCallback(f)
		require.NoError(t, err)
		addresses[name] = dl.Func(a)
	}
	lookup := func(symbol string) (dl.Func, error) {
		if f, ok := addresses[symbol]; ok {
			return f, nil
		}
		return 0, errors.New("no such symbol")
	}
	l := nvtx.New(lookup)
	id := l.Start("step 1")
	l.Mark("here")
	l.End(id)
	require.Equal(t, []any{"start", "step 1", "mark", "here", "end", uint64(1<<40 + 7)}, got)

	delete(addresses, "nvtxMarkA")
	require.Zero(t, nvtx.New(lookup), "a library without one of the functions is not used at all")
}

// TestWithoutLibrary: nothing happens, and nothing fails.
func TestWithoutLibrary(t *testing.T) {
	t.Setenv("TANDEM_NVTX", "/nowhere/libnvToolsExt.so.1")
	l := nvtx.Open()
	require.Zero(t, l)
	require.Zero(t, l.Start("x"))
	l.End(0)
	l.Mark("y")
}
