package ir_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/ir"
)

// kernel is the text of a kernel with one function of these lines.
func kernel(lines ...string) string {
	return "kernel @k\nglobal @g global size 4 align 4\nfunc @k() {\n" + strings.Join(lines, "\n") + "\n}\nfunc @f(v0:b32) -> (b32) {\nb0:\nret v0\n}\n"
}

// TestVerifyText: kernels that Parse takes and Verify does not.
func TestVerifyText(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"type of an operand", kernel("b0:", "v0:b64 = const.b64 #0", "v1:b32 = add.s32 v0, v0", "ret"), "k: b0: instruction 1 (add): operands [b64 b64] do not match tt"},
		{"type of a result", kernel("b0:", "v0:b32 = const.b64 #0", "ret"), "results [b32] do not match t"},
		{"type of an operation", kernel("b0:", "v0:b32 = const.b32 #0", "v1:b32 = sin.s32 v0", "ret"), "type s32 is not for this operation"},
		{"source type", kernel("b0:", "v0:b32 = const.b32 #0", "v1:pred = setp.eq.pred v0, v0", "ret"), "type void is no source"},
		{"too many operands", kernel("b0:", "v0:b32 = const.b32 #0", "v1:b32 = neg.s32 v0, v0", "ret"), "do not match t"},
		{"a modifier that is not read", kernel("b0:", "v0:b32 = const.b32 #0", "v1:b32 = and.rz.b32 v0, v0", "ret"), "round is set and not read"},
		{"a flag that is not read", kernel("b0:", "v0:b32 = const.b32 #0", "v1:b32 = and.sat.b32 v0, v0", "ret"), "flags 0x2 are set"},
		{"a variant that does not exist", kernel("b0:", "v0:b64 = const.b64 #0", "v1:b32 = const.b32 #0", "red.sub9.u32 [v0], v1", "ret"), "exch and cas need a result"},
		{"no variant", kernel("b0:", "v0:b64 = const.b64 #0", "v1:b32 = const.b32 #0", "red.u32 [v0], v1", "ret"), "no variant 0"},
		{"a wide constant", kernel("b0:", "v0:b16 = const.b16 #0x10000", "ret"), "does not fit into 16 bits"},
		{"no comparison", kernel("b0:", "v0:b32 = const.b32 #0", "v1:pred = setp.pred.s32 v0, v0", "ret"), "no comparison"},
		{"unordered integers", kernel("b0:", "v0:b32 = const.b32 #0", "v1:pred = setp.ltu.pred.s32 v0, v0", "ret"), "unordered comparison of integers"},
		{"cas with two operands", kernel("b0:", "v0:b64 = const.b64 #0", "v1:b32 = const.b32 #0", "v2:b32 = atom.cas.b32 [v0], v1", "ret"), "want 3 operands"},
		{"a store to const", kernel("b0:", "v0:b64 = const.b64 #0", "store.const.b64 [v0], v0", "ret"), "a store to space const"},
		{"narrow load", kernel("b0:", "v0:b64 = const.b64 #0", "v1:b16 = load.b32 [v0]", "ret"), "v1 is narrower than b32"},
		{"three loaded", kernel("b0:", "v0:b64 = const.b64 #0", "v1:b32, v2:b32, v3:b32 = load.b32 [v0]", "ret"), "want 1, 2, 4 or 8"},
		{"short address", kernel("b0:", "v0:b32 = const.b32 #0", "v1:b32 = load.global.b32 [v0]", "ret"), "operands [b32] do not match a"},
		{"pieces", kernel("b0:", "v0:b32 = const.b32 #0", "v1:b32 = pack.b32 v0, v0", "ret"), "do not make 32 bits"},
		{"a symbol of another space", kernel("b0:", "v0:b64 = symbol.const.b64 @g", "ret"), "g lies in space global"},
		{"no such global", kernel("b0:", "v0:b64 = symbol.global.b64 @#3", "ret"), "no such global"},
		{"guard type", kernel("b0:", "v0:b32 = const.b32 #0", "trap if v0", "ret"), "the guard is b32"},
		{"guard on a pure operation", kernel("b0:", "v0:pred = const.pred #0", "v1:pred = not.pred v0 if v0", "ret"), "has a guard, and no effects"},
		{"arguments of a call", kernel("b0:", "v0:b64 = const.b64 #0", "v1:b32 = call @f, v0", "ret"), "parameter 0 of f is b32"},
		{"results of a call", kernel("b0:", "v0:b32 = const.b32 #0", "call @f, v0", "ret"), "f has 1 results"},
		{"results of a function", kernel("b0:", "v0:b32 = const.b32 #0", "ret v0"), "k has 0 results"},
		{"reduction without a predicate", kernel("b0:", "v0:b32 = const.b32 #0", "v1:b32 = bar.popc.b32 v0", "ret"), "reductions, and only they"},
		{"ballot", kernel("b0:", "v0:b32 = const.b32 #0", "v1:pred = const.pred #0", "v2:pred = vote.ballot.pred v1, v0", "ret"), "gives b32"},
		{"special register", kernel("b0:", "v0:b32 = special.b32 %clock64", "ret"), "special register clock64 is b64"},

		{"use before definition", kernel("b0:", "v1:b32 = neg.s32 v0", "v0:b32 = const.b32 #0", "ret"), "v0 is not defined on every way here"},
		{"use after one way only", kernel("b0:", "v0:pred = const.pred #1", "condbr v0, b1, b2", "b1:", "v1:b32 = const.b32 #1", "br b2", "b2:", "v2:b32 = neg.s32 v1", "ret"), "v1 is not defined on every way here"},
		{"argument count", kernel("b0:", "br b1", "b1(v0:b32):", "ret"), "0 arguments for the 1 parameters of b1"},
		{"argument type", kernel("b0:", "v1:b64 = const.b64 #1", "br b1(v1)", "b1(v0:b32):", "ret"), "argument 0 for b1 is b64, want b32"},
		{"no terminator", kernel("b0:", "v0:b32 = const.b32 #0"), "a block has one terminator"},
		{"two terminators", kernel("b0:", "ret", "ret"), "a block has one terminator"},
		{"empty block", kernel("b0:"), "no instructions"},
		{"an edge to the start", kernel("b0:", "br b0"), "the first block has predecessors"},
		{"unreachable", kernel("b0:", "ret", "b1:", "ret"), "no predecessor stands before the block"},
		{"exit within a loop", kernel("b0:", "v0:pred = const.pred #1", "br b1", "b1:", "condbr v0, b2, b3", "b3:", "ret", "b2:", "br b1"), "b3: stands within the loop of b1"},
		{"targets", kernel("b0:", "v0:pred = const.pred #1", "condbr v0, b1", "b1:", "ret"), "1 targets"},
		{"no blocks", kernel(), "no blocks"},
		{"names", "kernel @k\nfunc @k() {\nb0:\nret\n}\nfunc @k() {\nb0:\nret\n}\n", "two functions k"},
		{"globals", "kernel @k\nglobal @g global size 1 align 1\nglobal @g const size 1 align 1\nfunc @k() {\nb0:\nret\n}", "two globals g"},
		{"space of a global", "kernel @k\nglobal @g shared size 1 align 1\nfunc @k() {\nb0:\nret\n}", "global g lies in space shared"},
		{"entry", "kernel @k\nfunc @k(v0:b32) {\nb0:\nret\n}", "the entry has parameters"},
		{"nothing", "kernel @k", "no functions"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k, err := ir.Parse(tt.text)
			require.NoError(t, err)
			require.ErrorContains(t, ir.Verify(k), tt.want)
			require.NotPanics(t, func() { _ = k.String() })
		})
	}
}

// TestVerifyGraph: what the text form cannot say wrong.
func TestVerifyGraph(t *testing.T) {
	tests := []struct {
		name, want string
		spoil      func(f *ir.Func)
	}{
		{"order", "order is 7, want 1", func(f *ir.Func) { f.Blocks[1].Order = 7 }},
		{"block id", "another block has this id", func(f *ir.Func) { f.Blocks[1].ID = f.Blocks[0].ID }},
		{"block id too large", "id is not below", func(f *ir.Func) { f.Blocks[1].ID = f.BlockIDs }},
		{"missing predecessor", "are not in its list of predecessors", func(f *ir.Func) { f.Blocks[1].Preds = nil }},
		{"extra predecessor", "has predecessor b0 without an edge", func(f *ir.Func) { f.Blocks[4].Preds = append(f.Blocks[4].Preds, f.Blocks[0]) }},
		{"foreign target", "a target is not a block of the function", func(f *ir.Func) { f.Blocks[0].Succs()[0].To = &ir.Block{Order: 1} }},
		{"value id", "v0 is defined twice", func(f *ir.Func) { f.Blocks[0].Instrs[1].Results[0].ID = 0 }},
		{"value id too large", "id is not below", func(f *ir.Func) { f.Blocks[0].Instrs[1].Results[0].ID = f.Values }},
		{"definition", "does not know where it is defined", func(f *ir.Func) { f.Blocks[0].Instrs[1].Results[0].Def = nil }},
		{"block of an instruction", "belongs to another block", func(f *ir.Func) { f.Blocks[0].Instrs[0].Block = f.Blocks[1] }},
		{"missing operand", "an operand is missing", func(f *ir.Func) { f.Blocks[0].Instrs[1].Args[0] = nil }},
		{"foreign operand", "is not defined in the function", func(f *ir.Func) { f.Blocks[0].Instrs[1].Args[0] = &ir.Value{Type: ir.B64} }},
		{"value type", "is not the type of a value", func(f *ir.Func) { f.Blocks[0].Instrs[2].Results[0].Type = ir.F32 }},
		{"operation", "no such operation", func(f *ir.Func) { f.Blocks[0].Instrs[2].Op = 255 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k, err := ir.Parse(forms(t))
			require.NoError(t, err)
			tt.spoil(k.Funcs[0])
			require.ErrorContains(t, ir.Verify(k), tt.want)
		})
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ text, want string }{
		{"nonsense", `line 1: unknown directive "nonsense"`},
		{"func @f() {\nb0:\nret", "function f has no end"},
		{"func @f() {\nret\n}", "line 2: an instruction outside a block"},
		{"func @f() {\nb0:\nfoo\n}", `line 3: unknown operation "foo"`},
		{"func @f() {\nb0:\nadd.weird\n}", "line 3: unknown modifier .weird of add"},
		{"func @f() {\nb0:\nadd.s32.s32.s32\n}", "more than two types"},
		{"func @f() {\nb0:\nret v1\n}", "line 4: v1 is not defined in f"},
		{"func @f() {\nb0:\nbr b1\n}", "line 4: b1 is not defined in f"},
		{"func @f() {\nb0:\nret\nb0:\nret\n}", "line 4: two blocks b0"},
		{"func @f(v0:b32) {\nb0:\nv0:b32 = const.b32 #1\n}", "line 3: v0 is defined twice"},
		{"func @f(v0:b33) {", `unknown type "b33"`},
		{"func @f(v0:void) {", "v0 is void"},
		{"func @f(v99999999:b32) {", "bad id"},
		{"func @f() {\nb0:\ncall @g\nret\n}", "call: no symbol g"},
		{"table @g", "table: no function g"},
		{"params x", `bad number "x"`},
		{"func @f() {\nb0:\nret ; 1 70000:2\n}", "bad file number"},
		{"func @f() {\nb0:\nret v", "line 3: want v and a number"},
		{`kernel @"open`, "want a quoted string"},
	}
	for _, tt := range tests {
		_, err := ir.Parse(tt.text)
		require.ErrorContains(t, err, tt.want, tt.text)
	}
}

// FuzzParse: no text makes the parser, the printer or the verifier panic, and what a verified kernel prints is read as
// the same kernel.
func FuzzParse(f *testing.F) {
	f.Add(forms(f))
	f.Add(kernel("b0:", "v0:pred = const.pred #1", "br b1", "b1:", "condbr v0, b2, b1", "b2:", "ret"))
	f.Add("kernel @\"\\x00\"\nfunc @\"\\xff\"() frame -1 align 0 {\nb5(v7:b128):\nexit ; -3\n}")
	f.Fuzz(func(t *testing.T, text string) {
		k, err := ir.Parse(text)
		if err != nil {
			return
		}
		printed := k.String()
		if ir.Verify(k) != nil {
			return
		}
		again, err := ir.Parse(printed)
		if err != nil {
			t.Fatalf("%v\n%s", err, printed)
		}
		if got := again.String(); got != printed {
			t.Fatalf("have\n%s\nwant\n%s", got, printed)
		}
		if err := ir.Verify(again); err != nil {
			t.Fatalf("%v\n%s", err, printed)
		}
	})
}
