// Package dlpack exchanges tensors with other libraries of the same process without copying them, through DLPack.
//
// DLPack is a C structure that says where a tensor lies and how it may be given back; NumPy, CuPy, PyTorch and JAX make and
// take it, in Python inside a capsule named "dltensor_versioned", or "dltensor" before version 1.0. Export describes memory
// of ours by such a structure, Import takes over one of theirs. Both work with version 1 of the layout and with the one
// before it. Memory on a GPU is exchanged as it is; work on it must be finished, or ordered by a stream that both sides
// know, before the other side touches it.
//
// Source: dlpack.h and the Python specification of DLPack, version 1.1.
package dlpack

import (
	"errors"
	"fmt"
	"math"
)

// Errors that others wrap.
var (
	// ErrVersion says that a structure is of a later major version, whose layout is not known.
	ErrVersion = errors.New("unknown DLPack version")
	// ErrCorrupt says that a structure contradicts itself.
	ErrCorrupt = errors.New("corrupt DLPack tensor")
	// ErrType says that elements are not of the wanted type.
	ErrType = errors.New("wrong element type")
	// ErrLayout says that the elements do not lie row by row without gaps.
	ErrLayout = errors.New("not contiguous")
	// ErrDevice says that memory is on another device.
	ErrDevice = errors.New("other device")
)

// DeviceType is what kind of device memory belongs to (DLDeviceType).
type DeviceType int32

// Kinds of memory that Tandem knows; others pass through as numbers.
const (
	CPU         DeviceType = 1
	CUDA        DeviceType = 2
	CUDAHost    DeviceType = 3  // page-locked host memory
	CUDAManaged DeviceType = 13 // managed memory
)

// String names the kind.
func (t DeviceType) String() string {
	switch t {
	case CPU:
		return "CPU"
	case CUDA:
		return "CUDA"
	case CUDAHost:
		return "page-locked host memory"
	case CUDAManaged:
		return "managed memory"
	}
	return fmt.Sprintf("device type %d", int32(t))
}

// Device is where memory is (DLDevice).
type Device struct {
	Type DeviceType
	// ID counts devices of a type from 0.
	ID int32
}

// Code is the kind of a number (DLDataTypeCode).
type Code uint8

// Kinds of numbers.
const (
	Int     Code = 0
	UInt    Code = 1
	Float   Code = 2
	BFloat  Code = 4
	Complex Code = 5
	Bool    Code = 6
)

// DataType is the type of an element (DLDataType): Lanes numbers of Bits bits each. A complex number counts as one.
type DataType struct {
	Code  Code
	Bits  uint8
	Lanes uint16
}

// Bytes is the size of an element; 0 if it is no whole number of bytes.
func (t DataType) Bytes() int64 {
	bits := int64(t.Bits) * int64(t.Lanes)
	if bits%8 != 0 {
		return 0
	}
	return bits / 8
}

// String is such as "float32" or "float16x2".
func (t DataType) String() string {
	name, ok := map[Code]string{Int: "int", UInt: "uint", Float: "float", BFloat: "bfloat", Complex: "complex", Bool: "bool"}[t.Code]
	if !ok {
		name = fmt.Sprintf("code%d:", t.Code)
	}
	if t.Lanes != 1 {
		return fmt.Sprintf("%s%dx%d", name, t.Bits, t.Lanes)
	}
	return fmt.Sprintf("%s%d", name, t.Bits)
}

// Tensor describes memory. It does not own it.
type Tensor struct {
	// Data is the address of the memory, and Offset how many bytes behind it element 0, 0, … is.
	Data   uintptr
	Offset uint64
	Device Device
	Type   DataType
	// Shape is the extent in each dimension; empty for one element.
	Shape []int64
	// Strides are the distances of neighbours in each dimension, in elements; nil if the last dimension varies fastest and
	// there are no gaps.
	Strides []int64
	// ReadOnly memory must not be written. Copied memory is not seen by the one that exported it.
	ReadOnly, Copied bool
}

// maxDims bounds the dimensions of what is imported: more is not a tensor but nonsense.
const maxDims = 64

// Len is the number of elements.
func (t *Tensor) Len() int64 {
	n := int64(1)
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Contiguous reports whether the elements lie without gaps, the last index fastest.
func (t *Tensor) Contiguous() bool {
	if t.Strides == nil || t.Len() == 0 {
		return true
	}
	want := int64(1)
	for i := len(t.Shape) - 1; i >= 0; i-- {
		if t.Shape[i] != 1 && t.Strides[i] != want {
			return false
		}
		want *= t.Shape[i]
	}
	return true
}

// Span returns the bytes before and from element 0, 0, … on that the elements reach over, together the memory that is used.
// It fails if that is no size.
func (t *Tensor) Span() (before, after int64, err error) {
	size := t.Type.Bytes()
	if size == 0 {
		return 0, 0, fmt.Errorf("%w: elements of %v are no whole bytes", ErrType, t.Type)
	}
	if err := t.check(); err != nil {
		return 0, 0, err
	}
	if t.Len() == 0 {
		return 0, 0, nil
	}
	least, most, compact := int64(0), int64(0), int64(1)
	for i := len(t.Shape) - 1; i >= 0; i-- {
		stride := compact
		if t.Strides != nil {
			stride = t.Strides[i]
		}
		reach, ok := product(stride, t.Shape[i]-1)
		if !ok {
			return 0, 0, fmt.Errorf("%w: strides %v of shape %v", ErrCorrupt, t.Strides, t.Shape)
		}
		if reach < 0 {
			least += reach
		} else {
			most += reach
		}
		if least < -1<<55 || most > 1<<55 {
			return 0, 0, fmt.Errorf("%w: strides %v of shape %v", ErrCorrupt, t.Strides, t.Shape)
		}
		compact *= t.Shape[i]
	}
	b, okb := product(-least, size)
	a, oka := product(most+1, size)
	if !oka || !okb {
		return 0, 0, fmt.Errorf("%w: strides %v of shape %v", ErrCorrupt, t.Strides, t.Shape)
	}
	return b, a, nil
}

// check looks for what no tensor can be.
func (t *Tensor) check() error {
	if len(t.Shape) > maxDims {
		return fmt.Errorf("%w: %d dimensions", ErrCorrupt, len(t.Shape))
	}
	if t.Strides != nil && len(t.Strides) != len(t.Shape) {
		return fmt.Errorf("%w: %d strides for %d dimensions", ErrCorrupt, len(t.Strides), len(t.Shape))
	}
	if t.Type.Bits == 0 || t.Type.Lanes == 0 {
		return fmt.Errorf("%w: elements of %v", ErrCorrupt, t.Type)
	}
	n := int64(1)
	for _, d := range t.Shape {
		if d < 0 {
			return fmt.Errorf("%w: shape %v", ErrCorrupt, t.Shape)
		}
	}
	for _, d := range t.Shape {
		if d == 0 {
			return nil
		}
	}
	for _, d := range t.Shape {
		var ok bool
		if n, ok = product(n, d); !ok || n > 1<<55 {
			return fmt.Errorf("%w: shape %v has too many elements", ErrCorrupt, t.Shape)
		}
	}
	if t.Data == 0 {
		return fmt.Errorf("%w: shape %v at a null pointer", ErrCorrupt, t.Shape)
	}
	return nil
}

// product is a·b, and whether it is a number of 64 bits.
func product(a, b int64) (int64, bool) {
	if a == 0 || b == 0 {
		return 0, true
	}
	c := a * b
	return c, c/b == a && a != math.MinInt64 && b != math.MinInt64
}
