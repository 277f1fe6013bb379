//go:build linux && (amd64 || arm64)

package jit

import (
	"maps"
	"slices"

	"github.com/tandem-go/tandem/internal/ir"
)

// narrow is a target whose vectors hold a quarter of a warp.
//
// A warp's values of one element for each lane do not fit into its registers. So they live in the frame, and code goes
// through a piece of a block, instructions at which nothing can stop, once for each quarter, with temporary values in
// registers; values that begin and end inside a piece have no home at all. What is the same for all lanes, addresses and
// their checks included, is computed once, before the quarters. Predicates are a word with a bit for each lane; inside a
// piece they are masks of vectors.
type narrow struct {
	engine string
	code   func() isa
	// general are the registers for scalars, flags and predicates.
	general []uint8
	// leastStreamed is the least that a launch writes whose stores go past the caches, where the isa has such stores.
	leastStreamed uint64
	// permutes tells that the isa is a permuter.
	permutes bool
}

// splats in registers; the others of the processor's vectors are for temporary values.
const (
	firstSplat = 10
	splatRegs  = vecs - firstSplat
)

func (t *narrow) name() string { return t.engine }

func (t *narrow) registers() registers {
	return registers{general: t.general, vectors: splatRegs, firstVector: firstSplat, onlySplats: true}
}

func (t *narrow) vector(in *ir.Instr) (ok, nan bool) {
	n := quarterNative(in)
	return n.emit != nil, n.nan
}

func (t *narrow) scalar(in *ir.Instr) bool { return scalarNative(in) }

func (t *narrow) lasts(*plan, *ir.Instr, *ir.Value) bool { return false }

func (t *narrow) tables() bool { return t.permutes }

func (t *narrow) twins() bool { return false }

func (t *narrow) joints() bool { return false }

func (t *narrow) walkers() bool { return true }

func (t *narrow) early(p *plan, in *ir.Instr) bool {
	return len(in.Results) > 1 || p.vals[in.Results[0].ID].class == splat
}

// work is how an instruction is executed.
type work uint8

const (
	workNone   work = iota // nothing is to be done
	workOnce               // once for the warp, before the quarters of its piece
	workSliced             // for each quarter
	workAlone              // in a piece of its own
)

// pieces are the parts of blocks that are executed at once.
type pieces struct {
	work  [][]work // by block and instruction
	first [][]int  // the first instruction of the piece
	last  [][]int
	// early are the instructions that are executed once, before what quarters execute of the instructions ahead of them, and that may
	// end with a fault or in the reference engine. There the piece begins again, so its operands are kept.
	early [][]bool
	// groups are the accesses of a piece that are checked together. If that does not approve, the piece begins again.
	groups map[*ir.Instr]*group
	local  bitset // values that begin and end in one piece, and have no home
}

// prepare divides the blocks into pieces.
func (t *narrow) prepare(p *plan) {
	s := &pieces{local: newBitset(len(p.vals)), groups: map[*ir.Instr]*group{}}
	p.pieces = s
	for order, b := range p.f.Blocks {
		n := len(b.Instrs)
		w, first, last, early := make([]work, n), make([]int, n), make([]int, n), make([]bool, n)
		begin, sliced := 0, false
		defined := map[int]bool{} // values of the piece that quarters compute
		for i, in := range b.Instrs {
			w[i] = t.workOf(p, in)
			if w[i] == workOnce && t.onMasks(p, in, defined) {
				w[i] = workSliced
			}
			if w[i] == workAlone || i > 0 && w[i-1] == workAlone {
				begin, sliced = i, false
				clear(defined)
			}
			first[i] = begin
			early[i] = sliced && w[i] == workOnce && (in.Op == ir.OpLoad || mayLeave(p, in))
			if w[i] == workSliced {
				sliced = true
				for _, r := range in.Results {
					defined[r.ID] = true
				}
			}
		}
		for i := n - 1; i >= 0; i-- {
			last[i] = i
			if i+1 < n && first[i+1] == first[i] {
				last[i] = last[i+1]
			}
		}
		s.work, s.first, s.last, s.early = append(s.work, w), append(s.first, first), append(s.last, last), append(s.early, early)
		s.group(p, order)
	}
	s.findLocal(p)
}

func (s *pieces) inGroup(in *ir.Instr) bool { return s.groups[in] != nil }

// group finds the groups of the pieces of block i.
func (s *pieces) group(p *plan, i int) {
	b := p.f.Blocks[i]
	for k := 0; k < len(b.Instrs); k = s.last[i][k] + 1 {
		if s.work[i][k] == workAlone {
			continue
		}
		maps.Copy(s.groups, p.findGroups(b.Instrs[k:s.last[i][k]+1], func(in *ir.Instr) bool {
			return in.Op == ir.OpLoad && accessible(p, in, in.Results) && (!p.target.tables() || p.windowOf(in, 8) == nil)
		}))
	}
}

// workOf says how in is executed, apart from its operands.
func (t *narrow) workOf(p *plan, in *ir.Instr) work {
	if in.Op.Terminator() {
		return workAlone
	}
	if p.decided[in] {
		return workNone // the branch makes it
	}
	if !in.Op.Effect() {
		dead := true
		for _, r := range in.Results {
			dead = dead && (p.vals[r.ID].uses == 0 || p.vals[r.ID].class <= constant)
		}
		if dead {
			return workNone
		}
	}
	if len(p.steps[in]) > 0 {
		return workAlone // it may leave
	}
	c := unused
	if len(in.Results) > 0 {
		c = p.vals[in.Results[0].ID].class
	}
	switch {
	case in.Op == ir.OpSpecial:
		if _, ok := specialPlace[ir.SReg(in.Index)]; ok || lanemasks[ir.SReg(in.Index)] != nil || in.Index <= int(ir.TidZ) || ir.SReg(in.Index) == ir.LaneID {
			if c == vector {
				return workSliced
			}
			return workOnce
		}
		return workAlone
	case in.Op == ir.OpLoad:
		return loadWork(p, in, c)
	case in.Op.Effect():
		return workAlone
	case len(in.Results) == 1 && p.target.scalar(in) && (c == scalar || c == flag) && !floatCompared(in):
		return workOnce
	case quarterNative(in).emit == nil:
		return workAlone
	case c == splat || c == flag:
		return workOnce
	case c == mask && in.As == ir.Pred && in.Op != ir.OpSetp:
		return workOnce // on words, if the operands are words
	}
	return workSliced
}

func floatCompared(in *ir.Instr) bool { return in.Op == ir.OpSetp && in.From.Float() }

// loadWork: loads of parameters and from one address are done once, those of rows for each quarter.
func loadWork(p *plan, in *ir.Instr, c class) work {
	a := &p.vals[in.Args[0].ID]
	if in.Space == ir.SpaceParam {
		if c == vector {
			return workAlone
		}
		return workOnce
	}
	if !accessible(p, in, in.Results) || in.Guard != nil || in.Order != ir.Weak || a.class == vector || a.class == indexed {
		return workAlone
	}
	if a.uniform() {
		for _, r := range in.Results { // some may be masked, and so differ from lane to lane
			if (p.vals[r.ID].class == vector) != (c == vector) {
				return workAlone
			}
		}
		if c != vector {
			return workOnce
		}
	}
	return workSliced
}

// onMasks tells that in combines predicates of which quarters compute one.
func (t *narrow) onMasks(p *plan, in *ir.Instr, defined map[int]bool) bool {
	if len(in.Results) != 1 || p.vals[in.Results[0].ID].class != mask {
		return false
	}
	for _, a := range in.Args {
		if defined[a.ID] {
			return true
		}
	}
	return false
}

// mayLeave tells that in, which is executed once, can hand the block to the reference engine.
func mayLeave(p *plan, in *ir.Instr) bool {
	for _, a := range in.Args {
		if v := &p.vals[a.ID]; v.class == scalar && !v.uniform() && !v.wide() && p.vals[in.Results[0].ID].wide() {
			return true
		}
	}
	return false
}

// findLocal finds the values that all their uses see in the piece that defines them.
func (s *pieces) findLocal(p *plan) {
	at := map[int][2]int{} // by value: block, and first instruction of the piece
	for i, b := range p.f.Blocks {
		for k, in := range b.Instrs {
			if s.work[i][k] != workSliced {
				continue
			}
			for _, r := range in.Results {
				if v := &p.vals[r.ID]; v.class == vector || v.class == mask {
					at[r.ID] = [2]int{i, s.first[i][k]}
					s.local.set(r.ID)
				}
			}
		}
	}
	for i, b := range p.f.Blocks {
		for k, in := range b.Instrs {
			p.operands(in, func(v *ir.Value) {
				if s.local.has(v.ID) && (s.work[i][k] != workSliced || at[v.ID] != [2]int{i, s.first[i][k]}) {
					s.local.clear(v.ID)
				}
			})
		}
	}
}

// kept calls f for the values that must stay until the end of the piece of which instruction k of block i is the last,
// because quarters read them while others have gone on, or because the piece may begin again.
func (s *pieces) kept(p *plan, i, k int, f func(v *ir.Value)) {
	b := p.f.Blocks[i]
	if s.last[i][k] != k {
		return
	}
	all := slices.Contains(s.early[i][s.first[i][k]:k+1], true) || slices.ContainsFunc(b.Instrs[s.first[i][k]:k+1], s.inGroup)
	for n := s.first[i][k]; n <= k; n++ {
		if w := s.work[i][n]; w == workNone || w == workOnce && !all || b.Instrs[n].Op.Terminator() {
			continue
		}
		p.operands(b.Instrs[n], func(v *ir.Value) {
			if c := p.vals[v.ID].class; c > constant && c != vector && !s.local.has(v.ID) {
				f(v)
			}
		})
	}
}
