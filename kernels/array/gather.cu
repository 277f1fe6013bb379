// Reading and writing elements by index. Elements are moved as bits of their size.
typedef long long i64;
typedef unsigned long long u64;

// check notes the first of n indices that is neither in [0, limit) nor, counted from the end, in [-limit, 0).
extern "C" __global__ void check(u64 n, const i64 *index, i64 limit, u64 *first) {
    const u64 i = u64(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < n && (index[i] < -limit || index[i] >= limit)) atomicMin(first, i);
}

// take copies rows of inner elements: out[o][k] = from[o][index[k]], for all o, where from has limit rows for each o.
template <class T> __device__ void take(u64 n, T *out, const T *from, const i64 *index, u64 count, u64 inner, i64 limit) {
    const u64 i = u64(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const u64 j = i % inner, k = i / inner % count, o = i / inner / count;
    const i64 at = index[k] < 0 ? index[k] + limit : index[k];
    out[i] = from[(o * limit + at) * inner + j];
}

// own makes the last of the positions with one index its owner; owners begin with 0.
extern "C" __global__ void own(u64 n, const i64 *index, i64 limit, u64 *owner) {
    const u64 i = u64(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < n) atomicMax(owner + (index[i] < 0 ? index[i] + limit : index[i]), i + 1);
}

// put writes to[index[i]] = values[i] for the positions that own their index.
template <class T> __device__ void put(u64 n, T *to, const i64 *index, i64 limit, const u64 *owner, const T *values) {
    const u64 i = u64(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const i64 at = index[i] < 0 ? index[i] + limit : index[i];
    if (owner[at] == i + 1) to[at] = values[i];
}

// A warp does a run of RUN elements of a mask.
enum { RUN = 4096 };

// count counts the true elements of each run; behind the last run stands 0.
extern "C" __global__ void count(u64 n, const unsigned char *mask, i64 *counts) {
    const u64 run = (u64(blockIdx.x) * blockDim.x + threadIdx.x) / 32, first = run * RUN;
    if (run > (n + RUN - 1) / RUN) return;
    const u64 end = first + RUN < n ? first + RUN : n;
    const unsigned lane = threadIdx.x % 32;
    i64 sum = 0;
    for (u64 i = first; i < end; i += 32) sum += __popc(__ballot_sync(~0u, i + lane < end && mask[i + lane] != 0));
    if (lane == 0) counts[run] = sum;
}

// select writes get(i) for the true elements i one behind the other; starts[run] is how many are before a run.
template <class T, class Get> __device__ void select(u64 n, const unsigned char *mask, const i64 *starts, T *to, Get get) {
    const u64 run = (u64(blockIdx.x) * blockDim.x + threadIdx.x) / 32, first = run * RUN;
    if (first >= n) return;
    const u64 end = first + RUN < n ? first + RUN : n;
    const unsigned lane = threadIdx.x % 32;
    i64 at = starts[run];
    for (u64 i = first; i < end; i += 32) {
        const bool here = i + lane < end && mask[i + lane] != 0;
        const unsigned all = __ballot_sync(~0u, here);
        if (here) to[at + __popc(all & ((1u << lane) - 1))] = get(i + lane);
        at += __popc(all);
    }
}

extern "C" __global__ void positions(u64 n, const unsigned char *mask, const i64 *starts, i64 *to) {
    select(n, mask, starts, to, [](u64 i) { return i64(i); });
}

#define FOR(T, bytes) \
    extern "C" __global__ void select##bytes(u64 n, const unsigned char *mask, const T *from, const i64 *starts, T *to) { select(n, mask, starts, to, [=](u64 i) { return from[i]; }); } \
    extern "C" __global__ void take##bytes(u64 n, T *out, const T *from, const i64 *index, u64 count, u64 inner, i64 limit) { take(n, out, from, index, count, inner, limit); } \
    extern "C" __global__ void put##bytes(u64 n, T *to, const i64 *index, i64 limit, const u64 *owner, const T *values) { put(n, to, index, limit, owner, values); }
FOR(unsigned char, 1)
FOR(unsigned short, 2)
FOR(unsigned int, 4)
FOR(u64, 8)
FOR(ulonglong2, 16)
