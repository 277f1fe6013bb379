package main

import (
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/hostpar/hetero"
	"github.com/tandem-go/tandem/hostpar/hetero/policy"
)

// ones gives out one item at a time.
type ones struct{}

func (ones) Next(s *policy.State, d int) (int, policy.Reason) { return policy.Dynamic(1).Next(s, d) }

// machine is the devices that the promises G1 to G10 are measured on.
type machine struct {
	gpu        *cuda.Device
	fast, slow hetero.Device // the GPU, and the CPU as a host device on all cores but one
	cores      int
	scale      int // sizes are divided by this
}

// machine finds the GPU. With TANDEM_DEVICE=host a host device of one worker stands in for it: then everything runs, in
// smaller sizes, and nothing is judged.
func (b *bench) machine() *machine {
	m := &machine{cores: runtime.GOMAXPROCS(0), scale: 1}
	if os.Getenv("TANDEM_DEVICE") == "host" {
		d, err := cuda.OpenHost(cuda.HostConfig{Workers: 1})
		must(err)
		m.gpu, m.scale, b.standIn = d, 64, true
	} else {
		for _, i := range cuda.Devices() {
			if i.Kind == cuda.GPU && m.gpu == nil {
				d, err := cuda.Open(i.ID)
				must(err)
				m.gpu = d
			}
		}
	}
	if m.gpu == nil {
		return nil
	}
	c, err := cuda.OpenHost(cuda.HostConfig{Workers: max(m.cores-1, 1)})
	must(err)
	m.fast, m.slow = hetero.OnCUDA(m.gpu), hetero.OnCUDA(c)
	return m
}

// gpu measures the promises to a machine with a GPU. G5, the same bits on both, is a test of package hetero.
func (b *bench) gpu() {
	m := b.machine()
	if m == nil {
		fmt.Println("no GPU: nothing was measured")
		return
	}
	fmt.Printf("%s and %d cores\n", m.gpu.Info().Name, m.cores)
	t := b.table("CPU and GPU", "", "promise", "figure", "wanted", "held")
	b.neverWorse(m)
	b.onGPU(m, t)
	b.overlap(m, t)
	b.fault(t)
	b.disturbed(m, t)
	b.cpuSide(m, t)
	b.stream(m, t)
	b.againstByHand(m, t)
}

// neverWorse is G1 and G2: six kernels from 10 kB to 1 GB.
func (b *bench) neverWorse(m *machine) {
	t := b.table("G1, G2: the GPU, the CPU, and both", `"Over" is (both − 10 µs) / best, "sum" the throughput of both over the sum of each alone.`,
		"", "MB", "GPU, ms", "CPU, ms", "both, ms", "over (≤ 1.03)", "held", "sum", "wanted", "held")
	sizes := []int{0, 2, 3, 4}
	if b.standIn {
		sizes = []int{0, 1}
	}
	for _, j := range jobs(sizes) {
		if b.only != "" && j.name != b.only {
			continue
		}
		none := &pace{}
		one, other, both := plan(j, none, 3, m.fast), plan(j, none, 3, m.slow), plan(j, none, learning, m.fast, m.slow)
		var last *hetero.Report
		got := b.measure(timed(j, one), timed(j, other), func() float64 {
			var t time.Duration
			t, last = once(j, both)
			return t.Seconds()
		})
		of := func(k int, draw []int) float64 { return median(pick(got[k], draw)) }
		over, lo, hi := b.interval(func(draw []int) float64 { return (of(2, draw) - 10e-6) / min(of(0, draw), of(1, draw)) })
		sum, slo, shi := b.interval(func(draw []int) float64 { return 1 / of(2, draw) / (1/of(0, draw) + 1/of(1, draw)) })
		wanted, held := "", ""
		if large := j.items == jobsLike(j, sizes[len(sizes)-1]); large && j.name == "saxpy" {
			a, c := median(got[0]), median(got[1])
			near := max(a, c) < 3*min(a, c)
			wanted, held = "≥ 0.85; ≥ 1.25 of the better one if within 3", b.verdict(sum >= 0.85 && (!near || min(a, c)/median(got[2]) >= 1.25))
		} else if large && j.name == "mandelbrot" {
			wanted, held = "≥ 0.95", b.verdict(sum >= 0.95)
		}
		t.row(j.name, fmt.Sprintf("%.2f", float64(j.bytes)/1e6), ms(got[0]), ms(got[1]), ms(got[2]), with("%.3f", over, lo, hi), b.verdict(over <= 1.03),
			with("%.3f", sum, slo, shi), wanted, held)
		b.show(last)
		must(one.Close())
		must(other.Close())
		must(both.Close())
	}
}

// jobsLike is how many items the job of that kernel has at a size.
func jobsLike(j *job, size int) int {
	return map[string][5]int{"saxpy": saxpySizes, "mandelbrot": mandelbrotSizes}[j.name][size]
}

// onGPU is G3: saxpy over data that is on the GPU, where the CPU must get nothing.
func (b *bench) onGPU(m *machine, t *table) {
	n := 1 << 28 / m.scale
	x, err := cuda.Alloc[float32](m.gpu, n)
	must(err)
	y, err := cuda.Alloc[float32](m.gpu, n)
	must(err)
	must(x.Fill(1, nil))
	k, err := hetero.NewKernel("saxpy", hetero.CUDA(source, "saxpy", cuda.CompileConfig{}))
	must(err)
	pl, err := open(m.fast, m.slow).Compile(bg, k, hetero.Grid1(n, 256), []hetero.Arg{hetero.Val(int32(0)), hetero.Total[int32](), hetero.Val(float32(2)),
		hetero.InBuffer(x, hetero.Rows(1)), hetero.OutBuffer(y, hetero.Rows(1))}, hetero.RunConfig{})
	must(err)
	raw := m.function("saxpy")
	for range learning {
		_, err := pl.Run(bg)
		must(err)
	}
	var last *hetero.Report
	got := b.measure(func() float64 {
		begin := time.Now()
		must(raw.Run(bg, cuda.LaunchConfig{Grid: cuda.Blocks(n, 256), Block: cuda.D1(256)}, int32(0), int32(n), float32(2), x, y))
		return time.Since(begin).Seconds()
	}, func() float64 {
		begin := time.Now()
		last, err = pl.Run(bg)
		must(err)
		return time.Since(begin).Seconds()
	})
	v, lo, hi := b.interval(func(draw []int) float64 { return 1e6 * (median(pick(got[1], draw)) - median(pick(got[0], draw))) })
	d := last.Devices[1]
	t.row("G3: data on the GPU: the CPU's share, and the time over that of the launch", fmt.Sprintf("%.1f %%, ", 100*d.Share)+with("%.1f", v, lo, hi)+" µs",
		"0, ≤ 20 µs", b.verdict(d.Items == 0 && v <= 20))
	fmt.Println(d.Why)
	b.show(last)
	must(pl.Close())
	must(x.Close())
	must(y.Close())
}

// function is a kernel on the GPU.
func (m *machine) function(name string) *cuda.Function {
	mod, err := m.gpu.Compile(bg, source, cuda.CompileConfig{})
	must(err)
	f, err := mod.Function(name)
	must(err)
	return f
}
