package jit

import (
	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// This file compiles the question whether addresses that lanes have each for itself follow one another.

// loadRows looks at run time whether the addresses of each half follow one another, and then loads the halves as rows.
func (e *emitter) loadRows(x *access) {
	v := e.of(x.in.Results[0])
	if x.size != 4 || x.n != 1 || x.in.Space == ir.SpaceShared || x.in.Space == ir.SpaceLocal || v.class != vector || v.wide() || v.home.kind == nowhere {
		return
	}
	if x.parts == nil && (x.a.class != vector || !x.wide) || x.parts != nil && x.parts.shift != 2 {
		return
	}
	other, skip := e.NewLabel(), e.NewLabel()
	misses := amd64.At(blockReg, e.missesOf(x.in))
	e.AluMI(amd64.W32, amd64.CMP, misses, rowTries)
	e.Jcc(amd64.A, skip)
	for half := range 2 {
		if x.parts != nil {
			e.rowOfIndices(x, half, other)
		} else {
			e.rowOfAddresses(x, half, other)
		}
		e.MovRR(amd64.W32, amd64.RCX, amd64.RAX)
		e.AluRI(amd64.W32, amd64.AND, amd64.RCX, 3)
		e.Jcc(amd64.NE, other)
		if addressChecks {
			e.MovRR(amd64.W64, amd64.RDX, amd64.RAX)
			e.AluRM(amd64.W64, amd64.SUB, amd64.RDX, amd64.At(blockReg, x.known))
			e.AluRM(amd64.W64, amd64.CMP, amd64.RDX, amd64.At(blockReg, x.known+8))
			e.Jcc(amd64.AE, other)
			e.AluRI(amd64.W64, amd64.ADD, amd64.RDX, 60)
			e.AluRM(amd64.W64, amd64.CMP, amd64.RDX, amd64.At(blockReg, x.known+8))
			e.Jcc(amd64.AE, other)
		}
		d, o := e.dst(v, half), zmm
		if x.guarded {
			o.K, o.Z = x.lanes+amd64.KReg(half), true
		}
		e.RRM(amd64.VMOVUPS, d, 0, amd64.At(amd64.RAX, 0), o)
		e.out(v, half, d)
	}
	e.MovMI(amd64.W32, misses, 0)
	e.Jmp(x.done)
	e.Bind(other)
	e.AluMI(amd64.W32, amd64.ADD, misses, 1)
	e.Bind(skip)
}

// missesOf is the place of how often in a row an access found no rows.
func (e *emitter) missesOf(in *ir.Instr) int32 {
	if g := e.jointly[in]; g != nil && g.first == in {
		return g.misses
	}
	return e.slot(8)
}

// rowOfAddresses emits a jump to other unless the addresses of half of the lanes follow one another. RAX is the first.
func (e *emitter) rowOfAddresses(x *access, half int, other amd64.Label) {
	const equal = 0
	row := &value{v: x.a.v, class: scalar, s: 4, d: 64}
	for sub := range 2 {
		r := e.vectorIn(x.a, 2*half+sub, temp0)
		if sub == 0 {
			e.GR(amd64.VMOVQStore, r, amd64.RAX, amd64.Opt{})
			e.RG(amd64.VPBROADCASTQG, temp1, amd64.RAX, zmm)
		}
		e.RRR(amd64.VPSUBQ, temp2, r, temp1, zmm)
		e.KRMI(amd64.VPCMPUQ, amd64.KReg(7*(1-sub)), temp2, e.pattern(row, sub), equal, zmm)
	}
	e.KKK(amd64.KUNPCKBW, 7, 0, 7)
	e.KKK(amd64.KORTESTW, 7, 0, 7)
	e.Jcc(amd64.AE, other) // not all ones
	e.Lea(amd64.W64, amd64.RAX, amd64.At(amd64.RAX, int32(x.offset)))
}

// rowOfIndices is rowOfAddresses for an access by index.
func (e *emitter) rowOfIndices(x *access, half int, other amd64.Label) {
	const equal, ax, cx = 0, amd64.RAX, amd64.RCX
	p := x.parts
	row := &value{v: p.v, class: scalar, s: 1, d: 16}
	r := e.vectorIn(e.of(p.v), half, temp0)
	e.GR(amd64.VMOVDStore, r, ax, amd64.Opt{})
	e.RG(amd64.VPBROADCASTDG, temp1, ax, zmm)
	e.RRR(amd64.VPSUBD, temp2, r, temp1, zmm)
	e.KRMI(amd64.VPCMPUD, 7, temp2, e.pattern(row, 0), equal, zmm)
	e.KKK(amd64.KORTESTW, 7, 0, 7)
	e.Jcc(amd64.AE, other)
	if p.signed {
		e.MovSX(amd64.W64, amd64.W32, ax, ax)
	}
	e.ShiftRI(amd64.W64, amd64.SHL, ax, p.shift)
	e.AluRR(amd64.W64, amd64.ADD, ax, e.scalarIn(e.of(p.base), cx))
	e.Lea(amd64.W64, ax, amd64.At(ax, int32(x.offset+p.add)))
}

// rowTries is how often in a row addresses may not follow one another until nobody looks any more.
const rowTries = 32
