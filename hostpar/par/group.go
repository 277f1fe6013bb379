package par

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// GroupConfig says where the functions of a group run. With the zero value each has its own goroutine at once.
type GroupConfig struct {
	// Limit is how many may run at once; below 1 there is no limit.
	Limit int
	// Pool, if not nil, runs the functions. Limit then gives the group a share of the pool.
	Pool *Pool
}

// Group runs functions at the same time and waits for all of them. Make it with NewGroup.
type Group struct {
	ctx   context.Context
	pool  *Pool
	slots *Semaphore // nil without a limit
	all   sync.WaitGroup
	next  int // under failures.mu
	// queued holds what was given to the pool by one of its own jobs: Wait runs those that no worker has begun, as it
	// could wait for itself otherwise. Under failures.mu
	queued []*queued
	failures
}

// queued is a function in the pool's queue. Whoever sets begun runs it.
type queued struct {
	begun atomic.Bool
	index int
	fn    func(ctx context.Context) error
}

// NewGroup returns a group whose functions get a context derived from ctx.
func NewGroup(ctx context.Context, cfg GroupConfig) *Group {
	g := &Group{pool: cfg.Pool}
	g.parent = ctx
	g.ctx, g.cancel = context.WithCancelCause(ctx)
	if cfg.Limit > 0 {
		g.slots = NewSemaphore(int64(cfg.Limit), int64(cfg.Limit))
	}
	return g
}

// Go runs fn, waiting while the limit is reached or the pool is full. When the context of the group has ended, because
// a function failed or its parent ended, fn is not run. Go must not be called after Wait has returned.
//
// A job of a pool may use a group in the same pool if the group's context comes from the job's: then what would have to
// wait for a worker runs in the caller of Go or Wait instead.
func (g *Group) Go(fn func(ctx context.Context) error) {
	g.mu.Lock()
	index := g.next
	g.next++
	g.mu.Unlock()
	if g.slots != nil {
		if err := g.slot(); err != nil {
			g.miss(index, err)
			return
		}
	}
	if g.ctx.Err() != nil {
		g.miss(index, context.Cause(g.ctx))
		g.free()
		return
	}
	g.all.Add(1)
	if g.pool == nil {
		go g.run(g.ctx, index, fn)
		return
	}
	q := &queued{index: index, fn: fn}
	if g.pool.Inside(g.ctx) {
		g.mu.Lock()
		g.queued = append(g.queued, q)
		g.mu.Unlock()
	}
	if err := g.pool.Submit(g.ctx, func(ctx context.Context) { g.inPool(ctx, q) }); err != nil && q.begun.CompareAndSwap(false, true) {
		g.miss(index, err)
		g.free()
		g.all.Done()
	}
}

// slot takes one of the Limit, running queued functions in the caller as long as that may be what it waits for.
func (g *Group) slot() error {
	for {
		if g.slots.TryAcquire(1) {
			return nil
		}
		if !g.help() {
			return g.slots.Acquire(g.ctx, 1)
		}
	}
}

// inPool runs a function, if nobody has, with the group's context, which Kill of the pool ends too.
func (g *Group) inPool(pool context.Context, q *queued) {
	if !q.begun.CompareAndSwap(false, true) {
		return
	}
	stop := context.AfterFunc(pool, func() { g.cancel(ErrClosed) })
	defer stop()
	g.run(context.WithValue(g.ctx, poolKey{g.pool}, true), q.index, q.fn)
}

// help runs, in the caller, one function that waits in the pool's queue, and reports whether there may be more.
func (g *Group) help() bool {
	g.mu.Lock()
	if len(g.queued) == 0 {
		g.mu.Unlock()
		return false
	}
	q := g.queued[0]
	g.queued = g.queued[1:]
	g.mu.Unlock()
	g.inPool(g.pool.ctx, q)
	return true
}

func (g *Group) run(ctx context.Context, index int, fn func(ctx context.Context) error) {
	defer g.all.Done()
	defer g.free()
	record := func(p *PanicError) { g.record(index, p) }
	if err := Catch(func() error { return fn(ctx) }, record); err != nil {
		g.record(index, err)
	}
}

func (g *Group) free() {
	if g.slots != nil {
		_ = g.slots.Release(1) // cannot fail: it was acquired
	}
}

// miss records that a function was not run, unless that is the consequence of another's failure.
func (g *Group) miss(index int, err error) {
	if !errors.Is(err, errStopped) {
		g.record(index, err)
	}
}

// Wait waits for all functions. The error is an *ItemError whose index is the order of the calls of Go; if several
// failed, the lowest one, not counting echoes of the cancellation. A panic in a function is re-raised by Wait.
func (g *Group) Wait() error {
	for g.help() {
	}
	g.all.Wait()
	defer g.cancel(nil)
	return g.result()
}

// failures keeps the error that a call of many functions will report.
type failures struct {
	parent context.Context
	cancel context.CancelCauseFunc // of the context the functions have

	mu     sync.Mutex
	failed *ItemError // of the lowest index
}

var errStopped = errors.New("par: another item has failed")

// record notes the error of item i, unless there is a better one, cancels what runs, and reports whether it did note.
func (f *failures) record(i int, err error) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed != nil {
		_, panicked := err.(*PanicError)
		echo := !panicked && (errors.Is(err, context.Canceled) || errors.Is(err, errStopped))
		if echo || f.failed.Index < i {
			return false
		}
	}
	f.failed = &ItemError{Index: i, Err: err}
	f.cancel(errStopped)
	return true
}

// result is called when nothing runs any more. It panics if the failure is a panic.
func (f *failures) result() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed == nil {
		return nil
	}
	if p, ok := f.failed.Err.(*PanicError); ok && !p.exited() {
		panic(p)
	}
	if f.parent.Err() != nil && errors.Is(f.failed, f.parent.Err()) {
		return context.Cause(f.parent)
	}
	return f.failed
}
