// Inclusive scan of Hillis and Steele with two buffers.
extern "C" __global__ void scan_hillis(int *out, const int *in, int n) {
    extern __shared__ int buf[];
    int t = threadIdx.x, from = 0, to = 1;
    buf[t] = t < n ? in[blockIdx.x * n + t] : 0;
    __syncthreads();
    for (int d = 1; d < blockDim.x; d *= 2) {
        int v = buf[from * blockDim.x + t];
        if (t >= d) v += buf[from * blockDim.x + t - d];
        buf[to * blockDim.x + t] = v;
        from = to;
        to = 1 - to;
        __syncthreads();
    }
    if (t < n) out[blockIdx.x * n + t] = buf[from * blockDim.x + t];
}
