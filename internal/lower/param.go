package lower

import (
	"slices"

	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// Parameters are no memory of the device. Where a kernel makes a generic address of one (cvta.param), or a device
// function takes the address of one of its own, they are first copied into the frame, and the address is that of the copy:
// parameters are never written (PTX ISA, Kernel Function Parameters, Device Function Parameters).

// parameters are in the space of parameters at this alignment.
const paramAlign = 16

// reserveParams makes room for the copy of a kernel's parameters.
func (l *fn) reserveParams() {
	needed := slices.ContainsFunc(l.src.Code, func(in check.Instr) bool {
		return in.Form != nil && in.Form.Op == "cvta" && in.Form.Space == ptx.ParamSpace
	})
	if !needed {
		return
	}
	l.k.paramCopy = alignUp(int64(l.out.LocalBytes), paramAlign)
	l.out.LocalBytes = int(l.k.paramCopy + alignUp(int64(l.k.out.Params), 8))
	l.out.LocalAlign = max(l.out.LocalAlign, paramAlign)
}

// placeParams makes room for parameters of a device function whose addresses it takes.
func (l *fn) placeParams() {
	taken := map[*check.Var]bool{}
	for i := range l.src.Code {
		eachArg(&l.src.Code[i], func(a *check.Arg) {
			if a.Kind == check.ArgAddr && a.Var != nil && a.Var.Space == ptx.ParamSpace {
				taken[a.Var] = true
			}
		})
	}
	for _, v := range l.src.Params {
		if !taken[v] || v.Size == 0 || v.Size > maxParamSize {
			continue
		}
		at := alignUp(int64(l.out.LocalBytes), max(v.Align, pieceSize))
		if l.paramCopies == nil {
			l.paramCopies = map[*check.Var]int64{}
		}
		l.paramCopies[v] = at
		l.out.LocalBytes = int(at + alignUp(v.Size, pieceSize))
		l.out.LocalAlign = max(l.out.LocalAlign, v.Align, pieceSize)
	}
}

// copyParams fills the copies, at the beginning of the function.
func (l *fn) copyParams() {
	store := func(as ir.Type, at int64, v *ir.Value) {
		frame := l.once(&ir.Instr{Op: ir.OpSymbol, As: ir.B64, Imm: uint64(at), Mods: ir.Mods{Space: ir.SpaceLocal}}, ir.B64)
		l.effect(&ir.Instr{Op: ir.OpStore, As: as, Mods: ir.Mods{Space: ir.SpaceLocal}, Args: []*ir.Value{frame, v}})
	}
	for _, v := range l.src.Params {
		at, ok := l.paramCopies[v]
		if !ok {
			continue
		}
		for i, s := range l.params[v] {
			store(bitsOf(l.types[s].Bits()), at+int64(i*pieceSize), l.read(s))
		}
	}
	if !l.src.Entry || l.k.paramCopy < 0 {
		return
	}
	size := l.k.out.Params
	for at := 0; at < size; {
		as := ir.B64
		switch {
		case size-at < 4:
			as = ir.B8
		case size-at < 8:
			as = ir.B32
		}
		ld := &ir.Instr{Op: ir.OpLoad, As: as, Mods: ir.Mods{Space: ir.SpaceParam}, Imm: uint64(at), Args: []*ir.Value{l.constant(ir.B64, 0)}}
		store(as, l.k.paramCopy+int64(at), l.effect(ld, as.Value()).Results[0])
		at += as.Bytes()
	}
}

// cvtaParam lowers cvta.param and cvta.to.param.
func (l *fn) cvtaParam(in *check.Instr, as ir.Type) bool {
	local := ir.Mods{Space: ir.SpaceLocal}
	v := l.convert(l.value(&in.Args[1]), as, ir.U64)
	shift := uint64(0) // a device function has addresses of local memory already
	if l.src.Entry {
		shift = uint64(l.k.paramCopy)
	}
	if in.Form.Has(check.To) {
		v = l.emit(&ir.Instr{Op: ir.OpCvtaTo, As: ir.B64, Mods: local, Args: []*ir.Value{v}}, ir.B64).Results[0]
		v = l.op(ir.OpSub, ir.U64, v, l.constant(ir.B64, shift))
	} else {
		v = l.op(ir.OpAdd, ir.U64, v, l.constant(ir.B64, shift))
		v = l.emit(&ir.Instr{Op: ir.OpCvta, As: ir.B64, Mods: local, Args: []*ir.Value{v}}, ir.B64).Results[0]
	}
	l.set(&in.Args[0], l.convert(v, ir.U64, as), as)
	return true
}

// isParam is whether a generic address is one of the copy of the kernel's parameters.
func (l *fn) isParam(v *ir.Value) *ir.Value {
	if l.k.paramCopy < 0 {
		return l.constant(ir.Pred, 0)
	}
	base := &ir.Instr{Op: ir.OpCvta, As: ir.B64, Mods: ir.Mods{Space: ir.SpaceLocal}, Args: []*ir.Value{l.constant(ir.B64, uint64(l.k.paramCopy))}}
	offset := l.op(ir.OpSub, ir.U64, v, l.emit(base, ir.B64).Results[0])
	return l.compare(ir.Lt, ir.U64, ir.Mods{}, offset, l.constant(ir.B64, uint64(l.k.out.Params)))
}
