package fpmath

import "math"

// The approximate f64 instructions. The .ftz ones see the upper 32 bits of the operand only and give a result whose lower
// 32 bits are zero (PTX ISA, rcp.approx.ftz.f64 and rsqrt.approx.ftz.f64): programs use them as seeds of an iteration.

// upper64 masks the upper half.
const upper64 = 0xffffffff00000000

// Rcp64 is rcp.approx.ftz.f64: 1 ÷ x rounded to 20 fraction bits, relative error at most 2^-21 (1 + 2^-32); exact for
// powers of two whose reciprocal is normal. A subnormal operand counts as zero, a subnormal result becomes zero.
//
// Sequence: clear the lower 32 bits of x, flush; q = 1 ÷ x; add 2^31 to its bits and clear the lower 32; flush.
func Rcp64(x float64) float64 { return seed64(1 / upper(x)) }

// Rsqrt64 is rsqrt.approx.ftz.f64: 1 ÷ √x rounded to 20 fraction bits, relative error at most 2^-21 (1 + 2^-30); exact for
// powers of four. A subnormal operand counts as zero.
//
// Sequence: clear the lower 32 bits of x, flush; q = 1 ÷ √x (√ and ÷ rounded to nearest); add 2^31 to its bits and clear
// the lower 32.
func Rsqrt64(x float64) float64 { return seed64(1 / math.Sqrt(upper(x))) }

func upper(x float64) float64 {
	return flush64(math.Float64frombits(math.Float64bits(x) & upper64))
}

func seed64(q float64) float64 {
	return flush64(math.Float64frombits((math.Float64bits(quiet64(q)) + 1<<31) & upper64))
}

func flush64(x float64) float64 {
	if b := math.Float64bits(x); b&0x7ff0000000000000 == 0 {
		return math.Float64frombits(b & sign64)
	}
	return x
}

// RsqrtFull64 is rsqrt.approx.f64 without .ftz: all bits and subnormals count. Error below 0.51 ulp for normal results and
// operands; exact for powers of four.
//
// Sequence: s = √x, y = 1 ÷ s; h = y·y, l = fma(y, y, -h), r = fma(-x, l, fma(-x, h, 1)), y = fma(y/2, r, y), where zero,
// infinity and negative operands keep the first y. An x below 2^-900 is first multiplied by 2^200 and y by 2^100 at the end,
// an x from 2^900 on by 2^-200 and y by 2^-100.
func RsqrtFull64(x float64) float64 {
	scale := 1.0
	switch {
	case x > 0 && x < 0x1p-900:
		x, scale = x*0x1p200, 0x1p100
	case x >= 0x1p900:
		x, scale = x*0x1p-200, 0x1p-100
	}
	y := 1 / math.Sqrt(x)
	if !(x > 0) || x > math.MaxFloat64 {
		return quiet64(y)
	}
	h := float64(y * y)
	l := math.FMA(y, y, -h)
	r := math.FMA(-x, l, math.FMA(-x, h, 1))
	return float64(math.FMA(float64(y*0.5), r, y) * scale)
}
