kernel void reduce(int n, global const float *in, global float *out) {
	local float s[256];
	int t = get_local_id(0), i = get_global_id(0);
	s[t] = i < n ? in[i] : 0;
	barrier(CLK_LOCAL_MEM_FENCE);
	for (int k = 128; k > 0; k >>= 1) {
		if (t < k)
			s[t] += s[t + k];
		barrier(CLK_LOCAL_MEM_FENCE);
	}
	if (t == 0)
		out[get_group_id(0)] = s[0];
}
