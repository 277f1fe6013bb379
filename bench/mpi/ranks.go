package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/tandem-go/tandem/hostpar/mpi"
)

const (
	pings     = 2000
	lanes     = 8
	exchanges = 2000
)

// measurement is something that is done again and again.
type measurement struct {
	name   string
	unit   float64
	rounds int
	fn     func() error
}

// ranks is what each rank runs; rank 0 prints a line for each measurement: name, least, median.
func ranks(ctx context.Context, w io.Writer, world *mpi.Comm) error {
	if *steps > 0 {
		return pi(ctx, w, world, *steps)
	}
	a, b := make([]float64, 1_000_000), make([]float64, 1_000_000)
	measurements := []measurement{
		{"latency", 1e6 / (2 * pings), 200, func() error { return pingPong(ctx, world) }},
		{"allreduce", 1e3, 200, func() error { return mpi.Allreduce(ctx, world, a, b, mpi.Sum) }},
	}
	if *long {
		measurements = []measurement{{"exchanges", 1, 20, func() error { return many(ctx, world) }}}
	}
	for _, m := range measurements {
		var took []float64
		for range m.rounds {
			if err := mpi.Barrier(ctx, world); err != nil {
				return err
			}
			began := time.Now()
			if err := m.fn(); err != nil {
				return err
			}
			took = append(took, time.Since(began).Seconds()*m.unit)
		}
		slices.Sort(took)
		if world.Rank() == 0 {
			fmt.Fprintln(w, m.name, took[0], took[m.rounds/2])
		}
	}
	return nil
}

func pingPong(ctx context.Context, world *mpi.Comm) error {
	if world.Rank() > 1 {
		return nil
	}
	x, peer := make([]float64, 1), 1-world.Rank()
	for range pings {
		if world.Rank() == 0 {
			if err := mpi.Send(ctx, world, x, peer, 0); err != nil {
				return err
			}
		}
		if _, err := mpi.Recv(ctx, world, x, peer, 0); err != nil {
			return err
		}
		if world.Rank() == 1 {
			if err := mpi.Send(ctx, world, x, peer, 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// many lets eight goroutines exchange numbers with the other rank, 2,000 times each.
func many(ctx context.Context, world *mpi.Comm) error {
	if world.Rank() > 1 {
		return nil
	}
	var wg sync.WaitGroup
	failures := make([]error, lanes)
	for lane := range failures {
		wg.Go(func() {
			out, in := make([]float64, 1), make([]float64, 1)
			for range exchanges {
				if _, err := mpi.Sendrecv(ctx, world, out, 1-world.Rank(), lane, in, 1-world.Rank(), lane); err != nil {
					failures[lane] = err
					return
				}
			}
		})
	}
	wg.Wait()
	for _, err := range failures {
		if err != nil {
			return err
		}
	}
	return nil
}

func pi(ctx context.Context, w io.Writer, world *mpi.Comm, steps int) error {
	if err := mpi.Barrier(ctx, world); err != nil {
		return err
	}
	began := time.Now()
	h, sum := 1/float64(steps), 0.0 // in a register: what is added to an element of a slice goes through memory each time
	each := steps / world.Size()
	for i := each * world.Rank(); i < each*(world.Rank()+1); i++ {
		x := (float64(i) + 0.5) * h
		sum += 4 / (1 + x*x)
	}
	whole := []float64{0}
	if err := mpi.Reduce(ctx, world, []float64{sum * h}, whole, mpi.Sum, 0); err != nil {
		return err
	}
	took := time.Since(began).Seconds()
	if world.Rank() == 0 {
		fmt.Fprintf(w, "pi%d %g %g\nvalue%d %.9f 0\n", world.Size(), took, took, world.Size(), whole[0])
	}
	return nil
}
