// nbody in double precision.
extern "C" __global__ void nbody64(int n, const double *position, double *acceleration) {
	int i = blockIdx.x * blockDim.x + threadIdx.x;
	double x = position[4 * i], y = position[4 * i + 1], z = position[4 * i + 2];
	double ax = 0, ay = 0, az = 0;
	for (int j = 0; j < n; j++) {
		double dx = position[4 * j] - x, dy = position[4 * j + 1] - y, dz = position[4 * j + 2] - z;
		double r2 = dx * dx + dy * dy + dz * dz + 1e-3;
		double inv = rsqrt(r2);
		double s = position[4 * j + 3] * inv * inv * inv;
		ax += dx * s;
		ay += dy * s;
		az += dz * s;
	}
	acceleration[4 * i] = ax;
	acceleration[4 * i + 1] = ay;
	acceleration[4 * i + 2] = az;
	acceleration[4 * i + 3] = 0;
}
