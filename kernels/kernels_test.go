package kernels_test

import (
	"flag"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/kernels"
	"github.com/tandem-go/tandem/kernels/internal/oracle"
)

var rewrite = flag.Bool("rewrite", false, "write kernels.ptx anew")

func TestMain(m *testing.M) { os.Exit(cudatest.Run(m)) }

// TestEmbedded checks that kernels.ptx was made from kernels.cu.
func TestEmbedded(t *testing.T) { oracle.PTX(t, "kernels", *rewrite, "--fmad=false") }

func load(t *testing.T, dev *cuda.Device) *kernels.Library {
	l, err := kernels.Load(t.Context(), dev)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

func upload[T cuda.Element](t *testing.T, dev *cuda.Device, x []T) *cuda.Buffer[T] {
	b, err := cuda.Upload(t.Context(), dev, x)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

// draw makes n numbers of any magnitude that T has.
func draw[T kernels.Number](r *rand.Rand, n int) []T {
	x := make([]T, n)
	for i := range x {
		v := r.NormFloat64() * 1000
		if T(1)/2 == 0 { // an integer: a negative float has no unsigned value, a negative integer wraps
			x[i] = T(int64(v))
			continue
		}
		x[i] = T(v)
	}
	return x
}

// testAxpby compares with Go, bit for bit, at lengths around the sizes of warp and block.
func testAxpby[T kernels.Number](t *testing.T, dev *cuda.Device, l *kernels.Library) {
	r := rand.New(rand.NewPCG(uint64(dev.Info().Ordinal), 7))
	for _, n := range []int{0, 1, 31, 32, 33, 255, 256, 257, 5000} {
		x, y := draw[T](r, n), draw[T](r, n)
		a, b := draw[T](r, 1)[0], draw[T](r, 1)[0]
		dx, dy := upload(t, dev, x), upload(t, dev, y)
		dz := upload(t, dev, draw[T](r, n))
		require.NoError(t, kernels.Axpby(l, a, dx, b, dy, dz, nil))
		z, err := dz.Download(t.Context())
		require.NoError(t, err)
		want := make([]T, n)
		for i := range want {
			want[i] = T(a*x[i]) + T(b*y[i])
		}
		require.Equal(t, want, z)
		require.NoError(t, kernels.Axpby(l, a, dx, b, dy, dx, nil), "z may be x")
		z, err = dx.Download(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, z)
		same, err := dy.Download(t.Context())
		require.NoError(t, err)
		require.Equal(t, y, same, "inputs are unchanged")
	}
}

// testSum compares with exact sums, within the bound that Sum states.
func testSum[T kernels.Number](t *testing.T, dev *cuda.Device, l *kernels.Library, u float64) {
	r := rand.New(rand.NewPCG(3, uint64(dev.Info().Ordinal)))
	for _, n := range []int{0, 1, 33, 256, 10_007, 70_001} {
		x := draw[T](r, n)
		got, err := kernels.Sum(t.Context(), l, upload(t, dev, x))
		require.NoError(t, err)
		if u == 0 {
			var want T
			for _, v := range x {
				want += v
			}
			require.Equal(t, want, got)
			continue
		}
		exact, size := new(big.Float).SetPrec(200), 0.0
		for _, v := range x {
			exact.Add(exact, big.NewFloat(float64(v)))
			size += math.Abs(float64(v))
		}
		diff, _ := new(big.Float).Sub(exact, big.NewFloat(float64(got))).Float64()
		require.LessOrEqual(t, math.Abs(diff), (float64(n)/65536+16)*u*size)
	}
}

func TestKernels(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		l := load(t, dev)
		testAxpby[float32](t, dev, l)
		testAxpby[float64](t, dev, l)
		testAxpby[int32](t, dev, l)
		testAxpby[uint32](t, dev, l)
		testAxpby[int64](t, dev, l)
		testAxpby[uint64](t, dev, l)
		testSum[float32](t, dev, l, 0x1p-24)
		testSum[float64](t, dev, l, 0x1p-53)
		testSum[int32](t, dev, l, 0)
		testSum[uint32](t, dev, l, 0)
		testSum[int64](t, dev, l, 0)
		testSum[uint64](t, dev, l, 0)
	})
}

func TestLengths(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		l := load(t, dev)
		x, y := upload(t, dev, make([]float32, 3)), upload(t, dev, make([]float32, 4))
		require.ErrorIs(t, kernels.Axpby(l, 1, x, 1, y, y, nil), cuda.ErrLength)
		require.ErrorIs(t, kernels.Axpby(l, 1, y, 1, x, y, nil), cuda.ErrLength)
		require.ErrorIs(t, kernels.Axpby(l, 1, y, 1, y, x, nil), cuda.ErrLength)
	})
}
