package amd64

// Row describes one vector or mask instruction.
type Row struct {
	// Name is the mnemonic that GNU as knows.
	Name string
	// Map is the opcode map: 1 is 0F, 2 is 0F38, 3 is 0F3A. PP is the prefix: 0 none, 1 66, 2 F3, 3 F2.
	Map, PP, Op uint8
	// W is the operand-size bit of the EVEX encoding.
	W uint8
	// Enc says which encodings there are.
	Enc Enc
	// Tuple says how a memory operand's displacement is compressed, with Elem the size of an element in bytes.
	Tuple Tuple
	Elem  uint8
	// Digit is the reg field of instructions that have an opcode extension there (shifts by an immediate).
	Digit uint8
}

// Enc is the set of encodings of an instruction.
type Enc uint8

// EVEX is needed for 512 bits, masks and registers above 15; VEX is what AVX2 machines have.
const (
	EVEX Enc = 1 << iota
	VEX
	// VEXW1 says that the VEX encoding has W set; most ignore it, and the EVEX encoding alone uses Row.W.
	VEXW1
)

// Tuple is the EVEX tuple type (manual, section 2.7.5).
type Tuple uint8

// The tuple types: what a memory operand holds in relation to the vector.
const (
	Full    Tuple = iota // a vector, or one element that is broadcast
	FullMem              // a vector
	Scalar               // one element
	Half                 // half a vector
	Quarter              // a quarter of a vector
	Eighth               // an eighth of a vector
)

// Opt are the options of a vector instruction. The zero value is a plain 128 bit operation.
type Opt struct {
	L Len
	// K masks the elements written, Z sets the others to zero instead of keeping them.
	K KReg
	Z bool
	// Bcast broadcasts the one element in memory. With registers only it turns on embedded rounding (Round).
	Bcast bool
	// Embedded rounding for register operands at 512 bits.
	ER    bool
	Round uint8 // 0 nearest, 1 down, 2 up, 3 toward zero
	// VEX asks for the VEX encoding, where both exist.
	VEX bool
}

// factor is the N of the compressed displacement.
func (r *Row) factor(o Opt) int32 {
	vl := int32(16) << o.L
	switch r.Tuple {
	case Full:
		if o.Bcast {
			return int32(r.Elem)
		}
		return vl
	case FullMem:
		return vl
	case Scalar:
		return int32(r.Elem)
	case Half:
		return vl / 2
	case Quarter:
		return vl / 4
	}
	return vl / 8
}

// evex appends the EVEX prefix and the opcode. reg, rm and vvvv are register numbers; x is the extra bit of rm (bit 4 for a
// vector register, bit 3 of an index), v4 the fifth bit of vvvv or of a vector index.
func (a *Asm) evex(r *Row, o Opt, reg, vvvv, b, x, v4 uint8) {
	ll := uint8(o.L)
	bc := o.Bcast
	if o.ER {
		ll, bc = o.Round, true
	}
	p0 := r.Map | (^reg>>3&1)<<7 | (^x&1)<<6 | (^b&1)<<5 | (^reg>>4&1)<<4
	p1 := r.W<<7 | (^vvvv&15)<<3 | 1<<2 | r.PP
	p2 := bit(o.Z)<<7 | ll<<5 | bit(bc)<<4 | (^v4&1)<<3 | uint8(o.K)
	a.code = append(a.code, 0x62, p0, p1, p2, r.Op)
}

// vex appends the VEX prefix, in two bytes where they suffice, and the opcode.
func (a *Asm) vex(r *Row, l Len, reg, vvvv, b, x uint8) {
	w := bit(r.Enc&VEXW1 != 0)
	if r.Map == 1 && w == 0 && b == 0 && x == 0 {
		a.code = append(a.code, 0xc5, (^reg>>3&1)<<7|(^vvvv&15)<<3|uint8(l)<<2|r.PP, r.Op)
		return
	}
	a.code = append(a.code, 0xc4, (^reg>>3&1)<<7|(^x&1)<<6|(^b&1)<<5|r.Map, w<<7|(^vvvv&15)<<3|uint8(l)<<2|r.PP, r.Op)
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// useVEX decides the encoding and reports misuse.
func (a *Asm) useVEX(r *Row, o Opt, regs ...uint8) bool {
	vex := r.Enc&EVEX == 0 || o.VEX
	if !vex {
		return false
	}
	if r.Enc&VEX == 0 || o.L == L512 || o.K != 0 || o.Z || o.Bcast || o.ER {
		a.fail("%s cannot be encoded with VEX", r.Name)
	}
	for _, x := range regs {
		if x > 15 {
			a.fail("%s: register %d needs EVEX", r.Name, x)
		}
	}
	return true
}

// RRR emits dst = op(x, y). For instructions with two operands x is 0 and not used.
func (a *Asm) RRR(r *Row, dst, x, y VReg, o Opt) { a.rrr(r, uint8(dst), uint8(x), uint8(y), o) }

func (a *Asm) rrr(r *Row, dst, x, y uint8, o Opt) {
	if a.useVEX(r, o, dst, x, y) {
		a.vex(r, o.L, dst, x, y>>3&1, 0)
	} else {
		a.evex(r, o, dst, x&15, y>>3&1, y>>4&1, x>>4&1)
	}
	a.modReg(dst, y)
}

// RRM emits dst = op(x, memory); also loads (x is 0), and stores, for which dst is the source.
func (a *Asm) RRM(r *Row, dst, x VReg, m Mem, o Opt) { a.rrm(r, uint8(dst), uint8(x), m, o) }

func (a *Asm) rrm(r *Row, dst, x uint8, m Mem, o Opt) {
	base := uint8(m.Base) >> 3 & 1
	i3, i4 := m.indexBits()
	if a.useVEX(r, o, dst, x) {
		a.vex(r, o.L, dst, x, base, i3)
		a.modMem(dst, m, 1)
		return
	}
	v4 := x >> 4 & 1
	if m.Vector {
		v4 = i4
	}
	a.evex(r, o, dst, x&15, base, i3, v4)
	a.modMem(dst, m, r.factor(o))
}

// RRI and RMI emit dst = op(y, imm) for instructions with an opcode extension (shifts by an immediate).
func (a *Asm) RRI(r *Row, dst, y VReg, imm uint8, o Opt) {
	a.rrr(r, r.Digit, uint8(dst), uint8(y), o)
	a.code = append(a.code, imm)
}

// RRRI emits dst = op(x, y, imm).
func (a *Asm) RRRI(r *Row, dst, x, y VReg, imm uint8, o Opt) {
	a.RRR(r, dst, x, y, o)
	a.code = append(a.code, imm)
}

// RRMI emits dst = op(x, memory, imm).
func (a *Asm) RRMI(r *Row, dst, x VReg, m Mem, imm uint8, o Opt) {
	a.RRM(r, dst, x, m, o)
	a.code = append(a.code, imm)
}

// KRR emits k = op(x, y), a comparison or test without an immediate.
func (a *Asm) KRR(r *Row, k KReg, x, y VReg, o Opt) { a.rrr(r, uint8(k), uint8(x), uint8(y), o) }

// KRRI emits k = op(x, y, imm): a comparison whose predicate is imm.
func (a *Asm) KRRI(r *Row, k KReg, x, y VReg, imm uint8, o Opt) {
	a.rrr(r, uint8(k), uint8(x), uint8(y), o)
	a.code = append(a.code, imm)
}

// KRMI emits k = op(x, memory, imm).
func (a *Asm) KRMI(r *Row, k KReg, x VReg, m Mem, imm uint8, o Opt) {
	a.rrm(r, uint8(k), uint8(x), m, o)
	a.code = append(a.code, imm)
}

// RK emits vector = op(mask), KR mask = op(vector).
func (a *Asm) RK(r *Row, dst VReg, k KReg, o Opt) { a.rrr(r, uint8(dst), 0, uint8(k), o) }

// KR emits mask = op(vector).
func (a *Asm) KR(r *Row, k KReg, y VReg, o Opt) { a.rrr(r, uint8(k), 0, uint8(y), o) }

// RG emits vector = op(general register), such as a broadcast.
func (a *Asm) RG(r *Row, dst VReg, g Reg, o Opt) { a.rrr(r, uint8(dst), 0, uint8(g), o) }

// GR emits general register = op(vector) for instructions whose reg field is the vector register, as vmovd has it.
func (a *Asm) GR(r *Row, v VReg, g Reg, o Opt) { a.rrr(r, uint8(v), 0, uint8(g), o) }

// KKK emits k = op(x, y) on masks; for two operands x is 0.
func (a *Asm) KKK(r *Row, k, x, y KReg) {
	l := L256
	if x == 0 && r.Digit == 1 { // two operands
		l = L128
	}
	a.vex(r, l, uint8(k), uint8(x), 0, 0)
	a.modReg(uint8(k), uint8(y))
}

// KKI emits k = op(y, imm), a mask shift.
func (a *Asm) KKI(r *Row, k, y KReg, imm uint8) {
	a.vex(r, L128, uint8(k), 0, 0, 0)
	a.modReg(uint8(k), uint8(y))
	a.code = append(a.code, imm)
}

// KG emits mask = general register, GK general register = mask.
func (a *Asm) KG(r *Row, k KReg, g Reg) {
	a.vex(r, L128, uint8(k), 0, uint8(g)>>3&1, 0)
	a.modReg(uint8(k), uint8(g))
}

// GK emits general register = mask.
func (a *Asm) GK(r *Row, g Reg, k KReg) {
	a.vex(r, L128, uint8(g), 0, 0, 0)
	a.modReg(uint8(g), uint8(k))
}

// KM emits a load or store of a mask.
func (a *Asm) KM(r *Row, k KReg, m Mem) {
	i3, _ := m.indexBits()
	a.vex(r, L128, uint8(k), 0, uint8(m.Base)>>3&1, i3)
	a.modMem(uint8(k), m, 1)
}

// VZeroUpper clears the upper halves, which every exit to Go needs.
func (a *Asm) VZeroUpper() { a.code = append(a.code, 0xc5, 0xf8, 0x77) }
