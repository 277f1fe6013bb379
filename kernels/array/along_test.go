package array_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/kernels/array"
	"github.com/tandem-go/tandem/kernels/internal/oracle"
	"github.com/tandem-go/tandem/kernels/random"
)

func TestAlong(t *testing.T) {
	each(t, func(t *testing.T, ws *array.Workspace) {
		ctx := t.Context()
		a := array.From(ctx, ws, []int32{5, 1, 4, 2, 9, -3}, 2, 3)
		require.Equal(t, []int32{5, 6, 10, 2, 11, 8}, get(t, array.CumSum(a, -1)))
		require.Equal(t, []int32{5, 1, 4, 7, 10, 1}, get(t, array.CumSum(a, 0)))
		require.Equal(t, []int32{5, 1, 4, 10, 9, -12}, get(t, array.CumProd(a, 0)))
		require.Equal(t, []int32{1, 4, 5, -3, 2, 9}, get(t, array.Sort(a, 1)))
		require.Equal(t, []int32{2, 1, -3, 5, 9, 4}, get(t, array.Sort(a, 0)))
		require.Equal(t, []int64{1, 2, 0, 2, 0, 1}, get(t, array.ArgSort(a, 1)))
		require.Equal(t, []int32{9, 1, 7, 13, 19, 1}, get(t, array.CumSum(a.Add(a), 0).Sub(1)), "in the middle of an expression")
		require.Empty(t, get(t, array.Sort(array.Zeros[float32](ws, 0, 3), 1)))
		require.ErrorIs(t, array.Sort(a, 2).Err(), array.ErrShape)

		m := array.From(ctx, ws, []float64{1, 2, 3, 4, 5, 6}, 2, 3)
		require.Equal(t, []float64{14, 32, 32, 77}, get(t, array.MatMul(m, m.T())))
		require.Equal(t, make([]float64, 4), get(t, array.MatMul(m.Slice(":, :0"), m.T().Slice(":0"))))
		err := array.MatMul(m, m).Err()
		require.ErrorIs(t, err, array.ErrShape)
		require.ErrorContains(t, err, "(2, 3) and (2, 3)")

		r := oracle.Rand(t, 1)
		x := oracle.Normal[float32](r, 3000)
		sorted := slices.Clone(x)
		slices.Sort(sorted)
		require.Equal(t, sorted, get(t, array.Sort(array.From(ctx, ws, x).Flip(), 0)))
	})
}

func TestRandom(t *testing.T) {
	each(t, func(t *testing.T, ws *array.Workspace) {
		lib := random.New(ws.Device())
		defer lib.Close()
		g := lib.NewGenerator(random.Config{Seed: 42})
		u := array.Uniform[float32](t.Context(), ws, g, 2, 3, 40, 50)
		require.Equal(t, []int{40, 50}, u.Shape())
		lo, hi := get(t, u.Min())[0], get(t, u.Max())[0]
		require.GreaterOrEqual(t, lo, float32(2))
		require.LessOrEqual(t, hi, float32(3))
		n := array.Normal[float64](t.Context(), ws, g, 10, 2, 10_000)
		require.InDelta(t, 10, get(t, n.Mean())[0], 6*2/math.Sqrt(10_000), "six standard errors")
		require.Empty(t, get(t, array.Uniform[float32](t.Context(), ws, g, 0, 1, 0)))
		require.Error(t, array.Normal[float32](t.Context(), ws, g, 0, -1, 3).Err())
	})
}
