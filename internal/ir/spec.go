package ir

// spec states what an instruction of one Op may look like. Verify holds instructions to it, and the text form takes the
// names of variants from it.
//
// Patterns of operands and results have one letter each, with * for none or more of it and ? for one or none:
//
//	t  As.Value()              f  From.Value()            d  twice the width of As
//	p  Pred                    w  B32                     l  B64
//	a  an address: B64, or B32 too in spaces Shared, Local and Param
//	v  any value               n  any value of 16 bits or more
type spec struct {
	args, results string
	as            typeSet // what As may be; the empty set: Void only
	from          typeSet // what From may be; the empty set: Void only
	uses          uses    // the other fields that may be set
	flags         Flags   // the flags that may be set
	subs          []string
	// rule finds what the patterns cannot say; "" is no objection.
	rule func(k *Kernel, f *Func, in *Instr) string
}

// uses are fields of an instruction that an Op reads. Others must be zero.
type uses uint8

const (
	useImm uses = 1 << iota
	useIndex
	useCmp
	useRound
	useSpace
	useOrder
	useScope
	anySub // any Sub, not only those in subs
)

const memory = useImm | useSpace | useOrder | useScope

type typeSet uint32

func set(types ...Type) (s typeSet) {
	for _, t := range types {
		s |= 1 << t
	}
	return s
}

func (s typeSet) has(t Type) bool {
	if s == 0 {
		return t == Void
	}
	return s&(1<<t) != 0
}

var (
	ints16   = set(U16, S16, B16)
	ints32   = set(U32, S32, B32)
	ints64   = set(U64, S64, B64)
	ints     = ints16 | ints32 | ints64
	wide     = ints32 | ints64 // of the bit operations
	halves   = set(F16, BF16, F16x2, BF16x2)
	singles  = set(F32)
	doubles  = set(F64)
	floats   = halves | singles | doubles
	numbers  = ints | floats
	bytes8   = set(U8, S8, B8)
	anyType  = bytes8 | numbers | set(B128)
	anyValue = anyType | set(Pred)
	pred     = set(Pred)
	b32      = set(B32, U32)
	b64      = set(B64, U64)
)

// atomics, shuffles and so on name the values of Sub; an empty name is no value of it.
var (
	atomics  = []string{"", "add", "and", "or", "xor", "min", "max", "inc", "dec", "exch", "cas"}
	shuffles = []string{"", "up", "down", "bfly", "idx"}
	votes    = []string{"", "all", "any", "uni", "ballot"}
	bars     = []string{"", "sync", "arrive", "popc", "and", "or"}
	permutes = []string{"", "f4e", "b4e", "rc8", "ecl", "ecr", "rc16"}
	tests    = []string{"", "finite", "infinite", "number", "notanumber", "normal", "subnormal"}
	low      = []string{"lo", "hi"}
	matches  = []string{"any", "all"}

	geometries = []string{"", "1d", "2d", "3d", "a1d", "a2d", "cube", "acube"}
	mbarriers  = []string{"", "init", "expect", "complete", "arrive", "drop", "arriveexpect", "dropexpect", "test", "parity"}
)

var specs = [numOps]spec{
	OpConst:    {results: "t", as: anyValue, uses: useImm, rule: ruleConst},
	OpSpecial:  {results: "t", as: b32 | b64, uses: useIndex, rule: ruleSpecial},
	OpSymbol:   {results: "l", as: b64, uses: useImm | useIndex | useSpace, rule: ruleSymbol},
	OpFuncAddr: {results: "l", as: b64, uses: useIndex, rule: ruleFuncAddr},

	OpAdd:      {args: "tt", results: "t", as: numbers, uses: useRound, flags: FTZ | Sat},
	OpSub:      {args: "tt", results: "t", as: numbers, uses: useRound, flags: FTZ | Sat},
	OpMul:      {args: "tt", results: "t", as: numbers, uses: useRound, flags: FTZ | Sat},
	OpMulHi:    {args: "tt", results: "t", as: ints},
	OpMulWide:  {args: "tt", results: "d", as: ints16 | ints32},
	OpMul24:    {args: "tt", results: "t", as: ints32, subs: low},
	OpFma:      {args: "ttt", results: "t", as: floats, uses: useRound, flags: FTZ | Sat | Relu},
	OpDiv:      {args: "tt", results: "t", as: ints | singles | doubles, uses: useRound, flags: FTZ | Approx | Full},
	OpRem:      {args: "tt", results: "t", as: ints},
	OpAbs:      {args: "t", results: "t", as: numbers, flags: FTZ},
	OpNeg:      {args: "t", results: "t", as: numbers, flags: FTZ},
	OpMin:      {args: "tt", results: "t", as: numbers, flags: FTZ | NaN | XorSign | Relu},
	OpMax:      {args: "tt", results: "t", as: numbers, flags: FTZ | NaN | XorSign | Relu},
	OpSad:      {args: "ttt", results: "t", as: ints},
	OpAddCC:    {args: "tt", results: "tp", as: wide},
	OpAddC:     {args: "ttp", results: "tp", as: wide},
	OpSubCC:    {args: "tt", results: "tp", as: wide},
	OpSubC:     {args: "ttp", results: "tp", as: wide},
	OpSqrt:     {args: "t", results: "t", as: singles | doubles, uses: useRound, flags: FTZ | Approx},
	OpRcp:      {args: "t", results: "t", as: singles | doubles, uses: useRound, flags: FTZ | Approx},
	OpRsqrt:    {args: "t", results: "t", as: singles | doubles, flags: FTZ | Approx},
	OpSin:      {args: "t", results: "t", as: singles, flags: FTZ | Approx},
	OpCos:      {args: "t", results: "t", as: singles, flags: FTZ | Approx},
	OpLg2:      {args: "t", results: "t", as: singles, flags: FTZ | Approx},
	OpEx2:      {args: "t", results: "t", as: singles | halves, flags: FTZ | Approx},
	OpTanh:     {args: "t", results: "t", as: singles | halves, flags: Approx},
	OpCopysign: {args: "tt", results: "t", as: singles | doubles},
	OpTestp:    {args: "t", results: "p", as: singles | doubles, subs: tests},

	OpAnd:   {args: "tt", results: "t", as: ints | pred},
	OpOr:    {args: "tt", results: "t", as: ints | pred},
	OpXor:   {args: "tt", results: "t", as: ints | pred},
	OpNot:   {args: "t", results: "t", as: ints | pred},
	OpCNot:  {args: "t", results: "t", as: ints},
	OpShl:   {args: "tw", results: "t", as: ints},
	OpShr:   {args: "tw", results: "t", as: ints},
	OpShf:   {args: "www", results: "w", as: ints32, flags: Right | Wrap},
	OpLop3:  {args: "www", results: "w", as: ints32, uses: useImm, rule: ruleLop3},
	OpPopc:  {args: "t", results: "w", as: wide},
	OpClz:   {args: "t", results: "w", as: wide},
	OpBrev:  {args: "t", results: "t", as: wide},
	OpBfind: {args: "t", results: "w", as: wide, flags: ShiftAmt},
	OpBfe:   {args: "tww", results: "t", as: wide},
	OpBfi:   {args: "ttww", results: "t", as: wide},
	OpPrmt:  {args: "www", results: "w", as: ints32, subs: permutes},
	OpFns:   {args: "www", results: "w", as: ints32},
	OpDp4a:  {args: "www", results: "w", as: ints32, from: ints32},
	OpDp2a:  {args: "www", results: "w", as: ints32, from: ints32, subs: low},
	OpVideo: {args: "www", results: "w", as: ints32, from: ints32, uses: useImm | anySub, flags: Sat},

	OpSetp:   {args: "ff", results: "p", as: pred, from: numbers, uses: useCmp, flags: FTZ, rule: ruleCmp},
	OpSet:    {args: "ff", results: "t", as: numbers, from: numbers, uses: useCmp, flags: FTZ, rule: ruleCmp},
	OpSelect: {args: "ptt", results: "t", as: anyValue},
	OpCvt:    {args: "f", results: "t", as: bytes8 | numbers, from: bytes8 | numbers, uses: useRound, flags: FTZ | Sat | RoundInt | Relu},
	OpExtend: {args: "f", results: "t", as: anyType, from: anyType},
	OpPack:   {args: "nn*", results: "t", as: ints | set(B128), rule: rulePack},
	OpUnpack: {args: "t", results: "nn*", as: ints | set(B128), rule: ruleUnpack},

	OpLoad:    {args: "a", results: "nn*", as: anyType, uses: memory, rule: ruleLoad},
	OpStore:   {args: "ann*", as: anyType, uses: memory, rule: ruleStore},
	OpAtom:    {args: "att?", results: "t", as: numbers | set(B128), uses: memory, flags: FTZ, subs: atomics, rule: ruleAtom},
	OpRed:     {args: "at", as: numbers, uses: memory, flags: FTZ, subs: atomics, rule: ruleAtom},
	OpFence:   {uses: useOrder | useScope},
	OpCvta:    {args: "l", results: "l", as: b64, uses: useSpace},
	OpCvtaTo:  {args: "l", results: "l", as: b64, uses: useSpace},
	OpIsSpace: {args: "l", results: "p", as: pred, uses: useSpace},

	OpBar:        {args: "ww?p?", results: "n?p?", as: pred | b32 | set(Void), flags: Aligned, subs: bars, rule: ruleBar},
	OpWarpSync:   {args: "w"},
	OpShfl:       {args: "twww", results: "tp", as: ints32 | singles, subs: shuffles},
	OpVote:       {args: "pw", results: "t", as: pred | b32, subs: votes, rule: ruleVote},
	OpMatch:      {args: "tw", results: "wp?", as: wide, subs: matches},
	OpActiveMask: {results: "w", as: b32},
	OpRedux:      {args: "tw", results: "t", as: ints32 | singles, subs: atomics, flags: NaN},
	OpMma:        {args: "v*", results: "v*", as: ints32 | set(F16, F32, F64), uses: useImm | useRound, rule: ruleMma},
	OpMbarrier:   {args: "av", results: "n?p?", as: b64, uses: memory, subs: mbarriers, rule: ruleMbarrier},
	OpGridSync:   {},

	OpPrintf:     {args: "ll", results: "w", as: ints32},
	OpMalloc:     {args: "l", results: "l", as: b64},
	OpFreeHeap:   {args: "l"},
	OpAssertFail: {args: "llwll"},
	OpNanosleep:  {args: "w"},
	OpTrap:       {},
	OpBreakpoint: {},

	OpCall:         {args: "v*", results: "v*", uses: useIndex, flags: Uniform, rule: ruleCall},
	OpCallIndirect: {args: "lv*", results: "v*", flags: Uniform},

	OpTex:      {args: "v*", results: "v*", as: ints32 | singles, from: ints32 | singles, uses: useImm, subs: geometries, rule: ruleTex},
	OpSuld:     {args: "v*", results: "v*", as: anyType, uses: useImm, subs: geometries, rule: ruleSuld},
	OpSust:     {args: "v*", as: anyType, uses: useImm, subs: geometries, rule: ruleSust},
	OpTexQuery: {args: "v*", results: "v*", as: anyType, from: anyType | set(Void), uses: useImm | useIndex | anySub},

	OpBr:     {flags: Uniform, rule: ruleTargets(1, 1)},
	OpCondBr: {args: "p", flags: Uniform, rule: ruleTargets(2, 2)},
	OpSwitch: {args: "w", flags: Uniform, rule: ruleTargets(1, 1<<16)},
	OpRet:    {args: "v*", flags: Uniform, rule: ruleRet},
	OpExit:   {rule: ruleTargets(0, 0)},
}

// mnemonics of modifiers in the text form, by value. The first of Order and Scope is what is not written.
var (
	cmpNames   = []string{"", "eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "isnan"}
	roundNames = []string{"", "rz", "rm", "rp", "rna"}
	flagNames  = []string{"ftz", "sat", "approx", "full", "nan", "xorsign", "aligned", "uniform", "wrap", "shiftamt", "rint", "right", "relu"}
	spaceNames = []string{"", "global", "const", "shared", "local", "param"}
	orderNames = []string{"", "volatile", "relaxed", "acquire", "release", "acqrel", "seqcst"}
	scopeNames = []string{"", "cta", "cluster", "gpu", "sys"}
	sregNames  = []string{
		"tid.x", "tid.y", "tid.z", "ntid.x", "ntid.y", "ntid.z", "ctaid.x", "ctaid.y", "ctaid.z", "nctaid.x", "nctaid.y", "nctaid.z",
		"laneid", "warpid", "nwarpid", "smid", "nsmid", "gridid", "lanemask_eq", "lanemask_le", "lanemask_lt", "lanemask_ge", "lanemask_gt",
		"clock", "clock_hi", "clock64", "globaltimer", "globaltimer_lo", "globaltimer_hi", "dynamic_smem_size", "total_smem_size",
		"envreg0", "envreg1", "envreg2",
	}
)

// String returns the register's name as PTX spells it, without the percent sign.
func (s SReg) String() string { return nameOf(sregNames, int(s)) }

// Type is the type of the register's value: B64 for the 64-bit ones, else B32.
func (s SReg) Type() Type {
	switch s {
	case Clock64, Globaltimer, GridID:
		return B64
	}
	return B32
}

// String returns the space as PTX spells it, "generic" for SpaceGeneric.
func (s Space) String() string {
	if s == SpaceGeneric {
		return "generic"
	}
	return nameOf(spaceNames, int(s))
}

func nameOf(names []string, i int) string {
	if i >= 0 && i < len(names) {
		return names[i]
	}
	return "bad"
}
