package cuapi

import (
	"math"

	"github.com/tandem-go/tandem/internal/dl"
)

// DriverGetVersion returns the newest CUDA version that the driver supports, as CUDA encodes it. It needs no Start.
func (l *Library) DriverGetVersion() (int, error) {
	v := new(int32)
	err := l.call(DriverGetVersion, dl.NewFrame().Int32(v))
	return int(*v), err
}

// Describe returns the driver's name and text of a result; both empty where the driver does not know it. It needs
// neither Start nor a context.
func (l *Library) Describe(r Result) (name, text string) {
	return l.describe(GetErrorName, r), l.describe(GetErrorString, r)
}

func (l *Library) describe(e Entry, r Result) string {
	fn, err := l.resolve(e)
	if err != nil {
		return ""
	}
	p := new(uintptr)
	if Result(uint32(dl.NewFrame().Int(uintptr(r)).Word(p).Call(fn))) != Success {
		return ""
	}
	return dl.GoString(*p)
}

// DeviceGetCount returns the number of devices. This and the other calls on devices need Start and no context.
func (l *Library) DeviceGetCount() (int, error) {
	n := new(int32)
	err := l.call(DeviceGetCount, dl.NewFrame().Int32(n))
	return int(*n), err
}

// DeviceGet returns the device of an ordinal.
func (l *Library) DeviceGet(ordinal int) (Device, error) {
	d := new(int32)
	err := l.call(DeviceGet, dl.NewFrame().Int32(d).Int(uintptr(ordinal)))
	return Device(*d), err
}

// DeviceGetName returns the device's name.
func (l *Library) DeviceGetName(d Device) (string, error) {
	b := make([]byte, 256)
	err := l.call(DeviceGetName, dl.NewFrame().Bytes(b).Int(uintptr(len(b))).Int(uintptr(d)))
	return cString(b), err
}

// DeviceTotalMem returns the size of device memory in bytes.
func (l *Library) DeviceTotalMem(d Device) (uint64, error) {
	n := new(uintptr)
	err := l.call(DeviceTotalMem, dl.NewFrame().Word(n).Int(uintptr(d)))
	return uint64(*n), err
}

// DeviceGetAttribute returns an attribute by its number in CUdevice_attribute.
func (l *Library) DeviceGetAttribute(attribute int, d Device) (int, error) {
	v := new(int32)
	err := l.call(DeviceGetAttribute, dl.NewFrame().Int32(v).Int(uintptr(attribute)).Int(uintptr(d)))
	return int(*v), err
}

// DeviceGetUuid returns the device's unique id.
func (l *Library) DeviceGetUuid(d Device) (id [16]byte, err error) {
	b := make([]byte, len(id))
	err = l.call(DeviceGetUuid, dl.NewFrame().Bytes(b).Int(uintptr(d)))
	return [16]byte(b), err
}

// DeviceGetPCIBusId returns the device's PCI address, such as "0000:3B:00.0".
func (l *Library) DeviceGetPCIBusId(d Device) (string, error) {
	b := make([]byte, 32)
	err := l.call(DeviceGetPCIBusId, dl.NewFrame().Bytes(b).Int(uintptr(len(b))).Int(uintptr(d)))
	return cString(b), err
}

// DevicePrimaryCtxRetain makes the device's primary context if need be and counts one more user of it.
func (l *Library) DevicePrimaryCtxRetain(d Device) (Context, error) {
	c := new(uintptr)
	err := l.call(DevicePrimaryCtxRetain, dl.NewFrame().Word(c).Int(uintptr(d)))
	return Context(*c), err
}

// DevicePrimaryCtxRelease counts one user less and destroys the context with the last.
func (l *Library) DevicePrimaryCtxRelease(d Device) error {
	return l.call(DevicePrimaryCtxRelease, dl.NewFrame().Int(uintptr(d)))
}

// CtxSetCurrent makes the context the one of the calling thread.
func (l *Library) CtxSetCurrent(c Context) error {
	return l.call(CtxSetCurrent, dl.NewFrame().Int(uintptr(c)))
}

// MemGetInfo returns free and total memory of the context's device in bytes.
func (l *Library) MemGetInfo() (free, total uint64, err error) {
	v := make([]uintptr, 2)
	err = l.call(MemGetInfo, dl.NewFrame().Word(&v[0]).Word(&v[1]))
	return uint64(v[0]), uint64(v[1]), err
}

// MemAlloc allocates n bytes of device memory.
func (l *Library) MemAlloc(n uint64) (DevicePtr, error) {
	p := new(uintptr)
	err := l.call(MemAlloc, dl.NewFrame().Word(p).Int(uintptr(n)))
	return DevicePtr(*p), err
}

// MemFree frees memory from MemAlloc.
func (l *Library) MemFree(p DevicePtr) error { return l.call(MemFree, dl.NewFrame().Int(uintptr(p))) }

// MemGetAddressRange returns the allocation in which p lies.
func (l *Library) MemGetAddressRange(p DevicePtr) (base DevicePtr, size uint64, err error) {
	v := make([]uintptr, 2)
	err = l.call(MemGetAddressRange, dl.NewFrame().Word(&v[0]).Word(&v[1]).Int(uintptr(p)))
	return DevicePtr(v[0]), uint64(v[1]), err
}

// PointerGetAttribute returns an attribute, of up to eight bytes, of the memory in which p lies.
func (l *Library) PointerGetAttribute(attribute int, p DevicePtr) (uint64, error) {
	v := new(uintptr)
	err := l.call(PointerGetAttribute, dl.NewFrame().Word(v).Int(uintptr(attribute)).Int(uintptr(p)))
	return uint64(*v), err
}

// MemHostAlloc allocates n bytes of page-locked host memory.
func (l *Library) MemHostAlloc(n uint64, flags int) (HostPtr, error) {
	p := new(uintptr)
	err := l.call(MemHostAlloc, dl.NewFrame().Word(p).Int(uintptr(n)).Int(uintptr(flags)))
	return HostPtr(*p), err
}

// MemHostGetDevicePointer returns the address at which the device sees page-locked memory.
func (l *Library) MemHostGetDevicePointer(h HostPtr) (DevicePtr, error) {
	p := new(uintptr)
	err := l.call(MemHostGetDevicePointer, dl.NewFrame().Word(p).Int(uintptr(h)).Int(0))
	return DevicePtr(*p), err
}

// MemFreeHost frees memory from MemHostAlloc.
func (l *Library) MemFreeHost(h HostPtr) error {
	return l.call(MemFreeHost, dl.NewFrame().Int(uintptr(h)))
}

// MemcpyHtoDAsync queues a copy from page-locked memory.
func (l *Library) MemcpyHtoDAsync(dst DevicePtr, src HostPtr, n uint64, s Stream) error {
	return l.call(MemcpyHtoDAsync, dl.NewFrame().Int(uintptr(dst)).Int(uintptr(src)).Int(uintptr(n)).Int(uintptr(s)))
}

// MemcpyDtoHAsync queues a copy to page-locked memory.
func (l *Library) MemcpyDtoHAsync(dst HostPtr, src DevicePtr, n uint64, s Stream) error {
	return l.call(MemcpyDtoHAsync, dl.NewFrame().Int(uintptr(dst)).Int(uintptr(src)).Int(uintptr(n)).Int(uintptr(s)))
}

// MemcpyAsync queues a copy between addresses of the unified address space.
func (l *Library) MemcpyAsync(dst, src DevicePtr, n uint64, s Stream) error {
	return l.call(MemcpyAsync, dl.NewFrame().Int(uintptr(dst)).Int(uintptr(src)).Int(uintptr(n)).Int(uintptr(s)))
}

// MemcpyPeerAsync queues a copy between memory of two contexts, on a stream of the current one.
func (l *Library) MemcpyPeerAsync(dst DevicePtr, to Context, src DevicePtr, from Context, n uint64, s Stream) error {
	return l.call(MemcpyPeerAsync,
		dl.NewFrame().Int(uintptr(dst)).Int(uintptr(to)).Int(uintptr(src)).Int(uintptr(from)).Int(uintptr(n)).Int(uintptr(s)))
}

// MemsetAsync queues a fill of count elements of 1, 2 or 4 bytes.
func (l *Library) MemsetAsync(dst DevicePtr, value uint32, width int, count uint64, s Stream) error {
	e := MemsetD32Async
	switch width {
	case 1:
		e, value = MemsetD8Async, uint32(uint8(value))
	case 2:
		e, value = MemsetD16Async, uint32(uint16(value))
	}
	return l.call(e, dl.NewFrame().Int(uintptr(dst)).Int(uintptr(value)).Int(uintptr(count)).Int(uintptr(s)))
}

// StreamCreateWithPriority makes a stream.
func (l *Library) StreamCreateWithPriority(flags, priority int) (Stream, error) {
	s := new(uintptr)
	err := l.call(StreamCreateWithPriority, dl.NewFrame().Word(s).Int(uintptr(flags)).Int(uintptr(priority)))
	return Stream(*s), err
}

// StreamDestroy destroys a stream; the driver frees it when its work is done.
func (l *Library) StreamDestroy(s Stream) error {
	return l.call(StreamDestroy, dl.NewFrame().Int(uintptr(s)))
}

// StreamSynchronize waits for the work of a stream.
func (l *Library) StreamSynchronize(s Stream) error {
	return l.call(StreamSynchronize, dl.NewFrame().Int(uintptr(s)))
}

// StreamQuery returns NotReady as a *CallError while there is work.
func (l *Library) StreamQuery(s Stream) error {
	return l.call(StreamQuery, dl.NewFrame().Int(uintptr(s)))
}

// StreamWaitEvent makes later work of the stream wait for the event.
func (l *Library) StreamWaitEvent(s Stream, e Event) error {
	return l.call(StreamWaitEvent, dl.NewFrame().Int(uintptr(s)).Int(uintptr(e)).Int(0))
}

// LaunchHostFunc queues a call of the C function fn with data.
func (l *Library) LaunchHostFunc(s Stream, fn, data uintptr) error {
	return l.call(LaunchHostFunc, dl.NewFrame().Int(uintptr(s)).Int(fn).Int(data))
}

// EventCreate makes an event.
func (l *Library) EventCreate(flags int) (Event, error) {
	e := new(uintptr)
	err := l.call(EventCreate, dl.NewFrame().Word(e).Int(uintptr(flags)))
	return Event(*e), err
}

// EventDestroy destroys an event; the driver frees it when it has happened.
func (l *Library) EventDestroy(e Event) error {
	return l.call(EventDestroy, dl.NewFrame().Int(uintptr(e)))
}

// EventRecord puts the event into the stream.
func (l *Library) EventRecord(e Event, s Stream) error {
	return l.call(EventRecord, dl.NewFrame().Int(uintptr(e)).Int(uintptr(s)))
}

// EventQuery returns NotReady as a *CallError while the event is pending.
func (l *Library) EventQuery(e Event) error { return l.call(EventQuery, dl.NewFrame().Int(uintptr(e))) }

// EventSynchronize waits for the event.
func (l *Library) EventSynchronize(e Event) error {
	return l.call(EventSynchronize, dl.NewFrame().Int(uintptr(e)))
}

// EventElapsedTime returns the milliseconds from a to b.
func (l *Library) EventElapsedTime(a, b Event) (float32, error) {
	ms := new(int32) // the bits of a float
	err := l.call(EventElapsedTime, dl.NewFrame().Int32(ms).Int(uintptr(a)).Int(uintptr(b)))
	return math.Float32frombits(uint32(*ms)), err
}

// ModuleUnload unloads a module.
func (l *Library) ModuleUnload(m Module) error {
	return l.call(ModuleUnload, dl.NewFrame().Int(uintptr(m)))
}

// ModuleGetFunction finds a kernel. The name has no zero byte.
func (l *Library) ModuleGetFunction(m Module, name string) (Function, error) {
	f := new(uintptr)
	err := l.call(ModuleGetFunction, dl.NewFrame().Word(f).Int(uintptr(m)).String(name))
	return Function(*f), err
}

// ModuleGetGlobal finds a variable. The name has no zero byte.
func (l *Library) ModuleGetGlobal(m Module, name string) (DevicePtr, uint64, error) {
	v := make([]uintptr, 2)
	err := l.call(ModuleGetGlobal, dl.NewFrame().Word(&v[0]).Word(&v[1]).Int(uintptr(m)).String(name))
	return DevicePtr(v[0]), uint64(v[1]), err
}

// ModuleFunctions returns all kernels of a module (cuModuleGetFunctionCount, cuModuleEnumerateFunctions).
func (l *Library) ModuleFunctions(m Module) ([]Function, error) {
	n := new(int32)
	if err := l.call(ModuleGetFunctionCount, dl.NewFrame().Int32(n).Int(uintptr(m))); err != nil || *n == 0 {
		return nil, err
	}
	words := make([]uintptr, *n)
	if err := l.call(ModuleEnumerateFunctions, dl.NewFrame().Words(words).Int(uintptr(*n)).Int(uintptr(m))); err != nil {
		return nil, err
	}
	fs := make([]Function, len(words))
	for i, w := range words {
		fs[i] = Function(w)
	}
	return fs, nil
}

// FuncLoad loads a kernel's code onto the device, if that has not been done.
func (l *Library) FuncLoad(f Function) error { return l.call(FuncLoad, dl.NewFrame().Int(uintptr(f))) }

// FuncGetAttribute returns an attribute of a kernel.
func (l *Library) FuncGetAttribute(a FuncAttribute, f Function) (int, error) {
	v := new(int32)
	err := l.call(FuncGetAttribute, dl.NewFrame().Int32(v).Int(uintptr(a)).Int(uintptr(f)))
	return int(*v), err
}

// FuncSetAttribute sets an attribute of a kernel.
func (l *Library) FuncSetAttribute(f Function, a FuncAttribute, v int) error {
	return l.call(FuncSetAttribute, dl.NewFrame().Int(uintptr(f)).Int(uintptr(a)).Int(uintptr(v)))
}

// FuncGetParamInfo returns offset and size in bytes of parameter i; InvalidValue behind the last.
func (l *Library) FuncGetParamInfo(f Function, i int) (offset, size int, err error) {
	v := make([]uintptr, 2)
	err = l.call(FuncGetParamInfo, dl.NewFrame().Int(uintptr(f)).Int(uintptr(i)).Word(&v[0]).Word(&v[1]))
	return int(v[0]), int(v[1]), err
}

// cString is the text before the first zero byte.
func cString(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}
