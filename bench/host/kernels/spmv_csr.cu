// y = A x for a sparse matrix in compressed rows, one thread for each row.
extern "C" __global__ void spmv_csr(int rows, const int *start, const int *column, const float *value, const float *x, float *y) {
	int i = blockIdx.x * blockDim.x + threadIdx.x;
	if (i >= rows)
		return;
	float sum = 0;
	for (int k = start[i]; k < start[i + 1]; k++)
		sum += value[k] * x[column[k]];
	y[i] = sum;
}
