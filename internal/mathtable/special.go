package mathtable

import (
	"math"
	"math/big"
	"sync"
)

func rootPi(p uint) number { return sqrt(zero(p).Set(pi())) }

// erfs returns the error function and its complement: 2/√π·e^(-x²)·Σ 2^n x^(2n+1)/(2n+1)!!, whose terms have one sign. The
// precision grows with what the complement cancels.
func erfs(x number) (erf, erfc number) {
	v := math.Abs(f64(x))
	p := uint(bits + 3*math.Min(v*v, 1000))
	a := zero(p).Abs(x)
	if v > 6 {
		erfc = mul(erfcxLarge(a), exp(neg(square(a))))
		erf = sub(at(erfc.Prec()+2000, 1), erfc)
	} else {
		a2 := shift(square(a), 1)
		s := a
		if a.Sign() != 0 {
			s = series(a, func(k int, t number) number { return quo(mul(t, a2), at(p, float64(2*k+1))) })
		}
		erf = quo(shift(mul(s, exp(neg(square(a)))), 1), rootPi(p))
		erfc = sub(at(p, 1), erf)
	}
	if x.Sign() < 0 {
		erf, erfc = neg(erf), sub(at(p, 2), erfc)
	}
	return erf, erfc
}

// erfcxLarge is e^(x²)·erfc(x) for x > 5 by Laplace's continued fraction.
func erfcxLarge(x number) number {
	x = zero(bits).Set(x)
	t := x
	for k := 600; k >= 1; k-- {
		t = add(x, quo(num(float64(k)/2), t))
	}
	return quo(num(1), mul(t, rootPi(bits)))
}

func erfcx(x number) number {
	if f64(x) > 6 {
		return erfcxLarge(x)
	}
	_, c := erfs(x)
	return mul(c, exp(square(x)))
}

// erfcinv solves erfc(y) = x for 0 < x < 2 by Halley's method.
func erfcinv(x number) number {
	v := f64(x)
	var y float64
	switch {
	case v > 1e-3 && v < 1.999:
		y = math.Erfinv(1 - v)
	case v <= 1e-3:
		l := -f64(log(x))
		y = math.Sqrt(l - math.Log(math.Sqrt(math.Pi*l)))
	default:
		l := -f64(log(sub(num(2), x)))
		y = -math.Sqrt(l - math.Log(math.Sqrt(math.Pi*l)))
	}
	r := num(y)
	for range 12 {
		_, c := erfs(r)
		d := neg(mul(sub(c, x), mul(rootPi(bits), shift(exp(square(r)), -1)))) // (erfc(r)-x)/erfc'(r), with its sign
		step := quo(d, add(num(1), mul(r, d)))
		r = sub(r, neg(neg(step)))
		if step.Sign() == 0 || r.Sign() != 0 && step.MantExp(nil) < r.MantExp(nil)-200 {
			break
		}
	}
	return r
}

func erfinv(x number) number {
	r := num(math.Erfinv(f64(x)))
	for range 6 {
		e, _ := erfs(r)
		d := mul(sub(x, e), mul(rootPi(bits), shift(exp(square(r)), -1)))
		r = add(r, quo(d, sub(num(1), mul(r, d))))
	}
	return r
}

// bernoulli are B(2k)/(2k(2k-1)) of Stirling's series.
var stirling = sync.OnceValue(func() (list []number) {
	const n = 60
	b := make([]*big.Rat, 2*n+1) // Akiyama-Tanigawa
	a := make([]*big.Rat, 2*n+1)
	for m := range a {
		a[m] = big.NewRat(1, int64(m+1))
		for j := m; j >= 1; j-- {
			a[j-1].Sub(a[j-1], a[j]).Mul(a[j-1], big.NewRat(int64(j), 1))
		}
		b[m] = new(big.Rat).Set(a[0])
	}
	for k := 1; k <= n; k++ {
		r := new(big.Rat).Quo(b[2*k], big.NewRat(int64(2*k*(2*k-1)), 1))
		list = append(list, zero(bits).SetRat(r))
	}
	return list
})

// lgammaPositive is ln Γ(x) for x > 0: Stirling's series behind x = 80, which the product x(x+1)… reaches.
func lgammaPositive(x number) number {
	product := num(1)
	for f64(x) < 80 {
		product = mul(product, x)
		x = add(x, num(1))
	}
	y := sub(mul(sub(x, num(0.5)), log(x)), x)
	y.Add(y, shift(log(shift(zero(bits).Set(pi()), 1)), -1))
	inverse := quo(num(1), x)
	power, inverse2 := inverse, square(inverse)
	for _, c := range stirling() {
		t := mul(c, power)
		if small(t, y) {
			break
		}
		y.Add(y, t)
		power = mul(power, inverse2)
	}
	return sub(y, log(product))
}

// lgamma is ln |Γ(x)|.
func lgamma(x float64) number {
	if x > 0 {
		return lgammaPositive(num(x))
	}
	s, _ := sincospi(x)
	s.Abs(s)
	return sub(log(quo(zero(bits).Set(pi()), s)), lgammaPositive(sub(num(1), num(x))))
}

func tgamma(x float64) number {
	y := exp(lgamma(x))
	if s, _ := sincospi(x); x < 0 && s.Sign() < 0 { // Γ(x) = π/(sin πx·Γ(1-x))
		y.Neg(y)
	}
	return y
}

// besselJ is Jn(x), or with sign +1 In(x), by its power series, with precision for what it cancels.
func besselJ(n int, x float64, sign float64) number {
	p := uint(bits + 3*math.Abs(x))
	h := shift(at(p, x), -1)
	first := at(p, 1)
	for k := 1; k <= n; k++ {
		first = quo(mul(first, h), at(p, float64(k)))
	}
	if first.Sign() == 0 {
		return first
	}
	h2 := mul(square(h), at(p, sign))
	sum, t := zero(p).Set(first), first
	for k := 1; k < 20000; k++ {
		t = quo(mul(t, h2), at(p, float64(k)*float64(k+n)))
		sum.Add(sum, t)
		if float64(k) > math.Abs(x) && t.MantExp(nil) < sum.MantExp(nil)-bits {
			break
		}
	}
	return sum
}

// besselY is Yn(x) for 0 < x ≤ 60: the series of Y0 and Y1 (Abramowitz and Stegun 9.1.11), then upward recurrence.
func besselY(n int, x float64) number {
	const p = 330
	h := shift(at(p, x), -1)
	l := add(log(h), euler)
	h2 := square(h)
	// Y0 = 2/π·(ln(x/2)+γ)·J0 + 2/π·Σ (-1)^(k+1) H(k) (x²/4)^k/(k!)²
	sum0, sum1 := zero(p), at(p, 1) // of Y1: H(k)+H(k+1) for k = 0 is 1
	t0, t1, harmonic := at(p, 1), at(p, 1), zero(p)
	for k := 1; k < 2000; k++ {
		t0 = neg(quo(mul(t0, h2), at(p, float64(k)*float64(k))))
		t1 = neg(quo(mul(t1, h2), at(p, float64(k)*float64(k+1))))
		harmonic = add(harmonic, quo(at(p, 1), at(p, float64(k))))
		sum0.Sub(sum0, mul(t0, harmonic))
		sum1.Add(sum1, mul(t1, add(shift(harmonic, 1), quo(at(p, 1), at(p, float64(k+1))))))
		if float64(k) > x && t0.MantExp(nil) < -400 {
			break
		}
	}
	twoOverPi := quo(at(p, 2), zero(p).Set(pi()))
	y0 := mul(twoOverPi, add(mul(l, besselJ(0, x, -1)), sum0))
	// Y1 = -2/(πx) + 2/π·(ln(x/2)+γ)·J1 - x/(2π)·Σ (-1)^k (H(k)+H(k+1)) (x²/4)^k/(k!(k+1)!)
	y1 := sub(mul(mul(twoOverPi, l), besselJ(1, x, -1)), quo(twoOverPi, at(p, x)))
	y1.Sub(y1, mul(shift(mul(twoOverPi, h), -1), sum1))
	if n == 0 {
		return y0
	}
	for k := 1; k < n; k++ {
		y0, y1 = y1, sub(mul(quo(at(p, float64(2*k)), at(p, x)), y1), y0)
	}
	return y1
}
