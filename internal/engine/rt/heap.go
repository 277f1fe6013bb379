package rt

import (
	"sync"

	"github.com/tandem-go/tandem/internal/mem"
)

// heap is the memory that kernels take with malloc. It outlives launches, as CUDA's does.
type heap struct {
	memory *mem.Space
	limit  uint64

	mu   sync.Mutex
	used uint64
	size map[uint64]uint64 // by address
}

// Malloc returns the address of n bytes of the device heap, 0 if there is no room for them or n is 0. The memory is legal
// for every thread of the device until Free.
func (r *Runtime) Malloc(n uint64) uint64 {
	h := &r.heap
	h.mu.Lock()
	defer h.mu.Unlock()
	if n == 0 || h.used > h.limit || n > h.limit-h.used {
		return 0
	}
	addr, err := h.memory.Alloc(n)
	if err != nil {
		return 0
	}
	if h.size == nil {
		h.size = map[uint64]uint64{}
	}
	h.size[addr] = n
	h.used += n
	return addr
}

// Free gives back what Malloc returned and reports whether addr was that; 0 is accepted and means nothing.
func (r *Runtime) Free(addr uint64) bool {
	if addr == 0 {
		return true
	}
	h := &r.heap
	h.mu.Lock()
	defer h.mu.Unlock()
	n, ok := h.size[addr]
	if !ok {
		return false
	}
	delete(h.size, addr)
	h.used -= n
	return h.memory.Free(addr) == nil
}

// SetHeapBytes changes the limit of the heap. Memory that kernels hold beyond it stays theirs.
func (r *Runtime) SetHeapBytes(n uint64) {
	h := &r.heap
	h.mu.Lock()
	defer h.mu.Unlock()
	h.limit = n
}
