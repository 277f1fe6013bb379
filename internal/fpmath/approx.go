package fpmath

import "math"

// Approx is the modifiers of an approximate f32 instruction; its methods are the instructions (PTX ISA: rcp, sqrt, rsqrt,
// sin, cos, lg2, ex2, tanh, div).
//
// The methods define one result for each operand, inside the error bounds of the PTX ISA, that every engine must give
// bit for bit. Each is a fixed sequence of f32 operations rounded to nearest (fma is fused) and of integer operations on
// bit patterns, without tables or branches other than selections, so that it maps to vector instructions one to one. The
// comment of each method gives the sequence; the coefficients stand beside the code. Polynomials are minimax fits (Remez
// exchange with 200 bits, weighted for relative error), whose f32 coefficients were then moved by single ulps while that
// lowered the error of the whole evaluation. The errors given were measured over all operands of the stated range, which
// TestApprox… repeat on samples (in ulps of the exact result's binade).
type Approx struct {
	// FTZ flushes subnormal operands and results to zero of the same sign. Without it both are kept.
	FTZ bool
}

func (m Approx) operand(x float32) float32 {
	if m.FTZ {
		return Flush32(x)
	}
	return x
}

func (m Approx) result(x float32) float32 {
	if m.FTZ {
		x = Flush32(x)
	}
	return quiet32(x)
}

// Rcp is rcp.approx: the correctly rounded 1 ÷ x (0.5 ulp; PTX ISA: 1 ulp).
func (m Approx) Rcp(x float32) float32 { return m.result(1 / m.operand(x)) }

// Sqrt is sqrt.approx: the correctly rounded root (0.5 ulp; PTX ISA: relative error 2^-23).
func (m Approx) Sqrt(x float32) float32 { return m.result(sqrt32(m.operand(x))) }

// DivFull is div.full: the correctly rounded a ÷ b (0.5 ulp; PTX ISA: 2 ulp).
func (m Approx) DivFull(a, b float32) float32 { return m.result(m.operand(a) / m.operand(b)) }

// Div is div.approx: the correctly rounded a ÷ b (0.5 ulp; PTX ISA: 2 ulp), except that for a finite |b| above 2^126 it is
// a × ±0 as the PTX ISA says: zero, or NaN for an infinite a.
//
// Sequence: q = a ÷ b; z = a × (b & sign); select z where 2^126 < |b| < inf.
func (m Approx) Div(a, b float32) float32 {
	a, b = m.operand(a), m.operand(b)
	bits := math.Float32bits(b)
	if magnitude := bits &^ sign32; magnitude > 0x7e800000 && magnitude < 0x7f800000 {
		return m.result(float32(a * math.Float32frombits(bits&sign32)))
	}
	return m.result(a / b)
}

// Rsqrt is rsqrt.approx. Relative error at most 2^-23.2 over all positive numbers (PTX ISA: 2^-22.9); exact for powers of
// four; rsqrt(±0) is ±inf, of a negative number NaN, of +inf +0.
//
// Sequence, after x × 2^24 if x is a positive subnormal: y from the bits 0x5f3759df - (x >> 1), within 3.5 %; one step of the
// fifth order, e = fma(-(x·y), y, 1), p = Horner's rule by fma with four coefficients, y = fma(e·y, p, y); y × 2^12 if x was
// scaled.
func (m Approx) Rsqrt(x float32) float32 {
	x = m.operand(x)
	switch {
	case x == 0:
		return 1 / x
	case !(x > 0):
		return canonical32()
	case x > math.MaxFloat32:
		return 0
	}
	unscale := float32(1)
	if x < 0x1p-126 {
		x, unscale = x*0x1p24, 0x1p12
	}
	y := math.Float32frombits(0x5f3759df - math.Float32bits(x)>>1)
	e := fma32(-float32(x*y), y, 1)
	y = fma32(float32(e*y), horner(e, rsqrtCoefficients[:]), y)
	return float32(y * unscale)
}

// (1/√(1-e) - 1) ÷ e on [-0.0691, 0.0676], where 1-e is x·y² of the first y.
var rsqrtCoefficients = [...]float32{0x1.18b3d8p-2, 0x1.4178aap-2, 0x1.7fffe2p-2, 0x1.ffff92p-2}

// 1.5·2^23: adding it to a number of magnitude below 2^22 rounds that to an integer, which stands in the last bits.
const (
	roundMagic     = 0x1.8p23
	roundMagicBits = 0x4b400000
)

// Ex2 is ex2.approx. Error at most 0.91 ulp, relative error 2^-23.6 where the result is normal (PTX ISA: 2^-22);
// exact for integers; ex2(-inf) is +0.
//
// Sequence: clamp x to [-151, 129]; t = x + 1.5·2^23, q = t - 1.5·2^23, f = x - q; Horner's rule by fma with six
// coefficients and 1; multiply by 2^q, rounding once (as two factors 2^(k>>1) and 2^(k-(k>>1)), k being the last bits of
// t, of which the first is exact, or by a scaling instruction).
func (m Approx) Ex2(x float32) float32 {
	x = m.operand(x)
	if x < -151 {
		x = -151
	}
	if x > 129 {
		x = 129
	}
	t := float32(x + roundMagic)
	f := x - float32(t-roundMagic)
	p := horner(f, ex2Coefficients[:])
	k := int32(math.Float32bits(t)) - roundMagicBits
	return m.result(float32(float32(p*pow2(k>>1)) * pow2(k-k>>1)))
}

// pow2 returns 2^k for k in [-126, 127].
func pow2(k int32) float32 { return math.Float32frombits(uint32(k+127) << 23) }

// horner evaluates the polynomial with the given coefficients, highest power first, by fma.
func horner(x float32, c []float32) float32 {
	p := c[0]
	for _, next := range c[1:] {
		p = fma32(p, x, next)
	}
	return p
}

// 2^f on [-1/2, 1/2].
var ex2Coefficients = [...]float32{
	0x1.3f88cep-13, 0x1.5dd48ap-10, 0x1.3b2788p-7, 0x1.c6b23p-5, 0x1.ebfbf8p-3, 0x1.62e42ep-1, 1,
}

// Lg2 is lg2.approx. Absolute error at most 2^-23.7 (and 1.94 ulp) in (0.5, 2), elsewhere relative error 2^-23.2 (PTX ISA:
// 2^-22 each); exact for powers of two; lg2(±0) is -inf, of a negative number NaN, of +inf +inf.
//
// Sequence, after x × 2^23 if x is a positive subnormal: i = bits of x - 0x3f3504f3 (√½ rounded); e = i >> 23 arithmetic,
// as a float, less 23 if x was scaled; the number m with bits (i & 0x7fffff) + 0x3f3504f3 lies in [√½, √2); f = m - 1;
// P by Horner's rule in f with nine coefficients; fma(f, P, e).
func (m Approx) Lg2(x float32) float32 {
	x = m.operand(x)
	switch {
	case x == 0:
		return float32(math.Inf(-1))
	case !(x > 0):
		return canonical32()
	case x > math.MaxFloat32:
		return x
	}
	scale := float32(0)
	if x < 0x1p-126 {
		x, scale = x*0x1p23, 23
	}
	i := math.Float32bits(x) - sqrtHalf
	e := float32(int32(i)>>23) - scale
	f := math.Float32frombits(i&(1<<23-1)+sqrtHalf) - 1
	return fma32(f, horner(f, lg2Coefficients[:]), e)
}

const sqrtHalf = 0x3f3504f3

// log2(1+f)/f on [√½-1, √2-1].
var lg2Coefficients = [...]float32{
	0x1.01db78p-3, -0x1.a888dep-3, 0x1.b9b818p-3, -0x1.e95caap-3, 0x1.26d57cp-2,
	-0x1.715c1ep-2, 0x1.ec73b2p-2, -0x1.715472p-1, 0x1.715476p+0,
}

// Sin is sin.approx. Absolute error at most 2^-22.9 in [-100π, 100π] (PTX ISA: 2^-20.5 in [-2π, 2π], 2^-14.7 in that range),
// 2^-22.2 up to 10^6, 2^-18 up to 4·10^6; beyond, only -1 ≤ sin ≤ 1 holds. sin(±0) is ±0, sin(±inf) NaN.
//
// Sequence, on a = |x|: t = fma(a, 1/π, 1.5·2^23), q = t - 1.5·2^23; r = a - q·π in three fma with -π split into three
// f32; clamp r to ±2 (only a > 10^7 gets there); z = r·r; P by Horner's rule in z with four coefficients;
// y = fma(r·z, P, r); flip its sign by the last bit of t and the sign of x.
func (m Approx) Sin(x float32) float32 {
	x = m.operand(x)
	sign := math.Float32bits(x) & sign32
	a := math.Float32frombits(math.Float32bits(x) &^ sign32)
	t := fma32(a, 1/math.Pi, roundMagic)
	y := sinReduced(a, t-roundMagic)
	return m.result(flip(y, sign^math.Float32bits(t)<<31))
}

// Cos is cos.approx, with the error bounds of Sin. cos(±0) is 1, cos(±inf) NaN.
//
// Sequence: as Sin with the half-integer nearest a/π: t = fma(a, 1/π, -1/2) + 1.5·2^23, q = (t - 1.5·2^23) + 1/2, and the
// sign of y flipped if the last bit of t is zero.
func (m Approx) Cos(x float32) float32 {
	x = m.operand(x)
	a := math.Float32frombits(math.Float32bits(x) &^ sign32)
	t := fma32(a, 1/math.Pi, -0.5) + roundMagic
	y := sinReduced(a, float32(t-roundMagic)+0.5)
	return m.result(flip(y, ^math.Float32bits(t)<<31))
}

// sinReduced returns the sine of a - q·π, which lies in [-π/2, π/2] up to the rounding of q, which grows with a.
func sinReduced(a, q float32) float32 {
	r := fma32(q, -pi1, a)
	r = fma32(q, -pi2, r)
	r = fma32(q, -pi3, r)
	if r > 2 {
		r = 2
	}
	if r < -2 {
		r = -2
	}
	z := float32(r * r)
	return fma32(float32(r*z), horner(z, sinCoefficients[:]), r)
}

func flip(x float32, sign uint32) float32 {
	return math.Float32frombits(math.Float32bits(x) ^ sign&sign32)
}

// π in three parts.
const (
	pi1 = 0x1.921fb6p+1
	pi2 = -0x1.777a5cp-24
	pi3 = -0x1.ee59dap-49
)

// (sin r - r)/r³ in powers of r² on [0, π/2].
var sinCoefficients = [...]float32{0x1.5db2fp-19, -0x1.9f7364p-13, 0x1.110ef8p-7, -0x1.55554cp-3}

// Tanh is tanh.approx, which PTX has without .ftz. Relative error at most 2^-18.6 (PTX ISA: 2^-11); ±1 from |x| = 7.5 on.
//
// Sequence: z = x·x; P by Horner's rule in z with four coefficients, times x; Q by Horner's rule in z with four; P ÷ Q;
// ±1 where |x| ≥ 7.5.
func (m Approx) Tanh(x float32) float32 {
	x = m.operand(x)
	if x >= 7.5 {
		return 1
	}
	if x <= -7.5 {
		return -1
	}
	z := float32(x * x)
	p := float32(horner(z, tanhNumerator[:]) * x)
	return m.result(p / horner(z, tanhDenominator[:]))
}

// tanh(x) = x·P(x²)/Q(x²), a rational minimax fit on [0, 7.7] with P(0) = Q(0) = 1.
var (
	tanhNumerator   = [...]float32{3.6564252105264022e-06, 0.0022214021959551084, 0.1224298847392854, 1}
	tanhDenominator = [...]float32{0.00013616616923009132, 0.020819804249264291, 0.45575335945507922, 1}
)
