//go:build linux && (amd64 || arm64)

package jit

import "github.com/tandem-go/tandem/internal/ir"

// halfLanes is how many lanes of a warp are looked at together for whether their addresses follow each other: a row of the blocks
// that are narrower than a warp, most of which are so wide.
const halfLanes = 16

// loadHalves emits, in line, the load of two halves of a warp at the addresses of which those of each half follow each other, where
// that is so and all lanes execute; out of line, the load from any addresses. It reports whether there is code for x.
func (e *quarterEmitter) loadHalves(x *access8) bool {
	v := e.of(x.in.Results[0])
	if x.parts != nil || !x.a.wide() || x.in.Space == ir.SpaceShared || x.word || x.n != 1 || v.class != vector ||
		v.home.kind != inFrame || x.size < 4 || x.size != int64(v.v.Type.Bytes()) {
		return false
	}
	slow, after := e.newLabel(), e.newLabel()
	e.compareImm(false, curGen, -1)
	e.branch(ifNot, slow)
	e.checkHalves(x, slow)
	e.whole = true
	e.everyQuarter(func(q int) {
		if lane := 8 * q; lane%halfLanes == 0 {
			e.load(second, 8, x.lane(lane))
		}
		for n := range e.partsOf(v) {
			d := e.result()
			e.vload(d, place{second, int32(x.offset + x.size*int64(8*q%halfLanes+4*n))})
			e.done(v, n, d)
			e.pool.endPart()
		}
	})
	e.whole = false
	e.bind(after)
	block, pc, scratch := e.block, e.pc, e.scratch
	e.cold = append(e.cold, func() {
		e.block, e.pc, e.scratch = block, pc, scratch
		e.pool.begin(e, nil)
		e.bind(slow)
		e.checkLanes(x)
		e.gatherAll(x)
		e.pool.drop()
		e.jump(after)
	})
	return true
}

// lane is where the address of a lane is.
func (x *access8) lane(l int) place { return frameAt(x.a.home.slot + int32(8*l)) }

// checkHalves emits jumps to slow unless the addresses of each half of the warp follow each other and are legal.
func (e *quarterEmitter) checkHalves(x *access8, slow label) {
	p := &e.pool
	last := (halfLanes - 1) * x.size
	e.load(acc, 8, x.lane(halfLanes-1)) // most of those that do not follow each other are found by this
	e.aluMem(aluSub, true, acc, x.lane(0))
	e.compareImm(true, acc, last)
	e.branch(ifNot, slow)
	p.quarter(once)
	good, base, t := p.take(), p.take(), p.take()
	for lane := 0; lane < 8*quarters; lane += 4 {
		if lane%halfLanes == 0 {
			e.broadcast(true, base, x.lane(lane))
		}
		e.op2(vAdd, true, t, base, inMem(e.vectorOf(true, func(l int) uint64 { return uint64(int64(lane%halfLanes+l) * x.size) })))
		if lane == 0 {
			e.op2(vEqual, true, good, t, inMem(x.lane(lane)))
			continue
		}
		e.op2(vEqual, true, t, t, inMem(x.lane(lane)))
		e.op2(vAnd, false, good, good, inReg(t))
	}
	e.bits(acc, good)
	p.drop()
	e.compareImm(false, acc, 1<<8-1)
	e.branch(ifNot, slow)
	e.set(second, uint64(x.size-1))
	for lane := 0; lane < 8*quarters; lane += halfLanes {
		e.load(acc, 8, x.lane(lane))
		e.offset(true, acc, acc, int32(x.offset))
		e.test(acc, second)
		e.branch(ifNot, slow)
		if !addressChecks {
			continue
		}
		e.aluMem(aluSub, true, acc, areaAt(x.known))
		for _, n := range []int32{0, int32(last)} {
			e.offset(true, acc, acc, n)
			e.compareMem(true, acc, areaAt(x.known+16))
			e.branch(ifAboveEqual, slow)
		}
	}
}
