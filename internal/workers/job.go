package workers

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// ErrGoexit reports that a function handed to Do or Range called runtime.Goexit, as testing.T.FailNow does.
var ErrGoexit = errors.New("workers: function called runtime.Goexit")

// PanicError is a panic of a function handed to Do or Range.
type PanicError struct {
	// Value is what panic was called with.
	Value any
	// Stack is the stack of the panicking goroutine, as debug.Stack formats it.
	Stack []byte
}

// Error returns the panic's value and stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("workers: panic: %v\n\n%s", e.Value, e.Stack)
}

// Unwrap returns the value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// work claims chunks until none is left or one fails.
func (j *job) work(number int) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if v := recover(); v != nil {
			j.fail(&PanicError{Value: v, Stack: debug.Stack()})
			return
		}
		j.fail(ErrGoexit)
	}()
	if err := j.claim(number); err != nil {
		j.fail(err)
	}
	returned = true
}

func (j *job) claim(number int) error {
	n, chunk, item, span := j.n, j.chunk, j.item, j.span
	for {
		hi := j.cursor.Add(chunk)
		lo := hi - chunk
		if lo >= n {
			return nil
		}
		hi = min(hi, n)
		if span != nil {
			if err := span(number, int(lo), int(hi)); err != nil {
				return err
			}
			continue
		}
		for i := lo; i < hi; i++ {
			if err := item(number, int(i)); err != nil {
				return err
			}
		}
	}
}

// fail keeps the first error and stops the handing out of chunks.
func (j *job) fail(err error) {
	j.failure.CompareAndSwap(nil, &failure{err})
	j.cursor.Store(j.n)
}
