package nvrtc

import (
	"sync"
	"sync/atomic"

	"github.com/tandem-go/tandem/internal/dl"
)

// cancel carries the wish to stop into one compilation. NVRTC 12.9 and later ask, many times during a compilation,
// a callback whether to go on; to earlier versions the wish does not get through. A nil cancel is never wished for.
type cancel struct {
	id     uintptr
	wanted atomic.Bool
}

// cancels are the compilations that can be cancelled, by the number that NVRTC hands to the callback. There is one
// callback for the whole process, since callbacks cannot be freed.
var cancels struct {
	sync.Mutex
	byID map[uintptr]*cancel
	last uintptr
}

var flowCallback = sync.OnceValues(func() (uintptr, error) {
	return dl.NewCallback(func(id, _ uintptr) uintptr {
		cancels.Lock()
		defer cancels.Unlock()
		if c := cancels.byID[id]; c != nil && c.wanted.Load() {
			return 1
		}
		return 0
	})
})

func newCancel() *cancel {
	cancels.Lock()
	defer cancels.Unlock()
	if cancels.byID == nil {
		cancels.byID = map[uintptr]*cancel{}
	}
	cancels.last++
	c := &cancel{id: cancels.last}
	cancels.byID[c.id] = c
	return c
}

// attach lets NVRTC ask for c while it compiles prog, where it can.
func (c *cancel) attach(l *library, prog uintptr) {
	if c == nil || l.fn.setFlowCallback == 0 {
		return
	}
	fn, err := flowCallback()
	if err != nil { // no callback left in this process: the compilation runs to its end, as with older versions
		return
	}
	dl.NewFrame().Int(prog).Int(fn).Int(c.id).Call(l.fn.setFlowCallback)
}

// stop wishes the compilation to end.
func (c *cancel) stop() { c.wanted.Store(true) }

// release forgets c once its compilation has ended.
func (c *cancel) release() {
	cancels.Lock()
	defer cancels.Unlock()
	delete(cancels.byID, c.id)
}
