package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/hostpar/hetero"
)

// sleeper is a device that sleeps for each item, in real time.
type sleeper struct {
	name string
	rate float64 // items a second
}

func (s *sleeper) Info() hetero.Info { return hetero.Info{ID: s.name, Name: s.name, Lanes: 1} }

func (s *sleeper) Prepare(context.Context, *hetero.Job) (hetero.Feed, error) { return s, nil }

func (s *sleeper) Do(_ context.Context, _ int, t *hetero.Task) error {
	r := t.Range()
	time.Sleep(time.Duration(float64(r.Hi-r.Lo) / s.rate * 1e9))
	return t.Commit(nil)
}

func (s *sleeper) Close() error { return nil }

// real is the scheduler in real time, on the cores of the machine.
func (b *bench) real() {
	t := b.table("Real time", `Devices that sleep: a job of one second, in chunks of 20 ms, since a sleep is up to 1 ms too long, over the time of both at full speed. The CPU
with two workers: a body of Go against two goroutines by hand, half of the items each. A tiny job: one device gets all, over a loop.`,
		"", "by hand or ideal", "hetero", "ratio or difference", "wanted", "held")
	b.sleepers(t)
	b.byHand(t)
	b.tiny(t)
}

func (b *bench) sleepers(t *table) {
	const items = 100_000
	k, err := hetero.NewKernel("sleep", hetero.Go(func(context.Context, int, int) error { return nil }))
	must(err)
	for _, ratio := range []float64{4, 37} {
		devices := []hetero.Device{&sleeper{"slow", items / (1 + ratio)}, &sleeper{"fast", items * ratio / (1 + ratio)}}
		short := bench{rounds: min(b.rounds, 5)} // they need no processor, and differ little
		took := short.measure(func() float64 {
			begin := time.Now()
			rep, err := open(devices...).Run(bg, k, hetero.Grid1(items, 1), nil, hetero.RunConfig{})
			must(err)
			b.show(rep)
			return time.Since(begin).Seconds()
		})[0]
		v, lo, hi := short.median(took)
		t.row(fmt.Sprintf("devices that sleep, 1:%.0f", ratio), "1 s", fmt.Sprintf("%.4f s", v), with("%.3f", v, lo, hi), "≤ 1.08", b.verdict(v <= 1.08))
	}
}

// body is work that only computes: each item takes about 5 ns for each of depth. It is not inlined, as its copies would
// differ by several percent where they come to lie.
//
//go:noinline
func body(out []float32, depth, lo, hi int) {
	for i := lo; i < hi; i++ {
		v := float32(i)
		for range depth {
			v = v*0.9999 + 0.25
		}
		out[i] = v
	}
}

func (b *bench) byHand(t *table) {
	const depth = 100
	begin := time.Now()
	body(make([]float32, 20_000), depth, 0, 20_000)
	each := time.Since(begin).Seconds() / 20_000
	for _, c := range []struct{ ms, most float64 }{{50, 1.03}, {5, 1.10}} {
		n := int(2 * c.ms * 1e-3 / each)
		out := make([]float32, n)
		k, err := hetero.NewKernel("body", hetero.GoRange(func(lo, hi int) { body(out, depth, lo, hi) }))
		must(err)
		pl, err := open(hetero.OnCPU(2)).Compile(bg, k, hetero.Grid1(n, 1), []hetero.Arg{hetero.Out(out, hetero.Rows(1))}, hetero.RunConfig{})
		must(err)
		run := func() float64 {
			begin := time.Now()
			_, err := pl.Run(bg)
			must(err)
			return time.Since(begin).Seconds()
		}
		run()
		got := b.measure(func() float64 {
			begin := time.Now()
			var wg sync.WaitGroup
			wg.Go(func() { body(out, depth, 0, n/2) })
			wg.Go(func() { body(out, depth, n/2, n) })
			wg.Wait()
			return time.Since(begin).Seconds()
		}, run)
		r, lo, hi := b.interval(func(draw []int) float64 { return median(pick(got[1], draw)) / median(pick(got[0], draw)) })
		t.row(fmt.Sprintf("two workers, %.0f ms", c.ms), ms(got[0])+" ms", ms(got[1])+" ms", with("%.3f", r, lo, hi), fmt.Sprintf("≤ %.2f", c.most), b.verdict(r <= c.most))
		must(pl.Close())
	}
}

func (b *bench) tiny(t *table) {
	const n, often = 1000, 100 // runs in a row, as in a loop of a program: the first after a pause finds cold caches
	out := make([]float32, n)
	k, err := hetero.NewKernel("body", hetero.GoRange(func(lo, hi int) { body(out, 2, lo, hi) }))
	must(err)
	pl, err := open(hetero.OnCPU(1), hetero.OnCPU(1)).Compile(bg, k, hetero.Grid1(n, 1), []hetero.Arg{hetero.Out(out, hetero.Rows(1))}, hetero.RunConfig{})
	must(err)
	used := 0
	run := func() float64 {
		var rep *hetero.Report
		begin := time.Now()
		for range often {
			rep, err = pl.Run(bg)
			must(err)
		}
		took := time.Since(begin).Seconds()
		used = 0
		for _, d := range rep.Devices {
			if d.Items > 0 {
				used++
			}
		}
		return took / often
	}
	for range learning {
		run()
	}
	got := b.measure(func() float64 {
		begin := time.Now()
		for range often {
			body(out, 2, 0, n)
		}
		return time.Since(begin).Seconds() / often
	}, run)
	v, lo, hi := b.interval(func(draw []int) float64 { return 1e6 * (median(pick(got[1], draw)) - median(pick(got[0], draw))) })
	t.row("1,000 items", fmt.Sprintf("%.1f µs", 1e6*median(got[0])), fmt.Sprintf("%.1f µs, %d device", 1e6*median(got[1]), used),
		with("%.1f", v, lo, hi)+" µs", "one device, ≤ 20 µs", b.verdict(v <= 20 && used == 1))
	must(pl.Close())
}

const sumSource = `
extern "C" __global__ void fixedsum(int n, const float *x, float *sums) {
    __shared__ float s[256];
    int t = threadIdx.x, i = blockIdx.x * 256 + t;
    s[t] = i < n ? x[i] : 0.0f;
    __syncthreads();
    for (int k = 128; k > 0; k /= 2) { if (t < k) s[t] += s[t + k]; __syncthreads(); }
    if (t == 0) sums[blockIdx.x] = s[0];
}
extern "C" __global__ void anysum(int n, const float *x, float *sum) {
    __shared__ float s[256];
    int t = threadIdx.x, i = blockIdx.x * 256 + t;
    s[t] = i < n ? x[i] : 0.0f;
    __syncthreads();
    for (int k = 128; k > 0; k /= 2) { if (t < k) s[t] += s[t + k]; __syncthreads(); }
    if (t == 0) atomicAdd(sum, s[0]);
}`

// sum is a sum by Reduce, which has the same bits for every split, against one by atomics.
func (b *bench) sum() {
	const n = 10_000_000
	x := make([]float32, n)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range x {
		x[i] = float32(math.Ldexp(r.Float64()-0.5, r.IntN(24)))
	}
	var fixed float32
	loose := make([]float32, 1)
	devices := []hetero.Device{host(), host()}
	prepare := func(entry string, out hetero.Arg) *hetero.Plan {
		k, err := hetero.NewKernel(entry, hetero.CUDA(sumSource, entry, cuda.CompileConfig{}))
		must(err)
		pl, err := open(devices...).Compile(bg, k, hetero.Grid1(n, 256), []hetero.Arg{hetero.Val(int32(n)), hetero.In(x, hetero.Rows(1)), out}, hetero.RunConfig{})
		must(err)
		return pl
	}
	a, c := prepare("fixedsum", hetero.Reduce(&fixed, hetero.Sum[float32]())), prepare("anysum", hetero.Accum(loose, hetero.Sum[float32]()))
	seen := [2]map[float32]bool{{}, {}}
	run := func(pl *hetero.Plan, kind int, result *float32) func() float64 {
		return func() float64 {
			begin := time.Now()
			_, err := pl.Run(bg)
			took := time.Since(begin).Seconds()
			must(err)
			seen[kind][*result] = true
			return took
		}
	}
	for range learning {
		run(a, 0, &fixed)()
		run(c, 1, &loose[0])()
	}
	got := b.measure(run(a, 0, &fixed), run(c, 1, &loose[0]))
	v, lo, hi := b.interval(func(draw []int) float64 { return median(pick(got[0], draw)) / median(pick(got[1], draw)) })
	t := b.table("A sum with the same bits for every split", "10,000,000 float32 of mixed magnitude on two host devices: Reduce against atomics into an Accum.",
		"", "Reduce, ms", "Accum, ms", "Reduce : Accum", "results of each", "wanted", "held")
	t.row("sum", ms(got[0]), ms(got[1]), with("%.3f", v, lo, hi), fmt.Sprintf("%d and %d", len(seen[0]), len(seen[1])), "≤ 1.10, one result",
		b.verdict(v <= 1.10 && len(seen[0]) == 1))
	must(a.Close())
	must(c.Close())
}
