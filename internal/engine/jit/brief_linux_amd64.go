package jit

import (
	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// This file compiles branches around stores.

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
	e.KKK(amd64.KANDW, 7, 1, 2)
	e.KKK(amd64.KORTESTW, 7, 0, 7)
	e.Jcc(amd64.AE, other) // not all ones
	base := e.scalarIn(e.of(first[0]), ax)
	e.scalarInto(e.of(second[0]), dx)
	e.AluRR(amd64.W64, amd64.SUB, dx, base)
	e.AluRI(amd64.W64, amd64.CMP, dx, int32(x.apart))
	e.Jcc(amd64.NE, other)
	if !e.p.insideOwn(first[0], x.low, x.end, int64(e.k.SharedBytes)) {
		e.plus(amd64.W64, dx, base, int32(x.low))
		e.AluRM(amd64.W64, amd64.CMP, dx, e.limit(x.end-x.low))
		e.Jcc(amd64.AE, other)
	}
	as := &access{in: b.stores[0], size: 4, n: 1}
	for half := range 2 {
		for i, d := range [2]amd64.VReg{temp2, temp3} {
			stored := e.stored(as, e.of(b.stores[i].Args[1]), half, temp1)
			e.RRR(amd64.VPBLENDMD, d, e.vectorIn(x.old[i], half, temp0), stored, under(amd64.KReg(5+half)))
		}
		for row := range 2 {
			e.RRM(amd64.VMOVUPS, temp0, 0, e.pairIndices(func(i int) int { return x.parts[half].lane[16*row+i] }), zmm)
			e.op(amd64.VPERMI2D, temp0, temp2, temp3)
			e.RRM(amd64.VMOVUPSStore, temp0, 0, amd64.AtIndex(sharedReg, base, 1, int32(x.parts[half].start)+int32(64*row)), zmm)
		}
	}
}
