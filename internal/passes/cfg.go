package passes

import (
	"github.com/tandem-go/tandem/internal/ir"
)

// PostDomTree says where lanes that part at a branch come together again.
type PostDomTree struct {
	// Ipdom is, by Block.Order, the first block that every way from the block passes, nil if that is only the end.
	Ipdom []*ir.Block
}

// PostDominators computes the post-dominators of f. From a block that never reaches the end, such as an endless loop, the
// ways are taken to end at the last block of the order that they reach.
func PostDominators(f *ir.Func) *PostDomTree {
	n := len(f.Blocks)
	end := n // a node behind all blocks
	succs := make([][]int, n)
	preds := make([][]int, n+1)
	link := func(from, to int) {
		succs[from] = append(succs[from], to)
		preds[to] = append(preds[to], from)
	}
	for i, b := range f.Blocks {
		for _, e := range b.Succs() {
			link(i, e.To.Order)
		}
		if len(succs[i]) == 0 {
			link(i, end)
		}
	}
	for _, i := range trapped(preds, end) {
		link(i, end)
	}
	ipdom := reverseDominators(succs, preds, end)
	t := &PostDomTree{Ipdom: make([]*ir.Block, n)}
	for i := range n {
		if ipdom[i] != end {
			t.Ipdom[i] = f.Blocks[ipdom[i]]
		}
	}
	return t
}

// trapped returns blocks from which, once they are linked to the end, every block reaches it: of those that do not, the
// last ones in order.
func trapped(preds [][]int, end int) (list []int) {
	reached := make([]bool, end+1)
	flood := func(from int) {
		work := []int{from}
		reached[from] = true
		for len(work) > 0 {
			i := work[len(work)-1]
			work = work[:len(work)-1]
			for _, p := range preds[i] {
				if !reached[p] {
					reached[p] = true
					work = append(work, p)
				}
			}
		}
	}
	flood(end)
	for i := end - 1; i >= 0; i-- {
		if !reached[i] {
			list = append(list, i)
			flood(i)
		}
	}
	return list
}

// reverseDominators computes immediate dominators on the graph with its edges turned round, from end, by the algorithm of
// ir.Func.Dominators.
func reverseDominators(succs, preds [][]int, end int) []int {
	number := make([]int, end+1) // reverse post-order of the turned graph
	order := make([]int, 0, end+1)
	seen := make([]bool, end+1)
	var visit func(i int)
	visit = func(i int) {
		seen[i] = true
		for _, p := range preds[i] {
			if !seen[p] {
				visit(p)
			}
		}
		order = append(order, i)
	}
	visit(end)
	for i, node := range order {
		number[node] = len(order) - 1 - i
	}
	idom := make([]int, end+1)
	for i := range idom {
		idom[i] = -1
	}
	idom[end] = end
	for changed := true; changed; {
		changed = false
		for k := len(order) - 2; k >= 0; k-- {
			i, dom := order[k], -1
			for _, s := range succs[i] {
				switch {
				case idom[s] < 0:
				case dom < 0:
					dom = s
				default:
					dom = meet(idom, number, dom, s)
				}
			}
			if idom[i] != dom {
				idom[i], changed = dom, true
			}
		}
	}
	return idom
}

func meet(idom, number []int, a, b int) int {
	for a != b {
		for number[a] > number[b] {
			a = idom[a]
		}
		for number[b] > number[a] {
			b = idom[b]
		}
	}
	return a
}

// Loop is a loop of the control-flow graph. Its blocks are contiguous in the order of the function.
type Loop struct {
	// Head is the first block, and, in a reducible loop, the only one that is entered from outside.
	Head *ir.Block
	// Blocks are all blocks, those of inner loops included.
	Blocks []*ir.Block
	// Parent is the loop around it, nil if there is none; Depth is 1 for an outermost loop.
	Parent *Loop
	Depth  int
	// Reducible is whether Head is the only entry.
	Reducible bool
	// Latch is the last block of the loop if every iteration ends there, else nil (see ir.Func.AddLatches).
	Latch *ir.Block
	// Exits are the edges that leave the loop, by the blocks they start and end at.
	Exits []Exit
}

// Exit is an edge that leaves a loop.
type Exit struct{ From, To *ir.Block }

// Contains reports whether b is a block of the loop.
func (l *Loop) Contains(b *ir.Block) bool {
	first := l.Head.Order
	return first <= b.Order && b.Order < first+len(l.Blocks)
}

// LoopForest is all loops of a function.
type LoopForest struct {
	// All are the loops, an outer one before those in it.
	All []*Loop
	// Of is, by Block.Order, the innermost loop that the block is in, nil if it is in none.
	Of []*Loop
}

// Loops finds the loops of f.
func Loops(f *ir.Func) *LoopForest {
	n := len(f.Blocks)
	last := make([]int, n) // by head, the last block of its loop
	for i, b := range f.Blocks {
		for _, p := range b.Preds {
			if p.Order >= i {
				last[i] = max(last[i], p.Order)
			}
		}
	}
	head := func(i int) bool { return i > 0 && last[i] > 0 }
	for h := n - 1; h > 0; h-- {
		for i := h; head(h) && i <= last[h]; i++ {
			last[h] = max(last[h], last[i])
		}
	}
	forest := &LoopForest{Of: make([]*Loop, n)}
	for h := range n {
		if !head(h) {
			continue
		}
		l := &Loop{Head: f.Blocks[h], Blocks: f.Blocks[h : last[h]+1], Parent: forest.Of[h], Depth: 1}
		if l.Parent != nil {
			l.Depth = l.Parent.Depth + 1
		}
		l.edges()
		forest.All = append(forest.All, l)
		for i := h; i <= last[h]; i++ {
			forest.Of[i] = l
		}
	}
	for _, l := range forest.All {
		l.Latch = l.Blocks[len(l.Blocks)-1]
		for _, p := range l.Head.Preds {
			if p.Order >= l.Head.Order && (p != l.Latch || forest.Of[p.Order] != l) {
				l.Latch = nil
				break
			}
		}
	}
	return forest
}

// edges finds what leaves and enters the loop.
func (l *Loop) edges() {
	l.Reducible = true
	for _, b := range l.Blocks {
		for _, e := range b.Succs() {
			if !l.Contains(e.To) {
				l.Exits = append(l.Exits, Exit{b, e.To})
			}
		}
		for _, p := range b.Preds {
			if b != l.Head && !l.Contains(p) {
				l.Reducible = false
			}
		}
	}
}
