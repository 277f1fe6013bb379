package hostdev

import (
	"context"
	"errors"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/sanitize"
	"github.com/tandem-go/tandem/internal/workers"
)

const (
	// firstSlice is what a block may run before anybody looks at the time, in warp instructions. Most blocks end within it and
	// are never timed. Engines need between 0.3 ns and 1 µs for a warp instruction.
	firstSlice = 4096
	// watchedSlices is how often a block that is watched goes on before others begin: what a sanitizer keeps of each
	// block that has begun and not ended costs more than a turn that comes late.
	watchedSlices = 4
	// Slices of a block that goes on are made longer while they take less than shortSlice and shorter if they take more
	// than longSlice: cancellation is looked at between slices and has to act within 50 ms, and a block that spins until
	// another one has done something should not spin for long.
	shortSlice = 100 * time.Microsecond
	longSlice  = 2 * time.Millisecond
	leastSlice = 64
	mostSlice  = 1 << 20
	// heldPerWorker is how many blocks that were interrupted are kept resident for each worker: as many as
	// a multiprocessor of compute capability 7.5 holds.
	heldPerWorker = 16
	// mostClaimed is how many consecutive blocks a worker takes at once at most. Blocks may be as short as 100 ns, about what
	// it costs to move the counter's cache line to another core; and blocks that follow one another touch memory that does,
	// which caches and prefetchers like to see go to one core.
	mostClaimed = 512
	// claimShare is the part of what is left that a worker takes at most, so that all end at about the same time.
	claimShare = 4
	// brief is how long the blocks of a launch may take one processor, judging by the launch before, for the goroutine that
	// waits to run all of them: to wake another thread takes about as long. Where that turns out to be wrong, others join
	// after twice the time.
	brief = 8 * time.Microsecond
)

// grid runs the blocks of one launch.
//
// Blocks begin in the order of their index, or nearly so: a worker claims a few that follow one another, unless blocks are
// held, since those may wait for the next ones. It takes a new block, runs it for a slice, and is usually done with it.
// A block that is not done is held: it goes to the end of a queue, from which workers take turns, and keeps its window.
// While there is room for held blocks, new ones begin first, so that blocks that wait for later blocks are served too;
// the blocks of a cooperative launch are all resident. Blocks at the grid barrier are parked until all have come.
type grid struct {
	d      *device
	fn     *function
	ticket driver.Ticket

	compiled compiled
	launch   engine.Launch
	params   []byte // room for launch.Params
	first    uint64
	count    uint64
	width    int   // workers
	room     int64 // blocks that may be held
	order    order
	layout   layout // of windows
	checks   driver.Checks
	barrier  bool // blocks may wait for each other at the grid barrier
	alone    bool // one worker begins by itself; set between calls of workers.Range only

	sanitizer *sanitize.Launch // nil: nobody watches
	stop      atomic.Bool
	cancelled bool // by Cancel; device.mu

	next     atomic.Uint64 // blocks claimed
	held     atomic.Int64  // blocks begun and not ended, but for the running ones
	returned atomic.Int64  // len(back)

	mu       sync.Mutex
	changed  sync.Cond // there are blocks to run again, or nothing will come
	reserved []window  // by Launch: one, or all that a cooperative launch needs
	queue    fifo
	back     []stretch // claimed by workers that then had no window for them
	parked   []*resident
	ended    uint64 // blocks; counted if barrier
	busy     int    // workers that are not waiting for a change
	fault    *engine.Fault
	broken   error // a failure of the device itself

	body  func(worker, lo, hi int) error // g.work, made once
	spare *grid
}

var errDeadlock = errors.New("the grid barrier waits for blocks that cannot begin: not a cooperative launch")

// resident is a block that was interrupted.
type resident struct {
	block  engine.Block
	window window
	slice  int
	next   *resident
}

// stretch is blocks that a worker has claimed and not begun: from next up to end. ran is how many it has begun.
type stretch struct{ next, end, ran uint64 }

// fifo is a queue of residents.
type fifo struct{ first, last *resident }

func (q *fifo) push(r *resident) {
	r.next = nil
	if q.last == nil {
		q.first = r
	} else {
		q.last.next = r
	}
	q.last = r
}

func (q *fifo) pop() *resident {
	r := q.first
	if r != nil {
		if q.first = r.next; q.first == nil {
			q.last = nil
		}
		r.next = nil
	}
	return r
}

// run runs all blocks and returns when none is left or the grid was stopped.
func (g *grid) run() {
	var err error
	took := g.fn.blockTime.Load()
	g.alone = g.width > 1 && !g.barrier && g.order == (order{}) && took > 0 && uint64(took) <= uint64(brief)/g.count
	if g.alone {
		err = workers.Range(1, 1, 1, g.body)
		g.alone = false
	}
	if err == nil && !g.stop.Load() && (g.left() || g.queue.first != nil) {
		err = workers.Range(g.width, g.width, 1, g.body)
	}
	if err == nil && !g.stop.Load() && g.left() {
		err = errors.New("blocks were left over") // cannot be: a grid with new blocks has a worker with a window
	}
	if err != nil {
		g.broken = err
	}
	g.closeAll()
}

// left tells that there are blocks to begin. No worker is in the grid.
func (g *grid) left() bool { return g.next.Load() < g.count || len(g.back) > 0 }

// closeAll ends the blocks that a stop left over and gives windows back. No worker is in the grid.
func (g *grid) closeAll() {
	for r := g.queue.pop(); r != nil; r = g.queue.pop() {
		g.parked = append(g.parked, r)
	}
	for _, r := range g.parked {
		r.block.Close()
		g.d.windows.give(r.window)
	}
	for _, w := range g.reserved {
		g.d.windows.give(w)
	}
	clear(g.parked)
	g.parked, g.reserved, g.back = g.parked[:0], g.reserved[:0], g.back[:0]
	g.returned.Store(0)
}

// halt makes the workers leave soon. It may be called from any goroutine.
func (g *grid) halt() {
	g.stop.Store(true)
	g.mu.Lock()
	g.changed.Broadcast()
	g.mu.Unlock()
}

// work is one worker's part: it begins new blocks and goes on with held ones until nothing is left for it.
func (g *grid) work(worker, _, _ int) error {
	var own window
	var mine stretch
	pprof.SetGoroutineLabels(g.fn.labels)
	defer pprof.SetGoroutineLabels(context.Background())
	if trace.IsEnabled() {
		defer trace.StartRegion(g.fn.labels, "kernel "+g.fn.name).End()
	}
	defer func() { g.leave(own) }()
	g.mu.Lock()
	g.busy++
	g.mu.Unlock()
	begun := time.Now()
	if worker == 0 {
		defer func() { g.learn(time.Since(begun), mine.ran) }()
	}
	for !g.stop.Load() {
		if g.alone && mine.ran > 0 && time.Since(begun) > 2*brief {
			g.giveBack(&mine)
			break
		}
		if g.begin(worker, &own, &mine) {
			continue
		}
		r := g.take()
		if r == nil {
			break
		}
		g.resume(r, &own)
	}
	return nil
}

// learn notes what a block takes, for the next launch of the kernel.
func (g *grid) learn(took time.Duration, blocks uint64) {
	if blocks > 0 {
		g.fn.blockTime.Store(int64(took)/int64(blocks) + 1)
	}
}

func (g *grid) leave(own window) {
	g.d.windows.give(own)
	g.mu.Lock()
	g.busy--
	g.settle()
	g.mu.Unlock()
}

// acquire returns a window for a new block, or none.
func (g *grid) acquire() window {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := len(g.reserved); n > 0 {
		w := g.reserved[n-1]
		g.reserved = g.reserved[:n-1]
		return w
	}
	w, _ := g.d.windows.reserve(g.layout) // without memory for more, blocks run one after the other
	return w
}

// claim gives a worker new blocks to begin; none if there are none, or no room for one that is held.
func (g *grid) claim() stretch {
	if g.returned.Load() > 0 {
		g.mu.Lock()
		defer g.mu.Unlock()
		if n := len(g.back); n > 0 {
			s := g.back[n-1]
			g.back = g.back[:n-1]
			g.returned.Add(-1)
			return s
		}
	}
	held, next := g.held.Load(), g.next.Load()
	if next >= g.count || held >= g.room {
		return stretch{}
	}
	n := uint64(1)
	switch {
	case g.alone:
		n = g.count - next
	case held == 0 && !g.barrier:
		n = max(1, min(mostClaimed, (g.count-next)/uint64(claimShare*g.width)))
	}
	end := g.next.Add(n)
	return stretch{next: min(end-n, g.count), end: min(end, g.count)}
}

// successive tells that a block of an engine may go on with those that follow: blocks run in order, and a new one finds
// nothing but zeroes in shared memory.
func (g *grid) successive() bool {
	return !g.barrier && g.order == order{} && !g.d.windows.poison && g.compiled.program.LocalBytes() == 0
}

// giveBack leaves claimed blocks to a worker that has a window.
func (g *grid) giveBack(s *stretch) {
	if s.next == s.end {
		return
	}
	g.mu.Lock()
	g.back = append(g.back, *s)
	g.returned.Add(1)
	g.mu.Unlock()
	s.next = s.end
}

// begin runs the next new block for its first slice. It reports false if there is none, or no room or window for one.
func (g *grid) begin(worker int, own *window, mine *stretch) bool {
	if mine.next == mine.end && g.returned.Load() == 0 && (g.next.Load() >= g.count || g.held.Load() >= g.room) {
		return false
	}
	if !own.valid() {
		*own = g.acquire()
		if !own.valid() {
			g.giveBack(mine)
			return false
		}
	}
	if mine.next == mine.end {
		ran := mine.ran
		*mine = g.claim()
		if mine.ran = ran; mine.next == mine.end {
			return false
		}
	}
	i := mine.next
	mine.next++
	g.d.windows.prepare(*own)
	b := g.compiled.program.Block(&g.launch, g.first+g.order.index(i, g.count), own.engine(g.layout, worker))
	sequence, more := b.(engine.Sequence)
	if more = more && mine.next < mine.end && g.successive(); more {
		sequence.Extend(mine.end - mine.next)
		mine.next = mine.end
	}
	state, fault := b.Run(g.order.slice(i, firstSlice))
	if state == engine.Yielded && fault == nil {
		state, fault = g.goOn(b, i)
	}
	if more {
		mine.next -= sequence.Rest()
	}
	mine.ran += mine.next - i
	switch {
	case fault != nil:
		b.Close()
		g.fail(fault)
	case state == engine.Done:
		b.Close()
		g.end()
	default:
		g.held.Add(1)
		g.hold(&resident{block: b, window: *own, slice: firstSlice}, state)
		*own = window{}
	}
	return true
}

// goOn runs a new block that is not done until its first turn is over: to hold a block, and to go on with it, costs more than
// most have left.
func (g *grid) goOn(b engine.Block, i uint64) (engine.State, *engine.Fault) {
	begun := time.Now()
	for n := 1; !g.stop.Load(); n++ {
		if g.sanitizer != nil && n == watchedSlices || g.sanitizer == nil && (g.order != order{} || time.Since(begun) > shortSlice) {
			break
		}
		if state, fault := b.Run(g.order.slice(i, firstSlice)); state != engine.Yielded || fault != nil {
			return state, fault
		}
	}
	return engine.Yielded, nil
}

// resume runs a held block for another slice. When the block is over, its window goes to the worker if that has none.
func (g *grid) resume(r *resident, own *window) {
	begun := time.Now()
	state, fault := r.block.Run(r.slice)
	switch took := time.Since(begun); {
	case took < shortSlice:
		r.slice = min(2*r.slice, mostSlice)
	case took > longSlice:
		r.slice = max(r.slice/2, leastSlice)
	}
	if fault == nil && state != engine.Done {
		g.hold(r, state)
		return
	}
	r.block.Close()
	if own.valid() {
		g.d.windows.give(r.window)
	} else {
		*own = r.window
	}
	g.held.Add(-1)
	if fault != nil {
		g.fail(fault)
		return
	}
	g.end()
}

// hold queues a block that is not done, or parks it at the grid barrier.
func (g *grid) hold(r *resident, state engine.State) {
	g.mu.Lock()
	if state == engine.AtGridBarrier {
		g.parked = append(g.parked, r)
		g.settle()
	} else {
		g.queue.push(r)
		if g.barrier {
			g.changed.Signal()
		}
	}
	g.mu.Unlock()
	runtime.Gosched() // a block that waits for other work must not keep that work from the processor
}

// end counts a block that is done.
func (g *grid) end() {
	if !g.barrier {
		return
	}
	g.mu.Lock()
	if g.ended++; g.ended == g.count {
		g.changed.Broadcast()
	}
	g.settle()
	g.mu.Unlock()
}

// take returns a held block to go on with, nil if this worker is not needed any more.
func (g *grid) take() *resident {
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		if r := g.queue.pop(); r != nil {
			return r
		}
		// Without a barrier, a block that is not done is in the hands of a worker, who goes on with it. With one, all
		// workers are needed again when it opens.
		if !g.barrier || g.stop.Load() || g.ended == g.count {
			return nil
		}
		g.busy--
		g.settle()
		if g.queue.first == nil && !g.stop.Load() {
			g.changed.Wait()
		}
		g.busy++
	}
}

// settle opens the grid barrier if all blocks that have not ended have come to it, and stops a grid that cannot go on.
// The caller holds g.mu.
func (g *grid) settle() {
	switch {
	case len(g.parked) == 0:
	case uint64(len(g.parked))+g.ended == g.count:
		for _, r := range g.parked {
			g.queue.push(r)
		}
		clear(g.parked)
		g.parked = g.parked[:0]
		g.changed.Broadcast()
	case g.busy == 0 && g.queue.first == nil && !g.stop.Load():
		g.broken = errDeadlock
		g.stop.Store(true)
		g.changed.Broadcast()
	}
}

// fail stops the grid. The first fault counts.
func (g *grid) fail(f *engine.Fault) {
	g.mu.Lock()
	if g.fault == nil {
		g.fault = f
	}
	g.stop.Store(true)
	g.changed.Broadcast()
	g.mu.Unlock()
}
