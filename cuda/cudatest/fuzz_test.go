package cudatest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
)

const saxpy = `extern "C" __global__ void saxpy(int n, float a, const float *x, float *y) {
	int i = blockIdx.x * blockDim.x + threadIdx.x;
	if (i < n) y[i] += a * x[i];
}`

// FuzzSaxpy is what a user writes.
func FuzzSaxpy(f *testing.F) { cudatest.Fuzz(f, cudatest.Target{Source: saxpy, Kernel: "saxpy"}) }

// failures is a test that notes what fails.
type failures struct {
	testing.TB
	texts []string
}

func (f *failures) Helper() {}
func (f *failures) Errorf(format string, args ...any) {
	f.texts = append(f.texts, fmt.Sprintf(format, args...))
}

// TestFuzzFinds: defects that depend on the arguments are found by some of a few inputs, and right kernels by none.
func TestFuzzFinds(t *testing.T) {
	for _, c := range []struct {
		source, want string
		checks       []cuda.Check
	}{
		{saxpy, "", nil},
		{strings.Replace(saxpy, "i < n", "i <= n", 1), "memcheck: fault", nil},
		{strings.Replace(saxpy, "y[i] +=", "y[i / 2] +=", 1), "racecheck: ", nil},
		{strings.Replace(saxpy, "int i", "if (n > 150) __trap(); int i", 1), "CUDA_ERROR_LAUNCH_FAILED", nil},
		{strings.Replace(saxpy, "a * x[i]", "(i == 3 && malloc(8) ? a : a * x[i])", 1), "8 bytes were not freed", nil},
	} {
		f := &failures{TB: t}
		for seed := range uint64(12) {
			cudatest.Target{Source: c.source, Kernel: "saxpy", Checks: c.checks}.Try(f, seed, nil)
		}
		if c.want == "" {
			require.Empty(t, f.texts)
		} else {
			require.Contains(t, strings.Join(f.texts, "\n"), c.want)
		}
	}
}

// TestArguments: choices decide scalars, and the same input gives the same arguments.
func TestArguments(t *testing.T) {
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	require.NoError(t, err)
	defer dev.Close()
	mod, err := dev.Compile(t.Context(), `struct P { int k; float *data; };
extern "C" __global__ void k(int n, P p, unsigned char c, double d, const float4 *v) {}`, cuda.CompileConfig{Name: "k.cu"})
	require.NoError(t, err)
	fn, err := mod.Function("k")
	require.NoError(t, err)
	params, err := fn.Params(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"n int 4", "p struct 16", "c uint 1", "d float 8", "v pointer 8"}, []string{
		text(params[0]), text(params[1]), text(params[2]), text(params[3]), text(params[4])})
	require.Equal(t, "pointer", params[1].Fields[1].Kind)
	require.Equal(t, 16, params[4].Elem.Size)
	a := cudatest.NewArguments(dev, 1, []byte{7, 0, 0, 0, 9, 0, 0, 0})
	args, err := a.Make(t.Context(), fn)
	require.NoError(t, err)
	require.Equal(t, []any{int32(7), uint8(9)}, []any{args[0], args[2]})
	require.Equal(t, 9, a.Largest())
	again, err := cudatest.NewArguments(dev, 1, []byte{7, 0, 0, 0, 9, 0, 0, 0}).Make(t.Context(), fn)
	require.NoError(t, err)
	require.Equal(t, args[3], again[3])
}

func text(p cuda.Param) string { return fmt.Sprintf("%s %s %d", p.Name, p.Kind, p.Size) }
