//go:build linux && !tandem_nodl

package cuda_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/nvidia/nvidiatest"
)

// twoGPUs are two devices of a driver library made of callbacks.
func twoGPUs(t *testing.T, change func(f *nvidiatest.Fake)) (near, far *cuda.Device) {
	f := nvidiatest.New(t)
	if change != nil {
		change(f)
	}
	s := cuda.NewSystem("", hostOK, f.Backend())
	open := func(id string) *cuda.Device {
		d, err := s.Open(id)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, d.Close()) })
		return d
	}
	return open("gpu:0"), open("gpu:1")
}

// TestCopyPeer: a copy from another GPU waits for work that is queued there, and the memory outlives Close until it is made.
func TestCopyPeer(t *testing.T) {
	near, far := twoGPUs(t, nil)
	dst, src := uploaded(t, near, uint32(1), 2, 3, 4), uploaded(t, far, uint32(9), 9, 9, 9)
	before := far.Usage().Allocations
	s, gate := newStreamOf(t, far), make(chan struct{})
	require.NoError(t, s.HostFunc(func() { <-gate }))
	require.NoError(t, src.Fill(7, s))
	lo, err := src.Slice(0, 2)
	require.NoError(t, err)
	hi, err := dst.Slice(1, 3)
	require.NoError(t, err)
	require.NoError(t, cuda.CopyPeer[uint32](hi, lo, nil))
	require.NoError(t, src.Close())
	close(gate)
	require.Equal(t, []uint32{1, 7, 7, 4}, downloaded(t, dst))
	require.Equal(t, before-1, far.Usage().Allocations)

	// The other way: what reads the source later on its own device waits for nothing, what writes it waits for the copy.
	src = uploaded(t, far, uint32(5), 6, 7, 8)
	require.NoError(t, cuda.CopyPeer[uint32](src, dst, nil))
	require.NoError(t, dst.Fill(0, nil))
	require.Equal(t, []uint32{1, 7, 7, 4}, downloaded(t, src))
	require.NoError(t, near.Synchronize(t.Context())) // a stream that is named waits for nothing by itself
	require.NoError(t, cuda.CopyPeer[uint32](dst, src, newStreamOf(t, near)))
	require.NoError(t, near.Synchronize(t.Context()))
	require.Equal(t, []uint32{1, 7, 7, 4}, downloaded(t, dst))
}

// TestCopyBoxPeer: rows of another GPU.
func TestCopyBoxPeer(t *testing.T) {
	near, far := twoGPUs(t, nil)
	dst, src := uploaded(t, near, uint32(0), 0, 0, 0, 0, 0), uploaded(t, far, uint32(1), 2, 3, 4, 5, 6)
	box := cuda.Extent{Width: 2, Height: 2, Depth: 1}
	require.NoError(t, cuda.CopyBoxPeer(cuda.Rows[uint32](dst, 3, 2).At(1, 0, 0), cuda.Rows[uint32](src, 3, 2), box, nil))
	require.Equal(t, []uint32{0, 1, 2, 0, 4, 5}, downloaded(t, dst))
	require.ErrorIs(t, cuda.CopyBox(cuda.Rows[uint32](dst, 3, 2), cuda.Rows[uint32](src, 3, 2), box, nil), cuda.ErrWrongDevice)
	require.NoError(t, cuda.CopyBoxPeer(cuda.Rows[uint32](dst, 3, 2), cuda.Rows[uint32](dst, 3, 2).At(0, 1, 0), cuda.Extent{Width: 3, Height: 1, Depth: 1}, nil))
	require.Equal(t, []uint32{0, 4, 5, 0, 4, 5}, downloaded(t, dst))
	require.ErrorIs(t, cuda.CopyBoxPeer(cuda.Rows[uint32](dst, 3, 2), cuda.Rows[uint32](src, 3, 2).At(2, 1, 0), box, nil), cuda.ErrInvalidValue)
}

// TestPeerAccess: GPUs that reach each other, and such as do not.
func TestPeerAccess(t *testing.T) {
	for name, apart := range map[string]bool{"near": false, "apart": true} {
		t.Run(name, func(t *testing.T) { peerAccess(t, apart) })
	}
}

func peerAccess(t *testing.T, apart bool) {
	near, far := twoGPUs(t, func(f *nvidiatest.Fake) { f.Apart = apart })
	can, err := near.CanAccessPeer(far)
	require.NoError(t, err)
	require.Equal(t, !apart, can)
	m, err := near.Load(t.Context(), []byte(takePTX), cuda.LoadConfig{})
	require.NoError(t, err)
	k, err := m.Function("take")
	require.NoError(t, err)
	b := uploaded(t, far, uint32(1))
	require.ErrorIs(t, k.Launch(threads(1), b, 1), cuda.ErrWrongDevice)
	if apart {
		require.ErrorIs(t, near.EnablePeerAccess(far), cuda.ErrNotSupported)
		return
	}
	for range 2 {
		require.NoError(t, near.EnablePeerAccess(far))
	}
	require.NoError(t, k.Run(t.Context(), threads(1), b, 1))
	require.NoError(t, b.Fill(3, nil), "its own device waits for the other's kernel")
	require.Equal(t, []uint32{3}, downloaded(t, b))
	require.NoError(t, k.Launch(threads(1), b, 1))
	require.NoError(t, b.Close())
	require.NoError(t, near.DisablePeerAccess(far))
	require.ErrorIs(t, k.Launch(threads(1), uploaded(t, far, uint32(1)), 1), cuda.ErrWrongDevice)
}

// TestPeersGo: either device may be closed first, with memory that the other has used, and then is of no use to it.
func TestPeersGo(t *testing.T) {
	t.Run("source", func(t *testing.T) {
		near, far := twoGPUs(t, nil)
		dst, src := uploaded(t, near, uint32(1)), uploaded(t, far, uint32(2))
		require.NoError(t, cuda.CopyPeer[uint32](dst, src, nil))
		require.NoError(t, far.Close())
		require.ErrorIs(t, cuda.CopyPeer[uint32](dst, src, nil), cuda.ErrClosed)
		require.ErrorIs(t, near.EnablePeerAccess(far), cuda.ErrClosed)
		require.Equal(t, []uint32{2}, downloaded(t, dst))
	})
	t.Run("destination", func(t *testing.T) {
		near, far := twoGPUs(t, nil)
		dst, src := uploaded(t, near, uint32(1)), uploaded(t, far, uint32(2))
		require.NoError(t, cuda.CopyPeer[uint32](dst, src, nil))
		require.NoError(t, near.Close())
		require.NoError(t, src.Fill(3, nil))
		require.NoError(t, src.Close())
	})
}

// TestNoPeers: the host device reaches no other device's memory.
func TestNoPeers(t *testing.T) {
	near, _ := twoGPUs(t, nil)
	h, _ := host(t)
	other, err := h.OpenContext()
	require.NoError(t, err)
	defer other.Close()
	for _, far := range []*cuda.Device{other, near} {
		can, err := h.CanAccessPeer(far)
		require.NoError(t, err)
		require.False(t, can)
		require.ErrorIs(t, h.EnablePeerAccess(far), cuda.ErrNotSupported)
		require.ErrorIs(t, h.DisablePeerAccess(far), cuda.ErrNotSupported)
		a, b := uploaded(t, h, uint32(1)), uploaded(t, far, uint32(2))
		require.ErrorIs(t, cuda.CopyPeer[uint32](a, b, nil), cuda.ErrNotSupported)
		require.ErrorIs(t, cuda.CopyPeer[uint32](b, a, nil), cuda.ErrNotSupported)
		row := cuda.Extent{Width: 1, Height: 1, Depth: 1}
		require.ErrorIs(t, cuda.CopyBoxPeer(cuda.Rows[uint32](a, 1, 1), cuda.Rows[uint32](b, 1, 1), row, nil), cuda.ErrNotSupported)
		require.NoError(t, cuda.CopyPeer[uint32](a, uploaded(t, h, uint32(3)), nil), "on one device it is Copy")
		require.Equal(t, []uint32{3}, downloaded(t, a))
	}
}

// TestClusters: what the driver is told of clusters and early launches.
func TestClusters(t *testing.T) {
	var f *nvidiatest.Fake
	d, _ := twoGPUs(t, func(fake *nvidiatest.Fake) { f, fake.Clusters = fake, true })
	m, err := d.Load(t.Context(), []byte(apiKernels), cuda.LoadConfig{})
	require.NoError(t, err)
	k, err := m.Function("fold")
	require.NoError(t, err)
	b := uploaded(t, d, uint32(1))
	cfg := cuda.LaunchConfig{Grid: cuda.D2(4, 2), Block: cuda.D1(1), Cluster: cuda.D2(2, 1), Early: true}
	require.NoError(t, k.Run(t.Context(), cfg, b, uint32(2)))
	require.Equal(t, map[uintptr][2]uintptr{4: {2 | 1<<32, 1}, 6: {1, 0}}, f.LaunchAttributes())
	o, err := k.Clusters(cfg)
	require.NoError(t, err)
	require.Equal(t, cuda.ClusterOccupancy{Resident: 132 * 2048 / 2, MaxBlocks: 8}, o)
	o, err = k.Clusters(cuda.LaunchConfig{Grid: cuda.D1(16), Block: cuda.D1(64), Cluster: cuda.D1(16)})
	require.NoError(t, err)
	require.Equal(t, cuda.ClusterOccupancy{Resident: 132 * 32 / 16, MaxBlocks: 16}, o, "more than eight blocks have to be allowed")

	cfg.Cluster = cuda.D2(4, 2)
	p, err := k.Prepare(cfg, b, uint32(2))
	require.NoError(t, err)
	require.NoError(t, p.Launch())
	require.Equal(t, [2]uintptr{4 | 2<<32, 1}, f.LaunchAttributes()[4])
	for _, bad := range []cuda.Dim3{cuda.D1(3), cuda.D2(4, 4), {X: 2}, {X: -2, Y: 1, Z: 1}} {
		cfg.Cluster = bad
		require.ErrorIs(t, k.Launch(cfg, b, uint32(2)), cuda.ErrInvalidValue, "%v", bad)
	}
	cfg.Grid, cfg.Cluster = cuda.D1(64), cuda.D1(32)
	require.ErrorIs(t, k.Launch(cfg, b, uint32(2)), cuda.ErrInvalidValue, "too many blocks for the driver")
}

// TestNoClusters: the host device, and GPUs before 9.0, launch none; an early launch keeps its order there.
func TestNoClusters(t *testing.T) {
	h, kernel := host(t)
	near, _ := twoGPUs(t, nil)
	m, err := near.Load(t.Context(), []byte(apiKernels), cuda.LoadConfig{})
	require.NoError(t, err)
	old, err := m.Function("fold")
	require.NoError(t, err)
	for d, k := range map[*cuda.Device]*cuda.Function{h: kernel("fold"), near: old} {
		b := uploaded(t, d, uint32(1))
		cfg := threads(1)
		cfg.Cluster = cuda.D1(1)
		require.ErrorIs(t, k.Launch(cfg, b, uint32(2)), cuda.ErrNotSupported)
		_, err := k.Clusters(threads(1))
		require.ErrorIs(t, err, cuda.ErrNotSupported)
		cfg = threads(1)
		cfg.Early = true
		require.NoError(t, k.Launch(cfg, b, uint32(2)))
		require.NoError(t, k.Run(t.Context(), cfg, b, uint32(3)))
		require.Equal(t, []uint32{fold(1, 2, 3)}, downloaded(t, b))
	}
}

// TestFakeBadInputs: mistakes get the errors that they get on the host device.
func TestFakeBadInputs(t *testing.T) {
	var s *cuda.System
	var of *testing.T
	badInputs(t, func(t *testing.T) *cuda.Device {
		if of != t {
			f := nvidiatest.New(t)
			f.NewestPTX = 84
			s, of = cuda.NewSystem("", hostOK, f.Backend()), t
		}
		d, err := s.Open("gpu:0")
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, d.Close()) })
		return d
	})
}
