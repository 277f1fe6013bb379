// Bitonic sort of 512 keys with their values in shared memory.
extern "C" __global__ void bitonic(unsigned *keys, unsigned *values) {
    __shared__ unsigned k[512], v[512];
    unsigned t = threadIdx.x, base = blockIdx.x * 512;
    k[t] = keys[base + t];
    v[t] = values[base + t];
    k[t + 256] = keys[base + t + 256];
    v[t + 256] = values[base + t + 256];
    for (unsigned size = 2; size <= 512; size *= 2) {
        for (unsigned stride = size / 2; stride > 0; stride /= 2) {
            __syncthreads();
            unsigned pos = 2 * t - (t & (stride - 1));
            bool up = (pos & size) == 0;
            if ((k[pos] > k[pos + stride]) == up) {
                unsigned x = k[pos]; k[pos] = k[pos + stride]; k[pos + stride] = x;
                x = v[pos]; v[pos] = v[pos + stride]; v[pos + stride] = x;
            }
        }
    }
    __syncthreads();
    keys[base + t] = k[t];
    values[base + t] = v[t];
    keys[base + t + 256] = k[t + 256];
    values[base + t + 256] = v[t + 256];
}
