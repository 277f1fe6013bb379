package fpmath

import (
	"math"
	"math/bits"
)

// format describes a binary interchange format by what rounding needs.
type format struct {
	precision uint   // bits of the significand, the implicit one included
	minUlp    int    // exponent of the smallest subnormal: its value is 2^minUlp
	infinity  uint64 // bit pattern of +infinity
	sign      uint64
	nan       uint64
}

var (
	binary16 = format{precision: 11, minUlp: -24, infinity: 0x7c00, sign: sign16, nan: NaN16}
	bfloat16 = format{precision: 8, minUlp: -133, infinity: 0x7f80, sign: sign16, nan: NaN16}
	binary32 = format{precision: 24, minUlp: -149, infinity: 0x7f800000, sign: sign32, nan: NaN32}
	binary64 = format{precision: 53, minUlp: -1074, infinity: 0x7ff0000000000000, sign: sign64, nan: NaN64}
)

// pack rounds ±sig·2^exp to the format and returns the bit pattern. The last bit of sig may be sticky, standing for any
// non-zero rest below it, provided that sig then has at least two bits more than the format's precision.
func (f *format) pack(negative bool, sig uint64, exp int, r Round) uint64 {
	var sign uint64
	if negative {
		sign = f.sign
	}
	if sig == 0 {
		return sign
	}
	ulp := max(exp+bits.Len64(sig)-int(f.precision), f.minUlp)
	m := f.shiftRound(sig, ulp-exp, negative, r)
	mantissaBits := f.precision - 1
	// The biased exponent of a normal result is ulp-minUlp+1 and m holds the implicit bit, so adding m to the exponent
	// field less one is right for normal and subnormal results and for a carry out of the significand.
	maxField := int(f.infinity>>mantissaBits) - 2
	if ulp-f.minUlp > maxField {
		return sign | f.overflow(negative, r)
	}
	return sign | (uint64(ulp-f.minUlp)<<mantissaBits + m)
}

// shiftRound returns sig·2^-shift rounded to an integer; a negative shift is exact.
func (f *format) shiftRound(sig uint64, shift int, negative bool, r Round) uint64 {
	if shift <= 0 {
		return sig << uint(-shift)
	}
	return roundShift(sig, uint(shift), negative, r)
}

// roundShift returns ±sig·2^-shift rounded to an integer by magnitude, for shift ≥ 1.
func roundShift(sig uint64, shift uint, negative bool, r Round) uint64 {
	m := sig >> shift
	var rest, half uint64
	if shift <= 64 {
		rest, half = sig&(1<<shift-1), 1<<(shift-1)
	} else if sig != 0 {
		rest, half = 1, 2
	}
	up := false
	switch r {
	case RN:
		up = rest > half || rest == half && m&1 == 1
	case RM:
		up = rest != 0 && negative
	case RP:
		up = rest != 0 && !negative
	}
	if up {
		m++
	}
	return m
}

// overflow returns the magnitude of a result beyond the largest finite number.
func (f *format) overflow(negative bool, r Round) uint64 {
	if r == RZ || r == RM && !negative || r == RP && negative {
		return f.infinity - 1
	}
	return f.infinity
}

// encode rounds x to the format and returns the bit pattern; NaN becomes the canonical NaN. A last bit of x that came
// from rounding to odd is treated rightly, since every format but binary64 has at least two bits less than x.
func (f *format) encode(x float64, r Round) uint64 {
	negative, sig, exp := unpack64(x)
	switch {
	case x != x:
		return f.nan
	case x-x != 0:
		if negative {
			return f.sign | f.infinity
		}
		return f.infinity
	}
	return f.pack(negative, sig, exp, r)
}

// unpack64 splits a finite x into ±sig·2^exp with an integer sig below 2^53; sig is not normalised.
func unpack64(x float64) (negative bool, sig uint64, exp int) {
	b := math.Float64bits(x)
	sig = b & (1<<52 - 1)
	field := int(b >> 52 & 0x7ff)
	if field == 0 {
		return b>>63 != 0, sig, -1074
	}
	return b>>63 != 0, sig | 1<<52, field - 1075
}

// decode16 widens an f16 bit pattern; a NaN becomes the canonical NaN.
func decode16(h uint16) float64 {
	m := uint64(h & 0x3ff)
	field := uint64(h >> 10 & 0x1f)
	var x float64
	switch field {
	case 0:
		x = float64(m) * 0x1p-24
	case 0x1f:
		if m != 0 {
			return canonical64()
		}
		x = math.Inf(1)
	default:
		x = math.Float64frombits((field+1023-15)<<52 | m<<42)
	}
	if h&sign16 != 0 {
		return -x
	}
	return x
}

// decodeBF16 widens a bf16 bit pattern: its bits are the upper half of an f32.
func decodeBF16(h uint16) float64 {
	return quiet64(float64(math.Float32frombits(uint32(h) << 16)))
}
