package passes

import (
	"slices"

	"github.com/tandem-go/tandem/internal/ir"
)

// Class says for which threads a value is the same.
type Class uint8

// The classes, each weaker than the one before.
const (
	// BlockUniform: all threads of the block that compute the value in the same iteration get the same.
	BlockUniform Class = iota
	// WarpUniform: all lanes of a warp (or of the part of it that was asked for) that execute the instruction together get
	// the same.
	WarpUniform
	// Divergent: each lane has its own.
	Divergent
)

// String returns "block", "warp" or "divergent".
func (c Class) String() string { return [...]string{"block", "warp", "divergent"}[c] }

// Shape is the extent of the block where it is known; zero where not.
type Shape [3]uint32

// known reports whether all extents are given.
func (s Shape) known() bool { return s[0] > 0 && s[1] > 0 && s[2] > 0 }

// tid is the class of a component of the thread index for groups of that many lanes.
func (s Shape) tid(i, lanes int) Class {
	if !s.known() {
		return Divergent
	}
	if s[i] == 1 {
		return BlockUniform
	}
	inner := uint32(1)
	for _, n := range s[:i] {
		inner *= n
	}
	if inner%uint32(lanes) == 0 {
		return WarpUniform
	}
	return Divergent
}

// Uniform says of each value and branch of a function whether it is uniform.
//
// It holds for lanes that run in the order of blocks: of several diverged groups the first runs, so lanes meet again as
// soon as they can, and in loops with a latch never in different iterations. When an engine lets another group overtake (because the
// first one spins), it must keep the two apart until both have left the loops they are in, or stop to rely on the classes
// that depend on it.
type Uniform struct {
	// Loops are the loops of the function.
	Loops *LoopForest

	f     *ir.Func
	shape Shape
	lanes int
	class []Class // by Value.ID
	// join is, by Block.Order, the class of the branches whose ways meet at the block, branch that of its own branch.
	join, branch []Class
	exit         map[*Loop]Class
	changed      bool
}

// Uniformity computes which values and branches of f are uniform, for blocks of the given shape. Of a
// function that is called nothing is known of the parameters. lanes is 32, or a smaller power of two for what is uniform
// in each aligned group of that many lanes: in a block of 16 by 16 threads %tid.y is so for 16 lanes.
//
// Where lanes meet after a branch is found by following the disjoint ways from it (J. Rosemann, S. Moll, S. Hack, "An
// abstract interpretation for SPMD divergence on reducible control flow graphs", 2021); in irreducible loops and
// those without a latch every block counts.
func Uniformity(f *ir.Func, shape Shape, lanes int) *Uniform {
	n := len(f.Blocks)
	u := &Uniform{
		Loops: Loops(f), f: f, shape: shape, lanes: lanes, class: make([]Class, f.Values), join: make([]Class, n), branch: make([]Class, n),
		exit: map[*Loop]Class{},
	}
	for _, p := range f.Params {
		u.class[p.ID] = Divergent
	}
	for u.changed = true; u.changed; {
		u.changed = false
		for _, b := range f.Blocks {
			u.params(b)
			for _, in := range b.Instrs {
				if in.Op.Terminator() {
					u.terminator(b, in)
				} else {
					u.instr(b, in)
				}
			}
		}
	}
	return u
}

// Of returns the class of v for the lanes that are where it is defined.
func (u *Uniform) Of(v *ir.Value) Class { return u.class[v.ID] }

// At returns the class of v for the lanes that are together at b: lanes that left the loop where v is defined in different
// iterations have different values.
func (u *Uniform) At(v *ir.Value, b *ir.Block) Class {
	c := u.class[v.ID]
	if v.Block == nil {
		return c
	}
	for l := u.Loops.Of[v.Block.Order]; l != nil && !l.Contains(b); l = l.Parent {
		c = max(c, u.exit[l])
	}
	return c
}

// Branch returns the class of the decision at the end of b, BlockUniform if there is none.
func (u *Uniform) Branch(b *ir.Block) Class { return u.branch[b.Order] }

// Exit returns the class of the decision to leave l: WarpUniform or better if all lanes leave it together, by the same
// edge.
func (u *Uniform) Exit(l *Loop) Class { return u.exit[l] }

// Join returns the class of the branches whose ways meet at b.
func (u *Uniform) Join(b *ir.Block) Class { return u.join[b.Order] }

// raise makes the class of v at least c.
func (u *Uniform) raise(v *ir.Value, c Class) {
	if c > u.class[v.ID] {
		u.class[v.ID] = c
		u.changed = true
	}
}

// params joins what the edges pass. Where diverged lanes meet, different values make a divergent one.
func (u *Uniform) params(b *ir.Block) {
	for i, p := range b.Params {
		var c Class
		var first *ir.Value
		differ := false
		for _, pred := range b.Preds {
			for _, e := range pred.Succs() {
				if e.To != b {
					continue
				}
				if e.Args[i] == p {
					continue // keeps its value
				}
				c = max(c, u.At(e.Args[i], b))
				if first != nil && first != e.Args[i] {
					differ = true
				}
				first = e.Args[i]
			}
		}
		if differ {
			c = max(c, u.join[b.Order])
		}
		u.raise(p, c)
	}
}

func (u *Uniform) terminator(b *ir.Block, in *ir.Instr) {
	if in.Op != ir.OpCondBr && in.Op != ir.OpSwitch {
		return
	}
	c := u.At(in.Args[0], b)
	if in.Flags&ir.Uniform != 0 {
		c = min(c, WarpUniform)
	}
	if c <= u.branch[b.Order] {
		return
	}
	u.branch[b.Order] = c
	u.changed = true
	var to []*ir.Block
	for _, e := range in.Targets {
		to = append(to, e.To)
	}
	u.part(c, b, to, u.Loops.Of[b.Order])
}

// part notes that lanes part with class c and go on at the blocks to; loop is the innermost loop around where they part,
// and from the block, nil if they part on leaving a loop.
func (u *Uniform) part(c Class, from *ir.Block, to []*ir.Block, loop *Loop) {
	s := newSpread(u, loop)
	for i, t := range to {
		if slices.Contains(to[:i], t) {
			u.raiseJoin(t, c) // two edges to one block
		}
		s.visit(t, label(t))
	}
	s.run()
	for _, b := range s.joins {
		u.raiseJoin(b, c)
	}
	for l := loop; l != nil; l = l.Parent {
		if !l.regular() {
			for _, b := range l.Blocks {
				u.raiseJoin(b, c)
			}
		}
		if (!l.regular() || s.leavesApart(l, from, to)) && c > u.exit[l] {
			u.exit[l] = c
			u.changed = true
			var out []*ir.Block
			for _, e := range l.Exits {
				out = append(out, e.To)
			}
			u.part(c, nil, out, l.Parent)
		}
	}
}

// regular reports whether lanes in the loop are always in the same iteration.
func (l *Loop) regular() bool { return l.Reducible && l.Latch != nil }

func (u *Uniform) raiseJoin(b *ir.Block, c Class) {
	if c > u.join[b.Order] {
		u.join[b.Order] = c
		u.changed = true
	}
}

// spread follows the ways from where lanes part. Each block gets the label of the last block that all ways to it passed;
// two labels that meet at a block make it a join with a label of its own. Ways end at the head of a loop that they parted
// in: behind it is the next iteration.
type spread struct {
	u     *Uniform
	loop  *Loop
	label []int32
	isJ   []bool
	joins []*ir.Block
	// pending are blocks whose label has to be passed on, the first one not before next. They are taken in order, so that
	// the label of a block is final when it is passed on.
	pending []bool
	next    int
}

func newSpread(u *Uniform, loop *Loop) *spread {
	n := len(u.f.Blocks)
	return &spread{u: u, loop: loop, label: make([]int32, n), isJ: make([]bool, n), pending: make([]bool, n), next: n}
}

func label(b *ir.Block) int32 { return int32(b.Order) + 1 }

// visit notes that a way with label l comes to b.
func (s *spread) visit(b *ir.Block, l int32) {
	switch old := s.label[b.Order]; {
	case old == l:
		return
	case old == 0:
		s.label[b.Order] = l
	default:
		if !s.isJ[b.Order] {
			s.isJ[b.Order] = true
			s.joins = append(s.joins, b)
		}
		if old == label(b) {
			return
		}
		s.label[b.Order] = label(b)
	}
	if !s.headOfOuter(b) {
		s.pending[b.Order] = true
		s.next = min(s.next, b.Order)
	}
}

// headOfOuter reports whether b is the head of a loop that lanes parted in.
func (s *spread) headOfOuter(b *ir.Block) bool {
	for l := s.loop; l != nil; l = l.Parent {
		if l.Head == b {
			return true
		}
	}
	return false
}

func (s *spread) run() {
	for s.next < len(s.pending) {
		b := s.u.f.Blocks[s.next]
		s.next++
		if !s.pending[b.Order] {
			continue
		}
		s.pending[b.Order] = false
		for _, e := range b.Succs() {
			s.visit(e.To, s.label[b.Order])
		}
	}
}

// leavesApart reports whether lanes that parted leave l by ways that did not meet within it, or some leave and some stay.
func (s *spread) leavesApart(l *Loop, from *ir.Block, to []*ir.Block) bool {
	var first int32
	apart, leaves := false, false
	add := func(n int32) {
		if first == 0 {
			first = n
		}
		apart = apart || n != first
	}
	for _, t := range to {
		if !l.Contains(t) {
			leaves = true
			add(label(t))
		} else if t == l.Head {
			add(label(t))
		}
	}
	for _, e := range l.Exits {
		if n := s.label[e.From.Order]; n != 0 && e.From != from && !s.headOfOuter(e.From) {
			leaves = true
			add(n)
		}
	}
	for _, p := range l.Head.Preds {
		if n := s.label[p.Order]; n != 0 && l.Contains(p) && p != from && !s.headOfOuter(p) {
			add(n)
		}
	}
	return apart && leaves
}

// instr classifies the results of in.
func (u *Uniform) instr(b *ir.Block, in *ir.Instr) {
	var c Class
	for _, a := range in.Args {
		c = max(c, u.At(a, b))
	}
	if in.Guard != nil { // without it the results are 0
		c = max(c, u.At(in.Guard, b))
	}
	switch in.Op {
	case ir.OpSpecial:
		c = u.special(ir.SReg(in.Index))
	case ir.OpLoad:
		switch in.Space {
		case ir.SpaceParam, ir.SpaceConst: // never written
		case ir.SpaceLocal:
			c = Divergent
		default:
			c = max(c, WarpUniform) // other warps may read before and after a store
		}
	case ir.OpCvta, ir.OpCvtaTo:
		if in.Space == ir.SpaceLocal {
			c = Divergent // each thread has a window of its own
		}
	case ir.OpVote, ir.OpActiveMask, ir.OpRedux:
		c = WarpUniform
		if in.Guard != nil {
			c = max(c, u.At(in.Guard, b))
		}
	case ir.OpMatch:
		if in.Sub == 0 {
			c = Divergent
		} else {
			c = max(WarpUniform, u.guard(b, in))
		}
	case ir.OpBar:
		c = u.guard(b, in)
	case ir.OpShfl:
		c = max(WarpUniform, u.At(in.Args[0], b), u.guard(b, in))
		u.raise(in.Results[1], Divergent)
		u.raise(in.Results[0], c)
		return
	default:
		if in.Op.Effect() {
			c = Divergent
		}
	}
	for _, r := range in.Results {
		u.raise(r, c)
	}
}

// guard is the class of the guard of in.
func (u *Uniform) guard(b *ir.Block, in *ir.Instr) Class {
	if in.Guard == nil {
		return BlockUniform
	}
	return u.At(in.Guard, b)
}

func (u *Uniform) special(s ir.SReg) Class {
	switch s {
	case ir.TidX, ir.TidY, ir.TidZ:
		return u.shape.tid(int(s-ir.TidX), u.lanes)
	case ir.LaneID, ir.LanemaskEq, ir.LanemaskLe, ir.LanemaskLt, ir.LanemaskGe, ir.LanemaskGt:
		return Divergent
	case ir.WarpID, ir.Clock, ir.ClockHi, ir.Clock64, ir.Globaltimer, ir.GlobaltimerLo, ir.GlobaltimerHi:
		return WarpUniform
	}
	return BlockUniform
}
