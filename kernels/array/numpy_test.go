package array_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/interop/npy"
	"github.com/tandem-go/tandem/kernels/array"
	"github.com/tandem-go/tandem/kernels/internal/oracle"
)

// raw is a computed array as bytes.
type raw struct {
	dtype string
	shape []int
	data  []byte
}

// result is an Array of any element type.
type result func(ctx context.Context) (raw, error)

var dtypes = map[string]string{
	"bool": "b1", "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4", "int64": "i8", "uint64": "u8",
	"array.Float16": "f2", "float32": "f4", "float64": "f8", "complex64": "c8", "complex128": "c16",
}

func of[T array.Element](a *array.Array[T]) result {
	return func(ctx context.Context) (raw, error) {
		x, err := a.Download(ctx)
		if err != nil {
			return raw{}, err
		}
		return raw{dtypes[fmt.Sprintf("%T", *new(T))], a.Shape(), encode(x)}, nil
	}
}

func encode[T array.Element](x []T) []byte {
	var b []byte
	for _, v := range x {
		b, _ = binary.Append(b, binary.LittleEndian, v)
	}
	return b
}

// values decodes elements as complex numbers; 64-bit integers beyond 2^53 are compared by their bytes.
func values(r raw) []complex128 {
	read := func(v any) {
		_, err := binary.Decode(r.data, binary.LittleEndian, v)
		if err != nil {
			panic(err)
		}
	}
	var out []complex128
	switch r.dtype {
	case "f2":
		x := make([]array.Float16, len(r.data)/2)
		read(x)
		for _, v := range x {
			out = append(out, complex(v.Float64(), 0))
		}
	case "f4":
		x := make([]float32, len(r.data)/4)
		read(x)
		for _, v := range x {
			out = append(out, complex(float64(v), 0))
		}
	case "f8":
		x := make([]float64, len(r.data)/8)
		read(x)
		for _, v := range x {
			out = append(out, complex(v, 0))
		}
	case "c8":
		x := make([]complex64, len(r.data)/8)
		read(x)
		for _, v := range x {
			out = append(out, complex128(v))
		}
	case "c16":
		out = make([]complex128, len(r.data)/16)
		read(out)
	}
	return out
}

// half is half an ulp of 1.
var half = map[string]float64{"f2": 0x1p-11, "f4": 0x1p-24, "f8": 0x1p-53, "c8": 0x1p-24, "c16": 0x1p-53}

// kase is one comparison: the statement of NumPy, and ours.
type kase struct {
	name   string
	setup  string // makes x and y of the inputs
	py     string
	inputs map[string]*npy.Array
	run    func(ws *array.Workspace) result
	// ulps is how far results may be apart, in ulps; absolute is added to that, in units of half an ulp of 1.
	ulps, absolute float64
}

// compare checks ours against NumPy's.
func (k *kase) compare(t *testing.T, want, have raw) {
	t.Helper()
	if want.dtype != have.dtype {
		t.Errorf("%s: %s, in NumPy %s", k.name, have.dtype, want.dtype)
		return
	}
	require.Equal(t, want.shape, have.shape, k.name)
	require.Len(t, have.data, len(want.data), k.name)
	a, b := values(want), values(have)
	if a == nil {
		if !bytes.Equal(want.data, have.data) {
			t.Errorf("%s (%s): NumPy %v, here %v", k.name, k.setup, want.data, have.data)
		}
		return
	}
	u := half[want.dtype]
	same := func(x, y, size float64) bool {
		switch {
		case math.IsNaN(x) || math.IsNaN(y):
			return math.IsNaN(x) && math.IsNaN(y)
		case x == y:
			return k.ulps > 0 || math.Signbit(x) == math.Signbit(y)
		}
		return math.Abs(x-y) <= 2*u*k.ulps*size+k.absolute*u
	}
	for i := range a {
		size := cmplx.Abs(a[i])
		if !same(real(a[i]), real(b[i]), size) || !same(imag(a[i]), imag(b[i]), size) {
			t.Errorf("%s (%s): element %d is %v, in NumPy %v", k.name, k.setup, i, b[i], a[i])
			return
		}
	}
}

// shapes are pairs that broadcast, with the views that are taken of each.
var shapes = []struct {
	x, y         []int
	xview, yview string
}{
	{[]int{7}, []int{7}, "", ""},
	{[]int{33}, []int{1}, "::-1", ""},
	{[]int{5, 1}, []int{1, 6}, "", ""},
	{[]int{3, 4, 5}, []int{4, 5}, "", "::-1"},
	{[]int{6, 40}, []int{40}, ":, ::-1", ""},
	{[]int{4, 9}, []int{2, 9}, "::2, 1:8:3", ":, 1:8:3"},
	{[]int{2, 3}, []int{}, "", ""},
	{[]int{}, []int{}, "", ""},
	{[]int{3, 0, 2}, []int{2}, "", ""},
	{[]int{40, 70}, []int{40, 70}, "", ""},
	{[]int{2, 1, 3, 1, 2}, []int{3, 4, 1}, "...", ""},
	{[]int{5, 5}, []int{5, 5}, "1:, :-1", "newaxis, 0, 1:"},
}

// draw makes numbers of moderate size, zeros and, for floating point, what is not finite.
func draw[T array.Element](r *rand.Rand, n int, special bool) []T {
	out := make([]T, n)
	odd := []float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), 1, -1}
	number := func() float64 {
		if special && r.IntN(6) == 0 {
			return odd[r.IntN(len(odd))]
		}
		return r.NormFloat64() * 4
	}
	for i := range out {
		switch p := any(&out[i]).(type) {
		case *bool:
			*p = r.IntN(2) == 1
		case *int8:
			*p = int8(r.IntN(41) - 20)
		case *uint8:
			*p = uint8(r.IntN(256))
		case *int16:
			*p = int16(r.IntN(400) - 200)
		case *uint16:
			*p = uint16(r.IntN(300))
		case *int32:
			*p = int32(r.Uint32() >> (r.IntN(4) * 8))
		case *uint32:
			*p = r.Uint32() >> (r.IntN(4) * 8)
		case *int64:
			*p = int64(r.Uint64() >> (r.IntN(8) * 8))
		case *uint64:
			*p = r.Uint64() >> (r.IntN(8) * 8)
		case *array.Float16:
			*p = array.ToFloat16(number())
		case *float32:
			*p = float32(number())
		case *float64:
			*p = number()
		case *complex64:
			*p = complex(float32(r.NormFloat64()), float32(r.NormFloat64()))
		case *complex128:
			*p = complex(r.NormFloat64(), r.NormFloat64())
		}
	}
	return out
}

// form is an operation on two arrays of T, in Python and here.
type form[T array.Element] struct {
	py             string
	f              func(x, y *array.Array[T]) result
	ulps, absolute float64
}

// build makes cases of forms, each with a pair of shapes and fresh inputs.
func build[T array.Element](r *rand.Rand, special bool, forms []form[T]) []kase {
	var out []kase
	dtype := dtypes[fmt.Sprintf("%T", *new(T))]
	for i, f := range forms {
		s := shapes[(i+r.IntN(len(shapes)))%len(shapes)]
		x, y := draw[T](r, count(s.x), special), draw[T](r, count(s.y), special)
		view := func(name, spec string) string {
			if spec == "" {
				return name
			}
			return name + "[" + strings.ReplaceAll(spec, "newaxis", "np.newaxis") + "]"
		}
		out = append(out, kase{
			name: dtype + ": " + f.py, py: f.py, ulps: f.ulps, absolute: f.absolute,
			setup: "x = " + view("X", s.xview) + "; y = " + view("Y", s.yview),
			inputs: map[string]*npy.Array{
				"X": {Header: npy.Header{DType: dtype, Shape: s.x}, Data: encode(x)},
				"Y": {Header: npy.Header{DType: dtype, Shape: s.y}, Data: encode(y)},
			},
			run: func(ws *array.Workspace) result {
				ax, ay := array.From(context.Background(), ws, x, s.x...), array.From(context.Background(), ws, y, s.y...)
				if len(s.x) == 0 {
					ax = ax.Reshape()
				}
				if len(s.y) == 0 {
					ay = ay.Reshape()
				}
				if s.xview != "" {
					ax = ax.Slice(s.xview)
				}
				if s.yview != "" {
					ay = ay.Slice(s.yview)
				}
				return f.f(ax, ay)
			},
		})
	}
	return out
}

func count(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// common are the forms that every number has.
func common[T array.Number]() []form[T] {
	type a = *array.Array[T]
	return []form[T]{
		{"x + y", func(x, y a) result { return of(x.Add(y)) }, 0, 0},
		{"x - y", func(x, y a) result { return of(x.Sub(y)) }, 0, 0},
		{"x + 3", func(x, y a) result { return of(x.Add(3)) }, 0, 0},
		{"3 - x", func(x, y a) result { return of(array.AsType[T](array.Full(x.Workspace(), 3.0)).Sub(x)) }, 0, 0},
		{"-x", func(x, y a) result { return of(x.Neg()) }, 0, 0},
		{"x == y", func(x, y a) result { return of(x.Equal(y)) }, 0, 0},
		{"x != y", func(x, y a) result { return of(x.NotEqual(y)) }, 0, 0},
		{"np.logical_and(x, y)", func(x, y a) result { return of(x.And(y)) }, 0, 0},
		{"np.logical_xor(x, y)", func(x, y a) result { return of(x.Xor(y)) }, 0, 0},
		{"np.logical_not(x)", func(x, y a) result { return of(x.Not()) }, 0, 0},
		{"np.where(x == y, x + 1, y)", func(x, y a) result { return of(array.Where[T](x.Equal(y), x.Add(1), y)) }, 0, 0},
		{"x.T", func(x, y a) result { return of(x.T()) }, 0, 0},
		{"x.reshape(-1)", func(x, y a) result { return of(x.Ravel()) }, 0, 0},
		{"x[..., np.newaxis] - y.reshape(-1)[:1]", func(x, y a) result { return of(x.Slice("..., newaxis").Sub(y.Ravel().Slice(":1"))) }, 0, 0},
		{"np.flip(x)", func(x, y a) result { return of(x.Flip()) }, 0, 0},
		{"np.concatenate([x.reshape(-1), y.reshape(-1), x.reshape(-1)[::-1]])", func(x, y a) result {
			return of(array.Concatenate(0, x.Ravel(), y.Ravel(), x.Ravel().Flip()))
		}, 0, 0},
		{"np.stack([x, x + 1], axis=-1)", func(x, y a) result { return of(array.Stack(-1, x, x.Add(1))) }, 0, 0},
		{"x.astype(np.complex128)", func(x, y a) result { return of(array.AsType[complex128](x)) }, 0, 0},
		{"x.astype(bool)", func(x, y a) result { return of(array.AsType[bool](x)) }, 0, 0},
		{"np.any(x)", func(x, y a) result { return of(x.Any()) }, 0, 0},
		{"np.all(x)", func(x, y a) result { return of(x.All()) }, 0, 0},
		{"np.array(np.count_nonzero(x))", func(x, y a) result { return of(x.CountNonzero()) }, 0, 0},
		{"np.take(np.append(x, y), [[0, -1], [0, 0]])", func(x, y a) result {
			ws := x.Workspace()
			return of(array.TakeFlat(array.Concatenate(0, x.Ravel(), y.Ravel()), array.From(context.Background(), ws, []int64{0, -1, 0, 0}, 2, 2)))
		}, 0, 0},
	}
}

// integers are the forms of integers.
func integers[T array.Number]() []form[T] {
	type a = *array.Array[T]
	return append(common[T](), []form[T]{
		{"x * y", func(x, y a) result { return of(x.Mul(y)) }, 0, 0},
		{"x*x + y*2 - x", func(x, y a) result { return of(x.Square().Add(y.Mul(2)).Sub(x)) }, 0, 0},
		{"x // y", func(x, y a) result { return of(x.FloorDiv(y)) }, 0, 0},
		{"x % y", func(x, y a) result { return of(x.Mod(y)) }, 0, 0},
		{"x // 3", func(x, y a) result { return of(x.FloorDiv(3)) }, 0, 0},
		{"x & y", func(x, y a) result { return of(x.BitAnd(y)) }, 0, 0},
		{"x | y", func(x, y a) result { return of(x.BitOr(y)) }, 0, 0},
		{"x ^ y", func(x, y a) result { return of(x.BitXor(y)) }, 0, 0},
		{"~x", func(x, y a) result { return of(x.BitNot()) }, 0, 0},
		{"x << 3", func(x, y a) result { return of(x.Shl(3)) }, 0, 0},
		{"x >> 2", func(x, y a) result { return of(x.Shr(2)) }, 0, 0},
		{"x ** 3", func(x, y a) result { return of(x.Pow(3)) }, 0, 0},
		{"x.sum(dtype=x.dtype)", func(x, y a) result { return of(x.Sum()) }, 0, 0},
		{"x.reshape(-1, 1).prod(0, dtype=x.dtype)", func(x, y a) result { return of(x.Reshape(x.Size(), 1).Prod(0)) }, 0, 0},
	}...)
}

// ranked are the forms of numbers that have an order.
func ranked[T array.Number]() []form[T] {
	type a = *array.Array[T]
	return []form[T]{
		{"x < y", func(x, y a) result { return of(x.Less(y)) }, 0, 0},
		{"x <= y", func(x, y a) result { return of(x.LessEqual(y)) }, 0, 0},
		{"x > 2", func(x, y a) result { return of(x.Greater(2)) }, 0, 0},
		{"x >= y", func(x, y a) result { return of(x.GreaterEqual(y)) }, 0, 0},
		{"np.minimum(x, y)", func(x, y a) result { return of(x.Minimum(y)) }, 1e-9, 0},
		{"np.maximum(x, y)", func(x, y a) result { return of(x.Maximum(y)) }, 1e-9, 0},
		{"np.clip(x, 1, 3)", func(x, y a) result { return of(x.Clip(1, 3)) }, 0, 0},
		{"np.abs(x)", func(x, y a) result { return of(x.Abs()) }, 0, 0},
		{"np.sign(x)", func(x, y a) result { return of(x.Sign()) }, 0, 0},
		{"np.append(x, 1).astype(x.dtype).min()", func(x, y a) result { return of(withOne(x).Min()) }, 0, 0},
		{"np.append(x, 1).astype(x.dtype).max()", func(x, y a) result { return of(withOne(x).Max()) }, 0, 0},
		{"np.append(x, 1).astype(x.dtype).argmin()", func(x, y a) result { return of(withOne(x).ArgMin()) }, 0, 0},
		{"np.append(x, 1).astype(x.dtype).argmax()", func(x, y a) result { return of(withOne(x).ArgMax()) }, 0, 0},
		{"np.stack([x, x*0 + 2], 0).min(0)", func(x, y a) result { return of(array.Stack(0, x, x.Mul(0).Add(2)).Min(0)) }, 0, 0},
		{"np.stack([x, x*0 + 2], -1).max(-1)", func(x, y a) result { return of(array.Stack(-1, x, x.Mul(0).Add(2)).Max(-1)) }, 0, 0},
		{"np.stack([x*0 + 2, x], 0).argmax(0)", func(x, y a) result { return of(array.Stack(0, x.Mul(0).Add(2), x).ArgMax(0)) }, 0, 0},
	}
}

func withOne[T array.Number](x *array.Array[T]) *array.Array[T] {
	return array.Concatenate(0, x.Ravel(), array.Ones[T](x.Workspace(), 1))
}

// exactFloats are the forms of floating point that IEEE 754 fixes.
func exactFloats[T array.Number]() []form[T] {
	type a = *array.Array[T]
	return append(common[T](), []form[T]{
		{"x * y", func(x, y a) result { return of(x.Mul(y)) }, 0, 0},
		{"x / y", func(x, y a) result { return of(x.Div(y)) }, 0, 0},
		{"x*x + y*2 - x", func(x, y a) result { return of(x.Square().Add(y.Mul(2)).Sub(x)) }, 0, 0},
		{"(x - y) / (x*x + 1) * 0.5", func(x, y a) result { return of(x.Sub(y).Div(x.Square().Add(1)).Mul(0.5)) }, 0, 0},
		{"x // y", func(x, y a) result { return of(x.FloorDiv(y)) }, 0, 0},
		{"x % y", func(x, y a) result { return of(x.Mod(y)) }, 0, 0},
		{"np.fmod(x, y)", func(x, y a) result { return of(x.Fmod(y)) }, 0, 0},
		{"np.sqrt(np.abs(x))", func(x, y a) result { return of(x.Abs().Sqrt()) }, 0, 0},
		{"np.floor(x)", func(x, y a) result { return of(x.Floor()) }, 0, 0},
		{"np.ceil(x)", func(x, y a) result { return of(x.Ceil()) }, 0, 0},
		{"np.trunc(x)", func(x, y a) result { return of(x.Trunc()) }, 0, 0},
		{"np.rint(x)", func(x, y a) result { return of(x.Rint()) }, 0, 0},
		{"np.copysign(x, y)", func(x, y a) result { return of(x.Copysign(y)) }, 0, 0},
		{"np.isnan(x)", func(x, y a) result { return of(x.IsNaN()) }, 0, 0},
		{"np.isinf(x)", func(x, y a) result { return of(x.IsInf()) }, 0, 0},
		{"np.isfinite(x)", func(x, y a) result { return of(x.IsFinite()) }, 0, 0},
		{"np.frexp(x)[0]", func(x, y a) result { m, _ := x.Frexp(); return of(m) }, 0, 0},
		{"np.where(np.isfinite(x), np.frexp(x)[1], 0).astype(np.int32)", func(x, y a) result { _, e := x.Frexp(); return of(array.AsType[int32](e)) }, 0, 0},
		{"np.modf(x)[0]", func(x, y a) result { f, _ := x.Modf(); return of(f) }, 0, 0},
		{"np.modf(x)[1]", func(x, y a) result { _, i := x.Modf(); return of(i) }, 0, 0},
		{"np.ldexp(x, 3)", func(x, y a) result { return of(x.Ldexp(3)) }, 0, 0},
		{"x.astype(np.float16)", func(x, y a) result { return of(array.AsType[array.Float16](x)) }, 0, 0},
		{"x.astype(np.float64)", func(x, y a) result { return of(array.AsType[float64](x)) }, 0, 0},
	}...)
}

// functions are CUDA's functions. NumPy's have errors of their own, of up to 4 ulp in float32.
func functions[T array.Number]() []form[T] {
	type a = *array.Array[T]
	one := func(py string, ulps float64, f func(a) a) form[T] {
		return form[T]{py, func(x, y a) result { return of(f(x)) }, ulps + 4, 0}
	}
	return []form[T]{
		one("np.exp(x)", 1, a.Exp), one("np.exp2(x)", 2, a.Exp2), one("np.expm1(x)", 1, a.Expm1),
		one("np.log(x)", 1, a.Log), one("np.log2(x)", 1, a.Log2), one("np.log10(x)", 2, a.Log10), one("np.log1p(x)", 1, a.Log1p),
		one("np.sin(x)", 2, a.Sin), one("np.cos(x)", 2, a.Cos), one("np.tan(x)", 4, a.Tan),
		one("np.arcsin(x)", 2, a.Asin), one("np.arccos(x)", 2, a.Acos), one("np.arctan(x)", 2, a.Atan),
		one("np.sinh(x)", 3, a.Sinh), one("np.cosh(x)", 2, a.Cosh), one("np.tanh(x)", 2, a.Tanh),
		one("np.arcsinh(x)", 3, a.Asinh), one("np.arccosh(x)", 4, a.Acosh), one("np.arctanh(x)", 3, a.Atanh),
		one("np.cbrt(x)", 1, a.Cbrt), one("1 / x", 0, a.Reciprocal), one("1 / np.sqrt(x)", 2, a.Rsqrt),
		{"np.arctan2(x, y)", func(x, y a) result { return of(x.Atan2(y)) }, 7, 0},
		{"np.hypot(x, y)", func(x, y a) result { return of(x.Hypot(y)) }, 7, 0},
		{"np.power(np.abs(x), y)", func(x, y a) result { return of(x.Abs().Pow(y)) }, 8, 0},
		{"np.power(x, 3)", func(x, y a) result { return of(x.Pow(3)) }, 8, 0},
		{"np.exp(-x*x / 2) * np.cos(y)", func(x, y a) result { return of(x.Neg().Mul(x).Div(2).Exp().Mul(y.Cos())) }, 16, 0},
	}
}

// sums are reductions of floating point, of finite inputs: at most 2,800 of them, of size up to about 20.
func sums[T array.Number]() []form[T] {
	type a = *array.Array[T]
	// Both sides err by less than 30 u Σ|x|, for these sizes; Σ|x| is below 2800 * 3.2 on average, and 1e4 with room.
	const error = 2 * 30 * 1e4
	return []form[T]{
		{"x.sum()", func(x, y a) result { return of(x.Sum()) }, 1, error},
		{"x.sum(0, keepdims=True) if x.ndim else x.sum()", func(x, y a) result {
			if x.NDim() == 0 {
				return of(x.Sum())
			}
			return of(array.Keep(x, x.Sum(0), 0))
		}, 1, error},
		{"x.sum(-1) if x.ndim else x.sum()", func(x, y a) result {
			if x.NDim() == 0 {
				return of(x.Sum())
			}
			return of(x.Sum(-1))
		}, 1, error},
		{"(x * y).sum()", func(x, y a) result { return of(x.Mul(y).Sum()) }, 1, 20 * error},
		{"x.mean()", func(x, y a) result { return of(x.Mean()) }, 4, error},
		{"np.dot(x.reshape(-1), x.reshape(-1)[::-1])", func(x, y a) result { return of(x.Ravel().Dot(x.Ravel().Flip())) }, 1, 20 * error},
	}
}

// halfSums are reductions of Float16, which NumPy computes with float32 too.
func halfSums() []form[array.Float16] {
	type a = *array.Array[array.Float16]
	return []form[array.Float16]{
		{"x.mean()", func(x, y a) result { return of(x.Mean()) }, 2, 1},
		{"x.var()", func(x, y a) result { return of(x.Var()) }, 4, 1},
		{"np.sum(x, dtype=np.float32).astype(np.float16)", func(x, y a) result { return of(x.Sum()) }, 2, 1},
	}
}

// spreads are the reductions that have an absolute value in them.
func spreads[T array.Number]() []form[T] {
	type a = *array.Array[T]
	return []form[T]{
		{"x.var()", func(x, y a) result { return of(x.Var()) }, 100, 0},
		{"np.linalg.norm(x.reshape(-1))", func(x, y a) result { return of(x.Norm()) }, 60, 0},
		{"x.std()", func(x, y a) result { return of(x.Std()) }, 100, 0},
	}
}

// complexes are the forms of complex numbers. A part may cancel: errors are measured against the magnitude.
func complexes[C array.Complex, R array.Real]() []form[C] {
	type a = *array.Array[C]
	one := func(py string, ulps float64, f func(a) a) form[C] {
		return form[C]{py, func(x, y a) result { return of(f(x)) }, ulps, 0}
	}
	return append(common[C](), []form[C]{
		{"x * y", func(x, y a) result { return of(x.Mul(y)) }, 4, 0},
		{"x / y", func(x, y a) result { return of(x.Div(y)) }, 8, 0},
		{"x.real", func(x, y a) result { return of(array.RealPart[R](x)) }, 0, 0},
		{"x.imag", func(x, y a) result { return of(array.ImagPart[R](x)) }, 0, 0},
		{"np.abs(x)", func(x, y a) result { return of(array.Magnitude[R](x)) }, 4, 0},
		{"np.angle(x)", func(x, y a) result { return of(array.Phase[R](x)) }, 4, 0},
		{"np.conj(x)", func(x, y a) result { return of(x.Conj()) }, 0, 0},
		{"x.real + 1j*x.imag", func(x, y a) result { return of(array.Compose[C](array.RealPart[R](x), array.ImagPart[R](x))) }, 0, 0},
		one("np.exp(x)", 10, a.Exp), one("np.log(x)", 10, a.Log), one("np.sqrt(x)", 8, a.Sqrt), one("np.sin(x)", 12, a.Sin),
		one("np.cos(x)", 12, a.Cos), one("np.tan(x)", 24, a.Tan), one("np.sinh(x)", 12, a.Sinh), one("np.cosh(x)", 12, a.Cosh),
		one("np.tanh(x)", 24, a.Tanh), one("1 / x", 8, a.Reciprocal),
		{"np.power(x, y)", func(x, y a) result { return of(x.Pow(y)) }, 60, 0},
	}...)
}

func allCases(r *rand.Rand) []kase {
	return slices.Concat(
		build(r, false, integers[int8]()), build(r, false, ranked[int8]()),
		build(r, false, integers[uint8]()), build(r, false, ranked[uint8]()),
		build(r, false, integers[int16]()), build(r, false, ranked[int16]()),
		build(r, false, integers[uint16]()), build(r, false, ranked[uint16]()),
		build(r, false, integers[int32]()), build(r, false, ranked[int32]()),
		build(r, false, integers[uint32]()), build(r, false, ranked[uint32]()),
		build(r, false, integers[int64]()), build(r, false, ranked[int64]()),
		build(r, false, integers[uint64]()), build(r, false, ranked[uint64]()),
		build(r, true, exactFloats[array.Float16]()), build(r, true, ranked[array.Float16]()),
		build(r, true, exactFloats[float32]()), build(r, true, ranked[float32]()),
		build(r, true, exactFloats[float64]()), build(r, true, ranked[float64]()),
		build(r, true, functions[float32]()), build(r, true, functions[float64]()),
		build(r, false, halfSums()), build(r, false, sums[float32]()), build(r, false, sums[float64]()), build(r, false, spreads[float32]()), build(r, false, spreads[float64]()),
		build(r, false, sums[complex64]()), build(r, false, sums[complex128]()),
		build(r, false, complexes[complex64, float32]()), build(r, false, complexes[complex128, float64]()),
	)
}

// TestNumPy compares about a thousand expressions over types, shapes and views: fused and step by step with each other, bit
// for bit, and with NumPy where that is installed.
func TestNumPy(t *testing.T) {
	cudatest.NVRTC(t)
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		fused, stepwise := workspace(t, dev, array.Config{}), workspace(t, dev, array.Config{Fusion: array.FuseNever})
		cases := allCases(oracle.Rand(t, 11))
		require.Greater(t, len(cases), 300)
		have := make([]raw, len(cases))
		for i, k := range cases {
			var err error
			have[i], err = k.run(fused)(t.Context())
			require.NoError(t, err, "%s (%s)", k.name, k.setup)
			other, err := k.run(stepwise)(t.Context())
			require.NoError(t, err, "%s (%s)", k.name, k.setup)
			require.Equal(t, other, have[i], "%s (%s): fused and step by step", k.name, k.setup)
		}
		want, ok := inNumPy(t, cases)
		if !ok {
			return // fused and stepwise agree; TestOperations compares with Go
		}
		for i, k := range cases {
			w := want[fmt.Sprintf("r%d", i)]
			shape := w.Shape
			if len(have[i].shape) == 0 && slices.Equal(shape, []int{1}) {
				shape = []int{} // what it is written as
			}
			k.compare(t, raw{w.DType, shape, w.Data}, have[i])
		}
	})
}

// inNumPy computes all cases, a hundred in each process.
func inNumPy(t *testing.T, cases []kase) (map[string]*npy.Array, bool) {
	all := map[string]*npy.Array{}
	for i := 0; i < len(cases); i += 100 {
		inputs := map[string]*npy.Array{}
		var program strings.Builder
		var names []string
		program.WriteString("np.seterr(all='ignore')\n")
		for k := i; k < min(i+100, len(cases)); k++ {
			for name, a := range cases[k].inputs {
				inputs[fmt.Sprintf("%s%d", name, k)] = a
			}
			fmt.Fprintf(&program, "X, Y = X%d, Y%d; %s; r%d = np.copy(%s, order='C')\n", k, k, cases[k].setup, k, cases[k].py)
			names = append(names, fmt.Sprintf("r%d", k))
		}
		out, ok := oracle.NumPy(t, program.String(), inputs, names...)
		if !ok {
			return nil, false
		}
		maps.Copy(all, out)
	}
	return all, true
}
