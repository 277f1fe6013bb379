package par_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/par"
)

func TestQueueManyToMany(t *testing.T) {
	const producers, consumers, each = 4, 4, 5000
	for _, capacity := range []int{0, 1, 7} {
		q := par.NewQueue(par.QueueConfig[[2]int]{Capacity: capacity})
		var made, taken sync.WaitGroup
		var seen [producers][each]atomic.Int32
		var misordered atomic.Bool
		for p := range producers {
			made.Go(func() {
				for i := range each {
					if q.Put(bg, [2]int{p, i}) != nil {
						panic("put failed")
					}
				}
			})
		}
		for range consumers {
			taken.Go(func() {
				last := [producers]int{-1, -1, -1, -1}
				for x := range q.All(bg) {
					seen[x[0]][x[1]].Add(1)
					if x[1] <= last[x[0]] {
						misordered.Store(true)
					}
					last[x[0]] = x[1]
					if q.TaskDone() != nil {
						panic("TaskDone failed")
					}
				}
			})
		}
		within(t, 5*time.Minute, func() {
			made.Wait()
			require.NoError(t, q.Join(bg))
			require.Zero(t, q.Len())
			q.Close()
			taken.Wait()
		})
		for p := range seen {
			for i := range seen[p] {
				require.EqualValues(t, 1, seen[p][i].Load())
			}
		}
		require.False(t, misordered.Load(), "first in, first out for each producer")
		require.ErrorIs(t, q.TaskDone(), par.ErrTaskDone)
	}
}

func TestQueueOrders(t *testing.T) {
	drain := func(q *par.Queue[int], xs ...int) (out []int) {
		for _, x := range xs {
			require.NoError(t, q.Put(bg, x))
		}
		q.Close()
		for x := range q.All(bg) {
			out = append(out, x)
		}
		return out
	}
	require.Equal(t, []int{3, 1, 2}, drain(par.NewQueue(par.QueueConfig[int]{}), 3, 1, 2))
	require.Equal(t, []int{2, 1, 3}, drain(par.NewQueue(par.QueueConfig[int]{LastFirst: true}), 3, 1, 2))
	// Tens decide; ones tell the age.
	less := func(a, b int) bool { return a/10 < b/10 }
	require.Equal(t, []int{10, 11, 12, 20, 21, 30}, drain(par.NewQueue(par.QueueConfig[int]{Less: less}), 20, 10, 30, 11, 21, 12))
}

func TestQueueEdges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := par.NewQueue(par.QueueConfig[string]{Capacity: 1})
		_, err := q.TryGet()
		require.ErrorIs(t, err, par.ErrEmpty)
		ctx, cancel := context.WithTimeoutCause(bg, time.Second, errGivenUp)
		defer cancel()
		_, err = q.Get(ctx)
		require.Equal(t, errGivenUp, err)
		require.NoError(t, q.TryPut("a"))
		require.ErrorIs(t, q.TryPut("b"), par.ErrFull)
		require.Equal(t, errGivenUp, q.Put(ctx, "b"))
		require.Equal(t, errGivenUp, q.Join(ctx))
		require.Equal(t, 1, q.Len())
		var waiting error
		go func() { waiting = q.Put(bg, "c") }()
		synctest.Wait()
		q.Close()
		q.Close()
		synctest.Wait()
		require.ErrorIs(t, waiting, par.ErrClosed)
		require.ErrorIs(t, q.TryPut("d"), par.ErrClosed)
		x, err := q.Get(bg)
		require.NoError(t, err)
		require.Equal(t, "a", x)
		_, err = q.Get(bg)
		require.ErrorIs(t, err, par.ErrClosed)
		_, err = q.TryGet()
		require.ErrorIs(t, err, par.ErrClosed)
	})
}

// Producers and consumers give up at random; every element that Put accepted is given out once.
func TestQueueCancelRace(t *testing.T) {
	q := par.NewQueue(par.QueueConfig[int]{Capacity: 2})
	var in, out atomic.Int64
	var producers, consumers sync.WaitGroup
	for w := range 4 {
		producers.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 2))
			for range 2000 {
				ctx, cancel := context.WithCancel(bg)
				if rng.IntN(2) == 0 {
					go cancel()
				}
				if x := rng.IntN(1000); q.Put(ctx, x) == nil {
					in.Add(int64(x))
				}
				cancel()
			}
		})
		consumers.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 3))
			for {
				ctx, cancel := context.WithCancel(bg)
				if rng.IntN(2) == 0 {
					go cancel()
				}
				x, err := q.Get(ctx)
				cancel()
				if err == nil {
					out.Add(int64(x))
				} else if err == par.ErrClosed {
					return
				}
			}
		})
	}
	within(t, 5*time.Minute, func() {
		producers.Wait()
		q.Close()
		consumers.Wait()
	})
	require.Equal(t, in.Load(), out.Load())
}
