package proc

import (
	"maps"
	"time"
)

// limits are what a child's tasks must keep to.
type limits struct {
	timeout time.Duration // of one task; 0 for none
	memory  int64         // of the process; 0 for none
}

// period is how often limits are looked at.
func (l limits) period() time.Duration {
	p := 10 * time.Millisecond
	if l.timeout > 0 {
		p = min(p, max(l.timeout/looks, time.Millisecond))
	}
	return p
}

// looks is how many parts of a time limit are counted one by one.
const looks = 8

// phase is what may be expected of a worker.
type phase uint8

const (
	resting phase = iota // it has nothing to do
	passing              // calls or results are on their way, or it is not ready: that takes as long as it takes
	working              // it runs an item, or should begin one
)

// place is the call and the item that a worker is at; the zero value is none.
type place struct{ call, item uint64 }

// duty is what a worker is at. As long as it stays the same, there is no progress.
type duty struct {
	place
	phase    phase
	answered int // calls so far
}

// thread is what the system tells of a thread.
type thread struct {
	state  byte          // as in /proc
	ran    time.Duration // on a processor
	waited time.Duration // for a processor, without the present wait
}

// meter counts the time that a worker has spent at one duty, against a limit.
//
// A time limit is there to find tasks that hang. So it does not count the time in which the worker was ready to run and
// the machine ran something else: of a worker that got no processor nothing is known. It does count the time in which
// the worker ran, slept or was stopped. What was not watched, as the parent itself did not run, counts only as a part of
// the limit.
type meter struct {
	limit time.Duration
	// look returns the threads of the worker by their numbers; nil if nothing is known of them.
	look func() map[int]thread

	duty    duty
	spent   time.Duration
	since   time.Time // all until here is counted
	threads map[int]thread
}

// over notes what the worker is at, and reports whether it has spent the limit at it.
func (m *meter) over(now time.Time, d duty) bool {
	if d.phase == resting || d != m.duty {
		m.duty, m.spent, m.since, m.threads = d, 0, now, nil
		return false
	}
	if m.threads == nil { // it stays for some time, so looking at it pays
		m.threads, m.since = m.look(), now
		if m.threads == nil {
			m.threads = map[int]thread{}
		}
		return false
	}
	passed := now.Sub(m.since)
	if passed < min(m.limit/looks, m.limit-m.spent) {
		return false
	}
	m.since = now
	threads := m.look()
	m.spent += min(counted(m.threads, threads, passed, d.phase), m.limit/4)
	if threads != nil {
		m.threads = threads
	}
	return m.spent >= m.limit
}

// counted returns how much of the time that has passed between two looks counts.
func counted(before, after map[int]thread, passed time.Duration, p phase) time.Duration {
	var ran, waited time.Duration // of the thread that did most of it
	ended := len(after) > 0
	for id, t := range after {
		switch t.state {
		case 'T':
			return passed // stopped by a signal, and not by a debugger
		case 'Z', 'X':
			continue
		}
		ended = false
		was, there := before[id]
		if !there {
			continue
		}
		ran = max(ran, t.ran-was.ran)
		if t.state == 'R' { // it may be waiting just now, so all that it did not run may be a wait
			waited = max(waited, passed-(t.ran-was.ran))
		} else {
			waited = max(waited, t.waited-was.waited)
		}
	}
	if p == passing || ended {
		return 0
	}
	return min(passed, max(ran, passed-waited))
}

// watch kills the child when it exceeds its limits, until it has ended. at returns what it is doing.
func (c *Child) watch(l limits, at func() duty) {
	if l.timeout <= 0 && l.memory <= 0 {
		return
	}
	m := meter{limit: l.timeout, look: func() map[int]thread { return maps.Collect(threadsOf(c.pid)) }}
	go func() {
		ticker := time.NewTicker(l.period())
		defer ticker.Stop()
		for {
			select {
			case <-c.done:
				return
			case <-ticker.C:
				if l.timeout > 0 && m.over(time.Now(), at()) {
					c.killFor(TimedOut)
				}
				if l.memory > 0 && residentMemory(c.pid) > l.memory {
					c.killFor(OutOfMemory)
				}
			}
		}
	}()
}
