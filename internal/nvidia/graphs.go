package nvidia

import (
	"errors"
	"fmt"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

// lease is what the nodes of a graph need: modules, and numbers of host functions. The graph and what is made of it count
// as its users.
type lease struct {
	object
	modules []*module
	calls   []uintptr
}

func (d *device) newLease() *lease {
	l := &lease{}
	l.init(func() error {
		var errs []error
		for _, id := range l.calls {
			dropHostCall(id)
		}
		for _, m := range l.modules {
			errs = append(errs, m.release())
		}
		return errors.Join(errs...)
	})
	return l
}

// graph is a native graph. Nodes have numbers of ours.
type graph struct {
	object
	native cuapi.Graph
	lease  *lease
	nodes  map[driver.Node]cuapi.GraphNode // guarded by device.mu
}

// graphExec is a native executable graph.
type graphExec struct {
	object
	native cuapi.GraphExec
	lease  *lease
}

// capture is a capture in progress. The fields are guarded by device.mu.
type capture struct {
	origin  *stream
	streams []*stream // all that take part
	lease   *lease
	over    bool
}

// graphs are the graphs of a device. Guarded by device.mu.
type graphs struct {
	all   map[driver.Graph]*graph
	execs map[driver.GraphExec]*graphExec
}

func newGraphs() graphs {
	return graphs{map[driver.Graph]*graph{}, map[driver.GraphExec]*graphExec{}}
}

func badGraph(h driver.Graph) error {
	return fail(driver.InvalidHandle, "use graph %#x: no such graph on this device", uint64(h))
}

// graph finds a graph and counts the caller as its user.
func (d *device) graph(h driver.Graph) (*graph, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	g, ok := d.graphs.all[h]
	if !ok {
		return nil, badGraph(h)
	}
	g.acquire()
	return g, nil
}

// captureOf returns the capture in which a stream takes part, nil if there is none.
func (d *device) captureOf(s *stream) *capture {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return s.capture
}

// uncapturable is the error of a call that cannot be captured.
func (d *device) uncapturable(s *stream) error {
	if d.captureOf(s) == nil {
		return nil
	}
	return fail(driver.CaptureUnsupported, "use a stream: it is captured")
}

// BeginCapture makes a stream record its work.
func (d *device) BeginCapture(h driver.Stream) error {
	s, err := d.transferOrCapture(h)
	if err != nil {
		return err
	}
	defer d.done(s)
	d.capturing.Lock()
	defer d.capturing.Unlock()
	if d.captureOf(s) != nil {
		return fail(driver.IllegalState, "capture stream %#x: it is captured", uint64(h))
	}
	if err := d.call(func() error { return d.api.StreamBeginCapture(s.native) }); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s.capture = &capture{origin: s, streams: []*stream{s}, lease: d.newLease()}
	return nil
}

// Capturing reports whether a stream is captured.
func (d *device) Capturing(h driver.Stream) (bool, error) {
	if err := d.enter(); err != nil {
		return false, err
	}
	defer d.users.leave()
	d.mu.RLock()
	defer d.mu.RUnlock()
	s, ok := d.streams[h]
	if !ok {
		return false, fail(driver.InvalidHandle, "use stream %#x: no such stream on this device", uint64(h))
	}
	return s.capture != nil, nil
}

// endCapture makes streams and capture forget each other.
func (d *device) endCapture(c *capture) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c.over = true
	for _, s := range c.streams {
		s.capture = nil
	}
}

// EndCapture returns the graph.
func (d *device) EndCapture(h driver.Stream) (driver.Graph, error) {
	if err := d.enter(); err != nil {
		return 0, err
	}
	defer d.users.leave()
	s, err := d.stream(h)
	if err != nil {
		return 0, err
	}
	defer func() { d.lose(s.release()) }()
	d.capturing.Lock()
	defer d.capturing.Unlock()
	c := d.captureOf(s)
	switch {
	case c == nil:
		return 0, fail(driver.IllegalState, "end the capture of stream %#x: it is not captured", uint64(h))
	case c.origin != s:
		return 0, fail(driver.CaptureUnmatched, "end the capture of stream %#x: it joined that of another", uint64(h))
	}
	var native cuapi.Graph
	err = d.call(func() (err error) {
		native, err = d.api.StreamEndCapture(s.native)
		return err
	})
	d.endCapture(c)
	if err != nil {
		d.lose(c.lease.release())
		return 0, fmt.Errorf("end the capture of stream %#x: %w", uint64(h), err)
	}
	return d.addGraph(native, c.lease), nil
}

// abandon ends a capture whose stream goes away.
func (d *device) abandon(c *capture) {
	d.capturing.Lock()
	defer d.capturing.Unlock()
	d.mu.RLock()
	over := c.over
	d.mu.RUnlock()
	if over {
		return
	}
	// An error is that of an unfinished capture, and then there is no graph.
	_ = d.raw(func() error {
		g, err := d.api.StreamEndCapture(c.origin.native)
		if err == nil && g != 0 {
			err = d.api.GraphDestroy(g)
		}
		return err
	})
	d.endCapture(c)
	d.lose(c.lease.release())
}

// addGraph puts a native graph into the table.
func (d *device) addGraph(native cuapi.Graph, l *lease) driver.Graph {
	g := &graph{native: native, lease: l, nodes: map[driver.Node]cuapi.GraphNode{}}
	g.init(func() error {
		return errors.Join(d.quiet(func() error { return d.api.GraphDestroy(native) }), l.release())
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	h := driver.Graph(d.handle())
	d.graphs.all[h] = g
	return h
}

// NewGraph makes an empty graph.
func (d *device) NewGraph() (driver.Graph, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.users.leave()
	var native cuapi.Graph
	if err := d.call(func() (err error) {
		native, err = d.api.GraphCreate()
		return err
	}); err != nil {
		return 0, fmt.Errorf("make graph: %w", err)
	}
	return d.addGraph(native, d.newLease()), nil
}

// addNode adds a node with a call of the driver's.
func (d *device) addNode(h driver.Graph, before []driver.Node, add func(g *graph, before []cuapi.GraphNode) (cuapi.GraphNode, error)) (driver.Node, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.users.leave()
	g, err := d.graph(h)
	if err != nil {
		return 0, err
	}
	defer func() { d.lose(g.release()) }()
	d.capturing.Lock() // the driver's graphs are not for several threads at once
	defer d.capturing.Unlock()
	natives := make([]cuapi.GraphNode, len(before))
	d.mu.RLock()
	for i, b := range before {
		if natives[i] = g.nodes[b]; natives[i] == 0 {
			err = fail(driver.InvalidHandle, "add a node behind node %#x: the graph has no such node", uint64(b))
		}
	}
	d.mu.RUnlock()
	if err != nil {
		return 0, err
	}
	var native cuapi.GraphNode
	if err := d.call(func() (err error) {
		native, err = add(g, natives)
		return err
	}); err != nil {
		return 0, fmt.Errorf("add a node: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	n := driver.Node(d.handle())
	g.nodes[n] = native
	return n, nil
}

// AddKernel adds a launch.
func (d *device) AddKernel(h driver.Graph, before []driver.Node, l *driver.Launch) (driver.Node, error) {
	if l == nil {
		return 0, fail(driver.InvalidValue, "add a kernel: no description")
	}
	return d.addNode(h, before, func(g *graph, before []cuapi.GraphNode) (n cuapi.GraphNode, err error) {
		on := *l
		on.Stream = 0
		f, s, err := d.forLaunch(&on)
		if err != nil {
			return 0, err
		}
		d.lose(s.release())
		defer func() {
			if err != nil {
				d.lose(f.module.release())
				return
			}
			g.lease.modules = append(g.lease.modules, f.module)
		}()
		if err := d.admit(f, l); err != nil {
			return 0, err
		}
		if l.Cooperative || l.Cluster != (driver.Dim3{}) || l.Count != 0 && l.Count != l.Grid.Count() {
			return 0, fail(driver.NotSupported, "add %s to a graph: a cooperative launch, one in clusters, or a part of a grid", f.name)
		}
		if err := d.allow(f, l.SharedBytes); err != nil {
			return 0, err
		}
		k := nativeLaunch(f, l)
		return d.api.GraphAddKernelNode(g.native, before, &k)
	})
}

// AddCopy adds a copy.
func (d *device) AddCopy(h driver.Graph, before []driver.Node, dst, src driver.Ptr, n uint64) (driver.Node, error) {
	return d.addNode(h, before, func(g *graph, before []cuapi.GraphNode) (cuapi.GraphNode, error) {
		if n == 0 {
			return 0, fail(driver.InvalidValue, "a copy of 0 bytes")
		}
		if err := d.checkCopy(dst, src, n); err != nil {
			return 0, err
		}
		b := &cuapi.Box{Dst: cuapi.End{Ptr: cuapi.DevicePtr(dst)}, Src: cuapi.End{Ptr: cuapi.DevicePtr(src)}, Width: n, Height: 1, Depth: 1}
		return d.api.GraphAddMemcpyNode(g.native, before, b, d.ctx)
	})
}

// AddFill adds a fill.
func (d *device) AddFill(h driver.Graph, before []driver.Node, dst driver.Ptr, value uint32, width int, count uint64) (driver.Node, error) {
	return d.addNode(h, before, func(g *graph, before []cuapi.GraphNode) (cuapi.GraphNode, error) {
		if count == 0 {
			return 0, fail(driver.InvalidValue, "a fill of 0 elements")
		}
		if err := d.checkFill(dst, width, count); err != nil {
			return 0, err
		}
		return d.api.GraphAddMemsetNode(g.native, before, cuapi.DevicePtr(dst), value, width, count, d.ctx)
	})
}

// AddHostFunc adds a host function.
func (d *device) AddHostFunc(h driver.Graph, before []driver.Node, f func()) (driver.Node, error) {
	if f == nil {
		return 0, fail(driver.InvalidValue, "add a host function: it is nil")
	}
	fn, err := hostCallback()
	if err != nil {
		return 0, fmt.Errorf("add a host function: %w: %w", err, driver.NotSupported)
	}
	return d.addNode(h, before, func(g *graph, before []cuapi.GraphNode) (cuapi.GraphNode, error) {
		id := addHostCall(d, f, true)
		n, err := d.api.GraphAddHostNode(g.native, before, fn, id)
		if err != nil {
			dropHostCall(id)
			return 0, err
		}
		g.lease.calls = append(g.lease.calls, id)
		return n, nil
	})
}

// AddEmpty adds a node without work.
func (d *device) AddEmpty(h driver.Graph, before []driver.Node) (driver.Node, error) {
	return d.addNode(h, before, func(g *graph, before []cuapi.GraphNode) (cuapi.GraphNode, error) {
		return d.api.GraphAddEmptyNode(g.native, before)
	})
}

// AddGraph adds a copy of another graph, with all that it needs.
func (d *device) AddGraph(h driver.Graph, before []driver.Node, child driver.Graph) (driver.Node, error) {
	return d.addNode(h, before, func(g *graph, before []cuapi.GraphNode) (cuapi.GraphNode, error) {
		c, err := d.graph(child)
		if err != nil {
			return 0, err
		}
		defer func() { d.lose(c.release()) }()
		if c == g {
			return 0, fail(driver.InvalidValue, "add a graph to itself")
		}
		n, err := d.api.GraphAddChildGraphNode(g.native, before, c.native)
		if err != nil {
			return 0, err
		}
		c.lease.acquire()
		own := c.lease
		free := g.lease.free
		g.lease.free = func() error { return errors.Join(free(), own.release()) }
		return n, nil
	})
}

// GraphNodes returns the number of nodes.
func (d *device) GraphNodes(h driver.Graph) (n int, err error) {
	if err := d.enter(); err != nil {
		return 0, err
	}
	defer d.users.leave()
	g, err := d.graph(h)
	if err != nil {
		return 0, err
	}
	err = d.raw(func() (err error) {
		n, err = d.api.GraphNodes(g.native)
		return err
	})
	d.lose(g.release())
	return n, err
}

// DestroyGraph takes a graph away.
func (d *device) DestroyGraph(h driver.Graph) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.users.leave()
	d.mu.Lock()
	g, ok := d.graphs.all[h]
	delete(d.graphs.all, h)
	d.mu.Unlock()
	if !ok {
		return badGraph(h)
	}
	return g.release()
}

// Instantiate makes a graph ready.
func (d *device) Instantiate(h driver.Graph) (driver.GraphExec, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.users.leave()
	g, err := d.graph(h)
	if err != nil {
		return 0, err
	}
	defer func() { d.lose(g.release()) }()
	x := &graphExec{lease: g.lease}
	if err := d.call(func() (err error) {
		x.native, err = d.api.GraphInstantiate(g.native)
		return err
	}); err != nil {
		return 0, fmt.Errorf("instantiate a graph: %w", err)
	}
	x.lease.acquire()
	x.init(func() error {
		if err := d.settle(); err != nil { // queued work may need the lease
			return err
		}
		return errors.Join(d.quiet(func() error { return d.api.GraphExecDestroy(x.native) }), x.lease.release())
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	xh := driver.GraphExec(d.handle())
	d.graphs.execs[xh] = x
	return xh, nil
}

// LaunchGraph queues a graph.
func (d *device) LaunchGraph(h driver.GraphExec, on driver.Stream) error {
	s, err := d.transferOrCapture(on)
	if err != nil {
		return err
	}
	defer d.done(s)
	d.mu.RLock()
	x, ok := d.graphs.execs[h]
	if ok {
		x.acquire()
	}
	d.mu.RUnlock()
	if !ok {
		return fail(driver.InvalidHandle, "launch graph %#x: no such graph on this device", uint64(h))
	}
	defer func() { d.lose(x.release()) }()
	err = d.call(func() error { return d.api.GraphLaunch(x.native, s.native) })
	if c := d.captureOf(s); err == nil && c != nil {
		x.lease.acquire()
		d.mu.Lock()
		free := c.lease.free
		c.lease.free = func() error { return errors.Join(free(), x.lease.release()) }
		d.mu.Unlock()
	}
	return err
}

// DestroyGraphExec takes a graph away when the work queued so far is done.
func (d *device) DestroyGraphExec(h driver.GraphExec) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.users.leave()
	d.mu.Lock()
	x, ok := d.graphs.execs[h]
	delete(d.graphs.execs, h)
	d.mu.Unlock()
	if !ok {
		return fail(driver.InvalidHandle, "destroy graph %#x: no such graph on this device", uint64(h))
	}
	return x.release()
}
