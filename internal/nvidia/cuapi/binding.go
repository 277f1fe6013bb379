package cuapi

// Calls are the calls that another binding of the driver may make in place of a Library: contexts, device memory, copies, code,
// streams and events. What the methods of Library say of each holds here as well, and errors are Library.Failure's.
type Calls interface {
	DevicePrimaryCtxRetain(d Device) (Context, error)
	DevicePrimaryCtxRelease(d Device) error
	CtxSetCurrent(c Context) error

	MemGetInfo() (free, total uint64, err error)
	MemAlloc(n uint64) (DevicePtr, error)
	MemFree(p DevicePtr) error
	MemcpyHtoDAsync(dst DevicePtr, src HostPtr, n uint64, s Stream) error
	MemcpyDtoHAsync(dst HostPtr, src DevicePtr, n uint64, s Stream) error
	MemcpyAsync(dst, src DevicePtr, n uint64, s Stream) error
	MemsetAsync(dst DevicePtr, value uint32, width int, count uint64, s Stream) error
	MemsetD2Async(dst DevicePtr, pitch uint64, value uint32, width int, count, rows uint64, s Stream) error

	ModuleLoadDataEx(image []byte, settings []JITSetting) (m Module, log string, err error)
	ModuleUnload(m Module) error
	ModuleGetFunction(m Module, name string) (Function, error)
	ModuleGetGlobal(m Module, name string) (DevicePtr, uint64, error)
	LaunchKernel(c Context, k Launch) error

	StreamCreateWithPriority(flags, priority int) (Stream, error)
	StreamDestroy(s Stream) error
	StreamSynchronize(s Stream) error
	StreamQuery(s Stream) error
	StreamWaitEvent(s Stream, e Event) error

	EventCreate(flags int) (Event, error)
	EventDestroy(e Event) error
	EventRecord(e Event, s Stream) error
	EventQuery(e Event) error
	EventSynchronize(e Event) error
	EventElapsedTime(a, b Event) (float32, error)
}

// Driver is the driver as its callers see it: Calls, which may be another binding's, and all else that a Library calls.
type Driver struct {
	Calls // its methods hide the Library's, which lie one level deeper
	remaining
}

type remaining struct{ *Library }

// Driver is the library with some of its calls made by another binding; nil stands for the library itself.
func (l *Library) Driver(c Calls) *Driver {
	if c == nil {
		c = l
	}
	return &Driver{c, remaining{l}}
}

// Failure is the error for what an entry point returned to another binding; nil for success.
func (l *Library) Failure(e Entry, r Result) error {
	if r == Success {
		return nil
	}
	return &CallError{Symbol: e.String(), Result: r, library: l}
}
