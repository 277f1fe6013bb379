#include "c.h"

struct points {
	_Alignas(64) float x[1024], y[1024];
};

// One butterfly of radix 4; the results go to places that are p apart.
#define BUTTERFLY(t, to)                                                            \
	do {                                                                            \
		float ax = s->x[t], ay = s->y[t];                                           \
		float bx = s->x[t + 256] * w->x[f] - s->y[t + 256] * w->y[f];               \
		float by = s->x[t + 256] * w->y[f] + s->y[t + 256] * w->x[f];               \
		float cx = s->x[t + 512] * w->x[2 * f] - s->y[t + 512] * w->y[2 * f];       \
		float cy = s->x[t + 512] * w->y[2 * f] + s->y[t + 512] * w->x[2 * f];       \
		float dx = s->x[t + 768] * w->x[3 * f] - s->y[t + 768] * w->y[3 * f];       \
		float dy = s->x[t + 768] * w->y[3 * f] + s->y[t + 768] * w->x[3 * f];       \
		float px = ax + cx, py = ay + cy, mx = ax - cx, my = ay - cy;               \
		float qx = bx + dx, qy = by + dy, nx = by - dy, ny = dx - bx;               \
		d->x[to] = px + qx, d->y[to] = py + qy;                                     \
		d->x[to + p] = mx + nx, d->y[to + p] = my + ny;                             \
		d->x[to + 2 * p] = px - qx, d->y[to + 2 * p] = py - qy;                     \
		d->x[to + 3 * p] = mx - nx, d->y[to + 3 * p] = my - ny;                     \
	} while (0)

static inline void pass(int p, const struct points *restrict s, struct points *restrict d, const struct points *restrict w) {
	if (p < 16) {
		SIMD
		for (int t = 0; t < 256; t++) {
			int k = t & (p - 1), f = k * (256 / p), to = 4 * t - 3 * k;
			BUTTERFLY(t, to);
		}
		return;
	}
	for (int t0 = 0; t0 < 256; t0 += p)
		SIMD
		for (int k = 0; k < p; k++) {
			int t = t0 + k, f = k * (256 / p), to = 4 * t0 + k;
			BUTTERFLY(t, to);
		}
}

void fft1024(job_t j) {
	int blocks = j->grid[0];
	const float *in = P(float, 0), *table = P(float, 2);
	float *out = P(float, 1);
	static struct points w;
	for (int k = 0; k < 1024; k++)
		w.x[k] = table[2 * k], w.y[k] = table[2 * k + 1];
	PARALLEL
	for (int b = 0; b < blocks; b++) {
		struct points s, d;
		for (int i = 0; i < 1024; i++)
			s.x[i] = in[(size_t)b * 2048 + 2 * i], s.y[i] = in[(size_t)b * 2048 + 2 * i + 1];
		pass(1, &s, &d, &w);
		pass(4, &d, &s, &w);
		pass(16, &s, &d, &w);
		pass(64, &d, &s, &w);
		pass(256, &s, &d, &w);
		for (int i = 0; i < 1024; i++)
			out[(size_t)b * 2048 + 2 * i] = d.x[i], out[(size_t)b * 2048 + 2 * i + 1] = d.y[i];
	}
}
