package cuda_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/ksig"
	"github.com/tandem-go/tandem/internal/nvrtc"
)

// fakeCompiler returns image for any source, and notes what it was asked.
type fakeCompiler struct {
	archs    []int
	programs []nvrtc.Program
	params   map[string][]ksig.Source
	asked    int
	err      error
	cubin    []byte // what is made for sm_ targets
}

func (c *fakeCompiler) SupportedArchs() []int  { return c.archs }
func (c *fakeCompiler) Version() nvrtc.Version { return nvrtc.Version{Major: 12, Minor: 4} }
func (c *fakeCompiler) Compile(_ context.Context, p nvrtc.Program) (*nvrtc.Result, error) {
	c.programs = append(c.programs, p)
	if c.err != nil {
		return nil, c.err
	}
	var cubin []byte
	if strings.HasPrefix(p.Arch, "sm_") {
		cubin = c.cubin
	}
	return &nvrtc.Result{PTX: []byte(image), CUBIN: cubin, LoweredNames: map[string]string{"axpy<double>": "_Z4axpyIdEvT_PS0_S1_i"}, Log: "a warning"}, nil
}

func (c *fakeCompiler) Parameters(ctx context.Context, _ nvrtc.Program, _ []string) (map[string][]ksig.Source, error) {
	c.asked++
	return c.params, context.Cause(ctx)
}

// TestTarget: what is compiled for which device, given what NVRTC can do.
func TestTarget(t *testing.T) {
	for _, c := range []struct {
		kind         cuda.Kind
		major, minor int
		archs        []int
		want         string
	}{
		{cuda.Host, 7, 5, []int{50, 75, 90}, "compute_75"},
		{cuda.Host, 7, 5, []int{50, 60, 70}, "compute_70"},
		{cuda.GPU, 9, 0, []int{50, 75, 80, 90}, "sm_90"},
		{cuda.GPU, 8, 6, []int{50, 80, 90}, "sm_80"},           // runs on later devices of the generation
		{cuda.GPU, 9, 0, []int{50, 80, 86, 100}, "compute_86"}, // no code for the generation
		{cuda.GPU, 10, 0, []int{50, 80, 90}, "compute_90"},     // newer than NVRTC: the driver compiles
		{cuda.GPU, 6, 1, []int{75, 80, 90}, ""},                // older than NVRTC
	} {
		f := newFake()
		f.caps = driver.Caps{LoadsPTX: true, LoadsCubin: c.kind == cuda.GPU}
		d, err := cuda.OpenBackend(c.kind, &capability{f.backend(), c.major, c.minor})
		require.NoError(t, err)
		comp := &fakeCompiler{archs: c.archs}
		_, err = cuda.CompileWith(background, d, comp, "source", cuda.CompileConfig{})
		if c.want == "" {
			require.ErrorIs(t, err, cuda.ErrNotSupported)
			require.EqualError(t, err, "compile kernel.cu: NVRTC 12.4 compiles for compute capability 7.5 and later, fake has 6.1; use an older NVRTC")
		} else {
			require.NoError(t, err)
			require.Equal(t, c.want, comp.programs[0].Arch)
			require.Equal(t, []string{"-lineinfo", "--std=c++17"}, comp.programs[0].Options)
		}
		require.NoError(t, d.Close())
	}
}

// capability is a back end whose device has a given compute capability.
type capability struct {
	driver.Backend
	major, minor int
}

type capableDevice struct {
	driver.Device
	info driver.Info
}

func (d capableDevice) Info() driver.Info { return d.info }

func (b *capability) Open(n int) (driver.Device, error) {
	d, err := b.Backend.Open(n)
	info := d.Info()
	info.ComputeMajor, info.ComputeMinor = b.major, b.minor
	return capableDevice{d, info}, err
}

func TestCompileConfig(t *testing.T) {
	d, _ := open(t)
	comp := &fakeCompiler{archs: []int{75}}
	m, err := cuda.CompileWith(background, d, comp, "source", cuda.CompileConfig{
		Name: "a.cu", Options: []string{"-std=c++14", "--gpu-architecture=compute_80"}, IncludeDirs: []string{"inc"},
		Headers: map[string]string{"b.h": "2", "a.h": "1"}, NameExpressions: []string{"axpy<double>"}})
	require.NoError(t, err)
	require.Equal(t, []nvrtc.Program{{
		Source: "source", Name: "a.cu", Options: []string{"-lineinfo", "-std=c++14", "--gpu-architecture=compute_80"},
		IncludeDirs: []string{"inc"}, Headers: []nvrtc.Header{{Name: "a.h", Text: "1"}, {Name: "b.h", Text: "2"}},
		NameExpressions: []string{"axpy<double>"}}}, comp.programs)
	require.Equal(t, "a warning", m.Log())
	require.Contains(t, m.Kernels(), "saxpy")
	k, err := m.Function("axpy<double>")
	require.NoError(t, err)
	require.Equal(t, "_Z4axpyIdEvT_PS0_S1_i", k.Symbol())
	require.Equal(t, "axpy<double>", k.Name())
}

// TestDebugInformationIsLazy: it is asked for when it can make a difference, and once.
func TestDebugInformationIsLazy(t *testing.T) {
	d, _ := open(t)
	comp := &fakeCompiler{archs: []int{75}, params: map[string][]ksig.Source{
		"saxpy":   {{Name: "n", Type: cint}, {Name: "a", Type: float}, {Name: "x", Type: floatPtr}, {Name: "y", Type: floatPtr}},
		"bounded": {{Name: "n", Type: cint}},
	}}
	m, err := cuda.CompileWith(background, d, comp, "source", cuda.CompileConfig{})
	require.NoError(t, err)
	bounded, err := m.Function("bounded")
	require.NoError(t, err)
	require.NoError(t, bounded.Run(background, threads(1), 1))
	require.Zero(t, comp.asked, "scalars that fit need no names")

	saxpy, err := m.Function("saxpy")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(background)
	x := []float64{1}
	cancelled := fmt.Errorf("launch saxpy: %w", context.Canceled)
	cancel()
	require.EqualError(t, saxpy.Run(ctx, threads(1), 1, float32(1), cuda.In(x), cuda.In(x)), cancelled.Error())
	err = saxpy.Run(background, threads(1), 1, float32(1), cuda.In(x), cuda.In(x))
	require.EqualError(t, err, "launch saxpy: parameter 2 (x): want float *, have cuda.In([]float64); use []float32")
	require.Equal(t, 1, comp.asked)
	require.Error(t, saxpy.Launch(threads(1), 1, float32(1), cuda.In(x), cuda.In(x)))
	require.EqualError(t, bounded.Launch(threads(1), 1.5), "launch bounded: parameter 0 (n): want int32, have float64; use int32(x)")
	require.Equal(t, 1, comp.asked, "one compile serves all kernels of a module")
	require.Equal(t, "saxpy(int32 n, float32 a, float * x, float * y)", saxpy.String())

	comp.params = nil // no debug information: checked by PTX alone
	m, err = cuda.CompileWith(background, d, comp, "source", cuda.CompileConfig{})
	require.NoError(t, err)
	saxpy, err = m.Function("saxpy")
	require.NoError(t, err)
	require.EqualError(t, saxpy.Launch(threads(1), 1, 1.5, cuda.In(x), cuda.In(x)), "launch saxpy: parameter 1: want float32, have float64; use float32(x)")
	require.NoError(t, saxpy.Launch(threads(1), 1, float32(1.5), cuda.In(x), cuda.In(x)))
}

func TestCompileError(t *testing.T) {
	d, _ := open(t)
	comp := &fakeCompiler{archs: []int{75}, err: &nvrtc.CompileError{File: "a.cu", Log: "the log", Diagnostics: []nvrtc.Diagnostic{
		{File: "a.cu", Line: 2, Severity: nvrtc.SeverityWarning, Message: "unused"},
		{File: "a.cu", Line: 3, Column: 7, Severity: nvrtc.SeverityFatal, Message: `could not open source file "x.h"`},
	}}}
	_, err := cuda.CompileWith(background, d, comp, "source", cuda.CompileConfig{Name: "a.cu"})
	var ce *cuda.CompileError
	require.ErrorAs(t, err, &ce)
	require.Equal(t, []cuda.Diagnostic{{"a.cu", 2, 0, cuda.SeverityWarning, "unused"},
		{"a.cu", 3, 7, cuda.SeverityError, `could not open source file "x.h"`}}, ce.Diagnostics)
	require.Equal(t, "the log", ce.Log)
	require.True(t, slices.Contains(ce.Options, "-lineinfo"))
	require.Contains(t, err.Error(), "a.cu:3:7")
	require.Equal(t, `a.cu:3:7: error: could not open source file "x.h"`, ce.Diagnostics[1].String())
	require.Contains(t, cuda.Diagnose(err), "CompileConfig.Headers")
}

func TestNumberedSource(t *testing.T) {
	d, _ := open(t)
	comp := &fakeCompiler{archs: []int{75}, err: &nvrtc.CompileError{File: "a.cu", Diagnostics: []nvrtc.Diagnostic{
		{File: "a.cu", Line: 2, Severity: nvrtc.SeverityError, Message: "expected a ;"},
		{File: "a.cu", Line: 6, Severity: nvrtc.SeverityError, Message: "no such name"},
		{File: "x.h", Line: 4, Severity: nvrtc.SeverityError, Message: "elsewhere"},
	}}}
	_, err := cuda.CompileWith(background, d, comp, "one\ntwo\nthree\nfour\nfive\nsix", cuda.CompileConfig{Name: "a.cu"})
	var ce *cuda.CompileError
	require.ErrorAs(t, err, &ce)
	require.Equal(t, "    2 | two\n      ^ expected a ;\n  ...\n    6 | six\n      ^ no such name\n", ce.Numbered(0))
	require.Equal(t, "    1 | one\n    2 | two\n      ^ expected a ;\n    3 | three\n  ...\n    5 | five\n    6 | six\n      ^ no such name\n", ce.Numbered(1))
	require.Contains(t, ce.Numbered(-1), "    4 | four\n")
}

func TestNoCompiler(t *testing.T) {
	d, _ := open(t)
	restore := cuda.WithoutCompiler(&nvrtc.NotFoundError{Attempts: []nvrtc.Attempt{{Origin: "CUDA_PATH", Path: "/opt/cuda", Err: errors.New("no such folder")}}})
	_, err := d.Compile(background, multiplySource, cuda.CompileConfig{Name: "multiply.cu"})
	require.ErrorIs(t, err, cuda.ErrNoCompiler)
	require.ErrorContains(t, err, "compile multiply.cu: NVRTC not found")
	require.ErrorContains(t, err, "CUDA_PATH: /opt/cuda: no such folder")
	require.Contains(t, cuda.Diagnose(err), "tandem setup")
	restore()
	_, err = d.Compile(background, multiplySource, cuda.CompileConfig{Name: "multiply.cu"})
	require.NoError(t, err, "a failed search is repeated")

	restore = cuda.WithoutCompiler(errors.New("damaged"))
	defer restore()
	_, err = d.Compile(background, multiplySource, cuda.CompileConfig{})
	require.EqualError(t, err, "compile kernel.cu: damaged")
}

func TestPlainName(t *testing.T) {
	for symbol, want := range map[string]string{
		"multiply_them":                    "multiply_them",
		"_Z4axpyIfEvT_PS0_S1_i":            "axpy",
		"_Z5saxpyifPKfPf":                  "saxpy",
		"_ZN2ns5scaleEPff":                 "ns::scale",
		"_ZN1a1b1cIiLi256EE4callIfEEvT_":   "a::b::c::call",
		"_ZN3fooIN2ns4DataELb1EE3runEPS1_": "foo::run",
		"_ZN2ns1kIL4Mode1EEEvv":            "ns::k",
		"_ZN2ns1kILN2ns4ModeE1EEEvv":       "ns::k",
		"_ZN1kIXadL_Z1fvEEE1mEv":           "_ZN1kIXadL_Z1fvEEE1mEv", // not read
		"_ZN12_GLOBAL__N_15innerEv":        "(anonymous namespace)::inner",
		"_Z6reduceIfLi256EEvPKT_PS0_i":     "reduce",
		"_ZL5quietv":                       "quiet",
		"_ZNSt4pairIiiE3getEv":             "std::pair::get",
		"_Z":                               "_Z",
		"_Z99short":                        "_Z99short",
		"_ZN":                              "_ZN",
		"_ZN3abcI":                         "_ZN3abcI",
		"_ZN99999999999999999999999abc":    "_ZN99999999999999999999999abc",
		"_ZN2ns1kIJiS0_NS_1xEEE3runEv":     "ns::k::run",
	} {
		require.Equal(t, want, cuda.PlainName(symbol), symbol)
	}
}

func FuzzPlainName(f *testing.F) {
	f.Add("_ZN3fooIN2ns4DataELb1EE3runEPS1_")
	f.Add("_ZN2ns1kILN2ns4ModeE1EEEvv")
	f.Add("_ZN1kIXadL_Z1fvEEE1mEv")
	f.Fuzz(func(t *testing.T, s string) {
		if cuda.PlainName(s) == "" && s != "" {
			t.Errorf("%q has no name", s)
		}
	})
}
