package cuda

import (
	"errors"
	"sort"
	"sync"
	"time"

	"github.com/tandem-go/tandem/internal/driver"
)

// poller closes the channels of Event.Done, with one goroutine for each device that has pending events and none otherwise:
// a driver has no call that waits for one of many events, and a thread blocked in the driver for each would be worse. Records
// of one stream happen in order, so only the oldest of each stream is asked about.
type poller struct {
	mu      sync.Mutex
	pending map[*queue][]*awaited // guarded by mu: in the order of the records
	running bool                  // guarded by mu
}

// awaited is one record of an event that somebody waits for. It holds the event.
type awaited struct {
	res  *resource
	seq  uint64 // of the record on its stream
	done chan struct{}
	drop bool // guarded by poller.mu: the event goes on with another handle, and this one is closed with the wait
}

// The poller looks often at first and less often while nothing happens.
const (
	pollOften  = 50 * time.Microsecond
	pollSeldom = 5 * time.Millisecond
)

// add takes over a record. The caller has acquired its event.
func (p *poller) add(c *core, q *queue, a *awaited) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending == nil {
		p.pending = map[*queue][]*awaited{}
	}
	list := p.pending[q]
	i := sort.Search(len(list), func(i int) bool { return list[i].seq > a.seq })
	list = append(list, nil)
	copy(list[i+1:], list[i:])
	list[i] = a
	p.pending[q] = list
	if !p.running {
		p.running = true
		go p.run(c)
	}
}

// detach marks a record whose event is recorded anew with another handle; false if the record has happened.
func (p *poller) detach(a *awaited) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-a.done:
		return false
	default:
		a.drop = true
		return true
	}
}

// run polls until nothing is pending.
func (p *poller) run(c *core) {
	pause := pollOften
	for {
		happened, left := p.poll(c)
		for _, a := range happened {
			a.res.release()
			if a.drop {
				_ = a.res.close() // an error of it is kept for Device.Close
			}
		}
		if !left {
			return
		}
		if pause = min(2*pause, pollSeldom); len(happened) > 0 {
			pause = pollOften
		}
		time.Sleep(pause)
	}
}

// poll closes the channels of what has happened, or cannot happen any more.
func (p *poller) poll(c *core) (happened []*awaited, left bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for q, list := range p.pending {
		n := 0
		for n < len(list) && (c.closed.Load() || c.gen.Load() != list[n].res.note.gen ||
			!errors.Is(c.drv.QueryEvent(driver.Event(list[n].res.note.handle)), driver.NotReady)) {
			close(list[n].done)
			happened = append(happened, list[n])
			n++
		}
		if list = list[n:]; len(list) == 0 {
			delete(p.pending, q)
		} else {
			p.pending[q] = list
		}
	}
	p.running = len(p.pending) > 0
	return happened, p.running
}
