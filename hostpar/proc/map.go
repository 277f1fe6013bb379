package proc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
	"github.com/tandem-go/tandem/hostpar/par"
	"github.com/tandem-go/tandem/hostpar/task"
)

// MapConfig says how Map spreads its tasks. The zero value is good for most.
type MapConfig struct {
	// Chunk is how many neighbouring tasks are sent to a worker at a time; below 1 it is chosen by the time they take, so
	// that a chunk takes about two milliseconds.
	Chunk int
	// All goes on after errors; the error of Map is then all of them, by errors.Join. Without it the first error cancels the
	// rest.
	All bool
}

// Map calls f for each element of ins, in the workers of the pool, and returns the results in the order of ins. Its error
// is a *par.ItemError with the index, which holds a *RemoteError, or a *WorkerError for the task that its worker died of.
//
// When a worker dies, tasks of the same chunk that it had done may be done again. With Chunk 1, and results that take
// longer than a millisecond, none is.
//
// ins must not be changed before Map returns.
func Map[In, Out any](ctx context.Context, p *Pool, f Func[In, Out], ins []In, cfg MapConfig) ([]Out, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	outs := make([]Out, len(ins))
	quit := make(chan error, 1)
	var mu sync.Mutex
	var errs []*par.ItemError
	s := &source{name: f.t.name, n: len(ins), chunk: cfg.Chunk}
	s.write = func(e *codec.Encoder, lo, n int) error { return f.t.in.EncodeAll(e, ins[lo:lo+n]) }
	s.failed = func(i int, err error) {
		failure := &par.ItemError{Index: i, Err: err}
		mu.Lock()
		errs = append(errs, failure)
		mu.Unlock()
		if !cfg.All {
			select {
			case quit <- failure:
			default: // another was first
			}
		}
	}
	s.read = func(d *codec.Decoder, lo, n int) error {
		return f.t.decodeResults(d, outs[lo:lo+n], func(i int, err error) { s.failed(lo+i, err) })
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err := p.add(s); err != nil {
		return nil, err
	}
	if err := s.wait(ctx, quit); err != nil {
		return nil, err
	}
	slices.SortFunc(errs, func(a, b *par.ItemError) int { return a.Index - b.Index })
	switch {
	case len(errs) == 0:
		return outs, nil
	case !cfg.All:
		return nil, errs[0]
	}
	joined := make([]error, len(errs))
	for i, err := range errs {
		joined[i] = err
	}
	return outs, errors.Join(joined...)
}

// MapAsync is Map that returns at once. Cancelling the future ends the work.
func MapAsync[In, Out any](ctx context.Context, p *Pool, f Func[In, Out], ins []In, cfg MapConfig) *task.Future[[]Out] {
	return task.Go(ctx, func(ctx context.Context) ([]Out, error) { return Map(ctx, p, f, ins, cfg) })
}

// Submit calls f in a worker of the pool and returns its result as a future, at once: what is submitted beyond what
// workers can take is kept in memory. Use Stream, or wait for futures, to bound it. The argument is read until the worker
// has it.
//
// When ctx ends or the future is cancelled, the future gets its error at once, the function's context ends, and its
// worker is killed if that is not enough. Callbacks of the future run on a goroutine of their own and may use the pool.
//
// The error says that the pool took no task; then there is no future.
func Submit[In, Out any](ctx context.Context, p *Pool, f Func[In, Out], in In) (*task.Future[Out], error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	future, promise := task.NewPromise[Out]()
	s := &source{name: f.t.name, n: 1}
	stop := func() bool { return false }
	var once sync.Once
	resolve := func(out Out, err error) {
		once.Do(func() {
			stop()
			go promise.Resolve(out, err)
		})
	}
	fail := func(err error) {
		var zero Out
		resolve(zero, err)
	}
	begun := false // written under the source's order: one job at a time
	s.write = func(e *codec.Encoder, _, _ int) error {
		if !begun && !promise.Start(func() { s.abandon(task.ErrCanceled) }) {
			return task.ErrCanceled
		}
		begun = true
		return f.t.in.Encode(e, &in)
	}
	s.failed = func(_ int, err error) { fail(err) }
	s.ended = fail
	s.read = func(d *codec.Decoder, _, _ int) error {
		outs := make([]Out, 1)
		var failure error
		if err := f.t.decodeResults(d, outs, func(_ int, err error) { failure = err }); err != nil {
			return err
		}
		resolve(outs[0], failure)
		return nil
	}
	started := make(chan struct{})
	stop = context.AfterFunc(ctx, func() {
		<-started // not before the pool has it
		s.abandon(context.Cause(ctx))
	})
	err := p.add(s)
	if err != nil {
		stop()
		once.Do(func() {})
		s.over.Store(true)
		close(started)
		return nil, err
	}
	close(started)
	return future, nil
}

// Call calls f in a worker of the pool and waits for its result.
func Call[In, Out any](ctx context.Context, p *Pool, f Func[In, Out], in In) (Out, error) {
	future, err := Submit(ctx, p, f, in)
	if err != nil {
		var zero Out
		return zero, err
	}
	return future.Wait(context.WithoutCancel(ctx)) // it has its error as soon as ctx ends
}

// StreamConfig says how Stream works. The zero value is good for most.
type StreamConfig struct {
	// Unordered yields results as they come.
	Unordered bool
	// Ahead is how many elements may be taken from the input beyond those whose results were yielded; below 1 it is 64 for
	// each worker.
	Ahead int
}

// Stream calls f for each element of ins, which may have no end, and yields the results. It takes elements on the
// goroutine of the range statement, when there is room. An error is yielded in its place, as a *par.ItemError, and the
// stream goes on; if ctx or the pool ends, that is yielded as the last error. When the range is left, what was begun is
// cancelled.
func Stream[In, Out any](ctx context.Context, p *Pool, f Func[In, Out], ins iter.Seq[In], cfg StreamConfig) iter.Seq2[Out, error] {
	ahead := cfg.Ahead
	if ahead < 1 {
		ahead = 64 * p.cfg.Workers
	}
	return func(yield func(Out, error) bool) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(task.ErrCanceled)
		next, stop := iter.Pull(ins)
		defer stop()
		var zero Out
		finished := make(chan int, ahead) // indices, for Unordered
		waiting := map[int]*task.Future[Out]{}
		taken, given, more := 0, 0, true
		for {
			for more && len(waiting) < ahead {
				var in In
				if in, more = next(); !more {
					break
				}
				future, err := Submit(ctx, p, f, in)
				if err != nil {
					yield(zero, err)
					return
				}
				index := taken
				waiting[index] = future
				taken++
				if cfg.Unordered {
					future.OnDone(func() { finished <- index })
				}
			}
			if len(waiting) == 0 {
				return
			}
			index := given
			if cfg.Unordered {
				index = <-finished // every future gets its result or its error
			}
			given++
			out, err := waiting[index].Wait(context.WithoutCancel(ctx))
			delete(waiting, index)
			if err != nil && (ctx.Err() != nil || errors.Is(err, ErrClosed)) {
				yield(zero, cmp.Or(context.Cause(ctx), err))
				return
			}
			if err != nil {
				err = &par.ItemError{Index: index, Err: err}
			}
			if !yield(out, err) {
				return
			}
		}
	}
}

// Async calls f in a new process and returns its result as a future.
func (f Func[In, Out]) Async(ctx context.Context, in In) (*task.Future[Out], error) {
	p, err := Start(ctx, f, in, StartConfig{})
	if err != nil {
		return nil, err
	}
	return p.Future(), nil
}

// MapOnce is Map in a pool of n workers that exists for this call only.
func MapOnce[In, Out any](ctx context.Context, f Func[In, Out], ins []In, n int) ([]Out, error) {
	p, err := NewPool(ctx, PoolConfig{Workers: n})
	if err != nil {
		return nil, fmt.Errorf("map of %s: %w", f.Name(), err)
	}
	defer p.Close()
	return Map(ctx, p, f, ins, MapConfig{})
}
