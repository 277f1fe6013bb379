//go:build gorgonia && cgo

package gorgonia

import (
	"unsafe"

	"gorgonia.org/cu"
)

// holder is a type of gorgonia's that holds exactly one handle of CUDA's, in a field that is not exported.
type holder interface {
	cu.CUContext | cu.Stream | cu.Event | cu.Module | cu.Function
}

// These stop the build if gorgonia changes what its types hold.
var (
	_ [unsafe.Sizeof(uintptr(0))]struct{} = [unsafe.Sizeof(cu.CUContext{})]struct{}{}
	_ [unsafe.Sizeof(uintptr(0))]struct{} = [unsafe.Sizeof(cu.Stream{})]struct{}{}
	_ [unsafe.Sizeof(uintptr(0))]struct{} = [unsafe.Sizeof(cu.Event{})]struct{}{}
	_ [unsafe.Sizeof(uintptr(0))]struct{} = [unsafe.Sizeof(cu.Module{})]struct{}{}
	_ [unsafe.Sizeof(uintptr(0))]struct{} = [unsafe.Sizeof(cu.Function{})]struct{}{}
)

func handle[T holder](h uintptr) T { return *(*T)(unsafe.Pointer(&h)) }

func word[T holder](v T) uintptr { return *(*uintptr)(unsafe.Pointer(&v)) }
