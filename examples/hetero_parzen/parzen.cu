// The density at one point: the mean of Gaussians around the samples.
extern "C" __global__ void parzen(int points, int n, float h, float from, float step, const float *samples, float *density) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= points) return;
    float x = from + (i + 0.5f) * step, s = 0;
    for (int k = 0; k < n; k++) {
        float d = (x - samples[k]) / h;
        s += expf(-0.5f * d * d);
    }
    density[i] = s * 0.39894228f / (n * h);
}
