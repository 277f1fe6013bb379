package lower

import (
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// Instructions on two values in one register, of which the intermediate form has only the commonest, are lowered to
// operations on each. PTX ISA, Half Precision Comparison Instructions; add, min and max of packed types.

// parts are the types of the two values in a register.
var parts = map[ptx.Type]ir.Type{
	ptx.F16x2: ir.F16, ptx.BF16x2: ir.BF16, ptx.U16x2: ir.U16, ptx.S16x2: ir.S16, ptx.F32x2: ir.F32,
}

// halves takes v apart, the low part first.
func (l *fn) halves(v *ir.Value) (low, high *ir.Value) {
	half := bitsOf(v.Type.Bits() / 2)
	un := l.emit(&ir.Instr{Op: ir.OpUnpack, As: v.Type, Args: []*ir.Value{v}}, half, half)
	return un.Results[0], un.Results[1]
}

// join is the register of which halves made low and high.
func (l *fn) join(low, high *ir.Value) *ir.Value {
	return l.op(ir.OpPack, bitsOf(low.Type.Bits()*2), low, high)
}

// eachHalf lowers an instruction by f, which is given the operands' low and then their high parts.
func (l *fn) eachHalf(in *check.Instr, f func(args []*ir.Value) *ir.Value) {
	var low, high []*ir.Value
	for _, v := range l.values(in.Args[1:]) {
		a, b := l.halves(v)
		low, high = append(low, a), append(high, b)
	}
	d := l.join(f(low), f(high))
	l.set(&in.Args[0], d, d.Type)
}

// packedOps are the instructions that are done part by part.
var packedOps = map[string]ir.Op{"add": ir.OpAdd, "sub": ir.OpSub, "mul": ir.OpMul, "fma": ir.OpFma, "min": ir.OpMin, "max": ir.OpMax}

// packed lowers an instruction on u16x2, s16x2 or f32x2; false if in is none.
func (l *fn) packed(in *check.Instr) bool {
	t := in.Form.Type(0)
	if t != ptx.U16x2 && t != ptx.S16x2 && t != ptx.F32x2 {
		return false
	}
	op, as := packedOps[in.Form.Op], parts[t]
	m, ok := mods(in.Form)
	if op == ir.OpBad || !ok {
		return false
	}
	relu := m.Flags&ir.Relu != 0
	m.Flags &^= ir.Relu
	l.eachHalf(in, func(args []*ir.Value) *ir.Value {
		v := l.modified(op, as, m, args...)
		if relu {
			v = l.op(ir.OpMax, as, v, l.constant(as, 0))
		}
		return v
	})
	return true
}

// mixed lowers add, sub and fma of f32 with operands of f16 or bf16, which are widened; c and the result are f32.
func (l *fn) mixed(in *check.Instr) bool {
	from := irType(in.Form.Type(1))
	m, ok := mods(in.Form)
	op := packedOps[in.Form.Op]
	if from != ir.F16 && from != ir.BF16 || !ok || op == ir.OpBad {
		return false
	}
	args := l.values(in.Args[1:])
	for i := range args[:len(args)-1] {
		args[i] = l.cvtValue(ir.F32, from, ir.Mods{}, args[i])
	}
	l.set(&in.Args[0], l.modified(op, ir.F32, m, args...), ir.F32)
	return true
}

// setp2 lowers setp of two packed numbers: p is the comparison of the low ones, q of the high ones.
func (l *fn) setp2(in *check.Instr, part ir.Type) bool {
	m, ok := mods(in.Form)
	alow, ahigh := l.halves(l.value(&in.Args[1]))
	blow, bhigh := l.halves(l.value(&in.Args[2]))
	cmp := comparisons[in.Form.Mod(check.Cmp)]
	p, q := l.compare(cmp, part, m, alow, blow), l.compare(cmp, part, m, ahigh, bhigh)
	if in.Form.Has(check.Bool) {
		c, op := l.value(&in.Args[3]), boolOps[in.Form.Mod(check.Bool)]
		p, q = l.op(op, ir.Pred, p, c), l.op(op, ir.Pred, q, c)
	}
	l.pair(&in.Args[0], p, ir.Pred, q)
	return ok
}

// set2 lowers set of two packed numbers: each half is 1.0, or all ones for an integer destination, where its comparison
// holds.
func (l *fn) set2(in *check.Instr, part ir.Type) bool {
	m, ok := mods(in.Form)
	yes := uint64(0xffff)
	if to := irType(in.Form.Type(0)); to.Float() {
		yes = trueBits[part]
	}
	cmp := comparisons[in.Form.Mod(check.Cmp)]
	alow, ahigh := l.halves(l.value(&in.Args[1]))
	blow, bhigh := l.halves(l.value(&in.Args[2]))
	half := func(a, b *ir.Value) *ir.Value {
		p := l.compare(cmp, part, m, a, b)
		if in.Form.Has(check.Bool) {
			p = l.op(boolOps[in.Form.Mod(check.Bool)], ir.Pred, p, l.value(&in.Args[3]))
		}
		return l.op(ir.OpSelect, ir.B16, p, l.constant(ir.B16, yes), l.constant(ir.B16, 0))
	}
	l.set(&in.Args[0], l.join(half(alow, blow), half(ahigh, bhigh)), ir.B32)
	return ok
}
