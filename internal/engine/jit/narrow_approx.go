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
	p, t := e.pool.take(), e.pool.take()
	e.vload(p, e.floats(c[0]).at)
	for _, next := range c[1:] {
		e.vload(t, e.floats(next).at)
		e.multiplyAdd(false, false, t, p, inReg(x))
		p, t = t, p
	}
	e.pool.give(t)
	return p
}

// clampTo replaces what of x compares with a limit by the limit, NaNs never.
func (e *quarterEmitter) clampTo(x vec, c ir.Cmp, limit float32) {
	m, t := e.pool.take(), e.pool.take()
	e.compareFloats(c, false, m, x, e.floats(limit))
	e.vload(t, e.floats(limit).at)
	e.blend(x, m, t, x)
	e.pool.give(m)
	e.pool.give(t)
}

const (
	magic     = 0x1.8p23
	magicBits = 0x4b400000
)

func (e *quarterEmitter) ex2(in *ir.Instr, n int) vec {
	x := e.pool.take()
	e.vmove(x, e.flushed(in, e.arg(in, 0), n))
	e.clampTo(x, ir.Lt, -151)
	e.clampTo(x, ir.Gt, 129)
	t, f, k := e.pool.take(), e.pool.take(), e.pool.take()
	e.op2(vFAdd, false, t, x, e.floats(magic))
	e.op2(vFSub, false, k, t, e.floats(magic))
	e.op2(vFSub, false, f, x, inReg(k))
	p := e.polynomial(f, 0x1.3f88cep-13, 0x1.5dd48ap-10, 0x1.3b2788p-7, 0x1.c6b23p-5, 0x1.ebfbf8p-3, 0x1.62e42ep-1, 1)
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

// rsqrt64: package fpmath, RsqrtFull64.
func (e *quarterEmitter) rsqrt64(in *ir.Instr, n int) vec {
	x := e.reg(e.arg(in, 0), n)
	s, m, scale, t := e.pool.take(), e.pool.take(), e.pool.take(), e.pool.take()
	e.vload(scale, e.doubles8(1).at)
	e.vmove(s, x)
	choose := func(factor, back float64) {
		e.op2(vFMul, true, t, x, e.doubles8(factor))
		e.blend(s, m, t, s)
		e.vload(t, e.doubles8(back).at)
		e.blend(scale, m, t, scale)
	}
	e.compareFloats(ir.Lt, true, m, x, e.doubles8(0x1p-900))
	choose(0x1p200, 0x1p100)
	e.compareFloats(ir.Ge, true, m, x, e.doubles8(0x1p900))
	choose(0x1p-200, 0x1p-100)
	y, h, r := e.pool.take(), e.pool.take(), e.pool.take()
	e.op1(vFSqrt, true, t, inReg(s))
	e.vload(r, e.doubles8(1).at)
	e.op2(vFDiv, true, y, r, inReg(t))
	e.op2(vFMul, true, h, y, inReg(y))
	e.multiplyAdd(true, true, r, s, inReg(h)) // 1 - s*h
	e.zero(t)
	e.op2(vFSub, true, t, t, inReg(h))
	e.multiplyAdd(true, false, t, y, inReg(y)) // y*y - h
	e.multiplyAdd(true, true, r, s, inReg(t))
	e.op2(vFMul, true, h, y, e.doubles8(0.5))
	e.vmove(t, y)
	e.multiplyAdd(true, false, t, h, inReg(r))
	e.op2(vFMul, true, t, t, inReg(scale))
	// Zeroes, infinities, negative numbers and NaNs keep the first y; scale is 1, 2^-100 or 2^100 for them, and s as good as x.
	e.compareFloats(ir.Gt, true, m, x, e.all(true, 0))
	e.blend(t, m, t, y)
	e.compareFloats(ir.Eq, true, m, x, e.doubles8(math.Inf(1)))
	e.blend(t, m, y, t)
	return t
}
