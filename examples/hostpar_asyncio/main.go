// Command hostpar_asyncio runs three things on an event loop: callbacks that register each other for nine seconds, a
// state machine whose states are coroutines, and three tasks that take turns.
//
// Python's asyncio texts show these with call_later, `yield from` and Task; the program takes about twenty seconds, as
// they do, unless -speed says otherwise.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"github.com/tandem-go/tandem/hostpar/task"
)

func main() {
	speed := flag.Float64("speed", 1, "how much faster than the original")
	seed := flag.Uint64("seed", 1, "of the state machine's random choices")
	flag.Parse()
	second := time.Duration(float64(time.Second) / *speed)
	if err := run(context.Background(), os.Stdout, second, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "hostpar_asyncio:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, second time.Duration, seed uint64) error {
	if err := chain(ctx, w, second); err != nil {
		return err
	}
	_, err := task.Run(ctx, func(co *task.Co) (int, error) {
		m := &machine{w: w, second: second, rng: rand.New(rand.NewPCG(seed, 0))}
		if err := m.enter(co, 0); err != nil {
			return 0, err
		}
		return 0, turns(co, w, second)
	})
	return err
}

// chain lets function 1 call 2, 2 call 3, and 3 call 1, a second apart, for nine seconds.
func chain(ctx context.Context, w io.Writer, second time.Duration) error {
	l := task.NewLoop()
	end := l.Now().Add(9 * second)
	var functions [3]func()
	for i := range functions {
		functions[i] = func() {
			fmt.Fprintf(w, "function %d\n", i+1)
			if l.Now().Add(second).Before(end) {
				l.CallLater(second, functions[(i+1)%3])
			} else {
				l.Stop()
			}
		}
	}
	l.CallSoon(functions[0])
	return l.Run(ctx)
}

// machine has a start state 0, states 1 to 3, and an end state 4.
type machine struct {
	w      io.Writer
	second time.Duration
	rng    *rand.Rand
}

func (m *machine) enter(co *task.Co, state int) error {
	if state == 4 {
		fmt.Fprintln(m.w, "end state")
		return nil
	}
	if err := co.Sleep(m.second); err != nil {
		return err
	}
	input := m.rng.IntN(2)
	next := [4][2]int{{2, 1}, {3, 2}, {1, 3}, {1, 4}}[state][input]
	fmt.Fprintf(m.w, "state %d, input %d\n", state, input)
	// The next state is a coroutine of its own, which this one waits for.
	_, err := task.Await(co, task.Spawn(co.Loop(), func(co *task.Co) (int, error) { return 0, m.enter(co, next) }))
	return err
}

// turns computes 10!, fib(10) and 20 over 10, a step at a time.
func turns(co *task.Co, w io.Writer, second time.Duration) error {
	f, a, b, c := 1, 0, 1, 1
	stepper := func(name string, from int, step func(i int), result func() int) *task.Future[int] {
		return task.Spawn(co.Loop(), func(co *task.Co) (int, error) {
			for i := from; i <= 10; i++ {
				fmt.Fprintf(w, "%s: step %d\n", name, i)
				if err := co.Sleep(second); err != nil {
					return 0, err
				}
				step(i)
			}
			fmt.Fprintf(w, "%s = %d\n", name, result())
			return result(), nil
		})
	}
	return task.AwaitAll(co,
		stepper("factorial(10)", 2, func(i int) { f *= i }, func() int { return f }),
		stepper("fibonacci(10)", 1, func(int) { a, b = b, a+b }, func() int { return a }),
		stepper("binomial(20, 10)", 1, func(i int) { c = c * (21 - i) / i }, func() int { return c }))
}
