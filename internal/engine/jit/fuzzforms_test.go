//go:build linux && (amd64 || arm64)

package jit_test

import (
	"fmt"
	"maps"
	"math/bits"
	"regexp"
	"slices"
	"strings"

	"github.com/tandem-go/tandem/internal/engine/enginetest"
)

// forms are instructions with places for operands: r, f, d, l, p are registers of a kind, w is a word and s a single or
// constants, n a number below 32, N one of up to 70, h a register of 16 bits.
var forms = []string{
	"add.sat.s32 {r}, {r}, {w}", "sub.sat.s32 {r}, {r}, {w}", "sad.s32 {r}, {r}, {w}, {r}", "sad.u32 {r}, {r}, {w}, {r}",
	"mul24.lo.s32 {r}, {r}, {w}", "mul24.hi.u32 {r}, {r}, {w}", "mul24.hi.s32 {r}, {r}, {w}", "mad.hi.s32 {r}, {r}, {w}, {r}",
	"mul.hi.s64 {l}, {l}, {l}", "mul.hi.u64 {l}, {l}, {l}", "mul.hi.s32 {r}, {r}, {r}", "mul.hi.u32 {r}, {r}, {r}",
	"div.s32 {r}, {r}, {r}", "rem.u32 {r}, {r}, {r}", "rem.s32 {r}, {r}, {r}", "div.u32 {r}, {r}, {w}",
	"add.cc.u32 {r}, {r}, {w};\n\taddc.u32 {r}, {r}, {w}", "sub.cc.u32 {r}, {r}, {w};\n\tsubc.u32 {r}, {r}, {w}",
	"add.cc.u64 {l}, {l}, {l};\n\taddc.u64 {l}, {l}, {l}", "sub.cc.s64 {l}, {l}, {l};\n\tsubc.s64 {l}, {l}, {l}",
	"shf.l.wrap.b32 {r}, {r}, {r}, {w}", "shf.r.clamp.b32 {r}, {r}, {r}, {w}", "shf.l.clamp.b32 {r}, {r}, {r}, {N}", "shf.r.wrap.b32 {r}, {r}, {r}, {N}",
	"popc.b64 {r}, {l}", "clz.b64 {r}, {l}", "brev.b64 {l}, {l}", "bfind.u32 {r}, {r}", "bfind.s32 {r}, {r}", "bfind.shiftamt.u32 {r}, {r}",
	"bfind.u64 {r}, {l}", "bfind.shiftamt.s64 {r}, {l}", "popc.b32 {r}, {r}", "brev.b32 {r}, {r}", "cnot.b64 {l}, {l}",
	"bfe.u32 {r}, {r}, {w}, {w}", "bfe.s32 {r}, {r}, {N}, {N}", "bfe.u64 {l}, {l}, {w}, {N}", "bfe.s64 {l}, {l}, {N}, {N}",
	"bfi.b32 {r}, {r}, {r}, {w}, {N}", "bfi.b64 {l}, {l}, {l}, {N}, {N}",
	"prmt.b32 {r}, {r}, {r}, {w}", "prmt.b32 {r}, {r}, {r}, 0x5410", "prmt.b32.f4e {r}, {r}, {r}, {r}", "prmt.b32.rc8 {r}, {r}, {r}, {r}", "prmt.b32.ecl {r}, {r}, {r}, {r}",
	"dp4a.s32.s32 {r}, {r}, {r}, {r}", "dp4a.u32.s32 {r}, {r}, {w}, {r}", "dp2a.lo.u32.u32 {r}, {r}, {r}, {r}", "dp2a.hi.s32.u32 {r}, {r}, {r}, {r}",
	"set.lt.u32.s32 {r}, {r}, {w}", "set.gt.f32.f32 {f}, {f}, {s}", "set.le.u32.f64 {r}, {d}, {d}", "set.ne.f32.u64 {f}, {l}, {l}",
	"testp.finite.f32 {p}, {f}", "testp.normal.f32 {p}, {f}", "testp.subnormal.f64 {p}, {d}", "testp.notanumber.f32 {p}, {f}", "copysign.f32 {f}, {f}, {s}", "copysign.f64 {d}, {d}, {d}",
	"ex2.approx.f32 {f}, {s}", "ex2.approx.ftz.f32 {f}, {f}", "lg2.approx.f32 {f}, {s}", "lg2.approx.ftz.f32 {f}, {f}", "sin.approx.f32 {f}, {s}", "cos.approx.ftz.f32 {f}, {f}",
	"cos.approx.f32 {f}, {s}", "tanh.approx.f32 {f}, {s}", "rsqrt.approx.f32 {f}, {s}", "rsqrt.approx.f64 {d}, {d}", "rsqrt.approx.ftz.f64 {d}, {d}", "rcp.approx.ftz.f64 {d}, {d}",
	"rcp.approx.ftz.f32 {f}, {f}", "sqrt.rz.f64 {d}, {d}", "abs.f64 {d}, {d}", "neg.f64 {d}, {d}",
	"cvt.sat.f32.f32 {f}, {s}", "cvt.rni.f32.f32 {f}, {s}", "cvt.rmi.ftz.f32.f32 {f}, {f}", "cvt.rpi.f64.f64 {d}, {d}", "cvt.rzi.sat.f32.f32 {f}, {f}",
	"cvt.rn.f64.s32 {d}, {r}", "cvt.rn.f64.u32 {d}, {r}", "cvt.rn.f64.s64 {d}, {l}", "cvt.rp.f64.u64 {d}, {l}", "cvt.rz.f32.s64 {f}, {l}", "cvt.rn.f32.u64 {f}, {l}",
	"cvt.rzi.s32.f64 {r}, {d}", "cvt.rni.u32.f64 {r}, {d}", "cvt.rpi.s64.f64 {l}, {d}", "cvt.rmi.u64.f64 {l}, {d}", "cvt.rzi.s64.f32 {l}, {f}", "cvt.rni.u64.f32 {l}, {f}",
	"cvt.sat.f64.f32 {d}, {f}", "cvt.rn.sat.f32.f64 {f}, {d}", "cvt.rz.ftz.f32.f64 {f}, {d}", "cvt.s8.s32 {r}, {r}", "cvt.u8.u32 {r}, {r}", "cvt.s16.s64 {r}, {l}", "cvt.u16.s32 {r}, {r}",
	"cvt.sat.s8.s32 {r}, {r}", "cvt.sat.u8.s32 {r}, {r}", "cvt.sat.u16.u32 {r}, {r}", "cvt.sat.u32.s32 {r}, {r}", "cvt.rzi.u8.f32 {r}, {f}", "cvt.rni.s16.f32 {r}, {f}",
	"cvt.rn.f32.s8 {f}, {r}", "cvt.rn.f32.u16 {f}, {r}", "cvt.rn.f64.s16 {d}, {r}",
	"cvt.rn.f16.f32 {h}, {f};\n\tcvt.f32.f16 {f}, {h}", "cvt.rz.sat.f16.f32 {h}, {f};\n\tcvt.ftz.f32.f16 {f}, {h}",
	"cvt.u16.u32 {h}, {r};\n\tadd.s16 {h}, {h}, {h};\n\tcvt.s32.s16 {r}, {h}", "cvt.u16.u32 {h}, {r};\n\tmul.lo.s16 {h}, {h}, {h};\n\tcvt.u32.u16 {r}, {h}",
	"cvt.u16.u32 {h}, {r};\n\tmin.s16 {h}, {h}, {h};\n\tshr.s16 {h}, {h}, {n};\n\tcvt.u32.u16 {r}, {h}", "cvt.u16.u32 {h}, {r};\n\tmul.hi.s16 {h}, {h}, {h};\n\tcvt.u32.u16 {r}, {h}",
	"cvt.u16.u32 {h}, {r};\n\tdiv.s16 {h}, {h}, {h};\n\tmul.wide.s16 {r}, {h}, {h}", "cvt.u16.u32 {h}, {r};\n\tsetp.lt.s16 {p}, {h}, {h};\n\tneg.s16 {h}, {h};\n\tcvt.u32.u16 {r}, {h}",
	"and.b16 {h}, {h}, {h}", "or.b16 {h}, {h}, {h}", "xor.b16 {h}, {h}, {h}", "not.b16 {h}, {h}", "shl.b16 {h}, {h}, {n}", "shr.b16 {h}, {h}, {r}", "setp.ne.b16 {p}, {h}, {h}",
	"mov.b64 {l}, {{r}, {r}}", "mov.b64 {{r}, {r}}, {l}", "mov.b32 {{h}, {h}}, {r};\n\tmov.b32 {r}, {{h}, {h}}",
	// Local memory, bytes, and atomic operations of a thread by itself.
	"and.b32 %t, {r}, 7;\n\tshl.b32 %t, %t, 3;\n\tcvt.u64.u32 %a, %t;\n\tadd.u64 %a, %a, %depot;\n\tst.local.u32 [%a], {r};\n\tld.local.u32 {r}, [%a+4]",
	"st.local.f64 [depot+16], {d};\n\tld.local.v2.f32 {{f}, {f}}, [depot+8]", "st.local.u8 [depot+5], {r};\n\tld.local.s16 {r}, [depot+4]",
	"and.b32 %t, {r}, 2047;\n\tcvt.u64.u32 %a, %t;\n\tadd.u64 %a, %a, %table;\n\tld.global.u8 {r}, [%a]", "and.b32 %t, {r}, 2046;\n\tcvt.u64.u32 %a, %t;\n\tadd.u64 %a, %a, %table;\n\tld.global.s16 {r}, [%a]",
	"ld.global.u8 {r}, [%own+1]", "ld.global.s8 {r}, [%own]", "ld.global.s16 {r}, [%table+6]",
	"st.shared.u8 [%slot+2], {r};\n\tld.shared.u16 {r}, [%slot+2]",
	"atom.shared.add.u32 {r}, [%slot], {r}", "atom.shared.min.s32 {r}, [%slot], {w}", "atom.shared.inc.u32 {r}, [%slot], {r}", "atom.shared.cas.b32 {r}, [%slot], {r}, {w}", "atom.shared.exch.b32 {r}, [%slot], {r}",
	"atom.shared.add.f32 {f}, [%slot], {f}", "red.shared.max.u32 [%slot], {r}", "red.shared.xor.b32 [%slot], {r}", "atom.shared.dec.u32 {r}, [%slot], {r}",
	"atom.global.add.u32 {r}, [%owned], {r}", "atom.global.max.s32 {r}, [%owned], {w}", "atom.global.add.f32 {f}, [%owned], {f}", "atom.global.add.f64 {d}, [%owned+8], {d}", "atom.global.cas.b64 {l}, [%owned+8], {l}, {l}",
	"atom.global.exch.b64 {l}, [%owned+8], {l}", "red.global.add.u64 [%owned+8], {l}", "red.global.and.b32 [%owned], {r}", "atom.global.or.b32 {r}, [%owned], {r}", "atom.global.min.u64 {l}, [%owned+8], {l}", "atom.global.dec.u32 {r}, [%owned], {w}",
}

var hole = regexp.MustCompile(`\{[a-zN]\}`)

// form writes one of the forms, if the kernel may contain it.
func (g *generator) form(text string) {
	if !g.allows(text) {
		return
	}
	g.line("%s;", hole.ReplaceAllStringFunc(text, func(h string) string {
		switch h[1] {
		case 'w':
			return g.word()
		case 's':
			return g.single()
		case 'n':
			return fmt.Sprint(g.r.IntN(32))
		case 'N':
			return fmt.Sprint(g.r.IntN(70))
		}
		return g.reg(h[1])
	}))
}

var ownGlobal = regexp.MustCompile(`(atom|red|st)\.global`)

// allows tells that the kernel may contain a form.
func (g *generator) allows(text string) bool {
	return (g.local || !strings.Contains(text, "depot")) && (!g.lone || !ownGlobal.MatchString(text))
}

// letters are the kinds of registers that hold types other than those of 32 bits without a kind of their own, which %r holds.
var letters = map[string]byte{
	"pred": 'p', "f32": 'f', "f64": 'd', "b64": 'l', "u64": 'l', "s64": 'l',
	"b8": 'h', "u8": 'h', "s8": 'h', "b16": 'h', "u16": 'h', "s16": 'h', "f16": 'h', "bf16": 'h',
}

func letter(t string) byte {
	if l, ok := letters[t]; ok {
		return l
	}
	return 'r'
}

// tabled writes an instruction of the run files.
func (g *generator) tabled(in enginetest.Instruction, guard string) {
	text := in.Text
	for name, t := range in.Types {
		text = strings.ReplaceAll(text, "$"+string(name), g.reg(letter(t)))
	}
	if strings.ContainsAny(text, "@;{") && strings.Count(text, ";") > 1 {
		guard = ""
	}
	g.line("%s%s", guard, text)
}

// turns are all instructions of the run files, forms, accesses to memory and atomic operations.
func turns(instructions []enginetest.Instruction) (all []func(g *generator)) {
	for _, in := range instructions {
		all = append(all, func(g *generator) { g.tabled(in, "") })
	}
	for _, text := range forms {
		all = append(all, func(g *generator) { g.form(text) })
	}
	for _, store := range []bool{false, true} {
		for _, space := range []string{".shared", ".const", ".param", ".global", "", ".local"} {
			for i := range 3 * len(memoryTypes) {
				all = append(all, func(g *generator) { g.accessOf(space, memoryTypes[i/3], 1<<(i%3), store) })
			}
		}
		for _, op := range slices.Sorted(maps.Keys(atomicTypes)) {
			for i := range 4 * len(atomicTypes[op]) {
				all = append(all, func(g *generator) { g.atomicOf(op, atomicTypes[op][i/4], i%4, store, "") })
			}
		}
	}
	return all
}

// inTurn writes what is next of turns: going from seed to seed, each comes as often as any other, four times in a row, of which
// one is left as it stands.
func (g *generator) inTurn() {
	const many = 16
	for i := range uint64(many) {
		g.turns[(g.seed/4*many+i)%uint64(len(g.turns))](g)
	}
}

// commute lets threads change a word of shared memory together, in whatever order.
func (g *generator) commute() {
	g.line("bar.sync 0;")
	g.line("st.shared.u32 [%%mine], %s;", g.reg('r'))
	g.line("bar.sync 0;")
	op := g.pick("add.u32", "min.s32", "max.u32", "and.b32", "or.b32", "xor.b32")
	at := g.pick("[buffer]", "[buffer+64]", "[%other]", "[%a]")
	if at == "[%a]" {
		g.line("and.b32 %%t, %s, %d;", g.reg('r'), g.slots()-1)
		g.line("shl.b32 %%t, %%t, 2;")
		g.line("cvt.u64.u32 %%a, %%t;")
		g.line("mov.u64 %%base, buffer;")
		g.line("add.u64 %%a, %%a, %%base;")
	}
	if g.r.IntN(2) == 0 {
		g.line("red.shared.%s %s, %s;", op, at, g.word())
	} else {
		g.line("atom.shared.%s %%t, %s, %s;", op, at, g.reg('r'))
	}
	g.line("bar.sync 0;")
	g.line("ld.shared.u32 %s, [%%other];", g.reg('r'))
}

// permute lets threads exchange words of shared memory at places that are the thread's number with some bits changed, moved
// or taken out: each thread has two of all words.
func (g *generator) permute() {
	places := func(ways int) (first, second string) { // the last of four ways is not all different
		bit := 1 << g.r.IntN(bits.Len(uint(g.slots()-1)))
		switch g.r.IntN(ways) {
		case 0: // halves of the buffer, each in another order
			g.line("xor.b32 %%t, %%mine, %d;", 4*g.r.IntN(g.slots()))
			return "%t", fmt.Sprintf("%%t+%d", 4*g.slots())
		case 1: // neighbours
			g.line("shl.b32 %%t, %%mine, 1;")
			return "%t", "%t+4"
		case 2: // pairs that are bit words apart
			g.line("and.b32 %%t, %%mine, %d;", 4*(bit-1))
			g.line("shl.b32 %%i8, %%mine, 1;")
			g.line("sub.u32 %%t, %%i8, %%t;")
			return "%t", fmt.Sprintf("%%t+%d", 4*bit)
		}
		g.line("and.b32 %%t, %%mine, %d;", 4*(bit-1))
		g.line("shr.u32 %%i8, %%mine, %d;", 1+g.r.IntN(3))
		g.line("and.b32 %%i8, %%i8, 60;")
		g.line("or.b32 %%i8, %%i8, %d;", 64*g.r.IntN(4))
		return "%i8", "%t"
	}
	g.line("bar.sync 0;")
	first, second := places(3)
	guard := g.pick("", "", "@"+g.reg('p')+" ", "@!"+g.reg('p')+" ")
	g.line("%sst.shared.b32 [%s], %s;", guard, first, g.reg('r'))
	g.line("%sst.shared.f32 [%s], %s;", guard, second, g.reg('f'))
	g.line("bar.sync 0;")
	first, second = places(4)
	g.line("ld.shared.f32 %s, [%s];", g.reg('f'), first)
	g.line("%sld.shared.b32 %s, [%s];", g.pick("", "@"+g.reg('p')+" "), g.reg('r'), second)
	g.line("bar.sync 0;")
}
