package hetero

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/hostpar/hetero/trace"
)

// OnCUDA is a device of package cuda, a GPU or a host device, for kernels with a CUDA form. It stays the caller's. Device
// memory for each slice argument in full is taken during a run, and kept mapped at the same indices as the slice, so that
// a kernel uses the indices of the whole grid; only the rows that its chunks need are copied.
func OnCUDA(dev *cuda.Device) Device {
	return &cudaDevice{dev: dev, loaded: map[[32]byte]*cuda.Module{}}
}

type cudaDevice struct {
	dev    *cuda.Device
	mu     sync.Mutex
	loaded map[[32]byte]*cuda.Module
}

// Until they were measured: what a chunk costs. On a GPU it is two copies and a launch with their waits, on the host
// device handing blocks to workers.
const (
	gpuOverhead  = 40 * time.Microsecond
	hostOverhead = 10 * time.Microsecond
	// gpuLanes is how many chunks are under way on a GPU: one is copied in, one runs, one is copied out.
	gpuLanes = 3
)

func (d *cudaDevice) Info() Info {
	c := d.dev.Info()
	i := Info{ID: c.ID + "/" + c.Name, Name: c.Name, Lanes: gpuLanes, Overhead: gpuOverhead}
	if c.Kind == cuda.Host {
		i.Name = c.Name + " (host device)"
		i.Lanes, i.Overhead = 1, hostOverhead
	}
	if c.UUID != "" {
		i.ID = c.UUID
	}
	return i
}

// Prepare compiles or finds the kernel, takes memory, and holds the arguments against the kernel's parameters.
func (d *cudaDevice) Prepare(ctx context.Context, j *Job) (Feed, error) {
	if j.kernel.code == nil {
		return nil, fmt.Errorf("%w: kernel %s has no CUDA form", ErrNoDevice, j.kernel.name)
	}
	f := &cudaFeed{job: j, dev: d.dev, host: d.dev.Info().Kind == cuda.Host, split: d.dev.LaunchesParts()}
	for _, a := range j.args {
		if _, ok := a.(shifting); ok {
			f.offset = true
		}
		if r, ok := a.(resident); ok && r.home() == d.dev {
			f.home = true
		}
	}
	m, err := d.module(ctx, j.kernel)
	if err != nil {
		return nil, err
	}
	if f.fn, err = m.Function(j.kernel.code.entry); err != nil {
		return nil, err
	}
	f.lanes = make([]*cudaLane, d.Info().Lanes)
	if err := f.open(ctx); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// module is the kernel's module, loaded when first needed.
func (d *cudaDevice) module(ctx context.Context, k *Kernel) (*cuda.Module, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if m := d.loaded[k.hash]; m != nil {
		return m, nil
	}
	var m *cuda.Module
	var err error
	if k.code.ptx != nil {
		m, err = d.dev.Load(ctx, k.code.ptx, k.code.load)
	} else {
		m, err = d.dev.Compile(ctx, k.code.source, k.code.compile)
	}
	if err == nil {
		d.loaded[k.hash] = m
	}
	return m, err
}

// cudaFeed is a kernel at work on a device.
type cudaFeed struct {
	job     *Job
	dev     *cuda.Device
	host    bool // memory of the device is memory of the program's processors
	home    bool // some arguments are this device's memory
	fn      *cuda.Function
	split   bool     // the device launches parts of grids
	offset  bool     // the kernel adds an offset
	entire  bool     // neither: the whole job in one chunk
	mirrors []mirror // in the order of arguments; nil for values
	lanes   []*cudaLane
	loading sync.Mutex // held while a lane brings rows, so that no other takes them for there or brings them again
}

// cudaLane is what a chunk needs apart from the mirrors.
type cudaLane struct {
	number int
	stream *cuda.Stream
	values []any // arguments of the launch
	rows   Range
	task   *Task
	// Made once, so that a chunk takes no memory:
	snapshot, commit func() error
	digest           func(add func([]byte))
}

// mirror is an argument with elements on a device. Of several lanes, each works with rows of its own, and one at a time
// brings rows.
type mirror interface {
	argument(lane int) any
	// preload brings what every chunk needs.
	preload(ctx context.Context) error
	// fetch copies the rows that the chunk reads, and the device does not have, from the program's memory to a place that
	// a queued copy can read, and upload queues that copy and reports whether there is one. fetched says that it is done.
	fetch(lane int, r Range) error
	upload(lane int, s *cuda.Stream) (bool, error)
	fetched(lane int)
	// start says that the kernel is about to change rows.
	start(lane int, r Range, s *cuda.Stream) error
	download(lane int, r Range, s *cuda.Stream) error
	sum(lane int, r Range, add func([]byte))
	commit(lane int, r Range) error
	Close() error
}

// mirrored is an argument that needs a mirror.
type mirrored interface {
	mirror(f *cudaFeed, lanes int) (mirror, error)
}

// whole reports whether the job cannot be split.
func (f *cudaFeed) whole() bool { return f.entire }

// inPlace reports whether a chunk changes memory that it cannot give back: that of the device itself.
func (f *cudaFeed) inPlace() bool { return f.home }

// open makes mirrors and lanes. On error Close frees what there is.
func (f *cudaFeed) open(ctx context.Context) error {
	for _, a := range f.job.args {
		var m mirror
		if a, ok := a.(mirrored); ok {
			var err error
			m, err = a.mirror(f, len(f.lanes))
			if err != nil {
				f.mirrors = append(f.mirrors, m)
				return err
			}
		}
		f.mirrors = append(f.mirrors, m)
	}
	for i := range f.lanes {
		l := &cudaLane{number: i}
		f.lanes[i] = l
		l.snapshot = func() error { return f.fetch(l) }
		l.commit = func() error { return f.commit(l) }
		l.digest = func(add func([]byte)) { f.sum(l, add) }
		var err error
		if l.stream, err = f.dev.NewStream(cuda.StreamConfig{}); err != nil {
			return err
		}
	}
	return f.try()
}

// try checks arguments against parameters and finds out how the grid can be split.
func (f *cudaFeed) try() error {
	for _, l := range f.lanes {
		l.values = l.values[:0]
		for i, a := range f.job.args {
			switch a := a.(type) {
			case value:
				l.values = append(l.values, a.v)
			case placed:
				l.values = append(l.values, a.at(Range{0, f.job.layout.items}, f.job.layout.items))
			default:
				l.values = append(l.values, f.mirrors[i].argument(l.number))
			}
		}
	}
	cfg := cuda.LaunchConfig{Grid: f.job.layout.grid, Block: f.job.layout.block, SharedBytes: f.job.shared}
	if _, err := f.fn.Prepare(cfg, f.lanes[0].values...); err != nil {
		return err
	}
	f.entire = !f.split && !f.offset
	if f.entire && !f.job.alone {
		return fmt.Errorf("%w: %s launches whole grids only, and kernel %s has no hetero.Offset", ErrNoDevice, f.dev.Info().Name, f.job.kernel.name)
	}
	return nil
}

// stale reports whether there is something for begin to bring.
func (f *cudaFeed) stale() bool {
	for _, a := range f.job.args {
		if w, ok := a.(interface{ replicated() bool }); ok && w.replicated() {
			return true
		}
	}
	return false
}

// begin brings what every chunk needs.
func (f *cudaFeed) begin(ctx context.Context) error {
	for _, m := range f.mirrors {
		if m != nil {
			if err := m.preload(ctx); err != nil {
				return f.judge(err)
			}
		}
	}
	return nil
}

// swap exchanges the mirrors of two arguments.
func (f *cudaFeed) swap(a, b int) error {
	f.mirrors[a], f.mirrors[b] = f.mirrors[b], f.mirrors[a]
	f.mirrors[a].(adopter).adopt(f.job.args[a])
	f.mirrors[b].(adopter).adopt(f.job.args[b])
	return f.try()
}

// adopter is a mirror that can serve another argument of the same type.
type adopter interface{ adopt(a Arg) }

// Do copies in what the chunk needs, launches its blocks, copies the results out and commits them.
func (f *cudaFeed) Do(ctx context.Context, lane int, t *Task) error {
	l := f.lanes[lane]
	l.rows, l.task = t.Range(), t
	at := t.Now()
	if err := f.load(ctx, l); err != nil {
		return f.judge(err)
	}
	at = t.Note(trace.Load, at)
	if err := f.launch(ctx, l); err != nil {
		return f.judge(err)
	}
	at = t.Note(trace.Compute, at)
	if err := f.store(ctx, l); err != nil {
		return f.judge(err)
	}
	if t.Watched() {
		t.Digest(l.digest)
	}
	if !f.host {
		at = t.Note(trace.Store, at)
	}
	if err := t.Commit(l.commit); err != nil {
		return f.judge(err)
	}
	t.Note(trace.Commit, at)
	return nil
}

// load brings the rows that the device does not have.
func (f *cudaFeed) load(ctx context.Context, l *cudaLane) error {
	f.loading.Lock()
	defer f.loading.Unlock()
	if err := l.task.Snapshot(l.snapshot); err != nil {
		return err
	}
	queued := false
	for _, m := range f.mirrors {
		if m != nil {
			q, err := m.upload(l.number, l.stream)
			if err != nil {
				return err
			}
			queued = queued || q
		}
	}
	if queued {
		if err := l.stream.Wait(ctx); err != nil {
			return err
		}
	}
	for _, m := range f.mirrors {
		if m != nil {
			m.fetched(l.number)
			if err := m.start(l.number, l.rows, l.stream); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *cudaFeed) fetch(l *cudaLane) error {
	for _, m := range f.mirrors {
		if m != nil {
			if err := m.fetch(l.number, l.rows); err != nil {
				return err
			}
		}
	}
	return nil
}

// store brings the results to where commit can copy them.
func (f *cudaFeed) store(ctx context.Context, l *cudaLane) error {
	if f.host {
		return nil // they are there
	}
	for _, m := range f.mirrors {
		if m != nil {
			if err := m.download(l.number, l.rows, l.stream); err != nil {
				return err
			}
		}
	}
	return l.stream.Wait(ctx)
}

func (f *cudaFeed) sum(l *cudaLane, add func([]byte)) {
	for _, m := range f.mirrors {
		if m != nil {
			m.sum(l.number, l.rows, add)
		}
	}
}

func (f *cudaFeed) commit(l *cudaLane) error {
	for _, m := range f.mirrors {
		if m != nil {
			if err := m.commit(l.number, l.rows); err != nil {
				return err
			}
		}
	}
	return nil
}

// launch runs the blocks of the chunk.
func (f *cudaFeed) launch(ctx context.Context, l *cudaLane) error {
	lay := &f.job.layout
	cfg := cuda.LaunchConfig{Grid: lay.grid, Block: lay.block, SharedBytes: f.job.shared, Stream: l.stream}
	for i, a := range f.job.args {
		if p, ok := a.(placed); ok {
			l.values[i] = p.at(l.rows, lay.items)
		}
	}
	switch {
	case f.offset:
		cfg.Grid = lay.subgrid(l.rows)
	case f.split && l.rows != (Range{0, lay.items}):
		cfg.Part = lay.part(l.rows)
	}
	return f.fn.Run(ctx, cfg, l.values...)
}

// judge marks errors after which the device cannot go on.
func (f *cudaFeed) judge(err error) error {
	switch {
	case err == nil || errors.Is(err, ErrDeviceLost):
		return err
	case errors.Is(err, cuda.ErrPoisoned) || errors.Is(err, cuda.ErrClosed) || errors.Is(err, cuda.ErrNotSupported) || f.dev.Err() != nil:
		return fmt.Errorf("%w: %w", ErrDeviceLost, err)
	}
	return err
}

// Close gives up streams and memory; it is freed when queued work is done.
func (f *cudaFeed) Close() error {
	var errs []error
	for _, m := range f.mirrors {
		if m != nil {
			errs = append(errs, m.Close())
		}
	}
	for _, l := range f.lanes {
		if l != nil && l.stream != nil {
			errs = append(errs, l.stream.Close())
		}
	}
	f.mirrors, f.lanes = nil, nil
	return errors.Join(errs...)
}
