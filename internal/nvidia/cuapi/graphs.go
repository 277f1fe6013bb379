package cuapi

import "github.com/tandem-go/tandem/internal/dl"

// Handles of graphs.
type (
	// Graph is a CUgraph.
	Graph uintptr
	// GraphNode is a CUgraphNode.
	GraphNode uintptr
	// GraphExec is a CUgraphExec.
	GraphExec uintptr
)

// StreamBeginCapture makes a stream record its work. The mode is relaxed: it may be ended on another thread, and calls on
// other streams are not looked at.
func (l *Library) StreamBeginCapture(s Stream) error {
	return l.call(StreamBeginCapture, dl.NewFrame().Int(uintptr(s)).Int(captureRelaxed))
}

// StreamEndCapture returns the graph that was recorded.
func (l *Library) StreamEndCapture(s Stream) (Graph, error) {
	g := new(uintptr)
	err := l.call(StreamEndCapture, dl.NewFrame().Int(uintptr(s)).Word(g))
	return Graph(*g), err
}

// GraphCreate makes an empty graph.
func (l *Library) GraphCreate() (Graph, error) {
	g := new(uintptr)
	err := l.call(GraphCreate, dl.NewFrame().Word(g).Int(0))
	return Graph(*g), err
}

// GraphDestroy destroys a graph.
func (l *Library) GraphDestroy(g Graph) error {
	return l.call(GraphDestroy, dl.NewFrame().Int(uintptr(g)))
}

// add begins the arguments of a call that adds a node.
func add(n *uintptr, g Graph, before []GraphNode) *dl.Frame {
	words := make([]uintptr, len(before))
	for i, b := range before {
		words[i] = uintptr(b)
	}
	return dl.NewFrame().Word(n).Int(uintptr(g)).Words(words).Int(uintptr(len(words)))
}

// GraphAddMemcpyNode adds a copy, in a context.
func (l *Library) GraphAddMemcpyNode(g Graph, before []GraphNode, b *Box, c Context) (GraphNode, error) {
	n := new(uintptr)
	err := l.call(GraphAddMemcpyNode, add(n, g, before).Words(b.words()).Int(uintptr(c)))
	return GraphNode(*n), err
}

// GraphAddMemsetNode adds a fill of count elements of 1, 2 or 4 bytes, in a context.
func (l *Library) GraphAddMemsetNode(g Graph, before []GraphNode, dst DevicePtr, value uint32, width int, count uint64, c Context) (GraphNode, error) {
	n := new(uintptr)
	value &= uint32(1<<(8*uint(width)) - 1)
	params := []uintptr{uintptr(dst), 0, pair(int(value), width), uintptr(count), 1}
	err := l.call(GraphAddMemsetNode, add(n, g, before).Words(params).Int(uintptr(c)))
	return GraphNode(*n), err
}

// GraphAddHostNode adds a call of the C function fn with data.
func (l *Library) GraphAddHostNode(g Graph, before []GraphNode, fn, data uintptr) (GraphNode, error) {
	n := new(uintptr)
	err := l.call(GraphAddHostNode, add(n, g, before).Words([]uintptr{fn, data}))
	return GraphNode(*n), err
}

// GraphAddEmptyNode adds a node without work.
func (l *Library) GraphAddEmptyNode(g Graph, before []GraphNode) (GraphNode, error) {
	n := new(uintptr)
	err := l.call(GraphAddEmptyNode, add(n, g, before))
	return GraphNode(*n), err
}

// GraphAddChildGraphNode adds a copy of another graph.
func (l *Library) GraphAddChildGraphNode(g Graph, before []GraphNode, child Graph) (GraphNode, error) {
	n := new(uintptr)
	err := l.call(GraphAddChildGraphNode, add(n, g, before).Int(uintptr(child)))
	return GraphNode(*n), err
}

// GraphNodes returns the number of nodes.
func (l *Library) GraphNodes(g Graph) (int, error) {
	n := new(uintptr)
	err := l.call(GraphGetNodes, dl.NewFrame().Int(uintptr(g)).Int(0).Word(n))
	return int(*n), err
}

// GraphInstantiate makes a graph ready.
func (l *Library) GraphInstantiate(g Graph) (GraphExec, error) {
	x := new(uintptr)
	err := l.call(GraphInstantiate, dl.NewFrame().Word(x).Int(uintptr(g)).Int(0))
	return GraphExec(*x), err
}

// GraphLaunch queues a graph.
func (l *Library) GraphLaunch(x GraphExec, s Stream) error {
	return l.call(GraphLaunch, dl.NewFrame().Int(uintptr(x)).Int(uintptr(s)))
}

// GraphExecDestroy destroys what GraphInstantiate made.
func (l *Library) GraphExecDestroy(x GraphExec) error {
	return l.call(GraphExecDestroy, dl.NewFrame().Int(uintptr(x)))
}
