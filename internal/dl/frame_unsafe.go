package dl

import (
	"bytes"
	"runtime"
	"sync"
	"unsafe"
)

// Frame is the argument list of one C call, for arguments of which some point to Go memory. What they point to escapes
// to the heap and is kept alive until Call has returned. A Frame is for one goroutine; take it from NewFrame.
type Frame struct {
	words [MaxArgs]uintptr
	keep  [MaxArgs]unsafe.Pointer
	n     int
}

var frames = sync.Pool{New: func() any { return new(Frame) }}

// NewFrame returns an empty frame.
func NewFrame() *Frame { return frames.Get().(*Frame) }

// Int appends an integer argument, a handle or a C pointer.
func (f *Frame) Int(v uintptr) *Frame {
	f.words[f.n] = v
	f.n++
	return f
}

// Bytes appends a pointer to the first byte of b, or null if b is empty. The C function may read and write len(b) bytes.
func (f *Frame) Bytes(b []byte) *Frame { return f.pointer(unsafe.Pointer(unsafe.SliceData(b)), len(b)) }

// String appends a copy of s as a C string. A zero byte within s would end it early in C, so the caller excludes that.
func (f *Frame) String(s string) *Frame { return f.Bytes(append([]byte(s), 0)) }

// Words appends a pointer to the first word of w, or null if w is empty.
func (f *Frame) Words(w []uintptr) *Frame {
	return f.pointer(unsafe.Pointer(unsafe.SliceData(w)), len(w))
}

// Int32 appends a pointer to *p.
func (f *Frame) Int32(p *int32) *Frame { return f.pointer(unsafe.Pointer(p), 1) }

// Word appends a pointer to *p.
func (f *Frame) Word(p *uintptr) *Frame { return f.pointer(unsafe.Pointer(p), 1) }

// Ints appends a pointer to the first element of v, or null if v is empty.
func (f *Frame) Ints(v []int32) *Frame { return f.pointer(unsafe.Pointer(unsafe.SliceData(v)), len(v)) }

// Strings appends a pointer to the pointers of v, or null if v is empty. The vector lives on the heap and is kept.
func (f *Frame) Strings(v *StringVector) *Frame {
	if v == nil || len(v.ptrs) == 0 {
		return f.Int(0)
	}
	return f.pointer(unsafe.Pointer(unsafe.SliceData(v.ptrs)), len(v.ptrs))
}

func (f *Frame) pointer(p unsafe.Pointer, n int) *Frame {
	if n == 0 {
		p = nil
	}
	f.keep[f.n] = p // this store is what makes the pointee escape to the heap
	return f.Int(uintptr(p))
}

// Call calls fn with the arguments appended so far, returns its integer result, and recycles the frame, which must not
// be used afterwards.
func (f *Frame) Call(fn Func) uintptr {
	r := fn.Call(f.words[:f.n]...)
	runtime.KeepAlive(f)
	clear(f.keep[:f.n])
	clear(f.words[:f.n])
	f.n = 0
	frames.Put(f)
	return r
}

// StringVector is an array of C strings, as in `const char * const *`. It is immutable.
type StringVector struct{ ptrs []*byte }

// NewStringVector copies the strings of list as C strings; it returns nil for an empty list.
func NewStringVector(list []string) *StringVector {
	if len(list) == 0 {
		return nil
	}
	v := &StringVector{ptrs: make([]*byte, len(list))}
	for i, s := range list {
		v.ptrs[i] = unsafe.SliceData(append([]byte(s), 0))
	}
	return v
}

// maxCString bounds how far GoString looks for the terminating zero of a C string.
const maxCString = 1 << 20

// GoString copies the C string at address p; null gives the empty string. The memory at p belongs to C and must be
// valid up to its terminating zero byte.
func GoString(p uintptr) string {
	if p == 0 {
		return ""
	}
	var b []byte
	for chunk := uintptr(0); chunk < maxCString; chunk++ {
		c := *(*byte)(unsafe.Add(cPointer(p), chunk))
		if c == 0 {
			break
		}
		b = append(b, c)
	}
	return string(b)
}

// GoBytes copies n bytes at the C address p.
func GoBytes(p uintptr, n int) []byte {
	if p == 0 || n <= 0 {
		return nil
	}
	return bytes.Clone(unsafe.Slice((*byte)(cPointer(p)), n))
}

// cPointer converts an address that C gave us. It points to no Go object, so the collector ignores it; the detour keeps
// vet's rule about conversions from uintptr meaningful for the rest of the code.
func cPointer(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }
