//go:build linux && (amd64 || arm64)

package jit_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/interp"
	"github.com/tandem-go/tandem/internal/mem"
)

// jointPTX is a kernel whose branch takes several conditions together, some of which all threads share. What is loaded and
// computed between conditions and branch takes registers in which the conditions' operands were.
const jointPTX = `.version 6.4
.target sm_75
.address_size 64
.visible .entry k(.param .u64 out, .param .u32 n, .param .u32 m, .param .u32 y)
{
	.reg .pred %%p<12>;
	.reg .b32 %%r<20>;
	.reg .b64 %%rd<6>;
	ld.param.u64 %%rd1, [out];
	ld.param.u32 %%r1, [n];
	ld.param.u32 %%r2, [m];
	ld.param.u32 %%r3, [y];
	mov.u32 %%r4, %%tid.x;
	add.s32 %%r5, %%r1, -1;
	setp.%[2]s.s32 %%p1, %%r4, %%r1;
	setp.%[3]s.s32 %%p2, %%r3, %%r2;
	%[1]s.pred %%p3, %%p1, %%p2;
	setp.%[3]s.u32 %%p4, %%r4, %%r5;
	%[1]s.pred %%p5, %%p3, %%p4;
	setp.%[2]s.u32 %%p6, 200, %%r4;
	%[1]s.pred %%p7, %%p6, %%p5;
	mul.wide.u32 %%rd2, %%r4, 4;
	add.s64 %%rd3, %%rd1, %%rd2;
	ld.global.u32 %%r6, [%%rd3];
	xor.b32 %%r7, %%r2, %%r3;
	mul.lo.s32 %%r8, %%r7, %%r7;
	add.s32 %%r9, %%r8, %%r6;
	@%%p7 bra other;
	st.global.u32 [%%rd3], %%r9;
	ret;
other:
	mul.lo.s32 %%r9, %%r9, 3;
	st.global.u32 [%%rd3], %%r9;
	ret;
}
`

// TestJointConditions: branches on several conditions go the way that each thread's conditions say, in warps of which all threads go
// one way and in those of which some do.
func TestJointConditions(t *testing.T) { everyEngine(t, testJointConditions) }

func testJointConditions(t *testing.T, e engine.Engine) {
	for _, op := range []string{"or", "and"} {
		for _, cmp := range [][2]string{{"ge", "eq"}, {"lt", "ne"}, {"gt", "ne"}, {"le", "eq"}} {
			text := fmt.Appendf(nil, jointPTX, op, cmp[0], cmp[1])
			for _, n := range []uint32{0, 1, 31, 32, 33, 100, 200, 224, 256, 1 << 31, 1<<32 - 1} {
				for y := range uint32(2) {
					want := joined(t, interp.New(), text, n, 1, y)
					require.Equal(t, want, joined(t, e, text, n, 1, y), "%s %v, n = %d, y = %d", op, cmp, n, y)
				}
			}
		}
	}
}

// joined runs a kernel of jointPTX on 256 threads.
func joined(t *testing.T, e engine.Engine, text []byte, numbers ...uint32) []byte {
	space, err := mem.New(mem.Options{Limit: 1 << 24})
	require.NoError(t, err)
	defer space.Close()
	const threads = 256
	at, err := space.Alloc(4 * threads)
	require.NoError(t, err)
	out, err := space.Bytes(at, 4*threads)
	require.NoError(t, err)
	for i := range out {
		out[i] = byte(i * i >> 3)
	}
	params := binary.LittleEndian.AppendUint64(nil, at)
	for _, n := range numbers {
		params = binary.LittleEndian.AppendUint32(params, n)
	}
	require.Nil(t, runBlock(t, e, text, space, [3]uint32{threads, 1, 1}, params))
	return append([]byte(nil), out...)
}
