// The plate of one rank: rows*cols points in row-major order, and one line of its neighbours' points along each side.

// edges copies the first and the last row, and the first and the last column, to where they are sent from.
extern "C" __global__ void edges(double *up, double *down, double *left, double *right, const double *now, int rows, int cols) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < cols) {
        up[i] = now[i];
        down[i] = now[(rows - 1) * cols + i];
    }
    if (i < rows) {
        left[i] = now[i * cols];
        right[i] = now[i * cols + cols - 1];
    }
}

// step lets heat flow for one step of time between each point and the four around it.
extern "C" __global__ void step(double *next, const double *now, const double *up, const double *down, const double *left,
                                const double *right, int rows, int cols, double alpha) {
    const int col = blockIdx.x * blockDim.x + threadIdx.x;
    const int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (row >= rows || col >= cols) return;
    const int i = row * cols + col;
    const double above = row > 0 ? now[i - cols] : up[col];
    const double below = row < rows - 1 ? now[i + cols] : down[col];
    const double before = col > 0 ? now[i - 1] : left[row];
    const double after = col < cols - 1 ? now[i + 1] : right[row];
    next[i] = now[i] + alpha * (above + below + before + after - 4 * now[i]);
}
