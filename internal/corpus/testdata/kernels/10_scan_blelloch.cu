// Two-level exclusive scan: up-sweep and down-sweep in each block, a scan of the blocks' totals, and their addition.
extern "C" __global__ void scan_blocks(unsigned *out, unsigned *totals, const unsigned *in, unsigned n) {
    extern __shared__ unsigned temp[];
    unsigned t = threadIdx.x, size = blockDim.x * 2, base = blockIdx.x * size, offset = 1;
    temp[2 * t] = base + 2 * t < n ? in[base + 2 * t] : 0;
    temp[2 * t + 1] = base + 2 * t + 1 < n ? in[base + 2 * t + 1] : 0;
    for (unsigned d = size >> 1; d > 0; d >>= 1) {
        __syncthreads();
        if (t < d) temp[offset * (2 * t + 2) - 1] += temp[offset * (2 * t + 1) - 1];
        offset <<= 1;
    }
    if (t == 0) {
        if (totals) totals[blockIdx.x] = temp[size - 1];
        temp[size - 1] = 0;
    }
    for (unsigned d = 1; d < size; d <<= 1) {
        offset >>= 1;
        __syncthreads();
        if (t < d) {
            unsigned ai = offset * (2 * t + 1) - 1, bi = offset * (2 * t + 2) - 1, v = temp[ai];
            temp[ai] = temp[bi];
            temp[bi] += v;
        }
    }
    __syncthreads();
    if (base + 2 * t < n) out[base + 2 * t] = temp[2 * t];
    if (base + 2 * t + 1 < n) out[base + 2 * t + 1] = temp[2 * t + 1];
}

extern "C" __global__ void add_totals(unsigned *out, const unsigned *totals, unsigned n) {
    unsigned i = blockIdx.x * blockDim.x * 2 + threadIdx.x;
    if (i < n) out[i] += totals[blockIdx.x];
    if (i + blockDim.x < n) out[i + blockDim.x] += totals[blockIdx.x];
}
