//go:build linux && (amd64 || arm64)

package jit_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine"
)

// expfPTX does what expf is made of to one number for each thread: powers of two, with subnormal numbers and without, negations that
// are seen and that are not, sums rounded down, and conversions of integers that have a sign bit and that have none.
const expfPTX = `.version 6.4
.target sm_75
.address_size 64
.visible .entry k(.param .u64 out, .param .u64 in)
{
	.reg .b32 %r<12>;
	.reg .b64 %rd<5>;
	.reg .f32 %f<12>;
	ld.param.u64 %rd1, [out];
	ld.param.u64 %rd2, [in];
	mov.u32 %r0, %ctaid.x;
	mov.u32 %r1, %ntid.x;
	mov.u32 %r2, %tid.x;
	mad.lo.u32 %r0, %r0, %r1, %r2;
	mad.wide.u32 %rd3, %r0, 4, %rd2;
	mad.wide.u32 %rd4, %r0, 32, %rd1;
	ld.global.u32 %r3, [%rd3];
	mov.b32 %f0, %r3;
	ex2.approx.ftz.f32 %f1, %f0;
	ex2.approx.f32 %f2, %f0;
	mul.f32 %f3, %f0, %f0;
	neg.f32 %f4, %f3;
	fma.rn.f32 %f5, %f4, 0f3FB8AA3B, %f0;
	add.f32 %f6, %f0, %f3;
	neg.f32 %f7, %f6;
	cvt.sat.f32.f32 %f8, %f0;
	fma.rm.f32 %f9, %f8, 0f437C0000, 0f4B400001;
	mov.b32 %r4, %f9;
	shl.b32 %r5, %r4, 23;
	shr.u32 %r6, %r3, 1;
	cvt.rn.f32.u32 %f10, %r6;
	cvt.rn.f32.u32 %f11, %r3;
	st.global.f32 [%rd4], %f1;
	st.global.f32 [%rd4+4], %f2;
	st.global.f32 [%rd4+8], %f5;
	st.global.f32 [%rd4+12], %f7;
	st.global.u32 [%rd4+16], %r5;
	st.global.f32 [%rd4+20], %f9;
	st.global.f32 [%rd4+24], %f10;
	st.global.f32 [%rd4+28], %f11;
	ret;
}
`

// TestExpf: compiled code gives the bits of the reference engine for what expf consists of.
func TestExpf(t *testing.T) { everyEngine(t, testExpf) }

func testExpf(t *testing.T, e engine.Engine) {
	const n = 1 << 14
	b := newBench(t, e, []byte(expfPTX), "k", n/256, 256)
	in, out := b.alloc(t, 4*n), b.alloc(t, 32*n)
	numbers, err := b.space.Bytes(in, 4*n)
	require.NoError(t, err)
	results, err := b.space.Bytes(out, 32*n)
	require.NoError(t, err)
	params := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, out), in)
	compare := func(of func(i int) uint32) {
		for i := range n {
			binary.LittleEndian.PutUint32(numbers[4*i:], of(i))
		}
		var sides [2][]byte
		for i, name := range []string{"interp", e.Name()} {
			clear(results)
			require.Nil(t, b.run(t, name, params))
			sides[i] = append(sides[i], results...)
		}
		for i := 0; i < n && !bytes.Equal(sides[0], sides[1]); i++ {
			require.Equal(t, sides[0][32*i:32*i+32], sides[1][32*i:32*i+32], "of %#x", of(i))
		}
	}
	var edges []uint32
	for _, x := range []float64{-151, -150, -149.5, -149, -127.5, -127, -126.5, -126, -125.5, -1, -0.5, 0, 0x1p-149, 0x1p-126, 0.5, 1, 127, 127.5, 128, 129, math.Inf(1)} {
		bits := math.Float32bits(float32(x))
		for d := range uint32(64) {
			edges = append(edges, bits+d, bits-d, bits+d^1<<31)
		}
	}
	edges = append(edges, 0x7fffffff, 0x7f800001, 0x7fc00000, 0xffffffff, 0xff800001)
	compare(func(i int) uint32 { return edges[i%len(edges)] })
	rng := rand.New(rand.NewPCG(1, 2))
	random := make([]uint32, n)
	for i := range random {
		random[i] = math.Float32bits(float32(rng.Float64()*300 - 155))
	}
	compare(func(i int) uint32 { return random[i] })
}
