package array

import (
	"context"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/internal/expr"
)

// eval stores n.
func (n *node) eval(ctx context.Context) error {
	if err := n.ws.usable(); err != nil {
		return err
	}
	switch {
	case n.state == stored:
		return nil
	case n.state == view:
		base := n.args[0]
		if err := base.eval(ctx); err != nil {
			return err
		}
		l := n.lay
		l.off += base.lay.off
		n.store(base.st, l)
		return nil
	case n.state == call:
		return n.do(ctx)
	case size(n.shape) == 0:
		n.store(&storage{}, contiguous(n.shape))
		return nil
	case n.state == compute:
		return n.compute(ctx, nil)
	}
	return n.copyTo(ctx, nil)
}

// target is memory that a result is written to in place.
type target struct {
	st  *storage
	lay layout
}

// copyTo writes n, which is stored or a leaf by its nature, to a target, or stores it.
func (n *node) copyTo(ctx context.Context, into *target) error {
	op := "copy"
	if n.state == index {
		op = expr.Cast
	}
	return n.ws.single(ctx, step{op, n, []*node{n}}, into)
}

// compute writes n, which is a compute node, to a target, or stores it: as one kernel with what it is computed from, or
// step by step.
func (n *node) compute(ctx context.Context, into *target) error {
	g, err := n.gather(ctx)
	if err != nil {
		return err
	}
	if n.state == stored {
		if into == nil {
			return nil
		}
		return n.copyTo(ctx, into)
	}
	ws := n.ws
	outputs := g.outputs()
	p := &plan{s: g.structure(outputs), shape: g.shape, outputs: outputs, leaves: g.leaves}
	uniform := p.lay(into)
	key := p.s.Key()
	if (len(g.nodes) > 1 || uniform) && ws.mayFuse(&p.s, key, size(p.shape)) {
		f, err := ws.compile(ctx, &p.s, key, "")
		if err != nil {
			return err
		}
		if f != nil {
			ws.stats.Fused++
			return ws.start(f, p, into)
		}
	}
	for _, m := range g.nodes {
		to := into
		if m != n {
			to = nil
		}
		if m.state == stored {
			continue
		}
		if err := ws.single(ctx, step{m.op, m, m.args}, to); err != nil {
			return err
		}
	}
	return nil
}

// step is one operation: out is op of args.
type step struct {
	op   string
	out  *node
	args []*node
}

// single runs an operation by an embedded kernel.
func (ws *Workspace) single(ctx context.Context, st step, into *target) error {
	p := &plan{shape: st.out.shape, outputs: []*node{st.out}, leaves: append([]*node(nil), st.args...)}
	n := expr.Node{Op: st.op, Type: st.out.typ}
	for i, a := range p.leaves {
		n.Args = append(n.Args, i)
		if a.state == view { // of a constant: gather has computed others
			p.leaves[i] = a.args[0]
		}
	}
	p.s = expr.Structure{Leaves: kindsOf(p.leaves), Nodes: []expr.Node{n}, Outputs: []int{len(p.leaves)}}
	p.canonical()
	uniform := p.lay(into)
	if uniform || p.s.Strided || !p.s.IsEmbedded() {
		// Embedded kernels know only constants that are few, and only in flat arrays. Memory holds the others.
		if err := p.toMemory(ctx); err != nil {
			return err
		}
		if p.lay(into) {
			p.strided()
		}
	}
	group, name, _ := p.s.Name()
	f, err := ws.embedded(ctx, group, name)
	if err != nil {
		return err
	}
	return ws.start(f, p, into)
}

// plan is a kernel's structure with its operands.
type plan struct {
	s       expr.Structure
	shape   []int
	outputs []*node
	leaves  []*node
	walk    walk
}

// canonical swaps the arguments of an operation whose constant comes first, where there is an operation for that.
func (p *plan) canonical() {
	n := &p.s.Nodes[0]
	if len(p.leaves) != 2 || p.s.Leaves[0].Kind != expr.Const || p.s.Leaves[1].Kind == expr.Const {
		return
	}
	if op := expr.Lookup(n.Op).Swapped(); op != nil {
		n.Op = op.Name
		p.s.Leaves[0], p.s.Leaves[1] = p.s.Leaves[1], p.s.Leaves[0]
		p.leaves[0], p.leaves[1] = p.leaves[1], p.leaves[0]
	}
}

// lay finds out how the operands lie: flat, which means contiguous or one element for all, or strided. It reports whether
// operands of a flat structure are uniform.
func (p *plan) lay(into *target) (uniform bool) {
	var operands [][]int
	for i := range p.outputs {
		l := contiguous(p.shape)
		if i == 0 && into != nil {
			l = into.lay
		}
		operands = append(operands, l.strides)
	}
	for _, n := range p.leaves {
		if n.state == stored {
			operands = append(operands, n.lay.stretch(n.shape, p.shape).strides)
		}
	}
	p.walk = merged(p.shape, operands)
	if !p.walk.isFlat(len(p.outputs)) {
		p.strided()
		return false
	}
	p.s.Strided = false
	k := len(p.outputs)
	for i, n := range p.leaves {
		if n.state != stored {
			continue
		}
		if s := p.walk.strides[k]; len(s) == 1 && s[0] == 0 {
			p.s.Leaves[i].Kind = expr.Uniform
			uniform = true
		}
		k++
	}
	return uniform
}

// strided makes the structure strided, where all memory is walked.
func (p *plan) strided() {
	p.s.Strided = true
	for i := range p.leaves {
		if p.s.Leaves[i].Kind == expr.Uniform {
			p.s.Leaves[i].Kind = expr.Array
		}
	}
}

// toMemory stores constants and numbers.
func (p *plan) toMemory(ctx context.Context) error {
	for i, n := range p.leaves {
		switch n.state {
		case konst:
			one := n.ws.konst(n.typ, nil, n.con)
			if err := one.eval(ctx); err != nil {
				return err
			}
			p.leaves[i] = one
		case index:
			if err := n.eval(ctx); err != nil {
				return err
			}
		}
		p.s.Leaves[i].Kind = expr.Array
	}
	return nil
}

// start allocates the outputs, launches the kernel and stores the nodes. With a target the first output is written there,
// and its node stays as it is.
func (ws *Workspace) start(f *cuda.Function, p *plan, into *target) error {
	outs := make([]target, len(p.outputs))
	for i, n := range p.outputs {
		if i == 0 && into != nil {
			outs[i] = *into
			continue
		}
		mem, err := ws.alloc(n.typ, size(p.shape))
		if err != nil {
			return err
		}
		outs[i] = target{mem, contiguous(p.shape)}
	}
	args, grid, block, err := ws.arguments(p, outs)
	if err != nil {
		return err
	}
	if err := ws.launch(f, grid, block, args); err != nil {
		return err
	}
	for i, n := range p.outputs {
		if i > 0 || into == nil {
			n.store(outs[i].st, outs[i].lay)
		}
	}
	return nil
}

// arguments are those of an element-wise kernel: shape, outputs, leaves.
func (ws *Workspace) arguments(p *plan, outs []target) (args []any, grid, block cuda.Dim3, err error) {
	var strides []kernelStrides
	if p.s.Strided {
		sp, list, err := p.walk.space()
		if err != nil {
			return nil, grid, block, err
		}
		strides = list
		args = append(args, sp)
		grid, block = ws.rows(&sp)
	} else {
		n := size(p.shape)
		args = append(args, uint64(n))
		grid, block = ws.flat(n)
	}
	k := 0
	memory := func(n *node, st *storage, off int) error {
		buf, err := st.at(n.typ, off)
		if err != nil {
			return err
		}
		args = append(args, buf)
		if p.s.Strided {
			args = append(args, strides[k])
		}
		k++
		return nil
	}
	for i, n := range p.outputs {
		if err := memory(n, outs[i].st, outs[i].lay.off); err != nil {
			return nil, grid, block, err
		}
	}
	for _, n := range p.leaves {
		switch n.state {
		case konst:
			args = append(args, argument(n.con))
		case stored:
			if err := memory(n, n.st, n.lay.off); err != nil {
				return nil, grid, block, err
			}
		}
	}
	return args, grid, block, nil
}

// argument is a constant as a kernel takes it.
func argument(v any) any {
	switch x := v.(type) {
	case bool:
		if x {
			return uint8(1)
		}
		return uint8(0)
	case Float16: // a structure of two bytes
		return [1]uint16{uint16(x)}
	}
	return v
}
