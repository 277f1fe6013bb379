package interp

import (
	"fmt"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/ops"
)

// Warp is the state of a warp in the middle of a kernel, as another engine hands it over.
type Warp struct {
	// Live are the lanes that have not ended.
	Live uint32
	// Groups are the converged lanes and where they stand. Together they are Live.
	Groups []Group
	// Values are the values of the entry function by Value.ID. Those that a lane will not read may hold anything.
	Values []ops.Lanes
}

// Group is a set of lanes that stand at one instruction of the entry function.
type Group struct {
	Mask uint32
	// Block is the index in Func.Blocks, Instr that in Block.Instrs.
	Block, Instr int
}

// Resume makes a block that goes on where another engine stopped: all its warps stand in the entry function, and nobody
// waits at a barrier. p is a program of this engine. Values and groups are copied.
func Resume(p engine.Program, l *engine.Launch, i uint64, win engine.Windows, warps []Warp) (engine.Block, error) {
	own, ok := p.(*program)
	if !ok {
		return nil, fmt.Errorf("resume a block: %T is no program of the reference engine", p)
	}
	b := own.Block(l, i, win).(*running)
	b.live = 0
	for id, state := range warps {
		w := b.warps[id]
		for len(w.groups) > 0 {
			w.drop(w.groups[0])
		}
		w.live, w.root.lanes = state.Live, state.Live
		copy(w.root.values, state.Values)
		for _, g := range state.Groups {
			at := &w.root.fn.blocks[g.Block]
			w.newGroup(&group{frame: w.root, block: at, pc: g.Instr}, g.Mask)
			for m := g.Mask; m != 0; m &= m - 1 {
				b.live++
			}
		}
	}
	return b, nil
}
