package jit

import (
	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// folded is a value that is not loaded by itself: the multiplication behind the load takes it from memory, where each half of
// the lanes has one element.
type folded struct {
	v    *ir.Value
	from [2]amd64.Mem
}

// foldLoad leaves a load to the instruction behind it, which alone asks for the value; false if that cannot take it.
func (e *emitter) foldLoad(x *access) bool {
	r := x.in.Results[0]
	v, next := e.of(r), e.block.Instrs[e.pc+1]
	if x.a.s != 0 || x.a.table != nil || x.size != 4 || x.n != 1 || v.class != vector || v.wide() || v.masked || v.uses != 1 {
		return false
	}
	if next.Op != ir.OpFma || next.As != ir.F32 || next.Round != ir.RN || next.Flags != 0 || next.Args[2] == r || (next.Args[0] == r) == (next.Args[1] == r) {
		return false
	}
	e.folded = &folded{r, [2]amd64.Mem{x.rowMem(0, 0), x.rowMem(1, 0)}}
	return true
}

// factor is operandIn for a value that may have been folded.
func (e *emitter) factor(v *value, part int, scratch amd64.VReg) operand {
	if e.folded != nil && e.folded.v == v.v {
		return operand{mem: e.folded.from[part], at: true, cast: true}
	}
	return e.operandIn(v, part, scratch)
}
