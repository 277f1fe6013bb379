package npy

import (
	"fmt"
	"io"
	"os"
	"reflect"
)

// Number is the types of Go that elements of a file can be read as.
type Number interface {
	~int8 | ~uint8 | ~int16 | ~uint16 | ~int32 | ~uint32 | ~int64 | ~uint64 |
		~float32 | ~float64 | ~complex64 | ~complex128
}

// dtypes is the type of a file's elements by the kind of Go's.
var dtypes = map[reflect.Kind]string{
	reflect.Int8: "i1", reflect.Uint8: "u1", reflect.Int16: "i2", reflect.Uint16: "u2", reflect.Int32: "i4", reflect.Uint32: "u4",
	reflect.Int64: "i8", reflect.Uint64: "u8", reflect.Float32: "f4", reflect.Float64: "f8", reflect.Complex64: "c8", reflect.Complex128: "c16",
}

// holds tells whether elements of a file's type are read as T: the same kind and size; truth values as uint8, f2 as uint16,
// which has its bits.
func holds[T Number](dtype string) error {
	want := dtypes[reflect.TypeFor[T]().Kind()]
	if dtype == want || dtype == "b1" && want == "u1" || dtype == "f2" && want == "u2" {
		return nil
	}
	return fmt.Errorf("elements of type %s are not %s", dtype, reflect.TypeFor[T]())
}

// Of is an array of xs in the given shape, last index fastest; without a shape, of one dimension. It shares the memory.
func Of[T Number](xs []T, shape ...int) (*Array, error) {
	if shape == nil {
		shape = []int{len(xs)}
	}
	a := &Array{Header: Header{DType: dtypes[reflect.TypeFor[T]().Kind()], Shape: shape}, Data: bytesOf(xs)}
	if n, err := a.bytes(); err != nil || n != len(a.Data) {
		return nil, fmt.Errorf("%d elements do not make shape %v", len(xs), shape)
	}
	return a, nil
}

// Elements is the elements of an array, in the file's order. They share its memory where that lies as Go needs it, and are
// a copy otherwise. T must be what the file has; uint8 also reads truth values, and uint16 the bits of f2.
func Elements[T Number](a *Array) ([]T, error) {
	if err := holds[T](a.DType); err != nil {
		return nil, err
	}
	return elementsOf[T](a.Data), nil
}

// Into reads one array to memory that alloc gives for its number of elements, as a slice of that length: page-locked memory
// of a device, for example. It reads no further than the array's end. If r is a file or has a method Len, a header that
// promises more than is there is refused before alloc is asked.
func Into[T Number](r io.Reader, alloc func(n int) ([]T, error)) (Header, error) {
	h, big, err := readHeader(r)
	if err != nil {
		return h, err
	}
	if err := holds[T](h.DType); err != nil {
		return h, err
	}
	n, err := h.bytes()
	if err != nil {
		return h, err
	}
	if left, known := remaining(r); known && left < int64(n) {
		return h, short(&h, io.ErrUnexpectedEOF)
	}
	xs, err := alloc(h.Len())
	if err != nil {
		return h, err
	}
	b := bytesOf(xs)
	if len(b) != n {
		return h, fmt.Errorf("memory for %d elements, the file has %d", len(xs), h.Len())
	}
	if _, err := io.ReadFull(r, b); err != nil {
		return h, short(&h, err)
	}
	if big {
		swap(b, h.DType)
	}
	return h, nil
}

// remaining is how many bytes r has left, where it can tell.
func remaining(r io.Reader) (n int64, known bool) {
	switch r := r.(type) {
	case interface{ Len() int }:
		return int64(r.Len()), true
	case *io.LimitedReader:
		n, known = remaining(r.R)
		return min(n, r.N), known
	case *os.File:
		info, err := r.Stat()
		if err != nil || !info.Mode().IsRegular() {
			return 0, false
		}
		at, err := r.Seek(0, io.SeekCurrent)
		return info.Size() - at, err == nil
	}
	return 0, false
}
