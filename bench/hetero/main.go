// Command hetero measures one launch over two devices against each of them alone, interleaved: in each round each
// configuration runs once. It prints medians with bootstrap intervals of 95 %, and FAIL where a promise does not hold.
//
//	-part pair    two host devices of one worker each, against one: mandelbrot and nbody
//	-part beside  a host device of one worker and a Go body of one worker, at speeds of 1:1, 1:4 and 1:37
//	-part gpu     the GPU and the CPU, streamed and with data on the GPU
//	-part chunks  what a chunk costs, and a million of them
package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/hostpar/hetero"
)

var bg = context.Background()

func main() {
	part := flag.String("part", "pair", "pair, beside, gpu or chunks")
	rounds := flag.Int("rounds", 15, "rounds of each measurement")
	sizes := flag.String("sizes", "0,1,2,3", "which of the four sizes")
	only := flag.String("kernel", "", "this kernel only")
	ratios := flag.String("ratios", "1,4,37", "how many times slower the Go body is")
	verbose := flag.Bool("v", false, "print the report of the last round")
	flag.Parse()
	b := &bench{rounds: *rounds, sizes: ints(*sizes), only: *only, verbose: *verbose}
	fmt.Printf("%s, %d processors, %s\n", cuda.Devices()[len(cuda.Devices())-1].Name, runtime.GOMAXPROCS(0), runtime.Version())
	switch *part {
	case "pair":
		b.pair()
	case "beside":
		for _, r := range ints(*ratios) {
			b.beside(r)
		}
	case "gpu":
		b.gpu()
	case "chunks":
		b.chunks()
	default:
		flag.Usage()
		os.Exit(2)
	}
	fmt.Printf("%d of %d promises hold; %d rounds were repeated and %d kept that had to share the processors with others\n",
		b.held, b.held+b.broken, b.repeated, b.crowded)
	if b.broken > 0 {
		os.Exit(1)
	}
}

func ints(list string) (out []int) {
	for _, s := range strings.Split(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		must(err)
		out = append(out, n)
	}
	return out
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "hetero:", err)
		os.Exit(1)
	}
}

type bench struct {
	rounds       int
	sizes        []int
	only         string
	verbose      bool
	held, broken int
	// Rounds that were repeated because the machine had no two processors for them, and those that were kept all the same.
	repeated, crowded int
}

// verdict counts a promise.
func (b *bench) verdict(ok bool) string {
	if ok {
		b.held++
		return "ok"
	}
	b.broken++
	return "FAIL"
}

// host opens a host device of one worker.
func host() hetero.Device {
	d, err := cuda.OpenHost(cuda.HostConfig{Workers: 1})
	must(err)
	return hetero.OnCUDA(d)
}

// plan prepares a job on devices, and runs it until what is learned of them is trusted.
func plan(j *job, p *pace, warm int, devices ...hetero.Device) *hetero.Plan {
	pool, err := hetero.Open(hetero.PoolConfig{Devices: devices, NoModels: true})
	must(err)
	pl, err := pool.Compile(bg, j.kernel(p), j.grid, append([]hetero.Arg{hetero.Val(p.waste)}, j.args()...), hetero.RunConfig{})
	must(err)
	for range warm {
		_, err := pl.Run(bg)
		must(err)
	}
	return pl
}

// once runs a plan, checks its results and returns how long it took, for the caller.
func once(j *job, pl *hetero.Plan) (time.Duration, *hetero.Report) {
	begin := time.Now()
	rep, err := pl.Run(bg)
	took := time.Since(begin)
	must(err)
	must(j.check())
	return took, rep
}

// sideBySide reports whether this machine runs two goroutines at the same time just now: neighbours may have a processor.
func sideBySide() bool {
	spin := func() {
		x := 1.0
		for range 200_000 {
			x = x*0.9999 + 0.25
		}
		sink.Store(math.Float64bits(x))
	}
	begin := time.Now()
	spin()
	one := time.Since(begin)
	begin = time.Now()
	var wg sync.WaitGroup
	wg.Go(spin)
	wg.Go(spin)
	wg.Wait()
	return time.Since(begin).Seconds() < 1.35*one.Seconds()
}

var sink atomic.Uint64

// round calls f until the machine ran two goroutines at the same time before and after it, at most ten times. What is
// measured decides nothing about that.
func (b *bench) round(f func()) {
	for range 10 {
		before := sideBySide()
		if before {
			f()
		}
		if before && sideBySide() {
			return
		}
		b.repeated++
		time.Sleep(2 * time.Millisecond)
	}
	f()
	b.crowded++
}

// alone is the least of some runs on one device.
func alone(j *job, p *pace, d hetero.Device) time.Duration {
	pl := plan(j, p, 2, d)
	defer pl.Close()
	best := time.Hour
	for range 5 {
		t, _ := once(j, pl)
		best = min(best, t)
	}
	return best
}

func (b *bench) pair() {
	a, c := host(), host()
	for _, j := range append(jobs([]int{3}), jobs([]int{2})...) {
		if j.name != "mandelbrot" && j.name != "nbody" || b.only != "" && j.name != b.only {
			continue
		}
		none := &pace{}
		one, two := plan(j, none, 3, a), plan(j, none, 3, a, c)
		var t1, t2, small []float64
		var last *hetero.Report
		for range b.rounds {
			var x, y time.Duration
			b.round(func() {
				x, _ = once(j, one)
				y, last = once(j, two)
			})
			t1, t2 = append(t1, x.Seconds()), append(t2, y.Seconds())
			small = append(small, min(last.Devices[0].Share, last.Devices[1].Share))
		}
		ratio := func(draw []int) float64 { return median(pick(t2, draw)) / median(pick(t1, draw)) }
		r, s := ratio(identity(b.rounds)), median(small)
		lo, hi := interval(b.rounds, ratio)
		fmt.Printf("%-12s one %8.3f ms, two %8.3f ms: ratio %.3f [%.3f, %.3f], smaller share %.1f %%  (≤ 0.55, ≥ 40 %%: %s)\n",
			j.name, 1e3*median(t1), 1e3*median(t2), r, lo, hi, 100*s, b.verdict(r <= 0.55 && s >= 0.4))
		if b.verbose {
			fmt.Println(last)
		}
		must(one.Close())
		must(two.Close())
	}
}

func identity(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// tune finds a pace at which the host device alone is ratio times as fast as the Go body alone.
func tune(j *job, ratio int, a, g hetero.Device) *pace {
	p := &pace{}
	for range 3 {
		ta := alone(j, p, a).Seconds()
		q := *p
		q.spin = 0
		raw := alone(j, &q, g).Seconds()
		if want := ta * float64(ratio); raw <= want {
			p.spin = want / float64(j.items)
			return p
		}
		// The Go body is too slow by itself: the host device wastes time.
		each := 0.0
		for step := int32(64); each == 0 && step < 1<<20; step *= 4 {
			more := *p
			more.waste += step
			if grown := alone(j, &more, a).Seconds() - ta; grown > ta/2 {
				each = grown / float64(step)
			}
		}
		if each == 0 {
			return p
		}
		p.waste += int32((raw*1.05/float64(ratio) - ta) / each)
	}
	return p
}

func (b *bench) beside(ratio int) {
	a, g := host(), hetero.OnCPU(1)
	for _, j := range jobs(b.sizes) {
		if b.only != "" && j.name != b.only {
			continue
		}
		p := tune(j, ratio, a, g)
		pa, pg, both := plan(j, p, 3, a), plan(j, p, 3, g), plan(j, p, 4, a, g)
		var ta, tg, tb []float64
		var last *hetero.Report
		var slow time.Duration
		for range b.rounds {
			var x, z time.Duration
			b.round(func() {
				x, _ = once(j, pa)
				if ratio < 10 || slow == 0 { // the slower one alone is never the best
					slow, _ = once(j, pg)
				}
				z, last = once(j, both)
			})
			ta, tg, tb = append(ta, x.Seconds()), append(tg, slow.Seconds()), append(tb, z.Seconds())
		}
		const slack = 20e-6
		over := func(draw []int) float64 {
			best := min(median(pick(ta, draw)), median(pick(tg, draw)))
			if ratio >= 10 {
				best = median(pick(ta, draw))
			}
			return (median(pick(tb, draw)) - slack) / best
		}
		together := func(draw []int) float64 {
			return 1 / median(pick(tb, draw)) / (1/median(pick(ta, draw)) + 1/median(pick(tg, draw)))
		}
		r := over(identity(b.rounds))
		lo, hi := interval(b.rounds, over)
		fmt.Printf("1:%-3d %-12s %8.2f MB  host %9.1f µs, Go %9.1f µs, both %9.1f µs: (both - 20 µs)/best %.3f [%.3f, %.3f] (≤ 1.03: %s)",
			ratio, j.name, float64(j.bytes)/1e6, 1e6*median(ta), 1e6*median(tg), 1e6*median(tb), r, lo, hi, b.verdict(r <= 1.03))
		if ratio == 1 {
			s := together(identity(b.rounds))
			lo, hi := interval(b.rounds, together)
			if j.long(ta) {
				fmt.Printf("; of the sum of both %.3f [%.3f, %.3f] (≥ 0.9: %s)", s, lo, hi, b.verdict(s >= 0.9))
			} else {
				fmt.Printf("; of the sum of both %.3f [%.3f, %.3f]", s, lo, hi)
			}
		}
		fmt.Println()
		if b.verbose {
			fmt.Println(last)
		}
		must(pa.Close())
		must(pg.Close())
		must(both.Close())
	}
}

// long reports whether a job takes long enough that two devices can be worth their overhead: a millisecond.
func (*job) long(alone []float64) bool { return median(alone) >= 1e-3 }

// chunks measures what a chunk costs: an empty body, a million chunks of one item.
func (b *bench) chunks() {
	const n = 1_000_000
	k, err := hetero.NewKernel("empty", hetero.Go(func(context.Context, int, int) error { return nil }))
	must(err)
	for _, workers := range []int{1, 2} {
		var devices []hetero.Device
		for range workers {
			devices = append(devices, hetero.OnCPU(1))
		}
		pool, err := hetero.Open(hetero.PoolConfig{Devices: devices, NoModels: true})
		must(err)
		var took []float64
		var grown uint64
		for range b.rounds {
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			begin := time.Now()
			_, err := pool.Run(bg, k, hetero.Grid1(n, 1), nil, hetero.RunConfig{Policy: ones{}})
			must(err)
			took = append(took, time.Since(begin).Seconds())
			runtime.ReadMemStats(&after)
			grown = max(grown, after.TotalAlloc-before.TotalAlloc)
		}
		t := median(took)
		lo, hi := interval(b.rounds, func(draw []int) float64 { return median(pick(took, draw)) })
		most := 500.0
		if workers > 1 {
			most = 1000
		}
		fmt.Printf("%d devices: a million chunks in %.3f s [%.3f, %.3f], %.0f ns each, %.2f MiB of memory (≤ 1 s, ≤ %.0f ns, ≤ 16 MiB: %s)\n",
			workers, t, lo, hi, 1e9*t/n, float64(grown)/(1<<20), most, b.verdict(t <= 1 && 1e9*t/n <= most && grown <= 16<<20))
	}
}
