//go:build linux && (amd64 || arm64)

package jit_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/interp"
	"github.com/tandem-go/tandem/internal/engine/rt"
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/passes"
)

// walkPTX is a kernel in which thread i sums up words of in from number first + 7*i on, or from one of the next three, as many
// as word i says, four at a time while there are as many. A loop advances the pointer and, beside it, the number.
const walkPTX = `.version 6.4
.target sm_75
.address_size 64
.visible .entry k(.param .u64 out, .param .u64 in, .param .u64 counts, .param .u32 first)
{
	.reg .pred %%p<4>;
	.reg .b32 %%r<20>;
	.reg .b64 %%rd<12>;
	ld.param.u64 %%rd1, [out];
	ld.param.u64 %%rd2, [in];
	ld.param.u64 %%rd3, [counts];
	ld.param.u32 %%r2, [first];
	mov.u32 %%r1, %%tid.x;
	mul.wide.u32 %%rd4, %%r1, 4;
	add.s64 %%rd5, %%rd3, %%rd4;
	ld.global.u32 %%r3, [%%rd5];
	shr.u32 %%r3, %%r3, 3;
	and.b32 %%r3, %%r3, 31;
	or.b32 %%r3, %%r3, 3;
	mul.lo.s32 %%r4, %%r1, 7;
	and.b32 %%r9, %%r3, 3;
	add.s32 %%r4, %%r4, %%r9;
	add.s32 %%r4, %%r4, %%r2;
	mul.wide.%[1]s %%rd6, %%r4, 4;
	add.s64 %%rd6, %%rd2, %%rd6;
	mov.u32 %%r5, 0;
again:
	setp.lt.u32 %%p1, %%r3, 4;
	@%%p1 bra few;
	ld.global.u32 %%r6, [%%rd6];
	ld.global.u32 %%r10, [%%rd6+4];
	ld.global.u32 %%r11, [%%rd6+8];
	ld.global.u32 %%r12, [%%rd6+12];
	mad.lo.s32 %%r5, %%r5, 3, %%r6;
	mad.lo.s32 %%r5, %%r5, 5, %%r10;
	mad.lo.s32 %%r5, %%r5, 7, %%r11;
	mad.lo.s32 %%r5, %%r5, 9, %%r12;
	add.s64 %%rd6, %%rd6, 16;
	add.s32 %%r4, %%r4, 4;
	add.s32 %%r3, %%r3, -4;
	bra again;
few:
	setp.eq.u32 %%p1, %%r3, 0;
	@%%p1 bra end;
	ld.global.u32 %%r6, [%%rd6];
	mad.lo.s32 %%r5, %%r5, 11, %%r6;
	add.s64 %%rd6, %%rd6, %[2]d;
	add.s32 %%r4, %%r4, %[3]d;
	add.s32 %%r3, %%r3, -1;
	bra few;
end:
	add.s64 %%rd7, %%rd1, %%rd4;
	add.s32 %%r5, %%r5, %%r4;
	st.global.u32 [%%rd7], %%r5;
	ret;
}
`

// TestPointers: a pointer that a loop advances is the base and the number beside it, also where that number leaves 32 bits and
// the pointer does not, and where both do not go on together.
func TestPointers(t *testing.T) { everyEngine(t, testPointers) }

func testPointers(t *testing.T, e engine.Engine) {
	for _, extend := range []string{"s32", "u32"} {
		for _, steps := range [][2]int{{4, 1}, {-4, -1}, {4, -1}, {8, 1}} {
			text := fmt.Appendf(nil, walkPTX, extend, steps[0], steps[1])
			for _, first := range []uint32{0, 64, 1<<31 - 900, 1<<31 - 906, 1<<31 + 4, 1<<32 - 900, 1<<32 - 906} {
				t.Run(fmt.Sprintf("%s, %v, from %#x", extend, steps, first), func(t *testing.T) {
					want := walked(t, interp.New(), text, extend, first)
					require.Equal(t, want, walked(t, e, text, extend, first))
				})
			}
		}
	}
}

// walked runs a kernel of walkPTX on 128 threads, for which the words begin somewhere in the middle of memory whatever first is.
func walked(t *testing.T, e engine.Engine, text []byte, extend string, first uint32) []byte {
	space, err := mem.New(mem.Options{Limit: 1 << 26})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, space.Close()) })
	const size, threads = 16384, 128
	memory := func() (uint64, []byte) {
		at, err := space.Alloc(size)
		require.NoError(t, err)
		b, err := space.Bytes(at, size)
		require.NoError(t, err)
		for i := range b {
			b[i] = byte(i * i >> 5)
		}
		return at, b
	}
	out, result := memory()
	in, _ := memory()
	counts, _ := memory()
	base := in + 8192 - 4*uint64(first)
	if extend == "s32" {
		base = in + 8192 - uint64(4*int64(int32(first)))
	}
	params := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, out), base)
	params = binary.LittleEndian.AppendUint64(params, counts)
	params = binary.LittleEndian.AppendUint32(params, first)
	require.Nil(t, runBlock(t, e, text, space, [3]uint32{threads, 1, 1}, params))
	return append([]byte(nil), result...)
}

// runBlock runs kernel k of a text with one block.
func runBlock(t *testing.T, e engine.Engine, text []byte, space *mem.Space, block [3]uint32, params []byte) *engine.Fault {
	o := engine.Options{Memory: space, Block: block}
	k := lowered(t, text, "k")
	require.NoError(t, passes.Run(k, passes.Options{}))
	p, err := e.Compile(k, o)
	require.NoError(t, err)
	shared, err := space.Reserve(uint64(max(1, k.SharedBytes)))
	require.NoError(t, err)
	l := &engine.Launch{ID: 1, Grid: [3]uint32{1, 1, 1}, Block: o.Block, Params: params, SharedBytes: k.SharedBytes, Runtime: rt.New(rt.Config{Memory: space}), Workers: 1}
	b := p.Block(l, 0, engine.Windows{Shared: shared})
	defer b.Close()
	for {
		state, fault := b.Run(1 << 12)
		if fault != nil || state == engine.Done {
			return fault
		}
	}
}
