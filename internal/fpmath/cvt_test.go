package fpmath_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/fpmath"
)

var formats = map[fpmath.Type]floatFormat{fpmath.Half: f16, fpmath.BHalf: bf16, fpmath.Single: f32, fpmath.Double: f64}

// integerValue reads the low bits of v as a number of an integer type.
func integerValue(v uint64, t fpmath.Type) *big.Int {
	n := uint(t.Bits())
	x := new(big.Int).SetUint64(v & (math.MaxUint64 >> (64 - n)))
	if t.Signed() && x.Bit(int(n-1)) == 1 {
		x.Sub(x, new(big.Int).Lsh(big.NewInt(1), n))
	}
	return x
}

// integerPattern extends x, cut to the type's width, to 64 bits as a register holds it.
func integerPattern(x *big.Int, t fpmath.Type) uint64 {
	x = integerValue(new(big.Int).And(x, new(big.Int).SetUint64(math.MaxUint64)).Uint64(), t)
	return new(big.Int).And(x, new(big.Int).SetUint64(math.MaxUint64)).Uint64()
}

func clampInteger(x *big.Int, t fpmath.Type) *big.Int {
	n := uint(t.Bits())
	lowest, highest := big.NewInt(0), new(big.Int).Lsh(big.NewInt(1), n)
	if t.Signed() {
		highest.Rsh(highest, 1)
		lowest.Neg(highest)
	}
	highest.Sub(highest, big.NewInt(1))
	switch {
	case x.Cmp(lowest) < 0:
		return lowest
	case x.Cmp(highest) > 0:
		return highest
	}
	return x
}

// expectCvt is cvt by the text of the PTX ISA.
func expectCvt(c fpmath.Cvt, v uint64, from, to fpmath.Type) uint64 {
	source, fromFloat := formats[from]
	destination, toFloat := formats[to]
	if !fromFloat {
		x := integerValue(v, from)
		if toFloat {
			y := 0.0
			if x.Sign() != 0 {
				y = destination.round(new(big.Float).SetInt(x), c.Round)
			}
			return finishCvt(c, y, destination)
		}
		if c.Sat {
			x = clampInteger(x, to)
		}
		return integerPattern(x, to)
	}
	x := source.value(v)
	if c.FTZ && from == fpmath.Single {
		x = source.flush(x)
	}
	if !toFloat {
		switch {
		case x != x && (from == fpmath.Double || to.Bits() == 64):
			return integerPattern(new(big.Int).Lsh(big.NewInt(1), uint(to.Bits()-1)), to)
		case x != x:
			return 0
		case math.IsInf(x, 0):
			return integerPattern(clampInteger(new(big.Int).Lsh(big.NewInt(int64(math.Copysign(1, x))), 70), to), to)
		}
		return integerPattern(clampInteger(integral(exact(x), c.Round), to), to)
	}
	if x == 0 || !finite(x) {
		return finishCvt(c, x, destination)
	}
	if c.RoundInt {
		n := integral(exact(x), c.Round)
		y, _ := new(big.Float).SetInt(n).Float64()
		if n.Sign() == 0 {
			return finishCvt(c, math.Copysign(0, x), destination)
		}
		x = math.Copysign(y, x)
	}
	return finishCvt(c, destination.round(exact(x), c.Round), destination)
}

func finishCvt(c fpmath.Cvt, y float64, f floatFormat) uint64 {
	if c.FTZ && f.typ == fpmath.Single {
		y = f.flush(y)
	}
	switch {
	case c.Sat && !(y > 0):
		y = 0
	case c.Sat:
		y = min(y, 1)
	case c.ReLU && y == y && math.Signbit(y):
		y = 0
	}
	return f.bits(y)
}

// sources returns edge values of a type as an operand of conversions.
func sources(t fpmath.Type) []uint64 {
	var list []uint64
	f, isFloat := formats[t]
	if isFloat {
		list = newOperands(f, 0).edges
	} else {
		list = []uint64{0, 1, 2, math.MaxUint64}
	}
	for k := range 65 {
		for _, delta := range []float64{-1.5, -1, -0.5, 0, 0.25, 0.5, 0.75, 1} {
			x := math.Ldexp(1, k) + delta
			for _, x := range []float64{x, -x, x * (1 + 0x1p-24), x * (1 + 0x1p-9)} {
				if isFloat {
					list = append(list, f.bits(f.round(exact(x+0x1p-40), fpmath.RN)))
					if x != 0 {
						list = append(list, f.bits(f.round(exact(x), fpmath.RZ)))
					}
				} else {
					n, _ := big.NewFloat(x).Int(nil)
					list = append(list, integerPattern(n, t))
				}
			}
		}
	}
	return list
}

// TestConvert covers all pairs of types with each rounding and modifier.
func TestConvert(t *testing.T) {
	for from := fpmath.S8; from <= fpmath.Double; from++ {
		t.Run(from.String(), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(11, uint64(from)))
			edges := sources(from)
			for to := fpmath.S8; to <= fpmath.Double; to++ {
				for i := range 10_000 {
					v := r.Uint64()
					if i < 2*len(edges) {
						v = edges[i%len(edges)] | v<<(from.Bits()-1)<<1 // bits above the type do not count
					} else if _, isFloat := formats[from]; !isFloat {
						v = uint64(int64(v) >> r.IntN(64))
					}
					c := fpmath.Cvt{Round: rounding(r.IntN(4)), FTZ: r.IntN(2) == 0, Sat: r.IntN(4) == 0}
					c.RoundInt = from == to && r.IntN(2) == 0
					c.ReLU = to.Float() && to.Bits() == 16 && !c.Sat && r.IntN(4) == 0
					want := expectCvt(c, v, from, to)
					if from == to && from.Float() && !c.RoundInt && formats[to].value(v) != formats[to].value(v) && !c.Sat && !c.ReLU {
						want = v & (math.MaxUint64 >> (64 - to.Bits())) // a copy keeps the NaN
					}
					equal(t, want, c.Convert(v, from, to), from.String()+" to "+to.String(), v, c)
				}
			}
		})
	}
}

// TestConvertDocumented holds the cases that the PTX ISA words: NaN, saturation, extension.
func TestConvertDocumented(t *testing.T) {
	nan32, nan64 := uint64(fpmath.NaN32), uint64(fpmath.NaN64)
	for _, c := range []struct {
		v        uint64
		from, to fpmath.Type
		cvt      fpmath.Cvt
		want     uint64
	}{
		{nan32, fpmath.Single, fpmath.S32, fpmath.Cvt{Round: fpmath.RZ}, 0},
		{nan32, fpmath.Single, fpmath.U64, fpmath.Cvt{Round: fpmath.RZ}, 1 << 63},
		{nan64, fpmath.Double, fpmath.U32, fpmath.Cvt{Round: fpmath.RZ}, 1 << 31},
		{nan64, fpmath.Double, fpmath.S32, fpmath.Cvt{Round: fpmath.RZ}, 0xffffffff80000000},
		{bits32(3e9), fpmath.Single, fpmath.S32, fpmath.Cvt{Round: fpmath.RZ}, math.MaxInt32},
		{bits32(-1), fpmath.Single, fpmath.U32, fpmath.Cvt{Round: fpmath.RZ}, 0},
		{bits32(2.5), fpmath.Single, fpmath.S32, fpmath.Cvt{}, 2},
		{bits32(-2.5), fpmath.Single, fpmath.S32, fpmath.Cvt{Round: fpmath.RM}, math.MaxUint64 - 2},
		{bits32(300), fpmath.Single, fpmath.U8, fpmath.Cvt{Round: fpmath.RZ}, 255},
		{0x1234ff80, fpmath.S8, fpmath.S32, fpmath.Cvt{}, math.MaxUint64 - 127},
		{0x12345678, fpmath.U32, fpmath.U16, fpmath.Cvt{}, 0x5678},
		{0x12345678, fpmath.U32, fpmath.U16, fpmath.Cvt{Sat: true}, 0xffff},
		{math.MaxUint64, fpmath.S32, fpmath.U8, fpmath.Cvt{Sat: true}, 0},
		{math.MaxUint64, fpmath.U64, fpmath.S32, fpmath.Cvt{Sat: true}, math.MaxInt32},
		{nan32, fpmath.Single, fpmath.Single, fpmath.Cvt{Sat: true}, 0},
		{bits32(-0.5), fpmath.Single, fpmath.Single, fpmath.Cvt{RoundInt: true, Round: fpmath.RP}, 1 << 31},
		{bits32(2.5), fpmath.Single, fpmath.Single, fpmath.Cvt{RoundInt: true}, bits32(2)},
		{bits32(0x1p-140), fpmath.Single, fpmath.Double, fpmath.Cvt{FTZ: true}, 0},
		{math.Float64bits(1e-40), fpmath.Double, fpmath.Single, fpmath.Cvt{FTZ: true}, 0},
		{math.Float64bits(1e300), fpmath.Double, fpmath.Single, fpmath.Cvt{Round: fpmath.RZ}, bits32(math.MaxFloat32)},
		{bits32(65520), fpmath.Single, fpmath.Half, fpmath.Cvt{}, 0x7c00},
		{bits32(-3), fpmath.Single, fpmath.Half, fpmath.Cvt{ReLU: true}, 0},
	} {
		require.Equal(t, c.want, c.cvt.Convert(c.v, c.from, c.to), "cvt %v %v.%v of %#x", c.cvt, c.to, c.from, c.v)
	}
}

// TestConvertShort checks the short forms against Convert.
func TestConvertShort(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 12))
	o := newOperands(f32, 1)
	o.each(1, randomCases, func(p [3]uint64) {
		x, mode := single(p[0]), rounding(r.IntN(4))
		if r.IntN(2) == 0 {
			x = float32(math.Ldexp(r.Float64()*2-1, r.IntN(40)))
		}
		b := bits32(x)
		c := fpmath.Cvt{Round: mode}
		equal(t, fpmath.Cvt{Round: fpmath.RZ}.Convert(b, fpmath.Single, fpmath.S32), uint64(int64(fpmath.F32ToS32(x))), "s32.f32", b)
		equal(t, c.Convert(b, fpmath.Single, fpmath.Double), math.Float64bits(fpmath.F32ToF64(x)), "f64.f32", b)
		equal(t, c.Convert(b, fpmath.Single, fpmath.Half), uint64(fpmath.F32ToF16(x, mode)), "f16.f32", b)
		equal(t, c.Convert(b, fpmath.Single, fpmath.BHalf), uint64(fpmath.F32ToBF16(x, mode)), "bf16.f32", b)
		v := r.Uint64() >> r.IntN(64)
		equal(t, c.Convert(v, fpmath.S64, fpmath.Single), bits32(fpmath.S64ToF32(int64(v), mode)), "f32.s64", v)
		d := double(v)
		equal(t, c.Convert(v, fpmath.Double, fpmath.Single), bits32(fpmath.F64ToF32(d, mode)), "f32.f64", v)
	})
	for h := range uint64(1 << 16) {
		x, y := f16.value(h), bf16.value(h)
		equal(t, f32.bits(x), bits32(fpmath.F16ToF32(uint16(h))), "f32.f16", h)
		equal(t, f32.bits(y), bits32(fpmath.BF16ToF32(uint16(h))), "f32.bf16", h)
	}
}
