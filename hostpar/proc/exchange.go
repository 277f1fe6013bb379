package proc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"

	"github.com/tandem-go/tandem/hostpar/par"
	"github.com/tandem-go/tandem/hostpar/task"
)

// ExchangeConfig says where an Exchange runs its calls. The zero value starts a process for each.
type ExchangeConfig struct {
	// Limit is how many calls run at a time; below 1 it is runtime.GOMAXPROCS(0).
	Limit int
	// Pool has the workers to use again; nil to start a process for each call.
	Pool *Pool
}

// Exchange starts calls whose results are stored as they come. Make it with NewExchange. It belongs to one goroutine, on
// which store is called too.
type Exchange[In, Out any] struct {
	f        Func[In, Out]
	cfg      ExchangeConfig
	store    func(in In, out Out, err error)
	running  int
	finished chan exchanged[In, Out]
}

type exchanged[In, Out any] struct {
	in  In
	out Out
	err error
}

// NewExchange returns an Exchange for calls of f. Each result goes to store once, in the order in which they come; store
// may start further calls.
func NewExchange[In, Out any](f Func[In, Out], store func(in In, out Out, err error), cfg ExchangeConfig) *Exchange[In, Out] {
	if cfg.Limit < 1 {
		cfg.Limit = runtime.GOMAXPROCS(0)
	}
	return &Exchange[In, Out]{f: f, cfg: cfg, store: store, finished: make(chan exchanged[In, Out], cfg.Limit)}
}

// Start starts a call, which ends with ctx. When as many as allowed run, it waits for one to end and stores its result.
// Its error says that there is no call.
func (x *Exchange[In, Out]) Start(ctx context.Context, in In) error {
	for x.running == x.cfg.Limit {
		if err := x.take(ctx); err != nil {
			return err
		}
	}
	var future *task.Future[Out]
	var err error
	if x.cfg.Pool != nil {
		future, err = Submit(ctx, x.cfg.Pool, x.f, in)
	} else {
		future, err = x.f.Async(ctx, in)
	}
	if err != nil {
		return err
	}
	x.running++
	future.OnDone(func() {
		out, err := future.Wait(context.Background()) // it is done
		x.finished <- exchanged[In, Out]{in, out, err}
	})
	return nil
}

// take stores one result.
func (x *Exchange[In, Out]) take(ctx context.Context) error {
	select {
	case r := <-x.finished:
		x.running--
		x.store(r.in, r.out, r.err)
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Running returns how many results are to come.
func (x *Exchange[In, Out]) Running() int { return x.running }

// Finish waits for all calls, also those that store starts, and stores their results.
func (x *Exchange[In, Out]) Finish(ctx context.Context) error {
	for x.running > 0 {
		if err := x.take(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Remote calls f for each of ins, each in a process of its own, at most limit at a time (below 1: as many as there are
// cores), and puts the results into d under the same keys, as they come: other processes that have d can wait for them
// there. A key whose call fails does not appear; the error joins all failures.
func Remote[K cmp.Ordered, In, Out any](ctx context.Context, d Dict[K, Out], f Func[In, Out], ins map[K]In, limit int) error {
	keys := slices.Sorted(maps.Keys(ins))
	var mu sync.Mutex
	var failures []error
	err := par.For(ctx, len(keys), par.Config{Workers: cmp.Or(max(limit, 0), runtime.GOMAXPROCS(0)), Chunk: 1}, func(ctx context.Context, i int) error {
		out, err := Run(ctx, f, ins[keys[i]], StartConfig{})
		if err == nil {
			err = d.Set(ctx, keys[i], out)
		}
		if err != nil {
			mu.Lock()
			failures = append(failures, fmt.Errorf("key %v: %w", keys[i], err))
			mu.Unlock()
		}
		return nil // the others go on
	})
	return errors.Join(append(failures, err)...)
}
