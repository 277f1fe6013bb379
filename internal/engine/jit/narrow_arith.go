//go:build linux && (amd64 || arm64)

package jit

import (
	"math"

	"github.com/tandem-go/tandem/internal/ir"
)

// quarterCode is how an instruction is compiled for a quarter.
type quarterCode struct {
	emit func(e *quarterEmitter, in *ir.Instr)
	// nan: the result is a float that may be a NaN other than the canonical one.
	nan bool
}

// lanewise makes the code of an operation whose result and operands have one width: f computes a part.
func lanewise(f func(e *quarterEmitter, in *ir.Instr, n int) vec) func(e *quarterEmitter, in *ir.Instr) {
	return func(e *quarterEmitter, in *ir.Instr) {
		v := e.of(in.Results[0])
		for n := range e.partsOf(v) {
			e.conclude(v, n, f(e, in, n))
		}
	}
}

var integerOps = map[ir.Op][2]vecOp{ // unsigned, signed
	ir.OpAdd: {vAdd, vAdd}, ir.OpSub: {vSub, vSub}, ir.OpMul: {vMul, vMul}, ir.OpAnd: {vAnd, vAnd}, ir.OpOr: {vOr, vOr}, ir.OpXor: {vXor, vXor},
	ir.OpMin: {vMinU, vMinS}, ir.OpMax: {vMaxU, vMaxS},
}

var floatOps = map[ir.Op]vecOp{ir.OpAdd: vFAdd, ir.OpSub: vFSub, ir.OpMul: vFMul, ir.OpDiv: vFDiv}

// quarterNative says how in is compiled to vector instructions; without emit it is not.
func quarterNative(in *ir.Instr) quarterCode {
	word := in.As.Integer() && in.As.Bits() >= 32 && in.As.Bits() <= 64
	float := in.As == ir.F32 || in.As == ir.F64
	directed := float && in.Round <= ir.RP
	switch in.Op {
	case ir.OpAdd, ir.OpSub, ir.OpMul:
		if word && in.Flags == 0 {
			return quarterCode{emit: lanewise((*quarterEmitter).integer2)}
		}
		if directed {
			return quarterCode{lanewise((*quarterEmitter).float2), true}
		}
	case ir.OpAnd, ir.OpOr, ir.OpXor:
		if word || in.As.Bits() == 16 || in.As == ir.Pred {
			return quarterCode{emit: lanewise((*quarterEmitter).integer2)}
		}
	case ir.OpNot:
		if word || in.As == ir.Pred || in.As.Bits() == 16 {
			return quarterCode{emit: lanewise((*quarterEmitter).not)}
		}
	case ir.OpMin, ir.OpMax:
		if word && in.Flags == 0 {
			return quarterCode{emit: lanewise((*quarterEmitter).integer2)}
		}
		if float && in.Flags&^(ir.FTZ|ir.NaN) == 0 {
			return quarterCode{lanewise((*quarterEmitter).minMaxFloat), true}
		}
	case ir.OpFma:
		if directed && in.Flags&ir.Relu == 0 {
			return quarterCode{lanewise((*quarterEmitter).fma), true}
		}
	case ir.OpDiv:
		if directed {
			if in.Flags&ir.Approx != 0 && in.Flags&ir.Full == 0 && in.As == ir.F32 {
				return quarterCode{lanewise((*quarterEmitter).divApprox), true}
			}
			return quarterCode{lanewise((*quarterEmitter).float2), true}
		}
	case ir.OpSqrt, ir.OpRcp:
		if directed && (in.As == ir.F32 || in.Flags&ir.Approx == 0) {
			return quarterCode{lanewise((*quarterEmitter).sqrtRcp), true}
		}
	case ir.OpRsqrt:
		if in.As == ir.F32 || in.As == ir.F64 && in.Flags&ir.FTZ == 0 {
			return quarterCode{emit: lanewise((*quarterEmitter).rsqrt)}
		}
	case ir.OpEx2, ir.OpLg2, ir.OpSin, ir.OpCos:
		if in.As == ir.F32 {
			f := map[ir.Op]func(*quarterEmitter, *ir.Instr, int) vec{ir.OpEx2: (*quarterEmitter).ex2, ir.OpLg2: (*quarterEmitter).lg2}[in.Op]
			if f == nil {
				f = (*quarterEmitter).sinCos
			}
			return quarterCode{lanewise(f), true}
		}
	case ir.OpNeg, ir.OpAbs:
		if word || float {
			return quarterCode{emit: lanewise((*quarterEmitter).sign)}
		}
	}
	return quarterBits(in, word)
}

// quarterBits is quarterNative for operations on bits, comparisons, selections and conversions.
func quarterBits(in *ir.Instr, word bool) quarterCode {
	switch in.Op {
	case ir.OpShl, ir.OpShr:
		if word {
			return quarterCode{emit: lanewise((*quarterEmitter).shiftLanes)}
		}
	case ir.OpMulWide:
		if in.As.Bits() == 32 {
			return quarterCode{emit: (*quarterEmitter).mulWide}
		}
	case ir.OpMulHi:
		if word && in.As.Bits() == 32 {
			return quarterCode{emit: (*quarterEmitter).mulHi}
		}
	case ir.OpShf:
		return quarterCode{emit: lanewise((*quarterEmitter).funnel)}
	case ir.OpLop3:
		return quarterCode{emit: lanewise((*quarterEmitter).lop3)}
	case ir.OpPopc:
		if in.As.Bits() == 32 {
			return quarterCode{emit: lanewise((*quarterEmitter).popc)}
		}
	case ir.OpSetp:
		if in.From == ir.F32 || in.From == ir.F64 || in.From.Integer() && in.From.Bits() >= 32 && in.From.Bits() <= 64 {
			return quarterCode{emit: (*quarterEmitter).setp}
		}
	case ir.OpSelect:
		if in.As == ir.Pred || in.As.Bits() <= 64 {
			return quarterCode{emit: (*quarterEmitter).choose}
		}
	case ir.OpExtend:
		if in.As.Bits() <= 64 && in.Args[0].Type.Bits() <= 64 && in.Args[0].Type != ir.Pred && in.As != ir.Pred {
			return quarterCode{emit: (*quarterEmitter).extendLanes}
		}
	case ir.OpCvt:
		return quarterConvert(in)
	case ir.OpCvta, ir.OpCvtaTo:
		if in.Space != ir.SpaceLocal && in.Space != ir.SpaceParam {
			return quarterCode{emit: lanewise((*quarterEmitter).cvta)}
		}
	}
	return quarterCode{}
}

func quarterConvert(in *ir.Instr) quarterCode {
	from, to := in.From, in.As
	switch {
	case from.Integer() && to.Integer() && in.Flags == 0 && to.Bits() >= 16 && to.Bits() <= 64:
		return quarterCode{emit: (*quarterEmitter).extendLanes}
	case from.Integer() && from.Bits() == 32 && to == ir.F32 && in.Flags == 0 && in.Round <= ir.RP:
		return quarterCode{emit: lanewise((*quarterEmitter).toFloat)}
	case from == ir.F32 && to.Integer() && to.Bits() == 32 && in.Flags&^(ir.FTZ|ir.Sat) == 0 && in.Round <= ir.RP:
		return quarterCode{emit: lanewise((*quarterEmitter).toInt)}
	case from == ir.F32 && to == ir.F32 && in.Flags&^(ir.FTZ|ir.RoundInt|ir.Sat) == 0 && in.Flags&ir.RoundInt != 0 && in.Round <= ir.RP:
		return quarterCode{lanewise((*quarterEmitter).roundFloat), true}
	case from == ir.F32 && to == ir.F32 && in.Flags&^(ir.FTZ|ir.Sat) == 0 && in.Round == ir.RN:
		return quarterCode{emit: lanewise((*quarterEmitter).sameFloat)}
	case from == ir.F16 && to == ir.F32 && in.Flags == 0:
		return quarterCode{lanewise((*quarterEmitter).singleOfHalf), true}
	case from == ir.F32 && to == ir.F16 && in.Flags&^(ir.FTZ|ir.Sat) == 0 && in.Round <= ir.RP:
		return quarterCode{emit: lanewise((*quarterEmitter).halfOfSingle)}
	case from == ir.F32 && to == ir.F64 && in.Flags == 0:
		return quarterCode{(*quarterEmitter).doubles, true}
	case from == ir.F64 && to == ir.F32 && in.Flags == 0 && in.Round <= ir.RP:
		return quarterCode{(*quarterEmitter).singles, true}
	}
	return quarterCode{}
}

func (e *quarterEmitter) arg(in *ir.Instr, i int) *value { return e.of(in.Args[i]) }

func (e *quarterEmitter) integer2(in *ir.Instr, n int) vec {
	op := integerOps[in.Op][0]
	if in.As.Signed() {
		op = integerOps[in.Op][1]
	}
	a, b := e.arg(in, 0), e.arg(in, 1)
	if in.Op != ir.OpSub && a.class == constant {
		a, b = b, a
	}
	x, y := e.bitsOf(a, n), e.bitsOperand(b, n)
	d := e.result()
	e.op2(op, in.As.Bits() == 64, d, x, y)
	return d
}

func (e *quarterEmitter) not(in *ir.Instr, n int) vec {
	x, d := e.bitsOf(e.arg(in, 0), n), e.result()
	ones := ^uint64(0)
	if in.As.Bits() == 16 {
		ones = 0xffff
	}
	e.op2(vXor, false, d, x, e.all(in.As.Bits() == 64, ones))
	return d
}

func flushes(in *ir.Instr) bool { return in.Flags&ir.FTZ != 0 && in.As != ir.F64 }

// flush returns r with subnormal numbers replaced by zeroes of the same sign, in another register if anything is done.
func (e *quarterEmitter) flush(in *ir.Instr, r vec) vec {
	if !flushes(in) {
		return r
	}
	t := e.pool.take()
	e.flushInto(t, t, r)
	return t
}

// flushInto sets d to r with subnormal numbers replaced by zeroes; t is lost and may be d.
func (e *quarterEmitter) flushInto(d, t, r vec) {
	e.op2(vAnd, false, t, r, e.all(false, 0x7f800000))
	e.op2(vEqual, false, t, t, e.all(false, 0))
	e.op2(vAnd, false, t, t, e.all(false, 0x7fffffff))
	e.op2(vClear, false, d, r, inReg(t))
}

// flushed returns a part of v as the flags of in want it.
func (e *quarterEmitter) flushed(in *ir.Instr, v *value, n int) vec {
	return e.borrow(v, n, func(r vec) vec { return e.flush(in, r) })
}

// finished returns the result of a float instruction with what its flags say done.
func (e *quarterEmitter) finished(in *ir.Instr, d vec) vec {
	if f := e.flush(in, d); f != d {
		e.pool.give(d)
		d = f
	}
	if in.Flags&ir.Sat == 0 {
		return d
	}
	wide := in.As == ir.F64
	one := uint64(math.Float32bits(1))
	if wide {
		one = math.Float64bits(1)
	}
	t := e.pool.take()
	e.op2(vFMore, wide, t, d, e.all(wide, 0)) // zero of a NaN
	e.op2(vFLess, wide, t, t, e.all(wide, one))
	e.pool.give(d)
	return t
}

// rounded brackets what f emits with the rounding of in.
func (e *quarterEmitter) rounded(in *ir.Instr, f func()) {
	if in.Round == ir.RN {
		f()
		return
	}
	e.setRounding(in.Round)
	f()
	e.defaultRounding()
}

// floatOperand is operand, flushed if in flushes.
func (e *quarterEmitter) floatOperand(in *ir.Instr, v *value, n int) source {
	if flushes(in) {
		return inReg(e.flushed(in, v, n))
	}
	return e.operand(v, n)
}

func (e *quarterEmitter) float2(in *ir.Instr, n int) vec {
	a, b := e.arg(in, 0), e.arg(in, 1)
	if (in.Op == ir.OpAdd || in.Op == ir.OpMul) && a.class == constant {
		a, b = b, a
	}
	x := e.flushed(in, a, n)
	y := e.floatOperand(in, b, n)
	d := e.result()
	e.rounded(in, func() { e.op2(floatOps[in.Op], in.As == ir.F64, d, x, y) })
	return e.finished(in, d)
}

func (e *quarterEmitter) fma(in *ir.Instr, n int) vec {
	wide := in.As == ir.F64
	a, b, c := e.arg(in, 0), e.arg(in, 1), e.arg(in, 2)
	if a.class == constant {
		a, b = b, a
	}
	if wholeSum(in, a, b, c) {
		return e.floorSum(a, b, c, n)
	}
	if !e.inRegister(a, n) && e.inRegister(b, n) {
		a, b = b, a
	}
	x := e.flushed(in, a, n)
	y := e.floatOperand(in, b, n)
	d := e.addend(in, c, n)
	e.rounded(in, func() { e.multiplyAdd(wide, false, d, x, y) })
	return e.finished(in, d)
}

// addend returns a register with a part of c that the instruction computes in.
func (e *quarterEmitter) addend(in *ir.Instr, c *value, n int) vec {
	if p := &e.pool; !flushes(in) && c != e.arg(in, 0) && c != e.arg(in, 1) && p.ends(c) {
		if r, ok := p.where[p.keyOf(c, n)]; ok {
			p.held[r] = holding{taken: true, locked: true}
			delete(p.where, p.keyOf(c, n))
			return r
		}
	}
	d := e.result()
	if z := e.floatOperand(in, c, n); z.inMem {
		e.vload(d, z.at)
	} else {
		e.vmove(d, z.reg)
	}
	return d
}

// wholeSum tells that in rounds a * b + c down to an integer: a is in [0, 1], b and c are constants, and the sum is at least 2^23
// and below 2^24. The bits of its neighbours are then those of the sum, one more or less. This is how expf splits its argument.
func wholeSum(in *ir.Instr, a, b, c *value) bool {
	if in.As != ir.F32 || in.Round != ir.RM || in.Flags&^ir.FTZ != 0 || b.class != constant || c.class != constant {
		return false
	}
	if d := a.v.Def; d == nil || d.Flags&ir.Sat == 0 || d.As != ir.F32 {
		return false
	}
	y, z := math.Float32frombits(uint32(b.imm)), math.Float32frombits(uint32(c.imm))
	return y >= 0 && z >= 1<<23 && float64(y)+float64(z) < 1<<24
}

// isWholeSum tells that v is the result of such an instruction, and therefore no NaN.
func (e *quarterEmitter) isWholeSum(v *value) bool {
	in := v.v.Def
	if in == nil || in.Op != ir.OpFma {
		return false
	}
	a, b, c := e.arg(in, 0), e.arg(in, 1), e.arg(in, 2)
	return wholeSum(in, a, b, c) || wholeSum(in, b, a, c)
}

// floorSum is a * b + c rounded down, without another rounding mode, which takes long to set: where the sum rounded to nearest
// is greater, the product is less than the difference to c, which is exact.
func (e *quarterEmitter) floorSum(a, b, c *value, n int) vec {
	x, y, z := e.reg(a, n), e.operand(b, n), e.operand(c, n)
	d, t := e.result(), e.pool.take()
	e.vload(d, z.at)
	e.multiplyAdd(false, false, d, x, y)
	e.op2(vFSub, false, t, d, z)
	e.multiplyAdd(false, true, t, x, y)
	e.compareFloats(ir.Gt, false, t, t, e.all(false, 0))
	e.op2(vAdd, false, d, d, inReg(t))
	e.pool.give(t)
	return d
}

func (e *quarterEmitter) sqrtRcp(in *ir.Instr, n int) vec {
	wide := in.As == ir.F64
	x := e.floatOperand(in, e.arg(in, 0), n)
	d := e.result()
	if in.Op == ir.OpSqrt {
		e.rounded(in, func() { e.op1(vFSqrt, wide, d, x) })
		return e.finished(in, d)
	}
	one := uint64(math.Float32bits(1))
	if wide {
		one = math.Float64bits(1)
	}
	t := e.pool.take()
	e.vload(t, e.all(wide, one).at)
	e.rounded(in, func() { e.op2(vFDiv, wide, d, t, x) })
	e.pool.give(t)
	return e.finished(in, d)
}

// divApprox: package fpmath, Approx.Div.
func (e *quarterEmitter) divApprox(in *ir.Instr, n int) vec {
	x := e.flushed(in, e.arg(in, 0), n)
	y := e.flushed(in, e.arg(in, 1), n)
	d, m, t := e.result(), e.pool.take(), e.pool.take()
	e.op2(vFDiv, false, d, x, inReg(y))
	// Where 2^126 < |b| < inf, as a number of 31 bits less 2^126, unsigned.
	e.op2(vAnd, false, m, y, e.all(false, 1<<31-1))
	e.op2(vSub, false, m, m, e.all(false, 0x7e800001))
	e.vload(t, e.all(false, 0x7f800000-0x7e800001).at)
	e.op2(vAbove, false, m, t, inReg(m))
	e.op2(vAnd, false, t, y, e.all(false, 1<<31))
	e.op2(vFMul, false, t, x, inReg(t))
	e.blend(d, m, t, d)
	e.pool.give(m)
	e.pool.give(t)
	return e.finished(in, d)
}

func floatBits(f float32) uint64 { return uint64(math.Float32bits(f)) }

func (e *quarterEmitter) minMaxFloat(in *ir.Instr, n int) vec {
	wide := in.As == ir.F64
	x := e.flushed(in, e.arg(in, 0), n)
	y := e.flushed(in, e.arg(in, 1), n)
	d := e.result()
	e.minMax(in.Op == ir.OpMax, wide, d, x, y)
	if in.Flags&ir.NaN != 0 {
		m, t := e.pool.take(), e.pool.take()
		nan := uint64(nan32)
		if wide {
			nan = nan64
		}
		e.compareFloats(ir.IsNaN, wide, m, x, inReg(y))
		e.vload(t, e.all(wide, nan).at)
		e.blend(d, m, t, d)
	}
	return d
}

// sign is abs and neg.
func (e *quarterEmitter) sign(in *ir.Instr, n int) vec {
	wide := in.As.Bits() == 64
	x := vec(0)
	if in.As.Float() && e.numbers.has(in.Results[0].ID) {
		x = e.reg(e.arg(in, 0), n) // nobody sees which NaN it is
	} else {
		x = e.bitsOf(e.arg(in, 0), n)
	}
	d := e.result()
	top := uint64(1) << (in.As.Bits() - 1)
	switch {
	case in.As.Float() && in.Op == ir.OpNeg:
		e.op2(vXor, false, d, e.flush(in, x), e.all(wide, top))
	case in.As.Float():
		e.op2(vAnd, false, d, e.flush(in, x), e.all(wide, top-1))
	case in.Op == ir.OpNeg:
		e.zero(d)
		e.op2(vSub, wide, d, d, inReg(x))
	default:
		e.op1(vAbs, wide, d, inReg(x))
	}
	return d
}

// onlyNumbers finds the values that are operands of float arithmetic and nothing else.
func (p *plan) onlyNumbers() bitset {
	numbers := newBitset(p.f.Values)
	for i := range numbers {
		numbers[i] = ^uint64(0)
	}
	for _, b := range p.f.Blocks {
		for _, in := range b.Instrs {
			switch in.Op {
			case ir.OpAdd, ir.OpSub, ir.OpMul, ir.OpFma, ir.OpEx2:
				if in.As == ir.F32 || in.As == ir.F64 {
					continue
				}
			case ir.OpSetp:
				if in.From == ir.F32 || in.From == ir.F64 {
					continue
				}
			}
			p.operands(in, func(v *ir.Value) { numbers.clear(v.ID) })
			for _, t := range in.Targets {
				for _, v := range t.Args {
					numbers.clear(v.ID)
				}
			}
		}
	}
	return numbers
}
