package jit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/jit"
	"github.com/tandem-go/tandem/internal/passes"
)

// leapsPTX adds up words of a row in a loop that advances by step.
const leapsPTX = `.version 6.4
.target sm_75
.address_size 64
.visible .entry k(.param .u64 out, .param .u64 in, .param .u32 n)
{
	.reg .pred %%p<2>;
	.reg .b32 %%r<12>;
	.reg .b64 %%rd<8>;
	ld.param.u64 %%rd1, [out];
	ld.param.u64 %%rd2, [in];
	ld.param.u32 %%r1, [n];
	mov.u32 %%r2, %%tid.x;
	mov.u32 %%r3, %%ntid.x;
	mov.u32 %%r4, %%nctaid.x;
	mul.lo.u32 %%r3, %%r3, %%r4;
	mov.u32 %%r5, 0;
	mov.u32 %%r6, %%r2;
again:
	mul.wide.s32 %%rd3, %%r6, 4;
	add.s64 %%rd3, %%rd2, %%rd3;
	ld.global.u32 %%r7, [%%rd3];
	add.u32 %%r5, %%r5, %%r7;
	add.u32 %%r6, %%r6, %s;
	sub.u32 %%r1, %%r1, 1;
	setp.ne.u32 %%p1, %%r1, 0;
	@%%p1 bra again;
	mul.wide.s32 %%rd4, %%r2, 4;
	add.s64 %%rd4, %%rd1, %%rd4;
	st.global.u32 [%%rd4+4], %%r5;
	ret;
}
`

// TestLeaps: loads in a loop ask for rows ahead where the loop goes on by the number of threads, and leave it to the
// processor where it goes on by a number that is close.
func TestLeaps(t *testing.T) {
	for _, name := range []string{"jit/avx512", "jit/avx2"} {
		for step, asks := range map[string]bool{"%r3": true, "32": false, "%r7": false} {
			k := lowered(t, fmt.Appendf(nil, leapsPTX, step), "k")
			require.NoError(t, passes.Run(k, passes.Options{}))
			l, err := jit.List(name, k, engine.Options{Block: [3]uint32{256, 1, 1}})
			require.NoError(t, err)
			found := false
			for _, p := range l.Pieces {
				for _, m := range p.Code {
					found = found || strings.HasPrefix(m.Text, "prefetcht0")
				}
			}
			require.Equal(t, asks, found, "%s, step %s", name, step)
		}
	}
}
