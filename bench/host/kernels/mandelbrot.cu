extern "C" __global__ void mandelbrot(int w, int h, int limit, float x0, float y0, float dx, float dy, int *out) {
	int px = blockIdx.x * blockDim.x + threadIdx.x, py = blockIdx.y * blockDim.y + threadIdx.y;
	if (px >= w || py >= h)
		return;
	float cx = x0 + px * dx, cy = y0 + py * dy, x = 0, y = 0;
	int i = 0;
	while (i < limit && x * x + y * y <= 4.0f) {
		float t = x * x - y * y + cx;
		y = 2 * x * y + cy;
		x = t;
		i++;
	}
	out[py * w + px] = i;
}
