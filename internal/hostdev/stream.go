package hostdev

import (
	"math"
	"time"

	"github.com/tandem-go/tandem/internal/driver"
)

// stream is a queue of tasks that are done one after the other. All fields belong to device.mu.
//
// At any time at most one goroutine owns a stream and does its tasks: a runner, started when work arrives on an idle
// stream, or a caller who waits for the stream and found nobody at work. So a launch that is waited for at once runs in
// the waiter, without a hand-over between goroutines, and work that nobody waits for runs all the same.
//
// A runner takes a thread to be woken, which a short launch is over before, so where waiters have always come first lately, the
// runner gives them some time.
//
// Invariant, whenever device.mu is free: a stream with tasks is owned, blocked, or has a runner on its way.
type stream struct {
	d      *device
	handle driver.Stream

	head, tail *task // the head is the task being done
	queued     uint64
	done       uint64

	owned   bool // a goroutine is in drive
	blocked bool // the head waits for an event or for a host function
	kicked  bool // a runner was started and has not looked at the stream
	delayed bool // a runner will be started when timer fires
	timer   *time.Timer
	since   uint64 // queued when the timer was set
	prompt  int    // waits in a row that found the stream's work not begun

	capture *capture // nil unless the stream is captured
	batch   bool     // tasks are only queued: the caller holds device.mu throughout

	waiters    *waiter
	prev, next *stream // in device.pending while there are tasks
	runner     func()  // s.run, made once so that starting it does not allocate
}

// waiter is a goroutine that waits for the first seq tasks of a stream. It is reused.
type waiter struct {
	seq   uint64
	ready chan struct{} // room for one
	next  *waiter
}

func newStream(d *device, h driver.Stream) *stream {
	s := &stream{d: d, handle: h}
	s.runner = s.run
	return s
}

func (s *stream) idle() bool { return s.head == nil }

// enqueue appends t and returns its number: the task is done when s.done has reached it. Somebody has to drive or kick.
func (s *stream) enqueue(t *task) uint64 {
	if s.head == nil {
		s.head = t
		s.d.pending.add(s)
	} else {
		s.tail.next = t
	}
	s.tail = t
	s.queued++
	return s.queued
}

// retract takes back what was queued since the stream was at a mark, while device.mu was held all the time.
func (s *stream) retract(m mark) {
	first := s.head
	if m.tail != nil {
		first, m.tail.next = m.tail.next, nil
	}
	if s.tail = m.tail; s.tail == nil && s.head != nil {
		s.head = nil
		s.d.pending.remove(s)
	}
	s.queued = m.queued
	for t := first; t != nil; {
		next := t.next
		if t.kind == taskLaunch {
			s.d.forgetGrid(t.grid)
		}
		s.d.freeTask(t)
		t = next
	}
}

// mark is the end of a stream's queue at a moment.
type mark struct {
	tail   *task
	queued uint64
}

func (s *stream) mark() mark { return mark{s.tail, s.queued} }

const (
	// promptWaits is how many waits must have come before the runner until the next runner is delayed, by runnerDelay.
	promptWaits = 16
	runnerDelay = 200 * time.Microsecond
)

// kick starts a runner if nobody is at work, or has one started soon.
func (s *stream) kick() {
	switch {
	case s.prompt < promptWaits || s.head != s.tail:
		s.start()
	case !s.delayed && !s.kicked && !s.owned && !s.blocked && s.head != nil:
		s.delayed, s.since = true, s.queued
		if s.timer == nil {
			s.timer = time.AfterFunc(runnerDelay, s.late)
		} else {
			s.timer.Reset(runnerDelay)
		}
	}
}

// late starts the runner that was delayed. Where nobody has come to wait, or launches do not follow one another closely, the next
// ones are not delayed: a timer takes as long as a runner.
func (s *stream) late() {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	s.delayed = false
	if s.queued == s.since || s.head != nil && !s.owned {
		s.prompt = 0
	}
	s.start()
}

// start starts a runner if nobody is at work.
func (s *stream) start() {
	if s.kicked || s.owned || s.blocked || s.head == nil {
		return
	}
	s.kicked = true
	s.d.active++
	go s.runner()
}

// run is the life of a runner: it does what is queued and ends when nothing is.
func (s *stream) run() {
	d := s.d
	d.mu.Lock()
	s.kicked = false
	if !s.owned && !s.blocked {
		s.drive(math.MaxUint64)
	}
	d.leave()
	d.mu.Unlock()
}

// drive owns the stream and does its tasks until the first target ones are done, none is left, or the head has to wait.
// It is called with device.mu held, and unlocks it while it works.
func (s *stream) drive(target uint64) {
	d := s.d
	s.owned = true
	d.active++
	for s.done < target && s.head != nil && !s.blocked {
		s.step(s.head)
	}
	s.owned = false
	s.kick()
	d.leave()
}

// step does one task, or blocks the stream on it.
func (s *stream) step(t *task) {
	d := s.d
	switch skip := d.halted(); t.kind {
	case taskRecord:
		t.rec.happen()
	case taskAwait:
		if !t.rec.happened {
			t.rec.blocked = append(t.rec.blocked, s)
			s.blocked = true
			t.rec.s.start()
			return
		}
	case taskMark:
		t.mark.pass(d)
	case taskCall:
		if !skip {
			s.call(t.fn)
			return
		}
	case taskLaunch:
		s.launch(t, skip)
	default:
		if !skip {
			d.mu.Unlock()
			ok := t.transfer()
			d.tellTransfer(t)
			d.mu.Lock()
			if t.ok != nil {
				*t.ok = ok
			}
		}
	}
	s.pop()
}

// pop takes the head away as done and tells who waits.
func (s *stream) pop() {
	d := s.d
	t := s.head
	s.head = t.next
	if s.head == nil {
		s.tail = nil
		d.pending.remove(s)
	}
	d.freeTask(t)
	s.done++
	for at := &s.waiters; *at != nil; {
		w := *at
		if w.seq > s.done {
			at = &w.next
			continue
		}
		*at = w.next
		w.ready <- struct{}{}
	}
}

// unblock goes on behind a head that is over. Called with device.mu held, by the goroutine that ended the wait.
func (s *stream) unblock() {
	s.blocked = false
	s.pop()
	s.kick()
}

// call runs a host function on a goroutine of its own, because it may block, and must not take a waiter's time.
func (s *stream) call(f func()) {
	d := s.d
	s.blocked = true
	d.active++
	go func() {
		defer func() { // also when f calls runtime.Goexit
			d.mu.Lock()
			s.unblock()
			d.leave()
			d.mu.Unlock()
		}()
		f()
	}()
}

// wait returns when the first target tasks are done, and does them itself when nobody is at work. It is called with
// device.mu held, and unlocks it while it waits.
func (s *stream) wait(target uint64) {
	d := s.d
	for s.done < target {
		if !s.owned && !s.blocked {
			s.prompt++
			s.drive(target)
			continue
		}
		s.prompt = 0
		w := d.newWaiter(target)
		w.next, s.waiters = s.waiters, w
		d.mu.Unlock()
		<-w.ready
		d.mu.Lock()
		d.freeWaiter(w)
	}
}

// streamList is a doubly linked list through stream.prev and stream.next.
type streamList struct{ first *stream }

func (l *streamList) add(s *stream) {
	s.prev, s.next = nil, l.first
	if l.first != nil {
		l.first.prev = s
	}
	l.first = s
}

func (l *streamList) remove(s *stream) {
	if s.prev == nil {
		l.first = s.next
	} else {
		s.prev.next = s.next
	}
	if s.next != nil {
		s.next.prev = s.prev
	}
	s.prev, s.next = nil, nil
}
