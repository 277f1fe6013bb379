package ir

// Type is the type of an operation or of a value.
//
// Operations carry the full type, as PTX instructions do (add.s32 and add.f32 differ in it). Values are bits: the type of
// a value is one of Pred, B16, B32, B64 and B128, whatever operation made it, so that f32 bits flow into an integer
// operation without a move. In a lane, a value narrower than 64 bits has zeroes above its width; Pred is 0 or 1.
type Type uint8

// The types. U, S, F and B are unsigned, signed, floating point and untyped bits; the number is the width.
const (
	Void Type = iota
	Pred
	U8
	S8
	B8
	U16
	S16
	B16
	F16
	BF16
	U32
	S32
	B32
	F32
	F16x2
	BF16x2
	U64
	S64
	B64
	F64
	B128
	numTypes
)

var typeInfo = [numTypes]struct {
	name  string
	bytes uint8
	kind  kind
}{
	Void: {"void", 0, kindNone}, Pred: {"pred", 0, kindPred},
	U8: {"u8", 1, kindUnsigned}, S8: {"s8", 1, kindSigned}, B8: {"b8", 1, kindBits},
	U16: {"u16", 2, kindUnsigned}, S16: {"s16", 2, kindSigned}, B16: {"b16", 2, kindBits},
	F16: {"f16", 2, kindFloat}, BF16: {"bf16", 2, kindFloat},
	U32: {"u32", 4, kindUnsigned}, S32: {"s32", 4, kindSigned}, B32: {"b32", 4, kindBits}, F32: {"f32", 4, kindFloat},
	F16x2: {"f16x2", 4, kindFloat}, BF16x2: {"bf16x2", 4, kindFloat},
	U64: {"u64", 8, kindUnsigned}, S64: {"s64", 8, kindSigned}, B64: {"b64", 8, kindBits}, F64: {"f64", 8, kindFloat},
	B128: {"b128", 16, kindBits},
}

type kind uint8

const (
	kindNone kind = iota
	kindPred
	kindUnsigned
	kindSigned
	kindFloat
	kindBits
)

// String returns the type as PTX spells it, without the dot.
func (t Type) String() string {
	if t < numTypes {
		return typeInfo[t].name
	}
	return "bad"
}

// Bytes is the size in memory, 0 for Void and Pred.
func (t Type) Bytes() int { return int(typeInfo[t].bytes) }

// Bits is the width in bits: 1 for Pred.
func (t Type) Bits() int {
	if t == Pred {
		return 1
	}
	return 8 * t.Bytes()
}

// Signed reports a signed integer type.
func (t Type) Signed() bool { return typeInfo[t].kind == kindSigned }

// Float reports a floating point type, packed ones included.
func (t Type) Float() bool { return typeInfo[t].kind == kindFloat }

// Integer reports a signed, unsigned or untyped-bits type.
func (t Type) Integer() bool {
	k := typeInfo[t].kind
	return k == kindSigned || k == kindUnsigned || k == kindBits
}

// Value returns the type of a value that holds a result of type t: eight-bit results live in 16 bits, as PTX has no
// eight-bit registers.
func (t Type) Value() Type {
	switch {
	case t == Pred || t == Void:
		return t
	case t.Bytes() <= 2:
		return B16
	case t.Bytes() == 4:
		return B32
	case t.Bytes() == 8:
		return B64
	}
	return B128
}

// ParseType finds a type by its name.
func ParseType(name string) (Type, bool) {
	for t := Void; t < numTypes; t++ {
		if typeInfo[t].name == name {
			return t, true
		}
	}
	return Void, false
}
