package array_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/kernels/array"
	"github.com/tandem-go/tandem/kernels/internal/oracle"
)

// plain is an array in Go: a shape, and the element at each index.
type plain[T any] struct {
	shape []int
	at    func(ix []int) T
}

func flat[T any](x []T, shape ...int) plain[T] {
	return plain[T]{shape, func(ix []int) T {
		k := 0
		for i, d := range shape {
			k = k*d + ix[i]
		}
		return x[k]
	}}
}

// each calls f with every index in row-major order.
func (p plain[T]) each(f func(ix []int)) {
	ix := make([]int, len(p.shape))
	var walk func(axis int)
	walk = func(axis int) {
		if axis == len(ix) {
			f(ix)
			return
		}
		for ix[axis] = range p.shape[axis] {
			walk(axis + 1)
		}
	}
	walk(0)
}

func (p plain[T]) elements() []T {
	out := []T{}
	p.each(func(ix []int) { out = append(out, p.at(ix)) })
	return out
}

// change is a view made of both sides in the same way.
func change[T array.Element](r *rand.Rand, a *array.Array[T], p plain[T]) (*array.Array[T], plain[T], string) {
	n := len(p.shape)
	if n == 0 {
		return a.ExpandDims(0), plain[T]{[]int{1}, func([]int) T { return p.at(nil) }}, "expand 0"
	}
	k := r.IntN(n)
	switch r.IntN(5) {
	case 0:
		order := r.Perm(n)
		shape := make([]int, n)
		for i, o := range order {
			shape[i] = p.shape[o]
		}
		return a.Transpose(order...), plain[T]{shape, func(ix []int) T {
			from := make([]int, n)
			for i, o := range order {
				from[o] = ix[i]
			}
			return p.at(from)
		}}, fmt.Sprint("transpose ", order)
	case 1:
		return a.Flip(k), plain[T]{p.shape, func(ix []int) T {
			from := slices.Clone(ix)
			from[k] = p.shape[k] - 1 - ix[k]
			return p.at(from)
		}}, fmt.Sprint("flip ", k)
	case 2:
		lo, step := r.IntN(p.shape[k]), 1+r.IntN(3)
		shape := slices.Clone(p.shape)
		shape[k] = (p.shape[k] - lo + step - 1) / step
		entries := slices.Repeat([]array.Index{array.All}, k+1)
		entries[k] = array.Step(lo, array.OpenEnd, step)
		return a.Index(entries...), plain[T]{shape, func(ix []int) T {
			from := slices.Clone(ix)
			from[k] = lo + step*ix[k]
			return p.at(from)
		}}, fmt.Sprintf("axis %d from %d by %d", k, lo, step)
	case 3:
		i := r.IntN(p.shape[k])
		entries := slices.Repeat([]array.Index{array.All}, k+1)
		entries[k] = array.At(i - p.shape[k])
		return a.Index(entries...), plain[T]{slices.Delete(slices.Clone(p.shape), k, k+1), func(ix []int) T {
			return p.at(slices.Insert(slices.Clone(ix), k, i))
		}}, fmt.Sprintf("axis %d at %d", k, i)
	}
	shape := append([]int{2}, p.shape...)
	return a.BroadcastTo(shape...), plain[T]{shape, func(ix []int) T { return p.at(ix[1:]) }}, "broadcast"
}

// testViews makes random views, an expression of them, and a reduction of that over random axes. Elements are small integers,
// so every type computes exactly.
func testViews[T array.Number](t *testing.T, ws *array.Workspace, toT func(int) T, add, mul func(x, y T) T) {
	r := oracle.Rand(t, 77)
	for range 30 {
		shape := make([]int, 1+r.IntN(4))
		for i := range shape {
			shape[i] = 1 + r.IntN(6)
		}
		x := make([]T, count(shape))
		for i := range x {
			x[i] = toT(r.IntN(4))
		}
		a, p, story := array.From(t.Context(), ws, x, shape...), flat(x, shape...), fmt.Sprint(shape)
		for range r.IntN(4) {
			var what string
			if a, p, what = change(r, a, p); what != "" {
				story += "; " + what
			}
		}
		require.Equal(t, p.shape, a.Shape(), story)
		require.Equal(t, p.elements(), get(t, a), story)

		// a * (a with some axes 1) + 2, as NumPy broadcasts
		b, q := a, p
		for k := range p.shape {
			if r.IntN(3) == 0 {
				entries := slices.Repeat([]array.Index{array.All}, k+1)
				entries[k] = array.Range(0, 1)
				old := q
				b = b.Index(entries...)
				narrow := slices.Clone(old.shape)
				narrow[k] = 1
				q = plain[T]{narrow, func(ix []int) T {
					from := slices.Clone(ix)
					from[k] = 0
					return old.at(from)
				}}
			}
		}
		e := a.Mul(b).Add(2)
		both := plain[T]{p.shape, func(ix []int) T {
			narrow := slices.Clone(ix)
			for k := range narrow {
				narrow[k] = min(narrow[k], q.shape[k]-1)
			}
			return add(mul(p.at(ix), q.at(narrow)), toT(2))
		}}
		require.Equal(t, both.elements(), get(t, e), story)

		var axes []int
		for k := range p.shape {
			if r.IntN(2) == 0 {
				axes = append(axes, k)
			}
		}
		sums := map[string]T{}
		var order []string
		both.each(func(ix []int) {
			key := ""
			for k, i := range ix {
				if len(axes) > 0 && !slices.Contains(axes, k) {
					key += fmt.Sprintf("%d,", i)
				}
			}
			if _, ok := sums[key]; !ok {
				order = append(order, key)
			}
			sums[key] = add(sums[key], both.at(ix))
		})
		want := []T{}
		for _, key := range order {
			want = append(want, sums[key])
		}
		require.Equal(t, want, get(t, a.Mul(b).Add(2).Sum(axes...)), "%s; sum %v", story, axes)
	}
}

func TestViews(t *testing.T) {
	each(t, func(t *testing.T, ws *array.Workspace) {
		testViews(t, ws, func(i int) uint8 { return uint8(i) }, func(x, y uint8) uint8 { return x + y }, func(x, y uint8) uint8 { return x * y })
		testViews(t, ws, func(i int) int64 { return int64(i) }, func(x, y int64) int64 { return x + y }, func(x, y int64) int64 { return x * y })
		testViews(t, ws, func(i int) float32 { return float32(i) }, func(x, y float32) float32 { return x + y }, func(x, y float32) float32 { return x * y })
		testViews(t, ws, func(i int) complex128 { return complex(float64(i), 0) }, func(x, y complex128) complex128 { return x + y }, func(x, y complex128) complex128 { return x * y })
	})
}

// TestFunctions compares CUDA's functions with Go's within the errors that their comments state; Go's own are within 2 ulp.
func TestFunctions(t *testing.T) {
	type a32 = *array.Array[float32]
	type a64 = *array.Array[float64]
	each(t, func(t *testing.T, ws *array.Workspace) {
		r := oracle.Rand(t, 5)
		for _, f := range []struct {
			name     string
			f32      func(a32) a32
			f64      func(a64) a64
			want     func(float64) float64
			lo, hi   float64
			u32, u64 float64
		}{
			{"exp", a32.Exp, a64.Exp, math.Exp, -80, 80, 1, 1}, {"exp2", a32.Exp2, a64.Exp2, math.Exp2, -100, 100, 2, 1},
			{"exp10", a32.Exp10, a64.Exp10, func(x float64) float64 { return math.Pow(10, x) }, -30, 30, 2, 1},
			{"expm1", a32.Expm1, a64.Expm1, math.Expm1, -5, 5, 1, 1}, {"log", a32.Log, a64.Log, math.Log, 1e-6, 1e6, 1, 1},
			{"log2", a32.Log2, a64.Log2, math.Log2, 2, 1e6, 1, 1}, {"log10", a32.Log10, a64.Log10, math.Log10, 2, 1e6, 2, 1},
			{"log1p", a32.Log1p, a64.Log1p, math.Log1p, -0.9, 9, 1, 1}, {"sqrt", a32.Sqrt, a64.Sqrt, math.Sqrt, 0, 1e9, 0, 0},
			{"rsqrt", a32.Rsqrt, a64.Rsqrt, func(x float64) float64 { return 1 / math.Sqrt(x) }, 1e-3, 1e9, 2, 1},
			{"cbrt", a32.Cbrt, a64.Cbrt, math.Cbrt, -1e9, 1e9, 1, 1}, {"sin", a32.Sin, a64.Sin, math.Sin, -3, 3, 2, 2},
			{"cos", a32.Cos, a64.Cos, math.Cos, -1.5, 1.5, 2, 2}, {"tan", a32.Tan, a64.Tan, math.Tan, -1.5, 1.5, 4, 2},
			{"asin", a32.Asin, a64.Asin, math.Asin, -1, 1, 2, 2}, {"acos", a32.Acos, a64.Acos, math.Acos, -1, 0.9, 2, 2},
			{"atan", a32.Atan, a64.Atan, math.Atan, -50, 50, 2, 2}, {"sinh", a32.Sinh, a64.Sinh, math.Sinh, -80, 80, 3, 2},
			{"cosh", a32.Cosh, a64.Cosh, math.Cosh, -80, 80, 2, 1}, {"tanh", a32.Tanh, a64.Tanh, math.Tanh, -9, 9, 2, 2},
			{"asinh", a32.Asinh, a64.Asinh, math.Asinh, -1e4, 1e4, 3, 3}, {"acosh", a32.Acosh, a64.Acosh, math.Acosh, 1.5, 1e4, 4, 3},
			{"atanh", a32.Atanh, a64.Atanh, math.Atanh, -0.9, 0.9, 3, 2}, {"erf", a32.Erf, a64.Erf, math.Erf, -3, 3, 2, 2},
			{"erfc", a32.Erfc, a64.Erfc, math.Erfc, -3, 5, 4, 5}, {"gamma", a32.Gamma, a64.Gamma, math.Gamma, 0.1, 30, 5, 10},
			{"floor", a32.Floor, a64.Floor, math.Floor, -9, 9, 0, 0}, {"ceil", a32.Ceil, a64.Ceil, math.Ceil, -9, 9, 0, 0},
			{"rint", a32.Rint, a64.Rint, math.RoundToEven, -9, 9, 0, 0},
			{"reciprocal", a32.Reciprocal, a64.Reciprocal, func(x float64) float64 { return 1 / x }, -9, 9, 0, 0},
		} {
			x := make([]float64, 500)
			y := make([]float32, len(x))
			for i := range x {
				y[i] = float32(f.lo + r.Float64()*(f.hi-f.lo))
				x[i] = float64(y[i])
			}
			for i, have := range get(t, f.f32(array.From(context.Background(), ws, y))) {
				want := f.want(x[i])
				require.LessOrEqual(t, math.Abs(float64(have)-want), (f.u32+0.5)*ulp32(want), "%s(%v) = %v", f.name, y[i], have)
			}
			for i, have := range get(t, f.f64(array.From(context.Background(), ws, x))) {
				want, own := f.want(x[i]), 2.0
				if f.u64 == 0 {
					own = 0 // exact in Go, too
				}
				if f.name == "gamma" || f.name == "exp10" {
					own = 30 // Go's are less exact
				}
				require.LessOrEqual(t, math.Abs(have-want), (f.u64+own)*(math.Nextafter(math.Abs(want), math.Inf(1))-math.Abs(want)), "%s(%v) = %v", f.name, x[i], have)
			}
		}
	})
}

// ulp32 is the distance of float32 numbers at x.
func ulp32(x float64) float64 {
	_, e := math.Frexp(x)
	return math.Ldexp(1, max(e-24, -149))
}

func TestFloat16(t *testing.T) {
	for bits := range 1 << 16 {
		h := array.Float16(bits)
		x := h.Float64()
		if math.IsNaN(x) {
			require.True(t, math.IsNaN(array.ToFloat16(x).Float64()))
			continue
		}
		require.Equal(t, h, array.ToFloat16(x), "%v", x)
		if next := array.Float16(bits + 1).Float64(); x > 0 && !math.IsInf(x, 0) && !math.IsInf(next, 0) {
			even := h
			if bits&1 == 1 {
				even++
			}
			require.Equal(t, even, array.ToFloat16((x+next)/2), "halfway from %v", x)
			require.Equal(t, h, array.ToFloat16(math.Nextafter((x+next)/2, 0)))
		}
	}
	require.Equal(t, "0.1", array.ToFloat16(0.1).String())
	require.True(t, math.IsInf(array.ToFloat16(65520).Float64(), 1))
	require.Equal(t, 65504.0, array.ToFloat16(65519).Float64())
}
