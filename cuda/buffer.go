package cuda

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/trace"
	"sync"
	"sync/atomic"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/kargs"
)

// Element is what device memory is made of.
type Element interface {
	~int8 | ~uint8 | ~int16 | ~uint16 | ~int32 | ~uint32 | ~int64 | ~uint64 |
		~float32 | ~float64 | ~complex64 | ~complex128
}

// elemOf describes T for the check of arguments.
func elemOf[T Element]() kargs.Elem {
	e, _ := kargs.ElemOf(reflect.TypeFor[T]()) // the constraint admits only what ElemOf knows
	return e
}

// sizeOf is the size of T in bytes.
func sizeOf[T Element]() int { return int(reflect.TypeFor[T]().Size()) }

// memory is one allocation, shared by a Buffer and its views.
type memory struct {
	resource
	ptr   driver.Ptr
	bytes uint64
	host  []byte // of page-locked memory

	parent *resource // the module, of a module's variable

	last   atomic.Pointer[queue] // the stream that used it last
	mu     sync.Mutex
	queues []*queue // guarded by mu: streams with work on it that nobody joined yet
}

// acquire keeps the memory, and what it is part of, until release.
func (m *memory) acquire(op, what string) error {
	if m.parent != nil {
		if err := m.parent.acquire(op, "module"); err != nil {
			return err
		}
	}
	err := m.resource.acquire(op, what)
	if err != nil && m.parent != nil {
		m.parent.release()
	}
	return err
}

// release undoes acquire.
func (m *memory) release() {
	m.resource.release()
	if m.parent != nil {
		m.parent.release()
	}
}

// newMemory allocates n bytes of device memory. n of 0 is memory without an address.
func (d *Device) newMemory(n uint64) (*memory, error) {
	op := fmt.Sprintf("alloc %d bytes", n)
	if err := d.c.usable(op); err != nil {
		return nil, err
	}
	from := d.c.allocator()
	if p, ok := from.(*MemoryPool); ok && n > 0 && p.dev.c == d.c {
		m, err := p.b.take(n)
		return m, d.c.wrap(op, err)
	}
	m := &memory{bytes: n}
	if n > 0 {
		err := d.c.withMemory(func() (err error) {
			m.ptr, err = d.c.allocate(from, n)
			return err
		})
		if err != nil {
			return nil, d.c.wrap(op, err)
		}
	}
	m.own(d.c, deviceMemory)
	if from != nil && n > 0 {
		m.resource.note.kind, m.resource.note.from = suppliedMemory, from
	}
	m.guard()
	return m, nil
}

// own makes m responsible for its address.
func (m *memory) own(c *core, k kind) {
	m.resource.c = c
	m.resource.note = note{kind: k, handle: uint64(m.ptr), bytes: int64(m.bytes), gen: c.gen.Load()}
	if m.bytes > 0 {
		c.sites.add(uint64(m.ptr), m.bytes)
		c.remember(&m.resource.note)
		c.press()
	}
}

// touch notes that work on q uses the memory. It is called after the work was queued: see join. Work that is captured is not
// done; the graph keeps the memory, and its launches touch it.
func (m *memory) touch(q *queue) {
	if c := q.capture.Load(); c != nil {
		c.add(m)
		return
	}
	if m.last.Load() == q {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, have := range m.queues {
		if have == q {
			m.last.Store(q)
			return
		}
	}
	m.queues = append(m.queues, q)
	m.last.Store(q)
}

// join makes work queued on to later wait for all work on the memory. The order matters: last changes before the events
// are recorded, so that work queued meanwhile is either before the event or finds another last and is noted anew.
func (m *memory) join(to *queue) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.queues) == 0 || len(m.queues) == 1 && m.queues[0] == to {
		return nil
	}
	m.last.Store(to)
	for _, q := range m.queues {
		if q == to {
			continue
		}
		if err := to.follow(q); err != nil {
			m.last.Store(nil)
			return err
		}
	}
	m.queues = append(m.queues[:0], to)
	return nil
}

// Buffer is an array of n elements in the memory of a device. Its methods may be called from any goroutine; calls that
// touch the same elements at the same time are ordered by streams only. A Buffer that is not closed is freed some time
// after the last reference to it and its views is gone.
type Buffer[T Element] struct {
	dev    *Device
	mem    *memory
	off, n int  // in elements
	view   bool // does not own mem
}

// Alloc makes a buffer of n elements with undefined contents. When memory is out, everything dropped is freed first;
// then the error wraps ErrOutOfMemory.
func Alloc[T Element](d *Device, n int) (*Buffer[T], error) {
	size := sizeOf[T]()
	if n < 0 || uint64(n) > 1<<62/uint64(size) {
		return nil, misused(fmt.Sprintf("alloc %d elements of %d bytes", n, size), ErrInvalidValue, "the length is out of range")
	}
	mem, err := d.newMemory(uint64(n) * uint64(size))
	if err != nil {
		return nil, err
	}
	return &Buffer[T]{dev: d, mem: mem, n: n}, nil
}

// Upload makes a buffer with a copy of xs.
func Upload[T Element](ctx context.Context, d *Device, xs []T) (*Buffer[T], error) {
	b, err := Alloc[T](d, len(xs))
	if err != nil {
		return nil, err
	}
	if err := b.CopyFrom(ctx, xs); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// Device returns the buffer's device.
func (b *Buffer[T]) Device() *Device { return b.dev }

// Len is the number of elements.
func (b *Buffer[T]) Len() int { return b.n }

// Ptr is the device address of the first element, for structures that hold pointers; 0 for an empty buffer. It is valid
// while the buffer is reachable and not closed, which a structure does not see to.
func (b *Buffer[T]) Ptr() uint64 {
	if b.mem.bytes == 0 {
		return 0
	}
	return uint64(b.mem.ptr) + uint64(b.off*sizeOf[T]())
}

// Close frees the memory once all work that was queued on it is done. Views of a closed buffer are closed too. Closing
// a view does nothing.
func (b *Buffer[T]) Close() error {
	if b.view {
		return nil
	}
	return b.mem.close()
}

// Slice is a view of the elements from lo up to hi, which shares the memory. The error wraps ErrLength if the range is
// not within the buffer.
func (b *Buffer[T]) Slice(lo, hi int) (*Buffer[T], error) {
	if lo < 0 || hi < lo || hi > b.n {
		return nil, misused("slice buffer", ErrLength, "[%d:%d] of %d elements", lo, hi, b.n)
	}
	return &Buffer[T]{dev: b.dev, mem: b.mem, off: b.off + lo, n: hi - lo, view: true}, nil
}

// Reinterpret is a view of the same bytes as elements of another type. The error wraps ErrLength if the size of the
// buffer is not a multiple of the new element's, or the address not aligned to it.
func Reinterpret[U, T Element](b *Buffer[T]) (*Buffer[U], error) {
	from, to := sizeOf[T](), sizeOf[U]()
	if b.n*from%to != 0 || b.off*from%to != 0 {
		return nil, misused("reinterpret buffer", ErrLength, "%d elements of %d bytes at byte %d are no whole number of elements of %d bytes",
			b.n, from, b.off*from, to)
	}
	return &Buffer[U]{dev: b.dev, mem: b.mem, off: b.off * from / to, n: b.n * from / to, view: true}, nil
}

// use acquires the buffer for a call.
func (b *Buffer[T]) use(op string) (span, error) {
	if err := b.mem.acquire(op, "buffer"); err != nil {
		return span{}, err
	}
	size := sizeOf[T]()
	return span{b.mem, driver.Ptr(b.Ptr()), uint64(b.n * size)}, nil
}

// span is a range of an allocation that is in use.
type span struct {
	m   *memory
	ptr driver.Ptr
	n   uint64
}

// CopyFrom waits for all work queued on the buffer and copies src into it; work queued later, on any stream, finds src
// there. The lengths must be equal, else the error wraps ErrLength and nothing is copied. When ctx ends during the wait,
// the copy may still happen.
func (b *Buffer[T]) CopyFrom(ctx context.Context, src []T) error {
	op := fmt.Sprintf("copy %d elements to the device", len(src))
	if len(src) != b.n {
		return misused(op, ErrLength, "the buffer has %d", b.n)
	}
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	s, err := b.use(op)
	if err != nil {
		return err
	}
	defer s.m.release()
	if b.n == 0 {
		return nil
	}
	if trace.IsEnabled() {
		defer trace.StartRegion(ctx, op).End()
	}
	c := b.dev.c
	if err := c.write(s, bytesOf(src)); err != nil {
		return c.wrap(op, err)
	}
	return c.wait(ctx, op, c.main)
}

// write queues a copy on the default stream, behind all work on the memory.
func (c *core) write(s span, src []byte) error {
	if err := s.m.join(c.main); err != nil {
		return err
	}
	if err := c.drv.Write(s.ptr, src, c.main.h); err != nil {
		return err
	}
	s.m.touch(c.main)
	return nil
}

// CopyTo waits for all work queued on the buffer and copies it into dst. The lengths must be equal, else the error wraps
// ErrLength. dst is unchanged if there is an error, as when ctx ends.
func (b *Buffer[T]) CopyTo(ctx context.Context, dst []T) error {
	op := fmt.Sprintf("copy %d elements from the device", len(dst))
	if len(dst) != b.n {
		return misused(op, ErrLength, "the buffer has %d", b.n)
	}
	s, err := b.use(op)
	if err != nil {
		return err
	}
	defer s.m.release()
	return b.dev.c.fetch(ctx, op, bytesOf(dst), s)
}

// fetch waits for all work queued on the memory and copies it into dst.
func (c *core) fetch(ctx context.Context, op string, dst []byte, s span) error {
	if trace.IsEnabled() {
		defer trace.StartRegion(ctx, op).End()
	}
	if err := s.m.join(c.main); err != nil {
		return c.wrap(op, err)
	}
	if err := c.wait(ctx, op, c.main); err != nil || s.n == 0 {
		return err
	}
	return c.wrap(op, c.read(dst, s.ptr))
}

// Download is CopyTo into a new slice.
func (b *Buffer[T]) Download(ctx context.Context) ([]T, error) {
	out := make([]T, b.n)
	if err := b.CopyTo(ctx, out); err != nil {
		return nil, err
	}
	return out, nil
}

// Fill queues setting every element to v, on s; nil is the default stream, which first waits for work queued on the
// buffer.
func (b *Buffer[T]) Fill(v T, s *Stream) error {
	const op = "fill buffer"
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
	if b.n == 0 {
		return nil
	}
	c := b.dev.c
	if s == nil {
		if err := r.m.join(q); err != nil {
			return c.wrap(op, err)
		}
	}
	err = c.fill(r, bytesOf([]T{v}), q.h)
	r.m.touch(q)
	return c.wrap(op, err)
}

// fill repeats pattern over the span.
func (c *core) fill(r span, pattern []byte, h driver.Stream) error {
	if value, width, ok := small(pattern); ok {
		return c.drv.Fill(r.ptr, value, width, r.n/uint64(width), h)
	}
	// Write the pattern once and double what is there.
	if err := c.drv.Write(r.ptr, pattern, h); err != nil {
		return err
	}
	for n := uint64(len(pattern)); n < r.n; n *= 2 {
		if err := c.drv.Copy(r.ptr+driver.Ptr(n), r.ptr, min(n, r.n-n), h); err != nil {
			return err
		}
	}
	return nil
}

// small finds a repeating unit of at most four bytes in the pattern, whose length is a power of two.
func small(pattern []byte) (value uint32, width int, ok bool) {
	width = min(len(pattern), 4)
	for i := range pattern {
		if pattern[i] != pattern[i%width] {
			return 0, 0, false
		}
	}
	for i := width - 1; i >= 0; i-- {
		value = value<<8 | uint32(pattern[i])
	}
	return value, width, true
}

// Memory is a Buffer or a HostBuffer.
type Memory[T Element] interface {
	// Len is the number of elements.
	Len() int
	// Device returns the device that the memory belongs to.
	Device() *Device

	elem(T)
	use(op string) (span, error)
}

func (b *Buffer[T]) elem(T) {}

// Copy queues a copy of all elements of src to dst, which have the same length and device and do not overlap, on s. Nil
// is the default stream, which first waits for work queued on the two. The memory may be given up right away; the
// elements of a HostBuffer must not be changed before the work is done.
func Copy[T Element](dst, src Memory[T], s *Stream) error {
	const op = "copy buffer"
	d := dst.Device()
	if d.c != src.Device().c {
		return misused(op, ErrWrongDevice, "from %s to %s; CopyPeer does that between GPUs, slices do it always", src.Device().c.name, d.c.name)
	}
	return copyMemory(op, dst, src, s, func(to, from span, q *queue) error {
		return d.c.drv.Copy(to.ptr, from.ptr, to.n, q.h)
	})
}

// copyMemory checks a copy and queues it with copy.
func copyMemory[T Element](op string, dst, src Memory[T], s *Stream, copy func(to, from span, q *queue) error) error {
	if dst.Len() != src.Len() {
		return misused(op, ErrLength, "%d elements into %d", src.Len(), dst.Len())
	}
	d := dst.Device()
	q, done, err := d.stream(op, s)
	if err != nil {
		return err
	}
	defer done()
	to, err := dst.use(op)
	if err != nil {
		return err
	}
	defer to.m.release()
	from, err := src.use(op)
	if err != nil {
		return err
	}
	defer from.m.release()
	if to.m == from.m && to.ptr < from.ptr+driver.Ptr(from.n) && from.ptr < to.ptr+driver.Ptr(to.n) {
		return misused(op, ErrInvalidValue, "source and destination overlap")
	}
	if to.n == 0 {
		return nil
	}
	return d.c.visit(op, q, s == nil, to, from, func() error { return copy(to, from, q) })
}

func errorsFirst(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// stream resolves the stream of a call and keeps it until done is called.
func (d *Device) stream(op string, s *Stream) (q *queue, done func(), err error) {
	if s == nil {
		return d.c.main, func() {}, d.c.usable(op)
	}
	if s.dev.c != d.c {
		return nil, nil, misused(op, ErrWrongDevice, "the stream belongs to %s, not to %s", s.dev.c.name, d.c.name)
	}
	if err := s.acquire(op); err != nil {
		return nil, nil, err
	}
	return s.q, s.release, nil
}
