//go:build linux && (amd64 || arm64)

package jit

import (
	"math"

	"github.com/tandem-go/tandem/internal/ir"
)

func (e *quarterEmitter) shiftLanes(in *ir.Instr, n int) vec {
	op, wide := shiftOf(in), in.As.Bits() == 64
	x, count := e.bitsOf(e.arg(in, 0), n), e.arg(in, 1)
	if count.class != constant {
		c := e.countOf(count, n, wide)
		d := e.result()
		e.shiftBy(op, wide, d, x, c)
		return d
	}
	d := e.result()
	bits := uint64(in.As.Bits())
	switch {
	case count.imm == 0:
		e.vmove(d, x)
	case count.imm < bits:
		e.shiftVector(op, wide, d, x, uint8(count.imm))
	case op == shiftSigned:
		e.shiftVector(op, wide, d, x, uint8(bits-1))
	default:
		e.zero(d)
	}
	return d
}

// countOf returns a part of a number of 32 bits, at the width of what is shifted.
func (e *quarterEmitter) countOf(v *value, n int, wide bool) vec {
	if !wide {
		return e.bitsOf(v, n)
	}
	return e.widened(v, n, false)
}

// funnel is shf: of the 64 bits of two words, those that a shift brings to one of them.
func (e *quarterEmitter) funnel(in *ir.Instr, n int) vec {
	lo, hi := e.bitsOf(e.arg(in, 0), n), e.bitsOf(e.arg(in, 1), n)
	right := in.Flags&ir.Right != 0
	c := e.arg(in, 2)
	if c.class == constant {
		k := c.imm
		if in.Flags&ir.Wrap != 0 {
			k &= 31
		}
		k = min(k, 32)
		if !right {
			k = 32 - k // of the pair, shifted right by so many
		}
		d := e.result()
		switch k {
		case 0:
			e.vmove(d, lo)
		case 32:
			e.vmove(d, hi)
		default:
			t := e.pool.take()
			e.shiftVector(shiftRight, false, d, lo, uint8(k))
			e.shiftVector(shiftLeft, false, t, hi, uint8(32-k))
			e.op2(vOr, false, d, d, inReg(t))
			e.pool.give(t)
		}
		return d
	}
	k, t, d := e.pool.take(), e.pool.take(), e.result()
	x := e.bitsOf(c, n)
	if in.Flags&ir.Wrap != 0 {
		e.op2(vAnd, false, k, x, e.all(false, 31))
	} else {
		e.op2(vMinU, false, k, x, e.all(false, 32))
	}
	e.vload(t, e.all(false, 32).at)
	e.op2(vSub, false, t, t, inReg(k)) // shifts by 32 give zero
	if right {
		e.shiftBy(shiftRight, false, d, lo, k)
		e.shiftBy(shiftLeft, false, k, hi, t)
	} else {
		e.shiftBy(shiftLeft, false, d, hi, k)
		e.shiftBy(shiftRight, false, k, lo, t)
	}
	e.op2(vOr, false, d, d, inReg(k))
	e.pool.give(k)
	e.pool.give(t)
	return d
}

// lop3 is a truth table: bit 4a+2b+c of it is the result for bits a, b and c.
func (e *quarterEmitter) lop3(in *ir.Instr, n int) vec {
	a, b, c := e.bitsOf(e.arg(in, 0), n), e.bitsOf(e.arg(in, 1), n), e.bitsOf(e.arg(in, 2), n)
	table := uint8(in.Imm)
	// d = (f1 & a) | (f0 & ^a), where f1 and f0 are functions of b and c, by bit 2b+c.
	d, t := e.result(), e.pool.take()
	e.logic(table>>4, d, b, c)
	e.logic(table&15, t, b, c)
	e.op2(vXor, false, d, d, inReg(t)) // t ^ ((f1 ^ t) & a)
	e.op2(vAnd, false, d, d, inReg(a))
	e.op2(vXor, false, d, d, inReg(t))
	e.pool.give(t)
	return d
}

// logic emits d = the function of b and c with a table of four bits.
func (e *quarterEmitter) logic(table uint8, d, b, c vec) {
	ones := e.all(false, 0xffffffff)
	invert := func() { e.op2(vXor, false, d, d, ones) }
	switch table {
	case 0x0:
		e.zero(d)
	case 0xf:
		e.vload(d, ones.at)
	case 0x8:
		e.op2(vAnd, false, d, b, inReg(c))
	case 0x7:
		e.op2(vAnd, false, d, b, inReg(c))
		invert()
	case 0xe:
		e.op2(vOr, false, d, b, inReg(c))
	case 0x1:
		e.op2(vOr, false, d, b, inReg(c))
		invert()
	case 0x6:
		e.op2(vXor, false, d, b, inReg(c))
	case 0x9:
		e.op2(vXor, false, d, b, inReg(c))
		invert()
	case 0xc:
		e.vmove(d, b)
	case 0x3:
		e.op2(vXor, false, d, b, ones)
	case 0xa:
		e.vmove(d, c)
	case 0x5:
		e.op2(vXor, false, d, c, ones)
	case 0x4: // b without c
		e.op2(vClear, false, d, b, inReg(c))
	case 0xb:
		e.op2(vClear, false, d, b, inReg(c))
		invert()
	case 0x2: // c without b
		e.op2(vClear, false, d, c, inReg(b))
	default: // 0xd
		e.op2(vClear, false, d, c, inReg(b))
		invert()
	}
}

func (e *quarterEmitter) popc(in *ir.Instr, n int) vec {
	x, d := e.bitsOf(e.arg(in, 0), n), e.result()
	e.op1(vPopulation, false, d, inReg(x))
	return d
}

func (e *quarterEmitter) cvta(in *ir.Instr, n int) vec {
	x, d := e.bitsOf(e.arg(in, 0), n), e.result()
	if in.Space != ir.SpaceShared {
		e.vmove(d, x)
		return d
	}
	t := e.pool.take()
	e.broadcast(true, t, areaAt(areaShared))
	op := vAdd
	if in.Op == ir.OpCvtaTo {
		op = vSub
	}
	e.op2(op, true, d, x, inReg(t))
	e.pool.give(t)
	return d
}

// widened returns a part of a value of 32 bits extended to 64.
func (e *quarterEmitter) widened(v *value, n int, signed bool) vec {
	d, x := e.pool.take(), e.bitsOperand(v, 0)
	e.widen(d, x, n, signed)
	if !x.inMem {
		e.pool.give(x.reg)
	}
	return d
}

func (e *quarterEmitter) mulWide(in *ir.Instr) {
	v, a, b := e.of(in.Results[0]), e.arg(in, 0), e.arg(in, 1)
	op := vProductU
	if in.As.Signed() {
		op = vProductS
	}
	for n := range e.partsOf(v) {
		x, y, d := e.widened(a, n, false), e.widened(b, n, false), e.result()
		e.op2(op, true, d, x, inReg(y))
		e.conclude(v, n, d)
	}
}

// mulHi is the high half of products of 32 bits.
func (e *quarterEmitter) mulHi(in *ir.Instr) {
	v, a, b := e.of(in.Results[0]), e.arg(in, 0), e.arg(in, 1)
	op := vProductU
	if in.As.Signed() {
		op = vProductS
	}
	var half [2]vec
	for n := range half {
		x, y := e.widened(a, n, false), e.widened(b, n, false)
		half[n] = e.pool.take()
		e.op2(op, true, half[n], x, inReg(y))
		e.shiftVector(shiftRight, true, half[n], half[n], 32)
		e.pool.give(x)
		e.pool.give(y)
	}
	d := e.result()
	e.narrow(d, half[0], half[1])
	e.conclude(v, 0, d)
}

// setp emits a comparison.
func (e *quarterEmitter) setp(in *ir.Instr) {
	v, wide := e.of(in.Results[0]), in.From.Bits() == 64
	a, b := e.arg(in, 0), e.arg(in, 1)
	var d vec
	switch {
	case !wide:
		d = e.compareParts(in, a, b, 0)
	case e.pool.q == once:
		d = e.compareParts(in, a, b, 0)
	default:
		lo, hi := e.compareParts(in, a, b, 0), e.compareParts(in, a, b, 1)
		d = e.result()
		e.narrow(d, lo, hi)
	}
	if v.class == flag {
		e.bits(acc, d)
		e.aluImm(aluAnd, false, acc, 1)
		e.scalarOut(v, acc)
		return
	}
	e.conclude(v, 0, d)
}

// compareParts compares one part.
func (e *quarterEmitter) compareParts(in *ir.Instr, a, b *value, n int) vec {
	wide := in.From.Bits() == 64
	if in.From.Float() {
		f := *in
		f.As = in.From
		x := e.flushed(&f, a, n)
		y := e.floatOperand(&f, b, n)
		d := e.result()
		e.compareFloats(in.Cmp, wide, d, x, y)
		return d
	}
	x, y := e.bitsOf(a, n), e.bitsOf(b, n)
	d := e.result()
	greater := vAbove
	if in.From.Signed() {
		greater = vGreater
	}
	not := false
	switch in.Cmp {
	case ir.Eq, ir.Ne:
		e.op2(vEqual, wide, d, x, inReg(y))
		not = in.Cmp == ir.Ne
	case ir.Gt, ir.Le:
		e.op2(greater, wide, d, x, inReg(y))
		not = in.Cmp == ir.Le
	default:
		e.op2(greater, wide, d, y, inReg(x))
		not = in.Cmp == ir.Ge
	}
	if not {
		e.op2(vXor, false, d, d, e.all(false, 0xffffffff))
	}
	return d
}

// choose is a selection.
func (e *quarterEmitter) choose(in *ir.Instr) {
	v, p, a, b := e.of(in.Results[0]), e.arg(in, 0), e.arg(in, 1), e.arg(in, 2)
	read := e.reg
	if !v.nan {
		read = e.bitsOf
	}
	for n := range e.partsOf(v) {
		m := e.reg(p, 0)
		if v.wide() && v.class == vector {
			t := e.pool.take()
			e.widen(t, inReg(m), n, true)
			m = t
		}
		x, y := read(a, n), read(b, n)
		d := e.result()
		e.blend(d, m, x, y)
		e.conclude(v, n, d)
	}
}

// extendLanes extends by zeroes or signs, or cuts.
func (e *quarterEmitter) extendLanes(in *ir.Instr) {
	v, a := e.of(in.Results[0]), e.arg(in, 0)
	n := in.Args[0].Type.Bits()
	if in.From != ir.Void {
		n = min(n, in.From.Bits())
	}
	to, signed := v.v.Type.Bits(), in.From.Signed()
	if n >= to {
		signed = false
	}
	n = min(n, to)
	for k := range e.partsOf(v) {
		var x vec
		switch {
		case v.wide() && a.wide():
			x = e.cut(e.bitsOf(a, k), n, 64, signed)
		case v.wide():
			x = e.widened(a, k, false)
			if signed || n < 32 {
				x = e.cut(x, n, 64, signed)
			}
		case a.wide():
			lo, d := e.bitsOf(a, 0), e.pool.take()
			hi := lo
			if e.pool.q != once {
				hi = e.bitsOf(a, 1)
			}
			e.narrow(d, lo, hi)
			x = e.cut(d, n, 32, signed)
		default:
			x = e.cut(e.bitsOf(a, k), n, 32, signed)
		}
		if to == 16 && signed {
			x = e.cut(x, 16, 32, false)
		}
		if e.pool.held[x].cached || e.pool.reserved(x) { // it has a value of its own
			d := e.result()
			e.vmove(d, x)
			x = d
		}
		e.conclude(v, k, x)
	}
}

// cut keeps the low n bits of elements of the given width and extends them.
func (e *quarterEmitter) cut(x vec, n, width int, signed bool) vec {
	if n == width {
		return x
	}
	d, wide, right := e.pool.take(), width == 64, shiftRight
	if signed {
		right = shiftSigned
	}
	e.shiftVector(shiftLeft, wide, d, x, uint8(width-n))
	e.shiftVector(right, wide, d, d, uint8(width-n))
	return d
}

// toFloat: signed integers by the processor's instruction, unsigned ones in halves that are exact, with one rounding.
func (e *quarterEmitter) toFloat(in *ir.Instr, n int) vec {
	a := e.arg(in, 0)
	x := e.bitsOf(a, n)
	d := e.result()
	if in.From.Signed() || a.most <= math.MaxInt32 {
		e.rounded(in, func() { e.op1(vToSingle, false, d, inReg(x)) })
		return d
	}
	t := e.pool.take()
	e.shiftVector(shiftRight, false, t, x, 16)
	e.op1(vToSingle, false, t, inReg(t))
	e.op2(vAnd, false, d, x, e.all(false, 0xffff))
	e.op1(vToSingle, false, d, inReg(d))
	e.rounded(in, func() { e.multiplyAdd(false, false, d, t, e.all(false, floatBits(1<<16))) })
	e.pool.give(t)
	return d
}

// toInt rounds and clamps; NaN becomes 0.
func (e *quarterEmitter) toInt(in *ir.Instr, n int) vec {
	f := *in
	f.As = ir.F32
	x := e.flushed(&f, e.arg(in, 0), n)
	t, d := e.pool.take(), e.result()
	e.integral(in.Round, t, x)
	e.toInteger(in.As.Signed(), d, t)
	e.pool.give(t)
	return d
}

func (e *quarterEmitter) roundFloat(in *ir.Instr, n int) vec {
	x := e.flushed(in, e.arg(in, 0), n)
	d := e.result()
	e.integral(in.Round, d, x)
	return e.finished(in, d)
}

// singleOfHalf widens f16 to f32.
func (e *quarterEmitter) singleOfHalf(in *ir.Instr, n int) vec {
	x, d := e.bitsOf(e.arg(in, 0), n), e.result()
	e.fromHalf(d, x)
	return d
}

// halfOfSingle rounds f32 to f16.
func (e *quarterEmitter) halfOfSingle(in *ir.Instr, n int) vec {
	f := *in
	f.As = ir.F32
	x := e.pool.take()
	e.vmove(x, e.reg(e.arg(in, 0), n))
	x = e.finished(&f, x)
	h, m, d := e.pool.take(), e.pool.take(), e.result()
	e.rounded(in, func() { e.toHalf(h, x) })
	e.compareFloats(ir.IsNaN, false, m, x, inReg(x))
	e.vload(d, e.all(false, 0x7fff).at)
	e.blend(d, m, d, h)
	for _, r := range []vec{x, h, m} {
		e.pool.give(r)
	}
	return d
}

func (e *quarterEmitter) doubles(in *ir.Instr) {
	v, a := e.of(in.Results[0]), e.arg(in, 0)
	for n := range e.partsOf(v) {
		d := e.result()
		e.toDouble(d, e.operand(a, 0), n)
		e.conclude(v, n, d)
	}
}

func (e *quarterEmitter) singles(in *ir.Instr) {
	v, a := e.of(in.Results[0]), e.arg(in, 0)
	lo := e.reg(a, 0)
	hi := lo
	if e.pool.q != once {
		hi = e.reg(a, 1)
	}
	d := e.result()
	e.rounded(in, func() { e.toHalfWidth(d, lo, hi) })
	e.conclude(v, 0, d)
}

// sameFloat is a conversion of floats of 32 bits to themselves: it copies the number, a NaN with its bits. Clamped, all NaNs are zero.
func (e *quarterEmitter) sameFloat(in *ir.Instr, n int) vec {
	if in.Flags&ir.Sat != 0 {
		return e.finished(in, e.reg(e.arg(in, 0), n))
	}
	d := e.result()
	e.vmove(d, e.bitsOf(e.arg(in, 0), n))
	return e.finished(in, d)
}
