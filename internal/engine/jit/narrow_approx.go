//go:build linux && (amd64 || arm64)

package jit

import (
	"math"

	"github.com/tandem-go/tandem/internal/ir"
)

// This file compiles the approximate instructions. Each is the sequence that package fpmath states, bit for bit: see there
// for the coefficients and the errors.

// floats is a constant of equal lanes of 32 bits, doubles one of 64.
func (e *quarterEmitter) floats(f float32) source   { return e.all(false, floatBits(f)) }
func (e *quarterEmitter) doubles8(f float64) source { return e.all(true, math.Float64bits(f)) }

// polynomial returns the value in x of the polynomial with the coefficients given, the highest power first.
func (e *quarterEmitter) polynomial(x vec, c ...float32) vec {
	p := e.pool.take()
	e.vload(p, e.floats(c[0]).at)
	for _, next := range c[1:] {
		e.addToProduct(false, false, p, x, e.floats(next))
	}
	return p
}

// clampTo replaces what of x compares with a limit by the limit, NaNs never.
func (e *quarterEmitter) clampTo(x vec, c ir.Cmp, limit float32) {
	t, op := e.pool.take(), vFMore
	if c == ir.Gt {
		op = vFLess
	}
	e.vload(t, e.floats(limit).at)
	e.op2(op, false, t, t, inReg(x))
	e.vmove(x, t)
	e.pool.give(t)
}

const (
	magic     = 0x1.8p23
	magicBits = 0x4b400000
)

func (e *quarterEmitter) ex2(in *ir.Instr, n int) vec {
	least, most := float32(-151), float32(129)
	if flushes(in) {
		least, most = -127, 128
	}
	x, k := e.pool.take(), e.pool.take()
	e.vload(k, e.floats(least).at) // NaNs and, which give 1, subnormal numbers stay
	e.op2(vFMore, false, k, k, inReg(e.reg(e.arg(in, 0), n)))
	e.vload(x, e.floats(most).at)
	e.op2(vFLess, false, x, x, inReg(k))
	t, f := e.pool.take(), e.pool.take()
	e.op2(vFAdd, false, t, x, e.floats(magic))
	e.op2(vFSub, false, k, t, e.floats(magic))
	e.op2(vFSub, false, f, x, inReg(k))
	p := e.polynomial(f, 0x1.3f88cep-13, 0x1.5dd48ap-10, 0x1.3b2788p-7, 0x1.c6b23p-5, 0x1.ebfbf8p-3, 0x1.62e42ep-1, 1)
	if flushes(in) && in.Flags&ir.Sat == 0 {
		e.scaleFlushed(p, t, x)
		return p
	}
	e.op2(vSub, false, t, t, e.all(false, magicBits))
	e.shiftVector(shiftSigned, false, k, t, 1)
	e.op2(vSub, false, t, t, inReg(k))
	for _, r := range []vec{k, t} { // two factors, of which the first is exact
		e.op2(vAdd, false, r, r, e.all(false, 127))
		e.shiftVector(shiftLeft, false, r, r, 23)
		e.op2(vFMul, false, p, p, inReg(r))
	}
	return e.finished(in, p)
}

// scaleFlushed multiplies p, in (1/2, 2), with the power of two in the low bits of t, from -127 to 128, by adding that to the
// exponent: what is subnormal then becomes zero, and infinity comes of 1 only. Where x is a NaN, so is p. t is lost.
func (e *quarterEmitter) scaleFlushed(p, t, x vec) {
	e.shiftVector(shiftLeft, false, t, t, 23) // the other bits of the sum leave
	e.op2(vAdd, false, p, p, inReg(t))
	e.op2(vGreater, false, t, p, e.all(false, 0x7fffff))
	e.op2(vAnd, false, p, p, inReg(t))
	e.compareFloats(ir.IsNaN, false, t, x, inReg(x))
	e.op2(vOr, false, p, p, inReg(t))
}

func (e *quarterEmitter) lg2(in *ir.Instr, n int) vec {
	const sqrtHalf = 0x3f3504f3
	x := e.flushed(in, e.arg(in, 0), n)
	m, t, f, u := e.pool.take(), e.pool.take(), e.pool.take(), e.pool.take()
	e.compareFloats(ir.Lt, false, m, x, e.floats(0x1p-126))
	e.op2(vFMul, false, t, x, e.floats(0x1p23))
	e.blend(t, m, t, x)
	e.op2(vSub, false, t, t, e.all(false, sqrtHalf))
	e.shiftVector(shiftSigned, false, f, t, 23)
	e.op1(vToSingle, false, f, inReg(f))
	e.op2(vAnd, false, u, m, e.floats(23))
	e.op2(vFSub, false, f, f, inReg(u))
	e.op2(vAnd, false, t, t, e.all(false, 1<<23-1))
	e.op2(vAdd, false, t, t, e.all(false, sqrtHalf))
	e.op2(vFSub, false, t, t, e.floats(1))
	p := e.polynomial(t, 0x1.01db78p-3, -0x1.a888dep-3, 0x1.b9b818p-3, -0x1.e95caap-3, 0x1.26d57cp-2,
		-0x1.715c1ep-2, 0x1.ec73b2p-2, -0x1.715472p-1, 0x1.715476p+0)
	e.multiplyAdd(false, false, f, t, inReg(p))
	e.vload(u, e.all(false, nan32).at)
	e.compareFloats(ir.Gt, false, m, x, e.all(false, 0))
	e.blend(f, m, f, u)
	e.vload(u, e.floats(float32(math.Inf(-1))).at)
	e.compareFloats(ir.Eq, false, m, x, e.all(false, 0))
	e.blend(f, m, u, f)
	e.op2(vEqual, false, m, x, e.floats(float32(math.Inf(1))))
	e.blend(f, m, x, f)
	return e.finished(in, f)
}

// sinCos is sin and cos.
func (e *quarterEmitter) sinCos(in *ir.Instr, n int) vec {
	x := e.flushed(in, e.arg(in, 0), n)
	a, t, q := e.pool.take(), e.pool.take(), e.pool.take()
	e.op2(vAnd, false, a, x, e.all(false, 1<<31-1))
	if in.Op == ir.OpSin {
		e.vload(t, e.floats(magic).at)
		e.multiplyAdd(false, false, t, a, e.floats(1/math.Pi))
		e.op2(vFSub, false, q, t, e.floats(magic))
	} else {
		e.vload(t, e.floats(-0.5).at)
		e.multiplyAdd(false, false, t, a, e.floats(1/math.Pi))
		e.op2(vFAdd, false, t, t, e.floats(magic))
		e.op2(vFSub, false, q, t, e.floats(magic))
		e.op2(vFAdd, false, q, q, e.floats(0.5))
	}
	for _, pi := range []float32{0x1.921fb6p+1, -0x1.777a5cp-24, -0x1.ee59dap-49} {
		e.multiplyAdd(false, false, a, q, e.floats(-pi))
	}
	e.clampTo(a, ir.Gt, 2)
	e.clampTo(a, ir.Lt, -2)
	z := q
	e.op2(vFMul, false, z, a, inReg(a))
	p := e.polynomial(z, 0x1.5db2fp-19, -0x1.9f7364p-13, 0x1.110ef8p-7, -0x1.55554cp-3)
	e.op2(vFMul, false, z, z, inReg(a))
	e.multiplyAdd(false, false, a, z, inReg(p))
	if in.Op == ir.OpCos {
		e.op2(vXor, false, t, t, e.all(false, 1))
	}
	e.shiftVector(shiftLeft, false, t, t, 31)
	if in.Op == ir.OpSin {
		e.op2(vAnd, false, p, x, e.all(false, 1<<31))
		e.op2(vXor, false, t, t, inReg(p))
	}
	e.op2(vXor, false, a, a, inReg(t))
	return e.finished(in, a)
}

// rsqrtMagic and rsqrtPolynomial are the first guess and the coefficients of the first step of rsqrt.
func rsqrtMagic(wide bool) uint64 {
	if wide {
		return 0x5fe6eb50c7b537a9
	}
	return 0x5f3759df
}

func rsqrtPolynomial(wide bool) []float64 {
	if wide {
		return []float64{0.274108916, 0.31393548, 0.375000264, 0.499998335}
	}
	return []float64{0x1.18b3d8p-2, 0x1.4178aap-2, 0x1.7fffe2p-2, 0x1.ffff92p-2}
}

// rsqrtCode is a part of an rsqrt: x, y which is to become the result, and registers that it destroys, h those of doubles only.
type rsqrtCode struct {
	e             *quarterEmitter
	in            *ir.Instr
	wide          bool
	x, y, t, r, h vec
}

// rsqrt is for positive normal numbers; out of line it has an answer for others.
func (e *quarterEmitter) rsqrt(in *ir.Instr, n int) vec {
	c := &rsqrtCode{e: e, in: in, wide: in.As == ir.F64, x: e.reg(e.arg(in, 0), n), y: e.result(), t: e.pool.take(), r: e.pool.take()}
	least, end := uint64(0x00800000), uint64(0x7f800000)
	if c.wide {
		least, end, c.h = 1<<52, 0x7ff<<52, e.pool.take()
	}
	slow, back := e.newLabel(), e.newLabel()
	// Numbers in [least, end), moved to the lower end of the signed ones.
	bottom := uint64(1) << (in.As.Bits() - 1)
	e.op2(vAdd, c.wide, c.t, c.x, e.all(c.wide, bottom-least))
	e.op2(vGreater, c.wide, c.t, c.t, e.all(c.wide, bottom+end-least-1))
	e.bits(acc, c.t)
	e.compareImm(false, acc, 0)
	e.branch(ifNot, slow)
	c.emit(c.x)
	e.bind(back)
	e.cold = append(e.cold, func() {
		e.bind(slow)
		c.emitAny()
		e.jump(back)
	})
	e.pool.give(c.t)
	e.pool.give(c.r)
	if c.wide {
		e.pool.give(c.h)
	}
	return c.y
}

// of is a constant of the operand's width.
func (c *rsqrtCode) of(f float64) source {
	if c.wide {
		return c.e.doubles8(f)
	}
	return c.e.floats(float32(f))
}

// emit emits y of positive normal numbers x.
func (c *rsqrtCode) emit(x vec) {
	e, wide, y, t, r, h := c.e, c.wide, c.y, c.t, c.r, c.h
	e.shiftVector(shiftRight, wide, t, x, 1)
	e.vload(y, e.all(wide, rsqrtMagic(wide)).at)
	e.op2(vSub, wide, y, y, inReg(t))
	e.op2(vFMul, wide, t, x, inReg(y))
	e.addToProduct(wide, true, t, y, c.of(1))
	p := rsqrtPolynomial(wide)
	e.vload(r, c.of(p[0]).at)
	for _, next := range p[1:] {
		e.addToProduct(wide, false, r, t, c.of(next))
	}
	e.op2(vFMul, wide, t, t, inReg(y))
	e.multiplyAdd(wide, false, y, t, inReg(r))
	if !wide {
		return
	}
	e.op2(vFMul, true, h, x, inReg(y))
	e.vmove(t, h)
	e.multiplyAdd(true, true, t, x, inReg(y)) // h - x·y
	e.addToProduct(true, true, h, y, c.of(1))
	e.multiplyAdd(true, false, h, t, inReg(y))
	e.op2(vFMul, true, t, h, inReg(y))
	e.vload(r, c.of(0.375).at)
	e.addToProduct(true, false, r, h, c.of(0.5))
	e.multiplyAdd(true, false, y, t, inReg(r))
}

// emitAny emits y of any x.
func (c *rsqrtCode) emitAny() {
	e, wide, y, t := c.e, c.wide, c.y, c.t
	least, up, down, nan, inf := 0x1p-126, 0x1p24, 0x1p12, uint64(nan32), uint64(0x7f800000)
	if wide {
		least, up, down, nan, inf = 0x1p-1022, 0x1p54, 0x1p27, nan64, 0x7ff<<52
	}
	// Two more registers, with their values in the frame meanwhile.
	var more [2]vec
	for i, next := 0, vec(0); i < len(more); next++ {
		if next != c.x && next != y && next != t && next != c.r && !(wide && next == c.h) {
			more[i] = next
			i++
		}
	}
	kept := func(i int) place { return frameAt(frameTemp + 64 + 32*int32(i)) }
	for i, r := range more {
		e.vstore(kept(i), r)
	}
	s, m := more[0], more[1]
	e.vmove(s, c.x)
	if flushes(c.in) {
		e.flushInto(s, t, c.x)
	}
	e.compareFloats(ir.Lt, wide, m, s, c.of(least))
	e.op2(vFMul, wide, t, s, c.of(up))
	e.blend(s, m, t, s)
	c.emit(s)
	e.op2(vFMul, wide, t, y, c.of(down))
	e.blend(y, m, t, y)
	// Zeroes give infinities of their sign, infinity zero, what is less than zero or no number the NaN.
	e.compareFloats(ir.Gt, wide, m, s, e.all(wide, 0)) // and not NaN
	e.vload(t, e.all(wide, nan).at)
	e.blend(y, m, y, t)
	e.op2(vAnd, false, t, s, c.of(math.Copysign(0, -1)))
	e.op2(vOr, false, t, t, e.all(wide, inf))
	e.compareFloats(ir.Eq, wide, m, s, e.all(wide, 0))
	e.blend(y, m, t, y)
	e.op2(vEqual, wide, m, s, e.all(wide, inf))
	e.op2(vClear, false, y, y, inReg(m))
	for i, r := range more {
		e.vload(r, kept(i))
	}
}
