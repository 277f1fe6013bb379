// How often each byte occurs. n is the number of words of four bytes.
extern "C" __global__ void histogram(int n, const unsigned *data, unsigned *bins) {
	__shared__ unsigned s[256];
	s[threadIdx.x] = 0;
	__syncthreads();
	for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
		unsigned v = data[i];
		atomicAdd(&s[v & 255], 1);
		atomicAdd(&s[v >> 8 & 255], 1);
		atomicAdd(&s[v >> 16 & 255], 1);
		atomicAdd(&s[v >> 24], 1);
	}
	__syncthreads();
	atomicAdd(&bins[threadIdx.x], s[threadIdx.x]);
}
