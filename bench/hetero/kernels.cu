// Six kernels for the benchmark of hostpar/hetero. Each does its work, and then waste dependent operations an item that
// change nothing: a device that is slower by a known factor.
__device__ float wasted(int waste, float v) {
    for (int k = 0; k < waste; k++) v = v * 0.9999f + 0.25f;
    return v;
}
// What never happens must look as if it could, or the compiler removes the waste.
#define BURN(v) if (waste && wasted(waste, (float)(v)) == -1.2345e30f) v = 0;

extern "C" __global__ void saxpy(int waste, int n, float a, const float *x, float *y) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    y[i] = a * x[i] + 0.5f * i;
    BURN(y[i])
}
extern "C" __global__ void stencil(int waste, int w, int h, const float *in, float *out) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y;
    if (x >= w) return;
    int l = max(x - 1, 0), r = min(x + 1, w - 1), u = max(y - 1, 0), d = min(y + 1, h - 1);
    float v = 0.2f * (in[y * w + x] + in[y * w + l] + in[y * w + r] + in[u * w + x] + in[d * w + x]);
    out[y * w + x] = v;
    BURN(out[y * w + x])
}
extern "C" __global__ void mandelbrot(int waste, int w, int h, int most, int *out) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y;
    if (x >= w) return;
    float cr = 3.0f * x / w - 2.0f, ci = 2.0f * y / h - 1.0f, zr = 0, zi = 0;
    int n = 0;
    for (; n < most && zr * zr + zi * zi < 4; n++) {
        float t = zr * zr - zi * zi + cr;
        zi = 2 * zr * zi + ci;
        zr = t;
    }
    out[y * w + x] = n;
    BURN(out[y * w + x])
}
extern "C" __global__ void nbody(int waste, int n, const float *p, float *a) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float x = p[3 * i], y = p[3 * i + 1], z = p[3 * i + 2], ax = 0, ay = 0, az = 0;
    for (int j = 0; j < n; j++) {
        float dx = p[3 * j] - x, dy = p[3 * j + 1] - y, dz = p[3 * j + 2] - z;
        float s = 1.0f / sqrtf(dx * dx + dy * dy + dz * dz + 0.01f);
        s = s * s * s;
        ax += dx * s; ay += dy * s; az += dz * s;
    }
    a[3 * i] = ax; a[3 * i + 1] = ay; a[3 * i + 2] = az;
    BURN(a[3 * i])
}
// Each thread counts 64 values, neighbours of a block side by side.
extern "C" __global__ void histogram(int waste, int n, const unsigned char *data, unsigned *bins) {
    int block = blockIdx.x * blockDim.x * 64;
    for (int k = 0; k < 64; k++) {
        int i = block + k * blockDim.x + threadIdx.x;
        if (i < n) atomicAdd(&bins[data[i]], 1u);
    }
    BURN(bins[block % 256])
}
__device__ float normal(float d) { return 0.5f * erfcf(-d * 0.70710678f); }
extern "C" __global__ void blackscholes(int waste, int n, const float *s, float *call) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const float k = 100, r = 0.02f, v = 0.3f, t = 1.5f;
    float d1 = (logf(s[i] / k) + (r + 0.5f * v * v) * t) / (v * sqrtf(t)), d2 = d1 - v * sqrtf(t);
    call[i] = s[i] * normal(d1) - k * expf(-r * t) * normal(d2);
    BURN(call[i])
}
