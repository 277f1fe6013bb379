//go:build linux && (amd64 || arm64)

package jit

import "github.com/tandem-go/tandem/internal/ir"

// scalarIn returns a register with a uniform value, or with the base of one that differs from lane to lane. It is scratch
// if the value is not in a general register.
func (e *quarterEmitter) scalarIn(v *value, scratch gen) gen {
	switch {
	case v.class == constant:
		e.set(scratch, v.imm)
	case v.class == splat:
		q := e.pool.q
		e.pool.q = once
		r := e.reg(v, 0)
		if v.nan {
			r = e.canonical(v.wide(), r)
		}
		e.toGeneral(v.wide(), scratch, r)
		e.pool.drop()
		e.pool.q = q
	case v.class != scalar && v.class != flag:
		e.fail("value v%d has no scalar form", v.v.ID)
	case v.home.kind == inRegister:
		return gen(v.home.reg)
	default:
		e.load(scratch, 8, frameAt(v.home.slot))
	}
	return scratch
}

// scalarInto puts a uniform value into a register.
func (e *quarterEmitter) scalarInto(v *value, r gen) {
	if from := e.scalarIn(v, r); from != r {
		e.move(r, from)
	}
}

// scalarOut gives a scalar, flag, splat or vector its value, which has zeroes above its width.
func (e *quarterEmitter) scalarOut(v *value, r gen) {
	switch {
	case v.class == unused || v.home.kind == nowhere:
	case v.class == splat:
		d := e.pool.take()
		e.fromGeneral(v.wide(), d, r)
		q := e.pool.q
		e.pool.q = once
		e.done(v, 0, d)
		e.pool.q = q
		e.pool.give(d)
	case v.class == vector:
		d := e.pool.take()
		e.fromGeneral(v.wide(), d, r)
		e.everyQuarter(func(q int) {
			for n := range e.partsOf(v) {
				e.done(v, n, d)
			}
		}, d)
		e.pool.drop()
	case v.home.kind == inRegister:
		if gen(v.home.reg) != r {
			e.move(gen(v.home.reg), r)
		}
	default:
		e.store(8, frameAt(v.home.slot), r)
	}
}

// everyQuarter emits f for each quarter, keeping some registers.
func (e *quarterEmitter) everyQuarter(f func(q int), keep ...vec) {
	for q := range quarters {
		e.pool.quarter(q)
		for _, r := range keep {
			e.pool.held[r] = holding{taken: true, locked: true, pinned: true}
		}
		f(q)
	}
	e.pool.q = once
}

// wordIn returns a register with a predicate: a bit for each lane.
func (e *quarterEmitter) wordIn(v *value, scratch gen) gen {
	switch {
	case v.class == mask && v.home.kind == inGeneral:
		return gen(v.home.reg)
	case v.class == mask:
		e.load(scratch, 4, frameAt(v.home.slot))
	case v.class == constant:
		e.set(scratch, uint64(uint32(-(v.imm & 1))))
	case v.class == flag:
		e.scalarInto(v, scratch)
		e.negate(false, scratch)
	default:
		e.fail("value v%d is no predicate", v.v.ID)
	}
	return scratch
}

// wordOut gives a predicate its value in the lanes of a word; third is lost, and so is acc.
func (e *quarterEmitter) wordOut(v *value, r gen, lanes gen) {
	if v.home.kind == nowhere || v.class == unused {
		return
	}
	if v.masked { // old ^ ((old ^ new) & lanes)
		old := e.wordIn(v, third)
		if r != acc {
			e.move32(acc, r)
		}
		e.alu(aluXor, false, acc, old)
		e.alu(aluAnd, false, acc, lanes)
		e.alu(aluXor, false, acc, old)
		r = acc
	}
	if v.home.kind == inGeneral {
		e.move32(gen(v.home.reg), r)
	} else {
		e.store(4, frameAt(v.home.slot), r)
	}
}

// words emits an operation on predicates as words.
func (e *quarterEmitter) words(in *ir.Instr) {
	arg := func(i int, r gen) {
		if from := e.wordIn(e.of(in.Args[i]), r); from != r {
			e.move32(r, from)
		}
	}
	arg(0, acc)
	switch in.Op {
	case ir.OpNot:
		e.invert(false, acc)
	case ir.OpSelect: // b ^ ((a ^ b) & p)
		arg(1, second)
		arg(2, third)
		e.alu(aluXor, false, second, third)
		e.alu(aluAnd, false, acc, second)
		e.alu(aluXor, false, acc, third)
	default:
		arg(1, second)
		e.alu(map[ir.Op]aluOp{ir.OpAnd: aluAnd, ir.OpOr: aluOr, ir.OpXor: aluXor}[in.Op], false, acc, second)
	}
	e.wordOut(e.of(in.Results[0]), acc, curGen)
}

// specialOnce emits a special register that is the same in all lanes, or differs by constants.
func (e *quarterEmitter) specialOnce(in *ir.Instr) {
	v, r := e.of(in.Results[0]), ir.SReg(in.Index)
	m := place{}
	switch {
	case r <= ir.TidZ:
		m = frameAt(frameTid + 8*int32(r-ir.TidX))
	case r == ir.LaneID:
		e.set(acc, 0)
		e.scalarOut(v, acc)
		return
	default:
		at := specialPlace[r]
		m = areaAt(at)
		if at < 0 {
			m = frameAt(-at)
		}
	}
	e.load(acc, 8, m)
	e.scalarOut(v, acc)
}

// specialVector emits a special register that differs from lane to lane.
func (e *quarterEmitter) specialVector(in *ir.Instr) {
	v, r := e.of(in.Results[0]), ir.SReg(in.Index)
	q, d := e.pool.q, e.result()
	at, uniform := specialPlace[r]
	switch f := lanemasks[r]; {
	case uniform:
		m := areaAt(at)
		if at < 0 {
			m = frameAt(-at)
		}
		e.broadcast(v.wide(), d, m)
	case f != nil:
		e.vload(d, e.vectorOf(false, func(l int) uint64 { return uint64(f(8*q + l)) }))
	case r == ir.LaneID:
		e.vload(d, e.vectorOf(false, func(l int) uint64 { return uint64(8*q + l) }))
	default:
		e.vload(d, frameAt(frameTids+128*int32(r-ir.TidX)+32*int32(q)))
	}
	e.done(v, 0, d)
	if v.wide() {
		other := e.result()
		e.vmove(other, d)
		e.done(v, 1, other)
	}
}

// scalar emits in on general registers. The result is computed in acc.
func (e *quarterEmitter) scalar(in *ir.Instr) {
	v, wide := e.of(in.Results[0]), in.As.Bits() == 64
	arg := func(i int) *value { return e.of(in.Args[i]) }
	switch in.Op {
	case ir.OpAdd, ir.OpSub, ir.OpAnd, ir.OpOr, ir.OpXor, ir.OpMul:
		op := map[ir.Op]aluOp{ir.OpAdd: aluAdd, ir.OpSub: aluSub, ir.OpAnd: aluAnd, ir.OpOr: aluOr, ir.OpXor: aluXor, ir.OpMul: aluMul}[in.Op]
		e.scalarInto(arg(0), acc)
		if b := arg(1); b.class == constant {
			e.aluImm(op, wide, acc, int64(b.imm))
		} else {
			e.alu(op, wide, acc, e.scalarIn(b, second))
		}
	case ir.OpMulHi:
		e.scalarInto(arg(0), acc)
		e.scalarInto(arg(1), second)
		e.mulHigh(wide, in.As.Signed())
	case ir.OpMulWide:
		e.mulWideOnce(in)
	case ir.OpDiv, ir.OpRem:
		e.scalarInto(arg(0), acc)
		e.scalarInto(arg(1), second)
		e.divide(wide, in.As.Signed(), in.Op == ir.OpRem)
	case ir.OpNeg:
		e.scalarInto(arg(0), acc)
		e.negate(wide, acc)
	case ir.OpAbs:
		e.scalarInto(arg(0), acc)
		if in.As.Signed() {
			e.move(second, acc)
			e.negate(wide, second)
			e.compareImm(wide, acc, 0)
			e.moveIf(ifLess, acc, second)
		}
	case ir.OpShl, ir.OpShr:
		e.shiftOnce(in)
	default:
		e.scalarConvert(in, v)
		return
	}
	e.scalarOut(v, acc)
}

func (e *quarterEmitter) mulWideOnce(in *ir.Instr) {
	a, b := e.of(in.Args[0]), e.of(in.Args[1])
	if a.uniform() {
		a, b = b, a
	}
	e.widenScalar(in, a, acc)
	if b.class == constant {
		c := int64(uint32(b.imm))
		if in.As.Signed() {
			c = int64(int32(b.imm))
		}
		e.aluImm(aluMul, true, acc, c)
		return
	}
	e.scalarInto(b, second)
	if in.As.Signed() {
		e.extend(second, second, 32, true, true)
	}
	e.alu(aluMul, true, acc, second)
}

func shiftOf(in *ir.Instr) shiftOp {
	switch {
	case in.Op == ir.OpShl:
		return shiftLeft
	case in.As.Signed():
		return shiftSigned
	}
	return shiftRight
}

// shiftOnce emits a shift by any number: PTX clamps what is not below the width.
func (e *quarterEmitter) shiftOnce(in *ir.Instr) {
	op, wide, n := shiftOf(in), in.As.Bits() == 64, e.of(in.Args[1])
	e.scalarInto(e.of(in.Args[0]), acc)
	if n.class != constant {
		e.scalarInto(n, second)
		e.shift(op, wide)
		return
	}
	bits := uint64(in.As.Bits())
	switch {
	case n.imm == 0:
	case n.imm < bits:
		e.shiftImm(op, wide, acc, uint8(n.imm))
	case op == shiftSigned:
		e.shiftImm(op, wide, acc, uint8(bits-1))
	default:
		e.set(acc, 0)
	}
}

// scalarConvert emits comparisons, selections and conversions.
func (e *quarterEmitter) scalarConvert(in *ir.Instr, v *value) {
	wide := in.As.Bits() == 64
	switch in.Op {
	case ir.OpNot:
		e.scalarInto(e.of(in.Args[0]), acc)
		switch {
		case in.As == ir.Pred:
			e.aluImm(aluXor, false, acc, 1)
		case in.As.Bits() == 16:
			e.aluImm(aluXor, false, acc, 0xffff)
		default:
			e.invert(wide, acc)
		}
	case ir.OpMin, ir.OpMax:
		e.scalarInto(e.of(in.Args[0]), acc)
		e.scalarInto(e.of(in.Args[1]), second)
		e.compare(wide, second, acc)
		c := map[bool]map[ir.Op]condCode{true: {ir.OpMin: ifLess, ir.OpMax: ifGreater}, false: {ir.OpMin: ifBelow, ir.OpMax: ifAbove}}[in.As.Signed()][in.Op]
		e.moveIf(c, acc, second)
	case ir.OpPopc:
		e.scalarInto(e.of(in.Args[0]), acc)
		e.population(wide, acc, acc)
	case ir.OpClz:
		e.scalarInto(e.of(in.Args[0]), acc)
		e.leadingZeroes(wide, acc, acc)
	case ir.OpSetp:
		e.compareScalars(in)
		e.setIf(comparison(in), acc)
	case ir.OpSelect: // what loads the alternatives leaves the condition alone, but for splats
		e.scalarInto(e.of(in.Args[1]), acc)
		e.scalarInto(e.of(in.Args[2]), second)
		p := e.scalarIn(e.of(in.Args[0]), third)
		e.test(p, p)
		e.moveIf(ifEqual, acc, second)
	case ir.OpExtend, ir.OpCvt:
		e.extendOnce(in, v)
	case ir.OpCvta, ir.OpCvtaTo:
		e.scalarInto(e.of(in.Args[0]), acc)
		if in.Space == ir.SpaceShared {
			op := aluAdd
			if in.Op == ir.OpCvtaTo {
				op = aluSub
			}
			e.aluMem(op, true, acc, areaAt(areaShared))
		}
	default:
		e.fail("operation %s.%s has no scalar form", in.Op, in.As)
	}
	e.scalarOut(v, acc)
}

// extendOnce truncates or extends an integer into acc.
func (e *quarterEmitter) extendOnce(in *ir.Instr, v *value) {
	a, n, to := e.of(in.Args[0]), in.Args[0].Type.Bits(), v.v.Type.Bits()
	if in.From != ir.Void {
		n = min(n, in.From.Bits())
	}
	if n == 32 && to == 64 {
		e.widenScalar(in, a, acc)
		return
	}
	e.scalarInto(a, acc)
	if n < to && n < 32 {
		e.extend(acc, acc, n, in.From.Signed(), true)
	}
	switch to {
	case 32:
		e.move32(acc, acc)
	case 16:
		e.extend(acc, acc, 16, false, true)
	}
}

// widenScalar extends the 32 bits of a to 64 in r, which is acc. Where lanes differ, the sum of base and offset must not
// wrap around in any lane, or the block goes on in the reference engine.
func (e *quarterEmitter) widenScalar(in *ir.Instr, a *value, r gen) {
	signed := in.As.Signed()
	if in.Op != ir.OpMulWide {
		signed = in.From.Signed()
	}
	e.extend(r, e.scalarIn(a, r), 32, signed, true)
	least, most := a.span()
	if least >= 0 && uint64(most) < a.align {
		return
	}
	out, back := e.newLabel(), e.newLabel()
	for _, edge := range []int64{least, most} {
		if edge == 0 {
			continue
		}
		e.offset(true, second, r, int32(edge))
		e.extend(third, second, 32, signed, true)
		e.compare(true, third, second)
		e.branch(ifNot, out)
	}
	e.bind(back)
	e.leaveTo(out, back, site{kind: siteLeave, in: in})
}

// comparison is the condition of a comparison of integers.
func comparison(in *ir.Instr) condCode {
	if in.From.Signed() {
		return map[ir.Cmp]condCode{ir.Eq: ifEqual, ir.Ne: ifNot, ir.Lt: ifLess, ir.Le: ifLessEqual, ir.Gt: ifGreater, ir.Ge: ifGreaterEqual}[in.Cmp]
	}
	return map[ir.Cmp]condCode{ir.Eq: ifEqual, ir.Ne: ifNot, ir.Lt: ifBelow, ir.Le: ifBelowEqual, ir.Gt: ifAbove, ir.Ge: ifAboveEqual}[in.Cmp]
}

// compareScalars sets the condition.
func (e *quarterEmitter) compareScalars(in *ir.Instr) {
	a, b := e.of(in.Args[0]), e.of(in.Args[1])
	wide := in.From.Bits() == 64
	if n := in.From.Bits(); n < 32 {
		e.scalarInto(a, acc)
		e.scalarInto(b, second)
		if in.From.Signed() {
			e.extend(acc, acc, n, true, false)
			e.extend(second, second, n, true, false)
		}
		e.compare(false, acc, second)
		return
	}
	e.compareWith(wide, e.scalarIn(a, acc), b)
}

// compareWith sets the condition of a register, which is not second, and a uniform value.
func (e *quarterEmitter) compareWith(wide bool, r gen, b *value) {
	if b.class == constant {
		e.compareImm(wide, r, int64(b.imm))
	} else {
		e.compare(wide, r, e.scalarIn(b, second))
	}
}
