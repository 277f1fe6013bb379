package ops

import (
	"math/bits"

	"github.com/tandem-go/tandem/internal/intmath"
	"github.com/tandem-go/tandem/internal/ir"
)

// Logic, shifts and bit fields (PTX ISA, Logic and Shift Instructions, Integer Arithmetic Instructions).
var bitOps = map[ir.Op]compiler{
	ir.OpAnd:  logic(func(a, b uint64) uint64 { return a & b }),
	ir.OpOr:   logic(func(a, b uint64) uint64 { return a | b }),
	ir.OpXor:  logic(func(a, b uint64) uint64 { return a ^ b }),
	ir.OpNot:  masked1(func(a uint64) uint64 { return ^a }),
	ir.OpCNot: masked1(func(a uint64) uint64 { return b2u(a == 0) }),
	ir.OpShl:  shl, ir.OpShr: shr, ir.OpShf: shf, ir.OpLop3: lop3,
	ir.OpPopc: masked1(func(a uint64) uint64 { return uint64(bits.OnesCount64(a)) }),
	ir.OpClz:  clz, ir.OpBrev: brev, ir.OpBfind: bfind, ir.OpBfe: bfe, ir.OpBfi: bfi, ir.OpPrmt: prmt,
	ir.OpFns: only(lift3(func(mask, base, offset uint64) uint64 {
		return uint64(intmath.Fns(uint32(mask), uint32(base), int32(offset)))
	})),
	ir.OpDp4a: dp4a, ir.OpDp2a: dp2a, ir.OpVideo: video,
}

// logic needs no mask: operands have zeroes above their width.
func logic(f scalar2) compiler { return only(lift2(f)) }

func masked1(f scalar1) compiler {
	return func(in *ir.Instr) (Func, error) {
		keep := width(in.As)
		return lift1(func(a uint64) uint64 { return f(a) & keep }), nil
	}
}

func shl(in *ir.Instr) (Func, error) {
	keep := width(in.As)
	return lift2(func(a, n uint64) uint64 { return a << n & keep }), nil
}

func shr(in *ir.Instr) (Func, error) {
	if !in.As.Signed() {
		return lift2(func(a, n uint64) uint64 { return a >> n }), nil
	}
	keep, w := width(in.As), in.As.Bits()
	return lift2(func(a, n uint64) uint64 { return uint64(int64(signExtend(a, w))>>n) & keep }), nil
}

func shf(in *ir.Instr) (Func, error) {
	shift, wrap := intmath.ShfL, in.Flags&ir.Wrap != 0
	if in.Flags&ir.Right != 0 {
		shift = intmath.ShfR
	}
	return lift3(func(a, b, n uint64) uint64 { return uint64(shift(uint32(a), uint32(b), uint32(n), wrap)) }), nil
}

func lop3(in *ir.Instr) (Func, error) {
	table := uint8(in.Imm)
	return lift3(func(a, b, c uint64) uint64 {
		return uint64(intmath.Lop3(uint32(a), uint32(b), uint32(c), table))
	}), nil
}

func clz(in *ir.Instr) (Func, error) {
	above := uint64(64 - in.As.Bits())
	return lift1(func(a uint64) uint64 { return uint64(bits.LeadingZeros64(a)) - above }), nil
}

func brev(in *ir.Instr) (Func, error) {
	above := 64 - in.As.Bits()
	return lift1(func(a uint64) uint64 { return bits.Reverse64(a) >> above }), nil
}

func bfind(in *ir.Instr) (Func, error) {
	amount := in.Flags&ir.ShiftAmt != 0
	f, ok := map[ir.Type]scalar1{
		ir.U32: func(a uint64) uint64 { return uint64(intmath.BfindU32(uint32(a), amount)) },
		ir.S32: func(a uint64) uint64 { return uint64(intmath.BfindS32(int32(a), amount)) },
		ir.U64: func(a uint64) uint64 { return uint64(intmath.BfindU64(a, amount)) },
		ir.S64: func(a uint64) uint64 { return uint64(intmath.BfindS64(int64(a), amount)) },
	}[in.As]
	if !ok {
		return nil, unsupported(in)
	}
	return lift1(f), nil
}

func bfe(in *ir.Instr) (Func, error) {
	f, ok := map[ir.Type]scalar3{
		ir.U32: func(a, p, n uint64) uint64 { return uint64(intmath.BfeU32(uint32(a), uint32(p), uint32(n))) },
		ir.S32: func(a, p, n uint64) uint64 { return uint64(uint32(intmath.BfeS32(int32(a), uint32(p), uint32(n)))) },
		ir.U64: func(a, p, n uint64) uint64 { return intmath.BfeU64(a, uint32(p), uint32(n)) },
		ir.S64: func(a, p, n uint64) uint64 { return uint64(intmath.BfeS64(int64(a), uint32(p), uint32(n))) },
	}[in.As]
	if !ok {
		return nil, unsupported(in)
	}
	return lift3(f), nil
}

func bfi(in *ir.Instr) (Func, error) {
	if in.As.Bits() == 64 {
		return liftN(func(a, d []uint64) { d[0] = intmath.Bfi64(a[0], a[1], uint32(a[2]), uint32(a[3])) }), nil
	}
	return liftN(func(a, d []uint64) {
		d[0] = uint64(intmath.Bfi32(uint32(a[0]), uint32(a[1]), uint32(a[2]), uint32(a[3])))
	}), nil
}

func prmt(in *ir.Instr) (Func, error) {
	if in.Sub > uint8(ir.PrmtRC16) {
		return nil, unsupported(in)
	}
	mode := intmath.PrmtMode(in.Sub)
	return lift3(func(a, b, c uint64) uint64 {
		return uint64(intmath.Prmt(uint32(a), uint32(b), uint32(c), mode))
	}), nil
}

func dp4a(in *ir.Instr) (Func, error) {
	as, bs := in.As.Signed(), in.From.Signed()
	return lift3(func(a, b, c uint64) uint64 {
		return uint64(intmath.Dp4a(uint32(a), uint32(b), uint32(c), as, bs))
	}), nil
}

func dp2a(in *ir.Instr) (Func, error) {
	as, bs, high := in.As.Signed(), in.From.Signed(), in.Sub == 1
	return lift3(func(a, b, c uint64) uint64 {
		return uint64(intmath.Dp2a(uint32(a), uint32(b), uint32(c), as, bs, high))
	}), nil
}

func video(in *ir.Instr) (Func, error) {
	v := intmath.DecodeVideo(in.Imm)
	if v.Op > intmath.VSetGE {
		return nil, unsupported(in)
	}
	return lift3(func(a, b, c uint64) uint64 { return uint64(v.Apply(uint32(a), uint32(b), uint32(c))) }), nil
}
