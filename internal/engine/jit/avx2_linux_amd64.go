package jit

import (
	"encoding/binary"
	"math"

	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// avx2Code is the isa of AVX2 with FMA. General registers have their own numbers, vectors are ymm0 to ymm13, and ymm14 and
// ymm15 are scratch of single operations.
type avx2Code struct {
	amd64.Asm
	vector func(b []byte) place
}

const (
	vs0 = amd64.VReg(14)
	vs1 = amd64.VReg(15)
)

var ymm = amd64.Opt{L: amd64.L256, VEX: true}

func wordOf(wide bool) amd64.Width {
	if wide {
		return amd64.W64
	}
	return amd64.W32
}

func (p place) mem() amd64.Mem { return amd64.At(amd64.Reg(p.base), p.disp) }

func (a *avx2Code) newLabel() label                     { return label(a.NewLabel()) }
func (a *avx2Code) bind(l label)                        { a.Bind(amd64.Label(l)) }
func (a *avx2Code) position(l label) int                { return a.Offset(amd64.Label(l)) }
func (a *avx2Code) finish() ([]byte, error)             { return a.Finish() }
func (a *avx2Code) reserve(room []byte, bytes int)      { a.Reserve(room, bytes) }
func (a *avx2Code) useConstants(f func(b []byte) place) { a.vector = f }
func (a *avx2Code) move(d, s gen)                       { a.MovRR(amd64.W64, amd64.Reg(d), amd64.Reg(s)) }
func (a *avx2Code) move32(d, s gen)                     { a.MovRR(amd64.W32, amd64.Reg(d), amd64.Reg(s)) }
func (a *avx2Code) set(d gen, v uint64)                 { a.MovRI(amd64.Reg(d), v) }
func (a *avx2Code) store(n int, m place, s gen)         { a.MovMR(amd64.Width(n), m.mem(), amd64.Reg(s)) }
func (a *avx2Code) storeImm(m place, v int32)           { a.MovMI(amd64.W32, m.mem(), v) }
func (a *avx2Code) negate(wide bool, d gen)             { a.NegR(wordOf(wide), amd64.Reg(d)) }
func (a *avx2Code) invert(wide bool, d gen)             { a.NotR(wordOf(wide), amd64.Reg(d)) }
func (a *avx2Code) population(wide bool, d, s gen) {
	a.Popcnt(wordOf(wide), amd64.Reg(d), amd64.Reg(s))
}
func (a *avx2Code) leadingZeroes(wide bool, d, s gen) {
	a.Lzcnt(wordOf(wide), amd64.Reg(d), amd64.Reg(s))
}
func (a *avx2Code) test(x, y gen)              { a.TestRR(amd64.W32, amd64.Reg(x), amd64.Reg(y)) }
func (a *avx2Code) jump(l label)               { a.Jmp(amd64.Label(l)) }
func (a *avx2Code) jumpTo(r gen)               { a.JmpR(amd64.Reg(r)) }
func (a *avx2Code) branch(c condCode, l label) { a.Jcc(conditionCodes[c], amd64.Label(l)) }
func (a *avx2Code) moveIf(c condCode, d, s gen) {
	a.Cmov(amd64.W64, conditionCodes[c], amd64.Reg(d), amd64.Reg(s))
}
func (a *avx2Code) address(d gen, l label) { a.LeaLabel(amd64.Reg(d), amd64.Label(l)) }
func (a *avx2Code) offset(wide bool, d, s gen, n int32) {
	a.Lea(wordOf(wide), amd64.Reg(d), amd64.At(amd64.Reg(s), n))
}
func (a *avx2Code) fence()                         { a.Mfence() }
func (a *avx2Code) compareMemImm(m place, v int32) { a.AluMI(amd64.W32, amd64.CMP, m.mem(), v) }

var conditionCodes = [...]amd64.Cond{
	ifEqual: amd64.E, ifNot: amd64.NE, ifLess: amd64.L, ifLessEqual: amd64.LE, ifGreater: amd64.G, ifGreaterEqual: amd64.GE,
	ifBelow: amd64.B, ifBelowEqual: amd64.BE, ifAbove: amd64.A, ifAboveEqual: amd64.AE,
}

var aluOps = [...]amd64.Alu{aluAdd: amd64.ADD, aluSub: amd64.SUB, aluAnd: amd64.AND, aluOr: amd64.OR, aluXor: amd64.XOR}

func (a *avx2Code) load(d gen, n int, m place) {
	if n >= 4 {
		a.MovRM(amd64.Width(n), amd64.Reg(d), m.mem())
	} else {
		a.MovZXM(amd64.Width(n), amd64.Reg(d), m.mem())
	}
}

func (a *avx2Code) loadSigned(d gen, n int, wide bool, m place) {
	a.MovSXM(wordOf(wide), amd64.Width(n), amd64.Reg(d), m.mem())
}

func (a *avx2Code) alu(op aluOp, wide bool, d, s gen) {
	if op == aluMul {
		a.ImulRR(wordOf(wide), amd64.Reg(d), amd64.Reg(s))
		return
	}
	a.AluRR(wordOf(wide), aluOps[op], amd64.Reg(d), amd64.Reg(s))
}

func (a *avx2Code) aluImm(op aluOp, wide bool, d gen, v int64) {
	switch {
	case !wide:
		v = int64(int32(v))
	case v != int64(int32(v)):
		a.MovRI(amd64.RDX, uint64(v))
		a.alu(op, wide, d, third)
		return
	}
	if op == aluMul {
		a.ImulRI(wordOf(wide), amd64.Reg(d), amd64.Reg(d), int32(v))
		return
	}
	a.AluRI(wordOf(wide), aluOps[op], amd64.Reg(d), int32(v))
}

func (a *avx2Code) aluMem(op aluOp, wide bool, d gen, m place) {
	a.AluRM(wordOf(wide), aluOps[op], amd64.Reg(d), m.mem())
}

func (a *avx2Code) memALU(op aluOp, m place, s gen) {
	a.AluMR(amd64.W32, aluOps[op], m.mem(), amd64.Reg(s))
}

func (a *avx2Code) countDown(m place, negative label) {
	a.AluMI(amd64.W32, amd64.SUB, m.mem(), 1)
	a.Jcc(amd64.S, amd64.Label(negative))
}

func (a *avx2Code) mulHigh(wide, signed bool) {
	if signed {
		a.ImulR(wordOf(wide), amd64.RCX)
	} else {
		a.MulR(wordOf(wide), amd64.RCX)
	}
	a.MovRR(wordOf(wide), amd64.RAX, amd64.RDX)
}

func (a *avx2Code) divide(wide, signed, remainder bool) {
	const ax, cx, dx = amd64.RAX, amd64.RCX, amd64.RDX
	w := wordOf(wide)
	zero, minus, done := a.NewLabel(), a.NewLabel(), a.NewLabel()
	a.TestRR(w, cx, cx)
	a.Jcc(amd64.E, zero)
	if signed { // the machine's overflow is by -1
		a.AluRI(w, amd64.CMP, cx, -1)
		a.Jcc(amd64.E, minus)
		a.SignExtendA(w)
		a.IdivR(w, cx)
	} else {
		a.AluRR(amd64.W32, amd64.XOR, dx, dx)
		a.DivR(w, cx)
	}
	if remainder {
		a.MovRR(w, ax, dx)
	}
	a.Jmp(done)
	a.Bind(zero)
	if !remainder {
		a.MovRI(ax, ^uint64(0)>>(64-8*uint(w)))
	}
	a.Jmp(done)
	a.Bind(minus)
	if remainder {
		a.MovRI(ax, 0)
	} else {
		a.NegR(w, ax)
	}
	a.Bind(done)
}

var shiftOps = [...]amd64.Shift{shiftLeft: amd64.SHL, shiftRight: amd64.SHR, shiftSigned: amd64.SAR}

func (a *avx2Code) shift(op shiftOp, wide bool) {
	const ax, cx, dx = amd64.RAX, amd64.RCX, amd64.RDX
	w := wordOf(wide)
	bits := 8 * int32(w)
	if op == shiftSigned {
		a.MovRI(dx, uint64(bits-1))
		a.AluRR(amd64.W32, amd64.CMP, cx, dx)
		a.Cmov(amd64.W32, amd64.A, cx, dx)
		a.ShiftRC(w, amd64.SAR, ax)
		return
	}
	a.ShiftRC(w, shiftOps[op], ax)
	a.MovRI(dx, 0)
	a.AluRI(amd64.W32, amd64.CMP, cx, bits)
	a.Cmov(amd64.W64, amd64.AE, ax, dx)
}

func (a *avx2Code) shiftImm(op shiftOp, wide bool, d gen, n uint8) {
	a.ShiftRI(wordOf(wide), shiftOps[op], amd64.Reg(d), n)
}

func (a *avx2Code) extend(d, s gen, from int, signed, wide bool) {
	switch {
	case signed && from == 32 && !wide:
		a.MovRR(amd64.W32, amd64.Reg(d), amd64.Reg(s))
	case signed:
		a.MovSX(wordOf(wide), amd64.Width(from/8), amd64.Reg(d), amd64.Reg(s))
	default:
		a.MovZX(amd64.Width(from/8), amd64.Reg(d), amd64.Reg(s))
	}
}

func (a *avx2Code) compare(wide bool, x, y gen) {
	a.AluRR(wordOf(wide), amd64.CMP, amd64.Reg(x), amd64.Reg(y))
}

func (a *avx2Code) compareImm(wide bool, x gen, v int64) {
	if !wide {
		v = int64(int32(v))
	}
	if v != int64(int32(v)) {
		a.MovRI(amd64.RDX, uint64(v))
		a.compare(wide, x, third)
		return
	}
	a.AluRI(wordOf(wide), amd64.CMP, amd64.Reg(x), int32(v))
}

func (a *avx2Code) compareMem(wide bool, x gen, m place) {
	a.AluRM(wordOf(wide), amd64.CMP, amd64.Reg(x), m.mem())
}

func (a *avx2Code) setIf(c condCode, d gen) {
	a.Setcc(conditionCodes[c], amd64.Reg(d))
	a.MovZX(amd64.W8, amd64.Reg(d), amd64.Reg(d))
}

func (a *avx2Code) compareAndSwap(wide bool, m place, again label) {
	a.LockCmpxchg(wordOf(wide), m.mem(), amd64.RDX)
	a.Jcc(amd64.NE, amd64.Label(again))
}

func (a *avx2Code) prefetch(m place, write bool) { a.Prefetch(m.mem(), write) }

func (a *avx2Code) leave(v uint64) {
	a.MovRI(amd64.RAX, v)
	a.VZeroUpper()
	a.Ret()
}

// Vectors.

func (a *avx2Code) vload(d vec, m place)  { a.RRM(amd64.VMOVUPS, amd64.VReg(d), 0, m.mem(), ymm) }
func (a *avx2Code) vstore(m place, s vec) { a.RRM(amd64.VMOVUPSStore, amd64.VReg(s), 0, m.mem(), ymm) }
func (a *avx2Code) vstorePast(m place, s vec) {
	a.RRM(amd64.VMOVNTPS, amd64.VReg(s), 0, m.mem(), ymm)
}
func (a *avx2Code) fenceStores()   { a.Sfence() }
func (a *avx2Code) vmove(d, s vec) { a.RRR(amd64.VMOVAPS, amd64.VReg(d), 0, amd64.VReg(s), ymm) }
func (a *avx2Code) zero(d vec)     { a.rrr(amd64.VPXOR, amd64.VReg(d), amd64.VReg(d), amd64.VReg(d)) }

func (a *avx2Code) rrr(r *amd64.Row, d, x, y amd64.VReg) { a.RRR(r, d, x, y, ymm) }

// rrs is rrr with an operand that may lie in memory.
func (a *avx2Code) rrs(r *amd64.Row, d, x amd64.VReg, y source) {
	if y.inMem {
		a.RRM(r, d, x, y.at.mem(), ymm)
	} else {
		a.RRR(r, d, x, amd64.VReg(y.reg), ymm)
	}
}

// all is a constant of the same lanes.
func (a *avx2Code) all(wide bool, v uint64) amd64.Mem {
	var b []byte
	for len(b) < 32 {
		if wide {
			b = binary.LittleEndian.AppendUint64(b, v)
		} else {
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		}
	}
	return a.vector(b).mem()
}

// signs is a constant of the sign bit of each lane.
func (a *avx2Code) signs(wide bool) amd64.Mem {
	if wide {
		return a.all(true, 1<<63)
	}
	return a.all(false, 1<<31)
}

func (a *avx2Code) broadcast(wide bool, d vec, m place) {
	a.RRM(rows{amd64.VBROADCASTSS, amd64.VBROADCASTSD}.of(wide), amd64.VReg(d), 0, m.mem(), ymm)
}

func (a *avx2Code) fromGeneral(wide bool, d vec, s gen) {
	x := amd64.VReg(d)
	a.RG(rows{amd64.VMOVD, amd64.VMOVQ}.of(wide), x, amd64.Reg(s), amd64.Opt{VEX: true})
	a.RRR(rows{amd64.VPBROADCASTD, amd64.VPBROADCASTQ}.of(wide), x, 0, x, ymm)
}

func (a *avx2Code) toGeneral(wide bool, d gen, s vec) {
	a.GR(rows{amd64.VMOVDStore, amd64.VMOVQStore}.of(wide), amd64.VReg(s), amd64.Reg(d), amd64.Opt{VEX: true})
}

// avx2Rows are operations that are one instruction.
var avx2Rows = map[vecOp]rows{
	vAdd: {amd64.VPADDD, amd64.VPADDQ}, vSub: {amd64.VPSUBD, amd64.VPSUBQ}, vMul: {amd64.VPMULLD, nil},
	vMinS: {amd64.VPMINSD, nil}, vMaxS: {amd64.VPMAXSD, nil}, vMinU: {amd64.VPMINUD, nil}, vMaxU: {amd64.VPMAXUD, nil},
	vEqual: {amd64.VPCMPEQD, amd64.VPCMPEQQ}, vGreater: {amd64.VPCMPGTD, amd64.VPCMPGTQ},
	vAnd: {amd64.VPAND, amd64.VPAND}, vOr: {amd64.VPOR, amd64.VPOR}, vXor: {amd64.VPXOR, amd64.VPXOR},
	vFAdd: {amd64.VADDPS, amd64.VADDPD}, vFSub: {amd64.VSUBPS, amd64.VSUBPD}, vFMul: {amd64.VMULPS, amd64.VMULPD}, vFDiv: {amd64.VDIVPS, amd64.VDIVPD},
	vFMore: {amd64.VMAXPS, amd64.VMAXPD}, vFLess: {amd64.VMINPS, amd64.VMINPD},
	vProductS: {amd64.VPMULDQ, amd64.VPMULDQ}, vProductU: {amd64.VPMULUDQ, amd64.VPMULUDQ},
	vFSqrt: {amd64.VSQRTPS, amd64.VSQRTPD}, vAbs: {amd64.VPABSD, nil}, vToSingle: {amd64.VCVTDQ2PS, nil},
}

func (a *avx2Code) op2(op vecOp, wide bool, d, x vec, y source) {
	dst, first := amd64.VReg(d), amd64.VReg(x)
	if r := avx2Rows[op].of(wide); r != nil {
		a.rrs(r, dst, first, y)
		return
	}
	if op == vClear {
		if !y.inMem {
			a.rrr(amd64.VPANDN, dst, amd64.VReg(y.reg), first)
			return
		}
		a.RRM(amd64.VMOVUPS, vs0, 0, y.at.mem(), ymm)
		a.rrr(amd64.VPANDN, dst, vs0, first)
		return
	}
	other := amd64.VReg(y.reg)
	if y.inMem {
		other = vs0
		a.RRM(amd64.VMOVUPS, vs0, 0, y.at.mem(), ymm)
	}
	switch op {
	case vMul: // of 64 bits: the low product and the two in the middle
		a.RRI(amd64.VPSRLQI, vs1, other, 32, ymm)
		a.rrr(amd64.VPMULUDQ, vs1, vs1, first)
		if d == x { // the other product needs a place
			a.RRM(amd64.VMOVUPSStore, other, 0, amd64.At(amd64.Reg(frameGen), frameTemp), ymm)
			a.RRI(amd64.VPSRLQI, vs0, first, 32, ymm)
			a.RRM(amd64.VPMULUDQ, vs0, vs0, amd64.At(amd64.Reg(frameGen), frameTemp), ymm)
			a.rrr(amd64.VPADDQ, vs1, vs1, vs0)
			a.RRM(amd64.VPMULUDQ, dst, first, amd64.At(amd64.Reg(frameGen), frameTemp), ymm)
		} else {
			a.RRI(amd64.VPSRLQI, dst, first, 32, ymm)
			a.rrr(amd64.VPMULUDQ, dst, dst, other)
			a.rrr(amd64.VPADDQ, vs1, vs1, dst)
			a.rrr(amd64.VPMULUDQ, dst, first, other)
		}
		a.RRI(amd64.VPSLLQI, vs1, vs1, 32, ymm)
		a.rrr(amd64.VPADDQ, dst, dst, vs1)
	case vMinS, vMaxS, vMinU, vMaxU:
		a.above(wide, op == vMinU || op == vMaxU, vs1, first, other)
		if op == vMinS || op == vMinU { // other where first is greater
			a.RRRI(amd64.VBLENDVPS, dst, first, other, uint8(vs1)<<4, ymm)
		} else {
			a.RRRI(amd64.VBLENDVPS, dst, other, first, uint8(vs1)<<4, ymm)
		}
	case vAbove:
		a.above(wide, true, dst, first, other)
	default:
		a.RRR(nil, 0, 0, 0, ymm)
	}
}

// above compares x > y into d, which may be vs1; y may be vs0.
func (a *avx2Code) above(wide, unsigned bool, d, x, y amd64.VReg) {
	greater := rows{amd64.VPCMPGTD, amd64.VPCMPGTQ}.of(wide)
	if !unsigned {
		a.rrr(greater, d, x, y)
		return
	}
	if y != vs0 {
		a.RRM(amd64.VPXOR, vs0, y, a.signs(wide), ymm)
		a.RRM(amd64.VPXOR, vs1, x, a.signs(wide), ymm)
		a.rrr(greater, d, vs1, vs0)
		return
	}
	// y must stay for whoever chooses by the comparison.
	a.RRM(amd64.VMOVUPSStore, y, 0, amd64.At(amd64.Reg(frameGen), frameTemp), ymm)
	a.RRM(amd64.VPXOR, vs0, y, a.signs(wide), ymm)
	a.RRM(amd64.VPXOR, vs1, x, a.signs(wide), ymm)
	a.rrr(greater, d, vs1, vs0)
	a.RRM(amd64.VMOVUPS, vs0, 0, amd64.At(amd64.Reg(frameGen), frameTemp), ymm)
}

func (a *avx2Code) op1(op vecOp, wide bool, d vec, x source) {
	dst := amd64.VReg(d)
	if r := avx2Rows[op].of(wide); r != nil {
		a.rrs(r, dst, 0, x)
		return
	}
	if x.inMem {
		a.RRM(amd64.VMOVUPS, vs0, 0, x.at.mem(), ymm)
		x = inReg(vec(vs0))
	}
	from := amd64.VReg(x.reg)
	switch op {
	case vAbs: // of 64 bits
		a.rrr(amd64.VPXOR, vs1, vs1, vs1)
		a.rrr(amd64.VPCMPGTQ, vs1, vs1, from)
		a.rrr(amd64.VPXOR, dst, from, vs1)
		a.rrr(amd64.VPSUBQ, dst, dst, vs1)
	case vPopulation: // of 32 bits: a table for four bits, then sums of bytes
		table := []byte{0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4}
		a.RRI(amd64.VPSRLDI, vs1, from, 4, ymm)
		a.RRM(amd64.VPAND, vs1, vs1, a.all(false, 0x0f0f0f0f), ymm)
		a.RRM(amd64.VPAND, dst, from, a.all(false, 0x0f0f0f0f), ymm)
		a.RRM(amd64.VMOVUPS, vs0, 0, a.vector(table).mem(), ymm)
		a.rrr(amd64.VPSHUFB, dst, vs0, dst)
		a.rrr(amd64.VPSHUFB, vs1, vs0, vs1)
		a.rrr(amd64.VPADDD, dst, dst, vs1)
		a.RRM(amd64.VPMULLD, dst, dst, a.all(false, 0x01010101), ymm)
		a.RRI(amd64.VPSRLDI, dst, dst, 24, ymm)
	default:
		a.RRR(nil, 0, 0, 0, ymm)
	}
}

func (a *avx2Code) multiplyAdd(wide, negative bool, d, x vec, y source) {
	r := rows{amd64.VFMADD231PS, amd64.VFMADD231PD}
	if negative {
		r = rows{amd64.VFNMADD231PS, amd64.VFNMADD231PD}
	}
	a.rrs(r.of(wide), amd64.VReg(d), amd64.VReg(x), y)
}

func (a *avx2Code) addToProduct(wide, negative bool, d, x vec, y source) {
	r := rows{amd64.VFMADD213PS, amd64.VFMADD213PD}
	if negative {
		r = rows{amd64.VFNMADD213PS, amd64.VFNMADD213PD}
	}
	a.rrs(r.of(wide), amd64.VReg(d), amd64.VReg(x), y)
}

func (a *avx2Code) minMax(greatest, wide bool, d, x, y vec) {
	row, both := rows{amd64.VMINPS, amd64.VMINPD}.of(wide), amd64.VPOR
	if greatest {
		row, both = rows{amd64.VMAXPS, amd64.VMAXPD}.of(wide), amd64.VPAND
	}
	cmp, choose := rows{amd64.VCMPPS, amd64.VCMPPD}.of(wide), rows{amd64.VBLENDVPS, amd64.VBLENDVPD}.of(wide)
	const equal, unordered = 0, 3
	dst, p, q := amd64.VReg(d), amd64.VReg(x), amd64.VReg(y)
	a.rrr(row, vs0, p, q) // q if one is a NaN, or both are zeroes
	a.RRRI(cmp, vs1, q, q, unordered, ymm)
	a.RRRI(choose, vs0, vs0, p, uint8(vs1)<<4, ymm)
	a.RRRI(cmp, vs1, p, q, equal, ymm)
	a.rrr(both, dst, p, q)
	a.RRRI(choose, dst, vs0, dst, uint8(vs1)<<4, ymm)
}

func (a *avx2Code) compareFloats(c ir.Cmp, wide bool, d, x vec, y source) {
	r := rows{amd64.VCMPPS, amd64.VCMPPD}.of(wide)
	a.rrs(r, amd64.VReg(d), amd64.VReg(x), y)
	a.Imm8(floatComparisons[c])
}

func (a *avx2Code) blend(d, mask, x, y vec) {
	a.RRRI(amd64.VBLENDVPS, amd64.VReg(d), amd64.VReg(y), amd64.VReg(x), uint8(mask)<<4, ymm)
}

func (a *avx2Code) permute(d, index vec, s source) {
	a.rrs(amd64.VPERMD, amd64.VReg(d), amd64.VReg(index), s)
}

func (a *avx2Code) mix(d, x vec, y source, which uint8) {
	a.rrs(amd64.VPBLENDD, amd64.VReg(d), amd64.VReg(x), y)
	a.Imm8(which)
}

func (a *avx2Code) shiftVector(op shiftOp, wide bool, d, x vec, n uint8) {
	dst, from := amd64.VReg(d), amd64.VReg(x)
	r := [...]rows{shiftLeft: {amd64.VPSLLDI, amd64.VPSLLQI}, shiftRight: {amd64.VPSRLDI, amd64.VPSRLQI}, shiftSigned: {amd64.VPSRADI, nil}}[op].of(wide)
	if r != nil {
		a.RRI(r, dst, from, n, ymm)
		return
	}
	a.rrr(amd64.VPXOR, vs1, vs1, vs1)
	a.rrr(amd64.VPCMPGTQ, vs1, vs1, from)
	a.rrr(amd64.VPXOR, dst, from, vs1)
	a.RRI(amd64.VPSRLQI, dst, dst, n, ymm)
	a.rrr(amd64.VPXOR, dst, dst, vs1)
}

func (a *avx2Code) shiftBy(op shiftOp, wide bool, d, x, n vec) {
	dst, from, count := amd64.VReg(d), amd64.VReg(x), amd64.VReg(n)
	r := [...]rows{shiftLeft: {amd64.VPSLLVD, amd64.VPSLLVQ}, shiftRight: {amd64.VPSRLVD, amd64.VPSRLVQ}, shiftSigned: {amd64.VPSRAVD, nil}}[op].of(wide)
	if r != nil {
		a.rrr(r, dst, from, count)
		return
	}
	a.rrr(amd64.VPXOR, vs1, vs1, vs1)
	a.rrr(amd64.VPCMPGTQ, vs1, vs1, from)
	a.rrr(amd64.VPXOR, vs0, from, vs1)
	a.rrr(amd64.VPSRLVQ, vs0, vs0, count)
	a.rrr(amd64.VPXOR, dst, vs0, vs1)
}

// roundImmediate is the rounding of vroundps; the bit 8 keeps it quiet.
func roundImmediate(r ir.Round) uint8 {
	return map[ir.Round]uint8{ir.RN: 8, ir.RM: 9, ir.RP: 10, ir.RZ: 11}[r]
}

func (a *avx2Code) integral(mode ir.Round, d, x vec) {
	a.RRRI(amd64.VROUNDPS, amd64.VReg(d), 0, amd64.VReg(x), roundImmediate(mode), ymm)
}

func (a *avx2Code) toInteger(signed bool, d, x vec) {
	dst, from := amd64.VReg(d), amd64.VReg(x)
	const ordered, greaterOrEqual = 7, 0x1d
	limit := a.all(false, uint64(math.Float32bits(1<<31)))
	if signed {
		a.RRR(amd64.VCVTTPS2DQ, dst, 0, from, ymm) // the least number where it does not fit
		a.RRM(amd64.VCMPPS, vs1, from, limit, ymm)
		a.Imm8(greaterOrEqual)
		a.rrr(amd64.VPXOR, dst, dst, vs1)
		a.RRRI(amd64.VCMPPS, vs1, from, from, ordered, ymm)
		a.rrr(amd64.VPAND, dst, dst, vs1)
		return
	}
	a.rrr(amd64.VPXOR, vs1, vs1, vs1)
	a.rrr(amd64.VMAXPS, vs0, from, vs1) // zero of a NaN
	a.RRM(amd64.VCMPPS, vs1, vs0, limit, ymm)
	a.Imm8(greaterOrEqual)
	a.RRM(amd64.VPAND, dst, vs1, limit, ymm)
	a.rrr(amd64.VSUBPS, dst, vs0, dst)
	a.RRR(amd64.VCVTTPS2DQ, dst, 0, dst, ymm)
	a.RRM(amd64.VPAND, vs1, vs1, a.signs(false), ymm)
	a.rrr(amd64.VPXOR, dst, dst, vs1)
	a.RRM(amd64.VCMPPS, vs1, vs0, a.all(false, uint64(math.Float32bits(1<<32))), ymm)
	a.Imm8(greaterOrEqual)
	a.rrr(amd64.VPOR, dst, dst, vs1)
}

func (a *avx2Code) widen(d vec, x source, half int, signed bool) {
	r := amd64.VPMOVZXDQ
	if signed {
		r = amd64.VPMOVSXDQ
	}
	a.halfOf(r, d, x, half)
}

// halfOf emits an instruction that reads half of x.
func (a *avx2Code) halfOf(r *amd64.Row, d vec, x source, half int) {
	switch {
	case x.inMem:
		a.RRM(r, amd64.VReg(d), 0, x.at.plus(int32(16*half)).mem(), ymm)
	case half == 1:
		a.RRRI(amd64.VEXTRACTI128, amd64.VReg(x.reg), 0, vs1, 1, ymm)
		a.RRR(r, amd64.VReg(d), 0, vs1, ymm)
	default:
		a.RRR(r, amd64.VReg(d), 0, amd64.VReg(x.reg), ymm)
	}
}

func (a *avx2Code) narrow(d, lo, hi vec) {
	a.RRRI(amd64.VSHUFPS, amd64.VReg(d), amd64.VReg(lo), amd64.VReg(hi), 0x88, ymm)
	a.RRRI(amd64.VPERMQI, amd64.VReg(d), 0, amd64.VReg(d), 0xd8, ymm)
}

func (a *avx2Code) toDouble(d vec, x source, half int) { a.halfOf(amd64.VCVTPS2PD, d, x, half) }

func (a *avx2Code) toHalfWidth(d, lo, hi vec) {
	a.RRR(amd64.VCVTPD2PS, vs0, 0, amd64.VReg(lo), ymm)
	a.RRR(amd64.VCVTPD2PS, vs1, 0, amd64.VReg(hi), ymm)
	a.RRRI(amd64.VINSERTI128, amd64.VReg(d), vs0, vs1, 1, ymm)
}

func (a *avx2Code) fromHalf(d, x vec) {
	var low []byte // of the lanes of 16 bytes: the low half of each element
	for range 2 {
		for _, i := range []byte{0, 1, 4, 5, 8, 9, 12, 13} {
			low = append(low, i)
		}
		low = append(low, make([]byte, 8)...)
	}
	a.RRM(amd64.VPSHUFB, vs0, amd64.VReg(x), a.vector(low).mem(), ymm)
	a.RRRI(amd64.VPERMQI, vs0, 0, vs0, 0x08, ymm)
	a.RRR(amd64.VCVTPH2PS, amd64.VReg(d), 0, vs0, ymm)
}

func (a *avx2Code) toHalf(d, x vec) {
	const modeOfControl = 4
	a.RRRI(amd64.VCVTPS2PH, amd64.VReg(x), 0, vs0, modeOfControl, ymm)
	a.RRR(amd64.VPMOVZXWD, amd64.VReg(d), 0, vs0, ymm)
}

func (a *avx2Code) bits(d gen, mask vec) {
	a.RRR(amd64.VMOVMSKPS, amd64.VReg(d), 0, amd64.VReg(mask), ymm)
}

func (a *avx2Code) expand(d vec, s gen, quarter int) {
	var b []byte
	for l := range 8 {
		b = binary.LittleEndian.AppendUint32(b, 1<<(8*quarter+l))
	}
	a.fromGeneral(false, d, s)
	m := a.vector(b).mem()
	a.RRM(amd64.VPAND, amd64.VReg(d), amd64.VReg(d), m, ymm)
	a.RRM(amd64.VPCMPEQD, amd64.VReg(d), amd64.VReg(d), m, ymm)
}

func (a *avx2Code) loadSmall(d vec, n int, signed bool, m place) {
	r := map[bool][2]*amd64.Row{false: {amd64.VPMOVZXBD, amd64.VPMOVZXWD}, true: {amd64.VPMOVSXBD, amd64.VPMOVSXWD}}[signed][n-1]
	a.RRM(r, amd64.VReg(d), 0, m.mem(), ymm)
}

func (a *avx2Code) storeMasked(wide bool, m place, s, mask vec) {
	a.RRM(rows{amd64.VPMASKMOVDS, amd64.VPMASKMOVQS}.of(wide), amd64.VReg(s), amd64.VReg(mask), m.mem(), ymm)
}

func (a *avx2Code) gather(d vec, base place, shift uint8, indices, mask vec) {
	a.rrr(amd64.VPXOR, amd64.VReg(d), amd64.VReg(d), amd64.VReg(d))
	a.RRM(amd64.VPGATHERDDVEX, amd64.VReg(d), amd64.VReg(mask), amd64.AtVector(amd64.Reg(base.base), amd64.VReg(indices), 1<<shift, base.disp), ymm)
}

func (a *avx2Code) gatherPair(d vec, disp int32, lo, hi, mask vec) {
	a.MovRI(amd64.RDX, 0)
	a.rrr(amd64.VPXOR, vs0, vs0, vs0)
	a.RRRI(amd64.VEXTRACTI128, amd64.VReg(mask), 0, vs1, 1, ymm)
	a.RRM(amd64.VPGATHERQDVEX, vs0, vs1, amd64.AtVector(amd64.RDX, amd64.VReg(hi), 1, disp), ymm)
	a.zero(d)
	a.RRM(amd64.VPGATHERQDVEX, amd64.VReg(d), amd64.VReg(mask), amd64.AtVector(amd64.RDX, amd64.VReg(lo), 1, disp), ymm)
	a.RRRI(amd64.VINSERTI128, amd64.VReg(d), amd64.VReg(d), vs0, 1, ymm)
}

func (a *avx2Code) gatherWide(d vec, disp int32, addresses, mask vec) {
	a.MovRI(amd64.RDX, 0)
	a.zero(d)
	a.RRM(amd64.VPGATHERQQVEX, amd64.VReg(d), amd64.VReg(mask), amd64.AtVector(amd64.RDX, amd64.VReg(addresses), 1, disp), ymm)
}

// control is the control word of the vector unit with a rounding: exceptions masked, nothing flushed.
func (a *avx2Code) control(r ir.Round) amd64.Mem {
	return a.all(false, 0x1f80|map[ir.Round]uint64{ir.RN: 0, ir.RM: 1, ir.RP: 2, ir.RZ: 3}[r]<<13)
}

func (a *avx2Code) setRounding(r ir.Round) { a.Ldmxcsr(a.control(r)) }
func (a *avx2Code) defaultRounding()       { a.Ldmxcsr(a.control(ir.RN)) }
