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
	s := sorter{dfn: make([]int, len(f.Blocks))}
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
	// order is the result, last block first.
	order []*Block
}

// successors returns the targets of b, last in the old order first: what is visited first ends up last.
func successors(b *Block) []*Block {
	var to []*Block
	for _, e := range b.Succs() {
		to = append(to, e.To)
	}
	slices.SortFunc(to, func(x, y *Block) int { return y.Order - x.Order })
	return slices.Compact(to)
}

// visit places b and all that is reached from it only. It returns the smallest depth-first number b reaches.
func (s *sorter) visit(b *Block) int {
	s.stack = append(s.stack, b)
	s.num++
	me := s.num
	s.dfn[b.Order] = me
	head, loop := me, false
	for _, to := range successors(b) {
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
		for _, to := range successors(b) {
			if s.dfn[to.Order] == 0 {
				s.visit(to)
			}
		}
	}
	s.order = append(s.order, b)
	return head
}
