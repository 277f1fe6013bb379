package hetero

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/hostpar/hetero/policy"
	"github.com/tandem-go/tandem/hostpar/hetero/trace"
)

// Pool is the devices that runs are split over. Its methods may be called from any goroutine; runs of one pool follow each
// other, since two that share devices would learn each other's load.
type Pool struct {
	devices []Device
	owned   []*cuda.Device
	store   *policy.Store
	turn    chan struct{} // holds a token when no run is under way
	mu      sync.Mutex
	closed  bool
}

// PoolConfig says what a pool consists of. The zero value is every usable GPU and the CPU.
type PoolConfig struct {
	_ struct{}
	// Devices, if not nil, are the devices; none is added.
	Devices []Device
	// Workers is how many goroutines or blocks the CPU works on at the same time; below 1 it is one for each processor,
	// less one for each GPU.
	Workers int
	// ModelDir is the folder for what runs learn; empty is the user's cache folder.
	ModelDir string
	// NoModels neither reads nor writes what runs learn.
	NoModels bool
}

// Open makes a pool. A GPU that is there but cannot be used is an error, as it is for cuda.Default.
func Open(c PoolConfig) (*Pool, error) {
	p := &Pool{devices: slices.Clone(c.Devices), turn: make(chan struct{}, 1)}
	p.turn <- struct{}{}
	if !c.NoModels {
		p.store = policy.NewStore(c.ModelDir)
	}
	if c.Devices != nil {
		if len(c.Devices) == 0 {
			return nil, fmt.Errorf("open pool: %w", ErrNoDevice)
		}
		return p, nil
	}
	for _, info := range cuda.Devices() {
		if info.Kind != cuda.GPU {
			continue
		}
		dev, err := cuda.Open(info.ID)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open pool: %w", err), p.Close())
		}
		p.owned = append(p.owned, dev)
		p.devices = append(p.devices, OnCUDA(dev))
	}
	cpu, err := openCPU(c.Workers, len(p.owned))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open pool: %w", err), p.Close())
	}
	p.owned = append(p.owned, cpu.host)
	p.devices = append(p.devices, cpu)
	return p, nil
}

// Devices describes the devices, in the order of Report.Devices.
func (p *Pool) Devices() []Info {
	infos := make([]Info, len(p.devices))
	for i, d := range p.devices {
		infos[i] = d.Info()
	}
	return infos
}

// Close closes the devices that Open opened, after the run under way. Closing again does nothing.
func (p *Pool) Close() error {
	<-p.turn
	defer func() { p.turn <- struct{}{} }()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	var errs []error
	for _, d := range p.owned {
		errs = append(errs, d.Close())
	}
	return errors.Join(errs...)
}

// DeviceErrorAction is what a failure of a chunk does to a run.
type DeviceErrorAction uint8

const (
	// Quarantine: the chunk is tried on another device; a device that is lost, hangs, or fails three chunks in a row gets
	// no more.
	Quarantine DeviceErrorAction = iota
	// Abort: the run ends.
	Abort
)

// Progress is how far a run is.
type Progress struct {
	// Done of Total items are committed.
	Done, Total int
	// Elapsed is the time since the run began.
	Elapsed time.Duration
}

// RunConfig configures a run. The zero value is the recommended run.
type RunConfig struct {
	_ struct{}
	// Policy decides the sizes of chunks; nil is policy.Adaptive. It counts in rows of blocks across the split axis.
	Policy policy.Policy
	// SharedBytes is the dynamic shared memory of each block in bytes.
	SharedBytes int
	// Retries is how often items are tried again after a failure; 0 is 2, negative is never.
	Retries int
	// OnDeviceError is what a failure does.
	OnDeviceError DeviceErrorAction
	// A chunk that takes HangFactor times as long as predicted, but at least HangFloor, hangs; 0 is 4, and one second. While
	// nothing can be predicted, or no other device is left, it hangs after FirstHang; 0 is 30 s.
	HangFactor float64
	HangFloor  time.Duration
	FirstHang  time.Duration
	// Progress, if not nil, is called at most ten times a second, by one goroutine, and at the end. Run waits for it.
	Progress func(Progress)
	// Trace, if not nil, records the run.
	Trace *trace.Recorder
}

func (c *RunConfig) defaults() {
	if c.Policy == nil {
		c.Policy = policy.Adaptive(policy.AdaptiveConfig{})
	}
	if c.Retries == 0 {
		c.Retries = 2
	}
	c.Retries = max(c.Retries, 0)
	if c.HangFactor <= 0 {
		c.HangFactor = 4
	}
	if c.HangFloor <= 0 {
		c.HangFloor = time.Second
	}
	if c.FirstHang <= 0 {
		c.FirstHang = 30 * time.Second
	}
}

// Run runs the kernel over the grid, on all devices of the pool, and waits for it. The slices in the arguments must not be
// used before it returns.
//
// The error is nil if all items are done, whatever happened to devices on the way; the report tells. A *RunError lists
// the items that are not done, and wraps the reasons: context.Cause(ctx), each *ChunkError, a *StuckError. A declaration
// that cannot be split wraps ErrDeclaration, and nothing was written. There is a report unless nothing was run.
func (p *Pool) Run(ctx context.Context, k *Kernel, g Grid, args []Arg, c RunConfig) (*Report, error) {
	fail := func(err error) (*Report, error) { return nil, fmt.Errorf("run %s: %w", k.name, err) }
	l, err := g.layout()
	if err != nil {
		return fail(err)
	}
	if err := checkArgs(args, &l); err != nil {
		return fail(err)
	}
	select {
	case <-p.turn:
		defer func() { p.turn <- struct{}{} }()
	case <-ctx.Done():
		return fail(context.Cause(ctx))
	}
	p.mu.Lock()
	closed := p.closed
	p.mu.Unlock()
	if closed {
		return fail(ErrClosed)
	}
	if err := context.Cause(ctx); err != nil {
		return fail(err)
	}
	c.defaults()
	r := p.newRun(k, l, args, c)
	began := time.Now()
	if err := r.prepare(ctx, p.devices); err != nil {
		return fail(err)
	}
	preparing := time.Since(began)
	p.recall(r, k)
	r.start(ctx)
	r.watch(ctx)
	rep := r.report()
	rep.Prepare = preparing
	err = r.outcome(k)
	if err == nil {
		p.remember(r, k, rep)
	}
	return rep, err
}

func (p *Pool) newRun(k *Kernel, l layout, args []Arg, c RunConfig) *run {
	r := &run{
		job:    &Job{kernel: k, layout: l, args: args, shared: c.SharedBytes, alone: len(p.devices) == 1},
		config: c, trace: c.Trace, ended: make(chan struct{}), parts: make([]parts, len(p.devices)),
	}
	r.changed.L = &r.mu
	r.state.Total, r.state.Remaining = l.units, l.units
	return r
}

// prepare prepares the devices, all at the same time. Devices that cannot take part are dead from the beginning; without
// one that can, there is an error, and everything prepared is closed.
func (r *run) prepare(ctx context.Context, devices []Device) error {
	var wg sync.WaitGroup
	for i, d := range devices {
		m := &member{info: d.Info()}
		m.info.Lanes = max(m.info.Lanes, 1)
		r.devices = append(r.devices, m)
		r.trace.Name(i, m.info.Name)
		wg.Go(func() {
			feed, err := d.Prepare(ctx, r.job)
			m.feed, m.err = feed, err
		})
	}
	wg.Wait()
	var errs []error
	for _, m := range r.devices {
		dev := policy.Device{Overhead: m.info.Overhead, Dead: m.err != nil}
		if w, ok := m.feed.(interface{ whole() bool }); ok && w.whole() {
			dev.Align = r.state.Total
		}
		if m.err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", m.info.Name, m.err))
		}
		r.state.Devices = append(r.state.Devices, dev)
	}
	cause := context.Cause(ctx)
	if len(errs) < len(r.devices) && cause == nil {
		return nil
	}
	if cause != nil {
		errs = []error{cause}
	} else {
		errs = append([]error{ErrNoDevice}, errs...)
	}
	for _, m := range r.devices {
		if m.err == nil {
			errs = append(errs, m.feed.Close())
		}
	}
	return errors.Join(errs...)
}

// start starts the lanes.
func (r *run) start(ctx context.Context) {
	for i, m := range r.devices {
		if m.err != nil {
			continue
		}
		n := m.info.Lanes
		m.tasks, m.flying, m.gone, m.left = make([]Task, n), make([]bool, n), make([]bool, n), n
		for lane := range n {
			m.tasks[lane].run, m.tasks[lane].device, m.tasks[lane].lane = r, i, lane
		}
		r.lanes += n
	}
	r.cause = func() error { return context.Cause(ctx) }
	r.begin = time.Now()
	for i, m := range r.devices {
		for lane := range m.tasks {
			own, stop := context.WithCancel(ctx)
			m.tasks[lane].stop = stop
			go func() {
				defer stop()
				r.lane(own, i, lane)
			}()
		}
	}
}

// outcome is the error of a run that has ended.
func (r *run) outcome(k *Kernel) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	left := append(slices.Clone(r.back), r.failed...)
	if r.fresh < r.state.Total {
		left = append(left, remain{lo: r.fresh, hi: r.state.Total})
	}
	if len(left) == 0 {
		return nil
	}
	slices.SortFunc(left, func(a, b remain) int { return a.lo - b.lo })
	e := &RunError{Kernel: k.name, Errs: slices.Clone(r.errs)}
	for _, w := range left {
		span := r.job.layout.rows(w.lo, w.hi)
		if n := len(e.Undone); n > 0 && e.Undone[n-1].Hi == span.Lo {
			e.Undone[n-1].Hi = span.Hi
			continue
		}
		e.Undone = append(e.Undone, span)
	}
	return e
}

// recall tells the policy what earlier runs learned.
func (p *Pool) recall(r *run, k *Kernel) {
	if p.store == nil {
		return
	}
	for i, m := range r.devices {
		if f, ok := p.store.Load(k.hash, m.info.ID, r.job.layout.items, time.Now()); ok {
			dev := &r.state.Devices[i]
			dev.Rate, dev.Trusted = f.Rate/float64(r.job.layout.unit), f.Trusted()
		}
	}
}

// remember keeps what the run learned. That it cannot be kept is told by the report, since nothing else is wrong.
func (p *Pool) remember(r *run, k *Kernel, rep *Report) {
	if p.store == nil {
		return
	}
	for i := range rep.Devices {
		if d := &rep.Devices[i]; d.Err == nil && d.Rate > 0 && d.Chunks > 0 {
			if err := p.store.Save(k.hash, d.ID, r.job.layout.items, d.Rate, d.Overhead, time.Now()); err != nil {
				rep.ModelErr = err
			}
		}
	}
}
