package cuda

import (
	"errors"
	"fmt"

	"github.com/tandem-go/tandem/internal/driver"
)

// glObject is an object of OpenGL that is registered with a GPU.
type glObject struct {
	dev *Device
	drv driver.Graphics
	r   driver.Resource
	op  string
}

// registerGL registers an object by one of the driver's calls.
func (d *Device) registerGL(name string, call func(driver.Graphics) (driver.Resource, error)) (glObject, error) {
	o := glObject{dev: d, op: name}
	if err := d.c.usable("register " + name); err != nil {
		return o, err
	}
	var ok bool
	if o.drv, ok = d.c.drv.(driver.Graphics); !ok {
		return o, misused("register "+name, ErrNotSupported, "%s registers no graphics resources", d.info.ID)
	}
	var err error
	o.r, err = call(o.drv)
	return o, d.c.wrap("register "+name, err)
}

// Unregister ends the registration, and a mapping that is left.
func (o *glObject) Unregister() error {
	return o.dev.c.wrap("unregister "+o.op, o.drv.UnregisterResource(o.r))
}

// acquire makes the object the device's.
func (o *glObject) acquire() error {
	if err := o.dev.c.usable("map " + o.op); err != nil {
		return err
	}
	return o.dev.c.wrap("map "+o.op, o.drv.MapResource(o.r, 0))
}

// Unmap waits for the work queued on the device and gives the object back to OpenGL.
func (o *glObject) Unmap() error {
	if err := o.dev.c.quiesce(); err != nil {
		return o.dev.c.wrap("unmap "+o.op, err)
	}
	return o.dev.c.wrap("unmap "+o.op, o.drv.UnmapResource(o.r, 0))
}

// GLBuffer is a buffer of OpenGL that is registered with a GPU. It is what package interop/gl is made of, which serves the
// host device as well: use that. All methods must be called on the thread on which OpenGL's context is current.
type GLBuffer struct{ glObject }

// RegisterGLBuffer registers OpenGL's buffer of that name (cuGraphicsGLRegisterBuffer); flags are CUDA's. The error wraps
// ErrNotSupported on the host device.
func (d *Device) RegisterGLBuffer(name, flags uint32) (*GLBuffer, error) {
	o, err := d.registerGL(fmt.Sprintf("OpenGL buffer %d", name), func(g driver.Graphics) (driver.Resource, error) {
		return g.RegisterGLBuffer(name, flags)
	})
	if err != nil {
		return nil, err
	}
	return &GLBuffer{o}, nil
}

// Map makes the buffer's memory the device's after the work that OpenGL was asked for, and returns it. The caller closes it
// before Unmap.
func (b *GLBuffer) Map() (*Buffer[uint8], error) {
	if err := b.acquire(); err != nil {
		return nil, err
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

// GLImage is a texture or renderbuffer of OpenGL that is registered with a GPU. It is what package interop/gl is made of,
// which serves the host device as well: use that. All methods must be called on the thread on which OpenGL's context is current.
type GLImage struct{ glObject }

// RegisterGLImage registers OpenGL's texture or renderbuffer of that name (cuGraphicsGLRegisterImage); target is OpenGL's,
// flags are CUDA's. The error wraps ErrNotSupported on the host device, and ErrInvalidValue for a format that CUDA does not
// share.
func (d *Device) RegisterGLImage(name, target, flags uint32) (*GLImage, error) {
	o, err := d.registerGL(fmt.Sprintf("OpenGL image %d", name), func(g driver.Graphics) (driver.Resource, error) {
		return g.RegisterGLImage(name, target, flags)
	})
	if err != nil {
		return nil, err
	}
	return &GLImage{o}, nil
}

// Map makes the image the device's after the work that OpenGL was asked for.
func (i *GLImage) Map() error { return i.acquire() }

// Array is a part of the mapped image: the layer, or the face of a cube, of that index at a mipmap level. The caller closes
// it before Unmap and asks for each part once in a mapping.
func (i *GLImage) Array(index, level uint32) (*Array, error) {
	op := fmt.Sprintf("image %d, level %d, of %s", index, level, i.op)
	if err := i.dev.c.usable(op); err != nil {
		return nil, err
	}
	h, desc, err := i.drv.MappedArray(i.r, index, level)
	if err != nil {
		return nil, i.dev.c.wrap(op, err)
	}
	return &Array{dev: i.dev, res: i.dev.c.guarded(arrayHandle, uint64(h)), desc: desc}, nil
}

// OnGLDevice reports whether the OpenGL context that is current on this thread is on this device (cuGLGetDevices), so that
// they can share. Every context can share with the host device.
func (d *Device) OnGLDevice() (bool, error) {
	const op = "ask for OpenGL's device"
	if err := d.c.usable(op); err != nil {
		return false, err
	}
	g, ok := d.c.drv.(driver.Graphics)
	if !ok {
		return d.info.Kind == Host, nil
	}
	on, err := g.OnGLDevice()
	return on, d.c.wrap(op, err)
}

// Config describes the array.
func (a *Array) Config() ArrayConfig {
	return ArrayConfig{
		Width: a.desc.Width, Height: a.desc.Height, Depth: a.desc.Depth, Format: Format(a.desc.Format), Channels: a.desc.Channels,
		Layered: a.desc.Layered, Cube: a.desc.Cube, Surface: a.desc.Surface, Gather: a.desc.Gather,
	}
}
