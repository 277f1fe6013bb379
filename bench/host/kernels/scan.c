#include "c.h"

void scan(job_t j) {
	int n = I(0), blocks = j->grid[0];
	const int *in = P(int, 1);
	int *out = P(int, 2), *totals = P(int, 3);
	PARALLEL
	for (int b = 0; b < blocks; b++) {
		_Alignas(64) int s[2][256];
		int now = 0, m = n - b * 256 < 256 ? n - b * 256 : 256;
		for (int t = 0; t < 256; t++)
			s[0][t] = t < m ? in[b * 256 + t] : 0;
		for (int k = 1; k < 256; k <<= 1, now ^= 1) {
			const int *from = s[now];
			int *to = s[now ^ 1];
			SIMD
			for (int t = 0; t < k; t++)
				to[t] = from[t];
			SIMD
			for (int t = k; t < 256; t++)
				to[t] = from[t] + from[t - k];
		}
		for (int t = 0; t < m; t++)
			out[b * 256 + t] = s[now][t];
		totals[b] = s[now][255];
	}
}

void scan_best(job_t j) {
	int n = I(0), blocks = j->grid[0];
	const int *in = P(int, 1);
	int *out = P(int, 2), *totals = P(int, 3);
	PARALLEL
	for (int b = 0; b < blocks; b++) {
		int sum = 0, end = n < b * 256 + 256 ? n : b * 256 + 256;
		for (int i = b * 256; i < end; i++)
			out[i] = sum += in[i];
		totals[b] = sum;
	}
}
