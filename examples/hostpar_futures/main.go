// Command hostpar_futures runs the same work one after the other, in a pool of one worker and in a pool with a worker
// for each core, and prints results as they are completed.
//
// A Python text times sequential code, a ThreadPoolExecutor and a ProcessPoolExecutor with submit and as_completed.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/tandem-go/tandem/hostpar/par"
	"github.com/tandem-go/tandem/hostpar/task"
)

func main() {
	rounds := flag.Int("rounds", 10_000_000, "rounds of counting for each number")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "hostpar_futures:", err)
		os.Exit(1)
	}
}

// evaluate counts for a while and returns the number of rounds times x.
func evaluate(x, rounds int) int {
	n := 0
	for range rounds {
		n++
	}
	return n * x
}

func run(ctx context.Context, w io.Writer, rounds int) error {
	numbers := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	began := time.Now()
	for _, x := range numbers {
		if got := evaluate(x, rounds); got != x*rounds {
			return fmt.Errorf("evaluate(%d) is %d", x, got)
		}
	}
	serial := time.Since(began)
	fmt.Fprintf(w, "sequential: %.3f s\n", serial.Seconds())
	for _, workers := range []int{1, runtime.GOMAXPROCS(0)} {
		began = time.Now()
		if err := inPool(ctx, w, numbers, rounds, workers); err != nil {
			return err
		}
		took := time.Since(began).Seconds()
		speedUp := serial.Seconds() / took
		fmt.Fprintf(w, "pool of %d: %.3f s, speed-up %.2f, efficiency %.0f %%\n", workers, took, speedUp, 100*speedUp/float64(workers))
	}
	return nil
}

func inPool(ctx context.Context, w io.Writer, numbers []int, rounds, workers int) error {
	pool := par.NewPool(par.PoolConfig{Workers: workers})
	defer pool.Close()
	var fs []*task.Future[int]
	for _, x := range numbers {
		f, err := task.Submit(ctx, pool, func(context.Context) (int, error) { return evaluate(x, rounds), nil })
		if err != nil {
			return err
		}
		fs = append(fs, f)
	}
	for i, f := range task.AsCompleted(ctx, fs...) {
		result, err := f.Wait(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "evaluate(%d) = %d\n", numbers[i], result)
	}
	return ctx.Err()
}
