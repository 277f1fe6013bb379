package jit

import "github.com/tandem-go/tandem/internal/ir"

// findRepeated finds loads of one row for both halves of the warp, as in blocks whose rows are half a warp: what they give is in
// one register.
func (p *plan) findRepeated() {
	for _, b := range p.f.Blocks {
		for _, in := range b.Instrs {
			if in.Op != ir.OpLoad || in.Guard != nil || elements(in) != 1 || in.As.Bytes() != 4 || in.Space == ir.SpaceLocal {
				continue
			}
			a, v := &p.vals[in.Args[0].ID], &p.vals[in.Results[0].ID]
			if a.class == scalar && a.s == 4 && a.d == 0 && v.class == vector && !v.wide() && !v.masked {
				v.class = repeated
			}
		}
	}
}
