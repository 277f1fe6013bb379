package main

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// kernel is one of the kernels of the comparison.
type kernel struct {
	name string
	// problem makes it ready to run: at full size, or small for tests.
	problem func(rng *rand.Rand, small bool) *problem
	plain   func(g *plain)
	// asked is what is asked of the ratio to PoCL's best and default method, and to C; 0: nothing by itself.
	asked asked
}

type asked struct {
	best, pocl float64 // times faster than PoCL, at least
	c          float64 // times as long as C, at most
}

var kernels = []kernel{
	{"saxpy", saxpyProblem, saxpyPlain, asked{1.5, 0, 1.1}},
	{"vecadd", vecaddProblem, vecaddPlain, asked{1.5, 0, 1.1}},
	{"nbody", nbodyProblem, nbodyPlain, asked{10, 0, 1.25}},
	{"mandelbrot", mandelbrotProblem, mandelbrotPlain, asked{10, 0, 1.5}},
	{"reduce", reduceProblem, reducePlain, asked{1.5, 5, 0}},
	{"matmul", matmulProblem, matmulPlain, asked{5, 10, 0}},
	{"stencil2d", stencilProblem, stencilPlain, asked{2, 0, 1.1}},
	{"blackscholes", blackscholesProblem, blackscholesPlain, asked{2, 0, 0}},
	{"histogram", histogramProblem, histogramPlain, asked{2, 0, 0}},
	{"scan", scanProblem, scanPlain, asked{2, 0, 0}},
	{"transpose", transposeProblem, transposePlain, asked{2, 0, 0}},
	{"spmv_csr", spmvProblem, spmvPlain, asked{1, 0, 0}},
	{"conv1d", convProblem, convPlain, asked{2, 0, 0}},
	{"montecarlo", montecarloProblem, montecarloPlain, asked{2, 0, 0}},
	{"sgemm", sgemmProblem, matmulPlain, asked{2, 0, 0}},
	{"fft1024", fftProblem, fftPlain, asked{2, 0, 0}},
	{"bitonic", bitonicProblem, bitonicPlain, asked{2, 0, 0}},
	{"nbody64", nbody64Problem, nbody64Plain, asked{2, 0, 0}},
}

// size chooses between the size that is measured and that of tests.
func size[T any](small bool, large, little T) T {
	if small {
		return little
	}
	return large
}

func floats(rng *rand.Rand, n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = rng.Float32()
	}
	return s
}

const (
	eps32 = 1.0 / (1 << 24) // half a unit in the last place of a float32 in [1, 2)
	eps64 = 1.0 / (1 << 53)
)

// near reports that have is not within bound of want.
func near(what string, i int, have, want, bound float64) error {
	if d := math.Abs(have - want); !(d <= bound) {
		return fmt.Errorf("%s %d: have %v, want %v within %.3g", what, i, have, want, bound)
	}
	return nil
}

// some calls f for all of 0 to n if these are few, else for a part of them: the ends and every step-th.
func some(n, count int, f func(i int) error) error {
	step := max(n/count, 1)
	if step > 1 {
		step |= 1 // so that all places in a block are met
	}
	for i := 0; i < n; i += step {
		if err := f(i); err != nil {
			return err
		}
	}
	return f(n - 1)
}

func flat(blocks int) [3]int { return [3]int{blocks, 1, 1} }

func saxpyProblem(rng *rand.Rand, small bool) *problem {
	n := size(small, 1<<24, 1<<12) - 3
	x, y, a := floats(rng, n), floats(rng, n), float32(1.5)
	return &problem{
		kernel: "saxpy", grid: flat((n + 255) / 256), block: flat(256),
		buffers: []buffer{holding(x), holding(y)}, args: []any{int32(n), a, ref(0), ref(1)}, outputs: []int{1},
		flops: 2 * float64(n), bytes: 12 * float64(n),
		check: func(got map[int]any) error {
			for i, v := range got[1].([]float32) {
				// Two roundings, or one with a fused multiply-add.
				want := float64(a)*float64(x[i]) + float64(y[i])
				if err := near("y", i, float64(v), want, 2*eps32*(math.Abs(float64(a*x[i]))+math.Abs(want))); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func saxpyPlain(g *plain) {
	a, xs, ys := g.float(1), g.f32(2), g.f32(3)
	split(g.int(0), func(lo, hi int) {
		x, y := xs[lo:hi], ys[lo:hi]
		for i := range y {
			y[i] += a * x[i]
		}
	})
}

func vecaddProblem(rng *rand.Rand, small bool) *problem {
	n := size(small, 1<<24, 1<<12) - 3
	a, b := floats(rng, n), floats(rng, n)
	return &problem{
		kernel: "vecadd", grid: flat((n + 255) / 256), block: flat(256),
		buffers: []buffer{holding(a), holding(b), room("float32", n)}, args: []any{int32(n), ref(0), ref(1), ref(2)}, outputs: []int{2},
		flops: float64(n), bytes: 12 * float64(n),
		check: func(got map[int]any) error {
			for i, v := range got[2].([]float32) {
				if v != a[i]+b[i] {
					return fmt.Errorf("c %d: have %v, want %v", i, v, a[i]+b[i])
				}
			}
			return nil
		},
	}
}

func vecaddPlain(g *plain) {
	as, bs, cs := g.f32(1), g.f32(2), g.f32(3)
	split(g.int(0), func(lo, hi int) {
		a, b, c := as[lo:hi], bs[lo:hi], cs[lo:hi]
		for i := range c {
			c[i] = a[i] + b[i]
		}
	})
}

func nbodyProblem(rng *rand.Rand, small bool) *problem {
	n := size(small, 1<<14, 1<<9)
	p := floats(rng, 4*n)
	return &problem{
		kernel: "nbody", grid: flat(n / 256), block: flat(256),
		buffers: []buffer{holding(p), room("float32", 4*n)}, args: []any{int32(n), ref(0), ref(1)}, outputs: []int{1},
		flops: 20 * float64(n) * float64(n), bytes: 32 * float64(n),
		check: func(got map[int]any) error {
			have := got[1].([]float32)
			return some(n, 100, func(i int) error {
				var sum, mag [3]float64
				for j := range n {
					var d [3]float64
					r2 := 1e-3
					for k := range 3 {
						d[k] = float64(p[4*j+k]) - float64(p[4*i+k])
						r2 += d[k] * d[k]
					}
					s := float64(p[4*j+3]) / (r2 * math.Sqrt(r2))
					for k := range 3 {
						sum[k] += d[k] * s
						mag[k] += math.Abs(d[k] * s)
					}
				}
				for k := range 3 {
					// Each term has about ten roundings and rsqrt's two units, tripled by its cube; n additions at most.
					bound := (30 + 2*math.Sqrt(float64(n))) * eps32 * mag[k]
					if err := near("acceleration", 4*i+k, float64(have[4*i+k]), sum[k], bound); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

func nbodyPlain(g *plain) {
	p, out := g.f32(1), g.f32(2)
	each(g.int(0), func(i int) {
		xi, yi, zi := p[4*i], p[4*i+1], p[4*i+2]
		var ax, ay, az float32
		for j := 0; j+3 < len(p); j += 4 {
			dx, dy, dz := p[j]-xi, p[j+1]-yi, p[j+2]-zi
			r2 := dx*dx + dy*dy + dz*dz + 1e-3
			inv := 1 / float32(math.Sqrt(float64(r2)))
			s := p[j+3] * inv * inv * inv
			ax += dx * s
			ay += dy * s
			az += dz * s
		}
		out[4*i], out[4*i+1], out[4*i+2], out[4*i+3] = ax, ay, az, 0
	})
}

func mandelbrotProblem(_ *rand.Rand, small bool) *problem {
	w := size(small, 2048, 64)
	h, limit := w, 256
	x0, y0, d := float32(-2), float32(-1.5), 3/float32(w)
	return &problem{
		kernel: "mandelbrot", grid: [3]int{w / 32, h / 8, 1}, block: [3]int{32, 8, 1},
		buffers: []buffer{room("int32", w*h)},
		args:    []any{int32(w), int32(h), int32(limit), x0, y0, d, d, ref(0)}, outputs: []int{0},
		bytes: 4 * float64(w*h), flops: 8 * mandelbrotSteps(w, h, limit, x0, y0, d),
		check: func(got map[int]any) error {
			// The orbit of a point near the border of the set depends on how its steps are rounded; few points are so near.
			odd := 0
			have := got[0].([]int32)
			for py := range h {
				for px := range w {
					want := orbit(x0+float32(px)*d, y0+float32(py)*d, limit)
					if have[py*w+px] != want {
						odd++
					}
					if v := have[py*w+px]; v < 0 || v > int32(limit) {
						return fmt.Errorf("point %d,%d: %d steps", px, py, v)
					}
				}
			}
			if odd > w*h/100 {
				return fmt.Errorf("%d of %d points differ", odd, w*h)
			}
			return nil
		},
	}
}

// orbit is how many steps a point of the Mandelbrot set takes to leave the circle of radius 2.
func orbit(cx, cy float32, limit int) int32 {
	var x, y float32
	i := 0
	for i < limit && x*x+y*y <= 4 {
		x, y = x*x-y*y+cx, 2*x*y+cy
		i++
	}
	return int32(i)
}

func mandelbrotSteps(w, h, limit int, x0, y0, d float32) (n float64) {
	for py := range h {
		for px := 0; px < w; px += 8 {
			n += 8 * float64(orbit(x0+float32(px)*d, y0+float32(py)*d, limit))
		}
	}
	return n
}

func mandelbrotPlain(g *plain) {
	w, limit, out := g.int(0), g.int(2), g.i32(7)
	each(g.int(1), func(py int) {
		for px := range w {
			out[py*w+px] = orbit(g.float(3)+float32(px)*g.float(5), g.float(4)+float32(py)*g.float(6), limit)
		}
	})
}

func reduceProblem(rng *rand.Rand, small bool) *problem {
	n := size(small, 1<<24, 1<<12) - 3
	in, blocks := floats(rng, n), (n+255)/256
	return &problem{
		kernel: "reduce", grid: flat(blocks), block: flat(256),
		buffers: []buffer{holding(in), room("float32", blocks)}, args: []any{int32(n), ref(0), ref(1)}, outputs: []int{1},
		flops: float64(n), bytes: 4 * float64(n),
		check: func(got map[int]any) error {
			for b, v := range got[1].([]float32) {
				sum := 0.0
				for _, x := range in[256*b : min(256*b+256, n)] {
					sum += float64(x)
				}
				// A tree has eight roundings on the way to the sum; in any order there are 255.
				if err := near("sum", b, float64(v), sum, 256*eps32*sum); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func reducePlain(g *plain) {
	in, out := g.f32(1), g.f32(2)
	g.blocks(func(b int) {
		var s float32
		for _, v := range in[b*256 : min(b*256+256, g.int(0))] {
			s += v
		}
		out[b] = s
	})
}

// product is the problem of a kernel that multiplies n by n matrices.
func product(rng *rand.Rand, name string, n, tile int, block [3]int) *problem {
	a, b := floats(rng, n*n), floats(rng, n*n)
	return &problem{
		kernel: name, grid: [3]int{n / tile, n / tile, 1}, block: block,
		buffers: []buffer{holding(a), holding(b), room("float32", n*n)},
		args:    []any{int32(n), ref(0), ref(1), ref(2)}, outputs: []int{2},
		flops: 2 * float64(n) * float64(n) * float64(n), bytes: 12 * float64(n*n),
		check: func(got map[int]any) error {
			have := got[2].([]float32)
			return some(n*n, 20000, func(i int) error {
				row, col, sum := i/n, i%n, 0.0
				for k := range n {
					sum += float64(a[row*n+k]) * float64(b[k*n+col])
				}
				return near("element", i, float64(have[i]), sum, float64(n)*eps32*sum) // all terms are positive
			})
		},
	}
}

func matmulProblem(rng *rand.Rand, small bool) *problem {
	return product(rng, "matmul", size(small, 1024, 64), 16, [3]int{16, 16, 1})
}

func matmulPlain(g *plain) {
	n, a, b, c := g.int(0), g.f32(1), g.f32(2), g.f32(3)
	each(n, func(i int) {
		row := c[i*n : i*n+n]
		clear(row)
		for k := range n {
			x, bs := a[i*n+k], b[k*n:k*n+n]
			for j := range row {
				row[j] += x * bs[j]
			}
		}
	})
}
