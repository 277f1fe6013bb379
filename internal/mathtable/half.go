package mathtable

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"strings"

	"github.com/tandem-go/tandem/cuda"
)

// format is a floating-point format of 16 bits.
type format struct {
	name, header, cType, pair string
	// values are the numbers that are not negative, in order: the index is the bits. The last one is what follows the largest
	// number, where infinity stands.
	values []float64
}

// formats are f16 and bf16.
var formats = []*format{
	newFormat("f16", "cuda_fp16.h", "__half", "__half2", 10, 15), newFormat("bf16", "cuda_bf16.h", "__nv_bfloat16", "__nv_bfloat162", 7, 127),
}

func newFormat(name, header, cType, pair string, fraction, bias int) *format {
	f := &format{name: name, header: header, cType: cType, pair: pair}
	for bits := range (2*bias+1)<<fraction + 1 {
		e, m := bits>>fraction, bits&(1<<fraction-1)
		v := math.Ldexp(float64(m), 1-bias-fraction)
		if e > 0 {
			v = math.Ldexp(float64(m+1<<fraction), e-bias-fraction)
		}
		f.values = append(f.values, v)
	}
	return f
}

// infinity is the place of infinity; what lies behind it is no number.
func (f *format) infinity() int { return len(f.values) - 1 }

// place is the position of bits in the order of all numbers; false for what is no number.
func (f *format) place(bits uint16) (int, bool) {
	n := int(bits & 0x7fff)
	if bits>>15 != 0 {
		return -n, n <= f.infinity()
	}
	return n, n <= f.infinity()
}

// value is the number that bits stand for.
func (f *format) value(bits uint16) float64 {
	n, ok := f.place(bits & 0x7fff)
	v := math.NaN()
	switch {
	case ok && n == f.infinity():
		v = math.Inf(1)
	case ok:
		v = f.values[n]
	}
	if bits>>15 != 0 {
		return -v
	}
	return v
}

// doubtful reports whether an error of a few units of double precision could make another number the nearest.
func (f *format) doubtful(v float64) bool {
	v = math.Abs(v)
	const few = 0x1p-44
	return f.nearest(v*(1-few)) != f.nearest(v*(1+few))
}

// nearest is the place of the number that is nearest to v, the even one of two.
func (f *format) nearest(v float64) int {
	if v < 0 {
		return -f.nearest(-v)
	}
	n := sort.SearchFloat64s(f.values, v)
	if n == 0 || n > f.infinity() {
		return min(n, f.infinity())
	}
	switch middle := (f.values[n-1] + f.values[n]) / 2; {
	case v < middle, v == middle && n%2 == 1:
		return n - 1
	}
	return n
}

// halfFunction is a function of half precision. CUDA documents all of them as rounded to nearest.
type halfFunction struct {
	name  string
	arity int
	// call is the expression in x, y, z, of type T, if it is not name(x, …).
	call string
	// f16 is set if only f16 has it for compute capability 7.5.
	f16 bool
	// value is the result for finite arguments of its domain, which are other than 0. exact, if it is not nil, is asked where value
	// is too near to the middle between two numbers.
	value  func(x [3]float64) float64
	exact  func(x [3]float64) number
	domain func(x [3]float64) bool
}

// instruction is a function of f16 that is one instruction of PTX.
func instruction(name string, arity int, value func(x [3]float64) float64) halfFunction {
	operands := []string{`"h"(x)`, `"h"(y)`, `"h"(z)`}[:arity]
	places := []string{"%1", "%2", "%3"}[:arity]
	call := fmt.Sprintf(`([=] { unsigned short r; asm("%s %%0, %s;" : "=h"(r) : %s); return r; })()`,
		name, strings.Join(places, ", "), strings.Join(operands, ", "))
	return halfFunction{name: name, arity: arity, call: call, value: value}
}

// has reports whether a function is there for the format.
func (f *format) has(h *halfFunction) bool { return f == formats[0] || !h.f16 }

// halfInstructions need no header.
var halfInstructions = []halfFunction{
	instruction("add.rn.f16", 2, func(x [3]float64) float64 { return x[0] + x[1] }),
	instruction("sub.rn.f16", 2, func(x [3]float64) float64 { return x[0] - x[1] }),
	instruction("mul.rn.f16", 2, func(x [3]float64) float64 { return x[0] * x[1] }),
	instruction("fma.rn.f16", 3, func(x [3]float64) float64 { return f64(add(at(2000, x[0]*x[1]), at(2000, x[2]))) }),
	instruction("neg.f16", 1, func(x [3]float64) float64 { return -x[0] }),
	instruction("abs.f16", 1, func(x [3]float64) float64 { return math.Abs(x[0]) }),
}

// halfFunctions are those of cuda_fp16.h and cuda_bf16.h.
var halfFunctions = []halfFunction{
	{name: "hsin", value: go1(math.Sin), exact: one(func(x number) number { s, _ := sincos(x); return s })},
	{name: "hcos", value: go1(math.Cos), exact: one(func(x number) number { _, c := sincos(x); return c })},
	{name: "hexp", value: go1(math.Exp), exact: one(exp)},
	{name: "hexp2", value: go1(math.Exp2), exact: one(func(x number) number { return exp(mul(x, log(num(2)))) })},
	{name: "hexp10", value: go1(func(v float64) float64 { return math.Pow(10, v) }), exact: one(func(x number) number { return exp(mul(x, log(num(10)))) })},
	{name: "hlog", value: go1(math.Log), exact: one(log), domain: positive},
	{name: "hlog2", value: go1(math.Log2), exact: scaledLog(2), domain: positive},
	{name: "hlog10", value: go1(math.Log10), exact: scaledLog(10), domain: positive},
	{name: "hsqrt", value: go1(math.Sqrt), exact: one(sqrt), domain: positive},
	{name: "hrsqrt", value: go1(func(v float64) float64 { return 1 / math.Sqrt(v) }), exact: one(func(x number) number { return quo(num(1), sqrt(x)) }), domain: positive},
	{name: "hrcp", value: go1(func(v float64) float64 { return 1 / v }), exact: one(func(x number) number { return quo(num(1), x) })},
	{name: "hceil", value: func(x [3]float64) float64 { return math.Ceil(x[0]) }},
	{name: "hfloor", value: func(x [3]float64) float64 { return math.Floor(x[0]) }},
	{name: "htrunc", value: func(x [3]float64) float64 { return math.Trunc(x[0]) }},
	{name: "hrint", value: func(x [3]float64) float64 { return math.RoundToEven(x[0]) }},
	{name: "__hneg", value: func(x [3]float64) float64 { return -x[0] }},
	{name: "__habs", value: func(x [3]float64) float64 { return math.Abs(x[0]) }},
	{name: "__hadd", arity: 2, value: func(x [3]float64) float64 { return x[0] + x[1] }},
	{name: "__hsub", arity: 2, value: func(x [3]float64) float64 { return x[0] - x[1] }},
	{name: "__hmul", arity: 2, value: func(x [3]float64) float64 { return x[0] * x[1] }},
	{name: "__hdiv", arity: 2, value: func(x [3]float64) float64 { return f64(quo(num(x[0]), num(x[1]))) }},
	{name: "__hmax", arity: 2, value: func(x [3]float64) float64 { return max(x[0], x[1]) }},
	{name: "__hmin", arity: 2, value: func(x [3]float64) float64 { return min(x[0], x[1]) }},
	{name: "__hfma", arity: 3, f16: true, value: func(x [3]float64) float64 { return f64(add(at(2000, x[0]*x[1]), at(2000, x[2]))) }},
	{name: "h2sin", call: "twice(x, [](auto v) { return h2sin(v); })", value: go1(math.Sin), exact: one(func(x number) number { s, _ := sincos(x); return s })},
	{name: "h2exp", call: "twice(x, [](auto v) { return h2exp(v); })", value: go1(math.Exp), exact: one(exp)},
	{name: "h2log", call: "twice(x, [](auto v) { return h2log(v); })", value: go1(math.Log), exact: one(log), domain: positive},
	{name: "h2rsqrt", call: "twice(x, [](auto v) { return h2rsqrt(v); })", value: go1(func(v float64) float64 { return 1 / math.Sqrt(v) }), exact: one(func(x number) number { return quo(num(1), sqrt(x)) }), domain: positive},
}

// halfSource is CUDA C++ with a kernel for each function of a format. Arguments are bits.
func halfSource(f *format, functions []halfFunction, header bool) string {
	var b strings.Builder
	cType := "unsigned short"
	if header {
		cType = f.cType
		fmt.Fprintf(&b, `#include <%s>
template <typename F> __device__ %[2]s twice(%[2]s x, F f) { return f(%[3]s(x, x)).y; }
`, f.header, cType, f.pair)
	}
	for i, h := range functions {
		if !f.has(&h) {
			continue
		}
		call := h.call
		if call == "" {
			call = h.name + "(" + strings.Join([]string{"x", "y", "z"}[:max(h.arity, 1)], ", ") + ")"
		}
		fmt.Fprintf(&b, `extern "C" __global__ void k%d(const unsigned short *xs, const unsigned short *ys, const unsigned short *zs, unsigned short *out, int n) {
	int i = blockIdx.x * blockDim.x + threadIdx.x;
	if (i >= n) return;
	%[2]s x = ((const %[2]s *)xs)[i], y = ((const %[2]s *)ys)[i], z = ((const %[2]s *)zs)[i];
	((%[2]s *)out)[i] = %[3]s;
}
`, i, cType, call)
	}
	return b.String()
}

// MeasureHalf measures the functions of half precision: those of one argument for each of its 65,536 values, others for that many
// random ones. Functions of CUDA's headers are measured if include names the folder where they lie; instructions of f16 always are.
func MeasureHalf(ctx context.Context, dev *cuda.Device, include string, seed uint64) ([]Result, error) {
	out, err := measureFormat(ctx, dev, formats[0], halfInstructions, "", seed)
	if err != nil || include == "" {
		return out, err
	}
	for _, f := range formats {
		more, err := measureFormat(ctx, dev, f, halfFunctions, include, seed)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

func measureFormat(ctx context.Context, dev *cuda.Device, f *format, functions []halfFunction, include string, seed uint64) ([]Result, error) {
	options := []string{"-default-device"}
	if include != "" {
		options = append(options, "-I"+include)
	}
	mod, err := dev.Compile(ctx, halfSource(f, functions, include != ""), cuda.CompileConfig{Name: f.name + ".cu", Options: options})
	if err != nil {
		return nil, err
	}
	const n = 1 << 16
	random := rand.New(rand.NewPCG(seed, 16))
	var in [3][]uint16
	for k := range in {
		for i := range n {
			v := uint16(i)
			if k > 0 {
				v = uint16(random.Uint32())
			}
			in[k] = append(in[k], v)
		}
	}
	got := make([]uint16, n)
	var out []Result
	for i, h := range functions {
		if !f.has(&h) {
			continue
		}
		fn, err := mod.Function(fmt.Sprintf("k%d", i))
		if err != nil {
			return nil, err
		}
		cfg := cuda.LaunchConfig{Grid: cuda.Blocks(n, 128), Block: cuda.D1(128)}
		if err := fn.Run(ctx, cfg, cuda.In(in[0]), cuda.In(in[1]), cuda.In(in[2]), cuda.Out(got), int32(n)); err != nil {
			return nil, fmt.Errorf("measure %s of %s: %w", h.name, f.name, err)
		}
		r := Result{Name: h.name}
		if include != "" {
			r.Name += " (" + f.name + ")"
		}
		for k := range n {
			r.compareHalf(f, &h, [3]uint16{in[0][k], in[1][k], in[2][k]}, got[k])
		}
		out = append(out, r)
	}
	return out, nil
}

// compareHalf takes one result in: of finite arguments other than 0, in the domain.
func (r *Result) compareHalf(f *format, h *halfFunction, args [3]uint16, got uint16) {
	var x [3]float64
	for k := range max(h.arity, 1) {
		x[k] = f.value(args[k])
		if x[k] == 0 || math.IsNaN(x[k]) || math.IsInf(x[k], 0) {
			return
		}
	}
	if h.domain != nil && !h.domain(x) {
		return
	}
	r.Samples++
	v := h.value(x)
	if h.exact != nil && f.doubtful(v) {
		if e := h.exact(x); e != nil {
			v = f64(e)
		}
	}
	want := f.nearest(v)
	have, ok := f.place(got)
	if !ok {
		r.wrong(x, math.NaN(), f.value(uint16(max(want, -want))))
		return
	}
	d := uint64(max(want-have, have-want))
	if d > 0 {
		r.Off++
	}
	if d > r.Ulp {
		r.Ulp, r.At = d, x
	}
}

// HalfMarkdown is the table of half precision as a page.
func HalfMarkdown(results []Result, compiler, engine string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Accuracy of half precision on the host device

Generated by make math with INCLUDE, the folder of CUDA's headers; do not edit. Functions compiled by %s and run on the engine %s: the
arithmetic instructions of f16, and what cuda_fp16.h and cuda_bf16.h make of it and of single precision. Functions of one argument are
measured for each finite value, others for 65,536 random ones. An error is the distance from the correctly rounded result, which CUDA
documents for all of them, in numbers of the format.

The headers change single results by a number of the format, where the approximate instructions of a GPU are known to round to the wrong
side. That those of the host device err elsewhere is the likely cause of the few results here that are off.

| function | arguments | of these not correctly rounded | largest error, ulp | at |
|---|---:|---:|---:|---|
`, compiler, engine)
	for _, r := range results {
		where := ""
		if r.Ulp > 0 {
			where = strings.Trim(fmt.Sprint(r.At[:]), "[]")
		}
		fmt.Fprintf(&b, "| `%s` | %d | %d | %d | %s |\n", r.Name, r.Samples, r.Off, r.Ulp, where)
	}
	return b.String()
}
