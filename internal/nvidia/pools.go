package nvidia

import (
	"fmt"
	"runtime"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

// pool is a native pool.
type pool struct {
	object
	native cuapi.MemPool
}

// registration is memory of the caller's that the driver has page-locked.
type registration struct {
	bytes  []byte
	pinner *runtime.Pinner
}

// boundsSince is the version of the driver from which on a pool can be bounded.
const boundsSince = 12020

// pool finds a pool and counts the caller as its user.
func (d *device) pool(h driver.Pool) (*pool, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	p, ok := d.pools[h]
	if !ok {
		return nil, fail(driver.InvalidHandle, "use pool %#x: no such pool on this device", uint64(h))
	}
	p.acquire()
	return p, nil
}

// NewPool makes a pool.
func (d *device) NewPool(o driver.PoolOptions) (driver.Pool, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.users.leave()
	switch {
	case !d.pooling:
		return 0, fail(driver.NotSupported, "make pool: %s or its driver has no memory in the order of streams", d.info.Name)
	case o.MaxBytes > 0 && d.info.DriverVersion < boundsSince:
		return 0, fail(driver.NotSupported, "make pool of at most %d bytes: drivers bound pools since CUDA 12.2", o.MaxBytes)
	}
	p := &pool{}
	err := d.call(func() (err error) {
		p.native, err = d.api.MemPoolCreate(d.info.Ordinal, o.MaxBytes)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("make pool: %w", err)
	}
	p.init(func() error { return d.quiet(func() error { return d.api.MemPoolDestroy(p.native) }) })
	if o.KeepBytes > 0 {
		if err := d.call(func() error {
			return d.api.MemPoolSetAttribute(p.native, cuapi.PoolKeepBytes, o.KeepBytes)
		}); err != nil {
			d.lose(p.release())
			return 0, fmt.Errorf("make pool: %w", err)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	h := driver.Pool(d.handle())
	d.pools[h] = p
	return h, nil
}

// DestroyPool takes a pool away.
func (d *device) DestroyPool(h driver.Pool) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.users.leave()
	d.mu.Lock()
	p, ok := d.pools[h]
	delete(d.pools, h)
	d.mu.Unlock()
	if !ok {
		return fail(driver.InvalidHandle, "destroy pool %#x: no such pool on this device", uint64(h))
	}
	return p.release()
}

// onPool calls f with a pool in use.
func (d *device) onPool(h driver.Pool, f func(p cuapi.MemPool) error) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.users.leave()
	p, err := d.pool(h)
	if err != nil {
		return err
	}
	err = d.quiet(func() error { return f(p.native) })
	d.lose(p.release())
	return err
}

// PoolInfo asks for the figures of a pool.
func (d *device) PoolInfo(h driver.Pool) (i driver.PoolInfo, err error) {
	err = d.onPool(h, func(p cuapi.MemPool) error {
		for _, a := range []struct {
			attribute int
			v         *uint64
		}{
			{cuapi.PoolUsed, &i.Used}, {cuapi.PoolReserved, &i.Reserved},
			{cuapi.PoolUsedPeak, &i.UsedPeak}, {cuapi.PoolReservedPeak, &i.ReservedPeak},
		} {
			var err error
			if *a.v, err = d.api.MemPoolAttribute(p, a.attribute); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return driver.PoolInfo{}, err
	}
	return i, nil
}

// ResetPoolPeaks forgets earlier peaks.
func (d *device) ResetPoolPeaks(h driver.Pool) error {
	return d.onPool(h, func(p cuapi.MemPool) error {
		if err := d.api.MemPoolSetAttribute(p, cuapi.PoolUsedPeak, 0); err != nil {
			return err
		}
		return d.api.MemPoolSetAttribute(p, cuapi.PoolReservedPeak, 0)
	})
}

// TrimPool gives freed memory back.
func (d *device) TrimPool(h driver.Pool, keep uint64) error {
	return d.onPool(h, func(p cuapi.MemPool) error { return d.api.MemPoolTrimTo(p, min(keep, maxAlloc)) })
}

// AllocAsync allocates in the order of a stream.
func (d *device) AllocAsync(n uint64, h driver.Pool, on driver.Stream) (driver.Ptr, error) {
	s, err := d.transfer(on)
	if err != nil {
		return 0, err
	}
	defer d.done(s)
	p, err := d.pool(h)
	if err != nil {
		return 0, err
	}
	defer func() { d.lose(p.release()) }()
	if n == 0 {
		return 0, fail(driver.InvalidValue, "allocate 0 bytes")
	}
	if n > maxAlloc {
		return 0, fail(driver.OutOfMemory, "allocate %d bytes", n)
	}
	var ptr cuapi.DevicePtr
	if err := d.call(func() (err error) {
		ptr, err = d.api.MemAllocFromPoolAsync(n, p.native, s.native)
		return err
	}); err != nil {
		return 0, fmt.Errorf("allocate %d bytes: %w", n, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.regions.add(region{base: driver.Ptr(ptr), size: n, kind: poolMemory})
	return driver.Ptr(ptr), nil
}

// FreeAsync frees memory of a pool behind the work of a stream.
func (d *device) FreeAsync(p driver.Ptr, on driver.Stream) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.users.leave()
	s, err := d.stream(on)
	if err != nil {
		return err
	}
	defer func() { d.lose(s.release()) }()
	r, ok := d.take(p, poolMemory)
	if !ok {
		return fail(driver.InvalidValue, "free memory at %#x in the order of a stream: not the beginning of memory of a pool", uint64(p))
	}
	if err := d.quiet(func() error { return d.api.MemFreeAsync(cuapi.DevicePtr(p), s.native) }); err != nil {
		d.mu.Lock()
		d.regions.add(r)
		d.mu.Unlock()
		return fmt.Errorf("free memory at %#x: %w", uint64(p), err)
	}
	return nil
}

// AllocManaged allocates memory that host and device access.
func (d *device) AllocManaged(n uint64) (driver.Ptr, []byte, error) {
	if err := d.use(); err != nil {
		return 0, nil, err
	}
	defer d.users.leave()
	if n == 0 {
		return 0, nil, fail(driver.InvalidValue, "allocate 0 bytes of managed memory")
	}
	if n > maxAlloc {
		return 0, nil, fail(driver.OutOfMemory, "allocate %d bytes of managed memory", n)
	}
	var p cuapi.DevicePtr
	if err := d.call(func() (err error) {
		p, err = d.api.MemAllocManaged(n)
		return err
	}); err != nil {
		return 0, nil, fmt.Errorf("allocate %d bytes of managed memory: %w", n, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.regions.add(region{base: driver.Ptr(p), size: n, kind: managedMemory})
	return driver.Ptr(p), cuapi.HostPtr(p).Bytes(int(n)), nil
}

// managed checks that n > 0 bytes lie in managed memory.
func (d *device) managed(p driver.Ptr, n uint64) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	r, ok := d.regions.find(p)
	if !ok || r.kind != managedMemory || n == 0 || n > r.size-uint64(p-r.base) {
		return fail(driver.InvalidValue, "%d bytes at %#x are not managed memory", n, uint64(p))
	}
	return nil
}

// Prefetch queues moving managed memory.
func (d *device) Prefetch(p driver.Ptr, n uint64, toHost bool, h driver.Stream) error {
	if err := d.managedCall(p, n); err != nil {
		return err
	}
	return d.onStream(h, func(s cuapi.Stream) error {
		return d.api.MemPrefetch(cuapi.DevicePtr(p), n, toHost, d.info.Ordinal, d.native, s)
	})
}

// managedCall is managed for an open device without a fault.
func (d *device) managedCall(p driver.Ptr, n uint64) error {
	if err := d.use(); err != nil {
		return err
	}
	defer d.users.leave()
	return d.managed(p, n)
}

// Advise says how managed memory will be used.
func (d *device) Advise(p driver.Ptr, n uint64, a driver.Advice, host bool) error {
	if err := d.use(); err != nil {
		return err
	}
	defer d.users.leave()
	if err := d.managed(p, n); err != nil {
		return err
	}
	if a < driver.ReadMostly || a > driver.NotAccessedBy {
		return fail(driver.InvalidValue, "advice %d for managed memory", a)
	}
	return d.call(func() error {
		return d.api.MemAdvise(cuapi.DevicePtr(p), n, int(a), host, d.info.Ordinal, d.native)
	})
}

// Attach restricts who uses managed memory.
func (d *device) Attach(p driver.Ptr, a driver.Attachment, h driver.Stream) error {
	if err := d.managedCall(p, 1); err != nil {
		return err
	}
	if a != driver.AttachGlobal && a != driver.AttachHost && a != driver.AttachStream {
		return fail(driver.InvalidValue, "attach managed memory: attachment %d", a)
	}
	return d.onStream(h, func(s cuapi.Stream) error {
		return d.api.StreamAttachMemAsync(s, cuapi.DevicePtr(p), int(a))
	})
}

// RegisterHost page-locks memory of the caller's. It stays pinned for Go's collector as well.
func (d *device) RegisterHost(b []byte) (driver.Ptr, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.users.leave()
	if len(b) == 0 {
		return 0, fail(driver.InvalidValue, "register 0 bytes of host memory")
	}
	g := registration{b, new(runtime.Pinner)}
	g.pinner.Pin(&b[0])
	err := d.call(func() error {
		return d.api.MemHostRegister(b, cuapi.MemHostRegisterPortable|cuapi.MemHostRegisterDeviceMap)
	})
	if err != nil {
		g.pinner.Unpin()
		if isStatus(err, alreadyRegistered) {
			err = fmt.Errorf("%w: %w", driver.InvalidValue, err)
		}
		return 0, fmt.Errorf("register %d bytes of host memory: %w", len(b), err)
	}
	var p cuapi.DevicePtr
	err = d.call(func() (err error) {
		p, err = d.api.MemRegisteredDevicePointer(b)
		return err
	})
	if err != nil {
		d.lose(d.unregister(g))
		return 0, fmt.Errorf("register %d bytes of host memory: %w", len(b), err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.regions.add(region{base: driver.Ptr(p), size: uint64(len(b)), kind: registeredMemory})
	d.registered[driver.Ptr(p)] = g
	return driver.Ptr(p), nil
}

// alreadyRegistered is CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED.
const alreadyRegistered driver.Status = 712

func (d *device) unregister(g registration) error {
	defer g.pinner.Unpin()
	return d.quiet(func() error { return d.api.MemHostUnregister(g.bytes) })
}

// UnregisterHost ends a registration.
func (d *device) UnregisterHost(p driver.Ptr) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.users.leave()
	if _, ok := d.take(p, registeredMemory); !ok {
		return fail(driver.InvalidValue, "unregister host memory at %#x: not the beginning of a registration", uint64(p))
	}
	d.mu.Lock()
	g := d.registered[p]
	delete(d.registered, p)
	d.mu.Unlock()
	return d.unregister(g)
}
