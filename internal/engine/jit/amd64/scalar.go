package amd64

// Width is the operand size of an integer instruction.
type Width uint8

// The operand sizes in bytes.
const (
	W8  Width = 1
	W16 Width = 2
	W32 Width = 4
	W64 Width = 8
)

// Alu is an integer operation of two operands, by the digit of its immediate form.
type Alu uint8

// The operations.
const (
	ADD Alu = iota
	OR
	ADC
	SBB
	AND
	SUB
	XOR
	CMP
)

// Shift is a shift or rotation, by its digit.
type Shift uint8

// The shifts.
const (
	ROL Shift = 0
	ROR Shift = 1
	SHL Shift = 4
	SHR Shift = 5
	SAR Shift = 7
)

// Cond is a condition code.
type Cond uint8

// The condition codes.
const (
	O Cond = iota
	NO
	B
	AE
	E
	NE
	BE
	A
	S
	NS
	P
	NP
	L
	GE
	LE
	G
)

// rex appends the prefixes. force makes a REX prefix even if it is empty, which byte registers above BL need.
func (a *Asm) rex(w Width, reg, index, base uint8, force bool) {
	if w == W16 {
		a.code = append(a.code, 0x66)
	}
	r := bit(w == W64)<<3 | reg>>3&1<<2 | index>>3&1<<1 | base>>3&1
	if r != 0 || force {
		a.code = append(a.code, 0x40|r)
	}
}

// op appends an opcode of one byte, or of two or three with the escape bytes in its upper half.
func (a *Asm) op(op uint32) {
	if op > 0xffff {
		a.code = append(a.code, byte(op>>16))
	}
	if op > 0xff {
		a.code = append(a.code, byte(op>>8))
	}
	a.code = append(a.code, byte(op))
}

func (a *Asm) regReg(w Width, op uint32, reg, rm Reg) {
	force := w == W8 && (reg > 3 || rm > 3)
	a.rex(w, uint8(reg), 0, uint8(rm), force)
	a.op(op)
	a.modReg(uint8(reg), uint8(rm))
}

func (a *Asm) regMem(w Width, op uint32, reg Reg, m Mem) {
	index := uint8(0)
	if m.Index != NoReg {
		index = uint8(m.Index)
	}
	a.rex(w, uint8(reg), index, uint8(m.Base), w == W8 && reg > 3)
	a.op(op)
	a.modMem(uint8(reg), m, 1)
}

// MovRR is dst = src.
func (a *Asm) MovRR(w Width, dst, src Reg) { a.regReg(w, 0x89, src, dst) }

// MovRM is a load of 32 or 64 bits; MovZX and MovSX load fewer.
func (a *Asm) MovRM(w Width, dst Reg, m Mem) { a.regMem(w, 0x8b, dst, m) }

// MovMR is a store.
func (a *Asm) MovMR(w Width, m Mem, src Reg) {
	if w == W8 {
		a.regMem(w, 0x88, src, m)
		return
	}
	a.regMem(w, 0x89, src, m)
}

// MovMI stores an immediate of up to 32 bits, sign-extended for 64.
func (a *Asm) MovMI(w Width, m Mem, imm int32) {
	if w != W32 && w != W64 {
		a.fail("mov of an immediate to %d bytes", w)
	}
	a.regMem(w, 0xc7, 0, m)
	a.imm32(imm)
}

// MovRI is dst = imm, in the shortest form; 32 bit forms clear the upper half.
func (a *Asm) MovRI(dst Reg, imm uint64) {
	switch {
	case imm <= 0xffffffff:
		a.rex(W32, 0, 0, uint8(dst), false)
		a.code = append(a.code, 0xb8|byte(dst)&7)
		a.imm32(int32(uint32(imm)))
	case int64(imm) == int64(int32(imm)):
		a.rex(W64, 0, 0, uint8(dst), false)
		a.code = append(a.code, 0xc7)
		a.modReg(0, uint8(dst))
		a.imm32(int32(imm))
	default:
		a.rex(W64, 0, 0, uint8(dst), false)
		a.code = append(a.code, 0xb8|byte(dst)&7)
		a.imm64(imm)
	}
}

// MovZXM and MovSXM load from bytes in memory and extend to 32 bits, MovSXM with w = W64 to 64.
func (a *Asm) MovZXM(from Width, dst Reg, m Mem) {
	a.regMem(W32, 0x0fb6+uint32(bit(from == W16)), dst, m)
}

// MovSXM loads 1, 2 or 4 bytes and extends them by their sign to w.
func (a *Asm) MovSXM(w, from Width, dst Reg, m Mem) {
	if from == W32 {
		a.regMem(W64, 0x63, dst, m)
		return
	}
	a.regMem(w, 0x0fbe+uint32(bit(from == W16)), dst, m)
}

// MovZX is dst = the low bytes of src, extended by zeroes to 64 bits.
func (a *Asm) MovZX(from Width, dst, src Reg) {
	if from == W32 {
		a.MovRR(W32, dst, src)
		return
	}
	a.rex(W32, uint8(dst), 0, uint8(src), from == W8 && src > 3)
	a.op(0x0fb6 + uint32(bit(from == W16)))
	a.modReg(uint8(dst), uint8(src))
}

// MovSX is dst = the low bytes of src, extended by the sign to w.
func (a *Asm) MovSX(w, from Width, dst, src Reg) {
	op := uint32(0x63)
	if from != W32 {
		op = 0x0fbe + uint32(bit(from == W16))
	}
	a.rex(w, uint8(dst), 0, uint8(src), from == W8 && src > 3)
	a.op(op)
	a.modReg(uint8(dst), uint8(src))
}

// AluRR is dst = dst op src (CMP only compares).
func (a *Asm) AluRR(w Width, op Alu, dst, src Reg) { a.regReg(w, uint32(op)<<3|1, src, dst) }

// AluRM is dst = dst op memory.
func (a *Asm) AluRM(w Width, op Alu, dst Reg, m Mem) { a.regMem(w, uint32(op)<<3|3, dst, m) }

// AluMR is memory = memory op src.
func (a *Asm) AluMR(w Width, op Alu, m Mem, src Reg) { a.regMem(w, uint32(op)<<3|1, src, m) }

// AluRI is dst = dst op imm.
func (a *Asm) AluRI(w Width, op Alu, dst Reg, imm int32) {
	a.rex(w, 0, 0, uint8(dst), false)
	switch {
	case imm == int32(int8(imm)):
		a.code = append(a.code, 0x83)
		a.modReg(uint8(op), uint8(dst))
		a.code = append(a.code, byte(imm))
	case dst == RAX:
		a.code = append(a.code, byte(op)<<3|5)
		a.imm32(imm)
	default:
		a.code = append(a.code, 0x81)
		a.modReg(uint8(op), uint8(dst))
		a.imm32(imm)
	}
}

// AluMI is memory = memory op imm.
func (a *Asm) AluMI(w Width, op Alu, m Mem, imm int32) {
	if imm == int32(int8(imm)) {
		a.regMem(w, 0x83, Reg(op), m)
		a.code = append(a.code, byte(imm))
		return
	}
	a.regMem(w, 0x81, Reg(op), m)
	a.imm32(imm)
}

// TestRR sets the flags of x AND y.
func (a *Asm) TestRR(w Width, x, y Reg) { a.regReg(w, 0x85, y, x) }

// TestRI sets the flags of x AND imm, which has 32 bits, or eight at W8.
func (a *Asm) TestRI(w Width, x Reg, imm int32) {
	if w == W8 {
		if x == RAX {
			a.code = append(a.code, 0xa8, byte(imm))
			return
		}
		a.rex(w, 0, 0, uint8(x), x > 3)
		a.code = append(a.code, 0xf6)
		a.modReg(0, uint8(x))
		a.code = append(a.code, byte(imm))
		return
	}
	a.rex(w, 0, 0, uint8(x), false)
	if x == RAX {
		a.code = append(a.code, 0xa9)
	} else {
		a.code = append(a.code, 0xf7)
		a.modReg(0, uint8(x))
	}
	a.imm32(imm)
}

// JmpM jumps to the address in memory.
func (a *Asm) JmpM(m Mem) { a.regMem(W32, 0xff, 4, m) }

// DivM divides RDX:RAX by memory, unsigned, IdivM signed: quotient in RAX, remainder in RDX.
func (a *Asm) DivM(w Width, m Mem) { a.regMem(w, 0xf7, 6, m) }

// IdivM divides RDX:RAX by memory, signed.
func (a *Asm) IdivM(w Width, m Mem) { a.regMem(w, 0xf7, 7, m) }

// ImulRR is dst = dst * src.
func (a *Asm) ImulRR(w Width, dst, src Reg) { a.regReg(w, 0x0faf, dst, src) }

// ImulRI is dst = src * imm.
func (a *Asm) ImulRI(w Width, dst, src Reg, imm int32) {
	if imm == int32(int8(imm)) {
		a.regReg(w, 0x6b, dst, src)
		a.code = append(a.code, byte(imm))
		return
	}
	a.regReg(w, 0x69, dst, src)
	a.imm32(imm)
}

// MulR is RDX:RAX = RAX * src, unsigned; ImulR signed.
func (a *Asm) MulR(w Width, src Reg) { a.unary(w, 4, src) }

// ImulR is RDX:RAX = RAX * src, signed.
func (a *Asm) ImulR(w Width, src Reg) { a.unary(w, 5, src) }

// DivR divides RDX:RAX by src, unsigned: quotient in RAX, remainder in RDX.
func (a *Asm) DivR(w Width, src Reg) { a.unary(w, 6, src) }

// IdivR divides RDX:RAX by src, signed.
func (a *Asm) IdivR(w Width, src Reg) { a.unary(w, 7, src) }

// NegR is dst = -dst, NotR dst = ^dst.
func (a *Asm) NegR(w Width, dst Reg) { a.unary(w, 3, dst) }

// NotR is dst = ^dst.
func (a *Asm) NotR(w Width, dst Reg) { a.unary(w, 2, dst) }

func (a *Asm) unary(w Width, digit uint8, r Reg) {
	a.rex(w, 0, 0, uint8(r), false)
	a.code = append(a.code, 0xf7)
	a.modReg(digit, uint8(r))
}

// SignExtendA fills RDX with the sign of RAX (cdq, cqo).
func (a *Asm) SignExtendA(w Width) {
	a.rex(w, 0, 0, 0, false)
	a.code = append(a.code, 0x99)
}

// ShiftRI is dst = dst shifted by imm.
func (a *Asm) ShiftRI(w Width, op Shift, dst Reg, imm uint8) {
	a.rex(w, 0, 0, uint8(dst), false)
	if imm == 1 {
		a.code = append(a.code, 0xd1)
		a.modReg(uint8(op), uint8(dst))
		return
	}
	a.code = append(a.code, 0xc1)
	a.modReg(uint8(op), uint8(dst))
	a.code = append(a.code, imm)
}

// ShiftRC is dst = dst shifted by CL.
func (a *Asm) ShiftRC(w Width, op Shift, dst Reg) {
	a.rex(w, 0, 0, uint8(dst), false)
	a.code = append(a.code, 0xd3)
	a.modReg(uint8(op), uint8(dst))
}

// Lea is dst = address of m.
func (a *Asm) Lea(w Width, dst Reg, m Mem) { a.regMem(w, 0x8d, dst, m) }

// Popcnt, Tzcnt and Lzcnt count bits.
func (a *Asm) Popcnt(w Width, dst, src Reg) { a.f3(w, 0x0fb8, dst, src) }

// Tzcnt counts trailing zeroes; the width for 0.
func (a *Asm) Tzcnt(w Width, dst, src Reg) { a.f3(w, 0x0fbc, dst, src) }

// Lzcnt counts leading zeroes; the width for 0.
func (a *Asm) Lzcnt(w Width, dst, src Reg) { a.f3(w, 0x0fbd, dst, src) }

func (a *Asm) f3(w Width, op uint32, dst, src Reg) {
	a.code = append(a.code, 0xf3)
	a.regReg(w, op, dst, src)
}

// Bswap reverses the bytes of a register.
func (a *Asm) Bswap(w Width, r Reg) {
	a.rex(w, 0, 0, uint8(r), false)
	a.code = append(a.code, 0x0f, 0xc8|byte(r)&7)
}

// Cmov is dst = src if the condition holds.
func (a *Asm) Cmov(w Width, c Cond, dst, src Reg) { a.regReg(w, 0x0f40|uint32(c), dst, src) }

// Setcc is the low byte of dst = 1 if the condition holds, else 0.
func (a *Asm) Setcc(c Cond, dst Reg) {
	a.rex(W32, 0, 0, uint8(dst), dst > 3)
	a.code = append(a.code, 0x0f, 0x90|byte(c))
	a.modReg(0, uint8(dst))
}

// LockXadd exchanges and adds: memory += r, r = the old value.
func (a *Asm) LockXadd(w Width, m Mem, r Reg) {
	a.code = append(a.code, 0xf0)
	a.regMem(w, 0x0fc1, r, m)
}

// LockCmpxchg stores r if memory equals RAX, else loads memory into RAX; E tells.
func (a *Asm) LockCmpxchg(w Width, m Mem, r Reg) {
	a.code = append(a.code, 0xf0)
	a.regMem(w, 0x0fb1, r, m)
}

// LockAlu is memory = memory op r, atomically.
func (a *Asm) LockAlu(w Width, op Alu, m Mem, r Reg) {
	a.code = append(a.code, 0xf0)
	a.AluMR(w, op, m, r)
}

// Xchg exchanges a register and memory, atomically.
func (a *Asm) Xchg(w Width, m Mem, r Reg) { a.regMem(w, 0x87, r, m) }

// Mfence orders all accesses.
func (a *Asm) Mfence() { a.code = append(a.code, 0x0f, 0xae, 0xf0) }

// Sfence orders stores, those past the caches included.
func (a *Asm) Sfence() { a.code = append(a.code, 0x0f, 0xae, 0xf8) }

// Prefetch asks for a line of memory, to be read or to be written. An address without memory is no fault.
func (a *Asm) Prefetch(m Mem, write bool) {
	if write {
		a.regMem(W32, 0x0f0d, 1, m)
	} else {
		a.regMem(W32, 0x0f18, 1, m)
	}
}

// Jmp jumps to a label, Jcc if the condition holds. Displacements are always 32 bits.
func (a *Asm) Jmp(l Label) {
	a.code = append(a.code, 0xe9)
	a.fix(l)
}

// Jcc jumps if the condition holds.
func (a *Asm) Jcc(c Cond, l Label) {
	a.code = append(a.code, 0x0f, 0x80|byte(c))
	a.fix(l)
}

func (a *Asm) fix(l Label) {
	a.fixups = append(a.fixups, fixup{int32(len(a.code)), l})
	a.imm32(0)
}

// JmpR jumps to the address in a register.
func (a *Asm) JmpR(r Reg) {
	a.rex(W32, 0, 0, uint8(r), false)
	a.code = append(a.code, 0xff)
	a.modReg(4, uint8(r))
}

// LeaLabel is dst = the address of a label.
func (a *Asm) LeaLabel(dst Reg, l Label) {
	a.rex(W64, uint8(dst), 0, 0, false)
	a.code = append(a.code, 0x8d, uint8(dst)&7<<3|5)
	a.fix(l)
}

// Ret returns.
func (a *Asm) Ret() { a.code = append(a.code, 0xc3) }

// Ldmxcsr loads the control register of the vector unit, Stmxcsr stores it.
func (a *Asm) Ldmxcsr(m Mem) { a.regMem(W32, 0x0fae, 2, m) }

// Stmxcsr stores the control register of the vector unit.
func (a *Asm) Stmxcsr(m Mem) { a.regMem(W32, 0x0fae, 3, m) }
