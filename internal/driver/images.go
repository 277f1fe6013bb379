package driver

import "math/bits"

// Handles of memory that kernels see as texels. Texture and Surface are also what a kernel takes as a parameter of eight
// bytes. A stale or foreign handle is InvalidHandle.
type (
	// Array is memory for texels in a layout of the device's own.
	Array uint64
	// Mipmap is an array in levels of detail, each half as large as the one before.
	Mipmap uint64
	// Texture is memory with a way to read it.
	Texture uint64
	// Surface is an array that kernels read and write as it is.
	Surface uint64
)

// Format is the type of one channel of a texel, by CUDA's number (CUarray_format).
type Format int

// The formats.
const (
	Unsigned8  Format = 0x01
	Unsigned16 Format = 0x02
	Unsigned32 Format = 0x03
	Signed8    Format = 0x08
	Signed16   Format = 0x09
	Signed32   Format = 0x0a
	Half       Format = 0x10
	Float      Format = 0x20
)

// Bytes is the size of a channel, 0 if f is no format.
func (f Format) Bytes() int {
	switch f {
	case Unsigned8, Signed8:
		return 1
	case Unsigned16, Signed16, Half:
		return 2
	case Unsigned32, Signed32, Float:
		return 4
	}
	return 0
}

// ArrayDesc says what an array is.
type ArrayDesc struct {
	// Width, Height and Depth are in texels; Height and Depth are 0 in dimensions that are not there. Of a layered array
	// Depth is the number of layers, of cubes six for each.
	Width, Height, Depth int
	Format               Format
	// Channels is 1, 2 or 4.
	Channels int
	// Layered and Cube say what Depth counts; Surface allows NewSurface, Gather the reading of four texels at a time.
	Layered, Cube, Surface, Gather bool
}

// TexelBytes is the size of a texel.
func (d *ArrayDesc) TexelBytes() int { return d.Format.Bytes() * d.Channels }

// Legal reports whether the description is one of an array.
func (d *ArrayDesc) Legal() bool {
	const most = 1 << 27
	switch {
	case d.Width < 1 || d.Width > most || d.Height < 0 || d.Height > most || d.Depth < 0 || d.Depth > most:
		return false
	case d.Format.Bytes() == 0 || d.Channels != 1 && d.Channels != 2 && d.Channels != 4:
		return false
	case d.Layered && d.Depth == 0 || d.Depth > 0 && d.Height == 0 && !d.Layered:
		return false
	case d.Cube:
		return d.Width == d.Height && d.Depth > 0 && d.Depth%6 == 0 && (d.Layered || d.Depth == 6)
	}
	return true
}

// Levels is the number of levels of detail down to a single texel.
func (d *ArrayDesc) Levels() int {
	largest := max(d.Width, d.Height)
	if !d.Layered && !d.Cube {
		largest = max(largest, d.Depth)
	}
	return bits.Len(uint(largest))
}

// Level describes a level of detail: extents are halved, rounded down, and at least 1. Layers and faces stay.
func (d *ArrayDesc) Level(n int) ArrayDesc {
	half := func(extent int) int { return min(extent, max(1, extent>>n)) } // 0 stays 0
	level := *d
	level.Width, level.Height = half(d.Width), half(d.Height)
	if !d.Layered && !d.Cube {
		level.Depth = half(d.Depth)
	}
	return level
}

// AddressMode says which texel a coordinate beyond the image reads, by CUDA's number (CUaddress_mode). Wrap and Mirror hold
// for normalised coordinates; others are clamped.
type AddressMode int

// The address modes.
const (
	Wrap AddressMode = iota
	Clamp
	Mirror
	Border
)

// TextureDesc says what a texture reads, and how.
type TextureDesc struct {
	// Array or Mipmap is what is read; both are zero if it is memory at Ptr.
	Array  Array
	Mipmap Mipmap
	// Ptr is aligned as attribute 14 says, which every allocation is. Width, Format and Channels describe the memory; Height 0 makes it a row of texels that
	// kernels fetch by an index, else rows lie Pitch bytes apart, which is a multiple of 32.
	Ptr           Ptr
	Width, Height int
	Pitch         uint64
	Format        Format
	Channels      int

	// Address is the mode of each dimension; Linear interpolates between texels.
	Address [3]AddressMode
	Linear  bool
	// Normalized coordinates run from 0 to 1. Integers gives channels of 8 and 16 bits as integers, else they are numbers
	// from 0 to 1, or -1 to 1.
	Normalized, Integers bool
	// Border is what AddressMode Border reads.
	Border [4]float32

	// LinearLevels interpolates between levels of detail, else the nearest is read. LevelBias is added to the level that a kernel
	// asks for, which is then kept from MinLevel to MaxLevel.
	LinearLevels                  bool
	LevelBias, MinLevel, MaxLevel float32
}

// LegalLevels reports whether levels of detail can be read as t says: coordinates are normalised, and MinLevel is not above MaxLevel
// nor below 0. It holds for what has no levels.
func (t *TextureDesc) LegalLevels() bool {
	return t.Mipmap == 0 || t.Array == 0 && t.Normalized && t.MinLevel >= 0 && t.MinLevel <= t.MaxLevel && t.LevelBias == t.LevelBias
}

// Interpolates reports whether t asks for what lies between texels or between levels.
func (t *TextureDesc) Interpolates() bool { return t.Linear || t.LinearLevels }

// Place is one end of a copy of a box of bytes: texels of an array, or rows in memory.
type Place struct {
	Array Array
	// Ptr is used if Array is zero: rows lie Pitch bytes apart, slices Height rows. Both may be 0 where there is one row, or
	// one slice.
	Ptr           Ptr
	Pitch, Height uint64
	// X, in bytes, Y and Z are where the box begins.
	X, Y, Z uint64
}

// Region is a copy of a box.
type Region struct {
	Dst, Src Place
	// Width, in bytes, Height and Depth are the extent, each at least 1.
	Width, Height, Depth uint64
}

// Span returns the first byte of the box at a place in memory, and the number of bytes from there to its last. ok is false
// if the pitch or the height is smaller than the box, or a sum overflows.
func (r *Region) Span(p *Place) (first Ptr, n uint64, ok bool) {
	const most = 1 << 47
	pitch, height := p.Pitch, p.Height
	if pitch == 0 {
		pitch = p.X + r.Width
	}
	if height == 0 {
		height = p.Y + r.Height
	}
	for _, v := range []uint64{r.Width, r.Height, r.Depth, pitch, height, p.X, p.Y, p.Z} {
		if v > most {
			return 0, 0, false
		}
	}
	if r.Width+p.X > pitch || r.Depth > 1 && r.Height+p.Y > height || (p.Z+r.Depth) > most/height || (p.Z+r.Depth)*height > most/pitch {
		return 0, 0, false
	}
	off := (p.Z*height+p.Y)*pitch + p.X
	return p.Ptr + Ptr(off), ((r.Depth-1)*height+r.Height-1)*pitch + r.Width, true
}

// Within reports whether the box lies in an array, at a place in it, and is made of whole texels.
func (r *Region) Within(p *Place, d *ArrayDesc) bool {
	texel := uint64(d.TexelBytes())
	within := func(first, n, all uint64) bool { return n <= all && first <= all-n }
	return p.X%texel == 0 && r.Width%texel == 0 && within(p.X, r.Width, uint64(d.Width)*texel) &&
		within(p.Y, r.Height, uint64(max(d.Height, 1))) && within(p.Z, r.Depth, uint64(max(d.Depth, 1)))
}

// Overlaps reports whether a copy between places in memory reads what it writes. Of boxes with depth, or with rows of
// different pitch, it says so already if the ranges of bytes have a part in common.
func (r *Region) Overlaps() bool {
	if r.Dst.Array != 0 || r.Src.Array != 0 {
		return r.Dst.Array == r.Src.Array && r.sameTexels()
	}
	dst, n, _ := r.Span(&r.Dst)
	src, m, _ := r.Span(&r.Src)
	if dst >= src+Ptr(m) || src >= dst+Ptr(n) {
		return false
	}
	pitch := int64(r.Dst.Pitch)
	if r.Depth > 1 || r.Height == 1 || r.Dst.Pitch != r.Src.Pitch || pitch == 0 {
		return true
	}
	// Rows k apart: they have a byte in common if their distance is less than the width.
	diff, w := int64(dst-src), int64(r.Width)
	for k := diff/pitch - 1; k <= diff/pitch+1; k++ {
		if d := diff - k*pitch; d > -w && d < w && k > -int64(r.Height) && k < int64(r.Height) {
			return true
		}
	}
	return false
}

func (r *Region) sameTexels() bool {
	apart := func(a, b, n uint64) bool { return a >= b+n || b >= a+n }
	return !apart(r.Dst.X, r.Src.X, r.Width) && !apart(r.Dst.Y, r.Src.Y, r.Height) && !apart(r.Dst.Z, r.Src.Z, r.Depth)
}

// Images is the part of a Device that deals with texels.
type Images interface {
	// NewArray makes an array, contents undefined; InvalidValue for a description that is not Legal.
	NewArray(d ArrayDesc) (Array, error)
	// DestroyArray frees it after the work queued before the call. Textures and surfaces of it must not be used any more.
	DestroyArray(a Array) error
	// NewMipmap makes an array in so many levels of detail, the first of which is as described; InvalidValue for a description that
	// is not Legal, or more levels than it has.
	NewMipmap(d ArrayDesc, levels int) (Mipmap, error)
	// MipmapLevel is a level of detail as an array, which ends with the mipmap: DestroyArray of it is InvalidValue.
	MipmapLevel(m Mipmap, level int) (Array, error)
	// DestroyMipmap frees it after the work queued before the call. Textures of it, and surfaces of its levels, must not be used any
	// more.
	DestroyMipmap(m Mipmap) error
	// NewTexture makes a texture object. What it reads has to outlive it.
	NewTexture(t *TextureDesc) (Texture, error)
	// DestroyTexture ends a texture. The caller vouches that no queued work uses it.
	DestroyTexture(t Texture) error
	// NewSurface makes a surface object of an array that allows it.
	NewSurface(a Array) (Surface, error)
	// DestroySurface ends a surface. The caller vouches that no queued work uses it.
	DestroySurface(s Surface) error
	// BindTexture makes the texture reference of that name in a module's code read what t reads, as t reads it, from the next launch
	// on; NotFound if there is none. The caller vouches that no queued work uses the reference, and that t lives as long as it is used.
	BindTexture(m Module, name string, t Texture) error
	// BindSurface does for a surface reference what BindTexture does for a texture reference.
	BindSurface(m Module, name string, s Surface) error
	// CopyRegion queues a copy of a box. InvalidValue if a part lies outside, or source and destination overlap.
	CopyRegion(r *Region, s Stream) error
	// FillRows queues a fill of rows of columns elements, pitch bytes apart; width and value are those of Fill. dst and
	// pitch are multiples of width.
	FillRows(dst Ptr, pitch uint64, value uint32, width int, columns, rows uint64, s Stream) error
}
