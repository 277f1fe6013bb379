//go:build (amd64 || arm64) && ((linux && !android) || darwin) && !tandem_nodl

package dl

import (
	"runtime"
	"unsafe"

	_ "github.com/ebitengine/purego" // makes threads that Go and C can share
)

// sequenceABI0 is the address of a function of C's calling convention, which takes a *Sequence and makes its calls.
var sequenceABI0 uintptr

// The assembly knows where the fields are.
var (
	_ [unsafe.Offsetof(Step{}.Args) - 8]struct{}
	_ [8 - unsafe.Offsetof(Step{}.Args)]struct{}
	_ [unsafe.Offsetof(Step{}.Flag) - 96]struct{}
	_ [96 - unsafe.Offsetof(Step{}.Flag)]struct{}
	_ [unsafe.Offsetof(Step{}.Times) - 104]struct{}
	_ [104 - unsafe.Offsetof(Step{}.Times)]struct{}
	_ [unsafe.Offsetof(Step{}.Result) - 112]struct{}
	_ [112 - unsafe.Offsetof(Step{}.Result)]struct{}
	_ [unsafe.Sizeof(Step{}) - 120]struct{}
	_ [120 - unsafe.Sizeof(Step{})]struct{}
	_ [unsafe.Offsetof(Sequence{}.n) - 1920]struct{}
	_ [1920 - unsafe.Offsetof(Sequence{}.n)]struct{}
)

// cgocall is what purego's calls come to in the end. The runtime keeps it for purego by that name. Going there directly is
// twice as fast as a call through purego, which has to copy the arguments of any function.
//
//go:linkname cgocall runtime.cgocall
func cgocall(fn uintptr, arg unsafe.Pointer) int32

func (s *Sequence) run() {
	cgocall(sequenceABI0, unsafe.Pointer(s))
	runtime.KeepAlive(s)
}
