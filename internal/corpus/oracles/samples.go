package main

import (
	"math"
	"slices"

	"github.com/tandem-go/tandem/cuda"
)

func sampleFiles() []file {
	cs := func(path string, checks ...check) file {
		return file{collection: "cuda-samples", path: path, checks: checks}
	}
	with := func(f file, instances ...string) file {
		f.instances = instances
		return f
	}
	return slices.Concat([]file{
		cs("vectorAdd/vectorAdd.cu", check{"vectorAdd", addVectors("vectorAdd")}),
		cs("simpleZeroCopy/simpleZeroCopy.cu", check{"vectorAddGPU", addVectors("vectorAddGPU")}),
		cs("asyncAPI/asyncAPI.cu", check{"increment_kernel", addConstant("increment_kernel")}),
		cs("cudaOpenMP/cudaOpenMP.cu", check{"kernelAddConstant", addConstant("kernelAddConstant")}),
		cs("simpleCallback/simpleCallback.cu", check{"incKernel", callbackIncrement}),
		cs("simpleStreams/simpleStreams.cu", check{"init_array", streamsAdd}),
		cs("simpleMultiCopy/simpleMultiCopy.cu", check{"incKernel", copyIncrement}),
		cs("simpleMPI/simpleMPI.cu", check{"simpleMPIKernel", squareRoots}),
		with(cs("simpleTemplates/simpleTemplates.cu", check{"testKernel", timesThreads("testKernel<float>", "testKernel<int>")}),
			"testKernel<float>", "testKernel<int>"),
		cs("template/template.cu", check{"testKernel", timesThreads("testKernel", "")}),
		cs("simpleP2P/simpleP2P.cu", check{"SimpleKernel", twice}),
		cs("simpleMultiGPU/simpleMultiGPU.cu", check{"reduceKernel", stridedSums}),
		cs("simpleOccupancy/simpleOccupancy.cu", check{"square", squares}),
		cs("simpleVoteIntrinsics/simpleVoteIntrinsics.cu", check{"VoteAnyKernel1 VoteAllKernel2", votes}, check{"VoteAnyKernel3", votesOfHalves}),
		cs("simpleAtomicIntrinsics/simpleAtomicIntrinsics.cu", check{"testKernel", atomicTour(1, "testKernel", []int{0, 1, 3, 4, 5, 6, 8, 9, 10}, 2, 7)}),
		cs("systemWideAtomics/systemWideAtomics.cu", check{"atomicKernel", atomicTour(50, "atomicKernel", []int{0, -1, 2, 3, 4, 5, 7, 8, 9}, 1, 6)}),
		cs("clock/clock.cu", check{"timedReduction", timedMinimum}),
		with(cs("matrixMul/matrixMul.cu", check{"MatrixMulCUDA", tiledProduct("MatrixMulCUDA<16>", 16)}, check{"MatrixMulCUDA", tiledProduct("MatrixMulCUDA<32>", 32)}),
			"MatrixMulCUDA<16>", "MatrixMulCUDA<32>"),
		cs("matrixMulDrv/matrixMul_kernel.cu", check{"matrixMul_bs8_64bit", tiledProduct("matrixMul_bs8_64bit", 8)},
			check{"matrixMul_bs16_64bit", tiledProduct("matrixMul_bs16_64bit", 16)}, check{"matrixMul_bs32_64bit", tiledProduct("matrixMul_bs32_64bit", 32)}),
		cs("UnifiedMemoryPerf/matrixMultiplyPerf.cu", check{"matrixMultiplyKernel", squareProduct}),
		cs("fp16ScalarProduct/fp16ScalarProduct.cu", check{"scalarProductKernel_intrinsics", halfProduct("scalarProductKernel_intrinsics")},
			check{"scalarProductKernel_native", halfProduct("scalarProductKernel_native")}),
		cs("cudaTensorCoreGemm/cudaTensorCoreGemm.cu", check{"simple_wmma_gemm", tensorProduct}),
		cs("simpleCooperativeGroups/simpleCooperativeGroups.cu", check{"cgkernel", printedSums}),
		cs("scalarProd/scalarProd.cu", check{"scalarProdGPU", scalarProducts}),
		cs("inlinePTX/inlinePTX.cu", check{"sequence_gpu", laneNumbers}),
		cs("transpose/transpose.cu", transposes()...),
		cs("recursiveGaussian/recursiveGaussian_cuda.cu", check{"d_transpose", transposeWords}),
		cs("cudaCompressibleMemory/saxpy.cu", check{"saxpy", saxpy}, check{"init", initBoth}),
	}, reductionFiles(cs, with), sortingFiles(cs, with), signalFiles(cs, with), financeFiles(cs, with), textureFiles(cs))
}

func addVectors(kernel string) func(*run) {
	return func(r *run) {
		const n = 1000
		a, b := smallInts[float32](r, n, 9999), smallInts[float32](r, n, 9999)
		c := room(r, "C", n, float32(0.5))
		r.launch(kernel, cuda.Blocks(n, 256), cuda.D1(256), give(r, "A", a), give(r, "B", b), c, n)
		c.exact(r, table(n, func(i int) float32 { return a[i] + b[i] }))
	}
}

func addConstant(kernel string) func(*run) {
	return func(r *run) {
		const n = 1024
		in := integers[int32](r, n, math.MaxInt32)
		d := give(r, "data", in)
		r.launch(kernel, cuda.D1(n/128), cuda.D1(128), d, math.MaxInt32)
		d.exact(r, table(n, func(i int) int32 { return in[i] + math.MaxInt32 })) // wraps
	}
}

func callbackIncrement(r *run) {
	const n = 1000
	in := integers[int32](r, n, 1e6)
	d := give(r, "data", in)
	r.launch("incKernel", cuda.Blocks(n, 512), cuda.D1(512), d, n-3)
	d.exact(r, table(n, func(i int) int32 {
		if i < n-3 {
			return in[i] + 1
		}
		return in[i]
	}))
}

func streamsAdd(r *run) {
	const n, times = 512, 7
	in := integers[int32](r, n, 1e6)
	d := give(r, "g_data", in)
	r.launch("init_array", cuda.D1(1), cuda.D1(n), d, give(r, "factor", []int32{-5}), times)
	d.exact(r, table(n, func(i int) int32 { return in[i] - 5*times }))
}

func copyIncrement(r *run) {
	const n = 1000
	in := integers[int32](r, n, 1e6)
	d := room(r, "g_out", n, int32(-1))
	r.launch("incKernel", cuda.Blocks(n, 512), cuda.D1(512), d, give(r, "g_in", in), n, 3)
	d.exact(r, table(n, func(i int) int32 { return in[i] + 1 }))
}

func squareRoots(r *run) {
	const n = 512
	in := between[float32](r, n, 0, 1e6)
	d := room(r, "output", n, float32(-1))
	r.launch("simpleMPIKernel", cuda.D1(2), cuda.D1(256), give(r, "input", in), d)
	d.exact(r, table(n, func(i int) float32 { return float32(math.Sqrt(float64(in[i]))) })) // correctly rounded
}

func timesThreads(float, integer string) func(*run) {
	return func(r *run) {
		const n = 96
		x := smallInts[float32](r, n, 999)
		d := room(r, "g_odata", n, float32(0.5))
		r.launchShared(float, cuda.D1(1), cuda.D1(n), 4*n, give(r, "g_idata", x), d)
		d.exact(r, table(n, func(i int) float32 { return x[i] * n }))
		if integer == "" {
			return
		}
		y := integers[int32](r, n, 1e6)
		e := room(r, "g_odata", n, int32(-1))
		r.launchShared(integer, cuda.D1(1), cuda.D1(n), 4*n, give(r, "g_idata", y), e)
		e.exact(r, table(n, func(i int) int32 { return y[i] * n }))
	}
}

func twice(r *run) {
	const n = 512
	in := between[float32](r, n, -1, 1)
	d := room(r, "dst", n, float32(9))
	r.launch("SimpleKernel", cuda.D1(1), cuda.D1(n), give(r, "src", in), d)
	d.exact(r, table(n, func(i int) float32 { return 2 * in[i] }))
}

func stridedSums(r *run) {
	const threads, n = 4 * 64, 3000
	in := smallInts[float32](r, n, 999)
	d := room(r, "d_Result", threads, float32(0.5))
	r.launch("reduceKernel", cuda.D1(4), cuda.D1(64), d, give(r, "d_Input", in), n)
	want := make([]float32, threads)
	for i, v := range in {
		want[i%threads] += v
	}
	d.exact(r, want)
}

func squares(r *run) {
	const n = 1000
	in := integers[int32](r, n, math.MaxInt32)
	d := give(r, "array", in)
	r.launch("square", cuda.Blocks(n, 128), cuda.D1(128), d, n)
	d.exact(r, table(n, func(i int) int32 { return in[i] * in[i] }))
}

const voteWarps = 4

// votes: a warp without, one with some, one with one, one with all.
func votes(r *run) {
	const n = 32 * voteWarps
	in := make([]uint32, n)
	for i := range 32 {
		in[32+i] = uint32(i % 3)
		in[96+i] = uint32(i + 1)
	}
	in[64+r.rng.IntN(32)] = 1 << 31
	some, every := room(r, "result", n, uint32(9)), room(r, "result", n, uint32(9))
	r.launch("VoteAnyKernel1", cuda.D1(1), cuda.D1(n), give(r, "input", in), some, n)
	r.launch("VoteAllKernel2", cuda.D1(1), cuda.D1(n), give(r, "input", in), every, n)
	said := make([]uint32, voteWarps)
	for i, v := range in {
		said[i/32] += min(v, 1)
	}
	some.exact(r, table(n, func(i int) uint32 { return min(said[i/32], 1) }))
	every.exact(r, table(n, func(i int) uint32 { return said[i/32] / 32 }))
}

// votesOfHalves: the threads from one and a half warps on say yes.
func votesOfHalves(r *run) {
	const n = 32 * 3
	d := give(r, "info", make([]uint8, 3*n))
	r.launch("VoteAnyKernel3", cuda.D1(1), cuda.D1(n), d, 32)
	want := make([]uint8, 3*n)
	for i := range n {
		if i >= 32 {
			want[3*i] = 1
		}
		if i >= 48 {
			want[3*i+1] = 1
		}
		if i >= 64 {
			want[3*i+2] = 1
		}
	}
	d.exact(r, want)
}

// atomicTour: each thread applies each atomic operation to a word of its own kind, times over. Where is the word of add, sub,
// max, min, inc, dec, and, or, xor; -1 says that the kernel has none. Which thread the exchange and the compare-and-swap
// leave behind is open.
func atomicTour(times int, kernel string, where []int, exchange, swap int) func(*run) {
	return func(r *run) {
		const threads = 64 * 8
		words := table(11, func(int) int32 { return int32(r.rng.IntN(100)) })
		for _, at := range []int{where[6], where[7], where[8]} {
			words[at] = int32(r.rng.Uint32())
		}
		words[where[6]] |= 0xff
		words[swap] = -7 // no thread compares with it
		want := slices.Clone(words)
		for range times {
			for t := range int32(threads) {
				want[where[0]] += 10
				if where[1] >= 0 {
					want[where[1]] -= 10
				}
				want[where[2]] = max(want[where[2]], t)
				want[where[3]] = min(want[where[3]], t)
				if u := &want[where[4]]; uint32(*u) >= 17 {
					*u = 0
				} else {
					*u++
				}
				if u := &want[where[5]]; *u == 0 || uint32(*u) > 137 {
					*u = 137
				} else {
					*u--
				}
				want[where[6]] &= 2*t + 7
				want[where[7]] |= int32(shiftLeft(1, uint32(t)))
				want[where[8]] ^= t
			}
		}
		d := give(r, "words", words)
		r.launch(kernel, cuda.D1(8), cuda.D1(64), d)
		if got := d.now(r)[exchange]; got >= 0 && got < threads {
			want[exchange] = got
		}
		d.exact(r, want)
	}
}

// shiftLeft is PTX's: amounts beyond the width give zero.
func shiftLeft(x, n uint32) uint32 {
	if n > 31 {
		return 0
	}
	return x << n
}

// timedMinimum finds a minimum, and the clock moves on meanwhile.
func timedMinimum(r *run) {
	const blocks, threads = 5, 256
	in := between[float32](r, 2*threads, -1e6, 1e6)
	out, timer := room(r, "output", blocks, float32(1e9)), give(r, "timer", make([]int64, 2*blocks))
	r.launchShared("timedReduction", cuda.D1(blocks), cuda.D1(threads), 4*2*threads, give(r, "input", in), out, timer)
	out.exact(r, slices.Repeat([]float32{slices.Min(in)}, blocks))
	timer.spare = true
	t := timer.now(r)
	same(r, "the clock moved on", table(blocks, func(b int) bool { return t[b+blocks] > t[b] }), slices.Repeat([]bool{true}, blocks))
}

func tiledProduct(kernel string, tile int) func(*run) {
	return func(r *run) {
		wA, hA, wB := 3*tile, 2*tile, 4*tile
		a, b := smallInts[float32](r, wA*hA, 9), smallInts[float32](r, wB*wA, 9)
		c := room(r, "C", wB*hA, float32(0.5))
		r.launch(kernel, cuda.D2(wB/tile, hA/tile), cuda.D2(tile, tile), c, give(r, "A", a), give(r, "B", b), wA, wB)
		c.exact(r, plus(hA, wB, wA, zero, 1, rows(a, wA), rows(b, wB)))
	}
}

func squareProduct(r *run) {
	const tile, n = 32, 96
	a, b := smallInts[float32](r, n*n, 9), smallInts[float32](r, n*n, 9)
	c := room(r, "C", n*n, float32(0.5))
	r.launch("matrixMultiplyKernel", cuda.D2(n/tile, n/tile), cuda.D2(tile, tile), c, give(r, "A", a), give(r, "B", b), n)
	c.exact(r, plus(n, n, n, zero, 1, rows(a, n), rows(b, n)))
}

// half is a small whole number as binary16.
func half(v int) uint16 {
	f := math.Float32bits(float32(v))
	if v == 0 {
		return 0
	}
	return uint16(f>>16&0x8000) | uint16((f>>23&0xff)-127+15)<<10 | uint16(f>>13&0x3ff)
}

// halfProduct: pairs of halves. The kernel begins at an offset of a block and strides over the rest; sums stay below 2048, so
// that they are exact.
func halfProduct(kernel string) func(*run) {
	return func(r *run) {
		const blocks, threads, n = 4, 128, 2000
		x, y := make([]int, 2*n), make([]int, 2*n)
		for i := range x {
			x[i], y[i] = r.rng.IntN(5)-2, r.rng.IntN(5)-2
		}
		halves := func(v []int) []uint16 { return table(len(v), func(i int) uint16 { return half(v[i]) }) }
		d := room(r, "results", blocks, float32(0.5))
		r.launch(kernel, cuda.D1(blocks), cuda.D1(threads), give(r, "a", halves(x)), give(r, "b", halves(y)), d, n)
		want := make([]float32, blocks)
		for b := range blocks {
			for t := range threads {
				for i := t + threads + b; i < n; i += blocks * threads {
					want[b] += float32(x[2*i]*y[2*i] + x[2*i+1]*y[2*i+1])
				}
			}
		}
		d.exact(r, want)
	}
}

func tensorProduct(r *run) {
	const m, n, k = 32, 48, 48 // the kernel compares a row of B with the width of C
	a, b := make([]int, m*k), make([]int, n*k)
	fill := func(x []int) []uint16 {
		for i := range x {
			x[i] = r.rng.IntN(9) - 4
		}
		return table(len(x), func(i int) uint16 { return half(x[i]) })
	}
	da, db := give(r, "a", fill(a)), give(r, "b", fill(b))
	c := smallInts[float32](r, m*n, 99)
	d := room(r, "d", m*n, float32(0.5))
	r.launch("simple_wmma_gemm", cuda.D2(1, 3), cuda.D2(64, 1), da, db, give(r, "c", c), d, m, n, k, float32(2), float32(-3))
	d.exact(r, plus(m, n, k, scaled(c, n, -3), 2,
		func(i, l int) float64 { return float64(a[i*k+l]) }, func(l, j int) float64 { return float64(b[j*k+l]) }))
}

func scalarProducts(r *run) {
	const vectors, n = 5, 3000
	a, b := smallInts[float32](r, vectors*n, 9), smallInts[float32](r, vectors*n, 9)
	d := room(r, "d_C", vectors, float32(0.5))
	r.launch("scalarProdGPU", cuda.D1(3), cuda.D1(128), d, give(r, "d_A", a), give(r, "d_B", b), vectors, n)
	want := make([]float32, vectors)
	for i := range a {
		want[i/n] += a[i] * b[i]
	}
	d.exact(r, want)
}

func laneNumbers(r *run) {
	const n = 1000
	d := room(r, "d_ptr", n+5, int32(-1))
	r.launch("sequence_gpu", cuda.Blocks(n, 256), cuda.D1(256), d, n)
	d.exact(r, table(n+5, func(i int) int32 {
		if i < n {
			return int32(i % 32)
		}
		return -1
	}))
}

// transposes: eight ways between copying and transposing; two of them do only one of the two steps with tiles.
func transposes() []check {
	const tile, width, height = 32, 96, 64
	x := func(i int) (column, row int) { return i % height, i / height } // of the transposed matrix
	transposed := func(in []float32, i int) float32 { c, r := x(i); return in[c*width+r] }
	same := func(in []float32, i int) float32 { return in[i] }
	source := map[string]func(in []float32, i int) float32{
		"copy": same, "copySharedMem": same,
		"transposeNaive": transposed, "transposeCoalesced": transposed, "transposeNoBankConflicts": transposed, "transposeDiagonal": transposed,
		"transposeFineGrained": func(in []float32, i int) float32 { // each tile in its place
			c, r := i%width, i/width
			return in[(r/tile*tile+c%tile)*width+c/tile*tile+r%tile]
		},
		"transposeCoarseGrained": func(in []float32, i int) float32 { // tiles change places
			c, r := x(i)
			return in[(c/tile*tile+r%tile)*width+r/tile*tile+c%tile]
		},
	}
	var checks []check
	for _, name := range []string{"copy", "copySharedMem", "transposeNaive", "transposeCoalesced", "transposeNoBankConflicts", "transposeDiagonal",
		"transposeFineGrained", "transposeCoarseGrained"} {
		checks = append(checks, check{name, func(r *run) {
			w, h := width, height
			if name == "copySharedMem" || name == "transposeFineGrained" {
				// These compare columns with the height and rows with the width, or take one for the other.
				w, h = width, width
			}
			in := between[float32](r, w*h, -1, 1)
			d := room(r, "odata", w*h, float32(9))
			r.launch(name, cuda.D2(w/tile, h/tile), cuda.D2(tile, 16), d, give(r, "idata", in), w, h)
			want := make([]float32, len(in))
			for i := range want {
				want[i] = source[name](in, i)
			}
			d.exact(r, want)
		}})
	}
	return checks
}

func transposeWords(r *run) {
	const width, height = 50, 37
	in := integers[uint32](r, width*height, 1<<32)
	d := room(r, "odata", len(in), uint32(1))
	r.launch("d_transpose", cuda.D2(cover(width, 16), cover(height, 16)), cuda.D2(16, 16), d, give(r, "idata", in), width, height)
	d.exact(r, table(len(in), func(i int) uint32 { return in[i%height*width+i/height] }))
}

func saxpy(r *run) {
	const n = 700
	x, y := smallInts[float32](r, 4*n, 999), smallInts[float32](r, 4*n, 999)
	d := room(r, "z", 4*n, float32(0.5))
	r.launch("saxpy", cuda.D1(3), cuda.D1(128), float32(-7), give(r, "x", x), give(r, "y", y), d, n)
	d.exact(r, table(4*n, func(i int) float32 { return y[i] - 7*x[i] }))
}

func initBoth(r *run) {
	const n = 700
	x, y := room(r, "x", 4*n, float32(0)), room(r, "y", 4*n, float32(0))
	r.launch("init", cuda.D1(3), cuda.D1(128), x, y, float32(1.25), n)
	x.exact(r, slices.Repeat([]float32{1.25}, 4*n))
	y.exact(r, slices.Repeat([]float32{1.25}, 4*n))
}
