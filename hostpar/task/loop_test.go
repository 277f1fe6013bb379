package task_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/par"
	"github.com/tandem-go/tandem/hostpar/task"
)

func TestCallSoonIsFirstInFirstOut(t *testing.T) {
	l := task.NewLoop()
	var got []int
	for i := range 1000 {
		l.CallSoon(func() {
			got = append(got, i)
			if i == 500 {
				l.CallSoon(func() { got = append(got, 1000) }) // the next iteration
			}
		})
	}
	l.CallSoon(func() { l.CallSoon(l.Stop) })
	require.NoError(t, l.Run(bg))
	require.Len(t, got, 1001)
	require.True(t, slices.IsSorted(got))
}

func TestCallSoonFromOtherGoroutines(t *testing.T) {
	l := task.NewLoop()
	sum := 0 // only the loop's goroutine touches it
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 1000 {
				l.CallSoon(func() { sum += i })
			}
		})
	}
	go func() {
		all.Wait()
		l.CallSoon(l.Stop)
	}()
	within(t, 5*time.Minute, func() { require.NoError(t, l.Run(bg)) })
	require.Equal(t, 8*999*500, sum)
}

// Timers that are due at the very moment something comes from outside.
func TestTimersAndCallSoonAtTheSameTime(t *testing.T) {
	l := task.NewLoop()
	stop := make(chan struct{})
	var outside sync.WaitGroup
	outside.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				l.CallSoon(func() {})
				runtime.Gosched()
			}
		}
	})
	ticks := 0
	var tick func()
	tick = func() {
		if ticks++; ticks < 20000 {
			l.CallLater(time.Duration(ticks%5)*time.Microsecond, tick)
		} else {
			l.Stop()
		}
	}
	l.CallSoon(tick)
	within(t, 5*time.Minute, func() { require.NoError(t, l.Run(bg)) })
	close(stop)
	outside.Wait()
	require.Equal(t, 20000, ticks)
}

func TestTimersOfEqualTimesKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := task.NewLoop()
		rng := rand.New(rand.NewPCG(1, 1))
		type entry struct{ at, n int }
		var want, got []entry
		base := l.Now()
		var handles []*task.Handle
		for n := range 2000 {
			e := entry{rng.IntN(50), n}
			h := l.CallAt(base.Add(time.Duration(e.at)*time.Millisecond), func() { got = append(got, e) })
			require.Equal(t, base.Add(time.Duration(e.at)*time.Millisecond), h.When())
			handles = append(handles, h)
			want = append(want, e)
		}
		for _, n := range []int{3, 77, 1999} {
			require.True(t, handles[n].Cancel())
			require.False(t, handles[n].Cancel())
		}
		want = slices.DeleteFunc(want, func(e entry) bool { return e.n == 3 || e.n == 77 || e.n == 1999 })
		slices.SortStableFunc(want, func(a, b entry) int { return a.at - b.at })
		l.CallLater(time.Second, l.Stop)
		require.NoError(t, l.Run(bg))
		require.Equal(t, want, got)
		require.Equal(t, time.Second, time.Since(base))
		require.False(t, handles[0].Cancel())
	})
}

// Three callbacks that register each other for nine seconds: the chain of the asyncio tutorial.
func TestCallLaterChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := task.NewLoop()
		var got []string
		end := l.Now().Add(9 * time.Second)
		var f [3]func()
		for i := range f {
			f[i] = func() {
				got = append(got, fmt.Sprintf("%d@%v", i+1, 9*time.Second-end.Sub(l.Now())))
				if l.Now().Add(time.Second).Before(end) {
					l.CallLater(time.Second, f[(i+1)%3])
				} else {
					l.Stop()
				}
			}
		}
		l.CallSoon(f[0])
		require.NoError(t, l.Run(bg))
		require.Equal(t, []string{"1@0s", "2@1s", "3@2s", "1@3s", "2@4s", "3@5s", "1@6s", "2@7s", "3@8s"}, got)
	})
}

func TestLoopEnds(t *testing.T) {
	l := task.NewLoop()
	require.Equal(t, errGivenUp, l.Run(ended(errGivenUp)))
	l.CallSoon(func() { require.ErrorIs(t, l.Run(bg), task.ErrLoopRunning) })
	l.CallSoon(func() { require.ErrorIs(t, l.Close(bg), task.ErrLoopRunning) })
	l.CallSoon(func() {
		_, err := task.RunUntil(bg, l, task.Resolved(1, nil))
		require.ErrorIs(t, err, task.ErrLoopRunning)
	})
	l.Stop()
	require.NoError(t, l.Run(bg), "one iteration")

	ctx, cancel := context.WithCancelCause(bg)
	go cancel(errGivenUp)
	within(t, 5*time.Minute, func() { require.Equal(t, errGivenUp, l.Run(ctx)) })

	f, p := task.NewPromise[int]()
	l.CallSoon(l.Stop)
	_, err := task.RunUntil(bg, l, f)
	require.ErrorIs(t, err, task.ErrLoopStopped)
	go p.Resolve(5, errBad)
	within(t, 5*time.Minute, func() {
		v, err := task.RunUntil(bg, l, f)
		require.Equal(t, 5, v)
		require.Equal(t, errBad, err)
	})
	_, err = task.RunUntil(ended(errGivenUp), l, task.Resolved(1, nil))
	require.Equal(t, errGivenUp, err)
}

// A panic in a callback goes through Run, and what was to run after it is not lost.
func TestLoopPanic(t *testing.T) {
	l := task.NewLoop()
	var got []int
	l.CallSoon(func() { got = append(got, 1) })
	l.CallSoon(func() { panic("callback") })
	l.CallSoon(func() { got = append(got, 2) })
	l.CallSoon(l.Stop)
	require.PanicsWithValue(t, "callback", func() { _ = l.Run(bg) })
	require.Equal(t, []int{1}, got)
	require.NoError(t, l.Run(bg))
	require.Equal(t, []int{1, 2}, got)
}

// Factorial, Fibonacci and binomial tasks take turns, in exactly this order.
func TestCoroutinesTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines []string
		step := func(co *task.Co, format string, args ...any) error {
			lines = append(lines, fmt.Sprintf(format, args...))
			return co.Sleep(time.Second)
		}
		factorial := func(co *task.Co) (int, error) {
			f := 1
			for i := 2; i <= 10; i++ {
				if err := step(co, "f%d", i); err != nil {
					return 0, err
				}
				f *= i
			}
			return f, nil
		}
		fibonacci := func(co *task.Co) (int, error) {
			a, b := 0, 1
			for i := range 10 {
				if err := step(co, "F%d", i); err != nil {
					return 0, err
				}
				a, b = b, a+b
			}
			return a, nil
		}
		binomial := func(co *task.Co) (int, error) {
			r := 1
			for i := 1; i <= 10; i++ {
				if err := step(co, "b%d", i); err != nil {
					return 0, err
				}
				r = r * (20 - i + 1) / i
			}
			return r, nil
		}
		sums, err := task.Run(bg, func(co *task.Co) ([]int, error) {
			a, b, c := task.Spawn(co.Loop(), factorial), task.Spawn(co.Loop(), fibonacci), task.Spawn(co.Loop(), binomial)
			if err := task.AwaitAll(co, a, b, c); err != nil {
				return nil, err
			}
			return task.Gather(bg, a, b, c)
		})
		require.NoError(t, err)
		require.Equal(t, []int{3628800, 55, 184756}, sums)
		require.Equal(t, "f2 F0 b1 f3 F1 b2 f4 F2 b3 f5 F3 b4 f6 F4 b5 f7 F5 b6 f8 F6 b7 f9 F7 b8 f10 F8 b9 F9 b10", strings.Join(lines, " "))
	})
}

// A state machine of coroutines gives the same transcript as plain recursion.
func TestStateMachine(t *testing.T) {
	type state int
	const last state = 4
	next := func(rng *rand.Rand, s state) state {
		if s == 3 || rng.IntN(2) == 1 && s == 2 {
			return last
		}
		return 1 + state(rng.IntN(3))
	}
	var plain func(rng *rand.Rand, s state) string
	plain = func(rng *rand.Rand, s state) string {
		if s == last {
			return "end"
		}
		return fmt.Sprint(int(s), " ", plain(rng, next(rng, s)))
	}
	synctest.Test(t, func(t *testing.T) {
		for seed := range uint64(50) {
			rng := rand.New(rand.NewPCG(seed, 0))
			var enter func(s state) func(co *task.Co) (string, error)
			enter = func(s state) func(co *task.Co) (string, error) {
				return func(co *task.Co) (string, error) {
					if s == last {
						return "end", nil
					}
					if err := co.Sleep(time.Second); err != nil {
						return "", err
					}
					rest, err := task.Await(co, task.Spawn(co.Loop(), enter(next(rng, s))))
					return fmt.Sprint(int(s), " ", rest), err
				}
			}
			got, err := task.Run(bg, enter(0))
			require.NoError(t, err)
			require.Equal(t, plain(rand.New(rand.NewPCG(seed, 0)), 0), got)
		}
	})
}

func TestCancelRunsDeferredFunctions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log []string
		_, err := task.Run(bg, func(co *task.Co) (int, error) {
			child := task.Spawn(co.Loop(), func(co *task.Co) (string, error) {
				defer func() { log = append(log, "deferred") }()
				err := co.Sleep(time.Hour)
				require.ErrorIs(t, err, task.ErrCanceled)
				require.ErrorIs(t, co.Context().Err(), context.Canceled)
				require.NoError(t, co.Sleep(time.Second), "once only: it may still clean up")
				return "cleaned", err
			})
			never := task.Spawn(co.Loop(), func(*task.Co) (int, error) { t.Error("begun"); return 0, nil })
			require.True(t, never.Cancel())
			require.NoError(t, co.Yield())
			require.True(t, child.Cancel())
			v, err := task.Await(co, child)
			require.ErrorIs(t, err, task.ErrCanceled)
			require.Equal(t, "cleaned", v)
			require.True(t, child.Canceled())
			return 0, nil
		})
		require.NoError(t, err)
		require.Equal(t, []string{"deferred"}, log)
	})
}

func TestCoroutinePanicAndGoexit(t *testing.T) {
	_, err := task.Run(bg, func(*task.Co) (int, error) { panic("co") })
	var pe *par.PanicError
	require.ErrorAs(t, err, &pe)
	require.Equal(t, "co", pe.Value)
	require.Contains(t, string(pe.Stack), "TestCoroutinePanicAndGoexit")

	l := task.NewLoop()
	f := task.Spawn(l, func(*task.Co) (int, error) { runtime.Goexit(); return 0, nil })
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = l.Run(bg)
		t.Error("the goroutine of the loop goes, too")
	}()
	<-gone
	require.ErrorIs(t, f.Err(), par.ErrGoexit)
	require.NoError(t, l.Close(bg), "the loop can be used by another goroutine")
}

func TestRunCancelsTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []int
		began := time.Now()
		v, err := task.Run(bg, func(co *task.Co) (string, error) {
			for i := range 20 {
				task.Spawn(co.Loop(), func(co *task.Co) (int, error) {
					err := co.Sleep(time.Hour)
					order = append(order, i)
					_ = co.Sleep(time.Second) // cleaning up may take its time
					return 0, err
				})
			}
			return "main", co.Yield()
		})
		require.NoError(t, err)
		require.Equal(t, "main", v)
		require.Len(t, order, 20)
		require.True(t, slices.IsSorted(order), "%v", order)
		require.Equal(t, time.Second, time.Since(began))
	})
}

// When the context of Run ends, even a coroutine that wants to wait for ever ends.
func TestRunEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(bg, time.Minute, errGivenUp)
		defer cancel()
		var errs []error
		_, err := task.Run(ctx, func(co *task.Co) (int, error) {
			for range 3 {
				errs = append(errs, co.Sleep(time.Hour))
			}
			return 1, nil
		})
		require.Equal(t, errGivenUp, err)
		require.Equal(t, []error{task.ErrCanceled, task.ErrCanceled, task.ErrCanceled}, errs)
	})
	// One that is always ready is stopped, too.
	ctx, cancel := context.WithCancelCause(bg)
	_, err := task.Run(ctx, func(co *task.Co) (n int, err error) {
		for range 1_000_000 {
			if n++; n == 10 {
				cancel(errGivenUp)
			}
			if err = co.Yield(); err != nil && n > 5000 {
				return n, err
			}
		}
		t.Error("ran to its end")
		return n, nil
	})
	require.Equal(t, errGivenUp, err)
}

func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := par.NewPool(par.PoolConfig{Workers: 2})
		_, err := task.Run(bg, func(co *task.Co) (int, error) {
			began := time.Now()
			ticks := 0
			task.Spawn(co.Loop(), func(co *task.Co) (int, error) { // a heartbeat that blocking work must not hold up
				for co.Sleep(time.Second) == nil {
					ticks++
				}
				return ticks, nil
			})
			slow, err := task.Submit(bg, pool, after(10500*time.Millisecond, "slow", nil))
			require.NoError(t, err)
			quick, err := task.Submit(bg, pool, after(1500*time.Millisecond, "quick", errBad))
			require.NoError(t, err)
			i, err := task.AwaitAny(co, slow, quick)
			require.NoError(t, err)
			require.Equal(t, 1, i)
			require.Equal(t, 1500*time.Millisecond, time.Since(began))
			v, err := task.Await(co, quick)
			require.Equal(t, "quick", v)
			require.Equal(t, errBad, err)
			require.NoError(t, task.AwaitAll(co, slow, quick))
			require.Equal(t, 10, ticks)
			i, err = task.AwaitAny[task.Awaitable](co)
			require.NoError(t, err)
			require.Equal(t, -1, i)
			i, err = task.AwaitAny(co, slow, quick)
			require.NoError(t, err)
			require.Zero(t, i, "the lowest of those that are there")
			return 0, nil
		})
		require.NoError(t, err)
		pool.Close()
		require.NoError(t, pool.Wait(bg))
	})
}

func TestWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := task.Run(bg, func(co *task.Co) (int, error) {
			began := time.Now()
			forever, promise := task.NewPromise[int]()
			wait := func() error { _, err := task.Await(co, forever); return err }
			err := co.Within(time.Second, wait)
			require.ErrorIs(t, err, task.ErrTimeout)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, time.Second, time.Since(began))
			require.NoError(t, forever.Err(), "the future goes on")
			require.NoError(t, co.Within(time.Second, func() error { return co.Sleep(time.Millisecond) }))
			require.NoError(t, co.Sleep(time.Minute), "no late time-out")
			// The limit and what was waited for come at the same time: what was waited for counts, and nothing is left over.
			require.NoError(t, co.Within(time.Second, func() error { return co.Sleep(time.Second) }))
			require.NoError(t, co.Sleep(time.Minute))
			require.Equal(t, errBad, co.Within(time.Second, func() error {
				time.Sleep(2 * time.Second) // blocks the loop: the limit passes, and no wait follows
				return errBad
			}))
			require.NoError(t, co.Sleep(time.Minute))
			var inner error
			err = co.Within(time.Second, func() error {
				inner = co.Within(time.Hour, wait)
				return inner
			})
			require.ErrorIs(t, err, task.ErrTimeout)
			err = co.Within(time.Hour, func() error {
				inner = co.Within(time.Second, wait)
				return nil
			})
			require.NoError(t, err)
			require.ErrorIs(t, inner, task.ErrTimeout)
			promise.Resolve(1, nil)
			return 0, nil
		})
		require.NoError(t, err)
	})
}

func TestLoopLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := task.Run(bg, func(co *task.Co) (int, error) {
			var l task.Lock
			require.ErrorIs(t, l.Release(), par.ErrNotLocked)
			require.NoError(t, l.Acquire(co))
			require.True(t, l.Locked())
			var order []int
			var fs []*task.Future[int]
			for i := range 5 {
				fs = append(fs, task.Spawn(co.Loop(), func(co *task.Co) (int, error) {
					if err := l.Acquire(co); err != nil {
						return 0, err
					}
					defer l.Release() //nolint:errcheck // held
					order = append(order, i)
					return 0, co.Sleep(time.Second)
				}))
			}
			require.NoError(t, co.Yield())
			fs[2].Cancel()
			require.NoError(t, co.Yield())
			require.NoError(t, l.Release())
			require.NoError(t, task.AwaitAll(co, fs...))
			require.Equal(t, []int{0, 1, 3, 4}, order)
			require.True(t, fs[2].Canceled())
			require.False(t, l.Locked())
			return 0, nil
		})
		require.NoError(t, err)
	})
}

func TestLoopEventAndSemaphore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := task.Run(bg, func(co *task.Co) (int, error) {
			var e task.Event
			s := task.NewSemaphore(2, 2)
			inside, peak := 0, 0
			var fs []*task.Future[int]
			for range 6 {
				fs = append(fs, task.Spawn(co.Loop(), func(co *task.Co) (int, error) {
					if err := e.Wait(co); err != nil {
						return 0, err
					}
					if err := s.Acquire(co); err != nil {
						return 0, err
					}
					inside++
					peak = max(peak, inside)
					err := co.Sleep(time.Second)
					inside--
					return 0, errors.Join(err, s.Release())
				}))
			}
			began := time.Now()
			require.NoError(t, co.Sleep(time.Second))
			require.Zero(t, peak)
			e.Set()
			require.True(t, e.IsSet())
			require.NoError(t, e.Wait(co))
			require.NoError(t, task.AwaitAll(co, fs...))
			require.Equal(t, 2, peak)
			require.Equal(t, 4*time.Second, time.Since(began))
			require.ErrorIs(t, s.Release(), par.ErrOverRelease)
			e.Clear()
			require.ErrorIs(t, co.Within(time.Second, func() error { return e.Wait(co) }), task.ErrTimeout)
			return 0, nil
		})
		require.NoError(t, err)
	})
}

func TestLoopCond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := task.Run(bg, func(co *task.Co) (int, error) {
			var l task.Lock
			c := task.NewCond(&l)
			require.ErrorIs(t, c.Wait(co), par.ErrNotLocked)
			n := 0
			var fs []*task.Future[int]
			for range 4 {
				fs = append(fs, task.Spawn(co.Loop(), func(co *task.Co) (int, error) {
					if err := l.Acquire(co); err != nil {
						return 0, err
					}
					defer l.Release() //nolint:errcheck // held
					if err := c.WaitFor(co, func() bool { return n > 0 }); err != nil {
						require.True(t, l.Locked(), "held also after an error")
						return 0, err
					}
					n--
					return 1, nil
				}))
			}
			require.NoError(t, co.Sleep(time.Second))
			fs[0].Cancel() // and the signal goes to the next
			n = 1
			c.Signal()
			require.NoError(t, co.Sleep(time.Second))
			done := 0
			for _, f := range fs {
				if v, _, ok := f.Result(); ok {
					done += v
				}
			}
			require.Equal(t, 1, done)
			n = 10
			c.Broadcast()
			require.NoError(t, task.AwaitAll(co, fs...))
			return 0, nil
		})
		require.NoError(t, err)
	})
}

func TestLoopBarrier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := task.Run(bg, func(co *task.Co) (int, error) {
			b := task.NewBarrier(3)
			indexes := 0
			party := func(co *task.Co) (int, error) {
				for range 100 {
					i, err := b.Wait(co)
					if err != nil {
						return 0, err
					}
					indexes += 1 << (8 * i)
				}
				return 0, nil
			}
			spawn := func(n int) (fs []*task.Future[int]) {
				for range n {
					fs = append(fs, task.Spawn(co.Loop(), party))
				}
				return fs
			}
			fs := spawn(3)
			require.NoError(t, task.AwaitAll(co, fs...))
			require.Equal(t, 100*0x010101, indexes)
			for name, breakIt := range map[string]func(fs []*task.Future[int]){
				"cancel": func(fs []*task.Future[int]) { fs[0].Cancel() },
				"abort":  func([]*task.Future[int]) { b.Abort() },
				"reset":  func([]*task.Future[int]) { b.Reset() },
			} {
				fs := spawn(2)
				require.NoError(t, co.Sleep(1))
				breakIt(fs)
				require.NoError(t, task.AwaitAll(co, fs...), name)
				require.ErrorIs(t, fs[1].Err(), par.ErrBrokenBarrier, name)
				require.Equal(t, name != "reset", b.Broken())
				if b.Broken() {
					_, err := b.Wait(co)
					require.ErrorIs(t, err, par.ErrBrokenBarrier)
				}
				b.Reset()
			}
			return 0, nil
		})
		require.NoError(t, err)
	})
}

func TestLoopQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := task.Run(bg, func(co *task.Co) (int, error) {
			q := task.NewQueue[int](3)
			var got []int
			consumer := task.Spawn(co.Loop(), func(co *task.Co) (int, error) {
				for {
					x, err := q.Get(co)
					if err != nil {
						return len(got), err
					}
					got = append(got, x)
					if x%10 == 0 {
						if err := co.Sleep(time.Millisecond); err != nil {
							return 0, err
						}
					}
					require.NoError(t, q.TaskDone())
				}
			})
			for i := range 100 {
				require.NoError(t, q.Put(co, i))
				require.LessOrEqual(t, q.Len(), 3)
			}
			require.NoError(t, q.Join(co))
			require.NoError(t, q.Join(co))
			require.Len(t, got, 100)
			require.True(t, slices.IsSorted(got))
			require.ErrorIs(t, q.TaskDone(), par.ErrTaskDone)
			_, err := q.TryGet()
			require.ErrorIs(t, err, par.ErrEmpty)
			q.Close()
			n, err := task.Await(co, consumer)
			require.ErrorIs(t, err, par.ErrClosed)
			require.Equal(t, 100, n)

			full := task.NewQueue[int](1)
			require.NoError(t, full.TryPut(1))
			require.ErrorIs(t, full.TryPut(2), par.ErrFull)
			require.ErrorIs(t, co.Within(time.Second, func() error { return full.Put(co, 2) }), task.ErrTimeout)
			waiting := task.Spawn(co.Loop(), func(co *task.Co) (int, error) { return 0, full.Put(co, 3) })
			require.NoError(t, co.Yield())
			full.Close()
			_, err = task.Await(co, waiting)
			require.ErrorIs(t, err, par.ErrClosed)
			x, err := full.Get(co)
			require.NoError(t, err)
			require.Equal(t, 1, x)
			_, err = full.Get(co)
			require.ErrorIs(t, err, par.ErrClosed)
			require.ErrorIs(t, co.Within(time.Second, func() error { return full.Join(co) }), task.ErrTimeout)
			return 0, nil
		})
		require.NoError(t, err)
	})
}

// A thousand coroutines that talk over queues and are cancelled at random leave nothing behind and no lock held.
func TestCoroutineStress(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	for range 5 {
		_, err := task.Run(bg, func(co *task.Co) (int, error) {
			var l task.Lock
			held := 0
			var fs []*task.Future[int]
			for range 1000 {
				fs = append(fs, task.Spawn(co.Loop(), func(co *task.Co) (int, error) {
					for range 3 {
						if err := l.Acquire(co); err != nil {
							return 0, err
						}
						held++
						err := co.Yield()
						require.Equal(t, 1, held)
						held--
						if e := l.Release(); e != nil || err != nil {
							return 0, errors.Join(e, err)
						}
					}
					return 1, nil
				}))
			}
			for range 300 {
				require.NoError(t, co.Yield())
				fs[rng.IntN(len(fs))].Cancel()
			}
			require.NoError(t, task.AwaitAll(co, fs...))
			require.False(t, l.Locked())
			return 0, nil
		})
		require.NoError(t, err)
	}
}

func BenchmarkCoroutineSwitch(b *testing.B) {
	_, _ = task.Run(bg, func(co *task.Co) (int, error) {
		for b.Loop() {
			_ = co.Yield()
		}
		return 0, nil
	})
}

// The bound for a hand-over between goroutines.
func BenchmarkChannelHandOver(b *testing.B) {
	ping, pong := make(chan int), make(chan int)
	go func() {
		for x := range ping {
			pong <- x
		}
	}()
	for b.Loop() {
		ping <- 1
		<-pong
	}
	close(ping)
}

func BenchmarkSubmitAndWait(b *testing.B) {
	p := par.NewPool(par.PoolConfig{Queue: 1024})
	fs := make([]*task.Future[int], 512)
	for b.Loop() {
		for i := range fs {
			fs[i], _ = task.Submit(bg, p, func(context.Context) (int, error) { return i, nil })
		}
		for _, f := range fs {
			_, _ = f.Wait(bg)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(fs)), "ns/future")
	p.Close()
	_ = p.Wait(bg)
}
