//go:build linux

package proc_test

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
	"github.com/tandem-go/tandem/hostpar/par"
	"github.com/tandem-go/tandem/hostpar/proc"
	"github.com/tandem-go/tandem/hostpar/shm"
)

// samples counts in each process how often it was decoded there.
type samples []float64

var decodings atomic.Int64

func (s samples) MarshalBinary() ([]byte, error) { return fmt.Append(nil, len(s)), nil }

func (s *samples) UnmarshalBinary(b []byte) error {
	decodings.Add(1)
	n := 0
	if _, err := fmt.Sscan(string(b), &n); err != nil {
		return err
	}
	*s = make(samples, n)
	return nil
}

type lookArgs struct {
	Data *proc.Shared[samples]
	Text *proc.Shared[string]
	At   int
}

var look = proc.Register("look", func(_ context.Context, in lookArgs) ([3]int, error) {
	xs, err := in.Data.Value()
	if err != nil {
		return [3]int{}, err
	}
	s, err := in.Text.Value()
	return [3]int{os.Getpid(), len(xs) + int(s[in.At]), int(decodings.Load())}, err
})

// A value that is broadcast is decoded once in each worker, also in one that replaces another.
func TestBroadcast(t *testing.T) {
	data, err := proc.Broadcast(make(samples, 1000))
	require.NoError(t, err)
	letters := make([]byte, 10_000)
	for i := range letters {
		letters[i] = byte('a' + i%26)
	}
	text, err := proc.Broadcast(string(letters))
	require.NoError(t, err)
	p := newPool(t, proc.PoolConfig{Workers: 2, TasksPerWorker: 200})
	tasks := make([]lookArgs, 1000)
	for i := range tasks {
		tasks[i] = lookArgs{data, text, i}
	}
	outs, err := proc.Map(bg, p, look, tasks, proc.MapConfig{})
	require.NoError(t, err)
	workers := map[int]bool{}
	for i, out := range outs {
		require.Equal(t, 1000+int('a'+i%26), out[1])
		require.Equal(t, 1, out[2], "decoded more than once in a process")
		workers[out[0]] = true
	}
	require.GreaterOrEqual(t, len(workers), 5)
	require.Zero(t, decodings.Load(), "here it is what it was")
	same, err := text.Value()
	require.NoError(t, err)
	require.Equal(t, string(letters), same)

	// More values than are kept, in turns: each is right.
	var many []lookArgs
	for i := range 40 {
		s, err := proc.Broadcast(string(rune('a' + i%20)))
		require.NoError(t, err)
		many = append(many, lookArgs{data, s, 0})
	}
	outs, err = proc.Map(bg, p, look, append(many, many...), proc.MapConfig{Chunk: 1})
	require.NoError(t, err)
	for i, out := range outs {
		require.Equal(t, 1000+int('a'+i%40%20), out[1])
	}

	_, err = proc.Broadcast(make(chan int))
	require.ErrorIs(t, err, codec.ErrType)
	_, err = proc.Call(bg, p, look, lookArgs{Data: data, Text: &proc.Shared[string]{}})
	require.ErrorContains(t, err, "made with Broadcast")
	_, err = new(proc.Shared[int]).Value()
	require.ErrorContains(t, err, "made with Broadcast")
}

type gate struct {
	Inside *shm.Value[[2]int64] // now and most
	X      int
}

var enter = proc.Register("enter", func(ctx context.Context, in gate) (int, error) {
	for _, d := range []int64{1, -1} {
		if _, err := in.Inside.Update(ctx, func(n *[2]int64) {
			n[0] += d
			n[1] = max(n[0], n[1])
		}); err != nil {
			return 0, err
		}
	}
	if in.X%7 == 3 {
		return 0, errOdd
	}
	return 2 * in.X, nil
})

// No more run than allowed; each result is stored once, on the goroutine that starts calls.
func TestExchange(t *testing.T) {
	pool := newPool(t, proc.PoolConfig{Workers: 4})
	for _, c := range []proc.ExchangeConfig{{Limit: 3}, {Limit: 3, Pool: pool}} {
		inside, err := shm.NewValue([2]int64{})
		require.NoError(t, err)
		got, failed := map[int]int{}, map[int]bool{}
		var x *proc.Exchange[gate, int]
		x = proc.NewExchange(enter, func(in gate, out int, err error) {
			if err != nil {
				require.ErrorIs(t, err, errOdd)
				failed[in.X] = true
			} else {
				got[in.X] = out
			}
			if in.X == 5 { // a result may lead to further calls
				require.NoError(t, x.Start(bg, gate{inside, 100}))
			}
		}, c)
		for i := range 20 {
			require.NoError(t, x.Start(bg, gate{inside, i}))
			require.LessOrEqual(t, x.Running(), 3)
		}
		require.NoError(t, x.Finish(bg))
		require.Zero(t, x.Running())
		require.Len(t, got, 18)
		require.Equal(t, 200, got[100])
		require.Equal(t, map[int]bool{3: true, 10: true, 17: true}, failed)
		n, err := inside.Load(bg)
		require.NoError(t, err)
		require.Zero(t, n[0])
		require.LessOrEqual(t, n[1], int64(3))
	}
	ctx, cancel := context.WithCancel(bg)
	x := proc.NewExchange(act, func(_, _ string, err error) { require.ErrorIs(t, err, context.Canceled) }, proc.ExchangeConfig{Limit: 1})
	require.NoError(t, x.Start(ctx, "wait"))
	cancel()
	require.Error(t, x.Start(ctx, "nothing"))
	require.NoError(t, x.Finish(bg))
	require.ErrorIs(t, proc.NewExchange(proc.Func[int, int]{}, nil, proc.ExchangeConfig{}).Start(bg, 1), proc.ErrFunc)
}

// Results appear in the dictionary as the processes finish.
func TestRemote(t *testing.T) {
	m, err := proc.StartManager(bg, proc.ManagerConfig{})
	require.NoError(t, err)
	defer m.Stop()
	d := proc.Dict[string, int]{Manager: m.Manager, Name: "results"}
	require.NoError(t, proc.Remote(bg, d, square, map[string]int{"two": 2, "three": 3, "four": 4}, 2))
	all, err := d.All(bg)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"two": 4, "three": 9, "four": 16}, all)

	texts := proc.Dict[int, string]{Manager: m.Manager, Name: "texts"}
	err = proc.Remote(bg, texts, act, map[int]string{1: "nothing", 2: "exit", 3: "odd", 4: "nothing"}, 0)
	require.ErrorIs(t, err, proc.ErrWorkerDied)
	require.ErrorIs(t, err, errOdd)
	require.ErrorContains(t, err, "key 2: ")
	n, err := texts.Len(bg)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	ctx, cancel := context.WithCancelCause(bg)
	cancel(par.ErrClosed)
	require.ErrorIs(t, proc.Remote(ctx, d, square, map[string]int{"five": 5}, 1), par.ErrClosed)
}
