//go:build gorgonia && cgo

package gorgonia

import (
	"fmt"
	"runtime"

	"gorgonia.org/cu"

	"github.com/tandem-go/tandem/cuda"
)

// Context is the device's context as one of gorgonia's, which is not destroyed by its finalizer. Run its Run method on a
// goroutine of its own before anything else, as gorgonia asks, and never call its Close: that would destroy the device's context.
func Context(d *cuda.Device, flags cu.ContextFlags) (*cu.Ctx, error) {
	h, err := d.Native()
	if err != nil {
		return nil, fmt.Errorf("convert a device: %w", err)
	}
	ordinal, err := Device(d)
	if err != nil {
		return nil, err
	}
	c := cu.CtxFromCUContext(ordinal, handle[cu.CUContext](h), flags)
	runtime.SetFinalizer(c, nil)
	return c, nil
}

// CUContext is the device's context as gorgonia's handle of it, for its functions that take one.
func CUContext(d *cuda.Device) (cu.CUContext, error) {
	h, err := d.Native()
	return handle[cu.CUContext](h), err
}

// Device is the device as gorgonia's number of it.
func Device(d *cuda.Device) (cu.Device, error) {
	if d.Info().Kind != cuda.GPU {
		return 0, fmt.Errorf("convert device %s: %w", d.Info().ID, cuda.ErrNotSupported)
	}
	var n int
	if _, err := fmt.Sscanf(d.Info().ID, "gpu:%d", &n); err != nil {
		return 0, fmt.Errorf("convert device %s: %w", d.Info().ID, err)
	}
	return cu.GetDevice(n)
}

// FromDevice opens the device of gorgonia's number.
func FromDevice(d cu.Device) (*cuda.Device, error) {
	n, err := cu.NumDevices()
	if err != nil {
		return nil, fmt.Errorf("convert device %d: %w", int(d), err)
	}
	for i := range n {
		if same, err := cu.GetDevice(i); err == nil && same == d {
			return cuda.Open(fmt.Sprintf("gpu:%d", i))
		}
	}
	return nil, fmt.Errorf("convert device %d: %w", int(d), cuda.ErrNoDevice)
}

// Stream is the stream as gorgonia's.
func Stream(s *cuda.Stream) (cu.Stream, error) {
	h, err := s.Native()
	return handle[cu.Stream](h), err
}

// FromStream is gorgonia's stream as one of the device, whose context it must belong to.
func FromStream(d *cuda.Device, s cu.Stream) (*cuda.Stream, error) { return d.ForeignStream(word(s)) }

// Event is the event as gorgonia's.
func Event(e *cuda.Event) (cu.Event, error) {
	h, err := e.Native()
	return handle[cu.Event](h), err
}

// FromEvent is gorgonia's event as one of the device, whose context it must belong to.
func FromEvent(d *cuda.Device, e cu.Event) (*cuda.Event, error) { return d.ForeignEvent(word(e)) }

// Module is the module as gorgonia's.
func Module(m *cuda.Module) (cu.Module, error) {
	h, err := m.Native()
	return handle[cu.Module](h), err
}

// Function is the kernel as gorgonia's.
func Function(f *cuda.Function) (cu.Function, error) {
	h, err := f.Native()
	return handle[cu.Function](h), err
}

// DevicePtr is the buffer's memory as gorgonia's address.
func DevicePtr[T cuda.Element](b *cuda.Buffer[T]) cu.DevicePtr { return cu.DevicePtr(b.Ptr()) }

// FromDevicePtr is n elements of gorgonia's memory as a buffer of the device.
func FromDevicePtr[T cuda.Element](d *cuda.Device, p cu.DevicePtr, n int) (*cuda.Buffer[T], error) {
	return cuda.Foreign[T](d, uint64(p), n)
}
