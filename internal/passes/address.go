package passes

import (
	"github.com/tandem-go/tandem/internal/ir"
)

// address moves constants that are added to a 64-bit address into the offset of the access, so that accesses to
// neighbouring elements share one address. 32-bit addresses are left alone: their sums wrap at 32 bits and an offset does
// not.
func address(c *context) {
	bases := map[expression]*ir.Value{}
	for _, b := range c.f.Blocks {
		clear(bases)
		list := make([]*ir.Instr, 0, len(b.Instrs))
		for _, in := range b.Instrs {
			switch in.Op {
			case ir.OpLoad, ir.OpStore, ir.OpAtom, ir.OpRed:
				list = offset(c.f, in, list, bases)
			}
			list = append(list, in)
		}
		b.Instrs = list
	}
}

// offset folds what is added to the address of in. A variable's address with an offset becomes that of the variable; the
// instruction that makes it is appended to list unless the block has one.
func offset(f *ir.Func, in *ir.Instr, list []*ir.Instr, bases map[expression]*ir.Value) []*ir.Instr {
	for {
		d := in.Args[0].Def
		if d == nil || d.Op != ir.OpAdd || d.As.Bits() != 64 || !d.As.Integer() || d.Flags != 0 {
			break
		}
		n, ok := constant(d.Args[1])
		base := d.Args[0]
		if !ok {
			if n, ok = constant(d.Args[0]); !ok {
				break
			}
			base = d.Args[1]
		}
		in.Args[0] = base
		in.Imm += n
	}
	d := in.Args[0].Def
	if d == nil || d.Op != ir.OpSymbol || d.Imm == 0 {
		return list
	}
	key := expression{op: ir.OpSymbol, mods: d.Mods, index: d.Index}
	in.Imm += d.Imm
	if bases[key] == nil {
		v := f.NewValue(ir.B64)
		sym := &ir.Instr{Op: ir.OpSymbol, As: ir.B64, Mods: d.Mods, Index: d.Index, Results: []*ir.Value{v}, Pos: in.Pos, Block: in.Block}
		v.Def, v.Block = sym, in.Block
		bases[key] = v
		list = append(list, sym)
	}
	in.Args[0] = bases[key]
	return list
}
