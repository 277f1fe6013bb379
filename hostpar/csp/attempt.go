package csp

import (
	"context"
	"sync"
	"sync/atomic"
)

// attempt is one call of Read, Write, Alt or Pri: it makes offers at channels, and one of them comes about.
//
// An attempt with one offer can be reached through one channel only, whose mutex guards it. One with several offers has
// a number and a mutex of its own, taken after a channel's; two of them are taken in the order of their numbers.
type attempt struct {
	number uint64 // 0: a single offer
	mu     sync.Mutex
	done   bool
	index  int // of the offer that came about
	err    error
	ready  chan struct{} // closed when somebody else has made it come about; a single offer has none before it is queued
}

// numbers orders attempts for locking. It carries nothing else from one call to another.
var numbers atomic.Uint64

func (a *attempt) lock() {
	if a.number != 0 {
		a.mu.Lock()
	}
}

func (a *attempt) unlock() {
	if a.number != 0 {
		a.mu.Unlock()
	}
}

// settle makes an offer come about, unless another one has, and reports whether it did. The channel of a single offer
// is locked.
func (a *attempt) settle(index int, err error) bool {
	a.lock()
	defer a.unlock()
	if a.done {
		return false
	}
	a.done, a.index, a.err = true, index, err
	return true
}

// settled reports whether an offer has come about. The channel of a single offer is locked.
func (a *attempt) settled() bool {
	a.lock()
	defer a.unlock()
	return a.done
}

// wake lets the attempt's goroutine go on. Only who has settled it, from another goroutine, calls it.
func (a *attempt) wake() { close(a.ready) }

// settleBoth makes two offers come about together, or neither. over reports that a had come about before.
func settleBoth(a *attempt, i int, b *attempt, j int) (both, over bool) {
	first, second := a, b
	if first.number > second.number {
		first, second = second, first
	}
	first.lock()
	defer first.unlock()
	second.lock()
	defer second.unlock()
	if a.done {
		return false, true
	}
	if b.done {
		return false, false
	}
	a.done, a.index = true, i
	b.done, b.index = true, j
	return true, false
}

// offer is one side of a communication that waits for the other.
type offer[T any] struct {
	at         *attempt
	index      int // in the attempt
	value      T   // of a writer
	dst        *T  // of a reader
	queued     bool
	prev, next *offer[T]
}

// queue holds offers of one side of a channel, longest-waiting first. The channel's mutex guards it. Offers of attempts
// that came about elsewhere stay until their goroutine withdraws them.
type queue[T any] struct{ first, last *offer[T] }

func (q *queue[T]) push(o *offer[T]) {
	o.queued, o.prev, o.next = true, q.last, nil
	if o.at.ready == nil { // nobody knows the attempt yet
		o.at.ready = make(chan struct{})
	}
	if q.last == nil {
		q.first = o
	} else {
		q.last.next = o
	}
	q.last = o
}

func (q *queue[T]) remove(o *offer[T]) {
	if !o.queued {
		return
	}
	if o.prev == nil {
		q.first = o.next
	} else {
		o.prev.next = o.next
	}
	if o.next == nil {
		q.last = o.prev
	} else {
		o.next.prev = o.prev
	}
	o.queued, o.prev, o.next = false, nil, nil
}

// match brings o about together with the first offer that can, which it returns. over reports that o's attempt has
// come about already.
func (q *queue[T]) match(o *offer[T]) (partner *offer[T], over bool) {
	for p := q.first; p != nil; p = p.next {
		if p.at == o.at {
			continue // an attempt does not talk to itself
		}
		both, over := settleBoth(o.at, o.index, p.at, p.index)
		if over {
			return nil, true
		}
		if both {
			q.remove(p)
			return p, false
		}
	}
	return nil, o.at.settled()
}

// claim brings about the first offer that can, and returns it.
func (q *queue[T]) claim() *offer[T] {
	for p := q.first; p != nil; p = p.next {
		if p.at.settle(p.index, nil) {
			q.remove(p)
			return p
		}
	}
	return nil
}

// fail brings about all offers with an error.
func (q *queue[T]) fail(err error) {
	for p := q.first; p != nil; p = q.first {
		q.remove(p)
		if p.at.settle(p.index, err) {
			p.at.wake()
		}
	}
}

// Guard is one alternative of Alt and Pri: Recv, Send, After or Skip. It is used in one call at a time.
type Guard interface {
	// offer makes the offer and reports whether the attempt has come about, by this or by another one.
	offer(a *attempt, index int) bool
	// withdraw takes the offer back, if it is still there.
	withdraw()
}

// recv is the Guard of Recv.
type recv[T any] struct {
	in *In[T]
	o  offer[T]
}

// send is the Guard of Send.
type send[T any] struct {
	out *Out[T]
	o   offer[T]
}

func (r *recv[T]) offer(a *attempt, index int) bool {
	r.o.at, r.o.index = a, index
	if r.in.retired.Load() {
		a.settle(index, ErrRetired)
		return true
	}
	c := r.in.c
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read(&r.o)
	return !r.o.queued
}

func (r *recv[T]) withdraw() {
	r.in.c.mu.Lock()
	defer r.in.c.mu.Unlock()
	r.in.c.readers.remove(&r.o)
}

func (s *send[T]) offer(a *attempt, index int) bool {
	s.o.at, s.o.index = a, index
	if s.out.retired.Load() {
		a.settle(index, ErrRetired)
		return true
	}
	c := s.out.c
	c.mu.Lock()
	defer c.mu.Unlock()
	c.write(&s.o)
	return !s.o.queued
}

func (s *send[T]) withdraw() {
	s.out.c.mu.Lock()
	defer s.out.c.mu.Unlock()
	s.out.c.writers.remove(&s.o)
}

// single runs an attempt with one offer.
func (a *attempt) single(ctx context.Context, g Guard) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if g.offer(a, 0) {
		return a.err
	}
	select {
	case <-a.ready:
		return a.err
	case <-ctx.Done():
	}
	g.withdraw()
	// Withdrawn under the channel's mutex: from here on nobody else sees the attempt.
	if a.done {
		return a.err
	}
	return context.Cause(ctx)
}
