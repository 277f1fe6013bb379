// Two arrays of different types carved out of dynamic shared memory.
extern "C" __global__ void dynamic_shared(double *means, int *ranks, const double *x, int n) {
    extern __shared__ unsigned char raw[];
    double *v = (double *)raw;
    int *rank = (int *)(v + n);
    int t = threadIdx.x;
    if (t < n) {
        v[t] = x[blockIdx.x * n + t];
        rank[t] = 0;
    }
    __syncthreads();
    if (t < n) {
        for (int j = 0; j < n; j++)
            if (v[j] < v[t] || (v[j] == v[t] && j < t)) rank[t]++;
    }
    __syncthreads();
    if (t < n) ranks[blockIdx.x * n + t] = rank[t];
    if (t == 0) {
        double sum = 0.0;
        for (int j = 0; j < n; j++) sum += v[j];
        means[blockIdx.x] = sum / n;
    }
}
