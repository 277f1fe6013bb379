package array

import (
	"slices"

	"github.com/tandem-go/tandem/kernels/internal/expr"
)

// Add is a + v. Integers wrap; floating point rounds to nearest even (IEEE 754), half an ulp.
func (a *Array[T]) Add(v any) *Array[T] { return a.binary("add", v) }

// Sub is a - v.
func (a *Array[T]) Sub(v any) *Array[T] { return a.binary("sub", v) }

// Mul is a * v. Of complex numbers it is the plain formula: real and imaginary part each have an error of at most sqrt(5)/2
// ulp of the magnitude (Brent, Percival, Zimmermann 2007, without fma).
func (a *Array[T]) Mul(v any) *Array[T] { return a.binary("mul", v) }

// Div is a / v, for floating point and complex numbers (Smith's algorithm, CACM 116, as NumPy); for integers see FloorDiv.
func (a *Array[T]) Div(v any) *Array[T] { return a.binary("div", v) }

// FloorDiv is the floor of a / v. Integers divided by 0 give 0, as in NumPy.
func (a *Array[T]) FloorDiv(v any) *Array[T] { return a.binary("floordiv", v) }

// Mod is a - v*floor(a/v), with the sign of v, as Python's %; integers divided by 0 leave 0. Fmod has the sign of a.
func (a *Array[T]) Mod(v any) *Array[T] { return a.binary("mod", v) }

// Fmod is C's fmod: the exact remainder of a/v rounded towards zero.
func (a *Array[T]) Fmod(v any) *Array[T] { return a.binary("fmod", v) }

// Pow is a to the power of v. Floating point is CUDA's pow (float32: at most 4 ulp, float64: 2). Integers wrap, and a negative
// power of one is 0 unless a is 1 or -1. Complex numbers are exp(v*log(a)).
func (a *Array[T]) Pow(v any) *Array[T] { return a.binary("pow", v) }

// Minimum is the lesser of a and v, element by element; NaN if one is.
func (a *Array[T]) Minimum(v any) *Array[T] { return a.binary("minimum", v) }

// Maximum is the greater of a and v, element by element; NaN if one is.
func (a *Array[T]) Maximum(v any) *Array[T] { return a.binary("maximum", v) }

// Clip limits the elements to the range from lo to hi.
func (a *Array[T]) Clip(lo, hi any) *Array[T] { return a.Maximum(lo).Minimum(hi) }

// MulAdd is a*x + b*y, PyCUDA's mul_add: each product and the sum are rounded.
func (a *Array[T]) MulAdd(x, b, y any) *Array[T] { return a.Mul(x).Add(full(a, b).Mul(y)) }

// full is an operand as an array.
func full[T Element](a *Array[T], v any) *Array[T] {
	if x, ok := v.(*Array[T]); ok {
		return x
	}
	if a.err != nil {
		return a
	}
	n, err := a.ws.operand("operand", a.n.typ, v)
	return wrap[T](a.ws, n, err)
}

// Neg is -a. Unsigned numbers wrap.
func (a *Array[T]) Neg() *Array[T] { return a.unary("neg") }

// Abs is the absolute value; of complex numbers see Magnitude.
func (a *Array[T]) Abs() *Array[T] { return a.unary("abs") }

// Sign is -1, 0 or 1, and NaN of NaN.
func (a *Array[T]) Sign() *Array[T] { return a.unary("sign") }

// Square is a * a.
func (a *Array[T]) Square() *Array[T] { return a.unary("square") }

// BitAnd is the bits of both; of bools, both.
func (a *Array[T]) BitAnd(v any) *Array[T] { return a.binary("bitand", v) }

// BitOr is the bits of either; of bools, either.
func (a *Array[T]) BitOr(v any) *Array[T] { return a.binary("bitor", v) }

// BitXor is the bits of one and not the other.
func (a *Array[T]) BitXor(v any) *Array[T] { return a.binary("bitxor", v) }

// BitNot inverts all bits; of bools, it is not.
func (a *Array[T]) BitNot() *Array[T] { return a.unary("bitnot") }

// Shl shifts to the left; by the width or more, or by a negative number, it gives 0.
func (a *Array[T]) Shl(v any) *Array[T] { return a.binary("shl", v) }

// Shr shifts to the right, with the sign; by the width or more it gives 0 or -1.
func (a *Array[T]) Shr(v any) *Array[T] { return a.binary("shr", v) }

// Equal is a == v. NaN equals nothing.
func (a *Array[T]) Equal(v any) *Array[bool] { return a.truth("eq", v) }

// NotEqual is a != v.
func (a *Array[T]) NotEqual(v any) *Array[bool] { return a.truth("ne", v) }

// Less is a < v. Complex numbers have no order.
func (a *Array[T]) Less(v any) *Array[bool] { return a.truth("lt", v) }

// LessEqual is a <= v.
func (a *Array[T]) LessEqual(v any) *Array[bool] { return a.truth("le", v) }

// Greater is a > v.
func (a *Array[T]) Greater(v any) *Array[bool] { return a.truth("gt", v) }

// GreaterEqual is a >= v.
func (a *Array[T]) GreaterEqual(v any) *Array[bool] { return a.truth("ge", v) }

// And is true where both are not 0.
func (a *Array[T]) And(v any) *Array[bool] { return a.truth("land", v) }

// Or is true where one is not 0.
func (a *Array[T]) Or(v any) *Array[bool] { return a.truth("lor", v) }

// Xor is true where exactly one is not 0.
func (a *Array[T]) Xor(v any) *Array[bool] { return a.truth("lxor", v) }

// test is unary for operations that give bools.
func (a *Array[T]) test(op string) *Array[bool] {
	if a.err != nil {
		return wrap[bool](a.ws, nil, a.err)
	}
	if err := defined(op, a.n.typ); err != nil {
		return wrap[bool](a.ws, nil, err)
	}
	n, err := a.ws.apply(op, expr.Bool, a.n)
	return wrap[bool](a.ws, n, err)
}

// Not is true where a is 0.
func (a *Array[T]) Not() *Array[bool] { return a.test("lnot") }

// IsNaN is true where a, or a part of it, is not a number.
func (a *Array[T]) IsNaN() *Array[bool] { return a.test("isnan") }

// IsInf is true where a, or a part of it, is infinite.
func (a *Array[T]) IsInf() *Array[bool] { return a.test("isinf") }

// IsFinite is true where a is neither infinite nor NaN.
func (a *Array[T]) IsFinite() *Array[bool] { return a.test("isfinite") }

// Where takes elements of x where the condition is true, and of y elsewhere. One of x and y must be an array.
func Where[T Element](cond *Array[bool], x, y any) *Array[T] {
	ws := cond.ws
	if cond.err != nil {
		return wrap[T](ws, nil, cond.err)
	}
	args := []*node{cond.n}
	for _, v := range []any{x, y} {
		n, err := ws.operand("where", typeOf[T](), v)
		if err != nil {
			return wrap[T](ws, nil, err)
		}
		args = append(args, n)
	}
	n, err := ws.apply("where", typeOf[T](), args...)
	return wrap[T](ws, n, err)
}

// IfPositive takes elements of x where criterion is greater than 0, and of y elsewhere: PyCUDA's if_positive.
func IfPositive[C, T Element](criterion *Array[C], x, y *Array[T]) *Array[T] {
	return Where[T](criterion.Greater(*new(C)), x, y)
}

// part describes an operation from complex numbers to their parts.
func part[R Real, C Complex](a *Array[C], op string) *Array[R] {
	if a.err != nil {
		return wrap[R](a.ws, nil, a.err)
	}
	if a.n.typ.Part() != typeOf[R]() {
		return wrap[R](a.ws, nil, failure(ErrType, "%s of %v is %v, not %v", op, a.n.typ, a.n.typ.Part(), typeOf[R]()))
	}
	n, err := a.ws.apply(op, a.n.typ.Part(), a.n)
	return wrap[R](a.ws, n, err)
}

// RealPart is the real parts: float32 of complex64, float64 of complex128.
func RealPart[R Real, C Complex](a *Array[C]) *Array[R] { return part[R](a, "real") }

// ImagPart is the imaginary parts.
func ImagPart[R Real, C Complex](a *Array[C]) *Array[R] { return part[R](a, "imag") }

// Magnitude is the absolute values, by CUDA's hypot: no overflow on the way.
func Magnitude[R Real, C Complex](a *Array[C]) *Array[R] { return part[R](a, "magnitude") }

// Phase is the arguments, from -pi to pi, by CUDA's atan2.
func Phase[R Real, C Complex](a *Array[C]) *Array[R] { return part[R](a, "phase") }

// Conj is the conjugates.
func (a *Array[T]) Conj() *Array[T] { return a.unary("conj") }

// Compose makes complex numbers of their parts: complex64 of float32, complex128 of float64.
func Compose[C Complex, R Real](re, im *Array[R]) *Array[C] {
	ws := re.ws
	op, t := "join32", expr.Complex64
	if typeOf[R]() == expr.Float64 {
		op, t = "join64", expr.Complex128
	}
	if re.err == nil && typeOf[C]() != t {
		return wrap[C](ws, nil, failure(ErrType, "numbers of two %v are %v, not %v", typeOf[R](), t, typeOf[C]()))
	}
	if re.err != nil {
		return wrap[C](ws, nil, re.err)
	}
	b, err := ws.operand("compose", typeOf[R](), im)
	if err != nil {
		return wrap[C](ws, nil, err)
	}
	n, err := ws.apply(op, t, re.n, b)
	return wrap[C](ws, n, err)
}

// Concatenate joins arrays along an axis; their other extents are equal.
func Concatenate[T Element](axis int, arrays ...*Array[T]) *Array[T] {
	if len(arrays) == 0 {
		return &Array[T]{err: failure(ErrShape, "concatenate: there is no array")}
	}
	ws, first := arrays[0].ws, arrays[0]
	nodes := make([]*node, len(arrays))
	for i, a := range arrays {
		n, err := ws.operand("concatenate", typeOf[T](), a)
		if err != nil {
			return wrap[T](ws, nil, err)
		}
		nodes[i] = n
	}
	k, err := axisOf("concatenate", axis, len(first.n.shape))
	if err != nil {
		return wrap[T](ws, nil, err)
	}
	shape := slices.Clone(first.n.shape)
	for _, n := range nodes[1:] {
		if len(n.shape) != len(shape) {
			return wrap[T](ws, nil, failure(ErrShape, "concatenate: shapes %s and %s", tuple(first.n.shape), tuple(n.shape)))
		}
		for i := range shape {
			if i != k && n.shape[i] != shape[i] {
				return wrap[T](ws, nil, failure(ErrShape, "concatenate along axis %d: shapes %s and %s differ along axis %d", k, tuple(first.n.shape), tuple(n.shape), i))
			}
		}
		shape[k] += n.shape[k]
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return wrap[T](ws, ws.later(typeOf[T](), shape, nodes, joinAlong(k)), nil)
}

// Stack joins arrays of one shape along a new axis.
func Stack[T Element](axis int, arrays ...*Array[T]) *Array[T] {
	if len(arrays) > 0 && arrays[0].err == nil {
		if _, err := axisOf("stack", axis, len(arrays[0].n.shape)+1); err != nil {
			return wrap[T](arrays[0].ws, nil, err)
		}
	}
	wider := make([]*Array[T], len(arrays))
	for i, a := range arrays {
		if i > 0 && a.err == nil && arrays[0].err == nil && !slices.Equal(a.n.shape, arrays[0].n.shape) {
			return wrap[T](a.ws, nil, failure(ErrShape, "stack: shapes %s and %s differ", tuple(arrays[0].n.shape), tuple(a.n.shape)))
		}
		wider[i] = a.ExpandDims(axis)
	}
	return Concatenate(axis, wider...)
}
