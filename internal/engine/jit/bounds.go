//go:build linux && (amd64 || arm64)

package jit

import (
	"math"
	"math/bits"

	"github.com/tandem-go/tandem/internal/ir"
)

// This file finds bounds of integers: how large a value may be as an unsigned number, and of which power of two it is a
// multiple, in every lane that computes it.

// numberBounds are the bounds of a value.
type numberBounds struct {
	most uint64
	// factor is a power of two that divides the value.
	factor uint64
}

// nothingKnown are the bounds before any way to a value has been seen.
var nothingKnown = numberBounds{0, 1 << 63}

func anything(t ir.Type) numberBounds { return numberBounds{^uint64(0) >> (64 - min(t.Bits(), 64)), 1} }

func (b numberBounds) join(o numberBounds) numberBounds {
	return numberBounds{max(b.most, o.most), min(b.factor, o.factor)}
}

// boundsOf are the bounds of a value as they are known so far.
func (p *plan) boundsOf(v *ir.Value) numberBounds {
	x := &p.vals[v.ID]
	if x.class == constant {
		imm := x.imm & anything(v.Type).most
		return numberBounds{imm, alignOf(imm)}
	}
	return x.numberBounds
}

// bound widens what is known of the results of in.
func (p *plan) bound(in *ir.Instr) (changed bool) {
	for _, r := range in.Results {
		x := &p.vals[r.ID]
		b := anything(r.Type)
		if len(in.Results) == 1 {
			b = p.boundsResult(in, b)
		}
		if b = b.join(x.numberBounds); b != x.numberBounds {
			x.numberBounds, changed = b, true
		}
	}
	return changed
}

// boundParam widens what is known of parameter i of a block: what changes from one turn of a loop to the next may be
// anything.
func (p *plan) boundParam(b *ir.Block, i int) (changed bool) {
	v := b.Params[i]
	x := &p.vals[v.ID]
	all := x.numberBounds
	for _, pred := range b.Preds {
		for _, e := range pred.Succs() {
			if e.To == b && p.known(e.Args[i]) {
				all = all.join(p.boundsOf(e.Args[i]))
			}
		}
	}
	if all.most != x.most && x.most != 0 {
		all.most = anything(v.Type).most
	}
	if all.factor != x.factor && x.factor != nothingKnown.factor {
		all.factor = 1
	}
	changed = all != x.numberBounds
	x.numberBounds = all
	return changed
}

// known tells that the analysis has come to v.
func (p *plan) known(v *ir.Value) bool {
	x := &p.vals[v.ID]
	return x.s != unknownShape || x.class == vector || x.class == mask
}

// boundsResult are the bounds of what in computes; all are those of its type.
func (p *plan) boundsResult(in *ir.Instr, all numberBounds) numberBounds {
	var x [3]numberBounds
	if len(in.Args) > len(x) || in.Results[0].Type.Bits() > 64 || in.As.Float() {
		return all
	}
	for i, a := range in.Args {
		x[i] = p.boundsOf(a)
	}
	n, isConst := uint64(0), false
	if len(in.Args) == 2 {
		n, isConst = p.vals[in.Args[1].ID].imm, p.vals[in.Args[1].ID].class == constant
	}
	a, b := x[0], x[1]
	out := all
	switch in.Op {
	case ir.OpSpecial:
		out.most = p.specialMost(ir.SReg(in.Index), all.most)
	case ir.OpLoad:
		if in.As.Integer() && !in.As.Signed() {
			out.most = min(all.most, anything(in.As).most)
		}
	case ir.OpAnd:
		out = numberBounds{min(a.most, b.most), max(a.factor, b.factor)}
	case ir.OpOr, ir.OpXor:
		out = numberBounds{uint64(1)<<bits.Len64(a.most|b.most) - 1, min(a.factor, b.factor)}
	case ir.OpAdd:
		if in.Flags == 0 {
			out = numberBounds{sum(a.most, b.most, all.most), min(a.factor, b.factor)}
		}
	case ir.OpSub:
		if in.Flags == 0 {
			out.factor = min(a.factor, b.factor)
		}
	case ir.OpMul, ir.OpMulWide:
		if in.Op == ir.OpMul || !in.As.Signed() || a.most <= math.MaxInt32 && b.most <= math.MaxInt32 {
			out = product(a, b, all.most)
		}
	case ir.OpShl:
		if isConst && n < 32 {
			out = product(a, numberBounds{1 << n, 1 << n}, all.most)
		}
	case ir.OpShr:
		if isConst && n < 64 && (!in.As.Signed() || a.most <= all.most>>1) {
			out = numberBounds{a.most >> n, max(1, a.factor>>n)}
		}
	case ir.OpExtend, ir.OpCvt:
		out = extended(in, a, all)
	case ir.OpCvta, ir.OpCvtaTo:
		if in.Space != ir.SpaceShared && in.Space != ir.SpaceLocal && in.Space != ir.SpaceParam {
			out = a
		}
	case ir.OpSelect:
		if in.As != ir.Pred {
			out = x[1].join(x[2])
		}
	case ir.OpMin:
		if !in.As.Signed() {
			out.most = min(a.most, b.most)
		}
	}
	return out
}

func sum(a, b, all uint64) uint64 {
	if s := a + b; s >= a && s <= all {
		return s
	}
	return all
}

func product(a, b numberBounds, all uint64) numberBounds {
	out := numberBounds{all, 1 << min(63, bits.TrailingZeros64(a.factor)+bits.TrailingZeros64(b.factor))}
	if hi, lo := bits.Mul64(a.most, b.most); hi == 0 && lo <= all {
		out.most = lo
	}
	return out
}

// extended are the bounds of a number of which From says how many bits count.
func extended(in *ir.Instr, a, all numberBounds) numberBounds {
	if !in.From.Integer() || in.Flags != 0 || in.Op == ir.OpCvt && !in.As.Integer() {
		return all
	}
	from := anything(in.From).most
	if in.From.Signed() {
		from >>= 1
	}
	if a.most > from || a.most > all.most {
		return numberBounds{all.most, 1}
	}
	return a
}

// mostThreads is how many threads a block has at most along each axis.
var mostThreads = [3]uint64{1024, 1024, 64}

// specialMost is the bound of a special register.
func (p *plan) specialMost(r ir.SReg, all uint64) uint64 {
	switch r {
	case ir.TidX, ir.TidY, ir.TidZ:
		axis := r - ir.TidX
		all := uint64(1)
		for _, n := range p.extent.ntid {
			if n.class != constant {
				return mostThreads[axis] - 1
			}
			all *= n.imm
		}
		if all%32 != 0 { // lanes that there are not have some index, too
			return mostThreads[axis] - 1
		}
		return p.extent.ntid[axis].imm - 1
	case ir.LaneID:
		return 31
	}
	return all
}
