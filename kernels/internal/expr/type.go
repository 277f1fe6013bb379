// Package expr turns structures of element-wise expressions and reductions into CUDA C++, and keeps the ones that need no
// compiler at run time as embedded PTX.
//
// A Structure is what two expressions have in common when one kernel can serve both: operations and types, but neither
// shapes nor values. Fused, stepwise and embedded kernels are written by the same functions from the same prelude, and
// compiled without contraction, so that which of them ran cannot be seen in the bits of a result.
package expr

import "fmt"

// Type is an element type.
type Type uint8

// The element types, in the order in which NumPy promotes them.
const (
	Bool Type = iota
	Int8
	Uint8
	Int16
	Uint16
	Int32
	Uint32
	Int64
	Uint64
	Float16
	Float32
	Float64
	Complex64
	Complex128
	NumTypes int = iota
)

// typeInfo describes a type: the name in kernels and messages, C's type in memory and in registers, and its size in bytes.
var typeInfo = [NumTypes]struct {
	short, name, memory, register string
	size                          int
}{
	Bool:       {"b8", "bool", "u8", "bool", 1},
	Int8:       {"i8", "int8", "i8", "i8", 1},
	Uint8:      {"u8", "uint8", "u8", "u8", 1},
	Int16:      {"i16", "int16", "i16", "i16", 2},
	Uint16:     {"u16", "uint16", "u16", "u16", 2},
	Int32:      {"i32", "int32", "i32", "i32", 4},
	Uint32:     {"u32", "uint32", "u32", "u32", 4},
	Int64:      {"i64", "int64", "i64", "i64", 8},
	Uint64:     {"u64", "uint64", "u64", "u64", 8},
	Float16:    {"f16", "float16", "half16", "float", 2},
	Float32:    {"f32", "float32", "float", "float", 4},
	Float64:    {"f64", "float64", "double", "double", 8},
	Complex64:  {"c64", "complex64", "c64", "c64", 8},
	Complex128: {"c128", "complex128", "c128", "c128", 16},
}

// String returns Go's name of the type; float16 is array.Float16.
func (t Type) String() string { return typeInfo[t].name }

// Size is the size of an element in bytes.
func (t Type) Size() int { return typeInfo[t].size }

// short names the type in kernels.
func (t Type) short() string { return typeInfo[t].short }

// memory is the C type in memory, register the one that a value has in a kernel.
func (t Type) memory() string   { return typeInfo[t].memory }
func (t Type) register() string { return typeInfo[t].register }

// IsInteger, IsFloat, IsComplex and IsSigned classify types; bool is none of them.
func (t Type) IsInteger() bool { return t >= Int8 && t <= Uint64 }

// IsFloat reports a real floating point type.
func (t Type) IsFloat() bool { return t >= Float16 && t <= Float64 }

// IsComplex reports a complex type.
func (t Type) IsComplex() bool { return t == Complex64 || t == Complex128 }

// IsSigned reports a type with negative values that can be compared.
func (t Type) IsSigned() bool {
	return t == Int8 || t == Int16 || t == Int32 || t == Int64 || t.IsFloat()
}

// Part is the type of the real part of a complex type, and the type itself of any other.
func (t Type) Part() Type {
	switch t {
	case Complex64:
		return Float32
	case Complex128:
		return Float64
	}
	return t
}

// Types is a set of types.
type Types uint32

func setOf(member func(Type) bool) (s Types) {
	for t := range Type(NumTypes) {
		if member(t) {
			s |= 1 << t
		}
	}
	return s
}

// Has reports whether t is in the set.
func (s Types) Has(t Type) bool { return s>>t&1 != 0 }

// String lists the set.
func (s Types) String() string {
	out := ""
	for t := range Type(NumTypes) {
		if s.Has(t) {
			out += fmt.Sprintf(" %v", t)
		}
	}
	return out[min(1, len(out)):]
}

// The sets that operations are defined on.
var (
	anyType   = setOf(func(Type) bool { return true })
	numbers   = setOf(func(t Type) bool { return t != Bool })
	ordered   = setOf(func(t Type) bool { return !t.IsComplex() })
	reals     = setOf(func(t Type) bool { return t.IsInteger() || t.IsFloat() })
	integers  = setOf(Type.IsInteger)
	bitwise   = setOf(func(t Type) bool { return t == Bool || t.IsInteger() })
	floats    = setOf(Type.IsFloat)
	complexes = setOf(Type.IsComplex)
	analytic  = floats | complexes
	signed    = setOf(func(t Type) bool { return t.IsSigned() || t.IsComplex() })
)
