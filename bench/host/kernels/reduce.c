#include "c.h"

void reduce(job_t j) {
	int n = I(0), blocks = j->grid[0];
	const float *in = P(float, 1);
	float *out = P(float, 2);
	PARALLEL
	for (int b = 0; b < blocks; b++) {
		_Alignas(64) float s[256];
		for (int t = 0; t < 256; t++)
			s[t] = b * 256 + t < n ? in[b * 256 + t] : 0;
		for (int k = 128; k > 0; k >>= 1)
			SIMD
			for (int t = 0; t < k; t++)
				s[t] += s[t + k];
		out[b] = s[0];
	}
}

// Sums in registers.
void reduce_best(job_t j) {
	int n = I(0), blocks = j->grid[0];
	const float *in = P(float, 1);
	float *out = P(float, 2);
	PARALLEL
	for (int b = 0; b < blocks; b++) {
		float s = 0;
		int end = n < b * 256 + 256 ? n : b * 256 + 256;
		PRAGMA(omp simd reduction(+ : s))
		for (int i = b * 256; i < end; i++)
			s += in[i];
		out[b] = s;
	}
}
