#include "c.h"

#ifdef __AVX512F__
// gcc does not vectorise a loop that ends at another time in each lane.
void mandelbrot(job_t j) {
	int w = I(0), h = I(1), limit = I(2);
	float x0 = F(3), y0 = F(4), dx = F(5), dy = F(6);
	int *out = P(int, 7);
	PRAGMA(omp parallel for schedule(dynamic, 16))
	for (int py = 0; py < h; py++)
		for (int px = 0; px < w; px += 32) {
			__m512 cx[2], x[2], y[2], x2[2], y2[2], cy = _mm512_set1_ps(y0 + py * dy);
			__m512 lane = _mm512_set_ps(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
			__m512i n[2];
			__mmask16 k[2];
			for (int u = 0; u < 2; u++) {
				cx[u] = _mm512_fmadd_ps(_mm512_add_ps(lane, _mm512_set1_ps(px + 16 * u)), _mm512_set1_ps(dx), _mm512_set1_ps(x0));
				x[u] = y[u] = x2[u] = y2[u] = _mm512_setzero_ps();
				n[u] = _mm512_setzero_si512();
				k[u] = 0xffff;
			}
			for (int i = 0; i < limit; i++) {
				int any = 0;
				for (int u = 0; u < 2; u++) {
					__m512 t = _mm512_add_ps(_mm512_sub_ps(x2[u], y2[u]), cx[u]);
					y[u] = _mm512_fmadd_ps(_mm512_add_ps(x[u], x[u]), y[u], cy);
					x[u] = t;
					n[u] = _mm512_mask_add_epi32(n[u], k[u], n[u], _mm512_set1_epi32(1));
					x2[u] = _mm512_mul_ps(x[u], x[u]);
					y2[u] = _mm512_mul_ps(y[u], y[u]);
					k[u] = _mm512_mask_cmp_ps_mask(k[u], _mm512_add_ps(x2[u], y2[u]), _mm512_set1_ps(4), _CMP_LE_OS);
					any |= k[u];
				}
				if (!any)
					break;
			}
			for (int u = 0; u < 2; u++)
				_mm512_storeu_si512(out + py * w + px + 16 * u, n[u]);
		}
}
#else
void mandelbrot(job_t j) {
	int w = I(0), h = I(1), limit = I(2);
	float x0 = F(3), y0 = F(4), dx = F(5), dy = F(6);
	int *out = P(int, 7);
	PRAGMA(omp parallel for schedule(dynamic, 16))
	for (int py = 0; py < h; py++)
		for (int px = 0; px < w; px++) {
			float cx = x0 + px * dx, cy = y0 + py * dy, x = 0, y = 0;
			int i = 0;
			while (i < limit && x * x + y * y <= 4.0f) {
				float t = x * x - y * y + cx;
				y = 2 * x * y + cy;
				x = t;
				i++;
			}
			out[py * w + px] = i;
		}
}
#endif
