#include "c.h"

void conv1d(job_t j) {
	int n = I(0);
	const float *in = P(float, 1), *taps = P(float, 3);
	float *out = P(float, 2);
	PRAGMA(omp parallel for simd schedule(static))
	for (int i = 0; i < n; i++) {
		float sum = 0;
#pragma GCC unroll 33
		for (int k = 0; k < 33; k++)
			sum += taps[k] * in[i + k];
		out[i] = sum;
	}
}
