package lower

import (
	"slices"

	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// fn is the state of lowering one function.
type fn struct {
	*ssa
	k   *kernel
	src *check.Func
	out *ir.Func
	// blk is the block being lowered, order are all blocks in the order of the text.
	blk   *ir.Block
	order []*ir.Block
	// regs is the slot of each register, of the first component for a vector.
	regs []slot
	// params are the pieces of .param variables: the function's own, and those of its calls.
	params map[*check.Var][]slot
	// offsets are those of an entry's parameters, locals those of .local variables.
	offsets map[*check.Var]int64
	locals  map[*check.Var]int64
	// paramCopies are the places in the frame of a device function's parameters, where it takes their addresses.
	paramCopies map[*check.Var]int64
	carry       slot
	// consts are the constants and addresses made in blk, for use again.
	consts map[constKey]constant
	// instrs and ptrs are room for instructions and for lists of their operands.
	instrs []ir.Instr
	ptrs   []*ir.Value
	errs   []blockError

	// in is the instruction being lowered, guard its predicate, nil if it has none.
	in    *check.Instr
	guard *ir.Value
	pos   ir.Pos
}

// constKey identifies an instruction without operands.
type constKey struct {
	op    ir.Op
	as    ir.Type
	space ir.Space
	index int
	imm   uint64
}

// constant is a value made in the block that was begun as the epoch's.
type constant struct {
	v     *ir.Value
	epoch int32
}

// blockError is an instruction that is not supported, and where it stands.
type blockError struct {
	b  *ir.Block
	in *check.Instr
	// what is the text of the error; the instruction's form if empty.
	what string
}

// lower fills out with the code of f.
func (k *kernel) lower(f *check.Func, out *ir.Func) {
	l := &fn{
		ssa: &ssa{f: out}, k: k, src: f, out: out, params: map[*check.Var][]slot{}, locals: map[*check.Var]int64{}, consts: map[constKey]constant{},
		regs: make([]slot, 0, len(f.Regs)),
	}
	l.types, l.cur = make([]ir.Type, 0, len(f.Regs)+1), make([]current, 0, len(f.Regs)+1)
	for _, r := range f.Regs {
		first := l.newSlot(irType(r.Type).Value())
		for i := 1; i < r.Vec; i++ {
			l.newSlot(irType(r.Type).Value())
		}
		l.regs = append(l.regs, first)
	}
	l.carry = l.newSlot(ir.Pred)
	for _, v := range f.Vars {
		switch v.Space {
		case ptx.LocalSpace:
			at := alignUp(int64(out.LocalBytes), v.Align)
			l.locals[v] = at
			out.LocalBytes = int(at + v.Size)
			out.LocalAlign = max(out.LocalAlign, v.Align)
		case ptx.ParamSpace:
			l.newParam(v)
		}
	}
	if f.Entry {
		l.offsets, _ = paramOffsets(f)
		l.reserveParams()
	} else {
		for _, v := range slices.Concat(f.Params, f.Rets) {
			l.newParam(v)
		}
		for _, v := range f.Rets {
			out.Results = append(out.Results, l.pieceTypes(v)...)
		}
		l.placeParams()
	}
	l.body()
	out.Blocks = l.order
	if !l.finish() {
		k.errs.Add(k.c.Module.Name, f.Decl.NamePos, "%s: too many values live through too many loops for code of this size", f.Name)
		return
	}
	reached := map[*ir.Block]bool{}
	for _, b := range out.Blocks {
		reached[b] = true
	}
	for _, e := range l.errs {
		if reached[e.b] {
			k.errs.Add(k.c.Module.Name, e.in.Src.Pos, "%s is not supported by the host device", e.what)
		}
	}
}

// body lowers all code, block by block.
func (l *fn) body() {
	starts := l.starts()
	entry := l.open(l.out.NewBlock())
	for _, p := range l.src.Params {
		if l.src.Entry {
			break
		}
		for _, s := range l.params[p] {
			l.write(s, l.out.NewParam(l.types[s]))
		}
	}
	l.copyParams()
	code := l.src.Code
	blocks := make([]*ir.Block, len(code)+1)
	for i, start := range starts {
		if start {
			blocks[i] = l.out.NewBlock()
		}
	}
	if starts[0] {
		l.end(&ir.Instr{Op: ir.OpBr, Targets: []ir.Edge{{To: blocks[0]}}})
	}
	l.blk = entry
	for i := 0; i <= len(code); i++ {
		if starts[i] {
			if i > 0 && l.blk.Terminator() == nil {
				l.end(&ir.Instr{Op: ir.OpBr, Targets: []ir.Edge{{To: blocks[i]}}})
			}
			l.open(blocks[i])
		}
		if i == len(code) {
			if l.blk.Terminator() == nil {
				l.ret()
			}
			return
		}
		l.instr(&code[i], blocks, i)
	}
}

// starts says for each index in the code whether a block starts there: where a branch leads, and behind each branch.
func (l *fn) starts() []bool {
	code := l.src.Code
	starts := make([]bool, len(code)+1)
	for i := range code {
		for _, t := range code[i].Targets {
			starts[t] = true
		}
		switch code[i].Src.Op {
		case "bra", "brx", "ret", "exit":
			starts[i+1] = true
		}
	}
	return starts
}

// open begins the lowering of b.
func (l *fn) open(b *ir.Block) *ir.Block {
	l.blk = b
	l.order = append(l.order, b)
	l.start(b)
	return b
}

// instr lowers one instruction, at index i of the code; blocks are those that begin at each index.
func (l *fn) instr(in *check.Instr, blocks []*ir.Block, i int) {
	l.in, l.guard = in, nil
	l.pos = ir.Pos{PTXLine: in.Src.Pos.Line}
	if loc := in.Src.Loc; loc != nil {
		l.pos.File, l.pos.Line = l.k.file(loc.File), int32(loc.Line)
	}
	if l.branch(in, blocks, i) {
		return
	}
	if in.Guard != check.NoReg {
		l.guard = l.read(l.regs[in.Guard])
		if in.GuardNeg {
			l.guard = l.op(ir.OpNot, ir.Pred, l.guard)
		}
	}
	h := handlers[in.Src.Op]
	if h == nil || in.Form == nil || in.Form.Loose || !h(l, in) {
		l.unsupported("")
	}
}

// unsupported notes that the host device cannot execute the instruction at hand. What it wrote keeps its old value; the
// kernel is not used.
func (l *fn) unsupported(what string) {
	if what == "" {
		what = l.in.Src.Name
	}
	l.errs = append(l.errs, blockError{l.blk, l.in, what})
}

// branch lowers what ends a block; false if in does not.
func (l *fn) branch(in *check.Instr, blocks []*ir.Block, i int) bool {
	var flags ir.Flags
	if in.Form != nil && in.Form.Has(check.Uni) {
		flags = ir.Uniform
	}
	switch in.Src.Op {
	case "bra":
		to := ir.Edge{To: blocks[in.Targets[0]]}
		if in.Guard == check.NoReg {
			l.end(&ir.Instr{Op: ir.OpBr, Targets: []ir.Edge{to}})
			return true
		}
		l.condBr(in, flags, to, ir.Edge{To: blocks[i+1]})
		return true
	case "brx":
		index := l.value(&in.Args[0])
		l.split(in, flags, blocks[i+1])
		sw := &ir.Instr{Op: ir.OpSwitch, Mods: ir.Mods{Flags: flags}, Args: []*ir.Value{index}}
		for _, t := range in.Targets {
			sw.Targets = append(sw.Targets, ir.Edge{To: blocks[t]})
		}
		l.end(sw)
		return true
	case "ret":
		l.split(in, flags, blocks[i+1])
		l.ret()
		return true
	case "exit":
		l.split(in, flags, blocks[i+1])
		l.emit(&ir.Instr{Op: ir.OpExit})
		return true
	}
	return false
}

// condBr ends the block with a branch on the guard of in.
func (l *fn) condBr(in *check.Instr, flags ir.Flags, yes, no ir.Edge) {
	if in.GuardNeg {
		yes, no = no, yes
	}
	p := l.read(l.regs[in.Guard])
	l.end(&ir.Instr{Op: ir.OpCondBr, Mods: ir.Mods{Flags: flags}, Args: []*ir.Value{p}, Targets: []ir.Edge{yes, no}})
}

// split gives a terminator with a guard a block of its own; lanes without the guard go on at next.
func (l *fn) split(in *check.Instr, flags ir.Flags, next *ir.Block) {
	if in.Guard == check.NoReg {
		return
	}
	b := l.out.NewBlock()
	l.condBr(in, flags, ir.Edge{To: b}, ir.Edge{To: next})
	l.open(b)
}

// ret returns the values of the return parameters.
func (l *fn) ret() {
	in := &ir.Instr{Op: ir.OpRet}
	if !l.src.Entry {
		for _, v := range l.src.Rets {
			for _, s := range l.params[v] {
				in.Args = append(in.Args, l.read(s))
			}
		}
	}
	l.end(in)
}

// end appends a terminator.
func (l *fn) end(in *ir.Instr) {
	in.Pos = l.pos
	l.out.Emit(l.blk, in)
}

// emit appends an instruction as in says, but for a guard and targets, at the position of the PTX instruction. It returns
// the one that was appended; in is not used any more.
func (l *fn) emit(in *ir.Instr, results ...ir.Type) *ir.Instr {
	if len(l.instrs) == 0 {
		l.instrs = make([]ir.Instr, min(64, max(8, len(l.src.Code)/2)))
	}
	c := &l.instrs[0]
	l.instrs = l.instrs[1:]
	c.Op, c.As, c.From, c.Mods, c.Imm, c.Index, c.Pos = in.Op, in.As, in.From, in.Mods, in.Imm, in.Index, l.pos
	c.Args = l.room(len(in.Args))
	copy(c.Args, in.Args)
	return l.out.Emit(l.blk, c, results...)
}

// room returns an empty list of n values.
func (l *fn) room(n int) []*ir.Value {
	if n > len(l.ptrs) {
		l.ptrs = make([]*ir.Value, max(n, min(256, 2*len(l.src.Code))))
	}
	list := l.ptrs[:n:n]
	l.ptrs = l.ptrs[n:]
	return list
}

// op appends a pure operation of one result of type as.
func (l *fn) op(op ir.Op, as ir.Type, args ...*ir.Value) *ir.Value {
	return l.emit(&ir.Instr{Op: op, As: as, Args: args}, as.Value()).Results[0]
}

// effect appends an instruction with effects, under the guard.
func (l *fn) effect(in *ir.Instr, results ...ir.Type) *ir.Instr {
	c := l.emit(in, results...)
	c.Guard = l.guard
	return c
}

// once returns the result of an instruction without operands, which is made once in each block.
func (l *fn) once(in *ir.Instr, result ir.Type) *ir.Value {
	key := constKey{in.Op, in.As.Value(), in.Space, in.Index, in.Imm}
	if c := l.consts[key]; c.epoch == l.epoch && c.v != nil {
		return c.v
	}
	v := l.emit(in, result).Results[0]
	l.consts[key] = constant{v, l.epoch}
	return v
}

// constant returns a constant of value type t.
func (l *fn) constant(t ir.Type, bits uint64) *ir.Value {
	t = t.Value()
	if n := t.Bits(); n < 64 {
		bits &= 1<<n - 1
	}
	return l.once(&ir.Instr{Op: ir.OpConst, As: t, Imm: bits}, t)
}
