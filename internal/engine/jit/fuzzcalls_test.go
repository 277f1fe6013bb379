//go:build linux && (amd64 || arm64)

package jit_test

import (
	"fmt"
	"strings"
)

// This file writes functions and calls of them, matrices in shared memory, and predicates that have one value.

// functions are what kernels call. With a parameter in registers, with a structure of which parts are written and read in
// other widths than it is passed in, with threads that return early, with a loop and with a frame in local memory.
const functions = `.func (.reg .b32 %back) sum(.reg .b32 %x, .reg .f32 %y)
{
	.reg .b32 %t; .reg .pred %p;
	mov.b32 %t, %y;
	sub.u32 %back, %x, %t;
	setp.lt.s32 %p, %x, 0;
	@%p ret;
	add.u32 %back, %back, 77;
	ret;
}
.func (.param .align 8 .b8 back[20]) mix(.param .align 8 .b8 in[20])
{
	.reg .b32 %x<3>; .reg .f32 %f; .reg .b64 %y; .reg .b16 %h; .reg .pred %p;
	ld.param.u32 %x0, [in];
	ld.param.u32 %x1, [in+4];
	ld.param.b64 %y, [in+8];
	ld.param.u16 %h, [in+2];
	ld.param.f32 %f, [in+16];
	and.b32 %x2, %x1, 3;
	setp.eq.u32 %p, %x2, 0;
	@%p bra DONE;
AGAIN:
	mad.lo.u32 %x0, %x0, %x1, %x2;
	fma.rn.f32 %f, %f, %f, 0f3F000000;
	add.s64 %y, %y, 12345;
	sub.u32 %x2, %x2, 1;
	setp.ne.u32 %p, %x2, 0;
	@%p bra AGAIN;
DONE:
	st.param.u32 [back], %x0;
	st.param.b16 [back+4], %h;
	st.param.u8 [back+6], %x1;
	st.param.u8 [back+7], %x0;
	st.param.b64 [back+8], %y;
	st.param.f32 [back+16], %f;
	ret;
}
`

const framed = `.func (.param .b32 back) kept(.param .b32 in, .param .b32 at)
{
	.reg .b32 %x<2>; .reg .b64 %a, %b; .local .align 8 .b8 frame[16];
	ld.param.b32 %x0, [in];
	ld.param.b32 %x1, [at];
	st.local.v2.b32 [frame], {%x0, %x1};
	st.local.v2.b32 [frame+8], {%x1, %x0};
	and.b32 %x1, %x1, 12;
	cvt.u64.u32 %a, %x1;
	mov.u64 %b, frame;
	add.u64 %a, %a, %b;
	ld.local.b32 %x0, [%a];
	st.param.b32 [back], %x0;
	ret;
}
`

// call lets threads call a function, with registers of their own.
func (g *generator) call(guard string) {
	r := func() string { return g.reg('r') }
	switch n := g.r.IntN(3); {
	case n == 0:
		g.line("%scall (%s), sum, (%s, %s);", guard, r(), r(), g.reg('f'))
	case n == 1 && g.local:
		g.line("{ .param .b32 in; .param .b32 at; .param .b32 back; st.param.b32 [in], %s; st.param.b32 [at], %s; %scall (back), kept, (in, at); ld.param.b32 %s, [back]; }",
			r(), r(), guard, r())
	default:
		g.line("{ .param .align 8 .b8 in[20]; .param .align 8 .b8 back[20]; st.param.b32 [in], %s; st.param.u32 [in+4], %s; st.param.b64 [in+8], %s; st.param.f32 [in+16], %s; "+
			"%scall (back), mix, (in); ld.param.b32 %s, [back]; ld.param.b32 %s, [back+4]; ld.param.f64 %s, [back+8]; ld.param.b32 %s, [back+16]; }",
			r(), r(), g.reg('l'), g.reg('f'), guard, r(), r(), g.reg('d'), r())
	}
}

// constant reads a predicate that has one value, or was never written.
func (g *generator) constant(guard string) {
	p := g.reg('p')
	switch g.r.IntN(3) {
	case 0:
		g.line("%smov.pred %s, %%is_explicit_cluster;", guard, p)
	case 1:
		g.line("@%s%%none xor.b32 %s, %s, 21;", g.pick("", "!"), g.reg('r'), g.reg('r'))
	default:
		g.line("%s%s.pred %s, %s, %%none;", guard, g.pick("and", "or", "xor"), p, g.reg('p'))
	}
}

// matrix lets the lanes of a warp load rows of shared memory for each other, or, where all lanes are there, store them; all
// threads execute it.
func (g *generator) matrix() {
	n := 1 << g.r.IntN(3)
	trans := g.pick("", ".trans")
	var list []string
	for _, i := range g.r.Perm(genR)[:n] {
		list = append(list, fmt.Sprintf("%%r%d", i))
	}
	registers := "{" + strings.Join(list, ", ") + "}"
	g.line("bar.sync 0;")
	if g.threads()%32 == 0 && g.one(2) {
		g.line("stmatrix.sync.aligned.m8n8.x%d%s.shared.b16 [%%slot+%d], %s;", n, trans, 16*g.r.IntN(2), registers)
		g.line("bar.sync 0;")
		return
	}
	g.line("st.shared.b32 [%%mine], %s;", g.reg('r'))
	g.line("bar.sync 0;")
	g.line("and.b32 %%t, %s, %d;", g.pick("%lin", g.reg('r')), g.slots()/4-1)
	g.line("shl.b32 %%t, %%t, 4;")
	g.line("mov.u32 %%i8, buffer;")
	g.line("add.u32 %%t, %%t, %%i8;")
	at := "%t"
	if g.one(2) {
		at = "%a"
		g.line("cvt.u64.u32 %%a, %%t;")
	}
	g.line("ldmatrix.sync.aligned.m8n8.x%d%s.shared.b16 %s, [%s+%d];", n, trans, registers, at, 16*g.r.IntN(2)*g.slots()/4)
	g.line("bar.sync 0;")
}
