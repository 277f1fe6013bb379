// The warp-synchronous reduction of old: no barrier inside the last warp, volatile shared memory instead. It is right only
// if the 32 lanes of a warp run in lockstep.
extern "C" __global__ void reduce_volatile(int *sums, const int *x, unsigned n) {
    __shared__ volatile int s[128];
    unsigned t = threadIdx.x, i = blockIdx.x * 128 + t;
    s[t] = i < n ? x[i] : 0;
    __syncthreads();
    if (t < 64) s[t] += s[t + 64];
    __syncthreads();
    if (t < 32) {
        s[t] += s[t + 32];
        s[t] += s[t + 16];
        s[t] += s[t + 8];
        s[t] += s[t + 4];
        s[t] += s[t + 2];
        s[t] += s[t + 1];
    }
    if (t == 0) sums[blockIdx.x] = s[0];
}
