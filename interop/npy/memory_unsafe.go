package npy

import "unsafe"

// bytesOf is the memory of xs.
func bytesOf[T Number](xs []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(xs))), len(xs)*int(unsafe.Sizeof(*new(T))))
}

// elementsOf is b as elements: the same memory if it is aligned for them, else a copy.
func elementsOf[T Number](b []byte) []T {
	n := len(b) / int(unsafe.Sizeof(*new(T)))
	if p := unsafe.Pointer(unsafe.SliceData(b)); uintptr(p)%unsafe.Alignof(*new(T)) == 0 {
		return unsafe.Slice((*T)(p), n)
	}
	xs := make([]T, n)
	copy(bytesOf(xs), b)
	return xs
}
