package main

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/hostpar/par"
)

// rmutex: a box whose methods lock and call each other.
func rmutex(ctx context.Context, w io.Writer) error {
	var m par.RMutex
	items := 0
	add := func(h *par.Hold) error {
		if err := h.Acquire(); err != nil { // for the second time
			return err
		}
		items++
		return h.Release()
	}
	err := par.For(ctx, 10, par.Config{Workers: 2, Chunk: 1}, func(ctx context.Context, _ int) error {
		h, err := m.Acquire(ctx)
		if err != nil {
			return err
		}
		defer h.Release() //nolint:errcheck // held
		return add(h)
	})
	fmt.Fprintln(w, "items in the box:", items)
	return err
}

func event(ctx context.Context, w io.Writer) error {
	var e par.Event
	g := par.NewGroup(ctx, par.GroupConfig{})
	var released atomic.Int64
	for range 3 {
		g.Go(func(ctx context.Context) error {
			defer released.Add(1)
			return e.Wait(ctx)
		})
	}
	early := released.Load()
	e.Set()
	err := g.Wait()
	fmt.Fprintf(w, "released before the event: %d, after: %d\n", early, released.Load())
	return err
}

func cond(ctx context.Context, w io.Writer) error {
	var m par.Mutex
	changed := par.NewCond(&m)
	items, eaten := 0, 0
	err := par.Do(ctx, func(ctx context.Context) error {
		for range 5 {
			if err := m.Lock(ctx); err != nil {
				return err
			}
			items++
			changed.Signal()
			_ = m.Unlock() // held
		}
		return nil
	}, func(ctx context.Context) error {
		if err := m.Lock(ctx); err != nil {
			return err
		}
		defer m.Unlock() //nolint:errcheck // held
		for eaten < 5 {
			if err := changed.WaitFor(ctx, func() bool { return items > 0 }); err != nil {
				return err
			}
			items--
			eaten++
		}
		return nil
	})
	fmt.Fprintf(w, "eaten: %d, left: %d\n", eaten, items)
	return err
}

func semaphore(ctx context.Context, w io.Writer) error {
	g := par.NewGroup(ctx, par.GroupConfig{Limit: 2}) // a group's limit is a semaphore
	var inside atomic.Int64
	var tooMany atomic.Bool
	for range 20 {
		g.Go(func(context.Context) error {
			tooMany.CompareAndSwap(false, inside.Add(1) > 2)
			inside.Add(-1)
			return nil
		})
	}
	err := g.Wait()
	fmt.Fprintln(w, "more than two at once:", tooMany.Load())
	return err
}

// barrier: four workers, a barrier for two; the members of each pair pass at the same moment.
func barrier(ctx context.Context, w io.Writer) error {
	b := par.NewBarrier(2, par.BarrierConfig{})
	passed := make([]time.Time, 4)
	err := par.For(ctx, 4, par.Config{Workers: 4, Chunk: 1}, func(ctx context.Context, i int) error {
		if err := par.Sleep(ctx, time.Duration(i/2)*100*time.Millisecond); err != nil {
			return err
		}
		_, err := b.Wait(ctx)
		passed[i] = time.Now()
		return err
	})
	apart := func(i, j int) time.Duration { return passed[j].Sub(passed[i]).Abs().Round(time.Millisecond) }
	fmt.Fprintf(w, "1 and 2: %v apart, 3 and 4: %v apart, 1 and 3: %v apart\n", apart(0, 1), apart(2, 3), apart(0, 2))
	return err
}
