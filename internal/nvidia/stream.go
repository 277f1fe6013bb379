package nvidia

import (
	"fmt"
	"time"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

// stream is a native stream.
type stream struct {
	object
	native  cuapi.Stream
	capture *capture // guarded by device.mu: nil unless the stream is captured
}

// event is a native event.
type event struct {
	object
	native   cuapi.Event
	capture  *capture // guarded by device.mu: in which it was recorded last, nil if in none
	recorded bool     // guarded by device.mu: it was recorded at all
}

// stream finds a stream and counts the caller as its user.
func (d *device) stream(h driver.Stream) (*stream, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	s, ok := d.streams[h]
	if !ok {
		return nil, fail(driver.InvalidHandle, "use stream %#x: no such stream on this device", uint64(h))
	}
	s.acquire()
	return s, nil
}

// event finds an event and counts the caller as its user.
func (d *device) event(h driver.Event) (*event, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	e, ok := d.events[h]
	if !ok {
		return nil, fail(driver.InvalidHandle, "use event %#x: no such event on this device", uint64(h))
	}
	e.acquire()
	return e, nil
}

// newStream makes a native stream.
func (d *device) newStream(priority int) (*stream, error) {
	s := &stream{}
	err := d.call(func() (err error) {
		s.native, err = d.api.StreamCreateWithPriority(cuapi.StreamNonBlocking, priority)
		return err
	})
	s.init(func() error { return d.endStream(s.native) })
	return s, err
}

// newEvent makes a native event.
func (d *device) newEvent(flags int) (e cuapi.Event, err error) {
	err = d.raw(func() (err error) {
		e, err = d.api.EventCreate(flags)
		return err
	})
	return e, err
}

// NewStream makes a stream; the driver clamps the priority.
func (d *device) NewStream(priority int) (driver.Stream, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.users.leave()
	s, err := d.newStream(max(min(priority, 1<<30), -1<<30))
	if err != nil {
		return 0, fmt.Errorf("make a stream: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	h := driver.Stream(d.handle())
	d.streams[h] = s
	return h, nil
}

// DestroyStream takes the stream away; its work goes on.
func (d *device) DestroyStream(h driver.Stream) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.users.leave()
	d.mu.Lock()
	s, ok := d.streams[h]
	if ok && h != 0 {
		delete(d.streams, h)
	}
	d.mu.Unlock()
	if ok && h != 0 {
		if c := d.captureOf(s); c != nil {
			d.abandon(c)
		}
	}
	if !ok || h == 0 {
		return fail(driver.InvalidHandle, "destroy stream %#x: no such stream on this device, or its own", uint64(h))
	}
	return s.release()
}

// endStream destroys a native stream. An event stays behind to tell when its work ends, for Free.
func (d *device) endStream(s cuapi.Stream) error {
	if isStatus(d.raw(func() error { return d.api.StreamQuery(s) }), driver.NotReady) {
		e, err := d.borrow()
		if err == nil {
			if err = d.raw(func() error { return d.api.EventRecord(e, s) }); err == nil {
				d.mu.Lock()
				d.orphans = append(d.orphans, e)
				d.mu.Unlock()
			} else {
				d.giveBack(e)
			}
		}
		if err != nil { // without an event only waiting tells
			d.lose(d.raw(func() error { return d.api.StreamSynchronize(s) }))
		}
	}
	return d.quiet(func() error { return d.api.StreamDestroy(s) })
}

// borrow returns an event without timing.
func (d *device) borrow() (cuapi.Event, error) {
	d.mu.Lock()
	if n := len(d.spare); n > 0 {
		e := d.spare[n-1]
		d.spare = d.spare[:n-1]
		d.mu.Unlock()
		return e, nil
	}
	d.mu.Unlock()
	return d.newEvent(cuapi.EventDisableTiming)
}

// giveBack returns an event that nobody waits for.
func (d *device) giveBack(e cuapi.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.spare = append(d.spare, e)
}

// settle waits for the work queued so far on every stream, destroyed ones included. A fault ends all work.
func (d *device) settle() error {
	d.mu.RLock()
	streams := make([]*stream, 0, len(d.streams))
	for _, s := range d.streams {
		if s.capture == nil { // a captured one has no work
			s.acquire()
			streams = append(streams, s)
		}
	}
	d.mu.RUnlock()
	var first error
	for _, s := range streams {
		if first == nil && d.fault.Load() == nil {
			first = d.drain(s.native)
		}
		d.lose(s.release())
	}
	if first == nil {
		first = d.waitOrphans()
	}
	if isFault(first) {
		return nil
	}
	return first
}

// drain waits for the work queued on s so far, and not for what others queue meanwhile.
func (d *device) drain(s cuapi.Stream) error {
	err := d.raw(func() error { return d.api.StreamQuery(s) })
	if !isStatus(err, driver.NotReady) {
		return err
	}
	e, err := d.borrow()
	if err != nil {
		return err
	}
	defer d.giveBack(e)
	if err := d.raw(func() error { return d.api.EventRecord(e, s) }); err != nil {
		return err
	}
	return d.raw(func() error { return d.api.EventSynchronize(e) })
}

// waitOrphans waits for the work of destroyed streams.
func (d *device) waitOrphans() error {
	d.mu.Lock()
	orphans := d.orphans
	d.orphans = nil
	d.mu.Unlock()
	var first error
	for i, e := range orphans {
		if first = d.raw(func() error { return d.api.EventSynchronize(e) }); first != nil {
			d.mu.Lock()
			d.orphans = append(d.orphans, orphans[i:]...)
			d.mu.Unlock()
			break
		}
		d.giveBack(e)
	}
	return first
}

// onStream calls f with a stream in use, unless the device has a fault.
func (d *device) onStream(h driver.Stream, f func(s cuapi.Stream) error) error {
	s, err := d.transfer(h)
	if err != nil {
		return err
	}
	defer d.done(s)
	return d.call(func() error { return f(s.native) })
}

// onEvent calls f with an event in use, unless the device has a fault.
func (d *device) onEvent(h driver.Event, f func(e cuapi.Event) error) error {
	if err := d.use(); err != nil {
		return err
	}
	defer d.users.leave()
	e, err := d.event(h)
	if err != nil {
		return err
	}
	if err = d.captured(e); err == nil {
		err = d.call(func() error { return f(e.native) })
	}
	d.lose(e.release())
	return err
}

// Synchronize waits for a stream.
func (d *device) Synchronize(h driver.Stream) error {
	return d.onStream(h, d.api.StreamSynchronize)
}

// ready turns what a query of the driver returned into what a query of ours returns: a fault is for waits to report.
func ready(err error) error {
	switch {
	case err == nil || isFault(err):
		return nil
	case isStatus(err, driver.NotReady):
		return driver.NotReady
	}
	return err
}

// Query asks whether a stream has work.
func (d *device) Query(h driver.Stream) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.users.leave()
	s, err := d.stream(h)
	if err != nil {
		return err
	}
	if err = d.uncapturable(s); err == nil && d.fault.Load() == nil {
		err = d.raw(func() error { return d.api.StreamQuery(s.native) })
	}
	d.lose(s.release())
	return ready(err)
}

// NewEvent makes an event.
func (d *device) NewEvent(timing bool) (driver.Event, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.users.leave()
	flags := cuapi.EventDisableTiming
	if timing {
		flags = cuapi.EventDefault
	}
	native, err := d.newEvent(flags)
	if err != nil {
		return 0, d.saw(fmt.Errorf("make an event: %w", err))
	}
	e := &event{native: native}
	e.init(func() error { return d.quiet(func() error { return d.api.EventDestroy(native) }) })
	d.mu.Lock()
	defer d.mu.Unlock()
	h := driver.Event(d.handle())
	d.events[h] = e
	return h, nil
}

// DestroyEvent takes the event away. The driver keeps it until it has happened.
func (d *device) DestroyEvent(h driver.Event) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.users.leave()
	d.mu.Lock()
	e, ok := d.events[h]
	delete(d.events, h)
	d.mu.Unlock()
	if !ok {
		return fail(driver.InvalidHandle, "destroy event %#x: no such event on this device", uint64(h))
	}
	return e.release()
}

// Record puts an event into a stream.
func (d *device) Record(h driver.Event, on driver.Stream) error {
	return d.onEventAndStream(h, on, func(e *event, s *stream) error {
		if err := d.call(func() error { return d.api.EventRecord(e.native, s.native) }); err != nil {
			return err
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		e.capture, e.recorded = s.capture, true
		return nil
	})
}

// WaitEvent makes a stream wait for an event. What the driver would answer by ending a capture is refused before.
func (d *device) WaitEvent(on driver.Stream, h driver.Event) error {
	return d.onEventAndStream(h, on, func(e *event, s *stream) error {
		d.mu.RLock()
		from, to, recorded := e.capture, s.capture, e.recorded
		over := from != nil && from.over
		d.mu.RUnlock()
		switch {
		case over:
			return fail(driver.CapturedEvent, "wait for an event: its capture has ended")
		case from == nil && to != nil && recorded:
			return fail(driver.CaptureIsolation, "wait for an event that was recorded outside the capture")
		case from == nil && to != nil:
			return nil
		case from != nil && to != nil && from != to:
			return fail(driver.CaptureMerge, "wait for an event of another capture")
		}
		if err := d.call(func() error { return d.api.StreamWaitEvent(s.native, e.native) }); err != nil {
			return err
		}
		if from != nil && to == nil {
			d.mu.Lock()
			defer d.mu.Unlock()
			s.capture, from.streams = from, append(from.streams, s)
		}
		return nil
	})
}

// onEventAndStream calls f with both in use, unless the device has a fault.
func (d *device) onEventAndStream(h driver.Event, on driver.Stream, f func(e *event, s *stream) error) error {
	s, err := d.transferOrCapture(on)
	if err != nil {
		return err
	}
	defer d.done(s)
	e, err := d.event(h)
	if err != nil {
		return err
	}
	defer func() { d.lose(e.release()) }()
	return f(e, s)
}

// captured is the error of a question about an event of a capture.
func (d *device) captured(e *event) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if e.capture == nil {
		return nil
	}
	return fail(driver.CapturedEvent, "ask about an event that was recorded in a capture")
}

// QueryEvent asks whether an event has happened.
func (d *device) QueryEvent(h driver.Event) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.users.leave()
	e, err := d.event(h)
	if err != nil {
		return err
	}
	if err = d.captured(e); err == nil && d.fault.Load() == nil {
		err = d.raw(func() error { return d.api.EventQuery(e.native) })
	}
	d.lose(e.release())
	return ready(err)
}

// SynchronizeEvent waits for an event.
func (d *device) SynchronizeEvent(h driver.Event) error { return d.onEvent(h, d.api.EventSynchronize) }

// Elapsed asks for the time between two events, which the driver knows to about half a microsecond.
func (d *device) Elapsed(from, to driver.Event) (time.Duration, error) {
	var ms float32
	err := d.onEvent(from, func(a cuapi.Event) error {
		b, err := d.event(to)
		if err != nil {
			return err
		}
		if err = d.captured(b); err == nil {
			ms, err = d.api.EventElapsedTime(a, b.native)
		}
		d.lose(b.release())
		return err
	})
	return time.Duration(float64(ms) * float64(time.Millisecond)), err
}

// HostFunc queues a call of f.
func (d *device) HostFunc(h driver.Stream, f func()) error {
	if f == nil {
		return fail(driver.InvalidValue, "queue a host function: it is nil")
	}
	fn, err := hostCallback()
	if err != nil {
		return fmt.Errorf("queue a host function: %w: %w", err, driver.NotSupported)
	}
	s, err := d.transferOrCapture(h)
	if err != nil {
		return err
	}
	defer d.done(s)
	c := d.captureOf(s)
	id := addHostCall(d, f, c != nil)
	if err := d.call(func() error { return d.api.LaunchHostFunc(s.native, fn, id) }); err != nil {
		dropHostCall(id)
		return err
	}
	if c != nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		c.lease.calls = append(c.lease.calls, id)
	}
	return nil
}
