package ptx

import "strings"

// Module is one PTX text.
type Module struct {
	// Name is the file name for messages.
	Name string
	// Version, Target and AddressSize are the header; nil where the text has none.
	Version     *Version
	Target      *Target
	AddressSize *AddressSize
	// Decls are the other declarations in the order of the text.
	Decls []Decl
}

// Version is the .version directive.
type Version struct {
	Pos          Pos
	Major, Minor int
}

// Target is the .target directive: an architecture such as sm_75 and options such as debug or texmode_unified.
type Target struct {
	Pos   Pos
	Names []string
}

// AddressSize is the .address_size directive; Bits is 32 or 64 in legal text.
type AddressSize struct {
	Pos  Pos
	Bits int
}

// Decl is a declaration of module scope: *Var, *Func, *Alias, *File, *Section or *Directive.
type Decl interface {
	// At returns the position of the first token.
	At() Pos
	decl()
}

// Stmt is a statement of a function body: *Instr, *Label, *Var, *Block, *Loc, *Prototype, *Targets or *Directive.
type Stmt interface {
	// At returns the position of the first token.
	At() Pos
	stmt()
}

// File is the .file directive.
type File struct {
	Pos   Pos
	Index uint32
	// Path is the text between the quotes, escapes left as they are.
	Path string
	// Stamp is whether the directive gives Time (seconds) and Size (bytes) of the file.
	Stamp      bool
	Time, Size uint64
}

// Section is a .section block, as debug information comes. Raw is the text between its braces, not interpreted.
type Section struct {
	Pos  Pos
	Name string
	Raw  string
}

// Directive is a directive with a list of arguments: .pragma as statement or declaration, and the performance and ABI
// directives of functions (.maxntid, .reqntid, .minnctapersm, .maxnreg, .noreturn, ...).
type Directive struct {
	Pos  Pos
	Name string
	// Ints and Strings are the arguments; a directive has one kind only. Strings keep their escapes.
	Ints    []int64
	Strings []string
}

// Alias is ".alias Name, Target;".
type Alias struct {
	Pos          Pos
	Name, Target string
}

// Func is a .func or .entry, with Body nil for a declaration.
type Func struct {
	Pos, NamePos Pos
	Linkage      Linkage
	// Entry is whether this is a kernel.
	Entry bool
	Name  string
	// Attrs are .attribute(...) of the function.
	Attrs []Attr
	// Rets and Params are variables of space ParamSpace or RegSpace.
	Rets, Params []*Var
	// Directives stand between the parameters and the body.
	Directives []*Directive
	Body       *Block
}

// Directive returns the first directive of that name (without dot), nil if there is none.
func (f *Func) Directive(name string) *Directive {
	for _, d := range f.Directives {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// Var declares one variable, parameter, register or range of registers; a list of names is one Var for each.
type Var struct {
	Pos, NamePos Pos
	Linkage      Linkage
	Space        Space
	Attrs        []Attr
	// Align is .align in bytes, 0 if none was given.
	Align int
	// Vec is 2, 4 or 8 for .v2, .v4, .v8, else 0.
	Vec  int
	Type Type
	// Ptr is the .ptr annotation of a kernel parameter, nil if there is none.
	Ptr *Ptr
	// Name is the name as declared; with Ranged it is the prefix of the names Name0 to Name<Count-1>.
	Name   string
	Ranged bool
	Count  int
	// Dims are the array dimensions, Unsized for []; nil for a scalar or vector.
	Dims []int64
	// Init is the initialiser, nil if there is none.
	Init *Init
}

// Unsized stands in Dims for an empty pair of brackets.
const Unsized = -1

// ElemSize is the size in bytes of one element: a scalar, or the vector of .v2 and .v4.
func (v *Var) ElemSize() int { return v.Type.Size() * max(v.Vec, 1) }

// Len is the number of elements of all dimensions together: 1 for a scalar, 0 if the first dimension is unsized and no
// initialiser is counted. ok is false if the product does not fit into 62 bits.
func (v *Var) Len() (n int64, ok bool) {
	n = 1
	for _, d := range v.Dims {
		switch {
		case d <= 0:
			return 0, true
		case n > (1<<62)/d:
			return 0, false
		}
		n *= d
	}
	return n, true
}

// Alignment is Align, or the natural alignment of an element if none was given, in bytes.
func (v *Var) Alignment() int {
	if v.Align > 0 {
		return v.Align
	}
	return max(v.ElemSize(), 1)
}

// Ptr is the .ptr annotation: where a pointer parameter points to and how that is aligned.
type Ptr struct {
	// Space is Generic if none was given.
	Space Space
	// Align is in bytes, 0 if none was given (PTX then assumes 4).
	Align int
}

// Attr is one attribute, such as managed or unified(19, 95).
type Attr struct {
	Name string
	Args []uint64
}

// InitKind says what an initialiser is.
type InitKind uint8

// The kinds of initialisers.
const (
	InitInt     InitKind = iota // Val, two's complement
	InitFloat32                 // Val: bits of an IEEE single, written 0f
	InitFloat64                 // Val: bits of an IEEE double, written 0d or in decimal
	InitSymbol                  // address of Name plus Val; Generic: generic(Name); Mask: the byte that a mask picks
	InitList                    // Elems
	InitField                   // Name = Elems[0], in a .samplerref or .texref
)

// Init is an initialiser or a part of one.
type Init struct {
	Pos  Pos
	Kind InitKind
	// Generic is whether the address is a generic one.
	Generic bool
	// Unsigned is whether an integer is of type .u64.
	Unsigned bool
	Name     string
	Val      uint64
	// Mask is 0 or the mask before a symbol in parentheses, such as 0xFF00 for 0xFF00(a).
	Mask  uint64
	Elems []Init
}

// Block is a function body or a scope within it.
type Block struct {
	// Pos and End are the positions of the braces.
	Pos, End Pos
	Stmts    []Stmt
}

// Label is "Name:".
type Label struct {
	Pos  Pos
	Name string
}

// Loc is a .loc directive: a position in the source that the PTX was made from.
type Loc struct {
	Pos             Pos
	File, Line, Col uint32
	// Func is the label in a debug section where the name of the inlined function stands, FuncOffset is added to it;
	// "" where nothing was inlined.
	Func       string
	FuncOffset int64
	// InlinedAt is where the inlined call stands; File, Line and Col only. Nil where nothing was inlined.
	InlinedAt *Loc
}

// Prototype is "Name: .callprototype ...".
type Prototype struct {
	Pos          Pos
	Name         string
	Rets, Params []*Var
	Directives   []*Directive
}

// Targets is "Name: .branchtargets ..." or "Name: .calltargets ...".
type Targets struct {
	Pos   Pos
	Name  string
	Calls bool
	Names []string
	// At is where each name stands.
	Places []Pos
}

// Opcode is the dotted name of an instruction. Instructions of one text with the same name share one Opcode.
type Opcode struct {
	// Name is the whole, such as "ld.volatile.global.v4.f32".
	Name string
	// Op is what stands before the first dot.
	Op string
	// Mods is what stands after each dot; "shared::cta" is one modifier.
	Mods []string
}

// NewOpcode splits a dotted name.
func NewOpcode(name string) *Opcode {
	parts := strings.Split(name, ".")
	return &Opcode{Name: name, Op: parts[0], Mods: parts[1:]}
}

// Instr is one instruction.
type Instr struct {
	Pos Pos
	*Opcode
	// Guard is the predicate register after @, "" if there is none; GuardNeg is whether @! stands before it.
	Guard    string
	GuardNeg bool
	GuardPos Pos
	// Operands are the operands; nil for a call.
	Operands []Operand
	// Call is what a call has instead of Operands.
	Call *Call
	// Loc is the .loc in force, nil if there is none.
	Loc *Loc
}

// Call is what follows the opcode of a call.
type Call struct {
	// Rets and Args are the return values and arguments; HasArgs tells () from nothing.
	Rets, Args []Operand
	HasArgs    bool
	// Target is a function name or a register.
	Target Operand
	// Proto is the label of a prototype or list of targets, "" if there is none.
	Proto    string
	ProtoPos Pos
}

// Kind says what an operand is, as far as syntax tells.
type Kind uint8

// The kinds of operands.
const (
	KindName    Kind = iota // Name[.Sel] [+ Val]: register, special register, variable, function, label or _
	KindIndex               // Name[Val]: an element of an array
	KindInt                 // Val: an integer constant
	KindFloat32             // Val: bits of an IEEE single, written 0f
	KindFloat64             // Val: bits of an IEEE double, written 0d or in decimal
	KindVector              // {Elems}
	KindAddress             // [Name.Sel + Val, Elems...]; Name is "" for an absolute address
	KindPair                // Elems[0] | Elems[1]
)

// Operand is one operand.
type Operand struct {
	Pos  Pos
	Kind Kind
	// Not is ! before a name, Minus is - before a name.
	Not, Minus bool
	// Unsigned is whether an integer constant is of type .u64 (PTX ISA, Integer Constants).
	Unsigned bool
	Name     string
	// Sel is a component of a vector or special register, or a part of a register (b0 to b3, h0, h1).
	Sel string
	// Val is a constant, an index, or the offset in bytes that is added to a name (two's complement).
	Val   uint64
	Elems []Operand
}

// At returns the position of the first token.
func (d *Var) At() Pos { return d.Pos }

// At returns the position of the first token.
func (d *Func) At() Pos { return d.Pos }

// At returns the position of the first token.
func (d *Alias) At() Pos { return d.Pos }

// At returns the position of the first token.
func (d *File) At() Pos { return d.Pos }

// At returns the position of the first token.
func (d *Section) At() Pos { return d.Pos }

// At returns the position of the first token.
func (d *Directive) At() Pos { return d.Pos }

// At returns the position of the first token.
func (s *Instr) At() Pos { return s.Pos }

// At returns the position of the first token.
func (s *Label) At() Pos { return s.Pos }

// At returns the position of the first token.
func (s *Block) At() Pos { return s.Pos }

// At returns the position of the first token.
func (s *Loc) At() Pos { return s.Pos }

// At returns the position of the first token.
func (s *Prototype) At() Pos { return s.Pos }

// At returns the position of the first token.
func (s *Targets) At() Pos { return s.Pos }

func (*Var) decl()       {}
func (*Func) decl()      {}
func (*Alias) decl()     {}
func (*File) decl()      {}
func (*Section) decl()   {}
func (*Directive) decl() {}

func (*Instr) stmt()     {}
func (*Label) stmt()     {}
func (*Var) stmt()       {}
func (*Block) stmt()     {}
func (*Loc) stmt()       {}
func (*Prototype) stmt() {}
func (*Targets) stmt()   {}
func (*Directive) stmt() {}
