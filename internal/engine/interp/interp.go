// Package interp is the reference engine: it executes every kernel, on every platform, in an obvious way.
//
// A warp is a set of groups of converged lanes. A group stands at an instruction of a frame, and one step executes that
// instruction for all its lanes by the function that package ops has for it. Branches split groups; groups that come to
// the same instruction of the same frame merge. Values live in arrays of lanes, one for each value of a frame.
//
// The order in which groups run is part of the device's semantics (package engine): see schedule.go.
package interp

import (
	"fmt"
	"slices"
	"sync"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/ops"
	"github.com/tandem-go/tandem/internal/ir"
)

// New returns the engine.
func New() engine.Engine { return interp{} }

type interp struct{}

func (interp) Name() string { return "interp" }

// recursionBytes is the stack that a thread has for calls whose depth is not known before they are made. Each call takes
// at least frameBytes of it.
const (
	recursionBytes = 16 << 10
	frameBytes     = 16
)

// Compile chooses the function of each instruction. It fails if there is none, naming all operations that lack one.
func (interp) Compile(k *ir.Kernel, o engine.Options) (engine.Program, error) {
	p := newProgram(k)
	p.options = o
	for _, f := range k.FuncTable {
		p.table = append(p.table, p.funcs[slices.Index(k.Funcs, f)])
	}
	var errs compileErrors
	for i, f := range k.Funcs {
		p.funcs[i].compile(f, p.funcs, &errs)
	}
	if err := errs.err(k); err != nil {
		return nil, err
	}
	p.each(func(s *step) {
		s.number = p.steps
		p.steps++
	})
	p.pool.New = func() any { return newBlock(p) }
	return p, nil
}

// LocalBytes is that of the program that Compile makes of k, for engines that may need the program later.
func LocalBytes(k *ir.Kernel) int { return newProgram(k).localBytes }

// newProgram returns a program whose functions have no code yet.
func newProgram(k *ir.Kernel) *program {
	p := &program{kernel: k}
	for i, f := range k.Funcs {
		p.funcs = append(p.funcs, newFunction(f, i))
	}
	for i, f := range k.Funcs {
		p.funcs[i].calls(f, p.funcs)
	}
	p.localBytes = p.stack()
	return p
}

// compileErrors collects what is not supported, each once.
type compileErrors struct {
	seen  map[string]bool
	first []string
}

func (c *compileErrors) add(k *ir.Instr, err error) {
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	if !c.seen[err.Error()] {
		c.seen[err.Error()] = true
		c.first = append(c.first, fmt.Sprintf("line %d: %v", k.Pos.PTXLine, err))
	}
}

func (c *compileErrors) err(k *ir.Kernel) error {
	if len(c.first) == 0 {
		return nil
	}
	text := c.first[0]
	for _, s := range c.first[1:] {
		text += "; " + s
	}
	return fmt.Errorf("compile kernel %s: %s", k.Name, text)
}

// program is a kernel ready to run.
type program struct {
	kernel     *ir.Kernel
	options    engine.Options
	funcs      []*function
	table      []*function
	localBytes int
	steps      int // of all functions
	pool       sync.Pool
}

// each calls f for each step.
func (p *program) each(f func(*step)) {
	for _, fn := range p.funcs {
		for i := range fn.blocks {
			for j := range fn.blocks[i].steps {
				f(&fn.blocks[i].steps[j])
			}
		}
	}
}

// cover adds a block's counts.
func (p *program) cover(c *engine.Coverage, counts []uint64) {
	p.each(func(s *step) {
		if n := counts[s.number]; n > 0 {
			c.Add(s.in, n)
		}
	})
}

func (p *program) LocalBytes() int { return p.localBytes }

// stack is the local memory of a thread: the deepest chain of frames, or a fixed bound where that is not known.
func (p *program) stack() int {
	const unknown = -1
	depth := map[*function]int{}
	active := map[*function]bool{}
	var need func(f *function) int
	need = func(f *function) int {
		if d, ok := depth[f]; ok {
			return d
		}
		if active[f] || f.indirect {
			return unknown
		}
		active[f] = true
		most := 0
		for _, callee := range f.callees {
			n := need(callee)
			if n == unknown {
				return unknown
			}
			most = max(most, alignUp(f.frame, callee.align)+n)
		}
		active[f] = false
		depth[f] = max(f.frame, most)
		return depth[f]
	}
	n := need(p.funcs[0])
	if n == unknown {
		n = recursionBytes
		for _, f := range p.funcs {
			n += alignUp(f.frame, f.align)
		}
	}
	if n == frameBytes && p.funcs[0].fn.LocalBytes == 0 {
		return 0
	}
	return alignUp(n, frameBytes)
}

func alignUp(n, align int) int { return (n + align - 1) / align * align }

// function is the executable form of one function.
type function struct {
	fn       *ir.Func
	index    int
	blocks   []block
	params   []int32
	frame    int // bytes of local memory that an activation takes
	align    int
	callees  []*function
	indirect bool
}

// block is a basic block.
type block struct {
	order int
	steps []step
}

// step is an instruction with its operands as indices of the frame's values.
type step struct {
	kind    kind
	run     ops.Func
	args    []int32
	results []int32
	guard   int32 // -1: none
	member  int32 // index in args of the member mask, -1: none
	edges   []edge
	callee  *function
	in      *ir.Instr
	number  int // in the program
}

// kind says who executes a step.
type kind uint8

const (
	plain kind = iota // its function
	meet              // its function, after the lanes of its member mask have met
	bar
	gridSync
	call
	callIndirect
	jump
	branch
	multiway
	ret
	exit
)

var kinds = map[ir.Op]kind{
	ir.OpBar: bar, ir.OpGridSync: gridSync, ir.OpCall: call, ir.OpCallIndirect: callIndirect, ir.OpBr: jump,
	ir.OpCondBr: branch, ir.OpSwitch: multiway, ir.OpRet: ret, ir.OpExit: exit,
}

// edge is a way to a block with the values that its parameters get.
type edge struct {
	to           *block
	params, args []int32
	back         bool // does not go forward in reverse post-order
	through      bool // a parameter is also an argument: copy through temporaries
}

func newFunction(f *ir.Func, index int) *function {
	fn := &function{fn: f, index: index, align: max(frameBytes, f.LocalAlign)}
	fn.frame = max(frameBytes, alignUp(f.LocalBytes, frameBytes))
	return fn
}

func ids(values []*ir.Value) []int32 {
	out := make([]int32, len(values))
	for i, v := range values {
		out[i] = int32(v.ID)
	}
	return out
}

// calls finds out what f calls.
func (fn *function) calls(f *ir.Func, funcs []*function) {
	for _, b := range f.Blocks {
		for _, in := range b.Instrs {
			switch in.Op {
			case ir.OpCall:
				fn.callees = append(fn.callees, funcs[in.Index])
			case ir.OpCallIndirect:
				fn.indirect = true
			}
		}
	}
}

func (fn *function) compile(f *ir.Func, funcs []*function, errs *compileErrors) {
	fn.blocks, fn.params = make([]block, len(f.Blocks)), ids(f.Params)
	for i := range fn.blocks {
		fn.blocks[i].order = i
	}
	for i, b := range f.Blocks {
		for _, in := range b.Instrs {
			s := step{in: in, args: ids(in.Args), results: ids(in.Results), guard: -1, member: -1}
			if in.Guard != nil {
				s.guard = int32(in.Guard.ID)
			}
			s.kind = kinds[in.Op]
			switch s.kind {
			case plain:
				if m := ops.MemberMask(in); m >= 0 {
					s.kind, s.member = meet, int32(m)
				}
				var err error
				if s.run, err = ops.Compile(in); err != nil {
					errs.add(in, err)
				}
			case call:
				s.callee = funcs[in.Index]
			}
			for _, e := range in.Targets {
				s.edges = append(s.edges, newEdge(e, &fn.blocks[e.To.Order], i))
			}
			fn.blocks[i].steps = append(fn.blocks[i].steps, s)
		}
	}
}

func newEdge(e ir.Edge, to *block, from int) edge {
	out := edge{to: to, back: to.order <= from}
	isParam := map[*ir.Value]bool{}
	for _, v := range e.To.Params {
		isParam[v] = true
	}
	for i, v := range e.Args {
		if v == e.To.Params[i] {
			continue
		}
		out.params = append(out.params, int32(e.To.Params[i].ID))
		out.args = append(out.args, int32(v.ID))
		out.through = out.through || isParam[v]
	}
	return out
}
