//go:build gorgonia && cgo

package gorgonia

import (
	"runtime"

	"gorgonia.org/cu"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

// Open opens the GPU of that number so that gorgonia.org/cu makes the calls for contexts, device memory, copies between
// addresses, fills, modules, launches, streams and events; see the package comment for what it does not make. The error wraps
// cuda.ErrNoDevice or cuda.ErrGPUUnusable, as cuda.Open's does.
func Open(n int) (*cuda.Device, error) {
	return cuda.OpenThrough(backend(nil), n)
}

// backend is the back end of NVIDIA's GPUs with gorgonia's calls in it. open opens the driver library for all other calls; nil is
// the one of this machine, which gorgonia is linked with as well.
func backend(open func() (*cuapi.Library, error)) driver.Backend {
	return nvidia.New(nvidia.Config{Library: open, Calls: func(lib *cuapi.Library) cuapi.Calls { return calls{lib} }})
}

// calls makes calls of the driver through gorgonia.
type calls struct{ lib *cuapi.Library }

// failure gives gorgonia's errors the form of the library's.
func (c calls) failure(e cuapi.Entry, err error) error {
	if err == nil {
		return nil
	}
	if r, ok := resultOf(err); ok {
		return c.lib.Failure(e, r)
	}
	return err
}

// resultOf is the number in an error of gorgonia's.
var resultOf = numberIn(cu.Success)

// numberIn returns a function that finds numbers of a type whose name is not exported: that of its argument.
func numberIn[T interface {
	~int
	error
}](T) func(error) (cuapi.Result, bool) {
	return func(err error) (cuapi.Result, bool) {
		n, ok := err.(T)
		return cuapi.Result(n), ok
	}
}

func stream(s cuapi.Stream) cu.Stream        { return handle[cu.Stream](uintptr(s)) }
func event(e cuapi.Event) cu.Event           { return handle[cu.Event](uintptr(e)) }
func module(m cuapi.Module) cu.Module        { return handle[cu.Module](uintptr(m)) }
func address(p cuapi.DevicePtr) cu.DevicePtr { return cu.DevicePtr(p) }

// DevicePrimaryCtxRetain makes the device's primary context if need be and counts one more user of it.
func (c calls) DevicePrimaryCtxRetain(d cuapi.Device) (cuapi.Context, error) {
	ctx, err := cu.Device(d).RetainPrimaryCtx()
	return cuapi.Context(word(ctx)), c.failure(cuapi.DevicePrimaryCtxRetain, err)
}

// DevicePrimaryCtxRelease counts one user less.
func (c calls) DevicePrimaryCtxRelease(d cuapi.Device) error {
	return c.failure(cuapi.DevicePrimaryCtxRelease, cu.Device(d).ReleasePrimaryCtx())
}

// CtxSetCurrent makes the context the one of the calling thread.
func (c calls) CtxSetCurrent(ctx cuapi.Context) error {
	return c.failure(cuapi.CtxSetCurrent, cu.SetCurrentContext(handle[cu.CUContext](uintptr(ctx))))
}

// MemGetInfo returns free and total memory in bytes.
func (c calls) MemGetInfo() (free, total uint64, err error) {
	f, t, err := cu.MemInfo()
	return uint64(f), uint64(t), c.failure(cuapi.MemGetInfo, err)
}

// MemAlloc allocates n bytes of device memory.
func (c calls) MemAlloc(n uint64) (cuapi.DevicePtr, error) {
	p, err := cu.MemAlloc(int64(n))
	return cuapi.DevicePtr(p), c.failure(cuapi.MemAlloc, err)
}

// MemFree frees memory.
func (c calls) MemFree(p cuapi.DevicePtr) error {
	return c.failure(cuapi.MemFree, cu.MemFree(address(p)))
}

// MemcpyHtoDAsync queues a copy from page-locked memory.
func (c calls) MemcpyHtoDAsync(dst cuapi.DevicePtr, src cuapi.HostPtr, n uint64, s cuapi.Stream) error {
	return c.failure(cuapi.MemcpyHtoDAsync, cu.MemcpyHtoDAsync(address(dst), pointer(src), int64(n), stream(s)))
}

// MemcpyDtoHAsync queues a copy to page-locked memory.
func (c calls) MemcpyDtoHAsync(dst cuapi.HostPtr, src cuapi.DevicePtr, n uint64, s cuapi.Stream) error {
	return c.failure(cuapi.MemcpyDtoHAsync, cu.MemcpyDtoHAsync(pointer(dst), address(src), int64(n), stream(s)))
}

// MemcpyAsync queues a copy between addresses.
func (c calls) MemcpyAsync(dst, src cuapi.DevicePtr, n uint64, s cuapi.Stream) error {
	return c.failure(cuapi.MemcpyAsync, cu.MemcpyAsync(address(dst), address(src), int64(n), stream(s)))
}

// MemsetAsync queues a fill of count elements of 1, 2 or 4 bytes.
func (c calls) MemsetAsync(dst cuapi.DevicePtr, value uint32, width int, count uint64, s cuapi.Stream) error {
	switch width {
	case 1:
		return c.failure(cuapi.MemsetD8Async, cu.MemsetD8Async(address(dst), byte(value), int64(count), stream(s)))
	case 2:
		return c.failure(cuapi.MemsetD16Async, cu.MemsetD16Async(address(dst), uint16(value), int64(count), stream(s)))
	}
	return c.failure(cuapi.MemsetD32Async, cu.MemsetD32Async(address(dst), uint(value), int64(count), stream(s)))
}

// MemsetD2Async queues a fill of rows of count elements of 1, 2 or 4 bytes.
func (c calls) MemsetD2Async(dst cuapi.DevicePtr, pitch uint64, value uint32, width int, count, rows uint64, s cuapi.Stream) error {
	p, step, n, m := address(dst), int64(pitch), int64(count), int64(rows)
	switch width {
	case 1:
		return c.failure(cuapi.MemsetD2D8Async, cu.MemsetD2D8Async(p, step, byte(value), n, m, stream(s)))
	case 2:
		return c.failure(cuapi.MemsetD2D16Async, cu.MemsetD2D16Async(p, step, uint16(value), n, m, stream(s)))
	}
	return c.failure(cuapi.MemsetD2D32Async, cu.MemsetD2D32Async(p, step, uint(value), n, m, stream(s)))
}

// ModuleLoadDataEx loads an image and returns what the driver's compiler said.
func (c calls) ModuleLoadDataEx(image []byte, settings []cuapi.JITSetting) (cuapi.Module, string, error) {
	const room = 64 << 10 // for each log
	info, errors := make([]byte, room), make([]byte, room)
	options := []cu.JITOption{&cu.JITInfoLogBuffer{Buffer: info}, &cu.JITErrorLogBuffer{Buffer: errors}}
	for _, s := range settings {
		if o := option(s); o != nil {
			options = append(options, o)
		}
	}
	m, err := cu.LoadDataEx(string(image), options...)
	return cuapi.Module(word(m)), cuapi.JITLog(info, errors), c.failure(cuapi.ModuleLoadDataEx, err)
}

// option is one of the driver's compiler's options as gorgonia's; nil for one that package nvidia does not use.
func option(s cuapi.JITSetting) cu.JITOption {
	switch s.Option {
	case cuapi.JITOptimizationLevel:
		return &cu.JITOptimizationLevel{Value: uint(s.Value)}
	case cuapi.JITMaxRegisters:
		return &cu.JITMaxRegisters{Value: uint(s.Value)}
	case cuapi.JITTarget:
		return &cu.JITTarget{Value: cu.JITTargetOption(s.Value)}
	case cuapi.JITFallback:
		return &cu.JITFallbackStrategy{Value: cu.JITFallbackOption(s.Value)}
	case cuapi.JITGenerateDebugInfo:
		return &cu.JITGenerateDebugInfo{Enabled: s.Value != 0}
	case cuapi.JITGenerateLineInfo:
		return &cu.JITGenerateLineInfo{Enabled: s.Value != 0}
	}
	return nil
}

// ModuleUnload unloads a module.
func (c calls) ModuleUnload(m cuapi.Module) error {
	return c.failure(cuapi.ModuleUnload, module(m).Unload())
}

// ModuleGetFunction finds a kernel.
func (c calls) ModuleGetFunction(m cuapi.Module, name string) (cuapi.Function, error) {
	f, err := module(m).Function(name)
	return cuapi.Function(word(f)), c.failure(cuapi.ModuleGetFunction, err)
}

// ModuleGetGlobal finds a variable.
func (c calls) ModuleGetGlobal(m cuapi.Module, name string) (cuapi.DevicePtr, uint64, error) {
	p, n, err := module(m).Global(name)
	return cuapi.DevicePtr(p), uint64(n), c.failure(cuapi.ModuleGetGlobal, err)
}

// LaunchKernel queues a kernel in a context. What gorgonia cannot launch (see arguments) the library launches.
func (c calls) LaunchKernel(ctx cuapi.Context, k cuapi.Launch) error {
	args, ok := arguments(&k)
	if !ok {
		return c.lib.LaunchKernel(ctx, k)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := c.CtxSetCurrent(ctx); err != nil {
		return err
	}
	err := handle[cu.Function](uintptr(k.Function)).Launch(int(k.GridX), int(k.GridY), int(k.GridZ), int(k.X), int(k.Y), int(k.Z),
		int(k.SharedBytes), stream(k.Stream), args)
	return c.failure(cuapi.LaunchKernel, err)
}

// StreamCreateWithPriority makes a stream.
func (c calls) StreamCreateWithPriority(flags, priority int) (cuapi.Stream, error) {
	s, err := cu.MakeStreamWithPriority(priority, cu.StreamFlags(flags))
	return cuapi.Stream(word(s)), c.failure(cuapi.StreamCreateWithPriority, err)
}

// StreamDestroy destroys a stream.
func (c calls) StreamDestroy(s cuapi.Stream) error {
	theirs := stream(s)
	return c.failure(cuapi.StreamDestroy, theirs.Destroy())
}

// StreamSynchronize waits for the work of a stream.
func (c calls) StreamSynchronize(s cuapi.Stream) error {
	return c.failure(cuapi.StreamSynchronize, stream(s).Synchronize())
}

// StreamQuery asks whether there is work.
func (c calls) StreamQuery(s cuapi.Stream) error {
	return c.failure(cuapi.StreamQuery, stream(s).Query())
}

// StreamWaitEvent makes later work of the stream wait for the event.
func (c calls) StreamWaitEvent(s cuapi.Stream, e cuapi.Event) error {
	return c.failure(cuapi.StreamWaitEvent, stream(s).Wait(event(e), 0))
}

// EventCreate makes an event.
func (c calls) EventCreate(flags int) (cuapi.Event, error) {
	e, err := cu.MakeEvent(cu.EventFlags(flags))
	return cuapi.Event(word(e)), c.failure(cuapi.EventCreate, err)
}

// EventDestroy destroys an event.
func (c calls) EventDestroy(e cuapi.Event) error {
	theirs := event(e)
	return c.failure(cuapi.EventDestroy, cu.DestroyEvent(&theirs))
}

// EventRecord puts the event into the stream.
func (c calls) EventRecord(e cuapi.Event, s cuapi.Stream) error {
	return c.failure(cuapi.EventRecord, event(e).Record(stream(s)))
}

// EventQuery asks whether the event is pending.
func (c calls) EventQuery(e cuapi.Event) error {
	return c.failure(cuapi.EventQuery, event(e).Query())
}

// EventSynchronize waits for the event.
func (c calls) EventSynchronize(e cuapi.Event) error {
	return c.failure(cuapi.EventSynchronize, event(e).Synchronize())
}

// EventElapsedTime returns the milliseconds from a to b.
func (c calls) EventElapsedTime(a, b cuapi.Event) (float32, error) {
	ms, err := event(a).Elapsed(event(b))
	return float32(ms), c.failure(cuapi.EventElapsedTime, err)
}
