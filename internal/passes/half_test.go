package passes_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine/ops"
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/passes"
)

// halfForms are the instructions that half replaces: operation, type of the result, and of the operands.
func halfForms() (forms [][3]string) {
	for _, t := range []string{"f16", "bf16", "f16x2", "bf16x2"} {
		v := "b16"
		if len(t) > 4 || t == "f16x2" {
			v = "b32"
		}
		for _, op := range []string{"add", "sub", "mul", "fma", "fma.relu", "min", "max", "min.nan", "neg", "abs", "ex2.approx", "tanh.approx"} {
			if op == "ex2.approx" && t[0] == 'b' {
				continue // with .ftz only, which stays
			}
			forms = append(forms, [3]string{op + "." + t, v, v})
		}
	}
	for _, op := range []string{"add.sat.f16", "mul.sat.f16", "fma.sat.f16", "cvt.rint.rm.f16.f16", "cvt.sat.rint.f16.f16"} {
		forms = append(forms, [3]string{op, "b16", "b16"})
	}
	for _, cmp := range []string{"lt", "ge", "neu", "num"} {
		forms = append(forms, [3]string{"setp." + cmp + ".pred.f16", "pred", "b16"}, [3]string{"setp." + cmp + ".pred.bf16", "pred", "b16"},
			[3]string{"set." + cmp + ".u32.f16", "b32", "b16"})
	}
	for _, n := range []string{"s8", "u16", "s32", "u32", "s64", "u64"} {
		v := "b" + n[1:]
		if n == "s8" {
			v = "b16"
		}
		for _, r := range []string{"", ".rz", ".rm", ".rp"} {
			forms = append(forms, [3]string{"cvt" + r + ".f16." + n, "b16", v}, [3]string{"cvt" + r + "." + n + ".f16", v, "b16"})
		}
	}
	return append(forms, [3]string{"cvt.f64.f16", "b64", "b16"}, [3]string{"cvt.f32.bf16", "b32", "b16"},
		[3]string{"cvt.bf16.f32", "b16", "b32"}, [3]string{"cvt.relu.bf16.f32", "b16", "b32"})
}

// TestHalf: what half makes of an instruction has the bits of the instruction. Operands have few significant bits and
// exponents that lie close or far from each other, so that ties, lost bits, subnormal and infinite results are common.
func TestHalf(t *testing.T) {
	r := rand.New(rand.NewPCG(rand.Uint64(), 1))
	for _, form := range halfForms() {
		t.Run(form[0], func(t *testing.T) {
			args := 2
			switch {
			case form[0][:3] == "fma":
				args = 3
			case form[0][:3] == "neg", form[0][:3] == "abs", form[0][:3] == "ex2", form[0][:3] == "tan", form[0][:3] == "cvt":
				args = 1
			}
			text, list := "kernel @k\nfunc @k() {\nb0:\n", ""
			for i := range args {
				text += fmt.Sprintf("v%d:%s = const.%s #0\n", i, form[2], form[2])
				list += fmt.Sprintf(", v%d", i)
			}
			text += fmt.Sprintf("v9:%s = %s %s\nret\n}\n", form[1], form[0], list[2:])
			k, err := ir.Parse(text)
			require.NoError(t, err)
			plain := k.Funcs[0].Blocks[0].Instrs
			original := plain[args]
			require.NoError(t, passes.RunPass(k, "half", passes.Options{Verify: true}))
			wide := k.Funcs[0].Blocks[0].Instrs
			require.NotContains(t, wide, original)
			for range 1000 {
				var bits []uint64
				for _, a := range original.Args {
					bits = append(bits, operand(r, a.Type.Bits(), form[0]))
				}
				want, ok := ops.Fold(original, bits)
				require.True(t, ok)
				require.Equal(t, want, evaluate(t, wide, bits), "%s %#x", form[0], bits)
			}
		})
	}
}

// operand is a number of n bits.
func operand(r *rand.Rand, n int, form string) uint64 {
	v := r.Uint64()
	switch r.IntN(4) {
	case 0: // few significant bits
		v &= 0x8f8f_8f8f_8f8f_8f8f
	case 1: // exponents near the middle
		v = v&0x83ff_83ff_83ff_83ff | 0x3c00_3c00_3c00_3c00
	case 2:
		v >>= r.IntN(n)
	}
	return v & (1<<n - 1)
}

// evaluate executes instructions, which begin with the operands, and returns the last value.
func evaluate(t *testing.T, code []*ir.Instr, operands []uint64) (last uint64) {
	values := map[*ir.Value]uint64{}
	for i, in := range code[:len(code)-1] {
		var args []uint64
		for _, a := range in.Args {
			args = append(args, values[a])
		}
		switch {
		case i < len(operands):
			last = operands[i]
		default:
			var ok bool
			last, ok = ops.Fold(in, args)
			require.True(t, ok, in.String())
		}
		values[in.Results[0]] = last
	}
	return last
}
