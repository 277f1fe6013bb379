package cuda_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/internal/nvrtc"
	"github.com/tandem-go/tandem/internal/nvrtc/nvrtctest"
)

const multiplySource = `
extern "C" __global__ void multiply_them(float *dest, const float *a, const float *b) {
    const int i = threadIdx.x;
    dest[i] = a[i] * b[i];
}
`

const kitSource = `
#include <stdint.h>

struct Params { float scale; double shift; int n; };
struct Particle { int id; float4 pos; };

__constant__ float table[4];
__device__ int counter = 5;

namespace ns {
    __device__ int hits;
    __global__ void scale(float *x, Params p) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i < p.n) x[i] = x[i] * p.scale + (float)p.shift;
        atomicAdd(&hits, 1);
    }
}

template <typename T> __global__ void axpy(T a, const T *x, T *y, unsigned n) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] += a * x[i];
}

extern "C" __global__ void lookup(float *x) { x[threadIdx.x] = table[threadIdx.x] + counter; }
extern "C" __global__ void move(Particle *p, float by) { p[threadIdx.x].pos.x += by; }
extern "C" __global__ void by_value(Particle p, float *out) { out[0] = p.pos.w; out[1] = (float)p.id; }
extern "C" __global__ void vectors(float4 *v) { v[threadIdx.x].y = 7; }
extern "C" __global__ void flags(bool b, char c, unsigned long long big, long long *out) { out[0] = b + c + (long long)big; }
extern "C" __global__ void forever(volatile int *stop) { while (!*stop) {} }
extern "C" __global__ void say(int n) { printf("n = %d\n", n); }
extern "C" __global__ void stop() { __trap(); }
`

func compile(t *testing.T, d *cuda.Device, source string, cfg cuda.CompileConfig) *cuda.Module {
	t.Helper()
	m, err := d.Compile(t.Context(), source, cfg)
	require.NoError(t, err)
	return m
}

func find(t *testing.T, m *cuda.Module, name string) *cuda.Function {
	t.Helper()
	f, err := m.Function(name)
	require.NoError(t, err)
	return f
}

// TestPointeesAreChecked: slices of the wrong type are refused with every NVRTC, for kernels with C names too.
func TestPointeesAreChecked(t *testing.T) {
	nvrtctest.Each(t, func(t *testing.T, c *nvrtc.Compiler) {
		cudatest.Each(t, func(t *testing.T, d *cuda.Device) {
			m, err := cuda.CompileWith(t.Context(), d, cuda.Library(c), multiplySource, cuda.CompileConfig{})
			require.NoError(t, err)
			k := find(t, m, "multiply_them")
			good := []float32{1}
			err = k.Run(t.Context(), threads(1), cuda.Out(good), cuda.In([]float64{1}), cuda.In(good))
			require.ErrorIs(t, err, cuda.ErrArgument)
			require.EqualError(t, err, "launch multiply_them: parameter 1 (a): want const float *, have cuda.In([]float64); use []float32")
			b, err := cuda.Alloc[int32](d, 1)
			require.NoError(t, err)
			err = k.Launch(threads(1), b, cuda.In(good), cuda.In(good))
			require.EqualError(t, err, "launch multiply_them: parameter 0 (dest): want float *, have *cuda.Buffer[int32]; use []float32")
			require.NoError(t, k.Run(t.Context(), threads(1), cuda.Out(good), cuda.In([]float32{2}), cuda.In([]float32{3})))
			require.Equal(t, float32(6), good[0])
		})
	})
}

// TestShortSlice: a slice shorter than the kernel writes gives an error that names parameter, thread and line, and the
// process lives.
func TestShortSlice(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, d *cuda.Device) {
		m := compile(t, d, multiplySource, cuda.CompileConfig{Name: "multiply.cu"})
		k := find(t, m, "multiply_them")
		a, b, dest := randoms(1, 400), randoms(2, 400), make([]float32, 300)
		err := k.Run(t.Context(), threads(400), cuda.Out(dest), cuda.In(a), cuda.In(b))
		require.ErrorIs(t, err, cuda.ErrIllegalAddress)
		require.Equal(t, make([]float32, 300), dest)
		if d.Info().Kind == cuda.Host {
			var e *cuda.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, "launch multiply_them", e.Op)
			require.Equal(t, "dest", e.Fault.ParamName)
			require.Equal(t, cuda.D3(300, 0, 0), e.Fault.Thread)
			require.Equal(t, "multiply.cu", e.Fault.SourceFile)
			require.Equal(t, 4, e.Fault.SourceLine)
			require.ErrorContains(t, err, "parameter 0 (dest): write of 4 bytes at element 300 of cuda.Out([]float32), which has 300 elements")
			require.ErrorContains(t, err, "block (0,0,0), thread (300,0,0), multiply.cu:4")
		}
		require.ErrorIs(t, d.Err(), cuda.ErrIllegalAddress)
		require.ErrorIs(t, d.Synchronize(t.Context()), cuda.ErrPoisoned)
		if d.Info().Kind == cuda.Host {
			require.NoError(t, d.Reset())
			k = find(t, compile(t, d, multiplySource, cuda.CompileConfig{}), "multiply_them")
			require.NoError(t, k.Run(t.Context(), threads(300), cuda.Out(dest), cuda.In(a), cuda.In(b)))
			require.Equal(t, a[299]*b[299], dest[299])
		}
	})
}

type goParams struct {
	Scale float32
	Shift float64
	N     int32
}

type goParticle struct {
	ID  int32
	_   [12]byte
	Pos [4]float32
}

func TestKit(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, d *cuda.Device) {
		ctx := t.Context()
		var out bytes.Buffer
		d.SetOutput(&out)
		m := compile(t, d, kitSource, cuda.CompileConfig{NameExpressions: []string{"axpy<float>", "axpy<double>", "&ns::hits"}})

		x := []float32{1, 2, 3, 4}
		scale := find(t, m, "ns::scale")
		require.NoError(t, scale.Run(ctx, threads(4), cuda.InOut(x), goParams{2, 0.5, 3}))
		require.Equal(t, []float32{2.5, 4.5, 6.5, 4}, x)
		require.EqualError(t, scale.Run(ctx, threads(4), cuda.InOut(x), struct {
			Scale float32
			N     int32
			Shift float64
			_     [8]byte
		}{}), "launch ns::scale: parameter 1 (p): struct { Scale float32; N int32; Shift float64; _ [8]uint8 } does not lie in memory as Params: field N at offset 4 has no counterpart before shift at offset 8")

		y := []float64{1, 1}
		axpy := find(t, m, "axpy<double>")
		require.NoError(t, axpy.Run(ctx, threads(2), 2.0, cuda.In([]float64{1, 2}), cuda.InOut(y), 2))
		require.Equal(t, []float64{3, 5}, y)
		require.ErrorContains(t, axpy.Run(ctx, threads(2), 2.0, cuda.In([]float64{1, 2}), cuda.InOut(y), -1), "parameter 3 (n): -1 does not fit into uint32")
		_, err := m.Function("axpy")
		require.ErrorIs(t, err, cuda.ErrNotFound)

		table, err := m.Global("table")
		require.NoError(t, err)
		floats, err := cuda.Reinterpret[float32](table)
		require.NoError(t, err)
		require.NoError(t, floats.CopyFrom(ctx, []float32{10, 20, 30, 40}))
		require.NoError(t, find(t, m, "lookup").Run(ctx, threads(4), cuda.Out(x)))
		require.Equal(t, []float32{15, 25, 35, 45}, x)
		hits, err := m.Global("ns::hits")
		require.NoError(t, err)
		n, err := hits.Download(ctx)
		require.NoError(t, err)
		require.Equal(t, []byte{4, 0, 0, 0}, n)

		require.NoError(t, find(t, m, "by_value").Run(ctx, threads(1), goParticle{ID: 9, Pos: [4]float32{0, 0, 0, 8}}, cuda.Out(x[:2])))
		require.Equal(t, []float32{8, 9}, x[:2])
		require.ErrorContains(t, find(t, m, "move").Run(ctx, threads(1), cuda.InOut(make([]float32, 8)), float32(1)), "want Particle *, have cuda.InOut([]float32)")
		v := make([]float32, 8)
		require.NoError(t, find(t, m, "vectors").Run(ctx, threads(2), cuda.InOut(v)), "float4 is made of floats")
		require.Equal(t, []float32{0, 7, 0, 0, 0, 7, 0, 0}, v)
		sum := make([]int64, 1)
		require.NoError(t, find(t, m, "flags").Run(ctx, threads(1), true, int8(-3), uint64(1)<<40, cuda.Out(sum)))
		require.Equal(t, int64(1-3+1<<40), sum[0])

		require.NoError(t, find(t, m, "say").Run(ctx, threads(2), 42))
		require.Equal(t, "n = 42\nn = 42\n", out.String())
	})
}

func TestRunStopsItsKernel(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, d *cuda.Device) {
		m := compile(t, d, kitSource, cuda.CompileConfig{})
		forever := find(t, m, "forever")
		stop, err := cuda.Upload(t.Context(), d, []int32{0})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err = forever.Run(ctx, threads(64), stop)
		require.EqualError(t, err, "launch forever: context deadline exceeded")
		if !d.StopsKernels() {
			s, err := d.NewStream(cuda.StreamConfig{})
			require.NoError(t, err)
			require.NoError(t, stop.Fill(1, s))
		}
		require.NoError(t, d.Synchronize(t.Context()), "the kernel ends and the device stays usable")
		got, err := stop.Download(t.Context())
		require.NoError(t, err)
		require.Len(t, got, 1)
	})
}

// TestConcurrentUse: one function, from many goroutines, with slices, buffers and streams of their own.
func TestConcurrentUse(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, d *cuda.Device) {
		k := find(t, compile(t, d, multiplySource, cuda.CompileConfig{}), "multiply_them")
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				if err := multiplyALot(t.Context(), d, k, uint64(g)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

func multiplyALot(ctx context.Context, d *cuda.Device, k *cuda.Function, seed uint64) error {
	s, err := d.NewStream(cuda.StreamConfig{})
	if err != nil {
		return err
	}
	a, b := randoms(seed, 100), randoms(seed+100, 100)
	x, err := cuda.Upload(ctx, d, a)
	if err != nil {
		return err
	}
	y, err := cuda.Alloc[float32](d, 100)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for range 20 {
		run, launched := make([]float32, 100), make([]float32, 100)
		cfg := cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(100), Stream: s}
		err := steps(
			func() error { return k.Launch(cfg, y, x, cuda.In(b)) },
			func() error { return k.Launch(cfg, cuda.Out(launched), y, x) },
			func() error { return k.Run(ctx, threads(100), cuda.Out(run), cuda.In(a), cuda.In(b)) },
			func() error { return s.Wait(ctx) },
		)
		if err != nil {
			return err
		}
		got, err := y.Download(ctx)
		if err != nil {
			return err
		}
		for i := range got {
			if run[i] != a[i]*b[i] || got[i] != run[i] || launched[i] != run[i]*a[i] {
				return fmt.Errorf("element %d: %v, %v, %v", i, run[i], got[i], launched[i])
			}
		}
	}
	return s.Close()
}

func TestTrapIsAFault(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, d *cuda.Device) {
		m := compile(t, d, kitSource, cuda.CompileConfig{})
		err := find(t, m, "stop").Run(t.Context(), threads(1))
		var e *cuda.Error
		require.ErrorAs(t, err, &e)
		require.Contains(t, []int{715, 719}, e.Code)
		require.NotNil(t, e.Fault)
		require.NotEmpty(t, cuda.Diagnose(err))
	})
}

func TestBadSource(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, d *cuda.Device) {
		for _, c := range []struct {
			source string
			want   string
			is     error
		}{
			{"extern \"C\" __global__ void k(float *x) {\n  x[0] = y;\n}", `bad.cu:2`, nil},
			{"#include \"nowhere.h\"\n", "nowhere.h", nil},
			{`extern "C" __global__ void k() { asm("bogus.f32 %f1;"); }`, "bogus", cuda.ErrInvalidPTX},
			{`extern "C" __device__ int outside(int); extern "C" __global__ void k(int *x) { *x = outside(1); }`, "outside", cuda.ErrInvalidPTX},
		} {
			_, err := d.Compile(t.Context(), c.source, cuda.CompileConfig{Name: "bad.cu"})
			require.ErrorContains(t, err, c.want)
			require.NotEmpty(t, cuda.Diagnose(err))
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
				continue
			}
			var ce *cuda.CompileError
			require.ErrorAs(t, err, &ce)
			require.NotEmpty(t, ce.Diagnostics)
			require.NotEmpty(t, ce.Log)
		}
		_, err := d.Compile(t.Context(), multiplySource, cuda.CompileConfig{NameExpressions: []string{"nosuch<float>"}})
		require.ErrorContains(t, err, "nosuch")
	})
}

func TestBadPTX(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, d *cuda.Device) {
		const head = ".version 7.5\n.target sm_75\n.address_size 64\n"
		for name, text := range map[string]string{
			"truncated":  head + ".visible .entry k(.param .u64 p) { ld.param.u64 %rd1, [p",
			"unknown":    head + ".visible .entry k() { bogus.f32 %f1; ret; }",
			"unresolved": head + ".extern .func f;\n.visible .entry k() { call f; ret; }",
			"not PTX":    "hello",
		} {
			_, err := d.Load(t.Context(), []byte(text), cuda.LoadConfig{Name: "bad.ptx"})
			require.ErrorIs(t, err, cuda.ErrInvalidPTX, name)
			require.ErrorContains(t, err, "load bad.ptx", name)
			if d.Info().Kind == cuda.Host {
				require.ErrorContains(t, err, "bad.ptx:", name)
			}
		}
		_, err := d.Load(t.Context(), []byte("\x7fELF\x02\x01\x01\x00"), cuda.LoadConfig{})
		require.ErrorIs(t, err, cuda.ErrNoBinary)
	})
}

// TestCopiesSeeAllWork launches atomic additions on random streams, some of which are closed early: a copy or Run without
// a stream always finds all that was queued on its buffer before.
func TestCopiesSeeAllWork(t *testing.T) {
	const source = `extern "C" __global__ void add(int *x, int by) { atomicAdd(x + threadIdx.x % 2, by); }`
	cudatest.Each(t, func(t *testing.T, d *cuda.Device) {
		ctx := t.Context()
		add := find(t, compile(t, d, source, cuda.CompileConfig{}), "add")
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 0))
		buffers, want := make([]*cuda.Buffer[int32], 4), make([]int32, 4)
		for i := range buffers {
			b, err := cuda.Upload(ctx, d, []int32{0, 0})
			require.NoError(t, err)
			buffers[i] = b
		}
		streams := make([]*cuda.Stream, 5) // the first stays nil: the default stream
		for range 1000 {
			i, s := r.IntN(len(buffers)), r.IntN(len(streams))
			if s > 0 && (streams[s] == nil || r.IntN(10) == 0) {
				if streams[s] != nil {
					require.NoError(t, streams[s].Close())
				}
				var err error
				streams[s], err = d.NewStream(cuda.StreamConfig{})
				require.NoError(t, err)
			}
			cfg := cuda.LaunchConfig{Grid: cuda.D1(1 + r.IntN(64)), Block: cuda.D1(64), Stream: streams[s]}
			by := int32(r.IntN(10))
			want[i] += int32(cfg.Grid.X) * 32 * by
			if r.IntN(8) == 0 {
				cfg.Stream = nil
				require.NoError(t, add.Run(ctx, cfg, buffers[i], by))
			} else {
				require.NoError(t, add.Launch(cfg, buffers[i], by))
			}
			if r.IntN(4) == 0 {
				view, err := buffers[i].Slice(1, 2)
				require.NoError(t, err)
				got, err := view.Download(ctx)
				require.NoError(t, err)
				require.Equal(t, want[i], got[0])
			}
		}
	})
}

// TestDroppedBuffersOnDevices: kernels use buffers that are dropped right behind the launch; what the kernels wrote is
// right, and in the end all memory is free again.
func TestDroppedBuffersOnDevices(t *testing.T) {
	n := 100_000
	if testing.Short() {
		n = 3_000
	}
	cudatest.Each(t, func(t *testing.T, d *cuda.Device) {
		k := find(t, compile(t, d, multiplySource, cuda.CompileConfig{}), "multiply_them")
		before, _, err := d.Memory()
		require.NoError(t, err)
		kept, err := cuda.Alloc[float32](d, 32)
		require.NoError(t, err)
		for i := range n {
			a, err := cuda.Alloc[float32](d, 32)
			require.NoError(t, err)
			if i%100 != 0 {
				continue // dropped unused
			}
			b, err := cuda.Upload(t.Context(), d, randoms(uint64(i), 32))
			require.NoError(t, err)
			require.NoError(t, a.Fill(float32(i), nil))
			require.NoError(t, k.Launch(threads(32), kept, a, b))
			if i%1000 == 0 {
				a, b = nil, nil
				runtime.GC()
				got, err := kept.Download(t.Context())
				require.NoError(t, err)
				require.Equal(t, float32(i)*randoms(uint64(i), 32)[31], got[31])
			}
		}
		require.NoError(t, kept.Close())
		for range 50 {
			if d.Usage().Allocations == 0 {
				break
			}
		}
		require.Zero(t, d.Usage().Bytes)
		after, _, err := d.Memory()
		require.NoError(t, err)
		require.Equal(t, before, after)
	})
}
