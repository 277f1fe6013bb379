package cuda

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/internal/driver"
)

// core is the state behind a Device. Objects of the device reach it through the Device, so that it lives as long as any
// of them; cleanups and the reaper reach it directly, so that they keep none of them alive.
type core struct {
	drv  driver.Device
	caps driver.Caps
	name string // of the device, for messages

	fault  atomic.Pointer[Error] // the sticky fault, nil if there was none
	closed atomic.Bool
	gen    atomic.Uint64 // counts resets: objects of an earlier generation are gone

	main   *queue                    // the default stream
	from   atomic.Pointer[Allocator] // of device memory; nil for the driver
	recent ring
	sites  sites

	mu      sync.Mutex
	queues  map[*queue]struct{}      // guarded by mu: all streams that exist, the default stream included
	dead    []note                   // guarded by mu: what the reaper shall free
	reaping bool                     // guarded by mu: a reaper is at work
	idle    chan struct{}            // guarded by mu: closed when the reaper has ended
	lost    []error                  // guarded by mu: errors that no caller has seen
	live    map[uint64]*allocation   // guarded by mu: by id; nil unless allocations are traced
	copies  driver.Stream            // guarded by mu: private stream for reads; 0 until first used
	limits  map[driver.Attribute]int // guarded by mu: attributes asked for so far

	reached  map[*core]struct{} // guarded by mu: devices whose memory kernels of this one may use
	visitors map[*core]struct{} // guarded by mu: devices whose work may use memory of this one

	pins    map[*runtime.Pinner]struct{} // guarded by mu: of registered memory
	holding map[*blocks]struct{}         // guarded by mu: pools that hold freed memory
	waits   poller

	nextID   atomic.Uint64
	enough   atomic.Int64 // bytes from which garbage is collected; see press
	pressing atomic.Bool  // that is under way
	count    atomic.Int64 // live allocations
	bytes    atomic.Int64 // their size
	dropped  atomic.Int64 // objects that the garbage collector found
	pinned   atomic.Int64 // live page-locked memory, which slices may point into that nobody can count
	collects sync.Mutex   // one goroutine at a time collects for out of memory
}

func newCore(d driver.Device) *core {
	c := &core{drv: d, caps: d.Caps(), name: d.Info().Name, queues: map[*queue]struct{}{}, limits: map[driver.Attribute]int{}}
	c.pins, c.holding = map[*runtime.Pinner]struct{}{}, map[*blocks]struct{}{}
	c.main = &queue{c: c}
	c.queues[c.main] = struct{}{}
	c.idle = make(chan struct{})
	close(c.idle)
	c.enough.Store(minPressure)
	return c
}

// usable returns why no call can be made, for calls that do not begin with a resource.
func (c *core) usable(op string) error {
	if c.closed.Load() {
		return misused(op, ErrClosed, "the device is closed")
	}
	return nil
}

// attribute asks the device once.
func (c *core) attribute(a driver.Attribute) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok := c.limits[a]; ok {
		return v, nil
	}
	v, err := c.drv.Attribute(a)
	if err == nil {
		c.limits[a] = v
	}
	return v, err
}

// copyStream is a private stream on which nothing waits, for reading what is known to be complete.
func (c *core) copyStream() (driver.Stream, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.copies == 0 {
		s, err := c.drv.NewStream(0)
		if err != nil {
			return 0, err
		}
		c.copies = s
	}
	return c.copies, nil
}

// read copies from memory whose contents are complete. It does not wait for other work.
func (c *core) read(dst []byte, src driver.Ptr) error {
	s, err := c.copyStream()
	if err != nil {
		return err
	}
	return c.drv.Read(dst, src, s)
}

// lose keeps the error of a call that no caller sees, for Device.Close. A fault is not kept: whoever waits next shall be
// the first to get it.
func (c *core) lose(op string, err error) {
	if err == nil || isFault(err) || errors.Is(err, driver.Deinitialized) {
		return
	}
	err = c.wrap(op, err)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.lost) < 16 {
		c.lost = append(c.lost, err)
	}
}

// close ends all use of the device.
func (c *core) close() error {
	if c.closed.Swap(true) {
		return nil
	}
	c.awaitVisitors()
	err := c.drv.Close()
	c.awaitReaper() // it may still have an error to tell; closing the device has ended what it waits for
	c.mu.Lock()
	c.dead, c.queues, c.live = nil, nil, nil
	c.unpinAll()
	lost := c.lost
	c.lost = nil
	c.mu.Unlock()
	c.count.Store(0)
	c.bytes.Store(0)
	if err != nil {
		// A fault that a caller has seen is not reported again.
		if first := c.fault.Load(); first == nil {
			lost = append(lost, c.wrap("close", err))
		}
	}
	return errors.Join(lost...)
}

// kind says what a note is about.
type kind uint8

const (
	deviceMemory kind = iota + 1
	hostMemory
	borrowedMemory   // of others, at an address of the device
	registeredMemory // of others, made legal for the host device
	managedMemory
	hostRegistration // of memory that its owner keeps
	pooledMemory
	suppliedMemory // of an Allocator
	arrayHandle
	mipmapHandle
	textureHandle
	surfaceHandle
	poolHandle
	graphHandle
	execHandle
	streamHandle
	foreignStream // of somebody else
	eventHandle
	moduleHandle
)

// note is what is needed to free an object. It never reaches the object.
type note struct {
	kind   kind
	handle uint64
	bytes  int64
	id     uint64 // of a traced allocation
	queue  *queue // of a stream, or the stream of pool memory
	gen    uint64
	pin    *runtime.Pinner // of a registration
	blocks *blocks         // to which memory goes back; nil if to the driver
	from   Allocator       // of supplied memory
	host   []byte          // of page-locked memory that goes back to blocks
	busy   []*queue        // that may have work on such memory; nil if none has
	silent bool            // it was given up before, and only goes to the driver now
}

// free gives the object back to the driver, and says what it did.
func (c *core) free(n note) (op string, err error) {
	if c.closed.Load() || c.gen.Load() != n.gen {
		return "", nil // it went with the device or the reset
	}
	if n.blocks != nil {
		c.forget(n)
		n.blocks.give(n)
		return "", nil
	}
	switch n.kind {
	case deviceMemory:
		if n.bytes == 0 {
			return "", nil
		}
		c.forget(n)
		return "free", c.freeDevice(driver.Ptr(n.handle))
	case hostMemory:
		if n.bytes == 0 {
			return "", nil
		}
		if !n.silent {
			c.forget(n)
			c.pinned.Add(-1)
		}
		return "free page-locked memory", c.drv.FreeHost(driver.Ptr(n.handle))
	case suppliedMemory:
		if !n.silent {
			c.forget(n)
		}
		c.sites.remove(n.handle)
		return "free", n.from.Free(n.handle, uint64(n.bytes))
	case borrowedMemory, registeredMemory:
		return c.unregister(n)
	case managedMemory, hostRegistration, pooledMemory:
		return c.freeOther(n)
	case arrayHandle:
		return "destroy array", c.drv.DestroyArray(driver.Array(n.handle))
	case mipmapHandle:
		return "destroy mipmap", c.drv.DestroyMipmap(driver.Mipmap(n.handle))
	case textureHandle:
		return "destroy texture", c.drv.DestroyTexture(driver.Texture(n.handle))
	case surfaceHandle:
		return "destroy surface", c.drv.DestroySurface(driver.Surface(n.handle))
	case poolHandle:
		return "destroy pool", c.drv.DestroyPool(driver.Pool(n.handle))
	case graphHandle:
		return "destroy graph", c.drv.DestroyGraph(driver.Graph(n.handle))
	case execHandle:
		return "destroy graph", c.drv.DestroyGraphExec(driver.GraphExec(n.handle))
	case streamHandle:
		return "destroy stream", c.dropQueue(n.queue)
	case foreignStream:
		if err := c.settle(n.queue); err != nil && !isFault(err) {
			return "wait for a stream", err
		}
		return "forget stream", c.dropQueue(n.queue)
	case eventHandle:
		return "destroy event", c.drv.DestroyEvent(driver.Event(n.handle))
	default:
		return "unload module", c.drv.UnloadModule(driver.Module(n.handle))
	}
}

// later reports whether the object may be freed only after work queued so far: the driver itself defers Free and
// UnloadModule, and does not defer these.
func (n note) later() bool {
	switch n.kind {
	case hostMemory, suppliedMemory, hostRegistration, textureHandle, surfaceHandle, execHandle, streamHandle:
		return n.blocks == nil
	}
	return false
}

// resource is an object of the device with a count of the calls that use it at the moment, so that Close never pulls it
// from under a call. Its address is what the cleanup hangs on: public objects hold it.
type resource struct {
	c       *core
	note    note
	cleanup runtime.Cleanup
	guarded bool         // a cleanup was added
	state   atomic.Int64 // twice the number of uses, plus 1 when closed
}

// guard makes the garbage collector free the object if nobody does.
func (r *resource) guard() {
	r.guarded = true
	r.cleanup = runtime.AddCleanup(r, r.c.adopt, r.note)
}

// acquire keeps the object until release. It fails on a closed object.
func (r *resource) acquire(op, what string) error {
	for {
		s := r.state.Load()
		switch {
		case s&1 != 0:
			return misused(op, ErrClosed, "the %s is closed", what)
		case r.c.closed.Load():
			return misused(op, ErrClosed, "the device of the %s is closed", what)
		case r.c.gen.Load() != r.note.gen:
			return misused(op, ErrClosed, "the %s was made before the device was reset", what)
		}
		if r.state.CompareAndSwap(s, s+2) {
			return nil
		}
	}
}

// release undoes acquire, and frees the object if it was closed meanwhile.
func (r *resource) release() {
	if r.state.Add(-2) == 1 {
		r.c.lose(r.discard())
	}
}

// close frees the object, now or when the last use ends. Only the first call does anything.
func (r *resource) close() error {
	for {
		s := r.state.Load()
		if s&1 != 0 {
			return nil
		}
		if !r.state.CompareAndSwap(s, s|1) {
			continue
		}
		if r.guarded {
			r.cleanup.Stop()
		}
		if s != 0 {
			return nil
		}
		return r.c.wrap(r.discard())
	}
}

// discard frees the object or leaves it to the reaper.
func (r *resource) discard() (op string, err error) {
	if r.note.later() || r.c.visited() {
		r.c.bury(r.note)
		return "", nil
	}
	return r.c.free(r.note)
}

// adopt takes over an object that was dropped without Close. It runs on the goroutine of the cleanups, so it only takes
// a note.
func (c *core) adopt(n note) {
	c.dropped.Add(1)
	c.bury(n)
}

// bury leaves an object to the reaper, which it starts if there is none.
func (c *core) bury(n note) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed.Load() {
		return
	}
	c.dead = append(c.dead, n)
	if !c.reaping {
		c.reaping = true
		c.idle = make(chan struct{})
		go c.reap()
	}
}

// reap frees what is dead, in batches, until nothing is. What cannot be freed safely stays for the next reaper.
func (c *core) reap() {
	for {
		c.mu.Lock()
		batch := c.dead
		c.dead = nil
		if len(batch) == 0 || c.closed.Load() {
			c.reaping = false
			close(c.idle)
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		if err := c.quiesce(); err != nil {
			c.lose("free dropped objects", err)
			c.mu.Lock()
			c.dead = append(c.dead, batch...)
			c.reaping = false
			close(c.idle)
			c.mu.Unlock()
			return
		}
		for _, n := range batch {
			c.lose(c.free(n))
		}
	}
}

// quiesce waits until all work queued so far is done, on every stream of this device and of those whose work may use its memory:
// an object that is dead now can be used by none that comes later.
func (c *core) quiesce() error {
	for _, u := range c.users() {
		if err := u.quiesceOwn(); err != nil {
			return err
		}
	}
	return nil
}

// awaitVisitors waits until work of other devices uses memory of this one no more. Their faults are theirs to report.
func (c *core) awaitVisitors() {
	for _, u := range c.users()[1:] {
		c.lose("wait for another device", u.quiesceOwn())
	}
}

// quiesceOwn waits for the device's own streams. A poisoned device does nothing any more.
func (c *core) quiesceOwn() error {
	c.mu.Lock()
	queues := make([]*queue, 0, len(c.queues))
	for q := range c.queues {
		queues = append(queues, q)
	}
	c.mu.Unlock()
	for _, q := range queues {
		if c.fault.Load() != nil || c.closed.Load() {
			return nil
		}
		if err := c.settle(q); isFault(err) || errors.Is(err, driver.Deinitialized) {
			return nil // a waiter will report it
		} else if err != nil {
			return err
		}
	}
	return nil
}

// settle waits for the work queued on q so far, by an event where there is any.
func (c *core) settle(q *queue) error {
	q.mu.Lock()
	if q.gone || c.drv.Query(q.h) == nil {
		q.mu.Unlock()
		return nil
	}
	e, err := c.drv.NewEvent(false)
	if err == nil {
		if err = c.drv.Record(e, q.h); err != nil {
			c.lose("destroy event", c.drv.DestroyEvent(e))
		}
	}
	q.mu.Unlock()
	if err != nil {
		return err
	}
	err = c.drv.SynchronizeEvent(e)
	c.lose("destroy event", c.drv.DestroyEvent(e))
	return err
}

// drainPatience bounds how long an allocation waits for dropped memory that running kernels may still use.
const drainPatience = 2 * time.Second

// reclaim makes dropped objects free: it collects garbage, waits for the cleanups and then for the reaper.
func (c *core) reclaim() {
	collect()
	c.drain()
}

// drain waits until the reaper has nothing to do, for a bounded time.
func (c *core) drain() {
	c.mu.Lock()
	if !c.reaping && len(c.dead) > 0 && !c.closed.Load() {
		c.reaping = true
		c.idle = make(chan struct{})
		go c.reap()
	}
	c.mu.Unlock()
	c.awaitReaper()
}

// awaitReaper waits until no reaper is at work, for a bounded time.
func (c *core) awaitReaper() {
	c.mu.Lock()
	idle := c.idle
	c.mu.Unlock()
	timer := time.NewTimer(drainPatience)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
	}
}

// collect runs the garbage collector and waits for the cleanups of what it found, by an object that dies with the rest.
func collect() {
	done := make(chan struct{})
	func() {
		sentinel := new([2]*int) // has pointers, so it is not in the allocator for tiny objects
		runtime.AddCleanup(sentinel, func(done chan struct{}) { close(done) }, done)
	}()
	runtime.GC()
	timer := time.NewTimer(100 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

// minPressure is how much device memory is left to Go's own pace of collection, in bytes.
const minPressure = 256 << 20

// press looks for dropped memory in the background when much was allocated since it last did: Go's collector sees a
// buffer as a few words, and would let gigabytes pile up behind them. The next time is when what is live now has doubled.
func (c *core) press() {
	if c.bytes.Load() < c.enough.Load() || c.pressing.Swap(true) {
		return
	}
	go func() {
		c.reclaim()
		c.enough.Store(max(minPressure, 2*c.bytes.Load()))
		c.pressing.Store(false)
	}()
}

// withMemory calls alloc, and when memory is out, collects and tries again: three times, and on as long as dropped objects are
// found, which other goroutines may have taken the memory of, but not for ever.
func (c *core) withMemory(alloc func() error) error {
	const few, many = 3, 100
	err := alloc()
	if !isOutOfMemory(err) {
		return err
	}
	c.collects.Lock()
	defer c.collects.Unlock()
	found := true
	for try := 0; isOutOfMemory(err) && try < many && (try < few || found); try++ {
		before := c.dropped.Load()
		c.reclaim()
		c.releaseBlocks()
		err = alloc()
		found = c.dropped.Load() > before
	}
	return err
}

// isFault reports whether the error is the fault of a kernel, after which the device does nothing any more.
func isFault(err error) bool {
	var fault *driver.Fault
	var status driver.Status
	return errors.As(err, &fault) || errors.As(err, &status) && status.Sticky()
}

func isOutOfMemory(err error) bool {
	return errors.Is(err, driver.OutOfMemory) || errors.Is(err, ErrOutOfMemory)
}
