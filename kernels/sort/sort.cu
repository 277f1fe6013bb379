// Sorting and what follows from it. TYPE is the type of keys; WORD is the unsigned type of its size, and one of FLOAT, SIGNED,
// UNSIGNED says how its bits are ordered.
//
// One warp works through a run of neighbours, 32 at a time, in order; everything about a run is counted first, and sums of the
// counts say where each run writes. So no two warps wait for each other, and equal keys keep their order.

typedef TYPE T;
typedef WORD W;
typedef unsigned long long u64;
typedef unsigned u32;

#define ALL 0xffffffffu
enum { BITS = 8 * sizeof(W), DIGITS = 256, WARPS = 4 };
#define SIGN ((W)1 << (BITS - 1))

// ordered is an unsigned number that is ordered as keys are: for floating point -inf … -0 = 0 … inf, NaN. flip of all ones
// turns the order round.
__device__ W ordered(W x, W flip) {
#if defined(FLOAT)
    const W infinity = BITS == 32 ? (W)0xff000000u : (W)0xffe0000000000000ull; // its bits without the sign, shifted by one
    W r = x ^ (x & SIGN ? ~(W)0 : SIGN);
    if (x == SIGN) r = SIGN;
    if ((W)(x << 1) > infinity) r = ~(W)0;
#elif defined(SIGNED)
    W r = x ^ SIGN;
#else
    W r = x;
#endif
    return r ^ flip;
}

// line is what the runs of a line share: warp w does run w % runs of line w / runs.
struct place {
    u64 line;
    u32 run;
    u64 begin, end;
};

__device__ place where(u64 length, u32 runs, u32 run, u64 warp) {
    place p;
    p.line = warp / runs;
    p.run = (u32)(warp - p.line * runs);
    u64 begin = (u64)p.run * run, end = begin + run;
    p.begin = p.line * length + begin;
    p.end = p.line * length + (end < length ? end : length);
    return p;
}

__device__ u64 this_warp() { return (u64)blockIdx.x * (blockDim.x >> 5) + (threadIdx.x >> 5); }

// count counts the digits of each run: table[(line * 256 + digit) * runs + run].
extern "C" __global__ void count(u32 *table, const W *keys, W flip, int shift, u64 length, u32 runs, u32 run, u64 warps) {
    __shared__ u32 all[WARPS][DIGITS];
    u32 *n = all[threadIdx.x >> 5];
    u32 lane = threadIdx.x & 31;
    u64 warp = this_warp();
    if (warp >= warps) return;
    place p = where(length, runs, run, warp);
#pragma unroll
    for (int d = 0; d < DIGITS; d += 32) n[d + lane] = 0;
    __syncwarp();
    const W *from = keys + p.begin;
    u32 size = (u32)(p.end - p.begin), i = 0;
    for (; i + 128 <= size; i += 128) {
        W k[4];
#pragma unroll
        for (int j = 0; j < 4; j++) k[j] = from[i + 32 * j + lane];
#pragma unroll
        for (int j = 0; j < 4; j++) atomicAdd(&n[(u32)(ordered(k[j], flip) >> shift) & 255], 1u);
    }
    for (; i < size; i += 32)
        if (i + lane < size) atomicAdd(&n[(u32)(ordered(from[i + lane], flip) >> shift) & 255], 1u);
    __syncwarp();
    u32 *to = table + p.line * DIGITS * runs + p.run;
#pragma unroll
    for (int d = 0; d < DIGITS; d += 32) to[(u64)(d + lane) * runs] = n[d + lane];
}

// rank gives each lane the place of its key, and moves the places of the run on. Lanes with the same digit find each other by
// votes; the last of them moves the place. With ragged, only lanes that are here take part.
template <bool ragged> __device__ u32 rank(u32 *next, u32 digit, bool here, u32 lane) {
    u32 peers = ragged ? __ballot_sync(ALL, here) : ALL;
#pragma unroll
    for (int b = 0; b < 8; b++) {
        int mine = (int)(digit << (31 - b)) >> 31; // all ones for a 1
        peers &= ~(__ballot_sync(ALL, mine < 0) ^ (u32)mine);
    }
    u32 at = 0;
    if (!ragged || here) at = next[digit] + __popc(peers & ((1u << lane) - 1));
    __syncwarp();
    if ((!ragged || here) && peers >> lane == 1) next[digit] = at + 1;
    __syncwarp();
    return at;
}

struct none {};

template <typename V> __device__ V load(const V *v, u64 i) { return v[i]; }
__device__ none load(const none *, u64) { return none(); }
template <typename V> __device__ void store(V *v, u64 i, V x) { v[i] = x; }
__device__ void store(none *, u64, none) {}
template <typename V> __device__ V number(u64 i) { return (V)i; }
template <> __device__ none number<none>(u64) { return none(); }

// scatter moves each key, and its value, to its place by one digit. table is the exclusive sum of what count made. Without
// values, a key's value is its number in its line. Keys are written where keys_out is.
template <typename V>
__device__ void scatter(W *keys_out, const W *keys, V *values_out, const V *values, const u32 *table, W flip, int shift, u64 length, u32 runs,
                        u32 run, u64 warps) {
    __shared__ u32 all[WARPS][DIGITS];
    u32 *next = all[threadIdx.x >> 5];
    u32 lane = threadIdx.x & 31;
    u64 warp = this_warp();
    if (warp >= warps) return;
    place p = where(length, runs, run, warp);
    const u32 *from = table + p.line * DIGITS * runs + p.run;
#pragma unroll
    for (int d = 0; d < DIGITS; d += 32) next[d + lane] = from[(u64)(d + lane) * runs];
    __syncwarp();
    const W *k = keys + p.begin;
    const V *v = values == 0 ? values : values + p.begin;
    u64 first = p.begin - p.line * length;
    u32 n = (u32)(p.end - p.begin), i = 0;
    for (; i + 32 <= n; i += 32) {
        W key = k[i + lane];
        V value = number<V>(first + i + lane);
        if (v != 0) value = load(v, i + lane);
        u32 to = rank<false>(next, (u32)(ordered(key, flip) >> shift) & 255, true, lane);
        if (keys_out != 0) keys_out[to] = key;
        store(values_out, to, value);
    }
    if (i == n) return;
    bool here = i + lane < n;
    W key = 0;
    V value = number<V>(first + i + lane);
    if (here) {
        key = k[i + lane];
        if (v != 0) value = load(v, i + lane);
    }
    u32 to = rank<true>(next, (u32)(ordered(key, flip) >> shift) & 255, here, lane);
    if (here) {
        if (keys_out != 0) keys_out[to] = key;
        store(values_out, to, value);
    }
}

#define SCATTER(name, V)                                                                                                                  \
    extern "C" __global__ void name(W *keys_out, const W *keys, V *values_out, const V *values, const u32 *table, W flip, int shift,      \
                                    u64 length, u32 runs, u32 run, u64 warps) {                                                           \
        scatter<V>(keys_out, keys, values_out, values, table, flip, shift, length, runs, run, warps);                             \
    }
SCATTER(scatter4, u32)
SCATTER(scatter8, u64)

extern "C" __global__ void scatter0(W *keys_out, const W *keys, const u32 *table, W flip, int shift, u64 length, u32 runs, u32 run, u64 warps) {
    scatter<none>(keys_out, keys, 0, 0, table, flip, shift, length, runs, run, warps);
}

enum { LINE = 2048 };

// move writes the values of a line in the order of numbers: through shared memory, since the output may be the input.
template <typename V>
__device__ void move(V *out, const V *values, u64 first, u32 length, u32 lane, V *room, const unsigned short *from) {
    if (values != 0)
        for (u32 i = lane; i < length; i += 32) room[i] = values[first + i];
    __syncwarp();
    for (u32 i = lane; i < length; i += 32) out[first + i] = values != 0 ? room[from[i]] : number<V>(from[i]);
}
__device__ void move(none *, const none *, u64, u32, u32, none *, const unsigned short *) {}

// sort_line sorts a line of at most LINE keys in shared memory, by a bitonic network (Batcher, Sorting Networks and Their
// Applications, 1968) over the next power of two; numbers in the line decide between equal keys.
template <typename V> __device__ void sort_line(W *keys_out, const W *keys, V *values_out, const V *values, W flip, u32 length, u32 size) {
    __shared__ W key[LINE];
    __shared__ u32 number_of[LINE];
    __shared__ V value[LINE];
    u64 first = (u64)blockIdx.x * length;
    for (u32 i = threadIdx.x; i < size; i += blockDim.x) {
        number_of[i] = i;
        if (i < length) {
            key[i] = keys[first + i];
            value[i] = number<V>(i);
            if (values != 0) value[i] = load(values, first + i);
        }
    }
    for (u32 k = 2; k <= size; k <<= 1)
        for (u32 j = k >> 1; j > 0; j >>= 1) {
            __syncthreads();
            for (u32 t = threadIdx.x; t < size / 2; t += blockDim.x) {
                u32 a = 2 * t - (t & (j - 1)), b = a + j;
                u32 na = number_of[a], nb = number_of[b];
                W ka = key[a], kb = key[b];
                W oa = ordered(ka, flip), ob = ordered(kb, flip);
                bool past_a = na >= length, past_b = nb >= length; // the padding stands last
                bool less = past_a || past_b ? na < nb : oa < ob || oa == ob && na < nb;
                if (less != ((a & k) == 0)) {
                    key[a] = kb;
                    key[b] = ka;
                    number_of[a] = nb;
                    number_of[b] = na;
                }
            }
        }
    __syncthreads();
    for (u32 i = threadIdx.x; i < length; i += blockDim.x) {
        if (keys_out != 0) keys_out[first + i] = key[i];
        store(values_out, first + i, value[number_of[i]]);
    }
}

#define SORT_LINE(name, V)                                                                                                                \
    extern "C" __global__ void name(W *keys_out, const W *keys, V *values_out, const V *values, W flip, u32 length, u32 size) {           \
        sort_line<V>(keys_out, keys, values_out, values, flip, length, size);                                                             \
    }
SORT_LINE(sort_line4, u32)
SORT_LINE(sort_line8, u64)
extern "C" __global__ void sort_line0(W *keys_out, const W *keys, W flip, u32 length, u32 size) {
    sort_line<none>(keys_out, keys, 0, 0, flip, length, size);
}

// warp_line sorts a line of at most LINE keys by one warp, by radix in shared memory. The keys' numbers move; keys and values
// follow at the end.
template <typename V> __device__ void warp_line(W *keys_out, const W *keys, V *values_out, const V *values, W flip, u32 length) {
    __shared__ W key[2][LINE];
    __shared__ unsigned short from[2][LINE];
    __shared__ u32 next[DIGITS];
    u32 lane = threadIdx.x;
    u64 first = (u64)blockIdx.x * length;
    for (u32 i = lane; i < length; i += 32) {
        key[0][i] = ordered(keys[first + i], flip);
        from[0][i] = (unsigned short)i;
    }
    for (int pass = 0; pass < (int)sizeof(W); pass++) {
        const W *k = key[pass & 1];
        const unsigned short *f = from[pass & 1];
        W *k_out = key[(pass & 1) ^ 1];
        unsigned short *f_out = from[(pass & 1) ^ 1];
        int shift = 8 * pass;
#pragma unroll
        for (int d = 0; d < DIGITS; d += 32) next[d + lane] = 0;
        __syncwarp();
        for (u32 i = lane; i < length; i += 32) atomicAdd(&next[(u32)(k[i] >> shift) & 255], 1u);
        __syncwarp();
        u32 before = 0;
        for (int d = 0; d < DIGITS; d += 32) {
            u32 n = next[d + lane], sum = n;
#pragma unroll
            for (int j = 1; j < 32; j <<= 1) {
                u32 u = __shfl_up_sync(ALL, sum, j);
                if (lane >= j) sum += u;
            }
            next[d + lane] = before + sum - n;
            before += __shfl_sync(ALL, sum, 31);
        }
        __syncwarp();
        u32 i = 0;
        for (; i + 32 <= length; i += 32) {
            W x = k[i + lane];
            unsigned short number = f[i + lane];
            u32 to = rank<false>(next, (u32)(x >> shift) & 255, true, lane);
            k_out[to] = x;
            f_out[to] = number;
        }
        if (i < length) {
            bool here = i + lane < length;
            W x = 0;
            unsigned short number = 0;
            if (here) {
                x = k[i + lane];
                number = f[i + lane];
            }
            u32 to = rank<true>(next, (u32)(x >> shift) & 255, here, lane);
            if (here) {
                k_out[to] = x;
                f_out[to] = number;
            }
        }
        __syncwarp();
    }
    // The number of passes is even, so the numbers are in from[0]; both buffers of keys are free for what moves.
    if (keys_out != 0) {
        for (u32 i = lane; i < length; i += 32) key[0][i] = keys[first + i];
        __syncwarp();
        for (u32 i = lane; i < length; i += 32) keys_out[first + i] = key[0][from[0][i]];
        __syncwarp();
    }
    move(values_out, values, first, length, lane, (V *)key, from[0]);
}

#define WARP_LINE(name, V)                                                                                                                \
    extern "C" __global__ void name(W *keys_out, const W *keys, V *values_out, const V *values, W flip, u32 length) {                     \
        warp_line<V>(keys_out, keys, values_out, values, flip, length);                                                                   \
    }
WARP_LINE(warp_line4, u32)
WARP_LINE(warp_line8, u64)
extern "C" __global__ void warp_line0(W *keys_out, const W *keys, W flip, u32 length) { warp_line<none>(keys_out, keys, 0, 0, flip, length); }

// search finds how many elements of a sorted array stand before each value: those that are less, or with right those that
// are not greater.
template <typename I> __device__ void search(I *to, const W *sorted, u64 n, const W *values, u64 m, int right) {
    u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= m) return;
    W v = ordered(values[i], 0);
    u64 lo = 0, hi = n;
    while (lo < hi) {
        u64 mid = lo + ((hi - lo) >> 1);
        W x = ordered(sorted[mid], 0);
        if (x < v || right && x == v)
            lo = mid + 1;
        else
            hi = mid;
    }
    to[i] = (I)lo;
}

extern "C" __global__ void search4(int *to, const W *sorted, u64 n, const W *values, u64 m, int right) { search(to, sorted, n, values, m, right); }
extern "C" __global__ void search8(long long *to, const W *sorted, u64 n, const W *values, u64 m, int right) {
    search(to, sorted, n, values, m, right);
}

// Distinct keys of a sorted array.

__device__ bool begins(const W *keys, u64 i, W key) { return i == 0 || ordered(key, 0) != ordered(keys[i - 1], 0); }

// count_heads counts the keys of each run that differ from the one before.
extern "C" __global__ void count_heads(u32 *table, const W *keys, u64 n, u32 run, u64 warps) {
    u32 lane = threadIdx.x & 31;
    u64 warp = this_warp();
    if (warp >= warps) return;
    place p = where(n, (u32)warps, run, warp);
    u32 total = 0;
    for (u64 i = p.begin; i < p.end; i += 32) {
        bool head = i + lane < p.end && begins(keys, i + lane, keys[i + lane]);
        total += __popc(__ballot_sync(ALL, head));
    }
    if (lane == 0) table[warp] = total;
}

// write_heads writes them, and where they stand.
extern "C" __global__ void write_heads(W *to, long long *starts, const u32 *table, const W *keys, u64 n, u32 run, u64 warps) {
    u32 lane = threadIdx.x & 31;
    u64 warp = this_warp();
    if (warp >= warps) return;
    place p = where(n, (u32)warps, run, warp);
    u32 at = table[warp];
    for (u64 i = p.begin; i < p.end; i += 32) {
        W key = 0;
        bool head = false;
        if (i + lane < p.end) {
            key = keys[i + lane];
            head = begins(keys, i + lane, key);
        }
        u32 m = __ballot_sync(ALL, head);
        if (head) {
            u32 j = at + __popc(m & ((1u << lane) - 1));
            to[j] = key;
            starts[j] = (long long)(i + lane);
        }
        at += __popc(m);
    }
}

// differences turns starts into numbers of elements.
extern "C" __global__ void differences(long long *counts, const long long *starts, u64 m, long long n) {
    u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < m) counts[i] = (i + 1 < m ? starts[i + 1] : n) - starts[i];
}

// The first k keys. state[0] is what is known of the ordered bits of the k-th key, from the top; state[1] is how many of the
// keys that have these bits are among the first k.

// count_prefix counts the next digit of the keys that have the bits known.
extern "C" __global__ void count_prefix(u32 *digits, const u64 *state, const W *keys, W flip, int shift, u64 n, u32 run) {
    __shared__ u32 part[DIGITS];
    for (u32 d = threadIdx.x; d < DIGITS; d += blockDim.x) part[d] = 0;
    __syncthreads();
    W known = (W)state[0];
    W mask = shift + 8 == BITS ? (W)0 : ~(W)0 << (shift + 8 < BITS ? shift + 8 : 0);
    u64 begin = (u64)blockIdx.x * run, end = begin + run < n ? begin + run : n;
    for (u64 i = begin + threadIdx.x; i < end; i += blockDim.x) {
        W key = ordered(keys[i], flip);
        if ((key & mask) == known) atomicAdd(&part[(u32)(key >> shift) & 255], 1u);
    }
    __syncthreads();
    for (u32 d = threadIdx.x; d < DIGITS; d += blockDim.x)
        if (part[d] != 0) atomicAdd(&digits[d], part[d]);
}

// pick adds the digit of the k-th key to what is known, and clears the digits.
extern "C" __global__ void pick(u32 *digits, u64 *state, int shift) {
    if (threadIdx.x != 0) return;
    u64 left = state[1];
    int found = 0;
    bool done = false;
    for (int d = 0; d < DIGITS; d++) {
        u32 n = digits[d];
        digits[d] = 0;
        if (done) continue;
        if (n >= left) {
            found = d;
            done = true;
        } else {
            left -= n;
        }
    }
    state[0] |= (u64)found << shift;
    state[1] = left;
}

// count_first counts the keys of each run before the k-th, and those equal to it.
extern "C" __global__ void count_first(u32 *before, u32 *equal, const u64 *state, const W *keys, W flip, u64 n, u32 run, u64 warps) {
    u32 lane = threadIdx.x & 31;
    u64 warp = this_warp();
    if (warp >= warps) return;
    place p = where(n, (u32)warps, run, warp);
    W kth = (W)state[0];
    u32 less = 0, same = 0;
    for (u64 i = p.begin; i < p.end; i += 32) {
        bool here = i + lane < p.end;
        W key = 0;
        if (here) key = ordered(keys[i + lane], flip);
        less += __popc(__ballot_sync(ALL, here && key < kth));
        same += __popc(__ballot_sync(ALL, here && key == kth));
    }
    if (lane == 0) {
        before[warp] = less;
        equal[warp] = same;
    }
}

// write_first writes the first k keys and their numbers: those before the k-th in their order, then those equal to it.
extern "C" __global__ void write_first(W *to, long long *index, const u32 *before, const u32 *equal, const u64 *state, const W *keys, W flip,
                                       u64 k, u64 n, u32 run, u64 warps) {
    u32 lane = threadIdx.x & 31;
    u64 warp = this_warp();
    if (warp >= warps) return;
    place p = where(n, (u32)warps, run, warp);
    W kth = (W)state[0];
    u64 wanted = state[1];
    u32 less = before[warp], same = equal[warp];
    for (u64 i = p.begin; i < p.end; i += 32) {
        bool here = i + lane < p.end;
        W raw = 0;
        if (here) raw = keys[i + lane];
        W key = ordered(raw, flip);
        u32 l = __ballot_sync(ALL, here && key < kth), e = __ballot_sync(ALL, here && key == kth);
        u32 earlier = (1u << lane) - 1;
        u64 rank = same + __popc(e & earlier);
        u64 j = less + __popc(l & earlier);
        if (here && key == kth) j = k - wanted + rank;
        if (here && (key < kth || key == kth && rank < wanted)) {
            to[j] = raw;
            index[j] = (long long)(i + lane);
        }
        less += __popc(l);
        same += __popc(e);
    }
}

// Histograms. Element x belongs to bin j if edge[j] <= x < edge[j+1], and to the last also if x is its upper edge.

// bin finds the bin of x between the first and the last edge; with scale from a guess, which is right up to rounding.
__device__ u32 bin(double x, const double *edges, u32 bins, double scale) {
    u32 j;
    if (scale > 0) {
        double guess = (x - edges[0]) * scale;
        j = guess < (double)(bins - 1) ? (u32)guess : bins - 1;
        while (j > 0 && x < edges[j]) j--;
        while (j + 1 < bins && x >= edges[j + 1]) j++;
        return j;
    }
    u32 lo = 0, hi = bins; // the number of inner edges that are not greater
    while (lo + 1 < hi) {
        u32 mid = (lo + hi) >> 1;
        if (edges[mid] <= x)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

enum { OWN = 4096 };

// histogram counts in shared memory where the bins fit there.
extern "C" __global__ void histogram(u64 *counts, const T *x, const double *edges, u32 bins, double scale, u64 n, u32 run) {
    __shared__ u32 part[OWN];
    bool own = bins <= OWN;
    if (own)
        for (u32 j = threadIdx.x; j < bins; j += blockDim.x) part[j] = 0;
    __syncthreads();
    double lo = edges[0], hi = edges[bins];
    u64 begin = (u64)blockIdx.x * run, end = begin + run < n ? begin + run : n;
    for (u64 i = begin + threadIdx.x; i < end; i += blockDim.x) {
        double v = (double)x[i];
        if (!(v >= lo && v <= hi)) continue;
        u32 j = bin(v, edges, bins, scale);
        if (own)
            atomicAdd(&part[j], 1u);
        else
            atomicAdd(&counts[j], 1ull);
    }
    __syncthreads();
    if (own)
        for (u32 j = threadIdx.x; j < bins; j += blockDim.x)
            if (part[j] != 0) atomicAdd(&counts[j], (u64)part[j]);
}
