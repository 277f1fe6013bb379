// Package ops states once what each operation of the IR means when one warp executes it.
//
// Compile chooses the function for an instruction from its operation, types and modifiers; executing a kernel is then a
// matter of calling functions. A function reads its operands for all lanes before it writes a result or memory, takes
// lanes in ascending order wherever order can be seen, and touches nothing of lanes outside the mask. The reference
// engine consists of these functions; a compiling engine calls them for whatever it does not compile.
//
// Branches, calls, barriers of the block and the grid, and the meeting of lanes before a warp-level operation are the
// engine's: Compile refuses the former, MemberMask tells it of the latter.
package ops

import (
	"fmt"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/ir"
)

// Lanes are the bits of one value in each lane of a warp, zero above the value's width.
type Lanes [engine.WarpSize]uint64

// Func executes an instruction for the lanes of mask. args and results correspond to the instruction's; no result is an
// argument. A fault says everything but the position in the kernel's text, which Compile's Func adds.
type Func func(w *Warp, mask uint32, args, results []*Lanes) *engine.Fault

// compiler makes the function of one operation.
type compiler func(in *ir.Instr) (Func, error)

// Compile returns the function of in. An error names an operation or form that is not supported here.
func Compile(in *ir.Instr) (Func, error) {
	c := compilers[in.Op]
	if c == nil {
		return nil, unsupported(in)
	}
	for _, v := range in.Args {
		if v.Type == ir.B128 {
			return nil, unsupported(in)
		}
	}
	f, err := c(in)
	if err != nil || !in.Op.Effect() {
		return f, err
	}
	pos := in.Pos
	return func(w *Warp, mask uint32, args, results []*Lanes) *engine.Fault {
		fault := f(w, mask, args, results)
		if fault != nil {
			fault.Pos = pos
		}
		return fault
	}, nil
}

func unsupported(in *ir.Instr) error {
	from := ""
	if in.From != ir.Void {
		from = " from " + in.From.String()
	}
	return fmt.Errorf("operation %s.%s%s is not supported in this form (modifiers %+v)", in.Op, in.As, from, in.Mods)
}

// MemberMask returns the index of the argument that names the lanes with which a lane executes in together, -1 if in is
// not such an operation. The lanes so named that have not ended meet before they execute it (PTX ISA, shfl.sync).
func MemberMask(in *ir.Instr) int {
	switch in.Op {
	case ir.OpShfl, ir.OpVote, ir.OpMatch, ir.OpRedux, ir.OpWarpSync, ir.OpMma:
		return len(in.Args) - 1
	}
	return -1
}

// compilers holds the tables of the files, each of which lists what it states.
var compilers = merge(constantOps, arithmeticOps, carryOps, bitOps, convertOps, memoryOps, atomicOps, warpOps, runtimeOps,
	mmaOps, mbarrierOps, textureOps)

func merge(parts ...map[ir.Op]compiler) map[ir.Op]compiler {
	all := map[ir.Op]compiler{}
	for _, part := range parts {
		for op, c := range part {
			all[op] = c
		}
	}
	return all
}
