// Command hostpar_processes starts processes with names, in the background and with shared memory, ends one, and shows what
// processes do not share.
//
// A Python text does the same with multiprocessing: Process, daemon, terminate, Value and Array, Manager, Pipe and Queue.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/tandem-go/tandem/hostpar/proc"
	"github.com/tandem-go/tandem/hostpar/shm"
)

func main() {
	os.Exit(proc.Main(func() int {
		if err := run(context.Background(), os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "hostpar_processes:", err)
			return 1
		}
		return 0
	}))
}

var results []int // each process has its own

var name = proc.Register("name", func(_ context.Context, xs []int) (string, error) {
	for _, x := range xs {
		results = append(results, x*x)
	}
	return fmt.Sprintf("%s, results there: %v", proc.Current().Name, results), nil
})

var wait = proc.Register("wait", func(ctx context.Context, _ bool) (bool, error) {
	<-ctx.Done()
	return false, nil
})

type squares struct {
	Results *shm.Array[int]
	Sum     *shm.Value[int]
}

var square = proc.Register("square", func(ctx context.Context, in squares) (bool, error) {
	for i := range in.Results.Len() {
		in.Results.Set(i, (i+1)*(i+1))
		if _, err := in.Sum.Update(ctx, func(sum *int) { *sum += in.Results.At(i) }); err != nil {
			return false, err
		}
	}
	return true, nil
})

type entry struct {
	D proc.Dict[int, int]
	L proc.List[int]
	I int
}

var fill = proc.Register("fill", func(ctx context.Context, in entry) (bool, error) {
	return true, cmp.Or(in.D.Set(ctx, in.I, 2*in.I), in.L.Append(ctx, in.I))
})

var talk = proc.Register("talk", func(ctx context.Context, c *proc.Conn[[]any]) (bool, error) {
	return true, c.Send(ctx, []any{42, nil, "hello"})
})

func run(ctx context.Context, w io.Writer) error {
	p, err := proc.Start(ctx, name, []int{1, 2, 3, 4}, proc.StartConfig{Name: "worker 1"})
	if err != nil {
		return err
	}
	text, err := p.Wait(ctx)
	fmt.Fprintf(w, "%s; here: %v\n", text, results)

	d, startErr := proc.Start(ctx, wait, true, proc.StartConfig{Name: "background", Daemon: true})
	if err = cmp.Or(err, startErr); err != nil {
		return err
	}
	fmt.Fprintf(w, "%s is a daemon: %v, alive: %v\n", d.Name(), d.Daemon(), d.Alive())
	d.Terminate()
	err = d.Join(ctx)
	_, sig, _ := d.ExitCode()
	fmt.Fprintf(w, "terminated, alive: %v, signal: %v\n", d.Alive(), sig)
	return cmp.Or(err, share(ctx, w), manage(ctx, w), send(ctx, w))
}

func share(ctx context.Context, w io.Writer) error {
	array, err := shm.NewArray[int](4)
	if err != nil {
		return err
	}
	sum, err := shm.NewValue(0)
	if err != nil {
		return err
	}
	_, err = proc.Run(ctx, square, squares{array, sum}, proc.StartConfig{})
	total, loadErr := sum.Load(ctx)
	fmt.Fprintf(w, "squares in shared memory: %v, sum %d\n", array.Slice(), total)
	return cmp.Or(err, loadErr)
}
