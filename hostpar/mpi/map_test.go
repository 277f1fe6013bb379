package mpi_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/mpi"
)

func TestRanksMap(t *testing.T) {
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		for _, n := range []int{0, 1, 3, 1000} {
			var in []int
			var want []string
			if c.Rank() == 0 {
				for i := range n {
					in, want = append(in, i), append(want, fmt.Sprint(i*i))
				}
			}
			squares := func(_ context.Context, x int) (string, error) { return fmt.Sprint(x * x), nil }
			out, err := mpi.Map(ctx, c, in, squares)
			if err != nil {
				return err
			}
			if err := check(c, len(want), len(out), "results"); err != nil {
				return err
			}
			for i := range want {
				if want[i] != out[i] {
					return fmt.Errorf("element %d is %s", i, out[i])
				}
			}
		}
		return nil
	})
}

// A failure ends the work on all ranks, each of which learns of it, and the communicator serves on.
func TestRanksMapFailures(t *testing.T) {
	errBad := errors.New("bad element")
	misbehave := map[string]func() error{
		"error":  func() error { return errBad },
		"panic":  func() error { panic(errBad) },
		"goexit": func() error { runtime.Goexit(); return nil },
	}
	for _, name := range []string{"error", "panic", "goexit"} { // in the same order on all ranks
		t.Run(name, func(t *testing.T) {
			ranks(t, func(ctx context.Context, c *mpi.Comm) error {
				_, err := mpi.Map(ctx, c, make([]int, 500), func(ctx context.Context, _ int) (int, error) {
					if c.Rank() == c.Size()-1 {
						return 0, misbehave[name]()
					}
					<-ctx.Done() // until the failure of the last rank
					return 0, nil
				})
				var failed *mpi.TaskError
				if !errors.As(err, &failed) || failed.Rank != c.Size()-1 || failed.Panicked != (name == "panic") {
					return fmt.Errorf("want a failure of rank %d, have %w", c.Size()-1, err)
				}
				if name != "goexit" && (!strings.Contains(failed.Error(), "bad element") || c.Rank() == failed.Rank && !errors.Is(err, errBad)) {
					return fmt.Errorf("the reason is missing: %w", err)
				}
				if _, err = mpi.Map(ctx, c, []func(){}, func(context.Context, func()) (int, error) { return 0, nil }); err == nil {
					return errors.New("functions have been sent")
				}
				return mpi.Barrier(ctx, c)
			})
		})
	}
}

// The end of the context of rank 0 ends the work.
func TestRanksMapContext(t *testing.T) {
	errEnough := errors.New("enough")
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		mine, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		if c.Rank() > 0 {
			mine = ctx
		}
		time.AfterFunc(20*time.Millisecond, func() { cancel(errEnough) })
		_, err := mpi.Map(mine, c, make([]int, 100), func(ctx context.Context, _ int) (int, error) {
			<-ctx.Done()
			return 0, nil
		})
		if c.Rank() == 0 && !errors.Is(err, errEnough) || c.Rank() > 0 && !errors.Is(err, mpi.ErrCanceled) {
			return fmt.Errorf("rank %d: %w", c.Rank(), err)
		}
		return mpi.Barrier(ctx, c)
	})
}

// No rank is idle while another has work that it has not begun: the slow element costs no more than itself.
func TestLocalMapBalances(t *testing.T) {
	const n = 64
	var others atomic.Int32
	err := mpi.Local(t.Context(), 4, func(ctx context.Context, c *mpi.Comm) error {
		var in []int
		if c.Rank() == 0 {
			for i := range n {
				in = append(in, i)
			}
		}
		_, err := mpi.Map(ctx, c, in, func(ctx context.Context, i int) (int, error) {
			if i != 0 {
				others.Add(1)
				return i, nil
			}
			for others.Load() < n/2 { // half of the work is done by others, or this never ends
				if ctx.Err() != nil {
					return 0, ctx.Err()
				}
				runtime.Gosched()
			}
			return 0, nil
		})
		return err
	})
	require.NoError(t, err)
	require.EqualValues(t, n-1, others.Load())
}
