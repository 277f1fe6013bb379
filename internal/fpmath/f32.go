package fpmath

import "math"

// F32 is an f32 instruction's modifiers; its methods are the instructions (PTX ISA, Floating-Point Instructions: add, sub,
// mul, fma, div, rcp, sqrt). NaN results are NaN32.
type F32 struct {
	Round Round
	// FTZ flushes subnormal operands and results to zero of the same sign.
	FTZ bool
	// Sat clamps the result to [+0, 1]; PTX has it for add, sub, mul and fma.
	Sat bool
}

// Add returns a + b.
func (m F32) Add(a, b float32) float32 {
	if m == (F32{}) {
		return quiet32(a + b)
	}
	a, b = m.operand(a), m.operand(b)
	if m.Round == RN {
		return m.result(a + b)
	}
	return m.result(m.sum(float64(a), float64(b)))
}

// Sub returns a - b.
func (m F32) Sub(a, b float32) float32 {
	if m == (F32{}) {
		return quiet32(a - b)
	}
	a, b = m.operand(a), m.operand(b)
	if m.Round == RN {
		return m.result(a - b)
	}
	return m.result(m.sum(float64(a), -float64(b)))
}

// Mul returns a × b.
func (m F32) Mul(a, b float32) float32 {
	if m == (F32{}) {
		return quiet32(float32(a * b))
	}
	a, b = m.operand(a), m.operand(b)
	// 24+24 bits fit float64 and so does the exponent: the product is exact.
	return m.result(narrow32(float64(a)*float64(b), m.Round))
}

// Fma returns a × b + c with one rounding.
func (m F32) Fma(a, b, c float32) float32 {
	if m == (F32{}) {
		return quiet32(fma32(a, b, c))
	}
	a, b, c = m.operand(a), m.operand(b), m.operand(c)
	if m.Round == RN {
		return m.result(fma32(a, b, c))
	}
	p := float64(float64(a) * float64(b))
	return m.result(m.sum(p, float64(c)))
}

// Div returns a ÷ b.
func (m F32) Div(a, b float32) float32 {
	a, b = m.operand(a), m.operand(b)
	q := a / b
	if m.Round == RN || a-a != 0 || b-b != 0 || b == 0 {
		return m.result(q) // the second group has exact results: zero, infinity, NaN
	}
	// q is within one unit of the exact quotient, on the side that its exact product with b tells.
	p := float64(q) * float64(b)
	over := p - float64(a) // the sign of a difference is never rounded away
	if b < 0 {
		over = -over
	}
	return m.result(correct(q, over, math.Signbit(float64(a)) != math.Signbit(float64(b)), m.Round))
}

// Rcp returns 1 ÷ a.
func (m F32) Rcp(a float32) float32 { return m.Div(1, a) }

// Sqrt returns the square root of a; of a negative number other than -0 it is NaN.
func (m F32) Sqrt(a float32) float32 {
	a = m.operand(a)
	y := sqrt32(a)
	if m.Round == RN || !(a > 0) || a-a != 0 {
		return m.result(y)
	}
	return m.result(correct(y, float64(y)*float64(y)-float64(a), false, m.Round))
}

// correct turns y, the result rounded to nearest, into that of mode r, given the sign of y less the exact result and the
// sign of that result. An infinite y stands for a finite result beyond the largest number.
func correct(y float32, over float64, negative bool, r Round) float32 {
	b := math.Float32bits(y)
	inward := r == RZ || r == RM && !negative || r == RP && negative
	if negative {
		over = -over
	}
	switch {
	case inward && over > 0:
		b--
	case !inward && over < 0:
		b++
	}
	return math.Float32frombits(b)
}

// sum returns p+q rounded to f32, where p and q are exact.
func (m F32) sum(p, q float64) float32 {
	return narrow32(zeroSum(sumOdd(p, q), p, q, m.Round), m.Round)
}

func (m F32) operand(x float32) float32 {
	if m.FTZ {
		return Flush32(x)
	}
	return x
}

func (m F32) result(x float32) float32 {
	if m.FTZ {
		x = Flush32(x)
	}
	if m.Sat {
		return Saturate32(x)
	}
	return quiet32(x)
}

// fma32 returns a·b+c rounded once to nearest. NaN results are not canonical.
func fma32(a, b, c float32) float32 {
	if y, ok := FmaQuick(a, b, c); ok {
		return y
	}
	return float32(sumOdd(float64(float64(a)*float64(b)), float64(c)))
}

// FmaQuick returns a·b+c rounded once to nearest, and whether it is: if not, F32.Fma has to be asked. It is small enough
// to stand inside a loop.
//
// The product is exact in float64. Rounding the float64 sum a second time is wrong only if that sum is the midpoint of two
// neighbouring f32, which for normal results shows in its last 29 bits; those sums, and all that are not normal f32, are
// refused.
func FmaQuick(a, b, c float32) (y float32, ok bool) {
	s := float64(float64(a)*float64(b)) + float64(c)
	const lowest, normals = 1023 - 126, 254 // exponent fields of normal f32
	t := math.Float64bits(s)
	return float32(s), uint32(t)<<3 != 1<<31 && t<<1-lowest<<53 < normals<<53
}

// sqrt32 is correctly rounded: float64's square root has more than twice the precision plus two bits.
func sqrt32(x float32) float32 { return float32(math.Sqrt(float64(x))) }
