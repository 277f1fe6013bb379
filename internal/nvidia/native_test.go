//go:build linux && !tandem_nodl

package nvidia_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/nvidiatest"
)

// TestNative: two devices share objects by the driver's own handles, and the adopter destroys none.
func TestNative(t *testing.T) {
	f := nvidiatest.New(t)
	a, b := f.Open(t), f.Open(t)
	from, to := a.(driver.Native), b.(driver.Native)
	one, err := from.NativeContext()
	require.NoError(t, err)
	two, err := to.NativeContext()
	require.NoError(t, err)
	require.NotZero(t, one)
	require.Equal(t, one, two, "the primary context is one")

	s, err := a.NewStream(0)
	require.NoError(t, err)
	h, err := from.NativeStream(s)
	require.NoError(t, err)
	require.NotZero(t, h)
	zero, err := from.NativeStream(0)
	require.NoError(t, err)
	require.NotEqual(t, h, zero)
	adopted, err := to.AdoptStream(h)
	require.NoError(t, err)
	again, err := to.NativeStream(adopted)
	require.NoError(t, err)
	require.Equal(t, h, again)

	e, err := a.NewEvent(true)
	require.NoError(t, err)
	eh, err := from.NativeEvent(e)
	require.NoError(t, err)
	event, err := to.AdoptEvent(eh)
	require.NoError(t, err)
	p, err := b.Alloc(4)
	require.NoError(t, err)
	require.NoError(t, b.Write(p, []byte{1, 2, 3, 4}, adopted))
	require.NoError(t, b.Record(event, adopted))
	require.NoError(t, a.WaitEvent(s, e))
	require.NoError(t, a.Synchronize(s))

	m, _, err := a.LoadModule([]byte(kernel), driver.ModuleOptions{})
	require.NoError(t, err)
	mh, err := from.NativeModule(m)
	require.NoError(t, err)
	require.NotZero(t, mh)
	k, err := a.Function(m, "store")
	require.NoError(t, err)
	kh, err := from.NativeFunction(k)
	require.NoError(t, err)
	require.NotZero(t, kh)

	require.NoError(t, b.DestroyStream(adopted))
	require.NoError(t, b.DestroyEvent(event))
	require.Zero(t, f.Called("cuStreamDestroy"))
	require.Zero(t, f.Called("cuEventDestroy"))
	for _, stale := range []func() (uintptr, error){
		func() (uintptr, error) { return to.NativeStream(adopted) },
		func() (uintptr, error) { return to.NativeEvent(event) },
		func() (uintptr, error) { return to.NativeModule(m) },
		func() (uintptr, error) { return to.NativeFunction(k) },
		func() (uintptr, error) { s, err := to.AdoptStream(0); return uintptr(s), err },
		func() (uintptr, error) { e, err := to.AdoptEvent(0); return uintptr(e), err },
	} {
		_, err := stale()
		require.ErrorIs(t, err, driver.InvalidHandle)
	}
	require.NoError(t, b.Free(p))
	require.NoError(t, b.Close())
	_, err = to.NativeContext()
	require.ErrorIs(t, err, driver.Deinitialized)
	require.NoError(t, a.Close())
}
