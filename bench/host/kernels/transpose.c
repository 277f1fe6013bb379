#include "c.h"

void transpose(job_t j) {
	int w = I(0), h = I(1);
	const float *in = P(float, 2);
	float *out = P(float, 3);
	PARALLEL
	for (int b = 0; b < w / 32 * (h / 32); b++) {
		int x = b % (w / 32) * 32, y = b / (w / 32) * 32;
		_Alignas(64) float tile[32][33];
		for (int k = 0; k < 32; k++)
			for (int t = 0; t < 32; t++)
				tile[k][t] = in[(size_t)(y + k) * w + x + t];
		for (int k = 0; k < 32; k++)
			SIMD
			for (int t = 0; t < 32; t++)
				out[(size_t)(x + k) * h + y + t] = tile[t][k];
	}
}

#ifdef __AVX512F__
// A square of 16 by 16 is transposed in registers.
void transpose_best(job_t j) {
	int w = I(0), h = I(1);
	const float *in = P(float, 2);
	float *out = P(float, 3);
	PARALLEL
	for (int b = 0; b < w / 16 * (h / 16); b++) {
		int x = b / (h / 16) * 16, y = b % (h / 16) * 16;
		__m512i r[16], t[16];
		for (int k = 0; k < 16; k++)
			r[k] = _mm512_loadu_si512(in + (size_t)(y + k) * w + x);
		for (int k = 0; k < 16; k += 2) {
			t[k] = _mm512_unpacklo_epi32(r[k], r[k + 1]);
			t[k + 1] = _mm512_unpackhi_epi32(r[k], r[k + 1]);
		}
		for (int k = 0; k < 16; k += 4) {
			r[k] = _mm512_unpacklo_epi64(t[k], t[k + 2]);
			r[k + 1] = _mm512_unpackhi_epi64(t[k], t[k + 2]);
			r[k + 2] = _mm512_unpacklo_epi64(t[k + 1], t[k + 3]);
			r[k + 3] = _mm512_unpackhi_epi64(t[k + 1], t[k + 3]);
		}
		for (int k = 0; k < 4; k++) {
			t[k] = _mm512_shuffle_i32x4(r[k], r[k + 4], 0x88);
			t[k + 4] = _mm512_shuffle_i32x4(r[k], r[k + 4], 0xdd);
			t[k + 8] = _mm512_shuffle_i32x4(r[k + 8], r[k + 12], 0x88);
			t[k + 12] = _mm512_shuffle_i32x4(r[k + 8], r[k + 12], 0xdd);
		}
		for (int k = 0; k < 4; k++) {
			float *to = out + (size_t)(x + k) * h + y;
			_mm512_storeu_si512(to, _mm512_shuffle_i32x4(t[k], t[k + 8], 0x88));
			_mm512_storeu_si512(to + (size_t)4 * h, _mm512_shuffle_i32x4(t[k + 4], t[k + 12], 0x88));
			_mm512_storeu_si512(to + (size_t)8 * h, _mm512_shuffle_i32x4(t[k], t[k + 8], 0xdd));
			_mm512_storeu_si512(to + (size_t)12 * h, _mm512_shuffle_i32x4(t[k + 4], t[k + 12], 0xdd));
		}
	}
}
#endif
