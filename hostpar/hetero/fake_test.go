package hetero_test

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tandem-go/tandem/hostpar/hetero"
	"github.com/tandem-go/tandem/internal/workers"
)

// TestMain looks for leaked goroutines; the workers that serve the next call are none.
func TestMain(m *testing.M) { goleak.VerifyTestMain(stopping{m}) }

type stopping struct{ m *testing.M }

// full runs the tests with the counts that the package promises, for a quarter of an hour. See inTime, too.
var full = flag.Bool("full", false, "full counts, and real time where a test has a clock")

// count is how often a test does something: some times, and with -full as often as the package promises.
func count(some, promised uint64) uint64 {
	if *full {
		return promised
	}
	return some
}

func (s stopping) Run() int {
	flag.Parse()
	*schedules = count(*schedules, 10_000)
	code := s.m.Run()
	workers.StopIdle()
	return code
}

var background = context.Background()

// counted is a job whose items are counted when they are committed.
type counted struct {
	mu     sync.Mutex
	counts []int
}

func (c *counted) add(r hetero.Range) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := r.Lo; i < r.Hi; i++ {
		c.counts[i]++
	}
}

// fake is a device that sleeps for each item, and misbehaves as told. In a synctest bubble its time is virtual.
type fake struct {
	name     string
	job      *counted
	rate     float64                 // items a second
	cost     func(x float64) float64 // of the items before x, in items; nil is x
	overhead time.Duration
	told     time.Duration // what it says its overhead is; 0 is the truth
	lanes    int
	inPlace  bool
	failAt   int // the chunk, from 1, that fails; 0 is none
	lostAt   int // the chunk that fails with ErrDeviceLost
	hangAt   int // the chunk that does not come back before release
	panicAt  int
	pauseAt  int // the chunk that takes so much longer
	pause    time.Duration
	poison   int // an item whose chunk always fails, -1 for none
	release  chan struct{}
	refuse   error // of Prepare

	mu      sync.Mutex
	chunk   int
	items   int
	late    []error       // what Commit said to zombies
	queue   chan struct{} // holds a token while a lane works
	prepare int
	closed  int
}

func (f *fake) Info() hetero.Info {
	i := hetero.Info{ID: "fake/" + f.name, Name: f.name, Lanes: f.lanes, Overhead: f.overhead, InPlace: f.inPlace}
	if f.told > 0 {
		i.Overhead = f.told
	}
	return i
}

func (f *fake) Prepare(context.Context, *hetero.Job) (hetero.Feed, error) {
	if f.refuse != nil {
		return nil, f.refuse
	}
	f.prepare++
	f.queue = make(chan struct{}, 1)
	return (*fakeFeed)(f), nil
}

type fakeFeed fake

var errFake = errors.New("programmed to fail")

func (f *fakeFeed) Do(ctx context.Context, _ int, t *hetero.Task) error {
	r := t.Range()
	f.mu.Lock()
	f.chunk++
	n := f.chunk
	f.mu.Unlock()
	switch n {
	case f.failAt:
		return errFake
	case f.lostAt:
		return errors.Join(hetero.ErrDeviceLost, errFake)
	case f.pauseAt:
		time.Sleep(f.pause)
	case f.panicAt:
		panic(errFake)
	case f.hangAt:
		if f.inPlace {
			<-ctx.Done() // a body that listens
			return context.Cause(ctx)
		}
		<-f.release
		err := t.Commit(func() error { f.job.add(r); return nil })
		f.mu.Lock()
		f.late = append(f.late, err)
		f.mu.Unlock()
		return err
	}
	if f.poison >= r.Lo && f.poison < r.Hi {
		return errFake
	}
	f.queue <- struct{}{} // lanes share the device; a mutex is not for synctest
	work := float64(r.Hi - r.Lo)
	if f.cost != nil {
		work = f.cost(float64(r.Hi)) - f.cost(float64(r.Lo))
	}
	time.Sleep(f.overhead + time.Duration(work/f.rate*1e9))
	<-f.queue
	if err := t.Snapshot(func() error { return nil }); err != nil {
		return err
	}
	err := t.Commit(func() error { f.job.add(r); return nil })
	f.mu.Lock()
	f.items += r.Hi - r.Lo
	f.mu.Unlock()
	return err
}

// started is how many chunks it has begun.
func (f *fake) started() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.chunk
}

func (f *fakeFeed) Close() error {
	f.closed++
	return nil
}

// newFake is a device that behaves.
func newFake(name string, rate float64, overhead time.Duration) *fake {
	return &fake{name: name, rate: rate, overhead: overhead, poison: -1}
}

// noop is a kernel for fakes.
func noop(t testing.TB) *hetero.Kernel {
	k, err := hetero.NewKernel("noop", hetero.Go(func(context.Context, int, int) error { return nil }))
	require.NoError(t, err)
	return k
}

// pool makes a pool of fakes that count items of one job.
func pool(t testing.TB, items int, cfg hetero.PoolConfig, fakes ...*fake) (*hetero.Pool, *counted) {
	job := &counted{counts: make([]int, items)}
	for _, f := range fakes {
		f.job = job
		cfg.Devices = append(cfg.Devices, f)
	}
	if cfg.ModelDir == "" {
		cfg.NoModels = true
	}
	p, err := hetero.Open(cfg)
	require.NoError(t, err)
	return p, job
}

// once checks that each item was committed once.
func (c *counted) once(t testing.TB) {
	t.Helper()
	for i, n := range c.counts {
		if n != 1 {
			require.Equal(t, 1, n, "commits of item %d", i)
		}
	}
}

func random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 77)) }
