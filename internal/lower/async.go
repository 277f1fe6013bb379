package lower

import (
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// Asynchronous copies are done at once, which is one of the times at which they may be done: then groups of them are
// complete whenever one waits (PTX ISA, Asynchronous Data Copy).

// cp lowers cp.async and what waits for it.
func (l *fn) cp(in *check.Instr) bool {
	f := in.Form
	switch f.Mod(check.Mode) {
	case "commit_group", "wait_group", "wait_all":
		return true
	case "mbarrier":
		if f.Mod(check.Mode3) == "noinc" {
			l.mbarrierOp(ir.MbarrierArrive, in, &in.Args[0], l.constant(ir.B32, 1))
		}
		return true // otherwise it also expects one arrival more
	}
	n := in.Args[2].Imm
	if n != 4 && n != 8 && n != 16 {
		return false
	}
	to, toOffset := l.memory(&in.Args[0], ir.SpaceShared)
	from, fromOffset := l.memory(&in.Args[1], ir.SpaceGlobal)
	load := &ir.Instr{Op: ir.OpLoad, As: ir.B32, Mods: ir.Mods{Space: ir.SpaceGlobal}, Imm: fromOffset, Args: []*ir.Value{from}}
	store := &ir.Instr{Op: ir.OpStore, As: ir.B32, Mods: ir.Mods{Space: ir.SpaceShared}, Imm: toOffset, Args: []*ir.Value{to}}
	if len(in.Args) > 3 && !f.Has(check.Hint) || len(in.Args) > 4 {
		store.Args = append(store.Args, l.partly(load, int(n), l.value(&in.Args[3]))...)
	} else {
		types := make([]ir.Type, n/4)
		for i := range types {
			types[i] = ir.B32
		}
		store.Args = append(store.Args, l.effect(load, types...).Results...)
	}
	l.effect(store)
	return true
}

// partly loads the first size of n bytes; the others are 0.
func (l *fn) partly(load *ir.Instr, n int, size *ir.Value) (words []*ir.Value) {
	all := l.guard
	defer func() { l.guard = all }()
	for i := 0; i < n; i += 4 {
		parts := make([]*ir.Value, 4)
		for k := range parts {
			l.guard = l.compare(ir.Gt, ir.U32, ir.Mods{}, size, l.constant(ir.B32, uint64(i+k)))
			if all != nil {
				l.guard = l.op(ir.OpAnd, ir.Pred, l.guard, all)
			}
			one := &ir.Instr{Op: ir.OpLoad, As: ir.U8, Mods: load.Mods, Imm: load.Imm + uint64(i+k), Args: load.Args}
			parts[k] = l.effect(one, ir.B16).Results[0]
		}
		words = append(words, l.op(ir.OpPack, ir.B32, parts...))
	}
	return words
}

// mbarrierKinds by modifiers.
var mbarrierKinds = map[string]ir.MbarrierKind{
	"init": ir.MbarrierInit, "expect_tx": ir.MbarrierExpect, "complete_tx": ir.MbarrierComplete, "arrive": ir.MbarrierArrive,
	"arrive_drop": ir.MbarrierDrop, "arrive.expect_tx": ir.MbarrierArriveExpect, "arrive_drop.expect_tx": ir.MbarrierDropExpect,
	"arrive.noComplete": ir.MbarrierArrive, "arrive_drop.noComplete": ir.MbarrierDrop,
	"test_wait": ir.MbarrierTest, "try_wait": ir.MbarrierTest, "test_wait.parity": ir.MbarrierParity, "try_wait.parity": ir.MbarrierParity,
}

// mbarrier lowers mbarrier. try_wait does not wait: the program tries again.
func (l *fn) mbarrier(in *check.Instr) bool {
	f := in.Form
	name := f.Mod(check.Mode)
	if f.Mod(check.SubSpace) == "cluster" {
		return false
	}
	switch name {
	case "pending_count":
		state, mask := l.value(&in.Args[1]), l.constant(ir.B32, 1<<ir.MbarrierCount-1)
		l.set(&in.Args[0], l.op(ir.OpAnd, ir.B32, l.convert(state, ir.B64, ir.B32), mask), ir.U32)
		return true
	case "inval":
		l.mbarrierOp(ir.MbarrierInit, in, &in.Args[0], l.constant(ir.B32, 0))
		return true
	}
	if f.Has(check.Mode2) {
		name += "." + f.Mod(check.Mode2)
	}
	kind, ok := mbarrierKinds[name]
	if !ok {
		return false
	}
	args := in.Args
	if kind >= ir.MbarrierArrive {
		args = args[1:]
	}
	v := l.constant(ir.B32, 1)
	if len(args) > 1 {
		v = l.value(&args[1])
	}
	results := l.mbarrierOp(kind, in, &args[0], v)
	switch {
	case kind >= ir.MbarrierTest:
		l.set(&in.Args[0], results[0], ir.Pred)
	case kind >= ir.MbarrierArrive:
		l.set(&in.Args[0], results[0], ir.B64)
	}
	return true
}

func (l *fn) mbarrierOp(kind ir.MbarrierKind, in *check.Instr, mem *check.Arg, v *ir.Value) []*ir.Value {
	m := ir.Mods{Space: spaces[in.Form.Space], Order: ir.AcqRel, Scope: ir.CTA, Sub: uint8(kind)}
	addr, off := l.memory(mem, m.Space)
	op := &ir.Instr{Op: ir.OpMbarrier, As: ir.B64, Mods: m, Imm: off, Args: []*ir.Value{addr, v}}
	switch {
	case kind >= ir.MbarrierTest:
		return l.effect(op, ir.Pred).Results
	case kind >= ir.MbarrierArrive:
		return l.effect(op, ir.B64).Results
	}
	l.effect(op)
	return nil
}

// elect lowers elect.sync: the lowest lane of the mask is elected.
func (l *fn) elect(in *check.Instr) bool {
	mask := l.value(&in.Args[1])
	l.effect(&ir.Instr{Op: ir.OpWarpSync, Args: []*ir.Value{mask}})
	lowest := l.op(ir.OpAnd, ir.B32, mask, l.op(ir.OpNeg, ir.S32, mask))
	leader := l.emit(&ir.Instr{Op: ir.OpBfind, As: ir.U32, Args: []*ir.Value{lowest}}, ir.B32).Results[0]
	lane := l.emit(&ir.Instr{Op: ir.OpSpecial, As: ir.B32, Index: int(ir.LaneID)}, ir.B32).Results[0]
	l.pair(&in.Args[0], leader, ir.B32, l.compare(ir.Eq, ir.B32, ir.Mods{}, lane, leader))
	return true
}
