// Package cuda runs CUDA C++ kernels from Go: on an NVIDIA GPU when there is one, and on the cores of the CPU, the host
// device, when there is none, with the same program and the same results.
//
// A program opens a Device, compiles source to a Module, takes a Function out of it and launches that over a grid of
// blocks. Arguments are Go scalars and structures, Go slices wrapped by In, Out or InOut, which are copied, and Buffers,
// which stay on the device. Compiling needs NVIDIA's NVRTC library, which is found at run time; Load takes PTX and
// needs nothing.
//
// # Order and waiting
//
// Work on one Stream is done in the order of the calls. Between streams only events order. A call without a stream uses
// the device's default stream; a copy, and Run, without a stream first waits for whatever was queued on the buffers it
// touches. A context.Context bounds a wait: when it ends, the call returns, and queued work goes on, except that Run
// also stops its own kernel on devices that can stop one (the host device).
//
// # Concurrency
//
// Every object may be used from any goroutine. Close during use waits for nothing and takes effect afterwards.
//
// # Ownership
//
// Everything with state on a device has a Close method, which may be called twice and from anywhere. Nobody has to call
// it: what is dropped is freed after the garbage collector found it, once all work that could use it is done. Much new
// device memory brings that forward, and running out of it makes it happen at once. The exception is HostBuffer, whose
// memory is visible through plain Go slices: it is freed by Close or with its device.
//
// # Errors
//
// Failed calls of a device return an *Error, source that does not compile a *CompileError; the Err variables are for
// errors.Is, and Diagnose explains an error in words. On every device these five guarantees hold:
//
//  1. A call that returns an error has created nothing, and changed nothing that the caller can see. After a failed
//     launch the slices in Out and InOut are unchanged.
//  2. No error is dropped. What a cleanup cannot return is kept by the device and returned by Device.Close.
//  3. A fault in a kernel is sticky: the first wait returns it with the launch that caused it, every later call on the
//     device returns an error that wraps ErrPoisoned and the fault. Closing still works. On the host device,
//     Device.Reset makes the device usable again.
//  4. In doubt, memory is leaked until the device closes rather than freed while a device may still use it.
//  5. The package never ends the process, never logs, and does not panic on bad input.
//
// # Arguments
//
// Arguments are checked before a launch, on every device: their number, and of each its size and whether it is an
// integer or a floating point number. Pointers carry no type in PTX. For kernels compiled from source, names of
// parameters, element types behind pointers and members of structures are read from the debug information of a second
// compile; that is made when a kernel is first launched with device memory or a structure, or when an argument is
// first refused, and kept in NVRTC's cache on disk. A kernel loaded from PTX is checked by what its PTX tells.
package cuda
