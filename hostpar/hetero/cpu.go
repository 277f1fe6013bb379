package hetero

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/hostpar/par"
)

// OnCPU is the processors of this machine for Go bodies: so many goroutines at a time; below 1 it is
// runtime.GOMAXPROCS(0). It takes no part in kernels without a Go body; OnCUDA with a host device does.
func OnCPU(workers int) Device { return &goDevice{workers: workersOr(workers), name: "CPU"} }

func workersOr(n int) int {
	if n < 1 {
		return runtime.GOMAXPROCS(0)
	}
	return n
}

// goDevice runs Go bodies.
type goDevice struct {
	workers int
	name    string
}

// goOverhead is what a chunk costs on the CPU until it was measured: starting goroutines and waiting for them.
const goOverhead = 5 * time.Microsecond

func (d *goDevice) Info() Info {
	return Info{ID: fmt.Sprintf("cpu/%s/%d", processor(), d.workers), Name: fmt.Sprintf("%s (%d workers)", d.name, d.workers), Lanes: 1,
		Overhead: goOverhead, InPlace: true}
}

// processor is the name of the machine's processor.
var processor = sync.OnceValue(func() string { return par.ReadTopology().Model })

func (d *goDevice) Prepare(_ context.Context, j *Job) (Feed, error) {
	if j.kernel.body == nil {
		return nil, fmt.Errorf("%w: kernel %s has no Go body", ErrNoDevice, j.kernel.name)
	}
	f := &goFeed{job: j, workers: d.workers}
	for _, a := range j.args {
		if r, ok := a.(resident); ok && r.home() != nil {
			return nil, fmt.Errorf("%w: the data is in memory of %s, which a body in Go cannot reach", ErrNoDevice, r.home().Info().Name)
		}
		if s, ok := a.(written); ok && s.written() {
			f.outs = append(f.outs, s.writer())
		}
		if _, ok := a.(accumulating); ok {
			f.accumulates = true
		}
		if _, ok := a.(blockwise); ok {
			f.blocks = true
		}
	}
	f.commit = f.committed
	return f, nil
}

// goFeed is a Go body at work. It has one lane, so its fields are those of the chunk at hand.
type goFeed struct {
	job         *Job
	workers     int
	outs        []writer
	accumulates bool
	blocks      bool // the body is called for whole rows of blocks
	commit      func() error
	span        Range

	mu     sync.Mutex
	locals []local // guarded by mu: what the calls of the body accumulated
}

// written is an argument with rows that bodies may write.
type written interface {
	written() bool
	writer() writer
}

// writer is such an argument for one feed.
type writer interface {
	// save keeps what a failure or a trial must undo: all rows of a trial, else those that are also read. restore puts them
	// back.
	save(r Range, l *layout, trial bool)
	restore(r Range, l *layout)
	// sum adds the rows to a digest, changed tells that the program's memory has new ones.
	sum(r Range, l *layout, add func([]byte))
	changed(r Range, l *layout)
}

// accumulating is an Accumulator of any type.
type accumulating interface {
	// rounds reports whether the order of combining makes a difference, restart begins a run anew.
	rounds() bool
	restart()
}

// Do runs the body on the chunk. If it fails, the rows of InOut arguments are what they were before.
func (f *goFeed) Do(ctx context.Context, _ int, t *Task) error {
	f.span = t.Range()
	f.locals = f.locals[:0]
	trial, done := t.Trial(), false
	for _, s := range f.outs {
		s.save(f.span, &f.job.layout, trial)
	}
	defer func() { // also when the body panics or ends the goroutine
		if !done {
			for _, s := range f.outs {
				s.restore(f.span, &f.job.layout)
			}
		}
	}()
	err := f.body(ctx, f.span)
	if err == nil {
		err = context.Cause(ctx) // a body may have left early without saying so
	}
	if err != nil {
		return err
	}
	if t.Watched() {
		t.Digest(func(add func([]byte)) {
			for _, s := range f.outs {
				s.sum(f.span, &f.job.layout, add)
			}
		})
	}
	err = t.Commit(f.commit)
	done = err == nil && !trial
	return err
}

// committed is called when the chunk counts.
func (f *goFeed) committed() error {
	for _, l := range f.locals {
		l.add()
	}
	for _, s := range f.outs {
		s.changed(f.span, &f.job.layout)
	}
	return nil
}

func (f *goFeed) body(ctx context.Context, r Range) error {
	if f.workers == 1 {
		return f.call(ctx, r.Lo, r.Hi, 0)
	}
	step := 1
	if f.blocks {
		step = f.job.layout.unit
	}
	return par.Chunks(ctx, (r.Hi-r.Lo+step-1)/step, par.Config{Workers: f.workers}, func(ctx context.Context, c par.Chunk) error {
		return f.call(ctx, r.Lo+c.Lo*step, min(r.Lo+c.Hi*step, r.Hi), c.Worker)
	})
}

// call calls the body once.
func (f *goFeed) call(ctx context.Context, lo, hi, worker int) error {
	c := Chunk{Lo: lo, Hi: hi, Worker: worker, args: f.job.args}
	if !f.accumulates {
		return f.job.kernel.body(ctx, c)
	}
	c.local = map[any]local{}
	if err := f.job.kernel.body(ctx, c); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range c.local {
		f.locals = append(f.locals, l)
	}
	return nil
}

func (f *goFeed) Close() error { return nil }

func (a *elements[T]) written() bool  { return a.out }
func (a *elements[T]) writer() writer { return &rowWriter[T]{elements: a} }

// rowWriter is rows that a body writes.
type rowWriter[T cuda.Element] struct {
	*elements[T]
	kept []T
}

func (w *rowWriter[T]) own(r Range, l *layout) Range { return w.part.own(r, l, w.mem.len()) }

func (w *rowWriter[T]) save(r Range, l *layout, trial bool) {
	w.kept = w.kept[:0]
	if w.in || trial {
		e := w.own(r, l)
		w.kept = append(w.kept, w.mem.data[e.Lo:e.Hi]...)
	}
}

func (w *rowWriter[T]) restore(r Range, l *layout) {
	if len(w.kept) > 0 {
		e := w.own(r, l)
		copy(w.mem.data[e.Lo:e.Hi], w.kept)
	}
}

func (w *rowWriter[T]) sum(r Range, l *layout, add func([]byte)) {
	e := w.own(r, l)
	add(bitsOf(w.mem.data[e.Lo:e.Hi]))
}

func (w *rowWriter[T]) changed(r Range, l *layout) { w.mem.wrote(nil, w.own(r, l)) }

// cpuDevice is the CPU of a pool: Go bodies on goroutines, CUDA on the host device.
type cpuDevice struct {
	host  *cuda.Device
	goes  *goDevice
	cudas Device
}

// openCPU opens the CPU with so many workers, or one for each processor that no GPU needs for feeding it.
func openCPU(workers, gpus int) (*cpuDevice, error) {
	if workers < 1 {
		workers = max(runtime.GOMAXPROCS(0)-gpus, 1)
	}
	host, err := cuda.OpenHost(cuda.HostConfig{Workers: workers})
	if err != nil {
		return nil, err
	}
	return &cpuDevice{host: host, goes: &goDevice{workers: workers, name: "CPU"}, cudas: OnCUDA(host)}, nil
}

// Info is that of the Go form, with the more careful of the two forms' promises: in place, one lane.
func (d *cpuDevice) Info() Info { return d.goes.Info() }

func (d *cpuDevice) Prepare(ctx context.Context, j *Job) (Feed, error) {
	if j.kernel.body != nil {
		return d.goes.Prepare(ctx, j)
	}
	return d.cudas.Prepare(ctx, j)
}
