package mpi

import (
	"runtime"
	"unsafe"
)

// cell is the address of a field of an operation. Operations are on the heap, which does not move, and call keeps them.
func cell[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }

// hold pins a buffer that the library uses between calls. A reference alone would keep it from being freed, but only a
// pin promises that it does not move.
func hold(pins *runtime.Pinner, b []byte) {
	if len(b) > 0 {
		pins.Pin(unsafe.SliceData(b))
	}
}

// foreign is memory that belongs to the library.
func foreign(p uintptr, n int) []byte { return unsafe.Slice(*(**byte)(unsafe.Pointer(&p)), n) }
