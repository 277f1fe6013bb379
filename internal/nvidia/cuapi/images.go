package cuapi

import (
	"math"

	"github.com/tandem-go/tandem/internal/dl"
)

// Handles of images.
type (
	// Array is a CUarray.
	Array uintptr
	// MipmappedArray is a CUmipmappedArray.
	MipmappedArray uintptr
	// TexObject is a CUtexObject.
	TexObject uint64
	// SurfObject is a CUsurfObject.
	SurfObject uint64
)

// ArrayDesc is a CUDA_ARRAY3D_DESCRIPTOR; Format is a CUarray_format, Flags are the Array constants.
type ArrayDesc struct{ Width, Height, Depth, Format, Channels, Flags int }

// ArrayCreate makes an array (cuArray3DCreate).
func (l *Library) ArrayCreate(d ArrayDesc) (Array, error) {
	h := new(uintptr)
	err := l.call(ArrayCreate, dl.NewFrame().Word(h).Words(d.words()))
	return Array(*h), err
}

func (d *ArrayDesc) words() []uintptr {
	return []uintptr{uintptr(d.Width), uintptr(d.Height), uintptr(d.Depth), pair(d.Format, d.Channels), uintptr(d.Flags)}
}

// MipmappedArrayCreate makes an array in so many levels of detail.
func (l *Library) MipmappedArrayCreate(d ArrayDesc, levels int) (MipmappedArray, error) {
	h := new(uintptr)
	err := l.call(MipmappedArrayCreate, dl.NewFrame().Word(h).Words(d.words()).Int(uintptr(levels)))
	return MipmappedArray(*h), err
}

// MipmappedArrayGetLevel returns a level of detail, which belongs to the mipmapped array.
func (l *Library) MipmappedArrayGetLevel(m MipmappedArray, level int) (Array, error) {
	h := new(uintptr)
	err := l.call(MipmappedArrayGetLevel, dl.NewFrame().Word(h).Int(uintptr(m)).Int(uintptr(level)))
	return Array(*h), err
}

// MipmappedArrayDestroy destroys a mipmapped array with its levels.
func (l *Library) MipmappedArrayDestroy(m MipmappedArray) error {
	return l.call(MipmappedArrayDestroy, dl.NewFrame().Int(uintptr(m)))
}

// pair is two members of four bytes.
func pair(low, high int) uintptr { return uintptr(uint64(uint32(low)) | uint64(uint32(high))<<32) }

// ArrayGetDescriptor says what an array is (cuArray3DGetDescriptor).
func (l *Library) ArrayGetDescriptor(a Array) (ArrayDesc, error) {
	w := make([]uintptr, 5)
	err := l.call(ArrayGetDescriptor, dl.NewFrame().Words(w).Int(uintptr(a)))
	return ArrayDesc{int(w[0]), int(w[1]), int(w[2]), int(uint32(w[3])), int(uint64(w[3]) >> 32), int(uint32(w[4]))}, err
}

// ArrayDestroy destroys an array.
func (l *Library) ArrayDestroy(a Array) error {
	return l.call(ArrayDestroy, dl.NewFrame().Int(uintptr(a)))
}

// Resource is a CUDA_RESOURCE_DESC: an array, one in levels of detail, or memory, with rows if Height is not 0.
type Resource struct {
	Array            Array
	Mipmap           MipmappedArray
	Ptr              DevicePtr
	Format, Channels int
	// Bytes is the size of memory without rows; Width, in texels, Height and Pitch, in bytes, describe rows.
	Bytes                uint64
	Width, Height, Pitch uint64
}

func (r *Resource) words() []uintptr {
	w := make([]uintptr, 18)
	if r.Array != 0 {
		w[0], w[1] = resourceArray, uintptr(r.Array)
		return w
	}
	if r.Mipmap != 0 {
		w[0], w[1] = resourceMipmap, uintptr(r.Mipmap)
		return w
	}
	w[1], w[2] = uintptr(r.Ptr), pair(r.Format, r.Channels)
	if r.Height == 0 {
		w[0], w[3] = resourceLinear, uintptr(r.Bytes)
		return w
	}
	w[0], w[3], w[4], w[5] = resourcePitch2D, uintptr(r.Width), uintptr(r.Height), uintptr(r.Pitch)
	return w
}

// Sampling is a CUDA_TEXTURE_DESC; Address are CUaddress_mode.
type Sampling struct {
	Address                      [3]int
	Linear, Normalized, Integers bool
	Border                       [4]float32
	// LinearLevels to MaxLevel are for levels of detail.
	LinearLevels                  bool
	LevelBias, MinLevel, MaxLevel float32
}

func (s *Sampling) words() []int32 {
	w := make([]int32, 26)
	for i, m := range s.Address {
		w[i] = int32(m)
	}
	w[3], w[4] = filter(s.Linear), int32(s.flags())
	w[6] = filter(s.LinearLevels)
	for i, v := range []float32{s.LevelBias, s.MinLevel, s.MaxLevel} {
		w[7+i] = int32(math.Float32bits(v))
	}
	copy(w[10:], s.border())
	return w
}

// filter is a CUfilter_mode.
func filter(linear bool) int32 {
	if linear {
		return filterLinear
	}
	return 0
}

// flags are those of CU_TRSF.
func (s *Sampling) flags() (flags int) {
	if s.Integers {
		flags |= textureAsInteger
	}
	if s.Normalized {
		flags |= textureNormalized
	}
	return flags
}

// border is the colour as the words of four floats.
func (s *Sampling) border() []int32 {
	w := make([]int32, len(s.Border))
	for i, c := range s.Border {
		w[i] = int32(math.Float32bits(c))
	}
	return w
}

// TexObjectCreate makes a texture object.
func (l *Library) TexObjectCreate(r *Resource, s *Sampling) (TexObject, error) {
	h := new(uintptr)
	err := l.call(TexObjectCreate, dl.NewFrame().Word(h).Words(r.words()).Ints(s.words()).Int(0))
	return TexObject(*h), err
}

// TexObjectDestroy destroys a texture object.
func (l *Library) TexObjectDestroy(t TexObject) error {
	return l.call(TexObjectDestroy, dl.NewFrame().Int(uintptr(t)))
}

// SurfObjectCreate makes a surface object of an array.
func (l *Library) SurfObjectCreate(a Array) (SurfObject, error) {
	h := new(uintptr)
	r := Resource{Array: a}
	err := l.call(SurfObjectCreate, dl.NewFrame().Word(h).Words(r.words()))
	return SurfObject(*h), err
}

// SurfObjectDestroy destroys a surface object.
func (l *Library) SurfObjectDestroy(s SurfObject) error {
	return l.call(SurfObjectDestroy, dl.NewFrame().Int(uintptr(s)))
}

// End is one end of a copy of a box: an array, or memory of the unified address space.
type End struct {
	Array         Array
	Ptr           DevicePtr
	Pitch, Height uint64
	X, Y, Z       uint64
}

func (e *End) put(w []uintptr) {
	w[0], w[1], w[2] = uintptr(e.X), uintptr(e.Y), uintptr(e.Z)
	w[4], w[6], w[7] = memoryTypeUnified, uintptr(e.Ptr), 0
	if e.Array != 0 {
		w[4], w[6], w[7] = memoryTypeArray, 0, uintptr(e.Array)
	}
	w[9], w[10] = uintptr(e.Pitch), uintptr(e.Height)
}

// Box is a CUDA_MEMCPY3D: Width in bytes, Height in rows, Depth in slices.
type Box struct {
	Dst, Src             End
	Width, Height, Depth uint64
}

func (b *Box) words() []uintptr {
	w := make([]uintptr, 25)
	b.Src.put(w)
	b.Dst.put(w[11:])
	w[22], w[23], w[24] = uintptr(b.Width), uintptr(b.Height), uintptr(b.Depth)
	return w
}

// Memcpy3DAsync queues a copy of a box.
func (l *Library) Memcpy3DAsync(b *Box, s Stream) error {
	return l.call(Memcpy3DAsync, dl.NewFrame().Words(b.words()).Int(uintptr(s)))
}

// Memcpy3DPeerAsync queues a copy of a box between contexts. A CUDA_MEMCPY3D_PEER is a CUDA_MEMCPY3D with the contexts in what is
// reserved there.
func (l *Library) Memcpy3DPeerAsync(b *Box, dst, src Context, s Stream) error {
	w := b.words()
	w[8], w[19] = uintptr(src), uintptr(dst)
	return l.call(Memcpy3DPeerAsync, dl.NewFrame().Words(w).Int(uintptr(s)))
}

// MemsetD2Async queues a fill of rows of count elements of 1, 2 or 4 bytes.
func (l *Library) MemsetD2Async(dst DevicePtr, pitch uint64, value uint32, width int, count, rows uint64, s Stream) error {
	e := MemsetD2D32Async
	switch width {
	case 1:
		e, value = MemsetD2D8Async, uint32(uint8(value))
	case 2:
		e, value = MemsetD2D16Async, uint32(uint16(value))
	}
	return l.call(e, dl.NewFrame().Int(uintptr(dst)).Int(uintptr(pitch)).Int(uintptr(value)).Int(uintptr(count)).Int(uintptr(rows)).Int(uintptr(s)))
}
