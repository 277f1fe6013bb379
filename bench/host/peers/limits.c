// What the machine can do at most: copying memory, and fused multiply-adds.
#include "c.h"

// n floats from a to b. The best form does not read what it is about to overwrite.
void copy(job_t j) {
	int n = I(0);
	const float *a = P(float, 1);
	float *b = P(float, 2);
	PRAGMA(omp parallel for simd schedule(static))
	for (int i = 0; i < n; i++)
		b[i] = a[i];
}

#ifdef __AVX512F__
void copy_best(job_t j) {
	int n = I(0);
	const float *a = P(float, 1);
	float *b = P(float, 2);
	PARALLEL
	for (int i = 0; i < n; i += 16)
		_mm512_stream_ps(b + i, _mm512_loadu_ps(a + i));
}
#endif

// Twelve chains of vectors of 16 floats, steps times, in each of n threads.
void peak(job_t j) {
	int n = I(0), steps = I(1);
	const float *in = P(float, 2);
	float *out = P(float, 3);
	typedef float vector __attribute__((vector_size(64)));
	PARALLEL
	for (int t = 0; t < n; t++) {
		vector c[12], a, b;
		for (int i = 0; i < 16; i++)
			a[i] = in[i] * 0.5f, b[i] = in[16 + i];
		for (int i = 0; i < 12; i++)
			c[i] = b + (float)i;
		for (int s = 0; s < steps; s++)
#pragma GCC unroll 12
			for (int i = 0; i < 12; i++)
				c[i] = c[i] * a + b;
		vector sum = c[0];
		for (int i = 1; i < 12; i++)
			sum += c[i];
		for (int i = 0; i < 16; i++)
			out[16 * t + i] = sum[i];
	}
}
