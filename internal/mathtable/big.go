package mathtable

import (
	"math"
	"math/big"
	"sync"
)

// The functions of this file compute with big.Float to a relative error far below 2^-100, by series after reductions that
// lose nothing. Arguments are exact.

// bits is the usual precision; functions that cancel take more.
const bits = 320

type number = *big.Float

func at(prec uint, x float64) number { return new(big.Float).SetPrec(prec).SetFloat64(x) }
func num(x float64) number           { return at(bits, x) }
func zero(p uint) number             { return new(big.Float).SetPrec(p) }
func add(x, y number) number         { return zero(max(x.Prec(), y.Prec())).Add(x, y) }
func sub(x, y number) number         { return zero(max(x.Prec(), y.Prec())).Sub(x, y) }
func mul(x, y number) number         { return zero(max(x.Prec(), y.Prec())).Mul(x, y) }
func quo(x, y number) number         { return zero(max(x.Prec(), y.Prec())).Quo(x, y) }
func neg(x number) number            { return zero(x.Prec()).Neg(x) }
func shift(x number, n int) number   { return zero(x.Prec()).SetMantExp(x, n) }
func sqrt(x number) number           { return zero(x.Prec()).Sqrt(x) }
func square(x number) number         { return mul(x, x) }
func f64(x number) float64           { v, _ := x.Float64(); return v }
func small(t, s number) bool {
	return t.Sign() == 0 || s.Sign() != 0 && t.MantExp(nil) < s.MantExp(nil)-int(s.Prec())
}

// constantBits is the precision of π and ln 2: enough to reduce the largest float64.
const constantBits = 2400

// inverseTangent is atan(1/n) by its series.
func inverseTangent(n int64) number {
	x := quo(at(constantBits, 1), at(constantBits, float64(n)))
	n2 := at(constantBits, float64(n*n))
	sum, power := zero(constantBits), x
	for k := int64(0); ; k++ {
		t := quo(power, at(constantBits, float64(2*k+1)))
		if small(t, x) {
			return sum
		}
		if k%2 == 1 {
			t.Neg(t)
		}
		sum.Add(sum, t)
		power = quo(power, n2)
	}
}

// pi is 16·atan(1/5) - 4·atan(1/239) (Machin).
var pi = sync.OnceValue(func() number {
	return sub(shift(inverseTangent(5), 4), shift(inverseTangent(239), 2))
})

// ln2 is 18·artanh(1/26) - 2·artanh(1/4801) + 8·artanh(1/8749).
var ln2 = sync.OnceValue(func() number {
	artanh := func(n float64) number {
		x := quo(at(constantBits, 1), at(constantBits, n))
		x2, sum, power := square(x), zero(constantBits), x
		for k := 0; ; k++ {
			t := quo(power, at(constantBits, float64(2*k+1)))
			if small(t, x) {
				return sum
			}
			sum.Add(sum, t)
			power = mul(power, x2)
		}
	}
	s := mul(at(constantBits, 18), artanh(26))
	s.Sub(s, shift(artanh(4801), 1))
	return s.Add(s, shift(artanh(8749), 3))
})

// euler is Euler's constant to 100 digits.
var euler, _, _ = big.ParseFloat("0.5772156649015328606065120900824024310421593359399235988057672348848677267776646709369470632917467495", 10, 330, big.ToNearestEven)

// series adds terms until they no longer count: next returns term k from the one before.
func series(first number, next func(k int, t number) number) number {
	sum, t := zero(first.Prec()).Set(first), first
	for k := 1; k < 100000; k++ {
		t = next(k, t)
		if small(t, sum) {
			break
		}
		sum.Add(sum, t)
	}
	return sum
}

func exp(x number) number {
	p := x.Prec() + 64
	if x.Sign() == 0 {
		return at(p, 1)
	}
	q := zero(p).Quo(x, ln2())
	k := int(math.Round(f64(q)))
	r := sub(zero(p).Set(x), mul(at(p, float64(k)), zero(p).Set(ln2())))
	r = shift(r, -8)
	s := series(at(p, 1), func(k int, t number) number { return quo(mul(t, r), at(p, float64(k))) })
	for range 8 {
		s = square(s)
	}
	return shift(s, k)
}

func expm1(x number) number {
	if math.Abs(f64(x)) > 0.5 {
		return sub(exp(x), num(1))
	}
	return series(x, func(k int, t number) number { return quo(mul(t, x), num(float64(k+1))) })
}

// log solves exp(y) = m by y += 2(m-e^y)/(m+e^y), which triples the number of right bits.
func log(x number) number {
	p := x.Prec()
	m := zero(p)
	e := x.MantExp(m)
	if f64(m) < math.Sqrt2/2 {
		m, e = shift(m, 1), e-1
	}
	y := at(p, math.Log(f64(m)))
	if d := sub(m, at(p, 1)); d.Sign() != 0 && d.MantExp(nil) < -30 {
		y = log1pSmall(d)
	} else {
		for range 3 {
			v := exp(y)
			y = add(y, shift(quo(sub(m, v), add(m, v)), 1))
		}
	}
	return add(y, mul(at(p, float64(e)), zero(p).Set(ln2())))
}

func log1pSmall(x number) number {
	power := x
	return series(x, func(k int, _ number) number {
		power = neg(mul(power, x))
		return quo(power, num(float64(k+1)))
	})
}

func log1p(x number) number {
	if math.Abs(f64(x)) < 1e-6 {
		return log1pSmall(x)
	}
	return log(add(num(1), x))
}

// sincos returns both after taking away a multiple of π/2.
func sincos(x number) (sin, cos number) {
	half := shift(pi(), -1)
	q := zero(constantBits).Quo(x, half)
	n, _ := add(q, at(constantBits, math.Copysign(0.5, f64(x)))).Int(nil)
	r := zero(constantBits).Sub(zero(constantBits).Set(x), mul(zero(constantBits).SetInt(n), half))
	r.SetPrec(bits)
	return quarter(r, int(new(big.Int).And(n, big.NewInt(3)).Int64()))
}

// quarter returns the sine and cosine of r + n·π/2 for small r.
func quarter(r number, n int) (sin, cos number) {
	r2 := neg(square(r))
	s, c := r, num(1)
	if r.Sign() != 0 {
		s = series(r, func(k int, t number) number { return quo(mul(t, r2), num(float64(2*k*(2*k+1)))) })
		c = series(num(1), func(k int, t number) number { return quo(mul(t, r2), num(float64(2*k*(2*k-1)))) })
	}
	switch n & 3 {
	case 1:
		s, c = c, neg(s)
	case 2:
		s, c = neg(s), neg(c)
	case 3:
		s, c = neg(c), s
	}
	return s, c
}

// sincospi is sincos of π·x, reduced exactly.
func sincospi(x float64) (sin, cos number) {
	x = math.Mod(x, 2) // exact
	n := math.Round(2 * x)
	return quarter(mul(num(x-n/2), zero(bits).Set(pi())), int(n)&3)
}

func atan(x number) number {
	p, n := x.Prec(), 0
	one := at(p, 1)
	for ; n < 6 && math.Abs(f64(x)) > 1e-2; n++ {
		x = quo(x, add(one, sqrt(add(one, square(x)))))
	}
	if x.Sign() == 0 {
		return x
	}
	x2, power := neg(square(x)), x
	s := series(x, func(k int, _ number) number {
		power = mul(power, x2)
		return quo(power, at(p, float64(2*k+1)))
	})
	return shift(s, n)
}

func asin(x number) number { return atan(quo(x, sqrt(mul(sub(num(1), x), add(num(1), x))))) }

func acos(x number) number { return shift(atan(sqrt(quo(sub(num(1), x), add(num(1), x)))), 1) }

func sinh(x number) number {
	if math.Abs(f64(x)) > 1 {
		return shift(sub(exp(x), exp(neg(x))), -1)
	}
	x2 := square(x)
	return series(x, func(k int, t number) number { return quo(mul(t, x2), num(float64(2*k*(2*k+1)))) })
}

func cosh(x number) number { return shift(add(exp(x), exp(neg(x))), -1) }

func asinh(x number) number {
	a := zero(bits).Abs(x)
	a2 := square(a)
	y := log1p(add(a, quo(a2, add(num(1), sqrt(add(num(1), a2))))))
	if x.Sign() < 0 {
		y.Neg(y)
	}
	return y
}

func acosh(x number) number {
	t := sub(x, num(1))
	return log1p(add(t, sqrt(mul(t, add(x, num(1))))))
}

func atanh(x number) number { return shift(log1p(quo(shift(x, 1), sub(num(1), x))), -1) }

func cbrt(x number) number {
	y := num(math.Cbrt(f64(x)))
	if y.Sign() == 0 {
		return y
	}
	for range 4 {
		y = quo(add(shift(y, 1), quo(x, square(y))), num(3))
	}
	return y
}
