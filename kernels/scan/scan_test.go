package scan_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/interop/npy"
	"github.com/tandem-go/tandem/kernels/internal/oracle"
	"github.com/tandem-go/tandem/kernels/scan"
)

var ops = []scan.Op{scan.Add, scan.Mul, scan.Min, scan.Max}

// apply is the meaning of an operation.
func apply[T scan.Number](op scan.Op, a, b T) T {
	switch op {
	case scan.Add:
		return a + b
	case scan.Mul:
		return a * b
	case scan.Min:
		if a <= b || a != a {
			return a
		}
		return b
	}
	if a >= b || a != a {
		return a
	}
	return b
}

// serial is the definition: within lines and runs, one element after the other.
func serial[T scan.Number](op scan.Op, x []T, rows int, heads []uint8, first *T) []T {
	y := make([]T, len(x))
	for i := range x {
		begins := i%(len(x)/rows) == 0 || heads != nil && heads[i] != 0
		switch {
		case begins && first != nil:
			y[i] = *first
		case begins:
			y[i] = x[i]
		case first != nil:
			y[i] = apply(op, y[i-1], x[i-1])
		default:
			y[i] = apply(op, y[i-1], x[i])
		}
	}
	return y
}

// draw makes inputs whose scans are exact in any order for integers, minima and maxima.
func draw[T scan.Number](r *rand.Rand, op scan.Op, n int) []T {
	if T(1)/2 == 0 || op == scan.Min || op == scan.Max {
		return oracle.Bits[T](r, n)
	}
	x := make([]T, n)
	for i := range x {
		x[i] = T(r.NormFloat64())
		if op == scan.Mul {
			x[i] = T(math.Exp(r.NormFloat64() / 64))
			if r.IntN(2) == 0 {
				x[i] = -x[i]
			}
		}
	}
	return x
}

// same compares bits for what is exact, and with the bound that the package states for floating-point sums and products.
func same[T scan.Number](t *testing.T, op scan.Op, x, want, got []T, rows int, heads []uint8, first *T) {
	t.Helper()
	if T(1)/2 == 0 || op == scan.Min || op == scan.Max {
		require.Equal(t, want, got)
		return
	}
	u := 0x1p-53
	if reflect.TypeFor[T]().Kind() == reflect.Float32 {
		u = 0x1p-24
	}
	depth := 88 * math.Ceil(math.Log(float64(len(x)+2))/math.Log(2048))
	var exact, size big.Float
	set := func(v float64) { exact.SetPrec(400).SetFloat64(v); size.SetPrec(64).SetFloat64(math.Abs(v)) }
	add := func(v float64) {
		term := new(big.Float).SetPrec(400).SetFloat64(v)
		if op == scan.Mul {
			exact.Mul(&exact, term)
			size.Abs(&exact)
			return
		}
		exact.Add(&exact, term)
		size.Add(&size, term.Abs(term))
	}
	for i := range x {
		begins := i%(len(x)/rows) == 0 || heads != nil && heads[i] != 0
		switch {
		case begins && first != nil:
			set(float64(*first))
		case begins:
			set(float64(x[i]))
		case first != nil:
			add(float64(x[i-1]))
		default:
			add(float64(x[i]))
		}
		diff := new(big.Float).Sub(&exact, big.NewFloat(float64(got[i])))
		bound := new(big.Float).Mul(&size, big.NewFloat(depth*u))
		require.LessOrEqual(t, diff.Abs(diff).Cmp(bound), 0, "element %d: %v, want %v", i, got[i], &exact)
	}
}

// testType scans inputs of one type in every way.
func testType[T scan.Number](t *testing.T, dev *cuda.Device, l *scan.Library) {
	r := oracle.Rand(t, 1)
	for _, op := range ops {
		for _, n := range oracle.Sizes {
			testScans(t, dev, l, op, draw[T](r, op, n), r)
		}
		for _, shape := range [][2]int{{1, 1}, {3, 5}, {33, 31}, {7, 2048}, {5, 2049}, {2, 6001}} {
			testRows(t, dev, l, op, draw[T](r, op, shape[0]*shape[1]), shape[0])
		}
	}
}

func testScans[T scan.Number](t *testing.T, dev *cuda.Device, l *scan.Library, op scan.Op, x []T, r *rand.Rand) {
	ctx := t.Context()
	src, dst := oracle.Upload(t, dev, x), oracle.Make[T](t, dev, len(x))
	require.NoError(t, scan.Inclusive(ctx, l, op, dst.Buffer, src.Buffer, nil))
	y := dst.Read(t)
	same(t, op, x, serial(op, x, 1, nil, nil), y, 1, nil, nil)

	first := T(3)
	require.NoError(t, scan.Exclusive(ctx, l, op, first, dst.Buffer, src.Buffer, nil))
	same(t, op, x, serial(op, x, 1, nil, &first), dst.Read(t), 1, nil, &first)

	heads := make([]uint8, len(x))
	for i := range heads {
		if r.IntN(1+r.IntN(300)) == 0 {
			heads[i] = uint8(1 + r.IntN(255))
		}
	}
	dh := oracle.Upload(t, dev, heads)
	require.NoError(t, scan.InclusiveRuns(ctx, l, op, dst.Buffer, src.Buffer, dh.Buffer, nil))
	same(t, op, x, serial(op, x, 1, heads, nil), dst.Read(t), 1, heads, nil)
	require.NoError(t, scan.ExclusiveRuns(ctx, l, op, first, dst.Buffer, src.Buffer, dh.Buffer, nil))
	same(t, op, x, serial(op, x, 1, heads, &first), dst.Read(t), 1, heads, &first)
	require.Equal(t, x, src.Read(t), "inputs are unchanged")
	require.Equal(t, heads, dh.Read(t), "inputs are unchanged")

	require.NoError(t, scan.Inclusive(ctx, l, op, src.Buffer, src.Buffer, nil))
	require.Equal(t, y, src.Read(t), "in place")
}

func testRows[T scan.Number](t *testing.T, dev *cuda.Device, l *scan.Library, op scan.Op, x []T, rows int) {
	src := oracle.Upload(t, dev, x)
	dst := oracle.Make[T](t, dev, len(x))
	require.NoError(t, scan.InclusiveRows(t.Context(), l, op, rows, dst.Buffer, src.Buffer, nil))
	same(t, op, x, serial(op, x, rows, nil, nil), dst.Read(t), rows, nil, nil)
	first := T(2)
	require.NoError(t, scan.ExclusiveRows(t.Context(), l, op, first, rows, src.Buffer, src.Buffer, nil))
	same(t, op, x, serial(op, x, rows, nil, &first), src.Read(t), rows, nil, &first)
}

func open(t *testing.T, dev *cuda.Device) *scan.Library {
	l := scan.New(dev)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

func TestScans(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		l := open(t, dev)
		t.Run("float32", func(t *testing.T) { testType[float32](t, dev, l) })
		t.Run("float64", func(t *testing.T) { testType[float64](t, dev, l) })
		t.Run("int32", func(t *testing.T) { testType[int32](t, dev, l) })
		t.Run("uint32", func(t *testing.T) { testType[uint32](t, dev, l) })
		t.Run("int64", func(t *testing.T) { testType[int64](t, dev, l) })
		t.Run("uint64", func(t *testing.T) { testType[uint64](t, dev, l) })
	})
}

// TestThreeLevels scans more elements than two levels of totals hold.
func TestThreeLevels(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		l := open(t, dev)
		x := oracle.Bits[uint32](oracle.Rand(t, 1), 2048*2048+77)
		testRows(t, dev, l, scan.Add, x, 1)
		src, dst := oracle.Upload(t, dev, x), oracle.Make[uint32](t, dev, len(x))
		heads := make([]uint8, len(x))
		heads[5], heads[2048*2047+9] = 1, 1
		dh := oracle.Upload(t, dev, heads)
		require.NoError(t, scan.InclusiveRuns(t.Context(), l, scan.Add, dst.Buffer, src.Buffer, dh.Buffer, nil))
		require.Equal(t, serial(scan.Add, x, 1, heads, nil), dst.Read(t))
	})
}

// TestSpecialNumbers checks NaN, infinities and both zeros, bit for bit.
func TestSpecialNumbers(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		l := open(t, dev)
		nan, inf, minus := float32(math.NaN()), float32(math.Inf(1)), float32(math.Copysign(0, -1))
		for _, x := range [][]float32{{minus, minus, 0, minus}, {0, minus}, {1, nan, 0, -inf}, {inf, -inf, 1}, {nan}, {-inf, inf}} {
			for _, op := range ops {
				src, dst := oracle.Upload(t, dev, x), oracle.Make[float32](t, dev, len(x))
				require.NoError(t, scan.Inclusive(t.Context(), l, op, dst.Buffer, src.Buffer, nil))
				want, got := serial(op, x, 1, nil, nil), dst.Read(t)
				for i := range want {
					if want[i] != want[i] {
						require.True(t, got[i] != got[i], "%v of %v: element %d is %v, want NaN", op, x, i, got[i])
						continue
					}
					require.Equal(t, math.Float32bits(want[i]), math.Float32bits(got[i]), "%v of %v: element %d", op, x, i)
				}
			}
		}
	})
}

// TestEnginesAgree compares the bits of sums between engines.
func TestEnginesAgree(t *testing.T) {
	x := oracle.Normal[float32](oracle.Rand(t, 2), 9001)
	var first []float32
	for _, engine := range []string{"interp", ""} {
		dev, err := cuda.OpenHost(cuda.HostConfig{Engine: engine})
		require.NoError(t, err)
		l := scan.New(dev)
		dst := oracle.Make[float32](t, dev, len(x))
		require.NoError(t, scan.Inclusive(t.Context(), l, scan.Add, dst.Buffer, oracle.Upload(t, dev, x).Buffer, nil))
		y := dst.Read(t)
		if first == nil {
			first = y
		}
		require.Equal(t, first, y, engine)
		t.Cleanup(func() { require.NoError(t, dev.Close()) })
	}
}

// TestNumPy compares with NumPy's accumulate.
func TestNumPy(t *testing.T) {
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, dev.Close()) })
	l := open(t, dev)
	r := oracle.Rand(t, 4)
	names := []string{"add", "multiply", "minimum", "maximum"}
	for _, rows := range []int{1, 7, 64} {
		x := oracle.Bits[int64](r, rows*4001)
		program := fmt.Sprintf("x = x.reshape(%d, -1)\n", rows)
		for _, name := range names {
			program += fmt.Sprintf("%s = np.%s.accumulate(x, axis=1)\n", name, name)
		}
		results, here := oracle.NumPy(t, program, map[string]*npy.Array{"x": oracle.Array(t, x)}, names...)
		for i, op := range ops {
			dst := oracle.Make[int64](t, dev, len(x))
			require.NoError(t, scan.InclusiveRows(t.Context(), l, op, rows, dst.Buffer, oracle.Upload(t, dev, x).Buffer, nil))
			got := dst.Read(t)
			require.Equal(t, serial(op, x, rows, nil, nil), got)
			if here {
				require.Equal(t, oracle.Elements[int64](t, results[names[i]]), got, names[i])
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		l, ctx := open(t, dev), t.Context()
		x := oracle.Upload(t, dev, []float32{1, 2, 3, 4, 5, 6, 7})
		y := oracle.Make[float32](t, dev, 6)
		before := y.Read(t)
		part := func(b *cuda.Buffer[float32], lo, hi int) *cuda.Buffer[float32] {
			p, err := b.Slice(lo, hi)
			require.NoError(t, err)
			return p
		}
		err := scan.Inclusive(ctx, l, scan.Add, y.Buffer, x.Buffer, nil)
		require.ErrorIs(t, err, cuda.ErrLength)
		require.ErrorContains(t, err, "dst has 6 elements, src has 7")
		err = scan.InclusiveRows(ctx, l, scan.Add, 4, y.Buffer, part(x.Buffer, 0, 6), nil)
		require.ErrorIs(t, err, cuda.ErrLength)
		require.ErrorContains(t, err, "6 elements are no 4 rows")
		require.ErrorIs(t, scan.InclusiveRows(ctx, l, scan.Add, 0, y.Buffer, y.Buffer, nil), cuda.ErrLength)
		require.ErrorIs(t, scan.InclusiveRows(ctx, l, scan.Add, -2, y.Buffer, y.Buffer, nil), cuda.ErrLength)
		err = scan.Exclusive(ctx, l, scan.Add, 0, part(x.Buffer, 1, 7), part(x.Buffer, 0, 6), nil)
		require.ErrorIs(t, err, cuda.ErrInvalidValue)
		require.ErrorContains(t, err, "overlaps")
		require.ErrorIs(t, scan.Inclusive(ctx, l, scan.Op(4), y.Buffer, y.Buffer, nil), cuda.ErrInvalidValue)
		require.ErrorIs(t, scan.Inclusive(ctx, l, scan.Op(-1), y.Buffer, y.Buffer, nil), cuda.ErrInvalidValue)
		heads := oracle.Make[uint8](t, dev, 5)
		err = scan.InclusiveRuns(ctx, l, scan.Add, y.Buffer, y.Buffer, heads.Buffer, nil)
		require.ErrorIs(t, err, cuda.ErrLength)
		require.ErrorContains(t, err, "heads has 5 elements, src has 6")
		bytes, err := cuda.Reinterpret[uint8](x.Buffer)
		require.NoError(t, err)
		inside, err := bytes.Slice(3, 10)
		require.NoError(t, err)
		require.ErrorIs(t, scan.ExclusiveRuns(ctx, l, scan.Add, 0, x.Buffer, x.Buffer, inside, nil), cuda.ErrInvalidValue)
		require.Equal(t, before, y.Read(t), "nothing is written")
		require.Equal(t, []float32{1, 2, 3, 4, 5, 6, 7}, x.Read(t), "nothing is written")
		require.Equal(t, "max Op(9)", fmt.Sprint(scan.Max, scan.Op(9)))
	})
}

// TestCustom scans with operations that are not commutative, or have a neutral value that is not 0.
func TestCustom(t *testing.T) {
	cudatest.NVRTC(t)
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		ctx := t.Context()
		// The last that is not 0: associative, and a∘b differs from b∘a.
		last, err := scan.NewKernel[int64](ctx, dev, "b != 0 ? b : a", 0)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, last.Close()) })
		x := oracle.Small[int64](oracle.Rand(t, 8), 3*5001, 0, 40)
		for i := range x {
			if x[i] > 2 {
				x[i] = 0
			}
		}
		dst, src := oracle.Make[int64](t, dev, len(x)), oracle.Upload(t, dev, x)
		require.NoError(t, last.Inclusive(ctx, 3, dst.Buffer, src.Buffer, nil))
		want := make([]int64, len(x))
		for i, v := range x {
			want[i] = v
			if v == 0 && i%5001 != 0 {
				want[i] = want[i-1]
			}
		}
		require.Equal(t, want, dst.Read(t))
		require.NoError(t, last.Exclusive(ctx, 7, 3, dst.Buffer, src.Buffer, nil))
		for i, v := range dst.Read(t) {
			switch {
			case i%5001 == 0 || want[i-1] == 0:
				require.EqualValues(t, 7, v)
			default:
				require.Equal(t, want[i-1], v)
			}
		}

		least, err := scan.NewKernel(ctx, dev, "a < b ? a : b", float32(math.Inf(1)))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, least.Close()) })
		y := oracle.Bits[float32](oracle.Rand(t, 9), 9000)
		low := oracle.Make[float32](t, dev, len(y))
		require.NoError(t, least.Inclusive(ctx, 1, low.Buffer, oracle.Upload(t, dev, y).Buffer, nil))
		require.Equal(t, serial(scan.Min, y, 1, nil, nil), low.Read(t))

		err = least.Inclusive(ctx, 1, low.Buffer, oracle.Make[float32](t, dev, 3).Buffer, nil)
		require.ErrorIs(t, err, cuda.ErrLength)
		require.ErrorContains(t, err, "inclusive scan (a < b ? a : b): dst has 9000 elements, src has 3")
		_, err = scan.NewKernel[int32](ctx, dev, "a +\nb", 0)
		require.ErrorIs(t, err, cuda.ErrInvalidValue)
		var compile *cuda.CompileError
		_, err = scan.NewKernel[int32](ctx, dev, "a + c", 0)
		require.ErrorAs(t, err, &compile)
	})
}
