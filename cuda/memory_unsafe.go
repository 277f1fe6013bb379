package cuda

import "unsafe"

// bytesOf is the memory of s as bytes. Element types have neither pointers nor padding, so any bytes are legal in them.
func bytesOf[T Element](s []T) []byte {
	if len(s) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(s[0])))
}

// sliceOf is the inverse of bytesOf. b is aligned for T: it is page-locked memory, which begins at a multiple of 256.
func sliceOf[T Element](b []byte) []T {
	var zero T
	if len(b) == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(zero)))
}

// foreignBytes is n bytes at an address that is not Go's.
func foreignBytes(addr, n uint64) []byte {
	p := uintptr(addr)
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&p)), n)
}

// memoryOf is the memory of *x, whose type has no pointers.
func memoryOf[T any](x *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(x)), unsafe.Sizeof(*x))
}

// wordOf is *x, whose type has the kind int or uint.
func wordOf[T any](x *T) int { return *(*int)(unsafe.Pointer(x)) }
