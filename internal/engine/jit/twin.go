//go:build linux && (amd64 || arm64)

package jit

import "github.com/tandem-go/tandem/internal/ir"

// This file finds twins: numbers of which each half of a warp has one of its own, plus what lanes differ by within a half. They
// come from products of a thread index and a number that is known only at run time, in blocks whose rows are half a warp. Addresses
// made of them are two rows, and two numbers stand for all that lanes would compute.

// twin is the fact of an integer operation whose result is a twin.
func (p *plan) twin(in *ir.Instr) (fact, bool) {
	f := fact{class: twin, align: 1}
	var x [2]fact
	if !p.target.twins() || !in.As.Integer() || in.As.Bits() < 32 || len(in.Args) == 0 || len(in.Args) > len(x) {
		return fact{}, false
	}
	some := in.Op == ir.OpMul || in.Op == ir.OpMulWide
	for i, v := range in.Args {
		a := p.of(&p.vals[v.ID])
		x[i] = a
		if a.table != nil || a.class != constant && a.class != scalar && a.class != twin {
			return fact{}, false
		}
		some = some || a.class == twin
	}
	if !some {
		return fact{}, false
	}
	a := x[0]
	switch in.Op {
	case ir.OpAdd, ir.OpSub:
		f.s, f.align = a.s+x[1].s, min(a.alignOfHalves(), x[1].alignOfHalves())
		if in.Op == ir.OpSub {
			f.s = a.s - x[1].s
		}
		return f, in.Flags&ir.Sat == 0 && !tooSteep(f)
	case ir.OpMul, ir.OpMulWide:
		b := x[1]
		if a.class == twin || a.s != 0 || a.d != 0 {
			a, b = b, a
		}
		if a.class == twin || a.s != 0 || a.d != 0 {
			return fact{}, false
		}
		c, ok := factor(in, a)
		f.s, f.align = c*b.s, alignOfProduct(a.align, b.alignOfHalves())
		return f, (ok || b.s == 0) && !tooSteep(f)
	case ir.OpShl:
		if n := x[1]; n.class == constant && n.imm < 24 {
			f.s, f.align = a.s<<n.imm, alignOfProduct(a.align, 1<<n.imm)
			return f, !tooSteep(f)
		}
	case ir.OpExtend, ir.OpCvt:
		f.s, f.align = a.s, a.align
		return f, in.From.Integer() && in.From.Bits() >= 32 && in.Flags == 0 && in.Args[0].Type.Bits() >= 32
	case ir.OpCvta, ir.OpCvtaTo:
		f.s, f.align = a.s, min(a.align, 256)
		return f, in.Space != ir.SpaceLocal
	}
	return fact{}, false
}

// alignOfHalves is the power of two of which the numbers of lanes 0 and 16 are multiples.
func (f fact) alignOfHalves() uint64 {
	if f.class == constant || f.class == twin {
		return f.align
	}
	return min(f.align, alignOf(uint64(f.d)))
}
