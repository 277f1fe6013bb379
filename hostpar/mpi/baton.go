package mpi

import (
	"context"
	"sync/atomic"
)

// baton is a lock for which one can wait beside other things. It costs a lone goroutine two atomic operations.
type baton struct {
	held    atomic.Bool
	waiting atomic.Int32
	freed   chan struct{} // capacity 1: tells one of those who wait to try
}

// try takes the baton if it is free.
func (b *baton) try() bool { return !b.held.Load() && b.held.CompareAndSwap(false, true) }

// free gives the baton back. Who begins to wait before the last line is told; who begins later finds it free.
func (b *baton) free() {
	b.held.Store(false)
	if b.waiting.Load() > 0 {
		select {
		case b.freed <- struct{}{}:
		default:
		}
	}
}

// wait returns when the baton may be free or something has been done, or with an error when the context or the job ends.
func (b *baton) wait(ctx context.Context, done, ending <-chan struct{}) error {
	b.waiting.Add(1)
	defer b.waiting.Add(-1)
	if !b.held.Load() {
		return nil
	}
	select {
	case <-b.freed:
		return nil
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-ending:
		return ErrFinalized
	}
}

// take waits for the baton.
func (b *baton) take() {
	for !b.try() {
		_ = b.wait(context.Background(), nil, nil) // neither ends
	}
}
