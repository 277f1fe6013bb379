//go:build linux

package cspproc_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tandem-go/tandem/hostpar/csp"
	"github.com/tandem-go/tandem/hostpar/csp/cspproc"
	"github.com/tandem-go/tandem/hostpar/proc"
)

func TestMain(m *testing.M) {
	if os.Getenv("GORACE") == "" {
		_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // for children: the race detector delays every exit by a second
	}
	os.Exit(proc.Main(func() int {
		code := m.Run()
		if err := goleak.Find(); code == 0 && err != nil {
			fmt.Println(err)
			code = 1
		}
		if n := len(proc.Children()); code == 0 && n > 0 {
			fmt.Println(n, "processes are left")
			code = 1
		}
		return code
	}))
}

var bg = context.Background()

type ends struct {
	A, B *cspproc.In[int]
	Out  *cspproc.Out[int]
	What string
}

// node is a process of a network.
var node = cspproc.Register("node", func(ctx context.Context, e ends) error {
	switch e.What {
	case "pairs":
		return csp.Par(ctx, csp.Pairs(e.A.In, e.Out.Out, func(a, b int) int { return a + b }))
	case "prefix":
		return csp.Par(ctx, csp.Prefix(e.A.In, e.Out.Out, 0))
	case "alt":
		return alternate(ctx, e)
	}
	for {
		x, err := e.A.Read(ctx)
		if err != nil {
			return err
		}
		switch e.What {
		case "die":
			return syscall.Kill(os.Getpid(), syscall.SIGKILL)
		case "fail":
			return errBad
		case "panic":
			panic("bad")
		case "retire":
			return nil
		}
		if err := e.Out.Write(ctx, 2*x); err != nil {
			return err
		}
	}
})

var errBad = proc.RegisterError(errors.New("bad"))

// alternate copies from both inputs until both have retired, and answers a pause with -1.
func alternate(ctx context.Context, e ends) error {
	inputs := []*csp.In[int]{e.A.In, e.B.In}
	for len(inputs) > 0 {
		x := -1
		var guards []csp.Guard
		for _, in := range inputs {
			guards = append(guards, csp.Recv(in, &x))
		}
		i, err := csp.Alt(ctx, append(guards, csp.After(5*time.Millisecond))...)
		if errors.Is(err, csp.ErrRetired) {
			inputs = slices.Delete(inputs, i, i+1)
			continue
		}
		if err == nil {
			err = e.Out.Write(ctx, x)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func reader(t *testing.T, c *csp.Chan[int]) *cspproc.In[int] {
	t.Helper()
	in, err := cspproc.Reader(c)
	require.NoError(t, err)
	return in
}

func writer(t *testing.T, c *csp.Chan[int]) *cspproc.Out[int] {
	t.Helper()
	out, err := cspproc.Writer(c)
	require.NoError(t, err)
	return out
}

// away makes a process of the network that runs in another process of the system.
func away(t *testing.T, what string, in, out *csp.Chan[int]) csp.Process {
	t.Helper()
	e := ends{A: reader(t, in), Out: writer(t, out), What: what}
	return cspproc.Process(node, e, e.A, e.Out)
}

func channels(n int) []*csp.Chan[int] {
	var cs []*csp.Chan[int]
	for range n {
		cs = append(cs, csp.New[int](csp.Config{}))
	}
	return cs
}

// numbers writes 0 to n-1.
func numbers(out *csp.Out[int], n int) csp.Process {
	return csp.Proc(func(ctx context.Context) error {
		for i := range n {
			if err := out.Write(ctx, i); err != nil {
				return err
			}
		}
		return nil
	}, out)
}

func sink(in *csp.In[int], fn func(x int) error) csp.Process {
	return csp.Proc(func(ctx context.Context) error {
		for {
			x, err := in.Read(ctx)
			if err == nil {
				err = fn(x)
			}
			if err != nil {
				return err
			}
		}
	}, in)
}

// The Fibonacci network, two of whose processes are elsewhere: the reader's poison ends all of them.
func TestFibonacciAcrossProcesses(t *testing.T) {
	c := channels(5)
	var got []int
	require.NoError(t, csp.Par(bg,
		csp.Prefix(c[3].In(), c[0].Out(), 1),
		away(t, "prefix", c[0], c[1]),
		csp.Delta(c[1].In(), c[2].Out(), c[4].Out()),
		away(t, "pairs", c[2], c[3]),
		sink(c[4].In(), func(x int) error {
			if got = append(got, x); len(got) == 20 {
				return csp.ErrPoisoned
			}
			return nil
		}),
	))
	require.Equal(t, []int{0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584, 4181}, got)
	for _, ch := range c {
		require.ErrorIs(t, ch.Err(), csp.ErrPoisoned)
	}
}

// Each value goes to one of several processes, and none is lost when all retire.
func TestRetireAcrossProcesses(t *testing.T) {
	const n = 2000
	c := channels(2)
	seen := make([]int, n)
	ps := []csp.Process{numbers(c[0].Out(), n), sink(c[1].In(), func(x int) error { seen[x/2]++; return nil })}
	for range 3 {
		ps = append(ps, away(t, "double", c[0], c[1]))
	}
	require.NoError(t, csp.Par(bg, ps...))
	for i, k := range seen {
		require.Equal(t, 1, k, i)
	}
	require.ErrorIs(t, c[0].Err(), csp.ErrRetired)
	require.ErrorIs(t, c[1].Err(), csp.ErrRetired)
}

// Alt works in another process, on ends of two channels and with a timeout, and loses nothing.
func TestAltAcrossProcesses(t *testing.T) {
	c := channels(3)
	e := ends{A: reader(t, c[0]), B: reader(t, c[1]), Out: writer(t, c[2]), What: "alt"}
	const n = 300
	pauses := make(chan struct{}, 1)
	late := c[1].Out()
	sum, count := 0, 0
	require.NoError(t, csp.Par(bg,
		cspproc.Process(node, e, e.A, e.B, e.Out),
		numbers(c[0].Out(), n),
		csp.Proc(func(ctx context.Context) error {
			<-pauses // there was one
			return csp.Par(ctx, numbers(late, n))
		}, late),
		sink(c[2].In(), func(x int) error {
			if x < 0 {
				select {
				case pauses <- struct{}{}:
				default:
				}
				return nil
			}
			sum += x
			count++
			return nil
		}),
	))
	require.Equal(t, 2*n, count)
	require.Equal(t, n*(n-1), sum)
}

// However a process ends, its neighbours do too; when it was the last of a side and ended well, they retire.
func TestEndsOfProcesses(t *testing.T) {
	for what, want := range map[string]error{"die": proc.ErrWorkerDied, "fail": errBad, "panic": nil, "retire": nil} {
		c := channels(2)
		err := csp.Par(bg, numbers(c[0].Out(), 1<<40), away(t, what, c[0], c[1]), sink(c[1].In(), func(int) error { return nil }))
		switch what {
		case "retire":
			require.NoError(t, err)
			require.ErrorIs(t, c[0].Err(), csp.ErrRetired)
			require.ErrorIs(t, c[1].Err(), csp.ErrRetired)
			continue
		case "panic":
			var remote *proc.RemoteError
			require.ErrorAs(t, err, &remote)
			require.Equal(t, "bad", remote.Message)
		default:
			require.ErrorIs(t, err, want)
		}
		require.ErrorIs(t, c[0].Err(), csp.ErrPoisoned)
		require.ErrorIs(t, c[1].Err(), csp.ErrPoisoned)
	}

	// The context ends while both sides wait.
	c := channels(2)
	in, out := c[0].Out(), c[1].In()
	ctx, cancel := context.WithCancelCause(bg)
	err := csp.Par(ctx, away(t, "double", c[0], c[1]), csp.Proc(func(ctx context.Context) error {
		if err := in.Write(ctx, 1); err != nil {
			return err
		}
		if _, err := out.Read(ctx); err != nil {
			return err
		}
		cancel(errBad)
		return nil
	}))
	require.Error(t, err)
	<-c[0].Ended()
	<-c[1].Ended()
}

// Ends that were not passed can be given up, and are when there is no process.
func TestEndsThatStay(t *testing.T) {
	c := channels(4)
	reader(t, c[0]).Retire()
	reader(t, c[1]).Poison()
	writer(t, c[2]).Retire()
	writer(t, c[3]).Poison()
	for i, ch := range c {
		<-ch.Ended()
		require.ErrorIs(t, ch.Err(), []error{csp.ErrRetired, csp.ErrPoisoned}[i%2])
	}
	c = channels(2)
	e := ends{A: reader(t, c[0]), Out: writer(t, c[1])}
	require.ErrorIs(t, csp.Par(bg, cspproc.Process(cspproc.Func[ends]{}, e, e.A, e.Out)), proc.ErrFunc)
	<-c[0].Ended()
	<-c[1].Ended()
	_, err := cspproc.Reader(csp.New[chan int](csp.Config{}))
	require.Error(t, err)
	_, err = cspproc.Writer(csp.New[chan int](csp.Config{}))
	require.Error(t, err)
}

func BenchmarkDouble(b *testing.B) {
	c := channels(2)
	in, err := cspproc.Reader(c[0])
	require.NoError(b, err)
	out, err := cspproc.Writer(c[1])
	require.NoError(b, err)
	wait := csp.Spawn(bg, cspproc.Process(node, ends{A: in, Out: out}, in, out))
	first, last := c[0].Out(), c[1].In()
	for b.Loop() {
		if err := first.Write(bg, 1); err != nil {
			b.Fatal(err)
		}
		if _, err := last.Read(bg); err != nil {
			b.Fatal(err)
		}
	}
	first.Retire()
	require.NoError(b, wait())
}
