package ir

// Dominators returns the immediate dominator of each block by Block.Order; that of the first block is nil. Blocks must
// be in reverse post-order, with Preds set, and all reachable.
//
// The algorithm is that of K. Cooper, T. Harvey, K. Kennedy, "A simple, fast dominance algorithm" (2001).
func (f *Func) Dominators() []*Block {
	idom := make([]*Block, len(f.Blocks))
	idom[0] = f.Blocks[0]
	for changed := true; changed; {
		changed = false
		for _, b := range f.Blocks[1:] {
			var dom *Block
			for _, p := range b.Preds {
				if idom[p.Order] == nil {
					continue
				}
				if dom == nil {
					dom = p
				} else {
					dom = meet(idom, dom, p)
				}
			}
			if idom[b.Order] != dom {
				idom[b.Order] = dom
				changed = true
			}
		}
	}
	idom[0] = nil
	return idom
}

// meet returns the nearest common dominator of a and b.
func meet(idom []*Block, a, b *Block) *Block {
	for a != b {
		for a.Order > b.Order {
			a = idom[a.Order]
		}
		for b.Order > a.Order {
			b = idom[b.Order]
		}
	}
	return a
}

// DomTree answers in constant time whether one block dominates another.
type DomTree struct {
	// Idom is the immediate dominator by Block.Order, nil for the first block.
	Idom []*Block
	// Children are the blocks that a block immediately dominates, in order.
	Children [][]*Block
	in, out  []int
}

// NewDomTree computes the dominator tree of f, under the conditions of Dominators. It is valid until an edge changes.
func NewDomTree(f *Func) *DomTree {
	n := len(f.Blocks)
	t := &DomTree{Idom: f.Dominators(), Children: make([][]*Block, n), in: make([]int, n), out: make([]int, n)}
	for _, b := range f.Blocks[1:] {
		if d := t.Idom[b.Order]; d != nil {
			t.Children[d.Order] = append(t.Children[d.Order], b)
		}
	}
	// Preorder numbers without recursion: out is the last number in the subtree.
	size := make([]int, n)
	for i := n - 1; i >= 0; i-- {
		size[i]++
		if d := t.Idom[i]; d != nil {
			size[d.Order] += size[i]
		}
	}
	next := make([]int, n)
	for i, b := range f.Blocks {
		if d := t.Idom[i]; d != nil {
			t.in[i] = next[d.Order]
			next[d.Order] += size[i]
		}
		next[i] = t.in[i] + 1
		t.out[b.Order] = t.in[i] + size[i] - 1
	}
	return t
}

// Dominates reports whether every path from the start to b passes a; a block dominates itself.
func (t *DomTree) Dominates(a, b *Block) bool {
	return t.in[a.Order] <= t.in[b.Order] && t.in[b.Order] <= t.out[a.Order]
}
