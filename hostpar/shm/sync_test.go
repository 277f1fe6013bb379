//go:build linux

package shm_test

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/proc"
	"github.com/tandem-go/tandem/hostpar/shm"
)

type objects struct {
	E    *shm.Event
	C    *shm.Cond
	M    *shm.Mutex
	S    *shm.Semaphore
	B    *shm.Barrier
	V    *shm.Value[[3]int64] // now inside, most inside, times
	What string
	N    int
}

func newObjects(t *testing.T, permits, parties int) objects {
	t.Helper()
	var o objects
	var err error
	o.E, err = shm.NewEvent()
	require.NoError(t, err)
	o.M, err = shm.NewMutex()
	require.NoError(t, err)
	o.C, err = shm.NewCond(o.M)
	require.NoError(t, err)
	o.S, err = shm.NewSemaphore(permits)
	require.NoError(t, err)
	o.B, err = shm.NewBarrier(parties)
	require.NoError(t, err)
	o.V, err = shm.NewValue([3]int64{})
	require.NoError(t, err)
	return o
}

var use = proc.Register("use", func(ctx context.Context, o objects) (int, error) {
	switch o.What {
	case "event":
		return 0, o.E.Wait(ctx)
	case "die with a permit":
		if err := o.S.Acquire(ctx); err != nil {
			return 0, err
		}
		return 0, syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "semaphore":
		for range o.N {
			if err := o.S.Acquire(ctx); err != nil {
				return 0, err
			}
			for _, d := range []int64{1, -1} {
				if _, err := o.V.Update(ctx, func(x *[3]int64) {
					x[0] += d
					x[1] = max(x[1], x[0])
					x[2]++
				}); err != nil {
					return 0, err
				}
			}
			if err := o.S.Release(ctx); err != nil {
				return 0, err
			}
		}
	case "barrier":
		for range o.N {
			if _, err := o.B.Wait(ctx); err != nil {
				return 0, err
			}
		}
	case "cond": // take turns with the other one
		for i := range o.N {
			if _, err := o.M.Lock(ctx); err != nil {
				return 0, err
			}
			err := o.C.WaitFor(ctx, func() bool { return o.V.Pointer()[0]%2 == 1 })
			o.V.Pointer()[0]++
			o.C.Broadcast()
			if unlockErr := o.M.Unlock(); err != nil || unlockErr != nil {
				return i, err
			}
		}
	}
	return o.N, nil
})

func start(t *testing.T, o objects, what string, n int) *proc.Process[int] {
	t.Helper()
	o.What, o.N = what, n
	p, err := proc.Start(bg, use, o, proc.StartConfig{})
	require.NoError(t, err)
	return p
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(bg, 5*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

type rlockArgs struct {
	M *shm.RMutex
	V *shm.Value[int64]
	N int
}

var nest = proc.Register("nest", func(ctx context.Context, in rlockArgs) (int, error) {
	for range in.N {
		h, _, err := in.M.Acquire(ctx)
		if err != nil {
			return 0, err
		}
		if err := h.Acquire(); err != nil {
			return 0, err
		}
		*in.V.Pointer()++
		for range 2 {
			if err := h.Release(); err != nil {
				return 0, err
			}
		}
	}
	return in.N, nil
})

// A lock that is taken twice by its owner is free for others when it was released twice.
func TestRMutexBetweenProcesses(t *testing.T) {
	m, err := shm.NewRMutex()
	require.NoError(t, err)
	v, err := shm.NewValue(int64(0))
	require.NoError(t, err)
	const n = 20_000
	var ps []*proc.Process[int]
	for range 2 {
		p, err := proc.Start(bg, nest, rlockArgs{m, v, n}, proc.StartConfig{})
		require.NoError(t, err)
		ps = append(ps, p)
	}
	for _, p := range ps {
		_, err := p.Wait(bg)
		require.NoError(t, err)
	}
	require.Equal(t, int64(2*n), *v.Pointer())
	h, died, err := m.Acquire(bg)
	require.NoError(t, err)
	require.False(t, died)
	require.NoError(t, h.Acquire())
	require.NoError(t, h.Release())
	locked, _ := m.TryLock()
	require.False(t, locked)
	require.NoError(t, h.Release())
	require.ErrorIs(t, h.Release(), shm.ErrNotLocked)
	require.ErrorIs(t, h.Acquire(), shm.ErrNotLocked)
}

func TestEvent(t *testing.T) {
	o := newObjects(t, 1, 1)
	p, q := start(t, o, "event", 0), start(t, o, "event", 0)
	require.ErrorIs(t, o.E.Wait(soon(t)), context.DeadlineExceeded)
	require.False(t, o.E.IsSet())
	o.E.Set()
	for _, p := range []*proc.Process[int]{p, q} {
		_, err := p.Wait(bg)
		require.NoError(t, err)
	}
	require.NoError(t, o.E.Wait(bg))
	o.E.Clear()
	require.ErrorIs(t, o.E.Wait(soon(t)), context.DeadlineExceeded)
}

func TestSemaphore(t *testing.T) {
	o := newObjects(t, 2, 1)
	var ps []*proc.Process[int]
	for range 4 {
		ps = append(ps, start(t, o, "semaphore", 500))
	}
	for _, p := range ps {
		_, err := p.Wait(bg)
		require.NoError(t, err)
	}
	x, err := o.V.Load(bg)
	require.NoError(t, err)
	require.Zero(t, x[0])
	require.LessOrEqual(t, x[1], int64(2))
	require.Equal(t, int64(4*2*500), x[2])
	require.ErrorIs(t, o.S.Release(bg), shm.ErrNotLocked)

	// Permits of processes that die come back.
	for range 5 {
		_, err := start(t, o, "die with a permit", 0).Wait(bg)
		require.ErrorIs(t, err, proc.ErrWorkerDied)
	}
	require.NoError(t, o.S.Acquire(bg))
	require.NoError(t, o.S.Acquire(bg))
	require.ErrorIs(t, o.S.Acquire(soon(t)), context.DeadlineExceeded)
	ok, err := o.S.TryAcquire()
	require.NoError(t, err)
	require.False(t, ok)
	require.NoError(t, o.S.Release(bg))
	require.NoError(t, o.S.Release(bg))
}

func TestBarrier(t *testing.T) {
	o := newObjects(t, 1, 3)
	const rounds = 300
	p, q := start(t, o, "barrier", rounds), start(t, o, "barrier", rounds)
	for range rounds {
		i, err := o.B.Wait(bg)
		require.NoError(t, err)
		require.Less(t, i, 3)
	}
	for _, p := range []*proc.Process[int]{p, q} {
		_, err := p.Wait(bg)
		require.NoError(t, err)
	}
	// A party that dies while it waits breaks the barrier, and so does one that gives up.
	p = start(t, o, "barrier", 1)
	q = start(t, o, "barrier", 1)
	_, err := o.B.Wait(soon(t))
	if err == nil { // they were quick
		_, err = o.B.Wait(soon(t))
	}
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, p.Join(bg))
	require.NoError(t, q.Join(bg))
	_, err = o.B.Wait(bg)
	require.ErrorIs(t, err, shm.ErrBrokenBarrier)
	require.NoError(t, o.B.Reset(bg))

	p = start(t, o, "barrier", 1)
	waiting := make(chan error)
	go func() {
		_, err := o.B.Wait(bg)
		waiting <- err
	}()
	// It is killed before it comes, or while it waits: Abort covers the first.
	p.Kill()
	require.NoError(t, p.Join(bg))
	require.NoError(t, o.B.Abort(bg))
	require.ErrorIs(t, <-waiting, shm.ErrBrokenBarrier)
	_, err = shm.NewBarrier(0)
	require.Error(t, err)
}

// Two processes take turns five hundred times.
func TestCond(t *testing.T) {
	o := newObjects(t, 1, 1)
	p := start(t, o, "cond", 500)
	for range 500 {
		_, err := o.M.Lock(bg)
		require.NoError(t, err)
		require.NoError(t, o.C.WaitFor(bg, func() bool { return o.V.Pointer()[0]%2 == 0 }))
		o.V.Pointer()[0]++
		o.C.Signal()
		require.NoError(t, o.M.Unlock())
	}
	_, err := p.Wait(bg)
	require.NoError(t, err)
	require.Equal(t, int64(1000), o.V.Pointer()[0])
	_, err = o.C.Wait(bg)
	require.ErrorIs(t, err, shm.ErrNotLocked)
	_, err = o.M.Lock(bg)
	require.NoError(t, err)
	_, err = o.C.Wait(soon(t))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, o.M.Unlock(), "the lock is held after Wait")
}
