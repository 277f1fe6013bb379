// Random numbers. Everything is integer arithmetic, or operations that round correctly (+, *, /, sqrt, fma, conversions),
// in an order that the source fixes, so every device gives the same bits. With INTEGERS the kernels for words and integers are
// made, with NORMAL_FLOAT or NORMAL_DOUBLE those for numbers of that type.

typedef unsigned u32;
typedef unsigned long long u64;
typedef long long i64;

// Philox 4x32-10: Salmon and others, Parallel Random Numbers: As Easy as 1, 2, 3, 2011.

struct block {
    u32 w[4];
};

__device__ block philox(u32 c0, u32 c1, u32 c2, u32 c3, u32 k0, u32 k1) {
#pragma unroll
    for (int round = 0; round < 10; round++) {
        u32 a = __umulhi(0xd2511f53u, c0), b = __umulhi(0xcd9e8d57u, c2); // 32 bits wide, as lanes are
        u32 lo_a = 0xd2511f53u * c0, lo_b = 0xcd9e8d57u * c2;
        c0 = b ^ c1 ^ k0;
        c2 = a ^ c3 ^ k1;
        c1 = lo_b;
        c3 = lo_a;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
    return {c0, c1, c2, c3};
}

// stream is where a call draws from: the key is the seed, domain and draw are the last word of the counter, number the third.
struct stream {
    u64 seed;
    u32 number, domain;
};

__device__ block draw(stream s, u64 at, u32 again) {
    return philox((u32)at, (u32)(at >> 32), s.number, s.domain << 24 | again, (u32)s.seed, (u32)(s.seed >> 32));
}

// A group is the 4 words of 32 blocks, one block for each lane: word w of lane i is number 32*w + i of its group, so that what a
// warp writes is next to each other. Each warp does EACH groups.
enum { EACH = 8 };

__device__ u64 this_warp() { return (u64)blockIdx.x * (blockDim.x >> 5) + (threadIdx.x >> 5); }

// fill writes what `make` makes of blocks: OUT numbers of each. words, if there are any, stand in the place of Philox: they are
// those from number `first` of the group on, at the same places.
template <int OUT, typename V, typename F> __device__ void fill(V *to, u64 n, u64 first, stream s, const u32 *words, F make) {
    const u64 size = 32 * OUT;
    u32 lane = threadIdx.x & 31;
    u64 group = first / size + this_warp() * EACH;
    u64 last = (first + n + size - 1) / size;
    for (int e = 0; e < EACH && group < last; e++, group++) {
        u64 at = group * size - first; // wraps below the first
        block b;
        if (words == 0) {
            b = draw(s, group * 32 + lane, 0);
        } else {
            const u32 *w = words + (group - first / size) * 128 + lane;
#pragma unroll
            for (int k = 0; k < 4; k++) b.w[k] = w[32 * k];
        }
        V v[OUT];
        make(b, group * 32 + lane, v);
        if (group * size >= first && at + size <= n) {
#pragma unroll
            for (int k = 0; k < OUT; k++) to[at + 32 * k + lane] = v[k];
        } else {
#pragma unroll
            for (int k = 0; k < OUT; k++)
                if (at + 32 * k + lane < n) to[at + 32 * k + lane] = v[k];
        }
    }
}

__device__ u64 wide(u32 lo, u32 hi) { return (u64)hi << 32 | lo; }

#ifdef INTEGERS

// raw writes whole blocks of consecutive counters: the generator as its authors define it.
extern "C" __global__ void raw(u32 *to, u64 blocks, u64 lo, u64 hi, u64 key) {
    u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= blocks) return;
    u64 c = lo + i, d = hi + (c < lo);
    block b = philox((u32)c, (u32)(c >> 32), (u32)d, (u32)(d >> 32), (u32)key, (u32)(key >> 32));
#pragma unroll
    for (int k = 0; k < 4; k++) to[4 * i + k] = b.w[k];
}

extern "C" __global__ void words4(u32 *to, u64 n, u64 first, u64 seed, u32 number, u32 domain) {
    fill<4>(to, n, first, {seed, number, domain}, 0, [](block b, u64, u32 *v) {
        for (int k = 0; k < 4; k++) v[k] = b.w[k];
    });
}

extern "C" __global__ void words8(u64 *to, u64 n, u64 first, u64 seed, u32 number, u32 domain) {
    fill<2>(to, n, first, {seed, number, domain}, 0, [](block b, u64, u64 *v) {
        v[0] = wide(b.w[0], b.w[1]);
        v[1] = wide(b.w[2], b.w[3]);
    });
}

// high_words are the high halves of what words8 writes.
extern "C" __global__ void high_words(u32 *to, u64 n, u64 first, u64 seed, u32 number, u32 domain) {
    fill<2>(to, n, first, {seed, number, domain}, 0, [](block b, u64, u32 *v) {
        v[0] = b.w[1];
        v[1] = b.w[3];
    });
}

// low_word is the low half of word `at` of what words8 writes.
__device__ u32 low_word(stream s, u64 at) {
    block b = draw(s, at / 64 * 32 + at % 32, 0);
    return at % 64 < 32 ? b.w[0] : b.w[2];
}

// arrange writes the order of words of 64 bits, of which the high halves and their numbers are sorted: for the i-th smallest word
// its number, or if there are values that value. Equal high halves are few, and only they have their low halves compared; then
// numbers decide.
template <typename V>
__device__ void arrange(V *to, u64 n, u64 first, stream s, const u32 *high, const u32 *numbers, const V *values) {
    u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    u32 key = high[i], mine = numbers[i];
    u64 at = i;
    if (i > 0 && high[i - 1] == key || i + 1 < n && high[i + 1] == key) {
        while (at > 0 && high[at - 1] == key) at--;
        u32 low = low_word(s, first + mine);
        for (u64 j = at; j < n && high[j] == key; j++) {
            u32 other = numbers[j], word = low_word(s, first + other);
            at += word < low || word == low && other < mine;
        }
    }
    to[at] = values == 0 ? (V)mine : values[mine];
}

extern "C" __global__ void arrange4(u32 *to, u64 n, u64 first, u64 seed, u32 number, u32 domain, const u32 *high, const u32 *numbers,
                                    const u32 *values) {
    arrange(to, n, first, {seed, number, domain}, high, numbers, values);
}
extern "C" __global__ void arrange8(u64 *to, u64 n, u64 first, u64 seed, u32 number, u32 domain, const u32 *high, const u32 *numbers,
                                    const u64 *values) {
    arrange(to, n, first, {seed, number, domain}, high, numbers, values);
}

// Numbers below a bound without bias: the high half of word times bound; words whose low half is one of the first 2^k mod bound
// are drawn again (Lemire, Fast Random Integer Generation in an Interval, 2019). An element that draws again has blocks of its own.

extern "C" __global__ void below4(u32 *to, u64 n, u64 first, u64 seed, u32 number, u32 domain, u32 bound, u32 low) {
    stream s = {seed, number, domain};
    u32 unfair = (0 - bound) % bound;
    fill<4>(to, n, first, s, 0, [=](block b, u64 at, u32 *v) {
        u64 element = at / 32 * 128 + at % 32;
#pragma unroll
        for (int k = 0; k < 4; k++) {
            u64 m = (u64)b.w[k] * bound;
            for (u32 again = 1; (u32)m < unfair; again++) m = (u64)draw(s, element + 32 * k, again).w[0] * bound;
            v[k] = (u32)(m >> 32) + low;
        }
    });
}

extern "C" __global__ void below8(u64 *to, u64 n, u64 first, u64 seed, u32 number, u32 domain, u64 bound, u64 low) {
    stream s = {seed, number, domain};
    u64 unfair = (0 - bound) % bound;
    fill<2>(to, n, first, s, 0, [=](block b, u64 at, u64 *v) {
        u64 element = at / 32 * 64 + at % 32;
#pragma unroll
        for (int k = 0; k < 2; k++) {
            u64 x = wide(b.w[2 * k], b.w[2 * k + 1]);
            for (u32 again = 1; x * bound < unfair; again++) {
                block c = draw(s, element + 32 * k, again);
                x = wide(c.w[0], c.w[1]);
            }
            v[k] = __umul64hi(x, bound) + low;
        }
    });
}

// XORWOW: Marsaglia, Xorshift RNGs, 2003, section 3.1. A segment of 32 * STEPS numbers is written by one warp; lane i takes
// the subsequence segment * 32 + i, which begins 2^67 times its number steps into the sequence of the seed. jumps[b] is the linear map of
// 2^(67+b) steps: the images of the 160 bits of a state. The counter d of the generator returns to itself after 2^67 steps.
enum { STEPS = 1024, WORDS = 5, BITS = 32 * WORDS };

extern "C" __global__ void xorwow(u32 *to, u64 n, u64 first, const u32 *jumps, u32 s0, u32 s1, u32 s2, u32 s3, u32 s4, u32 d) {
    u32 lane = threadIdx.x & 31;
    u64 segment = first / (32 * STEPS) + this_warp();
    u64 begin = segment * (32 * STEPS);
    if (begin >= first + n) return;
    u32 x[WORDS] = {s0, s1, s2, s3, s4};
    u64 number = segment * 32 + lane;
    for (int b = 0; b < 37; b++) {
        if (b >= 5 && segment >> (b - 5) == 0) break;
        const u32 *jump = jumps + b * (BITS * WORDS);
        u32 y[WORDS] = {0, 0, 0, 0, 0};
#pragma unroll
        for (int w = 0; w < WORDS; w++)
            for (int i = 0; i < 32; i++) {
                u32 set = 0 - (x[w] >> i & 1);
#pragma unroll
                for (int k = 0; k < WORDS; k++) y[k] ^= set & jump[(32 * w + i) * WORDS + k];
            }
        bool take = number >> b & 1;
#pragma unroll
        for (int k = 0; k < WORDS; k++) x[k] = take ? y[k] : x[k];
    }
    u64 at = begin - first + lane; // wraps below the first
    for (int step = 0; step < STEPS; step++, at += 32) {
        u32 t = x[0] ^ (x[0] >> 2);
        x[0] = x[1];
        x[1] = x[2];
        x[2] = x[3];
        x[3] = x[4];
        x[4] = (x[4] ^ (x[4] << 4)) ^ (t ^ (t << 1));
        d += 362437;
        if (at < n) to[at] = x[4] + d;
    }
}

#endif

// Functions of floating point. u is in (0, 1]; the angle is a fraction of a turn.

#ifdef NORMAL_FLOAT
typedef float R;
enum { OUT = 4 };
__device__ R fused(R a, R b, R c) { return __fmaf_rn(a, b, c); }
__device__ R unit(block b, int k) { return (R)(b.w[k] >> 8) * 0x1p-24f; }
__device__ R positive(block b, int k) { return fused((R)b.w[k], 0x1p-32f, 0x1p-33f); }
// quarters divides the turn: which quarter is nearest, and the angle from there in radians, at most pi/4.
__device__ int quarters(block b, int k, R *x) {
    u32 q = (b.w[k] + 0x20000000u) >> 30;
    *x = (R)(int)(b.w[k] - (q << 30)) * 0x1.921fb6p-30f;
    return (int)q;
}
// ln is the natural logarithm: 2^e m, m around 1, and the series of artanh.
__device__ R ln(R u) {
    int bits = __float_as_int(u), e = (bits - 0x3f3504f3) >> 23;
    R f = __int_as_float(bits - (e << 23)) - 1.0f;
    R s = __fdiv_rn(f, 2.0f + f), z = s * s;
    R p = fused(z, fused(z, fused(z, fused(z, 2.0f / 11, 2.0f / 9), 2.0f / 7), 2.0f / 5), 2.0f / 3);
    R r = fused(s * z, p, s + s);
    return fused((R)e, 0x1.62e430p-1f, r);
}
__device__ R root(R x) { return __fsqrt_rn(x); }
// exponent is e^x: 2^n times the series of the rest; 2^n in two factors, since it may lie outside the range of normal numbers.
__device__ R power(int n) { return __int_as_float((n + 127) << 23); }
__device__ R exponent(R x) {
    x = x > 130.0f ? 130.0f : x < -130.0f ? -130.0f : x;
    R n = rintf(x * 0x1.715476p+0f);
    R r = fused(n, -0x1.62e430p-1f, x);
    r = fused(n, 0x1.05c610p-29f, r);
    R p = 1.0f / 5040;
    p = fused(r, fused(r, fused(r, p, 1.0f / 720), 1.0f / 120), 1.0f / 24);
    p = fused(r, fused(r, fused(r, fused(r, p, 1.0f / 6), 0.5f), 1.0f), 1.0f);
    int k = (int)n, h = k >> 1;
    return p * power(h) * power(k - h);
}
// The series of sine and cosine.
__device__ R sine(R x) {
    R z = x * x;
    R p = fused(z, fused(z, fused(z, fused(z, -1.0f / 39916800, 1.0f / 362880), -1.0f / 5040), 1.0f / 120), -1.0f / 6);
    return fused(x * z, p, x);
}
__device__ R cosine(R x) {
    R z = x * x;
    R p = fused(z, fused(z, fused(z, fused(z, -1.0f / 3628800, 1.0f / 40320), -1.0f / 720), 1.0f / 24), -0.5f);
    return fused(z, p, 1.0f);
}
#endif

#ifdef NORMAL_DOUBLE
typedef double R;
enum { OUT = 2 };
__device__ R fused(R a, R b, R c) { return __fma_rn(a, b, c); }
__device__ u64 bits53(block b, int k) { return wide(b.w[2 * k], b.w[2 * k + 1]) >> 11; }
__device__ R unit(block b, int k) { return (R)bits53(b, k) * 0x1p-53; }
__device__ R positive(block b, int k) { return ((R)bits53(b, k) + 0.5) * 0x1p-53; }
__device__ int quarters(block b, int k, R *x) {
    u64 v = bits53(b, k), q = (v + (1ull << 50)) >> 51;
    *x = (R)(i64)(v - (q << 51)) * 0x1.921fb54442d18p-51;
    return (int)(q & 3);
}
__device__ R ln(R u) {
    i64 bits = __double_as_longlong(u);
    int e = (int)((bits - 0x3fe6a09e667f3bcdll) >> 52);
    R f = __longlong_as_double(bits - ((i64)e << 52)) - 1.0;
    R s = __ddiv_rn(f, 2.0 + f), z = s * s;
    R p = 2.0 / 25;
#pragma unroll
    for (int k = 23; k >= 3; k -= 2) p = fused(z, p, 2.0 / k);
    R r = fused(s * z, p, s + s);
    return fused((R)e, 0x1.62e42fefa39efp-1, fused((R)e, 0x1.abc9e3b39803fp-56, r));
}
__device__ R root(R x) { return __dsqrt_rn(x); }
__device__ R power(int n) { return __longlong_as_double((i64)(n + 1023) << 52); }
__device__ R exponent(R x) {
    x = x > 800.0 ? 800.0 : x < -800.0 ? -800.0 : x;
    R n = ::rint(x * 0x1.71547652b82fep+0);
    R r = fused(n, -0x1.62e42fefa39efp-1, x);
    r = fused(n, -0x1.abc9e3b39803fp-56, r);
    R p = 1.0 / 6227020800.0, f = 479001600.0;
#pragma unroll
    for (int k = 12; k >= 0; k--) {
        p = fused(r, p, 1.0 / f);
        f = k > 0 ? f / k : f;
    }
    int k = (int)n, h = k >> 1;
    return p * power(h) * power(k - h);
}
__device__ R sine(R x) {
    R z = x * x;
    R p = fused(z, -1.0 / 121645100408832000.0, 1.0 / 355687428096000.0);
    p = fused(z, fused(z, fused(z, p, -1.0 / 1307674368000.0), 1.0 / 6227020800.0), -1.0 / 39916800);
    p = fused(z, fused(z, fused(z, fused(z, p, 1.0 / 362880), -1.0 / 5040), 1.0 / 120), -1.0 / 6);
    return fused(x * z, p, x);
}
__device__ R cosine(R x) {
    R z = x * x;
    R p = fused(z, -1.0 / 6402373705728000.0, 1.0 / 20922789888000.0);
    p = fused(z, fused(z, fused(z, p, -1.0 / 87178291200.0), 1.0 / 479001600), -1.0 / 3628800);
    p = fused(z, fused(z, fused(z, fused(z, p, 1.0 / 40320), -1.0 / 720), 1.0 / 24), -0.5);
    return fused(z, p, 1.0);
}
#endif

#if defined(NORMAL_FLOAT) || defined(NORMAL_DOUBLE)

extern "C" __global__ void uniform(R *to, u64 n, u64 first, u64 seed, u32 number, u32 domain, const u32 *words, R low, R width) {
    fill<OUT>(to, n, first, {seed, number, domain}, words, [=](block b, u64, R *v) {
#pragma unroll
        for (int k = 0; k < OUT; k++) v[k] = fused(unit(b, k), width, low);
    });
}

// normal is the transform of Box and Muller, A Note on the Generation of Random Normal Deviates, 1958.
template <bool LOG> __device__ void gauss(R *to, u64 n, u64 first, stream at, const u32 *words, R mean, R deviation) {
    fill<OUT>(to, n, first, at, words, [=](block b, u64, R *v) {
#pragma unroll
        for (int k = 0; k < OUT; k += 2) {
            R r = root(R(-2) * ln(positive(b, k))), x;
            int q = quarters(b, k + 1, &x);
            R s = sine(x), c = cosine(x);
            R a = q & 1 ? s : c, o = q & 1 ? c : s; // turned by q quarters
            a = q == 1 || q == 2 ? -a : a;
            o = q & 2 ? -o : o;
            v[k] = fused(r * a, deviation, mean);
            v[k + 1] = fused(r * o, deviation, mean);
            if (LOG) {
                v[k] = exponent(v[k]);
                v[k + 1] = exponent(v[k + 1]);
            }
        }
    });
}

extern "C" __global__ void normal(R *to, u64 n, u64 first, u64 seed, u32 number, u32 domain, const u32 *words, R mean, R deviation) {
    gauss<false>(to, n, first, {seed, number, domain}, words, mean, deviation);
}

extern "C" __global__ void log_normal(R *to, u64 n, u64 first, u64 seed, u32 number, u32 domain, const u32 *words, R mean, R deviation) {
    gauss<true>(to, n, first, {seed, number, domain}, words, mean, deviation);
}

extern "C" __global__ void exponential(R *to, u64 n, u64 first, u64 seed, u32 number, u32 domain, const u32 *words, R scale) {
    fill<OUT>(to, n, first, {seed, number, domain}, words, [=](block b, u64, R *v) {
#pragma unroll
        for (int k = 0; k < OUT; k++) v[k] = -ln(positive(b, k)) * scale;
    });
}
#endif

#ifdef NORMAL_DOUBLE

// log_factorial is the product for small k, and Stirling's series beyond.
__device__ R log_factorial(R k) {
    if (k < 16) {
        R p = 1;
        for (R j = 2; j <= k; j += 1) p *= j;
        return ln(p);
    }
    R z = __ddiv_rn(1.0, k), zz = z * z;
    R tail = z * fused(zz, fused(zz, fused(zz, -1.0 / 1680, 1.0 / 1260), -1.0 / 360), 1.0 / 12);
    return fused(k + 0.5, ln(k), tail + 0x1.d67f1c864beb5p-1 - k);
}

// poisson_small adds up probabilities until they exceed a uniform number; none is exp(-rate).
template <typename I> __device__ void poisson_small(I *to, u64 n, u64 first, stream s, R rate, R none) {
    fill<2>(to, n, first, s, 0, [=](block b, u64, I *v) {
#pragma unroll
        for (int k = 0; k < 2; k++) {
            R u = unit(b, k), p = none, sum = none;
            int j = 0;
            while (u >= sum && j < 128) {
                j++;
                p = __ddiv_rn(p * rate, (R)j);
                sum += p;
            }
            v[k] = (I)j;
        }
    });
}

// poisson_large rejects from a transformed uniform number: Hörmann, The Transformed Rejection Method for Generating Poisson Random
// Variables, 1993, algorithm PTRS. Every element has blocks of its own.
template <typename I> __device__ void poisson_large(I *to, u64 n, u64 first, stream s, R rate, R a, R b, R inverse, R accept) {
    u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    R log_rate = ln(rate), log_inverse = ln(inverse), k = 0;
    for (u32 again = 0; again < 1u << 24; again++) {
        block w = draw(s, first + i, again);
        R u = unit(w, 0) - 0.5, v = positive(w, 1);
        R us = 0.5 - (u < 0 ? -u : u);
        if (us <= 0) continue; // u is -0.5
        k = ::floor(fused(__ddiv_rn(2.0 * a, us) + b, u, rate + 0.43));
        if (us >= 0.07 && v <= accept) break;
        if (k < 0 || us < 0.013 && v > us) continue;
        if (ln(v) + log_inverse - ln(__ddiv_rn(a, us * us) + b) <= k * log_rate - rate - log_factorial(k)) break;
    }
    to[i] = (I)k;
}

#define POISSON(suffix, I)                                                                                                                \
    extern "C" __global__ void poisson_small##suffix(I *to, u64 n, u64 first, u64 seed, u32 number, u32 domain, R rate, R none) {         \
        poisson_small(to, n, first, {seed, number, domain}, rate, none);                                                                  \
    }                                                                                                                                     \
    extern "C" __global__ void poisson_large##suffix(I *to, u64 n, u64 first, u64 seed, u32 number, u32 domain, R rate, R a, R b,         \
                                                     R inverse, R accept) {                                                               \
        poisson_large(to, n, first, {seed, number, domain}, rate, a, b, inverse, accept);                                                 \
    }
POISSON(4, int)
POISSON(8, i64)
#endif
