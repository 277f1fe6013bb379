package amd64

import (
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
)

// Decoded is one instruction.
type Decoded struct {
	// Size is its length in bytes.
	Size int
	// Text is the instruction in the syntax of GNU as with .intel_syntax noprefix; jumps and addresses of labels name
	// offsets in the code as $+N or $-N from the instruction's end. It is empty if the bytes are none that this package emits.
	Text string
}

// Decode reads the first instruction of code that this package emitted.
func Decode(code []byte) Decoded {
	d := decoder{code: code}
	text := d.instruction()
	if d.bad || text == "" {
		return Decoded{Size: 1}
	}
	return Decoded{Size: d.at, Text: text}
}

// decoder reads one instruction. What is missing reads as zero and makes it bad.
type decoder struct {
	code []byte
	at   int
	bad  bool

	wide, small bool // REX.W, 66
	rex         bool
	r, x, b     uint8 // the upper bits of reg, index and base or rm, where they belong
	mod, reg    uint8
	rm          uint8
}

func (d *decoder) byte() uint8 {
	if d.at >= len(d.code) {
		d.bad = true
		return 0
	}
	d.at++
	return d.code[d.at-1]
}

func (d *decoder) int32() int32 {
	if d.at+4 > len(d.code) {
		d.bad = true
		return 0
	}
	d.at += 4
	return int32(binary.LittleEndian.Uint32(d.code[d.at-4:]))
}

// modRM reads ModRM; reg and rm get their upper bits.
func (d *decoder) modRM() {
	m := d.byte()
	d.mod, d.reg, d.rm = m>>6, m>>3&7|d.r, m&7
	if d.mod == 3 {
		d.rm |= d.b
	}
}

// memory reads SIB and displacement. n is the factor of a displacement of 8 bits, index the length of a vector of indices
// if it is one, with the fifth bit of its number.
func (d *decoder) memory(n int32, index string, high uint8) string {
	if d.mod == 0 && d.rm == 5 {
		return d.target()
	}
	base, text := d.rm|d.b, ""
	if d.rm == 4 {
		sib := d.byte()
		base = sib&7 | d.b
		switch i := sib>>3&7 | d.x; {
		case index != "":
			text = fmt.Sprintf("+%s%d*%d", index, i|high, 1<<(sib>>6))
		case i != 4:
			text = fmt.Sprintf("+%s*%d", names64[i], 1<<(sib>>6))
		}
	}
	disp := int32(0)
	switch d.mod {
	case 1:
		disp = int32(int8(d.byte())) * n
	case 2:
		disp = d.int32()
	}
	if disp != 0 {
		text += fmt.Sprintf("%+d", disp)
	}
	return "[" + names64[base] + text + "]"
}

// target reads a displacement relative to its end, which is the end of the instruction.
func (d *decoder) target() string { return fmt.Sprintf("$%+d", d.int32()) }

var (
	names64 = [16]string{"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"}
	names32 = [8]string{"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"}
	names16 = [8]string{"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"}
	names8  = [8]string{"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"}
)

// register is the name of a general register of so many bytes.
func register(bytes int, r uint8) string {
	names, suffix := &names32, "d"
	switch bytes {
	case 8:
		return names64[r]
	case 2:
		names, suffix = &names16, "w"
	case 1:
		names, suffix = &names8, "b"
	}
	if r < 8 {
		return names[r]
	}
	return names64[r] + suffix
}

var pointers = map[int]string{
	1: "byte ptr ", 2: "word ptr ", 4: "dword ptr ", 8: "qword ptr ", 16: "xmmword ptr ", 32: "ymmword ptr ", 64: "zmmword ptr ",
}

// width is the operand size that the prefixes say.
func (d *decoder) width() int {
	switch {
	case d.wide:
		return 8
	case d.small:
		return 2
	}
	return 4
}

// operand is the rm operand of so many bytes.
func (d *decoder) operand(bytes int) string {
	if d.mod == 3 {
		return register(bytes, d.rm)
	}
	return pointers[bytes] + d.memory(1, "", 0)
}

func (d *decoder) instruction() string {
	lock := ""
	for {
		switch c := d.byte(); {
		case c == 0xf0:
			lock = "lock "
		case c == 0x66:
			d.small = true
		case c == 0xf3:
			return d.counting()
		case c&0xf0 == 0x40:
			d.prefix(c)
			return lock + d.plain(d.byte())
		case c == 0x62:
			return d.evex()
		case c == 0xc4, c == 0xc5:
			return d.vex(c)
		default:
			return lock + d.plain(c)
		}
		if d.bad {
			return ""
		}
	}
}

// prefix takes a REX prefix apart.
func (d *decoder) prefix(c uint8) {
	d.rex, d.wide, d.r, d.x, d.b = true, c&8 != 0, c&4<<1, c&2<<2, c&1<<3
}

var (
	aluNames   = [...]string{"add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"}
	shiftNames = [...]string{ROL: "rol", ROR: "ror", SHL: "shl", SHR: "shr", SAR: "sar"}
	condNames  = [...]string{"o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"}
	unaryNames = [...]string{2: "not", 3: "neg", 4: "mul", 5: "imul", 6: "div", 7: "idiv"}
)

// counting is what has the prefix F3.
func (d *decoder) counting() string {
	c := d.byte()
	if c&0xf0 == 0x40 {
		d.prefix(c)
		c = d.byte()
	}
	name := map[uint8]string{0xb8: "popcnt", 0xbc: "tzcnt", 0xbd: "lzcnt"}[d.byte()]
	if c != 0x0f || name == "" {
		return ""
	}
	d.modRM()
	return fmt.Sprintf("%s %s, %s", name, register(d.width(), d.reg), d.operand(d.width()))
}

// plain is an instruction of one byte of opcode, or of more with 0F.
func (d *decoder) plain(c uint8) string {
	w := d.width()
	switch {
	case c == 0x0f:
		return d.escaped(d.byte())
	case c < 0x40 && c&7 == 5:
		return fmt.Sprintf("%s %s, %d", aluNames[c>>3], register(w, 0), d.int32())
	case c < 0x40 && c&7 == 1:
		d.modRM()
		return fmt.Sprintf("%s %s, %s", aluNames[c>>3], d.operand(w), register(w, d.reg))
	case c < 0x40 && c&7 == 3:
		d.modRM()
		return fmt.Sprintf("%s %s, %s", aluNames[c>>3], register(w, d.reg), d.operand(w))
	case c&0xf8 == 0xb8:
		return d.immediate(c & 7)
	}
	switch c {
	case 0x99:
		if d.wide {
			return "cqo"
		}
		return "cdq"
	case 0xa8:
		return fmt.Sprintf("test al, %d", d.byte())
	case 0xa9:
		return fmt.Sprintf("test %s, %d", register(w, 0), d.int32())
	case 0xc3:
		return "ret"
	case 0xe9:
		return "jmp " + d.target()
	}
	d.modRM()
	return d.withModRM(c, w)
}

// immediate is a move of an immediate to a register.
func (d *decoder) immediate(r uint8) string {
	r |= d.b
	if !d.wide {
		return fmt.Sprintf("mov %s, %#x", register(4, r), uint32(d.int32()))
	}
	low := uint64(uint32(d.int32()))
	return fmt.Sprintf("movabs %s, %#x", register(8, r), low|uint64(uint32(d.int32()))<<32)
}

// withModRM is an instruction whose ModRM has been read.
func (d *decoder) withModRM(c uint8, w int) string {
	switch c {
	case 0x63:
		return fmt.Sprintf("movsxd %s, %s", register(w, d.reg), d.operand(4))
	case 0x69, 0x6b:
		reg, rm := register(w, d.reg), d.operand(w)
		return fmt.Sprintf("imul %s, %s, %d", reg, rm, d.imm(c == 0x6b))
	case 0x81, 0x83:
		rm := d.operand(w)
		return fmt.Sprintf("%s %s, %d", aluNames[d.reg&7], rm, d.imm(c == 0x83))
	case 0x85:
		return fmt.Sprintf("test %s, %s", d.operand(w), register(w, d.reg))
	case 0x87:
		return fmt.Sprintf("xchg %s, %s", d.operand(w), register(w, d.reg))
	case 0x88:
		return fmt.Sprintf("mov %s, %s", d.operand(1), register(1, d.reg))
	case 0x89:
		return fmt.Sprintf("mov %s, %s", d.operand(w), register(w, d.reg))
	case 0x8b:
		return fmt.Sprintf("mov %s, %s", register(w, d.reg), d.operand(w))
	case 0x8d:
		return fmt.Sprintf("lea %s, %s", register(w, d.reg), d.memory(1, "", 0))
	case 0xc1, 0xd1, 0xd3:
		return d.shift(c, w)
	case 0xc7:
		rm := d.operand(w)
		return fmt.Sprintf("mov %s, %d", rm, d.int32())
	case 0xf6:
		rm := d.operand(1)
		return fmt.Sprintf("test %s, %d", rm, d.byte())
	case 0xf7:
		rm := d.operand(w)
		if d.reg&7 == 0 {
			return fmt.Sprintf("test %s, %d", rm, d.int32())
		}
		if d.reg&7 > 1 {
			return unaryNames[d.reg&7] + " " + rm
		}
	case 0xff:
		if d.reg&7 == 4 {
			return "jmp " + d.operand(8)
		}
	}
	return ""
}

func (d *decoder) shift(c uint8, w int) string {
	name := shiftNames[min(d.reg&7, uint8(SAR))]
	rm := d.operand(w)
	by := "cl"
	switch c {
	case 0xc1:
		by = fmt.Sprint(d.byte())
	case 0xd1:
		by = "1"
	}
	if name == "" {
		return ""
	}
	return fmt.Sprintf("%s %s, %s", name, rm, by)
}

func (d *decoder) imm(short bool) int32 {
	if short {
		return int32(int8(d.byte()))
	}
	return d.int32()
}

// escaped is an instruction whose opcode begins with 0F.
func (d *decoder) escaped(c uint8) string {
	w := d.width()
	switch {
	case c&0xf0 == 0x80:
		return "j" + condNames[c&15] + " " + d.target()
	case c&0xf8 == 0xc8:
		return "bswap " + register(w, c&7|d.b)
	}
	d.modRM()
	switch {
	case c&0xf0 == 0x40:
		return fmt.Sprintf("cmov%s %s, %s", condNames[c&15], register(w, d.reg), d.operand(w))
	case c&0xf0 == 0x90:
		return fmt.Sprintf("set%s %s", condNames[c&15], d.operand(1))
	}
	switch c {
	case 0x0d:
		return "prefetchw " + d.memory(1, "", 0)
	case 0x18:
		return "prefetcht0 " + d.memory(1, "", 0)
	case 0xae:
		switch {
		case d.mod == 3 && d.reg == 6:
			return "mfence"
		case d.mod == 3 && d.reg == 7:
			return "sfence"
		case d.reg&7 == 2:
			return "ldmxcsr " + d.operand(4)
		case d.reg&7 == 3:
			return "stmxcsr " + d.operand(4)
		}
	case 0xaf:
		return fmt.Sprintf("imul %s, %s", register(w, d.reg), d.operand(w))
	case 0xb1:
		return fmt.Sprintf("cmpxchg %s, %s", d.operand(w), register(w, d.reg))
	case 0xb6, 0xb7:
		return fmt.Sprintf("movzx %s, %s", register(w, d.reg), d.operand(1+int(c&1)))
	case 0xbe, 0xbf:
		return fmt.Sprintf("movsx %s, %s", register(w, d.reg), d.operand(1+int(c&1)))
	case 0xc1:
		return fmt.Sprintf("xadd %s, %s", d.operand(w), register(w, d.reg))
	}
	return ""
}

// opcodeKey is what tells vector instructions apart, but for widths and digits.
type opcodeKey struct {
	evex          bool
	table, pp, op uint8
}

// formed is a row with the form in which it is written.
type formed struct {
	*Row
	*form
}

var byOpcode = sync.OnceValue(func() map[opcodeKey][]formed {
	m := map[opcodeKey][]formed{}
	for i := range forms {
		f := &forms[i]
		for _, name := range strings.Fields(f.rows) {
			r := Rows[name]
			if r == nil {
				r = AVX2Rows[name]
			}
			if r.Enc&EVEX != 0 && !f.vexOnly {
				k := opcodeKey{true, r.Map, r.PP, r.Op}
				m[k] = append(m[k], formed{r, f})
			}
			if r.Enc&VEX != 0 || r.Enc&EVEX == 0 {
				if k := (opcodeKey{false, r.Map, r.PP, r.Op}); !f.evexOnly {
					m[k] = append(m[k], formed{r, f})
				}
			}
		}
	}
	return m
})
