// Command processes measures work between processes, beside CPython's multiprocessing where python3 is there: each thing
// several times, in turns, so that other load on the machine meets both. It prints the best of each and the ratio.
package main

import (
	"context"
	_ "embed"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/tandem-go/tandem/hostpar/proc"
	"github.com/tandem-go/tandem/hostpar/shm"
)

//go:embed bench.py
var script string

func main() { os.Exit(proc.Main(run)) }

var bg = context.Background()

type link struct {
	Conn  *proc.Conn[int]
	Ready *proc.Conn[int]
}

var drainPipe = proc.Register("drainPipe", func(ctx context.Context, in link) (sum int, err error) {
	if err := in.Ready.Send(ctx, 0); err != nil {
		return 0, err
	}
	for {
		x, err := in.Conn.Receive(ctx)
		if err != nil {
			return sum, nil //nolint:nilerr // the end of the pipe
		}
		sum += x
	}
})

var echo = proc.Register("echo", func(ctx context.Context, c *proc.Conn[int]) (int, error) {
	for {
		x, err := c.Receive(ctx)
		if err != nil {
			return 0, nil //nolint:nilerr // the end of the pipe
		}
		if err := c.Send(ctx, x); err != nil {
			return 0, err
		}
	}
})

type rings struct{ In, Out *shm.Ring }

var drainRing = proc.Register("drainRing", func(ctx context.Context, r rings) (sum int, err error) {
	if err := r.Out.Put(ctx, nil); err != nil {
		return 0, err
	}
	var b []byte
	for {
		if b, err = r.In.Get(ctx, b[:0]); err != nil {
			return sum, nil //nolint:nilerr // it was closed
		}
		sum += int(binary.LittleEndian.Uint64(b))
	}
})

var echoRing = proc.Register("echoRing", func(ctx context.Context, r rings) (_ int, err error) {
	var b []byte
	for {
		if b, err = r.In.Get(ctx, b[:0]); err != nil {
			return 0, nil //nolint:nilerr // it was closed
		}
		if err := r.Out.Put(ctx, b); err != nil {
			return 0, err
		}
	}
})

type queueEnd struct {
	Q     *proc.Queue[int]
	N     int
	Ready *proc.Conn[int]
}

var fill = proc.Register("fill", func(ctx context.Context, in queueEnd) (int, error) {
	for i := range in.N {
		if err := in.Q.Put(ctx, i); err != nil {
			return 0, err
		}
	}
	return 0, nil
})

var drainQueue = proc.Register("drainQueue", func(ctx context.Context, in queueEnd) (sum int, err error) {
	if err := in.Ready.Send(ctx, 0); err != nil {
		return 0, err
	}
	for x := range in.Q.All(ctx) {
		sum += x
	}
	return sum, nil
})

var square = proc.Register("square", func(_ context.Context, x int) (int, error) { return x * x, nil })

// must ends the program: a measurement that fails is none.
func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

func check(err error) { must(0, err) }

func pipe(n int) time.Duration {
	a, b, err := proc.Pipe[int]()
	check(err)
	ready, theirs, err := proc.Pipe[int]()
	check(err)
	p := must(proc.Start(bg, drainPipe, link{b, theirs}, proc.StartConfig{}))
	must(ready.Receive(bg))
	began := time.Now()
	for i := range n {
		check(a.Send(bg, i))
	}
	check(a.Close())
	expect(must(p.Wait(bg)), n*(n-1)/2)
	check(ready.Close())
	return time.Since(began)
}

func expect(got, want int) {
	if got != want {
		panic(fmt.Sprintf("got %d, want %d", got, want))
	}
}

func ring(n int) time.Duration {
	r := rings{must(shm.NewRing(1 << 20)), must(shm.NewRing(1))}
	p := must(proc.Start(bg, drainRing, r, proc.StartConfig{}))
	must(r.Out.Get(bg, nil))
	began := time.Now()
	var b [8]byte
	for i := range n {
		binary.LittleEndian.PutUint64(b[:], uint64(i))
		check(r.In.Put(bg, b[:]))
	}
	r.In.Close()
	expect(must(p.Wait(bg)), n*(n-1)/2)
	return time.Since(began)
}

func queue(n int) time.Duration {
	q := must(proc.NewQueue[int](proc.QueueConfig{}))
	var consumers, producers []*proc.Process[int]
	for range 2 {
		ready, theirs, err := proc.Pipe[int]()
		check(err)
		consumers = append(consumers, must(proc.Start(bg, drainQueue, queueEnd{q, 0, theirs}, proc.StartConfig{})))
		must(ready.Receive(bg))
		check(ready.Close())
	}
	began := time.Now()
	for range 2 {
		producers = append(producers, must(proc.Start(bg, fill, queueEnd{Q: q, N: n / 2}, proc.StartConfig{})))
	}
	for _, p := range producers {
		must(p.Wait(bg))
	}
	q.Close()
	sum := 0
	for _, c := range consumers {
		sum += must(c.Wait(bg))
	}
	expect(sum, n/2*(n/2-1))
	return time.Since(began)
}

func roundTrip(n int) time.Duration {
	a, b, err := proc.Pipe[int]()
	check(err)
	p := must(proc.Start(bg, echo, b, proc.StartConfig{}))
	check(a.Send(bg, 0))
	must(a.Receive(bg))
	began := time.Now()
	for i := range n {
		check(a.Send(bg, i))
		expect(must(a.Receive(bg)), i)
	}
	d := time.Since(began)
	check(a.Close())
	must(p.Wait(bg))
	return d
}

func ringRoundTrip(n int) time.Duration {
	r := rings{must(shm.NewRing(1)), must(shm.NewRing(1))}
	p := must(proc.Start(bg, echoRing, r, proc.StartConfig{}))
	b := make([]byte, 8)
	check(r.In.Put(bg, b))
	must(r.Out.Get(bg, nil))
	began := time.Now()
	for range n {
		check(r.In.Put(bg, b))
		b = must(r.Out.Get(bg, b[:0]))
	}
	d := time.Since(began)
	r.In.Close()
	must(p.Wait(bg))
	return d
}

func poolStart(n int) time.Duration {
	var total time.Duration
	for range n {
		began := time.Now()
		p := must(proc.NewPool(bg, proc.PoolConfig{Workers: 2}))
		must(proc.Map(bg, p, square, []int{1, 2}, proc.MapConfig{}))
		p.Close()
		total += time.Since(began)
	}
	return total
}

func poolMap(chunk int) func(n int) time.Duration {
	return func(n int) time.Duration {
		p := must(proc.NewPool(bg, proc.PoolConfig{Workers: 2}))
		defer p.Close()
		xs := make([]int, n)
		for i := range xs {
			xs[i] = i
		}
		must(proc.Map(bg, p, square, xs[:1000], proc.MapConfig{}))
		began := time.Now()
		out := must(proc.Map(bg, p, square, xs, proc.MapConfig{Chunk: chunk}))
		d := time.Since(began)
		expect(out[n-1], (n-1)*(n-1))
		return d
	}
}

func lock(n int) time.Duration {
	v := must(shm.NewValue(int64(0)))
	m := v.Mutex()
	began := time.Now()
	for range n {
		must(m.Lock(bg))
		*v.Pointer()++
		check(m.Unlock())
	}
	return time.Since(began)
}

func manager(n int) time.Duration {
	m := must(proc.StartManager(bg, proc.ManagerConfig{}))
	defer m.Stop()
	d := proc.Dict[int, int]{Manager: m.Manager, Name: "d"}
	began := time.Now()
	for i := range n {
		check(d.Set(bg, i, i))
	}
	return time.Since(began)
}

type measurement struct {
	name   string
	unit   string
	ours   func(n int) time.Duration
	n      int // of ours
	theirs int // of CPython
	goal   float64
}

var measurements = []measurement{
	{"pipe", "messages/s", pipe, 300_000, 60_000, 5},
	{"ring", "messages/s (CPython: Pipe)", ring, 5_000_000, 60_000, 50},
	{"queue", "messages/s, 2 producers, 2 consumers", queue, 2_000_000, 60_000, 10},
	{"roundtrip", "round trips/s through a pipe", roundTrip, 20_000, 20_000, 2},
	{"ring roundtrip", "round trips/s through rings (CPython: Pipe)", ringRoundTrip, 50_000, 20_000, 2},
	{"map 1", "tasks/s, chunks of one", poolMap(1), 100_000, 20_000, 3},
	{"map auto", "tasks/s, automatic chunks", poolMap(0), 2_000_000, 1_000_000, 2},
	{"pool start", "pools/s, two workers, one map, closed", poolStart, 10, 5, 0},
	{"lock", "locked increments/s", lock, 5_000_000, 200_000, 0},
	{"manager", "dictionary entries set/s", manager, 20_000, 5_000, 0},
}

func run() int {
	rounds := flag.Int("rounds", 3, "how often each is measured")
	flag.Parse()
	python, err := exec.LookPath("python3")
	if err != nil && !errors.Is(err, exec.ErrNotFound) {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	file := ""
	if python != "" {
		f := must(os.CreateTemp("", "*.py"))
		must(f.WriteString(script))
		check(f.Close())
		file = f.Name()
		defer func() { _ = os.Remove(file) }() // a temporary file
	}
	fmt.Println("| measurement | unit | ours | CPython | ratio | goal |\n|---|---|---|---|---|---|")
	for _, m := range measurements {
		ours, theirs := 0.0, 0.0
		for range *rounds {
			ours = max(ours, float64(m.n)/m.ours(m.n).Seconds())
			if file != "" {
				theirs = max(theirs, peer(python, file, m.name, m.theirs))
			}
		}
		goal := ""
		if m.goal > 0 {
			goal = fmt.Sprintf("%g", m.goal)
		}
		fmt.Printf("| %s | %s | %.4g | %.4g | %.1f | %s |\n", m.name, m.unit, ours, theirs, ours/theirs, goal)
	}
	return 0
}

func peer(python, file, name string, n int) float64 {
	out := must(exec.Command(python, file, name, strconv.Itoa(n)).Output())
	return must(strconv.ParseFloat(strings.TrimSpace(string(out)), 64))
}
