//go:build linux

package proc_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/par"
	"github.com/tandem-go/tandem/hostpar/proc"
)

type item struct {
	From, N int
	Text    string
}

type queueArgs struct {
	Q       *proc.Queue[item]
	From, N int
}

var put = proc.Register("put", func(ctx context.Context, in queueArgs) (int, error) {
	for i := range in.N {
		if err := in.Q.Put(ctx, item{in.From, i, fmt.Sprint(i)}); err != nil {
			return i, err
		}
	}
	return in.N, nil
})

// get takes everything, and checks that what comes from one producer is in order.
var get = proc.Register("get", func(ctx context.Context, q *proc.Queue[item]) (got map[int]int, err error) {
	got = map[int]int{}
	last := map[int]int{}
	for x := range q.All(ctx) {
		if x.N < last[x.From] || x.Text != fmt.Sprint(x.N) {
			return nil, fmt.Errorf("%v after %d", x, last[x.From])
		}
		last[x.From] = x.N
		got[x.From]++
	}
	return got, nil
})

// Four producers and four consumers, one of which is killed in the middle, and a killed producer.
func TestQueueBetweenProcesses(t *testing.T) {
	q, err := proc.NewQueue[item](proc.QueueConfig{Bytes: 8192})
	require.NoError(t, err)
	const n = 5000
	var consumers []*proc.Process[map[int]int]
	for range 4 {
		c, err := proc.Start(bg, get, q, proc.StartConfig{})
		require.NoError(t, err)
		consumers = append(consumers, c)
	}
	victim, err := proc.Start(bg, put, queueArgs{q, 9, 1 << 40}, proc.StartConfig{})
	require.NoError(t, err)
	var producers []*proc.Process[int]
	for i := range 4 {
		p, err := proc.Start(bg, put, queueArgs{q, i, n}, proc.StartConfig{})
		require.NoError(t, err)
		producers = append(producers, p)
	}
	victim.Kill()
	require.NoError(t, victim.Join(bg))
	for _, p := range producers {
		_, err := p.Wait(bg)
		require.NoError(t, err)
	}
	q.Close()
	total := map[int]int{}
	for _, c := range consumers {
		got, err := c.Wait(bg)
		require.NoError(t, err)
		for from, n := range got {
			total[from] += n
		}
	}
	delete(total, 9)
	require.Equal(t, map[int]int{0: n, 1: n, 2: n, 3: n}, total)
}

// A consumer and a producer that are killed in the middle leave what is in the queue whole and in order.
func TestConsumerKilledInMidItem(t *testing.T) {
	for range 20 {
		q, err := proc.NewQueue[item](proc.QueueConfig{})
		require.NoError(t, err)
		c, err := proc.Start(bg, get, q, proc.StartConfig{})
		require.NoError(t, err)
		p, err := proc.Start(bg, put, queueArgs{q, 0, 1 << 40}, proc.StartConfig{})
		require.NoError(t, err)
		_, err = q.Get(bg)
		require.NoError(t, err)
		c.Kill()
		require.NoError(t, c.Join(bg))
		_, err = q.Get(bg)
		require.NoError(t, err)
		p.Kill()
		require.NoError(t, p.Join(bg))
		q.Close()
		left := slices.Collect(q.All(bg))
		for i, x := range left {
			require.Equal(t, left[0].N+i, x.N)
			require.Equal(t, fmt.Sprint(x.N), x.Text)
		}
	}
}

func TestQueue(t *testing.T) {
	q, err := proc.NewQueue[any](proc.QueueConfig{Bytes: 4096})
	require.NoError(t, err)
	for _, x := range []any{42, nil, "hello"} {
		require.NoError(t, q.Put(bg, x))
	}
	n, err := q.Len(bg)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	q.Close()
	require.ErrorIs(t, q.Put(bg, 1), proc.ErrClosed)
	require.Equal(t, []any{42, nil, "hello"}, slices.Collect(q.All(bg)))
	_, err = q.TryGet()
	require.ErrorIs(t, err, proc.ErrClosed)

	j, err := proc.NewJoinableQueue[string](proc.QueueConfig{Bytes: 4096})
	require.NoError(t, err)
	require.ErrorIs(t, j.TaskDone(bg), par.ErrTaskDone)
	_, err = j.TryGet()
	require.ErrorIs(t, err, par.ErrEmpty)
	require.Error(t, j.Put(bg, string(make([]byte, 5000))), "it can never fit")
	p, err := proc.Start(bg, work, j, proc.StartConfig{})
	require.NoError(t, err)
	for range 100 {
		require.NoError(t, j.Put(bg, "job"))
	}
	require.NoError(t, j.Join(bg))
	left, err := j.Unfinished(bg)
	require.NoError(t, err)
	require.Zero(t, left)
	j.Close()
	done, err := p.Wait(bg)
	require.NoError(t, err)
	require.Equal(t, 100, done)
	_, err = proc.NewQueue[chan int](proc.QueueConfig{})
	require.Error(t, err)
}

var work = proc.Register("work", func(ctx context.Context, q *proc.JoinableQueue[string]) (n int, err error) {
	for range q.All(ctx) {
		n++
		if err := q.TaskDone(ctx); err != nil {
			return n, err
		}
	}
	return n, nil
})

var echo = proc.Register("echo", func(ctx context.Context, c *proc.Conn[any]) (int, error) {
	for n := 0; ; n++ {
		x, err := c.Receive(ctx)
		if err == io.EOF { //nolint:errorlint // it is
			return n, nil
		}
		if err != nil {
			return n, err
		}
		if x == "die" {
			return n, syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
		}
		if err := c.Send(ctx, x); err != nil {
			return n, err
		}
	}
})

func TestPipe(t *testing.T) {
	a, b, err := proc.Pipe[any]()
	require.NoError(t, err)
	p, err := proc.Start(bg, echo, b, proc.StartConfig{})
	require.NoError(t, err)
	_, err = b.Receive(bg)
	require.ErrorIs(t, err, proc.ErrClosed, "it has moved")
	for _, x := range []any{[]any{42, nil, "hello"}, nil, make([]byte, 1<<20), map[string]any{"a": 1.5}} {
		sent := make(chan error, 1)
		go func() { sent <- a.Send(bg, x) }()
		y, err := a.Receive(bg)
		require.NoError(t, err)
		require.Equal(t, x, y)
		require.NoError(t, <-sent)
	}
	ctx, cancel := context.WithTimeout(bg, time.Millisecond)
	defer cancel()
	_, err = a.Receive(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, a.Send(bg, "still there"))
	x, err := a.Receive(bg)
	require.NoError(t, err)
	require.Equal(t, "still there", x)
	require.NoError(t, a.Close())
	require.NoError(t, a.Close())
	n, err := p.Wait(bg)
	require.NoError(t, err)
	require.Equal(t, 5, n)

	// A process that dies is the end of its end.
	a, b, err = proc.Pipe[any]()
	require.NoError(t, err)
	p, err = proc.Start(bg, echo, b, proc.StartConfig{})
	require.NoError(t, err)
	require.NoError(t, a.Send(bg, "die"))
	_, err = a.Receive(bg)
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, p.Join(bg)) // its two files are closed one after the other
	require.ErrorIs(t, a.Send(bg, 1), io.ErrClosedPipe)
	require.NoError(t, a.Close())
}

// 64 MiB in both directions at once, with nobody reading until all is being sent.
func TestPipeBothWays(t *testing.T) {
	a, b, err := proc.Pipe[[]byte]()
	require.NoError(t, err)
	within(t, func() {
		errs := make(chan error, 4)
		for _, c := range []*proc.Conn[[]byte]{a, b} {
			go func() { errs <- c.Send(bg, make([]byte, 64<<20)) }()
			go func() {
				x, err := c.Receive(bg)
				if err == nil && len(x) != 64<<20 {
					err = io.ErrShortBuffer
				}
				errs <- err
			}()
		}
		for range 4 {
			require.NoError(t, <-errs)
		}
	})
	// Sending that is given up in the middle of a message ends the pipe, rather than send nonsense.
	ctx, cancel := context.WithTimeout(bg, 5*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, a.Send(ctx, make([]byte, 1<<20)), context.DeadlineExceeded)
	_, err = b.Receive(bg)
	require.Error(t, err)
	require.NoError(t, b.Close())
}

var addOne = proc.Register("addOne", func(_ context.Context, x int) (int, error) { return x + 1, nil })
var refuse = proc.Register("refuse", func(_ context.Context, x int) (int, error) { return 0, errOdd })

type managedArgs struct {
	D proc.Dict[int, int]
	L proc.List[string]
	K proc.Lock
	N int
}

var useManager = proc.Register("useManager", func(ctx context.Context, in managedArgs) (int, error) {
	if err := in.D.Set(ctx, in.N, 2*in.N); err != nil {
		return 0, err
	}
	for range 200 {
		if _, err := in.D.Update(ctx, -1, addOne); err != nil {
			return 0, err
		}
	}
	if err := in.K.Lock(ctx); err != nil {
		return 0, err
	}
	if err := in.L.Append(ctx, fmt.Sprint(in.N)); err != nil {
		return 0, err
	}
	if in.N == 3 {
		return 0, nil // and the lock is released by its end
	}
	return 0, in.K.Unlock(ctx)
})

func TestManager(t *testing.T) {
	m, err := proc.StartManager(bg, proc.ManagerConfig{})
	require.NoError(t, err)
	defer m.Stop()
	d := proc.Dict[int, int]{Manager: m.Manager, Name: "d"}
	l := proc.List[string]{Manager: m.Manager, Name: "l"}
	k := proc.Lock{Manager: m.Manager, Name: "k"}
	var ps []*proc.Process[int]
	for i := range 5 {
		p, err := proc.Start(bg, useManager, managedArgs{d, l, k, i}, proc.StartConfig{})
		require.NoError(t, err)
		ps = append(ps, p)
	}
	for _, p := range ps {
		_, err := p.Wait(bg)
		require.NoError(t, err)
	}
	all, err := d.All(bg)
	require.NoError(t, err)
	require.Equal(t, map[int]int{0: 0, 1: 2, 2: 4, 3: 6, 4: 8, -1: 1000}, all)
	xs, err := l.All(bg)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"0", "1", "2", "3", "4"}, xs)
	require.NoError(t, l.Reverse(bg))
	slices.Reverse(xs)
	first, err := l.At(bg, 0)
	require.NoError(t, err)
	require.Equal(t, xs[0], first)
	require.NoError(t, l.Set(bg, 4, "last"))
	last, err := l.At(bg, 4)
	require.NoError(t, err)
	require.Equal(t, "last", last)
	_, err = l.At(bg, 5)
	require.ErrorIs(t, err, proc.ErrNoKey)
	_, err = l.At(bg, -1)
	require.ErrorIs(t, err, proc.ErrNoKey)
	_, err = d.Get(bg, 77)
	require.ErrorIs(t, err, proc.ErrNoKey)
	require.NoError(t, d.Delete(bg, 4))
	n, err := d.Len(bg)
	require.NoError(t, err)
	require.Equal(t, 5, n)
	_, err = d.Update(bg, 3, refuse)
	require.ErrorIs(t, err, errOdd)
	v, err := d.Get(bg, 3)
	require.NoError(t, err)
	require.Equal(t, 6, v, "a failed update changes nothing")

	require.ErrorIs(t, k.Unlock(bg), par.ErrNotLocked)
}

func TestManagerQueueAndEnd(t *testing.T) {
	m, err := proc.StartManager(bg, proc.ManagerConfig{})
	require.NoError(t, err)
	defer m.Stop()
	d := proc.Dict[int, int]{Manager: m.Manager, Name: "d"}
	k := proc.Lock{Manager: m.Manager, Name: "k"}
	ns := proc.Namespace{Manager: m.Manager, Name: "ns"}
	require.NoError(t, ns.SetAll(bg, map[string]any{"x": 10, "s": "text", "nil": nil}))
	x, err := ns.Get(bg, "x")
	require.NoError(t, err)
	require.Equal(t, 10, x)

	q := proc.ManagedQueue[int]{Manager: m.Manager, Name: "q"}
	ctx, cancel := context.WithTimeout(bg, 5*time.Millisecond)
	defer cancel()
	_, err = q.Get(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, q.Put(bg, 7))
	require.NoError(t, q.Close(bg))
	require.ErrorIs(t, q.Put(bg, 8), proc.ErrClosed)
	require.Equal(t, []int{7}, slices.Collect(q.All(bg)))

	wrong := d
	wrong.Manager.Token = "guess"
	_, err = wrong.Get(bg, 1)
	require.ErrorIs(t, err, proc.ErrToken)

	// When the manager is killed, who waits is told.
	require.NoError(t, k.Lock(bg))
	failed := make(chan error)
	go func() {
		_, err := proc.ManagedQueue[int]{Manager: m.Manager, Name: "empty"}.Get(bg)
		failed <- err
	}()
	m.Child().Kill()
	require.ErrorIs(t, <-failed, proc.ErrManagerGone)
	require.Eventually(t, func() bool {
		_, err := d.Len(bg)
		return err != nil
	}, 5*time.Second, time.Millisecond)
	_, err = d.Len(bg)
	require.ErrorIs(t, err, proc.ErrManagerGone)
}

func TestManagerAtAnAddress(t *testing.T) {
	m, err := proc.StartManager(bg, proc.ManagerConfig{Address: "tcp:127.0.0.1:0", Token: "secret", Name: "keeper"})
	require.NoError(t, err)
	require.Regexp(t, `^tcp:127\.0\.0\.1:\d+$`, m.Address)
	other := proc.Manager{Address: m.Address, Token: "secret"}
	require.NoError(t, proc.List[int]{Manager: other, Name: "l"}.Append(bg, 1, 2, 3))
	n, err := proc.List[int]{Manager: m.Manager, Name: "l"}.Len(bg)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	_, err = proc.StartManager(bg, proc.ManagerConfig{Address: m.Address})
	require.ErrorContains(t, err, "address already in use")
	m.Stop()
	_, err = proc.StartManager(bg, proc.ManagerConfig{Address: "pigeon:x"})
	require.ErrorContains(t, err, "neither unix: nor tcp:")
	_, err = proc.List[int]{Manager: other, Name: "l"}.Len(bg)
	require.ErrorIs(t, err, proc.ErrManagerGone)
}
