//go:build linux && (amd64 || arm64)

package jit_test

import (
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/interp"
	"github.com/tandem-go/tandem/internal/engine/jit"
	"github.com/tandem-go/tandem/internal/engine/rt"
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/mem"
)

// generator writes random kernels: every thread computes on registers of each kind, reads a table, exchanges values
// through shared memory and warp operations, goes its own ways, and stores all its registers at the end. No result depends
// on the order of threads.
type generator struct {
	r      *rand.Rand
	b      strings.Builder
	labels int
	depth  int
}

// registers of each kind that a kernel has.
const (
	genR, genF, genD, genL, genP = 10, 8, 3, 5, 4
	genWords                     = genR + genF + 2*genD + 2*genL + 1
)

func (g *generator) line(format string, args ...any) { fmt.Fprintf(&g.b, "\t"+format+"\n", args...) }

func (g *generator) pick(list ...string) string { return list[g.r.IntN(len(list))] }

func (g *generator) reg(kind byte) string {
	n := map[byte]int{'r': genR, 'f': genF, 'd': genD, 'l': genL, 'p': genP}[kind]
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
	guard := ""
	r, f, p := func() string { return g.reg('r') }, func() string { return g.reg('f') }, func() string { return g.reg('p') }
	w, s := g.word, g.single
	if g.r.IntN(8) == 0 {
		guard = "@" + g.pick("", "!") + p() + " "
	}
	out := func(format string, args ...any) { g.line("%s"+format, append([]any{guard}, args...)...) }
	switch g.r.IntN(40) {
	case 30, 31, 32, 33, 34, 35, 36, 37, 38, 39:
		g.form()
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
		out("mov.u32 %s, %%%s;", r(), g.pick("tid.x", "tid.y", "ntid.x", "ctaid.x", "laneid", "lanemask_lt", "warpid"))
	}
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
	switch g.r.IntN(8) {
	case 4, 5:
		g.commute()
	case 6, 7:
		g.permute()
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

// block writes n statements.
func (g *generator) block(n int) {
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
	g.block(1 + g.r.IntN(4))
	if g.r.IntN(2) == 0 {
		g.line("bra M%d;", k)
		fmt.Fprintf(&g.b, "L%d:\n", k)
		g.block(1 + g.r.IntN(4))
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
	g.block(1 + g.r.IntN(5))
	if g.r.IntN(3) == 0 {
		g.line("@%s bra M%d;", g.reg('p'), k)
		g.block(1)
	}
	g.line("sub.u32 %%i%d, %%i%d, 1;", g.depth, g.depth)
	g.line("setp.gt.s32 %%q, %%i%d, 0;", g.depth)
	g.line("@%%q bra L%d;", k)
	fmt.Fprintf(&g.b, "M%d:\n", k)
}

// kernel returns the text of a kernel for blocks of 64 threads.
func (g *generator) kernel() string {
	g.b.WriteString(".version 8.4\n.target sm_75\n.address_size 64\n.visible .entry k(.param .u64 out, .param .u64 table, .param .u32 n)\n{\n")
	g.line(".reg .b32 %%r<%d>, %%t, %%u, %%mine, %%other, %%i<9>; .reg .f32 %%f<%d>; .reg .f64 %%d<%d>; .reg .b64 %%l<%d>, %%a, %%out, %%table, %%own, %%owned, %%depot, %%base, %%two; .reg .b16 %%h<3>;", genR, genF, genD, genL)
	g.line(".reg .pred %%p<%d>, %%q; .shared .align 4 .b8 buffer[512]; .local .align 8 .b8 depot[64];", genP)
	for _, s := range []string{
		"ld.param.u64 %out, [out]", "ld.param.u64 %table, [table]", "mov.u32 %r0, %tid.x", "mov.u32 %r1, %tid.y", "mov.u32 %r2, %ntid.x",
		"mad.lo.u32 %u, %r1, %r2, %r0", "shl.b32 %mine, %u, 2", "xor.b32 %other, %mine, 132", "mov.u32 %t, buffer",
		"add.u32 %mine, %mine, %t", "add.u32 %other, %other, %t", "mov.u32 %r3, %ctaid.x", "mad.lo.u32 %u, %r3, 64, %u", "mad.wide.u32 %own, %u, 4, %table",
		"ld.param.u32 %r4, [n]", "mov.u32 %r5, %u", "ld.global.u32 %r6, [%own]", "ld.global.u32 %r7, [%own+256]", "mov.u32 %r8, %laneid", "mov.u32 %r9, 5",
		"ld.global.f32 %f0, [%own]", "ld.global.f32 %f1, [%own+4]", "cvt.rn.f32.u32 %f2, %u", "ld.global.f32 %f3, [%table]", "mov.f32 %f4, 0f3FC00000",
		"mov.f32 %f5, 0f00000000", "ld.global.f32 %f6, [%own+512]", "mov.f32 %f7, %f2", "cvt.f64.f32 %d0, %f0", "cvt.f64.f32 %d1, %f2", "mov.f64 %d2, 0d3FF8000000000000",
		"cvt.u64.u32 %l0, %u", "mul.wide.s32 %l1, %r6, 77", "mov.u64 %l2, %table", "sub.u64 %l2, %own, %l2", "mov.u64 %l3, 12345678901", "cvt.s64.s32 %l4, %r7",
		"mad.wide.u32 %owned, %u, 16, %table", "add.u64 %owned, %owned, 4800", "mov.u64 %depot, depot", "mad.wide.u32 %two, %u, 8, %table", "cvt.u16.u32 %h0, %u", "cvt.u16.u32 %h1, %r6", "cvt.u16.u32 %h2, %r8",
		"st.local.u64 [depot], %l0", "st.local.u64 [depot+8], %l1", "st.local.u64 [depot+16], %l2", "st.local.u64 [depot+24], %l3",
		"st.local.u64 [depot+32], %l4", "st.local.u64 [depot+40], %l0", "st.local.u64 [depot+48], %l1", "st.local.u64 [depot+56], %l2", "st.shared.u32 [%mine+256], %r6",
		"setp.gt.u32 %p0, %r8, 13", "setp.lt.s32 %p1, %r6, 0", "setp.eq.u32 %p2, %r3, 0", "setp.lt.f32 %p3, %f0, %f1",
	} {
		g.line("%s;", s)
	}
	for range 2 + g.r.IntN(3) {
		g.block(3 + g.r.IntN(8))
		if g.r.IntN(2) == 0 {
			g.exchange()
		}
	}
	g.line("mad.wide.u32 %%a, %%u, %d, %%out;", 4*(genWords+genWords%2))
	at := 0
	store := func(as, kind string, n, size int) {
		for i := range n {
			g.line("st.global.%s [%%a+%d], %%%s%d;", as, at, kind, i)
			at += size
		}
	}
	store("f64", "d", genD, 8)
	store("b64", "l", genL, 8)
	store("b32", "r", genR, 4)
	store("f32", "f", genF, 4)
	g.line("mov.u32 %%t, 0;")
	for i := range genP {
		g.line("@%%p%d or.b32 %%t, %%t, %d;", i, 1<<i)
	}
	g.line("st.global.b32 [%%a+%d], %%t;", at)
	g.line("ret;")
	g.b.WriteString("}\n")
	return g.b.String()
}

// counting is the reference engine, with what its threads execute by the form of the instruction.
type counting struct {
	engine.Engine
	executed map[string]uint64
	kernel   *ir.Kernel
}

func (c *counting) Compile(k *ir.Kernel, o engine.Options) (engine.Program, error) {
	c.kernel = k
	return c.Engine.Compile(k, o)
}

func (c *counting) count(cover *engine.Coverage) {
	for _, b := range c.kernel.Funcs[0].Blocks {
		for _, in := range b.Instrs {
			c.executed[jit.Form(in)] += cover.Count(in)
		}
	}
}

// outcome runs a kernel on an engine and returns what it stored.
func outcome(t testing.TB, e engine.Engine, text string, seed uint64, block [3]uint32, o engine.Options, budget int) []byte {
	space, err := mem.New(mem.Options{Limit: 1 << 28})
	require.NoError(t, err)
	defer space.Close()
	o.Memory = space
	p, err := kernelOf(t, []byte(text), "k")(e, o)
	require.NoError(t, err, text)
	const blocks, threads = 3, 64
	stride := 4 * (genWords + genWords%2)
	out, err := space.Alloc(uint64(blocks * threads * stride))
	require.NoError(t, err)
	const tableBytes = 4*1200 + 16*blocks*threads
	table, err := space.Alloc(tableBytes)
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(seed, 2))
	b, err := space.Bytes(table, tableBytes)
	require.NoError(t, err)
	for i := 0; i < len(b); i += 4 {
		v := r.Uint32()
		if i%8 == 0 {
			v = 0x3f000000 + v%0x2000000
		}
		binary.LittleEndian.PutUint32(b[i:], v)
	}
	var params []byte
	params = binary.LittleEndian.AppendUint64(params, out)
	params = binary.LittleEndian.AppendUint64(params, table)
	params = binary.LittleEndian.AppendUint32(params, 1000)
	shared, err := space.Reserve(4096)
	require.NoError(t, err)
	local, err := space.Reserve(threads * 256)
	require.NoError(t, err)
	l := &engine.Launch{ID: 1, Grid: [3]uint32{blocks, 1, 1}, Block: block, SharedBytes: 512, Params: params, Runtime: rt.New(rt.Config{Memory: space}), Workers: 1}
	if _, ok := e.(*counting); ok {
		l.Cover = &engine.Coverage{}
	}
	for i := range uint64(blocks) {
		blk := p.Block(l, i, engine.Windows{Shared: shared, Local: local, LocalStride: 256})
		for turns := 0; ; turns++ {
			state, fault := blk.Run(budget)
			require.Nil(t, fault, "%+v\n%s", fault, text)
			require.Less(t, turns, 1<<13, "the kernel does not end\n%s", text)
			if state == engine.Done {
				break
			}
		}
		blk.Close()
	}
	if c, ok := e.(*counting); ok {
		c.count(l.Cover)
	}
	view, err := space.Bytes(out, uint64(blocks*threads*stride))
	require.NoError(t, err)
	return append([]byte{}, view...)
}

// differ compares the engines on one random kernel, and adds up how many threads executed each form of instruction.
func differ(t *testing.T, seed uint64, executed map[string]uint64) {
	g := &generator{r: rand.New(rand.NewPCG(seed, 1))}
	text := g.kernel()
	if complaint := difference(t, text, seed, executed); complaint != "" {
		text = shrink(t, text, seed)
		t.Fatalf("seed %d: %s\nshrunk, %s\n%s", seed, complaint, difference(t, text, seed, executed), text)
	}
}

// difference says where the engines differ.
func difference(t testing.TB, text string, seed uint64, executed map[string]uint64) string {
	block := [][3]uint32{{64, 1, 1}, {16, 4, 1}, {32, 2, 1}, {8, 8, 1}}[seed%4]
	want := outcome(t, &counting{Engine: interp.New(), executed: executed}, text, seed, block, engine.Options{}, 1<<20)
	for _, e := range engines(t) {
		if *which != "" && !slices.Contains(strings.Split(*which, ","), e.Name()) {
			continue
		}
		if complaint := differenceOn(t, e, text, seed, block, want); complaint != "" {
			return e.Name() + ": " + complaint
		}
	}
	return ""
}

// like is an extent for which a program is also right for blocks of the given extent.
func like(block [3]uint32) [3]uint32 {
	switch block {
	case [3]uint32{64, 1, 1}:
		return [3]uint32{96, 1, 1}
	case [3]uint32{32, 2, 1}:
		return [3]uint32{64, 5, 1}
	}
	return block
}

func differenceOn(t testing.TB, e engine.Engine, text string, seed uint64, block [3]uint32, want []byte) string {
	for _, o := range []engine.Options{{}, {Block: like(block)}} {
		have := outcome(t, e, text, seed, block, o, []int{1 << 20, 50}[seed/4%2])
		stride := genWords + genWords%2
		for i := range len(want) / 4 {
			if h, w := binary.LittleEndian.Uint32(have[4*i:]), binary.LittleEndian.Uint32(want[4*i:]); h != w {
				return fmt.Sprintf("have %#x, want %#x: block %v, specialised for %v, thread %d, word %d", h, w, block, o.Block, i/stride, i%stride)
			}
		}
	}
	return ""
}

var (
	duration = flag.Duration("differential", 0, "for how long TestDifferential compares engines; every operation must come often then")
	which    = flag.String("engines", "", "the engines that TestDifferential compares with the reference, with commas; empty is all")
)

// enough is how often a long run has to execute each operation that compiled engines have code for.
const enough = 1000

// TestDifferential compares the engines on random kernels: 60, in short runs 8, or for as long as it is told.
func TestDifferential(t *testing.T) {
	kernels := uint64(60)
	if testing.Short() {
		kernels = 8
	}
	executed := map[string]uint64{}
	first, begun := rand.Uint64N(1<<40), time.Now()
	n := uint64(0)
	for ; n < kernels || time.Since(begun) < *duration; n++ {
		differ(t, first+n, executed)
	}
	if *duration == 0 {
		return
	}
	t.Logf("%d kernels, %d forms of instructions", n, len(executed))
	var rare []string
	for _, op := range nativeOps(t) {
		// The answer of the one is which lanes happen to be together, which may differ; the other ends the launch.
		if op == "activemask" || op == "assertfail" {
			continue
		}
		sum := uint64(0)
		for form, k := range executed {
			if name, _, _ := strings.Cut(form, "."); name == op {
				sum += k
			}
		}
		if sum < enough {
			rare = append(rare, fmt.Sprintf("%s: %d", op, sum))
		}
	}
	require.Empty(t, rare, "threads that executed each operation: at least %d", enough)
}

// TestSeeds runs the kernels that engines once disagreed on: a comparison of numbers of 64 bits that are the same in all lanes.
func TestSeeds(t *testing.T) {
	for _, seed := range []uint64{315200586173, 928716650908} {
		differ(t, seed, map[string]uint64{})
	}
}

func FuzzDifferential(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { differ(t, seed, map[string]uint64{}) })
}

// nativeList has a line for each form of instruction that the run files execute on AVX-512: native, or in Go.
const nativeList = "testdata/native-avx512.txt"

// nativeOps are the operations of which the list calls some form native.
func nativeOps(t *testing.T) (ops []string) {
	list, err := os.ReadFile(nativeList)
	require.NoError(t, err)
	for line := range strings.Lines(string(list)) {
		form, how, _ := strings.Cut(strings.TrimSpace(line), " ")
		if op, _, _ := strings.Cut(form, "."); how == "native" && !slices.Contains(ops, op) {
			ops = append(ops, op)
		}
	}
	return ops
}
