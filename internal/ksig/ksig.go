// Package ksig describes what a kernel takes: the parameters of one entry, their sizes, classes and offsets.
//
// A Signature is read from the `.entry` header of PTX text (package ptx), which knows sizes, alignments and the
// float/integer class but no names and no pointee types. Where debug information of the same kernel was read, Source
// holds what it adds. A Signature is immutable after it was built and may be shared between goroutines.
package ksig

// Class says how the PTX `.param` type classifies a parameter (PTX ISA, Fundamental Types).
type Class uint8

const (
	// Unknown is a parameter of which only the size is known, as with images without PTX.
	Unknown Class = iota
	// Integer is .u8 to .u64, .s8 to .s64 and .b8 to .b64; device pointers are Integer parameters of eight bytes.
	Integer
	// Float is .f16, .f32 or .f64.
	Float
	// Aggregate is an array of bytes: a structure, union, vector or array passed by value.
	Aggregate
)

// String returns the class as error messages name it.
func (c Class) String() string {
	switch c {
	case Integer:
		return "integer"
	case Float:
		return "float"
	case Aggregate:
		return "aggregate"
	}
	return "unknown"
}

// Param is one parameter of a kernel.
type Param struct {
	// Name is the PTX name, such as f_param_0; it is unique within the signature.
	Name string
	// Offset is the byte offset in the parameter block: the previous parameter's end, rounded up to Align.
	Offset int
	// Size is the size in bytes.
	Size int
	// Align is the alignment in bytes, a power of two.
	Align int
	// Class is what PTX tells of the type.
	Class Class
	// Source is what debug information tells; nil when none was read.
	Source *Source
}

// Source is what the debug information of a kernel tells of one parameter.
type Source struct {
	// Name is the parameter's name in CUDA C++; empty if it has none there.
	Name string
	// Type describes its type.
	Type Type
}

// Kind is the kind of a source type.
type Kind uint8

// The kinds of source types that a caller's argument is compared with.
const (
	KindOther  Kind = iota
	KindInt         // signed integer of Type.Size bytes
	KindUint        // unsigned integer of Type.Size bytes; char follows the compiler's choice of signedness
	KindFloat       // floating point of Type.Size bytes
	KindBool        // bool
	KindPtr         // pointer or reference; Elem is the pointee, nil for void
	KindStruct      // structure, class or union; Fields holds its members
	KindArray       // array; Elem is the element, Len their number
	KindEnum        // enumeration of Type.Size bytes
)

// Type is a C++ type as debug information describes it. Pointers stop at the first pointee's members, so a Type is
// finite even where the source type refers to itself.
type Type struct {
	// Spelling is the type as C++ writes it, such as "const float *".
	Spelling string
	// Kind is the kind after typedefs and cv-qualifiers were removed.
	Kind Kind
	// Size is the size in bytes, 0 for void and incomplete types.
	Size int
	// Elem is the pointee or element type, nil if there is none.
	Elem *Type
	// Len is the number of elements of an array.
	Len int
	// Fields are the members of a structure in order of offset.
	Fields []Field
}

// Field is a member of a structure.
type Field struct {
	Name   string
	Offset int
	Type   Type
}

// Signature is what the header of one kernel tells.
type Signature struct {
	// Entry is the PTX symbol, mangled if the source was C++.
	Entry string
	// Params are the parameters in order.
	Params []Param
	// Size is the size of the parameter block in bytes: the end of the last parameter.
	Size int
	// MaxThreads is .maxntid, zero in each dimension that was not given.
	MaxThreads [3]int
	// ReqThreads is .reqntid, zero in each dimension that was not given.
	ReqThreads [3]int
}

// Lay sets Offset of each parameter and Size of the signature by the layout rule of kernel parameters: each begins at
// the next multiple of its alignment.
func (s *Signature) Lay() {
	off := 0
	for i := range s.Params {
		p := &s.Params[i]
		a := max(p.Align, 1)
		off = (off + a - 1) / a * a
		p.Offset = off
		off += p.Size
	}
	s.Size = off
}
