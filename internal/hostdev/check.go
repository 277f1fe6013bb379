package hostdev

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/interp"
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/sanitize"
)

// Checks of launches. What the checks of the device say holds for every launch; a launch may ask for more. Memcheck makes
// reports of faults, which every engine finds. The other tools and coverage watch what happens, for which the launch runs on
// the reference engine, and one block at a time, so that the same launch gives the same reports.

// watching are the checks that look on.
const watching = driver.Initcheck | driver.Racecheck | driver.Synccheck

// checksOf returns the checks of a launch and whether it must be watched.
func (d *device) checksOf(l *driver.Launch) (checks driver.Checks, watched bool, err error) {
	checks = d.config.Checks | l.Checks
	if l.Checks&driver.Initcheck&^d.config.Checks != 0 {
		return 0, false, fail(driver.NotSupported, "initcheck must see all that happens to memory: it is a check of the device, not of a launch")
	}
	if checks&^driver.AllChecks != 0 {
		return 0, false, fail(driver.InvalidValue, "checks %#x", uint8(checks))
	}
	// The device heap is watched too, for leaks: where a kernel uses it, memcheck looks on.
	return checks, checks&watching != 0 || l.Cover || d.config.Cover, nil
}

// usesHeap reports whether a kernel allocates memory.
func usesHeap(k *ir.Kernel) bool {
	for _, f := range k.Funcs {
		for _, b := range f.Blocks {
			for _, in := range b.Instrs {
				if in.Op == ir.OpMalloc || in.Op == ir.OpFreeHeap {
					return true
				}
			}
		}
	}
	return false
}

// reference returns the kernel compiled by the reference engine.
func (f *function) reference() (compiled, error) {
	p := &f.programs
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.watched.program == nil {
		e := interp.New()
		program, err := e.Compile(f.kernel, engine.Options{Memory: f.memory, Globals: f.globals})
		if err != nil {
			return compiled{}, err
		}
		p.watched = compiled{program, e.Name()}
	}
	p.last = p.watched.engine
	return p.watched, nil
}

// watch prepares a grid for its checks. Called with d.mu held.
func (g *grid) watch(checks driver.Checks, watched, cover bool) {
	g.checks, g.sanitizer = checks, nil
	if checks == 0 && !cover {
		return
	}
	d := g.d
	if checks != 0 && watched {
		g.sanitizer = d.checker.Launch(g.fn.kernel, &g.launch, sanitize.Tools(checks))
		g.launch.Watch = g.sanitizer
	}
	if cover {
		c := d.covered[g.fn]
		if c == nil {
			c = new(engine.Coverage)
			d.covered[g.fn] = c
		}
		g.launch.Cover = c
	}
	if g.sanitizer != nil {
		g.width = 1
		g.room = heldPerWorker
	}
}

// tell has the checker note how memory changes, where a check of the device needs that.
func (d *device) tell(f func(*sanitize.Checker)) {
	if d.config.Checks&driver.Initcheck != 0 {
		f(d.checker)
	}
}

// tellTransfer is tell for a copy or fill that is done.
func (d *device) tellTransfer(t *task) {
	if t.kind == taskRead {
		return
	}
	d.tell(func(c *sanitize.Checker) {
		to, n := mem.AddressOf(t.dst), uint64(len(t.dst))
		if t.kind == taskCopy {
			c.Copied(to, mem.AddressOf(t.src), n)
		} else {
			c.Written(to, n)
		}
	})
}

// Reports returns what checks have found since the last call.
func (d *device) Reports() []driver.Report { return reports(d.sanitizer().Take()) }

// HeapLeaks lists what lives on the device heap.
func (d *device) HeapLeaks() []driver.Report { return reports(d.sanitizer().Leaks()) }

// ShadowBytes is the most memory that the checks of one launch have taken.
func (d *device) ShadowBytes() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.shadow
}

func (d *device) sanitizer() *sanitize.Checker {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.checker
}

func reports(findings []sanitize.Finding) []driver.Report {
	var out []driver.Report
	for _, f := range findings {
		r := driver.Report{
			Check: driver.Checks(f.Tool), Kind: string(f.Kind), Kernel: f.Kernel.Name, ReportPlace: reportPlace(f.Kernel, f.Place),
			Addr: f.Addr, Size: f.Size, Space: f.Space, Status: driver.Status(f.Code), Detail: f.Detail, Count: f.Count,
		}
		if f.Other != nil {
			other := reportPlace(f.Kernel, *f.Other)
			r.Other = &other
		}
		out = append(out, r)
	}
	return out
}

func reportPlace(k *ir.Kernel, p sanitize.Place) driver.ReportPlace {
	out := driver.ReportPlace{Access: p.Access, PTXFile: k.PTXFile, PTXLine: int(p.Pos.PTXLine)}
	out.Block = driver.Dim3{X: p.Block[0], Y: p.Block[1], Z: p.Block[2]}
	out.Thread = driver.Dim3{X: p.Thread[0], Y: p.Thread[1], Z: p.Thread[2]}
	if n := int(p.Pos.File); n >= 1 && n <= len(k.Files) {
		out.SourceFile, out.SourceLine = k.Files[n-1], int(p.Pos.Line)
	}
	return out
}

// Coverage lists how often source lines were executed, of all kernels that were launched with coverage.
func (d *device) Coverage() []driver.Line {
	d.mu.Lock()
	covered := maps.Clone(d.covered)
	d.mu.Unlock()
	type place struct {
		file string
		line int
	}
	counts := map[place]uint64{}
	for f, c := range covered {
		// An instruction is one of a line by itself; a line's count in one kernel is that of its busiest instruction.
		own := map[place]uint64{}
		for _, fn := range f.kernel.Funcs {
			for _, b := range fn.Blocks {
				for _, in := range b.Instrs {
					if n := int(in.Pos.File); n >= 1 && n <= len(f.kernel.Files) && in.Pos.Line > 0 {
						p := place{f.kernel.Files[n-1], int(in.Pos.Line)}
						own[p] = max(own[p], c.Count(in))
					}
				}
			}
		}
		for p, n := range own {
			counts[p] += n
		}
	}
	var out []driver.Line
	for p, n := range counts {
		out = append(out, driver.Line{File: p.file, Line: p.line, Count: n})
	}
	slices.SortFunc(out, func(a, b driver.Line) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return out
}
