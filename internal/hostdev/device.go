package hostdev

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/rt"
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/sanitize"
)

// device implements driver.Device.
type device struct {
	config  Config
	engines []engine.Engine
	info    driver.Info
	mem     *mem.Space
	windows *windows

	mu       sync.Mutex
	state    state
	settled  sync.Cond // state changed, or active became 0 and pending empty
	active   int       // goroutines in, or on their way into, the work of some stream
	fault    *driver.Fault
	seen     bool // a caller has got fault
	last     uint64
	era      int // counts calls of Reset
	launches uint64
	checker  *sanitize.Checker
	shadow   uint64 // the most that the checks of one launch have taken
	covered  map[*function]*engine.Coverage
	rt       *rt.Runtime

	main      *stream // Stream zero
	pending   streamList
	streams   map[driver.Stream]*stream
	events    map[driver.Event]*event
	modules   map[driver.Module]*module
	functions map[driver.Function]*function
	running   map[driver.Ticket]*grid // queued or running
	device    map[driver.Ptr]struct{} // memory of Alloc
	host      map[driver.Ptr]struct{} // memory of AllocHost
	dying     map[driver.Ptr]struct{} // given to Free, but queued work may use it
	images    images
	pools     pools
	graphs    graphs
	settings  settings

	spareTasks   *task
	spareWaiters *waiter
	spareGrids   *grid

	outMu  sync.Mutex // held while the writer is called
	output io.Writer
}

// state is the life of a device.
type state uint8

const (
	open      state = iota
	resetting       // calls wait
	closed          // calls fail
)

func newDevice(b *backend) (*device, error) {
	space, err := b.memory()
	if err != nil {
		return nil, err
	}
	d := &device{
		config:  b.config,
		engines: b.engines,
		info: driver.Info{
			Name:         cpuName(),
			ComputeMajor: computeMajor,
			ComputeMinor: computeMinor,
			TotalBytes:   space.Capacity(),
		},
		// Handles count up from a random number, so that a handle of one device means nothing to another.
		last: rand.Uint64()>>2 | 1<<61,
	}
	d.settled.L = &d.mu
	d.fresh(space)
	return d, nil
}

// fresh gives the device an empty context in space.
func (d *device) fresh(space *mem.Space) {
	d.mem = space
	d.windows = &windows{mem: space, poison: d.config.Poison, keep: d.config.Workers}
	d.rt = rt.New(rt.Config{Memory: space})
	d.checker = sanitize.New(space)
	d.covered = map[*function]*engine.Coverage{}
	d.fault, d.seen = nil, false
	d.main = newStream(d, 0)
	d.streams = map[driver.Stream]*stream{0: d.main}
	d.events = map[driver.Event]*event{}
	d.modules = map[driver.Module]*module{}
	d.functions = map[driver.Function]*function{}
	d.running = map[driver.Ticket]*grid{}
	d.device = map[driver.Ptr]struct{}{}
	d.host = map[driver.Ptr]struct{}{}
	d.dying = map[driver.Ptr]struct{}{}
	d.images, d.pools, d.graphs = newImages(), newPools(), newGraphs()
	d.settings = newSettings()
}

// Info describes the device.
func (d *device) Info() driver.Info { return d.info }

// Caps says what the device can do.
func (d *device) Caps() driver.Caps {
	return driver.Caps{StopsKernels: true, BlockRanges: true, HostPointers: true, LoadsPTX: true, MemoryPools: true, Checks: true}
}

// handle returns a new handle. Called with d.mu held.
func (d *device) handle() uint64 {
	d.last++
	return d.last
}

// enter locks d.mu if the device is open. Calls that come during Reset wait for its end.
func (d *device) enter() error {
	d.mu.Lock()
	for d.state == resetting {
		d.settled.Wait()
	}
	if d.state == closed {
		d.mu.Unlock()
		return fail(driver.Deinitialized, "use the host device: it was closed")
	}
	return nil
}

// use is enter for calls that a sticky fault forbids.
func (d *device) use() error {
	if err := d.enter(); err != nil {
		return err
	}
	if err := d.sticky(); err != nil {
		d.mu.Unlock()
		return err
	}
	return nil
}

// sticky returns the fault as an error that a caller gets. Called with d.mu held.
func (d *device) sticky() error {
	if d.fault == nil {
		return nil
	}
	d.seen = true
	return d.fault
}

// halted reports that queued work is to be dropped. Called with d.mu held.
func (d *device) halted() bool { return d.fault != nil || d.state != open }

// leave counts a goroutine out. Called with d.mu held.
func (d *device) leave() {
	if d.active--; d.active == 0 && d.pending.first == nil {
		d.settled.Broadcast()
	}
}

// poison makes f the sticky fault, unless there is one, and stops whatever runs. Called with d.mu held.
func (d *device) poison(f *driver.Fault) {
	if d.fault != nil {
		return
	}
	d.fault = f
	d.haltAll()
}

// haltAll stops all launches. Queues then empty by themselves, because tasks of a halted device are dropped.
func (d *device) haltAll() {
	for _, g := range d.running {
		g.halt()
	}
}

// quiesce stops all work and waits until no goroutine is in any stream. The state has been set to one in which calls add
// no work. Called with d.mu held.
func (d *device) quiesce() {
	d.haltAll()
	for d.active > 0 || d.pending.first != nil {
		d.settled.Wait()
	}
}

// Err returns the sticky fault.
func (d *device) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sticky()
}

// Close stops what runs, waits for it, and gives all memory back.
func (d *device) Close() error {
	if d.enter() != nil {
		return nil
	}
	d.state = closed
	d.quiesce()
	var err error
	if d.fault != nil && !d.seen {
		err = d.sticky()
	}
	d.mu.Unlock()
	d.settled.Broadcast()
	err = errors.Join(err, d.flush())
	if e := errors.Join(d.windows.failed(), d.mem.Close()); e != nil {
		err = errors.Join(err, fmt.Errorf("close host device: %w: %w", driver.OperatingSystem, e))
	}
	return err
}

// Reset stops what runs and begins anew with an empty context: memory, streams, events and modules are gone.
func (d *device) Reset() error {
	space, err := mem.New(mem.Options{Limit: d.config.MemoryLimit, Poison: d.config.Poison})
	if err != nil {
		return fmt.Errorf("reset host device: %w: %w", statusOf(err), err)
	}
	if err := d.enter(); err != nil {
		return errors.Join(err, space.Close())
	}
	d.state = resetting
	d.era++
	d.quiesce()
	d.mu.Unlock()
	err = d.flush()
	d.mu.Lock()
	old := d.mem
	d.fresh(space)
	d.state = open
	d.settled.Broadcast()
	d.mu.Unlock()
	if e := old.Close(); e != nil {
		err = errors.Join(err, fmt.Errorf("reset host device: %w: %w", driver.OperatingSystem, e))
	}
	return err
}

// SetOutput sets where device printf goes. The writer is called by one goroutine at a time and must not call the device.
func (d *device) SetOutput(w io.Writer) {
	d.outMu.Lock()
	defer d.outMu.Unlock()
	d.output = w
}

// flush writes what kernels have printed.
func (d *device) flush() error {
	d.outMu.Lock()
	defer d.outMu.Unlock()
	d.mu.Lock()
	r := d.rt
	d.mu.Unlock()
	if err := r.Flush(d.output); err != nil {
		return fmt.Errorf("write the output of kernels: %w: %w", driver.OperatingSystem, err)
	}
	return nil
}

// MemInfo returns free and total memory in bytes.
func (d *device) MemInfo() (free, total uint64, err error) {
	if err := d.use(); err != nil {
		return 0, 0, err
	}
	defer d.mu.Unlock()
	total = d.mem.Capacity()
	return total - min(d.mem.Used(), total), total, nil
}
