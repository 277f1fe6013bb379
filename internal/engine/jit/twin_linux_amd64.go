package jit

import (
	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// This file compiles twins: what computes one is executed on general registers for one half of the lanes after the other.

func (avx512) twins() bool { return true }

// twinPlace is where a twin has the number of one half.
func twinPlace(v *value, half int) amd64.Mem {
	return amd64.At(frameReg, v.home.slot+int32(8*half))
}

// twice emits an instruction whose result is a twin.
func (e *emitter) twice(in *ir.Instr) {
	for half := range 2 {
		e.half = 1 + half
		e.scalar(in)
	}
	e.half = 0
}

// moveTwin gives a twin another one, or a scalar.
func (e *emitter) moveTwin(to, from *value) {
	for half := range 2 {
		e.half = 1 + half
		e.scalarOut(to, e.scalarIn(from, amd64.RAX))
	}
	e.half = 0
}

// secondHalf returns a register with lane 16 of a scalar.
func (e *emitter) secondHalf(v *value, scratch amd64.Reg) amd64.Reg {
	from := scratch
	if v.home.kind == inRegister {
		from = amd64.Reg(v.home.reg)
	} else {
		e.MovRM(amd64.W64, from, amd64.At(frameReg, v.home.slot))
	}
	e.Lea(width(v), scratch, amd64.At(from, int32(v.d)))
	return scratch
}

// spanHere is span for the lanes of which something is computed: those of one half where that is of a twin.
func (e *emitter) spanHere(v *value) (least, most int64) {
	if e.half > 0 {
		return min(0, 15*v.s), max(0, 15*v.s)
	}
	return v.span()
}

// checkRows emits the check of an access to rows.
func (e *emitter) checkRows(x *access) {
	if x.a.class == twin {
		e.checkTwin(x)
	} else {
		e.checkScalar(x)
	}
}

// checkTwin emits the check of an access at two rows, of which RAX and RDX have the addresses.
func (e *emitter) checkTwin(x *access) {
	const cx = amd64.RCX
	least, most := x.a.span()
	total, at := x.size*int64(x.n), [...]amd64.Reg{amd64.RAX, amd64.RDX}
	for half, r := range at {
		e.MovRM(amd64.W64, r, twinPlace(x.a, half))
		if x.offset+least != 0 {
			e.Lea(width(x.a), r, amd64.At(r, int32(x.offset+least)))
		}
	}
	if addressChecks && total > 1 && (x.a.align%uint64(total) != 0 || x.offset%total != 0) {
		e.MovRR(amd64.W32, cx, at[0])
		e.AluRR(amd64.W32, amd64.OR, cx, at[1])
		e.TestRI(amd64.W8, cx, int32(total-1))
		e.Jcc(amd64.NE, x.slow)
	}
	for i := 0; i < len(at) && addressChecks; i++ {
		r := at[i]
		if x.in.Space == ir.SpaceShared {
			e.AluRM(amd64.W64, amd64.CMP, r, e.limit(most-least+total))
		} else {
			e.MovRR(amd64.W64, cx, r)
			e.AluRM(amd64.W64, amd64.SUB, cx, amd64.At(blockReg, x.known))
			e.AluRM(amd64.W64, amd64.CMP, cx, amd64.At(blockReg, x.known+8))
		}
		e.Jcc(amd64.AE, x.slow)
	}
	x.base, x.other = amd64.At(at[0], int32(-least)), amd64.At(at[1], int32(-least))
	if x.in.Space == ir.SpaceShared {
		x.base, x.other = amd64.AtIndex(sharedReg, at[0], 1, int32(-least)), amd64.AtIndex(sharedReg, at[1], 1, int32(-least))
	}
}
