package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/tandem-go/tandem/hostpar/par"
	"github.com/tandem-go/tandem/hostpar/proc"
)

// fib numbers as the text does: fib(1) = 0, fib(2) = 1.
var fib = proc.Register("fib", func(_ context.Context, n int) (int, error) {
	if n < 1 {
		return 0, fmt.Errorf("fib(%d): numbers begin at 1", n)
	}
	return fibFrom1(n), nil
})

func fibFrom1(n int) int {
	if n <= 2 {
		return n - 1
	}
	return fibFrom1(n-1) + fibFrom1(n-2)
}

// compare computes the same number five times in three ways.
func compare(ctx context.Context, w io.Writer, pool *proc.Pool, n, cores int) error {
	ns := []int{n, n, n, n, n}
	var serial time.Duration
	for i, way := range []struct {
		name string
		do   func() ([]int, error)
	}{
		{"serial", func() ([]int, error) { return par.Map(ctx, ns, par.Config{Workers: 1}, fib.Do) }},
		{"goroutines", func() ([]int, error) { return par.Map(ctx, ns, par.Config{Chunk: 1}, fib.Do) }},
		{"processes", func() ([]int, error) { return proc.Map(ctx, pool, fib, ns, proc.MapConfig{Chunk: 1}) }},
	} {
		began := time.Now()
		fs, err := way.do()
		if err != nil {
			return err
		}
		took := time.Since(began)
		if i == 0 {
			serial = took
		}
		speedUp := serial.Seconds() / took.Seconds()
		fmt.Fprintf(w, "fib(%d) = %d, five times, %s: %.3f s, speed-up %.2f, efficiency %.0f %%\n", n, fs[4], way.name, took.Seconds(), speedUp,
			100*speedUp/float64(min(5, cores)))
	}
	return nil
}
