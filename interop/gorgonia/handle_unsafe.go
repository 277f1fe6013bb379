//go:build gorgonia && cgo

package gorgonia

import (
	"encoding/binary"
	"unsafe"

	"gorgonia.org/cu"

	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
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

// pointer is page-locked memory, which is C's, as gorgonia takes it.
func pointer(h cuapi.HostPtr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&h)) }

// arguments points to each parameter of a launch. gorgonia reads eight bytes there whatever the parameter's size, so that it can
// pass no longer one; ok is false then, and if nobody knows where the parameters lie.
func arguments(k *cuapi.Launch) (pointers []unsafe.Pointer, ok bool) {
	if k.Layout == nil && len(k.Params) > 0 {
		return nil, false
	}
	words := make([]uint64, len(k.Layout))
	for i, p := range k.Layout {
		var b [8]byte
		if p.Size > len(b) {
			return nil, false
		}
		copy(b[:], k.Params[p.Offset:p.Offset+p.Size])
		words[i] = binary.NativeEndian.Uint64(b[:])
		pointers = append(pointers, unsafe.Pointer(&words[i]))
	}
	return pointers, true
}
