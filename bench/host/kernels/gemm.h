// The best that we can do for C = A B: 8 by 32 elements of C in registers, panels of B packed.
static void gemm(int n, const float *A, const float *B, float *C) {
	PRAGMA(omp parallel)
	{
		float *panel = aligned_alloc(64, (size_t)n * 32 * sizeof(float));
		PRAGMA(omp for schedule(static))
		for (int j0 = 0; j0 < n; j0 += 32) {
			for (int k = 0; k < n; k++)
				memcpy(panel + 32 * k, B + (size_t)k * n + j0, 32 * sizeof(float));
			for (int i0 = 0; i0 < n; i0 += 8) {
				typedef float row __attribute__((vector_size(64), aligned(4)));
				row c[8][2] = {0};
				const row *b = (const row *)panel;
				for (int k = 0; k < n; k++)
#pragma GCC unroll 8
					for (int r = 0; r < 8; r++) {
						float a = A[(size_t)(i0 + r) * n + k];
						c[r][0] += a * b[2 * k];
						c[r][1] += a * b[2 * k + 1];
					}
				for (int r = 0; r < 8; r++) {
					row *to = (row *)(C + (size_t)(i0 + r) * n + j0);
					to[0] = c[r][0];
					to[1] = c[r][1];
				}
			}
		}
		free(panel);
	}
}
