package hostdev

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/engine/rt"
	"github.com/tandem-go/tandem/internal/ptx"
)

// array implements driver.Array: rows of texels without gaps.
type array struct {
	desc  driver.ArrayDesc
	addr  uint64
	bytes []byte
	level bool // of a mipmap, with which it ends
}

// images are the arrays and objects of a device. Guarded by device.mu.
type images struct {
	arrays   map[driver.Array]*array
	mipmaps  map[driver.Mipmap][]driver.Array // their levels
	textures map[driver.Texture]struct{}
	surfaces map[driver.Surface]struct{}
}

func newImages() images {
	return images{
		map[driver.Array]*array{}, map[driver.Mipmap][]driver.Array{}, map[driver.Texture]struct{}{}, map[driver.Surface]struct{}{},
	}
}

func (a *array) rowBytes() uint64 { return uint64(a.desc.Width) * uint64(a.desc.TexelBytes()) }
func (a *array) rows() uint64     { return uint64(max(a.desc.Height, 1)) }
func (a *array) slices() uint64   { return uint64(max(a.desc.Depth, 1)) }

// image describes the array to the runtime of kernels.
func (a *array) image() rt.Image {
	return rt.Image{
		Addr: a.addr, Width: a.desc.Width, Height: int(a.rows()), Depth: int(a.slices()),
		RowPitch: a.rowBytes(), SlicePitch: a.rowBytes() * a.rows(),
		Format: texelFormats[a.desc.Format], Channels: a.desc.Channels,
	}
}

// texelFormats are the runtime's names of CUDA's formats.
var texelFormats = map[driver.Format]rt.Format{
	driver.Unsigned8: rt.Unsigned8, driver.Unsigned16: rt.Unsigned16, driver.Unsigned32: rt.Unsigned32,
	driver.Signed8: rt.Signed8, driver.Signed16: rt.Signed16, driver.Signed32: rt.Signed32,
	driver.Half: rt.Half, driver.Float: rt.Float,
}

var addressModes = map[driver.AddressMode]rt.AddressMode{
	driver.Wrap: rt.Wrap, driver.Clamp: rt.Clamp, driver.Mirror: rt.Mirror, driver.Border: rt.Border,
}

func badArray(h driver.Array) error {
	return fail(driver.InvalidHandle, "use array %#x: no such array on this device", uint64(h))
}

// NewArray makes an array.
func (d *device) NewArray(desc driver.ArrayDesc) (driver.Array, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.mu.Unlock()
	return d.newArray(desc)
}

// newArray makes an array. The caller holds device.mu.
func (d *device) newArray(desc driver.ArrayDesc) (driver.Array, error) {
	if !desc.Legal() {
		return 0, fail(driver.InvalidValue, "make array: %+v is no array", desc)
	}
	a := &array{desc: desc}
	if a.slices() > (1<<47)/a.rows()/a.rowBytes() {
		return 0, fail(driver.OutOfMemory, "make array of %d x %d x %d texels", desc.Width, desc.Height, desc.Depth)
	}
	n := a.rowBytes() * a.rows() * a.slices()
	addr, err := d.mem.Alloc(n)
	if err == nil {
		a.bytes, err = d.mem.Bytes(addr, n)
	}
	if err != nil {
		return 0, fmt.Errorf("make array: %w: %w", statusOf(err), err)
	}
	a.addr = addr
	h := driver.Array(d.handle())
	d.images.arrays[h] = a
	return h, nil
}

// DestroyArray frees an array behind the work that is queued now.
func (d *device) DestroyArray(h driver.Array) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	a, ok := d.images.arrays[h]
	switch {
	case !ok:
		return badArray(h)
	case a.level:
		return fail(driver.InvalidValue, "destroy array %#x: it is a level of a mipmap", uint64(h))
	}
	return d.freeArrays(h)
}

// freeArrays forgets arrays and frees them behind the work that is queued now. The caller holds device.mu.
func (d *device) freeArrays(handles ...driver.Array) error {
	var addrs []uint64
	for _, h := range handles {
		addrs = append(addrs, d.images.arrays[h].addr)
		delete(d.images.arrays, h)
	}
	var err error
	d.afterQueued(func() {
		for _, addr := range addrs {
			err = errors.Join(err, d.mem.Free(addr))
		}
	})
	if err != nil {
		return fmt.Errorf("destroy array: %w: %w", statusOf(err), err)
	}
	return nil
}

// NewMipmap makes an array in levels of detail.
func (d *device) NewMipmap(desc driver.ArrayDesc, levels int) (driver.Mipmap, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.mu.Unlock()
	if !desc.Legal() || levels < 1 || levels > desc.Levels() {
		return 0, fail(driver.InvalidValue, "make mipmap: %+v is no array with %d levels", desc, levels)
	}
	var made []driver.Array
	for n := range levels {
		h, err := d.newArray(desc.Level(n))
		if err != nil {
			return 0, errors.Join(fmt.Errorf("make mipmap: level %d: %w", n, err), d.freeArrays(made...))
		}
		d.images.arrays[h].level = true
		made = append(made, h)
	}
	m := driver.Mipmap(d.handle())
	d.images.mipmaps[m] = made
	return m, nil
}

// mipmap finds the levels of a mipmap. The caller holds device.mu.
func (d *device) mipmap(m driver.Mipmap) ([]driver.Array, error) {
	levels, ok := d.images.mipmaps[m]
	if !ok {
		return nil, fail(driver.InvalidHandle, "use mipmap %#x: no such mipmap on this device", uint64(m))
	}
	return levels, nil
}

// MipmapLevel is a level of detail as an array.
func (d *device) MipmapLevel(m driver.Mipmap, level int) (driver.Array, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.mu.Unlock()
	levels, err := d.mipmap(m)
	if err != nil {
		return 0, err
	}
	if level < 0 || level >= len(levels) {
		return 0, fail(driver.InvalidValue, "level %d of a mipmap with %d", level, len(levels))
	}
	return levels[level], nil
}

// DestroyMipmap frees a mipmap behind the work that is queued now.
func (d *device) DestroyMipmap(m driver.Mipmap) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	levels, err := d.mipmap(m)
	if err != nil {
		return err
	}
	delete(d.images.mipmaps, m)
	return d.freeArrays(levels...)
}

// NewTexture makes a texture object.
func (d *device) NewTexture(t *driver.TextureDesc) (driver.Texture, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.mu.Unlock()
	if t == nil {
		return 0, fail(driver.InvalidValue, "make texture: no description")
	}
	if !t.LegalLevels() {
		return 0, fail(driver.InvalidValue, "make texture: a mipmap is read by normalised coordinates, and at levels from MinLevel to MaxLevel")
	}
	image, levels, err := d.source(t)
	if err != nil {
		return 0, fmt.Errorf("make texture: %w", err)
	}
	out := rt.Texture{
		Image: image, Linear: t.Linear, Normalized: t.Normalized, BorderColor: t.Border,
		Levels: levels, LinearLevels: t.LinearLevels, LevelBias: t.LevelBias, MinLevel: t.MinLevel, MaxLevel: t.MaxLevel,
	}
	small := image.Format.Bytes() < 4 && image.Format != rt.Half
	out.Unit = small && !t.Integers
	if t.Interpolates() && image.Format < rt.Half && !out.Unit {
		return 0, fail(driver.InvalidValue, "make texture: integers are not interpolated")
	}
	for i, m := range t.Address {
		mode, ok := addressModes[m]
		if !ok {
			return 0, fail(driver.InvalidValue, "make texture: address mode %d", m)
		}
		out.Address[i] = mode
	}
	if t.Array == 0 && t.Mipmap == 0 && t.Height == 0 { // beyond a row of texels in memory there are zeros
		out.Address[0], out.BorderColor, out.Linear = rt.Border, [4]float32{}, false
	}
	h := driver.Texture(d.rt.AddTexture(out))
	d.images.textures[h] = struct{}{}
	return h, nil
}

// source is the image that a texture reads, and its further levels of detail.
func (d *device) source(t *driver.TextureDesc) (rt.Image, []rt.Image, error) {
	switch {
	case t.Mipmap != 0:
		arrays, err := d.mipmap(t.Mipmap)
		if err != nil {
			return rt.Image{}, nil, err
		}
		images := make([]rt.Image, len(arrays))
		for i, h := range arrays {
			images[i] = d.images.arrays[h].image()
		}
		return images[0], images[1:], nil
	case t.Array != 0:
		a, ok := d.images.arrays[t.Array]
		if !ok {
			return rt.Image{}, nil, badArray(t.Array)
		}
		return a.image(), nil, nil
	}
	image, err := d.rows(t)
	return image, nil, err
}

// rows is the image that memory makes.
func (d *device) rows(t *driver.TextureDesc) (rt.Image, error) {
	desc := driver.ArrayDesc{Width: t.Width, Height: t.Height, Format: t.Format, Channels: t.Channels}
	row := uint64(t.Width) * uint64(desc.TexelBytes())
	switch {
	case !desc.Legal():
		return rt.Image{}, fail(driver.InvalidValue, "%+v is no image", desc)
	case t.Ptr%textureAlign != 0:
		return rt.Image{}, fail(driver.InvalidValue, "address %#x is not aligned to %d bytes", uint64(t.Ptr), textureAlign)
	case t.Height > 0 && (t.Pitch < row || t.Pitch%pitchAlign != 0 || t.Pitch > 1<<40):
		return rt.Image{}, fail(driver.InvalidValue, "rows %d bytes apart: at least %d, and a multiple of %d", t.Pitch, row, pitchAlign)
	}
	n := row
	if t.Height > 0 {
		n += t.Pitch * uint64(t.Height-1)
	}
	if _, err := d.bytes(t.Ptr, n); err != nil {
		return rt.Image{}, err
	}
	return rt.Image{
		Addr: uint64(t.Ptr), Width: t.Width, Height: max(t.Height, 1), Depth: 1, RowPitch: t.Pitch, SlicePitch: 0,
		Format: texelFormats[t.Format], Channels: t.Channels,
	}, nil
}

// DestroyTexture ends a texture.
func (d *device) DestroyTexture(h driver.Texture) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	if _, ok := d.images.textures[h]; !ok {
		return fail(driver.InvalidHandle, "destroy texture %#x: no such texture on this device", uint64(h))
	}
	delete(d.images.textures, h)
	d.rt.RemoveObject(uint64(h))
	return nil
}

// NewSurface makes a surface object.
func (d *device) NewSurface(h driver.Array) (driver.Surface, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.mu.Unlock()
	a, ok := d.images.arrays[h]
	if !ok {
		return 0, badArray(h)
	}
	if !a.desc.Surface {
		return 0, fail(driver.InvalidValue, "make surface: the array was not made for surfaces")
	}
	s := driver.Surface(d.rt.AddSurface(a.image()))
	d.images.surfaces[s] = struct{}{}
	return s, nil
}

// DestroySurface ends a surface.
func (d *device) DestroySurface(h driver.Surface) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	if _, ok := d.images.surfaces[h]; !ok {
		return fail(driver.InvalidHandle, "destroy surface %#x: no such surface on this device", uint64(h))
	}
	delete(d.images.surfaces, h)
	d.rt.RemoveObject(uint64(h))
	return nil
}

// BindTexture makes a texture reference, which is a variable, hold the handle of a texture.
func (d *device) BindTexture(m driver.Module, name string, t driver.Texture) error {
	return d.bind(m, name, ptx.TexRef, uint64(t))
}

// BindSurface makes a surface reference, which is a variable, hold the handle of a surface.
func (d *device) BindSurface(m driver.Module, name string, s driver.Surface) error {
	return d.bind(m, name, ptx.SurfRef, uint64(s))
}

// bind writes the handle of a texture or surface to a variable of type kind.
func (d *device) bind(h driver.Module, name string, kind ptx.Type, handle uint64) error {
	if err := d.use(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	m, ok := d.modules[h]
	if !ok {
		return badModule(h)
	}
	v := m.checked.Var(name)
	addr, ok := m.vars.at[v]
	if !ok || v.Decl.Type != kind {
		return fail(driver.NotFound, "find .%s %q", kind, name)
	}
	if kind == ptx.TexRef {
		_, ok = d.images.textures[driver.Texture(handle)]
	} else {
		_, ok = d.images.surfaces[driver.Surface(handle)]
	}
	if !ok {
		return fail(driver.InvalidHandle, "bind %q to %#x: no such object on this device", name, handle)
	}
	b, err := d.mem.Bytes(addr, 8)
	if err != nil {
		return fmt.Errorf("bind %q: %w: %w", name, statusOf(err), err)
	}
	binary.LittleEndian.PutUint64(b, handle)
	return nil
}

// box is one end of a copy of a region: rows of bytes from its first byte on.
type box struct {
	bytes        []byte
	pitch, slice uint64
}

// row is the n bytes of row y in slice z.
func (b *box) row(y, z, n uint64) []byte { return b.bytes[z*b.slice+y*b.pitch:][:n] }

// place finds the memory of one end.
func (d *device) place(r *driver.Region, p *driver.Place) (box, error) {
	if p.Array == 0 {
		first, n, ok := r.Span(p)
		if !ok {
			return box{}, fail(driver.InvalidValue, "rows %d bytes and slices %d rows apart are too small for the box", p.Pitch, p.Height)
		}
		bytes, err := d.bytes(first, n)
		return box{bytes, p.Pitch, p.Pitch * p.Height}, err
	}
	a, ok := d.images.arrays[p.Array]
	if !ok {
		return box{}, badArray(p.Array)
	}
	if !r.Within(p, &a.desc) {
		return box{}, fail(driver.InvalidValue, "%d x %d x %d bytes from (%d,%d,%d) are no whole texels of an array of %d x %d x %d texels of %d bytes",
			r.Width, r.Height, r.Depth, p.X, p.Y, p.Z, a.desc.Width, a.desc.Height, a.desc.Depth, a.desc.TexelBytes())
	}
	slice := a.rowBytes() * a.rows()
	return box{a.bytes[p.Z*slice+p.Y*a.rowBytes()+p.X:], a.rowBytes(), slice}, nil
}

// CopyRegion queues a copy of a box.
func (d *device) CopyRegion(r *driver.Region, h driver.Stream) error {
	if r != nil { // a graph keeps it
		kept := *r
		r = &kept
	}
	return d.submit(h, func(s *stream) error { return d.copyRegion(r, s) })
}

func (d *device) copyRegion(r *driver.Region, s *stream) error {
	if r == nil || r.Width == 0 || r.Height == 0 || r.Depth == 0 {
		return fail(driver.InvalidValue, "copy a region: it is empty")
	}
	to, err := d.place(r, &r.Dst)
	if err != nil {
		return fmt.Errorf("copy to a region: %w", err)
	}
	from, err := d.place(r, &r.Src)
	if err != nil {
		return fmt.Errorf("copy from a region: %w", err)
	}
	if r.Overlaps() {
		return fail(driver.InvalidValue, "copy a region: source and destination overlap")
	}
	w, rows, slices := r.Width, r.Height, r.Depth
	d.touch(s, w*rows*slices, to.bytes[:(slices-1)*to.slice+(rows-1)*to.pitch+w], func() {
		for z := range slices {
			for y := range rows {
				copy(to.row(y, z, w), from.row(y, z, w))
			}
		}
	})
	return nil
}

// touch queues f, which touches n bytes, writes within dst, and is called without device.mu.
func (d *device) touch(s *stream, n uint64, dst []byte, f func()) {
	t := d.newTask(taskWork)
	t.fn, t.dst = f, dst
	s.begin(t, n <= inlineBytes)
}

// FillRows queues a fill of rows.
func (d *device) FillRows(dst driver.Ptr, pitch uint64, value uint32, width int, columns, rows uint64, h driver.Stream) error {
	return d.submit(h, func(s *stream) error { return d.fillRows(dst, pitch, value, width, columns, rows, s) })
}

func (d *device) fillRows(dst driver.Ptr, pitch uint64, value uint32, width int, columns, rows uint64, s *stream) error {
	w := uint64(width)
	switch {
	case width != 1 && width != 2 && width != 4:
		return fail(driver.InvalidValue, "fill rows: width %d is not 1, 2 or 4", width)
	case uint64(dst)%w != 0 || pitch%w != 0:
		return fail(driver.InvalidValue, "fill rows: address %#x and pitch %d are not multiples of %d", uint64(dst), pitch, width)
	case columns == 0 || rows == 0:
		return nil
	case columns > 1<<47/w || rows > 1 && pitch < columns*w:
		return fail(driver.InvalidValue, "fill rows: %d elements of %d bytes in rows %d bytes apart", columns, width, pitch)
	}
	r := driver.Region{Width: columns * w, Height: rows, Depth: 1}
	p := driver.Place{Ptr: dst, Pitch: pitch, Height: rows}
	first, n, ok := r.Span(&p)
	if !ok {
		return fail(driver.InvalidValue, "fill rows: %d rows %d bytes apart", rows, pitch)
	}
	bytes, err := d.bytes(first, n)
	if err != nil {
		return fmt.Errorf("fill rows: %w", err)
	}
	b := box{bytes, pitch, 0}
	d.touch(s, n, bytes, func() {
		for y := range rows {
			fill(b.row(y, 0, columns*w), value, width)
		}
	})
	return nil
}
