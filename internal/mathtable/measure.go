// Package mathtable measures the accuracy of CUDA's math functions on a device against math/big, and writes the table in
// docs/results/math.md. The functions are those that NVRTC's library makes of the source; what the host device adds are the
// PTX instructions they consist of.
//
// An error in ulp is the distance between the result and the correctly rounded one, in numbers of the format, as the guide
// defines it; so a correctly rounded function has error 0.
package mathtable

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/tandem-go/tandem/cuda"
)

// Result is what was measured of one function in one precision.
type Result struct {
	Name string
	// Single is whether this is the single precision function.
	Single bool
	// Samples is how many arguments were measured, Ulp the largest error and At its arguments; AbsErr is the largest absolute
	// error where the bound is absolute.
	Samples int
	Ulp     uint64
	// Off is how many results are not the correctly rounded one; it is counted for half precision.
	Off    int
	At     [3]float64
	AbsErr float64
	// Bound is the documented bound in ulp, -1 if there is none, AbsBound that of AbsErr, Note what they hold for.
	Bound    int
	AbsBound float64
	Note     string
	// Wrong are results that are no number where there is one, or the other way round.
	Wrong []string
}

// Within reports whether the documented bounds hold.
func (r Result) Within() bool {
	return len(r.Wrong) == 0 && (r.Bound < 0 || r.Ulp <= uint64(r.Bound)) && (r.AbsBound == 0 || r.AbsErr <= r.AbsBound)
}

// helpers give functions with pointers the form of others.
const helpers = `
template <typename T, typename F> __device__ T both(T x, F f) { T s, c; f(x, &s, &c); return s; }
template <typename T, typename F> __device__ T fraction(T x, F f) { int e; return f(x, &e); }
__device__ double remainderOf(double x, double y) { int q; return remquo(x, y, &q); }
__device__ float remainderOf(float x, float y) { int q; return remquof(x, y, &q); }
__device__ double length(double x, double y, double z) { double v[3] = {x, y, z}; return norm(3, v); }
__device__ double inverseLength(double x, double y, double z) { double v[3] = {x, y, z}; return rnorm(3, v); }
__device__ float length(float x, float y, float z) { float v[3] = {x, y, z}; return normf(3, v); }
__device__ float inverseLength(float x, float y, float z) { float v[3] = {x, y, z}; return rnormf(3, v); }
__device__ float fastSine(float x) { float s, c; __sincosf(x, &s, &c); return s; }
template <typename T, typename F> __device__ T fractional(T x, F f) { T whole; return f(x, &whole); }
`

// source is CUDA C++ with a kernel for each function.
func source(single bool) string {
	var b strings.Builder
	b.WriteString(helpers)
	t, suffix := "double", ""
	if single {
		t, suffix = "float", "f"
	}
	for i, f := range functions {
		name, ok := f.in(single)
		if !ok {
			continue
		}
		call := f.call
		if f.names != [2]string{} {
			if call == "" {
				call = "N(" + strings.Join([]string{"x", "y", "z"}[:max(f.arity, 1)], ", ") + ")"
			}
			call = strings.ReplaceAll(call, "N(", name+"(")
		} else if call == "" {
			call = f.name + "F(" + strings.Join([]string{"x", "y", "z"}[:max(f.arity, 1)], ", ") + ")"
		}
		// Functions with pointers are called by a lambda, since they are overloaded.
		for _, name := range []string{"sincosF", "sincospiF", "frexpF", "modfF"} {
			call = strings.ReplaceAll(call, ", "+name+")", ", [](auto... a) { return "+name+"(a...); })")
		}
		call = strings.ReplaceAll(call, "F(", suffix+"(")
		fmt.Fprintf(&b, `extern "C" __global__ void k%d(const %[2]s *xs, const %[2]s *ys, const %[2]s *zs, %[2]s *out, int n) {
	int i = blockIdx.x * blockDim.x + threadIdx.x;
	if (i >= n) return;
	%[2]s x = xs[i], y = ys[i], z = zs[i];
	out[i] = %[3]s;
}
`, i, t, call)
	}
	return b.String()
}

// Measure measures all functions with about that many arguments each.
func Measure(ctx context.Context, dev *cuda.Device, samples int, seed uint64) ([]Result, error) {
	var out []Result
	for _, single := range []bool{true, false} {
		// Without contraction x*y and x+y are what they say.
		mod, err := dev.Compile(ctx, source(single), cuda.CompileConfig{Name: "math.cu", Options: []string{"--fmad=false", "-default-device"}})
		if err != nil {
			return nil, err
		}
		for i := range functions {
			if _, ok := functions[i].in(single); !ok {
				continue
			}
			fn, err := mod.Function(fmt.Sprintf("k%d", i))
			if err != nil {
				return nil, err
			}
			r, err := measure(ctx, fn, &functions[i], single, samples, seed+uint64(i))
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
	}
	return out, nil
}

func measure(ctx context.Context, fn *cuda.Function, f *function, single bool, samples int, seed uint64) (Result, error) {
	args := arguments(f, single, samples, rand.New(rand.NewPCG(seed, 1)))
	var got []float64
	var err error
	if single {
		got, err = evaluate(ctx, fn, args, func(v float64) float32 { return float32(v) })
	} else {
		got, err = evaluate(ctx, fn, args, func(v float64) float64 { return v })
	}
	name, _ := f.in(single)
	r := Result{Name: name, Single: single, Bound: f.bound64, AbsBound: f.abs64, Note: f.note}
	if single {
		r.Bound, r.AbsBound = f.bound32, f.abs32
	}
	if err != nil {
		return r, err
	}
	for i, x := range args {
		r.compare(f, x, got[i])
	}
	return r, nil
}

// evaluate runs a kernel on all arguments.
func evaluate[T float32 | float64](ctx context.Context, fn *cuda.Function, args [][3]float64, convert func(float64) T) ([]float64, error) {
	var in [3][]T
	for _, a := range args {
		for k := range in {
			in[k] = append(in[k], convert(a[k]))
		}
	}
	out := make([]T, len(args))
	cfg := cuda.LaunchConfig{Grid: cuda.Blocks(len(args), 128), Block: cuda.D1(128)}
	err := fn.Run(ctx, cfg, cuda.In(in[0]), cuda.In(in[1]), cuda.In(in[2]), cuda.Out(out), int32(len(args)))
	got := make([]float64, len(out))
	for i, v := range out {
		got[i] = float64(v)
	}
	return got, err
}

var odd = []float64{0, math.Copysign(0, -1), 1, -1, 0.5, -0.5, 2, -2, 3, 10, math.Pi, math.E, math.Sqrt2, math.Inf(1), math.Inf(-1), math.NaN()}

// arguments are special values, denormals, random bits, and random numbers of the function's interval.
func arguments(f *function, single bool, samples int, random *rand.Rand) [][3]float64 {
	list := append([]float64(nil), odd...)
	if single {
		list = append(list, math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, 0x1p-126, math.MaxFloat32, -math.MaxFloat32)
	} else {
		list = append(list, math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64, 0x1p-1022, math.MaxFloat64, -math.MaxFloat64)
	}
	draw := func() float64 {
		var v float64
		switch k := random.IntN(10); {
		case k < 5 && f.hi > f.lo:
			v = f.lo + (f.hi-f.lo)*random.Float64()
		case k == 9 && single:
			v = float64(math.Float32frombits(random.Uint32() & 0x807fffff))
		case k == 9:
			v = math.Float64frombits(random.Uint64() & 0x800fffffffffffff)
		case single:
			v = float64(math.Float32frombits(random.Uint32()))
		default:
			v = math.Float64frombits(random.Uint64())
		}
		if single {
			v = float64(float32(v))
		}
		return v
	}
	var out [][3]float64
	for _, x := range list {
		if f.arity < 2 {
			out = append(out, [3]float64{x})
			continue
		}
		for _, y := range list {
			out = append(out, [3]float64{x, y, list[random.IntN(len(list))]})
		}
	}
	for range samples {
		out = append(out, [3]float64{draw(), draw(), draw()})
	}
	for i := range out {
		for k := max(f.arity, 1); k < 3; k++ {
			out[i][k] = 0
		}
		if single {
			for k := range out[i] {
				out[i][k] = float64(float32(out[i][k]))
			}
		}
	}
	return out
}

// compare takes one result in.
func (r *Result) compare(f *function, x [3]float64, got float64) {
	want, ok := expected(f, x, r.Single)
	if !ok {
		return
	}
	r.Samples++
	if math.IsNaN(want) || math.IsNaN(got) {
		if math.IsNaN(want) != math.IsNaN(got) {
			r.wrong(x, got, want)
		}
		return
	}
	if f.inside != nil && !f.inside(x[0]) {
		if r.AbsBound > 0 {
			r.AbsErr = max(r.AbsErr, math.Abs(got-want))
		}
		return
	}
	d := distance(got, want, r.Single)
	if math.IsInf(want, 0) != math.IsInf(got, 0) && d > 16 || want == 0 && got == 0 && f.value == nil && math.Signbit(want) != math.Signbit(got) {
		r.wrong(x, got, want)
		return
	}
	if d > r.Ulp {
		r.Ulp, r.At = d, x
	}
}

func (r *Result) wrong(x [3]float64, got, want float64) {
	if len(r.Wrong) < 5 {
		r.Wrong = append(r.Wrong, fmt.Sprintf("%s%v = %v, want %v", r.Name, x, got, want))
	}
}

// expected is the correctly rounded result, if it is checked.
func expected(f *function, x [3]float64, single bool) (float64, bool) {
	round := func(v float64) float64 {
		if single {
			return float64(float32(v))
		}
		return v
	}
	nan, inf := false, false
	for _, v := range x[:max(f.arity, 1)] {
		nan, inf = nan || math.IsNaN(v), inf || math.IsInf(v, 0)
	}
	odd := nan || inf
	if nan && (f.special == nil || f.arity < 2) {
		return math.NaN(), !inf // a length with an infinite component is infinite whatever the others are
	}
	if f.exact != nil {
		if f.domain != nil && !f.domain(x) {
			return 0, false
		}
		return round(f.exact(x, single)), true
	}
	zero := x[0] == 0 || f.arity == 2 && x[1] == 0
	if odd || zero || f.domain != nil && !f.domain(x) {
		if f.special == nil || !odd && !zero && !outside(f, x) {
			return 0, false
		}
		return round(f.special(x)), true
	}
	v := f.value(x)
	if v == nil {
		return 0, false
	}
	if single {
		w, _ := v.Float32()
		return float64(w), true
	}
	w, _ := v.Float64()
	return w, true
}

// outside reports whether Go's function may be asked about an argument outside the domain: where the answer is NaN, infinite
// or zero.
func outside(f *function, x [3]float64) bool {
	v := f.special(x)
	return math.IsNaN(v) || math.IsInf(v, 0) || v == 0
}

// distance is the number of steps between two numbers of a format.
func distance(a, b float64, single bool) uint64 {
	var x, y int64
	if single {
		x, y = int64(int32(math.Float32bits(float32(a)))), int64(int32(math.Float32bits(float32(b))))
		if x < 0 {
			x = math.MinInt32 - x
		}
		if y < 0 {
			y = math.MinInt32 - y
		}
	} else {
		x, y = int64(math.Float64bits(a)), int64(math.Float64bits(b))
		if x < 0 {
			x = math.MinInt64 - x
		}
		if y < 0 {
			y = math.MinInt64 - y
		}
	}
	if x > y {
		x, y = y, x
	}
	return uint64(y) - uint64(x)
}

// Markdown is the table as a page.
func Markdown(results []Result, compiler, engine string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Accuracy of CUDA's math functions on the host device

Generated by make math; do not edit. Functions compiled by %s and run on the engine %s, against math/big. Arguments are special
values, denormals, random bits of the whole format, and random numbers of an interesting interval. An error is the distance
from the correctly rounded result in numbers of the format. The bounds are those of the CUDA C++ Programming Guide (12.x). Where a
function has a domain, arguments outside are checked where C99 says the answer is NaN, infinite or zero.

| function | arguments | largest error, ulp | CUDA's bound, ulp | absolute error | its bound | holds for | at |
|---|---:|---:|---:|---:|---:|---|---|
`, compiler, engine)
	for _, r := range results {
		bound, abs, absBound := fmt.Sprint(r.Bound), "", ""
		if r.Bound < 0 {
			bound = "none"
		}
		if r.AbsBound > 0 {
			abs, absBound = fmt.Sprintf("%.1e", r.AbsErr), fmt.Sprintf("%.1e", r.AbsBound)
		}
		where := ""
		if r.Ulp > 0 {
			where = strings.Trim(fmt.Sprint(r.At[:]), "[]")
		}
		mark := ""
		if !r.Within() {
			mark = " **exceeds**"
		}
		fmt.Fprintf(&b, "| `%s` | %d | %d%s | %s | %s | %s | %s | %s |\n", r.Name, r.Samples, r.Ulp, mark, bound, abs, absBound, r.Note, where)
	}
	return b.String()
}
