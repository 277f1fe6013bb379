package fpmath_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/fpmath"
)

// The reference is exact arithmetic of math/big followed by one rounding, written here for all formats.

// floatFormat is a binary format as a test sees it: numbers are float64 (all formats fit), patterns are uint64.
type floatFormat struct {
	typ       fpmath.Type
	precision int // with the implicit bit
	minUlp    int // exponent of the smallest subnormal
	maxExp    int // numbers are below 2^maxExp
	nan       uint64
}

var (
	f16  = floatFormat{fpmath.Half, 11, -24, 16, 0x7fff}
	bf16 = floatFormat{fpmath.BHalf, 8, -133, 128, 0x7fff}
	f32  = floatFormat{fpmath.Single, 24, -149, 128, 0x7fffffff}
	f64  = floatFormat{fpmath.Double, 53, -1074, 1024, 0x7ff8000000000000}
)

// value decodes a bit pattern by the definition of the format.
func (f floatFormat) value(b uint64) float64 {
	width := f.typ.Bits()
	mantissa := f.precision - 1
	fields := width - 1 - mantissa
	sign, field, m := b>>(width-1)&1, b>>mantissa&(1<<fields-1), b&(1<<mantissa-1)
	var x float64
	switch {
	case field == 1<<fields-1 && m != 0:
		return math.NaN()
	case field == 1<<fields-1:
		x = math.Inf(1)
	case field == 0:
		x = math.Ldexp(float64(m), f.minUlp)
	default:
		x = math.Ldexp(float64(m|1<<mantissa), f.minUlp+int(field)-1)
	}
	if sign == 1 {
		return math.Copysign(x, -1)
	}
	return x
}

// bits encodes a number of the format by search for the pattern that value decodes to it.
func (f floatFormat) bits(x float64) uint64 {
	width := f.typ.Bits()
	if x != x {
		return f.nan
	}
	if f.precision == 53 {
		return math.Float64bits(x)
	}
	// Patterns of positive numbers are in the order of the numbers; the last is infinity's.
	lo, hi := uint64(0), uint64(1<<(width-f.precision)-1)<<(f.precision-1)
	for lo < hi {
		mid := (lo + hi) / 2
		if f.value(mid) < math.Abs(x) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if math.Signbit(x) {
		lo |= 1 << (width - 1)
	}
	return lo
}

// smallestNormal is the least normal number.
func (f floatFormat) smallestNormal() float64 { return math.Ldexp(1, f.minUlp+f.precision-1) }

// flush replaces a subnormal by zero.
func (f floatFormat) flush(x float64) float64 {
	if math.Abs(x) < f.smallestNormal() {
		return math.Copysign(0, x)
	}
	return x
}

// integral rounds x to an integer. An exact zero result is possible for non-zero x.
func integral(x *big.Float, r fpmath.Round) *big.Int {
	n, accuracy := x.Int(nil) // truncated
	if accuracy == big.Exact {
		return n
	}
	away := big.NewInt(int64(x.Sign()))
	up := false
	switch r {
	case fpmath.RN:
		doubled := new(big.Float).Mul(new(big.Float).Sub(x, new(big.Float).SetPrec(x.Prec()).SetInt(n)), big.NewFloat(2))
		switch doubled.Abs(doubled).Cmp(big.NewFloat(1)) {
		case 1:
			up = true
		case 0:
			up = n.Bit(0) == 1
		}
	case fpmath.RM:
		up = x.Sign() < 0
	case fpmath.RP:
		up = x.Sign() > 0
	}
	if up {
		n.Add(n, away)
	}
	return n
}

// round rounds a non-zero exact number to the format.
func (f floatFormat) round(x *big.Float, r fpmath.Round) float64 {
	ulp := max(x.MantExp(nil)-f.precision, f.minUlp)
	n := integral(new(big.Float).SetMantExp(x, -ulp), r)
	y := new(big.Float).SetMantExp(new(big.Float).SetPrec(64).SetInt(n), ulp)
	y64 := 0.0
	if n.Sign() != 0 {
		y64, _ = y.Float64()
	}
	if y.Sign() == 0 || y.MantExp(nil) <= f.maxExp {
		return math.Copysign(y64, float64(x.Sign()))
	}
	toZero := r == fpmath.RZ || r == fpmath.RM && x.Sign() > 0 || r == fpmath.RP && x.Sign() < 0
	largest := math.Ldexp(math.Ldexp(1, f.precision)-1, f.maxExp-f.precision)
	if !toZero {
		largest = math.Inf(1)
	}
	return math.Copysign(largest, float64(x.Sign()))
}

const exactBits = 5000 // more than a product and an addend of f64 can span

func exact(x float64) *big.Float { return new(big.Float).SetPrec(exactBits).SetFloat64(x) }

// operation is an arithmetic instruction: its exact value for finite operands, and the IEEE 754 result that is no rounded
// number, if it has one.
type operation struct {
	name    string
	arity   int
	exact   func(x [3]float64) *big.Float
	special func(x [3]float64, r fpmath.Round) (float64, bool)
}

// zeroSum is the sign rule for the exact sum zero of p and q.
func zeroSum(p, q float64, r fpmath.Round) float64 {
	negative := math.Signbit(p) && math.Signbit(q) || math.Signbit(p) != math.Signbit(q) && r == fpmath.RM
	if negative {
		return math.Copysign(0, -1)
	}
	return 0
}

func finite(x float64) bool { return !math.IsInf(x, 0) && !math.IsNaN(x) }

func anyNaN(x [3]float64) bool { return math.IsNaN(x[0]) || math.IsNaN(x[1]) || math.IsNaN(x[2]) }

func product(x [3]float64) *big.Float { return exact(x[0]).Mul(exact(x[0]), exact(x[1])) }

// fmaSpecial serves add, sub and mul too, as 1·a + b, and a·b + a zero of the product's sign.
func fmaSpecial(x [3]float64, r fpmath.Round) (float64, bool) {
	sign := math.Signbit(x[0]) != math.Signbit(x[1])
	infinite := math.IsInf(x[0], 0) || math.IsInf(x[1], 0)
	switch {
	case anyNaN(x), infinite && (x[0] == 0 || x[1] == 0), infinite && math.IsInf(x[2], 0) && sign != math.Signbit(x[2]):
		return math.NaN(), true
	case infinite && sign:
		return math.Inf(-1), true
	case infinite:
		return math.Inf(1), true
	case math.IsInf(x[2], 0):
		return x[2], true
	}
	p := product(x)
	if p.Add(p, exact(x[2])).Sign() == 0 {
		one := 1.0
		if sign {
			one = -1
		}
		return zeroSum(one, x[2], r), true
	}
	return 0, false
}

func signedZero(negative bool) float64 {
	if negative {
		return math.Copysign(0, -1)
	}
	return 0
}

func divSpecial(x [3]float64, _ fpmath.Round) (float64, bool) {
	a, b := x[0], x[1]
	negative := math.Signbit(a) != math.Signbit(b)
	switch {
	case anyNaN(x), a == 0 && b == 0, math.IsInf(a, 0) && math.IsInf(b, 0):
		return math.NaN(), true
	case math.IsInf(a, 0), b == 0:
		return math.Copysign(math.Inf(1), signedZero(negative)), true
	case math.IsInf(b, 0), a == 0:
		return signedZero(negative), true
	}
	return 0, false
}

var (
	opAdd = operation{"add", 2,
		func(x [3]float64) *big.Float { return exact(x[0]).Add(exact(x[0]), exact(x[1])) },
		func(x [3]float64, r fpmath.Round) (float64, bool) { return fmaSpecial([3]float64{x[0], 1, x[1]}, r) }}
	opSub = operation{"sub", 2,
		func(x [3]float64) *big.Float { return exact(x[0]).Sub(exact(x[0]), exact(x[1])) },
		func(x [3]float64, r fpmath.Round) (float64, bool) { return fmaSpecial([3]float64{x[0], 1, -x[1]}, r) }}
	opMul = operation{"mul", 2, product,
		func(x [3]float64, r fpmath.Round) (float64, bool) {
			return fmaSpecial([3]float64{x[0], x[1], signedZero(math.Signbit(x[0]) != math.Signbit(x[1]))}, r)
		}}
	opFma = operation{"fma", 3,
		func(x [3]float64) *big.Float { p := product(x); return p.Add(p, exact(x[2])) }, fmaSpecial}
	// A quotient or root of numbers with p ≤ 53 bits that is not exact differs from every number of p+1 bits, midpoints
	// included, by more than 2^-(2p+2) of itself: 200 bits decide every rounding.
	opDiv = operation{"div", 2,
		func(x [3]float64) *big.Float { return new(big.Float).SetPrec(200).Quo(exact(x[0]), exact(x[1])) }, divSpecial}
	opRcp = operation{"rcp", 1,
		func(x [3]float64) *big.Float { return new(big.Float).SetPrec(200).Quo(exact(1), exact(x[0])) },
		func(x [3]float64, r fpmath.Round) (float64, bool) { return divSpecial([3]float64{1, x[0]}, r) }}
	opSqrt = operation{"sqrt", 1,
		func(x [3]float64) *big.Float { return new(big.Float).SetPrec(200).Sqrt(exact(x[0]).SetPrec(200)) },
		func(x [3]float64, _ fpmath.Round) (float64, bool) {
			switch {
			case x[0] < 0, x[0] != x[0]:
				return math.NaN(), true
			case x[0] == 0, math.IsInf(x[0], 1):
				return x[0], true
			}
			return 0, false
		}}
)

// modifiers are those of the instruction under test.
type modifiers struct {
	round          fpmath.Round
	ftz, sat, relu bool
}

// expect returns the bit pattern of the result for operand patterns.
func (op operation) expect(f floatFormat, m modifiers, patterns [3]uint64) uint64 {
	var x [3]float64
	for i := range op.arity {
		x[i] = f.value(patterns[i])
		if m.ftz {
			x[i] = f.flush(x[i])
		}
	}
	y, special := op.special(x, m.round)
	if !special {
		y = f.round(op.exact(x), m.round)
	}
	if m.ftz {
		y = f.flush(y)
	}
	switch {
	case m.sat && !(y > 0):
		y = 0
	case m.sat:
		y = min(y, 1)
	case m.relu && math.Signbit(y) && y == y:
		y = 0
	}
	return f.bits(y)
}

// operands draws bit patterns of a format: edge values, uniform bits, and groups in which cancellation, ties and results
// near the ends of the range are likely.
type operands struct {
	format floatFormat
	edges  []uint64
	random *rand.Rand
}

func newOperands(f floatFormat, seed uint64) *operands {
	one, width := f.bits(1), f.typ.Bits()
	infinity := f.bits(math.Inf(1))
	smallest := f.bits(f.smallestNormal())
	ulp := uint64(1)
	edges := []uint64{0, 1, 2, 3, smallest - 1, smallest, smallest + 1, 2*smallest - 1, one - 1, one, one + ulp, f.bits(1.5), f.bits(2),
		f.bits(3), f.bits(0.5), infinity - 1, infinity - 2, infinity, infinity + 1, f.nan, infinity - 1 - smallest, one / 2, (infinity + one) / 2}
	for _, e := range edges[:len(edges):len(edges)] {
		edges = append(edges, e|1<<(width-1))
	}
	return &operands{format: f, edges: edges, random: rand.New(rand.NewPCG(seed, uint64(width)))}
}

func (o *operands) draw() [3]uint64 {
	r, width := o.random, o.format.typ.Bits()
	mask := ^uint64(0) >> (64 - width)
	var p [3]uint64
	switch r.IntN(4) {
	case 0: // any bits
		return [3]uint64{r.Uint64() & mask, r.Uint64() & mask, r.Uint64() & mask}
	case 1: // neighbours in magnitude
		base := r.Uint64() & mask
		for i := range p {
			p[i] = (base + uint64(r.IntN(1<<(o.format.precision/2)))) ^ uint64(r.IntN(2))<<(width-1)
			p[i] &= mask
		}
	case 2: // short significands around 1: exact results and ties
		for i := range p {
			short := math.Ldexp(float64(r.IntN(1<<(o.format.precision/2+1))), r.IntN(12)-o.format.precision/2)
			p[i] = o.format.bits(o.format.round(exact(short+1), fpmath.RN)) ^ uint64(r.IntN(2))<<(width-1)
		}
		p[2] = (p[2] + uint64(r.IntN(3))) & mask
	case 3: // an edge and others
		for i := range p {
			p[i] = r.Uint64() & mask
			if r.IntN(2) == 0 {
				p[i] = o.edges[r.IntN(len(o.edges))]
			}
		}
	}
	return p
}

// each calls test with the cross product of the edge values and with random operands.
func (o *operands) each(arity, random int, test func(p [3]uint64)) {
	second, third := o.edges, o.edges
	if arity < 2 {
		second = []uint64{0}
	}
	if arity < 3 {
		third = []uint64{0}
	}
	for _, a := range o.edges {
		for _, b := range second {
			for _, c := range third {
				test([3]uint64{a, b, c})
			}
		}
	}
	for range random {
		test(o.draw())
	}
}

// equal compares bit patterns without the cost of an assertion per case.
func equal(t *testing.T, want, got uint64, what string, args ...any) {
	if want != got {
		t.Helper()
		require.Failf(t, "wrong result", "%s %#x: want %#x, have %#x", what, args, want, got)
	}
}

func TestReferenceFormats(t *testing.T) {
	require.Equal(t, uint64(0x3c00), f16.bits(1))
	require.Equal(t, uint64(0xfbff), f16.bits(-65504))
	require.Equal(t, uint64(0x0001), f16.bits(0x1p-24))
	require.Equal(t, uint64(0x7f80), bf16.bits(math.Inf(1)))
	require.Equal(t, uint64(0x80000000), f32.bits(math.Copysign(0, -1)))
	require.Equal(t, float64(math.MaxFloat32), f32.value(0x7f7fffff))
	require.Equal(t, 0x1p-1074, f64.value(1))
	require.Equal(t, 65504.0, f16.round(big.NewFloat(1e9), fpmath.RZ))
	require.Equal(t, math.Inf(1), f16.round(big.NewFloat(65520), fpmath.RN))
}
