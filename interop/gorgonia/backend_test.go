//go:build gorgonia && cgo && linux

package gorgonia_test

import (
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/dl"
	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/driver/drivertest"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
	"github.com/tandem-go/tandem/internal/nvidia/nvidiatest"
	"github.com/tandem-go/tandem/interop/gorgonia"
)

// carried are the entry points that gorgonia calls for the back end.
var carried = []cuapi.Entry{
	cuapi.DevicePrimaryCtxRetain, cuapi.DevicePrimaryCtxRelease, cuapi.CtxSetCurrent,
	cuapi.MemGetInfo, cuapi.MemAlloc, cuapi.MemFree, cuapi.MemcpyHtoDAsync, cuapi.MemcpyDtoHAsync, cuapi.MemcpyAsync,
	cuapi.MemsetD8Async, cuapi.MemsetD16Async, cuapi.MemsetD32Async, cuapi.MemsetD2D8Async, cuapi.MemsetD2D16Async, cuapi.MemsetD2D32Async,
	cuapi.ModuleLoadDataEx, cuapi.ModuleUnload, cuapi.ModuleGetFunction, cuapi.ModuleGetGlobal, cuapi.LaunchKernel,
	cuapi.StreamCreateWithPriority, cuapi.StreamDestroy, cuapi.StreamSynchronize, cuapi.StreamQuery, cuapi.StreamWaitEvent,
	cuapi.EventCreate, cuapi.EventDestroy, cuapi.EventRecord, cuapi.EventQuery, cuapi.EventSynchronize, cuapi.EventElapsedTime,
}

// computing lets the driver in C, with which gorgonia is linked, do its work by a fake whose devices are host devices, so that
// kernels run. Tandem cannot find the entry points that gorgonia carries, but for those in found: who reaches them came through
// gorgonia.
func computing(t *testing.T, found ...cuapi.Entry) (*driverInC, func() (*cuapi.Library, error)) {
	drv := openDriver(t)
	nvidiatest.New(t)
	hidden := map[string]bool{}
	for _, e := range cuapi.Entries() {
		for _, s := range e.Symbols() {
			hidden[s] = slices.Contains(carried, e) && !slices.Contains(found, e)
			dl.NewFrame().String(s).Int(uintptr(nvidiatest.Callback(s))).Call(drv.symbol("fake_serve"))
		}
	}
	t.Cleanup(func() { drv.call("fake_reset") })
	return drv, func() (*cuapi.Library, error) {
		return cuapi.New("libcuda.so.1", func(symbol string) (dl.Func, error) {
			if hidden[symbol] {
				return 0, dl.ErrNoSymbol
			}
			return drv.lib.Symbol(symbol)
		}), nil
	}
}

// needed are the entry points that a check needs besides gorgonia: kernels changed for parts of a grid have a hidden parameter that
// is too long for gorgonia.
func needed(check string) []cuapi.Entry {
	if strings.Contains(check, "BlockRange") {
		return []cuapi.Entry{cuapi.CtxSetCurrent, cuapi.LaunchKernel}
	}
	return nil
}

// TestConformance runs the checks of the contract on the back end, all of them: those that need more than gorgonia has too.
func TestConformance(t *testing.T) {
	called := map[cuapi.Entry]int{}
	var of *testing.T
	var library func() (*cuapi.Library, error)
	drivertest.Run(t, func(t *testing.T) driver.Device {
		if of != t { // a check may open more than one device
			var drv *driverInC
			drv, library = computing(t, needed(t.Name())...)
			of = t
			t.Cleanup(func() {
				for _, e := range carried {
					for _, s := range e.Symbols() {
						called[e] += drv.calls(s)
					}
				}
			})
		}
		d, err := gorgonia.BackEnd(library).Open(0)
		require.NoError(t, err)
		return d
	})
	for _, e := range carried {
		require.Positive(t, called[e], "%v was never called", e)
	}
}

// TestMultiplyThem runs the example's kernel through the public API, and checks every product.
func TestMultiplyThem(t *testing.T) {
	drv, library := computing(t)
	dev, err := cuda.OpenThrough(gorgonia.BackEnd(library), 0)
	require.NoError(t, err)
	require.Equal(t, cuda.GPU, dev.Info().Kind)
	image, err := os.ReadFile("../../examples/multiply_them/multiply_them.ptx")
	require.NoError(t, err)
	mod, err := dev.Load(t.Context(), image, cuda.LoadConfig{})
	require.NoError(t, err)
	multiply, err := mod.Function("multiply_them")
	require.NoError(t, err)

	const n = 400
	r := rand.New(rand.NewPCG(1, 2))
	a, b, want, dest := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
	for i := range a {
		a[i], b[i] = float32(r.NormFloat64()), float32(r.NormFloat64())
		want[i] = a[i] * b[i]
	}
	cfg := cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(n)}
	require.NoError(t, multiply.Run(t.Context(), cfg, cuda.Out(dest), cuda.In(a), cuda.In(b)))
	require.Equal(t, want, dest)
	require.Equal(t, 1, drv.calls("cuLaunchKernel"))
	require.NoError(t, dev.Close())
	require.Equal(t, drv.calls("cuMemAlloc_v2"), drv.calls("cuMemFree_v2"))
}

// TestOpen opens a device the way that programs do, and gets the errors of cuda.Open.
func TestOpen(t *testing.T) {
	drv := openDriver(t)
	dev, err := gorgonia.Open(1)
	require.NoError(t, err)
	require.Equal(t, "gpu:1", dev.Info().ID)
	released := drv.calls("cuDevicePrimaryCtxRelease_v2")
	require.NoError(t, dev.Close())
	require.Equal(t, released+1, drv.calls("cuDevicePrimaryCtxRelease_v2"))
	_, err = gorgonia.Open(2)
	require.ErrorIs(t, err, cuda.ErrNoDevice)
}

// TestFailures: what gorgonia says of a call that failed becomes CUDA's name and number, and the driver's words.
func TestFailures(t *testing.T) {
	drv := openDriver(t)
	t.Cleanup(func() { drv.call("fake_reset") })
	dev, err := gorgonia.Open(0)
	require.NoError(t, err)
	defer func() { require.NoError(t, dev.Close()) }()
	dl.NewFrame().String("cuStreamCreateWithPriority").Int(1).Int(uintptr(driver.OutOfMemory)).Call(drv.symbol("fake_fail"))
	_, err = dev.NewStream(cuda.StreamConfig{})
	require.ErrorIs(t, err, cuda.ErrOutOfMemory)
	require.ErrorContains(t, err, "CUDA_ERROR_OUT_OF_MEMORY (2): make a stream: cuStreamCreateWithPriority: fake: out of memory")
	_, err = dev.Load(t.Context(), []byte(".version 7.0\n.target sm_75\n.address_size 64\nbad_instruction"), cuda.LoadConfig{})
	require.ErrorIs(t, err, cuda.ErrInvalidPTX)
	require.ErrorContains(t, err, "fake ptxas: line 1; fatal: not PTX", "the compiler's log")
}

// wide has a parameter that gorgonia cannot pass.
const wide = `.version 7.0
.target sm_75
.address_size 64
.visible .entry scale(.param .u64 y, .param .u64 x, .param .f32 a, .param .u32 n, .param .align 8 .b8 more[16]) { ret; }
`

// TestWideParameters: a structure goes to the driver as a whole, by Tandem's own call.
func TestWideParameters(t *testing.T) {
	drv := openDriver(t)
	dev, err := gorgonia.Open(0)
	require.NoError(t, err)
	defer func() { require.NoError(t, dev.Close()) }()
	mod, err := dev.Load(t.Context(), []byte(wide), cuda.LoadConfig{})
	require.NoError(t, err)
	k, err := mod.Function("scale")
	require.NoError(t, err)
	x, err := cuda.Upload(t.Context(), dev, []float32{1, 2, 3})
	require.NoError(t, err)
	y, err := cuda.Alloc[float32](dev, 3)
	require.NoError(t, err)
	cfg := cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(3)}
	require.NoError(t, k.Run(t.Context(), cfg, y, x, float32(2), uint32(3), [2]uint64{4, 5}))
	got, err := y.Download(t.Context())
	require.NoError(t, err)
	require.Equal(t, []float32{2, 4, 6}, got)
	require.NotZero(t, drv.arg("cuLaunchKernel", 10), "the block as a whole")
}
