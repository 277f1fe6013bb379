//go:build linux && (amd64 || arm64)

package jit_test

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/interp"
	"github.com/tandem-go/tandem/internal/engine/rt"
	"github.com/tandem-go/tandem/internal/mem"
)

// floorPTX is the step of expf that splits its argument: a sum rounded down to an integer.
const floorPTX = `.version 6.4
.target sm_75
.address_size 64
.visible .entry k(.param .u64 data)
{
	.reg .b32 %r<3>;
	.reg .f32 %f<6>;
	.reg .b64 %rd<3>;
	ld.param.u64 %rd1, [data];
	mov.u32 %r1, %tid.x;
	mul.wide.u32 %rd2, %r1, 4;
	add.s64 %rd1, %rd1, %rd2;
	ld.global.f32 %f1, [%rd1];
	cvt.sat.f32.f32 %f2, %f1;
	fma.rm.f32 %f3, %f2, 0f437C0000, 0f4B400001;
	fma.rm.ftz.f32 %f4, 0f4A7FFFFF, %f2, 0f4B000000;
	fma.rm.f32 %f5, %f2, 0f4B000000, 0f4B000000;
	add.f32 %f3, %f3, 0fCB400001;
	add.f32 %f4, %f4, 0fCB000000;
	add.f32 %f5, %f5, 0fCB000000;
	st.global.f32 [%rd1], %f3;
	st.global.f32 [%rd1+4096], %f4;
	st.global.f32 [%rd1+8192], %f5;
	ret;
}
`

// TestFloorOfSum: a sum that is rounded down to an integer is that integer for products at, just below and just above one, for
// the least numbers, and for what is no number.
func TestFloorOfSum(t *testing.T) { everyEngine(t, testFloorOfSum) }

func testFloorOfSum(t *testing.T, e engine.Engine) {
	const threads = 1024
	var inputs [threads]float32
	for i := range inputs {
		inputs[i] = math.Float32frombits(math.Float32bits(float32(i/4)/252) + uint32(i%4) - 1)
	}
	copy(inputs[:], []float32{0, float32(math.Copysign(0, -1)), float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 0x1p-149, -0x1p-149, 0x1p-126, 1, 0x1.fffffep-1, 0.5})
	run := func(e engine.Engine) []byte {
		space, err := mem.New(mem.Options{Limit: 1 << 26})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, space.Close()) })
		at, err := space.Alloc(3 * 4 * threads)
		require.NoError(t, err)
		data, err := space.Bytes(at, 3*4*threads)
		require.NoError(t, err)
		for i, f := range inputs {
			binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(f))
		}
		o := engine.Options{Memory: space, Block: [3]uint32{threads, 1, 1}}
		p, err := kernelOf(t, []byte(floorPTX), "k")(e, o)
		require.NoError(t, err)
		l := &engine.Launch{ID: 1, Grid: [3]uint32{1, 1, 1}, Block: o.Block, Params: binary.LittleEndian.AppendUint64(nil, at), Runtime: rt.New(rt.Config{Memory: space}), Workers: 1}
		b := p.Block(l, 0, engine.Windows{})
		defer b.Close()
		state, fault := b.Run(1 << 20)
		require.Nil(t, fault)
		require.Equal(t, engine.Done, state)
		return append([]byte(nil), data...)
	}
	have := run(e)
	require.Equal(t, run(interp.New()), have)
	for i, f := range inputs {
		saturated := max(0, min(1, float64(f)))
		if f != f {
			saturated = 0
		}
		got := math.Float32frombits(binary.LittleEndian.Uint32(have[4*i:]))
		require.Equal(t, math.Floor(saturated*252), float64(got), "%g * 252", f) // exact: 24 and 8 bits
	}
}
