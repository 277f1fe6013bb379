package interp

import (
	"fmt"
	"math/bits"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/ir"
)

// run gives a warp its turn. paused says that the budget ended it; otherwise it is over: all groups wait or have ended,
// or enough back edges were taken.
func (b *running) run(w *warp) (paused bool, fault *engine.Fault) {
	for {
		g := w.current
		if g == nil {
			if g = w.choose(); g == nil {
				return false, nil
			}
		}
		if b.budget <= 0 {
			return true, nil
		}
		b.budget--
		s := &g.block.steps[g.pc]
		if b.counts != nil {
			b.counts[s.number] += uint64(bits.OnesCount32(g.mask))
		}
		over := false
		switch s.kind {
		case plain:
			fault = w.execute(g, s)
		case meet:
			fault = w.meet(g, s)
		case jump, branch, multiway:
			over = w.branch(g, s)
		case call, callIndirect, ret:
			fault = b.transfer(w, g, s)
		case exit:
			b.end(w, g)
		default:
			fault = b.wait(w, g, s)
		}
		if fault != nil || over {
			return false, fault
		}
	}
}

// execute does one step for the lanes of a group and moves it on.
func (w *warp) execute(g *group, s *step) *engine.Fault {
	mask := guarded(g, s)
	args, results := w.operands(g.frame, s)
	w.Frame = uint64(g.frame.local)
	g.pc++
	return s.run(&w.Warp, mask, args, results)
}

// meet executes a step when the lanes have come that its member mask names and that have not ended.
func (w *warp) meet(g *group, s *step) *engine.Fault {
	alone := g.alone
	if len(w.groups) > 1 && !g.alone {
		mask := guarded(g, s)
		var members uint32
		named := &g.frame.values[s.args[s.member]]
		for m := mask; m != 0; m &= m - 1 {
			members |= uint32(named[bits.TrailingZeros32(m)])
		}
		if members&w.live&^g.mask != 0 {
			n := len(w.groups)
			if g = w.merge(g); len(w.groups) < n {
				g.wait = runnable
				w.current = g
				return nil // look again: more of them are here now
			}
			g.wait = atMeeting
			w.pause()
			return nil
		}
	}
	g.alone = false
	if w.Watch != nil {
		w.Watch.Members(s.in, w.ID, guarded(g, s), w.live, (*[engine.WarpSize]uint64)(&g.frame.values[s.args[s.member]]), alone)
	}
	return w.execute(g, s)
}

// branch moves a group to the targets of a terminator, and reports whether the turn of the warp is over.
func (w *warp) branch(g *group, s *step) bool {
	left, back := g.mask, false
	for i := range s.edges {
		mask := left & w.takes(g, s, i)
		if mask == 0 {
			continue
		}
		left &^= mask
		e := &s.edges[i]
		back = back || e.back
		h := g
		if left != 0 {
			h = w.newGroup(g, mask)
		}
		h.mask = mask
		w.follow(h, e)
		w.merge(h)
		if left == 0 {
			break
		}
	}
	return w.turn(g, back)
}

// takes returns lanes that go to target i: at least those of g which do and did not go to a target before it.
func (w *warp) takes(g *group, s *step, i int) uint32 {
	last := i == len(s.edges)-1
	switch {
	case last:
		return g.mask
	case s.kind == branch:
		return truth(&g.frame.values[s.args[0]])
	}
	index := &g.frame.values[s.args[0]]
	var mask uint32
	for m := g.mask; m != 0; m &= m - 1 {
		if lane := bits.TrailingZeros32(m); index[lane] == uint64(i) {
			mask |= 1 << lane
		}
	}
	return mask
}

// transfer does calls and returns.
func (b *running) transfer(w *warp, g *group, s *step) *engine.Fault {
	if s.kind == ret {
		if g.frame.parent == nil {
			b.end(w, g)
			return nil
		}
		f := g.frame
		for i, v := range s.args {
			move(&f.parent.values[f.site.results[i]], &f.values[v], g.mask)
		}
		g.frame, g.block, g.pc = f.parent, f.block, f.pc+1
		b.leave(f, g.mask)
		w.turn(w.merge(g), false)
		return nil
	}
	callee, args := s.callee, s.args
	if !w.split(g, guarded(g, s)) {
		return nil
	}
	if s.kind == callIndirect {
		target := &g.frame.values[args[0]]
		lane := bits.TrailingZeros32(g.mask)
		f, ok := b.program.at(target[lane], s.in)
		if !ok {
			fault := w.Fault(invalidPC, lane, fmt.Sprintf("call of %#x, which is no function that takes these operands", target[lane]))
			fault.Pos = s.in.Pos
			return fault
		}
		w.fork(g, func(lane int) bool { return target[lane] == f.address })
		callee, args = f.fn, args[1:]
	}
	return b.enter(w, g, s, callee, args)
}

// entry is a function whose address a kernel took.
type entry struct {
	fn      *function
	address uint64
}

// at finds the function at an address, which must take and give what the call says.
func (p *program) at(address uint64, in *ir.Instr) (entry, bool) {
	i := (address - ir.FuncAddressBase) / 16
	if address < ir.FuncAddressBase || address%16 != 0 || i >= uint64(len(p.table)) {
		return entry{}, false
	}
	f := p.table[i].fn
	if len(f.Params) != len(in.Args)-1 || len(f.Results) != len(in.Results) {
		return entry{}, false
	}
	for k, v := range f.Params {
		if v.Type.Bits() != in.Args[k+1].Type.Bits() {
			return entry{}, false
		}
	}
	return entry{p.table[i], address}, true
}

// enter moves a group into a function.
func (b *running) enter(w *warp, g *group, s *step, callee *function, args []int32) *engine.Fault {
	from := g.frame
	var f *frame
	for _, c := range from.children {
		if c.site == s && c.fn == callee {
			f = c
		}
	}
	if f == nil {
		local := alignUp(from.local+from.fn.frame, callee.align)
		if local+callee.frame > max(b.program.localBytes, frameBytes) {
			fault := w.Fault(stackError, bits.TrailingZeros32(g.mask),
				fmt.Sprintf("call stack overflow: %d calls deep in %d bytes", from.depth+1, b.program.localBytes))
			fault.Pos = s.in.Pos
			return fault
		}
		f = b.newFrame(callee)
		f.parent, f.site, f.block, f.pc, f.depth, f.local = from, s, g.block, g.pc, from.depth+1, local
		from.children = append(from.children, f)
	}
	for i, p := range callee.params {
		move(&f.values[p], &from.values[args[i]], g.mask)
	}
	f.lanes |= g.mask
	g.frame, g.block, g.pc = f, &callee.blocks[0], 0
	w.turn(w.merge(g), false)
	return nil
}

// leave takes lanes out of a frame and frees it when none is left.
func (b *running) leave(f *frame, mask uint32) {
	f.lanes &^= mask
	if f.lanes != 0 || f.parent == nil {
		return
	}
	siblings := f.parent.children
	for i, c := range siblings {
		if c == f {
			f.parent.children = append(siblings[:i], siblings[i+1:]...)
			break
		}
	}
	b.freeFrame(f)
}

// end ends the lanes of a group.
func (b *running) end(w *warp, g *group) {
	w.live &^= g.mask
	b.live -= bits.OnesCount32(g.mask)
	for f := g.frame; f != nil; {
		parent := f.parent
		b.leave(f, g.mask)
		f = parent
	}
	w.drop(g)
	b.lanesEnded(w)
}

// split keeps the lanes of mask in g; the others go on behind the instruction. It returns false if no lane is in mask,
// and then g has gone on itself.
func (w *warp) split(g *group, mask uint32) bool {
	if mask == g.mask {
		return true
	}
	if mask == 0 {
		g.pc++
		return false
	}
	h := w.newGroup(g, g.mask&^mask)
	h.pc++
	g.mask = mask
	return true
}

// fork keeps in g the lanes that hold; the others form a group at the same instruction.
func (w *warp) fork(g *group, hold func(lane int) bool) {
	var mask uint32
	for m := g.mask; m != 0; m &= m - 1 {
		if lane := bits.TrailingZeros32(m); hold(lane) {
			mask |= 1 << lane
		}
	}
	if mask != g.mask {
		w.newGroup(g, g.mask&^mask)
		g.mask = mask
	}
}
