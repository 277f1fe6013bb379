package egl

import "unsafe"

// pointer makes a pointer of a C address.
func pointer(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }
