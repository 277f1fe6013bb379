// Command hostpar_order shows what puts the work of several processes into order, and what does not.
//
// Python's texts append to a list under a Lock from a hundred processes and take the order of their output for the lock's
// doing; make random strings in processes and sort them by position; and let four processes meet at a barrier for two.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/tandem-go/tandem/hostpar/proc"
	"github.com/tandem-go/tandem/hostpar/shm"
)

func main() {
	os.Exit(proc.Main(func() int {
		if err := run(context.Background(), os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "hostpar_order:", err)
			return 1
		}
		return 0
	}))
}

type entry struct {
	List *shm.List[int]
	I    int
}

// add appends to a list that all processes share, when it pleases.
var add = proc.Register("add", func(ctx context.Context, in entry) (int, error) {
	time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond)
	return in.I, in.List.Append(ctx, in.I)
})

func run(ctx context.Context, w io.Writer) error {
	pool, err := proc.NewPool(ctx, proc.PoolConfig{Workers: 4})
	if err != nil {
		return err
	}
	defer pool.Close()
	arena, err := shm.NewArena(1 << 16)
	if err != nil {
		return err
	}
	list, err := shm.NewList[int](ctx, arena)
	if err != nil {
		return err
	}
	var entries []entry
	for i := range 100 {
		entries = append(entries, entry{list, i + 1})
	}
	returned, err := proc.Map(ctx, pool, add, entries, proc.MapConfig{Chunk: 1})
	if err != nil {
		return err
	}
	appended, err := list.All(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "appended under a lock: in order: %v, each once: %v\n", slices.IsSorted(appended), slices.Equal(slices.Sorted(slices.Values(appended)), returned))
	fmt.Fprintf(w, "returned by Map: in order: %v\n", slices.IsSorted(returned))
	return cmp.Or(texts(ctx, w, pool), meet(ctx, w))
}

// text is a string with its position.
type text struct {
	Position int
	Text     string
}

type random struct {
	Position int
	Seed     uint64
	To       *proc.Queue[text]
}

// letters makes a string of five letters, and also puts it into a queue, in the order of who is first.
var letters = proc.Register("letters", func(ctx context.Context, in random) (string, error) {
	rng := rand.New(rand.NewPCG(in.Seed, uint64(in.Position)))
	b := make([]byte, 5)
	for i := range b {
		b[i] = byte('a' + rng.IntN(26))
	}
	return string(b), in.To.Put(ctx, text{in.Position, string(b)})
})

func texts(ctx context.Context, w io.Writer, pool *proc.Pool) error {
	q, err := proc.NewQueue[text](proc.QueueConfig{})
	if err != nil {
		return err
	}
	var tasks []random
	for i := range 4 {
		tasks = append(tasks, random{i, 123, q})
	}
	ordered, err := proc.Map(ctx, pool, letters, tasks, proc.MapConfig{Chunk: 1})
	q.Close()
	came := slices.Collect(q.All(ctx))
	slices.SortFunc(came, func(a, b text) int { return a.Position - b.Position })
	same := len(came) == len(ordered)
	for i, t := range came {
		same = same && t.Text == ordered[i]
	}
	fmt.Fprintf(w, "strings by position: %q; the queue's, sorted by position, are the same: %v\n", ordered, same)
	return err
}

// come waits at the barrier and returns its place in the pair and the time it was let through.
var come = proc.Register("come", func(ctx context.Context, b *shm.Barrier) (out [2]int64, err error) {
	place, err := b.Wait(ctx)
	return [2]int64{int64(place), time.Now().UnixNano()}, err
})

// meet lets four processes meet at a barrier for two: they go on in pairs.
func meet(ctx context.Context, w io.Writer) error {
	b, err := shm.NewBarrier(2)
	if err != nil {
		return err
	}
	for pair := range 2 {
		var ps []*proc.Process[[2]int64]
		for i := range 2 {
			p, err := proc.Start(ctx, come, b, proc.StartConfig{Name: fmt.Sprintf("p%d", 2*pair+i+1)})
			if err != nil {
				return err
			}
			ps = append(ps, p)
		}
		var times [2]int64
		places := 0
		for i, p := range ps {
			out, err := p.Wait(ctx)
			if err != nil {
				return err
			}
			times[i] = out[1]
			places += int(out[0])
		}
		fmt.Fprintf(w, "%s and %s met: %v, and went on %v apart\n", ps[0].Name(), ps[1].Name(), places == 1, time.Duration(max(times[0], times[1])-min(times[0], times[1])).Round(time.Microsecond))
	}
	return nil
}
