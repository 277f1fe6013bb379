//go:build !tandem_nodl

package nvrtc_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/nvrtc"
	"github.com/tandem-go/tandem/internal/nvrtc/nvrtctest"
)

const axpy = `
template<typename T> __global__ void axpy(T a, const T *x, T *y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] += a * x[i];
}`

func compile(t testing.TB, c *nvrtc.Compiler, p nvrtc.Program) *nvrtc.Result {
	t.Helper()
	if p.Arch == "" {
		p.Arch = "compute_75"
	}
	res, err := c.Compile(t.Context(), p)
	var rejected *nvrtc.CompileError
	if errors.As(err, &rejected) {
		t.Fatalf("%v\n%s", err, rejected.Log)
	}
	require.NoError(t, err)
	return res
}

func compileError(t testing.TB, c *nvrtc.Compiler, p nvrtc.Program) *nvrtc.CompileError {
	t.Helper()
	_, err := c.Compile(t.Context(), p)
	var rejected *nvrtc.CompileError
	require.ErrorAs(t, err, &rejected)
	require.NotEmpty(t, rejected.Log)
	return rejected
}

func TestCompilerTellsWhatItIs(t *testing.T) {
	nvrtctest.Each(t, func(t *testing.T, c *nvrtc.Compiler) {
		require.True(t, c.Version().AtLeast(nvrtc.Version{Major: 11, Minor: 2}), c.Version())
		require.Contains(t, c.SupportedArchs(), 75)
		require.IsIncreasing(t, c.SupportedArchs())
		require.NotEmpty(t, c.Path())
		require.NotEmpty(t, c.Origin())
		require.Empty(t, c.CacheDir())
	})
}

func TestNameExpressionsAreLowered(t *testing.T) {
	nvrtctest.Each(t, func(t *testing.T, c *nvrtc.Compiler) {
		res := compile(t, c, nvrtc.Program{Source: axpy, NameExpressions: []string{"axpy<float>", "&axpy<double>"}})
		require.Equal(t, map[string]string{
			"axpy<float>":   "_Z4axpyIfEvT_PKS0_PS0_i",
			"&axpy<double>": "_Z4axpyIdEvT_PKS0_PS0_i",
		}, res.LoweredNames)
		for _, symbol := range res.LoweredNames {
			require.Contains(t, string(res.PTX), ".entry "+symbol)
		}
		require.NotContains(t, string(res.PTX), "\x00")
		require.Contains(t, string(res.PTX), ".target sm_75")
		require.Nil(t, res.CUBIN)
		require.Equal(t, c.Version(), res.Version)
		require.False(t, res.Cached)
	})
}

func TestMachineCodeIsAnELFFile(t *testing.T) {
	nvrtctest.Each(t, func(t *testing.T, c *nvrtc.Compiler) {
		src := "__global__ void k(int *p) { *p = 1; }"
		for _, p := range []nvrtc.Program{{Source: src, Arch: "sm_75"}, {Source: src, Options: []string{"-arch", "sm_75"}}} {
			res, err := c.Compile(t.Context(), p)
			require.NoError(t, err)
			require.Equal(t, "\x7fELF", string(res.CUBIN[:4]))
			require.Contains(t, string(res.PTX), ".target sm_75")
		}
	})
}

func TestOptionsKeepTheirOrder(t *testing.T) {
	nvrtctest.Each(t, func(t *testing.T, c *nvrtc.Compiler) {
		src := "extern \"C\" __global__ void k(int *p) { *p = VALUE; }"
		for _, options := range [][]string{
			{"-DVALUE=111", "-UVALUE", "-DVALUE=222"}, {"-D", "VALUE=222"}, {"--define-macro=VALUE=222"},
		} {
			require.Contains(t, string(compile(t, c, nvrtc.Program{Source: src, Options: options}).PTX), "222", options)
		}
		require.Contains(t, string(compile(t, c, nvrtc.Program{Source: "#include \"v.h\"\n" + src, IncludeDirs: []string{t.TempDir()},
			Headers: []nvrtc.Header{{Name: "v.h", Text: "#define VALUE 333"}}}).PTX), "333")
	})
}

func TestCompileErrorsHavePositions(t *testing.T) {
	const src = "__global__ void k(int *p) {\n  undeclared();\n\tfloat *q = p;\n  int unused;\n}\n"
	nvrtctest.Each(t, func(t *testing.T, c *nvrtc.Compiler) {
		e := compileError(t, c, nvrtc.Program{Source: src, Name: "dir/my kernel.cu"})
		require.Equal(t, "dir/my kernel.cu", e.File)
		require.Equal(t, "NVRTC_ERROR_COMPILATION", e.Name)
		require.GreaterOrEqual(t, len(e.Diagnostics), 2)
		first, second := e.Diagnostics[0], e.Diagnostics[1]
		if c.Version().AtLeast(nvrtc.Version{Major: 12}) {
			require.Equal(t, []int{3, 13}, []int{first.Column, second.Column})
			require.Equal(t, "  undeclared();", first.Source)
		} else {
			require.Equal(t, []int{0, 0}, []int{first.Column, second.Column})
		}
		require.Equal(t, []int{2, 3}, []int{first.Line, second.Line})
		require.Equal(t, "dir/my kernel.cu", first.File)
		require.Equal(t, `identifier "undeclared" is undefined`, first.Message)
		require.Equal(t, nvrtc.SeverityError, first.Severity)
		require.Contains(t, e.Error(), "dir/my kernel.cu:2")
		require.Contains(t, e.Error(), "(and 1 more)")
	})
}

func TestOtherRejections(t *testing.T) {
	nvrtctest.Each(t, func(t *testing.T, c *nvrtc.Compiler) {
		ok := "__global__ void k() {}"
		e := compileError(t, c, nvrtc.Program{Source: "#include \"nowhere.h\"\n" + ok})
		require.Equal(t, nvrtc.SeverityFatal, e.Diagnostics[0].Severity)
		require.Contains(t, e.Diagnostics[0].Message, "nowhere.h")
		require.Equal(t, 1, e.Diagnostics[0].Line)

		e = compileError(t, c, nvrtc.Program{Source: ok, Arch: "compute_12"})
		require.Equal(t, "NVRTC_ERROR_INVALID_OPTION", e.Name)
		require.Contains(t, e.Diagnostics[0].Message, "--gpu-architecture")
		require.Zero(t, e.Diagnostics[0].Line)

		e = compileError(t, c, nvrtc.Program{Source: ok, Options: []string{"--bogus"}})
		require.Contains(t, e.Error(), "--bogus")

		e = compileError(t, c, nvrtc.Program{Source: axpy, NameExpressions: []string{"axpy<float>", "nosuch<int>"}})
		require.Contains(t, e.Error(), "name expression")
		require.Contains(t, e.Error(), "nosuch")

		e = compileError(t, c, nvrtc.Program{Source: "__global__ void k() { asm(\"bogus;\"); }", Arch: "sm_75"})
		require.Equal(t, "(PTX)", e.Diagnostics[0].File)
		require.Positive(t, e.Diagnostics[0].Line)
	})
}

func TestWarningsOfSuccess(t *testing.T) {
	nvrtctest.Each(t, func(t *testing.T, c *nvrtc.Compiler) {
		src := "__global__ void k(int *p) {\n  int unused;\n  *p = 1;\n}"
		res := compile(t, c, nvrtc.Program{Source: src})
		require.Len(t, res.Diagnostics, 1)
		d := res.Diagnostics[0]
		require.Equal(t, []int{2, 177}, []int{d.Line, d.Number})
		require.Equal(t, nvrtc.SeverityWarning, d.Severity)
		require.Empty(t, compile(t, c, nvrtc.Program{Source: src, Options: []string{"-w"}}).Diagnostics)
	})
}

func TestInvalidProgramsAreNotHandedOver(t *testing.T) {
	c := nvrtctest.OpenWithoutCache(t)
	for _, p := range []nvrtc.Program{
		{Source: "a\x00b"},
		{Name: "a\x00"},
		{Options: []string{""}},
		{Options: []string{"nodash"}},
		{Options: []string{"-I", "dir", "stray"}},
		{Options: []string{"-DA=\x00"}},
		{Arch: "compute_75", Options: []string{"-arch=compute_80"}},
		{Arch: "compute_75", Options: []string{"--gpu-architecture", "compute_80"}},
		{IncludeDirs: []string{""}},
		{Headers: []nvrtc.Header{{Name: "", Text: "x"}}},
		{Headers: []nvrtc.Header{{Name: "x", Text: "\x00"}}},
		{NameExpressions: []string{" "}},
	} {
		_, err := c.Compile(t.Context(), p)
		require.ErrorIs(t, err, nvrtc.ErrInvalidProgram, "%+v", p)
	}
}

func TestConcurrentCompiles(t *testing.T) {
	c := nvrtctest.OpenWithoutCache(t)
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			name := "k" + strings.Repeat("x", i)
			res, err := c.Compile(t.Context(), nvrtc.Program{Arch: "compute_75", Source: "__global__ void " + name + "(int *p) { *p = 1; }", NameExpressions: []string{name}})
			if err == nil && !strings.Contains(string(res.PTX), ".entry "+res.LoweredNames[name]+"(") {
				err = errors.New("the PTX of another program")
			}
			if err != nil {
				t.Error(i, err)
			}
		})
	}
	wg.Wait()
}

// slow keeps NVRTC busy for some tenths of a second: many instances of a function with much code.
const slow = `
template<int N> __device__ double f(double x) { return pow(sin(x * N), cos(x + N)) + tgamma(x) + f<N - 1>(x * 1.5); }
template<> __device__ double f<0>(double x) { return x; }
extern "C" __global__ void k(double *p) { *p = f<6>(*p); }`

func TestCompileEndsWithItsContext(t *testing.T) {
	c := nvrtctest.OpenWithoutCache(t)
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	_, err := c.Compile(ctx, nvrtc.Program{Source: axpy})
	require.ErrorIs(t, err, reason)

	ctx, cancel = context.WithCancelCause(t.Context())
	result := make(chan error)
	go func() {
		_, err := c.Compile(ctx, nvrtc.Program{Source: slow, Arch: "compute_75"})
		result <- err
	}()
	nvrtc.AwaitCompiling(c)
	cancel(reason)
	require.ErrorIs(t, <-result, reason)
	nvrtc.AwaitIdle(c) // what was left over ends, and the compiler is of use
	compile(t, c, nvrtc.Program{Source: axpy})
}

func TestNotFoundListsEachPath(t *testing.T) {
	dir := t.TempDir()
	file := dir + "/libnvrtc.so.99"
	require.NoError(t, os.WriteFile(file, []byte("no library"), 0o644))
	for _, path := range []string{dir, file} {
		_, err := nvrtc.Open(nvrtc.Config{NoCache: true, Search: &nvrtc.Search{Path: path}})
		require.ErrorIs(t, err, nvrtc.ErrNotFound)
		var notFound *nvrtc.NotFoundError
		require.ErrorAs(t, err, &notFound)
		require.Contains(t, err.Error(), file)
		require.Contains(t, err.Error(), "TANDEM_NVRTC")
	}
	_, err := nvrtc.Open(nvrtc.Config{NoCache: true, Search: &nvrtc.Search{Path: dir + "/missing"}})
	require.ErrorContains(t, err, dir+"/missing")

	_, err = nvrtc.Open(nvrtc.Config{NoCache: true, Search: &nvrtc.Search{Homes: []string{dir + "/toolkit"}, SystemDirs: []string{dir + "/system"},
		PythonDirs: []string{dir + "/python"}, CondaDirs: []string{dir + "/conda"}, DataDirs: []string{dir + "/data"}}})
	for _, want := range []string{"/toolkit/lib64", "/system", "/python/nvidia/cuda_nvrtc/lib", "/conda/lib", "/data/nvrtc"} {
		require.ErrorContains(t, err, dir+want)
	}
}
