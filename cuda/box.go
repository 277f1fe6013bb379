package cuda

import (
	"context"
	"fmt"

	"github.com/tandem-go/tandem/internal/driver"
)

// Extent is the size of a box in elements, rows and slices, each at least 1.
type Extent struct{ Width, Height, Depth int }

// Region is where a box begins: in an Array (Array.At) or in memory with rows (Rows, Pitched.At).
type Region struct {
	dev           *Device
	unit          int // bytes of an element
	x, y, z       int
	pitch, height int // bytes of a row, rows of a slice
	array         *Array
	use           func(op string) (span, error)
}

// At is a place in the array, in texels.
func (a *Array) At(x, y, z int) Region {
	return Region{dev: a.dev, unit: a.desc.TexelBytes(), x: x, y: y, z: z, array: a}
}

// Rows is the beginning of memory whose rows have pitch elements, and whose slices have height rows; At moves it.
func Rows[T Element](m Memory[T], pitch, height int) Region {
	return Region{dev: m.Device(), unit: sizeOf[T](), pitch: pitch * sizeOf[T](), height: height, use: m.use}
}

// At is the place x elements, y rows and z slices further.
func (p Region) At(x, y, z int) Region {
	p.x, p.y, p.z = p.x+x, p.y+y, p.z+z
	return p
}

// driver acquires what the place is in, and describes it.
func (p *Region) driver(op string) (out driver.Place, release func(), s span, err error) {
	if p.x < 0 || p.y < 0 || p.z < 0 || p.pitch < 0 || p.height < 0 {
		return out, nil, s, misused(op, ErrInvalidValue, "a box at (%d,%d,%d) in rows of %d bytes, %d to a slice", p.x, p.y, p.z, p.pitch, p.height)
	}
	out = driver.Place{X: uint64(p.x * p.unit), Y: uint64(p.y), Z: uint64(p.z), Pitch: uint64(p.pitch), Height: uint64(p.height)}
	if p.array != nil {
		if err := p.array.res.acquire(op, "array"); err != nil {
			return out, nil, s, err
		}
		out.Array = p.array.handle()
		return out, p.array.res.release, s, nil
	}
	if s, err = p.use(op); err != nil {
		return out, nil, s, err
	}
	out.Ptr = s.ptr
	return out, s.m.release, s, nil
}

// CopyBox queues a copy of a box from src to dst on s, between arrays and memory of one device with elements of one size. Nil
// is the default stream, which first waits for work queued on the memory. The error wraps ErrInvalidValue if a part lies
// outside, if pitches are smaller than the box, or if source and destination overlap.
func CopyBox(dst, src Region, e Extent, s *Stream) error {
	const op = "copy box"
	if dst.dev != nil && src.dev != nil && dst.dev.c != src.dev.c {
		return misused(op, ErrWrongDevice, "from %s to %s; CopyBoxPeer does that between GPUs", src.dev.c.name, dst.dev.c.name)
	}
	return copyBox(op, dst, src, e, s, func(d driver.Device, r *driver.Region, h driver.Stream) error { return d.CopyRegion(r, h) })
}

// CopyBoxPeer is CopyBox from memory or an array of another GPU, on a stream of dst's device; see CopyPeer.
func CopyBoxPeer(dst, src Region, e Extent, s *Stream) error {
	const op = "copy box from another device"
	if dst.dev == nil || src.dev == nil || dst.dev.c == src.dev.c {
		return CopyBox(dst, src, e, s)
	}
	p, err := dst.dev.c.peer(op, src.dev.c)
	if err != nil {
		return err
	}
	return copyBox(op, dst, src, e, s, func(_ driver.Device, r *driver.Region, h driver.Stream) error {
		return p.CopyRegionPeer(r, src.dev.c.drv, h)
	})
}

// copyBox checks a copy of a box and queues it with copy.
func copyBox(op string, dst, src Region, e Extent, s *Stream, copy func(d driver.Device, r *driver.Region, h driver.Stream) error) error {
	switch {
	case dst.dev == nil || src.dev == nil:
		return misused(op, ErrInvalidValue, "a place was made by none of Array.At, Rows and Pitched.At")
	case dst.unit != src.unit:
		return misused(op, ErrInvalidValue, "elements of %d bytes into elements of %d bytes", src.unit, dst.unit)
	case e.Width < 1 || e.Height < 1 || e.Depth < 1:
		return misused(op, ErrInvalidValue, "the extent is %d x %d x %d", e.Width, e.Height, e.Depth)
	}
	q, done, err := dst.dev.stream(op, s)
	if err != nil {
		return err
	}
	defer done()
	to, release, toSpan, err := dst.driver(op)
	if err != nil {
		return err
	}
	defer release()
	from, release, fromSpan, err := src.driver(op)
	if err != nil {
		return err
	}
	defer release()
	c := dst.dev.c
	r := &driver.Region{Dst: to, Src: from, Width: uint64(e.Width * dst.unit), Height: uint64(e.Height), Depth: uint64(e.Depth)}
	if err := c.within(op, r, toSpan, fromSpan); err != nil {
		return err
	}
	if src.array != nil {
		src.dev.c.visitedBy(c)
	}
	return c.visit(op, q, s == nil, toSpan, fromSpan, func() error { return copy(c.drv, r, q.h) })
}

// within checks that a box lies in the buffer, which may be a view of less than the device would allow.
func (c *core) within(op string, r *driver.Region, to, from span) error {
	for _, end := range []struct {
		p *driver.Place
		s span
	}{{&r.Dst, to}, {&r.Src, from}} {
		if end.s.m == nil {
			continue
		}
		first, n, ok := r.Span(end.p)
		if !ok || uint64(first-end.s.ptr)+n > end.s.n {
			return misused(op, ErrInvalidValue, "the box ends outside the memory of %d bytes, or a row is shorter than it", end.s.n)
		}
	}
	return nil
}

// Pitched is a plane of elements whose rows are aligned as textures and fast copies want it. The rows lie PitchBytes apart.
type Pitched[T Element] struct {
	*Buffer[T]
	width, height, pitch int
}

// AllocPitched makes a plane of height rows of width elements.
func AllocPitched[T Element](d *Device, width, height int) (*Pitched[T], error) {
	op := fmt.Sprintf("alloc a plane of %d x %d elements", width, height)
	if width < 1 || height < 1 || width > 1<<40 || height > 1<<40 {
		return nil, misused(op, ErrInvalidValue, "extents must be from 1 to 2^40")
	}
	align := 512 // as cuMemAllocPitch does
	size := sizeOf[T]()
	pitch := (width*size + align - 1) / align * align
	b, err := Alloc[T](d, pitch/size*height)
	if err != nil {
		return nil, err
	}
	return &Pitched[T]{b, width, height, pitch}, nil
}

// PitchBytes is the distance of rows; Width and Height are the plane's, in elements and rows.
func (p *Pitched[T]) PitchBytes() int { return p.pitch }

// Width is the number of elements of a row.
func (p *Pitched[T]) Width() int { return p.width }

// Height is the number of rows.
func (p *Pitched[T]) Height() int { return p.height }

// At is a place in the plane.
func (p *Pitched[T]) At(x, y int) Region {
	return Rows[T](p.Buffer, p.pitch/sizeOf[T](), p.height).At(x, y, 0)
}

// NewTexture makes a texture of the plane.
func (p *Pitched[T]) NewTexture(cfg TextureConfig) (*Texture, error) {
	return newMemoryTexture(p.Buffer, cfg, p.width, p.height, p.pitch)
}

// CopyPlaneFrom waits for work queued on the plane and copies src into it, row after row without gaps. len(src) is width
// times height, else the error wraps ErrLength.
func (p *Pitched[T]) CopyPlaneFrom(ctx context.Context, src []T) error {
	if len(src) != p.width*p.height {
		return misused("copy to a plane", ErrLength, "%d elements, the plane has %d", len(src), p.width*p.height)
	}
	b, err := Upload(ctx, p.dev, src)
	if err != nil {
		return err
	}
	defer b.Close()
	if err := CopyBox(p.At(0, 0), Rows[T](b, p.width, p.height), Extent{p.width, p.height, 1}, nil); err != nil {
		return err
	}
	return p.dev.c.wait(ctx, "copy to a plane", p.dev.c.main)
}

// CopyPlaneTo waits for work queued on the plane and copies it into dst, row after row without gaps. len(dst) is width times
// height, else the error wraps ErrLength. dst is unchanged if there is an error.
func (p *Pitched[T]) CopyPlaneTo(ctx context.Context, dst []T) error {
	if len(dst) != p.width*p.height {
		return misused("copy from a plane", ErrLength, "%d elements, the plane has %d", len(dst), p.width*p.height)
	}
	b, err := Alloc[T](p.dev, len(dst))
	if err != nil {
		return err
	}
	defer b.Close()
	if err := CopyBox(Rows[T](b, p.width, p.height), p.At(0, 0), Extent{p.width, p.height, 1}, nil); err != nil {
		return err
	}
	return b.CopyTo(ctx, dst)
}

// FillBox queues setting all elements of a box of the plane to v, on s; nil is the default stream, which first waits for work
// queued on the plane. T has at most four bytes, else the error wraps ErrNotSupported.
func (p *Pitched[T]) FillBox(x, y, width, height int, v T, s *Stream) error {
	const op = "fill box"
	if x < 0 || y < 0 || width < 0 || height < 0 || width > p.width-x || height > p.height-y {
		return misused(op, ErrInvalidValue, "%d x %d elements at (%d,%d) of a plane of %d x %d", width, height, x, y, p.width, p.height)
	}
	value, unit, ok := small(bytesOf([]T{v}))
	if !ok {
		return misused(op, ErrNotSupported, "elements of %d bytes; fill a buffer and copy it", sizeOf[T]())
	}
	q, done, err := p.dev.stream(op, s)
	if err != nil {
		return err
	}
	defer done()
	r, err := p.use(op)
	if err != nil {
		return err
	}
	defer r.m.release()
	if s == nil {
		if err := r.m.join(q); err != nil {
			return p.dev.c.wrap(op, err)
		}
	}
	at := r.ptr + driver.Ptr(y*p.pitch+x*sizeOf[T]())
	err = p.dev.c.drv.FillRows(at, uint64(p.pitch), value, unit, uint64(width*sizeOf[T]()/unit), uint64(height), q.h)
	r.m.touch(q)
	return p.dev.c.wrap(op, err)
}
