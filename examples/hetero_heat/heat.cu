// One step of the heat equation; no heat leaves the plate.
extern "C" __global__ void heat(int w, int h, const float *in, float *out) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y;
    if (x >= w) return;
    float c = in[y * w + x];
    float l = in[y * w + max(x - 1, 0)], r = in[y * w + min(x + 1, w - 1)];
    float u = in[max(y - 1, 0) * w + x], d = in[min(y + 1, h - 1) * w + x];
    out[y * w + x] = c + 0.2f * (l + r + u + d - 4.0f * c);
}
