package cuda

import (
	"fmt"
	"math/bits"
	"sync"

	"github.com/tandem-go/tandem/internal/driver"
)

// blocks is the state of a MemoryPool or a HostPool: freed memory by size.
type blocks struct {
	c    *core
	kind kind      // of the memory
	from Allocator // of new device memory; nil for the driver

	mu      sync.Mutex
	stopped bool               // guarded by mu: freed memory goes to the device
	bins    map[uint64][]block // guarded by mu: by size
	held    int                // guarded by mu: blocks in bins
	active  int                // guarded by mu: blocks in use
	heldN   uint64             // guarded by mu: bytes in bins
	activeN uint64             // guarded by mu: bytes in use
}

// block is freed memory. It can be used again when the work that was queued on it is done.
type block struct {
	ptr    driver.Ptr
	size   uint64
	host   []byte
	gen    uint64
	queues []*queue
}

// binSize rounds up to one of sixteen sizes for each power of two, so that at most a sixteenth is wasted.
func binSize(n uint64) uint64 {
	n = max(n, 256)
	shift := max(bits.Len64(n-1)-5, 0)
	step := uint64(1) << shift
	return (n + step - 1) &^ (step - 1)
}

// take returns memory of at least n bytes: a freed block whose work is done, else new memory.
func (b *blocks) take(n uint64) (*memory, error) {
	var found block
	err := b.c.withMemory(func() (err error) {
		found, err = b.block(n)
		return err
	})
	if err != nil {
		return nil, err
	}
	m := &memory{bytes: n, ptr: found.ptr}
	if found.host != nil {
		m.host = found.host[:n:n]
	}
	m.own(b.c, b.kind)
	m.resource.note.blocks, m.resource.note.host = b, found.host
	if b.kind == hostMemory {
		b.c.pinned.Add(1)
	} else {
		m.guard()
	}
	return m, nil
}

// block returns a freed block whose work is done, else a new one.
func (b *blocks) block(n uint64) (k block, err error) {
	size := binSize(n)
	k, ok := b.reuse(size)
	if !ok {
		k = block{size: size, gen: b.c.gen.Load()}
		if b.kind == hostMemory {
			k.ptr, k.host, err = b.c.drv.AllocHost(size)
		} else {
			k.ptr, err = b.c.allocate(b.from, size)
		}
		if err != nil {
			return block{}, err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.active++
	b.activeN += size
	return k, nil
}

// reuse finds a freed block of a size.
func (b *blocks) reuse(size uint64) (block, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.bins[size]
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].gen == b.c.gen.Load() && idleQueues(list[i].queues) {
			found := list[i]
			b.bins[size] = append(list[:i], list[i+1:]...)
			b.held--
			b.heldN -= size
			return found, true
		}
	}
	return block{}, false
}

// idleQueues reports whether all work on the streams is done.
func idleQueues(queues []*queue) bool {
	for _, q := range queues {
		q.mu.Lock()
		busy := !q.gone && !q.c.closed.Load() && q.c.drv.Query(q.h) != nil
		q.mu.Unlock()
		if busy {
			return false
		}
	}
	return true
}

// give takes memory back.
func (b *blocks) give(n note) {
	if b.kind == hostMemory {
		b.c.pinned.Add(-1)
	}
	b.put(block{ptr: driver.Ptr(n.handle), size: binSize(uint64(n.bytes)), host: n.host, gen: n.gen, queues: n.busy})
}

// put keeps a block that is no longer in use, or gives it away.
func (b *blocks) put(k block) {
	b.mu.Lock()
	b.active--
	b.activeN -= k.size
	keep := !b.stopped
	if keep {
		if b.bins == nil {
			b.bins = map[uint64][]block{}
		}
		b.bins[k.size] = append(b.bins[k.size], k)
		b.held++
		b.heldN += k.size
	}
	b.mu.Unlock()
	if !keep {
		b.c.lose("free", b.drop(k))
	}
}

// drop gives a block to the driver.
func (b *blocks) drop(k block) error {
	if b.c.closed.Load() || b.c.gen.Load() != k.gen {
		return nil
	}
	switch {
	case b.from != nil:
		b.c.bury(b.c.supplied(b.from, k.ptr, k.size))
		return nil
	case b.kind != hostMemory:
		return b.c.drv.Free(k.ptr)
	}
	b.c.bury(note{kind: hostMemory, handle: uint64(k.ptr), bytes: int64(k.size), gen: k.gen, silent: true})
	return nil
}

// release gives all freed memory to the driver.
func (b *blocks) release() error {
	b.mu.Lock()
	bins := b.bins
	b.bins, b.held, b.heldN = nil, 0, 0
	b.mu.Unlock()
	var first error
	for _, list := range bins {
		for _, k := range list {
			if err := b.drop(k); err != nil && first == nil {
				first = err
			}
		}
	}
	return first
}

// releaseBlocks gives the freed memory of all pools to the driver.
func (c *core) releaseBlocks() {
	c.mu.Lock()
	var all []*blocks
	for b := range c.holding {
		all = append(all, b)
	}
	c.mu.Unlock()
	for _, b := range all {
		c.lose("free", b.release())
	}
}

// MemoryPool hands out device memory and keeps what is freed for the next allocation of about the same size, so that loops
// do not wait for the driver's allocator. Memory is used again only when the work that was queued on it is done. When the
// device is out of memory, pools give up what they hold. The methods may be called from any goroutine.
type MemoryPool struct {
	dev *Device
	b   *blocks
}

// HostPool is a MemoryPool of page-locked host memory.
type HostPool struct {
	dev *Device
	b   *blocks
}

func (d *Device) newBlocks(k kind) *blocks {
	b := &blocks{c: d.c, kind: k}
	d.c.mu.Lock()
	defer d.c.mu.Unlock()
	d.c.holding[b] = struct{}{}
	return b
}

// NewMemoryPool makes an empty pool. Its memory comes from where the device's does at this moment; see Device.SetAllocator.
func (d *Device) NewMemoryPool() *MemoryPool {
	b := d.newBlocks(deviceMemory)
	b.from = d.c.allocator()
	return &MemoryPool{d, b}
}

// NewHostPool makes an empty pool.
func (d *Device) NewHostPool() *HostPool { return &HostPool{d, d.newBlocks(hostMemory)} }

// BlockUsage is what a MemoryPool or HostPool has: blocks and bytes that are in use, and that are held for later.
type BlockUsage struct {
	ActiveBlocks, HeldBlocks int
	ActiveBytes, HeldBytes   uint64
}

func (b *blocks) usage() BlockUsage {
	b.mu.Lock()
	defer b.mu.Unlock()
	return BlockUsage{b.active, b.held, b.activeN, b.heldN}
}

func (b *blocks) stop() error {
	b.mu.Lock()
	b.stopped = true
	b.mu.Unlock()
	b.c.mu.Lock()
	delete(b.c.holding, b)
	b.c.mu.Unlock()
	return b.release()
}

// Usage tells what the pool has.
func (p *MemoryPool) Usage() BlockUsage { return p.b.usage() }

// FreeHeld gives the memory that the pool holds to the device.
func (p *MemoryPool) FreeHeld() error { return p.dev.c.wrap("free held memory", p.b.release()) }

// Close is FreeHeld, and lets memory that is freed later go to the device.
func (p *MemoryPool) Close() error { return p.dev.c.wrap("close pool", p.b.stop()) }

// Usage tells what the pool has.
func (p *HostPool) Usage() BlockUsage { return p.b.usage() }

// FreeHeld gives the memory that the pool holds to the system.
func (p *HostPool) FreeHeld() error { return p.dev.c.wrap("free held memory", p.b.release()) }

// Close is FreeHeld, and lets memory that is freed later go to the system.
func (p *HostPool) Close() error { return p.dev.c.wrap("close pool", p.b.stop()) }

// bytesFor checks a length.
func bytesFor[T Element](c *core, n int) (uint64, string, error) {
	size := sizeOf[T]()
	op := fmt.Sprintf("alloc %d elements of %d bytes from a pool", n, size)
	if n < 1 || uint64(n) > 1<<47/uint64(size) {
		return 0, op, misused(op, ErrInvalidValue, "the length is out of range")
	}
	return uint64(n) * uint64(size), op, c.usable(op)
}

// AllocPooled makes a buffer of n > 0 elements with undefined contents. Close gives its memory back to the pool, as does the
// garbage collector.
func AllocPooled[T Element](p *MemoryPool, n int) (*Buffer[T], error) {
	bytes, op, err := bytesFor[T](p.dev.c, n)
	if err != nil {
		return nil, err
	}
	m, err := p.b.take(bytes)
	if err != nil {
		return nil, p.dev.c.wrap(op, err)
	}
	return &Buffer[T]{dev: p.dev, mem: m, n: n}, nil
}

// AllocHostPooled makes page-locked memory of n > 0 elements with undefined contents. Close gives it back to the pool.
func AllocHostPooled[T Element](p *HostPool, n int) (*HostBuffer[T], error) {
	bytes, op, err := bytesFor[T](p.dev.c, n)
	if err != nil {
		return nil, err
	}
	m, err := p.b.take(bytes)
	if err != nil {
		return nil, p.dev.c.wrap(op, err)
	}
	return &HostBuffer[T]{dev: p.dev, mem: m, n: n}, nil
}
