// Filters on pictures of one byte a pixel. All arithmetic is on integers, so every device gives the same pixels.

// Rec. 601 luma of four bytes R, G, B, A.
extern "C" __global__ void luma(unsigned char *out, const unsigned char *rgba, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        out[i] = (299 * rgba[4 * i] + 587 * rgba[4 * i + 1] + 114 * rgba[4 * i + 2] + 500) / 1000;
}

__device__ int at(const unsigned char *p, int width, int height, int x, int y)
{
    x = min(max(x, 0), width - 1);
    y = min(max(y, 0), height - 1);
    return p[y * width + x];
}

// Binomial weights 1 4 6 4 1, an approximation of a Gaussian with sigma 1, along one axis.
extern "C" __global__ void gaussian(unsigned char *out, const unsigned char *in, int width, int height, int dx, int dy)
{
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= width || y >= height)
        return;
    int sum = at(in, width, height, x - 2 * dx, y - 2 * dy) + at(in, width, height, x + 2 * dx, y + 2 * dy)
        + 4 * (at(in, width, height, x - dx, y - dy) + at(in, width, height, x + dx, y + dy)) + 6 * at(in, width, height, x, y);
    out[y * width + x] = (sum + 8) / 16;
}

// Sobel's gradient, |gx| + |gy|, at most 255.
extern "C" __global__ void sobel(unsigned char *out, const unsigned char *in, int width, int height)
{
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= width || y >= height)
        return;
    int p[3][3];
    for (int j = 0; j < 3; j++)
        for (int i = 0; i < 3; i++)
            p[j][i] = at(in, width, height, x + i - 1, y + j - 1);
    int gx = p[0][2] + 2 * p[1][2] + p[2][2] - p[0][0] - 2 * p[1][0] - p[2][0];
    int gy = p[2][0] + 2 * p[2][1] + p[2][2] - p[0][0] - 2 * p[0][1] - p[0][2];
    out[y * width + x] = min(abs(gx) + abs(gy), 255);
}

// Counts of the 256 values, added to counts. Blocks of 256 threads.
extern "C" __global__ void histogram(unsigned int *counts, const unsigned char *in, int n)
{
    __shared__ unsigned int mine[256];
    mine[threadIdx.x] = 0;
    __syncthreads();
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        atomicAdd(&mine[in[i]], 1u);
    __syncthreads();
    atomicAdd(&counts[threadIdx.x], mine[threadIdx.x]);
}

// The value that each value becomes when the counts are spread evenly. One block of 256 threads.
extern "C" __global__ void spread(unsigned char *table, const unsigned int *counts, unsigned int n)
{
    __shared__ unsigned int below[256];
    unsigned int i = threadIdx.x;
    below[i] = counts[i];
    __syncthreads();
    for (unsigned int step = 1; step < 256; step *= 2) {
        unsigned int add = i >= step ? below[i - step] : 0;
        __syncthreads();
        below[i] += add;
        __syncthreads();
    }
    __shared__ unsigned int least;
    if (counts[i] != 0 && below[i] == counts[i])
        least = counts[i];
    __syncthreads();
    unsigned long long rest = n - least;
    table[i] = rest == 0 ? i : below[i] < least ? 0 : ((unsigned long long)(below[i] - least) * 255 + rest / 2) / rest;
}

extern "C" __global__ void replace(unsigned char *out, const unsigned char *in, const unsigned char *table, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        out[i] = table[in[i]];
}
