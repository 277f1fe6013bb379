#include "c.h"

#ifdef __AVX512F__
// gcc vectorises the inner loop, with sums across lanes and gathered positions; 32 bodies at once are better.
void nbody(job_t j) {
	int n = I(0);
	const float *p = P(float, 1);
	float *out = P(float, 2);
	PARALLEL
	for (int i0 = 0; i0 < n; i0 += 32) {
		__m512 xi[2], yi[2], zi[2], ax[2], ay[2], az[2];
		__m512i at = _mm512_set_epi32(60, 56, 52, 48, 44, 40, 36, 32, 28, 24, 20, 16, 12, 8, 4, 0);
		for (int u = 0; u < 2; u++) {
			const float *b = p + 4 * (i0 + 16 * u);
			xi[u] = _mm512_i32gather_ps(at, b, 4);
			yi[u] = _mm512_i32gather_ps(at, b + 1, 4);
			zi[u] = _mm512_i32gather_ps(at, b + 2, 4);
			ax[u] = ay[u] = az[u] = _mm512_setzero_ps();
		}
		for (int k = 0; k < n; k++)
			for (int u = 0; u < 2; u++) {
				__m512 dx = _mm512_sub_ps(_mm512_set1_ps(p[4 * k]), xi[u]);
				__m512 dy = _mm512_sub_ps(_mm512_set1_ps(p[4 * k + 1]), yi[u]);
				__m512 dz = _mm512_sub_ps(_mm512_set1_ps(p[4 * k + 2]), zi[u]);
				__m512 r2 = _mm512_fmadd_ps(dz, dz, _mm512_set1_ps(1e-3f));
				r2 = _mm512_fmadd_ps(dx, dx, _mm512_fmadd_ps(dy, dy, r2));
				__m512 y = _mm512_rsqrt14_ps(r2);
				__m512 e = _mm512_fnmadd_ps(_mm512_mul_ps(r2, y), y, _mm512_set1_ps(1));
				y = _mm512_fmadd_ps(_mm512_mul_ps(y, _mm512_set1_ps(.5f)), e, y);
				__m512 s = _mm512_mul_ps(_mm512_mul_ps(_mm512_mul_ps(y, y), y), _mm512_set1_ps(p[4 * k + 3]));
				ax[u] = _mm512_fmadd_ps(dx, s, ax[u]);
				ay[u] = _mm512_fmadd_ps(dy, s, ay[u]);
				az[u] = _mm512_fmadd_ps(dz, s, az[u]);
			}
		for (int u = 0; u < 2; u++) {
			float *b = out + 4 * (i0 + 16 * u);
			_mm512_i32scatter_ps(b, at, ax[u], 4);
			_mm512_i32scatter_ps(b + 1, at, ay[u], 4);
			_mm512_i32scatter_ps(b + 2, at, az[u], 4);
			_mm512_i32scatter_ps(b + 3, at, _mm512_setzero_ps(), 4);
		}
	}
}
#else
void nbody(job_t j) {
	int n = I(0);
	const float *p = P(float, 1);
	float *out = P(float, 2);
	PARALLEL
	for (int i0 = 0; i0 < n; i0 += 32) {
		float ax[32] = {0}, ay[32] = {0}, az[32] = {0};
		for (int k = 0; k < n; k++)
			SIMD
			for (int u = 0; u < 32; u++) {
				const float *b = p + 4 * (i0 + u);
				float dx = p[4 * k] - b[0], dy = p[4 * k + 1] - b[1], dz = p[4 * k + 2] - b[2];
				float r2 = dx * dx + dy * dy + dz * dz + 1e-3f;
				float inv = 1 / sqrtf(r2);
				float s = p[4 * k + 3] * inv * inv * inv;
				ax[u] += dx * s;
				ay[u] += dy * s;
				az[u] += dz * s;
			}
		for (int u = 0; u < 32; u++) {
			float *b = out + 4 * (i0 + u);
			b[0] = ax[u], b[1] = ay[u], b[2] = az[u], b[3] = 0;
		}
	}
}
#endif
