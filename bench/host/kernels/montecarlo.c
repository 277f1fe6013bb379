#include "c.h"

// gcc vectorises the sum over the steps, whose numbers depend on each other, not at all; 32 threads at once it does.
void montecarlo(job_t j) {
	int n = I(0), steps = I(1);
	unsigned seed = I(2);
	float *out = P(float, 3);
	PARALLEL
	for (int i0 = 0; i0 < n; i0 += 32) {
		unsigned s[32];
		float sum[32] = {0};
		for (int t = 0; t < 32; t++)
			s[t] = (seed ^ (unsigned)(i0 + t) * 2654435761u) | 1;
		for (int k = 0; k < steps; k++)
			SIMD
			for (int t = 0; t < 32; t++) {
				unsigned v = s[t];
				v ^= v << 13;
				v ^= v >> 17;
				v ^= v << 5;
				s[t] = v;
				float u = (int)(v >> 8) * (1.0f / 16777216);
				sum[t] += expf(-u * u);
			}
		for (int t = 0; t < 32 && i0 + t < n; t++)
			out[i0 + t] = sum[t] / steps;
	}
}
