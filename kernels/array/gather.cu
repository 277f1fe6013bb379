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

#define FOR(T, bytes) \
    extern "C" __global__ void take##bytes(u64 n, T *out, const T *from, const i64 *index, u64 count, u64 inner, i64 limit) { take(n, out, from, index, count, inner, limit); } \
    extern "C" __global__ void put##bytes(u64 n, T *to, const i64 *index, i64 limit, const u64 *owner, const T *values) { put(n, to, index, limit, owner, values); }
FOR(unsigned char, 1)
FOR(unsigned short, 2)
FOR(unsigned int, 4)
FOR(u64, 8)
FOR(ulonglong2, 16)
