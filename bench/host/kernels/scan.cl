kernel void scan(int n, global const int *in, global int *out, global int *totals) {
	local int s[2][256];
	int t = get_local_id(0), i = get_global_id(0), now = 0;
	s[0][t] = i < n ? in[i] : 0;
	barrier(CLK_LOCAL_MEM_FENCE);
	for (int k = 1; k < 256; k <<= 1) {
		int v = s[now][t];
		if (t >= k)
			v += s[now][t - k];
		now ^= 1;
		s[now][t] = v;
		barrier(CLK_LOCAL_MEM_FENCE);
	}
	if (i < n)
		out[i] = s[now][t];
	if (t == 255)
		totals[get_group_id(0)] = s[now][t];
}
