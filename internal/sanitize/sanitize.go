// Package sanitize finds defects of kernels while they run on the reference engine: memory that is read before anybody
// wrote it, data races, wrong use of barriers and member masks, and memory that is never freed.
//
// A Checker belongs to one device. It is told of allocations and of what the host writes, and makes an engine.Watch for
// each launch. What it finds are Findings, each defect once however many threads have it.
//
// The model of races (design, Sanitizer). Two accesses of different threads to one byte, of which at least one writes, race
// unless both are strong (atomic, volatile or relaxed) or one happens before the other. Happens-before is made of program
// order; barriers of the block and of the grid; bar.warp.sync; and accesses to one address: an atomic operation acquires
// what earlier atomic operations and fenced stores released there, and releases what its warp did before. Clocks are kept
// for each warp, and for each lane where lanes of one warp take turns, so that some races of diverged lanes across warps
// are not seen; none is invented. Lanes of one warp that share memory in lockstep, with accesses that are not volatile, are
// a finding of their own, since only the lockstep of old hardware makes that right. Writes of the value that is there
// already are not taken for conflicts with other writes.
package sanitize

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/mem"
)

// Tools are the checks of a launch.
type Tools uint8

// The tools.
const (
	Memcheck Tools = 1 << iota
	Initcheck
	Racecheck
	Synccheck
)

// Kind says what a finding is.
type Kind string

// The kinds of findings.
const (
	// Fault is an access or instruction that ended the launch.
	Fault Kind = "fault"
	// Leak is memory of the device heap that nobody freed.
	Leak Kind = "leak"
	// Uninitialised is a read of memory that nobody wrote.
	Uninitialised Kind = "uninitialised read"
	// WriteAfterWrite, ReadAfterWrite and WriteAfterRead are races.
	WriteAfterWrite Kind = "write after write"
	ReadAfterWrite  Kind = "read after write"
	WriteAfterRead  Kind = "write after read"
	// Lockstep is sharing that only the lockstep of a warp orders.
	Lockstep Kind = "lockstep"
	// DivergentBarrier is a barrier that only some lanes of a warp come to.
	DivergentBarrier Kind = "divergent barrier"
	// Deadlock is threads that wait for each other.
	Deadlock Kind = "deadlock"
	// WrongMask is a member mask without the lane that executes it, or with lanes that do not come.
	WrongMask Kind = "wrong mask"
)

// Place is a thread at an instruction.
type Place struct {
	Block, Thread [3]uint32
	Pos           ir.Pos
	// Access is "read", "write" or "atomic"; empty if no memory is involved.
	Access string
}

// Finding is a defect.
type Finding struct {
	Tool   Tools
	Kind   Kind
	Kernel *ir.Kernel
	Place
	// Other is the thread that the first one conflicts with; nil if there is none.
	Other *Place
	// Addr and Size are the bytes, in Space: generic addresses for global memory, else offsets in the window.
	Addr  uint64
	Size  int
	Space string
	// Code is the CUDA status of a fault.
	Code   uint32
	Detail string
	// Count is how often it was found.
	Count int
}

// key makes findings of one defect equal.
type key struct {
	kind       Kind
	kernel     *ir.Kernel
	pos, other ir.Pos
	access     string
}

// Checker looks for defects on one device. Its methods may be called from any goroutine.
type Checker struct {
	space *mem.Space

	mu       sync.Mutex
	findings map[key]*Finding
	order    []*Finding
	init     initState
	heap     map[uint64]*heapBlock
}

// heapBlock is an allocation of the device heap.
type heapBlock struct {
	kernel *ir.Kernel
	place  Place
	size   uint64
}

// New makes a checker for the memory of a device.
func New(space *mem.Space) *Checker {
	return &Checker{
		space: space, findings: map[key]*Finding{}, heap: map[uint64]*heapBlock{},
		init: initState{space: space, pages: map[uint64]*initPage{}, tracked: map[uint64]uint64{}},
	}
}

// maxFindings bounds how many different defects are kept.
const maxFindings = 1000

// Add notes a finding.
func (c *Checker) Add(f Finding) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(f)
}

func (c *Checker) add(f Finding) {
	k := key{kind: f.Kind, kernel: f.Kernel, pos: f.Pos, access: f.Access}
	if f.Other != nil {
		k.other = f.Other.Pos
		k.access += f.Other.Access
	}
	if have := c.findings[k]; have != nil {
		have.Count++
		return
	}
	if len(c.order) >= maxFindings {
		return
	}
	f.Count = 1
	c.findings[k] = &f
	c.order = append(c.order, &f)
}

// Take returns the findings so far, in the order in which they were found, and forgets them.
func (c *Checker) Take() []Finding {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]Finding, len(c.order))
	for i, f := range c.order {
		out[i] = *f
	}
	c.order = nil
	clear(c.findings)
	return out
}

// Leaks returns what lives on the device heap, by address.
func (c *Checker) Leaks() []Finding {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []Finding
	for _, addr := range slices.Sorted(maps.Keys(c.heap)) {
		b := c.heap[addr]
		out = append(out, Finding{
			Tool: Memcheck, Kind: Leak, Kernel: b.kernel, Place: b.place, Addr: addr, Size: int(b.size), Space: "global",
			Detail: fmt.Sprintf("%d bytes of the device heap were not freed", b.size), Count: 1,
		})
	}
	return out
}

// Faulted notes a fault that ended a launch.
func (c *Checker) Faulted(k *ir.Kernel, tools Tools, f *engine.Fault) {
	finding := Finding{
		Tool: Memcheck, Kind: Fault, Kernel: k, Place: Place{Block: f.Block, Thread: f.Thread, Pos: f.Pos, Access: f.Access},
		Addr: f.Addr, Size: f.Size, Space: f.Space, Code: f.Code, Detail: f.Detail,
	}
	if f.Deadlock {
		finding.Tool, finding.Kind = Synccheck, Deadlock
	}
	if tools&finding.Tool != 0 {
		c.Add(finding)
	}
}

// threadOf is the coordinate of a lane's thread in a block of that extent.
func threadOf(extent [3]uint32, warp, lane int) [3]uint32 {
	t := uint32(warp*engine.WarpSize + lane)
	return [3]uint32{t % extent[0], t / extent[0] % extent[1], t / extent[0] / extent[1]}
}

var accessNames = [...]string{engine.Read: "read", engine.Write: "write", engine.Update: "atomic"}
