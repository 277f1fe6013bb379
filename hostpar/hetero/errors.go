package hetero

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

var (
	// ErrDeclaration: a kernel, grid or argument that cannot be split as declared. Nothing was run.
	ErrDeclaration = errors.New("cannot be split as declared")
	// ErrRevoked: a device is told that its chunk was taken back.
	ErrRevoked = errors.New("chunk was taken back")
	// ErrDeviceLost: errors of Feed.Do that wrap it take the device out of the run at once.
	ErrDeviceLost = errors.New("device lost")
	// ErrHung: a chunk took several times as long as predicted.
	ErrHung = errors.New("device hangs")
	// ErrNoDevice: no device of the pool can run the kernel.
	ErrNoDevice = errors.New("no device for this kernel")
	// ErrMismatch: two devices computed different results; see RunConfig.Shadow.
	ErrMismatch = errors.New("devices disagree")
	// ErrClosed: the pool was closed.
	ErrClosed = errors.New("already closed")
)

// ChunkError is a chunk that failed on a device.
type ChunkError struct {
	// Device is the name of the device, Range the items of the chunk, Attempt how often they were tried, from 1.
	Device  string
	Range   Range
	Attempt int
	Err     error
}

// Error returns device, items, attempt and cause.
func (e *ChunkError) Error() string {
	return fmt.Sprintf("items %v on %s (attempt %d): %v", e.Range, e.Device, e.Attempt, e.Err)
}

// Unwrap returns the cause.
func (e *ChunkError) Unwrap() error { return e.Err }

// RunError is a run that did not do all items. The other items are done and committed.
type RunError struct {
	// Kernel is the kernel's name.
	Kernel string
	// Undone are the items that do not count as done, in order and apart from each other. InOut rows of them are what they
	// were, unless there is a *StuckError; Out rows may have been written in part.
	Undone []Range
	// Errs are the reasons: the cause of the context's end, and each *ChunkError that nothing made good.
	Errs []error
}

// Error names the undone items and the first reasons.
func (e *RunError) Error() string {
	n := 0
	for _, r := range e.Undone {
		n += r.Hi - r.Lo
	}
	var b strings.Builder
	fmt.Fprintf(&b, "run %s: %d items not done", e.Kernel, n)
	for i, r := range e.Undone {
		if i == 4 {
			fmt.Fprintf(&b, " and %d more ranges", len(e.Undone)-i)
			break
		}
		fmt.Fprintf(&b, " %v", r)
	}
	for i, err := range e.Errs {
		if i == 3 {
			fmt.Fprintf(&b, "; and %d more errors", len(e.Errs)-i)
			break
		}
		fmt.Fprintf(&b, "; %v", err)
	}
	return b.String()
}

// Unwrap returns the reasons.
func (e *RunError) Unwrap() []error { return e.Errs }

// StuckError is a body in Go that did not return when told so. It may still write the rows of its items: the slices of the
// run must not be used before it ends.
type StuckError struct {
	// Device is the name of the device, Range the items, After how long the body had been running.
	Device string
	Range  Range
	After  time.Duration
}

// Error names device and items.
func (e *StuckError) Error() string {
	return fmt.Sprintf("items %v on %s: the body was told to stop and has not returned after %v; its rows are unsafe", e.Range, e.Device, e.After)
}

// ShadowError is a chunk whose results differ between two devices. Neither was committed.
type ShadowError struct {
	// Range is the items, Devices are the names of the two.
	Range   Range
	Devices [2]string
}

// Error names the items and the devices.
func (e *ShadowError) Error() string {
	return fmt.Sprintf("items %v: %v: the results of %s and %s are not the same bits", e.Range, ErrMismatch, e.Devices[0], e.Devices[1])
}

// Unwrap returns ErrMismatch.
func (e *ShadowError) Unwrap() error { return ErrMismatch }
