package jit_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/interp"
	"github.com/tandem-go/tandem/internal/engine/jit"
	"github.com/tandem-go/tandem/internal/engine/rt"
	"github.com/tandem-go/tandem/internal/mem"
)

// streamPTX is a kernel that reads in[i] into %r4 and %f1, has i in %r1, 4*i in %rd4 and out in %rd1, and then does what it is
// told.
const streamPTX = `.version 6.4
.target sm_75
.address_size 64
.visible .entry k(.param .u64 out, .param .u64 in, .param .u32 n)
{
	.reg .pred %%p<4>;
	.reg .b32 %%r<12>;
	.reg .f32 %%f<4>;
	.reg .b64 %%rd<12>;
	ld.param.u64 %%rd1, [out];
	ld.param.u64 %%rd2, [in];
	ld.param.u32 %%r2, [n];
	mov.u32 %%r1, %%ctaid.x;
	mov.u32 %%r3, %%tid.x;
	mad.lo.s32 %%r1, %%r1, 128, %%r3;
	setp.ge.s32 %%p1, %%r1, %%r2;
	@%%p1 bra end;
	mul.wide.s32 %%rd4, %%r1, 4;
	add.s64 %%rd5, %%rd2, %%rd4;
	ld.global.u32 %%r4, [%%rd5];
	mov.b32 %%f1, %%r4;
	add.f32 %%f1, %%f1, 0f3F800000;
	setp.gt.s32 %%p2, %%r4, 0;
%s
end:
	ret;
}
`

// TestStreams: stores that may go past the caches store what others do, wherever rows begin and whichever lanes take part; and
// only those may of which nothing is loaded, in kernels whose blocks do not tell each other what they have done.
func TestStreams(t *testing.T) {
	all := jit.Streaming()
	require.NotEmpty(t, all)
	for _, e := range all {
		t.Run(e.Name(), func(t *testing.T) { testStreams(t, e) })
	}
}

func testStreams(t *testing.T, streaming engine.Engine) {
	const word, n = "add.s64 %rd6, %rd1, %rd4;\n st.global.f32 [%rd6], %f1;", 500
	for _, c := range []struct {
		name, text string
		shift      uint64 // of out
		same       bool   // in and out are one
		streams    bool
	}{
		{"words", word, 0, false, true},
		{"words that begin within a line", word, 4, false, true},
		{"words over themselves", word, 0, true, false},
		{"integers", "add.s64 %rd6, %rd1, %rd4;\n st.global.u32 [%rd6], %r4;", 0, false, true},
		{"the same in all lanes", "add.s64 %rd6, %rd1, %rd4;\n st.global.u32 [%rd6], %r2;", 0, false, true},
		{"doubles", "shl.b64 %rd6, %rd4, 1;\n add.s64 %rd6, %rd1, %rd6;\n cvt.s64.s32 %rd7, %r4;\n st.global.u64 [%rd6], %rd7;", 0, false, true},
		{"pairs", "shl.b64 %rd6, %rd4, 1;\n add.s64 %rd6, %rd1, %rd6;\n st.global.v2.f32 [%rd6], {%f1, %f1};", 64, false, true},
		{"at a distance", "add.s64 %rd6, %rd1, %rd4;\n st.global.f32 [%rd6+128], %f1;\n st.global.u32 [%rd6+2176], %r4;", 0, false, true},
		{"some lanes", "@!%p2 bra end;\n" + word, 0, false, true},
		{"guarded", "add.s64 %rd6, %rd1, %rd4;\n @%p2 st.global.f32 [%rd6], %f1;", 0, false, false},
		{"a loop", "mov.u32 %r5, 0;\n add.s64 %rd6, %rd1, %rd4;\nagain:\n st.global.f32 [%rd6], %f1;\n" +
			"add.s64 %rd6, %rd6, 2048;\n add.s32 %r5, %r5, 1;\n setp.lt.u32 %p3, %r5, 3;\n @%p3 bra again;", 0, false, true},
		{"shorts", "shr.u64 %rd6, %rd4, 1;\n add.s64 %rd6, %rd1, %rd6;\n st.global.u16 [%rd6], %r4;", 0, false, false},
		{"words that are read", "add.s64 %rd6, %rd1, %rd4;\n ld.global.u32 %r6, [%rd6];\n add.s32 %r6, %r6, %r4;\n st.global.u32 [%rd6], %r6;", 0, false, false},
		{"through either pointer", "selp.b64 %rd6, %rd1, %rd2, %p1;\n add.s64 %rd6, %rd6, %rd4;\n st.global.f32 [%rd6], %f1;", 0, false, false},
		{"a fence", word + "\n membar.gl;", 0, false, false},
		{"an atomic operation", word + "\n red.global.add.u32 [%rd1+4096], %r4;", 0, false, false},
		{"a volatile store", word + "\n st.volatile.global.u32 [%rd6+2048], %r4;", 0, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := fmt.Appendf(nil, streamPTX, c.text)
			want, _, _ := streamed(t, interp.New(), text, n, c.shift, c.same)
			have, p, l := streamed(t, streaming, text, n, c.shift, c.same)
			require.Equal(t, want, have)
			_, does := jit.Streams(p, l)
			require.Equal(t, c.streams, does)
		})
	}
}

// streamed runs a kernel of streamPTX for n threads and returns what it stored.
func streamed(t *testing.T, e engine.Engine, text []byte, n int, shift uint64, same bool) ([]byte, engine.Program, *engine.Launch) {
	space, err := mem.New(mem.Options{Limit: 1 << 26})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, space.Close()) })
	const size = 8192
	out, err := space.Alloc(size)
	require.NoError(t, err)
	in, err := space.Alloc(size)
	require.NoError(t, err)
	result, err := space.Bytes(out, size)
	require.NoError(t, err)
	values, err := space.Bytes(in, size)
	require.NoError(t, err)
	for i := range values {
		result[i], values[i] = 0xa5, byte(i*i>>3)
	}
	if same {
		in = out
		copy(result, values)
	}
	params := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, out+shift), in)
	params = binary.LittleEndian.AppendUint32(params, uint32(n))
	o := engine.Options{Memory: space, Block: [3]uint32{128, 1, 1}}
	p, err := kernelOf(t, text, "k")(e, o)
	require.NoError(t, err)
	l := &engine.Launch{ID: 1, Grid: [3]uint32{4, 1, 1}, Block: o.Block, Params: params, Runtime: rt.New(rt.Config{Memory: space}), Workers: 1}
	for i := range uint64(4) {
		b := p.Block(l, i, engine.Windows{})
		state, fault := b.Run(1 << 20)
		require.Nil(t, fault)
		require.Equal(t, engine.Done, state)
		b.Close()
	}
	return append([]byte(nil), result...), p, l
}

// TestStreamsWhere: launches that write little, or over what they read, store as usual.
func TestStreamsWhere(t *testing.T) {
	e, err := jit.Named("jit/avx512")
	require.NoError(t, err)
	p, err := kernelOf(t, benchPTX, "vecadd")(e, engine.Options{Block: [3]uint32{256, 1, 1}})
	require.NoError(t, err)
	pointers := func(all ...uint64) []byte {
		params := make([]byte, 8)
		for _, at := range all {
			params = binary.LittleEndian.AppendUint64(params, at)
		}
		return params
	}
	for _, c := range []struct {
		blocks uint32
		params []byte
		does   bool
	}{
		{16 << 10, pointers(4096, 8192, 1<<20), true},
		{16<<10 - 1, pointers(4096, 8192, 1<<20), false},
		{16 << 10, pointers(4096, 8192, 8192), false},
	} {
		has, does := jit.Streams(p, &engine.Launch{Grid: [3]uint32{c.blocks, 1, 1}, Block: [3]uint32{256, 1, 1}, Params: c.params})
		require.True(t, has)
		require.Equal(t, c.does, does, "%d blocks", c.blocks)
	}
	p, err = kernelOf(t, benchPTX, "saxpy")(e, engine.Options{Block: [3]uint32{256, 1, 1}})
	require.NoError(t, err)
	has, _ := jit.Streams(p, nil)
	require.False(t, has, "a sum in place")
}
