//go:build linux && (amd64 || arm64)

package jit_test

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/interp"
	"github.com/tandem-go/tandem/internal/engine/rt"
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/passes"
)

// jointlyPTX is a kernel in which threads add up four words from places that are no rows on, which go on by a word in each turn.
const jointlyPTX = `.version 6.4
.target sm_75
.address_size 64
.visible .entry k(.param .u64 out, .param .u64 in, .param .u32 turns)
{
	.reg .pred %p<2>;
	.reg .b32 %r<12>;
	.reg .b64 %rd<8>;
	ld.param.u64 %rd1, [out];
	ld.param.u64 %rd2, [in];
	ld.param.u32 %r1, [turns];
	mov.u32 %r2, %tid.x;
	mul.lo.u32 %r3, %r2, 37;
	and.b32 %r3, %r3, 63;
	mov.u32 %r4, 0;
again:
	mul.wide.u32 %rd3, %r3, 4;
	add.s64 %rd4, %rd2, %rd3;
	ld.global.u32 %r5, [%rd4];
	mad.lo.u32 %r4, %r4, 3, %r5;
	ld.global.u32 %r5, [%rd4+12];
	mad.lo.u32 %r4, %r4, 5, %r5;
	ld.global.u32 %r5, [%rd4+4];
	mad.lo.u32 %r4, %r4, 7, %r5;
	ld.global.u32 %r5, [%rd4-4];
	mad.lo.u32 %r4, %r4, 9, %r5;
	add.u32 %r3, %r3, 1;
	sub.u32 %r1, %r1, 1;
	setp.ne.u32 %p1, %r1, 0;
	@%p1 bra again;
	mul.wide.u32 %rd5, %r2, 4;
	add.s64 %rd5, %rd1, %rd5;
	st.global.u32 [%rd5], %r4;
	ret;
}
`

// TestJointly: loads that are checked together get what each of them has, and the first that is not legal is the one at fault.
func TestJointly(t *testing.T) { everyEngine(t, testJointly) }

func testJointly(t *testing.T, e engine.Engine) {
	for _, first := range []int{1, 0} { // with 0 the word before the first is one of them
		for _, turns := range []uint32{1, 60, 190, 191, 260} {
			want, fault := jointly(t, interp.New(), first, turns)
			got, also := jointly(t, e, first, turns)
			require.Equal(t, fault, also, "from %d on, %d turns", first, turns)
			require.Equal(t, want, got, "from %d on, %d turns", first, turns)
			require.Equal(t, first == 0 || turns > 190, fault != nil)
		}
	}
}

// jointly runs a kernel of jointlyPTX where memory has 257 words.
func jointly(t *testing.T, e engine.Engine, first int, turns uint32) ([]byte, *engine.Fault) {
	space, err := mem.New(mem.Options{Limit: 1 << 24})
	require.NoError(t, err)
	defer space.Close()
	const threads, words = 64, 257
	var b [2][]byte
	var params []byte
	for i, n := range []uint64{threads, words} {
		at, err := space.Alloc(4 * n)
		require.NoError(t, err)
		b[i], err = space.Bytes(at, 4*n)
		require.NoError(t, err)
		params = binary.LittleEndian.AppendUint64(params, at+uint64(4*first*i))
	}
	for i := range b[1] {
		b[1][i] = byte(i * i >> 3)
	}
	params = binary.LittleEndian.AppendUint32(params, turns)
	k := lowered(t, []byte(jointlyPTX), "k")
	require.NoError(t, passes.Run(k, passes.Options{}))
	o := engine.Options{Memory: space, Block: [3]uint32{threads, 1, 1}}
	p, err := e.Compile(k, o)
	require.NoError(t, err)
	l := &engine.Launch{ID: 1, Grid: [3]uint32{1, 1, 1}, Block: o.Block, Params: params, Runtime: rt.New(rt.Config{Memory: space}), Workers: 1}
	running := p.Block(l, 0, engine.Windows{})
	defer running.Close()
	for {
		if state, fault := running.Run(1 << 12); fault != nil || state == engine.Done {
			return append([]byte(nil), b[0]...), fault
		}
	}
}
