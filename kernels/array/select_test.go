package array_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/interop/npy"
	"github.com/tandem-go/tandem/kernels/array"
	"github.com/tandem-go/tandem/kernels/internal/oracle"
)

// testCompress compares with a loop, for masks of which about one in every elements is true.
func testCompress[T array.Element](t *testing.T, ws *array.Workspace, r *rand.Rand, draw func() T, n, every int) {
	x, mask := make([]T, n), make([]bool, n)
	want, numbers := []T{}, []int64{}
	for i := range x {
		x[i], mask[i] = draw(), r.IntN(every) == 0
		if mask[i] {
			want, numbers = append(want, x[i]), append(numbers, int64(i))
		}
	}
	a, m := array.From(t.Context(), ws, x), array.From(t.Context(), ws, mask)
	require.Equal(t, want, get(t, array.Compress(t.Context(), a, m)), "%d elements, one of %d", n, every)
	require.Equal(t, numbers, get(t, array.FlatNonzero(t.Context(), m)))
	require.Equal(t, x, get(t, a), "the input is unchanged")
}

func TestCompress(t *testing.T) {
	each(t, func(t *testing.T, ws *array.Workspace) {
		r, ctx := oracle.Rand(t, 7), t.Context()
		for i, n := range []int{0, 1, 31, 33, 4095, 4096, 4097, 8192, 70_001} {
			every := []int{1, 2, 1000}[i%3]
			testCompress(t, ws, r, func() bool { return r.IntN(2) == 0 }, n, every)
			testCompress(t, ws, r, func() int16 { return int16(r.Uint32()) }, n, every)
			testCompress(t, ws, r, r.Float32, n, every)
			testCompress(t, ws, r, r.Float64, n, every)
			testCompress(t, ws, r, func() complex128 { return complex(r.Float64(), r.Float64()) }, n, every)
		}
		a := array.From(ctx, ws, []int32{1, 2, 3, 4, 5, 6}, 2, 3)
		require.Equal(t, []int32{5, 3, 6}, get(t, array.Compress(ctx, a.T(), a.T().Greater(2).And(a.T().NotEqual(4)))), "views, in their order")
		require.Equal(t, []int32{8, 10, 12}, get(t, array.Compress(ctx, a.Mul(2), a.Greater(3))), "of an expression")
		even := array.FlatNonzero(ctx, a.Slice("0").Mod(2).Equal(0))
		require.Equal(t, []int32{2, 5}, get(t, array.Take(a, even, 1)), "columns")
		require.Empty(t, get(t, array.Compress(ctx, a, a.Less(0))))
		require.Equal(t, []int64{0, 2}, get(t, array.FlatNonzero(ctx, array.From(ctx, ws, []float32{-1, 0, 2}))))
		require.Equal(t, []float32{7, 7}, get(t, array.Compress(ctx, array.Full[float32](ws, 7, 2), array.Ones[bool](ws, 2))), "of constants")
		_, err := array.Compress(ctx, a, a.T().Less(2)).Download(ctx)
		require.ErrorIs(t, err, array.ErrShape)
		require.EqualError(t, err, "compress: the array has shape (2, 3), the mask (3, 2)")
		require.ErrorIs(t, array.FlatNonzero(ctx, a.Slice("5")).Err(), array.ErrIndex)
	})
}

// TestCompressNumPy compares with NumPy, where it is.
func TestCompressNumPy(t *testing.T) {
	each(t, func(t *testing.T, ws *array.Workspace) {
		r, ctx := oracle.Rand(t, 8), t.Context()
		x := oracle.Normal[float64](r, 30_000)
		results, ok := oracle.NumPy(t, "m = x.reshape(100, 300).T\ny = m[m > 0.5]\ni = np.flatnonzero(m > 1)",
			map[string]*npy.Array{"x": oracle.Array(t, x)}, "y", "i")
		if !ok {
			return
		}
		m := array.From(ctx, ws, x, 100, 300).T()
		require.Equal(t, oracle.Elements[float64](t, results["y"]), get(t, array.Compress(ctx, m, m.Greater(0.5))))
		require.Equal(t, oracle.Elements[int64](t, results["i"]), get(t, array.FlatNonzero(ctx, m.Greater(1))))
	})
}
