package gonum_test

import (
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/blas/cblas128"
	"gonum.org/v1/gonum/blas/cblas64"
	"gonum.org/v1/gonum/mat"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/interop/gonum"
)

func TestMain(m *testing.M) { os.Exit(cudatest.Run(m)) }

func numbers[T float32 | float64](n int) []T {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	xs := make([]T, n)
	for i := range xs {
		xs[i] = T(r.IntN(1 << 20))
	}
	return xs
}

// TestDense: a view of a matrix goes to the device packed, and comes back without touching what lies around it.
func TestDense(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		for _, shape := range [][4]int{{0, 0, 3, 4}, {1, 1, 5, 6}, {2, 0, 3, 1}, {4, 2, 1, 5}} {
			whole := mat.NewDense(7, 9, numbers[float64](63))
			before := mat.DenseCopyOf(whole)
			at := [4]int{shape[0], shape[0] + shape[2], shape[1], min(9, shape[1]+shape[3])}
			view := whole.Slice(at[0], at[1], at[2], at[3]).(*mat.Dense)
			rows, cols := view.Dims()
			b, err := gonum.Upload64(t.Context(), dev, view.RawMatrix())
			require.NoError(t, err)
			packed, err := b.Download(t.Context())
			require.NoError(t, err)
			require.True(t, mat.Equal(view, mat.NewDense(rows, cols, packed)))

			require.NoError(t, b.Fill(-1, nil))
			require.NoError(t, gonum.Download64(t.Context(), b, view.RawMatrix()))
			for i := range 7 {
				for j := range 9 {
					want := before.At(i, j)
					if i >= at[0] && i < at[1] && j >= at[2] && j < at[3] {
						want = -1
					}
					require.Equal(t, want, whole.At(i, j), "at %d, %d", i, j)
				}
			}
			require.NoError(t, b.Close())
		}
	})
}

func TestOtherTypes(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		a := blas32.General{Rows: 2, Cols: 2, Stride: 3, Data: numbers[float32](5)}
		b, err := gonum.Upload32(t.Context(), dev, a)
		require.NoError(t, err)
		defer b.Close()
		c := blas32.General{Rows: 2, Cols: 2, Stride: 4, Data: make([]float32, 6)}
		require.NoError(t, gonum.Download32(t.Context(), b, c))
		require.Equal(t, []float32{a.Data[0], a.Data[1], 0, 0, a.Data[3], a.Data[4]}, c.Data)

		d := cblas64.General{Rows: 2, Cols: 1, Stride: 2, Data: []complex64{1 + 2i, 9, 3 + 4i}}
		e, err := gonum.UploadC64(t.Context(), dev, d)
		require.NoError(t, err)
		defer e.Close()
		f := cblas64.General{Rows: 2, Cols: 1, Stride: 1, Data: make([]complex64, 2)}
		require.NoError(t, gonum.DownloadC64(t.Context(), e, f))
		require.Equal(t, []complex64{1 + 2i, 3 + 4i}, f.Data)

		g := cblas128.General{Rows: 1, Cols: 2, Stride: 2, Data: []complex128{5i, 6}}
		h, err := gonum.UploadC128(t.Context(), dev, g)
		require.NoError(t, err)
		defer h.Close()
		clear(g.Data)
		require.NoError(t, gonum.DownloadC128(t.Context(), h, g))
		require.Equal(t, []complex128{5i, 6}, g.Data)
	})
}

func TestVectors(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		m := mat.NewDense(3, 2, []float64{1, 2, 3, 4, 5, 6})
		column := m.ColView(1).(*mat.VecDense).RawVector()
		b, err := gonum.UploadVector64(t.Context(), dev, column)
		require.NoError(t, err)
		defer b.Close()
		got, err := b.Download(t.Context())
		require.NoError(t, err)
		require.Equal(t, []float64{2, 4, 6}, got)
		require.NoError(t, b.Fill(0, nil))
		require.NoError(t, gonum.DownloadVector64(t.Context(), b, column))
		require.Equal(t, []float64{1, 0, 3, 0, 5, 0}, m.RawMatrix().Data)

		back := blas32.Vector{N: 3, Inc: -2, Data: []float32{1, 0, 2, 0, 3}}
		c, err := gonum.UploadVector32(t.Context(), dev, back)
		require.NoError(t, err)
		defer c.Close()
		walked, err := c.Download(t.Context())
		require.NoError(t, err)
		require.Equal(t, []float32{3, 2, 1}, walked)
		clear(back.Data)
		require.NoError(t, gonum.DownloadVector32(t.Context(), c, back))
		require.Equal(t, []float32{1, 0, 2, 0, 3}, back.Data)
	})
}

func TestRefused(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		for want, m := range map[string]blas64.General{
			"-1 x 2":                  {Rows: -1, Cols: 2, Stride: 2},
			"rows 1 apart":            {Rows: 2, Cols: 2, Stride: 1, Data: make([]float64, 9)},
			"in 3 elements":           {Rows: 2, Cols: 2, Stride: 2, Data: make([]float64, 3)},
			"4611686018427387904 x 2": {Rows: 1 << 62, Cols: 2, Stride: 4, Data: make([]float64, 3)},
		} {
			_, err := gonum.Upload64(t.Context(), dev, m)
			require.ErrorIs(t, err, gonum.ErrShape)
			require.ErrorContains(t, err, want)
		}
		b, err := gonum.Upload64(t.Context(), dev, blas64.General{Rows: 2, Cols: 2, Stride: 2, Data: make([]float64, 4)})
		require.NoError(t, err)
		err = gonum.Download64(t.Context(), b, blas64.General{Rows: 3, Cols: 1, Stride: 1, Data: make([]float64, 3)})
		require.ErrorContains(t, err, "4 elements to 3 x 1")
		require.ErrorIs(t, gonum.DownloadVector64(t.Context(), b, blas64.Vector{N: 5, Inc: 1, Data: make([]float64, 5)}), gonum.ErrShape)
		require.ErrorIs(t, gonum.DownloadVector64(t.Context(), b, blas64.Vector{N: 4, Inc: 0, Data: make([]float64, 5)}), gonum.ErrShape)
		require.NoError(t, b.Close())
		m := blas64.General{Rows: 2, Cols: 2, Stride: 2, Data: make([]float64, 4)}
		require.ErrorIs(t, gonum.Download64(t.Context(), b, m), cuda.ErrClosed)
		empty, err := gonum.Upload64(t.Context(), dev, blas64.General{Cols: 3, Stride: 3})
		require.NoError(t, err)
		require.NoError(t, gonum.Download64(t.Context(), empty, blas64.General{Cols: 3, Stride: 3}))
		require.NoError(t, empty.Close())
	})
}
