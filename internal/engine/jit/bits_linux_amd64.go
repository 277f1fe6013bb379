package jit

import (
	"encoding/binary"

	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// This file compiles operations on bits and bytes.

// shf is the funnel shift. Shifts by 32 and more give 0.
func (e *emitter) shf(in *ir.Instr) {
	e.lanewise(in, func(x [3]amd64.VReg, d amd64.VReg) {
		n, rest := e.free(0), e.free(1)
		if in.Flags&ir.Wrap != 0 {
			e.opWith(amd64.VPANDD, n, x[2], 31)
		} else {
			e.opWith(amd64.VPMINUD, n, x[2], 32)
		}
		e.all(rest, 32, false)
		e.op(amd64.VPSUBD, rest, rest, n)
		if in.Flags&ir.Right != 0 {
			e.op(amd64.VPSLLVD, d, x[1], rest)
			e.op(amd64.VPSRLVD, rest, x[0], n)
		} else {
			e.op(amd64.VPSLLVD, d, x[1], n)
			e.op(amd64.VPSRLVD, rest, x[0], rest)
		}
		e.op(amd64.VPORD, d, d, rest)
	})
}

// nibbles returns the place of a table for VPSHUFB: f of each number of four bits, in each 16 bytes.
func (e *emitter) nibbles(f func(n int) byte) amd64.Mem {
	var b []byte
	for range 4 {
		for n := range 16 {
			b = append(b, f(n))
		}
	}
	return amd64.At(blockReg, e.vectorConstant(b))
}

func ones(n int) byte { return byte(n&1 + n>>1&1 + n>>2&1 + n>>3) }

func reversed(n int) int { return n&1<<3 | n&2<<1 | n>>1&2 | n>>3 }

// narrowed makes a result of 32 bits of operands of 32 or 64: f computes d from x.
func (e *emitter) narrowed(in *ir.Instr, f func(d, x amd64.VReg)) {
	v, a := e.of(in.Results[0]), e.of(in.Args[0])
	if !a.wide() {
		e.lanewise(in, func(x [3]amd64.VReg, d amd64.VReg) { f(d, x[0]) })
		return
	}
	hi := e.free(0)
	for part := range v.parts() {
		f(temp3, e.bitsIn(a, 2*part, temp0))
		e.op(amd64.VPMOVQD, temp3, 0, temp3)
		if v.class != splat {
			f(hi, e.bitsIn(a, 2*part+1, temp0))
			e.op(amd64.VPMOVQD, hi, 0, hi)
			e.RRRI(amd64.VINSERTI64X4, temp3, temp3, hi, 1, zmm)
		} else {
			e.RRRI(amd64.VINSERTI64X4, temp3, temp3, temp3, 1, zmm)
		}
		e.out(v, part, temp3)
	}
}

func (e *emitter) popc(in *ir.Instr) {
	wide := in.As.Bits() == 64
	table, t, zero := e.free(1), e.free(2), e.free(3)
	e.RRM(amd64.VMOVUPS, table, 0, e.nibbles(ones), zmm)
	e.op(amd64.VPXORD, zero, zero, zero)
	e.narrowed(in, func(d, x amd64.VReg) {
		e.opWith(amd64.VPANDD, t, x, 0x0f0f0f0f)
		e.RRI(amd64.VPSRLDI, d, x, 4, zmm)
		e.opWith(amd64.VPANDD, d, d, 0x0f0f0f0f)
		e.op(amd64.VPSHUFB, t, table, t)
		e.op(amd64.VPSHUFB, d, table, d)
		e.op(amd64.VPADDD, d, d, t) // bytes do not carry
		if wide {
			e.op(amd64.VPSADBW, d, d, zero)
			return
		}
		e.opWith(amd64.VPMULLD, d, d, 0x01010101)
		e.RRI(amd64.VPSRLDI, d, d, 24, zmm)
	})
}

func (e *emitter) clzWide(in *ir.Instr) {
	e.narrowed(in, func(d, x amd64.VReg) { e.op(amd64.VPLZCNTQ, d, 0, x) })
}

// bfind is 31 or 63 less the leading zeroes, which is -1 where there is no bit.
func (e *emitter) bfind(in *ir.Instr) {
	wide := in.As.Bits() == 64
	count, sub := rows{amd64.VPLZCNTD, amd64.VPLZCNTQ}.of(wide), integerRows[ir.OpSub].of(wide)
	e.free(0)
	t := e.free(1)
	e.narrowed(in, func(d, x amd64.VReg) {
		if in.As.Signed() {
			e.RRI(rows{amd64.VPSRADI, amd64.VPSRAQI}.of(wide), t, x, uint8(in.As.Bits()-1), zmm)
			e.op(amd64.VPXORD, t, t, x)
			x = t
		}
		if in.Flags&ir.ShiftAmt == 0 {
			e.op(count, d, 0, x)
			e.all(t, uint64(in.As.Bits()-1), wide)
			e.op(sub, d, t, d)
			return
		}
		e.RRR(rows{amd64.VPTESTNMD, amd64.VPTESTNMQ}.of(wide), 7, x, x, zmm)
		e.op(count, d, 0, x)
		e.RRRI(rows{amd64.VPTERNLOGD, amd64.VPTERNLOGQ}.of(wide), d, d, d, 0xff, under(7))
	})
}

// brev reverses the bytes, and in them the halves and their bits.
func (e *emitter) brev(in *ir.Instr) {
	n := in.As.Bits() / 8
	var order []byte
	for i := range 64 {
		order = append(order, byte(i&15/n*n+n-1-i%n))
	}
	table, high, t := e.free(0), e.free(1), e.free(2)
	e.RRM(amd64.VMOVUPS, table, 0, e.nibbles(func(n int) byte { return byte(reversed(n) << 4) }), zmm)
	e.RRM(amd64.VMOVUPS, high, 0, e.nibbles(func(n int) byte { return byte(reversed(n)) }), zmm)
	e.lanewise(in, func(x [3]amd64.VReg, d amd64.VReg) {
		e.RRM(amd64.VPSHUFB, d, x[0], amd64.At(blockReg, e.vectorConstant(order)), zmm)
		e.opWith(amd64.VPANDD, t, d, 0x0f0f0f0f)
		e.RRI(amd64.VPSRLDI, d, d, 4, zmm)
		e.opWith(amd64.VPANDD, d, d, 0x0f0f0f0f)
		e.op(amd64.VPSHUFB, t, table, t)
		e.op(amd64.VPSHUFB, d, high, d)
		e.op(amd64.VPORD, d, d, t)
	})
}

// amount returns part of a count of 32 bits, the low eight of which matter, as elements of the given width.
func (e *emitter) amount(v *value, part int, wide bool, t amd64.VReg) amd64.VReg {
	x := t
	if wide {
		e.widen(v, part, false, t)
	} else {
		x = e.bitsIn(v, part, t)
	}
	e.opWith(rows{amd64.VPANDD, amd64.VPANDQ}.of(wide), t, x, 0xff)
	return t
}

// lowBits sets the low n bits of each element of d, n in another register.
func (e *emitter) lowBits(d, n amd64.VReg, wide bool) {
	e.RRRI(amd64.VPTERNLOGD, d, d, d, 0xff, zmm)
	e.op(rows{amd64.VPSLLVD, amd64.VPSLLVQ}.of(wide), d, d, n)
	e.RRRI(amd64.VPTERNLOGD, d, d, d, 0x0f, zmm) // complement of the first operand
}

func (e *emitter) bfe(in *ir.Instr) {
	width, wide := uint64(in.As.Bits()), in.As.Bits() == 64
	v, a := e.of(in.Results[0]), e.of(in.Args[0])
	left, right := rows{amd64.VPSLLVD, amd64.VPSLLVQ}.of(wide), rows{amd64.VPSRLVD, amd64.VPSRLVQ}.of(wide)
	pos, n, t := e.free(0), e.free(1), e.free(2)
	for part := range v.parts() {
		x := e.bitsIn(a, part, temp0)
		e.amount(e.of(in.Args[1]), part, wide, pos)
		e.amount(e.of(in.Args[2]), part, wide, n)
		d := temp3
		if !in.As.Signed() {
			e.op(right, t, x, pos)
			e.lowBits(d, n, wide)
			e.op(amd64.VPANDD, d, d, t)
			e.out(v, part, d)
			continue
		}
		// Left by what is above the field, then right: by the position alone if the field reaches beyond the top.
		add, sub := integerRows[ir.OpAdd].of(wide), integerRows[ir.OpSub].of(wide)
		e.op(add, t, pos, n)
		e.opWith(unsignedRows[ir.OpMin].of(wide), t, t, width)
		e.all(d, width, wide)
		e.op(sub, t, d, t)
		e.op(left, d, x, t)
		e.op(add, t, t, pos)
		e.op(rows{amd64.VPSRAVD, amd64.VPSRAVQ}.of(wide), d, d, t)
		// An empty field is 0.
		e.RRR(rows{amd64.VPTESTNMD, amd64.VPTESTNMQ}.of(wide), 7, n, n, zmm)
		e.RRR(rows{amd64.VPXORD, amd64.VPXORQ}.of(wide), d, d, d, under(7))
		e.out(v, part, d)
	}
}

func (e *emitter) bfi(in *ir.Instr) {
	wide := in.As.Bits() == 64
	v := e.of(in.Results[0])
	left := rows{amd64.VPSLLVD, amd64.VPSLLVQ}.of(wide)
	pos, n := e.free(0), e.free(1)
	for part := range v.parts() {
		x, y := e.bitsIn(e.of(in.Args[0]), part, temp0), e.bitsIn(e.of(in.Args[1]), part, temp1)
		e.amount(e.of(in.Args[2]), part, wide, pos)
		e.amount(e.of(in.Args[3]), part, wide, n)
		d := temp3
		e.lowBits(d, n, wide)
		e.op(left, d, d, pos)
		e.op(left, n, x, pos)
		e.RRRI(amd64.VPTERNLOGD, d, n, y, 0xca, zmm) // d ? n : y
		e.out(v, part, d)
	}
}

// selectors are, for the modes of prmt but the first, the selector of the first mode for each value of the low two bits
// (PTX ISA, prmt).
var selectors = map[ir.PrmtMode][4]uint32{
	ir.PrmtF4E: {0x3210, 0x4321, 0x5432, 0x6543}, ir.PrmtB4E: {0x5670, 0x6701, 0x7012, 0x0123},
	ir.PrmtRC8: {0x0000, 0x1111, 0x2222, 0x3333}, ir.PrmtECL: {0x3210, 0x3211, 0x3222, 0x3333},
	ir.PrmtECR: {0x0000, 0x1110, 0x2210, 0x3210}, ir.PrmtRC16: {0x1010, 0x3232, 0x1010, 0x3232},
}

// fill makes all ones of bytes that are 1. It destroys t.
func (e *emitter) fill(d, t amd64.VReg) {
	e.RRI(amd64.VPSLLDI, t, d, 8, zmm)
	e.op(amd64.VPSUBD, d, t, d)
}

// prmt spreads the four digits of the selector to bytes and takes bytes of both operands with them.
func (e *emitter) prmt(in *ir.Instr) {
	var own []byte // the first byte of each element, in each 16 bytes
	for i := range 64 {
		own = append(own, byte(i&12))
	}
	s, t, p, q := e.free(0), e.free(1), e.free(2), e.free(3)
	e.lanewise(in, func(x [3]amd64.VReg, d amd64.VReg) {
		if list, ok := selectors[ir.PrmtMode(in.Sub)]; ok {
			var b []byte
			for i := range 16 {
				b = binary.LittleEndian.AppendUint32(b, list[i&3])
			}
			e.opWith(amd64.VPANDD, s, x[2], 3)
			e.RRM(amd64.VPERMD, s, s, amd64.At(blockReg, e.vectorConstant(b)), zmm)
		} else {
			e.opWith(amd64.VPANDD, s, x[2], 0xffff)
		}
		for _, step := range []struct {
			n    uint8
			keep uint64
		}{{8, 0x00ff00ff}, {4, 0x0f0f0f0f}} {
			e.RRI(amd64.VPSLLDI, t, s, step.n, zmm)
			e.op(amd64.VPORD, s, s, t)
			e.opWith(amd64.VPANDD, s, s, step.keep)
		}
		e.opWith(amd64.VPANDD, t, s, 0x03030303)
		e.RRM(amd64.VPORD, t, t, amd64.At(blockReg, e.vectorConstant(own)), zmm)
		e.op(amd64.VPSHUFB, p, x[0], t)
		e.op(amd64.VPSHUFB, q, x[1], t)
		e.RRI(amd64.VPSRLDI, d, s, 2, zmm) // bytes of the second operand
		e.opWith(amd64.VPANDD, d, d, 0x01010101)
		e.fill(d, t)
		e.RRRI(amd64.VPTERNLOGD, d, q, p, 0xca, zmm)
		if ir.PrmtMode(in.Sub) != ir.PrmtDefault {
			return
		}
		e.RRI(amd64.VPSRLDI, p, d, 7, zmm) // bytes that are filled with their sign
		e.opWith(amd64.VPANDD, p, p, 0x01010101)
		e.fill(p, t)
		e.RRI(amd64.VPSRLDI, s, s, 3, zmm)
		e.opWith(amd64.VPANDD, s, s, 0x01010101)
		e.fill(s, t)
		e.RRRI(amd64.VPTERNLOGD, s, p, d, 0xca, zmm)
		e.op(amd64.VMOVDQA32, d, 0, s)
	})
}

// dp4a adds the products of four bytes: those of the even and of the odd bytes, as numbers of 16 bits.
func (e *emitter) dp4a(in *ir.Instr) {
	t, s, q := e.free(0), e.free(1), e.free(2)
	even := func(d, x amd64.VReg, signed bool) {
		e.RRI(amd64.VPSLLWI, d, x, 8, zmm)
		if signed {
			e.RRI(amd64.VPSRAWI, d, d, 8, zmm)
		} else {
			e.RRI(amd64.VPSRLWI, d, d, 8, zmm)
		}
	}
	odd := func(d, x amd64.VReg, signed bool) {
		if signed {
			e.RRI(amd64.VPSRAWI, d, x, 8, zmm)
		} else {
			e.RRI(amd64.VPSRLWI, d, x, 8, zmm)
		}
	}
	e.lanewise(in, func(x [3]amd64.VReg, d amd64.VReg) {
		even(t, x[0], in.As.Signed())
		even(s, x[1], in.From.Signed())
		e.op(amd64.VPMADDWD, q, t, s)
		odd(t, x[0], in.As.Signed())
		odd(s, x[1], in.From.Signed())
		e.op(amd64.VPMADDWD, t, t, s)
		e.op(amd64.VPADDD, d, q, x[2])
		e.op(amd64.VPADDD, d, d, t)
	})
}

// dp2a adds the products of two numbers of 16 bits and two bytes.
func (e *emitter) dp2a(in *ir.Instr) {
	t, s := e.free(0), e.free(1)
	field := func(d, x amd64.VReg, at, n int, signed bool) {
		e.RRI(amd64.VPSLLDI, d, x, uint8(32-at-n), zmm)
		if signed {
			e.RRI(amd64.VPSRADI, d, d, uint8(32-n), zmm)
		} else {
			e.RRI(amd64.VPSRLDI, d, d, uint8(32-n), zmm)
		}
	}
	first := 16 * int(in.Sub)
	e.lanewise(in, func(x [3]amd64.VReg, d amd64.VReg) {
		e.op(amd64.VMOVDQA32, d, 0, x[2])
		for i := range 2 {
			field(t, x[0], 16*i, 16, in.As.Signed())
			field(s, x[1], first+8*i, 8, in.From.Signed())
			e.op(amd64.VPMULLD, t, t, s)
			e.op(amd64.VPADDD, d, d, t)
		}
	})
}

// set is a comparison that gives 1.0 or all ones.
func (e *emitter) set(in *ir.Instr) {
	wideIn, wide := in.From.Bits() == 64, in.As.Bits() == 64
	v, a, b := e.of(in.Results[0]), e.of(in.Args[0]), e.of(in.Args[1])
	yes := map[ir.Type]uint64{ir.F32: 0x3f800000, ir.F64: 0x3ff0000000000000, ir.F16: 0x3c00, ir.BF16: 0x3f80}[in.As]
	if yes == 0 {
		yes = ^uint64(0) >> (64 - in.As.Bits())
	}
	for half := range e.halves(in) {
		k := amd64.KReg(5)
		if !wideIn {
			e.compare(in, 5, a, b, half, temp0, temp1)
		} else {
			e.compare(in, 5, a, b, 2*half, temp0, temp1)
			high := amd64.KReg(5) // of a splat, whose lanes are all alike
			if v.class != splat {
				high = 6
				e.compare(in, high, a, b, 2*half+1, temp0, temp1)
			}
			e.KKK(amd64.KUNPCKBW, 5, high, 5)
		}
		parts := []int{half}
		if wide && v.class != splat {
			parts = []int{2 * half, 2*half + 1}
		}
		for i, part := range parts {
			if i == 1 {
				e.KKI(amd64.KSHIFTRW, 5, 5, 8)
			}
			o := under(k)
			o.Z = true
			e.allUnder(temp3, yes, wide, o)
			e.out(v, part, temp3)
		}
	}
}

// pack joins values, the first in the low bits.
func (e *emitter) pack(in *ir.Instr) {
	v := e.of(in.Results[0])
	n := in.As.Bits() / len(in.Args)
	wide := v.wide()
	left := rows{amd64.VPSLLDI, amd64.VPSLLQI}.of(wide)
	for part := range v.parts() {
		for i, a := range in.Args {
			x := temp0
			if wide {
				e.widen(e.of(a), part, false, temp0)
			} else {
				x = e.bitsIn(e.of(a), part, temp0)
			}
			if i == 0 {
				e.op(amd64.VMOVDQA32, temp3, 0, x)
				continue
			}
			e.RRI(left, temp0, x, uint8(n*i), zmm)
			e.op(amd64.VPORD, temp3, temp3, temp0)
		}
		e.out(v, part, temp3)
	}
}

// unpack takes a value apart.
func (e *emitter) unpack(in *ir.Instr) {
	a := e.of(in.Args[0])
	n := in.Args[0].Type.Bits() / len(in.Results)
	for i, r := range in.Results {
		v := e.of(r)
		if v.class != vector && v.class != splat {
			continue
		}
		for part := range v.parts() {
			x := e.unpackPart(a, v, part, uint8(n*i))
			if n == 16 {
				e.opWith(amd64.VPANDD, temp3, x, 0xffff)
				x = temp3
			}
			e.out(v, part, x)
		}
	}
}

// unpackPart returns, in temp0, 16 lanes of a shifted right and cut to 32 bits.
func (e *emitter) unpackPart(a, v *value, part int, shift uint8) amd64.VReg {
	if !a.wide() {
		e.RRI(amd64.VPSRLDI, temp0, e.bitsIn(a, part, temp0), shift, zmm)
		return temp0
	}
	lo, hi := 2*part, 2*part+1
	if v.class == splat {
		lo, hi = 0, 0
	}
	for i, from := range []int{lo, hi} {
		t := temp0 + amd64.VReg(i)
		e.RRI(amd64.VPSRLQI, t, e.bitsIn(a, from, t), shift, zmm)
		e.op(amd64.VPMOVQD, t, 0, t)
	}
	e.RRRI(amd64.VINSERTI64X4, temp0, temp0, temp1, 1, zmm)
	return temp0
}
