// Sorts each 1024 keys by Batcher's bitonic network, with 512 threads.
extern "C" __global__ void bitonic(const unsigned *in, unsigned *out) {
	__shared__ unsigned s[1024];
	int t = threadIdx.x, base = blockIdx.x * 1024;
	s[t] = in[base + t];
	s[t + 512] = in[base + t + 512];
	__syncthreads();
	for (int k = 2; k <= 1024; k <<= 1)
		for (int j = k >> 1; j > 0; j >>= 1) {
			int i = 2 * t - (t & (j - 1));
			unsigned a = s[i], b = s[i + j];
			if ((a > b) == ((i & k) == 0)) {
				s[i] = b;
				s[i + j] = a;
			}
			__syncthreads();
		}
	out[base + t] = s[t];
	out[base + t + 512] = s[t + 512];
}
