//go:build linux && (amd64 || arm64)

package jit_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine"
)

// pointersPTX loads through one pointer for each thread, of which the table has all: 32 bits there, and 64 bits behind.
const pointersPTX = `.version 6.4
.target sm_75
.address_size 64
.visible .entry k(.param .u64 out, .param .u64 table, .param .u32 threads)
{
	.reg .pred %p<2>;
	.reg .b32 %r<4>;
	.reg .b64 %rd<8>;
	ld.param.u64 %rd1, [out];
	ld.param.u64 %rd2, [table];
	ld.param.u32 %r2, [threads];
	mov.u32 %r0, %tid.x;
	setp.ge.u32 %p1, %r0, %r2;
	@%p1 bra end;
	mad.wide.u32 %rd3, %r0, 8, %rd2;
	ld.global.u64 %rd4, [%rd3];
	mad.wide.u32 %rd5, %r0, 16, %rd1;
	ld.global.u32 %r1, [%rd4];
	st.global.u32 [%rd5], %r1;
	ld.global.u64 %rd3, [%rd3+512];
	ld.global.u64 %rd6, [%rd3+8];
	st.global.u64 [%rd5+8], %rd6;
end:
	ret;
}
`

// TestTableOfPointers: pointers that differ from thread to thread give what the reference engine loads, and its faults, also where those of
// neighbours follow each other, in all of a warp or in parts of it.
func TestTableOfPointers(t *testing.T) { everyEngine(t, testTableOfPointers) }

func testTableOfPointers(t *testing.T, e engine.Engine) {
	b := newBench(t, e, []byte(pointersPTX), "k", 1, 32)
	const size = 1024
	alloc := func(n uint64) (at uint64, bytes []byte) {
		at = b.alloc(t, n)
		bytes, err := b.space.Bytes(at, n)
		require.NoError(t, err)
		return at, bytes
	}
	data, dataBytes := alloc(size)
	other, otherBytes := alloc(size)
	out, result := alloc(512)
	table, pointers := alloc(size)
	for i := range dataBytes {
		dataBytes[i], otherBytes[i] = byte(i*7+i/256), byte(i*5+1)
	}
	type pattern func(lane int, width uint64) uint64
	row := func(at uint64, lane int, width uint64) uint64 { return at + uint64(lane)*width }
	for name, c := range map[string]struct {
		at      pattern
		threads int
		faults  bool
	}{
		"one row":              {at: func(l int, w uint64) uint64 { return row(data, l, w) }},
		"two rows":             {at: func(l int, w uint64) uint64 { return row(data+uint64(l/16)*512, l%16, w) }},
		"the same row":         {at: func(l int, w uint64) uint64 { return row(data+64, l%16, w) }},
		"two regions":          {at: func(l int, w uint64) uint64 { return row([]uint64{data, other}[l/16], l%16, w) }},
		"rows of eight":        {at: func(l int, w uint64) uint64 { return row(data+uint64(l/8)*128, l%8, w) }},
		"one lane elsewhere":   {at: func(l int, w uint64) uint64 { return row(data, l, w) + []uint64{21: 64, 31: 0}[l] }},
		"backwards":            {at: func(l int, w uint64) uint64 { return row(data, 31-l, w) }},
		"some threads":         {threads: 29, at: func(l int, w uint64) uint64 { return row(data, l, w) }},
		"up to the end":        {at: func(l int, w uint64) uint64 { return row(data+size-8-16*w, l%16, w) }},
		"past the end":         {faults: true, at: func(l int, w uint64) uint64 { return row(data+size-15*w, l%16, w) }},
		"the second past it":   {faults: true, at: func(l int, w uint64) uint64 { return row(data+uint64(l/16)*(size-15*w), l%16, w) }},
		"before the beginning": {faults: true, at: func(l int, w uint64) uint64 { return row(data-16-uint64(l/16)*w, l%16, w) }},
		"misaligned":           {faults: true, at: func(l int, w uint64) uint64 { return row(data+uint64(l/16), l%16, w) }},
		"around zero":          {faults: true, at: func(l int, w uint64) uint64 { return row(0, l, w) - 8*w }},
	} {
		threads := c.threads
		if threads == 0 {
			threads = 32
		}
		for i, w := range []uint64{4, 8} {
			for l := range 32 {
				binary.LittleEndian.PutUint64(pointers[512*i+8*l:], c.at(l, w))
			}
		}
		params := binary.LittleEndian.AppendUint64(nil, out)
		params = binary.LittleEndian.AppendUint64(params, table)
		params = binary.LittleEndian.AppendUint32(params, uint32(threads))
		var results [2][]byte
		var faults [2]*engine.Fault
		for i, engineName := range []string{"interp", e.Name()} {
			for k := range result {
				result[k] = 0xee
			}
			faults[i] = b.run(t, engineName, params)
			results[i] = slices.Clone(result)
		}
		require.Equal(t, c.faults, faults[0] != nil, name)
		require.Equal(t, faults[0], faults[1], name)
		require.Equal(t, results[0], results[1], name)
	}
}
