//go:build linux && (amd64 || arm64)

package jit_test

import (
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/interp"
	"github.com/tandem-go/tandem/internal/engine/jit"
	"github.com/tandem-go/tandem/internal/engine/rt"
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/passes"
)

// shape is the extents of a launch.
type shape struct{ grid, block [3]uint32 }

func volume(x [3]uint32) int { return int(x[0] * x[1] * x[2]) }

func (s shape) threads() int { return volume(s.block) }
func (s shape) all() int     { return volume(s.grid) * volume(s.block) }

// Extents of random launches: whole warps and others, in one to three dimensions.
var (
	blockShapes = [][3]uint32{
		{64, 1, 1}, {16, 4, 1}, {32, 2, 1}, {8, 8, 1}, {64, 1, 1}, {128, 1, 1}, {256, 1, 1}, {16, 16, 1},
		{33, 1, 1}, {20, 3, 1}, {7, 5, 2}, {100, 1, 1}, {1, 1, 1}, {32, 3, 1}, {4, 4, 4}, {64, 2, 1},
	}
	gridShapes = [][3]uint32{{3, 1, 1}, {2, 2, 1}, {1, 1, 1}, {5, 1, 1}, {2, 1, 2}, {1, 3, 1}}
)

func randomShape(r *rand.Rand) shape {
	s := shape{block: blockShapes[r.IntN(len(blockShapes))], grid: gridShapes[r.IntN(len(gridShapes))]}
	if s.threads() > 128 {
		s.grid = [3]uint32{2, 1, 1}
	}
	return s
}

// results is how many bytes the registers of all threads take.
func (s shape) results() int { return (s.all()*genStride + 15) / 16 * 16 }

// counting is the reference engine, with what its threads execute by the form of the instruction.
type counting struct {
	engine.Engine
	executed map[string]uint64
	kernel   *ir.Kernel
}

func (c *counting) Compile(k *ir.Kernel, o engine.Options) (engine.Program, error) {
	c.kernel = k
	return c.Engine.Compile(k, o)
}

func (c *counting) count(cover *engine.Coverage) {
	for _, b := range c.kernel.Funcs[0].Blocks {
		for _, in := range b.Instrs {
			c.executed[jit.Form(in)] += cover.Count(in)
		}
	}
}

// trial is a launch of a kernel on memory with random contents.
type trial struct {
	text string
	seed uint64
	shape
	faults bool // the kernel may end with a fault
}

// trialOf is a launch of three blocks of 64 threads, whose extents the seed chooses.
func trialOf(text string, seed uint64) trial {
	return trial{text, seed, shape{[3]uint32{3, 1, 1}, blockShapes[seed%4]}, false}
}

// result is what a trial stored, and what stopped it.
type result struct {
	bytes []byte
	fault *engine.Fault
	// err is of the compilation: the program would run on the reference engine.
	err error
}

// Sizes in bytes: of the table that kernels read, of what each thread has for itself behind it, and of what it stores.
const (
	genTable  = 4 * 2400
	genOwned  = 64
	genStride = 4 * (genWords + genWords%2)
	genExtra  = 64
)

// launch makes the memory of a trial and a launch on it. It returns what the kernel stores to.
func (c trial) launch(t testing.TB, space *mem.Space) (l *engine.Launch, stored []byte) {
	r := rand.New(rand.NewPCG(c.seed, 2))
	fresh := func(n int) (uint64, []byte) {
		at, err := space.Alloc(uint64(n))
		require.NoError(t, err)
		b, err := space.Bytes(at, uint64(n))
		require.NoError(t, err)
		return at, b
	}
	n := c.all()
	out, stored := fresh(48 + c.results() + n*genExtra)
	for i := range stored {
		stored[i] = 0xa5
	}
	table, b := fresh(genTable + n*genOwned)
	for i := 0; i < len(b); i += 4 {
		v := r.Uint32()
		if i%8 == 0 {
			v = 0x3f000000 + v%0x2000000
		}
		binary.LittleEndian.PutUint32(b[i:], v)
	}
	texels, image := fresh(16 * n)
	copy(image, b)
	runtime := rt.New(rt.Config{Memory: space})
	surface := runtime.AddSurface(rt.Image{Addr: texels, Width: n, Height: 1, Depth: 1, RowPitch: uint64(16 * n), SlicePitch: uint64(16 * n), Format: rt.Unsigned32, Channels: 4})
	params := binary.LittleEndian.AppendUint64(nil, out+16*r.Uint64N(4))
	params = binary.LittleEndian.AppendUint64(params, table)
	params = binary.LittleEndian.AppendUint32(params, 1000)
	params = binary.LittleEndian.AppendUint64(append(params, 0, 0, 0, 0), surface)
	params = append(params, b[:64]...)
	return &engine.Launch{ID: 1, Grid: c.grid, Block: c.block, Params: params, Runtime: runtime, Workers: 1}, stored
}

// run runs a trial on an engine, driven in some way.
func (c trial) run(t testing.TB, e engine.Engine, o engine.Options, w way) result {
	space, err := mem.New(mem.Options{Limit: 1 << 28})
	require.NoError(t, err)
	defer space.Close()
	k := lowered(t, []byte(c.text), "k")
	if c.seed%4 != 0 {
		require.NoError(t, passes.Run(k, passes.Options{}))
	} else { // as it stands but for calls: passes leave some forms of instructions to nobody
		require.NoError(t, passes.RunPass(k, "inline", passes.Options{}))
	}
	l, stored := c.launch(t, space)
	r := rand.New(rand.NewPCG(c.seed, 3))
	for _, g := range k.Globals {
		at, err := space.Alloc(uint64(g.Size))
		require.NoError(t, err)
		b, err := space.Bytes(at, uint64(g.Size))
		require.NoError(t, err)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		o.Globals = append(o.Globals, at)
	}
	o.Memory = space
	p, err := e.Compile(k, o)
	if err != nil {
		return result{err: err}
	}
	l.SharedBytes = k.SharedBytes
	reserve := func(n int) uint64 {
		at, err := space.Reserve(uint64(max(1, n)))
		require.NoError(t, err)
		return at
	}
	windows := make([]engine.Windows, 1)
	if w.together {
		windows = make([]engine.Windows, volume(c.grid))
	}
	for i := range windows {
		stride := (p.LocalBytes() + 15) / 16 * 16
		windows[i] = engine.Windows{Shared: reserve(l.SharedBytes), LocalStride: stride, Local: reserve(c.threads() * stride)}
	}
	if w.given > 0 {
		before, _ := c.launch(t, space)
		before.ID, before.SharedBytes = 2, l.SharedBytes
		c.blocks(t, space, p, before, windows, w, w.given)
	}
	if _, ok := e.(*counting); ok {
		l.Cover = &engine.Coverage{}
	}
	fault := c.blocks(t, space, p, l, windows, w, 0)
	if counts, ok := e.(*counting); ok {
		counts.count(l.Cover)
	}
	return result{bytes: append([]byte{}, stored...), fault: fault}
}

// differ compares the engines on one random kernel, and adds up how many threads executed each form of instruction.
func differ(t *testing.T, seed uint64, executed map[string]uint64) {
	c := randomTrial(t, seed)
	if complaint := c.difference(t, executed); complaint != "" {
		c.text = shrink(t, c)
		t.Fatalf("seed %d: %s\nshrunk, %s\n%s", seed, complaint, c.difference(t, executed), c.text)
	}
}

func randomTrial(t testing.TB, seed uint64) trial {
	g := newGenerator(t, seed)
	return trial{g.kernel(), seed, g.shape, g.faults}
}

// noKernel begins a complaint of the generator.
const noKernel = "not a kernel to compare engines with"

// difference says where the engines differ.
func (c trial) difference(t testing.TB, executed map[string]uint64) string {
	want := c.run(t, &counting{Engine: interp.New(), executed: executed}, engine.Options{}, straight())
	require.NoError(t, want.err, c.text)
	if want.fault != nil && !c.faults {
		return fmt.Sprintf("%s: fault %+v", noKernel, *want.fault)
	}
	for _, e := range append(engines(t), streamingEngines(t)...) {
		if *which != "" && !slices.Contains(strings.Split(*which, ","), e.Name()) {
			continue
		}
		if complaint := c.differenceOn(t, e, want); complaint != "" {
			return e.Name() + ": " + complaint
		}
	}
	return ""
}

// like is an extent for which a program is also right for blocks of the given extent.
func like(block [3]uint32) [3]uint32 {
	switch {
	case block[0]%32 != 0:
	case block[1] == 1 && block[2] == 1:
		return [3]uint32{96, 1, 1}
	case block[2] == 1:
		return [3]uint32{64, 5, 1}
	}
	return block
}

func (c trial) differenceOn(t testing.TB, e engine.Engine, want result) string {
	for i, o := range []engine.Options{{}, {Block: like(c.block)}} {
		w := wayOf(c.seed, uint64(i))
		w.together = w.together && !c.faults // else another block may be at fault first
		have := c.run(t, e, o, w)
		where := fmt.Sprintf("grid %v, block %v, specialised for %v, %v", c.grid, c.block, o.Block, w)
		if have.err != nil {
			return have.err.Error()
		}
		if complaint := faultsDiffer(have.fault, want.fault); complaint != "" {
			return fmt.Sprintf("%s: %s", complaint, where)
		}
		if want.fault != nil {
			continue // how far other warps had come is open
		}
		for i := range len(want.bytes) / 4 {
			if h, w := binary.LittleEndian.Uint32(have.bytes[4*i:]), binary.LittleEndian.Uint32(want.bytes[4*i:]); h != w {
				return fmt.Sprintf("have %#x, want %#x: %s, word %d", h, w, where, i)
			}
		}
	}
	return ""
}

// faultsDiffer says in what two faults differ that end the same launch.
func faultsDiffer(have, want *engine.Fault) string {
	if (have == nil) != (want == nil) {
		return fmt.Sprintf("have fault %+v, want %+v", have, want)
	}
	if want == nil || have.Code == want.Code && have.Block == want.Block && have.Thread == want.Thread && have.Pos.PTXLine == want.Pos.PTXLine && have.Access == want.Access {
		return ""
	}
	return fmt.Sprintf("have fault %+v, want %+v", *have, *want)
}

var (
	duration = flag.Duration("differential", 0, "for how long TestDifferential compares engines; every operation must come often then")
	which    = flag.String("engines", "", "the engines that TestDifferential compares with the reference, with commas; empty is all")
)

// enough is how often a run of at least enoughIn has to execute each form of instruction that compiled engines have code
// for; shorter runs the less. A run beside others, which do not leave it the processors, has patience times as long for that.
const (
	enough   = 1000
	enoughIn = 10 * time.Minute
	patience = 3
)

// TestDifferential compares the engines on random kernels: 60, in short runs 8, or for as long as it is told.
func TestDifferential(t *testing.T) {
	kernels := uint64(60)
	if testing.Short() {
		kernels = 8
	}
	if *duration > 0 {
		defer unsettled()()
	}
	executed := map[string]uint64{}
	native := nativeForms(t)
	asked := uint64(enough * min(1, duration.Seconds()/enoughIn.Seconds()))
	rare := func() (list []string) {
		for _, form := range native {
			if executed[form] < asked {
				list = append(list, fmt.Sprintf("%s: %d", form, executed[form]))
			}
		}
		return list
	}
	first, begun := rand.Uint64N(1<<40), time.Now()
	n := uint64(0)
	for ; n < kernels || time.Since(begun) < *duration || time.Since(begun) < patience**duration && len(rare()) > 0; n++ {
		differ(t, first+n, executed)
	}
	if *duration == 0 {
		return
	}
	total := uint64(0)
	for _, k := range executed {
		total += k
	}
	t.Logf("%d kernels, %d operations of threads, %d forms of instructions", n, total, len(executed))
	least := slices.MinFunc(native, func(a, b string) int { return int(executed[a]) - int(executed[b]) })
	t.Logf("%d of %d native forms came %d times or more; the rarest, %s, %d times", len(native)-len(rare()), len(native), asked, least, executed[least])
	require.Empty(t, rare(), "threads that executed each form: at least %d", asked)
}

func FuzzDifferential(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { differ(t, seed, map[string]uint64{}) })
}

// nativeList has a line for each form of instruction that the run files execute on AVX-512: native, or in Go.
const nativeList = "testdata/native-avx512.txt"

// nativeForms are those that the list calls native.
func nativeForms(t *testing.T) (forms []string) {
	list, err := os.ReadFile(nativeList)
	require.NoError(t, err)
	for line := range strings.Lines(string(list)) {
		if form, how, _ := strings.Cut(strings.TrimSpace(line), " "); how == "native" {
			forms = append(forms, form)
		}
	}
	return forms
}
