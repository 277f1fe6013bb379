package cuda

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tandem-go/tandem/internal/driver"
)

// Event marks a point in a stream: Record puts it there, and it has happened when all work queued before is done. The
// methods may be called from any goroutine.
type Event struct {
	dev *Device

	mu   sync.Mutex
	res  *resource // guarded by mu: replaced when a record that is waited for would be forgotten
	last *queue    // guarded by mu: where it was recorded last
	seq  uint64    // guarded by mu: of that record on its stream
	wait *awaited  // guarded by mu: of the last record; nil until somebody asks

	capture *capture // guarded by mu: in which it was recorded last, nil if in none
}

// current is the event's handle at the moment.
func (e *Event) current() *resource {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.res
}

// capturedBy is the capture in which the event was recorded last.
func (e *Event) capturedBy() *capture {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.capture
}

// NewEvent makes an event that measures time.
func (d *Device) NewEvent() (*Event, error) {
	const op = "make event"
	if err := d.c.usable(op); err != nil {
		return nil, err
	}
	res, err := d.c.newEvent()
	if err != nil {
		return nil, d.c.wrap(op, err)
	}
	return &Event{dev: d, res: res}, nil
}

func (c *core) newEvent() (*resource, error) {
	h, err := c.drv.NewEvent(true)
	if err != nil {
		return nil, err
	}
	return c.guarded(eventHandle, uint64(h)), nil
}

// Close gives the event up. Streams that wait for it go on waiting for what it recorded.
func (e *Event) Close() error { return e.current().close() }

func eventOf(r *resource) driver.Event { return driver.Event(r.note.handle) }

// Record puts the event behind the work queued on s so far; nil is the default stream. What it recorded before is
// forgotten, and Done gives a new channel.
func (e *Event) Record(s *Stream) error {
	const op = "record event"
	if s == nil {
		s = e.dev.DefaultStream()
	}
	if s.dev.c != e.dev.c {
		return misused(op, ErrWrongDevice, "the event belongs to %s, the stream to %s", e.dev.c.name, s.dev.c.name)
	}
	if err := s.acquire(op); err != nil {
		return err
	}
	defer s.release()
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.dev.c
	if err := e.res.acquire(op, "event"); err != nil {
		return err
	}
	defer func() { e.res.release() }()
	if e.wait != nil && c.waits.detach(e.wait) {
		// Somebody waits for the record that would be forgotten: it keeps its handle, and this one gets another.
		next, err := c.newEvent()
		if err != nil {
			return c.wrap(op, err)
		}
		if err := next.acquire(op, "event"); err != nil {
			return err
		}
		e.res.release()
		e.res = next
	}
	if err := c.drv.Record(eventOf(e.res), s.q.h); err != nil {
		return c.wrap(op, err)
	}
	s.q.mu.Lock()
	s.q.records++
	e.last, e.seq, e.wait, e.capture = s.q, s.q.records, nil, s.q.capture.Load()
	s.q.mu.Unlock()
	return nil
}

// Wait blocks until the event has happened, or returns an error that wraps context.Cause(ctx) when ctx ends first. An
// event that was never recorded has happened. It fills no slices: that is for Stream.Wait.
func (e *Event) Wait(ctx context.Context) error {
	const op = "wait for event"
	res := e.current()
	if err := res.acquire(op, "event"); err != nil {
		return err
	}
	defer res.release()
	block := func() error {
		// When ctx ends first, the driver's call outlives this one.
		if err := res.acquire(op, "event"); err != nil {
			return nil //nolint:nilerr // closed: there is nothing left to wait for
		}
		defer res.release()
		return e.dev.c.drv.SynchronizeEvent(eventOf(res))
	}
	done, err := e.dev.c.await(ctx, block, func() error { return e.dev.c.drv.QueryEvent(eventOf(res)) })
	if done {
		return e.dev.c.wrap(op, err)
	}
	return fmt.Errorf("%s: %w", op, err)
}

// Happened reports whether the event has happened. An event that was never recorded has.
func (e *Event) Happened() (bool, error) {
	const op = "query event"
	res := e.current()
	if err := res.acquire(op, "event"); err != nil {
		return false, err
	}
	defer res.release()
	return e.dev.c.ready(op, e.dev.c.drv.QueryEvent(eventOf(res)))
}

// happened is a channel that is closed.
var happened = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Done returns a channel that is closed when what the event recorded last has happened, or cannot happen any more
// because a kernel faulted or the device was closed. An event that was never recorded, or is closed, has happened. All who
// wait are served by one goroutine of the device, so that many may wait.
func (e *Event) Done() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.wait != nil {
		return e.wait.done
	}
	if e.last == nil || e.res.acquire("wait for event", "event") != nil {
		return happened
	}
	if !errors.Is(e.dev.c.drv.QueryEvent(eventOf(e.res)), driver.NotReady) {
		e.res.release()
		return happened
	}
	e.wait = &awaited{res: e.res, seq: e.seq, done: make(chan struct{})}
	e.dev.c.waits.add(e.dev.c, e.last, e.wait)
	return e.wait.done
}

// Since is the time on the device from the record of start to that of e. It wraps ErrUnfinished if either has not
// happened.
func (e *Event) Since(start *Event) (time.Duration, error) {
	const op = "measure time"
	if e.dev.c != start.dev.c {
		return 0, misused(op, ErrWrongDevice, "the events belong to %s and %s", start.dev.c.name, e.dev.c.name)
	}
	to, from := e.current(), start.current()
	if err := to.acquire(op, "event"); err != nil {
		return 0, err
	}
	defer to.release()
	if err := from.acquire(op, "event"); err != nil {
		return 0, err
	}
	defer from.release()
	d, err := e.dev.c.drv.Elapsed(eventOf(from), eventOf(to))
	return d, e.dev.c.wrap(op, err)
}
