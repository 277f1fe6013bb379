package proc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/par"
	"github.com/tandem-go/tandem/hostpar/proc"
	"github.com/tandem-go/tandem/hostpar/task"
)

func upTo(n int) []int {
	xs := make([]int, n)
	for i := range xs {
		xs[i] = i
	}
	return xs
}

func TestMapKeepsOrder(t *testing.T) {
	p := newPool(t, proc.PoolConfig{Workers: 2})
	for _, n := range []int{0, 1, 2, 100, 10_000} {
		for _, chunk := range []int{0, 1, 1 + rand.IntN(n+1), n} {
			squares, err := proc.Map(bg, p, square, upTo(n), proc.MapConfig{Chunk: chunk})
			require.NoError(t, err)
			require.Len(t, squares, n)
			for i, s := range squares {
				require.Equal(t, i*i, s, "n %d, chunk %d", n, chunk)
			}
		}
	}
	p.Close()
	_, err := proc.Map(bg, p, square, upTo(3), proc.MapConfig{})
	require.ErrorIs(t, err, proc.ErrClosed)
	require.ErrorIs(t, err, par.ErrClosed)
	require.Empty(t, proc.Children())
}

func TestErrorsComeBack(t *testing.T) {
	p := newPool(t, proc.PoolConfig{Workers: 1})
	_, err := proc.Call(bg, p, act, "odd 3")
	require.ErrorIs(t, err, errOdd)
	require.ErrorContains(t, err, "odd number: 3")
	_, err = proc.Call(bg, p, act, "eof")
	require.ErrorIs(t, err, io.EOF)
	_, err = proc.Call(bg, p, act, "toobig")
	var big tooBig
	require.ErrorAs(t, err, &big)
	require.Equal(t, 7, big.Limit)

	var remote *proc.RemoteError
	_, err = proc.Call(bg, p, act, "panic ouch")
	require.ErrorAs(t, err, &remote)
	require.Equal(t, "ouch", remote.Message)
	require.Contains(t, string(remote.Stack), "main_test.go")
	_, err = proc.Call(bg, p, act, "goexit")
	require.ErrorIs(t, err, par.ErrGoexit)

	outs, err := proc.Map(bg, p, act, []string{"nothing", "goexit", "a", "goexit", "panic x", "nothing"}, proc.MapConfig{Chunk: 6, All: true})
	require.Equal(t, []string{"nothing", "", "", "", "", "nothing"}, outs)
	var item *par.ItemError
	require.ErrorAs(t, err, &item)
	require.Equal(t, 1, item.Index)
	require.Len(t, err.(interface{ Unwrap() []error }).Unwrap(), 4)
	_, err = proc.Map(bg, p, act, []string{"nothing", "nothing", "odd 5", "nothing"}, proc.MapConfig{})
	require.ErrorAs(t, err, &item)
	require.Equal(t, 2, item.Index)
	require.ErrorIs(t, err, errOdd)
	require.Len(t, p.Workers(), 1, "the worker has survived all that")
	require.Equal(t, "worker-1", p.Workers()[0].Name())
}

var chans = proc.Register("chans", func(context.Context, chan int) (int, error) { return 0, nil })
var twice = proc.Register("twice", func(context.Context, int) (int, error) { return 0, nil })
var again = proc.Register("twice", func(context.Context, int) (int, error) { return 0, nil })
var dynamic = proc.Register("dynamic", func(_ context.Context, x any) (any, error) {
	if x == "struct" {
		return struct{ A int }{1}, nil
	}
	return x, nil
})

func TestFunctionsThatCannotBeCalled(t *testing.T) {
	_, err := proc.Start(bg, chans, nil, proc.StartConfig{})
	require.ErrorIs(t, err, proc.ErrFunc)
	require.ErrorContains(t, err, "chan int")
	for _, f := range []proc.Func[int, int]{twice, again, {}} {
		_, err = proc.Run(bg, f, 1, proc.StartConfig{})
		require.ErrorIs(t, err, proc.ErrFunc)
	}
	p := newPool(t, proc.PoolConfig{Workers: 1})
	_, err = proc.Call(bg, p, dynamic, any(struct{ B string }{}))
	require.ErrorContains(t, err, "argument of dynamic")
	_, err = proc.Call(bg, p, dynamic, any("struct"))
	require.ErrorContains(t, err, "result of dynamic")
	list, err := proc.Call(bg, p, dynamic, any([]any{42, nil, "hello"}))
	require.NoError(t, err)
	require.Equal(t, []any{42, nil, "hello"}, list)
	outs, err := proc.Map(bg, p, dynamic, []any{1, struct{ B string }{}, 3}, proc.MapConfig{Chunk: 3, All: true})
	require.ErrorContains(t, err, "item 1")
	require.Equal(t, []any{1, nil, 3}, outs)
	_, err = proc.Call(bg, p, proc.Register("late", func(context.Context, int) (int, error) { return 0, nil }), 1)
	require.ErrorContains(t, err, "after Main has begun")
}

// A worker that dies, in any way, costs only the task it was at.
func TestDeathOfAWorker(t *testing.T) {
	timed := newPool(t, proc.PoolConfig{Workers: 2, TaskTimeout: 150 * time.Millisecond})
	limited := newPool(t, proc.PoolConfig{Workers: 2, MemoryLimit: 200 << 20})
	for _, c := range []struct {
		what   string
		reason proc.Reason
		is     error
	}{
		{"exit", proc.Exited, proc.ErrWorkerDied},
		{"exit 1234567", proc.Exited, proc.ErrWorkerDied},
		{"fatal x", proc.Exited, proc.ErrWorkerDied},
		{"kill", proc.Signaled, proc.ErrWorkerDied},
		{"closelink", proc.Signaled, proc.ErrWorkerDied},
		{"stop", proc.TimedOut, proc.ErrTimeout},
		{"hang", proc.TimedOut, context.DeadlineExceeded},
		{"spin", proc.TimedOut, proc.ErrTimeout},
		{"eat", proc.OutOfMemory, proc.ErrMemoryLimit},
	} {
		p := timed
		if c.reason == proc.OutOfMemory {
			p = limited
		}
		for _, chunk := range []int{0, 1, 10} {
			tasks := make([]string, 20)
			tasks[13] = c.what
			within(t, func() {
				outs, err := proc.Map(bg, p, act, tasks, proc.MapConfig{Chunk: chunk, All: true})
				require.ErrorIs(t, err, c.is, c.what)
				require.ErrorIs(t, err, proc.ErrWorkerDied)
				var item *par.ItemError
				require.ErrorAs(t, err, &item)
				require.Equal(t, 13, item.Index)
				var died *proc.WorkerError
				require.ErrorAs(t, err, &died)
				require.Equal(t, c.reason, died.Reason, c.what)
				require.Equal(t, 1, died.Executions)
				require.Len(t, err.(interface{ Unwrap() []error }).Unwrap(), 1)
				require.Len(t, outs, 20)
			})
		}
	}
	timed.Close()
}

// A task that kills its worker is tried again as often as asked for; the others are run and not blamed.
func TestPoison(t *testing.T) {
	p := newPool(t, proc.PoolConfig{Workers: 2, Retries: 2})
	file := filepath.Join(t.TempDir(), "log")
	tasks := make([][2]string, 1001)
	for i := range tasks {
		tasks[i] = [2]string{file, fmt.Sprint(i)}
	}
	tasks[500][1] = "poison"
	outs, err := proc.Map(bg, p, record, tasks, proc.MapConfig{All: true})
	var died *proc.WorkerError
	require.ErrorAs(t, err, &died)
	require.Equal(t, 3, died.Executions)
	require.Len(t, err.(interface{ Unwrap() []error }).Unwrap(), 1)
	counts := recorded(t, file)
	require.Equal(t, 3, counts["poison"])
	require.Len(t, counts, 1001)
	for i, out := range outs {
		require.Equal(t, i != 500, out == 1, i)
	}
}

func TestSubmit(t *testing.T) {
	p := newPool(t, proc.PoolConfig{Workers: 2})
	var fs []*task.Future[int]
	for i := range 1000 {
		f, err := proc.Submit(bg, p, square, i)
		require.NoError(t, err)
		fs = append(fs, f)
	}
	sum := 0
	for i, f := range task.AsCompleted(bg, fs...) {
		v, err := f.Wait(bg)
		require.NoError(t, err)
		require.Equal(t, i*i, v)
		sum++
	}
	require.Equal(t, 1000, sum)

	f, err := proc.Submit(bg, p, act, "spin")
	require.NoError(t, err)
	g, err := proc.Submit(bg, p, act, "wait")
	require.NoError(t, err)
	h, err := proc.Submit(bg, p, act, "nothing") // both workers are busy
	require.NoError(t, err)
	require.True(t, f.Cancel())
	_, err = f.Wait(bg)
	require.ErrorIs(t, err, task.ErrCanceled)
	require.True(t, g.Cancel())
	_, err = h.Wait(bg)
	require.NoError(t, err)

	ctx, cancel := context.WithCancelCause(bg)
	f, err = proc.Submit(ctx, p, act, "wait")
	require.NoError(t, err)
	cancel(io.ErrNoProgress)
	_, err = f.Wait(bg)
	require.ErrorIs(t, err, io.ErrNoProgress)
	_, err = proc.Submit(ctx, p, act, "wait")
	require.ErrorIs(t, err, io.ErrNoProgress)
}

// A callback may use the pool that calls it, and wait.
func TestPoolInACallback(t *testing.T) {
	p := newPool(t, proc.PoolConfig{Workers: 1})
	within(t, func() {
		f, err := proc.Submit(bg, p, square, 3)
		require.NoError(t, err)
		g := task.Then(f, func(x int, err error) (int, error) {
			if err != nil {
				return 0, err
			}
			out, err := proc.Map(bg, p, square, []int{x}, proc.MapConfig{})
			if err != nil {
				return 0, err
			}
			return out[0], nil
		})
		v, err := g.Wait(bg)
		require.NoError(t, err)
		require.Equal(t, 81, v)
	})
}

// A task that waits for another does not stop the pool as long as there is a worker that does not wait: jobs that were
// sent ahead are taken back.
func TestNoTaskWaitsBehindAnother(t *testing.T) {
	p := newPool(t, proc.PoolConfig{Workers: 2})
	_, err := proc.Map(bg, p, act, make([]string, 2000), proc.MapConfig{Chunk: 1}) // short tasks: the pool sends ahead
	require.NoError(t, err)
	within(t, func() {
		var fs []*task.Future[string]
		for i := range 200 {
			what := "nothing"
			if i == 0 {
				what = "wait"
			}
			f, err := proc.Submit(bg, p, act, what)
			require.NoError(t, err)
			fs = append(fs, f)
		}
		for _, f := range fs[1:] {
			_, err := f.Wait(bg)
			require.NoError(t, err)
		}
		fs[0].Cancel()
	})
}

func TestStream(t *testing.T) {
	p := newPool(t, proc.PoolConfig{Workers: 2})
	for _, unordered := range []bool{false, true} {
		taken := 0
		naturals := func(yield func(int) bool) {
			for yield(taken) {
				taken++
			}
		}
		var got []int
		for v, err := range proc.Stream(bg, p, square, naturals, proc.StreamConfig{Ahead: 20, Unordered: unordered}) {
			require.NoError(t, err)
			if got = append(got, v); len(got) == 100 {
				break
			}
		}
		require.LessOrEqual(t, taken, 120)
		if !unordered {
			for i, v := range got {
				require.Equal(t, i*i, v)
			}
		}
	}
	var errs, good int
	tasks := func(yield func(string) bool) {
		for i := range 50 {
			what := "nothing"
			if i%10 == 3 {
				what = "odd"
			}
			if !yield(what) {
				return
			}
		}
	}
	for _, err := range proc.Stream(bg, p, act, tasks, proc.StreamConfig{}) {
		if err != nil {
			require.ErrorIs(t, err, errOdd)
			errs++
		} else {
			good++
		}
	}
	require.Equal(t, []int{5, 45}, []int{errs, good})
	ctx, cancel := context.WithCancel(bg)
	n := 0
	for _, err := range proc.Stream(ctx, p, act, func(yield func(string) bool) {
		for range 10 {
			if !yield("wait") {
				return
			}
		}
		cancel()
	}, proc.StreamConfig{}) {
		require.ErrorIs(t, err, context.Canceled)
		n++
	}
	require.Equal(t, 1, n)
}

var prepared string

var prepare = proc.Register("prepare", func(_ context.Context, s string) (struct{}, error) {
	prepared += s
	if s == "bad" {
		return struct{}{}, errOdd
	}
	return struct{}{}, nil
})

var askPrepared = proc.Register("askPrepared", func(context.Context, struct{}) (string, error) {
	return prepared + " " + proc.Current().Name, nil
})

func TestSetupAndReplacement(t *testing.T) {
	p := newPool(t, proc.PoolConfig{Workers: 1, TasksPerWorker: 3, Name: "w", Setup: []proc.Setup{proc.Bind(prepare, "a"), proc.Bind(prepare, "b")}})
	outs, err := proc.Map(bg, p, askPrepared, make([]struct{}, 10), proc.MapConfig{Chunk: 2})
	require.NoError(t, err)
	require.Equal(t, strings.Fields("ab w-1 ab w-1 ab w-1 ab w-2 ab w-2 ab w-2 ab w-3 ab w-3 ab w-3 ab w-4"), strings.Fields(strings.Join(outs, " ")))
	require.Empty(t, prepared, "nothing of this happened here")
	p.Close()

	_, err = proc.NewPool(bg, proc.PoolConfig{Workers: 2, Setup: []proc.Setup{proc.Bind(prepare, "bad")}})
	require.ErrorIs(t, err, errOdd)
	_, err = proc.NewPool(bg, proc.PoolConfig{Workers: 2, Setup: []proc.Setup{{}}})
	require.ErrorIs(t, err, proc.ErrFunc)
	_, err = proc.NewPool(bg, proc.PoolConfig{Workers: 2, Setup: []proc.Setup{proc.Bind(act, "exit")}})
	require.ErrorIs(t, err, proc.ErrWorkerDied)
	require.Empty(t, proc.Children())
}

func TestKill(t *testing.T) {
	p := newPool(t, proc.PoolConfig{Workers: 2})
	f, err := proc.Submit(bg, p, act, "spin")
	require.NoError(t, err)
	m := proc.MapAsync(bg, p, act, []string{"wait", "wait", "wait", "wait"}, proc.MapConfig{})
	p.Kill()
	_, err = f.Wait(bg)
	require.ErrorIs(t, err, proc.ErrClosed)
	_, err = m.Wait(bg)
	require.ErrorIs(t, err, proc.ErrClosed)
	p.Kill()
	p.Close()
	require.Empty(t, p.Workers())

	ctx, cancel := context.WithCancel(bg)
	p, err = proc.NewPool(ctx, proc.PoolConfig{Workers: 2})
	require.NoError(t, err)
	cancel()
	within(t, p.Close)
	_, err = proc.NewPool(ctx, proc.PoolConfig{})
	require.ErrorIs(t, err, context.Canceled)
}

// Large arguments and results at the same time do not block each other, and output of tasks does not disturb.
func TestLargeMessages(t *testing.T) {
	var said strings.Builder
	p := newPool(t, proc.PoolConfig{Workers: 1, Stdout: &said})
	big := strings.Repeat("x", 16<<20)
	outs, err := proc.Map(bg, p, act, []string{"a", "nothing " + big, "nothing " + big, "say y", "nothing " + big}, proc.MapConfig{Chunk: 1, All: true})
	require.ErrorContains(t, err, "act: a")
	require.Len(t, outs[4], len("nothing ")+len(big))
	p.Close()
	require.Equal(t, strings.Repeat(strings.Repeat("y", 100)+"\n", 10_000), said.String())
}

func TestMapOnceAndAsync(t *testing.T) {
	outs, err := proc.MapOnce(bg, square, []int{1, 2, 3}, 2)
	require.NoError(t, err)
	require.Equal(t, []int{1, 4, 9}, outs)
	f, err := square.Async(bg, 5)
	require.NoError(t, err)
	v, err := f.Wait(bg)
	require.NoError(t, err)
	require.Equal(t, 25, v)
	v, err = square.Do(bg, 6)
	require.NoError(t, err)
	require.Equal(t, 36, v)
	_, err = proc.MapOnce(bg, act, []string{"odd"}, 2)
	require.True(t, errors.Is(err, errOdd))
}

func BenchmarkCall(b *testing.B) {
	p := newPool(b, proc.PoolConfig{Workers: 1})
	for b.Loop() {
		if _, err := proc.Call(bg, p, square, 3); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMap(b *testing.B) {
	for _, chunk := range []int{0, 1, 16, 256} {
		b.Run(fmt.Sprintf("chunk=%d", chunk), func(b *testing.B) {
			p := newPool(b, proc.PoolConfig{Workers: 2})
			xs := upTo(100_000)
			for b.Loop() {
				if _, err := proc.Map(bg, p, square, xs, proc.MapConfig{Chunk: chunk}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*100_000/b.Elapsed().Seconds(), "tasks/s")
		})
	}
}

func BenchmarkStartPool(b *testing.B) {
	for b.Loop() {
		p, err := proc.NewPool(bg, proc.PoolConfig{Workers: 2})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		p.Kill()
		b.StartTimer()
	}
}
