// Package passes rewrites a lowered kernel into an equal one that is cheaper to execute, and tells engines facts about it.
//
// Rewrites are an ordered table (Table), each with the reason for its place; Run applies them. They are those that help
// every engine. None changes which lanes meet at a barrier, shuffle, vote, match, activemask, volatile access or atomic:
// a lane executes the instructions with effects that it executed, in their order, none is merged with another, floating-point
// arithmetic is neither contracted nor reassociated, and blocks keep their order. Bodies of functions are copied to where
// they are called.
//
// Analyses are functions of a finished function and valid until it changes: PostDominators, Loops, Liveness, Uniformity
// and Affine.
package passes

import (
	"fmt"

	"github.com/tandem-go/tandem/internal/ir"
)

// Options are what a run of the passes may do besides rewriting. The zero value is what the host device uses.
type Options struct {
	// Dump, if not nil, sees the kernel before the first pass, as phase "lower", and after each pass by its name.
	Dump func(phase string, k *ir.Kernel)
	// Verify runs ir.Verify before the first pass and after each.
	Verify bool
	// Fold, if not nil, computes the one result of a pure instruction whose operands are all constant, with the bits of
	// the operands; ok is false if it cannot. Without it only integer sums, products and bitwise operations are folded:
	// the meaning of operations stands in the engines, and is not repeated here.
	Fold func(in *ir.Instr, args []uint64) (bits uint64, ok bool)
	// KeepHalves leaves arithmetic of f16 and bf16 to an engine that interprets it: what replaces it is ten times as long.
	KeepHalves bool
}

// Pass is one rewrite.
type Pass struct {
	// Name is the phase that Options.Dump sees.
	Name string
	// Why says why it stands where it stands.
	Why string
	run func(k *ir.Kernel, o Options)
}

// context is what a pass works on.
type context struct {
	k *ir.Kernel
	f *ir.Func
	o Options
}

// Table returns the passes in their order.
func Table() []Pass {
	return []Pass{
		{"inline", "first, so that the others see one function and engines without calls can compile it", inline},
		{"half", "after inline; the others then share what operations on halves have in common", each(half)},
		{"forward", "before the others but inline, so that the others see values and not copies of them through block parameters", each(forward)},
		{"fold", "after forward, since a parameter that always gets one constant is that constant", each(fold)},
		{"dedupe", "after fold, which makes more expressions equal", each(dedupe)},
		{"address", "after dedupe, so that accesses to one variable have the same base value", each(address)},
		{"jumps", "after forward and fold, which empty blocks that only selected or copied", each(jumps)},
		{"dead", "last: it removes what the others made unused", each(dead)},
	}
}

// each rewrites one function after the other.
func each(rewrite func(c *context)) func(k *ir.Kernel, o Options) {
	return func(k *ir.Kernel, o Options) {
		for _, f := range k.Funcs {
			rewrite(&context{k, f, o})
		}
	}
}

// Run applies all passes to k. The error, with Options.Verify only, names the pass that spoiled the
// kernel, or "lower" if it was not well-formed at the start.
func Run(k *ir.Kernel, o Options) error {
	if err := phase(k, o, "lower"); err != nil {
		return err
	}
	for _, p := range Table() {
		p.run(k, o)
		if err := phase(k, o, p.Name); err != nil {
			return err
		}
	}
	return nil
}

// RunPass applies the one pass called name, for tests and tools.
func RunPass(k *ir.Kernel, name string, o Options) error {
	for _, p := range Table() {
		if p.Name != name {
			continue
		}
		p.run(k, o)
		return phase(k, o, name)
	}
	return fmt.Errorf("passes: no pass %q", name)
}

func phase(k *ir.Kernel, o Options, name string) error {
	if o.Dump != nil {
		o.Dump(name, k)
	}
	if !o.Verify {
		return nil
	}
	if err := ir.Verify(k); err != nil {
		return fmt.Errorf("after pass %s: %w", name, err)
	}
	return nil
}

// replacer notes which values stand for others, and replaces them all at the end.
type replacer struct {
	f  *ir.Func
	by []*ir.Value
}

func newReplacer(f *ir.Func) *replacer { return &replacer{f, make([]*ir.Value, f.Values)} }

// replace makes all uses of v uses of by.
func (r *replacer) replace(v, by *ir.Value) { r.by[v.ID] = by }

// get returns what stands for v now.
func (r *replacer) get(v *ir.Value) *ir.Value {
	for v.ID < len(r.by) && r.by[v.ID] != nil {
		v = r.by[v.ID]
	}
	return v
}

// uses brings the operands of in up to date.
func (r *replacer) uses(in *ir.Instr) {
	for i, a := range in.Args {
		in.Args[i] = r.get(a)
	}
	if in.Guard != nil {
		in.Guard = r.get(in.Guard)
	}
	for _, e := range in.Targets {
		for i, a := range e.Args {
			e.Args[i] = r.get(a)
		}
	}
}

// apply brings all operands up to date.
func (r *replacer) apply() {
	for _, b := range r.f.Blocks {
		for _, in := range b.Instrs {
			r.uses(in)
		}
	}
}
