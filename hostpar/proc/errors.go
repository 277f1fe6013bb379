package proc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"sync"
	"syscall"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
	"github.com/tandem-go/tandem/hostpar/par"
)

var (
	// ErrNoMain reports that a process was to be started and Main has not been called: the child would not know what it is.
	ErrNoMain = errors.New("proc: call proc.Main first in main and in TestMain")
	// ErrDaemonChild reports that a daemon process wanted to start another.
	ErrDaemonChild = errors.New("proc: a daemon process must not start processes")
	// ErrTooDeep reports processes that start each other without end.
	ErrTooDeep = errors.New("proc: too many generations of processes")
	// ErrClosed reports the use of something closed. It is also par.ErrClosed.
	ErrClosed = fmt.Errorf("proc: %w", par.ErrClosed)
	// ErrWorkerDied is what every *WorkerError is.
	ErrWorkerDied = errors.New("proc: worker process died")
	// ErrTimeout reports a task that took longer than its time limit. It is also context.DeadlineExceeded.
	ErrTimeout = fmt.Errorf("proc: time limit of the task: %w", context.DeadlineExceeded)
	// ErrMemoryLimit reports a task whose worker took more memory than allowed.
	ErrMemoryLimit = errors.New("proc: memory limit of the worker")
	// ErrMismatch reports a worker that is another program, or has registered other functions.
	ErrMismatch = errors.New("proc: worker has registered different functions")
	// ErrFunc reports a Func that was not made by Register, or whose registration failed.
	ErrFunc = errors.New("proc: function cannot be called in other processes")
)

// Reason is why a worker ended.
type Reason uint8

const (
	// Exited means that it ended by itself, by os.Exit or a fatal error.
	Exited Reason = iota
	// Signaled means that somebody else, or the system, killed it.
	Signaled
	// TimedOut means that it was killed as its task exceeded the time limit.
	TimedOut
	// OutOfMemory means that it was killed as it exceeded the memory limit.
	OutOfMemory
	// Canceled means that it was killed as its task did not end when cancelled.
	Canceled
)

// String returns the reason in lower case.
func (r Reason) String() string {
	if names := [...]string{"exited", "killed by a signal", "time limit", "memory limit", "cancelled"}; int(r) < len(names) {
		return names[r]
	}
	return fmt.Sprintf("reason(%d)", uint8(r))
}

// WorkerError reports the death of the process that ran a task.
type WorkerError struct {
	// Func is the name of the function.
	Func string
	// Worker is the name of the process, PID its number.
	Worker string
	PID    int
	// Reason is why it ended.
	Reason Reason
	// ExitCode is its status if it exited by itself, else -1.
	ExitCode int
	// Signal is what killed it, 0 if nothing did.
	Signal syscall.Signal
	// Executions is how often the task was begun.
	Executions int
}

// Error tells what ran where and how it ended.
func (e *WorkerError) Error() string {
	how := fmt.Sprintf("exit status %d", e.ExitCode)
	switch {
	case e.Reason == TimedOut || e.Reason == OutOfMemory || e.Reason == Canceled:
		how = e.Reason.String()
	case e.Signal != 0:
		how = "signal: " + e.Signal.String()
	}
	s := fmt.Sprintf("proc: worker %s (process %d) died in %s: %s", e.Worker, e.PID, e.Func, how)
	if e.Executions > 1 {
		s += fmt.Sprintf(" (execution %d)", e.Executions)
	}
	return s
}

// Is reports whether the error is ErrWorkerDied, or ErrTimeout, ErrMemoryLimit or context.Canceled by its reason.
func (e *WorkerError) Is(target error) bool {
	switch target {
	case ErrWorkerDied:
		return true
	case ErrTimeout, context.DeadlineExceeded:
		return e.Reason == TimedOut
	case ErrMemoryLimit:
		return e.Reason == OutOfMemory
	case context.Canceled:
		return e.Reason == Canceled
	default:
		return false
	}
}

// RemoteError is an error or a panic of a function in another process.
type RemoteError struct {
	// Func is the name of the function.
	Func string
	// Type is the Go type of the error or of the value of the panic.
	Type string
	// Message is the text of the error or of the value of the panic.
	Message string
	// Stack is the stack of a panic; nil for an error.
	Stack []byte

	is    []error
	cause error // the error itself, if it could be passed
}

// Error returns the message, and the stack of a panic.
func (e *RemoteError) Error() string {
	if e.Stack == nil {
		return fmt.Sprintf("%s: %s", e.Func, e.Message)
	}
	return fmt.Sprintf("%s: panic in a worker process: %s\n\n%s", e.Func, e.Message, e.Stack)
}

// Is reports whether the error was, over there, a well-known one such as context.Canceled, io.EOF or fs.ErrNotExist, or
// one given to RegisterError.
func (e *RemoteError) Is(target error) bool {
	for _, err := range e.is {
		if err == target {
			return true
		}
	}
	return false
}

// Unwrap returns the error itself if its type was registered with RegisterType.
func (e *RemoteError) Unwrap() error { return e.cause }

// known are errors that keep their identity in other processes. Both sides have them in the same order.
var known = struct {
	sync.RWMutex
	errs []error
}{errs: []error{
	context.Canceled, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, os.ErrDeadlineExceeded,
	fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid, fs.ErrClosed, errors.ErrUnsupported,
	par.ErrClosed, par.ErrFull, par.ErrEmpty, par.ErrTaskDone, par.ErrNotLocked, par.ErrBrokenBarrier, par.ErrGoexit,
	ErrNoMain, ErrDaemonChild, ErrTooDeep, ErrClosed, ErrWorkerDied, ErrTimeout, ErrMemoryLimit, codec.ErrType, codec.ErrCorrupt,
	ErrNoKey, ErrManagerGone, ErrToken,
}}

// RegisterError lets an error be recognised with errors.Is when it comes back from another process. Call it where the
// error is declared, at package level, so that all processes know it under the same number.
func RegisterError(err error) error {
	known.Lock()
	defer known.Unlock()
	known.errs = append(known.errs, err)
	return err
}

// RegisterType lets values of type T travel inside interfaces, and errors of type T come back as they are, for errors.As.
// Call it at package level: var _ = proc.RegisterType[Shape](). It fails for types that cannot be passed.
func RegisterType[T any]() error { return codec.RegisterType(reflect.TypeFor[T]()) }

var anyCodec = sync.OnceValue(func() codec.Codec[any] {
	c, _ := codec.Of[any]() // an interface has always a plan
	return c
})

// encodeError writes an error or a *par.PanicError of a function.
func encodeError(e *codec.Encoder, err error) {
	var p *par.PanicError
	panicked := errors.As(err, &p)
	var value any = err
	if panicked {
		value = p.Value
	}
	e.String(fmt.Sprintf("%T", value))
	e.String(message(value))
	if panicked {
		e.Bytes(append(p.Stack, '\n'))
	} else {
		e.Bytes(nil)
	}
	known.RLock()
	var is []int
	for i, k := range known.errs {
		if errors.Is(err, k) {
			is = append(is, i)
		}
	}
	known.RUnlock()
	e.Uvarint(uint64(len(is)))
	for _, i := range is {
		e.Uvarint(uint64(i))
	}
	var whole codec.Encoder
	if anyCodec().Encode(&whole, &value) != nil || len(whole.Files) > 0 || !isError(value) {
		e.Bytes(nil)
		return
	}
	e.Bytes(whole.Buf)
}

func isError(v any) bool {
	_, ok := v.(error)
	return ok
}

// message is fmt.Sprint, which calls methods of the user's that may panic on their own account.
func message(v any) (s string) {
	defer func() {
		if recover() != nil {
			s = fmt.Sprintf("%T (its text cannot be had)", v)
		}
	}()
	return fmt.Sprint(v)
}

func decodeError(d *codec.Decoder, name string) error {
	r := &RemoteError{Func: name}
	var err error
	if r.Type, err = d.String(); err != nil {
		return err
	}
	if r.Message, err = d.String(); err != nil {
		return err
	}
	stack, err := d.Bytes()
	if err != nil {
		return err
	}
	if len(stack) > 0 {
		r.Stack = append([]byte(nil), stack...)
	}
	n, err := d.Uvarint()
	if err != nil {
		return err
	}
	known.RLock()
	defer known.RUnlock()
	for range n {
		i, err := d.Uvarint()
		if err != nil {
			return err
		}
		if i < uint64(len(known.errs)) {
			r.is = append(r.is, known.errs[i])
		}
	}
	whole, err := d.Bytes()
	if err != nil {
		return err
	}
	if len(whole) > 0 {
		var v any
		if anyCodec().Decode(codec.NewDecoder(whole, nil), &v) == nil {
			r.cause, _ = v.(error)
		}
	}
	return r
}
