package jit

import (
	"slices"

	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// This file compiles accesses to an address of each lane's own.

// address returns one part of the addresses, to which RDX is to be added.
func (e *emitter) address(x *access, part int, t amd64.VReg) amd64.VReg {
	switch {
	case x.index != nil:
		return x.index[part]
	case x.row:
		e.RRM(amd64.VMOVUPS, t, 0, e.offsetsOf(x.a, part, false), zmm)
		return t
	case x.parts != nil:
		return e.vectorIn(e.of(x.parts.v), part, t)
	}
	return e.vectorIn(x.a, part, t)
}

// checkLocal emits the check of an access to local memory, then RDX, where the memory of lane 0 begins, and the places of
// the lanes from there on.
func (e *emitter) checkLocal(x *access) {
	total := x.size * int64(x.n)
	limit := e.constant(uint64(max(0, e.local-total+1)))
	same := x.a.uniform()
	if same {
		at := e.scalarIn(x.a, amd64.RAX)
		e.Lea(width(x.a), amd64.RAX, amd64.At(at, int32(x.offset)))
		e.AluRM(amd64.W64, amd64.CMP, amd64.RAX, amd64.At(blockReg, limit))
		e.Jcc(amd64.AE, x.fail)
		e.TestRI(amd64.W8, amd64.RAX, int32(total-1))
		e.Jcc(amd64.NE, x.fail)
	} else {
		add, cmp, test := amd64.VPADDD, amd64.VPCMPUD, amd64.VPTESTMD
		if x.wide {
			add, cmp, test = amd64.VPADDQ, amd64.VPCMPUQ, amd64.VPTESTMQ
		}
		e.KKK(amd64.KXORW, 0, 0, 0)
		for part := range 2 * (1 + btoi(x.wide)) {
			e.opWith(add, temp0, e.vectorIn(x.a, part, temp0), uint64(x.offset))
			k := e.lanes(x.a, part, x.lanes)
			if total > 1 {
				e.rrk(test, 5, temp0, amd64.At(blockReg, e.constant(uint64(total-1))), castUnder(k))
			} else {
				e.KKK(amd64.KXORW, 5, 5, 5)
			}
			const notLess = 5
			e.KRMI(cmp, 6, temp0, amd64.At(blockReg, limit), notLess, castUnder(k))
			e.KKK(amd64.KORW, 0, 0, 5)
			e.KKK(amd64.KORW, 0, 0, 6)
		}
		e.KKK(amd64.KORTESTW, 0, 0, 0)
		e.Jcc(amd64.NE, x.fail)
		if x.guarded { // k5 and k6 were the lanes
			for half := range 2 {
				e.KKK(amd64.KANDW, amd64.KReg(5+half), e.maskIn(e.of(x.in.Guard), half, 7), amd64.KReg(1+half))
			}
		}
	}
	x.index = []amd64.VReg{e.free(0), e.free(1)}
	for half, d := range x.index {
		strides := amd64.At(blockReg, e.laneStrides()+64*int32(half))
		switch {
		case same:
			e.RRM(amd64.VMOVUPS, d, 0, strides, zmm)
			continue
		case x.wide:
			e.narrow(x.a, half, false)
			e.op(amd64.VMOVDQA32, d, 0, temp0)
		default:
			e.op(amd64.VMOVDQA32, d, 0, e.vectorIn(x.a, half, temp0))
		}
		e.RRM(amd64.VPADDD, d, d, strides, zmm)
	}
	e.localBase(amd64.RDX)
	if same {
		// The sum has the offset; what gather adds is taken away again.
		e.AluRR(amd64.W64, amd64.ADD, amd64.RDX, amd64.RAX)
		if x.offset != 0 {
			e.AluRI(amd64.W64, amd64.SUB, amd64.RDX, int32(x.offset))
		}
	}
	x.wide = false
}

// laneStrides is the place of the offsets of the lanes' local memories.
func (e *emitter) laneStrides() int32 {
	if e.strides == 0 {
		for len(e.area)%64 != 0 {
			e.area = append(e.area, 0)
		}
		e.strides = e.slot(128)
	}
	return e.strides
}

// localBase puts the address of lane 0's local memory into a register. It destroys RCX.
func (e *emitter) localBase(r amd64.Reg) {
	e.laneStrides()
	e.MovRM(amd64.W64, r, amd64.At(frameReg, frameWarpID))
	e.ShiftRI(amd64.W64, amd64.SHL, r, 5)
	e.MovRM(amd64.W64, amd64.RCX, amd64.At(blockReg, areaLocalStep))
	e.ImulRR(amd64.W64, r, amd64.RCX)
	e.AluRM(amd64.W64, amd64.ADD, r, amd64.At(blockReg, areaLocal))
}

// gather loads from the addresses of the lanes.
func (e *emitter) gather(x *access) {
	if e.gatherPairs(x) {
		return
	}
	for i, r := range x.in.Results {
		v := e.of(r)
		if v.home.kind == nowhere {
			continue
		}
		disp := int32(x.offset + int64(i)*x.size)
		switch {
		case x.size < 4:
			e.gatherNarrow(x, v, disp)
		case x.size == 4:
			for half := range 2 {
				if d := e.dst(v, half); !v.wide() && e.gathersInto(x, half, d) {
					e.gatherPart(x, amd64.VPGATHERDD, e.address(x, half, temp0), x.lanes+amd64.KReg(half), d, disp)
					e.out(v, half, d)
					continue
				}
				e.gatherWords(x, half, disp)
				e.gathered(x, v, half, temp2)
			}
		default:
			e.gatherDoubles(x, v, disp)
		}
	}
}

// gathersInto tells that one gather loads half of the lanes, and that d is none of the addresses that are still to be read.
func (e *emitter) gathersInto(x *access, half int, d amd64.VReg) bool {
	if x.wide || x.n > 1 {
		return false
	}
	a := x.index
	if a == nil {
		v := x.a
		if x.parts != nil {
			v = e.of(x.parts.v)
		}
		if v.class != vector || v.home.kind != inRegister {
			return d != temp0
		}
		a = []amd64.VReg{amd64.VReg(v.home.reg), amd64.VReg(v.home.reg + 1)}
	}
	return !slices.Contains(a[half:], d)
}

// gathered is loaded where gather has made zeroes of lanes that do not execute.
func (e *emitter) gathered(x *access, v *value, half int, r amd64.VReg) {
	if v.wide() {
		e.loaded(x, v, half, r)
		return
	}
	e.out(v, half, r)
}

// gatherWords loads 16 elements of 32 bits into temp2. It destroys temp0 and temp1.
func (e *emitter) gatherWords(x *access, half int, disp int32) {
	if !x.wide {
		e.gatherPart(x, amd64.VPGATHERDD, e.address(x, half, temp0), x.lanes+amd64.KReg(half), temp2, disp)
		return
	}
	for sub, d := range []amd64.VReg{temp2, temp1} {
		part := 2*half + sub
		e.gatherPart(x, amd64.VPGATHERQD, e.address(x, part, temp0), e.lanes(x.a, part, x.lanes), d, disp)
	}
	e.RRRI(amd64.VINSERTI64X4, temp2, temp2, temp1, 1, zmm)
}

// gatherDoubles loads elements of 64 bits.
func (e *emitter) gatherDoubles(x *access, v *value, disp int32) {
	for part := range 4 {
		row, r := amd64.VPGATHERDQ, temp0
		if x.wide {
			row, r = amd64.VPGATHERQQ, e.address(x, part, temp0)
		} else {
			r = e.upperOf(e.address(x, part/2, temp0), part%2)
		}
		e.gatherPart(x, row, r, e.lanes(v, part, x.lanes), temp2, disp)
		e.out(v, part, temp2)
	}
}

// upperOf returns a register whose low half is one half of r.
func (e *emitter) upperOf(r amd64.VReg, half int) amd64.VReg {
	if half == 0 {
		return r
	}
	e.RRRI(amd64.VEXTRACTI64X4, r, 0, temp0, 1, zmm)
	return temp0
}

// gatherPart gathers with one register of addresses into d, zero for lanes that do not execute.
func (e *emitter) gatherPart(x *access, row *amd64.Row, addr amd64.VReg, k amd64.KReg, d amd64.VReg, disp int32) {
	if k != 7 {
		e.KKK(amd64.KMOVW, 7, 0, k)
	}
	e.RRR(amd64.VPXORD, d, d, d, zmm)
	m := amd64.AtVector(amd64.RDX, addr, x.scale, disp)
	e.RRM(row, d, 0, m, under(7))
}

// gatherNarrow loads elements of 8 or 16 bits: the words that they lie in, which are in the same page as they are, shifted.
func (e *emitter) gatherNarrow(x *access, v *value, disp int32) {
	// RDX is a multiple of 4, or 0, where addresses are offsets, but in local memory of an odd stride.
	e.Lea(amd64.W64, amd64.RCX, amd64.At(amd64.RDX, disp))
	shift, at := e.free(2), e.free(3)
	for half := range 2 {
		if !x.wide {
			e.RG(amd64.VPBROADCASTDG, at, amd64.RCX, zmm)
			e.op(amd64.VPADDD, shift, at, e.address(x, half, temp0))
			e.opWith(amd64.VPANDD, shift, shift, 3)
			// The place from RDX+disp on, less what is beyond a multiple of 4.
			e.op(amd64.VPSUBD, at, e.address(x, half, temp0), shift)
			e.gatherPart(x, amd64.VPGATHERDD, at, x.lanes+amd64.KReg(half), temp2, disp)
		} else {
			for sub, d := range []amd64.VReg{temp2, temp1} {
				part := 2*half + sub
				e.RG(amd64.VPBROADCASTQG, at, amd64.RCX, zmm)
				e.op(amd64.VPADDQ, at, at, e.address(x, part, temp0))
				e.opWith(amd64.VPANDQ, temp3, at, 3)
				e.op(amd64.VPSUBQ, at, e.address(x, part, temp0), temp3)
				e.gatherPart(x, amd64.VPGATHERQD, at, e.lanes(x.a, part, x.lanes), d, disp)
				e.op(amd64.VPMOVQD, temp3, 0, temp3)
				if sub == 0 {
					e.op(amd64.VMOVDQA32, shift, 0, temp3)
				} else {
					e.RRRI(amd64.VINSERTI64X4, shift, shift, temp3, 1, zmm)
				}
			}
			e.RRRI(amd64.VINSERTI64X4, temp2, temp2, temp1, 1, zmm)
		}
		e.RRI(amd64.VPSLLDI, shift, shift, 3, zmm)
		e.op(amd64.VPSRLVD, temp2, temp2, shift)
		e.cut(temp2, int(8*x.size), 32, x.in.As.Signed(), temp2)
		if x.in.As.Signed() && v.v.Type == ir.B16 {
			e.opWith(amd64.VPANDD, temp2, temp2, 0xffff)
		}
		e.gathered(x, v, half, temp2)
	}
}

// scatter stores to the addresses of the lanes, in their order.
func (e *emitter) scatter(x *access) {
	if x.size < 4 {
		e.scatterNarrow(x)
		return
	}
	if e.scatterPairs(x) {
		return
	}
	for i, a := range x.in.Args[1:] {
		v := e.of(a)
		disp := int32(x.offset + int64(i)*x.size)
		parts := 2
		if x.size == 8 || x.wide {
			parts = 4
		}
		for part := range parts {
			switch {
			case x.wide && x.size == 8:
				e.scatterPart(x, amd64.VPSCATTERQQ, e.bitsIn(v, part, temp1), e.address(x, part, temp0), e.lanes(x.a, part, x.lanes), disp)
			case x.wide:
				from := e.stored(x, v, part/2, temp1)
				if part%2 == 1 {
					e.RRRI(amd64.VEXTRACTI64X4, from, 0, temp1, 1, zmm)
					from = temp1
				}
				e.scatterPart(x, amd64.VPSCATTERQD, from, e.address(x, part, temp0), e.lanes(x.a, part, x.lanes), disp)
			case x.size == 8:
				addr := e.upperOf(e.address(x, part/2, temp0), part%2)
				e.scatterPart(x, amd64.VPSCATTERDQ, e.bitsIn(v, part, temp1), addr, e.lanes(v, part, x.lanes), disp)
			default:
				from := e.stored(x, v, part, temp1)
				e.scatterPart(x, amd64.VPSCATTERDD, from, e.address(x, part, temp0), x.lanes+amd64.KReg(part), disp)
			}
		}
	}
}

func (e *emitter) scatterPart(x *access, row *amd64.Row, from, addr amd64.VReg, k amd64.KReg, disp int32) {
	if k != 7 {
		e.KKK(amd64.KMOVW, 7, 0, k)
	}
	e.RRM(row, from, 0, amd64.AtVector(amd64.RDX, addr, x.scale, disp), under(7))
}

// scatterNarrow stores elements of 8 or 16 bits, one lane after the other.
func (e *emitter) scatterNarrow(x *access) {
	e.setAddresses(x, 0)
	for i, a := range x.in.Args[1:] {
		e.setLanes(x, e.of(a), 1+i)
	}
	e.laneLoop(x.lanes, func(lane amd64.Reg) {
		e.loadLane(amd64.RDX, amd64.W64, 0, lane)
		for i := range x.in.Args[1:] {
			e.loadLane(amd64.RAX, amd64.W32, 1+i, lane)
			e.MovMR(amd64.Width(x.size), amd64.At(amd64.RDX, int32(int64(i)*x.size)), amd64.RAX)
		}
	})
}

// setAddresses writes the addresses of the lanes to a place in the frame, 64 bits each. RDX is used up.
func (e *emitter) setAddresses(x *access, place int) {
	for part := range 4 {
		r := temp0
		if x.wide {
			r = e.address(x, part, temp0)
		} else {
			r = e.upperOf(e.address(x, part/2, temp0), part%2)
			e.RRR(amd64.VPMOVSXDQ, temp0, 0, r, zmm) // a negative place has an offset that makes it positive
			r = temp0
		}
		if part == 0 {
			e.Lea(amd64.W64, amd64.RDX, amd64.At(amd64.RDX, int32(x.offset)))
			e.RG(amd64.VPBROADCASTQG, temp1, amd64.RDX, zmm)
		}
		e.op(amd64.VPADDQ, temp0, r, temp1)
		e.RRM(amd64.VMOVUPSStore, temp0, 0, amd64.At(frameReg, lanePlace(place)+64*int32(part)), zmm)
	}
}

// lanePlace is a place in the frame for 32 elements.
func lanePlace(i int) int32 { return frameTemp + 256*int32(i) }

// setLanes writes the lanes of a value to a place in the frame, of 32 bits or, for elements of 64, of 64.
func (e *emitter) setLanes(x *access, v *value, place int) {
	parts := 2
	if x.size == 8 {
		parts = 4
	}
	for part := range parts {
		e.RRM(amd64.VMOVUPSStore, e.stored(x, v, part, temp2), 0, amd64.At(frameReg, lanePlace(place)+64*int32(part)), zmm)
	}
}

// loadLane loads a lane's element from a place in the frame.
func (e *emitter) loadLane(r amd64.Reg, w amd64.Width, place int, lane amd64.Reg) {
	e.MovRM(w, r, amd64.AtIndex(frameReg, lane, uint8(w), lanePlace(place)))
}

// laneLoop emits body for each lane of k and k+1 in turn. It may use RAX, RCX, RDX, and what the frame has: values in
// registers are out of reach.
func (e *emitter) laneLoop(k amd64.KReg, body func(lane amd64.Reg)) {
	const lane, left = amd64.R8, amd64.R9
	e.MovMR(amd64.W64, amd64.At(frameReg, frameSpare), lane)
	e.MovMR(amd64.W64, amd64.At(frameReg, frameSpare+8), left)
	e.laneBits(amd64.RAX, k)
	e.MovRR(amd64.W32, left, amd64.RAX)
	again := e.NewLabel()
	e.Bind(again)
	e.Tzcnt(amd64.W32, lane, left)
	body(lane)
	e.Lea(amd64.W64, amd64.RAX, amd64.At(left, -1))
	e.AluRR(amd64.W32, amd64.AND, left, amd64.RAX)
	e.Jcc(amd64.NE, again)
	e.MovRM(amd64.W64, lane, amd64.At(frameReg, frameSpare))
	e.MovRM(amd64.W64, left, amd64.At(frameReg, frameSpare+8))
}
