package main

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// The kernels here move data more than they compute.

func stencilProblem(rng *rand.Rand, small bool) *problem {
	w, h := size(small, 4096, 64), size(small, 2048, 32)
	in := floats(rng, w*h)
	return &problem{
		kernel: "stencil2d", grid: [3]int{w / 32, h / 8, 1}, block: [3]int{32, 8, 1},
		buffers: []buffer{holding(in), room("float32", w*h)},
		args:    []any{int32(w), int32(h), ref(0), ref(1)}, outputs: []int{1},
		flops: 5 * float64(w*h), bytes: 8 * float64(w*h),
		check: func(got map[int]any) error {
			for i, v := range got[1].([]float32) {
				x, y := i%w, i/w
				want, bound := float64(in[i]), 0.0
				if x > 0 && y > 0 && x < w-1 && y < h-1 {
					want += float64(in[i-1]) + float64(in[i+1]) + float64(in[i-w]) + float64(in[i+w])
					want *= float64(float32(0.2))
					bound = 6 * eps32 * want // all terms are positive
				}
				if err := near("cell", i, float64(v), want, bound); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func stencilPlain(g *plain) {
	w, h, in, out := g.int(0), g.int(1), g.f32(2), g.f32(3)
	each(h, func(y int) {
		to, row := out[y*w:y*w+w], in[y*w:y*w+w]
		if y == 0 || y == h-1 {
			copy(to, row)
			return
		}
		above, below := in[y*w-w:y*w], in[y*w+w:y*w+2*w]
		to[0], to[w-1] = row[0], row[w-1]
		for x := 1; x < w-1; x++ {
			to[x] = 0.2 * (row[x] + row[x-1] + row[x+1] + above[x] + below[x])
		}
	})
}

func histogramProblem(rng *rand.Rand, small bool) *problem {
	n := size(small, 1<<22, 1<<12) + 77
	data := make([]uint32, n)
	want := make([]uint32, 256)
	for i := range data {
		v := rng.Uint32()
		data[i] = v
		want[v&255]++
		want[v>>8&255]++
		want[v>>16&255]++
		want[v>>24]++
	}
	return &problem{
		kernel: "histogram", grid: flat(size(small, 64, 4)), block: flat(256),
		buffers: []buffer{holding(data), holding(make([]uint32, 256))}, args: []any{int32(n), ref(0), ref(1)}, outputs: []int{1},
		bytes: 4 * float64(n),
		check: func(got map[int]any) error { return equal("bin", got[1].([]uint32), want) },
	}
}

func equal[T comparable](what string, have, want []T) error {
	for i, v := range have {
		if v != want[i] {
			return fmt.Errorf("%s %d: have %v, want %v", what, i, v, want[i])
		}
	}
	return nil
}

func histogramPlain(g *plain) {
	data, bins := g.u32(1), g.u32(2)
	parts := make(chan [256]uint32, 1024)
	split(g.int(0), func(lo, hi int) {
		var s [256]uint32
		for _, v := range data[lo:hi] {
			s[v&255]++
			s[v>>8&255]++
			s[v>>16&255]++
			s[v>>24]++
		}
		parts <- s
	})
	close(parts)
	for s := range parts {
		for i, v := range s {
			bins[i] += v
		}
	}
}

func scanProblem(rng *rand.Rand, small bool) *problem {
	n := size(small, 1<<23, 1<<12) - 5
	blocks := (n + 255) / 256
	in := make([]int32, n)
	sums, totals := make([]int32, n), make([]int32, blocks)
	for i := range in {
		in[i] = rng.Int32N(2000) - 1000
		sums[i] = in[i]
		if i%256 > 0 {
			sums[i] += sums[i-1]
		}
		totals[i/256] = sums[i]
	}
	return &problem{
		kernel: "scan", grid: flat(blocks), block: flat(256),
		buffers: []buffer{holding(in), room("int32", n), room("int32", blocks)},
		args:    []any{int32(n), ref(0), ref(1), ref(2)}, outputs: []int{1, 2},
		flops: float64(n), bytes: 8 * float64(n),
		check: func(got map[int]any) error {
			if err := equal("sum", got[1].([]int32), sums); err != nil {
				return err
			}
			return equal("total", got[2].([]int32), totals)
		},
	}
}

func scanPlain(g *plain) {
	n, in, out, totals := g.int(0), g.i32(1), g.i32(2), g.i32(3)
	g.blocks(func(b int) {
		sum := int32(0)
		for i := b * 256; i < min(b*256+256, n); i++ {
			sum += in[i]
			out[i] = sum
		}
		totals[b] = sum
	})
}

func transposeProblem(rng *rand.Rand, small bool) *problem {
	w, h := size(small, 4096, 96), size(small, 4096, 64)
	in := floats(rng, w*h)
	return &problem{
		kernel: "transpose", grid: [3]int{w / 32, h / 32, 1}, block: [3]int{32, 8, 1},
		buffers: []buffer{holding(in), room("float32", w*h)},
		args:    []any{int32(w), int32(h), ref(0), ref(1)}, outputs: []int{1},
		bytes: 8 * float64(w*h),
		check: func(got map[int]any) error {
			for i, v := range got[1].([]float32) {
				if want := in[i%h*w+i/h]; v != want {
					return fmt.Errorf("element %d: have %v, want %v", i, v, want)
				}
			}
			return nil
		},
	}
}

func transposePlain(g *plain) {
	w, h, in, out := g.int(0), g.int(1), g.f32(2), g.f32(3)
	g.blocks(func(b int) {
		x0, y0 := b%(w/32)*32, b/(w/32)*32
		for x := x0; x < x0+32; x++ {
			to := out[x*h+y0 : x*h+y0+32]
			for y := range to {
				to[y] = in[(y0+y)*w+x]
			}
		}
	})
}

func spmvProblem(rng *rand.Rand, small bool) *problem {
	rows := size(small, 1<<18, 1<<10) - 3
	start := make([]int32, rows+1)
	for i := range rows {
		start[i+1] = start[i] + 16 + rng.Int32N(33)
	}
	n := int(start[rows])
	column, value, x := make([]int32, n), floats(rng, n), floats(rng, rows)
	for i := range column {
		column[i] = rng.Int32N(int32(rows))
	}
	return &problem{
		kernel: "spmv_csr", grid: flat((rows + 255) / 256), block: flat(256),
		buffers: []buffer{holding(start), holding(column), holding(value), holding(x), room("float32", rows)},
		args:    []any{int32(rows), ref(0), ref(1), ref(2), ref(3), ref(4)}, outputs: []int{4},
		flops: 2 * float64(n), bytes: 8*float64(n) + 12*float64(rows),
		check: func(got map[int]any) error {
			for i, v := range got[4].([]float32) {
				sum := 0.0
				for k := start[i]; k < start[i+1]; k++ {
					sum += float64(value[k]) * float64(x[column[k]])
				}
				if err := near("row", i, float64(v), sum, 50*eps32*sum); err != nil { // at most 48 terms, all positive
					return err
				}
			}
			return nil
		},
	}
}

func spmvPlain(g *plain) {
	start, column, value, x, y := g.i32(1), g.i32(2), g.f32(3), g.f32(4), g.f32(5)
	each(g.int(0), func(i int) {
		lo, hi := start[i], start[i+1]
		columns, values := column[lo:hi], value[lo:hi]
		var sum float32
		for k, c := range columns {
			sum += values[k] * x[c]
		}
		y[i] = sum
	})
}

const tapCount = 33

func convProblem(rng *rand.Rand, small bool) *problem {
	n := size(small, 1<<23, 1<<12) - 9
	in, taps := floats(rng, n+tapCount-1), floats(rng, tapCount)
	return &problem{
		kernel: "conv1d", grid: flat((n + 255) / 256), block: flat(256),
		buffers: []buffer{holding(in), room("float32", n), holding(taps)},
		args:    []any{int32(n), ref(0), ref(1)}, globals: []global{{"taps", 2}}, outputs: []int{1},
		flops: 2 * tapCount * float64(n), bytes: 8 * float64(n),
		check: func(got map[int]any) error {
			for i, v := range got[1].([]float32) {
				sum := 0.0
				for k, t := range taps {
					sum += float64(t) * float64(in[i+k])
				}
				if err := near("element", i, float64(v), sum, (tapCount+1)*eps32*sum); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func convPlain(g *plain) {
	in, outs, taps := g.f32(1), g.f32(2), g.f32(3)
	split(g.int(0), func(lo, hi int) {
		out := outs[lo:hi]
		for i := range out {
			from := in[lo+i:][:tapCount]
			var sum float32
			for k, t := range taps[:tapCount] {
				sum += t * from[k]
			}
			out[i] = sum
		}
	})
}

func bitonicProblem(rng *rand.Rand, small bool) *problem {
	n := size(small, 1<<22, 1<<12)
	in := make([]uint32, n)
	for i := range in {
		in[i] = rng.Uint32()
	}
	return &problem{
		kernel: "bitonic", grid: flat(n / 1024), block: flat(512),
		buffers: []buffer{holding(in), room("uint32", n)}, args: []any{ref(0), ref(1)}, outputs: []int{1},
		flops: 55 * float64(n) / 2, bytes: 8 * float64(n), // comparisons
		check: func(got map[int]any) error {
			have := got[1].([]uint32)
			for b := 0; b < n; b += 1024 {
				var xor, sum uint32
				for i, v := range have[b : b+1024] {
					if i > 0 && v < have[b+i-1] {
						return fmt.Errorf("key %d is less than the one before", b+i)
					}
					xor ^= v ^ in[b+i]
					sum += v - in[b+i]
				}
				if xor != 0 || sum != 0 {
					return fmt.Errorf("the keys from %d on are not those of the input", b)
				}
			}
			return nil
		},
	}
}

func bitonicPlain(g *plain) {
	in, out := g.u32(0), g.u32(1)
	g.blocks(func(b int) {
		s := out[b*1024 : b*1024+1024]
		copy(s, in[b*1024:])
		for k := 2; k <= 1024; k <<= 1 {
			for j := k >> 1; j > 0; j >>= 1 {
				for t := range 512 {
					i := 2*t - t&(j-1)
					if a, b := s[i], s[i+j]; a > b == (i&k == 0) {
						s[i], s[i+j] = b, a
					}
				}
			}
		}
	})
}

// fftTable is exp(-2 pi i k / 1024).
func fftTable() []float32 {
	w := make([]float32, 2048)
	for k := range 1024 {
		sin, cos := math.Sincos(-2 * math.Pi * float64(k) / 1024)
		w[2*k], w[2*k+1] = float32(cos), float32(sin)
	}
	return w
}

func fftProblem(rng *rand.Rand, small bool) *problem {
	blocks := size(small, 4096, 3)
	in, w := floats(rng, blocks*2048), fftTable()
	return &problem{
		kernel: "fft1024", grid: flat(blocks), block: flat(256),
		buffers: []buffer{holding(in), room("float32", blocks*2048), holding(w)}, args: []any{ref(0), ref(1), ref(2)}, outputs: []int{1},
		flops: 5 * 1024 * 10 * float64(blocks), bytes: 16 * 1024 * float64(blocks),
		check: func(got map[int]any) error {
			have := got[1].([]float32)
			return some(blocks*1024, 2000, func(i int) error { return fftPoint(in, have, i) })
		},
	}
}

// fftPoint checks one point of a transform against its definition.
func fftPoint(in, have []float32, i int) error {
	x := in[i/1024*2048:][:2048]
	var re, im, mag float64
	for k := range 1024 {
		sin, cos := math.Sincos(-2 * math.Pi * float64(i%1024*k%1024) / 1024)
		a, b := float64(x[2*k]), float64(x[2*k+1])
		re += a*cos - b*sin
		im += a*sin + b*cos
		mag += a*a + b*b
	}
	// The error of a transform of n points is at most about log2(n) units relative to the norm, and each output is at most
	// sqrt(n) norms.
	bound := 4 * 10 * eps32 * math.Sqrt(1024*mag)
	if err := near("real part", i, float64(have[2*i]), re, bound); err != nil {
		return err
	}
	return near("imaginary part", i, float64(have[2*i+1]), im, bound)
}

func fftPlain(g *plain) {
	in, out, w := g.f32(0), g.f32(1), g.f32(2)
	g.blocks(func(b int) {
		var s, d [1024]complex64
		x := in[b*2048:][:2048]
		for i := range s {
			s[i] = complex(x[2*i], x[2*i+1])
		}
		from, to := &s, &d
		for p := 1; p <= 256; p *= 4 {
			fftPass(from, to, p, w)
			from, to = to, from
		}
		y := out[b*2048:][:2048]
		for i, v := range from {
			y[2*i], y[2*i+1] = real(v), imag(v)
		}
	})
}

// fftPass is one pass of radix 4.
func fftPass(s, d *[1024]complex64, p int, w []float32) {
	turn := func(i int) complex64 { return complex(w[2*i], w[2*i+1]) }
	for t := range 256 {
		k := t & (p - 1)
		f, to := k*(256/p), 4*t-3*k
		x0, x1, x2, x3 := s[t], s[t+256]*turn(f), s[t+512]*turn(2*f), s[t+768]*turn(3*f)
		plus, minus, sum, diff := x0+x2, x0-x2, x1+x3, x1-x3
		diff = complex(imag(diff), -real(diff))
		d[to], d[to+p], d[to+2*p], d[to+3*p] = plus+sum, minus+diff, plus-sum, minus-diff
	}
}
