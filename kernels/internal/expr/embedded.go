package expr

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"strings"
	"sync"
)

// The embedded kernels: one file of PTX for each family of operations and type, packed by gzip. `make gen` writes them.
//
//go:generate go test -timeout 60m -run TestEmbedded -args -rewrite
//go:embed embedded/*.gz
var files embed.FS

// Name names the embedded kernel of a structure and the group that it is in. ok is false for structures that are not
// embedded: those with more than one operation, and uniform leaves.
func (s *Structure) Name() (group, name string, ok bool) {
	if len(s.Outputs) != 1 {
		return "", "", false
	}
	if s.Reduce != "" {
		if len(s.Nodes) != 0 || len(s.Leaves) != 1 || s.Leaves[0].Kind != Array {
			return "", "", false
		}
		t := s.Leaves[0].Type
		return t.short() + "." + Reduction(s.Reduce).family, s.Reduce + "_" + t.short(), true
	}
	if len(s.Nodes) != 1 {
		return "", "", false
	}
	n := &s.Nodes[0]
	kinds := ""
	for i, a := range n.Args {
		if a != i || s.Leaves[a].Kind == Uniform {
			return "", "", false
		}
		kinds += string(s.Leaves[a].Kind)
	}
	if s.Strided {
		kinds = "x" // all are arrays
	}
	from := s.Leaves[n.Args[len(n.Args)-1]].Type
	if n.Op == Cast {
		return from.short() + ".cast", fmt.Sprintf("cast_%s_%s_%s", from.short(), n.Type.short(), kinds), true
	}
	return from.short() + "." + Ops[n.Op].family, fmt.Sprintf("%s_%s_%s", n.Op, from.short(), kinds), true
}

// names are those of the embedded kernels, without the forms of reductions.
var names = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for _, list := range Embedded() {
		for _, s := range list {
			_, name, _ := s.Name()
			m[name] = true
		}
	}
	return m
})

// IsEmbedded reports whether the structure's kernel is embedded.
func (s *Structure) IsEmbedded() bool {
	_, name, ok := s.Name()
	return ok && names()[name]
}

// PTX is the embedded code of a group, nil if there is none of that name.
func PTX(group string) ([]byte, error) {
	packed, err := files.ReadFile("embedded/" + group + ".gz")
	if err != nil {
		return nil, nil //nolint:nilerr // the one error of an embedded folder is that a file is not there
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("kernels %s: %w", group, err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("kernels %s: %w", group, err)
	}
	return text, nil
}

// Embedded are the structures that are embedded, by group.
func Embedded() map[string][]*Structure {
	all := map[string][]*Structure{}
	add := func(s *Structure) {
		if group, _, ok := s.Name(); ok {
			all[group] = append(all[group], s)
		}
	}
	for t := range Type(NumTypes) {
		for to := range Type(NumTypes) {
			for _, s := range single(Cast, to, t) {
				add(s)
			}
		}
		for i := range ops {
			op := &ops[i]
			if !op.Types.Has(t) {
				continue
			}
			to := op.Result(t)
			if op.gives == chosen {
				to = joined(op.Name)
			}
			for _, s := range single(op.Name, to, argumentTypes(op, t)...) {
				add(s)
			}
		}
		for i := range reductions {
			if op := &reductions[i]; op.Types.Has(t) {
				add(&Structure{Leaves: []Leaf{{Array, t}}, Outputs: []int{0}, Reduce: op.Name})
			}
		}
	}
	return all
}

// joined is the result of making complex numbers.
func joined(op string) Type {
	if op == "join32" {
		return Complex64
	}
	return Complex128
}

// argumentTypes are the types of the arguments of an operation on t.
func argumentTypes(op *Op, t Type) []Type {
	out := make([]Type, op.Arity)
	for i := range out {
		out[i] = t
	}
	if op.Name == "where" {
		out[0] = Bool
	}
	return out
}

// single are the structures of one operation: contiguous with constants in the places where they can be, and strided.
func single(op string, to Type, args ...Type) []*Structure {
	var patterns []string
	switch {
	case op == "copy":
		patterns = []string{"a", "s"}
	case op == Cast && args[0] == Int64 && (to.IsInteger() || to.IsFloat() || to.IsComplex()):
		patterns = []string{"a", "i"}
	case len(args) == 1:
		patterns = []string{"a"}
	case op == "where":
		patterns = []string{"aaa", "aas", "asa", "ass"}
	case Ops[op].swap != "":
		patterns = []string{"aa", "as"}
	default:
		patterns = []string{"aa", "as", "sa"}
	}
	var out []*Structure
	for _, p := range append(patterns, strings.Repeat("a", len(args))) {
		s := &Structure{Nodes: []Node{{Op: op, Type: to}}, Outputs: []int{len(args)}, Strided: len(out) == len(patterns)}
		for i, t := range args {
			s.Leaves = append(s.Leaves, Leaf{Kind(p[i]), t})
			s.Nodes[0].Args = append(s.Nodes[0].Args, i)
		}
		out = append(out, s)
	}
	return out
}

// GroupSource is the source of a group of embedded kernels.
func GroupSource(structures []*Structure) string {
	var b strings.Builder
	b.WriteString(structures[0].Prelude())
	for _, s := range structures {
		_, name, _ := s.Name()
		b.WriteString(s.Source(name))
	}
	return b.String()
}

// Options are those that every kernel is compiled with.
func Options() []string { return []string{"--fmad=false"} }
