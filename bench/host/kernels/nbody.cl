kernel void nbody(int n, global const float4 *position, global float4 *acceleration) {
	int i = get_global_id(0);
	float4 me = position[i];
	float ax = 0, ay = 0, az = 0;
	for (int j = 0; j < n; j++) {
		float4 p = position[j];
		float dx = p.x - me.x, dy = p.y - me.y, dz = p.z - me.z;
		float r2 = fma(dx, dx, fma(dy, dy, fma(dz, dz, 1e-3f)));
		float inv = rsqrt(r2);
		float s = p.w * inv * inv * inv;
		ax = fma(dx, s, ax);
		ay = fma(dy, s, ay);
		az = fma(dz, s, az);
	}
	acceleration[i] = (float4)(ax, ay, az, 0);
}
