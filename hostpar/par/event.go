package par

import (
	"context"
	"sync"
	"time"
)

// Event is a flag that can be waited for. The zero value is clear. An Event must not be copied.
type Event struct {
	mu   sync.Mutex
	done chan struct{} // closed while set; nil until somebody asks for it
	set  bool
}

// Set sets the flag: all who wait go on, and so does everybody who comes before the next Clear. What happened before
// Set is seen by those who were released by it.
func (e *Event) Set() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.set {
		return
	}
	e.set = true
	if e.done == nil {
		e.done = make(chan struct{})
	}
	close(e.done)
}

// Clear clears the flag. Those whom an earlier Set released are not affected.
func (e *Event) Clear() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.set {
		e.set, e.done = false, nil
	}
}

// IsSet reports whether the flag is set.
func (e *Event) IsSet() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.set
}

// Done returns a channel that is closed when the flag is set, for select statements. After a Clear it belongs to the
// past; ask again.
func (e *Event) Done() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.done == nil {
		e.done = make(chan struct{})
	}
	return e.done
}

// Wait waits until the flag is set.
func (e *Event) Wait(ctx context.Context) error {
	done := e.Done()
	select {
	case <-done: // also if ctx has ended
		return nil
	default:
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Sleep waits for d, or until ctx ends.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
