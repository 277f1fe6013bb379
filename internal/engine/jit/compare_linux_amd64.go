package jit

import (
	"cmp"

	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

func floatCompare(in *ir.Instr) bool { return in.Op == ir.OpSetp && in.From.Float() }

// comparisons are the predicates of VCMPPS and VPCMPD.
var floatComparisons = map[ir.Cmp]uint8{
	ir.Eq: 0x00, ir.Ne: 0x0c, ir.Lt: 0x11, ir.Le: 0x12, ir.Gt: 0x1e, ir.Ge: 0x1d, ir.Equ: 0x08, ir.Neu: 0x04,
	ir.Ltu: 0x19, ir.Leu: 0x1a, ir.Gtu: 0x16, ir.Geu: 0x15, ir.Num: 0x07, ir.IsNaN: 0x03,
}

var integerComparisons = map[ir.Cmp]uint8{ir.Eq: 0, ir.Lt: 1, ir.Le: 2, ir.Ne: 4, ir.Ge: 5, ir.Gt: 6}

// setp emits a comparison of vectors, or of floats that are the same in all lanes.
func (e *emitter) setp(in *ir.Instr) {
	v, a, b := e.of(in.Results[0]), e.of(in.Args[0]), e.of(in.Args[1])
	wide := in.From.Bits() == 64
	if e.setKnown(in, v) {
		return
	}
	if v.class == flag {
		e.compare(in, 7, a, b, 0, temp0, temp1)
		e.GK(amd64.KMOVWToG, amd64.RAX, 7)
		e.AluRI(amd64.W32, amd64.AND, amd64.RAX, 1)
		e.scalarOut(v, amd64.RAX)
		return
	}
	for half := range 2 {
		k := e.maskDst(v, half)
		if !wide {
			e.compare(in, k, a, b, half, temp0, temp1)
		} else {
			e.compare(in, 5, a, b, 2*half, temp0, temp1)
			e.compare(in, k, a, b, 2*half+1, temp0, temp1)
			e.KKK(amd64.KUNPCKBW, k, k, 5)
		}
		e.maskOut(v, half, k)
	}
}

// setKnown emits a comparison of which every lane's outcome is known; false if it is not.
func (e *emitter) setKnown(in *ir.Instr, v *value) bool {
	a, b := e.of(in.Args[0]), e.of(in.Args[1])
	if v.class != mask || !a.startsAt0() || b.class != constant || !in.From.Integer() || in.From.Bits() != 32 {
		return false
	}
	var known uint32
	for l := range 32 {
		x, y := a.offset(l), int64(uint32(b.imm))
		if in.From.Signed() {
			x, y = int64(int32(x)), int64(int32(y))
		} else {
			x = int64(uint32(x))
		}
		order := cmp.Compare(x, y)
		holds := map[ir.Cmp]bool{ir.Eq: order == 0, ir.Ne: order != 0, ir.Lt: order < 0, ir.Le: order <= 0, ir.Gt: order > 0, ir.Ge: order >= 0}[in.Cmp]
		known |= uint32(btoi(holds)) << l
	}
	for half := range 2 {
		k := e.maskDst(v, half)
		e.maskConstant(k, uint16(known>>(16*half)))
		e.maskOut(v, half, k)
	}
	return true
}

// compare emits k = the comparison of one part. It may use k7.
func (e *emitter) compare(in *ir.Instr, k amd64.KReg, a, b *value, part int, s, t amd64.VReg) {
	wide := in.From.Bits() == 64
	if in.From.Float() {
		x := e.vectorIn(a, part, s)
		y := e.operandIn(b, part, t)
		if in.Flags&ir.FTZ != 0 && !wide {
			f := *in
			f.As = in.From
			x = e.flush(&f, x, s)
			y = operand{reg: e.flush(&f, e.vectorIn(b, part, t), t)}
		}
		e.compareWith(rows{amd64.VCMPPS, amd64.VCMPPD}.of(wide), k, x, y, floatComparisons[in.Cmp])
		return
	}
	if in.From.Bits() == 16 {
		x, y := e.extended(e.bitsIn(a, part, s), 16, in.From.Signed(), s), e.extended(e.bitsIn(b, part, t), 16, in.From.Signed(), t)
		e.compareWith(amd64.VPCMPD, k, x, operand{reg: y}, integerComparisons[in.Cmp])
		return
	}
	row := rows{amd64.VPCMPUD, amd64.VPCMPUQ}.of(wide)
	if in.From.Signed() {
		row = rows{amd64.VPCMPD, amd64.VPCMPQ}.of(wide)
	}
	x := e.bitsIn(a, part, s)
	y := operand{reg: 0}
	if b.nan {
		y.reg = e.bitsIn(b, part, t)
	} else {
		y = e.operandIn(b, part, t)
	}
	e.compareWith(row, k, x, y, integerComparisons[in.Cmp])
}

func (e *emitter) compareWith(row *amd64.Row, k amd64.KReg, x amd64.VReg, y operand, imm uint8) {
	if !y.at {
		e.KRRI(row, k, x, y.reg, imm, zmm)
		return
	}
	o := zmm
	o.Bcast = y.cast
	e.KRMI(row, k, x, y.mem, imm, o)
}

var maskRows = map[ir.Op]*amd64.Row{ir.OpAnd: amd64.KANDW, ir.OpOr: amd64.KORW, ir.OpXor: amd64.KXORW}

func (e *emitter) predicate2(in *ir.Instr) {
	v, a, b := e.of(in.Results[0]), e.of(in.Args[0]), e.of(in.Args[1])
	if b.class != mask {
		a, b = b, a
	}
	x := amd64.KReg(0)
	for half := range 2 {
		if half == 0 || a.class == mask { // both halves of what is uniform are equal
			x = e.maskIn(a, half, 5)
		}
		k := e.maskDst(v, half)
		e.KKK(maskRows[in.Op], k, x, e.maskIn(b, half, 6))
		e.maskOut(v, half, k)
	}
}

func (e *emitter) predicateNot(in *ir.Instr) {
	v, a := e.of(in.Results[0]), e.of(in.Args[0])
	for half := range 2 {
		e.KKK(amd64.KNOTW, 0, 0, e.maskIn(a, half, 5))
		e.maskOut(v, half, 0)
	}
}

func (e *emitter) selectPredicate(in *ir.Instr) {
	v := e.of(in.Results[0])
	for half := range 2 {
		p := e.maskIn(e.of(in.Args[0]), half, 5)
		a := e.maskIn(e.of(in.Args[1]), half, 6)
		e.KKK(amd64.KANDW, 6, p, a)
		b := e.maskIn(e.of(in.Args[2]), half, 7)
		e.KKK(amd64.KANDNW, 0, p, b)
		e.KKK(amd64.KORW, 0, 0, 6)
		e.maskOut(v, half, 0)
	}
}

func (e *emitter) selectVector(in *ir.Instr) {
	v, p, a, b := e.of(in.Results[0]), e.of(in.Args[0]), e.of(in.Args[1]), e.of(in.Args[2])
	row := amd64.VPBLENDMD
	if v.wide() {
		row = amd64.VPBLENDMQ
	}
	in2 := e.vectorIn
	if !v.nan {
		in2 = e.bitsIn
	}
	for part := range v.parts() {
		x, y := in2(a, part, temp0), in2(b, part, temp1)
		half := part
		if v.wide() {
			half = part / 2
		}
		k := e.maskIn(p, half, 5)
		if v.wide() && part%2 == 1 {
			e.KKI(amd64.KSHIFTRW, 7, k, 8)
			k = 7
		}
		d := e.dst(v, part)
		o := zmm
		o.K = k
		e.RRR(row, d, y, x, o)
		e.out(v, part, d)
	}
}

// extendNative says how bits are extended or cut.
func extendNative(in *ir.Instr) native {
	if in.As.Bits() > 64 || in.Args[0].Type.Bits() > 64 {
		return native{}
	}
	return native{emit: (*emitter).extend}
}

// extend extends by zeroes or signs, or cuts.
func (e *emitter) extend(in *ir.Instr) {
	v, a := e.of(in.Results[0]), e.of(in.Args[0])
	n := in.Args[0].Type.Bits()
	if in.From != ir.Void {
		n = min(n, in.From.Bits())
	}
	to, signed := v.v.Type.Bits(), in.From.Signed()
	if n >= to {
		signed = false
	}
	n = min(n, to)
	for part := range v.parts() {
		var x amd64.VReg
		switch {
		case v.wide() && a.wide():
			x = e.bitsIn(a, part, temp0)
			if n < 64 {
				x = e.cut(x, n, 64, signed, temp0)
			}
		case v.wide():
			x = e.widen(a, part, false, temp0)
			if signed || n < 32 {
				x = e.cut(x, n, 64, signed, temp0)
			}
		case a.wide():
			x = e.narrow(a, part, v.class == splat)
			if n < 32 {
				x = e.cut(x, n, 32, signed, temp0)
			}
		default:
			x = e.bitsIn(a, part, temp0)
			if n < 32 {
				x = e.cut(x, n, 32, signed, temp0)
			}
		}
		if to == 16 && signed {
			x = e.cut(x, 16, 32, false, temp0)
		}
		e.out(v, part, x)
	}
}

// cut keeps the low n bits of elements of the given width and extends them, in d.
func (e *emitter) cut(x amd64.VReg, n, width int, signed bool, d amd64.VReg) amd64.VReg {
	left, right := rows{amd64.VPSLLDI, amd64.VPSLLQI}.of(width == 64), rows{amd64.VPSRLDI, amd64.VPSRLQI}
	if signed {
		right = rows{amd64.VPSRADI, amd64.VPSRAQI}
	}
	e.RRI(left, d, x, uint8(width-n), zmm)
	e.RRI(right.of(width == 64), d, d, uint8(width-n), zmm)
	return d
}

// narrow returns, in temp0, the low halves of 16 lanes of 64 bits.
func (e *emitter) narrow(a *value, part int, one bool) amd64.VReg {
	if one {
		e.RRR(amd64.VPMOVQD, e.bitsIn(a, 0, temp0), 0, temp0, zmm)
		e.RRRI(amd64.VINSERTI64X4, temp0, temp0, temp0, 1, zmm)
		return temp0
	}
	e.RRR(amd64.VPMOVQD, e.bitsIn(a, 2*part, temp0), 0, temp0, zmm)
	e.RRR(amd64.VPMOVQD, e.bitsIn(a, 2*part+1, temp1), 0, temp1, zmm)
	e.RRRI(amd64.VINSERTI64X4, temp0, temp0, temp1, 1, zmm)
	return temp0
}
