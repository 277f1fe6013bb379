// Scans. One warp does a segment of ROWS rows of 32 neighbours, so that a row is one access of the warp, and no two warps
// wait for each other. TYPE is the type, and one of ADD, MUL, MIN, MAX the operation,
// or EXPRESSION of a and b with NEUTRAL.
//
// All additions are in an order that depends on the lengths only.

typedef TYPE T;
typedef unsigned long long u64;

enum { ROWS = 64, SEGMENT = 32 * ROWS };
#define ALL 0xffffffffu

template <typename N> struct of;
template <> struct of<int> { static __device__ int least() { return (int)0x80000000; } static __device__ int most() { return 0x7fffffff; } };
template <> struct of<unsigned> { static __device__ unsigned least() { return 0; } static __device__ unsigned most() { return 0xffffffffu; } };
template <> struct of<long long> {
    static __device__ long long least() { return (long long)0x8000000000000000ull; }
    static __device__ long long most() { return 0x7fffffffffffffffll; }
};
template <> struct of<u64> { static __device__ u64 least() { return 0; } static __device__ u64 most() { return ~0ull; } };
template <> struct of<float> {
    static __device__ float least() { return __int_as_float(0xff800000); }
    static __device__ float most() { return __int_as_float(0x7f800000); }
};
template <> struct of<double> {
    static __device__ double least() { return __longlong_as_double(0xfff0000000000000ll); }
    static __device__ double most() { return __longlong_as_double(0x7ff0000000000000ll); }
};

// neutral changes nothing, bit for bit: -0 + x is x for every x.
#if defined(EXPRESSION)
__device__ T op(T a, T b) { return EXPRESSION; }
__device__ T neutral() { return NEUTRAL; }
#elif defined(ADD)
__device__ T op(T a, T b) { return a + b; }
__device__ T neutral() { return -T(0); }
#elif defined(MUL)
__device__ T op(T a, T b) { return a * b; }
__device__ T neutral() { return T(1); }
#elif defined(MIN)
__device__ T op(T a, T b) { return a <= b || a != a ? a : b; }
__device__ T neutral() { return of<T>::most(); }
#else
__device__ T op(T a, T b) { return a >= b || a != a ? a : b; }
__device__ T neutral() { return of<T>::least(); }
#endif

// place is where a warp works: the first element, how many, and which segment of its line.
struct place {
    u64 first;
    unsigned n;
    unsigned segment;
};

__device__ place where(u64 length, unsigned segments, u64 warp) {
    u64 line = warp / segments;
    unsigned segment = (unsigned)(warp - line * segments);
    u64 begin = (u64)segment * SEGMENT;
    u64 left = length - begin;
    place p = {line * length + begin, left < SEGMENT ? (unsigned)left : SEGMENT, segment};
    return p;
}

// row is the inclusive scan of one row.
__device__ T row(T v, unsigned lane) {
#pragma unroll
    for (int d = 1; d < 32; d <<= 1) {
        T u = __shfl_up_sync(ALL, v, d);
        if (lane >= d) v = op(u, v);
    }
    return v;
}

// fold sums up each segment: part[warp].
extern "C" __global__ void fold(T *part, const T *src, u64 length, unsigned segments, u64 warps) {
    u64 warp = ((u64)blockIdx.x * blockDim.x + threadIdx.x) >> 5;
    unsigned lane = threadIdx.x & 31;
    if (warp >= warps) return;
    place p = where(length, segments, warp);
    const T *x = src + p.first;
#ifdef EXPRESSION
    // a and b may not change places
    T t = neutral();
    for (unsigned i = 0; i < p.n; i += 32) {
        T v = neutral();
        if (i + lane < p.n) v = x[i + lane];
        t = op(t, __shfl_sync(ALL, row(v, lane), 31));
    }
#else
    T total[4] = {neutral(), neutral(), neutral(), neutral()};
    unsigned i = 0;
    for (; i + 128 <= p.n; i += 128)
#pragma unroll
        for (int k = 0; k < 4; k++) total[k] = op(total[k], x[i + 32 * k + lane]);
    for (; i < p.n; i += 32)
        if (i + lane < p.n) total[0] = op(total[0], x[i + lane]);
    T t = op(op(total[0], total[1]), op(total[2], total[3]));
#pragma unroll
    for (int d = 16; d > 0; d >>= 1) t = op(t, __shfl_xor_sync(ALL, t, d));
#endif
    if (lane == 0) part[warp] = t;
}

// scan writes the scan of each segment. part, if there is any, is the inclusive scan of what fold made; first is what every
// line begins with. shift is 1 for an exclusive scan.
template <bool shift> __device__ void scan(T *dst, const T *src, const T *part, T first, u64 length, unsigned segments, u64 warps) {
    u64 warp = ((u64)blockIdx.x * blockDim.x + threadIdx.x) >> 5;
    unsigned lane = threadIdx.x & 31;
    if (warp >= warps) return;
    place p = where(length, segments, warp);
    const T *x = src + p.first;
    T *y = dst + p.first;
    T carry = first;
    if (p.segment > 0) carry = op(first, part[warp - 1]);
    unsigned i = 0;
    for (; i + 128 <= p.n; i += 128) {
        T v[4];
#pragma unroll
        for (int k = 0; k < 4; k++) v[k] = row(x[i + 32 * k + lane], lane);
#pragma unroll
        for (int k = 0; k < 4; k++) {
            T all = op(carry, v[k]);
            T out = all;
            if (shift) {
                out = __shfl_up_sync(ALL, all, 1);
                if (lane == 0) out = carry;
            }
            y[i + 32 * k + lane] = out;
            carry = __shfl_sync(ALL, all, 31);
        }
    }
    for (; i < p.n; i += 32) {
        T v = neutral();
        if (i + lane < p.n) v = x[i + lane];
        T all = op(carry, row(v, lane));
        T out = all;
        if (shift) {
            out = __shfl_up_sync(ALL, all, 1);
            if (lane == 0) out = carry;
        }
        if (i + lane < p.n) y[i + lane] = out;
        carry = __shfl_sync(ALL, all, 31);
    }
}

extern "C" __global__ void inclusive(T *dst, const T *src, const T *part, T first, u64 length, unsigned segments, u64 warps) {
    scan<false>(dst, src, part, first, length, segments, warps);
}

extern "C" __global__ void exclusive(T *dst, const T *src, const T *part, T first, u64 length, unsigned segments, u64 warps) {
    scan<true>(dst, src, part, first, length, segments, warps);
}

// The same with heads: heads[i] is not 0 where a new run begins.

// run is the inclusive scan of one row within its runs; open is set for the lanes that belong to the run that began before.
__device__ T run(T v, unsigned heads, unsigned lane, bool &open) {
    unsigned mine = heads & (ALL >> (31 - lane));
    open = mine == 0;
    int begin = open ? 0 : 31 - __clz(mine);
#pragma unroll
    for (int d = 1; d < 32; d <<= 1) {
        T u = __shfl_up_sync(ALL, v, d);
        if ((int)lane - d >= begin) v = op(u, v);
    }
    return v;
}

// fold_runs sums up what follows the last head of each segment, and tells whether there is a head.
extern "C" __global__ void fold_runs(T *part, unsigned char *any, const T *src, const unsigned char *heads, u64 length, unsigned segments,
                                     u64 warps) {
    u64 warp = ((u64)blockIdx.x * blockDim.x + threadIdx.x) >> 5;
    unsigned lane = threadIdx.x & 31;
    if (warp >= warps) return;
    place p = where(length, segments, warp);
    T carry = neutral();
    unsigned found = 0;
    for (unsigned i = 0; i < p.n; i += 32) {
        T v = neutral();
        unsigned char h = 0;
        if (i + lane < p.n) {
            v = src[p.first + i + lane];
            h = heads[p.first + i + lane];
        }
        unsigned at = __ballot_sync(ALL, h != 0);
        found |= at;
        bool open;
        v = run(v, at, lane, open);
        if (open) v = op(carry, v);
        carry = __shfl_sync(ALL, v, 31);
    }
    if (lane == 0) {
        part[warp] = carry;
        any[warp] = found != 0;
    }
}

// scan_runs writes the scan of each segment within its runs; part is the inclusive scan of what fold_runs made.
extern "C" __global__ void scan_runs(T *dst, const T *src, const unsigned char *heads, const T *part, T first, int shift, u64 length,
                                     unsigned segments, u64 warps) {
    u64 warp = ((u64)blockIdx.x * blockDim.x + threadIdx.x) >> 5;
    unsigned lane = threadIdx.x & 31;
    if (warp >= warps) return;
    place p = where(length, segments, warp);
    T carry = neutral();
    if (p.segment > 0) carry = part[warp - 1];
    for (unsigned i = 0; i < p.n; i += 32) {
        T v = neutral();
        unsigned char h = 0;
        if (i + lane < p.n) {
            v = src[p.first + i + lane];
            h = heads[p.first + i + lane];
        }
        bool open;
        v = run(v, __ballot_sync(ALL, h != 0), lane, open);
        if (open) v = op(carry, v);
        T out = v;
        if (shift) {
            out = __shfl_up_sync(ALL, v, 1);
            if (lane == 0) out = carry;
            if (h != 0) out = neutral();
            out = op(first, out);
        }
        if (i + lane < p.n) dst[p.first + i + lane] = out;
        carry = __shfl_sync(ALL, v, 31);
    }
}
