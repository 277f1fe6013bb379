package enginetest

import (
	"bytes"
	"fmt"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/rt"
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/mem"
)

// mode is a way to drive the blocks of a launch. What a launch computes may not depend on it.
type mode struct {
	name   string
	budget int
	// together keeps all blocks resident and gives them turns; otherwise one runs after the other.
	together bool
}

var modes = []mode{
	{"one by one", 1 << 30, false},
	{"in turns", 37, true},
}

// together are the ways for blocks that meet at the grid barrier, spinning those for blocks that spin until another has
// done something, which use up every budget.
var (
	together = []mode{{"in turns", 37, true}, {"in long turns", 1 << 30, true}}
	spinning = []mode{{"in turns", 37, true}, {"in longer turns", 5000, true}}
)

// variable is a module-scope variable with its contents at the start of a launch.
type variable struct {
	contents []byte
	// patch fixes addresses of variables in the contents.
	patch func(contents []byte, addresses map[string]uint64)
}

// executable is a kernel as an engine gets it.
type executable struct {
	kernel    *ir.Kernel
	variables map[string]variable
	// layout gives the offset of each parameter and the size of them all.
	layout func(args []argument) (offsets []int, size int)
	// cover, if not nil, counts what is executed.
	cover *engine.Coverage
}

// outcome is how a launch ended.
type outcome struct {
	fault   *engine.Fault
	printed string
	buffers [][]byte
}

// execute runs l on an engine. An error is about the launch or the engine; a fault of the kernel is in the outcome.
func execute(e engine.Engine, x executable, l launch, m mode) (*outcome, error) {
	space, err := mem.New(mem.Options{Limit: 1 << 26, Poison: true})
	if err != nil {
		return nil, err
	}
	defer space.Close()
	globals, err := x.place(space)
	if err != nil {
		return nil, err
	}
	p, err := e.Compile(x.kernel, engine.Options{Memory: space, Globals: globals})
	if err != nil {
		return nil, err
	}
	r := rt.New(rt.Config{Memory: space})
	params, buffers, err := arguments(space, r, x, l)
	if err != nil {
		return nil, err
	}
	shared := x.kernel.SharedBytes
	if align := max(x.kernel.SharedAlign, 1); l.shared > 0 {
		shared = (shared+align-1)/align*align + l.shared
	}
	run := &engine.Launch{
		ID: 7, Grid: l.grid, Block: l.block, SharedBytes: shared, DynamicBytes: l.shared,
		Params: params, Runtime: r, Workers: 2, Cover: x.cover,
	}
	var o outcome
	if o.fault, err = drive(space, p, run, m); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := r.Flush(&out); err != nil {
		return nil, err
	}
	o.printed = out.String()
	for _, b := range buffers {
		o.buffers = append(o.buffers, bytes.Clone(b))
	}
	return &o, nil
}

// place allocates the module-scope variables that the kernel names.
func (x executable) place(space *mem.Space) ([]uint64, error) {
	addresses := map[string]uint64{}
	views := map[string][]byte{}
	put := func(name string, size int) error {
		if _, ok := addresses[name]; ok {
			return nil
		}
		a, err := space.Alloc(uint64(max(size, 1)))
		if err != nil {
			return err
		}
		b, err := space.Bytes(a, uint64(size))
		if err != nil {
			return err
		}
		clear(b)
		addresses[name], views[name] = a, b
		return nil
	}
	for name, v := range x.variables {
		if err := put(name, len(v.contents)); err != nil {
			return nil, err
		}
	}
	var globals []uint64
	for _, g := range x.kernel.Globals {
		if err := put(g.Name, g.Size); err != nil {
			return nil, err
		}
		globals = append(globals, addresses[g.Name])
	}
	for name, v := range x.variables {
		copy(views[name], v.contents)
		if v.patch != nil {
			v.patch(views[name], addresses)
		}
	}
	return globals, nil
}

// arguments makes the buffers and the parameter block.
func arguments(space *mem.Space, r *rt.Runtime, x executable, l launch) (params []byte, buffers [][]byte, err error) {
	offsets, size := x.layout(l.args)
	if len(offsets) != len(l.args) {
		return nil, nil, fmt.Errorf("the kernel takes %d parameters, the line has %d", len(offsets), len(l.args))
	}
	params = make([]byte, size)
	for i, a := range l.args {
		at, size := params[offsets[i]:], a.as.Bytes()
		if a.buffer {
			n := uint64(len(a.values) * size)
			addr, err := space.Alloc(max(n, 1))
			if err != nil {
				return nil, nil, err
			}
			b, err := space.Bytes(addr, n)
			if err != nil {
				return nil, nil, err
			}
			put(at[:8], addr)
			if a.image != nil {
				put(at[:8], r.AddTexture(placed(*a.image, addr)))
			}
			buffers = append(buffers, b)
			at = b
		}
		for k, e := range a.values {
			if !e.any {
				put(at[k*size:][:size], e.bits)
			}
		}
	}
	return params, buffers, nil
}

func put(b []byte, bits uint64) {
	for i := range b {
		b[i] = byte(bits >> (8 * i))
	}
}

func get(b []byte) (bits uint64) {
	for i, x := range b {
		bits |= uint64(x) << (8 * i)
	}
	return bits
}

// maxRuns bounds how often blocks are given a turn: a launch that needs more does not end.
const maxRuns = 1_000_000

// drive runs all blocks as the host device would.
func drive(space *mem.Space, p engine.Program, l *engine.Launch, m mode) (*engine.Fault, error) {
	count := uint64(l.Grid[0]) * uint64(l.Grid[1]) * uint64(l.Grid[2])
	resident := uint64(1)
	if m.together {
		resident = count
	}
	windows := make([]engine.Windows, resident)
	for i := range windows {
		var err error
		if windows[i], err = reserve(space, p, l); err != nil {
			return nil, err
		}
	}
	for first := uint64(0); first < count; first += resident {
		blocks := make([]engine.Block, resident)
		for i := range blocks {
			blocks[i] = p.Block(l, first+uint64(i), windows[i])
		}
		fault, err := rotate(blocks, m.budget)
		for _, b := range blocks {
			b.Close()
		}
		if fault != nil || err != nil {
			return fault, err
		}
	}
	return nil, nil
}

// rotate gives blocks turns until all have ended.
func rotate(blocks []engine.Block, budget int) (*engine.Fault, error) {
	done := make([]bool, len(blocks))
	atGrid := make([]bool, len(blocks))
	for range maxRuns {
		left, waiting := 0, 0
		for i, b := range blocks {
			if done[i] {
				continue
			}
			left++
			if atGrid[i] {
				waiting++
				continue
			}
			state, fault := b.Run(budget)
			if fault != nil {
				return fault, nil
			}
			switch state {
			case engine.Done:
				done[i] = true
			case engine.AtGridBarrier:
				atGrid[i] = true
			case engine.Yielded:
			default:
				return nil, fmt.Errorf("Run returned state %d", state)
			}
		}
		if left == 0 {
			return nil, nil
		}
		if waiting == left {
			clear(atGrid)
		}
	}
	return nil, fmt.Errorf("the launch does not end")
}

// reserve makes the windows of one resident block, filled with a pattern that is not zero.
func reserve(space *mem.Space, p engine.Program, l *engine.Launch) (engine.Windows, error) {
	threads := int(l.Block[0] * l.Block[1] * l.Block[2])
	w := engine.Windows{LocalStride: (p.LocalBytes() + 15) / 16 * 16, Worker: 1}
	for _, r := range []struct {
		n  int
		to *uint64
	}{{l.SharedBytes, &w.Shared}, {threads * w.LocalStride, &w.Local}} {
		addr, err := space.Reserve(uint64(max(r.n, 1)))
		if err != nil {
			return w, err
		}
		mem.Fill(addr, uint64(r.n), mem.PoisonByte)
		*r.to = addr
	}
	return w, nil
}
