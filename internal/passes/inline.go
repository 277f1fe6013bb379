package passes

import (
	"slices"

	"github.com/tandem-go/tandem/internal/ir"
)

// inlinedInstrs is how many instructions a function may have for calls in it to be replaced still.
const inlinedInstrs = 20000

// inline replaces calls of functions that call nothing by their bodies, from the innermost outwards, and drops functions
// that nothing refers to any more. Calls through pointers and of functions that call themselves stay, and what calls these.
//
// A body stands between what is before and what is behind the call, so lanes that return wait behind it for those that are
// still in it, as they do for a call. Its frame in local memory begins where the callee's would.
func inline(k *ir.Kernel, _ Options) {
	if len(k.Funcs) == 1 { // what calls only itself keeps its calls
		return
	}
	n := inliner{k: k, state: make([]inlining, len(k.Funcs))}
	for i := range k.Funcs {
		n.visit(i)
	}
	n.drop()
}

type inlining uint8

const (
	unvisited inlining = iota
	visiting
	leaf    // calls nothing, maybe no longer
	calling // has calls that stay
)

type inliner struct {
	k     *ir.Kernel
	state []inlining // by index in Funcs
}

// visit replaces the calls in function i.
func (n *inliner) visit(i int) {
	if n.state[i] != unvisited {
		return
	}
	n.state[i] = visiting
	f, result := n.k.Funcs[i], leaf
	size, frame := instructions(f), f.LocalBytes
	for at := 0; at < len(f.Blocks); at++ { // blocks that are put behind at are seen again, and have no calls
		b := f.Blocks[at]
		for j, in := range b.Instrs {
			if in.Op == ir.OpCallIndirect {
				result = calling
			}
			if in.Op != ir.OpCall {
				continue
			}
			n.visit(in.Index)
			callee := n.k.Funcs[in.Index]
			if n.state[in.Index] != leaf || size+instructions(callee) > inlinedInstrs {
				result = calling
				continue
			}
			size += instructions(callee)
			newBody(f, callee, frame).insert(b, j)
			break
		}
	}
	f.SetPreds()
	removeUnreachable(f) // what stands behind the call of a function that does not return
	n.state[i] = result
}

func instructions(f *ir.Func) (n int) {
	for _, b := range f.Blocks {
		n += len(b.Instrs)
	}
	return n
}

// drop removes functions that nothing refers to.
func (n *inliner) drop() {
	used := make([]bool, len(n.k.Funcs))
	used[0] = true
	calls := func(do func(in *ir.Instr)) {
		for _, f := range n.k.Funcs {
			for _, b := range f.Blocks {
				for _, in := range b.Instrs {
					if in.Op == ir.OpCall {
						do(in)
					}
				}
			}
		}
	}
	calls(func(in *ir.Instr) { used[in.Index] = true })
	index, kept := make([]int, len(used)), n.k.Funcs[:0:0]
	for i, f := range n.k.Funcs {
		index[i] = len(kept)
		if used[i] || slices.Contains(n.k.FuncTable, f) {
			kept = append(kept, f)
		}
	}
	calls(func(in *ir.Instr) { in.Index = index[in.Index] })
	n.k.Funcs = kept
}

// body is a copy of a function's blocks in another function.
type body struct {
	to, of *ir.Func
	frame  uint64                  // where in the frame of to that of the function begins
	values map[*ir.Value]*ir.Value // the copy's by those of the function
	blocks map[*ir.Block]*ir.Block
}

// newBody reserves room for a frame of callee behind the first bytes of that of f.
func newBody(f, callee *ir.Func, bytes int) *body {
	align := max(callee.LocalAlign, 1)
	frame := (bytes + align - 1) / align * align
	if callee.LocalBytes > 0 {
		f.LocalBytes, f.LocalAlign = max(f.LocalBytes, frame+callee.LocalBytes), max(f.LocalAlign, align)
	}
	return &body{f, callee, uint64(frame), map[*ir.Value]*ir.Value{}, map[*ir.Block]*ir.Block{}}
}

// insert puts the copy in the place of the call that is instruction i of b: the blocks of the function behind b, and then
// one with what is behind the call.
func (c *body) insert(b *ir.Block, i int) {
	f, call, rest := c.to, b.Instrs[i], b.Instrs[i+1:]
	b.Instrs = b.Instrs[:i:i]
	var copies []*ir.Block
	for _, from := range c.of.Blocks {
		copies = append(copies, c.newBlock())
		c.blocks[from] = copies[len(copies)-1]
	}
	behind := c.newBlock()
	for _, v := range call.Results {
		v.Def, v.Block = nil, behind
	}
	behind.Params = call.Results
	behind.Instrs = slices.Clone(rest)
	for _, in := range behind.Instrs {
		in.Block = behind
		for _, v := range in.Results {
			v.Block = behind
		}
	}
	for j, p := range c.of.Params {
		c.values[p] = call.Args[j]
	}
	enter := &ir.Instr{Op: ir.OpBr, Targets: []ir.Edge{{To: copies[0]}}, Pos: call.Pos}
	if call.Guard != nil {
		around := ir.Edge{To: behind}
		for _, v := range call.Results {
			zero := f.Emit(b, &ir.Instr{Op: ir.OpConst, As: v.Type, Pos: call.Pos}, v.Type)
			around.Args = append(around.Args, zero.Results[0])
		}
		enter.Op, enter.Args, enter.Targets = ir.OpCondBr, []*ir.Value{call.Guard}, append(enter.Targets, around)
	}
	f.Emit(b, enter)
	c.declare()
	for _, from := range c.of.Blocks {
		for _, in := range from.Instrs {
			c.copy(in, behind)
		}
	}
	at := slices.Index(f.Blocks, b) + 1
	f.Blocks = slices.Insert(f.Blocks, at, append(copies, behind)...)
}

// newBlock makes a block that is in no list yet.
func (c *body) newBlock() *ir.Block {
	b := &ir.Block{ID: c.to.BlockIDs}
	c.to.BlockIDs++
	return b
}

// declare makes a value for each of the function's: a loop's parameters are used before what they get is copied.
func (c *body) declare() {
	for _, from := range c.of.Blocks {
		for _, p := range from.Params {
			c.values[p] = c.to.NewBlockParam(c.blocks[from], p.Type)
		}
		for _, in := range from.Instrs {
			for _, r := range in.Results {
				c.values[r] = c.to.NewValue(r.Type)
			}
		}
	}
}

// copy appends a copy of in to the copy of its block. A return is a jump behind the call.
func (c *body) copy(in *ir.Instr, behind *ir.Block) {
	of := func(vs []*ir.Value) []*ir.Value {
		out := make([]*ir.Value, len(vs))
		for i, v := range vs {
			out[i] = c.values[v]
		}
		return out
	}
	b, to := c.blocks[in.Block], *in
	to.Args, to.Results, to.Targets = of(in.Args), of(in.Results), nil
	if in.Guard != nil {
		to.Guard = c.values[in.Guard]
	}
	for _, e := range in.Targets {
		to.Targets = append(to.Targets, ir.Edge{To: c.blocks[e.To], Args: of(e.Args)})
	}
	switch {
	case in.Op == ir.OpRet:
		to = ir.Instr{Op: ir.OpBr, Pos: in.Pos, Targets: []ir.Edge{{To: behind, Args: to.Args}}}
	case in.Op == ir.OpSymbol && in.Space == ir.SpaceLocal:
		to.Imm += c.frame
	}
	c.to.Emit(b, &to)
	for _, v := range to.Results {
		v.Def, v.Block = &to, b
	}
}
