package nvidia

import (
	"sync"

	"github.com/tandem-go/tandem/internal/dl"
)

// hostCalls are the host functions that are queued in this process. The driver gets a number for each, since C must not
// hold a pointer to Go memory.
var hostCalls struct {
	sync.Mutex
	last  uintptr
	calls map[uintptr]hostCall
}

type hostCall struct {
	d    *device
	f    func()
	kept bool // a graph calls it again and again
}

func addHostCall(d *device, f func(), kept bool) (id uintptr) {
	hostCalls.Lock()
	defer hostCalls.Unlock()
	if hostCalls.calls == nil {
		hostCalls.calls = map[uintptr]hostCall{}
	}
	hostCalls.last++
	hostCalls.calls[hostCalls.last] = hostCall{d, f, kept}
	return hostCalls.last
}

// takeHostCall returns a call, and removes it unless a graph keeps it; nil if there is none.
func takeHostCall(id uintptr) func() {
	hostCalls.Lock()
	defer hostCalls.Unlock()
	c := hostCalls.calls[id]
	if !c.kept {
		delete(hostCalls.calls, id)
	}
	return c.f
}

// dropHostCall removes a call.
func dropHostCall(id uintptr) {
	hostCalls.Lock()
	defer hostCalls.Unlock()
	delete(hostCalls.calls, id)
}

// dropHostCalls removes the calls of a device that is closed: those behind a fault are never made.
func dropHostCalls(d *device) {
	hostCalls.Lock()
	defer hostCalls.Unlock()
	for id, c := range hostCalls.calls {
		if c.d == d {
			delete(hostCalls.calls, id)
		}
	}
}

// hostCallback is the C function behind every host function: callbacks can never be freed, so there is one. The driver
// calls it on a thread of its own. The Go function runs on a goroutine, where it may do what goroutines do.
var hostCallback = sync.OnceValues(func() (uintptr, error) {
	return dl.NewCallback(func(id uintptr) uintptr {
		if f := takeHostCall(id); f != nil {
			done := make(chan struct{})
			go func() {
				defer close(done)
				f()
			}()
			<-done
		}
		return 0
	})
})
