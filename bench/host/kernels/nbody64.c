#include "c.h"

#ifdef __AVX512F__
typedef __m512d v8;

static inline v8 rsqrt(v8 x) {
	v8 y = _mm512_rsqrt14_pd(x), half = _mm512_mul_pd(x, _mm512_set1_pd(.5));
	for (int i = 0; i < 2; i++) // each step doubles the 14 bits
		y = _mm512_fmadd_pd(y, _mm512_fnmadd_pd(_mm512_mul_pd(half, y), y, _mm512_set1_pd(.5)), y);
	return y;
}

void nbody64(job_t j) {
	int n = I(0);
	const double *p = P(double, 1);
	double *out = P(double, 2);
	PARALLEL
	for (int i0 = 0; i0 < n; i0 += 32) {
		double a[3][32];
		for (int u = 0; u < 32; u += 16) {
			v8 x[2], y[2], z[2], ax[2], ay[2], az[2];
			for (int h = 0; h < 2; h++) {
				__m512i at = _mm512_slli_epi64(_mm512_add_epi64(_mm512_set1_epi64(i0 + u + 8 * h), _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0)), 2);
				x[h] = _mm512_i64gather_pd(at, p, 8);
				y[h] = _mm512_i64gather_pd(at, p + 1, 8);
				z[h] = _mm512_i64gather_pd(at, p + 2, 8);
				ax[h] = ay[h] = az[h] = _mm512_setzero_pd();
			}
			for (int k = 0; k < n; k++)
				for (int h = 0; h < 2; h++) {
					v8 dx = _mm512_sub_pd(_mm512_set1_pd(p[4 * k]), x[h]);
					v8 dy = _mm512_sub_pd(_mm512_set1_pd(p[4 * k + 1]), y[h]);
					v8 dz = _mm512_sub_pd(_mm512_set1_pd(p[4 * k + 2]), z[h]);
					v8 r2 = _mm512_fmadd_pd(dz, dz, _mm512_set1_pd(1e-3));
					v8 inv = rsqrt(_mm512_fmadd_pd(dx, dx, _mm512_fmadd_pd(dy, dy, r2)));
					v8 s = _mm512_mul_pd(_mm512_mul_pd(_mm512_mul_pd(inv, inv), inv), _mm512_set1_pd(p[4 * k + 3]));
					ax[h] = _mm512_fmadd_pd(dx, s, ax[h]);
					ay[h] = _mm512_fmadd_pd(dy, s, ay[h]);
					az[h] = _mm512_fmadd_pd(dz, s, az[h]);
				}
			for (int h = 0; h < 2; h++) {
				_mm512_storeu_pd(a[0] + u + 8 * h, ax[h]);
				_mm512_storeu_pd(a[1] + u + 8 * h, ay[h]);
				_mm512_storeu_pd(a[2] + u + 8 * h, az[h]);
			}
		}
		for (int u = 0; u < 32; u++)
			for (int k = 0; k < 4; k++)
				out[4 * (i0 + u) + k] = k < 3 ? a[k][u] : 0;
	}
}
#else
void nbody64(job_t j) {
	int n = I(0);
	const double *p = P(double, 1);
	double *out = P(double, 2);
	PARALLEL
	for (int i0 = 0; i0 < n; i0 += 16) {
		double ax[16] = {0}, ay[16] = {0}, az[16] = {0};
		for (int k = 0; k < n; k++)
			SIMD
			for (int u = 0; u < 16; u++) {
				const double *b = p + 4 * (i0 + u);
				double dx = p[4 * k] - b[0], dy = p[4 * k + 1] - b[1], dz = p[4 * k + 2] - b[2];
				double inv = 1 / sqrt(dx * dx + dy * dy + dz * dz + 1e-3);
				double s = p[4 * k + 3] * inv * inv * inv;
				ax[u] += dx * s;
				ay[u] += dy * s;
				az[u] += dz * s;
			}
		for (int u = 0; u < 16; u++) {
			double *b = out + 4 * (i0 + u);
			b[0] = ax[u], b[1] = ay[u], b[2] = az[u], b[3] = 0;
		}
	}
}
#endif
