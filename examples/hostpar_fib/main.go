// Command hostpar_fib computes a Fibonacci number five times, one after the other and on goroutines.
//
// A Python text compares threads with processes in this way: CPython's threads gain nothing, as one at a time may run.
// Goroutines use all cores. The numbering is the text's: fib(1) = 0, fib(2) = 1, so fib(40) = 63245986.
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
)

func fib(n int) (int, error) {
	if n < 1 {
		return 0, fmt.Errorf("fib(%d): numbers begin at 1", n)
	}
	return fibFrom1(n), nil
}

func fibFrom1(n int) int {
	if n <= 2 {
		return n - 1
	}
	return fibFrom1(n-1) + fibFrom1(n-2)
}

func main() {
	n := flag.Int("n", 40, "which number")
	times := flag.Int("times", 5, "how often")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *n, *times); err != nil {
		fmt.Fprintln(os.Stderr, "hostpar_fib:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, n, times int) error {
	began := time.Now()
	for range times {
		f, err := fib(n)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "fib(%d) = %d\n", n, f)
	}
	serial := time.Since(began)

	began = time.Now()
	fs := make([]int, times)
	err := par.For(ctx, times, par.Config{Chunk: 1}, func(_ context.Context, i int) (err error) {
		fs[i], err = fib(n)
		return err
	})
	if err != nil {
		return err
	}
	parallel := time.Since(began)
	for _, f := range fs {
		fmt.Fprintf(w, "fib(%d) = %d on a goroutine\n", n, f)
	}
	speedUp := serial.Seconds() / parallel.Seconds()
	cores := min(runtime.GOMAXPROCS(0), times)
	fmt.Fprintf(w, "serial %.3f s, goroutines %.3f s: speed-up %.2f, efficiency %.0f %% on %d cores\n",
		serial.Seconds(), parallel.Seconds(), speedUp, 100*speedUp/float64(cores), cores)
	return nil
}
