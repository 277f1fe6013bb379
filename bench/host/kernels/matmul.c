#include "c.h"
#include "gemm.h"

// The tiles of the kernel; a row of a tile is a vector, and the 16 sums of a block are in registers.
void matmul(job_t j) {
	int n = I(0), side = n / 16;
	const float *A = P(float, 1), *B = P(float, 2);
	float *C = P(float, 3);
	typedef float row __attribute__((vector_size(64), aligned(4)));
	PARALLEL
	for (int b = 0; b < side * side; b++) {
		int y = b / side * 16, x = b % side * 16;
		_Alignas(64) float As[16][16], Bs[16][16];
		row sum[16] = {0};
		for (int m = 0; m < side; m++) {
			for (int t = 0; t < 16; t++) {
				*(row *)As[t] = *(const row *)(A + (size_t)(y + t) * n + m * 16);
				*(row *)Bs[t] = *(const row *)(B + (size_t)(m * 16 + t) * n + x);
			}
			for (int k = 0; k < 16; k++) {
				row v = *(const row *)Bs[k];
#pragma GCC unroll 16
				for (int t = 0; t < 16; t++)
					sum[t] += As[t][k] * v;
			}
		}
		for (int t = 0; t < 16; t++)
			*(row *)(C + (size_t)(y + t) * n + x) = sum[t];
	}
}

void matmul_best(job_t j) { gemm(I(0), P(float, 1), P(float, 2), P(float, 3)); }
