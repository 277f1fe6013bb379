//go:build !tandem_nodl

package cuapi_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/dl"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

// TestTable: every entry point has a symbol, and no symbol stands twice.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range cuapi.Entries() {
		require.NotEmpty(t, e.Table())
		for _, s := range e.Table() {
			require.True(t, strings.HasPrefix(s.Name, e.String()), "%s of %s", s.Name, e)
			require.False(t, seen[s.Name], s.Name)
			require.NotEmpty(t, s.Params)
			seen[s.Name] = true
		}
	}
	require.Equal(t, []string{"cuEventElapsedTime_v2", "cuEventElapsedTime"}, cuapi.EventElapsedTime.Symbols())
}

// TestSearchOrder: where drivers are looked for on each platform; never by a name that stubs have.
func TestSearchOrder(t *testing.T) {
	s := cuapi.SearchOf("linux", "arm64", "")
	require.Equal(t, []string{"libcuda.so.1"}, s.Names)
	for _, dir := range []string{"/usr/lib/wsl/lib", "/run/opengl-driver/lib", "/usr/lib/aarch64-linux-gnu/tegra", "/usr/lib64"} {
		require.Contains(t, s.Dirs, dir)
	}
	require.Contains(t, cuapi.SearchOf("linux", "amd64", "").Dirs, "/usr/lib/x86_64-linux-gnu")
	s = cuapi.SearchOf("windows", "amd64", `D:\Win`)
	require.Equal(t, cuapi.Search{Dirs: []string{`D:\Win\System32`}, Files: []string{"nvcuda.dll"}}, s)
	require.Empty(t, cuapi.SearchOf("darwin", "arm64", ""))
}

// TestOpenNamesWhatItTried: each file and folder stands in the error, once; stubs are not opened.
func TestOpenNamesWhatItTried(t *testing.T) {
	dir, empty := t.TempDir(), t.TempDir()
	bad := filepath.Join(dir, "libcuda.so.1")
	require.NoError(t, os.WriteFile(bad, []byte("text"), 0o644))
	require.NoError(t, os.Symlink(bad, filepath.Join(dir, "libcuda.so")))
	stubs := filepath.Join(dir, "stubs")
	require.NoError(t, os.Mkdir(stubs, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(stubs, "libcuda.so"), []byte("text"), 0o644))

	_, err := cuapi.Search{Names: []string{"libno-such.so.7"}, Dirs: []string{empty, dir, stubs}, Files: []string{"libcuda.so.1", "libcuda.so"}}.Open()
	require.ErrorIs(t, err, dl.ErrNotFound)
	var missing *dl.NotFoundError
	require.ErrorAs(t, err, &missing)
	var tried []string
	for _, a := range missing.Attempts {
		tried = append(tried, a.Path)
		require.Contains(t, err.Error(), a.Path)
	}
	require.Equal(t, []string{"libno-such.so.7", bad, empty + ", " + stubs}, tried)
}

// TestOpenWantsADriver: a library without cuInit is none.
func TestOpenWantsADriver(t *testing.T) {
	_, err := cuapi.Search{Names: []string{anyLibrary}}.Open()
	require.ErrorIs(t, err, dl.ErrNotFound)
	require.ErrorContains(t, err, "cuInit")
}

// TestLookup: the newest symbol that there is is called, and looked up once.
func TestLookup(t *testing.T) {
	ok := callback(t, func(uintptr, uintptr, uintptr) uintptr { return 0 })
	for _, c := range []struct {
		have []string
		want string
	}{
		{[]string{"cuEventElapsedTime_v2", "cuEventElapsedTime"}, "cuEventElapsedTime_v2"},
		{[]string{"cuEventElapsedTime"}, "cuEventElapsedTime"},
		{nil, ""},
	} {
		var asked []string
		l := cuapi.New("test", func(symbol string) (dl.Func, error) {
			asked = append(asked, symbol)
			for _, h := range c.have {
				if h == symbol {
					return ok, nil
				}
			}
			return 0, dl.ErrNoSymbol
		})
		for range 3 {
			_, err := l.EventElapsedTime(1, 2)
			if c.want == "" {
				var missing *cuapi.MissingError
				require.ErrorAs(t, err, &missing)
				require.EqualError(t, err, "the driver (test) does not export cuEventElapsedTime_v2 or cuEventElapsedTime")
				require.False(t, l.Has(cuapi.EventElapsedTime))
				continue
			}
			require.NoError(t, err)
			require.Equal(t, c.want, asked[len(asked)-1])
		}
		if c.want != "" {
			require.True(t, l.Has(cuapi.EventElapsedTime))
			require.LessOrEqual(t, len(asked), 2)
		}
	}
}

// TestCallError: name and text are the driver's, and the number stands where it has none.
func TestCallError(t *testing.T) {
	name := append([]byte("CUDA_ERROR_PECULIAR"), 0)
	funcs := map[string]dl.Func{
		"cuMemFree_v2": callback(t, func(uintptr) uintptr { return 1234 }),
		"cuGetErrorName": callback(t, func(r uint32, p **byte) uintptr {
			*p = &name[0]
			return 0
		}),
	}
	l := cuapi.New("test", func(symbol string) (dl.Func, error) {
		if fn := funcs[symbol]; fn != 0 {
			return fn, nil
		}
		return 0, errors.New("no")
	})
	err := l.MemFree(5)
	var call *cuapi.CallError
	require.ErrorAs(t, err, &call)
	require.Equal(t, cuapi.Result(1234), call.Result)
	require.EqualError(t, err, "cuMemFree_v2: CUDA_ERROR_PECULIAR (1234)")
	delete(funcs, "cuGetErrorName")
	l = cuapi.New("test", func(symbol string) (dl.Func, error) { return funcs[symbol], nil })
	require.EqualError(t, l.MemFree(5), "cuMemFree_v2: CUresult (1234)")
}

// anyLibrary is a shared library that is no driver.
var anyLibrary = map[string]string{"linux": "libc.so.6", "darwin": "/usr/lib/libSystem.B.dylib", "windows": "msvcrt.dll"}[runtime.GOOS]

func callback(t *testing.T, fn any) dl.Func {
	t.Helper()
	addr, err := dl.NewCallback(fn)
	require.NoError(t, err)
	return dl.Func(addr)
}
