package task

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/tandem-go/tandem/hostpar/par"
)

// ErrCanceled is the error of a future that was cancelled. It is also context.Canceled.
var ErrCanceled = fmt.Errorf("task: %w", context.Canceled)

// ErrTimeout reports that a time limit of this package was exceeded. It is also context.DeadlineExceeded.
var ErrTimeout = fmt.Errorf("task: %w", context.DeadlineExceeded)

// Awaitable is what a Future is without its type, for waiting on futures of several types.
type Awaitable interface {
	// Done is closed when the result is there.
	Done() <-chan struct{}
	// OnDone registers a callback; see Future.OnDone.
	OnDone(fn func()) (stop func() bool)
	// Err returns the error of the result, or nil if there is none yet.
	Err() error
}

// Future is a value or an error that comes later. It gets its result once, from a Promise, and keeps it. All methods
// may be called from any goroutine.
type Future[T any] struct {
	done chan struct{}

	mu        sync.Mutex
	state     state
	canceled  bool   // Cancel was called
	onCancel  func() // tells a running producer; nil if it cannot be told
	callbacks []*callback
	value     T
	err       error
	help      func(ctx context.Context) // see Wait; nil where a wait cannot hold up the producer
}

type state uint8

const (
	pending state = iota
	running
	finished
)

type callback struct{ fn func() }

// Promise is the producer's side of a Future. All methods may be called from any goroutine.
type Promise[T any] struct{ f *Future[T] }

// NewPromise returns a future without a result, and the means to give it one.
func NewPromise[T any]() (*Future[T], Promise[T]) {
	f := &Future[T]{done: make(chan struct{})}
	return f, Promise[T]{f}
}

// Start says that work on the result begins. onCancel is called, at most once and perhaps at once, if the future is
// cancelled from now on; it may be nil. Start returns false if the future was cancelled before, has a result or was
// started: then there is nothing to do.
func (p Promise[T]) Start(onCancel func()) bool {
	f := p.f
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.state != pending {
		return false
	}
	f.state, f.onCancel = running, onCancel
	return true
}

// Resolve gives the future its result and returns true, or returns false if it has one. A value with an error is kept,
// for results that are partly there. Waiting goroutines go on, then the callbacks are called, in the order they were
// registered, on this goroutine.
//
// If the future was cancelled and err is a context.Canceled, its error is ErrCanceled.
func (p Promise[T]) Resolve(value T, err error) bool {
	f := p.f
	f.mu.Lock()
	if f.state == finished {
		f.mu.Unlock()
		return false
	}
	if f.canceled && errors.Is(err, context.Canceled) {
		err = ErrCanceled
	}
	f.finish(value, err)
	return true
}

// finish is entered with mu locked and unlocks it.
func (f *Future[T]) finish(value T, err error) {
	f.state, f.value, f.err = finished, value, err
	f.onCancel, f.help = nil, nil
	callbacks := f.callbacks
	f.callbacks = nil
	close(f.done)
	f.mu.Unlock()
	call(callbacks)
}

// call calls all callbacks, also those after one that panics.
func call(callbacks []*callback) {
	for i, c := range callbacks {
		returned := false
		func() {
			defer func() {
				if !returned {
					call(callbacks[i+1:])
				}
			}()
			c.fn()
			returned = true
		}()
	}
}

// Done is closed when the result is there.
func (f *Future[T]) Done() <-chan struct{} { return f.done }

// Wait waits for the result. A panic of the function that should have produced it is an error, a *par.PanicError. The
// end of ctx ends the wait, not the work; Cancel does that.
//
// In a job of a pool, with the job's context, waiting for a job of the same pool that has not begun runs it on this
// goroutine, as the pool may have no other to do it.
func (f *Future[T]) Wait(ctx context.Context) (T, error) {
	select {
	case <-f.done: // also if ctx has ended
		return f.value, f.err
	default:
	}
	f.mu.Lock()
	help := f.help
	f.mu.Unlock()
	if help != nil {
		help(ctx)
	}
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		var zero T
		return zero, context.Cause(ctx)
	}
}

// Result returns the result if it is there. It does not wait.
func (f *Future[T]) Result() (value T, err error, ok bool) { //nolint:revive // ok last, as with maps and channels
	select {
	case <-f.done:
		return f.value, f.err, true
	default:
		return value, nil, false
	}
}

// Err returns the error of the result, or nil if there is no result yet.
func (f *Future[T]) Err() error {
	select {
	case <-f.done:
		return f.err
	default:
		return nil
	}
}

// Running reports whether work on the result has begun and not ended.
func (f *Future[T]) Running() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state == running
}

// Canceled reports whether the future ended because of Cancel.
func (f *Future[T]) Canceled() bool { return errors.Is(f.Err(), ErrCanceled) }

// Cancel asks for the end of the work. A future whose work has not begun gets ErrCanceled at once, and its work will
// not begin. Where work has begun, its context ends, and the future gets its result when the work returns, with or
// without an error. Cancel returns false if there is a result already.
func (f *Future[T]) Cancel() bool {
	f.mu.Lock()
	switch f.state {
	case finished:
		f.mu.Unlock()
		return false
	case pending:
		var zero T
		f.canceled = true
		f.finish(zero, ErrCanceled)
		return true
	default:
		onCancel := f.onCancel
		f.canceled, f.onCancel = true, nil
		f.mu.Unlock()
		if onCancel != nil {
			onCancel()
		}
		return true
	}
}

// OnDone registers fn to be called once when the result is there, on the goroutine that gives it, or at once on this
// one. It should be short. A panic in it goes to that goroutine, after the other callbacks.
//
// stop takes the callback back and reports whether it did so before the callback was called.
func (f *Future[T]) OnDone(fn func()) (stop func() bool) {
	f.mu.Lock()
	if f.state == finished {
		f.mu.Unlock()
		fn()
		return func() bool { return false }
	}
	c := &callback{fn}
	f.callbacks = append(f.callbacks, c)
	f.mu.Unlock()
	return func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		for i, o := range f.callbacks {
			if o == c {
				f.callbacks = append(f.callbacks[:i:i], f.callbacks[i+1:]...)
				return true
			}
		}
		return false
	}
}

// Then returns a future for what fn makes of f's result. fn is called on the goroutine that gives f its result, or at
// once on this one; a panic in it is the new future's error. Cancelling the new future leaves f alone.
func Then[T, U any](f *Future[T], fn func(value T, err error) (U, error)) *Future[U] {
	next, promise := NewPromise[U]()
	f.OnDone(func() {
		if promise.Start(nil) {
			produce(promise, func() (U, error) { return fn(f.value, f.err) })
		}
	})
	return next
}

// produce gives a promise the result of fn, whatever way fn ends.
func produce[T any](promise Promise[T], fn func() (T, error)) {
	var value T
	err := par.Catch(func() (err error) {
		value, err = fn()
		return err
	}, func(exit *par.PanicError) {
		promise.Resolve(value, exit)
	})
	promise.Resolve(value, err)
}

// Resolved returns a future that has its result.
func Resolved[T any](value T, err error) *Future[T] {
	f, promise := NewPromise[T]()
	promise.Resolve(value, err)
	return f
}
