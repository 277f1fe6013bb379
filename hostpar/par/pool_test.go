package par_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/par"
)

func closePool(t *testing.T, p *par.Pool) {
	t.Helper()
	p.Close()
	within(t, 5*time.Minute, func() { require.NoError(t, p.Wait(bg)) })
}

func TestPoolRunsEachJobOnceWithinItsLimit(t *testing.T) {
	p := par.NewPool(par.PoolConfig{Workers: 3, Queue: 5})
	var inside, ran atomic.Int64
	var tooMany atomic.Bool
	for range 2000 {
		require.NoError(t, p.Submit(bg, func(context.Context) {
			if inside.Add(1) > 3 {
				tooMany.Store(true)
			}
			ran.Add(1)
			inside.Add(-1)
		}))
	}
	closePool(t, p)
	require.EqualValues(t, 2000, ran.Load())
	require.False(t, tooMany.Load())
	require.Equal(t, par.PoolStats{Done: 2000}, p.Stats())
	p.Close()
}

func TestPoolIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := par.NewPool(par.PoolConfig{Workers: 2, Queue: 3})
		hold := make(chan struct{})
		job := func(context.Context) { <-hold }
		for range 2 {
			require.NoError(t, p.TrySubmit(job))
			synctest.Wait() // a worker has it
		}
		for range 3 {
			require.NoError(t, p.TrySubmit(job))
		}
		require.ErrorIs(t, p.TrySubmit(job), par.ErrFull)
		ctx, cancel := context.WithTimeoutCause(bg, time.Second, errGivenUp)
		defer cancel()
		require.Equal(t, errGivenUp, p.Submit(ctx, job))
		require.Equal(t, par.PoolStats{Workers: 2, Running: 2, Waiting: 3, Rejected: 2}, p.Stats())
		var late error
		go func() { late = p.Submit(bg, job) }()
		synctest.Wait()
		p.Close()
		synctest.Wait()
		require.ErrorIs(t, late, par.ErrClosed)
		require.ErrorIs(t, p.TrySubmit(job), par.ErrClosed)
		require.Equal(t, errGivenUp, p.Wait(ctx))
		close(hold)
		require.NoError(t, p.Wait(bg))
		require.EqualValues(t, 5, p.Stats().Done)
	})
}

func TestPoolPanicsAndGoexitCostNoWorker(t *testing.T) {
	for name, end := range map[string]func(){"blowUp": func() { blowUp(1) }, "Goexit": runtime.Goexit} {
		p := par.NewPool(par.PoolConfig{Workers: 2})
		for i := range 1000 {
			require.NoError(t, p.Submit(bg, func(context.Context) {
				if i >= 500 && i < 504 {
					end()
				}
			}))
		}
		p.Close()
		within(t, 5*time.Minute, func() {
			var pe *par.PanicError
			err := p.Wait(bg)
			require.ErrorAs(t, err, &pe)
			require.Contains(t, string(pe.Stack), name)
			require.Equal(t, name == "Goexit", errors.Is(err, par.ErrGoexit))
		})
		require.Equal(t, par.PoolStats{Done: 1000, Panicked: 4}, p.Stats())
	}
}

func TestPoolKill(t *testing.T) {
	p := par.NewPool(par.PoolConfig{Workers: 1, Queue: 10})
	var called, cancelled atomic.Int64
	begun := make(chan struct{}, 10)
	for range 5 {
		require.NoError(t, p.Submit(bg, func(ctx context.Context) {
			called.Add(1)
			begun <- struct{}{}
			<-ctx.Done()
			cancelled.Add(1)
		}))
	}
	<-begun
	p.Kill()
	within(t, 5*time.Minute, func() { require.NoError(t, p.Wait(bg)) })
	require.EqualValues(t, 5, called.Load(), "each accepted job is called")
	require.EqualValues(t, 5, cancelled.Load())
}

func TestPoolSubmitAndCloseRace(t *testing.T) {
	for range 1000 {
		p := par.NewPool(par.PoolConfig{Workers: 2, Queue: 1})
		var accepted, ran atomic.Int64
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				for {
					err := p.Submit(bg, func(context.Context) { ran.Add(1) })
					if err != nil {
						if err != par.ErrClosed {
							panic(err)
						}
						return
					}
					accepted.Add(1)
				}
			})
		}
		runtime.Gosched()
		closePool(t, p)
		all.Wait()
		require.Equal(t, accepted.Load(), ran.Load())
	}
}

// A job that submits to its own, full pool of one worker does not wait for itself.
func TestPoolNestedSubmit(t *testing.T) {
	p := par.NewPool(par.PoolConfig{Workers: 1, Queue: 1})
	var leaves atomic.Int64
	var tree func(depth int) func(context.Context)
	tree = func(depth int) func(context.Context) {
		return func(ctx context.Context) {
			if depth == 0 {
				leaves.Add(1)
				return
			}
			for range 3 {
				if err := p.Submit(ctx, tree(depth-1)); err != nil {
					panic(err)
				}
			}
		}
	}
	within(t, 5*time.Minute, func() { require.NoError(t, p.Submit(bg, tree(5))) })
	within(t, 5*time.Minute, func() {
		for leaves.Load() < 243 {
			runtime.Gosched()
		}
	})
	closePool(t, p)
	require.Positive(t, p.Stats().Inline)
}

func TestGroup(t *testing.T) {
	pool := par.NewPool(par.PoolConfig{Workers: 3})
	for name, cfg := range map[string]par.GroupConfig{
		"plain": {}, "limited": {Limit: 2}, "pool": {Pool: pool}, "share of pool": {Pool: pool, Limit: 1},
	} {
		t.Run(name, func(t *testing.T) {
			var inside, sum atomic.Int64
			var tooMany atomic.Bool
			g := par.NewGroup(bg, cfg)
			for i := range 200 {
				g.Go(func(context.Context) error {
					if n := inside.Add(1); cfg.Limit > 0 && n > int64(cfg.Limit) {
						tooMany.Store(true)
					}
					sum.Add(int64(i))
					inside.Add(-1)
					return nil
				})
			}
			require.NoError(t, g.Wait())
			require.EqualValues(t, 199*200/2, sum.Load())
			require.False(t, tooMany.Load())

			failed := errors.New("failed")
			g = par.NewGroup(bg, cfg)
			for i := range 50 {
				g.Go(func(ctx context.Context) error {
					if i == 7 {
						return failed
					}
					if i > 7 {
						<-ctx.Done() // a failure ends the others
						return ctx.Err()
					}
					return nil
				})
			}
			err := g.Wait()
			require.ErrorIs(t, err, failed)
			var item *par.ItemError
			require.ErrorAs(t, err, &item)
			require.Equal(t, 7, item.Index)

			g = par.NewGroup(ended(errGivenUp), cfg)
			g.Go(func(context.Context) error { t.Error("called"); return nil })
			require.ErrorIs(t, g.Wait(), errGivenUp)
		})
	}
	closePool(t, pool)
	g := par.NewGroup(bg, par.GroupConfig{Pool: pool})
	g.Go(func(context.Context) error { t.Error("called"); return nil })
	require.ErrorIs(t, g.Wait(), par.ErrClosed)
}

// Groups within groups in a pool of one worker: what would wait for the worker runs in the caller.
func TestNestedGroupsInAFullPool(t *testing.T) {
	for _, limit := range []int{0, 1, 2} {
		p := par.NewPool(par.PoolConfig{Workers: 1, Queue: 2})
		var leaves atomic.Int64
		var tree func(ctx context.Context, depth int) error
		tree = func(ctx context.Context, depth int) error {
			if depth == 0 {
				leaves.Add(1)
				return nil
			}
			g := par.NewGroup(ctx, par.GroupConfig{Pool: p, Limit: limit})
			for range 4 {
				g.Go(func(ctx context.Context) error { return tree(ctx, depth-1) })
			}
			return g.Wait()
		}
		within(t, 5*time.Minute, func() { require.NoError(t, tree(bg, 4)) })
		require.EqualValues(t, 256, leaves.Load())
		closePool(t, p)
	}
}

func TestGroupIsEndedByKillOfItsPool(t *testing.T) {
	p := par.NewPool(par.PoolConfig{Workers: 2})
	g := par.NewGroup(bg, par.GroupConfig{Pool: p})
	begun := make(chan struct{})
	g.Go(func(ctx context.Context) error {
		close(begun)
		<-ctx.Done()
		return context.Cause(ctx)
	})
	<-begun
	p.Kill()
	within(t, 5*time.Minute, func() {
		require.ErrorIs(t, g.Wait(), par.ErrClosed)
		require.NoError(t, p.Wait(bg))
	})
}

type counter struct{ n int }

func (c *counter) Run(context.Context) error { c.n++; return nil }

func TestThread(t *testing.T) {
	failed := errors.New("failed")
	var threads []*par.Thread
	var ran atomic.Int64
	for i := range 100 {
		threads = append(threads, par.Go(bg, "worker", func(context.Context) error {
			ran.Add(1)
			if i == 50 {
				return failed
			}
			return nil
		}))
	}
	for i, th := range threads {
		want := error(nil)
		if i == 50 {
			want = failed
		}
		require.Equal(t, want, th.Join(bg))
		require.Equal(t, want, th.Join(bg))
		require.Equal(t, want, th.Join(ended(errGivenUp)), "its end comes before the end of ctx")
		require.False(t, th.Alive())
	}
	require.EqualValues(t, 100, ran.Load())

	c := &counter{}
	th := par.NewRunner("counter", c)
	require.ErrorIs(t, th.Join(bg), par.ErrNotStarted)
	require.False(t, th.Alive())
	th.Cancel()
	require.NoError(t, th.Start(bg))
	require.ErrorIs(t, th.Start(bg), par.ErrStarted)
	require.NoError(t, th.Join(bg))
	<-th.Done()
	require.Equal(t, 1, c.n)
	require.Equal(t, "counter", th.Name())
	require.Nil(t, par.Current(bg))
}

func TestThreadPanicReachesEveryJoiner(t *testing.T) {
	for _, end := range []func(){func() { blowUp(1) }, runtime.Goexit} {
		th := par.Go(bg, "bad", func(context.Context) error { end(); return nil })
		for range 2 {
			var p *par.PanicError
			require.ErrorAs(t, th.Join(bg), &p)
			require.NotEmpty(t, p.Stack)
		}
	}
}

func TestThreadCancelAndCurrent(t *testing.T) {
	begun := make(chan *par.Thread)
	th := par.Go(bg, "waits-long", func(ctx context.Context) error {
		begun <- par.Current(ctx)
		<-ctx.Done()
		return ctx.Err()
	})
	require.Same(t, th, <-begun)
	require.True(t, th.Alive())
	require.Equal(t, errGivenUp, th.Join(ended(errGivenUp)))
	var dump bytes.Buffer
	require.NoError(t, pprof.Lookup("goroutine").WriteTo(&dump, 1))
	require.Contains(t, dump.String(), `"thread":"waits-long"`, "profiles show the name")
	th.Cancel()
	require.ErrorIs(t, th.Join(bg), context.Canceled)
}
