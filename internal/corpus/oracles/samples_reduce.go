package main

import (
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tandem-go/tandem/cuda"
)

type (
	makeFile func(path string, checks ...check) file
	addTo    func(f file, instances ...string) file
)

func reductionFiles(cs makeFile, with addTo) []file {
	var names []string
	var checks []check
	for _, v := range []struct {
		kernel, arguments string
		perThread         int // elements that a thread reads
		shared            int // bytes for elements of 4 bytes
	}{
		// The last warp of reduce7 shuffles as many lanes as there are warps, and reads the others: only with 32 warps is it
		// defined what it computes.
		{"reduce0", "", 1, 512}, {"reduce1", "", 1, 512}, {"reduce2", "", 1, 512}, {"reduce3", "", 2, 512}, {"reduce4", ",128", 2, 512},
		{"reduce5", ",128", 2, 512}, {"reduce6", ",128,false", 0, 512}, {"reduce7", ",1024,false", 0, 132}, {"cg_reduce", "", 0, 512},
		{"multi_warp_cg_reduce", ",128,64", 0, 512},
	} {
		threads := 128
		if v.kernel == "reduce7" {
			threads = 1024
		}
		single, double := v.kernel+"<float"+v.arguments+">", v.kernel+"<double"+v.arguments+">"
		names = append(names, single, double)
		checks = append(checks, check{v.kernel, func(r *run) {
			blockSums[float32](r, single, threads, v.perThread, v.shared)
			blockSums[float64](r, double, threads, v.perThread, 2*v.shared)
		}})
	}
	threadFence := []string{"reduceMultiPass<128,false>", "reduceSinglePass<128,false>"}
	return []file{
		with(cs("reduction/reduction_kernel.cu", checks...), names...),
		with(cs("threadFenceReduction/threadFenceReduction.cu", check{"reduceMultiPass", func(r *run) { blockSums[float32](r, threadFence[0], 128, -2, 512) }},
			check{"reduceSinglePass", lastBlockSum}), threadFence...),
		cs("simpleCudaGraphs/simpleCudaGraphs.cu", check{"reduce reduceFinal", twoPasses}),
		cs("jacobiCudaGraphs/jacobi.cu", check{"JacobiMethod", jacobiMethod}, check{"finalError", jacobiError}),
		cs("binaryPartitionCG/binaryPartitionCG.cu", check{"oddEvenCountAndSumCG", oddsAndEvens}),
		cs("warpAggregatedAtomicsCG/warpAggregatedAtomicsCG.cu", check{"filter_arr", filterPositive}, check{"mapToBuckets", mapToBuckets},
			check{"calculateMaxInEachBuckets", bucketMaxima}),
		cs("shfl_scan/shfl_scan.cu", check{"shfl_scan_test uniform_add", shuffleScan}, check{"shfl_intimage_rows shfl_vertical_shfl", integralImage}),
		cs("scan/scan.cu", check{"scanExclusiveShared scanExclusiveShared2 uniformUpdate", largeScan}),
		cs("histogram/histogram64.cu", check{"histogram64Kernel mergeHistogram64Kernel", histogram64}),
		cs("histogram/histogram256.cu", check{"histogram256Kernel mergeHistogram256Kernel", histogram256}),
	}
}

// blockSums: each of four blocks sums its part: perThread consecutive blocks of elements, or, if that is 0, all
// that a stride of the grid gives it, or, if negative, as many at each stride.
func blockSums[T float32 | float64](r *run, kernel string, threads, perThread, shared int) {
	const blocks = 4
	n := blocks*threads*max(perThread, 1) - 37
	if perThread <= 0 {
		n = 9001
	}
	in := smallInts[T](r, n, 999)
	d := room(r, "g_odata", blocks, T(0.5))
	r.launchShared(kernel, cuda.D1(blocks), cuda.D1(threads), shared, give(r, "g_idata", in), d, n)
	per := max(perThread, -perThread, 1)
	want := make([]T, blocks)
	for i, v := range in {
		want[i/(threads*per)%blocks] += v
	}
	d.exact(r, want)
}

func total[T float32 | float64](x []T) (sum T) {
	for _, v := range x {
		sum += v
	}
	return sum
}

// lastBlockSum: the block that comes last adds up what the others left.
func lastBlockSum(r *run) {
	const blocks, threads, n = 6, 128, 5000
	in := smallInts[float32](r, n, 999)
	d := scratch[float32](r, "g_odata", blocks)
	r.launchShared("reduceSinglePass<128,false>", cuda.D1(blocks), cuda.D1(threads), 512, give(r, "g_idata", in), d, n)
	same(r, "sum", d.now(r)[:1], []float32{total(in)})
	same(r, "retirementCount", read[uint32](r, "retirementCount", 1), []uint32{0})
}

func twoPasses(r *run) {
	const blocks, threads, n = 7, 512, 9000
	in := smallInts[float32](r, n, 999)
	part, d := scratch[float64](r, "outputVec", blocks), room(r, "result", 1, 0.5)
	r.launch("reduce", cuda.D1(blocks), cuda.D1(threads), give(r, "inputVec", in), part, n, blocks)
	r.launch("reduceFinal", cuda.D1(1), cuda.D1(threads), part, d, blocks)
	d.exact(r, []float64{float64(total(in))})
}

const jacobiRows = 512

func jacobiMethod(r *run) {
	const n = jacobiRows
	a, b, x := between[float32](r, n*n, -1, 1), between[float64](r, n, -9, 9), between[float64](r, n, -1, 1)
	for i := range n {
		a[i*n+i] = n
	}
	next, sum := room(r, "x_new", n, 100.0), give(r, "sum", []float64{0})
	r.launch("JacobiMethod", cuda.D1(n/8), cuda.D1(256), give(r, "A", a), give(r, "b", b), float32(1e-6), give(r, "x", x), next, sum)
	f := double
	want, steps := make([]approx, n), make([]approx, n)
	for i := range n {
		row := table(n, func(j int) approx { return f.mul(lift(a[i*n+j]), lift(x[j])) })
		d := f.div(f.sum(append(table(n, func(j int) approx { return neg(row[j]) }), lift(b[i]))), lift(a[i*n+i]))
		want[i] = f.add(lift(x[i]), d)
		steps[i] = d
		if d.v < 0 {
			steps[i].v = -d.v
		}
	}
	within(r, next, want)
	within(r, sum, []approx{f.sum(steps)})
}

func jacobiError(r *run) {
	const n, threads = jacobiRows, 256
	x := between[float64](r, n, 0, 2)
	sum := give(r, "g_sum", []float64{0})
	r.launchShared("finalError", cuda.D1(2), cuda.D1(threads), 8*threads/32, give(r, "x", x), sum)
	within(r, sum, []approx{double.sum(table(n, func(i int) approx {
		d := double.sub(lift(x[i]), lift(1.0))
		if d.v < 0 {
			d = neg(d)
		}
		return d
	}))})
}

func oddsAndEvens(r *run) {
	const n = 32 * 90
	in := integers[int32](r, n, 1000)
	count, sums := give(r, "numOfOdds", []int32{0}), give(r, "sums", []int32{0, 0})
	r.launch("oddEvenCountAndSumCG", cuda.D1(3), cuda.D1(128), give(r, "inputArr", in), count, sums, n)
	var odds int32
	want := make([]int32, 2)
	for _, v := range in {
		odds += v & 1
		want[1-v&1] += v
	}
	count.exact(r, []int32{odds})
	sums.exact(r, want)
}

func filterPositive(r *run) {
	const n = 3000
	in := table(n, func(int) int32 { return int32(r.rng.IntN(2001) - 1000) })
	d, count := scratch[int32](r, "dst", n), give(r, "nres", []int32{0})
	r.launch("filter_arr", cuda.D1(4), cuda.D1(256), d, count, give(r, "src", in), n)
	want := slices.DeleteFunc(slices.Clone(in), func(v int32) bool { return v <= 0 })
	slices.Sort(want)
	count.exact(r, []int32{int32(len(want))})
	got := d.now(r)
	slices.Sort(got[:len(want)]) // the order is open
	same(r, "dst", got, append(want, make([]int32, n-len(want))...))
}

func mapToBuckets(r *run) {
	const n, buckets = 3000, 5
	in := integers[int32](r, n, buckets+2) // some in no bucket
	want := make([][]int32, buckets)
	for i, b := range in {
		if b < buckets {
			want[b] = append(want[b], int32(i))
		}
	}
	starts := make([]int32, buckets)
	for b := 1; b < buckets; b++ {
		starts[b] = starts[b-1] + int32(len(want[b-1]))
	}
	d, counters := scratch[int32](r, "indices", n), give(r, "counters", starts)
	r.launch("mapToBuckets", cuda.D1(4), cuda.D1(256), give(r, "src", in), d, counters, n, buckets)
	counters.exact(r, table(buckets, func(b int) int32 { return starts[b] + int32(len(want[b])) }))
	got := d.now(r)
	for b := range buckets {
		part := got[starts[b]:][:len(want[b])]
		slices.Sort(part) // the order is open
		same(r, "bucket", part, want[b])
	}
}

func bucketMaxima(r *run) {
	const n, buckets = 3000, 5
	in, values := integers[int32](r, n, buckets+2), integers[int32](r, n, 1e9)
	d := room(r, "max", buckets, int32(-1))
	r.launch("calculateMaxInEachBuckets", cuda.D1(4), cuda.D1(256), give(r, "src", in), give(r, "values", values), d, n, buckets)
	want := slices.Repeat([]int32{-1}, buckets)
	for i, b := range in {
		if b < buckets {
			want[b] = max(want[b], values[i])
		}
	}
	d.exact(r, want)
}

func shuffleScan(r *run) {
	const blocks, threads = 6, 256
	in := integers[int32](r, blocks*threads, 1e6)
	d, part := give(r, "data", in), room(r, "partial_sums", blocks, int32(-1))
	r.launchShared("shfl_scan_test", cuda.D1(blocks), cuda.D1(threads), 4*threads/32, d, 32, part)
	want, sums := slices.Clone(in), make([]int32, blocks)
	for i := range want {
		if i%threads > 0 {
			want[i] += want[i-1]
		}
		sums[i/threads] = want[i]
	}
	d.exact(r, want)
	part.exact(r, sums)
	r.launch("uniform_add", cuda.D1(blocks), cuda.D1(threads), d, part, blocks*threads)
	d.exact(r, table(len(want), func(i int) int32 { return want[i] + sums[i/threads] }))
}

// integralImage sums bytes along rows, and words down columns; the kernels have the extents of a picture of 1920 by 1080.
func integralImage(r *run) {
	const width, lines = 1920, 2
	in := integers[uint8](r, width*lines, 256)
	words := table(len(in)/4, func(i int) uint32 {
		return uint32(in[4*i]) | uint32(in[4*i+1])<<8 | uint32(in[4*i+2])<<16 | uint32(in[4*i+3])<<24
	})
	d := room(r, "integral_image", width*lines, uint32(0xffffffff))
	r.launch("shfl_intimage_rows", cuda.D1(lines), cuda.D1(width/16), give(r, "img", words), d)
	want := table(len(in), func(i int) uint32 { return uint32(in[i]) })
	for i := range want {
		if i%width > 0 {
			want[i] += want[i-1]
		}
	}
	d.exact(r, want)
	const columns, height = 64, 1080
	picture := integers[uint32](r, columns*height, 1<<32)
	v := give(r, "img", picture)
	r.launch("shfl_vertical_shfl", cuda.D1(columns/32), cuda.D2(32, 8), v, columns, height)
	sums := slices.Clone(picture)
	for i := columns; i < len(sums); i++ {
		sums[i] += sums[i-columns]
	}
	v.exact(r, sums)
}

// exclusive scans parts of n elements.
func exclusive(in []uint32, n int) []uint32 {
	out := make([]uint32, len(in))
	for i := range in {
		if i%n > 0 {
			out[i] = out[i-1] + in[i-1]
		}
	}
	return out
}

func largeScan(r *run) {
	const batch, n, block, threads = 3, 4096, 1024, 256
	in := integers[uint32](r, batch*n, 1<<32)
	src, dst, buf := give(r, "d_Src", in), room(r, "d_Dst", len(in), uint32(1)), room(r, "d_Buf", batch*n/block, uint32(1))
	r.launch("scanExclusiveShared", cuda.D1(batch*n/block), cuda.D1(threads), dst, src, block)
	dst.exact(r, exclusive(in, block))
	r.launch("scanExclusiveShared2", cuda.D1(1), cuda.D1(threads), buf, dst, src, batch*n/block, n/block)
	want := exclusive(in, n)
	buf.exact(r, table(batch*n/block, func(i int) uint32 { return want[i*block] }))
	r.launch("uniformUpdate", cuda.D1(batch*n/block), cuda.D1(threads), dst, buf)
	dst.exact(r, want)
	short := give(r, "d_Short", slices.Repeat([]uint32{1}, 2*block))
	r.launch("scanExclusiveShared", cuda.D1(2), cuda.D1(threads), short, src, 64)
	short.exact(r, exclusive(in[:2*block], 64))
}

func histogram64(r *run) {
	const blocks, threads, items = 5, 64, 5 * 64 * 9
	histogram(r, "histogram64Kernel", "mergeHistogram64Kernel", blocks, threads, items, items*4, 64, 2)
}

func histogram256(r *run) {
	const blocks, threads, words = 5, 192, 4000
	histogram(r, "histogram256Kernel", "mergeHistogram256Kernel", blocks, threads, words, words, 256, 0)
}

// histogram counts the bytes of words by their high bits, first by blocks.
func histogram(r *run, count, merge string, blocks, threads, items, words, bins, shift int) {
	in := integers[uint32](r, words, 1<<32)
	part, d := scratch[uint32](r, "partial", blocks*bins), room(r, "histogram", bins, uint32(1<<31))
	r.launch(count, cuda.D1(blocks), cuda.D1(threads), part, give(r, "d_Data", in), items)
	r.launch(merge, cuda.D1(bins), cuda.D1(256), d, part, blocks)
	want := make([]uint32, bins)
	for _, w := range in {
		for range 4 {
			want[w&0xff>>shift]++
			w >>= 8
		}
	}
	d.exact(r, want)
}

// printedSums reads what the kernel prints: the sum of all ranks of the block, and that of each tile of sixteen.
func printedSums(r *run) {
	const threads = 64
	var text strings.Builder
	r.dev.SetOutput(&text)
	defer r.dev.SetOutput(io.Discard)
	r.launchShared("cgkernel", cuda.D1(1), cuda.D1(threads), 4*threads)
	if r.err != nil {
		return
	}
	r.fail(r.dev.Synchronize(r.ctx))
	var got []int32
	for _, m := range regexp.MustCompile(`is (\d+)`).FindAllStringSubmatch(text.String(), -1) {
		n, err := strconv.Atoi(m[1])
		r.fail(err)
		got = append(got, int32(n))
	}
	same(r, "printed", got, []int32{threads * (threads - 1) / 2, 120, 120, 120, 120})
}
