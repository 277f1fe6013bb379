package shm

import (
	"context"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
	"github.com/tandem-go/tandem/hostpar/internal/futex"
)

const (
	// patience is how long a sleep lasts at most: then it is looked whether the owner still lives and the context has ended.
	patience = 50 * time.Millisecond
	// spins is how often a word is looked at before sleeping: less than a sleep costs.
	spins = 100
	// queued is the bit of a lock's word that says that somebody may sleep.
	queued = 1 << 31
	line   = 64
)

// sleep waits until *word is no longer val, or ctx ends, or patience does.
func sleep(ctx context.Context, word *atomic.Uint32, val uint32) error {
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() { wakeAll(word) })
		defer stop()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	futex.Wait(word, val, patience)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

func wakeAll(word *atomic.Uint32) { futex.Wake(word, math.MaxInt32) }

// lock is a word of shared memory: 0 if free, else the ID of the process that holds it, and the queued bit.
type lock struct {
	word *atomic.Uint64
	me   uint64
	s    *Segment // which must not be unmapped while a method runs
}

func (s *Segment) lock(at int) lock { return lock{s.word64(at), uint64(s.me), s} }

func (l lock) acquire(ctx context.Context) (ownerDied bool, err error) {
	if l.word.CompareAndSwap(0, l.me) {
		runtime.KeepAlive(l.s)
		return false, nil
	}
	return l.wait(ctx)
}

func (l lock) wait(ctx context.Context) (ownerDied bool, err error) {
	defer runtime.KeepAlive(l.s)
	for range spins {
		if l.word.Load() == 0 && l.word.CompareAndSwap(0, l.me) {
			return false, nil
		}
	}
	for {
		v := l.word.Load()
		if v == 0 {
			if l.word.CompareAndSwap(0, l.me|queued) { // others may sleep, too
				return false, nil
			}
			continue
		}
		if v&queued == 0 && !l.word.CompareAndSwap(v, v|queued) {
			continue
		}
		v |= queued
		began := time.Now()
		if err := sleep(ctx, futex.Low(l.word), uint32(v)); err != nil {
			return false, err
		}
		if time.Since(began) >= patience && l.word.Load() == v && l.takeOver(v, queued) {
			return true, nil
		}
	}
}

// takeOver takes a lock whose owner has died.
func (l lock) takeOver(v, bits uint64) bool {
	owner := v &^ queued
	return owner != l.me && !futex.Alive(futex.ID(owner)) && l.word.CompareAndSwap(v, l.me|bits|v&queued)
}

func (l lock) try() (locked, ownerDied bool) {
	defer runtime.KeepAlive(l.s)
	if l.word.CompareAndSwap(0, l.me) {
		return true, false
	}
	if v := l.word.Load(); v != 0 && l.takeOver(v, 0) {
		return true, true
	}
	return false, false
}

func (l lock) release() error {
	if l.word.CompareAndSwap(l.me, 0) {
		runtime.KeepAlive(l.s)
		return nil
	}
	defer runtime.KeepAlive(l.s)
	if l.word.CompareAndSwap(l.me|queued, 0) {
		futex.Wake(futex.Low(l.word), 1)
		return nil
	}
	return ErrNotLocked
}

// Mutex is a lock between processes, and between the goroutines of each. Make it with NewMutex.
type Mutex struct {
	s *Segment
	l lock
}

// NewMutex makes an unlocked Mutex.
func NewMutex() (*Mutex, error) {
	s, err := NewSegment(line)
	if err != nil {
		return nil, err
	}
	return &Mutex{s, s.lock(0)}, nil
}

// Lock waits for the lock. ownerDied says that the process that held it before has died without releasing it: what the
// lock protects may be half changed. It is held then, too. When ctx ends first, it is not held.
func (m *Mutex) Lock(ctx context.Context) (ownerDied bool, err error) { return m.l.acquire(ctx) }

// TryLock takes the lock if nobody holds it who lives.
func (m *Mutex) TryLock() (locked, ownerDied bool) { return m.l.try() }

// Unlock releases the lock. It returns ErrNotLocked, and changes nothing, if this process does not hold it.
func (m *Mutex) Unlock() error { return m.l.release() }

// EncodeHandle is for package proc.
func (m *Mutex) EncodeHandle(e *codec.Encoder) error { return m.s.EncodeHandle(e) }

// DecodeHandle is for package proc.
func (m *Mutex) DecodeHandle(d *codec.Decoder) error {
	s, err := decodeSegment(d, line)
	if err == nil {
		*m = Mutex{s, s.lock(0)}
	}
	return err
}

// RMutex is a Mutex that its owner may take again. The owner is explicit: the Hold that Acquire returns.
type RMutex struct{ Mutex }

// Hold is the ownership of an RMutex by this process. It may be passed between goroutines.
type Hold struct {
	mu    sync.Mutex
	m     *RMutex
	count int
}

// NewRMutex makes an unlocked RMutex.
func NewRMutex() (*RMutex, error) {
	m, err := NewMutex()
	if err != nil {
		return nil, err
	}
	return &RMutex{*m}, nil
}

// Acquire waits for the lock as a new owner. The Hold is to be released once.
func (m *RMutex) Acquire(ctx context.Context) (h *Hold, ownerDied bool, err error) {
	if ownerDied, err = m.Lock(ctx); err != nil {
		return nil, false, err
	}
	return &Hold{m: m, count: 1}, ownerDied, nil
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
	return h.m.Unlock()
}
