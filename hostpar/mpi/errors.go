package mpi

import (
	"errors"
	"fmt"
)

// What the errors of this package wrap.
var (
	// ErrRank is a rank that the communicator does not have.
	ErrRank = errors.New("no such rank")
	// ErrRoot is a root that the communicator does not have.
	ErrRoot = errors.New("no such root")
	// ErrTag is a tag that is negative or above MaxTag.
	ErrTag = errors.New("tag out of range")
	// ErrCount is a buffer, count or displacement that does not fit the others.
	ErrCount = errors.New("counts do not fit")
	// ErrTruncated is a message that is longer than the buffer that was to receive it. The buffer's contents are undefined.
	ErrTruncated = errors.New("message is longer than the buffer")
	// ErrType is a message of other elements than those of the buffer, or of an object of another type. Between ranks on
	// goroutines every difference is found; in an MPI library that of buffers only where the sizes show it.
	ErrType = errors.New("types differ")
	// ErrOperator is an operator that does not serve the element type.
	ErrOperator = errors.New("operator does not serve this element type")
	// ErrMismatch is ranks that are in different collective operations of one communicator, or give different arguments.
	// Ranks on goroutines see most such mistakes; in an MPI library those are seen that move much data (from 64 KiB on), and
	// others end with the context, or with what the library makes of them.
	ErrMismatch = errors.New("ranks are in different collective operations")
	// ErrBusy is a collective call on a communicator in which another goroutine of this rank has one under way.
	ErrBusy = errors.New("another collective operation is under way here; use Dup for a second communicator")
	// ErrNotLocked is an Unlock of what this rank has not locked.
	ErrNotLocked = errors.New("not locked by this rank")
	// ErrBroken is a collective call on a communicator in which an earlier one was canceled or failed.
	ErrBroken = errors.New("communicator is broken by an earlier collective operation")
	// ErrClosed is a call on a closed communicator.
	ErrClosed = errors.New("communicator is closed")
	// ErrFinalized is a call after the function given to Run or Local has returned.
	ErrFinalized = errors.New("called after the end of Run")
	// ErrUnfinished is a rank that ends with a message under way that nobody receives. The job is aborted.
	ErrUnfinished = errors.New("rank ends")
	// ErrAborted is returned by waits in a job of goroutines in which another rank has failed.
	ErrAborted = errors.New("job is aborted")
	// ErrRankGone is a wait for a rank whose function has returned.
	ErrRankGone = errors.New("rank has ended")
	// ErrBufferChanged is a buffer that was changed while an operation used it. Only programs built with -race see it: of
	// what is sent always, of what is received where the transport can tell.
	ErrBufferChanged = errors.New("buffer was changed while it was in use")
	// ErrCanceled is a request that Cancel has withdrawn.
	ErrCanceled = errors.New("request is canceled")
	// ErrNoLibrary is the absence of an MPI library.
	ErrNoLibrary = errors.New("no MPI library")
	// ErrLauncher is an MPI library that is not the launcher's.
	ErrLauncher = errors.New("the MPI library does not belong to the launcher of this process")
	// ErrLibrary is a failure that only the MPI library knows; the text is the library's.
	ErrLibrary = errors.New("MPI library reports a failure")
)

// Error is a failed operation. It unwraps to one of the values above.
type Error struct {
	// Op is the operation, such as "Recv".
	Op string
	// Rank is the caller's rank in the communicator.
	Rank int
	// Code is the library's error code; 0 if the library was not asked.
	Code int
	// Err wraps one of the values above and says what was wrong.
	Err error
}

// Error names the operation, the rank and what went wrong.
func (e *Error) Error() string { return fmt.Sprintf("mpi: %s on rank %d: %v", e.Op, e.Rank, e.Err) }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// fail wraps a failure of an operation of this rank; nil stays nil, and what is an *Error already stays what it is.
func (c *Comm) fail(op string, err error) error {
	if err == nil {
		return nil
	}
	var coded *libraryError
	code := 0
	if errors.As(err, &coded) {
		code = coded.code
	}
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	return &Error{Op: op, Rank: c.rank, Code: code, Err: err}
}

// libraryError is a code that the MPI library has returned, with its text.
type libraryError struct {
	code int
	kind error
	text string
}

func (e *libraryError) Error() string { return fmt.Sprintf("%v: %s", e.kind, e.text) }
func (e *libraryError) Unwrap() error { return e.kind }
