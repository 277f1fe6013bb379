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

// briefPTX is a step of a sorting network: threads below n compare the words i and i+by, of which i leaves out %[1]d, and store to both
// if they are in the wrong order. What by is the compiler does not know.
const briefPTX = `.version 6.4
.target sm_75
.address_size 64
.visible .entry k(.param .u64 out, .param .u32 n, .param .u32 by, .param .u32 salt)
{
	.reg .pred %%p<4>;
	.reg .b32 %%r<20>;
	.reg .b64 %%rd<6>;
	.shared .align 4 .b8 s[2048];
	ld.param.u64 %%rd1, [out];
	ld.param.u32 %%r1, [n];
	ld.param.u32 %%r2, [by];
	ld.param.u32 %%r3, [salt];
	mov.u32 %%r4, %%tid.x;
	mov.u32 %%r15, s;
	shl.b32 %%r5, %%r4, 3;
	add.u32 %%r16, %%r15, %%r5;
	mad.lo.u32 %%r6, %%r4, %%r3, %%r3;
	mad.lo.u32 %%r7, %%r6, %%r6, %%r4;
	st.shared.v2.u32 [%%r16], {%%r6, %%r7};
	add.u32 %%r6, %%r6, 7;
	st.shared.v2.u32 [%%r16+1024], {%%r7, %%r6};
	bar.sync 0;
	setp.ge.u32 %%p1, %%r4, %%r1;
	@%%p1 bra done;
	shl.b32 %%r8, %%r4, 1;
	and.b32 %%r9, %%r4, %[1]d-1;
	sub.u32 %%r8, %%r8, %%r9;
	shl.b32 %%r9, %%r8, 2;
	add.u32 %%r10, %%r15, %%r9;
	shl.b32 %%r11, %%r2, 2;
	add.u32 %%r11, %%r10, %%r11;
	ld.shared.u32 %%r12, [%%r10];
	ld.shared.u32 %%r13, [%%r11];
	setp.%[2]s.u32 %%p2, %%r12, %%r13;
	@%%p2 bra done;
	st.shared.u32 [%%r10], %[3]s;
	st.shared.u32 [%%r11], %[4]s;
done:
	bar.sync 0;
	ld.shared.v2.u32 {%%r6, %%r7}, [%%r16];
	ld.shared.v2.u32 {%%r8, %%r9}, [%%r16+1024];
	shl.b32 %%r5, %%r4, 4;
	cvt.u64.u32 %%rd2, %%r5;
	add.s64 %%rd3, %%rd1, %%rd2;
	st.global.v4.u32 [%%rd3], {%%r6, %%r7, %%r8, %%r9};
	ret;
}
`

// TestBriefBranches: stores under a condition of each lane change what the reference engine's change, whether they fill rows of
// memory or lie elsewhere, in all warps or those of which some threads have gone.
func TestBriefBranches(t *testing.T) { everyEngine(t, testBriefBranches) }

func testBriefBranches(t *testing.T, e engine.Engine) {
	const threads, words = 128, 256
	for _, step := range []uint32{1, 2, 4, 8, 16, 32} {
		for _, how := range [][3]string{{"lt", "%r13", "%r12"}, {"hi", "%r12", "%r13"}, {"ge", "%r4", "%r13"}} {
			text := fmt.Appendf(nil, briefPTX, step, how[0], how[1], how[2])
			for _, by := range []uint32{step, 0, words + step, words} {
				for _, n := range []uint32{threads, 0, 1, 40, 63} {
					want := briefly(t, interp.New(), text, threads, n, by)
					require.Equal(t, want, briefly(t, e, text, threads, n, by), "step %d, %v, by %d, n = %d", step, how, by, n)
				}
			}
		}
	}
}

// briefly runs a kernel of briefPTX.
func briefly(t *testing.T, e engine.Engine, text []byte, threads, n, by uint32) []uint32 {
	space, err := mem.New(mem.Options{Limit: 1 << 24})
	require.NoError(t, err)
	defer space.Close()
	at, err := space.Alloc(uint64(16 * threads))
	require.NoError(t, err)
	out, err := space.Bytes(at, uint64(16*threads))
	require.NoError(t, err)
	params := binary.LittleEndian.AppendUint64(nil, at)
	for _, v := range []uint32{n, by, 0x9e3779b1} {
		params = binary.LittleEndian.AppendUint32(params, v)
	}
	require.Nil(t, runBlock(t, e, text, space, [3]uint32{threads, 1, 1}, params))
	words := make([]uint32, len(out)/4)
	for i := range words {
		words[i] = binary.LittleEndian.Uint32(out[4*i:])
	}
	return words
}
