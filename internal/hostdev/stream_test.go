package hostdev_test

import (
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/hostdev"
)

// gated is a kernel that runs until the gate is opened, and says when it has begun.
type gated struct {
	begun, open chan struct{}
	once        sync.Once
}

func newGate() *gated { return &gated{begun: make(chan struct{}), open: make(chan struct{})} }

func (g *gated) step(*block, int) (engine.State, *engine.Fault) {
	g.once.Do(func() { close(g.begun) })
	select {
	case <-g.open:
		return engine.Done, nil
	default:
		return engine.Yielded, nil
	}
}

// Work runs although nobody waits for it.
func TestWorkRunsWithoutWaiter(t *testing.T) {
	g := newGate()
	b := newBench(t, 2, g.step)
	_, err := b.launch(4, 1)
	require.NoError(t, err)
	<-g.begun
	close(g.open)
	e, err := b.NewEvent(false)
	require.NoError(t, err)
	require.NoError(t, b.Record(e, 0))
	for b.QueryEvent(e) != nil {
		runtime.Gosched()
	}
}

// Nor when waiters have always come first, so that runners are delayed.
func TestDelayedWorkRunsWithoutWaiter(t *testing.T) {
	begun := make(chan struct{}, 1)
	b := newBench(t, 2, func(*block, int) (engine.State, *engine.Fault) {
		begun <- struct{}{}
		return engine.Done, nil
	})
	for !hostdev.Prompt(b.Device) {
		b.run(1, 1)
		<-begun
	}
	_, err := b.launch(1, 1)
	require.NoError(t, err)
	<-begun
}

// A stream that waits for delayed work of another starts it, and so does who asks about it.
func TestDelayedWorkIsAskedFor(t *testing.T) {
	b := newBench(t, 2, func(*block, int) (engine.State, *engine.Fault) { return engine.Done, nil })
	s, err := b.NewStream(0)
	require.NoError(t, err)
	e, err := b.NewEvent(false)
	require.NoError(t, err)
	for range 3 {
		for !hostdev.Prompt(b.Device) {
			b.run(1, 1)
		}
		_, err = b.launch(1, 1)
		require.NoError(t, err)
		require.NoError(t, b.Record(e, 0))
		require.NoError(t, b.WaitEvent(s, e))
		require.NoError(t, b.Synchronize(s))
		require.NoError(t, b.QueryEvent(e))
		_, err = b.launch(1, 1)
		require.NoError(t, err)
		for b.Query(0) != nil {
			runtime.Gosched()
		}
	}
}

// A waiter that does the work of a stream itself returns when what it waits for is done, not when the stream is empty.
func TestWaiterLeavesLaterWork(t *testing.T) {
	g := newGate()
	b := newBench(t, 2, g.step)
	e, err := b.NewEvent(false)
	require.NoError(t, err)
	hold := make(chan struct{})
	require.NoError(t, b.HostFunc(0, func() { <-hold }))
	require.NoError(t, b.Record(e, 0))
	_, err = b.launch(1, 1)
	require.NoError(t, err)
	waited := make(chan error)
	go func() { waited <- b.SynchronizeEvent(e) }()
	close(hold)
	require.NoError(t, <-waited)
	require.ErrorIs(t, b.Query(0), driver.NotReady)
	<-g.begun // somebody else has taken over
	close(g.open)
	require.NoError(t, b.Synchronize(0))
}

// Many goroutines that wait for one stream all return.
func TestManyWaiters(t *testing.T) {
	g := newGate()
	b := newBench(t, 2, g.step)
	_, err := b.launch(2, 1)
	require.NoError(t, err)
	<-g.begun
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if err := b.Synchronize(0); err != nil {
				t.Error(err)
			}
		})
	}
	for hostdev.Waiting(b.Device) < 50 {
		runtime.Gosched()
	}
	close(g.open)
	all.Wait()
}

// A wait that Reset cuts short says so, and does not pretend that the work was done.
func TestResetDuringWait(t *testing.T) {
	g := newGate()
	b := newBench(t, 2, g.step)
	p, err := b.Alloc(4)
	require.NoError(t, err)
	_, err = b.launch(2, 1)
	require.NoError(t, err)
	<-g.begun
	dst := []byte{1, 2, 3, 4}
	waits := make(chan error)
	go func() { waits <- b.Synchronize(0) }()
	go func() { waits <- b.Read(dst, p, 0) }()
	for hostdev.Waiting(b.Device) < 2 {
		runtime.Gosched()
	}
	require.NoError(t, b.Reset())
	for range 2 {
		require.ErrorIs(t, <-waits, driver.InvalidContext)
	}
	require.Equal(t, []byte{1, 2, 3, 4}, dst)
	require.NoError(t, b.Synchronize(0))
	require.ErrorIs(t, b.Free(p), driver.InvalidValue)
}

// Memory that was given to Free cannot be named any more, although queued work still has it.
func TestFreedMemoryIsGoneForTheCaller(t *testing.T) {
	g := newGate()
	b := newBench(t, 2, g.step)
	p, err := b.Alloc(8)
	require.NoError(t, err)
	q, err := b.Alloc(8)
	require.NoError(t, err)
	_, err = b.launch(1, 1)
	require.NoError(t, err)
	require.NoError(t, b.Fill(p, 1, 4, 2, 0))
	require.NoError(t, b.Free(p))
	require.ErrorIs(t, b.Write(p+4, []byte{1}, 0), driver.InvalidValue)
	require.ErrorIs(t, b.Read([]byte{1}, p, 0), driver.InvalidValue)
	require.ErrorIs(t, b.Copy(q, p, 8, 0), driver.InvalidValue)
	require.ErrorIs(t, b.Copy(p, q, 8, 0), driver.InvalidValue)
	require.ErrorContains(t, b.Fill(p, 0, 1, 1, 0), "lie in memory that was freed")
	require.ErrorIs(t, b.Free(p), driver.InvalidValue)
	close(g.open)
	require.NoError(t, b.Synchronize(0))
}
