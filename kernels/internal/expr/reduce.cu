// Reductions of rows, of the numbers (outer, n, inner) in row-major order, over the middle one. The order in which the
// elements of a row are combined depends on n and inner alone, neither on the grid nor on the device.

// A reduction has a type A of intermediate results: of(value, position), join(a, b) with the positions of a before those of
// b, none (what does not change the other), and done(a).
template <class T> struct Sum {
    typedef typename T::R A; typedef T Out;
    static FN A none() { return zero(A()); }
    template <class V> static FN V zero(V) { return V(0); }
    template <class R> static FN cplx<R> zero(cplx<R>) { return make(R(0), R(0)); }
    static FN A of(A v, i64) { return v; }
    static FN A join(A a, A b) { return add<A>(a, b); }
    static FN typename Out::R done(A a) { return a; }
};
template <class R> struct SumComplex {
    typedef cplx<R> A; typedef Plain<A> Out;
    static FN A none() { return make(R(0), R(0)); }
    static FN A of(A v, i64) { return v; }
    static FN A join(A a, A b) { return add(a, b); }
    static FN A done(A a) { return a; }
};
template <> struct Sum<T_c64> : SumComplex<float> {};
template <> struct Sum<T_c128> : SumComplex<double> {};
template <class T> struct Prod {
    typedef typename T::R A; typedef T Out;
    static FN A none() { return A(1); }
    static FN A of(A v, i64) { return v; }
    static FN A join(A a, A b) { return mul<A>(a, b); }
    static FN typename Out::R done(A a) { return a; }
};
template <class R> struct ProdComplex {
    typedef cplx<R> A; typedef Plain<A> Out;
    static FN A none() { return make(R(1), R(0)); }
    static FN A of(A v, i64) { return v; }
    static FN A join(A a, A b) { return mul(a, b); }
    static FN A done(A a) { return a; }
};
template <> struct Prod<T_c64> : ProdComplex<float> {};
template <> struct Prod<T_c128> : ProdComplex<double> {};

// Extremes carry the position, so that none needs no neutral value: a negative position is none.
template <class T> struct Best { typename T::R v; i64 at; };
template <class T> FN bool isnan__(T x) { return x != x; }
template <class T, bool MAX> struct Extreme {
    typedef Best<T> A;
    static FN A none() { A a; a.v = 0; a.at = -1; return a; }
    static FN A of(typename T::R v, i64 i) { A a; a.v = v; a.at = i; return a; }
    static FN A join(A a, A b) { // NaN wins, then the better, then the earlier
        if (b.at < 0) return a;
        if (a.at < 0) return b;
        const bool an = isnan__(a.v), bn = isnan__(b.v);
        const bool worse = an != bn ? bn : MAX ? b.v > a.v : b.v < a.v;
        const bool equal = an == bn && (an || a.v == b.v);
        return worse || (equal && b.at < a.at) ? b : a;
    }
};
template <class T> struct ArgMin : Extreme<T, false> { typedef T_i64 Out; static FN i64 done(Best<T> a) { return a.at; } };
template <class T> struct ArgMax : Extreme<T, true> { typedef T_i64 Out; static FN i64 done(Best<T> a) { return a.at; } };
// Min and Max begin with the value itself where there is a greatest or least one.
template <class T> struct Ends { static FN T least() { return T(-1) < T(0) ? T(1ull << (8 * sizeof(T) - 1)) : T(0); } static FN T most() { return T(~u64(least())); } };
template <> struct Ends<bool> { static FN bool least() { return false; } static FN bool most() { return true; } };
template <> struct Ends<float> { static FN float least() { return __int_as_float(0xff800000); } static FN float most() { return __int_as_float(0x7f800000); } };
template <> struct Ends<double> { static FN double least() { return __longlong_as_double(0xfff0000000000000ll); } static FN double most() { return __longlong_as_double(0x7ff0000000000000ll); } };
template <class T> struct Min {
    typedef typename T::R A; typedef T Out;
    static FN A none() { return Ends<A>::most(); }
    static FN A of(A v, i64) { return v; }
    static FN A join(A a, A b) { return minimum<A>(a, b); }
    static FN A done(A a) { return a; }
};
template <class T> struct Max {
    typedef typename T::R A; typedef T Out;
    static FN A none() { return Ends<A>::least(); }
    static FN A of(A v, i64) { return v; }
    static FN A join(A a, A b) { return maximum<A>(a, b); }
    static FN A done(A a) { return a; }
};
template <class T> struct Any {
    typedef bool A; typedef T_b8 Out;
    static FN A none() { return false; }
    static FN A of(typename T::R v, i64) { return istrue(v); }
    static FN A join(A a, A b) { return a | b; }
    static FN A done(A a) { return a; }
};
template <class T> struct All {
    typedef bool A; typedef T_b8 Out;
    static FN A none() { return true; }
    static FN A of(typename T::R v, i64) { return istrue(v); }
    static FN A join(A a, A b) { return a & b; }
    static FN A done(A a) { return a; }
};

// down moves a value d lanes down in its warp.
template <class A> FN A down(A a, int d) {
    union { A a; u32 w[(sizeof(A) + 3) / 4]; } x, y;
    for (int k = 0; k < int((sizeof(A) + 3) / 4); k++) x.w[k] = 0;
    x.a = a;
    for (int k = 0; k < int((sizeof(A) + 3) / 4); k++) y.w[k] = __shfl_down_sync(~0u, x.w[k], d);
    return y.a;
}

// lanes joins the values of a warp: lane 0 has the result.
template <class Op> FN typename Op::A lanes(typename Op::A a) {
    for (int d = 16; d > 0; d >>= 1) a = Op::join(a, down(a, d));
    return a;
}

// chain joins elements first, first+step, ... below n, in four chains.
template <class Op, class Get> FN typename Op::A chain(u64 first, u64 n, u64 step, Get get) {
    typename Op::A a = Op::none(), b = Op::none(), c = Op::none(), d = Op::none();
    u64 i = first;
    for (; i + 3 * step < n; i += 4 * step) {
        a = Op::join(a, get(i));
        b = Op::join(b, get(i + step));
        c = Op::join(c, get(i + 2 * step));
        d = Op::join(d, get(i + 3 * step));
    }
    for (; i < n; i += step) a = Op::join(a, get(i));
    return Op::join(Op::join(a, b), Op::join(c, d));
}

// The shape of a reduction: outer rows of n elements, inner of them side by side, cut into parts of part elements each.
// out is where results go if there is one part, parts where intermediate results go otherwise.
struct Reduction { u64 outer, n, inner, part, parts; };

template <class Op> FN void put(const Reduction &r, void *out, void *parts, u64 at, typename Op::A a) {
    if (r.parts == 1) ((typename Op::Out::M *)out)[at] = Op::Out::store(Op::done(a));
    else ((typename Op::A *)parts)[at] = a;
}

// A block of 256 for each part of a row, inner is 1.
template <class Op, class Get> FN void reduceBlock(const Reduction &r, void *out, void *parts, Get get) {
    __shared__ alignas(16) char memory[8 * sizeof(typename Op::A)];
    typename Op::A *warps = (typename Op::A *)memory;
    const u64 row = blockIdx.x / r.parts, part = blockIdx.x % r.parts, lo = part * r.part;
    const u64 n = r.n - lo < r.part ? r.n - lo : r.part;
    typename Op::A a = lanes<Op>(chain<Op>(threadIdx.x, n, 256, [=](u64 i) { return get(row * r.n + lo + i, lo + i); }));
    if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = a;
    __syncthreads();
    if (threadIdx.x < 32) {
        a = lanes<Op>(threadIdx.x < 8 ? warps[threadIdx.x] : Op::none());
        if (threadIdx.x == 0) put<Op>(r, out, parts, blockIdx.x, a);
    }
}

// A warp for each row, inner is 1.
template <class Op, class Get> FN void reduceWarp(const Reduction &r, void *out, void *parts, Get get) {
    const u64 row = u64(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32;
    if (row >= r.outer) return;
    const typename Op::A a = lanes<Op>(chain<Op>(threadIdx.x % 32, r.n, 32, [=](u64 i) { return get(row * r.n + i, i); }));
    if (threadIdx.x % 32 == 0) put<Op>(r, out, parts, row, a);
}

// A thread for each part of a column: blockIdx.x counts columns, blockIdx.y parts and rows.
template <class Op, class Get> FN void reduceColumn(const Reduction &r, void *out, void *parts, Get get) {
    const u64 col = u64(blockIdx.x) * blockDim.x + threadIdx.x;
    for (u64 y = blockIdx.y; y < r.outer * r.parts; y += gridDim.y) {
        if (col >= r.inner) return;
        const u64 row = y / r.parts, lo = y % r.parts * r.part, hi = r.n < lo + r.part ? r.n : lo + r.part;
        put<Op>(r, out, parts, y * r.inner + col, chain<Op>(lo, hi, 1, [=](u64 i) { return get((row * r.n + i) * r.inner + col, i); }));
    }
}
