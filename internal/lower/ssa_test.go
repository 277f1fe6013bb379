package lower_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/lower"
	"github.com/tandem-go/tandem/internal/passes"
)

// step is one instruction of a random program on mutable registers.
type step struct {
	op      string // add, sub, mov, st; setp writes the predicate
	d, a, b int
	guard   int // 0 none, 1 @%p, 2 @!%p
}

// part is a labelled piece of a random program; it ends with a jump to another one, which may have a guard, and falls
// through to the next one otherwise.
type part struct {
	steps []step
	jump  int // -1 none, -2 ret
	guard int
}

const regs, traceLen = 5, 60

func randomParts(r *rand.Rand) []part {
	parts := make([]part, 2+r.IntN(8))
	for i := range parts {
		for range r.IntN(6) {
			op := []string{"add", "add", "sub", "mov", "st", "setp"}[r.IntN(6)]
			parts[i].steps = append(parts[i].steps, step{op, r.IntN(regs), r.IntN(regs), r.IntN(regs), r.IntN(3)})
		}
		parts[i].jump, parts[i].guard = r.IntN(len(parts)+2)-2, r.IntN(3)
	}
	return parts
}

var guards = []string{"", "@%p ", "@!%p "}

// text writes the program as PTX.
func text(parts []part) string {
	var b strings.Builder
	b.WriteString(".version 8.0\n.target sm_75\n.address_size 64\n.visible .entry k(.param .u64 p) {\n.reg .pred %p;\n.reg .b32 %r<5>;\n.reg .b64 %rd;\n" +
		"ld.param.u64 %rd, [p];\nmov.u32 %r1, 1;\nmov.u32 %r2, 7;\n")
	for i, p := range parts {
		fmt.Fprintf(&b, "L%d:\n", i)
		for _, s := range p.steps {
			b.WriteString(guards[s.guard])
			switch s.op {
			case "st":
				fmt.Fprintf(&b, "st.global.u32 [%%rd], %%r%d;\n", s.a)
			case "mov":
				fmt.Fprintf(&b, "mov.u32 %%r%d, %%r%d;\n", s.d, s.a)
			case "setp":
				fmt.Fprintf(&b, "setp.lt.u32 %%p, %%r%d, %%r%d;\n", s.a, s.b)
			default:
				fmt.Fprintf(&b, "%s.u32 %%r%d, %%r%d, %%r%d;\n", s.op, s.d, s.a, s.b)
			}
		}
		switch {
		case p.jump == -2:
			b.WriteString(guards[p.guard] + "ret;\n")
		case p.jump >= 0:
			fmt.Fprintf(&b, "%sbra L%d;\n", guards[p.guard], p.jump)
		}
	}
	b.WriteString("}\n")
	return b.String()
}

// runParts executes the program as written and returns what it stores, up to traceLen values.
func runParts(parts []part) (trace []uint32) {
	r := [regs]uint32{1: 1, 2: 7}
	p := false
	on := func(guard int) bool { return guard == 0 || (guard == 1) == p }
	for i, n := 0, 0; i < len(parts) && n < 2000 && len(trace) < traceLen; n++ {
		for _, s := range parts[i].steps {
			if !on(s.guard) {
				continue
			}
			switch s.op {
			case "add":
				r[s.d] = r[s.a] + r[s.b]
			case "sub":
				r[s.d] = r[s.a] - r[s.b]
			case "mov":
				r[s.d] = r[s.a]
			case "setp":
				p = r[s.a] < r[s.b]
			case "st":
				trace = append(trace, r[s.a])
			}
		}
		switch jump := parts[i].jump; {
		case jump == -1 || !on(parts[i].guard):
			i++
		case jump == -2:
			return trace
		default:
			i = jump
		}
	}
	return trace
}

// runFunc executes a lowered program on one lane.
func runFunc(f *ir.Func) (trace []uint32) {
	v := make([]uint64, f.Values)
	b := f.Blocks[0]
	for n := 0; n < 20000 && len(trace) < traceLen; n++ {
		for _, in := range b.Instrs {
			arg := func(i int) uint64 { return v[in.Args[i].ID] }
			var x uint64
			switch in.Op {
			case ir.OpConst:
				x = in.Imm
			case ir.OpAdd:
				x = uint64(uint32(arg(0) + arg(1)))
			case ir.OpSub:
				x = uint64(uint32(arg(0) - arg(1)))
			case ir.OpNot:
				x = arg(0) ^ 1
			case ir.OpSelect:
				if x = arg(2); arg(0) != 0 {
					x = arg(1)
				}
			case ir.OpSetp:
				if arg(0) < arg(1) {
					x = 1
				}
			case ir.OpStore:
				if in.Guard == nil || v[in.Guard.ID] != 0 {
					trace = append(trace, uint32(arg(1)))
				}
			case ir.OpLoad, ir.OpBr, ir.OpCondBr, ir.OpRet:
			default:
				panic(in.Op.String())
			}
			if len(in.Results) > 0 {
				v[in.Results[0].ID] = x
			}
		}
		term := b.Terminator()
		if term.Op == ir.OpRet {
			return trace
		}
		e := term.Targets[0]
		if term.Op == ir.OpCondBr && v[term.Args[0].ID] == 0 {
			e = term.Targets[1]
		}
		args := make([]uint64, len(e.Args))
		for i, a := range e.Args {
			args[i] = v[a.ID]
		}
		for i, p := range e.To.Params {
			v[p.ID] = args[i]
		}
		b = e.To
	}
	return trace
}

// TestRandomPrograms: what a program on registers stores, its values do too, whatever the control flow; before the passes
// and after each.
func TestRandomPrograms(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	stores := 0
	for range 600 {
		parts := randomParts(r)
		src := text(parts)
		want := runParts(parts)
		k, err := lower.Kernel(checked(t, "random.ptx", src), "k")
		require.NoError(t, err)
		require.NoError(t, passes.Run(k, passes.Options{Verify: true, Dump: func(phase string, k *ir.Kernel) {
			got := runFunc(k.Funcs[0])
			got = got[:min(len(got), traceLen)]
			want := want[:min(len(want), traceLen)]
			require.Equal(t, want, got, "%s of\n%s\n%s", phase, src, k)
		}}))
		stores += len(want)
	}
	require.Greater(t, stores, 2000, "too few stores to mean anything")
}
