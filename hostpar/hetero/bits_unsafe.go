package hetero

import (
	"unsafe"

	"github.com/tandem-go/tandem/cuda"
)

// bitsOf is the memory of a slice, to be read only.
func bitsOf[T cuda.Element](s []T) []byte {
	if len(s) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(s[0])))
}
