float2 mul(float2 a, float2 b) { return (float2)(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x); }

kernel void fft1024(global const float2 *in, global float2 *out, global const float2 *w) {
	local float2 s[1024];
	int t = get_local_id(0), base = get_group_id(0) * 1024;
	float2 a = in[base + t], b = in[base + t + 256], c = in[base + t + 512], d = in[base + t + 768];
	for (int p = 1; p <= 256; p *= 4) {
		if (p > 1) {
			a = s[t];
			b = s[t + 256];
			c = s[t + 512];
			d = s[t + 768];
			barrier(CLK_LOCAL_MEM_FENCE);
		}
		int k = t & (p - 1), f = k * (256 / p), to = 4 * t - 3 * k;
		b = mul(b, w[f]);
		c = mul(c, w[2 * f]);
		d = mul(d, w[3 * f]);
		float2 ac = a + c, am = a - c, bd = b + d, bm = (float2)(b.y - d.y, d.x - b.x);
		s[to] = ac + bd;
		s[to + p] = am + bm;
		s[to + 2 * p] = ac - bd;
		s[to + 3 * p] = am - bm;
		barrier(CLK_LOCAL_MEM_FENCE);
	}
	for (int i = 0; i < 1024; i += 256)
		out[base + t + i] = s[t + i];
}
