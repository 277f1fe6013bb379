package cuda

import (
	"context"
	"fmt"

	"github.com/tandem-go/tandem/internal/driver"
)

// Format is the type of one channel of a texel.
type Format int

// The formats, by CUDA's numbers (CUarray_format).
const (
	FormatUint8   = Format(driver.Unsigned8)
	FormatUint16  = Format(driver.Unsigned16)
	FormatUint32  = Format(driver.Unsigned32)
	FormatInt8    = Format(driver.Signed8)
	FormatInt16   = Format(driver.Signed16)
	FormatInt32   = Format(driver.Signed32)
	FormatFloat16 = Format(driver.Half)
	FormatFloat32 = Format(driver.Float)
)

// ArrayConfig describes an Array. Width, Format and Channels are required.
type ArrayConfig struct {
	_ struct{}
	// Width, Height and Depth are in texels; Height and Depth are 0 in dimensions that are not there. Of a layered array
	// Depth is the number of layers, of cubes six for each.
	Width, Height, Depth int
	Format               Format
	// Channels is 1, 2 or 4; 0 means 1.
	Channels int
	// Layered and Cube say what Depth counts. Surface allows NewSurface, Gather the reading of four texels at a time.
	Layered, Cube, Surface, Gather bool
}

// desc is the configuration as the driver takes it.
func (cfg *ArrayConfig) desc() driver.ArrayDesc {
	return driver.ArrayDesc{
		Width: cfg.Width, Height: cfg.Height, Depth: cfg.Depth, Format: driver.Format(cfg.Format), Channels: max(cfg.Channels, 1),
		Layered: cfg.Layered, Cube: cfg.Cube, Surface: cfg.Surface, Gather: cfg.Gather,
	}
}

// Array is memory for texels in a layout of the device's own, which kernels read through a Texture and write through a
// Surface. Its methods may be called from any goroutine.
type Array struct {
	dev   *Device
	res   *resource    // of a level, the mipmap's
	level driver.Array // of a mipmap; 0 of an array by itself
	desc  driver.ArrayDesc
}

func (a *Array) handle() driver.Array {
	if a.level != 0 {
		return a.level
	}
	return driver.Array(a.res.note.handle)
}

// NewArray makes an array with undefined contents. The error wraps ErrInvalidValue for a description of no array.
func (d *Device) NewArray(cfg ArrayConfig) (*Array, error) {
	const op = "make array"
	if err := d.c.usable(op); err != nil {
		return nil, err
	}
	desc := cfg.desc()
	var h driver.Array
	err := d.c.withMemory(func() (err error) {
		h, err = d.c.drv.NewArray(desc)
		return err
	})
	if err != nil {
		return nil, d.c.wrap(op, err)
	}
	return &Array{dev: d, res: d.c.guarded(arrayHandle, uint64(h)), desc: desc}, nil
}

// guarded is a resource that the garbage collector frees if nobody does.
func (c *core) guarded(k kind, handle uint64) *resource {
	r := &resource{c: c, note: note{kind: k, handle: handle, gen: c.gen.Load()}}
	r.guard()
	return r
}

// Device returns the array's device.
func (a *Array) Device() *Device { return a.dev }

// Close frees the array once all work queued so far is done. Textures and surfaces of it can no longer be used. A level of a mipmap ends
// with that.
func (a *Array) Close() error {
	if a.level != 0 {
		return nil
	}
	return a.res.close()
}

// rows and slices are at least 1.
func (a *Array) rows() int   { return max(a.desc.Height, 1) }
func (a *Array) slices() int { return max(a.desc.Depth, 1) }

// texels checks that n elements of size bytes are the whole array.
func (a *Array) texels(op string, n, size int) error {
	have := a.desc.Width * a.rows() * a.slices() * a.desc.TexelBytes()
	if n*size != have {
		return misused(op, ErrLength, "%d bytes, the array has %d", n*size, have)
	}
	return nil
}

// whole is the extent of the array.
func (a *Array) whole() Extent { return Extent{a.desc.Width, a.rows(), a.slices()} }

// FillArray waits for the device's default stream and copies src into the array: all of it, row by row, in the size of its
// texels. Lengths that differ give an error that wraps ErrLength.
func FillArray[T Element](ctx context.Context, a *Array, src []T) error {
	op := fmt.Sprintf("copy %d elements to an array", len(src))
	if err := a.texels(op, len(src), sizeOf[T]()); err != nil {
		return err
	}
	b, err := Upload(ctx, a.dev, bytesOf(src))
	if err != nil {
		return err
	}
	defer b.Close()
	if err := CopyBox(a.At(0, 0, 0), a.plain(b), a.whole(), nil); err != nil {
		return err
	}
	return a.dev.c.wait(ctx, op, a.dev.c.main)
}

// ReadArray waits for the device's default stream and copies the array into dst: all of it. Lengths that differ give an
// error that wraps ErrLength. dst is unchanged if there is an error.
func ReadArray[T Element](ctx context.Context, dst []T, a *Array) error {
	op := fmt.Sprintf("copy %d elements from an array", len(dst))
	if err := a.texels(op, len(dst), sizeOf[T]()); err != nil {
		return err
	}
	b, err := Alloc[byte](a.dev, len(dst)*sizeOf[T]())
	if err != nil {
		return err
	}
	defer b.Close()
	if err := CopyBox(a.plain(b), a.At(0, 0, 0), a.whole(), nil); err != nil {
		return err
	}
	return b.CopyTo(ctx, bytesOf(dst))
}

// plain is a buffer of the array's size as a place, row by row.
func (a *Array) plain(b *Buffer[byte]) Region {
	return Region{dev: b.dev, unit: a.desc.TexelBytes(), pitch: a.desc.Width * a.desc.TexelBytes(), height: a.rows(), use: b.use}
}

// AddressMode says which texel a coordinate beyond the image reads.
type AddressMode int

// The address modes. AddressWrap and AddressMirror hold for normalised coordinates; others are clamped.
const (
	AddressClamp AddressMode = iota
	AddressWrap
	AddressMirror
	AddressBorder
)

// addressModes are CUDA's numbers.
var addressModes = [...]driver.AddressMode{driver.Clamp, driver.Wrap, driver.Mirror, driver.Border}

// TextureConfig says how a texture is read. The zero value clamps, reads the nearest texel, takes coordinates in texels, and
// gives integers as numbers from 0 to 1, or -1 to 1.
type TextureConfig struct {
	_ struct{}
	// Address is the mode of each dimension.
	Address [3]AddressMode
	// Linear interpolates between texels; Normalized takes coordinates from 0 to 1; Integers gives integers as they are.
	Linear, Normalized, Integers bool
	// Border is what AddressBorder reads.
	Border [4]float32

	// LinearLevels interpolates between two levels of a Mipmap, else the nearest is read. LevelBias is added to the level that a kernel
	// asks for, which is then kept from MinLevel to MaxLevel; 0 as MaxLevel is the last one.
	LinearLevels                  bool
	LevelBias, MinLevel, MaxLevel float32
}

// lastLevel is beyond the last level of any mipmap.
const lastLevel = 32

// desc is the configuration as the driver takes it.
func (cfg *TextureConfig) desc(op string) (*driver.TextureDesc, error) {
	t := &driver.TextureDesc{
		Linear: cfg.Linear, Normalized: cfg.Normalized, Integers: cfg.Integers, Border: cfg.Border,
		LinearLevels: cfg.LinearLevels, LevelBias: cfg.LevelBias, MinLevel: cfg.MinLevel, MaxLevel: cfg.MaxLevel,
	}
	if t.MaxLevel == 0 {
		t.MaxLevel = lastLevel
	}
	for i, m := range cfg.Address {
		if m < 0 || int(m) >= len(addressModes) {
			return nil, misused(op, ErrInvalidValue, "address mode %d", m)
		}
		t.Address[i] = addressModes[m]
	}
	return t, nil
}

// Texture is memory with a way to read it. It is an argument for a kernel's cudaTextureObject_t. It keeps its memory.
type Texture struct{ view }

// Surface is an array that a kernel reads and writes texel by texel. It is an argument for a kernel's cudaSurfaceObject_t. It
// keeps its array.
type Surface struct{ view }

// view is a texture or surface: a handle that kernels take, in the shape of memory, so that launches hold it.
type view struct {
	dev  *Device
	mem  *memory
	name string
}

// view makes the object that owns a handle and keeps what it shows.
func (d *Device) view(k kind, handle uint64, of *resource, name string) view {
	m := &memory{parent: of}
	m.resource.c, m.resource.note = d.c, note{kind: k, handle: handle, gen: d.c.gen.Load()}
	m.guard()
	return view{d, m, name}
}

// Device returns the device that it belongs to.
func (v *view) Device() *Device { return v.dev }

// Close ends the object once all work queued so far is done. Its memory stays.
func (v *view) Close() error { return v.mem.close() }

// object acquires the object for a launch.
func (v *view) object(op string) (span, uint64, error) {
	if err := v.mem.acquire(op, v.name); err != nil {
		return span{}, 0, err
	}
	return span{m: v.mem}, v.mem.note.handle, nil
}

// NewTexture makes a texture of the array. The error wraps ErrInvalidValue for a configuration that cannot be.
func (a *Array) NewTexture(cfg TextureConfig) (*Texture, error) {
	const op = "make texture"
	if err := a.res.acquire(op, "array"); err != nil {
		return nil, err
	}
	defer a.res.release()
	t, err := cfg.desc(op)
	if err != nil {
		return nil, err
	}
	t.Array = a.handle()
	return a.dev.newTexture(op, t, a.res)
}

func (d *Device) newTexture(op string, t *driver.TextureDesc, of *resource) (*Texture, error) {
	h, err := d.c.drv.NewTexture(t)
	if err != nil {
		return nil, d.c.wrap(op, err)
	}
	return &Texture{d.view(textureHandle, uint64(h), of, "texture")}, nil
}

// NewSurface makes a surface of the array, which was made with ArrayConfig.Surface; else the error wraps ErrInvalidValue.
func (a *Array) NewSurface() (*Surface, error) {
	const op = "make surface"
	if err := a.res.acquire(op, "array"); err != nil {
		return nil, err
	}
	defer a.res.release()
	h, err := a.dev.c.drv.NewSurface(a.handle())
	if err != nil {
		return nil, a.dev.c.wrap(op, err)
	}
	return &Surface{a.dev.view(surfaceHandle, uint64(h), a.res, "surface")}, nil
}

// formatOf is the format of T, 0 if textures have none for it.
func formatOf[T Element]() driver.Format {
	var v T
	switch any(v).(type) {
	case uint8:
		return driver.Unsigned8
	case uint16:
		return driver.Unsigned16
	case uint32:
		return driver.Unsigned32
	case int8:
		return driver.Signed8
	case int16:
		return driver.Signed16
	case int32:
		return driver.Signed32
	case float32:
		return driver.Float
	}
	return 0
}

// NewTexture makes a texture of a row of texels with one channel, which kernels read by an index (tex1Dfetch). Beyond the end
// it gives 0. T is a type of 8, 16 or 32 bits.
func NewTexture[T Element](b *Buffer[T], cfg TextureConfig) (*Texture, error) {
	return newMemoryTexture(b, cfg, b.n, 0, 0)
}

func newMemoryTexture[T Element](b *Buffer[T], cfg TextureConfig, width, height, pitch int) (*Texture, error) {
	const op = "make texture"
	t, err := cfg.desc(op)
	if err != nil {
		return nil, err
	}
	if formatOf[T]() == 0 {
		return nil, misused(op, ErrInvalidValue, "textures have no texels of type %T", *new(T))
	}
	s, err := b.use(op)
	if err != nil {
		return nil, err
	}
	defer s.m.release()
	t.Ptr, t.Width, t.Height, t.Pitch = s.ptr, width, height, uint64(pitch)
	t.Format, t.Channels = formatOf[T](), 1
	return b.dev.newTexture(op, t, &s.m.resource)
}
