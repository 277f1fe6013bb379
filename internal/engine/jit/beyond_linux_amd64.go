package jit

import (
	"math"

	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// This file emits what an access to a row does where the row reaches beyond what is legal: lanes that do not execute may.

// conclude emits the end of an access. bySelf emits the access to the address of each lane by itself: in place of code for rows,
// where a row reaches beyond what is legal and some of its lanes do not execute.
func (e *emitter) conclude(x *access, bySelf func()) {
	e.giveBack()
	e.Bind(x.done)
	rows := !x.far && bySelf != nil && !x.a.uniform()
	e.later(func() {
		e.Bind(x.slow)
		if !rows {
			e.Jmp(x.fail)
			return
		}
		if least, most := x.a.span(); x.a.class == scalar && least >= math.MinInt32 && most <= math.MaxInt32 {
			e.checkLanes(x)
		} else {
			e.checkVector(x)
		}
		bySelf()
		e.giveBack()
		e.Jmp(x.done)
	})
}

// rowCheck is code that accesses to rows of one shape share. It asks whether all lanes of k and k+1 that RAX and the shape make
// are less than temp1, as unsigned numbers, goes on at RCX, and there ZF says so. It destroys temp0, temp2, k0 and k7.
type rowCheck struct {
	row   *value // of which the shape counts
	lanes amd64.KReg
	begin amd64.Label
}

// checkLanes emits the check of a row whose lanes that execute count, each by itself. RDX is then what is to be added to the lanes'
// distances. Addresses of 32 bits are signed numbers here, so that lanes at negative ones count from there.
func (e *emitter) checkLanes(x *access) {
	const ax, dx = amd64.RAX, amd64.RDX
	total := x.size * int64(x.n)
	if r := e.scalarIn(x.a, dx); !x.a.wide() {
		e.MovSX(amd64.W64, amd64.W32, dx, r)
	} else if r != dx {
		e.MovRR(amd64.W64, dx, r)
	}
	e.Lea(amd64.W64, ax, amd64.At(dx, int32(x.offset)))
	e.checkAligned(x, x.fail)
	bound := amd64.At(blockReg, x.each)
	if x.in.Space == ir.SpaceShared {
		bound = e.limit(total)
		e.AluRM(amd64.W64, amd64.ADD, dx, amd64.At(blockReg, areaShared))
	} else {
		e.AluRM(amd64.W64, amd64.SUB, ax, amd64.At(blockReg, x.known))
	}
	e.RRM(amd64.VPBROADCASTQ, temp1, 0, bound, zmm)
	back := e.NewLabel()
	e.LeaLabel(amd64.RCX, back)
	e.Jmp(e.rowCheck(x))
	e.Bind(back)
	e.Jcc(amd64.NE, x.fail)
	x.row, x.wide = true, false
}

// rowCheck returns where the check for an access begins.
func (e *emitter) rowCheck(x *access) amd64.Label {
	for _, c := range e.rowChecks {
		if c.row.s == x.a.s && c.row.d == x.a.d && c.row.table == x.a.table && c.lanes == x.lanes {
			return c.begin
		}
	}
	c := rowCheck{x.a, x.lanes, e.NewLabel()}
	e.rowChecks = append(e.rowChecks, c)
	return c.begin
}

// laneChecks emits the checks that were asked for.
func (e *emitter) laneChecks() {
	for _, c := range e.rowChecks {
		e.marks.shared(e.Len(), "check of a row's lanes")
		e.Bind(c.begin)
		e.RG(amd64.VPBROADCASTQG, temp0, amd64.RAX, zmm)
		e.KKK(amd64.KXORW, 0, 0, 0)
		for part := range 4 {
			k := c.lanes + amd64.KReg(part/2)
			if part%2 == 1 {
				e.KKI(amd64.KSHIFTRW, 7, k, 8)
				k = 7
			}
			e.RRM(amd64.VPADDQ, temp2, temp0, e.offsetsOf(c.row, part, true), zmm)
			const notLess = 5
			e.KRRI(amd64.VPCMPUQ, 7, temp2, temp1, notLess, under(k))
			e.KKK(amd64.KORW, 0, 0, 7)
		}
		e.KKK(amd64.KORTESTW, 0, 0, 0)
		e.JmpR(amd64.RCX)
	}
}
