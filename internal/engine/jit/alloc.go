//go:build linux && (amd64 || arm64)

package jit

import (
	"cmp"
	"slices"

	"github.com/tandem-go/tandem/internal/ir"
)

// home is where a value is, everywhere and always: in registers, or in the warp's frame.
type home struct {
	kind homeKind
	reg  uint8
	slot int32 // offset in the frame
}

type homeKind uint8

const (
	nowhere homeKind = iota
	inRegister
	inFrame
	inGeneral // a predicate in a general register
)

// segment is a range of positions, both included, in which a value must be kept. A block with n instructions has 2n+1
// positions: instruction i reads its operands at 2i and writes its results at 2i+1, counted from the block's first.
type segment struct{ first, last int }

// bank is a set of registers that values of some classes are allocated from: by register, the positions at which it is taken.
type bank []bitset

func newBank(registers, positions int) bank { return newBitsets(registers, positions) }

// edges are the masks of the first and last word of a segment.
func (s segment) edges() (first, last uint64) {
	return ^uint64(0) << (s.first % 64), ^uint64(0) >> (63 - s.last%64)
}

// meets reports whether b has a position of a segment.
func (b bitset) meets(s segment) bool {
	first, last := s.edges()
	lo, hi := s.first/64, s.last/64
	if lo == hi {
		return b[lo]&first&last != 0
	}
	for _, w := range b[lo+1 : hi] {
		if w != 0 {
			return true
		}
	}
	return b[lo]&first != 0 || b[hi]&last != 0
}

// fill adds the positions of a segment.
func (b bitset) fill(s segment) {
	first, last := s.edges()
	lo, hi := s.first/64, s.last/64
	if lo == hi {
		b[lo] |= first & last
		return
	}
	b[lo] |= first
	for i := lo + 1; i < hi; i++ {
		b[i] = ^uint64(0)
	}
	b[hi] |= last
}

// registers are what a machine has for values.
type registers struct {
	general []uint8
	vectors int // 0 to vectors-1
	masks   []uint8
	// onlySplats: other vectors have no registers, and predicates are words in general ones. firstVector is the number of the
	// first vector register.
	onlySplats  bool
	firstVector uint8
}

// allocate gives each value its home: registers to those that gain most by it, a place in the frame to the others. It
// returns the first free offset behind the frame.
func (p *plan) allocate(r registers, frame int32) int32 {
	positions := p.segments()
	units := p.coalesce()
	for _, u := range units {
		u.weigh()
	}
	slices.SortFunc(units, func(a, b *unit) int {
		if a.rank != b.rank {
			return cmp.Compare(b.rank, a.rank)
		}
		return a.number - b.number
	})
	f := files{registers: r, general: newBank(len(r.general), positions), vectors: newBank(r.vectors, positions), masks: newBank(len(r.masks), positions)}
	slots := frameSlots{next: frame, sizes: map[int32][]frameSlot{}}
	for _, u := range units {
		if f.place(u) {
			continue
		}
		if v := u.members[0]; r.onlySplats && v.class == vector || v.class == twin {
			at := slots.take(v, u.segs)
			for _, m := range u.members {
				m.home = home{kind: inFrame, slot: at}
			}
			continue
		}
		// What does not fit together may fit apart.
		for _, v := range u.members {
			if one := (&unit{members: []*value{v}, segs: v.segs}); len(u.members) == 1 || !f.place(one) {
				v.home = home{kind: inFrame, slot: slots.take(v, v.segs)}
			}
		}
	}
	p.busy, p.busyGeneral = f.vectors, f.general
	return slots.next
}

// unit is values that share one home, since none is needed while another is: the two sides of moves.
type unit struct {
	members []*value
	segs    []segment // in order
	into    *unit
	rank    float64
	number  int // in the order of the first values
}

func (u *unit) root() *unit {
	for u.into != nil {
		u = u.into
	}
	return u
}

// weigh computes rank: what a register for the values gains, by the length of time that it is needed.
func (u *unit) weigh() {
	n, weight := 0, 0.0
	for _, v := range u.members {
		weight += v.weight
	}
	for _, s := range u.segs {
		n += s.last - s.first + 1
	}
	u.rank = weight / float64(n+4)
}

// coalesce makes units, of the edges in the innermost loops first.
func (p *plan) coalesce() []*unit {
	of := make([]*unit, len(p.vals))
	all := make([]*unit, 0, len(p.vals))
	room, self := make([]unit, len(p.vals)), make([]*value, len(p.vals))
	for i := range p.vals {
		if v := &p.vals[i]; v.v != nil && v.class > constant && len(v.segs) > 0 && !(p.pieces != nil && p.pieces.local.has(i)) {
			self[i] = v
			room[i] = unit{members: self[i : i+1 : i+1], segs: v.segs, number: i}
			of[i] = &room[i]
			all = append(all, of[i])
		}
	}
	blocks := slices.Clone(p.f.Blocks)
	slices.SortStableFunc(blocks, func(a, b *ir.Block) int { return p.depth[b.Order] - p.depth[a.Order] })
	join := func(a, b *ir.Value, edge segment) {
		x, y := of[a.ID], of[b.ID]
		if x == nil || y == nil || !sameBank(&p.vals[a.ID], &p.vals[b.ID]) {
			return
		}
		x, y = x.root(), y.root()
		if x == y || overlap(x.segs, y.segs) && !x.meetsOnly(y, &p.vals[a.ID], &p.vals[b.ID], edge) {
			return
		}
		y.members, y.segs = append(y.members, x.members...), union(y.segs, x.segs)
		x.into = y
	}
	ends, at := make([]int, len(blocks)), -1
	for i, b := range p.f.Blocks {
		at += 2 * len(b.Instrs)
		ends[i] = at
	}
	for _, b := range blocks {
		end := ends[b.Order]
		for _, e := range b.Succs() {
			for i, a := range e.Args {
				join(a, e.To.Params[i], segment{end - 1, end})
			}
		}
	}
	for _, b := range blocks {
		for _, in := range b.Instrs {
			if in.Op == ir.OpFma { // which computes in the register of the addend
				join(in.Results[0], in.Args[2], segment{0, -1})
			}
		}
	}
	return slices.DeleteFunc(all, func(u *unit) bool { return u.into != nil })
}

// meetsOnly tells that two units are needed at the same time only because v, of the one, is kept for other ways than the edge
// at which w, of the other, gets its value: then both are the same.
func (u *unit) meetsOnly(o *unit, v, w *value, edge segment) bool {
	for _, m := range u.members {
		if m != v && overlap(m.segs, o.segs) {
			return false
		}
	}
	for _, m := range o.members {
		if m != w && overlap(m.segs, u.segs) {
			return false
		}
	}
	a, b := v.segs, w.segs
	for len(a) > 0 && len(b) > 0 {
		first, last := max(a[0].first, b[0].first), min(a[0].last, b[0].last)
		if first <= last && (first < edge.first || last > edge.last) {
			return false
		}
		if a[0].last < b[0].last {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return true
}

// sameBank tells that two values take the same number of registers of the same kind.
func sameBank(a, b *value) bool {
	kind := func(c class) int {
		switch c {
		case scalar, flag:
			return 0
		case mask:
			return 1
		case twin:
			return 3
		}
		return 2
	}
	return kind(a.class) == kind(b.class) && a.parts() == b.parts()
}

// files are the registers of a machine and when they are taken.
type files struct {
	registers
	general, vectors, masks bank
}

// place gives a unit the first registers that are free whenever it needs them.
func (f *files) place(u *unit) bool {
	n, from, names, kind := 1, &f.vectors, []uint8(nil), inRegister
	switch v := u.members[0]; v.class {
	case scalar, flag:
		from, names = &f.general, f.registers.general
	case mask:
		from, names = &f.masks, f.registers.masks
		if f.registers.onlySplats {
			from, names, kind = &f.general, f.registers.general, inGeneral
		}
	case twin:
		return false
	case vector:
		if f.registers.onlySplats {
			return false
		}
		n = v.parts()
	default:
		n = v.parts()
	}
	// Values of one width share all their registers or none, so that parts can be computed one by one.
	for i := 0; i+n <= len(*from); i += n {
		if !from.free(i, n, u.segs) {
			continue
		}
		for _, taken := range (*from)[i : i+n] {
			for _, s := range u.segs {
				taken.fill(s)
			}
		}
		reg := uint8(i) + f.registers.firstVector
		if names != nil {
			reg = names[i]
		}
		for _, v := range u.members {
			v.home = home{kind: kind, reg: reg}
		}
		return true
	}
	return false
}

// free reports whether n registers from i are free in all segments.
func (b bank) free(i, n int, segs []segment) bool {
	for _, taken := range b[i : i+n] {
		for _, s := range segs {
			if taken.meets(s) {
				return false
			}
		}
	}
	return true
}

// overlap reports whether two lists in order have a position in common.
func overlap(a, b []segment) bool {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].last < b[0].first:
			a = a[1:]
		case b[0].last < a[0].first:
			b = b[1:]
		default:
			return true
		}
	}
	return false
}

// union is the segments of two lists in order.
func union(a, b []segment) []segment {
	all := make([]segment, 0, len(a)+len(b))
	for len(a)+len(b) > 0 {
		if len(a) == 0 || len(b) > 0 && a[0].first > b[0].first {
			a, b = b, a
		}
		if n := len(all); n > 0 && a[0].first <= all[n-1].last {
			all[n-1].last = max(all[n-1].last, a[0].last)
		} else {
			all = append(all, a[0])
		}
		a = a[1:]
	}
	return all
}

// frameSlots shares places of the frame between values that are not needed at the same time.
type frameSlots struct {
	next  int32
	sizes map[int32][]frameSlot
}

type frameSlot struct {
	at    int32
	taken []segment
}

func (f *frameSlots) take(v *value, segs []segment) int32 {
	size := int32(64 * v.parts())
	switch v.class {
	case scalar, flag:
		size = 8
	case mask, twin: // apart from flags, so that a move from one to the other does not overlap
		size = 16
	}
	list := f.sizes[size]
	for i := range list {
		if !overlap(list[i].taken, segs) {
			list[i].taken = union(list[i].taken, segs)
			return list[i].at
		}
	}
	f.next = (f.next + size - 1) / size * size
	f.sizes[size] = append(list, frameSlot{f.next, segs})
	f.next += size
	return f.next - size
}

// opened are the values that must be kept at the positions above the one that is looked at, in one block.
type opened struct {
	last []int32 // by value, the last position, -1: none
	ids  []int32 // of values that have or had one
}

func (o *opened) keep(id, at int) {
	if o.last[id] < 0 {
		o.last[id] = int32(at)
		o.ids = append(o.ids, int32(id))
	}
}

// found is a segment of a value.
type found struct {
	id int32
	segment
}

// segments computes where each value is needed, lanes that wait elsewhere included. It returns the number of positions.
func (p *plan) segments() int {
	start := 0
	open := &opened{last: make([]int32, len(p.vals))}
	for i := range open.last {
		open.last[i] = -1
	}
	p.found = make([]found, 0, 2*len(p.vals))
	waiting, held, out := newBitset(p.f.Values), newBitset(p.f.Values), newBitset(p.f.Values)
	for i, b := range p.f.Blocks {
		n := len(b.Instrs)
		end := start + 2*n - 1 // after the terminator's moves
		clear(waiting)
		p.waits[i].each(func(w int) { p.whole(w, waiting) })
		copy(held, waiting)
		copy(out, waiting)
		targets := b.Succs()
		for _, e := range targets {
			p.whole(e.To.Order, out)
		}
		out.each(func(id int) { open.keep(id, end) })
		for _, e := range targets {
			held.or(p.in[e.To.Order]) // what the other way needs from before
		}
		// Of several ways, all but the last have their parameters written while operands are still read.
		last := p.lastMoved(b)
		for _, e := range targets {
			for _, v := range e.To.Params {
				at := end
				if e.To.Order != last {
					at = end - 1
				}
				p.close(v, open, at, held)
			}
		}
		p.inside(i, start, open, waiting)
		for _, id := range open.ids {
			if last := open.last[id]; last >= 0 {
				p.add(int(id), segment{start, int(last)})
				open.last[id] = -1
			}
		}
		open.ids = open.ids[:0]
		start = end + 1
	}
	p.distribute()
	return start + 1
}

// inside finds the segments that begin in block i, whose first position is start. held are the values of lanes that wait.
func (p *plan) inside(i, start int, open *opened, held bitset) {
	b := p.f.Blocks[i]
	for k := len(b.Instrs) - 1; k >= 0; k-- {
		in := b.Instrs[k]
		at := start + 2*k
		piece := segment{at + 1, at + 1}
		if p.pieces != nil {
			piece = segment{start + 2*p.pieces.first[i][k], start + 2*p.pieces.last[i][k] + 1}
			p.pieces.kept(p, i, k, func(v *ir.Value) { open.keep(v.ID, at+1) })
		}
		for _, v := range in.Results {
			p.define(in, v, open, piece, at, held)
		}
		p.operands(in, func(v *ir.Value) {
			if p.target.lasts(p, in, v) {
				open.keep(v.ID, at+1)
			} else {
				open.keep(v.ID, at)
			}
		})
		if j := p.joints[in]; j != nil { // executed here
			for _, late := range j.instrs {
				p.operands(late, func(v *ir.Value) { open.keep(v.ID, at) })
			}
		}
	}
}

// distribute gives the values the segments that were found, in order.
func (p *plan) distribute() {
	ends := make([]int32, len(p.vals)+1)
	for _, f := range p.found {
		ends[f.id+1]++
	}
	for i := range p.vals {
		ends[i+1] += ends[i]
	}
	all := make([]segment, len(p.found))
	for _, f := range p.found {
		all[ends[f.id]] = f.segment
		ends[f.id]++
	}
	first := int32(0)
	for i := range p.vals {
		segs := all[first:ends[i]:ends[i]]
		first = ends[i]
		slices.SortFunc(segs, func(a, b segment) int { return a.first - b.first })
		p.vals[i].segs = segs
	}
	p.found = nil
}

// whole adds to set what lanes need that stand at the beginning of block w.
func (p *plan) whole(w int, set bitset) {
	set.or(p.in[w])
	for _, v := range p.f.Blocks[w].Params {
		set.set(v.ID)
	}
}

// lastMoved is the target whose parameters are written last at the end of b.
func (p *plan) lastMoved(b *ir.Block) int {
	least := -1
	succs := b.Succs()
	if len(succs) > 2 || len(succs) == 2 && succs[0].To == succs[1].To {
		return -1
	}
	for _, e := range succs {
		if least < 0 || e.To.Order < least {
			least = e.To.Order
		}
	}
	return least
}

// close ends the segment of a parameter that the edge writes at a position, unless other lanes hold it before.
func (p *plan) close(v *ir.Value, open *opened, at int, held bitset) {
	last := int(open.last[v.ID])
	if last < 0 || held.has(v.ID) {
		return
	}
	p.add(v.ID, segment{at, max(at, last)})
	open.last[v.ID] = -1
}

// define ends the segment of a result, which piece computes.
func (p *plan) define(in *ir.Instr, v *ir.Value, open *opened, piece segment, at int, held bitset) {
	last := int(open.last[v.ID])
	if last < 0 {
		if p.vals[v.ID].uses == 0 && !in.Op.Effect() {
			// The reference engine, where it goes on, computes addresses that are not computed here: it needs their constants.
			if c := p.vals[v.ID].class; c != indexed && c != constant {
				p.vals[v.ID].class = unused
			}
			return
		}
		last = at + 1
	}
	first := at + 1
	if p.target.early(p, in) {
		first = at
	}
	if p.vals[v.ID].class == mask {
		// Written for one quarter while others still read, and after all that the piece executes once.
		first, last = min(first, piece.first), max(last, piece.last)
	}
	p.add(v.ID, segment{first, max(first, last)})
	if held.has(v.ID) {
		open.last[v.ID] = -1
		open.keep(v.ID, at) // kept for other lanes from the beginning
		return
	}
	open.last[v.ID] = -1
}

func (p *plan) add(id int, s segment) { p.found = append(p.found, found{int32(id), s}) }
