//go:build linux && (amd64 || arm64)

package jit

import (
	"math"
	"math/bits"
	"slices"

	"github.com/tandem-go/tandem/internal/ir"
)

// target is what makes code for one kind of machine.
type target interface {
	// name is that of the engine.
	name() string
	registers() registers
	// vector tells that in has code for all lanes at once; nan that its result may be a NaN other than the canonical one.
	vector(in *ir.Instr) (ok, nan bool)
	// scalar tells that in, whose operands are the same in all lanes, is executed once on general registers.
	scalar(in *ir.Instr) bool
	// early tells that results must not share homes with operands, since they are written before all operands are read.
	early(p *plan, in *ir.Instr) bool
	// lasts tells that the results of in must not share homes with its operand v.
	lasts(p *plan, in *ir.Instr, v *ir.Value) bool
	// prepare adds to a plan what the target needs to know before values get their homes.
	prepare(p *plan)
	emit(p *program) (*output, error)
	// indexed tells that in has code for an address in parts.
	indexed(p *plan, in *ir.Instr, x *index) bool
	// tables tells that there is code for scalars with a table of offsets.
	tables() bool
	// twins tells that there is code for twins.
	twins() bool
	// joints tells that there is code for several conditions of a branch.
	joints() bool
	// walkers tells that there is code that watches numbers which stand for pointers.
	walkers() bool
}

// class says in which form a value exists at run time.
type class uint8

const (
	// unused values are not computed.
	unused class = iota
	// indexed values are addresses that are not computed either: accesses read their parts.
	indexed
	// constant values are immediates, or broadcast from the constants of the program.
	constant
	// scalar values are a number in a general register: lane l has it plus s*(l%16) + d*(l/16), at the value's width.
	scalar
	// flag values are predicates that are the same in all lanes: 0 or 1 in a general register.
	flag
	// twin values are two numbers in the frame: lane l has number l/16 plus s*(l%16), at the value's width.
	twin
	// splat values are the same in all lanes, in all elements of one vector register.
	splat
	// repeated values of 32 bits are the same in both halves of the warp: one vector register has an element for each lane of one.
	repeated
	// vector values have one element for each lane: two vector registers, or four at 64 bits.
	vector
	// mask values are predicates with one bit for each lane.
	mask
)

// value is what the compiler knows of a value of the IR.
type value struct {
	v     *ir.Value
	class class
	s, d  int64    // of scalar; s of twin
	table *offsets // of a scalar whose s is tabled, in place of d
	imm   uint64   // of constant
	// align is the power of two of which the scalar is known to be a multiple.
	align uint64
	numberBounds
	// nan tells that the value is a float, the result of arithmetic, and may be a NaN that is not the canonical one.
	nan bool
	// masked values are written for the lanes of the group only: others that wait elsewhere hold a value from before.
	masked bool
	// changed is the step of the classification at which what is known here changed last.
	changed uint32

	uses, scalarUses int
	weight           float64
	segs             []segment
	home             home
}

func (v *value) wide() bool { return v.v.Type == ir.B64 }

// parts is the number of vector registers.
func (v *value) parts() int {
	switch {
	case v.class == splat || v.class == repeated:
		return 1
	case v.wide():
		return 4
	}
	return 2
}

// onGeneral tells that the value is computed in general registers.
func (v *value) onGeneral() bool { return v.class == scalar || v.class == flag || v.class == twin }

// uniform tells that all lanes that compute the value together get the same.
func (v *value) uniform() bool {
	switch v.class {
	case constant, flag, splat:
		return true
	case scalar:
		return v.s == 0 && v.d == 0
	}
	return false
}

// offset is what lane l of a scalar has above lane 0.
func (v *value) offset(l int) int64 {
	if v.table != nil {
		return v.table[l]
	}
	return v.s*int64(l%16) + v.d*int64(l/16)
}

// apartBy tells that the lanes of a scalar are multiples of n apart.
func (v *value) apartBy(n int64) bool {
	if v.table == nil {
		return v.s%n == 0 && v.d%n == 0
	}
	return !slices.ContainsFunc(v.table[:], func(o int64) bool { return o%n != 0 })
}

// startsAt0 tells that lane 0 of a scalar of 32 bits has the number 0, so that all lanes are known.
func (v *value) startsAt0() bool { return v.class == scalar && !v.wide() && v.align >= 1<<32 }

// span returns the least and the greatest offset.
func (v *value) span() (least, most int64) {
	if v.table != nil {
		return slices.Min(v.table[:]), slices.Max(v.table[:])
	}
	for _, l := range [...]int{0, 15, 16, 31} {
		least, most = min(least, v.offset(l)), max(most, v.offset(l))
	}
	return least, most
}

// plan is the analysis of a kernel's entry function.
//
// Code runs in the order of blocks: of the blocks at which lanes of a warp wait, the first is executed, for all lanes that
// wait there. So the blocks at which lanes may wait while a block executes (waits) are known, and with them which values
// must outlive it for lanes that are elsewhere.
type plan struct {
	target  target
	f       *ir.Func
	extent  extent
	globals []uint64
	vals    []value
	// waits are, by Block.Order, the blocks at which other lanes may stand while a block is executed.
	waits []bitset
	in    []bitset // live-in values, parameters of the block excluded
	ends  []bool   // blocks in which lanes end and nothing else happens
	depth []int
	loops []region
	// spins tells of a loop that may wait for other threads.
	spins bool
	// pieces is of targets that execute blocks in pieces.
	pieces *pieces
	// tables are the tables of offsets that there are.
	tables map[offsets]*offsets
	// decided are comparisons that only decide a branch, and are made with the first and the last lane.
	decided map[*ir.Instr]bool
	// joined are, by branch, the joined predicates that it asks for one after the other.
	joined map[*ir.Instr]*ir.Instr
	// joints are the conditions of branches that have several, by branch, and late the instructions that make masks of these, which
	// are executed at the branch.
	joints map[*ir.Instr]*joint
	late   map[*ir.Instr]bool
	// magnitudes bound floats, by value, as far as somebody has asked.
	magnitudes []int16
	// indexes are the parts of indexed values.
	indexes map[int]*index
	// steps are the instructions that advance numbers which stand for pointers.
	steps map[*ir.Instr][]step32
	// found are the segments of all values, while they are computed.
	found []found
	// busy are the positions at which vector registers are taken.
	busy bank
	// instructions is how many there are.
	instructions int
	// step counts the changes that the classification made.
	step uint32
	// busyGeneral are those of the general registers.
	busyGeneral bank
}

// region is the blocks from a loop's first to its last.
type region struct{ first, last int }

type bitset []uint64

func newBitset(n int) bitset    { return make(bitset, (n+63)/64) }
func (b bitset) has(i int) bool { return b[i/64]>>(i%64)&1 != 0 }
func (b bitset) set(i int)      { b[i/64] |= 1 << (i % 64) }
func (b bitset) clear(i int)    { b[i/64] &^= 1 << (i % 64) }
func (b bitset) each(f func(i int)) {
	for w, x := range b {
		for ; x != 0; x &= x - 1 {
			f(w*64 + bits.TrailingZeros64(x))
		}
	}
}

// newBitsets makes sets of numbers below n in one piece of memory.
func newBitsets(count, n int) []bitset {
	sets, words := make([]bitset, count), (n+63)/64
	all := make(bitset, count*words)
	for i := range sets {
		sets[i] = all[i*words : (i+1)*words]
	}
	return sets
}

// or adds o and reports whether that changed b.
func (b bitset) or(o bitset) (changed bool) {
	for i, x := range o {
		if x&^b[i] != 0 {
			b[i] |= x
			changed = true
		}
	}
	return changed
}

func (b bitset) empty() bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}

// analyse classifies all values of f for blocks of which e is known.
func analyse(t target, f *ir.Func, e extent, globals []uint64) *plan {
	n := len(f.Blocks)
	p := &plan{target: t, f: f, extent: e, globals: globals, vals: make([]value, f.Values), ends: make([]bool, n), depth: make([]int, n), steps: map[*ir.Instr][]step32{}}
	for _, b := range f.Blocks {
		p.instructions += len(b.Instrs)
		t := b.Terminator()
		p.ends[b.Order] = len(b.Instrs) == 1 && len(b.Params) == 0 && (t.Op == ir.OpRet || t.Op == ir.OpExit) && b.Order > 0
		for _, v := range b.Params {
			p.vals[v.ID].v = v
		}
		for _, in := range b.Instrs {
			for _, v := range in.Results {
				p.vals[v.ID].v = v
			}
		}
	}
	p.findLoops()
	p.liveness()
	p.classify()
	p.findIndexed()
	p.countUses()
	p.findDecided()
	p.preferSplats()
	t.prepare(p)
	return p
}

// findLoops finds the regions of back edges and loops that may wait for other threads.
func (p *plan) findLoops() {
	last := make([]int, len(p.f.Blocks))
	for i := range last {
		last[i] = -1
	}
	for i, b := range p.f.Blocks {
		for _, e := range b.Succs() {
			if e.To.Order <= i {
				last[e.To.Order] = i
			}
		}
	}
	for first, end := range last {
		if end < 0 {
			continue
		}
		p.loops = append(p.loops, region{first, end})
		for i := first; i <= end; i++ {
			p.depth[i]++
			for _, in := range p.f.Blocks[i].Instrs {
				p.spins = p.spins || in.Op == ir.OpAtom || in.Op == ir.OpRed || in.Op == ir.OpLoad && in.Order != ir.Weak || in.Op == ir.OpNanosleep
			}
		}
	}
}

// liveness computes the live-in values of each block.
func (p *plan) liveness() {
	n := len(p.f.Blocks)
	all := newBitsets(3*n, p.f.Values)
	p.in = all[:n]
	gen, kill := all[n:2*n], all[2*n:]
	for i, b := range p.f.Blocks {
		for _, v := range b.Params {
			kill[i].set(v.ID)
		}
		use := func(v *ir.Value) {
			if !kill[i].has(v.ID) {
				gen[i].set(v.ID)
			}
		}
		for _, in := range b.Instrs {
			p.operands(in, use)
			for _, v := range in.Results {
				kill[i].set(v.ID)
			}
		}
	}
	for changed := true; changed; {
		changed = false
		for i := n - 1; i >= 0; i-- {
			changed = p.in[i].or(gen[i]) || changed
			for _, e := range p.f.Blocks[i].Succs() {
				for w, x := range p.in[e.To.Order] {
					if x = x &^ kill[i][w] &^ p.in[i][w]; x != 0 {
						p.in[i][w] |= x
						changed = true
					}
				}
			}
		}
	}
}

// classify finds the greatest fixed point: all values begin uniform and become vectors where they are not.
func (p *plan) classify() {
	for i := range p.vals {
		if v := &p.vals[i]; v.v != nil {
			v.class, v.align = scalar, 1<<63
			if v.v.Type == ir.Pred {
				v.class = flag
			}
			v.s = unknownShape
			v.nan = true
			v.numberBounds = nothingKnown
		}
	}
	// Where lanes wait, and what is masked, follows from the branches at which lanes part: when no more of these were found, the
	// rest is settled, too.
	sets := newBitsets(2, len(p.f.Blocks))
	parting, before := sets[0], sets[1]
	seen := make([]uint32, p.instructions)
	for again := true; again; {
		p.findWaits()
		p.findMasked()
		p.spread(seen)
		copy(before, parting)
		for i, b := range p.f.Blocks {
			if p.divergent(b) {
				parting.set(i)
			}
		}
		again = !slices.Equal(parting, before)
	}
	for i := range p.vals {
		if v := &p.vals[i]; v.v != nil && v.class == scalar && v.s == unknownShape {
			v.s, v.d = 0, 0 // of a value that depends on itself only
		}
	}
}

// spread brings all facts up to date with those that they follow from. seen are, by instruction in order, the steps at which
// its results were up to date, 0: not yet.
func (p *plan) spread(seen []uint32) {
	for again := true; again; {
		again = false
		n := 0
		for _, b := range p.f.Blocks {
			for i, v := range b.Params {
				x := &p.vals[v.ID]
				changed := p.update(x, p.param(b, i))
				if p.boundParam(b, i) || changed {
					p.note(x)
					again = true
				}
			}
			for _, in := range b.Instrs {
				if seen[n] == 0 || p.outdated(in, seen[n]) {
					again = p.instruction(in) || again
					seen[n] = p.step
				}
				n++
			}
		}
	}
}

// note says that v has changed.
func (p *plan) note(v *value) {
	p.step++
	v.changed = p.step
}

// outdated tells that something changed after a step of what the facts of the results of in follow from.
func (p *plan) outdated(in *ir.Instr, step uint32) bool {
	for _, a := range in.Args {
		if p.vals[a.ID].changed > step {
			return true
		}
	}
	for _, r := range in.Results {
		if p.vals[r.ID].changed > step {
			return true // it became masked
		}
	}
	return in.Guard != nil && p.vals[in.Guard.ID].changed > step
}

// unknownShape is the s of a value of which nothing is known yet.
const unknownShape = math.MinInt64

// findWaits computes waits from the classes as they are.
func (p *plan) findWaits() {
	n := len(p.f.Blocks)
	all := newBitsets(n+3, n)
	p.waits = all[:n]
	reached, out, rest := all[n], all[n+1], all[n+2]
	reached.set(0)
	var room []int
	for changed := true; changed; {
		changed = false
		for i, b := range p.f.Blocks {
			if !reached.has(i) {
				continue
			}
			targets, ended := p.targets(b, room[:0])
			room = targets
			step := func(to []int, all bool) {
				copy(out, p.waits[i])
				most := n
				if all && len(to) > 0 {
					most = 0
				}
				for _, t := range to {
					out.set(t)
					if all {
						most = max(most, t)
					}
				}
				out.each(func(next int) {
					if next > most {
						return
					}
					copy(rest, out)
					for k := 0; k <= next; k++ {
						rest.clear(k)
					}
					if !reached.has(next) {
						reached.set(next)
						changed = true
					}
					changed = p.waits[next].or(rest) || changed
				})
			}
			if p.divergent(b) {
				step(targets, !ended)
				continue
			}
			for i := range targets {
				step(targets[i:i+1], true)
			}
			if ended || len(targets) == 0 {
				step(nil, false)
			}
		}
	}
}

// targets appends the blocks that control goes to from b, and tells whether lanes may end there.
func (p *plan) targets(b *ir.Block, to []int) (_ []int, ended bool) {
	for _, e := range b.Succs() {
		if p.ends[e.To.Order] {
			ended = true
			continue
		}
		to = append(to, e.To.Order)
	}
	return to, ended || len(b.Succs()) == 0
}

// divergent tells that lanes may go different ways at the end of b.
func (p *plan) divergent(b *ir.Block) bool {
	t := b.Terminator()
	return len(t.Targets) > 1 && len(t.Args) > 0 && !p.vals[t.Args[0].ID].uniform()
}

// findMasked finds values that are written while other lanes hold one from before. Such values are never uniform.
func (p *plan) findMasked() (changed bool) {
	set := func(v *value) {
		if !v.masked {
			v.masked, changed = true, true
			p.note(v)
		}
	}
	sets := newBitsets(2, p.f.Values)
	held, also := sets[0], sets[1]
	for i, b := range p.f.Blocks {
		clear(held)
		p.waits[i].each(func(w int) { p.whole(w, held) })
		for _, in := range b.Instrs {
			for _, v := range in.Results {
				if held.has(v.ID) && !p.fixed(in) {
					set(&p.vals[v.ID])
				}
			}
		}
		t := b.Terminator()
		for k, e := range t.Targets {
			copy(also, held)
			if p.divergent(b) {
				for j, o := range t.Targets {
					if j == k {
						continue
					}
					p.whole(o.To.Order, also)
				}
			}
			for _, v := range e.To.Params {
				if also.has(v.ID) {
					set(&p.vals[v.ID])
				}
			}
		}
	}
	return changed
}

// fixed tells that in gives the same constant whenever it is executed.
func (p *plan) fixed(in *ir.Instr) bool {
	switch in.Op {
	case ir.OpConst, ir.OpSymbol, ir.OpFuncAddr:
		return true
	case ir.OpSpecial:
		return p.special(ir.SReg(in.Index)).class == constant
	}
	return false
}

// fact is what an instruction or edge says of a value.
type fact struct {
	class class
	s, d  int64
	table *offsets
	imm   uint64
	align uint64
	nan   bool
}

var varying = fact{class: vector, align: 1}

// update lowers what is known of v to what f says, and reports a change.
func (p *plan) update(v *value, f fact) bool {
	if f.s == unknownShape {
		return false
	}
	if v.masked && f.class != mask {
		nan := f.nan
		f = varying
		f.nan = nan
	}
	if v.v.Type == ir.Pred && (f.class == vector || f.class == scalar && (f.s != 0 || f.d != 0)) {
		f.class = mask
	}
	old := *v
	v.nan = v.nan && f.nan
	switch {
	case v.class == vector || v.class == mask:
	case f.class == constant && v.s == unknownShape:
		v.class, v.imm, v.s, v.d = constant, f.imm, 0, 0
	case v.class == constant && f.class != constant: // what bounds made of it, which have widened since
		v.class, v.s, v.d, v.table = f.class, f.s, f.d, f.table
	case f.class == twin || v.class == twin:
		if v.s != unknownShape && (v.s != f.s || v.table != nil || f.table != nil || f.class > twin) {
			v.class = vector
		} else {
			v.class, v.s, v.d = twin, f.s, 0
		}
	case f.class == constant:
		// The parameter of a block is a scalar, whatever it gets.
		f.class = scalar
		fallthrough
	case f.class == scalar || f.class == flag:
		if v.s == unknownShape {
			v.s, v.d, v.table = f.s, f.d, f.table
		} else if v.s != f.s || v.d != f.d || v.table != f.table {
			v.class = vector
		}
	default:
		v.class, v.s, v.d, v.table = f.class, 0, 0, nil
	}
	v.align = min(v.align, f.align)
	return v.class != old.class || v.s != old.s || v.d != old.d || v.table != old.table || v.nan != old.nan || v.align != old.align || v.imm != old.imm
}

// param is the fact of parameter i of b: what all edges to it agree on.
func (p *plan) param(b *ir.Block, i int) fact {
	f := fact{s: unknownShape, align: 1 << 63, nan: true}
	for _, pred := range b.Preds {
		for _, e := range pred.Succs() {
			if e.To != b {
				continue
			}
			a := &p.vals[e.Args[i].ID]
			if !p.known(e.Args[i]) {
				continue
			}
			f = meet(f, p.of(a))
		}
	}
	if f.class == constant {
		f.class = scalar // a block's parameter has a place of its own
		if b.Params[i].Type == ir.Pred {
			f.class = flag
		}
	}
	return f
}

// of is what is known of v.
func (p *plan) of(v *value) fact {
	f := fact{class: v.class, s: v.s, d: v.d, table: v.table, imm: v.imm, align: v.align, nan: v.nan}
	if v.class == constant {
		f.align = alignOf(v.imm)
		// What is no NaN is a canonical number.
		f.nan = !(v.wide() && v.imm&(1<<63-1) > 0x7ff<<52 || !v.wide() && v.imm&(1<<31-1) > 0xff<<23)
	}
	if v.class == vector || v.class == mask {
		f.s, f.d, f.table = 0, 0, nil
	}
	return f
}

func alignOf(imm uint64) uint64 {
	if imm == 0 {
		return 1 << 63
	}
	return imm & -imm
}

func meet(a, b fact) fact {
	if a.s == unknownShape {
		return b
	}
	nan := a.nan && b.nan
	out := a
	switch {
	case a.class == vector || a.class == mask:
	case b.class == vector || b.class == mask:
		out = b
	case a.class == twin || b.class == twin:
		if out.class, out.d = twin, 0; a.s != b.s || a.table != nil || b.table != nil {
			out = varying
		}
	case !sameShape(a, b):
		out = varying
	case a.class == constant && b.class == constant && a.imm != b.imm:
		out.class = scalar
	case a.class == constant:
		out.class = b.class
	}
	out.nan = nan
	out.align = min(a.align, b.align)
	return out
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
