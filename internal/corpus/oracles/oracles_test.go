package main

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/corpus/devcode"
)

const good = `#include <iostream>
__constant__ float factor[2];
__global__ void scale(float *y, const float *x, int n)
{
	int i = blockIdx.x * blockDim.x + threadIdx.x;
	if (i < n) y[i] = factor[1] * x[i] / 3.0f;
}
template <int K> __global__ void shift(int *y) { y[threadIdx.x] <<= K; }
__global__ void spoils(float *y, float *x) { y[0] = 2.0f; x[5] = 1.0f; }
__global__ void idle(float *y) {}
__global__ void wild(float *y) { y[1 << 28] = 1.0f; }
__global__ void printed(std::string s) {}
int main() { scale<<<1, 32>>>(0, 0, 0); std::cout << "x"; }
`

func testFiles() []file {
	scale := func(factor float32) func(*run) {
		return func(r *run) {
			const n = 100
			x := between[float32](r, n, -1, 1)
			set(r, "factor", []float32{0, 7})
			y := room(r, "y", n+1, float32(99))
			r.launch("scale", cuda.Blocks(n, 32), cuda.D1(32), y, give(r, "x", x), n)
			within(r, y, append(table(n, func(i int) approx {
				return single.div(single.mul(lift(factor), lift(x[i])), lift(3.0))
			}), lift(float32(99))))
		}
	}
	one := func(kernel string) func(*run) {
		return func(r *run) {
			y, x := room(r, "y", 8, float32(0)), room(r, "x", 8, float32(0))
			args := []any{y, x}
			if kernel != "spoils" {
				args = args[:1]
			}
			r.launch(kernel, cuda.D1(1), cuda.D1(1), args...)
			want := make([]float32, 8)
			if kernel == "spoils" {
				want[0] = 2
			}
			y.exact(r, want)
		}
	}
	shift := func(r *run) {
		y := give(r, "y", []int32{1, 2, 3})
		r.launch("shift<4>", cuda.D1(1), cuda.D1(3), y)
		y.exact(r, []int32{16, 32, 48})
	}
	return []file{
		{collection: "own", path: "deep/good.cu", instances: []string{"shift<4>"}, checks: []check{
			{"scale", scale(7)}, {"shift", shift}, {"spoils", one("spoils")}, {"idle", one("idle")}, {"wild", one("wild")},
			{"printed", one("printed")}, {"never", func(*run) {}},
		}},
		{collection: "own", path: "good.cu", checks: []check{{"scale", scale(7.001)}}},
		{collection: "own", path: "bad.cu", checks: []check{{"k", one("k")}}},
		{collection: "own", path: "nowhere.cu", checks: []check{{"k", one("k")}}},
	}
}

// TestOutcomes: each way in which a check can end is told from the others, on both engines.
func TestOutcomes(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "a", "deep"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a", "deep", "good.cu"), []byte(good), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bad.cu"), []byte("__global__ void k(float *y) { undeclared(y); }"), 0o644))
	tree, err := devcode.Scan(dir, nil)
	require.NoError(t, err)
	var out strings.Builder
	b := &bench{tree: tree, engines: []string{"interp", "jit"}, seed: 5, timeout: time.Minute, out: &out, verbose: true}
	for _, f := range testFiles() {
		b.file(f)
	}
	require.False(t, b.print())
	want := map[string]outcome{
		"deep/good.cu: scale": agrees, "deep/good.cu: shift": agrees, "deep/good.cu: spoils": differs, "deep/good.cu: idle": failed,
		"deep/good.cu: wild": failed, "deep/good.cu: printed": refused, "deep/good.cu: never": failed,
		"good.cu: scale": differs, "bad.cu: k": refused, "nowhere.cu: k": missing,
	}
	require.Equal(t, want, b.found["own"], out.String())
	require.Equal(t, 1+1, b.changed["own"], "files that are not the known ones")
	require.Contains(t, out.String(), "x[5] is 1, was 0 and is not written")
	require.Contains(t, out.String(), "the expectation is what was there before")
	require.Contains(t, out.String(), "ILLEGAL_ADDRESS")
	require.Contains(t, out.String(), "engine interp: ")
}

// TestTable: no kernel stands twice under one name without a check of its own, and every file has a known hash.
func TestTable(t *testing.T) {
	kernels := map[string]bool{}
	for _, f := range collections() {
		require.Contains(t, known, f.path)
		require.NotEmpty(t, f.checks, f.path)
		for _, c := range f.checks {
			for k := range strings.FieldsSeq(c.kernels) {
				kernels[f.collection+"/"+f.path+": "+k] = true
			}
		}
	}
	require.GreaterOrEqual(t, len(kernels), 200)
	require.Len(t, known, len(collections()))
}

// TestApprox: single precision stays within the bounds for random expressions, in any order of sums, and the bounds are tight
// enough to notice an error of a few thousand roundings.
func TestApprox(t *testing.T) {
	r := rand.New(rand.NewPCG(rand.Uint64(), 1))
	for range 2000 {
		n := 1 + r.IntN(30)
		x, y := make([]float32, n), make([]float32, n)
		for i := range x {
			x[i], y[i] = 1+r.Float32(), 1+r.Float32()
		}
		var dot float32
		for _, i := range r.Perm(n) {
			dot += x[i] * y[i]
		}
		got := float32(math.Sqrt(float64((dot - x[0]) / y[0])))
		f := single
		want := f.sqrt(f.div(f.sub(f.dot(lifts(x), lifts(y)), lift(x[0])), lift(y[0])))
		require.LessOrEqual(t, math.Abs(float64(got)-want.v), want.e, "%v %v", x, y)
		require.Less(t, want.e, 4096*single.u*want.v)
		log := f.apply(math.Log, lift(x[0]), 2)
		require.LessOrEqual(t, math.Abs(float64(float32(math.Log(float64(x[0]))))-log.v), log.e)
	}
	require.True(t, math.IsInf(single.div(lift(1.0), approx{v: 1, e: 2}).e, 1))
}
