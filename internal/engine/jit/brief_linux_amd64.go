package jit

import (
	"slices"

	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// This file compiles branches around blocks that do nothing but store to shared memory: such stores are made at the branch, under a
// mask, and no lanes wait for others. Where the addresses are not as it was expected, the branch is one like any other.

// brief is a branch around stores.
type brief struct {
	stores []*ir.Instr
	when   bool // lanes of which the condition is this execute them
	past   ir.Edge
	// pair is how two stores that change places within rows are made at once, nil for stores of rows.
	pair *exchange
}

// exchange is two stores that together fill, in each half of the warp, two rows. What lanes that do not execute have there was loaded
// before.
type exchange struct {
	// apart is where lane 0 of the second has its address, from that of the first on.
	apart int64
	start [2]int64   // by half: the rows, from lane 0 of the first on
	lane  [2][32]int // by element of the rows: the lane of the first store, or 16 and that of the second
	old   [2]*value
}

// briefOf returns how the branch at the end of the block is one around stores, nil if it is not.
func (e *emitter) briefOf(in *ir.Instr) *brief {
	if e.cloned || e.p.joined[in] != nil || e.p.joints[in] != nil || e.p.decided[e.block.Instrs[max(e.pc-1, 0)]] {
		return nil
	}
	for side, t := range in.Targets {
		past, n := in.Targets[1-side], len(t.To.Instrs)-1
		end := t.To.Terminator()
		if n < 1 || n > 2 || len(t.To.Preds) != 1 || len(end.Targets) != 1 || end.Targets[0].To != past.To || len(past.To.Params) > 0 || len(t.To.Params) > 0 {
			continue
		}
		b := &brief{stores: t.To.Instrs[:n], when: side == 0, past: past}
		if !slices.ContainsFunc(b.stores, func(s *ir.Instr) bool { return !e.storesWords(s) }) {
			if n == 2 {
				b.pair = e.exchangeOf(b.stores[0], b.stores[1])
			}
			if b.pair != nil || !slices.ContainsFunc(b.stores, func(s *ir.Instr) bool { return !e.storesRow(s) }) {
				return b
			}
		}
	}
	return nil
}

// storesWords tells that in stores a word of each lane to shared memory, at distances that are known.
func (e *emitter) storesWords(in *ir.Instr) bool {
	if in.Op != ir.OpStore || in.Space != ir.SpaceShared || in.Order != ir.Weak || in.Guard != nil || in.As.Bytes() != 4 || elements(in) != 1 {
		return false
	}
	a, v := e.of(in.Args[0]), e.of(in.Args[1])
	return a.class == scalar && a.align%4 == 0 && in.Imm%4 == 0 && fits(int64(in.Imm)) && v.class == vector && !v.wide()
}

func (e *emitter) storesRow(in *ir.Instr) bool {
	a := e.of(in.Args[0])
	return a.table == nil && a.s == 4 && a.d%4 == 0
}

// exchangeOf returns how two stores of words fill rows, nil if they do not, or if what is there is not known.
func (e *emitter) exchangeOf(first, second *ir.Instr) *exchange {
	x := &exchange{old: [2]*value{e.loadedBefore(first), e.loadedBefore(second)}}
	a, b := e.of(first.Args[0]), e.of(second.Args[0])
	if x.old[0] == nil || x.old[1] == nil || a.wide() != b.wide() {
		return nil
	}
	for half := range 2 {
		var h windowPart
		if !h.cover(a, half, 16, int64(first.Imm), true) || h.count != 2 {
			return nil
		}
		lanes := &x.lane[half]
		for i := range lanes {
			lanes[i] = slices.Index(h.place, i)
		}
		var at [16]int64
		for l := range at {
			at[l] = b.offset(16*half+l) + int64(second.Imm)
		}
		apart := h.start + 4*int64(slices.Index(lanes[:], -1)) - slices.Min(at[:])
		for l, offset := range at {
			place := offset + apart - h.start
			if place < 0 || place >= 2*lineBytes || place%4 != 0 || lanes[place/4] >= 0 {
				return nil
			}
			lanes[place/4] = 16 + l
		}
		if half == 1 && apart != x.apart {
			return nil
		}
		x.start[half], x.apart = h.start, apart
	}
	return x
}

// loadedBefore returns what a load of this block got from the address of a store behind the block, where nothing has changed it
// since and the block that stores has it still; nil if there is none.
func (e *emitter) loadedBefore(store *ir.Instr) *value {
	for i := len(e.block.Instrs) - 2; i >= 0; i-- {
		in := e.block.Instrs[i]
		if in.Op != ir.OpLoad && in.Op.Effect() {
			return nil
		}
		if in.Op != ir.OpLoad || in.Space != ir.SpaceShared || in.Order != ir.Weak || in.Guard != nil || elements(in) != 1 {
			continue
		}
		v := e.of(in.Results[0])
		if in.Args[0] == store.Args[0] && in.Imm == store.Imm && in.As.Bytes() == 4 && v.class == vector && !v.wide() && e.p.in[store.Block.Order].has(v.v.ID) {
			return v
		}
	}
	return nil
}

// storeBriefly emits a branch around stores.
func (e *emitter) storeBriefly(in *ir.Instr, b *brief, c *value, waits bitset) {
	other := e.NewLabel()
	for half := range 2 {
		row := amd64.KANDNW
		if b.when {
			row = amd64.KANDW
		}
		e.KKK(row, amd64.KReg(5+half), e.maskIn(c, half, 7), amd64.KReg(1+half))
	}
	if b.pair != nil {
		e.storeExchange(b, other)
	} else {
		for _, s := range b.stores {
			// Where the second is not as expected, the first is made twice.
			x := &access{in: s, a: e.of(s.Args[0]), size: 4, n: 1, offset: int64(s.Imm), lanes: 5, slow: other}
			e.checkScalar(x)
			for half := range 2 {
				e.storeHalf(x, half)
			}
		}
	}
	if e.o.Count {
		e.countLanes(5, len(b.stores)+1)
	}
	e.single(b.past, waits)
	e.later(func() {
		e.Bind(other)
		e.diverge(in, c, waits)
	})
}

// storeExchange emits two stores as whole rows, if all lanes of the warp are here.
func (e *emitter) storeExchange(b *brief, other amd64.Label) {
	const ax, dx = amd64.RAX, amd64.RDX
	x := b.pair
	first, second := b.stores[0].Args, b.stores[1].Args
	low, end := min(x.start[0], x.start[1]), max(x.start[0], x.start[1])+2*lineBytes
	e.KKK(amd64.KANDW, 7, 1, 2)
	e.KKK(amd64.KORTESTW, 7, 0, 7)
	e.Jcc(amd64.AE, other) // not all ones
	base := e.scalarIn(e.of(first[0]), ax)
	e.scalarInto(e.of(second[0]), dx)
	e.AluRR(amd64.W64, amd64.SUB, dx, base)
	e.AluRI(amd64.W64, amd64.CMP, dx, int32(x.apart))
	e.Jcc(amd64.NE, other)
	if !e.p.insideOwn(first[0], low, end, int64(e.k.SharedBytes)) {
		e.plus(amd64.W64, dx, base, int32(low))
		e.AluRM(amd64.W64, amd64.CMP, dx, e.limit(end-low))
		e.Jcc(amd64.AE, other)
	}
	as := &access{in: b.stores[0], size: 4, n: 1}
	for half := range 2 {
		for i, d := range [2]amd64.VReg{temp2, temp3} {
			stored := e.stored(as, e.of(b.stores[i].Args[1]), half, temp1)
			e.RRR(amd64.VPBLENDMD, d, e.vectorIn(x.old[i], half, temp0), stored, under(amd64.KReg(5+half)))
		}
		for row := range 2 {
			e.RRM(amd64.VMOVUPS, temp0, 0, e.pairIndices(func(i int) int { return x.lane[half][16*row+i] }), zmm)
			e.op(amd64.VPERMI2D, temp0, temp2, temp3)
			e.RRM(amd64.VMOVUPSStore, temp0, 0, amd64.AtIndex(sharedReg, base, 1, int32(x.start[half])+int32(lineBytes*row)), zmm)
		}
	}
}
