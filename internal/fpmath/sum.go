package fpmath

import "math"

// sumOdd returns p+q rounded to odd: the exact sum if it has 53 bits, else the neighbour whose last bit is one. No sum of
// finite arguments may overflow. An exact zero sum of opposite signs is +0.
func sumOdd(p, q float64) float64 {
	s := p + q
	t := s - p
	e := (p - (s - t)) + (q - t)
	if e > 0 {
		return odd(s, s > 0)
	}
	if e < 0 {
		return odd(s, s < 0)
	}
	return s // exact, infinite or NaN
}

// odd sets the last bit of an inexact s: if it is zero, s moves by one ulp to the side on which the exact value lies.
func odd(s float64, outward bool) float64 {
	b := math.Float64bits(s)
	if b&1 == 1 {
		return s
	}
	if outward {
		return math.Float64frombits(b + 1)
	}
	return math.Float64frombits(b - 1)
}

// narrow32 rounds x to f32 in any mode.
func narrow32(x float64, r Round) float32 {
	y := float32(x)
	w := float64(y)
	switch r {
	case RM:
		if w > x {
			return below(y)
		}
	case RP:
		if w < x {
			return -below(-y)
		}
	case RZ:
		if math.Abs(w) > math.Abs(x) {
			return math.Float32frombits(math.Float32bits(y) - 1)
		}
	}
	return y
}

// below returns the next f32 under y, which is neither NaN nor -Inf nor +0.
func below(y float32) float32 {
	b := math.Float32bits(y)
	if b&sign32 != 0 {
		return math.Float32frombits(b + 1)
	}
	return math.Float32frombits(b - 1)
}

// zeroSum corrects the sign of an exact zero sum: towards negative infinity, x + -x is -0 (IEEE 754, 6.3).
func zeroSum(s, p, q float64, r Round) float64 {
	if s == 0 && r == RM && math.Signbit(p) != math.Signbit(q) {
		return math.Copysign(0, -1)
	}
	return s
}
