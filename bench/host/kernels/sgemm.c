#include "c.h"
#include "gemm.h"

// The tiles of the kernel. What the 16 threads of a row keep are 16 vectors, in registers between two barriers.
void sgemm(job_t j) {
	int n = I(0), side = n / 64;
	const float *A = P(float, 1), *B = P(float, 2);
	float *C = P(float, 3);
	typedef float row __attribute__((vector_size(64), aligned(4)));
	PARALLEL
	for (int b = 0; b < side * side; b++) {
		int y = b / side * 64, x = b % side * 64;
		_Alignas(64) float As[16][64], Bs[16][64], Cs[64][64] = {0};
		for (int m = 0; m < n; m += 16) {
			for (int r = 0; r < 64; r++)
				for (int k = 0; k < 16; k++)
					As[k][r] = A[(size_t)(y + r) * n + m + k];
			for (int k = 0; k < 16; k++)
				memcpy(Bs[k], B + (size_t)(m + k) * n + x, sizeof Bs[k]);
			for (int ty = 0; ty < 16; ty++) {
				row c[4][4];
				for (int i = 0; i < 4; i++)
					memcpy(c[i], Cs[ty + 16 * i], sizeof c[i]);
				for (int k = 0; k < 16; k++) {
					const row *v = (const row *)Bs[k];
#pragma GCC unroll 4
					for (int i = 0; i < 4; i++)
#pragma GCC unroll 4
						for (int l = 0; l < 4; l++)
							c[i][l] += As[k][ty + 16 * i] * v[l];
				}
				for (int i = 0; i < 4; i++)
					memcpy(Cs[ty + 16 * i], c[i], sizeof c[i]);
			}
		}
		for (int r = 0; r < 64; r++)
			memcpy(C + (size_t)(y + r) * n + x, Cs[r], sizeof Cs[r]);
	}
}

void sgemm_best(job_t j) { gemm(I(0), P(float, 1), P(float, 2), P(float, 3)); }
