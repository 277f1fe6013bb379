package main

import "unsafe"

// bytesOf is the memory of a slice of numbers.
func bytesOf(data any) []byte {
	switch s := data.(type) {
	case []float32:
		return view(s)
	case []float64:
		return view(s)
	case []int32:
		return view(s)
	case []uint32:
		return view(s)
	}
	return nil
}

func view[T any](s []T) []byte {
	if len(s) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), len(s)*int(unsafe.Sizeof(s[0])))
}
