package expr

import (
	_ "embed" // for the prelude
	"fmt"
	"strings"
)

//go:embed prelude.cu
var prelude string

//go:embed reduce.cu
var reducePrelude string

// Kind says where a leaf's value comes from.
type Kind byte

// The kinds of leaves.
const (
	Array   Kind = 'a' // an element for each element of the result
	Uniform Kind = 'u' // one element in memory for all; not in strided structures
	Const   Kind = 's' // an argument of the kernel
	Index   Kind = 'i' // the element's number in row-major order, int64
)

// Leaf is an operand of a structure.
type Leaf struct {
	Kind Kind
	Type Type
}

// Node is an operation on values: leaves are numbered first, then nodes in order.
type Node struct {
	Op   string
	Type Type // of the result
	Args []int
}

// Structure is one or more element-wise results.
type Structure struct {
	Leaves []Leaf
	Nodes  []Node
	// Outputs are the values that are stored; a reduction has one, which is reduced.
	Outputs []int
	// Strided operands have Strides each, else all are contiguous.
	Strided bool
	// Reduce is the reduction of the output; empty for none. A reduction is not strided.
	Reduce string
}

// typeOf is the type of value v.
func (s *Structure) typeOf(v int) Type {
	if v < len(s.Leaves) {
		return s.Leaves[v].Type
	}
	return s.Nodes[v-len(s.Leaves)].Type
}

// Key names the structure: two structures with one key have the same kernel.
func (s *Structure) Key() string {
	var b strings.Builder
	b.WriteString(s.Reduce)
	if s.Strided {
		b.WriteByte('~')
	}
	for _, l := range s.Leaves {
		fmt.Fprintf(&b, " %c%s", l.Kind, l.Type.short())
	}
	for _, n := range s.Nodes {
		fmt.Fprintf(&b, ";%s %s %v", n.Op, n.Type.short(), n.Args)
	}
	fmt.Fprintf(&b, ">%v", s.Outputs)
	return b.String()
}

// builtin are the operations whose names C++ or CUDA have for functions of their own; the prelude's end in _.
var builtin = func() map[string]bool {
	m := map[string]bool{}
	for _, name := range strings.Fields(`abs bitand bitor bitxor isnan isinf isfinite sqrt rsqrt cbrt exp exp2 exp10 expm1 log log2 log10 log1p
		sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh floor ceil trunc rint erf erfc tgamma lgamma hypot atan2 fmod
		copysign ldexp modff pow`) {
		m[name] = true
	}
	return m
}()

// call is a node's right-hand side.
func (s *Structure) call(n *Node) string {
	args := make([]string, len(n.Args))
	for i, a := range n.Args {
		args[i] = fmt.Sprintf("v%d", a)
	}
	list := strings.Join(args, ", ")
	if n.Op == Cast {
		return fmt.Sprintf("Cast<T_%s, T_%s>::of(%s)", n.Type.short(), s.typeOf(n.Args[0]).short(), list)
	}
	name := n.Op
	if builtin[name] {
		name += "_"
	}
	if n.Type == Float16 && n.Op != "where" && n.Op != "copy" {
		return fmt.Sprintf("round16(%s(%s))", name, list)
	}
	if r := n.Type.register(); n.Type.IsInteger() && Ops[n.Op].gives == same && n.Op != "where" {
		return fmt.Sprintf("%s<%s>(%s)", name, r, list) // small integers would become int
	}
	return fmt.Sprintf("%s(%s)", name, list)
}

// body writes the values, with the index of array leaves given by index(leaf) and that of elements by element.
func (s *Structure) body(b *strings.Builder, index func(leaf int) string, element string) {
	for i, l := range s.Leaves {
		load := fmt.Sprintf("T_%s::load(p%d[%s])", l.Type.short(), i, index(i))
		switch l.Kind {
		case Uniform:
			load = fmt.Sprintf("T_%s::load(p%d[0])", l.Type.short(), i)
		case Const:
			load = fmt.Sprintf("T_%s::load(p%d)", l.Type.short(), i)
		case Index:
			load = "i64(" + element + ")"
		}
		fmt.Fprintf(b, "const %s v%d = %s;\n", l.Type.register(), i, load)
	}
	for i := range s.Nodes {
		n := &s.Nodes[i]
		fmt.Fprintf(b, "const %s v%d = %s;\n", n.Type.register(), len(s.Leaves)+i, s.call(n))
	}
}

// params lists the operands behind those of the shape.
func (s *Structure) params(b *strings.Builder) {
	strides := func(name string, i int) {
		if s.Strided {
			fmt.Fprintf(b, ", const Strides %s%d", name, i)
		}
	}
	if s.Reduce == "" {
		for i, o := range s.Outputs {
			fmt.Fprintf(b, ", %s *o%d", s.typeOf(o).memory(), i)
			strides("so", i)
		}
	}
	for i, l := range s.Leaves {
		switch l.Kind {
		case Const:
			fmt.Fprintf(b, ", const %s p%d", l.Type.memory(), i)
		case Array, Uniform:
			fmt.Fprintf(b, ", const %s *p%d", l.Type.memory(), i)
			strides("s", i)
		}
	}
}

// store writes the outputs.
func (s *Structure) store(b *strings.Builder, index func(output int) string) {
	for i, o := range s.Outputs {
		fmt.Fprintf(b, "o%d[%s] = T_%s::store(v%d);\n", i, index(i), s.typeOf(o).short(), o)
	}
}

// Source is the kernel, or for a reduction the kernels, behind Prelude.
func (s *Structure) Source(name string) string {
	var b strings.Builder
	switch {
	case s.Reduce != "":
		s.reduction(&b, name)
	case s.Strided:
		s.strided(&b, name)
	default:
		s.contiguous(&b, name)
	}
	return b.String()
}

// Prelude is what the kernels are written in.
func (s *Structure) Prelude() string {
	if s.Reduce != "" {
		return prelude + reducePrelude
	}
	return prelude
}

// contiguous is a kernel of one thread for each element: name(n, outputs, leaves).
func (s *Structure) contiguous(b *strings.Builder, name string) {
	fmt.Fprintf(b, "extern \"C\" __global__ void %s(const u64 n", name)
	s.params(b)
	b.WriteString(") {\nconst u64 i = u64(blockIdx.x) * blockDim.x + threadIdx.x;\nif (i >= n) return;\n")
	at := func(int) string { return "i" }
	s.body(b, at, "i")
	s.store(b, at)
	b.WriteString("}\n")
}

// strided is a kernel whose blocks walk over rows: name(space, outputs with strides, leaves with strides).
func (s *Structure) strided(b *strings.Builder, name string) {
	fmt.Fprintf(b, "extern \"C\" __global__ void %s(const Space sp", name)
	s.params(b)
	b.WriteString(") {\nfor (u32 row = blockIdx.y * blockDim.y + threadIdx.y; row < sp.rows; row += gridDim.y * blockDim.y) {\nu32 q = row;\n")
	var operands []string // suffixes of the operands with strides
	for i := range s.Outputs {
		operands = append(operands, fmt.Sprintf("o%d", i))
	}
	for i, l := range s.Leaves {
		if l.Kind == Array {
			operands = append(operands, fmt.Sprint(i))
		}
	}
	for _, o := range operands {
		fmt.Fprintf(b, "i64 d%s = 0;\n", o)
	}
	for k := range MaxDims - 1 {
		fmt.Fprintf(b, "if (sp.rank > %d) {\nconst u32 c = q %% sp.dim[%d]; q /= sp.dim[%d];\n", k, k, k)
		for _, o := range operands {
			fmt.Fprintf(b, "d%s += c * s%s.s[%d];\n", o, o, k)
		}
		b.WriteString("}\n")
	}
	b.WriteString("for (u64 col = u64(blockIdx.x) * blockDim.x + threadIdx.x; col < sp.cols; col += u64(gridDim.x) * blockDim.x) {\n")
	s.body(b, func(leaf int) string { return fmt.Sprintf("d%d + i64(col) * s%d.s[7]", leaf, leaf) }, "u64(row) * sp.cols + col")
	s.store(b, func(output int) string { return fmt.Sprintf("do%d + i64(col) * so%d.s[7]", output, output) })
	b.WriteString("}\n}\n}\n")
}

// MaxDims is how many dimensions a strided kernel has after those that can be walked as one were merged.
const MaxDims = 8
