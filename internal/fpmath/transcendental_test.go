package fpmath_test

import (
	"math"
	"math/big"
)

// Transcendental functions of math/big with a relative error below 2^-80, by series after exact or long reductions: far
// below what separates an f32 approximation from its bound.

const seriesBits = 110

func number(x float64) *big.Float { return new(big.Float).SetPrec(seriesBits).SetFloat64(x) }

func constant(digits string) *big.Float {
	x, _, err := big.ParseFloat(digits, 10, 300, big.ToNearestEven)
	if err != nil {
		panic(err)
	}
	return x
}

var (
	bigPi  = constant("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798")
	bigLn2 = constant("0.693147180559945309417232121458176568075500134360255254120680009493393621969694715605863326996418687542")
)

// inverse factorials 1/n!
var inverseFactorial = func() (list [64]*big.Float) {
	list[0] = number(1)
	for n := 1; n < len(list); n++ {
		list[n] = new(big.Float).Quo(list[n-1], number(float64(n)))
	}
	return list
}()

// 1/(2k+1)
var inverseOdd = func() (list [19]*big.Float) {
	for k := range list {
		list[k] = new(big.Float).Quo(number(1), number(float64(2*k+1)))
	}
	return list
}()

// taylor sums sign^k · x^(first+2k)/(first+2k)! for terms of k, without the factor x^first.
func taylor(x2 *big.Float, first, terms int) *big.Float {
	s := number(0)
	for k := terms - 1; k >= 0; k-- {
		s.Mul(s, x2).Add(s, inverseFactorial[first+2*k])
	}
	return s
}

// bigExp2 is 2^x: the integral part is exact, the rest a Taylor series in x·ln 2.
func bigExp2(x float64) *big.Float {
	k := math.Round(x)
	y := number(x - k) // exact
	y.Mul(y, bigLn2)
	s := number(0)
	for n := 20; n >= 0; n-- { // 0.35^21/21! < 2^-96
		s.Mul(s, y).Add(s, inverseFactorial[n])
	}
	return s.SetMantExp(s, int(k))
}

// bigLog2 is log2 x of a positive x: with x = m·2^e, m near 1 and s = (m-1)/(m+1), ln m = 2·(s + s³/3 + s⁵/5 + …).
func bigLog2(x float64) *big.Float {
	m, e := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, e = 2*m, e-1
	}
	s := new(big.Float).Quo(number(m-1), number(m+1))
	s2 := new(big.Float).Mul(s, s)
	sum := number(0)
	for k := 18; k >= 0; k-- { // 0.1716^38 < 2^-96
		sum.Mul(sum, s2).Add(sum, inverseOdd[k])
	}
	sum.Mul(sum, s).Quo(sum, bigLn2).Mul(sum, number(2))
	return sum.Add(sum, number(float64(e)))
}

// bigSin is sin x, or with quarter cos x, after subtracting a multiple of π/2.
func bigSin(x float64, quarter bool) *big.Float {
	half := new(big.Float).SetMantExp(bigPi, -1)
	q := math.Round(x / (math.Pi / 2))
	r := new(big.Float).SetPrec(300).SetFloat64(q)
	r.Sub(new(big.Float).SetPrec(300).SetFloat64(x), r.Mul(r, half))
	n := int64(q) & 3
	if quarter {
		n = (n + 1) & 3
	}
	r.SetPrec(seriesBits)
	minus := new(big.Float).Mul(r, r)
	minus.Neg(minus)
	var y *big.Float
	if n&1 == 0 {
		y = taylor(minus, 1, 12)
		y.Mul(y, r)
	} else {
		y = taylor(minus, 0, 12)
	}
	if n >= 2 {
		y.Neg(y)
	}
	return y
}

// bigTanh is sinh x / cosh x for |x| ≤ 10 by their series, whose terms have one sign.
func bigTanh(x float64) *big.Float {
	x2 := new(big.Float).Mul(number(x), number(x))
	s := taylor(x2, 1, 30) // 10^60/60! < 2^-70 against sinh 10 > 2^13
	return s.Mul(s, number(x)).Quo(s, taylor(x2, 0, 30))
}
