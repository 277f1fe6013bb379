//go:build (amd64 || arm64) && ((linux && !android) || darwin) && !tandem_nodl

package dl

import (
	"runtime"
	"unsafe"
)

// pairABI0 is the address of a function of C's calling convention, which takes a *Pair and makes its calls.
var pairABI0 uintptr

// The assembly knows where the fields are.
var (
	_ [unsafe.Offsetof(Pair{}.Second) - 16]struct{}
	_ [16 - unsafe.Offsetof(Pair{}.Second)]struct{}
	_ [unsafe.Offsetof(Pair{}.Args) - 24]struct{}
	_ [24 - unsafe.Offsetof(Pair{}.Args)]struct{}
	_ [unsafe.Offsetof(Pair{}.result) - 112]struct{}
	_ [112 - unsafe.Offsetof(Pair{}.result)]struct{}
	_ [unsafe.Offsetof(Pair{}.passed) - 116]struct{}
	_ [116 - unsafe.Offsetof(Pair{}.passed)]struct{}
)

func (p *Pair) run() {
	cgocall(pairABI0, unsafe.Pointer(p))
	runtime.KeepAlive(p)
}
