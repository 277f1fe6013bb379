package hostdev

import "time"

// taskKind says what a task does.
type taskKind uint8

const (
	taskLaunch taskKind = iota + 1
	taskWrite           // src → memory
	taskRead            // memory → dst
	taskCopy            // memory → memory
	taskFill            // pattern → memory
	taskRecord          // an event happens
	taskAwait           // wait for a record of an event
	taskCall            // a host function
	taskWork            // fn, which touches memory
	taskMark            // tell a deferred action that this stream has come here
)

// task is one entry of a stream. Tasks are reused; which fields count is a matter of the kind.
type task struct {
	kind taskKind
	next *task

	dst, src []byte // views of memory or of the caller's slice
	width    int    // taskFill: bytes of an element
	value    uint32
	ok       *bool // set when a transfer was made

	rec  *record
	mark *deferred
	fn   func()
	grid *grid
}

// transfer does a copy, fill or other work on memory. It runs without device.mu.
func (t *task) transfer() bool {
	switch t.kind {
	case taskFill:
		fill(t.dst, t.value, t.width)
	case taskWork:
		t.fn()
	default:
		copy(t.dst, t.src)
	}
	return true
}

// fill writes the low width bytes of value over and over, least significant first.
func fill(dst []byte, value uint32, width int) {
	if len(dst) == 0 {
		return
	}
	for i := range min(width, len(dst)) {
		dst[i] = byte(value >> (8 * i))
	}
	for n := width; n < len(dst); n *= 2 { // double what is there
		copy(dst[n:], dst[:n])
	}
}

// record is one call of Record: a place in a stream.
type record struct {
	s        *stream
	seq      uint64 // number of the task in s
	happened bool
	at       time.Time
	blocked  []*stream // streams whose head waits for it
}

// happen marks the record as passed and lets go of who waits. Called with device.mu held.
func (r *record) happen() {
	r.at = time.Now()
	r.happened = true
	for _, s := range r.blocked {
		s.unblock()
	}
	r.blocked = nil
}

// deferred is an action that runs when every stream that had work at a moment has passed that moment.
type deferred struct {
	streams int // that have not passed
	action  func()
}

func (m *deferred) pass(*device) {
	if m.streams--; m.streams == 0 {
		m.action()
	}
}

// afterQueued runs action when all work queued so far has been done: at once if there is none. The action is called with
// d.mu held.
func (d *device) afterQueued(action func()) {
	if d.pending.first == nil {
		action()
		return
	}
	m := &deferred{action: action}
	for s := d.pending.first; s != nil; s = s.next {
		t := d.newTask(taskMark)
		t.mark = m
		m.streams++
		s.enqueue(t)
	}
}

func (d *device) newTask(k taskKind) *task {
	t := d.spareTasks
	if t == nil {
		t = new(task)
	} else {
		d.spareTasks = t.next
	}
	*t = task{kind: k}
	return t
}

func (d *device) freeTask(t *task) {
	*t = task{next: d.spareTasks}
	d.spareTasks = t
}

func (d *device) newWaiter(seq uint64) *waiter {
	w := d.spareWaiters
	if w == nil {
		w = &waiter{ready: make(chan struct{}, 1)}
	} else {
		d.spareWaiters = w.next
	}
	w.seq, w.next = seq, nil
	return w
}

func (d *device) freeWaiter(w *waiter) {
	w.next, d.spareWaiters = d.spareWaiters, w
}
