package proc

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
	"github.com/tandem-go/tandem/hostpar/internal/frame"
)

const (
	chunkTime  = 2 * time.Millisecond // what a chunk of tasks is to take
	chunkSteps = 8                    // how much longer a chunk may be than the one before
	prefetch   = 2 * time.Millisecond // how much work may wait in a worker
	maxWindow  = 32                   // how many calls may wait in a worker
)

// source has tasks of one function: of one call of Map, Submit or the like.
type source struct {
	pool    *Pool
	name    string // of the function
	n       int
	chunk   int // tasks of a call; 0 to choose by measurement
	retries int

	// mu keeps the owner's slices to the owner when the source is over.
	mu     sync.RWMutex
	over   atomic.Bool                             // set with mu locked
	reason error                                   // why it is over
	write  func(e *codec.Encoder, lo, n int) error // arguments
	read   func(d *codec.Decoder, lo, n int) error // results, failures included
	failed func(i int, err error)                  // called by several goroutines
	ended  func(reason error)                      // it was abandoned; may be nil
	done   chan struct{}                           // closed when all tasks are settled

	// Under the pool's mu:
	handed   int // tasks that were given out
	left     int // tasks without results
	flying   int // jobs in workers
	taskTime time.Duration
	size     int         // of the last chunk
	attempts map[int]int // executions that killed a worker
}

// job is some neighbouring tasks of a source.
type job struct {
	id    uint64
	src   *source
	lo, n int

	revoked bool // the worker was asked to give it back
}

// add gives a source to the pool, waiting for nothing.
func (p *Pool) add(s *source) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.broken != nil:
		return p.broken
	case p.closed:
		return ErrClosed
	}
	s.pool, s.left, s.retries, s.done = p, s.n, p.cfg.Retries, make(chan struct{})
	if s.n == 0 {
		close(s.done)
		return nil
	}
	s.taskTime, s.size = p.times[s.name], 1
	p.open += s.n
	p.sources = append(p.sources, s)
	p.rouse()
	return nil
}

// window is how many jobs a worker may have. Until the first results are there, and for long tasks, it is one, so that
// no task waits behind another while a worker does nothing. The pool's mu is held.
func (s *source) window() int {
	switch d := s.taskTime * time.Duration(max(1, s.size)); {
	case d <= 0 || d > 2*prefetch:
		return 1
	default:
		return min(maxWindow, max(2, int(prefetch/d)))
	}
}

// next cuts off a job of at most most tasks. The pool's mu is held.
func (s *source) next(p *Pool, most int) *job {
	n := s.chunk
	if n < 1 {
		n = 1
		if s.taskTime > 0 {
			n = min(int(chunkTime/s.taskTime), chunkSteps*s.size)
		}
		n = max(1, min(n, (s.n-s.handed)/(2*max(1, len(p.workers)))))
	}
	n = min(n, s.n-s.handed, most)
	j := &job{src: s, lo: s.handed, n: n}
	s.handed += n
	s.size = n
	if s.handed == s.n {
		p.drop(s)
	}
	return j
}

// drop takes a source off the list of those with tasks. mu is held.
func (p *Pool) drop(s *source) {
	if i := slices.Index(p.sources, s); i >= 0 {
		p.sources = slices.Delete(p.sources, i, i+1)
	}
}

// measured notes how long a job took in the worker. The pool's mu is held.
func (s *source) measured(n int, d time.Duration) {
	t := max(1, d/time.Duration(n))
	if s.taskTime > 0 {
		t = (3*s.taskTime + t) / 4
	}
	s.taskTime = t
	if s.pool.times == nil {
		s.pool.times = map[string]time.Duration{}
	}
	s.pool.times[s.name] = t // what the next source begins with
}

// close wakes the owner. The pool's mu is held.
func (s *source) close() { close(s.done) }

func (s *source) encode(e *codec.Encoder, lo, n int) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.over.Load() {
		return ErrClosed
	}
	return s.write(e, lo, n)
}

func (s *source) decode(d *codec.Decoder, lo, n int) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.over.Load() {
		return nil
	}
	return s.read(d, lo, n)
}

func (s *source) fail(i int, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if !s.over.Load() {
		s.failed(i, err)
	}
}

// abandon ends a source: nothing of its owner's is touched afterwards, nothing more is handed out, and what workers have
// begun is cancelled; workers that do not end it in time are killed.
func (s *source) abandon(reason error) {
	s.mu.Lock()
	was := s.over.Swap(true)
	if !was {
		s.reason = reason
	}
	s.mu.Unlock()
	if was {
		return
	}
	if s.ended != nil {
		s.ended(reason)
	}
	p := s.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop(s)
	waiting := s.n - s.handed
	s.handed = s.n
	p.retries = slices.DeleteFunc(p.retries, func(j *job) bool {
		if j.src == s {
			waiting += j.n
		}
		return j.src == s
	})
	for _, w := range p.workers {
		for _, j := range w.inflight {
			if j.src == s {
				w.notes = append(w.notes, frame.Frame{Kind: kindCancel, ID: j.id})
				w.nudge()
				time.AfterFunc(p.cfg.Grace, func() { p.enforce(w, j) })
			}
		}
	}
	if waiting > 0 {
		p.settle(s, waiting)
	}
}

// enforce kills a worker that still runs a cancelled job. One that has not come to it will drop it when it does.
func (p *Pool) enforce(w *member, j *job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.gone || !slices.Contains(w.inflight, j) {
		return
	}
	if w.page != nil {
		if at, ok := w.page.at(); ok && at.call != j.id || !ok && w.inflight[0] != j {
			time.AfterFunc(p.cfg.Grace, func() { p.enforce(w, j) }) // its turn is to come
			return
		}
	}
	w.killFor(Canceled)
}

// wait waits until all tasks have their results or there is a reason to give up: the end of ctx or the pool, or what
// comes through quit.
func (s *source) wait(ctx context.Context, quit <-chan error) error {
	select {
	case <-s.done:
	case <-ctx.Done():
		s.abandon(context.Cause(ctx))
	case err := <-quit:
		s.abandon(err)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.reason
}
