// Package fpmath computes PTX's scalar floating-point instructions, bit for bit the same on every platform.
//
// A value of one of the modifier types (F32, F64, F16, MinMax, Cvt, Approx) holds the modifiers of an instruction, and
// its methods are the instruction's mnemonics: add.rz.ftz.f32 is F32{Round: RZ, FTZ: true}.Add. All zero values mean
// PTX's defaults: round to nearest even, subnormals kept, no saturation.
//
// Nothing here reads or writes the processor's rounding state, allocates, or keeps state: every function is pure and may
// be called from any goroutine. Operands and results of width 16 are bit patterns (uint16, or uint32 for two packed
// values), the wider ones are Go floats.
//
// # Rules that hold throughout
//
// NaN: an arithmetic result that is NaN is the canonical one of its format: 0x7fff (f16, bf16), 0x7fffffff (f32),
// 0x7ff8000000000000 (f64; PTX leaves the choice open). Operations on the sign bit alone (Abs, Neg, Copysign) keep payloads.
//
// Flush to zero (.ftz): a subnormal operand is replaced by zero of the same sign. A result is rounded as without .ftz,
// and then replaced by zero of the same sign if it is subnormal. (A result that rounds up to the smallest normal number
// stays: tininess is judged after rounding to the format.)
//
// Saturation (.sat): the rounded result is clamped to [+0, 1]; NaN becomes +0.
//
// # Why the roundings are right
//
// Every operation with a rounding mode is exact until one final rounding, by one of three means. (1) The operation of the
// next wider format is exact or its rounding is innocuous: for +, -, ×, ÷, √ a second rounding does no harm when the wider
// precision is at least 2p+2 (Figueroa, "When is double rounding innocuous?", 1995; 53 ≥ 2·24+2). (2) The error term of
// a float64 sum is computed without error (Knuth's TwoSum) and folded into the sum's last bit, which is rounding to odd;
// a later rounding in any mode to at most 51 bits is then that of the exact sum (Boldo and Melquiond, "Emulation of FMA
// and correctly rounded sums", 2008). (3) Integer arithmetic on significands with a sticky last bit, which is the same
// argument in integers.
//
// Go may fuse x*y+z into one rounding on some architectures, across calls too; every product here that is not exact is
// converted explicitly, which forbids it (The Go Programming Language Specification, Floating-point operators).
package fpmath

import "math"

// Round is a rounding mode of PTX (PTX ISA, Rounding Modifiers). For conversions to integral values RN to RP are .rni,
// .rzi, .rmi and .rpi.
type Round uint8

const (
	// RN rounds to nearest, ties to even (.rn).
	RN Round = iota
	// RZ rounds towards zero (.rz).
	RZ
	// RM rounds towards negative infinity (.rm).
	RM
	// RP rounds towards positive infinity (.rp).
	RP
)

// String returns the mode as PTX writes it, without the dot.
func (r Round) String() string {
	if int(r) < len(roundNames) {
		return roundNames[r]
	}
	return "invalid"
}

var roundNames = [...]string{RN: "rn", RZ: "rz", RM: "rm", RP: "rp"}

// The canonical NaN of each format: the result of every arithmetic operation that has no number to give.
const (
	NaN16 = 0x7fff
	NaN32 = 0x7fffffff
	NaN64 = 0x7ff8000000000000
)

const (
	sign16 = 1 << 15
	sign32 = 1 << 31
	sign64 = 1 << 63
)

func canonical32() float32 { return math.Float32frombits(NaN32) }
func canonical64() float64 { return math.Float64frombits(NaN64) }

// quiet32 replaces any NaN by the canonical one.
func quiet32(x float32) float32 {
	if x != x {
		return canonical32()
	}
	return x
}

// quiet64 replaces any NaN by the canonical one.
func quiet64(x float64) float64 {
	if x != x {
		return canonical64()
	}
	return x
}

// Flush32 replaces a subnormal x by zero of the same sign.
func Flush32(x float32) float32 {
	if b := math.Float32bits(x); b&0x7f800000 == 0 {
		return math.Float32frombits(b & sign32)
	}
	return x
}

// Flush16 replaces a subnormal f16 by zero of the same sign.
func Flush16(x uint16) uint16 {
	if x&0x7c00 == 0 {
		return x & sign16
	}
	return x
}

// Saturate32 clamps x to [+0, 1]; NaN becomes +0 (.sat).
func Saturate32(x float32) float32 {
	if x >= 1 {
		return 1
	}
	if x > 0 {
		return x
	}
	return 0
}

func saturate64(x float64) float64 {
	if x >= 1 {
		return 1
	}
	if x > 0 {
		return x
	}
	return 0
}
