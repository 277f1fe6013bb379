kernel void conv1d(int n, global const float *in, global float *out, constant float *taps) {
	int i = get_global_id(0);
	if (i >= n)
		return;
	float sum = 0;
#pragma unroll
	for (int k = 0; k < 33; k++)
		sum = fma(taps[k], in[i + k], sum);
	out[i] = sum;
}
