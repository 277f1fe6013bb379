//go:build linux && (amd64 || arm64)

package jit_test

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine/enginetest"
)

// generator writes random kernels: every thread computes on registers of each kind, reads a table, exchanges values
// through shared memory and warp operations, goes its own ways, and stores all its registers at the end. No result depends
// on the order of threads.
type generator struct {
	seed uint64
	r    *rand.Rand
	b    strings.Builder
	shape
	choices
	labels int
	depth  int
	// lone: blocks tell each other nothing, and nothing is loaded that the kernel stores, so that stores may go past the
	// caches. rows: the results of a kind lie in rows. local: there is local memory. faults: a warp may stop the launch.
	lone, rows, local, faults bool
}

func newGenerator(t testing.TB, seed uint64) *generator {
	r := rand.New(rand.NewPCG(seed, 1))
	known, err := tabled()
	require.NoError(t, err)
	g := &generator{seed: seed, r: r, shape: randomShape(r), choices: known}
	g.lone, g.rows, g.local, g.faults = g.one(3), g.one(2), seed%2 == 0, g.one(12)
	return g
}

// choices are what generators choose from.
type choices struct {
	instructions []enginetest.Instruction
	turns        []func(g *generator)
}

// tabled are the instructions of the run files, and the turns with them.
var tabled = sync.OnceValues(func() (choices, error) {
	instructions, err := enginetest.Instructions()
	return choices{instructions, turns(instructions)}, err
})

// one is true once in n times.
func (g *generator) one(n int) bool { return g.r.IntN(n) == 0 }

// slots is the number of words that threads exchange, a power of two.
func (g *generator) slots() int { return max(64, 1<<bits.Len(uint(g.threads()-1))) }

// registers of each kind that a kernel has.
const (
	genR, genF, genD, genL, genP, genH = 10, 8, 3, 5, 4, 3
	genWords                           = genR + genF + 2*genD + 2*genL + genH + 1
)

func (g *generator) line(format string, args ...any) { fmt.Fprintf(&g.b, "\t"+format+"\n", args...) }

func (g *generator) pick(list ...string) string { return list[g.r.IntN(len(list))] }

func (g *generator) reg(kind byte) string {
	n := map[byte]int{'r': genR, 'f': genF, 'd': genD, 'l': genL, 'p': genP, 'h': genH}[kind]
	return fmt.Sprintf("%%%c%d", kind, g.r.IntN(n))
}

// word is an operand of 32 bits: a register or a number.
func (g *generator) word() string {
	switch g.r.IntN(5) {
	case 0:
		return fmt.Sprint(g.r.IntN(70) - 3)
	case 1:
		return fmt.Sprint(int32(g.r.Uint32()))
	}
	return g.reg('r')
}

// single is an operand of type f32.
func (g *generator) single() string {
	if g.r.IntN(4) == 0 {
		return fmt.Sprintf("0f%08X", []uint32{0, 1 << 31, 0x3f800000, 0xbf000000, 0x7f800000, 0x7fc00001, 1, 0x41200000, g.r.Uint32()}[g.r.IntN(9)])
	}
	return g.reg('f')
}

// instruction writes one instruction that every thread executes alone.
func (g *generator) instruction() {
	r, f, p := func() string { return g.reg('r') }, func() string { return g.reg('f') }, func() string { return g.reg('p') }
	w, s, guard := g.word, g.single, g.guard()
	out := func(format string, args ...any) { g.line("%s"+format, append([]any{guard}, args...)...) }
	switch g.r.IntN(60) {
	case 30, 31, 32, 33, 34, 35:
		g.form(g.pick(forms...))
	case 36, 37, 38, 39, 40, 41, 42, 43, 44:
		g.tabled(g.instructions[g.r.IntN(len(g.instructions))], guard)
	case 45, 46, 47, 48, 49, 50, 51, 52:
		g.access(guard)
	case 53, 54, 55:
		g.atomic(guard)
	case 56, 57, 58, 59:
		g.pattern(guard)
	case 0, 1, 2:
		out("%s.%s %s, %s, %s;", g.pick("add", "sub", "mul.lo", "min", "max", "mul.hi", "div", "rem"), g.pick("s32", "u32"), r(), r(), w())
	case 3:
		out("%s.b32 %s, %s, %s;", g.pick("and", "or", "xor"), r(), r(), w())
	case 4:
		out("%s %s, %s, %s;", g.pick("shl.b32", "shr.u32", "shr.s32"), r(), r(), g.pick(r(), fmt.Sprint(g.r.IntN(40))))
	case 5:
		out("%s %s, %s;", g.pick("not.b32", "neg.s32", "abs.s32", "popc.b32", "clz.b32", "brev.b32", "cnot.b32"), r(), r())
	case 6:
		out("mad.lo.s32 %s, %s, %s, %s;", r(), r(), w(), r())
	case 7:
		out("selp.b32 %s, %s, %s, %s;", r(), r(), w(), p())
	case 8:
		out("lop3.b32 %s, %s, %s, %s, %d;", r(), r(), r(), r(), g.r.IntN(256))
	case 9, 10:
		out("setp.%s.%s %s, %s, %s;", g.comparison(), g.pick("s32", "u32"), p(), r(), w())
	case 11:
		out("%s.pred %s, %s, %s;", g.pick("and", "or", "xor"), p(), p(), p())
	case 12, 13:
		out("%s%s.f32 %s, %s, %s;", g.pick("add", "sub", "mul"), g.pick("", "", ".rz", ".rm.ftz", ".rp", ".sat"), f(), s(), f())
	case 14:
		out("fma.%s.f32 %s, %s, %s, %s;", g.pick("rn", "rn", "rz", "rp.ftz", "rn.sat"), f(), s(), f(), s())
	case 15:
		out("%s.f32 %s, %s, %s;", g.pick("min", "max", "min.ftz", "div.rn", "div.approx", "div.full"), f(), s(), f())
	case 16:
		out("%s.f32 %s, %s;", g.pick("neg", "abs", "sqrt.rn", "rcp.rn", "sqrt.approx", "rsqrt.approx", "ex2.approx", "lg2.approx", "sin.approx", "neg.ftz", "rsqrt.approx.ftz"), f(), s())
	case 17:
		out("setp.%s.f32 %s, %s, %s;", g.pick("eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"), p(), f(), s())
	case 18:
		out("selp.f32 %s, %s, %s, %s;", f(), f(), s(), p())
	case 19:
		out("cvt.%s %s, %s;", g.pick("rn.f32.s32", "rn.f32.u32", "rz.f32.s32"), f(), r())
	case 20:
		out("cvt.%s %s, %s;", g.pick("rzi.s32.f32", "rni.u32.f32", "rmi.s32.f32", "rpi.u32.f32"), r(), f())
	case 21:
		if g.r.IntN(2) == 0 {
			out("mov.b32 %s, %s;", r(), f())
		} else {
			out("mov.b32 %s, %s;", f(), r())
		}
	case 22, 23, 24, 25, 26, 27:
		g.wide(guard)
	case 28:
		g.load(guard)
	case 29:
		out("mov.u32 %s, %%%s;", r(), g.pick(specialRegisters...))
	}
}

// guard is a predicate in front of an instruction, or mostly nothing.
func (g *generator) guard() string {
	if g.one(8) {
		return "@" + g.pick("", "!") + g.reg('p') + " "
	}
	return ""
}

// specialRegisters are those whose value no engine is free to choose.
var specialRegisters = []string{
	"tid.x", "tid.y", "tid.z", "ntid.x", "ntid.y", "ntid.z", "ctaid.x", "ctaid.y", "ctaid.z", "nctaid.x", "nctaid.y", "nctaid.z",
	"laneid", "warpid", "nwarpid", "smid", "nsmid", "lanemask_eq", "lanemask_lt", "lanemask_le", "lanemask_gt", "lanemask_ge",
	"dynamic_smem_size", "total_smem_size",
}

func (g *generator) comparison() string { return g.pick("eq", "ne", "lt", "le", "gt", "ge") }

// wide writes an instruction on 64 bits.
func (g *generator) wide(guard string) {
	r, f, p := func() string { return g.reg('r') }, func() string { return g.reg('f') }, func() string { return g.reg('p') }
	d, l := func() string { return g.reg('d') }, func() string { return g.reg('l') }
	out := func(format string, args ...any) { g.line("%s"+format, append([]any{guard}, args...)...) }
	switch 22 + g.r.IntN(6) {
	case 22:
		out("%s.f64 %s, %s, %s;", g.pick("add", "sub", "mul", "min", "max", "div.rn"), d(), d(), d())
	case 23:
		out("fma.rn.f64 %s, %s, %s, %s;", d(), d(), d(), d())
	case 24:
		switch g.r.IntN(3) {
		case 0:
			out("cvt.f64.f32 %s, %s;", d(), f())
		case 1:
			out("cvt.rn.f32.f64 %s, %s;", f(), d())
		default:
			out("setp.%s.f64 %s, %s, %s;", g.comparison(), p(), d(), d())
		}
	case 25:
		out("%s %s, %s, %s;", g.pick("add.s64", "sub.s64", "mul.lo.s64", "and.b64", "xor.b64", "max.s64", "min.u64"), l(), l(), l())
	case 26:
		out("mul.wide.%s %s, %s, %s;", g.pick("s32", "u32"), l(), r(), g.word())
	case 27:
		switch g.r.IntN(4) {
		case 0:
			out("cvt.%s %s, %s;", g.pick("s64.s32", "u64.u32"), l(), r())
		case 1:
			out("cvt.u32.u64 %s, %s;", r(), l())
		case 2:
			out("%s %s, %s, %s;", g.pick("shl.b64", "shr.u64", "shr.s64"), l(), l(), g.pick(r(), fmt.Sprint(g.r.IntN(70))))
		default:
			out("setp.%s.%s %s, %s, %s;", g.comparison(), g.pick("s64", "u64"), p(), l(), l())
		}
	}
}

// load reads the table: at the thread's own place and near it, at a random place, or at one place for all.
func (g *generator) load(guard string) {
	switch g.r.IntN(7) {
	case 4: // an index that is below zero in some lanes
		g.line("and.b32 %%t, %s, 511;", g.reg('r'))
		g.line("sub.s32 %%t, %%t, %d;", 16*g.r.IntN(2))
		g.line("mul.wide.s32 %%a, %%t, 4;")
		g.line("add.s64 %%a, %s, %%a;", g.pick("%table", "%table", "%own"))
		g.line("%sld.global.%s, [%%a+%d];", guard, g.pick("u32 "+g.reg('r'), "f32 "+g.reg('f'), "u16 %h0"), 64+8*g.r.IntN(3))
	case 5: // pairs side by side
		g.line("%sld.global.v2.%s, [%%two+%d];", guard, g.pick("u32 {%r5, %r2}", "f32 {%f1, %f2}"), 8*g.r.IntN(8))
	case 6: // and of doubles
		g.line("and.b32 %%t, %s, 255;", g.reg('r'))
		g.line("cvt.u64.u32 %%a, %%t;")
		g.line("shl.b64 %%a, %%a, 3;")
		g.line("add.s64 %%a, %%table, %%a;")
		g.line("%sld.global.u64 %%l0, [%%a];", guard)
	case 0:
		g.line("%sld.global.u32 %s, [%%own+%d];", guard, g.reg('r'), 4*g.r.IntN(8))
	case 1:
		g.line("and.b32 %%t, %s, 1023;", g.reg('r'))
		g.line("mad.wide.u32 %%a, %%t, 4, %%table;")
		g.line("%sld.global.f32 %s, [%%a];", guard, g.reg('f'))
	case 2:
		g.line("%sld.global.u32 %s, [%%table+%d];", guard, g.reg('r'), 4*g.r.IntN(64))
	case 3:
		g.line("and.b32 %%t, %s, 511;", g.reg('r'))
		g.line("mad.wide.u32 %%a, %%t, 8, %%table;")
		g.line("%sld.global.v2.u32 {%%r0, %%r1}, [%%a];", guard)
	}
}

// exchange lets threads see values of others; all threads execute it.
func (g *generator) exchange() {
	switch g.r.IntN(12) {
	case 4, 5:
		g.commute()
	case 6, 7:
		g.permute()
	case 8, 9, 10, 11:
		g.together()
	case 0:
		how := g.pick("bfly", "idx", "down", "up")
		clamp := g.pick("31", "31", "7183", "5663")
		if how == "up" {
			clamp = g.pick("0", "6144")
		}
		from := g.pick(fmt.Sprint(g.r.IntN(32)), g.reg('r'))
		if g.r.IntN(2) == 0 {
			g.line("shfl.sync.%s.b32 %s, %s, %s, %s, -1;", how, g.reg('r'), g.reg('r'), from, clamp)
		} else {
			g.line("shfl.sync.%s.b32 %s|%s, %s, %s, %s, -1;", how, g.reg('r'), g.reg('p'), g.reg('r'), from, clamp)
		}
	case 1:
		if g.r.IntN(2) == 0 {
			g.line("vote.sync.ballot.b32 %s, %s, %s;", g.reg('r'), g.reg('p'), g.pick("-1", "-1", "0xf0f0ffff"))
		} else {
			g.line("vote.sync.%s.pred %s, %s, -1;", g.pick("all", "any", "uni"), g.reg('p'), g.reg('p'))
		}
	default:
		g.line("bar.sync 0;")
		g.line("st.shared.u32 [%%mine], %s;", g.reg('r'))
		g.line("bar.sync 0;")
		g.line("ld.shared.u32 %s, [%%other];", g.reg('r'))
		if g.r.IntN(2) == 0 {
			g.line("and.b32 %%t, %s, 31;", g.reg('r'))
			g.line("mul.wide.u32 %%a, %%t, 4;")
			g.line("mov.u64 %%base, buffer;")
			g.line("add.s64 %%a, %%base, %%a;")
			g.line("ld.shared.u32 %s, [%%a+%d];", g.reg('r'), 4*g.r.IntN(32))
		}
		if g.r.IntN(2) == 0 {
			g.line("ld.shared.f32 %s, [buffer+%d];", g.reg('f'), 4*g.r.IntN(32))
		}
	}
}

// statements writes n statements.
func (g *generator) statements(n int) {
	g.depth++
	defer func() { g.depth-- }()
	for range n {
		if g.depth < 4 {
			switch g.r.IntN(10) {
			case 0:
				g.branch()
				continue
			case 1:
				g.loop()
				continue
			}
		}
		g.instruction()
	}
}

func (g *generator) branch() {
	g.labels++
	k := g.labels
	g.line("@%s%s bra L%d;", g.pick("", "!"), g.reg('p'), k)
	g.statements(1 + g.r.IntN(4))
	if g.r.IntN(2) == 0 {
		g.line("bra M%d;", k)
		fmt.Fprintf(&g.b, "L%d:\n", k)
		g.statements(1 + g.r.IntN(4))
		fmt.Fprintf(&g.b, "M%d:\n", k)
		return
	}
	fmt.Fprintf(&g.b, "L%d:\n", k)
}

// loop goes round as often as a number or a register says, and may be left in the middle.
func (g *generator) loop() {
	g.labels++
	k := g.labels
	if g.r.IntN(2) == 0 {
		g.line("mov.u32 %%i%d, %d;", g.depth, 1+g.r.IntN(5))
	} else {
		g.line("and.b32 %%i%d, %s, 7;", g.depth, g.reg('r'))
	}
	fmt.Fprintf(&g.b, "L%d:\n", k)
	g.statements(1 + g.r.IntN(5))
	if g.r.IntN(3) == 0 {
		g.line("@%s bra M%d;", g.reg('p'), k)
		g.statements(1)
	}
	g.line("sub.u32 %%i%d, %%i%d, 1;", g.depth, g.depth)
	g.line("setp.gt.s32 %%q, %%i%d, 0;", g.depth)
	g.line("@%%q bra L%d;", k)
	fmt.Fprintf(&g.b, "M%d:\n", k)
}
