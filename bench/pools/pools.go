// Package pools has ways to run many tiny functions: package par's and those of others. Each gives the squares of some
// numbers in order.
package pools

import (
	"context"
	"runtime"
	"sync"

	"github.com/alitto/pond/v2"
	"github.com/panjf2000/ants/v2"
	"github.com/sourcegraph/conc/iter"
	"github.com/sourcegraph/conc/pool"
	"golang.org/x/sync/errgroup"

	"github.com/tandem-go/tandem/hostpar/par"
)

var workers = runtime.GOMAXPROCS(0)

func square(x int) int { return x * x }

// Way is a way to run functions.
type Way struct {
	Name string
	// Run returns the squares of xs.
	Run func(xs []int) ([]int, error)
}

// Ways are what is compared; the first is ours.
var Ways = []Way{
	{"par.Map", func(xs []int) ([]int, error) {
		return par.Map(context.Background(), xs, par.Config{}, func(_ context.Context, x int) (int, error) { return square(x), nil })
	}},
	{"go statement", func(xs []int) ([]int, error) {
		out := make([]int, len(xs))
		var all sync.WaitGroup
		for i, x := range xs {
			all.Go(func() { out[i] = square(x) })
		}
		all.Wait()
		return out, nil
	}},
	{"errgroup", func(xs []int) ([]int, error) {
		out := make([]int, len(xs))
		var g errgroup.Group
		g.SetLimit(workers)
		for i, x := range xs {
			g.Go(func() error { out[i] = square(x); return nil })
		}
		return out, g.Wait()
	}},
	{"ants", func(xs []int) ([]int, error) {
		p, err := ants.NewPool(workers)
		if err != nil {
			return nil, err
		}
		defer p.Release()
		out := make([]int, len(xs))
		var all sync.WaitGroup
		all.Add(len(xs))
		for i, x := range xs {
			if err := p.Submit(func() { out[i] = square(x); all.Done() }); err != nil {
				return nil, err
			}
		}
		all.Wait()
		return out, nil
	}},
	{"pond", func(xs []int) ([]int, error) {
		p := pond.NewResultPool[int](workers)
		defer p.StopAndWait()
		g := p.NewGroup()
		for _, x := range xs {
			g.Submit(func() int { return square(x) })
		}
		return g.Wait()
	}},
	{"conc pool", func(xs []int) ([]int, error) { // its results come in any order, so each is put in its place
		out := make([]int, len(xs))
		p := pool.New().WithMaxGoroutines(workers)
		for i, x := range xs {
			p.Go(func() { out[i] = square(x) })
		}
		p.Wait()
		return out, nil
	}},
	{"conc iter.Map", func(xs []int) ([]int, error) {
		return iter.Mapper[int, int]{MaxGoroutines: workers}.Map(xs, func(x *int) int { return square(*x) }), nil
	}},
}
