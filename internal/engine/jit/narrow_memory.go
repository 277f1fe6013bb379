//go:build linux && (amd64 || arm64)

package jit

import (
	"math"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/ops"
	"github.com/tandem-go/tandem/internal/ir"
)

// access8 is a load or store in code for quarters.
type access8 struct {
	in     *ir.Instr
	a      *value
	size   int64 // bytes of an element
	n      int   // elements of a lane
	offset int64
	// least and end are the bytes that are checked together, from the address of lane 0 without the offset on.
	least, end int64
	known      int32
	slow       label // the check of all lanes together did not approve
	fail       label // out to Go
	done       label // where Go goes on
	none       label // no lane is left by the guard
	// parts are those of an address that is not computed.
	parts *index
	// window is where lanes lie in rows that are permuted.
	window *window
	// word tells that the lanes of the access are in frameLanes, since not all that execute take part.
	word bool
	// base is where the first byte of the lane with the least address is, unless the register of the address serves.
	base   rowBase
	direct bool
	// near tells that another access of its group asks for the memory ahead.
	near bool
	// past tells that whole vectors are stored past the caches.
	past bool
}

// far tells that the address of each lane counts by itself; else they are a constant distance apart.
func (x *access8) far() bool { return x.a.class == vector || x.parts != nil }

// accessible tells that an access has code for quarters.
func accessible(p *plan, in *ir.Instr, values []*ir.Value) bool {
	a, size := &p.vals[in.Args[0].ID], int64(in.As.Bytes())
	if size > 8 || in.Space == ir.SpaceLocal || in.Space == ir.SpaceParam {
		return false
	}
	total, offset := size*int64(len(values)), int64(in.Imm)
	if offset > math.MaxInt32/2 || offset < math.MinInt32/2 || a.class == splat || a.class == constant && a.imm > math.MaxInt64 {
		return false
	}
	if a.class != vector && !a.apartBy(total) {
		return false
	}
	if a.class == vector && !a.wide() && in.Space != ir.SpaceShared {
		return false
	}
	for _, v := range values {
		if y := &p.vals[v.ID]; v.Type.Bytes() > 4 != (size > 4) || v.Type.Bits() > 64 || y.class == mask || y.class == flag {
			return false
		}
	}
	return true
}

// access begins a load or store: what retries it comes here.
func (e *quarterEmitter) access(in *ir.Instr, values []*ir.Value, kind siteKind) (*access8, bool) {
	run, err := ops.Compile(in)
	if err != nil || !accessible(e.p, in, values) {
		return nil, false
	}
	a := e.of(in.Args[0])
	x := &access8{in: in, a: a, size: int64(in.As.Bytes()), n: len(values), offset: int64(in.Imm), known: -1, parts: e.p.indexOf(in)}
	x.slow, x.fail, x.done, x.none = e.newLabel(), e.newLabel(), e.newLabel(), e.newLabel()
	retry := e.newLabel()
	s := site{kind: kind, in: in, run: run, access: -1, each: -1, size: int(x.size) * x.n, member: -1}
	if in.Space != ir.SpaceShared {
		x.known = e.slot(knownBytes)
		e.known = append(e.known, x.known)
		s.access = int(x.known)
		if x.far() {
			s.each = s.access + 16
		}
	}
	if x.parts != nil {
		x.offset += x.parts.add
	} else {
		s.least, s.most = a.span()
		e.extent(x)
	}
	e.retries[len(e.sites)] = retry
	e.bind(retry)
	e.leaveTo(x.fail, x.done, s)
	return x, true
}

// extent finds which bytes are checked.
func (e *quarterEmitter) extent(x *access8) {
	x.least, x.end = x.a.span()
	x.end += x.total()
	if x.window = e.windowOf(x.in); x.window != nil {
		x.least, x.end = x.window.first-x.offset, x.window.end-x.offset
	}
}

// concludeAccess emits the end of an access. bySelf emits the access to the address of each lane by itself: in place of code for rows,
// where a row reaches beyond shared memory and some of its lanes do not execute.
func (e *quarterEmitter) concludeAccess(x *access8, bySelf func()) {
	e.pool.drop()
	e.bind(x.done)
	rows := bySelf != nil && x.in.Space == ir.SpaceShared && !x.far() && (x.a.s != 0 || x.a.d != 0)
	scratch := e.scratch
	e.cold = append(e.cold, func() {
		e.bind(x.slow)
		if rows {
			e.scratch = scratch
			e.pool.begin(e, nil)
			e.checkLanes(x)
			bySelf()
			e.pool.drop()
			e.jump(x.done)
			return
		}
		e.jump(x.fail)
	})
}

// total is the bytes of a lane.
func (x *access8) total() int64 { return x.size * int64(x.n) }

// limit returns the place of the number of shared bytes, less n, plus one, or zero if that is negative: addresses below
// it begin n bytes of shared memory.
func (e *quarterEmitter) limit(n int64) place { return e.limitOf(limit{n, 0}) }

func (e *quarterEmitter) limitOf(l limit) place {
	at, ok := e.limits[l]
	if !ok {
		at = e.slot(8)
		e.limits[l] = at
	}
	return areaAt(at)
}

// check emits the check of an access at scalar addresses. acc is then the least address of a lane.
func (e *quarterEmitter) check(x *access8) {
	total, wide := x.total(), x.a.wide()
	if x.a.class == constant {
		at := x.a.imm + uint64(x.offset)
		if !wide {
			at = uint64(uint32(at))
		}
		e.set(acc, at)
	} else {
		e.offset(wide, acc, e.scalarIn(x.a, acc), int32(x.offset+x.least))
	}
	if known := x.a.align%uint64(total) == 0 && x.a.class != constant; (!known || x.offset%total != 0) && total > 1 && addressChecks {
		e.set(second, uint64(total-1))
		e.test(acc, second)
		e.branch(ifNot, x.slow)
	}
	if x.in.Space == ir.SpaceShared {
		if addressChecks && !e.p.insideOwn(x.in.Args[0], x.offset+x.least, x.offset+x.end, int64(e.k.SharedBytes)) {
			e.compareMem(true, acc, e.limit(x.end-x.least))
			e.branch(ifAboveEqual, x.slow)
		}
		e.aluMem(aluAdd, true, acc, areaAt(areaShared))
		return
	}
	if !addressChecks {
		return
	}
	e.move(third, acc)
	e.aluMem(aluSub, true, third, areaAt(x.known))
	e.compareMem(true, third, areaAt(x.known+8))
	e.branch(ifAboveEqual, x.slow)
}

// loadParam loads a parameter.
func (e *quarterEmitter) loadParam(in *ir.Instr) bool {
	a := e.of(in.Args[0])
	at, size := a.imm+in.Imm, uint64(in.As.Bytes())
	total := size * uint64(len(in.Results))
	if a.class != constant || in.Guard != nil || size > 8 || at > uint64(e.k.Params) || at+total > uint64(e.k.Params) || at%total != 0 {
		e.escape(in)
		return false
	}
	for i, r := range in.Results {
		e.loadElement(e.of(r), in.As, areaAt(areaParams+int32(at)+int32(uint64(i)*size)))
	}
	return true
}

// loadElement loads one element from memory for all lanes.
func (e *quarterEmitter) loadElement(v *value, as ir.Type, m place) {
	if v.home.kind == nowhere || v.class == unused {
		return
	}
	if v.class == splat && as.Bytes() == v.v.Type.Bytes() && as.Bytes() >= 4 {
		if v.home.kind == inRegister {
			e.broadcast(v.wide(), vec(v.home.reg), m)
			return
		}
		d := e.pool.take()
		e.broadcast(v.wide(), d, m)
		e.splatOut(v, d)
		e.pool.give(d)
		return
	}
	r := second
	if v.class == scalar && v.home.kind == inRegister {
		r = gen(v.home.reg)
	}
	e.loadExtended(r, as, v.v.Type, m)
	e.scalarOut(v, r)
}

// loadExtended loads an element, extended to a type by its sign if it has one.
func (e *quarterEmitter) loadExtended(r gen, as, to ir.Type, m place) {
	n := as.Bytes()
	switch {
	case as.Signed() && n < to.Bytes():
		e.loadSigned(r, n, to == ir.B64, m)
		if to == ir.B16 {
			e.extend(r, r, 16, false, true)
		}
	default:
		e.load(r, n, m)
	}
}

// loadUniform loads from one address for all lanes.
func (e *quarterEmitter) loadUniform(in *ir.Instr) {
	if x := e.member(in); x != nil {
		e.loadElements(x, e.row(x, 0, 0, acc))
		return
	}
	x, ok := e.access(in, in.Results, siteAccess)
	if !ok {
		e.escape(in)
		return
	}
	e.check(x)
	e.loadElements(x, place{acc, 0})
	e.concludeAccess(x, nil)
}

// loadElements loads the elements at a place for all lanes.
func (e *quarterEmitter) loadElements(x *access8, at place) {
	in := x.in
	for i, r := range in.Results {
		m := at.plus(int32(int64(i) * x.size))
		v := e.of(r)
		if v.class == scalar || v.class == splat && in.As.Bytes() == v.v.Type.Bytes() && in.As.Bytes() >= 4 || v.class == unused {
			e.loadElement(v, in.As, m)
			continue
		}
		e.loadExtended(second, in.As, v.v.Type, m)
		e.scalarOut(v, second)
	}
}

// checkRow emits the check of a load of a row, which the quarters do later. If it is not approved, and Go finds that it
// cannot be, Go sets frameSlow and goes on here.
func (e *quarterEmitter) checkRow(in *ir.Instr) *access8 {
	if x := e.member(in); x != nil {
		return x
	}
	x, ok := e.access(in, in.Results, siteRow)
	if !ok {
		e.fail("a load without code in a piece")
		return &access8{in: in}
	}
	e.check(x)
	e.keepBase(x)
	const most = 1024 // bytes of the frame
	if in.Space != ir.SpaceShared || x.end-x.least > most {
		e.concludeAccess(x, nil)
		return x
	}
	image := e.imageRoom(x)
	e.concludeAccess(x, func() { e.loadImage(x, image) })
	return x
}

// keepBase notes where the row is, whose least address is in acc.
func (e *quarterEmitter) keepBase(x *access8) {
	if x.direct = addressed(x.a, x.in.Space == ir.SpaceShared); x.direct {
		return
	}
	x.base = e.newBase()
	e.setBase(x.base)
}

// rowBase is where an address is: in a general register that no value needs in the piece, or in the frame.
type rowBase struct {
	reg  gen
	held bool
	at   place
}

// newBase makes room for an address.
func (e *quarterEmitter) newBase() rowBase {
	if n := len(e.free) - 1; n >= 0 {
		r := e.free[n]
		e.free = e.free[:n]
		e.lent[r] = true
		return rowBase{reg: r, held: true}
	}
	return rowBase{at: e.room(8)}
}

// setBase puts the address in acc there.
func (e *quarterEmitter) setBase(b rowBase) {
	if b.held {
		e.move(b.reg, acc)
	} else {
		e.store(8, b.at, acc)
	}
}

// findFree finds the general registers that no value needs in a piece.
func (e *quarterEmitter) findFree(first, last int) {
	e.free = e.free[:0]
	for i, r := range e.general {
		if !e.p.busyGeneral[i].meets(segment{e.start + 2*first, e.start + 2*last + 1}) {
			e.free = append(e.free, gen(r))
		}
	}
}

// addressed tells that the register of an address serves as the base of accesses.
func addressed(a *value, shared bool) bool {
	return a.class == scalar && a.wide() && a.home.kind == inRegister && !shared
}

// row returns the place of element i of the first lane of a quarter. It may be relative to r.
func (e *quarterEmitter) row(x *access8, q, i int, r gen) place {
	return e.at(x, x.a.offset(8*q)+int64(i)*x.size, r)
}

// at returns the place so many bytes behind the address of lane 0. It may be relative to r.
func (e *quarterEmitter) at(x *access8, off int64, r gen) place {
	if x.direct {
		return place{gen(x.a.home.reg), int32(off + x.offset)}
	}
	return e.based(x.base, r).plus(int32(off - x.least))
}

// based returns the place that a base has. It may be relative to r.
func (e *quarterEmitter) based(b rowBase, r gen) place {
	if b.held {
		return place{b.reg, 0}
	}
	e.load(r, 8, b.at)
	return place{r, 0}
}

// ahead is how many bytes behind a row its successors are asked for. A warp ends with many instructions that have nothing to
// do with memory, so the processor by itself looks less than a dozen lines ahead, and its prefetchers end with the page.
const ahead = 2048

// askAhead asks for the row behind this one, where the next warp, or the next block, is likely to access it: outside loops, and in those
// that leap, where it comes to it when this one has left the loop, in global memory. Shared memory is in the cache.
func (e *quarterEmitter) askAhead(x *access8, q int, m place, write bool) {
	if x.a.s != x.total() || x.size < 4 || x.near || x.in.Space == ir.SpaceShared || 8*q*int(x.a.s)%64 != 0 {
		return
	}
	if e.p.depth[e.block.Order] == 0 {
		e.prefetch(m.plus(ahead), write)
	} else if by, _ := e.p.leaps(x.in.Args[0]); by != nil {
		e.prefetch(m.plus(int32(engine.WarpSize*x.a.s)), write)
	}
}

// loadRow loads from addresses a constant distance apart, for one quarter. All of them were checked, lanes that do not
// execute included.
func (e *quarterEmitter) loadRow(x *access8) {
	if e.loadPairs(x) {
		return
	}
	q := e.pool.q
	for i, r := range x.in.Results {
		v := e.of(r)
		if v.uses == 0 || v.class == unused {
			continue
		}
		if v.class != vector {
			e.fail("a load of a row into a uniform value")
			return
		}
		m := e.row(x, q, i, second)
		e.askAhead(x, q, m, false)
		for n := range e.partsOf(v) {
			d := e.result()
			e.loadPart(x, v, d, 8*q+4*n, m.plus(x.apart(8*q, 8*q+4*n)))
			if x.word {
				e.clearOthers(v, n, d)
			}
			e.done(v, n, d)
			e.pool.endPart()
		}
	}
}

// clearOthers zeroes the lanes of d that are not in frameLanes.
func (e *quarterEmitter) clearOthers(v *value, n int, d vec) {
	m := e.wordMask(v.wide(), n)
	e.op2(vAnd, false, d, d, inReg(m))
	e.pool.give(m)
}

// wordMask returns the mask of the lanes in frameLanes, for a part of a quarter.
func (e *quarterEmitter) wordMask(wide bool, n int) vec {
	m := e.pool.take()
	e.load(acc, 4, frameAt(frameLanes))
	e.expand(m, acc, e.pool.q)
	if wide {
		e.widen(m, inReg(m), n, true)
	}
	return m
}

// apart is how many bytes lane b lies behind lane a.
func (x *access8) apart(a, b int) int32 { return int32(x.a.offset(b) - x.a.offset(a)) }

// loadPart loads eight elements, or four of 64 bits, of lanes from first on, which lies at m.
func (e *quarterEmitter) loadPart(x *access8, v *value, d vec, first int, m place) {
	as := x.in.As
	switch {
	case x.window != nil:
		e.loadWindow(x, d)
	case x.a.s == 0 && x.size >= 4:
		e.broadcast(v.wide(), d, m)
	case x.a.s == 0:
		e.loadExtended(acc, as, v.v.Type, m)
		e.fromGeneral(false, d, acc)
	case x.a.s == x.size && x.size >= 4:
		e.vload(d, m)
	case x.a.s == x.size:
		e.loadSmall(d, int(x.size), as.Signed(), m)
		if as.Signed() && v.v.Type == ir.B16 {
			e.op2(vAnd, false, d, d, e.all(false, 0xffff))
		}
	case x.size == 4:
		t, k := e.pool.take(), e.pool.take()
		e.vload(t, e.vectorOf(false, func(l int) uint64 { return uint64(x.apart(first, first+l)) }))
		e.vload(k, e.all(false, 0xffffffff).at)
		e.gather(d, m, 0, t, k)
		e.pool.give(t)
		e.pool.give(k)
	default:
		step := int32(max(x.size, 4))
		for l := range int(32 / max(x.size, 4)) {
			e.loadExtended(acc, as, v.v.Type, m.plus(x.apart(first, first+l)))
			e.store(int(step), frameAt(frameLoop+int32(l)*step), acc)
		}
		e.vload(d, frameAt(frameLoop))
	}
}

// loadAlone emits a load that is a piece of its own; false if it has no code.
func (e *quarterEmitter) loadAlone(in *ir.Instr) bool {
	if in.Space == ir.SpaceParam {
		return e.of(in.Args[0]).class == constant && in.Guard == nil && e.loadParam(in)
	}
	x, ok := e.access(in, in.Results, siteAccess)
	if !ok {
		return false
	}
	e.guard(x)
	switch {
	case x.far() && e.loadHalves(x):
	case x.far():
		e.checkLanes(x)
		e.gatherAll(x)
	default:
		e.check(x)
		if x.a.uniform() && !x.word {
			e.loadElements(x, place{acc, 0})
			break
		}
		e.keepBase(x)
		e.everyQuarter(func(int) { e.loadRow(x) })
	}
	e.concludeAccess(x, func() { e.gatherAll(x) })
	if in.Guard != nil {
		e.cold = append(e.cold, func() {
			e.bind(x.none)
			e.set(acc, 0)
			for _, r := range in.Results {
				e.pool.begin(e, nil)
				e.scalarOut(e.of(r), acc)
			}
			e.jump(x.done)
		})
	}
	return true
}

// guard emits the choice of the lanes of a guarded access. At none no lane is left.
func (e *quarterEmitter) guard(x *access8) {
	if x.in.Guard == nil {
		return
	}
	g := e.of(x.in.Guard)
	if g.uniform() {
		r := e.scalarIn(g, acc)
		e.test(r, r)
		e.branch(ifEqual, x.none)
		return
	}
	x.word = true
	e.move32(acc, e.wordIn(g, acc))
	e.alu(aluAnd, false, acc, curGen)
	e.store(4, frameAt(frameLanes), acc)
	e.test(acc, acc)
	e.branch(ifEqual, x.none)
}

// lanesOf returns the mask of the lanes of an access in a part of a quarter.
func (e *quarterEmitter) lanesOf(x *access8, wide bool, n int) vec {
	if x.word {
		return e.wordMask(wide, n)
	}
	m := e.pool.take()
	e.expand(m, curGen, e.pool.q)
	if wide {
		e.widen(m, inReg(m), n, true)
	}
	return m
}

// storeAlone emits a store; false if it has no code.
func (e *quarterEmitter) storeAlone(in *ir.Instr) bool {
	values := in.Args[1:]
	x, ok := e.access(in, values, siteAccess)
	if !ok {
		return false
	}
	e.guard(x)
	switch {
	case x.far():
		e.checkLanes(x)
		e.scatterAll(x)
	case x.a.uniform():
		e.check(x)
		e.storeUniform(x)
	default:
		e.check(x)
		e.keepBase(x)
		e.storeRows(x)
	}
	e.concludeAccess(x, func() { e.scatterAll(x) })
	if in.Guard != nil {
		e.cold = append(e.cold, func() {
			e.bind(x.none)
			e.jump(x.done)
		})
	}
	return true
}

// storeRows stores to addresses a constant distance apart.
func (e *quarterEmitter) storeRows(x *access8) {
	if x.word {
		e.everyQuarter(func(int) { e.storeRow(x, true) })
		return
	}
	some, after := e.newLabel(), e.newLabel()
	e.compareImm(false, curGen, -1)
	e.branch(ifNot, some)
	e.storeLines(x, after)
	e.everyQuarter(func(int) { e.storeRow(x, false) })
	e.bind(after)
	block, pc := e.block, e.pc
	e.cold = append(e.cold, func() {
		e.block, e.pc = block, pc
		e.scratch = e.base + 8 // behind the base of the row
		e.pool.begin(e, nil)
		e.bind(some)
		e.everyQuarter(func(int) { e.storeRow(x, true) })
		e.jump(after)
	})
}

// storeLines emits, out of line, the store of whole lines past the caches, which goes on at after; in line, the choice of it. All
// lanes execute.
func (e *quarterEmitter) storeLines(x *access8, after label) {
	side := x.n == 1 && x.size >= 4 && x.a.s == x.size
	if e.past == nil || !e.streams.stores[x.in] || !side && !e.pairs(x, x.in.Args[1:]) || x.a.d%lineBytes != 0 {
		return
	}
	e.streaming = true
	lines, usual, scratch, block, pc := e.newLabel(), e.newLabel(), e.scratch, e.block, e.pc
	e.compareMemImm(areaAt(areaStream), 0)
	e.branch(ifNot, lines)
	e.bind(usual)
	e.cold = append(e.cold, func() {
		e.block, e.pc, e.scratch = block, pc, scratch
		e.pool.begin(e, nil)
		e.bind(lines)
		m := e.row(x, 0, 0, second)
		e.offset(true, acc, m.base, m.disp)
		e.set(third, lineBytes-1)
		e.test(acc, third)
		e.branch(ifNot, usual)
		y := *x
		y.past = true
		e.everyQuarter(func(int) { e.storeRow(&y, false) })
		e.jump(after)
	})
}

// storeWhole stores a vector of a row.
func (e *quarterEmitter) storeWhole(x *access8, m place, r vec) {
	if x.past {
		e.past.vstorePast(m, r)
	} else {
		e.vstore(m, r)
	}
}

// storeRow stores the row of one quarter, or of its lanes that take part.
func (e *quarterEmitter) storeRow(x *access8, masked bool) {
	if x.window != nil {
		e.storeWindow(x, masked)
		return
	}
	if e.storePairs(x, masked) {
		return
	}
	for i, a := range x.in.Args[1:] {
		v := e.of(a)
		parts := 1
		if v.wide() {
			parts = 2
		}
		q := e.pool.q
		m := e.row(x, q, i, second)
		if !x.past {
			e.askAhead(x, q, m, true)
		}
		for n := range parts {
			r := e.bitsOf(v, n)
			at := m.plus(x.apart(8*q, 8*q+4*n))
			switch {
			case x.a.s == x.size && x.size >= 4 && !masked:
				e.storeWhole(x, at, r)
			case x.a.s == x.size && x.size >= 4:
				k := e.lanesOf(x, v.wide(), n)
				e.storeMasked(v.wide(), at, r, k)
				e.pool.give(k)
			default:
				e.storeLanes(x, v, n, r, at, masked)
			}
		}
	}
}

// storeLanes stores elements one by one.
func (e *quarterEmitter) storeLanes(x *access8, v *value, n int, r vec, at place, masked bool) {
	step, lanes := int32(4), 8
	if v.wide() {
		step, lanes = 8, 4
	}
	e.vstore(frameAt(frameLoop), r)
	if masked {
		if x.word {
			e.load(third, 4, frameAt(frameLanes))
		} else {
			e.move32(third, curGen)
		}
	}
	for l := range lanes {
		next := e.newLabel()
		if masked {
			e.move32(acc, third)
			e.aluImm(aluAnd, false, acc, int64(int32(uint32(1)<<(8*e.pool.q+4*n+l))))
			e.test(acc, acc)
			e.branch(ifEqual, next)
		}
		e.load(acc, int(step), frameAt(frameLoop+step*int32(l)))
		e.store(int(x.size), at.plus(x.apart(8*e.pool.q+4*n, 8*e.pool.q+4*n+l)), acc)
		e.bind(next)
	}
}

// storeUniform stores to one address: the value of the last lane stays.
func (e *quarterEmitter) storeUniform(x *access8) {
	e.keepBase(x)
	for i, a := range x.in.Args[1:] {
		v := e.of(a)
		if v.uniform() {
			e.scalarInto(v, acc)
			e.store(int(x.size), e.row(x, 0, i, second), acc)
			continue
		}
		step := int32(4)
		if v.wide() {
			step = 8
		}
		e.everyQuarter(func(q int) {
			for n := range e.partsOfOperand(v) {
				e.vstore(frameAt(frameLoop+8*step*int32(q)+32*int32(n)), e.bitsOf(v, n))
			}
		})
		if x.word {
			e.load(acc, 4, frameAt(frameLanes))
		} else {
			e.move32(acc, curGen)
		}
		e.leadingZeroes(false, acc, acc)
		e.set(second, 31)
		e.alu(aluSub, false, second, acc)
		e.shiftImm(shiftLeft, true, second, map[int32]uint8{4: 2, 8: 3}[step])
		e.alu(aluAdd, true, second, frameGen)
		e.load(acc, int(step), place{second, frameLoop})
		e.store(int(x.size), e.row(x, 0, i, second), acc)
	}
}

// partsOfOperand is the registers that a value of any class takes as one element for each lane.
func (e *quarterEmitter) partsOfOperand(v *value) int {
	if v.wide() {
		return 2
	}
	return 1
}
