package ir

// NewFunc returns a function without blocks.
func NewFunc(name string) *Func { return &Func{Name: name} }

// NewValue makes a value with the next id. The caller says where it is defined: Emit, NewParam and NewBlockParam do so.
func (f *Func) NewValue(t Type) *Value {
	if len(f.values) == 0 {
		f.values = make([]Value, min(128, 8+f.Values))
	}
	v := &f.values[0]
	f.values = f.values[1:]
	v.ID, v.Type = f.Values, t
	f.Values++
	return v
}

// NewParam appends a parameter that calls pass.
func (f *Func) NewParam(t Type) *Value {
	v := f.NewValue(t)
	f.Params = append(f.Params, v)
	return v
}

// NewBlock appends an empty block to f.Blocks. Where it belongs in the order is for SortBlocks to say.
func (f *Func) NewBlock() *Block {
	b := &Block{ID: f.BlockIDs, Order: len(f.Blocks)}
	f.BlockIDs++
	f.Blocks = append(f.Blocks, b)
	return b
}

// NewBlockParam appends a parameter to b, a block of f. Every edge to b needs one more argument.
func (f *Func) NewBlockParam(b *Block, t Type) *Value {
	v := f.NewValue(t)
	v.Block = b
	b.Params = append(b.Params, v)
	return v
}

// Emit appends in to b, a block of f, with one new result for each type, and returns it. A terminator becomes known to
// the blocks it goes to.
func (f *Func) Emit(b *Block, in *Instr, results ...Type) *Instr {
	in.Block = b
	if n := len(results); n > 0 {
		if n > len(f.lists) {
			f.lists = make([]*Value, max(n, min(128, 8+f.Values)))
		}
		in.Results, f.lists = f.lists[:n:n], f.lists[n:]
	}
	for i, t := range results {
		v := f.NewValue(t)
		v.Def, v.Block = in, b
		in.Results[i] = v
	}
	if b.Instrs == nil {
		b.Instrs = make([]*Instr, 0, 8)
	}
	b.Instrs = append(b.Instrs, in)
	for i := range in.Targets {
		to := in.Targets[i].To
		to.Preds = append(to.Preds, b)
	}
	return in
}

// Terminator returns the last instruction of b if it is a terminator, else nil.
func (b *Block) Terminator() *Instr {
	if n := len(b.Instrs); n > 0 && b.Instrs[n-1].Op.Terminator() {
		return b.Instrs[n-1]
	}
	return nil
}

// Succs returns the edges that leave b; they may be changed in place, except for where they go to.
func (b *Block) Succs() []Edge {
	if t := b.Terminator(); t != nil {
		return t.Targets
	}
	return nil
}

// SetPreds computes Order and Preds of all blocks from f.Blocks and the terminators. Passes call it after they changed
// edges or removed blocks.
func (f *Func) SetPreds() {
	for i, b := range f.Blocks {
		b.Order = i
		b.Preds = b.Preds[:0]
	}
	for _, b := range f.Blocks {
		for _, e := range b.Succs() {
			e.To.Preds = append(e.To.Preds, b)
		}
	}
}
