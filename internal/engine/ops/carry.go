package ops

import (
	"math/bits"

	"github.com/tandem-go/tandem/internal/ir"
)

// carry is addition and subtraction with the carry flag as a value: out of every form, into AddC and SubC.
func carry(f func(a, b, c uint64) (uint64, uint64), into bool) compiler {
	return func(in *ir.Instr) (Func, error) {
		if !in.As.Integer() || in.As.Bits() < 32 {
			return nil, unsupported(in)
		}
		narrow := in.As.Bits() == 32
		return liftN(func(args, results []uint64) {
			var c uint64
			if into {
				c = args[2]
			}
			v, out := f(args[0], args[1], c)
			if narrow {
				v, out = v&(1<<32-1), v>>32&1
			}
			results[0] = v
			if len(results) > 1 {
				results[1] = out
			}
		}), nil
	}
}

var carryOps = map[ir.Op]compiler{
	ir.OpAddCC: carry(bits.Add64, false), ir.OpAddC: carry(bits.Add64, true),
	ir.OpSubCC: carry(bits.Sub64, false), ir.OpSubC: carry(bits.Sub64, true),
}
