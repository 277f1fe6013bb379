// Command hetero measures one launch over two devices against each of them alone, interleaved: in each round each
// configuration runs once, and each round begins with another one. It prints medians with bootstrap intervals of 95 %, and
// exits with 1 where a promise does not hold.
//
//	-part all     pair, beside, chunks, sum and real, which need no GPU; with -write FILE, as a page
//	-part pair    two host devices of one worker each, against one: mandelbrot and nbody
//	-part beside  a host device of one worker and a Go body of one worker, at speeds of 1:1, 1:4 and 1:37
//	-part chunks  what a chunk costs, and a million of them
//	-part sum     a sum that has the same bits for every split, against one that has not
//	-part real    devices that sleep, the CPU against two goroutines by hand, and tiny jobs
//	-part gpu     the GPU and the CPU: never worse than the best, gain, data on the GPU, overlap, faults, disturbance,
//	              cores, streams of jobs, and code by hand; with TANDEM_DEVICE=host a host device stands in for the GPU
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
	part := flag.String("part", "all", "all, pair, beside, chunks, sum, real or gpu")
	rounds := flag.Int("rounds", 15, "rounds of each measurement")
	sizes := flag.String("sizes", "0,1,2,3", "which of the sizes")
	only := flag.String("kernel", "", "this kernel only")
	ratios := flag.String("ratios", "1,4,37", "how many times slower the Go body is")
	verbose := flag.Bool("v", false, "print the report of the last round")
	write := flag.String("write", "", "file for the page of results")
	child := flag.String("child", "", "for the program's own use")
	flag.Parse()
	b := &bench{rounds: *rounds, sizes: ints(*sizes), ratios: ints(*ratios), only: *only, verbose: *verbose}
	if *child != "" {
		b.child(*child)
		return
	}
	parts := map[string][]func(){
		"pair": {b.pair}, "beside": {b.beside}, "chunks": {b.chunks}, "sum": {b.sum}, "real": {b.real}, "gpu": {b.gpu},
		"all": {b.pair, b.beside, b.chunks, b.sum, b.real},
	}
	if parts[*part] == nil {
		flag.Usage()
		os.Exit(2)
	}
	fmt.Printf("%s, %d processors, %s\n", cuda.Devices()[len(cuda.Devices())-1].Name, runtime.GOMAXPROCS(0), runtime.Version())
	for _, f := range parts[*part] {
		f()
	}
	fmt.Printf("\n%d of %d promises hold; %d rounds were repeated and %d kept that had to share the processors with others\n",
		b.held, b.held+b.broken, b.repeated, b.crowded)
	if *write != "" {
		must(b.page(*write))
	}
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
	rounds        int
	sizes, ratios []int
	only          string
	verbose       bool
	standIn       bool // host devices stand in for GPUs
	tables        []*table
	held, broken  int
	// Rounds that were repeated because the machine had no two processors for them, and those that were kept all the same.
	repeated, crowded int
}

// host opens a host device of one worker.
func host() hetero.Device {
	d, err := cuda.OpenHost(cuda.HostConfig{Workers: 1})
	must(err)
	return hetero.OnCUDA(d)
}

// open makes a pool that neither reads nor writes models.
func open(devices ...hetero.Device) *hetero.Pool {
	pool, err := hetero.Open(hetero.PoolConfig{Devices: devices, NoModels: true})
	must(err)
	return pool
}

// plan prepares a job on devices, and runs it until what is learned of them is trusted.
func plan(j *job, p *pace, warm int, devices ...hetero.Device) *hetero.Plan {
	pl, err := open(devices...).Compile(bg, j.kernel(p), j.grid, append([]hetero.Arg{hetero.Val(p.waste)}, j.args()...), hetero.RunConfig{})
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

// measure calls all functions in each round, in turn and beginning with another one, and returns what they return. A round
// is repeated until the machine ran two goroutines at the same time before and after it, at most ten times: what is
// measured decides nothing about that.
func (b *bench) measure(fs ...func() float64) [][]float64 { return b.measureOften(1, fs...) }

// measureOften is measure with several turns in each round, of which the median counts: for what is so short that a
// single interrupt shows.
func (b *bench) measureOften(often int, fs ...func() float64) (out [][]float64) {
	out = make([][]float64, len(fs))
	for i := range b.rounds {
		var got [][]float64
		good := false
		for try := 0; try < 10 && !good; try++ {
			before := sideBySide()
			if before || try == 9 {
				got = inTurn(i, often, fs)
			}
			if good = before && sideBySide(); !good {
				b.repeated++
				time.Sleep(2 * time.Millisecond) // longer, and the second processor would be asleep
			}
		}
		if !good {
			b.crowded++
		}
		for k := range fs {
			out[k] = append(out[k], median(got[k]))
		}
	}
	return out
}

// inTurn calls all functions so often, one after the other, beginning with number first.
func inTurn(first, often int, fs []func() float64) [][]float64 {
	got := make([][]float64, len(fs))
	for turn := range often {
		for k := range fs {
			k = (k + first + turn) % len(fs)
			got[k] = append(got[k], fs[k]())
		}
	}
	return got
}

// timed is the seconds that a run of the plan takes.
func timed(j *job, pl *hetero.Plan) func() float64 {
	return func() float64 { t, _ := once(j, pl); return t.Seconds() }
}

// chunks measures what a chunk costs: an empty body, a million chunks of one item.
func (b *bench) chunks() {
	const n = 1_000_000
	k, err := hetero.NewKernel("empty", hetero.Go(func(context.Context, int, int) error { return nil }))
	must(err)
	t := b.table("What a chunk costs", "An empty body, a million chunks of one item each.",
		"", "a million chunks, s", "a chunk, ns", "memory, MiB", "wanted", "held")
	for _, workers := range []int{1, 2} {
		var devices []hetero.Device
		for range workers {
			devices = append(devices, hetero.OnCPU(1))
		}
		pool := open(devices...)
		var grown uint64
		took := b.measure(func() float64 {
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			begin := time.Now()
			_, err := pool.Run(bg, k, hetero.Grid1(n, 1), nil, hetero.RunConfig{Policy: ones{}})
			must(err)
			took := time.Since(begin).Seconds()
			runtime.ReadMemStats(&after)
			grown = max(grown, after.TotalAlloc-before.TotalAlloc)
			return took
		})[0]
		v, lo, hi := b.median(took)
		most := map[int]float64{1: 500, 2: 1000}[workers]
		t.row(fmt.Sprintf("%d devices", workers), with("%.3f", v, lo, hi), fmt.Sprintf("%.0f", 1e9*v/n), fmt.Sprintf("%.2f", float64(grown)/(1<<20)),
			fmt.Sprintf("≤ 1 s, ≤ %.0f ns, ≤ 16 MiB", most), b.verdict(v <= 1 && 1e9*v/n <= most && grown <= 16<<20))
	}
}
