kernel void matmul(int n, global const float *A, global const float *B, global float *C) {
	local float As[16][16], Bs[16][16];
	int tx = get_local_id(0), ty = get_local_id(1);
	int row = get_group_id(1) * 16 + ty, col = get_group_id(0) * 16 + tx;
	float sum = 0;
	for (int m = 0; m < n / 16; m++) {
		As[ty][tx] = A[row * n + m * 16 + tx];
		Bs[ty][tx] = B[(m * 16 + ty) * n + col];
		barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
		for (int k = 0; k < 16; k++)
			sum = fma(As[ty][k], Bs[k][tx], sum);
		barrier(CLK_LOCAL_MEM_FENCE);
	}
	C[row * n + col] = sum;
}
