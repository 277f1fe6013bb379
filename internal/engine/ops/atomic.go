package ops

import (
	"math/bits"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/mem"
)

// Atomic operations (PTX ISA, atom, red). Lanes go one after the other, lowest first.
var atomicOps = map[ir.Op]compiler{ir.OpAtom: atom, ir.OpRed: atom}

// atomicFunc returns the new value from the old one and the operand, nil if the operation has no such form.
func atomicFunc(op ir.AtomicOp, t ir.Type) scalar2 {
	if t == ir.Void || t == ir.Pred || t.Bits() > 64 {
		return nil
	}
	if t.Float() {
		return atomicFloat(op, t)
	}
	keep := width(t)
	switch op {
	case ir.AtomAdd:
		return integerBinary[ir.OpAdd].at(t)
	case ir.AtomMin:
		return integerBinary[ir.OpMin].at(t)
	case ir.AtomMax:
		return integerBinary[ir.OpMax].at(t)
	case ir.AtomAnd:
		return func(old, b uint64) uint64 { return old & b }
	case ir.AtomOr:
		return func(old, b uint64) uint64 { return old | b }
	case ir.AtomXor:
		return func(old, b uint64) uint64 { return old ^ b }
	case ir.AtomExch:
		return func(_, b uint64) uint64 { return b & keep }
	case ir.AtomInc:
		return func(old, b uint64) uint64 {
			if old >= b {
				return 0
			}
			return old + 1
		}
	case ir.AtomDec:
		return func(old, b uint64) uint64 {
			if old == 0 || old > b {
				return b
			}
			return old - 1
		}
	}
	return nil
}

func atomicFloat(op ir.AtomicOp, t ir.Type) scalar2 {
	in := &ir.Instr{As: t}
	switch op {
	case ir.AtomAdd:
		return floatBinary[ir.OpAdd].at(in)
	case ir.AtomMin:
		in.Op = ir.OpMin
		return minMax(in)
	case ir.AtomMax:
		in.Op = ir.OpMax
		return minMax(in)
	case ir.AtomExch:
		return func(_, b uint64) uint64 { return b }
	}
	return nil
}

func atom(in *ir.Instr) (Func, error) {
	op := ir.AtomicOp(in.Sub)
	a, err := newAccess(in, "atomic", 1)
	if err != nil || a.size < 2 || a.size > 8 || in.Space == ir.SpaceConst || in.Space == ir.SpaceParam || in.Space == ir.SpaceLocal {
		return nil, unsupported(in)
	}
	if op == ir.AtomCas {
		return compareAndSwap(in, a, width(in.As)), nil
	}
	f := atomicFunc(op, in.As)
	if f == nil {
		return nil, unsupported(in)
	}
	flushed := f
	if op == ir.AtomAdd && in.As == ir.F32 {
		// In global memory atom.add.f32 flushes subnormal numbers, in shared memory it does not (PTX ISA, atom).
		flushed = floatBinary[ir.OpAdd].at(&ir.Instr{As: ir.F32, Mods: ir.Mods{Flags: ir.FTZ}})
	}
	size := int(a.size)
	return a.each(in, func(w *Warp, at uint64, args []*Lanes, lane int) uint64 {
		g := flushed
		if inside(at-w.Windows.Shared, 1, uint64(w.Launch.SharedBytes)) {
			g = f
		}
		b := args[1][lane]
		return update(at, size, func(old uint64) uint64 { return g(old, b) })
	}), nil
}

func compareAndSwap(in *ir.Instr, a access, keep uint64) Func {
	size := int(a.size)
	return a.each(in, func(_ *Warp, at uint64, args []*Lanes, lane int) uint64 {
		compare, swap := args[1][lane]&keep, args[2][lane]&keep
		return update(at, size, func(old uint64) uint64 {
			if old == compare {
				return swap
			}
			return old
		})
	})
}

// each does f for each lane at its place; f returns the old value.
func (a access) each(in *ir.Instr, f func(w *Warp, at uint64, args []*Lanes, lane int) uint64) Func {
	return func(w *Warp, mask uint32, args, results []*Lanes) *engine.Fault {
		var place Lanes
		if fault := a.resolve(w, mask, args[0], &place); fault != nil {
			return fault
		}
		if w.Watch != nil {
			w.see(engine.Access{In: in, Mask: mask, Kind: engine.Update, Size: int(a.size)}, &place)
		}
		for ; mask != 0; mask &= mask - 1 {
			i := bits.TrailingZeros32(mask)
			old := f(w, place[i], args, i)
			if len(results) > 0 {
				results[0][i] = old
			}
		}
		return nil
	}
}

// update replaces the 2, 4 or 8 bytes at addr by f of them and returns what they were. f may be called more than once. To
// store what is there already is left out: nobody can see the difference.
func update(addr uint64, size int, f func(uint64) uint64) uint64 {
	switch size {
	case 8:
		for {
			old := mem.AtomicLoad64(addr)
			if next := f(old); next == old || mem.CompareAndSwap64(addr, old, next) {
				return old
			}
		}
	case 4:
		for {
			old := mem.AtomicLoad32(addr)
			if next := uint32(f(uint64(old))); next == old || mem.CompareAndSwap32(addr, old, next) {
				return uint64(old)
			}
		}
	}
	word, shift := addr&^3, 8*(addr&3)
	for {
		all := mem.AtomicLoad32(word)
		old := uint64(all >> shift & 0xffff)
		next := all&^(0xffff<<shift) | uint32(f(old)&0xffff)<<shift
		if mem.CompareAndSwap32(word, all, next) {
			return old
		}
	}
}
