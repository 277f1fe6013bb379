//go:build linux && (amd64 || arm64)

package jit

import (
	"slices"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/ir"
)

// streams are the stores of a kernel that may go past the caches, in whole lines. Such a store does not read the line that
// it writes over, a third of what a sum of two arrays moves; but whoever reads the line next does not find it in a cache.
// So launches that write little store as usual.
type streams struct {
	stores map[*ir.Instr]bool
	// perThread is how many bytes a thread stores so, at each turn of a loop if it goes round in one.
	perThread int
	looped    bool
	// least is how many bytes a launch writes at least whose stores go past the caches.
	least uint64
	// written and read are the pointers that those stores, and the loads of the kernel, go through.
	written, read []origin
}

// leastStreamed is the least of targets. A launch that reads what another has written takes longer by about as much as that
// one gains, where each writes 8 MiB; see docs/decisions.md.
const leastStreamed = 16 << 20

// lineBytes is the size of a line of the caches.
const lineBytes = 64

// findStreams finds stores through pointers of which nothing is loaded: lines that were loaded are in the cache already. What
// is stored past the caches other processors see only after a fence, so kernels whose blocks may tell each other of their
// results have no such stores.
func (p *plan) findStreams(least uint64) *streams {
	s := &streams{stores: map[*ir.Instr]bool{}, least: least}
	origins := p.origins()
	var stores []*ir.Instr
	for _, b := range p.f.Blocks {
		for _, in := range b.Instrs {
			switch in.Op {
			case ir.OpFence, ir.OpGridSync:
				return s
			case ir.OpLoad, ir.OpStore, ir.OpAtom, ir.OpRed:
			default:
				continue
			}
			if in.Space != ir.SpaceGlobal && in.Space != ir.SpaceGeneric {
				continue
			}
			from := origins[in.Args[0].ID]
			switch {
			case in.Op != ir.OpLoad && in.Op != ir.OpStore || in.Order != ir.Weak || from <= 0:
				return s
			case in.Op == ir.OpStore:
				stores = append(stores, in)
			case !slices.Contains(s.read, from):
				s.read = append(s.read, from)
			}
		}
	}
	for _, in := range stores {
		from := origins[in.Args[0].ID]
		if slices.Contains(s.read, from) {
			continue
		}
		s.stores[in] = true
		s.looped = s.looped || p.depth[in.Block.Order] > 0
		if !slices.Contains(s.written, from) {
			s.written = append(s.written, from)
		}
	}
	for _, b := range p.f.Blocks { // of alternatives the one that stores most
		n := 0
		for _, in := range b.Instrs {
			if s.stores[in] {
				n += in.As.Bytes() * elements(in)
			}
		}
		s.perThread = max(s.perThread, n)
	}
	return s
}

// worthwhile tells that a launch writes so much that its stores should go past the caches.
func (s *streams) worthwhile(l *engine.Launch, reach func(pointer uint64) uint64) bool {
	threads := uint64(1)
	for i := range l.Grid {
		threads *= uint64(l.Grid[i]) * uint64(l.Block[i])
	}
	most := uint64(0)
	for _, w := range s.written {
		at := w.in(l.Params)
		if slices.ContainsFunc(s.read, func(r origin) bool { return r.in(l.Params) == at }) {
			return false
		}
		most += reach(at)
	}
	if n := threads * uint64(s.perThread); !s.looped {
		most = min(most, n)
	}
	return most >= s.least
}

// origin is where the pointer comes from of which an address is computed: its place in the parameters, plus one.
type origin int

const (
	unknownOrigin origin = 0 // so far
	noOrigin      origin = -1
	manyOrigins   origin = -2
)

// in is the pointer in a launch's parameters.
func (o origin) in(params []byte) uint64 { return le.Uint64(params[o-1:]) }

// origins are those of all values, by ID.
func (p *plan) origins() []origin {
	all := make([]origin, len(p.vals))
	for changed := true; changed; {
		changed = false
		set := func(v *ir.Value, o origin) {
			if all[v.ID] != o {
				all[v.ID], changed = o, true
			}
		}
		for _, b := range p.f.Blocks {
			for _, pred := range b.Preds {
				for _, e := range pred.Succs() {
					for i, v := range b.Params {
						if e.To == b {
							set(v, meetOrigins(all[v.ID], all[e.Args[i].ID]))
						}
					}
				}
			}
			for _, in := range b.Instrs {
				for _, v := range in.Results {
					set(v, p.originOf(in, all))
				}
			}
		}
	}
	return all
}

// meetOrigins is the origin of a value that may be either of two.
func meetOrigins(a, b origin) origin {
	switch {
	case a == b || b == unknownOrigin:
		return a
	case a == unknownOrigin:
		return b
	}
	return manyOrigins
}

// originOf is the origin of the results of in.
func (p *plan) originOf(in *ir.Instr, all []origin) origin {
	switch in.Op {
	case ir.OpLoad:
		if a := &p.vals[in.Args[0].ID]; in.Space == ir.SpaceParam && a.class == constant && len(in.Results) == 1 && in.As.Bytes() == 8 && in.Guard == nil {
			return origin(a.imm+in.Imm) + 1
		}
	case ir.OpCvta, ir.OpCvtaTo:
		return all[in.Args[0].ID]
	case ir.OpAdd, ir.OpSub:
		x, y := all[in.Args[0].ID], all[in.Args[1].ID]
		switch {
		case x == unknownOrigin || y == unknownOrigin:
			return unknownOrigin
		case y == noOrigin:
			return x
		case x == noOrigin && in.Op == ir.OpAdd:
			return y
		}
		return manyOrigins
	}
	return noOrigin
}
