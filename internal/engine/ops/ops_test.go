package ops_test

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/ops"
	"github.com/tandem-go/tandem/internal/intmath"
	"github.com/tandem-go/tandem/internal/ir"
)

// instr makes an instruction outside a function: as many operands as types, and one result of type result.
func instr(op ir.Op, as ir.Type, result ir.Type, operands ...ir.Type) *ir.Instr {
	in := &ir.Instr{Op: op, As: as, Results: []*ir.Value{{Type: result}}}
	for _, t := range operands {
		in.Args = append(in.Args, &ir.Value{Type: t})
	}
	return in
}

// TestMask runs operations of each shape under random masks: lanes outside the mask keep what they have.
func TestMask(t *testing.T) {
	setp := instr(ir.OpSetp, ir.Pred, ir.Pred, ir.B32, ir.B32)
	setp.From, setp.Cmp = ir.S32, ir.Lt
	sat := instr(ir.OpAdd, ir.F32, ir.B32, ir.B32, ir.B32)
	sat.Flags = ir.Sat
	r := rand.New(rand.NewPCG(1, 2))
	for _, in := range []*ir.Instr{
		instr(ir.OpAdd, ir.F32, ir.B32, ir.B32, ir.B32), // computes all lanes
		instr(ir.OpFma, ir.F32, ir.B32, ir.B32, ir.B32, ir.B32),
		instr(ir.OpNeg, ir.S64, ir.B64, ir.B64),
		instr(ir.OpBfi, ir.B32, ir.B32, ir.B32, ir.B32, ir.B32, ir.B32),
		instr(ir.OpConst, ir.U32, ir.B32),
		setp, sat,
	} {
		f, err := ops.Compile(in)
		require.NoError(t, err)
		var args []*ops.Lanes
		for _, v := range in.Args {
			a := &ops.Lanes{}
			for i := range a {
				a[i] = r.Uint64() >> (64 - v.Type.Bits())
			}
			args = append(args, a)
		}
		var all ops.Lanes
		require.Nil(t, f(&ops.Warp{}, math.MaxUint32, args, []*ops.Lanes{&all}))
		for _, mask := range []uint32{0, 1, 1 << 31, math.MaxUint32, r.Uint32(), r.Uint32()} {
			got := ops.Lanes{}
			for i := range got {
				got[i] = ^uint64(7)
			}
			require.Nil(t, f(&ops.Warp{}, mask, args, []*ops.Lanes{&got}))
			for i := range got {
				want := ^uint64(7)
				if mask>>i&1 != 0 {
					want = all[i]
				}
				require.Equal(t, want, got[i], "%s lane %d mask %#x", in.Op, i, mask)
			}
		}
		for i := range all {
			require.LessOrEqual(t, bits.Len64(all[i]), in.Results[0].Type.Bits(), "%s: bits above the width", in.Op)
		}
	}
}

func TestUnsupportedFormsAreNamed(t *testing.T) {
	rna := instr(ir.OpCvt, ir.F32, ir.B32, ir.B32)
	rna.From, rna.Round = ir.F32, ir.RNA
	for _, in := range []*ir.Instr{
		rna,
		instr(ir.OpTex, ir.F32, ir.B32, ir.B64),
		instr(ir.OpCall, ir.Void, ir.B32),
		instr(ir.OpSin, ir.F64, ir.B64, ir.B64),
		instr(ir.OpSqrt, ir.F16, ir.B16, ir.B16),
		instr(ir.OpMma, ir.F32, ir.B32, ir.B32),
		instr(ir.OpMbarrier, ir.B64, ir.B64, ir.B32, ir.B32),
		instr(ir.OpMulWide, ir.S64, ir.B128, ir.B64, ir.B64),
		instr(ir.OpShfl, ir.B32, ir.B32, ir.B32, ir.B32, ir.B32, ir.B32),
		instr(ir.OpLoad, ir.B128, ir.B128, ir.B64),
		instr(ir.OpSpecial, ir.B32, ir.B32),
	} {
		if in.Op == ir.OpSpecial {
			in.Index = int(ir.NumSRegs)
		}
		_, err := ops.Compile(in)
		require.ErrorContains(t, err, in.Op.String()+"."+in.As.String())
	}
}

func TestMemberMask(t *testing.T) {
	require.Equal(t, 3, ops.MemberMask(instr(ir.OpShfl, ir.B32, ir.B32, ir.B32, ir.B32, ir.B32, ir.B32)))
	require.Equal(t, 0, ops.MemberMask(instr(ir.OpWarpSync, ir.Void, ir.Void, ir.B32)))
	require.Equal(t, -1, ops.MemberMask(instr(ir.OpActiveMask, ir.B32, ir.B32)))
	require.Equal(t, -1, ops.MemberMask(instr(ir.OpAdd, ir.U32, ir.B32, ir.B32, ir.B32)))
}

func TestFold(t *testing.T) {
	v, ok := ops.Fold(instr(ir.OpMulWide, ir.S32, ir.B64, ir.B32, ir.B32), []uint64{0xffffffff, 3})
	require.True(t, ok)
	require.Equal(t, ^uint64(2), v)
	tid := instr(ir.OpSpecial, ir.B32, ir.B32)
	for _, in := range []*ir.Instr{
		tid, instr(ir.OpSymbol, ir.B64, ir.B64), instr(ir.OpActiveMask, ir.B32, ir.B32), instr(ir.OpLoad, ir.U32, ir.B32, ir.B64),
		instr(ir.OpCvta, ir.B64, ir.B64, ir.B64),
	} {
		_, ok := ops.Fold(in, make([]uint64, len(in.Args)))
		require.False(t, ok, in.Op)
	}
	_, ok = ops.Fold(instr(ir.OpAdd, ir.U32, ir.B32, ir.B32, ir.B32), []uint64{1})
	require.False(t, ok)
}

func TestVideo(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	flag := func() bool { return r.IntN(2) == 0 }
	selectors := func(bytes bool) (s []uint8) {
		if flag() {
			return nil
		}
		n := 2
		if bytes {
			n = 4
		}
		for range n {
			s = append(s, uint8(r.IntN(2*n)))
		}
		return s
	}
	for range 2000 {
		v := intmath.Video{
			Op: intmath.VideoOp(r.IntN(int(intmath.VSetGE) + 1)), Bytes: flag(), ASigned: flag(), BSigned: flag(), DSigned: flag(),
			Sat: flag(), Add: flag(), NotMask: uint8(r.IntN(4)),
		}
		v.ASelect, v.BSelect = selectors(v.Bytes), selectors(v.Bytes)
		require.Equal(t, v, intmath.DecodeVideo(v.Encode()))
		in := instr(ir.OpVideo, ir.B32, ir.B32, ir.B32, ir.B32, ir.B32)
		in.Imm = v.Encode()
		a, b, c := r.Uint32(), r.Uint32(), r.Uint32()
		got, ok := ops.Fold(in, []uint64{uint64(a), uint64(b), uint64(c)})
		require.True(t, ok)
		require.EqualValues(t, v.Apply(a, b, c), got)
	}
}

// TestThread numbers threads x fastest.
func TestThread(t *testing.T) {
	w := ops.Warp{Launch: &engine.Launch{Block: [3]uint32{5, 4, 3}}, ID: 1}
	require.Equal(t, [3]uint32{3, 2, 1}, w.Thread(1)) // 33 = 3 + 5·(2 + 4·1)
}

// TestPlainIsExact compares the operations that have a faster way with the table that states them.
func TestPlainIsExact(t *testing.T) {
	special := []uint32{0, 1 << 31, 1, 0x7f7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc12345, 0x7f812345, 0x3f800000, 0x33800000, 0x00800000}
	r := rand.New(rand.NewPCG(5, 6))
	draw := func() uint64 {
		if r.IntN(3) == 0 {
			return uint64(special[r.IntN(len(special))])
		}
		return uint64(r.Uint32())
	}
	for _, op := range []ir.Op{ir.OpAdd, ir.OpSub, ir.OpMul, ir.OpFma} {
		operands := []ir.Type{ir.B32, ir.B32, ir.B32}[:2+int(b2u(op == ir.OpFma))]
		plain := instr(op, ir.F32, ir.B32, operands...)
		// A modifier without effect here chooses the general way: .sat and .ftz would change results, Uniform does not.
		general := instr(op, ir.F32, ir.B32, operands...)
		general.Flags = ir.Uniform
		for range 20000 {
			args := []uint64{draw(), draw(), draw()}[:len(operands)]
			a, ok := ops.Fold(plain, args)
			require.True(t, ok)
			b, ok := ops.Fold(general, args)
			require.True(t, ok)
			require.Equal(t, b, a, "%s %#x", op, args)
		}
	}
}

func b2u(b bool) uint {
	if b {
		return 1
	}
	return 0
}
