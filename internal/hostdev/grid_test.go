package hostdev_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/hostdev"
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/mem"
)

const header = ".version 6.4\n.target sm_50\n.address_size 64\n"

// kernel is an entry with one parameter of eight bytes, whose body the fake engine replaces.
const kernel = header + ".visible .entry k(.param .u64 p)\n{\n\tret;\n}\n"

// bench is a device with the fake engine and one kernel.
type bench struct {
	driver.Device
	t      testing.TB
	engine *fake
	f      driver.Function
}

func newBench(t testing.TB, workers int, s step) *bench {
	t.Helper()
	e := &fake{kernels: map[string]step{"k": s}}
	return benchOn(t, e, hostdev.Config{Engine: e, NoFallback: true, Workers: workers, MemoryLimit: 1 << 30})
}

func benchOn(t testing.TB, e *fake, c hostdev.Config) *bench {
	t.Helper()
	b := &bench{Device: open(t, c), t: t, engine: e}
	t.Cleanup(func() {
		require.NoError(t, b.Close())
		require.Zero(t, e.open.Load(), "blocks were not closed")
	})
	b.f = lookUp(t, b, kernel, "k")
	return b
}

func lookUp(t testing.TB, d driver.Device, text, name string) driver.Function {
	t.Helper()
	m, log, err := d.LoadModule([]byte(text), driver.ModuleOptions{Name: "test.ptx"})
	require.NoError(t, err, log)
	f, err := d.Function(m, name)
	require.NoError(t, err)
	return f
}

// launch queues the kernel on the default stream.
func (b *bench) launch(blocks, threads uint32, change ...func(*driver.Launch)) (driver.Ticket, error) {
	l := &driver.Launch{
		Function: b.f, Params: make([]byte, 8),
		Grid: driver.Dim3{X: blocks, Y: 1, Z: 1}, Block: driver.Dim3{X: threads, Y: 1, Z: 1},
	}
	for _, f := range change {
		f(l)
	}
	return b.Launch(l)
}

func (b *bench) run(blocks, threads uint32, change ...func(*driver.Launch)) {
	b.t.Helper()
	_, err := b.launch(blocks, threads, change...)
	require.NoError(b.t, err)
	require.NoError(b.t, b.Synchronize(0))
}

func cooperative(l *driver.Launch) { l.Cooperative = true }

var widths = []int{1, 2, 3, 8}

func TestBlocksBeginInOrder(t *testing.T) {
	for _, w := range widths {
		var mu sync.Mutex
		var begun []uint64
		b := newBench(t, w, func(b *block, n int) (engine.State, *engine.Fault) {
			mu.Lock()
			defer mu.Unlock()
			if n == 1 {
				begun = append(begun, b.i)
			}
			if n < 3 {
				return engine.Yielded, nil
			}
			return engine.Done, nil
		})
		b.run(500, 1)
		require.Len(t, begun, 500)
		seen := map[uint64]bool{}
		for at, i := range begun {
			require.False(t, seen[i])
			seen[i] = true
			if w == 1 { // of several workers one may be overtaken between taking a block and running it
				require.EqualValues(t, at, i)
			}
		}
	}
}

// Blocks that wait for blocks behind them are served as long as they fit, as on a GPU.
func TestBlocksMayWaitForLaterBlocks(t *testing.T) {
	for _, w := range widths {
		var begun atomic.Uint64
		blocks := uint32(16 * w)
		b := newBench(t, w, func(b *block, n int) (engine.State, *engine.Fault) {
			if n == 1 {
				begun.Add(1)
			}
			if begun.Load()%uint64(blocks) != 0 {
				return engine.Yielded, nil
			}
			return engine.Done, nil
		})
		b.run(blocks, 1)
	}
}

// Each block has shared and local memory of its own, from its beginning to its end, and both begin as zeros.
func TestWindows(t *testing.T) {
	for _, w := range widths {
		b := newBench(t, w, func(b *block, n int) (engine.State, *engine.Fault) {
			words := uint64(b.l.SharedBytes / 4)
			want := uint32(b.i) + 1
			local := func(i int) uint64 { return b.w.Local + uint64(i*b.w.LocalStride) }
			switch n {
			case 1:
				for i := range words {
					if mem.Load32(b.w.Shared+4*i) != 0 {
						return b.fault(engine.Fault{Code: 719, Detail: "shared memory is not zero"})
					}
					mem.Store32(b.w.Shared+4*i, want)
				}
				for i := range b.threads() {
					for at := range uint64(10) {
						if mem.Load32(local(i)+4*at) != 0 {
							return b.fault(engine.Fault{Code: 719, Detail: "local memory is not zero"})
						}
						mem.Store32(local(i)+4*at, want+uint32(i)<<16)
					}
				}
			default:
				for i := range words {
					if mem.Load32(b.w.Shared+4*i) != want {
						return b.fault(engine.Fault{Code: 719, Detail: "somebody wrote to shared memory"})
					}
				}
				for i := range b.threads() {
					for at := range uint64(10) {
						if mem.Load32(local(i)+4*at) != want+uint32(i)<<16 {
							return b.fault(engine.Fault{Code: 719, Detail: "somebody wrote to local memory"})
						}
					}
				}
			}
			if b.mem.Legal(b.w.Shared, 1) || b.mem.Legal(b.w.Local, 1) {
				return b.fault(engine.Fault{Code: 719, Detail: "a window is legal for everybody"})
			}
			if n < 1+int(b.i%4) {
				return engine.Yielded, nil
			}
			return engine.Done, nil
		})
		b.engine.local = 40
		for _, shared := range []uint32{0, 4, 1000, 48 << 10} {
			b.run(200, 33, func(l *driver.Launch) { l.SharedBytes = shared })
		}
	}
}

func TestGridBarrier(t *testing.T) {
	const blocks, phases = 100, 4
	for _, w := range widths {
		var at [phases + 1]atomic.Int64
		b := newBench(t, w, func(b *block, n int) (engine.State, *engine.Fault) {
			if n > 1 && at[n-2].Load() != blocks {
				return b.fault(engine.Fault{Code: 719, Detail: fmt.Sprintf("phase %d began too early", n)})
			}
			at[n-1].Add(1)
			if n <= phases {
				return engine.AtGridBarrier, nil
			}
			return engine.Done, nil
		})
		b.run(blocks, 1, cooperative)
		require.EqualValues(t, blocks, b.engine.most.Load(), "not all blocks were resident at once")
	}
}

// Blocks that have ended do not hold up the barrier.
func TestGridBarrierWithoutSome(t *testing.T) {
	for _, w := range widths {
		b := newBench(t, w, func(b *block, n int) (engine.State, *engine.Fault) {
			switch {
			case uint64(n) > b.i%5:
				return engine.Done, nil
			case n == 2:
				return engine.Yielded, nil
			}
			return engine.AtGridBarrier, nil
		})
		b.run(50, 1, cooperative)
	}
}

func TestFaultAtGridBarrier(t *testing.T) {
	for _, w := range widths {
		b := newBench(t, w, func(b *block, n int) (engine.State, *engine.Fault) {
			if n == 2 && b.i == 17 {
				return b.fault(engine.Fault{Code: 719})
			}
			return engine.AtGridBarrier, nil
		})
		_, err := b.launch(40, 1, cooperative)
		require.NoError(t, err)
		require.ErrorIs(t, b.Synchronize(0), driver.LaunchFailed)
	}
}

func TestCancelAtGridBarrier(t *testing.T) {
	for _, w := range widths {
		reached := make(chan struct{})
		var once sync.Once
		b := newBench(t, w, func(b *block, _ int) (engine.State, *engine.Fault) {
			if b.i == 0 {
				once.Do(func() { close(reached) })
				return engine.Yielded, nil // never comes
			}
			return engine.AtGridBarrier, nil
		})
		ticket, err := b.launch(40, 1, cooperative)
		require.NoError(t, err)
		<-reached
		require.NoError(t, b.Cancel(ticket))
		require.NoError(t, b.Synchronize(0))
	}
}

// The driver's fault has all that the engine knows.
func TestFaultIsDescribed(t *testing.T) {
	b := newBench(t, 2, func(b *block, _ int) (engine.State, *engine.Fault) {
		if b.i != 6 {
			return engine.Done, nil
		}
		return b.fault(engine.Fault{
			Code: 700, Thread: [3]uint32{1, 2, 3}, Pos: ir.Pos{PTXLine: 12}, Access: "read", Addr: 0x123, Size: 8,
			Space: "global", Detail: "in the woods",
		})
	})
	_, err := b.launch(4, 1, func(l *driver.Launch) { l.Grid = driver.Dim3{X: 2, Y: 2, Z: 2} })
	require.NoError(t, err)
	err = b.Synchronize(0)
	var f *driver.Fault
	require.ErrorAs(t, err, &f)
	require.Equal(t, &driver.Fault{
		Status: driver.IllegalAddress, Kernel: "k", Located: true,
		Block: driver.Dim3{X: 0, Y: 1, Z: 1}, Thread: driver.Dim3{X: 1, Y: 2, Z: 3},
		PTXFile: "test.ptx", PTXLine: 12, Access: "read", Addr: 0x123, Size: 8, Space: "global", Detail: "in the woods",
	}, f)
}

// After a fault no new block begins, although a million wait.
func TestFaultStopsOtherBlocks(t *testing.T) {
	var ran atomic.Int64
	b := newBench(t, 2, func(b *block, _ int) (engine.State, *engine.Fault) {
		ran.Add(1)
		if b.i == 10 {
			return b.fault(engine.Fault{Code: 719})
		}
		if b.i > 10 {
			return engine.Yielded, nil
		}
		return engine.Done, nil
	})
	_, err := b.launch(1<<20, 1)
	require.NoError(t, err)
	require.ErrorIs(t, b.Synchronize(0), driver.LaunchFailed)
	require.Less(t, ran.Load(), int64(1<<20))
}

// An engine that breaks is a fault of its launch, not the end of the process.
func TestEnginePanic(t *testing.T) {
	for _, w := range widths {
		b := newBench(t, w, func(b *block, n int) (engine.State, *engine.Fault) {
			if b.i == 5 && n == 2 {
				panic("the engine fell off")
			}
			if n == 1 {
				return engine.Yielded, nil
			}
			return engine.Done, nil
		})
		_, err := b.launch(20, 1)
		require.NoError(t, err)
		err = b.Synchronize(0)
		require.ErrorIs(t, err, driver.LaunchFailed)
		require.ErrorContains(t, err, "internal error of engine fake: the engine fell off")
		b.engine.open.Store(0) // what was in the broken worker's hands is lost
	}
}

func TestEngineRefuses(t *testing.T) {
	e := &fake{refuse: errors.New("no such operation")}
	b := benchOn(t, e, hostdev.Config{Engine: e, NoFallback: true})
	_, err := b.launch(1, 1)
	require.ErrorIs(t, err, driver.NotSupported)
	require.ErrorContains(t, err, "launch k: ")
	require.ErrorContains(t, err, "engine fake: no such operation")
	require.NoError(t, b.Synchronize(0))

	b = benchOn(t, e, hostdev.Config{Engine: e}) // the reference engine runs it
	b.run(1, 1)
}

// A kernel is compiled once for each extent of the block, up to a bound.
func TestSpecialisation(t *testing.T) {
	b := newBench(t, 1, func(*block, int) (engine.State, *engine.Fault) { return engine.Done, nil })
	for range 3 {
		for x := range uint32(20) {
			b.run(1, x+1)
		}
	}
	require.Len(t, b.engine.compiled, 17)
	for i, o := range b.engine.compiled[:16] {
		require.Equal(t, [3]uint32{uint32(i) + 1, 1, 1}, o.Block)
	}
	require.Zero(t, b.engine.compiled[16].Block)
}

// A launch whose blocks could never get their memory is refused, and nothing of it stays.
func TestNoRoomForWindows(t *testing.T) {
	b := newBench(t, 2, func(*block, int) (engine.State, *engine.Fault) { return engine.Done, nil })
	b.engine.local = 1 << 31
	_, err := b.launch(1, 1024)
	require.ErrorIs(t, err, driver.OutOfMemory)
	_, err = b.launch(8, 1024, cooperative)
	require.ErrorIs(t, err, driver.CooperativeTooLarge)
	b.engine.local = 0
	b.run(8, 1024)
	b.run(8, 1024, cooperative)
}

func TestCooperativeBounds(t *testing.T) {
	b := newBench(t, 2, func(*block, int) (engine.State, *engine.Fault) { return engine.Done, nil })
	_, err := b.launch(1<<13+1, 1, cooperative)
	require.ErrorIs(t, err, driver.CooperativeTooLarge)
	_, err = b.launch(257, 1024, cooperative)
	require.ErrorIs(t, err, driver.CooperativeTooLarge)
	_, err = b.launch(10, 1, cooperative, func(l *driver.Launch) { l.Count = 5 })
	require.ErrorIs(t, err, driver.InvalidValue)
	b.run(10, 1, cooperative, func(l *driver.Launch) { l.Count = 10 })
	b.run(1<<13, 1, cooperative)
}

// What the launch tells the engine.
func TestEngineSeesLaunch(t *testing.T) {
	var got engine.Launch
	var where engine.Windows
	b := newBench(t, 3, func(b *block, _ int) (engine.State, *engine.Fault) {
		got, where = *b.l, b.w
		return engine.Done, nil
	})
	var p [8]byte
	binary.LittleEndian.PutUint64(p[:], 0x0102030405060708)
	ticket, err := b.launch(1, 1, func(l *driver.Launch) {
		l.Block = driver.Dim3{X: 4, Y: 3, Z: 2}
		l.SharedBytes = 100
		l.Params = p[:]
	})
	require.NoError(t, err)
	require.NoError(t, b.Synchronize(0))
	require.Equal(t, p[:], got.Params)
	require.NotNil(t, got.Runtime)
	require.Equal(t, [3]uint32{4, 3, 2}, got.Block)
	require.Equal(t, [3]uint32{1, 1, 1}, got.Grid)
	require.Equal(t, 100, got.SharedBytes)
	require.Equal(t, 100, got.DynamicBytes)
	require.Equal(t, 3, got.Workers)
	require.EqualValues(t, ticket, got.ID)
	require.Less(t, where.Worker, 3)
}

// With a seed, each block still runs exactly once, in another order, which is the same for the same seed.
func TestSeed(t *testing.T) {
	run := func(seed uint64, blocks uint32) (begun []uint64) {
		e := &fake{kernels: map[string]step{"k": func(b *block, n int) (engine.State, *engine.Fault) {
			begun = append(begun, b.i)
			return engine.Done, nil
		}}}
		t.Run(fmt.Sprintf("%d blocks, seed %d", blocks, seed), func(t *testing.T) { // each gives its range of addresses back
			b := benchOn(t, e, hostdev.Config{Engine: e, Workers: 1, Seed: seed, MemoryLimit: 1 << 30})
			b.run(blocks, 1)
		})
		return begun
	}
	for _, n := range []uint32{1, 2, 3, 6, 64, 30030} {
		natural := run(0, n)
		for seed := uint64(1); seed < 10; seed++ {
			begun := run(seed, n)
			require.Equal(t, begun, run(seed, n))
			if n > 100 {
				require.NotEqual(t, natural, begun)
				require.NotEqual(t, begun, run(seed+100, n))
			}
			slices.Sort(begun)
			require.Equal(t, natural, begun)
		}
	}
}

// A launch that is expected to be brief begins on the goroutine that waits for it alone; others do not.
func TestBriefLaunchBeginsAlone(t *testing.T) {
	var alone bool
	var b *bench
	b = newBench(t, 4, func(k *block, _ int) (engine.State, *engine.Fault) {
		if k.i == 0 {
			alone = hostdev.Alone(b.Device)
		}
		return engine.Done, nil
	})
	b.run(8, 32)
	require.False(t, alone, "nothing is known of the first")
	for took, want := range map[time.Duration]bool{time.Nanosecond: true, time.Microsecond: true, time.Millisecond: false} {
		hostdev.SetBlockTime(b.Device, b.f, took)
		b.run(8, 32)
		require.Equal(t, want, alone, "%v", took)
	}
	hostdev.SetBlockTime(b.Device, b.f, time.Nanosecond)
	b.run(8, 32, cooperative)
	require.False(t, alone, "blocks of a cooperative launch wait for each other")
}

// One that is not brief after all gets the other workers: its blocks end only when two have run at once.
func TestBriefLaunchGetsHelp(t *testing.T) {
	for _, blocks := range []uint32{2, 8, 300} {
		var begun, inside atomic.Int64
		var met atomic.Bool
		b := newBench(t, 4, func(_ *block, n int) (engine.State, *engine.Fault) {
			if n == 1 {
				begun.Add(1)
			}
			if inside.Add(1) > 1 {
				met.Store(true)
			}
			runtime.Gosched()
			inside.Add(-1)
			if !met.Load() {
				return engine.Yielded, nil
			}
			return engine.Done, nil
		})
		hostdev.SetBlockTime(b.Device, b.f, time.Nanosecond)
		b.run(blocks, 32)
		require.EqualValues(t, blocks, begun.Load())
	}
}
