// Command hostpar_sync shows each synchronisation object at work: a lock that its owner takes again, an event that
// releases many, a condition, a semaphore that limits, and a barrier that lets two of four through at a time.
//
// Python's threading and multiprocessing texts show RLock, Event, Condition, Semaphore and Barrier(2) in this way.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "hostpar_sync:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer) error {
	for _, show := range []func(context.Context, io.Writer) error{rmutex, event, cond, semaphore, barrier} {
		if err := show(ctx, w); err != nil {
			return err
		}
	}
	return nil
}
