package csp

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// ErrNoGuards reports an Alt or Pri without guards, which would wait for ever.
var ErrNoGuards = errors.New("csp: no guards to choose from")

// Recv is the guard that reads from a channel into *dst. dst is written only if the guard is chosen.
func Recv[T any](in *In[T], dst *T) Guard { return &recv[T]{in: in, o: offer[T]{dst: dst}} }

// Send is the guard that writes x to a channel.
func Send[T any](out *Out[T], x T) Guard { return &send[T]{out: out, o: offer[T]{value: x}} }

// After is the guard that is chosen when d has passed since the call and nothing else was possible.
func After(d time.Duration) Guard { return after{d} }

// Skip is the guard that is chosen when no other one is possible at once.
func Skip() Guard { return skip{} }

type after struct{ d time.Duration }

func (after) offer(a *attempt, _ int) bool { return a.settled() }
func (after) withdraw()                    {}

type skip struct{}

func (skip) offer(a *attempt, _ int) bool { return a.settled() }
func (skip) withdraw()                    {}

// Alt waits until one of the guards is possible, carries it out, and returns its index. Of several possible ones it
// chooses at random, each with the same chance, so nobody is left out.
//
// A channel that is poisoned or retired makes its guards possible: the error is then ErrPoisoned or ErrRetired, with the
// index of the guard. When ctx ends, the index is -1 and the error context.Cause(ctx); nothing was carried out then.
func Alt(ctx context.Context, guards ...Guard) (int, error) {
	if len(guards) == 0 {
		return -1, ErrNoGuards
	}
	order := make([]int, len(guards))
	for i := range order { // a random permutation, built from the inside out
		j := rand.IntN(i + 1)
		order[i], order[j] = order[j], i
	}
	return choose(ctx, guards, order)
}

// Pri is Alt, but of several possible guards it chooses the first.
func Pri(ctx context.Context, guards ...Guard) (int, error) {
	if len(guards) == 0 {
		return -1, ErrNoGuards
	}
	return choose(ctx, guards, nil)
}

// choose makes the offers in order, or as they stand if order is nil, so the first that is possible comes about.
func choose(ctx context.Context, guards []Guard, order []int) (int, error) {
	if ctx.Err() != nil {
		return -1, context.Cause(ctx)
	}
	a := &attempt{number: numbers.Add(1), ready: make(chan struct{})}
	// Withdrawing locks each channel once more. So when choose returns, whoever made an offer come about has also left
	// the channel, and the value is in place.
	defer func() {
		for _, g := range guards {
			g.withdraw()
		}
	}()
	for i := range guards {
		if order != nil {
			i = order[i]
		}
		if guards[i].offer(a, i) {
			return a.index, a.err
		}
	}
	return a.wait(ctx, guards)
}

// wait waits until an offer comes about by somebody else, or by the guards that need no partner.
func (a *attempt) wait(ctx context.Context, guards []Guard) (int, error) {
	var due <-chan time.Time
	timed := -1
	for i, g := range guards {
		switch g := g.(type) {
		case skip:
			a.settle(i, nil)
			return a.result()
		case after:
			if timed < 0 || g.d < guards[timed].(after).d {
				timed = i
			}
		}
	}
	if timed >= 0 {
		timer := time.NewTimer(guards[timed].(after).d)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-a.ready:
	case <-due:
		a.settle(timed, nil)
	case <-ctx.Done():
		a.settle(-1, context.Cause(ctx))
	}
	return a.result()
}

// result returns what has come about. The attempt is settled.
func (a *attempt) result() (int, error) {
	a.lock()
	defer a.unlock()
	return a.index, a.err
}
