//go:build !tandem_nodl

package nvrtc_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/nvrtc"
	"github.com/tandem-go/tandem/internal/nvrtc/nvrtctest"
)

func TestCachedResultsAreTheSame(t *testing.T) {
	c := nvrtctest.Open(t)
	require.Empty(t, c.Notice())
	require.NotEmpty(t, c.CacheDir())
	for _, p := range []nvrtc.Program{
		{Source: axpy, Arch: "compute_75", Options: []string{"-lineinfo"}, NameExpressions: []string{"axpy<float>", "axpy<int>"}},
		{Source: "__global__ void k() { int unused; }", Arch: "sm_75"},
	} {
		first, err := c.Compile(t.Context(), p)
		require.NoError(t, err)
		require.False(t, first.Cached)
		second, err := c.Compile(t.Context(), p)
		require.NoError(t, err)
		require.True(t, second.Cached)
		require.Positive(t, second.Elapsed)
		second.Cached, second.Elapsed = false, first.Elapsed
		require.Equal(t, first, second)
	}
}

func TestChangedHeaderIsCompiledAgain(t *testing.T) {
	c := nvrtctest.Open(t)
	dir := t.TempDir()
	p := nvrtc.Program{Source: "#include <v.h>\n__global__ void k(int *p) { *p = VALUE; }", Arch: "compute_75", IncludeDirs: []string{dir}}
	for _, value := range []string{"1234567", "7654321"} {
		write(t, dir, "v.h", "#define VALUE "+value)
		for _, cached := range []bool{false, true} {
			res := compile(t, c, p)
			require.Equal(t, cached, res.Cached)
			require.True(t, strings.Contains(string(res.PTX), value))
		}
	}
}

func TestDamagedEntryIsCompiledAgain(t *testing.T) {
	c := nvrtctest.Open(t)
	p := nvrtc.Program{Source: axpy, Arch: "compute_75", NameExpressions: []string{"axpy<float>"}}
	want := compile(t, c, p).PTX
	entries, err := filepath.Glob(filepath.Join(c.CacheDir(), "??", "*"))
	require.NoError(t, err)
	require.Len(t, entries, 1)
	data, err := os.ReadFile(entries[0])
	require.NoError(t, err)
	data[len(data)-1] ^= 1
	require.NoError(t, os.WriteFile(entries[0], data, 0o600))
	for _, cached := range []bool{false, true} {
		res := compile(t, c, p)
		require.Equal(t, cached, res.Cached)
		require.Equal(t, want, res.PTX)
	}
}

func TestErrorsAreNotCached(t *testing.T) {
	c := nvrtctest.Open(t)
	for range 2 {
		compileError(t, c, nvrtc.Program{Source: "nonsense"})
	}
	entries, err := filepath.Glob(filepath.Join(c.CacheDir(), "??", "*"))
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestDecodeRefusesWhatEncodeDoesNotWrite(t *testing.T) {
	r := &nvrtc.Result{PTX: []byte("ptx"), CUBIN: []byte{0, 1}, Log: "log", LoweredNames: map[string]string{"a": "b", "c": "d"}}
	data := nvrtc.EncodeResult(r)
	got, ok := nvrtc.DecodeResult(data)
	require.True(t, ok)
	require.Equal(t, r, got)
	for n := range data {
		if got, ok := nvrtc.DecodeResult(data[:n]); ok { // cut after a whole pair of names
			require.Less(t, len(got.LoweredNames), 2)
		}
	}
	_, ok = nvrtc.DecodeResult([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	require.False(t, ok)
}

func FuzzDecode(f *testing.F) {
	f.Add(nvrtc.EncodeResult(&nvrtc.Result{PTX: []byte("ptx"), LoweredNames: map[string]string{"a": "b"}}))
	f.Fuzz(func(t *testing.T, data []byte) { nvrtc.DecodeResult(data) })
}

// BenchmarkCompile compares a compilation through Compile, with and without a cache that misses, with the bare calls of
// the library; the difference is what this package costs.
func BenchmarkCompile(b *testing.B) {
	p := nvrtc.Program{Source: axpy, Arch: "compute_75", Options: []string{"-lineinfo", "--std=c++17"}, NameExpressions: []string{"axpy<float>"}}
	c := nvrtctest.Open(b)
	bare := nvrtctest.OpenWithoutCache(b)
	run := func(name string, f func(i int) error) {
		b.Run(name+"/nvrtc="+c.Version().String(), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if err := f(i); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	bareProgram := p
	bareProgram.NoHeaders = true
	run("library", func(int) error { return nvrtc.CompileBare(bare, bareProgram) })
	run("uncached", func(int) error { _, err := bare.Compile(b.Context(), p); return err })
	miss := p
	n := 0
	run("miss", func(int) error {
		n++
		miss.Source = p.Source + strings.Repeat(" ", n%5000) + "//" + strings.Repeat("x", n/5000)
		_, err := c.Compile(b.Context(), miss)
		return err
	})
	run("hit", func(int) error { _, err := c.Compile(b.Context(), p); return err })
}
