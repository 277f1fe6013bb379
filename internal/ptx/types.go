package ptx

// Type is a PTX type: a fundamental type, a packed type, an alternate floating-point format or an opaque type (PTX ISA,
// State Spaces, Types, and Variables). Some are legal only as instruction modifiers.
type Type uint8

// The types, named as PTX names them.
const (
	NoType Type = iota
	Pred
	B1
	B4
	B8
	B16
	B32
	B64
	B128
	U2
	U4
	U8
	U16
	U32
	U64
	S2
	S4
	S8
	S16
	S32
	S64
	F16
	F32
	F64
	BF16
	TF32
	F16x2
	F32x2
	BF16x2
	U8x4
	S8x4
	U16x2
	S16x2
	E4M3
	E5M2
	E2M1
	E2M3
	E3M2
	UE8M0
	UE4M3
	E4M3x2
	E5M2x2
	E2M1x2
	E2M3x2
	E3M2x2
	UE8M0x2
	E4M3x4
	E5M2x4
	E2M1x4
	E2M3x4
	E3M2x4
	TexRef
	SamplerRef
	SurfRef
)

// TypeClass says what the bits of a type mean.
type TypeClass uint8

// The classes of types.
const (
	NoClass    TypeClass = iota
	Bits                 // .b8 to .b128: untyped
	Unsigned             // .u8 to .u64 and packed forms
	Signed               // .s8 to .s64 and packed forms
	Float                // floating-point formats, packed forms included
	Predicate            // .pred
	OpaqueType           // .texref, .samplerref, .surfref
)

type typeInfo struct {
	name  string
	bits  int
	class TypeClass
}

var types = [...]typeInfo{
	NoType:     {"", 0, NoClass},
	Pred:       {"pred", 1, Predicate},
	B1:         {"b1", 1, Bits},
	B4:         {"b4", 4, Bits},
	B8:         {"b8", 8, Bits},
	B16:        {"b16", 16, Bits},
	B32:        {"b32", 32, Bits},
	B64:        {"b64", 64, Bits},
	B128:       {"b128", 128, Bits},
	U2:         {"u2", 2, Unsigned},
	U4:         {"u4", 4, Unsigned},
	U8:         {"u8", 8, Unsigned},
	U16:        {"u16", 16, Unsigned},
	U32:        {"u32", 32, Unsigned},
	U64:        {"u64", 64, Unsigned},
	S2:         {"s2", 2, Signed},
	S4:         {"s4", 4, Signed},
	S8:         {"s8", 8, Signed},
	S16:        {"s16", 16, Signed},
	S32:        {"s32", 32, Signed},
	S64:        {"s64", 64, Signed},
	F16:        {"f16", 16, Float},
	F32:        {"f32", 32, Float},
	F64:        {"f64", 64, Float},
	BF16:       {"bf16", 16, Float},
	TF32:       {"tf32", 32, Float},
	F16x2:      {"f16x2", 32, Float},
	F32x2:      {"f32x2", 64, Float},
	BF16x2:     {"bf16x2", 32, Float},
	U8x4:       {"u8x4", 32, Unsigned},
	S8x4:       {"s8x4", 32, Signed},
	U16x2:      {"u16x2", 32, Unsigned},
	S16x2:      {"s16x2", 32, Signed},
	E4M3:       {"e4m3", 8, Float},
	E5M2:       {"e5m2", 8, Float},
	E2M1:       {"e2m1", 4, Float},
	E2M3:       {"e2m3", 6, Float},
	E3M2:       {"e3m2", 6, Float},
	UE8M0:      {"ue8m0", 8, Float},
	UE4M3:      {"ue4m3", 8, Float},
	E4M3x2:     {"e4m3x2", 16, Float},
	E5M2x2:     {"e5m2x2", 16, Float},
	E2M1x2:     {"e2m1x2", 8, Float},
	E2M3x2:     {"e2m3x2", 16, Float},
	E3M2x2:     {"e3m2x2", 16, Float},
	UE8M0x2:    {"ue8m0x2", 16, Float},
	E4M3x4:     {"e4m3x4", 32, Float},
	E5M2x4:     {"e5m2x4", 32, Float},
	E2M1x4:     {"e2m1x4", 16, Float},
	E2M3x4:     {"e2m3x4", 32, Float},
	E3M2x4:     {"e3m2x4", 32, Float},
	TexRef:     {"texref", 64, OpaqueType},
	SamplerRef: {"samplerref", 64, OpaqueType},
	SurfRef:    {"surfref", 64, OpaqueType},
}

var typeByName = func() map[string]Type {
	m := make(map[string]Type, len(types))
	for t, info := range types {
		if info.name != "" {
			m[info.name] = Type(t)
		}
	}
	return m
}()

// TypeNamed returns the type with a name such as "f32", NoType if there is none.
func TypeNamed(name string) Type { return typeByName[name] }

// String returns the name without a dot, such as "f32"; "" for NoType.
func (t Type) String() string { return types[t].name }

// Bits returns the width in bits; 0 for NoType, 1 for .pred.
func (t Type) Bits() int { return types[t].bits }

// Size returns the size in memory in bytes; 0 for types that have no place in memory (.pred and types below a byte).
func (t Type) Size() int { return types[t].bits / 8 }

// Class returns what the bits mean.
func (t Type) Class() TypeClass { return types[t].class }

// Integer reports whether t is signed or unsigned.
func (t Type) Integer() bool { c := types[t].class; return c == Unsigned || c == Signed }

// Space is a state space (PTX ISA, State Spaces).
type Space uint8

// The state spaces. Generic is what an access without a space names.
const (
	Generic Space = iota
	RegSpace
	ConstSpace
	GlobalSpace
	LocalSpace
	ParamSpace
	SharedSpace
	TexSpace
)

var spaceNames = [...]string{
	Generic: "", RegSpace: "reg", ConstSpace: "const", GlobalSpace: "global", LocalSpace: "local",
	ParamSpace: "param", SharedSpace: "shared", TexSpace: "tex",
}

// String returns the name without a dot, such as "global"; "" for Generic.
func (s Space) String() string { return spaceNames[s] }

// SpaceNamed returns the space with a name such as "global", and whether there is one.
func SpaceNamed(name string) (Space, bool) {
	for s := RegSpace; s <= TexSpace; s++ {
		if spaceNames[s] == name {
			return s, true
		}
	}
	return Generic, false
}

// Linkage is the linking directive of a variable or function (PTX ISA, Linking Directives).
type Linkage uint8

// The linking directives.
const (
	Internal Linkage = iota
	Visible
	Extern
	Weak
	Common
)

var linkageNames = [...]string{Internal: "", Visible: "visible", Extern: "extern", Weak: "weak", Common: "common"}

// String returns the directive without a dot; "" for Internal.
func (l Linkage) String() string { return linkageNames[l] }

func linkageNamed(name string) Linkage {
	for l := Visible; l <= Common; l++ {
		if linkageNames[l] == name {
			return l
		}
	}
	return Internal
}
