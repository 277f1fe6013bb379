package interp

// The order of groups. The group that is least in program order runs, so that lanes which are behind catch up with those
// that wait where ways meet. Program order is the reverse post-order of blocks, compared along the chain of calls from the
// entry on. After backEdges back edges taken in a warp the turn goes to the next warp, and in this warp to the group that
// has waited longest, which then runs until it blocks, ends, or as many back edges were taken again: so every group makes
// progress whatever it waits for.
const backEdges = 1024

// choose returns the group to run, nil if none can.
func (w *warp) choose() *group {
	var best *group
	for _, g := range w.groups {
		if g.wait != runnable {
			continue
		}
		if best == nil || w.force && g.since < best.since || !w.force && before(g, best) {
			best = g
		}
	}
	w.forced, w.force = w.force, false
	if best == nil {
		best = w.goAlone()
	}
	w.current = best
	return best
}

// goAlone lets the first group go on that waits for lanes of its member mask, when no lane of the warp can come any more.
func (w *warp) goAlone() *group {
	var best *group
	for _, g := range w.groups {
		if g.wait == atMeeting && (best == nil || before(g, best)) {
			best = g
		}
	}
	if best != nil {
		best.wait, best.alone = runnable, true
	}
	return best
}

// pause ends the run of the current group.
func (w *warp) pause() {
	if w.current != nil {
		w.current.since = w.tick()
		w.current = nil
	}
}

// turn is called after the group g, which was current, has moved to another place. It reports whether the turn of the
// warp is over. Where a group that runs by force divided, those of its lanes go on that took the last way.
func (w *warp) turn(g *group, back bool) bool {
	if back {
		w.edges++
		if w.edges >= backEdges {
			w.edges, w.force = 0, true
			w.current = g
			w.pause()
			return true
		}
	}
	if len(w.groups) > 1 && !w.forced {
		g.since = w.tick()
		w.current = nil
		return false
	}
	w.current = g
	return false
}

// before compares groups in program order.
func before(a, b *group) bool {
	if a.frame == b.frame {
		return less(a.block.order, a.pc, b.block.order, b.pc)
	}
	for depth := 0; ; depth++ {
		fa, ao, ap := place(a, depth)
		fb, bo, bp := place(b, depth)
		if fa.fn != fb.fn {
			return fa.fn.index < fb.fn.index // called from the same place through a pointer
		}
		if ao != bo || ap != bp {
			return less(ao, ap, bo, bp)
		}
		if depth >= a.frame.depth || depth >= b.frame.depth {
			return a.frame.depth < b.frame.depth // one stands at the call that the other has made
		}
	}
}

func less(ao, ap, bo, bp int) bool { return ao < bo || ao == bo && ap < bp }

// place is where the chain of calls of g stands at a depth: its frame there, and the order of the block and the index of
// the instruction, which is the call in outer frames.
func place(g *group, depth int) (f *frame, order, pc int) {
	f, order, pc = g.frame, g.block.order, g.pc
	for f.depth > depth {
		order, pc = f.block.order, f.pc
		f = f.parent
	}
	return f, order, pc
}
