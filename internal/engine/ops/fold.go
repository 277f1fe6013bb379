package ops

import "github.com/tandem-go/tandem/internal/ir"

// Fold computes the one result of an operation from the bits of its operands. ok is false where the operation is not a
// function of its operands alone, or is not supported.
func Fold(in *ir.Instr, args []uint64) (bits uint64, ok bool) {
	if in.Op.Effect() || in.Op.Terminator() || len(in.Results) != 1 || len(args) != len(in.Args) {
		return 0, false
	}
	switch in.Op {
	case ir.OpSpecial, ir.OpSymbol, ir.OpCvta, ir.OpCvtaTo, ir.OpIsSpace: // these ask the warp
		return 0, false
	}
	f, err := Compile(in)
	if err != nil {
		return 0, false
	}
	operands := make([]*Lanes, len(args))
	for i, v := range args {
		operands[i] = &Lanes{v}
	}
	var result Lanes
	if f(nil, 1, operands, []*Lanes{&result}) != nil {
		return 0, false
	}
	return result[0], true
}
