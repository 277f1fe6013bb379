//go:build linux && (amd64 || arm64)

package jit

import "github.com/tandem-go/tandem/internal/ir"

// This file compiles windows, rows of shared memory whose elements are permuted, quarter by quarter.

// permuter is an isa that permutes lanes of 32 bits by numbers that are known.
type permuter interface {
	// permute makes lane l of d that of s whose number is in lane l of index.
	permute(d, index vec, s source)
	// mix makes d of a, and of b in the lanes with a bit in which.
	mix(d, a vec, b source, which uint8)
}

// windowRow returns the place of a row of the quarter. It may be relative to second.
func (e *quarterEmitter) windowRow(x *access8, row int) place {
	return e.at(x, x.window.parts[e.pool.q].at(row)-x.offset, second)
}

// loadWindow loads the rows of a quarter and takes the lanes' elements from them.
func (e *quarterEmitter) loadWindow(x *access8, d vec) {
	part, m := &x.window.parts[e.pool.q], e.windowRow(x, 0)
	if part.plain() {
		e.vload(d, m)
		return
	}
	e.chosen(d, part.place, inMem(m), inMem(m.plus(32)))
}

// chosen makes lane l of d that numbered from[l] of a or, less 8, of b.
func (e *quarterEmitter) chosen(d vec, from []int, a, b source) {
	index, t, which := e.pool.take(), e.pool.take(), uint8(0)
	e.vload(index, e.vectorOf(false, func(l int) uint64 { return uint64(from[l] % 8) }))
	for l, n := range from {
		which |= uint8(n/8) << l
	}
	e.permutes.permute(d, index, a)
	if which != 0 {
		e.permutes.permute(t, index, b)
		e.permutes.mix(d, d, inReg(t), which)
	}
	e.pool.give(index)
	e.pool.give(t)
}

// storeWindow stores the elements of a quarter's lanes, or of those that take part, in rows: both are permuted.
func (e *quarterEmitter) storeWindow(x *access8, masked bool) {
	part, r := &x.window.parts[e.pool.q], e.bitsOf(e.of(x.in.Args[1]), 0)
	var lanes vec
	if masked {
		lanes = e.lanesOf(x, false, 0)
	}
	if m := e.windowRow(x, 0); part.plain() {
		if masked {
			e.storeMasked(false, m, r, lanes)
		} else {
			e.vstore(m, r)
		}
		return
	}
	for row := range part.count {
		index, d, k := e.pool.take(), e.pool.take(), e.pool.take()
		e.vload(index, e.vectorOf(false, func(i int) uint64 { return uint64(max(0, part.laneAt(row, i))) }))
		e.permutes.permute(d, index, inReg(r))
		elements := e.vectorOf(false, func(i int) uint64 { return -uint64(btoi(part.laneAt(row, i) >= 0)) })
		if masked {
			e.permutes.permute(k, index, inReg(lanes))
			e.op2(vAnd, false, k, k, inMem(elements))
		} else {
			e.vload(k, elements)
		}
		e.storeMasked(false, e.windowRow(x, row), d, k)
		for _, r := range []vec{index, d, k} {
			e.pool.give(r)
		}
	}
}

// windowOf returns the window of an access, nil if it has none.
func (e *quarterEmitter) windowOf(in *ir.Instr) *window {
	if e.permutes == nil {
		return nil
	}
	return e.p.windowOf(in, 8)
}
