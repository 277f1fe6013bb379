//go:build linux && (amd64 || arm64)

package jit_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// foundPTX is a kernel with the thread's number in the grid in %u, its place in the results in %at, and the body that it is given.
const foundPTX = `.version 8.4
.target sm_90
.address_size 64
.visible .entry k(.param .u64 out, .param .u64 table, .param .u32 n)
{
	.reg .b32 %%r<10>, %%u, %%t; .reg .f32 %%f<8>; .reg .b64 %%l<5>, %%out, %%table, %%at, %%a; .reg .b16 %%h<3>; .reg .pred %%p<4>;
	.shared .align 16 .b8 buffer[2048];
	ld.param.u64 %%out, [out];
	ld.param.u64 %%table, [table];
	mov.u32 %%u, %%ctaid.x;
	mov.u32 %%t, %%ntid.x;
	mov.u32 %%r0, %%tid.x;
	mad.lo.u32 %%u, %%u, %%t, %%r0;
	mad.wide.u32 %%at, %%u, 16, %%out;
%s
	ret;
}
`

// found are kernels on which engines once disagreed, or failed, with what was wrong.
var found = map[string]string{
	// A group was made of them, which takes addresses to be a stride apart.
	"bytes at lanes' places by a table": `
	mov.u32 %r1, %laneid;
	mul.lo.u32 %t, %r1, 72;
	and.b32 %t, %t, 511;
	cvt.u64.u32 %a, %t;
	add.s64 %a, %table, %a;
	ld.global.u8 %r2, [%a+10];
	ld.global.u8 %r3, [%a+63];
	st.global.v2.b32 [%at], {%r2, %r3};`,
	// It was not compiled: what loads cannot do in code was taken for a number that all lanes share.
	"a load at a large distance that nobody executes": `
	setp.gt.u32 %p0, %t, 1024;
	mov.u32 %r1, 7;
	@%p0 ld.global.u32 %r1, [%table+1073741824];
	st.global.u32 [%at], %r1;`,
	// The reference engine goes on there, and the factor of the index was 0 for it.
	"an index behind a barrier that counts": `
	mul.lo.u32 %r1, %r0, %r0;
	and.b32 %r1, %r1, 63;
	mul.wide.u32 %l1, %u, 4;
	setp.gt.u32 %p1, %r0, 5;
	bar.red.popc.u32 %r2, 0, %p1;
	mad.wide.u32 %a, %r1, 4, %table;
	ld.global.u32 %r3, [%a];
	st.global.v2.u32 [%at], {%r2, %r3};`,
	// The NaN became the canonical one.
	"a NaN that is copied and flushed": `
	mad.wide.u32 %a, %u, 4, %table;
	ld.global.b32 %r1, [%a];
	and.b32 %r1, %r1, 0x803fffff;
	or.b32 %r1, %r1, 0x7f800001;
	mov.b32 %f0, %r1;
	cvt.ftz.f32.f32 %f0, %f0;
	st.global.f32 [%at], %f0;`,
	// It became the canonical one in lanes that had it from another way, in the register that both ways share.
	"a NaN where a float joins bits": `
	mad.wide.u32 %a, %u, 4, %table;
	ld.global.b32 %r1, [%a];
	or.b32 %r1, %r1, 0x7f800001;
	ld.global.f32 %f0, [%a+4];
	add.f32 %f0, %f0, %f0;
	setp.ge.u32 %p0, %u, 20;
	@!%p0 bra A;
	mov.b32 %f0, %r1;
A:
	st.global.v2.b32 [%at], {%f0, %r1};`,
	// A predicate that nothing reads was written into the register of an address that is computed before it.
	"a predicate that only what nothing reads has read": `
	mov.u32 %r5, buffer;
	shl.b32 %r1, %r0, 5;
	add.u32 %r1, %r1, %r5;
	xor.b32 %r2, %r0, 33;
	shl.b32 %r2, %r2, 2;
	add.u32 %r2, %r2, %r5;
	ld.shared.u32 %r3, [%r2];
	testp.normal.f32 %p0, %f5;
	@%p0 setp.lt.u32 %p0, %r3, %r4;
	cvt.u64.u32 %a, %r1;
	cvta.shared.u64 %a, %a;
	st.u64 [%a], %l2;
	or.pred %p0, %p3, %p2;`,
	// They were compared as numbers of 32 bits.
	"numbers of 64 bits that lanes share": `
	ld.global.u64 %l0, [%table];
	ld.global.u64 %l1, [%table+8];
	ld.global.u64 %l2, [%table+16];
	shl.b64 %l2, %l0, 32;
	mov.u32 %r1, 0;
	setp.lt.s64 %p0, %l0, %l1;
	@%p0 or.b32 %r1, %r1, 1;
	setp.gt.u64 %p0, %l2, %l1;
	@%p0 or.b32 %r1, %r1, 2;
	setp.le.s64 %p0, %l2, %l0;
	@%p0 bra A;
	or.b32 %r1, %r1, 4;
A:
	setp.ge.u64 %p0, %l1, %l2;
	@!%p0 bra B;
	or.b32 %r1, %r1, 8;
B:
	st.global.u32 [%at], %r1;`,
}

// TestFound runs the kernels that random comparisons found, and those whose seed was found before the generator changed.
func TestFound(t *testing.T) {
	for name, body := range found {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(8) {
				for _, s := range []shape{{[3]uint32{3, 1, 1}, [3]uint32{64, 1, 1}}, {[3]uint32{2, 1, 1}, [3]uint32{1, 1, 1}}} {
					c := trial{fmt.Sprintf(foundPTX, body), seed, s, false}
					require.Empty(t, c.difference(t, map[string]uint64{}))
				}
			}
		})
	}
}
