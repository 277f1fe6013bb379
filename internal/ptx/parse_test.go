package ptx_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/ptx"
)

const header = ".version 7.8\n.target sm_75\n.address_size 64\n"

func parse(t *testing.T, src string) *ptx.Module {
	t.Helper()
	m, err := ptx.Parse("t.ptx", []byte(src))
	require.NoError(t, err)
	return m
}

// forget clears every position, so that trees of different layout can be compared.
func forget(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			forget(v.Elem())
		}
	case reflect.Slice:
		if v.Type().Elem() == reflect.TypeFor[ptx.Pos]() {
			v.SetZero()
			return
		}
		for i := range v.Len() {
			forget(v.Index(i))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[ptx.Pos]() {
			v.SetZero()
			return
		}
		for i := range v.NumField() {
			forget(v.Field(i))
		}
	}
}

// requireFixedPoint checks that printing and parsing lose nothing but positions and comments.
func requireFixedPoint(t *testing.T, m *ptx.Module) {
	t.Helper()
	text := m.String()
	again, err := ptx.Parse(m.Name, []byte(text))
	require.NoError(t, err, "printed text:\n%s", text)
	require.Equal(t, text, again.String())
	forget(reflect.ValueOf(m))
	forget(reflect.ValueOf(again))
	require.Equal(t, m, again)
}

// files returns the PTX files of this package and of package check that have no syntax errors.
func files(t testing.TB) []string {
	var names []string
	for _, pattern := range []string{"testdata/*.ptx", "check/testdata/*/*.ptx"} {
		list, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, list, pattern)
		names = append(names, list...)
	}
	return names
}

func TestFilesPrintToFixedPoint(t *testing.T) {
	for _, name := range files(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			src, err := os.ReadFile(name)
			require.NoError(t, err)
			m, err := ptx.Parse(name, src)
			require.NoError(t, err)
			requireFixedPoint(t, m)
		})
	}
}

// TestModuleSyntax holds what a declaration is printed as: "" means as it was written.
func TestModuleSyntax(t *testing.T) {
	for _, c := range []struct{ in, out string }{
		{".global .u32 a;", ""},
		{".visible .global .align 8 .b8 x[4][2];", ""},
		{".extern .shared .align 16 .b8 dyn[];", ""},
		{".weak .const .f32 w = 0f3F800000;", ""},
		{".common .global .u32 c;", ""},
		{".global .attribute(.managed) .align 4 .u32 m;", ""},
		{".global .attribute(.unified(19, 0x5f)) .f32 u;", ".global .attribute(.unified(19, 95)) .f32 u;"},
		{".global .v4 .f32 v = {1.0, 2.0, 0.5, -1.0};",
			".global .v4 .f32 v = {0d3FF0000000000000, 0d4000000000000000, 0d3FE0000000000000, 0dBFF0000000000000};"},
		{".global .u32 a, b[2], c = 3;", ".global .u32 a;\n.global .u32 b[2];\n.global .u32 c = 3;"},
		{".global .u64 p[3] = {generic(a), a+4, generic(a)+-8};", ""},
		{".global .u8 q[2] = {0xFF(a), 0xff00(generic(a)+8)};", ".global .u8 q[2] = {0xFF(a), 0xFF00(generic(a)+8)};"},
		{".global .s32 m[2][2] = {{1, -1}, {2}};", ""},
		{".global .u64 big[2] = {0xFFFFFFFFFFFFFFFF, 18446744073709551615};",
			".global .u64 big[2] = {18446744073709551615U, 18446744073709551615U};"},
		{".global .texref t;", ""},
		{".global .samplerref s = {addr_mode_0 = clamp_to_border, filter_mode = nearest, force = 1};", ""},
		{".global .u32 n = 0x10 + 010 * 0b11 - (1 << 2) % 3;", ".global .u32 n = 39;"},
		{".global .u32 n = 7%3;", ".global .u32 n = 1;"},
		{".global .u32 n = 1 ? WARP_SZ : -1;", ".global .u32 n = 32;"},
		{".global .u32 n = 3 > 2 && !(1 == 2) || 0;", ".global .u32 n = 1;"},
		{".global .u32 n = ~0U >> 63 & 3U | 4 ^ 1;", ".global .u32 n = 5U;"},
		{".global .s64 n = (.s64) 0x8000000000000000;", ".global .s64 n = (.s64) 9223372036854775808U;"},
		{".global .s64 n = -9223372036854775807 - 1;", ".global .s64 n = (.s64) 9223372036854775808U;"},
		{".global .f64 n = 1.5e3 / 2;", ".global .f64 n = 0d4087700000000000;"},
		{".global .f64 n = 0D7FF0000000000000;", ".global .f64 n = 0d7FF0000000000000;"},
		{".global .f32 n = -0f00000000;", ".global .f32 n = 0f80000000;"},
		{".file 1 \"a\\\\b.cu\", 12, 34", ""},
		{".alias f, g;", ""},
		{".pragma \"one\", \"two\";", ""},
		{".entry k;", ""},
		{".entry k();", ""},
		{".func (.reg .u32 r) f(.reg .u32 a, .param .b8 b[]);", ""},
		{".extern .func f\n.noreturn;", ""},
		{".func .attribute(.unified(1, 2)) f;", ""},
		{".visible .entry k(.param .u64 .ptr .global .align 16 p, .param .align 8 .b8 s[12])\n.maxntid 16, 4\n.pragma \"x\";;",
			".visible .entry k(.param .u64 .ptr .global .align 16 p, .param .align 8 .b8 s[12])\n.maxntid 16, 4\n.pragma \"x\";;"},
		{".entry k()\n.reqntid 1, 2, 3\n.explicitcluster\n{\n}", ""},
		{".section .debug_str { \"}\" // }\n /* } */ .b8 {1} }", ".section .debug_str\n{ \"}\" // }\n /* } */ .b8 {1} }"},
		{"/* a\n comment */ .global /**/ .u32 // another\n x;", ".global .u32 x;"},
	} {
		m := parse(t, header+c.in)
		out := c.out
		if out == "" {
			out = c.in
		}
		require.Equal(t, header+out+"\n", m.String())
		requireFixedPoint(t, m)
	}
}

// TestStatementSyntax holds what a statement is printed as: "" means as it was written.
func TestStatementSyntax(t *testing.T) {
	for _, c := range []struct{ in, out string }{
		{".reg .b32 %r<46>;", ""},
		{".reg .pred p, q;", ".reg .pred p;\n.reg .pred q;"},
		{".reg .v4 .f32 acc;", ""},
		{".local .align 16 .b8 depot[64];", ""},
		{".param .align 8 .b8 param0[16];", ""},
		{"add.s32 %r1, %r2, -3;", ""},
		{"add . s32\t%r1 ,%r2\n, 0x10;", "!"},
		{"add .s32 %r1, %r2, 0x10;", "add.s32 %r1, %r2, 16;"},
		{"ret;", ""},
		{"@%p1 bra.uni L;", ""},
		{"@!%p1 add.f32 %f1, %f2, 0f00000000;", ""},
		{"@ ! p ret;", "@!p ret;"},
		{"ld.volatile.global.v4.f32 {%f1, %f2, _, %f4}, [%rd1+-4];", ""},
		{"ld.shared::cluster.L1::evict_last.L2::128B.u32 %r1, [%rd1-4];",
			"ld.shared::cluster.L1::evict_last.L2::128B.u32 %r1, [%rd1+-4];"},
		{"ld.const.u32 %r1, [sym+8+4*2];", "ld.const.u32 %r1, [sym+16];"},
		{"ld.global.u32 %r1, [0x1000];", "ld.global.u32 %r1, [4096];"},
		{"ld.global.u32 %r1, [v.x+4];", ""},
		{"st.global.u64 [%rd1], -1;", ""},
		{"mov.b64 %rd1, {%r1, %r2};", ""},
		{"mov.u32 %r1, %tid.x;", ""},
		{"mov.u32 %r1, arr[3];", ""},
		{"mov.u64 %rd1, sym+8;", ""},
		{"mov.u64 %rd1, sym-8;", "mov.u64 %rd1, sym+-8;"},
		{"mov.f64 %fd1, 1.0;", "mov.f64 %fd1, 0d3FF0000000000000;"},
		{"mov.f32 %f1, 0F3f800000;", "mov.f32 %f1, 0f3F800000;"},
		{"mov.u32 %r1, 0xFFU;", "mov.u32 %r1, 255U;"},
		{"mov.u32 %r1, WARP_SZ*2;", "mov.u32 %r1, 64;"},
		{"mov.u32 %r1, !0 + -(2);", "mov.u32 %r1, -1;"},
		{"setp.lt.and.s32 %p1|%p2, %r1, %r2, !%p3;", ""},
		{"shfl.sync.idx.b32 %r1|%p1, %r2, 0, 31, -1;", ""},
		{"elect.sync _|%p1, -1;", ""},
		{"vadd.s32.u32.s32.sat %r1, %r2.b0, %r3.h1;", ""},
		{"vmad.s32.s32.s32 %r1, -%r2, %r3, -%r4;", ""},
		{"tex.2d.v4.f32.f32 {%f1, %f2, %f3, %f4}, [tex, smp, {%f5, %f6}];", ""},
		{"suld.b.1d.b32.trap {%r1}, [%rd1, {%r2}];", ""},
		{"call f;", ""},
		{"call.uni f, ();", ""},
		{"call (r0), f, (a, b, 3);", ""},
		{"call (r0, r1), %rd1, (a), proto;", ""},
		{"call %rd1, list;", ""},
		{"brx.idx %r1, ts;", ""},
		{"proto: .callprototype (.param .b32 _) _ (.param .b64 _, .param .align 4 .b8 _[8]) .noreturn;", ""},
		{"proto: .callprototype _;", ""},
		{"ts: .branchtargets L1, L2;", ""},
		{"fs : .calltargets f, g;", "fs: .calltargets f, g;"},
		{".loc 1 2 3", ""},
		{".loc 1 2 3, function_name $L__s+4, inlined_at 4 5 6", ""},
		{".pragma \"nounroll\";", ""},
		{";", "!empty"},
	} {
		if c.out == "!" {
			_, err := ptx.Parse("t.ptx", []byte(header+".func f\n{\n"+c.in+"\n}\n"))
			require.Error(t, err)
			continue
		}
		m := parse(t, header+".func f\n{\n"+c.in+"\n}\n")
		out := c.out
		switch out {
		case "":
			out = c.in + "\n"
		case "!empty":
			out = ""
		default:
			out += "\n"
		}
		want := ""
		for line := range strings.Lines(out) {
			want += "\t" + line
		}
		require.Equal(t, header+".func f\n{\n"+want+"}\n", m.String())
		requireFixedPoint(t, m)
	}
}

func TestInstr(t *testing.T) {
	m := parse(t, header+`.func f {
	nop;
	.loc 3 14 15
	@!%p1 ld.volatile.global.v4.f32 {%f1, %f2, _, %f4}, [%rd1+-4];
	{
		.loc 3 15 1, function_name $s+2, inlined_at 4 5 6
		mov.u32 %r1|%p1, -7;
	}
	ret;
}`)
	body := m.Decls[0].(*ptx.Func).Body
	require.Nil(t, body.Stmts[0].(*ptx.Instr).Loc)
	in := body.Stmts[2].(*ptx.Instr)
	require.Equal(t, "ld", in.Op)
	require.Equal(t, []string{"volatile", "global", "v4", "f32"}, in.Mods)
	require.Equal(t, "ld.volatile.global.v4.f32", in.Name)
	require.Equal(t, ptx.Pos{Line: 7, Col: 8}, in.Pos)
	require.Equal(t, "%p1", in.Guard)
	require.True(t, in.GuardNeg)
	require.Equal(t, ptx.Pos{Line: 7, Col: 4}, in.GuardPos)
	require.Equal(t, &ptx.Loc{Pos: ptx.Pos{Line: 6, Col: 2}, File: 3, Line: 14, Col: 15}, in.Loc)
	require.Equal(t, ptx.KindVector, in.Operands[0].Kind)
	require.Equal(t, "_", in.Operands[0].Elems[2].Name)
	require.Equal(t, ptx.Operand{Pos: ptx.Pos{Line: 7, Col: 54}, Kind: ptx.KindAddress, Name: "%rd1", Val: 1<<64 - 4}, in.Operands[1])

	inner := body.Stmts[3].(*ptx.Block)
	mov := inner.Stmts[1].(*ptx.Instr)
	require.Equal(t, ptx.KindPair, mov.Operands[0].Kind)
	require.Equal(t, "%p1", mov.Operands[0].Elems[1].Name)
	require.Equal(t, int64(-7), int64(mov.Operands[1].Val))
	require.Equal(t, "$s", mov.Loc.Func)
	require.Equal(t, int64(2), mov.Loc.FuncOffset)
	require.Equal(t, uint32(5), mov.Loc.InlinedAt.Line)
	ret := body.Stmts[4].(*ptx.Instr)
	require.Same(t, mov.Loc, ret.Loc, "a .loc holds until the next, also out of its scope")
}

func TestOpcodesAreShared(t *testing.T) {
	m := parse(t, header+".func f { add.s32 a, b, c; add.s32 d, e, f; }")
	body := m.Decls[0].(*ptx.Func).Body
	require.Same(t, body.Stmts[0].(*ptx.Instr).Opcode, body.Stmts[1].(*ptx.Instr).Opcode)
	require.Equal(t, ptx.NewOpcode("add.s32"), body.Stmts[0].(*ptx.Instr).Opcode)
}

func TestTrailingNUL(t *testing.T) {
	m := parse(t, header+".global .u32 x;\n\x00")
	require.Len(t, m.Decls, 1)
}

func TestRangeIsNotMaterialised(t *testing.T) {
	m := parse(t, header+".func f { .reg .b32 %r<2000000000>; }")
	v := m.Decls[0].(*ptx.Func).Body.Stmts[0].(*ptx.Var)
	require.True(t, v.Ranged)
	require.Equal(t, 2000000000, v.Count)
}

// TestSyntaxErrors holds that each error is reported where it is, and that those behind it are found too.
func TestSyntaxErrors(t *testing.T) {
	for _, c := range []struct {
		src  string
		want []string
	}{
		{".version 7", []string{`1:10: found "7", want a version such as 7.8`}},
		{".version 7.8\n.version 7.8\n", []string{"2:1: second .version directive"}},
		{".global .u32 x\n.global .u32 y;", []string{`2:1: found ".global", want ;`}},
		{".global .q32 x;\n.global x;\n.global .u32 z;", []string{"1:9: unknown type or annotation .q32", `2:9: found "x", want a type`}},
		{".global .u32 x[-1];", []string{"1:16: negative array size -1"}},
		{".global .u32 x = 1/0;", []string{"1:19: division by zero in a constant"}},
		{".global .u32 x = 09;", []string{"1:18: malformed or too large number 09"}},
		{".global .u32 x = 12ab;", []string{"1:18: malformed number 12ab"}},
		{".global .u32 x = 0f12;", []string{"1:18: malformed number 0f12"}},
		{".global .u32 x = 1.5 << 2;", []string{"1:22: operator << does not take a floating-point constant"}},
		{".global .u32 x = 18446744073709551616;", []string{"1:18: malformed or too large number 18446744073709551616"}},
		{"hello;\n.bogus 3;\n", []string{`1:1: found "hello", want a directive`, `2:1: found ".bogus", want a directive of module scope`}},
		{".func f {\n add.s32 a, b\n sub.s32 c, d;\n mul.lo.s32 [;\n ret;\n}\n.global x;",
			[]string{`3:2: found "sub", want ;`, `4:14: found ";", want a constant`, `7:9: found "x", want a type`}},
		{".func f {\n mov.b64 {a b}, c;\n mov.b32 x, ;\n}\n", []string{`2:13: found "b", want }`, `3:13: found ";", want a constant`}},
		{".func f {\n .bogus .u32 x;\n ret;\n", []string{"2:2: unknown directive .bogus", `4:1: found "end of file", want }`}},
		{".func f {\n @3 ret;\n @p;\n}", []string{`2:3: found "3", want a predicate register`, `3:4: found ";", want an instruction`}},
		{".func f {\n é;\n}", []string{`2:2: character "\xc3" does not belong to PTX`}},
		{"/* no end", []string{"1:1: comment without end"}},
		{".file 1 \"no end\n", []string{"1:9: string without end"}},
		{".entry k(.param .u32 a", []string{`1:23: found "end of file", want )`}},
		{".section .x {", []string{`1:14: found "end of file", want }`}},
	} {
		m, err := ptx.Parse("t.ptx", []byte(c.src))
		require.NotNil(t, m)
		var list ptx.ErrorList
		require.ErrorAs(t, err, &list, "%s", c.src)
		got := make([]string, len(list))
		for i, e := range list {
			got[i] = strings.TrimPrefix(e.Error(), "t.ptx:")
		}
		require.Equal(t, c.want, got, "%s", c.src)
	}
}

func TestHostileNesting(t *testing.T) {
	deep := 1 << 20
	for _, src := range []string{
		".func f " + strings.Repeat("{", deep),
		".func f { mov.u32 a, " + strings.Repeat("{", deep),
		".func f { mov.u32 a, " + strings.Repeat("[", deep),
		".func f { mov.u32 a, " + strings.Repeat("(", deep),
		".func f { mov.u32 a, " + strings.Repeat("-", deep) + "1; }",
		".func f { mov.u32 a, " + strings.Repeat("1?", deep),
		".func f { mov.u32 a, " + strings.Repeat("1||", deep) + "1; }" + "x",
		".global .u32 x = " + strings.Repeat("{", deep),
		".global .u32 x = " + strings.Repeat("a = ", deep),
	} {
		_, err := ptx.Parse("t.ptx", []byte(src))
		require.Error(t, err)
	}
}

func TestErrorListIsBounded(t *testing.T) {
	_, err := ptx.Parse("t.ptx", []byte(strings.Repeat("x;\n", 100000)))
	var list ptx.ErrorList
	require.ErrorAs(t, err, &list)
	require.Len(t, list, 1001)
	require.Contains(t, err.Error(), "too many errors")
}

func BenchmarkParse(b *testing.B) {
	src, err := os.ReadFile("testdata/compiler_shape.ptx")
	require.NoError(b, err)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		if _, err := ptx.Parse("t.ptx", src); err != nil {
			b.Fatal(err)
		}
	}
}
