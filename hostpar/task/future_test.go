package task_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tandem-go/tandem/hostpar/par"
	"github.com/tandem-go/tandem/hostpar/task"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bg is the context of tests that cancel nothing.
var bg = context.Background()

var (
	errBad     = errors.New("bad")
	errGivenUp = errors.New("given up")
)

func ended(cause error) context.Context {
	ctx, cancel := context.WithCancelCause(bg)
	cancel(cause)
	return ctx
}

// within fails the test if fn takes longer than d: for calls that must not hang.
func within(t *testing.T, d time.Duration, fn func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
	}()
	select {
	case <-done:
	case <-time.After(d):
		t.Fatalf("not done after %v", d)
	}
}

func after[T any](d time.Duration, v T, err error) func(context.Context) (T, error) {
	return func(ctx context.Context) (T, error) {
		if e := par.Sleep(ctx, d); e != nil {
			return v, e
		}
		return v, err
	}
}

func TestPromiseIsKeptOnce(t *testing.T) {
	f, p := task.NewPromise[int]()
	_, _, ok := f.Result()
	require.False(t, ok)
	require.NoError(t, f.Err())
	require.False(t, f.Running())
	require.True(t, p.Start(nil))
	require.False(t, p.Start(nil))
	require.True(t, f.Running())
	_, err := f.Wait(ended(errGivenUp))
	require.Equal(t, errGivenUp, err)
	require.True(t, p.Resolve(7, errBad))
	require.False(t, p.Resolve(8, nil))
	require.False(t, f.Running())
	require.False(t, f.Cancel())
	for range 2 {
		v, err := f.Wait(ended(errGivenUp))
		require.Equal(t, 7, v)
		require.Equal(t, errBad, err, "the result comes before the end of ctx")
	}
	v, err, ok := f.Result()
	require.True(t, ok)
	require.Equal(t, 7, v)
	require.Equal(t, errBad, err)
	require.False(t, f.Canceled())
}

func TestCallbacks(t *testing.T) {
	f, p := task.NewPromise[string]()
	var calls []int
	for i := range 4 {
		stop := f.OnDone(func() {
			calls = append(calls, i)
			if i == 2 {
				panic("callback")
			}
		})
		if i == 1 {
			require.True(t, stop())
			require.False(t, stop())
		}
	}
	length := task.Then(f, func(s string, err error) (int, error) { return len(s), err })
	failed := task.Then(length, func(int, error) (int, error) { panic("then") })
	require.PanicsWithValue(t, "callback", func() { p.Resolve("four", nil) })
	require.Equal(t, []int{0, 2, 3}, calls, "a panic does not keep the others")
	n, err := length.Wait(bg)
	require.NoError(t, err)
	require.Equal(t, 4, n)
	var pe *par.PanicError
	require.ErrorAs(t, failed.Err(), &pe)
	late := false
	stop := f.OnDone(func() { late = true })
	require.True(t, late, "at once")
	require.False(t, stop())

	// A cancelled Then is not called, and leaves its source alone.
	source, promise := task.NewPromise[int]()
	next := task.Then(source, func(int, error) (int, error) { t.Error("called"); return 0, nil })
	require.True(t, next.Cancel())
	require.True(t, promise.Resolve(1, nil))
	require.NoError(t, source.Err())
}

func TestCancelBeforeAndDuring(t *testing.T) {
	f, p := task.NewPromise[int]()
	require.True(t, f.Cancel())
	require.False(t, f.Cancel())
	require.True(t, f.Canceled())
	require.ErrorIs(t, f.Err(), context.Canceled)
	require.False(t, p.Start(nil))
	require.False(t, p.Resolve(1, nil))

	f, p = task.NewPromise[int]()
	asked := 0
	require.True(t, p.Start(func() { asked++ }))
	require.True(t, f.Cancel())
	require.True(t, f.Cancel())
	require.Equal(t, 1, asked)
	require.NoError(t, f.Err(), "the work decides")
	require.True(t, p.Resolve(3, nil))
	require.False(t, f.Canceled(), "it was finished nevertheless")

	g := task.Go(bg, func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() })
	for !g.Running() {
		runtime.Gosched()
	}
	require.True(t, g.Cancel())
	_, err := g.Wait(bg)
	require.ErrorIs(t, err, task.ErrCanceled)
	require.True(t, g.Canceled())
}

// The same suite for every executor.
func executors(t *testing.T, test func(t *testing.T, ex task.Executor)) {
	t.Run("pool", func(t *testing.T) {
		p := par.NewPool(par.PoolConfig{Workers: 3})
		test(t, p)
		p.Close()
		within(t, 5*time.Minute, func() { require.NoError(t, p.Wait(bg)) })
	})
	t.Run("inline", func(t *testing.T) { test(t, task.Inline{}) })
}

func TestSubmit(t *testing.T) {
	type key struct{}
	executors(t, func(t *testing.T, ex task.Executor) {
		var fs []*task.Future[int]
		for i := range 500 {
			f, err := task.Submit(context.WithValue(bg, key{}, i), ex, func(ctx context.Context) (int, error) {
				switch {
				case i == 100:
					panic("one hundred")
				case i%7 == 0:
					return i, errBad
				}
				return ctx.Value(key{}).(int) * 2, nil
			})
			require.NoError(t, err)
			fs = append(fs, f)
		}
		for i, f := range fs {
			v, err := f.Wait(bg)
			var pe *par.PanicError
			switch {
			case i == 100:
				require.ErrorAs(t, err, &pe)
				require.Equal(t, "one hundred", pe.Value)
			case i%7 == 0:
				require.Equal(t, errBad, err)
				require.Equal(t, i, v)
			default:
				require.NoError(t, err)
				require.Equal(t, 2*i, v)
			}
		}
		_, err := task.Submit(ended(errGivenUp), ex, func(context.Context) (int, error) { t.Error("called"); return 0, nil })
		if err == nil { // the pool had room; the function's context has ended
			return
		}
		require.Equal(t, errGivenUp, err)
	})
}

func TestSubmitGoexit(t *testing.T) {
	p := par.NewPool(par.PoolConfig{Workers: 1})
	f, err := task.Submit(bg, p, func(context.Context) (int, error) { runtime.Goexit(); return 0, nil })
	require.NoError(t, err)
	within(t, 5*time.Minute, func() {
		_, err := f.Wait(bg)
		require.ErrorIs(t, err, par.ErrGoexit)
	})
	p.Close()
	_, err = task.Submit(bg, p, func(context.Context) (int, error) { return 0, nil })
	require.ErrorIs(t, err, par.ErrClosed)
	require.ErrorIs(t, p.Wait(bg), par.ErrGoexit)
}

func TestSubmittedWorkIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := par.NewPool(par.PoolConfig{Workers: 1, Queue: 10})
		begun := make(chan struct{})
		first, err := task.Submit(bg, p, func(ctx context.Context) (int, error) {
			close(begun)
			<-ctx.Done()
			return 0, context.Cause(ctx)
		})
		require.NoError(t, err)
		<-begun
		ctx, cancel := context.WithCancelCause(bg)
		queued, err := task.Submit(bg, p, after(time.Hour, 0, nil))
		require.NoError(t, err)
		withCtx, err := task.Submit(ctx, p, after(time.Hour, 0, nil))
		require.NoError(t, err)
		killed, err := task.Submit(bg, p, after(time.Hour, 0, nil))
		require.NoError(t, err)
		require.True(t, queued.Cancel())
		require.True(t, queued.Canceled(), "at once, as it has not begun")
		cancel(errGivenUp)
		require.True(t, first.Cancel())
		synctest.Wait()
		require.True(t, first.Canceled())
		require.Equal(t, errGivenUp, withCtx.Err())
		require.True(t, killed.Running())
		p.Kill()
		require.NoError(t, p.Wait(bg))
		require.ErrorIs(t, killed.Err(), context.Canceled)
		require.False(t, killed.Canceled())
	})
}

// Jobs that wait for jobs of their own pool, to any depth, in a pool of one worker and no room.
func TestNestedWaits(t *testing.T) {
	p := par.NewPool(par.PoolConfig{Workers: 1, Queue: 1})
	var fib func(ctx context.Context, n int) (int, error)
	fib = func(ctx context.Context, n int) (int, error) {
		if n < 2 {
			return n, nil
		}
		sum := 0
		var fs []*task.Future[int]
		for k := 1; k <= 2; k++ {
			f, err := task.Submit(ctx, p, func(ctx context.Context) (int, error) { return fib(ctx, n-k) })
			if err != nil {
				return 0, err
			}
			fs = append(fs, f)
		}
		for _, f := range fs {
			v, err := f.Wait(ctx)
			if err != nil {
				return 0, err
			}
			sum += v
		}
		return sum, nil
	}
	within(t, 5*time.Minute, func() {
		f, err := task.Submit(bg, p, func(ctx context.Context) (int, error) { return fib(ctx, 12) })
		require.NoError(t, err)
		n, err := f.Wait(bg)
		require.NoError(t, err)
		require.Equal(t, 144, n)
	})
	p.Close()
	require.NoError(t, p.Wait(bg))
}

func TestMapIsOrderedAndLazy(t *testing.T) {
	executors(t, func(t *testing.T, ex task.Executor) {
		var taken atomic.Int64
		in := func(yield func(int) bool) {
			for i := 0; ; i++ {
				taken.Add(1)
				if !yield(i) {
					return
				}
			}
		}
		n := 0
		for y, err := range task.Map(bg, ex, in, task.MapConfig{Ahead: 5}, func(_ context.Context, x int) (int, error) {
			if x == 33 {
				return 0, errBad
			}
			return x * x, nil
		}) {
			if n == 33 {
				require.EqualError(t, err, "item 33: bad")
			} else {
				require.NoError(t, err)
				require.Equal(t, n*n, y)
			}
			if n++; n == 100 {
				break
			}
		}
		require.LessOrEqual(t, taken.Load(), int64(99+5))
		n = 0
		for range task.Map(bg, ex, slices.Values([]int{1, 2, 3}), task.MapConfig{}, func(_ context.Context, x int) (int, error) { return x, nil }) {
			n++
		}
		require.Equal(t, 3, n)
	})
}

func TestMapEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := par.NewPool(par.PoolConfig{Workers: 2})
		ctx, cancel := context.WithTimeoutCause(bg, 150*time.Millisecond, errGivenUp)
		defer cancel()
		var got []error
		for _, err := range task.Map(ctx, p, slices.Values(make([]int, 10)), task.MapConfig{}, func(ctx context.Context, _ int) (int, error) { return after(100*time.Millisecond, 1, nil)(ctx) }) {
			got = append(got, err)
		}
		require.Equal(t, []error{nil, nil, errGivenUp}, got)
		p.Close()
		require.NoError(t, p.Wait(bg), "what was begun has ended")
		got = nil
		for _, err := range task.Map(bg, p, slices.Values(make([]int, 10)), task.MapConfig{}, func(context.Context, int) (int, error) { return 1, nil }) {
			got = append(got, err)
		}
		require.Equal(t, []error{par.ErrClosed}, got)
	})
}

func TestAsCompleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := func(ms ...int) (fs []*task.Future[int]) {
			for i, m := range ms {
				fs = append(fs, task.Go(bg, after(time.Duration(m)*time.Millisecond, i, nil)))
			}
			return fs
		}
		var order []int
		for i, f := range task.AsCompleted(bg, start(30, 10, 20)...) {
			v, err, ok := f.Result()
			require.True(t, ok)
			require.NoError(t, err)
			require.Equal(t, i, v)
			order = append(order, i)
		}
		require.Equal(t, []int{1, 2, 0}, order)

		fs := start(30, 10, 20)
		for range task.AsCompleted(bg, fs...) {
			break
		}
		ctx, cancel := context.WithTimeout(bg, 5*time.Millisecond)
		defer cancel()
		n := 0
		for range task.AsCompleted(ctx, start(1, 100)...) {
			n++
		}
		require.Equal(t, 1, n)

		i, err := task.WaitAny(bg, start(30, 10, 20)...)
		require.NoError(t, err)
		require.Equal(t, 1, i)
		_, err = task.WaitAny(ended(errGivenUp), start(1)...)
		require.Equal(t, errGivenUp, err)
		i, err = task.WaitAny[task.Awaitable](bg)
		require.NoError(t, err)
		require.Equal(t, -1, i)

		// Futures of different types.
		began := time.Now()
		a, b := task.Go(bg, after(50*time.Millisecond, "a", nil)), task.Go(bg, after(70*time.Millisecond, 1.5, errBad))
		require.NoError(t, task.WaitAll[task.Awaitable](bg, a, b))
		require.Equal(t, 70*time.Millisecond, time.Since(began))
		i, err = task.WaitError[task.Awaitable](bg, a, b)
		require.NoError(t, err)
		require.Equal(t, 1, i)
		i, err = task.WaitError(bg, start(1, 2)...)
		require.NoError(t, err)
		require.Equal(t, -1, i)
		require.Equal(t, errGivenUp, task.WaitAll(ended(errGivenUp), start(1)...))
		_, err = task.WaitError(ended(errGivenUp), start(1)...)
		require.Equal(t, errGivenUp, err)

		vs, err := task.Gather(bg, start(30, 10, 20)...)
		require.NoError(t, err)
		require.Equal(t, []int{0, 1, 2}, vs)
		slow := task.Go(bg, after(time.Hour, 0, nil))
		_, err = task.Gather(bg, slow, task.Go(bg, after(time.Second, 0, errBad)))
		require.EqualError(t, err, "item 1: bad")
		require.True(t, slow.Running())
		_, err = task.Gather(ended(errGivenUp), slow)
		require.Equal(t, errGivenUp, err)
		slow.Cancel()
		synctest.Wait()
	})
}

// registered counts callbacks that were registered and not taken back.
type registered struct {
	*task.Future[int]
	n *int
}

func (r registered) OnDone(fn func()) func() bool {
	*r.n++
	stop := r.Future.OnDone(fn)
	return func() bool { *r.n--; return stop() }
}

func TestWaitingLeavesNoCallbacks(t *testing.T) {
	forever, _ := task.NewPromise[int]()
	n := 0
	f := registered{forever, &n}
	done := registered{task.Resolved(1, nil), &n}
	for range 100 {
		_, err := task.WaitAny(bg, f, done)
		require.NoError(t, err)
		_, err = task.WaitError(ended(errGivenUp), f)
		require.Equal(t, errGivenUp, err)
		_, err = task.Run(bg, func(co *task.Co) (int, error) { return task.AwaitAny(co, f, done) })
		require.NoError(t, err)
	}
	require.Zero(t, n)
}

func TestFutureGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := par.NewPool(par.PoolConfig{Workers: 4})
		for _, ex := range []task.Executor{nil, pool} {
			g := task.NewGroup[int](bg, ex)
			for i := range 4 {
				g.Go(after(time.Duration(10-i)*time.Millisecond, i, nil))
			}
			vs, err := g.Wait(bg)
			require.NoError(t, err)
			require.Equal(t, []int{0, 1, 2, 3}, vs)

			g = task.NewGroup[int](bg, ex)
			slow := g.Go(after(time.Hour, 0, nil))
			g.Go(after(time.Second, 0, errBad))
			began := time.Now()
			_, err = g.Wait(bg)
			require.EqualError(t, err, "item 1: bad")
			require.Equal(t, time.Second, time.Since(began))
			require.ErrorIs(t, slow.Err(), context.Canceled)

			g = task.NewGroup[int](bg, ex)
			slow = g.Go(after(time.Hour, 0, nil))
			_, err = g.Wait(ended(errGivenUp))
			require.Equal(t, errGivenUp, err)
			_, err = slow.Wait(bg)
			require.ErrorIs(t, err, context.Canceled)
		}
		pool.Close()
		require.NoError(t, pool.Wait(bg))
		g := task.NewGroup[int](bg, pool)
		g.Go(after(1, 0, nil))
		_, err := g.Wait(bg)
		require.ErrorIs(t, err, par.ErrClosed)
	})
}

// Resolve, Cancel, Wait and OnDone at the same time: one of Resolve and Cancel wins, and everybody sees that.
func TestFutureRace(t *testing.T) {
	for range 2000 {
		f, p := task.NewPromise[int]()
		var called, resolved, canceled atomic.Int64
		var all sync.WaitGroup
		all.Go(func() { f.OnDone(func() { called.Add(1) }) })
		all.Go(func() {
			if p.Resolve(1, nil) {
				resolved.Add(1)
			}
		})
		all.Go(func() {
			if f.Cancel() {
				canceled.Add(1)
			}
		})
		var value int
		var err error
		all.Go(func() { value, err = f.Wait(bg) })
		all.Wait()
		require.EqualValues(t, 1, called.Load())
		require.EqualValues(t, 1, resolved.Load()+canceled.Load())
		if resolved.Load() == 1 {
			require.Equal(t, 1, value)
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, task.ErrCanceled)
		}
	}
}
