package lower

import (
	"slices"

	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// A .param variable of a call or of a device function is no memory here but pieces, which are slots: one for each eight
// bytes and one for the rest. Caller and callee cut a variable alike, since how it is cut depends on its size only.

// pieceSize is the size of a whole piece in bytes.
const pieceSize = 8

// maxParamSize bounds the pieces of one variable; what is larger is no value.
const maxParamSize = 4096

// newParam makes the slots of v. A parameter in the .reg space has one already.
func (l *fn) newParam(v *check.Var) {
	if v.Space == ptx.RegSpace {
		l.params[v] = []slot{l.regs[v.Reg]}
		return
	}
	var slots []slot
	for _, t := range pieces(v) {
		slots = append(slots, l.newSlot(t))
	}
	l.params[v] = slots
}

// pieces are the types of the pieces of v.
func pieces(v *check.Var) (types []ir.Type) {
	if v.Space == ptx.RegSpace {
		return []ir.Type{irType(v.Decl.Type).Value()}
	}
	n := min(v.Size, maxParamSize)
	for ; n > 4; n -= pieceSize {
		types = append(types, ir.B64)
	}
	if n > 0 {
		types = append(types, ir.B32)
	}
	return types
}

// pieceTypes are the types of the slots of v.
func (l *fn) pieceTypes(v *check.Var) (types []ir.Type) {
	for _, s := range l.params[v] {
		types = append(types, l.types[s])
	}
	return types
}

// inPiece finds the piece with size bytes at off; ok is false if no single one has them.
func (l *fn) inPiece(slots []slot, off int64, size int) (s slot, shift uint64, ok bool) {
	i := off / pieceSize
	if off < 0 || i >= int64(len(slots)) {
		return 0, 0, false
	}
	s = slots[i]
	first := int(off % pieceSize)
	return s, uint64(first * 8), (first+size)*8 <= l.types[s].Bits()
}

// loadPieces lowers ld.param of a parameter in pieces.
func (l *fn) loadPieces(slots []slot, as ir.Type, dst []check.Arg, off int64) bool {
	for i := range dst {
		s, shift, ok := l.inPiece(slots, off+int64(i*as.Bytes()), as.Bytes())
		if !ok {
			return false
		}
		v := l.read(s)
		if shift != 0 {
			v = l.op(ir.OpShr, bitsOf(v.Type.Bits()), v, l.constant(ir.B32, shift))
		}
		l.set(&dst[i], l.convert(v, as, as), as)
	}
	return true
}

// storePieces lowers st.param.
func (l *fn) storePieces(slots []slot, as ir.Type, vals []*ir.Value, off int64) bool {
	for i, v := range vals {
		s, shift, ok := l.inPiece(slots, off+int64(i*as.Bytes()), as.Bytes())
		if !ok {
			return false
		}
		t := l.types[s]
		v = l.convert(v, bitsOf(as.Bits()), t)
		if as.Bits() < t.Bits() {
			pos, n := l.constant(ir.B32, shift), l.constant(ir.B32, uint64(as.Bits()))
			v = l.op(ir.OpBfi, t, v, l.read(s), pos, n)
		}
		l.assign(s, v)
	}
	return true
}

// call lowers calls: of functions of the module, of what the device's runtime provides, and through registers.
func (l *fn) call(in *check.Instr) bool {
	c := in.Call
	if c.Func != nil && c.Func.Runtime {
		return l.runtime(c)
	}
	call := &ir.Instr{Op: ir.OpCall}
	if in.Form.Has(check.Uni) {
		call.Flags = ir.Uniform
	}
	if c.Func != nil {
		i, ok := l.k.funcs[real(c.Func)]
		if !ok {
			return false
		}
		call.Index = i
	} else {
		call.Op = ir.OpCallIndirect
		call.Args = append(call.Args, l.convert(l.read(l.regs[c.Target]), ir.U64, ir.B64))
	}
	args, ok := l.arguments(c)
	if !ok {
		return false
	}
	call.Args = append(call.Args, args...)
	var types []ir.Type
	for _, v := range c.RetVars {
		types = append(types, pieces(v)...)
	}
	l.results(c, l.effect(call, types...).Results)
	return true
}

// arguments are the pieces of all arguments of a call.
func (l *fn) arguments(c *check.Call) (vs []*ir.Value, ok bool) {
	for i := range c.Args {
		a, param := &c.Args[i], c.ParamVars[i]
		if a.Kind == check.ArgParam {
			if param.Size == 0 && a.Var.Size != 0 || a.Var.Size > maxParamSize {
				return nil, false // an unsized last parameter: the callee would index it
			}
			for _, s := range l.params[a.Var] {
				vs = append(vs, l.read(s))
			}
			continue
		}
		t := irType(param.Decl.Type)
		v := l.valueAs(a, t)
		if types := pieces(param); len(types) == 1 && types[0] != v.Type {
			v = l.convert(v, t, types[0])
		}
		vs = append(vs, v)
	}
	return vs, true
}

// results writes what a call gave to the variables or registers that take it.
func (l *fn) results(c *check.Call, vs []*ir.Value) {
	for i := range c.Rets {
		a := &c.Rets[i]
		n := len(pieces(c.RetVars[i]))
		if a.Kind == check.ArgParam {
			for j, s := range l.params[a.Var] {
				l.assign(s, vs[j])
			}
		} else {
			l.set(a, vs[0], irType(c.RetVars[i].Decl.Type))
		}
		vs = vs[n:]
	}
}

// runtimeCalls are the functions that the runtime provides: the operation, and the types of arguments and result.
var runtimeCalls = map[string]struct {
	op   ir.Op
	as   ir.Type
	args []ir.Type
}{
	"vprintf":      {ir.OpPrintf, ir.B32, []ir.Type{ir.B64, ir.B64}},
	"malloc":       {ir.OpMalloc, ir.B64, []ir.Type{ir.B64}},
	"free":         {ir.OpFreeHeap, ir.Void, []ir.Type{ir.B64}},
	"__assertfail": {ir.OpAssertFail, ir.Void, []ir.Type{ir.B64, ir.B64, ir.B32, ir.B64, ir.B64}},
}

func (l *fn) runtime(c *check.Call) bool {
	r, ok := runtimeCalls[c.Func.Name]
	if !ok {
		return false
	}
	args, ok := l.arguments(c)
	types := make([]ir.Type, len(args))
	for i, v := range args {
		types[i] = v.Type
	}
	if !ok || !slices.Equal(types, r.args) {
		return false
	}
	in := &ir.Instr{Op: r.op, As: r.as, Args: args}
	if r.as == ir.Void {
		l.effect(in)
		return len(c.Rets) == 0
	}
	in = l.effect(in, r.as)
	if len(c.Rets) == 1 {
		l.results(c, in.Results)
	}
	return true
}
