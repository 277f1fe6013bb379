//go:build linux && (amd64 || arm64)

package jit

import "github.com/tandem-go/tandem/internal/ir"

// This file compiles accesses to two elements of 32 bits a lane, such as complex numbers, which are loaded and stored at once.

// twins tells that x accesses two such elements.
func (e *quarterEmitter) twins(x *access8, values []*ir.Value) bool {
	if x.size != 4 || x.n != 2 {
		return false
	}
	for _, v := range values {
		if y := e.of(v); y.wide() || len(x.in.Results) > 0 && y.class != vector {
			return false
		}
	}
	return true
}

// pairs tells that x is a row of them, which lie side by side.
func (e *quarterEmitter) pairs(x *access8, values []*ir.Value) bool {
	return x.a.s == 8 && e.twins(x, values)
}

// loadPairs loads the pairs of a quarter; false if x has none.
func (e *quarterEmitter) loadPairs(x *access8) bool {
	if x.word || !e.pairs(x, x.in.Results) {
		return false
	}
	m := e.row(x, e.pool.q, 0, second)
	e.askAhead(x, e.pool.q, m, false)
	lo, hi := e.pool.take(), e.pool.take()
	e.vload(lo, m)
	e.vload(hi, m.plus(32))
	e.unpair(x, lo, hi)
	return true
}

// unpair gives the results of x the elements of a quarter's lanes, of which lo and hi hold four pairs each.
func (e *quarterEmitter) unpair(x *access8, lo, hi vec) {
	for i, r := range x.in.Results {
		if i == 1 {
			e.shiftVector(shiftRight, true, lo, lo, 32)
			e.shiftVector(shiftRight, true, hi, hi, 32)
		}
		d := e.result()
		e.narrow(d, lo, hi)
		e.done(e.of(r), 0, d)
	}
	e.pool.endPart()
}

// gatherTwins loads the pairs of a quarter from the address of each lane.
func (e *quarterEmitter) gatherTwins(x *access8) {
	var both [2]vec
	for n := range both {
		a, m := e.laneAddress(x, n), e.lanesOf(x, true, n)
		both[n] = e.pool.take()
		e.gatherWide(both[n], int32(x.offset), a, m)
		e.pool.give(a)
		e.pool.give(m)
	}
	e.unpair(x, both[0], both[1])
}

// scatterTwins stores the pairs of a quarter to the address of each lane, in the order of lanes.
func (e *quarterEmitter) scatterTwins(x *access8) {
	for n := range 2 {
		r := e.twin(x, n)
		e.vstore(frameAt(laneValues+32*int32(n)), r)
		e.pool.endPart()
	}
	e.eachLane(func(l int) {
		e.load(acc, 8, frameAt(laneValues+8*int32(l)))
		e.store(8, place{second, int32(x.offset)}, acc)
	})
}

// twin returns the pairs of four lanes.
func (e *quarterEmitter) twin(x *access8, n int) vec {
	lo, hi := e.widened(e.of(x.in.Args[1]), n, false), e.widened(e.of(x.in.Args[2]), n, false)
	e.shiftVector(shiftLeft, true, hi, hi, 32)
	e.op2(vOr, false, lo, lo, inReg(hi))
	e.pool.give(hi)
	return lo
}

// storePairs stores the pairs of a quarter, or of its lanes that take part; false if x has none.
func (e *quarterEmitter) storePairs(x *access8, masked bool) bool {
	if !e.pairs(x, x.in.Args[1:]) {
		return false
	}
	m := e.row(x, e.pool.q, 0, second)
	if !x.past {
		e.askAhead(x, e.pool.q, m, true)
	}
	for n := range 2 {
		r := e.twin(x, n)
		at := m.plus(int32(32 * n))
		if masked {
			k := e.lanesOf(x, true, n)
			e.storeMasked(true, at, r, k)
			e.pool.give(k)
		} else {
			e.storeWhole(x, at, r)
		}
		e.pool.give(r)
	}
	return true
}
