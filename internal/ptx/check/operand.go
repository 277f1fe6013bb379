package check

import (
	"math"

	"github.com/tandem-go/tandem/internal/ptx"
)

// want is the type that an operand has to fit.
type want struct {
	typ     ptx.Type
	relaxed bool
}

func (f *Form) want(a *argSpec) want {
	w := want{typ: a.typ, relaxed: a.relaxed}
	if a.index >= 0 {
		w.typ = f.Type(a.index)
	}
	if a.wide {
		w.typ = widened[w.typ]
	}
	return w
}

// widened are the types of .wide results.
var widened = map[ptx.Type]ptx.Type{ptx.U16: ptx.U32, ptx.S16: ptx.S32, ptx.U32: ptx.U64, ptx.S32: ptx.S64}

// What follows writes arguments where they stay: there are many, and copying one takes as long as finding out what it is.

// blank makes arg one of which nothing is known but its place.
func (arg *Arg) blank(kind ArgKind, o *ptx.Operand) {
	*arg = Arg{}
	arg.Kind, arg.Comp, arg.Reg, arg.Pos = kind, -1, NoReg, o.Pos
}

// operand resolves one operand into arg and checks it against what the table says.
func (c *funcChecker) operand(arg *Arg, in *Instr, o *ptx.Operand, a *argSpec) {
	w := in.Form.want(a)
	if a.vec == vecOfForm && in.Form.Vec > 1 {
		c.vector(arg, in, o, a, in.Form.Vec, w)
		return
	}
	if a.vec > 0 {
		c.vector(arg, in, o, a, a.vec, w)
		return
	}
	if a.vec == vecOfForm && o.Kind == ptx.KindVector && len(o.Elems) == 1 {
		o = &o.Elems[0] // as compilers write the data of surface instructions
	}
	switch a.kind {
	case immArg:
		c.immediate(arg, in, o, a)
	case labelArg, listArg:
		c.branch(arg, in, o, a)
	case pairArg:
		if o.Kind == ptx.KindPair {
			arg.blank(ArgPair, o)
			arg.Elems = c.room(2)
			c.destination(&arg.Elems[0], in, &o.Elems[0], w, true)
			c.destination(&arg.Elems[1], in, &o.Elems[1], want{typ: ptx.Pred}, true)
			return
		}
		c.destination(arg, in, o, w, true)
	case dstArg, sinkArg:
		c.destination(arg, in, o, w, a.kind == sinkArg)
	case memArg:
		c.memory(arg, in, o)
	case anyArg:
		c.resolve(arg, o)
	default:
		c.source(arg, in, o, a, w)
	}
}

// destination checks a register that is written.
func (c *funcChecker) destination(arg *Arg, in *Instr, o *ptx.Operand, w want, sink bool) {
	if o.Kind == ptx.KindName && o.Name == "_" {
		if !sink {
			c.errorf(o.Pos, "%s: _ cannot stand for this destination", in.Src.Name)
		}
		arg.blank(ArgSink, o)
		return
	}
	c.resolve(arg, o)
	switch {
	case arg.Kind != ArgReg || arg.Not || arg.Minus:
		if !arg.broken() {
			c.errorf(o.Pos, "%s: destination %s is not a register", in.Src.Name, o)
		}
	default:
		c.fitsRegister(in, o, arg, w, true)
	}
}

// source checks an operand that is read.
func (c *funcChecker) source(arg *Arg, in *Instr, o *ptx.Operand, a *argSpec, w want) {
	if a.kind == predArg || a.kind == plainArg {
		w = want{typ: ptx.Pred}
	}
	c.resolve(arg, o)
	if arg.broken() {
		return
	}
	name := in.Src.Name
	switch {
	case arg.Not && a.kind != predArg:
		c.errorf(o.Pos, "%s: operand %s cannot be negated", name, o)
	case arg.Minus && in.Form.Op != "vmad":
		c.errorf(o.Pos, "%s: operand %s cannot have a sign", name, o)
	case arg.Kind == ArgReg || arg.Kind == ArgSpecial:
		c.fitsRegister(in, o, arg, w, false)
	case arg.Kind == ArgImm && a.kind != regArg:
		c.convert(in, o, arg, w)
	case (arg.Kind == ArgAddr || arg.Kind == ArgParam) && a.kind == valueArg:
		arg.Kind = ArgAddr
		c.addressOf(in, o, arg, w)
	default:
		c.errorf(o.Pos, "%s: operand %s is %s, want %s", name, o, arg.describe(), a.describe())
	}
}

func (a *argSpec) describe() string {
	switch a.kind {
	case predArg, plainArg:
		return "a predicate register"
	case regArg:
		return "a register"
	case valueArg:
		return "a register, constant or address"
	}
	return "a register or constant"
}

// broken reports whether an error about the operand was already reported.
func (a *Arg) broken() bool { return a.Kind == argBroken }

// argBroken is the kind of an operand that could not be resolved.
const argBroken ArgKind = 255

func (a *Arg) describe() string {
	switch a.Kind {
	case ArgReg, ArgSpecial:
		return "a register"
	case ArgImm:
		return "a constant"
	case ArgAddr:
		return "an address"
	case ArgParam:
		return "a parameter"
	case ArgMem:
		return "a memory operand"
	case ArgVec:
		return "a vector"
	case ArgPair:
		return "a pair"
	case ArgLabel:
		return "a label"
	}
	return "_"
}

// resolve finds out what an operand is, whatever the instruction.
func (c *funcChecker) resolve(arg *Arg, o *ptx.Operand) {
	arg.blank(0, o)
	arg.Not, arg.Minus, arg.Imm = o.Not, o.Minus, o.Val
	switch o.Kind {
	case ptx.KindInt:
		arg.Kind, arg.Type = ArgImm, ptx.S64
		if o.Unsigned {
			arg.Type = ptx.U64
		}
	case ptx.KindFloat32:
		arg.Kind, arg.Type = ArgImm, ptx.F32
	case ptx.KindFloat64:
		arg.Kind, arg.Type = ArgImm, ptx.F64
	case ptx.KindVector, ptx.KindPair:
		arg.Kind = ArgVec
		if o.Kind == ptx.KindPair {
			arg.Kind = ArgPair
		}
		c.resolveElems(o, arg)
	case ptx.KindAddress:
		c.resolveAddress(o, arg)
	case ptx.KindIndex:
		c.resolveIndex(o, arg)
	default:
		c.resolveName(o, arg)
	}
}

// resolveElems resolves what is within an operand, if there is something.
func (c *funcChecker) resolveElems(o *ptx.Operand, arg *Arg) {
	if len(o.Elems) == 0 {
		return
	}
	arg.Elems = c.room(len(o.Elems))
	for i := range o.Elems {
		c.resolve(&arg.Elems[i], &o.Elems[i])
		if arg.Elems[i].broken() {
			arg.Kind = argBroken
		}
	}
}

// resolveName resolves a bare name into arg.
func (c *funcChecker) resolveName(o *ptx.Operand, arg *Arg) {
	if o.Name == "_" {
		arg.Kind = ArgSink
		return
	}
	if sym, ok := c.lookup(o.Name); ok {
		switch {
		case sym.isReg():
			c.resolveReg(o, sym.reg, arg)
		case sym.v != nil:
			arg.Kind, arg.Var = ArgAddr, sym.v
			if sym.v.Space == ptx.ParamSpace {
				arg.Kind = ArgParam
			}
			c.noSel(o, arg)
		case sym.label != nil:
			arg.Kind = ArgLabel
			c.noSel(o, arg)
		default:
			c.errorf(o.Pos, "%s is a prototype or list of targets, not an operand", o.Name)
			arg.Kind = argBroken
		}
		return
	}
	if o.Name[0] == '%' {
		name := o.Name
		if o.Sel != "" {
			name += "." + o.Sel
		}
		if t, ok := specials[name]; ok {
			arg.Kind, arg.Type, arg.Special = ArgSpecial, t, name
			c.noOffset(o, arg)
			return
		}
	}
	if v := c.out.vars[o.Name]; v != nil {
		c.use(v, o.Pos)
		arg.Kind, arg.Var = ArgAddr, v
		c.noSel(o, arg)
		return
	}
	if f := c.out.funcs[o.Name]; f != nil {
		c.use(f, o.Pos)
		arg.Kind, arg.Func = ArgAddr, f
		if f.Alias != nil {
			arg.Func = f.Alias
		}
		c.noSel(o, arg)
		return
	}
	c.errorf(o.Pos, "%s is not declared", o.Name)
	arg.Kind = argBroken
}

func (c *funcChecker) noSel(o *ptx.Operand, arg *Arg) {
	if o.Sel != "" {
		c.errorf(o.Pos, "%s has no component .%s", o.Name, o.Sel)
		arg.Kind = argBroken
	}
}

func (c *funcChecker) noOffset(o *ptx.Operand, arg *Arg) {
	if o.Val != 0 && o.Kind == ptx.KindName {
		c.errorf(o.Pos, "%s: an offset can be added to a register only within brackets", o.Name)
		arg.Kind = argBroken
	}
}

// components are the names of the elements of a vector register.
var components = map[string]int8{"x": 0, "y": 1, "z": 2, "w": 3, "r": 0, "g": 1, "b": 2, "a": 3}

// resolveReg resolves a register, a component of a vector register, or a part that a video instruction selects.
func (c *funcChecker) resolveReg(o *ptx.Operand, id RegID, arg *Arg) {
	r := &c.f.Regs[id]
	arg.Kind, arg.Reg, arg.Type = ArgReg, id, r.Type
	c.noOffset(o, arg)
	if o.Sel == "" && r.Vec == 0 {
		return
	}
	switch comp, ok := components[o.Sel]; {
	case o.Sel == "":
		arg.Kind = ArgVec
		arg.Reg = NoReg
		for i := range r.Vec {
			arg.Elems = append(arg.Elems, Arg{Kind: ArgReg, Reg: id, Type: r.Type, Comp: int8(i), Pos: o.Pos})
		}
	case ok && r.Vec > int(comp):
		arg.Comp = comp
	case r.Vec == 0 && videoSel(o.Sel):
		arg.Sel = o.Sel
	default:
		c.errorf(o.Pos, "%s has no component .%s", o.Name, o.Sel)
		arg.Kind = argBroken
	}
}

// videoSel reports whether s picks bytes or halves of a register: b0, h1, b210, h10, ...
func videoSel(s string) bool {
	if len(s) < 2 || len(s) > 5 || s[0] != 'b' && s[0] != 'h' {
		return false
	}
	for _, d := range []byte(s[1:]) {
		if d < '0' || s[0] == 'h' && d > '3' || s[0] == 'b' && d > '7' {
			return false
		}
	}
	return true
}

// resolveIndex resolves a[3] into the address of that element.
func (c *funcChecker) resolveIndex(o *ptx.Operand, arg *Arg) {
	plain := ptx.Operand{Pos: o.Pos, Name: o.Name, Sel: o.Sel}
	c.resolveName(&plain, arg)
	if arg.broken() {
		return
	}
	if arg.Kind != ArgAddr || arg.Var == nil || arg.Var.Decl.Dims == nil {
		c.errorf(o.Pos, "%s is not an array", o.Name)
		arg.Kind = argBroken
		return
	}
	d := arg.Var.Decl
	elem := int64(d.ElemSize()) * product(d.Dims[1:])
	index := int64(o.Val)
	if index < 0 || arg.Var.Size > 0 && index >= arg.Var.Size/elem {
		c.errorf(o.Pos, "%s has no element %d", o.Name, index)
		arg.Kind = argBroken
		return
	}
	arg.Imm = uint64(index * elem)
}

// resolveAddress resolves what stands in brackets.
func (c *funcChecker) resolveAddress(o *ptx.Operand, arg *Arg) {
	arg.Kind = ArgMem
	if o.Name != "" {
		base := Arg{Comp: -1, Reg: NoReg}
		c.resolveName(o, &base)
		switch {
		case base.broken():
			arg.Kind = argBroken
		case base.Kind == ArgReg && base.Sel == "":
			arg.Reg, arg.Comp, arg.Type = base.Reg, base.Comp, base.Type
			if t := base.Type; t.Bits() != 32 && t.Bits() != 64 || t.Class() == ptx.Float {
				c.errorf(o.Pos, "%s: a .%s register cannot hold an address", o.Name, t)
				arg.Kind = argBroken
			}
		case base.Var != nil:
			arg.Var = base.Var
		default:
			c.errorf(o.Pos, "%s is no address", o.Name)
			arg.Kind = argBroken
		}
	}
	if off := int64(o.Val); off < math.MinInt32 || off > math.MaxUint32 {
		c.errorf(o.Pos, "offset %d does not fit into 32 bits", off)
		arg.Kind = argBroken
	}
	c.resolveElems(o, arg)
}

// memory checks a memory operand against the state space of the instruction.
func (c *funcChecker) memory(arg *Arg, in *Instr, o *ptx.Operand) {
	c.resolve(arg, o)
	if arg.broken() {
		return
	}
	name := in.Src.Name
	if arg.Kind != ArgMem {
		c.errorf(o.Pos, "%s: operand %s is %s, want a memory operand", name, o, arg.describe())
		return
	}
	if len(arg.Elems) > 0 {
		c.errorf(o.Pos, "%s: an address has no coordinates", name)
	}
	if v := arg.Var; v != nil {
		c.inSpace(in, o, v)
	}
}

// inSpace checks that a variable named in brackets is in the space of the instruction.
func (c *funcChecker) inSpace(in *Instr, o *ptx.Operand, v *Var) {
	f := in.Form
	switch {
	case v.Decl.Type.Class() == ptx.OpaqueType:
		if f.Op != "txq" && f.Op != "suq" && v.Space != ptx.ParamSpace {
			c.errorf(o.Pos, "%s: %s is a .%s, not memory", in.Src.Name, v.Name, v.Decl.Type)
		}
	case f.Space == ptx.Generic && v.Space == ptx.ParamSpace && f.Op != "prefetch" && f.Op != "suq" && f.Op != "txq":
		c.errorf(o.Pos, "%s: %s is in the .param space, which the instruction has to name", in.Src.Name, v.Name)
	case f.Space != ptx.Generic && f.Space != v.Space:
		c.errorf(o.Pos, "%s: %s is in the .%s space", in.Src.Name, v.Name, v.Space)
	case f.Op == "st" && v.Space == ptx.ConstSpace:
		c.errorf(o.Pos, "%s: %s is constant", in.Src.Name, v.Name)
	case f.Op == "st" && v.Space == ptx.ParamSpace && c.f.Entry && c.isParam(v):
		c.errorf(o.Pos, "%s: parameter %s of a kernel cannot be written", in.Src.Name, v.Name)
	}
}

func (c *funcChecker) isParam(v *Var) bool {
	sym, ok := c.scopes[0].names[v.Name]
	return ok && sym.v == v && v.Decl.Pos.Before(c.f.Decl.Body.Pos)
}

// addressOf checks the address of a variable or function as a value.
func (c *funcChecker) addressOf(in *Instr, o *ptx.Operand, arg *Arg, w want) {
	if w.typ == ptx.NoType {
		w.typ = ptx.U64
	}
	arg.Type = w.typ
	if b := w.typ.Bits(); b != 32 && b != 64 || w.typ.Class() == ptx.Float {
		c.errorf(o.Pos, "%s: .%s cannot hold an address", in.Src.Name, w.typ)
	}
	if f := in.Form; f.Space != ptx.Generic && arg.Var != nil && f.Space != arg.Var.Space {
		c.errorf(o.Pos, "%s: %s is in the .%s space", in.Src.Name, arg.Var.Name, arg.Var.Space)
	}
	if in.Form.Has(To) {
		c.errorf(o.Pos, "%s: want a register with a generic address", in.Src.Name)
	}
}

// vector checks {a, b, ...} of n elements, or a vector register.
func (c *funcChecker) vector(arg *Arg, in *Instr, o *ptx.Operand, a *argSpec, n int, w want) {
	arg.blank(ArgVec, o)
	if o.Kind == ptx.KindName {
		if c.resolve(arg, o); arg.broken() {
			return
		}
	}
	switch {
	case o.Kind != ptx.KindVector && arg.Kind != ArgVec || o.Kind != ptx.KindVector && o.Kind != ptx.KindName:
		c.errorf(o.Pos, "%s: operand %s is no vector", in.Src.Name, o)
		return
	case o.Kind == ptx.KindName && len(arg.Elems) != n, o.Kind == ptx.KindVector && len(o.Elems) != n:
		c.errorf(o.Pos, "%s: vector of %d elements, want %d", in.Src.Name, max(len(o.Elems), len(arg.Elems)), n)
		return
	case o.Kind == ptx.KindName:
		for i := range arg.Elems {
			c.fitsRegister(in, o, &arg.Elems[i], w, a.kind == dstArg)
		}
		return
	}
	arg.Elems = c.room(n)
	for i := range o.Elems {
		if a.kind == dstArg || a.kind == sinkArg {
			c.destination(&arg.Elems[i], in, &o.Elems[i], w, true)
		} else {
			c.source(&arg.Elems[i], in, &o.Elems[i], a, w)
		}
	}
}

// immediate checks an integer constant of a given range.
func (c *funcChecker) immediate(arg *Arg, in *Instr, o *ptx.Operand, a *argSpec) {
	c.resolve(arg, o)
	switch v := int64(arg.Imm); {
	case arg.broken():
	case o.Kind != ptx.KindInt:
		c.errorf(o.Pos, "%s: operand %s is not an integer constant", in.Src.Name, o)
	case a.ranged && (v < a.lo || v > a.hi):
		c.errorf(o.Pos, "%s: constant %d is not in the range %d to %d", in.Src.Name, v, a.lo, a.hi)
	}
}

// branch resolves the label of bra or the list of brx.idx.
func (c *funcChecker) branch(arg *Arg, in *Instr, o *ptx.Operand, a *argSpec) {
	arg.blank(ArgLabel, o)
	sym, ok := c.lookup(o.Name)
	what := "a label"
	if a.kind == listArg {
		what = "a list of branch targets"
	}
	switch {
	case o.Kind != ptx.KindName || o.Sel != "" || o.Val != 0 || o.Not || o.Minus:
		c.errorf(o.Pos, "%s: operand %s is not %s", in.Src.Name, o, what)
	case !ok:
		c.errorf(o.Pos, "%s: %s %s is not declared", in.Src.Name, what[2:], o.Name)
	case a.kind == labelArg && sym.label != nil:
		c.fixups = append(c.fixups, fixup{instr: len(c.f.Code) - 1, label: sym.label})
	case a.kind == listArg && sym.targets != nil && !sym.targets.Calls:
		c.fixups = append(c.fixups, fixup{instr: len(c.f.Code) - 1, list: sym.targets})
	default:
		c.errorf(o.Pos, "%s: %s is not %s", in.Src.Name, o.Name, what)
	}
}

// fitsRegister checks the type of a register or special register against the instruction's.
func (c *funcChecker) fitsRegister(in *Instr, o *ptx.Operand, arg *Arg, w want, dst bool) {
	if arg.Sel != "" && in.Form.Op[0] != 'v' {
		c.errorf(o.Pos, "%s: operand %s selects a part, as only video instructions do", in.Src.Name, o)
		return
	}
	if arg.Kind == ArgSpecial && arg.Type == ptx.U32 && w.typ.Bits() == 16 && w.typ.Class() != ptx.Float {
		return // as old PTX reads %tid.x
	}
	if w.typ != ptx.NoType && !fits(w.typ, arg.Type, w.relaxed) {
		verb := "reads"
		if dst {
			verb = "writes"
		}
		c.errorf(o.Pos, "%s %s .%s, but %s is .%s", in.Src.Name, verb, w.typ, o, arg.Type)
	}
}

// fits reports whether a register of type reg can be an operand of type typ: PTX ISA, Type Checking of Operands, and
// with relaxed also Operand Size Exceeding Instruction-Type Size.
func fits(typ, reg ptx.Type, relaxed bool) bool {
	if typ == reg {
		return true
	}
	if typ == ptx.Pred || reg == ptx.Pred {
		return false
	}
	switch {
	case reg.Bits() == typ.Bits():
	case relaxed && reg.Bits() > typ.Bits():
	default:
		return false
	}
	switch typ.Class() {
	case ptx.Bits:
		return true
	case ptx.Signed, ptx.Unsigned:
		return reg.Class() != ptx.Float
	}
	return reg.Class() == ptx.Bits
}

// convert gives a constant the type of the instruction: integers are cut to its width, floating-point constants are
// rounded (PTX ISA, Constants).
func (c *funcChecker) convert(in *Instr, o *ptx.Operand, arg *Arg, w want) {
	if w.typ == ptx.NoType {
		return
	}
	switch w.typ.Class() {
	case ptx.Float:
		if o.Kind == ptx.KindInt {
			if w.typ.Bits() == 16 { // there are no constants of 16-bit formats, their bits are written
				arg.Type, arg.Imm = w.typ, o.Val&0xFFFF
				return
			}
			c.errorf(o.Pos, "%s: integer constant %s for .%s", in.Src.Name, o, w.typ)
			return
		}
	case ptx.Predicate:
		if o.Kind == ptx.KindInt {
			arg.Type, arg.Imm = ptx.Pred, 0
			if o.Val != 0 {
				arg.Imm = 1
			}
			return
		}
	}
	arg.Type = w.typ
	if o.Kind == ptx.KindInt {
		if b := w.typ.Bits(); b < 64 {
			arg.Imm &= 1<<b - 1
		}
		return
	}
	v, ok := floatBits(o.Val, o.Kind == ptx.KindFloat32, w.typ)
	if !ok {
		c.errorf(o.Pos, "%s: floating-point constant %s for .%s", in.Src.Name, o, w.typ)
		return
	}
	arg.Imm = v
}
