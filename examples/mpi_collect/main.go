// Command mpi_collect broadcasts, scatters and gathers Go values.
//
//	go run ./examples/mpi_collect              four ranks on goroutines
//	mpirun -n 4 mpi_collect                    four processes, under Open MPI or MPICH
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
		fmt.Fprintln(os.Stderr, "mpi_collect:", err)
		os.Exit(1)
	}
}

type settings struct {
	Name   string
	Powers []int
}

func run(ctx context.Context, w io.Writer, world *mpi.Comm) error {
	var s settings
	var numbers []int
	if world.Rank() == 0 { // only the root has them
		s = settings{"squares", []int{2}}
		for r := range world.Size() {
			numbers = append(numbers, r+1)
		}
	}
	s, err := mpi.BcastAny(ctx, world, s, 0)
	if err != nil {
		return err
	}
	x, err := mpi.ScatterAny(ctx, world, numbers, 0)
	if err != nil {
		return err
	}
	y := 1
	for range s.Powers[0] {
		y *= x
	}
	squares, err := mpi.GatherAny(ctx, world, y, 0)
	if world.Rank() == 0 {
		fmt.Fprintln(w, s.Name, squares)
	}
	return err
}
