package ir

import (
	"errors"
	"fmt"
	"slices"
)

// Verify returns every way in which k is not well-formed, joined, or nil. Passes and engines rely on what it states:
//
//   - Funcs is not empty, names of functions and globals are unique, and the entry, Funcs[0], has no parameters and results.
//   - Block.Order is the index in Func.Blocks, ids are unique and below the counts of the function, and Preds are the
//     blocks with edges to the block, one entry an edge. The first block has none.
//   - Each block but the first has a predecessor before it, and loops are contiguous (SortBlocks).
//   - A block ends with a terminator and has no other; only terminators have targets.
//   - Each edge passes one argument of the right type for each parameter of its target.
//   - Operands, results, types and modifiers of each instruction are what its Op allows; all other fields are zero.
//   - Only instructions with effects have a guard, which is a predicate.
//   - Each value is defined once, and its definition dominates its uses.
func Verify(k *Kernel) error {
	v := verifier{k: k}
	v.kernel()
	return errors.Join(v.errs...)
}

// maxErrors bounds the list of errors; a kernel that one pass has spoiled is wrong everywhere.
const maxErrors = 50

type verifier struct {
	k    *Kernel
	f    *Func
	b    *Block
	errs []error
	// place is the place of a value's definition: the block and the index of the instruction, -1 for parameters.
	place map[*Value]int
	dom   *DomTree
}

func (v *verifier) errorf(format string, args ...any) {
	if len(v.errs) >= maxErrors {
		return
	}
	where := v.k.Name
	if v.f != nil {
		where = v.f.Name
	}
	if v.b != nil {
		where += fmt.Sprintf(": b%d", v.b.ID)
	}
	v.errs = append(v.errs, fmt.Errorf("%s: "+format, append([]any{where}, args...)...))
}

func (v *verifier) instrf(i int, in *Instr, format string, args ...any) {
	v.errorf("instruction %d (%s): "+format, append([]any{i, in.Op}, args...)...)
}

func (v *verifier) kernel() {
	if len(v.k.Funcs) == 0 {
		v.errorf("no functions")
		return
	}
	names := map[string]bool{}
	for _, f := range v.k.Funcs {
		if names[f.Name] {
			v.errorf("two functions %s", f.Name)
		}
		names[f.Name] = true
	}
	clear(names)
	for _, g := range v.k.Globals {
		if names[g.Name] {
			v.errorf("two globals %s", g.Name)
		}
		names[g.Name] = true
		if g.Space != SpaceGlobal && g.Space != SpaceConst {
			v.errorf("global %s lies in space %s", g.Name, g.Space)
		}
	}
	for _, f := range v.k.FuncTable {
		if !slices.Contains(v.k.Funcs, f) {
			v.errorf("function table: %s is not a function of the kernel", f.Name)
		}
	}
	if e := v.k.Funcs[0]; len(e.Params) != 0 || len(e.Results) != 0 {
		v.errorf("the entry has parameters or results")
	}
	for _, f := range v.k.Funcs {
		v.f = f
		v.function()
	}
}

func (v *verifier) function() {
	v.b = nil
	before := len(v.errs)
	if len(v.f.Blocks) == 0 {
		v.errorf("no blocks")
		return
	}
	v.blocks()
	if len(v.errs) == before {
		v.edges()
	}
	if len(v.errs) == before {
		v.order()
	}
	v.b = nil
	if len(v.errs) != before {
		return // what follows relies on the graph
	}
	v.dom = NewDomTree(v.f)
	v.place = make(map[*Value]int, v.f.Values)
	v.definitions()
	for _, b := range v.f.Blocks {
		v.b = b
		for i, in := range b.Instrs {
			v.instr(i, in)
		}
	}
	v.b = nil
}

// blocks checks ids, order and where terminators stand.
func (v *verifier) blocks() {
	seen := make([]bool, v.f.BlockIDs)
	for i, b := range v.f.Blocks {
		v.b = b
		switch {
		case b.ID < 0 || b.ID >= v.f.BlockIDs:
			v.errorf("id is not below %d", v.f.BlockIDs)
		case seen[b.ID]:
			v.errorf("another block has this id")
		default:
			seen[b.ID] = true
		}
		if b.Order != i {
			v.errorf("order is %d, want %d", b.Order, i)
		}
		if len(b.Instrs) == 0 {
			v.errorf("no instructions")
		}
		for i, in := range b.Instrs {
			last := i == len(b.Instrs)-1
			if in.Op.Terminator() != last {
				v.instrf(i, in, "a block has one terminator, its last instruction")
			}
			if len(in.Targets) > 0 && !in.Op.Terminator() {
				v.instrf(i, in, "has targets")
			}
			if in.Block != b {
				v.instrf(i, in, "belongs to another block")
			}
		}
	}
}

// edges checks targets and predecessors.
func (v *verifier) edges() {
	type edge struct{ from, to *Block }
	count := map[edge]int{}
	for _, b := range v.f.Blocks {
		v.b = b
		for _, e := range b.Succs() {
			if e.To == nil || e.To.Order >= len(v.f.Blocks) || v.f.Blocks[e.To.Order] != e.To {
				v.errorf("a target is not a block of the function")
				return
			}
			count[edge{b, e.To}]++
		}
	}
	for _, b := range v.f.Blocks {
		v.b = b
		for _, p := range b.Preds {
			count[edge{p, b}]--
		}
	}
	for _, b := range v.f.Blocks { // in order, for the same messages each time
		v.b = b
		for _, e := range b.Succs() {
			if n := count[edge{b, e.To}]; n != 0 {
				v.errorf("%+d edges to b%d are not in its list of predecessors", n, e.To.ID)
			}
			delete(count, edge{b, e.To})
		}
	}
	v.b = nil
	for e, n := range count {
		if n != 0 {
			v.errorf("b%d has predecessor b%d without an edge", e.to.ID, e.from.ID)
		}
	}
}

// order checks that Blocks is a reverse post-order with contiguous loops.
func (v *verifier) order() {
	blocks := v.f.Blocks
	for i, b := range blocks {
		v.b = b
		forward := i == 0
		for _, p := range b.Preds {
			forward = forward || p.Order < i
		}
		switch {
		case i == 0 && len(b.Preds) > 0:
			v.errorf("the first block has predecessors")
			return
		case !forward:
			v.errorf("no predecessor stands before the block")
		}
	}
	last, _ := v.f.loops()
	for h, end := range last {
		if end > 0 {
			v.contiguous(h, end)
		}
	}
}

// contiguous checks that all blocks from index h to index end reach h without leaving that range.
func (v *verifier) contiguous(h, end int) {
	in := make([]bool, end-h+1)
	in[0] = true
	work := []*Block{v.f.Blocks[h]}
	n := 1
	for len(work) > 0 {
		b := work[len(work)-1]
		work = work[:len(work)-1]
		for _, p := range b.Preds {
			if i := p.Order - h; i >= 0 && i < len(in) && !in[i] {
				in[i] = true
				n++
				work = append(work, p)
			}
		}
	}
	if n == len(in) {
		return
	}
	for i, ok := range in {
		if !ok {
			v.b = v.f.Blocks[h+i]
			v.errorf("stands within the loop of b%d and is no part of it", v.f.Blocks[h].ID)
			return
		}
	}
}

// definitions notes where each value is defined.
func (v *verifier) definitions() {
	seen := make([]bool, v.f.Values)
	define := func(val *Value, b *Block, def *Instr, place int) {
		switch {
		case val.ID < 0 || val.ID >= v.f.Values:
			v.errorf("v%d: id is not below %d", val.ID, v.f.Values)
		case seen[val.ID]:
			v.errorf("v%d is defined twice", val.ID)
		case val.Block != b || val.Def != def:
			v.errorf("v%d does not know where it is defined", val.ID)
		case val.Type == Void || val.Type != val.Type.Value():
			v.errorf("v%d: %s is not the type of a value", val.ID, val.Type)
		}
		if val.ID >= 0 && val.ID < v.f.Values {
			seen[val.ID] = true
		}
		v.place[val] = place
	}
	v.b = nil
	for _, p := range v.f.Params {
		define(p, nil, nil, -1)
	}
	for _, b := range v.f.Blocks {
		v.b = b
		for _, p := range b.Params {
			define(p, b, nil, -1)
		}
		for i, in := range b.Instrs {
			for _, r := range in.Results {
				define(r, b, in, i)
			}
		}
	}
}

// use checks that val is defined where instruction i of block v.b reads it.
func (v *verifier) use(i int, in *Instr, val *Value) {
	if val == nil {
		v.instrf(i, in, "an operand is missing")
		return
	}
	place, ok := v.place[val]
	switch {
	case !ok:
		v.instrf(i, in, "v%d is not defined in the function", val.ID)
	case val.Block == nil:
	case val.Block == v.b && place >= i,
		val.Block != v.b && !v.dom.Dominates(val.Block, v.b):
		v.instrf(i, in, "v%d is not defined on every way here", val.ID)
	}
}

func (v *verifier) instr(i int, in *Instr) {
	if in.Op == OpBad || in.Op >= numOps {
		v.instrf(i, in, "no such operation")
		return
	}
	before := len(v.errs)
	for _, a := range in.Args {
		v.use(i, in, a)
	}
	if in.Guard != nil {
		v.use(i, in, in.Guard)
		if !in.Op.Effect() {
			v.instrf(i, in, "has a guard, and no effects")
		}
		if in.Guard.Type != Pred {
			v.instrf(i, in, "the guard is %s", in.Guard.Type)
		}
	}
	for _, e := range in.Targets {
		if len(e.Args) != len(e.To.Params) {
			v.instrf(i, in, "%d arguments for the %d parameters of b%d", len(e.Args), len(e.To.Params), e.To.ID)
			continue
		}
		for j, a := range e.Args {
			v.use(i, in, a)
			if want := e.To.Params[j].Type; a != nil && a.Type != want {
				v.instrf(i, in, "argument %d for b%d is %s, want %s", j, e.To.ID, a.Type, want)
			}
		}
	}
	if len(v.errs) == before {
		v.form(i, in)
	}
}

// form holds in to the spec of its Op.
func (v *verifier) form(i int, in *Instr) {
	s := &specs[in.Op]
	if !s.as.has(in.As) {
		v.instrf(i, in, "type %s is not for this operation", in.As)
		return
	}
	if !s.from.has(in.From) {
		v.instrf(i, in, "type %s is no source of this operation", in.From)
		return
	}
	if !match(s.args, in, in.Args) {
		v.instrf(i, in, "operands %v do not match %s", types(in.Args), s.args)
		return
	}
	if !match(s.results, in, in.Results) {
		v.instrf(i, in, "results %v do not match %s", types(in.Results), s.results)
		return
	}
	for _, field := range []struct {
		name string
		use  uses
		set  bool
	}{
		{"imm", useImm, in.Imm != 0}, {"index", useIndex, in.Index != 0}, {"cmp", useCmp, in.Cmp != 0},
		{"round", useRound, in.Round != 0}, {"space", useSpace, in.Space != 0}, {"order", useOrder, in.Order != 0},
		{"scope", useScope, in.Scope != 0},
	} {
		if field.set && s.uses&field.use == 0 {
			v.instrf(i, in, "%s is set and not read", field.name)
		}
	}
	if in.Round > RNA || in.Space > SpaceParam || in.Order > SeqCst || in.Scope > System {
		v.instrf(i, in, "a modifier is out of range")
	}
	if extra := in.Flags &^ s.flags; extra != 0 {
		v.instrf(i, in, "flags %#x are set and not read", uint16(extra))
	}
	if s.uses&anySub == 0 && !validSub(s, in.Sub) {
		v.instrf(i, in, "no variant %d", in.Sub)
	}
	if s.rule != nil {
		if msg := s.rule(v.k, v.f, in); msg != "" {
			v.instrf(i, in, "%s", msg)
		}
	}
}

// validSub reports whether a variant has a name. Variant 0 without one is the default of prmt, and nothing elsewhere.
func validSub(s *spec, sub uint8) bool {
	switch {
	case len(s.subs) == 0:
		return sub == 0
	case int(sub) >= len(s.subs):
		return false
	}
	return s.subs[sub] != "" || &s.subs[0] == &permutes[0]
}

// match reports whether the types of vs fit the pattern (see spec).
func match(pattern string, in *Instr, vs []*Value) bool {
	for p := 0; p < len(pattern); p++ {
		least, most := 1, 1
		letter := pattern[p]
		if p+1 < len(pattern) {
			switch pattern[p+1] {
			case '*':
				least, most = 0, len(vs)
				p++
			case '?':
				least = 0
				p++
			}
		}
		n := 0
		for n < most && n < len(vs) && fits(letter, in, vs[n].Type) {
			n++
		}
		if n < least {
			return false
		}
		vs = vs[n:]
	}
	return len(vs) == 0
}

func fits(letter byte, in *Instr, t Type) bool {
	switch letter {
	case 't':
		return t == in.As.Value()
	case 'f':
		return t == in.From.Value()
	case 'd':
		return t.Bits() == 2*in.As.Bits()
	case 'p':
		return t == Pred
	case 'w':
		return t == B32
	case 'l':
		return t == B64
	case 'a':
		return t == B64 || t == B32 && in.Space >= SpaceShared
	case 'n':
		return t != Pred
	}
	return true
}

func types(vs []*Value) []Type {
	ts := make([]Type, len(vs))
	for i, v := range vs {
		ts[i] = v.Type
	}
	return ts
}
