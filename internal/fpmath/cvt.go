package fpmath

import (
	"math"
	"math/bits"
)

// Type is an operand type of cvt.
type Type uint8

// The types: integers, then floats.
const (
	S8 Type = iota
	S16
	S32
	S64
	U8
	U16
	U32
	U64
	Half   // f16
	BHalf  // bf16
	Single // f32
	Double // f64
)

var typeNames = [...]string{"s8", "s16", "s32", "s64", "u8", "u16", "u32", "u64", "f16", "bf16", "f32", "f64"}

// String returns the type as PTX writes it, without the dot.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "invalid"
}

// Bits is the width of a value.
func (t Type) Bits() int {
	switch t {
	case S8, U8:
		return 8
	case S16, U16, Half, BHalf:
		return 16
	case S64, U64, Double:
		return 64
	}
	return 32
}

// Float reports whether t is a floating-point type.
func (t Type) Float() bool { return t >= Half }

// Signed reports whether t is a signed integer type.
func (t Type) Signed() bool { return t <= S64 }

func (t Type) format() *format {
	switch t {
	case Half:
		return &binary16
	case BHalf:
		return &bfloat16
	case Single:
		return &binary32
	}
	return &binary64
}

// Cvt is the modifiers of a conversion (PTX ISA, cvt).
type Cvt struct {
	// Round is the mode: of the value for a floating-point result that is narrower or converted from an integer, towards an
	// integer for an integer result (.rni, .rzi, .rmi, .rpi) and with RoundInt.
	Round Round
	// RoundInt rounds a conversion between floats to an integral value.
	RoundInt bool
	// FTZ flushes subnormal f32 operands and results to zero of the same sign.
	FTZ bool
	// Sat clamps an integer result to its range, as conversions from floats always do, and a floating-point result to
	// [+0, 1], NaN becoming +0.
	Sat bool
	// ReLU replaces a negative f16 or bf16 result by +0 (.relu).
	ReLU bool
}

// Convert converts the low bits of v, a value of type from, to type to. A signed result is sign-extended to 64 bits and
// any other zero-extended, which is what a destination register wider than the type receives. Bits of v above the source
// type are ignored.
//
// From float to integer, results outside the range are clamped. NaN gives 0 if the source is not f64 and the destination
// not 64 bits wide, else the pattern with only the top bit of the destination set (PTX ISA, cvt).
//
// Between floats of the same type without RoundInt the value is copied, NaN payload included, but flushed and saturated.
// Elsewhere a NaN becomes the canonical NaN of the destination.
func (c Cvt) Convert(v uint64, from, to Type) uint64 {
	switch {
	case !from.Float() && !to.Float():
		return c.integers(v, from, to)
	case !from.Float():
		return c.finish(c.fromInteger(v, from, to), to)
	}
	if c.FTZ && from == Single {
		v = uint64(math.Float32bits(Flush32(math.Float32frombits(uint32(v)))))
	}
	if from == to && !c.RoundInt {
		return c.finish(v&(1<<to.Bits()-1), to)
	}
	x := decode(v, from)
	if !to.Float() {
		return toInteger(x, to, c.Round, from == Double || to.Bits() == 64)
	}
	if c.RoundInt {
		x = roundIntegral(x, c.Round)
	}
	if to == Double {
		return c.finish(math.Float64bits(quiet64(x)), to)
	}
	return c.finish(to.format().encode(x, c.Round), to)
}

// F32ToS32 is the common conversion to an integer with truncation (cvt.rzi.s32.f32).
func F32ToS32(x float32) int32 {
	if x >= -0x1p31 && x < 0x1p31 {
		return int32(x)
	}
	return int32(toInteger(float64(x), S32, RZ, false))
}

// F32ToF64 widens exactly (cvt.f64.f32).
func F32ToF64(x float32) float64 { return quiet64(float64(x)) }

// F64ToF32 rounds x (cvt.rn.f32.f64 and the other modes).
func F64ToF32(x float64, r Round) float32 { return quiet32(narrow32(x, r)) }

// F16ToF32 widens exactly (cvt.f32.f16).
func F16ToF32(h uint16) float32 { return quiet32(float32(decode16(h))) }

// F32ToF16 rounds x (cvt.rn.f16.f32 and the other modes).
func F32ToF16(x float32, r Round) uint16 { return uint16(binary16.encode(float64(x), r)) }

// BF16ToF32 widens exactly (cvt.f32.bf16).
func BF16ToF32(h uint16) float32 { return quiet32(math.Float32frombits(uint32(h) << 16)) }

// F32ToBF16 rounds x (cvt.rn.bf16.f32 and the other modes).
func F32ToBF16(x float32, r Round) uint16 { return uint16(bfloat16.encode(float64(x), r)) }

// S64ToF32 rounds v, any signed integer (cvt.rn.f32.s64 and the other modes).
func S64ToF32(v int64, r Round) float32 {
	return math.Float32frombits(uint32(Cvt{Round: r}.fromInteger(uint64(v), S64, Single)))
}

// decode widens a float of any type exactly to f64.
func decode(v uint64, from Type) float64 {
	switch from {
	case Half:
		return decode16(uint16(v))
	case BHalf:
		return decodeBF16(uint16(v))
	case Single:
		return float64(math.Float32frombits(uint32(v)))
	}
	return math.Float64frombits(v)
}

// finish applies .ftz, .sat and .relu to a floating-point result.
func (c Cvt) finish(v uint64, to Type) uint64 {
	if c.FTZ && to == Single {
		v = uint64(math.Float32bits(Flush32(math.Float32frombits(uint32(v)))))
	}
	f := to.format()
	negative := v&f.sign != 0
	isNaN := v&^f.sign > f.infinity
	if c.Sat {
		one := f.one()
		switch {
		case isNaN || negative:
			return 0
		case v > one:
			return one
		}
	}
	if c.ReLU {
		switch {
		case isNaN:
			return f.nan
		case negative:
			return 0
		}
	}
	return v
}

// one returns the bit pattern of 1: an exponent field of all ones but the first.
func (f *format) one() uint64 {
	lowest := uint64(1) << (f.precision - 1)
	return f.infinity >> 1 &^ (lowest - 1)
}

// integers converts between integer types.
func (c Cvt) integers(v uint64, from, to Type) uint64 {
	v = extend(v, from)
	if c.Sat {
		v = clampInteger(v, from, to)
	}
	return extend(v, to)
}

// clampInteger clamps v, extended from its type, to the range of another.
func clampInteger(v uint64, from, to Type) uint64 {
	lowest, highest := rangeOf(to)
	if from.Signed() && int64(v) < 0 {
		if lowest == 0 || int64(v) < int64(lowest) {
			return lowest
		}
		return v
	}
	return min(v, highest)
}

// rangeOf returns the least and the greatest value of an integer type, extended to 64 bits.
func rangeOf(t Type) (lowest, highest uint64) {
	n := t.Bits()
	if t.Signed() {
		return -(uint64(1) << (n - 1)), 1<<(n-1) - 1
	}
	return 0, 1<<n - 1
}

// extend takes the low bits of v that type t has and extends them to 64 by sign or zero.
func extend(v uint64, t Type) uint64 {
	n := 64 - t.Bits()
	if t.Signed() {
		return uint64(int64(v<<n) >> n)
	}
	return v << n >> n
}

// fromInteger rounds an integer to a float.
func (c Cvt) fromInteger(v uint64, from, to Type) uint64 {
	v = extend(v, from)
	negative := from.Signed() && int64(v) < 0
	if negative {
		v = -v
	}
	return to.format().pack(negative, v, 0, c.Round)
}

// toInteger rounds x to an integer of type t and clamps it.
func toInteger(x float64, t Type, r Round, nanIsTopBit bool) uint64 {
	lowest, highest := rangeOf(t)
	if x != x {
		if nanIsTopBit {
			return extend(1<<(t.Bits()-1), t)
		}
		return 0
	}
	negative, sig, exp := unpack64(x)
	var m uint64
	switch {
	case exp < 0:
		m = roundShift(sig, uint(-exp), negative, r)
	case exp+bits.Len64(sig) > 64: // infinity too
		m = math.MaxUint64
	default:
		m = sig << exp
	}
	if !negative {
		return min(m, highest)
	}
	if m >= -lowest {
		return lowest
	}
	return -m
}

// roundIntegral rounds x to an integral value of the same sign, zero included.
func roundIntegral(x float64, r Round) float64 {
	switch r {
	case RZ:
		return math.Trunc(x)
	case RM:
		return math.Floor(x)
	case RP:
		return math.Ceil(x)
	}
	return math.RoundToEven(x)
}
