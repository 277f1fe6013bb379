package jit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/interp"
	"github.com/tandem-go/tandem/internal/engine/jit"
)

// magnitudePTX computes with a float that was an integer, or that may be any, and looks at the bits of what comes of it.
const magnitudePTX = `.version 6.4
.target sm_75
.address_size 64
.visible .entry k(.param .u64 out, .param .u32 n, .param .u32 by, .param .u32 salt)
{
	.reg .b32 %%r<12>;
	.reg .f32 %%f<12>;
	.reg .b64 %%rd<8>;
	ld.param.u64 %%rd1, [out];
	ld.param.u32 %%r1, [salt];
	mov.u32 %%r2, %%tid.x;
	mul.wide.u32 %%rd2, %%r2, 16;
	add.s64 %%rd3, %%rd1, %%rd2;
	mad.lo.u32 %%r3, %%r2, %%r1, %%r1;
	xor.b32 %%r4, %%r3, 0x40404040;
	mov.b32 %%f2, %%r3;
	%s
	neg.f32 %%f3, %%f1;
	shl.b32 %%r5, %%r2, 3;
	mov.b32 %%r6, %%f3;
	shl.b32 %%r7, %%r6, 1;
	st.global.v4.u32 [%%rd3], {%%r6, %%r7, %%r5, %%r4};
	ret;
}
`

// TestMagnitudes: whether a value is a NaN is asked where it may be one, and not where it is too small to come from an infinity.
func TestMagnitudes(t *testing.T) {
	for code, asks := range map[string]bool{
		"cvt.rn.f32.u32 %f1, %r3; mul.f32 %f1, %f1, 0f33800000; mul.f32 %f1, %f1, %f1;":                           false,
		"cvt.rn.f32.s32 %f1, %r3; cvt.rn.f32.u32 %f2, %r4; sub.f32 %f1, %f1, %f2; fma.rn.f32 %f1, %f1, %f2, %f2;": false,
		"cvt.sat.f32.f32 %f1, %f2; fma.rn.f32 %f1, %f1, 0f437C0000, 0f4B400001;":                                  false,
		"add.f32 %f1, %f2, 0f3f800000;": true,
		"cvt.rn.f32.u32 %f1, %r3; mul.f32 %f1, %f1, 0f7f000000; sub.f32 %f1, %f1, %f1;":                                true, // ∞ - ∞
		"cvt.rn.f32.u32 %f1, %r3; add.f32 %f1, %f1, 0f7f800000; mul.f32 %f1, %f1, 0f00000000;":                         true,
		"cvt.rn.f32.u32 %f1, %r3; mul.f32 %f1, %f1, 0f5f000000; fma.rn.f32 %f1, %f1, %f1, %f1; sub.f32 %f1, %f1, %f1;": true,
	} {
		text := fmt.Appendf(nil, magnitudePTX, code)
		want := briefly(t, interp.New(), text, 64, 0, 0)
		for _, name := range []string{"jit/avx512", "jit/avx2"} {
			l, err := jit.List(name, lowered(t, text, "k"), engine.Options{Block: [3]uint32{64, 1, 1}})
			require.NoError(t, err)
			found := false
			for _, p := range l.Pieces {
				for _, m := range p.Code {
					found = found || strings.HasPrefix(m.Text, "vcmpps")
				}
			}
			require.Equal(t, asks, found, "%s: %s", name, code)
			if e, err := jit.Named(name); err == nil {
				require.Equal(t, want, briefly(t, e, text, 64, 0, 0), "%s: %s", name, code)
			}
		}
	}
}
