//go:build !tandem_nodl

package nvrtc_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/nvrtc"
	"github.com/tandem-go/tandem/internal/nvrtc/nvrtctest"
)

// headerNames lists the headers that Tandem ships.
func headerNames(t *testing.T) (names []string) {
	t.Helper()
	root := os.DirFS("headers")
	require.NoError(t, fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return err
	}))
	require.Contains(t, names, "sys/types.h")
	return names
}

func includeAll(names []string) string {
	return "#include <" + strings.Join(names, ">\n#include <") + ">\n"
}

func TestHeadersCompileInAnyOrderAndTwice(t *testing.T) {
	names := headerNames(t)
	var reversed []string
	for _, n := range names {
		reversed = append([]string{n}, reversed...)
	}
	nvrtctest.Each(t, func(t *testing.T, c *nvrtc.Compiler) {
		for _, std := range []string{"c++03", "c++11", "c++14", "c++17"} {
			p := nvrtc.Program{Source: includeAll(names) + includeAll(reversed) + "__global__ void k() {}", Options: []string{"--std=" + std}}
			require.Empty(t, compile(t, c, p).Diagnostics, std)
		}
		require.Empty(t, compile(t, c, nvrtc.Program{Source: includeAll(names) + "__global__ void k() {}"}).Diagnostics, "the default")
	})
}

func TestEachHeaderStandsAlone(t *testing.T) {
	c := nvrtctest.OpenWithoutCache(t)
	for _, n := range headerNames(t) {
		res := compile(t, c, nvrtc.Program{Source: includeAll([]string{n}) + "__global__ void k() {}"})
		require.Empty(t, res.Diagnostics, n)
	}
}

// The conditions are checked by the compiler itself, so each version's own arithmetic is the judge.
const headerFacts = `
#include <cstdint>
#include <climits>
#include <cfloat>
#include <cmath>
#include <cstddef>
#include <math_constants.h>
#define IS(what) static_assert(what, #what)
IS(sizeof(int8_t) == 1 && sizeof(uint16_t) == 2 && sizeof(int32_t) == 4 && sizeof(uint64_t) == 8 && sizeof(uintptr_t) == sizeof(void *));
IS(int8_t(-1) < 0 && uint8_t(-1) > 0 && int64_t(-1) < 0 && uint64_t(-1) > 0 && sizeof(ptrdiff_t) == sizeof(char *));
IS(INT8_MIN == -128 && uint16_t(UINT16_MAX + 1) == 0 && uint32_t(UINT32_MAX + 1u) == 0 && uint64_t(UINT64_MAX + 1) == 0);
IS(INT64_MIN < 0 && uint64_t(INT64_MAX) + 1 == uint64_t(INT64_MIN) && uint32_t(INT32_MAX) + 1 == uint32_t(INT32_MIN));
IS(unsigned(INT_MAX) * 2 + 1 == UINT_MAX && INT_MIN == -INT_MAX - 1 && (unsigned long)LONG_MAX * 2 + 1 == ULONG_MAX);
IS((unsigned long long)LLONG_MAX * 2 + 1 == ULLONG_MAX && CHAR_BIT == 8 && char(CHAR_MIN) == CHAR_MIN && char(CHAR_MAX) == CHAR_MAX);
IS((short)SHRT_MIN == SHRT_MIN && (unsigned short)(USHRT_MAX + 1) == 0 && LONG_MIN == -LONG_MAX - 1);
IS(FLT_EPSILON > 0 && 1.0f + FLT_EPSILON > 1.0f && (float)(1.0f + FLT_EPSILON / 2) == 1.0f);
IS(DBL_EPSILON > 0 && 1.0 + DBL_EPSILON > 1.0 && 1.0 + DBL_EPSILON / 2 == 1.0);
IS(FLT_MAX == (2 - FLT_EPSILON) * 170141183460469231731687303715884105728.0f && DBL_MAX == (2 - DBL_EPSILON) * 0x1p1023);
IS(FLT_MIN == 0x1p-126f && DBL_MIN == 0x1p-1022 && FLT_TRUE_MIN == 0x1p-149f && DBL_TRUE_MIN == 0x1p-1074);
IS(offsetof(int4, z) == 8 && NULL == 0);
IS(M_PI == 0x1.921fb54442d18p+1 && M_E == 0x1.5bf0a8b145769p+1 && M_SQRT2 == 0x1.6a09e667f3bcdp+0 && M_LN2 == 0x1.62e42fefa39efp-1);
IS(M_PI_2 == M_PI / 2 && M_PI_4 == M_PI / 4 && M_SQRT1_2 == M_SQRT2 / 2 && M_LOG2E == 0x1.71547652b82fep+0 && M_LN10 == 0x1.26bb1bbb55516p+1);
IS(M_LOG10E == 0x1.bcb7b1526e50ep-2 && M_1_PI == 0x1.45f306dc9c883p-2 && M_2_PI == 2 * M_1_PI && M_2_SQRTPI == 0x1.20dd750429b6dp+0);
IS(CUDART_PI_F == (float)M_PI && CUDART_PI == M_PI && CUDART_LN2_F == (float)M_LN2 && CUDART_SQRT_TWO == M_SQRT2 && CUDART_L2E == M_LOG2E);
IS(CUDART_3PIO4 == 0x1.2d97c7f3321d2p+1 && CUDART_L2T == 0x1.a934f0979a371p+1 && CUDART_LG2 == 0x1.34413509f79ffp-2 && CUDART_LNPI == 0x1.250d048e7a1bdp+0);
IS(CUDART_THIRD == 1.0 / 3 && CUDART_THIRD_F == 1.0f / 3 && CUDART_SQRT_2_OVER_PI == 0x1.9884533d43651p-1 && CUDART_2_OVER_PI == M_2_PI);
extern "C" __global__ void k() {}`

func TestHeadersTellTheTruth(t *testing.T) {
	nvrtctest.Each(t, func(t *testing.T, c *nvrtc.Compiler) {
		compile(t, c, nvrtc.Program{Source: headerFacts, Options: []string{"--std=c++17"}})
	})
}

func TestHeaderFunctions(t *testing.T) {
	const src = `#include <cuda_runtime.h>
#include <device_launch_parameters.h>
#include <stdint.h>
#include <limits.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <assert.h>
#include <inttypes.h>
extern "C" __global__ void k(int32_t *p, uint64_t *q, float *f, double *d, char *s) {
    assert(p != NULL);
    p[0] = INT_MAX; f[0] = FLT_MAX; f[1] = INFINITY; f[2] = NAN; d[0] = M_PI; d[1] = HUGE_VAL;
    p[1] = strlen(s) + strcmp(s, "abc") + memcmp(s, p, 4) + strncmp(s, "x", 1);
    memmove(s, s + 1, 3); memcpy(s, p, 4); memset(s, 0, 2); strcpy(s, "a"); strncpy(s, "b", 2);
    p[2] = isnan(f[2]) + isinf(f[1]) + abs(p[3]);
    printf("%" PRIu64 "\n", q[0]);
    uint u = 3; p[4] = u;
    atomicAdd(q, UINT64_C(1)); atomicMax(q + 1, uint64_t(2));
}
typedef long long int64_t; // as a program's own definition for NVRTC has it
typedef unsigned long long uint64_t;`
	nvrtctest.Each(t, func(t *testing.T, c *nvrtc.Compiler) {
		res := compile(t, c, nvrtc.Program{Source: src, Name: "asserting.cu"})
		ptx := string(res.PTX)
		require.Empty(t, res.Diagnostics)
		for what, want := range map[string]string{"assert": "__assertfail", "printf": "vprintf", "INT_MAX": "2147483647", "FLT_MAX": "2139095039",
			"INFINITY": "2139095040", "NAN": "2143289344", "M_PI": "4614256656552045848", "HUGE_VAL": "9218868437227405312"} {
			require.True(t, strings.Contains(ptx, want), "%s: no %s in\n%s", what, want, ptx)
		}
		res = compile(t, c, nvrtc.Program{Source: src, Options: []string{"-DNDEBUG"}})
		require.False(t, strings.Contains(string(res.PTX), "__assertfail"))
	})
}

func TestInfinityIsAConstant(t *testing.T) {
	nvrtctest.Each(t, func(t *testing.T, c *nvrtc.Compiler) {
		if !c.Version().AtLeast(nvrtc.Version{Major: 12, Minor: 4}) {
			return // as math.h says
		}
		res := compile(t, c, nvrtc.Program{Options: []string{"--std=c++14"}, Source: "#include <cmath>\nconstexpr float inf = INFINITY;" +
			"__device__ float v[] = {inf, -INFINITY, NAN}; __device__ double h = HUGE_VAL; __global__ void k(float *p) { *p = inf; }"})
		require.Empty(t, res.Diagnostics)
	})
}

func TestUsersHeadersComeFirst(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "stdint.h", "#define MINE 1\n")
	write(t, dir, "sub/k.cu", "")
	write(t, dir, "sub/stdint.h", "#define MINE 2\n")
	const mine = "\n#ifndef MINE\n#error Tandem's\n#endif\n__global__ void k() {}"
	const ours = "\n#ifdef MINE\n#error the user's\n#endif\n__global__ void k(int32_t *p) {}"
	beside := filepath.Join(dir, "sub/k.cu")
	nvrtctest.Each(t, func(t *testing.T, c *nvrtc.Compiler) {
		for what, p := range map[string]nvrtc.Program{
			"in an include folder":  {Source: "#include <stdint.h>" + mine, IncludeDirs: []string{dir}},
			"in a folder of -I":     {Source: "#include \"stdint.h\"" + mine, Options: []string{"-I", dir}},
			"in memory":             {Source: "#include <stdint.h>" + mine, Headers: []nvrtc.Header{{Name: "stdint.h", Text: "#define MINE"}}},
			"beside the source":     {Source: "#include \"stdint.h\"" + mine, Name: beside},
			"but not beside for <>": {Source: "#include <stdint.h>" + ours, Name: beside},
			"none there":            {Source: "#include \"stdint.h\"" + ours},
		} {
			t.Run(what, func(t *testing.T) { compile(t, c, p) })
		}
		compileError(t, c, nvrtc.Program{Source: "#include <stdint.h>", NoHeaders: true})
	})
}
