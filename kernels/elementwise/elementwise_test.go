package elementwise_test

import (
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/kernels/elementwise"
)

func TestMain(m *testing.M) { os.Exit(cudatest.Run(m)) }

func upload[T cuda.Element](t *testing.T, dev *cuda.Device, x []T) *cuda.Buffer[T] {
	b, err := cuda.Upload(t.Context(), dev, x)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func TestExpression(t *testing.T) {
	cudatest.NVRTC(t)
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		k, err := elementwise.New(t.Context(), dev, "float a, const float *x, float b, const float *y, float *z", "z[i] = a*x[i] + b*y[i]",
			elementwise.Config{Name: "axpby", Options: []string{"--fmad=false"}})
		require.NoError(t, err)
		defer k.Close()
		r := rand.New(rand.NewPCG(1, 2))
		for _, n := range []int{0, 1, 31, 257, 5000} {
			x, y, want := make([]float32, n), make([]float32, n), make([]float32, n)
			for i := range x {
				x[i], y[i] = r.Float32(), r.Float32()
				want[i] = float32(2*x[i]) + float32(3*y[i])
			}
			z := upload(t, dev, make([]float32, n))
			require.NoError(t, k.Launch(elementwise.Range{}, float32(2), upload(t, dev, x), float32(3), upload(t, dev, y), z))
			have, err := z.Download(t.Context())
			require.NoError(t, err)
			require.Equal(t, want, have)
		}
	})
}

func TestRange(t *testing.T) {
	cudatest.NVRTC(t)
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		k, err := elementwise.New(t.Context(), dev, "int *z, int v", "z[i] = twice(v) + i; if (n > 1000) z[i] = -1",
			elementwise.Config{Preamble: "__device__ int twice(int v) { return 2*v; }"})
		require.NoError(t, err)
		defer k.Close()
		z := upload(t, dev, make([]int32, 10))
		s, err := dev.NewStream(cuda.StreamConfig{})
		require.NoError(t, err)
		defer s.Close()
		require.NoError(t, k.Launch(elementwise.Range{First: 1, End: 8, Step: 3, Stream: s}, z, 50))
		require.NoError(t, s.Wait(t.Context()))
		have, err := z.Download(t.Context())
		require.NoError(t, err)
		require.Equal(t, []int32{0, 101, 0, 0, 104, 0, 0, 107, 0, 0}, have)

		for _, bad := range []elementwise.Range{{First: -1}, {End: 11}, {First: 5, End: 4}, {Step: -1}} {
			require.ErrorIs(t, k.Launch(bad, z, 50), cuda.ErrLength)
		}
		after, err := z.Download(t.Context())
		require.NoError(t, err)
		require.Equal(t, have, after, "nothing is written")
	})
}

func TestBadInput(t *testing.T) {
	cudatest.NVRTC(t)
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		_, err := elementwise.New(t.Context(), dev, "float a", "a", elementwise.Config{})
		require.ErrorContains(t, err, "there is no array among the parameters (float a)")
		_, err = elementwise.New(t.Context(), dev, "float *x, y", "x[i] = 1", elementwise.Config{})
		require.ErrorContains(t, err, `parameter "y" has no type and name`)
		var rejected *cuda.CompileError
		_, err = elementwise.New(t.Context(), dev, "float *x", "x[i] = nothing", elementwise.Config{})
		require.ErrorAs(t, err, &rejected)

		k, err := elementwise.New(t.Context(), dev, "const float *x, float *z", "z[i] = x[i]", elementwise.Config{})
		require.NoError(t, err)
		defer k.Close()
		three, four := upload(t, dev, make([]float32, 3)), upload(t, dev, make([]float32, 4))
		require.EqualError(t, k.Launch(elementwise.Range{}, three, four), "launch elementwise: x has 3 elements, z 4: "+cuda.ErrLength.Error())
		require.ErrorIs(t, k.Launch(elementwise.Range{}, three), cuda.ErrArgument)
		require.ErrorIs(t, k.Launch(elementwise.Range{}, nil, nil), cuda.ErrArgument)
		require.ErrorIs(t, k.Launch(elementwise.Range{}, three, upload(t, dev, make([]float64, 3))), cuda.ErrArgument)
	})
}
