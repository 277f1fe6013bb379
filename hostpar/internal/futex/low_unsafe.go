package futex

import (
	"sync/atomic"
	"unsafe"
)

// Low returns the lower half of a 64-bit word, for Wait and Wake.
func Low(word *atomic.Uint64) *atomic.Uint32 {
	p := unsafe.Pointer(word)
	if bigEndian {
		p = unsafe.Add(p, 4)
	}
	return (*atomic.Uint32)(p)
}

var bigEndian = func() bool {
	x := uint16(1)
	return *(*byte)(unsafe.Pointer(&x)) == 0
}()
