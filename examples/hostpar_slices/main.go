// Command hostpar_slices cuts a list into slices, raises the numbers of each to a power in parallel, and joins the
// results.
//
// Python's texts do it with a slice_data function, Pool.map over the slices, and a nested list comprehension; and show
// apply, map, starmap and their asynchronous forms on a pool.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/tandem-go/tandem/hostpar/par"
	"github.com/tandem-go/tandem/hostpar/task"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "hostpar_slices:", err)
		os.Exit(1)
	}
}

func power(x, n int) int {
	r := 1
	for range n {
		r *= x
	}
	return r
}

func run(ctx context.Context, w io.Writer) error {
	var data []int
	for i := range 10 {
		data = append(data, i)
	}
	var slices [][]int
	for s := range par.Split(data, 4) {
		slices = append(slices, s)
	}
	fmt.Fprintln(w, "slices:", slices)
	squares, err := par.Map(ctx, slices, par.Config{}, func(_ context.Context, s []int) ([]int, error) {
		out := make([]int, len(s))
		for i, x := range s {
			out[i] = power(x, 2)
		}
		return out, nil
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "squares:", par.Flatten(squares))

	// apply: submit and wait at once.
	pool := par.NewPool(par.PoolConfig{Workers: 4})
	defer pool.Close()
	cube := func(x int) func(context.Context) (int, error) {
		return func(context.Context) (int, error) { return power(x, 3), nil }
	}
	for x := 1; x <= 2; x++ {
		f, err := task.Submit(ctx, pool, cube(x))
		if err != nil {
			return err
		}
		y, err := f.Wait(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "apply: %d cubed is %d\n", x, y)
	}
	// apply_async: submit all, wait later; with a callback.
	var fs []*task.Future[int]
	called := make(chan int, 6)
	for x := 1; x <= 6; x++ {
		f, err := task.Submit(ctx, pool, cube(x))
		if err != nil {
			return err
		}
		f.OnDone(func() { called <- x })
		fs = append(fs, f)
	}
	cubes, err := task.Gather(ctx, fs...)
	if err != nil {
		return err
	}
	for range fs {
		<-called
	}
	fmt.Fprintln(w, "asynchronous:", cubes, "with 6 callbacks")
	// starmap: an argument tuple is a struct.
	type args struct{ x, n int }
	powers, err := par.Map(ctx, []args{{2, 10}, {3, 4}, {10, 3}}, par.Config{}, func(_ context.Context, a args) (int, error) { return power(a.x, a.n), nil })
	fmt.Fprintln(w, "powers:", powers)
	return err
}
