package devcode

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const mixed = `#include <stdio.h>
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
`

// TestSplit: device code is kept, host code left out, and lines keep their numbers.
func TestSplit(t *testing.T) {
	chunks := split(mixed)
	var all strings.Builder
	for _, c := range chunks {
		all.WriteString(c.text)
	}
	require.Equal(t, mixed, all.String(), "nothing is lost")
	kept := join(chunks)
	require.Equal(t, strings.Count(mixed, "\n"), strings.Count(kept, "\n"))
	for _, want := range []string{"#define N 4", "Item;", "scale = 2", "twice(float x)", "void apply", "table[N]", "broken", "namespace inner {", "namespace nested =", "#ifdef VERBOSE"} {
		require.Contains(t, kept, want)
	}
	for _, not := range []string{"count = 0", "report(", "new T", "main()"} {
		require.NotContains(t, kept, not)
	}
	require.Equal(t, []string{"apply", "defaults", "broken"}, kernels(mixed))
	for _, c := range chunks {
		require.LessOrEqual(t, strings.Count(c.text, "__global__"), 1, "a definition ends with its body: %q", c.text)
	}
	require.Equal(t, []string{"apply<float>"}, instances(mixed, kernels(mixed)))
}
