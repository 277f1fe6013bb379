package par

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
)

// For calls fn for each i in [0, n), spread over goroutines, and waits for all.
//
// Every item is run, unless one fails or ctx ends; then no further item is begun, except those below the failed one
// that were claimed before it. If several fail, the error is that of the lowest index, so it is the same in every run
// of functions that depend only on their item. Errors that are only the echo of the cancellation do not count.
//
// A panic in fn is re-raised by For. runtime.Goexit in fn is an error, ErrGoexit. If ctx ends before all items were
// begun, For returns context.Cause(ctx).
func For(ctx context.Context, n int, cfg Config, fn func(ctx context.Context, i int) error) error {
	return run(ctx, n, cfg, func(ctx context.Context, l *loop, c Chunk, at *int) error {
		for i := c.Lo; i < c.Hi; i++ {
			if l.stops(i) {
				return nil
			}
			*at = i
			if err := fn(ctx, i); err != nil {
				return err
			}
		}
		return nil
	})
}

// Chunk is a range of items that one worker runs.
type Chunk struct {
	// Lo and Hi bound the items: Lo <= i < Hi, never empty.
	Lo, Hi int
	// Worker is the number of the goroutine in this call, from 0 to Config.Workers-1. Two chunks with the same Worker
	// are never run at the same time, so it may index scratch memory.
	Worker int
}

// Chunks is For with a function that takes whole chunks, for loops whose body is worth less than a function call. The
// index of an error is the chunk's Lo.
func Chunks(ctx context.Context, n int, cfg Config, fn func(ctx context.Context, c Chunk) error) error {
	return run(ctx, n, cfg, func(ctx context.Context, l *loop, c Chunk, at *int) error {
		*at = c.Lo
		return fn(ctx, c)
	})
}

// Do runs the functions at the same time, each on its own goroutine, and waits for all. Errors and panics are as with
// For; the index is that of the function.
func Do(ctx context.Context, fns ...func(ctx context.Context) error) error {
	return For(ctx, len(fns), Config{Workers: len(fns), Chunk: 1}, func(ctx context.Context, i int) error {
		return fns[i](ctx)
	})
}

// body runs the items of a chunk, keeping *at at the index in work.
type body func(ctx context.Context, l *loop, c Chunk, at *int) error

// loop is the state of one call.
type loop struct {
	cut     atomic.Int64 // items from here on are not begun: the lowest failed index, or -1 when ctx has ended
	skipped atomic.Bool  // some item was not begun
	failures
}

// run is what all loops are made of.
func run(parent context.Context, n int, cfg Config, do body) error {
	if n <= 0 {
		return nil
	}
	if parent.Err() != nil {
		return context.Cause(parent)
	}
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	l := &loop{}
	l.parent, l.cancel = parent, cancel
	l.cut.Store(math.MaxInt64)
	if parent.Done() != nil {
		stop := context.AfterFunc(parent, func() { l.cut.Store(-1) })
		defer stop()
	}
	workers := cfg.workers(n)
	claims := newClaims(n, workers, cfg)
	var all sync.WaitGroup
	all.Add(workers)
	for w := range workers {
		go func() {
			defer all.Done()
			l.work(ctx, claimer{claims: claims, worker: int64(w)}, do)
		}()
	}
	all.Wait()
	return l.end()
}

// work is one worker's life. Every way out of it is recorded.
func (l *loop) work(ctx context.Context, c claimer, do body) {
	at, returned := 0, false
	defer func() {
		if !returned {
			l.fail(at, caught(recover()))
		}
	}()
	for {
		lo, hi := c.take()
		if lo >= hi {
			break
		}
		if l.stops(int(lo)) { // a worker's chunks ascend, with every schedule: the rest is beyond the cut, too
			break
		}
		if err := do(ctx, l, Chunk{Lo: int(lo), Hi: int(hi), Worker: int(c.worker)}, &at); err != nil {
			l.fail(at, err)
			break
		}
	}
	returned = true
}

// stops reports whether item i must not be begun any more.
func (l *loop) stops(i int) bool {
	if int64(i) < l.cut.Load() {
		return false
	}
	l.skipped.Store(true)
	return true
}

// fail records an error and lowers the cut to its item.
func (l *loop) fail(i int, err error) {
	if !l.record(i, err) {
		return
	}
	for {
		cut := l.cut.Load()
		if cut <= int64(i) || l.cut.CompareAndSwap(cut, int64(i)) {
			return
		}
	}
}

// end returns what run returns, when all workers have ended.
func (l *loop) end() error {
	if err := l.result(); err != nil {
		return err
	}
	if l.skipped.Load() {
		return context.Cause(l.parent)
	}
	return nil
}
