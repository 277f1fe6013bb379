package cuda_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/corpus"
)

// TestChecksAreQuiet: the textbook kernels have no defect, warp-synchronous reductions, locks and the last block's sum
// included.
func TestChecksAreQuiet(t *testing.T) {
	dev, err := cuda.OpenHost(cuda.HostConfig{Checks: cuda.AllChecks()})
	require.NoError(t, err)
	defer dev.Close()
	for _, c := range corpus.Cases(rand64(t)) {
		t.Run(c.Name, func(t *testing.T) {
			runCase(t, dev, c, "interp")
			requireNoReports(t, dev)
		})
	}
	require.Empty(t, dev.Leaks())
}

func requireNoReports(t *testing.T, dev *cuda.Device) {
	t.Helper()
	for _, r := range dev.Reports() {
		t.Errorf("%v", r)
	}
}

// defect is a kernel of one block of threads (2 blocks where it says so) with what the checks say of it: check, kind, the
// thread and the line, and for a race the other thread and line. Lines are those of the source, which begins with the line
// of the signature as line 2.
type defect struct {
	name, source    string
	blocks, threads int
	want            []string
}

var defects = []defect{
	{"clean", `__global__ void k(int *a, int n) {
	__shared__ int s[64];
	s[threadIdx.x] = a[threadIdx.x];
	__syncthreads();
	a[threadIdx.x] = s[63 - threadIdx.x];
}`, 1, 64, nil},
	{"missing barrier", `__global__ void k(int *a, int n) {
	__shared__ int s[64];
	s[threadIdx.x] = a[threadIdx.x];
	a[threadIdx.x] = s[63 - threadIdx.x];
}`, 1, 64, []string{"initcheck: uninitialised read: (0,0,0):5", "racecheck: write after read: (32,0,0):4 after (31,0,0):5",
		"racecheck: read after write: (32,0,0):5 after (31,0,0):4"}},
	{"missing barrier at the end of a loop", `__global__ void k(int *a, int n) {
	__shared__ int s[64];
	int sum = 0;
	for (int i = 0; i < 2; i++) {
		s[threadIdx.x] = a[threadIdx.x] + i;
		__syncthreads();
		sum += s[63 - threadIdx.x];
	}
	a[threadIdx.x] = sum;
}`, 1, 64, []string{"racecheck: read after write: (0,0,0):8 after (63,0,0):6", "racecheck: write after read: (0,0,0):6 after (63,0,0):8"}},
	{"lockstep without volatile", `__global__ void k(int *a, int n) {
	__shared__ int s[32];
	s[threadIdx.x] = a[threadIdx.x];
	a[threadIdx.x] = s[31 - threadIdx.x];
}`, 1, 32, []string{"racecheck: lockstep: (0,0,0):5 after (31,0,0):4"}},
	{"lockstep with __syncwarp", `__global__ void k(int *a, int n) {
	__shared__ int s[32];
	s[threadIdx.x] = a[threadIdx.x];
	__syncwarp();
	a[threadIdx.x] = s[31 - threadIdx.x];
}`, 1, 32, nil},
	{"two threads of one instruction", `__global__ void k(int *a, int n) {
	a[threadIdx.x / 2] = threadIdx.x;
}`, 1, 32, []string{"racecheck: write after write: (1,0,0):3 after (0,0,0):3"}},
	{"all write the same", `__global__ void k(int *a, int n) {
	a[0] = 1;
}`, 2, 64, nil},
	{"blocks write one word", `__global__ void k(int *a, int n) {
	if (threadIdx.x == 0) a[1] = blockIdx.x + 7;
}`, 2, 32, []string{"racecheck: write after write: (0,0,0):3 after (0,0,0):3"}},
	{"sum without atomics", `__global__ void k(int *a, int n) {
	if (threadIdx.x % 32 == 0) a[0] += 1;
}`, 1, 64, []string{"racecheck: read after write: (32,0,0):3 after (0,0,0):3", "racecheck: write after write: (32,0,0):3 after (0,0,0):3"}},
	{"sum with atomics", `__global__ void k(int *a, int n) {
	atomicAdd(a, 1);
}`, 2, 64, nil},
	{"atomic and plain", `__global__ void k(int *a, int n) {
	if (threadIdx.x == 40) a[0] = 100;
	else atomicAdd(a, 1);
}`, 1, 64, []string{"racecheck: write after write: (40,0,0):3 after (63,0,0):4"}},
	{"flag without fence", `__global__ void k(int *a, int n) {
	volatile int *flag = a;
	if (threadIdx.x == 0) { a[1] = 42; flag[0] = 1; }
	if (threadIdx.x == 32) { while (flag[0] != 1) ; a[2] = a[1]; }
}`, 1, 64, []string{"racecheck: read after write: (32,0,0):5 after (0,0,0):4"}},
	{"flag with fence", `__global__ void k(int *a, int n) {
	volatile int *flag = a;
	if (threadIdx.x == 0) { a[1] = 42; __threadfence(); flag[0] = 1; }
	if (threadIdx.x == 32) { while (flag[0] != 1) ; __threadfence(); a[2] = a[1]; }
}`, 1, 64, nil},
	{"never written", `__global__ void k(int *a, int n) {
	int *fresh = a + n;
	a[threadIdx.x] = fresh[threadIdx.x];
}`, 1, 32, []string{"initcheck: uninitialised read: (0,0,0):4"}},
	{"shared never written", `__global__ void k(int *a, int n) {
	__shared__ int s[64];
	if (threadIdx.x < 60) s[threadIdx.x] = 1;
	__syncthreads();
	a[threadIdx.x] = s[threadIdx.x];
}`, 1, 64, []string{"initcheck: uninitialised read: (60,0,0):6"}},
	{"divergent barrier", `__global__ void k(int *a, int n) {
	if (threadIdx.x < 16) { __syncthreads(); a[threadIdx.x] = 1; }
	else { a[threadIdx.x] = 2; __syncthreads(); }
}`, 1, 32, []string{"synccheck: divergent barrier: (16,0,0):4", "synccheck: divergent barrier: (0,0,0):3"}},
	{"early exit before a barrier", `__global__ void k(int *a, int n) {
	if (threadIdx.x >= 20) return;
	__syncthreads();
	a[threadIdx.x] = 1;
}`, 1, 32, nil},
	{"mask without the lane", `__global__ void k(int *a, int n) {
	a[threadIdx.x] = __shfl_sync(0xffff, a[threadIdx.x], 0);
}`, 1, 32, []string{"synccheck: wrong mask: (16,0,0):3"}},
	{"mask with a lane that does not come", `__global__ void k(int *a, int n) {
	if (threadIdx.x < 8) a[threadIdx.x] = __shfl_sync(0xffff, a[threadIdx.x], 0);
	else __syncthreads();
	a[threadIdx.x] += 1;
	__syncthreads();
}`, 1, 32, []string{"synccheck: wrong mask: (0,0,0):3", "synccheck: divergent barrier: (8,0,0):4", "synccheck: divergent barrier: (0,0,0):6"}},
	{"past the end", `__global__ void k(int *a, int n) {
	a[threadIdx.x * 3] = 1;
}`, 1, 64, []string{"memcheck: fault: (43,0,0):3"}},
	{"misaligned", `__global__ void k(int *a, int n) {
	*(int *)((char *)a + 2) = 1;
}`, 1, 1, []string{"memcheck: fault: (0,0,0):3"}},
	{"past the end of shared memory", `__global__ void k(int *a, int n) {
	__shared__ int s[8];
	s[threadIdx.x] = 1;
	__syncthreads();
	a[0] = s[0];
}`, 1, 16, []string{"memcheck: fault: (8,0,0):4"}},
	{"past the end of local memory", `__global__ void k(int *a, int n) {
	volatile int l[8];
	l[a[0] + 1000000] = 1;
	a[1] = l[0];
}`, 1, 1, []string{"memcheck: fault: (0,0,0):4"}},
	{"heap", `__global__ void k(int *a, int n) {
	int *p = (int *)malloc(40), *q = (int *)malloc(8);
	*q = 1;
	a[0] = *q;
	free(q);
	if (threadIdx.x == 5) a[1] = *p;
}`, 1, 8, []string{"initcheck: uninitialised read: (5,0,0):7"}},
}

// TestDefects: each class of defects is found, with the threads and the lines, and once.
func TestDefects(t *testing.T) {
	ctx := context.Background()
	for _, d := range defects {
		t.Run(d.name, func(t *testing.T) {
			dev, err := cuda.OpenHost(cuda.HostConfig{Checks: cuda.AllChecks()})
			require.NoError(t, err)
			defer dev.Close()
			mod, err := dev.Compile(ctx, "extern \"C\"\n"+d.source, cuda.CompileConfig{Name: "k.cu"})
			require.NoError(t, err)
			fn, err := mod.Function("k")
			require.NoError(t, err)
			const n = 64
			a, err := cuda.Alloc[int32](dev, 2*n)
			require.NoError(t, err)
			half, err := a.Slice(0, n)
			require.NoError(t, err)
			require.NoError(t, half.Fill(0, nil))
			err = fn.Run(ctx, cuda.LaunchConfig{Grid: cuda.D1(d.blocks), Block: cuda.D1(d.threads)}, a, int32(n))
			faults := len(d.want) > 0 && strings.HasPrefix(d.want[0], "memcheck: fault")
			require.Equal(t, faults, err != nil, "%v", err)
			var have []string
			for _, r := range dev.Reports() {
				require.Equal(t, "k", r.Kernel)
				require.Equal(t, "k.cu", r.SourceFile)
				require.Positive(t, r.PTXLine)
				require.GreaterOrEqual(t, r.Count, 1)
				line := fmt.Sprintf("%s: %s: %v:%d", r.Check, r.Kind, r.Thread, r.SourceLine)
				if r.Other != nil {
					line += fmt.Sprintf(" after %v:%d", r.Other.Thread, r.Other.SourceLine)
				}
				have = append(have, line)
				if r.Space == "global" && r.Buffer != nil && r.Buffer.Bytes == 8*n {
					require.Contains(t, r.Buffer.Site, "check_test.go", "the allocation's place")
					require.Equal(t, int64(r.Addr-a.Ptr()), r.Buffer.Offset)
				}
			}
			require.Equal(t, d.want, have)
			if d.name == "heap" {
				leaks := dev.Leaks()
				require.Len(t, leaks, 8, "one for each thread")
				require.Contains(t, leaks[1].Site, "malloc in k: block (0,0,0), thread (")
				require.Contains(t, leaks[1].Site, "k.cu:3")
			}
		})
	}
}

// TestUseAfterFree: memory that was freed is named with the place of its allocation.
func TestUseAfterFree(t *testing.T) {
	ctx := context.Background()
	dev, err := cuda.OpenHost(cuda.HostConfig{Checks: []cuda.Check{cuda.Memcheck}})
	require.NoError(t, err)
	defer dev.Close()
	mod, err := dev.Compile(ctx, `extern "C" __global__ void k(int **a) { **a = 1; }`, cuda.CompileConfig{Name: "k.cu"})
	require.NoError(t, err)
	fn, err := mod.Function("k")
	require.NoError(t, err)
	gone, err := cuda.Alloc[int32](dev, 100)
	require.NoError(t, err)
	pointer := []uint64{gone.Ptr() + 300}
	require.NoError(t, gone.Close())
	require.ErrorIs(t, fn.Run(ctx, cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(1)}, cuda.In(pointer)), cuda.ErrIllegalAddress)
	reports := dev.Reports()
	require.Len(t, reports, 1)
	r := reports[0]
	require.NotNil(t, r.Buffer)
	require.True(t, r.Buffer.Freed)
	require.Equal(t, int64(300), r.Buffer.Offset)
	require.Equal(t, int64(400), r.Buffer.Bytes)
	require.Contains(t, r.Buffer.Site, "TestUseAfterFree")
	require.Contains(t, r.String(), "CUDA_ERROR_ILLEGAL_ADDRESS (700): 300 bytes into freed memory of 400 bytes")
	require.Empty(t, dev.Reports(), "each report is given once")
}

// TestChecksOfOneLaunch: a launch can ask for checks that its device does not have, but not for initcheck.
func TestChecksOfOneLaunch(t *testing.T) {
	ctx := context.Background()
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	require.NoError(t, err)
	defer dev.Close()
	mod, err := dev.Compile(ctx, `extern "C" __global__ void k(int *a) { a[threadIdx.x / 2] = threadIdx.x; }`, cuda.CompileConfig{Name: "k.cu"})
	require.NoError(t, err)
	fn, err := mod.Function("k")
	require.NoError(t, err)
	cfg := cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(32)}
	run := func(checks ...cuda.Check) error {
		cfg.Checks = checks
		return fn.Run(ctx, cfg, cuda.Out(make([]int32, 32)))
	}
	require.NoError(t, run())
	require.Empty(t, dev.Reports())
	require.NoError(t, run(cuda.Racecheck, cuda.Synccheck))
	require.Len(t, dev.Reports(), 1)
	require.ErrorIs(t, run(cuda.Initcheck), cuda.ErrNotSupported)
	require.ErrorIs(t, run("speedcheck"), cuda.ErrInvalidValue)
	require.NoError(t, run(), "a refused launch changes nothing")
}

// TestCoverage: lines are counted by thread, and go tool cover reads the profile.
func TestCoverage(t *testing.T) {
	ctx := context.Background()
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	require.NoError(t, err)
	defer dev.Close()
	source := `extern "C" __global__ void k(int *a, int n) {
	int i = threadIdx.x;
	if (i < 10)
		a[i] = i / n;
	else if (i > 100)
		a[0] = 7;
}`
	file := filepath.Join(t.TempDir(), "k.cu")
	require.NoError(t, os.WriteFile(file, []byte(source), 0o644))
	mod, err := dev.Compile(ctx, source, cuda.CompileConfig{Name: file})
	require.NoError(t, err)
	fn, err := mod.Function("k")
	require.NoError(t, err)
	cfg := cuda.LaunchConfig{Grid: cuda.D1(3), Block: cuda.D1(64), Cover: true}
	require.NoError(t, fn.Run(ctx, cfg, cuda.Out(make([]int32, 64)), int32(3)))
	counts := map[int]uint64{}
	lines := dev.Coverage()
	for _, l := range lines {
		require.Equal(t, file, l.File)
		counts[l.Line] = l.Count
	}
	require.Equal(t, uint64(3*10), counts[4])
	require.Equal(t, uint64(0), counts[6])
	require.Equal(t, uint64(3*64), counts[3])
	profile := filepath.Join(t.TempDir(), "k.out")
	require.NoError(t, os.WriteFile(profile, []byte(cuda.CoverProfile(lines)), 0o644))
	html := filepath.Join(t.TempDir(), "k.html")
	limit, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	out, err := exec.CommandContext(limit, "go", "tool", "cover", "-html="+profile, "-o", html).CombinedOutput()
	require.NoError(t, err, "%s", out)
	page, err := os.ReadFile(html)
	require.NoError(t, err)
	require.Contains(t, string(page), "k.cu")
}
