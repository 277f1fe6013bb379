package reduction_test

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/kernels/reduction"
)

func TestMain(m *testing.M) { os.Exit(cudatest.Run(m)) }

func upload[T cuda.Element](t *testing.T, dev *cuda.Device, x []T) *cuda.Buffer[T] {
	b, err := cuda.Upload(t.Context(), dev, x)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

// ordered adds products in the order that the package documents: chains of every 256th, four for each thread, trees.
func ordered(x, y []float32) float32 {
	values := make([]float32, len(x))
	for i := range x {
		values[i] = x[i] * y[i]
	}
	for first := true; first || len(values) > 1; first = false {
		var parts []float32
		for lo := 0; lo == 0 || lo < len(values); lo += 16384 {
			parts = append(parts, block(values[lo:min(lo+16384, len(values))]))
		}
		values = parts
	}
	return values[0]
}

func block(v []float32) float32 {
	var warps [32]float32
	for w := range 8 {
		var lanes [32]float32
		for l := range 32 {
			lanes[l] = chain(v, 32*w+l)
		}
		warps[w] = tree(lanes)
	}
	return tree(warps)
}

// tree is the sum of a warp by shuffles: lane l adds lane l+d, for d of 16 to 1.
func tree(lanes [32]float32) float32 {
	for d := 16; d > 0; d /= 2 {
		for l := range d {
			lanes[l] += lanes[l+d]
		}
	}
	return lanes[0]
}

func chain(v []float32, i int) float32 {
	var c [4]float32
	for ; i+3*256 < len(v); i += 4 * 256 {
		for k := range c {
			c[k] += v[i+256*k]
		}
	}
	for ; i < len(v); i += 256 {
		c[0] += v[i]
	}
	return (c[0] + c[1]) + (c[2] + c[3])
}

// TestDeterministic compares with Go, bit for bit.
func TestDeterministic(t *testing.T) {
	cudatest.NVRTC(t)
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		k, err := reduction.New[float32](t.Context(), dev, reduction.Config{
			Arguments: "const float *x, const float *y", Map: "x[i]*y[i]", Reduce: "a + b", Neutral: "0", Name: "dot"})
		require.NoError(t, err)
		defer k.Close()
		r := rand.New(rand.NewPCG(5, 6))
		for _, n := range []int{0, 1, 33, 256, 1025, 16384, 16385, 100_003} {
			x, y := make([]float32, n), make([]float32, n)
			for i := range x {
				x[i], y[i] = float32(r.NormFloat64()), float32(r.NormFloat64())
			}
			have, err := k.Run(t.Context(), reduction.Range{}, upload(t, dev, x), upload(t, dev, y))
			require.NoError(t, err)
			require.Equal(t, ordered(x, y), have, "%d elements", n)
		}
	})
}

func TestCustom(t *testing.T) {
	cudatest.NVRTC(t)
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		k, err := reduction.New[int64](t.Context(), dev, reduction.Config{
			Arguments: "const int *x, int limit", Map: "x[i] > limit ? i : -1", Reduce: "a > b ? a : b", Neutral: "-1"})
		require.NoError(t, err)
		defer k.Close()
		x := make([]int32, 40_000)
		x[123], x[39_998] = 7, 9
		dx := upload(t, dev, x)
		for _, c := range []struct {
			r     reduction.Range
			limit int
			want  int64
		}{{reduction.Range{}, 6, 39_998}, {reduction.Range{End: 39_998}, 6, 123}, {reduction.Range{}, 9, -1}, {reduction.Range{First: 124, End: 20_000}, 0, -1}} {
			have, err := k.Run(t.Context(), c.r, dx, c.limit)
			require.NoError(t, err)
			require.Equal(t, c.want, have)
		}
		biggest, err := reduction.New[float64](t.Context(), dev, reduction.Config{
			Arguments: "const double *x", Map: "fabs(x[i])", Reduce: "fmax(a, b)", Neutral: "0"})
		require.NoError(t, err)
		defer biggest.Close()
		y := []float64{1, -math.Pi, 3}
		have, err := biggest.Run(t.Context(), reduction.Range{}, upload(t, dev, y))
		require.NoError(t, err)
		require.Equal(t, math.Pi, have)
	})
}

func TestBadInput(t *testing.T) {
	cudatest.NVRTC(t)
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		good := reduction.Config{Arguments: "const float *x, const float *y", Map: "x[i]", Reduce: "a + b", Neutral: "0"}
		for _, spoil := range []func(c *reduction.Config){
			func(c *reduction.Config) { c.Map = " " }, func(c *reduction.Config) { c.Reduce = "" },
			func(c *reduction.Config) { c.Neutral = "" }, func(c *reduction.Config) { c.Arguments = "float" },
		} {
			bad := good
			spoil(&bad)
			_, err := reduction.New[float32](t.Context(), dev, bad)
			require.ErrorIs(t, err, cuda.ErrInvalidValue)
		}
		k, err := reduction.New[float32](t.Context(), dev, good)
		require.NoError(t, err)
		defer k.Close()
		x, y := upload(t, dev, make([]float32, 3)), upload(t, dev, make([]float32, 4))
		_, err = k.Run(t.Context(), reduction.Range{}, x, y)
		require.EqualError(t, err, "launch reduction: x has 3 elements, y 4: "+cuda.ErrLength.Error())
		for _, r := range []reduction.Range{{First: -1}, {End: 4}, {First: 2, End: 1}} {
			_, err = k.Run(t.Context(), r, x, x)
			require.ErrorIs(t, err, cuda.ErrLength)
		}
		_, err = k.Run(t.Context(), reduction.Range{}, x)
		require.ErrorIs(t, err, cuda.ErrArgument)
		out := upload(t, dev, slices.Repeat([]float32{7}, 2))
		require.ErrorIs(t, k.Launch(out, reduction.Range{}, x, x), cuda.ErrLength)
		have, err := out.Download(t.Context())
		require.NoError(t, err)
		require.Equal(t, []float32{7, 7}, have, "nothing is written")
	})
}
