package nvidia

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

// device implements driver.Device.
type device struct {
	api      *cuapi.Driver
	native   cuapi.Device
	ctx      cuapi.Context
	own      bool // the context is this device\'s alone
	info     driver.Info
	limits   limits
	pooling  bool // the driver has memory pools
	grouping bool // the device launches clusters
	users    users
	up       *staging // for writes
	down     *staging // for reads

	fault atomic.Pointer[driver.Fault]
	seen  atomic.Bool // a caller has got fault

	capturing sync.Mutex // held while a capture begins or ends, or a graph is changed; taken before mu

	mu         sync.RWMutex
	graphs     graphs                        // guarded by mu
	last       uint64                        // guarded by mu: the newest handle
	streams    map[driver.Stream]*stream     // guarded by mu; Stream zero is the default stream
	events     map[driver.Event]*event       // guarded by mu
	modules    map[driver.Module]*module     // guarded by mu
	kernels    map[driver.Function]*function // guarded by mu
	regions    regions                       // guarded by mu
	views      views                         // guarded by mu
	pools      map[driver.Pool]*pool         // guarded by mu
	registered map[driver.Ptr]registration   // guarded by mu
	graphics   map[driver.Resource]*graphic  // guarded by mu
	orphans    []cuapi.Event                 // guarded by mu: ends of destroyed streams that had work
	spare      []cuapi.Event                 // guarded by mu: events without timing, not in use
	lost       []error                       // guarded by mu: errors that no caller has seen, for Close
}

// limits are the attributes that launches are held against.
type limits struct {
	threads, blockX, blockY, blockZ int
	gridX, gridY, gridZ             int
	shared, sharedOptin             int
	textureAlign, pitchAlign        int
}

func newDevice(api *cuapi.Driver, ordinal int) (*device, error) {
	return openDevice(api, ordinal, false)
}

// openDevice opens a device with the context that the process shares, or one of its own.
func openDevice(api *cuapi.Driver, ordinal int, own bool) (*device, error) {
	version, err := api.DriverGetVersion()
	if err != nil {
		return nil, translate(err)
	}
	n, err := api.DeviceGetCount()
	if err != nil {
		return nil, translate(err)
	}
	if ordinal < 0 || ordinal >= n {
		return nil, fail(driver.InvalidDevice, "there are %d devices", n)
	}
	d := &device{
		api:        api,
		own:        own,
		info:       describe(api, ordinal, version),
		users:      newUsers(),
		streams:    map[driver.Stream]*stream{},
		events:     map[driver.Event]*event{},
		modules:    map[driver.Module]*module{},
		kernels:    map[driver.Function]*function{},
		views:      newViews(),
		graphs:     newGraphs(),
		pools:      map[driver.Pool]*pool{},
		registered: map[driver.Ptr]registration{},
		graphics:   map[driver.Resource]*graphic{},
		// Handles count up from a random number, so that a handle of one device means nothing to another.
		last: rand.Uint64()>>2 | 1<<61,
	}
	d.up, d.down = newStaging(d), newStaging(d)
	if d.info.Unusable != nil {
		return nil, d.info.Unusable
	}
	if d.native, err = api.DeviceGet(ordinal); err != nil {
		return nil, translate(err)
	}
	if err := d.retain(); err != nil {
		return nil, translate(err)
	}
	if err := d.setUp(); err != nil {
		return nil, errors.Join(err, translate(d.giveUp()))
	}
	return d, nil
}

// setUp makes what an open device has, in its context.
func (d *device) setUp() error {
	if err := d.limits.ask(d); err != nil {
		return err
	}
	if v, err := d.api.DeviceGetAttribute(int(driver.MemoryPoolsSupported), d.native); err == nil { // old drivers do not know it
		d.pooling = v != 0 && d.api.Has(cuapi.MemPoolCreate)
	}
	if v, err := d.api.DeviceGetAttribute(int(driver.ClusterLaunch), d.native); err == nil {
		d.grouping = v != 0 && d.api.Has(cuapi.LaunchKernelEx)
	}
	if _, total, err := d.memInfo(); err != nil {
		return err
	} else {
		d.info.TotalBytes = total
	}
	main, err := d.newStream(0)
	if err != nil {
		return err
	}
	d.streams[0] = main
	return nil
}

func (l *limits) ask(d *device) error {
	for _, a := range []struct {
		attribute driver.Attribute
		v         *int
	}{
		{driver.MaxThreadsPerBlock, &l.threads},
		{driver.MaxBlockDimX, &l.blockX}, {driver.MaxBlockDimY, &l.blockY}, {driver.MaxBlockDimZ, &l.blockZ},
		{driver.MaxGridDimX, &l.gridX}, {driver.MaxGridDimY, &l.gridY}, {driver.MaxGridDimZ, &l.gridZ},
		{driver.MaxSharedBytesPerBlock, &l.shared}, {driver.MaxSharedBytesPerBlockOptin, &l.sharedOptin},
		{driver.TextureAlignment, &l.textureAlign}, {driver.TexturePitchAlignment, &l.pitchAlign},
	} {
		v, err := d.api.DeviceGetAttribute(int(a.attribute), d.native)
		if err != nil {
			return fmt.Errorf("ask for attribute %d: %w", a.attribute, translate(err))
		}
		*a.v = v
	}
	l.sharedOptin = max(l.shared, l.sharedOptin) // 0 where there is nothing to opt in to
	return nil
}

// onThread runs f without moving to another thread.
func onThread(f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return f()
}

// raw runs f on a thread on which the context is current. A sticky status becomes the fault; whether a caller gets to see
// it is the caller's matter.
func (d *device) raw(f func() error) error {
	runtime.LockOSThread()
	err := d.api.CtxSetCurrent(d.ctx)
	if err == nil {
		err = f()
	}
	runtime.UnlockOSThread()
	return d.judge(err)
}

// judge translates what a call in the context returned.
func (d *device) judge(err error) error {
	if err == nil {
		return nil
	}
	err = translate(err)
	var s driver.Status
	if errors.As(err, &s) && s.Sticky() {
		d.fault.CompareAndSwap(nil, &driver.Fault{Status: s})
		return d.fault.Load()
	}
	return err
}

// call is raw for callers that return the error to the user.
func (d *device) call(f func() error) error { return d.saw(d.raw(f)) }

// saw notes that a caller gets to see err.
func (d *device) saw(err error) error {
	if err != nil && d.fault.Load() != nil && isFault(err) {
		d.seen.Store(true)
	}
	return err
}

// quiet is raw for what succeeds after a fault: the context and all that is in it are lost then.
func (d *device) quiet(f func() error) error {
	if err := d.raw(f); err != nil && d.fault.Load() == nil {
		return err
	}
	return nil
}

// lose keeps an error that no caller sees, for Close.
func (d *device) lose(err error) {
	if err == nil || isFault(err) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.lost) < 16 {
		d.lost = append(d.lost, err)
	}
}

// enter counts a call in, if the device is open. The caller leaves with d.users.leave.
func (d *device) enter() error {
	if !d.users.enter() {
		return fail(driver.Deinitialized, "use %s: it was closed", d.info.Name)
	}
	return nil
}

// use is enter for calls that a sticky fault forbids.
func (d *device) use() error {
	if err := d.enter(); err != nil {
		return err
	}
	if err := d.sticky(); err != nil {
		d.users.leave()
		return err
	}
	return nil
}

// sticky returns the fault to a caller.
func (d *device) sticky() error {
	if f := d.fault.Load(); f != nil {
		d.seen.Store(true)
		return f
	}
	return nil
}

// handle returns a new handle. Called with d.mu held.
func (d *device) handle() uint64 {
	d.last++
	return d.last
}

// Info describes the device.
func (d *device) Info() driver.Info { return d.info }

// Caps says what the device can do.
func (d *device) Caps() driver.Caps {
	return driver.Caps{
		BlockRanges: true, LoadsPTX: true, LoadsCubin: true, PrintsToStdout: true,
		MemoryPools: d.pooling, Peers: true, Clusters: d.grouping,
	}
}

// Attribute asks the driver.
func (d *device) Attribute(a driver.Attribute) (int, error) {
	if err := d.enter(); err != nil {
		return 0, err
	}
	defer d.users.leave()
	if a <= 0 || a >= 1<<16 {
		return 0, fail(driver.InvalidValue, "attribute %d", a)
	}
	v, err := d.api.DeviceGetAttribute(int(a), d.native)
	if err != nil {
		return 0, fmt.Errorf("attribute %d: %w", a, translate(err))
	}
	return v, nil
}

// MemInfo returns free and total device memory in bytes.
func (d *device) MemInfo() (free, total uint64, err error) {
	if err := d.use(); err != nil {
		return 0, 0, err
	}
	defer d.users.leave()
	free, total, err = d.memInfo()
	return free, total, d.saw(err)
}

func (d *device) memInfo() (free, total uint64, err error) {
	err = d.raw(func() (err error) {
		free, total, err = d.api.MemGetInfo()
		return err
	})
	return free, total, err
}

// Err returns the sticky fault, as far as a call has met it: the driver does not report one by itself.
func (d *device) Err() error { return d.sticky() }

// Reset is refused: the primary context belongs to the whole process.
func (d *device) Reset() error {
	if err := d.enter(); err != nil {
		return err
	}
	d.users.leave()
	return fail(driver.NotSupported, "reset %s: its context is shared by the process; end the process after a fault, or run the work in a process of its own", d.info.Name)
}

// SetOutput does nothing: the driver writes what kernels print to the process's standard output.
func (d *device) SetOutput(io.Writer) {}

// Cancel is not possible on a GPU.
func (d *device) Cancel(driver.Ticket) error {
	return fail(driver.NotSupported, "cancel a launch: a GPU ends a kernel only with its process")
}

// Close waits for calls and work in progress, destroys everything and gives the context up.
func (d *device) Close() error {
	if !d.users.close() {
		return nil
	}
	for _, s := range d.streams {
		if c := s.capture; c != nil {
			d.abandon(c)
		}
	}
	for _, s := range d.streams {
		if err := d.raw(func() error { return d.api.StreamSynchronize(s.native) }); err != nil {
			d.lose(fmt.Errorf("wait for a stream: %w", err))
		}
	}
	d.waitOrphans()
	d.tearDown()
	dropHostCalls(d)
	if err := d.giveUp(); err != nil && d.fault.Load() == nil {
		d.lose(fmt.Errorf("release the context: %w", translate(err)))
	}
	if f := d.fault.Load(); f != nil && !d.seen.Swap(true) {
		return errors.Join(append([]error{f}, d.lost...)...)
	}
	return errors.Join(d.lost...)
}

// tearDown destroys all objects. No call is in progress, and no work either.
func (d *device) tearDown() {
	var all []func() error
	for _, x := range d.graphs.execs {
		all = append(all, x.release)
	}
	for _, g := range d.graphs.all {
		all = append(all, g.release)
	}
	for _, m := range d.modules {
		all = append(all, m.release)
	}
	all = append(all, d.endGraphics)
	for _, v := range d.views.textures {
		all = append(all, func() error { return d.endView(v) })
	}
	for _, v := range d.views.surfaces {
		all = append(all, func() error { return d.endView(v) })
	}
	for _, a := range d.views.arrays {
		all = append(all, a.release)
	}
	for _, m := range d.views.mipmaps {
		all = append(all, m.release)
	}
	for _, e := range d.events {
		all = append(all, e.release)
	}
	for _, s := range d.streams {
		all = append(all, s.release)
	}
	for _, g := range d.registered {
		all = append(all, func() error { return d.unregister(g) })
	}
	for _, r := range d.regions.all {
		all = append(all, func() error { return d.freeRegion(r) })
	}
	for _, p := range d.pools {
		all = append(all, p.release)
	}
	all = append(all, d.up.free, d.down.free)
	for _, e := range d.spare {
		all = append(all, func() error { return d.quiet(func() error { return d.api.EventDestroy(e) }) })
	}
	for _, f := range all {
		d.lose(f())
	}
}
