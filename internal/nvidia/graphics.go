package nvidia

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

// graphic is a registered object of OpenGL. Its fields are guarded by device.mu.
type graphic struct {
	native cuapi.GraphicsResource
	mapped bool
	base   driver.Ptr            // of the region that the mapping is known as, 0 if nobody asked
	parts  map[part]driver.Array // of a mapped image, as far as somebody asked
}

// part is a layer or face of an image, at a mipmap level.
type part struct{ index, level uint32 }

// CUDA's codes for mistakes with resources.
const (
	alreadyMapped driver.Status = 208
	notMapped     driver.Status = 211
	noContext     driver.Status = 219
)

// graphic finds a resource.
func (d *device) graphic(r driver.Resource) (*graphic, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	g, ok := d.graphics[r]
	if !ok {
		return nil, fail(driver.InvalidHandle, "use graphics resource %#x: no such resource on this device", uint64(r))
	}
	return g, nil
}

// RegisterGLBuffer registers a buffer of OpenGL.
func (d *device) RegisterGLBuffer(name, flags uint32) (driver.Resource, error) {
	r, err := d.registerGraphic(func() (cuapi.GraphicsResource, error) { return d.api.GraphicsGLRegisterBuffer(name, flags) })
	if err != nil {
		return 0, fmt.Errorf("register OpenGL buffer %d: %w", name, err)
	}
	return r, nil
}

// RegisterGLImage registers a texture or renderbuffer of OpenGL.
func (d *device) RegisterGLImage(name, target, flags uint32) (driver.Resource, error) {
	r, err := d.registerGraphic(func() (cuapi.GraphicsResource, error) {
		return d.api.GraphicsGLRegisterImage(name, target, flags)
	})
	if err != nil {
		return 0, fmt.Errorf("register OpenGL image %d of target %#x: %w", name, target, err)
	}
	return r, nil
}

// registerGraphic notes what register registers.
func (d *device) registerGraphic(register func() (cuapi.GraphicsResource, error)) (driver.Resource, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.users.leave()
	var native cuapi.GraphicsResource
	err := d.call(func() (err error) {
		native, err = register()
		return err
	})
	if err != nil {
		return 0, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.graphics[driver.Resource(native)] = &graphic{native: native, parts: map[part]driver.Array{}}
	return driver.Resource(native), nil
}

// OnGLDevice reports whether OpenGL's current context is on this device.
func (d *device) OnGLDevice() (on bool, err error) {
	if err := d.use(); err != nil {
		return false, err
	}
	defer d.users.leave()
	err = d.call(func() error {
		devices, err := d.api.GLGetDevices()
		on = slices.Contains(devices, d.native)
		return err
	})
	if errors.Is(err, noContext) || errors.Is(err, driver.NoDevice) {
		return false, nil // a context of another vendor's, or none
	}
	return on, err
}

// UnregisterResource ends a registration, and a mapping with it.
func (d *device) UnregisterResource(r driver.Resource) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.users.leave()
	g, err := d.graphic(r)
	if err != nil {
		return err
	}
	d.mu.Lock()
	delete(d.graphics, r)
	d.mu.Unlock()
	return d.endGraphic(g)
}

// endGraphic ends a registration that stands in no table any more.
func (d *device) endGraphic(g *graphic) error {
	d.mu.Lock()
	mapped := g.mapped
	d.unmapped(g)
	d.mu.Unlock()
	var unmap error
	if mapped {
		unmap = d.quiet(func() error { return d.api.GraphicsUnmapResource(g.native, 0) })
	}
	return errors.Join(unmap, d.quiet(func() error { return d.api.GraphicsUnregisterResource(g.native) }))
}

// endGraphics ends all registrations when the device is closed. Without OpenGL's context the driver refuses that; then they end
// with the context of the device.
func (d *device) endGraphics() error {
	var errs []error
	for _, g := range d.graphics { // nobody changes it any more
		if err := d.endGraphic(g); !errors.Is(err, noContext) {
			errs = append(errs, err)
		}
	}
	clear(d.graphics)
	return errors.Join(errs...)
}

// unmapped notes that a mapping has ended. The caller holds device.mu.
func (d *device) unmapped(g *graphic) {
	g.mapped = false
	if g.base != 0 {
		d.regions.remove(g.base, graphicsMemory)
		g.base = 0
	}
	for p, h := range g.parts {
		if a, ok := d.views.arrays[h]; ok {
			delete(d.views.arrays, h)
			_ = a.release() // of OpenGL's memory, which nothing here frees
		}
		delete(g.parts, p)
	}
}

// MapResource makes a resource the device's.
func (d *device) MapResource(r driver.Resource, s driver.Stream) error {
	g, err := d.graphic(r)
	if err != nil {
		return err
	}
	d.mu.RLock()
	mapped := g.mapped
	d.mu.RUnlock()
	if mapped {
		return fail(alreadyMapped, "map graphics resource %#x: it is mapped", uint64(r))
	}
	if err := d.onStream(s, func(s cuapi.Stream) error { return d.api.GraphicsMapResource(g.native, s) }); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	g.mapped = true
	return nil
}

// UnmapResource gives a resource back to OpenGL after the work on s.
func (d *device) UnmapResource(r driver.Resource, s driver.Stream) error {
	g, err := d.graphic(r)
	if err != nil {
		return err
	}
	d.mu.Lock()
	mapped := g.mapped
	d.unmapped(g)
	d.mu.Unlock()
	if !mapped {
		return fail(notMapped, "unmap graphics resource %#x: it is not mapped", uint64(r))
	}
	return d.onStream(s, func(s cuapi.Stream) error { return d.api.GraphicsUnmapResource(g.native, s) })
}

// MappedPointer is the memory of a mapped buffer, which the device knows until the mapping ends.
func (d *device) MappedPointer(r driver.Resource) (p driver.Ptr, n uint64, err error) {
	if err := d.use(); err != nil {
		return 0, 0, err
	}
	defer d.users.leave()
	g, err := d.graphic(r)
	if err != nil {
		return 0, 0, err
	}
	var native cuapi.DevicePtr
	err = d.call(func() (err error) {
		native, n, err = d.api.GraphicsMappedPointer(g.native)
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("memory of graphics resource %#x: %w", uint64(r), err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if g.base == 0 && g.mapped && n > 0 {
		g.base = driver.Ptr(native)
		d.regions.add(region{base: g.base, size: n, kind: graphicsMemory})
	}
	return driver.Ptr(native), n, nil
}

// MappedArray is a part of a mapped image, which the device knows as an array until the mapping ends.
func (d *device) MappedArray(r driver.Resource, index, level uint32) (driver.Array, driver.ArrayDesc, error) {
	if err := d.use(); err != nil {
		return 0, driver.ArrayDesc{}, err
	}
	defer d.users.leave()
	g, err := d.graphic(r)
	if err != nil {
		return 0, driver.ArrayDesc{}, err
	}
	a := &array{}
	a.init(func() error { return nil }) // it is OpenGL's
	var desc cuapi.ArrayDesc
	err = d.call(func() (err error) {
		if a.native, err = d.api.GraphicsMappedArray(g.native, index, level); err == nil {
			desc, err = d.api.ArrayGetDescriptor(a.native)
		}
		return err
	})
	if err != nil {
		return 0, driver.ArrayDesc{}, fmt.Errorf("image %d, level %d, of graphics resource %#x: %w", index, level, uint64(r), err)
	}
	a.desc = driver.ArrayDesc{
		Width: desc.Width, Height: desc.Height, Depth: desc.Depth, Format: driver.Format(desc.Format), Channels: desc.Channels,
		Layered: desc.Flags&cuapi.ArrayLayered != 0, Cube: desc.Flags&cuapi.ArrayCubemap != 0,
		Surface: desc.Flags&cuapi.ArraySurface != 0, Gather: desc.Flags&cuapi.ArrayTextureGather != 0,
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !g.mapped {
		return 0, driver.ArrayDesc{}, fail(notMapped, "image of graphics resource %#x: it is not mapped", uint64(r))
	}
	if h, ok := g.parts[part{index, level}]; ok && d.views.arrays[h] != nil {
		return h, a.desc, nil
	}
	h := driver.Array(d.handle())
	d.views.arrays[h] = a
	g.parts[part{index, level}] = h
	return h, a.desc, nil
}
