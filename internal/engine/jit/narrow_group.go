//go:build linux && (amd64 || arm64)

package jit

import "github.com/tandem-go/tandem/internal/ir"

// This file compiles the checks of groups of accesses, in the version of a piece for which these hold.

// groupBase is where the address of a group's least byte is, unless the register of the address serves.
type groupBase struct {
	rowBase
	direct bool
}

// member returns a load that its group has checked, nil if it has to be checked by itself. Where in is the first of its group it
// emits the check.
func (e *quarterEmitter) member(in *ir.Instr) *access8 {
	g := e.p.pieces.groups[in]
	if g == nil || !e.quick {
		return nil
	}
	base, ok := e.bases[g]
	if !ok {
		base = e.checkGroup(in, g)
		e.bases[g] = base
	}
	offset := int64(in.Imm)
	return &access8{in: in, a: g.a, size: int64(in.As.Bytes()), n: len(in.Results), offset: offset, known: -1,
		base: base.rowBase, direct: base.direct, least: g.low - offset, near: ok}
}

// checkGroup emits the check of a group, at its first access.
func (e *quarterEmitter) checkGroup(in *ir.Instr, g *group) groupBase {
	retry, fail := e.newLabel(), e.newLabel()
	size, other, base := g.end-g.low, e.other, groupBase{direct: addressed(g.a, g.shared)}
	e.bind(retry)
	if g.a.class == constant {
		e.set(acc, g.a.imm+uint64(g.low))
	} else {
		e.offset(true, acc, e.scalarIn(g.a, acc), int32(g.low))
	}
	if addressChecks && g.align > 1 && (g.a.class == constant || g.a.align%uint64(g.align) != 0) {
		e.set(second, uint64(g.align-1))
		e.test(acc, second)
		e.branch(ifNot, other)
	}
	if g.shared && addressChecks {
		e.compareMem(true, acc, e.limit(size))
		e.branch(ifAboveEqual, other)
	}
	switch {
	case g.shared:
		e.aluMem(aluAdd, true, acc, areaAt(areaShared))
	case addressChecks:
		known := e.slot(knownBytes)
		e.known = append(e.known, known)
		e.move(third, acc)
		e.aluMem(aluSub, true, third, areaAt(known))
		e.compareMem(true, third, areaAt(known+8))
		e.branch(ifAboveEqual, fail)
		e.lookUp(site{kind: siteGroup, in: in, access: int(known), each: -1, member: -1, least: g.low, size: int(size)}, fail, retry, other)
	}
	if !base.direct {
		base.rowBase = e.newBase()
		e.setBase(base.rowBase)
	}
	return base
}

// lookUp emits, out of line at fail, the way to Go, which learns of a group's region and tries again. That is done for some time;
// what lies in another region each time is left to the other version.
func (e *quarterEmitter) lookUp(s site, fail, retry, other label) {
	tries := areaAt(int32(s.access) + 16)
	out := e.newLabel()
	e.cold = append(e.cold, func() {
		e.bind(fail)
		e.set(acc, 1)
		e.memALU(aluAdd, tries, acc)
		e.compareMemImm(tries, groupTries)
		e.branch(ifAbove, other)
		e.jump(out)
	})
	e.retries[len(e.sites)] = retry
	e.leaveTo(out, other, s)
}
