package par

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// ErrTurn reports a turn that is over, entered twice, or left without having been entered.
var ErrTurn = errors.New("par: not this turn")

// Sequencer is an ordered section: turn 0 enters, then turn 1 when turn 0 has left, and so on, whoever comes first. A
// mutex gives exclusion but no order; this gives both. The zero value waits for turn 0. It must not be copied.
type Sequencer struct {
	mu      sync.Mutex
	next    int64 // the turn that is inside or may enter
	inside  bool
	waiting map[int64]*waiter
	over    map[int64]bool // turns above next that were given up
}

// Do waits for the turn, calls fn, and lets the next turn enter, also if fn panics. It returns the error of fn. When ctx
// ends first, fn is not called and the turn is given up, so that later ones do not wait for it.
func (s *Sequencer) Do(ctx context.Context, turn int64, fn func() error) error {
	if err := s.Enter(ctx, turn); err != nil {
		return err
	}
	defer func() { _ = s.Leave(turn) }() // cannot fail: the turn is inside
	return fn()
}

// Enter waits for the turn; see Do. Leave must follow, unless Enter returns an error.
func (s *Sequencer) Enter(ctx context.Context, turn int64) error {
	s.mu.Lock()
	if turn < s.next || s.inside && turn == s.next || s.waiting[turn] != nil || s.over[turn] {
		s.mu.Unlock()
		return fmt.Errorf("enter turn %d: %w", turn, ErrTurn)
	}
	if turn == s.next {
		s.inside = true
		s.mu.Unlock()
		return nil
	}
	if s.waiting == nil {
		s.waiting = map[int64]*waiter{}
	}
	w := &waiter{ready: make(chan struct{})}
	s.waiting[turn] = w
	s.mu.Unlock()
	err := w.wait(ctx)
	if err == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting[turn] == w {
		delete(s.waiting, turn)
		s.giveUp(turn)
		return err
	}
	s.advance() // it was our turn just now
	return err
}

// Leave ends the turn that is inside and lets the next one enter.
func (s *Sequencer) Leave(turn int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.inside || turn != s.next {
		return fmt.Errorf("leave turn %d: %w", turn, ErrTurn)
	}
	s.advance()
	return nil
}

// Skip gives up a turn that nobody will enter.
func (s *Sequencer) Skip(turn int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if turn < s.next || s.inside && turn == s.next || s.waiting[turn] != nil || s.over[turn] {
		return fmt.Errorf("skip turn %d: %w", turn, ErrTurn)
	}
	s.giveUp(turn)
	return nil
}

func (s *Sequencer) giveUp(turn int64) {
	if turn == s.next {
		s.advance()
		return
	}
	if s.over == nil {
		s.over = map[int64]bool{}
	}
	s.over[turn] = true
}

// advance ends the current turn and lets the next one enter that was not given up.
func (s *Sequencer) advance() {
	s.next++
	for s.over[s.next] {
		delete(s.over, s.next)
		s.next++
	}
	w := s.waiting[s.next]
	s.inside = w != nil
	if w != nil {
		delete(s.waiting, s.next)
		close(w.ready)
	}
}
