package driver

// Native is what a Device has besides if its objects are those of CUDA's driver API: a GPU's. What it returns stays the
// device's; a stale handle is InvalidHandle.
type Native interface {
	// NativeContext is the CUcontext, NativeStream the CUstream, and so on. The default stream is 0.
	NativeContext() (uintptr, error)
	NativeStream(s Stream) (uintptr, error)
	NativeEvent(e Event) (uintptr, error)
	NativeModule(m Module) (uintptr, error)
	NativeFunction(f Function) (uintptr, error)
	// AdoptStream makes a CUstream of this device's context known, whose owner keeps it until DestroyStream and all work on
	// it are over. AdoptEvent does the same for a CUevent.
	AdoptStream(native uintptr) (Stream, error)
	AdoptEvent(native uintptr) (Event, error)
}
