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

// bank is a set of registers that values of some classes are allocated from.
type bank struct {
	taken [][]segment // by register
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
	p.segments()
	units := p.coalesce()
	slices.SortStableFunc(units, func(a, b *unit) int { return cmp.Compare(b.rank(), a.rank()) })
	f := files{registers: r, general: bank{make([][]segment, len(r.general))}, vectors: bank{make([][]segment, r.vectors)}, masks: bank{make([][]segment, len(r.masks))}}
	slots := frameSlots{next: frame, sizes: map[int32][]frameSlot{}}
	for _, u := range units {
		if f.place(u) {
			continue
		}
		if v := u.members[0]; r.onlySplats && v.class == vector {
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
	return slots.next
}

// unit is values that share one home, since none is needed while another is: the two sides of moves.
type unit struct {
	members []*value
	segs    []segment
	into    *unit
}

func (u *unit) root() *unit {
	for u.into != nil {
		u = u.into
	}
	return u
}

// rank is what a register for the values gains, by the length of time that it is needed.
func (u *unit) rank() float64 {
	n, weight := 0, 0.0
	for _, v := range u.members {
		weight += v.weight
	}
	for _, s := range u.segs {
		n += s.last - s.first + 1
	}
	return weight / float64(n+4)
}

// coalesce makes units, of the edges in the innermost loops first.
func (p *plan) coalesce() []*unit {
	of := make([]*unit, len(p.vals))
	var all []*unit
	for i := range p.vals {
		if v := &p.vals[i]; v.v != nil && v.class > constant && len(v.segs) > 0 && !(p.pieces != nil && p.pieces.local.has(i)) {
			of[i] = &unit{members: []*value{v}, segs: v.segs}
			all = append(all, of[i])
		}
	}
	blocks := slices.Clone(p.f.Blocks)
	slices.SortStableFunc(blocks, func(a, b *ir.Block) int { return p.depth[b.Order] - p.depth[a.Order] })
	for _, b := range blocks {
		for _, e := range b.Succs() {
			for i, a := range e.Args {
				x, y := of[a.ID], of[e.To.Params[i].ID]
				if x == nil || y == nil || !sameBank(&p.vals[a.ID], &p.vals[e.To.Params[i].ID]) {
					continue
				}
				x, y = x.root(), y.root()
				if x == y || overlap(x.segs, y.segs) {
					continue
				}
				y.members, y.segs = append(y.members, x.members...), slices.Concat(y.segs, x.segs)
				x.into = y
			}
		}
	}
	return slices.DeleteFunc(all, func(u *unit) bool { return u.into != nil })
}

// sameBank tells that two values take the same number of registers of the same kind.
func sameBank(a, b *value) bool {
	kind := func(c class) int {
		switch c {
		case scalar, flag:
			return 0
		case mask:
			return 1
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
	case vector:
		if f.registers.onlySplats {
			return false
		}
		n = v.parts()
	default:
		n = v.parts()
	}
	// Values of one width share all their registers or none, so that parts can be computed one by one.
	for i := 0; i+n <= len(from.taken); i += n {
		if !from.free(i, n, u.segs) {
			continue
		}
		for k := range n {
			from.taken[i+k] = append(from.taken[i+k], u.segs...)
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
func (b *bank) free(i, n int, segs []segment) bool {
	if i < 0 || i+n > len(b.taken) {
		return false
	}
	for k := i; k < i+n; k++ {
		if overlap(b.taken[k], segs) {
			return false
		}
	}
	return true
}

func overlap(a, b []segment) bool {
	for _, s := range a {
		for _, t := range b {
			if s.first <= t.last && t.first <= s.last {
				return true
			}
		}
	}
	return false
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
	case mask: // apart from flags, so that a move from one to the other does not overlap
		size = 16
	}
	list := f.sizes[size]
	for i := range list {
		if !overlap(list[i].taken, segs) {
			list[i].taken = append(list[i].taken, segs...)
			return list[i].at
		}
	}
	f.next = (f.next + size - 1) / size * size
	f.sizes[size] = append(list, frameSlot{f.next, slices.Clone(segs)})
	f.next += size
	return f.next - size
}

// segments computes where each value is needed, lanes that wait elsewhere included.
func (p *plan) segments() {
	start := 0
	for i, b := range p.f.Blocks {
		n := len(b.Instrs)
		end := start + 2*n - 1 // after the terminator's moves
		open := make(map[int]int)
		keep := func(set bitset, at int) {
			set.each(func(id int) {
				if _, ok := open[id]; !ok {
					open[id] = at
				}
			})
		}
		held := newBitset(p.f.Values)
		p.waits[i].each(func(w int) { p.whole(w, held) })
		out := newBitset(p.f.Values)
		out.or(held)
		targets := b.Succs()
		for _, e := range targets {
			p.whole(e.To.Order, out)
		}
		keep(out, end)
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
		held = newBitset(p.f.Values)
		p.waits[i].each(func(w int) { p.whole(w, held) })
		for k := n - 1; k >= 0; k-- {
			in := b.Instrs[k]
			at := start + 2*k
			begin := at + 1
			if p.pieces != nil {
				begin = start + 2*p.pieces.first[i][k]
				p.pieces.kept(p, i, k, func(v *ir.Value) {
					if _, ok := open[v.ID]; !ok {
						open[v.ID] = at + 1
					}
				})
			}
			for _, v := range in.Results {
				p.define(in, v, open, begin, at, held)
			}
			operands(in, func(v *ir.Value) {
				if _, ok := open[v.ID]; !ok {
					open[v.ID] = at
				}
			})
		}
		for id, lastAt := range open {
			p.add(id, segment{start, lastAt})
		}
		start = end + 1
	}
	for i := range p.vals {
		slices.SortFunc(p.vals[i].segs, func(a, b segment) int { return a.first - b.first })
	}
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
func (p *plan) close(v *ir.Value, open map[int]int, at int, held bitset) {
	last, ok := open[v.ID]
	if !ok || held.has(v.ID) {
		return
	}
	p.add(v.ID, segment{at, max(at, last)})
	delete(open, v.ID)
}

// define ends the segment of a result. begin is where the piece begins that computes it.
func (p *plan) define(in *ir.Instr, v *ir.Value, open map[int]int, begin, at int, held bitset) {
	last, ok := open[v.ID]
	if !ok {
		if p.vals[v.ID].uses == 0 && !in.Op.Effect() {
			p.vals[v.ID].class = unused
			return
		}
		last = at + 1
	}
	first := at + 1
	if p.target.early(p, in) {
		first = at
	}
	if p.vals[v.ID].class == mask {
		first = min(first, begin) // written for one quarter while others still read
	}
	p.add(v.ID, segment{first, max(first, last)})
	if held.has(v.ID) {
		open[v.ID] = at // kept for other lanes from the beginning
		return
	}
	delete(open, v.ID)
}

func (p *plan) add(id int, s segment) {
	v := &p.vals[id]
	v.segs = append(v.segs, s)
}
