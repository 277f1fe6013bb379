// Sum by warp shuffles, then one warp over the warps' sums.
__device__ int warp_sum(int v) {
    for (int d = 16; d > 0; d >>= 1) v += __shfl_down_sync(0xffffffffu, v, d);
    return v;
}

extern "C" __global__ void reduce_shuffle(int *sums, const int *x, unsigned n) {
    __shared__ int warps[32];
    unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    int v = 0;
    for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) v += x[i];
    v = warp_sum(v);
    if (lane == 0) warps[warp] = v;
    __syncthreads();
    if (warp == 0) {
        v = lane < blockDim.x / 32 ? warps[lane] : 0;
        v = warp_sum(v);
        if (lane == 0) sums[blockIdx.x] = v;
    }
}

// All-reduce by a butterfly in segments of eight lanes, and a rotation by an index shuffle.
extern "C" __global__ void shuffle_segments(int *max8, int *rotated, const int *x) {
    int v = x[threadIdx.x], m = v;
    for (int d = 4; d > 0; d >>= 1) m = max(m, __shfl_xor_sync(0xffffffffu, m, d, 8));
    max8[threadIdx.x] = m;
    rotated[threadIdx.x] = __shfl_sync(0xffffffffu, v, threadIdx.x + 5, 16) + __shfl_up_sync(0xffffffffu, v, 3);
}
