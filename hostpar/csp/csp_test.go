package csp_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tandem-go/tandem/hostpar/csp"
	"github.com/tandem-go/tandem/hostpar/par"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bg is the context of tests that cancel nothing.
var bg = context.Background()

var (
	errBad     = errors.New("bad")
	errGivenUp = errors.New("given up")
)

func ended(cause error) context.Context {
	ctx, cancel := context.WithCancelCause(bg)
	cancel(cause)
	return ctx
}

// within fails the test if fn does not return: for calls that must not hang. How long a call takes on a machine that has
// much else to do is not tested.
func within(t *testing.T, fn func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
	}()
	for range 300 { // seconds in which this process ran: it may have been stopped
		select {
		case <-done:
			return
		case <-time.After(time.Second):
		}
	}
	t.Fatal("not done after five minutes")
}

// source writes lo to hi-1.
func source(out *csp.Out[int], lo, hi int) csp.Process {
	return csp.Proc(func(ctx context.Context) error {
		for i := lo; i < hi; i++ {
			if err := out.Write(ctx, i); err != nil {
				return err
			}
		}
		return nil
	}, out)
}

// sink calls fn for each value.
func sink(in *csp.In[int], fn func(x int) error) csp.Process {
	return csp.Proc(func(ctx context.Context) error {
		for {
			x, err := in.Read(ctx)
			if err != nil {
				return err
			}
			if err := fn(x); err != nil {
				return err
			}
		}
	}, in)
}

func TestAnyToAny(t *testing.T) {
	const writers, readers, each = 4, 4, 3000
	for _, buffer := range []int{0, 1, 5} {
		c := csp.New[int](csp.Config{Buffer: buffer})
		seen := make([]atomic.Int32, writers*each)
		var ps []csp.Process
		for w := range writers {
			ps = append(ps, source(c.Out(), w*each, (w+1)*each))
		}
		for range readers {
			last := make([]int, writers)
			ps = append(ps, sink(c.In(), func(x int) error {
				seen[x].Add(1)
				if x%each < last[x/each] {
					return errors.New("a writer's values came in another order")
				}
				last[x/each] = x % each
				return nil
			}))
		}
		within(t, func() { require.NoError(t, csp.Par(bg, ps...)) })
		for i := range seen {
			require.EqualValues(t, 1, seen[i].Load(), "value %d with buffer %d", i, buffer)
		}
	}
}

func TestRendezvousAndBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, buffer := range []int{0, 3} {
			c := csp.New[int](csp.Config{Buffer: buffer})
			out, in := c.Out(), c.In()
			written := 0
			go func() {
				for i := range 10 {
					_ = out.Write(bg, i)
					written++
				}
				out.Retire()
			}()
			synctest.Wait()
			require.Equal(t, buffer, written)
			for i := range 10 {
				x, err := in.Read(bg)
				require.NoError(t, err)
				require.Equal(t, i, x)
				synctest.Wait()
				require.Equal(t, min(10, i+1+buffer), written)
			}
			_, err := in.Read(bg)
			require.ErrorIs(t, err, csp.ErrRetired)
		}
	})
}

func TestRetireCountsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := csp.New[int](csp.Config{Buffer: 2})
		a, b, in := c.Out(), c.Out(), c.In()
		require.NoError(t, a.Write(bg, 1))
		require.NoError(t, b.Write(bg, 2))
		a.Retire()
		a.Retire() // once
		require.ErrorIs(t, a.Write(bg, 3), csp.ErrRetired)
		b.Retire()
		for want := 1; want <= 2; want++ { // what was written is read
			x, err := in.Read(bg)
			require.NoError(t, err)
			require.Equal(t, want, x)
		}
		_, err := in.Read(bg)
		require.ErrorIs(t, err, csp.ErrRetired)

		c = csp.New[int](csp.Config{})
		out, in1, in2 := c.Out(), c.In(), c.In()
		var wErr, rErr error
		go func() { wErr = out.Write(bg, 1) }()
		synctest.Wait()
		in1.Retire()
		_, rErr = in1.Read(bg)
		require.ErrorIs(t, rErr, csp.ErrRetired)
		synctest.Wait()
		require.NoError(t, wErr)
		in2.Retire()
		synctest.Wait()
		require.ErrorIs(t, wErr, csp.ErrRetired)
		require.ErrorIs(t, out.Write(bg, 2), csp.ErrRetired)
	})
}

func TestPoisonReachesEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, by := range []string{"in", "out", "chan"} {
			c := csp.New[int](csp.Config{})
			d := csp.New[int](csp.Config{Buffer: 1})
			var errs [3]error
			out, in := c.Out(), c.In()
			go func() { _, errs[0] = c.In().Read(bg) }()
			dOut, dIn := d.Out(), d.In()
			require.NoError(t, dOut.Write(bg, 1))
			go func() { errs[1] = dOut.Write(bg, 2) }()
			go func() {
				var x int
				_, errs[2] = csp.Alt(bg, csp.Recv(in, &x), csp.After(time.Hour))
			}()
			synctest.Wait()
			switch by {
			case "in":
				in.Poison()
				dIn.Poison()
			case "out":
				out.Poison()
				dOut.Poison()
			default:
				c.Poison()
				c.Poison()
				d.Poison()
			}
			synctest.Wait()
			for _, err := range errs {
				require.ErrorIs(t, err, csp.ErrPoisoned)
			}
			require.ErrorIs(t, out.Write(bg, 1), csp.ErrPoisoned)
			_, err := dIn.Read(bg)
			require.ErrorIs(t, err, csp.ErrPoisoned, "the buffer is lost")
			out.Retire()
			in.Retire()
		}
	})
}

func TestWantedAndEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := csp.New[int](csp.Config{})
		out, in := c.Out(), c.In()
		ctx, cancel := context.WithCancelCause(bg)
		var errs [3]error
		go func() { errs[0] = out.Wanted(ctx) }()
		synctest.Wait()
		cancel(errGivenUp)
		synctest.Wait()
		require.ErrorIs(t, errs[0], errGivenUp)
		wanted := false
		go func() { errs[0], wanted = out.Wanted(bg), true }()
		synctest.Wait()
		require.False(t, wanted)
		x := 0
		go func() { x, errs[1] = in.Read(bg) }()
		synctest.Wait()
		require.True(t, wanted)
		require.NoError(t, errs[0])
		require.NoError(t, out.Wanted(bg), "still")
		require.NoError(t, out.Write(bg, 7))
		synctest.Wait()
		require.Equal(t, 7, x)

		require.NoError(t, c.Err())
		ended := false
		go func() { <-c.Ended(); ended = true }()
		go func() { errs[2] = out.Wanted(bg) }()
		synctest.Wait()
		require.False(t, ended)
		in.Retire()
		synctest.Wait()
		require.True(t, ended)
		require.ErrorIs(t, errs[2], csp.ErrRetired)
		require.ErrorIs(t, c.Err(), csp.ErrRetired)
		c.Poison()
		<-c.Ended()
		require.ErrorIs(t, c.Err(), csp.ErrPoisoned)
		require.ErrorIs(t, out.Wanted(bg), csp.ErrPoisoned)
		d := csp.New[int](csp.Config{})
		end := d.Out()
		end.Retire()
		<-d.Ended()
		require.ErrorIs(t, end.Wanted(bg), csp.ErrRetired)
	})
}

// The Fibonacci network: twenty numbers are read, then poison ends every process.
func TestFibonacciNetwork(t *testing.T) {
	a, b, c, d, e := csp.New[int](csp.Config{}), csp.New[int](csp.Config{}), csp.New[int](csp.Config{}), csp.New[int](csp.Config{}), csp.New[int](csp.Config{})
	var got []int
	numbers := e.In()
	within(t, func() {
		require.NoError(t, csp.Par(bg,
			csp.Prefix(d.In(), a.Out(), 1),
			csp.Prefix(a.In(), b.Out(), 0),
			csp.Delta(b.In(), c.Out(), e.Out()),
			csp.Pairs(c.In(), d.Out(), func(x, y int) int { return x + y }),
			csp.Proc(func(ctx context.Context) error {
				for range 20 {
					x, err := numbers.Read(ctx)
					if err != nil {
						return err
					}
					got = append(got, x)
				}
				return csp.ErrPoisoned
			}, numbers),
		))
	})
	require.Equal(t, []int{0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584, 4181}, got)
}

func TestPlugs(t *testing.T) {
	ch := func() *csp.Chan[int] { return csp.New[int](csp.Config{}) }
	a, b, c, d, e, f, sq := ch(), ch(), ch(), ch(), ch(), ch(), ch()
	sum, n := 0, 0
	require.NoError(t, csp.Par(bg,
		source(a.Out(), 0, 10),
		csp.Delta(a.In(), b.Out(), c.Out()),
		csp.Identity(b.In(), d.Out()),
		csp.Map(c.In(), e.Out(), func(x int) (int, error) { return 10 * x, nil }),
		csp.Sub(
			csp.Zip(d.In(), e.In(), f.Out(), func(x, y int) int { return x + y }),
			csp.Mux(sq.Out(), f.In()),
		),
		sink(sq.In(), func(x int) error { sum += x; n++; return nil }),
	))
	require.Equal(t, 10, n)
	require.Equal(t, 11*45, sum)

	m, x, y := ch(), ch(), ch()
	n = 0
	require.NoError(t, csp.Par(bg, source(x.Out(), 0, 5), source(y.Out(), 0, 50), csp.Mux(m.Out(), x.In(), y.In()),
		sink(m.In(), func(int) error { n++; return nil })))
	require.Equal(t, 55, n, "retired only when both have")
	require.ErrorIs(t, x.Out().Write(bg, 1), csp.ErrRetired, "a retired channel stays retired")
	_, err := y.In().Read(bg)
	require.ErrorIs(t, err, csp.ErrRetired)
}

func TestErrorsEndTheNetwork(t *testing.T) {
	within(t, func() {
		a, b := csp.New[int](csp.Config{}), csp.New[int](csp.Config{})
		other := csp.New[int](csp.Config{}) // not connected to the one that fails
		err := csp.Par(bg,
			source(a.Out(), 0, 1000),
			csp.Map(a.In(), b.Out(), func(x int) (int, error) {
				if x == 500 {
					return 0, errBad
				}
				return x, nil
			}),
			sink(b.In(), func(int) error { return nil }),
			sink(other.In(), func(int) error { return nil }),
		)
		require.ErrorIs(t, err, errBad)
		var item *par.ItemError
		require.ErrorAs(t, err, &item)
		require.Equal(t, 1, item.Index)
		require.ErrorIs(t, a.Out().Write(bg, 1), csp.ErrPoisoned)

		a = csp.New[int](csp.Config{})
		require.Panics(t, func() {
			_ = csp.Par(bg, source(a.Out(), 0, 1000), sink(a.In(), func(x int) error { panic(x) }))
		})
		require.ErrorIs(t, a.Out().Write(bg, 1), csp.ErrPoisoned)

		a = csp.New[int](csp.Config{})
		require.ErrorIs(t, csp.Par(bg, source(a.Out(), 0, 1000), sink(a.In(), func(x int) error { runtime.Goexit(); return nil })), par.ErrGoexit)

		// Processes that do not even begin give up their ends.
		a = csp.New[int](csp.Config{})
		require.Equal(t, errGivenUp, errors.Unwrap(csp.Par(ended(errGivenUp), csp.Sub(source(a.Out(), 0, 1)))))
		_, err = a.In().Read(bg)
		require.ErrorIs(t, err, csp.ErrPoisoned)
	})
}

func TestSeq(t *testing.T) {
	c := csp.New[int](csp.Config{})
	var got []int
	first, second := source(c.Out(), 0, 3), source(c.Out(), 3, 6)
	wait := csp.Spawn(bg, sink(c.In(), func(x int) error { got = append(got, x); return nil }))
	require.NoError(t, csp.Seq(bg, first, second))
	require.NoError(t, wait())
	require.Equal(t, []int{0, 1, 2, 3, 4, 5}, got)

	c = csp.New[int](csp.Config{})
	in := c.In()
	err := csp.Seq(bg, csp.Proc(func(context.Context) error { return nil }), csp.Proc(func(context.Context) error { return errBad }), source(c.Out(), 0, 1))
	require.EqualError(t, err, "item 1: bad")
	_, err = in.Read(bg)
	require.ErrorIs(t, err, csp.ErrPoisoned, "what is not run does not leave others waiting")
}

func TestAltIsFairAndPriIsNot(t *testing.T) {
	a, b := csp.New[int](csp.Config{Buffer: 1}), csp.New[int](csp.Config{Buffer: 1})
	aOut, aIn, bOut, bIn := a.Out(), a.In(), b.Out(), b.In()
	never := csp.New[int](csp.Config{}).In()
	require.NoError(t, aOut.Write(bg, 0))
	require.NoError(t, bOut.Write(bg, 0))
	count := func(choose func(context.Context, ...csp.Guard) (int, error)) (counts [3]int) {
		var x int
		for range 4000 {
			i, err := choose(bg, csp.Recv(aIn, &x), csp.Recv(bIn, &x), csp.Recv(never, &x))
			require.NoError(t, err)
			counts[i]++
			require.NoError(t, [...]*csp.Out[int]{aOut, bOut}[i].Write(bg, 0)) // ready again
		}
		return counts
	}
	fair := count(csp.Alt)
	// Binomial(4000, 1/2): 40 % is 12 standard deviations away.
	require.GreaterOrEqual(t, fair[0], 1600)
	require.GreaterOrEqual(t, fair[1], 1600)
	require.Equal(t, [3]int{4000, 0, 0}, count(csp.Pri))
}

func TestAltGuards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, d := csp.New[int](csp.Config{}), csp.New[string](csp.Config{})
		cIn, cOut, dIn, dOut := c.In(), c.Out(), d.In(), d.Out()
		var x int
		i, err := csp.Alt(bg, csp.Recv(cIn, &x), csp.Skip())
		require.NoError(t, err)
		require.Equal(t, 1, i)
		began := time.Now()
		i, err = csp.Alt(bg, csp.Recv(cIn, &x), csp.After(time.Minute), csp.After(time.Second))
		require.NoError(t, err)
		require.Equal(t, 2, i)
		require.Equal(t, time.Second, time.Since(began))
		// Input and output guards in one choice; nothing is taken by a choice that was not carried out.
		got := ""
		go func() { got, _ = dIn.Read(bg) }()
		synctest.Wait()
		i, err = csp.Alt(bg, csp.Recv(cIn, &x), csp.Send(dOut, "hello"), csp.Skip())
		require.NoError(t, err)
		require.Equal(t, 1, i)
		synctest.Wait()
		require.Equal(t, "hello", got)
		go func() { _ = cOut.Write(bg, 7) }()
		synctest.Wait()
		i, err = csp.Pri(bg, csp.Send(dOut, "nobody"), csp.Recv(cIn, &x), csp.After(0))
		require.NoError(t, err)
		require.Equal(t, 1, i)
		require.Equal(t, 7, x)
		// An attempt does not talk to itself.
		i, err = csp.Alt(bg, csp.Send(cOut, 1), csp.Recv(cIn, &x), csp.Skip())
		require.NoError(t, err)
		require.Equal(t, 2, i)
		// Ends of contexts, channels and ends.
		i, err = csp.Alt(ended(errGivenUp), csp.Skip())
		require.Equal(t, errGivenUp, err)
		require.Equal(t, -1, i)
		ctx, cancel := context.WithTimeoutCause(bg, time.Second, errGivenUp)
		defer cancel()
		i, err = csp.Pri(ctx, csp.Recv(cIn, &x))
		require.Equal(t, errGivenUp, err)
		require.Equal(t, -1, i)
		for _, choose := range []func(context.Context, ...csp.Guard) (int, error){csp.Alt, csp.Pri} {
			_, err = choose(bg)
			require.ErrorIs(t, err, csp.ErrNoGuards)
		}
		dOut.Retire()
		i, err = csp.Alt(bg, csp.Recv(cIn, &x), csp.Send(dOut, ""))
		require.ErrorIs(t, err, csp.ErrRetired)
		require.Equal(t, 1, i)
		d.Poison()
		var s string
		i, err = csp.Alt(bg, csp.Recv(cIn, &x), csp.Recv(dIn, &s))
		require.ErrorIs(t, err, csp.ErrPoisoned)
		require.Equal(t, 1, i)
		cIn.Retire()
		i, err = csp.Pri(bg, csp.Recv(cIn, &x), csp.Skip())
		require.ErrorIs(t, err, csp.ErrRetired)
		require.Zero(t, i)
	})
}

// Alternations on both sides of the same channels, with output guards, simple partners, time-outs and cancellation: each
// value that somebody says was written was read exactly once, and nobody hangs.
func TestAlternationStress(t *testing.T) {
	for _, buffer := range []int{0, 2} {
		const channels, parties, rounds = 3, 8, 1500
		var cs [channels]*csp.Chan[int]
		for i := range cs {
			cs[i] = csp.New[int](csp.Config{Buffer: buffer})
		}
		var written, read, writes, reads atomic.Int64
		var ps []csp.Process
		for p := range parties {
			var ins [channels]*csp.In[int]
			var outs [channels]*csp.Out[int]
			var ends []csp.End
			for i, c := range cs {
				ins[i], outs[i] = c.In(), c.Out()
				ends = append(ends, outs[i]) // reading goes on below
			}
			rng := rand.New(rand.NewPCG(uint64(p), 4))
			ps = append(ps, csp.Proc(func(ctx context.Context) error {
				for range rounds {
					x, y := rng.IntN(1000), 0
					i, j := rng.IntN(channels), rng.IntN(channels)
					did := 0 // 1: wrote x, 2: read y
					choice, cancel := context.WithCancel(ctx)
					switch rng.IntN(6) {
					case 0, 1:
						if k, err := csp.Alt(ctx, csp.Send(outs[i], x), csp.Recv(ins[j], &y)); err == nil {
							did = k + 1
						}
					case 2:
						go cancel()
						if k, err := csp.Pri(choice, csp.Recv(ins[j], &y), csp.Send(outs[i], x)); err == nil {
							did = 2 - k
						}
					case 3:
						if k, _ := csp.Alt(ctx, csp.Send(outs[0], x), csp.Send(outs[1], x), csp.Send(outs[2], x), csp.After(time.Microsecond)); k < 3 {
							did = 1
						}
					case 4:
						go cancel()
						if outs[i].Write(choice, x) == nil {
							did = 1
						}
					case 5:
						go cancel()
						var err error
						if y, err = ins[j].Read(choice); err == nil {
							did = 2
						}
					}
					cancel()
					switch did {
					case 1:
						written.Add(int64(x))
						writes.Add(1)
					case 2:
						read.Add(int64(y))
						reads.Add(1)
					}
				}
				return nil
			}, ends...))
		}
		// Whoever is left alone needs a partner: one process reads all the time, and takes what is left in buffers.
		for _, c := range cs {
			ps = append(ps, sink(c.In(), func(x int) error {
				read.Add(int64(x))
				reads.Add(1)
				return nil
			}))
		}
		within(t, func() { require.NoError(t, csp.Par(bg, ps...)) })
		require.Equal(t, writes.Load(), reads.Load())
		require.Equal(t, written.Load(), read.Load())
		require.Positive(t, reads.Load())
	}
}

// Two choices, each of which waits where the other one offers: they meet on either channel, once, and never stall.
func TestCrossedAlternations(t *testing.T) {
	c, d := csp.New[int](csp.Config{}), csp.New[int](csp.Config{})
	const rounds = 50000
	var chosen [2][]int
	party := func(who int, in *csp.In[int], out *csp.Out[int]) csp.Process {
		return csp.Proc(func(ctx context.Context) error {
			for n := range rounds {
				x := n
				i, err := csp.Pri(ctx, csp.Recv(in, &x), csp.Send(out, n))
				if err != nil {
					return err
				}
				if x != n {
					return errors.New("a value of another round")
				}
				chosen[who] = append(chosen[who], i)
			}
			return nil
		}, in, out)
	}
	within(t, func() { require.NoError(t, csp.Par(bg, party(0, c.In(), d.Out()), party(1, d.In(), c.Out()))) })
	require.Len(t, chosen[0], rounds)
	for n := range rounds {
		require.Equal(t, 1, chosen[0][n]+chosen[1][n], "one has sent, the other one received")
	}
}

// A write that is given up at the moment it is taken counts as one or the other, on both sides.
func TestCancelledWriteRace(t *testing.T) {
	c := csp.New[int](csp.Config{})
	out, in := c.Out(), c.In()
	for range 3000 {
		ctx, cancel := context.WithCancel(bg)
		var wrote, read bool
		var all sync.WaitGroup
		all.Go(func() { wrote = out.Write(ctx, 1) == nil })
		all.Go(func() { _, err := in.Read(ctx); read = err == nil })
		all.Go(cancel)
		all.Wait()
		require.Equal(t, wrote, read)
	}
}

func BenchmarkRendezvous(b *testing.B) {
	b.Run("csp", func(b *testing.B) {
		c := csp.New[int](csp.Config{})
		wait := csp.Spawn(bg, sink(c.In(), func(int) error { return nil }))
		out := c.Out()
		for b.Loop() {
			_ = out.Write(bg, 1)
		}
		out.Retire()
		_ = wait()
	})
	b.Run("channel", func(b *testing.B) {
		c, done := make(chan int), make(chan struct{})
		go func() {
			defer close(done)
			for range c {
				continue
			}
		}()
		for b.Loop() {
			c <- 1
		}
		close(c)
		<-done
	})
}

func BenchmarkAlt(b *testing.B) {
	c, d := csp.New[int](csp.Config{}), csp.New[int](csp.Config{})
	wait := csp.Spawn(bg, source(c.Out(), 0, 1<<62), source(d.Out(), 0, 1<<62))
	cIn, dIn := c.In(), d.In()
	var x int
	for b.Loop() {
		_, _ = csp.Alt(bg, csp.Recv(cIn, &x), csp.Recv(dIn, &x))
	}
	cIn.Poison()
	dIn.Poison()
	_ = wait()
}
