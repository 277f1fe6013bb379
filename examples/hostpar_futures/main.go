// Command hostpar_futures runs the same work one after the other, in a pool of one worker, in a pool with a worker for each
// core, and in as many processes, and prints results as they are completed.
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
	"github.com/tandem-go/tandem/hostpar/proc"
	"github.com/tandem-go/tandem/hostpar/task"
)

func main() {
	os.Exit(proc.Main(func() int {
		rounds := flag.Int("rounds", 10_000_000, "rounds of counting for each number")
		flag.Parse()
		if err := run(context.Background(), os.Stdout, *rounds); err != nil {
			fmt.Fprintln(os.Stderr, "hostpar_futures:", err)
			return 1
		}
		return 0
	}))
}

// evaluateIn is evaluate for worker processes.
var evaluateIn = proc.Register("evaluate", func(_ context.Context, in [2]int) (int, error) { return evaluate(in[0], in[1]), nil })

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
	cores := runtime.GOMAXPROCS(0)
	for _, way := range []struct {
		name    string
		workers int
		run     func(ctx context.Context, w io.Writer, numbers []int, rounds, workers int) error
	}{{"pool of 1", 1, inPool}, {fmt.Sprintf("pool of %d", cores), cores, inPool}, {fmt.Sprintf("%d processes", cores), cores, inProcesses}} {
		began = time.Now()
		if err := way.run(ctx, w, numbers, rounds, way.workers); err != nil {
			return err
		}
		took := time.Since(began).Seconds()
		speedUp := serial.Seconds() / took
		fmt.Fprintf(w, "%s: %.3f s, speed-up %.2f, efficiency %.0f %%\n", way.name, took, speedUp, 100*speedUp/float64(way.workers))
	}
	return nil
}

func inProcesses(ctx context.Context, w io.Writer, numbers []int, rounds, workers int) error {
	pool, err := proc.NewPool(ctx, proc.PoolConfig{Workers: workers})
	if err != nil {
		return err
	}
	defer pool.Close()
	var fs []*task.Future[int]
	for _, x := range numbers {
		f, err := proc.Submit(ctx, pool, evaluateIn, [2]int{x, rounds})
		if err != nil {
			return err
		}
		fs = append(fs, f)
	}
	return show(ctx, w, numbers, fs)
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
	return show(ctx, w, numbers, fs)
}

// show prints results as they come.
func show(ctx context.Context, w io.Writer, numbers []int, fs []*task.Future[int]) error {
	for i, f := range task.AsCompleted(ctx, fs...) {
		result, err := f.Wait(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "evaluate(%d) = %d\n", numbers[i], result)
	}
	return ctx.Err()
}
