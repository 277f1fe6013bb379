package jit

import (
	"slices"

	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// This file compiles the branches that decide.go finds. A warp of which the comparisons tell at a barrier that nothing is left
// to do ends there.

// verdict is what a comparison of the first or last lane says of the whole warp.
type verdict struct {
	last bool // of the last lane
	how  ir.Cmp
	all  bool // holds for all lanes then, else for none
}

var verdicts = map[ir.Cmp][]verdict{
	ir.Lt: {{true, ir.Lt, true}, {false, ir.Ge, false}},
	ir.Le: {{true, ir.Le, true}, {false, ir.Gt, false}},
	ir.Gt: {{false, ir.Gt, true}, {true, ir.Le, false}},
	ir.Ge: {{false, ir.Ge, true}, {true, ir.Lt, false}},
	ir.Eq: {{false, ir.Gt, false}, {true, ir.Lt, false}},
	ir.Ne: {{false, ir.Gt, true}, {true, ir.Lt, true}},
}

// decide emits jumps to all or none where the comparison holds for all lanes or for none, and else computes it for each.
func (e *emitter) decide(in *ir.Instr, all, none amd64.Label) {
	const ax, cx = amd64.RAX, amd64.RCX
	x, y, how := e.p.sides(in)
	w := amd64.Width(in.From.Bits() / 8)
	_, most := x.span()
	for _, v := range verdicts[how] {
		r := e.scalarIn(x, ax)
		if v.last {
			e.Lea(w, ax, amd64.At(r, int32(most)))
			r = ax
		}
		e.compareWithScalar(w, r, y)
		c := *in
		c.Cmp = v.how
		to := none
		if v.all {
			to = all
		}
		e.Jcc(condition(&c), to)
	}
	e.setp(in)
	e.giveBack()
}

// compareWithScalar sets the flags of r less b.
func (e *emitter) compareWithScalar(w amd64.Width, r amd64.Reg, b *value) {
	switch {
	case b.class == constant && w == amd64.W32:
		e.AluRI(w, amd64.CMP, r, int32(uint32(b.imm)))
	case b.class == constant && int64(b.imm) == int64(int32(b.imm)):
		e.AluRI(w, amd64.CMP, r, int32(b.imm))
	default:
		e.AluRR(w, amd64.CMP, r, e.scalarIn(b, amd64.RCX))
	}
}

// idle says that a warp whose lanes all have v, which is not negative, at a number or above it does nothing more.
type idle struct {
	v    *ir.Value // nil: no warp does
	from int64
}

// idleFrom finds out of which warps nothing is left to do from instruction k of b on: those that the comparisons there lead
// to the end past nothing but barriers.
func (e *emitter) idleFrom(b *ir.Block, k int) (way idle, ok bool) {
	for steps := 0; steps < len(e.p.f.Blocks); steps++ {
		t := b.Terminator()
		for _, in := range b.Instrs[k : len(b.Instrs)-1] {
			if in.Op.Effect() && !plainBarrier(in) {
				return idle{}, false
			}
		}
		next := ir.Edge{}
		switch {
		case t.Op == ir.OpRet || t.Op == ir.OpExit:
			return way, way.v != nil
		case len(t.Targets) == 1:
			next = t.Targets[0]
		case t.Op == ir.OpCondBr && len(b.Instrs) > k+1 && e.p.decided[b.Instrs[len(b.Instrs)-2]]:
			in := b.Instrs[len(b.Instrs)-2]
			v, from, holds, ok := e.above(in)
			if !ok || way.v != nil && way.v != v {
				return idle{}, false
			}
			way = idle{v, max(way.from, from)}
			next = t.Targets[1-btoi(holds)]
		}
		if next.To == nil || next.To.Order <= b.Order {
			return idle{}, false
		}
		b, k = next.To, 0
	}
	return idle{}, false
}

// above says for which lanes a comparison of a number that is not negative with a constant is the same for all greater
// numbers: from that on, and what it is there.
func (e *emitter) above(in *ir.Instr) (v *ir.Value, from int64, holds, ok bool) {
	v, c := in.Args[0], in.Args[1]
	if e.of(v).uniform() {
		v, c = c, v
	}
	_, y, how := e.p.sides(in)
	n := int64(int32(y.imm))
	if y.class != constant || in.From.Bits() != 32 || n < 0 || e.p.boundsOf(v).most > 1<<30 || n > 1<<30 {
		return nil, 0, false, false
	}
	switch how {
	case ir.Gt, ir.Ne:
		return v, n + 1, true, true
	case ir.Ge:
		return v, n, true, true
	case ir.Lt:
		return v, n, false, true
	}
	return v, n + 1, false, true // ≤, =
}

// retire ends a warp at a barrier behind which it has nothing to do. All its lanes are there.
func (e *emitter) retire() {
	way, ok := e.idleFrom(e.block, e.pc+1)
	at := e.start + 2*e.pc + 1
	if !ok || e.o.Count || !e.p.waits[e.block.Order].empty() || !slices.ContainsFunc(e.of(way.v).segs, func(s segment) bool { return s.first <= at && at <= s.last }) {
		return
	}
	e.retires = true
	e.AluRI(amd64.W32, amd64.CMP, e.scalarIn(e.of(way.v), amd64.RAX), int32(way.from))
	e.Jcc(amd64.GE, e.done)
}

// shrink leaves out the last warps of a block that have ended.
func (e *emitter) shrink() {
	const ax, cx = amd64.RAX, amd64.RCX
	again, done := e.NewLabel(), e.NewLabel()
	e.MovRM(amd64.W64, ax, amd64.At(blockReg, areaEnd))
	e.MovRM(amd64.W64, cx, amd64.At(blockReg, areaFirst))
	e.Bind(again)
	e.AluRI(amd64.W64, amd64.SUB, ax, e.frame)
	e.AluRR(amd64.W64, amd64.CMP, ax, cx)
	e.Jcc(amd64.E, done)
	e.AluMI(amd64.W32, amd64.CMP, amd64.At(ax, frameState), stateEnded)
	e.Jcc(amd64.E, again)
	e.Bind(done)
	e.AluRI(amd64.W64, amd64.ADD, ax, e.frame)
	e.MovMR(amd64.W64, amd64.At(blockReg, areaEnd), ax)
}
