package expr

import (
	"fmt"
	"strings"
)

// Reductions are the reductions by name, with the types that they are defined on and what they give.
var reductions = []Op{
	{"sum", 1, numbers, same, "", "reduce"},
	{"prod", 1, numbers, same, "", "reduce"},
	{"min", 1, ordered, same, "", "reduce"},
	{"max", 1, ordered, same, "", "reduce"},
	{"argmin", 1, ordered, chosen, "", "reducearg"},
	{"argmax", 1, ordered, chosen, "", "reducearg"},
	{"any", 1, anyType, truth, "", "reduce"},
	{"all", 1, anyType, truth, "", "reduce"},
}

// reductionClass is the prelude's class of a reduction.
var reductionClass = map[string]string{
	"sum": "Sum", "prod": "Prod", "min": "Min", "max": "Max", "argmin": "ArgMin", "argmax": "ArgMax", "any": "Any", "all": "All",
}

// Reduction finds a reduction; nil if there is none of that name.
func Reduction(name string) *Op {
	for i := range reductions {
		if reductions[i].Name == name {
			return &reductions[i]
		}
	}
	return nil
}

// ReductionResult is the type that a reduction of values of type t gives.
func ReductionResult(name string, t Type) Type {
	if op := Reduction(name); op.gives != chosen {
		return op.Result(t)
	}
	return Int64
}

// PartSize is the size of an intermediate result in bytes.
func PartSize(name string, t Type) int {
	switch {
	case name == "any" || name == "all":
		return 1
	case strings.HasPrefix(name, "arg"):
		return 16
	case t == Float16:
		return 4
	}
	return t.Size()
}

// The kernels of a reduction: from elements by blocks, warps and columns, from intermediate results by warps and columns.
const (
	ByBlock     = "_block"
	ByWarp      = "_warp"
	ByColumn    = "_column"
	PartsWarp   = "_pwarp"
	PartsColumn = "_pcolumn"
)

// reduction writes the five kernels: name_form(shape, out, parts, leaves or parts of before).
func (s *Structure) reduction(b *strings.Builder, name string) {
	of := s.typeOf(s.Outputs[0])
	op := fmt.Sprintf("%s<T_%s>", reductionClass[s.Reduce], of.short())
	head := func(form string) {
		fmt.Fprintf(b, "extern \"C\" __global__ void %s%s(const Reduction r, void *out, void *parts", name, form)
	}
	for _, f := range []struct{ form, function string }{{ByBlock, "reduceBlock"}, {ByWarp, "reduceWarp"}, {ByColumn, "reduceColumn"}} {
		head(f.form)
		s.params(b)
		fmt.Fprintf(b, ") {\n%s<%s>(r, out, parts, [=](u64 i, u64 at) {\n", f.function, op)
		s.body(b, func(int) string { return "i" }, "i")
		fmt.Fprintf(b, "return %s::of(v%d, i64(at)); });\n}\n", op, s.Outputs[0])
	}
	for _, f := range []struct{ form, function string }{{PartsWarp, "reduceWarp"}, {PartsColumn, "reduceColumn"}} {
		head(f.form)
		fmt.Fprintf(b, ", const %s::A *from) {\n%s<%s>(r, out, parts, [=](u64 i, u64) { return from[i]; });\n}\n", op, f.function, op)
	}
}

// ReductionPrelude is what reductions are written in, for kernels of others.
func ReductionPrelude() string { return prelude + reducePrelude }
