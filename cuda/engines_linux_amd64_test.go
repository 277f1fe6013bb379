package cuda_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/corpus"
)

// TestCorpusAVX2: the textbook kernels on the engine for processors without AVX-512, which each of them must name.
func TestCorpusAVX2(t *testing.T) {
	t.Setenv("TANDEM_ENGINE", "jit/avx2")
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	require.NoError(t, err)
	defer dev.Close()
	for _, c := range corpus.Cases(rand64(t)) {
		t.Run(c.Name, func(t *testing.T) { runCase(t, dev, c, "jit/avx2") })
	}
}

// TestEscaped: over the textbook kernels, machine code leaves at most 2 % of the operations of lanes to Go, on each engine
// that this machine can run.
func TestEscaped(t *testing.T) {
	for _, engine := range []string{"jit", "jit/avx2"} {
		t.Run(engine, func(t *testing.T) {
			dev, err := cuda.OpenHost(cuda.HostConfig{Engine: engine, Count: true})
			require.NoError(t, err)
			defer dev.Close()
			var all, inGo uint64
			for _, c := range corpus.Cases(rand64(t)) {
				t.Run(c.Name, func(t *testing.T) {
					seen := map[string]bool{}
					for _, f := range runCase(t, dev, c, "") {
						if seen[f.Name()] {
							continue
						}
						seen[f.Name()] = true
						n, escaped := cuda.Executed(f)
						require.NotZero(t, n, f.Name())
						all, inGo = all+n, inGo+escaped
					}
				})
			}
			share := float64(inGo) / float64(all)
			t.Logf("%d of %d operations in Go: %.3f %%", inGo, all, 100*share)
			require.LessOrEqual(t, share, 0.02)
		})
	}
}

// TestEscapedCounts: who counts nothing says nothing, and the reference engine is Go.
func TestEscapedCounts(t *testing.T) {
	c := corpus.Cases(1)[0]
	for engine, want := range map[string]float64{"interp": 1, "jit/avx2": 0} {
		dev, err := cuda.OpenHost(cuda.HostConfig{Engine: engine})
		require.NoError(t, err)
		require.Equal(t, want, runCase(t, dev, c, engine)[0].Escaped())
		require.NoError(t, dev.Close())
	}
}

// TestEngineVariable: a name that no engine has is an error and never another engine.
func TestEngineVariable(t *testing.T) {
	t.Setenv("TANDEM_ENGINE", "steam")
	_, err := cuda.OpenHost(cuda.HostConfig{})
	require.ErrorIs(t, err, cuda.ErrNotSupported)
}

// TestCallsAreCompiled: a kernel that calls functions, as NVRTC makes it of sin, cos and pow in double precision, runs as
// machine code, with the bits of the reference engine. The sum is dominated by its last term, so a few units in the last
// place of each term are less than 1e-15 of it.
func TestCallsAreCompiled(t *testing.T) {
	const n = 1000
	var want []float64
	for _, engine := range []string{"interp", "jit", "jit/avx2"} {
		dev, err := cuda.OpenHost(cuda.HostConfig{Engine: engine})
		require.NoError(t, err)
		defer dev.Close()
		mod, err := dev.Compile(context.Background(), `
__device__ __noinline__ double half_square(double x) { return x * x * 0.5; }
extern "C" __global__ void calls(double *y, const double *x, int n)
{
	int i = blockIdx.x * blockDim.x + threadIdx.x;
	if (i < n) y[i] = sin(x[i]) * cos(x[i]) + pow(x[i], 1.3) + half_square(x[i]);
}`, cuda.CompileConfig{Name: "calls.cu"})
		require.NoError(t, err)
		f, err := mod.Function("calls")
		require.NoError(t, err)
		x, y := make([]float64, n), make([]float64, n)
		for i := range x {
			x[i] = 1 + 1e4*float64(i) // the slow path of sin and cos begins at 105,615
		}
		require.NoError(t, f.Run(context.Background(), cuda.LaunchConfig{Grid: cuda.Blocks(n, 128), Block: cuda.D1(128)}, cuda.Out(y), cuda.In(x), int32(n)))
		for i, v := range x {
			require.InEpsilon(t, math.Sin(v)*math.Cos(v)+math.Pow(v, 1.3)+v*v/2, y[i], 1e-14, "x = %v", v)
		}
		if engine == "interp" {
			want = y
			continue
		}
		require.Contains(t, f.Engine(), "jit/")
		require.Equal(t, want, y, f.Engine())
	}
}

// TestHalves: arithmetic of f16 and bf16 runs as machine code, with the bits of the reference engine, for random bits, so for
// NaNs, infinities and subnormal numbers too.
func TestHalves(t *testing.T) {
	const n = 1 << 12
	in := make([]uint32, n)
	r := rand.New(rand.NewPCG(rand64(t), 0))
	for i := range in {
		in[i] = r.Uint32()
	}
	var want []uint32
	for _, engine := range []string{"interp", "jit", "jit/avx2"} {
		dev, err := cuda.OpenHost(cuda.HostConfig{Engine: engine, Count: true})
		require.NoError(t, err)
		defer dev.Close()
		mod, err := dev.Compile(context.Background(), `
__device__ unsigned f16(unsigned a, unsigned b) {
	unsigned r;
	asm("{.reg .b32 s, p, f;\n add.f16x2 s, %1, %2; mul.f16x2 p, %1, %2; fma.rn.f16x2 f, %1, %2, s; min.f16x2 f, f, p; sub.f16x2 %0, f, %1;}" : "=r"(r) : "r"(a), "r"(b));
	return r;
}
__device__ unsigned bf16(unsigned a, unsigned b) {
	unsigned r;
	asm("{.reg .b32 f, m;\n fma.rn.bf16x2 f, %1, %2, %1; max.bf16x2 m, %2, f; fma.rn.relu.bf16x2 %0, %1, f, m;}" : "=r"(r) : "r"(a), "r"(b));
	return r;
}
extern "C" __global__ void halves(unsigned *out, const unsigned *in, int n)
{
	int i = blockIdx.x * blockDim.x + threadIdx.x, j = n - 1 - i;
	if (i < n) out[i] = f16(in[i], in[j]) ^ 5 * bf16(in[i], in[j]);
}`, cuda.CompileConfig{Name: "halves.cu", Options: []string{"--gpu-architecture=compute_80"}})
		require.NoError(t, err)
		f, err := mod.Function("halves")
		require.NoError(t, err)
		out := make([]uint32, n)
		require.NoError(t, f.Run(context.Background(), cuda.LaunchConfig{Grid: cuda.Blocks(n, 128), Block: cuda.D1(128)}, cuda.Out(out), cuda.In(in), int32(n)))
		if engine == "interp" {
			want = out
			continue
		}
		require.Zero(t, f.Escaped(), f.Engine())
		require.Equal(t, want, out, f.Engine())
	}
}
