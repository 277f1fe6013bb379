package mathtable

import (
	"math"
	"math/big"
)

func never(float64) bool { return false }

func noNaN(x [3]float64) bool { return !math.IsNaN(x[0]) && !math.IsNaN(x[1]) }

// countable are arguments whose integer fits 64 bits.
func countable(x [3]float64) bool { return math.Abs(x[0]) < 0x1p62 }

// others are the functions that are exact, or that the guide gives no bound for.
var others = []function{
	{name: "norm4d", arity: 3, call: "norm4dF(x, y, z, 2)", bound32: 3, bound64: 2, lo: -10, hi: 10, value: norm4},
	{name: "rnorm4d", arity: 3, call: "rnorm4dF(x, y, z, 2)", bound32: 2, bound64: 1, lo: -10, hi: 10, value: inverse(norm4)},
	{names: [2]string{"normf", "norm"}, arity: 3, call: "length(x, y, z)", bound32: -1, bound64: -1, note: "3 components", lo: -10, hi: 10, value: norm(3)},
	{names: [2]string{"rnormf", "rnorm"}, arity: 3, call: "inverseLength(x, y, z)", bound32: -1, bound64: -1, note: "3 components", lo: -10, hi: 10, value: inverse(norm(3))},
	{name: "sincospi", call: "both(x, sincospiF)", bound32: 1, bound64: 2, lo: -10, hi: 10, value: func(x [3]float64) number { s, _ := sincospi(x[0]); return s }},
	{name: "copysign", arity: 2, exact: func(x [3]float64, _ bool) float64 { return math.Copysign(x[0], x[1]) }, domain: noNaN, special: go2(math.Copysign), lo: -10, hi: 10},
	{name: "fabs", exact: exactly(math.Abs), lo: -10, hi: 10},
	{name: "fmax", arity: 2, exact: func(x [3]float64, _ bool) float64 { return number1(math.Max, x) }, special: go2(math.Max), lo: -10, hi: 10},
	{name: "fmin", arity: 2, exact: func(x [3]float64, _ bool) float64 { return number1(math.Min, x) }, special: go2(math.Min), lo: -10, hi: 10},
	{name: "ilogb", exact: exactly(func(x float64) float64 { return float64(math.Ilogb(x)) }), domain: func(x [3]float64) bool { return x[0] != 0 && !math.IsInf(x[0], 0) && !math.IsNaN(x[0]) }, special: func([3]float64) float64 { return 1 }, call: "isfinite(x) ? ilogbF(x) : x - x", lo: -10, hi: 10},
	{name: "lrint", exact: integer(math.RoundToEven), domain: countable, call: "isfinite(x) ? lrintF(x) + 0 * x : x - x", lo: -1e9, hi: 1e9},
	{name: "llrint", exact: integer(math.RoundToEven), domain: countable, call: "isfinite(x) ? llrintF(x) + 0 * x : x - x", lo: -1e15, hi: 1e15},
	{name: "lround", exact: integer(math.Round), domain: countable, call: "isfinite(x) ? lroundF(x) + 0 * x : x - x", lo: -1e9, hi: 1e9},
	{name: "llround", exact: integer(math.Round), domain: countable, call: "isfinite(x) ? llroundF(x) + 0 * x : x - x", lo: -1e15, hi: 1e15},
	{name: "nextafter", arity: 2, exact: func(x [3]float64, single bool) float64 {
		if single {
			return float64(math.Nextafter32(float32(x[0]), float32(x[1])))
		}
		return math.Nextafter(x[0], x[1])
	}, domain: func(x [3]float64) bool { return noNaN(x) && x[0] != x[1] }, lo: -10, hi: 10},
	{name: "remquo", arity: 2, call: "remainderOf(x, y)", exact: func(x [3]float64, _ bool) float64 { return math.Remainder(x[0], x[1]) }, lo: -10, hi: 10},
	{name: "scalbln", call: "scalblnF(x, 5L)", exact: exactly(func(x float64) float64 { return math.Ldexp(x, 5) }), lo: -10, hi: 10},
}

// integer is an exact function whose result is an integer, which has no negative zero.
func integer(f func(float64) float64) func([3]float64, bool) float64 {
	return func(x [3]float64, _ bool) float64 { return f(x[0]) + 0 }
}

// norm4 is the length of a vector whose fourth component is 2.
func norm4(x [3]float64) number {
	s := at(5000, 4)
	for _, v := range x {
		s.Add(s, square(at(5000, v)))
	}
	return zero(bits).Set(sqrt(s))
}

// number1 is f, or the argument that is a number if the other is none.
func number1(f func(a, b float64) float64, x [3]float64) float64 {
	switch {
	case math.IsNaN(x[0]):
		return x[1]
	case math.IsNaN(x[1]):
		return x[0]
	}
	return f(x[0], x[1])
}

func nearOne(x float64) bool { return x >= 0.5 && x <= 2 }

func farFromOne(x float64) bool { return !nearOne(x) }

func normalPositive(x [3]float64) bool { return x[0] >= 0x1p-126 }

// intrinsics are the fast functions of single precision. Where the guide's bound grows with the argument, the interval is
// one, and the bound that of its ends.
var intrinsics = []function{
	{names: [2]string{"__sinf", ""}, bound32: -1, abs32: 0x1p-21 * 0.7526, note: "|x| ≤ π, absolute", inside: never, lo: -math.Pi, hi: math.Pi, domain: between(-math.Pi, math.Pi), value: one(func(x number) number { s, _ := sincos(x); return s })},
	{names: [2]string{"__cosf", ""}, bound32: -1, abs32: 0x1p-21 * 0.8766, note: "|x| ≤ π, absolute", inside: never, lo: -math.Pi, hi: math.Pi, domain: between(-math.Pi, math.Pi), value: one(func(x number) number { _, c := sincos(x); return c })},
	{names: [2]string{"__sincosf", ""}, call: "fastSine(x)", bound32: -1, abs32: 0x1p-21 * 0.7526, note: "|x| ≤ π, absolute", inside: never, lo: -math.Pi, hi: math.Pi, domain: between(-math.Pi, math.Pi), value: one(func(x number) number { s, _ := sincos(x); return s })},
	{names: [2]string{"__tanf", ""}, bound32: -1, note: "|x| ≤ π", inside: never, lo: -math.Pi, hi: math.Pi, domain: between(-math.Pi, math.Pi), value: one(func(x number) number { s, c := sincos(x); return quo(s, c) })},
	{names: [2]string{"__expf", ""}, bound32: 13, note: "|x| ≤ 10: 2 + ⌊1.173·|x|⌋", lo: -10, hi: 10, domain: between(-10, 10), value: one(exp)},
	{names: [2]string{"__exp10f", ""}, bound32: 16, note: "|x| ≤ 5: 2 + ⌊2.97·|x|⌋", lo: -5, hi: 5, domain: between(-5, 5), value: one(func(x number) number { return exp(mul(x, log(num(10)))) })},
	{names: [2]string{"__logf", ""}, bound32: 3, abs32: 0x1p-21 * 0.7526, note: "outside 0.5…2, there absolute", inside: farFromOne, lo: 0.25, hi: 4, domain: normalPositive, value: one(log)},
	{names: [2]string{"__log2f", ""}, bound32: 2, abs32: 0x1p-22, note: "outside 0.5…2, there absolute", inside: farFromOne, lo: 0.25, hi: 4, domain: normalPositive, value: scaledLog(2)},
	{names: [2]string{"__log10f", ""}, bound32: 3, abs32: 0x1p-24, note: "outside 0.5…2, there absolute", inside: farFromOne, lo: 0.25, hi: 4, domain: normalPositive, value: scaledLog(10)},
	{names: [2]string{"__powf", ""}, arity: 2, bound32: -1, note: "x in 0.5…2, |y| ≤ 4", inside: never, lo: 0.5, hi: 2, domain: func(x [3]float64) bool { return nearOne(x[0]) && math.Abs(x[1]) <= 4 }, value: power},
	{names: [2]string{"__fdividef", ""}, arity: 2, bound32: 2, note: "2^-126 ≤ |y| ≤ 2^126", lo: -10, hi: 10, domain: func(x [3]float64) bool {
		return math.Abs(x[1]) >= 0x1p-126 && math.Abs(x[1]) <= 0x1p126 && math.Abs(x[0]/x[1]) >= 0x1p-126 && math.Abs(x[0]) >= 0x1p-126 && math.Abs(x[0]) <= 0x1p126
	}, value: func(x [3]float64) number { return quo(num(x[0]), num(x[1])) }},
	{names: [2]string{"__saturatef", ""}, exact: exactly(func(x float64) float64 { return min(max(x, 0), 1) }), domain: func(x [3]float64) bool { return !math.IsNaN(x[0]) && x[0] != 0 }, special: func([3]float64) float64 { return 0 }, call: "x == x ? N(x) : x", lo: -1, hi: 2},
	{names: [2]string{"__frsqrt_rn", ""}, exact: rounded(func(x [3]float64) number { return quo(num(1), sqrt(num(x[0]))) }, big.ToNearestEven), domain: moderate(1, true), special: func([3]float64) float64 { return 0 }, lo: 0, hi: 100},
}

// rounded rounds in a direction; results are normal numbers.
func rounded(f func([3]float64) number, mode big.RoundingMode) func([3]float64, bool) float64 {
	return func(x [3]float64, single bool) float64 {
		precision := uint(53)
		if single {
			precision = 24
		}
		return f64(zero(precision).SetMode(mode).Set(f(x)))
	}
}

// moderate are numbers far from overflow and underflow, so that results of a few operations are normal, too.
func moderate(arity int, positive bool) func([3]float64) bool {
	return func(x [3]float64) bool {
		for _, v := range x[:arity] {
			if !(math.Abs(v) >= 0x1p-30 && math.Abs(v) <= 0x1p30) {
				return false
			}
		}
		switch { // no zero may come out, whose sign has rules of its own
		case arity == 2 && (x[0] == -x[1] || x[0] == x[1]), arity == 3 && x[0]*x[1] == -x[2]:
			return false
		}
		return !positive || x[0] > 0
	}
}

// directed are the intrinsics that say how they round, in both precisions.
func directed() (list []function) {
	wide := func(v float64) number { return at(2000, v) }
	for _, op := range []struct {
		name     string
		arity    int
		positive bool
		value    func([3]float64) number
	}{
		{"add", 2, false, func(x [3]float64) number { return add(wide(x[0]), wide(x[1])) }},
		{"sub", 2, false, func(x [3]float64) number { return sub(wide(x[0]), wide(-x[1])) }},
		{"mul", 2, false, func(x [3]float64) number { return mul(wide(x[0]), wide(x[1])) }},
		{"div", 2, false, func(x [3]float64) number { return quo(wide(x[0]), wide(x[1])) }},
		{"rcp", 1, false, func(x [3]float64) number { return quo(wide(1), wide(x[0])) }},
		{"sqrt", 1, true, func(x [3]float64) number { return sqrt(wide(x[0])) }},
		{"fma", 3, false, func(x [3]float64) number { return add(mul(wide(x[0]), wide(x[1])), wide(x[2])) }},
	} {
		for i, mode := range []big.RoundingMode{big.ToNearestEven, big.ToZero, big.ToNegativeInf, big.ToPositiveInf} {
			suffix := []string{"rn", "rz", "rd", "ru"}[i]
			f := function{
				names: [2]string{"__f" + op.name + "_" + suffix, "__d" + op.name + "_" + suffix}, arity: op.arity, lo: -10, hi: 10,
				exact: rounded(op.value, mode), domain: moderate(op.arity, op.positive), special: func([3]float64) float64 { return 0 },
			}
			switch {
			case op.name == "fma":
				f.names = [2]string{"__fmaf_" + suffix, "__fma_" + suffix}
			case op.name == "sub":
				f.call = "N(x, -y)"
			}
			list = append(list, f)
		}
	}
	return list
}
