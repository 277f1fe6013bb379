package array

import "unsafe"

// bytesOf is the memory of s. A bool of Go is a byte of 0 or 1, as on the device.
func bytesOf[T Element](s []T) []byte {
	if len(s) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), len(s)*int(unsafe.Sizeof(s[0])))
}
