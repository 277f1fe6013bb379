package cuda

import (
	"fmt"

	"github.com/tandem-go/tandem/internal/driver"
)

// PoolConfig says what a Pool is. The zero value is unbounded and keeps nothing.
type PoolConfig struct {
	_ struct{}
	// MaxBytes bounds what may be in use; 0 is no bound.
	MaxBytes uint64
	// KeepBytes is how much freed memory stays with the pool when streams are waited for, for the next allocation. The host
	// device keeps none.
	KeepBytes uint64
}

// Pool is memory that is handed out and taken back in the order of streams (cuMemAllocAsync).
type Pool struct {
	dev *Device
	res *resource
}

// NewPool makes a pool. On a GPU whose driver has none (before CUDA 11.2) the error wraps ErrNotSupported.
func (d *Device) NewPool(cfg PoolConfig) (*Pool, error) {
	const op = "make pool"
	if err := d.c.usable(op); err != nil {
		return nil, err
	}
	h, err := d.c.drv.NewPool(driver.PoolOptions{MaxBytes: cfg.MaxBytes, KeepBytes: cfg.KeepBytes})
	if err != nil {
		return nil, d.c.wrap(op, err)
	}
	return &Pool{d, d.c.guarded(poolHandle, uint64(h))}, nil
}

// Close gives the pool up. Its buffers live on.
func (p *Pool) Close() error { return p.res.close() }

func (p *Pool) handle() driver.Pool { return driver.Pool(p.res.note.handle) }

// PoolUsage is what a pool holds, in bytes: Used by buffers, Reserved with what is kept for later, and the most of each since
// ResetPeaks.
type PoolUsage struct{ Used, Reserved, UsedPeak, ReservedPeak uint64 }

// do calls f with the pool in use.
func (p *Pool) do(op string, f func() error) error {
	if err := p.res.acquire(op, "pool"); err != nil {
		return err
	}
	defer p.res.release()
	return p.dev.c.wrap(op, f())
}

// Usage returns the figures of the pool.
func (p *Pool) Usage() (u PoolUsage, err error) {
	err = p.do("ask for the usage of a pool", func() error {
		i, err := p.dev.c.drv.PoolInfo(p.handle())
		u = PoolUsage{i.Used, i.Reserved, i.UsedPeak, i.ReservedPeak}
		return err
	})
	return u, err
}

// ResetPeaks begins to look for peaks anew.
func (p *Pool) ResetPeaks() error {
	return p.do("reset the peaks of a pool", func() error { return p.dev.c.drv.ResetPoolPeaks(p.handle()) })
}

// Trim gives back freed memory until no more than keep bytes are reserved.
func (p *Pool) Trim(keep uint64) error {
	return p.do("trim a pool", func() error { return p.dev.c.drv.TrimPool(p.handle(), keep) })
}

// AllocFrom makes a buffer of n > 0 elements from a pool, for work queued later on s, or behind it by events; nil is the
// default stream. Close gives it back in the order of that stream, behind all work on the buffer, without waiting. Beyond
// the pool's bound, after everything dropped was freed, the error wraps ErrOutOfMemory.
func AllocFrom[T Element](p *Pool, n int, s *Stream) (*Buffer[T], error) {
	size := sizeOf[T]()
	op := fmt.Sprintf("alloc %d elements of %d bytes from a pool", n, size)
	if n < 1 || uint64(n) > 1<<62/uint64(size) {
		return nil, misused(op, ErrInvalidValue, "the length is out of range")
	}
	q, done, err := p.dev.stream(op, s)
	if err != nil {
		return nil, err
	}
	defer done()
	m := &memory{bytes: uint64(n) * uint64(size)}
	err = p.do(op, func() error {
		return p.dev.c.withMemory(func() (err error) {
			m.ptr, err = p.dev.c.drv.AllocAsync(m.bytes, p.handle(), q.h)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	m.own(p.dev.c, pooledMemory)
	m.resource.note.queue = q
	m.touch(q)
	m.guard()
	return &Buffer[T]{dev: p.dev, mem: m, n: n}, nil
}

// closePooled makes the stream of pool memory wait for other streams that use it, and gives it back there.
func (m *memory) closePooled() error {
	if q := m.note.queue; q != nil && m.state.Load()&1 == 0 {
		if err := m.join(q); err != nil && !isFault(err) {
			return m.c.wrap("free pool memory", err)
		}
	}
	return m.resource.close()
}

// close frees the memory.
func (m *memory) close() error {
	switch {
	case m.note.kind == pooledMemory:
		return m.closePooled()
	case m.note.blocks != nil && m.state.Load()&1 == 0:
		m.mu.Lock()
		m.note.busy = append([]*queue(nil), m.queues...)
		m.mu.Unlock()
	}
	return m.resource.close()
}
