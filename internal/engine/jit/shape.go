//go:build linux && (amd64 || arm64)

package jit

import (
	"math/bits"

	"github.com/tandem-go/tandem/internal/ir"
)

// instruction brings the facts of the results of in up to date.
func (p *plan) instruction(in *ir.Instr) (changed bool) {
	if p.settled(in) {
		return false
	}
	for _, a := range in.Args {
		if !p.known(a) {
			return false
		}
	}
	changed = p.bound(in)
	f := p.result(in)
	for _, r := range in.Results {
		g := f
		if g.class == splat && r.Type == ir.Pred {
			g.class = flag
		}
		changed = p.update(&p.vals[r.ID], g) || changed
	}
	if changed {
		for _, r := range in.Results {
			p.note(&p.vals[r.ID])
		}
	}
	return changed
}

// settled tells that nothing can change any more of the facts of the results of in, if it has any.
func (p *plan) settled(in *ir.Instr) bool {
	for _, r := range in.Results {
		if v := &p.vals[r.ID]; v.class != mask && (v.class != vector || v.nan) {
			return false
		}
	}
	return true
}

var uniformFact = fact{class: scalar, align: 1}

// result is the fact of the results of in.
func (p *plan) result(in *ir.Instr) fact {
	switch in.Op {
	case ir.OpConst:
		return fact{class: constant, imm: in.Imm, align: 1}
	case ir.OpFuncAddr:
		return fact{class: constant, imm: uint64(ir.FuncAddressBase + 16*in.Index), align: 1}
	case ir.OpSymbol:
		imm := in.Imm
		if in.Space == ir.SpaceGlobal || in.Space == ir.SpaceConst {
			imm += p.globals[in.Index]
		}
		return fact{class: constant, imm: imm, align: 1}
	case ir.OpSpecial:
		return p.special(ir.SReg(in.Index))
	case ir.OpLoad:
		return p.load(in)
	case ir.OpActiveMask:
		return uniformFact
	}
	if p.uniformVote(in) {
		if in.Results[0].Type == ir.Pred {
			return fact{class: flag, align: 1}
		}
		return uniformFact
	}
	if in.Op.Effect() {
		return varying
	}
	if f, ok := p.affine(in); ok {
		return f
	}
	if f, ok := p.twin(in); ok {
		return f
	}
	native, nan := p.target.vector(in)
	f := varying
	f.nan = nan && p.magnitude(in.Results[0]) == unbounded
	if in.Op == ir.OpSelect && in.As != ir.Pred {
		f.nan = p.of(&p.vals[in.Args[1].ID]).nan && p.of(&p.vals[in.Args[2].ID]).nan
	}
	for _, a := range in.Args {
		if !p.vals[a.ID].uniform() {
			return f
		}
	}
	switch {
	case p.target.scalar(in):
		f.class = scalar
		if in.Results[0].Type == ir.Pred {
			f.class = flag
		}
	case native:
		f.class = splat
	}
	return f
}

// special is the fact of a special register.
func (p *plan) special(r ir.SReg) fact {
	switch r {
	case ir.TidX, ir.TidY, ir.TidZ:
		return p.extent.tid[r-ir.TidX]
	case ir.LaneID:
		return fact{class: scalar, s: 1, d: 16, align: 1 << 63}
	case ir.NtidX, ir.NtidY, ir.NtidZ:
		return p.extent.ntid[r-ir.NtidX]
	}
	if _, ok := specialPlace[r]; ok {
		return uniformFact
	}
	return varying
}

// extent is what code relies on of the extent of a block: what %tid and %ntid are along each axis. Extents of which the same
// is known have the same code.
type extent struct{ tid, ntid [3]fact }

// extentOf is what is known of blocks of an extent, or of blocks of any if it is zero.
func extentOf(b [3]uint32) (e extent) {
	rows := b[0]%32 == 0 || b[1]*b[2] == 1 // along x only do the lanes of a warp differ
	for axis, n := range b {
		e.tid[axis], e.ntid[axis] = varying, uniformFact
		if b[0] == 0 {
			continue
		}
		e.tid[axis] = tid(b, axis)
		switch {
		case axis == 0 && rows && n%32 == 0:
			e.ntid[axis] = fact{class: scalar, align: 32} // all that masks of the numbers of lanes ask for
		case n == 1 || !rows:
			e.ntid[axis] = fact{class: constant, imm: uint64(n), align: 1}
		}
	}
	return e
}

// tid is the fact of a component of the thread index in blocks of extent b.
func tid(b [3]uint32, axis int) fact {
	if b[axis] == 1 {
		return fact{class: constant, align: 1}
	}
	inner, rest := uint32(1), b[0]*b[1]*b[2]
	for i := range axis {
		inner *= b[i]
	}
	rest /= inner * b[axis]
	switch {
	case inner%32 == 0:
		return uniformFact
	case inner == 1 && (b[axis]%32 == 0 || rest == 1):
		return fact{class: scalar, s: 1, d: 16, align: 32}
	case inner == 1 && b[axis] == 16:
		return fact{class: scalar, s: 1, align: 1 << 63}
	case inner == 16 && (rest == 1 || b[axis]%2 == 0):
		return fact{class: scalar, d: 1, align: 2}
	}
	return varying
}

// load is the fact of what a load gives.
func (p *plan) load(in *ir.Instr) fact {
	a := &p.vals[in.Args[0].ID]
	if !a.uniform() || in.Guard != nil && !p.vals[in.Guard.ID].uniform() {
		return varying
	}
	if in.As.Bytes() > 8 || in.Space == ir.SpaceLocal || in.Space == ir.SpaceParam && a.class != constant {
		return varying
	}
	return uniformFact
}

// affine is the fact of integer operations on scalars that differ from lane to lane by constants.
func (p *plan) affine(in *ir.Instr) (fact, bool) {
	var x [3]fact
	if len(in.Args) > len(x) || len(in.Args) == 0 {
		return fact{}, false
	}
	for i, a := range in.Args {
		x[i] = p.of(&p.vals[a.ID])
		if in.Op == ir.OpSelect && i == 0 {
			continue
		}
		if x[i].class != constant && x[i].class != scalar {
			return fact{}, false
		}
	}
	a, b := x[0], x[1]
	f := fact{class: scalar, align: 1}
	word := in.As.Integer() && in.As.Bits() >= 32
	switch in.Op {
	case ir.OpAdd, ir.OpSub:
		if !word || in.Flags&ir.Sat != 0 {
			return fact{}, false
		}
		if in.Op == ir.OpSub {
			return p.lanewise(a, b, min(a.align, b.align), func(x, y int64) int64 { return x - y })
		}
		return p.lanewise(a, b, min(a.align, b.align), func(x, y int64) int64 { return x + y })
	case ir.OpMul, ir.OpMulWide:
		if !word {
			return fact{}, false
		}
		return p.times(in, a, b)
	case ir.OpShl:
		if !word || b.class != constant || b.imm >= 32 {
			return fact{}, false
		}
		return p.times(in, a, fact{class: constant, imm: 1 << b.imm, align: 1 << b.imm})
	case ir.OpAnd, ir.OpOr, ir.OpXor:
		if b.class != constant {
			a, b = b, a
		}
		if !word || b.class != constant {
			return fact{}, false
		}
		return p.bitwise(in.Op, a, b.imm)
	case ir.OpShr:
		if !word || b.class != constant || b.imm >= 32 {
			return fact{}, false
		}
		return p.shifted(in, a, b.imm)
	case ir.OpNeg:
		if !word {
			return fact{}, false
		}
		return p.lanewise(fact{}, a, a.align, func(_, y int64) int64 { return -y })
	case ir.OpExtend, ir.OpCvt:
		if !word || !in.From.Integer() || in.From.Bits() < 32 || in.Flags != 0 || in.Args[0].Type.Bits() < 32 {
			return fact{}, false
		}
		f.s, f.d, f.table, f.align = a.s, a.d, a.table, a.align
	case ir.OpCvta, ir.OpCvtaTo:
		if in.Space == ir.SpaceLocal {
			return fact{}, false
		}
		f.s, f.d, f.table, f.align = a.s, a.d, a.table, min(a.align, 256)
	case ir.OpSelect:
		q := &p.vals[in.Args[0].ID]
		if !q.uniform() || !sameShape(x[1], x[2]) || in.As.Bits() < 32 || in.As.Float() {
			return fact{}, false
		}
		f.s, f.d, f.table, f.align = x[1].s, x[1].d, x[1].table, min(x[1].align, x[2].align)
		f.nan = x[1].nan && x[2].nan
	default:
		return fact{}, false
	}
	return f, true
}

// sameShape tells that the lanes of two values differ by the same.
func sameShape(a, b fact) bool { return a.s == b.s && a.d == b.d && a.table == b.table }

// within returns the least 2^n-1 that no offset of a exceeds, if the number of lane 0 has zeroes in all its bits: then the bits
// of the two do not meet.
func within(a fact) (low uint64, ok bool) {
	least, most := (&value{s: a.s, d: a.d, table: a.table}).span()
	if least < 0 {
		return 0, false
	}
	low = 1<<bits.Len64(uint64(most)) - 1
	return low, low < a.align
}

// shifted is a shifted right by n.
func (p *plan) shifted(in *ir.Instr, a fact, n uint64) (fact, bool) {
	if by := p.boundsOf(in.Args[0]).most; by>>n == 0 && (!in.As.Signed() || by>>(in.As.Bits()-1) == 0) {
		return fact{class: constant, align: 1}, true
	}
	return p.bitwise(ir.OpShr, a, n)
}

// times is the product of two scalars, one of which is uniform.
func (p *plan) times(in *ir.Instr, a, b fact) (fact, bool) {
	if a.s != 0 || a.d != 0 {
		a, b = b, a
	}
	f := fact{class: scalar, align: 1}
	f.align = alignOfProduct(a.align, b.align)
	if b.s == 0 && b.d == 0 {
		return f, true
	}
	c, ok := factor(in, a)
	if !ok {
		return fact{}, false
	}
	return p.lanewise(fact{}, b, f.align, func(_, y int64) int64 { return c * y })
}

// alignOfProduct is the power of two of which the product of multiples of two others is a multiple.
func alignOfProduct(a, b uint64) uint64 {
	switch {
	case a < 1<<31 && b < 1<<31:
		return a * b
	case max(a, b) == 1<<63:
		return 1 << 63 // nothing times anything
	}
	return 1
}

// factor is what a product multiplies offsets by, if that is known and small.
func factor(in *ir.Instr, a fact) (c int64, ok bool) {
	c = int64(a.imm)
	if in.As.Bits() == 32 && (in.Op != ir.OpMulWide || in.As.Signed()) {
		c = int64(int32(a.imm))
	}
	return c, a.class == constant && c <= 1<<24 && c >= -1<<24
}

// tooSteep keeps offsets small enough for every place that computes with them.
func tooSteep(f fact) bool {
	const most = 1 << 24
	return f.s > most || f.s < -most || f.d > most || f.d < -most
}

// countUses counts what depends on each value.
func (p *plan) countUses() {
	for i, b := range p.f.Blocks {
		w := 1.0
		for range min(p.depth[i], 6) {
			w *= 10
		}
		for _, v := range b.Params {
			p.vals[v.ID].weight += w
		}
		for _, in := range b.Instrs {
			p.operands(in, func(v *ir.Value) {
				p.vals[v.ID].uses++
				p.vals[v.ID].weight += w
			})
			for _, v := range in.Results {
				p.vals[v.ID].weight += w
			}
		}
	}
}

// preferSplats chooses, of uniform values that can be a scalar as well, those that only vector operations read: they are
// loaded into a vector register at once.
func (p *plan) preferSplats() {
	reads := make([]int, len(p.vals)) // by scalar operations, addresses included
	for _, b := range p.f.Blocks {
		for _, in := range b.Instrs {
			p.scalarReads(in, reads)
		}
	}
	for _, b := range p.f.Blocks {
		for i, v := range b.Params {
			x := &p.vals[v.ID]
			if x.class != scalar || !x.uniform() || reads[v.ID] > 0 || v.Type.Bits() < 32 {
				continue
			}
			floats := false
			for _, pred := range b.Preds {
				for _, e := range pred.Succs() {
					if e.To == b {
						floats = floats || p.vals[e.Args[i].ID].class == splat
					}
				}
			}
			if floats {
				x.class = splat
			}
		}
		for _, in := range b.Instrs {
			for _, v := range in.Results {
				x := &p.vals[v.ID]
				if x.class == scalar && x.uniform() && reads[v.ID] == 0 && x.uses > 0 && in.Op == ir.OpLoad && v.Type.Bits() >= 32 {
					x.class = splat
				}
			}
		}
	}
}

// scalarReads counts the operands that in reads as scalars.
func (p *plan) scalarReads(in *ir.Instr, reads []int) {
	switch {
	case in.Op == ir.OpLoad || in.Op == ir.OpStore || in.Op == ir.OpAtom || in.Op == ir.OpRed:
		reads[in.Args[0].ID]++
		if x := p.indexOf(in); x != nil && x.base != nil {
			reads[x.base.ID]++
		}
	case in.Op.Terminator():
		for _, a := range in.Args {
			reads[a.ID]++
		}
		for _, e := range in.Targets {
			for i, a := range e.Args {
				if x := &p.vals[e.To.Params[i].ID]; x.onGeneral() {
					reads[a.ID]++
				}
			}
		}
	case p.decided[in] || p.late[in]:
		for _, a := range in.Args {
			reads[a.ID]++
		}
	case len(in.Results) > 0:
		if x := &p.vals[in.Results[0].ID]; x.onGeneral() {
			for _, a := range in.Args {
				reads[a.ID]++
			}
		}
	}
}

// allLanes is a member mask that names the whole warp.
const allLanes = 0xffffffff

// uniformVote tells that a vote gives all lanes that execute it the same.
func (p *plan) uniformVote(in *ir.Instr) bool {
	if in.Op != ir.OpVote || in.Guard != nil {
		return false
	}
	m := &p.vals[in.Args[1].ID]
	return m.class == constant && m.imm == allLanes
}

// oneBarrier tells that all barriers of a kernel are bar.sync of all threads at the same number.
func oneBarrier(f *ir.Func, p *plan) bool {
	var id *uint64
	for _, b := range f.Blocks {
		for _, in := range b.Instrs {
			if in.Op != ir.OpBar {
				continue
			}
			v := &p.vals[in.Args[0].ID]
			if !plainBarrier(in) || v.class != constant || v.imm >= 16 || id != nil && *id != v.imm {
				return false
			}
			id = &v.imm
		}
	}
	return true
}

func plainBarrier(in *ir.Instr) bool {
	return in.Op == ir.OpBar && ir.BarKind(in.Sub) == ir.BarSync && len(in.Args) == 1 && in.Guard == nil
}

// scalarNative tells that in, an instruction whose operands are the same in all lanes, is executed once on general
// registers.
func scalarNative(in *ir.Instr) bool {
	word := in.As.Integer() && in.As.Bits() >= 32 && in.As.Bits() <= 64
	switch in.Op {
	case ir.OpAdd, ir.OpSub:
		return word && in.Flags&ir.Sat == 0
	case ir.OpMul, ir.OpMulHi, ir.OpDiv, ir.OpRem, ir.OpNeg, ir.OpAbs, ir.OpShl, ir.OpShr:
		return word
	case ir.OpMin, ir.OpMax:
		return word && in.Flags == 0
	case ir.OpMulWide:
		return in.As.Bits() == 32
	case ir.OpAnd, ir.OpOr, ir.OpXor, ir.OpNot:
		return word || in.As == ir.Pred || in.As.Bits() == 16
	case ir.OpSetp:
		return in.From.Integer()
	case ir.OpSelect:
		return in.As.Bits() <= 64
	case ir.OpExtend:
		return in.As.Bits() <= 64 && in.Args[0].Type.Bits() <= 64
	case ir.OpCvt:
		return in.As.Integer() && in.From.Integer() && in.Flags == 0 && in.As.Bits() >= 16
	case ir.OpCvta, ir.OpCvtaTo:
		return in.Space != ir.SpaceLocal && in.Space != ir.SpaceParam
	case ir.OpPopc, ir.OpClz:
		return word
	}
	return false
}
