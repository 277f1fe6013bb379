package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"time"

	"github.com/tandem-go/tandem/hostpar/par"
	"github.com/tandem-go/tandem/hostpar/proc"
	"github.com/tandem-go/tandem/hostpar/shm"
)

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

// poolStart is the time until both workers are ready; what it takes to end them is not counted.
func poolStart(n int) time.Duration {
	var total time.Duration
	for range n {
		began := time.Now()
		p := must(proc.NewPool(bg, proc.PoolConfig{Workers: 2}))
		total += time.Since(began)
		must(proc.Map(bg, p, square, []int{1, 2}, proc.MapConfig{}))
		p.Close()
	}
	return total
}

var spin = proc.Register("spin", func(ctx context.Context, c *proc.Conn[int]) (int, error) {
	if err := c.Send(ctx, os.Getpid()); err != nil {
		return 0, err
	}
	for { //nolint:revive // it is to be killed
	}
})

// death is the time from the kill of a worker to the error that its task's owner gets.
func death(n int) time.Duration {
	p := must(proc.NewPool(bg, proc.PoolConfig{Workers: 1}))
	defer p.Close()
	var total time.Duration
	for range n {
		ours, theirs, err := proc.Pipe[int]()
		check(err)
		f := must(proc.Submit(bg, p, spin, theirs))
		pid := must(ours.Receive(bg))
		began := time.Now()
		check(must(os.FindProcess(pid)).Kill())
		if _, err := f.Wait(bg); !errors.Is(err, proc.ErrWorkerDied) {
			panic(err)
		}
		total += time.Since(began)
		check(ours.Close())
	}
	return total
}

// kde estimates a density at one point with n windows over 10,000 samples, on all cores.
func kde(n int) time.Duration {
	rng := rand.New(rand.NewPCG(1, 2))
	samples := make([][2]float64, 10_000)
	for i := range samples {
		samples[i] = [2]float64{rng.NormFloat64(), rng.NormFloat64()}
	}
	widths := make([]float64, n)
	for i := range widths {
		widths[i] = 0.1 + 1.1*float64(i)/float64(n)
	}
	began := time.Now()
	densities := must(par.Map(bg, widths, par.Config{}, func(_ context.Context, h float64) (float64, error) {
		k := 0
		for _, s := range samples {
			if max(math.Abs(s[0]), math.Abs(s[1])) < h/2 {
				k++
			}
		}
		return float64(k) / float64(len(samples)) / (h * h), nil
	}))
	d := time.Since(began)
	if last := densities[n-1]; last < 0.1 || last > 0.2 { // 0.159 at a point, less for a wide window
		panic(last)
	}
	return d
}

func poolMap(chunk int) func(n int) time.Duration {
	return func(n int) time.Duration {
		p := must(proc.NewPool(bg, proc.PoolConfig{Workers: 2}))
		defer p.Close()
		xs := make([]int, n)
		for i := range xs {
			xs[i] = i
		}
		must(proc.Map(bg, p, square, xs[:min(n, 1000)], proc.MapConfig{}))
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
