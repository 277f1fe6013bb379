package jit

import (
	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// findGroups finds the groups of a block.
func (e *emitter) findGroups(b *ir.Block) {
	e.groups = e.p.findGroups(b.Instrs, func(in *ir.Instr) bool { return e.p.windowOf(in, 16) == nil && e.plainAccess(in) })
}

// plainAccess tells that a load or store of a scalar address has code.
func (e *emitter) plainAccess(in *ir.Instr) bool {
	values, size := in.Results, in.As.Bytes()
	if in.Op == ir.OpStore {
		values = in.Args[1:]
		if a := e.of(in.Args[0]); size < 4 && (a.s != 0 || a.d != 0) && a.s != int64(size) {
			return false
		}
	}
	for _, v := range values {
		if y := e.of(v); v.Type.Bits() > 64 || v.Type.Bytes() < min(4, size) || size == 8 && !y.wide() || y.class == mask || y.class == flag {
			return false
		}
	}
	return true
}

// member returns an access that its group has checked, nil if it has to be checked by itself. Where in is the first of its
// group it emits the check.
func (e *emitter) member(in *ir.Instr, values []*ir.Value) *access {
	g := e.groups[in]
	if g == nil || e.cloned {
		return nil
	}
	if e.pc == g.first {
		e.checkGroup(in, g)
	}
	x := &access{in: in, a: g.a, size: int64(in.As.Bytes()), n: len(values), lanes: 1, known: -1, wide: g.a.wide()}
	at := int64(in.Imm)
	base := amd64.NoReg
	if g.a.class == constant {
		at += int64(g.a.imm)
	} else {
		base = e.scalarIn(g.a, amd64.RDX)
	}
	switch {
	case g.shared && base == amd64.NoReg:
		x.base = amd64.At(sharedReg, int32(at))
	case g.shared:
		x.base = amd64.AtIndex(sharedReg, base, 1, int32(at))
	case base == amd64.NoReg:
		e.MovRI(amd64.RDX, uint64(at))
		x.base = amd64.At(amd64.RDX, 0)
	default:
		x.base = amd64.At(base, int32(at))
	}
	return x
}

// checkGroup emits the check of a group.
func (e *emitter) checkGroup(in *ir.Instr, g *group) {
	const ax, dx = amd64.RAX, amd64.RDX
	retry, fail, other := e.NewLabel(), e.NewLabel(), e.secondVersion()
	e.Bind(retry)
	if !addressChecks {
		return
	}
	if g.a.class == constant {
		e.MovRI(ax, g.a.imm+uint64(g.low))
	} else {
		e.plus(amd64.W64, ax, e.scalarIn(g.a, ax), int32(g.low))
	}
	if g.align > 1 && (g.a.class == constant || g.a.align%uint64(g.align) != 0) {
		e.TestRI(amd64.W8, ax, int32(g.align-1))
		e.Jcc(amd64.NE, other)
	}
	size := g.end - g.low
	if g.shared {
		e.AluRM(amd64.W64, amd64.CMP, ax, e.limit(size))
		e.Jcc(amd64.AE, other)
		return
	}
	known := e.slot(knownBytes)
	e.known = append(e.known, known)
	e.AluRM(amd64.W64, amd64.SUB, ax, amd64.At(blockReg, known))
	e.AluRM(amd64.W64, amd64.CMP, ax, amd64.At(blockReg, known+8))
	e.Jcc(amd64.AE, fail)
	s := site{kind: siteGroup, in: in, access: int(known), each: -1, member: -1, least: g.low, size: int(size)}
	e.learnOr(fail, other, retry, amd64.At(blockReg, known+16), s)
}

// secondVersion is where the second version of the block has the instruction.
func (e *emitter) secondVersion() amd64.Label {
	other, ok := e.second[e.pc]
	if !ok {
		other = e.NewLabel()
		e.second[e.pc] = other
	}
	return other
}

// learnOr emits what a group does where its check fails: Go learns of a region for some time, which tries counts; what lies in
// another each time is left to the second version.
func (e *emitter) learnOr(fail, other, retry amd64.Label, tries amd64.Mem, s site) {
	e.later(func() {
		e.Bind(fail)
		e.AluMI(amd64.W32, amd64.ADD, tries, 1)
		e.AluMI(amd64.W32, amd64.CMP, tries, groupTries)
		e.Jcc(amd64.A, other)
		out := e.NewLabel()
		e.Jmp(out)
		e.retries[len(e.sites)] = retry
		e.leave(out, other, s)
	})
}
