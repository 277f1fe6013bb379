package check_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

const header = ".version 7.8\n.target sm_75\n.address_size 64\n"

func checked(t *testing.T, src string) *check.Checked {
	t.Helper()
	m, err := ptx.Parse("t.ptx", []byte(header+src))
	require.NoError(t, err)
	c, err := check.Check(m)
	require.NoError(t, err)
	return c
}

func TestModuleResult(t *testing.T) {
	c := checked(t, `
.extern .global .u32 counter;
.func helper(.param .u32 x);
.alias other, helper;
.func other(.param .u32 x);
.global .u32 counter = 3;
.extern .func free(.param .b64 p);
.extern .func never(.param .b64 p);
.func helper(.param .u32 x) { ret; }
.entry k(.param .u8 a, .param .align 8 .b8 b[12]) { ret; }
`)
	require.Equal(t, 75, c.Arch)
	require.Equal(t, 64, c.AddressBits)
	require.False(t, c.Debug)
	require.Len(t, c.Vars, 1)
	require.Equal(t, ptx.Internal, c.Var("counter").Decl.Linkage, "the definition counts, not the declaration")
	require.Equal(t, []byte{3, 0, 0, 0}, c.Var("counter").Data)
	require.Nil(t, c.Var("absent"))

	names := make([]string, len(c.Funcs))
	for i, f := range c.Funcs {
		names[i] = f.Name
	}
	require.Equal(t, []string{"helper", "other", "free", "never", "k"}, names)
	require.True(t, c.Func("helper").Defined)
	require.Same(t, c.Func("helper"), c.Func("other").Alias)
	require.True(t, c.Func("free").Runtime)
	require.False(t, c.Func("never").Runtime)
	k := c.Func("k")
	require.True(t, k.Entry)
	require.Equal(t, int64(12), k.Params[1].Size)
	require.Equal(t, 8, k.Params[1].Align)
	require.Same(t, k, k.Params[0].Func)
	require.Same(t, c.Func("helper"), c.Func("helper").Params[0].Func, "parameters of a definition that replaced a declaration")
}

func TestInitialiserLayout(t *testing.T) {
	c := checked(t, `
.global .s16 rows[3][2] = {{1}, {2, -3}};
.global .s16 mixed[3][2] = {1, {2}, {3, 4}};
.global .v4 .f32 quad = {1.0, 0f40000000, 3, -1};
.global .v2 .u8 vecs[] = {{1, 2}, {3}, {4, 5}};
.global .f64 d = 0f3F800000;
.global .b64 bits = 0d7FF8000000000000;
.global .u8 cut = 0x1FF;
.global .u32 zero[4];
.global .b8 text[] = {104, 105};
`)
	le16 := func(vals ...int16) (out []byte) {
		for _, v := range vals {
			out = binary.LittleEndian.AppendUint16(out, uint16(v))
		}
		return out
	}
	require.Equal(t, le16(1, 0, 2, -3), c.Var("rows").Data)
	require.Equal(t, int64(12), c.Var("rows").Size)
	require.Equal(t, le16(1, 0, 2, 0, 3, 4), c.Var("mixed").Data)
	var quad []byte
	for _, f := range []float32{1, 2, 3, -1} {
		quad = binary.LittleEndian.AppendUint32(quad, math.Float32bits(f))
	}
	require.Equal(t, quad, c.Var("quad").Data)
	require.Equal(t, 16, c.Var("quad").Align)
	require.Equal(t, []byte{1, 2, 3, 0, 4, 5}, c.Var("vecs").Data)
	require.Equal(t, int64(6), c.Var("vecs").Size)
	require.Equal(t, binary.LittleEndian.AppendUint64(nil, math.Float64bits(1)), c.Var("d").Data)
	require.Equal(t, binary.LittleEndian.AppendUint64(nil, 0x7FF8000000000000), c.Var("bits").Data)
	require.Equal(t, []byte{0xFF}, c.Var("cut").Data)
	require.Nil(t, c.Var("zero").Data)
	require.Equal(t, int64(16), c.Var("zero").Size)
	require.Equal(t, int64(2), c.Var("text").Size)
}

func TestRelocations(t *testing.T) {
	c := checked(t, `
.global .u64 p[3] = {generic(target)+8, f, target-4};
.global .u8 packed[4] = {7, 0xFF(target), 0xFF00(generic(target)+1)};
.global .u32 target;
.func f { ret; }
`)
	target, f := c.Var("target"), c.Func("f")
	require.Equal(t, []check.Reloc{
		{Offset: 0, Size: 8, Var: target, Addend: 8, Generic: true},
		{Offset: 8, Size: 8, Func: f},
		{Offset: 16, Size: 8, Var: target, Addend: -4},
	}, c.Var("p").Relocs)
	require.Equal(t, []check.Reloc{
		{Offset: 1, Size: 1, Var: target},
		{Offset: 2, Size: 1, Var: target, Addend: 1, Generic: true, Shift: 8},
	}, c.Var("packed").Relocs)
	require.Equal(t, []byte{7, 0, 0}, c.Var("packed").Data)
}

func TestRegistersOfScopesAreDistinct(t *testing.T) {
	f := checked(t, `
.entry k(.param .u64 p) {
	.reg .b32 %r<1000000>;
	mov.b32 %r7, 1;
	{
		.reg .b64 %r<9>;
		mov.b64 %r7, 2;
		mov.b32 %r9, 3;
	}
	mov.b32 %r7, 4;
	mov.b32 %r999999, 5;
}`).Func("k")
	dst := func(i int) check.RegID { return f.Code[i].Args[0].Reg }
	require.Len(t, f.Regs, 4, "registers that are not mentioned are not made")
	require.Equal(t, dst(0), dst(3))
	require.NotEqual(t, dst(0), dst(1))
	require.Equal(t, ptx.B32, f.Regs[dst(0)].Type)
	require.Equal(t, ptx.B64, f.Regs[dst(1)].Type)
	require.Equal(t, ptx.B32, f.Regs[dst(2)].Type, "%r9 is not in the inner range")
	require.Equal(t, "%r999999", f.Regs[dst(4)].Name)
}

func TestLabels(t *testing.T) {
	f := checked(t, `
.entry k {
	.reg .pred p;
	.reg .b32 i;
L:
	@p bra L;
	{
		@!p bra L;
L:
		bra.uni L;
		bra END;
	}
	bra L;
ts: .branchtargets END, L;
	brx.idx i, ts;
END:
}`).Func("k")
	require.Len(t, f.Code, 6)
	require.Equal(t, []int{0}, f.Code[0].Targets)
	require.NotEqual(t, check.NoReg, f.Code[0].Guard)
	require.False(t, f.Code[0].GuardNeg)
	require.Equal(t, []int{2}, f.Code[1].Targets, "the label of the inner scope")
	require.True(t, f.Code[1].GuardNeg)
	require.Equal(t, []int{2}, f.Code[2].Targets)
	require.True(t, f.Code[2].Form.Has(check.Uni))
	require.Equal(t, []int{6}, f.Code[3].Targets, "a label at the end")
	require.Equal(t, []int{0}, f.Code[4].Targets)
	require.Equal(t, []int{6, 0}, f.Code[5].Targets)
	require.Equal(t, check.NoReg, f.Code[5].Guard)
	require.Len(t, f.Labels, 3)
}

// formsSource is what TestForms and TestOperands look at.
const formsSource = `
.global .f32 g[8];
.entry k {
	.reg .b32 %r<4>;
	.reg .f32 %f<9>;
	.reg .b64 %rd<4>;
	.reg .pred %p<4>;
	ld.global.nc.L1::no_allocate.L2::128B.v4.f32 {%f1, _, %f3, %f4}, [%rd1+-16];
	st.volatile.shared.u32 [%r1], 0x1FFFFFFFF;
	atom.add.release.gpu.u32 %r1, [%rd1], -1;
	setp.geu.and.ftz.f32 %p1|%p2, %f1, 1.5, !%p3;
	cvt.rzi.ftz.s32.f32 %r1, %f1;
	fma.rn.f32 %f1, %f2, %f3, %r1;
	mov.u64 %rd1, g+8;
	rsqrt.approx.f32.ftz %f1, %f2;
	cvta.to.global.u64 %rd1, %rd2;
	mov.b32 %r1, %tid.y;
	ld.global.f32 %f1, [g+4];
	st.shared::cta.u32 [%r1], %r2;
}`

// form returns form and operands of instruction i.
func form(f *check.Func, i int) (*check.Form, []check.Arg) { return f.Code[i].Form, f.Code[i].Args }

func TestForms(t *testing.T) {
	f := checked(t, formsSource).Func("k")

	fm, args := form(f, 0)
	require.Equal(t, "ld", fm.Op)
	require.Equal(t, ptx.GlobalSpace, fm.Space)
	require.Equal(t, 4, fm.Vec)
	require.Equal(t, ptx.F32, fm.Type(0))
	require.True(t, fm.Has(check.NC))
	require.Equal(t, "L1::no_allocate", fm.Mod(check.Evict))
	require.Equal(t, "L2::128B", fm.Mod(check.Prefetch))
	require.Equal(t, check.ArgVec, args[0].Kind)
	require.Equal(t, check.ArgSink, args[0].Elems[1].Kind)
	require.Equal(t, check.ArgMem, args[1].Kind)
	require.Equal(t, "%rd1", f.Regs[args[1].Reg].Name)
	require.Equal(t, int64(-16), int64(args[1].Imm))

	fm, args = form(f, 1)
	require.Equal(t, "volatile", fm.Mod(check.Sem))
	require.Equal(t, uint64(0xFFFFFFFF), args[1].Imm, "cut to the width of the type")
	require.Equal(t, ptx.U32, args[1].Type)

	fm, args = form(f, 2)
	require.Equal(t, "release", fm.Mod(check.Sem))
	require.Equal(t, "gpu", fm.Mod(check.Scope))
	require.Equal(t, "add", fm.Mod(check.Mode))
	require.Equal(t, uint64(0xFFFFFFFF), args[2].Imm)

	fm, args = form(f, 3)
	require.Equal(t, "geu", fm.Mod(check.Cmp))
	require.Equal(t, "and", fm.Mod(check.Bool))
	require.Equal(t, check.ArgPair, args[0].Kind)
	require.Equal(t, uint64(math.Float32bits(1.5)), args[2].Imm)
	require.True(t, args[3].Not)

	fm, _ = form(f, 4)
	require.Equal(t, []ptx.Type{ptx.S32, ptx.F32}, fm.Types)
	require.Equal(t, "rzi", fm.Mod(check.Round))
	require.True(t, fm.Has(check.FTZ))

	fm, args = form(f, 5)
	require.Equal(t, ptx.B32, args[3].Type, "an untyped register holds the bits of any type")
	require.Equal(t, "rn", fm.Mod(check.Round))
}

func TestOperands(t *testing.T) {
	f := checked(t, formsSource).Func("k")
	_, args := form(f, 6)
	require.Equal(t, check.ArgAddr, args[1].Kind)
	require.Equal(t, "g", args[1].Var.Name)
	require.Equal(t, uint64(8), args[1].Imm)

	fm, _ := form(f, 7)
	require.True(t, fm.Has(check.FTZ), "modifiers in another order")

	fm, _ = form(f, 8)
	require.True(t, fm.Has(check.To))

	_, args = form(f, 9)
	require.Equal(t, check.ArgSpecial, args[1].Kind)
	require.Equal(t, "%tid.y", args[1].Special)

	_, args = form(f, 10)
	require.Equal(t, "g", args[1].Var.Name)
	require.Equal(t, check.NoReg, args[1].Reg)

	fm, _ = form(f, 11)
	require.Equal(t, ptx.SharedSpace, fm.Space)
	require.Equal(t, "cta", fm.Mod(check.SubSpace))
}

func TestCalls(t *testing.T) {
	c := checked(t, `
.func (.param .b32 r) f(.param .b32 a, .param .f32 b) { ret; }
.entry k {
	.reg .b64 %rd<4>;
	.reg .b32 %r<4>;
	.param .b32 ret;
	.param .b32 a0;
	call (ret), f, (a0, 1.5);
proto: .callprototype (.param .b32 _) _ (.param .b32 _, .param .f32 _);
	call (ret), %rd1, (a0, %r1), proto;
list: .calltargets f;
	call (%r1), %rd1, (-1, %r1), list;
}`)
	k, f := c.Func("k"), c.Func("f")
	direct := k.Code[0].Call
	require.Same(t, f, direct.Func)
	require.Equal(t, check.NoReg, direct.Target)
	require.Equal(t, check.ArgParam, direct.Args[0].Kind)
	require.Equal(t, "a0", direct.Args[0].Var.Name)
	require.Equal(t, uint64(math.Float32bits(1.5)), direct.Args[1].Imm)
	require.Same(t, f.Params[1], direct.ParamVars[1])

	indirect := k.Code[1].Call
	require.Nil(t, indirect.Func)
	require.Equal(t, "%rd1", k.Regs[indirect.Target].Name)
	require.Nil(t, indirect.Candidates)
	require.Len(t, indirect.ParamVars, 2)

	listed := k.Code[2].Call
	require.Equal(t, []*check.Func{f}, listed.Candidates)
	require.Equal(t, check.ArgReg, listed.Rets[0].Kind)
	require.Equal(t, uint64(0xFFFFFFFF), listed.Args[0].Imm)
}

// BenchmarkCheck checks bodies of two lengths: time per instruction has to be the same.
func BenchmarkCheck(b *testing.B) {
	for _, n := range []int{4_000, 64_000} {
		b.Run(fmt.Sprint(n, " instructions"), func(b *testing.B) {
			var text strings.Builder
			text.WriteString(header + ".entry k {\n.reg .b32 %r<1000000>;\n")
			for i := range n / 4 {
				fmt.Fprintf(&text, "L%d: add.s32 %%r%d, %%r%d, 1;\n", i, i+1, i)
				fmt.Fprintf(&text, "ld.global.b32 %%r%d, [g+4];\n{ .reg .b32 a; mov.b32 a, %%r%d; bra L%d; }\n", i, i, n/4-1-i)
			}
			text.WriteString("}\n.global .f32 g[2];\n")
			m, err := ptx.Parse("t.ptx", []byte(text.String()))
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := check.Check(m); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/instr")
		})
	}
}
