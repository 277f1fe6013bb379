package jit

import (
	"math"

	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// This file compiles the approximate instructions. Each is the sequence that package fpmath states, bit for bit: see there
// for the coefficients and the errors.

// Classes of VFPCLASS, and comparisons of VCMPPS: the first is true if an operand is a NaN, the others are not.
const (
	classZero     = 2 | 4
	classPlusInf  = 8
	classInf      = 8 | 16
	classDenormal = 32
	classNaN      = 1 | 128

	notGreaterOrEqual = 0x19
	greaterOrEqual    = 0x1d
)

func single(x float32) uint64 { return uint64(math.Float32bits(x)) }

func double(x float64) uint64 { return math.Float64bits(x) }

// floatOf is single or double.
func floatOf(x float64, wide bool) uint64 {
	if wide {
		return double(x)
	}
	return single(float32(x))
}

// class emits k = the elements of x in one of the classes.
func (e *emitter) class(k amd64.KReg, x amd64.VReg, classes uint8, wide bool) {
	e.KRRI(rows{amd64.VFPCLASSPS, amd64.VFPCLASSPD}.of(wide), k, 0, x, classes, zmm)
}

// horner emits p = the polynomial in x with the coefficients given, the highest power first.
func (e *emitter) horner(p, x amd64.VReg, c ...float32) {
	e.all(p, single(c[0]), false)
	for _, next := range c[1:] {
		e.RRM(amd64.VFMADD213PS, p, x, amd64.At(blockReg, e.constant(single(next))), cast)
	}
}

const roundMagic = 0x1.8p23

func (e *emitter) ex2(in *ir.Instr) {
	t, f := e.free(0), e.free(1)
	as := *in
	as.Flags &^= ir.FTZ // a subnormal operand gives 1, as zero does
	e.floatwise(&as, func(x [3]amd64.VReg, d amd64.VReg) {
		e.all(t, single(-151), false)
		e.op(amd64.VMAXPS, t, t, x[0]) // the second operand if it is a NaN
		e.all(d, single(129), false)
		e.op(amd64.VMINPS, f, d, t)
		e.opWith(amd64.VADDPS, t, f, single(roundMagic))
		e.opWith(amd64.VSUBPS, t, t, single(roundMagic))
		e.op(amd64.VSUBPS, f, f, t)
		e.horner(d, f, 0x1.3f88cep-13, 0x1.5dd48ap-10, 0x1.3b2788p-7, 0x1.c6b23p-5, 0x1.ebfbf8p-3, 0x1.62e42ep-1, 1)
		e.op(amd64.VSCALEFPS, d, d, t)
		e.finish(in, d)
	})
}

func (e *emitter) lg2(in *ir.Instr) {
	const sqrtHalf = 0x3f3504f3
	t, f, g := e.free(0), e.free(1), e.free(2)
	e.floatwise(in, func(x [3]amd64.VReg, d amd64.VReg) {
		e.op(amd64.VMOVUPS, t, 0, x[0])
		e.class(7, x[0], classDenormal, false)
		e.RRM(amd64.VMULPS, t, x[0], amd64.At(blockReg, e.constant(single(0x1p23))), castUnder(7))
		e.opWith(amd64.VPSUBD, t, t, sqrtHalf)
		e.RRI(amd64.VPSRADI, f, t, 23, zmm)
		e.op(amd64.VCVTDQ2PS, f, 0, f)
		e.RRM(amd64.VSUBPS, f, f, amd64.At(blockReg, e.constant(single(23))), castUnder(7))
		e.opWith(amd64.VPANDD, t, t, 1<<23-1)
		e.opWith(amd64.VPADDD, t, t, sqrtHalf)
		e.opWith(amd64.VSUBPS, t, t, single(1))
		e.horner(g, t, 0x1.01db78p-3, -0x1.a888dep-3, 0x1.b9b818p-3, -0x1.e95caap-3, 0x1.26d57cp-2,
			-0x1.715c1ep-2, 0x1.ec73b2p-2, -0x1.715472p-1, 0x1.715476p+0)
		e.op(amd64.VMOVUPS, d, 0, g)
		e.op(amd64.VFMADD213PS, d, t, f)
		usual := e.NewLabel()
		e.class(7, x[0], 0xff&^classDenormal, false)
		e.KKK(amd64.KORTESTW, 7, 0, 7)
		e.Jcc(amd64.E, usual)
		e.class(7, x[0], classPlusInf, false)
		e.RRR(amd64.VMOVDQA32, d, 0, x[0], under(7))
		e.op(amd64.VPXORD, g, g, g)
		e.KRRI(amd64.VCMPPS, 7, x[0], g, notGreaterOrEqual, zmm)
		e.allUnder(d, nan32, false, under(7))
		e.class(7, x[0], classZero, false)
		e.allUnder(d, single(float32(math.Inf(-1))), false, under(7))
		e.Bind(usual)
	})
}

// sinCos is sin and cos.
func (e *emitter) sinCos(in *ir.Instr) {
	t, q, z := e.free(0), e.free(1), e.free(2)
	e.floatwise(in, func(x [3]amd64.VReg, d amd64.VReg) {
		r := temp1
		e.opWith(amd64.VPANDD, r, x[0], 1<<31-1)
		e.all(q, single(1/math.Pi), false)
		if in.Op == ir.OpSin {
			e.op(amd64.VMOVUPS, t, 0, q)
			e.RRM(amd64.VFMADD213PS, t, r, amd64.At(blockReg, e.constant(single(roundMagic))), cast)
			e.opWith(amd64.VSUBPS, q, t, single(roundMagic))
		} else {
			e.RRM(amd64.VFMADD213PS, q, r, amd64.At(blockReg, e.constant(single(-0.5))), cast)
			e.opWith(amd64.VADDPS, t, q, single(roundMagic))
			e.opWith(amd64.VSUBPS, q, t, single(roundMagic))
			e.opWith(amd64.VADDPS, q, q, single(0.5))
		}
		for _, pi := range []float32{0x1.921fb6p+1, -0x1.777a5cp-24, -0x1.ee59dap-49} {
			e.RRM(amd64.VFNMADD231PS, r, q, amd64.At(blockReg, e.constant(single(pi))), cast)
		}
		e.all(z, single(2), false)
		e.op(amd64.VMINPS, r, z, r)
		e.all(z, single(-2), false)
		e.op(amd64.VMAXPS, r, z, r)
		e.op(amd64.VMULPS, z, r, r)
		e.horner(d, z, 0x1.5db2fp-19, -0x1.9f7364p-13, 0x1.110ef8p-7, -0x1.55554cp-3)
		e.op(amd64.VMULPS, z, z, r)
		e.op(amd64.VFMADD213PS, d, z, r)
		e.RRI(amd64.VPSLLDI, t, t, 31, zmm)
		if in.Op == ir.OpSin {
			e.opWith(amd64.VPANDD, z, x[0], 1<<31)
			e.op(amd64.VPXORD, t, t, z)
		} else {
			e.opWith(amd64.VPXORD, t, t, 1<<31)
		}
		e.op(amd64.VPXORD, d, d, t)
	})
}

func (e *emitter) tanh(in *ir.Instr) {
	z, q := e.free(0), e.free(1)
	e.floatwise(in, func(x [3]amd64.VReg, d amd64.VReg) {
		e.op(amd64.VMULPS, z, x[0], x[0])
		e.horner(d, z, 3.6564252105264022e-06, 0.0022214021959551084, 0.1224298847392854, 1)
		e.op(amd64.VMULPS, d, d, x[0])
		e.horner(q, z, 0.00013616616923009132, 0.020819804249264291, 0.45575335945507922, 1)
		e.op(amd64.VDIVPS, d, d, q)
		// ±1 where the magnitude is at least 7.5.
		e.opWith(amd64.VPANDD, z, x[0], 1<<31-1)
		e.KRMI(amd64.VCMPPS, 7, z, amd64.At(blockReg, e.constant(single(7.5))), greaterOrEqual, cast)
		e.opWith(amd64.VPANDD, z, x[0], 1<<31)
		e.RRM(amd64.VPORD, d, z, amd64.At(blockReg, e.constant(single(1))), castUnder(7))
	})
}

// rsqrt is for positive normal numbers; out of line it has an answer for others.
func (e *emitter) rsqrt(in *ir.Instr) {
	v, a := e.of(in.Results[0]), e.of(in.Args[0])
	wide, h := v.wide(), temp3
	if wide {
		h = e.free(0)
	}
	slow, back := e.NewLabel(), e.NewLabel()
	const notPositiveNormal = 0xff
	for part := range v.parts() {
		k, o := amd64.KReg(0), zmm
		if v.class != splat {
			o.K = e.lanes(v, part, 1)
		}
		if part == 0 {
			k = 5
		}
		e.KRRI(rows{amd64.VFPCLASSPS, amd64.VFPCLASSPD}.of(wide), k, 0, e.vectorIn(a, part, temp0), notPositiveNormal, o)
		if part > 0 && part < v.parts()-1 {
			e.KKK(amd64.KORW, 5, 5, 0)
		} else if part == v.parts()-1 {
			e.KKK(amd64.KORTESTW, 5, 0, k)
		}
	}
	e.Jcc(amd64.NE, slow)
	for part := range v.parts() {
		x, y := e.vectorIn(a, part, temp0), e.dst(v, part)
		if x == y {
			y = temp3
		}
		e.rsqrtOf(y, x, h, wide)
		e.out(v, part, y)
	}
	e.Bind(back)
	e.later(func() {
		e.Bind(slow)
		for part := range v.parts() {
			x := e.flush(in, e.vectorIn(a, part, temp0), temp0)
			if x != temp0 {
				e.op(amd64.VMOVUPS, temp0, 0, x)
			}
			e.rsqrtOfAny(temp3, temp0, h, wide)
			e.out(v, part, temp3)
		}
		e.Jmp(back)
	})
}

// rsqrtOfAny computes one part for all numbers. It destroys what rsqrtOf does, and x.
func (e *emitter) rsqrtOfAny(y, x, h amd64.VReg, wide bool) {
	c := func(f float64) amd64.Mem { return amd64.At(blockReg, e.constant(floatOf(f, wide))) }
	up, down, nan := 0x1p24, 0x1p12, uint64(nan32)
	if wide {
		up, down, nan = 0x1p54, 0x1p27, nan64
	}
	mul := rows{amd64.VMULPS, amd64.VMULPD}.of(wide)
	e.class(5, x, classDenormal, wide)
	e.RRM(mul, x, x, c(up), castUnder(5))
	e.rsqrtOf(y, x, h, wide)
	e.RRM(mul, y, y, c(down), castUnder(5))
	e.class(7, x, classPlusInf, wide)
	e.RRR(rows{amd64.VPXORD, amd64.VPXORQ}.of(wide), y, y, y, under(7))
	e.op(amd64.VPXORD, temp1, temp1, temp1)
	e.KRRI(rows{amd64.VCMPPS, amd64.VCMPPD}.of(wide), 7, x, temp1, notGreaterOrEqual, zmm)
	e.allUnder(y, nan, wide, under(7))
	e.class(7, x, classZero, wide) // of the sign of the operand
	e.RRM(rows{amd64.VPORD, amd64.VPORQ}.of(wide), y, x, c(math.Inf(1)), castUnder(7))
}

// rsqrtOf computes one part for positive normal numbers. It destroys temp1, temp2 and, of doubles, h.
func (e *emitter) rsqrtOf(y, x, h amd64.VReg, wide bool) {
	const t, r = temp1, temp2
	c := func(f float64) amd64.Mem { return amd64.At(blockReg, e.constant(floatOf(f, wide))) }
	mul, fma := rows{amd64.VMULPS, amd64.VMULPD}.of(wide), rows{amd64.VFMADD213PS, amd64.VFMADD213PD}.of(wide)
	e.RRI(rows{amd64.VPSRLDI, amd64.VPSRLQI}.of(wide), t, x, 1, zmm)
	e.all(y, rsqrtMagic(wide), wide)
	e.op(rows{amd64.VPSUBD, amd64.VPSUBQ}.of(wide), y, y, t)
	e.op(mul, t, x, y)
	e.RRM(rows{amd64.VFNMADD213PS, amd64.VFNMADD213PD}.of(wide), t, y, c(1), cast)
	p := rsqrtPolynomial(wide)
	e.all(r, floatOf(p[0], wide), wide)
	for _, next := range p[1:] {
		e.RRM(fma, r, t, c(next), cast)
	}
	e.op(mul, t, t, y)
	e.op(rows{amd64.VFMADD231PS, amd64.VFMADD231PD}.of(wide), y, t, r)
	if !wide {
		return
	}
	e.op(amd64.VMULPD, h, x, y)
	e.op(amd64.VMOVUPS, t, 0, y)
	e.op(amd64.VFMSUB213PD, t, x, h) // x·y - h
	e.RRM(amd64.VFNMADD213PD, h, y, c(1), cast)
	e.op(amd64.VFNMADD231PD, h, t, y)
	e.op(amd64.VMULPD, t, h, y)
	e.all(r, double(0.375), true)
	e.RRM(amd64.VFMADD213PD, r, h, c(0.5), cast)
	e.op(amd64.VFMADD231PD, y, t, r)
}

// upperHalf are the bits of an f64 that the .ftz approximations see and give.
const upperHalf = 0xffffffff00000000

// flushDouble makes zeroes of the same sign of subnormal numbers.
func (e *emitter) flushDouble(x amd64.VReg) {
	e.class(7, x, classDenormal, true)
	e.RRM(amd64.VPANDQ, x, x, amd64.At(blockReg, e.constant(1<<63)), castUnder(7))
}

// seed is rcp.approx.ftz.f64 and rsqrt.approx.ftz.f64.
func (e *emitter) seed(in *ir.Instr) {
	v, a := e.of(in.Results[0]), e.of(in.Args[0])
	for part := range v.parts() {
		d := temp3
		e.opWith(amd64.VPANDQ, d, e.vectorIn(a, part, temp0), upperHalf)
		// What is left of a NaN may be an infinity.
		e.class(7, e.vectorIn(a, part, temp0), classNaN, true)
		e.allUnder(d, nan64, true, under(7))
		e.flushDouble(d)
		if in.Op == ir.OpRsqrt {
			e.op(amd64.VSQRTPD, d, 0, d)
		}
		e.all(temp1, double(1), true)
		e.op(amd64.VDIVPD, d, temp1, d)
		e.canonical(v, d, d)
		e.opWith(amd64.VPADDQ, d, d, 1<<31)
		e.opWith(amd64.VPANDQ, d, d, upperHalf)
		e.flushDouble(d)
		e.out(v, part, d)
	}
}
