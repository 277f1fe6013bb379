// Command hostpar_queue connects producers and consumers by a bounded queue and prints its length as it goes.
//
// Python's texts show Queue with put, get, qsize, task_done and join, and a sentinel to end the consumers; here closing
// the queue ends them.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/tandem-go/tandem/hostpar/par"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "hostpar_queue:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer) error {
	q := par.NewQueue(par.QueueConfig[int]{Capacity: 3})
	consumed := 0
	err := par.Do(ctx, func(ctx context.Context) error { // produces faster than is consumed
		defer q.Close()
		for item := range 6 {
			if err := q.Put(ctx, item); err != nil {
				return err
			}
			fmt.Fprintf(w, "put %d, queue length %d\n", item, q.Len())
			if err := par.Sleep(ctx, 10*time.Millisecond); err != nil {
				return err
			}
		}
		return q.Join(ctx)
	}, func(ctx context.Context) error {
		if err := par.Sleep(ctx, 55*time.Millisecond); err != nil { // comes late
			return err
		}
		for item := range q.All(ctx) {
			consumed += item
			if err := q.TaskDone(); err != nil {
				return err
			}
		}
		return nil
	})
	fmt.Fprintln(w, "sum of what was consumed:", consumed)

	jobs := par.NewQueue(par.QueueConfig[string]{Less: func(a, b string) bool { return len(a) < len(b) }})
	for _, job := range []string{"long job", "job", "longest job"} {
		if err := jobs.Put(ctx, job); err != nil {
			return err
		}
	}
	jobs.Close()
	for job := range jobs.All(ctx) {
		fmt.Fprintln(w, "by length:", job)
	}
	return err
}
