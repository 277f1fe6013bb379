package lower

import (
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// handler lowers one instruction; false is an instruction that the host device cannot execute.
type handler func(l *fn, in *check.Instr) bool

// handlers are the instructions by what stands before the first dot. Branches are in fn.branch.
var handlers = map[string]handler{
	"add": (*fn).add, "sub": (*fn).add, "addc": (*fn).addCarry, "subc": (*fn).addCarry,
	"mul": (*fn).mul, "mad": (*fn).mad, "madc": (*fn).mad, "mul24": plain(ir.OpMul24), "mad24": (*fn).mad24,
	"fma": plain(ir.OpFma), "div": plain(ir.OpDiv), "rem": plain(ir.OpRem), "sad": plain(ir.OpSad),
	"abs": plain(ir.OpAbs), "neg": plain(ir.OpNeg), "min": (*fn).minMax, "max": (*fn).minMax,
	"sqrt": plain(ir.OpSqrt), "rcp": plain(ir.OpRcp), "rsqrt": plain(ir.OpRsqrt), "sin": plain(ir.OpSin),
	"cos": plain(ir.OpCos), "lg2": plain(ir.OpLg2), "ex2": plain(ir.OpEx2), "tanh": plain(ir.OpTanh),
	"copysign": plain(ir.OpCopysign), "testp": (*fn).testp,

	"and": plain(ir.OpAnd), "or": plain(ir.OpOr), "xor": plain(ir.OpXor), "not": plain(ir.OpNot), "cnot": plain(ir.OpCNot),
	"shl": plain(ir.OpShl), "shr": plain(ir.OpShr), "shf": (*fn).shf, "lop3": (*fn).lop3, "brev": plain(ir.OpBrev),
	"popc": count(ir.OpPopc), "clz": count(ir.OpClz), "bfind": count(ir.OpBfind), "bfe": plain(ir.OpBfe),
	"bfi": plain(ir.OpBfi), "fns": plain(ir.OpFns), "prmt": (*fn).prmt, "dp4a": (*fn).dot, "dp2a": (*fn).dot,
	"szext": (*fn).szext, "bmsk": (*fn).bmsk,

	"vadd": (*fn).scalarVideo, "vsub": (*fn).scalarVideo, "vabsdiff": (*fn).scalarVideo, "vmin": (*fn).scalarVideo,
	"vmax": (*fn).scalarVideo, "vshl": (*fn).scalarVideo, "vshr": (*fn).scalarVideo, "vset": (*fn).scalarVideo, "vmad": (*fn).vmad,
	"vadd2": (*fn).video4, "vsub2": (*fn).video4, "vavrg2": (*fn).video4, "vabsdiff2": (*fn).video4, "vmin2": (*fn).video4,
	"vmax2": (*fn).video4, "vset2": (*fn).video4, "vadd4": (*fn).video4, "vsub4": (*fn).video4, "vavrg4": (*fn).video4,
	"vabsdiff4": (*fn).video4, "vmin4": (*fn).video4, "vmax4": (*fn).video4, "vset4": (*fn).video4,

	"setp": (*fn).setp, "set": (*fn).setOp, "selp": (*fn).selp, "slct": (*fn).slct,
	"mov": (*fn).mov, "cvt": (*fn).cvt, "cvta": (*fn).cvta, "isspacep": (*fn).isspacep, "mapa": (*fn).mapa, "getctarank": (*fn).ctaRank,

	"ld": (*fn).load, "ldu": (*fn).load, "st": (*fn).storeOp, "atom": (*fn).atom, "red": (*fn).atom,
	"membar": (*fn).membar, "fence": (*fn).membar, "prefetch": nothing, "prefetchu": nothing, "applypriority": nothing,
	"discard": nothing, "pmevent": nothing, "griddepcontrol": nothing, "setmaxnreg": nothing,
	"tex": (*fn).tex, "tld4": (*fn).tex, "suld": (*fn).surface, "sust": (*fn).surface,
	"cp": (*fn).cp, "mbarrier": (*fn).mbarrier,

	"bar": (*fn).bar, "barrier": (*fn).bar, "shfl": (*fn).shfl, "vote": (*fn).vote, "match": (*fn).match,
	"activemask": (*fn).activeMask, "redux": (*fn).redux, "elect": (*fn).elect,

	"wmma": (*fn).wmma, "mma": (*fn).mma, "ldmatrix": (*fn).ldmatrix, "stmatrix": (*fn).ldmatrix, "movmatrix": (*fn).movmatrix,

	"call": (*fn).call, "trap": simple(ir.OpTrap), "brkpt": simple(ir.OpBreakpoint), "nanosleep": (*fn).nanosleep,
}

// nothing lowers hints to no instruction.
func nothing(*fn, *check.Instr) bool { return true }

// simple lowers an instruction without operands.
func simple(op ir.Op) handler {
	return func(l *fn, _ *check.Instr) bool {
		l.effect(&ir.Instr{Op: op})
		return true
	}
}

// rounds are the rounding modes, for floats and for integers.
var rounds = map[string]ir.Round{
	"": ir.RN, "rn": ir.RN, "rz": ir.RZ, "rm": ir.RM, "rp": ir.RP, "rna": ir.RNA,
	"rni": ir.RN, "rzi": ir.RZ, "rmi": ir.RM, "rpi": ir.RP,
}

// flagSlots are the modifiers that are flags.
var flagSlots = [...]struct {
	slot check.Slot
	flag ir.Flags
}{{check.FTZ, ir.FTZ}, {check.Relu, ir.Relu}, {check.NaN, ir.NaN}, {check.XorSign, ir.XorSign}}

// mods translates the modifiers that mean the same everywhere; ok is false if there is one that does not exist here.
func mods(f *check.Form) (m ir.Mods, ok bool) {
	if m.Round, ok = rounds[f.Mod(check.Round)]; !ok {
		return m, false
	}
	for _, s := range flagSlots {
		if f.Has(s.slot) {
			m.Flags |= s.flag
		}
	}
	switch f.Mod(check.Sat) {
	case "sat":
		m.Flags |= ir.Sat
	case "satfinite":
		return m, false
	}
	switch f.Mod(check.Approx) {
	case "approx":
		m.Flags |= ir.Approx
	case "full":
		m.Flags |= ir.Full
	}
	return m, !f.Has(check.OOB)
}

// plain lowers an operation on registers of one type: the first operand is the result.
func plain(op ir.Op) handler {
	return func(l *fn, in *check.Instr) bool {
		if in.Form.Type(1) != ptx.NoType {
			return l.mixed(in)
		}
		as := irType(in.Form.Type(0))
		m, ok := mods(in.Form)
		if as == ir.Void {
			return l.packed(in)
		}
		if !ok {
			return false
		}
		if in.Form.Op == "mul24" {
			m.Sub = lowHigh[in.Form.Mod(check.Mode)]
		}
		v := l.modified(op, as, m, l.values(in.Args[1:])...)
		l.set(&in.Args[0], v, as)
		return true
	}
}

var lowHigh = map[string]uint8{"lo": 0, "hi": 1}

// values are the values of source operands.
func (l *fn) values(args []check.Arg) []*ir.Value {
	vs := l.room(len(args))
	for i := range args {
		vs[i] = l.value(&args[i])
	}
	return vs
}

// modified is op with modifiers.
func (l *fn) modified(op ir.Op, as ir.Type, m ir.Mods, args ...*ir.Value) *ir.Value {
	return l.emit(&ir.Instr{Op: op, As: as, Mods: m, Args: args}, as.Value()).Results[0]
}

// add lowers add and sub, the first of a carry chain included.
func (l *fn) add(in *check.Instr) bool {
	op, carry := ir.OpAdd, ir.OpAddCC
	if in.Form.Op == "sub" {
		op, carry = ir.OpSub, ir.OpSubCC
	}
	if !in.Form.Has(check.CC) {
		return plain(op)(l, in)
	}
	l.carryOut(in, carry, irType(in.Form.Type(0)), l.values(in.Args[1:])...)
	return true
}

// addCarry lowers addc and subc.
func (l *fn) addCarry(in *check.Instr) bool {
	op := ir.OpAddC
	if in.Form.Op == "subc" {
		op = ir.OpSubC
	}
	args := append(l.values(in.Args[1:]), l.read(l.carry))
	l.carryOut(in, op, irType(in.Form.Type(0)), args...)
	return true
}

// carryOut appends an operation that also gives a carry, and keeps the carry if the instruction says .cc.
func (l *fn) carryOut(in *check.Instr, op ir.Op, as ir.Type, args ...*ir.Value) {
	out := l.emit(&ir.Instr{Op: op, As: as, Args: args}, as.Value(), ir.Pred)
	l.set(&in.Args[0], out.Results[0], as)
	if in.Form.Has(check.CC) {
		l.assign(l.carry, out.Results[1])
	}
}

// mulOps are the integer products by mode.
var mulOps = map[string]ir.Op{"lo": ir.OpMul, "hi": ir.OpMulHi, "wide": ir.OpMulWide}

var widened = map[ir.Type]ir.Type{ir.U16: ir.U32, ir.S16: ir.S32, ir.U32: ir.U64, ir.S32: ir.S64}

// product appends the product of the first two sources and returns it with its type.
func (l *fn) product(in *check.Instr) (*ir.Value, ir.Type) {
	as := irType(in.Form.Type(0))
	mode := in.Form.Mod(check.Mode)
	out := as
	if mode == "wide" {
		out = widened[as]
	}
	args := l.values(in.Args[1:3])
	return l.emit(&ir.Instr{Op: mulOps[mode], As: as, Args: args}, out.Value()).Results[0], out
}

func (l *fn) mul(in *check.Instr) bool {
	if !in.Form.Has(check.Mode) {
		return plain(ir.OpMul)(l, in)
	}
	v, as := l.product(in)
	l.set(&in.Args[0], v, as)
	return true
}

// mad lowers mad and madc: a product and a sum, for floats one fused operation.
func (l *fn) mad(in *check.Instr) bool {
	if !in.Form.Has(check.Mode) {
		return plain(ir.OpFma)(l, in)
	}
	v, as := l.product(in)
	c := l.value(&in.Args[3])
	switch {
	case in.Form.Op == "madc":
		l.carryOut(in, ir.OpAddC, as, v, c, l.read(l.carry))
	case in.Form.Has(check.CC):
		l.carryOut(in, ir.OpAddCC, as, v, c)
	default:
		m, ok := mods(in.Form)
		l.set(&in.Args[0], l.modified(ir.OpAdd, as, m, v, c), as)
		return ok
	}
	return true
}

func (l *fn) mad24(in *check.Instr) bool {
	as := irType(in.Form.Type(0))
	m, ok := mods(in.Form)
	v := l.modified(ir.OpMul24, as, ir.Mods{Sub: lowHigh[in.Form.Mod(check.Mode)]}, l.values(in.Args[1:3])...)
	l.set(&in.Args[0], l.modified(ir.OpAdd, as, m, v, l.value(&in.Args[3])), as)
	return ok
}

// minMax lowers min and max of two or three operands.
func (l *fn) minMax(in *check.Instr) bool {
	op := ir.OpMin
	if in.Form.Op == "max" {
		op = ir.OpMax
	}
	as := irType(in.Form.Type(0))
	m, ok := mods(in.Form)
	if as == ir.Void {
		return l.packed(in)
	}
	if !ok {
		return false
	}
	relu := !as.Float() && m.Flags&ir.Relu != 0
	if relu {
		m.Flags &^= ir.Relu
	}
	args := l.values(in.Args[1:])
	v := l.modified(op, as, m, args[0], args[1])
	if len(args) > 2 {
		v = l.modified(op, as, m, v, args[2])
	}
	if relu {
		v = l.op(ir.OpMax, as, v, l.constant(as, 0))
	}
	l.set(&in.Args[0], v, as)
	return true
}

var testOps = map[string]ir.Test{
	"finite": ir.TestFinite, "infinite": ir.TestInfinite, "number": ir.TestNumber, "notanumber": ir.TestNotANumber,
	"normal": ir.TestNormal, "subnormal": ir.TestSubnormal,
}

func (l *fn) testp(in *check.Instr) bool {
	t := &ir.Instr{Op: ir.OpTestp, As: irType(in.Form.Type(0)), Args: l.values(in.Args[1:])}
	t.Sub = uint8(testOps[in.Form.Mod(check.Mode)])
	l.set(&in.Args[0], l.emit(t, ir.Pred).Results[0], ir.Pred)
	return true
}

// count lowers an operation whose result is 32 bits whatever its type.
func count(op ir.Op) handler {
	return func(l *fn, in *check.Instr) bool {
		c := &ir.Instr{Op: op, As: irType(in.Form.Type(0)), Args: l.values(in.Args[1:])}
		if in.Form.Mod(check.Mode) == "shiftamt" {
			c.Flags |= ir.ShiftAmt
		}
		l.set(&in.Args[0], l.emit(c, ir.B32).Results[0], ir.U32)
		return true
	}
}

func (l *fn) shf(in *check.Instr) bool {
	var m ir.Mods
	if in.Form.Mod(check.Mode) == "r" {
		m.Flags |= ir.Right
	}
	if in.Form.Mod(check.Mode2) == "wrap" {
		m.Flags |= ir.Wrap
	}
	l.set(&in.Args[0], l.modified(ir.OpShf, ir.B32, m, l.values(in.Args[1:])...), ir.B32)
	return true
}

// lop3 lowers lop3, and its form with a predicate: (d != 0) and or or q.
func (l *fn) lop3(in *check.Instr) bool {
	op := &ir.Instr{Op: ir.OpLop3, As: ir.B32, Imm: in.Args[4].Imm & 0xff, Args: l.values(in.Args[1:4])}
	d := l.emit(op, ir.B32).Results[0]
	if !in.Form.Has(check.Bool) {
		l.set(&in.Args[0], d, ir.B32)
		return true
	}
	p := l.compare(ir.Ne, ir.B32, ir.Mods{}, d, l.constant(ir.B32, 0))
	p = l.op(boolOps[in.Form.Mod(check.Bool)], ir.Pred, p, l.value(&in.Args[5]))
	l.pair(&in.Args[0], d, ir.B32, p)
	return true
}

var permutes = map[string]ir.PrmtMode{
	"": ir.PrmtDefault, "f4e": ir.PrmtF4E, "b4e": ir.PrmtB4E, "rc8": ir.PrmtRC8, "ecl": ir.PrmtECL, "ecr": ir.PrmtECR, "rc16": ir.PrmtRC16,
}

func (l *fn) prmt(in *check.Instr) bool {
	m := ir.Mods{Sub: uint8(permutes[in.Form.Mod(check.Mode)])}
	l.set(&in.Args[0], l.modified(ir.OpPrmt, ir.B32, m, l.values(in.Args[1:])...), ir.B32)
	return true
}

// dot lowers dp4a and dp2a.
func (l *fn) dot(in *check.Instr) bool {
	op := &ir.Instr{Op: ir.OpDp4a, As: irType(in.Form.Type(0)), From: irType(in.Form.Type(1)), Args: l.values(in.Args[1:])}
	if in.Form.Op == "dp2a" {
		op.Op, op.Sub = ir.OpDp2a, lowHigh[in.Form.Mod(check.Mode)]
	}
	l.set(&in.Args[0], l.emit(op, ir.B32).Results[0], ir.B32)
	return true
}

// szext lowers szext: the low bits of a, extended.
func (l *fn) szext(in *check.Instr) bool {
	as := irType(in.Form.Type(0))
	a, n := l.value(&in.Args[1]), l.fieldWidth(in, &in.Args[2])
	above := l.op(ir.OpShl, ir.B32, l.constant(ir.B32, 1<<32-1), n)
	kept := l.op(ir.OpAnd, ir.B32, a, l.op(ir.OpNot, ir.B32, above))
	if as.Signed() {
		last := l.op(ir.OpAnd, ir.B32, l.op(ir.OpSub, ir.U32, n, l.constant(ir.B32, 1)), l.constant(ir.B32, 31))
		sign := l.op(ir.OpBfe, ir.S32, a, last, l.constant(ir.B32, 1))
		kept = l.op(ir.OpOr, ir.B32, kept, l.op(ir.OpAnd, ir.B32, above, sign))
	}
	l.set(&in.Args[0], kept, as)
	return true
}

// fieldWidth is a position or width of szext and bmsk, at most 32.
func (l *fn) fieldWidth(in *check.Instr, a *check.Arg) *ir.Value {
	if in.Form.Mod(check.Mode) == "wrap" {
		return l.op(ir.OpAnd, ir.B32, l.value(a), l.constant(ir.B32, 31))
	}
	return l.op(ir.OpMin, ir.U32, l.value(a), l.constant(ir.B32, 32))
}

// bmsk lowers bmsk: as many ones as b says, from bit a on.
func (l *fn) bmsk(in *check.Instr) bool {
	pos, n := l.fieldWidth(in, &in.Args[1]), l.fieldWidth(in, &in.Args[2])
	ones := l.constant(ir.B32, 1<<32-1)
	from := l.op(ir.OpShl, ir.B32, ones, pos)
	above := l.op(ir.OpShl, ir.B32, ones, l.op(ir.OpAdd, ir.U32, pos, n))
	l.set(&in.Args[0], l.op(ir.OpAnd, ir.B32, from, l.op(ir.OpNot, ir.B32, above)), ir.B32)
	return true
}

// comparisons by modifier; those of unsigned types only have names of their own.
var comparisons = map[string]ir.Cmp{
	"eq": ir.Eq, "ne": ir.Ne, "lt": ir.Lt, "le": ir.Le, "gt": ir.Gt, "ge": ir.Ge,
	"lo": ir.Lt, "ls": ir.Le, "hi": ir.Gt, "hs": ir.Ge,
	"equ": ir.Equ, "neu": ir.Neu, "ltu": ir.Ltu, "leu": ir.Leu, "gtu": ir.Gtu, "geu": ir.Geu, "num": ir.Num, "nan": ir.IsNaN,
}

var boolOps = map[string]ir.Op{"and": ir.OpAnd, "or": ir.OpOr, "xor": ir.OpXor}

// compare appends a Setp.
func (l *fn) compare(c ir.Cmp, from ir.Type, m ir.Mods, a, b *ir.Value) *ir.Value {
	m.Cmp = c
	return l.emit(&ir.Instr{Op: ir.OpSetp, As: ir.Pred, From: from, Mods: m, Args: []*ir.Value{a, b}}, ir.Pred).Results[0]
}

// setp lowers setp: d = cmp BOOL c, q = !cmp BOOL c.
func (l *fn) setp(in *check.Instr) bool {
	from := irType(in.Form.Type(0))
	if part := parts[in.Form.Type(0)]; part != ir.Void {
		return l.setp2(in, part)
	}
	m, ok := mods(in.Form)
	p := l.compare(comparisons[in.Form.Mod(check.Cmp)], from, m, l.value(&in.Args[1]), l.value(&in.Args[2]))
	d := &in.Args[0]
	var q *ir.Value
	if d.Kind == check.ArgPair && d.Elems[1].Kind != check.ArgSink {
		q = l.op(ir.OpNot, ir.Pred, p)
	}
	if in.Form.Has(check.Bool) {
		c, op := l.value(&in.Args[3]), boolOps[in.Form.Mod(check.Bool)]
		p = l.op(op, ir.Pred, p, c)
		if q != nil {
			q = l.op(op, ir.Pred, q, c)
		}
	}
	l.pair(d, p, ir.Pred, q)
	return ok
}

// setOp lowers set.
func (l *fn) setOp(in *check.Instr) bool {
	if part := parts[in.Form.Type(1)]; part != ir.Void {
		return l.set2(in, part)
	}
	as, from := irType(in.Form.Type(0)), irType(in.Form.Type(1))
	m, ok := mods(in.Form)
	if as == ir.Void || from == ir.Void || !ok {
		return false
	}
	m.Cmp = comparisons[in.Form.Mod(check.Cmp)]
	args := []*ir.Value{l.value(&in.Args[1]), l.value(&in.Args[2])}
	if !in.Form.Has(check.Bool) {
		v := l.emit(&ir.Instr{Op: ir.OpSet, As: as, From: from, Mods: m, Args: args}, as.Value()).Results[0]
		l.set(&in.Args[0], v, as)
		return true
	}
	yes, known := trueBits[as]
	if !known {
		return false
	}
	p := l.compare(m.Cmp, from, m, args[0], args[1])
	p = l.op(boolOps[in.Form.Mod(check.Bool)], ir.Pred, p, l.value(&in.Args[3]))
	l.set(&in.Args[0], l.op(ir.OpSelect, as, p, l.constant(as, yes), l.constant(as, 0)), as)
	return true
}

// trueBits are the bits that set gives where the comparison holds.
var trueBits = map[ir.Type]uint64{
	ir.U32: 0xffffffff, ir.S32: 0xffffffff, ir.F32: 0x3f800000, ir.U16: 0xffff, ir.S16: 0xffff, ir.F16: 0x3c00, ir.BF16: 0x3f80,
}

func (l *fn) selp(in *check.Instr) bool {
	as := irType(in.Form.Type(0))
	p := l.value(&in.Args[3])
	l.set(&in.Args[0], l.op(ir.OpSelect, as, p, l.value(&in.Args[1]), l.value(&in.Args[2])), as)
	return true
}

// slct lowers slct: a where c is not negative, else b.
func (l *fn) slct(in *check.Instr) bool {
	as, from := irType(in.Form.Type(0)), irType(in.Form.Type(1))
	m, ok := mods(in.Form)
	p := l.compare(ir.Ge, from, m, l.value(&in.Args[3]), l.constant(from, 0))
	l.set(&in.Args[0], l.op(ir.OpSelect, as, p, l.value(&in.Args[1]), l.value(&in.Args[2])), as)
	return ok
}
