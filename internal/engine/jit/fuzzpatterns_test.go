//go:build linux && (amd64 || arm64)

package jit_test

import (
	"fmt"
	"strings"
)

// This file writes what programs consist of and engines have special code for.

// pattern writes what threads do each by themselves.
func (g *generator) pattern(guard string) {
	switch g.r.IntN(14) {
	case 11:
		g.call(guard)
	case 12:
		g.constant(guard)
	case 9: // the time is open, but not that it has 32 bits
		g.line("mov.u32 %%t, %%clock;")
		g.line("popc.b32 %%t, %%t;")
		g.line("setp.gt.u32 %s, %%t, 32;", g.reg('p'))
	case 0, 1:
		g.walk()
	case 2:
		g.escape()
	case 3:
		g.ways()
	case 4:
		g.gather(guard)
	case 5:
		g.surface(guard)
	case 6:
		if !g.lone {
			g.line("%s;", g.pick("membar.cta", "membar.gl", "membar.sys", "fence.acq_rel.gpu", "fence.sc.cta"))
		}
	case 7: // which lanes are together is open, but that the thread is one of them is not
		g.line("activemask.b32 %%t;")
		g.line("mov.u32 %%i7, %%laneid;")
		g.line("shr.u32 %%t, %%t, %%i7;")
		g.line("and.b32 %s, %%t, 1;", g.reg('r'))
	case 8:
		g.line("%smov.u64 %s, %s;", guard, g.reg('l'), g.pick("buffer", "%gridid", "buffer"))
	default:
		g.stencil(guard)
	}
}

// walk goes along the table with a pointer that a loop advances, as far as a number or the lane says.
func (g *generator) walk() {
	g.labels++
	k, c := g.labels, fmt.Sprintf("%%i%d", g.depth+1)
	step := []int{4, 8, 16, 64, 256, -4, -16}[g.r.IntN(7)]
	g.index()
	g.line("mul.wide.u32 %%a, %%t, 16;")
	g.line("add.s64 %%a, %%table, %%a;")
	g.line("add.s64 %%a, %%a, 128;")
	own := g.one(3)
	if own { // at the thread's own place
		g.line("add.s64 %%a, %%own, 128;")
	}
	if g.one(2) {
		g.line("mov.u32 %s, %d;", c, 1+g.r.IntN(5))
	} else {
		g.line("and.b32 %s, %s, 3;", c, g.reg('r'))
	}
	fmt.Fprintf(&g.b, "L%d:\n", k)
	if step%16 == 0 && !own && g.one(2) {
		g.line("ld.global.v4.f32 {%%f0, %%f1, %%f2, %%f3}, [%%a];")
	}
	for range 1 + g.r.IntN(3) {
		f := g.reg('f')
		g.line("ld.global.f32 %s, [%%a+%d];", f, 4*g.r.IntN(4))
		g.line("fma.rn.f32 %%f4, %s, %s, %%f4;", f, g.single())
	}
	if g.one(2) {
		g.line("ld.global.u32 %s, [%%a];", g.reg('r'))
	}
	g.line("add.s64 %%a, %%a, %d;", step)
	g.again(k, c)
}

// again ends a loop that goes round as often as c says, at least once.
func (g *generator) again(k int, c string) {
	g.line("sub.s32 %s, %s, 1;", c, c)
	g.line("setp.gt.s32 %%q, %s, 0;", c)
	g.line("@%%q bra L%d;", k)
}

// escape is a loop of one block that lanes leave one by one, by a number of their own or all at its end.
func (g *generator) escape() {
	g.labels++
	k, c := g.labels, fmt.Sprintf("%%i%d", g.depth+1)
	x, y := g.reg('f'), g.reg('f')
	g.line("mov.u32 %s, %d;", c, 1+g.r.IntN(12))
	fmt.Fprintf(&g.b, "L%d:\n", k)
	g.line("fma.rn.f32 %s, %s, %s, %s;", x, x, y, g.single())
	g.line("fma.rn.f32 %s, %s, %s, %s;", y, y, y, x)
	for range g.r.IntN(3) {
		g.line("add.s32 %s, %s, %s;", g.reg('r'), g.reg('r'), c)
	}
	g.line("sub.s32 %s, %s, 1;", c, c)
	g.line("setp.%s.f32 %%q, %s, 0f40800000;", g.pick("lt", "gtu", "leu"), x)
	switch g.r.IntN(3) {
	case 0:
		g.line("setp.ne.and.s32 %%q, %s, 0, %%q;", c)
		g.line("@%%q bra L%d;", k)
	case 1:
		p := g.reg('p')
		g.line("setp.gt.s32 %s, %s, 0;", p, c)
		g.line("and.pred %%q, %s, %%q;", p)
		g.line("@%%q bra L%d;", k)
	default:
		g.line("@%%q bra M%d;", k)
		g.line("setp.gt.s32 %%q, %s, 0;", c)
		g.line("@%%q bra L%d;", k)
		fmt.Fprintf(&g.b, "M%d:\n", k)
	}
}

// ways goes one of several ways by a number, which lanes share or not.
func (g *generator) ways() {
	g.labels++
	k, n := g.labels, 2+g.r.IntN(4)
	if g.one(2) {
		g.line("rem.u32 %%t, %s, %d;", g.pick("%r4", "%r3", fmt.Sprint(g.r.IntN(9))), n)
	} else {
		g.line("rem.u32 %%t, %s, %d;", g.reg('r'), n)
	}
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("W%d_%d", k, g.r.IntN(i+1)))
	}
	fmt.Fprintf(&g.b, "W%d: .branchtargets %s;\n", k, strings.Join(names, ", "))
	g.line("brx.idx %%t, W%d;", k)
	for i := range n {
		fmt.Fprintf(&g.b, "W%d_%d:\n", k, i)
		g.depth++
		g.instruction()
		g.depth--
		if g.one(2) {
			g.line("bra M%d;", k)
		}
	}
	fmt.Fprintf(&g.b, "M%d:\n", k)
}

// surface loads or stores the thread's texel, or a part of it.
func (g *generator) surface(guard string) {
	n := 1 << g.r.IntN(3)
	g.line("shl.b32 %%t, %%u, 4;")
	g.line("add.u32 %%t, %%t, %d;", 4*n*g.r.IntN(4/n))
	mode := g.pick("trap", "clamp", "zero")
	if g.one(2) {
		g.line("%ssust.b.1d%s.b32.%s [%%surface, {%%t}], %s;", guard, vector(n), mode, g.registers("b32", n))
	} else {
		g.line("%ssuld.b.1d%s.b32.%s %s, [%%surface, {%%t}];", guard, vector(n), mode, g.registers("b32", n))
	}
}

// stencil loads words around the thread's own.
func (g *generator) stencil(guard string) {
	sum := g.reg('f')
	for range 2 + g.r.IntN(5) {
		f := g.reg('f')
		g.line("%sld.global.f32 %s, [%%own+%d];", guard, f, 4*g.r.IntN(80))
		g.line("%sfma.rn.f32 %s, %s, %s, %s;", guard, sum, f, g.single(), sum)
	}
}

// together writes what the threads of a block or of a warp do together; all threads execute it.
func (g *generator) together() {
	switch g.r.IntN(8) {
	case 6:
		g.matrix()
	case 0:
		g.tree()
	case 1:
		g.scan()
	case 2:
		g.tile()
	case 3:
		g.warps()
	case 4:
		g.shuffleTree()
	case 5:
		if g.one(2) {
			g.line("bar.red.popc.u32 %s, 0, %s;", g.reg('r'), g.reg('p'))
		} else {
			g.line("bar.red.%s.pred %s, 0, %s;", g.pick("and", "or"), g.reg('p'), g.reg('p'))
		}
	default:
		g.handOver()
	}
}

// sum adds two words, or does something like it.
func (g *generator) sum() string {
	return g.pick("add.u32", "add.f32", "min.s32", "max.u32", "xor.b32", "min.f32", "mul.f32")
}

// tree folds the words of all threads into one, with half as many threads at each step.
func (g *generator) tree() {
	op, loop, k := g.sum(), g.one(2), g.labels+1
	kind := "r"
	if strings.HasSuffix(op, "f32") {
		kind = "f"
	}
	g.labels += 16
	g.line("bar.sync 0;")
	g.line("st.shared.b32 [%%mine], %%%s1;", kind)
	g.line("bar.sync 0;")
	step := func(label int, bytes string) {
		g.line("setp.ge.u32 %%q, %%lin, %%i6;")
		g.line("@%%q bra M%d;", label)
		g.line("ld.shared.b32 %%%s2, [%%mine];", kind)
		g.line("ld.shared.b32 %%%s3, [%s];", kind, bytes)
		g.line("%s %%%s2, %%%s2, %%%s3;", op, kind, kind, kind)
		g.line("st.shared.b32 [%%mine], %%%s2;", kind)
		fmt.Fprintf(&g.b, "M%d:\n", label)
		g.line("bar.sync 0;")
	}
	if loop {
		g.line("mov.u32 %%i6, %d;", g.slots()/2)
		fmt.Fprintf(&g.b, "L%d:\n", k)
		g.line("shl.b32 %%t, %%i6, 2;")
		g.line("add.u32 %%t, %%t, %%mine;")
		step(k, "%t")
		g.line("shr.u32 %%i6, %%i6, 1;")
		g.line("setp.ne.u32 %%q, %%i6, 0;")
		g.line("@%%q bra L%d;", k)
	} else {
		for n := g.slots() / 2; n > 0; n /= 2 {
			g.line("mov.u32 %%i6, %d;", n)
			step(k, fmt.Sprintf("%%mine+%d", 4*n))
			k++
		}
	}
	g.line("ld.shared.b32 %%%s4, [buffer];", kind)
	g.line("bar.sync 0;")
}

// scan adds up the words of the threads before, by Hillis and Steele.
func (g *generator) scan() {
	g.line("bar.sync 0;")
	g.line("mov.b32 %%r1, %s;", g.reg('r'))
	g.line("st.shared.u32 [%%mine], %%r1;")
	guarded := g.one(2)
	for n := 1; n < g.slots(); n *= 2 {
		g.line("bar.sync 0;")
		g.line("setp.ge.u32 %%q, %%lin, %d;", n)
		if guarded {
			g.line("mov.u32 %%r2, 0;")
			g.line("@%%q ld.shared.u32 %%r2, [%%mine-%d];", 4*n)
		} else {
			g.labels++
			g.line("mov.u32 %%r2, 0;")
			g.line("@!%%q bra M%d;", g.labels)
			g.line("ld.shared.u32 %%r2, [%%mine-%d];", 4*n)
			fmt.Fprintf(&g.b, "M%d:\n", g.labels)
		}
		g.line("add.u32 %%r1, %%r1, %%r2;")
		g.line("bar.sync 0;")
		g.line("st.shared.u32 [%%mine], %%r1;")
	}
	g.line("bar.sync 0;")
}

// tile multiplies a row by a column of a matrix in shared memory, as wide as the block.
func (g *generator) tile() {
	wide := int(g.block[0])
	n := min(wide, g.threads()/wide, 8)
	g.line("bar.sync 0;")
	g.line("st.shared.f32 [%%mine], %s;", g.reg('f'))
	g.line("bar.sync 0;")
	g.line("mov.u32 %%t, %%tid.x;")
	g.line("sub.u32 %%i6, %%lin, %%t;") // where the row begins
	g.line("shl.b32 %%i6, %%i6, 2;")
	g.line("shl.b32 %%t, %%t, 2;")
	if g.one(2) {
		for k := range n {
			g.line("ld.shared.f32 %%f1, [%%i6+%d];", 4*k)
			g.line("ld.shared.f32 %%f2, [%%t+%d];", 4*wide*k)
			g.line("fma.rn.f32 %%f3, %%f1, %%f2, %%f3;")
		}
	} else {
		g.labels++
		g.line("mov.u32 %%i7, %d;", n)
		fmt.Fprintf(&g.b, "L%d:\n", g.labels)
		g.line("ld.shared.f32 %%f1, [%%i6];")
		g.line("ld.shared.f32 %%f2, [%%t];")
		g.line("fma.rn.f32 %%f3, %%f1, %%f2, %%f3;")
		g.line("add.u32 %%i6, %%i6, 4;")
		g.line("add.u32 %%t, %%t, %d;", 4*wide)
		g.again(g.labels, "%i7")
	}
	g.line("bar.sync 0;")
}

// warps does what lanes of a warp can do together.
func (g *generator) warps() {
	switch g.r.IntN(3) {
	case 0:
		g.line("bar.warp.sync -1;")
	case 1:
		g.line("and.b32 %%t, %s, 3;", g.reg('r'))
		g.line("match.any.sync.b32 %s, %%t, -1;", g.reg('r'))
	default:
		g.line("redux.sync.%s %s, %s, -1;", g.pick("add.u32", "min.s32", "max.u32", "and.b32", "or.b32", "xor.b32"), g.reg('r'), g.reg('r'))
	}
}

// shuffleTree folds a value of each lane by shuffles.
func (g *generator) shuffleTree() {
	how, clamp := g.pick("down", "bfly"), "31"
	op := g.pick("add.u32", "max.s32", "xor.b32")
	for n := 16; n > 0; n /= 2 {
		g.line("shfl.sync.%s.b32 %%t, %%r7, %d, %s, -1;", how, n, clamp)
		g.line("%s %%r7, %%r7, %%t;", op)
	}
}

// handOver lets one warp wait for the others, which do not wait for it.
func (g *generator) handOver() {
	if n := g.threads(); n%32 == 0 && n > 32 {
		g.labels++
		k := g.labels
		g.line("setp.lt.u32 %%q, %%lin, 32;")
		g.line("@%%q bra L%d;", k)
		g.line("bar.arrive 1, %d;", n)
		g.line("bra M%d;", k)
		fmt.Fprintf(&g.b, "L%d:\n", k)
		g.line("bar.sync 1, %d;", n)
		fmt.Fprintf(&g.b, "M%d:\n", k)
		g.line("bar.sync 0;")
	}
}
