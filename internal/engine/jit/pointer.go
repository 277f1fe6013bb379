//go:build linux && (amd64 || arm64)

package jit

import (
	"math"
	"slices"

	"github.com/tandem-go/tandem/internal/ir"
)

// Compilers replace a[k] in a loop by a pointer that the loop advances beside k. Of such a pointer, a parameter of the loop's
// first block, nothing is computed here either: it is the base of a plus k, as an address in parts. That holds while
// k does not leave 32 bits, so the addition that advances k is watched: where it would, the block goes on in the reference
// engine.

// walker is a pointer that a loop advances: parameter number place of a block. It is what x says, whose number, parameter beside
// of the same block, begins and goes on as the pointer does.
type walker struct {
	block         *ir.Block
	place, beside int
	x             *index
	// steps are the values that the number goes on with.
	steps []step32
}

func (w *walker) pointer() *ir.Value { return w.block.Params[w.place] }

// step32 is a sum of 32 bits that must not leave them: of a value and a constant.
type step32 struct {
	sum, of *ir.Value
	by      int32
	signed  bool
}

// limit is the greatest number that by can be added to or, if that is negative, the least.
func (s step32) limit() uint32 {
	switch {
	case s.signed && s.by > 0:
		return uint32(math.MaxInt32 - s.by)
	case s.signed:
		return uint32(math.MinInt32 - s.by)
	}
	return uint32(-s.by) - uint32(btoi(s.by > 0))
}

// decomposeAll returns the parts of all addresses that have some, and the pointers among them that loops advance.
func (p *plan) decomposeAll() (map[int]*index, []*walker) {
	var refused []*ir.Value
	for {
		found, walkers := map[int]*index{}, []*walker(nil)
		for again := true; again; {
			again = false
			for _, b := range p.f.Blocks {
				for i, v := range b.Params {
					if found[v.ID] != nil || slices.Contains(refused, v) {
						continue
					}
					if w := p.walks(b, i, found); w != nil {
						found[v.ID], again = w.x, true
						walkers = append(walkers, w)
					}
				}
				for _, in := range b.Instrs {
					if len(in.Results) != 1 || in.Results[0].Type != ir.B64 || found[in.Results[0].ID] != nil || p.vals[in.Results[0].ID].class != vector {
						continue
					}
					if x := p.decompose(in, found); x != nil {
						found[in.Results[0].ID] = x
					}
				}
			}
		}
		// What was assumed of pointers has to hold on every edge; parts of others may rest on it.
		i := slices.IndexFunc(walkers, func(w *walker) bool { return !w.holds(found) })
		if i < 0 {
			return found, walkers
		}
		refused = append(refused, walkers[i].pointer())
	}
}

// walks returns parameter i of b if that begins as an address in parts whose number is what another parameter begins with.
func (p *plan) walks(b *ir.Block, i int, found map[int]*index) *walker {
	if p.vals[b.Params[i].ID].class != vector || b.Params[i].Type != ir.B64 {
		return nil
	}
	if !p.target.walkers() {
		return nil
	}
	for _, e := range edges(b) {
		first := found[e.Args[i].ID]
		if first == nil {
			continue
		}
		if j := slices.Index(e.Args, first.v); j >= 0 {
			x := *first
			x.v = b.Params[j]
			if p.indexable(&x) {
				return &walker{block: b, place: i, beside: j, x: &x}
			}
		}
	}
	return nil
}

// edges are those that lead to b.
func edges(b *ir.Block) (all []ir.Edge) {
	for _, pred := range b.Preds {
		for _, e := range pred.Succs() {
			if e.To == b {
				all = append(all, e)
			}
		}
	}
	return all
}

// holds tells that on each edge the pointer is what w says, and notes the steps.
func (w *walker) holds(found map[int]*index) bool {
	w.steps = nil
	for _, e := range edges(w.block) {
		x, number := found[e.Args[w.place].ID], e.Args[w.beside]
		if x == nil || x.base != w.x.base || x.shift != w.x.shift || x.signed != w.x.signed {
			return false
		}
		step := step32{sum: number, of: x.v, signed: x.signed}
		if number != x.v {
			if step.by = stepOf(number, x.v); step.by == 0 {
				return false
			}
			w.steps = append(w.steps, step)
		}
		if x.add != w.x.add+int64(step.by)<<w.x.shift {
			return false
		}
	}
	return true
}

// stepOf is the constant that makes v of another value, if that is its sum with one, else 0.
func stepOf(v, from *ir.Value) int32 {
	in := v.Def
	if in == nil || in.Op != ir.OpAdd || !in.As.Integer() || in.As.Bits() != 32 || in.Flags != 0 {
		return 0
	}
	a, c := in.Args[0], in.Args[1]
	if a != from {
		a, c = c, a
	}
	if a != from || c.Def == nil || c.Def.Op != ir.OpConst || int32(c.Def.Imm) == math.MinInt32 {
		return 0
	}
	return int32(c.Def.Imm)
}

// leaps returns the number, known at run time only, by which a loop advances what the address v is made of, such as the number of
// threads, and how often it is in what the address advances by; nil if the loop does not.
func (p *plan) leaps(v *ir.Value) (by *ir.Value, times int64) {
	times = 1
	differs := func(a *ir.Value) bool { return !p.vals[a.ID].uniform() }
	for times < 1<<16 && v.Def != nil {
		args := v.Def.Args
		i := slices.IndexFunc(args, differs)
		if i < 0 || slices.ContainsFunc(args[i+1:], differs) {
			return nil, 0
		}
		switch v.Def.Op {
		case ir.OpAdd, ir.OpExtend, ir.OpCvt, ir.OpCvta, ir.OpCvtaTo:
		case ir.OpSub:
			if i > 0 {
				return nil, 0
			}
		case ir.OpMul, ir.OpMulWide:
			times *= int64(p.vals[args[1-i].ID].imm & (1<<16 - 1)) // 0: not a constant
		case ir.OpShl:
			times <<= p.vals[args[1].ID].imm & 15
		default:
			return nil, 0
		}
		v = args[i]
	}
	if v.Def != nil || v.Block == nil || times <= 0 {
		return nil, 0
	}
	i := slices.Index(v.Block.Params, v)
	for _, e := range edges(v.Block) {
		in := e.Args[i].Def
		if in == nil || in.Op != ir.OpAdd || !slices.Contains(in.Args, v) {
			continue
		}
		by = in.Args[btoi(in.Args[0] == v)]
		if x := &p.vals[by.ID]; x.class == scalar && x.uniform() && by.Block != nil && by.Block.Order < v.Block.Order {
			return by, times
		}
	}
	return nil, 0
}
