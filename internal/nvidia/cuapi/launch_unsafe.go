package cuapi

import (
	"runtime"
	"sync"
	"unsafe"

	"github.com/tandem-go/tandem/internal/dl"
)

// Launch is a call of cuLaunchKernel or cuLaunchCooperativeKernel: extents in blocks and threads, bytes of dynamic
// shared memory.
type Launch struct {
	Function            Function
	GridX, GridY, GridZ uint32
	X, Y, Z             uint32
	SharedBytes         uint32
	Stream              Stream
	// Params is the parameter block. The driver reads it before the call returns.
	Params []byte
	// Layout is where the parameters lie in the block, for calls that take each by itself; nil if that is not known.
	Layout []Param
}

// Param is where a parameter lies in a block, in bytes.
type Param struct{ Offset, Size int }

// frame begins the argument list of a launch.
func (k *Launch) frame() *dl.Frame {
	return dl.NewFrame().Int(uintptr(k.Function)).
		Int(uintptr(k.GridX)).Int(uintptr(k.GridY)).Int(uintptr(k.GridZ)).
		Int(uintptr(k.X)).Int(uintptr(k.Y)).Int(uintptr(k.Z)).
		Int(uintptr(k.SharedBytes)).Int(uintptr(k.Stream))
}

// extra is the array through which cuLaunchKernel takes a parameter block as a whole, with what it points to. It lives
// on the heap, since the words hide their pointers from the collector.
type extra struct {
	words  [5]uintptr
	size   uintptr
	params []byte
	calls  dl.Sequence
}

var extras = sync.Pool{New: func() any { return new(extra) }}

// extra describes the parameter block of a launch, until done.
func (k *Launch) extra() *extra {
	x := extras.Get().(*extra)
	x.params, x.size = k.Params, uintptr(len(k.Params))
	x.words = [5]uintptr{
		launchParamBufferPointer, uintptr(unsafe.Pointer(unsafe.SliceData(x.params))),
		launchParamBufferSize, uintptr(unsafe.Pointer(&x.size)),
		launchParamEnd,
	}
	return x
}

// done keeps what a call pointed to until here, and gives it back.
func (x *extra) done() {
	runtime.KeepAlive(x)
	x.params = nil
	extras.Put(x)
}

// LaunchKernel makes the context current on a thread and queues a kernel on it, in one transition to C. It passes the parameter
// block as a whole (CU_LAUNCH_PARAM_BUFFER_POINTER) and allocates nothing: therefore k is no pointer, which would escape through
// the interface Calls.
func (l *Library) LaunchKernel(c Context, k Launch) error {
	first, err := l.resolve(CtxSetCurrent)
	if err != nil {
		return err
	}
	second, err := l.resolve(LaunchKernel)
	if err != nil {
		return err
	}
	x := k.extra()
	calls := [2]Entry{CtxSetCurrent, LaunchKernel}
	s := &x.calls
	s.Reset()
	*s.Add() = dl.Step{Fn: first, Args: [11]uintptr{uintptr(c)}}
	launch := s.Add()
	*launch = dl.Step{Fn: second, Args: [11]uintptr{
		uintptr(k.Function), uintptr(k.GridX), uintptr(k.GridY), uintptr(k.GridZ), uintptr(k.X), uintptr(k.Y), uintptr(k.Z),
		uintptr(k.SharedBytes), uintptr(k.Stream),
	}}
	if len(k.Params) > 0 {
		launch.Args[10] = uintptr(unsafe.Pointer(&x.words))
	}
	if at := s.Run(); at < len(calls) {
		err = &CallError{Symbol: *l.symbols[calls[at]].Load(), Result: Result(uint32(s.Step(at).Result)), library: l}
	}
	x.done()
	return err
}

// LaunchCooperativeKernel queues a kernel whose blocks are all resident at once. The driver takes one pointer for each
// parameter here, so the layout must be given.
func (l *Library) LaunchCooperativeKernel(k *Launch) error {
	x := k.extra()
	pointers := make([]uintptr, len(k.Layout))
	for i, p := range k.Layout {
		pointers[i] = uintptr(unsafe.Pointer(&x.params[p.Offset]))
	}
	err := l.call(LaunchCooperativeKernel, k.frame().Words(pointers))
	x.done()
	return err
}
