// The running sums of each 256 elements, after Hillis and Steele, and their totals.
extern "C" __global__ void scan(int n, const int *in, int *out, int *totals) {
	__shared__ int s[2][256];
	int t = threadIdx.x, i = blockIdx.x * 256 + t, now = 0;
	s[0][t] = i < n ? in[i] : 0;
	__syncthreads();
	for (int k = 1; k < 256; k <<= 1) {
		int v = s[now][t];
		if (t >= k)
			v += s[now][t - k];
		now ^= 1;
		s[now][t] = v;
		__syncthreads();
	}
	if (i < n)
		out[i] = s[now][t];
	if (t == 255)
		totals[blockIdx.x] = s[now][t];
}
