// Every atomic operation on global memory whose result does not depend on the order, and on shared memory.
extern "C" __global__ void atomics_u32(unsigned *r, const unsigned *x, unsigned n) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    unsigned v = x[i];
    atomicAdd(&r[0], v);
    atomicSub(&r[1], v);
    atomicMin(&r[2], v);
    atomicMax(&r[3], v);
    atomicAnd(&r[4], v | 0x10u);
    atomicOr(&r[5], v & 0xff00u);
    atomicXor(&r[6], v);
    atomicInc(&r[7], 100u);
    atomicDec(&r[8], 77u);
    if (atomicExch(&r[9], 5u) == 3u) atomicAdd(&r[10], 1u);
    unsigned old = r[11], seen;
    do {
        seen = old;
        old = atomicCAS(&r[11], seen, seen * 3u + 1u);
    } while (old != seen);
}

extern "C" __global__ void atomics_wide(long long *s, unsigned long long *u, float *f, double *d, const int *x, unsigned n) {
    __shared__ int low;
    __shared__ unsigned long long count;
    if (threadIdx.x == 0) { low = 0x7fffffff; count = 0; }
    __syncthreads();
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        int v = x[i];
        atomicMin(&s[0], (long long)v);
        atomicMax(&s[1], (long long)v);
        atomicAdd(&u[0], (unsigned long long)(long long)v);
        atomicXor(&u[1], (unsigned long long)v << 20);
        atomicAdd(&f[0], (float)(v & 7));
        atomicAdd(&d[0], (double)v);
        atomicMin(&low, v);
        atomicAdd(&count, 1ull);
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        atomicMin((int *)&s[2], low);
        atomicAdd(&u[2], count);
    }
}
