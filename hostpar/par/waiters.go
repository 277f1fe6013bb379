package par

import "context"

// waiter is one blocked call.
type waiter struct {
	ready      chan struct{} // closed by whoever lets the call go on
	n          int64         // Semaphore: how much it wants
	queued     bool
	prev, next *waiter
}

// waiters is a queue of blocked calls, longest-waiting first. Its owner's mutex guards it.
type waiters struct {
	first, last *waiter
	len         int
}

func (q *waiters) push(n int64) *waiter {
	w := &waiter{ready: make(chan struct{}), n: n, queued: true, prev: q.last}
	if q.last == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
	q.len++
	return w
}

// remove takes w out, if it is still in, and reports whether it was.
func (q *waiters) remove(w *waiter) bool {
	if !w.queued {
		return false
	}
	if w.prev == nil {
		q.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.queued, w.prev, w.next = false, nil, nil
	q.len--
	return true
}

// wake lets the first waiter go on and reports whether there was one.
func (q *waiters) wake() bool {
	w := q.first
	if w == nil {
		return false
	}
	q.remove(w)
	close(w.ready)
	return true
}

// wait blocks until w is let go or ctx ends; then it returns the cause.
func (w *waiter) wait(ctx context.Context) error {
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
