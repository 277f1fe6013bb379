package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSurvey: each kernel is counted once, whatever becomes of it.
func TestSurvey(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	mixed, err := os.ReadFile("../testdata/mixed.cu")
	require.NoError(t, err)
	write("mixed.cu", string(mixed))
	write("shared.h", "#include <string>\nstruct Log { std::string text; };\nvoid say(Log l) {}\n")
	write("host.cu", "int main() { return 0; }")
	write("never.cu", "__global__ void k(int *x) { *x = unknown; }")
	write("more.cu", `extern "C" __global__ void clean(float *y, int n) { int i = blockIdx.x * blockDim.x + threadIdx.x; if (i < n) y[i] = i; }
extern "C" __global__ void racy(int *a) { a[0] = threadIdx.x; }
extern "C" __global__ void wild(int *a) { a[1 << 28] = 1; }
extern "C" __global__ void endless(volatile int *a) { while (a[0] != 12345) ; }`)
	s := &survey{root: dir, timeout: 3 * time.Second, causes: map[string]map[string]int{}}
	require.NoError(t, s.run())
	require.Equal(t, []int{4, 3, 2, 2}, []int{s.files, s.withKernels, s.accepted, s.loaded})
	require.Equal(t, []int{8, 2, 6}, []int{s.kernels, s.rejected, s.found})
	require.Equal(t, []int{2, 2, 1, 1, 0}, []int{s.clean, s.reported, s.faulted, s.stopped, s.other})
	require.Equal(t, 1, s.causes["rejected by NVRTC"][`identifier "unknown" is undefined`])
}
