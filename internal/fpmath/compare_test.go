package fpmath_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/fpmath"
)

// order compares by math/big; ok is false if an operand is NaN.
func order(a, b float64) (sign int, ok bool) {
	if a != a || b != b {
		return 0, false
	}
	return big.NewFloat(a).Cmp(big.NewFloat(b)), true
}

// expectCmp is the definition of each comparison.
func expectCmp(name string, a, b float64) bool {
	sign, ok := order(a, b)
	switch name {
	case "num":
		return ok
	case "nan":
		return !ok
	}
	if !ok {
		return len(name) == 3
	}
	switch name[:2] {
	case "eq":
		return sign == 0
	case "ne":
		return sign != 0
	case "lt":
		return sign < 0
	case "le":
		return sign <= 0
	case "gt":
		return sign > 0
	}
	return sign >= 0
}

func TestCompare(t *testing.T) {
	require.Equal(t, []string{"eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"}, func() (names []string) {
		for c := fpmath.EQ; c <= fpmath.NAN; c++ {
			names = append(names, c.String())
		}
		return names
	}())
	for _, f := range formats {
		for c := fpmath.EQ; c <= fpmath.NAN; c++ {
			o := newOperands(f, uint64(c))
			o.each(2, 10_000, func(p [3]uint64) {
				for _, ftz := range []bool{false, true} {
					a, b := f.value(p[0]), f.value(p[1])
					if ftz && (f.typ == fpmath.Single || f.typ == fpmath.Half) {
						a, b = f.flush(a), f.flush(b)
					}
					var got bool
					switch f.typ {
					case fpmath.Half:
						got = c.Float16(uint16(p[0]), uint16(p[1]), ftz)
					case fpmath.BHalf:
						got = c.BFloat16(uint16(p[0]), uint16(p[1]))
					case fpmath.Single:
						got = c.Float32(single(p[0]), single(p[1]), ftz)
					default:
						got = c.Float64(a, b)
					}
					if expectCmp(c.String(), a, b) != got {
						require.Failf(t, "wrong", "%s.%s %v, %v, ftz %v: have %v", c, f.typ, a, b, ftz, got)
					}
				}
			})
		}
	}
}

// expectMinMax is min or max by the text of the PTX ISA.
func expectMinMax(f floatFormat, m fpmath.MinMax, p [3]uint64, greater bool) uint64 {
	a, b := f.value(p[0]), f.value(p[1])
	negative := p[0]>>(f.typ.Bits()-1) != p[1]>>(f.typ.Bits()-1)
	if m.FTZ && (f.typ == fpmath.Single || f.typ == fpmath.Half) {
		a, b = f.flush(a), f.flush(b)
	}
	if m.XorSignAbs {
		a, b = math.Abs(a), math.Abs(b)
	}
	sign, ordered := order(a, b)
	var d float64
	switch {
	case a != a && b != b, m.NaN && !ordered:
		return f.nan
	case a != a:
		d = b
	case b != b:
		d = a
	case sign == 0 && math.Signbit(a) != greater: // equal, or zeros of which the negative one is less
		d = a
	case sign == 0:
		d = b
	case sign < 0 != greater:
		d = a
	default:
		d = b
	}
	if m.XorSignAbs && negative {
		d = -d
	}
	return f.bits(d)
}

func TestMinMax(t *testing.T) {
	for _, f := range formats {
		t.Run(f.typ.String(), func(t *testing.T) {
			for i := range 8 {
				m := fpmath.MinMax{FTZ: i&1 != 0, NaN: i&2 != 0, XorSignAbs: i&4 != 0}
				o := newOperands(f, uint64(i))
				o.each(2, randomCases/8, func(p [3]uint64) {
					var lesser, greater uint64
					switch f.typ {
					case fpmath.Half:
						lesser, greater = uint64(m.Min16(uint16(p[0]), uint16(p[1]))), uint64(m.Max16(uint16(p[0]), uint16(p[1])))
					case fpmath.BHalf:
						lesser, greater = uint64(m.MinBF16(uint16(p[0]), uint16(p[1]))), uint64(m.MaxBF16(uint16(p[0]), uint16(p[1])))
					case fpmath.Single:
						lesser, greater = bits32(m.Min32(single(p[0]), single(p[1]))), bits32(m.Max32(single(p[0]), single(p[1])))
					default:
						lesser = math.Float64bits(m.Min64(double(p[0]), double(p[1])))
						greater = math.Float64bits(m.Max64(double(p[0]), double(p[1])))
					}
					equal(t, expectMinMax(f, m, p, false), lesser, "min", p, m)
					equal(t, expectMinMax(f, m, p, true), greater, "max", p, m)
				})
			}
		})
	}
}

func TestSignBit(t *testing.T) {
	o := newOperands(f32, 2)
	o.each(2, randomCases, func(p [3]uint64) {
		a, b := single(p[0]), single(p[1])
		flushed := bits32(a)
		if p[0]&0x7f800000 == 0 {
			flushed &= 1 << 31
		}
		equal(t, p[0]&^(1<<31), bits32(fpmath.Abs32(a, false)), "abs", p)
		equal(t, p[0]^1<<31, bits32(fpmath.Neg32(a, false)), "neg", p)
		equal(t, flushed&^(1<<31), bits32(fpmath.Abs32(a, true)), "abs.ftz", p)
		equal(t, flushed^1<<31, bits32(fpmath.Neg32(a, true)), "neg.ftz", p)
		equal(t, p[0]>>31<<31|p[1]&^(1<<31), bits32(fpmath.Copysign32(a, b)), "copysign", p)
	})
	newOperands(f64, 3).each(2, randomCases, func(p [3]uint64) {
		a, b := double(p[0]), double(p[1])
		equal(t, p[0]&^(1<<63), math.Float64bits(fpmath.Abs64(a)), "abs", p)
		equal(t, p[0]^1<<63, math.Float64bits(fpmath.Neg64(a)), "neg", p)
		equal(t, p[0]>>63<<63|p[1]&^(1<<63), math.Float64bits(fpmath.Copysign64(a, b)), "copysign", p)
	})
}

func TestClass(t *testing.T) {
	for _, f := range []floatFormat{f32, f64} {
		newOperands(f, 4).each(1, randomCases, func(p [3]uint64) {
			x := f.value(p[0])
			for class, want := range map[fpmath.Class]bool{
				fpmath.Finite: finite(x), fpmath.Infinite: math.IsInf(x, 0), fpmath.Number: x == x, fpmath.NotANumber: x != x,
				fpmath.Normal:    finite(x) && math.Abs(x) >= f.smallestNormal(),
				fpmath.Subnormal: x != 0 && math.Abs(x) < f.smallestNormal(),
			} {
				got := class.Float64(double(p[0]))
				if f.typ == fpmath.Single {
					got = class.Float32(single(p[0]))
				}
				if want != got {
					require.Failf(t, "wrong", "class %d of %v: have %v", class, x, got)
				}
			}
		})
	}
}
