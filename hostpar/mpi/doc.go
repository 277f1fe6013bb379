// Package mpi passes messages between the ranks of a program: processes under Open MPI or MPICH, found at run time by one
// and the same binary, or goroutines of one process where there is no MPI.
//
// Run is the whole life of a rank. Started by mpirun, srun or mpiexec, it opens the MPI library of that launcher, calls
// the function with the communicator of all ranks, and finalizes MPI; if the function panics or fails, or a rank
// vanishes, the whole job is aborted with the reason, never left hanging. Local calls the function on n goroutines that
// exchange messages through memory, with the same API:
//
//	err := mpi.Run(ctx, mpi.RunConfig{Local: 4}, func(ctx context.Context, world *mpi.Comm) error {
//		sum := make([]float64, 1)
//		return mpi.Allreduce(ctx, world, []float64{float64(world.Rank())}, sum, mpi.Sum)
//	})
//
// Send, Recv, Bcast, Allreduce and the like move slices of numbers without copies of their own. SendAny, RecvAny,
// BcastAny and the like move any Go value: what the other side needs is found out by them, not by the caller.
//
// Any goroutine may call anything at any time, with one rule that MPI sets: the ranks must call the collective operations
// of a communicator in the same order, so two goroutines that both need them take a communicator each, from Dup. A
// second collective call on a communicator in which one is under way is refused. The library is entered by one thread at
// a time, and by calls that do not block, save those that make communicators and windows and those on much data: while one of
// them runs, which all its ranks have met for, messages of other goroutines of the rank wait. Between calls of this package nothing is moved by the library: a rank that
// computes for long while a large message is under way delays it, as it would in C.
//
// A context bounds a wait. A canceled receive is withdrawn. A canceled send may still be delivered, and its buffer must
// not be changed any more. A canceled collective operation leaves its communicator broken for this rank.
//
// A buffer belongs to the operation until that has ended. Programs built with -race check that what is being sent does
// not change meanwhile.
//
// Not here: MPI-IO, since files belong to package os, and dynamic processes.
package mpi
