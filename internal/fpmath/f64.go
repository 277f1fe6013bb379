package fpmath

import (
	"math"
	"math/bits"
)

// F64 is an f64 instruction's modifiers; its methods are the instructions (PTX ISA, Floating-Point Instructions: add, sub,
// mul, fma, div, rcp, sqrt). NaN results are NaN64. Directed roundings are computed in integers.
type F64 struct {
	Round Round
}

// Add returns a + b.
func (m F64) Add(a, b float64) float64 {
	if m.Round == RN || !finite64(a, b) {
		return quiet64(a + b)
	}
	return m.sum(exact64(a), exact64(b))
}

// Sub returns a - b.
func (m F64) Sub(a, b float64) float64 {
	if m.Round == RN || !finite64(a, b) {
		return quiet64(a - b)
	}
	return m.sum(exact64(a), exact64(-b))
}

// Mul returns a × b.
func (m F64) Mul(a, b float64) float64 {
	if m.Round == RN || !finite64(a, b) {
		return quiet64(float64(a * b))
	}
	return m.round(product64(a, b))
}

// Fma returns a × b + c with one rounding.
func (m F64) Fma(a, b, c float64) float64 {
	if m.Round == RN || !finite64(a, b) || c-c != 0 {
		return quiet64(math.FMA(a, b, c))
	}
	return m.sum(product64(a, b), exact64(c))
}

// Div returns a ÷ b.
func (m F64) Div(a, b float64) float64 {
	if m.Round == RN || !finite64(a, b) || a == 0 || b == 0 {
		return quiet64(a / b)
	}
	aNegative, as, ae := unpack64(a)
	bNegative, bs, be := unpack64(b)
	// With as in [2^62, 2^63) and bs in [2^63, 2^64) the quotient of as·2^64 by bs has 63 or 64 bits.
	az, bz := bits.LeadingZeros64(as)-1, bits.LeadingZeros64(bs)
	q, rest := bits.Div64(as<<az, 0, bs<<bz)
	if rest != 0 {
		q |= 1
	}
	return m.pack(aNegative != bNegative, q, ae-az-64-(be-bz))
}

// Rcp returns 1 ÷ a.
func (m F64) Rcp(a float64) float64 { return m.Div(1, a) }

// Sqrt returns the square root of a; of a negative number other than -0 it is NaN.
func (m F64) Sqrt(a float64) float64 {
	if m.Round == RN || !(a > 0) || a-a != 0 {
		return quiet64(math.Sqrt(a))
	}
	// Scaled so that the residual does not underflow. The root of a normal or subnormal number is normal, so that scaling
	// back is exact.
	scale := 1.0
	if a < 0x1p-900 {
		a, scale = a*0x1p200, 0x1p-100
	}
	y := math.Sqrt(a)
	residual := math.FMA(y, y, -a) // its sign is exact: y is within half an ulp of the root
	if residual > 0 && m.Round != RP {
		y = math.Float64frombits(math.Float64bits(y) - 1)
	}
	if residual < 0 && m.Round == RP {
		y = math.Float64frombits(math.Float64bits(y) + 1)
	}
	return float64(y * scale)
}

func finite64(a, b float64) bool { return a-a == 0 && b-b == 0 }

// wide is the exact number ±(hi·2^64 + lo)·2^exp.
type wide struct {
	negative bool
	hi, lo   uint64
	exp      int
}

func exact64(x float64) wide {
	negative, sig, exp := unpack64(x)
	return wide{negative: negative, lo: sig, exp: exp}
}

func product64(a, b float64) wide {
	aNegative, as, ae := unpack64(a)
	bNegative, bs, be := unpack64(b)
	hi, lo := bits.Mul64(as, bs)
	return wide{negative: aNegative != bNegative, hi: hi, lo: lo, exp: ae + be}
}

func (w wide) zero() bool { return w.hi|w.lo == 0 }

// normal moves the leading one of a non-zero w to bit 125, which leaves room for a carry.
func (w wide) normal() wide {
	if w.hi == 0 {
		w.hi, w.lo, w.exp = w.lo, 0, w.exp-64
	}
	// Operands have at most 106 bits, so that the leading one stands at bit 62 of hi or above only after the move by 64.
	n := bits.LeadingZeros64(w.hi) - 2
	if n < 0 {
		return w.shiftJam(-n)
	}
	w.hi, w.lo = w.hi<<n|w.lo>>(64-n), w.lo<<n
	w.exp -= n
	return w
}

// shiftJam shifts w right by n, keeping a sticky last bit.
func (w wide) shiftJam(n int) wide {
	var lost uint64
	switch {
	case n == 0:
		return w
	case n < 64:
		lost = w.lo << (64 - n)
		w.hi, w.lo = w.hi>>n, w.hi<<(64-n)|w.lo>>n
	case n < 128:
		lost = w.lo | w.hi<<1<<(127-n)
		w.hi, w.lo = 0, w.hi>>(n-64)
	default:
		lost = w.hi | w.lo
		w.hi, w.lo = 0, 0
	}
	if lost != 0 {
		w.lo |= 1
	}
	w.exp += n
	return w
}

// sum returns p+q rounded. Both have at most 106 bits, so that after normalisation bits are lost to the sticky bit only
// if the exponents differ by 20 or more; then cancellation takes at most one of the leading bits.
func (m F64) sum(p, q wide) float64 {
	switch {
	case p.zero() && q.zero():
		return m.round(wide{negative: p.negative && q.negative || p.negative != q.negative && m.Round == RM})
	case p.zero():
		return m.round(q)
	case q.zero():
		return m.round(p)
	}
	p, q = p.normal(), q.normal()
	if p.exp < q.exp || p.exp == q.exp && (p.hi < q.hi || p.hi == q.hi && p.lo < q.lo) {
		p, q = q, p
	}
	q = q.shiftJam(p.exp - q.exp)
	if p.negative == q.negative {
		var carry uint64
		p.lo, carry = bits.Add64(p.lo, q.lo, 0)
		p.hi, _ = bits.Add64(p.hi, q.hi, carry)
		return m.round(p)
	}
	var borrow uint64
	p.lo, borrow = bits.Sub64(p.lo, q.lo, 0)
	p.hi, _ = bits.Sub64(p.hi, q.hi, borrow)
	if p.zero() {
		p.negative = m.Round == RM
	}
	return m.round(p)
}

// round reduces w to 64 bits with a sticky one and packs it.
func (m F64) round(w wide) float64 {
	if w.hi != 0 {
		w = w.shiftJam(64 - bits.LeadingZeros64(w.hi))
	}
	return m.pack(w.negative, w.lo, w.exp)
}

func (m F64) pack(negative bool, sig uint64, exp int) float64 {
	return math.Float64frombits(binary64.pack(negative, sig, exp, m.Round))
}
