// How often z = z*z + c can be repeated, at most `most` times, before |z| is above 2.
extern "C" __global__ void mandelbrot(int w, int h, int most, int *out) {
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
}
