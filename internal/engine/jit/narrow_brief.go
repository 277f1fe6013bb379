//go:build linux && (amd64 || arm64)

package jit

import "github.com/tandem-go/tandem/internal/ir"

// This file compiles branches around stores, quarter by quarter.

// briefOf returns how the branch at the end of the block is one around stores, nil if it is not.
func (e *quarterEmitter) briefOf(in *ir.Instr) *brief {
	if e.permutes == nil {
		return nil
	}
	return e.p.briefOf(e.block, in, 8)
}

// storeBriefly emits a branch around stores.
func (e *quarterEmitter) storeBriefly(in *ir.Instr, b *brief, c *value, waits bitset) {
	other := e.newLabel()
	e.move32(acc, e.wordIn(c, acc))
	if !b.when {
		e.invert(false, acc)
	}
	e.alu(aluAnd, false, acc, curGen)
	e.store(4, frameAt(frameLanes), acc)
	if b.pair != nil {
		e.storeExchange(b, other)
	} else {
		for _, s := range b.stores {
			// Where the second is not as expected, the first is made twice.
			x := &access8{in: s, a: e.of(s.Args[0]), size: 4, n: 1, offset: int64(s.Imm), known: -1, slow: other, word: true}
			e.extent(x)
			e.check(x)
			e.keepBase(x)
			e.everyQuarter(func(int) { e.storeRow(x, true) })
		}
	}
	if e.o.Count {
		e.load(acc, 4, frameAt(frameLanes))
		e.countLanes(acc, len(b.stores)+1)
	}
	e.floatBits(b.past, waits)
	block, pc := e.block, e.pc
	e.cold = append(e.cold, func() {
		e.block, e.pc, e.scratch = block, pc, e.base
		e.pool.begin(e, nil)
		e.bind(other)
		e.diverge(in, c, waits)
	})
}

// storeExchange emits two stores as whole rows, if all lanes of the warp are here. Those that store are in frameLanes.
func (e *quarterEmitter) storeExchange(b *brief, other label) {
	x, first, last := b.pair, b.stores[0].Args, b.stores[1].Args
	e.compareImm(false, curGen, -1)
	e.branch(ifNot, other)
	from := e.scalarIn(e.of(first[0]), acc)
	e.scalarInto(e.of(last[0]), third)
	e.alu(aluSub, true, third, from)
	e.offset(true, acc, from, int32(x.low))
	e.compareImm(true, third, x.apart)
	e.branch(ifNot, other)
	if !e.p.insideOwn(first[0], x.low, x.end, int64(e.k.SharedBytes)) {
		e.compareMem(true, acc, e.limit(x.end-x.low))
		e.branch(ifAboveEqual, other)
	}
	e.aluMem(aluAdd, true, acc, areaAt(areaShared))
	base := e.newBase()
	e.setBase(base)
	e.everyQuarter(func(q int) {
		m := e.wordMask(false, 0)
		var words [2]vec
		for i, s := range b.stores {
			words[i] = e.pool.take()
			e.blend(words[i], m, e.bitsOf(e.of(s.Args[1]), 0), e.reg(x.old[i], 0))
		}
		part := &x.parts[q]
		for row := range 2 {
			d := e.pool.take()
			e.chosen(d, part.lane[8*row:][:8], inReg(words[0]), inReg(words[1]))
			e.vstore(e.based(base, second).plus(int32(part.start-x.low)+int32(32*row)), d)
			e.pool.give(d)
		}
	})
	e.pool.drop()
}
