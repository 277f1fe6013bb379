//go:build linux && (amd64 || arm64)

package jit

import (
	"math"

	"github.com/tandem-go/tandem/internal/ir"
)

// Accesses of one block of code whose addresses differ by constants are checked together, where the first of them stands. If
// that does not approve, the rest of the block runs in a second version, in which each access has its own check: an access
// that is never reached, or whose lanes do not all execute, must not be a fault.

// group is accesses that are checked together.
type group struct {
	a        *value
	shared   bool
	first    int // index of the instruction with the check
	members  int
	low, end int64 // from the address of lane 0: the least byte, and behind the last
	align    int64
}

// findGroups finds the groups among instructions of a block, of the accesses that plain admits.
func (p *plan) findGroups(list []*ir.Instr, plain func(in *ir.Instr) bool) map[*ir.Instr]*group {
	type key struct {
		id     int
		shared bool
	}
	all, groups := map[key]*group{}, map[*ir.Instr]*group{}
	for i, in := range list {
		n := elements(in)
		if n == 0 || in.Guard != nil || in.Space == ir.SpaceLocal || in.Space == ir.SpaceParam {
			continue
		}
		a, size := &p.vals[in.Args[0].ID], int64(in.As.Bytes())
		total, offset := size*int64(n), int64(in.Imm)
		if a.class != scalar && a.class != constant || a.table != nil || a.s%total != 0 || a.d%total != 0 || offset%total != 0 || offset > math.MaxInt32/4 || offset < math.MinInt32/4 {
			continue
		}
		if a.class == constant && a.imm > math.MaxInt32/2 && in.Space == ir.SpaceShared || size > 8 || !a.wide() && in.Space != ir.SpaceShared || !plain(in) {
			continue
		}
		k := key{in.Args[0].ID, in.Space == ir.SpaceShared}
		least, most := a.span()
		g := all[k]
		if g == nil {
			g = &group{a: a, shared: k.shared, first: i, low: offset + least, end: offset + most + total, align: total}
			all[k] = g
		}
		g.members++
		g.low, g.end, g.align = min(g.low, offset+least), max(g.end, offset+most+total), max(g.align, total)
		groups[in] = g
	}
	for _, g := range all {
		g.low -= (g.low%g.align + g.align) % g.align
	}
	for in, g := range groups {
		if g.members < 2 {
			delete(groups, in)
		}
	}
	return groups
}

// groupTries is how often Go looks for the region of a group.
const groupTries = 64
