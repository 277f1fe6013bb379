kernel void montecarlo(int n, int steps, int seed, global float *out) {
	int i = get_global_id(0);
	if (i >= n)
		return;
	unsigned s = ((unsigned)seed ^ (unsigned)i * 2654435761u) | 1;
	float sum = 0;
	for (int k = 0; k < steps; k++) {
		s ^= s << 13;
		s ^= s >> 17;
		s ^= s << 5;
		float u = (s >> 8) * (1.0f / 16777216);
		sum += exp(-u * u);
	}
	out[i] = sum / steps;
}
