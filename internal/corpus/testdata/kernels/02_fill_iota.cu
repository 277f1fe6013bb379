// Stores without loads, in three element sizes.
extern "C" __global__ void fill_f64(double *p, double value, unsigned n) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) p[i] = value;
}

extern "C" __global__ void iota_i64(long long *p, long long first, long long step, unsigned n) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) p[i] = first + step * (long long)i;
}

extern "C" __global__ void fill_u8(unsigned char *p, unsigned char value, unsigned n) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) p[i] = (unsigned char)(value + i);
}
