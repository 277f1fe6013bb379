package cuda

import (
	"context"
	"runtime"
	"sync"

	"github.com/tandem-go/tandem/internal/driver"
)

// Graph is work with its dependencies: captured from a stream, or built node by node. It keeps the modules and the memory
// that its nodes use, as does what Instantiate makes of it. The methods may be called from any goroutine.
type Graph struct {
	dev  *Device
	res  *resource
	keep *kept
}

// kept is what the nodes of a graph use.
type kept struct {
	mu   sync.Mutex
	objs []any // guarded by mu
}

func (k *kept) add(objs ...any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.objs = append(k.objs, objs...)
}

// capture is a graph in the making. All streams that take part point to it.
type capture struct {
	keep *kept

	mu     sync.Mutex
	queues []*queue     // guarded by mu: those that take part
	seen   map[any]bool // guarded by mu: what is in keep
}

// join makes a stream take part.
func (c *capture) join(q *queue) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if q.capture.CompareAndSwap(nil, c) {
		c.queues = append(c.queues, q)
	}
}

// end makes all streams forget the capture.
func (c *capture) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, q := range c.queues {
		q.capture.CompareAndSwap(c, nil)
	}
	c.queues = nil
}

// add keeps what a captured call used.
func (c *capture) add(objs ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range objs {
		if !c.seen[o] {
			c.seen[o] = true
			c.keep.add(o)
		}
	}
}

// Node is one piece of work of a graph.
type Node struct {
	g *Graph
	h driver.Node
}

// Executable is a graph made ready to be launched again and again.
type Executable struct {
	dev  *Device
	res  *resource
	keep *kept
}

// BeginCapture makes the stream record what is queued on it: launches without slices, copies between buffers, fills, host
// functions, events and waits for them become nodes of a graph, and nothing is done. A stream that waits for an event of a
// captured one joins. Other calls on such a stream, Wait for one, return an error that wraps ErrCapture and leave the
// capture as it is.
func (s *Stream) BeginCapture() error {
	const op = "begin capture"
	if err := s.acquire(op); err != nil {
		return err
	}
	defer s.release()
	c := &capture{keep: &kept{}, seen: map[any]bool{}}
	c.join(s.q) // before the driver records, so that no call is missed
	err := s.dev.c.drv.BeginCapture(s.q.h)
	if err != nil {
		c.end()
	}
	return s.dev.c.wrap(op, err)
}

// Capturing reports whether the stream records.
func (s *Stream) Capturing() (bool, error) {
	const op = "ask for a capture"
	if err := s.acquire(op); err != nil {
		return false, err
	}
	defer s.release()
	on, err := s.dev.c.drv.Capturing(s.q.h)
	return on, s.dev.c.wrap(op, err)
}

// EndCapture ends what BeginCapture on the same stream began and returns the graph. The error wraps ErrCapture if the stream
// does not record or joined another's capture, or if a stream that joined was not waited for; the last ends the capture.
func (s *Stream) EndCapture() (*Graph, error) {
	const op = "end capture"
	if err := s.acquire(op); err != nil {
		return nil, err
	}
	defer s.release()
	drv, c := s.dev.c.drv, s.q.capture.Load()
	h, err := drv.EndCapture(s.q.h)
	if err != nil {
		if on, e := drv.Capturing(s.q.h); c != nil && !on && e == nil {
			c.end()
		}
		return nil, s.dev.c.wrap(op, err)
	}
	keep := &kept{}
	if c != nil { // else the device was reset meanwhile
		c.end()
		keep = c.keep
	}
	return s.dev.graph(h, keep), nil
}

func (d *Device) graph(h driver.Graph, keep *kept) *Graph {
	return &Graph{d, d.c.guarded(graphHandle, uint64(h)), keep}
}

// NewGraph makes a graph without nodes.
func (d *Device) NewGraph() (*Graph, error) {
	const op = "make graph"
	if err := d.c.usable(op); err != nil {
		return nil, err
	}
	h, err := d.c.drv.NewGraph()
	if err != nil {
		return nil, d.c.wrap(op, err)
	}
	return d.graph(h, &kept{}), nil
}

// Close gives the graph up. What was made of it lives on.
func (g *Graph) Close() error { return g.res.close() }

func (g *Graph) handle() driver.Graph { return driver.Graph(g.res.note.handle) }

// Nodes is the number of nodes.
func (g *Graph) Nodes() (n int, err error) {
	const op = "count the nodes of a graph"
	if err := g.res.acquire(op, "graph"); err != nil {
		return 0, err
	}
	defer g.res.release()
	n, err = g.dev.c.drv.GraphNodes(g.handle())
	return n, g.dev.c.wrap(op, err)
}

// add calls a driver call that adds a node.
func (g *Graph) add(op string, after []Node, call func(h driver.Graph, before []driver.Node) (driver.Node, error), keep ...any) (Node, error) {
	if err := g.res.acquire(op, "graph"); err != nil {
		return Node{}, err
	}
	defer g.res.release()
	before := make([]driver.Node, len(after))
	for i, n := range after {
		if n.g != g {
			return Node{}, misused(op, ErrInvalidValue, "node %d to wait for is not of this graph", i)
		}
		before[i] = n.h
	}
	h, err := call(g.handle(), before)
	if err != nil {
		return Node{}, g.dev.c.wrap(op, err)
	}
	g.keep.add(keep...)
	return Node{g, h}, nil
}

// Kernel adds a launch that waits for the nodes of after. The arguments are checked now and are those of every launch of the
// graph: scalars, structures and buffers, no slices. LaunchConfig.Stream is not used.
func (g *Graph) Kernel(after []Node, f *Function, cfg LaunchConfig, args ...any) (Node, error) {
	op := "add " + f.name + " to a graph"
	if f.mod.dev.c != g.dev.c {
		return Node{}, misused(op, ErrWrongDevice, "the kernel belongs to %s, the graph to %s", f.mod.dev.c.name, g.dev.c.name)
	}
	cfg.Stream = nil
	p, err := f.Prepare(cfg, args...)
	if err != nil {
		return Node{}, err
	}
	defer runtime.KeepAlive(p)
	l := p.launch
	l.Params, l.Stream = p.v.enc.Block, 0
	return g.add(op, after, func(h driver.Graph, before []driver.Node) (driver.Node, error) {
		return g.dev.c.drv.AddKernel(h, before, &l)
	}, p)
}

// CopyNode adds a copy of src to dst, which have the same length and do not overlap.
func CopyNode[T Element](g *Graph, after []Node, dst, src Memory[T]) (Node, error) {
	const op = "add a copy to a graph"
	if dst.Device().c != g.dev.c || src.Device().c != g.dev.c {
		return Node{}, misused(op, ErrWrongDevice, "memory and graph are of different devices")
	}
	if dst.Len() != src.Len() {
		return Node{}, misused(op, ErrLength, "%d elements into %d", src.Len(), dst.Len())
	}
	to, err := dst.use(op)
	if err != nil {
		return Node{}, err
	}
	defer to.m.release()
	from, err := src.use(op)
	if err != nil {
		return Node{}, err
	}
	defer from.m.release()
	return g.add(op, after, func(h driver.Graph, before []driver.Node) (driver.Node, error) {
		return g.dev.c.drv.AddCopy(h, before, to.ptr, from.ptr, to.n)
	}, dst, src)
}

// FillNode adds setting all elements of a buffer to v. T has at most four bytes, else the error wraps ErrNotSupported.
func FillNode[T Element](g *Graph, after []Node, b *Buffer[T], v T) (Node, error) {
	const op = "add a fill to a graph"
	if b.dev.c != g.dev.c {
		return Node{}, misused(op, ErrWrongDevice, "the buffer belongs to %s, the graph to %s", b.dev.c.name, g.dev.c.name)
	}
	value, width, ok := small(bytesOf([]T{v}))
	if !ok {
		return Node{}, misused(op, ErrNotSupported, "elements of %d bytes", sizeOf[T]())
	}
	r, err := b.use(op)
	if err != nil {
		return Node{}, err
	}
	defer r.m.release()
	return g.add(op, after, func(h driver.Graph, before []driver.Node) (driver.Node, error) {
		return g.dev.c.drv.AddFill(h, before, r.ptr, value, width, r.n/uint64(width))
	}, b)
}

// HostFunc adds a call of f, which runs on some goroutine and must not use the device.
func (g *Graph) HostFunc(after []Node, f func()) (Node, error) {
	return g.add("add a host function to a graph", after, func(h driver.Graph, before []driver.Node) (driver.Node, error) {
		return g.dev.c.drv.AddHostFunc(h, before, f)
	})
}

// Join adds a node without work, which waits for others.
func (g *Graph) Join(after []Node) (Node, error) {
	return g.add("add a node to a graph", after, g.dev.c.drv.AddEmpty)
}

// Graph adds a copy of another graph as one node.
func (g *Graph) Graph(after []Node, child *Graph) (Node, error) {
	const op = "add a graph to a graph"
	if child.dev.c != g.dev.c {
		return Node{}, misused(op, ErrWrongDevice, "the graphs are of different devices")
	}
	if err := child.res.acquire(op, "graph"); err != nil {
		return Node{}, err
	}
	defer child.res.release()
	return g.add(op, after, func(h driver.Graph, before []driver.Node) (driver.Node, error) {
		return g.dev.c.drv.AddGraph(h, before, child.handle())
	}, child.keep)
}

// Instantiate makes the graph ready. Nodes that are added later make no difference to what it returns.
func (g *Graph) Instantiate() (*Executable, error) {
	const op = "instantiate a graph"
	if err := g.res.acquire(op, "graph"); err != nil {
		return nil, err
	}
	defer g.res.release()
	h, err := g.dev.c.drv.Instantiate(g.handle())
	if err != nil {
		return nil, g.dev.c.wrap(op, err)
	}
	return &Executable{g.dev, g.dev.c.guarded(execHandle, uint64(h)), g.keep}, nil
}

// Launch queues all nodes on s; nil is the default stream. None begins before the work queued so far, and what is queued
// later waits for all. Memory or a module that was closed meanwhile gives an error, and nothing is queued.
func (x *Executable) Launch(s *Stream) error {
	const op = "launch graph"
	q, done, err := x.dev.stream(op, s)
	if err != nil {
		return err
	}
	defer done()
	if err := x.res.acquire(op, "graph"); err != nil {
		return err
	}
	defer x.res.release()
	if err := x.alive(op); err != nil {
		return err
	}
	if err := x.dev.c.drv.LaunchGraph(driver.GraphExec(x.res.note.handle), q.h); err != nil {
		return x.dev.c.wrap(op, err)
	}
	x.touch(q)
	return nil
}

// alive checks that neither memory nor modules of the nodes were closed.
func (x *Executable) alive(op string) error {
	return x.keep.each(func(r *resource, what string) error {
		if r.state.Load()&1 != 0 {
			return misused(op, ErrClosed, "the %s that a node uses is closed", what)
		}
		return nil
	}, func(*memory) {})
}

// touch notes that work on q uses the memory of the nodes. A capture keeps them.
func (x *Executable) touch(q *queue) {
	if c := q.capture.Load(); c != nil {
		c.add(x.keep)
		return
	}
	_ = x.keep.each(func(*resource, string) error { return nil }, func(m *memory) { m.touch(q) })
}

// each calls check with all that can be closed, and use with all memory.
func (k *kept) each(check func(r *resource, what string) error, use func(m *memory)) error {
	k.mu.Lock()
	objs := k.objs[:len(k.objs):len(k.objs)]
	k.mu.Unlock()
	one := func(m *memory) error {
		use(m)
		if m.parent != nil {
			return errorsFirst(check(m.parent, "module"), check(&m.resource, "memory"))
		}
		return check(&m.resource, "memory")
	}
	for _, o := range objs {
		var err error
		switch o := o.(type) {
		case *Prepared:
			err = check(o.f.mod.res, "module")
			for i := 0; err == nil && i < len(o.spans); i++ {
				err = one(o.spans[i].m)
			}
		case *Module:
			err = check(o.res, "module")
		case *memory:
			err = one(o)
		case *kept:
			err = o.each(check, use)
		case interface{ memory() *memory }:
			err = one(o.memory())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *Buffer[T]) memory() *memory     { return b.mem }
func (b *HostBuffer[T]) memory() *memory { return b.mem }

// Run is Launch and Stream.Wait.
func (x *Executable) Run(ctx context.Context, s *Stream) error {
	if err := x.Launch(s); err != nil {
		return err
	}
	if s == nil {
		s = x.dev.DefaultStream()
	}
	return s.Wait(ctx)
}

// Close gives it up once all work queued so far is done.
func (x *Executable) Close() error { return x.res.close() }

// HostFunc queues a call of f on some goroutine; work queued behind waits for it. f must not use the device. After a fault,
// and when the device is closed, it is not called.
func (s *Stream) HostFunc(f func()) error {
	const op = "queue a host function"
	if f == nil {
		return misused(op, ErrInvalidValue, "the function is nil")
	}
	if err := s.acquire(op); err != nil {
		return err
	}
	defer s.release()
	return s.dev.c.wrap(op, s.dev.c.drv.HostFunc(s.q.h, f))
}
