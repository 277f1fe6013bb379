package mpi_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/mpi"
)

// BenchmarkRanks measures, under a launcher or on two goroutines, the latency of eight bytes, the reduction of a million
// numbers, and eight goroutines with 2,000 exchanges each. It prints the least and the median of 20 rounds.
func BenchmarkRanks(b *testing.B) {
	measure := func(ctx context.Context, c *mpi.Comm) error {
		return all(
			func() error { return rounds(ctx, c, "latency us", 1e6/4000, pingPong) },
			func() error { return rounds(ctx, c, "allreduce ms", 1e3, million) },
			func() error { return rounds(ctx, c, "8 goroutines x 2000 ms", 1e3, many) },
		)
	}
	for b.Loop() {
		if launched != nil {
			require.NoError(b, measure(b.Context(), launched))
		} else {
			require.NoError(b, mpi.Local(b.Context(), 2, measure))
		}
	}
}

func rounds(ctx context.Context, c *mpi.Comm, what string, unit float64, fn func(context.Context, *mpi.Comm) error) error {
	var took []float64
	for range 20 {
		if err := mpi.Barrier(ctx, c); err != nil {
			return err
		}
		began := time.Now()
		if err := fn(ctx, c); err != nil {
			return err
		}
		took = append(took, time.Since(began).Seconds()*unit)
	}
	slices.Sort(took)
	if c.Rank() == 0 {
		fmt.Fprintf(os.Stderr, "Go %s: min %.3f median %.3f\n", what, took[0], took[10])
	}
	return nil
}

func pingPong(ctx context.Context, c *mpi.Comm) error {
	if c.Rank() > 1 {
		return nil
	}
	x, peer := make([]float64, 1), 1-c.Rank()
	for range 2000 {
		if c.Rank() == 0 {
			if err := mpi.Send(ctx, c, x, peer, 0); err != nil {
				return err
			}
		}
		if _, err := mpi.Recv(ctx, c, x, peer, 0); err != nil {
			return err
		}
		if c.Rank() == 1 {
			if err := mpi.Send(ctx, c, x, peer, 0); err != nil {
				return err
			}
		}
	}
	return nil
}

var send, recv = make([]float64, 1_000_000), sync.Pool{New: func() any { return make([]float64, 1_000_000) }}

func million(ctx context.Context, c *mpi.Comm) error {
	into := recv.Get().([]float64)
	defer recv.Put(into)
	return mpi.Allreduce(ctx, c, send, into, mpi.Sum)
}

func many(ctx context.Context, c *mpi.Comm) error {
	if c.Rank() > 1 {
		return nil
	}
	var wg sync.WaitGroup
	failures := make([]error, 8)
	for g := range failures {
		wg.Go(func() {
			out, in := make([]float64, 1), make([]float64, 1)
			for range 2000 {
				if _, err := mpi.Sendrecv(ctx, c, out, 1-c.Rank(), g, in, 1-c.Rank(), g); err != nil {
					failures[g] = err
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
