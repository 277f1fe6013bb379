// What every kernel of arrays is made of: the element types and the operations on them. Integers wrap. Kernels are compiled
// without contraction.
typedef signed char i8;
typedef unsigned char u8;
typedef short i16;
typedef unsigned short u16;
typedef int i32;
typedef unsigned int u32;
typedef long long i64;
typedef unsigned long long u64;

struct half16 { u16 bits; };
template <class R> struct alignas(2 * sizeof(R)) cplx { R re, im; };
typedef cplx<float> c64;
typedef cplx<double> c128;

#define FN __device__ __forceinline__

// Half precision is stored only; it is computed with in single precision and rounded after each operation.
FN float widen(half16 h) { float f; asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(h.bits)); return f; }
FN half16 narrow(float f) { half16 h; asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h.bits) : "f"(f)); return h; }
FN half16 narrow(double f) { half16 h; asm("cvt.rn.f16.f64 %0, %1;" : "=h"(h.bits) : "d"(f)); return h; }
FN float round16(float f) { return widen(narrow(f)); }

// The types by name, for templates: M is the type in memory, R the one in registers.
struct T_b8 { typedef u8 M; typedef bool R; static FN R load(M m) { return m != 0; } static FN M store(R r) { return r; } static FN R round(R r) { return r; } };
template <class V> struct Plain { typedef V M; typedef V R; static FN R load(M m) { return m; } static FN M store(R r) { return r; } static FN R round(R r) { return r; } };
struct T_f16 { typedef half16 M; typedef float R; static FN R load(M m) { return widen(m); } static FN M store(R r) { return narrow(r); } static FN R round(R r) { return round16(r); } };
typedef Plain<i8> T_i8;
typedef Plain<u8> T_u8;
typedef Plain<i16> T_i16;
typedef Plain<u16> T_u16;
typedef Plain<i32> T_i32;
typedef Plain<u32> T_u32;
typedef Plain<i64> T_i64;
typedef Plain<u64> T_u64;
typedef Plain<float> T_f32;
typedef Plain<double> T_f64;
typedef Plain<c64> T_c64;
typedef Plain<c128> T_c128;

// wide<T> is a type to compute integers in, so that they wrap.
template <class T> struct wide { typedef T type; };
template <> struct wide<i8> { typedef u32 type; };
template <> struct wide<u8> { typedef u32 type; };
template <> struct wide<i16> { typedef u32 type; };
template <> struct wide<u16> { typedef u32 type; };
template <> struct wide<i32> { typedef u32 type; };
template <> struct wide<i64> { typedef u64 type; };

template <class T> struct isfloat { static const bool value = false; };
template <> struct isfloat<float> { static const bool value = true; };
template <> struct isfloat<double> { static const bool value = true; };

// Arithmetic.
template <class T> FN T add(T x, T y) { typedef typename wide<T>::type W; return T(W(x) + W(y)); }
template <class T> FN T sub(T x, T y) { typedef typename wide<T>::type W; return T(W(x) - W(y)); }
template <class T> FN T mul(T x, T y) { typedef typename wide<T>::type W; return T(W(x) * W(y)); }
template <class T> FN T neg(T x) { typedef typename wide<T>::type W; return T(W(0) - W(x)); }
FN float neg(float x) { return -x; }
FN double neg(double x) { return -x; }
template <class T> FN T copy(T x) { return x; }
template <class T> FN T square(T x) { return mul(x, x); }
template <class T> FN T div(T x, T y) { return x / y; }
template <class T> FN T abs_(T x) { return x < T(0) ? neg(x) : x; }
FN float abs_(float x) { return fabsf(x); }
FN double abs_(double x) { return fabs(x); }
template <class T> FN T sign(T x) { return x > T(0) ? T(1) : x < T(0) ? T(-1) : x == T(0) ? T(0) : x; }
// A quotient by zero is 0, as in NumPy; the least number divided by -1 wraps.
template <class T> FN T floordiv(T x, T y) {
    if constexpr (isfloat<T>::value) {
        if (y == 0) return x / y;
        T m = fmod(x, y), d = (x - m) / y;
        if (m != 0 && (y < 0) != (m < 0)) d -= 1;
        if (d == 0) return copysign(T(0), x / y);
        T f = floor(d);
        return d - f > T(0.5) ? f + 1 : f;
    } else {
        if (y == 0) return 0;
        if (T(-1) < T(0) && y == T(-1)) return neg(x);
        T q = x / y;
        return q * y != x && (x < 0) != (y < 0) ? q - 1 : q;
    }
}
template <class T> FN T mod(T x, T y) {
    if constexpr (isfloat<T>::value) {
        T m = fmod(x, y);
        if (y == 0) return m;
        if (m == 0) return copysign(T(0), y);
        return (y < 0) != (m < 0) ? m + y : m;
    } else {
        if (y == 0 || (T(-1) < T(0) && y == T(-1))) return 0;
        T r = x % y;
        return r != 0 && (r < 0) != (y < 0) ? r + y : r;
    }
}
// NaN wins, as in NumPy.
template <class T> FN T minimum(T x, T y) { return x <= y || x != x ? x : y; }
template <class T> FN T maximum(T x, T y) { return x >= y || x != x ? x : y; }

// Bits. A shift by the width or more gives 0, or the sign.
template <class T> FN T bitand_(T x, T y) { return x & y; }
template <class T> FN T bitor_(T x, T y) { return x | y; }
template <class T> FN T bitxor_(T x, T y) { return x ^ y; }
template <class T> FN T bitnot(T x) { return ~x; }
template <> FN bool bitnot(bool x) { return !x; }
template <class T> FN T shl(T x, T y) { return u64(y) < 8 * sizeof(T) ? T(typename wide<T>::type(x) << y) : T(0); }
template <class T> FN T shr(T x, T y) { return u64(y) < 8 * sizeof(T) ? T(x >> y) : x < T(0) ? T(-1) : T(0); }

// Comparisons.
template <class T> FN bool eq(T x, T y) { return x == y; }
template <class T> FN bool ne(T x, T y) { return x != y; }
template <class T> FN bool lt(T x, T y) { return x < y; }
template <class T> FN bool le(T x, T y) { return x <= y; }
template <class T> FN bool gt(T x, T y) { return x > y; }
template <class T> FN bool ge(T x, T y) { return x >= y; }
template <class T> FN bool istrue(T x) { return x != T(0); }
template <class R> FN bool istrue(cplx<R> x) { return x.re != 0 || x.im != 0; }
template <class T> FN bool land(T x, T y) { return istrue(x) && istrue(y); }
template <class T> FN bool lor(T x, T y) { return istrue(x) || istrue(y); }
template <class T> FN bool lxor(T x, T y) { return istrue(x) != istrue(y); }
template <class T> FN bool lnot(T x) { return !istrue(x); }
template <class T> FN bool isnan_(T x) { return x != x; }
template <class T> FN bool isinf_(T) { return false; }
FN bool isinf_(float x) { return fabsf(x) == __int_as_float(0x7f800000); }
FN bool isinf_(double x) { return fabs(x) == __longlong_as_double(0x7ff0000000000000ll); }
template <class R> FN bool isnan_(cplx<R> x) { return x.re != x.re || x.im != x.im; }
template <class R> FN bool isinf_(cplx<R> x) { return isinf_(x.re) || isinf_(x.im); }
template <class T> FN bool isfinite_(T x) { return !isnan_(x) && !isinf_(x); }
template <class T> FN T where(bool c, T x, T y) { return c ? x : y; }

// CUDA's functions of real numbers, one name for both precisions.
#define REAL1(name, fn) FN float name(float x) { return fn##f(x); } FN double name(double x) { return fn(x); }
#define REAL2(name, fn) FN float name(float x, float y) { return fn##f(x, y); } FN double name(double x, double y) { return fn(x, y); }
REAL1(sqrt_, sqrt) REAL1(rsqrt_, rsqrt) REAL1(cbrt_, cbrt) REAL1(exp_, exp) REAL1(exp2_, exp2) REAL1(exp10_, exp10)
REAL1(expm1_, expm1) REAL1(log_, log) REAL1(log2_, log2) REAL1(log10_, log10) REAL1(log1p_, log1p)
REAL1(sin_, sin) REAL1(cos_, cos) REAL1(tan_, tan) REAL1(asin_, asin) REAL1(acos_, acos) REAL1(atan_, atan)
REAL1(sinh_, sinh) REAL1(cosh_, cosh) REAL1(tanh_, tanh) REAL1(asinh_, asinh) REAL1(acosh_, acosh) REAL1(atanh_, atanh)
REAL1(floor_, floor) REAL1(ceil_, ceil) REAL1(trunc_, trunc) REAL1(rint_, rint)
REAL1(erf_, erf) REAL1(erfc_, erfc) REAL1(tgamma_, tgamma) REAL1(lgamma_, lgamma)
REAL2(hypot_, hypot) REAL2(atan2_, atan2) REAL2(fmod_, fmod) REAL2(copysign_, copysign)
template <class T> FN T reciprocal(T x) { return T(1) / x; }
FN float frexpm(float x) { int e; return frexpf(x, &e); }
FN double frexpm(double x) { int e; return frexp(x, &e); }
template <class T> FN T frexpe(T x) { int e; if (!isfinite_(x)) return 0; frexp(x, &e); return e; }
FN float ldexp_(float x, float y) { return ldexpf(x, int(y)); }
FN double ldexp_(double x, double y) { return ldexp(x, int(y)); }
template <class T> FN T modff_(T x) { return isinf_(x) ? copysign(T(0), x) : copysign(x - trunc(x), x); } // the fraction, with the sign of x

template <class T> FN T pow_(T x, T y) { // of integers; a negative exponent gives 0, but 1 and -1 have all powers
    if constexpr (T(-1) < T(0)) {
        if (y < 0) return x == 1 ? T(1) : x == T(-1) ? (y & 1 ? T(-1) : T(1)) : T(0);
    }
    T r = 1;
    for (u64 n = u64(y); n != 0; n >>= 1) {
        if (n & 1) r = mul(r, x);
        x = mul(x, x);
    }
    return r;
}
FN float pow_(float x, float y) { return powf(x, y); }
FN double pow_(double x, double y) { return pow(x, y); }

// Complex numbers. Products and quotients are NumPy's: the plain formula, and Smith's (Algorithm 116, CACM 1962).
template <class R> FN cplx<R> make(R re, R im) { cplx<R> z; z.re = re; z.im = im; return z; }
template <class R> FN cplx<R> add(cplx<R> x, cplx<R> y) { return make(x.re + y.re, x.im + y.im); }
template <class R> FN cplx<R> sub(cplx<R> x, cplx<R> y) { return make(x.re - y.re, x.im - y.im); }
template <class R> FN cplx<R> mul(cplx<R> x, cplx<R> y) { return make(x.re * y.re - x.im * y.im, x.re * y.im + x.im * y.re); }
template <class R> FN cplx<R> neg(cplx<R> x) { return make(-x.re, -x.im); }
template <class R> FN cplx<R> conj(cplx<R> x) { return make(x.re, -x.im); }
template <class R> FN R real(cplx<R> x) { return x.re; }
template <class R> FN R imag(cplx<R> x) { return x.im; }
template <class R> FN R magnitude(cplx<R> x) { return hypot_(x.re, x.im); }
template <class R> FN R phase(cplx<R> x) { return atan2_(x.im, x.re); }
FN c64 join32(float re, float im) { return make(re, im); }
FN c128 join64(double re, double im) { return make(re, im); }
template <class R> FN bool eq(cplx<R> x, cplx<R> y) { return x.re == y.re && x.im == y.im; }
template <class R> FN bool ne(cplx<R> x, cplx<R> y) { return x.re != y.re || x.im != y.im; }
template <class R> FN cplx<R> div(cplx<R> x, cplx<R> y) {
    R a = abs_(y.re), b = abs_(y.im);
    if (a >= b) {
        if (a == 0 && b == 0) return make(x.re / a, x.im / a);
        R q = y.im / y.re, s = R(1) / (y.re + y.im * q);
        return make((x.re + x.im * q) * s, (x.im - x.re * q) * s);
    }
    R q = y.re / y.im, s = R(1) / (y.im + y.re * q);
    return make((x.re * q + x.im) * s, (x.im * q - x.re) * s);
}
template <class R> FN cplx<R> reciprocal(cplx<R> x) { return div(make(R(1), R(0)), x); }
template <class R> FN cplx<R> exp_(cplx<R> x) {
    R e = exp_(x.re);
    return x.im == 0 ? make(e, x.im) : make(e * cos_(x.im), e * sin_(x.im));
}
template <class R> FN cplx<R> log_(cplx<R> x) { return make(log_(magnitude(x)), phase(x)); }
template <class R> FN cplx<R> sqrt_(cplx<R> x) {
    if (x.re == 0 && x.im == 0) return make(R(0), x.im);
    R t = sqrt_((abs_(x.re) + magnitude(x)) * R(0.5));
    return x.re >= 0 ? make(t, x.im / (2 * t)) : make(abs_(x.im) / (2 * t), copysign_(t, x.im));
}
template <class R> FN cplx<R> sin_(cplx<R> x) { return make(sin_(x.re) * cosh_(x.im), cos_(x.re) * sinh_(x.im)); }
template <class R> FN cplx<R> cos_(cplx<R> x) { return make(cos_(x.re) * cosh_(x.im), -sin_(x.re) * sinh_(x.im)); }
template <class R> FN cplx<R> sinh_(cplx<R> x) { return make(sinh_(x.re) * cos_(x.im), cosh_(x.re) * sin_(x.im)); }
template <class R> FN cplx<R> cosh_(cplx<R> x) { return make(cosh_(x.re) * cos_(x.im), sinh_(x.re) * sin_(x.im)); }
// Kahan, Branch Cuts for Complex Elementary Functions, 1987.
template <class R> FN cplx<R> tanh_(cplx<R> x) {
    if (abs_(x.re) > R(22)) return make(copysign_(R(1), x.re), R(4) * sin_(x.im) * cos_(x.im) * exp_(R(-2) * abs_(x.re)));
    R t = tan_(x.im), b = R(1) + t * t, s = sinh_(x.re), r = sqrt_(R(1) + s * s), d = R(1) + b * s * s;
    return make(b * r * s / d, t / d);
}
template <class R> FN cplx<R> tan_(cplx<R> x) { cplx<R> t = tanh_(make(-x.im, x.re)); return make(t.im, -t.re); }
template <class R> FN cplx<R> pow_(cplx<R> x, cplx<R> y) {
    if (y.re == 0 && y.im == 0) return make(R(1), R(0));
    if (x.re == 0 && x.im == 0) return y.re > 0 ? make(R(0), R(0)) : make(R(0) / R(0), R(0) / R(0));
    return exp_(mul(y, log_(x)));
}

// Conversions: towards zero, not 0 is true. What is out of range depends on the types.
template <class To, class From> struct Cast { static FN typename To::R of(typename From::R x) { return (typename To::R)x; } };
template <class From> struct Cast<T_b8, From> { static FN bool of(typename From::R x) { return istrue(x); } };
template <class From> struct Cast<T_f16, From> { static FN float of(typename From::R x) { return widen(narrow(double(x))); } };
template <> struct Cast<T_f16, T_f32> { static FN float of(float x) { return round16(x); } };
template <> struct Cast<T_f16, T_f16> { static FN float of(float x) { return x; } };
template <class To, class R> struct FromComplex { static FN typename To::R of(cplx<R> x) { return Cast<To, Plain<R>>::of(x.re); } };
template <class R, class From> struct ToComplex { static FN cplx<R> of(typename From::R x) { return make(R(x), R(0)); } };
template <class R, class Q> struct ToComplex<R, Plain<cplx<Q>>> { static FN cplx<R> of(cplx<Q> x) { return make(R(x.re), R(x.im)); } };
template <class From> struct Cast<T_c64, From> : ToComplex<float, From> {};
template <class From> struct Cast<T_c128, From> : ToComplex<double, From> {};
#define FROM_COMPLEX(T) template <> struct Cast<T, T_c64> : FromComplex<T, float> {}; template <> struct Cast<T, T_c128> : FromComplex<T, double> {};
FROM_COMPLEX(T_i8) FROM_COMPLEX(T_u8) FROM_COMPLEX(T_i16) FROM_COMPLEX(T_u16) FROM_COMPLEX(T_i32) FROM_COMPLEX(T_u32)
FROM_COMPLEX(T_i64) FROM_COMPLEX(T_u64) FROM_COMPLEX(T_f16) FROM_COMPLEX(T_f32) FROM_COMPLEX(T_f64)
template <> struct Cast<T_b8, T_c64> { static FN bool of(c64 x) { return istrue(x); } };
template <> struct Cast<T_b8, T_c128> { static FN bool of(c128 x) { return istrue(x); } };

// Space is what a kernel on strided operands runs over: rows of cols elements, where row r has the coordinates
// r % dim[0], r / dim[0] % dim[1], ... Strides are in elements: s[k] belongs to dim[k], s[7] to the columns.
struct Space { u64 cols; u32 rows, rank; u32 dim[8]; };
struct Strides { i64 s[8]; };
