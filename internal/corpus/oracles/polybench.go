package main

import "github.com/tandem-go/tandem/cuda"

// The extents are chosen here: different in each direction, and no multiples of the blocks, so that mistaken indices show.
const (
	pbI = 37
	pbJ = 41
	pbK = 29
	pbL = 43
	pbM = 31
	pbN = 45
)

// pbOptions replaces the sizes of the headers, which would take minutes on the reference engine.
var pbOptions = []string{
	"-DNI=37", "-DNJ=41", "-DNK=29", "-DNL=43", "-DNM=31", "-DN=45", "-DM=31", "-DNX=37", "-DNY=41", "-DTMAX=4", "-DTSTEPS=2",
}

var pbBlock = cuda.D2(32, 8)

func polybenchFiles() []file {
	pb := func(path string, checks ...check) file {
		return file{collection: "PolyBench-GPU", path: "CUDA/" + path, options: pbOptions, plain: true, checks: checks}
	}
	return []file{
		pb("GEMM/gemm.cu", check{"gemm_kernel", gemm}),
		pb("2MM/2mm.cu", check{"mm2_kernel1", mm2First}, check{"mm2_kernel2", mm2Second}),
		pb("3MM/3mm.cu", check{"mm3_kernel1 mm3_kernel2 mm3_kernel3", mm3}),
		pb("SYRK/syrk.cu", check{"syrk_kernel", syrk}),
		pb("SYR2K/syr2k.cu", check{"syr2k_kernel", syr2k}),
		pb("ATAX/atax.cu", check{"atax_kernel1 atax_kernel2", atax}),
		pb("BICG/bicg.cu", check{"bicg_kernel1", bicgTransposed}, check{"bicg_kernel2", bicgPlain}),
		pb("MVT/mvt.cu", check{"mvt_kernel1", mvtPlain}, check{"mvt_kernel2", mvtTransposed}),
		pb("GESUMMV/gesummv.cu", check{"gesummv_kernel", gesummv}),
		pb("GEMVER/gemver.cu", check{"gemver_kernel1", gemverRank2}, check{"gemver_kernel2", gemverX}, check{"gemver_kernel3", gemverW}),
		pb("2DCONV/2DConvolution.cu", check{"convolution2D_kernel", convolution2D}),
		pb("3DCONV/3DConvolution.cu", check{"convolution3D_kernel", convolution3D}),
		pb("JACOBI1D/jacobi1D.cu", check{"runJacobiCUDA_kernel1 runJacobiCUDA_kernel2", jacobi1D}),
		pb("JACOBI2D/jacobi2D.cu", check{"runJacobiCUDA_kernel1 runJacobiCUDA_kernel2", jacobi2D}),
		pb("FDTD-2D/fdtd2d.cu", check{"fdtd_step1_kernel", fdtdY}, check{"fdtd_step2_kernel", fdtdX}, check{"fdtd_step3_kernel", fdtdZ}),
		pb("LU/lu.cu", check{"lu_kernel1 lu_kernel2", lu}),
		pb("GRAMSCHM/gramschmidt.cu", check{"gramschmidt_kernel1", gramNorm}, check{"gramschmidt_kernel2", gramScale}, check{"gramschmidt_kernel3", gramProject}),
		pb("CORR/correlation.cu", check{"mean_kernel", corrMean}, check{"std_kernel", corrDeviation}, check{"reduce_kernel", corrReduce}, check{"corr_kernel", corrProducts}),
		pb("COVAR/covariance.cu", check{"mean_kernel", corrMean}, check{"reduce_kernel", covarReduce}, check{"covar_kernel", covarProducts}),
		pb("DOITGEN/doitgen.cu", check{"doitgen_kernel1", doitgenSum}, check{"doitgen_kernel2", doitgenCopy}),
		pb("ADI/adi.cu", check{"adi_kernel1 adi_kernel2 adi_kernel3", adiRows}, check{"adi_kernel4 adi_kernel5 adi_kernel6", adiColumns}),
	}
}

// plus returns c + scale·(a×b), a being n×k and b k×m, each element read through an index function.
func plus(n, m, k int, c func(i, j int) float64, scale float64, a, b func(i, k int) float64) []float32 {
	out := make([]float32, n*m)
	for i := range n {
		for j := range m {
			s := c(i, j)
			for l := range k {
				s += scale * a(i, l) * b(l, j)
			}
			out[i*m+j] = float32(s)
		}
	}
	return out
}

func zero(int, int) float64 { return 0 }

// rows reads a row-major matrix with the given row length.
func rows(x []float32, stride int) func(i, j int) float64 {
	return func(i, j int) float64 { return float64(x[i*stride+j]) }
}

// columns reads the transposed matrix.
func columns(x []float32, stride int) func(i, j int) float64 {
	return func(i, j int) float64 { return float64(x[j*stride+i]) }
}

func scaled(x []float32, stride int, by float64) func(i, j int) float64 {
	return func(i, j int) float64 { return by * float64(x[i*stride+j]) }
}

func gemm(r *run) {
	a, b, c := smallInts[float32](r, pbI*pbK, 9), smallInts[float32](r, pbK*pbJ, 9), smallInts[float32](r, pbI*pbJ, 9)
	da, db, dc := give(r, "a", a), give(r, "b", b), give(r, "c", c)
	r.launch("gemm_kernel", cover2(pbJ, pbI, pbBlock), pbBlock, pbI, pbJ, pbK, float32(3), float32(-2), da, db, dc)
	dc.exact(r, plus(pbI, pbJ, pbK, scaled(c, pbJ, -2), 3, rows(a, pbK), rows(b, pbJ)))
}

func mm2First(r *run) {
	a, b := smallInts[float32](r, pbI*pbK, 9), smallInts[float32](r, pbK*pbJ, 9)
	da, db, dt := give(r, "A", a), give(r, "B", b), room(r, "tmp", pbI*pbJ, float32(0.5))
	r.launch("mm2_kernel1", cover2(pbJ, pbI, pbBlock), pbBlock, pbI, pbJ, pbK, pbL, float32(5), float32(7), dt, da, db)
	dt.exact(r, plus(pbI, pbJ, pbK, zero, 5, rows(a, pbK), rows(b, pbJ)))
}

func mm2Second(r *run) {
	t, c, d := smallInts[float32](r, pbI*pbJ, 9), smallInts[float32](r, pbJ*pbL, 9), smallInts[float32](r, pbI*pbL, 9)
	dt, dc, dd := give(r, "tmp", t), give(r, "C", c), give(r, "D", d)
	r.launch("mm2_kernel2", cover2(pbL, pbI, pbBlock), pbBlock, pbI, pbJ, pbK, pbL, float32(5), float32(7), dt, dc, dd)
	dd.exact(r, plus(pbI, pbL, pbJ, scaled(d, pbL, 7), 1, rows(t, pbJ), rows(c, pbL)))
}

func mm3(r *run) {
	a, b := smallInts[float32](r, pbI*pbK, 5), smallInts[float32](r, pbK*pbJ, 5)
	c, d := smallInts[float32](r, pbJ*pbM, 5), smallInts[float32](r, pbM*pbL, 5)
	da, db, dc, dd := give(r, "A", a), give(r, "B", b), give(r, "C", c), give(r, "D", d)
	de, df, dg := room(r, "E", pbI*pbJ, float32(0.5)), room(r, "F", pbJ*pbL, float32(0.5)), room(r, "G", pbI*pbL, float32(0.5))
	r.launch("mm3_kernel1", cover2(pbJ, pbI, pbBlock), pbBlock, pbI, pbJ, pbK, pbL, pbM, da, db, de)
	r.launch("mm3_kernel2", cover2(pbL, pbJ, pbBlock), pbBlock, pbI, pbJ, pbK, pbL, pbM, dc, dd, df)
	r.launch("mm3_kernel3", cover2(pbL, pbI, pbBlock), pbBlock, pbI, pbJ, pbK, pbL, pbM, de, df, dg)
	e := plus(pbI, pbJ, pbK, zero, 1, rows(a, pbK), rows(b, pbJ))
	f := plus(pbJ, pbL, pbM, zero, 1, rows(c, pbM), rows(d, pbL))
	de.exact(r, e)
	df.exact(r, f)
	dg.exact(r, plus(pbI, pbL, pbJ, zero, 1, rows(e, pbJ), rows(f, pbL)))
}

func syrk(r *run) {
	a, c := smallInts[float32](r, pbI*pbJ, 9), smallInts[float32](r, pbI*pbI, 9)
	da, dc := give(r, "a", a), give(r, "c", c)
	r.launch("syrk_kernel", cover2(pbI, pbI, pbBlock), pbBlock, pbI, pbJ, float32(3), float32(-2), da, dc)
	dc.exact(r, plus(pbI, pbI, pbJ, scaled(c, pbI, -2), 3, rows(a, pbJ), columns(a, pbJ)))
}

func syr2k(r *run) {
	a, b, c := smallInts[float32](r, pbI*pbJ, 9), smallInts[float32](r, pbI*pbJ, 9), smallInts[float32](r, pbI*pbI, 9)
	da, db, dc := give(r, "a", a), give(r, "b", b), give(r, "c", c)
	r.launch("syr2k_kernel", cover2(pbI, pbI, pbBlock), pbBlock, pbI, pbJ, float32(3), float32(-2), da, db, dc)
	first := plus(pbI, pbI, pbJ, scaled(c, pbI, -2), 3, rows(a, pbJ), columns(b, pbJ))
	dc.exact(r, plus(pbI, pbI, pbJ, rows(first, pbI), 3, rows(b, pbJ), columns(a, pbJ)))
}

// line is a grid of pbBlock over n elements in x.
func line(n int) cuda.Dim3 { return cuda.D1(cover(n, pbBlock.X)) }

// flat is the block for kernels of one dimension: their threads ignore y.
var flat = cuda.D1(32)

func atax(r *run) {
	a, x := smallInts[float32](r, pbI*pbJ, 9), smallInts[float32](r, pbJ, 9)
	da, dx, dt, dy := give(r, "A", a), give(r, "x", x), room(r, "tmp", pbI, float32(0.5)), room(r, "y", pbJ, float32(0.5))
	r.launch("atax_kernel1", line(pbI), flat, pbI, pbJ, da, dx, dt)
	r.launch("atax_kernel2", line(pbJ), flat, pbI, pbJ, da, dy, dt)
	t := plus(pbI, 1, pbJ, zero, 1, rows(a, pbJ), rows(x, 1))
	dt.exact(r, t)
	dy.exact(r, plus(pbJ, 1, pbI, zero, 1, columns(a, pbJ), rows(t, 1)))
}

func bicgTransposed(r *run) {
	a, x := smallInts[float32](r, pbI*pbJ, 9), smallInts[float32](r, pbI, 9)
	da, dx, ds := give(r, "A", a), give(r, "r", x), room(r, "s", pbJ, float32(0.5))
	r.launch("bicg_kernel1", line(pbJ), flat, pbI, pbJ, da, dx, ds)
	ds.exact(r, plus(pbJ, 1, pbI, zero, 1, columns(a, pbJ), rows(x, 1)))
}

func bicgPlain(r *run) {
	a, x := smallInts[float32](r, pbI*pbJ, 9), smallInts[float32](r, pbJ, 9)
	da, dx, dq := give(r, "A", a), give(r, "p", x), room(r, "q", pbI, float32(0.5))
	r.launch("bicg_kernel2", line(pbI), flat, pbI, pbJ, da, dx, dq)
	dq.exact(r, plus(pbI, 1, pbJ, zero, 1, rows(a, pbJ), rows(x, 1)))
}

func mvtPlain(r *run) {
	a, x, y := smallInts[float32](r, pbN*pbN, 9), smallInts[float32](r, pbN, 9), smallInts[float32](r, pbN, 9)
	da, dx, dy := give(r, "a", a), give(r, "x1", x), give(r, "y_1", y)
	r.launch("mvt_kernel1", line(pbN), flat, pbN, da, dx, dy)
	dx.exact(r, plus(pbN, 1, pbN, rows(x, 1), 1, rows(a, pbN), rows(y, 1)))
}

func mvtTransposed(r *run) {
	a, x, y := smallInts[float32](r, pbN*pbN, 9), smallInts[float32](r, pbN, 9), smallInts[float32](r, pbN, 9)
	da, dx, dy := give(r, "a", a), give(r, "x2", x), give(r, "y_2", y)
	r.launch("mvt_kernel2", line(pbN), flat, pbN, da, dx, dy)
	dx.exact(r, plus(pbN, 1, pbN, rows(x, 1), 1, columns(a, pbN), rows(y, 1)))
}

func gesummv(r *run) {
	a, b, x := smallInts[float32](r, pbN*pbN, 9), smallInts[float32](r, pbN*pbN, 9), smallInts[float32](r, pbN, 9)
	zeros := make([]float32, pbN)
	da, db, dx, dt, dy := give(r, "A", a), give(r, "B", b), give(r, "x", x), give(r, "tmp", zeros), give(r, "y", zeros)
	r.launch("gesummv_kernel", line(pbN), flat, pbN, float32(3), float32(-5), da, db, dt, dx, dy)
	t := plus(pbN, 1, pbN, zero, 1, rows(a, pbN), rows(x, 1))
	dt.exact(r, t)
	dy.exact(r, plus(pbN, 1, pbN, scaled(t, 1, 3), -5, rows(b, pbN), rows(x, 1)))
}

func gemverRank2(r *run) {
	a := smallInts[float32](r, pbN*pbN, 9)
	u1, v1, u2, v2 := smallInts[float32](r, pbN, 9), smallInts[float32](r, pbN, 9), smallInts[float32](r, pbN, 9), smallInts[float32](r, pbN, 9)
	da := give(r, "a", a)
	r.launch("gemver_kernel1", cover2(pbN, pbN, pbBlock), pbBlock, pbN, float32(2), float32(3), da,
		give(r, "v1", v1), give(r, "v2", v2), give(r, "u1", u1), give(r, "u2", u2))
	first := plus(pbN, pbN, 1, rows(a, pbN), 1, rows(u1, 1), rows(v1, pbN))
	da.exact(r, plus(pbN, pbN, 1, rows(first, pbN), 1, rows(u2, 1), rows(v2, pbN)))
}

func gemverX(r *run) {
	a, x, y, z := smallInts[float32](r, pbN*pbN, 9), smallInts[float32](r, pbN, 9), smallInts[float32](r, pbN, 9), smallInts[float32](r, pbN, 9)
	dx := give(r, "x", x)
	r.launch("gemver_kernel2", line(pbN), flat, pbN, float32(2), float32(3), give(r, "a", a), dx, give(r, "y", y), give(r, "z", z))
	sum := table(pbN, func(i int) float32 { return x[i] + z[i] })
	dx.exact(r, plus(pbN, 1, pbN, rows(sum, 1), 3, columns(a, pbN), rows(y, 1)))
}

func gemverW(r *run) {
	a, x, w := smallInts[float32](r, pbN*pbN, 9), smallInts[float32](r, pbN, 9), smallInts[float32](r, pbN, 9)
	dw := give(r, "w", w)
	r.launch("gemver_kernel3", line(pbN), flat, pbN, float32(2), float32(3), give(r, "a", a), give(r, "x", x), dw)
	dw.exact(r, plus(pbN, 1, pbN, rows(w, 1), 2, rows(a, pbN), rows(x, 1)))
}

func doitgenSum(r *run) {
	const n, plane = 128, 1
	a, c := smallInts[float32](r, 2*n*n, 5), smallInts[float32](r, n*n, 5)
	ds := room(r, "sum", 2*n*n, float32(0.5))
	r.launch("doitgen_kernel1", cover2(n, n, pbBlock), pbBlock, ds, give(r, "A", a), give(r, "C4", c), plane)
	want := append([]float32(nil), ds.was[:n*n]...)
	ds.exact(r, append(want, plus(n, n, n, zero, 1, rows(a[n*n:], n), rows(c, n))...))
}

func doitgenCopy(r *run) {
	const n, plane = 128, 1
	s, a := smallInts[float32](r, 2*n*n, 1000), smallInts[float32](r, 2*n*n, 1000)
	da := give(r, "A", a)
	r.launch("doitgen_kernel2", cover2(n, n, pbBlock), pbBlock, give(r, "sum", s), da, room(r, "C4", n*n, float32(1)), plane)
	da.exact(r, append(append([]float32(nil), a[:n*n]...), s[n*n:]...))
}
