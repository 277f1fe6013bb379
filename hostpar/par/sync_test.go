package par_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/par"
)

func ended(cause error) context.Context {
	ctx, cancel := context.WithCancelCause(bg)
	cancel(cause)
	return ctx
}

var errGivenUp = errors.New("given up")

func TestMutexExcludes(t *testing.T) {
	var m par.Mutex
	count := 0 // -race checks the ordering, too
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 25000 {
				if m.Lock(bg) != nil {
					panic("lock failed")
				}
				count++
				if m.Unlock() != nil {
					panic("unlock failed")
				}
			}
		})
	}
	all.Wait()
	require.Equal(t, 200000, count)
	require.False(t, m.Locked())
}

func TestMutexMisuse(t *testing.T) {
	var m par.Mutex
	require.ErrorIs(t, m.Unlock(), par.ErrNotLocked)
	require.True(t, m.TryLock())
	require.False(t, m.TryLock())
	require.True(t, m.Locked())
	require.Equal(t, errGivenUp, m.Lock(ended(errGivenUp)))
	require.NoError(t, m.Unlock())
	require.ErrorIs(t, m.Unlock(), par.ErrNotLocked)
	require.NoError(t, m.Lock(bg))
}

func TestMutexIsFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m par.Mutex
		require.NoError(t, m.Lock(bg))
		var order []int
		for i := range 10 {
			go func() {
				_ = m.Lock(bg)
				order = append(order, i)
				_ = m.Unlock()
			}()
			synctest.Wait() // it waits for the lock before the next is started
		}
		require.NoError(t, m.Unlock())
		synctest.Wait()
		require.Equal(t, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, order)
	})
}

// Waiters give up at random moments, also when the lock is just handed to them: it is never lost and never held twice.
func TestMutexCancelRace(t *testing.T) {
	var m par.Mutex
	var holders, got, lost atomic.Int64
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 1))
			for range 3000 {
				ctx, cancel := context.WithCancel(bg)
				if rng.IntN(2) == 0 {
					go cancel()
				}
				if err := m.Lock(ctx); err != nil {
					lost.Add(1)
				} else {
					if holders.Add(1) != 1 {
						panic("two holders")
					}
					got.Add(1)
					holders.Add(-1)
					if m.Unlock() != nil {
						panic("unlock failed")
					}
				}
				cancel()
			}
		})
	}
	within(t, 5*time.Minute, all.Wait)
	require.EqualValues(t, 24000, got.Load()+lost.Load())
	require.True(t, m.TryLock(), "left free")
}

func TestRMutex(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m par.RMutex
		h, err := m.Acquire(bg)
		require.NoError(t, err)
		require.NoError(t, h.Acquire())
		require.NoError(t, h.Acquire())
		require.Nil(t, m.TryAcquire())
		_, err = m.Acquire(ended(errGivenUp))
		require.Equal(t, errGivenUp, err)
		var second atomic.Bool
		go func() {
			other, _ := m.Acquire(bg)
			second.Store(true)
			_ = other.Release()
		}()
		for range 3 {
			synctest.Wait()
			require.False(t, second.Load())
			require.NoError(t, h.Release())
		}
		synctest.Wait()
		require.True(t, second.Load())
		require.ErrorIs(t, h.Release(), par.ErrNotLocked)
		require.ErrorIs(t, h.Acquire(), par.ErrNotLocked)
		third := m.TryAcquire()
		require.NotNil(t, third)
		require.ErrorIs(t, h.Release(), par.ErrNotLocked, "a former owner cannot release the present one's hold")
		require.NoError(t, third.Release())
	})
}

func TestEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e par.Event
		var woken atomic.Int64
		for range 50 {
			go func() {
				if e.Wait(bg) == nil {
					woken.Add(1)
				}
			}()
		}
		synctest.Wait()
		require.Zero(t, woken.Load())
		e.Set()
		e.Set()
		synctest.Wait()
		require.EqualValues(t, 50, woken.Load())
		require.True(t, e.IsSet())
		require.NoError(t, e.Wait(ended(errGivenUp)), "set comes before ended")
		<-e.Done()
		e.Clear()
		e.Clear()
		require.False(t, e.IsSet())
		ctx, cancel := context.WithTimeout(bg, time.Second)
		defer cancel()
		began := time.Now()
		require.ErrorIs(t, e.Wait(ctx), context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(began))
	})
	var e par.Event
	e.Set() // before anybody asked
	require.NoError(t, e.Wait(bg))
}

func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		require.NoError(t, par.Sleep(bg, time.Minute))
		require.Equal(t, time.Minute, time.Since(began))
		ctx, cancel := context.WithTimeoutCause(bg, time.Second, errGivenUp)
		defer cancel()
		require.Equal(t, errGivenUp, par.Sleep(ctx, time.Hour))
		require.Equal(t, time.Minute+time.Second, time.Since(began))
		require.NoError(t, par.Sleep(bg, -1))
		require.Equal(t, errGivenUp, par.Sleep(ctx, 0))
	})
}

func TestCondProducersAndConsumers(t *testing.T) {
	var m par.Mutex
	notEmpty, notFull := par.NewCond(&m), par.NewCond(&m)
	const items, room = 20000, 3
	var buffer []int
	sum := 0
	var all sync.WaitGroup
	for p := range 4 {
		all.Go(func() {
			for i := p; i < items; i += 4 {
				_ = m.Lock(bg)
				if notFull.WaitFor(bg, func() bool { return len(buffer) < room }) != nil {
					panic("wait failed")
				}
				buffer = append(buffer, i)
				notEmpty.Signal()
				_ = m.Unlock()
			}
		})
		all.Go(func() {
			for range items / 4 {
				_ = m.Lock(bg)
				if notEmpty.WaitFor(bg, func() bool { return len(buffer) > 0 }) != nil {
					panic("wait failed")
				}
				sum += buffer[0]
				buffer = buffer[1:]
				notFull.Signal()
				_ = m.Unlock()
			}
		})
	}
	within(t, 5*time.Minute, all.Wait)
	require.Equal(t, items*(items-1)/2, sum)
}

func TestCondCancelKeepsTheLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m par.Mutex
		c := par.NewCond(&m)
		require.ErrorIs(t, c.Wait(bg), par.ErrNotLocked)
		require.NoError(t, m.Lock(bg))
		ctx, cancel := context.WithTimeoutCause(bg, time.Second, errGivenUp)
		defer cancel()
		require.Equal(t, errGivenUp, c.Wait(ctx))
		require.True(t, m.Locked())
		require.NoError(t, m.Unlock())

		var released atomic.Int64
		for range 5 {
			go func() {
				_ = m.Lock(bg)
				_ = c.Wait(bg)
				released.Add(1)
				_ = m.Unlock()
			}()
		}
		synctest.Wait()
		c.Signal()
		synctest.Wait()
		require.EqualValues(t, 1, released.Load())
		c.Broadcast()
		synctest.Wait()
		require.EqualValues(t, 5, released.Load())
	})
}

// What reaches a waiter that has just given up goes to the next one. Ending the context and handing out follow each other
// closely, so that the waiter, awakened by the first, has not left yet; in any order of events the next one is served.
func TestNothingIsLostToACancelledWaiter(t *testing.T) {
	type object struct {
		wait func(ctx context.Context) error
		give func()
	}
	for name, object := range map[string]func() object{
		"Mutex": func() object {
			m := &par.Mutex{}
			_ = m.Lock(bg)
			return object{m.Lock, func() { _ = m.Unlock() }}
		},
		"Cond": func() object {
			m := &par.Mutex{}
			c := par.NewCond(m)
			return object{func(ctx context.Context) error {
				_ = m.Lock(bg)
				defer m.Unlock() //nolint:errcheck // held
				return c.Wait(ctx)
			}, c.Signal}
		},
		"Semaphore": func() object {
			s := par.NewSemaphore(0, 0)
			return object{func(ctx context.Context) error { return s.Acquire(ctx, 1) }, func() { _ = s.Release(1) }}
		},
		"Queue, Get": func() object {
			q := par.NewQueue(par.QueueConfig[int]{})
			return object{func(ctx context.Context) error { _, err := q.Get(ctx); return err }, func() { _ = q.TryPut(1) }}
		},
		"Queue, Put": func() object {
			q := par.NewQueue(par.QueueConfig[int]{Capacity: 1})
			_ = q.TryPut(1)
			return object{func(ctx context.Context) error { return q.Put(ctx, 1) }, func() { _, _ = q.TryGet() }}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for range 500 {
				synctest.Test(t, func(t *testing.T) {
					o := object()
					ctx, cancel := context.WithCancel(bg)
					first, second := make(chan error, 1), make(chan error, 1)
					go func() { first <- o.wait(ctx) }()
					synctest.Wait()
					go func() { second <- o.wait(bg) }()
					synctest.Wait()
					cancel()
					o.give()
					if <-first == nil {
						o.give()
					}
					require.NoError(t, <-second) // a bubble in which nobody can go on fails
				})
			}
		})
	}
}

func TestSemaphoreLimits(t *testing.T) {
	s := par.NewSemaphore(3, 3)
	var inside, peak atomic.Int64
	require.NoError(t, par.For(bg, 2000, par.Config{Workers: 16, Chunk: 1}, func(ctx context.Context, _ int) error {
		if err := s.Acquire(ctx, 1); err != nil {
			return err
		}
		n := inside.Add(1)
		for {
			p := peak.Load()
			if n <= p || peak.CompareAndSwap(p, n) {
				break
			}
		}
		inside.Add(-1)
		return s.Release(1)
	}))
	require.LessOrEqual(t, peak.Load(), int64(3))
	require.EqualValues(t, 3, s.Free())
	require.ErrorIs(t, s.Release(1), par.ErrOverRelease)
	require.ErrorIs(t, s.Acquire(bg, 4), par.ErrTooLarge)
	require.True(t, s.TryAcquire(3))
	require.False(t, s.TryAcquire(1))
	require.Equal(t, errGivenUp, s.Acquire(ended(errGivenUp), 1))
	require.NoError(t, s.Release(3))
	require.NoError(t, s.Acquire(bg, 0))
	require.NoError(t, s.Release(0))

	unbounded := par.NewSemaphore(0, 0)
	require.NoError(t, unbounded.Release(5))
	require.NoError(t, unbounded.Acquire(bg, 5))
}

// A large request is served in its turn; when it is given up, the smaller ones behind it go on.
func TestSemaphoreOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := par.NewSemaphore(2, 5)
		large, cancel := context.WithCancel(bg)
		var small, gaveUp atomic.Bool
		go func() { gaveUp.Store(s.Acquire(large, 5) != nil) }()
		synctest.Wait()
		go func() { small.Store(s.Acquire(bg, 1) == nil) }()
		synctest.Wait()
		require.False(t, small.Load())
		require.False(t, s.TryAcquire(1), "no overtaking")
		cancel()
		synctest.Wait()
		require.True(t, gaveUp.Load())
		require.True(t, small.Load())
		require.EqualValues(t, 1, s.Free())
	})
}

func TestBarrierRounds(t *testing.T) {
	const parties, rounds = 4, 1000
	actions := 0
	b := par.NewBarrier(parties, par.BarrierConfig{Action: func() { actions++ }})
	require.Equal(t, parties, b.Parties())
	var arrived [rounds]atomic.Int64
	var indexes [rounds]atomic.Int64
	within(t, 5*time.Minute, func() {
		require.NoError(t, par.For(bg, parties, par.Config{Workers: parties, Chunk: 1}, func(ctx context.Context, _ int) error {
			for r := range rounds {
				arrived[r].Add(1)
				i, err := b.Wait(ctx)
				if err != nil {
					return err
				}
				indexes[r].Add(1 << (8 * i))
				if arrived[r].Load() != parties {
					return errors.New("released too early")
				}
			}
			return nil
		}))
	})
	require.Equal(t, rounds, actions)
	for r := range rounds {
		require.EqualValues(t, 0x01010101, indexes[r].Load(), "each index once")
	}
}

func TestBarrierBreaks(t *testing.T) {
	wait3 := func(t *testing.T, b *par.Barrier, breakIt func()) {
		var broken atomic.Int64
		for range 3 {
			go func() {
				if _, err := b.Wait(bg); errors.Is(err, par.ErrBrokenBarrier) {
					broken.Add(1)
				}
			}()
		}
		synctest.Wait()
		require.Equal(t, 3, b.Waiting())
		breakIt()
		synctest.Wait()
		require.EqualValues(t, 3, broken.Load())
	}
	synctest.Test(t, func(t *testing.T) {
		b := par.NewBarrier(5, par.BarrierConfig{})
		wait3(t, b, func() {
			ctx, cancel := context.WithTimeoutCause(bg, time.Second, errGivenUp)
			defer cancel()
			_, err := b.Wait(ctx)
			require.Equal(t, errGivenUp, err)
		})
		require.True(t, b.Broken())
		require.Zero(t, b.Waiting())
		_, err := b.Wait(bg)
		require.ErrorIs(t, err, par.ErrBrokenBarrier)
		b.Reset()
		require.False(t, b.Broken())
		wait3(t, b, b.Abort)
		require.True(t, b.Broken())
		b.Reset()
		wait3(t, b, b.Reset)
		require.False(t, b.Broken())
	})
	synctest.Test(t, func(t *testing.T) {
		b := par.NewBarrier(4, par.BarrierConfig{Action: func() { panic("action") }})
		wait3(t, b, func() { require.PanicsWithValue(t, "action", func() { _, _ = b.Wait(bg) }) })
	})
	one := par.NewBarrier(0, par.BarrierConfig{})
	i, err := one.Wait(ended(errGivenUp))
	require.NoError(t, err, "complete at once")
	require.Zero(t, i)
}

// The same lock-order demonstration as everywhere: a mutex excludes, a sequencer also orders.
func TestSequencerOrders(t *testing.T) {
	for range 20 {
		var s par.Sequencer
		var got []int
		require.NoError(t, par.For(bg, 100, par.Config{Workers: 100, Chunk: 1}, func(ctx context.Context, i int) error {
			return s.Do(ctx, int64(i), func() error { got = append(got, i); return nil })
		}))
		for i, x := range got {
			require.Equal(t, i, x)
		}
		require.Len(t, got, 100)
	}
}

func TestSequencerGivenUpTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s par.Sequencer
		var got []int64
		ctx, cancel := context.WithCancelCause(bg)
		enter := func(ctx context.Context, turn int64) {
			if s.Enter(ctx, turn) == nil {
				got = append(got, turn)
				_ = s.Leave(turn)
			}
		}
		go enter(ctx, 1)
		go enter(bg, 2)
		go enter(bg, 4)
		synctest.Wait()
		require.ErrorIs(t, s.Enter(bg, 2), par.ErrTurn, "two of one turn")
		require.ErrorIs(t, s.Skip(2), par.ErrTurn)
		cancel(errGivenUp)
		synctest.Wait()
		require.Empty(t, got)
		require.ErrorIs(t, s.Enter(bg, 1), par.ErrTurn, "was given up")
		require.NoError(t, s.Skip(3))
		require.ErrorIs(t, s.Leave(0), par.ErrTurn)
		require.NoError(t, s.Enter(bg, 0))
		require.ErrorIs(t, s.Enter(bg, 0), par.ErrTurn)
		require.ErrorIs(t, s.Leave(1), par.ErrTurn)
		require.NoError(t, s.Leave(0))
		synctest.Wait()
		require.Equal(t, []int64{2, 4}, got)
		require.ErrorIs(t, s.Enter(bg, 4), par.ErrTurn)
		require.NoError(t, s.Skip(5))
		require.Panics(t, func() { _ = s.Do(bg, 6, func() error { panic("inside") }) })
		require.NoError(t, s.Enter(bg, 7), "a panic ends its turn")
	})
}
