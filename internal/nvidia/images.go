package nvidia

import (
	"fmt"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

// array is a native array. Textures and surfaces of it are users of it, so that it outlives them.
type array struct {
	object
	native cuapi.Array
	desc   driver.ArrayDesc
	level  bool // of a mipmap, with which it ends
}

// view is a texture or surface object: what ends it, and the array or mipmap that it keeps, if any.
type view struct {
	of  *object
	end func() error
	// texture says what a texture reads, and on is a surface's array: what references are set to.
	texture driver.TextureDesc
	on      cuapi.Array
}

// views are the images of a device. Guarded by device.mu. Objects are known by the numbers that the driver gives them,
// because kernels take those.
type views struct {
	arrays   map[driver.Array]*array
	mipmaps  map[driver.Mipmap]*mipmap
	textures map[driver.Texture]view
	surfaces map[driver.Surface]view
}

func newViews() views {
	return views{map[driver.Array]*array{}, map[driver.Mipmap]*mipmap{}, map[driver.Texture]view{}, map[driver.Surface]view{}}
}

func badArray(h driver.Array) error {
	return fail(driver.InvalidHandle, "use array %#x: no such array on this device", uint64(h))
}

// array finds an array and counts the caller as its user.
func (d *device) array(h driver.Array) (*array, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	a, ok := d.views.arrays[h]
	if !ok {
		return nil, badArray(h)
	}
	a.acquire()
	return a, nil
}

// nativeDesc is a description as the driver takes it.
func nativeDesc(desc driver.ArrayDesc) cuapi.ArrayDesc {
	flags := 0
	for _, f := range []struct {
		on  bool
		bit int
	}{
		{desc.Layered, cuapi.ArrayLayered}, {desc.Cube, cuapi.ArrayCubemap},
		{desc.Surface, cuapi.ArraySurface}, {desc.Gather, cuapi.ArrayTextureGather},
	} {
		if f.on {
			flags |= f.bit
		}
	}
	return cuapi.ArrayDesc{
		Width: desc.Width, Height: desc.Height, Depth: desc.Depth, Format: int(desc.Format), Channels: desc.Channels, Flags: flags,
	}
}

// NewArray makes an array.
func (d *device) NewArray(desc driver.ArrayDesc) (driver.Array, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.users.leave()
	if !desc.Legal() {
		return 0, fail(driver.InvalidValue, "make array: %+v is no array", desc)
	}
	a := &array{desc: desc}
	if err := d.call(func() (err error) {
		a.native, err = d.api.ArrayCreate(nativeDesc(desc))
		return err
	}); err != nil {
		return 0, fmt.Errorf("make array: %w", err)
	}
	a.init(func() error {
		if err := d.settle(); err != nil {
			return err // in doubt it stays until the context ends
		}
		return d.quiet(func() error { return d.api.ArrayDestroy(a.native) })
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	h := driver.Array(d.handle())
	d.views.arrays[h] = a
	return h, nil
}

// DestroyArray frees an array when the work queued so far is done.
func (d *device) DestroyArray(h driver.Array) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.users.leave()
	d.mu.Lock()
	a, ok := d.views.arrays[h]
	if ok && !a.level {
		delete(d.views.arrays, h)
	}
	d.mu.Unlock()
	switch {
	case !ok:
		return badArray(h)
	case a.level:
		return fail(driver.InvalidValue, "destroy array %#x: it is a level of a mipmap", uint64(h))
	}
	return a.release()
}

// resource checks what a texture reads and describes it to the driver. The array or mipmap is in use.
func (d *device) resource(t *driver.TextureDesc) (r cuapi.Resource, of *object, err error) {
	switch {
	case t.Mipmap != 0:
		m, err := d.mipmap(t.Mipmap)
		if err != nil {
			return r, nil, err
		}
		return cuapi.Resource{Mipmap: m.native, Format: int(m.desc.Format)}, &m.object, nil
	case t.Array != 0:
		a, err := d.array(t.Array)
		if err != nil {
			return r, nil, err
		}
		return cuapi.Resource{Array: a.native, Format: int(a.desc.Format)}, &a.object, nil
	}
	desc := driver.ArrayDesc{Width: t.Width, Height: t.Height, Format: t.Format, Channels: t.Channels}
	row := uint64(t.Width) * uint64(desc.TexelBytes())
	switch {
	case !desc.Legal():
		return r, nil, fail(driver.InvalidValue, "%+v is no image", desc)
	case d.limits.textureAlign > 0 && uint64(t.Ptr)%uint64(d.limits.textureAlign) != 0:
		return r, nil, fail(driver.InvalidValue, "address %#x is not aligned to %d bytes", uint64(t.Ptr), d.limits.textureAlign)
	case t.Height > 0 && (t.Pitch < row || t.Pitch%max(1, uint64(d.limits.pitchAlign)) != 0 || t.Pitch > 1<<40):
		return r, nil, fail(driver.InvalidValue, "rows %d bytes apart: at least %d, and a multiple of %d", t.Pitch, row, d.limits.pitchAlign)
	}
	n := row
	if t.Height > 0 {
		n += t.Pitch * uint64(t.Height-1)
	}
	if err := d.check(t.Ptr, n); err != nil {
		return r, nil, err
	}
	return cuapi.Resource{
		Ptr: cuapi.DevicePtr(t.Ptr), Format: int(t.Format), Channels: t.Channels, Bytes: row,
		Width: uint64(t.Width), Height: uint64(t.Height), Pitch: t.Pitch,
	}, nil, nil
}

// NewTexture makes a texture object.
func (d *device) NewTexture(t *driver.TextureDesc) (driver.Texture, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.users.leave()
	if t == nil {
		return 0, fail(driver.InvalidValue, "make texture: no description")
	}
	r, of, err := d.resource(t)
	if err != nil {
		return 0, d.saw(fmt.Errorf("make texture: %w", err))
	}
	h, err := d.newTexture(t, &r)
	if err != nil {
		d.letGo(of)
		return 0, fmt.Errorf("make texture: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.views.textures[driver.Texture(h)] = view{of: of, end: func() error { return d.api.TexObjectDestroy(h) }, texture: *t}
	return driver.Texture(h), nil
}

// sampling checks how a texture is read and describes it to the driver.
func sampling(t *driver.TextureDesc, format driver.Format) (s cuapi.Sampling, err error) {
	integers := format != driver.Half && format != driver.Float
	switch {
	case t.Interpolates() && integers && (t.Integers || format.Bytes() == 4):
		return s, fail(driver.InvalidValue, "integers are not interpolated")
	case !t.LegalLevels():
		return s, fail(driver.InvalidValue, "a mipmap is read by normalised coordinates, and at levels from MinLevel to MaxLevel")
	}
	s = cuapi.Sampling{
		Linear: t.Linear, Normalized: t.Normalized, Integers: t.Integers, Border: t.Border,
		LinearLevels: t.LinearLevels, LevelBias: t.LevelBias, MinLevel: t.MinLevel, MaxLevel: t.MaxLevel,
	}
	for i, m := range t.Address {
		if m < driver.Wrap || m > driver.Border {
			return s, fail(driver.InvalidValue, "address mode %d", m)
		}
		s.Address[i] = int(m)
	}
	return s, nil
}

// newTexture makes a texture object of a resource.
func (d *device) newTexture(t *driver.TextureDesc, r *cuapi.Resource) (h cuapi.TexObject, err error) {
	s, err := sampling(t, driver.Format(r.Format))
	if err != nil {
		return 0, err
	}
	err = d.call(func() (err error) {
		h, err = d.api.TexObjectCreate(r, &s)
		return err
	})
	return h, err
}

// endView ends an object that was taken out of its table.
func (d *device) endView(v view) error {
	err := d.quiet(v.end)
	d.letGo(v.of)
	return err
}

// DestroyTexture ends a texture.
func (d *device) DestroyTexture(h driver.Texture) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.users.leave()
	d.mu.Lock()
	v, ok := d.views.textures[h]
	delete(d.views.textures, h)
	d.mu.Unlock()
	if !ok {
		return fail(driver.InvalidHandle, "destroy texture %#x: no such texture on this device", uint64(h))
	}
	return d.endView(v)
}

// NewSurface makes a surface object.
func (d *device) NewSurface(on driver.Array) (driver.Surface, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.users.leave()
	a, err := d.array(on)
	if err != nil {
		return 0, err
	}
	var h cuapi.SurfObject
	if !a.desc.Surface {
		err = fail(driver.InvalidValue, "the array was not made for surfaces")
	} else {
		err = d.call(func() (err error) {
			h, err = d.api.SurfObjectCreate(a.native)
			return err
		})
	}
	if err != nil {
		d.lose(a.release())
		return 0, fmt.Errorf("make surface: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.views.surfaces[driver.Surface(h)] = view{of: &a.object, end: func() error { return d.api.SurfObjectDestroy(h) }, on: a.native}
	return driver.Surface(h), nil
}

// DestroySurface ends a surface.
func (d *device) DestroySurface(h driver.Surface) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.users.leave()
	d.mu.Lock()
	v, ok := d.views.surfaces[h]
	delete(d.views.surfaces, h)
	d.mu.Unlock()
	if !ok {
		return fail(driver.InvalidHandle, "destroy surface %#x: no such surface on this device", uint64(h))
	}
	return d.endView(v)
}

// end checks one end of a copy and describes it to the driver. The array is in use.
func (d *device) end(r *driver.Region, p *driver.Place) (e cuapi.End, of *object, err error) {
	e = cuapi.End{Ptr: cuapi.DevicePtr(p.Ptr), Pitch: p.Pitch, Height: p.Height, X: p.X, Y: p.Y, Z: p.Z}
	if p.Array == 0 {
		first, n, ok := r.Span(p)
		if !ok {
			return e, nil, fail(driver.InvalidValue, "rows %d bytes and slices %d rows apart are too small for the box", p.Pitch, p.Height)
		}
		return e, nil, d.check(first, n)
	}
	a, err := d.array(p.Array)
	if err != nil {
		return e, nil, err
	}
	if !r.Within(p, &a.desc) {
		d.lose(a.release())
		return e, nil, fail(driver.InvalidValue, "%d x %d x %d bytes from (%d,%d,%d) are no whole texels of an array of %d x %d x %d texels of %d bytes",
			r.Width, r.Height, r.Depth, p.X, p.Y, p.Z, a.desc.Width, a.desc.Height, a.desc.Depth, a.desc.TexelBytes())
	}
	e.Array = a.native
	return e, &a.object, nil
}

// CopyRegion queues a copy of a box.
func (d *device) CopyRegion(r *driver.Region, h driver.Stream) error {
	s, err := d.transferOrCapture(h)
	if err != nil {
		return err
	}
	defer d.done(s)
	b, release, err := d.box(r, d)
	if err != nil {
		return d.saw(fmt.Errorf("copy a region: %w", err))
	}
	defer release()
	return d.call(func() error { return d.api.Memcpy3DAsync(b, s.native) })
}

// box checks a copy of a box to this device from one that may be another, and describes it to the driver. Arrays are in use
// until release.
func (d *device) box(r *driver.Region, src *device) (b *cuapi.Box, release func(), err error) {
	if r == nil || r.Width == 0 || r.Height == 0 || r.Depth == 0 {
		return nil, nil, fail(driver.InvalidValue, "it is empty")
	}
	b = &cuapi.Box{Width: r.Width, Height: r.Height, Depth: r.Depth}
	var to, from *object
	if b.Dst, to, err = d.end(r, &r.Dst); err != nil {
		return nil, nil, fmt.Errorf("destination: %w", err)
	}
	if b.Src, from, err = src.end(r, &r.Src); err != nil {
		d.letGo(to)
		return nil, nil, fmt.Errorf("source: %w", err)
	}
	release = func() {
		d.letGo(to)
		src.letGo(from)
	}
	if d.ctx == src.ctx && r.Overlaps() {
		release()
		return nil, nil, fail(driver.InvalidValue, "source and destination overlap")
	}
	return b, release, nil
}

// letGo ends the use of what a view or a copy uses, if anything.
func (d *device) letGo(o *object) {
	if o != nil {
		d.lose(o.release())
	}
}

// FillRows queues a fill of rows.
func (d *device) FillRows(dst driver.Ptr, pitch uint64, value uint32, width int, columns, rows uint64, h driver.Stream) error {
	s, err := d.transferOrCapture(h)
	if err != nil {
		return err
	}
	defer d.done(s)
	w := uint64(width)
	switch {
	case width != 1 && width != 2 && width != 4:
		return fail(driver.InvalidValue, "fill rows: width %d is not 1, 2 or 4", width)
	case uint64(dst)%w != 0 || pitch%w != 0:
		return fail(driver.InvalidValue, "fill rows: address %#x and pitch %d are not multiples of %d", uint64(dst), pitch, width)
	case columns == 0 || rows == 0:
		return nil
	case columns > maxAlloc/w || rows > 1 && pitch < columns*w:
		return fail(driver.InvalidValue, "fill rows: %d elements of %d bytes in rows %d bytes apart", columns, width, pitch)
	}
	r := driver.Region{Width: columns * w, Height: rows, Depth: 1}
	first, n, ok := r.Span(&driver.Place{Ptr: dst, Pitch: pitch, Height: rows})
	if !ok {
		return fail(driver.InvalidValue, "fill rows: %d rows %d bytes apart", rows, pitch)
	}
	if err := d.check(first, n); err != nil {
		return d.saw(fmt.Errorf("fill rows: %w", err))
	}
	return d.call(func() error {
		return d.api.MemsetD2Async(cuapi.DevicePtr(dst), pitch, value, width, columns, rows, s.native)
	})
}
