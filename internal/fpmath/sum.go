package fpmath

import "math"

// sumOdd returns p+q rounded to odd: the exact sum if it has 53 bits, else the neighbour whose last bit is one. No sum of
// finite arguments may overflow. An exact zero sum of opposite signs is +0.
func sumOdd(p, q float64) float64 {
	s := p + q
	if s-s != 0 {
		return s // infinity or NaN
	}
	t := s - p
	e := math.Float64bits((p - (s - t)) + (q - t)) // the exact error, towards which an even s moves by one ulp
	b := math.Float64bits(s)
	magnitude := e << 1
	step := (magnitude | -magnitude) >> 63 &^ b
	inward := (e ^ b) >> 63
	return math.Float64frombits(b + step - 2*step*inward)
}

// narrow32 rounds x to f32 in any mode. The selections are written so that they need no unpredictable branch.
func narrow32(x float64, r Round) float32 {
	y := float32(x)
	if r == RN {
		return y
	}
	w := float64(y)
	b := math.Float32bits(y)
	negative := b >> 31
	// One unit of the last place, where rounding to nearest went to the wrong side: inward for a positive y and RM, say.
	var above, below uint32
	if w > x {
		above = 1
	}
	if w < x {
		below = 1
	}
	switch r {
	case RM:
		b = b - above + 2*above*negative
	case RP:
		b = b + below - 2*below*negative
	case RZ:
		b -= above&^negative | below&negative
	}
	return math.Float32frombits(b)
}

// zeroSum corrects the sign of an exact zero sum: towards negative infinity, x + -x is -0 (IEEE 754, 6.3).
func zeroSum(s, p, q float64, r Round) float64 {
	if s == 0 && r == RM && math.Signbit(p) != math.Signbit(q) {
		return math.Copysign(0, -1)
	}
	return s
}
