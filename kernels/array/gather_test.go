package array_test

import (
	"flag"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/kernels/array"
	"github.com/tandem-go/tandem/kernels/internal/oracle"
)

var rewrite = flag.Bool("rewrite", false, "write gather.ptx anew")

// TestGatherPTX checks that gather.ptx was made from gather.cu.
func TestGatherPTX(t *testing.T) { oracle.PTX(t, "gather", *rewrite) }

func TestTakePut(t *testing.T) {
	each(t, func(t *testing.T, ws *array.Workspace) {
		ctx := t.Context()
		a := array.From(ctx, ws, []int16{0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23}, 3, 4)
		at := array.From(ctx, ws, []int64{3, -4, 3})
		require.Equal(t, []int16{3, 0, 3, 13, 10, 13, 23, 20, 23}, get(t, array.Take(a, at, 1)))
		require.Equal(t, []int16{3, 20, 3}, get(t, array.TakeFlat(a, at)), "-4 of 12 is 8")
		rows := array.Take(a, array.From(ctx, ws, []int32{2, 0}, 2, 1), 0)
		require.Equal(t, []int{2, 1, 4}, rows.Shape())
		require.Equal(t, []int16{20, 21, 22, 23, 0, 1, 2, 3}, get(t, rows))
		require.Equal(t, []int16{1, 11, 21}, get(t, array.Take(a.T(), array.From(ctx, ws, []int64{1}), 0)), "of a view")

		_, err := array.Take(a, array.From(ctx, ws, []int64{0, 4, 9}), 1).Download(ctx)
		require.ErrorIs(t, err, array.ErrIndex)
		require.EqualError(t, err, "take: index 4 (element 1 of the indices) is out of range for 4 elements")
		require.Empty(t, get(t, array.Take(a, array.From(ctx, ws, []int64{}), 0)))

		z := array.Zeros[complex128](ws, 6)
		require.NoError(t, array.Put(ctx, z, array.From(ctx, ws, []int64{1, 4, 1, -1}), array.From(ctx, ws, []complex128{1, 2, 3i, 4})))
		require.Equal(t, []complex128{0, 3i, 0, 0, 2, 4}, get(t, z), "the last of two wins")
		before := get(t, a)
		err = array.Put(ctx, a, array.From(ctx, ws, []int64{0, -13}), 5)
		require.ErrorIs(t, err, array.ErrIndex)
		require.Equal(t, before, get(t, a), "nothing is written")
		require.NoError(t, array.Put(ctx, a.T(), array.From(ctx, ws, []int32{1, 3}), 99)) // elements (0, 1) and (1, 0) of the view
		require.Equal(t, []int16{0, 99, 2, 3, 99, 11, 12, 13, 20, 21, 22, 23}, get(t, a))
		later := a.Add(1)
		require.NoError(t, array.Put(ctx, a, array.From(ctx, ws, []int32{0}), 7))
		require.Equal(t, int16(1), get(t, later)[0], "what was described before does not see the change")
		require.ErrorIs(t, array.Put(ctx, a.BroadcastTo(2, 3, 4), array.From(ctx, ws, []int32{0}), 7), array.ErrOverlap)
	})
}
