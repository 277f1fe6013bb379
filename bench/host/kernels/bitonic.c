#include "c.h"

#ifdef __AVX512F__
// Steps between elements of one vector; gcc has no way to write them.
static inline void within(unsigned *s, int k, int j) {
	__m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
	__m512i partner = _mm512_xor_si512(lane, _mm512_set1_epi32(j));
	__mmask16 upper = _mm512_test_epi32_mask(lane, _mm512_set1_epi32(j));
	for (int i = 0; i < 1024; i += 16) {
		__m512i at = _mm512_add_epi32(lane, _mm512_set1_epi32(i));
		__mmask16 down = _mm512_test_epi32_mask(at, _mm512_set1_epi32(k));
		__m512i v = _mm512_load_si512(s + i), o = _mm512_permutexvar_epi32(partner, v);
		v = _mm512_mask_blend_epi32(upper ^ down, _mm512_min_epu32(v, o), _mm512_max_epu32(v, o));
		_mm512_store_si512(s + i, v);
	}
}
#define VECTOR 16
#else
static inline void within(unsigned *s, int k, int j) {}
#define VECTOR 1
#endif

void bitonic(job_t job) {
	const struct job *j = job;
	int blocks = j->grid[0];
	const unsigned *in = P(unsigned, 0);
	unsigned *out = P(unsigned, 1);
	PARALLEL
	for (int b = 0; b < blocks; b++) {
		_Alignas(64) unsigned s[1024];
		memcpy(s, in + (size_t)b * 1024, sizeof s);
		for (int k = 2; k <= 1024; k <<= 1)
			for (int d = k >> 1; d > 0; d >>= 1) {
				if (d < VECTOR) {
					within(s, k, d);
					continue;
				}
				for (int i0 = 0; i0 < 1024; i0 += 2 * d) {
					unsigned *lo = s + i0, *hi = s + i0 + d;
					int down = (i0 & k) != 0;
					SIMD
					for (int i = 0; i < d; i++) {
						unsigned x = lo[i], y = hi[i], least = x < y ? x : y, most = x < y ? y : x;
						lo[i] = down ? most : least;
						hi[i] = down ? least : most;
					}
				}
			}
		memcpy(out + (size_t)b * 1024, s, sizeof s);
	}
}
