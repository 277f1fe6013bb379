package cuda_test

import (
	"runtime"
	"runtime/debug"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
)

// TestDroppedBuffers drops many buffers from several goroutines: none stays, none that is still held is freed, none is
// freed twice (the fake device would tell).
func TestDroppedBuffers(t *testing.T) {
	n := 1_000_000
	if testing.Short() {
		n = 20_000
	}
	d, f := open(t)
	const goroutines = 8
	kept := make([][]*cuda.Buffer[int32], goroutines)
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range n / goroutines {
				b, err := cuda.Alloc[int32](d, 1+i%4)
				if err != nil {
					t.Error(err)
					return
				}
				if i%1000 == 0 {
					v, err := b.Slice(0, 1) // a view alone keeps the memory
					if err == nil {
						err = v.CopyFrom(background, []int32{int32(i)})
					}
					if err != nil {
						t.Error(err)
					}
					kept[g] = append(kept[g], v)
				}
			}
		})
	}
	wg.Wait()
	held := 0
	for g := range kept {
		held += len(kept[g])
	}
	awaitLive(t, d, f, held)
	for g := range kept {
		for i, v := range kept[g] {
			got, err := v.Download(background)
			require.NoError(t, err)
			require.Equal(t, int32(i*1000), got[0])
		}
	}
	clear(kept)
	awaitLive(t, d, f, 0)
	u := d.Usage()
	require.Zero(t, u.Allocations)
	require.Zero(t, u.Bytes)
	require.Equal(t, n/goroutines*goroutines, u.Dropped)
}

// TestDroppedBufferInUse: memory that queued work uses is not freed before that is done, on any stream.
func TestDroppedBufferInUse(t *testing.T) {
	d, f := open(t)
	m := load(t, d)
	spin, err := m.Function("spin")
	require.NoError(t, err)
	increment, err := m.Function("increment")
	require.NoError(t, err)
	func() {
		s, err := d.NewStream(cuda.StreamConfig{})
		require.NoError(t, err)
		b, err := cuda.Alloc[int32](d, 1)
		require.NoError(t, err)
		cfg := cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(1), Stream: s}
		require.NoError(t, spin.Launch(cfg))
		require.NoError(t, increment.Launch(cfg, b))
	}()
	for range 3 {
		runtime.GC() // stream and buffer are found; the reaper waits for the stream
	}
	require.Equal(t, 1, f.liveCount())
	f.release()
	awaitLive(t, d, f, 0)
	require.NoError(t, d.Synchronize(background))
}

// TestOutOfMemoryCollects: memory that nobody holds is free memory.
func TestOutOfMemoryCollects(t *testing.T) {
	d, f := open(t)
	f.limit = 100 << 10
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if _, err := cuda.Alloc[byte](d, 10<<10); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	held, err := cuda.Alloc[byte](d, 60<<10)
	require.NoError(t, err)
	_, err = cuda.Alloc[byte](d, 60<<10)
	require.ErrorIs(t, err, cuda.ErrOutOfMemory)
	require.Contains(t, cuda.Diagnose(err), "Device.Leaks")
	require.NoError(t, held.Close())
	_, err = cuda.Alloc[byte](d, 60<<10)
	require.NoError(t, err)
}

// TestMuchMemoryIsCollected: dropped memory is found although the collector would not run for the few words that Go knows.
func TestMuchMemoryIsCollected(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	d, f := open(t)
	for i := 0; ; i++ {
		_, err := cuda.Alloc[byte](d, 2<<20)
		require.NoError(t, err)
		f.mu.Lock()
		freed := f.freed
		f.mu.Unlock()
		if freed > 0 {
			break
		}
		require.Less(t, i, 1<<18, "nothing was freed of half a terabyte")
	}
	awaitLive(t, d, f, 0)
}

func TestLeaksNameTheSite(t *testing.T) {
	d, _ := open(t)
	d.TraceAllocations(true)
	b, err := cuda.Alloc[float32](d, 100)
	require.NoError(t, err)
	c, err := cuda.Alloc[float32](d, 10)
	require.NoError(t, err)
	h, err := cuda.AllocHost[float32](d, 1)
	require.NoError(t, err)
	leaks := d.Leaks()
	require.Len(t, leaks, 3)
	require.Equal(t, int64(400), leaks[0].Bytes)
	require.Contains(t, leaks[0].Site, "TestLeaksNameTheSite")
	require.Contains(t, leaks[0].Site, "reaper_test.go:")
	require.Equal(t, cuda.Usage{Allocations: 3, Bytes: 444}, d.Usage())
	require.NoError(t, b.Close())
	require.NoError(t, h.Close())
	leaks = d.Leaks()
	require.Len(t, leaks, 1)
	require.Equal(t, int64(40), leaks[0].Bytes)
	runtime.KeepAlive(c)
}

// TestDroppedDevice: a device that nobody holds is closed, and not before its objects are dropped.
func TestDroppedDevice(t *testing.T) {
	f := newFake()
	b := func() *cuda.Buffer[int32] {
		d, err := cuda.OpenBackend(cuda.Host, f.backend())
		require.NoError(t, err)
		b, err := cuda.Upload(background, d, []int32{42})
		require.NoError(t, err)
		return b
	}()
	for range 3 {
		runtime.GC()
	}
	got, err := b.Download(background)
	require.NoError(t, err)
	require.Equal(t, []int32{42}, got)
	b = nil
	closed := func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.closed
	}
	for !closed() {
		runtime.GC()
		runtime.Gosched()
	}
}

// TestCleanupLeavesTheFaultToTheWaiter: freeing dropped objects meets the fault first, and must not take it away.
func TestCleanupLeavesTheFaultToTheWaiter(t *testing.T) {
	d, f := open(t)
	f.rude = true
	m := load(t, d)
	increment, err := m.Function("increment")
	require.NoError(t, err)
	func() {
		x, err := cuda.Alloc[int32](d, 4)
		require.NoError(t, err)
		s, err := d.NewStream(cuda.StreamConfig{})
		require.NoError(t, err)
		_, err = d.NewEvent()
		require.NoError(t, err)
		require.NoError(t, increment.Launch(cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(5), Stream: s}, x))
		require.NoError(t, s.Close())
	}()
	awaitLive(t, d, f, 0)
	err = d.Synchronize(background)
	require.ErrorIs(t, err, cuda.ErrIllegalAddress)
	require.NotErrorIs(t, err, cuda.ErrPoisoned)
	require.ErrorContains(t, err, "parameter 0: atomic of 4 bytes at element 4 of *cuda.Buffer[int32]")
	require.ErrorIs(t, d.Synchronize(background), cuda.ErrPoisoned)
}

// TestSlicesOfHostBuffersStay: a plain slice of page-locked memory keeps nothing, so its device is not closed behind it.
func TestSlicesOfHostBuffersStay(t *testing.T) {
	f := newFake()
	slice := func() []int32 {
		d, err := cuda.OpenBackend(cuda.Host, f.backend())
		require.NoError(t, err)
		h, err := cuda.AllocHost[int32](d, 4)
		require.NoError(t, err)
		return h.Slice()
	}()
	for range 5 {
		runtime.GC()
	}
	slice[0] = 1
	f.mu.Lock()
	defer f.mu.Unlock()
	require.False(t, f.closed)
	require.Len(t, f.live, 1)
}

// TestCloseFreesWhenTheLastUseEnds: Close waits for nothing, a call under way keeps the memory, and its end frees it.
func TestCloseFreesWhenTheLastUseEnds(t *testing.T) {
	d, f := open(t)
	spin := function(t, d, "spin")
	x, err := cuda.Upload(background, d, []int32{7})
	require.NoError(t, err)
	require.NoError(t, spin.Launch(threads(1)))
	got := make(chan []int32)
	go func() {
		out, err := x.Download(background)
		if err != nil {
			t.Error(err)
		}
		got <- out
	}()
	f.awaitWaiter()
	require.NoError(t, x.Close())
	require.Equal(t, 1, f.liveCount(), "Download uses it")
	_, err = x.Download(background)
	require.ErrorIs(t, err, cuda.ErrClosed)
	f.release()
	require.Equal(t, []int32{7}, <-got)
	require.Zero(t, f.liveCount())
}

// TestCloseDuringUse closes everything while other goroutines use it: calls succeed or say that it is closed, and the
// fake device finds no use of freed memory.
func TestCloseDuringUse(t *testing.T) {
	d, f := open(t)
	m := load(t, d)
	k, err := m.Function("increment")
	require.NoError(t, err)
	rounds := 200
	if testing.Short() {
		rounds = 30
	}
	for range rounds {
		b, err := cuda.Alloc[int32](d, 4)
		require.NoError(t, err)
		s, err := d.NewStream(cuda.StreamConfig{})
		require.NoError(t, err)
		e, err := d.NewEvent()
		require.NoError(t, err)
		calls := []func() error{
			func() error { return k.Launch(cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(4), Stream: s}, b) },
			func() error { return k.Run(background, threads(4), b) },
			func() error { _, err := b.Download(background); return err },
			func() error { return b.Fill(1, s) },
			func() error { return e.Record(s) },
			func() error { return e.Wait(background) },
			func() error { <-e.Done(); return nil },
			func() error { return s.WaitFor(e) },
			func() error { return d.Synchronize(background) },
			b.Close, s.Close, e.Close,
		}
		var wg sync.WaitGroup
		start := make(chan struct{})
		for _, call := range calls {
			wg.Go(func() {
				<-start
				for range 5 {
					if err := call(); err != nil {
						if !isClosed(err) {
							t.Error(err)
						}
						return
					}
				}
			})
		}
		close(start)
		wg.Wait()
	}
	require.NoError(t, d.Synchronize(background))
	awaitLive(t, d, f, 0)
}
