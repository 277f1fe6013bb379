//go:build linux && (amd64 || arm64)

package jit_test

import (
	_ "embed"
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/interp"
	"github.com/tandem-go/tandem/internal/engine/rt"
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/lower"
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/passes"
	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// benchPTX is testdata/bench.cu compiled by NVRTC 12.9 for compute_75.
//
//go:embed testdata/bench.ptx
var benchPTX []byte

// workload is a launch of a kernel of benchPTX.
type workload struct {
	kernel      string
	grid, block [3]uint32
	args        []any // uint32, float32; buffer: so many floats
	ops         float64
}

type buffer int

// workloads have n chosen so that all data stay in the caches.
func workloads(scale int) []workload {
	n := 1 << 12 * scale
	u := func(v int) uint32 { return uint32(v) }
	side, bodies, edge := 32*scale, 128*scale, 32*scale
	return []workload{
		{"saxpy", [3]uint32{u(n / 256), 1, 1}, [3]uint32{256, 1, 1}, []any{u(n), float32(2), buffer(n), buffer(n)}, float64(n)},
		{"vecadd", [3]uint32{u(n / 256), 1, 1}, [3]uint32{256, 1, 1}, []any{u(n), buffer(n), buffer(n), buffer(n)}, float64(n)},
		{"nbody", [3]uint32{u(bodies / 128), 1, 1}, [3]uint32{128, 1, 1}, []any{u(bodies), buffer(4 * bodies), buffer(4 * bodies)}, float64(bodies * bodies)},
		{"mandel", [3]uint32{u(side / 32), u(side / 8), 1}, [3]uint32{32, 8, 1}, []any{u(side), u(side), u(256), float32(-2), float32(-1.25), float32(2.5 / float64(side)), float32(2.5 / float64(side)), buffer(side * side)}, float64(side * side)},
		{"reduce", [3]uint32{u(n / 512), 1, 1}, [3]uint32{256, 1, 1}, []any{u(n), buffer(n), buffer(n / 512)}, float64(n)},
		{"matmul", [3]uint32{u(edge / 16), u(edge / 16), 1}, [3]uint32{16, 16, 1}, []any{u(edge), buffer(edge * edge), buffer(edge * edge), buffer(edge * edge)}, float64(edge * edge * edge)},
	}
}

// prepared is a workload ready to run on one engine.
type prepared struct {
	space   *mem.Space
	program engine.Program
	launch  *engine.Launch
	windows engine.Windows
	outputs []byte
}

// lowered is a kernel of PTX before the passes.
func lowered(t testing.TB, text []byte, name string) *ir.Kernel {
	tree, err := ptx.Parse("bench.ptx", text)
	require.NoError(t, err)
	checked, err := check.Check(tree)
	require.NoError(t, err)
	k, err := lower.Kernel(checked, name)
	require.NoError(t, err)
	return k
}

func kernelOf(t testing.TB, text []byte, name string) func(e engine.Engine, o engine.Options) (engine.Program, error) {
	k := lowered(t, text, name)
	require.NoError(t, passes.Run(k, passes.Options{}))
	return func(e engine.Engine, o engine.Options) (engine.Program, error) { return e.Compile(k, o) }
}

func prepare(t testing.TB, e engine.Engine, w workload) *prepared {
	space, err := mem.New(mem.Options{Limit: 1 << 26})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, space.Close()) })
	p := &prepared{space: space}
	p.program, err = kernelOf(t, benchPTX, w.kernel)(e, engine.Options{Memory: space, Block: w.block})
	require.NoError(t, err)
	var params []byte
	for _, a := range w.args {
		switch a := a.(type) {
		case uint32:
			params = binary.LittleEndian.AppendUint32(params, a)
		case float32:
			params = binary.LittleEndian.AppendUint32(params, math.Float32bits(a))
		case buffer:
			for len(params)%8 != 0 {
				params = append(params, 0)
			}
			addr, err := space.Alloc(uint64(4 * a))
			require.NoError(t, err)
			b, err := space.Bytes(addr, uint64(4*a))
			require.NoError(t, err)
			for i := 0; i < len(b); i += 4 {
				binary.LittleEndian.PutUint32(b[i:], math.Float32bits(float32(i*2654435761%1024)/512-1))
			}
			params = binary.LittleEndian.AppendUint64(params, addr)
			p.outputs = b
		}
	}
	shared, err := space.Reserve(4096)
	require.NoError(t, err)
	p.launch = &engine.Launch{ID: 1, Grid: w.grid, Block: w.block, SharedBytes: 2048, Params: params, Runtime: rt.New(rt.Config{Memory: space}), Workers: 1}
	p.windows = engine.Windows{Shared: shared, Local: shared, Worker: 0}
	return p
}

func (p *prepared) run(t testing.TB) { p.runIn(t, 1<<13) }

// runIn runs all blocks, each in slices of a budget.
func (p *prepared) runIn(t testing.TB, budget int) { p.slices(t, budget, func(engine.Block) {}) }

// slices is runIn that shows a block after each slice.
func (p *prepared) slices(t testing.TB, budget int, see func(b engine.Block)) {
	g := p.launch.Grid
	count := uint64(g[0]) * uint64(g[1]) * uint64(g[2])
	for i := uint64(0); i < count; {
		b := p.program.Block(p.launch, i, p.windows)
		i++
		sequence, ok := b.(engine.Sequence)
		if more := min(31, count-i); ok {
			sequence.Extend(more)
			i += more
		}
		for {
			state, fault := b.Run(budget)
			if fault != nil {
				t.Errorf("%+v", fault)
				return
			}
			see(b)
			if ok {
				i -= sequence.Rest()
			}
			if state == engine.Done {
				break
			}
		}
		b.Close()
	}
}

// TestBenchKernels: the kernels of the benchmarks give what the reference engine gives, bit for bit, without escapes.
func TestBenchKernels(t *testing.T) { everyEngine(t, testBenchKernels) }

func testBenchKernels(t *testing.T, e engine.Engine) {
	for _, w := range workloads(1) {
		have, want := prepare(t, e, w), prepare(t, interp.New(), w)
		have.run(t)
		want.run(t)
		require.Equal(t, want.outputs, have.outputs, w.kernel)
		t.Log(w.kernel, "escaped", have.program.(interface{ Escaped() uint64 }).Escaped())
	}
}

// BenchmarkKernels runs each kernel on one core, and reports how many times longer the reference engine takes, which runs
// in turns with it.
func BenchmarkKernels(b *testing.B) {
	for _, e := range engines(b) {
		b.Run(e.Name(), func(b *testing.B) { benchmarkKernels(b, e) })
	}
}

func benchmarkKernels(b *testing.B, e engine.Engine) {
	for _, w := range workloads(4) {
		b.Run(w.kernel, func(b *testing.B) {
			fast, slow := prepare(b, e, w), prepare(b, interp.New(), w)
			fast.run(b)
			var quick, long time.Duration
			n, m := 0, 0
			for b.Loop() {
				begun := time.Now()
				fast.run(b)
				quick += time.Since(begun)
				if n++; n&(n-1) == 0 && long < time.Second { // at 1, 2, 4, 8 …
					begun = time.Now()
					slow.run(b)
					long += time.Since(begun)
					m++
				}
			}
			each := float64(quick.Nanoseconds()) / float64(n)
			b.ReportMetric(each/w.ops, "ns/elem")
			b.ReportMetric(float64(long.Nanoseconds())/float64(m)/each, "times-interp")
			b.ReportMetric(0, "ns/op")
		})
	}
}
