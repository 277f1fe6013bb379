//go:build linux && (amd64 || arm64)

package jit

import "github.com/tandem-go/tandem/internal/ir"

// This file compiles rows of two elements of 32 bits a lane, such as complex numbers, that lie side by side.

// pairs tells that x is such a row.
func (e *quarterEmitter) pairs(x *access8, values []*ir.Value) bool {
	if x.size != 4 || x.n != 2 || x.a.s != 8 {
		return false
	}
	for _, v := range values {
		if y := e.of(v); y.wide() || len(x.in.Results) > 0 && y.class != vector {
			return false
		}
	}
	return true
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
	return true
}

// storePairs stores the pairs of a quarter, or of its lanes that take part; false if x has none.
func (e *quarterEmitter) storePairs(x *access8, masked bool) bool {
	values := x.in.Args[1:]
	if !e.pairs(x, values) {
		return false
	}
	m := e.row(x, e.pool.q, 0, second)
	if !x.past {
		e.askAhead(x, e.pool.q, m, true)
	}
	for n := range 2 {
		lo, hi := e.widened(e.of(values[0]), n, false), e.widened(e.of(values[1]), n, false)
		e.shiftVector(shiftLeft, true, hi, hi, 32)
		e.op2(vOr, false, lo, lo, inReg(hi))
		at := m.plus(int32(32 * n))
		if masked {
			k := e.lanesOf(x, true, n)
			e.storeMasked(true, at, lo, k)
			e.pool.give(k)
		} else {
			e.storeWhole(x, at, lo)
		}
		e.pool.give(lo)
		e.pool.give(hi)
	}
	return true
}
