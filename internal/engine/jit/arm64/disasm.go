package arm64

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Decode is the text of an instruction that this package emits, in the syntax of GNU as; jumps and addresses of labels name
// offsets in the code as $+N or $-N from the instruction. It is empty for others.
func Decode(w uint32) string {
	if text := special(w); text != "" {
		return text
	}
	for _, p := range patterns()[w>>24] {
		if w&^p.operands == p.word {
			if text := p.text(w, p.Row); text != "" {
				return text
			}
		}
	}
	return ""
}

// pattern is one form of a row: the bits that operands take, and what they say.
type pattern struct {
	*Row
	operands, word uint32
	text           func(w uint32, r *Row) string
}

const (
	regsD   = 0x1f
	regsND  = 0x3ff
	regsMND = 0x1f03ff
	bitSF   = 1 << 31
)

// patterns are all forms, by the upper byte of the instruction.
var patterns = sync.OnceValue(func() map[uint32][]pattern {
	all := map[uint32][]pattern{}
	add := func(r *Row, word, operands uint32, text func(w uint32, r *Row) string) {
		word &^= operands
		seen := map[uint32]bool{}
		for _, high := range []uint32{word, word | operands} { // operands have the top bit of the upper byte, or none
			if b := high >> 24; !seen[b] {
				seen[b] = true
				all[b] = append(all[b], pattern{r, operands, word, text})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(Rows)) {
		r := Rows[name]
		switch {
		case r.D == "" && r.N == "" && r.Size > 0:
			add(r, r.Word, 0x3fffff, scaled)
			add(r, r.Word&^(1<<24), 0x1ff3ff, unscaled)
			add(r, r.Word&^(1<<24)|1<<21|3<<13|1<<11, regsMND, indexed)
		case r.D == "" && r.N == "":
			g := generalForms[r.Name]
			if r.Word>>24&0x1f == 0x11 {
				g = generalForm{0x3fffff | bitSF, immediate}
			}
			if g.text == nil {
				g = generalForm{regsMND | bitSF, threeRegs}
			}
			add(r, r.Word, g.operands, g.text)
		case r.M != "":
			add(r, r.Word, regsMND, func(w uint32, r *Row) string {
				return fmt.Sprintf("%s %s, %s, %s", r.Name, vector(w, r.D), vector(w>>5, r.N), vector(w>>16, r.M))
			})
		case r.D != "" && r.N != "" && r.Size == 0:
			add(r, r.Word, regsND, func(w uint32, r *Row) string {
				return fmt.Sprintf("%s %s, %s", r.Name, vector(w, r.D), vector(w>>5, r.N))
			})
		case r.D != "" && r.N != "" && r.Name != "dup":
			add(r, r.Word, 0x7f03ff, shifted)
		default:
			add(r, r.Word, regsMND, lanes)
		}
	}
	return all
})

// generalForm says what of an instruction on general registers are operands.
type generalForm struct {
	operands uint32
	text     func(w uint32, r *Row) string
}

// generalForms are those, by name, that have not three registers, or an immediate of 12 bits.
var generalForms = map[string]generalForm{
	"clz": {regsND | bitSF, func(w uint32, r *Row) string {
		return fmt.Sprintf("%s %s, %s", r.Name, general(w, w), general(w, w>>5))
	}},
	"madd":   {regsMND | 0x7c00 | bitSF, multiplied},
	"msub":   {regsMND | 0x7c00 | bitSF, multiplied},
	"smaddl": {regsMND | 0x7c00 | bitSF, multiplied},
	"umaddl": {regsMND | 0x7c00 | bitSF, multiplied},
	"csel":   {regsMND | 0xf000 | bitSF, chosen},
	"csinc":  {regsMND | 0xf000 | bitSF, chosen},
	"csinv":  {regsMND | 0xf000 | bitSF, chosen},
	"ubfm":   {0x7fffff | bitSF, field},
	"sbfm":   {0x7fffff | bitSF, field},
}

var condNames = [...]string{"eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al", "nv"}

// general is a general register in the low bits of n, as wide as the top bit of w says.
func general(w, n uint32) string { return named(w>>31 != 0, n) }

func named(wide bool, n uint32) string {
	c, n := "w", n&31
	if wide {
		c = "x"
	}
	if n == 31 {
		return c + "zr"
	}
	return fmt.Sprintf("%s%d", c, n)
}

// vector is a vector register in the low bits of n.
func vector(n uint32, arrangement string) string {
	if len(arrangement) == 1 {
		return fmt.Sprintf("%s%d", arrangement, n&31)
	}
	return fmt.Sprintf("v%d.%s", n&31, arrangement)
}

func threeRegs(w uint32, r *Row) string {
	if r == ORR && w>>5&31 == 31 {
		return fmt.Sprintf("mov %s, %s", general(w, w), general(w, w>>16))
	}
	return fmt.Sprintf("%s %s, %s, %s", r.Name, general(w, w), general(w, w>>5), general(w, w>>16))
}

func multiplied(w uint32, r *Row) string {
	wide := w>>31 != 0
	factor := wide && !strings.HasSuffix(r.Name, "l") // what ends with l has narrow factors
	return fmt.Sprintf("%s %s, %s, %s, %s", r.Name, named(wide, w), named(factor, w>>5), named(factor, w>>16), named(wide, w>>10))
}

func chosen(w uint32, r *Row) string {
	return fmt.Sprintf("%s %s, %s, %s, %s", r.Name, general(w, w), general(w, w>>5), general(w, w>>16), condNames[w>>12&15])
}

func field(w uint32, r *Row) string {
	if w>>31 != w>>22&1 {
		return ""
	}
	return fmt.Sprintf("%s %s, %s, #%d, #%d", r.Name, general(w, w), general(w, w>>5), w>>16&63, w>>10&63)
}

func immediate(w uint32, r *Row) string {
	return fmt.Sprintf("%s %s, %s, #%d", r.Name, general(w, w), general(w, w>>5), w>>10&0xfff)
}

// transferred is the register that a load or store names.
func transferred(w uint32, r *Row) string {
	if r.Word>>26&1 != 0 { // a vector register
		return fmt.Sprintf("%c%d", "bhsdq"[log2(r.Size)], w&31)
	}
	return named(r.Size == 8 || r.Word>>22&3 == 2, w)
}

func log2(n uint8) (k int) {
	for ; n > 1; n /= 2 {
		k++
	}
	return k
}

func scaled(w uint32, r *Row) string {
	return fmt.Sprintf("%s %s, [%s, #%d]", r.Name, transferred(w, r), named(true, w>>5), w>>10&0xfff*uint32(r.Size))
}

func unscaled(w uint32, r *Row) string {
	name := strings.Replace(strings.Replace(r.Name, "ldr", "ldur", 1), "str", "stur", 1)
	return fmt.Sprintf("%s %s, [%s, #%d]", name, transferred(w, r), named(true, w>>5), int32(w<<11)>>23)
}

func indexed(w uint32, r *Row) string {
	return fmt.Sprintf("%s %s, [%s, %s]", r.Name, transferred(w, r), named(true, w>>5), named(true, w>>16))
}

func shifted(w uint32, r *Row) string {
	at, bits := w>>16&0x7f, 8*uint32(r.Size)
	if at < bits || at >= 2*bits {
		return ""
	}
	n := at - bits
	if r.Right {
		n = 2*bits - at
	}
	return fmt.Sprintf("%s %s, %s, #%d", r.Name, vector(w, r.D), vector(w>>5, r.N), n)
}

// lanes is a move from or to one element, or to all.
func lanes(w uint32, r *Row) string {
	imm := w >> 16 & 31
	if imm&-imm != uint32(r.Size) {
		return ""
	}
	i, wide := imm/(2*uint32(r.Size)), r.Size == 8
	switch {
	case r.Name == "dup" && r.N != "":
		return fmt.Sprintf("dup %s, v%d.%s[%d]", vector(w, r.D), w>>5&31, r.N, i)
	case r.Name == "dup":
		return fmt.Sprintf("dup %s, %s", vector(w, r.D), named(wide, w>>5))
	case r.N != "":
		return fmt.Sprintf("%s %s, v%d.%s[%d]", r.Name, named(wide || r == SMOVS, w), w>>5&31, r.N, i)
	}
	return fmt.Sprintf("%s v%d.%s[%d], %s", r.Name, w&31, r.D, i, named(wide, w>>5))
}

// special is the text of instructions that are in no table.
func special(w uint32) string {
	switch w {
	case 0xd65f03c0:
		return "ret"
	case 0xd5033bbf:
		return "dmb ish"
	case 0xd5033f5f:
		return "clrex"
	}
	branch19 := int32(w<<8) >> 13 << 2
	switch {
	case w&^uint32(0x3e0) == 0xd61f0000:
		return "br " + named(true, w>>5)
	case w&^regsD == 0xd51b4400:
		return "msr fpcr, " + named(true, w)
	case w&^regsD == 0x6f00e400:
		return fmt.Sprintf("movi v%d.2d, #0", w&31)
	case w&0xff800000 == 0xd2800000, w&0xff800000 == 0xf2800000:
		return wideMove(w)
	case w>>26 == 5:
		return fmt.Sprintf("b $%+d", int32(w<<6)>>4)
	case w>>24 == 0x54 && w&16 == 0:
		return fmt.Sprintf("b.%s $%+d", condNames[w&15], branch19)
	case w&0x7f000000 == 0x34000000:
		return fmt.Sprintf("cbz %s, $%+d", general(w, w), branch19)
	case w&0x7f000000 == 0x35000000:
		return fmt.Sprintf("cbnz %s, $%+d", general(w, w), branch19)
	case w&0x9f000000 == 0x10000000:
		return fmt.Sprintf("adr %s, $%+d", named(true, w), branch19|int32(w>>29&3))
	case w&^(regsND|1<<30) == 0x885ffc00:
		return fmt.Sprintf("ldaxr %s, [%s]", named(w>>30&1 != 0, w), named(true, w>>5))
	case w&^(regsMND|1<<30) == 0x8800fc00:
		return fmt.Sprintf("stlxr %s, %s, [%s]", named(false, w>>16), named(w>>30&1 != 0, w), named(true, w>>5))
	}
	return ""
}

// wideMove is a move of 16 bits.
func wideMove(w uint32) string {
	name, shift := "movz", ""
	if w>>29&1 != 0 {
		name = "movk"
	}
	if hw := w >> 21 & 3; hw != 0 {
		shift = fmt.Sprintf(", lsl #%d", 16*hw)
	}
	return fmt.Sprintf("%s %s, #%d%s", name, named(true, w), w>>5&0xffff, shift)
}
