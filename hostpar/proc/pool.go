package proc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
	"github.com/tandem-go/tandem/hostpar/internal/frame"
)

// PoolConfig says what a pool's workers are like. The zero value is good for most.
type PoolConfig struct {
	// Workers is how many processes there are; below 1 it is runtime.GOMAXPROCS(0).
	Workers int
	// Name begins the names of the workers, "worker" if empty: worker-1, worker-2 …
	Name string
	// Setup is called in each worker before its first task, in order, also in those that replace others. An error fails
	// NewPool.
	Setup []Setup
	// TasksPerWorker is after how many tasks a worker is replaced; 0 for never.
	TasksPerWorker int
	// TaskTimeout is how long a task may take before its worker is killed; 0 for any time. On Linux, time in which the
	// worker was ready to run and the machine ran something else does not count: no task is blamed for a busy machine. For
	// a limit by the clock let the context of the call end.
	TaskTimeout time.Duration
	// MemoryLimit is how many bytes of memory a worker may occupy before it is killed; 0 for any number. It is looked at
	// every few milliseconds, on Linux only.
	MemoryLimit int64
	// Retries is how often a task is tried again when its worker died of it. Errors and panics are never retried.
	Retries int
	// Grace is how long a task may go on when its context has ended, before its worker is killed; 0 for 50 ms.
	Grace time.Duration
	// Env is the environment of the workers, Dir their folder; those of this process if empty.
	Env []string
	Dir string
	// Stdout and Stderr get what workers write; those of this process if nil. Writers that are not files are written to by
	// one goroutine for each worker.
	Stdout, Stderr io.Writer
}

// Setup is a call that prepares a worker. Make it with Bind.
type Setup struct {
	name   string
	err    error
	encode func(e *codec.Encoder) error
}

// Bind returns the call of f with an argument, whose result is not wanted.
func Bind[In, Out any](f Func[In, Out], in In) Setup {
	if err := f.check(); err != nil {
		return Setup{err: err}
	}
	return Setup{name: f.t.name, encode: func(e *codec.Encoder) error { return f.t.in.Encode(e, &in) }}
}

// Pool keeps worker processes that run tasks. Make it with NewPool. All functions that take a pool may be called from any
// goroutine.
type Pool struct {
	cfg    PoolConfig
	stop   func() bool // no longer wait for the end of NewPool's context
	hiring sync.WaitGroup

	mu        sync.Mutex
	changed   chan struct{} // closed and replaced when anything below changes that somebody may wait for
	workers   []*member
	sources   []*source // that have tasks to hand out
	turn      int       // whose task is next
	retries   []*job    // to be handed out before those of sources
	lastID    uint64
	serial    int
	unborn    int                      // workers being started
	stillborn int                      // workers in a row that died before they had done anything
	open      int                      // tasks that have not got their results
	closed    bool                     // no new tasks
	broken    error                    // why there will be no workers any more
	stealing  bool                     // steal will be called
	times     map[string]time.Duration // of tasks, by the function
}

// maxStillborn is how many workers may die in a row without having done anything, by their own fault.
const maxStillborn = 5

// member is a worker of a pool.
type member struct {
	*Child
	wake    chan struct{} // has something to feed; capacity 1
	feeding sync.Mutex    // held by who writes calls

	sending   atomic.Bool // calls in flight are not all written
	receiving atomic.Bool // an answer is being read

	// Under the pool's mu:
	ready    bool
	gone     bool
	retiring bool
	quitting bool // kindQuit was sent or will be
	assigned int
	did      int // calls answered
	inflight []*job
	notes    []frame.Frame // cancellations and the like to send
	born     chan error    // gets what hello was answered with; capacity 1
}

// NewPool starts the workers and waits until they are ready. When ctx ends, now or later, the pool is killed.
//
// A pool should be closed, or killed; Main does it at the latest.
func NewPool(ctx context.Context, cfg PoolConfig) (*Pool, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if cfg.Workers < 1 {
		cfg.Workers = runtime.GOMAXPROCS(0)
	}
	if cfg.Name == "" {
		cfg.Name = "worker"
	}
	if cfg.Grace <= 0 {
		cfg.Grace = defaultGrace
	}
	for _, s := range cfg.Setup {
		if s.err != nil {
			return nil, s.err
		}
		if s.encode == nil {
			return nil, fmt.Errorf("%w: a Setup is made with Bind", ErrFunc)
		}
	}
	if err := allowed(); err != nil {
		return nil, err
	}
	p := &Pool{cfg: cfg, changed: make(chan struct{}), unborn: cfg.Workers}
	p.stop = context.AfterFunc(ctx, func() { p.fail(ErrClosed) })
	errs := make(chan error, cfg.Workers)
	for range cfg.Workers {
		p.hiring.Add(1)
		go func() {
			defer p.hiring.Done()
			errs <- p.hire()
		}()
	}
	var err error
	for range cfg.Workers {
		err = errors.Join(err, <-errs)
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		p.Kill()
		return nil, err
	}
	return p, nil
}

// hire starts a worker and waits until it is ready. One of unborn was counted for it.
func (p *Pool) hire() error {
	p.mu.Lock()
	p.serial++
	name := fmt.Sprintf("%s-%d", p.cfg.Name, p.serial)
	p.mu.Unlock()
	c, err := startChild(childConfig{
		name: name, disposable: true, env: p.cfg.Env, dir: p.cfg.Dir, stdout: p.cfg.Stdout, stderr: p.cfg.Stderr,
		memoryLimit: p.cfg.MemoryLimit, page: true,
	}, p.setup)
	p.mu.Lock()
	p.unborn--
	if err != nil {
		p.mu.Unlock()
		return err
	}
	w := &member{Child: c, wake: make(chan struct{}, 1), born: make(chan error, 1)}
	p.workers = append(p.workers, w)
	if p.broken != nil {
		c.Kill()
	}
	p.mu.Unlock()
	c.drain()
	c.watch(limits{p.cfg.TaskTimeout, p.cfg.MemoryLimit}, func() duty { return p.at(w) })
	go p.feeder(w)
	go p.reader(w)
	return <-w.born
}

func (p *Pool) setup(e *codec.Encoder) error {
	e.Uvarint(0) // many calls
	e.Uvarint(uint64(len(p.cfg.Setup)))
	for _, s := range p.cfg.Setup {
		e.String(s.name)
		if err := s.encode(e); err != nil {
			return fmt.Errorf("proc: argument of %s: %w", s.name, err)
		}
	}
	return nil
}

// at tells what a worker is doing. Where it does not say, there is progress while calls are answered.
func (p *Pool) at(w *member) duty {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.gone || len(w.inflight) == 0 {
		return duty{}
	}
	d := duty{phase: working, answered: w.did}
	at, running := w.page.at()
	switch {
	case running:
		d.place = at
	case w.sending.Load() || w.receiving.Load() || w.page.sending():
		d.phase = passing
	case w.page == nil:
		d.place = place{call: w.inflight[0].id}
	}
	return d
}

// notify tells those who wait for a change. mu is held.
func (p *Pool) notify() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// wait waits until ok, which is called with mu held, or the end of ctx.
func (p *Pool) wait(ctx context.Context, ok func() bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !ok() {
		changed := p.changed
		p.mu.Unlock()
		select {
		case <-changed:
			p.mu.Lock()
		case <-ctx.Done():
			p.mu.Lock()
			return context.Cause(ctx)
		}
	}
	return nil
}

// rouse wakes workers that have room: those that do nothing, if there are any. mu is held.
func (p *Pool) rouse() {
	idle := false
	for _, w := range p.workers {
		if w.idle() {
			idle = true
			w.nudge()
		}
	}
	if idle {
		return
	}
	for _, w := range p.workers {
		w.nudge()
	}
}

func (w *member) idle() bool { return w.ready && !w.gone && !w.retiring && len(w.inflight) == 0 }

func (w *member) nudge() {
	select {
	case w.wake <- struct{}{}:
	default: // it is awake
	}
}

// feeder writes calls to a worker whenever there is reason to.
func (p *Pool) feeder(w *member) {
	var e codec.Encoder
	for {
		select {
		case <-w.wake:
			w.feeding.Lock()
			p.feed(w, &e)
			w.feeding.Unlock()
		case <-w.done:
			return
		}
	}
}

// feed hands a worker what it has room for. w.feeding is held.
func (p *Pool) feed(w *member, e *codec.Encoder) {
	sent := false
	for {
		p.mu.Lock()
		notes := w.notes
		w.notes = nil
		j := p.take(w)
		if j == nil && w.retiring && len(w.inflight) == 0 && !w.quitting {
			w.quitting = true
			notes = append(notes, frame.Frame{Kind: kindQuit})
		}
		if j == nil && w.idle() {
			p.stealLater()
		}
		p.mu.Unlock()
		for _, n := range notes {
			_ = w.link.Send(n) // a worker that is gone is found by its reader
			sent = true
		}
		if j == nil {
			break
		}
		p.send(w, j, e)
		sent = true
	}
	if sent {
		_ = w.link.Flush() // a worker that is gone is found by its reader
	}
	w.sending.Store(false)
}

// take chooses the next job for a worker and puts it in flight. mu is held.
func (p *Pool) take(w *member) *job {
	if !w.ready || w.gone || w.retiring || p.broken != nil {
		return nil
	}
	if len(w.inflight) > 0 && (w.page == nil || slices.ContainsFunc(p.workers, func(o *member) bool { return o != w && o.idle() })) {
		return nil // there is one who can begin at once; or blame must be clear
	}
	j := p.choose(w)
	if j == nil {
		return nil
	}
	p.lastID++
	j.id = p.lastID
	j.src.flying++
	w.sending.Store(true)
	w.inflight = append(w.inflight, j)
	if w.assigned += j.n; p.cfg.TasksPerWorker > 0 && w.assigned >= p.cfg.TasksPerWorker {
		w.retiring = true
	}
	return j
}

func (p *Pool) choose(w *member) *job {
	most := int(^uint(0) >> 1)
	if p.cfg.TasksPerWorker > 0 {
		most = p.cfg.TasksPerWorker - w.assigned
	}
	if w.page == nil {
		most = 1
	}
	for i, j := range p.retries {
		if len(w.inflight) > 0 && j.src.window() <= len(w.inflight) {
			continue
		}
		p.retries = slices.Delete(p.retries, i, i+1)
		if j.n > most {
			p.retries = append(p.retries, &job{src: j.src, lo: j.lo + most, n: j.n - most})
			j.n = most
		}
		return j
	}
	for range p.sources {
		p.turn = (p.turn + 1) % len(p.sources)
		s := p.sources[p.turn]
		if s.window() <= len(w.inflight) {
			continue
		}
		return s.next(p, most)
	}
	return nil
}

// stealLater makes steal look, in a while, whether jobs still wait in one worker while another has nothing to do. mu is held.
func (p *Pool) stealLater() {
	waiting := func(w *member) bool { return len(w.inflight) > 1 }
	if !p.stealing && slices.ContainsFunc(p.workers, waiting) {
		p.stealing = true
		time.AfterFunc(2*prefetch, p.steal)
	}
}

// steal asks workers for jobs that they have not begun.
func (p *Pool) steal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stealing = false
	if !slices.ContainsFunc(p.workers, (*member).idle) {
		return
	}
	for _, w := range p.workers {
		if len(w.inflight) < 2 {
			continue
		}
		for _, j := range w.inflight[1:] {
			if !j.revoked {
				j.revoked = true
				w.notes = append(w.notes, frame.Frame{Kind: kindRevoke, ID: j.id})
			}
		}
		w.nudge()
	}
	p.stealLater()
}

// send writes a call. If that cannot be encoded, its tasks fail.
func (p *Pool) send(w *member, j *job, e *codec.Encoder) {
	e.Reset()
	encodeCall(e, j.src.name, j.n)
	err := j.src.encode(e, j.lo, j.n)
	if err == nil {
		err = w.link.Send(frame.Frame{Kind: kindCall, ID: j.id, Body: e.Buf, Files: e.Files})
		if !errors.Is(err, frame.ErrTooLarge) {
			for _, sent := range e.Sent {
				sent()
			}
			return // a worker that is gone is found by its reader
		}
	}
	p.mu.Lock()
	ours := w.remove(j.id) != nil
	p.mu.Unlock()
	if ours { // else the worker has died meanwhile, and its jobs were dealt with
		p.refuse(j, fmt.Errorf("proc: argument of %s: %w", j.src.name, err))
	}
}

// refuse ends a job that could not be begun: in halves, until the one argument that is to blame is found.
func (p *Pool) refuse(j *job, err error) {
	if j.n > 1 {
		p.mu.Lock()
		defer p.mu.Unlock()
		j.src.flying--
		half := j.n / 2
		p.recover(j.src, j.lo, half)
		p.recover(j.src, j.lo+half, j.n-half)
		return
	}
	j.src.fail(j.lo, err)
	p.finish(j, 1)
}

// again queues tasks that were handed out before. mu is held.
func (p *Pool) again(s *source, lo, n int) {
	if n <= 0 {
		return
	}
	p.retries = append(p.retries, &job{src: s, lo: lo, n: n})
	p.rouse()
}

// remove takes a job out of flight; nil if it is not there. The pool's mu is held.
func (w *member) remove(id uint64) *job {
	for i, j := range w.inflight {
		if j.id == id {
			w.inflight = slices.Delete(w.inflight, i, i+1)
			return j
		}
	}
	return nil
}

// finish counts tasks of a job that have their results.
func (p *Pool) finish(j *job, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	j.src.flying--
	p.settle(j.src, n)
}

// settle counts tasks that have their results. mu is held.
func (p *Pool) settle(s *source, n int) {
	p.open -= n
	if s.left -= n; s.left == 0 {
		s.close()
	}
	if p.open == 0 {
		p.notify()
	}
}

// Close waits until all tasks have their results, without taking new ones, and ends the workers. It returns when they
// have ended.
func (p *Pool) Close() {
	p.mu.Lock()
	p.stop()
	p.closed = true
	p.notify()
	p.mu.Unlock()
	_ = p.wait(context.Background(), func() bool { return p.open == 0 || p.broken != nil }) // without an end there is no error
	p.mu.Lock()
	if p.broken == nil {
		p.broken = ErrClosed
	}
	members := slices.Clone(p.workers)
	for _, w := range members {
		w.retiring = true
		w.nudge()
	}
	p.mu.Unlock()
	p.hiring.Wait()
	p.bury()
}

// Kill ends the workers at once. Tasks that have no result yet get ErrClosed. It returns when the workers have ended.
func (p *Pool) Kill() {
	p.mu.Lock()
	p.stop()
	p.mu.Unlock()
	p.fail(ErrClosed)
	p.hiring.Wait()
	p.bury()
}

// fail ends all work for a reason.
func (p *Pool) fail(reason error) {
	p.mu.Lock()
	p.closed = true
	if p.broken == nil {
		p.broken = reason
	}
	sources := p.all()
	members := slices.Clone(p.workers)
	p.notify()
	p.mu.Unlock()
	for _, s := range sources {
		s.abandon(reason)
	}
	for _, w := range members {
		w.Kill()
	}
}

// bury waits for the end of all workers.
func (p *Pool) bury() {
	p.mu.Lock()
	members := slices.Clone(p.workers)
	broken := p.broken
	p.mu.Unlock()
	for _, w := range members {
		if !errors.Is(broken, ErrClosed) {
			w.Kill()
		}
		<-w.done
	}
	_ = p.wait(context.Background(), func() bool { return len(p.workers) == 0 }) // without an end there is no error
}

// all returns every source that has tasks without results. mu is held.
func (p *Pool) all() []*source {
	sources := slices.Clone(p.sources)
	add := func(s *source) {
		if !slices.Contains(sources, s) {
			sources = append(sources, s)
		}
	}
	for _, j := range p.retries {
		add(j.src)
	}
	for _, w := range p.workers {
		for _, j := range w.inflight {
			add(j.src)
		}
	}
	return sources
}

// Workers returns the processes that are ready for tasks at this moment.
func (p *Pool) Workers() []*Child {
	p.mu.Lock()
	defer p.mu.Unlock()
	var cs []*Child
	for _, w := range p.workers {
		if w.ready && !w.gone {
			cs = append(cs, w.Child)
		}
	}
	return cs
}
