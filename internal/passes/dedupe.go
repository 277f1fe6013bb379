package passes

import (
	"github.com/tandem-go/tandem/internal/ir"
)

// dedupe keeps one of several computations of what cannot change while the kernel runs, where one dominates the other:
// loads of parameters, special registers other than clocks, addresses, and extensions of one value. Constants are left
// where they are: to make one again is cheaper than to keep it.
func dedupe(c *context) {
	d := deduper{replacer: newReplacer(c.f), tree: ir.NewDomTree(c.f), seen: map[expression]*ir.Instr{}}
	d.block(c.f.Blocks[0])
	d.apply()
}

// expression identifies what an instruction computes.
type expression struct {
	op      ir.Op
	as      ir.Type
	from    ir.Type
	mods    ir.Mods
	imm     uint64
	index   int
	arg     *ir.Value
	results int
	result  ir.Type
}

type deduper struct {
	*replacer
	tree *ir.DomTree
	seen map[expression]*ir.Instr
}

// block handles b and what it dominates.
func (d *deduper) block(b *ir.Block) {
	var mine []expression
	for _, in := range b.Instrs {
		d.uses(in)
		e, ok := same(in)
		if !ok {
			continue
		}
		first := d.seen[e]
		if first == nil {
			d.seen[e] = in
			mine = append(mine, e)
			continue
		}
		for i, r := range in.Results {
			d.replace(r, first.Results[i])
		}
	}
	for _, c := range d.tree.Children[b.Order] {
		d.block(c)
	}
	for _, e := range mine {
		delete(d.seen, e)
	}
}

// same returns the expression of in if it gives the same wherever in the kernel it stands.
func same(in *ir.Instr) (e expression, ok bool) {
	switch in.Op {
	case ir.OpSpecial:
		switch ir.SReg(in.Index) {
		case ir.Clock, ir.ClockHi, ir.Clock64, ir.Globaltimer, ir.GlobaltimerLo, ir.GlobaltimerHi:
			return e, false
		}
	case ir.OpLoad:
		if in.Space != ir.SpaceParam || in.Guard != nil {
			return e, false
		}
		base, constantBase := constant(in.Args[0])
		e.imm = base
		ok = constantBase
	case ir.OpSymbol, ir.OpFuncAddr, ir.OpCvta, ir.OpCvtaTo, ir.OpExtend:
	default:
		return e, false
	}
	if in.Op != ir.OpLoad && len(in.Args) == 1 {
		e.arg = in.Args[0]
	}
	if in.Op == ir.OpLoad && !ok {
		return e, false
	}
	e.op, e.as, e.from, e.mods, e.index = in.Op, in.As, in.From, in.Mods, in.Index
	e.imm += in.Imm
	e.results, e.result = len(in.Results), in.Results[0].Type
	for _, r := range in.Results {
		if r.Type != e.result {
			return e, false
		}
	}
	return e, true
}
