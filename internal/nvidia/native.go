package nvidia

import (
	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

// NativeContext is the device's CUcontext.
func (d *device) NativeContext() (uintptr, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.users.leave()
	return uintptr(d.ctx), nil
}

// NativeStream is the CUstream of a stream.
func (d *device) NativeStream(h driver.Stream) (uintptr, error) {
	return native(d, func() (uintptr, *object, error) {
		s, err := d.stream(h)
		if err != nil {
			return 0, nil, err
		}
		return uintptr(s.native), &s.object, nil
	})
}

// NativeEvent is the CUevent of an event.
func (d *device) NativeEvent(h driver.Event) (uintptr, error) {
	return native(d, func() (uintptr, *object, error) {
		e, err := d.event(h)
		if err != nil {
			return 0, nil, err
		}
		return uintptr(e.native), &e.object, nil
	})
}

// NativeModule is the CUmodule of a module.
func (d *device) NativeModule(h driver.Module) (uintptr, error) {
	return native(d, func() (uintptr, *object, error) {
		m, err := d.module(h)
		if err != nil {
			return 0, nil, err
		}
		return uintptr(m.native), &m.object, nil
	})
}

// native looks an object up while the device is open.
func native(d *device, look func() (uintptr, *object, error)) (uintptr, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.users.leave()
	h, o, err := look()
	if err != nil {
		return 0, err
	}
	return h, o.release()
}

// NativeFunction is the CUfunction of a kernel.
func (d *device) NativeFunction(h driver.Function) (uintptr, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.users.leave()
	d.mu.RLock()
	defer d.mu.RUnlock()
	f, ok := d.kernels[h]
	if !ok {
		return 0, fail(driver.InvalidHandle, "use kernel %#x: no such kernel on this device", uint64(h))
	}
	return uintptr(f.native), nil
}

// AdoptStream makes somebody else's stream known.
func (d *device) AdoptStream(h uintptr) (driver.Stream, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.users.leave()
	if h == 0 {
		return 0, fail(driver.InvalidHandle, "adopt a stream: its handle is 0")
	}
	s := &stream{native: cuapi.Stream(h)}
	s.init(func() error { return nil }) // its owner ends it
	d.mu.Lock()
	defer d.mu.Unlock()
	known := driver.Stream(d.handle())
	d.streams[known] = s
	return known, nil
}

// AdoptEvent makes somebody else's event known.
func (d *device) AdoptEvent(h uintptr) (driver.Event, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.users.leave()
	if h == 0 {
		return 0, fail(driver.InvalidHandle, "adopt an event: its handle is 0")
	}
	e := &event{native: cuapi.Event(h), recorded: true} // for all that is known
	e.init(func() error { return nil })
	d.mu.Lock()
	defer d.mu.Unlock()
	known := driver.Event(d.handle())
	d.events[known] = e
	return known, nil
}
