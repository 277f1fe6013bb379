package main

import (
	"context"
	_ "embed"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/hostpar/hetero"
)

//go:embed kernels.cu
var source string

// job is one kernel at one size.
type job struct {
	name  string
	bytes int  // that it reads and writes
	light bool // it computes so little that memory bounds it
	items int
	grid  hetero.Grid
	args  func() []hetero.Arg // without the first, waste
	body  func(c hetero.Chunk)
	check func() error
}

// pace makes a device slower: operations wasted by each item of the CUDA form, seconds spun by each item of the Go body.
type pace struct {
	waste int32
	spin  float64
}

// kernel is the job for package hetero.
func (j *job) kernel(p *pace) *hetero.Kernel {
	k, err := hetero.NewKernel(j.name, hetero.CUDA(source, j.name, cuda.CompileConfig{}),
		hetero.GoChunk(func(ctx context.Context, c hetero.Chunk) error {
			begin := time.Now()
			// In pieces of about 50 µs would be finer; a chunk is cut by the scheduler already.
			j.body(c)
			for end := time.Duration(p.spin * float64(c.Hi-c.Lo) * 1e9); time.Since(begin) < end; {
				if ctx.Err() != nil {
					break
				}
			}
			return nil
		}))
	must(err)
	return k
}

// floats are numbers from lo to hi.
func floats(n int, lo, hi float32) []float32 {
	r, out := rand.New(rand.NewPCG(1, uint64(n))), make([]float32, n)
	for i := range out {
		out[i] = lo + (hi-lo)*r.Float32()
	}
	return out
}

func near(name string, got, want, tolerance float64) error {
	if math.Abs(got-want) > tolerance*(1+math.Abs(want)) {
		return fmt.Errorf("%s: %g, want %g", name, got, want)
	}
	return nil
}

// jobs are six kernels at some of five sizes, which make about 30 µs, 300 µs, 3 ms, 30 ms and 120 ms of work for one worker.
func jobs(sizes []int) (out []*job) {
	for _, s := range sizes {
		out = append(out, saxpy(s), stencil(s), mandelbrot(s), nbody(s), histogram(s), blackScholes(s))
	}
	return out
}

var saxpySizes = [5]int{1 << 16, 1 << 19, 1 << 22, 1 << 25, 1 << 27}

func saxpy(s int) *job { return saxpyOf(saxpySizes[s]) }

func saxpyOf(n int) *job {
	x, y := floats(n, -1, 1), make([]float32, n)
	return &job{name: "saxpy", bytes: 8 * n, light: true, items: n, grid: hetero.Grid1(n, 256),
		args: func() []hetero.Arg {
			return []hetero.Arg{hetero.Total[int32](), hetero.Val(float32(2)), hetero.In(x, hetero.Rows(1)), hetero.Out(y, hetero.Rows(1))}
		},
		body: func(c hetero.Chunk) {
			for i := c.Lo; i < c.Hi; i++ {
				y[i] = 2*x[i] + 0.5*float32(i)
			}
		},
		check: func() error { return near("saxpy", float64(y[n-1]), float64(2*x[n-1]+0.5*float32(n-1)), 1e-6) },
	}
}

func stencil(s int) *job {
	w, h := 512, []int{64, 512, 4096, 32768, 131072}[s]
	in, out := floats(w*h, -1, 1), make([]float32, w*h)
	return &job{name: "stencil", bytes: 8 * w * h, light: true, items: h, grid: hetero.Grid{N: cuda.D2(w, h), Block: cuda.D2(128, 1)},
		args: func() []hetero.Arg {
			return []hetero.Arg{hetero.Val(int32(w)), hetero.Total[int32](), hetero.In(in, hetero.Rows(w).Halo(1, 1, hetero.Stop)), hetero.Out(out, hetero.Rows(w))}
		},
		body: func(c hetero.Chunk) {
			for y := c.Lo; y < c.Hi; y++ {
				at, up, down := in[y*w:(y+1)*w], in[max(y-1, 0)*w:], in[min(y+1, h-1)*w:]
				to := out[y*w : (y+1)*w]
				for x := range to {
					to[x] = 0.2 * (at[x] + at[max(x-1, 0)] + at[min(x+1, w-1)] + up[x] + down[x])
				}
			}
		},
		check: func() error {
			return near("stencil", float64(out[0]), 0.2*float64(3*in[0]+in[1]+in[w]), 1e-5)
		},
	}
}

var mandelbrotSizes = [5]int{32, 256, 2048, 16384, 131072}

func mandelbrot(s int) *job {
	w, h, most := 128, mandelbrotSizes[s], 64
	out := make([]int32, w*h)
	return &job{name: "mandelbrot", bytes: 4 * w * h, items: h, grid: hetero.Grid{N: cuda.D2(w, h), Block: cuda.D2(128, 1)},
		args: func() []hetero.Arg {
			return []hetero.Arg{hetero.Val(int32(w)), hetero.Total[int32](), hetero.Val(int32(most)), hetero.Out(out, hetero.Rows(w))}
		},
		body: func(c hetero.Chunk) {
			for y := c.Lo; y < c.Hi; y++ {
				for x := range w {
					cr, ci, zr, zi := 3*float32(x)/float32(w)-2, 2*float32(y)/float32(h)-1, float32(0), float32(0)
					n := 0
					for ; n < most && zr*zr+zi*zi < 4; n++ {
						zr, zi = zr*zr-zi*zi+cr, 2*zr*zi+ci
					}
					out[y*w+x] = int32(n)
				}
			}
		},
		check: func() error { return near("mandelbrot", float64(out[h/2*w+2*w/3]), float64(most), 0) },
	}
}

func nbody(s int) *job {
	n := []int{256, 768, 2304, 6912, 13824}[s]
	p, a := floats(3*n, -1, 1), make([]float32, 3*n)
	one := func(i int) (ax, ay, az float32) {
		x, y, z := p[3*i], p[3*i+1], p[3*i+2]
		for j := 0; j < len(p); j += 3 {
			dx, dy, dz := p[j]-x, p[j+1]-y, p[j+2]-z
			s := 1 / float32(math.Sqrt(float64(dx*dx+dy*dy+dz*dz+0.01)))
			s = s * s * s
			ax, ay, az = ax+dx*s, ay+dy*s, az+dz*s
		}
		return
	}
	return &job{name: "nbody", bytes: 24 * n, items: n, grid: hetero.Grid1(n, 32),
		args: func() []hetero.Arg {
			return []hetero.Arg{hetero.Total[int32](), hetero.In(p, hetero.Replicate()), hetero.Out(a, hetero.Rows(3))}
		},
		body: func(c hetero.Chunk) {
			for i := c.Lo; i < c.Hi; i++ {
				a[3*i], a[3*i+1], a[3*i+2] = one(i)
			}
		},
		check: func() error { ax, _, _ := one(n - 1); return near("nbody", float64(a[3*n-3]), float64(ax), 1e-2) },
	}
}

func histogram(s int) *job {
	n := []int{1 << 16, 1 << 19, 1 << 22, 1 << 25, 1 << 27}[s]
	data, bins := make([]uint8, n), make([]uint32, 256)
	want := make([]uint32, 256)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range data {
		data[i] = uint8(r.Uint32())
		want[data[i]]++
	}
	items := (n + 63) / 64 // threads; an item is 64 values
	acc := hetero.Accum(bins, hetero.Sum[uint32]())
	return &job{name: "histogram", bytes: n, items: items, grid: hetero.Grid1(items, 64),
		args: func() []hetero.Arg {
			return []hetero.Arg{hetero.Val(int32(n)), hetero.In(data, hetero.Rows(64)), acc}
		},
		body: func(c hetero.Chunk) {
			local := acc.Local(c)
			for _, v := range data[c.Lo*64 : min(c.Hi*64, n)] {
				local[v]++
			}
		},
		check: func() error {
			for i := range want {
				if want[i] != bins[i] {
					return fmt.Errorf("histogram: bin %d has %d, want %d", i, bins[i], want[i])
				}
			}
			return nil
		},
	}
}

func blackScholes(s int) *job {
	n := []int{1 << 12, 1 << 15, 1 << 18, 1 << 21, 1 << 24}[s]
	spot, call := floats(n, 50, 150), make([]float32, n)
	one := func(i int) float32 {
		const k, r, v, t = 100, 0.02, 0.3, 1.5
		root := v * math.Sqrt(t)
		normal := func(d float64) float64 { return 0.5 * math.Erfc(-d*math.Sqrt2/2) }
		x := float64(spot[i])
		d := (math.Log(x/k) + (r+0.5*v*v)*t) / root
		return float32(x*normal(d) - k*math.Exp(-r*t)*normal(d-root))
	}
	return &job{name: "blackscholes", bytes: 8 * n, items: n, grid: hetero.Grid1(n, 128),
		args: func() []hetero.Arg {
			return []hetero.Arg{hetero.Total[int32](), hetero.In(spot, hetero.Rows(1)), hetero.Out(call, hetero.Rows(1))}
		},
		body: func(c hetero.Chunk) {
			for i := c.Lo; i < c.Hi; i++ {
				call[i] = one(i)
			}
		},
		check: func() error { return near("blackscholes", float64(call[n-1]), float64(one(n-1)), 1e-3) },
	}
}
