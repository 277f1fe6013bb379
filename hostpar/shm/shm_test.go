//go:build linux

package shm_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tandem-go/tandem/hostpar/par"
	"github.com/tandem-go/tandem/hostpar/proc"
	"github.com/tandem-go/tandem/hostpar/shm"
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
		return code
	}))
}

var bg = context.Background()

type countArgs struct {
	V *shm.Value[int64]
	N int
}

var count = proc.Register("count", func(ctx context.Context, in countArgs) (int, error) {
	for range in.N {
		if _, err := in.V.Update(ctx, func(x *int64) { *x++ }); err != nil {
			return 0, err
		}
	}
	return in.N, nil
})

// Two processes count in one place.
func TestLockedValue(t *testing.T) {
	v, err := shm.NewValue(int64(5))
	require.NoError(t, err)
	const n = 100_000
	a, err := proc.Start(bg, count, countArgs{v, n}, proc.StartConfig{})
	require.NoError(t, err)
	b, err := proc.Start(bg, count, countArgs{v, n}, proc.StartConfig{})
	require.NoError(t, err)
	for range n {
		_, err := v.Update(bg, func(x *int64) { *x++ })
		require.NoError(t, err)
	}
	for _, p := range []*proc.Process[int]{a, b} {
		_, err := p.Wait(bg)
		require.NoError(t, err)
	}
	x, err := v.Load(bg)
	require.NoError(t, err)
	require.Equal(t, int64(5+3*n), x)
	require.NoError(t, v.Store(bg, -1))
	require.Equal(t, int64(-1), atomic.LoadInt64(v.Pointer()))
}

var negate = proc.Register("negate", func(_ context.Context, arrays [2]*shm.Array[int32]) (*shm.Array[int32], error) {
	for i := range arrays[0].Len() {
		arrays[0].Set(i, -arrays[0].At(i))
	}
	if &arrays[0].Slice()[0] != &arrays[1].Slice()[0] {
		return nil, fmt.Errorf("the same array was mapped twice")
	}
	return arrays[1], nil
})

func TestArray(t *testing.T) {
	a, err := shm.NewArray[int32](10)
	require.NoError(t, err)
	for i := range a.Slice() {
		a.Set(i, int32(i))
	}
	b, err := proc.Run(bg, negate, [2]*shm.Array[int32]{a, a}, proc.StartConfig{})
	require.NoError(t, err)
	for i, x := range a.Slice() {
		require.Equal(t, int32(-i), x)
	}
	require.Same(t, &a.Slice()[0], &b.Slice()[0], "what comes back is what was sent")
	runtime.KeepAlive(a)

	_, err = shm.NewArray[struct{ P *int }](1)
	require.ErrorIs(t, err, shm.ErrType)
	require.ErrorContains(t, err, "field P")
	_, err = shm.NewValue("text")
	require.ErrorIs(t, err, shm.ErrType)
	_, err = shm.NewArray[int](-1)
	require.Error(t, err)
	empty, err := shm.NewArray[struct{}](3)
	require.NoError(t, err)
	require.Zero(t, empty.Len())
}

func TestNamed(t *testing.T) {
	name := fmt.Sprintf("tandem-test-%d", os.Getpid())
	s, err := shm.Named(name, 64+80)
	require.NoError(t, err)
	a, err := shm.ArrayIn[float64](s)
	require.NoError(t, err)
	require.Equal(t, 10, a.Len())
	again, err := shm.Named(name, 64+80)
	require.NoError(t, err)
	require.Same(t, s, again)
	_, err = shm.Named(name, 100)
	require.ErrorContains(t, err, "it has 144 bytes")
	require.NoError(t, shm.Remove(name))
	require.Error(t, shm.Remove(name))
	for _, bad := range []string{"", "a/b", "..", "."} {
		_, err = shm.Named(bad, 64)
		require.Error(t, err, bad)
	}
	_, err = shm.ArrayIn[[3]int32](s)
	require.ErrorIs(t, err, shm.ErrType)
}

// Memory is unmapped and its file closed when nobody refers to it.
func TestSegmentsGo(t *testing.T) {
	fds := func() int {
		names, err := os.ReadDir("/proc/self/fd")
		require.NoError(t, err)
		return len(names)
	}
	runtime.GC()
	before := fds()
	for range 100 {
		_, err := shm.NewSegment(1 << 20)
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		runtime.GC()
		return fds() <= before
	}, 5*time.Second, time.Millisecond)
}

var hold = proc.Register("hold", func(ctx context.Context, m *shm.Mutex) (bool, error) {
	if _, err := m.Lock(ctx); err != nil {
		return false, err
	}
	return true, syscall.Kill(os.Getpid(), syscall.SIGKILL)
})

// A lock whose owner was killed goes to the next, who is told.
func TestOwnerOfALockDies(t *testing.T) {
	m, err := shm.NewMutex()
	require.NoError(t, err)
	for i := range 20 {
		_, err = proc.Run(bg, hold, m, proc.StartConfig{})
		require.ErrorIs(t, err, proc.ErrWorkerDied)
		var died bool
		if i%2 == 0 {
			died, err = m.Lock(bg)
			require.NoError(t, err)
		} else {
			var locked bool
			locked, died = m.TryLock()
			require.True(t, locked)
		}
		require.True(t, died)
		require.NoError(t, m.Unlock())
	}
	died, err := m.Lock(bg)
	require.NoError(t, err)
	require.False(t, died)
	ctx, cancel := context.WithCancelCause(bg)
	go cancel(os.ErrProcessDone)
	_, err = m.Lock(ctx)
	require.ErrorIs(t, err, os.ErrProcessDone)
	locked, _ := m.TryLock()
	require.False(t, locked)
	require.NoError(t, m.Unlock())
	require.ErrorIs(t, m.Unlock(), shm.ErrNotLocked)
	require.ErrorIs(t, m.Unlock(), par.ErrNotLocked)
}

var produce = proc.Register("produce", func(ctx context.Context, in ringArgs) (int, error) {
	var b [24]byte
	for i := range in.N {
		binary.LittleEndian.PutUint64(b[:], uint64(in.Base+i))
		if err := in.R.Put(ctx, b[:8+i%17]); err != nil {
			return i, err
		}
	}
	return in.N, nil
})

type ringArgs struct {
	R       *shm.Ring
	Base, N int
}

// consume returns how many messages it got, and their sum.
var consume = proc.Register("consume", func(ctx context.Context, r *shm.Ring) (got [2]int, err error) {
	var b []byte
	for {
		if b, err = r.Get(ctx, b[:0]); err != nil {
			break
		}
		got[0]++
		got[1] += int(binary.LittleEndian.Uint64(b))
	}
	if err == shm.ErrClosed { //nolint:errorlint // it is
		err = nil
	}
	return got, err
})

// Each message arrives once, through a small ring, with a consumer that is killed while it waits.
func TestRingBetweenProcesses(t *testing.T) {
	for _, size := range []int{4096, 1 << 20} {
		r, err := shm.NewRing(size)
		require.NoError(t, err)
		const n = 50_000
		var consumers []*proc.Process[[2]int]
		for range 3 {
			c, err := proc.Start(bg, consume, r, proc.StartConfig{})
			require.NoError(t, err)
			consumers = append(consumers, c)
		}
		consumers[0].Kill() // it has had nothing to take
		require.NoError(t, consumers[0].Join(bg))
		var producers []*proc.Process[int]
		for i := range 2 {
			p, err := proc.Start(bg, produce, ringArgs{r, i * n, n}, proc.StartConfig{})
			require.NoError(t, err)
			producers = append(producers, p)
		}
		for _, p := range producers {
			_, err := p.Wait(bg)
			require.NoError(t, err)
		}
		r.Close()
		var sum [2]int
		for _, c := range consumers[1:] {
			got, err := c.Wait(bg)
			require.NoError(t, err)
			sum[0] += got[0]
			sum[1] += got[1]
		}
		require.Equal(t, [2]int{2 * n, n * (2*n - 1)}, sum)
	}
}

// Producers and consumers that are killed at any moment leave a ring that works and messages that are whole.
func TestRingSurvivesItsUsers(t *testing.T) {
	r, err := shm.NewRing(4096)
	require.NoError(t, err)
	for i := range 40 {
		c, err := proc.Start(bg, consume, r, proc.StartConfig{})
		require.NoError(t, err)
		p, err := proc.Start(bg, produce, ringArgs{r, 0, 1 << 40}, proc.StartConfig{})
		require.NoError(t, err)
		for range i { // some time for them to work
			if _, err := r.Get(bg, nil); err != nil {
				require.NoError(t, err)
			}
		}
		c.Kill()
		p.Kill()
		require.NoError(t, c.Join(bg))
		require.NoError(t, p.Join(bg))
	}
	for {
		b, err := r.TryGet(nil)
		if err == par.ErrEmpty { //nolint:errorlint // it is
			break
		}
		require.NoError(t, err)
		i := binary.LittleEndian.Uint64(b)
		require.Len(t, b, 8+int(i%17))
	}
	require.NoError(t, r.Put(bg, []byte("x")))
	n, err := r.Len(bg)
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

func TestRing(t *testing.T) {
	r, err := shm.NewRing(1)
	require.NoError(t, err)
	require.ErrorIs(t, r.Put(bg, make([]byte, 4096)), shm.ErrTooLarge)
	large := make([]byte, 4096-8)
	large[4087] = 7
	require.NoError(t, r.Put(bg, large))
	require.ErrorIs(t, r.TryPut(nil), par.ErrFull)
	ctx, cancel := context.WithTimeout(bg, 10*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, r.Put(ctx, nil), context.DeadlineExceeded)
	got, err := r.Get(bg, []byte("a"))
	require.NoError(t, err)
	require.Equal(t, append([]byte("a"), large...), got)
	_, err = r.TryGet(nil)
	require.ErrorIs(t, err, par.ErrEmpty)
	_, err = r.Get(ctx, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, r.Put(bg, nil))
	r.Close()
	r.Close()
	require.True(t, r.Closed())
	require.ErrorIs(t, r.Put(bg, nil), shm.ErrClosed)
	got, err = r.Get(bg, nil)
	require.NoError(t, err)
	require.Empty(t, got)
	_, err = r.Get(bg, nil)
	require.ErrorIs(t, err, par.ErrClosed)
}

func BenchmarkMutex(b *testing.B) {
	m, err := shm.NewMutex()
	require.NoError(b, err)
	for b.Loop() {
		_, _ = m.Lock(bg) // nobody else has it
		_ = m.Unlock()
	}
}

func BenchmarkRing(b *testing.B) {
	r, err := shm.NewRing(1 << 20)
	require.NoError(b, err)
	p, err := proc.Start(bg, consume, r, proc.StartConfig{})
	require.NoError(b, err)
	var m [8]byte
	n := 0
	for b.Loop() {
		n++
		if err := r.Put(bg, m[:]); err != nil {
			b.Fatal(err)
		}
	}
	r.Close()
	got, err := p.Wait(bg)
	require.NoError(b, err)
	require.Equal(b, n, got[0])
}
