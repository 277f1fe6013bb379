package jit

import (
	"encoding/binary"

	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// Atomic operations go lane by lane, lowest first, as the reference engine does them. Where all lanes name one address and
// nobody asks what they found there, or all add the same, they become one operation of the warp. Shared memory belongs to
// the goroutine that runs the block: there nothing is locked.

// atomicNative tells that there is code for an atomic operation.
func atomicNative(in *ir.Instr) bool {
	if in.Space != ir.SpaceGlobal && in.Space != ir.SpaceShared && in.Space != ir.SpaceGeneric {
		return false
	}
	switch op := ir.AtomicOp(in.Sub); {
	case in.As == ir.F32 || in.As == ir.F64:
		return op == ir.AtomAdd
	case !in.As.Integer() || in.As.Bits() < 32 || in.As.Bits() > 64:
		return false
	}
	return true
}

// atomic emits an atomic operation; false if it is not compiled.
func (e *emitter) atomic(in *ir.Instr) bool {
	if !atomicNative(in) {
		return false
	}
	used := len(in.Results) > 0 && e.of(in.Results[0]).home.kind != nowhere
	x, ok := e.open(in, in.Args[1:2])
	if !ok {
		return false
	}
	one := x.a.class != vector && x.a.uniform() && !x.far
	_, reduces := reductions[ir.AtomicOp(in.Sub)]
	b := e.of(in.Args[1])
	switch {
	case one && !used && reduces && !in.As.Float():
		e.checkScalar(x)
		e.reduceAtomic(x, b)
	case one && used && ir.AtomicOp(in.Sub) == ir.AtomAdd && in.As.Bits() == 32 && !in.As.Float() && b.uniform():
		e.checkScalar(x)
		e.ticket(x, b)
	case !used && reduces && in.Space == ir.SpaceShared && in.As.Bits() == 32 && !x.guarded && !in.As.Float() && ir.AtomicOp(in.Sub) <= ir.AtomXor:
		x.far = true
		e.checkVector(x)
		e.allAtomic(x)
	default:
		x.far = true
		e.checkVector(x)
		e.eachAtomic(x, used)
	}
	e.conclude(x, nil)
	if in.Guard != nil {
		e.later(func() {
			e.Bind(x.none)
			e.zero(in.Results)
			e.Jmp(x.done)
		})
	}
	return true
}

// reductions are the operations of several lanes that one can stand for: how vectors are combined, and what changes
// nothing, for unsigned numbers.
var reductions = map[ir.AtomicOp]ir.Op{
	ir.AtomAdd: ir.OpAdd, ir.AtomAnd: ir.OpAnd, ir.AtomOr: ir.OpOr, ir.AtomXor: ir.OpXor, ir.AtomMin: ir.OpMin, ir.AtomMax: ir.OpMax,
}

// neutral is the number that changes nothing.
func neutral(op ir.Op, t ir.Type) uint64 {
	all := ^uint64(0) >> (64 - t.Bits())
	switch {
	case op == ir.OpAnd, op == ir.OpMin && !t.Signed():
		return all
	case op == ir.OpMin:
		return all >> 1
	case op == ir.OpMax && t.Signed():
		return all>>1 + 1
	}
	return 0
}

// reduceAtomic combines the lanes and does one operation at the address that was checked.
func (e *emitter) reduceAtomic(x *access, b *value) {
	in, wide := x.in, x.size == 8
	op := reductions[ir.AtomicOp(in.Sub)]
	w := amd64.Width(x.size)
	row := e.reductionRow(op, in.As)
	e.Lea(amd64.W64, amd64.RDX, x.base)
	if b.uniform() && op == ir.OpAdd {
		e.laneBits(amd64.RAX, x.lanes)
		e.Popcnt(amd64.W32, amd64.RCX, amd64.RAX)
		e.scalarInto(b, amd64.RAX)
		e.ImulRR(w, amd64.RCX, amd64.RAX)
	} else {
		e.all(temp1, neutral(op, in.As), wide)
		parts := 2 * (1 + btoi(wide))
		for part := range parts {
			e.all(temp2, neutral(op, in.As), wide)
			r := e.stored(x, b, part, temp0)
			k := x.lanes + amd64.KReg(part)
			if wide {
				k = e.lanesOf8(part, x.lanes)
			}
			e.RRR(rows{amd64.VMOVDQA32, amd64.VMOVDQA64}.of(wide), temp2, 0, r, under(k))
			e.op(row, temp1, temp1, temp2)
		}
		e.fold(row, temp1, wide)
		e.GR(amd64.VMOVQStore, temp1, amd64.RCX, amd64.Opt{})
	}
	at := amd64.At(amd64.RDX, 0)
	alu, plain := map[ir.Op]amd64.Alu{ir.OpAdd: amd64.ADD, ir.OpAnd: amd64.AND, ir.OpOr: amd64.OR, ir.OpXor: amd64.XOR}[op]
	switch {
	case plain && in.Space == ir.SpaceShared:
		e.AluMR(w, alu, at, amd64.RCX)
	case plain:
		e.LockAlu(w, alu, at, amd64.RCX)
	default:
		again, done := e.NewLabel(), e.NewLabel()
		e.MovRM(w, amd64.RAX, at)
		e.Bind(again)
		e.AluRR(w, amd64.CMP, amd64.RAX, amd64.RCX)
		e.Jcc(minMaxConds(op, in.As.Signed())[0], done)
		e.LockCmpxchg(w, at, amd64.RCX)
		e.Jcc(amd64.NE, again)
		e.Bind(done)
	}
	if len(in.Results) > 0 && e.of(in.Results[0]).home.kind != nowhere {
		e.fail("a reduction with a result")
	}
}

// minMaxConds are the conditions in which the first of two numbers remains, and in which it gives way.
func minMaxConds(op ir.Op, signed bool) [2]amd64.Cond {
	switch {
	case op == ir.OpMin && signed:
		return [2]amd64.Cond{amd64.LE, amd64.G}
	case op == ir.OpMin:
		return [2]amd64.Cond{amd64.BE, amd64.A}
	case signed:
		return [2]amd64.Cond{amd64.GE, amd64.L}
	}
	return [2]amd64.Cond{amd64.AE, amd64.B}
}

func (e *emitter) reductionRow(op ir.Op, t ir.Type) *amd64.Row {
	row := integerRows[op].of(t.Bits() == 64)
	if row == nil {
		row = unsignedRows[op].of(t.Bits() == 64)
		if t.Signed() {
			row = signedRows[op].of(t.Bits() == 64)
		}
	}
	return row
}

// lanesOf8 is the mask register for eight lanes.
func (e *emitter) lanesOf8(part int, base amd64.KReg) amd64.KReg {
	k := base + amd64.KReg(part/2)
	if part%2 == 0 {
		return k
	}
	e.KKI(amd64.KSHIFTRW, 7, k, 8)
	return 7
}

// fold combines all elements of r in its first. It destroys temp0.
func (e *emitter) fold(row *amd64.Row, r amd64.VReg, wide bool) {
	e.RRRI(amd64.VEXTRACTI64X4, r, 0, temp0, 1, zmm)
	e.op(row, r, r, temp0)
	e.RRRI(amd64.VALIGND, temp0, r, r, 4, zmm)
	e.op(row, r, r, temp0)
	e.RRRI(amd64.VPSHUFD, temp0, 0, r, 0x4e, zmm)
	e.op(row, r, r, temp0)
	if !wide {
		e.RRRI(amd64.VPSHUFD, temp0, 0, r, 0xb1, zmm)
		e.op(row, r, r, temp0)
	}
}

// ticket is an addition of the same number by all lanes: each gets the sum as if those below it had come before.
func (e *emitter) ticket(x *access, b *value) {
	v := e.of(x.in.Results[0])
	e.Lea(amd64.W64, amd64.RDX, x.base)
	e.laneBits(amd64.RAX, x.lanes)
	e.Popcnt(amd64.W32, amd64.RCX, amd64.RAX)
	e.scalarInto(b, amd64.RAX)
	e.ImulRR(amd64.W32, amd64.RCX, amd64.RAX)
	if x.in.Space == ir.SpaceShared {
		e.MovRM(amd64.W32, amd64.RAX, amd64.At(amd64.RDX, 0))
		e.AluMR(amd64.W32, amd64.ADD, amd64.At(amd64.RDX, 0), amd64.RCX)
		e.MovRR(amd64.W32, amd64.RCX, amd64.RAX)
	} else {
		e.LockXadd(amd64.W32, amd64.At(amd64.RDX, 0), amd64.RCX)
	}
	e.RG(amd64.VPBROADCASTDG, temp1, amd64.RCX, zmm) // what was there
	var iota []byte
	for l := range uint32(16) {
		iota = binary.LittleEndian.AppendUint32(iota, l)
	}
	e.RRM(amd64.VMOVUPS, temp0, 0, amd64.At(blockReg, e.vectorConstant(iota)), zmm)
	for half := range 2 {
		k := x.lanes + amd64.KReg(half)
		o := under(k)
		o.Z = true
		e.RRR(amd64.VPEXPANDD, temp2, 0, temp0, o) // how many of the half come before
		if half == 1 {
			e.GK(amd64.KMOVWToG, amd64.RAX, x.lanes)
			e.Popcnt(amd64.W32, amd64.RAX, amd64.RAX)
			e.RG(amd64.VPBROADCASTDG, temp3, amd64.RAX, zmm)
			e.op(amd64.VPADDD, temp2, temp2, temp3)
		}
		e.op(amd64.VPMULLD, temp2, temp2, e.vectorIn(b, half, temp3))
		e.RRR(amd64.VPADDD, temp2, temp2, temp1, zmm)
		e.kept(x, v, half, temp2)
		e.out(v, half, temp2)
	}
}

// Places in the frame for the lanes of an atomic operation: the addresses, the operands, and what was found.
const (
	placeAddress = iota
	placeOperand
	placeSwap
	placeFound
)

// allAtomic is an operation in shared memory whose answer nobody reads, when all lanes execute it. Addresses come from their
// vector two at a time: read back from the frame they would wait for the additions before, which may go anywhere.
func (e *emitter) allAtomic(x *access) {
	const ax, cx, dx = amd64.RAX, amd64.RCX, amd64.RDX
	some, done := e.NewLabel(), e.NewLabel()
	b := e.of(x.in.Args[1])
	alu := map[ir.AtomicOp]amd64.Alu{ir.AtomAdd: amd64.ADD, ir.AtomAnd: amd64.AND, ir.AtomOr: amd64.OR, ir.AtomXor: amd64.XOR}[ir.AtomicOp(x.in.Sub)]
	e.KKK(amd64.KANDW, 7, 1, 2)
	e.KKK(amd64.KORTESTW, 7, 0, 7)
	e.Jcc(amd64.AE, some)
	if b.uniform() {
		e.scalarInto(b, cx)
	}
	for half := range 2 {
		at := e.lowAddresses(x, half)
		operands := temp2
		if !b.uniform() {
			operands = e.stored(x, b, half, temp2)
		}
		for pair := range 8 {
			e.elements(ax, at, temp1, pair)
			e.MovRR(amd64.W32, dx, ax)
			e.ShiftRI(amd64.W64, amd64.SHR, ax, 32)
			if !b.uniform() {
				e.elements(cx, operands, temp3, pair)
			}
			e.AluMR(amd64.W32, alu, amd64.AtIndex(sharedReg, dx, 1, 0), cx)
			if !b.uniform() {
				e.ShiftRI(amd64.W64, amd64.SHR, cx, 32)
			}
			e.AluMR(amd64.W32, alu, amd64.AtIndex(sharedReg, ax, 1, 0), cx)
		}
	}
	e.Bind(done)
	e.later(func() {
		e.Bind(some)
		e.eachAtomic(x, false)
		e.Jmp(done)
	})
}

// lowAddresses returns the 32-bit addresses of half of the lanes, in temp0 if they are not in a register. It destroys temp1.
func (e *emitter) lowAddresses(x *access, half int) amd64.VReg {
	r := temp0
	if x.wide {
		for sub, t := range []amd64.VReg{temp0, temp1} {
			e.op(amd64.VPMOVQD, e.address(x, 2*half+sub, t), 0, t)
		}
		e.RRRI(amd64.VINSERTI64X4, temp0, temp0, temp1, 1, zmm)
	} else {
		r = e.address(x, half, temp0)
	}
	if x.offset != 0 {
		e.opWith(amd64.VPADDD, temp0, r, uint64(uint32(x.offset)))
		r = temp0
	}
	return r
}

// elements puts the elements 2*pair and 2*pair+1 of a vector into a general register. It may destroy t.
func (e *emitter) elements(r amd64.Reg, from, t amd64.VReg, pair int) {
	if pair > 0 {
		e.RRRI(amd64.VALIGND, t, from, from, uint8(2*pair), zmm)
		from = t
	}
	e.GR(amd64.VMOVQStore, from, r, amd64.Opt{})
}

// eachAtomic does the operation lane by lane.
func (e *emitter) eachAtomic(x *access, used bool) {
	in := x.in
	w := amd64.Width(x.size)
	e.setAddresses(x, placeAddress)
	e.setLanes(x, e.of(in.Args[1]), placeOperand)
	if len(in.Args) > 2 {
		e.setLanes(x, e.of(in.Args[2]), placeSwap)
	}
	if used && x.guarded {
		e.op(amd64.VPXORD, temp0, temp0, temp0)
		for i := range int32(4) {
			e.RRM(amd64.VMOVUPSStore, temp0, 0, amd64.At(frameReg, lanePlace(placeFound)+64*i), zmm)
		}
	}
	e.laneLoop(x.lanes, func(lane amd64.Reg) {
		e.loadLane(amd64.RDX, amd64.W64, placeAddress, lane)
		e.atomicLane(x, w, lane, used)
		if used {
			e.MovMR(w, amd64.AtIndex(frameReg, lane, uint8(w), lanePlace(placeFound)), amd64.RAX)
		}
	})
	if !used {
		return
	}
	v := e.of(in.Results[0])
	for part := range v.parts() {
		e.RRM(amd64.VMOVUPS, temp0, 0, amd64.At(frameReg, lanePlace(placeFound)+64*int32(part)), zmm)
		e.out(v, part, temp0)
	}
}

// atomicLane does the operation of a lane at the address in RDX. What it found there is in RAX at the end, if that is used.
func (e *emitter) atomicLane(x *access, w amd64.Width, lane amd64.Reg, used bool) {
	const ax, cx = amd64.RAX, amd64.RCX
	at, op, shared := amd64.At(amd64.RDX, 0), ir.AtomicOp(x.in.Sub), x.in.Space == ir.SpaceShared
	alu, logic := map[ir.AtomicOp]amd64.Alu{ir.AtomAdd: amd64.ADD, ir.AtomAnd: amd64.AND, ir.AtomOr: amd64.OR, ir.AtomXor: amd64.XOR}[op]
	switch {
	case logic && !used && !x.in.As.Float():
		e.loadLane(cx, w, placeOperand, lane)
		if shared {
			e.AluMR(w, alu, at, cx)
		} else {
			e.LockAlu(w, alu, at, cx)
		}
	case op == ir.AtomAdd && !x.in.As.Float() && !shared:
		e.loadLane(ax, w, placeOperand, lane)
		e.LockXadd(w, at, ax)
	case op == ir.AtomExch && shared:
		e.MovRM(w, ax, at)
		e.loadLane(cx, w, placeOperand, lane)
		e.MovMR(w, at, cx)
	case op == ir.AtomExch:
		e.loadLane(ax, w, placeOperand, lane)
		e.Xchg(w, at, ax)
	case op == ir.AtomCas:
		e.loadLane(ax, w, placeOperand, lane)
		e.loadLane(cx, w, placeSwap, lane)
		e.LockCmpxchg(w, at, cx)
	default:
		again := e.NewLabel()
		e.MovRM(w, ax, at)
		e.Bind(again)
		e.atomicNext(x, w, lane)
		if shared {
			e.MovMR(w, at, cx)
			return
		}
		e.LockCmpxchg(w, at, cx)
		e.Jcc(amd64.NE, again)
	}
}

// atomicNext computes, in RCX, what takes the place of RAX.
func (e *emitter) atomicNext(x *access, w amd64.Width, lane amd64.Reg) {
	const ax, cx, spare = amd64.RAX, amd64.RCX, amd64.R10
	op := ir.AtomicOp(x.in.Sub)
	operand := func(r amd64.Reg) { e.loadLane(r, w, placeOperand, lane) }
	switch {
	case x.in.As.Float():
		e.atomicSum(x, lane)
	case op == ir.AtomInc || op == ir.AtomDec:
		e.MovMR(amd64.W64, amd64.At(frameReg, frameSpare+16), spare)
		if op == ir.AtomInc { // 0 from the operand on
			e.Lea(w, cx, amd64.At(ax, 1))
			e.MovRI(spare, 0)
			e.AluRM(w, amd64.CMP, ax, amd64.AtIndex(frameReg, lane, uint8(w), lanePlace(placeOperand)))
		} else { // the operand for 0 and what is above it
			e.Lea(w, cx, amd64.At(ax, -1))
			operand(spare)
			e.AluRR(w, amd64.CMP, cx, spare)
		}
		e.Cmov(w, amd64.AE, cx, spare)
		e.MovRM(amd64.W64, spare, amd64.At(frameReg, frameSpare+16))
	case op == ir.AtomMin || op == ir.AtomMax:
		operand(cx)
		e.AluRR(w, amd64.CMP, ax, cx)
		e.Cmov(w, minMaxConds(reductions[op], x.in.As.Signed())[0], cx, ax)
	default:
		operand(cx)
		e.AluRR(w, map[ir.AtomicOp]amd64.Alu{ir.AtomAdd: amd64.ADD, ir.AtomAnd: amd64.AND, ir.AtomOr: amd64.OR, ir.AtomXor: amd64.XOR}[op], cx, ax)
	}
}

// atomicSum is a sum of floats, which in global memory flushes f32 (PTX ISA, atom).
func (e *emitter) atomicSum(x *access, lane amd64.Reg) {
	wide := x.size == 8
	sum := &value{v: &ir.Value{Type: x.in.As.Value()}}
	add := func(flags ir.Flags) {
		in := &ir.Instr{As: x.in.As, Mods: ir.Mods{Flags: flags}}
		a, b := temp0, temp1
		e.RG(rows{amd64.VPBROADCASTDG, amd64.VPBROADCASTQG}.of(wide), a, amd64.RAX, zmm)
		m := amd64.AtIndex(frameReg, lane, uint8(x.size), lanePlace(placeOperand))
		e.RRM(rows{amd64.VBROADCASTSS, amd64.VBROADCASTSD}.of(wide), b, 0, m, zmm)
		e.flush(in, a, a)
		e.flush(in, b, b)
		e.op(floatRows[ir.OpAdd].of(wide), a, a, b)
		e.flush(in, a, a)
		e.canonical(sum, a, a)
		if wide {
			e.GR(amd64.VMOVQStore, a, amd64.RCX, amd64.Opt{})
		} else {
			e.GR(amd64.VMOVDStore, a, amd64.RCX, amd64.Opt{})
		}
	}
	switch {
	case wide || x.in.Space == ir.SpaceShared:
		add(0)
	case x.in.Space == ir.SpaceGlobal:
		add(ir.FTZ)
	default:
		shared, done := e.NewLabel(), e.NewLabel()
		e.MovRR(amd64.W64, amd64.RCX, amd64.RDX)
		e.AluRM(amd64.W64, amd64.SUB, amd64.RCX, amd64.At(blockReg, areaShared))
		e.AluRM(amd64.W64, amd64.CMP, amd64.RCX, amd64.At(blockReg, areaSharedBytes))
		e.Jcc(amd64.B, shared)
		add(ir.FTZ)
		e.Jmp(done)
		e.Bind(shared)
		add(0)
		e.Bind(done)
	}
}
