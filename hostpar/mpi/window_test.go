package mpi_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/mpi"
)

// Each rank has as many elements as its number plus two, and writes to all others.
func TestRanksWindowPutAndGet(t *testing.T) {
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		defer mpi.Shrink(c, 1000, 1<<12)()
		for _, n := range []int{0, 3, 5000} { // five thousand elements take several calls
			each := n + 2 + c.Rank()
			w, err := mpi.NewWindow[float64](ctx, c, c.Size()*each)
			if err != nil {
				return err
			}
			for r := range c.Size() {
				length := n + 2 + r
				if err := check(c, c.Size()*length, w.Len(r), "length"); err != nil {
					return err
				}
				src := fill(length, uint64(100*c.Rank()+r))
				if err := w.Put(ctx, src, r, c.Rank()*length); err != nil {
					return err
				}
				back := make([]float64, length)
				if err := w.Get(ctx, back, r, c.Rank()*length); err != nil {
					return err
				}
				if !slices.Equal(src, back) {
					return fmt.Errorf("rank %d: what was put to rank %d is not there", c.Rank(), r)
				}
			}
			if err := w.Fence(ctx); err != nil {
				return err
			}
			for r := range c.Size() {
				if !slices.Equal(fill(each, uint64(100*r+c.Rank())), w.Local()[r*each:][:each]) {
					return fmt.Errorf("rank %d: wrong elements of rank %d", c.Rank(), r)
				}
			}
			if err := errors.Join(w.Close(), w.Close()); err != nil {
				return err
			}
			if err := fails("closed", w.Put(ctx, []float64{1}, 0, 0), mpi.ErrClosed); err != nil || w.Local() != nil {
				return fmt.Errorf("after Close: %w", err)
			}
		}
		return nil
	})
}

// Many goroutines of all ranks count on rank 0 in four ways; every way is atomic.
func TestRanksWindowAtomics(t *testing.T) {
	const goroutines, each = 3, 100
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		w, err := mpi.NewWindow[int64](ctx, c, 6)
		if err != nil {
			return err
		}
		var mu sync.Mutex
		tickets := map[int64]bool{}
		count := func() error {
			for range each {
				if err := w.Accumulate(ctx, []int64{1, 2}, 0, 0, mpi.Sum); err != nil {
					return err
				}
				ticket, err := w.Fetch(ctx, 1, 0, 2, mpi.Sum)
				if err != nil {
					return err
				}
				mu.Lock()
				tickets[ticket] = true
				mu.Unlock()
				for seen := int64(0); ; {
					old, err := mpi.CompareAndSwap(ctx, w, seen, seen+1, 0, 3)
					if err != nil {
						return err
					}
					if old == seen {
						break
					}
					seen = old
				}
				if err := w.Lock(ctx, 0); err != nil {
					return err
				}
				x := make([]int64, 1)
				err = errors.Join(w.Get(ctx, x, 0, 4), w.Put(ctx, []int64{x[0] + 1}, 0, 4), w.Unlock(ctx, 0))
				if err != nil {
					return err
				}
			}
			return nil
		}
		failures := make([]error, goroutines)
		var wg sync.WaitGroup
		for g := range goroutines {
			wg.Go(func() { failures[g] = count() })
		}
		wg.Wait()
		n := int64(goroutines * each)
		total := n * int64(c.Size())
		return all(
			func() error { return errors.Join(failures...) },
			func() error { return check(c, int(n), len(tickets), "different tickets") },
			func() error { return w.Fence(ctx) },
			func() error {
				want := make([]int64, 6)
				if c.Rank() == 0 {
					want = []int64{total, 2 * total, total, total, total, 0}
				}
				return check(c, want, w.Local(), "counts")
			},
			w.Close,
		)
	})
}

func TestRanksWindowOperators(t *testing.T) {
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		w, err := mpi.NewWindow[int32](ctx, c, 8)
		if err != nil {
			return err
		}
		f, err := mpi.NewWindow[complex128](ctx, c, 1)
		if err != nil {
			return err
		}
		peer := (c.Rank() + 1) % c.Size()
		for op, want := range map[mpi.Builtin]int32{mpi.Sum: 18, mpi.Product: 72, mpi.Min: 6, mpi.Max: 12, mpi.BitAnd: 4,
			mpi.BitOr: 14, mpi.BitXor: 10, mpi.Replace: 6} {
			at := int(op) - 1
			if err := w.Put(ctx, []int32{12}, peer, at); err != nil {
				return err
			}
			old, err := w.Fetch(ctx, 6, peer, at, op)
			if err != nil {
				return err
			}
			x := make([]int32, 1)
			if err := w.Get(ctx, x, peer, at); err != nil {
				return err
			}
			if err := check(c, [2]int32{12, want}, [2]int32{old, x[0]}, op.String()); err != nil {
				return err
			}
		}
		return all(
			func() error { return f.Accumulate(ctx, []complex128{2i}, peer, 0, mpi.Sum) },
			func() error { return f.Accumulate(ctx, []complex128{3i}, peer, 0, mpi.Product) },
			func() error { return f.Fence(ctx) },
			func() error { return check(c, []complex128{-6}, f.Local(), "complex") },
			func() error { return badWindowCalls(ctx, c, w) },
			f.Close, w.Close,
		)
	})
}

func badWindowCalls(ctx context.Context, c *mpi.Comm, w *mpi.Window[int32]) error {
	x := make([]int32, 2)
	over, cancel := context.WithCancel(ctx)
	cancel()
	_, fetch := w.Fetch(ctx, 1, 0, 8, mpi.Sum)
	_, swap := mpi.CompareAndSwap(ctx, w, 0, 0, 0, -1)
	_, window := mpi.NewWindow[int8](ctx, c, -1)
	return all(
		func() error { return fails("rank", w.Put(ctx, x, c.Size(), 0), mpi.ErrRank) },
		func() error { return fails("beyond", w.Put(ctx, x, 0, 7), mpi.ErrCount) },
		func() error { return fails("before", w.Get(ctx, x, 0, -1), mpi.ErrCount) },
		func() error { return fails("fetch", fetch, mpi.ErrCount) },
		func() error { return fails("swap", swap, mpi.ErrCount) },
		func() error { return fails("size", window, mpi.ErrCount) },
		func() error {
			return fails("operator", w.Accumulate(ctx, x, 0, 0, mpi.Builtin(99)), mpi.ErrOperator)
		},
		func() error { return fails("unlock", w.Unlock(ctx, c.Rank()), mpi.ErrNotLocked) },
		func() error { return fails("lock", w.Lock(ctx, -1), mpi.ErrRank) },
		func() error { return fails("canceled", w.Put(over, x, 0, 0), context.Canceled) },
		func() error { return w.Fence(ctx) },
	)
}

// Waiting for a lock ends with the context, and the lock is none the worse for it.
func TestRanksWindowLockWaits(t *testing.T) {
	errEnough := errors.New("enough")
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		w, err := mpi.NewWindow[int8](ctx, c, 1)
		if err != nil {
			return err
		}
		if c.Rank() == 0 {
			short, cancel := context.WithTimeoutCause(ctx, time.Millisecond, errEnough)
			defer cancel()
			err := all(
				func() error { return w.Lock(ctx, 0) },
				func() error { return fails("lock", w.Lock(short, 0), errEnough) },
				func() error { return w.Unlock(ctx, 0) },
				func() error { return w.Lock(ctx, 0) },
				func() error { return w.Unlock(ctx, 0) },
			)
			if err != nil {
				return err
			}
		}
		return w.Close()
	})
}

// A rank that ends with a lock does not keep the others waiting.
func TestLocalLockOfARankThatIsGone(t *testing.T) {
	var seen error
	err := mpi.Local(t.Context(), 2, func(ctx context.Context, c *mpi.Comm) error {
		w, err := mpi.NewWindow[int8](ctx, c, 1)
		if err != nil {
			return err
		}
		if c.Rank() == 1 {
			return errors.Join(w.Lock(ctx, 0), w.Fence(ctx))
		}
		if err := w.Fence(ctx); err != nil {
			return err
		}
		seen = w.Lock(context.Background(), 0)
		return nil
	})
	require.NoError(t, err)
	require.ErrorIs(t, seen, mpi.ErrRankGone)
}
