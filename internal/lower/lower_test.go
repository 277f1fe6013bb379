package lower_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/lower"
	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

var rewrite = flag.Bool("rewrite", false, "write the expected files of golden tests anew")

// checked parses and checks PTX text.
func checked(t testing.TB, name, text string) *check.Checked {
	t.Helper()
	m, err := ptx.Parse(name, []byte(text))
	require.NoError(t, err)
	c, err := check.Check(m)
	require.NoError(t, err)
	return c
}

// TestGolden lowers all kernels of each testdata/*.ptx and compares with the .ir file beside it, which shows what each
// instruction becomes. It also holds the text form to its promise.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.ptx")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".ptx"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			c := checked(t, filepath.Base(file), string(text))
			var out strings.Builder
			for _, f := range c.Funcs {
				if !f.Entry {
					continue
				}
				k, err := lower.Kernel(c, f.Name)
				require.NoError(t, err)
				require.NoError(t, ir.Verify(k), k)
				again, err := ir.Parse(k.String())
				require.NoError(t, err)
				require.Equal(t, k.String(), again.String())
				require.NoError(t, ir.Verify(again))
				out.WriteString(k.String() + "\n")
			}
			golden := strings.TrimSuffix(file, ".ptx") + ".ir"
			if *rewrite {
				require.NoError(t, os.WriteFile(golden, []byte(out.String()), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), out.String())
		})
	}
}

// TestUnsupported: everything that the host device cannot execute is reported at once, with its place, and what is never
// reached is not.
func TestUnsupported(t *testing.T) {
	c := checked(t, "odd.ptx", `.version 8.0
.target sm_90
.address_size 64
.func helper() {
	.reg .b64 %r;
	stacksave.u64 %r;
	ret;
}
.visible .entry odd(.param .u64 p) {
	.reg .b16 %h<3>;
	.reg .b32 %r<5>;
	.reg .f32 %f<5>;
	.reg .b64 %rd;
	ld.param.u64 %rd, [p];
	txq.width.b32 %r1, [%rd];
	cvt.rn.satfinite.e4m3x2.f32 %h1, %f1, %f2;
	  barrier.cluster.wait;
	call helper;
	bra OUT;
	barrier.cluster.arrive;
OUT:
	ret;
}
.visible .entry fine() { ret; }
`)
	_, err := lower.Kernel(c, "odd")
	var list ptx.ErrorList
	require.ErrorAs(t, err, &list)
	require.EqualError(t, err, strings.Join([]string{
		"odd.ptx:6:2: stacksave.u64 is not supported by the host device",
		"odd.ptx:15:2: txq.width.b32 is not supported by the host device",
		"odd.ptx:16:2: cvt.rn.satfinite.e4m3x2.f32 is not supported by the host device",
		"odd.ptx:17:4: barrier.cluster.wait is not supported by the host device",
	}, "\n"))
	_, err = lower.Kernel(c, "fine")
	require.NoError(t, err, "what another kernel does is not its concern")
	_, err = lower.Kernel(c, "helper")
	require.EqualError(t, err, "lower helper: odd.ptx has no such kernel")
	_, err = lower.Kernel(c, "none")
	require.EqualError(t, err, "lower none: odd.ptx has no such kernel")
}

// TestVariables: variables of functions are placed too, under names of their own, and function addresses in initialisers
// are those that kernels use.
func TestVariables(t *testing.T) {
	c := checked(t, "vars.ptx", `.version 8.0
.target sm_75
.address_size 64
.func f() { ret; }
.func g() { ret; }
.func h() { ret; }
.global .u64 table[2] = {h, f};
.visible .entry k(.param .u64 p) {
	.reg .b64 %rd<2>;
	.reg .b32 %r;
	.global .u32 x;
	{
		.const .u32 x = 4;
		ld.const.u32 %r, [x];
	}
	st.global.u32 [x], %r;
	ld.global.u64 %rd1, [table];
	call %rd1, (), proto;
	proto: .callprototype _ ();
	ret;
}
`)
	var names []string
	for _, v := range lower.Variables(c) {
		names = append(names, lower.VariableName(v))
	}
	require.Equal(t, []string{"table", "k.x", "k.x.1"}, names)
	k, err := lower.Kernel(c, "k")
	require.NoError(t, err)
	require.NoError(t, ir.Verify(k))
	require.Len(t, k.FuncTable, 2)
	for i, name := range []string{"f", "h"} {
		require.Equal(t, name, k.FuncTable[i].Name)
		addr, ok := lower.FunctionAddress(c, c.Func(name))
		require.True(t, ok)
		require.Equal(t, uint64(ir.FuncAddressBase+16*i), addr)
	}
	_, ok := lower.FunctionAddress(c, c.Func("g"))
	require.False(t, ok)
}

// large is a kernel of about n instructions: loops and branches over registers that live throughout.
func large(n int) string {
	var b strings.Builder
	b.WriteString(".version 8.0\n.target sm_75\n.address_size 64\n.visible .entry large(.param .u64 p) {\n" +
		".reg .pred %p;\n.reg .b32 %r<1000>;\n.reg .b64 %rd;\nld.param.u64 %rd, [p];\n")
	for i := 0; i < n/10; i++ {
		fmt.Fprintf(&b, "L%d:\n", i)
		for j := range 6 {
			fmt.Fprintf(&b, "add.s32 %%r%d, %%r%d, %%r%d;\n", (i*7+j)%1000, (i*13+j*5)%1000, (i+j)%1000)
		}
		fmt.Fprintf(&b, "st.global.u32 [%%rd+%d], %%r%d;\nsetp.lt.s32 %%p, %%r%d, %d;\n", i*4, i%1000, (i*3)%1000, i)
		fmt.Fprintf(&b, "@%%p bra L%d;\n", max(i-i%5, 0))
	}
	b.WriteString("ret;\n}\n")
	return b.String()
}

// TestLarge lowers a kernel as large as the largest of the survey.
func TestLarge(t *testing.T) {
	k, err := lower.Kernel(checked(t, "large.ptx", large(33000)), "large")
	require.NoError(t, err)
	require.NoError(t, ir.Verify(k))
}

// BenchmarkKernel lowers 33,000 instructions in about 3,300 blocks.
func BenchmarkKernel(b *testing.B) {
	c := checked(b, "large.ptx", large(33000))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := lower.Kernel(c, "large"); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/33000, "ns/instr")
}
