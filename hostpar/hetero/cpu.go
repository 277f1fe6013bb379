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
		if s, ok := a.(saver); ok {
			f.saved = append(f.saved, s.saver())
		}
	}
	return f, nil
}

// goFeed is a Go body at work.
type goFeed struct {
	job     *Job
	workers int
	saved   []saved
}

// saver is an argument that can keep rows; saved is the rows of one chunk.
type (
	saver interface{ saver() saved }
	saved interface {
		save(r Range)
		restore(r Range)
	}
)

// Do runs the body on the chunk. If it fails, the rows of InOut arguments are what they were before.
func (f *goFeed) Do(ctx context.Context, _ int, t *Task) error {
	r := t.Range()
	for _, s := range f.saved {
		s.save(r)
	}
	done := false
	defer func() { // also when the body panics or ends the goroutine
		if !done {
			for _, s := range f.saved {
				s.restore(r)
			}
		}
	}()
	err := f.body(ctx, r)
	if err == nil {
		err = context.Cause(ctx) // a body may have left early without saying so
	}
	if err == nil {
		err = t.Commit(nil)
	}
	done = err == nil
	return err
}

func (f *goFeed) body(ctx context.Context, r Range) error {
	if f.workers == 1 {
		return f.job.kernel.body(ctx, r.Lo, r.Hi)
	}
	return par.Chunks(ctx, r.Hi-r.Lo, par.Config{Workers: f.workers}, func(ctx context.Context, c par.Chunk) error {
		return f.job.kernel.body(ctx, r.Lo+c.Lo, r.Lo+c.Hi)
	})
}

func (f *goFeed) Close() error { return nil }

// saver returns a place for rows of an InOut argument; nothing is kept of others, which a second try overwrites.
func (a *slice[T]) saver() saved { return &savedRows[T]{arg: a} }

type savedRows[T cuda.Element] struct {
	arg  *slice[T]
	kept []T
}

func (s *savedRows[T]) save(r Range) {
	if s.arg.in && s.arg.out {
		s.kept = append(s.kept[:0], s.arg.rows(r)...)
	}
}

func (s *savedRows[T]) restore(r Range) {
	if s.arg.in && s.arg.out {
		copy(s.arg.rows(r), s.kept)
	}
}

// rows is the elements of rows.
func (a *slice[T]) rows(r Range) []T {
	if a.part.whole {
		return a.data
	}
	return a.data[r.Lo*a.part.stride : r.Hi*a.part.stride]
}

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
