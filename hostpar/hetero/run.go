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

// Devices describes the devices, in the order of Report.Devices. Several of one name have a number behind it.
func (p *Pool) Devices() []Info {
	infos, all, seen := make([]Info, len(p.devices)), map[string]int{}, map[string]int{}
	for i, d := range p.devices {
		infos[i] = d.Info()
		all[infos[i].Name]++
	}
	for i := range infos {
		if name := infos[i].Name; all[name] > 1 {
			seen[name]++
			infos[i].Name = fmt.Sprintf("%s %d", name, seen[name])
		}
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
	if p.store != nil {
		_ = p.store.Flush() // a hint that is lost costs a few small chunks
	}
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
	// Policy decides the sizes of chunks; nil is policy.Adaptive. It counts in rows of blocks across the split axis, or with
	// CostHint in equal parts of the work.
	Policy policy.Policy
	// SharedBytes is the dynamic shared memory of each block in bytes.
	SharedBytes int
	// Retries is how often items are tried again after a failure; 0 is 2, negative is never.
	Retries int
	// OnDeviceError is what a failure does.
	OnDeviceError DeviceErrorAction
	// Deterministic refuses arguments whose result depends on the split: an Accum of floating-point numbers.
	Deterministic bool
	// Speculate lets a device that has nothing left to do try chunks that are late on another one. Runs of a plan do not.
	Speculate bool
	// Shadow is the fraction of chunks that are computed on two devices, whose results must be the same bits: else the run
	// ends with a *ShadowError, and the chunk is not committed. Arrays of accumulators are not compared.
	Shadow float64
	// A chunk that takes HangFactor times as long as predicted, but at least HangFloor, hangs; 0 is 4, and one second. While
	// nothing can be predicted, or no other device is left, it hangs after FirstHang; 0 is 30 s.
	HangFactor float64
	HangFloor  time.Duration
	FirstHang  time.Duration
	// CostHint, if not nil, is how much work items are, in any unit: a number that is not negative, and for a range the sum of
	// those of its items. Chunks are then of about equal work rather than of equally many items, which helps where the
	// costs of items are very different and known. It is asked for at most 4096 ranges, before the run, and need not be
	// exact. Reports and models count items as ever.
	CostHint func(Range) float64
	// Decisions, if not nil, gets what the policy decided and what came of it; of a plan, in its last run.
	Decisions *policy.DecisionLog
	// Replay, if not nil, gives devices the same chunks in the same order as in the run of that log, instead of asking
	// Policy. It is for as many devices, and a job and CostHint of the same size. Nothing is learned from it.
	Replay *policy.DecisionLog
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
	job, err := p.job(k, g, args, &c)
	if err != nil {
		return fail(err)
	}
	done, err := p.enter(ctx)
	if err != nil {
		return fail(err)
	}
	defer done()
	began := time.Now()
	members, err := p.prepare(ctx, job)
	if err != nil {
		return fail(err)
	}
	r := newRun(job, members, c)
	if c.Replay == nil {
		p.recall(r)
	}
	rep, err := r.run(ctx)
	rep.Prepare = r.begin.Sub(began)
	if err == nil && c.Replay == nil {
		p.remember(r, rep)
	}
	return rep, err
}

// job checks what is to be run.
func (p *Pool) job(k *Kernel, g Grid, args []Arg, c *RunConfig) (*Job, error) {
	c.defaults()
	l, err := g.layout()
	if err != nil {
		return nil, err
	}
	if err := checkArgs(args, &l); err != nil {
		return nil, err
	}
	var home *cuda.Device
	for i, a := range args {
		if a, ok := a.(accumulating); ok && c.Deterministic && a.rounds() {
			return nil, fmt.Errorf("argument %d: %w: the order of adding floating-point numbers is not fixed; use Reduce", i, ErrDeclaration)
		}
		if r, ok := a.(resident); ok && r.home() != nil {
			home = r.home()
		}
	}
	if home != nil && !slices.ContainsFunc(p.devices, func(d Device) bool { return of(d) == home }) {
		return nil, fmt.Errorf("%w: a buffer of %s, which is not a device of the pool", ErrDeclaration, home.Info().Name)
	}
	job := &Job{kernel: k, layout: l, args: args, shared: c.SharedBytes, alone: len(p.devices) == 1}
	if c.CostHint != nil {
		if job.costs, err = newCosts(c.CostHint, &l); err != nil {
			return nil, err
		}
	}
	return job, p.replay(job, c)
}

// replay makes a policy of the log that a run is to follow.
func (p *Pool) replay(job *Job, c *RunConfig) error {
	if c.Replay == nil {
		return nil
	}
	if c.Replay == c.Decisions {
		return fmt.Errorf("%w: Replay and Decisions are one log", ErrDeclaration)
	}
	if n, k, all := c.Replay.Total(), c.Replay.Devices(), job.size(0, job.layout.units); n != all || k != len(p.devices) {
		return fmt.Errorf("%w: the log to replay is of %d units on %d devices, the run of %d on %d", ErrDeclaration, n, k, all, len(p.devices))
	}
	c.Policy = policy.Replay(c.Replay)
	return nil
}

// of is the device of package cuda behind a device, nil if there is none.
func of(d Device) *cuda.Device {
	switch d := d.(type) {
	case *cudaDevice:
		return d.dev
	case *cpuDevice:
		return d.host
	}
	return nil
}

// enter waits until no run is under way. done lets the next one in.
func (p *Pool) enter(ctx context.Context) (done func(), err error) {
	select {
	case <-p.turn:
		done = func() { p.turn <- struct{}{} }
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	p.mu.Lock()
	closed := p.closed
	p.mu.Unlock()
	if closed {
		done()
		return nil, ErrClosed
	}
	if err := context.Cause(ctx); err != nil {
		done()
		return nil, err
	}
	return done, nil
}

// prepare prepares the devices, all at the same time. Devices that cannot take part have an error; without one that can,
// there is an error, and everything prepared is closed.
func (p *Pool) prepare(ctx context.Context, job *Job) ([]*member, error) {
	var wg sync.WaitGroup
	members, infos := make([]*member, len(p.devices)), p.Devices()
	for i, d := range p.devices {
		m := &member{info: infos[i]}
		members[i] = m
		m.info.Lanes = max(m.info.Lanes, 1)
		m.inPlace = m.info.InPlace
		wg.Go(func() {
			m.feed, m.err = d.Prepare(ctx, job)
			if m.err == nil {
				m.err = begin(ctx, m.feed)
			}
		})
	}
	wg.Wait()
	var errs []error
	for _, m := range members {
		if m.err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", m.info.Name, m.err))
			if m.feed != nil {
				errs = append(errs, m.feed.Close())
			}
			continue
		}
		if f, ok := m.feed.(interface{ inPlace() bool }); ok && f.inPlace() {
			m.inPlace, m.home = true, true
		}
	}
	if cause := context.Cause(ctx); cause != nil {
		errs = []error{cause}
	} else if errors.Join(errs...) == nil || len(members) > countErrors(members) {
		return members, nil
	} else {
		errs = append([]error{ErrNoDevice}, errs...)
	}
	for _, m := range members {
		if m.err == nil {
			errs = append(errs, m.feed.Close())
		}
	}
	return nil, errors.Join(errs...)
}

func countErrors(members []*member) (n int) {
	for _, m := range members {
		if m.err != nil {
			n++
		}
	}
	return n
}

// begin brings what every chunk needs to a device that takes it.
func begin(ctx context.Context, f Feed) error {
	if b, ok := f.(interface {
		begin(ctx context.Context) error
	}); ok {
		return b.begin(ctx)
	}
	return nil
}

// linkSpeed is what memory of one device is taken to reach another with at most, in bytes a second: no bus that a GPU is
// on today is faster. It only decides who need not be tried.
const linkSpeed = 64e9

// newRun makes a run of prepared devices.
func newRun(job *Job, members []*member, c RunConfig) *run {
	r := &run{job: job, config: c, devices: members, trace: c.Trace, ended: make(chan struct{}), parts: make([]parts, len(members))}
	r.changed.L = &r.mu
	units := job.layout.units
	r.state.Total = job.size(0, units)
	r.state.Remaining = r.state.Total
	r.fresh = []remain{{lo: 0, hi: units, last: -1}}
	in, out, home := 0, 0, false
	for _, a := range job.args {
		if a, ok := a.(resident); ok && a.home() != nil {
			i, o := a.bytes()
			in, out, home = in+i, out+o, true
		}
	}
	for i, m := range members {
		r.trace.Name(i, m.info.Name)
		dev := policy.Device{Overhead: m.info.Overhead, Serial: m.inPlace && m.info.Lanes == 1, Dead: m.err != nil}
		if w, ok := m.feed.(interface{ whole() bool }); ok && w.whole() {
			dev.Align = r.state.Total
		}
		if home && !m.home {
			dev.MinGain, dev.Most = worthMoving, float64(r.state.Total)*linkSpeed/float64(max(in, out, 1))
		}
		r.state.Devices = append(r.state.Devices, dev)
	}
	return r
}

// worthMoving is by what a device must shorten a run whose data another device has.
const worthMoving = 0.03

// run runs all chunks. There is a report in any case.
func (r *run) run(ctx context.Context) (*Report, error) {
	r.start(ctx)
	r.watch(ctx)
	rep := r.report()
	err := r.outcome()
	if err == nil {
		for _, a := range r.job.args {
			if a, ok := a.(finisher); ok {
				a.finish()
			}
		}
	}
	return rep, err
}

// start starts the lanes. In a run of a plan, devices that the policy gives nothing have none until something fails.
func (r *run) start(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, m := range r.devices {
		if m.err != nil {
			continue
		}
		n := m.info.Lanes
		m.tasks, m.flying, m.gone = make([]Task, n), make([]bool, n), make([]bool, n)
		for lane := range n {
			m.tasks[lane].run, m.tasks[lane].device, m.tasks[lane].lane = r, i, lane
		}
	}
	r.ctx = ctx
	if r.begin.IsZero() {
		r.begin = time.Now()
	}
	r.config.Decisions.Begin(&r.state)
	for i, m := range r.devices {
		if m.err == nil {
			if n, why := r.config.Policy.Next(&r.state, i); !r.keep || n > 0 || why != policy.Short && why != policy.NoGain {
				r.launch(i)
			} else {
				m.why = why
			}
		}
	}
	if r.lanes == 0 {
		r.wake()
	}
}

// launch starts the lanes of a device. Called with mu held.
func (r *run) launch(i int) {
	m := r.devices[i]
	m.started = true
	m.left = len(m.tasks)
	r.lanes += len(m.tasks)
	for lane := range m.tasks {
		own, stop := context.WithCancel(r.ctx)
		m.tasks[lane].stop = stop
		if r.running != nil {
			r.running.Add(1)
		}
		go func() {
			defer stop()
			if r.running != nil {
				defer r.running.Done()
			}
			r.lane(own, i, lane)
		}()
	}
}

// wake starts the lanes of devices that have none, and lets those look that wait. Called with mu held.
func (r *run) wake() {
	for i, m := range r.devices {
		if m.err == nil && !m.started && !r.stopped {
			r.launch(i)
		}
	}
	r.changed.Broadcast()
}

// outcome is the error of a run that has ended.
func (r *run) outcome() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	left := append(slices.Clone(r.back), r.failed...)
	for _, f := range r.fresh {
		if f.lo < f.hi {
			left = append(left, f)
		}
	}
	if len(left) == 0 {
		return nil
	}
	slices.SortFunc(left, func(a, b remain) int { return a.lo - b.lo })
	e := &RunError{Kernel: r.job.kernel.name, Errs: slices.Clone(r.errs)}
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
func (p *Pool) recall(r *run) {
	if p.store == nil {
		return
	}
	for i, m := range r.devices {
		if f, ok := p.store.Load(r.job.kernel.hash, m.info.ID, r.job.layout.items, time.Now()); ok {
			r.learned(i, f)
		}
	}
}

// learned tells the policy what earlier runs left of a device.
func (r *run) learned(i int, f policy.Fit) {
	dev := &r.state.Devices[i]
	item := r.job.perUnit() / float64(r.job.layout.unit)
	dev.Rate, dev.Trusted = f.Rate*item, f.Trusted()
	dev.Seen = int(float64(f.Seen) * item)
	if f.Overhead > 0 {
		dev.Overhead = f.Overhead
	}
}

// remember keeps what the run learned. That it cannot be kept is told by the report, since nothing else is wrong.
func (p *Pool) remember(r *run, rep *Report) {
	if p.store == nil {
		return
	}
	hash, items, now := r.job.kernel.hash, r.job.layout.items, time.Now()
	for i := range rep.Devices {
		var err error
		switch d := &rep.Devices[i]; {
		case d.Err != nil:
		case d.Rate > 0 && d.Chunks > 0:
			err = p.store.Save(hash, d.ID, items, rep.fit(i), now)
		default:
			err = p.store.Skip(hash, d.ID, items, now)
		}
		if err != nil {
			rep.ModelErr = err
		}
	}
}
