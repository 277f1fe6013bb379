package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/tandem-go/tandem/internal/nvrtc"
)

// comparison is the run of all kernels on all implementations.
type comparison struct {
	o       options
	dir     string
	report  *report
	columns []column
	workers map[string]*worker
}

func compare(o options, dir string, r *report) (err error) {
	all, err := columns(dir, o.engines, o.against)
	if err != nil {
		return err
	}
	c := &comparison{o: o, dir: dir, report: r, workers: map[string]*worker{}}
	for _, col := range all {
		switch {
		case !o.peers && !ours(col.name):
		case col.lost != nil:
			r.leaveOut(col.name, col.lost)
		default:
			c.columns = append(c.columns, col)
		}
	}
	defer func() {
		for _, w := range c.workers {
			_ = w.stop() // it waits for a command and is ended
		}
	}()
	if err := c.limits(); err != nil {
		return fmt.Errorf("limits: %w", err)
	}
	compiler, err := nvrtc.Open(nvrtc.Config{})
	if err != nil {
		return err
	}
	for i, k := range o.kernels {
		m, err := c.kernel(k, i)
		if err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		if err := c.inside(compiler, k.problem(rand.New(rand.NewPCG(o.seed, uint64(i))), true), m); err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		r.add(m)
		fmt.Fprintf(o.progress, "%d of %d: %s: %.2f ms\n", i+1, len(o.kernels), k.name, m.Median["tandem"])
	}
	return nil
}

// inside asks the engines for machine code about a kernel.
func (c *comparison) inside(compiler *nvrtc.Compiler, p *problem, m *measurement) error {
	m.Inside = map[string]*facts{}
	for _, name := range c.o.engines {
		e, err := namedEngine(name)
		if err != nil {
			return err
		}
		if e == nil {
			continue
		}
		f, err := inside(compiler, e, p)
		if err != nil {
			return fmt.Errorf("inside %s: %w", e.Name(), err)
		}
		m.Inside[tandemColumn(name)] = f
		if c.o.dump != "" && name == c.o.engines[0] {
			if err := f.dump(c.o.dump, p.kernel); err != nil {
				return err
			}
		}
	}
	return nil
}

// ours tells that a column needs nothing but Go and NVRTC.
func ours(name string) bool { return name == "go" || strings.HasPrefix(name, "tandem") }

// worker returns the running worker of a column.
func (c *comparison) worker(col column) (*worker, error) {
	if w := c.workers[col.name]; w != nil {
		return w, nil
	}
	if i := slices.IndexFunc(col.env, func(s string) bool { return strings.HasPrefix(s, "POCL_CACHE_DIR=") }); i >= 0 {
		if err := os.MkdirAll(strings.TrimPrefix(col.env[i], "POCL_CACHE_DIR="), 0o700); err != nil {
			return nil, err
		}
	}
	w, err := col.start()
	if err == nil {
		c.workers[col.name] = w
	}
	return w, err
}

// drop ends a worker that does not answer as it should.
func (c *comparison) drop(w *worker) {
	_ = w.stop()
	delete(c.workers, w.name)
}

// ready is a worker that has a problem open.
type ready struct {
	*worker
	rounds []float64
}

// kernel measures one kernel on all columns.
func (c *comparison) kernel(k kernel, index int) (*measurement, error) {
	m := &measurement{Kernel: k.name, Rounds: map[string][]float64{}, Failed: map[string]string{}}
	p := k.problem(rand.New(rand.NewPCG(c.o.seed, uint64(index))), c.o.small)
	dir := filepath.Join(c.dir, k.name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := p.write(dir); err != nil {
		return nil, err
	}
	m.Flops, m.Bytes = p.flops, p.bytes
	var open []*ready
	for _, col := range c.columns {
		w, err := c.begin(col, p, dir, m)
		switch {
		case err == nil:
			open = append(open, &ready{worker: w})
		case errors.Is(err, errNoMethod):
			c.report.leaveOut(col.name, err)
			c.columns = slices.DeleteFunc(slices.Clone(c.columns), func(o column) bool { return o.name == col.name })
		case col.name == "c_bestalgo" && strings.Contains(err.Error(), "there is no "):
		default:
			m.Failed[col.name] = err.Error()
		}
	}
	open = c.choosePoCL(open, m)
	if err := c.rounds(open, m); err != nil {
		return nil, err
	}
	for _, w := range open {
		m.Rounds[w.name] = w.rounds
		if _, err := w.ask("close"); err != nil {
			c.drop(w.worker)
		}
	}
	m.summarise()
	return m, nil
}

var infoField = regexp.MustCompile(`engine=(\S+)`)

var errNoMethod = errors.New("this version has no such method")

// begin makes a worker ready for a problem and checks that it computes the right result.
func (c *comparison) begin(col column, p *problem, dir string, m *measurement) (*worker, error) {
	w, err := c.worker(col)
	if err != nil {
		return nil, err
	}
	if _, err = w.ask("open %s", dir); err == nil {
		if _, err = w.ask("check %s", dir); err == nil {
			err = p.verify(dir)
		}
	}
	if err == nil && strings.Contains(w.noise.String(), "Unknown work group generation method") {
		err = errNoMethod
	}
	if err != nil {
		if !strings.Contains(err.Error(), "there is no ") {
			c.drop(w)
		}
		return nil, err
	}
	if strings.HasPrefix(col.name, "tandem") {
		info, err := w.ask("info")
		if err != nil {
			return nil, err
		}
		if f := infoField.FindStringSubmatch(info); f != nil {
			m.Engines = append(m.Engines, f[1])
		}
	}
	return w, nil
}

// choosePoCL keeps PoCL's default method and the best one, by one measurement of each.
func (c *comparison) choosePoCL(open []*ready, m *measurement) []*ready {
	best, at := 0.0, ""
	for _, w := range open {
		if !strings.HasPrefix(w.name, "pocl") {
			continue
		}
		if t, err := w.time(c.o.ms); err == nil && (at == "" || t < best) {
			best, at = t, w.name
		}
	}
	m.PoCLBest = at
	return slices.DeleteFunc(open, func(w *ready) bool {
		lost := strings.HasPrefix(w.name, "pocl") && w.name != "pocl" && w.name != at
		if lost {
			if _, err := w.ask("close"); err != nil {
				c.drop(w.worker)
			}
		}
		return lost
	})
}

// rounds measures in turns; each round begins with another implementation.
func (c *comparison) rounds(open []*ready, m *measurement) error {
	if len(open) == 0 {
		return errors.New("nothing runs it")
	}
	for r := range c.o.rounds {
		for i := range open {
			w := open[(i+r)%len(open)]
			t, err := w.time(c.o.ms)
			if err != nil {
				return err
			}
			w.rounds = append(w.rounds, t)
		}
	}
	return nil
}
