//go:build linux && (amd64 || arm64)

package jit_test

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/interp"
	"github.com/tandem-go/tandem/internal/mem"
)

// beyondPTX adds, in threads below n, word 2*i-i%8 of one row of shared memory and word 2*i-i%2 of another.
const beyondPTX = `.version 6.4
.target sm_75
.address_size 64
.visible .entry k(.param .u64 out, .param .u32 first, .param .u32 second, .param .u32 n)
{
	.reg .pred %p<2>;
	.reg .b32 %r<12>;
	.reg .b64 %rd<5>;
	.shared .align 4 .b8 s[256];
	ld.param.u64 %rd1, [out];
	ld.param.u32 %r7, [first];
	ld.param.u32 %r8, [second];
	ld.param.u32 %r1, [n];
	mov.u32 %r2, %tid.x;
	mov.u32 %r9, s;
	mov.u64 %rd4, s;
	shl.b32 %r3, %r2, 2;
	add.u32 %r4, %r9, %r3;
	mul.lo.u32 %r5, %r2, 7;
	st.shared.u32 [%r4], %r5;
	st.shared.u32 [%r4+128], %r2;
	bar.sync 0;
	setp.ge.u32 %p1, %r2, %r1;
	@%p1 bra done;
	shl.b32 %r3, %r2, 1;
	and.b32 %r4, %r2, 7;
	sub.u32 %r4, %r3, %r4;
	and.b32 %r5, %r2, 1;
	sub.u32 %r5, %r3, %r5;
	mul.wide.u32 %rd2, %r7, 4;
	mul.wide.u32 %rd3, %r4, 4;
	add.s64 %rd2, %rd2, %rd3;
	add.s64 %rd2, %rd4, %rd2;
	ld.shared.u32 %r4, [%rd2];
	mul.wide.u32 %rd2, %r8, 4;
	mul.wide.u32 %rd3, %r5, 4;
	add.s64 %rd2, %rd2, %rd3;
	add.s64 %rd2, %rd4, %rd2;
	ld.shared.u32 %r6, [%rd2];
	add.u32 %r4, %r4, %r6;
	mul.wide.u32 %rd2, %r2, 4;
	add.s64 %rd2, %rd1, %rd2;
	st.global.u32 [%rd2], %r4;
done:
	ret;
}
`

// TestRowsBeyond: of two rows whose lanes lie in different order, and which both reach beyond what is legal where lanes do not execute,
// each is checked for its own lanes.
func TestRowsBeyond(t *testing.T) { everyEngine(t, testRowsBeyond) }

func testRowsBeyond(t *testing.T, e engine.Engine) {
	const words = 64
	run := func(e engine.Engine, n uint32, first, second uint32) ([]byte, *engine.Fault) {
		space, err := mem.New(mem.Options{Limit: 1 << 24})
		require.NoError(t, err)
		defer space.Close()
		out, err := space.Alloc(4 * 32)
		require.NoError(t, err)
		params := binary.LittleEndian.AppendUint64(nil, out)
		for _, p := range []uint32{first, second, n} {
			params = binary.LittleEndian.AppendUint32(params, p)
		}
		fault := runBlock(t, e, []byte(beyondPTX), space, [3]uint32{32, 1, 1}, params)
		result, err := space.Bytes(out, 4*32)
		require.NoError(t, err)
		return append([]byte{}, result...), fault
	}
	for n := uint32(1); n <= 32; n++ {
		for _, at := range [][2]uint32{{0, 0}, {words - 8, 0}, {0, words - 8}, {words - 8, words - 32}, {words - 8, words - 8}, {words - 16, words - 16}} {
			want, fault := run(interp.New(), n, at[0], at[1])
			have, other := run(e, n, at[0], at[1])
			require.Equal(t, fault, other, "%d threads, rows at %v", n, at)
			if fault == nil {
				require.Equal(t, want, have, "%d threads, rows at %v", n, at)
			}
		}
	}
}
