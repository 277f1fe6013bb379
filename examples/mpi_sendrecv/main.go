// Command mpi_sendrecv sends Go values from rank to rank: first in turn, then all at once without waiting.
//
//	go run ./examples/mpi_sendrecv              four ranks on goroutines
//	mpirun -n 4 mpi_sendrecv                    four processes, under Open MPI or MPICH
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/tandem-go/tandem/hostpar/mpi"
)

func main() {
	ranks := flag.Int("ranks", 4, "number of ranks where no launcher says it")
	flag.Parse()
	err := mpi.Run(context.Background(), mpi.RunConfig{Local: *ranks}, func(ctx context.Context, world *mpi.Comm) error {
		return run(ctx, os.Stdout, world)
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "mpi_sendrecv:", err)
		os.Exit(1)
	}
}

// reading is any Go type: strings, maps and pointers travel too.
type reading struct {
	Sensor string
	Values map[string]float64
}

func run(ctx context.Context, w io.Writer, world *mpi.Comm) error {
	if err := blocking(ctx, w, world); err != nil {
		return err
	}
	return atOnce(ctx, w, world)
}

// blocking sends a value from each rank to rank 0, which receives them in order.
func blocking(ctx context.Context, w io.Writer, world *mpi.Comm) error {
	const tag = 11
	if rank := world.Rank(); rank > 0 {
		r := reading{fmt.Sprint("sensor ", rank), map[string]float64{"a": 7, "b": 3.14 * float64(rank)}}
		return mpi.SendAny(ctx, world, r, 0, tag)
	}
	for source := 1; source < world.Size(); source++ {
		r, _, err := mpi.RecvAny[reading](ctx, world, source, tag)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "received %s: a = %g, b = %.2f\n", r.Sensor, r.Values["a"], r.Values["b"])
	}
	return nil
}

// atOnce passes a value round a ring: each rank begins to receive and to send before it waits for either.
func atOnce(ctx context.Context, w io.Writer, world *mpi.Comm) error {
	const tag = 12
	n, rank := world.Size(), world.Rank()
	in, err := mpi.IrecvAny[[]string](world, (rank-1+n)%n, tag)
	if err != nil {
		return err
	}
	out, err := mpi.IsendAny(world, []string{"from", fmt.Sprint(rank)}, (rank+1)%n, tag)
	if err != nil {
		return err
	}
	words, status, err := in.Wait(ctx)
	if err != nil {
		return err
	}
	if rank == 0 {
		fmt.Fprintf(w, "rank 0 has %q of rank %d\n", words, status.Source)
	}
	return mpi.WaitAll(ctx, out)
}
