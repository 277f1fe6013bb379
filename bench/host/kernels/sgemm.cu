// C = A B by tiles of 64 by 64; a block has 16 by 16 threads, and each keeps 4 by 4 elements in registers.
extern "C" __global__ void sgemm(int n, const float *A, const float *B, float *C) {
	__shared__ float As[16][64], Bs[16][64];
	int tx = threadIdx.x, ty = threadIdx.y, t = ty * 16 + tx;
	int row = blockIdx.y * 64, col = blockIdx.x * 64;
	float c[4][4] = {};
	for (int m = 0; m < n; m += 16) {
		for (int i = 0; i < 4; i++) {
			int e = t + 256 * i;
			As[e % 16][e / 16] = A[(row + e / 16) * n + m + e % 16];
			Bs[e / 64][e % 64] = B[(m + e / 64) * n + col + e % 64];
		}
		__syncthreads();
		for (int k = 0; k < 16; k++) {
			float a[4], b[4];
			for (int i = 0; i < 4; i++) {
				a[i] = As[k][ty + 16 * i];
				b[i] = Bs[k][tx + 16 * i];
			}
			for (int i = 0; i < 4; i++)
				for (int l = 0; l < 4; l++)
					c[i][l] += a[i] * b[l];
		}
		__syncthreads();
	}
	for (int i = 0; i < 4; i++)
		for (int l = 0; l < 4; l++)
			C[(row + ty + 16 * i) * n + col + tx + 16 * l] = c[i][l];
}
