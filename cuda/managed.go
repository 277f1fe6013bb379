package cuda

import (
	"fmt"
	"runtime"

	"github.com/tandem-go/tandem/internal/driver"
)

// ManagedBuffer is memory that host and device use at one address: Slice is the memory itself, and a kernel takes it as an
// argument. The host must not touch it while work on it is queued, unless the device's attribute ConcurrentManagedAccess
// says that it may. Like HostBuffer it is freed by Close or with its device, never by the garbage collector.
type ManagedBuffer[T Element] struct{ HostBuffer[T] }

// AllocManaged makes managed memory of n elements, all zero.
func AllocManaged[T Element](d *Device, n int) (*ManagedBuffer[T], error) {
	size := sizeOf[T]()
	op := fmt.Sprintf("alloc %d managed elements of %d bytes", n, size)
	if n < 1 || uint64(n) > 1<<62/uint64(size) {
		return nil, misused(op, ErrInvalidValue, "the length is out of range")
	}
	if err := d.c.usable(op); err != nil {
		return nil, err
	}
	m := &memory{bytes: uint64(n) * uint64(size)}
	err := d.c.withMemory(func() (err error) {
		m.ptr, m.host, err = d.c.drv.AllocManaged(m.bytes)
		return err
	})
	if err != nil {
		return nil, d.c.wrap(op, err)
	}
	clear(m.host)
	m.own(d.c, managedMemory)
	d.c.pinned.Add(1)
	return &ManagedBuffer[T]{HostBuffer[T]{dev: d, mem: m, n: n}}, nil
}

// freeOther gives back memory of both worlds, and memory of pools.
func (c *core) freeOther(n note) (op string, err error) {
	c.forget(n)
	switch n.kind {
	case managedMemory:
		c.pinned.Add(-1)
		return "free managed memory", c.drv.Free(driver.Ptr(n.handle))
	case hostRegistration:
		c.pinned.Add(-1)
		err := c.drv.UnregisterHost(driver.Ptr(n.handle))
		c.unpin(n.pin)
		return "unregister host memory", err
	}
	q := n.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	h := q.h
	if q.gone {
		h = c.main.h
	}
	return "free pool memory", c.drv.FreeAsync(driver.Ptr(n.handle), h)
}

// Target is where managed memory is used.
type Target bool

// The targets: the buffer's device, or the host.
const (
	OnDevice Target = false
	OnHost   Target = true
)

// Prefetch queues moving the memory to where it will be used, on s; nil is the default stream.
func (b *ManagedBuffer[T]) Prefetch(to Target, s *Stream) error {
	const op = "prefetch managed memory"
	return b.managed(op, s, func(r span, q *queue) error { return b.dev.c.drv.Prefetch(r.ptr, r.n, bool(to), q.h) })
}

// managed calls f with the memory and a stream in use.
func (b *ManagedBuffer[T]) managed(op string, s *Stream, f func(r span, q *queue) error) error {
	q, done, err := b.dev.stream(op, s)
	if err != nil {
		return err
	}
	defer done()
	r, err := b.use(op)
	if err != nil {
		return err
	}
	defer r.m.release()
	err = f(r, q)
	r.m.touch(q)
	return b.dev.c.wrap(op, err)
}

// Advice says how managed memory will be used.
type Advice int

// The kinds of advice (CUDA driver API, cuMemAdvise).
const (
	ReadMostly        = Advice(driver.ReadMostly)
	NotReadMostly     = Advice(driver.NotReadMostly)
	PreferredLocation = Advice(driver.PreferredLocation)
	NoPreference      = Advice(driver.NoPreference)
	AccessedBy        = Advice(driver.AccessedBy)
	NotAccessedBy     = Advice(driver.NotAccessedBy)
)

// Advise tells the device how the memory will be used, and where. It changes speed, never results.
func (b *ManagedBuffer[T]) Advise(a Advice, by Target) error {
	return b.managed("advise managed memory", nil, func(r span, _ *queue) error {
		return b.dev.c.drv.Advise(r.ptr, r.n, driver.Advice(a), bool(by))
	})
}

// Attachment says who may use managed memory.
type Attachment int

// The attachments (CUDA driver API, cuStreamAttachMemAsync).
const (
	AttachGlobal = Attachment(driver.AttachGlobal)
	AttachHost   = Attachment(driver.AttachHost)
	AttachStream = Attachment(driver.AttachStream)
)

// Attach restricts who uses the memory, from when the work queued on s is done.
func (b *ManagedBuffer[T]) Attach(a Attachment, s *Stream) error {
	return b.managed("attach managed memory", s, func(r span, q *queue) error {
		return b.dev.c.drv.Attach(r.ptr, driver.Attachment(a), q.h)
	})
}

// RegisterHost page-locks the memory of s and makes it visible to the device, without a copy: a mapped file, memory shared
// with another process, or a Go slice, which stays pinned. Close ends that, after the work queued so far, and leaves the
// memory to its owner, who keeps it until then. A part of s that is registered gives an error that wraps ErrInvalidValue.
func RegisterHost[T Element](d *Device, s []T) (*HostBuffer[T], error) {
	op := fmt.Sprintf("register %d elements of %d bytes", len(s), sizeOf[T]())
	if len(s) == 0 {
		return nil, misused(op, ErrInvalidValue, "the slice is empty")
	}
	if err := d.c.usable(op); err != nil {
		return nil, err
	}
	pin := new(runtime.Pinner)
	pin.Pin(&s[0])
	m := &memory{host: bytesOf(s)}
	m.bytes = uint64(len(m.host))
	var err error
	if m.ptr, err = d.c.drv.RegisterHost(m.host); err != nil {
		pin.Unpin()
		return nil, d.c.wrap(op, err)
	}
	m.own(d.c, hostRegistration)
	m.resource.note.pin = pin
	d.c.mu.Lock()
	d.c.pins[pin] = struct{}{}
	d.c.mu.Unlock()
	d.c.pinned.Add(1)
	return &HostBuffer[T]{dev: d, mem: m, n: len(s)}, nil
}

// unpin lets Go's collector have memory again.
func (c *core) unpin(p *runtime.Pinner) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.pins[p]; ok {
		delete(c.pins, p)
		p.Unpin()
	}
}

// unpinAll ends all pins, when the device has let go of all memory. Called with c.mu held.
func (c *core) unpinAll() {
	for p := range c.pins {
		p.Unpin()
	}
	clear(c.pins)
}
