package jit

import (
	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// This file compiles the branches that decide.go finds. A warp of which the comparisons tell at a barrier that nothing is left
// to do ends there.

// decide emits jumps to all or none where the comparison holds for all lanes or for none, and else computes it for each.
func (e *emitter) decide(in *ir.Instr, all, none amd64.Label) {
	e.ask(in, all, none)
	e.setp(in)
	e.giveBack()
}

// decideJoint is decide for several conditions.
func (e *emitter) decideJoint(j *joint, all, none amd64.Label) {
	for _, v := range j.flags {
		r := e.scalarIn(e.of(v), amd64.RAX)
		e.TestRR(amd64.W32, r, r)
		if j.op == ir.OpOr {
			e.Jcc(amd64.NE, all)
		} else {
			e.Jcc(amd64.E, none)
		}
	}
	some := e.NewLabel()
	for i, in := range j.comparisons {
		last, next := i == len(j.comparisons)-1, e.NewLabel()
		switch {
		case last:
			e.ask(in, all, none)
		case j.op == ir.OpOr:
			e.ask(in, all, next)
		default:
			e.ask(in, next, none)
		}
		if !last {
			e.Jmp(some)
			e.Bind(next)
		}
	}
	e.Bind(some)
	for _, in := range j.instrs {
		e.instruction(in)
	}
}

// ask emits jumps to all or none where the comparison holds for all lanes or for none.
func (e *emitter) ask(in *ir.Instr, all, none amd64.Label) {
	const ax = amd64.RAX
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

// retire ends a warp at a barrier behind which it has nothing to do. All its lanes are there.
func (e *emitter) retire() {
	way, ok := e.p.idleBehind(e.block, e.pc, e.start+2*e.pc+1)
	if !ok || e.o.Count {
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
