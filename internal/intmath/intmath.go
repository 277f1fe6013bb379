// Package intmath computes the PTX integer instructions that Go has no operator for, defined for every operand.
//
// Where PTX leaves a result open (division by zero) the result is fixed here; nothing panics. Instructions that math/bits
// or an operator give exactly are not repeated: brev, clz, popc, and, or, xor, not, add.cc and addc (bits.Add32), sub.cc
// and subc (bits.Sub32, whose borrow is PTX's carry flag), mul.wide, min, max. All functions are pure.
package intmath

import "math/bits"

// Integer is an operand type of PTX's integer arithmetic, the sign being part of the Go type.
type Integer interface {
	int16 | int32 | int64 | uint16 | uint32 | uint64
}

// Div returns a ÷ b towards zero (PTX ISA, div). Division by zero, which PTX leaves to the machine, gives all ones; the
// least negative number over -1 gives itself.
func Div[T Integer](a, b T) T {
	if b == 0 {
		return ^T(0)
	}
	return a / b
}

// Rem returns the remainder of Div, with the sign of a (PTX ISA, rem). Division by zero gives a.
func Rem[T Integer](a, b T) T {
	if b == 0 {
		return a
	}
	return a % b
}

// Shl returns a << n; an amount of the width or more gives 0 (PTX ISA, shl).
func Shl[T Integer](a T, n uint32) T { return a << n }

// Shr returns a >> n, arithmetic for signed types; an amount of the width or more gives copies of the sign (PTX ISA, shr).
func Shr[T Integer](a T, n uint32) T { return a >> n }

// Sad returns c + |a - b|, wrapping (PTX ISA, sad).
func Sad[T Integer](a, b, c T) T {
	if a < b {
		return c + (b - a)
	}
	return c + (a - b)
}

// MulHiU32 returns the upper half of the product (PTX ISA, mul.hi.u32).
func MulHiU32(a, b uint32) uint32 { return uint32(uint64(a) * uint64(b) >> 32) }

// MulHiS32 returns the upper half of the product (PTX ISA, mul.hi.s32).
func MulHiS32(a, b int32) int32 { return int32(int64(a) * int64(b) >> 32) }

// MulHiU16 returns the upper half of the product (PTX ISA, mul.hi.u16).
func MulHiU16(a, b uint16) uint16 { return uint16(uint32(a) * uint32(b) >> 16) }

// MulHiS16 returns the upper half of the product (PTX ISA, mul.hi.s16).
func MulHiS16(a, b int16) int16 { return int16(int32(a) * int32(b) >> 16) }

// MulHiU64 returns the upper half of the product (PTX ISA, mul.hi.u64).
func MulHiU64(a, b uint64) uint64 {
	hi, _ := bits.Mul64(a, b)
	return hi
}

// MulHiS64 returns the upper half of the product (PTX ISA, mul.hi.s64).
func MulHiS64(a, b int64) int64 {
	// A negative operand counts as itself plus 2^64 in the unsigned product.
	return int64(MulHiU64(uint64(a), uint64(b))) - a>>63&b - b>>63&a
}

// Mul24U returns the product of the low 24 bits: its low 32 bits, or with hi bits 16 to 47 (PTX ISA, mul24.lo.u32, .hi).
func Mul24U(a, b uint32, hi bool) uint32 {
	p := uint64(a&0xffffff) * uint64(b&0xffffff)
	if hi {
		p >>= 16
	}
	return uint32(p)
}

// Mul24S is Mul24U for signed 24-bit operands (PTX ISA, mul24.lo.s32, .hi).
func Mul24S(a, b int32, hi bool) int32 {
	p := int64(a<<8>>8) * int64(b<<8>>8)
	if hi {
		p >>= 16
	}
	return int32(p)
}

// AddSat returns a + b clamped to the range (PTX ISA, add.sat.s32).
func AddSat(a, b int32) int32 { return clamp32(int64(a) + int64(b)) }

// SubSat returns a - b clamped to the range (PTX ISA, sub.sat.s32).
func SubSat(a, b int32) int32 { return clamp32(int64(a) - int64(b)) }

// MadHiSat returns the upper half of a × b, plus c, clamped to the range (PTX ISA, mad.hi.sat.s32).
func MadHiSat(a, b, c int32) int32 { return clamp32(int64(MulHiS32(a, b)) + int64(c)) }

// Mad24HiSat returns bits 16 to 47 of the signed 24-bit product, plus c, clamped (PTX ISA, mad24.hi.sat.s32).
func Mad24HiSat(a, b, c int32) int32 { return clamp32(int64(Mul24S(a, b, true)) + int64(c)) }

func clamp32(x int64) int32 { return int32(max(-1<<31, min(1<<31-1, x))) }

// MadCC32 returns a half of a × b plus c plus carry (0 or 1), and the carry out (PTX ISA, mad.cc, madc). signed matters for
// the upper half only.
func MadCC32(a, b, c, carry uint32, hi, signed bool) (sum, carryOut uint32) {
	half := a * b
	switch {
	case hi && signed:
		half = uint32(MulHiS32(int32(a), int32(b)))
	case hi:
		half = MulHiU32(a, b)
	}
	return bits.Add32(half, c, carry)
}

// MadCC64 is MadCC32 for 64 bits.
func MadCC64(a, b, c, carry uint64, hi, signed bool) (sum, carryOut uint64) {
	half := a * b
	switch {
	case hi && signed:
		half = uint64(MulHiS64(int64(a), int64(b)))
	case hi:
		half = MulHiU64(a, b)
	}
	return bits.Add64(half, c, carry)
}

// Dp4a returns c plus the four byte products of a and b; each operand's bytes are signed or not, and wrap-around is that of
// 32 bits (PTX ISA, dp4a).
func Dp4a(a, b, c uint32, aSigned, bSigned bool) uint32 {
	for i := 0; i < 32; i += 8 {
		c += lane(a, i, 8, aSigned) * lane(b, i, 8, bSigned)
	}
	return c
}

// Dp2a returns c plus the products of a's two halves with the lower two bytes of b, or with hi the upper two (PTX ISA,
// dp2a.lo and dp2a.hi).
func Dp2a(a, b, c uint32, aSigned, bSigned, hi bool) uint32 {
	if hi {
		b >>= 16
	}
	return c + lane(a, 0, 16, aSigned)*lane(b, 0, 8, bSigned) + lane(a, 16, 16, aSigned)*lane(b, 8, 8, bSigned)
}

// lane extracts n bits of x from bit pos on and extends them to 32.
func lane(x uint32, pos, n int, signed bool) uint32 {
	x <<= 32 - n - pos
	if signed {
		return uint32(int32(x) >> (32 - n))
	}
	return x >> (32 - n)
}
