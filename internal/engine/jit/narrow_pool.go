//go:build linux && (amd64 || arm64)

package jit

import (
	"math"

	"github.com/tandem-go/tandem/internal/ir"
)

// pool gives vector registers to the values of a piece while quarters are computed: one, or several that take turns.
type pool struct {
	e     *quarterEmitter
	q     int // the quarter, or once
	first int // of the quarters that take turns
	turns int // how many do
	turn  int // how many of them have executed the instruction
	now   int // index of the instruction among those of the quarter
	uses  map[int][]int
	held  [vecs]holding
	where map[part]vec
	// spilled and material are the places of parts without a register: temporary values, and scalars as vectors.
	spilled  map[part]place
	material map[int]place
	words    map[int]place // predicates that are put together quarter by quarter
	order    []*value      // of words
	splats   int           // registers that the pool must not take: those with splats
}

// part is a register's worth of a value: in quarter q of those that take turns, or in all.
type part struct{ id, n, q int }

// shared stands for a quarter where all have the same.
const shared = -1

// lanes is the value whose parts are the masks of the lanes that execute.
const lanes = -1

type holding struct {
	taken, locked bool
	pinned        bool // until the quarter ends
	of            part
	cached        bool // where[of] is this register
}

func (p *pool) reset() { *p = pool{e: p.e} }

// begin prepares for a piece of which quarters execute list.
func (p *pool) begin(e *quarterEmitter, list []*ir.Instr) {
	*p = pool{e: e, q: once, where: map[part]vec{}, spilled: map[part]place{}, material: map[int]place{}, words: map[int]place{}, uses: map[int][]int{}}
	for i, in := range list {
		e.p.operands(in, func(v *ir.Value) { p.uses[v.ID] = append(p.uses[v.ID], i) })
	}
}

// quarter begins a quarter: all registers are free.
func (p *pool) quarter(q int) { p.quarters(q, 1) }

// quarters begins quarters that take turns.
func (p *pool) quarters(first, n int) {
	p.q, p.first, p.turns, p.now, p.turn = first, first, n, 0, 0
	p.drop()
}

// instruction begins the turn of a quarter at instruction i.
func (p *pool) instruction(i, turn int) { p.now, p.turn, p.q = i, turn, p.first+turn }

// here is a part of a value that each quarter has its own of.
func (p *pool) here(id, n int) part { return part{id, n, p.q - p.first} }

// drop forgets what registers hold.
func (p *pool) drop() {
	p.held = [vecs]holding{}
	clear(p.where)
}

// take returns a register that is free until the instruction ends.
func (p *pool) take() vec {
	best, far := -1, -1
	for r := range p.held {
		if p.reserved(vec(r)) || p.held[r].locked || p.held[r].pinned {
			continue
		}
		if !p.held[r].taken {
			best = r
			break
		}
		if n := p.next(p.held[r].of); n > far {
			best, far = r, n
		}
	}
	if best < 0 {
		p.e.fail("too many values in one instruction")
		return 0
	}
	p.evict(vec(best))
	p.held[best] = holding{taken: true, locked: true}
	return vec(best)
}

// reserved tells that a splat of the kernel lives in r.
func (p *pool) reserved(r vec) bool {
	return int(r) >= firstSplat && p.e.splatIn[r]
}

// next is when a part is read again.
func (p *pool) next(of part) int {
	from := p.now
	if of.q != shared && of.q < p.turn || p.turn == p.turns {
		from++
	}
	for _, i := range p.uses[of.id] {
		if i >= from {
			return i
		}
	}
	return math.MaxInt32
}

// ends tells that the instruction is the last of the quarters that reads v.
func (p *pool) ends(v *value) bool {
	u := p.uses[v.v.ID]
	return p.q != once && len(u) > 0 && u[len(u)-1] == p.now && (p.keyOf(v, 0).q != shared || p.turn == p.turns-1)
}

// evict frees a register; a temporary value that is still needed goes to the frame.
func (p *pool) evict(r vec) {
	h := &p.held[r]
	if h.taken && h.cached {
		delete(p.where, h.of)
		if h.of.id >= 0 && p.e.p.pieces.local.has(h.of.id) && p.next(h.of) < math.MaxInt32 {
			at, ok := p.spilled[h.of]
			if !ok {
				at = p.e.room(32)
				p.spilled[h.of] = at
			}
			p.e.vstore(at, r)
		}
	}
	*h = holding{}
}

// keep makes r the register of a part, as long as it is read.
func (p *pool) keep(of part, r vec) {
	if p.q == once {
		return
	}
	p.where[of] = r
	p.held[r].of, p.held[r].cached = of, true
}

// release ends the turn of a quarter: what is not read again is free.
func (p *pool) release() {
	p.turn++
	for r := range p.held {
		h := &p.held[r]
		if h.pinned {
			continue
		}
		h.locked = false
		if h.taken && (!h.cached || h.of.id >= 0 && p.next(h.of) == math.MaxInt32) {
			if h.cached {
				delete(p.where, h.of)
			}
			*h = holding{}
		}
	}
}

// endPart ends a part of an instruction: registers of which nothing is known are free, and the others may be taken.
func (p *pool) endPart() { p.endBut(-1) }

// endBut is endPart for all registers but one.
func (p *pool) endBut(d int) {
	for r := range p.held {
		h := &p.held[r]
		if r == d || h.pinned {
			continue
		}
		h.locked = false
		if h.taken && !h.cached {
			*h = holding{}
		}
	}
}

// give ends the use of a register within the instruction.
func (p *pool) give(r vec) {
	if h := &p.held[r]; h.taken && !h.cached {
		*h = holding{}
	}
}

// keyOf is what register holds a part of v.
func (p *pool) keyOf(v *value, n int) part {
	switch {
	case v.uniform():
		return part{v.v.ID, 0, shared}
	case v.class == mask:
		n = 0
	}
	return p.here(v.v.ID, n)
}

// homeOf is the place of a part of a vector in the frame.
func (e *quarterEmitter) homeOf(v *value, q, n int) place {
	at := v.home.slot + int32(32*q)
	if v.wide() {
		at = v.home.slot + int32(64*q+32*n)
	}
	return frameAt(at)
}

// partsOf is how many registers v takes in a quarter.
func (e *quarterEmitter) partsOf(v *value) int {
	if v.class == vector && v.wide() && e.pool.q != once {
		return 2
	}
	return 1
}

// inRegister tells that a part of v is in a register.
func (e *quarterEmitter) inRegister(v *value, n int) bool {
	_, ok := e.pool.where[e.pool.keyOf(v, n)]
	return ok || v.class == splat && v.home.kind == inRegister
}

// reg returns a register with a part of v.
func (e *quarterEmitter) reg(v *value, n int) vec {
	p := &e.pool
	key := p.keyOf(v, n)
	if r, ok := p.where[key]; ok {
		p.held[r].locked = true
		return r
	}
	if v.class == splat && v.home.kind == inRegister {
		return vec(v.home.reg)
	}
	r := p.take()
	e.fill(r, v, n)
	p.keep(key, r)
	return r
}

// fill puts a part of v into r.
func (e *quarterEmitter) fill(r vec, v *value, n int) {
	p := &e.pool
	if at, ok := p.spilled[p.keyOf(v, n)]; ok {
		e.vload(r, at)
		return
	}
	switch v.class {
	case constant:
		if v.v.Type == ir.Pred {
			e.vload(r, e.all(false, -(v.imm&1)).at)
			break
		}
		if v.imm == 0 {
			e.zero(r)
		} else {
			e.vload(r, e.all(v.wide(), v.imm).at)
		}
	case splat:
		e.vload(r, frameAt(v.home.slot))
	case vector:
		if p.q == once {
			e.fail("v%d differs from lane to lane", v.v.ID)
			return
		}
		e.vload(r, e.homeOf(v, p.q, n))
	case scalar:
		if at, ok := p.material[v.v.ID]; ok {
			e.vload(r, at)
		} else {
			e.fromGeneral(v.wide(), r, e.scalarIn(v, acc))
		}
		if !v.uniform() {
			e.op2(vAdd, v.wide(), r, r, inMem(e.pattern(v, p.q, n)))
		}
	case flag:
		if at, ok := p.material[v.v.ID]; ok {
			e.vload(r, at)
			break
		}
		e.flagMask(r, v)
	case mask:
		if at, ok := p.words[v.v.ID]; ok { // of this piece, and not in its home yet
			e.load(acc, 4, at)
			e.expand(r, acc, p.q)
			break
		}
		e.expand(r, e.wordIn(v, acc), p.q)
	default:
		e.fail("value v%d has no vector form", v.v.ID)
	}
}

// flagMask puts a flag into r as a mask.
func (e *quarterEmitter) flagMask(r vec, v *value) {
	e.move(acc, e.scalarIn(v, acc))
	e.negate(false, acc)
	e.fromGeneral(false, r, acc)
}

// pattern is the vector of the offsets of a scalar's lanes in a part of a quarter.
func (e *quarterEmitter) pattern(v *value, q, n int) place {
	first := 8 * q
	if v.wide() {
		first += 4 * n
	}
	return e.vectorOf(v.wide(), func(l int) uint64 { return uint64(v.offset(first + l)) })
}

// operand returns a part of v: in memory if it is there and read once only.
func (e *quarterEmitter) operand(v *value, n int) source {
	p := &e.pool
	key := p.keyOf(v, n)
	if _, ok := p.where[key]; ok || v.class == splat && v.home.kind == inRegister {
		return inReg(e.reg(v, n))
	}
	if at, ok := p.spilled[key]; ok {
		return inMem(at)
	}
	if v.class == constant && v.v.Type != ir.Pred {
		return e.all(v.wide(), v.imm)
	}
	again := p.q != once && len(p.uses[v.v.ID]) > 0 && !p.ends(v)
	switch {
	case again:
	case v.class == splat:
		return inMem(frameAt(v.home.slot))
	case v.class == vector && p.q != once:
		return inMem(e.homeOf(v, p.q, n))
	case v.class == scalar && v.uniform():
		if at, ok := p.material[v.v.ID]; ok {
			return inMem(at)
		}
	}
	return inReg(e.reg(v, n))
}

// mayBeNaN tells that v may be a NaN which has to be canonical for whoever looks at the bits.
func (e *quarterEmitter) mayBeNaN(v *value) bool {
	return v.nan && v.class != constant && !e.isWholeSum(v)
}

// bitsOf is reg for whoever looks at the bits: NaNs are canonical.
func (e *quarterEmitter) bitsOf(v *value, n int) vec {
	if e.mayBeNaN(v) {
		return e.borrow(v, n, func(r vec) vec { return e.canonical(v.wide(), r) })
	}
	return e.reg(v, n)
}

// borrow is what f makes of a part of v. If that is another register, the one with the part is free for other values, unless
// the instruction reads it elsewhere: an instruction with several operands would run out of registers otherwise.
func (e *quarterEmitter) borrow(v *value, n int, f func(r vec) vec) vec {
	p := &e.pool
	r, locked := p.where[p.keyOf(v, n)]
	locked = locked && p.held[r].locked
	r = e.reg(v, n)
	d := f(r)
	if d != r && !locked {
		p.held[r].locked = false
		p.give(r)
	}
	return d
}

// bitsOperand is operand with canonical NaNs.
func (e *quarterEmitter) bitsOperand(v *value, n int) source {
	if e.mayBeNaN(v) {
		return inReg(e.bitsOf(v, n))
	}
	return e.operand(v, n)
}

// canonical returns r with canonical NaNs, in another register.
func (e *quarterEmitter) canonical(wide bool, r vec) vec {
	m, d := e.pool.take(), e.pool.take()
	e.compareFloats(ir.IsNaN, wide, m, r, inReg(r))
	nan := uint64(nan32)
	if wide {
		nan = nan64
	}
	e.vload(d, e.all(wide, nan).at)
	e.blend(d, m, d, r)
	e.pool.give(m)
	return d
}

// result returns the register in which to compute a part of a result.
func (e *quarterEmitter) result() vec { return e.pool.take() }

// conclude is done where no other register is needed again: they are free for what done needs.
func (e *quarterEmitter) conclude(v *value, n int, d vec) {
	e.pool.endBut(int(d))
	e.done(v, n, d)
	e.pool.endPart()
}

// done gives a part of v its value, which was computed in d.
func (e *quarterEmitter) done(v *value, n int, d vec) {
	p := &e.pool
	if v.class == unused || v.uses == 0 {
		return
	}
	if v.class == mask {
		e.doneMask(v, d)
		return
	}
	switch {
	case p.q == once && v.class == splat:
		if v.home.kind == inRegister {
			e.vmove(vec(v.home.reg), d)
		} else if v.home.kind == inFrame {
			e.vstore(frameAt(v.home.slot), d)
		}
		return
	case p.q == once:
		e.fail("v%d differs from lane to lane", v.v.ID)
		return
	case v.home.kind == inFrame:
		at := e.homeOf(v, p.q, n)
		if v.masked && !e.whole {
			old := p.take()
			e.vload(old, at)
			m := e.lanesMask()
			if v.wide() {
				k := p.take()
				e.widen(k, inReg(m), n, true)
				m = k
			}
			e.blend(old, m, d, old)
			e.vstore(at, old)
			p.give(old)
		} else {
			e.vstore(at, d)
		}
	}
	p.keep(p.here(v.v.ID, n), d)
}

// lanesMask returns the mask of the lanes of the quarter that execute.
func (e *quarterEmitter) lanesMask() vec {
	p := &e.pool
	if r, ok := p.where[p.here(lanes, 0)]; ok {
		p.held[r].locked = true
		return r
	}
	r := p.take()
	e.expand(r, curGen, p.q)
	p.keep(p.here(lanes, 0), r)
	return r
}

// doneMask gives a predicate its value in the quarter.
func (e *quarterEmitter) doneMask(v *value, d vec) {
	p := &e.pool
	p.keep(p.here(v.v.ID, 0), d)
	if v.home.kind == nowhere {
		return
	}
	e.bits(acc, d)
	if p.q > 0 {
		e.shiftImm(shiftLeft, false, acc, uint8(8*p.q))
	}
	if v.home.kind == inGeneral && !v.masked {
		if p.q == 0 {
			e.move32(gen(v.home.reg), acc)
		} else {
			e.alu(aluOr, false, gen(v.home.reg), acc)
		}
		return
	}
	at, ok := p.words[v.v.ID]
	if !ok {
		at = e.room(4)
		p.words[v.v.ID] = at
		p.order = append(p.order, v)
	}
	if p.q == 0 {
		e.store(4, at, acc)
	} else {
		e.memALU(aluOr, at, acc)
	}
}

// mergeWords gives predicates their values that all quarters have contributed to.
func (e *quarterEmitter) mergeWords() {
	for _, v := range e.pool.order {
		e.load(acc, 4, e.pool.words[v.v.ID])
		e.wordOut(v, acc, curGen)
	}
}

// materialise writes the scalars and flags that quarters read as vectors to the frame.
func (e *quarterEmitter) materialise(sliced []*ir.Instr) {
	p := &e.pool
	p.quarter(once)
	for _, in := range sliced {
		if in.Op == ir.OpLoad {
			continue
		}
		e.p.operands(in, func(x *ir.Value) {
			v := e.of(x)
			if _, ok := p.material[x.ID]; ok || v.class != scalar && v.class != flag {
				return
			}
			at := e.room(32)
			r := p.take()
			if v.class == flag {
				e.flagMask(r, v)
			} else {
				e.fromGeneral(v.wide(), r, e.scalarIn(v, acc))
			}
			e.vstore(at, r)
			p.give(r)
			p.material[x.ID] = at
		})
	}
	p.drop()
}
