package cuda_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/internal/nvrtc/nvrtctest"
)

const emptyPTX = `.version 6.0
.target sm_50
.address_size 64
.visible .entry empty() { ret; }
.visible .entry four(.param .u32 n, .param .f32 a, .param .u64 x, .param .u64 y) { ret; }
`

func benchFunction(b *testing.B, dev *cuda.Device, name string) *cuda.Function {
	m, err := dev.Load(b.Context(), []byte(emptyPTX), cuda.LoadConfig{})
	require.NoError(b, err)
	f, err := m.Function(name)
	require.NoError(b, err)
	return f
}

// BenchmarkLaunch is the cost of a launch of one block of 32 threads that do nothing: one at a time with its wait, and a
// batch of 100 with one wait.
func BenchmarkLaunch(b *testing.B) {
	cudatest.EachB(b, func(b *testing.B, dev *cuda.Device) {
		empty := benchFunction(b, dev, "empty")
		b.Run("run", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := empty.Run(background, threads(32)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("batch=100", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for range 100 {
					if err := empty.Launch(threads(32)); err != nil {
						b.Fatal(err)
					}
				}
				if err := dev.Synchronize(background); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/launch")
		})
		four := benchFunction(b, dev, "four")
		x, err := cuda.Alloc[float32](dev, 1)
		require.NoError(b, err)
		b.Run("run=buffers", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := four.Run(background, threads(32), 1, float32(2), x, x); err != nil {
					b.Fatal(err)
				}
			}
		})
		for _, n := range []int{1, 1 << 10, 1 << 20} {
			xs := make([]float32, n)
			b.Run(fmt.Sprintf("run=slices/n=%d", n), func(b *testing.B) {
				b.SetBytes(int64(n) * 12) // in once, in and out once
				b.ReportAllocs()
				for b.Loop() {
					if err := four.Run(background, threads(32), 1, float32(2), cuda.In(xs), cuda.InOut(xs)); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	})
}

// BenchmarkRunMultiply is the smallest whole job: 400 floats there twice and back once, one block.
func BenchmarkRunMultiply(b *testing.B) {
	cudatest.EachB(b, func(b *testing.B, dev *cuda.Device) {
		m, err := cuda.CompileWith(background, dev, cuda.Library(nvrtctest.Open(b)), multiplySource, cuda.CompileConfig{})
		require.NoError(b, err)
		k, err := m.Function("multiply_them")
		require.NoError(b, err)
		x, y, dest := make([]float32, 400), make([]float32, 400), make([]float32, 400)
		b.Run("any", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := k.Run(background, threads(400), cuda.Out(dest), cuda.In(x), cuda.In(y)); err != nil {
					b.Fatal(err)
				}
			}
		})
		typed, err := cuda.Bind3[cuda.Output[float32], cuda.Input[float32], cuda.Input[float32]](background, k)
		require.NoError(b, err)
		b.Run("typed", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := typed.Run(background, threads(400), dest, x, y); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}

// BenchmarkDropped is what a buffer costs that is made and dropped, with what finds and frees it.
func BenchmarkDropped(b *testing.B) {
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	require.NoError(b, err)
	defer dev.Close()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := cuda.Alloc[float32](dev, 256); err != nil {
			b.Fatal(err)
		}
	}
	u := dev.Usage()
	b.ReportMetric(float64(u.Allocations), "live")
}

// BenchmarkArguments is the part of a launch that checks and encodes, on a device that does nothing else.
func BenchmarkArguments(b *testing.B) {
	d, _ := open(b)
	k := function(b, d, "saxpy")
	x, err := cuda.Alloc[float32](d, 1)
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if err := k.Launch(threads(1), 1, float32(2), x, x); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCompile is Device.Compile of a small kernel, anew and from the cache, and the second compile that reads the
// names and types of its parameters before the first launch.
func BenchmarkCompile(b *testing.B) {
	d, err := cuda.OpenHost(cuda.HostConfig{})
	require.NoError(b, err)
	defer d.Close()
	for name, lib := range map[string]cuda.Compiler{
		"anew": cuda.Library(nvrtctest.OpenWithoutCache(b)), "cached": cuda.Library(nvrtctest.Open(b)),
	} {
		for _, first := range []bool{false, true} {
			what := "compile"
			if first {
				what = "compile+launch"
			}
			b.Run(name+"/"+what, func(b *testing.B) {
				x := make([]float32, 1)
				for b.Loop() {
					m, err := cuda.CompileWith(background, d, lib, multiplySource, cuda.CompileConfig{})
					require.NoError(b, err)
					if first {
						k, err := m.Function("multiply_them")
						require.NoError(b, err)
						require.NoError(b, k.Run(background, threads(1), cuda.Out(x), cuda.In(x), cuda.In(x)))
					}
					require.NoError(b, m.Close())
				}
			})
		}
	}
}
