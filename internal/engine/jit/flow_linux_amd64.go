package jit

import (
	"slices"

	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// terminator emits the end of a block.
func (e *emitter) terminator(in *ir.Instr) {
	waits := e.p.waits[e.block.Order]
	if len(in.Targets) == 0 {
		e.end(waits)
		return
	}
	if len(in.Args) == 0 || len(in.Targets) == 1 {
		e.single(in.Targets[0], waits)
		return
	}
	c := e.of(in.Args[0])
	switch {
	case in.Op == ir.OpCondBr && c.uniform():
		otherwise := e.NewLabel()
		r := e.scalarIn(c, amd64.RAX)
		e.TestRR(amd64.W32, r, r)
		e.Jcc(amd64.E, otherwise)
		e.single(in.Targets[0], waits)
		e.Bind(otherwise)
		e.single(in.Targets[1], waits)
	case in.Op == ir.OpCondBr && in.Targets[0].To != in.Targets[1].To:
		if b := e.p.briefOf(e.block, in, 16); b != nil && !e.cloned {
			e.storeBriefly(in, b, c, waits)
		} else {
			e.diverge(in, c, waits)
		}
	case in.Op == ir.OpSwitch && c.uniform():
		last := len(in.Targets) - 1
		for i, t := range in.Targets[:last] {
			next := e.NewLabel()
			r := e.scalarIn(c, amd64.RAX)
			e.AluRI(amd64.W32, amd64.CMP, r, int32(i))
			e.Jcc(amd64.NE, next)
			e.single(t, waits)
			e.Bind(next)
		}
		e.single(in.Targets[last], waits)
	default:
		e.scatterLanes(in, c, waits)
	}
}

// end ends the lanes that execute.
func (e *emitter) end(waits bitset) {
	if !waits.empty() {
		e.laneBits(amd64.RAX, 1)
		e.NotR(amd64.W32, amd64.RAX)
		e.AluMR(amd64.W32, amd64.AND, amd64.At(frameReg, frameLive), amd64.RAX)
	}
	e.dispatch(waits, -1)
}

// dispatch goes on at the first block where lanes wait: one of those in set, of which sure, unless it is -1, has some.
func (e *emitter) dispatch(set bitset, sure int) {
	over := false
	set.each(func(i int) {
		switch {
		case over:
		case i == sure:
			e.Jmp(e.head[i])
			over = true
		default:
			e.AluMI(amd64.W32, amd64.CMP, amd64.At(frameReg, e.pend(i)), 0)
			e.Jcc(amd64.NE, e.head[i])
		}
	})
	if !over {
		e.Jmp(e.done)
	}
}

// single takes all lanes that execute along one edge.
func (e *emitter) single(t ir.Edge, waits bitset) {
	to := t.To.Order
	if e.p.ends[to] {
		e.end(waits)
		return
	}
	e.moves(t, 1)
	first := true
	waits.each(func(w int) { first = first && w > to })
	if first {
		e.jump(to)
		return
	}
	e.join(to, 1, waits.has(to))
	set := newBitset(len(e.p.f.Blocks))
	set.or(waits)
	set.set(to)
	e.dispatch(set, to)
}

// jump goes to the body of a block; nothing is emitted where it follows.
func (e *emitter) jump(to int) { e.Jmp(e.body[to]) }

// join adds the lanes of k and k+1 to those that wait at a block.
func (e *emitter) join(to int, k amd64.KReg, others bool) {
	for half := range int32(2) {
		m := amd64.At(frameReg, e.pend(to)+2*half)
		from := k + amd64.KReg(half)
		if others {
			e.KM(amd64.KMOVW, 7, m)
			e.KKK(amd64.KORW, 7, 7, from)
			from = 7
		}
		e.KM(amd64.KMOVWStore, from, m)
	}
}

// diverge emits a branch at which lanes may go both ways.
func (e *emitter) diverge(in *ir.Instr, c *value, waits bitset) {
	// The lanes that go to the later block, or end, wait there; the others go on.
	late, soon := in.Targets[0], in.Targets[1]
	lateIsTrue := true
	if soonFirst := e.p.ends[late.To.Order] || !e.p.ends[soon.To.Order] && late.To.Order > soon.To.Order; !soonFirst {
		late, soon = soon, late
		lateIsTrue = false
	}
	quiet := e.leavesQuietly(late, soon, waits)
	if by := e.p.joined[in]; by != nil {
		c = e.ahead(by, func(outcome bool) {
			switch {
			case outcome != lateIsTrue:
				e.single(soon, waits)
			case quiet:
				e.moves(late, 1)
				e.leaveAll(late.To.Order, waits)
			default:
				e.single(late, waits)
			}
		})
	}
	if quiet {
		e.goRound(c, lateIsTrue, late, soon, waits)
		return
	}
	none := e.NewLabel()
	e.decideWarp(in, lateIsTrue, none, func() { e.single(late, waits) })
	for half := range 2 {
		cur := amd64.KReg(1 + half)
		k := e.maskIn(c, half, 7)
		if lateIsTrue {
			e.KKK(amd64.KANDW, amd64.KReg(5+half), k, cur)
		} else {
			e.KKK(amd64.KANDNW, amd64.KReg(5+half), k, cur)
		}
	}
	e.KKK(amd64.KORTESTW, 5, 0, 6)
	e.Jcc(amd64.E, none)
	lateEnds := e.p.ends[late.To.Order]
	if lateEnds {
		e.laneBits(amd64.RAX, 5)
		e.NotR(amd64.W32, amd64.RAX)
		e.AluMR(amd64.W32, amd64.AND, amd64.At(frameReg, frameLive), amd64.RAX)
	} else {
		e.moves(late, 5)
		e.join(late.To.Order, 5, waits.has(late.To.Order))
	}
	for half := range amd64.KReg(2) {
		e.KKK(amd64.KANDNW, 1+half, 5+half, 1+half)
	}
	some := e.NewLabel()
	e.KKK(amd64.KORTESTW, 1, 0, 2)
	e.Jcc(amd64.NE, some)
	set := newBitset(len(e.p.f.Blocks))
	set.or(waits)
	sure := -1
	if !lateEnds {
		sure = late.To.Order
		set.set(sure)
	}
	e.dispatch(set, sure)
	e.Bind(some)
	e.Bind(none)
	e.single(soon, waits)
}

// decideWarp emits, where scalars tell of most warps that all their lanes go one way, jumps for these: to soon, or to what late emits.
func (e *emitter) decideWarp(branch *ir.Instr, lateIsTrue bool, soon amd64.Label, late func()) {
	by, conditions := e.block.Instrs[max(e.pc-1, 0)], e.p.joints[branch]
	if !e.p.decided[by] && conditions == nil {
		return
	}
	all := e.NewLabel()
	yes, no := all, soon
	if !lateIsTrue {
		yes, no = soon, all
	}
	if conditions != nil {
		e.decideJoint(conditions, yes, no)
	} else {
		e.decide(by, yes, no)
	}
	e.later(func() {
		e.Bind(all)
		late()
	})
}

// leavesQuietly tells that the block is a loop by itself at which nothing stops but the poll, and that few values go along
// when lanes leave it. Then each turn writes these values for all lanes that execute, which costs less than a branch that is
// mispredicted whenever some leave.
func (e *emitter) leavesQuietly(late, soon ir.Edge, waits bitset) bool {
	const most = 4 // vector registers
	here, parts := e.block.Order, 0
	if soon.To != e.block || e.p.ends[late.To.Order] || !e.loops[here] || len(e.sites) != e.quiet || e.cloned {
		return false
	}
	for w := range here + 1 {
		if waits.has(w) {
			return false // lanes would have to be counted before others go on
		}
	}
	for _, v := range late.To.Params {
		x := e.of(v)
		if x.home.kind == nowhere {
			continue
		}
		if !x.masked || x.class != vector {
			return false // other lanes do not keep theirs
		}
		parts += x.parts()
	}
	return parts <= most
}

// goRound emits the end of a turn of such a loop.
func (e *emitter) goRound(c *value, lateIsTrue bool, late, soon ir.Edge, waits bitset) {
	e.moves(late, 1)
	for half := range 2 {
		cur, k := amd64.KReg(1+half), e.maskIn(c, half, 7)
		if lateIsTrue {
			e.KKK(amd64.KANDNW, cur, k, cur)
		} else {
			e.KKK(amd64.KANDW, cur, k, cur)
		}
	}
	all := e.NewLabel()
	e.KKK(amd64.KORTESTW, 1, 0, 2)
	e.Jcc(amd64.E, all)
	e.single(soon, waits)
	to := late.To.Order
	if e.left == nil {
		e.left = map[int]int{}
	}
	e.left[e.block.Order] = to
	e.later(func() {
		e.Bind(all)
		e.leaveAll(to, waits)
	})
}

// leaveAll goes on when no lane is left in such a loop.
func (e *emitter) leaveAll(to int, waits bitset) {
	e.countLeft(false)
	set := newBitset(len(e.p.f.Blocks))
	set.or(waits)
	set.set(to)
	e.dispatch(set, to)
}

// ahead emits the first half of a branch on two joined predicates: a jump to what all emits where the one that all lanes share
// decides the outcome. It returns the other.
func (e *emitter) ahead(by *ir.Instr, all func(outcome bool)) *value {
	shared, other := e.of(by.Args[0]), e.of(by.Args[1])
	if shared.class != flag {
		shared, other = other, shared
	}
	decided, when := e.NewLabel(), amd64.E
	if by.Op == ir.OpOr {
		when = amd64.NE
	}
	r := e.scalarIn(shared, amd64.RAX)
	e.TestRR(amd64.W32, r, r)
	e.Jcc(when, decided)
	e.later(func() {
		e.Bind(decided)
		all(by.Op == ir.OpOr)
	})
	return other
}

// countLeft notes the lanes that have left the block's loop where they wait: all that live, but for those that execute, if
// some do, and those that wait elsewhere.
func (e *emitter) countLeft(some bool) {
	const ax, cx = amd64.RAX, amd64.RCX
	to := e.left[e.block.Order]
	if some {
		e.laneBits(ax, 1)
	} else {
		e.MovRI(ax, 0)
	}
	e.p.waits[e.block.Order].each(func(w int) {
		if w != to {
			e.MovRM(amd64.W32, cx, amd64.At(frameReg, e.pend(w)))
			e.AluRR(amd64.W32, amd64.OR, ax, cx)
		}
	})
	e.NotR(amd64.W32, ax)
	e.AluRM(amd64.W32, amd64.AND, ax, amd64.At(frameReg, frameLive))
	e.MovMR(amd64.W32, amd64.At(frameReg, e.pend(to)), ax)
}

// scatterLanes is a branch with many targets: all lanes wait where they go, and the first block goes on.
func (e *emitter) scatterLanes(in *ir.Instr, c *value, waits bitset) {
	set := newBitset(len(e.p.f.Blocks))
	set.or(waits)
	last := len(in.Targets) - 1
	for i, t := range in.Targets {
		to := t.To.Order
		for half := range 2 {
			cur, k := amd64.KReg(1+half), amd64.KReg(5+half)
			switch {
			case i == last:
				e.KKK(amd64.KMOVW, k, 0, cur)
			case in.Op == ir.OpCondBr:
				e.KKK(amd64.KANDW, k, e.maskIn(c, half, 7), cur)
			default:
				x := e.bitsIn(c, half, temp0)
				o := zmm
				o.K, o.Bcast = cur, true
				e.KRMI(amd64.VPCMPUD, k, x, amd64.At(blockReg, e.constant(uint64(i))), 0, o)
			}
			e.KKK(amd64.KANDNW, cur, k, cur)
		}
		if e.p.ends[to] {
			e.laneBits(amd64.RAX, 5)
			e.NotR(amd64.W32, amd64.RAX)
			e.AluMR(amd64.W32, amd64.AND, amd64.At(frameReg, frameLive), amd64.RAX)
			continue
		}
		e.moves(t, 5)
		e.join(to, 5, true)
		set.set(to)
	}
	e.dispatch(set, -1)
}

// move is a parameter that gets a value.
type move struct {
	to   *value
	from value
}

// moves gives the parameters of an edge's block their values, in the lanes of k and k+1 where others hold some.
func (e *emitter) moves(t ir.Edge, k amd64.KReg) {
	var list []move
	e.aside = 0
	for i, v := range t.To.Params {
		m := move{e.of(v), *e.of(t.Args[i])}
		if m.to.home.kind == nowhere || v == t.Args[i] {
			continue
		}
		same := m.to.home == m.from.home && m.from.class == m.to.class
		if same && (!m.from.nan || m.to.nan) {
			continue
		}
		list = append(list, m)
	}
	for len(list) > 0 && e.err == nil {
		i := slices.IndexFunc(list, func(m move) bool { return !e.blocked(m, list) })
		if i < 0 {
			e.setAside(list)
			continue
		}
		e.move(list[i], k)
		list = slices.Delete(list, i, i+1)
	}
}

// blocked tells that m writes where another move still reads.
func (e *emitter) blocked(m move, list []move) bool {
	for i := range list {
		if o := &list[i]; o.to != m.to && o.from.class != constant && touches(m.to, &o.from) {
			return true
		}
	}
	return false
}

// touches tells that two values share a register or a place.
func touches(a, b *value) bool {
	if a.home.kind != b.home.kind || a.home.kind == nowhere {
		return false
	}
	if a.home.kind == inFrame {
		return a.home.slot == b.home.slot
	}
	general := func(v *value) bool { return v.class == scalar || v.class == flag }
	if general(a) || general(b) || a.class == mask || b.class == mask {
		return general(a) == general(b) && (a.class == mask) == (b.class == mask) && a.home.reg == b.home.reg
	}
	return int(a.home.reg) < int(b.home.reg)+b.parts() && int(b.home.reg) < int(a.home.reg)+a.parts()
}

// setAside copies a value to the frame that another move would overwrite, to break a cycle of moves.
func (e *emitter) setAside(list []move) {
	for i := range list {
		v := &list[i].from
		at := frameTemp + 256*e.aside
		in := slices.ContainsFunc(list, func(m move) bool { return m.to != list[i].to && touches(m.to, v) })
		if !in || v.class == constant {
			continue
		}
		if e.aside++; e.aside >= maxAside {
			break
		}
		to := *v
		to.home = home{kind: inFrame, slot: at}
		to.masked = false
		e.move(move{&to, *v}, 1)
		v.home = to.home
		return
	}
	e.fail("too many values change places at once")
	list[0].to = &value{}
}

// move does one move.
func (e *emitter) move(m move, k amd64.KReg) {
	from := &m.from
	switch m.to.class {
	case scalar, flag:
		e.scalarOut(m.to, e.scalarIn(from, amd64.RAX))
	case twin:
		e.moveTwin(m.to, from)
	case mask:
		for half := range 2 {
			e.maskOutUnder(m.to, half, e.maskIn(from, half, 0), k)
		}
	default:
		parts := m.to.parts()
		if (from.class == splat || from.class == repeated) && touches(m.to, from) {
			e.RRR(amd64.VMOVUPS, temp1, 0, e.vectorIn(from, 0, temp1), zmm)
			from.home = home{kind: inRegister, reg: uint8(temp1)}
		}
		r := temp0
		for i := range parts {
			part := i
			if m.to.home.reg > from.home.reg { // where the two overlap
				part = parts - 1 - i
			}
			if i == 0 || !from.uniform() {
				r = e.vectorIn(from, part, temp0)
				if from.nan && !m.to.nan && from.class != constant {
					apart := *from // not in place: other lanes may have got bits there already, on another way
					apart.home = home{}
					r = e.canonical(&apart, r, temp0)
				}
			}
			opt := zmm
			if m.to.masked {
				opt.K = e.lanes(m.to, part, k)
			}
			e.outUnder(m.to, part, r, opt)
		}
	}
}
