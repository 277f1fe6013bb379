// Package arm64 encodes the instructions that the compiled engine uses: Advanced SIMD (NEON), and plain integer ones.
//
// Instructions are data: a table row holds the fixed bits and the arrangement of each operand, and a few functions put
// register numbers, immediates and displacements in. A golden file holds what GNU as gave for the same text.
// Source: Arm Architecture Reference Manual for A-profile architecture (DDI 0487), chapters C6 and C7.
package arm64

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Reg is a general register; 31 is XZR or SP, as the instruction has it.
type Reg uint8

// VReg is a vector register of 128 bits.
type VReg uint8

// XZR reads as zero.
const XZR Reg = 31

// Cond is a condition code.
type Cond uint8

// The condition codes.
const (
	EQ Cond = iota
	NE
	HS
	LO
	MI
	PL
	VS
	VC
	HI
	LS
	GE
	LT
	GT
	LE
)

// Label is a place in the code that jumps can name before it is known.
type Label int

// Asm collects code. Errors of the caller, such as a displacement out of range, are kept and returned by Finish.
type Asm struct {
	code   []uint32
	labels []int // index in code, or -1 while unknown
	fixups []fixup
	err    error
}

// fixup is an instruction that names a label.
type fixup struct {
	at    int
	label Label
	kind  fixupKind
}

type fixupKind uint8

const (
	branch26 fixupKind = iota
	branch19
	adr21
)

// NewLabel makes a label without a place.
func (a *Asm) NewLabel() Label {
	a.labels = append(a.labels, -1)
	return Label(len(a.labels) - 1)
}

// Bind puts a label here.
func (a *Asm) Bind(l Label) {
	if a.labels[l] >= 0 {
		a.fail("label %d is bound twice", l)
	}
	a.labels[l] = len(a.code)
}

// Offset returns where a label was bound, in bytes, or less than zero.
func (a *Asm) Offset(l Label) int { return 4 * a.labels[l] }

// Reserve makes room for about so many bytes of code, and for as many labels and jumps as they may have.
func (a *Asm) Reserve(bytes int) {
	a.code = slices.Grow(a.code, bytes/4)
	a.labels, a.fixups = slices.Grow(a.labels, bytes/32), slices.Grow(a.fixups, bytes/32)
}

// Finish resolves the labels and returns the code.
func (a *Asm) Finish() ([]byte, error) {
	for _, f := range a.fixups {
		to := a.labels[f.label]
		if to < 0 {
			a.fail("label %d has no place", f.label)
			break
		}
		n := to - f.at
		switch w := &a.code[f.at]; f.kind {
		case branch26:
			a.fits(n, 26)
			*w |= uint32(n) & (1<<26 - 1)
		case branch19:
			a.fits(n, 19)
			*w |= uint32(n) & (1<<19 - 1) << 5
		case adr21:
			a.fits(4*n, 21)
			*w |= uint32(4*n)&3<<29 | uint32(n)&(1<<19-1)<<5
		}
	}
	var b []byte
	for _, w := range a.code {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b, a.err
}

func (a *Asm) fits(n, bits int) {
	if n < -1<<(bits-1) || n >= 1<<(bits-1) {
		a.fail("a displacement of %d words is too far", n)
	}
}

func (a *Asm) fail(format string, args ...any) {
	if a.err == nil {
		a.err = fmt.Errorf("arm64: "+format, args...)
	}
}

func (a *Asm) emit(w uint32) { a.code = append(a.code, w) }

func sf(wide bool) uint32 {
	if wide {
		return 1 << 31
	}
	return 0
}

// RRR emits d = n op m on 64 bits, or 32.
func (a *Asm) RRR(r *Row, wide bool, d, n, m Reg) {
	a.emit(r.Word | sf(wide) | uint32(m)<<16 | uint32(n)<<5 | uint32(d))
}

// RR emits d = op n.
func (a *Asm) RR(r *Row, wide bool, d, n Reg) {
	a.emit(r.Word | sf(wide) | uint32(n)<<5 | uint32(d))
}

// RRRR emits d = x op n * m.
func (a *Asm) RRRR(r *Row, wide bool, d, n, m, x Reg) {
	a.emit(r.Word | sf(wide) | uint32(m)<<16 | uint32(x)<<10 | uint32(n)<<5 | uint32(d))
}

// RRI emits d = n op imm for an immediate of 12 bits.
func (a *Asm) RRI(r *Row, wide bool, d, n Reg, imm uint32) {
	if imm > 0xfff {
		a.fail("%s: immediate %d", r.Name, imm)
	}
	a.emit(r.Word | sf(wide) | imm<<10 | uint32(n)<<5 | uint32(d))
}

// RRC emits a conditional operation.
func (a *Asm) RRC(r *Row, wide bool, d, n, m Reg, c Cond) {
	a.emit(r.Word | sf(wide) | uint32(m)<<16 | uint32(c)<<12 | uint32(n)<<5 | uint32(d))
}

// Field emits UBFM or SBFM: bits from lsb, so many, to the bottom.
func (a *Asm) Field(r *Row, wide bool, d, n Reg, immr, imms uint8) {
	w := r.Word | sf(wide)
	if wide {
		w |= 1 << 22
	}
	a.emit(w | uint32(immr)<<16 | uint32(imms)<<10 | uint32(n)<<5 | uint32(d))
}

// Set emits d = imm.
func (a *Asm) Set(d Reg, imm uint64) {
	first := true
	for hw := range uint32(4) {
		part := uint32(imm>>(16*hw)) & 0xffff
		if part == 0 && imm != 0 {
			continue
		}
		w := uint32(0xf2800000) // movk
		if first {
			w = 0xd2800000 // movz
		}
		first = false
		a.emit(w | hw<<21 | part<<5 | uint32(d))
		if imm == 0 {
			return
		}
	}
}

// Mov emits d = s.
func (a *Asm) Mov(wide bool, d, s Reg) { a.RRR(ORR, wide, d, XZR, s) }

// Mem emits a load or store of register t at n + offset; it reports false where the offset has no encoding.
func (a *Asm) Mem(r *Row, t uint8, n Reg, offset int32) bool {
	switch size := int32(r.Size); {
	case offset >= 0 && offset%size == 0 && offset/size < 1<<12:
		a.emit(r.Word | uint32(offset/size)<<10 | uint32(n)<<5 | uint32(t))
	case offset >= -256 && offset < 256:
		a.emit(r.Word&^(1<<24) | uint32(offset)&0x1ff<<12 | uint32(n)<<5 | uint32(t))
	default:
		return false
	}
	return true
}

// MemReg emits a load or store of register t at n + m, 64 bits each.
func (a *Asm) MemReg(r *Row, t uint8, n, m Reg) {
	a.emit(r.Word&^(1<<24) | 1<<21 | 3<<13 | 1<<11 | uint32(m)<<16 | uint32(n)<<5 | uint32(t))
}

// B jumps, Bcond if the condition holds, Cbz if a register is zero.
func (a *Asm) B(l Label) { a.jump(0x14000000, l, branch26) }

// Bcond jumps if the condition holds.
func (a *Asm) Bcond(c Cond, l Label) { a.jump(0x54000000|uint32(c), l, branch19) }

// Cbz jumps if a register is zero.
func (a *Asm) Cbz(wide bool, t Reg, l Label) { a.jump(0x34000000|sf(wide)|uint32(t), l, branch19) }

// Cbnz jumps if a register is not zero.
func (a *Asm) Cbnz(wide bool, t Reg, l Label) { a.jump(0x35000000|sf(wide)|uint32(t), l, branch19) }

// Adr is d = the address of a label.
func (a *Asm) Adr(d Reg, l Label) { a.jump(0x10000000|uint32(d), l, adr21) }

func (a *Asm) jump(w uint32, l Label, k fixupKind) {
	a.fixups = append(a.fixups, fixup{len(a.code), l, k})
	a.emit(w)
}

// Br jumps to the address in a register.
func (a *Asm) Br(n Reg) { a.emit(0xd61f0000 | uint32(n)<<5) }

// Ret returns.
func (a *Asm) Ret() { a.emit(0xd65f03c0) }

// DmbIsh orders all accesses.
func (a *Asm) DmbIsh() { a.emit(0xd5033bbf) }

// Clrex gives up an exclusive access.
func (a *Asm) Clrex() { a.emit(0xd5033f5f) }

// MsrFPCR sets the control register of the vector unit.
func (a *Asm) MsrFPCR(t Reg) { a.emit(0xd51b4400 | uint32(t)) }

// Ldaxr loads exclusively, with acquire order.
func (a *Asm) Ldaxr(wide bool, t, n Reg) {
	a.emit(0x885ffc00 | size64(wide) | uint32(n)<<5 | uint32(t))
}

// Stlxr stores exclusively, with release order; s becomes 0 if it did.
func (a *Asm) Stlxr(wide bool, s, t, n Reg) {
	a.emit(0x8800fc00 | size64(wide) | uint32(s)<<16 | uint32(n)<<5 | uint32(t))
}

func size64(wide bool) uint32 {
	if wide {
		return 1 << 30
	}
	return 0
}

// VVV emits d = n op m; for instructions that also read d, such as FMLA and BSL, likewise.
func (a *Asm) VVV(r *Row, d, n, m VReg) {
	a.emit(r.Word | uint32(m)<<16 | uint32(n)<<5 | uint32(d))
}

// VV emits d = op n.
func (a *Asm) VV(r *Row, d, n VReg) { a.emit(r.Word | uint32(n)<<5 | uint32(d)) }

// Shift emits d = n shifted by imm, which is more than zero for shifts to the right.
func (a *Asm) Shift(r *Row, d, n VReg, imm uint8) {
	bits := uint32(r.Size) * 8
	at := bits + uint32(imm)
	if r.Right {
		at = 2*bits - uint32(imm)
	}
	a.emit(r.Word | at<<16 | uint32(n)<<5 | uint32(d))
}

// lane is the imm5 of element i.
func lane(size uint8, i int) uint32 { return (uint32(2*i+1) * uint32(size)) << 16 }

// FromLane emits a general register = element i of n.
func (a *Asm) FromLane(r *Row, d Reg, n VReg, i int) {
	a.emit(r.Word | lane(r.Size, i) | uint32(n)<<5 | uint32(d))
}

// ToLane emits element i of d = a general register.
func (a *Asm) ToLane(r *Row, d VReg, i int, n Reg) {
	a.emit(r.Word | lane(r.Size, i) | uint32(n)<<5 | uint32(d))
}

// Dup emits all elements of d = a general register.
func (a *Asm) Dup(r *Row, d VReg, n Reg) {
	a.emit(r.Word | lane(r.Size, 0) | uint32(n)<<5 | uint32(d))
}

// DupLane emits all elements of d = the first of n.
func (a *Asm) DupLane(r *Row, d, n VReg) {
	a.emit(r.Word | lane(r.Size, 0) | uint32(n)<<5 | uint32(d))
}

// Zero emits d = 0.
func (a *Asm) Zero(d VReg) { a.emit(0x6f00e400 | uint32(d)) }
