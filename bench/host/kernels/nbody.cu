// The acceleration of each body by all others. The fourth component of a position is the mass.
extern "C" __global__ void nbody(int n, const float4 *position, float4 *acceleration) {
	int i = blockIdx.x * blockDim.x + threadIdx.x;
	float4 me = position[i];
	float ax = 0, ay = 0, az = 0;
	for (int j = 0; j < n; j++) {
		float4 p = position[j];
		float dx = p.x - me.x, dy = p.y - me.y, dz = p.z - me.z;
		float r2 = dx * dx + dy * dy + dz * dz + 1e-3f;
		float inv = rsqrtf(r2);
		float s = p.w * inv * inv * inv;
		ax += dx * s;
		ay += dy * s;
		az += dz * s;
	}
	acceleration[i] = make_float4(ax, ay, az, 0);
}
