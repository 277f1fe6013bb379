// Command mpi_hello says hello from every rank, in order.
//
//	go run ./examples/mpi_hello              four ranks on goroutines
//	mpirun -n 4 mpi_hello                    four processes, under Open MPI or MPICH
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
		fmt.Fprintln(os.Stderr, "mpi_hello:", err)
		os.Exit(1)
	}
}

// run collects a line of each rank on rank 0, which prints them: what several processes print themselves comes in any order.
func run(ctx context.Context, w io.Writer, world *mpi.Comm) error {
	lines, err := mpi.GatherAny(ctx, world, fmt.Sprintf("hello from rank %d of %d", world.Rank(), world.Size()), 0)
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
	return err
}
