package driver

// Handles of graphs. A stale or foreign handle is InvalidHandle.
type (
	// Graph is work with its dependencies.
	Graph uint64
	// Node is one piece of work of a graph; it is valid as long as the graph.
	Node uint64
	// GraphExec is a graph made ready to be queued again and again.
	GraphExec uint64
)

// Graphs is the part of a Device that deals with graphs of work.
//
// While a stream is captured, Launch, Copy, Fill, CopyRegion, FillRows, HostFunc, Record, WaitEvent and LaunchGraph on it
// add to a graph and do nothing else. Every other call on such a stream, and every call that asks about an event that was
// recorded in a capture, returns CaptureUnsupported or, of the event, CapturedEvent; the capture goes on.
type Graphs interface {
	// BeginCapture makes a stream record what is queued on it. A stream that waits for an event of a captured one joins the
	// capture. IllegalState if the stream is captured already.
	BeginCapture(s Stream) error
	// Capturing reports whether the stream is captured.
	Capturing(s Stream) (bool, error)
	// EndCapture ends what BeginCapture on the same stream began, and returns the graph. IllegalState if the stream is not
	// captured, CaptureUnmatched if it joined the capture of another, CaptureUnjoined if a stream that joined has work
	// that s does not wait for; with the last, the capture is over, without a graph.
	EndCapture(s Stream) (Graph, error)

	// NewGraph makes a graph without nodes. The Add methods add a node that waits for the nodes before it, of the same
	// graph (InvalidHandle, InvalidValue). Arguments are checked as by the call that queues the same work.
	NewGraph() (Graph, error)
	AddKernel(g Graph, before []Node, l *Launch) (Node, error)
	AddCopy(g Graph, before []Node, dst, src Ptr, n uint64) (Node, error)
	AddFill(g Graph, before []Node, dst Ptr, value uint32, width int, count uint64) (Node, error)
	AddHostFunc(g Graph, before []Node, f func()) (Node, error)
	AddEmpty(g Graph, before []Node) (Node, error)
	// AddGraph adds a copy of another graph as one node.
	AddGraph(g Graph, before []Node, child Graph) (Node, error)
	// GraphNodes returns the number of nodes.
	GraphNodes(g Graph) (int, error)
	// DestroyGraph releases the handle; what was made of the graph lives on.
	DestroyGraph(g Graph) error

	// Instantiate makes a graph ready. Nodes that are added to it later make no difference.
	Instantiate(g Graph) (GraphExec, error)
	// LaunchGraph queues all nodes: none begins before the work queued so far, and what is queued later waits for all.
	LaunchGraph(x GraphExec, s Stream) error
	// DestroyGraphExec releases the handle; what was queued goes on.
	DestroyGraphExec(x GraphExec) error
}
