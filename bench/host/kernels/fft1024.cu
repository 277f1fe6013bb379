// The Fourier transform of 1024 points for each block of 256 threads: five passes of radix 4 after Stockham. w holds
// exp(-2 pi i k / 1024).
__device__ float2 mul(float2 a, float2 b) { return make_float2(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x); }

extern "C" __global__ void fft1024(const float2 *in, float2 *out, const float2 *w) {
	__shared__ float2 s[1024];
	int t = threadIdx.x, base = blockIdx.x * 1024;
	float2 a = in[base + t], b = in[base + t + 256], c = in[base + t + 512], d = in[base + t + 768];
	for (int p = 1;; p *= 4) {
		int k = t & (p - 1), f = k * (256 / p), to = 4 * t - 3 * k;
		b = mul(b, w[f]);
		c = mul(c, w[2 * f]);
		d = mul(d, w[3 * f]);
		float2 ac = make_float2(a.x + c.x, a.y + c.y), am = make_float2(a.x - c.x, a.y - c.y);
		float2 bd = make_float2(b.x + d.x, b.y + d.y), bm = make_float2(b.y - d.y, d.x - b.x);
		a = make_float2(ac.x + bd.x, ac.y + bd.y);
		b = make_float2(am.x + bm.x, am.y + bm.y);
		c = make_float2(ac.x - bd.x, ac.y - bd.y);
		d = make_float2(am.x - bm.x, am.y - bm.y);
		if (p == 256)
			break;
		s[to] = a;
		s[to + p] = b;
		s[to + 2 * p] = c;
		s[to + 3 * p] = d;
		__syncthreads();
		a = s[t];
		b = s[t + 256];
		c = s[t + 512];
		d = s[t + 768];
		__syncthreads();
	}
	out[base + t] = a;
	out[base + t + 256] = b;
	out[base + t + 512] = c;
	out[base + t + 768] = d;
}
