package lower

import (
	"slices"

	"github.com/tandem-go/tandem/internal/ir"
)

// A slot is what PTX lets instructions change: a register, a component of a vector register, the condition code, or a
// piece of a .param variable of a call.
type slot int32

// ssa turns reads and writes of slots into values.
//
// Blocks are lowered one by one, in any order. A read of a slot that the block has not written yet gives a stand-in, and
// the slot's last value in each block is noted. When the graph is complete, finish places parameters where values meet
// (R. Cytron et al., "Efficiently computing static single assignment form", 1991, for blocks where the slot is live), and
// replaces the stand-ins by what reaches them. A slot that is read and was not written is 0.
type ssa struct {
	f     *ir.Func
	types []ir.Type // by slot
	// block is the state of each block, by Block.ID; at is that of the one being lowered.
	block []*blockState
	at    *blockState
	epoch int32
	cur   []current
	// stand is what a stand-in stands for, by Value.ID; nil for other values.
	stand []*ir.Value
}

// current is the value of a slot in the block being lowered, valid if epoch is that of the block.
type current struct {
	v       *ir.Value
	epoch   int32
	written int32 // index in writes plus 1, 0 if it was read only
}

type blockState struct {
	reads, writes []slotValue
	// params are the slots of the block's parameters, in order.
	params []slot
}

type slotValue struct {
	s slot
	v *ir.Value
}

// newSlot makes a slot for values of type t.
func (s *ssa) newSlot(t ir.Type) slot {
	s.types = append(s.types, t)
	s.cur = append(s.cur, current{})
	return slot(len(s.types) - 1)
}

// start begins the lowering of b; each block is lowered in one go.
func (s *ssa) start(b *ir.Block) {
	for len(s.block) <= b.ID {
		s.block = append(s.block, nil)
	}
	next := &blockState{}
	if s.at != nil { // its lists are complete: those of b follow them
		next.reads, next.writes = s.at.reads[len(s.at.reads):], s.at.writes[len(s.at.writes):]
	}
	s.at = next
	s.block[b.ID] = s.at
	s.epoch++
}

func (s *ssa) read(n slot) *ir.Value {
	c := &s.cur[n]
	if c.epoch != s.epoch {
		v := s.f.NewValue(s.types[n])
		*c = current{v: v, epoch: s.epoch}
		s.at.reads = append(s.at.reads, slotValue{n, v})
	}
	return c.v
}

func (s *ssa) write(n slot, v *ir.Value) {
	c := &s.cur[n]
	if c.epoch != s.epoch {
		*c = current{epoch: s.epoch}
	}
	c.v = v
	if c.written == 0 {
		s.at.writes = append(s.at.writes, slotValue{n, v})
		c.written = int32(len(s.at.writes))
		return
	}
	s.at.writes[c.written-1].v = v
}

// finish sorts the blocks, places their parameters and replaces all stand-ins. It reports false if that would take more
// room than the function's size allows; then the function is not to be used.
func (s *ssa) finish() bool {
	if loopHeads(s.f)*len(s.f.Blocks) > maxLoopWork {
		return false
	}
	s.f.SortBlocks()
	s.f.AddLatches()
	for len(s.block) < s.f.BlockIDs {
		s.block = append(s.block, &blockState{})
	}
	tree := ir.NewDomTree(s.f)
	if !s.place(tree) {
		return false
	}
	r := renamer{ssa: s, tree: tree, reach: make([]*ir.Value, len(s.types))}
	s.stand = make([]*ir.Value, s.f.Values+len(s.types))
	r.block(s.f.Blocks[0])
	for _, b := range s.f.Blocks {
		for _, in := range b.Instrs {
			s.replace(in.Args)
			if in.Guard != nil {
				in.Guard = s.stands(in.Guard)
			}
		}
	}
	renumber(s.f)
	return true
}

// stands returns what v stands for, v itself if it is no stand-in.
func (s *ssa) stands(v *ir.Value) *ir.Value {
	if v.ID < len(s.stand) && s.stand[v.ID] != nil {
		return s.stand[v.ID]
	}
	return v
}

func (s *ssa) replace(vs []*ir.Value) {
	for i, v := range vs {
		vs[i] = s.stands(v)
	}
}

// The values that live through n nested loops have n parameters each, and a text can be made of little else. What compilers
// write has less than one argument for each instruction, and frontiers of a few blocks; a function is refused whose
// arguments or frontiers, per instruction or block, are more than these and more than the fixed sums.
const (
	argsPerInstr     = 4
	frontierPerBlock = 16
	freeArgs         = 8 << 10
	freeFrontier     = 16 << 10
)

// maxLoopWork bounds loops times blocks, and with it the time that blocks with deeply nested loops take to sort.
const maxLoopWork = 1 << 27

// loopHeads is the number of blocks that a depth-first walk comes back to while it is behind them.
func loopHeads(f *ir.Func) (n int) {
	const (
		behind = 1 << iota
		head
		seen
	)
	type place struct {
		b    *ir.Block
		next int
	}
	marks := make([]uint8, f.BlockIDs)
	path := []place{{b: f.Blocks[0]}}
	marks[f.Blocks[0].ID] = seen | behind
	for len(path) > 0 {
		at := &path[len(path)-1]
		succs := at.b.Succs()
		if at.next == len(succs) {
			marks[at.b.ID] &^= behind
			path = path[:len(path)-1]
			continue
		}
		to := succs[at.next].To
		at.next++
		switch m := &marks[to.ID]; {
		case *m&(behind|head) == behind:
			*m |= head
			n++
		case *m == 0:
			*m = seen | behind
			path = append(path, place{b: to})
		}
	}
	return n
}

// place gives parameters to the blocks where different values of a slot meet and the slot is live. It reports false if
// they are too many.
func (s *ssa) place(tree *ir.DomTree) bool {
	blocks := s.f.Blocks
	uses := s.blocksOf(func(st *blockState) []slotValue { return st.reads })
	defs := s.blocksOf(func(st *blockState) []slotValue { return st.writes })
	args := freeArgs
	for _, b := range blocks {
		args += argsPerInstr * len(b.Instrs)
	}
	p := placer{tree: tree, live: make([]slot, len(blocks)), def: make([]slot, len(blocks)), has: make([]slot, len(blocks))}
	for n := range s.types {
		if len(uses[n]) == 0 || oneDominates(tree, defs[n], uses[n]) {
			continue
		}
		if p.frontier == nil {
			if p.frontier = frontiers(s.f, tree); p.frontier == nil {
				return false
			}
		}
		for _, b := range p.place(slot(n), blocks[0], defs[n], uses[n]) {
			if args -= 1 + len(b.Preds); args < 0 {
				return false
			}
			st := s.block[b.ID]
			st.params = append(st.params, slot(n))
			s.f.NewBlockParam(b, s.types[n])
		}
	}
	return true
}

// blocksOf returns, by slot, the blocks in whose list it is.
func (s *ssa) blocksOf(list func(*blockState) []slotValue) [][]*ir.Block {
	sizes, sum := make([]int, len(s.types)), 0
	for _, b := range s.f.Blocks {
		for _, v := range list(s.block[b.ID]) {
			sizes[v.s]++
			sum++
		}
	}
	of, room := make([][]*ir.Block, len(s.types)), make([]*ir.Block, sum)
	for n, size := range sizes {
		of[n], room = room[:0:size], room[size:]
	}
	for _, b := range s.f.Blocks {
		for _, v := range list(s.block[b.ID]) {
			of[v.s] = append(of[v.s], b)
		}
	}
	return of
}

// oneDominates reports whether a single definition reaches all uses on every way; so does the zero of a slot that is
// never written.
func oneDominates(tree *ir.DomTree, defs, uses []*ir.Block) bool {
	if len(defs) != 1 {
		return len(defs) == 0
	}
	for _, u := range uses {
		if u == defs[0] || !tree.Dominates(defs[0], u) {
			return false
		}
	}
	return true
}

// placer finds where one slot after the other needs parameters. The marks hold the slot plus 1, so that they need no
// clearing.
type placer struct {
	tree           *ir.DomTree
	frontier       [][]*ir.Block
	live, def, has []slot
	work           []*ir.Block
}

func (p *placer) place(n slot, entry *ir.Block, defs, uses []*ir.Block) (at []*ir.Block) {
	mark := n + 1
	for _, b := range defs {
		p.def[b.Order] = mark
	}
	p.work = p.work[:0]
	for _, b := range uses {
		p.live[b.Order] = mark
		p.work = append(p.work, b)
	}
	for len(p.work) > 0 {
		b := p.pop()
		for _, q := range b.Preds {
			if p.live[q.Order] != mark && p.def[q.Order] != mark {
				p.live[q.Order] = mark
				p.work = append(p.work, q)
			}
		}
	}
	p.work = append(append(p.work, defs...), entry) // the entry defines the zero
	for len(p.work) > 0 {
		for _, d := range p.frontier[p.pop().Order] {
			if p.live[d.Order] != mark || p.has[d.Order] == mark {
				continue
			}
			p.has[d.Order] = mark
			at = append(at, d)
			p.work = append(p.work, d)
		}
	}
	return at
}

func (p *placer) pop() *ir.Block {
	b := p.work[len(p.work)-1]
	p.work = p.work[:len(p.work)-1]
	return b
}

// frontiers returns the dominance frontier of each block by Block.Order: the blocks where its dominance ends. It returns
// nil if they are too large.
func frontiers(f *ir.Func, tree *ir.DomTree) [][]*ir.Block {
	room := freeFrontier + frontierPerBlock*len(f.Blocks)
	df := make([][]*ir.Block, len(f.Blocks))
	for _, b := range f.Blocks {
		if len(b.Preds) < 2 {
			continue
		}
		for _, p := range b.Preds {
			for r := p; r != tree.Idom[b.Order]; r = tree.Idom[r.Order] {
				if l := df[r.Order]; len(l) == 0 || l[len(l)-1] != b {
					if room--; room < 0 {
						return nil
					}
					df[r.Order] = append(l, b)
				}
			}
		}
	}
	return df
}

// renamer walks the dominator tree with the value of each slot that reaches the place.
type renamer struct {
	*ssa
	tree  *ir.DomTree
	reach []*ir.Value // by slot
	undo  []slotValue
	zeros [ir.B128 + 1]*ir.Value
}

func (r *renamer) block(b *ir.Block) {
	mark := len(r.undo)
	st := r.ssa.block[b.ID]
	for i, n := range st.params {
		r.set(n, b.Params[i])
	}
	for _, rd := range st.reads {
		r.stand[rd.v.ID] = r.get(rd.s)
	}
	for _, w := range st.writes {
		r.set(w.s, r.stands(w.v))
	}
	for i := range b.Succs() {
		e := &b.Succs()[i]
		for _, n := range r.ssa.block[e.To.ID].params {
			e.Args = append(e.Args, r.get(n))
		}
	}
	for _, c := range r.tree.Children[b.Order] {
		r.block(c)
	}
	for len(r.undo) > mark {
		last := r.undo[len(r.undo)-1]
		r.reach[last.s] = last.v
		r.undo = r.undo[:len(r.undo)-1]
	}
}

func (r *renamer) set(n slot, v *ir.Value) {
	r.undo = append(r.undo, slotValue{n, r.reach[n]})
	r.reach[n] = v
}

// get returns the value that reaches the place: 0 if nothing was written on the way.
func (r *renamer) get(n slot) *ir.Value {
	if v := r.reach[n]; v != nil {
		return v
	}
	t := r.types[n]
	if r.zeros[t] == nil {
		entry := r.f.Blocks[0]
		in := r.f.Emit(entry, &ir.Instr{Op: ir.OpConst, As: t}, t)
		last := len(entry.Instrs) - 1
		copy(entry.Instrs[1:], entry.Instrs[:last])
		entry.Instrs[0] = in
		r.zeros[t] = in.Results[0]
	}
	return r.zeros[t]
}

// renumber gives ids in the order of the text.
func renumber(f *ir.Func) {
	f.Values = 0
	number := func(vs []*ir.Value) {
		for _, v := range vs {
			v.ID = f.Values
			f.Values++
		}
	}
	number(f.Params)
	for i, b := range f.Blocks {
		b.ID = i
		number(b.Params)
		for _, in := range b.Instrs {
			number(in.Results)
		}
	}
	f.BlockIDs = len(f.Blocks)
	f.Blocks = slices.Clip(f.Blocks)
}
