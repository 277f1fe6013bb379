//go:build linux && (amd64 || arm64)

package jit

import (
	"slices"

	"github.com/tandem-go/tandem/internal/ir"
)

// atomicValues are what an atomic operation reads and writes lane by lane: operands, the second of a cas, old values.
const (
	atomicFirst  = frameLoop + 64
	atomicSecond = frameLoop + 128
	atomicOld    = frameLoop + 192
)

// atomic emits atom and red, lane by lane; false if it has no code.
func (e *quarterEmitter) atomic(in *ir.Instr) bool {
	op := ir.AtomicOp(in.Sub)
	if !in.As.Integer() || in.As.Bits() < 32 || op == ir.AtomInc || op == ir.AtomDec || in.Space == ir.SpaceConst {
		return false
	}
	for _, r := range in.Results {
		if c := e.of(r).class; c != vector && c != unused {
			return false
		}
	}
	x, ok := e.access(in, in.Args[1:2], siteAccess)
	if !ok {
		return false
	}
	e.guard(x)
	if x.far() {
		e.checkLanes(x)
	} else {
		e.check(x)
	}
	wide := in.As.Bits() == 64
	answered := slices.ContainsFunc(in.Results, func(r *ir.Value) bool { return e.of(r).uses > 0 })
	if operation, ok := plainAtomics[op]; ok && !wide && in.Space == ir.SpaceShared && !answered {
		e.everyQuarter(func(int) { e.reduceLanes(x, operation) })
		e.endAtomic(x)
		return true
	}
	e.everyQuarter(func(q int) {
		e.addresses(x)
		e.laneWord(x, third)
		if q > 0 {
			e.shiftImm(shiftRight, false, third, uint8(8*q))
		}
		e.store(4, frameAt(frameSlow), third)
		for i, at := range []int32{atomicFirst, atomicSecond}[:len(in.Args)-1] {
			v := e.of(in.Args[1+i])
			for n := range e.partsOfOperand(v) {
				e.vstore(frameAt(at+32*int32(n)), e.bitsOf(v, n))
			}
		}
		z := e.pool.take()
		e.zero(z)
		e.vstore(frameAt(atomicOld), z)
		e.vstore(frameAt(atomicOld+32), z)
		e.pool.endPart()
		e.eachAtomicLane(x, func(l int) { e.atomicLane(in, op, wide, int32(in.As.Bytes()*l), int32(x.offset)) })
		for _, r := range in.Results {
			v := e.of(r)
			for n := range e.partsOf(v) {
				d := e.result()
				e.vload(d, frameAt(atomicOld+32*int32(n)))
				e.done(v, n, d)
				e.pool.endPart()
			}
		}
	})
	e.endAtomic(x)
	return true
}

// endAtomic emits the end of an atomic operation.
func (e *quarterEmitter) endAtomic(x *access8) {
	e.concludeAccess(x, nil)
	if x.in.Guard == nil {
		return
	}
	e.cold = append(e.cold, func() {
		e.bind(x.none)
		e.set(acc, 0)
		for _, r := range x.in.Results {
			e.pool.begin(e, nil)
			e.scalarOut(e.of(r), acc)
		}
		e.jump(x.done)
	})
}

// plainAtomics are the operations that one instruction does.
var plainAtomics = map[ir.AtomicOp]aluOp{ir.AtomAdd: aluAdd, ir.AtomAnd: aluAnd, ir.AtomOr: aluOr, ir.AtomXor: aluXor}

// reduceLanes is an operation without an answer on shared memory, which one goroutine has for itself.
func (e *quarterEmitter) reduceLanes(x *access8, op aluOp) {
	v := e.of(x.in.Args[1])
	e.addresses(x)
	e.pool.endPart()
	if v.class == constant {
		e.set(acc, v.imm)
	} else {
		e.setLanes(v, laneValues)
	}
	e.eachLane(func(l int) {
		if v.class != constant {
			e.load(acc, 4, frameAt(laneValues+4*int32(l)))
		}
		e.memALU(op, place{second, int32(x.offset)}, acc)
	})
}

// eachAtomicLane is eachLane for the lanes in frameSlow.
func (e *quarterEmitter) eachAtomicLane(x *access8, f func(lane int)) {
	for l := range 8 {
		next := e.newLabel()
		e.load(acc, 4, frameAt(frameSlow))
		e.aluImm(aluAnd, false, acc, 1<<l)
		e.test(acc, acc)
		e.branch(ifEqual, next)
		e.load(second, 8, frameAt(frameLoop+8*int32(l)))
		f(l)
		e.bind(next)
	}
}

// atomicLane is the operation of one lane, whose address is in second and whose operands are at a distance.
func (e *quarterEmitter) atomicLane(in *ir.Instr, op ir.AtomicOp, wide bool, at, disp int32) {
	n, m := in.As.Bytes(), place{second, disp}
	again, ready := e.newLabel(), e.newLabel()
	operand := frameAt(atomicFirst + at)
	e.load(acc, n, m)
	e.bind(again)
	switch op {
	case ir.AtomAdd, ir.AtomAnd, ir.AtomOr, ir.AtomXor:
		e.move(third, acc)
		e.aluMem(plainAtomics[op], wide, third, operand)
	case ir.AtomMin, ir.AtomMax:
		c := map[bool]map[ir.AtomicOp]condCode{true: {ir.AtomMin: ifLess, ir.AtomMax: ifGreater}, false: {ir.AtomMin: ifBelow, ir.AtomMax: ifAbove}}[in.As.Signed()][op]
		e.load(third, n, operand)
		e.compare(wide, acc, third)
		e.moveIf(c, third, acc)
	case ir.AtomExch:
		e.load(third, n, operand)
	default: // cas
		e.compareMem(wide, acc, operand)
		e.branch(ifNot, ready)
		e.load(third, n, frameAt(atomicSecond+at))
	}
	e.compareAndSwap(wide, m, again)
	e.bind(ready)
	if len(in.Results) > 0 {
		e.store(n, frameAt(atomicOld+at), acc)
	}
}
