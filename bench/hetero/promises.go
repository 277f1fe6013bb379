package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/hostpar/hetero"
	"github.com/tandem-go/tandem/hostpar/hetero/policy"
	"github.com/tandem-go/tandem/hostpar/hetero/trace"
)

// lanes is a device of which the scheduler uses so many lanes.
type lanes struct {
	hetero.Device
	n int
}

func (l lanes) Info() hetero.Info {
	i := l.Device.Info()
	i.Lanes = min(l.n, max(i.Lanes, 1))
	return i
}

// overlap is G4: a kernel that takes as long as the copies in and out, in chunks, three under way, two, and one after the
// other by hand.
func (b *bench) overlap(m *machine, t *table) {
	const parts = 48
	n := parts * 256 * max(1<<12/m.scale, 1)
	part := n / parts
	x, y := floats(n, -1, 1), make([]float32, n)
	waste := m.tuneWaste(part)
	serial := m.serial(waste, part, x, y)
	run := func(depth int, rec *trace.Recorder) *hetero.Plan {
		k, err := hetero.NewKernel("saxpy", hetero.CUDA(source, "saxpy", cuda.CompileConfig{}))
		must(err)
		pl, err := open(lanes{m.fast, depth}).Compile(bg, k, hetero.Grid1(n, 256), []hetero.Arg{hetero.Val(waste), hetero.Total[int32](), hetero.Val(float32(2)),
			hetero.In(x, hetero.Rows(1)), hetero.Out(y, hetero.Rows(1))}, hetero.RunConfig{Policy: policy.Dynamic(part / 256), Trace: rec})
		must(err)
		return pl
	}
	rec := trace.New(0)
	three, two := run(3, rec), run(2, nil)
	timed := func(pl *hetero.Plan) func() float64 {
		return func() float64 {
			must(pl.Changed(3)) // the slice is copied in again
			begin := time.Now()
			_, err := pl.Run(bg)
			must(err)
			return time.Since(begin).Seconds()
		}
	}
	timed(three)()
	timed(two)()
	got := b.measure(serial, timed(three), timed(two))
	for i, c := range []struct{ depth, least float64 }{{3, 2.2}, {2, 1.6}} {
		v, lo, hi := b.interval(func(draw []int) float64 { return median(pick(got[0], draw)) / median(pick(got[i+1], draw)) })
		t.row(fmt.Sprintf("G4: %.0f chunks under way, against one after the other", c.depth), with("%.2f", v, lo, hi), fmt.Sprintf("≥ %.1f", c.least), b.verdict(v >= c.least))
	}
	s := underCopy(rec.Spans())
	t.row("G4: of the kernels' time under a copy", fmt.Sprintf("%.0f %%", 100*s), "≥ 80 %", b.verdict(s >= 0.8))
	must(three.Close())
	must(two.Close())
}

// tuneWaste finds how much a kernel must waste to take as long as copying its input.
func (m *machine) tuneWaste(n int) int32 {
	x, y := floats(n, -1, 1), make([]float32, n)
	least := func(f func()) float64 {
		best := math.Inf(1)
		for range 5 {
			begin := time.Now()
			f()
			best = min(best, time.Since(begin).Seconds())
		}
		return best
	}
	pinned, err := cuda.AllocHost[float32](m.gpu, n)
	must(err)
	dx, err := cuda.Upload(bg, m.gpu, x)
	must(err)
	dy, err := cuda.Upload(bg, m.gpu, y)
	must(err)
	s, err := m.gpu.NewStream(cuda.StreamConfig{})
	must(err)
	copying := least(func() { must(cuda.Copy(dx, pinned, s)); must(s.Wait(bg)) })
	f, waste := m.function("saxpy"), int32(0)
	for waste < 1<<16 && least(func() {
		must(f.Run(bg, cuda.LaunchConfig{Grid: cuda.Blocks(n, 256), Block: cuda.D1(256), Stream: s}, waste, int32(n), float32(2), dx, dy))
	}) < copying {
		waste = waste*5/4 + 8
	}
	must(errors.Join(pinned.Close(), dx.Close(), dy.Close(), s.Close()))
	return waste
}

// serial is the same job by hand: one stream, page-locked memory, each chunk after the other.
func (m *machine) serial(waste int32, part int, x, y []float32) func() float64 {
	f := m.function("saxpy")
	in, err := cuda.AllocHost[float32](m.gpu, part)
	must(err)
	out, err := cuda.AllocHost[float32](m.gpu, part)
	must(err)
	dx, err := cuda.Alloc[float32](m.gpu, part)
	must(err)
	dy, err := cuda.Alloc[float32](m.gpu, part)
	must(err)
	s, err := m.gpu.NewStream(cuda.StreamConfig{})
	must(err)
	return func() float64 {
		begin := time.Now()
		for lo := 0; lo < len(x); lo += part {
			copy(in.Slice(), x[lo:lo+part])
			must(cuda.Copy(dx, in, s))
			must(f.Run(bg, cuda.LaunchConfig{Grid: cuda.Blocks(part, 256), Block: cuda.D1(256), Stream: s}, waste, int32(part), float32(2), dx, dy))
			must(cuda.Copy(out, dy, s))
			must(s.Wait(bg))
			copy(y[lo:lo+part], out.Slice())
		}
		return time.Since(begin).Seconds()
	}
}

// underCopy is the part of the time of kernels during which another lane copies in or out.
func underCopy(spans []trace.Span) float64 {
	all, under := time.Duration(0), time.Duration(0)
	for _, k := range spans {
		if k.Kind != trace.Compute {
			continue
		}
		all += k.End - k.Start
		at := k.Start // covered up to here; copies are in order of their end, which is nearly that of their start
		for _, c := range spans {
			if (c.Kind == trace.Load || c.Kind == trace.Store) && c.Lane != k.Lane && c.End > at && c.Start < k.End {
				under += max(min(c.End, k.End)-max(c.Start, at), 0)
				at = max(at, min(c.End, k.End))
			}
		}
	}
	if all == 0 {
		return 0
	}
	return float64(under) / float64(all)
}

const faultSource = `
extern "C" __global__ void faulty(int n, int bad, float *y) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i == bad) *(volatile int *)0 = 1;
    if (i < n) y[i] = 2 * i;
}`

// fault is G6: a kernel that dereferences null in one chunk, in a process of its own, for such faults are for its lifetime.
func (b *bench) fault(t *table) {
	out, err := b.again("fault")
	t.row("G6: a null pointer in chunk 7 of 100: all results, one device out, and the next run works", strings.TrimSpace(out), "fine", b.verdict(err == nil))
}

// again runs a part of this program in another process.
func (b *bench) again(part string, more ...string) (string, error) {
	exe, err := os.Executable()
	must(err)
	out, err := exec.Command(exe, append([]string{"-child", part}, more...)...).CombinedOutput()
	return string(out), err
}

// child is what other processes do for this one.
func (b *bench) child(part string) {
	m := b.machine()
	switch {
	case m == nil:
		must(errors.New("no GPU"))
	case part == "fault":
		m.faultChild()
	case strings.HasPrefix(part, "models="):
		fmt.Printf("%.4f\n", m.randomJobs(strings.TrimPrefix(part, "models="), 1, 1))
	default:
		must(fmt.Errorf("no part %q", part))
	}
}

func (m *machine) faultChild() {
	const n, chunk = 100 * 1024, 1024
	y := make([]float32, n)
	k, err := hetero.NewKernel("faulty", hetero.CUDA(faultSource, "faulty", cuda.CompileConfig{}), hetero.GoRange(func(lo, hi int) {
		for i := lo; i < hi; i++ {
			y[i] = float32(2 * i)
		}
	}))
	must(err)
	pool := open(m.fast, hetero.OnCPU(1))
	for run := range 2 {
		clear(y)
		rep, err := pool.Run(bg, k, hetero.Grid1(n, 256), []hetero.Arg{hetero.Total[int32](), hetero.Val(int32(6*chunk + 5)), hetero.Out(y, hetero.Rows(1))},
			hetero.RunConfig{Policy: gpuFirst{chunk / 256}})
		must(err)
		for i := range y {
			if y[i] != float32(2*i) {
				must(fmt.Errorf("run %d: item %d is %g", run, i, y[i]))
			}
		}
		if rep.Devices[0].Err == nil || rep.Devices[1].Err != nil {
			must(fmt.Errorf("run %d: not just the GPU is out:\n%v", run, rep))
		}
	}
	fmt.Println("fine")
}

// gpuFirst gives chunks of one size, to device 0 as long as that lives.
type gpuFirst struct{ n int }

func (g gpuFirst) Next(s *policy.State, d int) (int, policy.Reason) {
	if d != 0 && !s.Devices[0].Dead && !s.Force {
		return 0, policy.Reserved
	}
	return policy.Dynamic(g.n).Next(s, d)
}

// disturbed is G7: other work on the GPU, half of the time, from the middle of the run.
func (b *bench) disturbed(m *machine, t *table) {
	n := 1 << 26 / m.scale
	j := saxpyOf(n)
	p := &pace{waste: 2000}
	both := plan(j, p, 3, m.fast, m.slow)
	calm, _ := once(j, both)
	f := m.function("saxpy")
	small, err := cuda.Alloc[float32](m.gpu, 1<<16)
	must(err)
	s, err := m.gpu.NewStream(cuda.StreamConfig{})
	must(err)
	var worst, after []float64
	for range min(b.rounds, 7) {
		var stop atomic.Bool
		var wg sync.WaitGroup
		wg.Go(func() {
			time.Sleep(calm / 2)
			for !stop.Load() {
				begin := time.Now()
				must(f.Run(bg, cuda.LaunchConfig{Grid: cuda.D1(256), Block: cuda.D1(256), Stream: s}, int32(2000), int32(1<<16), float32(2), small, small))
				time.Sleep(time.Since(begin))
			}
		})
		_, rep := once(j, both)
		stop.Store(true)
		wg.Wait()
		worst = append(worst, 1/rep.Efficiency)
		took, _ := once(j, both)
		took2, _ := once(j, both)
		after = append(after, min(took, took2).Seconds()/calm.Seconds())
	}
	v, back := median(worst), median(after)
	t.row("G7: other work on the GPU from the middle on: time over the ideal at the rates of the run; later, over the time before",
		fmt.Sprintf("%.3f; %.3f", v, back), "≤ 1.10; ≤ 1.05", b.verdict(v <= 1.10 && back <= 1.05))
	must(errors.Join(both.Close(), small.Close(), s.Close()))
}

// cpuSide is G8: a body that only computes on all cores, by itself and beside a GPU that is fed; and chunks whose borders
// are within cache lines.
func (b *bench) cpuSide(m *machine, t *table) {
	const depth = 200
	n := 1 << 22 / m.scale
	out := make([]float32, n+16)
	at := func(workers, off, unit int) (*hetero.Plan, func() float64) {
		s := out[off : off+n]
		k, err := hetero.NewKernel("body", hetero.GoRange(func(lo, hi int) { body(s, depth, lo, hi) }))
		must(err)
		pl, err := open(hetero.OnCPU(workers)).Compile(bg, k, hetero.Grid1(n, unit), []hetero.Arg{hetero.Out(s, hetero.Rows(1))}, hetero.RunConfig{Policy: policy.Dynamic(max(n/unit/64, 1))})
		must(err)
		return pl, func() float64 {
			begin := time.Now()
			_, err := pl.Run(bg)
			must(err)
			return time.Since(begin).Seconds()
		}
	}
	p1, one := at(1, 0, 16)
	p2, all := at(m.cores, 0, 16)
	p3, rest := at(max(m.cores-1, 1), 0, 16)
	p4, torn := at(m.cores, 5, 15)
	feed := plan(saxpyOf(1<<24/m.scale), &pace{}, 2, m.fast)
	got := b.measure(one, all, torn, func() float64 {
		ctx, stop := context.WithCancel(bg)
		var wg sync.WaitGroup
		wg.Go(func() {
			for ctx.Err() == nil {
				_, err := feed.Run(bg)
				must(err)
			}
		})
		took := rest()
		stop()
		wg.Wait()
		return took
	})
	for _, c := range []struct {
		name  string
		k     int
		least float64
	}{{"on all cores", 1, 14.5 / 16}, {"while one core feeds the GPU", 3, 13.5 / 16}} {
		v, lo, hi := b.interval(func(draw []int) float64 { return median(pick(got[0], draw)) / median(pick(got[c.k], draw)) })
		t.row("G8: a body in Go "+c.name+", times one core", with("%.2f", v, lo, hi), fmt.Sprintf("≥ %.2f", c.least*float64(m.cores)), b.verdict(v >= c.least*float64(m.cores)))
	}
	v, lo, hi := b.interval(func(draw []int) float64 { return median(pick(got[2], draw)) / median(pick(got[1], draw)) })
	t.row("G8: borders of chunks within cache lines", with("%.3f", v, lo, hi), "≤ 1.03", b.verdict(v <= 1.03))
	must(errors.Join(p1.Close(), p2.Close(), p3.Close(), p4.Close(), feed.Close()))
}

// stream is G9: jobs of random sizes, and the first one of another process that finds the models.
func (b *bench) stream(m *machine, t *table) {
	dir, err := os.MkdirTemp("", "tandem")
	must(err)
	defer os.RemoveAll(dir)
	jobs := 100
	if b.standIn {
		jobs = 20
	}
	v := m.randomJobs(dir, jobs, 2)
	t.row(fmt.Sprintf("G9: %d jobs of random size, time over the sum of their ideals", jobs), fmt.Sprintf("%.3f", v), "≤ 1.05", b.verdict(v <= 1.05))
	out, err := b.again("models=" + dir)
	first := 0.0
	if err == nil {
		_, err = fmt.Sscan(out, &first)
	}
	t.row("G9: the first job of a new process", strings.TrimSpace(out), "≤ 1.10", b.verdict(err == nil && first <= 1.10))
	if err != nil {
		must(fmt.Errorf("the new process: %w\n%s", err, out))
	}
}

// randomJobs runs jobs with the models of a folder, and returns the sum of their times over that of their ideals.
func (m *machine) randomJobs(dir string, count int, seed uint64) float64 {
	pool, err := hetero.Open(hetero.PoolConfig{Devices: []hetero.Device{m.fast, m.slow}, ModelDir: dir})
	must(err)
	k, err := hetero.NewKernel("saxpy", hetero.CUDA(source, "saxpy", cuda.CompileConfig{}))
	must(err)
	r := rand.New(rand.NewPCG(seed, 9))
	most := float64(1<<26) / float64(m.scale)
	wall, ideal := 0.0, 0.0
	for range count {
		n := int(math.Exp(math.Log(1<<12) + r.Float64()*(math.Log(most)-math.Log(1<<12))))
		x, y := make([]float32, n), make([]float32, n)
		rep, err := pool.Run(bg, k, hetero.Grid1(n, 256), []hetero.Arg{hetero.Val(int32(200)), hetero.Total[int32](), hetero.Val(float32(2)),
			hetero.In(x, hetero.Rows(1)), hetero.Out(y, hetero.Rows(1))}, hetero.RunConfig{})
		must(err)
		if y[n-1] != 0.5*float32(n-1) {
			must(fmt.Errorf("a job of %d items: the last is %g", n, y[n-1]))
		}
		wall, ideal = wall+rep.Wall.Seconds(), ideal+rep.Ideal.Seconds()
	}
	must(pool.Close())
	return wall / ideal
}

// againstByHand is G10: the way programs are written by hand, one stream and pageable memory, data streamed and resident.
func (b *bench) againstByHand(m *machine, t *table) {
	n := 1 << 26 / m.scale
	j := saxpyOf(n)
	both := plan(j, &pace{}, learning, m.fast, m.slow)
	f := m.function("saxpy")
	x, y := floats(n, -1, 1), make([]float32, n)
	dx, err := cuda.Alloc[float32](m.gpu, n)
	must(err)
	dy, err := cuda.Alloc[float32](m.gpu, n)
	must(err)
	launch := func() {
		must(f.Run(bg, cuda.LaunchConfig{Grid: cuda.Blocks(n, 256), Block: cuda.D1(256)}, int32(0), int32(n), float32(2), dx, dy))
	}
	k, err := hetero.NewKernel("saxpy", hetero.CUDA(source, "saxpy", cuda.CompileConfig{}))
	must(err)
	resident, err := open(m.fast, m.slow).Compile(bg, k, hetero.Grid1(n, 256), []hetero.Arg{hetero.Val(int32(0)), hetero.Total[int32](), hetero.Val(float32(2)),
		hetero.InBuffer(dx, hetero.Rows(1)), hetero.OutBuffer(dy, hetero.Rows(1))}, hetero.RunConfig{})
	must(err)
	var last *hetero.Report
	stay := func() float64 {
		begin := time.Now()
		last, err = resident.Run(bg)
		must(err)
		return time.Since(begin).Seconds()
	}
	for range learning {
		stay()
	}
	got := b.measure(func() float64 {
		begin := time.Now()
		must(dx.CopyFrom(bg, x))
		launch()
		must(dy.CopyTo(bg, y))
		return time.Since(begin).Seconds()
	}, func() float64 {
		must(both.Changed(3))
		return timed(j, both)()
	}, func() float64 {
		begin := time.Now()
		launch()
		return time.Since(begin).Seconds()
	}, stay)
	v, lo, hi := b.interval(func(draw []int) float64 { return median(pick(got[0], draw)) / median(pick(got[1], draw)) })
	t.row("G10: streamed, times as fast as by hand", with("%.2f", v, lo, hi), "≥ 1.3", b.verdict(v >= 1.3))
	b.show(last)
	v, lo, hi = b.interval(func(draw []int) float64 { return median(pick(got[3], draw)) / median(pick(got[2], draw)) })
	t.row("G10: resident, time over that by hand", with("%.3f", v, lo, hi), "≤ 1.03", b.verdict(v <= 1.03))
	must(errors.Join(both.Close(), resident.Close(), dx.Close(), dy.Close()))
}
