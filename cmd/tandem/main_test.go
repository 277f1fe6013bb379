package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/interop/npy"
)

// tandem runs the command in a folder of its own and returns what it did.
func tandem(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	status = run(t.Context(), append([]string{"tandem"}, args...), &out, &err)
	return status, out.String(), err.String()
}

func write(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
}

func saveFloats(t *testing.T, name string, x ...float32) {
	t.Helper()
	a := npy.Array{Header: npy.Header{DType: "f4", Shape: []int{len(x)}}}
	for _, v := range x {
		a.Data = binary.LittleEndian.AppendUint32(a.Data, math.Float32bits(v))
	}
	require.NoError(t, npy.WriteFile(name, &a))
}

func loadFloats(t *testing.T, name string) []float32 {
	t.Helper()
	a, err := npy.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "f4", a.DType)
	x := make([]float32, a.Len())
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(a.Data[4*i:]))
	}
	return x
}

// folder makes a folder with the kernels of the tests the current one.
func folder(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("TANDEM_DEVICE", "host")
	write(t, "scale.cu", `__constant__ float offset[2];
struct Pair { float a; int shift; };
extern "C" __global__ void scale(float *y, const float *x, float a) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    y[i] = a * x[i] + offset[0];
}
extern "C" __global__ void inplace(float *y, Pair p) { y[threadIdx.x] = p.a * y[threadIdx.x] + p.shift; }
extern "C" __global__ void hello(const float *none) { if (!none) printf("hello from %d\n", threadIdx.x); }
extern "C" __global__ void spin(volatile int *p) { while (p[0] != 12345) { } }
extern "C" __global__ void unordered(float *y) { y[threadIdx.x / 32] += threadIdx.x % 32 ? 0 : y[0]; }
extern "C" __global__ void forget() { *(volatile int *)malloc(24) = 1; }
template <typename T> __global__ void twice(T *y) { y[threadIdx.x] *= 2; }
`)
	write(t, "one.cu", `extern "C" __global__ void only(int n) {}`)
	write(t, "bad.cu", "extern \"C\" __global__ void bad(float *y) {\n    y[0] = undeclared;\n}")
	saveFloats(t, "x.npy", 1, 2, 3, 4)
	saveFloats(t, "offset.npy", 0.5, 0)
}

func TestRun(t *testing.T) {
	folder(t)
	status, _, stderr := tandem(t, "run", "--kernel", "scale", "--block", "4", "--global", "offset=offset.npy",
		"--arg", "out:f32[4]:y.npy", "--arg", "in:x.npy", "--arg", "f32:2", "scale.cu")
	require.Zero(t, status, stderr)
	require.Equal(t, []float32{2.5, 4.5, 6.5, 8.5}, loadFloats(t, "y.npy"))

	status, _, stderr = tandem(t, "run", "--kernel", "inplace", "--block", "2", "--repeat", "2", "--arg", "inout:x.npy:z.npy", "--arg", "bytes:000000400a000000", "scale.cu")
	require.Zero(t, status, stderr)
	require.Equal(t, []float32{34, 38, 3, 4}, loadFloats(t, "z.npy"))
	require.Equal(t, []float32{1, 2, 3, 4}, loadFloats(t, "x.npy"))

	status, stdout, stderr := tandem(t, "run", "--kernel", "hello", "--block", "2", "--arg", "null", "scale.cu")
	require.Zero(t, status, stderr)
	require.Equal(t, "hello from 0\nhello from 1\n", stdout)

	status, _, stderr = tandem(t, "run", "--name-expr", "twice<float>", "--block", "4", "--arg", "inout:x.npy", "scale.cu")
	require.Zero(t, status, stderr)
	require.Equal(t, []float32{2, 4, 6, 8}, loadFloats(t, "x.npy"))
}

// TestRunChecks: a kernel without defects passes, and its lines are counted.
func TestRunChecks(t *testing.T) {
	folder(t)
	status, _, stderr := tandem(t, "run", "--check", "--cover", "c.out", "--kernel", "scale", "--block", "4", "--global", "offset=offset.npy",
		"--arg", "out:f32[4]:y.npy", "--arg", "in:x.npy", "--arg", "f32:2", "scale.cu")
	require.Zero(t, status, stderr)
	profile, err := os.ReadFile("c.out")
	require.NoError(t, err)
	require.Regexp(t, `^mode: count\n(\S*/scale.cu:\d+.1,\d+.1000 1 4\n)+$`, string(profile))
}

func TestRunJSON(t *testing.T) {
	folder(t)
	status, stdout, stderr := tandem(t, "run", "--json", "--arg", "i32:1", "one.cu")
	require.Zero(t, status, stderr)
	var rep runReport
	require.NoError(t, json.Unmarshal([]byte(stdout), &rep))
	require.Equal(t, "host", rep.DeviceID)
	require.Equal(t, "only", rep.Kernel)
	require.Contains(t, rep.Compiler, "NVRTC")
	require.NotEmpty(t, rep.Engine)
	require.True(t, (rep.Escaped == 1) == (rep.Engine == "interp"), "%g on %s", rep.Escaped, rep.Engine)
}

// TestCompile compiles to PTX and runs that.
func TestCompile(t *testing.T) {
	folder(t)
	status, _, stderr := tandem(t, "compile", "one.cu", "-o", "o.ptx")
	require.Zero(t, status, stderr)
	status, _, stderr = tandem(t, "run", "--arg", "i32:1", "o.ptx")
	require.Zero(t, status, stderr)
	status, _, stderr = tandem(t, "compile", "bad.cu")
	require.Equal(t, exitCompile, status)
	require.Contains(t, stderr, `bad.cu(2): error: identifier "undeclared" is undefined`)
	require.NoFileExists(t, "bad.ptx")
}

// TestFailures: the exit status says whose mistake it is, the message names it, and no output file appears.
func TestFailures(t *testing.T) {
	folder(t)
	write(t, "broken.ptx", ".version 7.0\n.target sm_75\n.visible .entry k() { bogus.f32 %f1; }")
	out := filepath.Join(t.TempDir(), "never.npy")
	scale := []string{"run", "--kernel", "scale", "--arg", "out:f32[4]:" + out, "--arg", "in:x.npy", "--arg"}
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"bogus"}, exitUsage, `no command "bogus"`},
		{[]string{"run"}, exitUsage, "want one FILE"},
		{[]string{"run", "--nope", "one.cu"}, exitUsage, "nope"},
		{[]string{"run", "--grid", "x", "one.cu"}, exitUsage, `--grid "x"`},
		{[]string{"run", "--check=speedcheck", "one.cu"}, exitUsage, `no check "speedcheck"`},
		{[]string{"run", "--check=racecheck", "--device", "gpu", "one.cu"}, exitUsage, "for the host device"},
		{append(scale, "f32:1", "--block", "5", "--check", "scale.cu"), exitFailed, "memcheck: fault in scale: read by block (0,0,0), thread (4,0,0) at scale.cu:5"},
		{[]string{"run", "--kernel", "unordered", "--block", "64", "--arg", "inout:x.npy", "--check=racecheck,initcheck", "scale.cu"}, exitFailed, "the checks found 3 defects"},
		{[]string{"run", "--kernel", "forget", "--check=memcheck", "scale.cu"}, exitFailed, "memcheck: leak: 24 bytes"},
		{[]string{"run", "--engine", "quantum", "one.cu"}, exitUsage, "not available in this build"},
		{[]string{"run", "scale.cu"}, exitUsage, "choose with --kernel"},
		{[]string{"run", "x.npy"}, exitUsage, "neither .cu nor .ptx"},
		{[]string{"run", "--arg", "i32:1", "--repeat", "0", "one.cu"}, exitUsage, "--repeat"},
		{[]string{"run", "missing.cu"}, exitFailed, "missing.cu"},
		{[]string{"run", "bad.cu"}, exitCompile, "bad.cu(2): error"},
		{[]string{"run", "broken.ptx"}, exitFailed, "CUDA_ERROR_INVALID_PTX (218)"},
		{[]string{"run", "--kernel", "nosuch", "one.cu"}, exitFailed, "only"},
		{[]string{"run", "--arg", "f64:1", "one.cu"}, exitFailed, "parameter 0 (n)"},
		{append(scale, "f32:1", "--block", "5", "scale.cu"), exitFailed, "CUDA_ERROR_ILLEGAL_ADDRESS (700)"},
		{append(scale, "f32:1", "--global", "nosuch=x.npy", "scale.cu"), exitFailed, "nosuch"},
		{append(scale, "f32:1", "--global", "offset=x.npy", "scale.cu"), exitUsage, "8 bytes"},
		{[]string{"run", "--kernel", "spin", "--arg", "out:i32[1]:" + out, "--timeout", "100ms", "scale.cu"}, exitFailed, "context deadline exceeded"},
	} {
		status, _, stderr := tandem(t, c.args...)
		require.Equal(t, c.status, status, "%v: %s", c.args, stderr)
		require.Contains(t, stderr, c.want, "%v", c.args)
		require.NoFileExists(t, out, "%v", c.args)
	}
}

func TestDevices(t *testing.T) {
	status, stdout, stderr := tandem(t, "devices")
	require.Zero(t, status, stderr)
	require.Contains(t, stdout, "host ")
	status, stdout, _ = tandem(t, "devices", "--json")
	require.Zero(t, status)
	var list []deviceReport
	require.NoError(t, json.Unmarshal([]byte(stdout), &list))
	require.Equal(t, "host", list[len(list)-1].ID)
	require.Equal(t, "7.5", list[len(list)-1].Compute)
}

func TestVersionAndDoctor(t *testing.T) {
	status, stdout, _ := tandem(t, "version")
	require.Zero(t, status)
	require.Regexp(t, `(?s)^tandem .* go1\..*NVRTC`, stdout)
	t.Setenv("TANDEM_DEVICE", "host")
	status, stdout, _ = tandem(t, "doctor")
	require.Zero(t, status, stdout)
	require.Contains(t, stdout, "environment  TANDEM_DEVICE=host")
	t.Setenv("TANDEM_DEVICE", "gpu:77")
	status, stdout, stderr := tandem(t, "doctor")
	require.Equal(t, exitFailed, status, stdout)
	require.Contains(t, stderr, "need attention")
}
