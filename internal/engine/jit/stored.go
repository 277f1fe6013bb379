//go:build linux && (amd64 || arm64)

package jit

import (
	"slices"

	"github.com/tandem-go/tandem/internal/ir"
)

// barrierSets is what a barrier has to do with values in registers.
type barrierSets struct {
	// needed are those of which it needs the register behind it, stored those that the frame has already.
	needed, stored bitset
}

// findBarriers finds the values in registers that each barrier needs.
func (p *plan) findBarriers() map[*ir.Instr]*barrierSets {
	found := map[*ir.Instr]*barrierSets{}
	var at []int // positions, in order
	var sets []bitset
	start := 0
	for _, b := range p.f.Blocks {
		for k, in := range b.Instrs {
			if plainBarrier(in) {
				found[in] = &barrierSets{needed: newBitset(p.f.Values)}
				at, sets = append(at, start+2*k+1), append(sets, found[in].needed)
			}
		}
		start += 2 * len(b.Instrs)
	}
	for i := range p.vals {
		v := &p.vals[i]
		if v.home.kind != inRegister && v.home.kind != inGeneral {
			continue
		}
		for k, segs := 0, v.segs; k < len(at) && len(segs) > 0; {
			switch {
			case segs[0].last < at[k]:
				segs = segs[1:]
			case segs[0].first <= at[k]:
				sets[k].set(i)
				k++
			default:
				k++
			}
		}
	}
	p.findStored(found)
	return found
}

// findStored finds, for each barrier, the values that the frame has already: those that the last barrier on every way to this
// one has stored, and that nothing has written since. A register's place in the frame holds another value only when that has
// taken the register, and then the one before has ended.
func (p *plan) findStored(found map[*ir.Instr]*barrierSets) {
	if len(found) == 0 {
		return
	}
	f := p.f
	at := make([]bitset, len(f.Blocks)) // as blocks begin; nil: not reached yet
	at[0] = newBitset(f.Values)
	out := newBitset(f.Values)
	for changed := true; changed; {
		changed = false
		for i, b := range f.Blocks {
			if at[i] == nil {
				continue
			}
			copy(out, at[i])
			storedBehind(b, out, found)
			for _, t := range b.Succs() {
				changed = meetStored(&at[t.To.Order], out, t.To) || changed
			}
		}
	}
}

// storedBehind takes what is stored now, as a block begins, to its end, and notes what its barriers find.
func storedBehind(b *ir.Block, now bitset, found map[*ir.Instr]*barrierSets) {
	for _, in := range b.Instrs {
		if in.Op == ir.OpBar && found[in] != nil {
			found[in].stored = append(found[in].stored[:0], now...)
			copy(now, found[in].needed)
		}
		for _, v := range in.Results {
			now.clear(v.ID)
		}
	}
}

// meetStored keeps of what a block begins with what an edge to it has too. The edge writes the block's parameters.
func meetStored(at *bitset, out bitset, to *ir.Block) (changed bool) {
	if *at == nil {
		*at = slices.Clone(out)
		for _, v := range to.Params {
			at.clear(v.ID)
		}
		return true
	}
	for w, x := range *at {
		if x&^out[w] != 0 {
			(*at)[w] &= out[w]
			changed = true
		}
	}
	return changed
}
