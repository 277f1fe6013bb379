package par_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/par"
)

var schedules = []par.Schedule{par.Adaptive, par.Dynamic, par.Guided, par.Static}

func randomConfig(rng *rand.Rand) par.Config {
	return par.Config{Workers: rng.IntN(9) - 1, Chunk: rng.IntN(12) - 2, Schedule: schedules[rng.IntN(4)]}
}

func TestForRunsEachItemOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 400 {
		n, cfg := rng.IntN(500), randomConfig(rng)
		seen := make([]atomic.Int32, n)
		require.NoError(t, par.For(bg, n, cfg, func(_ context.Context, i int) error {
			seen[i].Add(1)
			return nil
		}))
		for i := range seen {
			require.EqualValues(t, 1, seen[i].Load(), "item %d of %d, %+v", i, n, cfg)
		}
	}
}

func TestMapKeepsOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for range 200 {
		xs := make([]int, rng.IntN(1000))
		for i := range xs {
			xs[i] = rng.IntN(1000)
		}
		cfg := randomConfig(rng)
		ys, err := par.Map(bg, xs, cfg, func(_ context.Context, x int) (string, error) { return fmt.Sprint(x * x), nil })
		require.NoError(t, err)
		require.Len(t, ys, len(xs))
		for i, x := range xs {
			require.Equal(t, fmt.Sprint(x*x), ys[i])
		}
	}
}

// The properties that make a schedule what its name says.
func TestScheduleShapes(t *testing.T) {
	collect := func(n int, cfg par.Config) (chunks []par.Chunk) {
		var mu sync.Mutex
		require.NoError(t, par.Chunks(bg, n, cfg, func(_ context.Context, c par.Chunk) error {
			mu.Lock()
			defer mu.Unlock()
			chunks = append(chunks, c)
			return nil
		}))
		return chunks
	}
	rng := rand.New(rand.NewPCG(3, 3))
	for range 300 {
		n, workers, chunk := 1+rng.IntN(500), 1+rng.IntN(8), 1+rng.IntN(20)
		total := 0
		for _, c := range collect(n, par.Config{Workers: workers, Chunk: chunk, Schedule: par.Dynamic}) {
			require.True(t, c.Hi-c.Lo == chunk && c.Lo%chunk == 0 || c.Hi == n, "%+v", c)
			require.Less(t, c.Worker, workers)
			total += c.Hi - c.Lo
		}
		require.Equal(t, n, total)
		for _, c := range collect(n, par.Config{Workers: workers, Chunk: chunk, Schedule: par.Guided}) {
			left := n - c.Lo
			require.LessOrEqual(t, c.Hi-c.Lo, max(chunk, left/(2*min(workers, (n-1)/chunk+1))))
			require.True(t, c.Hi-c.Lo >= chunk || c.Hi == n)
		}
		for _, c := range collect(n, par.Config{Workers: workers, Chunk: chunk, Schedule: par.Static}) {
			require.Equal(t, c.Lo/chunk%min(workers, (n-1)/chunk+1), c.Worker, "round robin")
		}
		whole := collect(n, par.Config{Workers: workers, Schedule: par.Static})
		require.Len(t, whole, min(workers, n))
		for _, c := range whole {
			require.True(t, c.Hi-c.Lo == n/len(whole) || c.Hi-c.Lo == n/len(whole)+1)
		}
	}
}

// Adaptive chunks stay at one item while an item takes a millisecond or more, and grow when items are short. In a bubble
// time moves only by the sleep, so this is exact.
func TestAdaptiveChunksFollowTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sizes := func(perItem time.Duration) (largest int) {
			require.NoError(t, par.Chunks(bg, 10000, par.Config{Workers: 1}, func(_ context.Context, c par.Chunk) error {
				largest = max(largest, c.Hi-c.Lo)
				time.Sleep(perItem * time.Duration(c.Hi-c.Lo))
				return nil
			}))
			return largest
		}
		require.Equal(t, 1, sizes(3*time.Millisecond))
		require.Equal(t, 1, sizes(time.Millisecond))
		require.InDelta(t, 10, sizes(100*time.Microsecond), 1)
		require.GreaterOrEqual(t, sizes(0), 1000)
	})
}

func TestErrorIsThatOfTheLowestIndex(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for range 300 {
		n, cfg := 1+rng.IntN(300), randomConfig(rng)
		bad := map[int]bool{}
		lowest := n
		for range 1 + rng.IntN(5) {
			i := rng.IntN(n)
			bad[i] = true
			lowest = min(lowest, i)
		}
		var ran [300]atomic.Bool
		err := par.For(bg, n, cfg, func(_ context.Context, i int) error {
			ran[i].Store(true)
			if bad[i] {
				return fmt.Errorf("bad %d", i)
			}
			return nil
		})
		var item *par.ItemError
		require.ErrorAs(t, err, &item)
		require.Equal(t, lowest, item.Index, "%+v", cfg)
		require.EqualError(t, err, fmt.Sprintf("item %d: bad %d", lowest, lowest))
		for i := range lowest {
			require.True(t, ran[i].Load(), "item %d before the failed one", i)
		}
	}
}

func TestErrorCancelsTheOthers(t *testing.T) {
	failed := errors.New("failed")
	var all sync.WaitGroup
	all.Add(4)
	err := par.For(bg, 4, par.Config{Workers: 4, Chunk: 1}, func(ctx context.Context, i int) error {
		all.Done()
		all.Wait()
		if i == 3 {
			return failed
		}
		<-ctx.Done()
		return ctx.Err() // an echo, though of a lower index
	})
	require.ErrorIs(t, err, failed)
}

func TestErrorStopsALongLoopSoon(t *testing.T) {
	within(t, 5*time.Minute, func() {
		for _, s := range schedules {
			err := par.For(bg, 1<<40, par.Config{Schedule: s, Workers: 3}, func(_ context.Context, i int) error {
				if i == 99 { // one worker's; the others must hear of it
					return errors.New("stop")
				}
				return nil
			})
			require.Error(t, err, s)
		}
	})
}

func blowUp(i int) int {
	var none []int
	return none[i]
}

func TestPanicIsRaisedInTheCallerWithItsStack(t *testing.T) {
	for name, call := range map[string]func(){
		"For": func() {
			_ = par.For(bg, 1000, par.Config{}, func(_ context.Context, i int) error {
				if i == 500 {
					blowUp(i)
				}
				return nil
			})
		},
		"nested Map": func() {
			_, _ = par.Map(bg, []int{1, 2}, par.Config{}, func(ctx context.Context, x int) ([]int, error) {
				return par.Map(ctx, []int{3, 500}, par.Config{}, func(_ context.Context, x int) (int, error) {
					if x == 500 {
						blowUp(x)
					}
					return x, nil
				})
			})
		},
		"Group": func() {
			g := par.NewGroup(bg, par.GroupConfig{})
			for i := range 100 {
				g.Go(func(context.Context) error {
					if i == 50 {
						blowUp(i)
					}
					return nil
				})
			}
			_ = g.Wait()
		},
		"Stream": func() {
			for range par.Stream(bg, naturals, par.StreamConfig{}, func(_ context.Context, i int) (int, error) {
				if i == 500 {
					blowUp(i)
				}
				return i, nil
			}) {
				continue
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, 5*time.Minute, func() {
				defer func() {
					p, ok := recover().(*par.PanicError)
					require.True(t, ok)
					require.Contains(t, string(p.Stack), "par_test.blowUp")
					require.Contains(t, p.Error(), "index out of range [")
					var re runtime.Error
					require.ErrorAs(t, p, &re)
				}()
				call()
				t.Error("no panic")
			})
		})
	}
}

func TestGoexitIsAnError(t *testing.T) {
	within(t, 5*time.Minute, func() {
		err := par.For(bg, 1000, par.Config{}, func(_ context.Context, i int) error {
			if i == 500 {
				runtime.Goexit()
			}
			return nil
		})
		require.ErrorIs(t, err, par.ErrGoexit)
		require.Contains(t, err.Error(), "TestGoexitIsAnError")
	})
}

func TestCancelledLoop(t *testing.T) {
	cause := errors.New("enough")
	for _, s := range schedules {
		ctx, cancel := context.WithCancelCause(bg)
		var ran atomic.Int64
		err := par.For(ctx, 1<<40, par.Config{Schedule: s}, func(_ context.Context, _ int) error {
			if ran.Add(1) == 1000 {
				cancel(cause)
			}
			return nil
		})
		require.Equal(t, cause, err)
		require.Equal(t, cause, par.For(ctx, 1, par.Config{}, func(context.Context, int) error {
			t.Error("called after the end of its context")
			return nil
		}))
	}
	// A context that ends when the work is done is no error.
	ctx, cancel := context.WithCancel(bg)
	require.NoError(t, par.For(ctx, 1, par.Config{}, func(context.Context, int) error { cancel(); return nil }))
	// The functions' own report of the cancellation gives the cause, too.
	ctx, stop := context.WithCancelCause(bg)
	err := par.For(ctx, 2, par.Config{Workers: 2}, func(ctx context.Context, _ int) error {
		stop(cause)
		<-ctx.Done()
		return ctx.Err()
	})
	require.Equal(t, cause, err)
}

// Cancel at 100 random points: the call returns with the cause or a full result, and nothing is left running.
func TestCancelAtRandomPoints(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for range 100 {
		at := int64(rng.IntN(3000))
		ctx, cancel := context.WithCancel(bg)
		var ran, inside atomic.Int64
		within(t, 5*time.Minute, func() {
			ys, err := par.Map(ctx, make([]int, 2000), par.Config{Workers: 4}, func(_ context.Context, _ int) (int, error) {
				inside.Add(1)
				defer inside.Add(-1)
				if ran.Add(1) == at {
					cancel()
				}
				return 1, nil
			})
			require.Zero(t, inside.Load())
			if err != nil {
				require.ErrorIs(t, err, context.Canceled)
				require.Nil(t, ys)
			} else {
				require.Len(t, ys, 2000)
				require.EqualValues(t, 2000, ran.Load())
			}
		})
		cancel()
	}
}

func TestDoRunsAllAtOnce(t *testing.T) {
	var all sync.WaitGroup
	all.Add(20)
	fns := make([]func(context.Context) error, 20)
	for i := range fns {
		fns[i] = func(context.Context) error { all.Done(); all.Wait(); return nil }
	}
	require.NoError(t, par.Do(bg, fns...))
	require.NoError(t, par.Do(bg))
}

func TestChunkWorkersAreExclusive(t *testing.T) {
	scratch := make([]int, 5) // -race finds two goroutines with one number
	require.NoError(t, par.Chunks(bg, 100000, par.Config{Workers: 5, Chunk: 7}, func(_ context.Context, c par.Chunk) error {
		scratch[c.Worker] += c.Hi - c.Lo
		return nil
	}))
	sum := 0
	for _, n := range scratch {
		sum += n
	}
	require.Equal(t, 100000, sum)
}

func TestReduceIsOrderedAndIndependentOfWorkers(t *testing.T) {
	words := make([]string, 1000)
	want := ""
	for i := range words {
		words[i] = fmt.Sprintf("%x", i)
		want += words[i]
	}
	rng := rand.New(rand.NewPCG(6, 6))
	for range 50 {
		got, err := par.Reduce(bg, words, par.Config{Workers: 1 + rng.IntN(9), Chunk: rng.IntN(40)},
			func(_ context.Context, ws []string) (s string, _ error) {
				for _, w := range ws {
					s += w
				}
				return s, nil
			}, func(a, b string) string { return a + b })
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	xs := make([]float64, 12345)
	for i := range xs {
		xs[i] = rng.ExpFloat64()
	}
	sum := func(workers int) float64 {
		s, err := par.Reduce(bg, xs, par.Config{Workers: workers}, func(_ context.Context, xs []float64) (s float64, _ error) {
			for _, x := range xs {
				s += x
			}
			return s, nil
		}, func(a, b float64) float64 { return a + b })
		require.NoError(t, err)
		return s
	}
	for w := 2; w < 9; w++ {
		require.Equal(t, sum(1), sum(w), "the same bits")
	}
	empty, err := par.Reduce(bg, []int{}, par.Config{}, func(context.Context, []int) (int, error) { return 1, nil }, func(a, b int) int { return a + b })
	require.NoError(t, err)
	require.Zero(t, empty)
	_, err = par.ReduceRange(bg, 100, par.Config{}, func(_ context.Context, lo, _ int) (int, error) {
		return 0, fmt.Errorf("part at %d", lo)
	}, func(a, b int) int { return a + b })
	require.EqualError(t, err, "item 0: part at 0")
}

func TestSplitAndFlatten(t *testing.T) {
	for n := range 51 {
		xs := make([]int, n)
		for i := range xs {
			xs[i] = i
		}
		for parts := -1; parts <= 20; parts++ {
			var got [][]int
			for p := range par.Split(xs, parts) {
				require.Equal(t, len(p), cap(p))
				got = append(got, p)
			}
			require.Len(t, got, max(parts, 1))
			for _, p := range got {
				require.LessOrEqual(t, len(got[0])-len(p), 1)
				require.GreaterOrEqual(t, len(got[0]), len(p))
			}
			require.Equal(t, xs, par.Flatten(got))
		}
	}
	for range par.Split([]int{1, 2}, 5) {
		break // leaving early is allowed
	}
}

// In a bubble the goroutines of a loop belong to it: sleeping items take no real time, and time is exact.
func TestLoopsWorkInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		require.NoError(t, par.For(bg, 12, par.Config{Workers: 4, Chunk: 1}, func(ctx context.Context, _ int) error {
			return par.Sleep(ctx, time.Hour)
		}))
		require.Equal(t, 3*time.Hour, time.Since(began))
	})
}
