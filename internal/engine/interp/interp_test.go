package interp_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/enginetest"
	"github.com/tandem-go/tandem/internal/engine/interp"
	"github.com/tandem-go/tandem/internal/engine/rt"
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/mem"
)

func TestRunFiles(t *testing.T) { enginetest.Run(t, interp.New()) }

func TestHazards(t *testing.T) { enginetest.RunHazards(t, interp.New()) }

// grid is a kernel whose blocks meet at the grid barrier: each adds 1 to the word, and behind the barrier all see the sum.
const grid = `// Cooperative groups: the grid barrier.
// run: grid<<<3, 40>>>(u32[0], u32[?*120] == [120*120])
kernel @grid ptx "grid.ptx"
params 16
gridbarrier

func @grid() {
b0:
  v0:b64 = const.b64 #0
  v1:b64 = load.param.u64 [v0]
  v2:b64 = load.param.u64 [v0+8]
  v3:b32 = special.b32 %tid.x
  v4:b32 = special.b32 %ctaid.x
  v5:b32 = const.b32 #40
  v6:b32 = mul.u32 v4, v5
  v7:b32 = add.u32 v6, v3
  v8:b32 = const.b32 #4
  v9:b64 = mulwide.u32 v7, v8
  v10:b64 = add.u64 v2, v9
  v11:b32 = const.b32 #1
  red.add.global.u32 [v1], v11
  gridsync
  v12:b32 = load.volatile.global.u32 [v1]
  store.global.u32 [v10], v12
  ret
}
`

// TestGridBarrier drives blocks together; one by one they could not meet, and say so.
func TestGridBarrier(t *testing.T) {
	text := strings.Replace(grid, "u32[0]", "u32[0] == [120]", 1)
	enginetest.RunTogether(t, interp.New(), "grid.ir", text)
}

// parse makes a kernel of IR text.
func parse(t testing.TB, text string) *ir.Kernel {
	t.Helper()
	k, err := ir.Parse(text)
	require.NoError(t, err)
	require.NoError(t, ir.Verify(k))
	return k
}

// rig is a device with one buffer, and a kernel that takes its address.
type rig struct {
	space   *mem.Space
	program engine.Program
	launch  *engine.Launch
	windows engine.Windows
	buffer  uint64
}

func newRig(t testing.TB, k *ir.Kernel, threads uint32) *rig {
	t.Helper()
	r := &rig{}
	var err error
	r.space, err = mem.New(mem.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.space.Close()) })
	r.buffer, err = r.space.Alloc(1 << 16)
	require.NoError(t, err)
	mem.Fill(r.buffer, 1<<16, 0)
	r.program, err = interp.New().Compile(k, engine.Options{Memory: r.space})
	require.NoError(t, err)
	stride := (r.program.LocalBytes() + 15) / 16 * 16
	shared, err := r.space.Reserve(uint64(k.SharedBytes + 16))
	require.NoError(t, err)
	local, err := r.space.Reserve(uint64(int(threads)*stride + 16))
	require.NoError(t, err)
	r.windows = engine.Windows{Shared: shared, Local: local, LocalStride: stride}
	params := make([]byte, 8)
	for i := range params {
		params[i] = byte(r.buffer >> (8 * i))
	}
	r.launch = &engine.Launch{
		Grid: [3]uint32{1, 1, 1}, Block: [3]uint32{threads, 1, 1}, SharedBytes: k.SharedBytes, Params: params,
		Runtime: rt.New(rt.Config{Memory: r.space}), Workers: 1,
	}
	return r
}

// run executes one block to its end.
func (r *rig) run(t testing.TB) {
	b := r.program.Block(r.launch, 0, r.windows)
	defer b.Close()
	state, fault := b.Run(1 << 40)
	if fault != nil || state != engine.Done {
		t.Fatalf("state %d, fault %+v", state, fault)
	}
}

// straight is a kernel that applies op n times to values that depend on the lane, in a loop of the given rounds.
func straight(op string, n, rounds int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `kernel @k ptx "k.ptx"
params 8

func @k() {
b0:
  v0:b64 = const.b64 #0
  v1:b64 = load.param.u64 [v0]
  v2:b32 = special.b32 %%tid.x
  v4:b32 = const.b32 #0
  v5:b32 = const.b32 #1
  v%[2]d:b32 = add.u32 v2, v5
  v3:b32 = cvt.f32.u32 v%[2]d
  v6:b32 = const.b32 #%[1]d
  v7:b32 = const.f32 #0x3f800001
  br b1(v4, v3)
b1(v8:b32, v9:b32):
`, rounds, n+20)
	last, next := 9, 10
	for range n {
		operands := fmt.Sprintf("v%d, v7", last)
		if op == "fma" {
			operands = fmt.Sprintf("v%d, v7, v3", last)
		}
		fmt.Fprintf(&b, "  v%d:b32 = %s.f32 %s\n", next, op, operands)
		last = next
		next++
	}
	fmt.Fprintf(&b, `  v%[1]d:b32 = add.u32 v8, v5
  v%[2]d:pred = setp.lt.pred.u32 v%[1]d, v6
  condbr v%[2]d, b1(v%[1]d, v%[3]d), b2
b2:
  v%[4]d:b32 = const.b32 #4
  v%[5]d:b64 = mulwide.u32 v2, v%[4]d
  v%[6]d:b64 = add.u64 v1, v%[5]d
  store.global.f32 [v%[6]d], v%[3]d
  ret
}
`, next, next+1, last, next+2, next+3, next+4)
	return b.String()
}

func TestBlocksAreUsedAgain(t *testing.T) {
	r := newRig(t, parse(t, straight("add", 3, 2000)), 70)
	half := r.program.Block(r.launch, 0, r.windows)
	state, fault := half.Run(1000)
	require.Nil(t, fault)
	require.Equal(t, engine.Yielded, state)
	half.Close()
	r.run(t)
	first := mem.Load32(r.buffer + 4*69)
	mem.Fill(r.buffer, 1<<16, 0)
	b := r.program.Block(r.launch, 0, r.windows)
	for state != engine.Done {
		state, fault = b.Run(13)
		require.Nil(t, fault)
	}
	b.Close()
	require.Equal(t, first, mem.Load32(r.buffer+4*69), "the budget changed the result")
}

// TestProgramIsConcurrent runs blocks of one program on several goroutines.
func TestProgramIsConcurrent(t *testing.T) {
	r := newRig(t, parse(t, straight("fma", 5, 100)), 64)
	var g sync.WaitGroup
	for range 4 {
		g.Go(func() {
			for range 20 {
				r.run(t)
			}
		})
	}
	g.Wait()
}

func TestSmallLaunchAllocatesLittle(t *testing.T) {
	r := newRig(t, parse(t, straight("add", 3, 2)), 256)
	r.run(t)
	most := 4.0
	if race {
		most = 400 // the race detector makes pools forget at random
	}
	if n := testing.AllocsPerRun(100, func() { r.run(t) }); n > most {
		t.Errorf("a block takes %v allocations", n)
	}
}

func TestCompileNamesWhatIsNotSupported(t *testing.T) {
	k := parse(t, straight("add", 1, 1))
	in := k.Funcs[0].Blocks[1].Instrs[0]
	in.Round = ir.RNA
	in.Pos.PTXLine = 17
	_, err := interp.New().Compile(k, engine.Options{})
	require.ErrorContains(t, err, "compile kernel k: line 17: operation add.f32 is not supported")
}

// BenchmarkLaneOp is the cost of one operation on one lane. The least of many short runs is reported too, since other
// work on the machine can only add to it.
func BenchmarkLaneOp(b *testing.B) {
	const n, rounds, threads = 64, 20, 32
	for _, op := range []string{"add", "mul", "fma"} {
		b.Run(op+".f32", func(b *testing.B) {
			r := newRig(b, parse(b, straight(op, n, rounds)), threads)
			least := time.Hour
			for b.Loop() {
				start := time.Now()
				r.run(b)
				least = min(least, time.Since(start))
			}
			const operations = n * rounds * threads
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/operations, "ns/lane-op")
			b.ReportMetric(float64(least.Nanoseconds())/operations, "least-ns/lane-op")
		})
	}
}

// BenchmarkBlock is what a block costs that does next to nothing.
func BenchmarkBlock(b *testing.B) {
	for _, threads := range []uint32{32, 256, 1024} {
		b.Run(fmt.Sprint(threads), func(b *testing.B) {
			r := newRig(b, parse(b, straight("add", 1, 1)), threads)
			for b.Loop() {
				r.run(b)
			}
		})
	}
}

func TestRandomControlFlow(t *testing.T) { enginetest.RunRandom(t, interp.New(), 1, 150) }
