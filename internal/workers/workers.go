// Package workers is the one worker pool of the process: goroutines that stay, so that a loop over blocks or elements
// starts in about a microsecond and allocates nothing.
//
// The caller of Do or Range is always one of the workers of its own call. Two things follow. A call makes progress
// even when every other worker is busy, so calls may be nested to any depth without a deadlock. And a call of which
// the caller has finished all items returns without waiting for workers that were invited but have not begun.
//
// Workers are started as calls ask for them and stop when they were not needed for about IdleTime. They live outside
// of any testing/synctest bubble; code that must be testable in a bubble starts its own goroutines.
package workers

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// IdleTime is how long a worker may stay unused before it stops. It stops between one and two IdleTimes.
const IdleTime = 5 * time.Second

// chunksPerWorker bounds the imbalance of Do: the last chunk of a worker is at most 1/16 of its share.
const chunksPerWorker = 16

// Do calls fn(worker, i) once for each i in [0, n), on up to width goroutines, of which the caller is one, and returns
// when all calls have returned. A width below 1 counts as 1.
//
// worker is in [0, width) and names the goroutine during this call: two calls of fn with the same worker never
// overlap, so it may index scratch memory. The caller is worker 0. Items are handed out in ascending order, in chunks
// of about n/(16*width); each chunk is run in ascending order by one worker. While unclaimed items and unused workers
// remain, another worker is on its way, so items that wait for each other make progress if they lie in different
// chunks (see Range for chunks of 1) and are not more than width.
//
// The first error ends its own chunk and stops the handing out; chunks that other workers have begun are finished. Do
// returns that error. A panic in fn is such an error, a *PanicError with the stack of the
// panicking goroutine; runtime.Goexit in fn counts as ErrGoexit, and when it was called on the caller's goroutine that
// goroutine still exits, after the others have left fn.
//
// All writes of fn happen before Do returns.
func Do(n, width int, fn func(worker, i int) error) error {
	chunk := n / (max(width, 1) * chunksPerWorker)
	return shared.run(n, width, chunk, fn, nil)
}

// Range is Do with the size of the chunks given: it calls fn(worker, lo, hi) for consecutive half-open ranges that
// cover [0, n); each but the last has chunk items. A chunk below 1 counts as 1.
func Range(n, width, chunk int, fn func(worker, lo, hi int) error) error {
	return shared.run(n, width, chunk, nil, fn)
}

// StopIdle stops the workers that are idle at this moment and returns when their goroutines are about to end. A worker
// whose call of Do has returned is idle. Tests that look for leaked goroutines call StopIdle last; programs need not.
func StopIdle() { shared.stopIdle() }

// Running returns how many worker goroutines exist, busy or idle. Callers of Do are not counted.
func Running() int {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	return shared.total
}

var shared pool

// pool holds the persistent goroutines and the calls in progress. The zero value is ready.
//
// Invariant, whenever mu is free: if open > 0 then waking > 0. So a call with unclaimed items and unused workers always
// has a worker on its way, while nobody pays for more than two wake-ups in a row: the invited invite the next.
type pool struct {
	mu      sync.Mutex
	jobs    list    // calls that a worker may still join, in order of arrival
	spare   *job    // finished jobs, linked by next
	idle    *worker // stack of parked workers, most recently used on top
	nidle   int
	minIdle int // least nidle since the last trim: so many were never needed
	total   int // goroutines
	waking  int // invited workers that have not looked at jobs yet
	open    int // sum of job.open over jobs
	trimmer *time.Timer
	settled []chan struct{} // closed when waking becomes 0
}

// worker is one persistent goroutine.
type worker struct {
	wake chan bool     // true: look at the jobs; false: stop. Holds at most one token: a worker leaves idle once for each
	gone chan struct{} // closed at the end
	next *worker       // in pool.idle
}

// list is a doubly linked list of jobs.
type list struct{ first, last *job }

// job is one call of Do or Range. It is reused; all fields but cursor and failure belong to pool.mu or are constant
// during the call.
type job struct {
	next, prev *job
	n          int64
	chunk      int64
	item       func(worker, i int) error
	span       func(worker, lo, hi int) error
	open       int           // workers that may still join
	joined     int           // workers that have joined ever, the caller included; the next worker's number
	active     int           // workers inside, without the caller
	closed     bool          // the caller waits for active to become 0
	done       chan struct{} // room for one

	_       [64]byte // cursor has a cache line of its own: all workers write it
	cursor  atomic.Int64
	_       [64]byte
	failure atomic.Pointer[failure]
}

// failure boxes the first error.
type failure struct{ err error }

func (p *pool) run(n, width, chunk int, item func(worker, i int) error, span func(worker, lo, hi int) error) error {
	if n <= 0 {
		return nil
	}
	chunk = min(max(chunk, 1), n)
	chunks := (n-1)/chunk + 1
	j, first, second := p.post(n, min(width, chunks)-1, chunk, item, span)
	first.rouse()
	second.rouse()
	// Deferred: also when fn ends the caller's goroutine, nobody may be left inside the job.
	normal := false
	defer func() {
		if !normal {
			p.finish(j)
		}
	}()
	j.work(0)
	normal = true
	return p.finish(j)
}

// post enters a job and returns up to two workers to wake, after mu was unlocked.
func (p *pool) post(n, helpers, chunk int, item func(worker, i int) error, span func(worker, lo, hi int) error) (j *job, first, second *worker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if j = p.spare; j != nil {
		p.spare = j.next
		j.next = nil
	} else {
		j = &job{done: make(chan struct{}, 1)}
	}
	j.n, j.chunk, j.item, j.span = int64(n), int64(chunk), item, span
	j.joined, j.active, j.closed = 1, 0, false
	j.cursor.Store(0)
	j.failure.Store(nil)
	if j.open = max(helpers, 0); j.open == 0 {
		return j, nil, nil
	}
	p.jobs.push(j)
	p.open += j.open
	first, second = p.invite()
	return j, first, second
}

// finish takes a job out of the list, waits until no worker is inside, and returns its error.
func (p *pool) finish(j *job) error {
	p.mu.Lock()
	p.retire(j)
	if j.active > 0 {
		j.closed = true
		p.mu.Unlock()
		await(j.done)
		p.mu.Lock()
	}
	var err error
	if f := j.failure.Load(); f != nil {
		err = f.err
		j.failure.Store(nil)
	}
	j.item, j.span = nil, nil
	j.next = p.spare
	p.spare = j
	p.mu.Unlock()
	return err
}

// retire makes a job one that nobody can join. The caller holds mu.
func (p *pool) retire(j *job) {
	if j.open > 0 {
		p.open -= j.open
		j.open = 0
		p.jobs.remove(j)
	}
}

// invite takes up to two idle or new workers, while more can join than are on their way. The caller holds mu and calls
// rouse on the results after unlocking.
func (p *pool) invite() (first, second *worker) {
	if p.waking < p.open {
		first = p.take()
	}
	if p.waking < p.open {
		second = p.take()
	}
	return first, second
}

func (p *pool) take() *worker {
	p.waking++
	w := p.idle
	if w == nil {
		w = &worker{wake: make(chan bool, 1), gone: make(chan struct{})}
		p.total++
		go p.loop(w)
		return w
	}
	p.idle = w.next
	p.nidle--
	p.minIdle = min(p.minIdle, p.nidle)
	w.next = nil
	return w
}

func (w *worker) rouse() {
	if w != nil {
		w.wake <- true
	}
}

// loop is the life of a worker, from being invited to the end of its goroutine.
func (p *pool) loop(w *worker) {
	ended := false
	defer func() {
		if !ended { // runtime.Goexit in a job ends this goroutine, not this worker: help has counted it as invited
			w.wake <- true
			go p.loop(w)
		}
	}()
	for await(w.wake) {
		p.arrive()
		p.serve(w)
	}
	ended = true
	close(w.gone)
}

// looks is how often await looks before it sleeps: for about 10 µs, several times what it takes to wake a thread.
const looks = 4000

// await receives from c. It looks for a while before it sleeps, so that calls that follow one another closely, and the end
// of a call whose workers end at about the same time, need no thread to be woken.
func await[T any](c <-chan T) T {
	n := looks
	if runtime.GOMAXPROCS(0) == 1 {
		n = 0 // nobody could send meanwhile
	}
	for range n {
		select {
		case v := <-c:
			return v
		default:
		}
	}
	return <-c
}

// arrive locks mu and counts an invited worker as arrived.
func (p *pool) arrive() {
	p.mu.Lock()
	if p.waking--; p.waking == 0 {
		for _, c := range p.settled {
			close(c)
		}
		p.settled = nil
	}
}

// serve joins jobs while there are any and then parks the worker. It is entered with mu locked and left with mu free.
func (p *pool) serve(w *worker) {
	for j := p.joinable(); j != nil; j = p.joinable() {
		number := j.joined
		j.joined++
		j.active++
		p.open--
		if j.open--; j.open == 0 {
			p.jobs.remove(j)
		}
		first, second := p.invite()
		p.mu.Unlock()
		first.rouse()
		second.rouse()
		p.help(j, number)
	}
	p.park(w)
	p.mu.Unlock()
}

// help works on a job and returns, or exits, having left the job. It is entered with mu free and, when it returns, left
// with mu locked, so that a worker parks, or joins another job, before the call it helped can return.
func (p *pool) help(j *job, number int) {
	returned := false
	defer func() {
		p.mu.Lock()
		if j.active--; j.active == 0 && j.closed {
			j.done <- struct{}{}
		}
		if !returned {
			p.waking++ // see loop
			p.mu.Unlock()
		}
	}()
	j.work(number)
	returned = true
}

// joinable returns the oldest job with unclaimed items and room, and forgets those without items. The caller holds mu.
func (p *pool) joinable() *job {
	for j := p.jobs.first; j != nil; j = p.jobs.first {
		if j.cursor.Load() < j.n {
			return j
		}
		p.retire(j)
	}
	return nil
}

// park puts a worker on the idle stack. The caller holds mu.
func (p *pool) park(w *worker) {
	w.next = p.idle
	p.idle = w
	p.nidle++
	if p.trimmer == nil {
		p.minIdle = 0
		p.trimmer = time.AfterFunc(IdleTime, p.trim)
	}
}

// trim stops the workers that nobody needed during the last IdleTime.
func (p *pool) trim() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop(p.minIdle)
	p.minIdle = p.nidle
	if p.total == 0 || p.trimmer == nil { // nil: stopIdle came between
		p.trimmer = nil
		return
	}
	p.trimmer.Reset(IdleTime)
}

// stop tells n idle workers to end and returns them, linked by next. The caller holds mu.
func (p *pool) stop(n int) (stopped *worker) {
	for ; n > 0 && p.idle != nil; n-- {
		w := p.idle
		p.idle = w.next
		p.nidle--
		p.total--
		w.next = stopped
		stopped = w
		w.wake <- false
	}
	p.minIdle = min(p.minIdle, p.nidle)
	return stopped
}

func (p *pool) stopIdle() {
	p.mu.Lock()
	for p.waking > 0 {
		c := make(chan struct{})
		p.settled = append(p.settled, c)
		p.mu.Unlock()
		<-c
		p.mu.Lock()
	}
	stopped := p.stop(p.nidle)
	if p.total == 0 && p.trimmer != nil {
		p.trimmer.Stop()
		p.trimmer = nil
	}
	p.mu.Unlock()
	for ; stopped != nil; stopped = stopped.next {
		<-stopped.gone
	}
}

func (l *list) push(j *job) {
	j.prev, j.next = l.last, nil
	if l.last == nil {
		l.first = j
	} else {
		l.last.next = j
	}
	l.last = j
}

func (l *list) remove(j *job) {
	if j.prev == nil {
		l.first = j.next
	} else {
		j.prev.next = j.next
	}
	if j.next == nil {
		l.last = j.prev
	} else {
		j.next.prev = j.prev
	}
	j.prev, j.next = nil, nil
}
