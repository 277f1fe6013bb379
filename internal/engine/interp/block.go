package interp

import (
	"fmt"
	"math/bits"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/ops"
	"github.com/tandem-go/tandem/internal/mem"
)

// running is a block in execution. Blocks are used again: nothing of one that ended can be seen in the next.
type running struct {
	program  *program
	warps    []*warp
	spare    []*warp
	frames   [][]*frame // spare ones by function
	cache    mem.Cache
	barriers [barriers]barrier
	live     int  // threads that have not ended
	next     int  // the warp whose turn it is
	atGrid   bool // the last Run ended at the grid barrier
	budget   int
	watch    engine.BlockWatch // nil: nobody watches
	counts   []uint64          // executions by step; nil: nobody counts
}

func newBlock(p *program) *running {
	b := &running{program: p, frames: make([][]*frame, len(p.funcs))}
	if p.options.Memory != nil {
		b.cache = mem.NewCache(p.options.Memory)
	}
	for i := range b.barriers {
		b.barriers[i].reset()
	}
	return b
}

func (p *program) Block(l *engine.Launch, i uint64, win engine.Windows) engine.Block {
	b := p.pool.Get().(*running)
	threads := int(l.Block[0] * l.Block[1] * l.Block[2])
	b.live, b.next, b.atGrid = threads, 0, false
	gx, gy := uint64(l.Grid[0]), uint64(l.Grid[1])
	at := [3]uint32{uint32(i % gx), uint32(i / gx % gy), uint32(i / gx / gy)}
	if l.Watch != nil {
		b.watch = l.Watch.Block(at, win)
	}
	if l.Cover != nil {
		b.counts = make([]uint64, p.steps)
	}
	for id := 0; id*engine.WarpSize < threads; id++ {
		w := b.newWarp()
		w.Memory, w.Cache, w.Globals = p.options.Memory, &b.cache, p.options.Globals
		w.Launch, w.Windows, w.LocalBytes = l, win, uint64(p.localBytes)
		w.Block, w.ID, w.Watch = at, id, b.watch
		w.live = uint32(1<<min(engine.WarpSize, threads-id*engine.WarpSize) - 1)
		w.root = b.newFrame(p.funcs[0])
		w.root.lanes = w.live
		w.newGroup(&group{frame: w.root, block: &w.root.fn.blocks[0]}, w.live)
		b.warps = append(b.warps, w)
	}
	return b
}

func (b *running) newWarp() *warp {
	if n := len(b.spare); n > 0 {
		w := b.spare[n-1]
		b.spare = b.spare[:n-1]
		return w
	}
	return new(warp)
}

// Close gives the block back, wherever it stands.
func (b *running) Close() {
	if b.counts != nil {
		b.program.cover(b.warps[0].Launch.Cover, b.counts)
		b.counts = nil
	}
	if b.watch != nil {
		b.watch.End()
		b.watch = nil
	}
	for _, w := range b.warps {
		for len(w.groups) > 0 {
			w.drop(w.groups[0])
		}
		b.freeTree(w.root)
		w.root, w.current, w.forced, w.force, w.edges, w.clock = nil, nil, false, false, 0, 0
		w.Launch, w.Watch = nil, nil
	}
	b.spare = append(b.spare, b.warps...)
	b.warps = b.warps[:0]
	for i := range b.barriers {
		b.barriers[i].reset()
	}
	p := b.program
	p.pool.Put(b)
}

// Run goes on for about budget steps. It pauses between instructions and remembers whose turn it is, so that what a
// kernel computes does not depend on the budget.
func (b *running) Run(budget int) (engine.State, *engine.Fault) {
	b.budget = budget
	b.passGrid()
	for b.live > 0 {
		idle := true
		for range b.warps {
			w := b.warps[b.next]
			if w.current != nil || w.choose() != nil {
				idle = false
				paused, fault := b.run(w)
				if fault != nil {
					return 0, fault
				}
				if paused {
					return engine.Yielded, nil
				}
			}
			b.next = (b.next + 1) % len(b.warps)
		}
		if idle {
			return b.stuck()
		}
	}
	return engine.Done, nil
}

// stuck tells why no group can run: all wait at the grid barrier, or for each other.
func (b *running) stuck() (engine.State, *engine.Fault) {
	var first *group
	var of *warp
	for _, w := range b.warps {
		for _, g := range w.groups {
			if g.wait == atBarrier && first == nil {
				first, of = g, w
			}
		}
	}
	if first == nil {
		b.atGrid = true
		return engine.AtGridBarrier, nil
	}
	f := of.Fault(launchFailed, bits.TrailingZeros32(first.mask),
		fmt.Sprintf("deadlock: this thread waits at barrier %d and %s", first.bar, b.others(first.bar)))
	f.Pos, f.Deadlock = first.block.steps[first.pc].in.Pos, true
	return 0, f
}

// others says where the threads are that do not wait at barrier id.
func (b *running) others(id int) string {
	var elsewhere, grid int
	for _, w := range b.warps {
		for _, g := range w.groups {
			switch {
			case g.wait == atGrid:
				grid += bits.OnesCount32(g.mask)
			case g.bar != id:
				elsewhere += bits.OnesCount32(g.mask)
			}
		}
	}
	if grid+elsewhere == 0 {
		return "too few threads are left to complete it"
	}
	return fmt.Sprintf("%d threads wait at other barriers, %d at the grid barrier", elsewhere, grid)
}

// passGrid lets all go on that wait at the grid barrier, if the last Run said that they do.
func (b *running) passGrid() {
	if !b.atGrid {
		return
	}
	b.atGrid = false
	if b.watch != nil {
		b.watch.PassGrid()
	}
	for _, w := range b.warps {
		b.release(w, func(g *group) bool { return g.wait == atGrid })
	}
}

// release lets the groups of w that hold go on behind the instruction they wait at.
func (b *running) release(w *warp, hold func(*group) bool) {
	for i := 0; i < len(w.groups); {
		g := w.groups[i]
		if !hold(g) {
			i++
			continue
		}
		g.wait = runnable
		g.pc++
		if n := len(w.groups); w.merge(g) == g && len(w.groups) < n {
			i = 0 // the list has changed
		}
	}
}

// newFrame makes a frame of f that no lane is in.
func (b *running) newFrame(f *function) *frame {
	if n := len(b.frames[f.index]); n > 0 {
		fr := b.frames[f.index][n-1]
		b.frames[f.index] = b.frames[f.index][:n-1]
		return fr
	}
	return &frame{fn: f, values: make([]ops.Lanes, f.fn.Values)}
}

func (b *running) freeFrame(f *frame) {
	*f = frame{fn: f.fn, values: f.values, children: f.children[:0]}
	b.frames[f.fn.index] = append(b.frames[f.fn.index], f)
}

func (b *running) freeTree(f *frame) {
	for _, c := range f.children {
		b.freeTree(c)
	}
	b.freeFrame(f)
}

// Statuses of faults that the engine itself finds.
const (
	stackError         = 714
	illegalInstruction = 715
	invalidPC          = 718
	launchFailed       = 719
)
