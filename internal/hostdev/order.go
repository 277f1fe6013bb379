package hostdev

import (
	"time"

	"github.com/tandem-go/tandem/internal/driver"
)

// event implements driver.Event.
type event struct {
	timing   bool
	last     *record   // nil before the first Record
	captured *captured // instead of last, if the last Record was captured
}

func badStream(h driver.Stream) error {
	return fail(driver.InvalidHandle, "use stream %#x: no such stream on this device", uint64(h))
}

func badEvent(h driver.Event) error {
	return fail(driver.InvalidHandle, "use event %#x: no such event on this device", uint64(h))
}

// NewStream makes a stream. The device has one priority.
func (d *device) NewStream(int) (driver.Stream, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.mu.Unlock()
	h := driver.Stream(d.handle())
	d.streams[h] = newStream(d, h)
	return h, nil
}

// DestroyStream forgets the handle. The queue lives on in d.pending until it is empty.
func (d *device) DestroyStream(h driver.Stream) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	s, ok := d.streams[h]
	if !ok || h == 0 {
		return badStream(h)
	}
	if s.capture != nil {
		s.capture.end()
	}
	delete(d.streams, h)
	return nil
}

// Synchronize waits for the work of a stream.
func (d *device) Synchronize(h driver.Stream) error {
	if err := d.enter(); err != nil {
		return err
	}
	s, ok := d.streams[h]
	if !ok {
		d.mu.Unlock()
		return badStream(h)
	}
	if err := s.uncapturable(); err != nil {
		d.mu.Unlock()
		return err
	}
	era := d.era
	s.wait(s.queued)
	return d.waited(era)
}

// waited ends a wait that began in the given era: it unlocks d.mu, writes printf output, and returns the fault, or that
// the device was closed or reset.
func (d *device) waited(era int) error {
	err := d.sticky()
	if err == nil && (d.state == closed || d.era != era) {
		err = d.dropped()
	}
	d.mu.Unlock()
	if e := d.flush(); err == nil {
		err = e
	}
	return err
}

// Query tells whether the stream is idle.
func (d *device) Query(h driver.Stream) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	s, ok := d.streams[h]
	switch {
	case !ok:
		return badStream(h)
	case s.capture != nil:
		return s.uncapturable()
	case !s.idle():
		s.start()
		return driver.NotReady
	}
	return nil
}

// NewEvent makes an event.
func (d *device) NewEvent(timing bool) (driver.Event, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.mu.Unlock()
	h := driver.Event(d.handle())
	d.events[h] = &event{timing: timing}
	return h, nil
}

// DestroyEvent forgets the handle. Waits for records of it go on.
func (d *device) DestroyEvent(h driver.Event) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	if _, ok := d.events[h]; !ok {
		return badEvent(h)
	}
	delete(d.events, h)
	return nil
}

// Record puts the event into the stream.
func (d *device) Record(e driver.Event, h driver.Stream) error {
	if err := d.use(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	s, ok := d.streams[h]
	if !ok {
		return badStream(h)
	}
	ev, ok := d.events[e]
	if !ok {
		return badEvent(e)
	}
	if s.capture != nil {
		ev.captured = s.capture.record(s)
		return nil
	}
	t := d.newTask(taskRecord)
	r := &record{s: s, seq: s.queued + 1}
	t.rec, ev.last, ev.captured = r, r, nil
	s.begin(t, true)
	return nil
}

// WaitEvent makes the stream wait for the last record of the event.
func (d *device) WaitEvent(h driver.Stream, e driver.Event) error {
	if err := d.use(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	s, ok := d.streams[h]
	if !ok {
		return badStream(h)
	}
	ev, ok := d.events[e]
	switch {
	case !ok:
		return badEvent(e)
	case ev.captured != nil:
		return ev.captured.wait(s)
	case s.capture != nil && ev.last != nil:
		return fail(driver.CaptureIsolation, "wait for event %#x, which was recorded outside the capture", uint64(e))
	}
	if r := ev.last; r != nil && !r.happened && r.s != s {
		t := d.newTask(taskAwait)
		t.rec = r
		s.enqueue(t)
		s.kick()
	}
	return nil
}

// uncaptured is the error of a question about an event of a capture.
func (e *event) uncaptured(h driver.Event) error {
	if e.captured == nil {
		return nil
	}
	return fail(driver.CapturedEvent, "ask about event %#x", uint64(h))
}

// QueryEvent tells whether the last record has happened.
func (d *device) QueryEvent(e driver.Event) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	ev, ok := d.events[e]
	switch {
	case !ok:
		return badEvent(e)
	case ev.captured != nil:
		return ev.uncaptured(e)
	case ev.last != nil && !ev.last.happened:
		ev.last.s.start()
		return driver.NotReady
	}
	return nil
}

// SynchronizeEvent waits for the last record.
func (d *device) SynchronizeEvent(e driver.Event) error {
	if err := d.enter(); err != nil {
		return err
	}
	ev, ok := d.events[e]
	if !ok {
		d.mu.Unlock()
		return badEvent(e)
	}
	if err := ev.uncaptured(e); err != nil {
		d.mu.Unlock()
		return err
	}
	era := d.era
	if r := ev.last; r != nil {
		r.s.wait(r.seq)
	}
	return d.waited(era)
}

// Elapsed returns the time between two records.
func (d *device) Elapsed(a, b driver.Event) (time.Duration, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.mu.Unlock()
	var at [2]time.Time
	for i, h := range []driver.Event{a, b} {
		ev, ok := d.events[h]
		switch {
		case !ok:
			return 0, badEvent(h)
		case ev.captured != nil:
			return 0, ev.uncaptured(h)
		case !ev.timing:
			return 0, fail(driver.InvalidHandle, "measure between events: event %#x was made without timing", uint64(h))
		case ev.last == nil:
			return 0, fail(driver.InvalidHandle, "measure between events: event %#x was never recorded", uint64(h))
		case !ev.last.happened:
			return 0, driver.NotReady
		}
		at[i] = ev.last.at
	}
	return at[1].Sub(at[0]), nil
}

// HostFunc queues a call of f. After a fault, and when the device is closed, f is not called.
func (d *device) HostFunc(h driver.Stream, f func()) error {
	if f == nil {
		return fail(driver.InvalidValue, "queue a host function: it is nil")
	}
	return d.submit(h, d.callWork(f))
}

func (d *device) callWork(f func()) work {
	return func(s *stream) error {
		t := d.newTask(taskCall)
		t.fn = f
		s.begin(t, false)
		return nil
	}
}
