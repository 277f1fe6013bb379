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

// TestStoreBelievesTheThird: two runs that are far off say that the machine had other work, a third one that it is another
// machine.
func TestStoreBelievesTheThird(t *testing.T) {
	s := policy.NewStore(t.TempDir())
	for range 5 {
		require.NoError(t, s.Save(kernel, "d", 10, policy.Fit{Rate: 100}, then))
	}
	for _, want := range []float64{100, 100, 1000} {
		require.NoError(t, s.Save(kernel, "d", 10, policy.Fit{Rate: 1000}, then))
		f, ok := s.Load(kernel, "d", 10, then)
		require.True(t, ok)
		require.Equal(t, want, f.Rate)
		require.False(t, f.Trusted())
	}
}

// TestStoreBelievesTheSecond: the first run may have paid for first use.
func TestStoreBelievesTheSecond(t *testing.T) {
	s := policy.NewStore(t.TempDir())
	for _, rate := range []float64{100, 1000} {
		require.NoError(t, s.Save(kernel, "d", 10, policy.Fit{Rate: rate}, then))
		f, ok := s.Load(kernel, "d", 10, then)
		require.True(t, ok)
		require.Equal(t, rate, f.Rate)
	}
}

// TestStoreTriesAgain: a device that was left out because of what is known is unknown again after 4 runs, and if trying it costs
// much, then after 8, and after 4 once it was of use; if trying costs less, as soon as it is 1 % of all.
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
	for _, c := range []struct {
		cost float64
		want int
	}{{0.6, 4}, {0.6, 8}, {0.6, 16}, {0.6, 32}, {0.6, 60}, {2, 64}, {2, 64}, {0.1, 10}, {0.02, 4}, {0.6, 8}} {
		require.NoError(t, s.Save(kernel, "d", 10, policy.Fit{Rate: 100, Seen: 5, Cost: c.cost}, then))
		require.Equal(t, c.want, skips())
	}
	for range 3 {
		require.NoError(t, s.Save(kernel, "d", 10, policy.Fit{Rate: 100, Seen: 5, Cost: 1}, then))
	}
	require.Equal(t, 4, skips())
}

// TestLargeChunksTellMore: the rate of one item, which is mostly overhead, says nothing beside that of a hundred, unless all
// recent runs had small chunks.
func TestLargeChunksTellMore(t *testing.T) {
	var f policy.Fit
	add := func(rate float64, seen int) policy.Fit {
		f = f.Add(policy.Fit{Rate: rate, Seen: seen, Weight: 1, Last: then})
		return f
	}
	add(100, 1)
	require.Equal(t, 200.0, add(200, 100).Rate)
	for range len(f.Recent) - 1 {
		require.Equal(t, 200.0, add(100, 1).Rate)
		require.Equal(t, 100, f.Seen)
	}
	require.Equal(t, 100.0, add(100, 1).Rate)
	require.Equal(t, 1, f.Seen)
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
