package hetero

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"sync"
	"time"

	"github.com/tandem-go/tandem/hostpar/hetero/policy"
	"github.com/tandem-go/tandem/hostpar/hetero/trace"
	"github.com/tandem-go/tandem/hostpar/par"
)

// run is one job under way. Lanes take chunks by themselves, under mu; the goroutine of Pool.Run watches over time.
type run struct {
	job     *Job
	config  RunConfig
	devices []*member
	trace   *trace.Recorder
	begin   time.Time
	ctx     context.Context //nolint:containedctx // the run's, which lanes that begin later need
	shown   time.Duration   // when progress was shown last
	looked  time.Duration   // when overdue looked last
	parts   []parts

	mu               sync.Mutex
	changed          sync.Cond // something may have become possible for a parked lane
	state            policy.State
	fresh            []remain // units nobody was given: one range, or one for each device; see take
	back             []remain // units given back
	failed           []remain // units nobody will do
	errs             []error
	seq              uint64
	parked           int // lanes that wait in next
	lanes            int // lanes that have not ended and were not abandoned
	flying           int // chunks under way
	stopped          bool
	ended            chan struct{} // closed when lanes is 0
	done             int           // units committed
	chunks           int
	retried          int
	lost             int             // units of chunks that failed
	shadows, guesses int             // chunks that were tried first, and attempts at chunks that were late elsewhere
	keep             bool            // feeds stay open for the next run of a plan
	running          *sync.WaitGroup // counts lanes, if it is not nil
	over             bool            // ended is closed
}

// remain is units that are left, how often they failed, and where they did last.
type remain struct {
	lo, hi int
	tries  int
	last   int     // device; -1 if they did not fail
	expect *expect // the digest of a trial by last; such units are not divided
}

// expect is what another device computed.
type expect struct {
	device int
	digest uint64
}

// member is a device in a run.
type member struct {
	info    Info
	feed    Feed
	err     error // why it is out
	why     policy.Reason
	tasks   []Task
	flying  []bool // of each lane
	gone    []bool // lanes that were abandoned
	left    int    // lanes whose goroutine has not ended
	strikes int    // chunks that failed since one succeeded
	started bool   // it has lanes
	inPlace bool   // chunks change memory that cannot be given back
	home    bool   // of them, and a failure may leave it changed

	flights                                    int
	items, largest                             int // done by it, and of its largest chunk
	busy, busySince, first, last, wasted, died time.Duration
	slowest                                    time.Duration // of a unit, on average over a chunk that counted
}

// strikesOut is how many chunks in a row may fail before a device is taken out.
const strikesOut = 3

func (r *run) now() time.Duration { return time.Since(r.begin) }

// lane does chunks until there are none for it.
func (r *run) lane(ctx context.Context, d, lane int) {
	m := r.devices[d]
	t := &m.tasks[lane]
	working := false
	defer func() { r.leave(d, lane, working) }()
	for r.next(d, lane) {
		working = true
		err := r.do(ctx, m.feed, t)
		working = false
		if !r.settle(t, err) {
			return
		}
	}
}

// leave ends a lane: also one that a body ended by runtime.Goexit, and one that was abandoned long ago. The last of a
// device closes its feed.
func (r *run) leave(d, lane int, working bool) {
	m := r.devices[d]
	if working {
		r.settle(&m.tasks[lane], fmt.Errorf("%w: %w", ErrDeviceLost, par.ErrGoexit)) // the lane is
	}
	r.mu.Lock()
	m.left--
	last := m.left == 0 && (!r.keep || m.err != nil)
	r.mu.Unlock()
	if last {
		if err := m.feed.Close(); err != nil {
			r.mu.Lock()
			r.errs = append(r.errs, fmt.Errorf("close %s: %w", m.info.Name, err))
			r.mu.Unlock()
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !m.gone[lane] {
		r.exit()
	}
}

// exit counts a lane out. Called with mu held.
func (r *run) exit() {
	r.lanes--
	r.changed.Broadcast()
	if r.lanes == 0 {
		r.end()
	}
}

// end lets watch return. Called with mu held.
func (r *run) end() {
	if !r.over {
		r.over = true
		close(r.ended)
	}
}

// do lets the device do the chunk; a panic is an error of the chunk.
func (r *run) do(ctx context.Context, f Feed, t *Task) (err error) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case *par.PanicError:
			err = v
		default:
			err = &par.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	if err := f.Do(ctx, t.lane, t); err != nil {
		return err
	}
	if won, tried, _ := t.result(); !won && !tried {
		return t.Commit(nil)
	}
	return nil
}

// next waits for a chunk for the lane and reports whether there is one.
func (r *run) next(d, lane int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if r.stopped || r.state.Devices[d].Dead || r.state.Remaining == 0 && r.flying == 0 {
			return false
		}
		if r.give(d, lane) || r.guess(d, lane) {
			return true
		}
		r.parked++
		if r.parked == r.lanes && r.flying == 0 && r.state.Remaining > 0 {
			r.state.Force = true
			ok := r.give(d, lane)
			if r.state.Force = false; ok {
				r.parked--
				return true
			}
		}
		r.changed.Wait()
		r.parked--
	}
}

// give asks the policy for the device and gives the lane its chunk. Called with mu held.
func (r *run) give(d, lane int) bool {
	m, dev := r.devices[d], &r.state.Devices[d]
	if r.state.Remaining == 0 || dev.Finished == 0 && m.flights > 0 {
		return false // a second lane waits for what the first finds out
	}
	r.state.Now = r.now()
	n, why := r.config.Policy.Next(&r.state, d)
	if n <= 0 {
		m.why = why
		return false
	}
	if why == policy.Whole {
		n = r.snap(d, n)
	}
	w, ok := r.take(d, min(n, r.state.Remaining))
	if !ok {
		return false
	}
	left := r.state.Remaining
	t := &m.tasks[lane]
	if t.own.attempts == 0 {
		t.own = claim{}
		t.claim = &t.own
	} else { // another device still tries what this lane failed
		t.claim = new(claim)
	}
	t.work, t.why = w, why.String()
	t.trial = w.expect == nil && r.config.Shadow > 0 && r.others(d) && r.drawn()
	r.issue(t)
	if w.tries > 0 {
		r.retried++
	}
	if r.config.Decisions != nil {
		r.config.Decisions.Add(policy.Event{At: r.state.Now, Device: d, Chunk: t.id, N: n, Size: r.size(&w), Why: why, Remaining: left, Forced: r.state.Force})
	}
	if r.config.Replay != nil && r.parked > 0 {
		r.changed.Broadcast() // it is another device's turn
	}
	return true
}

// snap makes a device's whole part its range, where it has one that is about as long: the few items between would be a chunk
// of their own.
func (r *run) snap(d, n int) int {
	if len(r.fresh) <= d || len(r.fresh) == 1 || len(r.back) > 0 {
		return n
	}
	if own := r.size(&r.fresh[d]); own > 0 && math.Abs(float64(own-n)) <= moveFor*float64(r.state.Total) {
		return own
	}
	return n
}

// size is how many of the policy's items some units are.
func (r *run) size(w *remain) int { return r.job.size(w.lo, w.hi) }

// drop takes a chunk's items back from its device. Called with mu held.
func (r *run) drop(t *Task) {
	r.state.Drop(t.device, t.id)
	r.decided(policy.Dropped, t)
}

// decided notes what came of a decision. Called with mu held.
func (r *run) decided(k policy.EventKind, t *Task) {
	if r.config.Decisions != nil {
		r.config.Decisions.Add(policy.Event{Kind: k, At: r.state.Now, Device: t.device, Chunk: t.id})
	}
}

// drawn decides which chunks are tried first: by a hash of their number, so that equal schedules draw equal chunks.
func (r *run) drawn() bool {
	x := (r.seq + 1) * 0x9e3779b97f4a7c15
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	return float64(x>>11)/(1<<53) < r.config.Shadow
}

// issue notes that a lane has a chunk, whose work, claim, trial and why are set. Called with mu held.
func (r *run) issue(t *Task) {
	m, n := r.devices[t.device], r.size(&t.work)
	r.seq++
	t.id, t.span = r.seq, r.job.layout.rows(t.work.lo, t.work.hi)
	t.issued, t.warned, t.noted, t.summed = r.state.Now, false, false, false
	t.claim.mu.Lock()
	t.revoked, t.won, t.tried = false, false, false
	t.claim.mu.Unlock()
	t.claim.attempts++
	t.due = t.issued + r.patience(t, n)
	r.state.Issue(t.device, t.id, n)
	if m.flights == 0 {
		m.busySince = t.issued
		if r.state.Devices[t.device].Issued == 1 {
			m.first = t.issued
		}
	}
	m.flying[t.lane] = true
	m.flights++
	r.flying++
	r.chunks++
}

// guess gives an idle lane a chunk that another device works on, if it would be done before that: once nothing else is
// left. Both do it then, and one of them counts. Called with mu held.
func (r *run) guess(d, lane int) bool {
	m, dev := r.devices[d], &r.state.Devices[d]
	if !r.config.Speculate || r.keep || r.state.Remaining > 0 || m.inPlace || m.flights > 0 || dev.Rate <= 0 {
		return false
	}
	r.state.Now = r.now()
	var late *Task
	gain := dev.Overhead
	for i, o := range r.devices {
		for k := range o.tasks {
			t := &o.tasks[k]
			if i == d || o.inPlace || !o.flying[k] || t.trial || t.claim.attempts > 1 || t.work.expect != nil {
				continue
			}
			n := r.size(&t.work)
			predicted, ok := r.state.Predict(i, n)
			if !ok {
				continue
			}
			// A chunk that is late is taken to need as long again as it is late.
			left := max(t.issued+predicted-r.state.Now, r.state.Now-t.issued-predicted)
			mine, _ := r.state.Predict(d, n)
			if left-mine > gain {
				late, gain = t, left-mine
			}
		}
	}
	if late == nil {
		return false
	}
	t := &m.tasks[lane]
	t.work, t.claim, t.trial, t.why = late.work, late.claim, false, policy.Guess.String()
	left := r.state.Remaining
	r.issue(t)
	r.state.Remaining = left // they were counted when first given
	if r.config.Decisions != nil {
		r.config.Decisions.Add(policy.Event{At: r.state.Now, Device: d, Chunk: t.id, Size: r.size(&t.work), Why: policy.Guess})
	}
	r.guesses++
	return true
}

// take cuts at most n units off what was given back, or off the rest. Units that failed on a device, or were tried there,
// go to another one, if there is another. Where each device has a range of its own, it takes from that first, and then
// from the end of the longest.
func (r *run) take(d, n int) (remain, bool) {
	for i := len(r.back) - 1; i >= 0; i-- {
		b := &r.back[i]
		if b.last == d && !r.state.Force && r.others(d) {
			continue
		}
		w := *b
		if w.expect == nil {
			w.hi = r.job.cut(w.lo, w.hi, n)
		}
		if b.lo = w.hi; b.lo == b.hi {
			r.back = append(r.back[:i], r.back[i+1:]...)
		}
		return w, true
	}
	if n >= r.state.Total && r.state.Remaining == r.state.Total { // all in one chunk
		units := r.job.layout.units
		r.fresh = []remain{{lo: units, hi: units}}
		return remain{hi: units, last: -1}, true
	}
	if len(r.fresh) == 1 {
		d = 0
	}
	f := &r.fresh[d]
	if f.lo < f.hi {
		w := remain{lo: f.lo, hi: r.job.cut(f.lo, f.hi, n), last: -1}
		f.lo = w.hi
		return w, true
	}
	for i := range r.fresh {
		if o := &r.fresh[i]; o.hi-o.lo > f.hi-f.lo {
			f = o
		}
	}
	if f.lo == f.hi {
		return remain{}, false
	}
	w := remain{lo: r.job.cutBack(f.lo, f.hi, n), hi: f.hi, last: -1}
	f.hi = w.lo
	return w, true
}

// others reports whether a device other than d is alive.
func (r *run) others(d int) bool {
	for i := range r.state.Devices {
		if i != d && !r.state.Devices[i].Dead {
			return true
		}
	}
	return false
}

// patience is how long a chunk of n of the policy's items may take before its device counts as hung. Hints of cost may be
// far from the truth, so that a chunk that they make light may also take as long for each unit as any before it.
func (r *run) patience(t *Task, n int) time.Duration {
	m := r.devices[t.device]
	predicted, ok := r.state.Predict(t.device, n)
	if !ok {
		return r.config.FirstHang
	}
	if r.job.costs != nil {
		predicted = max(predicted, m.slowest*time.Duration(t.work.hi-t.work.lo))
	}
	for _, f := range r.state.Devices[t.device].Flights {
		p, _ := r.state.Predict(t.device, f.N)
		predicted += p
	}
	limit := min(r.config.HangFactor*float64(predicted), 1e18)
	return max(time.Duration(limit), r.config.HangFloor)
}

// settle takes note of how a chunk ended and reports whether the lane goes on.
func (r *run) settle(t *Task, err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.devices[t.device]
	if m.gone[t.lane] {
		return false // it hung: its items were given to others
	}
	r.land(t)
	t.claim.attempts--
	n := t.work.hi - t.work.lo
	switch won, tried, late := t.result(); {
	case won:
		r.state.Finish(t.device, t.id)
		r.decided(policy.Finished, t)
		r.done += n
		items := t.span.Hi - t.span.Lo
		m.items, m.largest = m.items+items, max(m.largest, items)
		m.slowest = max(m.slowest, (r.state.Now-t.issued)/time.Duration(n))
		m.strikes = 0
		m.last = r.state.Now
		if !t.noted {
			r.span(t)
		}
		r.release()
	case tried:
		r.drop(t)
		r.shadows++
		m.wasted += r.state.Now - t.issued
		m.strikes = 0
		w := t.work
		w.last = t.device
		w.expect = &expect{t.device, t.digest}
		if !t.summed {
			w.last, w.expect = -1, &expect{t.device, 0} // nothing to compare; not tried again
		}
		r.back = append(r.back, w)
	case late: // another device was faster
		r.drop(t)
		r.state.Remaining -= r.size(&t.work)
		m.wasted += r.state.Now - t.issued
	default:
		r.fail(t, err)
	}
	if err != nil && errors.Is(err, ErrDeviceLost) {
		r.kill(t.device, err)
	}
	if r.parked > 0 {
		r.changed.Broadcast()
	}
	if r.keep && r.state.Remaining == 0 && r.flying == 0 {
		r.end() // lanes that wait for work find out by themselves
	}
	return true
}

// span records a chunk whose device did not tell its parts. Called with mu held.
func (r *run) span(t *Task) {
	r.parts[t.device].add(trace.Chunk, r.state.Now-t.issued)
	r.trace.Span(trace.Span{Device: t.device, Lane: t.lane, Kind: trace.Chunk, Lo: t.span.Lo, Hi: t.span.Hi,
		Start: t.issued, End: r.state.Now, Chunk: t.id, Why: t.why})
}

// land counts a chunk out of what is under way. Called with mu held.
func (r *run) land(t *Task) {
	m := r.devices[t.device]
	r.state.Now = r.now()
	m.flying[t.lane] = false
	r.flying--
	if m.flights--; m.flights == 0 {
		m.busy += r.state.Now - m.busySince
	}
}

// fail gives a chunk's units back, or up if they were tried often enough. Called with mu held, after land.
func (r *run) fail(t *Task, err error) {
	m := r.devices[t.device]
	r.drop(t)
	n := r.size(&t.work)
	m.wasted += r.state.Now - t.issued
	w := t.work
	w.tries++
	if w.expect == nil {
		w.last = t.device
	}
	if err := context.Cause(r.ctx); err != nil {
		r.halt(err)
	}
	if t.claim.attempts > 0 { // another device still tries
		r.state.Remaining -= n
		r.strike(t, &ChunkError{Device: m.info.Name, Range: t.span, Attempt: w.tries, Err: err})
		return
	}
	if r.stopped { // nobody's fault
		r.back = append(r.back, t.work)
		return
	}
	r.wake()
	r.lost += w.hi - w.lo
	failure := &ChunkError{Device: m.info.Name, Range: t.span, Attempt: w.tries, Err: err}
	r.trace.Mark(t.device, failure.Error(), r.state.Now)
	var disagree *ShadowError
	if mismatch := errors.As(err, &disagree); w.tries > r.config.Retries || m.home || mismatch {
		r.state.Remaining -= n
		r.failed = append(r.failed, w)
		r.errs = append(r.errs, failure)
	} else {
		r.back = append(r.back, w)
	}
	if disagree != nil {
		r.halt(nil) // neither device can be trusted
		return
	}
	r.strike(t, failure)
}

// strike counts a failure against a device. Called with mu held.
func (r *run) strike(t *Task, failure *ChunkError) {
	m := r.devices[t.device]
	m.strikes++
	if m.strikes >= strikesOut || r.config.OnDeviceError == Abort {
		r.kill(t.device, failure)
	}
	if r.config.OnDeviceError == Abort {
		r.halt(failure)
	}
}

// release lets the run end when all that is under way was done by others: those attempts are abandoned. Called with mu
// held.
func (r *run) release() {
	if r.guesses == 0 || r.state.Remaining > 0 || len(r.back) > 0 {
		return
	}
	over := func(t *Task) bool { _, _, late := t.result(); return late }
	for _, m := range r.devices {
		for k := range m.tasks {
			if m.flying[k] && !over(&m.tasks[k]) {
				return
			}
		}
	}
	for _, m := range r.devices {
		for k := range m.tasks {
			if t := &m.tasks[k]; m.flying[k] {
				t.stop()
				r.land(t)
				r.drop(t)
				r.state.Remaining -= r.size(&t.work)
				m.wasted += r.state.Now - t.issued
				r.forget(m, t)
			}
		}
	}
}

// kill takes a device out of the run. Called with mu held.
func (r *run) kill(d int, err error) {
	dev := &r.state.Devices[d]
	if dev.Dead {
		return
	}
	dev.Dead = true
	if r.config.Decisions != nil {
		r.config.Decisions.Add(policy.Event{Kind: policy.Out, At: r.state.Now, Device: d})
	}
	r.devices[d].err, r.devices[d].died = err, r.state.Now
	r.trace.Mark(d, "out of the run", r.state.Now)
	for i := range r.state.Devices {
		if !r.state.Devices[i].Dead {
			r.wake()
			return
		}
	}
	for _, m := range r.devices {
		r.errs = append(r.errs, m.err)
	}
	r.halt(nil)
}

// halt lets no chunk begin any more. Called with mu held.
func (r *run) halt(err error) {
	if !r.stopped && err != nil {
		r.errs = append(r.errs, err)
	}
	r.stopped = true
	r.changed.Broadcast()
}

// watch returns when all lanes have ended or were abandoned. It ends the run with ctx, finds what hangs, and reports
// progress.
func (r *run) watch(ctx context.Context) {
	tick := min(r.config.HangFloor, 10*time.Millisecond)
	clock := time.NewTicker(tick)
	defer clock.Stop()
	over := ctx.Done()
	for {
		select {
		case <-r.ended:
			r.progress(0)
			return
		case <-over:
			over = nil
			r.mu.Lock()
			r.halt(context.Cause(ctx))
			r.mu.Unlock()
		case <-clock.C:
			r.overdue(tick)
			r.mu.Lock()
			if r.parked > 0 {
				r.changed.Broadcast() // time alone may make a chunk late
			}
			r.mu.Unlock()
			r.progress(time.Second / 10)
		}
	}
}

// overdue looks for chunks that take too long. It is called each tick: where it was not for long, the program was stopped, or its
// machine was, and so were the chunks.
func (r *run) overdue(tick time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.Now = r.now()
	stopped := r.state.Now - r.looked
	if r.looked = r.state.Now; stopped < 10*tick {
		stopped = 0
	}
	for _, m := range r.devices {
		for lane := range m.tasks {
			t := &m.tasks[lane]
			t.due += stopped
			if !m.flying[lane] || r.state.Now <= t.due {
				continue
			}
			if !r.others(t.device) && !t.warned && r.state.Now-t.issued < r.config.FirstHang {
				continue // nobody could take over: on a busy machine it may just be slow
			}
			r.hang(m, t)
		}
	}
}

// hang deals with a chunk that takes too long. Called with mu held.
func (r *run) hang(m *member, t *Task) {
	after := r.state.Now - t.issued
	err := fmt.Errorf("%w: a chunk of %d items has taken %v", ErrHung, t.span.Hi-t.span.Lo, after)
	if m.inPlace && !t.warned {
		t.warned = true
		t.due = r.state.Now + max(r.config.HangFloor, after/4)
		t.stop()
		r.kill(t.device, err)
		return
	}
	if !m.inPlace {
		r.kill(t.device, err)
		for lane := range m.tasks { // what hangs one lane of a device hangs all
			if m.flying[lane] {
				r.abandon(m, &m.tasks[lane], err)
			}
		}
		return
	}
	stuck := &StuckError{Device: m.info.Name, Range: t.span, After: after}
	r.land(t)
	r.drop(t)
	r.state.Remaining -= r.size(&t.work)
	r.failed = append(r.failed, t.work)
	r.errs = append(r.errs, stuck)
	r.forget(m, t)
}

// abandon takes a chunk from a lane that may never return. Called with mu held.
func (r *run) abandon(m *member, t *Task, err error) {
	if !t.revoke() {
		return // it is about to report that it is done
	}
	t.stop()
	t.claim.attempts--
	r.land(t)
	r.fail(t, err)
	r.forget(m, t)
}

// forget counts a lane out whose goroutine goes on. Called with mu held.
func (r *run) forget(m *member, t *Task) {
	m.gone[t.lane] = true
	r.exit()
}

// progress calls the program's function, unless it was called less than gap ago. It is only called by watch.
func (r *run) progress(gap time.Duration) {
	if r.config.Progress == nil || r.now()-r.shown < gap {
		return
	}
	r.shown = r.now()
	r.mu.Lock()
	p := Progress{Elapsed: r.now(), Total: r.job.layout.items, Done: min(r.done*r.job.layout.unit, r.job.layout.items)}
	if r.done == r.job.layout.units {
		p.Done = p.Total
	}
	r.mu.Unlock()
	r.config.Progress(p)
}
