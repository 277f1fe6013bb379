package task

import (
	"context"
	"iter"
	"runtime"
	"sync"

	"github.com/tandem-go/tandem/hostpar/par"
)

// Executor runs jobs: *par.Pool is one. It may also offer the methods of Nester.
type Executor interface {
	// Submit hands over a job, waiting for room until ctx ends. Without an error the job is called exactly once, with a
	// context that ends when the executor gives up its jobs.
	Submit(ctx context.Context, job func(ctx context.Context)) error
}

// Nester is an Executor that can tell its own jobs, so that waiting for a job within a job does not stall.
type Nester interface {
	Executor
	// Inside reports whether ctx is, or comes from, the context of one of the executor's jobs.
	Inside(ctx context.Context) bool
	// Context returns the context that jobs are called with.
	Context() context.Context
}

// Inline is the Executor that runs each job at once in the caller of Submit.
type Inline struct{}

// Submit runs the job.
func (Inline) Submit(ctx context.Context, job func(ctx context.Context)) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	job(ctx)
	return nil
}

// Go runs fn on a goroutine of its own. Its context comes from ctx and also ends with Cancel.
func Go[T any](ctx context.Context, fn func(ctx context.Context) (T, error)) *Future[T] {
	f, promise := NewPromise[T]()
	go execute(ctx, context.Background(), promise, fn)
	return f
}

// Submit hands fn to an executor, waiting for room until ctx ends. fn's context has ctx's values and deadline; it ends
// with ctx, with Cancel, and when the executor gives up its jobs. A function whose context has ended before it was
// begun is not called: its future gets the cause.
//
// The error says that the executor did not take the job; then there is no future.
func Submit[T any](ctx context.Context, ex Executor, fn func(ctx context.Context) (T, error)) (*Future[T], error) {
	f, promise := NewPromise[T]()
	if n, ok := ex.(Nester); ok {
		f.help = func(waiter context.Context) {
			if n.Inside(waiter) {
				execute(ctx, n.Context(), promise, fn)
			}
		}
	}
	if err := ex.Submit(ctx, func(job context.Context) { execute(ctx, job, promise, fn) }); err != nil {
		return nil, err
	}
	return f, nil
}

// execute calls fn, unless somebody else does or it was cancelled, and resolves the promise.
func execute[T any](ctx, job context.Context, promise Promise[T], fn func(ctx context.Context) (T, error)) {
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if !promise.Start(func() { cancel(ErrCanceled) }) {
		return
	}
	stop := context.AfterFunc(job, func() { cancel(context.Cause(job)) })
	defer stop()
	for _, c := range []context.Context{ctx, job} {
		if c.Err() != nil {
			var zero T
			promise.Resolve(zero, context.Cause(c))
			return
		}
	}
	produce(promise, func() (T, error) { return fn(joined{inner, job}) })
}

// joined is a context with the values of two.
type joined struct {
	context.Context
	job context.Context
}

// Value looks in the caller's context first.
func (j joined) Value(key any) any {
	if v := j.Context.Value(key); v != nil {
		return v
	}
	return j.job.Value(key)
}

// MapConfig says how Map works. The zero value is good for most.
type MapConfig struct {
	// Ahead is how many elements may be taken from the input beyond those whose results were yielded; below 1 it is four
	// times runtime.GOMAXPROCS(0).
	Ahead int
}

// Map calls fn for each element of in, in an executor, and yields the results in the order of the input. It takes the
// next element when there is room, on the goroutine of the range statement; each range is a run of its own.
//
// An error of fn, or its panic, is yielded in its place as a *par.ItemError, and the map goes on. If the executor takes
// no job or ctx ends, that is yielded as the last error. When the range is left, what was begun is cancelled and waited
// for.
func Map[In, Out any](ctx context.Context, ex Executor, in iter.Seq[In], cfg MapConfig, fn func(ctx context.Context, x In) (Out, error)) iter.Seq2[Out, error] {
	ahead := cfg.Ahead
	if ahead < 1 {
		ahead = 4 * runtime.GOMAXPROCS(0)
	}
	return func(yield func(Out, error) bool) {
		var queue []*Future[Out]
		defer func() {
			for _, f := range queue {
				f.Cancel()
			}
			for _, f := range queue {
				_, _ = f.Wait(context.WithoutCancel(ctx)) // its result is not wanted any more
			}
		}()
		next, stop := iter.Pull(in)
		defer stop()
		var failed error
		more := true
		for index := 0; ; index++ {
			for more && failed == nil && len(queue) < ahead {
				var x In
				if x, more = next(); more {
					var f *Future[Out]
					if f, failed = Submit(ctx, ex, func(ctx context.Context) (Out, error) { return fn(ctx, x) }); failed == nil {
						queue = append(queue, f)
					}
				}
			}
			if len(queue) == 0 {
				if failed != nil {
					var zero Out
					yield(zero, failed)
				}
				return
			}
			y, err := queue[0].Wait(ctx)
			if err != nil && ctx.Err() != nil {
				var zero Out
				yield(zero, context.Cause(ctx))
				return
			}
			queue = queue[1:]
			if err != nil {
				err = &par.ItemError{Index: index, Err: err}
			}
			if !yield(y, err) {
				return
			}
		}
	}
}

// Group starts functions whose results are wanted together: the first failure cancels the others. Make it with
// NewGroup.
type Group[T any] struct {
	ctx     context.Context
	cancel  context.CancelCauseFunc
	ex      Executor
	mu      sync.Mutex
	futures []*Future[T]
	failed  error
}

// NewGroup returns an empty group. Its functions run in ex, or each on its own goroutine if ex is nil.
func NewGroup[T any](ctx context.Context, ex Executor) *Group[T] {
	g := &Group[T]{ex: ex}
	g.ctx, g.cancel = context.WithCancelCause(ctx)
	return g
}

// Go starts fn and returns its future. If the executor does not take it, the future has that error.
func (g *Group[T]) Go(fn func(ctx context.Context) (T, error)) *Future[T] {
	var f *Future[T]
	if g.ex == nil {
		f = Go(g.ctx, fn)
	} else {
		var err error
		if f, err = Submit(g.ctx, g.ex, fn); err != nil {
			var zero T
			f = Resolved(zero, err)
		}
	}
	g.mu.Lock()
	index := len(g.futures)
	g.futures = append(g.futures, f)
	g.mu.Unlock()
	f.OnDone(func() {
		if err := f.Err(); err != nil {
			g.fail(&par.ItemError{Index: index, Err: err})
		}
	})
	return f
}

func (g *Group[T]) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failed == nil {
		g.failed = err
		g.cancel(ErrCanceled)
	}
}

// Wait waits for all functions and returns their results in the order of the calls of Go. If one fails, the others are
// cancelled and waited for, and the error is the *par.ItemError of the first that failed. The end of ctx ends the
// wait, and cancels all, without waiting for them.
func (g *Group[T]) Wait(ctx context.Context) ([]T, error) {
	defer g.cancel(ErrCanceled)
	g.mu.Lock()
	futures := g.futures
	g.mu.Unlock()
	values := make([]T, len(futures))
	for i, f := range futures {
		v, err := f.Wait(ctx)
		if err != nil && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		values[i] = v
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failed != nil {
		return nil, g.failed
	}
	return values, nil
}
