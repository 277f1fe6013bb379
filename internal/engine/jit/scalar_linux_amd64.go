package jit

import (
	"math/bits"

	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// special emits a special register; false if it has to be asked in Go.
func (e *emitter) special(in *ir.Instr) bool {
	v, r := e.of(in.Results[0]), ir.SReg(in.Index)
	switch r {
	case ir.TidX, ir.TidY, ir.TidZ:
		if v.class == vector {
			for part := range 2 {
				d := e.dst(v, part)
				e.RRM(amd64.VMOVUPS, d, 0, amd64.At(frameReg, frameTids+128*int32(r-ir.TidX)+64*int32(part)), zmm)
				e.out(v, part, d)
			}
			return true
		}
		e.scalarFrom(v, amd64.At(frameReg, frameTid+8*int32(r-ir.TidX)))
		return true
	case ir.LaneID:
		if v.class == vector {
			lane := &value{v: v.v, class: scalar, s: 1, d: 16}
			for part := range 2 {
				d := e.dst(v, part)
				e.RRM(amd64.VMOVUPS, d, 0, e.pattern(lane, part), zmm)
				e.out(v, part, d)
			}
			return true
		}
		e.MovRI(amd64.RAX, 0)
		e.scalarOut(v, amd64.RAX)
		return true
	}
	if f := lanemasks[r]; f != nil {
		return e.lanemask(v, f)
	}
	at, ok := specialPlace[r]
	if !ok {
		return false
	}
	m := amd64.At(blockReg, at)
	if at < 0 {
		m = amd64.At(frameReg, -at)
	}
	e.scalarFrom(v, m)
	return true
}

// scalarFrom gives v 64 bits from memory.
func (e *emitter) scalarFrom(v *value, m amd64.Mem) {
	r := amd64.RAX
	if v.class == scalar && v.home.kind == inRegister {
		r = amd64.Reg(v.home.reg)
	}
	e.MovRM(amd64.W64, r, m)
	e.scalarOut(v, r)
}

var scalarALU = map[ir.Op]amd64.Alu{
	ir.OpAdd: amd64.ADD, ir.OpSub: amd64.SUB, ir.OpAnd: amd64.AND, ir.OpOr: amd64.OR, ir.OpXor: amd64.XOR,
}

// scalar emits in on general registers. The result is computed in RAX.
func (e *emitter) scalar(in *ir.Instr) {
	v := e.of(in.Results[0])
	arg := func(i int) *value { return e.of(in.Args[i]) }
	w := amd64.W32
	if in.As.Bits() == 64 {
		w = amd64.W64
	}
	const ax, cx, dx = amd64.RAX, amd64.RCX, amd64.RDX
	switch in.Op {
	case ir.OpAdd, ir.OpSub, ir.OpAnd, ir.OpOr, ir.OpXor:
		e.scalarSum(in, w)
		return
	case ir.OpMul:
		d := e.target(v, arg(1))
		if b := arg(1); b.class == constant {
			e.times(w, d, e.scalarIn(arg(0), ax), int64(int32(b.imm)), b.imm)
		} else {
			e.scalarInto(arg(0), d)
			e.ImulRR(w, d, e.scalarIn(b, cx))
		}
		e.scalarOut(v, d)
		return
	case ir.OpMulHi:
		e.scalarInto(arg(0), ax)
		e.scalarInto(arg(1), cx)
		if in.As.Signed() {
			e.ImulR(w, cx)
		} else {
			e.MulR(w, cx)
		}
		e.MovRR(w, ax, dx)
	case ir.OpMulWide:
		a, b := arg(0), arg(1)
		if a.uniform() {
			a, b = b, a
		}
		d := ax
		if !e.mayWrap(a) {
			d = e.target(v, b)
		}
		e.widenScalar(in, a, d)
		factor := int64(b.imm)
		if in.As.Signed() {
			factor = int64(int32(b.imm))
		}
		if b.class == constant && factor == int64(int32(factor)) {
			e.times(amd64.W64, d, d, factor, uint64(factor))
			e.scalarOut(v, d)
			return
		}
		e.scalarInto(b, cx)
		if in.As.Signed() {
			e.MovSX(amd64.W64, amd64.W32, cx, cx)
		}
		e.ImulRR(amd64.W64, d, cx)
		e.scalarOut(v, d)
		return
	case ir.OpDiv, ir.OpRem:
		e.divide(in, w, arg(0), arg(1))
	case ir.OpNeg:
		e.scalarInto(arg(0), ax)
		e.NegR(w, ax)
	case ir.OpAbs:
		e.scalarInto(arg(0), ax)
		if in.As.Signed() {
			e.MovRR(w, cx, ax)
			e.NegR(w, cx)
			e.Cmov(w, amd64.NS, ax, cx)
		}
	case ir.OpShl, ir.OpShr:
		e.shift(in, w, arg(0), arg(1))
	default:
		e.scalarConvert(in, v)
		return
	}
	e.scalarOut(v, ax)
}

// target is the register in which to compute v when operands other than the first are still needed.
func (e *emitter) target(v *value, others ...*value) amd64.Reg {
	if (v.class != scalar && v.class != flag) || v.home.kind != inRegister {
		return amd64.RAX
	}
	for _, o := range others {
		if (o.class == scalar || o.class == flag) && o.home == v.home {
			return amd64.RAX
		}
	}
	return amd64.Reg(v.home.reg)
}

// scalarSum emits sums, differences and logic.
func (e *emitter) scalarSum(in *ir.Instr, w amd64.Width) {
	const ax, cx = amd64.RAX, amd64.RCX
	v, a, b := e.of(in.Results[0]), e.of(in.Args[0]), e.of(in.Args[1])
	imm, small := int64(b.imm), b.class == constant
	if w == amd64.W32 {
		imm = int64(int32(b.imm))
	}
	small = small && imm == int64(int32(imm))
	d := e.target(v, b)
	switch {
	case small && in.Op == ir.OpAdd:
		e.Lea(w, d, amd64.At(e.scalarIn(a, ax), int32(imm)))
	case small && in.Op == ir.OpSub && imm != -1<<31:
		e.Lea(w, d, amd64.At(e.scalarIn(a, ax), int32(-imm)))
	case small:
		e.scalarInto(a, d)
		e.AluRI(w, scalarALU[in.Op], d, int32(imm))
	case in.Op == ir.OpAdd:
		x := e.scalarIn(a, ax)
		e.Lea(w, d, amd64.AtIndex(x, e.scalarIn(b, cx), 1, 0))
	default:
		e.scalarInto(a, d)
		e.AluRR(w, scalarALU[in.Op], d, e.scalarIn(b, cx))
	}
	e.scalarOut(v, d)
}

// times is d = x * factor. bits are those of the factor.
func (e *emitter) times(w amd64.Width, d, x amd64.Reg, factor int64, factorBits uint64) {
	switch n := bits.TrailingZeros64(factorBits); {
	case factorBits != 0 && factorBits == 1<<n:
		if d != x {
			e.MovRR(amd64.W64, d, x)
		}
		if n > 0 {
			e.ShiftRI(w, amd64.SHL, d, uint8(n))
		} else if w == amd64.W32 {
			e.MovRR(w, d, d)
		}
	case w == amd64.W32 || int64(factorBits) == factor && factor == int64(int32(factor)):
		e.ImulRI(w, d, x, int32(factor))
	default:
		e.MovRI(amd64.RCX, factorBits)
		if d != x {
			e.MovRR(amd64.W64, d, x)
		}
		e.ImulRR(w, d, amd64.RCX)
	}
}

// mayWrap tells that the base and offset of some lane may not fit into 32 bits together.
func (e *emitter) mayWrap(a *value) bool {
	align := a.align
	if e.half > 0 && a.class == scalar {
		align = min(align, alignOf(uint64(a.d)))
	}
	least, most := e.spanHere(a)
	return least < 0 || uint64(most) >= align
}

// scalarConvert emits comparisons, selections and conversions.
func (e *emitter) scalarConvert(in *ir.Instr, v *value) {
	const ax, cx, dx = amd64.RAX, amd64.RCX, amd64.RDX
	w := amd64.W32
	if in.As.Bits() == 64 {
		w = amd64.W64
	}
	arg := func(i int) *value { return e.of(in.Args[i]) }
	switch in.Op {
	case ir.OpNot:
		e.scalarInto(arg(0), ax)
		switch {
		case in.As == ir.Pred:
			e.AluRI(amd64.W32, amd64.XOR, ax, 1)
		case in.As.Bits() == 16:
			e.AluRI(amd64.W32, amd64.XOR, ax, 0xffff)
		default:
			e.NotR(w, ax)
		}
	case ir.OpMin, ir.OpMax:
		e.scalarInto(arg(0), ax)
		e.scalarInto(arg(1), cx)
		e.AluRR(w, amd64.CMP, cx, ax)
		cond := map[bool]map[ir.Op]amd64.Cond{true: {ir.OpMin: amd64.L, ir.OpMax: amd64.G}, false: {ir.OpMin: amd64.B, ir.OpMax: amd64.A}}[in.As.Signed()][in.Op]
		e.Cmov(w, cond, ax, cx)
	case ir.OpPopc, ir.OpClz:
		e.scalarInto(arg(0), ax)
		if in.Op == ir.OpPopc {
			e.Popcnt(w, ax, ax)
		} else {
			e.Lzcnt(w, ax, ax)
		}
	case ir.OpSetp:
		e.compareScalars(in)
		e.Setcc(condition(in), ax)
		e.MovZX(amd64.W8, ax, ax)
	case ir.OpSelect: // what loads the alternatives leaves the flags alone
		p := e.scalarIn(e.of(in.Args[0]), cx)
		e.TestRR(amd64.W32, p, p)
		e.scalarInto(e.of(in.Args[1]), ax)
		e.scalarInto(e.of(in.Args[2]), dx)
		e.Cmov(amd64.W64, amd64.E, ax, dx)
	case ir.OpExtend, ir.OpCvt:
		e.scalarExtend(in, v, ax)
	case ir.OpCvta, ir.OpCvtaTo:
		e.scalarInto(e.of(in.Args[0]), ax)
		if in.Space == ir.SpaceShared {
			op := amd64.ADD
			if in.Op == ir.OpCvtaTo {
				op = amd64.SUB
			}
			e.AluRM(amd64.W64, op, ax, amd64.At(blockReg, areaShared))
		}
	default:
		e.fail("operation %s.%s has no scalar form", in.Op, in.As)
	}
	e.scalarOut(v, ax)
}

// scalarExtend truncates or extends an integer into ax.
func (e *emitter) scalarExtend(in *ir.Instr, v *value, ax amd64.Reg) {
	a := e.of(in.Args[0])
	n := in.Args[0].Type.Bits()
	if in.From != ir.Void {
		n = min(n, in.From.Bits())
	}
	to := v.v.Type.Bits()
	if n == 32 && to == 64 {
		e.widenScalar(in, a, ax)
		return
	}
	e.scalarInto(a, ax)
	signed := in.From.Signed()
	if n < to {
		switch {
		case signed && n < 32:
			e.MovSX(amd64.W64, amd64.Width(n/8), ax, ax)
		case n < 32:
			e.MovZX(amd64.Width(n/8), ax, ax)
		}
	}
	switch to {
	case 32:
		e.MovRR(amd64.W32, ax, ax)
	case 16:
		e.MovZX(amd64.W16, ax, ax)
	}
}

// widenScalar extends the 32 bits of a to 64 in r. Where lanes differ, the sum of base and offset must not wrap around in
// any lane, or the block goes on in the reference engine.
func (e *emitter) widenScalar(in *ir.Instr, a *value, r amd64.Reg) {
	signed := in.As.Signed()
	if in.Op != ir.OpMulWide {
		signed = in.From.Signed()
	}
	ext := func(d, s amd64.Reg) {
		if signed {
			e.MovSX(amd64.W64, amd64.W32, d, s)
		} else {
			e.MovRR(amd64.W32, d, s)
		}
	}
	from := e.scalarIn(a, r)
	ext(r, from)
	if !e.mayWrap(a) {
		return
	}
	least, most := e.spanHere(a)
	out, back := e.NewLabel(), e.NewLabel()
	for _, edge := range []int64{least, most} {
		if edge == 0 {
			continue
		}
		e.Lea(amd64.W64, amd64.RCX, amd64.At(r, int32(edge)))
		ext(amd64.RDX, amd64.RCX)
		e.AluRR(amd64.W64, amd64.CMP, amd64.RDX, amd64.RCX)
		e.Jcc(amd64.NE, out)
	}
	e.Bind(back)
	e.leave(out, back, site{kind: siteLeave, in: in})
}

// condition is the condition code of a comparison of integers.
func condition(in *ir.Instr) amd64.Cond {
	if in.From.Signed() {
		return map[ir.Cmp]amd64.Cond{ir.Eq: amd64.E, ir.Ne: amd64.NE, ir.Lt: amd64.L, ir.Le: amd64.LE, ir.Gt: amd64.G, ir.Ge: amd64.GE}[in.Cmp]
	}
	return map[ir.Cmp]amd64.Cond{ir.Eq: amd64.E, ir.Ne: amd64.NE, ir.Lt: amd64.B, ir.Le: amd64.BE, ir.Gt: amd64.A, ir.Ge: amd64.AE}[in.Cmp]
}

// compareScalars sets the flags.
func (e *emitter) compareScalars(in *ir.Instr) {
	a, b := e.of(in.Args[0]), e.of(in.Args[1])
	w := amd64.W32
	if in.From.Bits() == 64 {
		w = amd64.W64
	}
	if in.From.Bits() < 32 {
		e.scalarInto(a, amd64.RAX)
		e.scalarInto(b, amd64.RCX)
		if in.From.Signed() {
			e.MovSX(amd64.W32, amd64.W16, amd64.RAX, amd64.RAX)
			e.MovSX(amd64.W32, amd64.W16, amd64.RCX, amd64.RCX)
		}
		e.AluRR(amd64.W32, amd64.CMP, amd64.RAX, amd64.RCX)
		return
	}
	e.compareWithScalar(w, e.scalarIn(a, amd64.RAX), b)
}

// shift emits a shift by any number: PTX clamps what is not below the width, the machine takes it modulo the width.
func (e *emitter) shift(in *ir.Instr, w amd64.Width, a, n *value) {
	const ax, cx, dx = amd64.RAX, amd64.RCX, amd64.RDX
	op := amd64.SHL
	if in.Op == ir.OpShr {
		op = amd64.SHR
		if in.As.Signed() {
			op = amd64.SAR
		}
	}
	size := uint64(in.As.Bits())
	e.scalarInto(a, ax)
	if n.class == constant {
		switch {
		case n.imm == 0:
		case n.imm < size:
			e.ShiftRI(w, op, ax, uint8(n.imm))
		case op == amd64.SAR:
			e.ShiftRI(w, op, ax, uint8(size-1))
		default:
			e.MovRI(ax, 0)
		}
		return
	}
	e.scalarInto(n, cx)
	if op == amd64.SAR {
		e.MovRI(dx, size-1)
		e.AluRR(amd64.W32, amd64.CMP, cx, dx)
		e.Cmov(amd64.W32, amd64.A, cx, dx)
		e.ShiftRC(w, op, ax)
		return
	}
	e.ShiftRC(w, op, ax)
	e.MovRI(dx, 0)
	e.AluRI(amd64.W32, amd64.CMP, cx, int32(size))
	e.Cmov(amd64.W64, amd64.AE, ax, dx)
}

// divide emits a quotient or remainder: by zero all ones, or the dividend; the machine's overflow is -1 apart.
func (e *emitter) divide(in *ir.Instr, w amd64.Width, a, b *value) {
	const ax, cx, dx = amd64.RAX, amd64.RCX, amd64.RDX
	zero, minus, done := e.NewLabel(), e.NewLabel(), e.NewLabel()
	e.scalarInto(a, ax)
	e.scalarInto(b, cx)
	e.TestRR(w, cx, cx)
	e.Jcc(amd64.E, zero)
	if in.As.Signed() {
		e.AluRI(w, amd64.CMP, cx, -1)
		e.Jcc(amd64.E, minus)
		e.SignExtendA(w)
		e.IdivR(w, cx)
	} else {
		e.AluRR(amd64.W32, amd64.XOR, dx, dx)
		e.DivR(w, cx)
	}
	if in.Op == ir.OpRem {
		e.MovRR(w, ax, dx)
	}
	e.Jmp(done)
	e.Bind(zero)
	if in.Op == ir.OpDiv {
		ones := uint64(0xffffffff)
		if w == amd64.W64 {
			ones = ^uint64(0)
		}
		e.MovRI(ax, ones)
	}
	e.Jmp(done)
	e.Bind(minus)
	if in.Op == ir.OpDiv {
		e.NegR(w, ax)
	} else {
		e.MovRI(ax, 0)
	}
	e.Bind(done)
}
