/*
 * What gorgonia.org/cu calls besides the entry points of internal/nvidia/testdata/fakecuda, with which this file is linked: older
 * forms of calls that are there. Written from the driver manual. That library knows no stream 0 and does all work at once.
 */
#include <stddef.h>
#include <stdint.h>

enum { NON_BLOCKING = 1 };

int cuMemcpyAsync(uint64_t dst, uint64_t src, size_t n, uint64_t stream);
int cuStreamCreateWithPriority(uint64_t *s, uint32_t flags, int priority);
int cuStreamDestroy_v2(uint64_t s);

int cuMemcpyDtoD_v2(uint64_t dst, uint64_t src, size_t n)
{
	uint64_t s;
	int r = cuStreamCreateWithPriority(&s, NON_BLOCKING, 0);
	if (!r) {
		r = cuMemcpyAsync(dst, src, n, s);
		cuStreamDestroy_v2(s);
	}
	return r;
}

int cuStreamCreate(uint64_t *s, uint32_t flags) { return cuStreamCreateWithPriority(s, flags | NON_BLOCKING, 0); }
int cuCtxSynchronize(void) { return 0; }
