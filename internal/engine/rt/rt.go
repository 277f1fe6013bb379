// Package rt is what running kernels ask of the world outside memory: printf, the device heap, timers, textures and surfaces.
//
// A Runtime belongs to one device. All methods may be called from any goroutine.
package rt

import (
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/internal/mem"
)

// Config configures a Runtime. Memory is required; zero elsewhere is the default.
type Config struct {
	// Memory is the device's memory, in which the heap lies.
	Memory *mem.Space
	// HeapBytes is the limit of the device heap: 8 MiB if zero (CUDA C++ Programming Guide, Dynamic Global Memory
	// Allocation).
	HeapBytes uint64
	// PrintfBytes is how much text is kept between flushes: 1 MiB if zero (CUDA C++ Programming Guide, Formatted Output).
	PrintfBytes int
}

// Runtime is the state behind one device's kernels.
type Runtime struct {
	output output
	heap   heap
	start  time.Time
	clock  atomic.Uint64
	timer  atomic.Uint64

	objects objects
}

// New makes a Runtime.
func New(c Config) *Runtime {
	r := &Runtime{start: time.Now()}
	r.output.limit = c.PrintfBytes
	if r.output.limit == 0 {
		r.output.limit = 1 << 20
	}
	r.heap.memory, r.heap.limit = c.Memory, c.HeapBytes
	if r.heap.limit == 0 {
		r.heap.limit = 8 << 20
	}
	return r
}

// Clock is a counter of about one tick a nanosecond (%clock64). No two calls return the same.
func (r *Runtime) Clock() uint64 { return advance(&r.clock, uint64(time.Since(r.start))) }

// Globaltimer is the time in nanoseconds since 1970 (%globaltimer), by the monotonic clock. No two calls return the same.
func (r *Runtime) Globaltimer() uint64 {
	return advance(&r.timer, uint64(r.start.UnixNano())+uint64(time.Since(r.start)))
}

// advance returns now, or one more than the last answer if that is greater, so that a loop that waits for the time to
// change ends even where the clock is coarse.
func advance(last *atomic.Uint64, now uint64) uint64 {
	for {
		l := last.Load()
		next := max(now, l+1)
		if last.CompareAndSwap(l, next) {
			return next
		}
	}
}
