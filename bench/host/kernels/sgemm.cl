kernel void sgemm(int n, global const float *A, global const float *B, global float *C) {
	local float As[16][64], Bs[16][64];
	int tx = get_local_id(0), ty = get_local_id(1), t = ty * 16 + tx;
	int row = get_group_id(1) * 64, col = get_group_id(0) * 64;
	float c[4][4];
#pragma unroll
	for (int i = 0; i < 4; i++)
#pragma unroll
		for (int l = 0; l < 4; l++)
			c[i][l] = 0;
	for (int m = 0; m < n; m += 16) {
#pragma unroll
		for (int i = 0; i < 4; i++) {
			int e = t + 256 * i;
			As[e % 16][e / 16] = A[(row + e / 16) * n + m + e % 16];
			Bs[e / 64][e % 64] = B[(m + e / 64) * n + col + e % 64];
		}
		barrier(CLK_LOCAL_MEM_FENCE);
		for (int k = 0; k < 16; k++) {
			float a[4], b[4];
#pragma unroll
			for (int i = 0; i < 4; i++) {
				a[i] = As[k][ty + 16 * i];
				b[i] = Bs[k][tx + 16 * i];
			}
#pragma unroll
			for (int i = 0; i < 4; i++)
#pragma unroll
				for (int l = 0; l < 4; l++)
					c[i][l] = fma(a[i], b[l], c[i][l]);
		}
		barrier(CLK_LOCAL_MEM_FENCE);
	}
#pragma unroll
	for (int i = 0; i < 4; i++)
#pragma unroll
		for (int l = 0; l < 4; l++)
			C[(row + ty + 16 * i) * n + col + tx + 16 * l] = c[i][l];
}
