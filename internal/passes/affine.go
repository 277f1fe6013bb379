package passes

import (
	"math"
	"slices"

	"github.com/tandem-go/tandem/internal/ir"
)

// Affine is a value of the form u + Tid[0]*%tid.x + Tid[1]*%tid.y + Tid[2]*%tid.z + Lane*%laneid, modulo the width of the
// value, where u is the same for all lanes that compute it together.
type Affine struct {
	Tid  [3]int64
	Lane int64
	// Const is u if Known.
	Const int64
	Known bool
	// Base is the class of u: BlockUniform or WarpUniform.
	Base Class
	// Wraps are 32-bit values that the form extends to 64 bits. It holds if none of them goes through a wrap from one lane
	// of the warp to another; an engine tests that, or knows it.
	Wraps []Wrap
	// lo and hi bound the value as an integer if ranged.
	lo, hi int64
	ranged bool
}

// Wrap is a 32-bit value that an instruction extends, as a signed number or not.
type Wrap struct {
	Value  *ir.Value
	Signed bool
}

// Uniform reports whether the value is u alone.
func (a *Affine) Uniform() bool { return a.Tid == [3]int64{} && a.Lane == 0 }

// LaneStride is what the value grows by from each lane to the next in every aligned group of that many lanes of a block of
// that shape; ok is false if that is not the same for all of them.
func (a *Affine) LaneStride(shape Shape, lanes int) (stride int64, ok bool) {
	if a.Uniform() {
		return 0, true
	}
	if !shape.known() {
		return a.Lane, a.Tid == [3]int64{}
	}
	x, y, n := int64(shape[0]), int64(shape[1]), int64(lanes)
	switch {
	case x%n == 0, y == 1 && shape[2] == 1:
		return a.Tid[0] + a.Lane, true // the others do not change within the group
	case x == 1 && (y%n == 0 || shape[2] == 1):
		return a.Tid[1] + a.Lane, true
	case a.Tid[1] == x*a.Tid[0] && (shape[2] == 1 || x*y%n == 0 || a.Tid[2] == x*y*a.Tid[0]):
		return a.Tid[0] + a.Lane, true // as memory in rows without gaps
	}
	return 0, false
}

// AccessClass says how the addresses of one load, store or atomic lie in a warp.
type AccessClass uint8

// The access classes.
const (
	// Scattered: nothing is known.
	Scattered AccessClass = iota
	// Broadcast: all lanes have the same address.
	Broadcast
	// Contiguous: each lane's bytes follow those of the lane before.
	Contiguous
	// Strided: the distance from lane to lane is constant.
	Strided
)

// String returns the class in lower case.
func (c AccessClass) String() string {
	return [...]string{"scattered", "broadcast", "contiguous", "strided"}[c]
}

// Affines are the affine forms of the values of a function.
type Affines struct {
	u    *Uniform
	of   []*Affine // by Value.ID; nil: none
	done []bool    // by Value.ID: of is set, maybe to none
}

// FindAffine computes the affine forms of the function that u is about. Values that a loop changes by the same amount in
// every lane, such as pointers that move through an array, have one.
func FindAffine(u *Uniform) *Affines {
	a := &Affines{u: u, of: make([]*Affine, u.f.Values), done: make([]bool, u.f.Values)}
	for changed := true; changed; {
		changed = false
		for _, b := range u.f.Blocks {
			for i, p := range b.Params {
				changed = a.set(p, a.param(b, i)) || changed
			}
			for _, in := range b.Instrs {
				for _, r := range in.Results {
					form, wait := a.result(b, in, r)
					if !wait {
						changed = a.set(r, form) || changed
					}
				}
			}
		}
	}
	return a
}

// Of returns the form of v for the lanes that are together at b, nil if it has none.
func (a *Affines) Of(v *ir.Value, b *ir.Block) *Affine {
	form, _ := a.at(v, b)
	return form
}

// Access returns the class of in, a Load, Store, Atom or Red, with its stride in bytes, for the shape and the lanes that
// u was computed for, and the form of the address; the offset Imm is not in it. The form is nil if the class is Scattered for
// want of one.
func (a *Affines) Access(in *ir.Instr) (class AccessClass, stride int64, form *Affine) {
	if form = a.Of(in.Args[0], in.Block); form == nil {
		return Scattered, 0, nil
	}
	n := max(len(in.Results), 1)
	if in.Op == ir.OpStore {
		n = len(in.Args) - 1
	}
	stride, ok := form.LaneStride(a.u.shape, a.u.lanes)
	switch {
	case !ok:
		return Scattered, 0, form
	case stride == 0:
		return Broadcast, 0, form
	case stride == int64(n*in.As.Bytes()):
		return Contiguous, stride, form
	}
	return Strided, stride, form
}

// set records the form of v. Forms only get worse: from a form to one with fewer facts, to none.
func (a *Affines) set(v *ir.Value, form *Affine) bool {
	old := a.of[v.ID]
	if a.done[v.ID] && (old == nil || form != nil && old.equal(form)) {
		return false
	}
	if a.done[v.ID] && form != nil {
		if form = old.meet(form); form != nil && old.equal(form) {
			return false
		}
	}
	a.of[v.ID], a.done[v.ID] = form, true
	return true
}

func (a *Affine) equal(b *Affine) bool {
	return a.Tid == b.Tid && a.Lane == b.Lane && a.Const == b.Const && a.Known == b.Known && a.Base == b.Base &&
		a.lo == b.lo && a.hi == b.hi && a.ranged == b.ranged && slices.Equal(a.Wraps, b.Wraps)
}

// meet is the form that covers both, nil if they differ in the lanes.
func (a *Affine) meet(b *Affine) *Affine {
	if a.Tid != b.Tid || a.Lane != b.Lane {
		return nil
	}
	m := &Affine{Tid: a.Tid, Lane: a.Lane, Base: max(a.Base, b.Base)}
	if a.Known && b.Known && a.Const == b.Const {
		m.Const, m.Known = a.Const, true
	}
	if a.ranged && b.ranged && a.lo == b.lo && a.hi == b.hi {
		m.lo, m.hi, m.ranged = a.lo, a.hi, true
	}
	return m.wrap(a.Wraps, b.Wraps)
}

// maxWraps bounds what an engine has to test.
const maxWraps = 4

// wrap adds conditions; nil if there are too many.
func (a *Affine) wrap(lists ...[]Wrap) *Affine {
	var all []Wrap
	for _, l := range lists {
		for _, w := range l {
			if !slices.Contains(all, w) {
				all = append(all, w)
			}
		}
	}
	if len(all) > maxWraps {
		return nil
	}
	a.Wraps = all
	return a
}

// at returns the form of v at b; wait is whether v was not visited yet.
func (a *Affines) at(v *ir.Value, b *ir.Block) (form *Affine, wait bool) {
	c := a.u.At(v, b)
	form = a.of[v.ID]
	if form == nil {
		if v.Block == nil || a.done[v.ID] {
			if c < Divergent {
				return &Affine{Base: c}, false
			}
			return nil, false
		}
		return nil, true
	}
	// What diverged on leaving a loop is u, unless v was the same in each iteration.
	if v.Block != nil {
		for l := a.u.Loops.Of[v.Block.Order]; l != nil && !l.Contains(b); l = l.Parent {
			if e := a.u.exit[l]; e > form.Base {
				if e == Divergent {
					return nil, false
				}
				copied := *form
				copied.Base = e
				form = &copied
			}
		}
	}
	return form, false
}

// param joins what the edges pass.
func (a *Affines) param(b *ir.Block, i int) *Affine {
	var m *Affine
	differ := false
	var first *ir.Value
	for _, pred := range b.Preds {
		for _, e := range pred.Succs() {
			if e.To != b {
				continue
			}
			form, wait := a.at(e.Args[i], b)
			switch {
			case wait || e.Args[i] == b.Params[i]:
				continue
			case form == nil:
				return nil
			case m == nil:
				m, first = form, e.Args[i]
				continue
			}
			differ = differ || e.Args[i] != first
			if m = m.meet(form); m == nil {
				return nil
			}
		}
	}
	if m == nil || !differ {
		return m
	}
	join := a.u.join[b.Order]
	if join == Divergent {
		return nil
	}
	copied := *m
	copied.Base = max(m.Base, join)
	return &copied
}

// result computes the form of r, a result of in; wait is whether an operand was not visited yet.
func (a *Affines) result(b *ir.Block, in *ir.Instr, r *ir.Value) (form *Affine, wait bool) {
	args := make([]*Affine, len(in.Args))
	for i, v := range in.Args {
		if args[i], wait = a.at(v, b); wait {
			return nil, true
		}
	}
	if form = a.operation(in, args); form == nil && a.u.class[r.ID] < Divergent {
		form = &Affine{Base: a.u.class[r.ID]}
	}
	return form, false
}

// operation computes the form of what in computes, nil if it is not known to have one.
func (a *Affines) operation(in *ir.Instr, args []*Affine) *Affine {
	if slices.Contains(args, nil) || in.Guard != nil {
		return nil
	}
	bits := in.As.Bits()
	switch in.Op {
	case ir.OpConst:
		if signed(bits) == ir.Void {
			return nil
		}
		n := int64(extendBits(in.Imm, signed(bits)))
		return &Affine{Const: n, Known: true, lo: n, hi: n, ranged: true}
	case ir.OpSpecial:
		return special(ir.SReg(in.Index))
	case ir.OpAdd, ir.OpSub:
		if !in.As.Integer() || in.Flags != 0 {
			return nil
		}
		k := int64(1)
		if in.Op == ir.OpSub {
			k = -1
		}
		return args[0].plus(args[1], k, bits)
	case ir.OpMul:
		if !in.As.Integer() {
			return nil
		}
		return product(args[0], args[1], bits)
	case ir.OpShl:
		if n := args[1]; n.Known && n.Uniform() && n.Const >= 0 && n.Const < int64(bits) {
			return args[0].times(1<<n.Const, bits)
		}
	case ir.OpMulWide:
		x := args[0].extend(in.Args[0], in.As)
		y := args[1].extend(in.Args[1], in.As)
		if x == nil || y == nil {
			return nil
		}
		return product(x, y, 2*bits)
	case ir.OpExtend:
		return extension64(in, args[0])
	case ir.OpCvta, ir.OpCvtaTo:
		if in.Space == ir.SpaceLocal {
			return nil
		}
		form := *args[0]
		form.Known, form.Const, form.ranged = false, 0, false
		form.lo, form.hi = 0, 0
		return &form
	}
	return nil
}

func signed(bits int) ir.Type {
	return map[int]ir.Type{16: ir.S16, 32: ir.S32, 64: ir.S64}[bits]
}

// special is the form of a special register that differs between lanes.
func special(s ir.SReg) *Affine {
	switch s {
	case ir.TidX, ir.TidY, ir.TidZ:
		form := &Affine{Known: true, hi: 1023, ranged: true}
		form.Tid[s-ir.TidX] = 1
		return form
	case ir.LaneID:
		return &Affine{Lane: 1, Known: true, hi: 31, ranged: true}
	}
	return nil
}

// narrow brings coefficients and constant into the width of the value, as signed numbers.
func (a *Affine) narrow(bits int) *Affine {
	t := signed(bits)
	if t == ir.Void {
		return nil
	}
	cut := func(n int64) int64 { return int64(extendBits(uint64(n), t)) }
	for i := range a.Tid {
		a.Tid[i] = cut(a.Tid[i])
	}
	a.Lane, a.Const = cut(a.Lane), cut(a.Const)
	if bits < 64 && a.ranged && (a.lo < -1<<(bits-1) || a.hi >= 1<<(bits-1)) {
		a.lo, a.hi, a.ranged = 0, 0, false
	}
	return a
}

// plus is a + k*b.
func (a *Affine) plus(b *Affine, k int64, bits int) *Affine {
	r := &Affine{Lane: a.Lane + k*b.Lane, Base: max(a.Base, b.Base)}
	for i := range r.Tid {
		r.Tid[i] = a.Tid[i] + k*b.Tid[i]
	}
	if a.Known && b.Known {
		r.Const, r.Known = a.Const+k*b.Const, true
	}
	if a.ranged && b.ranged {
		lo, hi := b.lo, b.hi
		if k < 0 {
			lo, hi = -hi, -lo
		}
		r.lo, r.hi, r.ranged = a.lo+lo, a.hi+hi, small(a.lo, a.hi, b.lo, b.hi)
	}
	if !r.ranged {
		r.lo, r.hi = 0, 0
	}
	if r = r.wrap(a.Wraps, b.Wraps); r == nil {
		return nil
	}
	return r.narrow(bits)
}

// small reports whether sums of two such numbers fit into 64 bits.
func small(ns ...int64) bool {
	return !slices.ContainsFunc(ns, func(n int64) bool { return n < math.MinInt64/4 || n > math.MaxInt64/4 })
}

// times is a * k.
func (a *Affine) times(k int64, bits int) *Affine {
	r := *a
	for i := range r.Tid {
		r.Tid[i] *= k
	}
	r.Lane *= k
	r.Const *= k
	if r.ranged && small(k) && k > -1<<30 && k < 1<<30 && r.lo > -1<<30 && r.hi < 1<<30 {
		r.lo, r.hi = min(r.lo*k, r.hi*k), max(r.lo*k, r.hi*k)
	} else {
		r.lo, r.hi, r.ranged = 0, 0, false
	}
	return r.narrow(bits)
}

// product is a * b: where one is a constant, or both are uniform.
func product(a, b *Affine, bits int) *Affine {
	if b.Known && b.Uniform() {
		return a.times(b.Const, bits)
	}
	if a.Known && a.Uniform() {
		return b.times(a.Const, bits)
	}
	return nil // two uniform values give a uniform one, which needs no form
}

// extend is the form of v, which has form a, extended to 64 bits by the sign of from.
func (a *Affine) extend(v *ir.Value, from ir.Type) *Affine {
	if a.ranged && (from.Signed() || a.lo >= 0) {
		r := *a
		return &r // its bounds say that it does not wrap
	}
	if from.Bits() < 32 {
		return nil
	}
	r := *a
	if a.Uniform() {
		r.lo, r.hi, r.ranged = 0, 0, false
		r.Known = false // a constant would be ranged, or is above the signed range
		r.Const = 0
		return &r
	}
	r.Known, r.Const = false, 0
	r.lo, r.hi, r.ranged = 0, 0, false
	return r.wrap(a.Wraps, []Wrap{{v, from.Signed()}})
}

// extension64 is the form of an Extend.
func extension64(in *ir.Instr, a *Affine) *Affine {
	switch from, to := in.From.Bits(), in.As.Bits(); {
	case from < 16 || to < 16:
		return nil
	case to <= from:
		r := *a
		return r.narrow(to)
	default:
		return a.extend(in.Args[0], in.From)
	}
}
