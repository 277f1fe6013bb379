package ops

import (
	"github.com/tandem-go/tandem/internal/fpmath"
	"github.com/tandem-go/tandem/internal/ir"
)

// approximate are the f32 instructions with the modifier .approx.
var approximate = map[ir.Op]func(fpmath.Approx, float32) float32{
	ir.OpRcp: fpmath.Approx.Rcp, ir.OpSqrt: fpmath.Approx.Sqrt, ir.OpRsqrt: fpmath.Approx.Rsqrt,
	ir.OpSin: fpmath.Approx.Sin, ir.OpCos: fpmath.Approx.Cos, ir.OpLg2: fpmath.Approx.Lg2,
	ir.OpEx2: fpmath.Approx.Ex2, ir.OpTanh: fpmath.Approx.Tanh,
}

// rounded are the instructions with a rounding mode.
var rounded = map[ir.Op]struct {
	f32 func(fpmath.F32, float32) float32
	f64 func(fpmath.F64, float64) float64
}{
	ir.OpRcp:  {fpmath.F32.Rcp, fpmath.F64.Rcp},
	ir.OpSqrt: {fpmath.F32.Sqrt, fpmath.F64.Sqrt},
}

// unary chooses the meaning of an operation with one operand of type As.
func unary(op ir.Op) compiler {
	return func(in *ir.Instr) (Func, error) {
		var f scalar1
		switch {
		case op == ir.OpAbs || op == ir.OpNeg:
			f = signs(in)
		case in.Round > ir.RP:
		case in.As == ir.F32:
			f = unary32(in)
		case in.As == ir.F64:
			f = unary64(in)
		default:
			f = unary16(in)
		}
		if f == nil {
			return nil, unsupported(in)
		}
		return lift1(f), nil
	}
}

func unary32(in *ir.Instr) scalar1 {
	exact := rounded[in.Op].f32
	if in.Flags&ir.Approx != 0 || exact == nil {
		f, m := approximate[in.Op], fpmath.Approx{FTZ: in.Flags&ir.FTZ != 0}
		return func(a uint64) uint64 { return bits32(f(m, f32(a))) }
	}
	m := modifiers32(in)
	return func(a uint64) uint64 { return bits32(exact(m, f32(a))) }
}

func unary64(in *ir.Instr) scalar1 {
	exact, approx, ftz := rounded[in.Op].f64, in.Flags&ir.Approx != 0, in.Flags&ir.FTZ != 0
	switch {
	case in.Op == ir.OpRcp && approx:
		return func(a uint64) uint64 { return bits64(fpmath.Rcp64(f64(a))) }
	case in.Op == ir.OpRsqrt && ftz:
		return func(a uint64) uint64 { return bits64(fpmath.Rsqrt64(f64(a))) }
	case in.Op == ir.OpRsqrt:
		return func(a uint64) uint64 { return bits64(fpmath.RsqrtFull64(f64(a))) }
	case approx || exact == nil:
		return nil
	}
	m := fpmath.F64{Round: fpmath.Round(in.Round)}
	return func(a uint64) uint64 { return bits64(exact(m, f64(a))) }
}

// approximate16 are the f16 and bf16 instructions with the modifier .approx.
var approximate16 = map[ir.Op]struct {
	f16  func(fpmath.F16, uint16) uint16
	bf16 func(fpmath.BF16, uint16) uint16
}{
	ir.OpEx2:  {fpmath.F16.Ex2, fpmath.BF16.Ex2},
	ir.OpTanh: {fpmath.F16.Tanh, fpmath.BF16.Tanh},
}

func unary16(in *ir.Instr) scalar1 {
	o := approximate16[in.Op]
	if o.f16 == nil {
		return nil
	}
	f := func(a uint64) uint64 { return uint64(o.f16(fpmath.F16{}, uint16(a))) }
	if in.As == ir.BF16 || in.As == ir.BF16x2 {
		f = func(a uint64) uint64 { return uint64(o.bf16(fpmath.BF16{}, uint16(a))) }
	}
	if in.As.Bits() == 16 {
		return f
	}
	return func(a uint64) uint64 { return f(a) | f(a>>16)<<16 }
}

// signs is abs and neg.
func signs(in *ir.Instr) scalar1 {
	ftz, neg := in.Flags&ir.FTZ != 0, in.Op == ir.OpNeg
	choose := func(abs, negated scalar1) scalar1 {
		if neg {
			return negated
		}
		return abs
	}
	half := fpmath.F16{FTZ: ftz}
	switch in.As {
	case ir.F32:
		return choose(func(a uint64) uint64 { return bits32(fpmath.Abs32(f32(a), ftz)) },
			func(a uint64) uint64 { return bits32(fpmath.Neg32(f32(a), ftz)) })
	case ir.F64:
		return choose(func(a uint64) uint64 { return bits64(fpmath.Abs64(f64(a))) },
			func(a uint64) uint64 { return bits64(fpmath.Neg64(f64(a))) })
	case ir.F16:
		return choose(func(a uint64) uint64 { return uint64(half.Abs(uint16(a))) },
			func(a uint64) uint64 { return uint64(half.Neg(uint16(a))) })
	case ir.F16x2:
		return choose(func(a uint64) uint64 { return uint64(fpmath.F16x2(half).Abs(uint32(a))) },
			func(a uint64) uint64 { return uint64(fpmath.F16x2(half).Neg(uint32(a))) })
	case ir.BF16:
		return choose(func(a uint64) uint64 { return a &^ 0x8000 }, func(a uint64) uint64 { return a ^ 0x8000 })
	case ir.BF16x2:
		return choose(func(a uint64) uint64 { return a &^ 0x80008000 }, func(a uint64) uint64 { return a ^ 0x80008000 })
	}
	keep, n := width(in.As), in.As.Bits()
	negated := func(a uint64) uint64 { return -a & keep }
	return choose(func(a uint64) uint64 {
		if int64(signExtend(a, n)) < 0 {
			return negated(a)
		}
		return a
	}, negated)
}
