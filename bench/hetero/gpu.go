package main

import (
	"fmt"
	"time"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/hostpar/hetero"
	"github.com/tandem-go/tandem/hostpar/hetero/policy"
)

// ones gives out one item at a time.
type ones struct{}

func (ones) Next(s *policy.State, d int) (int, policy.Reason) { return policy.Dynamic(1).Next(s, d) }

// gpu measures the GPU, the CPU, and both: six kernels at four sizes, each with the CPU as a host device on all cores but
// one; and saxpy with its data on the GPU, where the CPU must get nothing.
func (b *bench) gpu() {
	var g *cuda.Device
	for _, i := range cuda.Devices() {
		if i.Kind == cuda.GPU && g == nil {
			d, err := cuda.Open(i.ID)
			must(err)
			g = d
		}
	}
	if g == nil {
		fmt.Println("no GPU: nothing was measured")
		return
	}
	c, err := cuda.OpenHost(cuda.HostConfig{})
	must(err)
	fast, slow := hetero.OnCUDA(g), hetero.OnCUDA(c)
	for _, j := range jobs(b.sizes) {
		if b.only != "" && j.name != b.only {
			continue
		}
		none := &pace{}
		one, other, both := plan(j, none, 3, fast), plan(j, none, 3, slow), plan(j, none, 4, fast, slow)
		var tg, tc, tb []float64
		var last *hetero.Report
		for range b.rounds {
			t, _ := once(j, one)
			tg = append(tg, t.Seconds())
			t, _ = once(j, other)
			tc = append(tc, t.Seconds())
			t, last = once(j, both)
			tb = append(tb, t.Seconds())
		}
		over := func(draw []int) float64 {
			return (median(pick(tb, draw)) - 10e-6) / min(median(pick(tg, draw)), median(pick(tc, draw)))
		}
		sum := func(draw []int) float64 {
			return 1 / median(pick(tb, draw)) / (1/median(pick(tg, draw)) + 1/median(pick(tc, draw)))
		}
		r := over(identity(b.rounds))
		lo, hi := interval(b.rounds, over)
		fmt.Printf("%-12s %8.2f MB  GPU %9.1f µs, CPU %9.1f µs, both %9.1f µs: (both - 10 µs)/best %.3f [%.3f, %.3f] (≤ 1.03: %s); of the sum of both %.3f\n",
			j.name, float64(j.bytes)/1e6, 1e6*median(tg), 1e6*median(tc), 1e6*median(tb), r, lo, hi, b.verdict(r <= 1.03), sum(identity(b.rounds)))
		if b.verbose {
			fmt.Println(last)
		}
		must(one.Close())
		must(other.Close())
		must(both.Close())
	}
	b.onGPU(g, fast, slow)
}

// onGPU is saxpy over data that is on the GPU.
func (b *bench) onGPU(g *cuda.Device, fast, slow hetero.Device) {
	const n = 1 << 28
	x, err := cuda.Alloc[float32](g, n)
	must(err)
	y, err := cuda.Alloc[float32](g, n)
	must(err)
	must(x.Fill(1, nil))
	pool, err := hetero.Open(hetero.PoolConfig{Devices: []hetero.Device{fast, slow}, NoModels: true})
	must(err)
	k, err := hetero.NewKernel("saxpy", hetero.CUDA(source, "saxpy", cuda.CompileConfig{}))
	must(err)
	pl, err := pool.Compile(bg, k, hetero.Grid1(n, 256), []hetero.Arg{hetero.Val(int32(0)), hetero.Total[int32](), hetero.Val(float32(2)),
		hetero.InBuffer(x, hetero.Rows(1)), hetero.OutBuffer(y, hetero.Rows(1))}, hetero.RunConfig{})
	must(err)
	m, err := g.Compile(bg, source, cuda.CompileConfig{})
	must(err)
	raw, err := m.Function("saxpy")
	must(err)
	var over []float64
	var last *hetero.Report
	for range b.rounds {
		begin := time.Now()
		must(raw.Run(bg, cuda.LaunchConfig{Grid: cuda.Blocks(n, 256), Block: cuda.D1(256)}, int32(0), int32(n), float32(2), x, y))
		direct := time.Since(begin)
		begin = time.Now()
		last, err = pl.Run(bg)
		must(err)
		over = append(over, (time.Since(begin) - direct).Seconds())
	}
	d := last.Devices[1]
	o := median(over)
	lo, hi := interval(b.rounds, func(draw []int) float64 { return median(pick(over, draw)) })
	fmt.Printf("data on the GPU: CPU share %.1f %%, %.1f µs [%.1f, %.1f] more than the launch itself (0 %%, ≤ 20 µs: %s)\n  %s\n",
		100*d.Share, 1e6*o, 1e6*lo, 1e6*hi, b.verdict(d.Items == 0 && o <= 20e-6), d.Why)
	must(pl.Close())
}
