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
// a kernel uses the indices of the whole grid; only the rows of its chunks are copied.
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
	hostOverhead = 20 * time.Microsecond
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

// Prepare compiles or finds the kernel and takes memory.
func (d *cudaDevice) Prepare(ctx context.Context, j *Job) (Feed, error) {
	if j.kernel.code == nil {
		return nil, fmt.Errorf("%w: kernel %s has no CUDA form", ErrNoDevice, j.kernel.name)
	}
	f := &cudaFeed{job: j, dev: d.dev, split: d.dev.LaunchesParts()}
	for _, a := range j.args {
		if _, ok := a.(placed); ok {
			f.offset = true
		}
	}
	f.entire = !f.split && !f.offset
	if f.entire && !j.alone {
		return nil, fmt.Errorf("%w: %s launches whole grids only, and kernel %s has no hetero.Offset", ErrNoDevice, d.dev.Info().Name, j.kernel.name)
	}
	m, err := d.module(ctx, j.kernel)
	if err != nil {
		return nil, err
	}
	if f.fn, err = m.Function(j.kernel.code.entry); err != nil {
		return nil, err
	}
	for range d.Info().Lanes {
		if err := f.addLane(ctx); err != nil {
			return nil, errors.Join(err, f.Close())
		}
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
	job    *Job
	dev    *cuda.Device
	fn     *cuda.Function
	split  bool // the device launches parts of grids
	offset bool // the kernel adds an offset
	entire bool // neither: the whole job in one chunk
	lanes  []*cudaLane
}

// cudaLane is what a chunk needs: a stream, and of each slice a mirror on the device and a place in page-locked memory.
type cudaLane struct {
	stream  *cuda.Stream
	mirrors []mirror // in the order of arguments; nil for values
	values  []any    // arguments of the launch
}

// mirror is a slice argument on a device, for one lane.
type mirror interface {
	argument() any
	snapshot(r Range, n int) error // program to page-locked memory
	upload(s *cuda.Stream) error   // and on to the device
	download(r Range, s *cuda.Stream) error
	commit(r Range)
	Close() error
}

// mirrored is an argument that needs a mirror. first is that of another lane, or nil.
type mirrored interface {
	mirror(ctx context.Context, d *cuda.Device, first mirror) (mirror, error)
}

// whole reports whether the job cannot be split.
func (f *cudaFeed) whole() bool { return f.entire }

// addLane makes a lane. On error what it made is in f.lanes for Close.
func (f *cudaFeed) addLane(ctx context.Context) error {
	l := &cudaLane{}
	f.lanes = append(f.lanes, l)
	var err error
	if l.stream, err = f.dev.NewStream(cuda.StreamConfig{}); err != nil {
		return err
	}
	for i, a := range f.job.args {
		l.mirrors, l.values = append(l.mirrors, nil), append(l.values, nil)
		switch a := a.(type) {
		case mirrored:
			first := f.lanes[0].mirrors[i]
			m, err := a.mirror(ctx, f.dev, first)
			if err != nil {
				return err
			}
			l.mirrors[i], l.values[i] = m, m.argument()
		case value:
			l.values[i] = a.v
		}
	}
	return nil
}

// Do copies the chunk's rows in, launches its blocks, copies the results out and commits them.
func (f *cudaFeed) Do(ctx context.Context, lane int, t *Task) error {
	l, r := f.lanes[lane], t.Range()
	at := t.Now()
	err := t.Snapshot(func() error {
		for _, m := range l.mirrors {
			if m != nil {
				if err := m.snapshot(r, f.job.layout.items); err != nil {
					return err
				}
			}
		}
		return nil
	})
	for _, m := range l.mirrors {
		if m != nil && err == nil {
			err = m.upload(l.stream)
		}
	}
	if err != nil {
		return f.judge(err)
	}
	at = t.Note(trace.Load, at)
	if err := f.launch(ctx, l, r); err != nil {
		return f.judge(err)
	}
	at = t.Note(trace.Compute, at)
	for _, m := range l.mirrors {
		if m != nil && err == nil {
			err = m.download(r, l.stream)
		}
	}
	if err == nil {
		err = l.stream.Wait(ctx)
	}
	if err != nil {
		return f.judge(err)
	}
	at = t.Note(trace.Store, at)
	err = t.Commit(func() error {
		for _, m := range l.mirrors {
			if m != nil {
				m.commit(r)
			}
		}
		return nil
	})
	if err == nil {
		t.Note(trace.Commit, at)
	}
	return err
}

// launch runs the blocks of the chunk.
func (f *cudaFeed) launch(ctx context.Context, l *cudaLane, r Range) error {
	cfg := cuda.LaunchConfig{Grid: f.job.layout.grid, Block: f.job.layout.block, SharedBytes: f.job.shared, Stream: l.stream}
	switch {
	case f.entire:
	case f.offset:
		cfg.Grid = f.job.layout.subgrid(r)
		for i, a := range f.job.args {
			if p, ok := a.(placed); ok {
				l.values[i] = p.at(r.Lo)
			}
		}
	default:
		cfg.Part = f.job.layout.part(r)
	}
	return f.fn.Run(ctx, cfg, l.values...)
}

// judge marks errors after which the device cannot go on.
func (f *cudaFeed) judge(err error) error {
	if errors.Is(err, cuda.ErrPoisoned) || errors.Is(err, cuda.ErrClosed) || f.dev.Err() != nil {
		return fmt.Errorf("%w: %w", ErrDeviceLost, err)
	}
	return err
}

// Close gives up streams and memory; it is freed when queued work is done.
func (f *cudaFeed) Close() error {
	var errs []error
	for _, l := range f.lanes {
		for _, m := range l.mirrors {
			if m != nil {
				errs = append(errs, m.Close())
			}
		}
		if l.stream != nil {
			errs = append(errs, l.stream.Close())
		}
	}
	f.lanes = nil
	return errors.Join(errs...)
}

// sliceMirror is the mirror of a slice.
type sliceMirror[T cuda.Element] struct {
	arg    *slice[T]
	dev    *cuda.Buffer[T]
	shared bool // dev is another lane's
	pinned *cuda.HostBuffer[T]
	spans  [3]Range // rows in pinned, one range after the other
	count  int
}

func (a *slice[T]) mirror(ctx context.Context, d *cuda.Device, first mirror) (mirror, error) {
	m := &sliceMirror[T]{arg: a}
	// Lanes read and write rows of their own in one mirror. Halos overlap, so a lane with a halo has its own.
	if first != nil && a.part.before == 0 && a.part.after == 0 {
		m.dev, m.shared = first.(*sliceMirror[T]).dev, true
		return m, nil
	}
	var err error
	if a.part.whole {
		m.dev, err = cuda.Upload(ctx, d, a.data)
	} else {
		m.dev, err = cuda.Alloc[T](d, len(a.data))
	}
	return m, err
}

func (m *sliceMirror[T]) argument() any { return m.dev }

// room makes page-locked memory for so many rows.
func (m *sliceMirror[T]) room(rows int) error {
	n := rows * m.arg.part.stride
	if m.pinned != nil && m.pinned.Len() >= n {
		return nil
	}
	if m.pinned != nil {
		if err := m.pinned.Close(); err != nil {
			return err
		}
		m.pinned = nil
		n += n / 2 // chunks grow
	}
	var err error
	m.pinned, err = cuda.AllocHost[T](m.dev.Device(), n)
	return err
}

func (m *sliceMirror[T]) snapshot(r Range, items int) error {
	m.count = 0
	if m.arg.part.whole {
		return nil
	}
	if !m.arg.in {
		return m.room(r.Hi - r.Lo)
	}
	m.spans, m.count = m.arg.part.spans(r, items)
	rows := 0
	for _, s := range m.spans[:m.count] {
		rows += s.Hi - s.Lo
	}
	if err := m.room(rows); err != nil {
		return err
	}
	to := m.pinned.Slice()
	for _, s := range m.spans[:m.count] {
		to = to[copy(to, m.arg.rows(s)):]
	}
	return nil
}

func (m *sliceMirror[T]) upload(s *cuda.Stream) error {
	at := 0
	for _, r := range m.spans[:m.count] {
		n := (r.Hi - r.Lo) * m.arg.part.stride
		if err := m.copy(r, at, s, true); err != nil {
			return err
		}
		at += n
	}
	return nil
}

// copy queues a copy between rows of the mirror and page-locked memory from element at on.
func (m *sliceMirror[T]) copy(r Range, at int, s *cuda.Stream, up bool) error {
	stride := m.arg.part.stride
	dev, err := m.dev.Slice(r.Lo*stride, r.Hi*stride)
	if err != nil {
		return err
	}
	host, err := m.pinned.View(at, at+(r.Hi-r.Lo)*stride)
	if err != nil {
		return err
	}
	if up {
		return cuda.Copy(dev, host, s)
	}
	return cuda.Copy(host, dev, s)
}

func (m *sliceMirror[T]) download(r Range, s *cuda.Stream) error {
	if !m.arg.out {
		return nil
	}
	return m.copy(r, 0, s, false)
}

func (m *sliceMirror[T]) commit(r Range) {
	if m.arg.out {
		rows := m.arg.rows(r)
		copy(rows, m.pinned.Slice()[:len(rows)])
	}
}

func (m *sliceMirror[T]) Close() error {
	var errs []error
	if m.pinned != nil {
		errs = append(errs, m.pinned.Close())
	}
	if !m.shared && m.dev != nil {
		errs = append(errs, m.dev.Close())
	}
	return errors.Join(errs...)
}
