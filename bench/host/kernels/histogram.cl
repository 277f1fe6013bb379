kernel void histogram(int n, global const unsigned *data, global unsigned *bins) {
	local unsigned s[256];
	s[get_local_id(0)] = 0;
	barrier(CLK_LOCAL_MEM_FENCE);
	for (int i = get_global_id(0); i < n; i += get_global_size(0)) {
		unsigned v = data[i];
		atomic_inc(&s[v & 255]);
		atomic_inc(&s[v >> 8 & 255]);
		atomic_inc(&s[v >> 16 & 255]);
		atomic_inc(&s[v >> 24]);
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	atomic_add(&bins[get_local_id(0)], s[get_local_id(0)]);
}
