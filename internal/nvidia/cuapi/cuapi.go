// Package cuapi is the CUDA driver API as C sees it: libcuda found and opened, its entry points looked up when they are
// first called, one typed Go method for each, and nothing else.
//
// The table of entry points (table.go) holds for each the symbols under which drivers export it, newest first, with the
// C parameter lists of cuda.h; `make abi` holds it against NVIDIA's header and library. Symbols are looked up by their
// full versioned names, which is what the library's ABI consists of: header macros such as cuMemAlloc for cuMemAlloc_v2
// play no part, and neither does cuGetProcAddress, which finds nothing that the loader does not.
//
// Methods call on the current thread and change nothing about it. Unless a method says otherwise, the context that is
// current on the thread must be the one of its handles, so callers lock the thread first. Handles are not checked: a
// stale one may crash the process, as in C.
package cuapi

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/tandem-go/tandem/internal/dl"
)

// Handles and addresses of the driver, as wide as a pointer. Only 64-bit platforms have a driver.
type (
	// Device is a CUdevice, an ordinal in disguise.
	Device int32
	// Context is a CUcontext.
	Context uintptr
	// Stream is a CUstream.
	Stream uintptr
	// Event is a CUevent.
	Event uintptr
	// Module is a CUmodule.
	Module uintptr
	// Function is a CUfunction.
	Function uintptr
	// DevicePtr is a CUdeviceptr.
	DevicePtr uintptr
	// HostPtr is an address of page-locked host memory that belongs to the driver.
	HostPtr uintptr
	// Result is a CUresult.
	Result uint32
)

// Library is an open driver library. Its methods may be called from any goroutine.
type Library struct {
	path   string
	lookup func(symbol string) (dl.Func, error)

	start    sync.Once
	startErr error

	mu      sync.Mutex // held while a symbol is looked up
	funcs   [entries]atomic.Uintptr
	symbols [entries]atomic.Pointer[string]
}

// New returns the library whose symbols lookup finds; path names it in messages.
func New(path string, lookup func(symbol string) (dl.Func, error)) *Library {
	return &Library{path: path, lookup: lookup}
}

// Path is the file or name under which the library was opened.
func (l *Library) Path() string { return l.path }

// Start calls cuInit, once.
func (l *Library) Start() error {
	l.start.Do(func() { l.startErr = l.call(Init, dl.NewFrame().Int(0)) })
	return l.startErr
}

// Has reports whether the driver exports an entry point.
func (l *Library) Has(e Entry) bool {
	_, err := l.resolve(e)
	return err == nil
}

// resolve finds the address of an entry point.
func (l *Library) resolve(e Entry) (dl.Func, error) {
	if fn := l.funcs[e].Load(); fn != 0 {
		return dl.Func(fn), nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range table[e] {
		s := &table[e][i]
		if fn, err := l.lookup(s.Name); err == nil && fn != 0 {
			l.symbols[e].Store(&s.Name)
			l.funcs[e].Store(uintptr(fn))
			return fn, nil
		}
	}
	return 0, &MissingError{Library: l.path, Symbols: e.Symbols(), Driver: l.version(e)}
}

// version is the driver's version for an error message about the lack of e. It must not resolve e again.
func (l *Library) version(e Entry) int {
	if e == DriverGetVersion {
		return 0
	}
	fn, err := l.lookup(table[DriverGetVersion][0].Name)
	if err != nil || fn == 0 {
		return 0
	}
	var v int32
	dl.NewFrame().Int32(&v).Call(fn) // a failure leaves 0, which the message leaves out
	return int(v)
}

// call calls an entry point. The error is nil, a *CallError or a *MissingError.
func (l *Library) call(e Entry, f *dl.Frame) error {
	fn, err := l.resolve(e)
	if err != nil {
		return err
	}
	if r := Result(uint32(f.Call(fn))); r != Success {
		return &CallError{Symbol: *l.symbols[e].Load(), Result: r, library: l}
	}
	return nil
}

// CallError is a call that returned anything but CUDA_SUCCESS.
type CallError struct {
	// Symbol is the function called, such as "cuMemAlloc_v2".
	Symbol string
	// Result is what it returned.
	Result  Result
	library *Library
}

// Error returns "cuMemAlloc_v2: CUDA_ERROR_OUT_OF_MEMORY (2): out of memory", in the driver's words.
func (e *CallError) Error() string {
	name, text := e.library.Describe(e.Result)
	if name == "" {
		name = "CUresult"
	}
	s := fmt.Sprintf("%s: %s (%d)", e.Symbol, name, e.Result)
	if text != "" {
		s += ": " + text
	}
	return s
}

// Describe returns the driver's name and text of a result, from its library; empty where the driver does not know it.
func (e *CallError) Describe() (name, text string) { return e.library.Describe(e.Result) }

// MissingError is a function that the driver does not export: it is older than the function.
type MissingError struct {
	// Library is the driver library and Driver its version as CUDA encodes it, 0 if unknown.
	Library string
	Driver  int
	// Symbols are the names looked for.
	Symbols []string
}

// Error returns "the driver (libcuda.so.1, CUDA 12.2) does not export cuFuncGetParamInfo".
func (e *MissingError) Error() string {
	version := ""
	if e.Driver > 0 {
		version = fmt.Sprintf(", CUDA %d.%d", e.Driver/1000, e.Driver%1000/10)
	}
	return fmt.Sprintf("the driver (%s%s) does not export %s", e.Library, version, oneOf(e.Symbols))
}

func oneOf(names []string) string {
	s := names[0]
	for _, n := range names[1:] {
		s += " or " + n
	}
	return s
}
