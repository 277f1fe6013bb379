package intmath

import "math/bits"

// BfeU32 extracts the field of length bits from bit pos on, zero-extended; bits above bit 31 read as zero. Only the low
// eight bits of pos and length count (PTX ISA, bfe.u32).
func BfeU32(a, pos, length uint32) uint32 {
	pos, length = pos&0xff, length&0xff
	return a >> pos & (1<<length - 1)
}

// BfeS32 is BfeU32 sign-extended: bits beyond the field, or beyond bit 31, are copies of the field's last bit, or of bit 31
// where the field reaches past it; an empty field is 0 (PTX ISA, bfe.s32).
func BfeS32(a int32, pos, length uint32) int32 {
	pos, length = pos&0xff, length&0xff
	switch {
	case length == 0:
		return 0
	case pos+length >= 32:
		return a >> pos
	}
	return a << (32 - pos - length) >> (32 - length)
}

// BfeU64 is BfeU32 for 64 bits (PTX ISA, bfe.u64).
func BfeU64(a uint64, pos, length uint32) uint64 {
	pos, length = pos&0xff, length&0xff
	return a >> pos & (1<<length - 1)
}

// BfeS64 is BfeS32 for 64 bits (PTX ISA, bfe.s64).
func BfeS64(a int64, pos, length uint32) int64 {
	pos, length = pos&0xff, length&0xff
	switch {
	case length == 0:
		return 0
	case pos+length >= 64:
		return a >> pos
	}
	return a << (64 - pos - length) >> (64 - length)
}

// Bfi32 returns b with the low length bits of a in place of its bits from pos on; what would lie above bit 31 is dropped.
// Only the low eight bits of pos and length count (PTX ISA, bfi.b32).
func Bfi32(a, b, pos, length uint32) uint32 {
	pos, length = pos&0xff, length&0xff
	mask := uint32(1<<length-1) << pos
	return b&^mask | a<<pos&mask
}

// Bfi64 is Bfi32 for 64 bits (PTX ISA, bfi.b64).
func Bfi64(a, b uint64, pos, length uint32) uint64 {
	pos, length = pos&0xff, length&0xff
	mask := uint64(1<<length-1) << pos
	return b&^mask | a<<pos&mask
}

// notFound is the result of bfind and fns when there is no such bit.
const notFound = 0xffffffff

// BfindU32 returns the position of the highest one bit, 0xffffffff for none (PTX ISA, bfind.u32). With shiftAmount the
// result is instead the left shift that brings the bit to the top (.shiftamt).
func BfindU32(a uint32, shiftAmount bool) uint32 {
	switch {
	case a == 0:
		return notFound
	case shiftAmount:
		return uint32(bits.LeadingZeros32(a))
	}
	return uint32(31 - bits.LeadingZeros32(a))
}

// BfindS32 is BfindU32 for the highest bit that differs from the sign (PTX ISA, bfind.s32).
func BfindS32(a int32, shiftAmount bool) uint32 { return BfindU32(uint32(a^a>>31), shiftAmount) }

// BfindU64 is BfindU32 for 64 bits (PTX ISA, bfind.u64).
func BfindU64(a uint64, shiftAmount bool) uint32 {
	switch {
	case a == 0:
		return notFound
	case shiftAmount:
		return uint32(bits.LeadingZeros64(a))
	}
	return uint32(63 - bits.LeadingZeros64(a))
}

// BfindS64 is BfindS32 for 64 bits (PTX ISA, bfind.s64).
func BfindS64(a int64, shiftAmount bool) uint32 { return BfindU64(uint64(a^a>>63), shiftAmount) }

// Fns returns the position of the n-th set bit of mask: for n > 0 counting upwards from base, which counts itself, for
// n < 0 downwards; for n = 0 base itself if its bit is set. 0xffffffff means none (PTX ISA, fns.b32).
func Fns(mask, base uint32, n int32) uint32 {
	if base > 31 {
		return notFound
	}
	step, count := 1, int64(n)
	switch {
	case n == 0:
		if mask>>base&1 == 1 {
			return base
		}
		return notFound
	case n < 0:
		step, count = -1, -count
	}
	for pos := int(base); pos >= 0 && pos < 32; pos += step {
		if mask>>pos&1 == 1 {
			if count--; count == 0 {
				return uint32(pos)
			}
		}
	}
	return notFound
}

// ShfL returns the upper word of {b, a} shifted left by n, where b is the upper word. wrap takes n modulo 32, else it is
// clamped to 32 (PTX ISA, shf.l.wrap and shf.l.clamp).
func ShfL(a, b, n uint32, wrap bool) uint32 {
	n = shfAmount(n, wrap)
	return b<<n | a>>(32-n)
}

// ShfR returns the lower word of {b, a} shifted right by n, where b is the upper word (PTX ISA, shf.r.wrap and .clamp).
func ShfR(a, b, n uint32, wrap bool) uint32 {
	n = shfAmount(n, wrap)
	return b<<(32-n) | a>>n
}

func shfAmount(n uint32, wrap bool) uint32 {
	if wrap {
		return n & 31
	}
	return min(n, 32)
}

// Lop3 applies a Boolean function of three operands to each bit: the bit of table at index 4·a + 2·b + c (PTX ISA,
// lop3.b32).
func Lop3(a, b, c uint32, table uint8) uint32 {
	var d uint32
	for i := range 8 {
		if table>>i&1 == 0 {
			continue
		}
		term := ^uint32(0)
		for k, x := range [...]uint32{c, b, a} {
			if i>>k&1 == 0 {
				x = ^x
			}
			term &= x
		}
		d |= term
	}
	return d
}

// PrmtMode selects how prmt reads its selector (PTX ISA, prmt).
type PrmtMode uint8

// The modes: the selector's four nibbles, or a pattern chosen by its low two bits.
const (
	PrmtDefault PrmtMode = iota // each nibble picks a byte of {b, a}; its top bit replicates that byte's sign
	PrmtF4E                     // four bytes forward from byte n
	PrmtB4E                     // four bytes backward from byte n
	PrmtRC8                     // byte n four times
	PrmtECL                     // edge clamp left
	PrmtECR                     // edge clamp right
	PrmtRC16                    // half-word n twice
)

// prmtPatterns holds for each mode and value of the selector's low two bits the equivalent default selector.
var prmtPatterns = [...][4]uint32{
	PrmtF4E:  {0x3210, 0x4321, 0x5432, 0x6543},
	PrmtB4E:  {0x5670, 0x6701, 0x7012, 0x0123},
	PrmtRC8:  {0x0000, 0x1111, 0x2222, 0x3333},
	PrmtECL:  {0x3210, 0x3211, 0x3222, 0x3333},
	PrmtECR:  {0x0000, 0x1110, 0x2210, 0x3210},
	PrmtRC16: {0x1010, 0x3232, 0x1010, 0x3232},
}

// Prmt picks four bytes of {b, a}, where a holds bytes 0 to 3 and b bytes 4 to 7 (PTX ISA, prmt.b32).
func Prmt(a, b, selector uint32, mode PrmtMode) uint32 {
	if mode != PrmtDefault && int(mode) < len(prmtPatterns) {
		selector = prmtPatterns[mode][selector&3]
	}
	source := uint64(b)<<32 | uint64(a)
	var d uint32
	for i := 0; i < 32; i += 8 {
		nibble := selector >> (i / 2) & 0xf
		x := uint32(source>>(nibble&7*8)) & 0xff
		if nibble&8 != 0 {
			x = -(x >> 7) & 0xff
		}
		d |= x << i
	}
	return d
}
