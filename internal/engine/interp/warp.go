package interp

import (
	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/ops"
)

// warp is a warp in execution.
type warp struct {
	ops.Warp
	live   uint32 // lanes that have not ended
	groups []*group
	root   *frame

	// See schedule.go.
	current *group
	forced  bool
	force   bool
	edges   int
	clock   uint64

	spare []*group
	// Operands of the step in execution.
	args, results [16]*ops.Lanes
	temporaries   []ops.Lanes
}

// group is a set of lanes that execute together.
type group struct {
	mask  uint32
	frame *frame
	block *block
	pc    int
	since uint64 // when it stopped running
	wait  wait
	bar   int  // the barrier it waits at
	alone bool // it goes on without lanes that its member mask names
}

// wait says what a group waits for.
type wait uint8

const (
	runnable  wait = iota
	atMeeting      // other lanes of the member mask
	atBarrier
	atGrid
)

// frame is an activation of a function from one place, by lanes that may come at different times: each lane has at most
// one activation in a frame, since a recursive call is made from another frame.
type frame struct {
	fn       *function
	parent   *frame
	site     *step
	block    *block // of the site
	pc       int    // of the site
	depth    int
	local    int    // offset in a thread's local memory
	lanes    uint32 // lanes that are in it or in what it called
	children []*frame
	values   []ops.Lanes
}

// newGroup adds a group that stands where g does.
func (w *warp) newGroup(g *group, mask uint32) *group {
	var n *group
	if k := len(w.spare); k > 0 {
		n, w.spare = w.spare[k-1], w.spare[:k-1]
	} else {
		n = new(group)
	}
	*n = group{mask: mask, frame: g.frame, block: g.block, pc: g.pc, since: w.tick()}
	w.groups = append(w.groups, n)
	return n
}

// drop removes a group.
func (w *warp) drop(g *group) {
	for i, h := range w.groups {
		if h == g {
			w.groups = append(w.groups[:i], w.groups[i+1:]...)
			break
		}
	}
	if w.current == g {
		w.current = nil
	}
	w.spare = append(w.spare, g)
}

// merge joins g with a group that stands at the same instruction and may go on, and returns the one that remains.
func (w *warp) merge(g *group) *group {
	if len(w.groups) == 1 {
		return g
	}
	for _, h := range w.groups {
		if h != g && h.frame == g.frame && h.block == g.block && h.pc == g.pc &&
			(h.wait == runnable || h.wait == atMeeting) {
			g.mask |= h.mask
			g.since = min(g.since, h.since)
			if w.current == h {
				w.current = g
			}
			w.drop(h)
			return g
		}
	}
	return g
}

func (w *warp) tick() uint64 {
	w.clock++
	return w.clock
}

// operands points args and results at the values of a step.
func (w *warp) operands(f *frame, s *step) (args, results []*ops.Lanes) {
	args, results = w.args[:len(s.args)], w.results[:len(s.results)]
	for i, v := range s.args {
		args[i] = &f.values[v]
	}
	for i, v := range s.results {
		results[i] = &f.values[v]
	}
	return args, results
}

// guarded returns the lanes of g that execute s. The results of the others are 0.
func guarded(g *group, s *step) uint32 {
	if s.guard < 0 {
		return g.mask
	}
	mask := g.mask & truth(&g.frame.values[s.guard])
	for _, v := range s.results {
		d := &g.frame.values[v]
		for i := range d {
			if (g.mask&^mask)>>i&1 != 0 {
				d[i] = 0
			}
		}
	}
	return mask
}

// truth is the lanes where a predicate holds.
func truth(p *ops.Lanes) (mask uint32) {
	for i, v := range p {
		mask |= uint32(v&1) << i
	}
	return mask
}

// move copies the lanes of mask.
func move(dst, src *ops.Lanes, mask uint32) {
	if mask == 1<<engine.WarpSize-1 {
		*dst = *src
		return
	}
	for i := range dst {
		if mask>>i&1 != 0 {
			dst[i] = src[i]
		}
	}
}

// follow gives the parameters of e's block their values in the lanes of g, which goes there.
func (w *warp) follow(g *group, e *edge) {
	values := g.frame.values
	if e.through {
		for len(w.temporaries) < len(e.args) {
			w.temporaries = append(w.temporaries, ops.Lanes{})
		}
		for i, a := range e.args {
			w.temporaries[i] = values[a]
		}
		for i, p := range e.params {
			move(&values[p], &w.temporaries[i], g.mask)
		}
	} else {
		for i, p := range e.params {
			move(&values[p], &values[e.args[i]], g.mask)
		}
	}
	g.block, g.pc = e.to, 0
}
