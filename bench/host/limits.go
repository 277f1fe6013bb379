package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
)

// limits are what the machine can do at most, and what a launch costs, measured in the same run as the kernels.
type limits struct {
	// CopyGBs is the memory bandwidth of a copy, bytes read and bytes written, in 10^9 bytes a second; StreamGBs that of a
	// copy whose stores do not read first; PeakGflops what fused multiply-adds give with two operations each, in 10^9 a second.
	CopyGBs    float64 `json:"copy_gb_s"`
	StreamGBs  float64 `json:"stream_copy_gb_s"`
	PeakGflops float64 `json:"peak_gflop_s"`
	// LaunchUS is the time of a launch of 32 blocks of 256 threads and the wait for it, in microseconds, by column.
	LaunchUS map[string]float64 `json:"launch_us"`
}

const (
	copied              = 1 << 25
	peakChains, peakRun = 12 * 16, 1 << 20
)

func copyProblem(rng *rand.Rand, small bool) *problem {
	n := size(small, copied, 1<<12)
	a := floats(rng, n)
	return &problem{
		kernel: "copy", grid: flat(1), block: flat(1), buffers: []buffer{holding(a), room("float32", n)},
		args: []any{int32(n), ref(0), ref(1)}, outputs: []int{1}, bytes: 8 * float64(n),
		check: func(got map[int]any) error { return equal("element", got[1].([]float32), a) },
	}
}

func peakProblem(rng *rand.Rand, small bool) *problem {
	n, steps := runtime.GOMAXPROCS(0), size(small, peakRun, 1<<8)
	return &problem{
		kernel: "peak", grid: flat(1), block: flat(1), buffers: []buffer{holding(floats(rng, 32)), room("float32", 16*n)},
		args: []any{int32(n), int32(steps), ref(0), ref(1)}, outputs: []int{1},
		flops: 2 * peakChains * float64(n) * float64(steps),
		check: func(got map[int]any) error {
			for i, v := range got[1].([]float32) {
				if math.IsNaN(float64(v)) {
					return fmt.Errorf("sum %d was not computed", i)
				}
			}
			return nil
		},
	}
}

func launchProblem(rng *rand.Rand, _ bool) *problem {
	p := vecaddProblem(rng, true)
	n := 32 * 256
	a, b := floats(rng, n), floats(rng, n)
	p.grid, p.args[0] = flat(32), int32(n)
	p.buffers = []buffer{holding(a), holding(b), room("float32", n)}
	p.check = func(got map[int]any) error {
		for i, v := range got[2].([]float32) {
			if v != a[i]+b[i] {
				return fmt.Errorf("element %d: have %v, want %v", i, v, a[i]+b[i])
			}
		}
		return nil
	}
	return p
}

// limits measures them, as far as there is a column for it.
func (c *comparison) limits() error {
	l := &limits{LaunchUS: map[string]float64{}}
	rate := func(problem func(*rand.Rand, bool) *problem, column string) (perMS float64, err error) {
		p := problem(rand.New(rand.NewPCG(c.o.seed, 99)), c.o.small)
		all, err := c.medians(p, func(name string) bool { return name == column })
		if err != nil || all[column] == 0 {
			return 0, err
		}
		return max(p.bytes, p.flops) / all[column], nil
	}
	var err error
	if l.CopyGBs, err = rate(copyProblem, "c"); err != nil {
		return err
	}
	if l.StreamGBs, err = rate(copyProblem, "c_bestalgo"); err != nil {
		return err
	}
	if l.PeakGflops, err = rate(peakProblem, "c"); err != nil {
		return err
	}
	for _, v := range []*float64{&l.CopyGBs, &l.StreamGBs, &l.PeakGflops} {
		*v /= 1e6
	}
	all, err := c.medians(launchProblem(rand.New(rand.NewPCG(c.o.seed, 98)), false), func(name string) bool { return name != "c_bestalgo" })
	for name, ms := range all {
		l.LaunchUS[name] = ms * 1e3
	}
	c.report.Limits = l
	return err
}

// medians measures a problem on some columns in rounds. Columns that cannot run it are not in the answer.
func (c *comparison) medians(p *problem, which func(name string) bool) (map[string]float64, error) {
	dir := filepath.Join(c.dir, "limits")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := p.write(dir); err != nil {
		return nil, err
	}
	m := &measurement{Failed: map[string]string{}}
	var open []*ready
	for _, col := range c.columns {
		if !which(col.name) {
			continue
		}
		if w, err := c.begin(col, p, dir, m); err == nil {
			open = append(open, &ready{worker: w})
		}
	}
	out := map[string]float64{}
	if len(open) == 0 {
		return out, nil
	}
	if err := c.rounds(open, m); err != nil {
		return nil, err
	}
	for _, w := range open {
		out[w.name] = median(w.rounds)
		if _, err := w.ask("close"); err != nil {
			c.drop(w.worker)
		}
	}
	return out, nil
}
