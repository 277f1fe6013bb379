package task

import (
	"container/heap"
	"context"
	"errors"
	"sync"
	"time"
)

// ErrLoopRunning reports that a loop was run while it was running.
var ErrLoopRunning = errors.New("task: loop is already running")

// Loop calls callbacks one at a time, on the goroutine that runs it. Make it with NewLoop.
//
// An iteration calls what was ready when it began, first in, first out; timers that are due come in the order of their
// times, and of their registration where times are equal. CallSoon, CallLater, CallAt and Stop may be called from any
// goroutine. A panic in a callback goes through Run; the loop may be run again.
type Loop struct {
	mu      sync.Mutex
	ready   []*Handle
	timers  timers
	seq     uint64
	running bool
	stopped bool
	asleep  bool          // Run waits, and wants to be told
	wake    chan struct{} // room for one
	spent   []*Handle     // the slice of an earlier iteration, for the next ready

	coroutines map[*Co]uint64 // begun and not ended, with the order in which they began. Only for who runs the loop
	begun      uint64
}

// NewLoop returns a loop that is not running.
func NewLoop() *Loop {
	return &Loop{wake: make(chan struct{}, 1), coroutines: map[*Co]uint64{}}
}

// Handle is a callback that was registered with a loop.
type Handle struct {
	loop  *Loop
	fn    func() // nil when called or cancelled
	when  time.Time
	seq   uint64
	index int // in timers; -1 if not there
}

// When returns the time a timer is due; the zero time for CallSoon.
func (h *Handle) When() time.Time { return h.when }

// Cancel takes the callback back and reports whether it did so before it was called.
func (h *Handle) Cancel() bool {
	h.loop.mu.Lock()
	defer h.loop.mu.Unlock()
	if h.fn == nil {
		return false
	}
	h.fn = nil
	if h.index >= 0 {
		heap.Remove(&h.loop.timers, h.index)
	}
	return true
}

// Now returns the loop's time, which is time.Now: monotonic, and fake in a testing/synctest bubble.
func (l *Loop) Now() time.Time { return time.Now() }

// CallSoon calls fn in the next iteration.
func (l *Loop) CallSoon(fn func()) *Handle {
	h := &Handle{loop: l, fn: fn, index: -1}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ready = append(l.ready, h)
	l.rouse()
	return h
}

// CallLater calls fn when d has passed.
func (l *Loop) CallLater(d time.Duration, fn func()) *Handle { return l.CallAt(l.Now().Add(d), fn) }

// CallAt calls fn at the time t.
func (l *Loop) CallAt(t time.Time, fn func()) *Handle {
	h := &Handle{loop: l, fn: fn, when: t}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	h.seq = l.seq
	heap.Push(&l.timers, h)
	l.rouse()
	return h
}

// Stop ends Run after the present iteration; if the loop is not running, its next Run ends after one iteration.
func (l *Loop) Stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
	l.rouse()
}

// rouse ends the wait of Run. The caller holds mu.
func (l *Loop) rouse() {
	if l.asleep {
		l.asleep = false
		l.wake <- struct{}{} // has room: sleep leaves nothing in it
	}
}

// Run runs the loop until Stop, which returns nil, or until ctx ends, which returns the cause. What is registered stays
// registered. Only one goroutine may run a loop at a time; a second one gets ErrLoopRunning.
func (l *Loop) Run(ctx context.Context) error {
	if !l.enter() {
		return ErrLoopRunning
	}
	defer l.leave()
	_, err := l.run(ctx, nil)
	return err
}

func (l *Loop) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running {
		return false
	}
	l.running = true
	return true
}

func (l *Loop) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running, l.stopped = false, false
}

// run iterates until Stop, the end of ctx, or until is closed, which it reports.
func (l *Loop) run(ctx context.Context, until <-chan struct{}) (reached bool, err error) {
	for {
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		stopped := l.iterate()
		select {
		case <-until:
			return true, nil
		default:
		}
		if stopped {
			return false, nil
		}
		if err := l.sleep(ctx, until); err != nil {
			return false, err
		}
	}
}

// iterate calls what is ready and reports whether Stop was called.
func (l *Loop) iterate() (stopped bool) {
	l.mu.Lock()
	if len(l.timers) > 0 {
		now := l.Now()
		for len(l.timers) > 0 && !l.timers[0].when.After(now) {
			l.ready = append(l.ready, heap.Pop(&l.timers).(*Handle))
		}
	}
	batch := l.ready
	l.ready, l.spent = l.spent, nil
	l.mu.Unlock()
	for i, h := range batch {
		l.callHandle(h, batch[i+1:])
	}
	clear(batch)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spent = batch[:0]
	return l.stopped
}

// callHandle calls one callback; if it does not return, the rest of the batch stays ready.
func (l *Loop) callHandle(h *Handle, rest []*Handle) {
	l.mu.Lock()
	fn := h.fn
	h.fn = nil
	l.mu.Unlock()
	if fn == nil {
		return
	}
	returned := false
	defer func() {
		if !returned {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.ready = append(rest[:len(rest):len(rest)], l.ready...)
		}
	}()
	fn()
	returned = true
}

// sleep waits until there may be something to do, or until is closed.
func (l *Loop) sleep(ctx context.Context, until <-chan struct{}) error {
	l.mu.Lock()
	if len(l.ready) > 0 || l.stopped {
		l.mu.Unlock()
		return nil
	}
	var due <-chan time.Time
	if len(l.timers) > 0 {
		timer := time.NewTimer(time.Until(l.timers[0].when))
		defer timer.Stop()
		due = timer.C
	}
	l.asleep = true
	l.mu.Unlock()
	var err error
	select {
	case <-l.wake:
		return nil
	case <-due:
	case <-until:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.asleep { // somebody has roused it at the same time
		<-l.wake
	}
	l.asleep = false
	return err
}

// RunUntil runs the loop until the future has its result, and returns that. If Stop comes first, the error is
// ErrLoopStopped.
func RunUntil[T any](ctx context.Context, l *Loop, f *Future[T]) (T, error) {
	var zero T
	if !l.enter() {
		return zero, ErrLoopRunning
	}
	defer l.leave()
	reached, err := l.run(ctx, f.Done())
	switch {
	case reached:
		return f.value, f.err
	case err == nil:
		err = ErrLoopStopped
	}
	return zero, err
}

// ErrLoopStopped reports that a loop was stopped before what it was run for had happened.
var ErrLoopStopped = errors.New("task: loop was stopped")

// timers is a heap by (when, seq).
type timers []*Handle

func (t timers) Len() int { return len(t) }

func (t timers) Less(i, j int) bool {
	if t[i].when.Equal(t[j].when) {
		return t[i].seq < t[j].seq
	}
	return t[i].when.Before(t[j].when)
}

func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].index, t[j].index = i, j
}

func (t *timers) Push(x any) {
	h := x.(*Handle)
	h.index = len(*t)
	*t = append(*t, h)
}

func (t *timers) Pop() any {
	last := len(*t) - 1
	h := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	h.index = -1
	return h
}
