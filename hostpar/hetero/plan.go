package hetero

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/tandem-go/tandem/hostpar/hetero/policy"
)

// Plan is a run that is prepared once and run often: a step of an iterative solver, for instance. Devices keep compiled
// code and memory, and what they read or wrote stays with them, so that a later run moves only rows that changed
// elsewhere. Each device has a range of its own, in proportion to its speed in the runs before, and helps others when it
// is done.
//
// All results are in the program's memory after each run, so a device that fails between runs costs nothing. Slices that
// the program itself changes between runs must be named by Changed. The methods may be called from any goroutine, one at a
// time.
type Plan struct {
	pool    *Pool
	job     *Job
	config  RunConfig
	mu      sync.Mutex
	members []*member
	fits    []policy.Fit
	split   []remain // the ranges of devices in the last run
	runs    int
	closed  bool
	lanes   sync.WaitGroup // goroutines of runs that have ended and do not know it yet
}

// Compile prepares a run on all devices of the pool. Errors are those of Run.
func (p *Pool) Compile(ctx context.Context, k *Kernel, g Grid, args []Arg, c RunConfig) (*Plan, error) {
	fail := func(err error) (*Plan, error) { return nil, fmt.Errorf("compile %s: %w", k.name, err) }
	job, err := p.job(k, g, args, &c)
	if err != nil {
		return fail(err)
	}
	done, err := p.enter(ctx)
	if err != nil {
		return fail(err)
	}
	defer done()
	pl := &Plan{pool: p, job: job, config: c}
	if pl.members, err = p.prepare(ctx, job); err != nil {
		return fail(err)
	}
	pl.fits = make([]policy.Fit, len(pl.members))
	return pl, nil
}

// Run is a run of the plan; see Pool.Run. A device that failed in one run is out of later ones.
func (pl *Plan) Run(ctx context.Context) (*Report, error) {
	fail := func(err error) (*Report, error) { return nil, fmt.Errorf("run %s: %w", pl.job.kernel.name, err) }
	pl.mu.Lock()
	defer pl.mu.Unlock()
	done, err := pl.pool.enter(ctx)
	if err != nil {
		return fail(err)
	}
	defer done()
	if pl.closed {
		return fail(ErrClosed)
	}
	began := time.Now()
	for _, a := range pl.job.args {
		if a, ok := a.(accumulating); ok {
			a.restart()
		}
	}
	members, err := pl.begin(ctx)
	if err != nil {
		return fail(err)
	}
	r := newRun(pl.job, members, pl.config)
	r.keep, r.begin, r.running = true, began, &pl.lanes
	switch {
	case pl.config.Replay != nil:
	case pl.runs == 0:
		pl.pool.recall(r)
	default:
		pl.divide(r)
	}
	rep, err := r.run(ctx)
	pl.learn(r, rep)
	if err == nil && pl.runs == 1 && pl.config.Replay == nil {
		pl.pool.remember(r, rep)
	}
	return rep, err
}

// begin makes the members of a run out of the plan's, and brings to all what each chunk needs.
func (pl *Plan) begin(ctx context.Context) ([]*member, error) {
	members := make([]*member, len(pl.members))
	var wg sync.WaitGroup
	live := 0
	for i, m := range pl.members {
		fresh := &member{info: m.info, feed: m.feed, err: m.err, inPlace: m.inPlace, home: m.home}
		members[i] = fresh
		if b, ok := m.feed.(interface{ stale() bool }); m.err == nil && ok && b.stale() && pl.runs > 0 {
			wg.Go(func() { fresh.err = begin(ctx, fresh.feed) })
		}
	}
	wg.Wait()
	var errs []error
	for i, m := range members {
		switch {
		case m.err == nil:
			live++
		case pl.members[i].err == nil:
			pl.members[i].err = m.err
			errs = append(errs, m.err, m.feed.Close())
		default:
			errs = append(errs, m.err)
		}
	}
	if cause := context.Cause(ctx); cause != nil {
		return nil, cause
	}
	if live == 0 {
		return nil, errors.Join(append([]error{ErrNoDevice}, errs...)...)
	}
	return members, nil
}

// moveFor is by what fraction of the job a device's range must be wrong before it is moved: rows that move cost a copy.
const moveFor = 0.02

// divide tells the policy what the last runs learned, and gives each device its range: where it has work of its own in
// every run, most of its rows stay with it.
func (pl *Plan) divide(r *run) {
	for i := range r.state.Devices {
		if f := pl.fits[i]; f.Weight > 0 && !r.state.Devices[i].Dead {
			r.learned(i, f)
		}
	}
	parts, sum := make([]float64, len(r.state.Devices)), 0.0
	for i := range parts {
		n, _ := policy.OneShot().Next(&r.state, i)
		parts[i] = float64(n)
		sum += parts[i]
	}
	if sum == 0 {
		return
	}
	units, at, moved := pl.job.layout.units, 0.0, len(pl.split) == 0
	split := make([]remain, len(parts))
	for i := range split {
		lo := pl.job.place(at)
		at += parts[i] / sum
		split[i] = remain{lo: lo, hi: pl.job.place(at), last: -1}
		moved = moved || math.Abs(float64(split[i].hi-pl.split[i].hi)) > moveFor*float64(units) ||
			r.state.Devices[i].Dead && pl.split[i].lo < pl.split[i].hi
	}
	split[len(split)-1].hi = units
	if moved {
		pl.split = split
	}
	r.fresh = append(r.fresh[:0], pl.split...)
}

// learn keeps what the run told of devices.
func (pl *Plan) learn(r *run, rep *Report) {
	pl.runs++
	for i, d := range rep.Devices {
		pl.members[i].err = r.devices[i].err
		if d.Err == nil && d.Rate > 0 && d.Chunks > 0 {
			run := rep.fit(i)
			run.Weight, run.Last = 1, time.Now()
			pl.fits[i] = pl.fits[i].Add(run)
			continue
		}
		pl.fits[i] = pl.fits[i].Skip() // it got nothing because of what is known of it
	}
}

// Swap exchanges the memory of two arguments, which are slices or buffers of one type and length, without moving it: what
// a run wrote is what the next one reads. A body in Go finds the slice of an argument by Elements.
func (pl *Plan) Swap(a, b int) error {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	fail := func(err error) error {
		return fmt.Errorf("swap arguments %d and %d of %s: %w", a, b, pl.job.kernel.name, err)
	}
	args := pl.job.args
	if a < 0 || b < 0 || a >= len(args) || b >= len(args) {
		return fail(fmt.Errorf("%w: there are %d arguments", ErrDeclaration, len(args)))
	}
	if a == b {
		return nil
	}
	x, ok := args[a].(interface{ swap(Arg) error })
	if !ok {
		return fail(fmt.Errorf("%w: argument %d has no elements", ErrDeclaration, a))
	}
	if err := x.swap(args[b]); err != nil {
		return fail(err)
	}
	for _, m := range pl.members {
		if f, ok := m.feed.(interface{ swap(a, b int) error }); ok && m.err == nil {
			if err := f.swap(a, b); err != nil {
				return fail(err)
			}
		}
	}
	return nil
}

// Changed tells that the program has changed the slices of these arguments since the last run.
func (pl *Plan) Changed(args ...int) error {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	for _, i := range args {
		if i < 0 || i >= len(pl.job.args) {
			return fmt.Errorf("changed argument %d of %s: %w: there are %d", i, pl.job.kernel.name, ErrDeclaration, len(pl.job.args))
		}
		if a, ok := pl.job.args[i].(interface{ stale() }); ok {
			a.stale()
		}
	}
	return nil
}

// Close gives up what devices keep for the plan. Closing again does nothing.
func (pl *Plan) Close() error {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	if pl.closed {
		return nil
	}
	pl.closed = true
	pl.lanes.Wait()
	var errs []error
	for _, m := range pl.members {
		if m.err == nil {
			errs = append(errs, m.feed.Close())
		}
	}
	return errors.Join(errs...)
}
