float normal(float d) {
	float k = 1.0f / (1.0f + 0.2316419f * fabs(d));
	float p = 0.39894228f * exp(-0.5f * d * d) *
		(k * fma(k, fma(k, fma(k, fma(k, 1.330274429f, -1.821255978f), 1.781477937f), -0.356563782f), 0.31938153f));
	return d > 0 ? 1.0f - p : p;
}

kernel void blackscholes(int n, float rate, float volatility, global const float *price, global const float *strike,
	global const float *years, global float *call, global float *put) {
	int i = get_global_id(0);
	if (i >= n)
		return;
	float s = price[i], x = strike[i], t = years[i];
	float root = sqrt(t);
	float d1 = (log(s / x) + (rate + 0.5f * volatility * volatility) * t) / (volatility * root);
	float d2 = d1 - volatility * root;
	float n1 = normal(d1), n2 = normal(d2);
	float discounted = x * exp(-rate * t);
	call[i] = s * n1 - discounted * n2;
	put[i] = discounted * (1.0f - n2) - s * (1.0f - n1);
}
