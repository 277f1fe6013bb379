//go:build !tandem_nodl

package dl_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/dl"
)

func TestAvailable(t *testing.T) { require.True(t, dl.Available()) }

func TestFindKeepsOrderAndLeavesOutStubs(t *testing.T) {
	root := t.TempDir()
	for _, f := range []string{"a/libx.so.1", "a/libx.so.2", "b/libx.so.1", "b/stubs/libx.so.1", "c7/libx.so.1", "c8/liby.so"} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, filepath.Dir(f)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, f), nil, 0o644))
	}
	in := func(names ...string) (paths []string) {
		for _, n := range names {
			paths = append(paths, filepath.Join(root, filepath.FromSlash(n)))
		}
		return paths
	}
	dirs := in("b", "b/stubs", "missing", "a", "c*", "a")
	require.Equal(t, in("b/libx.so.1", "a/libx.so.2", "a/libx.so.1", "c7/libx.so.1"), dl.Find(append(dirs, ""), []string{"libx.so.2", "libx.so.*", "[bad"}))
	require.Empty(t, dl.Find(in("missing"), []string{"*"}))
	require.True(t, dl.IsStub("/usr/local/cuda/lib64/stubs/libcuda.so"))
	require.False(t, dl.IsStub("/opt/stubsoft/libcuda.so"))
}

func TestErrorsNameEachCandidate(t *testing.T) {
	text := filepath.Join(t.TempDir(), "notalibrary.so")
	require.NoError(t, os.WriteFile(text, []byte("plain text"), 0o644))
	missing := filepath.Join(t.TempDir(), "missing.so")

	_, err := dl.OpenAny("the thing", []string{missing, text, ""})
	var notFound *dl.NotFoundError
	require.ErrorAs(t, err, &notFound)
	require.ErrorIs(t, err, dl.ErrNotFound)
	require.Len(t, notFound.Attempts, 3)
	require.Equal(t, missing, notFound.Attempts[0].Path)
	for _, want := range []string{"the thing", missing, text} {
		require.Contains(t, err.Error(), want)
	}
	require.Equal(t, 4, len(strings.Split(err.Error(), "\n")))

	_, err = dl.OpenAny("nothing", nil)
	require.EqualError(t, err, "nothing: shared library not found (no candidate)")
	_, err = dl.Open("with\x00zero")
	require.ErrorIs(t, err, dl.ErrNotFound)
}

// libc is a library that each platform has, with strlen in it.
var libc = map[string]string{"linux": "libc.so.6", "darwin": "/usr/lib/libSystem.B.dylib", "windows": "msvcrt.dll"}[runtime.GOOS]

// libm holds the C functions on floating point.
var libm = map[string]string{"linux": "libm.so.6", "darwin": "/usr/lib/libSystem.B.dylib", "windows": "msvcrt.dll"}[runtime.GOOS]

func open(t testing.TB, path string) *dl.Library {
	t.Helper()
	lib, err := dl.Open(path)
	require.NoError(t, err)
	require.Equal(t, path, lib.Path())
	return lib
}

func symbol(t testing.TB, lib *dl.Library, name string) dl.Func {
	t.Helper()
	fn, err := lib.Symbol(name)
	require.NoError(t, err)
	return fn
}

func TestFrameCallsWithGoMemory(t *testing.T) {
	lib := open(t, libc)
	strlen, memcpy := symbol(t, lib, "strlen"), symbol(t, lib, "memcpy")
	require.EqualValues(t, 5, dl.NewFrame().String("hello").Call(strlen))

	src, dst := []byte("from Go to Go\x00 and not this"), make([]byte, 16)
	r := dl.NewFrame().Bytes(dst).Bytes(src).Int(14).Call(memcpy)
	require.Equal(t, "from Go to Go", dl.GoString(r))
	require.Equal(t, src[:14], dst[:14])
	require.Equal(t, []byte{0, 0}, dst[14:])
	require.Equal(t, dst, dl.GoBytes(r, 16))

	require.Empty(t, dl.GoString(0))
	require.Nil(t, dl.GoBytes(0, 8))
	require.Nil(t, dl.GoBytes(r, 0))
}

func TestFramePassesArraysAndScalars(t *testing.T) {
	memcpy := symbol(t, open(t, libc), "memcpy")
	var a, b int32 = 7, 0
	dl.NewFrame().Int32(&b).Int32(&a).Int(4).Call(memcpy)
	require.EqualValues(t, 7, b)

	var w uintptr
	dl.NewFrame().Word(&w).Words([]uintptr{1 << 20, 5}).Int(8).Call(memcpy)
	require.EqualValues(t, 1<<20, w)

	out := make([]int32, 3)
	dl.NewFrame().Ints(out).Ints([]int32{1, -2, 3}).Int(12).Call(memcpy)
	require.Equal(t, []int32{1, -2, 3}, out)

	// A vector of C strings: fetch its second pointer by memcpy and read the string there.
	names := dl.NewStringVector([]string{"first", "second"})
	ptrs := make([]uintptr, 2)
	dl.NewFrame().Words(ptrs).Strings(names).Int(16).Call(memcpy)
	require.Equal(t, "second", dl.GoString(ptrs[1]))
	runtime.KeepAlive(names)

	// Empty slices and vectors are null pointers; memcpy of nothing returns its first argument.
	require.Zero(t, dl.NewFrame().Bytes(nil).Words(nil).Int(0).Call(memcpy))
	require.Zero(t, dl.NewFrame().Strings(nil).Ints(nil).Int(0).Call(memcpy))
	require.Nil(t, dl.NewStringVector(nil))
}

func TestBindCallsFloatFunctions(t *testing.T) {
	var pow func(x, y float64) float64
	require.NoError(t, open(t, libm).Bind(&pow, "pow"))
	require.Equal(t, 1024.0, pow(2, 10))

	lib := open(t, libc)
	require.ErrorIs(t, lib.Bind(&pow, "no_such_function_here"), dl.ErrNoSymbol)
	_, err := lib.Symbol("no_such_function_here")
	require.ErrorIs(t, err, dl.ErrNoSymbol)
	require.ErrorContains(t, err, "no_such_function_here in "+libc)
	_, err = lib.Symbol("")
	require.ErrorIs(t, err, dl.ErrNoSymbol)
	require.Error(t, lib.Bind(pow, "strlen"), "a function instead of a pointer to it")
	require.Error(t, dl.BindFunc(&pow, 0))
}

func TestOpenGlobal(t *testing.T) {
	lib, err := dl.OpenGlobal(libc)
	require.NoError(t, err)
	require.EqualValues(t, 5, dl.NewFrame().String("hello").Call(symbol(t, lib, "strlen")))
	_, err = dl.OpenGlobal("no such library")
	require.ErrorIs(t, err, dl.ErrNotFound)
}

func TestCallbackIsCalledByC(t *testing.T) {
	_, err := dl.NewCallback(42)
	require.Error(t, err, "not a function")

	type elem = *int32
	calls := 0
	compare, err := dl.NewCallback(func(a, b elem) uintptr {
		calls++
		return uintptr(*a - *b)
	})
	require.NoError(t, err)
	v := []int32{5, -3, 9, 0}
	dl.NewFrame().Ints(v).Int(uintptr(len(v))).Int(4).Int(compare).Call(symbol(t, open(t, libc), "qsort"))
	require.Equal(t, []int32{-3, 0, 5, 9}, v)
	require.Positive(t, calls)
}

func TestCallDoesNotAllocate(t *testing.T) {
	abs := symbol(t, open(t, libc), "abs")
	words := []uintptr{uintptr(^uint32(6))} // -7 as a C int
	var r uintptr
	require.Zero(t, testing.AllocsPerRun(100, func() { r = abs.Call(words...) }))
	require.EqualValues(t, 7, int32(r))
}

func BenchmarkCall(b *testing.B) {
	abs := symbol(b, open(b, libc), "abs")
	b.Run("reused", func(b *testing.B) {
		words := make([]uintptr, 11)
		for b.Loop() {
			abs.Call(words...)
		}
	})
	b.Run("frame", func(b *testing.B) {
		buf := make([]byte, 8)
		for b.Loop() {
			dl.NewFrame().Int(1).Bytes(buf).Call(abs)
		}
	})
}
