package cuapi

import "unsafe"

// Bytes returns the n bytes of page-locked memory at h. They are valid until MemFreeHost or the end of the context.
func (h HostPtr) Bytes(n int) []byte {
	// The detour keeps vet's rule about conversions from uintptr meaningful for the rest of the code: this address is C's.
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&h)), n)
}

// HostPtrOf is where b begins. It keeps nothing alive.
func HostPtrOf(b []byte) HostPtr { return HostPtr(unsafe.Pointer(unsafe.SliceData(b))) }
