kernel void bitonic(global const unsigned *in, global unsigned *out) {
	local unsigned s[1024];
	int t = get_local_id(0), base = get_group_id(0) * 1024;
	s[t] = in[base + t];
	s[t + 512] = in[base + t + 512];
	barrier(CLK_LOCAL_MEM_FENCE);
	for (int k = 2; k <= 1024; k <<= 1)
		for (int j = k >> 1; j > 0; j >>= 1) {
			int i = 2 * t - (t & (j - 1));
			unsigned a = s[i], b = s[i + j];
			if ((a > b) == ((i & k) == 0)) {
				s[i] = b;
				s[i + j] = a;
			}
			barrier(CLK_LOCAL_MEM_FENCE);
		}
	out[base + t] = s[t];
	out[base + t + 512] = s[t + 512];
}
