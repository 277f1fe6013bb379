//go:build !tandem_nodl

package nvrtc_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

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

// BenchmarkOverhead compares Compile, without a cache and with one that misses, with the bare calls of the library. The
// three take turns in changing order, since only ratios within one run mean something on a machine that others use; it
// reports the ratios of the medians. What may be reached is 1.
func BenchmarkOverhead(b *testing.B) {
	p := nvrtc.Program{Source: axpy, Arch: "compute_75", Options: []string{"-lineinfo", "--std=c++17"}, NameExpressions: []string{"axpy<float>"}}
	cached, uncached := nvrtctest.Open(b), nvrtctest.OpenWithoutCache(b)
	plain, missing := p, p
	plain.NoHeaders = true
	turns := []func() error{
		func() error { return nvrtc.CompileBare(uncached, plain) },
		func() error { _, err := uncached.Compile(b.Context(), p); return err },
		func() error {
			missing.Source += " "
			res, err := cached.Compile(b.Context(), missing)
			if err == nil && res.Cached {
				return errors.New("a program that was never compiled was in the cache")
			}
			return err
		},
	}
	times := make([][]time.Duration, len(turns))
	for i := 0; b.Loop(); i++ {
		for k := range turns {
			j := (i + k) % len(turns)
			start := time.Now()
			if err := turns[j](); err != nil {
				b.Fatal(err)
			}
			times[j] = append(times[j], time.Since(start))
		}
	}
	median := func(j int) float64 {
		slices.Sort(times[j])
		return float64(times[j][len(times[j])/2])
	}
	b.ReportMetric(median(0)/1e6, "library-ms")
	b.ReportMetric(median(1)/median(0), "uncached/library")
	b.ReportMetric(median(2)/median(0), "miss/library")
	b.Logf("NVRTC %v", cached.Version())
}

// BenchmarkHit finds a program in the cache.
func BenchmarkHit(b *testing.B) {
	p := nvrtc.Program{Source: axpy, Arch: "compute_75", NameExpressions: []string{"axpy<float>"}}
	c := nvrtctest.Open(b)
	compile(b, c, p)
	for b.Loop() {
		if res, err := c.Compile(b.Context(), p); err != nil || !res.Cached {
			b.Fatal("not in the cache", err)
		}
	}
}
