package hostdev

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/sanitize"
	"github.com/tandem-go/tandem/internal/workers"
)

const (
	// maxResidentThreads and maxResidentBlocks bound a cooperative launch, whose blocks are all in execution at once. They
	// are about what a large GPU holds; the memory that the blocks need bounds it as well.
	maxResidentThreads = 1 << 18
	maxResidentBlocks  = 1 << 13
)

// Launch checks a launch, compiles the kernel if need be, and queues it.
func (d *device) Launch(l *driver.Launch) (driver.Ticket, error) {
	f, err := d.function(l)
	if err != nil {
		return 0, err
	}
	r, err := d.ready(f, l)
	if err != nil {
		return 0, fmt.Errorf("launch %s: %w", f.name, err)
	}
	t, err := d.queue(f, r, l)
	if err != nil {
		return 0, fmt.Errorf("launch %s: %w", f.name, err)
	}
	return t, nil
}

// readied is a kernel compiled for a launch, and how the launch is watched.
type readied struct {
	compiled
	checks  driver.Checks
	watched bool
}

// ready checks a launch and compiles its kernel.
func (d *device) ready(f *function, l *driver.Launch) (r readied, err error) {
	if err := f.check(l); err != nil {
		return r, err
	}
	if r.checks, r.watched, err = d.checksOf(l); err != nil {
		return r, err
	}
	r.watched = r.watched || r.checks&driver.Memcheck != 0 && usesHeap(f.kernel)
	r.compiled, err = f.prepared(l.Block, r.watched)
	return r, err
}

// function finds the kernel of a launch.
func (d *device) function(l *driver.Launch) (*function, error) {
	if l == nil {
		return nil, fail(driver.InvalidValue, "launch: no description")
	}
	if err := d.use(); err != nil {
		return nil, err
	}
	defer d.mu.Unlock()
	f, ok := d.functions[l.Function]
	if !ok {
		return nil, badFunction(l.Function)
	}
	return f, nil
}

func badFunction(h driver.Function) error {
	return fail(driver.InvalidHandle, "use function %#x: no such function on this device", uint64(h))
}

// check holds a launch against the limits of the device and the kernel.
func (f *function) check(l *driver.Launch) error {
	g, b := l.Grid, l.Block
	switch {
	case l.Cluster != driver.Dim3{}:
		return fail(driver.NotSupported, "a launch in clusters")
	case g.X == 0 || g.Y == 0 || g.Z == 0 || g.X > maxGridX || g.Y > maxGridYZ || g.Z > maxGridYZ:
		return fail(driver.InvalidValue, "grid (%d,%d,%d)", g.X, g.Y, g.Z)
	case b.X == 0 || b.Y == 0 || b.Z == 0:
		return fail(driver.InvalidValue, "block (%d,%d,%d)", b.X, b.Y, b.Z)
	case b.X > maxBlockXY || b.Y > maxBlockXY || b.Z > maxBlockZ || b.Count() > uint64(f.info.MaxThreads):
		return fail(driver.LaunchOutOfResources, "block (%d,%d,%d): at most %d threads, (%d,%d,%d)",
			b.X, b.Y, b.Z, f.info.MaxThreads, maxBlockXY, maxBlockXY, maxBlockZ)
	case uint64(f.info.SharedBytes)+uint64(l.SharedBytes) > maxSharedOptin:
		return fail(driver.LaunchOutOfResources, "%d bytes of static and %d of dynamic shared memory: at most %d together",
			f.info.SharedBytes, l.SharedBytes, maxSharedOptin)
	case l.First >= g.Count() || l.Count > g.Count()-l.First || l.Count == 0 && l.First != 0:
		return fail(driver.InvalidValue, "blocks %d to %d of a grid of %d", l.First, l.First+l.Count, g.Count())
	case len(l.Params) != f.kernel.Params:
		return fail(driver.InvalidValue, "%d bytes of parameters: the kernel takes %d", len(l.Params), f.kernel.Params)
	}
	if r := f.kernel.ReqThreads; r != [3]int{} {
		if want := (driver.Dim3{X: uint32(max(r[0], 1)), Y: uint32(max(r[1], 1)), Z: uint32(max(r[2], 1))}); b != want {
			return fail(driver.InvalidValue, "block (%d,%d,%d): the kernel requires (%d,%d,%d)",
				b.X, b.Y, b.Z, want.X, want.Y, want.Z)
		}
	}
	if l.Cooperative {
		if l.Count != 0 && l.Count != g.Count() {
			return fail(driver.InvalidValue, "a part of a cooperative grid")
		}
		if n := g.Count(); n > maxResidentBlocks || n*b.Count() > maxResidentThreads {
			return fail(driver.CooperativeTooLarge, "%d blocks of %d threads at once", n, b.Count())
		}
	}
	return nil
}

// queue makes a grid of a launch that was checked and appends it to its stream.
func (d *device) queue(f *function, r readied, l *driver.Launch) (driver.Ticket, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.mu.Unlock()
	s, ok := d.streams[l.Stream]
	if !ok {
		return 0, badStream(l.Stream)
	}
	if s.capture != nil {
		return 0, d.put(s, d.launchWork(f, r, l))
	}
	return d.enqueueLaunch(s, f, r, l)
}

// launchWork is a launch as a graph keeps it.
func (d *device) launchWork(f *function, r readied, l *driver.Launch) work {
	kept := *l
	kept.Params = append([]byte(nil), l.Params...)
	return func(s *stream) error {
		if s.capture != nil {
			if _, ok := d.functions[kept.Function]; !ok {
				return badFunction(kept.Function)
			}
			return nil
		}
		_, err := d.enqueueLaunch(s, f, r, &kept)
		return err
	}
}

// AddKernel adds a launch to a graph.
func (d *device) AddKernel(g driver.Graph, before []driver.Node, l *driver.Launch) (driver.Node, error) {
	f, err := d.function(l)
	if err != nil {
		return 0, err
	}
	r, err := d.ready(f, l)
	if err != nil {
		return 0, fmt.Errorf("add %s to a graph: %w", f.name, err)
	}
	return d.add(g, before, d.launchWork(f, r, l))
}

// enqueueLaunch makes a grid and appends it to a stream. Called with d.mu held.
func (d *device) enqueueLaunch(s *stream, f *function, r readied, l *driver.Launch) (driver.Ticket, error) {
	if _, ok := d.functions[l.Function]; !ok { // unloaded meanwhile
		return 0, badFunction(l.Function)
	}
	g := d.newGrid()
	g.prepare(f, r.compiled, l)
	g.watch(r.checks, r.watched, l.Cover || d.config.Cover)
	if err := g.reserve(l.Cooperative); err != nil {
		d.freeGrid(g)
		return 0, err
	}
	g.ticket = driver.Ticket(d.handle())
	g.launch.ID = uint64(g.ticket)
	d.launches++
	g.shuffle(d.config.Seed, d.launches)
	g.launch.Runtime = d.rt
	d.running[g.ticket] = g
	t := d.newTask(taskLaunch)
	t.grid = g
	s.enqueue(t)
	s.kick()
	return g.ticket, nil
}

// forgetGrid undoes enqueueLaunch.
func (d *device) forgetGrid(g *grid) {
	g.closeAll()
	delete(d.running, g.ticket)
	if p := g.launch.GridWorkspace; p != 0 {
		_ = d.mem.Free(p) // fails only if the tables of device and mem disagree
	}
	d.freeGrid(g)
}

func (d *device) newGrid() *grid {
	g := d.spareGrids
	if g == nil {
		g = &grid{d: d}
		g.body = g.work
		g.changed.L = &g.mu
		return g
	}
	d.spareGrids = g.spare
	return g
}

// freeGrid keeps a grid that nobody refers to any more for the next launch.
func (d *device) freeGrid(g *grid) {
	g.fn, g.compiled, g.fault, g.broken = nil, compiled{}, nil, nil
	g.sanitizer, g.launch.Watch, g.launch.Cover = nil, nil, nil
	g.spare = d.spareGrids
	d.spareGrids = g
}

// prepare sets all fields that belong to one launch.
func (g *grid) prepare(f *function, c compiled, l *driver.Launch) {
	static := f.info.SharedBytes
	if l.SharedBytes > 0 {
		a := max(f.kernel.SharedAlign, 1)
		static = (static + a - 1) / a * a
	}
	shared := static + int(l.SharedBytes)
	threads := int(l.Block.Count())
	g.fn, g.compiled = f, c
	g.first, g.count = l.First, l.Count
	if g.count == 0 {
		g.count = l.Grid.Count()
	}
	g.width = int(min(g.count, uint64(g.d.config.Workers)))
	g.room = int64(g.width) * heldPerWorker
	g.barrier = f.kernel.GridBarrier || l.Cooperative
	g.layout = newLayout(shared, c.program.LocalBytes(), threads)
	g.params = append(g.params[:0], l.Params...)
	g.launch = engine.Launch{
		Grid:         [3]uint32{l.Grid.X, l.Grid.Y, l.Grid.Z},
		Block:        [3]uint32{l.Block.X, l.Block.Y, l.Block.Z},
		SharedBytes:  shared,
		DynamicBytes: int(l.SharedBytes),
		Params:       g.params,
		Workers:      g.d.config.Workers,
	}
	g.stop.Store(false)
	g.next.Store(0)
	g.held.Store(0)
	g.cancelled, g.ended, g.busy = false, 0, 0
	g.fault, g.broken = nil, nil
}

// reserve takes the windows without which the launch could not run: one, or one for each block of a cooperative launch.
func (g *grid) reserve(cooperative bool) error {
	need := uint64(1)
	if cooperative {
		need = g.count
		g.room = int64(g.count)
		if most := g.d.mem.Capacity() / 4; need<<g.layout.class > most {
			return fail(driver.CooperativeTooLarge, "scratch memory of %d blocks: at most %d bytes together", need, most)
		}
	}
	for range need {
		w, err := g.d.windows.reserve(g.layout)
		if err != nil {
			g.closeAll()
			status := driver.OutOfMemory
			if cooperative {
				status = driver.CooperativeTooLarge
			}
			return fmt.Errorf("%w: scratch memory of %d blocks: %w", status, need, err)
		}
		g.reserved = append(g.reserved, w)
	}
	if !cooperative {
		return nil
	}
	p, err := g.d.mem.Alloc(workspaceBytes)
	if err != nil {
		g.closeAll()
		return fmt.Errorf("%w: workspace of the grid: %w", driver.OutOfMemory, err)
	}
	mem.Fill(p, workspaceBytes, 0)
	g.launch.GridWorkspace = p
	return nil
}

// workspaceBytes is the size of engine.Launch.GridWorkspace.
const workspaceBytes = 8

// launch runs the grid of t, unless it was cancelled or is to be skipped. Called with d.mu held, and unlocks it while the
// grid runs.
func (s *stream) launch(t *task, skip bool) {
	d, g := s.d, t.grid
	if skip || g.cancelled {
		g.closeAll()
	} else {
		d.mu.Unlock()
		g.run()
		d.mu.Lock()
		if g.sanitizer != nil {
			d.shadow = max(d.shadow, g.sanitizer.ShadowBytes())
		}
	}
	delete(d.running, g.ticket)
	if p := g.launch.GridWorkspace; p != 0 {
		if err := d.mem.Free(p); err != nil && g.broken == nil {
			g.broken = err
		}
	}
	switch {
	case g.fault != nil:
		if g.checks != 0 {
			d.checker.Faulted(g.fn.kernel, sanitize.Tools(g.checks), g.fault)
		}
		d.poison(g.describe(g.fault))
	case g.broken != nil:
		d.poison(g.failure(g.broken))
	}
	d.freeGrid(g)
}

// describe makes the fault that callers see of one that an engine reports.
func (g *grid) describe(e *engine.Fault) *driver.Fault {
	k := g.fn.kernel
	f := &driver.Fault{
		Status:  driver.Status(e.Code),
		Kernel:  g.fn.name,
		Located: true,
		PTXFile: k.PTXFile,
		PTXLine: int(e.Pos.PTXLine),
		Access:  e.Access,
		Addr:    e.Addr,
		Size:    e.Size,
		Space:   e.Space,
		Detail:  e.Detail,
	}
	f.Block = driver.Dim3{X: e.Block[0], Y: e.Block[1], Z: e.Block[2]}
	f.Thread = driver.Dim3{X: e.Thread[0], Y: e.Thread[1], Z: e.Thread[2]}
	if n := int(e.Pos.File); n >= 1 && n <= len(k.Files) {
		f.SourceFile, f.SourceLine = k.Files[n-1], int(e.Pos.Line)
	}
	return f
}

// failure is the fault of a launch that ended for a reason outside the kernel's code.
func (g *grid) failure(err error) *driver.Fault {
	f := &driver.Fault{Status: driver.LaunchFailed, Kernel: g.fn.name, Detail: err.Error()}
	var p *workers.PanicError
	if errors.As(err, &p) {
		f.Detail = fmt.Sprintf("internal error of engine %s: %v\n%s", g.compiled.engine, p.Value, p.Stack)
	}
	return f
}

// Cancel stops a launch.
func (d *device) Cancel(t driver.Ticket) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	if g, ok := d.running[t]; ok {
		g.cancelled = true
		g.halt()
	}
	return nil
}

// compiled is a kernel made ready by an engine.
type compiled struct {
	program engine.Program
	engine  string
}

// programs are the compiled forms of one kernel, by the extent of the block.
type programs struct {
	mu   sync.Mutex
	all  map[driver.Dim3]compiled
	made []engine.Program // those of all, each once
	last string           // the engine of the last launch
	// watched is the kernel as the reference engine runs it under checks.
	watched compiled
}

// maxPrograms bounds how many programs a kernel has for extents of the block. Extents beyond share one that serves any.
const maxPrograms = 16

// prepared returns the kernel ready for a launch, on the reference engine if it is watched.
func (f *function) prepared(block driver.Dim3, watched bool) (compiled, error) {
	if watched {
		return f.reference()
	}
	return f.compiled(block)
}

// compiled returns the kernel compiled for a block extent.
func (f *function) compiled(block driver.Dim3) (compiled, error) {
	f.programs.mu.Lock()
	defer f.programs.mu.Unlock()
	c, err := f.lookup(block)
	if err == nil {
		f.programs.last = c.engine
	}
	return c, err
}

// lookup finds or makes the program. Called with f.programs.mu held.
func (f *function) lookup(block driver.Dim3) (compiled, error) {
	all := f.programs.all
	if c, ok := all[block]; ok {
		return c, nil
	}
	if len(f.programs.made) >= maxPrograms {
		block = driver.Dim3{}
		if c, ok := all[block]; ok {
			return c, nil
		}
	}
	c, err := f.compile(engine.Options{
		Memory:  f.memory,
		Globals: f.globals,
		Block:   [3]uint32{block.X, block.Y, block.Z},
		Like:    f.programs.made,
		Count:   f.count,
	})
	if err != nil {
		return c, err
	}
	all[block] = c
	if !slices.Contains(f.programs.made, c.program) {
		f.programs.made = append(f.programs.made, c.program)
	}
	return c, nil
}

// executed adds up what the programs have counted.
func (p *programs) executed() (all, inGo uint64) {
	for _, c := range p.made {
		if counter, ok := c.(engine.Counter); ok {
			n, escaped := counter.Executed()
			all, inGo = all+n, inGo+escaped
		}
	}
	return all, inGo
}

// compile tries the engines in order.
func (f *function) compile(o engine.Options) (compiled, error) {
	var errs []error
	for _, e := range f.engines {
		p, err := e.Compile(f.kernel, o)
		if err == nil {
			return compiled{p, e.Name()}, nil
		}
		errs = append(errs, fmt.Errorf("engine %s: %w", e.Name(), err))
	}
	return compiled{}, fmt.Errorf("%w: %w", driver.NotSupported, errors.Join(errs...))
}
