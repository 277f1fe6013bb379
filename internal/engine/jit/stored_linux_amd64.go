package jit

import "github.com/tandem-go/tandem/internal/ir"

// findStored finds, for each barrier, the values that the frame has already: those that the last barrier on every way to this
// one has stored, and that nothing has written since. A register's place in the frame holds another value only when that has
// taken the register, and then the one before has ended.
func (e *emitter) findStored() map[*ir.Instr]bitset {
	f := e.p.f
	found := map[*ir.Instr]bitset{}
	start := make([]int, len(f.Blocks))
	for i, b := range f.Blocks {
		if i+1 < len(start) {
			start[i+1] = start[i] + 2*len(b.Instrs)
		}
		for _, in := range b.Instrs {
			if plainBarrier(in) {
				found[in] = nil
			}
		}
	}
	if !e.light || len(found) == 0 {
		return nil
	}
	at := make([]bitset, len(f.Blocks)) // as blocks begin; nil: not reached yet
	at[0] = newBitset(f.Values)
	for changed := true; changed; {
		changed = false
		for i, b := range f.Blocks {
			if at[i] == nil {
				continue
			}
			out := e.storedBehind(b, start[i], at[i], found)
			for _, t := range b.Succs() {
				changed = meetStored(&at[t.To.Order], out, t.To) || changed
			}
		}
	}
	return found
}

// storedBehind goes through a block and notes what its barriers find.
func (e *emitter) storedBehind(b *ir.Block, start int, begin bitset, found map[*ir.Instr]bitset) bitset {
	now := newBitset(e.p.f.Values)
	copy(now, begin)
	for k, in := range b.Instrs {
		if _, ok := found[in]; ok {
			found[in] = append(bitset(nil), now...)
			clear(now)
			for i := range e.p.vals {
				if v := &e.p.vals[i]; v.home.kind == inRegister && v.at(start+2*k+1) {
					now.set(i)
				}
			}
		}
		for _, v := range in.Results {
			now.clear(v.ID)
		}
	}
	return now
}

// meetStored keeps of what a block begins with what an edge to it has too. The edge writes the block's parameters.
func meetStored(at *bitset, out bitset, to *ir.Block) (changed bool) {
	has := append(bitset(nil), out...)
	for _, v := range to.Params {
		has.clear(v.ID)
	}
	if *at == nil {
		*at = has
		return true
	}
	for w, x := range *at {
		if x&^has[w] != 0 {
			(*at)[w] &= has[w]
			changed = true
		}
	}
	return changed
}
