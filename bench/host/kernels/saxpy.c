#include "c.h"

void saxpy(job_t j) {
	int n = I(0);
	float a = F(1);
	const float *x = P(float, 2);
	float *y = P(float, 3);
	PRAGMA(omp parallel for simd schedule(static))
	for (int i = 0; i < n; i++)
		y[i] = a * x[i] + y[i];
}
