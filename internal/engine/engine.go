// Package engine is the contract between the host device and its execution engines.
//
// An engine compiles one kernel to a Program; a Program makes Blocks; a Block runs for a budget and is resumed until it is
// done. Engines own what happens inside a block: warps of 32 lanes in lockstep, divergence, barriers. The host device owns
// everything outside: which blocks run where and when, workers, cancellation, deadlines, co-residency of blocks.
//
// Progress (design, Semantics): lanes of a warp form groups of converged lanes; groups are ordered by the reverse
// post-order of the block they stand at, and the first runs. After 1,024 back edges, or when the budget ends, the
// longest-waiting group runs, then the other warps of the block, then other resident blocks.
package engine

import (
	"github.com/tandem-go/tandem/internal/engine/rt"
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/mem"
)

// WarpSize is the number of lanes of a warp.
const WarpSize = 32

// MaxThreads is the largest number of threads of a block.
const MaxThreads = 1024

// Engine compiles kernels. It is safe for concurrent use.
type Engine interface {
	// Name is what reports show: "interp", "jit/avx512".
	Name() string
	// Compile makes a program of k, which passes Verify and is not changed afterwards.
	Compile(k *ir.Kernel, o Options) (Program, error)
}

// Options are the facts a compilation may rely on.
type Options struct {
	// Memory is the device's memory.
	Memory *mem.Space
	// Globals are the addresses of Kernel.Globals, by index.
	Globals []uint64
	// Block is the block's extent if the program may be specialised for it; zero if it must serve any.
	Block [3]uint32
	// Like are programs of the same kernel for other extents of the block. Compile returns one of them if it would make
	// nothing else of these options.
	Like []Program
	// Count makes a program that counts what it executes, if it is a Counter.
	Count bool
}

// Counter is a Program of an engine that leaves some operations to Go. What Executed returns counts for programs that were
// compiled with Options.Count.
type Counter interface {
	Program
	// Executed is how many operations of lanes blocks that were closed have executed, and how many of these in Go.
	Executed() (all, inGo uint64)
}

// Program is an executable kernel. It is safe for concurrent use.
type Program interface {
	// LocalBytes is the local memory each thread needs, call stack included.
	LocalBytes() int
	// Block prepares block i of l, where i is the linear index in the grid, x fastest. The block owns w until Close.
	Block(l *Launch, i uint64, w Windows) Block
}

// Launch is what all blocks of one launch share.
type Launch struct {
	// ID is unique in the device (%gridid).
	ID uint64
	// Grid and Block are the extents.
	Grid, Block [3]uint32
	// SharedBytes is the shared memory of a block in bytes, static and dynamic; DynamicBytes the dynamic part.
	SharedBytes, DynamicBytes int
	// Params is the parameter block; engines only read it.
	Params []byte
	// Runtime serves printf, the device heap and timers.
	Runtime *rt.Runtime
	// Workers is the number of multiprocessors that %nsmid shows.
	Workers int
	// GridWorkspace is the address of two zeroed words for a cooperative launch, 0 for others. %envreg1 is its high half
	// and %envreg2 its low half: there the grid groups of CUDA's cooperative_groups.h find the word of their barrier.
	GridWorkspace uint64
	// Watch, if not nil, sees what the launch does, and Cover, if not nil, counts what it executes. Engines other than the
	// reference engine do not support them.
	Watch Watch
	Cover *Coverage
}

// Windows are the memory that a running block has for itself. Both lie in the device's range, so generic addresses of
// them are plain addresses, and outside every allocation, so only their owner may touch them.
type Windows struct {
	// Shared is the address of Launch.SharedBytes bytes of shared memory.
	Shared uint64
	// Local is the address of the local memory of thread 0 of the block; thread t's begins at Local + t*LocalStride.
	Local       uint64
	LocalStride int
	// Worker is the number of the worker that runs the block (%smid).
	Worker int
}

// State says how a call of Block.Run ended.
type State uint8

const (
	// Done: all threads have ended.
	Done State = iota + 1
	// Yielded: the budget was used up, or every warp waits for something outside the block; Run again later.
	Yielded
	// AtGridBarrier: all threads that have not ended wait at the grid barrier; Run again when all blocks have come there.
	AtGridBarrier
)

// Block is a block in execution. It belongs to one goroutine at a time.
type Block interface {
	// Run goes on for about budget warp instructions. With a fault the block is over: Run must not be called again.
	Run(budget int) (State, *Fault)
	// Close gives the block's resources back to its program, done or not.
	Close()
}

// Sequence is a Block of an engine that can go on with the blocks that follow in the grid, which saves what it costs to begin
// one from outside. It is for kernels without local memory, in launches whose blocks do not wait for each other; shared memory
// is zero when a block begins.
type Sequence interface {
	Block
	// Extend adds the n next blocks to one that has not run yet.
	Extend(n uint64)
	// Rest takes those back that have not begun, and returns how many. Run ends with Done when a block is done and its
	// budget is used up, so blocks may be left then, too.
	Rest() uint64
}

// Fault is what stopped a block. The host device turns it into a driver.Fault.
type Fault struct {
	// Code is the CUDA status: 700, 710, 714 to 719.
	Code uint32
	// Block is the block's coordinate, Thread that of the lowest faulting thread of the warp.
	Block, Thread [3]uint32
	// Pos is where in the kernel.
	Pos ir.Pos
	// Access is "read", "write" or "atomic"; empty if no memory is involved. Addr and Size say which bytes; Space which
	// state space the instruction names.
	Access string
	Addr   uint64
	Size   int
	Space  string
	// Detail says what is wrong in words; for an assertion, its text.
	Detail string
	// Deadlock: threads wait for each other.
	Deadlock bool
}
