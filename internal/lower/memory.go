package lower

import (
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// orders and scopes by modifier.
var (
	orders = map[string]ir.Order{
		"": ir.Weak, "weak": ir.Weak, "volatile": ir.Volatile, "relaxed": ir.Relaxed, "acquire": ir.Acquire, "release": ir.Release,
		"acq_rel": ir.AcqRel, "sc": ir.SeqCst,
	}
	scopes = map[string]ir.Scope{"": ir.NoScope, "cta": ir.CTA, "cluster": ir.Cluster, "gpu": ir.GPU, "sys": ir.System}
)

// access translates the modifiers of a load or store; ok is false if the space is not one of the host device.
func access(f *check.Form) (m ir.Mods, ok bool) {
	m.Space, m.Order, m.Scope = spaces[f.Space], orders[f.Mod(check.Sem)], scopes[f.Mod(check.Scope)]
	if f.Mod(check.Mode) == "mmio" {
		m.Order, m.Scope = ir.Volatile, ir.NoScope
	}
	return m, true
}

// load lowers ld and ldu.
func (l *fn) load(in *check.Instr) bool {
	as := irType(in.Form.Type(0))
	dst, mem := elements(&in.Args[0]), &in.Args[1]
	m, ok := access(in.Form)
	if as == ir.Void || !ok || as.Bytes()*len(dst) > 32 {
		return false
	}
	if mem.Var != nil && mem.Var.Space == ptx.ParamSpace {
		if pieces, ok := l.params[mem.Var]; ok {
			return l.loadPieces(pieces, as, dst, int64(mem.Imm))
		}
		return l.loadParam(mem, as, dst)
	}
	if m.Space == ir.SpaceParam && !l.src.Entry {
		m.Space = ir.SpaceLocal // parameters whose addresses are taken are copied there
	}
	ld := &ir.Instr{Op: ir.OpLoad, As: as, Mods: m}
	addr, off := l.memory(mem, m.Space)
	ld.Args, ld.Imm = []*ir.Value{addr}, off
	l.finishLoad(ld, dst)
	return true
}

// loadParam lowers a load of a kernel's parameter by name.
func (l *fn) loadParam(mem *check.Arg, as ir.Type, dst []check.Arg) bool {
	at, ok := l.offsets[mem.Var]
	if !ok {
		return false
	}
	ld := &ir.Instr{
		Op: ir.OpLoad, As: as, Mods: ir.Mods{Space: ir.SpaceParam}, Imm: uint64(at) + mem.Imm, Args: []*ir.Value{l.constant(ir.B64, 0)},
	}
	l.finishLoad(ld, dst)
	return true
}

// finishLoad appends a load and writes its destinations. Each result is as wide as its register.
func (l *fn) finishLoad(ld *ir.Instr, dst []check.Arg) {
	types := make([]ir.Type, len(dst))
	for i := range dst {
		types[i] = ld.As.Value()
		if dst[i].Kind == check.ArgReg {
			types[i] = irType(l.src.Regs[dst[i].Reg].Type).Value()
		}
	}
	ld = l.effect(ld, types...)
	for i := range dst {
		l.set(&dst[i], ld.Results[i], types[i])
	}
}

// storeOp lowers st.
func (l *fn) storeOp(in *check.Instr) bool {
	as := irType(in.Form.Type(0))
	mem, src := &in.Args[0], elements(&in.Args[1])
	m, ok := access(in.Form)
	if as == ir.Void || !ok || as.Bytes()*len(src) > 32 {
		return false
	}
	vals := make([]*ir.Value, len(src))
	for i := range src {
		vals[i] = l.value(&src[i])
	}
	if m.Space == ir.SpaceParam {
		pieces, ok := l.params[mem.Var]
		return ok && l.storePieces(pieces, as, vals, int64(mem.Imm))
	}
	addr, off := l.memory(mem, m.Space)
	l.effect(&ir.Instr{Op: ir.OpStore, As: as, Mods: m, Imm: off, Args: append([]*ir.Value{addr}, vals...)})
	return true
}

// atomics by modifier.
var atomics = map[string]ir.AtomicOp{
	"add": ir.AtomAdd, "and": ir.AtomAnd, "or": ir.AtomOr, "xor": ir.AtomXor, "min": ir.AtomMin, "max": ir.AtomMax,
	"inc": ir.AtomInc, "dec": ir.AtomDec, "exch": ir.AtomExch, "cas": ir.AtomCas,
}

// atom lowers atom and red. An atom without a destination is a red where there is such.
func (l *fn) atom(in *check.Instr) bool {
	f := in.Form
	as := irType(f.Type(0))
	if as == ir.Void {
		return false
	}
	op := atomics[f.Mod(check.Mode)]
	m := ir.Mods{
		Space: spaces[f.Space], Order: orders[f.Mod(check.Sem)], Scope: scopes[f.Mod(check.Scope)], Sub: uint8(op),
	}
	if m.Order == ir.Weak {
		m.Order = ir.Relaxed
	}
	if m.Scope == ir.NoScope {
		m.Scope = ir.GPU
	}
	args, red := in.Args, f.Op == "red"
	if !red {
		args = args[1:]
	}
	addr, off := l.memory(&args[0], m.Space)
	if f.Vec > 1 {
		return l.atomVector(in, as, m, addr, off)
	}
	operands := []*ir.Value{addr, l.value(&args[1])}
	if op == ir.AtomCas {
		operands = append(operands, l.value(&args[2]))
	}
	a := &ir.Instr{Op: ir.OpAtom, As: as, Mods: m, Imm: off, Args: operands}
	if red || in.Args[0].Kind == check.ArgSink && op < ir.AtomExch {
		a.Op = ir.OpRed
		l.effect(a)
		return true
	}
	l.set(&in.Args[0], l.effect(a, as.Value()).Results[0], as)
	return true
}

// atomVector lowers atom and red of several elements, each of which is atomic by itself (PTX ISA, atom).
func (l *fn) atomVector(in *check.Instr, as ir.Type, m ir.Mods, addr *ir.Value, off uint64) bool {
	args, red := in.Args, in.Form.Op == "red"
	if !red {
		args = args[1:]
	}
	for i, v := range l.values(elements(&args[1])) {
		a := &ir.Instr{Op: ir.OpRed, As: as, Mods: m, Imm: off + uint64(i*as.Bytes()), Args: []*ir.Value{addr, v}}
		if red {
			l.effect(a)
			continue
		}
		a.Op = ir.OpAtom
		old := l.effect(a, as.Value()).Results[0]
		l.set(&elements(&in.Args[0])[i], old, as)
	}
	return true
}

// membar lowers membar and fence; membar is the sequentially consistent fence (PTX ISA, membar / fence).
func (l *fn) membar(in *check.Instr) bool {
	f := in.Form
	m := ir.Mods{Order: ir.SeqCst}
	switch {
	case f.Has(check.Mode): // of proxies, which see the same memory here, of mbarriers and clusters: all of them at once
		m.Scope = ir.System
	case f.Op == "membar":
		m.Scope = map[string]ir.Scope{"cta": ir.CTA, "gl": ir.GPU, "sys": ir.System}[f.Mod(check.Level)]
	default:
		m.Scope = scopes[f.Mod(check.Scope)]
		if m.Order = orders[f.Mod(check.Sem)]; m.Order == ir.Weak {
			m.Order = ir.AcqRel
		}
	}
	l.effect(&ir.Instr{Op: ir.OpFence, Mods: m})
	return true
}
