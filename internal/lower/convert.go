package lower

import (
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// mov moves a value, an address, or the parts of a value from or into a vector. Moves of registers need no instruction.
func (l *fn) mov(in *check.Instr) bool {
	as := irType(in.Form.Type(0))
	d, a := &in.Args[0], &in.Args[1]
	switch {
	case a.Kind == check.ArgVec:
		parts := l.values(a.Elems)
		l.set(d, l.op(ir.OpPack, bitsOf(as.Bits()), parts...), as)
		return true
	case d.Kind == check.ArgVec:
		v := l.valueAs(a, as)
		n := len(d.Elems)
		part := bitsOf(as.Bits() / n)
		types := make([]ir.Type, n)
		for i := range types {
			types[i] = part.Value()
		}
		un := l.emit(&ir.Instr{Op: ir.OpUnpack, As: bitsOf(as.Bits()), Args: []*ir.Value{v}}, types...)
		for i := range d.Elems {
			l.set(&d.Elems[i], un.Results[i], part)
		}
		return true
	}
	l.set(d, l.valueAs(a, as), as)
	return true
}

// cvt lowers conversions. Between integers they are extensions, which .sat makes conversions proper.
func (l *fn) cvt(in *check.Instr) bool {
	f := in.Form
	switch {
	case f.Mod(check.Mode) == "pack":
		return l.clampedPack(in)
	case f.Type(0) == ptx.TF32:
		return l.tf32(in)
	}
	as, from := irType(f.Type(0)), irType(f.Type(1))
	m, ok := mods(f)
	if as == ir.Void || from == ir.Void || !ok && f.Mod(check.Sat) != "satfinite" || f.Has(check.Mode) {
		return false
	}
	d := &in.Args[0]
	if packed := map[ir.Type]ir.Type{ir.F16x2: ir.F16, ir.BF16x2: ir.BF16}[as]; packed != ir.Void {
		if len(in.Args) != 3 || f.Mod(check.Round) == "rs" {
			return false
		}
		high, low := l.cvtOne(packed, from, m, &in.Args[1]), l.cvtOne(packed, from, m, &in.Args[2])
		l.set(d, l.op(ir.OpPack, ir.B32, low, high), as)
		return true
	}
	if !as.Float() && !from.Float() && m.Flags&ir.Sat == 0 {
		v := l.convert(l.value(&in.Args[1]), from, as)
		l.set(d, v, as)
		return true
	}
	if as.Float() && from.Float() && as.Bits() == from.Bits() && len(f.Mod(check.Round)) == 3 {
		m.Flags |= ir.RoundInt
	}
	l.set(d, l.cvtOne(as, from, m, &in.Args[1]), as)
	return true
}

// cvtOne converts one operand.
func (l *fn) cvtOne(as, from ir.Type, m ir.Mods, a *check.Arg) *ir.Value {
	v := l.value(a)
	if v.Type != from.Value() {
		v = l.extend(v, v.Type, from.Value())
	}
	if l.in.Form.Mod(check.Sat) == "satfinite" {
		v = l.finite(v, largest[as])
	}
	return l.cvtValue(as, from, m, v)
}

// largest are the bits, as f32, of the largest finite number.
var largest = map[ir.Type]uint64{ir.F16: 0x477fe000, ir.BF16: 0x7f7f0000}

// finite clamps v, an f32, to numbers up to most; NaN remains.
func (l *fn) finite(v *ir.Value, most uint64) *ir.Value {
	keep := ir.Mods{Flags: ir.NaN}
	v = l.modified(ir.OpMin, ir.F32, keep, v, l.constant(ir.B32, most))
	return l.modified(ir.OpMax, ir.F32, keep, v, l.constant(ir.B32, most|1<<31))
}

// tf32 lowers cvt to tf32, which is f32 with 10 bits of fraction: the bits are rounded as an integer, so that a carry
// goes into the exponent.
func (l *fn) tf32(in *check.Instr) bool {
	f := in.Form
	const dropped = 13
	x := l.value(&in.Args[1])
	y := x
	switch f.Mod(check.Round) {
	case "rna":
		y = l.op(ir.OpAdd, ir.U32, y, l.constant(ir.B32, 1<<(dropped-1)))
	case "rn":
		last := l.op(ir.OpBfe, ir.U32, x, l.constant(ir.B32, dropped), l.constant(ir.B32, 1))
		y = l.op(ir.OpAdd, ir.U32, l.op(ir.OpAdd, ir.U32, y, l.constant(ir.B32, 1<<(dropped-1)-1)), last)
	}
	y = l.op(ir.OpAnd, ir.B32, y, l.constant(ir.B32, 1<<32-1<<dropped))
	if f.Has(check.Sat) {
		y = l.finite(y, 0x7f7fe000)
	}
	if f.Has(check.Relu) {
		y = l.op(ir.OpMax, ir.S32, y, l.constant(ir.B32, 0))
	}
	nan := l.compare(ir.IsNaN, ir.F32, ir.Mods{}, x, x)
	l.set(&in.Args[0], l.op(ir.OpSelect, ir.B32, nan, l.constant(ir.B32, 0x7fffffff), y), ir.B32)
	return true
}

// cvtValue is a conversion of v.
func (l *fn) cvtValue(as, from ir.Type, m ir.Mods, v *ir.Value) *ir.Value {
	return l.emit(&ir.Instr{Op: ir.OpCvt, As: as, From: from, Mods: m, Args: []*ir.Value{v}}, as.Value()).Results[0]
}

// cvta lowers cvta and cvta.to.
func (l *fn) cvta(in *check.Instr) bool {
	as := irType(in.Form.Type(0))
	space := spaces[in.Form.Space]
	if space == ir.SpaceParam {
		return l.cvtaParam(in, as)
	}
	op := ir.OpCvta
	if in.Form.Has(check.To) {
		op = ir.OpCvtaTo
	}
	v := l.convert(l.value(&in.Args[1]), as, ir.U64)
	c := &ir.Instr{Op: op, As: ir.B64, Mods: ir.Mods{Space: space}, Args: []*ir.Value{v}}
	l.set(&in.Args[0], l.convert(l.emit(c, ir.B64).Results[0], ir.U64, as), as)
	return true
}

func (l *fn) isspacep(in *check.Instr) bool {
	a := &in.Args[1]
	v := l.value(a)
	switch v.Type {
	case ir.B32:
		v = l.extend(v, ir.U32, ir.B64)
	case ir.B64:
	default:
		return false // no register for an address
	}
	if in.Form.Space == ptx.ParamSpace {
		l.set(&in.Args[0], l.isParam(v), ir.Pred)
		return true
	}
	c := &ir.Instr{Op: ir.OpIsSpace, As: ir.Pred, Mods: ir.Mods{Space: spaces[in.Form.Space]}, Args: []*ir.Value{v}}
	l.set(&in.Args[0], l.emit(c, ir.Pred).Results[0], ir.Pred)
	return true
}

// mapa lowers mapa: the only block of a cluster maps addresses to themselves.
func (l *fn) mapa(in *check.Instr) bool {
	as := irType(in.Form.Type(0))
	l.set(&in.Args[0], l.valueAs(&in.Args[1], as), as)
	return true
}

// ctaRank lowers getctarank.
func (l *fn) ctaRank(in *check.Instr) bool {
	l.set(&in.Args[0], l.constant(ir.B32, 0), ir.U32)
	return true
}
