package cuda

import (
	"fmt"
	"strings"
	"sync"

	"github.com/tandem-go/tandem/internal/driver"
)

// ringSize is how many launches are remembered for the message of a fault. A fault is reported by the next wait, so what
// lies further back than the work that one wait waits for is not needed; this is room for a burst.
const ringSize = 64

// ring remembers the last launches: which kernel, and which parameter points where. It holds addresses, not memory.
type ring struct {
	mu      sync.Mutex
	next    int                // guarded by mu
	entries [ringSize]launched // guarded by mu
}

// launched is one launch.
type launched struct {
	kernel *kernel // nil: free
	uses   []use
}

// note adds a launch. It reuses the memory of the oldest one.
func (r *ring) note(k *kernel, uses []use) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := &r.entries[r.next]
	r.next = (r.next + 1) % ringSize
	e.kernel = k
	e.uses = append(e.uses[:0], uses...)
}

// forget empties the ring, after a reset.
func (r *ring) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.entries[:])
}

// kernel returns the last launched kernel with the symbol, nil if none is remembered.
func (r *ring) kernel(symbol string) *kernel {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range ringSize {
		e := &r.entries[(r.next+ringSize-1-i)%ringSize]
		if e.kernel != nil && e.kernel.entry == symbol {
			return e.kernel
		}
	}
	return nil
}

// find looks for the parameter that the faulting address belongs to: of the launches of the kernel, the pointer whose
// memory is nearest. An address below a pointer is a negative index of it; one behind all memory belongs to the nearest
// below. Nothing is found if the fault has no address, or nothing is near.
func (r *ring) find(f *driver.Fault) (u use, ok bool) {
	if f.Access == "" {
		return use{}, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	best := uint64(near)
	for i := range ringSize {
		e := &r.entries[(r.next+ringSize-1-i)%ringSize] // newest first
		if e.kernel == nil || f.Kernel != "" && e.kernel.entry != f.Kernel {
			continue
		}
		for _, x := range e.uses {
			if d := x.distance(f.Addr); d < best {
				best, u, ok = d, x, true
				if s := e.kernel.sig.Load(); s != nil && s.Params[x.index].Source != nil {
					u.param = s.Params[x.index].Source.Name
				}
			}
		}
	}
	return u, ok
}

// near bounds how far from memory an access may be to be blamed on its parameter, in bytes.
const near = 1 << 30

// distance is how far addr is outside the memory, in bytes; 0 inside.
func (u *use) distance(addr uint64) uint64 {
	switch {
	case addr < u.addr:
		return u.addr - addr
	case addr >= u.addr+u.n:
		return addr - (u.addr + u.n) + 1
	}
	return 0
}

// explain says what the access does to the argument: "parameter 0 (dest): write of 4 bytes at element 100 of
// cuda.Out([]float32), which has 100 elements".
func (u *use) explain(f *driver.Fault) string {
	var b strings.Builder
	fmt.Fprintf(&b, "parameter %d", u.index)
	if u.param != "" {
		fmt.Fprintf(&b, " (%s)", u.param)
	}
	size := uint64(u.elem.Size * u.elem.Count)
	form := fmt.Sprintf(u.form, u.elem.Name)
	fmt.Fprintf(&b, ": %s of %d bytes ", f.Access, f.Size)
	switch {
	case f.Addr < u.addr:
		fmt.Fprintf(&b, "%d bytes before the start of %s", u.addr-f.Addr, form)
	case (f.Addr-u.addr)%size == 0:
		fmt.Fprintf(&b, "at element %d of %s", (f.Addr-u.addr)/size, form)
	default:
		fmt.Fprintf(&b, "at byte %d of %s", f.Addr-u.addr, form)
	}
	elements := "elements"
	if u.n/size == 1 {
		elements = "element"
	}
	fmt.Fprintf(&b, ", which has %d %s", u.n/size, elements)
	if f.Addr >= u.addr && f.Addr+uint64(f.Size) <= u.addr+u.n && f.Detail != "" {
		b.WriteString(", " + f.Detail) // the length is not what is wrong
	}
	return b.String()
}

// names lists the kernels of the last launches, newest first, each once.
func (r *ring) names() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var names []string
	seen := map[string]bool{}
	for i := range ringSize {
		e := &r.entries[(r.next+ringSize-1-i)%ringSize]
		if e.kernel != nil && !seen[e.kernel.name] && len(names) < 8 {
			seen[e.kernel.name] = true
			names = append(names, e.kernel.name)
		}
	}
	return strings.Join(names, ", ")
}
