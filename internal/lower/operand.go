package lower

import (
	"strconv"
	"strings"

	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// irTypes are the types that the intermediate form knows; the others have Void.
var irTypes = [256]ir.Type{
	ptx.Pred: ir.Pred,
	ptx.B8:   ir.B8, ptx.B16: ir.B16, ptx.B32: ir.B32, ptx.B64: ir.B64, ptx.B128: ir.B128,
	ptx.U8: ir.U8, ptx.U16: ir.U16, ptx.U32: ir.U32, ptx.U64: ir.U64,
	ptx.S8: ir.S8, ptx.S16: ir.S16, ptx.S32: ir.S32, ptx.S64: ir.S64,
	ptx.F16: ir.F16, ptx.BF16: ir.BF16, ptx.F32: ir.F32, ptx.F64: ir.F64, ptx.F16x2: ir.F16x2, ptx.BF16x2: ir.BF16x2,
}

func irType(t ptx.Type) ir.Type { return irTypes[t] }

// spaces maps state spaces.
var spaces = [256]ir.Space{
	ptx.Generic: ir.SpaceGeneric, ptx.GlobalSpace: ir.SpaceGlobal, ptx.ConstSpace: ir.SpaceConst,
	ptx.SharedSpace: ir.SpaceShared, ptx.LocalSpace: ir.SpaceLocal, ptx.ParamSpace: ir.SpaceParam,
}

// bitsOf is the untyped-bits type of that many bits.
func bitsOf(n int) ir.Type {
	switch {
	case n <= 1:
		return ir.Pred
	case n <= 16:
		return ir.B16
	case n <= 32:
		return ir.B32
	case n <= 64:
		return ir.B64
	}
	return ir.B128
}

// value returns the value of a source operand, as wide as its register, or as the type of a constant or address.
func (l *fn) value(a *check.Arg) *ir.Value {
	switch a.Kind {
	case check.ArgReg:
		v := l.read(l.regSlot(a))
		if a.Not {
			v = l.op(ir.OpNot, ir.Pred, v)
		}
		return v
	case check.ArgImm:
		v := l.constant(irType(a.Type), a.Imm)
		if a.Not && v.Type == ir.Pred {
			v = l.op(ir.OpNot, ir.Pred, v)
		}
		return v
	case check.ArgSpecial:
		return l.special(a)
	case check.ArgAddr:
		return l.convert(l.address(a), ir.B64, irType(a.Type))
	case check.ArgParam:
		return l.address(a)
	}
	l.unsupported("")
	return l.constant(ir.B32, 0)
}

// regSlot is the slot of a register operand, or of the component it names.
func (l *fn) regSlot(a *check.Arg) slot {
	return l.regs[a.Reg] + slot(max(a.Comp, 0))
}

// valueAs returns the value of a source operand in the width of type t. A wider register is truncated; a narrower
// one, which PTX has only as 8 bits in 16, is extended by the sign of t.
func (l *fn) valueAs(a *check.Arg, t ir.Type) *ir.Value {
	v := l.value(a)
	if v.Type == t.Value() {
		return v
	}
	return l.convert(v, t, t)
}

// convert returns v, of which the bits of type from count, as a value of type to.Value(): truncated, or extended by the
// sign of from. Bits of v above from are ignored.
func (l *fn) convert(v *ir.Value, from, to ir.Type) *ir.Value {
	if v.Type.Bits() > from.Value().Bits() { // first the bits that count
		v = l.extend(v, v.Type, from.Value())
	}
	if v.Type == to.Value() && from.Bits() >= to.Bits() {
		return v
	}
	if v.Type.Bits() < from.Value().Bits() {
		from = v.Type
	}
	return l.extend(v, from, to)
}

func (l *fn) extend(v *ir.Value, from, to ir.Type) *ir.Value {
	return l.emit(&ir.Instr{Op: ir.OpExtend, As: to, From: from, Args: []*ir.Value{v}}, to.Value()).Results[0]
}

// specials are the names of special registers that are not those of the intermediate form.
var specials = func() map[string]ir.SReg {
	m := map[string]ir.SReg{}
	for s := range ir.NumSRegs {
		m["%"+s.String()] = s
	}
	return m
}()

// sameSpecials are registers that equal others: the launch has no clusters, so that each is one block.
var sameSpecials = map[string]string{
	"%clusterid.x": "%ctaid.x", "%clusterid.y": "%ctaid.y", "%clusterid.z": "%ctaid.z",
	"%nclusterid.x": "%nctaid.x", "%nclusterid.y": "%nctaid.y", "%nclusterid.z": "%nctaid.z",
	"%aggr_smem_size": "%total_smem_size",
}

// constantSpecials are registers with one value: nothing is counted, nothing reserved, and the driver sets no other
// environment registers than those that package ir has.
var constantSpecials = func() map[string]uint64 {
	m := map[string]uint64{
		"%cluster_ctarank": 0, "%cluster_nctarank": 1, "%is_explicit_cluster": 0, "%current_graph_exec": 0,
		"%reserved_smem_offset_begin": 0, "%reserved_smem_offset_end": 0, "%reserved_smem_offset_cap": 0,
		"%reserved_smem_offset_0": 0, "%reserved_smem_offset_1": 0,
	}
	for _, c := range []string{"x", "y", "z"} {
		m["%cluster_ctaid."+c], m["%cluster_nctaid."+c] = 0, 1
	}
	for i := 3; i < 32; i++ {
		m["%envreg"+strconv.Itoa(i)] = 0
	}
	for i := range 8 {
		m["%pm"+strconv.Itoa(i)], m["%pm"+strconv.Itoa(i)+"_64"] = 0, 0
	}
	return m
}()

// special reads a special register.
func (l *fn) special(a *check.Arg) *ir.Value {
	want := irType(a.Type)
	if strings.HasSuffix(a.Special, ".w") { // the fourth component of %tid and its like is there, and 0
		return l.constant(want, 0)
	}
	if v, ok := constantSpecials[a.Special]; ok {
		return l.constant(want, v)
	}
	name := a.Special
	if same, ok := sameSpecials[name]; ok {
		name = same
	}
	s, ok := specials[name]
	if !ok {
		l.unsupported("special register " + a.Special)
		return l.constant(want, 0)
	}
	t := s.Type()
	// Not shared within the block: clocks advance.
	v := l.emit(&ir.Instr{Op: ir.OpSpecial, As: t, Index: int(s)}, t).Results[0]
	return l.convert(v, t, want)
}

// address returns the B64 address that an operand names, in the space of its variable.
func (l *fn) address(a *check.Arg) *ir.Value {
	if a.Func != nil {
		return l.functionAddress(a)
	}
	v := l.variable(a.Var, 0)
	if a.Imm != 0 {
		v = l.op(ir.OpAdd, ir.U64, v, l.constant(ir.B64, a.Imm))
	}
	return v
}

func (l *fn) functionAddress(a *check.Arg) *ir.Value {
	f := real(a.Func)
	for i, g := range l.k.out.FuncTable {
		if j, ok := l.k.funcs[f]; ok && l.k.out.Funcs[j] == g {
			return l.once(&ir.Instr{Op: ir.OpFuncAddr, As: ir.B64, Index: i}, ir.B64)
		}
	}
	l.unsupported("the address of function " + f.Name)
	return l.constant(ir.B64, 0)
}

// variable returns the address of v plus off.
func (l *fn) variable(v *check.Var, off int64) *ir.Value {
	in := &ir.Instr{Op: ir.OpSymbol, As: ir.B64, Imm: uint64(off), Mods: ir.Mods{Space: spaces[v.Space]}}
	switch v.Space {
	case ptx.GlobalSpace, ptx.ConstSpace:
		in.Index = l.k.global(v)
	case ptx.SharedSpace:
		in.Imm += uint64(l.k.shared[v])
	case ptx.LocalSpace:
		at, ok := l.locals[v]
		if !ok {
			l.unsupported("local variable " + v.Name + " outside a function")
		}
		in.Imm += uint64(at)
	case ptx.ParamSpace:
		if at, ok := l.offsets[v]; ok {
			return l.constant(ir.B64, uint64(at+off))
		}
		at, ok := l.paramCopies[v]
		if !ok {
			l.unsupported("the address of parameter " + v.Name)
		}
		in.Space = ir.SpaceLocal
		in.Imm += uint64(at)
	default:
		l.unsupported("the address of " + v.Name)
		return l.constant(ir.B64, 0)
	}
	return l.once(in, ir.B64)
}

// memory returns address and offset of a memory operand that an instruction accesses in a space.
func (l *fn) memory(a *check.Arg, space ir.Space) (addr *ir.Value, off uint64) {
	switch {
	case a.Reg != check.NoReg:
		addr = l.read(l.regSlot(a))
		if addr.Type == ir.B32 && space < ir.SpaceShared {
			addr = l.extend(addr, ir.U32, ir.B64)
		}
		return addr, a.Imm
	case a.Var == nil:
		return l.constant(ir.B64, 0), a.Imm
	}
	addr = l.variable(a.Var, 0)
	if in := spaces[a.Var.Space]; space == ir.SpaceGeneric && in >= ir.SpaceShared {
		addr = l.emit(&ir.Instr{Op: ir.OpCvta, As: ir.B64, Mods: ir.Mods{Space: in}, Args: []*ir.Value{addr}}, ir.B64).Results[0]
	}
	return addr, a.Imm
}

// set writes v, a result of type t, to a destination. In a wider register it is extended by the sign of t. Lanes without
// the guard keep the old value.
func (l *fn) set(a *check.Arg, v *ir.Value, t ir.Type) {
	switch a.Kind {
	case check.ArgSink:
		return
	case check.ArgReg:
	default:
		l.unsupported("")
		return
	}
	s := l.regSlot(a)
	l.assign(s, l.convert(v, t, irType(l.src.Regs[a.Reg].Type)))
}

// assign writes v to a slot for the lanes that have the guard.
func (l *fn) assign(s slot, v *ir.Value) {
	if l.guard != nil {
		v = l.op(ir.OpSelect, l.types[s], l.guard, v, l.read(s))
	}
	l.write(s, v)
}

// pair writes the results of an instruction with destination d, d|p or _|p.
func (l *fn) pair(a *check.Arg, d *ir.Value, t ir.Type, p *ir.Value) {
	if a.Kind == check.ArgPair {
		l.set(&a.Elems[0], d, t)
		l.set(&a.Elems[1], p, ir.Pred)
		return
	}
	l.set(a, d, t)
}

// elements are the operands of a vector, or the one operand.
func elements(a *check.Arg) []check.Arg {
	if a.Kind == check.ArgVec {
		return a.Elems
	}
	return []check.Arg{*a}
}
