package passes

import (
	"math"
	"slices"

	"github.com/tandem-go/tandem/internal/ir"
)

// half computes f16 and bf16 in f32 and f64, with the same bits, for engines that compile only these. Sums, differences
// and products are exact in the longer type, or that is so much longer that rounding twice is rounding once (S. Figueroa,
// "When is double rounding innocuous?", 1995); all else is rounded to odd first (S. Boldo, G. Melquiond, "Emulation of a
// FMA and correctly rounded sums: proved algorithms using rounding to odd", 2008). Atomics, products of matrices,
// conversions from f64, and what flushes subnormal f16 to zero, stay as they are.
func half(c *context) {
	if c.o.KeepHalves {
		return
	}
	var w *widener
	for _, b := range c.f.Blocks {
		if !slices.ContainsFunc(b.Instrs, ofHalves) {
			continue
		}
		if w == nil {
			w = &widener{f: c.f, by: newReplacer(c.f), halves: map[*ir.Value][2]*ir.Value{}}
		}
		instrs := b.Instrs
		b.Instrs = make([]*ir.Instr, 0, 2*len(instrs))
		for _, in := range instrs {
			w.block, w.pos = b, in.Pos
			if v := w.widened(in); v != nil {
				w.by.replace(in.Results[0], v)
			} else {
				b.Instrs = append(b.Instrs, in)
			}
		}
	}
	if w != nil {
		w.by.apply()
	}
}

// ofHalves tells that in computes with f16 or bf16, and not with flushed subnormals.
func ofHalves(in *ir.Instr) bool {
	isHalf := func(t ir.Type) bool { return t == ir.F16 || t == ir.BF16 || t == ir.F16x2 || t == ir.BF16x2 }
	return in.Guard == nil && len(in.Results) == 1 && in.Flags&ir.FTZ == 0 && (isHalf(in.As) || isHalf(in.From))
}

// widener writes instructions in the place of others.
type widener struct {
	f     *ir.Func
	by    *replacer
	block *ir.Block
	pos   ir.Pos
	// halves are the parts of values that were packed here.
	halves map[*ir.Value][2]*ir.Value
}

// widened returns what has the value of in, nil if in stays.
func (w *widener) widened(in *ir.Instr) *ir.Value {
	if !ofHalves(in) {
		return nil
	}
	switch in.Op {
	case ir.OpCvt:
		return w.cvt(in)
	case ir.OpSetp, ir.OpSet:
		if in.As.Float() && in.As != ir.F32 || in.From.Bits() != 16 {
			return nil
		}
		wide := *in
		wide.From = ir.F32
		return w.emit(&wide, w.widen(in.Args[0], in.From), w.widen(in.Args[1], in.From))
	}
	switch in.As {
	case ir.F16, ir.BF16:
		return w.one(in, in.As, in.Args)
	case ir.F16x2, ir.BF16x2:
		return w.two(in)
	}
	return nil
}

// two computes each half of packed values.
func (w *widener) two(in *ir.Instr) *ir.Value {
	as := ir.F16
	if in.As == ir.BF16x2 {
		as = ir.BF16
	}
	args := [2][]*ir.Value{}
	for _, a := range in.Args {
		for i, v := range w.parts(a) {
			args[i] = append(args[i], v)
		}
	}
	low := w.one(in, as, args[0])
	if low == nil {
		return nil
	}
	parts := [2]*ir.Value{low, w.one(in, as, args[1])}
	w.halves[in.Results[0]] = parts
	return w.op(ir.OpOr, ir.B32, w.extend(ir.U32, ir.U16, parts[0]), w.aloft(parts[1]))
}

// parts are the halves of a packed value.
func (w *widener) parts(v *ir.Value) [2]*ir.Value {
	p, ok := w.halves[v]
	if !ok {
		p[0] = w.extend(ir.U16, ir.U32, v)
		p[1] = w.extend(ir.U16, ir.U32, w.op(ir.OpShr, ir.U32, v, w.constant(ir.B32, 16)))
	}
	return p
}

// one computes in for operands of type t, f16 or bf16.
func (w *widener) one(in *ir.Instr, t ir.Type, args []*ir.Value) *ir.Value {
	switch in.Op {
	case ir.OpNeg:
		return w.op(ir.OpXor, ir.B16, args[0], w.constant(ir.B16, 0x8000))
	case ir.OpAbs:
		return w.op(ir.OpAnd, ir.B16, args[0], w.constant(ir.B16, 0x7fff))
	case ir.OpAdd, ir.OpSub:
	case ir.OpMul:
		if t == ir.BF16 {
			return w.narrow64(w.product(args), t, in.Flags)
		}
	case ir.OpFma:
		if t == ir.BF16 {
			return w.narrow64(w.sumOdd(ir.F64, w.product(args[:2]), w.wide64(args[2])), t, in.Flags)
		}
		p := w.op(ir.OpMul, ir.F32, w.widen(args[0], t), w.widen(args[1], t)) // exact
		return w.narrow(w.sumOdd(ir.F32, p, w.widen(args[2], t)), t, in.Flags)
	case ir.OpMin, ir.OpMax, ir.OpEx2, ir.OpTanh:
		if in.Flags&(ir.Relu|ir.XorSign) != 0 { // a NaN loses its sign where it becomes an f32
			return nil
		}
	default:
		return nil
	}
	wide := &ir.Instr{Op: in.Op, As: ir.F32, Mods: in.Mods}
	wide.Flags &= ir.NaN | ir.Approx
	for _, a := range args {
		wide.Args = append(wide.Args, w.widen(a, t))
	}
	return w.narrow(w.emit(wide, wide.Args...), t, in.Flags)
}

// product multiplies two bf16, exactly.
func (w *widener) product(args []*ir.Value) *ir.Value {
	return w.op(ir.OpMul, ir.F64, w.wide64(args[0]), w.wide64(args[1]))
}

func (w *widener) wide64(v *ir.Value) *ir.Value {
	return w.convert(ir.F64, ir.F32, ir.RN, 0, w.widen(v, ir.BF16))
}

// cvt does conversions from and to 16 bits.
func (w *widener) cvt(in *ir.Instr) *ir.Value {
	a, saturate := in.Args[0], in.Flags&ir.Sat
	switch {
	case in.As == ir.F16 && in.From == ir.F16:
		if in.Flags&ir.RoundInt == 0 {
			return nil
		}
		return w.narrow(w.convert(ir.F32, ir.F32, in.Round, ir.RoundInt, w.widen(a, ir.F16)), ir.F16, in.Flags)
	case in.As == ir.F16 && in.From.Integer():
		// Numbers that f32 must round are beyond the greatest f16, whichever way they are rounded.
		return w.convert(ir.F16, ir.F32, in.Round, in.Flags, w.convert(ir.F32, in.From, in.Round, 0, a))
	case in.As == ir.BF16 && in.From == ir.F32 && in.Round == ir.RN && saturate == 0:
		return w.narrow(a, ir.BF16, in.Flags)
	case in.From == ir.F16 && in.As.Integer():
		return w.convert(in.As, ir.F32, in.Round, in.Flags, w.widen(a, ir.F16))
	case in.From == ir.F16 && in.As == ir.F64 && in.Flags&ir.RoundInt == 0:
		return w.convert(ir.F64, ir.F32, ir.RN, in.Flags, w.widen(a, ir.F16))
	case in.From == ir.BF16 && in.As == ir.F32 && in.Flags == 0:
		// A sum with -0 changes nothing but NaNs, which become canonical.
		return w.op(ir.OpAdd, ir.F32, w.widen(a, ir.BF16), w.constant(ir.B32, uint64(math.Float32bits(float32(math.Copysign(0, -1))))))
	}
	return nil
}

// widen makes an f32 of v, exactly.
func (w *widener) widen(v *ir.Value, t ir.Type) *ir.Value {
	if t == ir.F16 {
		return w.convert(ir.F32, ir.F16, ir.RN, 0, v)
	}
	return w.aloft(v)
}

// aloft puts 16 bits into the upper half of 32.
func (w *widener) aloft(v *ir.Value) *ir.Value {
	return w.op(ir.OpShl, ir.B32, w.extend(ir.U32, ir.U16, v), w.constant(ir.B32, 16))
}

// narrow rounds an f32 to nearest; flags are Sat, for f16, and Relu.
func (w *widener) narrow(v *ir.Value, t ir.Type, flags ir.Flags) *ir.Value {
	if t == ir.F16 {
		v = w.convert(ir.F16, ir.F32, ir.RN, flags&ir.Sat, v)
	} else {
		number := w.emit(&ir.Instr{Op: ir.OpSetp, As: ir.Pred, From: ir.F32, Mods: ir.Mods{Cmp: ir.Num}}, v, v)
		odd := w.op(ir.OpAnd, ir.B32, w.op(ir.OpShr, ir.U32, v, w.constant(ir.B32, 16)), w.constant(ir.B32, 1))
		v = w.op(ir.OpAdd, ir.U32, w.op(ir.OpAdd, ir.U32, v, w.constant(ir.B32, 0x7fff)), odd)
		v = w.op(ir.OpSelect, ir.B32, number, w.op(ir.OpShr, ir.U32, v, w.constant(ir.B32, 16)), w.constant(ir.B32, 0x7fff))
		v = w.extend(ir.U16, ir.U32, v)
	}
	if flags&ir.Relu == 0 {
		return v
	}
	signed := w.extend(ir.S32, ir.S16, v)
	negative := w.emit(&ir.Instr{Op: ir.OpSetp, As: ir.Pred, From: ir.S32, Mods: ir.Mods{Cmp: ir.Lt}}, signed, w.constant(ir.B32, 0))
	return w.op(ir.OpSelect, ir.B16, negative, w.constant(ir.B16, 0), v)
}

// narrow64 rounds an f64, to odd on its way through f32: there the bits that are cut off are gathered in the last one.
func (w *widener) narrow64(v *ir.Value, t ir.Type, flags ir.Flags) *ir.Value {
	cut := w.convert(ir.F32, ir.F64, ir.RZ, 0, v)
	inexact := w.emit(&ir.Instr{Op: ir.OpSetp, As: ir.Pred, From: ir.F64, Mods: ir.Mods{Cmp: ir.Ne}}, w.convert(ir.F64, ir.F32, ir.RN, 0, cut), v)
	return w.narrow(w.op(ir.OpSelect, ir.B32, inexact, w.op(ir.OpOr, ir.B32, cut, w.constant(ir.B32, 1)), cut), t, flags)
}

// sumOdd adds numbers of type t, f32 or f64, and rounds to odd: the sum to nearest, moved to the other neighbour of the
// exact sum where it is not exact and even (D. Knuth's TwoSum tells what it lacks).
func (w *widener) sumOdd(t ir.Type, a, b *ir.Value) *ir.Value {
	s := w.op(ir.OpAdd, t, a, b)
	ofB := w.op(ir.OpSub, t, s, a)
	lackA := w.op(ir.OpSub, t, a, w.op(ir.OpSub, t, s, ofB))
	lack := w.op(ir.OpAdd, t, lackA, w.op(ir.OpSub, t, b, ofB))

	bits, signed := ir.B32, ir.S32
	if t == ir.F64 {
		bits, signed = ir.B64, ir.S64
	}
	zero, one := w.constant(bits, 0), w.constant(bits, 1)
	inexact := w.emit(&ir.Instr{Op: ir.OpSetp, As: ir.Pred, From: t, Mods: ir.Mods{Cmp: ir.Ne}}, lack, zero)
	even := w.emit(&ir.Instr{Op: ir.OpSetp, As: ir.Pred, From: bits, Mods: ir.Mods{Cmp: ir.Eq}}, w.op(ir.OpAnd, bits, s, one), zero)
	// 1 if s lies nearer to zero than the exact sum, else -1: bits of floats count away from zero.
	apart := w.emit(&ir.Instr{Op: ir.OpSetp, As: ir.Pred, From: signed, Mods: ir.Mods{Cmp: ir.Lt}}, w.op(ir.OpXor, bits, s, lack), zero)
	step := w.op(ir.OpSelect, bits, apart, w.constant(bits, 1<<bits.Bits()-1), one)
	moved := w.op(ir.OpAdd, signed, s, step)
	return w.op(ir.OpSelect, bits, w.op(ir.OpAnd, ir.Pred, inexact, even), moved, s)
}

func (w *widener) convert(to, from ir.Type, r ir.Round, flags ir.Flags, v *ir.Value) *ir.Value {
	return w.emit(&ir.Instr{Op: ir.OpCvt, As: to, From: from, Mods: ir.Mods{Round: r, Flags: flags}}, v)
}

func (w *widener) extend(to, from ir.Type, v *ir.Value) *ir.Value {
	return w.emit(&ir.Instr{Op: ir.OpExtend, As: to, From: from}, v)
}

func (w *widener) constant(t ir.Type, bits uint64) *ir.Value {
	return w.emit(&ir.Instr{Op: ir.OpConst, As: t, Imm: bits})
}

func (w *widener) op(op ir.Op, as ir.Type, args ...*ir.Value) *ir.Value {
	return w.emit(&ir.Instr{Op: op, As: as}, args...)
}

// emit puts in, with one result and args for operands, into the block.
func (w *widener) emit(in *ir.Instr, args ...*ir.Value) *ir.Value {
	in.Args, in.Results, in.Pos = args, nil, w.pos
	return w.f.Emit(w.block, in, in.As.Value()).Results[0]
}
