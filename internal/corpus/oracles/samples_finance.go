package main

import (
	"math"
	"math/bits"

	"github.com/tandem-go/tandem/cuda"
)

func financeFiles(cs makeFile, _ addTo) []file {
	return []file{
		cs("BlackScholes/BlackScholes.cu", check{"BlackScholesGPU", blackScholes}),
		cs("binomialOptions/binomialOptions_kernel.cu", check{"binomialOptionsKernel", binomialOptions}),
		cs("quasirandomGenerator/quasirandomGenerator_kernel.cu", check{"quasirandomGeneratorKernel", quasirandom}, check{"inverseCNDKernel", inverseNormal}),
		cs("SobolQRNG/sobol_gpu.cu", check{"sobolGPU_kernel", sobol}),
	}
}

// normal is the cumulative normal distribution, normalDensity its derivative.
func normal(x float64) float64        { return math.Erfc(-x/math.Sqrt2) / 2 }
func normalDensity(x float64) float64 { return math.Exp(-x*x/2) / math.Sqrt(2*math.Pi) }

// blackScholes prices European options. The kernel's polynomial for the normal distribution is within 7.5e-8 (Abramowitz and
// Stegun, 26.2.17), and its fast logarithm within 2^-21 of the logarithm of a quotient near one; both are in the bound, with
// 32 roundings.
func blackScholes(r *run) {
	const n = 600
	spot, strike, years := between[float32](r, n, 5, 30), between[float32](r, n, 5, 30), between[float32](r, n, 0.25, 10)
	rate, volatility := float32(0.02), float32(0.3)
	call, put := room(r, "call", n, float32(-1e6)), room(r, "put", n, float32(-1e6))
	r.launch("BlackScholesGPU", cuda.Blocks(n/2, 128), cuda.D1(128), call, put, give(r, "stock", spot), give(r, "strike", strike),
		give(r, "years", years), rate, volatility, n)
	prices := func(i int) (c, p approx) {
		s, x, t := float64(spot[i]), float64(strike[i]), float64(years[i])
		v := float64(volatility) * math.Sqrt(t)
		d1 := (math.Log(s/x) + (float64(rate)+float64(volatility)*float64(volatility)/2)*t) / v
		d2 := d1 - v
		df := math.Exp(-float64(rate) * t)
		slip := 0x1p-21/v + 8*0x1p-24*(math.Abs(d1)+v)
		e := (s+x)*(7.5e-8+32*0x1p-24) + slip*(s*normalDensity(d1)+x*normalDensity(d2))
		c.v, c.e = s*normal(d1)-x*df*normal(d2), e
		p.v, p.e = x*df*normal(-d2)-s*normal(-d1), e
		return c, p
	}
	within(r, call, table(n, func(i int) approx { c, _ := prices(i); return c }))
	within(r, put, table(n, func(i int) approx { _, p := prices(i); return p }))
}

// binomialOptions goes back through a tree of 2048 steps.
func binomialOptions(r *run) {
	const options, steps = 2, 2048
	data := []float32{
		20, 18, 0.005, 0.5012, 0.4987, // price, strike, logarithm of a step, discounted probabilities up and down
		12, 15, 0.007, 0.4993, 0.5005,
	}
	set(r, "d_OptionData", data)
	r.launch("binomialOptionsKernel", cuda.D1(options), cuda.D1(128))
	got := give(r, "d_CallValue", read[float32](r, "d_CallValue", options))
	got.was = make([]float32, options)
	f := single
	within(r, got, table(options, func(o int) approx {
		s, x, dt, up, down := lift(data[5*o]), lift(data[5*o+1]), lift(data[5*o+2]), lift(data[5*o+3]), lift(data[5*o+4])
		call := make([]approx, steps+1)
		for i := range call {
			power := f.mul(dt, lift(float32(2*i-steps)))
			// __expf: 2 + 1.16·|x| units in the last place
			call[i] = f.sub(f.mul(s, f.apply(math.Exp, power, 4+2.4*math.Abs(power.v))), x)
			call[i].v = max(call[i].v, 0)
		}
		for n := steps; n > 0; n-- {
			for i := range n {
				call[i] = f.add(f.mul(up, call[i+1]), f.mul(down, call[i]))
			}
		}
		return call[0]
	}))
}

// quasirandom: each number is the exclusive or of table entries that the bits of its index choose.
func quasirandom(r *run) {
	const dimensions, resolution, n, seed = 3, 31, 1000, 12345
	directions := integers[uint32](r, dimensions*resolution, 1<<31)
	set(r, "c_Table", directions)
	d := room(r, "d_Output", dimensions*n, float32(-1))
	r.launch("quasirandomGeneratorKernel", cuda.D1(2), cuda.D2(128, dimensions), d, seed, n)
	scale := float32(1) / float32(0x80000001)
	d.exact(r, table(dimensions*n, func(i int) float32 {
		x := uint32(0)
		for bit := range resolution {
			if (seed+i%n)>>bit&1 != 0 {
				x ^= directions[i/n*resolution+bit]
			}
		}
		return float32(x+1) * scale
	}))
}

// inverseNormal: the quantile of the normal distribution. Moro's approximation is within 3e-9; the fast logarithms within
// 2^-21 each, the outer through a polynomial with a slope below 1.4; the probability is known to a few roundings, which the
// density divides.
func inverseNormal(r *run) {
	const n = 1000
	in := integers[uint32](r, n, 1<<32)
	d := room(r, "d_Output", n, float32(1e6))
	r.launch("inverseCNDKernel", cuda.D1(3), cuda.D1(128), d, give(r, "d_Input", in), n)
	within(r, d, table(n, func(i int) approx {
		// The lower half is computed, and mirrored.
		x, sign := in[i], 1.0
		if x >= 1<<31 {
			x, sign = ^x, -1
		}
		p := (float64(x) + 0.5) / math.MaxUint32
		z := -math.Sqrt2 * math.Erfcinv(2*p)
		return approx{sign * z, 3e-9 + 4*0x1p-24*max(p, 0x1p-32)/normalDensity(z) + 0x1p-24/normalDensity(z)*math.Abs(0.5-p) + 40*0x1p-24*(1+math.Abs(z)) + 2*1.4*0x1p-21}
	}))
}

// sobol: the exclusive or of the directions that the Gray code of the index chooses.
func sobol(r *run) {
	const vectors, dimensions, blocks, threads = 3000, 3, 4, 64
	directions := integers[uint32](r, dimensions*32, 1<<32)
	d := room(r, "d_output", vectors*dimensions, float32(-1))
	r.launch("sobolGPU_kernel", cuda.D2(blocks, dimensions), cuda.D1(threads), vectors, dimensions, give(r, "d_directions", directions), d)
	d.exact(r, table(vectors*dimensions, func(i int) float32 {
		v := uint32(i % vectors)
		x := uint32(0)
		for gray := v ^ v>>1; gray != 0; gray &= gray - 1 {
			x ^= directions[i/vectors*32+bits.TrailingZeros32(gray)]
		}
		return float32(x) * float32(2.3283064e-10)
	}))
}
