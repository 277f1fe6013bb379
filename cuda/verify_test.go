package cuda_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
)

// twoOf compiles one kernel from two sources on two host devices.
func twoOf(t *testing.T, name, one, two string) (a, b *cuda.Function, dev *cuda.Device) {
	var fs [2]*cuda.Function
	for i, source := range []string{one, two} {
		d, err := cuda.OpenHost(cuda.HostConfig{Engine: []string{"", "interp"}[i]})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, d.Close()) })
		if i == 0 {
			dev = d
		}
		m, err := d.Compile(t.Context(), source, cuda.CompileConfig{})
		require.NoError(t, err)
		fs[i], err = m.Function(name)
		require.NoError(t, err)
	}
	return fs[0], fs[1], dev
}

const (
	stepSource  = `extern "C" __global__ void step(const float *x, float *y, int *n) { int i = threadIdx.x; y[i] = y[i] * x[i]; n[i] += i; }`
	wrongSource = `extern "C" __global__ void step(const float *x, float *y, int *n) { int i = threadIdx.x; y[i] = y[i] * x[i]; n[i] += i;
		if (i >= 5) y[i] = __int_as_float(__float_as_int(y[i]) + i - 3); if (i == 7) n[i] -= 10; }`
)

// TestVerify: a kernel that is wrong is found with the first element that differs, both values and their distance.
func TestVerify(t *testing.T) {
	a, b, dev := twoOf(t, "step", stepSource, wrongSource)
	x, n := randoms(1, 16), make([]int32, 8)
	y, err := cuda.Upload(t.Context(), dev, randoms(2, 8))
	require.NoError(t, err)
	ys := randoms(2, 8)
	err = cuda.Verify(t.Context(), a, b, threads(8), cuda.VerifyConfig{}, cuda.In(x), y, cuda.InOut(n))
	require.ErrorIs(t, err, cuda.ErrDifferent)
	var d *cuda.Difference
	require.ErrorAs(t, err, &d)
	require.Equal(t, []int32{0, 1, 2, 3, 4, 5, 6, 7}, n, "the first run is the caller's")
	got, err := y.Download(t.Context())
	require.NoError(t, err)
	require.Equal(t, ys[5]*x[5], got[5])

	require.Equal(t, 1, d.Param)
	require.Equal(t, "y", d.Name)
	require.Equal(t, 5, d.Index)
	require.Equal(t, got[5], d.A)
	require.Equal(t, math.Float32frombits(math.Float32bits(got[5])+2), d.B)
	require.EqualValues(t, 2, d.ULP)
	require.Equal(t, 3, d.Count)
	require.EqualValues(t, 4, d.Worst)
	require.Contains(t, d.OnB, "(interp)")
	require.Contains(t, d.Error(), "verify step: parameter 1 (y), element 5: ")
	require.Contains(t, d.Error(), ": 2 ulp apart; 3 numbers differ, by at most 4 ulp")

	err = cuda.Verify(t.Context(), a, b, threads(8), cuda.VerifyConfig{ULP: 4}, cuda.In(x), y, cuda.InOut(n))
	require.ErrorAs(t, err, &d)
	require.Equal(t, 2, d.Param, "integers have no tolerance")
	require.Equal(t, 7, d.Index)
	require.Equal(t, []any{int64(14), int64(4)}, []any{d.A, d.B})
	require.EqualValues(t, 10, d.ULP)
	require.NoError(t, cuda.Verify(t.Context(), a, b, threads(7), cuda.VerifyConfig{ULP: 3}, cuda.In(x), y, cuda.InOut(n)))

	same, alsoSame, dev := twoOf(t, "step", stepSource, stepSource)
	out := []float32{float32(math.NaN()), 2, 3}
	require.NoError(t, cuda.Verify(t.Context(), same, alsoSame, threads(2), cuda.VerifyConfig{}, cuda.In(x), cuda.Out(out), cuda.Out(n)),
		"what is not written cannot differ")
	require.Equal(t, []float32{2 * x[1], 3}, out[1:])

	z, err := cuda.Alloc[float32](dev, 8)
	require.NoError(t, err)
	half, err := z.Slice(0, 4)
	require.NoError(t, err)
	require.ErrorIs(t, cuda.Verify(t.Context(), same, alsoSame, threads(2), cuda.VerifyConfig{}, half, z, cuda.Out(n)), cuda.ErrNotSupported)
	require.ErrorIs(t, cuda.Verify(t.Context(), a, b, threads(2), cuda.VerifyConfig{}, cuda.In(x), z, cuda.Out(n)), cuda.ErrWrongDevice)
	require.ErrorIs(t, cuda.Verify(t.Context(), a, b, threads(2), cuda.VerifyConfig{}, cuda.In(x)), cuda.ErrArgument)
}

// TestDistance: neighbours are one apart, also across zero; NaNs are equal, whatever their bits.
func TestDistance(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		x, y float64
		want uint64
	}{
		{1, math.Nextafter(1, 2), 1},
		{-1, math.Nextafter(-1, 0), 1},
		{0, math.Copysign(0, -1), 1},
		{math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64, 3},
		{math.MaxFloat64, inf, 1},
		{1, 2, 1 << 52},
		{math.NaN(), -math.NaN(), 0},
	} {
		require.Equal(t, c.want, cuda.Distance(c.x, c.y), "%v %v", c.x, c.y)
		require.Equal(t, c.want, cuda.Distance(c.y, c.x))
	}
	require.Positive(t, cuda.Distance(math.NaN(), inf))
}
