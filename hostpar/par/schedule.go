package par

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
)

// Schedule says how the items of a loop are handed to workers. Names and meanings follow OpenMP's schedule clause.
type Schedule uint8

const (
	// Adaptive measures how long chunks take and lets them grow until one takes about a millisecond, without ever
	// claiming more than 1/(2*workers) of what is left. It is right unless there is a reason for another one.
	Adaptive Schedule = iota
	// Dynamic claims Config.Chunk items at a time; by default one.
	Dynamic
	// Guided claims 1/(2*workers) of the remaining items, at least Config.Chunk.
	Guided
	// Static divides before the start: worker w gets chunk w, w+workers, and so on. Without Config.Chunk there is one
	// chunk for each worker, and sizes differ by at most one.
	Static
)

// String returns the name in lower case.
func (s Schedule) String() string {
	if names := [...]string{"adaptive", "dynamic", "guided", "static"}; int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("schedule(%d)", uint8(s))
}

// Config says how a loop is spread. The zero value is good for most.
type Config struct {
	// Workers is how many goroutines run the items; below 1 it is runtime.GOMAXPROCS(0). It may be larger than the
	// number of cores where items wait.
	Workers int
	// Chunk is how many neighbouring items one goroutine claims at a time; see Schedule. Below 1 it is chosen; for
	// Adaptive a given Chunk means Dynamic. Items that wait for each other need Chunk 1 and as many Workers as wait.
	Chunk int
	// Schedule is how chunks are claimed.
	Schedule Schedule
}

const (
	chunkTarget = time.Millisecond // what Adaptive aims at: 5 to 10 thousand times the cost of claiming
	chunkGrowth = 8                // Adaptive's largest step
)

// workers returns how many goroutines to start for n items.
func (c Config) workers(n int) int {
	w := c.Workers
	if w < 1 {
		w = runtime.GOMAXPROCS(0)
	}
	if c.Chunk > 1 {
		return min(w, (n-1)/c.Chunk+1)
	}
	return min(w, n)
}

// claims hands out the chunks of one loop.
type claims struct {
	n, workers int64
	chunk      int64 // as configured, at least 1; 0 for Static without one
	schedule   Schedule
	_          [64]byte // all workers write next: a cache line of its own
	next       atomic.Int64
	_          [64]byte
}

func newClaims(n, workers int, c Config) *claims {
	s := c.Schedule
	if s == Adaptive && c.Chunk >= 1 {
		s = Dynamic
	}
	chunk := min(max(c.Chunk, 1), n)
	if s == Static && c.Chunk < 1 {
		chunk = 0
	}
	return &claims{n: int64(n), workers: int64(workers), chunk: int64(chunk), schedule: s}
}

// claimer is one worker's view of the claims.
type claimer struct {
	*claims
	worker int64
	turn   int64 // Static: chunks taken; Adaptive: the size wanted
	began  time.Time
}

// take returns the worker's next items [lo, hi), or an empty range at the end.
func (c *claimer) take() (lo, hi int64) {
	switch c.schedule {
	case Static:
		return c.takeStatic()
	case Guided:
		return c.takeShare(c.n)
	case Adaptive:
		now := time.Now()
		c.turn = grown(c.turn, now.Sub(c.began))
		c.began = now
		return c.takeShare(c.turn)
	default:
		hi = c.next.Add(c.chunk)
		lo = min(hi-c.chunk, c.n)
		return lo, min(hi, c.n)
	}
}

// grown returns the size of the chunk after one of the given size that took d; 0 is the size before the first.
func grown(size int64, d time.Duration) int64 {
	switch {
	case size == 0:
		return 1
	case d < chunkTarget/chunkGrowth:
		return size * chunkGrowth
	default:
		return max(1, int64(float64(size)*float64(chunkTarget)/float64(d)))
	}
}

// takeShare claims want items, but no more than each worker's half share of the rest and no less than the chunk.
func (c *claimer) takeShare(want int64) (lo, hi int64) {
	for {
		lo = c.next.Load()
		if lo >= c.n {
			return c.n, c.n
		}
		rest := c.n - lo
		size := min(rest, max(c.chunk, min(want, rest/(2*c.workers))))
		if c.next.CompareAndSwap(lo, lo+size) {
			if c.schedule == Adaptive {
				c.turn = size // what was measured next
			}
			return lo, lo + size
		}
	}
}

func (c *claimer) takeStatic() (lo, hi int64) {
	turn := c.turn
	c.turn++
	if c.chunk == 0 {
		if turn > 0 {
			return c.n, c.n
		}
		return share(c.n, c.workers, c.worker)
	}
	lo = min((turn*c.workers+c.worker)*c.chunk, c.n)
	return lo, min(lo+c.chunk, c.n)
}

// share returns the i-th of parts ranges that cover [0, n) in order; sizes differ by at most one, larger ones first.
func share(n, parts, i int64) (lo, hi int64) {
	size, larger := n/parts, n%parts
	lo = i*size + min(i, larger)
	hi = lo + size
	if i < larger {
		hi++
	}
	return lo, hi
}
