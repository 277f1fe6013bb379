package hostdev

import (
	"slices"

	"github.com/tandem-go/tandem/internal/driver"
)

// work queues a piece of work on a stream, after it has checked it. Graphs keep such functions and call them once for each
// launch, so that a graph whose memory was freed or whose module was unloaded is refused. Called with device.mu held.
type work func(s *stream) error

// node is one piece of work of a graph.
type node struct {
	handle driver.Node
	do     work
	before []int // indices of nodes, all less than its own
}

// graph implements driver.Graph. Nodes stand behind those that they wait for, so their order is one in which to do them.
type graph struct {
	nodes []node
}

// capture is a graph in the making. All streams that take part point to it.
type capture struct {
	origin *stream
	graph  *graph
	last   map[*stream][]int // the nodes that the next work of a stream waits for
}

// captured is a place in a capture, as an event records it.
type captured struct {
	capture *capture
	nodes   []int
}

// graphs are the graphs of a device. Guarded by device.mu.
type graphs struct {
	all   map[driver.Graph]*graph
	execs map[driver.GraphExec]*graph
}

func newGraphs() graphs {
	return graphs{map[driver.Graph]*graph{}, map[driver.GraphExec]*graph{}}
}

// discarding is the capture of a stream on which work is only checked.
var discarding = &capture{}

// submit checks work and queues it on a stream, or adds it to the capture of the stream.
func (d *device) submit(h driver.Stream, do work) error {
	if err := d.use(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	s, ok := d.streams[h]
	if !ok {
		return badStream(h)
	}
	return d.put(s, do)
}

// put is submit for a stream. Called with d.mu held.
func (d *device) put(s *stream, do work) error {
	err := do(s)
	if err == nil && s.capture != nil {
		s.capture.add(d, s, do)
	}
	return err
}

// add appends a node behind the last ones of a stream.
func (c *capture) add(d *device, s *stream, do work) {
	if c == discarding {
		return
	}
	c.graph.nodes = append(c.graph.nodes, node{driver.Node(d.handle()), do, c.last[s]})
	c.last[s] = []int{len(c.graph.nodes) - 1}
}

// end makes streams and capture forget each other.
func (c *capture) end() {
	for s := range c.last {
		s.capture = nil
	}
	c.origin.capture = nil
}

// joined reports whether the work of all streams lies before the last nodes of the origin.
func (c *capture) joined() bool {
	before := make([]bool, len(c.graph.nodes))
	var mark func(n []int)
	mark = func(n []int) {
		for _, i := range n {
			if !before[i] {
				before[i] = true
				mark(c.graph.nodes[i].before)
			}
		}
	}
	mark(c.last[c.origin])
	return !slices.Contains(before, false)
}

// record notes the place of an event in a capture.
func (c *capture) record(s *stream) *captured {
	return &captured{c, slices.Clone(c.last[s])}
}

// wait makes later work of a stream wait for a captured event; the stream joins the capture if it takes part in none.
func (c *captured) wait(s *stream) error {
	switch {
	case c.capture.origin.capture != c.capture:
		return fail(driver.CapturedEvent, "wait for an event: its capture has ended")
	case s.capture == nil:
		s.capture = c.capture
		c.capture.last[s] = slices.Clone(c.nodes)
		return nil
	case s.capture != c.capture:
		return fail(driver.CaptureMerge, "wait for an event of another capture")
	}
	for _, n := range c.nodes {
		if !slices.Contains(c.capture.last[s], n) {
			c.capture.last[s] = append(c.capture.last[s], n)
		}
	}
	return nil
}

// uncapturable is the error of a call on a stream that is captured.
func (s *stream) uncapturable() error {
	if s.capture == nil {
		return nil
	}
	return fail(driver.CaptureUnsupported, "use stream %#x: it is captured", uint64(s.handle))
}

// BeginCapture makes a stream record what is queued on it.
func (d *device) BeginCapture(h driver.Stream) error {
	if err := d.use(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	s, ok := d.streams[h]
	switch {
	case !ok:
		return badStream(h)
	case s.capture != nil:
		return fail(driver.IllegalState, "capture stream %#x: it is captured", uint64(h))
	}
	s.capture = &capture{origin: s, graph: &graph{}, last: map[*stream][]int{s: nil}}
	return nil
}

// Capturing reports whether the stream is captured.
func (d *device) Capturing(h driver.Stream) (bool, error) {
	if err := d.enter(); err != nil {
		return false, err
	}
	defer d.mu.Unlock()
	s, ok := d.streams[h]
	if !ok {
		return false, badStream(h)
	}
	return s.capture != nil, nil
}

// EndCapture returns the graph that was captured.
func (d *device) EndCapture(h driver.Stream) (driver.Graph, error) {
	if err := d.enter(); err != nil {
		return 0, err
	}
	defer d.mu.Unlock()
	s, ok := d.streams[h]
	switch {
	case !ok:
		return 0, badStream(h)
	case s.capture == nil:
		return 0, fail(driver.IllegalState, "end the capture of stream %#x: it is not captured", uint64(h))
	case s.capture.origin != s:
		return 0, fail(driver.CaptureUnmatched, "end the capture of stream %#x: it joined that of stream %#x", uint64(h), uint64(s.capture.origin.handle))
	}
	c := s.capture
	c.end()
	if !c.joined() {
		return 0, fail(driver.CaptureUnjoined, "end the capture of stream %#x", uint64(h))
	}
	if err := d.sticky(); err != nil {
		return 0, err
	}
	return d.addGraph(c.graph), nil
}

func (d *device) addGraph(g *graph) driver.Graph {
	h := driver.Graph(d.handle())
	d.graphs.all[h] = g
	return h
}

func badGraph(h driver.Graph) error {
	return fail(driver.InvalidHandle, "use graph %#x: no such graph on this device", uint64(h))
}

// NewGraph makes an empty graph.
func (d *device) NewGraph() (driver.Graph, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.mu.Unlock()
	return d.addGraph(&graph{}), nil
}

// addNode checks work and adds it to a graph. Called with d.mu held.
func (d *device) addNode(h driver.Graph, before []driver.Node, do work) (driver.Node, error) {
	g, ok := d.graphs.all[h]
	if !ok {
		return 0, badGraph(h)
	}
	n := node{do: do}
	for _, b := range before {
		i := slices.IndexFunc(g.nodes, func(n node) bool { return n.handle == b })
		if i < 0 {
			return 0, fail(driver.InvalidHandle, "add a node behind node %#x: the graph has no such node", uint64(b))
		}
		n.before = append(n.before, i)
	}
	if err := do(&stream{d: d, capture: discarding}); err != nil {
		return 0, err
	}
	n.handle = driver.Node(d.handle())
	g.nodes = append(g.nodes, n)
	return n.handle, nil
}

// add is addNode for calls that hold no lock.
func (d *device) add(h driver.Graph, before []driver.Node, do work) (driver.Node, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.mu.Unlock()
	return d.addNode(h, before, do)
}

// AddCopy adds a copy.
func (d *device) AddCopy(g driver.Graph, before []driver.Node, dst, src driver.Ptr, n uint64) (driver.Node, error) {
	if n == 0 {
		return 0, fail(driver.InvalidValue, "add a copy of 0 bytes")
	}
	return d.add(g, before, d.copyWork(dst, src, n))
}

// AddFill adds a fill.
func (d *device) AddFill(g driver.Graph, before []driver.Node, dst driver.Ptr, value uint32, width int, count uint64) (driver.Node, error) {
	if count == 0 {
		return 0, fail(driver.InvalidValue, "add a fill of 0 elements")
	}
	return d.add(g, before, d.fillWork(dst, value, width, count))
}

// AddHostFunc adds a host function.
func (d *device) AddHostFunc(g driver.Graph, before []driver.Node, f func()) (driver.Node, error) {
	if f == nil {
		return 0, fail(driver.InvalidValue, "add a host function: it is nil")
	}
	return d.add(g, before, d.callWork(f))
}

// AddEmpty adds a node without work.
func (d *device) AddEmpty(g driver.Graph, before []driver.Node) (driver.Node, error) {
	return d.add(g, before, func(*stream) error { return nil })
}

// AddGraph adds a copy of another graph.
func (d *device) AddGraph(g driver.Graph, before []driver.Node, child driver.Graph) (driver.Node, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.mu.Unlock()
	c, ok := d.graphs.all[child]
	switch {
	case !ok:
		return 0, badGraph(child)
	case child == g:
		return 0, fail(driver.InvalidValue, "add a graph to itself")
	}
	return d.addNode(g, before, (&graph{slices.Clone(c.nodes)}).do)
}

// do queues all nodes, one after the other: those of a graph that is a node of another, or that are only checked.
func (g *graph) do(s *stream) error {
	for i := range g.nodes {
		if err := g.nodes[i].do(s); err != nil {
			return err
		}
	}
	return nil
}

// check checks all nodes and queues none.
func (g *graph) check(d *device) error { return g.do(&stream{d: d, capture: discarding}) }

// GraphNodes returns the number of nodes.
func (d *device) GraphNodes(h driver.Graph) (int, error) {
	if err := d.enter(); err != nil {
		return 0, err
	}
	defer d.mu.Unlock()
	g, ok := d.graphs.all[h]
	if !ok {
		return 0, badGraph(h)
	}
	return len(g.nodes), nil
}

// DestroyGraph forgets the handle.
func (d *device) DestroyGraph(h driver.Graph) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	if _, ok := d.graphs.all[h]; !ok {
		return badGraph(h)
	}
	delete(d.graphs.all, h)
	return nil
}

// Instantiate copies a graph.
func (d *device) Instantiate(h driver.Graph) (driver.GraphExec, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.mu.Unlock()
	g, ok := d.graphs.all[h]
	if !ok {
		return 0, badGraph(h)
	}
	x := driver.GraphExec(d.handle())
	d.graphs.execs[x] = &graph{slices.Clone(g.nodes)}
	return x, nil
}

// LaunchGraph queues all nodes, after it has checked all, so that an error leaves nothing behind.
func (d *device) LaunchGraph(x driver.GraphExec, h driver.Stream) error {
	return d.submit(h, func(s *stream) error {
		g, ok := d.graphs.execs[x]
		if !ok {
			return fail(driver.InvalidHandle, "launch graph %#x: no such graph on this device", uint64(x))
		}
		if err := g.check(d); err != nil || s.capture != nil {
			return err
		}
		return g.spread(s)
	})
}

// DestroyGraphExec forgets the handle.
func (d *device) DestroyGraphExec(x driver.GraphExec) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	if _, ok := d.graphs.execs[x]; !ok {
		return fail(driver.InvalidHandle, "destroy graph %#x: no such graph on this device", uint64(x))
	}
	delete(d.graphs.execs, x)
	return nil
}
