//go:build linux && (amd64 || arm64)

package jit_test

import "fmt"

// kernel returns the text of a kernel for a trial of the generator's shape. Its registers beside those of genR and so on:
// %lin and %u are the thread's number in the block and in the grid; %mine the shared address of the thread's word of the
// first half of the exchange buffer, %other that of another thread, %slot that of 32 bytes of its own; %own the
// thread's word of the table, %two its pair of words, %owned the global address of genOwned bytes of its own; %extra that of the
// rows behind the results; %depot that of its local memory.
func (g *generator) kernel() string {
	g.b.WriteString(".version 8.4\n.target sm_90\n.address_size 64\n.global .align 16 .b8 gvar[1024];\n.const .align 16 .b8 cvar[1024];\n")
	g.b.WriteString(functions)
	if g.local {
		g.b.WriteString(framed)
	}
	g.b.WriteString(".visible .entry k(.param .u64 out, .param .u64 table, .param .u32 n, .param .u64 surface, .param .align 16 .b8 block[64])\n{\n")
	g.line(".reg .b32 %%r<%d>, %%t, %%u, %%lin, %%mine, %%other, %%slot, %%i<9>; .reg .f32 %%f<%d>; .reg .f64 %%d<%d>; .reg .b16 %%h<%d>;", genR, genF, genD, genH)
	g.line(".reg .b64 %%l<%d>, %%a, %%out, %%table, %%own, %%owned, %%depot, %%base, %%two, %%extra, %%surface;", genL)
	g.line(".reg .pred %%p<%d>, %%q, %%none; .shared .align 16 .b8 buffer[%d];", genP, 8*g.slots()+32*g.threads())
	if g.local {
		g.line(".local .align 16 .b8 depot[64];")
	}
	g.number()
	g.addresses()
	g.line(bodyBegins)
	g.values()
	g.inTurn()
	faults := g.faults
	for range 2 + g.r.IntN(3) {
		g.statements(3 + g.r.IntN(8))
		if g.one(2) {
			g.exchange()
		}
		if faults && g.one(3) {
			g.fault()
			faults = false
		}
	}
	if g.one(4) { // some threads end before the others
		g.line("%s %s;", "@"+g.pick("", "!")+g.reg('p'), g.pick("exit", "ret"))
		g.statements(3)
	}
	g.line(bodyEnds)
	g.store()
	g.line("%s;", g.pick("ret", "ret", "exit"))
	g.b.WriteString("}\n")
	return g.b.String()
}

func (g *generator) lines(list ...string) {
	for _, s := range list {
		g.line("%s;", s)
	}
}

// number computes the thread's place in the block and in the grid.
func (g *generator) number() {
	g.lines("mov.u32 %r0, %tid.x", "mov.u32 %r1, %tid.y", "mov.u32 %r2, %ntid.x", "mov.u32 %r3, %ctaid.x", "mov.u32 %lin, %r0")
	if g.block[1]*g.block[2] > 1 {
		g.lines("mov.u32 %t, %tid.z", "mov.u32 %u, %ntid.y", "mad.lo.u32 %t, %t, %u, %r1", "mad.lo.u32 %lin, %t, %r2, %r0")
	}
	if g.grid[1]*g.grid[2] > 1 {
		g.lines("mov.u32 %t, %ctaid.z", "mov.u32 %u, %nctaid.y", "mov.u32 %r3, %ctaid.y", "mad.lo.u32 %t, %t, %u, %r3",
			"mov.u32 %u, %nctaid.x", "mov.u32 %r3, %ctaid.x", "mad.lo.u32 %r3, %t, %u, %r3")
	}
	if g.block[1]*g.block[2] == 1 && g.one(2) {
		g.lines("mad.lo.u32 %u, %r3, %r2, %r0")
	} else {
		g.lines(fmt.Sprintf("mad.lo.u32 %%u, %%r3, %d, %%lin", g.threads()))
	}
}

// addresses computes those of what belongs to the thread.
func (g *generator) addresses() {
	convert := ""
	if !g.lone && g.one(2) { // as nvcc writes it
		convert = "cvta.to.global.u64 "
	}
	for _, name := range []string{"out", "table"} {
		g.line("ld.param.u64 %%%s, [%s];", name, name)
		if convert != "" {
			g.line("%s%%%s, %%%s;", convert, name, name)
		}
	}
	g.lines("ld.param.u64 %surface, [surface]", "shl.b32 %mine, %lin, 2", "xor.b32 %other, %mine, 132", "mov.u32 %t, buffer",
		"add.u32 %mine, %mine, %t", "add.u32 %other, %other, %t",
		"shl.b32 %slot, %lin, 5", fmt.Sprintf("add.u32 %%slot, %%slot, %d", 8*g.slots()), "add.u32 %slot, %slot, %t",
		"mad.wide.u32 %own, %u, 4, %table", "mad.wide.u32 %two, %u, 8, %table",
		fmt.Sprintf("mad.wide.u32 %%owned, %%u, %d, %%table", genOwned), fmt.Sprintf("add.u64 %%owned, %%owned, %d", genTable),
		fmt.Sprintf("add.u64 %%extra, %%out, %d", g.results()))
	if g.local {
		g.lines("mov.u64 %depot, depot")
	}
}

// values gives every register a value.
func (g *generator) values() {
	g.lines("ld.param.u32 %r4, [n]", "mov.u32 %r5, %u", "ld.global.u32 %r6, [%own]", "ld.global.u32 %r7, [%own+256]", "mov.u32 %r8, %laneid", "mov.u32 %r9, 5",
		"ld.global.f32 %f0, [%own]", "ld.global.f32 %f1, [%own+4]", "cvt.rn.f32.u32 %f2, %u", "ld.global.f32 %f3, [%table]", "mov.f32 %f4, 0f3FC00000",
		"mov.f32 %f5, 0f00000000", "ld.global.f32 %f6, [%own+512]", "mov.f32 %f7, %f2", "cvt.f64.f32 %d0, %f0", "cvt.f64.f32 %d1, %f2", "mov.f64 %d2, 0d3FF8000000000000",
		"cvt.u64.u32 %l0, %u", "mul.wide.s32 %l1, %r6, 77", "mov.u64 %l2, %table", "sub.u64 %l2, %own, %l2", "mov.u64 %l3, 12345678901", "cvt.s64.s32 %l4, %r7",
		"cvt.u16.u32 %h0, %u", "cvt.u16.u32 %h1, %r6", "cvt.u16.u32 %h2, %r8", fmt.Sprintf("st.shared.u32 [%%mine+%d], %%r6", 4*g.slots()),
		"setp.gt.u32 %p0, %r8, 13", "setp.lt.s32 %p1, %r6, 0", "setp.eq.u32 %p2, %r3, 0", "setp.lt.f32 %p3, %f0, %f1")
	for i := range 4 {
		g.line("st.shared.u64 [%%slot+%d], %%l%d;", 8*i, i)
	}
	for i := 0; g.local && i < 8; i++ {
		g.line("st.local.u64 [depot+%d], %%l%d;", 8*i, i%genL)
	}
}

// store stores all registers: one thread's behind the other's, or one kind's.
func (g *generator) store() {
	g.line("mad.wide.u32 %%base, %%u, %d, %%out;", genStride)
	at := 0
	store := func(as, kind string, n, size int) {
		for i := range n {
			if g.rows {
				g.line("mad.wide.u32 %%a, %%u, %d, %%out;", size)
				g.line("st.global.%s [%%a+%d], %%%s%d;", as, g.all()*at, kind, i)
			} else {
				g.line("st.global.%s [%%base+%d], %%%s%d;", as, at, kind, i)
			}
			at += size
		}
	}
	store("f64", "d", genD, 8)
	store("b64", "l", genL, 8)
	store("b32", "r", genR, 4)
	store("f32", "f", genF, 4)
	g.line("mov.u32 %%i8, 0;")
	for i := range genP {
		g.line("@%%p%d or.b32 %%i8, %%i8, %d;", i, 1<<i)
	}
	g.line("mov.b32 %%r0, %%i8;")
	for i := range genH {
		g.line("cvt.u32.u16 %%r%d, %%h%d;", 1+i, i)
	}
	store("b32", "r", 1+genH, 4)
}

// fault stops the launch in one warp of one block.
func (g *generator) fault() {
	g.line("shr.u32 %%t, %%lin, 5;")
	g.line("setp.eq.u32 %%q, %%t, %d;", g.r.IntN((g.threads()+31)/32))
	g.line("setp.eq.and.u32 %%q, %%r3, %d, %%q;", g.r.IntN(volume(g.grid)))
	if g.one(2) { // and in some lanes of it
		g.line("setp.gt.and.u32 %%q, %s, %s, %%q;", g.reg('r'), g.reg('r'))
	}
	g.line("@%%q %s;", g.pick("trap", "trap", "ld.global.u32 %r0, [%own+1]", "st.shared.u32 [%slot+1048576], %r1", "ld.global.f32 %f0, [%own+1073741824]", "st.global.u64 [%owned+4], %l0"))
}
