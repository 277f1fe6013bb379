package cuda

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/trace"
	"sync"
	"sync/atomic"

	"github.com/tandem-go/tandem/internal/driver"
)

// Stream is a queue of work of a device. Work on one stream is done in order. The methods may be called from any
// goroutine.
type Stream struct {
	dev *Device
	q   *queue
	res *resource // nil for the default stream, which lives as long as its device
}

// queue is the state of a stream that outlives the Stream while work is on it.
type queue struct {
	c *core

	mu      sync.Mutex
	h       driver.Stream
	gone    bool         // guarded by mu: the handle was destroyed
	pending []*writeback // guarded by mu: what the next waits copy back, in order
	queued  uint64       // guarded by mu: write-backs ever queued
	records uint64       // guarded by mu: records of events so far

	capture atomic.Pointer[capture] // that records what is queued; nil unless the stream is captured

	settling sync.Mutex // held while slices are written back, so that every waiter finds them complete
}

// writeback is one slice that a wait fills, or dead staging memory.
type writeback struct {
	seq  uint64
	dst  []byte
	src  driver.Ptr
	from Allocator // of src; nil for the driver
}

// StreamConfig says how NewStream makes a stream.
type StreamConfig struct {
	_ struct{}
	// Priority orders streams whose work is ready: lower numbers go first. Devices clamp it, and may ignore it.
	Priority int
}

// NewStream makes a stream that is independent of all others, the default stream included.
func (d *Device) NewStream(cfg StreamConfig) (*Stream, error) {
	const op = "make stream"
	if err := d.c.usable(op); err != nil {
		return nil, err
	}
	h, err := d.c.drv.NewStream(cfg.Priority)
	if err != nil {
		return nil, d.c.wrap(op, err)
	}
	s := d.newStream(h, streamHandle)
	s.res.guard()
	return s, nil
}

// newStream makes the stream that has a handle.
func (d *Device) newStream(h driver.Stream, k kind) *Stream {
	q := &queue{c: d.c, h: h}
	d.c.mu.Lock()
	if d.c.queues != nil {
		d.c.queues[q] = struct{}{}
	}
	d.c.mu.Unlock()
	s := &Stream{dev: d, q: q, res: &resource{c: d.c, note: note{kind: k, handle: uint64(h), queue: q, gen: d.c.gen.Load()}}}
	return s
}

// DefaultStream returns the stream that calls without a stream use. Closing it does nothing.
func (d *Device) DefaultStream() *Stream { return &Stream{dev: d, q: d.c.main} }

// Device returns the stream's device.
func (s *Stream) Device() *Device { return s.dev }

// Close gives the stream up. Work queued on it goes on; slices in Out and InOut of launches that nobody has waited for
// are not written.
func (s *Stream) Close() error {
	if s.res == nil {
		return nil
	}
	return s.res.close()
}

func (s *Stream) acquire(op string) error {
	if s.res == nil {
		return s.dev.c.usable(op)
	}
	return s.res.acquire(op, "stream")
}

func (s *Stream) release() {
	if s.res != nil {
		s.res.release()
	}
	runtime.KeepAlive(s)
}

// Wait blocks until the work queued so far is done, and then fills the slices in Out and InOut of its launches. It
// returns the fault if a kernel faulted. When ctx ends first it returns an error that wraps context.Cause(ctx), the
// work goes on, and the next Wait fills the slices.
func (s *Stream) Wait(ctx context.Context) error {
	const op = "wait for stream"
	if err := s.acquire(op); err != nil {
		return err
	}
	defer s.release()
	return s.dev.c.wait(ctx, op, s.q)
}

// Idle reports whether all work queued so far is done. It does not fill slices.
func (s *Stream) Idle() (bool, error) {
	const op = "query stream"
	if err := s.acquire(op); err != nil {
		return false, err
	}
	defer s.release()
	return s.dev.c.ready(op, s.dev.c.drv.Query(s.q.h))
}

// ready turns the answer of a query into a bool.
func (c *core) ready(op string, err error) (bool, error) {
	if errors.Is(err, driver.NotReady) {
		return false, nil
	}
	return err == nil, c.wrap(op, err)
}

// WaitFor makes work queued on the stream later wait for what e recorded last. It does not block. An event that was
// never recorded is no wait. The event must be of the same device.
func (s *Stream) WaitFor(e *Event) error {
	const op = "wait for event"
	if e.dev.c != s.dev.c {
		return misused(op, ErrWrongDevice, "the event belongs to %s, the stream to %s", e.dev.c.name, s.dev.c.name)
	}
	if err := s.acquire(op); err != nil {
		return err
	}
	defer s.release()
	res := e.current()
	if err := res.acquire(op, "event"); err != nil {
		return err
	}
	defer res.release()
	if err := s.dev.c.drv.WaitEvent(s.q.h, eventOf(res)); err != nil {
		return s.dev.c.wrap(op, err)
	}
	if c := e.capturedBy(); c != nil {
		c.join(s.q)
	}
	return nil
}

// wait is Wait for a queue.
func (c *core) wait(ctx context.Context, op string, q *queue) error {
	if trace.IsEnabled() {
		defer trace.StartRegion(ctx, op).End()
	}
	q.mu.Lock()
	upto := q.queued
	q.mu.Unlock()
	done, err := c.await(ctx, func() error { return c.drv.Synchronize(q.h) }, func() error { return c.drv.Query(q.h) })
	if !done {
		return fmt.Errorf("%s: %w", op, err)
	}
	q.settling.Lock()
	defer q.settling.Unlock()
	return errors.Join(c.wrap(op, err), c.finish(op, q, upto, err == nil))
}

// await calls block, and returns early with done false and the cause when ctx ends. poll is the same without blocking.
func (c *core) await(ctx context.Context, block, poll func() error) (done bool, err error) {
	if ctx.Done() == nil {
		return true, block()
	}
	if ctx.Err() == nil {
		if err := poll(); err == nil {
			return true, block() // returns at once, with the fault if there is one
		}
	}
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	result := make(chan error, 1) // room for one, so that the goroutine ends when nobody listens
	go func() { result <- block() }()
	select {
	case err := <-result:
		return true, err
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// finish writes back what was queued before the wait, or only frees it if the work failed.
func (c *core) finish(op string, q *queue, upto uint64, ok bool) error {
	q.mu.Lock()
	n := 0
	for n < len(q.pending) && q.pending[n].seq <= upto {
		n++
	}
	due := q.pending[:n:n]
	q.pending = q.pending[n:]
	q.mu.Unlock()
	return c.writeBack(op, due, ok)
}

// writeBack fills slices from staging memory that is complete, and frees the memory.
func (c *core) writeBack(op string, due []*writeback, ok bool) error {
	var first error
	for _, w := range due {
		if ok && first == nil {
			first = c.wrap(op, c.read(w.dst, w.src))
		}
		c.lose("free", c.freeStaging(w.from, w.src, uint64(len(w.dst))))
	}
	return first
}

// owe queues write-backs for the next wait.
func (q *queue) owe(due []*writeback) {
	if len(due) == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.queued++
	for _, w := range due {
		w.seq = q.queued
		q.pending = append(q.pending, w)
	}
}

// dropQueue destroys a stream whose work is done.
func (c *core) dropQueue(q *queue) error {
	q.mu.Lock()
	due := q.pending
	q.pending = nil
	q.gone = true
	err := c.drv.DestroyStream(q.h)
	q.mu.Unlock()
	c.mu.Lock()
	delete(c.queues, q)
	c.mu.Unlock()
	for _, w := range due {
		c.lose("free", c.freeStaging(w.from, w.src, uint64(len(w.dst))))
	}
	return err
}

// follow makes work queued later wait for what is queued on from now. The two may be of different GPUs.
func (q *queue) follow(from *queue) error {
	c := from.c
	if c.closed.Load() {
		return nil
	}
	from.mu.Lock()
	if from.gone || c.drv.Query(from.h) == nil {
		from.mu.Unlock()
		return nil
	}
	e, err := c.drv.NewEvent(false)
	if err != nil {
		from.mu.Unlock()
		return err
	}
	err = c.drv.Record(e, from.h)
	from.mu.Unlock()
	if err == nil && q.c == c {
		err = c.drv.WaitEvent(q.h, e)
	} else if err == nil {
		err = q.c.drv.(driver.Peer).WaitPeer(q.h, c.drv, e) // only such devices use each other's memory
	}
	c.lose("destroy event", c.drv.DestroyEvent(e))
	return err
}
