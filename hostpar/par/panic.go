package par

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// ErrGoexit reports that a function called runtime.Goexit, as testing.T.FailNow does. It comes wrapped in a *PanicError.
var ErrGoexit = errors.New("runtime.Goexit called")

// PanicError is a panic of a function that ran on another goroutine.
type PanicError struct {
	// Value is what panic was called with; ErrGoexit if the function called runtime.Goexit.
	Value any
	// Stack is the stack of the goroutine on which it happened, as debug.Stack formats it.
	Stack []byte
}

// Error returns the value and the stack of the panic.
func (e *PanicError) Error() string {
	return fmt.Sprintf("panic on another goroutine: %v\n\n%s", e.Value, e.Stack)
}

// Unwrap returns the value if it is an error, so that errors.Is and errors.As look into it.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// exited reports whether the error stands for a runtime.Goexit.
func (e *PanicError) exited() bool { return e.Value == ErrGoexit }

// caught must be called in a deferred function of a frame that did not return normally. It recovers a panic, or takes
// the end of the goroutine by runtime.Goexit for one. v is what recover returned.
func caught(v any) *PanicError {
	if p, ok := v.(*PanicError); ok {
		return p // re-raised by a nested call: the innermost stack is the one that tells
	}
	if v == nil {
		v = ErrGoexit
	}
	return &PanicError{Value: v, Stack: debug.Stack()}
}

// Catch calls fn and returns its error. A panic in fn is returned as a *PanicError. If fn calls runtime.Goexit, Catch
// calls exited with the *PanicError that says so, and the goroutine ends; a nil exited is not called.
func Catch(fn func() error, exited func(*PanicError)) (err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		v := recover()
		p := caught(v)
		if v != nil {
			err = p
		} else if exited != nil {
			exited(p)
		}
	}()
	err = fn()
	returned = true
	return err
}

// ItemError tells which item of a loop, slice or stream failed.
type ItemError struct {
	// Index is the position of the item, from 0.
	Index int
	// Err is what the function returned.
	Err error
}

// Error returns the index and the message of the item's error.
func (e *ItemError) Error() string { return fmt.Sprintf("item %d: %v", e.Index, e.Err) }

// Unwrap returns the item's error.
func (e *ItemError) Unwrap() error { return e.Err }
