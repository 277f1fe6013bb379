//go:build linux && (amd64 || arm64)

package jit

import (
	"math"

	"github.com/tandem-go/tandem/internal/ir"
)

// This file compiles accesses to an address of each lane's own.

// Places of the frame that such accesses use: the addresses of a quarter's lanes, their values, and what lanes read and write
// that do not execute.
const (
	laneValues = frameLoop + 64
	laneNobody = frameLoop + 256
)

// indexed tells that in has code for the address x.
func (t *narrow) indexed(p *plan, in *ir.Instr, x *index) bool { return p.canIndex(in, x) }

// checkLanes emits the check of the addresses of an access.
func (e *quarterEmitter) checkLanes(x *access8) {
	p := &e.pool
	if !addressChecks || x.parts != nil && x.in.Space == ir.SpaceShared && e.p.insideShared(x.parts, x.offset+x.total(), int64(e.k.SharedBytes)) {
		return
	}
	p.quarter(once)
	from, bound := p.take(), p.take()
	good := e.goodAddresses
	if x.parts != nil {
		good = e.goodIndices
		e.beginIndices(x, from, bound)
	} else {
		e.beginAddresses(x, from, bound)
	}
	e.packed(func() vec { return good(x, from, bound) }, from, bound)
	p.drop()
	e.laneWord(x, acc)
	e.invert(false, third)
	e.alu(aluAnd, false, third, acc)
	e.test(third, third)
	e.branch(ifNot, x.fail)
}

// packed puts the masks that f returns of each quarter into third, a bit for each lane.
func (e *quarterEmitter) packed(f func() vec, keep ...vec) {
	e.everyQuarter(func(q int) {
		e.bits(acc, f())
		if q == 0 {
			e.move32(third, acc)
			return
		}
		e.shiftImm(shiftLeft, false, acc, uint8(8*q))
		e.alu(aluOr, false, third, acc)
	}, keep...)
}

// watch emits the way to where the block goes on in the reference engine if a step leaves 32 bits in some lane.
func (e *quarterEmitter) watch(in *ir.Instr, s step32) {
	out, back := e.newLabel(), e.newLabel()
	op, limit := vGreater, e.all(false, uint64(s.limit()))
	if !s.signed {
		op = vAbove
	}
	e.packed(func() vec {
		r, d := e.reg(e.of(s.of), 0), e.pool.take()
		if s.by > 0 {
			e.op2(op, false, d, r, limit)
			return d
		}
		e.vload(d, limit.at)
		e.op2(op, false, d, d, inReg(r))
		return d
	})
	e.pool.drop()
	e.alu(aluAnd, false, third, curGen)
	e.test(third, third)
	e.branch(ifNot, out)
	e.leaveTo(out, back, site{kind: siteLeave, in: in})
	e.bind(back)
}

// step emits an instruction that advances numbers which stand for pointers.
func (e *quarterEmitter) step(in *ir.Instr) {
	for _, s := range e.p.steps[in] {
		e.watch(in, s)
	}
	e.everyQuarter(func(int) { e.compute(in) })
}

// laneWord puts the lanes of an access into a register.
func (e *quarterEmitter) laneWord(x *access8, r gen) {
	if x.word {
		e.load(r, 4, frameAt(frameLanes))
	} else {
		e.move32(r, curGen)
	}
}

// biased puts the number in acc into all lanes of d, moved so that signed comparisons order unsigned numbers. second is lost.
func (e *quarterEmitter) biased(wide bool, d vec) {
	e.set(second, signBit(wide))
	e.alu(aluAdd, wide, acc, second)
	e.fromGeneral(wide, d, acc)
}

func signBit(wide bool) uint64 {
	if wide {
		return 1 << 63
	}
	return 1 << 31
}

// beginAddresses makes what is added to an address, and below what the sum must be.
func (e *quarterEmitter) beginAddresses(x *access8, from, bound vec) {
	wide := x.a.wide()
	if x.in.Space == ir.SpaceShared {
		e.vload(from, e.all(wide, uint64(x.offset)+signBit(wide)).at)
		e.load(acc, 8, e.limit(x.total()))
	} else {
		e.set(acc, uint64(x.offset))
		e.aluMem(aluSub, true, acc, areaAt(x.known))
		e.biased(true, from)
		e.load(acc, 8, areaAt(x.known+16))
	}
	e.biased(wide, bound)
}

// goodAddresses returns the mask of a quarter's lanes whose address is legal.
func (e *quarterEmitter) goodAddresses(x *access8, from, bound vec) vec {
	wide, total := x.a.wide(), uint64(x.total())
	var good [2]vec
	for n := range e.partsOfOperand(x.a) {
		r, t, k := e.reg(x.a, n), e.pool.take(), e.pool.take()
		e.op2(vAdd, wide, t, r, inReg(from))
		e.op2(vGreater, wide, k, bound, inReg(t))
		if total > 1 {
			if x.offset%int64(total) != 0 {
				e.op2(vAdd, wide, t, r, e.all(wide, uint64(x.offset)))
				r = t
			}
			e.op2(vAnd, false, t, r, e.all(wide, total-1))
			e.op2(vEqual, wide, t, t, e.all(wide, 0))
			e.op2(vAnd, false, k, k, inReg(t))
		}
		e.pool.give(t)
		good[n] = k
	}
	if wide {
		e.narrow(good[0], good[0], good[1])
	}
	return good[0]
}

// beginIndices makes what is added to an index, the place of the base in its region, and below what the sum must be.
func (e *quarterEmitter) beginIndices(x *access8, from, bound vec) {
	p, total := x.parts, x.total()
	if x.in.Space == ir.SpaceShared {
		e.vload(from, e.all(false, uint64(x.offset>>p.shift)+signBit(false)).at)
		e.load(acc, 8, e.limitOf(limit{max(total, 1<<p.shift), p.shift}))
		e.biased(false, bound)
		return
	}
	base := e.of(p.base)
	e.offset(true, acc, e.scalarIn(base, acc), int32(x.offset))
	if total > 1 && (base.class == constant || base.align%uint64(total) != 0 || x.offset%total != 0) {
		e.set(second, uint64(total-1))
		e.test(acc, second)
		e.branch(ifNot, x.fail)
	}
	e.aluMem(aluSub, true, acc, areaAt(x.known))
	if p.shift > 0 {
		e.shiftImm(shiftSigned, true, acc, p.shift)
	}
	e.offset(true, second, acc, int32(mostIndex(0)))
	e.shiftImm(shiftRight, true, second, 31)
	e.compareImm(true, second, 0)
	e.branch(ifNot, x.fail)
	e.biased(false, from)
	e.load(acc, 8, areaAt(x.known+16))
	e.biased(false, bound)
}

// goodIndices is goodAddresses for an address in parts.
func (e *quarterEmitter) goodIndices(x *access8, from, bound vec) vec {
	r, t, k := e.reg(e.of(x.parts.v), 0), e.pool.take(), e.pool.take()
	e.op2(vAdd, false, t, r, inReg(from))
	e.op2(vGreater, false, k, bound, inReg(t))
	if !x.parts.signed { // indices from 2^31 on might wrap around
		e.op2(vGreater, false, t, r, e.all(false, math.MaxUint32))
		e.op2(vAnd, false, k, k, inReg(t))
	}
	return k
}

// laneAddress returns a register with the addresses of a part of a quarter's lanes, to which x.offset is to be added.
func (e *quarterEmitter) laneAddress(x *access8, n int) vec {
	if x.parts == nil && x.a.wide() && x.in.Space != ir.SpaceShared {
		return e.reg(x.a, n)
	}
	t, b := vec(0), e.pool.take()
	switch {
	case x.parts != nil:
		t = e.widened(e.of(x.parts.v), n, x.parts.signed)
		if x.parts.shift > 0 {
			e.shiftVector(shiftLeft, true, t, t, x.parts.shift)
		}
	case x.a.wide():
		t = e.pool.take()
		e.vmove(t, e.reg(x.a, n))
	default:
		t = e.widened(x.a, n, false)
	}
	if x.in.Space == ir.SpaceShared {
		e.broadcast(true, b, areaAt(areaShared))
	} else {
		e.fromGeneral(true, b, e.scalarIn(e.of(x.parts.base), acc))
	}
	e.op2(vAdd, true, t, t, inReg(b))
	e.pool.give(b)
	return t
}

// addresses writes the addresses of a quarter's lanes to the frame; lanes that do not execute get one of which nobody takes
// notice.
func (e *quarterEmitter) addresses(x *access8) {
	nobody := e.pool.take()
	e.offset(true, acc, frameGen, laneNobody-int32(x.offset))
	e.fromGeneral(true, nobody, acc)
	for n := range 2 {
		r, m := e.laneAddress(x, n), e.lanesOf(x, true, n)
		e.blend(m, m, r, nobody)
		e.vstore(frameAt(frameLoop+32*int32(n)), m)
		e.pool.give(m)
		e.pool.give(r)
	}
	e.pool.give(nobody)
}

// eachLane emits f for the lanes of a quarter, one after the other; second holds the lane's address.
func (e *quarterEmitter) eachLane(f func(lane int)) {
	for l := range 8 {
		e.load(second, 8, frameAt(frameLoop+8*int32(l)))
		f(l)
	}
}

// clearNobody makes zeroes of what lanes read that do not execute.
func (e *quarterEmitter) clearNobody() {
	z := e.pool.take()
	e.zero(z)
	e.vstore(frameAt(laneNobody), z)
	e.pool.give(z)
}

// gatherAll loads from vectors of addresses.
func (e *quarterEmitter) gatherAll(x *access8) {
	if e.twins(x, x.in.Results) {
		e.everyQuarter(func(int) { e.gatherTwins(x) })
		return
	}
	for i, r := range x.in.Results {
		v := e.of(r)
		if v.home.kind == nowhere || v.class != vector {
			continue
		}
		disp := int32(x.offset + int64(i)*x.size)
		short := x.parts != nil && x.parts.shift <= 3 || x.parts == nil && !x.a.wide()
		e.everyQuarter(func(int) {
			switch {
			case x.size == 4 && !v.wide() && short:
				e.gatherShort(x, v, disp)
			case x.size == 4 && !v.wide():
				lo, hi := e.laneAddress(x, 0), e.laneAddress(x, 1)
				m, d := e.lanesOf(x, false, 0), e.result()
				e.gatherPair(d, disp, lo, hi, m)
				e.done(v, 0, d)
			case x.size == 8 && v.wide():
				for n := range 2 {
					a, m, d := e.laneAddress(x, n), e.lanesOf(x, true, n), e.result()
					e.gatherWide(d, disp, a, m)
					e.done(v, n, d)
					e.pool.endPart()
				}
			default:
				e.gatherLoop(x, v, disp)
			}
		})
	}
}

// gatherShort loads elements of 32 bits by indices of 32 bits.
func (e *quarterEmitter) gatherShort(x *access8, v *value, disp int32) {
	index, shift, base := x.a, uint8(0), second
	if x.parts != nil {
		index, shift = e.of(x.parts.v), x.parts.shift
	}
	a, m, d := e.reg(index, 0), e.lanesOf(x, false, 0), e.result()
	if x.in.Space == ir.SpaceShared {
		e.load(second, 8, areaAt(areaShared))
	} else {
		base = e.scalarIn(e.of(x.parts.base), second)
	}
	e.gather(d, place{base, disp}, shift, a, m)
	e.done(v, 0, d)
}

// gatherLoop loads lane by lane.
func (e *quarterEmitter) gatherLoop(x *access8, v *value, disp int32) {
	step := int32(4)
	if v.wide() {
		step = 8
	}
	e.clearNobody()
	e.addresses(x)
	e.eachLane(func(l int) {
		e.loadExtended(acc, x.in.As, v.v.Type, place{second, disp})
		e.store(int(step), frameAt(laneValues+step*int32(l)), acc)
	})
	for n := range e.partsOf(v) {
		d := e.result()
		e.vload(d, frameAt(laneValues+32*int32(n)))
		e.done(v, n, d)
	}
}

// setLanes writes the lanes of a quarter to the frame.
func (e *quarterEmitter) setLanes(v *value, at int32) {
	for n := range e.partsOfOperand(v) {
		e.vstore(frameAt(at+32*int32(n)), e.bitsOf(v, n))
	}
}

// scatterAll stores to vectors of addresses, in the order of lanes.
func (e *quarterEmitter) scatterAll(x *access8) {
	e.everyQuarter(func(q int) {
		e.addresses(x)
		e.pool.endPart()
		if e.twins(x, x.in.Args[1:]) {
			e.scatterTwins(x)
			return
		}
		for i, a := range x.in.Args[1:] {
			v := e.of(a)
			step := int32(4)
			if v.wide() {
				step = 8
			}
			if v.class != constant {
				e.setLanes(v, laneValues)
				e.pool.endPart()
			} else {
				e.set(acc, v.imm)
			}
			e.eachLane(func(l int) {
				if v.class != constant {
					e.load(acc, int(step), frameAt(laneValues+step*int32(l)))
				}
				e.store(int(x.size), place{second, int32(x.offset + int64(i)*x.size)}, acc)
			})
		}
	})
}

// imageRoom reserves bytes of the frame for a row.
func (e *quarterEmitter) imageRoom(x *access8) place {
	at := e.room(32)
	for n := int64(32); n < x.end-x.least; n += 32 {
		e.room(32)
	}
	return at
}

// loadImage copies the elements of the lanes that execute to the frame, and makes that the row.
func (e *quarterEmitter) loadImage(x *access8, image place) {
	e.clearNobody()
	e.everyQuarter(func(q int) {
		e.addresses(x)
		e.eachLane(func(l int) {
			for i := range x.n {
				e.load(acc, int(x.size), place{second, int32(x.offset + int64(i)*x.size)})
				e.store(int(x.size), image.plus(int32(x.a.offset(8*q+l)-x.least+int64(i)*x.size)), acc)
			}
		})
	})
	e.offset(true, acc, image.base, image.disp)
	e.setBase(x.base)
}
