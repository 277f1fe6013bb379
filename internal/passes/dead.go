package passes

import (
	"slices"

	"github.com/tandem-go/tandem/internal/ir"
)

// dead removes what nothing with an effect depends on: pure instructions, loads of parameters, and block parameters.
// Other loads stay, since they may fault. Atomic operations stay without the result that nobody reads.
func dead(c *context) {
	m := marker{live: make([]bool, c.f.Values)}
	for _, b := range c.f.Blocks {
		for _, in := range b.Instrs {
			if keeps(in) {
				m.uses(in)
			}
		}
	}
	for len(m.work) > 0 {
		v := m.work[len(m.work)-1]
		m.work = m.work[:len(m.work)-1]
		if v.Def != nil {
			m.uses(v.Def)
		} else if v.Block != nil {
			m.param(v)
		}
	}
	for _, b := range c.f.Blocks {
		b.Instrs = slices.DeleteFunc(b.Instrs, func(in *ir.Instr) bool {
			read := slices.ContainsFunc(in.Results, func(v *ir.Value) bool { return m.live[v.ID] })
			if in.Op == ir.OpAtom && !read && ir.AtomicOp(in.Sub) < ir.AtomExch {
				in.Op, in.Results = ir.OpRed, nil
			}
			return !keeps(in) && !read
		})
	}
	dropParams(c.f, func(p *ir.Value) bool { return !m.live[p.ID] })
}

// keeps reports whether in stays whether or not its results are used.
func keeps(in *ir.Instr) bool {
	return in.Op.Terminator() || in.Op.Effect() && (in.Op != ir.OpLoad || in.Space != ir.SpaceParam)
}

type marker struct {
	live []bool
	work []*ir.Value
}

func (m *marker) mark(v *ir.Value) {
	if !m.live[v.ID] {
		m.live[v.ID] = true
		m.work = append(m.work, v)
	}
}

// uses marks the operands of in; what edges pass is marked with the parameter that gets it.
func (m *marker) uses(in *ir.Instr) {
	for _, a := range in.Args {
		m.mark(a)
	}
	if in.Guard != nil {
		m.mark(in.Guard)
	}
}

// param marks what the edges to the parameter's block pass for it.
func (m *marker) param(v *ir.Value) {
	i := slices.Index(v.Block.Params, v)
	for _, p := range v.Block.Preds {
		for _, e := range p.Succs() {
			if e.To == v.Block {
				m.mark(e.Args[i])
			}
		}
	}
}
