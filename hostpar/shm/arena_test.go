//go:build linux

package shm_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/proc"
	"github.com/tandem-go/tandem/hostpar/shm"
)

type link struct {
	Value int64
	Next  shm.Ref[link]
}

type arenaArgs struct {
	A     *shm.Arena
	L     *shm.List[[2]int]
	First shm.Ref[link]
	From  int
	N     int
}

// walk adds up a chain of objects, counts in the first, and appends to the list.
var walk = proc.Register("walk", func(ctx context.Context, in arenaArgs) (sum int64, err error) {
	for r := in.First; r != (shm.Ref[link]{}); {
		o, err := r.In(in.A)
		if err != nil {
			return 0, err
		}
		sum += atomic.LoadInt64(&o.Value)
		r = o.Next
	}
	for i := range in.N {
		if err := in.L.Append(ctx, [2]int{in.From, i}); err != nil {
			return 0, err
		}
	}
	return sum, nil
})

// Two processes append to one list and follow references that a third has made.
func TestArena(t *testing.T) {
	a, err := shm.NewArena(1 << 20)
	require.NoError(t, err)
	var first shm.Ref[link]
	for i := range 10 {
		first, err = shm.Put(bg, a, link{int64(i), first})
		require.NoError(t, err)
	}
	l, err := shm.NewList[[2]int](bg, a)
	require.NoError(t, err)
	const n = 2000
	var ps []*proc.Process[int64]
	for from := range 2 {
		p, err := proc.Start(bg, walk, arenaArgs{a, l, first, from, n}, proc.StartConfig{})
		require.NoError(t, err)
		ps = append(ps, p)
	}
	for _, p := range ps {
		sum, err := p.Wait(bg)
		require.NoError(t, err)
		require.Equal(t, int64(45), sum)
	}
	all, err := l.All(bg)
	require.NoError(t, err)
	require.Len(t, all, 2*n)
	var next [2]int
	for _, x := range all {
		require.Equal(t, next[x[0]], x[1], "what one process appends stays in order")
		next[x[0]]++
	}
	require.NoError(t, l.Update(bg, func(xs [][2]int) { slices.Reverse(xs) }))
	x, err := l.At(bg, 0)
	require.NoError(t, err)
	require.Equal(t, all[2*n-1], x)
	require.NoError(t, l.Set(bg, 1, [2]int{7, 7}))
	x, err = l.At(bg, 1)
	require.NoError(t, err)
	require.Equal(t, [2]int{7, 7}, x)
	_, err = l.At(bg, 2*n)
	require.ErrorIs(t, err, shm.ErrRef)
	require.ErrorIs(t, l.Set(bg, -1, x), shm.ErrRef)
	require.NoError(t, l.Retain())
	require.NoError(t, l.Release(bg))
	length, err := l.Len(bg)
	require.NoError(t, err)
	require.Equal(t, 2*n, length)
	require.NoError(t, l.Release(bg))
	_, err = l.Len(bg)
	require.ErrorIs(t, err, shm.ErrRef)
	runtime.KeepAlive(a)
}

func TestArenaCountsReferences(t *testing.T) {
	a, err := shm.NewArena(1 << 12)
	require.NoError(t, err)
	require.Equal(t, 1<<12, a.Len())
	_, err = shm.Put(bg, a, struct{ P *int }{})
	require.ErrorIs(t, err, shm.ErrType)
	_, err = shm.NewList[string](bg, a)
	require.ErrorIs(t, err, shm.ErrType)
	_, err = shm.NewList[struct{}](bg, a)
	require.ErrorIs(t, err, shm.ErrType)
	_, err = shm.Put(bg, a, [1 << 12]byte{})
	require.ErrorIs(t, err, shm.ErrNoSpace)
	_, err = (shm.Ref[int]{}).In(a)
	require.ErrorIs(t, err, shm.ErrRef)
	_, err = shm.NewArena(0)
	require.Error(t, err)
	var none shm.List[int]
	require.ErrorIs(t, none.Append(bg, 1), shm.ErrRef)

	r, err := shm.Put(bg, a, [3]int64{1, 2, 3})
	require.NoError(t, err)
	require.NoError(t, r.Retain(a))
	require.NoError(t, r.Release(bg, a))
	p, err := r.In(a)
	require.NoError(t, err)
	require.Equal(t, [3]int64{1, 2, 3}, *p)
	require.NoError(t, r.Release(bg, a))
	_, err = r.In(a)
	require.ErrorIs(t, err, shm.ErrRef)
	require.ErrorIs(t, r.Release(bg, a), shm.ErrRef)
	require.ErrorIs(t, r.Retain(a), shm.ErrRef)

	// What is released is used again, zeroed, and objects do not overlap.
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	type object struct {
		r shm.Ref[[4]uint64]
		x [4]uint64
	}
	var live []object
	for range 20_000 {
		if len(live) > 0 && rng.IntN(2) == 0 {
			i := rng.IntN(len(live))
			p, err := live[i].r.In(a)
			require.NoError(t, err)
			require.Equal(t, live[i].x, *p)
			require.NoError(t, live[i].r.Release(bg, a))
			live = slices.Delete(live, i, i+1)
			continue
		}
		x := [4]uint64{rng.Uint64(), rng.Uint64(), rng.Uint64(), rng.Uint64()}
		r, err := shm.Put(bg, a, x)
		if err != nil {
			require.ErrorIs(t, err, shm.ErrNoSpace)
			continue
		}
		live = append(live, object{r, x})
	}
	require.LessOrEqual(t, a.Used(), a.Len())
}

// Processes that are killed while they append leave a list whose elements are whole, and go on to be used.
func TestArenaSurvivesItsUsers(t *testing.T) {
	a, err := shm.NewArena(64 << 20)
	require.NoError(t, err)
	l, err := shm.NewList[[2]int](bg, a)
	require.NoError(t, err)
	for from := range 10 {
		p, err := proc.Start(bg, walk, arenaArgs{A: a, L: l, From: from, N: 1 << 40}, proc.StartConfig{})
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			all, err := l.All(bg)
			require.NoError(t, err)
			return slices.ContainsFunc(all, func(x [2]int) bool { return x[0] == from })
		}, time.Minute, time.Millisecond)
		p.Kill()
		require.NoError(t, p.Join(bg))
	}
	all, err := l.All(bg)
	require.NoError(t, err)
	at := [2]int{-1, 0}
	for _, x := range all {
		if x[0] != at[0] {
			at = [2]int{at[0] + 1, 0}
		}
		require.Equal(t, at, x)
		at[1]++
	}
	require.NoError(t, l.Append(bg, [2]int{99, 99}))
}

// Named arenas are for processes that are not related.
func TestArenaInASegment(t *testing.T) {
	name := fmt.Sprintf("tandem-arena-%d", os.Getpid())
	s, err := shm.Named(name, 1<<16)
	require.NoError(t, err)
	defer func() { require.NoError(t, shm.Remove(name)) }()
	a, err := shm.ArenaIn(s)
	require.NoError(t, err)
	r, err := shm.Put(bg, a, 5.5)
	require.NoError(t, err)
	b, err := shm.ArenaIn(s)
	require.NoError(t, err)
	p, err := r.In(b)
	require.NoError(t, err)
	require.Equal(t, 5.5, *p)
	small, err := shm.NewSegment(100)
	require.NoError(t, err)
	_, err = shm.ArenaIn(small)
	require.ErrorIs(t, err, shm.ErrType)
	runtime.KeepAlive(a)
}
