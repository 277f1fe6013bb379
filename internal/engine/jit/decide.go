//go:build linux && (amd64 || arm64)

package jit

import (
	"slices"

	"github.com/tandem-go/tandem/internal/ir"
)

// This file finds branches on a number whose lanes differ by constants, such as the thread index: comparisons of the first and
// the last lane tell most warps whether all lanes go one way.

// findDecided finds the comparisons that decide such branches.
func (p *plan) findDecided() {
	p.decided, p.joints, p.late = map[*ir.Instr]bool{}, map[*ir.Instr]*joint{}, map[*ir.Instr]bool{}
	for _, b := range p.f.Blocks {
		if in := p.comparison(b); in != nil {
			p.decided[in] = true
		} else if p.target.joints() {
			p.findJoint(b)
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
	if in.Op != ir.OpSetp || in.Results[0] != t.Args[0] || !p.decidable(in) {
		return nil
	}
	return in
}

// decidable tells that a comparison is of a number whose lanes differ by constants with one that they share, and is used once.
func (p *plan) decidable(in *ir.Instr) bool {
	if in.Op != ir.OpSetp || !in.From.Integer() || in.From.Bits() < 32 || in.From.Bits() > 64 {
		return false
	}
	v := &p.vals[in.Results[0].ID]
	x, y, _ := p.sides(in)
	if v.class != mask || v.uses != 1 || v.masked || x.class != scalar || x.uniform() || !y.uniform() || y.class == flag {
		return false
	}
	least, most := x.span()
	return least >= 0 && uint64(most) < x.align // else the sum with lane 0 may wrap around
}

// joint is several conditions of which a branch takes the conjunction or disjunction. Most warps learn from scalars which way all of
// their lanes go; the masks are computed at the branch, by those that do not.
type joint struct {
	op ir.Op // or, and
	// instrs are what computes masks, in order.
	instrs []*ir.Instr
	// flags are the conditions that all lanes share, and comparisons those that the first and the last lane decide.
	flags       []*ir.Value
	comparisons []*ir.Instr
}

// findJoint finds the conditions of the branch at the end of b.
func (p *plan) findJoint(b *ir.Block) {
	t := b.Terminator()
	if t.Op != ir.OpCondBr || t.Targets[0].To == t.Targets[1].To || t.Targets[0].To == b || t.Targets[1].To == b {
		return
	}
	root := t.Args[0].Def
	if root == nil || root.Op != ir.OpOr && root.Op != ir.OpAnd {
		return
	}
	j := &joint{op: root.Op}
	if !p.gather(j, b, t.Args[0]) || len(j.comparisons) == 0 {
		return
	}
	first := slices.IndexFunc(b.Instrs, func(in *ir.Instr) bool { return slices.Contains(j.instrs, in) })
	for _, in := range b.Instrs[first : len(b.Instrs)-1] {
		// The reference engine may go on behind these, with values that are not computed yet.
		if in.Op.Effect() && in.Op != ir.OpLoad && in.Op != ir.OpStore || len(p.steps[in]) > 0 {
			return
		}
	}
	slices.SortFunc(j.instrs, func(x, y *ir.Instr) int { return slices.Index(b.Instrs, x) - slices.Index(b.Instrs, y) })
	p.joints[t] = j
	for _, in := range j.instrs {
		p.late[in] = true
	}
}

// gather adds the conditions that make v to a joint, and reports whether v is made of nothing else.
func (p *plan) gather(j *joint, b *ir.Block, v *ir.Value) bool {
	x, in := &p.vals[v.ID], v.Def
	switch {
	case x.class == flag:
		j.flags = append(j.flags, v)
		return true
	case x.class != mask || x.uses != 1 || x.masked || in == nil || in.Block != b || in.Guard != nil:
		return false
	}
	j.instrs = append(j.instrs, in)
	if in.Op == j.op {
		return p.gather(j, b, in.Args[0]) && p.gather(j, b, in.Args[1])
	}
	j.comparisons = append(j.comparisons, in)
	return p.decidable(in)
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

// verdict is what a comparison of the first or last lane says of the whole warp.
type verdict struct {
	last bool // of the last lane
	how  ir.Cmp
	all  bool // holds for all lanes then, else for none
}

var verdicts = map[ir.Cmp][]verdict{
	ir.Lt: {{true, ir.Lt, true}, {false, ir.Ge, false}},
	ir.Le: {{true, ir.Le, true}, {false, ir.Gt, false}},
	ir.Gt: {{false, ir.Gt, true}, {true, ir.Le, false}},
	ir.Ge: {{false, ir.Ge, true}, {true, ir.Lt, false}},
	ir.Eq: {{false, ir.Gt, false}, {true, ir.Lt, false}},
	ir.Ne: {{false, ir.Gt, true}, {true, ir.Lt, true}},
}

// idle says that a warp whose lanes all have v, which is not negative, at a number or above it does nothing more.
type idle struct {
	v    *ir.Value // nil: no warp does
	from int64
}

// idleFrom finds out of which warps nothing is left to do from instruction k of b on: those that the comparisons there lead
// to the end past nothing but barriers.
func (p *plan) idleFrom(b *ir.Block, k int) (way idle, ok bool) {
	for steps := 0; steps < len(p.f.Blocks); steps++ {
		t := b.Terminator()
		for _, in := range b.Instrs[k : len(b.Instrs)-1] {
			if in.Op.Effect() && !plainBarrier(in) {
				return idle{}, false
			}
		}
		next := ir.Edge{}
		switch {
		case t.Op == ir.OpRet || t.Op == ir.OpExit:
			return way, way.v != nil
		case len(t.Targets) == 1:
			next = t.Targets[0]
		case t.Op == ir.OpCondBr && len(b.Instrs) > k+1 && p.decided[b.Instrs[len(b.Instrs)-2]]:
			in := b.Instrs[len(b.Instrs)-2]
			v, from, holds, ok := p.above(in)
			if !ok || way.v != nil && way.v != v {
				return idle{}, false
			}
			way = idle{v, max(way.from, from)}
			next = t.Targets[1-btoi(holds)]
		}
		if next.To == nil || next.To.Order <= b.Order {
			return idle{}, false
		}
		b, k = next.To, 0
	}
	return idle{}, false
}

// above says for which lanes a comparison of a number that is not negative with a constant is the same for all greater
// numbers: from that on, and what it is there.
func (p *plan) above(in *ir.Instr) (v *ir.Value, from int64, holds, ok bool) {
	v, c := in.Args[0], in.Args[1]
	if p.vals[v.ID].uniform() {
		v, c = c, v
	}
	_, y, how := p.sides(in)
	n := int64(int32(y.imm))
	if y.class != constant || in.From.Bits() != 32 || n < 0 || p.boundsOf(v).most > 1<<30 || n > 1<<30 {
		return nil, 0, false, false
	}
	switch how {
	case ir.Gt, ir.Ne:
		return v, n + 1, true, true
	case ir.Ge:
		return v, n, true, true
	case ir.Lt:
		return v, n, false, true
	}
	return v, n + 1, false, true // ≤, =
}

// idleBehind is idleFrom for what comes behind the barrier that is instruction k of b, where the value of the answer is in its home
// at the barrier's position and no lanes wait elsewhere.
func (p *plan) idleBehind(b *ir.Block, k, at int) (way idle, ok bool) {
	way, ok = p.idleFrom(b, k+1)
	return way, ok && p.waits[b.Order].empty() && slices.ContainsFunc(p.vals[way.v.ID].segs, func(s segment) bool { return s.first <= at && at <= s.last })
}

// findJoined finds, by branch, what joins a predicate that all lanes share with one that they do not, for that branch alone: it is
// not computed, the branch asks for one after the other.
func (p *plan) findJoined() {
	p.joined = map[*ir.Instr]*ir.Instr{}
	for _, b := range p.f.Blocks {
		n, t := len(b.Instrs), b.Terminator()
		if n < 2 || t.Op != ir.OpCondBr || t.Targets[0].To == t.Targets[1].To || p.joints[t] != nil {
			continue
		}
		in := b.Instrs[n-2]
		if in.Op != ir.OpAnd && in.Op != ir.OpOr || in.As != ir.Pred || in.Results[0] != t.Args[0] {
			continue
		}
		v, x, y := &p.vals[in.Results[0].ID], p.vals[in.Args[0].ID].class, p.vals[in.Args[1].ID].class
		if v.uses == 1 && !v.masked && (x == flag && y == mask || x == mask && y == flag) {
			v.uses = 0
			p.joined[t] = in
		}
	}
}
