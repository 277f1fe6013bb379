package proc

import (
	"fmt"
	"slices"
	"time"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
	"github.com/tandem-go/tandem/hostpar/internal/frame"
)

// reader takes what a worker says until it is gone, and then settles its estate.
func (p *Pool) reader(w *member) {
	var e codec.Encoder
	for {
		f, err := w.link.Receive()
		if err != nil {
			break
		}
		w.receiving.Store(true)
		p.receive(w, f)
		w.receiving.Store(false)
		if w.link.Buffered() {
			continue
		}
		if w.feeding.TryLock() {
			p.feed(w, &e)
			w.feeding.Unlock()
		} else {
			w.nudge() // who holds it may have looked already
		}
	}
	w.Kill() // it has ended, or cannot be talked to
	<-w.done
	_ = w.link.Close() // the worker is gone
	select {
	case w.born <- w.died("start"):
	default: // it was ready
	}
	p.buried(w)
}

func (p *Pool) receive(w *member, f frame.Frame) {
	d := codec.NewDecoder(f.Body, f.Files)
	defer d.Close()
	switch f.Kind {
	case kindReady:
		err := readyError(d, w.name)
		p.mu.Lock()
		w.ready = err == nil
		p.notify()
		p.mu.Unlock()
		w.born <- err
		w.nudge()
	case kindResult, kindFailure:
		p.mu.Lock()
		j := w.remove(f.ID)
		w.did++
		p.stillborn = 0
		p.mu.Unlock()
		if j != nil {
			p.result(w, j, f.Kind, d)
		}
	case kindRevoked:
		p.mu.Lock()
		defer p.mu.Unlock()
		if j := w.remove(f.ID); j != nil {
			j.src.flying--
			p.recover(j.src, j.lo, j.n)
		}
	}
}

// result gives the results of a job to its source.
func (p *Pool) result(w *member, j *job, kind byte, d *codec.Decoder) {
	var err error
	if kind == kindFailure {
		err = decodeError(d, j.src.name)
	} else {
		var took uint64
		if took, err = d.Uint64(); err == nil {
			p.mu.Lock()
			j.src.measured(j.n, time.Duration(took))
			p.mu.Unlock()
			err = j.src.decode(d, j.lo, j.n)
		}
	}
	if err != nil {
		for i := range j.n {
			j.src.fail(j.lo+i, err)
		}
	}
	p.finish(j, j.n)
}

// recover queues tasks again, if anybody wants them. mu is held.
func (p *Pool) recover(s *source, lo, n int) {
	if n <= 0 {
		return
	}
	if s.over.Load() || p.broken != nil {
		p.settle(s, n)
		return
	}
	p.again(s, lo, n)
}

// buried is called when a worker has ended and all it had to say was read.
func (p *Pool) buried(w *member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.gone = true
	p.workers = slices.DeleteFunc(p.workers, func(o *member) bool { return o == w })
	jobs := w.inflight
	w.inflight = nil
	at, running := w.page.at()
	w.page.close()
	if !running && len(jobs) > 0 && (w.page == nil || w.reason == TimedOut) {
		at, running = place{call: jobs[0].id, item: unknownItem}, true // calls are done in order
	}
	blamed := false
	for _, j := range jobs {
		j.src.flying--
		if !running || j.id != at.call {
			p.recover(j.src, j.lo, j.n)
			continue
		}
		blamed = true
		p.convict(w, j, at.item)
	}
	p.replace(w, blamed)
	p.notify()
}

// unknownItem is the item of a call that a worker is at if it does not say.
const unknownItem = ^uint64(0)

// convict deals with the job that a worker died of, at the given item. If that is not known, its tasks will be tried one
// by one. mu is held.
func (p *Pool) convict(w *member, j *job, item uint64) {
	switch {
	case j.n == 1:
		p.blame(w, j.src, j.lo)
	case item < uint64(j.n):
		at := int(item)
		p.recover(j.src, j.lo, at)
		p.recover(j.src, j.lo+at+1, j.n-at-1)
		p.blame(w, j.src, j.lo+at)
	default:
		for i := range j.n {
			p.recover(j.src, j.lo+i, 1)
		}
	}
}

// blame counts the death of a worker against a task. mu is held.
func (p *Pool) blame(w *member, s *source, i int) {
	if s.attempts == nil {
		s.attempts = map[int]int{}
	}
	s.attempts[i]++
	if s.attempts[i] <= s.retries && p.broken == nil {
		p.recover(s, i, 1)
		return
	}
	died := w.died(s.name)
	died.Executions = s.attempts[i]
	// The owner may do anything when it learns of it, and mu is held.
	p.mu.Unlock()
	s.fail(i, died)
	p.mu.Lock()
	p.settle(s, 1)
}

// replace starts another worker in place of one that has ended. mu is held.
func (p *Pool) replace(w *member, blamed bool) {
	if p.broken != nil {
		return
	}
	if !blamed && !w.retiring && w.did == 0 {
		p.stillborn++
	}
	if p.stillborn > maxStillborn {
		reason := fmt.Errorf("proc: %d workers in a row died before they had done anything: %w", p.stillborn, w.died("start"))
		p.hiring.Add(1)
		go func() {
			defer p.hiring.Done()
			p.fail(reason)
		}()
		return
	}
	p.unborn++
	p.hiring.Add(1)
	go func() {
		defer p.hiring.Done()
		if err := p.hire(); err != nil {
			p.mu.Lock()
			last := p.unborn == 0 && len(p.workers) == 0
			p.mu.Unlock()
			if last {
				p.fail(fmt.Errorf("proc: no worker can be started: %w", err))
			}
		}
	}()
}
