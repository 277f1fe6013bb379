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
// operands; exact for powers of four; zeroes, infinities and negative numbers as Approx.Rsqrt.
//
// Sequence, after x × 2^54 if x is a positive subnormal: y from the bits 0x5fe6eb50c7b537a9 - (x >> 1), within 3.5 %; a step
// of the fifth order, e = fma(-(x·y), y, 1), p = Horner's rule by fma with four coefficients, y = fma(e·y, p, y) (error
// 2^-25); one of the third with all that is lost in x·y, h = x·y, l = fma(x, y, -h), e = fma(-l, y, fma(-h, y, 1)),
// y = fma(e·y, fma(e, 0.375, 0.5), y); y × 2^27 if x was scaled.
func RsqrtFull64(x float64) float64 {
	switch {
	case x == 0:
		return 1 / x
	case !(x > 0):
		return canonical64()
	case x > math.MaxFloat64:
		return 0
	}
	unscale := 1.0
	if x < 0x1p-1022 {
		x, unscale = x*0x1p54, 0x1p27
	}
	y := math.Float64frombits(0x5fe6eb50c7b537a9 - math.Float64bits(x)>>1)
	e := math.FMA(-float64(x*y), y, 1)
	p := rsqrt64Coefficients[0]
	for _, c := range rsqrt64Coefficients[1:] {
		p = math.FMA(p, e, c)
	}
	y = math.FMA(float64(e*y), p, y)
	h := float64(x * y)
	e = math.FMA(-math.FMA(x, y, -h), y, math.FMA(-h, y, 1))
	return float64(math.FMA(float64(e*y), math.FMA(e, 0.375, 0.5), y) * unscale)
}

// As rsqrtCoefficients, before these were moved.
var rsqrt64Coefficients = [...]float64{0.274108916, 0.31393548, 0.375000264, 0.499998335}
