package hostdev

import (
	"fmt"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/sanitize"
)

// inlineBytes is the largest copy or fill that is made by the caller when its stream is idle: it takes no longer than
// handing it to a goroutine.
const inlineBytes = 64 << 10

// Alloc returns new device memory.
func (d *device) Alloc(n uint64) (driver.Ptr, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.mu.Unlock()
	p, err := d.alloc(n, d.device)
	if err == nil {
		d.tell(func(c *sanitize.Checker) { c.Track(uint64(p), n) })
	}
	return p, err
}

func (d *device) alloc(n uint64, set map[driver.Ptr]struct{}) (driver.Ptr, error) {
	if n == 0 {
		return 0, fail(driver.InvalidValue, "allocate 0 bytes")
	}
	addr, err := d.mem.Alloc(n)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", statusOf(err), err)
	}
	set[driver.Ptr(addr)] = struct{}{}
	return driver.Ptr(addr), nil
}

// Free frees memory after the work that is queued now.
func (d *device) Free(p driver.Ptr) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	m, inPool := d.pools.memory[p]
	if _, ok := d.device[p]; !ok && !inPool {
		return fail(driver.InvalidValue, "free device memory at %#x: not the beginning of an allocation", uint64(p))
	}
	delete(d.device, p)
	delete(d.pools.memory, p)
	delete(d.pools.managed, p)
	d.dying[p] = struct{}{}
	var err error
	d.afterQueued(func() {
		delete(d.dying, p)
		d.tell(func(c *sanitize.Checker) { c.Forget(uint64(p)) })
		if inPool {
			m.pool.used -= m.bytes
		}
		err = d.mem.Free(uint64(p)) // fails only if the tables of device and mem disagree
	})
	if err != nil {
		return fmt.Errorf("%w: %w", statusOf(err), err)
	}
	return nil
}

// AllocHost returns memory that is the same for host and device.
func (d *device) AllocHost(n uint64) (driver.Ptr, []byte, error) {
	if err := d.use(); err != nil {
		return 0, nil, err
	}
	defer d.mu.Unlock()
	p, err := d.alloc(n, d.host)
	if err != nil {
		return 0, nil, err
	}
	b, err := d.mem.Bytes(uint64(p), n)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", statusOf(err), err)
	}
	return p, b, nil
}

// FreeHost frees memory of AllocHost at once.
func (d *device) FreeHost(p driver.Ptr) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	if _, ok := d.host[p]; !ok {
		return fail(driver.InvalidValue, "free host memory at %#x: not the beginning of an allocation", uint64(p))
	}
	delete(d.host, p)
	if err := d.mem.Free(uint64(p)); err != nil {
		return fmt.Errorf("%w: %w", statusOf(err), err)
	}
	return nil
}

// bytes returns a view of n > 0 bytes of memory for queued work. Memory that was given to Free is gone for the caller,
// although it is still there for the work before. Called with d.mu held.
func (d *device) bytes(p driver.Ptr, n uint64) ([]byte, error) {
	b, err := d.mem.Bytes(uint64(p), n)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", driver.InvalidValue, err)
	}
	if len(d.dying) > 0 {
		if r, ok := d.mem.Find(uint64(p)); ok {
			if _, gone := d.dying[driver.Ptr(r.Addr)]; gone {
				return nil, fail(driver.InvalidValue, "%d bytes at %#x lie in memory that was freed", n, uint64(p))
			}
		}
	}
	return b, nil
}

// transferable locks the device and finds the stream of a call that cannot be captured. On success d.mu is held.
func (d *device) transferable(h driver.Stream) (*stream, error) {
	if err := d.use(); err != nil {
		return nil, err
	}
	s, ok := d.streams[h]
	if !ok {
		d.mu.Unlock()
		return nil, badStream(h)
	}
	if err := s.uncapturable(); err != nil {
		d.mu.Unlock()
		return nil, err
	}
	return s, nil
}

// Write queues a copy of src. On an idle stream the caller makes it; otherwise src is copied aside first.
func (d *device) Write(dst driver.Ptr, src []byte, h driver.Stream) error {
	s, err := d.transferable(h)
	if err != nil {
		return err
	}
	defer d.mu.Unlock()
	if len(src) == 0 {
		return nil
	}
	to, err := d.bytes(dst, uint64(len(src)))
	if err != nil {
		return fmt.Errorf("write to device memory: %w", err)
	}
	t := d.newTask(taskWrite)
	t.dst, t.src = to, src
	if s.idle() {
		s.wait(s.enqueue(t))
		return nil
	}
	t.src = append([]byte(nil), src...)
	s.enqueue(t)
	return nil
}

// Read waits for the stream and copies to dst.
func (d *device) Read(dst []byte, src driver.Ptr, h driver.Stream) error {
	s, err := d.transferable(h)
	if err != nil {
		return err
	}
	if len(dst) == 0 {
		d.mu.Unlock()
		return d.Synchronize(h)
	}
	from, err := d.bytes(src, uint64(len(dst)))
	if err != nil {
		d.mu.Unlock()
		return fmt.Errorf("read from device memory: %w", err)
	}
	var ok bool
	t := d.newTask(taskRead)
	t.dst, t.src, t.ok = dst, from, &ok
	s.wait(s.enqueue(t))
	if !ok {
		err = d.dropped()
	}
	d.mu.Unlock()
	if e := d.flush(); err == nil {
		err = e
	}
	return err
}

// dropped says why a task was not done. Called with d.mu held.
func (d *device) dropped() error {
	if err := d.sticky(); err != nil {
		return err
	}
	if d.state == closed {
		return fail(driver.Deinitialized, "wait for the host device: it was closed")
	}
	return fail(driver.InvalidContext, "wait for the host device: it was reset")
}

// Copy queues a copy between device addresses.
func (d *device) Copy(dst, src driver.Ptr, n uint64, h driver.Stream) error {
	return d.submit(h, d.copyWork(dst, src, n))
}

func (d *device) copyWork(dst, src driver.Ptr, n uint64) work {
	return func(s *stream) error {
		if n == 0 {
			return nil
		}
		to, err := d.bytes(dst, n)
		if err != nil {
			return fmt.Errorf("copy to device memory: %w", err)
		}
		from, err := d.bytes(src, n)
		if err != nil {
			return fmt.Errorf("copy from device memory: %w", err)
		}
		if dst < src+driver.Ptr(n) && src < dst+driver.Ptr(n) {
			return fail(driver.InvalidValue, "copy %d bytes from %#x to %#x: they overlap", n, uint64(src), uint64(dst))
		}
		t := d.newTask(taskCopy)
		t.dst, t.src = to, from
		s.begin(t, n <= inlineBytes)
		return nil
	}
}

// Fill queues a fill.
func (d *device) Fill(dst driver.Ptr, value uint32, width int, count uint64, h driver.Stream) error {
	return d.submit(h, d.fillWork(dst, value, width, count))
}

func (d *device) fillWork(dst driver.Ptr, value uint32, width int, count uint64) work {
	return func(s *stream) error {
		switch {
		case width != 1 && width != 2 && width != 4:
			return fail(driver.InvalidValue, "fill device memory: width %d is not 1, 2 or 4", width)
		case uint64(dst)%uint64(width) != 0:
			return fail(driver.InvalidValue, "fill device memory: address %#x is not aligned to %d bytes", uint64(dst), width)
		case count > ^uint64(0)/uint64(width):
			return fail(driver.InvalidValue, "fill device memory: %d elements of %d bytes", count, width)
		case count == 0:
			return nil
		}
		n := count * uint64(width)
		to, err := d.bytes(dst, n)
		if err != nil {
			return fmt.Errorf("fill device memory: %w", err)
		}
		t := d.newTask(taskFill)
		t.dst, t.value, t.width = to, value, width
		s.begin(t, n <= inlineBytes)
		return nil
	}
}

// begin queues a task: the caller does it if it is short and the stream idle, else a runner.
func (s *stream) begin(t *task, short bool) {
	if s.capture != nil { // the work is checked, and noted by who submits it
		s.d.freeTask(t)
		return
	}
	idle := s.idle() && !s.batch
	n := s.enqueue(t)
	if short && idle {
		s.wait(n)
		return
	}
	s.kick()
}
