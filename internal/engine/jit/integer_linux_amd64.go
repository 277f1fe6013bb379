package jit

import (
	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// This file compiles integer operations beyond those that one vector instruction does.

// saturate is add.sat.s32 and sub.sat.s32.
func (e *emitter) saturate(in *ir.Instr) {
	e.lanewise(in, func(x [3]amd64.VReg, d amd64.VReg) {
		e.op(integerRows[in.Op].of(false), d, x[0], x[1])
		// The sum overflows where both operands have another sign than it, the difference where the operands differ.
		table := uint8(0x42)
		if in.Op == ir.OpSub {
			table = 0x18
		}
		t := e.free(0)
		e.op(amd64.VMOVDQA32, t, 0, x[0])
		e.RRRI(amd64.VPTERNLOGD, t, x[1], d, table, zmm)
		e.KR(amd64.VPMOVD2M, 7, t, zmm)
		e.RRI(amd64.VPSRADI, t, x[0], 31, zmm)
		e.RRM(amd64.VPXORD, d, t, amd64.At(blockReg, e.constant(1<<31-1)), castUnder(7))
	})
}

// free returns the i-th register that the instruction has borrowed.
func (e *emitter) free(i int) amd64.VReg {
	for len(e.loans) <= i {
		e.borrow(1)
	}
	return e.loans[i].reg
}

// extended returns the low n bits of elements of 32 bits, extended to them; in t unless they are that already.
func (e *emitter) extended(x amd64.VReg, n int, signed bool, t amd64.VReg) amd64.VReg {
	if n == 32 || !signed {
		return x // values have zeroes above their width
	}
	return e.cut(x, n, 32, true, t)
}

// narrow16 is an operation on 16 bits that is done on 32: on operands extended by their sign where it matters.
func (e *emitter) narrow16(in *ir.Instr) {
	signed := in.As.Signed() || in.Op == ir.OpAbs
	switch in.Op {
	case ir.OpAdd, ir.OpSub, ir.OpMul, ir.OpNeg, ir.OpNot, ir.OpShl:
		signed = false
	}
	e.lanewise(in, func(x [3]amd64.VReg, d amd64.VReg) {
		a, b := e.extended(x[0], 16, signed, temp0), x[1]
		if len(in.Args) > 1 && in.Op != ir.OpShl && in.Op != ir.OpShr {
			b = e.extended(x[1], 16, signed, temp1)
		}
		switch in.Op {
		case ir.OpAdd, ir.OpSub, ir.OpMul:
			e.op(integerRows[in.Op].of(false), d, a, b)
		case ir.OpMulHi:
			e.op(amd64.VPMULLD, d, a, b)
			e.RRI(amd64.VPSRLDI, d, d, 16, zmm)
		case ir.OpMin, ir.OpMax:
			if in.As.Signed() {
				e.op(signedRows[in.Op].of(false), d, a, b)
			} else {
				e.op(unsignedRows[in.Op].of(false), d, a, b)
			}
		case ir.OpNeg:
			e.op(amd64.VPXORD, d, d, d)
			e.op(amd64.VPSUBD, d, d, a)
		case ir.OpAbs:
			e.op(amd64.VPABSD, d, 0, a)
		case ir.OpNot:
			e.opWith(amd64.VPXORD, d, a, 0xffff)
		case ir.OpShl:
			e.op(amd64.VPSLLVD, d, a, b)
		case ir.OpShr:
			if in.As.Signed() {
				e.op(amd64.VPSRAVD, d, a, b)
			} else {
				e.op(amd64.VPSRLVD, d, a, b)
			}
		}
		e.opWith(amd64.VPANDD, d, d, 0xffff)
	})
}

// cnot is 1 where the operand is 0.
func (e *emitter) cnot(in *ir.Instr) {
	wide := in.As.Bits() == 64
	e.lanewise(in, func(x [3]amd64.VReg, d amd64.VReg) {
		e.op(amd64.VPXORD, d, d, d)
		e.KRRI(rows{amd64.VPCMPUD, amd64.VPCMPUQ}.of(wide), 7, x[0], d, integerComparisons[ir.Eq], zmm)
		e.allUnder(d, 1, wide, under(7))
	})
}

func (e *emitter) sad(in *ir.Instr) {
	n := in.As.Bits()
	signed, wide := in.As.Signed(), n == 64
	lo, hi := unsignedRows[ir.OpMin].of(wide), unsignedRows[ir.OpMax].of(wide)
	if signed {
		lo, hi = signedRows[ir.OpMin].of(wide), signedRows[ir.OpMax].of(wide)
	}
	e.lanewise(in, func(x [3]amd64.VReg, d amd64.VReg) {
		a, b := x[0], x[1]
		if n == 16 {
			a, b = e.extended(a, 16, signed, temp0), e.extended(b, 16, signed, temp1)
		}
		e.op(hi, d, a, b)
		e.op(lo, temp0, a, b)
		e.op(integerRows[ir.OpSub].of(wide), d, d, temp0)
		e.op(integerRows[ir.OpAdd].of(wide), d, d, x[2])
		if n == 16 {
			e.opWith(amd64.VPANDD, d, d, 0xffff)
		}
	})
}

// oddElements are the upper of each two elements of 32 bits.
const oddElements = 0xaaaa

// products computes the products of the even elements of a and b, and of the odd ones, of 64 bits each. It destroys s.
func (e *emitter) products(even, odd, s, a, b amd64.VReg, signed bool) {
	row := amd64.VPMULUDQ
	if signed {
		row = amd64.VPMULDQ
	}
	e.RRI(amd64.VPSRLQI, odd, a, 32, zmm)
	e.RRI(amd64.VPSRLQI, s, b, 32, zmm)
	e.op(row, odd, odd, s)
	e.op(row, even, a, b)
}

// mulHi is the upper half of products of 32 bits.
func (e *emitter) mulHi(in *ir.Instr) {
	e.lanewise(in, func(x [3]amd64.VReg, d amd64.VReg) {
		odd, s := e.free(0), e.free(1)
		e.products(d, odd, s, x[0], x[1], in.As.Signed())
		e.RRI(amd64.VPSRLQI, d, d, 32, zmm)
		e.maskConstant(7, oddElements)
		e.RRR(amd64.VMOVDQA32, d, 0, odd, under(7))
	})
}

// mulHiWide is the upper half of products of 64 bits, from four products of halves.
func (e *emitter) mulHiWide(in *ir.Instr) {
	e.lanewise(in, func(x [3]amd64.VReg, d amd64.VReg) {
		ah, bh, m, p := e.free(0), e.free(1), e.free(2), e.free(3)
		e.RRI(amd64.VPSRLQI, ah, x[0], 32, zmm)
		e.RRI(amd64.VPSRLQI, bh, x[1], 32, zmm)
		e.op(amd64.VPMULUDQ, m, x[0], x[1])
		e.RRI(amd64.VPSRLQI, m, m, 32, zmm)
		e.op(amd64.VPMULUDQ, p, x[0], bh)
		e.op(amd64.VPADDQ, p, p, m)
		e.opWith(amd64.VPANDQ, m, p, 1<<32-1)
		e.RRI(amd64.VPSRLQI, p, p, 32, zmm)
		e.op(amd64.VPMULUDQ, d, ah, bh)
		e.op(amd64.VPADDQ, d, d, p)
		e.op(amd64.VPMULUDQ, p, ah, x[1])
		e.op(amd64.VPADDQ, p, p, m)
		e.RRI(amd64.VPSRLQI, p, p, 32, zmm)
		e.op(amd64.VPADDQ, d, d, p)
		if !in.As.Signed() {
			return
		}
		// A negative operand counts as itself plus 2^64 in the unsigned product.
		e.RRI(amd64.VPSRAQI, m, x[0], 63, zmm)
		e.op(amd64.VPANDQ, m, m, x[1])
		e.op(amd64.VPSUBQ, d, d, m)
		e.RRI(amd64.VPSRAQI, m, x[1], 63, zmm)
		e.op(amd64.VPANDQ, m, m, x[0])
		e.op(amd64.VPSUBQ, d, d, m)
	})
}

func (e *emitter) mulWide16(in *ir.Instr) {
	e.lanewise(in, func(x [3]amd64.VReg, d amd64.VReg) {
		a, b := e.extended(x[0], 16, in.As.Signed(), temp0), e.extended(x[1], 16, in.As.Signed(), temp1)
		e.op(amd64.VPMULLD, d, a, b)
	})
}

func (e *emitter) mul24(in *ir.Instr) {
	signed := in.As.Signed()
	e.lanewise(in, func(x [3]amd64.VReg, d amd64.VReg) {
		a, b := e.cut(x[0], 24, 32, signed, temp0), e.cut(x[1], 24, 32, signed, temp1)
		if in.Sub == 0 {
			e.op(amd64.VPMULLD, d, a, b)
			return
		}
		odd, s := e.free(0), e.free(1)
		e.products(d, odd, s, a, b, signed)
		e.RRI(amd64.VPSRLQI, d, d, 16, zmm)
		e.RRI(amd64.VPSLLQI, odd, odd, 16, zmm)
		e.maskConstant(7, oddElements)
		e.RRR(amd64.VMOVDQA32, d, 0, odd, under(7))
	})
}

// divide32 is a quotient or remainder of up to 32 bits. The quotient of two integers of 32 bits, rounded to f64 and then
// towards zero, is exact: it is farther from the next integer than the rounding can move it.
func (e *emitter) divideVector(in *ir.Instr) {
	n, signed := in.As.Bits(), in.As.Signed()
	to, from := amd64.VCVTUDQ2PD, amd64.VCVTTPD2UDQ
	if signed {
		to, from = amd64.VCVTDQ2PD, amd64.VCVTTPD2DQ
	}
	e.lanewise(in, func(x [3]amd64.VReg, d amd64.VReg) {
		t, s := e.free(0), e.free(1)
		a, b := e.extended(x[0], n, signed, temp0), e.extended(x[1], n, signed, temp1)
		e.RRRI(amd64.VEXTRACTI64X4, a, 0, d, 1, zmm)
		e.RRRI(amd64.VEXTRACTI64X4, b, 0, s, 1, zmm)
		e.op(to, d, 0, d)
		e.op(to, s, 0, s)
		e.op(amd64.VDIVPD, d, d, s)
		e.op(from, d, 0, d)
		e.op(to, t, 0, a)
		e.op(to, s, 0, b)
		e.op(amd64.VDIVPD, t, t, s)
		e.op(from, t, 0, t)
		e.RRRI(amd64.VINSERTI64X4, d, t, d, 1, zmm)
		if in.Op == ir.OpRem {
			e.op(amd64.VPMULLD, d, d, b)
			e.op(amd64.VPSUBD, d, a, d)
		}
		// A quotient by zero is all ones, a remainder the dividend. The conversion gives 2^31 where it has no answer.
		e.RRR(amd64.VPTESTNMD, 7, b, b, zmm)
		if in.Op == ir.OpRem {
			e.RRR(amd64.VMOVDQA32, d, 0, a, under(7))
		} else {
			e.RRRI(amd64.VPTERNLOGD, d, d, d, 0xff, under(7))
		}
		if n == 16 {
			e.opWith(amd64.VPANDD, d, d, 0xffff)
		}
	})
}

// carry is addition and subtraction with the carry, or borrow, in and out.
func (e *emitter) carry(in *ir.Instr) {
	wide := in.As.Bits() == 64
	v, flags := e.of(in.Results[0]), (*value)(nil)
	if len(in.Results) > 1 {
		flags = e.of(in.Results[1])
	}
	for half := range e.halves(in) {
		into := amd64.KReg(0)
		if len(in.Args) > 2 {
			into = e.maskIn(e.of(in.Args[2]), half, 0)
		}
		if !wide {
			e.carryPart(in, half, 5, into, false)
		} else {
			e.carryPart(in, 2*half, 5, into, false)
			if v.class != splat {
				e.carryPart(in, 2*half+1, 6, into, true)
				e.KKK(amd64.KUNPCKBW, 5, 6, 5)
			}
		}
		if flags != nil {
			e.predicateOut(flags, half, 5)
		}
	}
}

// carryPart computes one part, and its carries in k. The carries into it are those of a half, of which it may be the
// upper eight lanes.
func (e *emitter) carryPart(in *ir.Instr, part int, k, into amd64.KReg, upper bool) {
	wide := in.As.Bits() == 64
	v, d := e.of(in.Results[0]), temp3
	x, y := e.bitsIn(e.of(in.Args[0]), part, temp0), e.bitsIn(e.of(in.Args[1]), part, temp1)
	compare, plain := rows{amd64.VPCMPUD, amd64.VPCMPUQ}.of(wide), ir.OpAdd
	if in.Op == ir.OpSubCC || in.Op == ir.OpSubC {
		plain = ir.OpSub
	}
	row := integerRows[plain].of(wide)
	e.op(row, d, x, y)
	if plain == ir.OpAdd {
		e.KRRI(compare, k, d, x, integerComparisons[ir.Lt], zmm)
	} else {
		e.KRRI(compare, k, x, y, integerComparisons[ir.Lt], zmm)
	}
	if len(in.Args) > 2 {
		if upper {
			e.KKI(amd64.KSHIFTRW, 7, into, 8)
		} else {
			e.KKK(amd64.KMOVW, 7, 0, into)
		}
		// Another carry comes out where the sum becomes 0, another borrow where the difference was 0.
		zero := temp2
		e.op(amd64.VPXORD, zero, zero, zero)
		if plain == ir.OpSub {
			e.op(amd64.VMOVDQA32, temp0, 0, d)
		}
		e.RRM(row, d, d, amd64.At(blockReg, e.constant(1)), castUnder(7))
		if plain == ir.OpSub {
			e.KRRI(compare, 7, temp0, zero, integerComparisons[ir.Eq], under(7))
		} else {
			e.KRRI(compare, 7, d, zero, integerComparisons[ir.Eq], under(7))
		}
		e.KKK(amd64.KORW, k, k, 7)
	}
	e.out(v, part, d)
}

// copysign is the second operand with the sign of the first.
func (e *emitter) copysign(in *ir.Instr) {
	wide := in.As.Bits() == 64
	row := rows{amd64.VPTERNLOGD, amd64.VPTERNLOGQ}.of(wide)
	e.lanewise(in, func(x [3]amd64.VReg, d amd64.VReg) {
		e.all(d, 1<<(in.As.Bits()-1), wide)
		e.RRRI(row, d, x[0], x[1], 0xca, zmm)
	})
}

// tests are the classes of VFPCLASS for the tests that are one, and for those that are the complement of one.
var tests = map[ir.Test]struct {
	classes uint8
	not     bool
}{
	ir.TestFinite: {classNaN | classInf, true}, ir.TestInfinite: {classInf, false}, ir.TestNumber: {classNaN, true}, ir.TestNotANumber: {classNaN, false},
	ir.TestNormal: {classNaN | classInf | classDenormal | classZero, true}, ir.TestSubnormal: {classDenormal, false},
}

func (e *emitter) testp(in *ir.Instr) {
	v, a, test := e.of(in.Results[0]), e.of(in.Args[0]), tests[ir.Test(in.Sub)]
	wide := in.As.Bits() == 64
	for half := range e.halves(in) {
		if !wide {
			e.class(5, e.vectorIn(a, half, temp0), test.classes, false)
		} else {
			e.class(5, e.vectorIn(a, 2*half, temp0), test.classes, true)
			e.class(6, e.vectorIn(a, 2*half+1*(e.halves(in)-1), temp0), test.classes, true)
			e.KKK(amd64.KUNPCKBW, 5, 6, 5)
		}
		if test.not {
			e.KKK(amd64.KNOTW, 5, 0, 5)
		}
		e.predicateOut(v, half, 5)
	}
}
