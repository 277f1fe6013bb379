#include "c.h"

void vecadd(job_t j) {
	int n = I(0);
	const float *a = P(float, 1), *b = P(float, 2);
	float *c = P(float, 3);
	PRAGMA(omp parallel for simd schedule(static))
	for (int i = 0; i < n; i++)
		c[i] = a[i] + b[i];
}

#ifdef __AVX512F__
// Stores that do not read the line first.
void vecadd_best(job_t j) {
	int n = I(0), whole = n / 16 * 16;
	const float *a = P(float, 1), *b = P(float, 2);
	float *c = P(float, 3);
	PRAGMA(omp parallel for schedule(static))
	for (int i = 0; i < whole; i += 16)
		_mm512_stream_ps(c + i, _mm512_add_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i)));
	for (int i = whole; i < n; i++)
		c[i] = a[i] + b[i];
}
#endif
