// Command hostpar_pool runs the same work serially, on goroutines and in worker processes: cubes, pi, and Fibonacci numbers,
// and shows that a worker may die.
//
// A Python text compares threads with processes: CPython's threads gain nothing, as one at a time may run. Goroutines use
// all cores; processes are for work that may crash, leak or hang.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"

	"github.com/tandem-go/tandem/hostpar/par"
	"github.com/tandem-go/tandem/hostpar/proc"
)

func main() {
	os.Exit(proc.Main(func() int {
		n := flag.Int("n", 40, "which Fibonacci number")
		steps := flag.Int("steps", 10_000_000, "steps for pi")
		flag.Parse()
		if err := run(context.Background(), os.Stdout, *n, *steps); err != nil {
			fmt.Fprintln(os.Stderr, "hostpar_pool:", err)
			return 1
		}
		return 0
	}))
}

var cube = proc.Register("cube", func(_ context.Context, x int) (int, error) {
	if x == 13 {
		os.Exit(1) // an unlucky number
	}
	return x * x * x, nil
})

type span struct{ Lo, Hi, N int }

// area is a part of the integral of 4/(1+x²) from 0 to 1.
var area = proc.Register("area", func(_ context.Context, s span) (sum float64, _ error) {
	for i := s.Lo; i < s.Hi; i++ {
		x := (float64(i) + 0.5) / float64(s.N)
		sum += 4 / (1 + x*x)
	}
	return sum / float64(s.N), nil
})

func run(ctx context.Context, w io.Writer, n, steps int) error {
	pool, err := proc.NewPool(ctx, proc.PoolConfig{})
	if err != nil {
		return err
	}
	defer pool.Close()
	cubes, err := proc.Map(ctx, pool, cube, []int{1, 2, 3, 4, 5, 6}, proc.MapConfig{})
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "cubes:", cubes)
	cubes, err = proc.Map(ctx, pool, cube, []int{12, 13, 14}, proc.MapConfig{All: true})
	fmt.Fprintf(w, "one worker has died: %v, the other cubes: %d and %d\n", err != nil, cubes[0], cubes[2])

	cores := runtime.GOMAXPROCS(0)
	var spans []span
	for lo, hi := range par.Ranges(steps, 4*cores) {
		spans = append(spans, span{lo, hi, steps})
	}
	parts, err := proc.Map(ctx, pool, area, spans, proc.MapConfig{})
	pi := 0.0
	for _, p := range parts {
		pi += p
	}
	fmt.Fprintf(w, "pi = %.12f, error below 1e-12: %v\n", pi, math.Abs(pi-math.Pi) < 1e-12)
	return cmp.Or(err, compare(ctx, w, pool, n, cores))
}
