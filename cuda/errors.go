package cuda

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/kargs"
)

// Sentinels for errors.Is. Errors of this package wrap them.
var (
	// ErrNoDevice: there is no device of the kind that was asked for.
	ErrNoDevice = errors.New("no such device")
	// ErrGPUUnusable: there is an NVIDIA driver or GPU, and it fails.
	ErrGPUUnusable = errors.New("the GPU cannot be used")
	// ErrOutOfMemory: device memory is used up, also after everything dropped was freed.
	ErrOutOfMemory = errors.New("out of device memory")
	// ErrPoisoned: a kernel faulted earlier, and the device takes no more work. The error wraps the fault too.
	ErrPoisoned = errors.New("the device was poisoned by an earlier fault")
	// ErrClosed: the object, or its device, was closed.
	ErrClosed = errors.New("already closed")
	// ErrLength: two lengths that must agree differ, or a range lies outside.
	ErrLength = errors.New("wrong length")
	// ErrNotSupported: this device or this build cannot do it.
	ErrNotSupported = errors.New("not supported")
	// ErrInvalidValue: an extent, a size or a configuration is out of its range.
	ErrInvalidValue = errors.New("invalid value")
	// ErrArgument: a kernel argument does not fit its parameter.
	ErrArgument = errors.New("argument does not fit the kernel")
	// ErrNotFound: a module has no kernel or variable of that name.
	ErrNotFound = errors.New("no such name")
	// ErrWrongDevice: an object of another device was given.
	ErrWrongDevice = errors.New("object of another device")
	// ErrInvalidPTX: PTX text, or inline assembly, that does not compile for the device.
	ErrInvalidPTX = errors.New("invalid PTX")
	// ErrNoBinary: the image has no code for this device.
	ErrNoBinary = errors.New("no code for this device")
	// ErrIllegalAddress: a kernel accessed memory that is not its own.
	ErrIllegalAddress = errors.New("illegal address")
	// ErrNoCompiler: NVRTC was not found; the error lists where it was looked for.
	ErrNoCompiler = errors.New("NVRTC not found")
	// ErrCapture: the stream is captured and the call cannot be, or a capture was used wrongly.
	ErrCapture = errors.New("not possible in or without a stream capture")
	// ErrLink: pieces of code do not fit together.
	ErrLink = errors.New("cannot be linked")
	// ErrUnfinished: the work has not ended yet.
	ErrUnfinished = errors.New("not finished")
)

// sentinels maps statuses to what errors.Is finds.
var sentinels = map[driver.Status]error{
	driver.InvalidValue:          ErrInvalidValue,
	driver.OutOfMemory:           ErrOutOfMemory,
	driver.Deinitialized:         ErrClosed,
	driver.NoDevice:              ErrNoDevice,
	driver.InvalidDevice:         ErrNoDevice,
	driver.NoBinaryForGPU:        ErrNoBinary,
	driver.InvalidPTX:            ErrInvalidPTX,
	driver.NotFound:              ErrNotFound,
	driver.NotReady:              ErrUnfinished,
	driver.IllegalAddress:        ErrIllegalAddress,
	driver.LaunchOutOfResources:  ErrInvalidValue,
	driver.NotSupported:          ErrNotSupported,
	driver.CooperativeTooLarge:   ErrInvalidValue,
	driver.InvalidClusterSize:    ErrInvalidValue,
	driver.PeerAccessUnsupported: ErrNotSupported,
	driver.TooManyPeers:          ErrNotSupported,
	driver.CaptureUnsupported:    ErrCapture,
	driver.CaptureMerge:          ErrCapture,
	driver.CaptureUnmatched:      ErrCapture,
	driver.CaptureUnjoined:       ErrCapture,
	driver.CaptureIsolation:      ErrCapture,
	driver.CapturedEvent:         ErrCapture,
	driver.IllegalState:          ErrCapture,
	driver.UnsupportedLimit:      ErrNotSupported,
}

// Error is a call that a device refused or could not do, or a fault of a kernel.
type Error struct {
	// Op is the call as the program made it, such as "alloc 400 bytes" or "launch saxpy".
	Op string
	// Device is the name of the device.
	Device string
	// Code is CUDA's number of the error and Name its name, such as 700 and CUDA_ERROR_ILLEGAL_ADDRESS.
	Code int
	Name string
	// Detail says more in words, several lines of it where a log was written; it may be empty.
	Detail string
	// Fault says what happened in the kernel; nil if no kernel was at fault.
	Fault *Fault

	wraps []error
}

// Error returns "op on device: name (code): detail".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Device != "" {
		b.WriteString(" on " + e.Device)
	}
	fmt.Fprintf(&b, ": %s (%d)", e.Name, e.Code)
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	return b.String()
}

// Unwrap returns the sentinel and the cause.
func (e *Error) Unwrap() []error { return e.wraps }

// Fault says where and how a kernel failed. A GPU tells only that it did.
type Fault struct {
	// Kernel is the kernel; empty if the device does not tell.
	Kernel string
	// Located is whether Block and Thread are known: the lowest thread of the faulting warp.
	Located       bool
	Block, Thread Dim3
	// SourceFile and SourceLine are the position in the CUDA source, PTXFile and PTXLine that in the PTX; lines are 0
	// where unknown.
	SourceFile string
	SourceLine int
	PTXFile    string
	PTXLine    int
	// Access is "read", "write" or "atomic"; empty if no memory access failed. Addr and Size say which bytes.
	Access string
	Addr   uint64
	Size   int
	// Param is the parameter that the address belongs to, -1 if that is not known; ParamName is its name in the source.
	Param     int
	ParamName string
}

// poisoned is what later calls return: the operation and the fault that came before it.
type poisoned struct {
	op    string
	fault *Error
}

// Error returns "op: the device was poisoned by an earlier fault: fault".
func (p *poisoned) Error() string {
	return fmt.Sprintf("%s: %v: %v", p.op, ErrPoisoned, p.fault)
}

// Unwrap returns ErrPoisoned and the fault.
func (p *poisoned) Unwrap() []error { return []error{ErrPoisoned, p.fault} }

// wrap is the one place where an error of a back end becomes an error of this package. It returns nil for nil.
func (c *core) wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	var fault *driver.Fault
	if errors.As(err, &fault) {
		return c.faulted(op, fault)
	}
	var status driver.Status
	if !errors.As(err, &status) {
		return fmt.Errorf("%s on %s: %w", op, c.name, err)
	}
	if status.Sticky() {
		return c.faulted(op, &driver.Fault{Status: status})
	}
	return c.refusal(op, status, detail(status, err))
}

// detail is what err says beyond the status, or what the status means.
func detail(status driver.Status, err error) string {
	text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), status.Error()), ": ")
	if text = strings.TrimSuffix(strings.TrimSuffix(text, status.Error()), ": "); text == "" {
		return status.Text()
	}
	return text
}

// refusal is an error without a fault.
func (c *core) refusal(op string, status driver.Status, detail string) *Error {
	e := &Error{Op: op, Device: c.name, Code: int(status), Name: status.Name(), Detail: detail, wraps: []error{status}}
	if s := sentinels[status]; s != nil {
		e.wraps = append(e.wraps, s)
	}
	return e
}

// faulted makes the error of a kernel fault. The first call of a device gets the fault itself, later ones ErrPoisoned.
func (c *core) faulted(op string, f *driver.Fault) error {
	if first := c.fault.Load(); first != nil {
		return &poisoned{op, first}
	}
	e := c.describe(op, f)
	if !c.fault.CompareAndSwap(nil, e) {
		return &poisoned{op, c.fault.Load()}
	}
	return e
}

// describe turns a fault of the back end into an error that names the launch and the parameter.
func (c *core) describe(op string, f *driver.Fault) *Error {
	public := &Fault{
		Kernel: f.Kernel, Located: f.Located, Block: dim3(f.Block), Thread: dim3(f.Thread),
		SourceFile: f.SourceFile, SourceLine: f.SourceLine, PTXFile: f.PTXFile, PTXLine: f.PTXLine,
		Access: f.Access, Addr: f.Addr, Size: f.Size, Param: -1,
	}
	if f.Kernel != "" {
		op = "launch " + f.Kernel
	}
	if k := c.recent.kernel(f.Kernel); k != nil {
		op = k.op
		// NVRTC puts the folder in which it ran before the name.
		if strings.HasSuffix(f.SourceFile, "/"+k.file) {
			public.SourceFile = k.file
		}
	}
	var b strings.Builder
	if use, ok := c.recent.find(f); ok {
		public.Param, public.ParamName = use.index, use.param
		b.WriteString(use.explain(f) + ", ")
	} else if f.Access != "" {
		fmt.Fprintf(&b, "%s of %d bytes at %#x, ", f.Access, f.Size, f.Addr)
		if f.Detail != "" {
			b.WriteString(f.Detail + ", ")
		}
	} else if f.Detail != "" {
		b.WriteString(f.Detail + ", ")
	}
	if f.Kernel == "" {
		if names := c.recent.names(); names != "" {
			b.WriteString("the kernel is one of the last launches: " + names + ", ")
		}
	}
	b.WriteString(public.where())
	text := strings.TrimSuffix(b.String(), ", ")
	if text == "" {
		text = f.Status.Text()
	}
	e := c.refusal(op, f.Status, text)
	e.Fault = public
	e.wraps = append(e.wraps, f)
	return e
}

// where names the place of the fault.
func (f *Fault) where() string {
	var parts []string
	if f.Located {
		parts = append(parts, fmt.Sprintf("block %v, thread %v", f.Block, f.Thread))
	}
	if f.SourceLine > 0 {
		parts = append(parts, fmt.Sprintf("%s:%d", f.SourceFile, f.SourceLine))
	}
	if f.PTXLine > 0 {
		parts = append(parts, fmt.Sprintf("%s:%d", f.PTXFile, f.PTXLine))
	}
	return strings.Join(parts, ", ")
}

func dim3(d driver.Dim3) Dim3 { return Dim3{int(d.X), int(d.Y), int(d.Z)} }

// argumentError is a refused argument of a launch.
type argumentError struct {
	op  string
	err *kargs.Error
}

// Error returns "launch saxpy: parameter 1 (a): want float32, have float64; use float32(x)".
func (e *argumentError) Error() string { return e.op + ": " + e.err.Error() }

// Unwrap returns ErrArgument.
func (e *argumentError) Unwrap() error { return ErrArgument }

// misuse is a call that cannot be made, found before any device was asked.
type misuse struct {
	op, msg  string
	sentinel error
}

// Error returns "op: message".
func (e *misuse) Error() string { return e.op + ": " + e.msg }

// Unwrap returns the sentinel.
func (e *misuse) Unwrap() error { return e.sentinel }

func misused(op string, sentinel error, format string, args ...any) error {
	return &misuse{op, fmt.Sprintf(format, args...), sentinel}
}
