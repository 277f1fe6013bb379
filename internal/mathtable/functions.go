package mathtable

import (
	"math"
	"math/big"
	"slices"
)

// function is a function of CUDA's math library in both precisions.
type function struct {
	// name is that of the double precision function; the single precision one ends in f.
	name string
	// names, if not zero, are the names in single and in double precision; a function without one is not there.
	names [2]string
	// arity is the number of floating-point arguments.
	arity int
	// call is the expression in x, y, z if it is not name(x, …), with F for the f of single precision, or if there are names
	// with N for the name.
	call string
	// bound32 and bound64 are the documented largest errors in ulp (CUDA C++ Programming Guide, appendix Mathematical
	// Functions, Standard Functions), -1 where the guide gives another kind of bound.
	bound32, bound64 int
	// note says what the bound holds for; abs32 and abs64 are documented absolute errors that hold outside of it.
	note         string
	abs32, abs64 float64
	// inside, if not nil, reports whether the bound in ulp holds there; outside, that in abs or none does.
	inside func(x float64) bool
	// lo and hi are where half of the random first arguments are drawn from; the others are random bits.
	lo, hi float64
	// domain, if not nil, are the arguments that are measured.
	domain func(x [3]float64) bool
	// value is the exact function for finite arguments of its domain with a finite, nonzero result that big numbers give;
	// exact, if value is nil, is the exact result in Go.
	value func(x [3]float64) number
	exact func(x [3]float64, single bool) float64
	// special gives the result for other arguments, nil if that is not checked: infinities, zeros, NaN.
	special func(x [3]float64) float64
}

func one(f func(number) number) func([3]float64) number {
	return func(x [3]float64) number { return f(num(x[0])) }
}

func go1(f func(float64) float64) func([3]float64) float64 {
	return func(x [3]float64) float64 { return f(x[0]) }
}

func go2(f func(a, b float64) float64) func([3]float64) float64 {
	return func(x [3]float64) float64 { return f(x[0], x[1]) }
}

func exactly(f func(float64) float64) func([3]float64, bool) float64 {
	return func(x [3]float64, _ bool) float64 { return f(x[0]) }
}

func between(lo, hi float64) func([3]float64) bool {
	return func(x [3]float64) bool { return x[0] >= lo && x[0] <= hi }
}

func positive(x [3]float64) bool { return x[0] > 0 }

func norm(n int) func([3]float64) number {
	return func(x [3]float64) number {
		s := num(0)
		s.SetPrec(5000)
		for _, v := range x[:n] {
			s.Add(s, square(at(5000, v)))
		}
		return zero(bits).Set(sqrt(s))
	}
}

func inverse(f func([3]float64) number) func([3]float64) number {
	return func(x [3]float64) number {
		if v := f(x); v.Sign() != 0 {
			return quo(num(1), v)
		}
		return nil
	}
}

func anyOf(n int, f func(float64) bool) func([3]float64) bool {
	return func(x [3]float64) bool {
		for _, v := range x[:n] {
			if f(v) {
				return true
			}
		}
		return false
	}
}

func power(x [3]float64) number {
	a, y := x[0], x[1]
	if a < 0 && y != math.Trunc(y) {
		return nil
	}
	v := exp(mul(num(y), log(num(math.Abs(a)))))
	if a < 0 && math.Mod(y, 2) != 0 {
		v.Neg(v)
	}
	return v
}

func atan2(x [3]float64) number {
	r := atan(quo(num(x[0]), num(x[1])))
	if x[1] < 0 {
		r = add(r, zero(bits).SetMode(big.ToNearestEven).Mul(num(math.Copysign(1, x[0])), zero(bits).Set(pi())))
	}
	return r
}

func scaledLog(base float64) func([3]float64) number {
	return func(x [3]float64) number {
		if l := log(num(base)); l.Sign() != 0 {
			return quo(log(num(x[0])), l)
		}
		return nil
	}
}

func gammaPole(x [3]float64) bool { return x[0] > 0 || x[0] != math.Trunc(x[0]) }

func below8(x float64) bool { return math.Abs(x) < 8 }

func onlyFinite(x [3]float64) bool { return math.Abs(x[0]) <= 700 }

func upTo60(x [3]float64) bool { return x[0] > 0 && x[0] <= 60 }

// functions are those of the guide's tables, in their order, with what the tables leave out, and the intrinsics.
var functions = slices.Concat(standard, others, intrinsics, directed())

// in is the name in a precision, and whether there is such a function.
func (f *function) in(single bool) (string, bool) {
	if f.names != [2]string{} {
		name := f.names[1]
		if single {
			name = f.names[0]
		}
		return name, name != ""
	}
	if single && f.name[0] != 'x' && f.name[0] != '1' {
		return f.name + "f", true
	}
	return f.name, true
}

var standard = []function{
	{name: "x+y", arity: 2, call: "x+y", exact: func(x [3]float64, s bool) float64 { return x[0] + x[1] }},
	{name: "x*y", arity: 2, call: "x*y", exact: func(x [3]float64, s bool) float64 { return x[0] * x[1] }},
	{name: "x/y", arity: 2, call: "x/y", exact: func(x [3]float64, s bool) float64 { return x[0] / x[1] }},
	{name: "1/x", arity: 1, call: "1/x", exact: exactly(func(x float64) float64 { return 1 / x })},
	{name: "rsqrt", bound32: 2, bound64: 1, domain: positive, lo: 0, hi: 10, value: one(func(x number) number { return quo(num(1), sqrt(x)) })},
	{name: "sqrt", exact: exactly(math.Sqrt), lo: 0, hi: 100},
	{name: "cbrt", bound32: 1, bound64: 1, lo: -10, hi: 10, value: one(cbrt), special: go1(math.Cbrt)},
	{name: "rcbrt", bound32: 1, bound64: 1, lo: -10, hi: 10, value: one(func(x number) number { return quo(num(1), cbrt(x)) })},
	{name: "hypot", arity: 2, bound32: 3, bound64: 2, lo: -10, hi: 10, value: norm(2), special: go2(math.Hypot)},
	{name: "rhypot", arity: 2, bound32: 2, bound64: 1, lo: -10, hi: 10, value: inverse(norm(2))},
	{name: "norm3d", arity: 3, bound32: 3, bound64: 2, lo: -10, hi: 10, value: norm(3)},
	{name: "rnorm3d", arity: 3, bound32: 2, bound64: 1, lo: -10, hi: 10, value: inverse(norm(3))},
	{name: "exp", bound32: 2, bound64: 1, lo: -100, hi: 90, domain: onlyFinite, value: one(exp), special: go1(math.Exp)},
	{name: "exp2", bound32: 2, bound64: 1, lo: -150, hi: 128, domain: onlyFinite, value: one(func(x number) number { return exp(mul(x, zero(bits).Set(ln2()))) }), special: go1(math.Exp2)},
	{name: "exp10", bound32: 2, bound64: 1, lo: -45, hi: 38, domain: between(-300, 300), value: one(func(x number) number { return exp(mul(x, log(num(10)))) })},
	{name: "expm1", bound32: 1, bound64: 1, lo: -20, hi: 80, domain: onlyFinite, value: one(expm1), special: go1(math.Expm1)},
	{name: "log", bound32: 1, bound64: 1, lo: 0, hi: 3, domain: positive, value: one(log), special: go1(math.Log)},
	{name: "log2", bound32: 1, bound64: 1, lo: 0, hi: 3, domain: positive, value: scaledLog(2), special: go1(math.Log2)},
	{name: "log10", bound32: 2, bound64: 1, lo: 0, hi: 3, domain: positive, value: scaledLog(10), special: go1(math.Log10)},
	{name: "log1p", bound32: 1, bound64: 1, lo: -1, hi: 3, domain: func(x [3]float64) bool { return x[0] > -1 }, value: one(log1p), special: go1(math.Log1p)},
	{name: "sin", bound32: 2, bound64: 2, lo: -10, hi: 10, value: one(func(x number) number { s, _ := sincos(x); return s }), special: go1(math.Sin)},
	{name: "cos", bound32: 2, bound64: 2, lo: -10, hi: 10, value: one(func(x number) number { _, c := sincos(x); return c }), special: go1(math.Cos)},
	{name: "tan", bound32: 4, bound64: 2, lo: -10, hi: 10, value: one(func(x number) number { s, c := sincos(x); return quo(s, c) }), special: go1(math.Tan)},
	{name: "sincos", call: "both(x, sincosF)", bound32: 2, bound64: 2, lo: -10, hi: 10, value: one(func(x number) number { s, _ := sincos(x); return s })},
	{name: "sinpi", bound32: 1, bound64: 2, lo: -10, hi: 10, value: func(x [3]float64) number { s, _ := sincospi(x[0]); return s }},
	{name: "cospi", bound32: 1, bound64: 2, lo: -10, hi: 10, value: func(x [3]float64) number { _, c := sincospi(x[0]); return c }},
	{name: "asin", bound32: 2, bound64: 2, lo: -1, hi: 1, domain: func(x [3]float64) bool { return math.Abs(x[0]) < 1 }, value: one(asin), special: go1(math.Asin)},
	{name: "acos", bound32: 2, bound64: 2, lo: -1, hi: 1, domain: func(x [3]float64) bool { return math.Abs(x[0]) < 1 }, value: one(acos), special: go1(math.Acos)},
	{name: "atan", bound32: 2, bound64: 2, lo: -5, hi: 5, value: one(atan), special: go1(math.Atan)},
	{name: "atan2", arity: 2, bound32: 3, bound64: 2, lo: -5, hi: 5, domain: func(x [3]float64) bool { return x[1] != 0 }, value: atan2, special: go2(math.Atan2)},
	{name: "sinh", bound32: 3, bound64: 2, lo: -20, hi: 20, domain: onlyFinite, value: one(sinh), special: go1(math.Sinh)},
	{name: "cosh", bound32: 2, bound64: 1, lo: -20, hi: 20, domain: onlyFinite, value: one(cosh), special: go1(math.Cosh)},
	{name: "tanh", bound32: 2, bound64: 1, lo: -10, hi: 10, domain: onlyFinite, value: one(func(x number) number { return quo(sinh(x), cosh(x)) }), special: go1(math.Tanh)},
	{name: "asinh", bound32: 3, bound64: 3, lo: -5, hi: 5, value: one(asinh), special: go1(math.Asinh)},
	{name: "acosh", bound32: 4, bound64: 3, lo: 1, hi: 5, domain: func(x [3]float64) bool { return x[0] > 1 }, value: one(acosh), special: go1(math.Acosh)},
	{name: "atanh", bound32: 3, bound64: 2, lo: -1, hi: 1, domain: func(x [3]float64) bool { return math.Abs(x[0]) < 1 }, value: one(atanh), special: go1(math.Atanh)},
	{name: "pow", arity: 2, bound32: 4, bound64: 2, lo: 0, hi: 20, value: func(x [3]float64) number {
		if l := math.Abs(x[1] * math.Log(math.Abs(x[0]))); l > 800 || math.IsNaN(l) {
			return nil
		}
		return power(x)
	}, special: go2(math.Pow)},
	{name: "erf", bound32: 2, bound64: 2, lo: -4, hi: 4, domain: between(-26, 26), value: one(func(x number) number { e, _ := erfs(x); return e }), special: go1(math.Erf)},
	{name: "erfc", bound32: 4, bound64: 5, lo: -4, hi: 10, domain: between(-26, 27.2), value: one(func(x number) number { _, c := erfs(x); return c }), special: go1(math.Erfc)},
	{name: "erfinv", bound32: 2, bound64: 5, lo: -1, hi: 1, domain: func(x [3]float64) bool { return math.Abs(x[0]) < 1 }, value: one(erfinv), special: go1(math.Erfinv)},
	{name: "erfcinv", bound32: 4, bound64: 6, lo: 0, hi: 2, domain: func(x [3]float64) bool { return x[0] > 0 && x[0] < 2 }, value: one(erfcinv)},
	{name: "erfcx", bound32: 4, bound64: 4, lo: -8, hi: 20, domain: func(x [3]float64) bool { return x[0] > -26 }, value: one(erfcx)},
	{name: "normcdf", bound32: 5, bound64: 5, lo: -10, hi: 5, domain: between(-37, 37), value: one(func(x number) number {
		_, c := erfs(neg(quo(x, sqrt(num(2)))))
		return shift(c, -1)
	})},
	{name: "normcdfinv", bound32: 5, bound64: 8, lo: 0, hi: 1, domain: func(x [3]float64) bool { return x[0] > 0 && x[0] < 1 }, value: one(func(x number) number {
		return neg(mul(erfcinv(shift(x, 1)), sqrt(num(2))))
	})},
	{name: "lgamma", bound32: 6, bound64: 4, lo: -20, hi: 30, domain: gammaPole, note: "outside -10.001…-2.264 (double: -23.0001…-2.2637)",
		inside: func(x float64) bool { return x > -2.2637 || x < -23.0001 }, value: func(x [3]float64) number {
			if x[0] == 1 || x[0] == 2 {
				return num(0)
			}
			return lgamma(x[0])
		},
		special: func(x [3]float64) float64 {
			if math.IsInf(x[0], 0) {
				return math.Inf(1)
			}
			v, _ := math.Lgamma(x[0])
			return v
		}},
	{name: "tgamma", bound32: 5, bound64: 10, lo: -30, hi: 35, domain: func(x [3]float64) bool { return gammaPole(x) && x[0] < 171 && x[0] > -180 }, value: func(x [3]float64) number { return tgamma(x[0]) }},
	{name: "fma", arity: 3, lo: -10, hi: 10, exact: func(x [3]float64, single bool) float64 {
		if !single {
			return math.FMA(x[0], x[1], x[2])
		}
		return fma32(x)
	}},
	{name: "j0", bound32: 9, bound64: 7, abs32: 2.2e-6, abs64: 5e-12, note: "for |x| < 8, else absolute", inside: below8, lo: -20, hi: 20, domain: between(-300, 300), value: func(x [3]float64) number { return besselJ(0, x[0], -1) }},
	{name: "j1", bound32: 9, bound64: 7, abs32: 2.2e-6, abs64: 5e-12, note: "for |x| < 8, else absolute", inside: below8, lo: -20, hi: 20, domain: between(-300, 300), value: func(x [3]float64) number { return besselJ(1, x[0], -1) }},
	{name: "jn", call: "jnF(128, x)", bound32: -1, bound64: -1, abs32: 2.2e-6, abs64: 5e-12, note: "n = 128, absolute; measured for x ≥ 1", inside: func(float64) bool { return false }, lo: 1, hi: 200, domain: between(1, 200), value: func(x [3]float64) number { return besselJ(128, x[0], -1) }},
	{name: "y0", bound32: 9, bound64: 7, abs32: 2.2e-6, abs64: 5e-12, note: "for |x| < 8, else absolute", inside: below8, lo: 0, hi: 20, domain: upTo60, value: func(x [3]float64) number { return besselY(0, x[0]) }},
	{name: "y1", bound32: 9, bound64: 7, abs32: 2.2e-6, abs64: 5e-12, note: "for |x| < 8, else absolute", inside: below8, lo: 0, hi: 20, domain: upTo60, value: func(x [3]float64) number { return besselY(1, x[0]) }},
	{name: "yn", call: "ynF(2, x)", bound32: -1, bound64: -1, abs32: 2.2e-6, abs64: 5e-12, note: "n = 2, absolute for |x| > 1.5n", inside: func(float64) bool { return false }, lo: 3, hi: 60, domain: func(x [3]float64) bool { return x[0] > 3 && x[0] < 60 }, value: func(x [3]float64) number { return besselY(2, x[0]) }},
	{name: "cyl_bessel_i0", bound32: 6, bound64: 6, lo: -20, hi: 20, domain: between(-80, 80), value: func(x [3]float64) number { return besselJ(0, x[0], 1) }},
	{name: "cyl_bessel_i1", bound32: 6, bound64: 6, lo: -20, hi: 20, domain: between(-80, 80), value: func(x [3]float64) number { return besselJ(1, x[0], 1) }},
	{name: "fmod", arity: 2, lo: -10, hi: 10, exact: func(x [3]float64, _ bool) float64 { return math.Mod(x[0], x[1]) }},
	{name: "remainder", arity: 2, lo: -10, hi: 10, exact: func(x [3]float64, _ bool) float64 { return math.Remainder(x[0], x[1]) }},
	{name: "fdim", arity: 2, lo: -10, hi: 10, exact: func(x [3]float64, _ bool) float64 { return math.Dim(x[0], x[1]) }, domain: func(x [3]float64) bool { return !anyOf(2, func(v float64) bool { return math.IsInf(v, 0) })(x) }},
	{name: "trunc", exact: exactly(math.Trunc), lo: -10, hi: 10},
	{name: "round", exact: exactly(math.Round), lo: -10, hi: 10},
	{name: "rint", exact: exactly(math.RoundToEven), lo: -10, hi: 10},
	{name: "nearbyint", exact: exactly(math.RoundToEven), lo: -10, hi: 10},
	{name: "ceil", exact: exactly(math.Ceil), lo: -10, hi: 10},
	{name: "floor", exact: exactly(math.Floor), lo: -10, hi: 10},
	{name: "logb", exact: exactly(math.Logb), lo: -10, hi: 10},
	{name: "frexp", call: "fraction(x, frexpF)", exact: exactly(func(x float64) float64 { m, _ := math.Frexp(x); return m }), lo: -10, hi: 10},
	{name: "modf", call: "fractional(x, modfF)", exact: exactly(func(x float64) float64 {
		if math.IsInf(x, 0) {
			return math.Copysign(0, x)
		}
		return math.Copysign(x-math.Trunc(x), x)
	}), lo: -10, hi: 10},
	{name: "ldexp", call: "ldexpF(x, 3)", exact: exactly(func(x float64) float64 { return 8 * x }), lo: -10, hi: 10},
	{name: "scalbn", call: "scalbnF(x, -7)", exact: exactly(func(x float64) float64 { return math.Ldexp(x, -7) }), lo: -10, hi: 10},
}

// fma32 is the fused product and sum in single precision, rounded once.
func fma32(x [3]float64) float64 {
	p := x[0] * x[1] // exact
	s := p + x[2]
	if math.IsInf(s, 0) || math.IsNaN(s) || p == 0 || x[2] == 0 || s == 0 {
		return s
	}
	v, _ := zero(600).Add(at(600, p), at(600, x[2])).Float32()
	return float64(v)
}
