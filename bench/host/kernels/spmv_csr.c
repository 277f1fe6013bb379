#include "c.h"

void spmv_csr(job_t j) {
	int rows = I(0);
	const int *start = P(int, 1), *column = P(int, 2);
	const float *value = P(float, 3), *x = P(float, 4);
	float *y = P(float, 5);
	PARALLEL
	for (int i = 0; i < rows; i++) {
		float sum = 0;
		for (int k = start[i]; k < start[i + 1]; k++)
			sum += value[k] * x[column[k]];
		y[i] = sum;
	}
}
