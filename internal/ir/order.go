package ir

import "slices"

// SortBlocks removes the blocks that control never reaches and puts the others in reverse post-order: a block stands
// behind its dominators, and every edge goes forward except those that close a loop. Of the orders that satisfy this it
// takes one in which every loop is contiguous, so that what comes after a loop stands behind all of it: engines run the
// first of several diverged groups of lanes, and therefore lanes that leave a loop wait for those still in it. Where
// that leaves a choice, blocks keep the order they had. It sets Order and Preds.
//
// It is the weak topological order of F. Bourdoncle, "Efficient chaotic iteration strategies with widenings" (1993).
func (f *Func) SortBlocks() {
	for i, b := range f.Blocks {
		b.Order = i
	}
	s := sorter{dfn: make([]int, len(f.Blocks)), succs: make([][]*Block, len(f.Blocks))}
	s.visit(f.Blocks[0])
	slices.Reverse(s.order)
	f.Blocks = s.order
	f.SetPreds()
}

// done is the depth-first number of a block that has its place.
const done = int(^uint(0) >> 1)

type sorter struct {
	dfn   []int // by Block.Order before sorting
	num   int
	stack []*Block
	succs [][]*Block // by Block.Order before sorting, filled in when first needed
	// order is the result, last block first.
	order []*Block
}

// successors returns the targets of b, last in the old order first: what is visited first ends up last.
func (s *sorter) successors(b *Block) []*Block {
	if s.succs[b.Order] != nil {
		return s.succs[b.Order]
	}
	var to []*Block
	for _, e := range b.Succs() {
		to = append(to, e.To)
	}
	slices.SortFunc(to, func(x, y *Block) int { return y.Order - x.Order })
	s.succs[b.Order] = slices.Compact(to)
	return s.succs[b.Order]
}

// visit places b and all that is reached from it only. It returns the smallest depth-first number b reaches.
func (s *sorter) visit(b *Block) int {
	s.stack = append(s.stack, b)
	s.num++
	me := s.num
	s.dfn[b.Order] = me
	head, loop := me, false
	for _, to := range s.successors(b) {
		low := s.dfn[to.Order]
		if low == 0 {
			low = s.visit(to)
		}
		if low <= head {
			head, loop = low, true
		}
	}
	if head != me {
		return head
	}
	s.dfn[b.Order] = done
	for {
		top := s.stack[len(s.stack)-1]
		s.stack = s.stack[:len(s.stack)-1]
		if top == b {
			break
		}
		s.dfn[top.Order] = 0 // visited again below, without the edges to b
	}
	if loop {
		for _, to := range s.successors(b) {
			if s.dfn[to.Order] == 0 {
				s.visit(to)
			}
		}
	}
	s.order = append(s.order, b)
	return head
}

// AddLatches gives each loop one place where lanes that have finished an iteration wait for those that have not: a loop
// with several blocks that jump back to its head, or with one that is part of an inner loop, gets an empty block behind
// all its blocks, through which they jump. Without it, lanes that jump back early would be first in the order and run ahead
// of the others, in a spin lock even ahead of the lane that holds the lock. Blocks must be as SortBlocks leaves them.
func (f *Func) AddLatches() {
	last, inner := f.loops()
	latch := make([]*Block, len(f.Blocks)) // by head
	for h, b := range f.Blocks {
		var from *Block
		for _, p := range b.Preds {
			if p.Order >= h && (from != nil && from != p || inner[p.Order] != h) && latch[h] == nil {
				latch[h] = &Block{ID: f.BlockIDs}
				f.BlockIDs++
			}
			if p.Order >= h {
				from = p
			}
		}
	}
	order := make([]*Block, 0, len(f.Blocks))
	behind := make([][]int, len(f.Blocks)) // by last block: the heads whose latch stands behind it, inner loops first
	for h := len(f.Blocks) - 1; h >= 0; h-- {
		if latch[h] != nil {
			behind[last[h]] = append(behind[last[h]], h)
		}
	}
	for i, b := range f.Blocks {
		order = append(order, b)
		for j := range b.Succs() {
			if e := &b.Succs()[j]; e.To.Order <= i && latch[e.To.Order] != nil {
				e.To = latch[e.To.Order]
			}
		}
		for _, h := range behind[i] {
			head, l := f.Blocks[h], latch[h]
			back := Edge{To: head}
			for _, p := range head.Params {
				back.Args = append(back.Args, f.NewBlockParam(l, p.Type))
			}
			f.Emit(l, &Instr{Op: OpBr, Targets: []Edge{back}})
			l.Order = len(f.Blocks) // behind every head, so that the edges to it are not taken for back edges
			order = append(order, l)
		}
	}
	f.Blocks = order
	f.SetPreds()
}

// loops returns, by Block.Order, the last block of the loop that the block is the head of, 0 if it is none, and the head
// of the innermost loop that the block is in, 0 if it is in none. Blocks must be as SortBlocks leaves them.
func (f *Func) loops() (last, inner []int) {
	n := len(f.Blocks)
	last, inner = make([]int, n), make([]int, n)
	for i, b := range f.Blocks {
		for _, p := range b.Preds {
			if p.Order >= i {
				last[i] = max(last[i], p.Order)
			}
		}
	}
	for h := n - 1; h > 0; h-- { // extend each loop by loops that reach over its end
		for i := h; last[h] > 0 && i <= last[h]; i++ {
			last[h] = max(last[h], last[i])
		}
	}
	for h := range n {
		for i := h; last[h] > 0 && i <= last[h]; i++ {
			inner[i] = h
		}
	}
	return last, inner
}
