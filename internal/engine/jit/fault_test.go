//go:build linux && (amd64 || arm64)

package jit_test

import (
	"encoding/binary"
	"math"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/interp"
	"github.com/tandem-go/tandem/internal/engine/rt"
	"github.com/tandem-go/tandem/internal/mem"
)

// bench is a launch of a kernel of benchPTX on memory that a test can spoil.
type bench struct {
	space    *mem.Space
	programs map[string]engine.Program
	launch   engine.Launch
	windows  engine.Windows
}

func newBench(t *testing.T, compiled engine.Engine, text []byte, kernel string, grid, block uint32) *bench {
	space, err := mem.New(mem.Options{Limit: 1 << 28})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, space.Close()) })
	b := &bench{space: space, programs: map[string]engine.Program{}}
	o := engine.Options{Memory: space, Block: [3]uint32{block, 1, 1}}
	for _, e := range []engine.Engine{compiled, interp.New()} {
		p, err := kernelOf(t, text, kernel)(e, o)
		require.NoError(t, err)
		b.programs[e.Name()] = p
	}
	shared, err := space.Reserve(4096)
	require.NoError(t, err)
	b.windows = engine.Windows{Shared: shared, Local: shared}
	b.launch = engine.Launch{ID: 1, Grid: [3]uint32{grid, 1, 1}, Block: o.Block, SharedBytes: 2048, Runtime: rt.New(rt.Config{Memory: space}), Workers: 1}
	return b
}

func (b *bench) alloc(t *testing.T, n uint64) uint64 {
	a, err := b.space.Alloc(n)
	require.NoError(t, err)
	return a
}

// run returns the fault of the first block that has one.
func (b *bench) run(t *testing.T, engineName string, params []byte) *engine.Fault {
	b.launch.ID++
	b.launch.Params = params
	l := b.launch
	for i := range uint64(l.Grid[0]) {
		blk := b.programs[engineName].Block(&l, i, b.windows)
		for {
			state, fault := blk.Run(1 << 20)
			if fault != nil {
				blk.Close()
				return fault
			}
			if state == engine.Done {
				break
			}
		}
		blk.Close()
	}
	return nil
}

func saxpyParams(n int, x, y uint64) []byte {
	p := binary.LittleEndian.AppendUint32(nil, uint32(n))
	p = binary.LittleEndian.AppendUint32(p, math.Float32bits(2))
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(p, x), y)
}

// TestFaults: a bad access is the same fault on both engines, and the engine works afterwards.
func TestFaults(t *testing.T) { everyEngine(t, testFaults) }

func testFaults(t *testing.T, e engine.Engine) {
	b := newBench(t, e, benchPTX, "saxpy", 4, 256)
	const n = 1000
	x, y, short := b.alloc(t, 4*n), b.alloc(t, 4*n), b.alloc(t, 4*777)
	for name, params := range map[string][]byte{
		"past the end of x": saxpyParams(n, short, y),
		"past the end of y": saxpyParams(n, x, short),
		"no address":        saxpyParams(n, 0, y),
		"misaligned":        saxpyParams(n, x+2, y),
		"shared memory":     saxpyParams(n, b.windows.Shared, y),
		"the tail only":     saxpyParams(n+1, x, y),
	} {
		require.Nil(t, b.run(t, e.Name(), saxpyParams(n, x, y)))
		want := b.run(t, "interp", params)
		require.NotNil(t, want, name)
		require.Equal(t, want, b.run(t, e.Name(), params), name)
	}
	require.Nil(t, b.run(t, e.Name(), saxpyParams(n, x, y)))
}

// TestFreed: memory that an access found legal before is not legal after it was freed.
func TestFreed(t *testing.T) { everyEngine(t, testFreed) }

func testFreed(t *testing.T, e engine.Engine) {
	b := newBench(t, e, benchPTX, "saxpy", 4, 256)
	x, y := b.alloc(t, 4000), b.alloc(t, 4000)
	require.Nil(t, b.run(t, e.Name(), saxpyParams(1000, x, y)))
	require.NoError(t, b.space.Free(x))
	f := b.run(t, e.Name(), saxpyParams(1000, x, y))
	require.NotNil(t, f)
	require.Equal(t, uint32(700), f.Code)
	require.Contains(t, f.Detail, "freed")
}

// TestUnreachable: a window whose memory was taken away is a fault, and not the end of the process.
func TestUnreachable(t *testing.T) { everyEngine(t, testUnreachable) }

func testUnreachable(t *testing.T, e engine.Engine) {
	b := newBench(t, e, benchPTX, "saxpy", 4, 256)
	m, err := unix.Mmap(-1, 0, 8192, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	require.NoError(t, err)
	defer func() { require.NoError(t, unix.Munmap(m)) }()
	x, y := mem.AddressOf(m), b.alloc(t, 4000)
	require.NoError(t, b.space.AddForeign(x, 8192, "window"))
	require.Nil(t, b.run(t, e.Name(), saxpyParams(1000, x, y)))
	require.NoError(t, unix.Mprotect(m, unix.PROT_NONE))
	for range 100 {
		f := b.run(t, e.Name(), saxpyParams(1000, x, y))
		require.NotNil(t, f)
		require.Equal(t, uint32(700), f.Code)
		require.Less(t, f.Addr-x, uint64(8192))
	}
	require.NoError(t, unix.Mprotect(m, unix.PROT_READ|unix.PROT_WRITE))
	require.Nil(t, b.run(t, e.Name(), saxpyParams(1000, x, y)))
}

// TestFloatState: after kernels that flush and round, and after a fault, Go computes as before.
func TestFloatState(t *testing.T) { everyEngine(t, testFloatState) }

func testFloatState(t *testing.T, e engine.Engine) {
	text := []byte(`.version 8.4
.target sm_75
.address_size 64
.visible .entry k(.param .u64 p) {
	.reg .f32 %f<4>; .reg .b64 %a;
	ld.param.u64 %a, [p];
	mov.f32 %f0, 0f00000001;
	add.rp.ftz.f32 %f1, %f0, %f0;
	mul.rz.f32 %f2, %f0, 0f3F800001;
	st.global.f32 [%a], %f1;
	st.global.f32 [%a+1000000], %f2;
	ret;
}`)
	b := newBench(t, e, text, "k", 1, 32)
	tiny, third := float32(math.SmallestNonzeroFloat32), float32(3)
	f := b.run(t, e.Name(), binary.LittleEndian.AppendUint64(nil, b.alloc(t, 4)))
	require.NotNil(t, f)
	require.Equal(t, uint32(2), math.Float32bits(tiny+tiny))
	require.Equal(t, uint32(0x3eaaaaab), math.Float32bits(1/third))
}

// TestEndless: a loop without an end gives its worker back whenever the budget is used up.
func TestEndless(t *testing.T) { everyEngine(t, testEndless) }

func testEndless(t *testing.T, e engine.Engine) {
	text := []byte(`.version 8.4
.target sm_75
.address_size 64
.visible .entry k() {
	.reg .b32 %r; .reg .pred %p;
	mov.u32 %r, %tid.x;
	setp.gt.u32 %p, %r, 40;
	@%p bra B;
A:	add.u32 %r, %r, 3;
	bra A;
B:	bra B;
}`)
	b := newBench(t, e, text, "k", 1, 64)
	l := b.launch
	blk := b.programs[e.Name()].Block(&l, 0, b.windows)
	defer blk.Close()
	for range 1000 {
		state, fault := blk.Run(4096)
		require.Nil(t, fault)
		require.Equal(t, engine.Yielded, state)
	}
}

// TestBesideGC runs kernels on goroutines whose stacks grow while the collector runs.
func TestBesideGC(t *testing.T) { everyEngine(t, testBesideGC) }

func testBesideGC(t *testing.T, e engine.Engine) {
	stop := make(chan struct{})
	var collector, workers sync.WaitGroup
	collector.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	})
	w := workloads(1)[4]
	want := prepare(t, interp.New(), w)
	want.run(t)
	for range 4 {
		p := prepare(t, e, w)
		workers.Go(func() {
			for i := range 50 {
				deep(i*20, func() { p.run(t) })
				if string(p.outputs) != string(want.outputs) {
					t.Error("wrong results")
					return
				}
			}
		})
	}
	workers.Wait()
	close(stop)
	collector.Wait()
}

// deep calls f with a stack n frames deep.
func deep(n int, f func()) {
	var room [64]byte
	if n == 0 {
		f()
		return
	}
	deep(n-1, f)
	runtime.KeepAlive(&room)
}
