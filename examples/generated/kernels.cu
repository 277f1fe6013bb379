// The kernels of this example. go generate makes kernels_tandem.go of them.

struct line {
    float slope, intercept;
};

// y[i] = l.slope * x[i] + l.intercept
extern "C" __global__ void evaluate(int n, line l, const float *x, float *y) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = l.slope * x[i] + l.intercept;
}

// y[i] += a * x[i]
template <typename T>
__global__ void axpy(int n, T a, const T *x, T *y) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] += a * x[i];
}
