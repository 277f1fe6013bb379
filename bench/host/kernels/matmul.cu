// C = A B for n by n matrices, by tiles of 16 by 16 in shared memory.
extern "C" __global__ void matmul(int n, const float *A, const float *B, float *C) {
	__shared__ float As[16][16], Bs[16][16];
	int tx = threadIdx.x, ty = threadIdx.y;
	int row = blockIdx.y * 16 + ty, col = blockIdx.x * 16 + tx;
	float sum = 0;
	for (int m = 0; m < n / 16; m++) {
		As[ty][tx] = A[row * n + m * 16 + tx];
		Bs[ty][tx] = B[(m * 16 + ty) * n + col];
		__syncthreads();
		for (int k = 0; k < 16; k++)
			sum += As[ty][k] * Bs[k][tx];
		__syncthreads();
	}
	C[row * n + col] = sum;
}
