package jit

import (
	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// This file compiles accesses to addresses in parts: a base that all lanes share, and indices of 32 bits.

// indexed tells that in has code for the address x.
func (avx512) indexed(p *plan, in *ir.Instr, x *index) bool { return p.canIndex(in, x) }

func (avx512) tables() bool { return true }

func (avx512) joints() bool { return true }

func (avx512) walkers() bool { return true }

// indexLeft decides how the indices of an access are multiplied: by the access itself where it can.
func (e *emitter) indexLeft(x *access) {
	atomic := x.in.Op == ir.OpAtom || x.in.Op == ir.OpRed
	switch shift := x.parts.shift; {
	case atomic || x.size < 4:
		x.left = shift
	case shift > 3:
		x.left, x.scale = shift-3, 8
	default:
		x.scale = 1 << shift
	}
}

// checkIndexed emits the check of an access by index. RDX is then the base. Of the lanes, the index plus the place of the base
// in its region is compared, as an unsigned number, with how many elements the region has.
func (e *emitter) checkIndexed(x *access) {
	const dx = amd64.RDX
	p, total := x.parts, x.size*int64(x.n)
	x.offset += p.add
	x.wide = false
	if x.in.Space == ir.SpaceShared {
		e.MovRR(amd64.W64, dx, sharedReg)
		if addressChecks && !e.insideShared(x) {
			n := x.offset >> p.shift
			if n != 0 {
				e.all(temp1, uint64(n), false)
			}
			e.compareIndices(x, e.limitOf(limit{max(total, 1<<p.shift), p.shift}), n != 0)
		}
	} else {
		base := e.of(p.base)
		e.scalarInto(base, dx)
		if addressChecks {
			e.checkRegion(x, base)
		}
	}
	if x.left > 0 {
		x.index = []amd64.VReg{e.free(0), e.free(1)}
		for half, d := range x.index {
			e.RRI(amd64.VPSLLDI, d, e.vectorIn(e.of(p.v), half, temp0), x.left, zmm)
		}
	}
}

// checkRegion emits the check of indices from a base in memory on, which is in RDX.
func (e *emitter) checkRegion(x *access, base *value) {
	const ax, cx, dx = amd64.RAX, amd64.RCX, amd64.RDX
	p, total := x.parts, x.size*int64(x.n)
	e.Lea(amd64.W64, ax, amd64.At(dx, int32(x.offset)))
	if total > 1 && (base.class == constant || base.align%uint64(total) != 0 || x.offset%total != 0) {
		e.TestRI(amd64.W8, ax, int32(total-1))
		e.Jcc(amd64.NE, x.fail)
	}
	e.AluRM(amd64.W64, amd64.SUB, ax, amd64.At(blockReg, x.known))
	if p.shift > 0 {
		e.ShiftRI(amd64.W64, amd64.SAR, ax, p.shift)
	}
	most := int32(mostIndex(x.left))
	e.Lea(amd64.W64, cx, amd64.At(ax, most))
	e.ShiftRI(amd64.W64, amd64.SHR, cx, 31-x.left)
	e.Jcc(amd64.NE, x.fail)
	e.RG(amd64.VPBROADCASTDG, temp1, ax, zmm)
	e.compareIndices(x, amd64.At(blockReg, x.each), true)
}

// insideShared tells that no index is too large for the shared memory that the kernel itself asks for.
func (e *emitter) insideShared(x *access) bool {
	return e.p.insideShared(x.parts, x.offset+x.size*int64(x.n), int64(e.k.SharedBytes))
}

// compareIndices emits a jump to Go unless the index of each lane, plus what is in temp1, is below a bound.
func (e *emitter) compareIndices(x *access, bound amd64.Mem, plus bool) {
	const notLess = 5
	v := e.of(x.parts.v)
	large := !x.parts.signed && plus // indices from 2^31 on might wrap around
	for half := range 2 {
		k, r := x.lanes+amd64.KReg(half), e.vectorIn(v, half, temp0)
		if large {
			e.rrk(amd64.VPTESTMD, 7, r, amd64.At(blockReg, e.constant(1<<31)), castUnder(k))
			e.KKK(amd64.KORTESTW, 7, 0, 7)
			e.Jcc(amd64.NE, x.fail)
		}
		if plus {
			e.op(amd64.VPADDD, temp0, r, temp1)
			r = temp0
		}
		e.KRMI(amd64.VPCMPUD, amd64.KReg(7*half), r, bound, notLess, castUnder(k))
	}
	e.KKK(amd64.KORTESTW, 0, 0, 7)
	e.Jcc(amd64.NE, x.fail)
}

// watch emits a jump to where the block goes on in the reference engine if a step leaves 32 bits in some lane.
func (e *emitter) watch(in *ir.Instr, s step32) {
	row, beyond := amd64.VPCMPD, uint8(6) // greater
	if !s.signed {
		row = amd64.VPCMPUD
	}
	if s.by < 0 {
		beyond = 1 // less
	}
	limit := amd64.At(blockReg, e.constant(uint64(s.limit())))
	for half := range 2 {
		r := e.vectorIn(e.of(s.of), half, temp0)
		e.KRMI(row, amd64.KReg(7*half), r, limit, beyond, castUnder(amd64.KReg(1+half)))
	}
	out, back := e.NewLabel(), e.NewLabel()
	e.KKK(amd64.KORTESTW, 0, 0, 7)
	e.Jcc(amd64.NE, out)
	e.Bind(back)
	e.leave(out, back, site{kind: siteLeave, in: in})
}
