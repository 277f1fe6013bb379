package jit

import (
	"math"

	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// This file compiles conversions (PTX ISA, cvt), as package fpmath defines them.

// convertNative says how in, a Cvt, is compiled.
func convertNative(in *ir.Instr) native {
	from, to := in.From, in.As
	const clamping = ir.FTZ | ir.Sat
	full := func(t ir.Type) bool { return t == ir.F32 || t == ir.F64 }
	switch {
	case in.Round > ir.RP:
	case from.Integer() && to.Integer() && in.Flags == 0 && to.Bits() >= 8:
		return native{emit: (*emitter).cvtInteger}
	case from.Integer() && to.Integer() && in.Flags == ir.Sat && from.Bits() <= 32 && to.Bits() <= 32:
		return native{emit: (*emitter).clampInteger}
	case from.Integer() && full(to) && in.Flags == 0:
		return native{emit: (*emitter).toFloat}
	case from == ir.F32 && to.Integer() && to.Bits() <= 32 && in.Flags&^clamping == 0:
		return native{emit: (*emitter).toInteger}
	case full(from) && to.Integer() && in.Flags&^clamping == 0:
		return native{emit: (*emitter).toIntegerWide}
	case from == to && full(from) && in.Flags&^(clamping|ir.RoundInt) == 0:
		return native{(*emitter).toSame, in.Flags&ir.RoundInt != 0}
	case from == ir.F32 && to == ir.F64 && in.Flags&^clamping == 0:
		return native{(*emitter).toDouble, true}
	case from == ir.F64 && to == ir.F32 && in.Flags&^clamping == 0:
		return native{(*emitter).toSingle, true}
	case from == ir.F16 && to == ir.F32 && in.Flags&^clamping == 0:
		return native{(*emitter).fromHalf, true}
	case from == ir.F32 && to == ir.F16 && in.Flags&^clamping == 0:
		return native{emit: (*emitter).toHalf}
	}
	return native{}
}

// cvtInteger cuts to the destination and extends by its sign to what its value has.
func (e *emitter) cvtInteger(in *ir.Instr) {
	if in.As.Bits() >= 16 {
		e.extend(in)
		return
	}
	v, a := e.of(in.Results[0]), e.of(in.Args[0])
	for part := range v.parts() {
		x := temp0
		if a.wide() {
			e.narrow(a, part, v.class == splat)
		} else {
			x = e.bitsIn(a, part, temp0)
		}
		e.cut(x, 8, 32, in.As.Signed(), temp0)
		if in.As.Signed() {
			e.opWith(amd64.VPANDD, temp0, temp0, 0xffff)
		}
		e.out(v, part, temp0)
	}
}

// bounds are the least and the greatest number of an integer type, with their sign in 64 bits.
func bounds(t ir.Type) (least, most uint64) {
	n := t.Bits()
	if t.Signed() {
		return -(uint64(1) << (n - 1)), 1<<(n-1) - 1
	}
	return 0, ^uint64(0) >> (64 - n)
}

// keep cuts elements of 32 bits to what a value of the type holds.
func (e *emitter) keep(t ir.Type, d amd64.VReg) {
	if t.Bits() < 32 {
		e.opWith(amd64.VPANDD, d, d, 0xffff) // eight bits are extended to 16 by their sign
	}
}

// clampInteger converts with saturation, up to 32 bits.
func (e *emitter) clampInteger(in *ir.Instr) {
	least, most := bounds(in.As)
	e.lanewise(in, func(x [3]amd64.VReg, d amd64.VReg) {
		e.cut(x[0], in.From.Bits(), 32, in.From.Signed(), d)
		switch {
		case !in.From.Signed():
			e.opWith(amd64.VPMINUD, d, d, most)
		case in.As.Signed():
			e.opWith(amd64.VPMAXSD, d, d, least)
			e.opWith(amd64.VPMINSD, d, d, most)
		default:
			e.op(amd64.VPXORD, temp1, temp1, temp1)
			e.op(amd64.VPMAXSD, d, d, temp1)
			e.opWith(amd64.VPMINUD, d, d, most)
		}
		e.keep(in.As, d)
	})
}

// toFloat converts integers.
func (e *emitter) toFloat(in *ir.Instr) {
	v, a := e.of(in.Results[0]), e.of(in.Args[0])
	n, signed := in.From.Bits(), in.From.Signed()
	pick := func(u, s *amd64.Row) *amd64.Row {
		if signed {
			return s
		}
		return u
	}
	for part := range v.parts() {
		d := temp3
		switch {
		case n <= 32 && !v.wide():
			x := e.small(in, part)
			d = e.dst(v, part)
			e.RRR(pick(amd64.VCVTUDQ2PS, amd64.VCVTDQ2PS), d, 0, x, rounding(in))
		case n <= 32:
			x := e.upperOf(e.small(in, part/2), part%2)
			d = e.dst(v, part)
			e.op(pick(amd64.VCVTUDQ2PD, amd64.VCVTDQ2PD), d, 0, x)
		case v.wide():
			x := e.bitsIn(a, part, temp0)
			d = e.dst(v, part)
			e.RRR(pick(amd64.VCVTUQQ2PD, amd64.VCVTQQ2PD), d, 0, x, rounding(in))
		default:
			row := pick(amd64.VCVTUQQ2PS, amd64.VCVTQQ2PS)
			lo, hi := 2*part, 2*part+1
			if v.class == splat {
				lo, hi = 0, 0
			}
			e.RRR(row, temp2, 0, e.bitsIn(a, lo, temp0), rounding(in))
			e.RRR(row, d, 0, e.bitsIn(a, hi, temp0), rounding(in))
			e.RRRI(amd64.VINSERTI64X4, d, temp2, d, 1, zmm)
		}
		e.out(v, part, d)
	}
}

// small returns the operand of in, an integer of up to 32 bits of its type, extended to 32.
func (e *emitter) small(in *ir.Instr, part int) amd64.VReg {
	a := e.of(in.Args[0])
	if a.class == splat {
		part = 0
	}
	x := temp0
	if a.wide() {
		e.narrow(a, part, a.class == splat)
	} else {
		x = e.bitsIn(a, part, temp0)
	}
	if in.From.Bits() == 32 {
		return x
	}
	return e.cut(x, in.From.Bits(), 32, in.From.Signed(), temp0)
}

// nearest is the rounding of a conversion to an integer, embedded in any case.
func nearest(in *ir.Instr) amd64.Opt {
	o := rounding(in)
	o.ER = true
	return o
}

// toInteger rounds f32 and clamps to 32 bits and fewer; NaN becomes 0.
func (e *emitter) toInteger(in *ir.Instr) {
	v, a := e.of(in.Results[0]), e.of(in.Args[0])
	f := *in
	f.As = ir.F32
	least, most := bounds(in.As)
	const ordered = 7
	for part := range v.parts() {
		x := e.flush(&f, e.vectorIn(a, part, temp0), temp0)
		o := nearest(in)
		if !in.As.Signed() {
			e.op(amd64.VPXORD, temp1, temp1, temp1)
			e.op(amd64.VMAXPS, temp1, x, temp1)
			e.RRR(amd64.VCVTPS2UDQ, temp3, 0, temp1, o)
			if in.As.Bits() < 32 {
				e.opWith(amd64.VPMINUD, temp3, temp3, most)
			}
			e.out(v, part, temp3)
			continue
		}
		e.KRRI(amd64.VCMPPS, 7, x, x, ordered, zmm)
		o.K, o.Z = 7, true
		e.RRR(amd64.VCVTPS2DQ, temp3, 0, x, o)
		e.KRMI(amd64.VCMPPS, 7, x, amd64.At(blockReg, e.constant(single(1<<31))), greaterOrEqual, cast)
		e.allUnder(temp3, math.MaxInt32, false, under(7))
		if in.As.Bits() < 32 {
			e.opWith(amd64.VPMAXSD, temp3, temp3, least)
			e.opWith(amd64.VPMINSD, temp3, temp3, most)
			e.keep(in.As, temp3)
		}
		e.out(v, part, temp3)
	}
}

// toIntegerWide rounds f64, or to 64 bits, by way of integers of 64 bits; NaN becomes the top bit alone.
func (e *emitter) toIntegerWide(in *ir.Instr) {
	v := e.of(in.Results[0])
	if v.wide() {
		for part := range v.parts() {
			e.toQuad(in, part, temp3)
			e.out(v, part, temp3)
		}
		return
	}
	for part := range v.parts() {
		lo, hi := 2*part, 2*part+1
		if v.class == splat {
			lo, hi = 0, 0
		}
		e.toQuad(in, lo, temp3)
		e.op(amd64.VPMOVQD, temp3, 0, temp2)
		e.toQuad(in, hi, temp3)
		e.op(amd64.VPMOVQD, temp3, 0, temp1)
		e.RRRI(amd64.VINSERTI64X4, temp2, temp2, temp1, 1, zmm)
		e.keep(in.As, temp2)
		e.out(v, part, temp2)
	}
}

// toQuad converts eight lanes to integers of 64 bits, clamped to the type. It destroys temp0 and temp1.
func (e *emitter) toQuad(in *ir.Instr, part int, d amd64.VReg) {
	a, o := e.of(in.Args[0]), nearest(in)
	if a.class == splat {
		part = 0
	}
	x := temp0
	if in.From == ir.F32 {
		f := *in
		f.As = ir.F32
		x = e.upperOf(e.vectorIn(a, part/2, temp0), part%2)
		x = e.flush(&f, x, temp0)
		e.op(amd64.VCVTPS2PD, temp0, 0, x) // exact
		x = temp0
	} else {
		x = e.vectorIn(a, part, temp0)
	}
	const ordered = 7
	if in.As.Bits() == 64 && !in.As.Signed() {
		e.op(amd64.VPXORD, temp1, temp1, temp1)
		e.op(amd64.VMAXPD, temp1, x, temp1)
		e.RRR(amd64.VCVTPD2UQQ, d, 0, temp1, o) // all ones where it is too much
	} else {
		least, most := bounds(in.As)
		e.RRR(amd64.VCVTPD2QQ, d, 0, x, o)
		e.KRMI(amd64.VCMPPD, 7, x, amd64.At(blockReg, e.constant(double(0x1p63))), greaterOrEqual, cast)
		e.allUnder(d, math.MaxInt64, true, under(7))
		if in.As.Bits() < 64 {
			e.opWith(amd64.VPMINSQ, d, d, most)
			e.all(temp1, least, true)
			e.op(amd64.VPMAXSQ, d, d, temp1)
		}
	}
	e.KRRI(amd64.VCMPPD, 7, x, x, ordered, zmm)
	e.KKK(amd64.KNOTW, 7, 0, 7)
	nan := uint64(1) << (in.As.Bits() - 1)
	if in.From == ir.F32 && in.As.Bits() < 64 {
		nan = 0
	}
	if in.As.Signed() {
		nan = -nan
	}
	e.all(temp1, nan, true)
	e.RRR(amd64.VMOVDQA64, d, 0, temp1, under(7))
}

// toSame rounds to an integer, or copies, flushes and clamps.
func (e *emitter) toSame(in *ir.Instr) {
	v, a := e.of(in.Results[0]), e.of(in.Args[0])
	wide := in.As == ir.F64
	modes := map[ir.Round]uint8{ir.RN: 0, ir.RM: 1, ir.RP: 2, ir.RZ: 3}
	const quiet = 8
	for part := range v.parts() {
		if in.Flags&ir.RoundInt != 0 {
			x := e.flush(in, e.vectorIn(a, part, temp0), temp0)
			e.RRRI(rows{amd64.VRNDSCALEPS, amd64.VRNDSCALEPD}.of(wide), temp3, 0, x, modes[in.Round]|quiet, zmm)
		} else {
			read := e.bitsIn
			if in.Flags&ir.Sat != 0 { // which makes zero of any NaN
				read = e.vectorIn
			}
			e.op(amd64.VMOVDQA32, temp3, 0, e.flush(in, read(a, part, temp0), temp0))
		}
		e.finish(in, temp3)
		e.out(v, part, temp3)
	}
}

func (e *emitter) toDouble(in *ir.Instr) {
	v, a := e.of(in.Results[0]), e.of(in.Args[0])
	f := *in
	f.As = ir.F32
	for part := range v.parts() {
		src := part
		if v.class == splat || a.class == splat {
			src = 0
		}
		r := e.flush(&f, e.vectorIn(a, src/2, temp0), temp0)
		if src%2 == 1 {
			e.RRRI(amd64.VEXTRACTI64X4, r, 0, temp0, 1, zmm)
			r = temp0
		}
		e.RRR(amd64.VCVTPS2PD, temp3, 0, r, zmm)
		e.finish(in, temp3)
		e.out(v, part, temp3)
	}
}

func (e *emitter) toSingle(in *ir.Instr) {
	v, a := e.of(in.Results[0]), e.of(in.Args[0])
	o := rounding(in)
	for part := range v.parts() {
		lo, hi := 2*part, 2*part+1
		if v.class == splat {
			lo, hi = 0, 0
		}
		e.RRR(amd64.VCVTPD2PS, temp3, 0, e.vectorIn(a, lo, temp0), o)
		e.RRR(amd64.VCVTPD2PS, temp1, 0, e.vectorIn(a, hi, temp1), o)
		e.RRRI(amd64.VINSERTI64X4, temp3, temp3, temp1, 1, zmm)
		e.finish(in, temp3)
		e.out(v, part, temp3)
	}
}

// fromHalf widens f16 to f32.
func (e *emitter) fromHalf(in *ir.Instr) {
	v, a := e.of(in.Results[0]), e.of(in.Args[0])
	for part := range v.parts() {
		x := temp0
		if a.wide() {
			e.narrow(a, part, a.class == splat)
		} else {
			x = e.bitsIn(a, part, temp0)
		}
		e.op(amd64.VPMOVDW, x, 0, temp0)
		e.op(amd64.VCVTPH2PS, temp3, 0, temp0)
		e.finish(in, temp3)
		e.out(v, part, temp3)
	}
}

// toHalf rounds f32 to f16.
func (e *emitter) toHalf(in *ir.Instr) {
	v, a := e.of(in.Results[0]), e.of(in.Args[0])
	f := *in
	f.As = ir.F32
	const unordered = 3
	for part := range v.parts() {
		x := e.flush(&f, e.vectorIn(a, part, temp0), temp0)
		if in.Flags&ir.Sat != 0 {
			e.op(amd64.VMOVUPS, temp1, 0, x)
			g := ir.Instr{As: ir.F32, Mods: ir.Mods{Flags: ir.Sat}}
			e.finish(&g, temp1)
			x = temp1
		}
		e.RRRI(amd64.VCVTPS2PH, x, 0, temp3, map[ir.Round]uint8{ir.RN: 0, ir.RM: 1, ir.RP: 2, ir.RZ: 3}[in.Round], zmm)
		e.op(amd64.VPMOVZXWD, temp3, 0, temp3)
		e.KRRI(amd64.VCMPPS, 7, x, x, unordered, zmm)
		e.allUnder(temp3, 0x7fff, false, under(7))
		e.out(v, part, temp3)
	}
}
