//go:build linux && (amd64 || arm64)

package jit

import (
	"math/bits"
	"slices"

	"github.com/tandem-go/tandem/internal/ir"
)

// This file finds accesses to shared memory at addresses that lie close together, at distances that are known: rows are loaded
// and stored whole, and permuted. Shared memory belongs to the goroutine that runs the block, so that nobody misses the bytes
// between.

// window is where the lanes of an access lie, in bytes from the address of lane 0 on.
type window struct {
	parts      []windowPart
	first, end int64
}

// windowPart is one or two rows of as many elements of four bytes as a vector has lanes, and the element there of each of these.
type windowPart struct {
	start  int64
	length int // of a row: elements
	count  int
	place  []int
}

// windowOf returns the window of an access for vectors of so many lanes, nil if it has none, or is better off without.
func (p *plan) windowOf(in *ir.Instr, lanes int) *window {
	a := &p.vals[in.Args[0].ID]
	if in.Space != ir.SpaceShared || elements(in) != 1 || in.As.Bytes() != 4 || a.class != scalar || a.table == nil && (a.s == 4 || a.s == 0) || a.align%4 != 0 || in.Imm%4 != 0 {
		return nil
	}
	v := in.Args[len(in.Args)-1]
	if len(in.Results) > 0 {
		v = in.Results[0]
	}
	if x := &p.vals[v.ID]; x.wide() || in.Op == ir.OpLoad && x.class != vector {
		return nil
	}
	w := &window{parts: make([]windowPart, 32/lanes)}
	for i := range w.parts {
		r := &w.parts[i]
		if !r.cover(a, i, lanes, int64(in.Imm), in.Op == ir.OpStore) {
			return nil
		}
		end := r.at(r.count)
		if i == 0 {
			w.first, w.end = r.start, end
		}
		w.first, w.end = min(w.first, r.start), max(w.end, end)
	}
	return w
}

// at is where row i begins.
func (r *windowPart) at(i int) int64 { return r.start + int64(4*r.length*i) }

// laneAt is the lane whose element is number i of a row, -1 if there is none.
func (r *windowPart) laneAt(row, i int) int { return slices.Index(r.place, r.length*row+i) }

// plain tells that the lanes of a part lie in one row as they are.
func (r *windowPart) plain() bool {
	for l, n := range r.place {
		if n != l {
			return false
		}
	}
	return true
}

// cover finds the rows for part of the lanes of addresses a plus an offset; false if they are too far apart or, where they
// have to be, not all different.
func (r *windowPart) cover(a *value, part, lanes int, offset int64, different bool) bool {
	at := make([]int64, lanes)
	for l := range at {
		if at[l] = a.offset(lanes*part+l) + offset; at[l]%4 != 0 {
			return false
		}
	}
	row := int64(4 * lanes)
	least, most := slices.Min(at), slices.Max(at)+4
	step := int64(min(a.align, uint64(row))) // rows begin where lines do if the address of lane 0 does
	r.length, r.start = lanes, least-(least%step+step)%step
	if most-r.start > 2*row {
		r.start = least
	}
	if r.count = 1; most-r.start > row {
		r.count = 2
	}
	if most-r.start > 2*row {
		return false
	}
	r.place = make([]int, lanes)
	seen := uint32(0) // by element of the rows
	for l := range at {
		r.place[l] = int(at[l]-r.start) / 4
		seen |= 1 << r.place[l]
	}
	return !different || bits.OnesCount32(seen) == len(at)
}

// insideOwn tells that bytes from first to end, counted from the shared address v of lane 0, are inside of the bytes that the kernel itself
// asks for.
func (p *plan) insideOwn(v *ir.Value, first, end, bytes int64) bool {
	_, top := p.vals[v.ID].span()
	most := p.boundsOf(v).most
	return first >= 0 && most <= uint64(bytes) && int64(most)-top+end <= bytes
}
