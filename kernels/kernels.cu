// Element-wise combination and sums. Compiled with --fmad=false, so that every device gives the same bits.

template <typename T> __device__ void axpby(T a, const T *x, T b, const T *y, T *z, unsigned long long n) {
    unsigned long long stride = (unsigned long long)gridDim.x * blockDim.x;
    for (unsigned long long i = (unsigned long long)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride)
        z[i] = a * x[i] + b * y[i];
}

// sum adds the elements of its block's share, thread by thread with a stride, then in a tree. 256 threads.
template <typename T> __device__ void sum(T *out, const T *x, unsigned long long n) {
    __shared__ T part[256];
    T total = T(0);
    unsigned long long stride = (unsigned long long)gridDim.x * 256;
    for (unsigned long long i = (unsigned long long)blockIdx.x * 256 + threadIdx.x; i < n; i += stride) total += x[i];
    part[threadIdx.x] = total;
    __syncthreads();
    for (int half = 128; half > 0; half >>= 1) {
        if (threadIdx.x < half) part[threadIdx.x] += part[threadIdx.x + half];
        __syncthreads();
    }
    if (threadIdx.x == 0) out[blockIdx.x] = part[0];
}

#define KERNELS(T, suffix)                                                                                            \
    extern "C" __global__ void axpby_##suffix(T a, const T *x, T b, const T *y, T *z, unsigned long long n) {         \
        axpby<T>(a, x, b, y, z, n);                                                                                   \
    }                                                                                                                 \
    extern "C" __global__ void sum_##suffix(T *out, const T *x, unsigned long long n) { sum<T>(out, x, n); }

KERNELS(float, f32)
KERNELS(double, f64)
KERNELS(int, i32)
KERNELS(unsigned, u32)
KERNELS(long long, i64)
KERNELS(unsigned long long, u64)
