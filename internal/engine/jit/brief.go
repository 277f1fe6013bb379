//go:build linux && (amd64 || arm64)

package jit

import (
	"slices"

	"github.com/tandem-go/tandem/internal/ir"
)

// This file finds branches around blocks that do nothing but store to shared memory: such stores are made at the branch, under a
// mask, and no lanes wait for others. Where the addresses are not as it was expected, the branch is one like any other.

// brief is a branch around stores.
type brief struct {
	stores []*ir.Instr
	when   bool // lanes of which the condition is this execute them
	past   ir.Edge
	// pair is how two stores that change places within rows are made at once, nil for stores of rows.
	pair *exchange
}

// exchange is two stores that together fill, for each vector of lanes, two rows. What lanes that do not execute have there was loaded
// before.
type exchange struct {
	// apart is where lane 0 of the second has its address, from that of the first on.
	apart    int64
	low, end int64 // of all rows, from lane 0 of the first on
	parts    []exchangePart
	old      [2]*value
}

// exchangePart is two rows for vectors of as many lanes as a row has words.
type exchangePart struct {
	start int64 // of the first row, from lane 0 of the first store on
	// lane is, by element of the rows, the lane of the first store, or those of a vector and that of the second.
	lane []int
}

// briefOf returns how the branch in at the end of b is one around stores for vectors of so many lanes, nil if it is not.
func (p *plan) briefOf(b *ir.Block, in *ir.Instr, lanes int) *brief {
	if p.joined[in] != nil || p.joints[in] != nil || p.decided[b.Instrs[max(len(b.Instrs)-2, 0)]] {
		return nil
	}
	for side, t := range in.Targets {
		past, n := in.Targets[1-side], len(t.To.Instrs)-1
		end := t.To.Terminator()
		if n < 1 || n > 2 || len(t.To.Preds) != 1 || len(end.Targets) != 1 || end.Targets[0].To != past.To || len(past.To.Params) > 0 || len(t.To.Params) > 0 {
			continue
		}
		found := &brief{stores: t.To.Instrs[:n], when: side == 0, past: past}
		if slices.ContainsFunc(found.stores, func(s *ir.Instr) bool { return !p.storesWords(s) }) {
			continue
		}
		if n == 2 {
			found.pair = p.exchangeOf(b, found.stores[0], found.stores[1], lanes)
		}
		if found.pair != nil || !slices.ContainsFunc(found.stores, func(s *ir.Instr) bool { return !p.storesRow(s, lanes) }) {
			return found
		}
	}
	return nil
}

// storesWords tells that in stores a word of each lane to shared memory, at distances that are known.
func (p *plan) storesWords(in *ir.Instr) bool {
	if in.Op != ir.OpStore || in.Space != ir.SpaceShared || in.Order != ir.Weak || in.Guard != nil || in.As.Bytes() != 4 || elements(in) != 1 {
		return false
	}
	a, v := &p.vals[in.Args[0].ID], &p.vals[in.Args[1].ID]
	return a.class == scalar && a.align%4 == 0 && in.Imm%4 == 0 && fits(int64(in.Imm)) && v.class == vector && !v.wide()
}

// storesRow tells that the words of each vector of lanes lie in one row as they are.
func (p *plan) storesRow(in *ir.Instr, lanes int) bool {
	a := &p.vals[in.Args[0].ID]
	if a.table == nil {
		return a.s == 4 && a.d%4 == 0
	}
	w := p.windowOf(in, lanes)
	return w != nil && !slices.ContainsFunc(w.parts, func(r windowPart) bool { return !r.plain() })
}

// exchangeOf returns how two stores of words behind b fill rows, nil if they do not, or if what is there is not known.
func (p *plan) exchangeOf(b *ir.Block, first, second *ir.Instr, lanes int) *exchange {
	x := &exchange{old: [2]*value{p.loadedBefore(b, first), p.loadedBefore(b, second)}, parts: make([]exchangePart, 32/lanes)}
	from, to := &p.vals[first.Args[0].ID], &p.vals[second.Args[0].ID]
	if x.old[0] == nil || x.old[1] == nil || from.wide() != to.wide() {
		return nil
	}
	for i := range x.parts {
		var w windowPart
		if !w.cover(from, i, lanes, int64(first.Imm), true) || w.count != 2 {
			return nil
		}
		lane, gap := make([]int, 2*lanes), -1
		for n := range lane {
			if lane[n] = slices.Index(w.place, n); lane[n] < 0 && gap < 0 {
				gap = n
			}
		}
		at := make([]int64, lanes)
		for l := range at {
			at[l] = to.offset(lanes*i+l) + int64(second.Imm)
		}
		apart := w.start + 4*int64(gap) - slices.Min(at)
		for l, offset := range at {
			place := offset + apart - w.start
			if place < 0 || place >= int64(8*lanes) || place%4 != 0 || lane[place/4] >= 0 {
				return nil
			}
			lane[place/4] = lanes + l
		}
		if i == 0 {
			x.apart, x.low, x.end = apart, w.start, w.at(2)
		}
		if apart != x.apart {
			return nil
		}
		x.low, x.end = min(x.low, w.start), max(x.end, w.at(2))
		x.parts[i] = exchangePart{w.start, lane}
	}
	return x
}

// loadedBefore returns what a load of b got from the address of a store behind b, where nothing has changed it since and the block
// that stores has it still; nil if there is none.
func (p *plan) loadedBefore(b *ir.Block, store *ir.Instr) *value {
	for i := len(b.Instrs) - 2; i >= 0; i-- {
		in := b.Instrs[i]
		if in.Op != ir.OpLoad && in.Op.Effect() {
			return nil
		}
		if in.Op != ir.OpLoad || in.Space != ir.SpaceShared || in.Order != ir.Weak || in.Guard != nil || elements(in) != 1 {
			continue
		}
		v := &p.vals[in.Results[0].ID]
		if in.Args[0] == store.Args[0] && in.Imm == store.Imm && in.As.Bytes() == 4 && v.class == vector && !v.wide() && p.in[store.Block.Order].has(v.v.ID) {
			return v
		}
	}
	return nil
}
