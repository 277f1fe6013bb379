kernel void transpose(int w, int h, global const float *in, global float *out) {
	local float tile[32][33];
	int tx = get_local_id(0), ty = get_local_id(1);
	int x = get_group_id(0) * 32 + tx, y = get_group_id(1) * 32 + ty;
#pragma unroll
	for (int k = 0; k < 32; k += 8)
		tile[ty + k][tx] = in[(y + k) * w + x];
	barrier(CLK_LOCAL_MEM_FENCE);
	x = get_group_id(1) * 32 + tx;
	y = get_group_id(0) * 32 + ty;
#pragma unroll
	for (int k = 0; k < 32; k += 8)
		out[(y + k) * h + x] = tile[tx][ty + k];
}
