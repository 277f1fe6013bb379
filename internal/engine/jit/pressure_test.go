//go:build linux && (amd64 || arm64)

package jit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// hungry are the instructions that need the most registers where vectors have few: floats with NaNs whose bits are read,
// numbers that are flushed and clamped, operands of 64 bits in two parts.
var hungry = []string{
	"rsqrt.approx.f64 %d2, %d0", "fma.rn.ftz.sat.f32 %f2, %f0, %f1, %f3", "add.ftz.sat.f32 %f2, %f0, %f1",
	"div.approx.ftz.f32 %f2, %f0, %f1", "lg2.approx.ftz.f32 %f2, %f0", "ex2.approx.ftz.f32 %f2, %f0", "cos.approx.ftz.f32 %f2, %f1", "rsqrt.approx.ftz.f32 %f2, %f0",
	"mov.b64 %l0, %d0;\n\tmov.b64 %l1, %d1;\n\tsetp.gt.u64 %p1, %l0, %l1;\n\tselp.f64 %d2, %d1, %d0, %p1",
	"mov.b64 %l0, %d0;\n\tmov.b64 %l1, %d1;\n\tsetp.le.s64 %p1, %l1, %l0;\n\tselp.b64 %l2, %l0, %l1, %p1;\n\tmov.b64 %d2, %l2",
	"mov.b32 %r0, %f0;\n\tmov.b32 %r1, %f1;\n\tmul.hi.s32 %r0, %r0, %r1;\n\tmov.b32 %f2, %r0",
	"mov.b32 %r0, %f0;\n\tmov.b32 %r1, %f1;\n\tmul.wide.s32 %l0, %r0, %r1;\n\tcvt.rn.f64.s64 %d2, %l0",
	"mov.b32 %r0, %f0;\n\tmov.b32 %r1, %f1;\n\tmov.b32 %r2, %f3;\n\tshf.l.clamp.b32 %r0, %r0, %r1, %r2;\n\tmov.b32 %f2, %r0",
	"mov.b32 %r0, %f0;\n\tmov.b32 %r1, %f1;\n\tmov.b32 %r2, %f3;\n\tlop3.b32 %r0, %r0, %r1, %r2, 0xe8;\n\tmov.b32 %f2, %r0",
	"mov.b64 %l0, %d0;\n\tmov.b64 %l1, %d1;\n\tatom.global.cas.b64 %l2, [%own], %l0, %l1;\n\tmov.b64 %d2, %l2",
}

// TestPressure compares the engines on each of hungry, where lanes have diverged and as many other values as there may be
// keep registers: compiling must not fail.
func TestPressure(t *testing.T) {
	const uniform = 12
	for i, text := range hungry {
		var b strings.Builder
		line := func(format string, args ...any) { fmt.Fprintf(&b, "\t"+format+"\n", args...) }
		b.WriteString(".version 8.4\n.target sm_75\n.address_size 64\n.visible .entry k(.param .u64 out, .param .u64 table, .param .u32 n)\n{\n")
		line(".reg .b32 %%r<4>, %%t, %%i; .reg .f32 %%f<4>, %%s<%d>; .reg .f64 %%d<3>; .reg .b64 %%l<3>, %%out, %%table, %%own, %%a; .reg .pred %%p<2>, %%q;", uniform)
		line("ld.param.u64 %%out, [out];\n\tld.param.u64 %%table, [table];")
		line("mov.u32 %%t, %%tid.y;\n\tmov.u32 %%i, %%ntid.x;\n\tmul.lo.s32 %%t, %%t, %%i;\n\tmov.u32 %%i, %%tid.x;\n\tadd.s32 %%t, %%t, %%i;")
		line("mov.u32 %%r3, %%ctaid.x;\n\tshl.b32 %%r3, %%r3, 6;\n\tadd.s32 %%r3, %%r3, %%t;")
		line("mul.wide.u32 %%a, %%r3, %d;\n\tadd.u64 %%own, %%table, %%a;\n\tadd.u64 %%own, %%own, %d;", genOwned, genTable)
		line("mul.wide.u32 %%a, %%r3, %d;\n\tadd.u64 %%out, %%out, %%a;", genStride)
		line("ld.global.f32 %%f0, [%%own];\n\tld.global.f32 %%f1, [%%own+4];\n\tld.global.f64 %%d0, [%%own];\n\tld.global.f64 %%d1, [%%own+8];")
		for s := range uniform {
			line("ld.global.f32 %%s%d, [%%table+%d];", s, 8*s)
		}
		line("mov.f32 %%f2, %%f0;\n\tmov.f32 %%f3, %%f1;\n\tmov.f64 %%d2, %%d0;\n\tmov.u32 %%r2, %%t;\n\tand.b32 %%i, %%t, 3;")
		line("setp.eq.u32 %%q, %%i, 0;\n\t@%%q bra END;\nLOOP:")
		for s := range uniform {
			line("fma.rn.f32 %%f%d, %%f%d, %%s%d, %%f3;", s%2, s%2, s)
		}
		line("cvt.f64.f32 %%d0, %%f0;\n\tadd.f64 %%d1, %%d1, %%d0;\n\tadd.f32 %%f3, %%f1, %%f2;")
		line("%s;", text)
		line("sub.u32 %%i, %%i, 1;\n\tsetp.ne.u32 %%q, %%i, 0;\n\t@%%q bra LOOP;\nEND:")
		line("st.global.f32 [%%out], %%f2;\n\tst.global.f64 [%%out+8], %%d2;\n\tst.global.f32 [%%out+16], %%f3;\n\tst.global.f64 [%%out+24], %%d1;\n\tret;\n}")
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			for seed := range uint64(4) {
				require.Empty(t, trialOf(b.String(), seed).difference(t, map[string]uint64{}), text)
			}
		})
	}
}
