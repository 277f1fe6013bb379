// Command mpi_heat cools a plate: each rank has a block of it on its device, where a kernel lets the heat flow, and
// exchanges the edges with its neighbours. With a library that takes CUDA memory they go from GPU to GPU; without a GPU the
// CPU is the device.
//
//	go run ./examples/mpi_heat              four ranks on goroutines
//	mpirun -n 4 mpi_heat                    four processes, under Open MPI or MPICH
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/hostpar/mpi"
)

func main() {
	ranks := flag.Int("ranks", 4, "number of ranks where no launcher says it")
	flag.Parse()
	err := mpi.Run(context.Background(), mpi.RunConfig{Local: *ranks}, func(ctx context.Context, world *mpi.Comm) error {
		return run(ctx, os.Stdout, world)
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "mpi_heat:", err)
		os.Exit(1)
	}
}

// run compares with the exact factor by which one step shrinks the lowest mode.
func run(ctx context.Context, w io.Writer, world *mpi.Comm) error {
	dev, err := cuda.Default()
	if err != nil {
		return err
	}
	dims := mpi.Dims(world.Size(), 2)
	g, err := mpi.NewGrid(ctx, world, dims, nil)
	if err != nil {
		return err
	}
	b, err := newBlock(ctx, dev, g, dims)
	if err != nil {
		return err
	}
	for range steps {
		if err := b.advance(ctx); err != nil {
			return err
		}
	}
	points, err := b.now.Download(ctx)
	if err != nil {
		return err
	}
	factor := math.Pow(1-8*alpha*math.Pow(math.Sin(math.Pi/(2*(side+1))), 2), steps)
	worst := []float64{0}
	for i, p := range points {
		worst[0] = max(worst[0], math.Abs(p-factor*start(b.row0+i/b.cols, b.col0+i%b.cols)))
	}
	if err := mpi.Allreduce(ctx, world, worst, worst, mpi.Max); err != nil {
		return err
	}
	if world.Rank() == 0 {
		fmt.Fprintf(w, "%d steps on %v ranks: the middle has cooled to %.6f, largest error %.0e\n", steps, dims, factor, worst[0])
	}
	return g.Close()
}
