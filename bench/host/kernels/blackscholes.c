#include "c.h"

static inline float normal(float d) {
	float k = 1.0f / (1.0f + 0.2316419f * fabsf(d));
	float p = 0.39894228f * expf(-0.5f * d * d) *
		(k * (0.31938153f + k * (-0.356563782f + k * (1.781477937f + k * (-1.821255978f + k * 1.330274429f)))));
	return d > 0 ? 1.0f - p : p;
}

// With -ffast-math gcc takes expf and logf from glibc's vector library.
void blackscholes(job_t j) {
	int n = I(0);
	float rate = F(1), volatility = F(2);
	const float *price = P(float, 3), *strike = P(float, 4), *years = P(float, 5);
	float *call = P(float, 6), *put = P(float, 7);
	PRAGMA(omp parallel for simd schedule(static))
	for (int i = 0; i < n; i++) {
		float s = price[i], x = strike[i], t = years[i];
		float root = sqrtf(t);
		float d1 = (logf(s / x) + (rate + 0.5f * volatility * volatility) * t) / (volatility * root);
		float d2 = d1 - volatility * root;
		float n1 = normal(d1), n2 = normal(d2);
		float discounted = x * expf(-rate * t);
		call[i] = s * n1 - discounted * n2;
		put[i] = discounted * (1.0f - n2) - s * (1.0f - n1);
	}
}
