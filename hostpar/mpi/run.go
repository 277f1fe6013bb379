package mpi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/internal/dl"
)

// RunConfig says how Run starts ranks. The zero value serves programs that are always started by a launcher.
type RunConfig struct {
	// Local is the number of ranks on goroutines where no launcher has started this process. 0 stands for one rank on the
	// MPI library, which then must be there.
	Local int
	// Library is the file of the MPI library; empty means the variable TANDEM_MPI, and without it the library of the
	// launcher, where the loader and the distributions have it.
	Library string
	// Stderr gets the reason before the job is aborted, and warnings; nil is os.Stderr.
	Stderr io.Writer
}

// Launched reports whether an MPI launcher has started this process.
func Launched() bool {
	l, err := launcherIn(os.Getenv)
	return l != nil || err != nil
}

// once: MPI can be initialized once in the life of a process.
var once atomic.Bool

// Run initializes MPI, calls fn with the communicator of all ranks, and finalizes MPI when all ranks have come to the
// end of theirs. If fn fails or panics, or a rank on this machine ends without coming to that point, Run writes the
// reason to Stderr and aborts the job: this process ends then, as all others do. The launcher's exit status is not 0,
// with one exception that is the launcher's: MPICH's kills the job at once when a rank calls os.Exit(0), and may then
// return 0.
//
// Ranks that may use the same processors share them: Run sets runtime.GOMAXPROCS to this rank's part, one at least, until it
// returns. Where the environment has GOMAXPROCS, that holds; fn may set it, too. Ranks that the launcher has bound to
// processors of their own keep them.
//
// Where no launcher has started this process, Run is Local if cfg.Local is set. Under a launcher Run can be called once.
// An error of Run itself, such as ErrNoLibrary or ErrLauncher, means that fn was not called.
func Run(ctx context.Context, cfg RunConfig, fn func(ctx context.Context, world *Comm) error) error {
	l, err := launcherIn(os.Getenv)
	if err != nil {
		return err
	}
	if l == nil && cfg.Local > 0 {
		return Local(ctx, cfg.Local, fn)
	}
	if cfg.Stderr == nil {
		cfg.Stderr = os.Stderr
	}
	if cfg.Library == "" {
		cfg.Library = os.Getenv("TANDEM_MPI")
	}
	keepSignals()
	lib, err := openLibrary(l, cfg.Library)
	if err != nil {
		return err
	}
	if once.Swap(true) {
		return fmt.Errorf("mpi: run: %w: MPI can be initialized once in a process", ErrFinalized)
	}
	runtime.LockOSThread() // MPI wants the thread that initialized it to finalize it
	defer runtime.UnlockOSThread()
	m := &mission{cfg: cfg, engine: newEngine(lib)}
	if l != nil && l.family == mpich {
		m.launcher = findManager(os.Getenv)
	}
	if m.world, err = m.engine.initialize(l); err != nil {
		return err
	}
	return m.run(ctx, fn)
}

// initialize calls MPI_Init_thread and checks that the launcher and the library know each other: otherwise each process
// would be a job of its own, with one rank.
func (e *engine) initialize(l *launcher) (*Comm, error) {
	var provided int32
	rc := dl.NewFrame().Int(0).Int(0).Int(e.lib.oneThread).Int32(&provided).Call(e.lib.fn[fnInit])
	if err := e.lib.failure(rc); err != nil {
		return nil, fmt.Errorf("mpi: initialize %s: %w", e.lib.version, err)
	}
	if uintptr(provided) < e.lib.oneThread {
		return nil, fmt.Errorf("mpi: initialize %s: %w: it can be called by its main thread only", e.lib.version, ErrLibrary)
	}
	e.lib.cuda = takesCUDA(e.lib.file)
	if e.lib.overruns {
		if err := e.makeRoom(); err != nil {
			return nil, fmt.Errorf("mpi: initialize %s: describe memory: %w", e.lib.version, err)
		}
	}
	world, err := e.comm(e.lib.world, &universe{}, 0)
	if err != nil {
		return nil, fmt.Errorf("mpi: %w", err)
	}
	e.rank = world.rank
	if l != nil && l.size != strconv.Itoa(world.size) {
		return nil, fmt.Errorf("mpi: %w: %s started %s ranks, but %s in %s sees %d", ErrLauncher, l.name, l.size, e.lib.version, e.lib.path, world.size)
	}
	return world, nil
}

// process is a rank as the operating system knows it.
type process struct {
	Machine, ID, Start uint64
	CPUs               uint64 // stands for the set of CPUs that it may use
}

// mission is the life of one rank under an MPI library.
type mission struct {
	cfg      RunConfig
	engine   *engine
	launcher manager
	world    *Comm
	life     *Comm // for the beginning and the end; the user's operations may have broken the other
}

func (m *mission) run(ctx context.Context, fn func(ctx context.Context, world *Comm) error) error {
	life, err := Dup(ctx, m.world)
	if err != nil {
		return m.abort(err)
	}
	m.life = life
	peers := make([]process, life.size)
	all := make([]uint64, 4*life.size)
	self := identify()
	if err := Allgather(ctx, life, []uint64{self.Machine, self.ID, self.Start, self.CPUs}, all); err != nil {
		return m.abort(err)
	}
	for i := range peers {
		peers[i] = process{all[4*i], all[4*i+1], all[4*i+2], all[4*i+3]}
	}
	m.warn()
	if os.Getenv("GOMAXPROCS") == "" {
		before := runtime.GOMAXPROCS(0)
		if n := share(before, self, peers); n < before {
			runtime.GOMAXPROCS(n)
			defer runtime.GOMAXPROCS(before)
		}
	}

	result := make(chan error, 1)
	go guarded(m.world.rank, func() error {
		err := fn(ctx, m.world)
		if err != nil {
			return err
		}
		return Barrier(context.Background(), m.life) // nobody leaves before all are done
	}, func(err error) { result <- err })
	if err := m.watch(peers, self, result); err != nil {
		return m.abort(err)
	}
	m.world.universe.over.Store(true)
	if err := m.engine.finalize(); err != nil {
		return m.abort(err)
	}
	m.launcher.leave()
	return nil
}

// share is how many of the processors that Go would use are this rank's, where others may use the same ones. A rank that
// waits looks at its library all the time, and Go's threads that look for work would do so in place of another rank.
func share(procs int, self process, peers []process) int {
	ranks := 0
	for _, p := range peers {
		if p.Machine == self.Machine && p.CPUs == self.CPUs {
			ranks++
		}
	}
	if self.CPUs == 0 {
		return procs
	}
	return max(1, procs/ranks)
}

// watch waits for the result, and for the sight of a dead rank, which comes soon enough every quarter of a second. Ranks
// that come to the end properly may have left when this one has yet to see that all are there: they get another second.
func (m *mission) watch(peers []process, self process, result <-chan error) error {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	missed := 0
	for {
		select {
		case err := <-result:
			return err
		case <-tick.C:
		}
		for rank, p := range peers {
			if rank == m.world.rank || !p.dead(self) {
				continue
			}
			if missed++; missed > 4 {
				return fmt.Errorf("mpi: rank %d, process %d, has ended without finalizing: %w", rank, p.ID, ErrRankGone)
			}
			break
		}
	}
}

// abortDelay lets the launcher read what was written before: MPICH's drops the rest when a job is aborted.
const abortDelay = 200 * time.Millisecond

// abort ends the job.
func (m *mission) abort(cause error) error {
	_, _ = fmt.Fprintf(m.cfg.Stderr, "rank %d of %d: %v\nthe job is aborted\n", m.world.rank, m.world.size, cause) // the job ends anyway
	done := make(chan struct{})
	go func() {
		defer close(done)
		time.Sleep(abortDelay)
		dl.NewFrame().Int(m.engine.lib.world).Int(1).Call(m.engine.lib.fn[fnAbort])
	}()
	failed := "MPI_Abort has returned"
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		failed = "MPI_Abort has not ended the job in 10 s"
	}
	return errors.Join(cause, fmt.Errorf("mpi: %w: %s", ErrLibrary, failed))
}

// bindings are the options that give ranks more than one CPU.
var bindings = map[string]string{
	openMPI: "--bind-to none, or --map-by slot:PE=n for n CPUs each",
	mpich:   "-bind-to none, or -bind-to hwthread:n for n CPUs each",
}

// warn says when the launcher has left Go a single CPU.
func (m *mission) warn() {
	if m.world.rank == 0 && boundToOne() {
		_, _ = fmt.Fprintf(m.cfg.Stderr, "mpi: the launcher has bound this rank to one CPU, so that its goroutines take turns; it has the option %s\n",
			bindings[m.engine.lib.family]) // a warning that cannot be written is lost
	}
}
