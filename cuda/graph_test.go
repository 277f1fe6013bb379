package cuda_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
)

// forked are two streams, and events for the way to the other and back.
func forked(t *testing.T, d *cuda.Device) (s, other *cuda.Stream, fork, join *cuda.Event) {
	events := make([]*cuda.Event, 2)
	for i := range events {
		var err error
		events[i], err = d.NewEvent()
		require.NoError(t, err)
	}
	return newStreamOf(t, d), newStreamOf(t, d), events[0], events[1]
}

// captureFolds captures, on two streams, b = fold(a, 2) after a = 1, and forgets memory, module, streams and events.
func captureFolds(t *testing.T, d *cuda.Device) (*cuda.Graph, *cuda.Buffer[uint32]) {
	m, err := d.Load(background, []byte(apiKernels), cuda.LoadConfig{})
	require.NoError(t, err)
	f, err := m.Function("fold")
	require.NoError(t, err)
	s, other, fork, join := forked(t, d)
	a, out := uploaded(t, d, uint32(9)), uploaded(t, d, uint32(9))
	require.NoError(t, s.BeginCapture())
	require.NoError(t, a.Fill(1, s))
	require.NoError(t, fork.Record(s))
	require.NoError(t, other.WaitFor(fork))
	require.NoError(t, f.Launch(cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(1), Stream: other}, a, uint32(2)))
	p, err := f.Prepare(cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(1), Stream: other}, a, uint32(3))
	require.NoError(t, err)
	require.NoError(t, p.Launch())
	require.NoError(t, cuda.Copy[uint32](out, a, other))
	require.NoError(t, join.Record(other))
	require.NoError(t, s.WaitFor(join))
	g, err := s.EndCapture()
	require.NoError(t, err)
	require.NoError(t, a.Fill(7, other), "the streams are free again")
	require.NoError(t, other.Wait(background))
	require.NoError(t, s.Wait(background))
	return g, out
}

// TestCapturedGraphKeeps: memory and modules that only a captured call used live as long as the graph and what was made of
// it, and no longer.
func TestCapturedGraphKeeps(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, d *cuda.Device) {
		before := d.Usage().Allocations
		g, out := captureFolds(t, d)
		x, err := g.Instantiate()
		require.NoError(t, err)
		require.NoError(t, g.Close())
		for range 3 {
			runtime.GC()
			cuda.Reclaim(d)
			require.NoError(t, x.Run(background, nil))
			require.Equal(t, []uint32{fold(1, 2, 3)}, downloaded(t, out))
		}
		require.NoError(t, x.Close())
		require.NoError(t, out.Close())
		require.Equal(t, before, d.Usage().Allocations, "with the graph its memory goes")
	})
}

// TestCapturedGraphIsNotUsedAfterClose: what was closed meanwhile is an error, whoever captured it.
func TestCapturedGraphIsNotUsedAfterClose(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, d *cuda.Device) {
		g, out := captureFolds(t, d)
		x, err := g.Instantiate()
		require.NoError(t, err)

		// A graph that is launched into a capture becomes a part of that.
		s, err := d.NewStream(cuda.StreamConfig{})
		require.NoError(t, err)
		require.NoError(t, s.BeginCapture())
		require.NoError(t, x.Launch(s))
		outer, err := s.EndCapture()
		require.NoError(t, err)
		y, err := outer.Instantiate()
		require.NoError(t, err)
		require.NoError(t, y.Run(background, nil))
		require.Equal(t, []uint32{fold(1, 2, 3)}, downloaded(t, out))

		require.NoError(t, out.Close())
		require.ErrorIs(t, x.Launch(nil), cuda.ErrClosed)
		require.ErrorContains(t, y.Launch(nil), "the memory that a node uses is closed")

		m, err := d.Load(background, []byte(apiKernels), cuda.LoadConfig{})
		require.NoError(t, err)
		f, err := m.Function("fold")
		require.NoError(t, err)
		a := uploaded(t, d, uint32(1))
		require.NoError(t, s.BeginCapture())
		require.NoError(t, f.Launch(cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(1), Stream: s}, a, uint32(2)))
		g, err = s.EndCapture()
		require.NoError(t, err)
		x, err = g.Instantiate()
		require.NoError(t, err)
		require.NoError(t, m.Close())
		require.ErrorContains(t, x.Launch(nil), "the module that a node uses is closed")
	})
}

// TestFailedCaptureEnds: streams of a capture that ended without a graph are as any others.
func TestFailedCaptureEnds(t *testing.T) {
	d, kernel := host(t)
	s, other, fork, _ := forked(t, d)
	a := uploaded(t, d, uint32(1))
	require.NoError(t, s.BeginCapture())
	require.NoError(t, fork.Record(s))
	require.NoError(t, other.WaitFor(fork))
	cfg := cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(1), Stream: other}
	require.NoError(t, kernel("fold").Launch(cfg, a, uint32(2)))
	_, err := other.EndCapture()
	require.ErrorIs(t, err, cuda.ErrCapture, "it joined")
	on, err := s.Capturing()
	require.NoError(t, err)
	require.True(t, on)
	_, err = s.EndCapture()
	require.ErrorIs(t, err, cuda.ErrCapture, "nobody waits for the other stream")
	require.NoError(t, kernel("fold").Run(background, cfg, a, uint32(2)))
	require.Equal(t, []uint32{fold(1, 2)}, downloaded(t, a), "a copy without a stream waits for the other one")
}
