package jit

import (
	"encoding/binary"

	"github.com/tandem-go/tandem/internal/engine/jit/arm64"
	"github.com/tandem-go/tandem/internal/ir"
)

// neonCode is the isa of Advanced SIMD. A vector register of eight lanes is a pair of the processor's: 2n and 2n+1.
// Compiled code is a leaf and never moves the stack pointer; it leaves x18, x28, x29 and x30 alone.
//
//	x0  the warp's frame           x1  the block's area
//	x2, x3, x4  acc, second, third x5  the lanes that execute
//	x6-x15  scalars and predicates x16, x17  scratch of single operations
//	q0-q27  vectors                q28-q31  scratch of single operations
type neonCode struct {
	arm64.Asm
	vector func(b []byte) place
}

// Scratch of single operations.
const (
	xs0 = arm64.Reg(16)
	xs1 = arm64.Reg(17)
	qs0 = arm64.VReg(28)
	qs1 = arm64.VReg(29)
	qs2 = arm64.VReg(30)
	qs3 = arm64.VReg(31)
)

// neonGeneral are the numbers of general registers for values; xregs are the processor's by number.
var (
	neonGeneral = []uint8{3, 4, 5, 8, 9, 10, 11, 12, 13, 14}
	xregs       = [...]arm64.Reg{0: 2, 1: 3, 2: 4, 3: 6, 4: 7, 5: 8, 6: 1, 7: 0, 8: 9, 9: 10, 10: 11, 11: 12, 12: 13, 13: 14, 14: 15, 15: 5}
)

func xr(g gen) arm64.Reg { return xregs[g] }

// q is half h of a vector register.
func q(v vec, h int) arm64.VReg { return arm64.VReg(2*v) + arm64.VReg(h) }

func (a *neonCode) newLabel() label                     { return label(a.NewLabel()) }
func (a *neonCode) bind(l label)                        { a.Bind(arm64.Label(l)) }
func (a *neonCode) position(l label) int                { return a.Offset(arm64.Label(l)) }
func (a *neonCode) finish() ([]byte, error)             { return a.Finish() }
func (a *neonCode) reserve(_ []byte, bytes int)         { a.Reserve(bytes) }
func (a *neonCode) useConstants(f func(b []byte) place) { a.vector = f }
func (a *neonCode) move(d, s gen)                       { a.Mov(true, xr(d), xr(s)) }
func (a *neonCode) move32(d, s gen)                     { a.Mov(false, xr(d), xr(s)) }
func (a *neonCode) set(d gen, v uint64)                 { a.Set(xr(d), v) }
func (a *neonCode) negate(wide bool, d gen)             { a.RRR(arm64.SUB, wide, xr(d), arm64.XZR, xr(d)) }
func (a *neonCode) invert(wide bool, d gen)             { a.RRR(arm64.ORN, wide, xr(d), arm64.XZR, xr(d)) }
func (a *neonCode) leadingZeroes(wide bool, d, s gen)   { a.RR(arm64.CLZ, wide, xr(d), xr(s)) }
func (a *neonCode) test(x, y gen)                       { a.RRR(arm64.ANDS, false, arm64.XZR, xr(x), xr(y)) }
func (a *neonCode) jump(l label)                        { a.B(arm64.Label(l)) }
func (a *neonCode) jumpTo(r gen)                        { a.Br(xr(r)) }
func (a *neonCode) branch(c condCode, l label)          { a.Bcond(armConditions[c], arm64.Label(l)) }
func (a *neonCode) address(d gen, l label)              { a.Adr(xr(d), arm64.Label(l)) }
func (a *neonCode) fence()                              { a.DmbIsh() }

func (a *neonCode) moveIf(c condCode, d, s gen) {
	a.RRC(arm64.CSEL, true, xr(d), xr(s), xr(d), armConditions[c])
}

func (a *neonCode) setIf(c condCode, d gen) {
	a.RRC(arm64.CSINC, true, xr(d), arm64.XZR, arm64.XZR, armConditions[c]^1)
}

var armConditions = [...]arm64.Cond{
	ifEqual: arm64.EQ, ifNot: arm64.NE, ifLess: arm64.LT, ifLessEqual: arm64.LE, ifGreater: arm64.GT, ifGreaterEqual: arm64.GE,
	ifBelow: arm64.LO, ifBelowEqual: arm64.LS, ifAbove: arm64.HI, ifAboveEqual: arm64.HS,
}

// access emits a load or store at any displacement; xs0 is lost.
func (a *neonCode) access(r *arm64.Row, t uint8, m place) {
	a.accessAt(r, t, xr(m.base), m.disp)
}

func (a *neonCode) accessAt(r *arm64.Row, t uint8, base arm64.Reg, disp int32) {
	if a.Mem(r, t, base, disp) {
		return
	}
	a.Set(xs0, uint64(int64(disp)))
	a.MemReg(r, t, base, xs0)
}

func (a *neonCode) load(d gen, n int, m place) {
	a.access(map[int]*arm64.Row{1: arm64.LDRB, 2: arm64.LDRH, 4: arm64.LDRW, 8: arm64.LDRX}[n], uint8(xr(d)), m)
}

func (a *neonCode) loadSigned(d gen, n int, wide bool, m place) {
	rows := map[int]*arm64.Row{1: arm64.LDRSB, 2: arm64.LDRSH, 4: arm64.LDRW}
	if wide {
		rows = map[int]*arm64.Row{1: arm64.LDRSBX, 2: arm64.LDRSHX, 4: arm64.LDRSWX}
	}
	a.access(rows[n], uint8(xr(d)), m)
}

func (a *neonCode) store(n int, m place, s gen) {
	a.access(map[int]*arm64.Row{1: arm64.STRB, 2: arm64.STRH, 4: arm64.STRW, 8: arm64.STRX}[n], uint8(xr(s)), m)
}

func (a *neonCode) storeImm(m place, v int32) {
	t := arm64.XZR
	if v != 0 {
		t = xs1
		a.Set(xs1, uint64(uint32(v)))
	}
	a.access(arm64.STRW, uint8(t), m)
}

var armOps = [...]*arm64.Row{aluAdd: arm64.ADD, aluSub: arm64.SUB, aluAnd: arm64.AND, aluOr: arm64.ORR, aluXor: arm64.EOR}

func (a *neonCode) operate(op aluOp, wide bool, d, n, m arm64.Reg) {
	if op == aluMul {
		a.RRRR(arm64.MADD, wide, d, n, m, arm64.XZR)
		return
	}
	a.RRR(armOps[op], wide, d, n, m)
}

func (a *neonCode) alu(op aluOp, wide bool, d, s gen) { a.operate(op, wide, xr(d), xr(d), xr(s)) }

func (a *neonCode) aluImm(op aluOp, wide bool, d gen, v int64) {
	switch {
	case op == aluAdd && v >= 0 && v < 1<<12:
		a.RRI(arm64.ADDI, wide, xr(d), xr(d), uint32(v))
	case op == aluAdd && v < 0 && v > -1<<12:
		a.RRI(arm64.SUBI, wide, xr(d), xr(d), uint32(-v))
	default:
		if !wide {
			v = int64(uint32(v))
		}
		a.Set(xs0, uint64(v))
		a.operate(op, wide, xr(d), xr(d), xs0)
	}
}

func (a *neonCode) aluMem(op aluOp, wide bool, d gen, m place) {
	r := arm64.LDRW
	if wide {
		r = arm64.LDRX
	}
	a.access(r, uint8(xs1), m)
	a.operate(op, wide, xr(d), xr(d), xs1)
}

func (a *neonCode) memALU(op aluOp, m place, s gen) {
	a.access(arm64.LDRW, uint8(xs1), m)
	a.operate(op, false, xs1, xs1, xr(s))
	a.access(arm64.STRW, uint8(xs1), m)
}

func (a *neonCode) countDown(m place, negative label) {
	a.access(arm64.LDRW, uint8(xs1), m)
	a.RRI(arm64.SUBSI, false, xs1, xs1, 1)
	a.access(arm64.STRW, uint8(xs1), m)
	a.Bcond(arm64.MI, arm64.Label(negative))
}

func (a *neonCode) mulHigh(wide, signed bool) {
	x, y := xr(acc), xr(second)
	switch {
	case wide && signed:
		a.RRR(arm64.SMULH, true, x, x, y)
	case wide:
		a.RRR(arm64.UMULH, true, x, x, y)
	case signed:
		a.RRRR(arm64.SMADDL, true, x, x, y, arm64.XZR)
	default:
		a.RRRR(arm64.UMADDL, true, x, x, y, arm64.XZR)
	}
	if !wide {
		a.Field(arm64.UBFM, true, x, x, 32, 63)
	}
}

func (a *neonCode) divide(wide, signed, remainder bool) {
	x, y, z := xr(acc), xr(second), xr(third)
	r := arm64.UDIV
	if signed {
		r = arm64.SDIV
	}
	a.RRR(r, wide, z, x, y) // zero by zero, and the least number by -1
	if remainder {
		a.RRRR(arm64.MSUB, wide, x, z, y, x)
		return
	}
	a.RRR(arm64.SUBS, wide, arm64.XZR, y, arm64.XZR)
	a.RRC(arm64.CSINV, wide, x, z, arm64.XZR, arm64.NE)
}

func (a *neonCode) shift(op shiftOp, wide bool) {
	x, n := xr(acc), xr(second)
	bits := uint32(32)
	if wide {
		bits = 64
	}
	a.RRI(arm64.SUBSI, false, arm64.XZR, n, bits)
	switch op {
	case shiftSigned:
		a.Set(xs0, uint64(bits-1))
		a.RRC(arm64.CSEL, true, n, n, xs0, arm64.LO)
		a.RRR(arm64.ASRV, wide, x, x, n)
		return
	case shiftLeft:
		a.RRR(arm64.LSLV, wide, x, x, n)
	default:
		a.RRR(arm64.LSRV, wide, x, x, n)
	}
	a.RRC(arm64.CSEL, true, x, x, arm64.XZR, arm64.LO)
}

func (a *neonCode) shiftImm(op shiftOp, wide bool, d gen, n uint8) {
	bits := uint8(32)
	if wide {
		bits = 64
	}
	switch op {
	case shiftLeft:
		a.Field(arm64.UBFM, wide, xr(d), xr(d), (bits-n)%bits, bits-1-n)
	case shiftRight:
		a.Field(arm64.UBFM, wide, xr(d), xr(d), n, bits-1)
	default:
		a.Field(arm64.SBFM, wide, xr(d), xr(d), n, bits-1)
	}
}

func (a *neonCode) extend(d, s gen, from int, signed, wide bool) {
	if signed {
		a.Field(arm64.SBFM, wide, xr(d), xr(s), 0, uint8(from-1))
	} else {
		a.Field(arm64.UBFM, true, xr(d), xr(s), 0, uint8(from-1))
	}
}

func (a *neonCode) population(wide bool, d, s gen) {
	if wide {
		a.Dup(arm64.DUP2D, qs0, xr(s))
		a.Zero(qs1)
		a.FromLane(arm64.UMOVD, xs0, qs0, 0)
		a.ToLane(arm64.INSD, qs1, 0, xs0)
	} else {
		a.Zero(qs1)
		a.ToLane(arm64.INSS, qs1, 0, xr(s))
	}
	a.VV(arm64.CNT16B, qs1, qs1)
	a.VV(arm64.UADDLP8H, qs1, qs1)
	a.VV(arm64.UADDLP4S, qs1, qs1)
	a.VV(arm64.ADDV4S, qs1, qs1)
	a.FromLane(arm64.UMOVS, xr(d), qs1, 0)
}

func (a *neonCode) compare(wide bool, x, y gen) {
	a.RRR(arm64.SUBS, wide, arm64.XZR, xr(x), xr(y))
}

func (a *neonCode) compareImm(wide bool, x gen, v int64) {
	if v >= 0 && v < 1<<12 {
		a.RRI(arm64.SUBSI, wide, arm64.XZR, xr(x), uint32(v))
		return
	}
	if !wide {
		v = int64(uint32(v))
	}
	a.Set(xs0, uint64(v))
	a.RRR(arm64.SUBS, wide, arm64.XZR, xr(x), xs0)
}

func (a *neonCode) compareMem(wide bool, x gen, m place) {
	r := arm64.LDRW
	if wide {
		r = arm64.LDRX
	}
	a.access(r, uint8(xs1), m)
	a.RRR(arm64.SUBS, wide, arm64.XZR, xr(x), xs1)
}

func (a *neonCode) compareMemImm(m place, v int32) {
	a.access(arm64.LDRW, uint8(xs1), m)
	if v >= 0 && v < 1<<12 {
		a.RRI(arm64.SUBSI, false, arm64.XZR, xs1, uint32(v))
		return
	}
	a.Set(xs0, uint64(uint32(v)))
	a.RRR(arm64.SUBS, false, arm64.XZR, xs1, xs0)
}

func (a *neonCode) offset(wide bool, d, s gen, n int32) {
	switch {
	case n >= 0 && n < 1<<12:
		a.RRI(arm64.ADDI, wide, xr(d), xr(s), uint32(n))
	case n < 0 && n > -1<<12:
		a.RRI(arm64.SUBI, wide, xr(d), xr(s), uint32(-n))
	default:
		v := uint64(int64(n))
		if !wide {
			v = uint64(uint32(n))
		}
		a.Set(xs0, v)
		a.RRR(arm64.ADD, wide, xr(d), xr(s), xs0)
	}
}

func (a *neonCode) compareAndSwap(wide bool, m place, again label) {
	done := a.NewLabel()
	retry := a.NewLabel()
	a.Set(xs0, uint64(int64(m.disp)))
	a.RRR(arm64.ADD, true, xs0, xs0, xr(m.base))
	a.Bind(retry)
	a.Ldaxr(wide, xs1, xs0)
	a.RRR(arm64.SUBS, wide, arm64.XZR, xs1, xr(acc))
	other := a.NewLabel()
	a.Bcond(arm64.NE, other)
	a.Stlxr(wide, xs1, xr(third), xs0)
	a.Cbnz(false, xs1, retry)
	a.B(done)
	a.Bind(other)
	a.Clrex()
	a.Mov(wide, xr(acc), xs1)
	a.B(arm64.Label(again))
	a.Bind(done)
}

func (a *neonCode) prefetch(place, bool) {} // the processor looks ahead by itself

func (a *neonCode) leave(v uint64) {
	a.Set(0, v)
	a.Ret()
}

// Vectors.

func (a *neonCode) vload(d vec, m place) {
	for h := range 2 {
		a.access(arm64.LDRQ, uint8(q(d, h)), m.plus(int32(16*h)))
	}
}

func (a *neonCode) vstore(m place, s vec) {
	for h := range 2 {
		a.access(arm64.STRQ, uint8(q(s, h)), m.plus(int32(16*h)))
	}
}

func (a *neonCode) vmove(d, s vec) {
	for h := range 2 {
		a.VVV(arm64.VORR, q(d, h), q(s, h), q(s, h))
	}
}

func (a *neonCode) zero(d vec) {
	a.Zero(q(d, 0))
	a.Zero(q(d, 1))
}

func (a *neonCode) broadcast(wide bool, d vec, m place) {
	load, dup := arm64.LDRS, arm64.DUPS
	if wide {
		load, dup = arm64.LDRD, arm64.DUPD
	}
	a.access(load, uint8(q(d, 0)), m)
	a.DupLane(dup, q(d, 1), q(d, 0))
	a.DupLane(dup, q(d, 0), q(d, 0))
}

func (a *neonCode) fromGeneral(wide bool, d vec, s gen) {
	r := arm64.DUP4S
	if wide {
		r = arm64.DUP2D
	}
	a.Dup(r, q(d, 0), xr(s))
	a.Dup(r, q(d, 1), xr(s))
}

func (a *neonCode) toGeneral(wide bool, d gen, s vec) {
	if wide {
		a.FromLane(arm64.UMOVD, xr(d), q(s, 0), 0)
	} else {
		a.FromLane(arm64.UMOVS, xr(d), q(s, 0), 0)
	}
}

// armRows are the instructions for 32 and 64 bits.
type armRows [2]*arm64.Row

func (r armRows) of(wide bool) *arm64.Row {
	if wide {
		return r[1]
	}
	return r[0]
}

var neonRows = map[vecOp]armRows{
	vAdd: {arm64.ADD4S, arm64.ADD2D}, vSub: {arm64.SUB4S, arm64.SUB2D}, vMul: {arm64.MUL4S, nil},
	vMinS: {arm64.SMIN4S, nil}, vMaxS: {arm64.SMAX4S, nil}, vMinU: {arm64.UMIN4S, nil}, vMaxU: {arm64.UMAX4S, nil},
	vEqual: {arm64.CMEQ4S, arm64.CMEQ2D}, vGreater: {arm64.CMGT4S, arm64.CMGT2D}, vAbove: {arm64.CMHI4S, arm64.CMHI2D},
	vAnd: {arm64.VAND, arm64.VAND}, vOr: {arm64.VORR, arm64.VORR}, vXor: {arm64.VEOR, arm64.VEOR}, vClear: {arm64.VBIC, arm64.VBIC},
	vFAdd: {arm64.FADD4S, arm64.FADD2D}, vFSub: {arm64.FSUB4S, arm64.FSUB2D}, vFMul: {arm64.FMUL4S, arm64.FMUL2D}, vFDiv: {arm64.FDIV4S, arm64.FDIV2D},
}

// half returns the register with half h of an operand, which may be qs0 and qs1.
func (a *neonCode) half(x source, h int) arm64.VReg {
	if !x.inMem {
		return q(x.reg, h)
	}
	r := qs0 + arm64.VReg(h)
	a.access(arm64.LDRQ, uint8(r), x.at.plus(int32(16*h)))
	return r
}

func (a *neonCode) op2(op vecOp, wide bool, d, x vec, y source) {
	for h := range 2 {
		m := a.half(y, h)
		if r := neonRows[op].of(wide); r != nil {
			a.VVV(r, q(d, h), q(x, h), m)
			continue
		}
		a.op2Steps(op, wide, q(d, h), q(x, h), m)
	}
}

// op2Steps is an operation on floats, or on two lanes of 64 bits, that is no instruction; qs2 and qs3 are lost.
func (a *neonCode) op2Steps(op vecOp, wide bool, d, x, y arm64.VReg) {
	switch op {
	case vFMore, vFLess:
		if op == vFMore {
			a.VVV(floatGreater.of(wide), qs2, x, y)
		} else {
			a.VVV(floatGreater.of(wide), qs2, y, x)
		}
		a.VVV(arm64.BSL, qs2, x, y)
		a.VVV(arm64.VORR, d, qs2, qs2)
	case vMul:
		for l := range 2 {
			a.FromLane(arm64.UMOVD, xs0, x, l)
			a.FromLane(arm64.UMOVD, xs1, y, l)
			a.RRRR(arm64.MADD, true, xs0, xs0, xs1, arm64.XZR)
			a.ToLane(arm64.INSD, qs2, l, xs0)
		}
		a.VVV(arm64.VORR, d, qs2, qs2)
	case vProductS, vProductU:
		r := arm64.UMULL2D
		if op == vProductS {
			r = arm64.SMULL2D
		}
		a.VV(arm64.XTN2S, qs2, x)
		a.VV(arm64.XTN2S, qs3, y)
		a.VVV(r, d, qs2, qs3)
	default: // min and max
		r := arm64.CMGT2D
		if op == vMinU || op == vMaxU {
			r = arm64.CMHI2D
		}
		a.VVV(r, qs2, x, y)
		if op == vMinS || op == vMinU {
			x, y = y, x
		}
		a.VVV(arm64.BSL, qs2, x, y)
		a.VVV(arm64.VORR, d, qs2, qs2)
	}
}

func (a *neonCode) op1(op vecOp, wide bool, d vec, x source) {
	for h := range 2 {
		n, to := a.half(x, h), q(d, h)
		switch op {
		case vFSqrt:
			a.VV(armRows{arm64.FSQRT4S, arm64.FSQRT2D}.of(wide), to, n)
		case vAbs:
			a.VV(armRows{arm64.ABS4S, arm64.ABS2D}.of(wide), to, n)
		case vToSingle:
			a.VV(arm64.SCVTF4S, to, n)
		default: // vPopulation, of 32 bits
			a.VV(arm64.CNT16B, to, n)
			a.VV(arm64.UADDLP8H, to, to)
			a.VV(arm64.UADDLP4S, to, to)
		}
	}
}

// fused is the instruction of multiplyAdd.
func fused(wide, negative bool) *arm64.Row {
	if negative {
		return armRows{arm64.FMLS4S, arm64.FMLS2D}.of(wide)
	}
	return armRows{arm64.FMLA4S, arm64.FMLA2D}.of(wide)
}

func (a *neonCode) multiplyAdd(wide, negative bool, d, x vec, y source) {
	for h := range 2 {
		a.VVV(fused(wide, negative), q(d, h), q(x, h), a.half(y, h))
	}
}

func (a *neonCode) addToProduct(wide, negative bool, d, x vec, y source) {
	for h := range 2 {
		sum := a.half(y, h)
		a.VVV(arm64.VORR, qs2, sum, sum)
		a.VVV(fused(wide, negative), qs2, q(d, h), q(x, h))
		a.VVV(arm64.VORR, q(d, h), qs2, qs2)
	}
}

func (a *neonCode) minMax(greatest, wide bool, d, x, y vec) {
	r := armRows{arm64.FMIN4S, arm64.FMIN2D}
	if greatest {
		r = armRows{arm64.FMAX4S, arm64.FMAX2D}
	}
	number := floatEqual.of(wide)
	for h := range 2 {
		to, m, n := q(d, h), q(x, h), q(y, h)
		a.VVV(r.of(wide), to, m, n) // a NaN if one is
		a.VVV(number, qs2, m, m)
		a.VVV(arm64.BIF, to, n, qs2) // the other where m is a NaN
		a.VVV(number, qs2, n, n)
		a.VVV(arm64.BIF, to, m, qs2)
	}
}

// floatTest is a comparison that the machine has: by an instruction, of the operands as they are or exchanged, and the result
// or its opposite.
type floatTest struct {
	rows          armRows
	exchange, not bool
}

var (
	floatEqual    = armRows{arm64.FCMEQ4S, arm64.FCMEQ2D}
	floatGreater  = armRows{arm64.FCMGT4S, arm64.FCMGT2D}
	floatNotBelow = armRows{arm64.FCMGE4S, arm64.FCMGE2D}
	floatTests    = map[ir.Cmp]floatTest{
		ir.Eq: {floatEqual, false, false}, ir.Neu: {floatEqual, false, true},
		ir.Gt: {floatGreater, false, false}, ir.Leu: {floatGreater, false, true},
		ir.Lt: {floatGreater, true, false}, ir.Geu: {floatGreater, true, true},
		ir.Ge: {floatNotBelow, false, false}, ir.Ltu: {floatNotBelow, false, true},
		ir.Le: {floatNotBelow, true, false}, ir.Gtu: {floatNotBelow, true, true},
	}
)

func (a *neonCode) compareFloats(c ir.Cmp, wide bool, d, x vec, y source) {
	test, one := floatTests[c]
	eq, gt, row := floatEqual.of(wide), floatGreater.of(wide), test.rows.of(wide)
	for h := range 2 {
		n, m, t, not := q(x, h), a.half(y, h), qs2, test.not
		switch {
		case one && test.exchange:
			a.VVV(row, t, m, n)
		case one:
			a.VVV(row, t, n, m)
		case c == ir.Ne || c == ir.Equ:
			a.VVV(gt, t, n, m)
			a.VVV(gt, qs3, m, n)
			a.VVV(arm64.VORR, t, t, qs3)
			not = c == ir.Equ
		default: // numbers, or one is none
			a.VVV(eq, t, n, n)
			a.VVV(eq, qs3, m, m)
			a.VVV(arm64.VAND, t, t, qs3)
			not = c == ir.IsNaN
		}
		if not {
			a.VV(arm64.VNOT, q(d, h), t)
		} else {
			a.VVV(arm64.VORR, q(d, h), t, t)
		}
	}
}

func (a *neonCode) blend(d, mask, x, y vec) {
	for h := range 2 {
		switch d {
		case y:
			a.VVV(arm64.BIT, q(d, h), q(x, h), q(mask, h))
		case x:
			a.VVV(arm64.BIF, q(d, h), q(y, h), q(mask, h))
		default:
			if d != mask {
				a.VVV(arm64.VORR, q(d, h), q(mask, h), q(mask, h))
			}
			a.VVV(arm64.BSL, q(d, h), q(x, h), q(y, h))
		}
	}
}

func (a *neonCode) shiftVector(op shiftOp, wide bool, d, x vec, n uint8) {
	r := [...]armRows{shiftLeft: {arm64.SHL4S, arm64.SHL2D}, shiftRight: {arm64.USHR4S, arm64.USHR2D}, shiftSigned: {arm64.SSHR4S, arm64.SSHR2D}}[op].of(wide)
	for h := range 2 {
		if n == 0 {
			a.VVV(arm64.VORR, q(d, h), q(x, h), q(x, h))
		} else {
			a.Shift(r, q(d, h), q(x, h), n)
		}
	}
}

func (a *neonCode) shiftBy(op shiftOp, wide bool, d, x, n vec) {
	r := armRows{arm64.USHL4S, arm64.USHL2D}
	if op == shiftSigned {
		r = armRows{arm64.SSHL4S, arm64.SSHL2D}
	}
	for h := range 2 {
		// The machine looks at the lowest byte, as a signed number: numbers from 64 on are as good as 64.
		m := a.vector(neonClamp(wide))
		a.access(arm64.LDRQ, uint8(qs2), m)
		if wide {
			a.VVV(arm64.CMHI2D, qs3, qs2, q(n, h)) // fewer
			a.VVV(arm64.BSL, qs3, q(n, h), qs2)
		} else {
			a.VVV(arm64.UMIN4S, qs3, q(n, h), qs2)
		}
		if op != shiftLeft {
			a.VV(armRows{arm64.NEG4S, arm64.NEG2D}.of(wide), qs3, qs3)
		}
		a.VVV(r.of(wide), q(d, h), q(x, h), qs3)
	}
}

// neonClamp is a vector of the number 64.
func neonClamp(wide bool) (b []byte) {
	for len(b) < 32 {
		if wide {
			b = binary.LittleEndian.AppendUint64(b, 64)
		} else {
			b = binary.LittleEndian.AppendUint32(b, 64)
		}
	}
	return b
}

// laneBits is the vector of the bits that lanes have in a word.
func (a *neonCode) laneBits(quarter int) place {
	var b []byte
	for l := range 8 {
		b = binary.LittleEndian.AppendUint32(b, 1<<(8*quarter+l))
	}
	return a.vector(b)
}

func (a *neonCode) bits(d gen, mask vec) {
	m := a.laneBits(0)
	for h := range 2 {
		a.access(arm64.LDRQ, uint8(qs2)+uint8(h), m.plus(int32(16*h)))
		a.VVV(arm64.VAND, qs2+arm64.VReg(h), qs2+arm64.VReg(h), q(mask, h))
	}
	a.VVV(arm64.VORR, qs2, qs2, qs3)
	a.VV(arm64.ADDV4S, qs2, qs2)
	a.FromLane(arm64.UMOVS, xr(d), qs2, 0)
}

func (a *neonCode) expand(d vec, s gen, quarter int) {
	m := a.laneBits(quarter)
	a.Dup(arm64.DUP4S, qs2, xr(s))
	for h := range 2 {
		a.access(arm64.LDRQ, uint8(qs3), m.plus(int32(16*h)))
		a.VVV(arm64.VAND, q(d, h), qs2, qs3)
		a.VVV(arm64.CMEQ4S, q(d, h), q(d, h), qs3)
	}
}

func (a *neonCode) loadSmall(d vec, n int, signed bool, m place) {
	lo, hi, bytes := arm64.USHLL4S, arm64.USHLL4S2, arm64.USHLL8H
	if signed {
		lo, hi, bytes = arm64.SSHLL4S, arm64.SSHLL4S2, arm64.SSHLL8H
	}
	if n == 1 {
		a.access(arm64.LDRD, uint8(qs2), m)
		a.Shift(bytes, qs2, qs2, 0)
	} else {
		a.access(arm64.LDRQ, uint8(qs2), m)
	}
	a.Shift(lo, q(d, 0), qs2, 0)
	a.Shift(hi, q(d, 1), qs2, 0)
}

// eachLane emits f for the lanes of a mask of the given width, with the half and the element.
func (a *neonCode) eachLane(wide bool, mask vec, f func(lane, h, i int)) {
	n, r := 4, arm64.UMOVS
	if wide {
		n, r = 2, arm64.UMOVD
	}
	for l := range 2 * n {
		skip := a.NewLabel()
		a.FromLane(r, xs0, q(mask, l/n), l%n)
		a.Cbz(wide, xs0, skip)
		f(l, l/n, l%n)
		a.Bind(skip)
	}
}

func (a *neonCode) storeMasked(wide bool, m place, s, mask vec) {
	size, get, put := int32(4), arm64.UMOVS, arm64.STRW
	if wide {
		size, get, put = 8, arm64.UMOVD, arm64.STRX
	}
	a.eachLane(wide, mask, func(l, h, i int) {
		a.FromLane(get, xs1, q(s, h), i)
		a.accessAt(put, uint8(xs1), xr(m.base), m.disp+size*int32(l))
	})
}

func (a *neonCode) gather(d vec, base place, shift uint8, indices, mask vec) {
	a.zero(d)
	a.offset(true, third, base.base, base.disp)
	a.eachLane(false, mask, func(_, h, i int) {
		a.FromLane(arm64.SMOVS, xs0, q(indices, h), i)
		if shift > 0 {
			a.Field(arm64.UBFM, true, xs0, xs0, 64-shift, 63-shift)
		}
		a.MemReg(arm64.LDRW, uint8(xs1), xr(third), xs0)
		a.ToLane(arm64.INSS, q(d, h), i, xs1)
	})
}

func (a *neonCode) gatherPair(d vec, disp int32, lo, hi, mask vec) {
	a.zero(d)
	a.set(third, uint64(int64(disp)))
	a.eachLane(false, mask, func(l, h, i int) {
		from := lo
		if l >= 4 {
			from = hi
		}
		a.FromLane(arm64.UMOVD, xs0, q(from, l%4/2), l%2)
		a.MemReg(arm64.LDRW, uint8(xs1), xr(third), xs0)
		a.ToLane(arm64.INSS, q(d, h), i, xs1)
	})
}

func (a *neonCode) gatherWide(d vec, disp int32, addresses, mask vec) {
	a.zero(d)
	a.set(third, uint64(int64(disp)))
	a.eachLane(true, mask, func(_, h, i int) {
		a.FromLane(arm64.UMOVD, xs0, q(addresses, h), i)
		a.MemReg(arm64.LDRX, uint8(xs1), xr(third), xs0)
		a.ToLane(arm64.INSD, q(d, h), i, xs1)
	})
}

func (a *neonCode) setRounding(r ir.Round) {
	a.Set(xs0, map[ir.Round]uint64{ir.RP: 1, ir.RM: 2, ir.RZ: 3}[r]<<22)
	a.MsrFPCR(xs0)
}

func (a *neonCode) defaultRounding() { a.MsrFPCR(arm64.XZR) }
