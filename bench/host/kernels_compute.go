package main

import (
	"math"
	"math/rand/v2"
)

// The kernels here compute more than they move data.

func blackscholesProblem(rng *rand.Rand, small bool) *problem {
	n := size(small, 1<<22, 1<<12) - 7
	price, strike, years := floats(rng, n), floats(rng, n), floats(rng, n)
	for i := range price {
		price[i], strike[i], years[i] = 5+25*price[i], 1+99*strike[i], 0.25+9.75*years[i]
	}
	const rate, volatility = float32(0.02), float32(0.30)
	return &problem{
		kernel: "blackscholes", grid: flat((n + 255) / 256), block: flat(256),
		buffers: []buffer{holding(price), holding(strike), holding(years), room("float32", n), room("float32", n)},
		args:    []any{int32(n), rate, volatility, ref(0), ref(1), ref(2), ref(3), ref(4)}, outputs: []int{3, 4},
		flops: 60 * float64(n), bytes: 20 * float64(n),
		check: func(got map[int]any) error {
			calls, puts := got[3].([]float32), got[4].([]float32)
			for i := range calls {
				s, x := float64(price[i]), float64(strike[i])
				call, put := option(s, x, float64(years[i]), float64(rate), float64(volatility))
				// Both are differences of parts of price and strike, times a normal distribution whose own argument has an error
				// of about ten units relative to it, and 7.5e-8 of the formula.
				bound := (s + x) * (7.5e-8 + 32*eps32)
				if err := near("call", i, float64(calls[i]), call, bound); err != nil {
					return err
				}
				if err := near("put", i, float64(puts[i]), put, bound); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// option is the value of a call and a put.
func option(s, x, t, rate, volatility float64) (call, put float64) {
	root := volatility * math.Sqrt(t)
	d1 := (math.Log(s/x) + (rate+volatility*volatility/2)*t) / root
	n1, n2 := math.Erfc(-d1/math.Sqrt2)/2, math.Erfc(-(d1-root)/math.Sqrt2)/2
	discounted := x * math.Exp(-rate*t)
	return s*n1 - discounted*n2, discounted*(1-n2) - s*(1-n1)
}

// normal is formula 26.2.17 of Abramowitz and Stegun.
func normal(d float32) float32 {
	k := 1 / (1 + 0.2316419*float32(math.Abs(float64(d))))
	p := 0.39894228 * float32(math.Exp(float64(-0.5*d*d))) *
		(k * (0.31938153 + k*(-0.356563782+k*(1.781477937+k*(-1.821255978+k*1.330274429)))))
	if d > 0 {
		return 1 - p
	}
	return p
}

func blackscholesPlain(g *plain) {
	rate, volatility := g.float(1), g.float(2)
	price, strike, years, calls, puts := g.f32(3), g.f32(4), g.f32(5), g.f32(6), g.f32(7)
	split(g.int(0), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			s, x, t := price[i], strike[i], years[i]
			root := float32(math.Sqrt(float64(t)))
			d1 := (float32(math.Log(float64(s/x))) + (rate+0.5*volatility*volatility)*t) / (volatility * root)
			n1, n2 := normal(d1), normal(d1-volatility*root)
			discounted := x * float32(math.Exp(float64(-rate*t)))
			calls[i] = s*n1 - discounted*n2
			puts[i] = discounted*(1-n2) - s*(1-n1)
		}
	})
}

// random is the thread's first number, and xorshift the next after s.
func random(seed, i int) uint32 { return (uint32(seed) ^ uint32(i)*2654435761) | 1 }

func xorshift(s uint32) uint32 {
	s ^= s << 13
	s ^= s >> 17
	return s ^ s<<5
}

func montecarloProblem(rng *rand.Rand, small bool) *problem {
	n, steps := size(small, 1<<18, 1<<10), size(small, 256, 32)
	seed := rng.Int32N(1 << 24)
	return &problem{
		kernel: "montecarlo", grid: flat(n / 256), block: flat(256),
		buffers: []buffer{room("float32", n)}, args: []any{int32(n), int32(steps), seed, ref(0)}, outputs: []int{0},
		flops: 20 * float64(n) * float64(steps), bytes: 4 * float64(n),
		check: func(got map[int]any) error {
			have := got[0].([]float32)
			return some(n, 5000, func(i int) error {
				s, sum := random(int(seed), i), 0.0
				for range steps {
					s = xorshift(s)
					u := float64(s>>8) / (1 << 24)
					sum += math.Exp(-u * u)
				}
				// Each term has about six units of error, and each addition half a unit of the sum.
				return near("mean", i, float64(have[i]), sum/float64(steps), (12+float64(steps))*eps32*sum/float64(steps))
			})
		},
	}
}

func montecarloPlain(g *plain) {
	steps, seed, out := g.int(1), g.int(2), g.f32(3)
	each(g.int(0), func(i int) {
		s := random(seed, i)
		var sum float32
		for range steps {
			s = xorshift(s)
			u := float32(s>>8) * (1.0 / (1 << 24))
			sum += float32(math.Exp(float64(-u * u)))
		}
		out[i] = sum / float32(steps)
	})
}

func sgemmProblem(rng *rand.Rand, small bool) *problem {
	return product(rng, "sgemm", size(small, 1024, 128), 64, [3]int{16, 16, 1})
}

func nbody64Problem(rng *rand.Rand, small bool) *problem {
	n := size(small, 1<<12, 1<<9)
	p := make([]float64, 4*n)
	for i := range p {
		p[i] = rng.Float64()
	}
	return &problem{
		kernel: "nbody64", grid: flat(n / 256), block: flat(256),
		buffers: []buffer{holding(p), room("float64", 4*n)}, args: []any{int32(n), ref(0), ref(1)}, outputs: []int{1},
		flops: 20 * float64(n) * float64(n), bytes: 64 * float64(n),
		check: func(got map[int]any) error {
			have := got[1].([]float64)
			return some(n, 100, func(i int) error { return nbody64Body(p, have, i) })
		},
	}
}

// nbody64Body checks one body. The sums here have roundings of the same size as those that are checked.
func nbody64Body(p, have []float64, i int) error {
	var sum, mag [3]float64
	for j := 0; j < len(p); j += 4 {
		var d [3]float64
		r2 := 1e-3
		for k := range 3 {
			d[k] = p[j+k] - p[4*i+k]
			r2 += d[k] * d[k]
		}
		s := p[j+3] / (r2 * math.Sqrt(r2))
		for k := range 3 {
			sum[k] += d[k] * s
			mag[k] += math.Abs(d[k] * s)
		}
	}
	for k := range 3 {
		bound := (60 + 4*math.Sqrt(float64(len(p)/4))) * eps64 * mag[k]
		if err := near("acceleration", 4*i+k, have[4*i+k], sum[k], bound); err != nil {
			return err
		}
	}
	return nil
}

func nbody64Plain(g *plain) {
	p, out := g.f64(1), g.f64(2)
	each(g.int(0), func(i int) {
		xi, yi, zi := p[4*i], p[4*i+1], p[4*i+2]
		var ax, ay, az float64
		for j := 0; j+3 < len(p); j += 4 {
			dx, dy, dz := p[j]-xi, p[j+1]-yi, p[j+2]-zi
			inv := 1 / math.Sqrt(dx*dx+dy*dy+dz*dz+1e-3)
			s := p[j+3] * inv * inv * inv
			ax += dx * s
			ay += dy * s
			az += dz * s
		}
		out[4*i], out[4*i+1], out[4*i+2], out[4*i+3] = ax, ay, az, 0
	})
}
