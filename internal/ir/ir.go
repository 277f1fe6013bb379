// Package ir is the typed, blocks-and-values form of one kernel that passes rewrite and engines execute.
//
// A Kernel is an entry function and every function it can reach. A Func is a control-flow graph in SSA form: each Value is
// defined once, by an instruction, as a block parameter, or as a function parameter; a branch passes arguments to the
// parameters of its target, lane by lane, for the lanes that take it. Operations are orthogonal: what (Op) times the type
// (As) times modifiers. One instruction is executed by one group of converged lanes of a warp; divergence is explicit in
// CondBr and Switch. Predicates are values. Instructions with effects may have a Guard, so that predicated PTX
// instructions do not split blocks.
//
// The package knows nothing of PTX syntax. Text (print.go, parse.go) is a faithful form both ways; Verify states every
// invariant and runs after each pass in tests.
package ir

// Kernel is one compilation unit: an entry and what it calls.
type Kernel struct {
	// Name is the entry's symbol.
	Name string
	// Entry is the first of Funcs.
	Funcs []*Func
	// Params is the size of the parameter block in bytes.
	Params int
	// Globals are the module-scope variables that the kernel names; OpSymbol refers to them by index.
	Globals []*Global
	// Files are the source files that Pos.File refers to, 1-based: Files[0] is file 1.
	Files []string
	// PTXFile names the PTX text for positions.
	PTXFile string
	// SharedBytes is the static shared memory of a block; dynamic shared memory begins at the next multiple of
	// SharedAlign behind it. Offsets are those of OpSymbol in space Shared.
	SharedBytes, SharedAlign int
	// MaxThreads is .maxntid and ReqThreads .reqntid, zero where not given.
	MaxThreads, ReqThreads [3]int
	// GridBarrier: the kernel waits for other blocks through the grid barrier.
	GridBarrier bool
	// FuncTable lists the functions whose address the module takes, in the order in which the module defines them, so that
	// all kernels of a module agree on addresses: a function address is FuncAddressBase + index*16. It is empty in a
	// kernel that neither takes an address nor calls indirectly.
	FuncTable []*Func
}

// FuncAddressBase is the address of the first entry of Kernel.FuncTable. No memory lies there.
const FuncAddressBase = 0x1000

// Global is a variable of the module in global or constant memory. The address is known when the module is loaded.
type Global struct {
	// Name is unique in the module.
	Name  string
	Space Space // SpaceGlobal or SpaceConst
	Size  int
	Align int
}

// Func is a function: an entry, or a device function called by one.
type Func struct {
	Name string
	// Params are the values passed by a call; an entry has none and reads space Param.
	Params []*Value
	// Results are the types a Ret passes back.
	Results []Type
	// Blocks in reverse post-order with contiguous loops (SortBlocks); Blocks[0] is where execution begins and has no
	// predecessors. Block.Order is the index.
	Blocks []*Block
	// LocalBytes is the frame in local memory of each thread, LocalAlign its alignment.
	LocalBytes, LocalAlign int
	// Values is the number of value ids in use: ids are below it. BlockIDs is the same for blocks.
	Values, BlockIDs int

	// values and lists are room for values and for lists of results.
	values []Value
	lists  []*Value
}

// Block is a basic block.
type Block struct {
	// ID is unique in the function and stable under passes; text calls the block b<ID>.
	ID int
	// Order is the index in Func.Blocks.
	Order int
	// Params get their values from the branches to this block.
	Params []*Value
	// Instrs are the instructions; the last one and only the last is a terminator.
	Instrs []*Instr
	// Preds are the blocks with an edge to this one, one entry an edge.
	Preds []*Block
}

// Value is one SSA value: a lane holds Type.Bits() bits of it.
type Value struct {
	// ID is unique in the function; text calls the value v<ID>.
	ID int
	// Type is Pred, B16, B32, B64 or B128.
	Type Type
	// Def is the defining instruction, nil for parameters of blocks and functions.
	Def *Instr
	// Block is where it is defined; nil for a parameter of the function.
	Block *Block
}

// Edge is a branch target with the arguments for its parameters.
type Edge struct {
	To   *Block
	Args []*Value
}

// Pos is a position: of the PTX text, and of the CUDA source where -lineinfo told it.
type Pos struct {
	PTXLine int32
	File    int16 // 1-based index into Kernel.Files, 0 if unknown
	Line    int32 // source line, 0 if unknown
}

// Instr is one instruction.
type Instr struct {
	Op Op
	// As is the operation's type: what PTX writes last, such as the s32 of add.s32. For memory operations it is the type
	// in memory, for Cvt the destination type.
	As Type
	// From is the source type of Cvt, Setp's and Set's operand type, and the narrow type of Dp4a-like operations.
	From Type
	Mods
	// Imm is the constant of Const (bits), the offset of Symbol and Load/Store/Atom addresses in bytes (signed, two's
	// complement), the table of Lop3, the number of bytes of others as their Op says.
	Imm uint64
	// Index names a Global (Symbol), a Func of Kernel.Funcs (Call, FuncAddr's FuncTable), a special register (Special).
	Index int
	// Args are the operands in the order their Op states.
	Args []*Value
	// Results are the values defined, in order.
	Results []*Value
	// Guard, if not nil, is a predicate: lanes where it is false do not execute the instruction, and their results are 0.
	// Only instructions with Op.Effect() have one.
	Guard *Value
	// Targets are the branch targets of a terminator.
	Targets []Edge
	Pos     Pos
	Block   *Block
}

// Mods are the modifiers of an instruction; the zero value is none.
type Mods struct {
	Cmp   Cmp   // Setp, Set
	Round Round // float arithmetic and Cvt
	Flags Flags
	// Space is the state space of a memory operation, Symbol and Cvta.
	Space Space
	Order Order
	Scope Scope
	// Sub tells variants of an Op apart: Atomic, Shuffle, Vote, PrmtMode, ... as the Op's comment says.
	Sub uint8
}

// Flags are modifiers that are there or not.
type Flags uint16

// The flags.
const (
	// FTZ flushes subnormal f32 (f16) operands and results to zero of the same sign.
	FTZ Flags = 1 << iota
	// Sat clamps: floats to [0,1], integers to their range.
	Sat
	// Approx is the fast approximation (PTX .approx), Full div.full.
	Approx
	Full
	// NaN makes min and max return NaN if an operand is one.
	NaN
	// XorSign gives min and max the exclusive or of the operands' signs (PTX .xorsign.abs).
	XorSign
	// Aligned: all threads of the warp execute the instruction together (bar.sync as opposed to barrier.sync).
	Aligned
	// Uniform: the source promises that all active lanes take the same way (bra.uni) or call the same function.
	Uniform
	// Wrap and Clamp are the shift modes of Shf; Clamp is also the surface mode.
	Wrap
	// ShiftAmt is bfind.shiftamt.
	ShiftAmt
	// RoundInt: a Cvt from float to a float of the same size rounds to an integral value (.rni, .rzi, .rmi, .rpi).
	RoundInt
	// Right is the right form of Shf (shf.r).
	Right
	// Relu clamps negative results to 0.
	Relu
)

// Round is a rounding mode. The zero value is PTX's default: round to nearest even for arithmetic.
type Round uint8

// The rounding modes; for Cvt to integers they are .rni, .rzi, .rmi and .rpi.
const (
	RN  Round = iota // nearest, ties to even
	RZ               // toward zero
	RM               // toward minus infinity
	RP               // toward plus infinity
	RNA              // nearest, ties away from zero
)

// Cmp is a comparison of Setp and Set (PTX ISA, Comparison and Selection Instructions). The u forms are true if an operand
// is NaN. For unsigned and bit types LO, LS, HI and HS are written Lt, Le, Gt and Ge.
type Cmp uint8

// The comparisons.
const (
	Eq Cmp = iota + 1
	Ne
	Lt
	Le
	Gt
	Ge
	Equ
	Neu
	Ltu
	Leu
	Gtu
	Geu
	Num // neither operand is NaN
	IsNaN
)

// Space is a state space.
type Space uint8

// The state spaces. Addresses in SpaceGlobal, SpaceConst and SpaceGeneric are plain addresses of the device's range. SpaceShared addresses
// are offsets in the block's shared window, SpaceLocal ones offsets in the thread's local window, SpaceParam ones offsets in the
// parameter block.
const (
	SpaceGeneric Space = iota
	SpaceGlobal
	SpaceConst
	SpaceShared
	SpaceLocal
	SpaceParam
)

// Order is the memory ordering of an access or fence (PTX ISA, Memory Consistency Model).
type Order uint8

// The orders; Weak is the default.
const (
	Weak Order = iota
	Volatile
	Relaxed
	Acquire
	Release
	AcqRel
	SeqCst
)

// Scope is the set of threads an ordering holds for.
type Scope uint8

// The scopes.
const (
	NoScope Scope = iota
	CTA
	Cluster
	GPU
	System
)
