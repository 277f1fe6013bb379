package cuda

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/tandem-go/tandem/internal/driver"
)

// Usage is what a device's objects hold at a moment.
type Usage struct {
	// Allocations and Bytes count device and page-locked memory that was allocated through this Device and not freed.
	Allocations int
	Bytes       int64
	// Dropped counts the objects that the garbage collector found because nobody closed them.
	Dropped int
}

// Allocation is one live allocation of a device.
type Allocation struct {
	// Bytes is its size.
	Bytes int64
	// Site is where it was made: "function file:line", one frame a line, outermost last.
	Site string
}

// allocation is a traced allocation with its unresolved site.
type allocation struct {
	bytes int64
	pcs   []uintptr
}

// Usage returns what the device's objects hold. It first lets everything that was dropped be found and freed, so it
// costs a garbage collection, and waits for work that dropped objects may be used by, but no longer than two seconds.
func (d *Device) Usage() Usage {
	d.c.reclaim()
	return Usage{int(d.c.count.Load()), d.c.bytes.Load(), int(d.c.dropped.Load())}
}

// TraceAllocations makes the device remember where each later allocation was made, or stops that and forgets.
func (d *Device) TraceAllocations(on bool) {
	d.c.mu.Lock()
	defer d.c.mu.Unlock()
	switch {
	case !on:
		d.c.live = nil
	case d.c.live == nil:
		d.c.live = map[uint64]*allocation{}
	}
}

// Leaks lists the traced allocations that are still live after everything dropped was freed, largest first: what the
// program holds on to. On a device with memcheck, what kernels allocated with malloc and did not free is among them, and
// the site is the place in the kernel. It costs what Usage costs.
func (d *Device) Leaks() []Allocation {
	d.c.reclaim()
	d.c.mu.Lock()
	var out []Allocation
	for _, a := range d.c.live {
		out = append(out, Allocation{a.bytes, a.site()})
	}
	d.c.mu.Unlock()
	if checker, ok := d.c.drv.(driver.Checker); ok && !d.c.closed.Load() {
		for _, r := range checker.HeapLeaks() {
			site := fmt.Sprintf("malloc in %s: %s", r.Kernel, d.c.place(r.Kernel, r.ReportPlace))
			out = append(out, Allocation{int64(r.Size), site})
		}
	}
	slices.SortFunc(out, func(a, b Allocation) int {
		if a.Bytes != b.Bytes {
			return int(min(max(b.Bytes-a.Bytes, -1), 1))
		}
		return strings.Compare(a.Site, b.Site)
	})
	return out
}

// site resolves the frames outside this package.
func (a *allocation) site() string {
	var b strings.Builder
	frames := runtime.CallersFrames(a.pcs)
	for {
		f, more := frames.Next()
		// Names of instances end in "[...]", so generic functions of this package are recognised as well.
		if f.Function != "" && !strings.HasPrefix(f.Function, "github.com/tandem-go/tandem/cuda.") &&
			!strings.HasPrefix(f.Function, "runtime.") && !strings.HasPrefix(f.Function, "testing.") {
			fmt.Fprintf(&b, "%s %s:%d\n", f.Function, f.File, f.Line)
		}
		if !more {
			return strings.TrimSuffix(b.String(), "\n")
		}
	}
}

// remember counts an allocation and, if asked to, its site. It sets the note's id.
func (c *core) remember(n *note) {
	c.count.Add(1)
	c.bytes.Add(n.bytes)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.live == nil {
		return
	}
	pcs := make([]uintptr, 24)
	n.id = c.nextID.Add(1)
	c.live[n.id] = &allocation{n.bytes, pcs[:runtime.Callers(3, pcs)]}
}

// forget undoes remember.
func (c *core) forget(n note) {
	c.count.Add(-1)
	c.bytes.Add(-n.bytes)
	if n.id == 0 {
		return
	}
	c.mu.Lock()
	delete(c.live, n.id)
	c.mu.Unlock()
}
