// Package pools_test compares package par with other ways to run many tiny functions, in one run on one machine:
//
//	go test -bench . ./pools
//
// Every way must give the 100,000 squares in order; ns/item is the figure.
package pools_test

import (
	"context"
	"runtime"
	"sync"
	"testing"

	"github.com/alitto/pond/v2"
	"github.com/panjf2000/ants/v2"
	"github.com/sourcegraph/conc/iter"
	"github.com/sourcegraph/conc/pool"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/tandem-go/tandem/hostpar/par"
)

const items = 100_000

var workers = runtime.GOMAXPROCS(0)

func square(x int) int { return x * x }

// ways are functions that return the squares of xs in order.
var ways = []struct {
	name string
	run  func(tb testing.TB, xs []int) []int
}{
	{"par.Map", func(tb testing.TB, xs []int) []int {
		out, err := par.Map(context.Background(), xs, par.Config{}, func(_ context.Context, x int) (int, error) { return square(x), nil })
		require.NoError(tb, err)
		return out
	}},
	{"go statement", func(_ testing.TB, xs []int) []int {
		out := make([]int, len(xs))
		var all sync.WaitGroup
		for i, x := range xs {
			all.Go(func() { out[i] = square(x) })
		}
		all.Wait()
		return out
	}},
	{"errgroup", func(tb testing.TB, xs []int) []int {
		out := make([]int, len(xs))
		var g errgroup.Group
		g.SetLimit(workers)
		for i, x := range xs {
			g.Go(func() error { out[i] = square(x); return nil })
		}
		require.NoError(tb, g.Wait())
		return out
	}},
	{"ants", func(tb testing.TB, xs []int) []int {
		p, err := ants.NewPool(workers)
		require.NoError(tb, err)
		defer p.Release()
		out := make([]int, len(xs))
		var all sync.WaitGroup
		all.Add(len(xs))
		for i, x := range xs {
			require.NoError(tb, p.Submit(func() { out[i] = square(x); all.Done() }))
		}
		all.Wait()
		return out
	}},
	{"pond", func(tb testing.TB, xs []int) []int {
		p := pond.NewResultPool[int](workers)
		defer p.StopAndWait()
		g := p.NewGroup()
		for _, x := range xs {
			g.Submit(func() int { return square(x) })
		}
		out, err := g.Wait()
		require.NoError(tb, err)
		return out
	}},
	{"conc pool", func(_ testing.TB, xs []int) []int { // its results come in any order, so each is put in its place
		out := make([]int, len(xs))
		p := pool.New().WithMaxGoroutines(workers)
		for i, x := range xs {
			p.Go(func() { out[i] = square(x) })
		}
		p.Wait()
		return out
	}},
	{"conc iter.Map", func(_ testing.TB, xs []int) []int {
		return iter.Mapper[int, int]{MaxGoroutines: workers}.Map(xs, func(x *int) int { return square(*x) })
	}},
}

func numbers() []int {
	xs := make([]int, items)
	for i := range xs {
		xs[i] = i
	}
	return xs
}

func TestSquares(t *testing.T) {
	for _, w := range ways {
		got := w.run(t, numbers())
		require.Len(t, got, items, w.name)
		for i, y := range got {
			require.Equal(t, i*i, y, w.name)
		}
	}
}

func BenchmarkTinyFunctions(b *testing.B) {
	xs := numbers()
	for _, w := range ways {
		b.Run(w.name, func(b *testing.B) {
			for b.Loop() {
				w.run(b, xs)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/items, "ns/item")
		})
	}
}
