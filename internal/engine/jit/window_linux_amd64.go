package jit

import (
	"math/bits"
	"slices"

	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// This file compiles accesses to shared memory at addresses that lie close together, at distances that are known: rows are
// loaded and stored whole, and permuted. Shared memory belongs to the goroutine that runs the block, so that nobody misses
// the bytes between.

// window is where the lanes of an access lie, in bytes from the address of lane 0 on.
type window struct {
	halves     [2]windowHalf
	first, end int64
}

// windowHalf is one or two rows of 16 elements of four bytes, and the element there of each of 16 lanes.
type windowHalf struct {
	start int64
	rows  int
	place [16]int
}

const rowBytes = 64

// windowOf returns the window of an access, nil if it has none, or is better off without.
func (e *emitter) windowOf(in *ir.Instr) *window {
	a := e.of(in.Args[0])
	if in.Space != ir.SpaceShared || elements(in) != 1 || in.As.Bytes() != 4 || a.class != scalar || a.table == nil && (a.s == 4 || a.s == 0) || a.align%4 != 0 || in.Imm%4 != 0 {
		return nil
	}
	v := in.Args[len(in.Args)-1]
	if len(in.Results) > 0 {
		v = in.Results[0]
	}
	if e.of(v).wide() || in.Op == ir.OpLoad && e.of(v).class != vector {
		return nil
	}
	var w window
	for half := range w.halves {
		if !w.halves[half].cover(a, half, int64(in.Imm), in.Op == ir.OpStore) {
			return nil
		}
	}
	w.first = min(w.halves[0].start, w.halves[1].start)
	w.end = max(w.halves[0].end(), w.halves[1].end())
	return &w
}

func (h *windowHalf) end() int64 { return h.start + int64(h.rows)*rowBytes }

// cover finds the rows for half of the lanes of addresses a plus an offset; false if they are too far apart or, where they
// have to be, not all different.
func (h *windowHalf) cover(a *value, half int, offset int64, different bool) bool {
	var at [16]int64
	for l := range at {
		if at[l] = a.offset(16*half+l) + offset; at[l]%4 != 0 {
			return false
		}
	}
	least, most := slices.Min(at[:]), slices.Max(at[:])+4
	step := int64(min(a.align, rowBytes)) // rows begin where lines do if the address of lane 0 does
	h.start = least - (least%step+step)%step
	if most-h.start > 2*rowBytes {
		h.start = least
	}
	if h.rows = 1; most-h.start > rowBytes {
		h.rows = 2
	}
	if most-h.start > 2*rowBytes {
		return false
	}
	seen := uint32(0) // by element of the rows
	for l := range at {
		h.place[l] = int(at[l]-h.start) / 4
		seen |= 1 << h.place[l]
	}
	return !different || bits.OnesCount32(seen) == len(at)
}

// checkWindow emits the check that the rows are in shared memory.
func (e *emitter) checkWindow(x *access, w *window) {
	x.far = false
	r := e.scalarIn(x.a, amd64.RAX)
	if e.baseInside(x.in.Args[0], w.first, w.end) {
		x.base = amd64.AtIndex(sharedReg, r, 1, 0)
		return
	}
	e.plus(width(x.a), amd64.RAX, r, int32(w.first))
	e.AluRM(amd64.W64, amd64.CMP, amd64.RAX, e.limit(w.end-w.first))
	e.Jcc(amd64.AE, x.slow)
	x.base = amd64.AtIndex(sharedReg, amd64.RAX, 1, int32(-w.first))
}

// baseInside tells that bytes from first to end, counted from the shared address of lane 0, are inside of what the kernel
// itself asks for.
func (e *emitter) baseInside(v *ir.Value, first, end int64) bool {
	_, top := e.of(v).span()
	most := e.p.boundsOf(v).most
	return first >= 0 && most <= uint64(e.k.SharedBytes) && int64(most)-top+end <= int64(e.k.SharedBytes)
}

// loadWindow loads the rows of each half and takes the lanes' elements from them.
func (e *emitter) loadWindow(x *access, w *window) {
	v := e.of(x.in.Results[0])
	if v.home.kind == nowhere {
		return
	}
	for half := range w.halves {
		h := &w.halves[half]
		d := e.dst(v, half)
		e.RRM(amd64.VMOVUPS, d, 0, e.pairIndices(func(l int) int { return h.place[l] }), zmm)
		if h.rows == 1 {
			e.RRM(amd64.VPERMD, d, d, x.at(h.start), zmm)
		} else {
			e.RRM(amd64.VMOVUPS, temp1, 0, x.at(h.start), zmm)
			e.RRM(amd64.VPERMI2D, d, temp1, x.at(h.start+rowBytes), zmm)
		}
		e.kept(x, v, half, d)
		e.out(v, half, d)
	}
}

// storeWindow stores the lanes' elements in rows, under the lanes that execute, which are permuted as the elements are.
func (e *emitter) storeWindow(x *access, w *window) {
	v := e.of(x.in.Args[1])
	nowhere := e.pairIndices(func(int) int { return 0 })
	for half := range w.halves {
		h := &w.halves[half]
		from := e.stored(x, v, half, temp1)
		e.RK(amd64.VPMOVM2D, temp0, x.lanes+amd64.KReg(half), zmm)
		for row := range h.rows {
			lanes := e.pairIndices(func(i int) int {
				if l := slices.Index(h.place[:], 16*row+i); l >= 0 {
					return l
				}
				return 16 // none of the lanes
			})
			e.RRM(amd64.VMOVUPS, temp2, 0, lanes, zmm)
			e.op(amd64.VPERMD, temp3, temp2, from)
			e.RRM(amd64.VPERMI2D, temp2, temp0, nowhere, zmm)
			e.KR(amd64.VPMOVD2M, 7, temp2, zmm)
			e.RRM(amd64.VMOVDQU32Store, temp3, 0, x.at(h.start+int64(row)*rowBytes), under(7))
		}
	}
}
