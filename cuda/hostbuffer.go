package cuda

import (
	"fmt"

	"github.com/tandem-go/tandem/internal/driver"
)

// HostBuffer is page-locked host memory that its device can reach: copies between it and Buffers run beside other work,
// and a kernel takes it as an argument like a Buffer, without a copy. It is outside Go's heap, so it owns its memory:
// Close frees it, or closing its device, never the garbage collector. A device that has any is not closed by the garbage
// collector either.
type HostBuffer[T Element] struct {
	dev    *Device
	mem    *memory
	off, n int  // in elements
	view   bool // does not own mem
}

// AllocHost makes page-locked memory of n elements, all zero.
func AllocHost[T Element](d *Device, n int) (*HostBuffer[T], error) {
	size := sizeOf[T]()
	op := fmt.Sprintf("alloc %d page-locked elements of %d bytes", n, size)
	if n < 0 || uint64(n) > 1<<62/uint64(size) {
		return nil, misused(op, ErrInvalidValue, "the length is out of range")
	}
	if err := d.c.usable(op); err != nil {
		return nil, err
	}
	m := &memory{bytes: uint64(n) * uint64(size)}
	if n > 0 {
		err := d.c.withMemory(func() (err error) {
			m.ptr, m.host, err = d.c.drv.AllocHost(m.bytes)
			return err
		})
		if err != nil {
			return nil, d.c.wrap(op, err)
		}
		clear(m.host)
	}
	m.own(d.c, hostMemory)
	if n > 0 {
		d.c.pinned.Add(1)
	}
	return &HostBuffer[T]{dev: d, mem: m, n: n}, nil
}

// Slice is the memory itself. It must not be used after Close, nor written while queued work reads it.
func (b *HostBuffer[T]) Slice() []T {
	if b.mem.state.Load()&1 != 0 {
		return nil
	}
	return sliceOf[T](b.mem.host)[b.off : b.off+b.n : b.off+b.n]
}

// Len is the number of elements.
func (b *HostBuffer[T]) Len() int { return b.n }

// Device returns the device that the memory belongs to.
func (b *HostBuffer[T]) Device() *Device { return b.dev }

// View is the elements from lo up to hi as a HostBuffer that shares the memory. The error wraps ErrLength if the range is
// not within the buffer.
func (b *HostBuffer[T]) View(lo, hi int) (*HostBuffer[T], error) {
	if lo < 0 || hi < lo || hi > b.n {
		return nil, misused("view page-locked memory", ErrLength, "[%d:%d] of %d elements", lo, hi, b.n)
	}
	return &HostBuffer[T]{dev: b.dev, mem: b.mem, off: b.off + lo, n: hi - lo, view: true}, nil
}

// Close frees the memory once all work queued so far is done. Slices of it are invalid at once, and views are closed
// too. Closing a view does nothing.
func (b *HostBuffer[T]) Close() error {
	if b.view {
		return nil
	}
	return b.mem.close()
}

func (b *HostBuffer[T]) elem(T) {}

func (b *HostBuffer[T]) use(op string) (span, error) {
	if err := b.mem.acquire(op, "host buffer"); err != nil {
		return span{}, err
	}
	if b.n == 0 {
		return span{b.mem, 0, 0}, nil
	}
	size := sizeOf[T]()
	return span{b.mem, b.mem.ptr + driver.Ptr(b.off*size), uint64(b.n * size)}, nil
}
