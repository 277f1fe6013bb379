// Command hostpar_pi integrates 4/(1+x²) from 0 to 1 with ten million steps, in five ways.
//
// The Python texts do it serially, with Pool.starmap, with apply_async, with processes and a queue, and with MPI's
// scatter and reduce; these are the counterparts on goroutines.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"time"

	"github.com/tandem-go/tandem/hostpar/par"
	"github.com/tandem-go/tandem/hostpar/task"
)

func main() {
	steps := flag.Int("steps", 10_000_000, "number of steps")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *steps); err != nil {
		fmt.Fprintln(os.Stderr, "hostpar_pi:", err)
		os.Exit(1)
	}
}

// area is the part of the integral over the steps lo to hi-1 of n.
func area(lo, hi, n int) (sum float64) {
	step := 1 / float64(n)
	for i := lo; i < hi; i++ {
		x := (float64(i) + 0.5) * step
		sum += 4 / (1 + x*x)
	}
	return sum * step
}

type span struct{ lo, hi int }

func total(parts []float64) (sum float64) {
	for _, p := range parts {
		sum += p
	}
	return sum
}

func run(ctx context.Context, w io.Writer, n int) error {
	cores := runtime.GOMAXPROCS(0)
	var spans []span
	for lo, hi := range par.Ranges(n, 4*cores) {
		spans = append(spans, span{lo, hi})
	}
	ofSpan := func(_ context.Context, s span) (float64, error) { return area(s.lo, s.hi, n), nil }
	ways := []struct {
		name string
		pi   func() (float64, error)
	}{
		{"serial", func() (float64, error) { return area(0, n, n), nil }},
		{"map", func() (float64, error) {
			parts, err := par.Map(ctx, spans, par.Config{Chunk: 1}, ofSpan)
			return total(parts), err
		}},
		{"futures", func() (float64, error) {
			var fs []*task.Future[float64]
			for _, s := range spans {
				fs = append(fs, task.Go(ctx, func(ctx context.Context) (float64, error) { return ofSpan(ctx, s) }))
			}
			parts, err := task.Gather(ctx, fs...)
			return total(parts), err
		}},
		{"queue", func() (float64, error) {
			q := par.NewQueue(par.QueueConfig[float64]{})
			err := par.For(ctx, len(spans), par.Config{Chunk: 1}, func(ctx context.Context, i int) error {
				return q.Put(ctx, area(spans[i].lo, spans[i].hi, n))
			})
			q.Close()
			sum := 0.0
			for part := range q.All(ctx) {
				sum += part
			}
			return sum, err
		}},
		{"reduce", func() (float64, error) {
			return par.ReduceRange(ctx, n, par.Config{}, func(_ context.Context, lo, hi int) (float64, error) {
				return area(lo, hi, n), nil
			}, func(a, b float64) float64 { return a + b })
		}},
	}
	var serial time.Duration
	for i, way := range ways {
		began := time.Now()
		pi, err := way.pi()
		took := time.Since(began)
		if err != nil {
			return err
		}
		on := cores
		if i == 0 {
			serial, on = took, 1
		}
		speedUp := serial.Seconds() / took.Seconds()
		fmt.Fprintf(w, "%-8s pi = %.15f, error %.0e, %.4f s, speed-up %.2f, efficiency %.0f %%\n",
			way.name, pi, math.Abs(pi-math.Pi), took.Seconds(), speedUp, 100*speedUp/float64(on))
	}
	return nil
}
