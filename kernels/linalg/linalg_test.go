package linalg_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/interop/npy"
	"github.com/tandem-go/tandem/kernels/internal/oracle"
	"github.com/tandem-go/tandem/kernels/linalg"
)

func open(t *testing.T, dev *cuda.Device) *linalg.Library {
	l := linalg.New(dev)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

// field is the arithmetic of a type as the kernels do it.
type field[T linalg.Number] struct {
	make func(re, im float64) T
	mac  func(a, b, c T) T // a*b + c, rounded as the package says
	conj func(T) T
	wide func(T) complex128
	u    float64
}

// fma32 rounds a*b + c once: the sum of exact terms in 200 bits.
func fma32(a, b, c float32) float32 {
	p := new(big.Float).SetPrec(200).SetFloat64(float64(a) * float64(b)) // exact: 48 bits
	p.Add(p, new(big.Float).SetFloat64(float64(c)))
	if p.Sign() == 0 {
		return float32(float64(a)*float64(b) + float64(c))
	}
	out, _ := p.Float32()
	return out
}

var float32s = field[float32]{
	func(re, _ float64) float32 { return float32(re) }, fma32,
	func(x float32) float32 { return x }, func(x float32) complex128 { return complex(float64(x), 0) }, 0x1p-24,
}

var float64s = field[float64]{
	func(re, _ float64) float64 { return re }, math.FMA,
	func(x float64) float64 { return x }, func(x float64) complex128 { return complex(x, 0) }, 0x1p-53,
}

var complex64s = field[complex64]{
	func(re, im float64) complex64 { return complex64(complex(re, im)) },
	func(a, b, c complex64) complex64 {
		re := fma32(-imag(a), imag(b), fma32(real(a), real(b), real(c)))
		return complex(re, fma32(imag(a), real(b), fma32(real(a), imag(b), imag(c))))
	},
	func(x complex64) complex64 { return complex(real(x), -imag(x)) }, func(x complex64) complex128 { return complex128(x) }, 0x1p-24,
}

var complex128s = field[complex128]{
	func(re, im float64) complex128 { return complex(re, im) },
	func(a, b, c complex128) complex128 {
		re := math.FMA(-imag(a), imag(b), math.FMA(real(a), real(b), real(c)))
		return complex(re, math.FMA(imag(a), real(b), math.FMA(real(a), imag(b), imag(c))))
	},
	func(x complex128) complex128 { return complex(real(x), -imag(x)) }, func(x complex128) complex128 { return x }, 0x1p-53,
}

func (f field[T]) draw(r *rand.Rand, n int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = f.make(r.NormFloat64(), r.NormFloat64())
	}
	return x
}

// at is element (i, j) of the matrix as the operation sees it.
func (f field[T]) at(x []T, stride int, t linalg.Transpose, i, j int) T {
	switch t {
	case linalg.NoTrans:
		return x[i*stride+j]
	case linalg.Trans:
		return x[j*stride+i]
	}
	return f.conj(x[j*stride+i])
}

// finish is alpha*sum + beta*c.
func (f field[T]) finish(sum, c, alpha, beta T) T {
	r := f.mac(alpha, sum, f.make(0, 0))
	if beta != f.make(0, 0) {
		r = f.mac(beta, c, r)
	}
	return r
}

// shape is one product to test.
type shape struct {
	ta, tb  linalg.Transpose
	m, n, k int
	pad     int // of all strides
	beta    bool
}

func (s shape) String() string {
	return fmt.Sprintf("%dx%dx%d, A %v, B %v, padding %d", s.m, s.n, s.k, s.ta, s.tb, s.pad)
}

// matrix makes random memory for a matrix that the operation sees as rows by cols.
func matrix[T linalg.Number](t *testing.T, dev *cuda.Device, f field[T], r *rand.Rand, rows, cols, pad int, tr linalg.Transpose) ([]T, *oracle.Buffer[T], linalg.Matrix[T]) {
	if tr != linalg.NoTrans {
		rows, cols = cols, rows
	}
	stride := cols + pad
	if pad == 0 {
		stride = 0
	}
	data := f.draw(r, max(rows*(cols+pad), 1))
	b := oracle.Upload(t, dev, data)
	return data, b, linalg.Matrix[T]{Rows: rows, Cols: cols, Stride: stride, Data: b.Buffer}
}

// testGemm compares all bits with the definition, and elements with their bound.
func testGemm[T linalg.Number](t *testing.T, dev *cuda.Device, l *linalg.Library, f field[T], s shape) {
	r := oracle.Rand(t, uint64(s.m*10_000+s.n*100+s.k))
	a, da, ma := matrix(t, dev, f, r, s.m, s.k, s.pad, s.ta)
	b, db, mb := matrix(t, dev, f, r, s.k, s.n, s.pad, s.tb)
	c, dc, mc := matrix(t, dev, f, r, s.m, s.n, s.pad, linalg.NoTrans)
	alpha, beta := f.make(1.5, -0.25), f.make(0, 0)
	if s.beta {
		beta = f.make(-0.5, 2)
	} else {
		for i := range c {
			c[i] = f.make(math.NaN(), math.NaN()) // not read
		}
		require.NoError(t, dc.CopyFrom(t.Context(), c))
	}
	require.NoError(t, linalg.Gemm(t.Context(), l, s.ta, s.tb, alpha, ma, mb, beta, mc, nil))
	got := dc.Read(t)
	stride := func(x linalg.Matrix[T]) int { return x.Cols + s.pad }
	for i := range s.m {
		for j := range s.n {
			var sum T
			exact, size := complex128(0), 0.0
			for p := range s.k {
				x, y := f.at(a, stride(ma), s.ta, i, p), f.at(b, stride(mb), s.tb, p, j)
				sum = f.mac(x, y, sum)
				exact += f.wide(x) * f.wide(y)
				size += abs(f.wide(x)) * abs(f.wide(y))
			}
			at := i*stride(mc) + j
			require.Equal(t, f.finish(sum, c[at], alpha, beta), got[at], "%v: element (%d, %d)", s, i, j)
			if f.u > 0x1p-30 { // else float64 is no better
				n := 2 * float64(s.k) * f.u
				require.LessOrEqual(t, abs(f.wide(sum)-exact), n/(1-n)*math.Sqrt2*size)
			}
			c[at] = got[at]
		}
	}
	for i := range got { // the rest of the rows is as it was
		require.True(t, c[i] == got[i] || c[i] != c[i] && got[i] != got[i], "%v: element %d behind a row", s, i)
	}
	require.Equal(t, a, da.Read(t))
	require.Equal(t, b, db.Read(t))
}

func abs(z complex128) float64 { return math.Hypot(real(z), imag(z)) }

var shapes = []shape{
	{m: 1, n: 1, k: 1}, {m: 2, n: 3, k: 4, beta: true}, {m: 31, n: 33, k: 17}, {m: 64, n: 64, k: 16, beta: true}, {m: 65, n: 63, k: 33, pad: 3},
	{m: 5, n: 4, k: 0, beta: true}, {m: 5, n: 4, k: 0}, {m: 0, n: 3, k: 2}, {m: 3, n: 0, k: 2}, {m: 13, n: 130, k: 70, pad: 1, beta: true},
	{linalg.Trans, linalg.NoTrans, 33, 40, 21, 0, true}, {linalg.NoTrans, linalg.Trans, 40, 33, 50, 2, false},
	{linalg.Trans, linalg.Trans, 25, 70, 19, 5, true}, {linalg.ConjTrans, linalg.NoTrans, 18, 35, 20, 0, false},
	{linalg.Trans, linalg.ConjTrans, 35, 18, 37, 1, true},
}

func testGemms[T linalg.Number](t *testing.T, dev *cuda.Device, l *linalg.Library, f field[T]) {
	for _, s := range shapes {
		testGemm(t, dev, l.Wide(), f, s)
		testGemm(t, dev, l.Tile(), f, s)
	}
	testGemm(t, dev, l, f, shape{m: 70, n: 66, k: 80, beta: true})
}

func TestGemm(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		l := open(t, dev)
		t.Run("float32", func(t *testing.T) { testGemms(t, dev, l, float32s) })
		t.Run("float64", func(t *testing.T) { testGemms(t, dev, l, float64s) })
		t.Run("complex64", func(t *testing.T) { testGemms(t, dev, l, complex64s) })
		t.Run("complex128", func(t *testing.T) { testGemms(t, dev, l, complex128s) })
	})
}

// testBatch compares a batch with its products one by one.
func testBatch[T linalg.Number](t *testing.T, dev *cuda.Device, l *linalg.Library, f field[T], m, n, k int) {
	const count = 5
	r := oracle.Rand(t, uint64(m))
	ctx := t.Context()
	alpha, beta := f.make(2, 1), f.make(0.5, 0)
	a, b := oracle.Upload(t, dev, f.draw(r, count*(m*k+3))), oracle.Upload(t, dev, f.draw(r, k*n))
	start := f.draw(r, count*(m*n+7))
	c, want := oracle.Upload(t, dev, start), oracle.Upload(t, dev, start)
	require.NoError(t, linalg.GemmBatched(ctx, l, linalg.NoTrans, linalg.ConjTrans, count, alpha,
		linalg.Batch[T]{Matrix: linalg.Matrix[T]{Rows: m, Cols: k, Data: a.Buffer}, Next: m*k + 3},
		linalg.Batch[T]{Matrix: linalg.Matrix[T]{Rows: n, Cols: k, Data: b.Buffer}}, beta,
		linalg.Batch[T]{Matrix: linalg.Matrix[T]{Rows: m, Cols: n, Data: c.Buffer}, Next: m*n + 7}, nil))
	for q := range count {
		x, err := a.Slice(q*(m*k+3), (q+1)*(m*k+3))
		require.NoError(t, err)
		y, err := want.Slice(q*(m*n+7), (q+1)*(m*n+7))
		require.NoError(t, err)
		require.NoError(t, linalg.Gemm(ctx, l, linalg.NoTrans, linalg.ConjTrans, alpha, linalg.Matrix[T]{Rows: m, Cols: k, Data: x},
			linalg.Matrix[T]{Rows: n, Cols: k, Data: b.Buffer}, beta, linalg.Matrix[T]{Rows: m, Cols: n, Data: y}, nil))
	}
	require.Equal(t, want.Read(t), c.Read(t))
}

func TestGemmBatched(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		l := open(t, dev)
		testBatch(t, dev, l, float32s, 9, 10, 11)
		testBatch(t, dev, l, float32s, 70, 71, 72)
		testBatch(t, dev, l, complex128s, 17, 16, 15)
	})
}

// testVectors compares gemv and ger with sums in float64, within their bounds.
func testVectors[T linalg.Number](t *testing.T, dev *cuda.Device, l *linalg.Library, f field[T]) {
	r, ctx := oracle.Rand(t, 9), t.Context()
	for i, s := range [][2]int{{1, 1}, {33, 31}, {5, 1000}, {600, 70}, {130, 129}, {3, 0}, {0, 3}} {
		for _, tr := range []linalg.Transpose{linalg.NoTrans, linalg.Trans, linalg.ConjTrans} {
			m, n := s[0], s[1]
			pad, step := i%3, 1+i%2
			a, _, ma := matrix(t, dev, f, r, m, n, pad, tr)
			x, y := f.draw(r, n*step+1), f.draw(r, m*step+1)
			dx, dy := oracle.Upload(t, dev, x), oracle.Upload(t, dev, y)
			vx, vy := linalg.Vector[T]{N: n, Step: step, Data: dx.Buffer}, linalg.Vector[T]{N: m, Step: step, Data: dy.Buffer}
			alpha, beta := f.make(-1.25, 0.5), f.make(0.75, 1)
			require.NoError(t, linalg.Gemv(ctx, l, tr, alpha, ma, vx, beta, vy, nil))
			got := dy.Read(t)
			for i := range m {
				sum, size := complex128(0), 0.0
				for j := range n {
					v := f.wide(f.at(a, ma.Cols+pad, tr, i, j))
					sum += v * f.wide(x[j*step])
					size += abs(v) * abs(f.wide(x[j*step]))
				}
				want := f.wide(alpha)*sum + f.wide(beta)*f.wide(y[i*step])
				size = abs(f.wide(alpha))*size + abs(f.wide(beta))*abs(f.wide(y[i*step]))
				bound := (2*float64(n) + 16) * f.u * math.Sqrt2 * size
				require.LessOrEqual(t, abs(want-f.wide(got[i*step])), bound, "%dx%d %v: element %d", m, n, tr, i)
				y[i*step] = got[i*step]
			}
			require.Equal(t, y, got, "elements between steps stay")
			require.Equal(t, x, dx.Read(t))
		}
		testGer(t, dev, l, f, s[0], s[1])
	}
}

func testGer[T linalg.Number](t *testing.T, dev *cuda.Device, l *linalg.Library, f field[T], m, n int) {
	r := oracle.Rand(t, uint64(m))
	for _, tr := range []linalg.Transpose{linalg.Trans, linalg.ConjTrans} {
		a, da, ma := matrix(t, dev, f, r, m, n, 2, linalg.NoTrans)
		x, y := f.draw(r, m), f.draw(r, n)
		alpha := f.make(2.5, -1)
		require.NoError(t, linalg.Ger(t.Context(), l, tr, alpha, linalg.Vector[T]{N: m, Data: oracle.Upload(t, dev, x).Buffer},
			linalg.Vector[T]{N: n, Data: oracle.Upload(t, dev, y).Buffer}, ma, nil))
		for i := range m {
			for j := range n {
				v := y[j]
				if tr == linalg.ConjTrans {
					v = f.conj(v)
				}
				a[i*(n+2)+j] = f.mac(f.mac(alpha, x[i], f.make(0, 0)), v, a[i*(n+2)+j])
			}
		}
		require.Equal(t, a, da.Read(t))
	}
}

func TestVectors(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		l := open(t, dev)
		t.Run("float32", func(t *testing.T) { testVectors(t, dev, l, float32s) })
		t.Run("float64", func(t *testing.T) { testVectors(t, dev, l, float64s) })
		t.Run("complex64", func(t *testing.T) { testVectors(t, dev, l, complex64s) })
		t.Run("complex128", func(t *testing.T) { testVectors(t, dev, l, complex128s) })
	})
}

// TestNumPy compares with NumPy on integers, whose products are exact.
func TestNumPy(t *testing.T) {
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, dev.Close()) })
	l, r := open(t, dev), oracle.Rand(t, 5)
	for _, s := range [][3]int{{1, 1, 1}, {7, 5, 3}, {100, 90, 80}, {129, 130, 131}} {
		m, n, k := s[0], s[1], s[2]
		a, b := oracle.Small[float32](r, m*k, -9, 10), oracle.Small[float32](r, k*n, -9, 10)
		results, here := oracle.NumPy(t, "c = a @ b", map[string]*npy.Array{"a": oracle.Array(t, a, m, k), "b": oracle.Array(t, b, k, n)}, "c")
		c := oracle.Make[float32](t, dev, m*n)
		require.NoError(t, linalg.Gemm(t.Context(), l, linalg.NoTrans, linalg.NoTrans, 1,
			linalg.Matrix[float32]{Rows: m, Cols: k, Data: oracle.Upload(t, dev, a).Buffer},
			linalg.Matrix[float32]{Rows: k, Cols: n, Data: oracle.Upload(t, dev, b).Buffer}, 0,
			linalg.Matrix[float32]{Rows: m, Cols: n, Data: c.Buffer}, nil))
		want := make([]float32, m*n)
		for i := range m {
			for j := range n {
				for p := range k {
					want[i*n+j] += a[i*k+p] * b[p*n+j]
				}
			}
		}
		require.Equal(t, want, c.Read(t))
		if here {
			require.Equal(t, oracle.Elements[float32](t, results["c"]), c.Read(t))
		}
	}
}

func TestRefusals(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		l, ctx := open(t, dev), t.Context()
		a, b, c := oracle.Make[float32](t, dev, 6), oracle.Make[float32](t, dev, 12), oracle.Make[float32](t, dev, 8)
		before := c.Read(t)
		good := [3]linalg.Matrix[float32]{{Rows: 2, Cols: 3, Data: a.Buffer}, {Rows: 3, Cols: 4, Data: b.Buffer}, {Rows: 2, Cols: 4, Data: c.Buffer}}
		refused := func(kind error, text string, change func(m *[3]linalg.Matrix[float32])) {
			t.Helper()
			m := good
			change(&m)
			err := linalg.Gemm(ctx, l, linalg.NoTrans, linalg.NoTrans, 1, m[0], m[1], 0, m[2], nil)
			require.ErrorIs(t, err, kind)
			require.ErrorContains(t, err, text)
		}
		type ms = *[3]linalg.Matrix[float32]
		refused(cuda.ErrLength, "the inner dimension of A is 2, of B is 3", func(m ms) { m[0].Cols = 2 })
		refused(cuda.ErrLength, "the number of rows of A is 1, of C is 2", func(m ms) { m[0].Rows = 1 })
		refused(cuda.ErrLength, "the number of columns of B is 3, of C is 4", func(m ms) { m[1].Cols = 3 })
		refused(cuda.ErrInvalidValue, "A is -2 by 3", func(m ms) { m[0].Rows = -2 })
		refused(cuda.ErrInvalidValue, "B has 4 columns and stride 3", func(m ms) { m[1].Stride = 3 })
		refused(cuda.ErrLength, "have 9 elements, the buffer has 8", func(m ms) { m[2].Stride = 5 })
		refused(cuda.ErrInvalidValue, "C (8 elements", func(m ms) { m[0].Data = m[2].Data })
		refused(cuda.ErrInvalidValue, "B has no buffer", func(m ms) { m[1].Data = nil })
		err := linalg.Gemm(ctx, l, linalg.Transpose(5), linalg.NoTrans, 1, good[0], good[1], 0, good[2], nil)
		require.ErrorIs(t, err, cuda.ErrInvalidValue)
		require.ErrorContains(t, err, "transA is Transpose(5)")
		batch := func(m linalg.Matrix[float32], next int) linalg.Batch[float32] {
			return linalg.Batch[float32]{Matrix: m, Next: next}
		}
		err = linalg.GemmBatched(ctx, l, linalg.NoTrans, linalg.NoTrans, 2, 1, batch(good[0], 0), batch(good[1], 0), 0, batch(linalg.Matrix[float32]{Rows: 2, Cols: 4, Data: b.Buffer}, 4), nil)
		require.ErrorContains(t, err, "matrices of C of 8 elements are 4 apart")
		err = linalg.GemmBatched(ctx, l, linalg.NoTrans, linalg.NoTrans, 2, 1, batch(good[0], 6), batch(good[1], 0), 0, batch(good[2], 8), nil)
		require.ErrorIs(t, err, cuda.ErrLength)
		require.ErrorContains(t, err, "have 12 elements, the buffer has 6")
		require.ErrorContains(t, linalg.GemmBatched(ctx, l, linalg.NoTrans, linalg.NoTrans, -1, 1, batch(good[0], 6), batch(good[1], 0), 0, batch(good[2], 8), nil), "-1 products")

		v := func(x *oracle.Buffer[float32], n, step int) linalg.Vector[float32] {
			return linalg.Vector[float32]{N: n, Step: step, Data: x.Buffer}
		}
		require.ErrorContains(t, linalg.Gemv(ctx, l, linalg.NoTrans, 1, good[0], v(b, 4, 1), 0, v(c, 2, 1), nil), "the number of columns of A is 3, the length of x is 4")
		require.ErrorContains(t, linalg.Gemv(ctx, l, linalg.Trans, 1, good[0], v(b, 2, 1), 0, v(c, 4, 1), nil), "the number of rows of A is 3, the length of y is 4")
		require.ErrorContains(t, linalg.Gemv(ctx, l, linalg.NoTrans, 1, good[0], v(b, 3, 6), 0, v(c, 2, 1), nil), "have 13 elements, the buffer has 12")
		require.ErrorContains(t, linalg.Gemv(ctx, l, linalg.NoTrans, 1, good[0], v(b, 3, 1), 0, v(b, 2, 1), nil), "overlaps")
		require.ErrorContains(t, linalg.Ger(ctx, l, linalg.NoTrans, 1, v(b, 2, 1), v(b, 4, 1), good[2], nil), "want Trans or ConjTrans")
		require.ErrorContains(t, linalg.Ger(ctx, l, linalg.Trans, 1, v(b, 3, 1), v(b, 4, 1), good[2], nil), "the number of rows of A is 2, the length of x is 3")
		require.Equal(t, before, c.Read(t), "nothing is written")
	})
}

func BenchmarkSgemm1024(b *testing.B) {
	const n = 1024
	cudatest.EachB(b, func(b *testing.B, dev *cuda.Device) {
		l := linalg.New(dev)
		var m [3]linalg.Matrix[float32]
		for i := range m {
			buf, err := cuda.Alloc[float32](dev, n*n)
			require.NoError(b, err)
			require.NoError(b, buf.Fill(0.25, nil))
			m[i] = linalg.Matrix[float32]{Rows: n, Cols: n, Data: buf}
		}
		for b.Loop() {
			require.NoError(b, linalg.Gemm(b.Context(), l, linalg.NoTrans, linalg.NoTrans, 1, m[0], m[1], 0, m[2], nil))
			require.NoError(b, dev.Synchronize(b.Context()))
		}
		b.ReportMetric(2*n*n*n*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
	})
}
