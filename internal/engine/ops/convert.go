package ops

import (
	"math"

	"github.com/tandem-go/tandem/internal/fpmath"
	"github.com/tandem-go/tandem/internal/ir"
)

// Comparison, selection and conversion (PTX ISA, Comparison and Selection Instructions, Data Movement and Conversion
// Instructions).
var convertOps = map[ir.Op]compiler{
	ir.OpSetp: setp, ir.OpSet: set, ir.OpCvt: cvt, ir.OpExtend: extend, ir.OpPack: pack, ir.OpUnpack: unpack,
	ir.OpSelect: only(lift3(func(p, a, b uint64) uint64 {
		if p != 0 {
			return a
		}
		return b
	})),
}

// compare returns the comparison of in as 0 or 1, nil if there is none of the kind.
func compare(in *ir.Instr) scalar2 {
	if in.Cmp < ir.Eq || in.Cmp > ir.IsNaN {
		return nil
	}
	c, ftz := fpmath.Cmp(in.Cmp-ir.Eq), in.Flags&ir.FTZ != 0
	switch {
	case in.From == ir.F32:
		return func(a, b uint64) uint64 { return b2u(c.Float32(f32(a), f32(b), ftz)) }
	case in.From == ir.F64:
		return func(a, b uint64) uint64 { return b2u(c.Float64(f64(a), f64(b))) }
	case in.From == ir.F16:
		return func(a, b uint64) uint64 { return b2u(c.Float16(uint16(a), uint16(b), ftz)) }
	case in.From == ir.BF16:
		return func(a, b uint64) uint64 { return b2u(c.BFloat16(uint16(a), uint16(b))) }
	case in.From.Float() || in.Cmp > ir.Ge:
		return nil
	case in.From.Signed():
		f, n := relations[in.Cmp], in.From.Bits()
		// Moving the sign bit orders signed numbers as unsigned ones.
		return func(a, b uint64) uint64 {
			return b2u(f(signExtend(a, n)^1<<63, signExtend(b, n)^1<<63))
		}
	}
	f := relations[in.Cmp]
	return func(a, b uint64) uint64 { return b2u(f(a, b)) }
}

var relations = map[ir.Cmp]func(a, b uint64) bool{
	ir.Eq: func(a, b uint64) bool { return a == b },
	ir.Ne: func(a, b uint64) bool { return a != b },
	ir.Lt: func(a, b uint64) bool { return a < b },
	ir.Le: func(a, b uint64) bool { return a <= b },
	ir.Gt: func(a, b uint64) bool { return a > b },
	ir.Ge: func(a, b uint64) bool { return a >= b },
}

func setp(in *ir.Instr) (Func, error) {
	f := compare(in)
	if f == nil {
		return nil, unsupported(in)
	}
	return lift2(f), nil
}

// set gives 1.0, or all ones, where the comparison holds.
func set(in *ir.Instr) (Func, error) {
	f := compare(in)
	yes := width(in.As)
	switch in.As {
	case ir.F32:
		yes = bits32(1)
	case ir.F16:
		yes = uint64(fpmath.F32ToF16(1, fpmath.RN))
	case ir.BF16:
		yes = uint64(fpmath.F32ToBF16(1, fpmath.RN))
	case ir.F64:
		yes = math.Float64bits(1)
	}
	if f == nil || in.As == ir.F16x2 || in.As == ir.BF16x2 {
		return nil, unsupported(in)
	}
	return lift2(func(a, b uint64) uint64 { return f(a, b) * yes }), nil
}

var cvtTypes = map[ir.Type]fpmath.Type{
	ir.S8: fpmath.S8, ir.U8: fpmath.U8, ir.B8: fpmath.U8, ir.S16: fpmath.S16, ir.U16: fpmath.U16, ir.B16: fpmath.U16,
	ir.S32: fpmath.S32, ir.U32: fpmath.U32, ir.B32: fpmath.U32, ir.S64: fpmath.S64, ir.U64: fpmath.U64, ir.B64: fpmath.U64,
	ir.F16: fpmath.Half, ir.BF16: fpmath.BHalf, ir.F32: fpmath.Single, ir.F64: fpmath.Double,
}

func cvt(in *ir.Instr) (Func, error) {
	to, ok := cvtTypes[in.As]
	from, ok2 := cvtTypes[in.From]
	if !ok || !ok2 || in.Round > ir.RP {
		return nil, unsupported(in)
	}
	c := fpmath.Cvt{
		Round: fpmath.Round(in.Round), RoundInt: in.Flags&ir.RoundInt != 0, FTZ: in.Flags&ir.FTZ != 0,
		Sat: in.Flags&ir.Sat != 0, ReLU: in.Flags&ir.Relu != 0,
	}
	keep := width(in.Results[0].Type)
	return lift1(func(a uint64) uint64 { return c.Convert(a, from, to) & keep }), nil
}

func extend(in *ir.Instr) (Func, error) {
	keep, n := width(in.Results[0].Type), in.Args[0].Type.Bits()
	if in.From != ir.Void && in.From.Bits() < n {
		n = in.From.Bits()
	}
	low := ^uint64(0) >> (64 - n)
	if in.From.Signed() {
		return lift1(func(a uint64) uint64 { return signExtend(a, n) & keep }), nil
	}
	return lift1(func(a uint64) uint64 { return a & low & keep }), nil
}

func pack(in *ir.Instr) (Func, error) {
	if in.As.Bits() > 64 {
		return nil, unsupported(in)
	}
	n := in.As.Bits() / len(in.Args)
	return liftN(func(a, d []uint64) {
		d[0] = 0
		for i, v := range a {
			d[0] |= v << (n * i)
		}
	}), nil
}

func unpack(in *ir.Instr) (Func, error) {
	n := in.Args[0].Type.Bits() / len(in.Results)
	keep := ^uint64(0) >> (64 - n)
	return liftN(func(a, d []uint64) {
		for i := range d {
			d[i] = a[0] >> (n * i) & keep
		}
	}), nil
}
