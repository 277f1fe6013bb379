#include "c.h"

void histogram(job_t j) {
	int n = I(0), blocks = j->grid[0];
	const unsigned *data = P(unsigned, 1);
	unsigned *bins = P(unsigned, 2);
	PARALLEL
	for (int b = 0; b < blocks; b++) {
		unsigned s[256] = {0};
		for (int i = b * 256; i < n; i += blocks * 256)
			for (int t = i; t < i + 256 && t < n; t++) {
				unsigned v = data[t];
				s[v & 255]++;
				s[v >> 8 & 255]++;
				s[v >> 16 & 255]++;
				s[v >> 24]++;
			}
		for (int t = 0; t < 256; t++)
			__atomic_fetch_add(&bins[t], s[t], __ATOMIC_RELAXED);
	}
}

// Four tables, so that equal bytes in a word do not wait for each other; contiguous parts.
void histogram_best(job_t j) {
	int n = I(0);
	const unsigned *data = P(unsigned, 1);
	unsigned *bins = P(unsigned, 2);
	PRAGMA(omp parallel)
	{
		unsigned s[4][256] = {0};
		PRAGMA(omp for schedule(static))
		for (int i = 0; i < n; i++) {
			unsigned v = data[i];
			s[0][v & 255]++;
			s[1][v >> 8 & 255]++;
			s[2][v >> 16 & 255]++;
			s[3][v >> 24]++;
		}
		for (int t = 0; t < 256; t++)
			__atomic_fetch_add(&bins[t], s[0][t] + s[1][t] + s[2][t] + s[3][t], __ATOMIC_RELAXED);
	}
}
