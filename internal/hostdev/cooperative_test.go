package hostdev_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/hostdev"
)

// phases(unsigned *out, unsigned n): in each of n phases, thread 0 of every block notes in out[p*grid + block] how many
// blocks it saw that had noted something in the phase before, after a barrier of all blocks in the word behind the address
// in %envreg1 and %envreg2. The first block adds so much that the highest bit flips when all have come.
const phases = header + `
.visible .entry phases(.param .u64 out, .param .u32 n)
{
	.reg .pred %p<9>;
	.reg .b32 %r<30>;
	.reg .b64 %rd<12>;
	ld.param.u64 %rd1, [out];
	ld.param.u32 %r1, [n];
	mov.u32 %r2, %envreg1;
	mov.u32 %r3, %envreg2;
	mov.b64 %rd2, {%r3, %r2};
	mov.u32 %r4, %tid.x;
	setp.ne.u32 %p1, %r4, 0;
	mov.u32 %r5, %ctaid.x;
	mov.u32 %r6, %nctaid.x;
	mov.u32 %r7, 0;
PHASE:
	@%p1 bra ARRIVED;
	mov.u32 %r8, 1;
	setp.eq.u32 %p2, %r7, 0;
	@%p2 bra NOTE;
	mov.u32 %r8, 0;
	mov.u32 %r9, 0;
	sub.u32 %r10, %r7, 1;
	mul.lo.u32 %r11, %r10, %r6;
	mul.wide.u32 %rd3, %r11, 4;
	add.s64 %rd4, %rd1, %rd3;
COUNT:
	ld.volatile.global.u32 %r12, [%rd4];
	setp.ne.u32 %p3, %r12, 0;
	selp.u32 %r13, 1, 0, %p3;
	add.u32 %r8, %r8, %r13;
	add.s64 %rd4, %rd4, 4;
	add.u32 %r9, %r9, 1;
	setp.lt.u32 %p4, %r9, %r6;
	@%p4 bra COUNT;
NOTE:
	mad.lo.u32 %r14, %r7, %r6, %r5;
	mul.wide.u32 %rd5, %r14, 4;
	add.s64 %rd6, %rd1, %rd5;
	st.volatile.global.u32 [%rd6], %r8;
	membar.gl;
	mov.u32 %r15, 1;
	setp.ne.u32 %p5, %r5, 0;
	@%p5 bra ARRIVE;
	sub.u32 %r16, %r6, 1;
	sub.u32 %r15, -2147483648, %r16;
ARRIVE:
	atom.global.add.u32 %r17, [%rd2+4], %r15;
WAIT:
	ld.volatile.global.u32 %r18, [%rd2+4];
	xor.b32 %r19, %r18, %r17;
	setp.ge.s32 %p6, %r19, 0;
	@%p6 bra WAIT;
	membar.gl;
ARRIVED:
	bar.sync 0;
	add.u32 %r7, %r7, 1;
	setp.lt.u32 %p7, %r7, %r1;
	@%p7 bra PHASE;
	ret;
}
`

// Grid groups of cooperative_groups.h spin on a word of the driver's. All blocks are resident, and those that spin leave
// the workers to the others.
func TestGridGroups(t *testing.T) {
	for _, w := range []int{1, 2, 5} {
		d := open(t, hostdev.Config{Workers: w, MemoryLimit: 1 << 30})
		f := lookUp(t, d, phases, "phases")
		const blocks, n = 24, 4
		out, err := d.Alloc(4 * n * blocks)
		require.NoError(t, err)
		free, _, err := d.MemInfo()
		require.NoError(t, err)
		for range 2 {
			require.NoError(t, d.Fill(out, 0, 4, n*blocks, 0))
			p := binary.LittleEndian.AppendUint64(nil, uint64(out))
			_, err = d.Launch(&driver.Launch{
				Function: f, Grid: driver.Dim3{X: blocks, Y: 1, Z: 1}, Block: driver.Dim3{X: 40, Y: 1, Z: 1},
				Params: binary.LittleEndian.AppendUint32(p, n), Cooperative: true,
			})
			require.NoError(t, err)
			require.NoError(t, d.Synchronize(0))
			b := make([]byte, 4*n*blocks)
			require.NoError(t, d.Read(b, out, 0))
			got := make([]uint32, n*blocks)
			_, err = binary.Decode(b, binary.LittleEndian, got)
			require.NoError(t, err)
			want := slices.Concat(slices.Repeat([]uint32{1}, blocks), slices.Repeat([]uint32{blocks}, (n-1)*blocks))
			require.Equal(t, want, got)
		}
		after, _, err := d.MemInfo()
		require.NoError(t, err)
		require.Equal(t, free, after, "a launch kept memory")
		require.NoError(t, d.Close())
	}
}

// passes(unsigned *out, unsigned n): as phases, but the barrier is a function of its own, written as compilers since CUDA 12
// write it: release, acquire, and barrier.sync before and behind. Every thread notes in out[p*threads + thread], and
// compares with what the thread opposite noted in the phase before.
const passes = header + `
.func grid_sync(.param .b64 workspace, .param .b32 first)
{
	.reg .pred %p<4>;
	.reg .b32 %r<8>;
	.reg .b64 %w;
	ld.param.u64 %w, [workspace];
	ld.param.u32 %r0, [first];
	barrier.sync 0;
	mov.u32 %r1, %tid.x;
	setp.ne.u32 %p0, %r1, 0;
	@%p0 bra OTHERS;
	mov.u32 %r2, %nctaid.x;
	sub.u32 %r3, 0x80000001, %r2;
	setp.ne.u32 %p1, %r0, 0;
	selp.u32 %r3, %r3, 1, %p1;
	fence.acq_rel.gpu;
	atom.add.release.gpu.u32 %r4, [%w+4], %r3;
SPIN:
	ld.acquire.gpu.u32 %r5, [%w+4];
	xor.b32 %r6, %r5, %r4;
	setp.ge.s32 %p2, %r6, 0;
	@%p2 bra SPIN;
OTHERS:
	barrier.sync 0;
	ret;
}

.visible .entry passes(.param .u64 out, .param .u32 n)
{
	.reg .pred %p<4>;
	.reg .b32 %r<20>;
	.reg .b64 %rd<8>;
	ld.param.u64 %rd1, [out];
	ld.param.u32 %r1, [n];
	mov.u32 %r2, %envreg1;
	mov.u32 %r3, %envreg2;
	mov.b64 %rd2, {%r3, %r2};
	mov.u32 %r4, %ctaid.x;
	setp.eq.u32 %p1, %r4, 0;
	selp.u32 %r5, 1, 0, %p1;
	mov.u32 %r6, %ntid.x;
	mov.u32 %r7, %tid.x;
	mad.lo.u32 %r8, %r4, %r6, %r7;
	mov.u32 %r9, %nctaid.x;
	mul.lo.u32 %r9, %r9, %r6;
	mov.u32 %r10, 0;
	mov.u32 %r11, 1;
PHASE:
	mad.lo.u32 %r12, %r10, %r9, %r8;
	mad.wide.u32 %rd3, %r12, 4, %rd1;
	st.global.u32 [%rd3], %r11;
	{
	.param .b64 w; .param .b32 f;
	st.param.b64 [w], %rd2;
	st.param.b32 [f], %r5;
	call.uni grid_sync, (w, f);
	}
	sub.u32 %r13, %r9, %r8;
	sub.u32 %r13, %r13, 1;
	mad.lo.u32 %r13, %r10, %r9, %r13;
	mad.wide.u32 %rd4, %r13, 4, %rd1;
	ld.global.u32 %r14, [%rd4];
	add.u32 %r11, %r14, 1;
	add.u32 %r10, %r10, 1;
	setp.lt.u32 %p2, %r10, %r1;
	@%p2 bra PHASE;
	ret;
}
`

// A barrier of the grid in a function that is called.
func TestGridBarrierInFunction(t *testing.T) {
	d := open(t, hostdev.Config{Workers: 2, MemoryLimit: 1 << 30})
	f := lookUp(t, d, passes, "passes")
	const blocks, threads, n = 9, 40, 5
	out, err := d.Alloc(4 * n * blocks * threads)
	require.NoError(t, err)
	require.NoError(t, d.Fill(out, 0, 4, n*blocks*threads, 0))
	p := binary.LittleEndian.AppendUint64(nil, uint64(out))
	_, err = d.Launch(&driver.Launch{
		Function: f, Grid: driver.Dim3{X: blocks, Y: 1, Z: 1}, Block: driver.Dim3{X: threads, Y: 1, Z: 1},
		Params: binary.LittleEndian.AppendUint32(p, n), Cooperative: true,
	})
	require.NoError(t, err)
	require.NoError(t, d.Synchronize(0))
	b := make([]byte, 4*n*blocks*threads)
	require.NoError(t, d.Read(b, out, 0))
	got := make([]uint32, n*blocks*threads)
	_, err = binary.Decode(b, binary.LittleEndian, got)
	require.NoError(t, err)
	for i, v := range got {
		require.Equal(t, uint32(i/(blocks*threads)+1), v, "thread %d in phase %d", i%(blocks*threads), i/(blocks*threads))
	}
	require.NoError(t, d.Close())
}
