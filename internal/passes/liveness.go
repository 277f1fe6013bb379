package passes

import (
	"math/bits"

	"github.com/tandem-go/tandem/internal/ir"
)

// Set is a set of values by id.
type Set []uint64

// NewSet returns an empty set for the values of f.
func NewSet(f *ir.Func) Set { return make(Set, (f.Values+63)/64) }

// Has reports whether v is in the set.
func (s Set) Has(v *ir.Value) bool { return s[v.ID>>6]&(1<<(v.ID&63)) != 0 }

// Add puts v into the set, Remove takes it out.
func (s Set) Add(v *ir.Value) { s[v.ID>>6] |= 1 << (v.ID & 63) }

// Remove takes v out of the set.
func (s Set) Remove(v *ir.Value) { s[v.ID>>6] &^= 1 << (v.ID & 63) }

// Union puts all of t into the set and reports whether that changed it.
func (s Set) Union(t Set) (changed bool) {
	for i, w := range t {
		if w&^s[i] != 0 {
			s[i] |= w
			changed = true
		}
	}
	return changed
}

// Len is the number of values in the set.
func (s Set) Len() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// IDs returns the ids in the set, in order.
func (s Set) IDs() (ids []int) {
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			ids = append(ids, i*64+bits.TrailingZeros64(w))
		}
	}
	return ids
}

// Liveness says which values are needed later.
type Liveness struct {
	// In are, by Block.Order, the values from elsewhere that are needed at the start of the block or behind it. A block's
	// own parameters are not among them.
	In []Set
	// Out are the values needed behind the end of the block. What the terminator alone uses, such as the arguments of its
	// edges, is not among them.
	Out []Set
}

// Live computes the liveness of all values of f.
func Live(f *ir.Func) *Liveness {
	n := len(f.Blocks)
	l := &Liveness{In: make([]Set, n), Out: make([]Set, n)}
	for i := range n {
		l.In[i], l.Out[i] = NewSet(f), NewSet(f)
	}
	for changed := true; changed; {
		changed = false
		for i := n - 1; i >= 0; i-- {
			b := f.Blocks[i]
			grown := false
			for _, e := range b.Succs() {
				if l.Out[i].Union(l.In[e.To.Order]) {
					grown = true
				}
			}
			if !grown && l.In[i].Len() > 0 {
				continue // visited before, and nothing new since
			}
			live := append(Set(nil), l.Out[i]...)
			for j := len(b.Instrs) - 1; j >= 0; j-- {
				Step(live, b.Instrs[j])
			}
			for _, p := range b.Params {
				live.Remove(p)
			}
			if l.In[i].Union(live) {
				changed = true
			}
		}
	}
	return l
}

// Step turns the values live behind in into those live before it.
func Step(live Set, in *ir.Instr) {
	for _, r := range in.Results {
		live.Remove(r)
	}
	for _, a := range in.Args {
		live.Add(a)
	}
	if in.Guard != nil {
		live.Add(in.Guard)
	}
	for _, e := range in.Targets {
		for _, a := range e.Args {
			live.Add(a)
		}
	}
}
