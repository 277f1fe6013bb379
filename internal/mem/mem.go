// Package mem is the host device's memory: one reserved range of addresses outside Go's heap, the table of live
// allocations in it, foreign windows, and the rule of which access is legal.
//
// An access is legal if all its bytes lie inside one live allocation or one foreign window, whichever pointer it was
// computed from. Allocations are exact to the byte and followed by at least Guard bytes that belong to nobody, so an
// access that begins in one allocation cannot end in another. Checks that are faster than the table (a Cache, bounds
// hoisted by an engine) may approve an access; only the table refuses.
//
// Questions to the table take no lock and may be asked at any time. A free makes every later question answer no, also
// those asked through a Cache.
package mem

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

const (
	// Align is the alignment of allocations in bytes.
	Align = 256
	// Guard is the least number of bytes behind an allocation in which no access is legal.
	Guard = 256
	// PoisonByte fills new memory of a Space with Options.Poison: floats read NaN, integers -1.
	PoisonByte = 0xff
)

var (
	// ErrOutOfMemory says that a request does not fit the capacity, the address range, or what the system gives.
	ErrOutOfMemory = errors.New("out of device memory")
	// ErrNotAllocated says that an address is not the beginning of a live allocation, reservation or window.
	ErrNotAllocated = errors.New("not the beginning of an allocation")
	// ErrIllegal says that bytes lie outside every live allocation and window.
	ErrIllegal = errors.New("illegal address")
	// ErrClosed says that the space was closed.
	ErrClosed = errors.New("device memory is closed")
)

// Options configure a Space. The zero value is the default.
type Options struct {
	// Limit lowers the capacity, in bytes; 0 means no limit beyond what the machine sets.
	Limit uint64
	// Poison fills each new allocation with PoisonByte, so that reading what was never written is the same in every run.
	// It costs a pass over the memory.
	Poison bool
	// Retain is how many bytes of freed memory stay with the process for the next allocation instead of going back to
	// the system at once; 0 means 256 MiB or 1/16 of the capacity, whichever is less.
	Retain uint64
}

// Kind says what a region is.
type Kind uint8

// The kinds of regions.
const (
	// Allocation is memory from Alloc.
	Allocation Kind = iota + 1
	// Foreign is a window of memory that somebody else owns.
	Foreign
	// reservation is memory from Reserve; no question about legality ever answers with it.
	reservation
)

// Region is a range of legal addresses.
type Region struct {
	// Addr is the first byte, Size the length in bytes.
	Addr, Size uint64
	Kind       Kind
	// Name is what AddForeign was given, empty otherwise.
	Name string
}

// region is a Region in the table. It is immutable but for its state.
type region struct {
	addr, end uint64
	kind      Kind
	name      string
	live      atomic.Bool // set once before the region is published, cleared once
	block     *block
}

func (r *region) legal(addr, n uint64) bool {
	return addr-r.addr < r.end-r.addr && n <= r.end-addr && r.kind != reservation && r.live.Load()
}

// Space is the memory of one device. All methods may be called from any goroutine.
type Space struct {
	base, size uint64
	capacity   uint64
	poison     bool
	table      table
	foreign    atomic.Pointer[[]*region]
	generation atomic.Uint64

	mu     sync.Mutex
	closed bool
	fit    fit
	pages  pages
	used   uint64
}

// New reserves a range of addresses. Without memory committed it costs nothing but addresses; where the system refuses
// a large range, a smaller one is used.
func New(o Options) (*Space, error) {
	capacity := physical() / 4 * 3
	if o.Limit != 0 {
		capacity = min(capacity, o.Limit)
	}
	base, size, err := reserveLargest(capacity, sysReserve)
	if err != nil {
		return nil, fmt.Errorf("reserve device memory: %w", err)
	}
	return newSpace(base, size, min(capacity, size-2*chunkBytes), o), nil
}

const (
	largestRange  = 1 << 40
	smallestRange = 64 << 20
)

// reserveLargest reserves room for the capacity several times over, so that fragmentation does not bind before the
// capacity does, and takes less where the system has a bound on addresses.
func reserveLargest(capacity uint64, reserve func(uint64) (uint64, error)) (base, size uint64, err error) {
	size = largestRange
	for size/16 > max(capacity, smallestRange) {
		size /= 4
	}
	for ; size >= smallestRange; size /= 4 {
		if base, err = reserve(size); err == nil {
			return base, size, nil
		}
	}
	return 0, 0, err
}

func newSpace(base, size, capacity uint64, o Options) *Space {
	retain := o.Retain
	if retain == 0 {
		retain = min(256<<20, capacity/16)
	}
	s := &Space{base: base, size: size, capacity: capacity, poison: o.Poison}
	s.table.init(base, size)
	// The first and the last chunk stay empty: an access a little outside the range is as illegal as one inside it.
	s.fit.init(chunkBytes/granule, (size-2*chunkBytes)/granule)
	s.pages.init(base, size, retain)
	s.foreign.Store(new([]*region))
	return s
}

// Close gives the range back. No kernel may run any more, and views from Bytes are invalid afterwards. A second Close
// does nothing.
func (s *Space) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	for b := s.fit.first; b != nil; b = b.next {
		if b.region != nil {
			b.region.live.Store(false)
		}
	}
	s.foreign.Store(new([]*region))
	return sysRelease(s.base, s.size)
}

// Alloc returns the address of n > 0 new bytes, aligned to Align. Their contents are undefined unless Options.Poison.
func (s *Space) Alloc(n uint64) (uint64, error) {
	addr, err := s.allocate(n, Allocation)
	if err != nil {
		return 0, fmt.Errorf("allocate %d bytes of device memory: %w", n, err)
	}
	if s.poison {
		fill(view(addr, n), PoisonByte)
	}
	return addr, nil
}

// Reserve returns the address of n > 0 zeroed bytes that are committed but outside the table: no access to them is legal
// except the ones their owner knows of, such as a block its shared memory. They do not count as used.
func (s *Space) Reserve(n uint64) (uint64, error) {
	addr, err := s.allocate(n, reservation)
	if err != nil {
		return 0, fmt.Errorf("reserve %d bytes of device memory: %w", n, err)
	}
	clear(view(addr, n))
	return addr, nil
}

func (s *Space) allocate(n uint64, kind Kind) (uint64, error) {
	if n == 0 {
		return 0, errors.New("the size must be positive")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, ErrClosed
	}
	if n > s.size || kind == Allocation && footprint(n) > s.capacity-s.used {
		return 0, ErrOutOfMemory
	}
	b := s.fit.take(footprint(n) / granule)
	if b == nil {
		return 0, ErrOutOfMemory
	}
	if err := s.pages.use(b.start, b.size); err != nil {
		s.fit.give(b)
		return 0, fmt.Errorf("%w: %w", ErrOutOfMemory, err)
	}
	addr := s.base + b.start*granule
	b.region = &region{addr: addr, end: addr + n, kind: kind, block: b}
	b.region.live.Store(true)
	s.table.put(b.region, b.start, b.size)
	if kind == Allocation {
		s.used += b.size * granule
	}
	return addr, nil
}

// footprint is what an allocation of n bytes takes of the range.
func footprint(n uint64) uint64 { return (n+granule-1)/granule*granule + Guard }

// Free ends the allocation that begins at addr. Its bytes are illegal as soon as Free returns.
func (s *Space) Free(addr uint64) error {
	if err := s.release(addr, Allocation); err != nil {
		return fmt.Errorf("free device memory at %#x: %w", addr, err)
	}
	return nil
}

// Unreserve ends the reservation that begins at addr.
func (s *Space) Unreserve(addr uint64) error {
	if err := s.release(addr, reservation); err != nil {
		return fmt.Errorf("unreserve device memory at %#x: %w", addr, err)
	}
	return nil
}

func (s *Space) release(addr uint64, kind Kind) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	r := s.table.find(addr)
	if r == nil || r.addr != addr || r.kind != kind || !r.live.Load() {
		return ErrNotAllocated
	}
	r.live.Store(false)
	s.generation.Add(1)
	b := r.block
	b.region, r.block = nil, nil
	if kind == Allocation {
		s.used -= b.size * granule
	}
	s.pages.drop(b.start, b.size)
	s.fit.give(b)
	return nil
}

// Generation changes whenever memory stops being legal: what was found before may not be relied on afterwards.
func (s *Space) Generation() uint64 { return s.generation.Load() }

// Used is the memory that live allocations take, guards included, in bytes.
func (s *Space) Used() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}

// Capacity is the most that Used can reach: the lesser of the address range, Options.Limit, and three quarters of the
// memory of the machine or of the control group the process is in.
func (s *Space) Capacity() uint64 { return s.capacity }

// Range returns the first address of the reserved range and its length in bytes. It never changes.
func (s *Space) Range() (base, size uint64) { return s.base, s.size }

// find returns the region, live or not, that the table or the list of windows has at addr, nil if there is none.
func (s *Space) find(addr uint64) *region {
	if addr-s.base < s.size {
		return s.table.find(addr)
	}
	return findForeign(*s.foreign.Load(), addr, 1)
}

// Legal reports whether an access of n ≥ 1 bytes at addr is legal.
func (s *Space) Legal(addr uint64, n int) bool { return s.lookup(addr, uint64(n)) != nil }

// lookup returns the live region that holds the n bytes at addr, nil if there is none.
func (s *Space) lookup(addr, n uint64) *region {
	if addr-s.base < s.size {
		if r := s.table.find(addr); r != nil && r.legal(addr, n) {
			return r
		}
		return nil
	}
	return findForeign(*s.foreign.Load(), addr, n)
}

// Find returns the live allocation or foreign window that addr lies in.
func (s *Space) Find(addr uint64) (Region, bool) {
	r := s.lookup(addr, 1)
	if r == nil {
		return Region{}, false
	}
	return Region{Addr: r.addr, Size: r.end - r.addr, Kind: r.kind, Name: r.name}, true
}

// Bytes is a view of n bytes at addr, which must be legal: otherwise an error that wraps ErrIllegal and says why. The
// caller sees to it that the memory is not freed while the view is in use.
func (s *Space) Bytes(addr, n uint64) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	if s.lookup(addr, n) == nil {
		return nil, fmt.Errorf("%w: %s", ErrIllegal, s.Explain(addr, n))
	}
	return view(addr, n), nil
}

// Scratch is a view of n bytes at addr inside a reservation, nil if they do not lie in one. Only the owner may use it.
func (s *Space) Scratch(addr, n uint64) []byte {
	if addr-s.base >= s.size {
		return nil
	}
	r := s.table.find(addr)
	if r == nil || r.kind != reservation || !r.live.Load() || n > r.end-addr {
		return nil
	}
	return view(addr, n)
}
