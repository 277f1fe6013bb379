package cuda

import (
	"errors"
	"fmt"

	"github.com/tandem-go/tandem/internal/driver"
)

// Foreign makes a buffer of n elements that lie in memory of somebody else: of another library, a mapped file, a mapped
// OpenGL buffer. On a GPU addr is an address of that device. On the host device it is any address of the process, which
// from then on is legal for kernels; a byte can be in one such buffer only.
//
// The memory stays its owner's, who must not free or move it before the buffer is closed. Close waits for all work queued
// so far on a host device, and for nothing on a GPU. The garbage collector never closes such a buffer. The address must be
// aligned to the element; the error wraps ErrInvalidValue otherwise, and if addr is 0 or n less than 1.
func Foreign[T Element](d *Device, addr uint64, n int) (*Buffer[T], error) {
	size := uint64(sizeOf[T]())
	op := func() string { return fmt.Sprintf("use %d foreign elements of %d bytes at %#x", n, size, addr) }
	switch {
	case addr == 0:
		return nil, misused(op(), ErrInvalidValue, "the address is 0")
	case n < 1 || uint64(n) > (1<<63-addr&(1<<63-1))/size:
		return nil, misused(op(), ErrInvalidValue, "the length is out of range")
	case addr%size != 0 && addr%16 != 0:
		return nil, misused(op(), ErrInvalidValue, "the address is not aligned")
	case d.c.closed.Load():
		return nil, d.c.usable(op())
	}
	m := &memory{ptr: driver.Ptr(addr), bytes: uint64(n) * size}
	k := borrowedMemory
	if d.info.Kind == Host {
		k = registeredMemory
		ptr, err := d.c.drv.RegisterHost(foreignBytes(addr, m.bytes))
		if err == nil && ptr != m.ptr {
			err = errors.Join(fmt.Errorf("the device sees it at %#x", uint64(ptr)), d.c.drv.UnregisterHost(ptr))
		}
		if err != nil {
			return nil, d.c.wrap(op(), err)
		}
	}
	m.own(d.c, k)
	return &Buffer[T]{dev: d, mem: m, n: n}, nil
}

// unregister ends the use of foreign memory when all work on it is done.
func (c *core) unregister(n note) (op string, err error) {
	c.forget(n)
	if n.kind == borrowedMemory {
		return "", nil
	}
	op = "give foreign memory back"
	if err := c.quiesce(); err != nil {
		return op, err
	}
	return op, c.drv.UnregisterHost(driver.Ptr(n.handle))
}
