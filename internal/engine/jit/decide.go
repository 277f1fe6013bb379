//go:build linux && (amd64 || arm64)

package jit

import "github.com/tandem-go/tandem/internal/ir"

// This file finds branches on a number whose lanes differ by constants, such as the thread index: comparisons of the first and
// the last lane tell most warps whether all lanes go one way.

// findDecided finds the comparisons that decide such branches.
func (p *plan) findDecided() {
	p.decided = map[*ir.Instr]bool{}
	for _, b := range p.f.Blocks {
		if in := p.comparison(b); in != nil {
			p.decided[in] = true
		}
	}
}

// comparison returns the comparison that decides the branch of b and nothing else, if its operands are a number whose lanes
// differ by constants and one that they share, nil if there is none.
func (p *plan) comparison(b *ir.Block) *ir.Instr {
	n, t := len(b.Instrs), b.Terminator()
	if n < 2 || t.Op != ir.OpCondBr || t.Targets[0].To == t.Targets[1].To || t.Targets[0].To == b || t.Targets[1].To == b {
		return nil
	}
	in := b.Instrs[n-2]
	if in.Op != ir.OpSetp || in.Results[0] != t.Args[0] || !in.From.Integer() || in.From.Bits() < 32 || in.From.Bits() > 64 {
		return nil
	}
	v := &p.vals[t.Args[0].ID]
	x, y, _ := p.sides(in)
	if v.class != mask || v.uses != 1 || v.masked || x.class != scalar || x.uniform() || !y.uniform() || y.class == flag {
		return nil
	}
	if least, most := x.span(); least < 0 || uint64(most) >= x.align {
		return nil // the sum with lane 0 may wrap around
	}
	return in
}

var swapped = map[ir.Cmp]ir.Cmp{ir.Eq: ir.Eq, ir.Ne: ir.Ne, ir.Lt: ir.Gt, ir.Le: ir.Ge, ir.Gt: ir.Lt, ir.Ge: ir.Le}

// sides are the operands of a comparison, the one that lanes share last, and how they are then compared.
func (p *plan) sides(in *ir.Instr) (x, y *value, how ir.Cmp) {
	x, y = &p.vals[in.Args[0].ID], &p.vals[in.Args[1].ID]
	if !x.uniform() {
		return x, y, in.Cmp
	}
	return y, x, swapped[in.Cmp]
}
