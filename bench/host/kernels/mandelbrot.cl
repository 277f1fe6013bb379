kernel void mandelbrot(int w, int h, int limit, float x0, float y0, float dx, float dy, global int *out) {
	int px = get_global_id(0), py = get_global_id(1);
	if (px >= w || py >= h)
		return;
	float cx = fma(px, dx, x0), cy = fma(py, dy, y0), x = 0, y = 0;
	int i = 0;
	while (i < limit && fma(x, x, y * y) <= 4.0f) {
		float t = fma(x, x, -(y * y)) + cx;
		y = fma(2 * x, y, cy);
		x = t;
		i++;
	}
	out[py * w + px] = i;
}
