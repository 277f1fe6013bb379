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

// twinPTX is a kernel of blocks whose rows are half a warp: the thread at x, y goes along element x of rows y, y+1 and y+2 of in,
// which are n words apart, a number of its own row, and element x of row. It stores to out, whose rows are m words apart, what it sums up, which
// the numbers of words go into themselves. Threads with x of limit or more do nothing.
const twinPTX = `.version 6.4
.target sm_75
.address_size 64
.visible .entry k(.param .u64 out, .param .u64 in, .param .u64 row, .param .u32 n, .param .u32 m, .param .u32 first, .param .u32 limit)
{
	.reg .pred %%p<4>;
	.reg .b32 %%r<24>;
	.reg .b64 %%rd<20>;
	.shared .align 4 .b8 tile[4096];
	.shared .align 4 .b8 columns[2048];
	ld.param.u64 %%rd1, [out];
	ld.param.u64 %%rd2, [in];
	ld.param.u64 %%rd10, [row];
	ld.param.u32 %%r1, [n];
	ld.param.u32 %%r2, [m];
	ld.param.u32 %%r3, [first];
	ld.param.u32 %%r4, [limit];
	mov.u32 %%r5, %%tid.x;
	mov.u32 %%r6, %%tid.y;
	mov.u32 %%r7, %%tid.z;
	mad.lo.s32 %%r8, %%r7, 5, %%r6;
	mad.lo.s32 %%r9, %%r8, %%r2, %%r5;
	mul.wide.u32 %%rd3, %%r9, 4;
	add.s64 %%rd4, %%rd1, %%rd3;
	mul.lo.s32 %%r10, %%r8, %%r1;
	add.s32 %%r10, %%r10, %%r3;
	add.s32 %%r11, %%r10, %%r5;
	mul.wide.%[1]s %%rd5, %%r11, 4;
	add.s64 %%rd6, %%rd2, %%rd5;
	mul.wide.%[1]s %%rd7, %%r10, 4;
	add.s64 %%rd8, %%rd2, %%rd7;
	mul.wide.s32 %%rd9, %%r1, 4;
	mul.wide.u32 %%rd11, %%r5, 4;
	add.s64 %%rd11, %%rd10, %%rd11;
	mov.u32 %%r12, 3;
	sub.s32 %%r13, %%r11, %%r9;
	setp.ge.s32 %%p1, %%r5, %%r4;
	@%%p1 bra end;
again:
	ld.global.u32 %%r14, [%%rd6];
	ld.global.u32 %%r15, [%%rd8+4];
	ld.global.u16 %%r16, [%%rd6+2];
	ld.global.u32 %%r22, [%%rd11];
	mad.lo.s32 %%r13, %%r13, 11, %%r22;
	mad.lo.s32 %%r13, %%r13, 7, %%r14;
	mad.lo.s32 %%r13, %%r13, 5, %%r15;
	mad.lo.s32 %%r13, %%r13, 3, %%r16;
	add.s64 %%rd6, %%rd6, %%rd9;
	add.s64 %%rd8, %%rd8, %%rd9;
	mul.lo.s32 %%r17, %%r6, %%r12;
	xor.b32 %%r13, %%r13, %%r17;
	add.s32 %%r12, %%r12, -1;
	setp.gt.s32 %%p2, %%r12, 0;
	@%%p2 bra again;
	and.b32 %%r18, %%r2, 31;
	or.b32 %%r18, %%r18, 16;
	mul.lo.s32 %%r19, %%r6, %%r18;
	add.s32 %%r19, %%r19, %%r5;
	shl.b32 %%r19, %%r19, 2;
	mov.u32 %%r20, tile;
	add.s32 %%r20, %%r20, %%r19;
	st.shared.u32 [%%r20], %%r13;
	ld.shared.u32 %%r21, [%%r20];
	add.s32 %%r13, %%r13, %%r21;
	shl.b32 %%r14, %%r5, 6;
	shl.b32 %%r15, %%r8, 2;
	add.s32 %%r14, %%r14, %%r15;
	mov.u32 %%r15, columns;
	add.s32 %%r14, %%r14, %%r15;
	st.shared.u32 [%%r14], %%r13;
	ld.shared.u32 %%r16, [%%r14];
	mad.lo.s32 %%r13, %%r13, 5, %%r16;
	st.global.u32 [%%rd4], %%r13;
	setp.gt.s32 %%p3, %%r13, 0;
	@%%p3 st.global.u16 [%%rd4], %%r9;
end:
	ret;
}
`

// TestTwins: rows of half a warp that are a number apart which is known only at run time, also where numbers of words leave 32 bits
// in one of the two, where rows end where memory does, and where lanes do not execute.
func TestTwins(t *testing.T) { everyEngine(t, testTwins) }

func testTwins(t *testing.T, e engine.Engine) {
	const n, m = 37, 40
	type from struct{ first, limit uint32 }
	for _, extend := range []string{"s32", "u32"} {
		text := fmt.Appendf(nil, twinPTX, extend)
		for _, block := range [][3]uint32{{16, 16, 1}, {16, 4, 2}, {16, 3, 1}, {16, 5, 2}, {32, 4, 1}} {
			for _, f := range []from{{0, 16}, {0, 11}, {5, 32}, {1<<31 - n, 16}, {1<<31 - 16, 16}, {1<<31 - n - 7, 7}, {1<<32 - n, 16}, {1<<32 - 8, 16}, {1 << 31, 3}} {
				t.Run(fmt.Sprintf("%s, %v, %+v", extend, block, f), func(t *testing.T) {
					p := [...]uint32{n, m, f.first, f.limit}
					want, fault := ofTwins(t, interp.New(), text, extend, block, p)
					have, other := ofTwins(t, e, text, extend, block, p)
					require.Equal(t, fault, other)
					if fault == nil {
						require.Equal(t, want, have)
					}
				})
			}
		}
	}
}

// ofTwins runs the kernel of twinPTX. The words of in begin in the middle of memory whatever first is, and out and row end behind
// the last words that are accessed. The address of a fault is counted from in.
func ofTwins(t *testing.T, e engine.Engine, text []byte, extend string, block [3]uint32, p [4]uint32) ([]byte, *engine.Fault) {
	space, err := mem.New(mem.Options{Limit: 1 << 26})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, space.Close()) })
	memory := func(size uint64) (uint64, []byte) {
		at, err := space.Alloc(size)
		require.NoError(t, err)
		b, err := space.Bytes(at, size)
		require.NoError(t, err)
		for i := range b {
			b[i] = byte(i * i >> 5)
		}
		return at, b
	}
	rows := 5*(block[2]-1) + block[1]
	out, result := memory(4 * uint64((rows-1)*p[1]+min(block[0], p[3])))
	in, _ := memory(16384)
	row, _ := memory(4 * uint64(min(block[0], p[3])))
	base := in + 4096 - 4*uint64(p[2])
	if extend == "s32" {
		base = in + 4096 - uint64(4*int64(int32(p[2])))
	}
	params := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, out), base)
	params = binary.LittleEndian.AppendUint64(params, row)
	for _, v := range p {
		params = binary.LittleEndian.AppendUint32(params, v)
	}
	fault := runBlock(t, e, text, space, block, params)
	if fault != nil {
		fault.Addr -= in
	}
	return append([]byte(nil), result...), fault
}
