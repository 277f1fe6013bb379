//go:build !tandem_nodl

package nvtx_test

import (
	"errors"
	"testing"
	"unsafe"

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

// tool is an injection library: it asks for tables as those of NVIDIA do, and puts functions into the core module.
type tool struct {
	t    *testing.T
	got  []any
	want bool // it wants to listen
}

func callback(t *testing.T, fn any) uintptr {
	a, err := dl.NewCallback(fn)
	require.NoError(t, err)
	return a
}

// words are the n words at an address of the other side.
func words(p uintptr, n int) []uintptr { return unsafe.Slice(*(**uintptr)(unsafe.Pointer(&p)), n) }

func (x *tool) initialise(export uintptr) uintptr {
	table := func(id uintptr) uintptr { return dl.NewFrame().Int(id).Call(dl.Func(export)) }
	require.Zero(x.t, table(2))
	require.Zero(x.t, table(99))
	version := words(table(3), 3)
	require.Equal(x.t, []uintptr{24, 3}, version[:2])
	dl.NewFrame().Int(3).Call(dl.Func(version[2]))
	callbacks := words(table(1), 2)
	require.EqualValues(x.t, 16, callbacks[0])
	for module, n := range []uintptr{0, 16, 9, 15, 7, 16, 7, 0} {
		var functions, size uintptr
		ok := dl.NewFrame().Int(uintptr(module)).Word(&functions).Word(&size).Call(dl.Func(callbacks[1]))
		require.Equal(x.t, n != 0, ok == 1, "module %d", module)
		require.Equal(x.t, n, size)
		if module == 1 && x.want {
			places := words(functions, int(size))
			words(places[5], 1)[0] = callback(x.t, func(name uintptr) uintptr { x.got = append(x.got, "start", dl.GoString(name)); return 1<<40 + 9 })
			words(places[7], 1)[0] = callback(x.t, func(id uintptr) uintptr { x.got = append(x.got, "end", uint64(id)); return 0 })
		}
	}
	if x.want {
		return 1
	}
	return 0
}

// TestAttach: a tool of NVTX 3 gets the ranges that it asked for, and no marks, for which it did not ask.
func TestAttach(t *testing.T) {
	for _, want := range []bool{true, false} {
		x := &tool{t: t, want: want}
		begin := callback(t, x.initialise)
		l := nvtx.Attach(func(symbol string) (dl.Func, error) {
			require.Equal(t, "InitializeInjectionNvtx2", symbol)
			return dl.Func(begin), nil
		})
		id := l.Start("step 1")
		l.Mark("nobody listens")
		l.End(id)
		if want {
			require.Equal(t, []any{"start", "step 1", "end", uint64(1<<40 + 9)}, x.got)
		} else {
			require.Zero(t, l)
		}
	}
	require.Zero(t, nvtx.Attach(func(string) (dl.Func, error) { return 0, errors.New("no such symbol") }))
	t.Setenv("NVTX_INJECTION64_PATH", "/nowhere/libtool.so")
	require.Zero(t, nvtx.Open())
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
