#include <stdio.h>
#include "shared.h"
#define N 4 // of "things" {
/* host { */ static int count = 0;
typedef struct { float x[N]; } Item;
const float scale = 2.0f;
namespace inner {
__device__ float twice(float x) { return x * scale; }
void report(const char *text) { printf("}%s{", text); }
}
template <typename T> __global__ void apply(T *items, int n)
{
	int i = threadIdx.x;
	if (i < n) items[i] = inner::twice(items[i]);
}
template <class T> T *host(T x) { return new T(x); }
__global__ void defaults(int *a, int n = 3, int *b = (int *)0)
{
	a[n] = 1;
}
namespace nested = inner;
extern "C" __global__ void broken(int *a) { a[0] = undeclared; }
int main()
{
#ifdef VERBOSE
	inner::report("x");
#endif
	apply<float><<<1, 32>>>((float *)0, 3);
	return 0;
}
__constant__ int table[N] = { 1, 2, 3, 4 };
