package shm

import (
	"sync/atomic"
	"unsafe"
)

// word64 returns the word at a place of a segment, which must be aligned and inside.
func (s *Segment) word64(at int) *atomic.Uint64 {
	return (*atomic.Uint64)(unsafe.Pointer(&s.mem[at : at+8][0]))
}

func (s *Segment) word32(at int) *atomic.Uint32 {
	return (*atomic.Uint32)(unsafe.Pointer(&s.mem[at : at+4][0]))
}

// elements returns n values of type T, which begin at a place of a segment.
func elements[T any](s *Segment, at, n int) []T {
	var x T
	if n == 0 || unsafe.Sizeof(x) == 0 {
		return make([]T, n)
	}
	_ = s.mem[at : at+n*int(unsafe.Sizeof(x))] // is it inside?
	return unsafe.Slice((*T)(unsafe.Pointer(&s.mem[at])), n)
}

func sizeOf[T any]() int {
	var x T
	return int(unsafe.Sizeof(x))
}
