package array_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/kernels/array"
)

func TestMain(m *testing.M) { os.Exit(cudatest.Run(m)) }

func workspace(t *testing.T, dev *cuda.Device, cfg array.Config) *array.Workspace {
	ws, err := array.NewWorkspace(dev, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, ws.Close()) })
	return ws
}

// each runs a test on each device, with and without fusion.
func each(t *testing.T, test func(t *testing.T, ws *array.Workspace)) {
	cudatest.NVRTC(t)
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		t.Run("fused", func(t *testing.T) { test(t, workspace(t, dev, array.Config{Fusion: array.FuseAlways})) })
		t.Run("stepwise", func(t *testing.T) { test(t, workspace(t, dev, array.Config{Fusion: array.FuseNever})) })
	})
}

func get[T array.Element](t *testing.T, a *array.Array[T]) []T {
	t.Helper()
	out, err := a.Download(t.Context())
	require.NoError(t, err)
	return out
}

func TestExpression(t *testing.T) {
	each(t, func(t *testing.T, ws *array.Workspace) {
		x := array.From(t.Context(), ws, []float32{1, 2, 3, 4, 5, 6}, 2, 3)
		y := array.From(t.Context(), ws, []float32{10, 20, 30})
		require.Equal(t, []float32{12, 24, 36, 18, 30, 42}, get(t, x.Mul(2).Add(y)))
		require.Equal(t, []float32{1, 4, 2, 5, 3, 6}, get(t, x.T()))
		require.Equal(t, []float32{21}, get(t, x.Sum()))
		require.Equal(t, []float32{5, 7, 9}, get(t, x.Sum(0)))
		require.Equal(t, []float32{6, 15}, get(t, x.Sum(1)))
		require.Equal(t, []float32{6, 5, 4, 3, 2, 1}, get(t, x.Flip()))
		require.Equal(t, []float32{3, 1, 6, 4}, get(t, x.Slice(":, ::-2")))
		require.Equal(t, []int64{5}, get(t, x.ArgMax()))
		require.Equal(t, []float32{3.5}, get(t, x.Mean()))
		require.Equal(t, []bool{false, false, false, true, true, true}, get(t, x.Greater(3)))
		require.Equal(t, []float32{0, 2, 4, 6, 8}, get(t, array.Arange[float32](ws, 5, 0, 2)))
		require.NoError(t, x.Slice("0").AddAssign(t.Context(), 1))
		require.Equal(t, []float32{2, 3, 4, 4, 5, 6}, get(t, x))
		require.Equal(t, []float32{1, 2, 1, 2}, get(t, array.Concatenate(0, array.Arange[float32](ws, 2, 1, 1), array.Arange[float32](ws, 2, 1, 1))))
	})
}
