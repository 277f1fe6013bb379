package gl

import (
	"unsafe"

	"github.com/tandem-go/tandem/internal/dl"
)

// ProcAddress finds an OpenGL function by name; nil if there is none. It has the form of go-gl's and GLFW's.
type ProcAddress = func(name string) unsafe.Pointer

// function looks a function up.
func function(find ProcAddress, name string) dl.Func { return dl.Func(uintptr(find(name))) }
