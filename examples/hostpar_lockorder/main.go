// Command hostpar_lockorder appends the numbers 1 to 100 to a list from 100 goroutines in three ways.
//
// A Python text concludes from its output that a Lock brings the numbers into order. It does not: it lets one in at a
// time, and CPython's threads happened to come in the order of their start. What gives order is a Sequencer.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/tandem-go/tandem/hostpar/par"
)

func main() {
	work := flag.Duration("work", 100*time.Microsecond, "how long each holds the list")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *work); err != nil {
		fmt.Fprintln(os.Stderr, "hostpar_lockorder:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, work time.Duration) error {
	const n = 100
	everybody := par.Config{Workers: n, Chunk: 1}
	var list []int
	appendTo := func(ctx context.Context, i int) error {
		if err := par.Sleep(ctx, work); err != nil {
			return err
		}
		list = append(list, i+1)
		return nil
	}
	report := func(name string) {
		complete := slices.Sorted(slices.Values(list))
		all := len(complete) == n && complete[0] == 1 && complete[n-1] == n && len(slices.Compact(complete)) == n
		fmt.Fprintf(w, "%s: every number once: %v, in order: %v\n", name, all, slices.IsSorted(list))
		list = nil
	}

	var m par.Mutex
	err := par.For(ctx, n, everybody, func(ctx context.Context, i int) error {
		if err := par.Sleep(ctx, time.Duration(rand.IntN(1000))*time.Microsecond); err != nil { // come when you like
			return err
		}
		if err := m.Lock(ctx); err != nil {
			return err
		}
		defer m.Unlock() //nolint:errcheck // held
		return appendTo(ctx, i)
	})
	if err != nil {
		return err
	}
	report("with a Mutex")

	var s par.Sequencer
	err = par.For(ctx, n, everybody, func(ctx context.Context, i int) error {
		if err := par.Sleep(ctx, time.Duration(rand.IntN(1000))*time.Microsecond); err != nil {
			return err
		}
		return s.Do(ctx, int64(i), func() error { return appendTo(ctx, i) })
	})
	if err != nil {
		return err
	}
	report("with a Sequencer")

	indexes := make([]int, n)
	for i := range indexes {
		indexes[i] = i + 1
	}
	list, err = par.Map(ctx, indexes, everybody, func(_ context.Context, i int) (int, error) { return i, nil })
	if err != nil {
		return err
	}
	report("with Map, which needs no lock")
	return nil
}
