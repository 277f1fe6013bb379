package array

// The functions of this file are CUDA's, for floating point; exp, log, sqrt, the circular and the hyperbolic functions are
// for complex numbers too, by their real parts' functions. The errors are those of NVIDIA's tables (CUDA C++ Programming
// Guide, Mathematical Functions) for float32 and float64, measured again by this project in docs/results/math.md; Float16 is
// computed with float32 and rounded.

// Sqrt is the square root, correctly rounded for real numbers.
func (a *Array[T]) Sqrt() *Array[T] { return a.unary("sqrt") }

// Rsqrt is 1/sqrt(a): 2 ulp (float32), 1 (float64).
func (a *Array[T]) Rsqrt() *Array[T] { return a.unary("rsqrt") }

// Cbrt is the cube root: 1 ulp.
func (a *Array[T]) Cbrt() *Array[T] { return a.unary("cbrt") }

// Reciprocal is 1/a.
func (a *Array[T]) Reciprocal() *Array[T] { return a.unary("reciprocal") }

// Hypot is sqrt(a² + v²) without overflow on the way: 3 ulp (float32), 2 (float64).
func (a *Array[T]) Hypot(v any) *Array[T] { return a.binary("hypot", v) }

// Exp is e to the power of a: 1 ulp.
func (a *Array[T]) Exp() *Array[T] { return a.unary("exp") }

// Exp2 is 2 to the power of a: 2 ulp (float32), 1 (float64).
func (a *Array[T]) Exp2() *Array[T] { return a.unary("exp2") }

// Exp10 is 10 to the power of a: 2 ulp (float32), 1 (float64).
func (a *Array[T]) Exp10() *Array[T] { return a.unary("exp10") }

// Expm1 is exp(a) - 1, exact for small a: 1 ulp.
func (a *Array[T]) Expm1() *Array[T] { return a.unary("expm1") }

// Log is the natural logarithm: 1 ulp.
func (a *Array[T]) Log() *Array[T] { return a.unary("log") }

// Log2 is the logarithm to base 2: 1 ulp.
func (a *Array[T]) Log2() *Array[T] { return a.unary("log2") }

// Log10 is the logarithm to base 10: 2 ulp (float32), 1 (float64).
func (a *Array[T]) Log10() *Array[T] { return a.unary("log10") }

// Log1p is log(1 + a), exact for small a: 1 ulp.
func (a *Array[T]) Log1p() *Array[T] { return a.unary("log1p") }

// Sin is the sine of an angle in radians: 2 ulp.
func (a *Array[T]) Sin() *Array[T] { return a.unary("sin") }

// Cos is the cosine: 2 ulp.
func (a *Array[T]) Cos() *Array[T] { return a.unary("cos") }

// Tan is the tangent: 4 ulp (float32), 2 (float64).
func (a *Array[T]) Tan() *Array[T] { return a.unary("tan") }

// Asin is the angle with this sine, from -pi/2 to pi/2: 2 ulp.
func (a *Array[T]) Asin() *Array[T] { return a.unary("asin") }

// Acos is the angle with this cosine, from 0 to pi: 2 ulp.
func (a *Array[T]) Acos() *Array[T] { return a.unary("acos") }

// Atan is the angle with this tangent: 2 ulp.
func (a *Array[T]) Atan() *Array[T] { return a.unary("atan") }

// Atan2 is the angle of the point (v, a), from -pi to pi: 3 ulp (float32), 2 (float64).
func (a *Array[T]) Atan2(v any) *Array[T] { return a.binary("atan2", v) }

// Sinh is the hyperbolic sine: 3 ulp (float32), 2 (float64).
func (a *Array[T]) Sinh() *Array[T] { return a.unary("sinh") }

// Cosh is the hyperbolic cosine: 2 ulp (float32), 1 (float64).
func (a *Array[T]) Cosh() *Array[T] { return a.unary("cosh") }

// Tanh is the hyperbolic tangent: 2 ulp.
func (a *Array[T]) Tanh() *Array[T] { return a.unary("tanh") }

// Asinh is the inverse of Sinh: 3 ulp.
func (a *Array[T]) Asinh() *Array[T] { return a.unary("asinh") }

// Acosh is the inverse of Cosh, at least 0: 4 ulp (float32), 3 (float64).
func (a *Array[T]) Acosh() *Array[T] { return a.unary("acosh") }

// Atanh is the inverse of Tanh: 3 ulp (float32), 2 (float64).
func (a *Array[T]) Atanh() *Array[T] { return a.unary("atanh") }

// Floor is the greatest integer that is not above a; exact, as Ceil, Trunc and Rint.
func (a *Array[T]) Floor() *Array[T] { return a.unary("floor") }

// Ceil is the least integer that is not below a.
func (a *Array[T]) Ceil() *Array[T] { return a.unary("ceil") }

// Trunc is the integer next to a towards zero.
func (a *Array[T]) Trunc() *Array[T] { return a.unary("trunc") }

// Rint is the nearest integer, the even one of two.
func (a *Array[T]) Rint() *Array[T] { return a.unary("rint") }

// Copysign is the magnitude of a with the sign of v.
func (a *Array[T]) Copysign(v any) *Array[T] { return a.binary("copysign", v) }

// Frexp splits a into a fraction from 0.5 to 1 and a power of two: a = m * 2^e, both with a's type. Exact.
func (a *Array[T]) Frexp() (m, e *Array[T]) { return a.unary("frexpm"), a.unary("frexpe") }

// Ldexp is a * 2^v, for integral v of a's type. Exact unless the result is subnormal.
func (a *Array[T]) Ldexp(v any) *Array[T] { return a.binary("ldexp", v) }

// Modf splits a into fraction and integer, both with a's sign. Exact.
func (a *Array[T]) Modf() (fraction, integer *Array[T]) { return a.unary("modff"), a.Trunc() }

// Erf is the error function: 2 ulp.
func (a *Array[T]) Erf() *Array[T] { return a.unary("erf") }

// Erfc is 1 - erf(a), exact for large a: 4 ulp (float32), 5 (float64).
func (a *Array[T]) Erfc() *Array[T] { return a.unary("erfc") }

// Gamma is the gamma function: 5 ulp (float32), 10 (float64).
func (a *Array[T]) Gamma() *Array[T] { return a.unary("tgamma") }

// Lgamma is the logarithm of the magnitude of the gamma function: 6 ulp outside of (-10, -2), where it is less exact.
func (a *Array[T]) Lgamma() *Array[T] { return a.unary("lgamma") }
