//go:build gorgonia && cgo

package gorgonia_test

import (
	"context"
	"math"
	"runtime"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"gorgonia.org/cu"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/dl"
	"github.com/tandem-go/tandem/interop/gorgonia"
)

// driverInC is the library that both sides call: the one of internal/nvidia/testdata.
type driverInC struct {
	t   *testing.T
	lib *dl.Library
}

// openDriver opens the library with which gorgonia is linked.
func openDriver(t *testing.T) *driverInC {
	lib, err := dl.Open("libcuda.so.1")
	require.NoError(t, err)
	d := &driverInC{t, lib}
	d.symbol("fake_calls") // it is not NVIDIA's
	return d
}

func (d *driverInC) symbol(name string) dl.Func {
	f, err := d.lib.Symbol(name)
	require.NoError(d.t, err, "these tests need the driver in C: make test-gorgonia")
	return f
}

func (d *driverInC) call(name string) int { return int(int32(dl.NewFrame().Call(d.symbol(name)))) }

func (d *driverInC) calls(name string) int {
	return int(int32(dl.NewFrame().String(name).Call(d.symbol("fake_calls"))))
}

func (d *driverInC) arg(name string, i int) uint64 {
	return uint64(dl.NewFrame().String(name).Int(uintptr(i)).Call(d.symbol("fake_arg")))
}

// open opens the device of the driver in C.
func open(t *testing.T) (*cuda.Device, *driverInC) {
	d := openDriver(t)
	dev, err := cuda.Open("gpu:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, dev.Close()) })
	return dev, d
}

// scale is a kernel that the driver in C knows: y = a x.
const scale = `.version 7.0
.target sm_75
.address_size 64
.visible .entry scale(.param .u64 y, .param .u64 x, .param .f32 a, .param .u32 n) { ret; }
`

// onThread runs f with the context current, as gorgonia's plain functions want it.
func onThread(t *testing.T, c cu.CUContext, f func()) {
	require.NoError(t, c.Lock())
	defer func() { require.NoError(t, c.Unlock()) }()
	f()
}

// TestMemory: each side writes where the other reads.
func TestMemory(t *testing.T) {
	dev, drv := open(t)
	c, err := gorgonia.CUContext(dev)
	require.NoError(t, err)
	b, err := cuda.Upload(t.Context(), dev, []float32{1, 2, 3})
	require.NoError(t, err)
	defer b.Close()
	onThread(t, c, func() {
		p, err := cu.MemAlloc(12)
		require.NoError(t, err)
		require.NoError(t, cu.MemcpyDtoD(p, gorgonia.DevicePtr(b), 12))
		theirs, err := gorgonia.FromDevicePtr[float32](dev, p, 3)
		require.NoError(t, err)
		got, err := theirs.Download(context.Background())
		require.NoError(t, err)
		require.Equal(t, []float32{1, 2, 3}, got)
		require.NoError(t, theirs.Close())
		freed := drv.calls("cuMemFree_v2")
		require.NoError(t, cu.MemFree(p), "it is still theirs")
		require.Equal(t, freed+1, drv.calls("cuMemFree_v2"))
	})
}

// TestLaunch: a kernel of ours runs by their call on our stream, and by our call on theirs.
func TestLaunch(t *testing.T) {
	dev, drv := open(t)
	c, err := gorgonia.CUContext(dev)
	require.NoError(t, err)
	mod, err := dev.Load(t.Context(), []byte(scale), cuda.LoadConfig{})
	require.NoError(t, err)
	defer mod.Close()
	k, err := mod.Function("scale")
	require.NoError(t, err)
	x, err := cuda.Upload(t.Context(), dev, []float32{1, 2, 3, 4})
	require.NoError(t, err)
	y, err := cuda.Alloc[float32](dev, 4)
	require.NoError(t, err)
	s, err := dev.NewStream(cuda.StreamConfig{})
	require.NoError(t, err)
	e, err := dev.NewEvent()
	require.NoError(t, err)

	f, err := gorgonia.Function(k)
	require.NoError(t, err)
	m, err := gorgonia.Module(mod)
	require.NoError(t, err)
	stream, err := gorgonia.Stream(s)
	require.NoError(t, err)
	event, err := gorgonia.Event(e)
	require.NoError(t, err)
	var theirs cu.Stream
	var done cu.Event
	onThread(t, c, func() {
		again, err := m.Function("scale")
		require.NoError(t, err)
		require.Equal(t, f, again, "the driver has one handle of it")
		// gorgonia reads eight bytes of each argument.
		to, from, a, n := gorgonia.DevicePtr(y), gorgonia.DevicePtr(x), uint64(math.Float32bits(2)), uint64(4)
		args := []unsafe.Pointer{unsafe.Pointer(&to), unsafe.Pointer(&from), unsafe.Pointer(&a), unsafe.Pointer(&n)}
		require.NoError(t, f.Launch(1, 1, 1, 4, 1, 1, 0, stream, args))
		require.NoError(t, event.Record(stream))
		require.NoError(t, event.Synchronize())
		theirs, err = cu.MakeStream(cu.DefaultStream)
		require.NoError(t, err)
		done, err = cu.MakeEvent(cu.DefaultEvent)
		require.NoError(t, err)
	})
	require.NoError(t, e.Wait(t.Context()))
	got, err := y.Download(t.Context())
	require.NoError(t, err)
	require.Equal(t, []float32{2, 4, 6, 8}, got)

	ours, err := gorgonia.FromStream(dev, theirs)
	require.NoError(t, err)
	finished, err := gorgonia.FromEvent(dev, done)
	require.NoError(t, err)
	cfg := cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(4), Stream: ours}
	require.NoError(t, k.Launch(cfg, y, x, float32(10), uint32(4)))
	require.NoError(t, finished.Record(ours))
	require.NoError(t, finished.Wait(t.Context()))
	got, err = y.Download(t.Context())
	require.NoError(t, err)
	require.Equal(t, []float32{10, 20, 30, 40}, got)
	require.NoError(t, ours.Close())
	require.NoError(t, finished.Close())
	ended := drv.calls("cuStreamDestroy_v2")
	onThread(t, c, func() {
		require.NoError(t, theirs.Synchronize(), "it is still theirs")
		require.NoError(t, theirs.Destroy())
		require.NoError(t, cu.DestroyEvent(&done))
	})
	require.Equal(t, ended+1, drv.calls("cuStreamDestroy_v2"))
	for _, c := range []interface{ Close() error }{s, e, x, y} {
		require.NoError(t, c.Close())
	}
}

// TestContext: gorgonia's context of a device works, and dropping it does not destroy the device's.
func TestContext(t *testing.T) {
	dev, drv := open(t)
	n, err := gorgonia.Device(dev)
	require.NoError(t, err)
	same, err := gorgonia.FromDevice(n)
	require.NoError(t, err)
	require.Equal(t, dev.Info().ID, same.Info().ID)
	require.NoError(t, same.Close())
	destroyed := drv.calls("cuCtxDestroy_v2")
	func() {
		c, err := gorgonia.Context(dev, cu.SchedAuto)
		require.NoError(t, err)
		ready := make(chan error)
		go c.Run(ready) // ends with the process: gorgonia's only way to end it destroys the context
		require.NoError(t, <-ready)
		p, err := c.MemAlloc(64)
		require.NoError(t, err)
		b, err := gorgonia.FromDevicePtr[uint32](dev, p, 16)
		require.NoError(t, err)
		require.NoError(t, b.Fill(7, nil))
		got, err := b.Download(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 7, got[15])
		require.NoError(t, b.Close())
		c.MemFree(p)
		require.NoError(t, c.Error())
	}()
	for range 3 {
		runtime.GC()
	}
	require.Equal(t, destroyed, drv.calls("cuCtxDestroy_v2"))
}

// TestHostDevice: it has nothing that gorgonia could use.
func TestHostDevice(t *testing.T) {
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	require.NoError(t, err)
	defer dev.Close()
	_, err = gorgonia.Context(dev, cu.SchedAuto)
	require.ErrorIs(t, err, cuda.ErrNotSupported)
	_, err = gorgonia.Device(dev)
	require.ErrorIs(t, err, cuda.ErrNotSupported)
	_, err = gorgonia.Stream(dev.DefaultStream())
	require.ErrorIs(t, err, cuda.ErrNotSupported)
}
