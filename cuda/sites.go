package cuda

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tandem-go/tandem/internal/driver"
)

// sites remembers where the memory of a device with checks was allocated, that which was freed last included, so that
// reports can name it.
type sites struct {
	on   atomic.Bool
	mu   sync.Mutex
	live []site // guarded by mu: by address
	dead []site // guarded by mu: the last to be freed at the end
}

// site is an allocation.
type site struct {
	addr, bytes uint64
	pcs         []uintptr
}

// rememberedDead bounds how many freed allocations are remembered.
const rememberedDead = 1024

// add notes an allocation, if anybody wants to know.
func (s *sites) add(addr, bytes uint64) {
	if !s.on.Load() {
		return
	}
	pcs := make([]uintptr, 24)
	pcs = pcs[:runtime.Callers(3, pcs)]
	s.mu.Lock()
	defer s.mu.Unlock()
	i, _ := slices.BinarySearchFunc(s.live, addr, compareSite)
	s.live = slices.Insert(s.live, i, site{addr, bytes, pcs})
}

func compareSite(s site, addr uint64) int {
	switch {
	case s.addr < addr:
		return -1
	case s.addr > addr:
		return 1
	}
	return 0
}

// remove notes that an allocation is no more.
func (s *sites) remove(addr uint64) {
	if !s.on.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := slices.BinarySearchFunc(s.live, addr, compareSite)
	if !ok {
		return
	}
	if len(s.dead) >= rememberedDead {
		s.dead = slices.Delete(s.dead, 0, rememberedDead/2)
	}
	s.dead = append(s.dead, s.live[i])
	s.live = slices.Delete(s.live, i, i+1)
}

// beside is how far outside an allocation an address still belongs to it.
const beside = 64 << 10

// find returns the allocation that addr lies in, else one that it lay in, else the nearest.
func (s *sites) find(addr uint64) *ReportBuffer {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.live {
		if a := &s.live[i]; addr-a.addr < a.bytes {
			return a.report(addr, false)
		}
	}
	for i := len(s.dead) - 1; i >= 0; i-- {
		if a := &s.dead[i]; addr-a.addr < a.bytes {
			return a.report(addr, true)
		}
	}
	var best *site
	near := uint64(beside)
	for i := range s.live {
		a := &s.live[i]
		distance := a.addr - addr
		if addr > a.addr {
			distance = addr - (a.addr + a.bytes) + 1
		}
		if distance < near {
			best, near = a, distance
		}
	}
	if best == nil {
		return nil
	}
	return best.report(addr, false)
}

func (s *site) report(addr uint64, freed bool) *ReportBuffer {
	a := allocation{int64(s.bytes), s.pcs}
	return &ReportBuffer{Allocation: Allocation{Bytes: a.bytes, Site: a.site()}, Offset: int64(addr - s.addr), Freed: freed}
}

// freeDevice frees device memory.
func (c *core) freeDevice(p driver.Ptr) error {
	c.sites.remove(uint64(p))
	return c.drv.Free(p)
}
