// Package driver is the contract between package cuda and its back ends: bytes, handles, status codes and capabilities,
// no policy and no behaviour.
//
// Two back ends implement it, internal/nvidia and internal/hostdev; driver/drivertest holds the checks that both pass,
// driver/faultdrv wraps either and lets the n-th call fail. Five guarantees hold for every method:
//
//  1. A call that returns an error has created nothing and changed nothing that the caller can see.
//  2. Every object may be used from any goroutine. Calls on one stream from several goroutines take effect in some order.
//  3. Work on one stream happens in the order of the calls; between streams only events order.
//  4. A kernel fault is sticky: after one, every call on the device that touches it returns an error that wraps the same
//     *Fault, until Reset. Free, destroy and query calls of handles still succeed.
//  5. No method panics on bad input or ends the process.
//
// Errors are a Status, or wrap one: errors.As(err, &status) finds it.
package driver

import (
	"io"
	"time"

	"github.com/tandem-go/tandem/internal/ksig"
)

// Handles of a device's objects. Zero is no object, except that Stream zero is the device's default stream. A handle is
// valid for the device that made it only; a stale or foreign handle is InvalidHandle (a host pointer: InvalidValue).
type (
	// Ptr is an address in the device's address space. Page-locked host memory has one as well.
	Ptr uint64
	// Stream is a queue of work. All streams are non-blocking in CUDA's sense, Stream zero included.
	Stream uint64
	// Event marks a point in a stream.
	Event uint64
	// Module is a loaded image.
	Module uint64
	// Function is a kernel of a module. It is valid until the module is unloaded.
	Function uint64
	// Ticket names one launch for Cancel; zero on devices that cannot stop kernels.
	Ticket uint64
)

// Backend is one way to reach devices.
type Backend interface {
	// Name is "nvidia" or "host".
	Name() string
	// Devices lists the devices without opening one. A device that is there but cannot be used is listed with Unusable
	// set. No driver or no device gives an empty list and an error that wraps ErrNoBackend; a driver that is there but
	// broken gives any other error.
	Devices() ([]Info, error)
	// Open opens a device: its (primary) context and default stream. Opening twice gives two Devices.
	Open(ordinal int) (Device, error)
}

// Info describes a device.
type Info struct {
	// Ordinal is the number that Open takes.
	Ordinal int
	// Name is the device's name, such as "NVIDIA H200" or the CPU's model name.
	Name string
	// Unusable says why the device cannot be opened; nil if it can.
	Unusable error
	// ComputeMajor and ComputeMinor are the compute capability; 7.5 for the host device.
	ComputeMajor, ComputeMinor int
	// TotalBytes is the size of device memory in bytes: for the host device, its capacity.
	TotalBytes uint64
	// DriverVersion is the driver's version as CUDA encodes it (12040 is 12.4); 0 for the host device.
	DriverVersion int
	// UUID is the device's unique id, all zero if it has none.
	UUID [16]byte
	// PCIBusID is the PCI address such as "0000:3b:00.0", empty if it has none.
	PCIBusID string
}

// Caps says what a device can do where devices differ.
type Caps struct {
	// StopsKernels: Cancel ends a running launch.
	StopsKernels bool
	// BlockRanges: Launch accepts a part of the grid (Launch.First, Launch.Count).
	BlockRanges bool
	// HostPointers: page-locked memory and device memory are the same memory, so that copies between them cost memory
	// bandwidth only and a kernel may read either at full speed.
	HostPointers bool
	// LoadsPTX and LoadsCubin: the image kinds LoadModule accepts.
	LoadsPTX, LoadsCubin bool
	// MemoryPools: NewPool and what goes with it.
	MemoryPools bool
	// Checks: Launch accepts Launch.Checks and Launch.Cover, and the Device is a Checker.
	Checks bool
	// Peers: the Device is a Peer. Clusters: Launch accepts Launch.Cluster, and Clusters answers.
	Peers, Clusters bool
	// PrintsToStdout: device printf goes to the process's standard output, whatever SetOutput says.
	PrintsToStdout bool
}

// Dim3 is an extent in three dimensions.
type Dim3 struct{ X, Y, Z uint32 }

// Count is the number of elements of the extent. It does not overflow for legal grids and blocks.
func (d Dim3) Count() uint64 { return uint64(d.X) * uint64(d.Y) * uint64(d.Z) }

// Launch describes one kernel launch.
type Launch struct {
	// Function is the kernel.
	Function Function
	// Grid is the whole grid in blocks, Block the block in threads. All six are at least 1.
	Grid, Block Dim3
	// First and Count select the blocks to run, in the order of their linear index (x fastest). Count zero runs them
	// all. The kernel sees the whole grid's %nctaid and its true %ctaid. Needs Caps.BlockRanges unless all are run, and may
	// be NotSupported for a kernel even so: a part that is cooperative, or a kernel that the device cannot change for it.
	First, Count uint64
	// SharedBytes is the dynamic shared memory of each block in bytes.
	SharedBytes uint32
	// Stream is the queue.
	Stream Stream
	// Cooperative asks that all blocks be resident at once, so that they may wait for each other.
	Cooperative bool
	// Cluster is the extent in blocks of the groups of blocks that share memory with each other; zero for none. Grid is a
	// multiple of it (InvalidValue). NotSupported unless Caps.Clusters.
	Cluster Dim3
	// Early lets the launch begin before the work queued before on the stream has ended: the kernel waits for that itself
	// (griddepcontrol.wait). Devices that cannot do it keep the order.
	Early bool
	// Checks are tools that watch this launch, besides those of the device. Cover counts executions of source lines. Both
	// need Caps.Checks.
	Checks Checks
	Cover  bool
	// Params is the parameter block, laid out as the kernel's signature says. It is read before Launch returns.
	Params []byte
}

// ModuleOptions says how LoadModule treats an image.
type ModuleOptions struct {
	// Name is the file name that diagnostics and faults use for positions in the PTX text; empty means "ptx".
	Name string
	// OptLevel is the JIT's optimisation level 0 to 4, where 0 means the default.
	OptLevel int
	// MaxRegisters bounds registers of a thread, 0 for no bound. The host device ignores it.
	MaxRegisters int
	// Debug and LineInfo ask the JIT for debug and line information.
	Debug, LineInfo bool
	// Target is the compute capability to compile PTX for, as 80 for 8.0; 0 is the device's. PreferBinary prefers compatible
	// machine code to PTX where an image has none for the device itself. The host device ignores both, Link the latter.
	Target       int
	PreferBinary bool
	// PTX is the text that a cubin or fatbin was made from, if the caller has it: launches of parts of a grid are made
	// from it where the hardware has none. It is not read of PTX images, and must not change.
	PTX []byte
}

// FunctionInfo describes a loaded kernel.
type FunctionInfo struct {
	// Signature is what the device itself knows of the parameters; nil if it knows nothing.
	Signature *ksig.Signature
	// MaxThreads is the largest number of threads of a block for this kernel.
	MaxThreads int
	// SharedBytes, ConstBytes and LocalBytes are its static shared memory, its module's constant memory, and the local
	// memory of each thread, in bytes.
	SharedBytes, ConstBytes, LocalBytes int
	// Registers is the number of 32 bit registers of a thread, 0 on the host device.
	Registers int
	// Engine names what executed the kernel last on the host device, such as "interp"; empty before the first launch, and
	// on a GPU.
	Engine string
	// Executed is how many operations of lanes the kernel has executed on the host device, and InGo how many of these Go
	// executed in place of machine code: where that is counted, in launches of at most some extents of the block.
	Executed, InGo uint64
	// PTXVersion and BinaryVersion are ten times the major plus the minor version, 0 if there is none.
	PTXVersion, BinaryVersion int
}

// Device is an open device.
type Device interface {
	// Info and Caps do not change while the device is open.
	Info() Info
	Caps() Caps
	// Attribute returns a CUdevice_attribute by CUDA's number; InvalidValue if the device has none.
	Attribute(a Attribute) (int, error)
	// MemInfo returns free and total device memory in bytes.
	MemInfo() (free, total uint64, err error)
	// Close ends all use of the device: it waits for running work (where StopsKernels, it stops it), frees everything,
	// and returns the first error that no caller has seen. A second Close does nothing.
	Close() error
	// Reset gives a fresh context after a fault: all handles are gone. NotSupported where the context is shared.
	Reset() error
	// Err is the sticky fault, or nil.
	Err() error
	// SetOutput sets where device printf goes, nil to discard it. It is written to during waits only.
	SetOutput(w io.Writer)

	Memory
	Images
	Pools
	Managed
	Streams
	Graphs
	Modules
	Code
	Control

	// Launch queues one launch. An error is about the launch itself: InvalidValue for extents or ranges, LaunchOutOfResources
	// for too many threads or too much shared memory, InvalidHandle. What happens in the kernel is reported by waits.
	Launch(l *Launch) (Ticket, error)
	// Cancel stops a launch that has not ended: queued work of it is dropped, running blocks end within 50 ms. It does not
	// wait. The stream goes on with what is queued behind, and waits report no error for it. Unknown tickets are ignored.
	// NotSupported unless Caps.StopsKernels.
	Cancel(t Ticket) error
}

// MemoryKind says what memory is.
type MemoryKind uint8

// The kinds of memory: of Alloc and AllocAsync, AllocHost, RegisterHost, AllocManaged, of a module's variables, and of somebody
// else's allocation in the device's context.
const (
	DeviceKind MemoryKind = iota + 1
	HostKind
	RegisteredKind
	ManagedKind
	ModuleKind
	ForeignKind
)

// Location is a piece of memory.
type Location struct {
	Kind MemoryKind
	// Base is its first byte and Bytes its length.
	Base  Ptr
	Bytes uint64
	// Host is where the host finds the first byte; 0 if it cannot reach it.
	Host uintptr
}

// Memory is the part of a Device that deals with bytes.
type Memory interface {
	// Alloc returns n > 0 bytes of device memory, aligned to 256 bytes, contents undefined.
	Alloc(n uint64) (Ptr, error)
	// Free frees memory from Alloc. It takes effect after the work that was queued before the call on any stream.
	Free(p Ptr) error
	// AllocHost returns n > 0 bytes of page-locked host memory, visible to the device at the returned address.
	AllocHost(n uint64) (Ptr, []byte, error)
	// FreeHost frees memory from AllocHost. The caller vouches that no queued work uses it.
	FreeHost(p Ptr) error
	// Locate says in which memory of this device an address lies; InvalidValue if in none.
	Locate(p Ptr) (Location, error)

	// Write queues a copy of src to dst. src has been read when Write returns.
	Write(dst Ptr, src []byte, s Stream) error
	// Read waits for the work queued on s so far and copies from src to dst; dst is complete when it returns nil and
	// unchanged otherwise.
	Read(dst []byte, src Ptr, s Stream) error
	// Copy queues a copy of n bytes between device addresses, page-locked host memory included.
	// InvalidValue if the ranges overlap.
	Copy(dst, src Ptr, n uint64, s Stream) error
	// Fill queues a fill of count elements with the low width bytes (1, 2 or 4) of value. dst is aligned to width.
	Fill(dst Ptr, value uint32, width int, count uint64, s Stream) error
}

// Streams is the part of a Device that deals with order and time.
type Streams interface {
	// NewStream makes a non-blocking stream. Lower numbers have higher priority; devices clamp it.
	NewStream(priority int) (Stream, error)
	// DestroyStream releases the handle; queued work goes on.
	DestroyStream(s Stream) error
	// Synchronize blocks until the work queued on s so far is done, and returns the sticky fault if there is one.
	Synchronize(s Stream) error
	// Query returns nil if all work of s is done, NotReady if not.
	Query(s Stream) error
	// NewEvent makes an event. Without timing it is cheaper and Elapsed refuses it.
	NewEvent(timing bool) (Event, error)
	// DestroyEvent releases the handle.
	DestroyEvent(e Event) error
	// Record puts the event into the stream; an earlier record of it is forgotten.
	Record(e Event, s Stream) error
	// WaitEvent makes work queued on s later wait for the last record of e so far. An event never recorded is no wait.
	WaitEvent(s Stream, e Event) error
	// QueryEvent returns nil if the last record of e has happened or there was none, NotReady if it is pending.
	QueryEvent(e Event) error
	// SynchronizeEvent blocks until the last record of e has happened.
	SynchronizeEvent(e Event) error
	// Elapsed is the time from the record of a to the record of b. NotReady if either is pending.
	Elapsed(a, b Event) (time.Duration, error)
	// HostFunc queues a call of f on some goroutine. Work queued behind waits for it. f must not call the device.
	HostFunc(s Stream, f func()) error
}

// Modules is the part of a Device that deals with code.
type Modules interface {
	// LoadModule loads PTX text, or a cubin or fatbin where Caps.LoadsCubin. log is the JIT's or checker's messages,
	// also on success. Bad PTX is InvalidPTX, an image without code for this device NoBinaryForGPU.
	LoadModule(image []byte, o ModuleOptions) (m Module, log string, err error)
	// UnloadModule frees the module after the work queued before the call.
	UnloadModule(m Module) error
	// Function finds a kernel by its PTX symbol; NotFound.
	Function(m Module, name string) (Function, error)
	// FunctionInfo describes a kernel.
	FunctionInfo(f Function) (FunctionInfo, error)
	// Global finds a module-scope variable by its PTX symbol: address and size in bytes; NotFound.
	Global(m Module, name string) (Ptr, uint64, error)
}
