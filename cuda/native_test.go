package cuda_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/driver"
)

// native is a fake whose native handles are those of the driver, plus a number for each kind.
type native struct{ *fake }

const (
	contexts, streams, events, modules, functions = 100, 1000, 2000, 3000, 4000
)

func (native) NativeContext() (uintptr, error)                   { return contexts, nil }
func (native) NativeStream(s driver.Stream) (uintptr, error)     { return streams + uintptr(s), nil }
func (native) NativeEvent(e driver.Event) (uintptr, error)       { return events + uintptr(e), nil }
func (native) NativeModule(m driver.Module) (uintptr, error)     { return modules + uintptr(m), nil }
func (native) NativeFunction(f driver.Function) (uintptr, error) { return functions + uintptr(f), nil }

func (n native) AdoptStream(h uintptr) (driver.Stream, error) {
	if h != streams {
		return 0, driver.InvalidHandle
	}
	return n.NewStream(0)
}

func (n native) AdoptEvent(h uintptr) (driver.Event, error) {
	if h != events {
		return 0, driver.InvalidHandle
	}
	return n.NewEvent(true)
}

type nativeBackend struct{ driver.Backend }

func (b nativeBackend) Open(n int) (driver.Device, error) {
	d, err := b.Backend.Open(n)
	return native{d.(*fake)}, err
}

// TestNative: each object gives the driver's handle of it while it is open, and a device takes those of others.
func TestNative(t *testing.T) {
	f := newFake()
	d, err := cuda.OpenBackend(cuda.GPU, nativeBackend{f.backend()})
	require.NoError(t, err)
	s, err := d.NewStream(cuda.StreamConfig{})
	require.NoError(t, err)
	e, err := d.NewEvent()
	require.NoError(t, err)
	m := load(t, d)
	k, err := m.Function("increment")
	require.NoError(t, err)
	for _, c := range []struct {
		ask   func() (uintptr, error)
		least uintptr
	}{
		{d.Native, contexts}, {d.DefaultStream().Native, streams}, {s.Native, streams + 1}, {e.Native, events + 1},
		{m.Native, modules + 1}, {k.Native, functions + 1},
	} {
		h, err := c.ask()
		require.NoError(t, err)
		require.GreaterOrEqual(t, h, c.least)
		require.Less(t, h, c.least+1000)
	}

	_, err = d.ForeignStream(1)
	require.ErrorContains(t, err, "CUDA_ERROR_INVALID_HANDLE")
	require.ErrorContains(t, err, "stream 0x1")
	_, err = d.ForeignEvent(1)
	require.ErrorContains(t, err, "CUDA_ERROR_INVALID_HANDLE")
	foreign, err := d.ForeignStream(streams)
	require.NoError(t, err)
	event, err := d.ForeignEvent(events)
	require.NoError(t, err)
	b, err := cuda.Upload(background, d, []int32{1, 2})
	require.NoError(t, err)
	require.NoError(t, k.Launch(cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(2), Stream: foreign}, b))
	require.NoError(t, event.Record(foreign))
	require.NoError(t, foreign.Wait(background))

	for _, c := range []interface{ Close() error }{foreign, event, s, e, m} {
		require.NoError(t, c.Close())
	}
	for _, ask := range []func() (uintptr, error){s.Native, e.Native, m.Native, k.Native} {
		_, err := ask()
		require.ErrorIs(t, err, cuda.ErrClosed)
	}
	require.NoError(t, d.Close())
	_, err = d.Native()
	require.ErrorIs(t, err, cuda.ErrClosed)
	require.Empty(t, f.bad)
}

// TestNoNative: the host device has no objects of CUDA's driver.
func TestNoNative(t *testing.T) {
	d, _ := open(t)
	_, err := d.Native()
	require.ErrorIs(t, err, cuda.ErrNotSupported)
	_, err = d.DefaultStream().Native()
	require.ErrorIs(t, err, cuda.ErrNotSupported)
	_, err = d.ForeignStream(1)
	require.ErrorIs(t, err, cuda.ErrNotSupported)
	_, err = d.ForeignEvent(1)
	require.ErrorIs(t, err, cuda.ErrNotSupported)
}
