package array

import (
	"context"
	"slices"

	"github.com/tandem-go/tandem/kernels/internal/expr"
)

// graph is what one kernel shall compute: operations of one shape on leaves, which are stored, constants or numbers.
type graph struct {
	shape  []int
	leaves []*node
	nodes  []*node // in the order in which they can be computed
	ops    []string
	args   [][]int // of the nodes: leaves, or nodeBase and nodes
	value  map[*node]int
	inside map[*node]int // how often a node is used by nodes of the graph
}

// Limits of one kernel: its parameters, its registers and the time to compile it.
const (
	maxLeaves  = 16
	maxNodes   = 48
	maxOutputs = 4
)

// nodeBase tells nodes from leaves.
const nodeBase = 1 << 20

// gather makes the graph of n, a compute node, with all of what n is computed from that one kernel can do. What it cannot is
// computed first; that may happen to store n, too.
func (n *node) gather(ctx context.Context) (*graph, error) {
	g := &graph{shape: n.shape, value: map[*node]int{}, inside: map[*node]int{}}
	_, err := g.add(ctx, n)
	return g, err
}

// add returns the number of n's value.
func (g *graph) add(ctx context.Context, n *node) (int, error) {
	if v, ok := g.value[n]; ok {
		return v, nil
	}
	if n.state == view && n.args[0].state == konst { // the same value, whatever its shape
		v, err := g.add(ctx, n.args[0])
		if err == nil {
			g.value[n] = v
		}
		return v, err
	}
	if !g.takes(n) {
		if n.state != konst && (n.state != index || !slices.Equal(n.shape, g.shape)) {
			if err := n.eval(ctx); err != nil {
				return 0, err
			}
		}
		return g.leaf(n), nil
	}
	args := make([]int, len(n.args))
	for i, a := range n.args {
		v, err := g.add(ctx, a)
		if err != nil {
			return 0, err
		}
		args[i] = v
	}
	if n.state == stored { // by something of which it was a part
		return g.leaf(n), nil
	}
	for _, a := range n.args {
		g.inside[a]++
	}
	g.value[n] = nodeBase + len(g.nodes)
	g.nodes = append(g.nodes, n)
	g.ops = append(g.ops, n.op)
	g.args = append(g.args, args)
	return g.value[n], nil
}

// takes reports whether n is computed in the graph: the first node always, others while there is room.
func (g *graph) takes(n *node) bool {
	if n.state != compute {
		return false
	}
	first := len(g.value) == 0
	room := len(g.nodes) < maxNodes && len(g.leaves)+len(n.args) <= maxLeaves
	return first || room && slices.Equal(n.shape, g.shape)
}

// leaf adds an operand.
func (g *graph) leaf(n *node) int {
	if v, ok := g.value[n]; ok && v < nodeBase {
		return v
	}
	g.value[n] = len(g.leaves)
	g.leaves = append(g.leaves, n)
	return g.value[n]
}

// outputs are the nodes that the graph stores: its root, and what other expressions use too, which would be computed again
// otherwise.
func (g *graph) outputs() []*node {
	root := g.nodes[len(g.nodes)-1]
	out := []*node{root}
	for _, n := range g.nodes {
		if n != root && n.state != stored && n.uses > g.inside[n] && len(out) < maxOutputs {
			out = append(out, n)
		}
	}
	return out
}

// structure is what kernels see of the graph.
func (g *graph) structure(outputs []*node) expr.Structure {
	number := func(v int) int {
		if v >= nodeBase {
			return v - nodeBase + len(g.leaves)
		}
		return v
	}
	s := expr.Structure{Leaves: kindsOf(g.leaves)}
	for i, n := range g.nodes {
		args := make([]int, len(g.args[i]))
		for k, v := range g.args[i] {
			args[k] = number(v)
		}
		s.Nodes = append(s.Nodes, expr.Node{Op: g.ops[i], Type: n.typ, Args: args})
	}
	for _, o := range outputs {
		s.Outputs = append(s.Outputs, number(g.value[o]))
	}
	return s
}

// kindsOf describes leaves, all memory as an array.
func kindsOf(leaves []*node) []expr.Leaf {
	out := make([]expr.Leaf, len(leaves))
	for i, n := range leaves {
		out[i] = expr.Leaf{Kind: expr.Array, Type: n.typ}
		switch n.state {
		case konst:
			out[i].Kind = expr.Const
		case index:
			out[i].Kind = expr.Index
		}
	}
	return out
}
