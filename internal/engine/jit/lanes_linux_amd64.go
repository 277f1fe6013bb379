package jit

import (
	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// This file has what emitters of vector operations share: short names for the commonest forms, and registers to compute in.

var cast = amd64.Opt{L: amd64.L512, Bcast: true}

func under(k amd64.KReg) amd64.Opt { return amd64.Opt{L: amd64.L512, K: k} }

func castUnder(k amd64.KReg) amd64.Opt { return amd64.Opt{L: amd64.L512, K: k, Bcast: true} }

// op emits d = row(x, y).
func (e *emitter) op(row *amd64.Row, d, x, y amd64.VReg) { e.RRR(row, d, x, y, zmm) }

// opWith emits d = row(x, c), c in all elements.
func (e *emitter) opWith(row *amd64.Row, d, x amd64.VReg, c uint64) {
	e.RRM(row, d, x, amd64.At(blockReg, e.constant(c)), cast)
}

// all loads c into all elements of 32 or 64 bits.
func (e *emitter) all(d amd64.VReg, c uint64, wide bool) {
	if c == 0 {
		e.RRR(amd64.VPXORD, d, d, d, zmm)
		return
	}
	e.allUnder(d, c, wide, zmm)
}

func (e *emitter) allUnder(d amd64.VReg, c uint64, wide bool, o amd64.Opt) {
	row := amd64.VPBROADCASTD
	if wide {
		row = amd64.VPBROADCASTQ
	}
	e.RRM(row, d, 0, amd64.At(blockReg, e.constant(c)), o)
}

// compareWith0 emits k = the comparison of x with c in all elements, as unsigned or signed numbers.
func (e *emitter) compareAll(k amd64.KReg, x amd64.VReg, c uint64, how ir.Cmp, signed, wide bool) {
	row := rows{amd64.VPCMPUD, amd64.VPCMPUQ}
	if signed {
		row = rows{amd64.VPCMPD, amd64.VPCMPQ}
	}
	e.KRMI(row.of(wide), k, x, amd64.At(blockReg, e.constant(c)), integerComparisons[how], cast)
}

// maskConstant loads a mask register.
func (e *emitter) maskConstant(k amd64.KReg, bits uint16) {
	e.KM(amd64.KMOVW, k, amd64.At(blockReg, e.constant(uint64(bits))))
}

// borrow returns n more vector registers to compute in until the instruction is done. The instruction must not return to
// Go while it has them.
func (e *emitter) borrow(n int) []amd64.VReg {
	at := e.start + 2*e.pc
	here := segment{at, at + 1}
	var out []amd64.VReg
	for r := vectorRegs - 1; r >= 0 && len(out) < n; r-- {
		if v := amd64.VReg(r); !e.lent(v) && !e.p.busy[r].meets(here) {
			out, e.loans = append(out, v), append(e.loans, loan{v, -1})
		}
	}
	for r := 0; r < vectorRegs && len(out) < n; r++ {
		v := amd64.VReg(r)
		if e.lent(v) || e.operandOf(e.block.Instrs[e.pc], r) {
			continue
		}
		slot := frameLoans + 64*int32(e.saved)
		e.saved++
		e.RRM(amd64.VMOVUPSStore, v, 0, amd64.At(frameReg, slot), zmm)
		out, e.loans = append(out, v), append(e.loans, loan{v, slot})
	}
	if len(out) < n || e.saved > maxLoans {
		e.fail("no registers to compute in")
		return make([]amd64.VReg, n)
	}
	return out
}

// loan is a borrowed register, with the place in the frame of what it held.
type loan struct {
	reg  amd64.VReg
	slot int32
}

func (e *emitter) lent(v amd64.VReg) bool {
	for _, l := range e.loans {
		if l.reg == v {
			return true
		}
	}
	return false
}

// operandOf tells that in reads or writes vector register r.
func (e *emitter) operandOf(in *ir.Instr, r int) bool {
	found := false
	see := func(v *ir.Value) {
		x := e.of(v)
		if x.home.kind == inRegister && (x.class == vector || x.class == splat || x.class == repeated) && int(x.home.reg) <= r && r < int(x.home.reg)+x.parts() {
			found = true
		}
	}
	e.p.operands(in, see)
	for _, v := range in.Results {
		see(v)
	}
	return found
}

// giveBack restores borrowed registers.
func (e *emitter) giveBack() {
	for _, l := range e.loans {
		if l.slot >= 0 {
			e.RRM(amd64.VMOVUPS, l.reg, 0, amd64.At(frameReg, l.slot), zmm)
		}
	}
	e.loans, e.saved = e.loans[:0], 0
}

// lanewise computes each part of the result in temp3 from the bits of up to three operands of the same width.
func (e *emitter) lanewise(in *ir.Instr, f func(x [3]amd64.VReg, d amd64.VReg)) {
	v := e.of(in.Results[0])
	for part := range v.parts() {
		var x [3]amd64.VReg
		for i, a := range in.Args {
			x[i] = e.bitsIn(e.of(a), part, temp0+amd64.VReg(i))
		}
		f(x, temp3)
		e.out(v, part, temp3)
	}
}

// floatwise is lanewise for operands that are numbers: a NaN may be any.
func (e *emitter) floatwise(in *ir.Instr, f func(x [3]amd64.VReg, d amd64.VReg)) {
	v := e.of(in.Results[0])
	for part := range v.parts() {
		var x [3]amd64.VReg
		for i, a := range in.Args {
			t := temp0 + amd64.VReg(i)
			x[i] = e.flush(in, e.vectorIn(e.of(a), part, t), t)
		}
		f(x, temp3)
		e.finish(in, temp3)
		e.out(v, part, temp3)
	}
}

// halves is how many halves of 16 lanes the results of in have: one if they are the same in all lanes.
func (e *emitter) halves(in *ir.Instr) int {
	for _, r := range in.Results {
		if c := e.of(r).class; c == vector || c == mask {
			return 2
		}
	}
	return 1
}

// predicateOut gives one half of a predicate its value, which is in k5 or k6.
func (e *emitter) predicateOut(v *value, half int, k amd64.KReg) {
	if v.class == flag {
		e.GK(amd64.KMOVWToG, amd64.RAX, k)
		e.AluRI(amd64.W32, amd64.AND, amd64.RAX, 1)
		e.scalarOut(v, amd64.RAX)
		return
	}
	if v.class == mask {
		e.maskOut(v, half, k)
	}
}

// later emits code out of line, as if it stood here.
func (e *emitter) later(f func()) {
	block, pc, start := e.block, e.pc, e.start
	e.cold = append(e.cold, func() {
		e.block, e.pc, e.start = block, pc, start
		f()
	})
}
