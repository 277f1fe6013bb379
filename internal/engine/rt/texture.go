package rt

import "sync"

// Format is the type of one channel of a texel.
type Format uint8

// The formats of channels (CUDA driver API, CUarray_format).
const (
	Unsigned8 Format = iota + 1
	Unsigned16
	Unsigned32
	Signed8
	Signed16
	Signed32
	Half
	Float
)

var formatBytes = [...]int{0, 1, 2, 4, 1, 2, 4, 2, 4}

// Bytes is the size of a channel, 0 if f is no format.
func (f Format) Bytes() int {
	if int(f) < len(formatBytes) {
		return formatBytes[f]
	}
	return 0
}

// Image is memory that kernels see as texels in up to three dimensions, x fastest.
type Image struct {
	// Addr is the address of the first texel.
	Addr uint64
	// Width, Height and Depth are in texels; those of dimensions that are not there are 1. Of a layered image Depth is the
	// number of layers, of a cube six for each layer.
	Width, Height, Depth int
	// RowPitch and SlicePitch are the distances of rows and slices in bytes.
	RowPitch, SlicePitch uint64
	Format               Format
	// Channels is 1, 2 or 4.
	Channels int
}

// TexelBytes is the size of a texel.
func (i *Image) TexelBytes() int { return i.Format.Bytes() * i.Channels }

// AddressMode says which texel a coordinate beyond the image reads.
type AddressMode uint8

// The address modes (CUDA driver API, CUaddress_mode). Wrap and Mirror hold for normalised coordinates; others are clamped.
const (
	Clamp AddressMode = iota
	Wrap
	Mirror
	Border
)

// Texture is an image and how it is read (CUDA C++ Programming Guide, Texture Fetching).
type Texture struct {
	Image
	// Address is the mode of each dimension.
	Address [3]AddressMode
	// Linear interpolates between texels; otherwise the texel at the coordinate is read.
	Linear bool
	// Normalized coordinates run from 0 to 1 over the image.
	Normalized bool
	// Unit gives channels of 8 and 16 bits as numbers from 0 to 1, signed ones from -1 to 1, instead of integers.
	Unit bool
	// BorderColor is what Border reads.
	BorderColor [4]float32
	// Levels are the levels of detail behind the first, which is Image: each half as large as the one before.
	Levels []Image
	// LinearLevels interpolates between two levels; otherwise the nearest is read.
	LinearLevels bool
	// LevelBias is added to the level that a kernel asks for, which is then kept from MinLevel to MaxLevel.
	LevelBias, MinLevel, MaxLevel float32
}

// Level is the image of a level of detail, 0 for the first.
func (t *Texture) Level(n int) *Image {
	if n == 0 {
		return &t.Image
	}
	return &t.Levels[n-1]
}

// objectBase is the first handle of an object. No memory lies there, and no object has the handle 0.
const objectBase = 1 << 56

// objects are the texture and surface objects of a device. The zero value has none.
type objects struct {
	mu   sync.RWMutex
	last uint64
	live map[uint64]*Texture
}

// AddTexture makes an object that kernels may read through, and returns its handle. The caller keeps the image's memory.
func (r *Runtime) AddTexture(t Texture) uint64 {
	o := &r.objects
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.live == nil {
		o.live = map[uint64]*Texture{}
	}
	o.last++
	o.live[objectBase+o.last] = &t
	return objectBase + o.last
}

// AddSurface makes an object that kernels may read and write through, and returns its handle.
func (r *Runtime) AddSurface(i Image) uint64 { return r.AddTexture(Texture{Image: i}) }

// RemoveObject ends a texture or surface object; false if there is none with that handle.
func (r *Runtime) RemoveObject(handle uint64) bool {
	o := &r.objects
	o.mu.Lock()
	defer o.mu.Unlock()
	_, ok := o.live[handle]
	delete(o.live, handle)
	return ok
}

// Object returns the texture or surface with that handle, nil if there is none. It is not changed any more.
func (r *Runtime) Object(handle uint64) *Texture {
	o := &r.objects
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.live[handle]
}
