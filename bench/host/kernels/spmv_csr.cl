kernel void spmv_csr(int rows, global const int *start, global const int *column, global const float *value,
	global const float *x, global float *y) {
	int i = get_global_id(0);
	if (i >= rows)
		return;
	float sum = 0;
	for (int k = start[i]; k < start[i + 1]; k++)
		sum = fma(value[k], x[column[k]], sum);
	y[i] = sum;
}
