package jit

import (
	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// This file compiles loads of one block by index whose addresses differ by constants. They are checked together, where the first of
// them stands, as groups of scalar addresses are: where that does not approve, or the lanes may have rows, the rest of the block runs
// in a second version.

// indexGroup is loads that are checked together.
type indexGroup struct {
	first    *ir.Instr
	members  int
	low, end int64 // the least of what the loads add to base and index, and the greatest
	// misses is the place of how often in a row the first found no rows.
	misses int32
}

// findIndexGroups finds the groups of a block.
func (e *emitter) findIndexGroups(b *ir.Block) {
	type key struct {
		base, v *ir.Value
		shift   uint8
		signed  bool
	}
	const most = 1 << 12 // bytes that the loads of a group are apart
	all := map[key]*indexGroup{}
	for _, in := range b.Instrs {
		x := e.p.indexOf(in)
		if x == nil || x.base == nil || x.shift > 3 || in.Op != ir.OpLoad || in.Guard != nil || elements(in) != 1 || in.As.Bytes() != 4 {
			continue
		}
		if v := e.of(in.Results[0]); v.class != vector || v.wide() || in.Space == ir.SpaceShared {
			continue
		}
		k, at := key{x.base, x.v, x.shift, x.signed}, x.add+int64(in.Imm)
		g := all[k]
		if g == nil || max(g.end, at)-min(g.low, at) > most || at&3 != g.low&3 {
			g = &indexGroup{first: in, low: at, end: at}
			all[k] = g
		}
		g.members++
		g.low, g.end = min(g.low, at), max(g.end, at)
		if g.members == 1 {
			continue
		}
		if g.members == 2 {
			g.misses = e.slot(8)
			e.jointly[g.first] = g
		}
		e.jointly[in] = g
	}
}

// gatherTogether emits a load that its group has checked; false if it has to be checked by itself. Where in is the first of its group
// it emits the check.
func (e *emitter) gatherTogether(in *ir.Instr) bool {
	g := e.jointly[in]
	if g == nil || e.cloned {
		return false
	}
	x := &access{in: in, a: e.of(in.Args[0]), size: 4, n: 1, lanes: 1, known: -1, parts: e.p.indexOf(in)}
	e.indexLeft(x)
	at := x.parts.add + int64(in.Imm)
	if in == g.first {
		e.checkTogether(x, g, at)
	} else {
		e.scalarInto(e.of(x.parts.base), amd64.RDX)
	}
	x.offset = at
	e.gather(x)
	e.giveBack()
	return true
}

// checkTogether emits the check of a group, of which x is the first access, at a distance from base and index. RDX is then the base.
func (e *emitter) checkTogether(x *access, g *indexGroup, at int64) {
	retry, other := e.NewLabel(), e.secondVersion()
	x.fail = e.NewLabel()
	e.Bind(retry)
	e.AluMI(amd64.W32, amd64.CMP, amd64.At(blockReg, g.misses), rowTries)
	e.Jcc(amd64.BE, other)
	x.known = e.slot(knownBytes)
	x.each = x.known + 16
	e.known = append(e.known, x.known)
	x.offset = g.low - x.parts.add
	e.checkIndexed(x)
	e.learnOr(x.fail, other, retry, amd64.At(blockReg, e.slot(8)),
		site{kind: siteGroup, in: x.in, access: int(x.known), each: int(x.each), member: -1, least: g.low - at, most: g.end - at, size: 4, left: x.left})
}
