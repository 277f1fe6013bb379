//go:build linux && fakecuda && !tandem_nodl

package cuda_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/dl"
	"github.com/tandem-go/tandem/internal/nvidia"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
	"github.com/tandem-go/tandem/internal/nvrtc/nvrtctest"
)

// fakeC is the driver library of internal/nvidia/testdata/fakecuda, opened as the real one is; see make test-fakecuda.
func fakeC(t testing.TB) (*cuda.Device, cuapi.Search, func(what string, v int)) {
	dir := os.Getenv("TANDEM_FAKECUDA")
	require.NotEmpty(t, dir, "run: make test-fakecuda")
	search := cuapi.Search{Dirs: []string{dir}, Files: []string{"libcuda.so.1"}}
	lib, err := dl.Open(filepath.Join(dir, "libcuda.so.1"))
	require.NoError(t, err)
	set, err := lib.Symbol("fake_set")
	require.NoError(t, err)
	reset, err := lib.Symbol("fake_reset")
	require.NoError(t, err)
	dl.NewFrame().Call(reset)
	d, err := cuda.OpenBackend(cuda.GPU, nvidia.New(nvidia.Config{Library: search.Open}))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d, search, func(what string, v int) { dl.NewFrame().String(what).Int(uintptr(v)).Call(set) }
}

const (
	scaleSource = `extern "C" __global__ void scale(float *y, const float *x, float a, unsigned n) {
		unsigned i = blockIdx.x * blockDim.x + threadIdx.x; if (i < n) y[i] = a * x[i]; }`
	fivePTX = ".version 7.0\n.target sm_75\n.address_size 64\n" +
		".visible .entry five(.param .u64 y, .param .u64 x, .param .f32 a, .param .u32 n, .param .u32 m) { ret; }\n.visible .entry none() { ret; }\n"
)

// TestFakeCOldDriver: a driver that is older than NVRTC's PTX gets machine code, and the kernel runs.
func TestFakeCOldDriver(t *testing.T) {
	d, _, set := fakeC(t)
	set("ptx", 60)
	set("driver", 10010)
	comp := cuda.Library(nvrtctest.Open(t))
	for name, options := range map[string][]string{"chosen here": nil, "chosen by options": {"--gpu-architecture=compute_75"}} {
		m, err := cuda.CompileWith(t.Context(), d, comp, scaleSource, cuda.CompileConfig{Options: options})
		require.NoError(t, err, name)
		k, err := m.Function("scale")
		require.NoError(t, err)
		y := make([]float32, 3)
		require.NoError(t, k.Run(t.Context(), threads(3), cuda.Out(y), cuda.In([]float32{1, 2, 3}), float32(2), 3))
		require.Equal(t, []float32{2, 4, 6}, y)
	}
	defer cuda.WithLinker(nil, dl.ErrNotFound)()
	_, err := d.Load(t.Context(), []byte(fivePTX), cuda.LoadConfig{})
	require.ErrorIs(t, err, cuda.ErrDriverTooOld)
	require.ErrorContains(t, err, "the PTX is version 7.0, of CUDA 11.0; the driver, for CUDA 12.4,", "the version was asked when the device was opened")
}

// TestFakeCTyped: buffers, typed kernels and graphs on the library in C.
func TestFakeCTyped(t *testing.T) {
	d, _, _ := fakeC(t)
	comp := cuda.Library(nvrtctest.Open(t))
	m, err := cuda.CompileWith(t.Context(), d, comp, scaleSource, cuda.CompileConfig{})
	require.NoError(t, err)
	f, err := m.Function("scale")
	require.NoError(t, err)
	k, err := cuda.Bind4[cuda.Memory[float32], cuda.Memory[float32], float32, uint32](t.Context(), f)
	require.NoError(t, err)
	x, err := cuda.Upload(t.Context(), d, []float32{1, 2, 3, 4})
	require.NoError(t, err)
	y, err := cuda.Alloc[float32](d, 4)
	require.NoError(t, err)
	require.NoError(t, k.Run(t.Context(), threads(4), y, x, 3, 4))
	require.Equal(t, []float32{3, 6, 9, 12}, downloaded(t, y))
	s, err := d.NewStream(cuda.StreamConfig{})
	require.NoError(t, err)
	require.NoError(t, s.BeginCapture())
	cfg := threads(4)
	cfg.Stream = s
	require.NoError(t, k.Launch(cfg, x, y, 10, 4))
	g, err := s.EndCapture()
	require.NoError(t, err)
	e, err := g.Instantiate()
	require.NoError(t, err)
	require.NoError(t, e.Run(t.Context(), s))
	require.Equal(t, []float32{30, 60, 90, 120}, downloaded(t, x))
}

// TestFakeCBadInputs: mistakes get the errors that they get on the host device.
func TestFakeCBadInputs(t *testing.T) {
	badInputs(t, func(t *testing.T) *cuda.Device {
		d, _, _ := fakeC(t)
		return d
	})
}

// BenchmarkFakeCLaunch is a launch through each layer on a driver that does next to nothing: the bare driver call on a locked
// thread, a prepared launch, a typed one, and one whose arguments are checked anew.
func BenchmarkFakeCLaunch(b *testing.B) {
	d, search, _ := fakeC(b)
	m, err := d.Load(b.Context(), []byte(fivePTX), cuda.LoadConfig{})
	require.NoError(b, err)
	f, err := m.Function("five")
	require.NoError(b, err)
	x, err := cuda.Alloc[float32](d, 4)
	require.NoError(b, err)
	cfg := threads(32)
	b.Run("bare", func(b *testing.B) { bareLaunches(b, search) })
	b.Run("prepared", func(b *testing.B) {
		p, err := f.Prepare(cfg, x, x, float32(1), 1, 2)
		require.NoError(b, err)
		b.ReportAllocs()
		for b.Loop() {
			if err := p.Launch(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("typed", func(b *testing.B) {
		k, err := cuda.Bind5[cuda.Memory[float32], cuda.Memory[float32], float32, uint32, int](b.Context(), f)
		require.NoError(b, err)
		b.ReportAllocs()
		for b.Loop() {
			if err := k.Launch(cfg, x, x, 1, 1, 2); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("arguments=5", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := f.Launch(cfg, x, x, float32(1), 1, 2); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// bareLaunches calls the driver's function and nothing else: by itself, as purego calls it, and behind cuCtxSetCurrent in one
// transition, as package nvidia does.
func bareLaunches(b *testing.B, search cuapi.Search) {
	lib, err := search.Open()
	require.NoError(b, err)
	require.NoError(b, lib.Start())
	dev, err := lib.DeviceGet(0)
	require.NoError(b, err)
	ctx, err := lib.DevicePrimaryCtxRetain(dev)
	require.NoError(b, err)
	defer func() { require.NoError(b, lib.DevicePrimaryCtxRelease(dev)) }()
	runtime.LockOSThread()
	require.NoError(b, lib.CtxSetCurrent(ctx))
	m, _, err := lib.ModuleLoadDataEx(append([]byte(fivePTX), 0), nil)
	require.NoError(b, err)
	f, err := lib.ModuleGetFunction(m, "none")
	require.NoError(b, err)
	s, err := lib.StreamCreateWithPriority(cuapi.StreamNonBlocking, 0)
	require.NoError(b, err)
	runtime.UnlockOSThread()
	raw, err := dl.Open(lib.Path())
	require.NoError(b, err)
	launch, err := raw.Symbol("cuLaunchKernel")
	require.NoError(b, err)
	b.Run("call", func(b *testing.B) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		require.NoError(b, lib.CtxSetCurrent(ctx))
		for b.Loop() {
			if launch.Call(uintptr(f), 1, 1, 1, 32, 1, 1, 0, uintptr(s), 0, 0) != 0 {
				b.Fatal("it failed")
			}
		}
	})
	b.Run("in its context", func(b *testing.B) {
		k := cuapi.Launch{Function: f, Stream: s, GridX: 1, GridY: 1, GridZ: 1, X: 32, Y: 1, Z: 1}
		for b.Loop() {
			if err := lib.LaunchKernel(ctx, k); err != nil {
				b.Fatal(err)
			}
		}
	})
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	require.NoError(b, lib.CtxSetCurrent(ctx))
	require.NoError(b, lib.StreamDestroy(s))
	require.NoError(b, lib.ModuleUnload(m))
}
