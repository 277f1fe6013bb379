package mpi_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tandem-go/tandem/hostpar/mpi"
)

// fails turns an error that is wanted into none.
func fails(what string, err, want error) error {
	var typed *mpi.Error
	if !errors.Is(err, want) || !errors.As(err, &typed) {
		return fmt.Errorf("%s: want %w, have %w", what, want, err)
	}
	return nil
}

// Bad arguments are refused before anything is sent, and the communicator serves on.
func TestRanksBadArguments(t *testing.T) {
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		n := c.Size()
		x, y := make([]int, 4), make([]float64, 4*n)
		received := func(_ mpi.Status, err error) error { return err }
		requested := func(_ *mpi.Request, err error) error { return err }
		bits := make([]float32, 1)
		return all(
			func() error { return fails("send rank", mpi.Send(ctx, c, x, n, 0), mpi.ErrRank) },
			func() error { return fails("send any", mpi.Send(ctx, c, x, mpi.AnySource, 0), mpi.ErrRank) },
			func() error { return fails("send tag", mpi.Send(ctx, c, x, 0, -1), mpi.ErrTag) },
			func() error { return fails("large tag", mpi.Send(ctx, c, x, 0, mpi.MaxTag+1), mpi.ErrTag) },
			func() error { return fails("recv rank", received(mpi.Recv(ctx, c, x, -7, 0)), mpi.ErrRank) },
			func() error { return fails("recv tag", received(mpi.Recv(ctx, c, x, 0, -7)), mpi.ErrTag) },
			func() error { return fails("isend", requested(mpi.Isend(c, x, n, 0)), mpi.ErrRank) },
			func() error { return fails("irecv", requested(mpi.Irecv(c, x, n, 0)), mpi.ErrRank) },
			func() error {
				return fails("overlap", received(mpi.Sendrecv(ctx, c, x, 0, 0, x[1:], 0, 0)), mpi.ErrCount)
			},
			func() error { return fails("bcast", mpi.Bcast(ctx, c, x, n), mpi.ErrRoot) },
			func() error { return fails("reduce", mpi.Reduce(ctx, c, x, x, mpi.Sum, -1), mpi.ErrRoot) },
			func() error { return fails("gather", mpi.Gather(ctx, c, x, x, n), mpi.ErrRoot) },
			func() error { return fails("scatter any", second(mpi.ScatterAny(ctx, c, []int{}, -1)), mpi.ErrRoot) },
			func() error { return fails("allgather", mpi.Allgather(ctx, c, y, y[1:]), mpi.ErrCount) },
			func() error { return fails("alltoall", mpi.Alltoall(ctx, c, y, y[1:]), mpi.ErrCount) },
			func() error {
				return fails("negative count", mpi.Allgatherv(ctx, c, nil, y, negative(n), nil), mpi.ErrCount)
			},
			func() error { return fails("operator", mpi.Allreduce(ctx, c, bits, bits, mpi.BitAnd), mpi.ErrOperator) },
			func() error { return fails("no operator", mpi.Allreduce(ctx, c, bits, bits, nil), mpi.ErrOperator) },
			func() error {
				return fails("odd operator", mpi.Allreduce(ctx, c, bits, bits, mpi.Builtin(99)), mpi.ErrOperator)
			},
			func() error {
				op := mpi.NewOperator(func(a, b int) int { return a })
				return fails("operator of other elements", mpi.Allreduce(ctx, c, bits, bits, op), mpi.ErrOperator)
			},
			func() error { return fails("lengths", mpi.Allreduce(ctx, c, x, x[1:], mpi.Sum), mpi.ErrCount) },
			func() error {
				return fails("half in place", mpi.Allreduce(ctx, c, x[1:], x[:3], mpi.Sum), mpi.ErrCount)
			},
			func() error { return fails("color", second(mpi.Split(ctx, c, -9, 0)), mpi.ErrCount) },
			func() error { return fails("grid", second(mpi.NewGrid(ctx, c, []int{n + 1}, nil)), mpi.ErrCount) },
			func() error { return fails("channel", mpi.SendAny(ctx, c, make(chan int), 0, 0), mpi.ErrType) },
			func() error {
				return fails("layout", mpi.SendLayout(ctx, c, x, mpi.Layout{Count: 2, Block: 2, Stride: 3}, 0, 0), mpi.ErrCount)
			},
			func() error { return mpi.Barrier(ctx, c) },
		)
	})
}

func second[T any](_ T, err error) error { return err }

func negative(n int) []int {
	counts := make([]int, n)
	counts[n-1] = -1
	return counts
}

// A message that is longer than the buffer, or no whole number of its elements, is an error, and the next one is received.
func TestRanksWrongLengths(t *testing.T) {
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		next, before := (c.Rank()+1)%c.Size(), (c.Rank()-1+c.Size())%c.Size()
		for _, n := range []int{5, 50_000} {
			sent, err := mpi.Isend(c, make([]int32, n), next, 1)
			if err != nil {
				return err
			}
			_, err = mpi.Recv(ctx, c, make([]int32, 2), before, 1)
			if err := fails("truncated", err, mpi.ErrTruncated); err != nil {
				return err
			}
			if _, err := sent.Wait(ctx); err != nil {
				return err
			}
		}
		err := meanwhile(ctx, c, make([]int32, 3), next, 1, func() error {
			_, err := mpi.Recv(ctx, c, make([]float64, 3), before, 1)
			return fails("part of an element", err, mpi.ErrType)
		})
		if err != nil {
			return err
		}
		text, err := mpi.IsendAny(c, "text", next, 2)
		if err != nil {
			return err
		}
		_, _, err = mpi.RecvAny[int](ctx, c, before, 2)
		if err := fails("object", err, mpi.ErrType); err != nil {
			return err
		}
		if _, err := text.Wait(ctx); err != nil {
			return err
		}
		return roundTrip(ctx, c, []float64{1})
	})
}

// A receive whose context ends gives its buffer back, and takes no later message.
func TestRanksCanceledReceive(t *testing.T) {
	errEnough := errors.New("enough")
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		short, cancel := context.WithTimeoutCause(ctx, time.Millisecond, errEnough)
		defer cancel()
		x := []int{-1}
		_, err := mpi.Recv(short, c, x, mpi.AnySource, 9)
		if err := fails("recv", err, errEnough); err != nil {
			return err
		}
		_, err = mpi.Probe(short, c, mpi.AnySource, 9)
		if err := fails("probe", err, errEnough); err != nil {
			return err
		}
		_, _, err = mpi.RecvAny[int](short, c, mpi.AnySource, 9)
		if err := fails("recv any", err, errEnough); err != nil {
			return err
		}
		r, err := mpi.Irecv(c, x, mpi.AnySource, 9)
		if err != nil {
			return err
		}
		if _, err := r.Wait(short); !errors.Is(err, errEnough) {
			return fmt.Errorf("wait: %w", err)
		}
		if _, done, _ := r.Test(); done {
			return errors.New("a request has ended with its wait")
		}
		if !r.Cancel() {
			return errors.New("cancel failed")
		}
		if _, err := r.Wait(ctx); !errors.Is(err, mpi.ErrCanceled) {
			return fmt.Errorf("canceled: %w", err)
		}
		if err := mpi.Barrier(ctx, c); err != nil { // all have given up
			return err
		}
		next, before := (c.Rank()+1)%c.Size(), (c.Rank()-1+c.Size())%c.Size()
		y := make([]int, 1)
		return all(
			func() error {
				return meanwhile(ctx, c, []int{5}, next, 9, func() error {
					_, err := mpi.Recv(ctx, c, y, before, 9)
					return err
				})
			},
			func() error { return check(c, [2]int{-1, 5}, [2]int{x[0], y[0]}, "buffers") },
		)
	})
}

// Of two goroutines in collective operations on one communicator, one is refused; a canceled operation breaks its
// communicator and no other.
func TestRanksBusyAndBroken(t *testing.T) {
	errEnough := errors.New("enough")
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		d, err := mpi.Dup(ctx, c)
		if err != nil {
			return err
		}
		if c.Size() == 1 {
			return d.Close() // alone, nobody waits
		}
		if c.Rank() == 0 {
			short, cancel := context.WithTimeoutCause(ctx, 20*time.Millisecond, errEnough)
			defer cancel()
			first := make(chan error)
			go func() { first <- mpi.Barrier(short, d) }() // the others do not come
			err := mpi.Barrier(short, d)
			other := <-first
			if errors.Is(other, mpi.ErrBusy) {
				err, other = other, err
			}
			if !errors.Is(err, mpi.ErrBusy) && !errors.Is(err, mpi.ErrBroken) || !errors.Is(other, errEnough) {
				return fmt.Errorf("first %w, second %w", err, other)
			}
			if err := fails("broken", mpi.Barrier(ctx, d), mpi.ErrBroken); err != nil {
				return err
			}
		}
		return mpi.Barrier(ctx, c)
	})
}

// The ways of messages with more elements than a C int counts, with a smaller limit.
func TestRanksManyElements(t *testing.T) {
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		defer mpi.Shrink(c, 1000, 1<<12)()
		return manyElements(ctx, c)
	})
}

func manyElements(ctx context.Context, c *mpi.Comm) error {
	n, size := 7777, c.Size()
	next, before := (c.Rank()+1)%size, (c.Rank()-1+size)%size
	mine, in := fill(n, uint64(c.Rank())), make([]float64, n)
	every, parts := make([]float64, n*size), make([]float64, n*size)
	var want []float64
	for r := range size {
		want = append(want, fill(n, uint64(r))...)
	}
	sum, scan := make([]float64, n), make([]float64, n)
	for r := range size {
		for i, x := range fill(n, uint64(r)) {
			sum[i] += x
			if r <= c.Rank() {
				scan[i] += x
			}
		}
	}
	root := size - 1
	var out []float64
	if c.Rank() == root {
		out = want
	}
	inPlace := fill(n, uint64(c.Rank()))
	return all(
		func() error { _, err := mpi.Sendrecv(ctx, c, mine, next, 0, in, before, 0); return err },
		func() error { return check(c, fill(n, uint64(before)), in, "message") },
		func() error { return mpi.Allgather(ctx, c, mine, every) },
		func() error { return check(c, want, every, "allgather") },
		func() error { return mpi.Scatter(ctx, c, out, in, root) },
		func() error { return check(c, mine, in, "scatter") },
		func() error { return mpi.Gather(ctx, c, mine, parts, root) },
		func() error {
			if c.Rank() != root {
				return nil
			}
			return check(c, want, parts, "gather")
		},
		func() error { return mpi.Alltoall(ctx, c, every, parts) },
		func() error {
			for r := range size {
				if err := check(c, fill(n, uint64(c.Rank())), parts[r*n:][:n], "alltoall"); err != nil {
					return err
				}
			}
			return nil
		},
		func() error { copy(in, mine); return mpi.Bcast(ctx, c, in, root) },
		func() error { return check(c, fill(n, uint64(root)), in, "bcast") },
		func() error { return mpi.Allreduce(ctx, c, inPlace, inPlace, mpi.Sum) },
		func() error { return check(c, sum, inPlace, "allreduce") },
		func() error { return mpi.Scan(ctx, c, mine, in, mpi.Sum) },
		func() error { return check(c, scan, in, "scan") },
		func() error { return mpi.Reduce(ctx, c, mine, in, mpi.Sum, root) },
		func() error {
			if c.Rank() != root {
				return nil
			}
			return check(c, sum, in, "reduce")
		},
	)
}
