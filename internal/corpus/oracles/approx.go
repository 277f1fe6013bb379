package main

import "math"

// approx is a number together with a bound on how far a correct kernel's evaluation may be away from it. The rules are those
// of running error analysis (Higham, Accuracy and Stability of Numerical Algorithms, section 3.3): each operation passes on
// the errors of its operands and adds that of its own rounding. Fused operations round less often, so the bounds hold for
// them too.
type approx struct{ v, e float64 }

// arith is rounded arithmetic with unit roundoff u. Its results add the error of the oracle's own evaluation in double
// precision, which counts where u is that of double, too.
type arith struct{ u float64 }

var (
	single = arith{u: 0x1p-24}
	double = arith{u: 0x1p-53}
)

// lift makes exact numbers.
func lift[T float32 | float64](x T) approx { return approx{v: float64(x)} }

func lifts[T float32 | float64](x []T) []approx {
	return table(len(x), func(i int) approx { return lift(x[i]) })
}

// rounded adds the rounding of a result, ulps times as large as that of a basic operation.
func (f arith) rounded(v, e, ulps float64) approx {
	return approx{v: v, e: e + (ulps*f.u+0x1p-52)*(math.Abs(v)+e) + 0x1p-149}
}

func (f arith) add(a, b approx) approx { return f.rounded(a.v+b.v, a.e+b.e, 1) }
func (f arith) sub(a, b approx) approx { return f.rounded(a.v-b.v, a.e+b.e, 1) }
func (f arith) mul(a, b approx) approx {
	return f.rounded(a.v*b.v, math.Abs(a.v)*b.e+math.Abs(b.v)*a.e+a.e*b.e, 1)
}
func (f arith) div(a, b approx) approx { return f.quotient(a, b, 1) }

// quotient is a division with an error of ulps roundings, such as that of an approximate reciprocal.
func (f arith) quotient(a, b approx, ulps float64) approx {
	least := math.Abs(b.v) - b.e
	if least <= 0 {
		return approx{v: a.v / b.v, e: math.Inf(1)}
	}
	v := a.v / b.v
	return f.rounded(v, (a.e+math.Abs(v)*b.e)/least, ulps)
}

// sqrt needs an operand that is not negative within its bound, up to rounding.
func (f arith) sqrt(a approx) approx { return f.apply(math.Sqrt, a, 1) }

// apply is a monotone function on the interval of a, with a maximum error of ulps roundings of its own.
func (f arith) apply(g func(float64) float64, a approx, ulps float64) approx {
	v := g(a.v)
	e := math.Max(math.Abs(g(a.v+a.e)-v), math.Abs(g(a.v-a.e)-v))
	if math.IsNaN(e) && a.v >= 0 && a.v-a.e < 0 {
		e = math.Max(math.Abs(g(a.v+a.e)-v), math.Abs(g(0)-v))
	}
	return f.rounded(v, e, ulps)
}

// sum adds in any order: the bound is that of the worst order.
func (f arith) sum(x []approx) approx {
	var v, e, m float64
	for _, a := range x {
		v += a.v
		e += a.e
		m += math.Abs(a.v) + a.e
	}
	n := float64(len(x))
	return approx{v: v, e: e + n*(f.u+0x1p-52)*m*(1+n*f.u) + 0x1p-149}
}

// dot is the sum of products in any order.
func (f arith) dot(x, y []approx) approx {
	return f.sum(table(len(x), func(i int) approx { return f.mul(x[i], y[i]) }))
}

// total sums several terms.
func (f arith) total(x ...approx) approx { return f.sum(x) }

// product multiplies several factors from left to right.
func (f arith) product(x ...approx) approx {
	p := x[0]
	for _, a := range x[1:] {
		p = f.mul(p, a)
	}
	return p
}

func neg(a approx) approx { return approx{v: -a.v, e: a.e} }
