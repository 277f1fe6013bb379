package par

import (
	"context"
	"errors"
	"runtime/pprof"
	"sync"
)

// ErrStarted reports a second Start.
var ErrStarted = errors.New("par: thread was started before")

// ErrNotStarted reports a Join without a Start.
var ErrNotStarted = errors.New("par: thread was not started")

// Runner is what a Thread can run beside a function: the counterpart of a subclass with a run method.
type Runner interface {
	Run(ctx context.Context) error
}

// Thread is a goroutine with a name that can be joined, for porting; the go statement and Group serve new programs.
type Thread struct {
	name string
	fn   func(ctx context.Context) error
	done chan struct{} // closed at the end; err is valid then

	mu     sync.Mutex
	cancel context.CancelFunc // nil before Start
	err    error
}

// NewThread returns a thread that Start will start. The name is seen in goroutine profiles, as the label "thread".
func NewThread(name string, fn func(ctx context.Context) error) *Thread {
	return &Thread{name: name, fn: fn, done: make(chan struct{})}
}

// NewRunner is NewThread for a Runner.
func NewRunner(name string, r Runner) *Thread { return NewThread(name, r.Run) }

// Go starts a thread.
func Go(ctx context.Context, name string, fn func(ctx context.Context) error) *Thread {
	t := NewThread(name, fn)
	_ = t.Start(ctx) // the first Start cannot fail
	return t
}

// Start runs the function with a context derived from ctx. It returns ErrStarted if that was done before.
func (t *Thread) Start(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cancel != nil {
		return ErrStarted
	}
	ctx = context.WithValue(ctx, threadKey{}, t)
	ctx, t.cancel = context.WithCancel(ctx)
	go t.run(ctx)
	return nil
}

func (t *Thread) run(ctx context.Context) {
	end := func(err error) {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.err = err
		t.cancel()
		close(t.done)
	}
	pprof.Do(ctx, pprof.Labels("thread", t.name), func(ctx context.Context) {
		end(Catch(func() error { return t.fn(ctx) }, func(p *PanicError) { end(p) }))
	})
}

type threadKey struct{}

// Current returns the thread that ctx was given to, or nil.
func Current(ctx context.Context) *Thread {
	t, _ := ctx.Value(threadKey{}).(*Thread)
	return t
}

// Join waits for the end of the thread and returns the error of its function; a *PanicError if it panicked or called
// runtime.Goexit. It may be called any number of times, from any goroutine, with the same result.
func (t *Thread) Join(ctx context.Context) error {
	t.mu.Lock()
	started := t.cancel != nil
	t.mu.Unlock()
	if !started {
		return ErrNotStarted
	}
	select {
	case <-t.done:
		return t.err
	default:
	}
	select {
	case <-t.done:
		return t.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Cancel cancels the context of the function. It does not wait.
func (t *Thread) Cancel() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cancel != nil {
		t.cancel()
	}
}

// Done is closed at the end of the thread.
func (t *Thread) Done() <-chan struct{} { return t.done }

// Name returns the name.
func (t *Thread) Name() string { return t.name }

// Alive reports whether the thread was started and has not ended.
func (t *Thread) Alive() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-t.done:
		return false
	default:
		return t.cancel != nil
	}
}
