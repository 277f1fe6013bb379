// Command hostpar_parzen estimates a density at a point with Parzen windows of 100 widths, serially and on several
// numbers of goroutines, prints times and efficiency, and draws them as a bar chart.
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
)

type config struct {
	samples, widths int
	divisor         string
	plot            string
}

func main() {
	var c config
	flag.IntVar(&c.samples, "samples", 10_000, "number of samples of the two-dimensional normal distribution")
	flag.IntVar(&c.widths, "widths", 100, "number of window widths, from 0.1 to 1.2")
	flag.StringVar(&c.divisor, "divisor", "volume", "volume, or h as in the text")
	flag.StringVar(&c.plot, "plot", "", "file for the bar chart: .png or .svg")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, c); err != nil {
		fmt.Fprintln(os.Stderr, "hostpar_parzen:", err)
		os.Exit(1)
	}
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
	for _, workers := range []int{0, 2, 3, 4, 6} { // 0: without goroutines
		began := time.Now()
		var densities []float64
		var err error
		if workers == 0 {
			for _, h := range widths {
				densities = append(densities, estimate(xs, point{}, h, exponent))
			}
			serial = densities
		} else {
			densities, err = par.Map(ctx, widths, par.Config{Workers: workers}, func(_ context.Context, h float64) (float64, error) {
				return estimate(xs, point{}, h, exponent), nil
			})
		}
		if err != nil {
			return err
		}
		chart.add(workers, time.Since(began))
		for i := range serial {
			if densities[i] != serial[i] {
				return fmt.Errorf("%d goroutines: width %g gives %g, serially %g", workers, widths[i], densities[i], serial[i])
			}
		}
	}
	fmt.Fprint(w, chart.table())
	if c.plot == "" {
		return nil
	}
	return chart.save(c.plot)
}
