// Command mpi_pi integrates 4/(1+x²) from 0 to 1 in two ways: by scatter and gather of ranges, and by Reduce.
//
//	go run ./examples/mpi_pi              four ranks on goroutines
//	mpirun -n 4 mpi_pi                    four processes, under Open MPI or MPICH
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/tandem-go/tandem/hostpar/mpi"
)

func main() {
	ranks := flag.Int("ranks", 4, "number of ranks where no launcher says it")
	flag.Parse()
	err := mpi.Run(context.Background(), mpi.RunConfig{Local: *ranks}, func(ctx context.Context, world *mpi.Comm) error {
		return run(ctx, os.Stdout, world)
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "mpi_pi:", err)
		os.Exit(1)
	}
}

const steps = 10_000_000

type span struct{ From, To int }

// area is the part of the integral over a range of steps.
func area(s span) (sum float64) {
	const h = 1.0 / steps
	for i := s.From; i < s.To; i++ {
		x := (float64(i) + 0.5) * h
		sum += 4 / (1 + x*x)
	}
	return sum * h
}

func run(ctx context.Context, w io.Writer, world *mpi.Comm) error {
	for _, way := range []struct {
		name string
		pi   func(context.Context, *mpi.Comm) (float64, error)
	}{{"scatter and gather", gathered}, {"reduce", reduced}} {
		began := time.Now()
		pi, err := way.pi(ctx, world)
		if err != nil {
			return err
		}
		if world.Rank() == 0 {
			fmt.Fprintf(w, "%s: pi = %.15f, error %.0e, %.4f s on %d ranks\n", way.name, pi, math.Abs(pi-math.Pi), time.Since(began).Seconds(), world.Size())
		}
	}
	return nil
}

// gathered hands a range to each rank and adds up what comes back.
func gathered(ctx context.Context, world *mpi.Comm) (pi float64, err error) {
	var spans []span
	if world.Rank() == 0 {
		counts, from := mpi.Counts(steps, world.Size())
		for r, n := range counts {
			spans = append(spans, span{from[r], from[r] + n})
		}
	}
	mine, err := mpi.ScatterAny(ctx, world, spans, 0)
	if err != nil {
		return 0, err
	}
	parts, err := mpi.GatherAny(ctx, world, area(mine), 0)
	for _, p := range parts {
		pi += p
	}
	return pi, err
}

// reduced lets each rank find its range itself.
func reduced(ctx context.Context, world *mpi.Comm) (float64, error) {
	counts, from := mpi.Counts(steps, world.Size())
	r := world.Rank()
	pi := make([]float64, 1)
	err := mpi.Reduce(ctx, world, []float64{area(span{from[r], from[r] + counts[r]})}, pi, mpi.Sum, 0)
	return pi[0], err
}
