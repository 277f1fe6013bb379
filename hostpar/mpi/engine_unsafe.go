package mpi

import "unsafe"

// cell is the address of a field of an operation. Operations are on the heap, which does not move, and call keeps them.
func cell[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }
