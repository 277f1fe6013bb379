package cuda

import (
	"fmt"

	"github.com/tandem-go/tandem/internal/driver"
)

// native is the device as one whose objects are CUDA's own.
func (d *Device) native(op string) (driver.Native, error) {
	if err := d.c.usable(op); err != nil {
		return nil, err
	}
	n, ok := d.c.drv.(driver.Native)
	if !ok {
		return nil, misused(op, ErrNotSupported, "%s has no objects of CUDA's driver", d.info.ID)
	}
	return n, nil
}

// nativeOf asks for one object's handle. res is what it belongs to, or nil.
func (d *Device) nativeOf(kind string, res *resource, ask func(driver.Native) (uintptr, error)) (uintptr, error) {
	op := "ask for CUDA's handle of a " + kind
	n, err := d.native(op)
	if err != nil {
		return 0, err
	}
	if res != nil {
		if err := res.acquire(op, kind); err != nil {
			return 0, err
		}
		defer res.release()
	}
	h, err := ask(n)
	return h, d.c.wrap(op, err)
}

// Native is the device's CUcontext, for other libraries that use CUDA's driver API. It stays the device's. The error wraps
// ErrNotSupported on the host device, as it does for all handles of CUDA's.
func (d *Device) Native() (uintptr, error) {
	return d.nativeOf("device", nil, driver.Native.NativeContext)
}

// Native is the stream's CUstream, which stays the stream's.
func (s *Stream) Native() (uintptr, error) {
	return s.dev.nativeOf("stream", s.res, func(n driver.Native) (uintptr, error) { return n.NativeStream(s.q.h) })
}

// Native is the event's CUevent, which stays the event's.
func (e *Event) Native() (uintptr, error) {
	res := e.current()
	return e.dev.nativeOf("event", res, func(n driver.Native) (uintptr, error) { return n.NativeEvent(eventOf(res)) })
}

// Native is the module's CUmodule, which stays the module's.
func (m *Module) Native() (uintptr, error) {
	return m.dev.nativeOf("module", m.res, func(n driver.Native) (uintptr, error) {
		return n.NativeModule(driver.Module(m.res.note.handle))
	})
}

// Native is the kernel's CUfunction, which stays its module's.
func (f *Function) Native() (uintptr, error) {
	return f.mod.dev.nativeOf("kernel", f.mod.res, func(n driver.Native) (uintptr, error) { return n.NativeFunction(f.h) })
}

// ForeignStream makes a stream of somebody else's CUstream, which belongs to the device's context. Close waits for the work on
// it and does not destroy it; until then its owner keeps it. The garbage collector never closes such a stream. The error wraps
// ErrNotSupported on the host device.
func (d *Device) ForeignStream(handle uintptr) (*Stream, error) {
	op := fmt.Sprintf("use stream %#x", handle)
	n, err := d.native(op)
	if err != nil {
		return nil, err
	}
	h, err := n.AdoptStream(handle)
	if err != nil {
		return nil, d.c.wrap(op, err)
	}
	return d.newStream(h, foreignStream), nil
}

// ForeignEvent makes an event of somebody else's CUevent; what ForeignStream says holds for it as well, but Close does not wait.
func (d *Device) ForeignEvent(handle uintptr) (*Event, error) {
	op := fmt.Sprintf("use event %#x", handle)
	n, err := d.native(op)
	if err != nil {
		return nil, err
	}
	h, err := n.AdoptEvent(handle)
	if err != nil {
		return nil, d.c.wrap(op, err)
	}
	return &Event{dev: d, res: &resource{c: d.c, note: note{kind: eventHandle, handle: uint64(h), gen: d.c.gen.Load()}}}, nil
}
