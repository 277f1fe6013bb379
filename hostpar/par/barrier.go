package par

import (
	"context"
	"errors"
	"sync"
)

// ErrBrokenBarrier reports that a barrier was broken: a party's context ended, its action panicked, or Abort or Reset
// was called.
var ErrBrokenBarrier = errors.New("par: barrier is broken")

// BarrierConfig is for the rare things.
type BarrierConfig struct {
	// Action is called by the last party to arrive, before any is released. A panic in it breaks the barrier.
	Action func()
}

// Barrier holds parties until all have come, again and again. Make it with NewBarrier.
type Barrier struct {
	parties int
	action  func()
	mu      sync.Mutex
	round   *round
}

// round is one filling of the barrier.
type round struct {
	arrived int
	broken  bool
	over    chan struct{} // closed when complete or broken
}

func newRound() *round { return &round{over: make(chan struct{})} }

// fail breaks the round; again is nothing. The barrier's mutex is held.
func (r *round) fail() {
	if !r.broken {
		r.broken = true
		close(r.over)
	}
}

// NewBarrier returns a barrier for the given number of parties; below 1 counts as 1.
func NewBarrier(parties int, cfg BarrierConfig) *Barrier {
	return &Barrier{parties: max(parties, 1), action: cfg.Action, round: newRound()}
}

// Wait waits until all parties have called Wait. The index is the order of arrival in this round, from 0.
//
// If ctx ends while waiting, Wait returns context.Cause(ctx) and the barrier is broken: the other parties, and all who
// come before a Reset, get ErrBrokenBarrier at once.
func (b *Barrier) Wait(ctx context.Context) (index int, err error) {
	b.mu.Lock()
	r := b.round
	if r.broken {
		b.mu.Unlock()
		return 0, ErrBrokenBarrier
	}
	index = r.arrived
	r.arrived++
	if r.arrived == b.parties {
		defer b.mu.Unlock()
		return index, b.complete(r)
	}
	b.mu.Unlock()
	select {
	case <-r.over:
	case <-ctx.Done():
		b.mu.Lock()
		defer b.mu.Unlock()
		select {
		case <-r.over: // it was over first
		default:
			r.fail()
			return index, context.Cause(ctx)
		}
		return index, r.err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return index, r.err()
}

func (r *round) err() error {
	if r.broken {
		return ErrBrokenBarrier
	}
	return nil
}

// complete runs the action and releases the round. The caller holds mu, so nobody joins or breaks it meanwhile.
func (b *Barrier) complete(r *round) error {
	ok := false
	defer func() {
		if !ok {
			r.fail()
		}
	}()
	if b.action != nil {
		b.action()
	}
	ok = true
	b.round = newRound()
	close(r.over)
	return nil
}

// Abort breaks the barrier: all who wait get ErrBrokenBarrier.
func (b *Barrier) Abort() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.round.fail()
}

// Reset makes the barrier empty and whole. Those who wait get ErrBrokenBarrier.
func (b *Barrier) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.round.arrived > 0 {
		b.round.fail()
	}
	b.round = newRound()
}

// Parties returns how many must come.
func (b *Barrier) Parties() int { return b.parties }

// Waiting returns how many have come in this round.
func (b *Barrier) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.round.broken {
		return 0
	}
	return b.round.arrived
}

// Broken reports whether the barrier is broken.
func (b *Barrier) Broken() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.round.broken
}
