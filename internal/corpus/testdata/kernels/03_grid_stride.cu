// A grid-stride loop: the grid is smaller than the data.
extern "C" __global__ void square(float *y, const float *x, size_t n) {
    size_t stride = (size_t)gridDim.x * blockDim.x;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride)
        y[i] = x[i] * x[i];
}
