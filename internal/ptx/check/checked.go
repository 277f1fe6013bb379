package check

import "github.com/tandem-go/tandem/internal/ptx"

// Checked is a module in which Check found nothing to reject. It is immutable and may be shared between goroutines; it
// refers to the tree, which must not change either.
type Checked struct {
	Module *ptx.Module
	// Arch is the number in .target sm_75, Debug whether the target has the option debug.
	Arch  int
	Debug bool
	// AddressBits is 32 or 64; PTX assumes 32 where .address_size is missing.
	AddressBits int
	// Vars are the variables of module scope in order. A declaration and the definition that resolves it are one Var.
	Vars []*Var
	// Funcs are the functions and kernels in order of their first mention, with or without a body.
	Funcs []*Func

	vars  map[string]*Var
	funcs map[string]*Func
}

// Var returns the variable of module scope with that name, nil if there is none.
func (c *Checked) Var(name string) *Var { return c.vars[name] }

// Func returns the function or kernel with that name, nil if there is none.
func (c *Checked) Func(name string) *Func { return c.funcs[name] }

// Var is one variable in a space other than .reg, or one parameter.
type Var struct {
	// Decl is its declaration; the definition where there is one.
	Decl *ptx.Var
	Name string
	// Func is the function whose scope or parameter list it stands in, nil at module scope.
	Func  *Func
	Space ptx.Space
	// Size and Align are in bytes. Size is 0 for an array without size (dynamic shared memory).
	Size  int64
	Align int
	// Data are the initialised bytes, little endian; the rest up to Size is zero. Nil if nothing is initialised.
	Data []byte
	// Relocs are addresses to be stored in Data, in order of Offset; Data holds zeros there.
	Relocs []Reloc
	// Reg is the register of a parameter in the .reg space, NoReg for all others.
	Reg RegID
}

// Unsized reports whether v is an array whose size the launch gives.
func (v *Var) Unsized() bool { return len(v.Decl.Dims) > 0 && v.Size == 0 }

// Managed reports whether v has .attribute(.managed).
func (v *Var) Managed() bool {
	for _, a := range v.Decl.Attrs {
		if a.Name == "managed" {
			return true
		}
	}
	return false
}

// Reloc is an address within a variable's data.
type Reloc struct {
	// Offset is where in Data, Size how many bytes: those of the address, or 1 with Mask.
	Offset, Size int
	// Var or Func is what the address is of, and Addend is added to it.
	Var    *Var
	Func   *Func
	Addend int64
	// Generic is whether it is a generic address; else it is one in the space of Var.
	Generic bool
	// Shift is, with Size 1, by how many bits the address is shifted right before its low byte is stored.
	Shift int
}

// RegID is a register of one function: an index of Func.Regs.
type RegID int32

// NoReg is the RegID of nothing.
const NoReg RegID = -1

// Reg is one register. Registers of the same name in different scopes are different registers.
type Reg struct {
	Name string
	Type ptx.Type
	// Vec is 2 or 4 for a vector register, else 0.
	Vec  int
	Decl *ptx.Var
}

// Func is a function or kernel.
type Func struct {
	// Decl is the definition, or the first declaration if there is none.
	Decl  *ptx.Func
	Name  string
	Entry bool
	// Defined is whether there is a body. A function without one is Runtime, or nobody refers to it.
	Defined bool
	// Runtime is whether the device's runtime provides it: vprintf, malloc, free, __assertfail.
	Runtime bool
	// Alias is the function that this one is another name of, nil if there is none; then Defined is false.
	Alias *Func
	// Rets and Params are what the definition declares.
	Rets, Params []*Var
	// Regs are the registers that the body mentions, parameters in the .reg space first.
	Regs []Reg
	// Vars are the variables declared in the body (.local, .shared, .const, .global and the .param of calls), those of
	// inner scopes included.
	Vars []*Var
	// Code are the instructions of the body in order, scopes flattened.
	Code []Instr
	// Labels are all labels of the body. Labels of the same name in different scopes are different labels.
	Labels []Label
}

// Label is a label of a function.
type Label struct {
	Name string
	Pos  ptx.Pos
	// Index is the index in Code of the instruction behind the label; len(Code) at the end of the body.
	Index int
}

// Instr is one instruction with its operands resolved.
type Instr struct {
	Src *ptx.Instr
	// Form is shared by all instructions with the same modifiers and the same kind of operands.
	Form *Form
	// Guard is the predicate register, NoReg if there is none; GuardNeg is whether it is negated.
	Guard    RegID
	GuardNeg bool
	// Args are the operands in the order of the text; nil for a call.
	Args []Arg
	// Call is what a call has instead.
	Call *Call
	// Targets are the indices in Code where bra (one) and brx.idx (a list) lead.
	Targets []int
}

// Call is a checked call.
type Call struct {
	// Func is the callee, aliases resolved; nil if Target holds its address at run time.
	Func   *Func
	Target RegID
	// Candidates are the functions of .calltargets, nil if there is no such list.
	Candidates []*Func
	// RetVars and ParamVars are what the callee or the prototype declares, RetArgs and Args what the call gives: .param
	// variables, registers, and for arguments also constants. Both pairs have the same lengths; a final parameter of
	// unknown size takes anything.
	RetVars, ParamVars []*Var
	Rets, Args         []Arg
}

// ArgKind says what an operand is.
type ArgKind uint8

// The kinds of operands.
const (
	ArgReg     ArgKind = iota // register Reg, or component Sel of it
	ArgSpecial                // special register Special
	ArgImm                    // Imm, as bits of Type
	ArgAddr                   // address of Var or Func, plus Imm
	ArgParam                  // variable Var of .param space, as operand of a call
	ArgMem                    // memory at Reg, Var or nothing, plus Imm; Elems are what stands behind in the brackets
	ArgVec                    // Elems
	ArgPair                   // Elems[0] | Elems[1]
	ArgSink                   // _
	ArgLabel                  // label, see Instr.Targets
)

// Arg is one resolved operand.
type Arg struct {
	Kind ArgKind
	// Not is whether a predicate is negated, Minus whether a source of vmad is.
	Not, Minus bool
	// Comp is the component of a vector register (0 to 3), -1 if there is none.
	Comp int8
	// Type is the type of a register or special register, the type an immediate was converted to, or the type of
	// the instruction for an address.
	Type ptx.Type
	// Reg is NoReg where there is no register.
	Reg RegID
	// Sel is the part of a register that a video instruction names: b0 to b3, h0, h1.
	Sel string
	// Special is the name of a special register, with its component: "%tid.x".
	Special string
	Imm     uint64
	Var     *Var
	Func    *Func
	Elems   []Arg
	// Pos is where it stands in the text.
	Pos ptx.Pos
}
