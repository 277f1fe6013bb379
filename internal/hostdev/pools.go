package hostdev

import (
	"fmt"
	"math"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/mem"
)

// pool implements driver.Pool. Package mem keeps freed pages itself, so a pool is an account of what was handed out.
// Guarded by device.mu.
type pool struct {
	limit      uint64
	used, peak uint64
}

// pooled is memory of AllocAsync.
type pooled struct {
	pool  *pool
	bytes uint64
}

// pools are the pools of a device and memory of both worlds. Guarded by device.mu.
type pools struct {
	all        map[driver.Pool]*pool
	memory     map[driver.Ptr]pooled
	managed    map[driver.Ptr]uint64
	registered map[driver.Ptr]uint64
}

func newPools() pools {
	return pools{map[driver.Pool]*pool{}, map[driver.Ptr]pooled{}, map[driver.Ptr]uint64{}, map[driver.Ptr]uint64{}}
}

// NewPool makes a pool.
func (d *device) NewPool(o driver.PoolOptions) (driver.Pool, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.mu.Unlock()
	p := &pool{limit: o.MaxBytes}
	if p.limit == 0 {
		p.limit = math.MaxUint64
	}
	h := driver.Pool(d.handle())
	d.pools.all[h] = p
	return h, nil
}

// pool finds a pool, and locks the device for a query, which a fault does not forbid.
func (d *device) pool(h driver.Pool) (*pool, error) {
	if err := d.enter(); err != nil {
		return nil, err
	}
	p, ok := d.pools.all[h]
	if !ok {
		d.mu.Unlock()
		return nil, fail(driver.InvalidHandle, "use pool %#x: no such pool on this device", uint64(h))
	}
	return p, nil
}

// DestroyPool forgets the handle.
func (d *device) DestroyPool(h driver.Pool) error {
	if _, err := d.pool(h); err != nil {
		return err
	}
	defer d.mu.Unlock()
	delete(d.pools.all, h)
	return nil
}

// PoolInfo returns the figures of a pool.
func (d *device) PoolInfo(h driver.Pool) (driver.PoolInfo, error) {
	p, err := d.pool(h)
	if err != nil {
		return driver.PoolInfo{}, err
	}
	defer d.mu.Unlock()
	return driver.PoolInfo{Used: p.used, Reserved: p.used, UsedPeak: p.peak, ReservedPeak: p.peak}, nil
}

// ResetPoolPeaks forgets earlier peaks.
func (d *device) ResetPoolPeaks(h driver.Pool) error {
	p, err := d.pool(h)
	if err != nil {
		return err
	}
	defer d.mu.Unlock()
	p.peak = p.used
	return nil
}

// TrimPool has nothing to give back.
func (d *device) TrimPool(h driver.Pool, _ uint64) error {
	if _, err := d.pool(h); err != nil {
		return err
	}
	d.mu.Unlock()
	return nil
}

// AllocAsync allocates at once, which is before all work queued later.
func (d *device) AllocAsync(n uint64, h driver.Pool, on driver.Stream) (driver.Ptr, error) {
	if _, err := d.transferable(on); err != nil {
		return 0, err
	}
	defer d.mu.Unlock()
	p, ok := d.pools.all[h]
	switch {
	case !ok:
		return 0, fail(driver.InvalidHandle, "use pool %#x: no such pool on this device", uint64(h))
	case n == 0:
		return 0, fail(driver.InvalidValue, "allocate 0 bytes")
	case n > p.limit || p.used > p.limit-n:
		return 0, fail(driver.OutOfMemory, "allocate %d bytes: the pool is bounded by %d, and %d are in use", n, p.limit, p.used)
	}
	addr, err := d.mem.Alloc(n)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", statusOf(err), err)
	}
	p.used += n
	p.peak = max(p.peak, p.used)
	d.pools.memory[driver.Ptr(addr)] = pooled{p, n}
	return driver.Ptr(addr), nil
}

// FreeAsync frees memory behind the work of a stream. The handle is gone at once, the memory is dying until then.
func (d *device) FreeAsync(p driver.Ptr, on driver.Stream) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	s, ok := d.streams[on]
	if !ok {
		return badStream(on)
	}
	m, ok := d.pools.memory[p]
	if !ok {
		return fail(driver.InvalidValue, "free memory at %#x in the order of a stream: not the beginning of memory of a pool", uint64(p))
	}
	delete(d.pools.memory, p)
	d.dying[p] = struct{}{}
	release := func() {
		delete(d.dying, p)
		m.pool.used -= m.bytes
		_ = d.mem.Free(uint64(p)) // fails only if the tables of device and mem disagree
	}
	if s.idle() {
		release()
		return nil
	}
	t := d.newTask(taskMark) // not dropped by a fault
	t.mark = &deferred{streams: 1, action: release}
	s.enqueue(t)
	s.kick()
	return nil
}

// AllocManaged returns memory that is the same for host and device.
func (d *device) AllocManaged(n uint64) (driver.Ptr, []byte, error) {
	if err := d.use(); err != nil {
		return 0, nil, err
	}
	defer d.mu.Unlock()
	p, err := d.alloc(n, d.device)
	if err != nil {
		return 0, nil, err
	}
	b, err := d.mem.Bytes(uint64(p), n)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", statusOf(err), err)
	}
	d.pools.managed[p] = n
	return p, b, nil
}

// managed checks that a range lies in managed memory. Called with d.mu held.
func (d *device) managed(p driver.Ptr, n uint64) error {
	if _, err := d.bytes(p, max(n, 1)); err != nil {
		return err
	}
	r, _ := d.mem.Find(uint64(p))
	if _, ok := d.pools.managed[driver.Ptr(r.Addr)]; !ok {
		return fail(driver.InvalidValue, "%d bytes at %#x are not managed memory", n, uint64(p))
	}
	return nil
}

// Prefetch checks its arguments: there is one memory.
func (d *device) Prefetch(p driver.Ptr, n uint64, _ bool, h driver.Stream) error {
	if _, err := d.transferable(h); err != nil {
		return err
	}
	defer d.mu.Unlock()
	if n == 0 {
		return fail(driver.InvalidValue, "prefetch 0 bytes")
	}
	return d.managed(p, n)
}

// Advise checks its arguments: there is one memory.
func (d *device) Advise(p driver.Ptr, n uint64, a driver.Advice, _ bool) error {
	if err := d.use(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	if n == 0 || a < driver.ReadMostly || a > driver.NotAccessedBy {
		return fail(driver.InvalidValue, "advice %d for %d bytes", a, n)
	}
	return d.managed(p, n)
}

// Attach checks its arguments: host and device never exclude each other.
func (d *device) Attach(p driver.Ptr, a driver.Attachment, h driver.Stream) error {
	if _, err := d.transferable(h); err != nil {
		return err
	}
	defer d.mu.Unlock()
	if a != driver.AttachGlobal && a != driver.AttachHost && a != driver.AttachStream {
		return fail(driver.InvalidValue, "attach managed memory: attachment %d", a)
	}
	if _, ok := d.pools.managed[p]; !ok {
		return fail(driver.InvalidValue, "attach managed memory: %#x is not the beginning of any", uint64(p))
	}
	return nil
}

// RegisterHost makes memory of others legal for kernels.
func (d *device) RegisterHost(b []byte) (driver.Ptr, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.mu.Unlock()
	if len(b) == 0 {
		return 0, fail(driver.InvalidValue, "register 0 bytes of host memory")
	}
	addr, n := mem.AddressOf(b), uint64(len(b))
	for p, m := range d.pools.registered {
		if addr < uint64(p)+m && uint64(p) < addr+n {
			return 0, fail(driver.InvalidValue, "register %d bytes of host memory at %#x: a part of them is registered", n, addr)
		}
	}
	if err := d.mem.AddForeign(addr, n, "registered host memory"); err != nil {
		return 0, fmt.Errorf("register host memory: %w: %w", driver.InvalidValue, err)
	}
	d.pools.registered[driver.Ptr(addr)] = n
	return driver.Ptr(addr), nil
}

// UnregisterHost ends a registration.
func (d *device) UnregisterHost(p driver.Ptr) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	n, ok := d.pools.registered[p]
	if !ok {
		return fail(driver.InvalidValue, "unregister host memory at %#x: not the beginning of a registration", uint64(p))
	}
	delete(d.pools.registered, p)
	if err := d.mem.RemoveForeign(uint64(p), n); err != nil {
		return fmt.Errorf("unregister host memory: %w: %w", statusOf(err), err)
	}
	return nil
}
