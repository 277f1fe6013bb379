package cuda

import (
	"fmt"

	"github.com/tandem-go/tandem/internal/driver"
)

// peer is the device as one that reaches another's memory.
func (d *Device) peer(op string, other *Device) (driver.Peer, error) {
	if err := errorsFirst(d.c.usable(op), other.c.usable(op)); err != nil {
		return nil, err
	}
	return d.c.peer(op, other.c)
}

func (c *core) peer(op string, other *core) (driver.Peer, error) {
	p, ok := c.drv.(driver.Peer)
	if !ok || !c.caps.Peers || !other.caps.Peers {
		return nil, misused(op, ErrNotSupported, "%s and %s do not reach each other's memory; go through a slice", c.name, other.name)
	}
	return p, nil
}

// CanAccessPeer reports whether EnablePeerAccess can succeed: between GPUs that reach each other over PCI Express or NVLink. It is
// false where one of the two is the host device.
func (d *Device) CanAccessPeer(other *Device) (bool, error) {
	const op = "ask for peer access"
	if err := errorsFirst(d.c.usable(op), other.c.usable(op)); err != nil {
		return false, err
	}
	p, err := d.c.peer(op, other.c)
	if err != nil {
		return false, nil
	}
	can, err := p.CanAccess(other.c.drv)
	return can, d.c.wrap(op, err)
}

// EnablePeerAccess lets kernels of this device take buffers of the other as arguments, in this direction only. It holds until
// DisablePeerAccess or the end of either device. The error wraps ErrNotSupported where CanAccessPeer is false. Memory of the
// other device is then freed when the work of both is done.
func (d *Device) EnablePeerAccess(other *Device) error {
	const op = "enable peer access"
	p, err := d.peer(op, other)
	if err != nil {
		return err
	}
	if err := p.EnableAccess(other.c.drv); err != nil {
		return d.c.wrap(op, err)
	}
	other.c.visitedBy(d.c)
	d.c.mu.Lock()
	defer d.c.mu.Unlock()
	if d.c.reached == nil {
		d.c.reached = map[*core]struct{}{}
	}
	d.c.reached[other.c] = struct{}{}
	return nil
}

// DisablePeerAccess ends it. Kernels in flight that use the other's memory fault, so wait for them first. Nothing happens if
// there was none.
func (d *Device) DisablePeerAccess(other *Device) error {
	const op = "disable peer access"
	p, err := d.peer(op, other)
	if err != nil {
		return err
	}
	d.c.mu.Lock()
	delete(d.c.reached, other.c)
	d.c.mu.Unlock()
	return d.c.wrap(op, p.DisableAccess(other.c.drv))
}

// reaches reports whether kernels of the device may use memory of another.
func (c *core) reaches(other *core) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.reached[other]
	return ok
}

// visitedBy notes that work of another device may use memory of this one.
func (c *core) visitedBy(other *core) {
	if c == other {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.visitors == nil {
		c.visitors = map[*core]struct{}{}
	}
	c.visitors[other] = struct{}{}
}

// users are the devices whose work may use memory of this one, itself first.
func (c *core) users() []*core {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := []*core{c}
	for v := range c.visitors {
		all = append(all, v)
	}
	return all
}

// visited reports whether others than this device may use its memory.
func (c *core) visited() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.visitors) > 0
}

// CopyPeer queues a copy of all elements of src to dst, which is memory of another GPU and has the same length, on s, a stream of
// dst's device. Nil is that device's default stream, which first waits for work queued on the two, wherever it was queued.
// EnablePeerAccess makes it faster and is not needed. The error wraps ErrNotSupported where one of the two is on the host device;
// with both on one device it is Copy.
func CopyPeer[T Element](dst, src Memory[T], s *Stream) error {
	const op = "copy buffer from another device"
	d, from := dst.Device().c, src.Device().c
	if d == from {
		return Copy(dst, src, s)
	}
	p, err := d.peer(op, from)
	if err != nil {
		return err
	}
	return copyMemory(op, dst, src, s, func(to, at span, q *queue) error { return p.CopyPeer(to.ptr, from.drv, at.ptr, to.n, q.h) })
}

// visit queues a copy to memory of the device, from there or from another. Either end may be an array, which has no memory here.
func (c *core) visit(op string, q *queue, join bool, to, from span, copy func() error) error {
	for _, m := range []*memory{to.m, from.m} {
		if m == nil {
			continue
		}
		if join {
			if err := m.join(q); err != nil {
				return c.wrap(op, err)
			}
		}
		m.c.visitedBy(c)
	}
	if err := copy(); err != nil {
		return c.wrap(op, err)
	}
	for _, m := range []*memory{to.m, from.m} {
		if m != nil {
			m.touch(q)
		}
	}
	return nil
}

// MemoryKind is a kind of memory.
type MemoryKind string

// The kinds of memory: of a Buffer, a HostBuffer, a registered and a managed one, of a variable of a module, and of somebody else.
const (
	DeviceMemory     MemoryKind = "device"
	HostMemory       MemoryKind = "page-locked"
	RegisteredMemory MemoryKind = "registered"
	ManagedMemory    MemoryKind = "managed"
	ModuleMemory     MemoryKind = "module"
	ForeignMemory    MemoryKind = "foreign"
)

var memoryKinds = map[driver.MemoryKind]MemoryKind{
	driver.DeviceKind: DeviceMemory, driver.HostKind: HostMemory, driver.RegisteredKind: RegisteredMemory,
	driver.ManagedKind: ManagedMemory, driver.ModuleKind: ModuleMemory, driver.ForeignKind: ForeignMemory,
}

// Location says what an address is part of.
type Location struct {
	Kind MemoryKind
	// Base is where the memory begins for the device, Bytes its length. Host is where the host finds it; 0 if it cannot.
	Base, Bytes uint64
	Host        uintptr
}

// Locate says in which memory of the device an address lies (cuPointerGetAttribute). The error wraps ErrInvalidValue if in none.
func (d *Device) Locate(addr uint64) (Location, error) {
	op := fmt.Sprintf("locate address %#x", addr)
	if err := d.c.usable(op); err != nil {
		return Location{}, err
	}
	l, err := d.c.drv.Locate(driver.Ptr(addr))
	if err != nil {
		return Location{}, d.c.wrap(op, err)
	}
	return Location{memoryKinds[l.Kind], uint64(l.Base), l.Bytes, l.Host}, nil
}
