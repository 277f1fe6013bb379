//go:build linux && (amd64 || arm64)

package jit_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// joinedPTX is a kernel whose branches ask for two predicates joined, of which all lanes share one: a loop of one block that lanes
// leave one by one, a loop of several blocks, an if with two sides, and an end. %[1]s joins, %[2]s are the operands, %[3]s negates,
// and numbers are less or, %[4]s, the contrary.
const joinedPTX = `.version 6.4
.target sm_75
.address_size 64
.visible .entry k(.param .u64 out, .param .u64 table, .param .u32 n)
{
	.reg .pred %%p<4>;
	.reg .b32 %%r<12>;
	.reg .b64 %%rd<6>;
	ld.param.u64 %%rd1, [out];
	ld.param.u64 %%rd2, [table];
	mov.u32 %%r0, %%tid.x;
	mov.u32 %%r1, %%tid.y;
	mov.u32 %%r2, %%ntid.x;
	mad.lo.u32 %%r0, %%r1, %%r2, %%r0;
	mov.u32 %%r3, %%ctaid.x;
	mad.lo.u32 %%r0, %%r3, 64, %%r0;
	mad.wide.u32 %%rd3, %%r0, 4, %%rd2;
	mad.wide.u32 %%rd4, %%r0, 4, %%rd1;
	ld.global.u32 %%r4, [%%rd3];
	shr.u32 %%r4, %%r4, 3;
	and.b32 %%r4, %%r4, 31;
	mad.lo.u32 %%r5, %%r3, 8, 5;
	mov.u32 %%r6, 0;
	mov.u32 %%r7, 1;
	setp.gt.u32 %%p1, %%r4, 28;
	@%%p1 bra behind;
one:
	mad.lo.u32 %%r7, %%r7, 3, %%r4;
	add.u32 %%r6, %%r6, 1;
	setp.%[4]s.u32 %%p1, %%r6, %%r5;
	setp.%[4]s.u32 %%p2, %%r6, %%r4;
	%[1]s.pred %%p3, %[2]s;
	@%[3]s%%p3 bra one;
behind:
	add.u32 %%r7, %%r7, %%r6;
	mov.u32 %%r6, 0;
several:
	mad.lo.u32 %%r7, %%r7, 5, 1;
	and.b32 %%r8, %%r7, 8;
	setp.eq.u32 %%p3, %%r8, 0;
	@%%p3 bra even;
	xor.b32 %%r7, %%r7, %%r0;
even:
	add.u32 %%r6, %%r6, 1;
	setp.%[4]s.u32 %%p1, %%r6, %%r5;
	setp.%[4]s.u32 %%p2, %%r6, %%r4;
	%[1]s.pred %%p3, %[2]s;
	@%[3]s%%p3 bra several;
	setp.eq.u32 %%p1, %%r3, 1;
	setp.gt.u32 %%p2, %%r4, 13;
	%[1]s.pred %%p3, %[2]s;
	@%[3]s%%p3 bra other;
	mad.lo.u32 %%r7, %%r7, 7, %%r6;
	bra both;
other:
	sub.u32 %%r7, %%r7, %%r4;
both:
	st.global.u32 [%%rd4], %%r7;
	setp.ne.u32 %%p1, %%r3, 2;
	setp.lt.u32 %%p2, %%r4, 20;
	%[1]s.pred %%p3, %[2]s;
	@%[3]s%%p3 bra end;
	st.global.u32 [%%rd4+1024], %%r6;
end:
	ret;
}
`

// TestJoined: branches on two joined predicates go where the reference engine's do.
func TestJoined(t *testing.T) {
	for _, join := range []string{"and", "or"} {
		for _, operands := range []string{"%p1, %p2", "%p2, %p1"} {
			for negation, less := range map[string]string{"": "lt", "!": "ge"} {
				for seed := range uint64(4) {
					text := fmt.Sprintf(joinedPTX, join, operands, negation, less)
					require.Empty(t, trialOf(text, seed).difference(t, map[string]uint64{}), text)
				}
			}
		}
	}
}
