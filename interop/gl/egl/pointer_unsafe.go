package egl

import "unsafe"

// ProcAddress is the address of an OpenGL function, nil if there is none: what go-gl's InitWithProcAddrFunc and
// interop/gl's New take.
func (c *Context) ProcAddress(name string) unsafe.Pointer { return pointer(c.f.address(name)) }

// pointer makes a pointer of a C address.
func pointer(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }
