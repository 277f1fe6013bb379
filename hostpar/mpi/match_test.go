package mpi_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tandem-go/tandem/hostpar/mpi"
)

// A receive that waits must not keep a later one, which would take any message, from one that only the later one wants.
func TestRanksOverlappingReceives(t *testing.T) {
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		next, before := (c.Rank()+1)%c.Size(), (c.Rank()-1+c.Size())%c.Size()
		picky, open := make([]int, 1), make([]int, 1)
		first, err := mpi.Irecv(c, picky, before, 5)
		if err != nil {
			return err
		}
		second, err := mpi.Irecv(c, open, mpi.AnySource, mpi.AnyTag)
		if err != nil {
			return err
		}
		object, err := mpi.IrecvAny[string](c, before, 5)
		if err != nil {
			return err
		}
		wait := func(r *mpi.Request, err error) error {
			if err == nil {
				_, err = r.Wait(ctx)
			}
			return err
		}
		return all(
			func() error { return wait(mpi.Isend(c, []int{7}, next, 7)) },
			func() error { return wait(second, nil) },
			func() error { return mpi.Barrier(ctx, c) }, // the rest is sent only after all have got this
			func() error { return wait(mpi.Isend(c, []int{5}, next, 5)) },
			func() error { return wait(mpi.IsendAny(c, "object", next, 5)) },
			func() error { return wait(first, nil) },
			func() error { return check(c, [2]int{5, 7}, [2]int{picky[0], open[0]}, "messages") },
			func() error {
				s, _, err := object.Wait(ctx)
				return errors.Join(err, check(c, "object", s, "object"))
			},
		)
	})
}

// A probe does not show a message that an earlier receive is to get.
func TestRanksProbeBehindReceive(t *testing.T) {
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		next := (c.Rank() + 1) % c.Size()
		r, err := mpi.IrecvAny[int](c, mpi.AnySource, 1)
		if err != nil {
			return err
		}
		var sent [2]*mpi.Request
		for i := range sent {
			if sent[i], err = mpi.IsendAny(c, i+1, next, i+1); err != nil {
				return err
			}
		}
		found, err := mpi.Probe(ctx, c, mpi.AnySource, mpi.AnyTag)
		if err != nil {
			return err
		}
		if err := check(c, 2, found.Tag, "tag found"); err != nil {
			return err
		}
		one, _, err := r.Wait(ctx)
		if err != nil {
			return err
		}
		two, _, err := mpi.RecvAny[int](ctx, c, mpi.AnySource, mpi.AnyTag)
		if err != nil {
			return err
		}
		return errors.Join(mpi.WaitAll(ctx, sent[:]...), check(c, [2]int{1, 2}, [2]int{one, two}, "values"))
	})
}

// rule is a receive that is waiting in the model: who gets a message is who asked first among those that want it.
type rule struct{ source, tag int }

func (r rule) wants(source, tag int) bool {
	return (r.source == mpi.AnySource || r.source == source) && (r.tag == mpi.AnyTag || r.tag == tag)
}

// Random receives, of buffers and of objects, all posted before the first message is sent by one rank, get what a list
// that is searched from the front gives them.
func TestRanksMatchingIsFirstComeFirstServed(t *testing.T) {
	const receives = 40
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		r := rand.New(rand.NewPCG(uint64(c.Size()), 11)) // the same on all ranks
		for range 5 {
			var rules []rule
			var sends, got []int // tags, in the order of sending; who must get which
			for range receives {
				ru := rule{0, r.IntN(4)}
				if r.IntN(3) == 0 {
					ru.source = mpi.AnySource
				}
				if r.IntN(3) == 0 {
					ru.tag = mpi.AnyTag
				}
				rules = append(rules, ru)
			}
			// Each message is one that some receive left over wants, so that all end.
			left := append([]rule(nil), rules...)
			for range receives {
				tag := r.IntN(4)
				at := firstThatWants(left, tag)
				if at < 0 { // then no receive with any tag is left
					tag = left[slices.IndexFunc(left, func(l rule) bool { return l != done })].tag
					at = firstThatWants(left, tag)
				}
				sends, got = append(sends, tag), append(got, at)
				left[at] = done
			}
			if err := play(ctx, c, rules, sends, got); err != nil {
				return err
			}
		}
		return nil
	})
}

// done is a receive that has its message.
var done = rule{-9, -9}

func firstThatWants(left []rule, tag int) int {
	for i, l := range left {
		if l != done && l.wants(0, tag) {
			return i
		}
	}
	return -1
}

// play posts the receives on the last rank, and sends from rank 0.
func play(ctx context.Context, c *mpi.Comm, rules []rule, sends, got []int) error {
	last := c.Size() - 1
	var requests []func() (int, error)
	if c.Rank() == last {
		for i, ru := range rules {
			if i%2 == 0 {
				q, err := mpi.IrecvAny[int](c, ru.source, ru.tag)
				if err != nil {
					return err
				}
				requests = append(requests, func() (int, error) { v, _, err := q.Wait(ctx); return v, err })
				continue
			}
			buf := make([]int, 1)
			q, err := mpi.Irecv(c, buf, ru.source, ru.tag)
			if err != nil {
				return err
			}
			requests = append(requests, func() (int, error) { _, err := q.Wait(ctx); return buf[0], err })
		}
	}
	if err := mpi.Barrier(ctx, c); err != nil {
		return err
	}
	var sent []*mpi.Request
	if c.Rank() == 0 {
		for n, tag := range sends {
			var q *mpi.Request
			var err error
			if got[n]%2 == 0 {
				q, err = mpi.IsendAny(c, n, last, tag)
			} else {
				q, err = mpi.Isend(c, []int{n}, last, tag)
			}
			if err != nil {
				return err
			}
			sent = append(sent, q)
		}
	}
	if c.Rank() == last {
		for n, i := range got {
			v, err := requests[i]()
			if err != nil || v != n {
				return fmt.Errorf("receive %d %+v: want message %d, have %d, %w", i, rules[i], n, v, err)
			}
		}
	}
	return mpi.WaitAll(ctx, sent...)
}
