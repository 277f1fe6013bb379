package cuda

import (
	"errors"

	"github.com/tandem-go/tandem/internal/driver"
)

// Allocator is where a device's memory comes from: Device.SetAllocator puts one in place of the driver. Its methods are called
// from any goroutine, the one that frees dropped buffers included, and get memory by Device.DriverAllocator, from another
// Allocator, or out of a Buffer that was there before; Alloc would call them again.
type Allocator interface {
	// Allocate returns the address of bytes > 0 bytes of the device's memory, aligned to 256 bytes. After an error that
	// wraps ErrOutOfMemory everything dropped is freed and it is called again.
	Allocate(bytes uint64) (addr uint64, err error)
	// Free takes them back. No work that was queued uses them any more. It is not called for a device that was closed.
	Free(addr, bytes uint64) error
}

// SetAllocator makes an Allocator provide the memory of all buffers that are made from now on, of slices in In, Out and InOut,
// and of MemoryPools made from now on; nil is the driver. Page-locked and managed memory, arrays and Pools are the driver's. A
// *MemoryPool of the device is an Allocator, whose memory is used again as AllocPooled does.
func (d *Device) SetAllocator(a Allocator) {
	if a == nil {
		d.c.from.Store(nil)
		return
	}
	d.c.from.Store(&a)
}

// DriverAllocator is the driver itself, for allocators that add something to it.
func (d *Device) DriverAllocator() Allocator { return driverAllocator{d} }

type driverAllocator struct{ d *Device }

func (a driverAllocator) Allocate(bytes uint64) (uint64, error) {
	const op = "allocate from the driver"
	if err := a.d.c.usable(op); err != nil {
		return 0, err
	}
	p, err := a.d.c.drv.Alloc(bytes)
	return uint64(p), a.d.c.wrap(op, err)
}

func (a driverAllocator) Free(addr, _ uint64) error {
	const op = "give memory back to the driver"
	if err := a.d.c.usable(op); err != nil {
		return err
	}
	return a.d.c.wrap(op, a.d.c.drv.Free(driver.Ptr(addr)))
}

// allocator is where new memory comes from; nil for the driver.
func (c *core) allocator() Allocator {
	if a := c.from.Load(); a != nil {
		return *a
	}
	return nil
}

// allocate gets memory; from is nil for the driver.
func (c *core) allocate(from Allocator, n uint64) (driver.Ptr, error) {
	if from == nil {
		return c.drv.Alloc(n)
	}
	addr, err := from.Allocate(n)
	if err != nil {
		return 0, err
	}
	if addr == 0 || addr%256 != 0 {
		return 0, errors.Join(misused("allocate", ErrInvalidValue, "the allocator's address %#x is not aligned to 256 bytes", addr), from.Free(addr, n))
	}
	return driver.Ptr(addr), nil
}

// supplied is what is to be freed of memory that came from an Allocator.
func (c *core) supplied(from Allocator, p driver.Ptr, n uint64) note {
	return note{kind: suppliedMemory, handle: uint64(p), bytes: int64(n), gen: c.gen.Load(), from: from, silent: true}
}

// freeStaging frees memory of a slice, of which work that is queued may still read or write.
func (c *core) freeStaging(from Allocator, p driver.Ptr, n uint64) error {
	if from == nil {
		return c.freeDevice(p)
	}
	c.bury(c.supplied(from, p, n))
	return nil
}

// Allocate makes the pool an Allocator: a freed block whose work is done, else new memory.
func (p *MemoryPool) Allocate(bytes uint64) (uint64, error) {
	const op = "allocate from a pool"
	if err := p.dev.c.usable(op); err != nil {
		return 0, err
	}
	if bytes < 1 || bytes > 1<<47 {
		return 0, misused(op, ErrInvalidValue, "%d bytes", bytes)
	}
	k, err := p.b.block(bytes)
	return uint64(k.ptr), p.dev.c.wrap(op, err)
}

// Free gives memory of Allocate back to the pool.
func (p *MemoryPool) Free(addr, bytes uint64) error {
	p.b.put(block{ptr: driver.Ptr(addr), size: binSize(bytes), gen: p.b.c.gen.Load()})
	return nil
}
