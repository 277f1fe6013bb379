// Package amd64 encodes the instructions that the compiled engine uses: AVX-512 (EVEX), AVX2 and mask instructions (VEX),
// and plain integer ones.
//
// Instructions are data: a table row holds opcode map, prefix, width and operand shape, and a few functions encode shapes.
// The bytes are those that GNU as chooses, shortest displacement included, and a golden file holds what it gave.
// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, sections 2.3 (VEX) and 2.7 (EVEX).
package amd64

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Reg is a general-purpose register.
type Reg uint8

// The general-purpose registers. NoReg stands for an absent base or index.
const (
	RAX Reg = iota
	RCX
	RDX
	RBX
	RSP
	RBP
	RSI
	RDI
	R8
	R9
	R10
	R11
	R12
	R13
	R14
	R15
	NoReg Reg = 0xff
)

// VReg is a vector register: its low 128, 256 or all 512 bits. VEX instructions reach the first sixteen.
type VReg uint8

// KReg is a mask register. K0 as a write mask means no mask.
type KReg uint8

// Len is a vector length.
type Len uint8

// The vector lengths in bits.
const (
	L128 Len = iota
	L256
	L512
)

// Mem is a memory operand: Base + Index*Scale + Disp. With Vector the index is the vector register VIndex (gather and
// scatter).
type Mem struct {
	Base   Reg
	Index  Reg // NoReg if there is none
	Scale  uint8
	Disp   int32
	Vector bool
	VIndex VReg
}

// At is the operand [base + disp].
func At(base Reg, disp int32) Mem { return Mem{Base: base, Index: NoReg, Scale: 1, Disp: disp} }

// AtIndex is the operand [base + index*scale + disp].
func AtIndex(base, index Reg, scale uint8, disp int32) Mem {
	return Mem{Base: base, Index: index, Scale: scale, Disp: disp}
}

// AtVector is the operand [base + index*scale + disp] of a gather or scatter.
func AtVector(base Reg, index VReg, scale uint8, disp int32) Mem {
	return Mem{Base: base, Index: NoReg, Scale: scale, Disp: disp, Vector: true, VIndex: index}
}

// Label is a place in the code that jumps can name before it is known.
type Label int32

// Asm collects code. Errors of the caller, such as a register out of range, are kept and returned by Finish.
type Asm struct {
	code   []byte
	labels []int32 // offset, or -1 while unknown
	fixups []fixup
	err    error
}

// fixup is a 32 bit displacement relative to its own end.
type fixup struct {
	at    int32
	label Label
}

// Len returns the number of bytes so far.
func (a *Asm) Len() int { return len(a.code) }

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
	a.labels[l] = int32(len(a.code))
}

// BindNext is Bind, and takes back a jump to l that was emitted last, since it would go to the instruction behind it.
func (a *Asm) BindNext(l Label) {
	n, end := len(a.fixups), len(a.code)
	if n > 0 && a.fixups[n-1] == (fixup{int32(end - 4), l}) && a.code[end-5] == 0xe9 && (end < 6 || a.code[end-6] != 0x0f) && !slices.Contains(a.labels, int32(end)) {
		a.fixups, a.code = a.fixups[:n-1], a.code[:end-5]
	}
	a.Bind(l)
}

// Offset returns where a label was bound, or -1.
func (a *Asm) Offset(l Label) int { return int(a.labels[l]) }

// Finish resolves the jumps and returns the code.
func (a *Asm) Finish() ([]byte, error) {
	for _, f := range a.fixups {
		to := a.labels[f.label]
		if to < 0 {
			a.fail("label %d has no place", f.label)
			break
		}
		binary.LittleEndian.PutUint32(a.code[f.at:], uint32(to-f.at-4))
	}
	return a.code, a.err
}

func (a *Asm) fail(format string, args ...any) {
	if a.err == nil {
		a.err = fmt.Errorf("amd64: "+format, args...)
	}
}

// Reserve makes room for about so many bytes of code, which is room's if it is as large, and for as many labels and jumps as they
// may have.
func (a *Asm) Reserve(room []byte, bytes int) {
	a.code = slices.Grow(room[:0], bytes)
	a.labels, a.fixups = slices.Grow(a.labels, bytes/24), slices.Grow(a.fixups, bytes/24)
}

func (a *Asm) imm32(v int32) { a.code = binary.LittleEndian.AppendUint32(a.code, uint32(v)) }

func (a *Asm) imm64(v uint64) { a.code = binary.LittleEndian.AppendUint64(a.code, v) }

// modReg appends ModRM for two registers; reg and rm are given by their low three bits.
func (a *Asm) modReg(reg, rm uint8) { a.code = append(a.code, 0xc0|reg&7<<3|rm&7) }

// modMem appends ModRM, SIB and displacement. n is the factor of a compressed 8 bit displacement: 1 except for EVEX.
func (a *Asm) modMem(reg uint8, m Mem, n int32) {
	base := uint8(m.Base)
	sib := m.Vector || m.Index != NoReg || base&7 == 4
	mod, disp8 := uint8(2), int32(0)
	switch {
	case m.Disp == 0 && base&7 != 5:
		mod = 0
	case m.Disp%n == 0 && m.Disp/n >= math.MinInt8 && m.Disp/n <= math.MaxInt8:
		mod, disp8 = 1, m.Disp/n
	}
	rm := base & 7
	if sib {
		rm = 4
	}
	a.code = append(a.code, mod<<6|reg&7<<3|rm)
	if sib {
		index := uint8(4) // none
		switch {
		case m.Vector:
			index = uint8(m.VIndex) & 7
		case m.Index == RSP:
			a.fail("rsp cannot be an index")
		case m.Index != NoReg:
			index = uint8(m.Index) & 7
		}
		a.code = append(a.code, scaleBits(a, m.Scale)<<6|index<<3|base&7)
	}
	switch mod {
	case 1:
		a.code = append(a.code, byte(int8(disp8)))
	case 2:
		a.imm32(m.Disp)
	}
}

func scaleBits(a *Asm, s uint8) uint8 {
	switch s {
	case 0, 1:
		return 0
	case 2:
		return 1
	case 4:
		return 2
	case 8:
		return 3
	}
	a.fail("scale %d", s)
	return 0
}

// indexBit returns bit 3 and bit 4 of the index register of m.
func (m Mem) indexBits() (b3, b4 uint8) {
	switch {
	case m.Vector:
		return uint8(m.VIndex) >> 3 & 1, uint8(m.VIndex) >> 4 & 1
	case m.Index != NoReg:
		return uint8(m.Index) >> 3 & 1, 0
	}
	return 0, 0
}

// Imm8 appends the immediate byte of the instruction emitted last.
func (a *Asm) Imm8(b uint8) { a.code = append(a.code, b) }
