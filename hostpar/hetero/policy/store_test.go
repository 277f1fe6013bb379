package policy_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/hetero/policy"
)

var (
	kernel = [32]byte{1, 2, 3}
	then   = time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
)

func TestStoreLearns(t *testing.T) {
	s := policy.NewStore(t.TempDir())
	_, ok := s.Load(kernel, "gpu/1", 1000, then)
	require.False(t, ok)
	for i, rate := range []float64{100, 102, 98, 101} {
		require.NoError(t, s.Save(kernel, "gpu/1", 1000, policy.Fit{Rate: rate, Overhead: time.Duration(i) * time.Microsecond}, then))
		f, ok := s.Load(kernel, "gpu/1", 1000, then)
		require.True(t, ok)
		require.InDelta(t, 100, f.Rate, 1.1)
		require.Equal(t, i >= 2, f.Trusted(), "after run %d", i+1)
	}
	f, ok := s.Load(kernel, "gpu/1", 1020, then)
	require.True(t, ok && f.Trusted(), "about the same size")
	f, ok = s.Load(kernel, "gpu/1", 100_000, then)
	require.True(t, ok)
	require.False(t, f.Trusted(), "another size")
	f, _ = s.Load(kernel, "gpu/1", 1000, then.Add(60*24*time.Hour))
	require.InDelta(t, 1, f.Weight, 1e-9, "four runs, two half lives old")
	require.False(t, f.Trusted())
	_, ok = s.Load(kernel, "gpu/1", 1000, then.Add(600*24*time.Hour))
	require.False(t, ok, "worn out")

	_, ok = s.Load(kernel, "gpu/2", 1000, then)
	require.False(t, ok, "another device")
	_, ok = s.Load([32]byte{1, 2, 4}, "gpu/1", 1000, then)
	require.False(t, ok, "another kernel")
}

func TestStoreBeginsAnew(t *testing.T) {
	s := policy.NewStore(t.TempDir())
	for range 5 {
		require.NoError(t, s.Save(kernel, "d", 10, policy.Fit{Rate: 100}, then))
	}
	require.NoError(t, s.Save(kernel, "d", 10, policy.Fit{Rate: 1000}, then))
	f, ok := s.Load(kernel, "d", 10, then)
	require.True(t, ok)
	require.Equal(t, 1000.0, f.Rate)
	require.False(t, f.Trusted())
}

// TestStoreTriesAgain: a device that was left out because of what is known is unknown again after 4 runs, then after 8, and
// after 4 once it was of use.
func TestStoreTriesAgain(t *testing.T) {
	s := policy.NewStore(t.TempDir())
	skips := func() (n int) {
		for {
			if _, ok := s.Load(kernel, "d", 10, then); !ok {
				return n
			}
			require.NoError(t, s.Skip(kernel, "d", 10, then))
			n++
		}
	}
	require.NoError(t, s.Skip(kernel, "d", 10, then), "nothing is known: nothing to forget")
	for _, want := range []int{4, 8, 16, 32, 64, 64} {
		require.NoError(t, s.Save(kernel, "d", 10, policy.Fit{Rate: 100, Seen: 5}, then))
		require.Equal(t, want, skips())
	}
	for range 3 {
		require.NoError(t, s.Save(kernel, "d", 10, policy.Fit{Rate: 100, Seen: 5}, then))
	}
	require.Equal(t, 4, skips())
}

// TestLargeChunksTellMore: the rate of one item, which is mostly overhead, does not weigh as much as that of a hundred.
func TestLargeChunksTellMore(t *testing.T) {
	f := policy.Fit{Rate: 100, Seen: 1, Weight: 1, Last: then}
	f = f.Add(policy.Fit{Rate: 200, Seen: 100, Weight: 1, Last: then})
	require.Greater(t, f.Rate, 195.0)
	require.Equal(t, 100, f.Seen)
	f = f.Add(policy.Fit{Rate: 100, Seen: 1, Weight: 1, Last: then})
	require.Greater(t, f.Rate, 190.0)
}

// TestStoreReadsAnything cuts a file at each byte, and changes each byte: never a panic, and never a rate that cannot be.
func TestStoreReadsAnything(t *testing.T) {
	dir := t.TempDir()
	s := policy.NewStore(dir)
	require.NoError(t, s.Save(kernel, "d", 10, policy.Fit{Rate: 123, Overhead: time.Microsecond}, then))
	require.NoError(t, s.Save(kernel, "d", 1000, policy.Fit{Rate: 456, Overhead: time.Microsecond}, then))
	require.NoError(t, s.Flush())
	var path string
	require.NoError(t, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if !d.IsDir() {
			require.Empty(t, path, "one file, no temporary ones")
			path = p
		}
		return err
	}))
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	check := func(text []byte) {
		require.NoError(t, os.WriteFile(path, text, 0o644))
		s = policy.NewStore(dir) // another process
		if f, ok := s.Load(kernel, "d", 10, then); ok {
			require.Greater(t, f.Rate, 0.0)
			require.GreaterOrEqual(t, f.Overhead, time.Duration(0))
		}
	}
	for n := range whole {
		check(whole[:n])
		_, ok := s.Load(kernel, "d", 10, then)
		require.False(t, ok, "cut at byte %d of %d", n, len(whole))
		for _, b := range []byte{'-', '9', '"', 0} {
			changed := append([]byte(nil), whole...)
			changed[n] = b
			check(changed)
		}
	}
	require.NoError(t, os.WriteFile(path, whole[:len(whole)/2], 0o644))
	s = policy.NewStore(dir)
	require.NoError(t, s.Save(kernel, "d", 10, policy.Fit{Rate: 77}, then), "a broken file is replaced")
	f, ok := s.Load(kernel, "d", 10, then)
	require.True(t, ok)
	require.Equal(t, 77.0, f.Rate)
}

func TestStoreThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	s := policy.NewStore(file)
	require.Error(t, s.Save(kernel, "d", 10, policy.Fit{Rate: 1}, then))
	_, ok := s.Load(kernel, "d", 10, then)
	require.True(t, ok, "this process knows it")
	_, ok = policy.NewStore(file).Load(kernel, "d", 10, then)
	require.False(t, ok)
	require.ErrorContains(t, policy.NewStore(t.TempDir()).Save(kernel, "d", 10, policy.Fit{Rate: -1}, then), "a rate of -1")
}
