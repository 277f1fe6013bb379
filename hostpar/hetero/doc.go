// Package hetero runs one kernel over several devices at once, CPU and GPUs, as one launch: each item is done exactly
// once, whatever devices fail or hang on the way, and a report tells who did what and what was lost.
//
//	k, err := hetero.NewKernel("saxpy", hetero.CUDA(source, "saxpy", cuda.CompileConfig{}))
//	p, err := hetero.Open(hetero.PoolConfig{}) // every GPU and the CPU; the CPU alone is enough
//	report, err := p.Run(ctx, k, hetero.Grid1(len(x), 256), []hetero.Arg{
//		hetero.Val(int32(len(x))), hetero.Val(a), hetero.In(x, hetero.Rows(1)), hetero.InOut(y, hetero.Rows(1)),
//	}, hetero.RunConfig{})
//
// # Splitting
//
// A grid is split along its slowest axis with more than one block, in whole blocks. The positions along that axis are the
// job's items, in documentation and reports; chunks are ranges of them. A CUDA kernel is not changed for it: devices
// launch a part of the grid, and the kernel sees its true blockIdx and the whole gridDim. Each argument says which of its
// elements belong to an item: Rows, with a Halo that is only read, or Replicate for what every chunk needs. A device that
// cannot launch parts of a grid takes part in kernels that declare Offset, and is left out of others.
//
// # Results
//
// A device works on copies, and a chunk's results are copied to the program's slices when it has succeeded, unless it was
// taken back before: then they are dropped. So a chunk may be done twice, but is committed once, InOut included. Bodies in
// Go write in place; their InOut rows are saved before and restored after a failure, and a body that does not return when
// told so cannot be taken back, which is a *StuckError.
//
// The same kernel gives the same bits however it is split, as far as its devices agree; package cuda says when they do.
package hetero
