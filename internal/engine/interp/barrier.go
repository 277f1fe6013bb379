package interp

import (
	"fmt"
	"math/bits"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/ir"
)

// barriers is the number of barriers of a block (PTX ISA, bar).
const barriers = 16

// barrier is a barrier of the block. It is complete when all threads that have not ended have arrived or, where the
// instructions give a number of threads, when that many have. The latter counts warps: of a warp that takes part, lanes
// that have ended or never were count as arrived.
type barrier struct {
	arrived  [engine.MaxThreads / engine.WarpSize]uint32
	count    int // of arrived lanes
	expected int // 0: all
	popc     uint64
	all, any bool
}

func (r *barrier) reset() { *r = barrier{all: true} }

// wait does the steps at which a group may have to wait for other warps.
func (b *running) wait(w *warp, g *group, s *step) *engine.Fault {
	if !w.split(g, guarded(g, s)) {
		return nil
	}
	if s.kind == gridSync {
		g.wait = atGrid
		w.pause()
		return nil
	}
	id := g.frame.values[s.args[0]]
	first := bits.TrailingZeros32(g.mask)
	at := id[first]
	w.fork(g, func(lane int) bool { return id[lane] == at })
	if at >= barriers {
		f := w.Fault(illegalInstruction, first, fmt.Sprintf("there is no barrier %d", at))
		f.Pos = s.in.Pos
		return f
	}
	b.arrive(w, g, s, int(at))
	return nil
}

func (b *running) arrive(w *warp, g *group, s *step, id int) {
	r := &b.barriers[id]
	kind := ir.BarKind(s.in.Sub)
	operands := s.args[1:]
	if kind >= ir.BarRedPopc {
		r.reduce(g.mask, truth(&g.frame.values[operands[len(operands)-1]]))
		operands = operands[:len(operands)-1]
	}
	if len(operands) > 0 {
		r.expected = int(uint32(g.frame.values[operands[0]][bits.TrailingZeros32(g.mask)]))
	}
	if b.watch != nil {
		b.watch.Arrive(s.in, w.ID, g.mask, w.live, id)
	}
	r.arrived[w.ID] |= g.mask
	r.count += bits.OnesCount32(g.mask)
	if kind == ir.BarArrive {
		g.pc++
	} else {
		g.wait, g.bar = atBarrier, id
		w.pause()
	}
	b.complete(id)
}

// reduce takes in the predicates of the lanes of mask.
func (r *barrier) reduce(mask, p uint32) {
	r.popc += uint64(bits.OnesCount32(mask & p))
	r.all = r.all && mask&^p == 0
	r.any = r.any || mask&p != 0
}

func (r *barrier) result(kind ir.BarKind) uint64 {
	switch {
	case kind == ir.BarRedPopc:
		return r.popc
	case kind == ir.BarRedAnd && r.all, kind == ir.BarRedOr && r.any:
		return 1
	}
	return 0
}

// complete lets the groups at a barrier go on if it is complete.
func (b *running) complete(id int) {
	r := &b.barriers[id]
	if r.count == 0 || r.expected == 0 && r.count < b.live || !b.full(r) {
		return
	}
	if b.watch != nil {
		b.watch.Complete(id, r.expected == 0 || r.count >= b.live, func(warp int) uint32 { return b.warps[warp].live })
	}
	for _, w := range b.warps {
		for _, g := range w.groups {
			if g.wait != atBarrier || g.bar != id {
				continue
			}
			s := &g.block.steps[g.pc]
			v := r.result(ir.BarKind(s.in.Sub))
			for _, d := range s.results {
				for m := g.mask; m != 0; m &= m - 1 {
					g.frame.values[d][bits.TrailingZeros32(m)] = v
				}
			}
		}
		b.release(w, func(g *group) bool { return g.wait == atBarrier && g.bar == id })
	}
	r.reset()
}

func (b *running) full(r *barrier) bool {
	n := 0
	for _, w := range b.warps {
		arrived := r.arrived[w.ID]
		if r.expected == 0 && w.live&^arrived != 0 {
			return false
		}
		if arrived != 0 {
			n += bits.OnesCount32(arrived | ^w.live)
		}
	}
	return n >= r.expected
}

// lanesEnded looks whether barriers are complete now that fewer lanes have to come, and at lanes of w that wait for
// each other.
func (b *running) lanesEnded(w *warp) {
	for _, g := range w.groups {
		if g.wait == atMeeting {
			g.wait = runnable // it looks again
		}
	}
	for id := range b.barriers {
		b.complete(id)
	}
}
