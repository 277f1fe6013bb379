package enginetest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tandem-go/tandem/internal/engine"
)

// RunRandom executes n random kernels of nested conditions, loops, early exits and calls, in which each thread goes its own
// way, and compares every thread's result with what plain Go computes for it alone. Lanes that a kernel brings together
// behind a join say so by a vote, which must see them all.
func RunRandom(t *testing.T, e engine.Engine, seed uint64, n int) {
	for i := range n {
		g := &generator{r: rand.New(rand.NewPCG(seed, uint64(i)))}
		text := g.kernel()
		runFile(t, e, fmt.Sprintf("random%d.ptx", i), text, modes)
		if t.Failed() {
			t.Fatalf("seed %d, kernel %d:\n%s", seed, i, text)
		}
	}
}

const (
	variables = 5
	threads   = 70
)

// A statement is written as PTX and carried out in Go.
type statement interface {
	write(w *writer)
	do(m *thread) signal
}

// signal says how a statement ended.
type signal uint8

const (
	normal signal = iota
	broke         // out of the innermost loop
	ended         // the thread
)

type thread struct {
	v [variables]uint32
}

type writer struct {
	strings.Builder
	labels int
	breaks []string
}

func (w *writer) label() string {
	w.labels++
	return fmt.Sprintf("L%d", w.labels)
}

// assign is v[d] = v[a] op v[b], or op constant.
type assign struct {
	op      int
	d, a, b int
	c       uint32
	isConst bool
}

var operators = []struct {
	name string
	do   func(a, b uint32) uint32
}{
	{"add.u32", func(a, b uint32) uint32 { return a + b }},
	{"sub.u32", func(a, b uint32) uint32 { return a - b }},
	{"mul.lo.u32", func(a, b uint32) uint32 { return a * b }},
	{"xor.b32", func(a, b uint32) uint32 { return a ^ b }},
	{"shr.u32", func(a, b uint32) uint32 { return a >> b }},
	{"min.u32", func(a, b uint32) uint32 { return min(a, b) }},
}

func (s assign) write(w *writer) {
	operand := fmt.Sprintf("%%v%d", s.b)
	if s.isConst {
		operand = fmt.Sprint(s.c)
	}
	fmt.Fprintf(w, "\t%s %%v%d, %%v%d, %s;\n", operators[s.op].name, s.d, s.a, operand)
}

func (s assign) do(m *thread) signal {
	b := m.v[s.b]
	if s.isConst {
		b = s.c
	}
	m.v[s.d] = operators[s.op].do(m.v[s.a], b)
	return normal
}

// called is v[d] = mix(v[a]), a function with a branch in it.
type called struct{ d, a int }

func (s called) write(w *writer) { fmt.Fprintf(w, "\tcall (%%v%d), mix, (%%v%d);\n", s.d, s.a) }

func (s called) do(m *thread) signal {
	x := m.v[s.a]
	if x&4 != 0 {
		x = x*5 + 1
	} else {
		x ^= 0x9e37
	}
	m.v[s.d] = x
	return normal
}

const mix = `.func (.reg .u32 %y) mix(.reg .u32 %x)
{
	.reg .pred %p; .reg .b32 %t;
	and.b32 %t, %x, 4;
	setp.ne.u32 %p, %t, 0;
	@%p bra ODD;
	xor.b32 %y, %x, 0x9e37;
	ret;
ODD:
	mad.lo.u32 %y, %x, 5, 1;
	ret;
}
`

// choice is if v[a] & bit { yes } else { no }.
type choice struct {
	a       int
	bit     uint32
	yes, no []statement
}

func (s choice) write(w *writer) {
	other, join := w.label(), w.label()
	fmt.Fprintf(w, "\tand.b32 %%t, %%v%d, %d;\n\tsetp.eq.u32 %%p, %%t, 0;\n\t@%%p bra %s;\n", s.a, s.bit, other)
	writeAll(w, s.yes)
	fmt.Fprintf(w, "\tbra %s;\n%s:\n", join, other)
	writeAll(w, s.no)
	fmt.Fprintf(w, "%s:\n", join)
}

func (s choice) do(m *thread) signal {
	if m.v[s.a]&s.bit != 0 {
		return doAll(s.yes, m)
	}
	return doAll(s.no, m)
}

// loop repeats body v[a] & 7 times; counters are registers of their own.
type loop struct {
	a, counter int
	body       []statement
}

func (s loop) write(w *writer) {
	head, out := w.label(), w.label()
	fmt.Fprintf(w, "\tand.b32 %%c%d, %%v%d, 7;\n%s:\n\tsetp.eq.u32 %%p, %%c%d, 0;\n\t@%%p bra %s;\n\tsub.u32 %%c%d, %%c%d, 1;\n",
		s.counter, s.a, head, s.counter, out, s.counter, s.counter)
	w.breaks = append(w.breaks, out)
	writeAll(w, s.body)
	w.breaks = w.breaks[:len(w.breaks)-1]
	fmt.Fprintf(w, "\tbra %s;\n%s:\n", head, out)
}

func (s loop) do(m *thread) signal {
	for n := m.v[s.a] & 7; n > 0; n-- {
		switch doAll(s.body, m) {
		case broke:
			return normal
		case ended:
			return ended
		}
	}
	return normal
}

// leave goes out of the loop where v[a] & bit.
type leave struct {
	a   int
	bit uint32
}

func (s leave) write(w *writer) {
	fmt.Fprintf(w, "\tand.b32 %%t, %%v%d, %d;\n\tsetp.ne.u32 %%p, %%t, 0;\n\t@%%p bra %s;\n", s.a, s.bit, w.breaks[len(w.breaks)-1])
}

func (s leave) do(m *thread) signal {
	if m.v[s.a]&s.bit != 0 {
		return broke
	}
	return normal
}

// stop ends the thread where bits 8 to 10 of v[a] are set; its result stays what it was.
type stop struct{ a int }

func (s stop) write(w *writer) {
	fmt.Fprintf(w, "\tand.b32 %%t, %%v%d, 0x700;\n\tsetp.eq.u32 %%p, %%t, 0x700;\n\t@%%p exit;\n", s.a)
}

func (s stop) do(m *thread) signal {
	if m.v[s.a]&0x700 == 0x700 {
		return ended
	}
	return normal
}

func writeAll(w *writer, list []statement) {
	for _, s := range list {
		s.write(w)
	}
}

func doAll(list []statement, m *thread) signal {
	for _, s := range list {
		if r := s.do(m); r != normal {
			return r
		}
	}
	return normal
}

type generator struct {
	r        *rand.Rand
	counters int
	loops    int
}

func (g *generator) list(depth int) (out []statement) {
	for range 1 + g.r.IntN(4) {
		out = append(out, g.statement(depth))
	}
	return out
}

func (g *generator) statement(depth int) statement {
	v := func() int { return g.r.IntN(variables) }
	bit := func() uint32 { return 1 << g.r.IntN(6) }
	switch k := g.r.IntN(12); {
	case k < 3 && depth > 0:
		return choice{v(), bit(), g.list(depth - 1), g.list(depth - 1)}
	case k < 5 && depth > 0 && g.loops < 3:
		g.counters++
		l := loop{a: v(), counter: g.counters}
		g.loops++
		l.body = g.list(depth - 1)
		g.loops--
		return l
	case k == 5 && g.loops > 0:
		return leave{v(), bit()}
	case k == 6:
		return stop{v()}
	case k == 7:
		return called{v(), v()}
	}
	return assign{op: g.r.IntN(len(operators)), d: v(), a: v(), b: v(), c: g.r.Uint32() >> g.r.IntN(32), isConst: g.r.IntN(2) == 0}
}

// kernel is a random kernel with its run line. It stores a mix of all variables of each thread, and which lanes of its warp
// are there at the end.
func (g *generator) kernel() string {
	body := g.list(4)
	w := &writer{}
	writeAll(w, body)
	results, present := make([]string, threads), [3]uint32{}
	for tid := range threads {
		m := start(uint32(tid))
		results[tid] = "0"
		if doAll(body, m) != ended {
			sum := uint32(0)
			for _, x := range m.v {
				sum = sum*31 + x
			}
			results[tid] = fmt.Sprint(sum)
			present[tid/32] |= 1 << (tid % 32)
		}
	}
	votes := make([]string, threads)
	for tid := range threads {
		votes[tid] = "0"
		if present[tid/32]>>(tid%32)&1 != 0 {
			votes[tid] = fmt.Sprint(present[tid/32])
		}
	}
	out := &strings.Builder{}
	fmt.Fprintf(out, "// random control flow\n.version 8.4\n.target sm_75\n.address_size 64\n%s\n", mix)
	fmt.Fprintf(out, "// run: random<<<1, %d>>>(u32[0*%d] == [%s], u32[0*%d] == [%s])\n", threads, threads, strings.Join(results, " "), threads, strings.Join(votes, " "))
	fmt.Fprintf(out, ".visible .entry random(.param .u64 out, .param .u64 votes)\n{\n\t.reg .pred %%p; .reg .b32 %%t, %%v<%d>, %%c<%d>; .reg .b64 %%a;\n", variables, g.counters+1)
	for i := range variables {
		fmt.Fprintf(out, "\tmov.u32 %%v%d, %%tid.x;\n\tmad.lo.u32 %%v%d, %%v%d, %d, %d;\n", i, i, i, 2*i+1, i*77)
	}
	out.WriteString(w.String())
	for i := 1; i < variables; i++ {
		fmt.Fprintf(out, "\tmad.lo.u32 %%v0, %%v0, 31, %%v%d;\n", i)
	}
	out.WriteString(`	setp.eq.u32 %p, %v0, %v0;
	vote.sync.ballot.b32 %v1, %p, -1;
	mov.u32 %t, %tid.x;
	ld.param.u64 %a, [out];
	mad.wide.u32 %a, %t, 4, %a;
	st.global.u32 [%a], %v0;
	ld.param.u64 %a, [votes];
	mad.wide.u32 %a, %t, 4, %a;
	st.global.u32 [%a], %v1;
	ret;
}
`)
	return out.String()
}

// start is a thread as the kernel's first lines set it up.
func start(tid uint32) *thread {
	m := &thread{}
	for i := range m.v {
		m.v[i] = tid*uint32(2*i+1) + uint32(i*77)
	}
	return m
}
