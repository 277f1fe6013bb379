package cuda_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
)

// counting is the driver with a bound, and a list of what is out.
type counting struct {
	cuda.Allocator
	limit uint64

	mu    sync.Mutex
	live  map[uint64]uint64 // guarded by mu: by address
	bytes uint64            // guarded by mu
	calls int               // guarded by mu
	wrong []string          // guarded by mu
}

func newCounting(d *cuda.Device, limit uint64) *counting {
	return &counting{Allocator: d.DriverAllocator(), limit: limit, live: map[uint64]uint64{}}
}

func (a *counting) Allocate(bytes uint64) (uint64, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.bytes+bytes > a.limit {
		return 0, fmt.Errorf("%d of %d bytes are out: %w", a.bytes, a.limit, cuda.ErrOutOfMemory)
	}
	addr, err := a.Allocator.Allocate(bytes)
	if err == nil {
		a.calls++
		a.bytes += bytes
		a.live[addr] = bytes
	}
	return addr, err
}

func (a *counting) Free(addr, bytes uint64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.live[addr] != bytes {
		a.wrong = append(a.wrong, fmt.Sprintf("%d bytes at %#x were freed, and %d are there", bytes, addr, a.live[addr]))
	}
	a.bytes -= bytes
	delete(a.live, addr)
	return a.Allocator.Free(addr, bytes)
}

// state is how often memory was asked for, and how much of it is out.
func (a *counting) state(t *testing.T) (calls int, bytes uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	require.Empty(t, a.wrong)
	require.Equal(t, len(a.live) == 0, a.bytes == 0)
	return a.calls, a.bytes
}

// TestAllocator: buffers, slices and pools get their memory from the device's Allocator, which gets all of it back when no work
// uses it any more.
func TestAllocator(t *testing.T) {
	d, kernel := host(t)
	a := newCounting(d, 1<<30)
	d.SetAllocator(a)
	s, gate := newStreamOf(t, d), make(chan struct{})
	require.NoError(t, s.HostFunc(func() { <-gate }))
	b := uploaded(t, d, uint32(1))
	cfg := threads(1)
	cfg.Stream = s
	require.NoError(t, kernel("fold").Launch(cfg, b, uint32(2)))
	require.NoError(t, b.Close())
	_, bytes := a.state(t)
	require.EqualValues(t, 4, bytes, "a kernel that waits will use it")
	out := []uint32{1}
	require.NoError(t, kernel("fold").Launch(cfg, cuda.InOut(out), uint32(3)))
	require.NoError(t, kernel("fold").Launch(cfg, cuda.In([]uint32{7}), uint32(3)))
	close(gate)
	require.NoError(t, s.Wait(t.Context()))
	require.Equal(t, []uint32{fold(1, 3)}, out)
	cuda.Reclaim(d)
	calls, bytes := a.state(t)
	require.Equal(t, 3, calls)
	require.Zero(t, bytes)

	p := d.NewMemoryPool()
	d.SetAllocator(nil)
	for range 3 {
		b, err := cuda.AllocPooled[uint32](p, 100)
		require.NoError(t, err)
		require.NoError(t, b.Close())
	}
	uploaded(t, d, uint32(1))
	calls, bytes = a.state(t)
	require.Equal(t, 4, calls, "the pool keeps what it has got, and its Allocator")
	require.EqualValues(t, 400, bytes)
	require.NoError(t, p.Close())
	cuda.Reclaim(d)
	_, bytes = a.state(t)
	require.Zero(t, bytes)
}

// TestAllocatorBound: before an Allocator's refusal is final, everything dropped is freed.
func TestAllocatorBound(t *testing.T) {
	d, _ := host(t)
	a := newCounting(d, 3<<20)
	d.SetAllocator(a)
	for range 20 {
		_, err := cuda.Alloc[byte](d, 1<<20)
		require.NoError(t, err)
	}
	b, err := cuda.Alloc[byte](d, 2<<20)
	require.NoError(t, err)
	_, err = cuda.Alloc[byte](d, 2<<20)
	require.ErrorIs(t, err, cuda.ErrOutOfMemory)
	require.ErrorContains(t, err, "bytes are out")
	runtime.KeepAlive(b)
	d.SetAllocator(misaligned{a})
	_, err = cuda.Alloc[byte](d, 100)
	require.ErrorIs(t, err, cuda.ErrInvalidValue)
	d.SetAllocator(nil)
	require.NoError(t, b.Close(), "it goes back to where it came from")
	cuda.Reclaim(d)
	_, bytes := a.state(t)
	require.Zero(t, bytes)
}

// misaligned gives addresses that kernels cannot use.
type misaligned struct{ cuda.Allocator }

func (m misaligned) Allocate(bytes uint64) (uint64, error) {
	addr, err := m.Allocator.Allocate(bytes + 1)
	return addr + 1, err
}

func (m misaligned) Free(addr, bytes uint64) error { return m.Allocator.Free(addr-1, bytes+1) }

// TestPoolAsAllocator: with a pool as the device's Allocator, all buffers are pooled.
func TestPoolAsAllocator(t *testing.T) {
	d, kernel := host(t)
	p := d.NewMemoryPool()
	d.SetAllocator(p)
	b := uploaded(t, d, uint32(1), 2, 3)
	first := b.Ptr()
	require.NoError(t, b.Close())
	require.Equal(t, cuda.BlockUsage{HeldBlocks: 1, HeldBytes: 256}, p.Usage())
	out := []uint32{1}
	require.NoError(t, kernel("fold").Run(t.Context(), threads(1), cuda.InOut(out), uint32(3)))
	require.Equal(t, []uint32{fold(1, 3)}, out)
	cuda.Reclaim(d)
	b = uploaded(t, d, uint32(4))
	require.Equal(t, first, b.Ptr(), "the block is used again")
	require.NoError(t, b.Close())
	require.Equal(t, 1, p.Usage().HeldBlocks)
	_, err := p.Allocate(0)
	require.ErrorIs(t, err, cuda.ErrInvalidValue)
	addr, err := p.Allocate(1000)
	require.NoError(t, err)
	require.Equal(t, 1, p.Usage().ActiveBlocks)
	require.NoError(t, p.Free(addr, 1000))
	d.SetAllocator(nil)
	require.NoError(t, p.Close())
	require.Zero(t, p.Usage())
}

// TestLocate: what an address is part of.
func TestLocate(t *testing.T) {
	d, _ := host(t)
	b := uploaded(t, d, uint32(1), 2)
	l, err := d.Locate(b.Ptr() + 5)
	require.NoError(t, err)
	require.Equal(t, cuda.DeviceMemory, l.Kind)
	require.Equal(t, b.Ptr(), l.Base)
	require.EqualValues(t, 8, l.Bytes)
	require.NoError(t, b.Close())
	_, err = d.Locate(l.Base)
	require.ErrorIs(t, err, cuda.ErrInvalidValue)
	h, err := cuda.AllocHost[byte](d, 10)
	require.NoError(t, err)
	l, err = d.Locate(uint64(uintptr(unsafe.Pointer(&h.Slice()[0]))))
	require.NoError(t, err)
	require.Equal(t, cuda.HostMemory, l.Kind)
	require.NoError(t, h.Close())
}

// robbed is the driver where others take whatever is freed, a number of times.
type robbed struct {
	cuda.Allocator
	drop        func()
	left, calls int
}

func (a *robbed) Allocate(bytes uint64) (uint64, error) {
	a.calls++
	if a.left == 0 {
		return a.Allocator.Allocate(bytes)
	}
	a.left--
	a.drop()
	return 0, cuda.ErrOutOfMemory
}

// TestOutOfMemoryGoesOn: an allocation collects again while that finds anything, since other goroutines may take what becomes free,
// and gives up where it finds nothing.
func TestOutOfMemoryGoesOn(t *testing.T) {
	d, _ := open(t)
	a := &robbed{Allocator: d.DriverAllocator(), left: 12, drop: func() { dropStream(t, d) }}
	d.SetAllocator(a)
	b, err := cuda.Alloc[byte](d, 10)
	require.NoError(t, err)
	require.NoError(t, b.Close())
	a.left, a.calls, a.drop = 12, 0, func() {}
	_, err = cuda.Alloc[byte](d, 10)
	require.ErrorIs(t, err, cuda.ErrOutOfMemory)
	require.Less(t, a.calls, 12)
}

//go:noinline
func dropStream(t *testing.T, d *cuda.Device) {
	_, err := d.NewStream(cuda.StreamConfig{})
	require.NoError(t, err)
}
