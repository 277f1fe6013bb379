package ops

import (
	"github.com/tandem-go/tandem/internal/fpmath"
	"github.com/tandem-go/tandem/internal/intmath"
	"github.com/tandem-go/tandem/internal/ir"
)

// Integer and floating-point arithmetic (PTX ISA, Integer Arithmetic Instructions, Floating-Point Instructions and Half
// Precision Floating-Point Instructions).
var arithmeticOps = map[ir.Op]compiler{
	ir.OpAdd: binary(ir.OpAdd), ir.OpSub: binary(ir.OpSub), ir.OpMul: binary(ir.OpMul), ir.OpDiv: binary(ir.OpDiv),
	ir.OpRem: binary(ir.OpRem), ir.OpMin: binary(ir.OpMin), ir.OpMax: binary(ir.OpMax),
	ir.OpFma: fma, ir.OpSad: sad,
	ir.OpAbs: unary(ir.OpAbs), ir.OpNeg: unary(ir.OpNeg), ir.OpSqrt: unary(ir.OpSqrt), ir.OpRcp: unary(ir.OpRcp),
	ir.OpRsqrt: unary(ir.OpRsqrt), ir.OpSin: unary(ir.OpSin), ir.OpCos: unary(ir.OpCos), ir.OpLg2: unary(ir.OpLg2),
	ir.OpEx2: unary(ir.OpEx2), ir.OpTanh: unary(ir.OpTanh),
	ir.OpMulHi: mulHi, ir.OpMulWide: mulWide, ir.OpMul24: mul24,
	ir.OpCopysign: copysign, ir.OpTestp: testp,
}

// integer2 is a binary integer operation: unsigned acts on zero-extended, signed on sign-extended operands, and what
// lies above the type's width is dropped. Where signed is nil the low bits do not depend on the sign.
type integer2 struct {
	unsigned func(a, b uint64) uint64
	signed   func(a, b int64) int64
}

var integerBinary = map[ir.Op]integer2{
	ir.OpAdd: {func(a, b uint64) uint64 { return a + b }, nil},
	ir.OpSub: {func(a, b uint64) uint64 { return a - b }, nil},
	ir.OpMul: {func(a, b uint64) uint64 { return a * b }, nil},
	ir.OpDiv: {intmath.Div[uint64], intmath.Div[int64]},
	ir.OpRem: {intmath.Rem[uint64], intmath.Rem[int64]},
	ir.OpMin: {func(a, b uint64) uint64 { return min(a, b) }, func(a, b int64) int64 { return min(a, b) }},
	ir.OpMax: {func(a, b uint64) uint64 { return max(a, b) }, func(a, b int64) int64 { return max(a, b) }},
}

// at returns the operation at type t.
func (o integer2) at(t ir.Type) scalar2 {
	keep, n := width(t), t.Bits()
	if o.signed == nil || !t.Signed() {
		return func(a, b uint64) uint64 { return o.unsigned(a, b) & keep }
	}
	return func(a, b uint64) uint64 {
		return uint64(o.signed(int64(signExtend(a, n)), int64(signExtend(b, n)))) & keep
	}
}

// float2 names the functions of a binary floating-point operation for each format.
type float2 struct {
	f32    func(fpmath.F32, float32, float32) float32
	f64    func(fpmath.F64, float64, float64) float64
	f16    func(fpmath.F16, uint16, uint16) uint16
	f16x2  func(fpmath.F16x2, uint32, uint32) uint32
	bf16   func(fpmath.BF16, uint16, uint16) uint16
	bf16x2 func(fpmath.BF16x2, uint32, uint32) uint32
}

var floatBinary = map[ir.Op]float2{
	ir.OpAdd: {fpmath.F32.Add, fpmath.F64.Add, fpmath.F16.Add, fpmath.F16x2.Add, fpmath.BF16.Add, fpmath.BF16x2.Add},
	ir.OpSub: {fpmath.F32.Sub, fpmath.F64.Sub, fpmath.F16.Sub, fpmath.F16x2.Sub, fpmath.BF16.Sub, fpmath.BF16x2.Sub},
	ir.OpMul: {fpmath.F32.Mul, fpmath.F64.Mul, fpmath.F16.Mul, fpmath.F16x2.Mul, fpmath.BF16.Mul, fpmath.BF16x2.Mul},
	ir.OpDiv: {f32: fpmath.F32.Div, f64: fpmath.F64.Div},
}

// modifiers32 and modifiers16 are an instruction's modifiers as package fpmath takes them.
func modifiers32(in *ir.Instr) fpmath.F32 {
	return fpmath.F32{Round: fpmath.Round(in.Round), FTZ: in.Flags&ir.FTZ != 0, Sat: in.Flags&ir.Sat != 0}
}

func modifiers16(in *ir.Instr) fpmath.F16 {
	return fpmath.F16{FTZ: in.Flags&ir.FTZ != 0, Sat: in.Flags&ir.Sat != 0, ReLU: in.Flags&ir.Relu != 0}
}

func (o float2) at(in *ir.Instr) scalar2 {
	switch {
	case in.As == ir.F32 && o.f32 != nil:
		m := modifiers32(in)
		return func(a, b uint64) uint64 { return bits32(o.f32(m, f32(a), f32(b))) }
	case in.As == ir.F64 && o.f64 != nil:
		m := fpmath.F64{Round: fpmath.Round(in.Round)}
		return func(a, b uint64) uint64 { return bits64(o.f64(m, f64(a), f64(b))) }
	case in.As == ir.F16 && o.f16 != nil:
		m := modifiers16(in)
		return func(a, b uint64) uint64 { return uint64(o.f16(m, uint16(a), uint16(b))) }
	case in.As == ir.F16x2 && o.f16x2 != nil:
		m := fpmath.F16x2(modifiers16(in))
		return func(a, b uint64) uint64 { return uint64(o.f16x2(m, uint32(a), uint32(b))) }
	case in.As == ir.BF16 && o.bf16 != nil:
		m := fpmath.BF16{ReLU: in.Flags&ir.Relu != 0}
		return func(a, b uint64) uint64 { return uint64(o.bf16(m, uint16(a), uint16(b))) }
	case in.As == ir.BF16x2 && o.bf16x2 != nil:
		m := fpmath.BF16x2{ReLU: in.Flags&ir.Relu != 0}
		return func(a, b uint64) uint64 { return uint64(o.bf16x2(m, uint32(a), uint32(b))) }
	}
	return nil
}

// binary chooses the meaning of an operation with two operands of type As.
func binary(op ir.Op) compiler {
	return func(in *ir.Instr) (Func, error) {
		if f := plain32[op]; f != nil && in.As == ir.F32 && in.Round == ir.RN && in.Flags == 0 {
			return f, nil
		}
		var f scalar2
		switch {
		case in.Round > ir.RP && in.As.Float():
		case op == ir.OpMin || op == ir.OpMax:
			f = minMax(in)
		case op == ir.OpDiv && in.Flags&(ir.Approx|ir.Full) != 0:
			f = divApprox(in)
		case in.As.Float():
			f = floatBinary[op].at(in)
		case in.As == ir.S32 && in.Flags&ir.Sat != 0:
			f = saturating[op]
		default:
			f = integerBinary[op].at(in.As)
		}
		if f == nil {
			return nil, unsupported(in)
		}
		return lift2(f), nil
	}
}

var saturating = map[ir.Op]scalar2{
	ir.OpAdd: func(a, b uint64) uint64 { return uint64(uint32(intmath.AddSat(int32(a), int32(b)))) },
	ir.OpSub: func(a, b uint64) uint64 { return uint64(uint32(intmath.SubSat(int32(a), int32(b)))) },
}

// plain32 are the commonest operations without modifiers. They differ from what floatBinary gives in speed only.
var plain32 = map[ir.Op]Func{
	ir.OpAdd: everyLane(func(args []*Lanes, d *Lanes) {
		a, b := args[0], args[1]
		for i := range d {
			d[i] = canonical32(f32(a[i]) + f32(b[i]))
		}
	}),
	ir.OpSub: everyLane(func(args []*Lanes, d *Lanes) {
		a, b := args[0], args[1]
		for i := range d {
			d[i] = canonical32(f32(a[i]) - f32(b[i]))
		}
	}),
	ir.OpMul: everyLane(func(args []*Lanes, d *Lanes) {
		a, b := args[0], args[1]
		for i := range d {
			d[i] = canonical32(f32(a[i]) * f32(b[i]))
		}
	}),
	ir.OpFma: everyLane(func(args []*Lanes, d *Lanes) {
		a, b, c := args[0], args[1], args[2]
		for i := range d {
			y, ok := fpmath.FmaQuick(f32(a[i]), f32(b[i]), f32(c[i]))
			if !ok {
				y = fpmath.F32{}.Fma(f32(a[i]), f32(b[i]), f32(c[i]))
			}
			d[i] = bits32(y)
		}
	}),
}

// canonical32 is the bits of x, of the canonical NaN if x is one.
func canonical32(x float32) uint64 {
	if x != x {
		return fpmath.NaN32
	}
	return bits32(x)
}

func divApprox(in *ir.Instr) scalar2 {
	if in.As != ir.F32 {
		return nil
	}
	m := fpmath.Approx{FTZ: in.Flags&ir.FTZ != 0}
	if in.Flags&ir.Full != 0 {
		return func(a, b uint64) uint64 { return bits32(m.DivFull(f32(a), f32(b))) }
	}
	return func(a, b uint64) uint64 { return bits32(m.Div(f32(a), f32(b))) }
}

// minMaxForms are min and max of each format.
type minMaxForms struct {
	f32   func(fpmath.MinMax, float32, float32) float32
	f64   func(fpmath.MinMax, float64, float64) float64
	f16   func(fpmath.MinMax, uint16, uint16) uint16
	f16x2 func(fpmath.MinMax, uint32, uint32) uint32
	bf16  func(fpmath.MinMax, uint16, uint16) uint16
}

var minMaxTable = map[ir.Op]minMaxForms{
	ir.OpMin: {fpmath.MinMax.Min32, fpmath.MinMax.Min64, fpmath.MinMax.Min16, fpmath.MinMax.Min16x2, fpmath.MinMax.MinBF16},
	ir.OpMax: {fpmath.MinMax.Max32, fpmath.MinMax.Max64, fpmath.MinMax.Max16, fpmath.MinMax.Max16x2, fpmath.MinMax.MaxBF16},
}

func minMax(in *ir.Instr) scalar2 {
	m := fpmath.MinMax{FTZ: in.Flags&ir.FTZ != 0, NaN: in.Flags&ir.NaN != 0, XorSignAbs: in.Flags&ir.XorSign != 0}
	o := minMaxTable[in.Op]
	switch in.As {
	case ir.F32:
		return func(a, b uint64) uint64 { return bits32(o.f32(m, f32(a), f32(b))) }
	case ir.F64:
		return func(a, b uint64) uint64 { return bits64(o.f64(m, f64(a), f64(b))) }
	case ir.F16:
		return func(a, b uint64) uint64 { return uint64(o.f16(m, uint16(a), uint16(b))) }
	case ir.F16x2:
		return func(a, b uint64) uint64 { return uint64(o.f16x2(m, uint32(a), uint32(b))) }
	case ir.BF16:
		return func(a, b uint64) uint64 { return uint64(o.bf16(m, uint16(a), uint16(b))) }
	case ir.BF16x2:
		return func(a, b uint64) uint64 {
			low, high := o.bf16(m, uint16(a), uint16(b)), o.bf16(m, uint16(a>>16), uint16(b>>16))
			return uint64(low) | uint64(high)<<16
		}
	}
	if in.Flags&ir.Relu != 0 {
		return nil
	}
	return integerBinary[in.Op].at(in.As)
}

func fma(in *ir.Instr) (Func, error) {
	var f scalar3
	switch {
	case in.Round > ir.RP:
	case in.As == ir.F32 && in.Round == ir.RN && in.Flags == 0:
		return plain32[ir.OpFma], nil
	case in.As == ir.F32:
		m := modifiers32(in)
		f = func(a, b, c uint64) uint64 { return bits32(m.Fma(f32(a), f32(b), f32(c))) }
	case in.As == ir.F64:
		m := fpmath.F64{Round: fpmath.Round(in.Round)}
		f = func(a, b, c uint64) uint64 { return bits64(m.Fma(f64(a), f64(b), f64(c))) }
	case in.As == ir.F16:
		m := modifiers16(in)
		f = func(a, b, c uint64) uint64 { return uint64(m.Fma(uint16(a), uint16(b), uint16(c))) }
	case in.As == ir.F16x2:
		m := fpmath.F16x2(modifiers16(in))
		f = func(a, b, c uint64) uint64 { return uint64(m.Fma(uint32(a), uint32(b), uint32(c))) }
	case in.As == ir.BF16:
		m := fpmath.BF16{ReLU: in.Flags&ir.Relu != 0}
		f = func(a, b, c uint64) uint64 { return uint64(m.Fma(uint16(a), uint16(b), uint16(c))) }
	case in.As == ir.BF16x2:
		m := fpmath.BF16x2{ReLU: in.Flags&ir.Relu != 0}
		f = func(a, b, c uint64) uint64 { return uint64(m.Fma(uint32(a), uint32(b), uint32(c))) }
	}
	if f == nil {
		return nil, unsupported(in)
	}
	return lift3(f), nil
}

func sad(in *ir.Instr) (Func, error) {
	if !in.As.Integer() {
		return nil, unsupported(in)
	}
	keep, n := width(in.As), in.As.Bits()
	if in.As.Signed() {
		return lift3(func(a, b, c uint64) uint64 {
			return uint64(intmath.Sad(int64(signExtend(a, n)), int64(signExtend(b, n)), int64(c))) & keep
		}), nil
	}
	return lift3(func(a, b, c uint64) uint64 { return intmath.Sad(a, b, c) & keep }), nil
}

func mulHi(in *ir.Instr) (Func, error) {
	if !in.As.Integer() {
		return nil, unsupported(in)
	}
	keep, n := width(in.As), in.As.Bits()
	switch {
	case n == 64 && in.As.Signed():
		return lift2(func(a, b uint64) uint64 { return uint64(intmath.MulHiS64(int64(a), int64(b))) }), nil
	case n == 64:
		return lift2(intmath.MulHiU64), nil
	case in.As.Signed():
		return lift2(func(a, b uint64) uint64 { return signExtend(a, n) * signExtend(b, n) >> n & keep }), nil
	}
	return lift2(func(a, b uint64) uint64 { return a * b >> n & keep }), nil
}

func mulWide(in *ir.Instr) (Func, error) {
	if !in.As.Integer() || in.As.Bits() > 32 {
		return nil, unsupported(in)
	}
	n := in.As.Bits()
	keep := ^uint64(0) >> (64 - 2*n)
	if in.As.Signed() {
		return lift2(func(a, b uint64) uint64 { return signExtend(a, n) * signExtend(b, n) & keep }), nil
	}
	return lift2(func(a, b uint64) uint64 { return a * b & keep }), nil
}

func mul24(in *ir.Instr) (Func, error) {
	high := in.Sub == 1
	switch in.As {
	case ir.S32:
		return lift2(func(a, b uint64) uint64 { return uint64(uint32(intmath.Mul24S(int32(a), int32(b), high))) }), nil
	case ir.U32, ir.B32:
		return lift2(func(a, b uint64) uint64 { return uint64(intmath.Mul24U(uint32(a), uint32(b), high)) }), nil
	}
	return nil, unsupported(in)
}

func copysign(in *ir.Instr) (Func, error) {
	switch in.As {
	case ir.F32:
		return lift2(func(a, b uint64) uint64 { return bits32(fpmath.Copysign32(f32(a), f32(b))) }), nil
	case ir.F64:
		return lift2(func(a, b uint64) uint64 { return bits64(fpmath.Copysign64(f64(a), f64(b))) }), nil
	}
	return nil, unsupported(in)
}

func testp(in *ir.Instr) (Func, error) {
	if in.Sub < uint8(ir.TestFinite) || in.Sub > uint8(ir.TestSubnormal) {
		return nil, unsupported(in)
	}
	class := fpmath.Class(in.Sub - uint8(ir.TestFinite))
	switch in.As {
	case ir.F32:
		return lift1(func(a uint64) uint64 { return b2u(class.Float32(f32(a))) }), nil
	case ir.F64:
		return lift1(func(a uint64) uint64 { return b2u(class.Float64(f64(a))) }), nil
	}
	return nil, unsupported(in)
}
