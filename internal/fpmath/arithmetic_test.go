package fpmath_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tandem-go/tandem/internal/fpmath"
)

const randomCases = 100_000

func single(b uint64) float32     { return math.Float32frombits(uint32(b)) }
func double(b uint64) float64     { return math.Float64frombits(b) }
func bits32(x float32) uint64     { return uint64(math.Float32bits(x)) }
func rounding(n int) fpmath.Round { return fpmath.Round(n & 3) }

// instruction is an operation as the package offers it, on bit patterns.
type instruction struct {
	operation
	apply func(m modifiers, p [3]uint64) uint64
}

var instructions32 = []instruction{
	{opAdd, func(m modifiers, p [3]uint64) uint64 { return bits32(mode32(m).Add(single(p[0]), single(p[1]))) }},
	{opSub, func(m modifiers, p [3]uint64) uint64 { return bits32(mode32(m).Sub(single(p[0]), single(p[1]))) }},
	{opMul, func(m modifiers, p [3]uint64) uint64 { return bits32(mode32(m).Mul(single(p[0]), single(p[1]))) }},
	{opFma, func(m modifiers, p [3]uint64) uint64 {
		return bits32(mode32(m).Fma(single(p[0]), single(p[1]), single(p[2])))
	}},
	{opDiv, func(m modifiers, p [3]uint64) uint64 { return bits32(mode32(m).Div(single(p[0]), single(p[1]))) }},
	{opRcp, func(m modifiers, p [3]uint64) uint64 { return bits32(mode32(m).Rcp(single(p[0]))) }},
	{opSqrt, func(m modifiers, p [3]uint64) uint64 { return bits32(mode32(m).Sqrt(single(p[0]))) }},
}

func mode32(m modifiers) fpmath.F32 { return fpmath.F32{Round: m.round, FTZ: m.ftz, Sat: m.sat} }

var instructions64 = []instruction{
	{opAdd, func(m modifiers, p [3]uint64) uint64 {
		return math.Float64bits(fpmath.F64{Round: m.round}.Add(double(p[0]), double(p[1])))
	}},
	{opSub, func(m modifiers, p [3]uint64) uint64 {
		return math.Float64bits(fpmath.F64{Round: m.round}.Sub(double(p[0]), double(p[1])))
	}},
	{opMul, func(m modifiers, p [3]uint64) uint64 {
		return math.Float64bits(fpmath.F64{Round: m.round}.Mul(double(p[0]), double(p[1])))
	}},
	{opFma, func(m modifiers, p [3]uint64) uint64 {
		return math.Float64bits(fpmath.F64{Round: m.round}.Fma(double(p[0]), double(p[1]), double(p[2])))
	}},
	{opDiv, func(m modifiers, p [3]uint64) uint64 {
		return math.Float64bits(fpmath.F64{Round: m.round}.Div(double(p[0]), double(p[1])))
	}},
	{opRcp, func(m modifiers, p [3]uint64) uint64 {
		return math.Float64bits(fpmath.F64{Round: m.round}.Rcp(double(p[0])))
	}},
	{opSqrt, func(m modifiers, p [3]uint64) uint64 {
		return math.Float64bits(fpmath.F64{Round: m.round}.Sqrt(double(p[0])))
	}},
}

func mode16(m modifiers) fpmath.F16 { return fpmath.F16{FTZ: m.ftz, Sat: m.sat, ReLU: m.relu} }

var instructions16 = []instruction{
	{opAdd, func(m modifiers, p [3]uint64) uint64 { return uint64(mode16(m).Add(uint16(p[0]), uint16(p[1]))) }},
	{opSub, func(m modifiers, p [3]uint64) uint64 { return uint64(mode16(m).Sub(uint16(p[0]), uint16(p[1]))) }},
	{opMul, func(m modifiers, p [3]uint64) uint64 { return uint64(mode16(m).Mul(uint16(p[0]), uint16(p[1]))) }},
	{opFma, func(m modifiers, p [3]uint64) uint64 {
		return uint64(mode16(m).Fma(uint16(p[0]), uint16(p[1]), uint16(p[2])))
	}},
}

func modeB16(m modifiers) fpmath.BF16 { return fpmath.BF16{ReLU: m.relu} }

var instructionsB16 = []instruction{
	{opAdd, func(m modifiers, p [3]uint64) uint64 { return uint64(modeB16(m).Add(uint16(p[0]), uint16(p[1]))) }},
	{opSub, func(m modifiers, p [3]uint64) uint64 { return uint64(modeB16(m).Sub(uint16(p[0]), uint16(p[1]))) }},
	{opMul, func(m modifiers, p [3]uint64) uint64 { return uint64(modeB16(m).Mul(uint16(p[0]), uint16(p[1]))) }},
	{opFma, func(m modifiers, p [3]uint64) uint64 {
		return uint64(modeB16(m).Fma(uint16(p[0]), uint16(p[1]), uint16(p[2])))
	}},
}

// testInstructions runs every instruction on the cross product of edge values under every modifier of choices, and on
// random operands under choices in turn.
func testInstructions(t *testing.T, f floatFormat, list []instruction, choices []modifiers) {
	for i, in := range list {
		t.Run(in.name, func(t *testing.T) {
			t.Parallel()
			n := 0
			in.check(t, f, newOperands(f, uint64(i)), 0, choices...)
			newOperands(f, uint64(100+i)).each(0, randomCases, func(p [3]uint64) {
				m := choices[n%len(choices)]
				n++
				equal(t, in.expect(f, m, p), in.apply(m, p), in.name, p, m)
			})
		})
	}
}

func (in instruction) check(t *testing.T, f floatFormat, o *operands, random int, choices ...modifiers) {
	for k, m := range choices {
		if in.arity == 3 && k%4 != 0 && len(choices) > 8 {
			continue // the cube of the edge values under a quarter of many choices
		}
		o.each(in.arity, random, func(p [3]uint64) { equal(t, in.expect(f, m, p), in.apply(m, p), in.name, p, m) })
	}
}

func TestF32(t *testing.T) {
	var choices []modifiers
	for i := range 16 {
		choices = append(choices, modifiers{round: rounding(i), ftz: i&4 != 0, sat: i&8 != 0})
	}
	testInstructions(t, f32, instructions32, choices)
}

func TestF64(t *testing.T) {
	testInstructions(t, f64, instructions64, []modifiers{{}, {round: fpmath.RZ}, {round: fpmath.RM}, {round: fpmath.RP}})
}

func TestF16(t *testing.T) {
	testInstructions(t, f16, instructions16, []modifiers{{}, {ftz: true}, {sat: true}, {ftz: true, sat: true}, {relu: true}})
}

func TestBF16(t *testing.T) {
	testInstructions(t, bf16, instructionsB16, []modifiers{{}, {relu: true}})
}

// TestFmaTies aims at the sums that an fma through float64 rounds wrongly: products whose distance from the midpoint of two
// f32 is far below the last bit of float64.
func TestFmaTies(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	n := 0
	for range randomCases {
		// c is one half ulp off a number, a·b is that number's odd multiple of a half ulp away, or a speck.
		exponent := r.IntN(200) - 100
		c := math.Ldexp(float64(1<<23+r.IntN(1<<23)), exponent)
		speck := math.Ldexp(1, exponent-1-r.IntN(3)*r.IntN(70))
		a, b := float32(math.Ldexp(1+float64(r.IntN(2))*0x1p-23, exponent/2)), float32(speck/math.Ldexp(1, exponent/2))
		if r.IntN(2) == 0 {
			b = -b
		}
		if r.IntN(4) == 0 {
			// Subnormal: the product is half an ulp less 2^-46 of itself.
			a, b, c = 0x1p-75*(1+0x1p-23), 0x1p-75*(1-0x1p-23), math.Ldexp(float64(r.IntN(1<<23)), -149)
		}
		p := [3]uint64{bits32(a), bits32(b), bits32(float32(c))}
		m := modifiers{round: rounding(r.IntN(4))}
		want := opFma.expect(f32, m, p)
		equal(t, want, instructions32[3].apply(m, p), "fma", p, m)
		if float32(float64(a)*float64(b)+float64(float32(c))) != single(want) {
			n++
		}
	}
	if n < 100 {
		t.Fatalf("only %d cases that rounding twice gets wrong: the test is too weak", n)
	}
}

// TestPacked checks that the packed forms are the scalar ones on each half.
func TestPacked(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 10))
	for range randomCases {
		a, b, c := r.Uint32(), r.Uint32(), r.Uint32()
		m := fpmath.F16{FTZ: r.IntN(2) == 0, Sat: r.IntN(2) == 0, ReLU: r.IntN(2) == 0}
		m2 := fpmath.F16x2(m)
		n := fpmath.BF16{ReLU: r.IntN(2) == 0}
		n2 := fpmath.BF16x2(n)
		x := fpmath.MinMax{FTZ: m.FTZ, NaN: m.Sat, XorSignAbs: m.ReLU}
		for shift := 0; shift < 32; shift += 16 {
			la, lb, lc := uint16(a>>shift), uint16(b>>shift), uint16(c>>shift)
			half := func(x uint32) uint64 { return uint64(uint16(x >> shift)) }
			equal(t, uint64(m.Add(la, lb)), half(m2.Add(a, b)), "add.f16x2", a, b)
			equal(t, uint64(m.Sub(la, lb)), half(m2.Sub(a, b)), "sub.f16x2", a, b)
			equal(t, uint64(m.Mul(la, lb)), half(m2.Mul(a, b)), "mul.f16x2", a, b)
			equal(t, uint64(m.Fma(la, lb, lc)), half(m2.Fma(a, b, c)), "fma.f16x2", a, b, c)
			equal(t, uint64(m.Neg(la)), half(m2.Neg(a)), "neg.f16x2", a)
			equal(t, uint64(m.Abs(la)), half(m2.Abs(a)), "abs.f16x2", a)
			equal(t, uint64(x.Min16(la, lb)), half(x.Min16x2(a, b)), "min.f16x2", a, b)
			equal(t, uint64(x.Max16(la, lb)), half(x.Max16x2(a, b)), "max.f16x2", a, b)
			equal(t, uint64(n.Add(la, lb)), half(n2.Add(a, b)), "add.bf16x2", a, b)
			equal(t, uint64(n.Sub(la, lb)), half(n2.Sub(a, b)), "sub.bf16x2", a, b)
			equal(t, uint64(n.Mul(la, lb)), half(n2.Mul(a, b)), "mul.bf16x2", a, b)
			equal(t, uint64(n.Fma(la, lb, lc)), half(n2.Fma(a, b, c)), "fma.bf16x2", a, b, c)
		}
	}
}

func BenchmarkF32(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	x := make([]float32, 1024)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	run := func(name string, f func(a, b, c float32) float32) {
		b.Run(name, func(b *testing.B) {
			var sink float32
			for i := range b.N {
				sink += f(x[i&1023], x[(i+7)&1023], x[(i+77)&1023])
			}
			_ = sink
		})
	}
	for _, m := range []fpmath.F32{{}, {Round: fpmath.RM}, {FTZ: true}} {
		suffix := "." + m.Round.String()
		if m.FTZ {
			suffix += ".ftz"
		}
		run("add"+suffix, func(a, b, _ float32) float32 { return m.Add(a, b) })
		run("mul"+suffix, func(a, b, _ float32) float32 { return m.Mul(a, b) })
		run("fma"+suffix, func(a, b, c float32) float32 { return m.Fma(a, b, c) })
		run("div"+suffix, func(a, b, _ float32) float32 { return m.Div(a, b) })
		run("sqrt"+suffix, func(a, _, _ float32) float32 { return m.Sqrt(a) })
	}
	m := fpmath.Approx{}
	run("ex2.approx", func(a, _, _ float32) float32 { return m.Ex2(a) })
	run("lg2.approx", func(a, _, _ float32) float32 { return m.Lg2(a) })
	run("sin.approx", func(a, _, _ float32) float32 { return m.Sin(a) })
	run("rsqrt.approx", func(a, _, _ float32) float32 { return m.Rsqrt(a) })
	run("empty", func(a, b, c float32) float32 { return a })
}

func BenchmarkF64(b *testing.B) {
	x := 1.0
	for _, m := range []fpmath.F64{{}, {Round: fpmath.RM}} {
		b.Run("fma."+m.Round.String(), func(b *testing.B) {
			for range b.N {
				x = m.Fma(x, 0.999, 0.001)
			}
		})
	}
}
