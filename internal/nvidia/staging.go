package nvidia

import (
	"errors"
	"math/bits"
	"sync"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

const (
	minBlock = 4 << 10 // bytes of the smallest block
	maxBlock = 4 << 20 // bytes of the largest, and of what is allocated at a time
	// stagingBytes is how much page-locked memory is made before a transfer waits for an earlier one.
	stagingBytes = 64 << 20
	// lookAhead bounds how many blocks that are still in use are asked about, one driver call each.
	lookAhead = 16
)

// classes are the sizes of blocks: minBlock times a power of two.
var classes = bits.Len(maxBlock / minBlock)

// staging is page-locked memory through which bytes go to the device or come from it.
type staging struct {
	d *device

	mu     sync.Mutex
	slabs  []cuapi.HostPtr
	sizes  []sizeClass
	events []cuapi.Event
}

// sizeClass are the blocks of one size.
type sizeClass struct {
	free []*block
	busy []*block // the oldest first; each is free when its event has happened
}

// block is a piece of page-locked memory with an event that says when the device has done with it.
type block struct {
	host  cuapi.HostPtr
	bytes []byte
	class int
	event cuapi.Event
}

func newStaging(d *device) *staging { return &staging{d: d, sizes: make([]sizeClass, classes)} }

// take returns a block for n <= maxBlock bytes.
func (t *staging) take(n int) (*block, error) {
	class := bits.Len(uint(max(n, 1)-1) / minBlock)
	for {
		b, oldest, err := t.tryTake(class)
		if b != nil || err != nil {
			return b, err
		}
		// The oldest block belongs to us until it is free.
		if err := t.d.raw(func() error { return t.d.api.EventSynchronize(oldest.event) }); err != nil {
			t.giveLater(oldest)
			return nil, err
		}
		return oldest, nil
	}
}

// tryTake returns a block that is free, or else one to wait for.
func (t *staging) tryTake(class int) (free, oldest *block, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := &t.sizes[class]
	if len(c.free) == 0 {
		if err := t.collect(c); err != nil {
			return nil, nil, err
		}
	}
	if len(c.free) == 0 && (len(c.busy) == 0 || len(t.slabs)*maxBlock < stagingBytes) {
		if err := t.grow(class); err != nil && (len(c.busy) == 0 || isFault(err)) {
			return nil, nil, err
		}
	}
	if n := len(c.free); n > 0 {
		if free = c.free[n-1]; free.event == 0 { // used for the first time
			if free.event, err = t.d.newEvent(cuapi.EventDisableTiming); err != nil {
				return nil, nil, err
			}
			t.events = append(t.events, free.event)
		}
		c.free = c.free[:n-1]
		return free, nil, nil
	}
	oldest, c.busy = c.busy[0], c.busy[1:]
	return nil, oldest, nil
}

// collect finds blocks that the device has done with.
func (t *staging) collect(c *sizeClass) error {
	kept := c.busy[:0]
	for i, b := range c.busy {
		if len(kept) >= lookAhead {
			kept = append(kept, c.busy[i:]...)
			break
		}
		err := t.d.raw(func() error { return t.d.api.EventQuery(b.event) })
		switch {
		case err == nil:
			c.free = append(c.free, b)
		case isStatus(err, driver.NotReady):
			kept = append(kept, b)
		default:
			c.busy = append(kept, c.busy[i:]...)
			return err
		}
	}
	c.busy = kept
	return nil
}

// grow allocates one slab and cuts it into blocks.
func (t *staging) grow(class int) error {
	var slab cuapi.HostPtr
	err := t.d.raw(func() (err error) {
		slab, err = t.d.api.MemHostAlloc(maxBlock, cuapi.MemHostAllocPortable|cuapi.MemHostAllocDeviceMap)
		return err
	})
	if err != nil {
		return err
	}
	t.slabs = append(t.slabs, slab)
	bytes, size := slab.Bytes(maxBlock), minBlock<<class
	for off := 0; off < maxBlock; off += size {
		b := &block{host: slab + cuapi.HostPtr(off), bytes: bytes[off : off+size : off+size], class: class}
		t.sizes[class].free = append(t.sizes[class].free, b)
	}
	return nil
}

// give returns a block that the device does not use.
func (t *staging) give(b *block) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sizes[b.class].free = append(t.sizes[b.class].free, b)
}

// giveLater returns a block that is free when its event happens.
func (t *staging) giveLater(b *block) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sizes[b.class].busy = append(t.sizes[b.class].busy, b)
}

// free gives everything back to the driver. No work is queued.
func (t *staging) free() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var errs []error
	for _, e := range t.events {
		errs = append(errs, t.d.quiet(func() error { return t.d.api.EventDestroy(e) }))
	}
	for _, s := range t.slabs {
		errs = append(errs, t.d.quiet(func() error { return t.d.api.MemFreeHost(s) }))
	}
	t.slabs, t.events, t.sizes = nil, nil, nil
	return errors.Join(errs...)
}
