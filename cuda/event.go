package cuda

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tandem-go/tandem/internal/driver"
)

// Event marks a point in a stream: Record puts it there, and it has happened when all work queued before is done. The
// methods may be called from any goroutine.
type Event struct {
	dev *Device
	res *resource

	mu   sync.Mutex
	done chan struct{} // guarded by mu: closed when the last record has happened; nil until somebody asks
}

// NewEvent makes an event that measures time.
func (d *Device) NewEvent() (*Event, error) {
	const op = "make event"
	if err := d.c.usable(op); err != nil {
		return nil, err
	}
	h, err := d.c.drv.NewEvent(true)
	if err != nil {
		return nil, d.c.wrap(op, err)
	}
	e := &Event{dev: d, res: &resource{c: d.c, note: note{kind: eventHandle, handle: uint64(h), gen: d.c.gen.Load()}}}
	e.res.guard()
	return e, nil
}

// Close gives the event up. Streams that wait for it go on waiting for what it recorded.
func (e *Event) Close() error { return e.res.close() }

func (e *Event) handle() driver.Event { return driver.Event(e.res.note.handle) }

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
	if err := e.res.acquire(op, "event"); err != nil {
		return err
	}
	defer e.res.release()
	if err := s.acquire(op); err != nil {
		return err
	}
	defer s.release()
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.dev.c.drv.Record(e.handle(), s.q.h); err != nil {
		return e.dev.c.wrap(op, err)
	}
	e.done = nil
	return nil
}

// Wait blocks until the event has happened, or returns an error that wraps context.Cause(ctx) when ctx ends first. An
// event that was never recorded has happened. It fills no slices: that is for Stream.Wait.
func (e *Event) Wait(ctx context.Context) error {
	const op = "wait for event"
	if err := e.res.acquire(op, "event"); err != nil {
		return err
	}
	defer e.res.release()
	block := func() error {
		// When ctx ends first, the driver's call outlives this one.
		if err := e.res.acquire(op, "event"); err != nil {
			return nil //nolint:nilerr // closed: there is nothing left to wait for
		}
		defer e.res.release()
		return e.dev.c.drv.SynchronizeEvent(e.handle())
	}
	done, err := e.dev.c.await(ctx, block, func() error { return e.dev.c.drv.QueryEvent(e.handle()) })
	if done {
		return e.dev.c.wrap(op, err)
	}
	return fmt.Errorf("%s: %w", op, err)
}

// Happened reports whether the event has happened. An event that was never recorded has.
func (e *Event) Happened() (bool, error) {
	const op = "query event"
	if err := e.res.acquire(op, "event"); err != nil {
		return false, err
	}
	defer e.res.release()
	return e.dev.c.ready(op, e.dev.c.drv.QueryEvent(e.handle()))
}

// Done returns a channel that is closed when what the event recorded last has happened, or cannot happen any more
// because a kernel faulted or the event or device was closed. One goroutine waits for all who ask after one Record.
func (e *Event) Done() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.done != nil {
		return e.done
	}
	done := make(chan struct{})
	e.done = done
	if e.res.acquire("wait for event", "event") != nil {
		close(done)
		return done
	}
	if e.dev.c.drv.QueryEvent(e.handle()) == nil {
		e.res.release()
		close(done)
		return done
	}
	go func() {
		defer close(done)
		defer e.res.release()
		// The error is for those who wait for the stream.
		_ = e.dev.c.drv.SynchronizeEvent(e.handle())
	}()
	return done
}

// Since is the time on the device from the record of start to that of e. It wraps ErrUnfinished if either has not
// happened.
func (e *Event) Since(start *Event) (time.Duration, error) {
	const op = "measure time"
	if e.dev.c != start.dev.c {
		return 0, misused(op, ErrWrongDevice, "the events belong to %s and %s", start.dev.c.name, e.dev.c.name)
	}
	if err := e.res.acquire(op, "event"); err != nil {
		return 0, err
	}
	defer e.res.release()
	if err := start.res.acquire(op, "event"); err != nil {
		return 0, err
	}
	defer start.res.release()
	d, err := e.dev.c.drv.Elapsed(start.handle(), e.handle())
	return d, e.dev.c.wrap(op, err)
}
