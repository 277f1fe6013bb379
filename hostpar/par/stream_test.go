package par_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/par"
)

func naturals(yield func(int) bool) {
	for i := 0; yield(i); i++ {
	}
}

func upTo(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := 0; i < n && yield(i); i++ {
		}
	}
}

func square(_ context.Context, x int) (int, error) { return x * x, nil }

func TestStreamIsOrderedAndReadsAheadByItsWindow(t *testing.T) {
	for workers := 1; workers < 6; workers++ {
		for _, ahead := range []int{0, 1, 10, 33} {
			var taken atomic.Int64
			in := func(yield func(int) bool) {
				for i := 0; ; i++ {
					taken.Add(1)
					if !yield(i) {
						return
					}
				}
			}
			window := ahead
			if window == 0 {
				window = 2 * workers
			}
			window = max(window, workers)
			next := 0
			for y, err := range par.Stream(bg, in, par.StreamConfig{Workers: workers, Ahead: ahead}, square) {
				require.NoError(t, err)
				require.Equal(t, next*next, y)
				next++
				require.LessOrEqual(t, taken.Load(), int64(next-1+window))
				if next == 100 {
					break
				}
			}
			require.LessOrEqual(t, taken.Load(), int64(99+window))
		}
	}
}

// A slow first item holds back the input: memory is bounded.
func TestStreamSlowHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var taken, finished atomic.Int64
		in := func(yield func(int) bool) {
			for i := range 1000 {
				taken.Add(1)
				if !yield(i) {
					return
				}
			}
		}
		release := make(chan struct{})
		go func() {
			synctest.Wait() // everything that can run has run
			require.EqualValues(t, 16, taken.Load())
			require.EqualValues(t, 15, finished.Load())
			close(release)
		}()
		n := 0
		for y, err := range par.Stream(bg, in, par.StreamConfig{Workers: 4, Ahead: 16}, func(_ context.Context, x int) (int, error) {
			if x == 0 {
				<-release
			}
			finished.Add(1)
			return x, nil
		}) {
			require.NoError(t, err)
			require.Equal(t, n, y)
			n++
		}
		require.Equal(t, 1000, n)
	})
}

func TestStreamUnordered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []int
		sleeps := []int{30, 10, 20}
		for y, err := range par.Stream(bg, upTo(3), par.StreamConfig{Workers: 3, Unordered: true}, func(_ context.Context, x int) (int, error) {
			time.Sleep(time.Duration(sleeps[x]) * time.Millisecond)
			return x, nil
		}) {
			require.NoError(t, err)
			got = append(got, y)
		}
		require.Equal(t, []int{1, 2, 0}, got)
	})
	sum := 0
	for y := range par.Stream(bg, upTo(1000), par.StreamConfig{Unordered: true, Workers: 4}, square) {
		sum += y
	}
	require.Equal(t, 999*1000*1999/6, sum)
}

func TestStreamErrorsAreYieldedInPlace(t *testing.T) {
	odd := errors.New("odd")
	n := 0
	for y, err := range par.Stream(bg, upTo(100), par.StreamConfig{Workers: 3}, func(_ context.Context, x int) (int, error) {
		switch {
		case x == 51:
			runtime.Goexit()
		case x%2 == 1:
			return 7, odd
		}
		return x, nil
	}) {
		switch {
		case n == 51:
			require.ErrorIs(t, err, par.ErrGoexit)
		case n%2 == 1:
			require.EqualError(t, err, fmt.Sprintf("item %d: odd", n))
			require.Zero(t, y)
		default:
			require.NoError(t, err)
			require.Equal(t, n, y)
		}
		n++
	}
	require.Equal(t, 100, n)
}

func TestStreamCancel(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(bg)
	defer cancel(nil)
	var last error
	n := 0
	for y, err := range par.Stream(ctx, naturals, par.StreamConfig{Workers: 3}, square) {
		last = err
		if err == nil {
			require.Equal(t, n*n, y)
			if n++; n == 50 {
				cancel(cause)
			}
		}
	}
	require.Equal(t, cause, last)
	n = 0
	for _, err := range par.Stream(ctx, naturals, par.StreamConfig{}, square) {
		require.Equal(t, cause, err)
		n++
	}
	require.Equal(t, 1, n)
	// A context that ends after the input is no error.
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(bg)
		defer cancel()
		n := 0
		for _, err := range par.Stream(ctx, upTo(5), par.StreamConfig{}, square) {
			require.NoError(t, err)
			if n++; n == 5 {
				synctest.Wait() // the input was found to have ended
				cancel()
			}
		}
	})
}

func TestStreamPanicOfTheInput(t *testing.T) {
	in := func(yield func(int) bool) {
		yield(1)
		blowUp(3)
	}
	require.Panics(t, func() {
		for range par.Stream(bg, in, par.StreamConfig{}, square) {
			continue
		}
	})
	exits := func(yield func(int) bool) {
		yield(1)
		runtime.Goexit()
	}
	var last error
	for _, err := range par.Stream(bg, exits, par.StreamConfig{}, square) {
		last = err
	}
	require.ErrorIs(t, last, par.ErrGoexit)
}

func TestStreamRunsAgain(t *testing.T) {
	s := par.Stream(bg, upTo(10), par.StreamConfig{}, square)
	for range 2 {
		n := 0
		for range s {
			n++
		}
		require.Equal(t, 10, n)
	}
}

func TestStreamConsumerPanic(t *testing.T) {
	require.PanicsWithValue(t, "mine", func() {
		for range par.Stream(bg, naturals, par.StreamConfig{}, square) {
			panic("mine")
		}
	})
}
