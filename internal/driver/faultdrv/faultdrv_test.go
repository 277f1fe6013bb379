package faultdrv_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/driver/faultdrv"
)

// backend opens devices that count the calls that reach them.
type backend struct{ reached []string }

func (*backend) Name() string { return "counting" }
func (b *backend) Devices() ([]driver.Info, error) {
	b.reached = append(b.reached, "Devices")
	return nil, nil
}
func (b *backend) Open(int) (driver.Device, error) {
	b.reached = append(b.reached, "Open")
	return &device{b: b}, nil
}
func (b *backend) note(name string) { b.reached = append(b.reached, name) }
func (b *backend) last() string     { return b.reached[len(b.reached)-1] }
func (b *backend) handle() uint64   { return uint64(len(b.reached)) }

// device panics in every method that the test does not define.
type device struct {
	driver.Device
	b *backend
}

func (d *device) Alloc(uint64) (driver.Ptr, error) {
	d.b.note("Alloc")
	return driver.Ptr(d.b.handle()), nil
}
func (d *device) NewStream(int) (driver.Stream, error) {
	d.b.note("NewStream")
	return driver.Stream(d.b.handle()), nil
}
func (d *device) Synchronize(driver.Stream) error   { d.b.note("Synchronize"); return nil }
func (d *device) Free(driver.Ptr) error             { d.b.note("Free"); return nil }
func (d *device) FreeHost(driver.Ptr) error         { d.b.note("FreeHost"); return nil }
func (d *device) DestroyStream(driver.Stream) error { d.b.note("DestroyStream"); return nil }
func (d *device) DestroyEvent(driver.Event) error   { d.b.note("DestroyEvent"); return nil }
func (d *device) UnloadModule(driver.Module) error  { d.b.note("UnloadModule"); return nil }
func (d *device) Close() error                      { d.b.note("Close"); return errors.New("unseen") }
func (d *device) Reset() error                      { d.b.note("Reset"); return nil }

func (d *device) DestroyArray(driver.Array) error           { d.b.note("DestroyArray"); return nil }
func (d *device) DestroyMipmap(driver.Mipmap) error         { d.b.note("DestroyMipmap"); return nil }
func (d *device) DestroyTexture(driver.Texture) error       { d.b.note("DestroyTexture"); return nil }
func (d *device) DestroySurface(driver.Surface) error       { d.b.note("DestroySurface"); return nil }
func (d *device) DestroyPool(driver.Pool) error             { d.b.note("DestroyPool"); return nil }
func (d *device) FreeAsync(driver.Ptr, driver.Stream) error { d.b.note("FreeAsync"); return nil }
func (d *device) UnregisterHost(driver.Ptr) error           { d.b.note("UnregisterHost"); return nil }

func (d *device) DestroyGraph(driver.Graph) error         { d.b.note("DestroyGraph"); return nil }
func (d *device) DestroyGraphExec(driver.GraphExec) error { d.b.note("DestroyGraphExec"); return nil }

var ends = []string{
	"DestroyGraph", "DestroyGraphExec",
	"Free", "FreeHost", "DestroyStream", "DestroyEvent", "UnloadModule", "Close", "DestroyArray", "DestroyMipmap", "DestroyTexture",
	"DestroySurface", "DestroyPool", "FreeAsync", "UnregisterHost",
}

// Every method of the contract that returns an error can be made to fail. The wrapped device panics in methods that must
// not be reached.
func TestEveryMethodFails(t *testing.T) {
	typ := reflect.TypeFor[driver.Device]()
	tested := 0
	for i := range typ.NumMethod() {
		m := typ.Method(i)
		n := m.Type.NumOut()
		if n == 0 || m.Type.Out(n-1) != reflect.TypeFor[error]() || m.Name == "Err" {
			continue
		}
		inner := &backend{}
		b := faultdrv.New(inner)
		d, err := b.Open(0)
		require.NoError(t, err)
		b.Fail(faultdrv.Plan{Method: m.Name, Call: 1, Status: driver.OutOfMemory})
		var in []reflect.Value
		for j := range m.Type.NumIn() {
			in = append(in, reflect.Zero(m.Type.In(j)))
		}
		out := reflect.ValueOf(d).MethodByName(m.Name).Call(in)
		err, _ = out[n-1].Interface().(error)
		require.ErrorIs(t, err, driver.OutOfMemory, m.Name)
		for _, v := range out[:n-1] {
			require.True(t, v.IsZero(), "%s returned %v beside an error", m.Name, v)
		}
		require.Equal(t, []string{m.Name}, b.Calls())
		require.Equal(t, slices.Contains(ends, m.Name), inner.last() == m.Name, m.Name)
		tested++
	}
	require.Greater(t, tested, 30)
}

func TestPlans(t *testing.T) {
	inner := &backend{}
	b := faultdrv.New(inner)
	scenario := func() (failed []bool) {
		d, err := b.Open(0)
		failed = append(failed, err != nil)
		if err != nil {
			return failed
		}
		for range 2 {
			_, err = d.Alloc(1)
			failed = append(failed, err != nil)
			failed = append(failed, d.Synchronize(0) != nil)
		}
		return failed
	}
	const f, p = true, false
	for _, c := range []struct {
		plan faultdrv.Plan
		want []bool
	}{
		{faultdrv.Plan{}, []bool{p, p, p, p, p}},
		{faultdrv.Plan{Call: 1}, []bool{f}},
		{faultdrv.Plan{Call: 3}, []bool{p, p, f, p, p}},
		{faultdrv.Plan{Call: 3, Always: true}, []bool{p, p, f, f, f}},
		{faultdrv.Plan{Method: "Alloc", Call: 2}, []bool{p, p, p, f, p}},
		{faultdrv.Plan{Method: "Alloc", Call: 1, Always: true}, []bool{p, f, p, f, p}},
		{faultdrv.Plan{Call: 9}, []bool{p, p, p, p, p}},
	} {
		b.Fail(c.plan)
		require.Equal(t, c.want, scenario(), "%+v", c.plan)
		require.Len(t, b.Calls(), len(c.want))
	}
	_, err := b.Devices()
	require.NoError(t, err)
	b.Fail(faultdrv.Plan{Method: "Devices", Call: 1})
	_, err = b.Devices()
	require.ErrorIs(t, err, driver.Unknown)
	require.Equal(t, "counting", b.Name())
}

func TestLive(t *testing.T) {
	b := faultdrv.New(&backend{})
	d, err := b.Open(0)
	require.NoError(t, err)
	p, err := d.Alloc(1)
	require.NoError(t, err)
	s, err := d.NewStream(0)
	require.NoError(t, err)
	require.Equal(t, []string{"Alloc 0x2", "NewStream 0x3", "Open 0x0"}, b.Live())

	b.Fail(faultdrv.Plan{Method: "Alloc", Call: 1})
	_, err = d.Alloc(1)
	require.Error(t, err)
	require.Len(t, b.Live(), 3, "a call that failed made something")

	b.Fail(faultdrv.Plan{Call: 1, Always: true})
	require.Error(t, d.Free(p)) // passed on and reported as failed
	require.Equal(t, []string{"NewStream 0x3", "Open 0x0"}, b.Live())
	require.Error(t, d.DestroyStream(s))
	require.Equal(t, []string{"Open 0x0"}, b.Live())

	b.Fail(faultdrv.Plan{})
	_, err = d.Alloc(1)
	require.NoError(t, err)
	require.NoError(t, d.Reset())
	require.Equal(t, []string{"Open 0x0"}, b.Live())
	require.EqualError(t, d.Close(), "unseen")
	require.Empty(t, b.Live())
}
