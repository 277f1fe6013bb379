package jit

import (
	"math"

	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// native is how an instruction is compiled to vector instructions.
type native struct {
	emit func(e *emitter, in *ir.Instr)
	// nan: the result is a float that may be a NaN other than the canonical one.
	nan bool
}

// rows are the instructions for 32 and 64 bits.
type rows [2]*amd64.Row

func (r rows) of(wide bool) *amd64.Row {
	if wide {
		return r[1]
	}
	return r[0]
}

var integerRows = map[ir.Op]rows{
	ir.OpAdd: {amd64.VPADDD, amd64.VPADDQ}, ir.OpSub: {amd64.VPSUBD, amd64.VPSUBQ}, ir.OpMul: {amd64.VPMULLD, amd64.VPMULLQ},
	ir.OpAnd: {amd64.VPANDD, amd64.VPANDQ}, ir.OpOr: {amd64.VPORD, amd64.VPORQ}, ir.OpXor: {amd64.VPXORD, amd64.VPXORQ},
}

var signedRows = map[ir.Op]rows{
	ir.OpMin: {amd64.VPMINSD, amd64.VPMINSQ}, ir.OpMax: {amd64.VPMAXSD, amd64.VPMAXSQ},
}

var unsignedRows = map[ir.Op]rows{
	ir.OpMin: {amd64.VPMINUD, amd64.VPMINUQ}, ir.OpMax: {amd64.VPMAXUD, amd64.VPMAXUQ},
}

var floatRows = map[ir.Op]rows{
	ir.OpAdd: {amd64.VADDPS, amd64.VADDPD}, ir.OpSub: {amd64.VSUBPS, amd64.VSUBPD}, ir.OpMul: {amd64.VMULPS, amd64.VMULPD},
	ir.OpDiv: {amd64.VDIVPS, amd64.VDIVPD},
}

// nativeOf says how in is compiled to vector instructions; without emit it is not.
func nativeOf(in *ir.Instr) native {
	word := in.As.Integer() && in.As.Bits() >= 32 && in.As.Bits() <= 64
	float := in.As == ir.F32 || in.As == ir.F64
	switch in.Op {
	case ir.OpAdd, ir.OpSub, ir.OpMul:
		if word && in.Flags == 0 {
			return native{emit: (*emitter).integer2}
		}
		if in.As == ir.S32 && in.Flags == ir.Sat && in.Op != ir.OpMul {
			return native{emit: (*emitter).saturate}
		}
		if float && in.Round <= ir.RP {
			return native{(*emitter).float2, true}
		}
	case ir.OpAnd, ir.OpOr, ir.OpXor:
		switch {
		case in.As == ir.Pred:
			return native{emit: (*emitter).predicate2}
		case word || in.As.Bits() == 16:
			return native{emit: (*emitter).integer2}
		}
	case ir.OpNot:
		if in.As == ir.Pred {
			return native{emit: (*emitter).predicateNot}
		}
		if word {
			return native{emit: (*emitter).not}
		}
	case ir.OpSad:
		if in.As.Integer() {
			return native{emit: (*emitter).sad}
		}
	case ir.OpMin, ir.OpMax:
		if word && in.Flags == 0 {
			return native{emit: (*emitter).integer2}
		}
		if float && in.Flags&^(ir.FTZ|ir.NaN) == 0 {
			return native{(*emitter).minMax, true}
		}
	case ir.OpFma:
		if float && in.Round <= ir.RP && in.Flags&ir.Relu == 0 {
			return native{(*emitter).fma, true}
		}
	case ir.OpDiv, ir.OpRem:
		if float && in.Round <= ir.RP {
			if in.Flags&ir.Approx != 0 && in.Flags&ir.Full == 0 && in.As == ir.F32 {
				return native{(*emitter).divApprox, true}
			}
			return native{(*emitter).float2, true}
		}
		if in.As.Integer() && in.As.Bits() <= 32 {
			return native{emit: (*emitter).divideVector}
		}
	case ir.OpSqrt, ir.OpRcp:
		if in.Round <= ir.RP && (in.As == ir.F32 || in.As == ir.F64 && in.Flags&ir.Approx == 0) {
			return native{(*emitter).sqrtRcp, true}
		}
		if in.Op == ir.OpRcp && in.As == ir.F64 {
			return native{emit: (*emitter).seed}
		}
	case ir.OpRsqrt, ir.OpEx2, ir.OpLg2, ir.OpSin, ir.OpCos, ir.OpTanh:
		return nativeApprox(in)
	case ir.OpAddCC, ir.OpAddC, ir.OpSubCC, ir.OpSubC:
		if word {
			return native{emit: (*emitter).carry}
		}
	case ir.OpExtend:
		return extendNative(in)
	case ir.OpCvt:
		return convertNative(in)
	case ir.OpCvta, ir.OpCvtaTo:
		if in.Space != ir.SpaceLocal && in.Space != ir.SpaceParam {
			return native{emit: (*emitter).cvta}
		}
	}
	return nativeBits(in, word, float)
}

// nativeBits is nativeOf for operations on bits, comparisons and selections.
func nativeBits(in *ir.Instr, word, float bool) native {
	if f := bitOps[in.Op].of(in.As.Bits() == 64); f != nil {
		return native{emit: f}
	}
	if in.As.Integer() && in.As.Bits() == 16 && narrowOps[in.Op] && in.Flags == 0 {
		return native{emit: (*emitter).narrow16}
	}
	switch in.Op {
	case ir.OpNeg, ir.OpAbs:
		if word || float {
			return native{emit: (*emitter).sign}
		}
	case ir.OpShl, ir.OpShr:
		if word {
			return native{emit: (*emitter).shiftVector}
		}
	case ir.OpMulWide:
		switch in.As.Bits() {
		case 16:
			return native{emit: (*emitter).mulWide16}
		case 32:
			return native{emit: (*emitter).mulWide}
		}
	case ir.OpMulHi:
		switch {
		case word && in.As.Bits() == 64:
			return native{emit: (*emitter).mulHiWide}
		case word:
			return native{emit: (*emitter).mulHi}
		}
	case ir.OpCNot:
		return native{emit: (*emitter).cnot}
	case ir.OpSetp:
		if nativeCompare(in) {
			return native{emit: (*emitter).setp}
		}
	case ir.OpSelect:
		if in.As == ir.Pred {
			return native{emit: (*emitter).selectPredicate}
		}
		if in.As.Bits() <= 64 {
			return native{emit: (*emitter).selectVector}
		}
	case ir.OpSet:
		if nativeCompare(in) && in.As != ir.F16x2 && in.As != ir.BF16x2 {
			return native{emit: (*emitter).set}
		}
	case ir.OpPack:
		if in.As.Bits() <= 64 {
			return native{emit: (*emitter).pack}
		}
	case ir.OpUnpack:
		if in.Args[0].Type.Bits() <= 64 {
			return native{emit: (*emitter).unpack}
		}
	case ir.OpCopysign, ir.OpTestp:
		if float {
			return native{emit: map[ir.Op]func(*emitter, *ir.Instr){ir.OpCopysign: (*emitter).copysign, ir.OpTestp: (*emitter).testp}[in.Op]}
		}
	}
	return native{}
}

// nativeCompare tells that compare has code for the operands of a comparison.
func nativeCompare(in *ir.Instr) bool {
	return in.From == ir.F32 || in.From == ir.F64 || in.From.Integer() && in.From.Bits() >= 16
}

// bitOps are operations on bits of 32, or of 32 and 64.
var bitOps = map[ir.Op]rowsOf{
	ir.OpLop3: {(*emitter).lop3, nil}, ir.OpClz: {(*emitter).clz, (*emitter).clzWide}, ir.OpPopc: {(*emitter).popc, (*emitter).popc},
	ir.OpBrev: {(*emitter).brev, (*emitter).brev}, ir.OpBfind: {(*emitter).bfind, (*emitter).bfind},
	ir.OpBfe: {(*emitter).bfe, (*emitter).bfe}, ir.OpBfi: {(*emitter).bfi, (*emitter).bfi},
	ir.OpShf: {(*emitter).shf, nil}, ir.OpPrmt: {(*emitter).prmt, nil}, ir.OpDp4a: {(*emitter).dp4a, nil}, ir.OpDp2a: {(*emitter).dp2a, nil},
	ir.OpMul24: {(*emitter).mul24, nil},
}

// rowsOf are the emitters for 32 and for 64 bits.
type rowsOf [2]func(e *emitter, in *ir.Instr)

func (r rowsOf) of(wide bool) func(e *emitter, in *ir.Instr) {
	if wide {
		return r[1]
	}
	return r[0]
}

// narrowOps are the operations that narrow16 does.
var narrowOps = map[ir.Op]bool{
	ir.OpAdd: true, ir.OpSub: true, ir.OpMul: true, ir.OpMulHi: true, ir.OpMin: true, ir.OpMax: true, ir.OpNeg: true, ir.OpAbs: true, ir.OpNot: true,
	ir.OpShl: true, ir.OpShr: true,
}

// nativeApprox is nativeOf for the approximate instructions.
func nativeApprox(in *ir.Instr) native {
	switch {
	case in.Op == ir.OpRsqrt && in.As == ir.F64 && in.Flags&ir.FTZ != 0:
		return native{emit: (*emitter).seed}
	case in.Op == ir.OpRsqrt && in.As == ir.F64:
		return native{emit: (*emitter).rsqrt}
	case in.As != ir.F32:
		return native{}
	}
	return native{map[ir.Op]func(*emitter, *ir.Instr){
		ir.OpRsqrt: (*emitter).rsqrt, ir.OpEx2: (*emitter).ex2, ir.OpLg2: (*emitter).lg2, ir.OpSin: (*emitter).sinCos, ir.OpCos: (*emitter).sinCos,
		ir.OpTanh: (*emitter).tanh,
	}[in.Op], true}
}

// early tells that results must not share registers with operands, since they are written before all operands are read.
func early(p *plan, in *ir.Instr) bool {
	if len(in.Results) > 1 || p.indexOf(in) != nil {
		return true
	}
	switch p.vals[in.Results[0].ID].class {
	case splat:
		return true
	case twin: // the block may go on elsewhere at the second number, which asks for all operands again
		return in.Op == ir.OpMulWide || in.Op == ir.OpExtend || in.Op == ir.OpCvt
	}
	return false // vectors and masks are written part by part, as they are read
}

// lasts tells that operand v is read after the first part of the result of in has been written.
func lasts(p *plan, in *ir.Instr, v *ir.Value) bool {
	if len(in.Results) != 1 {
		return false
	}
	r, x := &p.vals[in.Results[0].ID], &p.vals[v.ID]
	return r.class == vector && (x.class == splat || x.class == repeated || x.class == vector && x.parts() != r.parts())
}

// rounding is the embedded rounding of a float instruction.
func rounding(in *ir.Instr) amd64.Opt {
	o := zmm
	if in.Round != ir.RN {
		o.ER, o.Round = true, map[ir.Round]uint8{ir.RM: 1, ir.RP: 2, ir.RZ: 3}[in.Round]
	}
	return o
}

func (e *emitter) integer2(in *ir.Instr) {
	row := integerRows[in.Op].of(in.As.Bits() == 64)
	if row == nil {
		if in.As.Signed() {
			row = signedRows[in.Op].of(in.As.Bits() == 64)
		} else {
			row = unsignedRows[in.Op].of(in.As.Bits() == 64)
		}
	}
	v, a, b := e.of(in.Results[0]), e.of(in.Args[0]), e.of(in.Args[1])
	if in.Op != ir.OpSub && (a.class == constant || a.class == scalar) {
		a, b = b, a
	}
	for part := range v.parts() {
		x := e.bitsIn(a, part, temp0)
		d := e.dst(v, part)
		if b.nan {
			e.RRR(row, d, x, e.bitsIn(b, part, temp1), zmm)
		} else {
			e.three(row, d, x, e.operandIn(b, part, temp1))
		}
		e.out(v, part, d)
	}
}

// flush returns r with subnormal numbers replaced by zeroes of the same sign, in scratch.
func (e *emitter) flush(in *ir.Instr, r, scratch amd64.VReg) amd64.VReg {
	if in.Flags&ir.FTZ == 0 || in.As == ir.F64 {
		return r
	}
	const denormal = 0x20
	e.KRRI(amd64.VFPCLASSPS, 7, 0, r, denormal, zmm)
	if r != scratch {
		e.RRR(amd64.VMOVUPS, scratch, 0, r, zmm)
	}
	e.RRM(amd64.VPANDD, scratch, scratch, amd64.At(blockReg, e.constant(1<<31)), amd64.Opt{L: amd64.L512, K: 7, Bcast: true})
	return scratch
}

// finish does to the result of a float instruction in d what its flags say.
func (e *emitter) finish(in *ir.Instr, d amd64.VReg) {
	e.flush(in, d, d)
	if in.Flags&ir.Sat == 0 {
		return
	}
	lo, hi, one := amd64.VMAXPS, amd64.VMINPS, uint64(math.Float32bits(1))
	if in.As == ir.F64 {
		lo, hi, one = amd64.VMAXPD, amd64.VMINPD, math.Float64bits(1)
	}
	e.RRR(amd64.VPXORD, temp2, temp2, temp2, zmm)
	e.RRR(lo, d, d, temp2, zmm) // the second operand if the first is a NaN
	e.RRM(hi, d, d, amd64.At(blockReg, e.constant(one)), amd64.Opt{L: amd64.L512, Bcast: true})
}

func (e *emitter) float2(in *ir.Instr) {
	row := floatRows[in.Op].of(in.As == ir.F64)
	v, a, b := e.of(in.Results[0]), e.of(in.Args[0]), e.of(in.Args[1])
	if (in.Op == ir.OpAdd || in.Op == ir.OpMul) && (a.class == constant || a.home.kind == inFrame) {
		a, b = b, a
	}
	plain := in.Round == ir.RN && in.Flags&^(ir.Full|ir.Approx) == 0
	for part := range v.parts() {
		x := e.flush(in, e.vectorIn(a, part, temp0), temp0)
		d := e.dst(v, part)
		if plain {
			e.three(row, d, x, e.operandIn(b, part, temp1))
		} else {
			e.RRR(row, temp3, x, e.flush(in, e.vectorIn(b, part, temp1), temp1), rounding(in))
			e.finish(in, temp3)
			d = temp3
		}
		e.out(v, part, d)
	}
}

func (e *emitter) fma(in *ir.Instr) {
	wide := in.As == ir.F64
	v := e.of(in.Results[0])
	a, b, c := e.of(in.Args[0]), e.of(in.Args[1]), e.of(in.Args[2])
	if a.class == constant || a.home.kind == inFrame {
		a, b = b, a
	}
	if e.folded != nil && e.folded.v == a.v {
		a, b = b, a
	}
	defer func() { e.folded = nil }()
	f213, f231 := rows{amd64.VFMADD213PS, amd64.VFMADD213PD}.of(wide), rows{amd64.VFMADD231PS, amd64.VFMADD231PD}.of(wide)
	f132 := rows{amd64.VFMADD132PS, amd64.VFMADD132PD}.of(wide)
	for part := range v.parts() {
		if in.Round != ir.RN || in.Flags != 0 {
			e.RRR(amd64.VMOVUPS, temp3, 0, e.flush(in, e.vectorIn(a, part, temp0), temp0), zmm)
			y := e.flush(in, e.vectorIn(b, part, temp1), temp1)
			z := e.flush(in, e.vectorIn(c, part, temp2), temp2)
			e.RRR(f213, temp3, y, z, rounding(in))
			e.finish(in, temp3)
			e.out(v, part, temp3)
			continue
		}
		x := e.vectorIn(a, part, temp0)
		d := e.dst(v, part)
		y, z := e.factor(b, part, temp1), e.operandIn(c, part, temp2)
		switch {
		case !z.at && z.reg == d:
			e.three(f231, d, x, y)
		case x == d && y.at:
			e.three(f132, d, e.vectorIn(c, part, temp2), y)
		case x == d:
			e.three(f213, d, y.reg, z)
		case !y.at && y.reg == d:
			e.three(f213, d, x, z)
		case y.at:
			e.RRR(amd64.VMOVUPS, d, 0, x, zmm)
			e.three(f132, d, e.vectorIn(c, part, temp2), y)
		default:
			e.RRR(amd64.VMOVUPS, d, 0, y.reg, zmm)
			e.three(f213, d, x, z)
		}
		e.out(v, part, d)
	}
}

func (e *emitter) sqrtRcp(in *ir.Instr) {
	wide := in.As == ir.F64
	v, a := e.of(in.Results[0]), e.of(in.Args[0])
	o := rounding(in)
	for part := range v.parts() {
		x := e.flush(in, e.vectorIn(a, part, temp0), temp0)
		if in.Op == ir.OpSqrt {
			e.RRR(rows{amd64.VSQRTPS, amd64.VSQRTPD}.of(wide), temp3, 0, x, o)
		} else {
			one := uint64(math.Float32bits(1))
			if wide {
				one = math.Float64bits(1)
			}
			e.broadcast(a, temp1, amd64.At(blockReg, e.constant(one)))
			e.RRR(floatRows[ir.OpDiv].of(wide), temp3, temp1, x, o)
		}
		e.finish(in, temp3)
		e.out(v, part, temp3)
	}
}

// divApprox: package fpmath, Approx.Div.
func (e *emitter) divApprox(in *ir.Instr) {
	v, a, b := e.of(in.Results[0]), e.of(in.Args[0]), e.of(in.Args[1])
	cast := zmm
	cast.Bcast = true
	for part := range v.parts() {
		x := e.flush(in, e.vectorIn(a, part, temp0), temp0)
		y := e.flush(in, e.vectorIn(b, part, temp1), temp1)
		e.RRR(amd64.VDIVPS, temp3, x, y, zmm)
		// Where 2^126 < |b| < inf, as a number of 31 bits less 2^126, unsigned.
		e.RRM(amd64.VPANDD, temp2, y, amd64.At(blockReg, e.constant(1<<31-1)), cast)
		e.RRM(amd64.VPSUBD, temp2, temp2, amd64.At(blockReg, e.constant(0x7e800001)), cast)
		const less = 1
		e.KRMI(amd64.VPCMPUD, 7, temp2, amd64.At(blockReg, e.constant(0x7f800000-0x7e800001)), less, cast)
		e.RRM(amd64.VPANDD, temp2, y, amd64.At(blockReg, e.constant(1<<31)), cast)
		e.RRR(amd64.VMULPS, temp3, x, temp2, amd64.Opt{L: amd64.L512, K: 7})
		e.finish(in, temp3)
		e.out(v, part, temp3)
	}
}

func (e *emitter) minMax(in *ir.Instr) {
	wide := in.As == ir.F64
	v, a, b := e.of(in.Results[0]), e.of(in.Args[0]), e.of(in.Args[1])
	row, both := rows{amd64.VMINPS, amd64.VMINPD}.of(wide), amd64.VPORD
	if in.Op == ir.OpMax {
		row, both = rows{amd64.VMAXPS, amd64.VMAXPD}.of(wide), amd64.VPANDD
	}
	cmp, move := amd64.VCMPPS, amd64.VMOVDQA32
	if wide {
		cmp, move = amd64.VCMPPD, amd64.VMOVDQA64
		both = map[*amd64.Row]*amd64.Row{amd64.VPORD: amd64.VPORQ, amd64.VPANDD: amd64.VPANDQ}[both]
	}
	const equal, unordered = 0, 3
	k7 := amd64.Opt{L: amd64.L512, K: 7}
	for part := range v.parts() {
		x := e.flush(in, e.vectorIn(a, part, temp0), temp0)
		y := e.flush(in, e.vectorIn(b, part, temp1), temp1)
		e.RRR(row, temp3, x, y, zmm) // y if one is a NaN, or both are zeroes
		e.KRRI(cmp, 7, y, y, unordered, zmm)
		e.RRR(move, temp3, 0, x, k7)
		e.KRRI(cmp, 7, x, y, equal, zmm)
		e.RRR(both, temp3, x, y, k7)
		if in.Flags&ir.NaN != 0 {
			e.KRRI(cmp, 7, x, y, unordered, zmm)
			nan := uint64(nan32)
			if wide {
				nan = nan64
			}
			e.broadcastMasked(a, temp3, amd64.At(blockReg, e.constant(nan)), k7)
		}
		e.out(v, part, temp3)
	}
}

func (e *emitter) broadcastMasked(v *value, d amd64.VReg, m amd64.Mem, o amd64.Opt) {
	row := amd64.VBROADCASTSS
	if v.wide() {
		row = amd64.VBROADCASTSD
	}
	e.RRM(row, d, 0, m, o)
}

// sign is abs and neg.
func (e *emitter) sign(in *ir.Instr) {
	wide := in.As.Bits() == 64
	v, a := e.of(in.Results[0]), e.of(in.Args[0])
	top := uint64(1) << (in.As.Bits() - 1)
	cast := zmm
	cast.Bcast = true
	for part := range v.parts() {
		x := e.bitsIn(a, part, temp0)
		d := e.dst(v, part)
		switch {
		case in.As.Float() && in.Op == ir.OpNeg:
			x = e.flush(in, x, temp0)
			e.RRM(integerRows[ir.OpXor].of(wide), d, x, amd64.At(blockReg, e.constant(top)), cast)
		case in.As.Float():
			x = e.flush(in, x, temp0)
			e.RRM(integerRows[ir.OpAnd].of(wide), d, x, amd64.At(blockReg, e.constant(top-1)), cast)
		case in.Op == ir.OpNeg:
			e.RRR(amd64.VPXORD, temp1, temp1, temp1, zmm)
			e.RRR(integerRows[ir.OpSub].of(wide), d, temp1, x, zmm)
		case in.As.Signed():
			e.RRR(rows{amd64.VPABSD, amd64.VPABSQ}.of(wide), d, 0, x, zmm)
		default:
			e.RRR(rows{amd64.VPABSD, amd64.VPABSQ}.of(wide), d, 0, x, zmm)
		}
		e.out(v, part, d)
	}
}

func (e *emitter) not(in *ir.Instr) {
	v, a := e.of(in.Results[0]), e.of(in.Args[0])
	for part := range v.parts() {
		x := e.bitsIn(a, part, temp0)
		d := e.dst(v, part)
		e.RRRI(amd64.VPTERNLOGD, temp3, x, x, 0x55, zmm)
		if d != temp3 {
			e.RRR(amd64.VMOVDQA32, d, 0, temp3, zmm)
		}
		e.out(v, part, d)
	}
}

func (e *emitter) lop3(in *ir.Instr) {
	v := e.of(in.Results[0])
	for part := range v.parts() {
		x := e.bitsIn(e.of(in.Args[0]), part, temp0)
		y, z := e.bitsIn(e.of(in.Args[1]), part, temp1), e.bitsIn(e.of(in.Args[2]), part, temp2)
		e.RRR(amd64.VMOVDQA32, temp3, 0, x, zmm)
		e.RRRI(amd64.VPTERNLOGD, temp3, y, z, uint8(in.Imm), zmm)
		e.out(v, part, temp3)
	}
}

func (e *emitter) clz(in *ir.Instr) {
	v := e.of(in.Results[0])
	for part := range v.parts() {
		d := e.dst(v, part)
		e.RRR(amd64.VPLZCNTD, d, 0, e.bitsIn(e.of(in.Args[0]), part, temp0), zmm)
		e.out(v, part, d)
	}
}

func (e *emitter) shiftVector(in *ir.Instr) {
	wide := in.As.Bits() == 64
	v, a, n := e.of(in.Results[0]), e.of(in.Args[0]), e.of(in.Args[1])
	immediate, variable := rows{amd64.VPSLLDI, amd64.VPSLLQI}, rows{amd64.VPSLLVD, amd64.VPSLLVQ}
	if in.Op == ir.OpShr {
		immediate, variable = rows{amd64.VPSRLDI, amd64.VPSRLQI}, rows{amd64.VPSRLVD, amd64.VPSRLVQ}
		if in.As.Signed() {
			immediate, variable = rows{amd64.VPSRADI, amd64.VPSRAQI}, rows{amd64.VPSRAVD, amd64.VPSRAVQ}
		}
	}
	for part := range v.parts() {
		x := e.bitsIn(a, part, temp0)
		d := e.dst(v, part)
		switch {
		case n.class == constant:
			e.RRI(immediate.of(wide), d, x, uint8(min(n.imm, 255)), zmm)
		case wide:
			e.RRR(variable.of(wide), d, x, e.widen(n, part, false, temp1), zmm)
		default:
			e.RRR(variable.of(wide), d, x, e.bitsIn(n, part, temp1), zmm)
		}
		e.out(v, part, d)
	}
}

// widen returns, in scratch, eight lanes of a value of 32 bits extended to 64.
func (e *emitter) widen(v *value, part int, signed bool, scratch amd64.VReg) amd64.VReg {
	row := amd64.VPMOVZXDQ
	if signed {
		row = amd64.VPMOVSXDQ
	}
	if v.class == splat {
		part = 0
	}
	r := e.bitsIn(v, part/2, scratch)
	if part%2 == 1 {
		e.RRRI(amd64.VEXTRACTI64X4, r, 0, scratch, 1, zmm)
		r = scratch
	}
	e.RRR(row, scratch, 0, r, zmm)
	return scratch
}

func (e *emitter) mulWide(in *ir.Instr) {
	v, a, b := e.of(in.Results[0]), e.of(in.Args[0]), e.of(in.Args[1])
	row := amd64.VPMULUDQ
	if in.As.Signed() {
		row = amd64.VPMULDQ
	}
	for part := range v.parts() {
		x, y := e.widen(a, part, false, temp0), e.widen(b, part, false, temp1)
		d := e.dst(v, part)
		e.RRR(row, d, x, y, zmm)
		e.out(v, part, d)
	}
}

func (e *emitter) cvta(in *ir.Instr) {
	v, a := e.of(in.Results[0]), e.of(in.Args[0])
	row := amd64.VPADDQ
	if in.Op == ir.OpCvtaTo {
		row = amd64.VPSUBQ
	}
	for part := range v.parts() {
		x := e.bitsIn(a, part, temp0)
		if in.Space == ir.SpaceShared {
			d := e.dst(v, part)
			e.RRM(row, d, x, amd64.At(blockReg, areaShared), amd64.Opt{L: amd64.L512, Bcast: true})
			x = d
		}
		e.out(v, part, x)
	}
}
