package par

import (
	"context"
	"runtime"
	"sync"
)

// PoolConfig says how large a pool is. The zero value is good for most.
type PoolConfig struct {
	// Workers is how many jobs run at once; below 1 it is runtime.GOMAXPROCS(0).
	Workers int
	// Queue is how many accepted jobs may wait for a worker before Submit waits; below 1 it is Workers.
	Queue int
}

// Pool runs jobs in the order they came, a bounded number at once and a bounded number waiting. For loops over items
// use For or Map, which are up to a hundred times faster for small items.
//
// Every job that was accepted is called exactly once. After Kill it is called with a context that has ended.
type Pool struct {
	limit, room int
	ctx         context.Context // of the jobs
	kill        context.CancelFunc
	ended       chan struct{} // closed when, after Close, the last worker has ended

	mu      sync.Mutex
	jobs    fifo[func(context.Context)]
	closed  bool
	idle    waiters // workers without a job
	putters waiters // calls of Submit without room
	stats   PoolStats
	first   *PanicError
}

// NewPool returns a pool. Its workers start when they are needed; Close ends them.
func NewPool(cfg PoolConfig) *Pool {
	if cfg.Workers < 1 {
		cfg.Workers = runtime.GOMAXPROCS(0)
	}
	if cfg.Queue < 1 {
		cfg.Queue = cfg.Workers
	}
	p := &Pool{limit: cfg.Workers, room: cfg.Queue, ended: make(chan struct{})}
	p.ctx, p.kill = context.WithCancel(context.WithValue(context.Background(), poolKey{p}, true))
	return p
}

type poolKey struct{ *Pool }

// Inside reports whether ctx is, or comes from, the context of a job of this pool.
func (p *Pool) Inside(ctx context.Context) bool { return ctx.Value(poolKey{p}) != nil }

// Submit hands a job to the pool, waiting for room in the queue. The context given to the job is the pool's: it ends
// with Kill, not with ctx. Submit returns ErrClosed after Close, also when it was waiting.
//
// If the queue is full and ctx is that of a job of the same pool, the new job runs at once in the caller: waiting could
// wait for itself.
func (p *Pool) Submit(ctx context.Context, job func(ctx context.Context)) error {
	p.mu.Lock()
	for {
		err := p.accept(job)
		if err != ErrFull {
			p.mu.Unlock()
			return err
		}
		if p.Inside(ctx) {
			p.stats.Inline++
			p.stats.Running++
			p.mu.Unlock()
			p.call(job, nil)
			return nil
		}
		w := p.putters.push(1)
		p.mu.Unlock()
		err = w.wait(ctx)
		p.mu.Lock()
		if err != nil {
			if !p.putters.remove(w) {
				p.putters.wake() // the room that was meant for us goes to the next
			}
			p.stats.Rejected++
			p.mu.Unlock()
			return err
		}
	}
}

// TrySubmit hands a job to the pool if there is room in the queue; otherwise it returns ErrFull or ErrClosed.
func (p *Pool) TrySubmit(job func(ctx context.Context)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.accept(job)
	if err == ErrFull {
		p.stats.Rejected++
	}
	return err
}

// accept queues a job and sees that a worker comes for it. The caller holds mu.
func (p *Pool) accept(job func(ctx context.Context)) error {
	if p.closed {
		p.stats.Rejected++
		return ErrClosed
	}
	if p.jobs.len() >= p.room {
		return ErrFull
	}
	p.jobs.push(job)
	if !p.idle.wake() && p.stats.Workers < p.limit {
		p.stats.Workers++
		go p.work()
	}
	return nil
}

// work is a worker's life. A job that ends the goroutine has it replaced.
func (p *Pool) work() {
	for job := p.next(); job != nil; job = p.next() {
		p.call(job, func() { go p.work() })
	}
}

// next waits for a job, or returns nil when there will be none.
func (p *Pool) next() func(context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.jobs.len() == 0 {
		if p.closed {
			p.stats.Workers--
			p.end()
			return nil
		}
		w := p.idle.push(1)
		p.mu.Unlock()
		<-w.ready
		p.mu.Lock()
	}
	p.stats.Running++
	job := p.jobs.pop()
	p.putters.wake()
	return job
}

// end marks the end of a closed pool when its last worker has gone. The caller holds mu. No worker means no job: accept
// starts the first worker with the first job, and workers leave only when no job is left.
func (p *Pool) end() {
	if p.closed && p.stats.Workers == 0 {
		p.kill()
		close(p.ended)
	}
}

// call runs a job and counts it. exited is called, if not nil, when the job ends the goroutine.
func (p *Pool) call(job func(context.Context), exited func()) {
	end := func(err error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.stats.Running--
		p.stats.Done++
		if e, ok := err.(*PanicError); ok {
			p.stats.Panicked++
			if p.first == nil {
				p.first = e
			}
		}
	}
	end(Catch(func() error { job(p.ctx); return nil }, func(e *PanicError) {
		end(e)
		if exited != nil {
			exited()
		}
	}))
}

// Close accepts no further job. Those accepted are still run. It does not wait; Wait does. Closing again does nothing.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	for p.idle.wake() {
	}
	for p.putters.wake() {
	}
	p.end()
}

// Kill is Close, and ends the context of all jobs, running and waiting.
func (p *Pool) Kill() {
	p.Close()
	p.kill()
}

// Wait waits until all jobs are done after Close or Kill, and returns the *PanicError of the first job that panicked or
// called runtime.Goexit.
func (p *Pool) Wait(ctx context.Context) error {
	select {
	case <-p.ended:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.first != nil {
		return p.first
	}
	return nil
}

// PoolStats are counts since the pool was made, all of the same moment.
type PoolStats struct {
	Workers  int   // goroutines
	Running  int   // jobs being run
	Waiting  int   // jobs accepted and not begun
	Done     int64 // jobs ended, panicked ones included
	Panicked int64 // jobs that panicked or called runtime.Goexit
	Rejected int64 // jobs not accepted: full, closed or given up
	Inline   int64 // jobs run in the caller of Submit, see there
}

// Stats returns the counts.
func (p *Pool) Stats() PoolStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Waiting = p.jobs.len()
	return s
}

// Context returns the context that jobs are called with. It ends with Kill, and when the pool has ended.
func (p *Pool) Context() context.Context { return p.ctx }
