package ir

// Op is what an instruction does. The comment of each constant gives its operands (Args), results, and the modifiers it
// reads. "T" is the type As; operands and results have T.Value() unless the comment says otherwise.
type Op uint8

// The operations. docs: PTX ISA, Instruction Set; the name is PTX's unless several PTX instructions share one.
const (
	OpBad Op = iota

	// Constants and addresses.

	OpConst    // () → T: Imm
	OpSpecial  // () → T: special register Index (SReg)
	OpSymbol   // () → B64: address of a variable plus Imm. Space Global, Const: Globals[Index]; Shared: offset Imm; Local: frame start + Imm
	OpFuncAddr // () → B64: address of FuncTable[Index]

	// Integer and float arithmetic. Flags FTZ, Sat and Round for floats, Sat for s32 Add and Sub.

	OpAdd      // (a, b) → T
	OpSub      // (a, b) → T
	OpMul      // (a, b) → T: the low half for integers
	OpMulHi    // (a, b) → T: the high half
	OpMulWide  // (a, b) → double width; As is the operand type
	OpMul24    // (a, b) → T: 24-bit operands; Sub 0 low 32 bits, 1 bits 47..16
	OpFma      // (a, b, c) → T: floats only, one rounding
	OpDiv      // (a, b) → T: floats with Round, Approx, Full; integers by zero: all ones
	OpRem      // (a, b) → T: integers; by zero: a
	OpAbs      // (a) → T
	OpNeg      // (a) → T
	OpMin      // (a, b) → T
	OpMax      // (a, b) → T
	OpSad      // (a, b, c) → T: c + |a-b|
	OpAddCC    // (a, b) → T, Pred carry
	OpAddC     // (a, b, Pred carry) → T, Pred carry
	OpSubCC    // (a, b) → T, Pred borrow
	OpSubC     // (a, b, Pred borrow) → T, Pred borrow
	OpSqrt     // (a) → T: Round, or Approx
	OpRcp      // (a) → T: Round, or Approx
	OpRsqrt    // (a) → T: Approx
	OpSin      // (a) → T: Approx
	OpCos      // (a) → T: Approx
	OpLg2      // (a) → T: Approx
	OpEx2      // (a) → T: Approx
	OpTanh     // (a) → T: Approx
	OpCopysign // (a, b) → T: magnitude of b, sign of a
	OpTestp    // (a) → Pred: Sub is the Test

	// Bits.

	OpAnd   // (a, b) → T; Pred too
	OpOr    // (a, b) → T; Pred too
	OpXor   // (a, b) → T; Pred too
	OpNot   // (a) → T; Pred too
	OpCNot  // (a) → T: 1 if a is 0, else 0
	OpShl   // (a, B32 n) → T: 0 for n ≥ width
	OpShr   // (a, B32 n) → T: arithmetic for signed T; n clamped to the width
	OpShf   // (a low, b high, B32 n) → B32: funnel shift; Flags Right, Wrap (else clamp)
	OpLop3  // (a, b, c) → B32: truth table Imm
	OpPopc  // (a) → B32
	OpClz   // (a) → B32
	OpBrev  // (a) → T
	OpBfind // (a) → B32: Flags ShiftAmt
	OpBfe   // (a, B32 pos, B32 len) → T
	OpBfi   // (a, b, B32 pos, B32 len) → T: a into b
	OpPrmt  // (a, b, c) → B32: Sub is the PrmtMode
	OpFns   // (mask, base, offset) → B32
	OpDp4a  // (a, b, c) → B32: As and From are the types of a and b
	OpDp2a  // (a, b, c) → B32: As and From; Sub 0 low, 1 high half of b
	OpVideo // (a, b, c) → B32: SIMD video instructions; Imm encodes the form as package ops says

	// Comparison, selection, conversion, packing.

	OpSetp   // (a, b) → Pred: From is the operand type; Cmp, FTZ
	OpSet    // (a, b) → T: 1.0 or all ones if the comparison holds; From, Cmp, FTZ
	OpSelect // (Pred p, a, b) → T: a where p; Pred too
	OpCvt    // (a From) → T: Round, RoundInt, Sat, FTZ
	OpExtend // (a) → T: bits of a, a narrower or wider value: truncated, or extended by the sign of From if it is signed
	OpPack   // (a0, a1, …) → T: a0 in the low bits
	OpUnpack // (a) → n results of equal width: the first has the low bits

	// Memory. Args[0] is the address (B64; B32 in Shared, Local and Param where PTX used 32 bits); Imm is added to it.
	// As is the type in memory. Results of Load have the type that PTX's destination has: narrower memory is extended by
	// the sign of As.

	OpLoad    // (addr) → 1, 2, 4 or 8 results, consecutive in memory; aligned to their total size
	OpStore   // (addr, v…) : stores the low As.Bytes() bytes of each
	OpAtom    // (addr, b[, c]) → T: Sub is the AtomicOp; T may be F16x2. Cas is (addr, compare, swap)
	OpRed     // (addr, b): Atom without a result
	OpFence   // () : Order, Scope
	OpCvta    // (a) → B64: address of Space to generic
	OpCvtaTo  // (a) → B64: generic address to Space
	OpIsSpace // (a) → Pred: is the generic address in Space

	// Warp and block.

	OpBar        // (B32 id[, B32 threads]) : Sub is the BarKind; Reduce forms also take a Pred last and give Pred or B32
	OpWarpSync   // (B32 mask)
	OpShfl       // (a, B32 lane, B32 clamp, B32 mask) → B32, Pred in range: Sub is the ShuffleMode
	OpVote       // (Pred p, B32 mask) → Pred or B32: Sub is the VoteMode
	OpMatch      // (a, B32 mask) → B32[, Pred]: Sub 0 any, 1 all
	OpActiveMask // () → B32
	OpRedux      // (a, B32 mask) → B32: Sub is the AtomicOp; NaN for f32
	OpMma        // (a…, b…, c…, B32 mask) → d…: d = a×b + c of matrices that the warp holds in pieces; Imm is the Mma, T the type of d
	OpMbarrier   // (addr, v) → B64 or Pred or nothing: v is B64 for MbarrierTest, else B32; Sub is the MbarrierKind
	OpGridSync   // () : waits for all blocks of a cooperative grid

	// Runtime.

	OpPrintf     // (B64 format, B64 args) → B32: PTX vprintf
	OpMalloc     // (B64 bytes) → B64
	OpFreeHeap   // (B64 address)
	OpAssertFail // (B64 message, B64 file, B32 line, B64 function, B64 charsize)
	OpNanosleep  // (B32 ns)
	OpTrap       // () : ends the launch with LaunchFailed
	OpBreakpoint // ()

	// Calls.

	OpCall         // (args…) → results: Funcs[Index]
	OpCallIndirect // (B64 target, args…) → results

	// Textures and surfaces. Sub is the TexGeometry.

	OpTex      // (B64 object, [B32 layer,] B32 coordinates…) → 4 × B32: From is the type of coordinates; Imm says what is read, and what follows the coordinates
	OpSuld     // (B64 object, [B32 layer,] B32 coordinates…) → 1, 2 or 4 results as Load; x is in bytes; Imm is SurfTrap, SurfClamp or SurfZero
	OpSust     // (B64 object, [B32 layer,] B32 coordinates…, v…): as Suld
	OpTexQuery // not made yet

	// Terminators.

	OpBr     // () : Targets[0]
	OpCondBr // (Pred p) : Targets[0] where p, else Targets[1]; Flags Uniform
	OpSwitch // (B32 i) : Targets[i]; the last target where i is out of range
	OpRet    // (results…) : returns; in an entry the lane ends
	OpExit   // () : the lane ends

	numOps
)

// AtomicOp is the Sub of Atom, Red and Redux.
type AtomicOp uint8

// The atomic operations (PTX ISA, atom).
const (
	AtomAdd AtomicOp = iota + 1
	AtomAnd
	AtomOr
	AtomXor
	AtomMin
	AtomMax
	AtomInc
	AtomDec
	AtomExch
	AtomCas
)

// ShuffleMode is the Sub of Shfl.
type ShuffleMode uint8

// The shuffle modes (PTX ISA, shfl.sync).
const (
	ShflUp ShuffleMode = iota + 1
	ShflDown
	ShflBfly
	ShflIdx
)

// VoteMode is the Sub of Vote.
type VoteMode uint8

// The vote modes (PTX ISA, vote.sync). Ballot gives B32, the others Pred.
const (
	VoteAll VoteMode = iota + 1
	VoteAny
	VoteUni
	VoteBallot
)

// BarKind is the Sub of Bar.
type BarKind uint8

// The barrier kinds (PTX ISA, bar / barrier).
const (
	BarSync BarKind = iota + 1
	BarArrive
	BarRedPopc
	BarRedAnd
	BarRedOr
)

// PrmtMode is the Sub of Prmt.
type PrmtMode uint8

// The permute modes (PTX ISA, prmt).
const (
	PrmtDefault PrmtMode = iota
	PrmtF4E
	PrmtB4E
	PrmtRC8
	PrmtECL
	PrmtECR
	PrmtRC16
)

// Test is the Sub of Testp.
type Test uint8

// The tests (PTX ISA, testp).
const (
	TestFinite Test = iota + 1
	TestInfinite
	TestNumber
	TestNotANumber
	TestNormal
	TestSubnormal
)

// SReg is a special register, the Index of Special. All are B32 except Clock64, Globaltimer and GridID.
type SReg int

// The special registers (PTX ISA, Special Registers).
const (
	TidX SReg = iota
	TidY
	TidZ
	NtidX
	NtidY
	NtidZ
	CtaidX
	CtaidY
	CtaidZ
	NctaidX
	NctaidY
	NctaidZ
	LaneID
	WarpID
	NwarpID
	SMID
	NSMID
	GridID
	LanemaskEq
	LanemaskLe
	LanemaskLt
	LanemaskGe
	LanemaskGt
	Clock
	ClockHi
	Clock64
	Globaltimer
	GlobaltimerLo
	GlobaltimerHi
	DynamicSmemSize
	TotalSmemSize
	EnvReg0
	EnvReg1
	EnvReg2
	NumSRegs
)

// effects of an Op.
const (
	effect     = 1 << iota // reads or writes more than its operands: may have a Guard, is not removed or moved freely
	terminator             // ends a block
)

// Effect reports whether the operation does more than compute its results from its operands: such an instruction may
// carry a Guard, and passes neither remove, duplicate nor reorder it without proof.
func (o Op) Effect() bool { return o < numOps && opInfo[o].flags&effect != 0 }

// Terminator reports whether the operation ends a block.
func (o Op) Terminator() bool { return o < numOps && opInfo[o].flags&terminator != 0 }

// String returns the operation's name in the text form.
func (o Op) String() string {
	if o < numOps {
		return opInfo[o].name
	}
	return "bad"
}

type info struct {
	name  string
	flags uint8
}

var opInfo = [numOps]info{
	OpBad:          {"bad", 0},
	OpConst:        {"const", 0},
	OpSpecial:      {"special", 0},
	OpSymbol:       {"symbol", 0},
	OpFuncAddr:     {"funcaddr", 0},
	OpAdd:          {"add", 0},
	OpSub:          {"sub", 0},
	OpMul:          {"mul", 0},
	OpMulHi:        {"mulhi", 0},
	OpMulWide:      {"mulwide", 0},
	OpMul24:        {"mul24", 0},
	OpFma:          {"fma", 0},
	OpDiv:          {"div", 0},
	OpRem:          {"rem", 0},
	OpAbs:          {"abs", 0},
	OpNeg:          {"neg", 0},
	OpMin:          {"min", 0},
	OpMax:          {"max", 0},
	OpSad:          {"sad", 0},
	OpAddCC:        {"addcc", 0},
	OpAddC:         {"addc", 0},
	OpSubCC:        {"subcc", 0},
	OpSubC:         {"subc", 0},
	OpSqrt:         {"sqrt", 0},
	OpRcp:          {"rcp", 0},
	OpRsqrt:        {"rsqrt", 0},
	OpSin:          {"sin", 0},
	OpCos:          {"cos", 0},
	OpLg2:          {"lg2", 0},
	OpEx2:          {"ex2", 0},
	OpTanh:         {"tanh", 0},
	OpCopysign:     {"copysign", 0},
	OpTestp:        {"testp", 0},
	OpAnd:          {"and", 0},
	OpOr:           {"or", 0},
	OpXor:          {"xor", 0},
	OpNot:          {"not", 0},
	OpCNot:         {"cnot", 0},
	OpShl:          {"shl", 0},
	OpShr:          {"shr", 0},
	OpShf:          {"shf", 0},
	OpLop3:         {"lop3", 0},
	OpPopc:         {"popc", 0},
	OpClz:          {"clz", 0},
	OpBrev:         {"brev", 0},
	OpBfind:        {"bfind", 0},
	OpBfe:          {"bfe", 0},
	OpBfi:          {"bfi", 0},
	OpPrmt:         {"prmt", 0},
	OpFns:          {"fns", 0},
	OpDp4a:         {"dp4a", 0},
	OpDp2a:         {"dp2a", 0},
	OpVideo:        {"video", 0},
	OpSetp:         {"setp", 0},
	OpSet:          {"set", 0},
	OpSelect:       {"select", 0},
	OpCvt:          {"cvt", 0},
	OpExtend:       {"extend", 0},
	OpPack:         {"pack", 0},
	OpUnpack:       {"unpack", 0},
	OpLoad:         {"load", effect},
	OpStore:        {"store", effect},
	OpAtom:         {"atom", effect},
	OpRed:          {"red", effect},
	OpFence:        {"fence", effect},
	OpCvta:         {"cvta", 0},
	OpCvtaTo:       {"cvtato", 0},
	OpIsSpace:      {"isspace", 0},
	OpBar:          {"bar", effect},
	OpWarpSync:     {"warpsync", effect},
	OpShfl:         {"shfl", effect},
	OpVote:         {"vote", effect},
	OpMatch:        {"match", effect},
	OpActiveMask:   {"activemask", effect},
	OpRedux:        {"redux", effect},
	OpMma:          {"mma", effect},
	OpMbarrier:     {"mbarrier", effect},
	OpGridSync:     {"gridsync", effect},
	OpPrintf:       {"printf", effect},
	OpMalloc:       {"malloc", effect},
	OpFreeHeap:     {"freeheap", effect},
	OpAssertFail:   {"assertfail", effect},
	OpNanosleep:    {"nanosleep", effect},
	OpTrap:         {"trap", effect},
	OpBreakpoint:   {"breakpoint", effect},
	OpCall:         {"call", effect},
	OpCallIndirect: {"callindirect", effect},
	OpTex:          {"tex", effect},
	OpSuld:         {"suld", effect},
	OpSust:         {"sust", effect},
	OpTexQuery:     {"texquery", effect},
	OpBr:           {"br", terminator},
	OpCondBr:       {"condbr", terminator},
	OpSwitch:       {"switch", terminator},
	OpRet:          {"ret", terminator},
	OpExit:         {"exit", terminator},
}
