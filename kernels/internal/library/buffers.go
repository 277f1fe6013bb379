package library

import (
	"fmt"
	"reflect"

	"github.com/tandem-go/tandem/cuda"
)

// Temp makes a buffer of n elements with undefined contents for temporary results. Close gives its memory back for the next
// one, once the work that is queued on it is done.
func Temp[T cuda.Element](l *Library, n int) (*cuda.Buffer[T], error) {
	return cuda.AllocPooled[T](l.pool, max(n, 1))
}

// span is the addresses of a buffer.
func span[T cuda.Element](b *cuda.Buffer[T]) (lo, hi uint64) {
	return b.Ptr(), b.Ptr() + uint64(b.Len())*uint64(reflect.TypeFor[T]().Size())
}

// Overlap reports whether two buffers share memory.
func Overlap[A, B cuda.Element](a *cuda.Buffer[A], b *cuda.Buffer[B]) bool {
	alo, ahi := span(a)
	blo, bhi := span(b)
	return a.Len() > 0 && b.Len() > 0 && alo < bhi && blo < ahi
}

// Same reports whether two buffers are the same memory.
func Same[A, B cuda.Element](a *cuda.Buffer[A], b *cuda.Buffer[B]) bool {
	alo, ahi := span(a)
	blo, bhi := span(b)
	return alo == blo && ahi == bhi
}

// On returns an error that wraps cuda.ErrWrongDevice if a buffer is of another device than the library.
func On[T cuda.Element](l *Library, name string, b *cuda.Buffer[T]) error {
	if b.Device().Info().ID == l.dev.Info().ID && b.Device() == l.dev {
		return nil
	}
	return fmt.Errorf("%s is on %v, the library on %v: %w", name, b.Device(), l.dev, cuda.ErrWrongDevice)
}

// Apart returns an error that wraps cuda.ErrInvalidValue if an output shares memory with another buffer.
func Apart[A, B cuda.Element](out *cuda.Buffer[A], outName string, in *cuda.Buffer[B], inName string) error {
	if !Overlap(out, in) {
		return nil
	}
	return overlapping(outName, out.Ptr(), out.Len(), inName, in.Ptr(), in.Len())
}

// ApartOrSame is Apart that allows the same memory.
func ApartOrSame[A, B cuda.Element](out *cuda.Buffer[A], outName string, in *cuda.Buffer[B], inName string) error {
	if Same(out, in) {
		return nil
	}
	return Apart(out, outName, in, inName)
}

func overlapping(a string, ap uint64, an int, b string, bp uint64, bn int) error {
	return fmt.Errorf("%s (%d elements at %#x) overlaps %s (%d elements at %#x): %w", a, an, ap, b, bn, bp, cuda.ErrInvalidValue)
}

// Length returns an error that wraps cuda.ErrLength and names both lengths if they differ.
func Length(aName string, a int, bName string, b int) error {
	if a == b {
		return nil
	}
	return fmt.Errorf("%s has %d elements, %s has %d: %w", aName, a, bName, b, cuda.ErrLength)
}

// Suffix names an element type in variants: f32, f64, i32, u32, i64, u64, c64, c128.
func Suffix[T cuda.Element]() string { return suffixes[reflect.TypeFor[T]().Kind()] }

var suffixes = map[reflect.Kind]string{
	reflect.Float32: "f32", reflect.Float64: "f64", reflect.Int32: "i32", reflect.Uint32: "u32", reflect.Int64: "i64",
	reflect.Uint64: "u64", reflect.Complex64: "c64", reflect.Complex128: "c128",
}

// CTypes are the numeric types of kernels: the suffix and CUDA C++'s name.
var CTypes = []struct{ Suffix, C string }{
	{"f32", "float"}, {"f64", "double"}, {"i32", "int"}, {"u32", "unsigned"}, {"i64", "long long"}, {"u64", "unsigned long long"},
}
