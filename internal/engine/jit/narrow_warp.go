//go:build linux && (amd64 || arm64)

package jit

import (
	"github.com/tandem-go/tandem/internal/engine/ops"
	"github.com/tandem-go/tandem/internal/ir"
)

// vote emits a vote of the whole warp; false if it has no code.
func (e *quarterEmitter) vote(in *ir.Instr) bool {
	v, p := e.of(in.Results[0]), e.of(in.Args[0])
	run, err := ops.Compile(in)
	if err != nil || !e.p.uniformVote(in) || v.class == mask {
		return false
	}
	out, back := e.newLabel(), e.newLabel()
	e.load(third, 4, frameAt(frameLive))
	e.compare(false, third, curGen)
	e.branch(ifNot, out)
	e.leaveTo(out, back, site{kind: siteEscape, in: in, run: run, member: ops.MemberMask(in)})
	e.move32(acc, e.wordIn(p, acc))
	e.alu(aluAnd, false, acc, curGen)
	switch ir.VoteMode(in.Sub) {
	case ir.VoteAll:
		e.compare(false, acc, curGen)
		e.setIf(ifEqual, acc)
	case ir.VoteAny:
		e.test(acc, acc)
		e.setIf(ifNot, acc)
	case ir.VoteUni:
		e.compare(false, acc, curGen)
		e.setIf(ifEqual, second)
		e.test(acc, acc)
		e.setIf(ifEqual, acc)
		e.alu(aluOr, false, acc, second)
	}
	e.scalarOut(v, acc)
	e.bind(back)
	return true
}

// shuffle emits a shuffle of a full warp in segments of 32 lanes; false if it has no code. When a lane is missing it is
// executed in Go.
func (e *quarterEmitter) shuffle(in *ir.Instr) bool {
	v, inside := e.of(in.Results[0]), e.of(in.Results[1])
	a, b, c := e.arg(in, 0), e.arg(in, 1), e.arg(in, 2)
	run, err := ops.Compile(in)
	if err != nil || in.Guard != nil || c.class != constant || c.imm>>8&31 != 0 || v.class != vector && v.class != unused || inside.class == flag {
		return false
	}
	out, back := e.newLabel(), e.newLabel()
	e.compareImm(false, curGen, -1)
	e.branch(ifNot, out)
	e.leaveTo(out, back, site{kind: siteEscape, in: in, run: run, member: ops.MemberMask(in)})
	from := frameAt(a.home.slot)
	if a.class != vector || a.nan {
		from = frameAt(frameLoop)
		e.everyQuarter(func(q int) { e.vstore(from.plus(int32(32*q)), e.bitsOf(a, 0)) })
	}
	clamp := e.all(false, c.imm&31)
	e.everyQuarter(func(q int) {
		lane, to, m, t := e.pool.take(), e.pool.take(), e.pool.take(), e.pool.take()
		e.vload(lane, e.vectorOf(false, func(l int) uint64 { return uint64(8*q + l) }))
		e.op2(vAnd, false, t, e.bitsOf(b, 0), e.all(false, 31))
		e.vload(m, clamp.at)
		switch ir.ShuffleMode(in.Sub) {
		case ir.ShflUp:
			e.op2(vSub, false, to, lane, inReg(t))
			e.op2(vGreater, false, m, m, inReg(to))
		case ir.ShflDown:
			e.op2(vAdd, false, to, lane, inReg(t))
			e.op2(vGreater, false, m, to, clamp)
		case ir.ShflBfly:
			e.op2(vXor, false, to, lane, inReg(t))
			e.op2(vGreater, false, m, to, clamp)
		default:
			e.vmove(to, t)
			e.op2(vGreater, false, m, to, clamp)
		}
		// m is where there is no such lane: those keep their own.
		e.blend(to, m, lane, to)
		e.shiftVector(shiftLeft, false, to, to, 2)
		if v.class == vector {
			d := e.result()
			e.vload(t, e.all(false, 0xffffffff).at)
			e.gather(d, from, 0, to, t)
			e.done(v, 0, d)
		}
		if inside.class == mask {
			e.op2(vXor, false, m, m, e.all(false, 0xffffffff))
			e.done(inside, 0, m)
		}
	})
	e.mergeWords()
	e.pool.drop()
	e.bind(back)
	return true
}
