package jit

import "github.com/tandem-go/tandem/internal/engine/jit/amd64"

// This file compiles windows: rows of shared memory, permuted.

// checkWindow emits the check that the rows are in shared memory.
func (e *emitter) checkWindow(x *access, w *window) {
	x.far = false
	r := e.scalarIn(x.a, amd64.RAX)
	if !addressChecks || e.p.insideOwn(x.in.Args[0], w.first, w.end, int64(e.k.SharedBytes)) {
		x.base = amd64.AtIndex(sharedReg, r, 1, 0)
		return
	}
	e.plus(width(x.a), amd64.RAX, r, int32(w.first))
	e.AluRM(amd64.W64, amd64.CMP, amd64.RAX, e.limit(w.end-w.first))
	e.Jcc(amd64.AE, x.slow)
	x.base = amd64.AtIndex(sharedReg, amd64.RAX, 1, int32(-w.first))
}

// loadWindow loads the rows of each half and takes the lanes' elements from them.
func (e *emitter) loadWindow(x *access, w *window) {
	v := e.of(x.in.Results[0])
	if v.home.kind == nowhere {
		return
	}
	for half := range w.parts {
		h := &w.parts[half]
		d := e.dst(v, half)
		e.RRM(amd64.VMOVUPS, d, 0, e.pairIndices(func(l int) int { return h.place[l] }), zmm)
		if h.count == 1 {
			e.RRM(amd64.VPERMD, d, d, x.at(h.start), zmm)
		} else {
			e.RRM(amd64.VMOVUPS, temp1, 0, x.at(h.start), zmm)
			e.RRM(amd64.VPERMI2D, d, temp1, x.at(h.at(1)), zmm)
		}
		e.kept(x, v, half, d)
		e.out(v, half, d)
	}
}

// storeWindow stores the lanes' elements in rows, under the lanes that execute, which are permuted as the elements are.
func (e *emitter) storeWindow(x *access, w *window) {
	v := e.of(x.in.Args[1])
	nowhere := e.pairIndices(func(int) int { return 0 })
	for half := range w.parts {
		h := &w.parts[half]
		from := e.stored(x, v, half, temp1)
		e.RK(amd64.VPMOVM2D, temp0, x.lanes+amd64.KReg(half), zmm)
		for row := range h.count {
			lanes := e.pairIndices(func(i int) int {
				if l := h.laneAt(row, i); l >= 0 {
					return l
				}
				return 16 // none of the lanes
			})
			e.RRM(amd64.VMOVUPS, temp2, 0, lanes, zmm)
			e.op(amd64.VPERMD, temp3, temp2, from)
			e.RRM(amd64.VPERMI2D, temp2, temp0, nowhere, zmm)
			e.KR(amd64.VPMOVD2M, 7, temp2, zmm)
			e.RRM(amd64.VMOVDQU32Store, temp3, 0, x.at(h.at(row)), under(7))
		}
	}
}
