package cuda_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
)

const checkedKernels = `
extern "C" __global__ void saxpy(int n, float *a, const float *b, float *c) {
	int i = blockIdx.x * blockDim.x + threadIdx.x;
	if (i < n) c[i] = 2 * a[i] + b[i];
}
extern "C" __global__ void transpose(int n, float *a, const float *b, float *c) {
	__shared__ float tile[16][17];
	int x = blockIdx.x % (n / 16) * 16, y = blockIdx.x / (n / 16) * 16, tx = threadIdx.x % 16, ty = threadIdx.x / 16;
	tile[ty][tx] = a[(y + ty) * n + x + tx];
	__syncthreads();
	c[(x + ty) * n + y + tx] = tile[tx][ty];
}
extern "C" __global__ void matmul(int n, float *a, const float *b, float *c) {
	__shared__ float ta[16][16], tb[16][16];
	int x = blockIdx.x % (n / 16) * 16, y = blockIdx.x / (n / 16) * 16, tx = threadIdx.x % 16, ty = threadIdx.x / 16;
	float sum = 0;
	for (int k = 0; k < n; k += 16) {
		ta[ty][tx] = a[(y + ty) * n + k + tx];
		tb[ty][tx] = b[(k + ty) * n + x + tx];
		__syncthreads();
		for (int i = 0; i < 16; i++) sum += ta[ty][i] * tb[i][tx];
		__syncthreads();
	}
	c[(y + ty) * n + x + tx] = sum;
}
extern "C" __global__ void reduce(int n, float *a, const float *b, float *c) {
	__shared__ float s[256];
	int i = blockIdx.x * 256 + threadIdx.x;
	s[threadIdx.x] = i < n ? a[i] : 0;
	__syncthreads();
	for (int k = 128; k > 0; k /= 2) {
		if (threadIdx.x < k) s[threadIdx.x] += s[threadIdx.x + k];
		__syncthreads();
	}
	if (threadIdx.x == 0) c[blockIdx.x] = s[0];
}
extern "C" __global__ void histogram(int n, float *a, const float *b, float *c) {
	__shared__ unsigned bins[256];
	bins[threadIdx.x] = 0;
	__syncthreads();
	int i = blockIdx.x * 256 + threadIdx.x;
	if (i < n) atomicAdd(&bins[(unsigned)(a[i] * 7) % 256], 1u);
	__syncthreads();
	atomicAdd((unsigned *)c + threadIdx.x, bins[threadIdx.x]);
}
extern "C" __global__ void bytes(int n, unsigned char *a, const unsigned char *b, unsigned char *c) {
	int i = blockIdx.x * blockDim.x + threadIdx.x;
	if (i > 0 && i < n - 1) c[i] = (a[i - 1] + a[i] + a[i + 1]) / 3;
}
`

// TestShadow: what all checks of a launch need is at most four times the buffers, for kernels that use memory in words, in
// bytes, through tiles in shared memory, and atomically.
func TestShadow(t *testing.T) {
	for _, c := range []struct {
		kernel             string
		n, blocks, threads int
		elements           int // of each buffer, of 4 bytes
	}{
		{"saxpy", 1 << 15, 1 << 7, 256, 1 << 15}, {"transpose", 128, 64, 256, 1 << 14}, {"matmul", 128, 64, 256, 1 << 14},
		{"reduce", 1 << 15, 1 << 7, 256, 1 << 15}, {"histogram", 1 << 15, 1 << 7, 256, 1 << 15}, {"bytes", 1 << 16, 1 << 8, 256, 1 << 14},
	} {
		t.Run(c.kernel, func(t *testing.T) {
			dev, err := cuda.OpenHost(cuda.HostConfig{Engine: "interp", Workers: 1, Checks: cuda.AllChecks()})
			require.NoError(t, err)
			defer dev.Close()
			mod, err := dev.Compile(t.Context(), checkedKernels, cuda.CompileConfig{Name: "checked.cu"})
			require.NoError(t, err)
			fn, err := mod.Function(c.kernel)
			require.NoError(t, err)
			args := []any{int32(c.n)}
			for range 3 {
				buf, err := cuda.Upload(t.Context(), dev, make([]float32, c.elements))
				require.NoError(t, err)
				if args = append(args, buf); c.kernel == "bytes" {
					bytes, err := cuda.Reinterpret[uint8](buf)
					require.NoError(t, err)
					args[len(args)-1] = bytes
				}
			}
			require.NoError(t, fn.Run(t.Context(), cuda.LaunchConfig{Grid: cuda.D1(c.blocks), Block: cuda.D1(c.threads)}, args...))
			require.Empty(t, dev.Reports())
			require.NotZero(t, dev.ShadowBytes())
			require.LessOrEqual(t, dev.ShadowBytes(), uint64(4*3*4*c.elements))
		})
	}
}

// BenchmarkChecks compares launches under all checks with plain launches of the reference engine, one after the other, on
// one worker: the ratio of medians, and the shadow's size beside the buffers'.
func BenchmarkChecks(b *testing.B) {
	for _, c := range []struct {
		kernel             string
		n, blocks, threads int
		elements           int // of each buffer, of 4 bytes
	}{
		{"saxpy", 1 << 18, 1 << 10, 256, 1 << 18}, {"transpose", 512, 1024, 256, 1 << 18}, {"matmul", 128, 64, 256, 1 << 14},
		{"reduce", 1 << 18, 1 << 10, 256, 1 << 18}, {"histogram", 1 << 18, 1 << 10, 256, 1 << 18}, {"bytes", 1 << 18, 1 << 10, 256, 1 << 16},
	} {
		b.Run(c.kernel, func(b *testing.B) {
			var times [2][]float64
			var launch [2]func()
			var dev [2]*cuda.Device
			for i, checks := range [][]cuda.Check{nil, cuda.AllChecks()} {
				var err error
				dev[i], err = cuda.OpenHost(cuda.HostConfig{Engine: "interp", Workers: 1, Checks: checks})
				require.NoError(b, err)
				defer dev[i].Close()
				mod, err := dev[i].Compile(b.Context(), checkedKernels, cuda.CompileConfig{Name: "checked.cu"})
				require.NoError(b, err)
				fn, err := mod.Function(c.kernel)
				require.NoError(b, err)
				args := []any{int32(c.n)}
				for range 3 {
					buf, err := cuda.Upload(b.Context(), dev[i], make([]float32, c.elements))
					require.NoError(b, err)
					if c.kernel == "bytes" {
						bytes, err := cuda.Reinterpret[uint8](buf)
						require.NoError(b, err)
						args = append(args, bytes)
					} else {
						args = append(args, buf)
					}
				}
				launch[i] = func() {
					begun := time.Now()
					require.NoError(b, fn.Run(b.Context(), cuda.LaunchConfig{Grid: cuda.D1(c.blocks), Block: cuda.D1(c.threads)}, args...))
					times[i] = append(times[i], time.Since(begun).Seconds()*1000)
				}
			}
			for b.Loop() {
				launch[0]()
				launch[1]()
			}
			require.Empty(b, dev[1].Reports())
			var median [2]float64
			for i := range times {
				slices.Sort(times[i])
				median[i] = times[i][len(times[i])/2]
			}
			b.ReportMetric(median[0], "plain-ms")
			b.ReportMetric(median[1], "checked-ms")
			b.ReportMetric(median[1]/median[0], "times-plain")
			b.ReportMetric(float64(dev[1].ShadowBytes())/float64(3*4*c.elements), "shadow/buffers")
		})
	}
}
