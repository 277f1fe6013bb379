//go:build linux && (amd64 || arm64)

package jit

import (
	"slices"

	"github.com/tandem-go/tandem/internal/ir"
)

// terminator emits the end of a block.
func (e *quarterEmitter) terminator(in *ir.Instr) {
	waits := e.p.waits[e.block.Order]
	e.pool.begin(e, nil)
	if len(in.Targets) == 0 {
		e.end(waits)
		return
	}
	if len(in.Args) == 0 || len(in.Targets) == 1 {
		e.floatBits(in.Targets[0], waits)
		return
	}
	c := e.of(in.Args[0])
	switch {
	case in.Op == ir.OpCondBr && c.uniform():
		otherwise := e.newLabel()
		r := e.scalarIn(c, acc)
		e.test(r, r)
		e.branch(ifEqual, otherwise)
		e.floatBits(in.Targets[0], waits)
		e.bind(otherwise)
		e.floatBits(in.Targets[1], waits)
	case in.Op == ir.OpCondBr && in.Targets[0].To != in.Targets[1].To:
		if b := e.briefOf(in); b != nil {
			e.storeBriefly(in, b, c, waits)
		} else {
			e.diverge(in, c, waits)
		}
	case in.Op == ir.OpSwitch && c.uniform():
		last := len(in.Targets) - 1
		for i, t := range in.Targets[:last] {
			next := e.newLabel()
			e.compareImm(false, e.scalarIn(c, acc), int64(i))
			e.branch(ifNot, next)
			e.floatBits(t, waits)
			e.bind(next)
		}
		e.floatBits(in.Targets[last], waits)
	default:
		e.scatterLanes(in, c, waits)
	}
}

// end ends the lanes that execute.
func (e *quarterEmitter) end(waits bitset) {
	if !waits.empty() {
		e.endLanes(curGen)
	}
	e.dispatch(waits, -1)
}

// endLanes ends the lanes of a word.
func (e *quarterEmitter) endLanes(r gen) {
	e.move32(acc, r)
	e.invert(false, acc)
	e.memALU(aluAnd, frameAt(frameLive), acc)
}

// dispatch goes on at the first block where lanes wait: one of those in set, of which sure, unless it is -1, has some.
func (e *quarterEmitter) dispatch(set bitset, sure int) {
	over := false
	set.each(func(i int) {
		switch {
		case over:
		case i == sure:
			e.jump(e.heads[i])
			over = true
		default:
			e.compareMemImm(e.pend(i), 0)
			e.branch(ifNot, e.heads[i])
		}
	})
	if !over {
		e.jump(e.over)
	}
}

// single takes all lanes that execute along one edge.
func (e *quarterEmitter) floatBits(t ir.Edge, waits bitset) {
	to := t.To.Order
	if e.p.ends[to] {
		e.end(waits)
		return
	}
	e.moves(t, true)
	first := true
	waits.each(func(w int) { first = first && w > to })
	if first {
		e.jump(e.bodies[to])
		return
	}
	e.join(to, curGen, waits.has(to))
	set := newBitset(len(e.p.f.Blocks))
	set.or(waits)
	set.set(to)
	e.dispatch(set, to)
}

// join adds the lanes of a word to those that wait at a block.
func (e *quarterEmitter) join(to int, r gen, others bool) {
	if others {
		e.memALU(aluOr, e.pend(to), r)
	} else {
		e.store(4, e.pend(to), r)
	}
}

// diverge emits a branch at which lanes may go both ways.
func (e *quarterEmitter) diverge(in *ir.Instr, c *value, waits bitset) {
	// The lanes that go to the later block, or end, wait there; the others go on.
	late, soon := in.Targets[0], in.Targets[1]
	lateIsTrue := true
	if soonFirst := e.p.ends[late.To.Order] || !e.p.ends[soon.To.Order] && late.To.Order > soon.To.Order; !soonFirst {
		late, soon = soon, late
		lateIsTrue = false
	}
	none := e.newLabel()
	if by := e.block.Instrs[max(e.pc-1, 0)]; e.p.decided[by] {
		all := e.newLabel()
		if lateIsTrue {
			e.decide(by, all, none)
		} else {
			e.decide(by, none, all)
		}
		e.cold = append(e.cold, func() {
			e.pool.begin(e, nil)
			e.bind(all)
			e.floatBits(late, waits)
		})
	}
	e.move32(acc, e.wordIn(c, acc))
	if !lateIsTrue {
		e.invert(false, acc)
	}
	e.alu(aluAnd, false, acc, curGen)
	e.test(acc, acc)
	e.branch(ifEqual, none)
	e.store(4, frameAt(frameLanes), acc)
	lateEnds := e.p.ends[late.To.Order]
	if lateEnds {
		e.endLanes(acc)
	} else {
		e.moves(late, false)
		e.load(acc, 4, frameAt(frameLanes))
		e.join(late.To.Order, acc, waits.has(late.To.Order))
	}
	e.load(acc, 4, frameAt(frameLanes))
	e.alu(aluXor, false, curGen, acc)
	some := e.newLabel()
	e.test(curGen, curGen)
	e.branch(ifNot, some)
	set := newBitset(len(e.p.f.Blocks))
	set.or(waits)
	sure := -1
	if !lateEnds {
		sure = late.To.Order
		set.set(sure)
	}
	e.dispatch(set, sure)
	e.bind(some)
	e.bind(none)
	e.floatBits(soon, waits)
}

// decide emits jumps to all or none where a comparison holds for all lanes or for none, and else computes it for each.
func (e *quarterEmitter) decide(in *ir.Instr, all, none label) {
	x, y, how := e.p.sides(in)
	wide := in.From.Bits() == 64
	_, most := x.span()
	for _, v := range verdicts[how] {
		r := e.scalarIn(x, acc)
		if v.last {
			e.offset(wide, acc, r, int32(most))
			r = acc
		}
		e.compareWith(wide, r, y)
		c := *in
		c.Cmp = v.how
		to := none
		if v.all {
			to = all
		}
		e.branch(comparison(&c), to)
	}
	list := []*ir.Instr{in}
	e.pool.begin(e, list)
	e.sliceAll(list, nil)
	e.pool.begin(e, nil)
}

// scatterLanes is a branch with many targets: all lanes wait where they go, and the first block goes on.
func (e *quarterEmitter) scatterLanes(in *ir.Instr, c *value, waits bitset) {
	set := newBitset(len(e.p.f.Blocks))
	set.or(waits)
	last := len(in.Targets) - 1
	for i, t := range in.Targets {
		to := t.To.Order
		switch {
		case i == last:
			e.move32(acc, curGen)
		case in.Op == ir.OpCondBr:
			e.move32(acc, e.wordIn(c, acc))
			e.alu(aluAnd, false, acc, curGen)
		default:
			e.lanesEqual(c, uint64(i))
		}
		e.store(4, frameAt(frameLanes), acc)
		e.alu(aluXor, false, curGen, acc)
		if e.p.ends[to] {
			e.endLanes(acc)
			continue
		}
		e.moves(t, false)
		e.load(acc, 4, frameAt(frameLanes))
		e.join(to, acc, true)
		set.set(to)
	}
	e.dispatch(set, -1)
}

// lanesEqual puts the lanes that execute and of which c is k into acc.
func (e *quarterEmitter) lanesEqual(c *value, k uint64) {
	at := frameAt(frameLoop)
	e.everyQuarter(func(q int) {
		d := e.pool.take()
		e.op2(vEqual, false, d, e.bitsOf(c, 0), e.all(false, k))
		e.bits(acc, d)
		e.store(1, at.plus(int32(q)), acc)
	})
	e.pool.drop()
	e.load(acc, 4, at)
	e.alu(aluAnd, false, acc, curGen)
}

// moves gives the parameters of an edge's block their values: in the lanes that execute, or in those of frameLanes, where
// others hold some.
func (e *quarterEmitter) moves(t ir.Edge, all bool) {
	var list []transfer
	e.aside = 0
	for i, v := range t.To.Params {
		m := transfer{e.of(v), *e.of(t.Args[i])}
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
		i := slices.IndexFunc(list, func(m transfer) bool { return !blockedBy(m, list) })
		if i < 0 {
			e.setAside(list)
			continue
		}
		e.moveOne(list[i], all)
		list = slices.Delete(list, i, i+1)
	}
}

// blockedBy tells that m writes where another move still reads.
func blockedBy(m transfer, list []transfer) bool {
	for i := range list {
		if o := &list[i]; o.to != m.to && o.from.class != constant && sameHome(m.to, &o.from) {
			return true
		}
	}
	return false
}

// sameHome tells that two values share a register or a place.
func sameHome(a, b *value) bool {
	file := func(v *value) int {
		switch {
		case v.home.kind == nowhere:
			return -1
		case v.home.kind == inFrame:
			return 0
		case v.class == splat:
			return 1
		}
		return 2
	}
	switch f := file(a); {
	case f < 0 || f != file(b):
		return false
	case f == 0:
		return a.home.slot == b.home.slot
	}
	return a.home.reg == b.home.reg
}

// setAside copies a value to the frame that another move would overwrite, to break a cycle of moves.
func (e *quarterEmitter) setAside(list []transfer) {
	for i := range list {
		v := &list[i].from
		at := frameTemp + 256*int32(e.aside)
		in := slices.ContainsFunc(list, func(m transfer) bool { return m.to != list[i].to && sameHome(m.to, v) })
		if !in || v.class == constant {
			continue
		}
		if e.aside++; e.aside >= maxAside {
			break
		}
		to := *v
		to.home = home{kind: inFrame, slot: at}
		to.masked, to.uses = false, 1
		e.moveOne(transfer{&to, *v}, true)
		v.home = to.home
		return
	}
	e.fail("too many values change places at once")
	list[0].to = &value{}
}

// moveOne does one move.
func (e *quarterEmitter) moveOne(m transfer, all bool) {
	from, to := &m.from, m.to
	e.pool.quarter(once)
	lanes := func(scratch gen) gen {
		if all {
			return curGen
		}
		e.load(scratch, 4, frameAt(frameLanes))
		return scratch
	}
	switch to.class {
	case scalar, flag:
		e.scalarOut(to, e.scalarIn(from, acc))
	case mask:
		r := e.wordIn(from, acc)
		e.wordOut(to, r, lanes(second))
	case splat:
		r := e.reg(from, 0)
		if from.nan && !to.nan && from.class != constant {
			r = e.canonical(to.wide(), r)
		}
		e.splatOut(to, r)
		e.pool.drop()
	default:
		e.moveLanes(from, to, lanes)
	}
}

// splatOut gives a splat its value.
func (e *quarterEmitter) splatOut(v *value, r vec) {
	if v.home.kind == inRegister {
		e.vmove(vec(v.home.reg), r)
	} else {
		e.vstore(frameAt(v.home.slot), r)
	}
}

// moveLanes does the move to a value that has one element for each lane.
func (e *quarterEmitter) moveLanes(from, to *value, lanes func(gen) gen) {
	e.everyQuarter(func(q int) {
		var m vec
		if to.masked {
			m = e.pool.take()
			e.expand(m, lanes(acc), q)
		}
		for n := range e.partsOf(to) {
			r := e.reg(from, n)
			if from.nan && !to.nan && from.class != constant {
				r = e.canonical(to.wide(), r)
			}
			at := e.homeOf(to, q, n)
			if to.masked {
				k := m
				if to.wide() {
					k = e.pool.take()
					e.widen(k, inReg(m), n, true)
				}
				old := e.pool.take()
				e.vload(old, at)
				e.blend(old, k, r, old)
				r = old
			}
			e.vstore(at, r)
		}
	})
	e.pool.drop()
}

// transfer is a parameter that gets a value.
type transfer struct {
	to   *value
	from value
}
