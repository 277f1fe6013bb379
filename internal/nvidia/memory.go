package nvidia

import (
	"fmt"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

// maxAlloc is more than any machine has and little enough that nothing overflows in the driver.
const maxAlloc = 1 << 47

// Alloc allocates device memory at once (cuMemAlloc), not in the order of a stream: the driver's stream-ordered
// allocator keeps freed memory in a pool, which MemInfo and other processes would count as used.
func (d *device) Alloc(n uint64) (driver.Ptr, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.users.leave()
	if n == 0 {
		return 0, fail(driver.InvalidValue, "allocate 0 bytes")
	}
	if n > maxAlloc {
		return 0, fail(driver.OutOfMemory, "allocate %d bytes", n)
	}
	var p cuapi.DevicePtr
	if err := d.call(func() (err error) {
		p, err = d.api.MemAlloc(n)
		return err
	}); err != nil {
		return 0, fmt.Errorf("allocate %d bytes: %w", n, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.regions.add(region{base: driver.Ptr(p), size: n, kind: deviceMemory})
	return driver.Ptr(p), nil
}

// Free frees memory when the work queued before is done, for which it waits. The manual does not say what cuMemFree does
// about queued work; in practice it waits for the whole device, so that waiting here loses nothing.
func (d *device) Free(p driver.Ptr) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.users.leave()
	r, ok := d.take(p, deviceMemory, poolMemory, managedMemory)
	if !ok {
		return fail(driver.InvalidValue, "free device memory at %#x: not the beginning of an allocation", uint64(p))
	}
	err := d.settle()
	if err == nil {
		err = d.freeRegion(r)
	}
	if err != nil { // it is still there
		d.mu.Lock()
		d.regions.add(r)
		d.mu.Unlock()
		return fmt.Errorf("free device memory at %#x: %w", uint64(p), err)
	}
	return nil
}

// take removes a region from the table.
func (d *device) take(p driver.Ptr, kinds ...regionKind) (region, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.regions.remove(p, kinds...)
}

// freeRegion gives memory back to the driver. After a fault it only forgets it.
func (d *device) freeRegion(r region) error {
	return d.quiet(func() error {
		switch r.kind {
		case deviceMemory, poolMemory, managedMemory:
			return d.api.MemFree(cuapi.DevicePtr(r.base))
		case hostMemory:
			return d.api.MemFreeHost(r.host)
		}
		return nil
	})
}

// AllocHost allocates page-locked memory that every device of the process may use.
func (d *device) AllocHost(n uint64) (driver.Ptr, []byte, error) {
	if err := d.use(); err != nil {
		return 0, nil, err
	}
	defer d.users.leave()
	if n == 0 {
		return 0, nil, fail(driver.InvalidValue, "allocate 0 bytes of page-locked memory")
	}
	if n > maxAlloc {
		return 0, nil, fail(driver.OutOfMemory, "allocate %d bytes of page-locked memory", n)
	}
	r := region{size: n, kind: hostMemory}
	err := d.call(func() (err error) {
		r.host, err = d.api.MemHostAlloc(n, cuapi.MemHostAllocPortable|cuapi.MemHostAllocDeviceMap)
		return err
	})
	if err == nil {
		err = d.call(func() error {
			p, err := d.api.MemHostGetDevicePointer(r.host)
			r.base = driver.Ptr(p)
			return err
		})
		if err != nil {
			d.lose(d.freeRegion(r))
		}
	}
	if err != nil {
		return 0, nil, fmt.Errorf("allocate %d bytes of page-locked memory: %w", n, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.regions.add(r)
	return r.base, r.host.Bytes(int(n)), nil
}

// FreeHost frees memory of AllocHost at once.
func (d *device) FreeHost(p driver.Ptr) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.users.leave()
	r, ok := d.take(p, hostMemory)
	if !ok {
		return fail(driver.InvalidValue, "free page-locked memory at %#x: not the beginning of an allocation", uint64(p))
	}
	if err := d.freeRegion(r); err != nil {
		d.mu.Lock()
		d.regions.add(r)
		d.mu.Unlock()
		return fmt.Errorf("free page-locked memory at %#x: %w", uint64(p), err)
	}
	return nil
}

// transfer begins a call that cannot be captured, on a stream: see transferOrCapture.
func (d *device) transfer(h driver.Stream) (*stream, error) {
	s, err := d.transferOrCapture(h)
	if err != nil {
		return nil, err
	}
	if err := d.uncapturable(s); err != nil {
		d.done(s)
		return nil, err
	}
	return s, nil
}

// transferOrCapture counts a call in and a stream in use. The caller ends with d.done.
func (d *device) transferOrCapture(h driver.Stream) (*stream, error) {
	if err := d.use(); err != nil {
		return nil, err
	}
	s, err := d.stream(h)
	if err != nil {
		d.users.leave()
		return nil, err
	}
	return s, nil
}

// done ends what transfer began.
func (d *device) done(s *stream) {
	d.lose(s.release())
	d.users.leave()
}

// Write copies src aside, to page-locked memory, and queues the copy from there: what the driver does with ordinary memory
// it only describes in part, and it may wait for the stream or read the memory later. Writes of more than stagingBytes
// beyond what is still queued wait for room, that is for the stream.
func (d *device) Write(dst driver.Ptr, src []byte, h driver.Stream) error {
	s, err := d.transfer(h)
	if err != nil {
		return err
	}
	defer d.done(s)
	if len(src) == 0 {
		return nil
	}
	if err := d.check(dst, uint64(len(src))); err != nil {
		return d.saw(fmt.Errorf("write: %w", err))
	}
	for len(src) > 0 {
		n := min(len(src), maxBlock)
		if err := d.writeBlock(dst, src[:n], s); err != nil {
			return d.saw(fmt.Errorf("write: %w", err))
		}
		dst, src = dst+driver.Ptr(n), src[n:]
	}
	return nil
}

// writeBlock writes what fits a block.
func (d *device) writeBlock(dst driver.Ptr, src []byte, s *stream) error {
	b, err := d.up.take(len(src))
	if err != nil {
		return err
	}
	copy(b.bytes, src)
	err = d.raw(func() error {
		return d.api.MemcpyHtoDAsync(cuapi.DevicePtr(dst), b.host, uint64(len(src)), s.native)
	})
	if err != nil {
		d.up.give(b)
		return err
	}
	if err := d.raw(func() error { return d.api.EventRecord(b.event, s.native) }); err != nil {
		return err // nothing tells when the block is free again: it stays away until Close
	}
	d.up.giveLater(b)
	return nil
}

// wholeRead is the largest read that is complete in page-locked memory before dst is touched. Of a larger one the
// beginning is in dst if a kernel of another stream faults in the middle.
const wholeRead = 32 << 20

// Read copies through page-locked memory as well, so that dst stays as it is when the work before fails.
func (d *device) Read(dst []byte, src driver.Ptr, h driver.Stream) error {
	s, err := d.transfer(h)
	if err != nil {
		return err
	}
	defer d.done(s)
	if len(dst) == 0 {
		return d.call(func() error { return d.api.StreamSynchronize(s.native) })
	}
	if err := d.check(src, uint64(len(dst))); err != nil {
		return d.saw(fmt.Errorf("read: %w", err))
	}
	window := 4 // blocks in flight: enough to copy out of one while the others fill
	if len(dst) <= wholeRead {
		window = wholeRead / maxBlock
	}
	if err := d.read(dst, src, s, window); err != nil {
		return d.saw(fmt.Errorf("read: %w", err))
	}
	return nil
}

// read copies block by block, with at most window of them queued. If all fit, it waits for the last before it touches dst.
func (d *device) read(dst []byte, src driver.Ptr, s *stream, window int) error {
	var queued []*block
	defer func() {
		for _, b := range queued { // after an error: the device may still write to them
			d.down.giveLater(b)
		}
	}()
	whole, complete := len(dst) <= window*maxBlock, false
	for left := len(dst); len(dst) > 0; {
		if left > 0 && len(queued) < window {
			n := min(left, maxBlock)
			b, err := d.readBlock(src, n, s)
			if err != nil {
				return err
			}
			queued = append(queued, b)
			src, left = src+driver.Ptr(n), left-n
			continue
		}
		if !complete {
			wait := queued[0]
			if whole { // the last one ends after all others, and then no fault can come between them
				wait, complete = queued[len(queued)-1], true
			}
			if err := d.raw(func() error { return d.api.EventSynchronize(wait.event) }); err != nil {
				return err
			}
		}
		b := queued[0]
		dst = dst[copy(dst[:min(len(dst), maxBlock)], b.bytes):]
		d.down.give(b)
		queued = queued[1:]
	}
	return nil
}

// readBlock queues a copy to a block and an event behind it.
func (d *device) readBlock(src driver.Ptr, n int, s *stream) (*block, error) {
	b, err := d.down.take(n)
	if err != nil {
		return nil, err
	}
	err = d.raw(func() error {
		return d.api.MemcpyDtoHAsync(b.host, cuapi.DevicePtr(src), uint64(n), s.native)
	})
	if err != nil {
		d.down.give(b)
		return nil, err
	}
	if err := d.raw(func() error { return d.api.EventRecord(b.event, s.native) }); err != nil {
		return nil, err // as in writeBlock
	}
	return b, nil
}

// Copy queues a copy between addresses, which the driver tells apart by themselves (unified addressing).
func (d *device) Copy(dst, src driver.Ptr, n uint64, h driver.Stream) error {
	s, err := d.transferOrCapture(h)
	if err != nil {
		return err
	}
	defer d.done(s)
	if n == 0 {
		return nil
	}
	if err := d.checkCopy(dst, src, n); err != nil {
		return d.saw(fmt.Errorf("copy: %w", err))
	}
	return d.call(func() error {
		return d.api.MemcpyAsync(cuapi.DevicePtr(dst), cuapi.DevicePtr(src), n, s.native)
	})
}

// checkCopy checks both ranges of a copy.
func (d *device) checkCopy(dst, src driver.Ptr, n uint64) error {
	for _, p := range [...]driver.Ptr{dst, src} {
		if err := d.check(p, n); err != nil {
			return err
		}
	}
	if dst < src+driver.Ptr(n) && src < dst+driver.Ptr(n) {
		return fail(driver.InvalidValue, "%d bytes from %#x to %#x overlap", n, uint64(src), uint64(dst))
	}
	return nil
}

// Fill queues a fill.
func (d *device) Fill(dst driver.Ptr, value uint32, width int, count uint64, h driver.Stream) error {
	s, err := d.transferOrCapture(h)
	if err != nil {
		return err
	}
	defer d.done(s)
	if err := d.checkFill(dst, width, count); err != nil {
		return d.saw(fmt.Errorf("fill: %w", err))
	}
	if count == 0 {
		return nil
	}
	return d.call(func() error {
		return d.api.MemsetAsync(cuapi.DevicePtr(dst), value, width, count, s.native)
	})
}

// checkFill checks the arguments of a fill.
func (d *device) checkFill(dst driver.Ptr, width int, count uint64) error {
	switch {
	case width != 1 && width != 2 && width != 4:
		return fail(driver.InvalidValue, "width %d is not 1, 2 or 4", width)
	case uint64(dst)%uint64(width) != 0:
		return fail(driver.InvalidValue, "address %#x is not aligned to %d bytes", uint64(dst), width)
	case count > maxAlloc:
		return fail(driver.InvalidValue, "%d elements", count)
	case count == 0:
		return nil
	}
	return d.check(dst, count*uint64(width))
}
