package passes

import (
	"slices"

	"github.com/tandem-go/tandem/internal/ir"
)

// forward removes block parameters that get the same value on every edge, apart from themselves: the value dominates the
// block then, and takes the parameter's place.
func forward(c *context) {
	r := newReplacer(c.f)
	gone := make(map[*ir.Value]bool)
	for changed := true; changed; {
		changed = false
		for _, b := range c.f.Blocks {
			for i, p := range b.Params {
				if gone[p] {
					continue
				}
				if v := onlyValue(r, b, i); v != nil {
					r.replace(p, v)
					gone[p] = true
					changed = true
				}
			}
		}
	}
	if len(gone) > 0 {
		r.apply()
		dropParams(c.f, func(p *ir.Value) bool { return gone[p] })
	}
}

// onlyValue returns the one value that parameter i of b gets, nil if there are several.
func onlyValue(r *replacer, b *ir.Block, i int) *ir.Value {
	var only *ir.Value
	for _, p := range b.Preds {
		for _, e := range p.Succs() {
			if e.To != b {
				continue
			}
			switch v := r.get(e.Args[i]); {
			case v == b.Params[i], v == only:
			case only != nil:
				return nil
			default:
				only = v
			}
		}
	}
	return only
}

// dropParams removes the parameters that drop picks, and what edges pass for them.
func dropParams(f *ir.Func, drop func(*ir.Value) bool) {
	keep := map[*ir.Block][]int{}
	for _, b := range f.Blocks {
		if !slices.ContainsFunc(b.Params, drop) {
			continue
		}
		list := []int{}
		for i, p := range b.Params {
			if !drop(p) {
				list = append(list, i)
			}
		}
		keep[b] = list
		b.Params = pick(b.Params, list)
	}
	for _, b := range f.Blocks {
		succs := b.Succs()
		for i := range succs {
			if list, ok := keep[succs[i].To]; ok {
				succs[i].Args = pick(succs[i].Args, list)
			}
		}
	}
}

func pick(vs []*ir.Value, list []int) []*ir.Value {
	var out []*ir.Value
	for _, i := range list {
		out = append(out, vs[i])
	}
	return out
}
