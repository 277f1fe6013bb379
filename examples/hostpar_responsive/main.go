// Command hostpar_responsive keeps an event loop ticking while a long computation runs elsewhere, and shows what
// happens when it runs on the loop instead.
//
// Python's texts show it with a window that freezes, and that a thread keeps alive; the ticker stands for the window.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/tandem-go/tandem/hostpar/par"
	"github.com/tandem-go/tandem/hostpar/task"
)

func main() {
	length := flag.Duration("length", 2*time.Second, "how long the job takes")
	period := flag.Duration("period", 100*time.Millisecond, "of the ticker")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *length, *period); err != nil {
		fmt.Fprintln(os.Stderr, "hostpar_responsive:", err)
		os.Exit(1)
	}
}

// ticker counts ticks and keeps the longest time between two.
type ticker struct {
	ticks   int
	longest time.Duration
}

func (t *ticker) run(co *task.Co, period time.Duration) (int, error) {
	for last := co.Loop().Now(); ; t.ticks++ {
		if err := co.Sleep(period); err != nil {
			return t.ticks, err
		}
		now := co.Loop().Now()
		t.longest = max(t.longest, now.Sub(last))
		last = now
	}
}

func run(ctx context.Context, w io.Writer, length, period time.Duration) error {
	pool := par.NewPool(par.PoolConfig{Workers: 1})
	defer pool.Close()
	for _, elsewhere := range []bool{true, false} {
		_, err := task.Run(ctx, func(co *task.Co) (int, error) {
			var t ticker
			task.Spawn(co.Loop(), func(co *task.Co) (int, error) { return t.run(co, period) })
			if err := co.Yield(); err != nil { // let it begin
				return 0, err
			}
			if !elsewhere {
				time.Sleep(length) // never do this on a loop
				if err := co.Sleep(period / 2); err != nil {
					return 0, err
				}
				fmt.Fprintf(w, "job on the loop: %d ticks, the longest wait %v\n", t.ticks, t.longest.Round(period/10))
				return 0, nil
			}
			job, err := task.Submit(ctx, pool, func(ctx context.Context) (string, error) { return "done", par.Sleep(ctx, length) })
			if err != nil {
				return 0, err
			}
			if _, err := task.Await(co, job); err != nil {
				return 0, err
			}
			fmt.Fprintf(w, "job elsewhere:   %d ticks, the longest wait %v\n", t.ticks, t.longest.Round(period/10))
			return 0, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
