package driver

import (
	"errors"
	"fmt"
	"strings"
)

// ErrNoBackend says that a back end has no driver library or no device at all, which is normal on a machine without one.
var ErrNoBackend = errors.New("no device of this kind")

// Status is a CUresult of the CUDA driver API; both back ends use its numbers. Success is never returned as an error.
type Status uint32

// The statuses that back ends produce themselves. Others come from the driver and keep their number.
const (
	Success               Status = 0
	InvalidValue          Status = 1
	OutOfMemory           Status = 2
	NotInitialized        Status = 3
	Deinitialized         Status = 4
	NoDevice              Status = 100
	InvalidDevice         Status = 101
	InvalidImage          Status = 200
	InvalidContext        Status = 201
	NoBinaryForGPU        Status = 209
	UnsupportedLimit      Status = 215
	PeerAccessUnsupported Status = 217
	InvalidPTX            Status = 218
	UnsupportedPTX        Status = 222
	InvalidSource         Status = 300
	SharedObjectInit      Status = 303
	OperatingSystem       Status = 304
	InvalidHandle         Status = 400
	IllegalState          Status = 401
	NotFound              Status = 500
	NotReady              Status = 600
	IllegalAddress        Status = 700
	LaunchOutOfResources  Status = 701
	LaunchTimeout         Status = 702
	PeerAccessEnabled     Status = 704
	PeerAccessNotEnabled  Status = 705
	Assert                Status = 710
	TooManyPeers          Status = 711
	HardwareStackError    Status = 714
	IllegalInstruction    Status = 715
	MisalignedAddress     Status = 716
	InvalidAddressSpace   Status = 717
	InvalidPC             Status = 718
	LaunchFailed          Status = 719
	CooperativeTooLarge   Status = 720
	NotPermitted          Status = 800
	NotSupported          Status = 801
	SystemDriverMismatch  Status = 803
	CompatNotSupported    Status = 804
	CaptureUnsupported    Status = 900
	CaptureMerge          Status = 902
	CaptureUnmatched      Status = 903
	CaptureUnjoined       Status = 904
	CaptureIsolation      Status = 905
	CapturedEvent         Status = 907
	Timeout               Status = 909
	InvalidClusterSize    Status = 912
	Unknown               Status = 999
)

// Error returns CUDA's name and number, such as "CUDA_ERROR_ILLEGAL_ADDRESS (700)".
func (s Status) Error() string { return fmt.Sprintf("%s (%d)", s.Name(), uint32(s)) }

// Name returns CUDA's name of the status, such as "CUDA_ERROR_ILLEGAL_ADDRESS".
func (s Status) Name() string {
	if t, ok := statusTexts[s]; ok {
		return t.name
	}
	return "CUDA_ERROR"
}

// Text says in words what the status means, empty if that is not known here.
func (s Status) Text() string { return statusTexts[s].text }

// Sticky reports whether the status leaves the context unusable (driver manual, CUresult: "the process must be
// terminated and relaunched").
func (s Status) Sticky() bool { return s == IllegalAddress || s == Assert || s >= 714 && s <= 719 }

// Fault is what went wrong inside a kernel. It unwraps to its Status.
type Fault struct {
	Status Status
	// Kernel is the PTX symbol of the entry; empty where the device does not tell (a GPU).
	Kernel string
	// Block and Thread are the coordinates of the lowest faulting thread of the warp. Valid if Located.
	Block, Thread Dim3
	Located       bool
	// PTXFile and PTXLine are the position in the PTX text, SourceFile and SourceLine that in the CUDA source (from
	// -lineinfo). Lines are 0 where unknown.
	PTXFile    string
	PTXLine    int
	SourceFile string
	SourceLine int
	// Access is "read", "write", "atomic" or empty when no memory access is involved; Addr and Size say which bytes.
	Access string
	Addr   uint64
	Size   int
	// Space is the PTX state space of the access: "global", "shared", "local", "const", "param" or "generic".
	Space string
	// Detail says what is wrong in words, such as "12 bytes past the end of an allocation of 400 bytes".
	Detail string
}

// Unwrap returns the status.
func (f *Fault) Unwrap() error { return f.Status }

// Error names the status, kernel, block, thread and lines.
func (f *Fault) Error() string {
	var b strings.Builder
	b.WriteString(f.Status.Error())
	if f.Access != "" {
		fmt.Fprintf(&b, ": %s of %d bytes at %#x", f.Access, f.Size, f.Addr)
		if f.Space != "" {
			fmt.Fprintf(&b, " (%s)", f.Space)
		}
	}
	if f.Detail != "" {
		fmt.Fprintf(&b, ": %s", f.Detail)
	}
	if f.Kernel != "" {
		fmt.Fprintf(&b, ": in kernel %s", f.Kernel)
	}
	if f.Located {
		fmt.Fprintf(&b, ", block (%d,%d,%d), thread (%d,%d,%d)",
			f.Block.X, f.Block.Y, f.Block.Z, f.Thread.X, f.Thread.Y, f.Thread.Z)
	}
	if f.SourceLine > 0 {
		fmt.Fprintf(&b, ", %s:%d", f.SourceFile, f.SourceLine)
	}
	if f.PTXLine > 0 {
		fmt.Fprintf(&b, ", %s:%d", f.PTXFile, f.PTXLine)
	}
	return b.String()
}
