// Command mpi_buffers moves slices of numbers: Send and Recv, Isend and Irecv, Bcast, Scatterv and Gatherv with uneven parts, Reduce.
//
//	go run ./examples/mpi_buffers              four ranks on goroutines
//	mpirun -n 4 mpi_buffers                    four processes, under Open MPI or MPICH
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
		fmt.Fprintln(os.Stderr, "mpi_buffers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, world *mpi.Comm) error {
	for _, step := range []func(context.Context, io.Writer, *mpi.Comm) error{ring, uneven, reductions} {
		if err := step(ctx, w, world); err != nil {
			return err
		}
	}
	return nil
}

// ring adds up the ranks along a chain, by Send and Recv, and exchanges with both neighbours at once, by Isend and Irecv.
func ring(ctx context.Context, w io.Writer, world *mpi.Comm) error {
	n, rank := world.Size(), world.Rank()
	sum := make([]int64, 1)
	if rank > 0 {
		if _, err := mpi.Recv(ctx, world, sum, rank-1, 0); err != nil {
			return err
		}
	}
	sum[0] += int64(rank)
	if rank < n-1 {
		if err := mpi.Send(ctx, world, sum, rank+1, 0); err != nil {
			return err
		}
	}
	if err := mpi.Bcast(ctx, world, sum, n-1); err != nil {
		return err
	}
	left, right, mine := make([]float32, 1), make([]float32, 1), []float32{float32(rank)}
	var requests [4]*mpi.Request
	for i, begin := range []func() (*mpi.Request, error){
		func() (*mpi.Request, error) { return mpi.Irecv(world, left, (rank-1+n)%n, 1) },
		func() (*mpi.Request, error) { return mpi.Irecv(world, right, (rank+1)%n, 2) },
		func() (*mpi.Request, error) { return mpi.Isend(world, mine, (rank+1)%n, 1) },
		func() (*mpi.Request, error) { return mpi.Isend(world, mine, (rank-1+n)%n, 2) },
	} {
		var err error
		if requests[i], err = begin(); err != nil {
			return err
		}
	}
	err := mpi.WaitAll(ctx, requests[:]...)
	if rank == 0 {
		fmt.Fprintf(w, "sum of ranks %d; neighbours of rank 0: %v and %v\n", sum[0], left[0], right[0])
	}
	return err
}

// uneven squares ten numbers on any number of ranks.
func uneven(ctx context.Context, w io.Writer, world *mpi.Comm) error {
	const n = 10
	counts, displs := mpi.Counts(n, world.Size())
	var all []float64
	if world.Rank() == 0 {
		for i := range n {
			all = append(all, float64(i))
		}
	}
	part := make([]float64, counts[world.Rank()])
	if err := mpi.Scatterv(ctx, world, all, counts, displs, part, 0); err != nil {
		return err
	}
	for i, x := range part {
		part[i] = x * x
	}
	err := mpi.Gatherv(ctx, world, part, all, counts, displs, 0)
	if world.Rank() == 0 {
		fmt.Fprintln(w, "parts", counts, "squares", all)
	}
	return err
}

// reductions combine the numbers of all ranks.
func reductions(ctx context.Context, w io.Writer, world *mpi.Comm) error {
	r := float64(world.Rank())
	sum, largest := make([]float64, 3), []float64{r} // the latter in place
	if err := mpi.Reduce(ctx, world, []float64{r, 1, r * r}, sum, mpi.Sum, 0); err != nil {
		return err
	}
	err := mpi.Allreduce(ctx, world, largest, largest, mpi.Max)
	if world.Rank() == 0 {
		fmt.Fprintln(w, "sums", sum, "largest", largest[0])
	}
	return err
}
