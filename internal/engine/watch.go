package engine

import (
	"sync"

	"github.com/tandem-go/tandem/internal/ir"
)

// Watch sees what the threads of one launch do: it is how a sanitizer looks on. Only the reference engine supports it. The
// blocks of a launch with a Watch run on one goroutine.
type Watch interface {
	// Block is called when a block begins.
	Block(at [3]uint32, w Windows) BlockWatch
}

// BlockWatch sees one block. Warps and lanes are numbers, masks are of lanes.
type BlockWatch interface {
	// Access is called before lanes access memory. They may: what is illegal is a fault, and not seen here.
	Access(a *Access)
	// Fence is a memory fence by the lanes of mask.
	Fence(warp int, mask uint32)
	// WarpSync is a bar.warp.sync that the lanes of mask execute together.
	WarpSync(warp int, mask uint32)
	// Members is called before the lanes of mask execute an instruction with a member mask. named are the member masks by
	// lane; live are the lanes that have not ended. alone says that lanes which are named and live cannot come.
	Members(in *ir.Instr, warp int, mask, live uint32, named *[WarpSize]uint64, alone bool)
	// Arrive: the lanes of mask of a warp, of which the lanes of live have not ended, come to barrier id of the block. They
	// wait there unless the instruction is a bar.arrive.
	Arrive(in *ir.Instr, warp int, mask, live uint32, id int)
	// Complete: the barrier lets everybody go on who came to it. all says that these are all threads that have not ended;
	// live gives the lanes of a warp that have not.
	Complete(id int, all bool, live func(warp int) uint32)
	// PassGrid: the block goes on behind the grid barrier.
	PassGrid()
	// Heap: a lane got size bytes of the device heap at addr, or for size 0 freed them.
	Heap(in *ir.Instr, warp, lane int, addr, size uint64)
	// End: the block is over.
	End()
}

// AccessKind is what an access does.
type AccessKind uint8

// The kinds of accesses. An Update is an atomic read and write.
const (
	Read AccessKind = iota
	Write
	Update
)

// Access is one instruction's access to memory. It is valid during the call only.
type Access struct {
	In   *ir.Instr
	Warp int
	Mask uint32
	Kind AccessKind
	// Place are the addresses by lane; Size is the number of bytes of each lane.
	Place *[WarpSize]uint64
	Size  int
	// Same are lanes that write what is there already.
	Same uint32
}

// Coverage counts how often instructions of a kernel were executed, by thread. It may be used from any goroutine.
type Coverage struct {
	mu     sync.Mutex
	counts map[*ir.Instr]uint64
}

// Add counts n executions of in.
func (c *Coverage) Add(in *ir.Instr, n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[*ir.Instr]uint64{}
	}
	c.counts[in] += n
}

// Count is how often threads have executed in.
func (c *Coverage) Count(in *ir.Instr) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[in]
}
