// One step of bodies that attract each other, softened so that close ones do not fly off.
extern "C" __global__ void nbody(int n, float dt, const float4 *p, float4 *v, float4 *next) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float4 me = p[i], s = v[i];
    float ax = 0, ay = 0, az = 0;
    for (int j = 0; j < n; j++) {
        float4 o = p[j];
        float dx = o.x - me.x, dy = o.y - me.y, dz = o.z - me.z;
        float d = dx * dx + dy * dy + dz * dz + 1e-2f;
        float f = o.w / (d * sqrtf(d));
        ax += dx * f;
        ay += dy * f;
        az += dz * f;
    }
    s.x += ax * dt;
    s.y += ay * dt;
    s.z += az * dt;
    v[i] = s;
    next[i] = make_float4(me.x + s.x * dt, me.y + s.y * dt, me.z + s.z * dt, me.w);
}
