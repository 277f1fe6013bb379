package par_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/tandem-go/tandem/hostpar/par"
)

const tiny = 100_000 // items of one multiplication each

func perItem(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/tiny, "ns/item")
}

// BenchmarkTinyItems squares 100,000 numbers in the package's ways.
func BenchmarkTinyItems(b *testing.B) {
	xs := make([]int, tiny)
	b.Run("Map", func(b *testing.B) {
		for b.Loop() {
			_, err := par.Map(bg, xs, par.Config{}, square)
			require.NoError(b, err)
		}
		perItem(b)
	})
	b.Run("For", func(b *testing.B) {
		out := make([]int, tiny)
		for b.Loop() {
			_ = par.For(bg, tiny, par.Config{}, func(_ context.Context, i int) error { out[i] = xs[i] * xs[i]; return nil })
		}
		perItem(b)
	})
	b.Run("Chunks", func(b *testing.B) {
		out := make([]int, tiny)
		for b.Loop() {
			_ = par.Chunks(bg, tiny, par.Config{}, func(_ context.Context, c par.Chunk) error {
				for i := c.Lo; i < c.Hi; i++ {
					out[i] = xs[i] * xs[i]
				}
				return nil
			})
		}
		perItem(b)
	})
	b.Run("Pool", func(b *testing.B) {
		p := par.NewPool(par.PoolConfig{Queue: 1024})
		out := make([]int, tiny)
		for b.Loop() {
			var all sync.WaitGroup
			all.Add(tiny)
			for i, x := range xs {
				_ = p.Submit(bg, func(context.Context) { out[i] = x * x; all.Done() })
			}
			all.Wait()
		}
		perItem(b)
		p.Close()
		_ = p.Wait(bg)
	})
	b.Run("Stream", func(b *testing.B) {
		for b.Loop() {
			for range par.Stream(bg, upTo(tiny), par.StreamConfig{Ahead: 256}, square) {
				continue
			}
		}
		perItem(b)
	})
}

// BenchmarkTinyItemsOtherwise is the same by other means. "one goroutine" is the bound for one core.
func BenchmarkTinyItemsOtherwise(b *testing.B) {
	xs := make([]int, tiny)
	b.Run("one goroutine", func(b *testing.B) {
		for b.Loop() {
			out := make([]int, tiny)
			for i, x := range xs {
				out[i], _ = square(bg, x)
			}
		}
		perItem(b)
	})
	b.Run("errgroup with limit", func(b *testing.B) {
		out := make([]int, tiny)
		for b.Loop() {
			var g errgroup.Group
			g.SetLimit(runtime.GOMAXPROCS(0))
			for i, x := range xs {
				g.Go(func() error { out[i] = x * x; return nil })
			}
			_ = g.Wait()
		}
		perItem(b)
	})
	b.Run("shared cursor", func(b *testing.B) { // what other libraries' maps do
		out := make([]int, tiny)
		for b.Loop() {
			var next atomic.Int64
			var all sync.WaitGroup
			for range runtime.GOMAXPROCS(0) {
				all.Go(func() {
					for i := next.Add(1) - 1; i < tiny; i = next.Add(1) - 1 {
						out[i] = xs[i] * xs[i]
					}
				})
			}
			all.Wait()
		}
		perItem(b)
	})
}

func BenchmarkShortLoop(b *testing.B) {
	for b.Loop() {
		_ = par.For(bg, 2, par.Config{}, func(context.Context, int) error { return nil })
	}
}

func BenchmarkMutex(b *testing.B) {
	var m par.Mutex
	b.Run("free", func(b *testing.B) {
		for b.Loop() {
			_ = m.Lock(bg)
			_ = m.Unlock()
		}
	})
	var std sync.Mutex
	b.Run("free, sync.Mutex", func(b *testing.B) {
		for b.Loop() {
			std.Lock()
			std.Unlock() //nolint:staticcheck // the pair is what is measured
		}
	})
	b.Run("contended", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				_ = m.Lock(bg)
				_ = m.Unlock()
			}
		})
	})
}
