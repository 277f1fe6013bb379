//go:build linux && (amd64 || arm64)

package jit

import "github.com/tandem-go/tandem/internal/ir"

// This file decides how many quarters of a warp take turns at the instructions of a piece.

// temporaries are the registers that an instruction computes in, beside those of its operands and its result.
func temporaries(in *ir.Instr) int {
	switch in.Op {
	case ir.OpEx2, ir.OpLg2, ir.OpSin, ir.OpCos, ir.OpRsqrt:
		return 5
	case ir.OpMulHi, ir.OpPopc, ir.OpShf, ir.OpDiv, ir.OpCvt:
		return 4
	}
	return 3
}

// turns is how many quarters can take turns at the instructions of a piece without moving values to the frame and back.
func (e *quarterEmitter) turns(sliced []*ir.Instr) int {
	e.pool.quarter(0)
	room := vecs
	for r := range e.pool.held {
		if e.pool.reserved(vec(r)) {
			room--
		}
	}
	most := quarters
	own := 0 // registers that each quarter needs
	for i, in := range sliced {
		reads, common := 0, 0
		seen := map[int]bool{}
		e.p.operands(in, func(x *ir.Value) {
			v := e.of(x)
			switch {
			case seen[x.ID] || v.class == constant || v.class == splat && v.home.kind == inRegister:
			case v.uniform():
				common++
			case !e.p.pieces.local.has(x.ID):
				reads += e.partsOf(v)
			}
			seen[x.ID] = true
		})
		for _, r := range in.Results {
			if v := e.of(r); v.uses > 0 && e.p.pieces.local.has(r.ID) {
				own += e.partsOf(v)
			}
		}
		for most > 1 && most*own+reads+common+temporaries(in) > room {
			most /= 2
		}
		for id := range seen {
			if u := e.pool.uses[id]; e.p.pieces.local.has(id) && u[len(u)-1] == i {
				own -= e.partsOf(&e.p.vals[id])
			}
		}
	}
	return most
}
