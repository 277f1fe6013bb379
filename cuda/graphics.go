package cuda

import (
	"errors"
	"fmt"

	"github.com/tandem-go/tandem/internal/driver"
)

// GLBuffer is a buffer of OpenGL that is registered with a GPU. It is what package interop/gl is made of, which serves the
// host device as well: use that. All methods must be called on the thread on which OpenGL's context is current.
type GLBuffer struct {
	dev *Device
	drv driver.Graphics
	r   driver.Resource
	op  string
}

// RegisterGLBuffer registers OpenGL's buffer of that name (cuGraphicsGLRegisterBuffer); flags are CUDA's. The error wraps
// ErrNotSupported on the host device.
func (d *Device) RegisterGLBuffer(name, flags uint32) (*GLBuffer, error) {
	b := &GLBuffer{dev: d, op: fmt.Sprintf("OpenGL buffer %d", name)}
	if err := d.c.usable("register " + b.op); err != nil {
		return nil, err
	}
	var ok bool
	if b.drv, ok = d.c.drv.(driver.Graphics); !ok {
		return nil, misused("register "+b.op, ErrNotSupported, "%s registers no graphics resources", d.info.ID)
	}
	var err error
	if b.r, err = b.drv.RegisterGLBuffer(name, flags); err != nil {
		return nil, d.c.wrap("register "+b.op, err)
	}
	return b, nil
}

// Map makes the buffer's memory the device's after the work that OpenGL was asked for, and returns it. The caller closes it
// before Unmap.
func (b *GLBuffer) Map() (*Buffer[uint8], error) {
	if err := b.dev.c.usable("map " + b.op); err != nil {
		return nil, err
	}
	if err := b.drv.MapResource(b.r, 0); err != nil {
		return nil, b.dev.c.wrap("map "+b.op, err)
	}
	p, n, err := b.drv.MappedPointer(b.r)
	var mem *Buffer[uint8]
	if err == nil {
		mem, err = Foreign[uint8](b.dev, uint64(p), int(n))
	}
	if err != nil {
		return nil, b.dev.c.wrap("map "+b.op, errors.Join(err, b.drv.UnmapResource(b.r, 0)))
	}
	return mem, nil
}

// Unmap waits for the work queued on the device and gives the buffer back to OpenGL.
func (b *GLBuffer) Unmap() error {
	if err := b.dev.c.quiesce(); err != nil {
		return b.dev.c.wrap("unmap "+b.op, err)
	}
	return b.dev.c.wrap("unmap "+b.op, b.drv.UnmapResource(b.r, 0))
}

// Unregister ends the registration, and a mapping that is left.
func (b *GLBuffer) Unregister() error {
	return b.dev.c.wrap("unregister "+b.op, b.drv.UnregisterResource(b.r))
}
