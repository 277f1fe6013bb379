// Products of matrices and vectors, row-major. REAL is float or double; with COMPLEX, elements are pairs of it. MR is how many
// rows of the result a warp of `wide` computes.
//
// Every element of a product is summed by fused multiply-adds with ascending k, one after the other, from 0, in `wide` as in
// `tile`, so both give the same bits.

typedef REAL R;
typedef unsigned long long u64;
typedef long long i64;

#define ALL 0xffffffffu

// cell is the place of a block in a grid of two dimensions, `across` blocks wide, which is launched as one line: the second
// dimension of a launch ends at 65,535.
struct cell {
    unsigned x, y;
};
__device__ cell here(unsigned across) {
    unsigned y = blockIdx.x / across;
    return {blockIdx.x - y * across, y};
}

__device__ float fused(float a, float b, float c) { return __fmaf_rn(a, b, c); }
__device__ double fused(double a, double b, double c) { return __fma_rn(a, b, c); }

#ifdef COMPLEX
struct T {
    R re, im;
};
__device__ T zero() { return {R(0), R(0)}; }
__device__ T conjugate(T a) { return {a.re, -a.im}; }
__device__ T mac(T a, T b, T c) {
    c.re = fused(a.re, b.re, c.re);
    c.re = fused(-a.im, b.im, c.re);
    c.im = fused(a.re, b.im, c.im);
    c.im = fused(a.im, b.re, c.im);
    return c;
}
__device__ T plus(T a, T b) { return {a.re + b.re, a.im + b.im}; }
__device__ T shuffled(T a, int d) { return {__shfl_xor_sync(ALL, a.re, d), __shfl_xor_sync(ALL, a.im, d)}; }
__device__ T scalar(R re, R im) { return {re, im}; }
__device__ bool is_zero(T a) { return a.re == R(0) && a.im == R(0); }
enum { PARTS = 2 };
#else
typedef R T;
__device__ T zero() { return R(0); }
__device__ T conjugate(T a) { return a; }
__device__ T mac(T a, T b, T c) { return fused(a, b, c); }
__device__ T plus(T a, T b) { return a + b; }
__device__ T shuffled(T a, int d) { return __shfl_xor_sync(ALL, a, d); }
__device__ T scalar(R re, R) { return re; }
__device__ bool is_zero(T a) { return a == R(0); }
enum { PARTS = 1 };
#endif

// finish is alpha * sum + beta * c; c is not read if beta is 0.
__device__ void finish(T *c, T sum, T alpha, T beta) {
    T r = mac(alpha, sum, zero());
    if (!is_zero(beta)) r = mac(beta, *c, r);
    *c = r;
}

// pack copies the panels of a matrix of `rows` rows and `cols` columns, whose element (i, j) is at i*row_step + j*col_step, so
// that panel q holds rows q*width … for column after column: width numbers of the real part, then as many of the imaginary
// one. Rows beyond the last are 0. blockDim.x is 32: a block copies 32 columns of one panel.
extern "C" __global__ void pack(R *to, const T *from, u64 row_step, u64 col_step, unsigned rows, unsigned cols, unsigned width, int conj,
                                unsigned across) {
    cell at = here(across);
    unsigned panel = at.y, lane = threadIdx.x;
    unsigned j0 = at.x * 32;
    unsigned n = cols - j0 < 32 ? cols - j0 : 32;
    R *p = to + ((u64)panel * cols + j0) * width * PARTS;
    if (width == 32 && row_step == 1) { // neighbours stay neighbours
        unsigned i = panel * 32 + lane;
        for (unsigned j = 0; j < n; j++) {
            T x = zero();
            if (i < rows) x = from[i + (j0 + j) * col_step];
            if (conj) x = conjugate(x);
#ifdef COMPLEX
            p[j * 64 + lane] = x.re;
            p[j * 64 + 32 + lane] = x.im;
#else
            p[j * 32 + lane] = x;
#endif
        }
        return;
    }
    for (unsigned r = 0; r < width; r++) {
        unsigned i = panel * width + r;
        T x = zero();
        if (i < rows && lane < n) x = from[i * row_step + (j0 + lane) * col_step];
        if (conj) x = conjugate(x);
        if (lane < n) {
#ifdef COMPLEX
            p[lane * width * 2 + r] = x.re;
            p[lane * width * 2 + width + r] = x.im;
#else
            p[lane * width + r] = x;
#endif
        }
    }
}

// wide computes MR rows and 32 columns of c with each warp: the lanes are columns, so that an element of a is one number for
// the whole warp; blocks are one warp, so that it is seen to be one. a and b are what pack made, a with panels of MR rows, b
// with panels of 32 columns.
extern "C" __global__ void wide(T *c, u64 ldc, const R *a, const R *b, unsigned m, unsigned n, unsigned k, R alpha_re, R alpha_im, R beta_re,
                                R beta_im) {
    unsigned lane = threadIdx.x;
    cell at = here((m + MR - 1) / MR);
    unsigned ip = at.x, jp = at.y;
    const R *x = a + (u64)ip * k * MR * PARTS;
    const R *y = b + (u64)jp * k * 32 * PARTS + lane;
    R re[MR];
#pragma unroll
    for (int r = 0; r < MR; r++) re[r] = R(0);
#ifdef COMPLEX
    R im[MR];
#pragma unroll
    for (int r = 0; r < MR; r++) im[r] = R(0);
#pragma unroll 2
    for (unsigned p = 0; p < k; p++) {
        R br = y[0], bi = y[32];
#pragma unroll
        for (int r = 0; r < MR; r++) {
            R ar = x[r], ai = x[MR + r];
            re[r] = fused(ar, br, re[r]);
            re[r] = fused(-ai, bi, re[r]);
            im[r] = fused(ar, bi, im[r]);
            im[r] = fused(ai, br, im[r]);
        }
        x += 2 * MR;
        y += 64;
    }
#else
#pragma unroll 8
    for (unsigned p = 0; p < k; p++) {
        R v = *y;
#pragma unroll
        for (int r = 0; r < MR; r++) re[r] = fused(x[r], v, re[r]);
        x += MR;
        y += 32;
    }
#endif
    T alpha = scalar(alpha_re, alpha_im), beta = scalar(beta_re, beta_im);
    unsigned j = jp * 32 + lane;
    if (j >= n) return;
#pragma unroll
    for (int r = 0; r < MR; r++) {
        unsigned i = ip * MR + r;
#ifdef COMPLEX
        T sum = {re[r], im[r]};
#else
        T sum = re[r];
#endif
        if (i < m) finish(c + i * ldc + j, sum, alpha, beta);
    }
}

enum { TILE = 64, DEPTH = 16, EACH = 4 };

// tile computes 64 rows and columns with each block of 16 x 16 threads, 4 x 4 elements with each thread; blockIdx.y numbers
// the products of a batch.
extern "C" __global__ void tile(T *c, u64 ldc, u64 c_next, const T *a, u64 a_row, u64 a_col, u64 a_next, int conj_a, const T *b, u64 b_row,
                                u64 b_col, u64 b_next, int conj_b, unsigned m, unsigned n, unsigned k, R alpha_re, R alpha_im, R beta_re,
                                R beta_im, unsigned across) {
    __shared__ T as[DEPTH][TILE], bs[DEPTH][TILE];
    unsigned tx = threadIdx.x & 15, ty = threadIdx.x >> 4;
    cell at = here(across);
    unsigned i0 = at.y * TILE, j0 = at.x * TILE;
    a += blockIdx.y * a_next;
    b += blockIdx.y * b_next;
    c += blockIdx.y * c_next;
    T sum[EACH][EACH];
#pragma unroll
    for (int r = 0; r < EACH; r++)
#pragma unroll
        for (int s = 0; s < EACH; s++) sum[r][s] = zero();
    for (unsigned p0 = 0; p0 < k; p0 += DEPTH) {
        for (unsigned t = threadIdx.x; t < DEPTH * TILE; t += 256) {
            unsigned q = a_col == 1 ? t & 15 : t >> 6, r = a_col == 1 ? t >> 4 : t & 63;
            T x = zero();
            if (i0 + r < m && p0 + q < k) x = a[(i0 + r) * a_row + (p0 + q) * a_col];
            as[q][r] = conj_a ? conjugate(x) : x;
            q = b_row == 1 ? t & 15 : t >> 6;
            r = b_row == 1 ? t >> 4 : t & 63;
            x = zero();
            if (j0 + r < n && p0 + q < k) x = b[(p0 + q) * b_row + (j0 + r) * b_col];
            bs[q][r] = conj_b ? conjugate(x) : x;
        }
        __syncthreads();
        unsigned depth = k - p0 < DEPTH ? k - p0 : DEPTH;
        for (unsigned q = 0; q < depth; q++) {
            T x[EACH], y[EACH];
#pragma unroll
            for (int r = 0; r < EACH; r++) x[r] = as[q][ty + 16 * r];
#pragma unroll
            for (int s = 0; s < EACH; s++) y[s] = bs[q][tx + 16 * s];
#pragma unroll
            for (int r = 0; r < EACH; r++)
#pragma unroll
                for (int s = 0; s < EACH; s++) sum[r][s] = mac(x[r], y[s], sum[r][s]);
        }
        __syncthreads();
    }
    T alpha = scalar(alpha_re, alpha_im), beta = scalar(beta_re, beta_im);
#pragma unroll
    for (int r = 0; r < EACH; r++)
#pragma unroll
        for (int s = 0; s < EACH; s++) {
            unsigned i = i0 + ty + 16 * r, j = j0 + tx + 16 * s;
            if (i < m && j < n) finish(c + i * ldc + j, sum[r][s], alpha, beta);
        }
}

// dots multiplies rows with x, each by one warp: 32 sums of every 32nd product, then a tree.
extern "C" __global__ void dots(T *y, u64 y_step, const T *a, u64 lda, const T *x, u64 x_step, unsigned m, unsigned n, int conj, R alpha_re,
                                R alpha_im, R beta_re, R beta_im) {
    unsigned i = blockIdx.x * (blockDim.x >> 5) + (threadIdx.x >> 5), lane = threadIdx.x & 31;
    if (i >= m) return;
    const T *row = a + i * lda;
    T sum = zero();
    for (unsigned j = lane; j < n; j += 32) {
        T v = row[j];
        if (conj) v = conjugate(v);
        sum = mac(v, x[j * x_step], sum);
    }
#pragma unroll
    for (int d = 16; d > 0; d >>= 1) sum = plus(sum, shuffled(sum, d));
    if (lane == 0) finish(y + i * y_step, sum, scalar(alpha_re, alpha_im), scalar(beta_re, beta_im));
}

enum { CHUNK = 256 };

// columns multiplies the rows of a chunk with elements of x and adds them up, one thread for each column: part[chunk][column].
extern "C" __global__ void columns(T *part, const T *a, u64 lda, const T *x, u64 x_step, unsigned m, unsigned n, int conj,
                                   unsigned across) {
    cell at = here(across);
    unsigned j = at.x * blockDim.x + threadIdx.x;
    if (j >= n) return;
    unsigned i = at.y * CHUNK, end = m - i < CHUNK ? m : i + CHUNK;
    T sum = zero();
    for (; i < end; i++) {
        T v = a[i * lda + j];
        if (conj) v = conjugate(v);
        sum = mac(v, x[i * x_step], sum);
    }
    part[(u64)at.y * n + j] = sum;
}

// add_chunks adds what columns made, in order.
extern "C" __global__ void add_chunks(T *y, u64 y_step, const T *part, unsigned chunks, unsigned n, R alpha_re, R alpha_im, R beta_re,
                                      R beta_im) {
    unsigned j = blockIdx.x * blockDim.x + threadIdx.x;
    if (j >= n) return;
    T sum = zero();
    for (unsigned q = 0; q < chunks; q++) sum = plus(sum, part[(u64)q * n + j]);
    finish(y + j * y_step, sum, scalar(alpha_re, alpha_im), scalar(beta_re, beta_im));
}

// outer adds alpha * x[i] * y[j] to every element; a block does 8 rows of 32 columns … as many as blockDim.x.
extern "C" __global__ void outer(T *a, u64 lda, const T *x, u64 x_step, const T *y, u64 y_step, unsigned m, unsigned n, int conj, R alpha_re,
                                 R alpha_im, unsigned across) {
    cell at = here(across);
    unsigned j = at.x * blockDim.x + threadIdx.x;
    if (j >= n) return;
    T v = y[j * y_step];
    if (conj) v = conjugate(v);
    T alpha = scalar(alpha_re, alpha_im);
    unsigned i = at.y * 8, end = m - i < 8 ? m : i + 8;
    for (; i < end; i++) {
        T f = mac(alpha, x[i * x_step], zero());
        a[i * lda + j] = mac(f, v, a[i * lda + j]);
    }
}
