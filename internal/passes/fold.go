package passes

import (
	"github.com/tandem-go/tandem/internal/ir"
)

// fold replaces what is known without running: integer operations on constants and with neutral elements, conversions
// that change nothing, and selections that are decided.
func fold(c *context) {
	fo := folder{context: c, replacer: newReplacer(c.f)}
	for _, b := range c.f.Blocks {
		for _, in := range b.Instrs {
			fo.uses(in)
			if in.Op.Terminator() {
				branch(in)
			} else if v := fo.known(in); v != nil {
				fo.replace(in.Results[0], v)
			}
		}
	}
	fo.insert()
	fo.apply()
}

type folder struct {
	*context
	*replacer
	// pending are instructions to insert before others.
	pending []inserted
}

type inserted struct{ before, in *ir.Instr }

// insert puts the pending instructions into their blocks.
func (fo *folder) insert() {
	if len(fo.pending) == 0 {
		return
	}
	at := map[*ir.Instr][]*ir.Instr{}
	blocks := map[*ir.Block]bool{}
	for _, p := range fo.pending {
		at[p.before] = append(at[p.before], p.in)
		blocks[p.before.Block] = true
	}
	for b := range blocks {
		list := make([]*ir.Instr, 0, len(b.Instrs)+len(at))
		for _, in := range b.Instrs {
			list = append(append(list, at[in]...), in)
		}
		b.Instrs = list
	}
}

// known returns a value that in's one result equals, nil if there is none. It may turn in itself into something simpler.
func (fo *folder) known(in *ir.Instr) *ir.Value {
	if len(in.Results) != 1 || in.Op.Effect() || in.Op == ir.OpConst {
		return nil
	}
	fo.constants(in)
	switch in.Op {
	case ir.OpAdd, ir.OpSub, ir.OpMul, ir.OpAnd, ir.OpOr, ir.OpXor, ir.OpShl, ir.OpShr:
		if in.As.Integer() || in.As == ir.Pred {
			return fo.neutral(in)
		}
	case ir.OpExtend:
		return extension(in)
	case ir.OpCvta, ir.OpCvtaTo:
		return sameAddress(in)
	case ir.OpSelect:
		return selection(in)
	case ir.OpNot:
		if d := in.Args[0].Def; d != nil && d.Op == ir.OpNot {
			return d.Args[0]
		}
	}
	return nil
}

// constant returns the bits of a constant.
func constant(v *ir.Value) (bits uint64, ok bool) {
	if v.Def == nil || v.Def.Op != ir.OpConst {
		return 0, false
	}
	return v.Def.Imm, true
}

// constants turns an operation on constants into a constant.
func (fo *folder) constants(in *ir.Instr) {
	switch in.Op {
	case ir.OpCvta, ir.OpCvtaTo, ir.OpIsSpace:
		return // known to the launch only
	}
	if len(in.Args) == 0 {
		return
	}
	for _, a := range in.Args {
		if _, ok := constant(a); !ok {
			return
		}
	}
	args := make([]uint64, len(in.Args))
	for i, a := range in.Args {
		args[i] = a.Def.Imm
	}
	t := in.Results[0].Type
	bits, ok := integer(in, args)
	if !ok && fo.o.Fold != nil {
		bits, ok = fo.o.Fold(in, args)
	}
	if ok {
		*in = ir.Instr{Op: ir.OpConst, As: t, Imm: bits & mask(t), Results: in.Results, Pos: in.Pos, Block: in.Block}
	}
}

func mask(t ir.Type) uint64 {
	if n := t.Bits(); n < 64 {
		return 1<<n - 1
	}
	return ^uint64(0)
}

// integer computes the operations that are the same in Go, modulo the width.
func integer(in *ir.Instr, a []uint64) (bits uint64, ok bool) {
	if !in.As.Integer() && in.As != ir.Pred || in.Flags != 0 || in.As == ir.B128 {
		return 0, false
	}
	switch in.Op {
	case ir.OpAdd:
		return a[0] + a[1], true
	case ir.OpSub:
		return a[0] - a[1], true
	case ir.OpMul:
		return a[0] * a[1], true
	case ir.OpAnd:
		return a[0] & a[1], true
	case ir.OpOr:
		return a[0] | a[1], true
	case ir.OpXor:
		return a[0] ^ a[1], true
	case ir.OpNot:
		return ^a[0], true
	case ir.OpNeg:
		return -a[0], true
	case ir.OpExtend:
		return extendBits(a[0], in.From), in.From != ir.B128
	}
	return 0, false
}

// extendBits is x, of which the bits of from count, extended by the sign of from to 64 bits.
func extendBits(x uint64, from ir.Type) uint64 {
	n := 64 - from.Bits()
	if from.Signed() {
		return uint64(int64(x<<n) >> n)
	}
	return x << n >> n
}

// neutral handles an integer operation with a constant that is neutral on the right or, where operands may be swapped,
// on the left; and sums of a sum or a variable's address with a constant.
func (fo *folder) neutral(in *ir.Instr) *ir.Value {
	a, b := in.Args[0], in.Args[1]
	n, right := constant(b)
	m, left := constant(a)
	ones := mask(in.As.Value())
	switch in.Op {
	case ir.OpSub, ir.OpShl, ir.OpShr:
		if right && n == 0 {
			return a
		}
	case ir.OpAdd, ir.OpOr, ir.OpXor:
		if right && n == 0 {
			return a
		}
		if left && m == 0 {
			return b
		}
	case ir.OpMul:
		if right && n == 1 {
			return a
		}
		if left && m == 1 {
			return b
		}
	case ir.OpAnd:
		if right && n == ones {
			return a
		}
		if left && m == ones {
			return b
		}
	}
	switch {
	case right && in.Op == ir.OpAdd && in.Flags == 0:
		fo.sum(in, a, n)
	case right && in.Op == ir.OpAnd:
		fo.lowBits(in, a, n)
	}
	return nil
}

// lowBits turns a 64-bit and of a number extended by zeroes into the extension of a 32-bit and: what indexes memory is then
// seen as an index of 32 bits.
func (fo *folder) lowBits(in *ir.Instr, a *ir.Value, n uint64) {
	d := a.Def
	if d == nil || d.Op != ir.OpExtend || d.From != ir.U32 || d.Args[0].Type != ir.B32 || in.As.Bits() != 64 {
		return
	}
	narrow := &ir.Instr{Op: ir.OpAnd, As: ir.B32, Pos: in.Pos, Block: in.Block}
	v := fo.context.f.NewValue(ir.B32)
	v.Def, v.Block = narrow, in.Block
	narrow.Results, narrow.Args = []*ir.Value{v}, []*ir.Value{d.Args[0], fo.constantBefore(in, ir.B32, n&mask(ir.B32))}
	fo.pending = append(fo.pending, inserted{in, narrow})
	*in = ir.Instr{Op: ir.OpExtend, As: d.As, From: d.From, Args: []*ir.Value{v}, Results: in.Results, Pos: in.Pos, Block: in.Block}
}

// sum turns in = (x + m) + n into x + (m + n), and the address of a variable plus n into one address.
func (fo *folder) sum(in *ir.Instr, a *ir.Value, n uint64) {
	d := a.Def
	switch {
	case d == nil:
	case d.Op == ir.OpSymbol && in.As.Bits() == 64:
		*in = ir.Instr{
			Op: ir.OpSymbol, As: ir.B64, Mods: d.Mods, Index: d.Index, Imm: d.Imm + n,
			Results: in.Results, Pos: in.Pos, Block: in.Block,
		}
	case d.Op == ir.OpAdd && d.Flags == 0 && d.As.Integer() && d.As.Bits() == in.As.Bits():
		if m, ok := constant(d.Args[1]); ok {
			c := fo.newConst(in, (m+n)&mask(in.As))
			in.Args = []*ir.Value{d.Args[0], c}
		}
	}
}

// newConst inserts a constant of in's type before it.
func (fo *folder) newConst(in *ir.Instr, bits uint64) *ir.Value {
	return fo.constantBefore(in, in.As.Value(), bits)
}

// constantBefore inserts a constant before in.
func (fo *folder) constantBefore(in *ir.Instr, t ir.Type, bits uint64) *ir.Value {
	v := fo.context.f.NewValue(t)
	def := &ir.Instr{Op: ir.OpConst, As: t, Imm: bits, Results: []*ir.Value{v}, Pos: in.Pos, Block: in.Block}
	v.Def, v.Block = def, in.Block
	fo.pending = append(fo.pending, inserted{in, def})
	return v
}

// extension returns what an Extend is equal to: its operand if no bit changes, or what was extended before.
func extension(in *ir.Instr) *ir.Value {
	a := in.Args[0]
	if in.From.Bits() < 16 || in.As.Bits() < 16 {
		return nil // bits above the eighth change
	}
	if in.As.Bits() == in.From.Bits() {
		return a
	}
	if d := a.Def; d != nil && d.Op == ir.OpExtend && in.As.Bits() == d.From.Bits() && d.As.Bits() > d.From.Bits() {
		return d.Args[0] // truncated to what it was before it was extended
	}
	return nil
}

// sameAddress: generic, global and const addresses are the same, and there and back is nothing.
func sameAddress(in *ir.Instr) *ir.Value {
	if in.Space == ir.SpaceGlobal || in.Space == ir.SpaceConst || in.Space == ir.SpaceGeneric {
		return in.Args[0]
	}
	if d := in.Args[0].Def; in.Op == ir.OpCvtaTo && d != nil && d.Op == ir.OpCvta && d.Space == in.Space {
		return d.Args[0]
	}
	return nil
}

func selection(in *ir.Instr) *ir.Value {
	p, a, b := in.Args[0], in.Args[1], in.Args[2]
	if bits, ok := constant(p); ok {
		if bits != 0 {
			return a
		}
		return b
	}
	if a == b {
		return a
	}
	if d := p.Def; d != nil && d.Op == ir.OpNot {
		in.Args[0], in.Args[1], in.Args[2] = d.Args[0], b, a
		a, b = b, a
		p = d.Args[0]
	}
	if in.As == ir.Pred {
		x, okx := constant(a)
		y, oky := constant(b)
		if okx && oky && x == 1 && y == 0 {
			return p
		}
	}
	return nil
}

// branch turns a branch on a negation into one on what is negated. Branches on constants stay: without an edge a block
// may no longer belong to the loop that it stands in, and the order of blocks is part of what a kernel means.
func branch(in *ir.Instr) {
	if in.Op != ir.OpCondBr {
		return
	}
	if d := in.Args[0].Def; d != nil && d.Op == ir.OpNot {
		in.Args[0] = d.Args[0]
		in.Targets[0], in.Targets[1] = in.Targets[1], in.Targets[0]
	}
}
