// The value of European options. The normal distribution is formula 26.2.17 of Abramowitz and Stegun.
__device__ float normal(float d) {
	float k = 1.0f / (1.0f + 0.2316419f * fabsf(d));
	float p = 0.39894228f * expf(-0.5f * d * d) *
		(k * (0.31938153f + k * (-0.356563782f + k * (1.781477937f + k * (-1.821255978f + k * 1.330274429f)))));
	return d > 0 ? 1.0f - p : p;
}

extern "C" __global__ void blackscholes(int n, float rate, float volatility, const float *price, const float *strike,
	const float *years, float *call, float *put) {
	int i = blockIdx.x * blockDim.x + threadIdx.x;
	if (i >= n)
		return;
	float s = price[i], x = strike[i], t = years[i];
	float root = sqrtf(t);
	float d1 = (logf(s / x) + (rate + 0.5f * volatility * volatility) * t) / (volatility * root);
	float d2 = d1 - volatility * root;
	float n1 = normal(d1), n2 = normal(d2);
	float discounted = x * expf(-rate * t);
	call[i] = s * n1 - discounted * n2;
	put[i] = discounted * (1.0f - n2) - s * (1.0f - n1);
}
