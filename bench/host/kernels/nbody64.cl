#pragma OPENCL EXTENSION cl_khr_fp64 : enable

kernel void nbody64(int n, global const double *position, global double *acceleration) {
	int i = get_global_id(0);
	double x = position[4 * i], y = position[4 * i + 1], z = position[4 * i + 2];
	double ax = 0, ay = 0, az = 0;
	for (int j = 0; j < n; j++) {
		double dx = position[4 * j] - x, dy = position[4 * j + 1] - y, dz = position[4 * j + 2] - z;
		double r2 = fma(dx, dx, fma(dy, dy, fma(dz, dz, 1e-3)));
		double inv = rsqrt(r2);
		double s = position[4 * j + 3] * inv * inv * inv;
		ax = fma(dx, s, ax);
		ay = fma(dy, s, ay);
		az = fma(dz, s, az);
	}
	acceleration[4 * i] = ax;
	acceleration[4 * i + 1] = ay;
	acceleration[4 * i + 2] = az;
	acceleration[4 * i + 3] = 0;
}
