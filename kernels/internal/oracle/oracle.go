// Package oracle is what tests of kernels share: inputs with everything that a type has, buffers whose surroundings are
// watched, and NumPy as a second opinion.
package oracle

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/interop/npy"
)

// Real is the types that most kernels have.
type Real interface {
	float32 | float64 | int32 | uint32 | int64 | uint64
}

// Sizes are lengths around those of warp and block, and some that nothing divides.
var Sizes = []int{0, 1, 2, 31, 32, 33, 127, 128, 129, 1000, 2047, 2048, 2049, 10_007, 70_001}

// Rand is a source that is the same in each run of a test.
func Rand(t testing.TB, seed uint64) *rand.Rand {
	h := seed
	for _, c := range t.Name() {
		h = h*1099511628211 + uint64(c)
	}
	return rand.New(rand.NewPCG(seed, h))
}

// Bits draws n numbers with random bits: all magnitudes, for floating point without NaN and infinities.
func Bits[T Real](r *rand.Rand, n int) []T {
	x := make([]T, n)
	for i := range x {
		for {
			v := reflect.ValueOf(&x[i]).Elem()
			bits := r.Uint64()
			switch v.Kind() {
			case reflect.Float32:
				v.SetFloat(float64(math.Float32frombits(uint32(bits))))
			case reflect.Float64:
				v.SetFloat(math.Float64frombits(bits))
			case reflect.Int32, reflect.Int64:
				v.SetInt(int64(bits))
			default:
				v.SetUint(bits)
			}
			if f := float64(x[i]); !math.IsNaN(f) && !math.IsInf(f, 0) {
				break
			}
		}
	}
	return x
}

// Small draws n integers from lo up to hi, not included.
func Small[T Real](r *rand.Rand, n, lo, hi int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(lo + r.IntN(hi-lo))
	}
	return x
}

// Normal draws n numbers of the normal distribution.
func Normal[T float32 | float64](r *rand.Rand, n int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(r.NormFloat64())
	}
	return x
}

// ok ends the test if there is an error.
func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Hosts runs a test on host devices with each engine that this machine has, and with several numbers of workers, in whose hands
// the blocks of a grid fall in other ways. name says which.
func Hosts(t *testing.T, test func(name string, dev *cuda.Device)) {
	t.Helper()
	opened := 0
	for _, cfg := range []cuda.HostConfig{
		{Engine: "interp"}, {Engine: "jit/avx512"}, {Engine: "jit/avx2"}, {Engine: "jit/neon"}, {Workers: 1}, {Workers: 3, Seed: 9},
	} {
		dev, err := cuda.OpenHost(cfg)
		if errors.Is(err, cuda.ErrNotSupported) { // an engine for other processors
			continue
		}
		ok(t, err)
		test(fmt.Sprintf("engine %q, %d workers", cfg.Engine, cfg.Workers), dev)
		ok(t, dev.Close())
		opened++
	}
	if opened < 3 {
		t.Fatalf("%d host devices opened: want the reference engine and two numbers of workers", opened)
	}
}

// guard is how many elements around a buffer are watched.
const guard = 64

// Buffer is device memory with elements before and after it that no kernel may touch.
type Buffer[T cuda.Element] struct {
	*cuda.Buffer[T]
	all   *cuda.Buffer[T]
	frame T
}

// Upload makes a buffer of a copy of x between watched elements, of which a pattern fills.
func Upload[T cuda.Element](t testing.TB, dev *cuda.Device, x []T) *Buffer[T] {
	t.Helper()
	b := &Buffer[T]{}
	v := reflect.ValueOf(&b.frame).Elem()
	switch {
	case v.CanInt():
		v.SetInt(0x5a)
	case v.CanUint():
		v.SetUint(0xa5)
	case v.CanComplex():
		v.SetComplex(complex(-7.5, 3.25))
	default:
		v.SetFloat(-7.5)
	}
	all := make([]T, len(x)+2*guard)
	for i := range all {
		all[i] = b.frame
	}
	copy(all[guard:], x)
	var err error
	b.all, err = cuda.Upload(t.Context(), dev, all)
	ok(t, err)
	t.Cleanup(func() { ok(t, b.all.Close()) })
	b.Buffer, err = b.all.Slice(guard, guard+len(x))
	ok(t, err)
	return b
}

// Make makes a buffer of n elements that all have the pattern.
func Make[T cuda.Element](t testing.TB, dev *cuda.Device, n int) *Buffer[T] {
	t.Helper()
	b := Upload(t, dev, make([]T, n))
	ok(t, b.Fill(b.frame, nil))
	return b
}

// Read returns the elements, and checks those around them.
func (b *Buffer[T]) Read(t testing.TB) []T {
	t.Helper()
	all, err := b.all.Download(t.Context())
	ok(t, err)
	n := len(all) - 2*guard
	for i := range guard {
		if all[i] != b.frame {
			t.Errorf("element %d before the buffer was written: %v", i-guard, all[i])
		}
		if all[guard+n+i] != b.frame {
			t.Errorf("element %d behind the buffer of %d was written: %v", n+i, n, all[guard+n+i])
		}
	}
	return all[guard : guard+n]
}

// Array makes an input for NumPy.
func Array[T npy.Number](t testing.TB, x []T, shape ...int) *npy.Array {
	t.Helper()
	if len(shape) == 0 {
		shape = []int{len(x)}
	}
	a, err := npy.Of(x, shape...)
	ok(t, err)
	return a
}

// Elements are the elements of a result of NumPy.
func Elements[T npy.Number](t testing.TB, a *npy.Array) []T {
	t.Helper()
	x, err := npy.Elements[T](a)
	ok(t, err)
	return x
}

// NumPy runs a Python program with NumPy as np, in which each input is a variable, and returns the arrays that it assigns
// to the names in want. Without python3 or NumPy it returns false: what it would confirm, the caller has checked with Go.
func NumPy(t testing.TB, program string, inputs map[string]*npy.Array, want ...string) (map[string]*npy.Array, bool) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil || exec.Command(python, "-c", "import numpy").Run() != nil {
		t.Log("NumPy is not here: compared with Go only")
		return nil, false
	}
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name+".npy") }
	text := "import numpy as np, warnings\nwarnings.simplefilter('ignore')\n"
	for name, a := range inputs {
		ok(t, npy.WriteFile(file(name), a))
		text += fmt.Sprintf("%s = np.load(%q)\n", name, file(name))
	}
	text += program + "\n"
	for _, name := range want {
		text += fmt.Sprintf("np.save(%q, np.ascontiguousarray(%s))\n", file("out_"+name), name)
	}
	out, err := exec.CommandContext(t.Context(), python, "-c", text).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	results := map[string]*npy.Array{}
	for _, name := range want {
		results[name], err = npy.ReadFile(file("out_" + name))
		ok(t, err)
	}
	return results, true
}
