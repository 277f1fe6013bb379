// Command hostpar_parzen estimates a density at a point with Parzen windows of 100 widths, serially and on several
// numbers of goroutines, or of processes with -processes, prints times and efficiency, and draws them as a bar chart.
//
// A Python text on multiprocessing does this with Pool.apply_async. It divides the share of samples inside a window by
// its width h, as it takes the dimension from the shape of a column vector; the volume of a window is h to the power of
// the dimension. The program does that; -divisor=h reproduces the text's table, whose conclusion (the best width is
// near 1.1) comes from the wrong divisor.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"github.com/tandem-go/tandem/hostpar/par"
	"github.com/tandem-go/tandem/hostpar/proc"
)

type config struct {
	samples, widths int
	divisor         string
	plot            string
	processes       bool
}

func main() {
	var c config
	flag.IntVar(&c.samples, "samples", 10_000, "number of samples of the two-dimensional normal distribution")
	flag.IntVar(&c.widths, "widths", 100, "number of window widths, from 0.1 to 1.2")
	flag.StringVar(&c.divisor, "divisor", "volume", "volume, or h as in the text")
	flag.StringVar(&c.plot, "plot", "", "file for the bar chart: .png or .svg")
	flag.BoolVar(&c.processes, "processes", false, "work in processes instead of goroutines")
	os.Exit(proc.Main(func() int {
		flag.Parse()
		if err := run(context.Background(), os.Stdout, c); err != nil {
			fmt.Fprintln(os.Stderr, "hostpar_parzen:", err)
			return 1
		}
		return 0
	}))
}

// window is one estimate for a worker process, which gets the samples once.
type window struct {
	Samples  *proc.Shared[[]point]
	H        float64
	Exponent int
}

var estimateWindow = proc.Register("estimateWindow", func(_ context.Context, w window) (float64, error) {
	xs, err := w.Samples.Value()
	if err != nil {
		return 0, err
	}
	return estimate(xs, point{}, w.H, w.Exponent), nil
})

// inProcesses estimates at all widths in a pool of processes, which is started before the clock.
func inProcesses(ctx context.Context, xs []point, widths []float64, workers, exponent int) (densities []float64, took time.Duration, err error) {
	pool, err := proc.NewPool(ctx, proc.PoolConfig{Workers: workers})
	if err != nil {
		return nil, 0, err
	}
	defer pool.Close()
	samples, err := proc.Broadcast(xs)
	if err != nil {
		return nil, 0, err
	}
	windows := make([]window, len(widths))
	for i, h := range widths {
		windows[i] = window{samples, h, exponent}
	}
	began := time.Now()
	densities, err = proc.Map(ctx, pool, estimateWindow, windows, proc.MapConfig{})
	return densities, time.Since(began), err
}

// normal draws points of a distribution whose density at 0 is 1/(2π) = 0.159.
func normal(n int, seed uint64) []point {
	rng := rand.New(rand.NewPCG(seed, 0))
	xs := make([]point, n)
	for i := range xs {
		xs[i] = point{rng.NormFloat64(), rng.NormFloat64()}
	}
	return xs
}

// timed estimates at all widths by that many workers, 0 for none but the caller.
func timed(ctx context.Context, c config, xs []point, widths []float64, workers, exponent int) ([]float64, time.Duration, error) {
	began := time.Now()
	if workers == 0 {
		densities := make([]float64, len(widths))
		for i, h := range widths {
			densities[i] = estimate(xs, point{}, h, exponent)
		}
		return densities, time.Since(began), nil
	}
	if c.processes {
		return inProcesses(ctx, xs, widths, workers, exponent)
	}
	densities, err := par.Map(ctx, widths, par.Config{Workers: workers}, func(_ context.Context, h float64) (float64, error) {
		return estimate(xs, point{}, h, exponent), nil
	})
	return densities, time.Since(began), err
}

func run(ctx context.Context, w io.Writer, c config) error {
	exponent, ok := map[string]int{"volume": 2, "h": 1}[c.divisor]
	if !ok || c.samples < 1 || c.widths < 2 {
		return fmt.Errorf("want at least 1 sample, 2 widths, and divisor volume or h; have %+v", c)
	}
	fmt.Fprint(w, system())
	xs := normal(c.samples, 123)
	if exponent == 1 {
		fmt.Fprintln(w, "divisor h, as in the text: these are not densities")
	}
	for _, h := range []float64{0.1, 0.5, 1, 1.1, 1.2} {
		fmt.Fprintf(w, "h = %.1f: %.4f\n", h, estimate(xs, point{}, h, exponent))
	}

	widths := make([]float64, c.widths)
	for i := range widths {
		widths[i] = 0.1 + 1.1*float64(i)/float64(c.widths-1)
	}
	var chart bars
	var serial []float64
	for _, workers := range []int{0, 2, 3, 4, 6} { // 0: serially
		densities, took, err := timed(ctx, c, xs, widths, workers, exponent)
		if err != nil {
			return err
		}
		if workers == 0 {
			serial = densities
		}
		chart.add(workers, took)
		for i := range serial {
			if densities[i] != serial[i] {
				return fmt.Errorf("%d workers: width %g gives %g, serially %g", workers, widths[i], densities[i], serial[i])
			}
		}
	}
	fmt.Fprint(w, chart.table())
	if c.plot == "" {
		return nil
	}
	return chart.save(c.plot)
}
