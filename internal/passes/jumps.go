package passes

import (
	"slices"

	"github.com/tandem-go/tandem/internal/ir"
)

// jumps removes blocks that only jump forward, and joins a block with the one behind it where no other lanes come between:
// the second has no other predecessor and is next in the order. Neither changes which lanes meet: lanes at a block that
// jumps forward run before those further on, and wait with them at the same place. A block that closes a loop stays even
// if it is empty, as lanes wait there for those that are still in the body; so does one that loops come back to.
func jumps(c *context) {
	for _, b := range c.f.Blocks {
		succs := b.Succs()
		for i := range succs {
			for jumpsForward(succs[i].To) {
				next := succs[i].To.Instrs[0].Targets[0]
				succs[i].To, succs[i].Args = next.To, slices.Clone(next.Args)
			}
		}
	}
	removeUnreachable(c.f)
	join(c.f)
}

// jumpsForward reports whether there is nothing in b but a jump forward, and no loop comes back to b.
func jumpsForward(b *ir.Block) bool {
	if len(b.Params) > 0 || len(b.Instrs) != 1 || b.Instrs[0].Op != ir.OpBr || b.Instrs[0].Targets[0].To.Order <= b.Order {
		return false
	}
	return !slices.ContainsFunc(b.Preds, func(p *ir.Block) bool { return p.Order >= b.Order })
}

// join appends blocks to those before them where that is all there is to their edge.
func join(f *ir.Func) {
	var kept []*ir.Block
	r := newReplacer(f)
	for _, b := range f.Blocks {
		if len(kept) > 0 {
			last := kept[len(kept)-1]
			t := last.Terminator()
			if t.Op == ir.OpBr && t.Targets[0].To == b && len(b.Preds) == 1 {
				for i, p := range b.Params {
					r.replace(p, t.Targets[0].Args[i])
				}
				last.Instrs = append(last.Instrs[:len(last.Instrs)-1], b.Instrs...)
				for _, in := range b.Instrs {
					in.Block = last
					for _, v := range in.Results {
						v.Block = last
					}
				}
				continue
			}
		}
		kept = append(kept, b)
	}
	f.Blocks = kept
	r.apply()
	f.SetPreds()
}

// removeUnreachable drops blocks that no edge leads to any more; the others keep their order.
func removeUnreachable(f *ir.Func) {
	seen := make([]bool, len(f.Blocks))
	work := []*ir.Block{f.Blocks[0]}
	seen[f.Blocks[0].Order] = true
	for len(work) > 0 {
		b := work[len(work)-1]
		work = work[:len(work)-1]
		for _, e := range b.Succs() {
			if !seen[e.To.Order] {
				seen[e.To.Order] = true
				work = append(work, e.To)
			}
		}
	}
	f.Blocks = slices.DeleteFunc(f.Blocks, func(b *ir.Block) bool { return !seen[b.Order] })
	f.SetPreds()
}
