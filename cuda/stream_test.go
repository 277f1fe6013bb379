package cuda_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
)

func isClosed(err error) bool { return errors.Is(err, cuda.ErrClosed) }

func TestEvents(t *testing.T) {
	d, f := open(t)
	spin := function(t, d, "spin")
	start, err := d.NewEvent()
	require.NoError(t, err)
	end, err := d.NewEvent()
	require.NoError(t, err)
	happened, err := end.Happened()
	require.NoError(t, err)
	require.True(t, happened, "an event that was never recorded has happened")
	<-end.Done()

	require.NoError(t, start.Record(nil))
	require.NoError(t, spin.Launch(threads(1)))
	require.NoError(t, end.Record(nil))
	happened, err = end.Happened()
	require.NoError(t, err)
	require.False(t, happened)
	_, err = end.Since(start)
	require.ErrorIs(t, err, cuda.ErrUnfinished)
	ctx, cancel := context.WithCancel(background)
	cancel()
	require.ErrorIs(t, end.Wait(ctx), context.Canceled)
	done := end.Done()
	select {
	case <-done:
		t.Fatal("the event has not happened")
	default:
	}
	f.release()
	<-done
	require.NoError(t, end.Wait(background))
	dt, err := end.Since(start)
	require.NoError(t, err)
	require.Positive(t, dt)
	require.NoError(t, end.Close())
	require.NoError(t, end.Close())
	require.ErrorIs(t, end.Record(nil), cuda.ErrClosed)
	require.ErrorIs(t, end.Wait(background), cuda.ErrClosed)
	<-end.Done()
}

// TestEventsOrderStreams: work behind WaitFor sees what was done before Record.
func TestEventsOrderStreams(t *testing.T) {
	d, f := open(t)
	m := load(t, d)
	spin, err := m.Function("spin")
	require.NoError(t, err)
	increment, err := m.Function("increment")
	require.NoError(t, err)
	a, err := d.NewStream(cuda.StreamConfig{})
	require.NoError(t, err)
	b, err := d.NewStream(cuda.StreamConfig{Priority: -1})
	require.NoError(t, err)
	e, err := d.NewEvent()
	require.NoError(t, err)
	require.NoError(t, spin.Launch(cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(1), Stream: a}))
	require.NoError(t, e.Record(a))
	require.NoError(t, b.WaitFor(e))
	x := []int32{1}
	require.NoError(t, increment.Launch(cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(1), Stream: b}, cuda.InOut(x)))
	idle, err := b.Idle()
	require.NoError(t, err)
	require.False(t, idle)
	f.release()
	require.NoError(t, b.Wait(background))
	require.Equal(t, int32(2), x[0])

	other, _ := open(t)
	foreign, err := other.NewEvent()
	require.NoError(t, err)
	require.ErrorIs(t, b.WaitFor(foreign), cuda.ErrWrongDevice)
	require.ErrorIs(t, foreign.Record(b), cuda.ErrWrongDevice)
	_, err = e.Since(foreign)
	require.ErrorIs(t, err, cuda.ErrWrongDevice)
	require.NoError(t, a.Close())
	require.NoError(t, a.Close())
	require.ErrorIs(t, a.Wait(background), cuda.ErrClosed)
	require.NoError(t, d.DefaultStream().Close(), "the default stream stays")
	require.NoError(t, d.DefaultStream().Wait(background))
}

// TestClosedStreamDropsItsSlices: Out of a launch that nobody waited for is not written, and its memory is freed.
func TestClosedStreamDropsItsSlices(t *testing.T) {
	d, f := open(t)
	k := function(t, d, "increment")
	s, err := d.NewStream(cuda.StreamConfig{})
	require.NoError(t, err)
	x := []int32{1}
	require.NoError(t, k.Launch(cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(1), Stream: s}, cuda.InOut(x)))
	require.NoError(t, s.Close())
	awaitLive(t, d, f, 0)
	require.Equal(t, int32(1), x[0])
}

func TestClosedDevice(t *testing.T) {
	d, _ := open(t)
	m := load(t, d)
	k, err := m.Function("increment")
	require.NoError(t, err)
	b, err := cuda.Alloc[int32](d, 1)
	require.NoError(t, err)
	e, err := d.NewEvent()
	require.NoError(t, err)
	s, err := d.NewStream(cuda.StreamConfig{})
	require.NoError(t, err)
	require.NoError(t, d.Close())
	require.NoError(t, d.Close())
	_, load := d.Load(background, []byte(image), cuda.LoadConfig{})
	_, alloc := cuda.Alloc[int32](d, 1)
	_, host := cuda.AllocHost[int32](d, 1)
	_, download := b.Download(background)
	_, event := d.NewEvent()
	_, stream := d.NewStream(cuda.StreamConfig{})
	_, kernel := m.Function("increment")
	_, variable := m.Global("table")
	_, compile := d.Compile(background, "", cuda.CompileConfig{})
	_, _, memory := d.Memory()
	_, attribute := d.Attribute(1)
	for i, err := range []error{load, alloc, host, download, event, stream, kernel, variable, compile, memory, attribute,
		k.Launch(threads(1), b), k.Run(background, threads(1), b), b.Fill(1, nil), b.CopyFrom(background, []int32{1}),
		e.Record(nil), e.Wait(background), s.Wait(background), d.Synchronize(background), d.Reset(), d.DefaultStream().Wait(background)} {
		require.ErrorIs(t, err, cuda.ErrClosed, "call %d", i)
		require.NotEmpty(t, cuda.Diagnose(err))
	}
	for _, c := range []interface{ Close() error }{b, e, s, m, d} {
		require.NoError(t, c.Close())
	}
}
