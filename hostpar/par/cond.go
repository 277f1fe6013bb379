package par

import (
	"context"
	"sync"
)

// Cond is a condition variable whose wait ends with a context. Make it with NewCond.
type Cond struct {
	l     *Mutex
	mu    sync.Mutex
	queue waiters
}

// NewCond returns a condition variable for what l protects.
func NewCond(l *Mutex) *Cond { return &Cond{l: l} }

// Wait releases the lock, waits for Signal or Broadcast or the end of ctx, and takes the lock again. The lock must be
// held before; it is held afterwards in any case, error or not, so the same deferred Unlock serves. Taking the lock
// again is not cut short by ctx.
//
// Without the lock it returns ErrNotLocked at once. As with every condition variable, the condition must be looked at
// again after Wait; WaitFor does.
func (c *Cond) Wait(ctx context.Context) error {
	c.mu.Lock()
	w := c.queue.push(1) // before the release, so no signal is missed
	c.mu.Unlock()
	if err := c.l.Unlock(); err != nil {
		c.withdraw(w)
		return err
	}
	err := w.wait(ctx)
	if err != nil {
		c.withdraw(w)
	}
	if lockErr := c.l.Lock(context.WithoutCancel(ctx)); lockErr != nil {
		return lockErr
	}
	return err
}

// withdraw takes a waiter back; a signal that it has had already goes to the next.
func (c *Cond) withdraw(w *waiter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.queue.remove(w) {
		c.queue.wake()
	}
}

// WaitFor waits until ok returns true. ok is called with the lock held.
func (c *Cond) WaitFor(ctx context.Context, ok func() bool) error {
	for !ok() {
		if err := c.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Signal lets the longest-waiting Wait go on, if there is one. Holding the lock is usual but not needed.
func (c *Cond) Signal() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue.wake()
}

// Broadcast lets all go on that wait now.
func (c *Cond) Broadcast() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.queue.wake() {
	}
}
