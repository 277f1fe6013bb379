package par

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// ErrNotLocked reports the release of a lock that is not held.
var ErrNotLocked = errors.New("par: lock is not held")

// Mutex is a lock whose wait ends with a context. The zero value is unlocked. A Mutex must not be copied.
//
// It is not bound to a goroutine: one may lock and another unlock. Waiters get it in the order they came, each
// directly from its predecessor, so nobody starves; under heavy contention sync.Mutex is faster and should be used
// where no wait has to be given up.
type Mutex struct {
	state atomic.Int32 // mutexHeld, and mutexQueued when waiting may not be empty
	mu    sync.Mutex   // guards waiting and every change of mutexQueued
	queue waiters
}

const (
	mutexHeld   = 1
	mutexQueued = 2
)

// Lock waits for the lock. When ctx ends first, the lock is not held.
func (m *Mutex) Lock(ctx context.Context) error {
	if m.TryLock() {
		return nil
	}
	w := m.enqueue()
	if w == nil {
		return nil
	}
	err := w.wait(ctx)
	if err == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.queue.remove(w) {
		m.trim()
		return err
	}
	m.pass() // it was handed to us meanwhile
	return err
}

// enqueue takes the lock if it is free and returns nil, or returns a queued waiter.
func (m *Mutex) enqueue() *waiter {
	m.mu.Lock()
	defer m.mu.Unlock()
	for {
		s := m.state.Load()
		if s == 0 {
			if m.state.CompareAndSwap(0, mutexHeld) {
				return nil
			}
			continue
		}
		if m.state.CompareAndSwap(s, s|mutexQueued) {
			return m.queue.push(1)
		}
	}
}

// TryLock takes the lock if nobody holds it, and reports whether it did.
func (m *Mutex) TryLock() bool { return m.state.CompareAndSwap(0, mutexHeld) }

// Unlock releases the lock. It returns ErrNotLocked, and changes nothing, if the lock is not held.
func (m *Mutex) Unlock() error {
	if m.state.CompareAndSwap(mutexHeld, 0) {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.state.Load()&mutexHeld == 0 {
		return ErrNotLocked
	}
	m.pass()
	return nil
}

// Locked reports whether somebody holds the lock at this moment.
func (m *Mutex) Locked() bool { return m.state.Load()&mutexHeld != 0 }

// pass gives a held lock to the first waiter, or frees it. The caller holds mu.
func (m *Mutex) pass() {
	if m.queue.wake() {
		m.trim()
		return
	}
	m.state.Store(0)
}

// trim forgets mutexQueued when nobody waits any more. The lock is held; the caller holds mu.
func (m *Mutex) trim() {
	if m.queue.len == 0 {
		m.state.Store(mutexHeld)
	}
}

// RMutex is a lock that its owner may take again, for porting code that relies on it. Go has no identity of goroutines,
// so the owner is explicit: the Hold that Acquire returns. The zero value is unlocked. An RMutex must not be copied.
type RMutex struct{ m Mutex }

// Hold is the ownership of an RMutex. It may be passed to other goroutines.
type Hold struct {
	mu    sync.Mutex
	m     *RMutex
	count int
}

// Acquire waits for the lock as a new owner. The Hold is to be released once.
func (m *RMutex) Acquire(ctx context.Context) (*Hold, error) {
	if err := m.m.Lock(ctx); err != nil {
		return nil, err
	}
	return &Hold{m: m, count: 1}, nil
}

// TryAcquire takes the lock as a new owner if nobody holds it; otherwise it returns nil.
func (m *RMutex) TryAcquire() *Hold {
	if !m.m.TryLock() {
		return nil
	}
	return &Hold{m: m, count: 1}
}

// Acquire takes the lock once more. It does not wait. It returns ErrNotLocked if the Hold was released already.
func (h *Hold) Acquire() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.count == 0 {
		return ErrNotLocked
	}
	h.count++
	return nil
}

// Release undoes one Acquire; the last one frees the lock. It returns ErrNotLocked if nothing is left to undo.
func (h *Hold) Release() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.count == 0 {
		return ErrNotLocked
	}
	if h.count--; h.count > 0 {
		return nil
	}
	return h.m.m.Unlock()
}
