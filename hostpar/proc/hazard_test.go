//go:build linux

package proc_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/proc"
	"github.com/tandem-go/tandem/hostpar/shm"
	"github.com/tandem-go/tandem/hostpar/task"
)

type cancelArgs struct {
	What string
	Lock *shm.Mutex
}

// obey does what it is told until it is cancelled or killed.
var obey = proc.Register("obey", func(ctx context.Context, in cancelArgs) (string, error) {
	if in.What != "hold" {
		return act.Do(ctx, in.What)
	}
	if _, err := in.Lock.Lock(ctx); err != nil {
		return "", err
	}
	select {} // with the lock
})

// A call that is cancelled at any moment returns, whatever its tasks do: wait, compute, hang, or hold a lock that others
// want. The pool goes on, the lock is to be had, and nothing is left.
func TestCancelAtAHundredPoints(t *testing.T) {
	p := newPool(t, proc.PoolConfig{Workers: 2, Grace: 5 * time.Millisecond})
	lock, err := shm.NewMutex()
	require.NoError(t, err)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	points := rand.New(rand.NewPCG(seed, 0))
	for i := range 100 {
		what := cancelArgs{[]string{"wait", "spin", "hang", "hold"}[i%4], lock}
		tasks := []cancelArgs{{"a nothing", lock}, {"nothing", lock}, what, what, {"nothing", lock}}
		ctx, cancel := context.WithTimeout(bg, time.Duration(points.IntN(5000))*time.Microsecond)
		within(t, func() {
			if i%5 == 4 { // more than the workers can take
				for range 20 {
					if _, err := proc.Submit(ctx, p, obey, what); err != nil {
						break
					}
				}
			}
			_, err := proc.Map(ctx, p, obey, tasks, proc.MapConfig{Chunk: 1 + i%2, All: true})
			require.ErrorIs(t, err, context.DeadlineExceeded)
			_, err = lock.Lock(bg)
			require.NoError(t, err)
			require.NoError(t, lock.Unlock())
			squares, err := proc.Map(bg, p, square, upTo(100), proc.MapConfig{Chunk: 1})
			require.NoError(t, err)
			require.Equal(t, 99*99, squares[99])
		})
		cancel()
	}
	within(t, p.Close)
}

// deadly is an argument that cannot be encoded. The first time, that ends the worker that it is for.
type deadly struct{}

var kill = make(chan *proc.Pool, 1) // whose worker

func (deadly) MarshalBinary() ([]byte, error) {
	select {
	case p := <-kill:
		w := p.Workers()[0]
		w.Kill()
		// Until its jobs are dealt with: unless it is the goroutine that does so which writes this argument.
		for end := time.Now().Add(time.Second); slices.Contains(p.Workers(), w) && time.Now().Before(end); {
			runtime.Gosched()
		}
	default:
	}
	return nil, errOdd
}

func (*deadly) UnmarshalBinary([]byte) error { return nil }

var takeDeadly = proc.Register("takeDeadly", func(context.Context, deadly) (int, error) { return 0, nil })

// A worker that dies while an argument for it turns out to be bad: each task ends once, so the pool knows when all have.
func TestWorkerDiesWhileItsArgumentIsRefused(t *testing.T) {
	p := newPool(t, proc.PoolConfig{Workers: 1, Retries: 2})
	kill <- p
	within(t, func() {
		_, err := proc.Map(bg, p, takeDeadly, make([]deadly, 3), proc.MapConfig{Chunk: 2})
		require.Error(t, err)
		x, err := proc.Call(bg, p, square, 3)
		require.NoError(t, err)
		require.Equal(t, 9, x)
		p.Close()
	})
}

// nested maps in a pool of its own, in the worker that runs it.
var nested = proc.Register("nested", func(ctx context.Context, n int) (sum int, err error) {
	p, err := proc.NewPool(ctx, proc.PoolConfig{Workers: 1})
	if err != nil {
		return 0, err
	}
	defer p.Close()
	squares, err := proc.Map(ctx, p, square, upTo(n), proc.MapConfig{})
	for _, x := range squares {
		sum += x
	}
	return sum, err
})

var takesAPool = proc.Register("takesAPool", func(context.Context, *proc.Pool) (int, error) { return 0, nil })

// Work that makes more work does not stop a pool of one that is full: a task cannot wait for the pool that runs it, as a
// pool cannot be passed to it; it may have a pool of its own; and callbacks of results may wait for the pool.
func TestNestedMapInAFullPool(t *testing.T) {
	p := newPool(t, proc.PoolConfig{Workers: 1})
	_, err := proc.Call(bg, p, takesAPool, p)
	require.ErrorIs(t, err, proc.ErrFunc)
	within(t, func() {
		full := proc.MapAsync(bg, p, nested, []int{10, 20, 30, 40}, proc.MapConfig{Chunk: 1})
		var fs []*task.Future[int]
		for i := range 20 {
			f, err := proc.Submit(bg, p, square, i)
			require.NoError(t, err)
			fs = append(fs, task.Then(f, func(x int, err error) (int, error) {
				if err != nil {
					return 0, err
				}
				out, err := proc.Map(bg, p, square, []int{x, x + 1}, proc.MapConfig{})
				if err != nil {
					return 0, err
				}
				return out[0] + out[1], nil
			}))
		}
		for i, f := range fs {
			x, err := f.Wait(bg)
			require.NoError(t, err)
			require.Equal(t, i*i*i*i+(i*i+1)*(i*i+1), x)
		}
		sums, err := full.Wait(bg)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint([]int{285, 2470, 8555, 20540}), fmt.Sprint(sums))
	})
}
