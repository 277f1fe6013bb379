//go:build linux && (amd64 || arm64)

package jit_test

import (
	"fmt"
	"slices"
	"strings"
)

// memoryTypes are the types of loads and stores, sizeOf their bytes.
var memoryTypes = []string{"b8", "u8", "s8", "b16", "u16", "s16", "b32", "u32", "s32", "f32", "b64", "u64", "s64", "f64"}

func sizeOf(t string) int {
	return map[string]int{"8": 1, "16": 2, "32": 4, "64": 8}[strings.TrimLeft(t, "busf")]
}

// place is memory that a thread may access: an address to which constants below bytes may be added.
type place struct {
	space, address string
	bytes          int
	stores         bool
}

// places are memory that a thread has for itself, or that nobody changes.
func (g *generator) places() []place {
	all := []place{
		{".shared", "%slot", 32, true}, {".const", "cvar", 1024, false}, {".param", "block", 64, false}, {".global", "%table", 2048, false}, {".const", "%a", 64, false},
	}
	if !g.lone {
		all = append(all, place{".global", "%owned", genOwned, true}, place{"", "%owned", genOwned, true}, place{"", "%a", 32, true}, place{".global", "gvar", 1024, false}, place{"", "%table", 2048, false})
	}
	if g.local {
		all = append(all, place{".local", "depot", 64, true}, place{".local", "%depot", 64, true})
	}
	return all
}

// address computes that of a place, if it is not at hand.
func (g *generator) address(p place) {
	switch {
	case p.space == "" && p.address == "%a": // of shared or local memory
		if g.local && g.one(2) {
			g.line("cvta.local.u64 %%a, %%depot;")
		} else {
			g.line("cvt.u64.u32 %%a, %%slot;")
			g.line("cvta.shared.u64 %%a, %%a;")
		}
		if g.one(2) { // and back
			space := g.pick("shared", "global")
			g.line("cvta.to.%s.u64 %%base, %%a;", space)
			g.line("cvta.%s.u64 %%a, %%base;", space)
		}
	case p.address == "%a":
		g.line("mov.u64 %%base, cvar;")
		g.line("and.b32 %%t, %s, 448;", g.reg('r'))
		g.line("cvt.u64.u32 %%a, %%t;")
		g.line("add.u64 %%a, %%a, %%base;")
	}
}

// access loads or stores one, two or four elements of any type, or both.
func (g *generator) access(guard string) {
	if g.one(3) {
		g.row(guard)
		return
	}
	t, n, all := g.pick(memoryTypes...), 1<<g.r.IntN(3), g.places()
	p := all[g.r.IntN(len(all))]
	store := p.stores && g.one(2)
	g.transfer(p, t, n, store, !store || g.one(2), guard)
}

// accessOf loads or stores n elements of type t in a space, where the kernel may.
func (g *generator) accessOf(space, t string, n int, store bool) {
	var fit []place
	for _, p := range g.places() {
		if p.space == space && (p.stores || !store) {
			fit = append(fit, p)
		}
	}
	if len(fit) > 0 {
		g.transfer(fit[g.r.IntN(len(fit))], t, n, store, !store, "")
	}
}

// transfer stores n elements of type t at a place, or loads them, or does both.
func (g *generator) transfer(p place, t string, n int, store, load bool, guard string) {
	g.address(p)
	size := sizeOf(t)
	if n*size > 16 {
		n = 1
	}
	at := fmt.Sprintf("[%s+%d]", p.address, n*size*g.r.IntN(p.bytes/(n*size)))
	if store {
		g.line("%sst%s%s.%s %s, %s;", guard, p.space, vector(n), t, at, g.registers(t, n))
		guard = ""
	}
	if load {
		g.line("%sld%s%s.%s %s, %s;", guard, p.space, vector(n), t, g.registers(t, n), at)
	}
}

func vector(n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf(".v%d", n)
}

// registers are n that hold values of type t, in braces if there are more than one.
func (g *generator) registers(t string, n int) string {
	var list []string
	for range n {
		r := g.reg(letter(t))
		if sizeOf(t) < 4 && n == 1 && g.one(2) {
			r = g.reg('r')
		}
		list = append(list, r)
	}
	if n == 1 {
		return list[0]
	}
	return "{" + strings.Join(list, ", ") + "}"
}

// row stores an element of each thread, or two or four, in rows behind the results; kernels that may do so load them, too.
func (g *generator) row(guard string) {
	first := []int{0, 0, 16, 0, 32}                              // of the bytes of all threads, by elements: rows of each number have memory of their own
	many := []int{0, 4, 2, 0, 2}                                 // rows
	n := []int{1, 1, 2, 4}[g.r.IntN(4)]                          // elements
	t := g.pick("f32", "u32", "b32", "s32", "f32", "u32", "b32") // of four bytes
	if n > 1 && g.one(3) {
		t = g.pick("f64", "b64", "u64", "s64")
	}
	bytes := 4 * n
	g.line("mad.wide.u32 %%a, %%u, %d, %%extra;", bytes)
	at := fmt.Sprintf("[%%a+%d]", g.all()*(first[n]+bytes*g.r.IntN(many[n])))
	elements := bytes / sizeOf(t)
	if g.lone || g.one(2) {
		g.line("%sst.global%s.%s %s, %s;", guard, vector(elements), t, at, g.registers(t, elements))
	} else {
		g.line("%sld.global%s.%s %s, %s;", guard, vector(elements), t, g.registers(t, elements), at)
	}
}

// atomicTypes are the types of each atomic operation.
var atomicTypes = map[string][]string{
	"add": {"u32", "s32", "u64", "f32", "f64"}, "min": {"u32", "s32", "u64", "s64"}, "max": {"u32", "s32", "u64", "s64"},
	"and": {"b32", "b64"}, "or": {"b32", "b64"}, "xor": {"b32", "b64"}, "inc": {"u32"}, "dec": {"u32"}, "exch": {"b32", "b64"}, "cas": {"b32", "b64"},
}

// atomic writes an atomic operation on memory of the thread's own.
func (g *generator) atomic(guard string) {
	op := g.pick("add", "add", "min", "max", "and", "or", "xor", "inc", "dec", "exch", "cas")
	g.atomicOf(op, g.pick(atomicTypes[op]...), g.r.IntN(4), g.one(2), guard)
}

// atomicOf writes an atomic operation on the thread's global memory, on it by a generic address, or on its shared memory by such
// a one, or else by one of the space; on shared memory where the kernel may not change other. With plain it has no result, if that can be.
func (g *generator) atomicOf(op, t string, where int, plain bool, guard string) {
	space, at := ".shared", "%slot"
	if !g.lone {
		switch where {
		case 0:
			space, at = ".global", "%owned"
		case 1:
			space, at = "", "%owned"
		case 2:
			g.line("cvt.u64.u32 %%a, %%slot;")
			g.line("cvta.shared.u64 %%a, %%a;")
			space, at = "", "%a"
		}
	}
	at = fmt.Sprintf("[%s+%d]", at, 8*g.r.IntN(4))
	kind := letter(t)
	switch {
	case op == "cas":
		g.line("%satom%s.cas.%s %s, %s, %s, %s;", guard, space, t, g.reg(kind), at, g.reg(kind), g.reg(kind))
	case op == "exch" || !plain:
		g.line("%satom%s.%s.%s %s, %s, %s;", guard, space, op, t, g.reg(kind), at, g.reg(kind))
	default:
		g.line("%sred%s.%s.%s %s, %s;", guard, space, op, t, at, g.reg(kind))
	}
}

// index puts a number below 512 into %t: a pattern of the thread's number, or random.
func (g *generator) index() {
	from, bit := g.pick("%u", "%lin", "%r8"), 1<<g.r.IntN(5)
	switch g.r.IntN(8) {
	case 0:
		g.line("xor.b32 %%t, %s, %d;", from, g.r.IntN(64))
	case 1:
		g.line("shr.u32 %%t, %s, %d;", from, g.r.IntN(4))
	case 2:
		g.line("mul.lo.u32 %%t, %s, %d;", from, slices.Max([]int{2, 3, 5, 16, g.r.IntN(100)}))
	case 3: // rows turned round
		g.line("or.b32 %%i7, %s, %d;", from, bit-1)
		g.line("and.b32 %%t, %s, %d;", from, bit-1)
		g.line("sub.u32 %%t, %%i7, %%t;")
	case 4: // a bit taken out
		g.line("and.b32 %%t, %s, %d;", from, bit-1)
		g.line("shr.u32 %%i7, %s, 1;", from)
		g.line("and.b32 %%i7, %%i7, %d;", 1024-bit)
		g.line("or.b32 %%t, %%t, %%i7;")
	case 5: // one put in
		g.line("and.b32 %%t, %s, %d;", from, bit-1)
		g.line("shl.b32 %%i7, %s, 1;", from)
		g.line("sub.u32 %%t, %%i7, %%t;")
	case 6:
		g.line("mad.lo.u32 %%t, %%r1, %d, %s;", 16*(1+g.r.IntN(4)), from)
	default:
		g.line("mov.u32 %%t, %s;", g.reg('r'))
	}
	g.line("and.b32 %%t, %%t, 511;")
}

// gather loads elements of the table at numbers that index gives.
func (g *generator) gather(guard string) {
	g.index()
	t, n := g.pick("u32", "f32", "b64", "f64", "u8", "s16"), 1<<g.r.IntN(3)
	if n*sizeOf(t) > 16 || sizeOf(t) < 4 {
		n = 1
	}
	if g.one(2) {
		g.line("mad.wide.u32 %%a, %%t, %d, %%table;", n*sizeOf(t))
	} else {
		g.line("mul.wide.s32 %%a, %%t, %d;", n*sizeOf(t))
		g.line("add.s64 %%a, %%table, %%a;")
	}
	for range 1 + g.r.IntN(3) {
		g.line("%sld.global%s.%s %s, [%%a+%d];", guard, vector(n), t, g.registers(t, n), n*sizeOf(t)*g.r.IntN(64))
	}
}
