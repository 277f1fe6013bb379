package jit

import (
	"encoding/binary"

	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// This file compiles accesses of two elements of 32 bits a lane, such as complex numbers: a pair is moved as one element of
// 64 bits, and pairs that lie side by side as whole vectors.

// pairs tells that x accesses a pair in each lane.
func (e *emitter) pairs(x *access, values []*ir.Value) bool {
	if x.size != 4 || x.n != 2 || x.in.Space == ir.SpaceLocal {
		return false
	}
	for _, v := range values {
		y := e.of(v)
		if y.wide() || y.class == mask || y.class == flag || len(x.in.Results) > 0 && y.class != vector {
			return false
		}
	}
	return true
}

// pairIndices is the vector of the places, in two vectors of which the second begins at 16, of what makes one vector: of
// one element of 16 pairs, or of eight pairs from two vectors of elements.
func (e *emitter) pairIndices(f func(i int) int) amd64.Mem {
	var b []byte
	for i := range 16 {
		b = binary.LittleEndian.AppendUint32(b, uint32(f(i)))
	}
	return amd64.At(blockReg, e.vectorConstant(b))
}

// apart gives the results of x the elements of 16 pairs, of which a register has the first eight and the operand o the others.
// It may not be temp3.
func (e *emitter) apart(x *access, half int, first amd64.VReg, o operand) {
	for i, r := range x.in.Results {
		v := e.of(r)
		if v.home.kind == nowhere {
			continue
		}
		d := e.dst(v, half)
		e.RRM(amd64.VMOVUPS, d, 0, e.pairIndices(func(l int) int { return 2*l + i }), zmm)
		e.three(amd64.VPERMI2D, d, first, o)
		e.kept(x, v, half, d)
		e.out(v, half, d)
	}
}

// interleave puts eight of the 16 pairs of two operands into temp2. It destroys temp0 and temp1.
func (e *emitter) interleave(x *access, half, eight int) {
	first := e.bitsIn(e.of(x.in.Args[1]), half, temp0)
	second := e.bitsIn(e.of(x.in.Args[2]), half, temp1)
	e.RRM(amd64.VMOVUPS, temp2, 0, e.pairIndices(func(l int) int { return 8*eight + l/2 + 16*(l%2) }), zmm)
	e.op(amd64.VPERMI2D, temp2, first, second)
}

// loadPairs loads pairs side by side; false if x has no such.
func (e *emitter) loadPairs(x *access) bool {
	if x.a.s != 8 || !e.pairs(x, x.in.Results) {
		return false
	}
	for half := range 2 {
		m := x.rowMem(half, 0)
		rest := m
		rest.Disp += 64
		e.prefetch(x, m, false)
		e.prefetch(x, rest, false)
		e.RRM(amd64.VMOVUPS, temp1, 0, m, zmm)
		e.apart(x, half, temp1, operand{mem: rest, at: true})
	}
	return true
}

// storePairs stores pairs side by side where all lanes execute; other emits the store of one half where some do not. It
// reports false if x has no such pairs.
func (e *emitter) storePairs(x *access, other func(half int)) bool {
	if x.a.s != 8 || !e.pairs(x, x.in.Args[1:]) {
		return false
	}
	for half := range 2 {
		k := x.lanes + amd64.KReg(half)
		some, done := e.NewLabel(), e.NewLabel()
		e.KKK(amd64.KORTESTW, k, 0, k)
		e.Jcc(amd64.AE, some)
		for eight := range 2 {
			m := x.rowMem(half, 0)
			m.Disp += int32(64 * eight)
			e.interleave(x, half, eight)
			e.prefetch(x, m, true)
			e.RRM(amd64.VMOVUPSStore, temp2, 0, m, zmm)
		}
		e.Bind(done)
		e.later(func() {
			e.Bind(some)
			other(half)
			e.Jmp(done)
		})
	}
	return true
}

// eightLanes returns the mask register of eight lanes, in its low bits.
func (e *emitter) eightLanes(x *access, half, eight int) amd64.KReg {
	k := x.lanes + amd64.KReg(half)
	if eight == 0 {
		return k
	}
	e.KKI(amd64.KSHIFTRW, 7, k, 8)
	return 7
}

// pairAddress returns the addresses of eight lanes and the instruction for them, of wide or of narrow addresses.
func (e *emitter) pairAddress(x *access, half, eight int, wide, narrow *amd64.Row) (*amd64.Row, amd64.VReg) {
	if x.wide {
		return wide, e.address(x, 2*half+eight, temp0)
	}
	return narrow, e.upperOf(e.address(x, half, temp0), eight)
}

// gatherPairs gathers pairs; false if x has none.
func (e *emitter) gatherPairs(x *access) bool {
	if !e.pairs(x, x.in.Results) {
		return false
	}
	for half := range 2 {
		for eight, d := range []amd64.VReg{temp1, temp2} {
			row, r := e.pairAddress(x, half, eight, amd64.VPGATHERQQ, amd64.VPGATHERDQ)
			e.gatherPart(x, row, r, e.eightLanes(x, half, eight), d, int32(x.offset))
		}
		e.apart(x, half, temp1, operand{reg: temp2})
	}
	return true
}

// scatterPairs scatters pairs; false if x has none.
func (e *emitter) scatterPairs(x *access) bool {
	if !e.pairs(x, x.in.Args[1:]) {
		return false
	}
	for half := range 2 {
		for eight := range 2 {
			e.interleave(x, half, eight)
			row, r := e.pairAddress(x, half, eight, amd64.VPSCATTERQQ, amd64.VPSCATTERDQ)
			e.scatterPart(x, row, temp2, r, e.eightLanes(x, half, eight), int32(x.offset))
		}
	}
	return true
}

// storeColumns stores words of which lanes of the one half have theirs beside those of the other, and no two lanes of a half
// do: as elements of 64 bits where all lanes execute. It reports false if x has no such.
func (e *emitter) storeColumns(x *access) bool {
	v := e.of(x.in.Args[1])
	if x.size != 4 || x.n != 1 || x.a.class != scalar || x.a.table != nil || x.a.d != 4 || x.a.s > -8 && x.a.s < 8 || v.wide() || x.guarded {
		return false
	}
	some, done := e.NewLabel(), e.NewLabel()
	e.KKK(amd64.KANDW, 7, x.lanes, x.lanes+1)
	e.KKK(amd64.KORTESTW, 7, 0, 7)
	e.Jcc(amd64.AE, some)
	first, second := e.bitsIn(v, 0, temp0), e.bitsIn(v, 1, temp1)
	for odd, row := range []*amd64.Row{amd64.VPUNPCKLDQ, amd64.VPUNPCKHDQ} { // which take two of every four lanes
		e.op(row, temp2, first, second)
		e.RRM(amd64.VMOVUPS, temp3, 0, e.pairIndices(func(i int) int { return int(x.a.s) * (4*(i/2) + i%2 + 2*odd) }), zmm)
		e.KKK(amd64.KXNORW, 7, 7, 7)
		e.RRM(amd64.VPSCATTERDQ, temp2, 0, e.vectorAt(x.rowMem(0, 0), temp3), under(7))
	}
	e.Bind(done)
	e.later(func() {
		e.Bind(some)
		for half := range 2 {
			e.storeHalf(x, half)
		}
		e.Jmp(done)
	})
	return true
}
