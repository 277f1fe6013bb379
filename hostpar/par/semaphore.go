package par

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// ErrOverRelease reports that a semaphore was given more than its limit.
var ErrOverRelease = errors.New("par: semaphore released above its limit")

// ErrTooLarge reports a request that can never be met.
var ErrTooLarge = errors.New("par: request above the limit")

// Semaphore counts a resource. Waiters are served in the order they came: a large request at the head holds back small
// ones behind it, so it does not starve. Make it with NewSemaphore.
type Semaphore struct {
	mu    sync.Mutex
	free  int64
	limit int64
	queue waiters
}

// NewSemaphore returns a semaphore with n units free. limit is how many can ever be free; 0 is no limit.
func NewSemaphore(n, limit int64) *Semaphore { return &Semaphore{free: n, limit: limit} }

// Acquire waits for n units. When ctx ends first, it has taken none. It returns ErrTooLarge at once if n is above the
// limit. An n of 0 or less is met at once.
func (s *Semaphore) Acquire(ctx context.Context, n int64) error {
	s.mu.Lock()
	if s.takeFree(n) {
		s.mu.Unlock()
		return nil
	}
	if s.limit > 0 && n > s.limit {
		s.mu.Unlock()
		return fmt.Errorf("acquire %d of a semaphore of %d: %w", n, s.limit, ErrTooLarge)
	}
	w := s.queue.push(n)
	s.mu.Unlock()
	err := w.wait(ctx)
	if err == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.queue.remove(w) {
		s.free += n // granted meanwhile
	}
	s.grant() // the head may be gone, and a smaller request may fit
	return err
}

// TryAcquire takes n units if they are free and nobody waits, and reports whether it did.
func (s *Semaphore) TryAcquire(n int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.takeFree(n)
}

func (s *Semaphore) takeFree(n int64) bool {
	if n <= 0 {
		return true
	}
	if s.queue.len > 0 || s.free < n {
		return false
	}
	s.free -= n
	return true
}

// Release gives n units back. It returns ErrOverRelease, and changes nothing, if more than the limit would be free.
func (s *Semaphore) Release(n int64) error {
	if n <= 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.limit > 0 && s.free+n > s.limit {
		return ErrOverRelease
	}
	s.free += n
	s.grant()
	return nil
}

// Free returns how many units are free.
func (s *Semaphore) Free() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.free
}

func (s *Semaphore) grant() {
	for w := s.queue.first; w != nil && w.n <= s.free; w = s.queue.first {
		s.free -= w.n
		s.queue.wake()
	}
}
