package task

import (
	"errors"

	"github.com/tandem-go/tandem/hostpar/par"
)

// The objects of this file belong to one loop: they are used by its coroutines, and, but for waiting, by its callbacks.

// waitlist is a queue of coroutines that wait for something, longest-waiting first.
type waitlist struct{ waiting []*ticket }

// ticket is one wait.
type ticket struct {
	co      *Co
	granted bool
}

// wait parks co until grant reaches it. If it is interrupted after it was granted, it takes the grant: ready goes first.
func (w *waitlist) wait(co *Co) error {
	t := &ticket{co: co}
	w.waiting = append(w.waiting, t)
	err := co.park(func() bool { return t.granted })
	if err != nil {
		for i, o := range w.waiting {
			if o == t {
				w.waiting = append(w.waiting[:i:i], w.waiting[i+1:]...)
				break
			}
		}
	}
	return err
}

// grant lets the first waiter go on and reports whether there was one.
func (w *waitlist) grant() bool {
	if len(w.waiting) == 0 {
		return false
	}
	t := w.waiting[0]
	w.waiting = w.waiting[1:]
	t.granted = true
	t.co.resume()
	return true
}

// Lock excludes coroutines of one loop from each other across waits. The zero value is unlocked. Waiters get it in the
// order they came.
type Lock struct {
	held bool
	list waitlist
}

// Acquire waits for the lock.
func (l *Lock) Acquire(co *Co) error {
	if !l.held {
		l.held = true
		return nil
	}
	return l.list.wait(co) // Release leaves held true for us
}

// Release frees the lock, or gives it to the next. It returns par.ErrNotLocked if it is not held.
func (l *Lock) Release() error {
	if !l.held {
		return par.ErrNotLocked
	}
	l.held = l.list.grant()
	return nil
}

// Locked reports whether some coroutine holds the lock.
func (l *Lock) Locked() bool { return l.held }

// Event is a flag that coroutines of one loop wait for. The zero value is clear.
type Event struct {
	set  bool
	list waitlist
}

// Set sets the flag and lets all go on that wait.
func (e *Event) Set() {
	e.set = true
	for e.list.grant() {
	}
}

// Clear clears the flag.
func (e *Event) Clear() { e.set = false }

// IsSet reports whether the flag is set.
func (e *Event) IsSet() bool { return e.set }

// Wait waits until the flag is set.
func (e *Event) Wait(co *Co) error {
	if e.set {
		return nil
	}
	return e.list.wait(co)
}

// Cond is a condition variable for coroutines of one loop. Make it with NewCond.
type Cond struct {
	l    *Lock
	list waitlist
}

// NewCond returns a condition variable for what l protects.
func NewCond(l *Lock) *Cond { return &Cond{l: l} }

// Wait releases the lock, waits for Signal or Broadcast, and takes the lock again, also when it returns an error: a
// cancellation during that is remembered for the next wait. Without the lock it returns par.ErrNotLocked.
func (c *Cond) Wait(co *Co) error {
	if err := c.l.Release(); err != nil {
		return err
	}
	err := c.list.wait(co)
	var late []error
	for !co.forced {
		again := c.l.Acquire(co)
		if again == nil {
			break
		}
		late = append(late, again)
	}
	if co.forced {
		return ErrCanceled // at the end of the loop nobody runs beside this coroutine any more
	}
	if err == nil && len(late) > 0 {
		err, late = late[0], late[1:]
		c.Signal() // ours goes to the next
	}
	co.breaks = append(late, co.breaks...)
	return err
}

// WaitFor waits until ok returns true. ok is called with the lock held.
func (c *Cond) WaitFor(co *Co, ok func() bool) error {
	for !ok() {
		if err := c.Wait(co); err != nil {
			return err
		}
	}
	return nil
}

// Signal lets the longest-waiting coroutine go on.
func (c *Cond) Signal() { c.list.grant() }

// Broadcast lets all go on that wait now.
func (c *Cond) Broadcast() {
	for c.list.grant() {
	}
}

// Semaphore counts a resource of coroutines of one loop. Make it with NewSemaphore.
type Semaphore struct {
	free, limit int
	list        waitlist
}

// NewSemaphore returns a semaphore with n units free; no more than limit can be free, unless limit is 0.
func NewSemaphore(n, limit int) *Semaphore { return &Semaphore{free: n, limit: limit} }

// Acquire waits for one unit.
func (s *Semaphore) Acquire(co *Co) error {
	if s.free > 0 {
		s.free--
		return nil
	}
	return s.list.wait(co) // Release hands the unit over
}

// Release gives one unit back. It returns par.ErrOverRelease, and changes nothing, if the limit is free already.
func (s *Semaphore) Release() error {
	if s.limit > 0 && s.free >= s.limit {
		return par.ErrOverRelease
	}
	if !s.list.grant() {
		s.free++
	}
	return nil
}

// Barrier holds coroutines of one loop until all have come, again and again. Make it with NewBarrier.
type Barrier struct {
	parties int
	round   *round
}

// round is one filling of the barrier.
type round struct {
	arrived int
	broken  bool
	list    waitlist
}

func (r *round) fail() {
	r.broken = true
	for r.list.grant() {
	}
}

// NewBarrier returns a barrier for the given number of coroutines; below 1 counts as 1.
func NewBarrier(parties int) *Barrier { return &Barrier{parties: max(parties, 1), round: &round{}} }

// Wait waits until all have come. The index is the order of arrival, from 0. If a waiting coroutine is cancelled, the
// barrier is broken: the others, and all who come before Reset, get par.ErrBrokenBarrier.
func (b *Barrier) Wait(co *Co) (index int, err error) {
	r := b.round
	if r.broken {
		return 0, par.ErrBrokenBarrier
	}
	index = r.arrived
	r.arrived++
	if r.arrived == b.parties {
		b.round = &round{}
		for r.list.grant() {
		}
		return index, nil
	}
	if err := r.list.wait(co); err != nil {
		r.fail()
		return index, err
	}
	if r.broken {
		return index, par.ErrBrokenBarrier
	}
	return index, nil
}

// Abort breaks the barrier: those who wait get par.ErrBrokenBarrier.
func (b *Barrier) Abort() { b.round.fail() }

// Reset makes the barrier empty and whole. Those who wait get par.ErrBrokenBarrier.
func (b *Barrier) Reset() {
	b.round.fail()
	b.round = &round{}
}

// Broken reports whether the barrier is broken.
func (b *Barrier) Broken() bool { return b.round.broken }

// Queue hands elements from coroutines to coroutines of one loop, first in, first out. Make it with NewQueue.
type Queue[T any] struct {
	items      []T
	capacity   int
	closed     bool
	putters    waitlist
	getters    waitlist
	unfinished int
	joiners    waitlist
}

// NewQueue returns an empty queue that holds so many elements before Put waits; below 1 there is no limit.
func NewQueue[T any](capacity int) *Queue[T] { return &Queue[T]{capacity: capacity} }

// Put adds x, waiting for room. It returns par.ErrClosed if the queue is closed.
func (q *Queue[T]) Put(co *Co, x T) error {
	for {
		err := q.TryPut(x)
		if !errors.Is(err, par.ErrFull) {
			return err
		}
		if err := q.putters.wait(co); err != nil {
			return err
		}
	}
}

// TryPut adds x if there is room, or returns par.ErrFull or par.ErrClosed.
func (q *Queue[T]) TryPut(x T) error {
	if q.closed {
		return par.ErrClosed
	}
	if q.capacity > 0 && len(q.items) >= q.capacity {
		return par.ErrFull
	}
	q.items = append(q.items, x)
	q.unfinished++
	q.getters.grant()
	return nil
}

// Get removes the oldest element, waiting for one. It returns par.ErrClosed when the queue is closed and empty.
func (q *Queue[T]) Get(co *Co) (T, error) {
	for {
		x, err := q.TryGet()
		if !errors.Is(err, par.ErrEmpty) {
			return x, err
		}
		if err := q.getters.wait(co); err != nil {
			return x, err
		}
	}
}

// TryGet removes the oldest element if there is one, or returns par.ErrEmpty or par.ErrClosed.
func (q *Queue[T]) TryGet() (x T, err error) {
	if len(q.items) == 0 {
		if q.closed {
			return x, par.ErrClosed
		}
		return x, par.ErrEmpty
	}
	x = q.items[0]
	var zero T
	q.items[0] = zero // let the collector have it
	q.items = q.items[1:]
	q.putters.grant()
	return x, nil
}

// Len returns how many elements are in the queue.
func (q *Queue[T]) Len() int { return len(q.items) }

// Close lets no further element in. Those inside are still given out.
func (q *Queue[T]) Close() {
	q.closed = true
	for q.putters.grant() {
	}
	for q.getters.grant() {
	}
}

// TaskDone says that one element that was taken has been processed; see Join.
func (q *Queue[T]) TaskDone() error {
	if q.unfinished == 0 {
		return par.ErrTaskDone
	}
	if q.unfinished--; q.unfinished == 0 {
		for q.joiners.grant() {
		}
	}
	return nil
}

// Join waits until TaskDone was called once for each element that was ever put.
func (q *Queue[T]) Join(co *Co) error {
	if q.unfinished == 0 {
		return nil
	}
	return q.joiners.wait(co)
}
