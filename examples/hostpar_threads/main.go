// Command hostpar_threads starts named threads from a function and from a type with a Run method, joins them, lets one
// run in the background until the program has no use for it, and shows that a failing thread harms nobody.
//
// Python's threading texts do this with Thread(target=...), a subclass with run(), daemon=True and join().
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/hostpar/par"
)

// summer is what a subclass of Thread with a run method is in Python.
type summer struct{ lo, hi, sum int }

func (s *summer) Run(context.Context) error {
	for i := s.lo; i < s.hi; i++ {
		s.sum += i
	}
	return nil
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "hostpar_threads:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer) error {
	var beats atomic.Int64
	background := par.Go(ctx, "heartbeat", func(ctx context.Context) error {
		for par.Sleep(ctx, time.Millisecond) == nil {
			beats.Add(1)
		}
		return ctx.Err()
	})

	var threads []*par.Thread
	for i := range 5 {
		threads = append(threads, par.Go(ctx, fmt.Sprintf("worker-%d", i+1), func(ctx context.Context) error {
			// A sleeping thread leaves the processor to the others.
			return par.Sleep(ctx, time.Duration(5-i)*time.Millisecond)
		}))
	}
	for _, t := range threads {
		if err := t.Join(ctx); err != nil {
			return err
		}
		fmt.Fprintln(w, "joined", t.Name())
	}

	s := &summer{hi: 101}
	t := par.NewRunner("summer", s)
	if err := t.Start(ctx); err != nil {
		return err
	}
	fmt.Fprintln(w, "a second start:", t.Start(ctx))
	if err := t.Join(ctx); err != nil {
		return err
	}
	fmt.Fprintln(w, "sum of 0 to 100:", s.sum)

	bad := par.Go(ctx, "bad", func(context.Context) error {
		var none map[string]int
		none["x"] = 1
		return nil
	})
	var p *par.PanicError
	if !errors.As(bad.Join(ctx), &p) {
		return errors.New("the panic did not reach the joiner")
	}
	fmt.Fprintln(w, "thread bad:", p.Value)

	fmt.Fprintln(w, "background thread alive:", background.Alive())
	background.Cancel()
	if err := background.Join(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	fmt.Fprintln(w, "background thread alive:", background.Alive())
	return nil
}
