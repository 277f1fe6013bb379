// By tiles of 32 by 32 in shared memory, whose rows are one longer than a row of banks. A block has 32 by 8 threads.
extern "C" __global__ void transpose(int w, int h, const float *in, float *out) {
	__shared__ float tile[32][33];
	int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 32 + threadIdx.y;
	for (int k = 0; k < 32; k += 8)
		tile[threadIdx.y + k][threadIdx.x] = in[(y + k) * w + x];
	__syncthreads();
	x = blockIdx.y * 32 + threadIdx.x;
	y = blockIdx.x * 32 + threadIdx.y;
	for (int k = 0; k < 32; k += 8)
		out[(y + k) * h + x] = tile[threadIdx.x][threadIdx.y + k];
}
