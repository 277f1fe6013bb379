package corpus

import (
	"math"
	"math/rand/v2"
)

func vectorAdd(r *rand.Rand) []Case {
	const n = 1000
	a, b, alpha := floats(r, n), floats(r, n), float32(r.NormFloat64())
	const bad = float32(-12345)
	return []Case{{
		Name: "vector_add", File: "01_vector_add.cu",
		Buffers:  []any{poison(n+5, bad), a, b},
		Want:     []any{append(mapped(n, func(i int) float32 { return a[i] + b[i] }), poison(5, bad)...), nil, nil},
		Launches: []Launch{{Kernel: "vector_add", Grid: d1(blocks(n, 256)), Block: d1(256), Args: []any{Buf(0), Buf(1), Buf(2), int32(n)}}},
	}, {
		Name: "saxpy", File: "01_vector_add.cu",
		Buffers:  []any{a, b},
		Want:     []any{nil, mapped(n, func(i int) float32 { return float32(alpha*a[i]) + b[i] })},
		Launches: []Launch{{Kernel: "saxpy", Grid: d1(blocks(n, 128)), Block: d1(128), Args: []any{int32(n), alpha, Buf(0), Buf(1)}}},
	}}
}

func fillIota(r *rand.Rand) []Case {
	const n = 777
	value, first, step, small := r.NormFloat64(), r.Int64(), r.Int64(), uint8(r.Uint32())
	grid := d1(blocks(n, 96))
	return []Case{{
		Name: "fill_iota", File: "02_fill_iota.cu",
		Buffers: []any{poison(n, math.Pi), poison(n, int64(-1)), poison(n, uint8(0xee))},
		Want: []any{
			poison(n, value),
			mapped(n, func(i int) int64 { return first + step*int64(i) }),
			mapped(n, func(i int) uint8 { return small + uint8(i) }),
		},
		Launches: []Launch{
			{Kernel: "fill_f64", Grid: grid, Block: d1(96), Args: []any{Buf(0), value, uint32(n)}},
			{Kernel: "iota_i64", Grid: grid, Block: d1(96), Args: []any{Buf(1), first, step, uint32(n)}},
			{Kernel: "fill_u8", Grid: grid, Block: d1(96), Args: []any{Buf(2), small, uint32(n)}},
		},
	}}
}

func gridStride(r *rand.Rand) []Case {
	const n = 5003
	x := floats(r, n)
	return []Case{{
		Name: "grid_stride", File: "03_grid_stride.cu",
		Buffers:  []any{poison(n, float32(-1)), x},
		Want:     []any{mapped(n, func(i int) float32 { return x[i] * x[i] }), nil},
		Launches: []Launch{{Kernel: "square", Grid: d1(3), Block: d1(160), Args: []any{Buf(0), Buf(1), uint64(n)}}},
	}}
}

func matmul(r *rand.Rand) []Case {
	const n = 50
	a, b := floats(r, n*n), floats(r, n*n)
	want := make([]float32, n*n)
	for row := range n {
		for col := range n {
			var sum float32
			for k := range n {
				sum += float32(a[row*n+k] * b[k*n+col])
			}
			want[row*n+col] = sum
		}
	}
	return []Case{{
		Name: "matmul_tiled", File: "04_matmul_tiled.cu",
		Buffers:  []any{poison(n*n, float32(99)), a, b},
		Want:     []any{want, nil, nil},
		Launches: []Launch{{Kernel: "matmul_tiled", Grid: d2(blocks(n, 16), blocks(n, 16)), Block: d2(16, 16), Args: []any{Buf(0), Buf(1), Buf(2), int32(n)}}},
	}}
}

func transposes(r *rand.Rand) []Case {
	const rows, cols = 45, 70
	in := words(r, rows*cols)
	want := mapped(rows*cols, func(i int) uint32 { return in[i%rows*cols+i/rows] })
	out := poison(rows*cols, uint32(0xdeadbeef))
	args := []any{Buf(0), Buf(1), int32(rows), int32(cols)}
	return []Case{{
		Name: "transpose_naive", File: "05_transpose_naive.cu", Buffers: []any{out, in}, Want: []any{want, nil},
		Launches: []Launch{{Kernel: "transpose_naive", Grid: d2(blocks(cols, 16), blocks(rows, 8)), Block: d2(16, 8), Args: args}},
	}, {
		Name: "transpose_tiled", File: "06_transpose_tiled.cu", Buffers: []any{out, in}, Want: []any{want, nil},
		Launches: []Launch{{Kernel: "transpose_tiled", Grid: d2(blocks(cols, 32), blocks(rows, 32)), Block: d2(32, 8), Args: args}},
	}}
}

func stencils(r *rand.Rand) []Case {
	const n, radius = 500, 3
	in := ints(r, n, 1000)
	return append([]Case{{
		Name: "stencil1d", File: "15_stencil1d.cu",
		Buffers: []any{poison(n, int32(-7)), in},
		Want: []any{mapped(n, func(i int) (sum int32) {
			for d := -radius; d <= radius; d++ {
				if j := i + d; j >= 0 && j < n {
					sum += int32(d+radius+1) * in[j]
				}
			}
			return sum
		}), nil},
		Launches: []Launch{{Kernel: "stencil1d", Grid: d1(blocks(n, 128)), Block: d1(128), Args: []any{Buf(0), Buf(1), int32(n)}}},
	}}, heat(r), laplace(r))
}

func heat(r *rand.Rand) Case {
	const nx, ny, c = 37, 29, float32(0.1875)
	in := floats(r, nx*ny)
	step := func(i int) float32 {
		x, y := i%nx, i/nx
		if x == 0 || y == 0 || x == nx-1 || y == ny-1 {
			return in[i]
		}
		around := in[i-1] + in[i+1] + in[i-nx] + in[i+nx] - float32(4*in[i])
		return in[i] + float32(c*around)
	}
	return Case{
		Name: "heat2d", File: "16_heat.cu", Buffers: []any{poison(nx*ny, float32(-3)), in},
		Want:     []any{mapped(nx*ny, step), nil},
		Launches: []Launch{{Kernel: "heat2d", Grid: d2(blocks(nx, 16), blocks(ny, 4)), Block: d2(16, 4), Args: []any{Buf(0), Buf(1), int32(nx), int32(ny), c}}},
	}
}

func laplace(r *rand.Rand) Case {
	const nx, ny, nz, bad = 11, 9, 10, -5.5
	in := mapped(nx*ny*nz, func(int) float64 { return r.NormFloat64() })
	apply := func(i int) float64 {
		x, y, z := i%nx, i/nx%ny, i/(nx*ny)
		if x < 1 || y < 1 || z < 1 || x >= nx-1 || y >= ny-1 || z >= nz-1 {
			return bad
		}
		return in[i-1] + in[i+1] + in[i-nx] + in[i+nx] + in[i-nx*ny] + in[i+nx*ny] - float64(6*in[i])
	}
	return Case{
		Name: "laplace3d", File: "16_heat.cu", Buffers: []any{poison(nx*ny*nz, bad), in},
		Want:     []any{mapped(nx*ny*nz, apply), nil},
		Launches: []Launch{{Kernel: "laplace3d", Grid: d3(blocks(nx, 4), blocks(ny, 4), blocks(nz, 4)), Block: d3(4, 4, 4), Args: []any{Buf(0), Buf(1), int32(nx), int32(ny), int32(nz)}}},
	}
}

func convolution(r *rand.Rand) []Case {
	const width, height, taps = 75, 6, 9
	in, filter := floats(r, width*height), floats(r, taps)
	want := mapped(width*height, func(i int) (sum float32) {
		for k := range taps {
			x := min(max(i%width+k-taps/2, 0), width-1)
			sum += float32(filter[k] * in[i/width*width+x])
		}
		return sum
	})
	return []Case{{
		Name: "convolution", File: "17_convolution.cu", Globals: map[string]any{"taps": filter},
		Buffers: []any{poison(width*height, float32(-9)), in}, Want: []any{want, nil},
		Launches: []Launch{{Kernel: "convolve_rows", Grid: d2(blocks(width, 32), height), Block: d1(32), Args: []any{Buf(0), Buf(1), int32(width), int32(height)}}},
	}}
}

func mandelbrot(*rand.Rand) []Case {
	const width, height, limit = 60, 40, 200
	escape := func(i int) uint16 {
		px, py := float32(i%width), float32(i/width)
		cx, cy := -2+float32(float32(3*px)/width), -1+float32(float32(2*py)/height)
		var x, y float32
		n := 0
		for n < limit && float32(x*x)+float32(y*y) <= 4 {
			x, y = float32(x*x)-float32(y*y)+cx, float32(float32(2*x)*y)+cy
			n++
		}
		return uint16(n)
	}
	return []Case{{
		Name: "mandelbrot", File: "18_mandelbrot.cu",
		Buffers: []any{poison(width*height, uint16(0xffff))}, Want: []any{mapped(width*height, escape)},
		Launches: []Launch{{Kernel: "mandelbrot", Grid: d2(blocks(width, 32), blocks(height, 4)), Block: d2(32, 4), Args: []any{Buf(0), int32(width), int32(height), int32(limit)}}},
	}}
}
