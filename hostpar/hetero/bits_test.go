package hetero_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/hostpar/hetero"
	"github.com/tandem-go/tandem/hostpar/hetero/policy"
)

// number is what the kernels of this file compute with. Products are rounded before they are added, by a conversion.
type number interface {
	float32 | float64 | int32 | uint8
}

// element is one elementwise function, in CUDA C++ of T with the arithmetic of U, and in Go.
type element[T number] struct {
	name, cuda string
	body       func(i int, a, x, y T) T
}

// elementwise are eight functions of an index, a number, and the elements of two arrays, the second of which it changes.
func elementwise[T number]() []element[T] {
	return []element[T]{
		{"scale", "u(x) * u(a)", func(_ int, a, x, _ T) T { return x * a }},
		{"axpy", "u(a) * u(x) + u(y)", func(_ int, a, x, y T) T { return T(a*x) + y }},
		{"cubic", "((u(x) * u(a) + u(y)) * u(x) + u(a)) * u(x)", func(_ int, a, x, y T) T { return T(T(T(T(x*a)+y)*x)+a) * x }},
		{"between", "x < a ? u(a) : x > y ? u(y) : u(x)", func(_ int, a, x, y T) T {
			if x < a {
				return a
			} else if x > y {
				return y
			}
			return x
		}},
		{"blend", "u(a) * u(x) + (u(1) - u(a)) * u(y)", func(_ int, a, x, y T) T { return T(a*x) + T(T(1-a)*y) }},
		{"distance", "x > y ? u(x) - u(y) : u(y) - u(x)", func(_ int, _, x, y T) T {
			if x > y {
				return x - y
			}
			return y - x
		}},
		{"orbit", "orbit(u(x), u(a))", func(_ int, a, x, _ T) T {
			v := x
			for range 6 {
				v = T(T(v*v)*a) + x
			}
			return v
		}},
		{"ramp", "u(x) + u((T)(i % 100)) * u(a)", func(i int, a, x, _ T) T { return x + T(T(i%100)*a) }},
	}
}

// elementSource is the kernel of such a function. Sums and products of integers wrap: U is unsigned.
const elementSource = `
typedef %s T; typedef %s U;
__device__ U u(T v) { return (U)v; }
__device__ U orbit(U x, U a) { U v = x; for (int k = 0; k < 6; k++) v = v * v * a + x; return v; }
extern "C" __global__ void element(int n, T a, const T *xs, T *ys) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    T x = xs[i], y = ys[i];
    ys[i] = (T)(%s);
}`

// compile compiles a kernel once, for all devices.
func compile(t testing.TB, source string, options ...string) []byte {
	ptx, _, err := cuda.CompilePTX(background, source, cuda.CompileConfig{Options: options})
	require.NoError(t, err)
	return ptx
}

// everywhere is host devices, and the GPUs of this machine, without TANDEM_DEVICE=host: what has the same bits on the one has them on the other, unless
// its kernel uses approximations.
func everywhere(t testing.TB) (devices []hetero.Device, gpus int) {
	devices = hosts(t, 4)
	for _, info := range cuda.Devices() {
		if info.Kind == cuda.GPU && os.Getenv("TANDEM_DEVICE") != "host" {
			d, err := cuda.Open(info.ID)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, d.Close()) })
			devices = append(devices, hetero.OnCUDA(d))
			gpus++
		}
	}
	return devices, gpus
}

// anyPolicy draws a policy and its configuration.
func anyPolicy(r *rand.Rand, units int) policy.Policy {
	switch r.IntN(7) {
	case 0:
		return policy.Static()
	case 1:
		return policy.Dynamic(1 + r.IntN(units))
	case 2:
		return policy.Guided(policy.GuidedConfig{K: 0.5 + 3*r.Float64(), MinChunk: r.IntN(9)})
	case 3:
		return policy.Adaptive(policy.AdaptiveConfig{MinChunk: r.IntN(units), MaxChunkTime: time.Duration(r.IntN(200)) * time.Microsecond})
	case 4:
		return policy.OneShot()
	case 5:
		return nil
	}
	return fickle(r.Uint64())
}

// anyOf draws some of the devices, in any order.
func anyOf(r *rand.Rand, devices []hetero.Device) (out []hetero.Device) {
	for _, i := range r.Perm(len(devices))[:1+r.IntN(len(devices))] {
		out = append(out, devices[i])
	}
	return out
}

// TestElementwiseBits: eight elementwise kernels of four types have the bits of one launch over any split, policy, block
// size and set of devices, with bodies in Go among them.
func TestElementwiseBits(t *testing.T) {
	bitsOf[float32](t, "float", "float", func(r *rand.Rand) float32 { return r.Float32()*3 - 1.5 })
	bitsOf[float64](t, "double", "double", func(r *rand.Rand) float64 { return r.Float64()*3 - 1.5 })
	bitsOf[int32](t, "int", "unsigned", func(r *rand.Rand) int32 { return int32(r.Uint32()) })
	bitsOf[uint8](t, "unsigned char", "unsigned", func(r *rand.Rand) uint8 { return uint8(r.Uint32()) })
}

func bitsOf[T number](t *testing.T, storage, compute string, draw func(*rand.Rand) T) {
	const n = 5003
	devices, gpus := everywhere(t)
	r := random(21)
	x, before, y := make([]T, n), make([]T, n), make([]T, n)
	for i := range x {
		x[i], before[i] = draw(r), draw(r)
	}
	a := draw(r)
	for _, e := range elementwise[T]() {
		t.Run(storage+" "+e.name, func(t *testing.T) {
			ptx := compile(t, fmt.Sprintf(elementSource, storage, compute, e.cuda), "-fmad=false")
			mine := devices
			if bytes.Contains(ptx, []byte(".approx")) {
				t.Log("it uses approximations: not compared with GPUs")
				mine = devices[:len(devices)-gpus]
			}
			body := hetero.GoRange(func(lo, hi int) {
				for i := lo; i < hi; i++ {
					y[i] = e.body(i, a, x[i], y[i])
				}
			})
			both, err := hetero.NewKernel(e.name, hetero.PTX(ptx, "element", cuda.LoadConfig{}), body)
			require.NoError(t, err)
			only, err := hetero.NewKernel(e.name, hetero.PTX(ptx, "element", cuda.LoadConfig{}))
			require.NoError(t, err)
			args := []hetero.Arg{hetero.Total[int32](), hetero.Val(a), hetero.In(x, hetero.Rows(1)), hetero.InOut(y, hetero.Rows(1))}
			run := func(k *hetero.Kernel, block int, c hetero.RunConfig, devices ...hetero.Device) *hetero.Report {
				copy(y, before)
				rep, err := open(t, devices...).Run(background, k, hetero.Grid1(n, block), args, c)
				require.NoError(t, err)
				return rep
			}
			run(only, 64, hetero.RunConfig{Policy: policy.Dynamic(n)}, mine[0])
			want := append([]T(nil), y...)
			require.NotEqual(t, before, want)
			for seed := range count(4, 200) {
				r := random(seed)
				block := 1 << r.IntN(9)
				k, some := only, anyOf(r, mine)
				if r.IntN(2) == 0 {
					k, some = both, append(some, hetero.OnCPU(1+r.IntN(2)))
				}
				rep := run(k, block, hetero.RunConfig{Policy: anyPolicy(r, (n-1)/block+1)}, some...)
				require.Equal(t, want, y, "seed %d\n%v", seed, rep)
			}
		})
	}
}

// TestContractionIsSeen: with contraction allowed, a product is added without rounding, and the bits are not those of the
// body in Go, which shows that the test above would see it.
func TestContractionIsSeen(t *testing.T) {
	const n = 5003
	devices, _ := everywhere(t)
	x, y := floats(31, n), floats(32, n)
	source := fmt.Sprintf(elementSource, "float", "float", "u(a) * u(x) + u(y)")
	for _, option := range []string{"-fmad=true", "-fmad=false"} {
		ptx := compile(t, source, option)
		k, err := hetero.NewKernel("axpy", hetero.PTX(ptx, "element", cuda.LoadConfig{}))
		require.NoError(t, err)
		require.Equal(t, option == "-fmad=true", strings.Contains(string(ptx), "fma.rn.f32"))
		for _, d := range devices {
			got := append([]float32(nil), y...)
			_, err = open(t, d).Run(background, k, hetero.Grid1(n, 64), []hetero.Arg{hetero.Total[int32](), hetero.Val(float32(1.7)),
				hetero.In(x, hetero.Rows(1)), hetero.InOut(got, hetero.Rows(1))}, hetero.RunConfig{})
			require.NoError(t, err)
			other := 0
			for i := range got {
				if got[i] != float32(1.7*x[i])+y[i] {
					other++
				}
			}
			if option == "-fmad=true" {
				require.Greater(t, other, n/100)
			} else {
				require.Zero(t, other)
			}
		}
	}
}
