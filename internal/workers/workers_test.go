package workers_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tandem-go/tandem/internal/workers"
)

func TestMain(m *testing.M) {
	code := m.Run()
	workers.StopIdle()
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func TestEachItemOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		n, width, chunk := rng.IntN(3000), rng.IntN(9)-1, rng.IntN(50)-1
		seen := make([]atomic.Int32, n)
		busy := make([]atomic.Bool, max(width, 1))
		require.NoError(t, workers.Range(n, width, chunk, func(worker, lo, hi int) error {
			if !busy[worker].CompareAndSwap(false, true) {
				return fmt.Errorf("worker %d is already running", worker)
			}
			defer busy[worker].Store(false)
			if lo >= hi || hi > n || (hi-lo != max(chunk, 1) && hi != n) || lo%max(chunk, 1) != 0 {
				return fmt.Errorf("bad range [%d, %d) of %d in chunks of %d", lo, hi, n, chunk)
			}
			for i := lo; i < hi; i++ {
				seen[i].Add(1)
			}
			return nil
		}))
		require.NoError(t, workers.Do(n, width, func(_, i int) error { seen[i].Add(1); return nil }))
		for i := range seen {
			require.EqualValues(t, 2, seen[i].Load(), "item %d of %d", i, n)
		}
	}
}

func TestNothingToDo(t *testing.T) {
	for _, n := range []int{0, -1} {
		require.NoError(t, workers.Do(n, 4, func(_, _ int) error { return errors.New("called") }))
	}
}

// With chunks of one item, width items run at once: each waits for all others.
func TestFullWidthIsReached(t *testing.T) {
	for _, width := range []int{1, 2, 3, 8, 100} {
		for range 20 {
			var all sync.WaitGroup
			all.Add(width)
			require.NoError(t, workers.Range(width, width, 1, func(_, _, _ int) error {
				all.Done()
				all.Wait()
				return nil
			}))
		}
	}
}

// Two calls at once both reach their width, although a worker invited for one may join the other.
func TestConcurrentCallsReachTheirWidth(t *testing.T) {
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			for range 50 {
				var all sync.WaitGroup
				all.Add(5)
				err := workers.Range(5, 5, 1, func(_, _, _ int) error {
					all.Done()
					all.Wait()
					return nil
				})
				if err != nil {
					panic(err)
				}
			}
		})
	}
	calls.Wait()
}

func TestNestedCalls(t *testing.T) {
	var sum atomic.Int64
	require.NoError(t, workers.Do(10, 4, func(_, i int) error {
		return workers.Do(10, 4, func(_, j int) error {
			return workers.Do(10, 4, func(_, k int) error {
				sum.Add(int64(100*i + 10*j + k))
				return nil
			})
		})
	}))
	require.EqualValues(t, 999*1000/2, sum.Load())
}

func TestFirstErrorStopsTheRest(t *testing.T) {
	failed := errors.New("failed")
	var after atomic.Int64
	err := workers.Range(1<<40, 4, 1, func(_, lo, _ int) error {
		if lo == 1000 {
			return failed
		}
		after.Add(1)
		return nil
	})
	require.Equal(t, failed, err)
	require.GreaterOrEqual(t, after.Load(), int64(1000))
}

func explode(i int) { panic(fmt.Errorf("item %d: %w", i, errBang)) }

var errBang = errors.New("bang")

func TestPanicIsReturnedWithItsStack(t *testing.T) {
	for at := range 40 { // hits the caller and pooled workers
		err := workers.Range(40, 4, 1, func(_, lo, _ int) error {
			if lo == at {
				explode(lo)
			}
			return nil
		})
		var p *workers.PanicError
		require.ErrorAs(t, err, &p)
		require.ErrorIs(t, err, errBang)
		require.Contains(t, string(p.Stack), "workers_test.explode")
		require.Contains(t, err.Error(), "bang")
	}
	err := workers.Do(1, 1, func(_, _ int) error { panic("text") })
	require.NoError(t, errors.Unwrap(err))
	require.True(t, strings.HasPrefix(err.Error(), "workers: panic: text\n\ngoroutine "), err.Error())
}

// Goexit on a pooled goroutine is an error and costs no worker; on the caller's it ends the caller, after the others.
func TestGoexit(t *testing.T) {
	var p workers.Pool
	defer p.Stop()
	for range 50 {
		returned, inside := make(chan error, 1), new(atomic.Int32)
		exited := make(chan struct{})
		var byCaller atomic.Bool
		go func() {
			defer close(exited)
			defer func() { require.Zero(t, inside.Load()) }()
			var both sync.WaitGroup
			both.Add(2)
			returned <- p.Range(2, 2, 1, func(worker, lo, _ int) error {
				inside.Add(1)
				defer inside.Add(-1)
				both.Done()
				both.Wait()
				if lo == 1 {
					byCaller.Store(worker == 0)
					runtime.Goexit()
				}
				return nil
			})
		}()
		<-exited
		if byCaller.Load() {
			require.Empty(t, returned)
		} else {
			require.ErrorIs(t, <-returned, workers.ErrGoexit)
		}
	}
	require.LessOrEqual(t, p.Running(), 2)
}

func TestWorkersStopWhenIdle(t *testing.T) {
	var p workers.Pool
	var all sync.WaitGroup
	all.Add(6)
	require.NoError(t, p.Range(6, 6, 1, func(_, _, _ int) error { all.Done(); all.Wait(); return nil }))
	require.Equal(t, 5, p.Running())
	require.True(t, p.Consistent())
	p.Trim() // ends the interval in which they were needed
	require.Equal(t, 5, p.Running())
	all.Add(3)
	require.NoError(t, p.Range(3, 3, 1, func(_, _, _ int) error { all.Done(); all.Wait(); return nil }))
	p.Trim() // two of five were needed
	require.Equal(t, 2, p.Running())
	p.Trim()
	require.Zero(t, p.Running())
	p.Trim()
	require.True(t, p.Consistent())
	require.NoError(t, p.Range(4, 4, 1, func(_, _, _ int) error { return nil }))
	p.Stop()
	require.Zero(t, p.Running())
}

func TestManyCallersStress(t *testing.T) {
	var p workers.Pool
	var callers sync.WaitGroup
	var sum atomic.Int64
	const calls, n = 300, 40
	for c := range 6 {
		callers.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(c), 7))
			for range calls {
				err := p.Range(n, 1+rng.IntN(6), 1+rng.IntN(5), func(_, lo, hi int) error {
					if lo%3 == 0 {
						runtime.Gosched()
					}
					sum.Add(int64(hi - lo))
					return nil
				})
				if err != nil {
					panic(err)
				}
			}
		})
	}
	callers.Wait()
	require.EqualValues(t, 6*calls*n, sum.Load())
	p.Stop()
	require.True(t, p.Consistent())
	require.Zero(t, p.Running())
}

func TestNoAllocationInSteadyState(t *testing.T) {
	fn := func(_, _ int) error { return nil }
	got := testing.AllocsPerRun(200, func() {
		if err := workers.Do(64, 4, fn); err != nil {
			panic(err)
		}
	})
	require.Zero(t, got)
}

func BenchmarkDo(b *testing.B) {
	fn := func(_, _ int) error { return nil }
	for _, n := range []int{1, 2, 16, 256, 65536} {
		b.Run(fmt.Sprintf("n=%d/width=%d", n, runtime.GOMAXPROCS(0)), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = workers.Do(n, runtime.GOMAXPROCS(0), fn)
			}
		})
	}
}

// The bound: goroutines started for each call.
func BenchmarkGoStatement(b *testing.B) {
	for b.Loop() {
		var wg sync.WaitGroup
		for range runtime.GOMAXPROCS(0) - 1 {
			wg.Go(func() {})
		}
		wg.Wait()
	}
}
