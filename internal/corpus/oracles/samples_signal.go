package main

import (
	"math"
	"slices"

	"github.com/tandem-go/tandem/cuda"
)

func signalFiles(cs makeFile, with addTo) []file {
	return []file{
		cs("convolutionSeparable/convolutionSeparable.cu", check{"convolutionRowsKernel", convolveRows}, check{"convolutionColumnsKernel", convolveColumns}),
		cs("fastWalshTransform/fastWalshTransform.cu", check{"fwtBatch1Kernel fwtBatch2Kernel", walsh}, check{"modulateKernel", modulate}),
		cs("dwtHaar1D/dwtHaar1D.cu", check{"dwtHaar1D", haar}, check{"initValue", initValue}),
		cs("FDTD3d/src/FDTD3dGPU.cu", check{"FiniteDifferencesKernel", finiteDifferences}),
		cs("dct8x8/dct8x8.cu", check{"CUDAkernel2DCT", cosines("CUDAkernel2DCT", false)}, check{"CUDAkernel2IDCT", cosines("CUDAkernel2IDCT", true)},
			check{"CUDAkernelQuantizationShort", quantizeShort}, check{"CUDAkernelQuantizationFloat", quantizeFloat}),
		cs("boxFilter/boxFilter_kernel.cu", check{"d_boxfilter_x_global", boxRows}, check{"d_boxfilter_y_global", boxColumns}),
		with(cs("nbody/bodysystemcuda.cu", check{"integrateBodies", bodies[float32]("integrateBodies<float>", "softeningSquared")},
			check{"integrateBodies", bodies[float64]("integrateBodies<double>", "softeningSquared_fp64")}),
			"integrateBodies<float>", "integrateBodies<double>"),
	}
}

const (
	convWidth, convHeight, convRadius = 256, 128, 8
)

// convolve is one direction of a separable convolution, zero outside.
func convolve(in, weights []float32, dx, dy int) []float32 {
	return table(len(in), func(i int) float32 {
		sum := float32(0)
		for k := -convRadius; k <= convRadius; k++ {
			x, y := i%convWidth+k*dx, i/convWidth+k*dy
			if x >= 0 && x < convWidth && y >= 0 && y < convHeight {
				sum += weights[convRadius-k] * in[y*convWidth+x]
			}
		}
		return sum
	})
}

func convolution(r *run, kernel string, grid, block cuda.Dim3, dx, dy int) {
	in, weights := smallInts[float32](r, convWidth*convHeight, 99), smallInts[float32](r, 2*convRadius+1, 9)
	set(r, "c_Kernel", weights)
	d := room(r, "d_Dst", len(in), float32(0.5))
	r.launch(kernel, grid, block, d, give(r, "d_Src", in), convWidth, convHeight, convWidth)
	d.exact(r, convolve(in, weights, dx, dy))
}

func convolveRows(r *run) {
	convolution(r, "convolutionRowsKernel", cuda.D2(convWidth/128, convHeight/4), cuda.D2(16, 4), 1, 0)
}

func convolveColumns(r *run) {
	convolution(r, "convolutionColumnsKernel", cuda.D2(convWidth/16, convHeight/64), cuda.D2(16, 8), 0, 1)
}

// walsh transforms two vectors, in natural order: element i is the sum of all x[j], negative where i&j has an odd number of bits.
func walsh(r *run) {
	const vectors, log, block = 2, 13, 11
	const n = 1 << log
	in := smallInts[float32](r, vectors*n, 99)
	d := give(r, "d_Data", in)
	m, left := vectors, log
	for ; left > block; left -= 2 {
		r.launch("fwtBatch2Kernel", cuda.D2(1<<left/1024, m), cuda.D1(256), d, d, 1<<left/4)
		m *= 4
	}
	r.launchShared("fwtBatch1Kernel", cuda.D1(m), cuda.D1(1<<left/4), 4<<left, d, d, left)
	want := slices.Clone(in)
	for h := 1; h < n; h *= 2 {
		for i := range want {
			if i&h == 0 {
				want[i], want[i+h] = want[i]+want[i+h], want[i]-want[i+h]
			}
		}
	}
	d.exact(r, want)
}

func modulate(r *run) {
	const n = 1024 // a power of two: the reciprocal is exact
	a, b := smallInts[float32](r, n, 999), smallInts[float32](r, n, 999)
	d := give(r, "d_A", a)
	r.launch("modulateKernel", cuda.D1(2), cuda.D1(128), d, give(r, "d_B", b), n)
	d.exact(r, table(n, func(i int) float32 { return a[i] * b[i] / n }))
}

// haar is the whole pyramid of one block of 512: the details of each level, finest last.
func haar(r *run) {
	const n, levels = 512, 9
	in := between[float32](r, n, 1, 2)
	d, top := room(r, "od", n, float32(9)), room(r, "approx_final", 1, float32(9))
	r.launchShared("dwtHaar1D", cuda.D1(1), cuda.D1(n/2), 4*(n+n/16), give(r, "id", in), d, top, levels, n/2, n/2)
	f, root := single, lift(float32(math.Sqrt2/2))
	want, level := make([]approx, n), lifts(in)
	for len(level) > 1 {
		h := len(level) / 2
		next := make([]approx, h)
		for i := range h {
			want[h+i] = f.mul(f.sub(level[2*i], level[2*i+1]), root)
			next[i] = f.mul(f.add(level[2*i], level[2*i+1]), root)
		}
		level = next
	}
	want[0] = lift(float32(9)) // the approximation has a place of its own
	within(r, d, want)
	within(r, top, level)
}

func initValue(r *run) {
	const n = 512
	d := room(r, "od", n+3, float32(9))
	r.launch("initValue", cuda.D1(2), cuda.D1(n/2), d, float32(-2.5))
	d.exact(r, append(slices.Repeat([]float32{-2.5}, n), 9, 9, 9))
}

// finiteDifferences: a stencil of radius four in three dimensions inside a margin of four.
func finiteDifferences(r *run) {
	const nx, ny, nz, radius = 32, 16, 9, 4
	const sx, sy, sz = nx + 2*radius, ny + 2*radius, nz + 2*radius
	in, weights := smallInts[float32](r, sx*sy*sz, 99), smallInts[float32](r, radius+1, 9)
	set(r, "stencil", weights)
	d := room(r, "output", len(in), float32(0.5))
	r.launch("FiniteDifferencesKernel", cuda.D2(1, 1), cuda.D2(nx, ny), d, give(r, "input", in), nx, ny, nz)
	want := slices.Clone(d.was)
	for z := range nz {
		for y := range ny {
			for x := range nx {
				c := ((z+radius)*sy+y+radius)*sx + x + radius
				sum := weights[0] * in[c]
				for k := 1; k <= radius; k++ {
					for _, step := range []int{1, sx, sx * sy} {
						sum += weights[k] * (in[c-k*step] + in[c+k*step])
					}
				}
				want[c] = sum
			}
		}
	}
	d.exact(r, want)
}

// cosine is the orthonormal basis of the discrete cosine transform of eight values.
func cosine(frequency, at int) float64 {
	scale := 0.5
	if frequency == 0 {
		scale = math.Sqrt(1.0 / 8)
	}
	return scale * math.Cos(math.Pi*float64(frequency)*(float64(at)+0.5)/8)
}

// cosines transforms tiles of eight by eight. The kernel factors the transform: at most 8 operations on a path through each of
// the two passes, on constants that are rounded, all of magnitude at most 1.4; hence the bound.
func cosines(kernel string, inverse bool) func(*run) {
	return func(r *run) {
		const width, height = 64, 32
		in := between[float32](r, width*height, -128, 128)
		d := room(r, "dst", len(in), float32(1e6))
		r.launch(kernel, cuda.D2(width/32, height/16), cuda.D3(8, 4, 2), d, give(r, "src", in), width)
		basis := func(out, in int) float64 {
			if inverse {
				return cosine(in, out)
			}
			return cosine(out, in)
		}
		want := table(len(in), func(i int) approx {
			x, y := i%width, i/width
			var sum, size float64
			for v := range 8 {
				for u := range 8 {
					p := float64(in[(y&^7+v)*width+x&^7+u])
					sum += p * basis(x&7, u) * basis(y&7, v)
					size += math.Abs(p)
				}
			}
			return approx{sum, 2 * 8 * 0x1p-24 * size * 1.4 * 1.4 / 8}
		})
		within(r, d, want)
	}
}

func quantizeShort(r *run) {
	const width, height = 40, 24
	in := table(width*height, func(int) int16 { return int16(r.rng.IntN(4001) - 2000) })
	steps := read[int16](r, "Q", 64)
	d := give(r, "SrcDst", in)
	r.launch("CUDAkernelQuantizationShort", cuda.D2(width/8, height/8), cuda.D2(8, 8), d, width)
	d.exact(r, table(len(in), func(i int) int16 {
		q := steps[i/width%8*8+i%width%8]
		v := in[i]
		if v < 0 {
			return -((-v + q/2) / q * q)
		}
		return (v + q/2) / q * q
	}))
}

func quantizeFloat(r *run) {
	const width, height = 40, 24
	in := between[float32](r, width*height, -2000, 2000)
	steps := read[int16](r, "Q", 64)
	d := give(r, "SrcDst", in)
	r.launch("CUDAkernelQuantizationFloat", cuda.D2(width/8, height/8), cuda.D2(8, 8), d, width)
	d.exact(r, table(len(in), func(i int) float32 {
		q := float32(steps[i/width%8*8+i%width%8])
		return float32(math.Round(float64(in[i]/q))) * q
	}))
}

const boxWidth, boxHeight, boxRadius = 64, 96, 5

// boxMean averages 2·radius+1 whole numbers with clamped borders: the sum is exact, and is multiplied by a rounded reciprocal.
func boxMean(in []float32, dx, dy int) []float32 {
	scale := 1 / float32(2*boxRadius+1)
	return table(len(in), func(i int) float32 {
		sum := float32(0)
		for k := -boxRadius; k <= boxRadius; k++ {
			x, y := min(max(i%boxWidth+k*dx, 0), boxWidth-1), min(max(i/boxWidth+k*dy, 0), boxHeight-1)
			sum += in[y*boxWidth+x]
		}
		return sum * scale
	})
}

func boxRows(r *run) {
	in := smallInts[float32](r, boxWidth*boxHeight, 255)
	d := room(r, "od", len(in), float32(1e6))
	r.launch("d_boxfilter_x_global", cuda.D1(boxHeight/32), cuda.D1(32), give(r, "id", in), d, boxWidth, boxHeight, boxRadius)
	d.exact(r, boxMean(in, 1, 0))
}

func boxColumns(r *run) {
	in := smallInts[float32](r, boxWidth*boxHeight, 255)
	d := room(r, "od", len(in), float32(1e6))
	r.launch("d_boxfilter_y_global", cuda.D1(boxWidth/32), cuda.D1(32), give(r, "id", in), d, boxWidth, boxHeight, boxRadius)
	d.exact(r, boxMean(in, 0, 1))
}

// bodies moves bodies by one step under gravity with a softened distance.
func bodies[T float32 | float64](kernel, softening string) func(*run) {
	return func(r *run) {
		const n, threads = 96, 32
		f := single
		if kernel == "integrateBodies<double>" {
			f = double
		}
		soft, step, damping := T(0.01), float32(0.016), float32(0.995)
		pos, vel := between[T](r, 4*n, 0.1, 1), between[T](r, 4*n, 5, 6)
		set(r, softening, []T{soft})
		next, dv := room(r, "newPos", 4*n, T(-9)), give(r, "vel", vel)
		var size T
		bytes := 4
		if size = T(1) / 3; size != T(float32(1)/3) {
			bytes = 8
		}
		r.launchShared(kernel, cuda.D1(n/threads), cuda.D1(threads), 4*threads*bytes, next, give(r, "oldPos", pos), dv, 0, n, step, damping, n/threads)
		wp, wv := lifts(pos), lifts(vel)
		for i := range n {
			var terms [3][]approx
			for j := range n {
				var d [3]approx
				for k := range d {
					d[k] = f.sub(lift(pos[4*j+k]), lift(pos[4*i+k]))
				}
				square := f.add(f.dot(d[:], d[:]), lift(soft))
				inverse := f.apply(func(x float64) float64 { return 1 / math.Sqrt(x) }, square, 4) // at most two units in the last place
				s := f.mul(lift(pos[4*j+3]), f.product(inverse, inverse, inverse))
				for k := range d {
					terms[k] = append(terms[k], f.mul(d[k], s))
				}
			}
			for k := range terms {
				v := f.add(wv[4*i+k], f.mul(f.sum(terms[k]), lift(step)))
				wv[4*i+k] = f.mul(v, lift(damping))
				wp[4*i+k] = f.add(wp[4*i+k], f.mul(wv[4*i+k], lift(step)))
			}
		}
		within(r, next, wp)
		within(r, dv, wv)
	}
}
